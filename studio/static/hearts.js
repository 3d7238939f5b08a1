// Hearts of designs. Out: trigger('heart', {design, on, shown}); in: props.refused, the id of a heart that was refused.
// The heart turns before the answer comes. Runs inside the function that gr.HTML makes of js_on_load.
const turn = (heart, on) => heart.setAttribute("aria-pressed", String(on));

element.addEventListener("click", (event) => {
  const heart = event.target.closest(".fd-heart");
  if (!heart) return;
  const on = heart.getAttribute("aria-pressed") !== "true";
  const same = document.querySelectorAll(`.fd-heart[data-design="${heart.dataset.design}"]`); // on the other tab too
  same.forEach((one) => turn(one, on));
  const cards = heart.closest(".fd-cards"); // on the board siblings are not all in sight: the store knows them
  const shown = cards ? [...cards.querySelectorAll(".fd-heart")].map((one) => one.dataset.design) : null;
  trigger("heart", { design: heart.dataset.design, on, shown });
});

watch("refused", () => {
  const heart = element.querySelector(`.fd-heart[data-design="${String(props.refused).split(" ")[0]}"]`);
  if (heart) turn(heart, heart.getAttribute("aria-pressed") !== "true");
});
