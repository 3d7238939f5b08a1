// The canvas, part 1 of 5 (canvas, canvas_saving, canvas_view, canvas_tools, canvas_panel: one function of gr.HTML's
// js_on_load, joined in this order). In: props.value (PNG data URL of the sketch, "" or null = untouched), props.slot
// (the category, which has an autosave of its own), and what components.CanvasOutlet holds (repaint area, picture).
// Out: props.value after each finished action, which makes Gradio fire ONE change event; trigger('input') besides, for
// those who want only what the designer did; trigger('trace'), ('fetch') and ('live') for what Python has to do.
const WIDTH = 384;
const HEIGHT = 512;
const HISTORY = 80; // steps; a step is 197 kB of grey levels a layer and its data URL, so 80 are about 17 to 33 MB
const MAX_URL = 5600000; // characters, 4 MB of PNG: what canvas.py accepts
const GROUND = "rgb(246, 246, 246)"; // config.GROUND: what the model's pictures stand on
const MASK_COLOUR = "rgb(219, 39, 119)";
const LIVE_WAIT = 400; // milliseconds after the pen has lifted

const root = element.querySelector(".fd-canvas");
const KEY = root.dataset.key;
const words = JSON.parse(root.dataset.words);
const find = (selector) => root.querySelector(selector);
const button = (action) => find('button[data-action="' + action + '"]');
const canvas = find(".fd-sketch");
const maskCanvas = find(".fd-mask");
const status = find(".fd-status");
const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
const maskContext = maskCanvas.getContext("2d", { willReadFrequently: true });

// Gradio may unmount and mount the component again (tabs): what must outlive that is kept on the window, by key.
const sessions = (window.fashiondistillCanvas = window.fashiondistillCanvas || {});
const previous = sessions[KEY];
if (previous && previous.listeners) previous.listeners.abort();
const again = Boolean(previous && previous.opened); // mounted again on the same page: the history is still there
const session = previous || {};
if (!again) {
  Object.assign(session, {
    steps: [],
    position: -1,
    tool: "brush",
    layer: "sketch",
    sizes: { sketch: { brush: 3, eraser: 20 }, mask: { brush: 32, eraser: 32 } },
    steady: 2,
    mirror: false,
    opacity: { onion: 35, base: 75 },
    live: false,
    slot: root.dataset.slot,
  });
}
session.outlets = session.outlets || {}; // outlets may be mounted before the canvas
sessions[KEY] = session;
session.listeners = new AbortController();
const mounted = session.listeners.signal; // aborted by the next mount: what still loads here is then dropped
const listen = (target, type, callback, options) => target.addEventListener(type, callback, { signal: mounted, ...options });

let stroke = null; // what is being drawn, see canvas_tools
let restoredOver = null; // the layout's opening value, where the saved drawing took its place
const mountedAt = performance.now();
let incoming = 0; // number of the newest picture from outside; older ones that load late are dropped

// ---- the layers and their history. A step: {grey, url, mask, maskUrl, under}; mask is null where nothing is marked,
// under is null or {url, base, name}, the picture under the paper. What did not change is shared between steps.

const blankStep = () => ({
  grey: new Uint8ClampedArray(WIDTH * HEIGHT).fill(255), url: "", mask: null, maskUrl: "", under: null,
});
const current = () => session.steps[session.position];
const isBlank = (step) => step.url === "" && step.maskUrl === "" && step.under === null;

function channel(source, offset) {
  const pixels = source.getImageData(0, 0, WIDTH, HEIGHT).data;
  const levels = new Uint8ClampedArray(WIDTH * HEIGHT);
  for (let i = 0; i < levels.length; i += 1) levels[i] = pixels[4 * i + offset];
  return levels;
}

function paintSketch(grey) {
  const picture = context.createImageData(WIDTH, HEIGHT);
  for (let i = 0; i < grey.length; i += 1) {
    picture.data[4 * i] = picture.data[4 * i + 1] = picture.data[4 * i + 2] = grey[i];
    picture.data[4 * i + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
}

function paintMask(mask) {
  maskContext.clearRect(0, 0, WIDTH, HEIGHT);
  if (mask === null) return;
  const [red, green, blue] = MASK_COLOUR.match(/[0-9]+/g).map(Number);
  const picture = maskContext.createImageData(WIDTH, HEIGHT);
  for (let i = 0; i < mask.length; i += 1) picture.data.set([red, green, blue, mask[i]], 4 * i);
  maskContext.putImageData(picture, 0, 0);
}

function paint(step) {
  paintSketch(step.grey);
  paintMask(step.mask);
}

function push(step) {
  session.steps.length = session.position + 1;
  session.steps.push(step);
  if (session.steps.length > HISTORY) session.steps.shift();
  session.position = session.steps.length - 1;
}

// White where the picture is to be repainted, black elsewhere: what canvas.decode_mask reads.
function maskUrlOf(mask) {
  const scratch = new OffscreenCanvas(WIDTH, HEIGHT).getContext("2d");
  const picture = scratch.createImageData(WIDTH, HEIGHT);
  for (let i = 0; i < mask.length; i += 1) picture.data.set([mask[i], mask[i], mask[i], 255], 4 * i);
  const writer = document.createElement("canvas");
  writer.width = WIDTH;
  writer.height = HEIGHT;
  writer.getContext("2d").putImageData(picture, 0, 0);
  return writer.toDataURL("image/png");
}

// The step now on the paper becomes the value. `silent`: it came from Gradio, which knows it already.
function publish(message, silent) {
  const step = current();
  const saved = save(step);
  say((message + " " + (isBlank(step) ? "" : words[saved])).trim());
  refresh();
  setOutlet("mask", step.maskUrl);
  setOutlet("base", step.under && step.under.base ? step.under.url : "");
  if (!silent && (props.value || "") !== step.url) {
    props.value = step.url;
    trigger("input");
  }
  scheduleLive();
}

// Takes what is on the layer drawn on as a new step; nothing happens if it did not change.
function commit(message) {
  const before = current();
  if (session.layer === "mask") {
    const mask = channel(maskContext, 3).map((level) => (level >= 128 ? 255 : 0)); // soft rims of strokes: in or out
    const old = before.mask;
    const empty = !mask.some((level) => level > 0);
    if (old ? mask.some((level, i) => level !== old[i]) : !empty) {
      push({ ...before, mask: empty ? null : mask, maskUrl: empty ? "" : maskUrlOf(mask) });
      paintMask(current().mask);
      return publish(message, false);
    }
    paintMask(old);
  } else {
    const grey = channel(context, 0);
    if (grey.some((level, i) => level !== before.grey[i])) {
      const blank = grey.every((level) => level === 255);
      push({ ...before, grey, url: blank ? "" : canvas.toDataURL("image/png") });
      return publish(message, false);
    }
  }
  refresh();
}

function travel(distance) {
  const next = session.position + distance;
  if (next < 0 || next >= session.steps.length) return;
  session.position = next;
  paint(current());
  publish(distance < 0 ? words.undone : words.redone, false);
}

function clear() {
  if (session.layer === "mask") {
    if (current().mask === null) return;
    push({ ...current(), mask: null, maskUrl: "" });
  } else {
    if (current().url === "") return;
    const { grey, url } = blankStep();
    push({ ...current(), grey, url });
  }
  paint(current());
  publish(session.layer === "mask" ? words.mask_cleared : words.cleared, false);
}

// ---- pictures from outside: Python's values, the saved drawing

// A picture on the paper's size, nothing cut off, as a drawing context.
async function loadFitted(url, ground) {
  if (!url.startsWith("data:image/") || url.length > MAX_URL) throw new Error("not a picture for the canvas");
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  return fitted(picture, picture.naturalWidth, picture.naturalHeight, ground);
}

function fitted(picture, fullWidth, fullHeight, ground) {
  const scale = Math.min(WIDTH / fullWidth, HEIGHT / fullHeight);
  const [width, height] = [fullWidth * scale, fullHeight * scale];
  const sheet = document.createElement("canvas");
  sheet.width = WIDTH;
  sheet.height = HEIGHT;
  const scratch = sheet.getContext("2d", { willReadFrequently: true });
  scratch.fillStyle = ground;
  scratch.fillRect(0, 0, WIDTH, HEIGHT);
  scratch.imageSmoothingQuality = "high";
  scratch.drawImage(picture, (WIDTH - width) / 2, (HEIGHT - height) / 2, width, height);
  return scratch;
}

async function loadSketch(url) {
  if (!url) return { grey: blankStep().grey, url: "" };
  const pixels = (await loadFitted(url, "#fff")).getImageData(0, 0, WIDTH, HEIGHT).data;
  const grey = new Uint8ClampedArray(WIDTH * HEIGHT);
  for (let i = 0; i < grey.length; i += 1) {
    grey[i] = 0.299 * pixels[4 * i] + 0.587 * pixels[4 * i + 1] + 0.114 * pixels[4 * i + 2];
  }
  return { grey, url };
}

async function loadMask(url) {
  if (!url) return { mask: null, maskUrl: "" };
  const mask = channel(await loadFitted(url, "#000"), 0).map((level) => (level >= 128 ? 255 : 0));
  return mask.some((level) => level > 0) ? { mask, maskUrl: url } : { mask: null, maskUrl: "" };
}

async function orNull(promise) {
  try {
    return await promise;
  } catch (error) {
    return null; // said by whoever asked
  }
}

// While it builds the page Gradio 6.31 may write the opening value once more (seen 3 ms after the restored drawing was
// published). A picture that a designer asked for comes after a click, and not in the first moment.
function early() {
  const touched = navigator.userActivation ? navigator.userActivation.hasBeenActive : true;
  return !touched || performance.now() - mountedAt < 1500;
}

// Gradio set the value or the slot: one undoable step, the history before it stays.
async function receive() {
  if (mounted.aborted) return;
  incoming += 1;
  const number = incoming;
  if (props.slot && props.slot !== session.slot && (await enterSlot(props.slot))) return;
  const url = props.value || "";
  if (current().url === url) return;
  if (url === restoredOver && early()) {
    props.value = current().url;
    return;
  }
  const sketch = await orNull(loadSketch(url));
  if (number !== incoming || mounted.aborted) return;
  if (stroke) finish();
  if (sketch === null) {
    say(words.bad_sketch);
    props.value = current().url; // what is seen is what is sent
    return;
  }
  props.value = url; // again, for the case that a stroke was finished just now: the newer picture stands
  push({ ...current(), ...sketch });
  paint(current());
  publish(url ? words.loaded : words.cleared, true);
}
