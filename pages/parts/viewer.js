// One photograph, as large as the room allows: the small picture at once, the full one as
// soon as it is there. Arrow keys step to its neighbours.

const viewers = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".viewer");
  const viewer = viewers.get(parentElement) ?? { id: null };
  viewers.set(parentElement, viewer);
  const step = (to) => to !== null && setTriggerValue("step", to);
  arm(root.querySelector(".before"), data.before, step);
  arm(root.querySelector(".after"), data.after, step);
  root.onkeydown = (event) => {
    if (event.key === "ArrowLeft") step(data.before);
    if (event.key === "ArrowRight") step(data.after);
  };
  if (viewer.id !== data.id) {
    viewer.id = data.id;
    showPicture(root, data, viewer);
    root.focus({ preventScroll: true });
  }
}

function arm(button, to, step) {
  button.disabled = to === null;
  button.onclick = () => step(to);
}

function showPicture(root, data, viewer) {
  const image = root.querySelector("img");
  const note = root.querySelector(".note");
  root.style.setProperty("--ratio", data.width_px && data.height_px ? data.width_px / data.height_px : 1.5);
  image.alt = data.alt;
  note.hidden = true;
  image.hidden = !data.small && !data.large;
  if (data.small) image.src = data.small;
  if (!data.large) {
    say(note, data.missing);
    return;
  }
  const full = new Image();
  full.onload = () => {
    if (viewer.id === data.id) image.src = data.large;
    image.hidden = false;
  };
  full.onerror = () => viewer.id === data.id && say(note, data.missing);
  full.src = data.large;
}

function say(note, text) {
  note.textContent = text;
  note.hidden = false;
}
