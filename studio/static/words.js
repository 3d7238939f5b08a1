// Words beside the prompt. Out: trigger('word', {key, also}) and trigger('colour', {colour, also}); in: props.pressed, keys of
// the words in the prompt, props.garment, the noun in it, and props.picked, {words, swatch} of the last colour picked.
let folded = window.innerWidth < 861; // on a phone the canvas comes first
let second = false; // whether the next colour is a second one

const set = (one, name, value) => one.getAttribute(name) !== value && one.setAttribute(name, value);
const seen = (bar) => [...bar.querySelectorAll("button")].filter((one) => !one.hidden);

const show = () => {
  const book = element.querySelector(".fd-wordbook");
  if (!book) return;
  if (book.open === folded) book.open = !folded;
  set(book.querySelector("[data-second]"), "aria-pressed", String(second));
  element.querySelectorAll("[data-word]").forEach((one) => {
    set(one, "aria-pressed", String((props.pressed || []).includes(one.dataset.word)));
    const garments = one.dataset.garments;
    const fits = !garments || garments.split("|").includes(props.garment);
    const hidden = !fits && one.getAttribute("aria-pressed") !== "true";
    if (one.hidden !== hidden) one.hidden = hidden;
  });
  element.querySelectorAll("[role=toolbar]").forEach((bar) => {
    const buttons = seen(bar), stop = buttons.find((one) => one.tabIndex === 0 && one.hasAttribute("tabindex")) || buttons[0];
    bar.querySelectorAll("button").forEach((one) => set(one, "tabindex", one === stop ? "0" : "-1"));
    if (bar.parentElement.hidden !== !buttons.length) bar.parentElement.hidden = !buttons.length;
  });
  const picked = book.querySelector(".fd-picked"), { words = "", swatch = "" } = props.picked || {};
  if (picked.querySelector("span").textContent !== words) picked.querySelector("span").textContent = words;
  if (picked.style.getPropertyValue("--swatch") !== swatch) picked.style.setProperty("--swatch", swatch);
};

element.addEventListener("click", (event) => {
  const summary = event.target.closest("summary");
  if (summary) {
    folded = summary.parentElement.open; // it opens or closes after this
    return;
  }
  const word = event.target.closest("[data-word]");
  if (word) {
    trigger("word", { key: word.dataset.word, also: second || event.shiftKey });
    if (word.dataset.word.startsWith("colour:")) second = false;
  }
  if (event.target.closest("[data-second]")) second = !second;
  show();
});

element.addEventListener("change", (event) => {
  if (event.target.type !== "color") return;
  trigger("colour", { colour: event.target.value, also: second });
  second = false;
  show();
});

element.addEventListener("keydown", (event) => {
  const bar = event.target.closest("[role=toolbar]");
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
  if (!bar || !step || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const buttons = seen(bar), from = buttons.indexOf(event.target);
  const to = Math.abs(step) === 1 ? (from + step + buttons.length) % buttons.length : step < 0 ? 0 : buttons.length - 1;
  event.target.setAttribute("tabindex", "-1");
  buttons[to].setAttribute("tabindex", "0");
  buttons[to].focus();
});

show();
watch(["pressed", "garment", "picked"], show);
// A new value makes the buttons anew, or changes them where they are, as it came from the server.
const asked = { childList: true, subtree: true, attributeFilter: ["aria-pressed", "data-word", "open"] };
new MutationObserver(show).observe(element, asked);
