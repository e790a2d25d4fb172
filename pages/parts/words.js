// A photo's description and tags, changed where they stand: a click on the description
// opens it, Enter saves, Escape leaves it; a tag has a cross, and a line takes new ones,
// completed from the tags there are. All text may be a stranger's: textContent only.

const OFFER_MS = 80; // between the last key and the question for options
const boxes = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let box = boxes.get(parentElement);
  if (!box) {
    box = createBox(parentElement.querySelector(".words"));
    boxes.set(parentElement, box);
  }
  if (box.data?.id !== data.id) leave(box);
  box.data = data;
  box.change = (change) => setTriggerValue("change", { id: data.id, ...change });
  box.pick = (name) => setTriggerValue("picked", name);
  draw(box);
}

function createBox(root) {
  const find = (name) => root.querySelector(name);
  const box = {
    root,
    shown: find(".description"),
    pen: find(".pen"),
    editor: find(".editor"),
    text: find("textarea"),
    by: find(".by"),
    tags: find(".tags"),
    sources: find(".sources"),
    adding: find(".add"),
    line: find("input"),
    list: find(".options"),
    news: find(".news"),
    was: "",
    options: [],
    chosen: -1,
    asked: 0,
  };
  box.pen.onclick = () => open(box);
  box.shown.onclick = () => window.getSelection().isCollapsed && open(box);
  box.text.onkeydown = (event) => onTextKey(box, event);
  box.text.oninput = () => grow(box.text);
  find(".save").onclick = () => save(box);
  find(".leave").onclick = () => leave(box, true);
  box.line.oninput = () => offerSoon(box);
  box.line.onkeydown = (event) => onLineKey(box, event);
  box.line.onblur = () => offer(box, []);
  return box;
}

function draw(box) {
  const { data } = box;
  box.pen.hidden = !data.may_edit || !box.editor.hidden;
  box.adding.hidden = !data.may_edit;
  box.shown.classList.toggle("fixed", !data.may_edit);
  box.shown.textContent = data.description || "No description yet";
  box.shown.classList.toggle("none", !data.description);
  box.by.textContent = data.by;
  box.by.hidden = !data.by;
  box.sources.textContent = data.sources;
  box.sources.hidden = !data.sources;
  box.text.maxLength = data.longest;
  box.line.maxLength = data.longest_tag;
  // Redrawn only when they differ, so that the keyboard keeps its place.
  const tags = JSON.stringify([data.tags, data.may_edit]);
  if (box.drawn === tags) return;
  box.drawn = tags;
  const at = box.tags.getRootNode().activeElement?.dataset?.cross;
  box.tags.replaceChildren(...data.tags.map((tag) => entry(box, tag)));
  if (at !== undefined) focusCross(box, at);
}

// -- the description -------------------------------------------------------------------

function open(box) {
  if (!box.editor.hidden || !box.data.may_edit) return;
  box.was = box.data.description;
  box.text.value = box.was;
  showEditor(box, true);
  grow(box.text);
  box.text.focus();
  box.text.setSelectionRange(box.was.length, box.was.length);
}

function showEditor(box, is_open) {
  box.editor.hidden = !is_open;
  box.shown.hidden = is_open;
  box.pen.hidden = is_open || !box.data?.may_edit;
}

function grow(text) {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight + 2, window.innerHeight / 2)}px`;
}

function save(box) {
  const text = box.text.value.trim();
  if (!text) {
    tell(box, "A description cannot be empty.");
    return;
  }
  leave(box, true);
  if (text === box.was.trim()) return;
  box.shown.textContent = text;
  box.shown.classList.remove("none");
  box.change({ description: text });
}

function leave(box, focus = false) {
  showEditor(box, false);
  tell(box, "");
  if (focus) box.pen.focus({ preventScroll: true });
}

function onTextKey(box, event) {
  if (event.isComposing) return;
  event.stopPropagation(); // arrows and Escape are the editor's own here
  if (event.key === "Escape") leave(box, true);
  else if (event.key === "Enter" && !event.shiftKey) save(box);
  else return;
  event.preventDefault();
}

function tell(box, text) {
  box.news.textContent = text;
  box.news.hidden = !text;
}

// -- tags ------------------------------------------------------------------------------

function entry(box, tag) {
  const item = document.createElement("li");
  item.className = `chip ${tag.tone}`;
  item.append(
    button("label", tag.name, `${tag.name}: ${tag.note}`, () => box.pick(tag.name), "chip"),
  );
  item.firstChild.title = tag.note;
  if (!box.data.may_edit) return item;
  item.append(
    button("cross", "\u00d7", `Take out ${tag.name}`, () => takeOut(box, item, tag), "take-out"),
  );
  item.lastChild.dataset.cross = tag.name;
  return item;
}

function button(className, text, label, act, testid) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = className;
  made.textContent = text;
  made.setAttribute("aria-label", label);
  made.dataset.testid = testid;
  made.onclick = act;
  return made;
}

function takeOut(box, item, tag) {
  const next = item.nextElementSibling ?? item.previousElementSibling;
  item.remove();
  box.drawn = null;
  (next?.querySelector(".cross") ?? box.line).focus({ preventScroll: true });
  tell(box, "");
  box.change({ remove: tag.name });
}

function focusCross(box, name) {
  const found = [...box.tags.querySelectorAll(".cross")].find((one) => one.dataset.cross === name);
  (found ?? box.line).focus({ preventScroll: true });
}

function add(box, typed) {
  const name = typed.split(/\s+/).filter(Boolean).join(" ");
  offer(box, []);
  if (!name) return;
  const same = (one) => one.name.normalize("NFC").toLowerCase() === name.normalize("NFC").toLowerCase();
  const known = box.data.tags.find(same);
  box.line.value = "";
  if (known?.mine) {
    tell(box, `${known.name} is there already.`);
    return;
  }
  tell(box, "");
  box.change({ add: name });
}

function onLineKey(box, event) {
  if (event.isComposing) return;
  event.stopPropagation();
  const is_open = box.options.length > 0;
  if (event.key === "ArrowDown" && is_open) choose(box, box.chosen + 1);
  else if (event.key === "ArrowUp" && is_open) choose(box, box.chosen - 1);
  else if (event.key === "Enter") add(box, box.options[box.chosen] ?? box.line.value);
  else if (event.key === "Tab" && is_open && box.chosen >= 0) add(box, box.options[box.chosen]);
  else if (event.key === "Escape") {
    if (!is_open) box.line.value = "";
    offer(box, []);
  } else return;
  event.preventDefault();
}

function offerSoon(box) {
  clearTimeout(box.soon);
  box.soon = setTimeout(() => ask(box), OFFER_MS);
}

async function ask(box) {
  const number = ++box.asked;
  const typed = box.line.value.trim();
  if (!typed) {
    offer(box, []);
    return;
  }
  try {
    const answer = await fetch(`${box.data.url}?${new URLSearchParams({ q: typed })}`, {
      headers: { accept: "application/json" },
    });
    if (number !== box.asked || !answer.ok) return;
    const known = new Set(box.data.tags.map((tag) => tag.name));
    offer(box, (await answer.json()).filter((name) => !known.has(name)));
  } catch {
    offer(box, []); // the app is away: the page itself says so
  }
}

function offer(box, options) {
  if (!options.length) {
    box.asked += 1;
    clearTimeout(box.soon);
  }
  showOptions(box, options, (name, at) => option(box, name, at));
}

function option(box, name, at) {
  const item = optionItem("tag-option", at, () => add(box, name));
  item.textContent = name;
  return item;
}
