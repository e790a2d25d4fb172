// A justified wall of photographs: whole pictures in rows of equal width, nothing cropped
// but extreme panoramas. Rows are laid out at once, but filled only near the window, so a
// page of hundreds costs what is in view. Every word comes from photo files: textContent only.

const GAP_PX = 6;
const walls = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let wall = walls.get(parentElement);
  if (!wall) {
    wall = createWall(parentElement);
    walls.set(parentElement, wall);
  }
  wall.open = (id) => setTriggerValue("opened", id);
  const known = JSON.stringify([data.photos, data.page, data.label, data.row_px]);
  if (known !== wall.known) {
    const turned = wall.data && wall.data.page !== data.page;
    wall.known = known;
    wall.data = data;
    wall.root.setAttribute("aria-label", data.label);
    wall.current = Math.min(wall.current, Math.max(0, data.photos.length - 1));
    if (turned) wall.current = 0;
    layOut(wall, true);
    if (turned && wall.root.getBoundingClientRect().top < 0) {
      wall.root.scrollIntoView({ block: "start" });
    }
  }
  if (wall.left !== undefined && wall.left !== data.left) comeBack(wall, data.left);
  wall.left = data.left;
  return () => {
    wall.resize.disconnect();
    wall.near.disconnect();
    walls.delete(parentElement);
  };
}

function createWall(parentElement) {
  const root = parentElement.querySelector(".wall");
  const wall = { root, data: null, known: "", rows: [], current: 0, width: 0, open: null };
  wall.near = new IntersectionObserver(
    (entries) => entries.forEach((entry) => show(wall, entry)),
    { rootMargin: "600px 0px" },
  );
  wall.resize = new ResizeObserver(() => layOut(wall, false));
  wall.resize.observe(root);
  root.onkeydown = (event) => onKey(wall, event);
  return wall;
}

// -- layout ---------------------------------------------------------------------------

function layOut(wall, changed) {
  const width = Math.floor(wall.root.clientWidth);
  if (!wall.data || !width || (!changed && width === wall.width)) return;
  wall.width = width;
  wall.near.disconnect();
  wall.rows = rowsOf(wall.data.photos, width, rowHeight(wall.data, width));
  wall.root.replaceChildren(...wall.rows.map((row) => row.element));
  wall.rows.forEach((row) => wall.near.observe(row.element));
}

function rowHeight(data, width) {
  return width < 560 ? Math.min(data.row_px, 132) : data.row_px;
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
  row.element.replaceChildren(
    ...row.photos.map((photo, offset) => tile(wall, photo, row.first + offset, row.height)),
  );
}

function empty(row) {
  row.filled = false;
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
  item.role = "listitem";
  item.setAttribute("aria-posinset", index + 1);
  item.setAttribute("aria-setsize", wall.data.photos.length);
  item.style.flexGrow = ratioOf(photo);
  item.style.flexBasis = "0";
  item.style.maxWidth = `${Math.ceil(ratioOf(photo) * height * 1.04)}px`;
  const button = make("button", "photo");
  button.type = "button";
  button.dataset.testid = "photo";
  button.dataset.id = photo.id;
  button.dataset.index = index;
  button.tabIndex = index === wall.current ? 0 : -1;
  button.setAttribute("aria-label", [photo.name, photo.mark, photo.caption].filter(Boolean).join(". "));
  button.onclick = () => {
    wall.current = index;
    wall.open(photo.id);
  };
  button.onfocus = () => moveTabStop(wall, index);
  button.append(picture(photo, button), captionOf(photo));
  if (photo.mark) button.append(markOf(photo));
  item.append(button);
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
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    focused(wall)?.blur();
    return;
  }
  const target = targetOf(wall, event.key);
  if (target === null) return;
  event.preventDefault();
  event.stopPropagation();
  focus(wall, Math.min(Math.max(target, 0), wall.data.photos.length - 1));
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
  fill(wall, wall.rows[rowIndexOf(wall, index)]);
  const button = wall.root.querySelector(`[data-index="${index}"]`);
  button.focus({ preventScroll: true });
  button.scrollIntoView({ block: "nearest" });
}
