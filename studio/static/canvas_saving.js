// The canvas, part 2: what is kept in this browser, the outlets, and the picture under the paper.
//
// Autosave: one record a category and tab, {sketch, mask, under, at}, under "KEY:slot:tab". The tab's name is kept in
// sessionStorage, so it survives a reload; a tab without a record of its own opens a copy of the newest one. A tab
// that was duplicated has the other's name: the first of the two to hear the other save takes a new one.
const MAX_RECORDS = 6; // a category; tabs that were closed long ago leave theirs behind

function tabName(renew) {
  try {
    const stored = window.sessionStorage.getItem(KEY + ":tab");
    const name = !renew && stored ? stored : Math.random().toString(36).slice(2, 10);
    if (name !== stored) window.sessionStorage.setItem(KEY + ":tab", name);
    session.tab = name;
  } catch (error) {
    session.tab = session.tab || "tab"; // sessionStorage is blocked, and localStorage with it: nothing is saved
  }
}

const ownKey = () => KEY + ":" + session.slot + ":" + session.tab;

function readRecord(key) {
  try {
    const record = JSON.parse(window.localStorage.getItem(key) || "null");
    return record && typeof record === "object" && typeof record.sketch === "string" ? record : null;
  } catch (error) {
    return null; // damaged by hand, or blocked
  }
}

// Keys of other tabs' records, newest first; of one category if `slot` is given.
function otherKeys(slot) {
  try {
    const opening = KEY + ":" + (slot === undefined ? "" : slot + ":");
    const keys = Object.keys(window.localStorage).filter((key) => key.startsWith(opening) && key !== ownKey());
    const age = new Map(keys.map((key) => [key, (readRecord(key) || { at: 0 }).at]));
    return keys.sort((one, other) => age.get(other) - age.get(one));
  } catch (error) {
    return [];
  }
}

// Returns the word for how it went: "saved", "made_room" or "not_saved".
function save(step) {
  const record = JSON.stringify({ sketch: step.url, mask: step.maskUrl, under: step.under, at: Date.now() });
  let madeRoom = false;
  for (;;) {
    try {
      window.localStorage.setItem(ownKey(), record);
      if (session.tidied !== ownKey()) {
        for (const key of otherKeys(session.slot).slice(MAX_RECORDS - 1)) window.localStorage.removeItem(key);
        session.tidied = ownKey(); // once a category: reading all records takes longer than writing one
      }
      return madeRoom ? "made_room" : "saved";
    } catch (error) {
      // full, a private window, or blocked storage in an iframe
      const oldest = otherKeys().filter((key) => !key.endsWith(":" + session.tab)).pop();
      if (oldest === undefined) return "not_saved";
      try {
        window.localStorage.removeItem(oldest);
      } catch (blocked) {
        return "not_saved";
      }
      madeRoom = true;
    }
  }
}

// What was saved of a category: {step, own} or null. A tab's own record counts even if all was cleared.
async function restore() {
  const own = readRecord(ownKey());
  const record = own || otherKeys(session.slot).map(readRecord).find((one) => one && one.sketch);
  if (!record || !(record.sketch || record.mask || record.under)) return null;
  const sketch = await orNull(loadSketch(record.sketch));
  const mask = await orNull(loadMask(typeof record.mask === "string" ? record.mask : ""));
  if (sketch === null || mask === null) return null;
  const under = record.under && typeof record.under.url === "string" ? record.under : null;
  const known = under && (await orNull(loadFitted(under.url, GROUND)));
  const kept = known ? { url: under.url, base: under.base === true, name: String(under.name) } : null;
  return { step: { ...sketch, ...mask, under: kept }, own: own !== null };
}

// The category changed. True if a drawing of it was there, which then wins over the template that Python sends.
async function enterSlot(slot) {
  if (stroke) finish();
  session.slot = slot;
  const found = await restore();
  if (mounted.aborted || session.slot !== slot) return true;
  if (!found) return false;
  const { url, maskUrl, under } = found.step;
  if (url === (props.value || "") && maskUrl === "" && under === null) return false; // the template itself was kept
  push(found.step);
  paint(current());
  publish(found.own ? words.slot_back : words.from_other_tab, false);
  return true;
}

listen(window, "storage", (event) => {
  if (event.key !== ownKey() || event.newValue === null || !session.opened) return;
  tabName(true);
  save(current());
  say(words.other_tab);
});

// ---- outlets: hidden components whose values go to Python beside the sketch

function setOutlet(name, value) {
  session.out = { ...session.out, [name]: value }; // for an outlet that is mounted later
  const outlet = session.outlets[name];
  if (outlet && (outlet.value || "") !== value) outlet.value = value;
}

// Python wrote to an outlet: one undoable step.
session.receiveOutlet = async (name, value) => {
  await opening;
  if (name === "mask" && value !== current().maskUrl) {
    const mask = await orNull(loadMask(value));
    if (mask === null) {
      say(words.bad_mask);
      setOutlet("mask", current().maskUrl);
      return;
    }
    push({ ...current(), ...mask });
    paint(current());
    publish(words.loaded, true);
  }
  const under = current().under;
  if (name === "base" && value !== (under && under.base ? under.url : "")) {
    if (value) await placeUnder(value, { base: true, name: words.under });
    else if (under) setUnder({ ...under, base: false }, "");
  }
};

// ---- the picture under the paper

function setUnder(under, message) {
  push({ ...current(), under });
  publish(message, true);
}

// A picture of the paper's size stays as it is, to the last bit; others are fitted onto the model's ground.
async function placeUnder(url, { base, name }) {
  const sheet = await orNull(loadFitted(url, GROUND));
  if (sheet === null) return say(words.bad_photo);
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  const exact = picture.naturalWidth === WIDTH && picture.naturalHeight === HEIGHT && url.startsWith("data:image/png");
  if (stroke) finish();
  if (base) Object.assign(session, { layer: "mask", tool: "brush" });
  setUnder({ url: exact ? url : sheet.canvas.toDataURL("image/png"), base, name }, words.placed);
}

async function placeFile(file) {
  if (!file) return;
  const bitmap = await orNull(createImageBitmap(file)); // upright, as the camera says
  if (bitmap === null) return say(words.bad_photo);
  const sheet = fitted(bitmap, bitmap.width, bitmap.height, GROUND);
  bitmap.close();
  await placeUnder(sheet.canvas.toDataURL("image/png"), { base: false, name: file.name });
}

// The picture of a design's card: its PNG if the card has one, for the JPEG shown is not exact.
async function placeCard(card) {
  const shown = card.querySelector(".fd-picture img");
  const link = card.querySelector("a.fd-save");
  const source = link && link.href.startsWith("data:image/png") ? link.href : shown && shown.src;
  if (!source) return;
  const url = source.startsWith("data:") ? source : await orNull(urlOf(source));
  const badge = card.querySelector(".fd-badge");
  if (url === null) return say(words.bad_photo);
  await placeUnder(url, { base: true, name: badge ? badge.textContent : words.under });
  canvas.scrollIntoView({ block: "nearest" });
  canvas.focus({ preventScroll: true });
}

async function urlOf(address) {
  const blob = await (await fetch(address)).blob();
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

// ---- live: the latest drawing a moment after the pen has lifted, never while it is down

let liveTimer = 0;
function scheduleLive() {
  window.clearTimeout(liveTimer);
  if (!session.live || !session.opened) return;
  liveTimer = window.setTimeout(() => {
    if (!stroke && session.live && current().url !== "" && !mounted.aborted) trigger("live");
  }, LIVE_WAIT);
}
