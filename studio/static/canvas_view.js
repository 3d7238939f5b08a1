// The canvas, part 3: zoom and pan. The paper is moved by a CSS transform, so that strokes, which are placed by the
// canvas's box on the screen, land at their true place whatever the zoom.
const MAX_ZOOM = 8;
const stage = find(".fd-stage");
const paper = find(".fd-paper");
const ring = find(".fd-cursor");
const view = { scale: 1, x: 0, y: 0 };
const fingers = new Map(); // pointer id -> {x, y} on the screen
let pinch = null; // {distance, x, y}: where two fingers were last
let drag = null; // {id, x, y}: space or the middle button moves the paper
let spaceDown = false;

function applyView() {
  if (view.scale === 1) view.x = view.y = 0;
  paper.style.transform = view.scale === 1 ? "" : "translate(" + view.x + "px, " + view.y + "px) scale(" + view.scale + ")";
  find(".fd-zoom output").textContent = Math.round(view.scale * 100) + " %";
  button("zoom_out").setAttribute("aria-disabled", String(view.scale <= 1));
  button("zoom_in").setAttribute("aria-disabled", String(view.scale >= MAX_ZOOM));
  button("fit").setAttribute("aria-disabled", String(view.scale === 1));
  root.dataset.zoomed = view.scale > 1 ? "yes" : "no";
  ring.style.display = "none";
}

// What is under (clientX, clientY) stays there.
function zoomTo(scale, clientX, clientY) {
  const next = Math.min(MAX_ZOOM, Math.max(1, scale));
  const box = paper.getBoundingClientRect();
  view.x += (clientX - box.left) * (1 - next / view.scale);
  view.y += (clientY - box.top) * (1 - next / view.scale);
  view.scale = next;
  applyView();
  keepInSight();
}

function zoomBy(factor) {
  const box = stage.getBoundingClientRect();
  zoomTo(view.scale * factor, box.left + box.width / 2, box.top + box.height / 2);
}

function moveBy(x, y) {
  if (view.scale === 1) return;
  view.x += x;
  view.y += y;
  applyView();
  keepInSight();
}

// The paper cannot be lost: its edges stop at the stage's.
function keepInSight() {
  if (view.scale === 1) return;
  const [box, frame] = [paper.getBoundingClientRect(), stage.getBoundingClientRect()];
  const correction = (low, high, frameLow, frameHigh) => {
    if (high - low <= frameHigh - frameLow) return (frameLow + frameHigh - low - high) / 2; // fits: centred
    if (low > frameLow) return frameLow - low;
    return high < frameHigh ? frameHigh - high : 0;
  };
  view.x += correction(box.left, box.right, frame.left, frame.right);
  view.y += correction(box.top, box.bottom, frame.top, frame.bottom);
  applyView();
}

function fit() {
  view.scale = 1;
  applyView();
}

function wheel(event) {
  const zooms = event.ctrlKey || event.metaKey || document.activeElement === canvas; // else the page scrolls
  const atEnd = event.deltaY > 0 ? view.scale <= 1 : view.scale >= MAX_ZOOM;
  if (!zooms || (atEnd && !event.ctrlKey)) return;
  event.preventDefault(); // a pinch on a trackpad comes as wheel with Ctrl: the browser would zoom the page
  const lines = event.deltaMode === 1 ? 16 : 1;
  if (!stroke) zoomTo(view.scale * Math.exp(-event.deltaY * lines * 0.002), event.clientX, event.clientY);
}

// ---- two fingers, space and the middle button

function fingerSpan() {
  const [one, other] = [...fingers.values()];
  return {
    distance: Math.max(1, Math.hypot(one.x - other.x, one.y - other.y)),
    x: (one.x + other.x) / 2,
    y: (one.y + other.y) / 2,
  };
}

// True if the pointer moves the paper rather than draws.
function startView(event) {
  if (event.pointerType === "touch") {
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (fingers.size >= 2) {
      if (stroke) abandon(); // a second finger: no drawing
      pinch = fingers.size === 2 ? fingerSpan() : null;
      return true;
    }
  }
  if (event.button === 1 || (spaceDown && event.button === 0)) {
    drag = { id: event.pointerId, x: event.clientX, y: event.clientY };
    root.dataset.panning = "drag";
    event.preventDefault();
    return true;
  }
  return pinch !== null;
}

function moveView(event) {
  if (fingers.has(event.pointerId)) fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  if (pinch && fingers.size === 2) {
    const now = fingerSpan();
    zoomTo((view.scale * now.distance) / pinch.distance, now.x, now.y);
    moveBy(now.x - pinch.x, now.y - pinch.y);
    pinch = now;
    return true;
  }
  if (drag && event.pointerId === drag.id) {
    moveBy(event.clientX - drag.x, event.clientY - drag.y);
    Object.assign(drag, { x: event.clientX, y: event.clientY });
    return true;
  }
  return false;
}

function endView(event) {
  fingers.delete(event.pointerId);
  if (fingers.size === 0) pinch = null; // the finger that is left of two does not draw
  if (drag && event.pointerId === drag.id) {
    drag = null;
    root.dataset.panning = spaceDown ? "ready" : "no";
  }
}

function holdSpace(down) {
  spaceDown = down;
  if (!drag) root.dataset.panning = down ? "ready" : "no";
}

function showRing(event) {
  const [box, frame] = [canvas.getBoundingClientRect(), stage.getBoundingClientRect()];
  const inside =
    event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
  const size = (widthNow() * box.width) / WIDTH;
  const free = session.tool === "brush" || session.tool === "eraser";
  const drawn = (event.target === canvas || stroke !== null) && free && root.dataset.panning !== "ready" && !drag;
  const shown = drawn && inside && event.pointerType !== "touch" && size >= 5;
  root.dataset.cursor = shown ? "ring" : "cross"; // a ring under 5 pixels says less than the cross
  ring.style.display = shown ? "block" : "none";
  if (!shown) return;
  ring.style.width = ring.style.height = size + "px";
  const x = event.clientX - frame.left - size / 2;
  const y = event.clientY - frame.top - size / 2;
  ring.style.transform = "translate(" + x + "px, " + y + "px)";
}
