// Links that save a file. They stay on the page: no new window, no new session.

export default function ({ data, parentElement }) {
  const row = parentElement.querySelector(".downloads");
  row.replaceChildren(...data.links.map(link));
}

function link({ label, url, hint }) {
  const element = document.createElement("a");
  element.className = "download";
  element.dataset.testid = "download";
  element.href = url;
  element.download = "";
  element.title = hint;
  element.textContent = label;
  return element;
}
