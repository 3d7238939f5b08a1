// Phrases of the week's suggestion. Out: trigger('phrase', {word}), with "" when the one that is open is pressed again.
const buttons = () => [...element.querySelectorAll("[data-phrase]")];
const expand = (which) => buttons().forEach((one) => one.setAttribute("aria-expanded", String(one === which)));
let watched = null;

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-phrase]");
  if (!button) return;
  const opens = button.getAttribute("aria-expanded") !== "true";
  expand(opens ? button : null);
  trigger("phrase", { word: opens ? button.dataset.phrase : "" });
  if (watched) return;
  watched = document.querySelector("#phrase-pictures"); // another week or category empties it
  let full = false;
  new MutationObserver(() => {
    const before = full;
    full = watched.querySelector(".fd-drawer, .fd-state") !== null;
    if (before && !full) expand(null);
  }).observe(watched, { childList: true, subtree: true });
});
