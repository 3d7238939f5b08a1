// The canvas, part 4: strokes and shapes, on the sketch or on the repaint area.
//
// stroke: {tool, id, mouse, erases, size, from, to, ...}. Free ones (brush, eraser) have `pieces`, `last`, `middle` and
// `hand`, the end of the string that steadies them; a curve has `bend` once its chord is drawn.
const SHAPES = ["line", "curve", "box", "oval"];
const onMask = () => session.layer === "mask";
const ownSize = () => (session.tool === "eraser" ? "eraser" : "brush");
const widthNow = () => session.sizes[session.layer][ownSize()];

function position(event) {
  const box = canvas.getBoundingClientRect();
  return {
    x: ((event.clientX - box.left) * WIDTH) / box.width,
    y: ((event.clientY - box.top) * HEIGHT) / box.height,
    pressure: event.pointerType === "pen" && event.pressure > 0 ? event.pressure : 0.5,
  };
}

// Draws on the layer once, and mirrored as well while Mirror is on; `path` gets a function that flips x.
function draw(width, path) {
  const target = onMask() ? maskContext : context;
  target.globalCompositeOperation = onMask() && stroke.erases ? "destination-out" : "source-over";
  target.strokeStyle = target.fillStyle = onMask() ? MASK_COLOUR : stroke.erases ? "#fff" : "#000";
  target.lineCap = target.lineJoin = "round";
  target.lineWidth = width;
  for (const flip of session.mirror ? [false, true] : [false]) {
    target.beginPath();
    path(target, (x) => (flip ? WIDTH - x : x));
    target.stroke();
    if (onMask() && (stroke.tool === "box" || stroke.tool === "oval")) target.fill(); // an area, not its rim
  }
  target.globalCompositeOperation = "source-over";
}

function repaintLayer() {
  if (onMask()) paintMask(current().mask);
  else paintSketch(current().grey);
}

// ---- free strokes

// Pieces of a stroke, each from `from` to `to`, bent by `bend`. Pieces of one width are one path: drawn one by one,
// their soft edges would add up to beads.
function ink(pieces) {
  for (let first = 0, last = 0; first < pieces.length; first = last) {
    while (last < pieces.length && pieces[last].width === pieces[first].width) last += 1;
    const run = pieces.slice(first, last);
    draw(run[0].width, (target, flip) => {
      target.moveTo(flip(run[0].from.x), run[0].from.y);
      for (const { bend, to } of run) target.quadraticCurveTo(flip(bend.x), bend.y, flip(to.x), to.y);
    });
  }
}

function segment(from, bend, to, width) {
  const piece = { from, bend, to, width: Math.max(1, Math.round(width * 2) / 2) };
  stroke.pieces.push(piece);
  ink([piece]); // at once, so that the line follows the pen; `finish` draws the whole stroke cleanly
}

// Half the width at no pressure, one and a half at full; mouse and finger report 0.5 and draw the width itself.
const widthAt = (pressure) => stroke.size * (0.5 + pressure);

// The stroke hangs on the pen by a string: a tremor shorter than it moves nothing, at any rate of pointer events.
function steadied(point) {
  const box = canvas.getBoundingClientRect();
  const string = (session.steady * 1.5 * WIDTH) / box.width; // pixels of the screen -> of the paper
  const [x, y] = [point.x - stroke.hand.x, point.y - stroke.hand.y];
  const distance = Math.hypot(x, y);
  if (distance <= string) return null;
  const pull = (distance - string) / distance;
  stroke.hand = { x: stroke.hand.x + x * pull, y: stroke.hand.y + y * pull };
  return { ...stroke.hand, pressure: point.pressure };
}

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

// ---- shapes

// With Shift: a line in steps of 15 degrees, a square, a circle.
function regular(from, to, tool) {
  const [x, y] = [to.x - from.x, to.y - from.y];
  if (tool === "box" || tool === "oval") {
    const side = Math.max(Math.abs(x), Math.abs(y));
    return { x: from.x + side * (x < 0 ? -1 : 1), y: from.y + side * (y < 0 ? -1 : 1) };
  }
  const angle = (Math.round((Math.atan2(y, x) * 12) / Math.PI) * Math.PI) / 12;
  const along = x * Math.cos(angle) + y * Math.sin(angle);
  return { x: from.x + along * Math.cos(angle), y: from.y + along * Math.sin(angle) };
}

function shape() {
  const { from, to, bend, tool } = stroke;
  repaintLayer();
  draw(stroke.size, (target, flip) => {
    if (tool === "box") {
      target.moveTo(flip(from.x), from.y);
      for (const [x, y] of [[to.x, from.y], [to.x, to.y], [from.x, to.y]]) target.lineTo(flip(x), y);
      target.closePath();
    } else if (tool === "oval") {
      const [x, y] = [(from.x + to.x) / 2, (from.y + to.y) / 2];
      target.ellipse(flip(x), y, Math.abs(to.x - from.x) / 2, Math.abs(to.y - from.y) / 2, 0, 0, 2 * Math.PI);
    } else {
      target.moveTo(flip(from.x), from.y);
      // the curve passes through where it is pulled: twice the pull less the chord's middle is its control point
      const pulled = bend || { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
      const control = { x: 2 * pulled.x - (from.x + to.x) / 2, y: 2 * pulled.y - (from.y + to.y) / 2 };
      target.quadraticCurveTo(flip(control.x), control.y, flip(to.x + 0.01), to.y);
    }
  });
}

// ---- the pointer

function start(event) {
  if (startView(event)) return;
  if (stroke && stroke.bends) return pull(event);
  if (stroke || !session.opened || !event.isPrimary || (event.button !== 0 && event.button !== 5)) return;
  event.preventDefault();
  root.dataset.pointer = "yes"; // the focus ring is for the keyboard; a finger's focus() would show it
  canvas.focus({ preventScroll: true });
  const point = position(event);
  const erases = session.tool === "eraser" || event.button === 5; // 5: the eraser end of a pen
  const tool = event.button === 5 ? "eraser" : session.tool;
  const size = session.sizes[session.layer][erases ? "eraser" : "brush"];
  stroke = { id: event.pointerId, mouse: event.pointerType === "mouse", tool, erases, size, from: point, to: point };
  root.dataset.drawing = "yes";
  if (SHAPES.includes(tool)) return shape();
  Object.assign(stroke, { last: point, middle: point, hand: point, pieces: [], pen: point });
  segment(point, point, { x: point.x + 0.01, y: point.y }, widthAt(point.pressure));
}

function move(event) {
  if (moveView(event)) return;
  showRing(event);
  if (stroke && stroke.bends) {
    if (event.pointerId === stroke.id || stroke.mouse) pull(event);
    return;
  }
  if (!stroke || event.pointerId !== stroke.id) return;
  if (stroke.mouse && event.buttons === 0) return release(event); // released outside the window
  if (!stroke.pieces) {
    const point = position(event);
    stroke.to = event.shiftKey ? regular(stroke.from, point, stroke.tool) : point;
    return shape();
  }
  const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  for (const each of events.length ? events : [event]) {
    stroke.pen = position(each);
    const point = steadied(stroke.pen);
    if (point) extend(point);
  }
}

// A curve whose chord is drawn follows the pointer until it is released once more.
function pull(event) {
  if (event.type === "pointerdown") {
    event.preventDefault();
    Object.assign(stroke, { id: event.pointerId, pulled: true });
  }
  stroke.bend = position(event);
  shape();
}

function release(event) {
  const long = Math.hypot(stroke.to.x - stroke.from.x, stroke.to.y - stroke.from.y) > 3;
  if (stroke.tool === "curve" && event.type === "pointerup" && long && !stroke.pulled) {
    stroke.bends = true;
    return say(words.curve_bend);
  }
  finish();
}

function finish() {
  if (stroke.pieces) {
    if (session.steady && stroke.pieces.length > 1) extend(stroke.pen); // the end of the string: the line ends where the pen did
    segment(stroke.middle, stroke.middle, stroke.last, widthAt(stroke.last.pressure));
    repaintLayer();
    ink(stroke.pieces);
  } else shape();
  stroke = null;
  root.dataset.drawing = "no";
  commit("");
}

function abandon() {
  repaintLayer();
  stroke = null;
  root.dataset.drawing = "no";
}
