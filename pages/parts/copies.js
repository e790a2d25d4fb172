// The files of one picture, each a button that opens it. Paths are strangers' text.

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".copies");
  list.replaceChildren(
    ...data.copies.map((copy) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.testid = "copy";
      button.textContent = copy.note ? `${copy.path} (${copy.note})` : copy.path;
      button.onclick = () => setTriggerValue("opened", copy.id);
      item.append(button);
      return item;
    }),
  );
}
