// Orders the cards anew while the weight between words and bestsellers is moved: nothing is drawn or fetched again.
// The weight stays for later results of the same page; a double click puts it back to where the request had it.
(() => {
  let chosen = null;

  const rank = (rail) => {
    const weight = Number(rail.value), box = rail.closest("#results").querySelector(".fd-cards");
    const said = `${+weight.toFixed(2)} CLIP-I + ${+(1 - weight).toFixed(2)} CLIP-T`;
    rail.parentElement.querySelector("output").value = said;
    rail.setAttribute("aria-valuetext", said);
    box.style.setProperty("--clip-i-weight", weight);
    const combined = (card) => weight * card.dataset.clipI + (1 - weight) * card.dataset.clipT;
    const cards = [...box.querySelectorAll(".design-card")];
    cards.sort((a, b) => combined(b) - combined(a) || a.dataset.candidate - b.dataset.candidate);
    cards.forEach((card, index) => {
      const badge = card.querySelector(".fd-badge"), score = card.querySelector('[data-kind="combined"]');
      card.dataset.rank = index + 1;
      badge.textContent = badge.textContent.replace(/\d+/, index + 1);
      score.title = said;
      score.querySelector("dd").textContent = combined(card).toFixed(3);
      if (box.children[index] !== card) box.insertBefore(card, box.children[index]);
    });
  };

  document.addEventListener("input", (event) => {
    if (event.target.id !== "fd-weight") return;
    chosen = event.target.value;
    rank(event.target);
  });
  document.addEventListener("dblclick", (event) => {
    if (event.target.id !== "fd-weight") return;
    chosen = null;
    event.target.value = event.target.dataset.start;
    rank(event.target);
  });
  new MutationObserver(() => {
    const rail = chosen === null ? null : document.querySelector("#fd-weight");
    if (!rail || rail.value === chosen) return;
    rail.value = chosen;
    rank(rail);
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
