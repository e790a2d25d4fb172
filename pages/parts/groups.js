// Groups of photographs that are alike, each side by side in one row, with the facts of
// each below it; what is not the same in a group is marked. Every word comes from photo
// files: textContent only.

const lists = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".groups");
  const list = lists.get(parentElement) || { known: "", left: undefined };
  lists.set(parentElement, list);
  list.open = (id) => setTriggerValue("opened", id);
  const known = JSON.stringify(data.groups);
  if (known !== list.known) {
    list.known = known;
    root.replaceChildren(...data.groups.map((group) => section(list, group)));
  }
  if (list.left !== undefined && list.left !== data.left) comeBack(root, data.left);
  list.left = data.left;
  return () => lists.delete(parentElement);
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function section(list, group) {
  const element = make("section", "group");
  element.dataset.testid = "group";
  element.setAttribute("aria-label", `${group.title}. ${group.note}`);
  const photos = make("ul", "photos");
  photos.append(...group.photos.map((photo) => card(list, photo)));
  element.append(make("h3", "title", group.title), make("p", "note", group.note), photos);
  if (group.more) element.append(make("p", "note", group.more));
  return element;
}

function card(list, photo) {
  const item = make("li", "card");
  const button = make("button", "photo");
  button.type = "button";
  button.dataset.testid = "group-photo";
  button.dataset.id = photo.id;
  button.setAttribute("aria-label", `Open ${photo.name}`);
  button.onclick = () => list.open(photo.id);
  button.append(picture(photo, button));
  item.append(button, facts(photo));
  return item;
}

function picture(photo, button) {
  if (!photo.src) return make("span", "nopicture", photo.name);
  const image = make("img", "picture");
  image.alt = "";
  image.loading = "lazy";
  image.decoding = "async";
  image.src = photo.src;
  image.onerror = () => button.replaceChild(make("span", "nopicture", photo.name), image);
  return image;
}

function facts(photo) {
  const all = make("dl", "facts");
  photo.facts.forEach(([name, value, differs]) => {
    if (!value) return;
    const kind = differs ? "differs" : "same";
    all.append(make("dt", kind, name), make("dd", kind, value));
  });
  return all;
}

function comeBack(root, left) {
  const id = Number(String(left).split(".")[0]);
  const button = root.querySelector(`[data-id="${id}"]`);
  if (button) setTimeout(() => button.focus(), 60);
}
