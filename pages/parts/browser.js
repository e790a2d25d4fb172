// Directories to go into. Their names come from disks: textContent only.

const browsers = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".browser");
  const browser = browsers.get(parentElement) || { known: "" };
  browsers.set(parentElement, browser);
  browser.open = (at) => setTriggerValue("open", at);
  const known = JSON.stringify(data);
  if (known !== browser.known) {
    const hadFocus = root.contains(root.getRootNode().activeElement);
    browser.known = known;
    root.replaceChildren(way(browser, data.above), inside(browser, data), ...note(data));
    if (hadFocus) (root.querySelector(".inside button") ?? root.querySelector("button"))?.focus();
  }
  return () => browsers.delete(parentElement);
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function button(browser, name, at) {
  const one = make("button", "", name);
  one.type = "button";
  one.dir = "auto";
  one.title = name;
  one.onclick = () => browser.open(at);
  return one;
}

function way(browser, above) {
  const all = make("nav", "way");
  all.setAttribute("aria-label", "Where you are");
  all.append(button(browser, "All that can be browsed", ""));
  above.forEach((one, number) => {
    all.append(make("span", "between", "›"));
    const isHere = number === above.length - 1;
    const step = isHere ? make("b", "", one.name) : button(browser, one.name, one.at);
    if (isHere) step.setAttribute("aria-current", "page");
    all.append(step);
  });
  return all;
}

function inside(browser, { inside: listed, above }) {
  if (!listed.length) return make("p", "none", "There are no folders in it.");
  const all = make("ul", "inside");
  all.tabIndex = -1;
  all.setAttribute("aria-label", above.length ? "Folders in it" : "Folders to begin with");
  listed.forEach((one) => {
    const item = make("li");
    item.dataset.testid = "directory";
    if (one.problem) {
      item.className = "closed";
      item.append(make("bdi", "", one.name), make("small", "", one.problem));
    } else {
      item.append(button(browser, one.name, one.at));
    }
    all.append(item);
  });
  return all;
}

function note(data) {
  return data.note ? [make("p", "none", `${data.note}.`)] : [];
}
