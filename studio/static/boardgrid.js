// Tiles of the board, after hearts.js. Out: trigger('choose', {design}) and trigger('compare', {designs: ids}): two, or
// fewer when one of two is no longer marked.
let marked = []; // ids to compare, oldest first; the third takes the place of the first

element.addEventListener("click", (event) => {
  const opener = event.target.closest(".fd-open");
  if (!opener) return;
  const tile = opener.closest(".fd-kept");
  element.querySelectorAll(".fd-kept[data-chosen]").forEach((one) => one.removeAttribute("data-chosen"));
  tile.setAttribute("data-chosen", "");
  trigger("choose", { design: tile.dataset.design });
  if (window.innerWidth < 1024) document.querySelector("#board-side").scrollIntoView({ behavior: "smooth" });
});

element.addEventListener("change", (event) => {
  const box = event.target.closest(".fd-mark input");
  if (!box) return;
  const before = marked.length;
  marked = marked.filter((one) => one !== box.dataset.design);
  if (box.checked) marked.push(box.dataset.design);
  if (marked.length > 2) marked = marked.slice(-2);
  element.querySelectorAll(".fd-mark input").forEach((one) => (one.checked = marked.includes(one.dataset.design)));
  if (marked.length === 2 || before === 2) trigger("compare", { designs: marked });
});

watch("value", () => {
  element.querySelectorAll(".fd-mark input").forEach((one) => (one.checked = marked.includes(one.dataset.design)));
});
