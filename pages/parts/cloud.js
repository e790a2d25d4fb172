// Tags as words of seven sizes. A tag may be any text a stranger put into a file:
// textContent only.

const shown = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".cloud");
  const known = JSON.stringify(data.tags);
  const cloud = shown.get(list) || { known: "" };
  shown.set(list, cloud);
  cloud.pick = (name) => setTriggerValue("picked", name);
  // Made anew only for other tags, so that the keyboard stays where it is.
  if (cloud.known === known) return;
  cloud.known = known;
  list.replaceChildren(...data.tags.map((tag) => entry(cloud, tag)));
}

function entry(cloud, tag) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = `tag size${tag.size}`;
  button.dataset.testid = "cloud-tag";
  button.textContent = tag.name;
  button.title = tag.said;
  button.setAttribute("aria-label", `${tag.name}, ${tag.said}`);
  button.onclick = () => cloud.pick(tag.name);
  item.append(button);
  return item;
}
