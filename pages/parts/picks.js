// Picks: which photos of the wall are selected; a part of grid.js.
//
// Either some are, `ids`, or everything the list holds but `ids`; so a list of a million
// is selected without naming them. What is picked shows at once and is told to the
// program after a short rest. Each told selection bears the stamp of what the program
// said last; when it says something else (another list, all, none), that holds.

const REST_MS = 200;

function noPicks() {
  return { stamp: null, everything: false, ids: new Set(), anchor: null, timer: null };
}

function adopt(wall, selection) {
  if (!selection) return;
  wall.total = selection.total;
  if (wall.picks.stamp === selection.stamp) return;
  clearTimeout(wall.picks.timer);
  const isFirst = wall.picks.stamp === null;
  wall.picks = {
    ...noPicks(),
    stamp: selection.stamp,
    everything: selection.everything,
    ids: new Set(selection.ids),
  };
  paintAll(wall);
  if (!isFirst) say(wall);
}

function isPicked(wall, id) {
  return wall.picks.everything !== wall.picks.ids.has(id);
}

function pickedCount(wall) {
  const named = wall.picks.ids.size;
  return wall.picks.everything ? wall.total - named : named;
}

function put(wall, index, isWanted) {
  const id = wall.data.photos[index].id;
  if (isWanted === wall.picks.everything) wall.picks.ids.delete(id);
  else wall.picks.ids.add(id);
}

// -- what a person does ---------------------------------------------------------------

function toggle(wall, index) {
  put(wall, index, !isPicked(wall, wall.data.photos[index].id));
  wall.picks.anchor = index;
  changed(wall);
}

// The range from where selecting began to here, and nothing of the range before it.
function extendTo(wall, index) {
  const { picks } = wall;
  if (picks.anchor === null) picks.anchor = wall.current;
  if (picks.reached !== undefined) putRange(wall, picks.anchor, picks.reached, false);
  putRange(wall, picks.anchor, index, true);
  picks.reached = index;
  changed(wall, true);
}

function putRange(wall, one, other, isWanted) {
  for (let at = Math.min(one, other); at <= Math.max(one, other); at += 1) {
    put(wall, at, isWanted);
  }
}

function pickAll(wall) {
  wall.data.photos.forEach((_, index) => put(wall, index, true));
  changed(wall);
}

function pickNone(wall) {
  wall.picks.everything = false;
  wall.picks.ids = new Set();
  wall.picks.anchor = null;
  changed(wall);
}

// Whether a click was one that selects, and not one that opens.
function pickedByClick(wall, event, index) {
  if (!wall.data.selection) return false;
  const isToggle = event.ctrlKey || event.metaKey;
  if (!isToggle && !event.shiftKey) return false;
  if (event.shiftKey) extendTo(wall, index);
  else toggle(wall, index);
  moveTabStop(wall, index);
  return true;
}

function pickedByKey(wall, event) {
  if (!wall.data.selection) return false;
  const isCommand = event.ctrlKey || event.metaKey;
  if (event.key === " " && !isCommand) toggle(wall, wall.current);
  else if (isCommand && event.key.toLowerCase() === "a") pickAll(wall);
  else if (event.key === "Escape" && pickedCount(wall) > 0) pickNone(wall);
  else return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}

// -- what shows it --------------------------------------------------------------------

function checkOf(wall, photo, index) {
  const check = make("button", "check", "\u2713");
  check.type = "button";
  check.role = "checkbox";
  check.tabIndex = -1; // on the keyboard the space bar does it
  check.dataset.testid = "photo-check";
  check.setAttribute("aria-label", `Select ${photo.name}`);
  check.onclick = (event) => {
    if (event.shiftKey) extendTo(wall, index);
    else toggle(wall, index);
    focus(wall, index);
  };
  return check;
}

function paint(wall, item, id) {
  const picked = isPicked(wall, id);
  item.classList.toggle("picked", picked);
  item.setAttribute("aria-selected", picked);
  item.querySelector(".check").setAttribute("aria-checked", picked);
}

function paintAll(wall) {
  wall.root.classList.toggle("picking", pickedCount(wall) > 0);
  wall.root.querySelectorAll(".item").forEach((item) => {
    paint(wall, item, Number(item.querySelector(".photo").dataset.id));
  });
}

function say(wall) {
  const count = pickedCount(wall);
  const photos = count === 1 ? "photo" : "photos";
  wall.said.textContent = count
    ? `${count.toLocaleString("en")} ${photos} selected`
    : "No photo selected";
}

function changed(wall, isRange = false) {
  if (!isRange) delete wall.picks.reached;
  paintAll(wall);
  say(wall);
  clearTimeout(wall.picks.timer);
  wall.picks.timer = setTimeout(() => tellNow(wall), REST_MS);
}

// At once when the keyboard or mouse goes elsewhere: a button there means these photos.
function tellNow(wall) {
  const { picks } = wall;
  if (picks.timer === null) return;
  clearTimeout(picks.timer);
  picks.timer = null;
  wall.tell({ stamp: picks.stamp, everything: picks.everything, ids: [...picks.ids] });
}
