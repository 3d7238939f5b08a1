// The sketch canvas. In: props.value (PNG data URL, "" or null = untouched), props.onion, props.storage_key.
// Out: props.value after each finished action, which makes Gradio fire ONE change event; trigger('input') besides, for
// those who want only what the designer did. Runs inside the function that gr.HTML makes of js_on_load.
const WIDTH = 384;
const HEIGHT = 512;
const HISTORY = 80; // steps; one step is 197 kB of grey levels and its data URL, so 80 are about 17 MB
const MAX_URL = 5600000; // characters, 4 MB of PNG: what canvas.py accepts
const KEY = props.storage_key || "fashiondistill-sketch";

const root = element.querySelector(".fd-canvas");
const canvas = root.querySelector("canvas");
const onion = root.querySelector(".fd-onion");
const ring = root.querySelector(".fd-cursor");
const slider = root.querySelector("input");
const readout = root.querySelector("output");
const status = root.querySelector(".fd-status");
const button = (action) => root.querySelector('button[data-action="' + action + '"]');
const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });

// Gradio may unmount and mount the component again (tabs): what must outlive that is kept on the window, by key.
const sessions = (window.fashiondistillCanvas = window.fashiondistillCanvas || {});
const previous = sessions[KEY];
if (previous) previous.listeners.abort();
const fresh = () => ({ steps: [], position: -1, tool: "brush", sizes: { brush: 3, eraser: 20 }, mirror: false });
const again = Boolean(previous && previous.opened); // mounted again on the same page: the history is still there
const session = again ? previous : fresh();
sessions[KEY] = session;
session.listeners = new AbortController();
const mounted = session.listeners.signal; // aborted by the next mount: what still loads here is then dropped
const listen = (target, type, callback, options) => target.addEventListener(type, callback, { signal: mounted, ...options });

let stroke = null; // the pointer being drawn with
let restoredOver = null; // the layout's opening value, where the saved drawing took its place
const mountedAt = performance.now();
let incoming = 0; // number of the newest picture from outside; older ones that load late are dropped

// ---- paper and history

function blankStep() {
  return { grey: new Uint8ClampedArray(WIDTH * HEIGHT).fill(255), url: "" };
}

function readPaper() {
  const pixels = context.getImageData(0, 0, WIDTH, HEIGHT).data;
  const grey = new Uint8ClampedArray(WIDTH * HEIGHT);
  for (let i = 0; i < grey.length; i += 1) grey[i] = pixels[4 * i];
  return grey;
}

function paint(grey) {
  const picture = context.createImageData(WIDTH, HEIGHT);
  for (let i = 0; i < grey.length; i += 1) {
    picture.data[4 * i] = picture.data[4 * i + 1] = picture.data[4 * i + 2] = grey[i];
    picture.data[4 * i + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
}

const current = () => session.steps[session.position];

function push(step) {
  session.steps.length = session.position + 1;
  session.steps.push(step);
  if (session.steps.length > HISTORY) session.steps.shift();
  session.position = session.steps.length - 1;
}

function save(url) {
  try {
    if (url) window.localStorage.setItem(KEY, url);
    else window.localStorage.removeItem(KEY);
    return true;
  } catch (error) {
    return false; // private window, blocked storage in an iframe, or full: said in the status line
  }
}

function readSaved() {
  try {
    return window.localStorage.getItem(KEY) || "";
  } catch (error) {
    return "";
  }
}

// The step now on the paper becomes the value. `silent`: it came from Gradio, which knows it already.
function publish(message, silent) {
  const url = current().url;
  const saved = save(url);
  say((message + (url === "" ? "" : saved ? " Saved in this browser." : " This browser does not allow saving.")).trim());
  refresh();
  if (silent || (props.value || "") === url) return;
  props.value = url;
  trigger("input");
}

// Takes what is on the paper as a new step; nothing happens if the paper did not change.
function commit(message) {
  const grey = readPaper();
  const before = current().grey;
  let changed = false;
  let blank = true;
  for (let i = 0; i < grey.length; i += 1) {
    if (grey[i] !== before[i]) changed = true;
    if (grey[i] !== 255) blank = false;
  }
  if (changed) {
    push({ grey, url: blank ? "" : canvas.toDataURL("image/png") });
    publish(message, false);
  } else refresh();
}

function travel(distance) {
  const next = session.position + distance;
  if (next < 0 || next >= session.steps.length) return;
  session.position = next;
  paint(current().grey);
  publish(distance < 0 ? "Undone." : "Redone.", false);
}

function clear() {
  if (current().url === "") return;
  push(blankStep());
  paint(current().grey);
  publish("Cleared. Undo brings the drawing back.", false);
}

// ---- pictures from outside: Python's value, the saved drawing

async function loadStep(url) {
  if (!url) return blankStep();
  if (!url.startsWith("data:image/") || url.length > MAX_URL) throw new Error("not a picture for the canvas");
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  const scale = Math.min(WIDTH / picture.naturalWidth, HEIGHT / picture.naturalHeight);
  const width = picture.naturalWidth * scale;
  const height = picture.naturalHeight * scale;
  const scratch = new OffscreenCanvas(WIDTH, HEIGHT).getContext("2d", { willReadFrequently: true });
  scratch.fillStyle = "#fff";
  scratch.fillRect(0, 0, WIDTH, HEIGHT);
  scratch.drawImage(picture, (WIDTH - width) / 2, (HEIGHT - height) / 2, width, height);
  const pixels = scratch.getImageData(0, 0, WIDTH, HEIGHT).data;
  const grey = new Uint8ClampedArray(WIDTH * HEIGHT);
  for (let i = 0; i < grey.length; i += 1) {
    grey[i] = 0.299 * pixels[4 * i] + 0.587 * pixels[4 * i + 1] + 0.114 * pixels[4 * i + 2];
  }
  return { grey, url };
}

// While it builds the page Gradio 6.31 may write the opening value once more (seen 3 ms after the restored drawing was
// published). A picture that a designer asked for comes after a click, and not in the first moment.
function early() {
  const touched = navigator.userActivation ? navigator.userActivation.hasBeenActive : true;
  return !touched || performance.now() - mountedAt < 1500;
}

// Gradio set the value: one undoable step, the history before it stays.
async function receive() {
  if (mounted.aborted) return;
  const url = props.value || "";
  incoming += 1;
  const number = incoming;
  if (current().url === url) return;
  if (url === restoredOver && early()) {
    props.value = current().url;
    return;
  }
  const step = await loadOrNull(url);
  if (number !== incoming || mounted.aborted) return;
  if (stroke) finish();
  if (step === null) {
    say("The sketch could not be loaded: it is not a picture.");
    props.value = current().url; // what is seen is what is sent
    return;
  }
  props.value = url; // again, for the case that a stroke was finished just now: the newer picture stands
  push(step);
  paint(step.grey);
  publish(url ? "Sketch loaded. Undo brings the last one back." : "Cleared. Undo brings the drawing back.", true);
}

async function loadOrNull(url) {
  try {
    return await loadStep(url);
  } catch (error) {
    return null;
  }
}

// First the value given by the layout, over it the drawing saved before the reload; nobody draws until that is done.
async function open() {
  if (!again) push(blankStep());
  paint(current().grey);
  refresh();
  if (again) return receive();
  const given = props.value || "";
  const saved = readSaved();
  const first = await loadOrNull(given);
  const second = saved && saved !== given ? await loadOrNull(saved) : null;
  if (mounted.aborted) return;
  if (first) session.steps[0] = first;
  if (second) {
    push(second);
    restoredOver = given;
  }
  paint(current().grey);
  if (second) publish("Your last drawing is back.", false);
  else say("What you draw is saved in this browser.");
  refresh();
  if ((props.value || "") !== given && !second) await receive();
}

// ---- drawing

function position(event) {
  const box = canvas.getBoundingClientRect();
  return {
    x: ((event.clientX - box.left) * WIDTH) / box.width,
    y: ((event.clientY - box.top) * HEIGHT) / box.height,
    pressure: event.pointerType === "pen" && event.pressure > 0 ? event.pressure : 0.5,
  };
}

// Pieces of a stroke, each from `from` to `to`, bent by `bend`; on the other half as well while Mirror is on. Pieces of
// one width are one path: drawn one by one, their soft edges would add up to beads.
function ink(pieces) {
  context.strokeStyle = stroke.erases ? "#fff" : "#000";
  context.lineCap = "round";
  context.lineJoin = "round";
  for (let first = 0, last = 0; first < pieces.length; first = last) {
    while (last < pieces.length && pieces[last].width === pieces[first].width) last += 1;
    context.lineWidth = pieces[first].width;
    for (const flip of session.mirror ? [false, true] : [false]) {
      const x = (point) => (flip ? WIDTH - point.x : point.x);
      context.beginPath();
      context.moveTo(x(pieces[first].from), pieces[first].from.y);
      for (const { bend, to } of pieces.slice(first, last)) context.quadraticCurveTo(x(bend), bend.y, x(to), to.y);
      context.stroke();
    }
  }
}

function segment(from, bend, to, width) {
  const piece = { from, bend, to, width: Math.max(1, Math.round(width * 2) / 2) };
  stroke.pieces.push(piece);
  ink([piece]); // at once, so that the line follows the pen; `finish` draws the whole stroke cleanly
}

// Half the width at no pressure, one and a half at full; mouse and finger report 0.5 and draw the width itself.
const widthAt = (pressure) => stroke.size * (0.5 + pressure);

function extend(point) {
  const last = stroke.last;
  if (Math.hypot(point.x - last.x, point.y - last.y) < 0.5) return;
  const pressure = last.pressure + 0.5 * (point.pressure - last.pressure); // smoothed: pens report in steps
  const next = { x: point.x, y: point.y, pressure };
  const middle = { x: (last.x + next.x) / 2, y: (last.y + next.y) / 2 };
  segment(stroke.middle, last, middle, widthAt((last.pressure + pressure) / 2));
  stroke.middle = middle;
  stroke.last = next;
}

function start(event) {
  if (stroke) {
    if (event.pointerType === "touch" && event.pointerId !== stroke.id) abandon(); // a second finger: no drawing
    return;
  }
  if (!session.opened || !event.isPrimary || (event.button !== 0 && event.button !== 5)) return;
  event.preventDefault();
  root.dataset.pointer = "yes"; // the focus ring is for the keyboard; a finger's focus() would show it
  canvas.focus({ preventScroll: true });
  const point = position(event);
  const erases = session.tool === "eraser" || event.button === 5; // 5: the eraser end of a pen
  const size = session.sizes[erases ? "eraser" : "brush"];
  stroke = { id: event.pointerId, mouse: event.pointerType === "mouse", erases, size, last: point };
  Object.assign(stroke, { middle: point, pieces: [] });
  root.dataset.drawing = "yes";
  segment(point, point, { x: point.x + 0.01, y: point.y }, widthAt(point.pressure));
}

function move(event) {
  showRing(event);
  if (!stroke || event.pointerId !== stroke.id) return;
  if (stroke.mouse && event.buttons === 0) return finish(); // released outside the window
  const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  for (const each of events.length ? events : [event]) extend(position(each));
}

function finish() {
  segment(stroke.middle, stroke.middle, stroke.last, widthAt(stroke.last.pressure));
  paint(current().grey);
  ink(stroke.pieces);
  stroke = null;
  root.dataset.drawing = "no";
  commit("");
}

function abandon() {
  stroke = null;
  root.dataset.drawing = "no";
  paint(current().grey);
}

function showRing(event) {
  const box = canvas.getBoundingClientRect();
  const inside =
    event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
  const size = (session.sizes[session.tool] * box.width) / WIDTH;
  const shown = (event.target === canvas || stroke !== null) && inside && event.pointerType !== "touch" && size >= 5;
  root.dataset.cursor = shown ? "ring" : "cross"; // a ring under 5 pixels says less than the cross
  ring.style.display = shown ? "block" : "none";
  if (!shown) return;
  ring.style.width = ring.style.height = size + "px";
  const x = event.clientX - box.left - size / 2;
  const y = event.clientY - box.top - size / 2;
  ring.style.transform = "translate(" + x + "px, " + y + "px)";
}

// ---- toolbar, keys

function say(message) {
  status.textContent = message;
}

function refresh() {
  root.dataset.tool = session.tool;
  root.dataset.mirror = session.mirror ? "on" : "off";
  root.dataset.blank = current().url === "" ? "yes" : "no";
  button("brush").setAttribute("aria-pressed", String(session.tool === "brush"));
  button("eraser").setAttribute("aria-pressed", String(session.tool === "eraser"));
  button("mirror").setAttribute("aria-pressed", String(session.mirror));
  button("undo").setAttribute("aria-disabled", String(session.position === 0));
  button("redo").setAttribute("aria-disabled", String(session.position === session.steps.length - 1));
  button("clear").setAttribute("aria-disabled", String(current().url === ""));
  slider.value = session.sizes[session.tool];
  readout.textContent = slider.value;
  slider.style.setProperty("--fd-fill", (100 * (slider.value - slider.min)) / (slider.max - slider.min) + "%");
}

function resize(size) {
  session.sizes[session.tool] = Math.min(40, Math.max(1, Math.round(size)));
  refresh();
}

const actions = {
  brush: () => (session.tool = "brush"),
  eraser: () => (session.tool = "eraser"),
  mirror: () => (session.mirror = !session.mirror),
  undo: () => travel(-1),
  redo: () => travel(1),
  clear,
};

function act(action) {
  if (stroke || !session.opened) return;
  actions[action]();
  refresh();
}

function key(event) {
  if (event.key === "Tab") root.dataset.pointer = "no";
  const focus = document.activeElement;
  const ours = !focus || focus === document.body || element.contains(focus);
  if (!ours || event.altKey || event.isComposing || !element.isConnected || !element.getClientRects().length) return;
  const latin = /^[a-z]$/i.test(event.key) ? event.key : event.code.replace("Key", "");
  const letter = latin.toLowerCase();
  let done = true;
  if (event.ctrlKey || event.metaKey) {
    if (letter === "z") act(event.shiftKey ? "redo" : "undo");
    else if (letter === "y") act("redo");
    else done = false;
  } else if (focus !== canvas) done = false; // single letters only after a stroke or a tab onto the paper
  else if (letter === "b") act("brush");
  else if (letter === "e") act("eraser");
  else if (letter === "m") act("mirror");
  else if (event.key === "[") resize(session.sizes[session.tool] - 1);
  else if (event.key === "]") resize(session.sizes[session.tool] + 1);
  else done = false;
  if (done) event.preventDefault();
}

function showOnion() {
  const url = typeof props.onion === "string" && props.onion.startsWith("data:image/") ? props.onion : "";
  onion.hidden = url === "";
  if (url) onion.src = url;
  else onion.removeAttribute("src");
}

listen(root, "click", (event) => {
  const pressed = event.target.closest("button[data-action]");
  if (pressed && pressed.getAttribute("aria-disabled") !== "true") act(pressed.dataset.action);
});
listen(slider, "input", () => resize(Number(slider.value)));
listen(canvas, "pointerdown", start);
listen(canvas, "contextmenu", (event) => event.preventDefault());
listen(window, "pointermove", move);
listen(window, "pointerup", (event) => stroke && event.pointerId === stroke.id && finish());
listen(window, "pointercancel", (event) => stroke && event.pointerId === stroke.id && finish());
listen(document, "keydown", key);
watch("value", () => opening.then(receive));
watch("onion", showOnion);
showOnion();
const opening = open().then(() => {
  session.opened = true; // the paper shows what it has to show at first: from here on it may be drawn on
  root.dataset.ready = "yes";
});
