// Tags as buttons. A tag may be any text a stranger put into a file: textContent only.

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".chips");
  list.setAttribute("aria-label", data.label);
  list.replaceChildren(...data.chips.map((chip) => entry(chip, setTriggerValue)));
}

function entry(chip, setTriggerValue) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "chip";
  button.dataset.testid = "chip";
  button.title = chip.note;
  button.setAttribute("aria-pressed", String(chip.chosen));
  button.append(part("label", chip.name));
  if (chip.count !== null) button.append(part("count", chip.count.toLocaleString("en")));
  button.onclick = () => setTriggerValue("picked", chip.name);
  item.append(button);
  return item;
}

function part(className, text) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}
