// What is known of a photo, as a list of names and values. Values are text, whatever they
// contain.

export default function ({ data, parentElement }) {
  const list = parentElement.querySelector(".facts");
  list.replaceChildren(
    ...data.facts.flatMap(([name, value]) => [part("dt", name), part("dd", value)]),
  );
}

function part(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
