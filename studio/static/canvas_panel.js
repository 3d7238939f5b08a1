// The canvas, part 5: toolbar, keys, wiring, and how it opens.
const widthSlider = find(".fd-width input");
const steadySlider = find(".fd-smooth input");
const opacitySlider = find(".fd-opacity input");
const underPicture = find(".fd-under-picture");
const fileInput = find(".fd-file");
const help = find(".fd-help");

function say(message) {
  status.textContent = message;
}

const press = (action, on) => button(action).setAttribute("aria-pressed", String(on));
const disable = (action, on) => button(action).setAttribute("aria-disabled", String(on));

function fill(slider, value) {
  slider.value = value;
  slider.nextElementSibling.textContent = value;
  slider.style.setProperty("--fd-fill", (100 * (value - slider.min)) / (slider.max - slider.min) + "%");
}

function showUnder(step) {
  const under = step.under;
  find(".fd-under").hidden = underPicture.hidden = under === null;
  if (under === null) return underPicture.removeAttribute("src");
  if (underPicture.getAttribute("src") !== under.url) underPicture.src = under.url;
  const visible = session.opacity[under.base ? "base" : "onion"];
  underPicture.style.opacity = visible / 100;
  fill(opacitySlider, visible);
  find(".fd-under-name").textContent = under.name;
  press("base", under.base);
}

function showNote(step) {
  const based = step.under !== null && step.under.base;
  const words_of = { "true,true": "mask_used", "true,false": "mask_missing", "false,true": "mask_unused" };
  const key = words_of[[based, step.mask !== null]];
  const note = find(".fd-note");
  note.hidden = !key;
  note.textContent = key ? words[key] : "";
  note.dataset.kind = key || "";
}

function refresh() {
  const step = current();
  root.dataset.tool = session.tool;
  root.dataset.layer = session.layer;
  root.dataset.mirror = session.mirror ? "on" : "off";
  root.dataset.live = session.live ? "on" : "off";
  root.dataset.blank = isBlank(step) ? "yes" : "no";
  for (const tool of ["brush", "eraser", ...SHAPES]) press(tool, session.tool === tool);
  press("mirror", session.mirror);
  press("live", session.live);
  press("layer_sketch", session.layer === "sketch");
  press("layer_mask", session.layer === "mask");
  disable("undo", session.position === 0);
  disable("redo", session.position === session.steps.length - 1);
  disable("clear", session.layer === "mask" ? step.mask === null : step.url === "");
  fill(widthSlider, widthNow());
  fill(steadySlider, session.steady);
  showUnder(step);
  showNote(step);
}

function resize(size) {
  session.sizes[session.layer][ownSize()] = Math.min(Number(widthSlider.max), Math.max(1, Math.round(size)));
  refresh();
}

const actions = {
  mirror: () => (session.mirror = !session.mirror),
  undo: () => travel(-1),
  redo: () => travel(1),
  clear,
  layer_sketch: () => (session.layer = "sketch"),
  layer_mask: () => (session.layer = "mask"),
  zoom_in: () => zoomBy(1.5),
  zoom_out: () => zoomBy(1 / 1.5),
  fit,
  photo: () => fileInput.click(),
  help: () => help.showModal(),
  trace: () => {
    say(words.tracing);
    trigger("trace", { picture: current().under.url });
  },
  base: () => setUnder({ ...current().under, base: !current().under.base }, ""),
  remove: () => setUnder(null, words.removed),
  live: () => {
    session.live = !session.live;
    scheduleLive();
  },
};
for (const tool of ["brush", "eraser", ...SHAPES]) actions[tool] = () => (session.tool = tool);

function act(action) {
  if (!session.opened) return;
  if (stroke && !stroke.bends) return;
  if (stroke) finish(); // a curve that was not pulled yet: kept as it is, undo takes it away
  actions[action]();
  refresh();
}

// ---- keys

const LETTERS = { b: "brush", e: "eraser", l: "line", c: "curve", r: "box", o: "oval", m: "mirror" };

function paperKey(event, letter) {
  if (letter in LETTERS) act(LETTERS[letter]);
  else if (letter === "q") act(onMask() ? "layer_sketch" : "layer_mask");
  else if (event.key === "[") resize(widthNow() - 1);
  else if (event.key === "]") resize(widthNow() + 1);
  else if (event.key === "+" || event.key === "=") act("zoom_in");
  else if (event.key === "-") act("zoom_out");
  else if (event.key === "0") act("fit");
  else if (event.key === " ") holdSpace(true);
  else if (event.key === "Escape" && stroke) abandon();
  else return false;
  return true;
}

const typing = (focus) =>
  Boolean(focus) && (focus.isContentEditable || /^(TEXTAREA|SELECT)$/.test(focus.tagName) ||
    (focus.tagName === "INPUT" && !/^(range|checkbox|radio|button)$/.test(focus.type)));

function key(event) {
  if (event.key === "Tab") root.dataset.pointer = "no";
  const focus = document.activeElement;
  if (event.altKey || event.isComposing || help.open || !element.isConnected || !element.getClientRects().length) return;
  if (event.key === "?" && !typing(focus) && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    return act("help");
  }
  if (focus && focus !== document.body && !element.contains(focus)) return;
  const latin = /^[a-z]$/i.test(event.key) ? event.key : event.code.replace("Key", "");
  const letter = latin.toLowerCase();
  let done = true;
  if (event.ctrlKey || event.metaKey) {
    if (letter === "z") act(event.shiftKey ? "redo" : "undo");
    else if (letter === "y") act("redo");
    else done = false;
  } else done = focus === canvas && paperKey(event, letter); // single keys only after a click or a tab onto the paper
  if (done) event.preventDefault();
}

// ---- wiring

listen(root, "click", (event) => {
  const pressed = event.target.closest("button[data-action]");
  if (pressed && pressed.getAttribute("aria-disabled") !== "true") act(pressed.dataset.action);
});
listen(widthSlider, "input", () => resize(Number(widthSlider.value)));
listen(steadySlider, "input", () => {
  session.steady = Number(steadySlider.value);
  refresh();
});
listen(opacitySlider, "input", () => {
  session.opacity[current().under.base ? "base" : "onion"] = Number(opacitySlider.value);
  showUnder(current());
});
listen(fileInput, "change", () => {
  placeFile(fileInput.files[0]);
  fileInput.value = ""; // the same file may be chosen again
});
// Buttons elsewhere on the page: a design's "Repaint a part", a bestseller's "Show under the paper".
listen(document, "click", (event) => {
  const repaint = event.target.closest("button[data-repaint]");
  const article = event.target.closest("button[data-underlay]");
  if (!element.getClientRects().length) return;
  if (repaint) placeCard(repaint.closest(".design-card"));
  if (article) trigger("fetch", { article: article.dataset.underlay });
});
listen(canvas, "pointerdown", start);
listen(canvas, "contextmenu", (event) => event.preventDefault());
listen(stage, "wheel", wheel, { passive: false });
listen(window, "pointermove", move);
for (const type of ["pointerup", "pointercancel"]) {
  listen(window, type, (event) => {
    endView(event);
    if (stroke && event.pointerId === stroke.id && !(stroke.bends && !stroke.pulled)) release(event);
  });
}
listen(document, "keydown", key);
listen(document, "keyup", (event) => event.key === " " && holdSpace(false));
listen(window, "blur", () => holdSpace(false));
watch(["value", "slot"], () => opening.then(receive));
watch("underlay", () => opening.then(() => props.underlay && placeUnder(...props.underlay)));

// First the value given by the layout, over it the drawing saved before the reload; nobody draws until that is done.
async function open() {
  if (!again) push(blankStep());
  paint(current());
  applyView();
  refresh();
  tabName(false);
  if (again) return receive();
  const given = props.value || "";
  const first = await orNull(loadSketch(given));
  const found = await restore();
  if (mounted.aborted) return;
  if (first) session.steps[0] = { ...blankStep(), ...first };
  const differs = found !== null && (found.step.url !== given || found.step.maskUrl !== "" || found.step.under !== null);
  if (differs) {
    push(found.step);
    restoredOver = given;
  }
  paint(current());
  if (differs) publish(found.own ? words.back : words.from_other_tab, false);
  else say(words.will_save);
  refresh();
  if ((props.value || "") !== given && !differs) await receive();
}

const opening = open().then(() => {
  session.opened = true; // the paper shows what it has to show at first: from here on it may be drawn on
  root.dataset.ready = "yes";
});
