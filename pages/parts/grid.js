// A justified wall of photographs: whole pictures in rows of equal width, nothing cropped
// but extreme panoramas. Rows are laid out at once, but filled only near the window, so a
// page of hundreds costs what is in view. Every word comes from photo files: textContent only.
// Where photos can be selected it is a grid to screen readers, else a list; see picks.js.

const GAP_PX = 6;
const walls = new WeakMap();

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  let wall = walls.get(parentElement);
  if (!wall) {
    wall = createWall(parentElement);
    walls.set(parentElement, wall);
  }
  wall.open = (id) => setTriggerValue("opened", id);
  wall.tell = (selection) => setStateValue("selection", selection);
  const known = JSON.stringify([data.photos, data.page, data.label, data.row_px]);
  if (known !== wall.known) {
    const turned = wall.data && wall.data.page !== data.page;
    wall.known = known;
    wall.data = data;
    describe(wall.root, data);
    wall.current = Math.min(wall.current, Math.max(0, data.photos.length - 1));
    if (turned) wall.current = 0;
    wall.picks.anchor = null;
    layOut(wall, true);
    if (turned && wall.root.getBoundingClientRect().top < 0) {
      wall.root.scrollIntoView({ block: "start" });
    }
  }
  adopt(wall, data.selection);
  if (wall.left !== undefined && wall.left !== data.left) comeBack(wall, data.left);
  wall.left = data.left;
  return () => {
    wall.resize.disconnect();
    wall.near.disconnect();
    clearTimeout(wall.picks.timer);
    walls.delete(parentElement);
  };
}

function describe(root, data) {
  root.setAttribute("aria-label", data.label);
  root.role = data.selection ? "grid" : "list";
  if (!data.selection) return;
  root.setAttribute("aria-multiselectable", "true");
  root.classList.add("selectable");
}

function createWall(parentElement) {
  const root = parentElement.querySelector(".wall");
  const wall = { root, data: null, known: "", rows: [], current: 0, width: 0, open: null };
  wall.picks = noPicks();
  wall.said = parentElement.querySelector(".said");
  wall.near = new IntersectionObserver(
    (entries) => entries.forEach((entry) => show(wall, entry)),
    // The page scrolls inside an element, to which only the second margin applies.
    { rootMargin: "600px 0px", scrollMargin: "600px 0px" },
  );
  wall.resize = new ResizeObserver(() => layOut(wall, false));
  wall.resize.observe(root);
  root.onkeydown = (event) => onKey(wall, event);
  root.onkeyup = (event) => {
    if (event.key === " ") event.preventDefault();
  };
  root.addEventListener("focusout", (event) => {
    if (!root.contains(event.relatedTarget)) tellNow(wall);
  });
  return wall;
}

// -- layout ---------------------------------------------------------------------------

function layOut(wall, changed) {
  const width = Math.floor(wall.root.clientWidth);
  if (!wall.data || !width || (!changed && width === wall.width)) return;
  const hadFocus = wall.root.contains(focused(wall));
  wall.width = width;
  wall.near.disconnect();
  wall.rows = rowsOf(wall.data.photos, width, rowHeight(wall.data, width));
  wall.root.replaceChildren(...wall.rows.map((row) => row.element));
  if (wall.data.selection) wall.root.setAttribute("aria-rowcount", wall.rows.length);
  wall.rows.forEach((row) => wall.near.observe(row.element));
  if (hadFocus) focus(wall, wall.current);
}

function rowHeight(data, width) {
  return width < 560 ? Math.round(data.row_px * 0.67) : data.row_px;
}

function ratioOf(photo) {
  if (!photo.width_px || !photo.height_px) return 1.25;
  return Math.min(3.4, Math.max(0.45, photo.width_px / photo.height_px));
}

function rowsOf(photos, width, target) {
  const rows = [];
  let first = 0;
  let ratios = 0;
  photos.forEach((photo, index) => {
    ratios += ratioOf(photo);
    const free = width - GAP_PX * (index - first);
    const last = index === photos.length - 1;
    if (free / ratios > target && !last) return;
    const height = last ? Math.min(free / ratios, target) : free / ratios;
    rows.push(rowOf(photos.slice(first, index + 1), first, Math.floor(height)));
    first = index + 1;
    ratios = 0;
  });
  return rows;
}

function rowOf(photos, first, height) {
  const element = document.createElement("div");
  element.className = "row";
  element.role = "presentation";
  element.style.height = `${height}px`;
  const row = { element, photos, first, height, filled: false };
  element.row = row;
  return row;
}

// -- what is in view ------------------------------------------------------------------

function show(wall, entry) {
  const row = entry.target.row;
  if (entry.isIntersecting) fill(wall, row);
  else if (row.filled && !row.element.contains(focused(wall))) empty(row);
}

function fill(wall, row) {
  if (row.filled) return;
  row.filled = true;
  if (wall.data.selection) beRow(wall, row);
  row.element.replaceChildren(
    ...row.photos.map((photo, offset) => tile(wall, photo, row.first + offset, row.height)),
  );
}

// An empty one is none to a screen reader.
function beRow(wall, row) {
  row.element.role = "row";
  row.element.setAttribute("aria-rowindex", wall.rows.indexOf(row) + 1);
}

function empty(row) {
  row.filled = false;
  row.element.role = "presentation";
  row.element.removeAttribute("aria-rowindex");
  row.element.replaceChildren();
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function tile(wall, photo, index, height) {
  const item = make("div", "item");
  if (wall.data.selection) {
    item.role = "gridcell";
  } else {
    item.role = "listitem";
    item.setAttribute("aria-posinset", index + 1);
    item.setAttribute("aria-setsize", wall.data.photos.length);
  }
  item.style.flexGrow = ratioOf(photo);
  item.style.flexBasis = "0";
  item.style.maxWidth = `${Math.ceil(ratioOf(photo) * height * 1.04)}px`;
  const button = make("button", "photo");
  button.type = "button";
  button.dataset.testid = "photo";
  button.dataset.id = photo.id;
  button.dataset.index = index;
  button.tabIndex = index === wall.current ? 0 : -1;
  button.setAttribute("aria-label", [photo.name, photo.mark, photo.edited && "Edited by a person", photo.caption].filter(Boolean).join(". "));
  button.onclick = (event) => {
    if (pickedByClick(wall, event, index)) return;
    wall.current = index;
    tellNow(wall); // told later, the selection would take the open photo out of the address
    wall.open(photo.id);
  };
  button.onfocus = () => moveTabStop(wall, index);
  button.append(picture(photo, button), captionOf(photo));
  if (photo.mark) button.append(markOf(photo));
  if (photo.edited) button.append(editedMark());
  item.append(button);
  if (wall.data.selection) {
    item.append(checkOf(wall, photo, index));
    paint(wall, item, photo.id);
  }
  return item;
}

function picture(photo, button) {
  if (!photo.src) return withoutPicture(photo);
  const image = make("img", "picture");
  image.alt = "";
  image.decoding = "async";
  image.src = photo.src;
  image.onload = () => image.classList.add("there");
  image.onerror = () => button.replaceChild(withoutPicture(photo), image);
  if (image.complete && image.naturalWidth) image.classList.add("there");
  return image;
}

function withoutPicture(photo) {
  return make("span", "nopicture", photo.name);
}

function captionOf(photo) {
  const caption = make("span", "caption");
  caption.append(make("span", "name", photo.name));
  if (photo.caption) caption.append(make("span", "words", photo.caption));
  return caption;
}

function markOf(photo) {
  const mark = make("span", `mark ${photo.tone}`, photo.mark);
  mark.dataset.testid = "photo-mark";
  return mark;
}

function editedMark() {
  const mark = make("span", "edited", "\u270e");
  mark.title = "Edited by a person";
  mark.dataset.testid = "photo-edited";
  return mark;
}

// -- keyboard -------------------------------------------------------------------------

function focused(wall) {
  return wall.root.getRootNode().activeElement;
}

function moveTabStop(wall, index) {
  const before = wall.root.querySelector(`[data-index="${wall.current}"]`);
  if (before) before.tabIndex = -1;
  wall.current = index;
  const now = wall.root.querySelector(`[data-index="${index}"]`);
  if (now) now.tabIndex = 0;
}

function onKey(wall, event) {
  if (event.altKey || pickedByKey(wall, event)) return;
  if (event.ctrlKey || event.metaKey) return;
  if (event.key === "Escape") {
    focused(wall)?.blur();
    return;
  }
  const target = targetOf(wall, event.key);
  if (target === null) return;
  event.preventDefault();
  event.stopPropagation();
  const index = Math.min(Math.max(target, 0), wall.data.photos.length - 1);
  if (event.shiftKey && wall.data.selection) extendTo(wall, index);
  focus(wall, index);
}

function targetOf(wall, key) {
  if (key === "ArrowRight") return wall.current + 1;
  if (key === "ArrowLeft") return wall.current - 1;
  if (key === "ArrowDown") return beside(wall, 1);
  if (key === "ArrowUp") return beside(wall, -1);
  if (key === "Home") return 0;
  if (key === "End") return wall.data.photos.length - 1;
  return null;
}

// The photo of the next row that stands nearest below or above the present one.
function beside(wall, step) {
  const at = rowIndexOf(wall, wall.current);
  const row = wall.rows[at + step];
  if (!row) return wall.current;
  fill(wall, row);
  const middle = centre(wall.root.querySelector(`[data-index="${wall.current}"]`));
  let best = row.first;
  row.element.querySelectorAll(".photo").forEach((button) => {
    const held = row.element.querySelector(`[data-index="${best}"]`);
    if (Math.abs(centre(button) - middle) < Math.abs(centre(held) - middle)) {
      best = Number(button.dataset.index);
    }
  });
  return best;
}

function centre(element) {
  if (!element) return 0;
  const box = element.getBoundingClientRect();
  return box.left + box.width / 2;
}

function rowIndexOf(wall, index) {
  return wall.rows.findIndex((row) => index < row.first + row.photos.length);
}

// The photo was shown in a dialog, perhaps after stepping to it: go on from there.
function comeBack(wall, left) {
  const id = Number(String(left).split(".")[0]);
  const index = wall.data.photos.findIndex((photo) => photo.id === id);
  if (index >= 0) setTimeout(() => focus(wall, index), 60);
}

function focus(wall, index) {
  if (!wall.rows.length) return;
  fill(wall, wall.rows[rowIndexOf(wall, index)]);
  const button = wall.root.querySelector(`[data-index="${index}"]`);
  button.focus({ preventScroll: true });
  button.scrollIntoView({ block: "nearest" });
}
