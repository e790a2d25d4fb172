// The search box: tells the page what is typed after a short rest, and offers what could
// stand at the caret. Options hold tags and file names of strangers: textContent only.

const REST_MS = 250; // between the last key and the search
const OFFER_MS = 80; // between the last key and the question for options
const boxes = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let box = boxes.get(parentElement);
  if (!box) {
    box = createBox(parentElement);
    boxes.set(parentElement, box);
    box.line.value = data.query;
    box.sent.add(data.query);
  }
  box.url = data.url;
  box.tell = (query) => setTriggerValue("typed", query);
  box.line.placeholder = data.placeholder;
  box.line.setAttribute("aria-label", data.label);
  comeIn(box, data.query);
  return () => {
    clearTimeout(box.rest);
    clearTimeout(box.offer);
    boxes.delete(parentElement);
  };
}

function createBox(parentElement) {
  const root = parentElement.querySelector(".searchbox");
  const box = {
    root,
    line: root.querySelector(".line"),
    list: root.querySelector(".options"),
    sent: new Set(),
    last: null,
    options: [],
    chosen: -1,
    range: [0, 0],
    rest: 0,
    offer: 0,
    asked: 0,
  };
  box.line.oninput = () => typed(box);
  box.line.onkeydown = (event) => onKey(box, event);
  box.line.onclick = () => offerSoon(box);
  box.line.onblur = () => close(box);
  return box;
}

// The page answers what was typed a while ago; only what it says of its own is taken.
function comeIn(box, query) {
  if (query === box.last) box.sent.clear();
  if (box.sent.has(query) || query === box.last || query === box.line.value.trim()) return;
  if (box.rest) return;
  box.line.value = query;
  box.last = query;
}

function typed(box) {
  clearTimeout(box.rest);
  box.rest = setTimeout(() => search(box), REST_MS);
  if (box.line.value) offerSoon(box);
  else close(box);
}

function search(box) {
  clearTimeout(box.rest);
  box.rest = 0;
  const query = box.line.value.trim();
  if (query === box.last) return;
  box.last = query;
  box.sent.add(query);
  box.tell(query);
}

// -- options --------------------------------------------------------------------------

function offerSoon(box) {
  clearTimeout(box.offer);
  box.offer = setTimeout(() => offer(box), OFFER_MS);
}

async function offer(box) {
  const number = ++box.asked;
  const asked = new URLSearchParams({ q: box.line.value, at: box.line.selectionStart });
  try {
    const answer = await fetch(`${box.url}?${asked}`, { headers: { accept: "application/json" } });
    if (number !== box.asked || !answer.ok) return;
    const said = await answer.json();
    if (box.root.getRootNode().activeElement !== box.line) return;
    box.range = [said.start, said.end];
    show(box, said.options);
  } catch {
    close(box); // the app is away: the page itself says so
  }
}

function show(box, options) {
  showOptions(box, options, (option, at) => entry(box, option, at));
}

function close(box) {
  box.asked += 1;
  clearTimeout(box.offer);
  show(box, []);
}

function entry(box, option, at) {
  const item = optionItem("option", at, () => take(box, at));
  item.append(part("text", option.text), part("means", option.means));
  return item;
}

function part(className, text) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}

function take(box, at) {
  const option = box.options[at];
  const [start, end] = box.range;
  const space = option.goes_on ? "" : " ";
  const before = box.line.value.slice(0, start) + option.text + space;
  box.line.value = before + box.line.value.slice(end).trimStart();
  box.line.setSelectionRange(before.length, before.length);
  close(box);
  if (option.goes_on) offerSoon(box);
  else search(box);
}

function onKey(box, event) {
  if (event.isComposing) return;
  const open = box.options.length > 0;
  if (event.key === "ArrowDown" && !open) offerSoon(box);
  else if (event.key === "ArrowDown") choose(box, box.chosen + 1);
  else if (event.key === "ArrowUp" && open) choose(box, Math.max(box.chosen, 0) - 1);
  else if (event.key === "Tab" && open && box.chosen >= 0) take(box, box.chosen);
  else if (event.key === "Enter" && open && box.chosen >= 0) take(box, box.chosen);
  else if (event.key === "Enter") {
    close(box);
    search(box);
  } else if (event.key === "Escape" && open) close(box);
  else return;
  event.preventDefault();
  event.stopPropagation();
}
