// The rail of a comparison moves the seam between its two pictures; its cross takes away the marks that led to it.
element.addEventListener("input", (event) => {
  const layers = event.target.closest(".fd-over")?.querySelector(".fd-seam");
  if (layers) layers.style.setProperty("--seam", `${event.target.value}%`);
});

element.addEventListener("click", (event) => {
  if (!event.target.closest("[data-close]")) return;
  const marked = element.closest(".tabitem").querySelectorAll(".fd-mark input:checked");
  marked.forEach((box) => box.click());
  marked[0]?.focus();
});

// Beside candidates the names and scores are those of their cards, which a moved weight changes.
const name = () => element.querySelectorAll("figure[data-design]").forEach((figure) => {
  const box = document.querySelector(`#results-column .fd-mark input[data-design="${figure.dataset.design}"]`);
  const card = box?.closest(".design-card");
  if (!card || !element.closest("#comparison")) return;
  const said = { b: card.querySelector(".fd-badge"), small: card.querySelector('[data-kind="combined"] dd') };
  Object.entries(said).forEach(([part, from]) => {
    const place = figure.querySelector(part);
    if (place.textContent !== from.textContent) place.textContent = from.textContent;
  });
});
document.addEventListener("input", (event) => event.target.id === "fd-weight" && name());
// Not by watch: it tells of a new value before that is on the page. Gradio changes what is there rather than replace it.
new MutationObserver((changes) => {
  name();
  const opened = changes.some((change) => [...change.addedNodes].some((node) => node.matches?.("section")));
  if (opened && element.closest("#comparison")) element.scrollIntoView({ behavior: "smooth", block: "nearest" });
}).observe(element, { childList: true, subtree: true, characterData: true, attributeFilter: ["data-design"] });
