// The list of options below a line that somebody types into, with the keyboard's place in
// it; a part of searchbox.js and words.js. A box has its `line` and its `list`.

function showOptions(box, options, entry) {
  box.options = options;
  box.chosen = -1;
  box.list.replaceChildren(...options.map(entry));
  box.list.hidden = !options.length;
  box.line.setAttribute("aria-expanded", String(options.length > 0));
  box.line.removeAttribute("aria-activedescendant");
}

function optionItem(testid, at, take) {
  const item = document.createElement("li");
  item.id = `option-${at}`;
  item.role = "option";
  item.dataset.testid = testid;
  item.onpointerdown = (event) => {
    event.preventDefault(); // the caret stays in the line
    take();
  };
  return item;
}

function choose(box, at) {
  const count = box.options.length;
  box.chosen = (at + count) % count;
  [...box.list.children].forEach((item, index) => {
    item.setAttribute("aria-selected", String(index === box.chosen));
    if (index === box.chosen) item.scrollIntoView({ block: "nearest" });
  });
  box.line.setAttribute("aria-activedescendant", `option-${box.chosen}`);
}
