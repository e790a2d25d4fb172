// A tree of folders, each with its photos and those of all below. A level is asked for
// when it is opened; all opened ones again when the filters or the photos change. Names
// come from disks: textContent only. Keys are those of a tree: up and down, right opens,
// left closes or goes to the parent, Enter chooses.

const MOST_OPEN = 150;
const trees = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let tree = trees.get(parentElement);
  if (!tree) {
    tree = createTree(parentElement);
    trees.set(parentElement, tree);
  }
  tree.pick = (path) => setTriggerValue("picked", path);
  const asked = JSON.stringify([data.url, data.filters, data.version]);
  const isNew = asked !== tree.asked;
  const isOther = tree.data && tree.data.chosen !== data.chosen;
  tree.asked = asked;
  tree.data = data;
  if (isNew || isOther) openAbove(tree, data.chosen);
  if (isNew) ask(tree, ["", ...tree.open]);
  else if (isOther) ask(tree, missing(tree));
  return () => {
    tree.stop.abort();
    trees.delete(parentElement);
  };
}

function createTree(parentElement) {
  const root = parentElement.querySelector(".tree");
  const trouble = parentElement.querySelector(".trouble");
  const tree = { root, trouble, data: null, asked: "", levels: new Map(), open: new Set() };
  tree.current = "";
  tree.stop = new AbortController();
  root.onkeydown = (event) => onKey(tree, event);
  return tree;
}

// The folder that is chosen shall be seen, so all it lies in are opened.
function openAbove(tree, path) {
  for (let at = path.indexOf("/", 1); at >= 0; at = path.indexOf("/", at + 1)) {
    const above = path.slice(0, at + 1);
    if (above !== path) tree.open.add(above);
  }
  tree.open.delete("");
}

function missing(tree) {
  return ["", ...tree.open].filter((path) => !tree.levels.has(path));
}

async function ask(tree, places) {
  const query = new URLSearchParams();
  places.slice(0, MOST_OPEN).forEach((path) => query.append("below", path));
  Object.entries(tree.data.filters).forEach(([name, values]) => {
    values.forEach((value) => query.append(name, value));
  });
  const { asked } = tree;
  try {
    const answer = await fetch(`${tree.data.url}?${query}`, { signal: tree.stop.signal });
    const told = await answer.json();
    if (asked !== tree.asked) return; // the filters have changed meanwhile
    if (!answer.ok) throw new Error(told.detail);
    Object.entries(told.branches).forEach(([path, level]) => tree.levels.set(path, level));
    tree.trouble.textContent = "";
  } catch (error) {
    if (error.name === "AbortError") return;
    tree.trouble.textContent = "The folders could not be read. They are asked for again with the next change.";
    tree.asked = "";
  }
  draw(tree);
}

// -- drawing --------------------------------------------------------------------------

function* visible(tree, place = "", depth = 1) {
  const level = tree.levels.get(place) ?? [];
  for (const [index, branch] of level.entries()) {
    yield { branch, depth, place, index, count: level.length };
    if (isOpen(tree, branch)) yield* visible(tree, branch.path, depth + 1);
  }
}

function isOpen(tree, branch) {
  return branch.has_more && tree.open.has(branch.path);
}

function draw(tree) {
  const hadFocus = tree.root.contains(tree.root.getRootNode().activeElement);
  const shown = [...visible(tree)];
  if (!shown.some((one) => one.branch.path === tree.current)) {
    const chosen = shown.find((one) => one.branch.path === tree.data.chosen);
    tree.current = (chosen ?? shown[0])?.branch.path ?? "";
  }
  tree.root.replaceChildren(...shown.map((one) => itemOf(tree, one)));
  if (hadFocus) itemAt(tree, tree.current)?.focus();
}

function itemOf(tree, { branch, depth, place, index, count }) {
  const item = make("div", "item");
  const isChosen = branch.path === tree.data.chosen;
  item.role = "treeitem";
  item.dataset.testid = "folder";
  item.path = branch.path;
  item.parent = place;
  item.tabIndex = branch.path === tree.current ? 0 : -1;
  item.title = branch.path;
  item.style.setProperty("--depth", depth - 1);
  item.setAttribute("aria-level", depth);
  item.setAttribute("aria-posinset", index + 1);
  item.setAttribute("aria-setsize", count);
  item.setAttribute("aria-selected", isChosen);
  item.setAttribute("aria-label", `${branch.name}, ${numbered(branch.photos)}`);
  if (branch.has_more) item.setAttribute("aria-expanded", isOpen(tree, branch));
  const twist = make("span", "twist", branch.has_more ? "\u203a" : "");
  twist.onclick = (event) => {
    event.stopPropagation();
    toggle(tree, branch);
  };
  item.onclick = () => {
    moveTo(tree, branch.path);
    tree.pick(branch.path);
  };
  item.append(twist, make("span", "name", branch.name));
  item.append(make("span", "count", branch.photos.toLocaleString("en")));
  return item;
}

function numbered(photos) {
  return `${photos.toLocaleString("en")} ${photos === 1 ? "photo" : "photos"}`;
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function toggle(tree, branch) {
  if (!branch.has_more) return;
  if (tree.open.has(branch.path)) tree.open.delete(branch.path);
  else tree.open.add(branch.path);
  draw(tree);
  if (tree.open.has(branch.path) && !tree.levels.has(branch.path)) ask(tree, [branch.path]);
}

// -- keyboard -------------------------------------------------------------------------

function itemAt(tree, path) {
  return [...tree.root.children].find((item) => item.path === path);
}

function moveTo(tree, path) {
  const before = itemAt(tree, tree.current);
  if (before) before.tabIndex = -1;
  tree.current = path;
  const now = itemAt(tree, path);
  now.tabIndex = 0;
  now.focus();
}

function onKey(tree, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const items = [...tree.root.children];
  const at = items.findIndex((item) => item.path === tree.current);
  if (at < 0 || !act(tree, event.key, items, at)) return;
  event.preventDefault();
  event.stopPropagation();
}

function act(tree, key, items, at) {
  const item = items[at];
  const branch = tree.levels.get(item.parent).find((one) => one.path === item.path);
  const target = {
    ArrowDown: items[at + 1],
    ArrowUp: items[at - 1],
    Home: items[0],
    End: items.at(-1),
  };
  if (key in target) {
    if (target[key]) moveTo(tree, target[key].path);
  } else if (key === "ArrowRight") {
    if (branch.has_more && !tree.open.has(branch.path)) toggle(tree, branch);
    else if (items[at + 1]?.parent === branch.path) moveTo(tree, items[at + 1].path);
  } else if (key === "ArrowLeft") {
    if (isOpen(tree, branch)) toggle(tree, branch);
    else if (item.parent && itemAt(tree, item.parent)) moveTo(tree, item.parent);
  } else if (key === "Enter" || key === " ") {
    tree.pick(branch.path);
  } else {
    return false;
  }
  return true;
}
