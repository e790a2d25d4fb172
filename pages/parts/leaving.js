// A line of text and a link. The text may hold a name somebody gave: textContent only.

export default function ({ data, parentElement }) {
  const line = parentElement.querySelector(".leaving");
  line.querySelector(".said").textContent = data.said;
  const link = line.querySelector("a");
  link.textContent = data.label;
  link.href = data.url;
}
