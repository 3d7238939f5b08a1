// The lowest line of cards, after hearts.js. Out: trigger('compare', {designs: ids}): two, or none when one of two is
// no longer marked or shown; trigger('vary', {design, how}); trigger('reuse', {seed}).
// The candidates and the frames kept from Live share their marks: a third takes the place of the first.
const marks = (window.fashiondistillMarks = window.fashiondistillMarks || { ids: [] });
const column = () => element.closest("#results-column") || document;
const boxes = () => [...column().querySelectorAll(".design-card .fd-mark input")];

const show = () => boxes().forEach((box) => (box.checked = marks.ids.includes(box.dataset.design)));

const mark = (ids) => {
  const before = marks.ids.length;
  marks.ids = ids;
  show();
  if (ids.length === 2 || before === 2) trigger("compare", { designs: ids.length === 2 ? ids : [] });
};

element.addEventListener("change", (event) => {
  const box = event.target.closest(".fd-mark input");
  if (!box) return;
  const others = marks.ids.filter((one) => one !== box.dataset.design);
  mark(box.checked ? [...others, box.dataset.design].slice(-2) : others);
});

element.addEventListener("click", (event) => {
  const seed = event.target.closest(".fd-seed"), vary = event.target.closest("[data-vary]");
  if (seed) trigger("reuse", { seed: Number(seed.dataset.seed) });
  if (!vary) return;
  vary.closest("[popover]").hidePopover();
  // One request at a time: a second one would write over the first one's cards.
  if (document.querySelector("#generate").disabled) return;
  trigger("vary", { design: vary.dataset.design, how: vary.dataset.vary });
  column().querySelector("#status").scrollIntoView({ behavior: "smooth", block: "nearest" });
});

// A popover stands in the middle of the page unless it is told where.
const place = (menu) => {
  const button = element.querySelector(`[popovertarget="${menu.id}"]`).getBoundingClientRect();
  const below = button.bottom + 100 < window.innerHeight; // two lines of a finger's height fit
  menu.style.left = `${Math.min(button.left, window.innerWidth - 128)}px`;
  menu.style.top = below ? `${button.bottom + 4}px` : "auto";
  menu.style.bottom = below ? "auto" : `${window.innerHeight - button.top + 4}px`;
};
const isMenu = (event) => event.target.matches(".fd-menu") && event.newState === "open";
element.addEventListener("beforetoggle", (event) => isMenu(event) && place(event.target), true);
window.addEventListener("scroll", () => {
  const menu = element.querySelector(".fd-menu:popover-open");
  if (menu) place(menu);
}, { passive: true });

// Not by watch: it tells of new cards before they are on the page.
new MutationObserver(() => {
  const present = boxes().map((box) => box.dataset.design);
  const left = marks.ids.filter((one) => present.includes(one));
  if (left.length < marks.ids.length) mark(left);
  else show();
}).observe(element, { childList: true, subtree: true, characterData: true, attributeFilter: ["data-design"] });
