// One answer of a model, with what differs from the answer in use marked. Models say what
// they like: textContent only.

const SAID = { new: "only here: ", gone: "not here: " };

export default function ({ data, parentElement }) {
  const find = (name) => parentElement.querySelector(name);
  find(".model").textContent = data.model;
  find(".when").textContent = data.when;
  find(".mark").hidden = !data.in_use;
  find(".facts").textContent = data.facts;
  const pieces = data.description.map(([text, mark]) => piece(text, mark));
  find(".description").replaceChildren(...pieces.flatMap((one) => [one, " "]));
  find(".tags").replaceChildren(
    ...data.tags.map(([name, mark]) => {
      const item = document.createElement("li");
      item.className = mark;
      item.append(piece(name, mark));
      return item;
    }),
  );
}

function piece(text, mark) {
  const element = document.createElement({ new: "ins", gone: "del" }[mark] ?? "span");
  if (mark) {
    const said = document.createElement("span");
    said.className = "heard";
    said.textContent = SAID[mark];
    element.append(said);
  }
  element.append(text);
  return element;
}
