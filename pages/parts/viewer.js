// One photograph, as large as the room allows: the small picture at once, the full one as
// soon as it is there. It can be zoomed, moved and shown on the whole screen; arrow keys
// step to its neighbours. Keys work anywhere in the dialog but in a line somebody types in.

const MOST = 16; // times as large as it fits
const STEP = 1.4;
const viewers = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".viewer");
  let viewer = viewers.get(parentElement);
  if (!viewer) {
    viewer = createViewer(root);
    viewers.set(parentElement, viewer);
  }
  viewer.data = data;
  viewer.step = (to) => to !== null && setTriggerValue("step", to);
  viewer.toggle = () => setTriggerValue("info", !viewer.data.info_open);
  arm(root.querySelector(".before"), data.before, viewer.step);
  arm(root.querySelector(".after"), data.after, viewer.step);
  const info = root.querySelector(".info");
  info.setAttribute("aria-pressed", String(data.info_open));
  fill(root.querySelector(".panel"), data.info);
  const listens = dialogOf(root);
  const onKey = (event) => keyed(viewer, event);
  listens.addEventListener("keydown", onKey);
  if (viewer.id !== data.id) {
    viewer.id = data.id;
    showPicture(viewer);
    fit(viewer);
    root.focus({ preventScroll: true });
  }
  return () => listens.removeEventListener("keydown", onKey);
}

function dialogOf(root) {
  const within = root.getRootNode().host ?? root;
  return within.closest('[role="dialog"]') ?? root;
}

function createViewer(root) {
  const viewer = { id: null, root, scale: 1, x: 0, y: 0, fingers: new Map() };
  const stage = root.querySelector(".stage");
  stage.addEventListener("wheel", (event) => wheeled(viewer, event), { passive: false });
  stage.ondblclick = (event) => toggleActual(viewer, event);
  stage.onpointerdown = (event) => pressed(viewer, event);
  stage.onpointermove = (event) => moved(viewer, event);
  stage.onpointerup = (event) => viewer.fingers.delete(event.pointerId);
  stage.onpointercancel = stage.onpointerup;
  root.querySelector(".in").onclick = () => zoom(viewer, STEP);
  root.querySelector(".out").onclick = () => zoom(viewer, 1 / STEP);
  root.querySelector(".level").onclick = () => toggleActual(viewer);
  root.querySelector(".whole").onclick = () => wholeScreen(viewer);
  root.querySelector(".info").onclick = () => toggleInfo(viewer);
  root.onfullscreenchange = () => screenChanged(viewer);
  new ResizeObserver(() => place(viewer)).observe(stage);
  return viewer;
}

function arm(button, to, step) {
  button.disabled = to === null;
  button.onclick = () => step(to);
}

// -- keys ------------------------------------------------------------------------------

function keyed(viewer, event) {
  const at = event.composedPath()[0];
  const types = at.matches?.("input, textarea, select, [contenteditable='true']");
  if (types || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const { before, after } = viewer.data;
  const does = {
    ArrowLeft: () => viewer.step(before),
    ArrowRight: () => viewer.step(after),
    "+": () => zoom(viewer, STEP),
    "=": () => zoom(viewer, STEP),
    "-": () => zoom(viewer, 1 / STEP),
    0: () => fit(viewer),
    1: () => actual(viewer),
    f: () => wholeScreen(viewer),
    i: () => toggleInfo(viewer),
  }[event.key];
  // Arrows belong to what has its own use for them: tabs, sliders, lists of options.
  const owns = at !== viewer.root && at.closest?.("[role=tab], [role=slider], [role=listbox], [role=combobox]");
  if (!does || (owns && event.key.startsWith("Arrow"))) return;
  event.preventDefault();
  does();
}

// -- zoom ------------------------------------------------------------------------------

function zoom(viewer, times, at) {
  setScale(viewer, viewer.scale * times, at);
}

function setScale(viewer, wanted, at) {
  const scale = Math.min(MOST, Math.max(1, wanted));
  const grows = scale / viewer.scale;
  // What is under the pointer stays there.
  const from = at ? fromMiddle(viewer, at) : { x: 0, y: 0 };
  viewer.x = from.x - (from.x - viewer.x) * grows;
  viewer.y = from.y - (from.y - viewer.y) * grows;
  viewer.scale = scale;
  place(viewer);
}

function fit(viewer) {
  viewer.scale = 1;
  viewer.x = viewer.y = 0;
  place(viewer);
}

function actual(viewer, at) {
  setScale(viewer, actualScale(viewer), at); // a small picture fits larger than that
}

// So many times larger than it fits is one pixel of the picture one of the screen.
function actualScale(viewer) {
  const image = viewer.root.querySelector("img");
  const full_px = viewer.data.width_px ?? image.naturalWidth;
  const shown_px = image.clientWidth * (window.devicePixelRatio || 1);
  return shown_px && full_px ? full_px / shown_px : 1;
}

function toggleActual(viewer, at) {
  if (viewer.scale > 1) fit(viewer);
  else setScale(viewer, Math.max(actualScale(viewer), 2), at);
}

function fromMiddle(viewer, at) {
  const box = viewer.root.querySelector(".stage").getBoundingClientRect();
  return { x: at.clientX - box.left - box.width / 2, y: at.clientY - box.top - box.height / 2 };
}

function place(viewer) {
  const { root, scale } = viewer;
  const stage = root.querySelector(".stage");
  const image = root.querySelector("img");
  const far = (shown, room) => Math.max(0, (shown * scale - room) / 2);
  const clamp = (value, most) => Math.min(most, Math.max(-most, value));
  viewer.x = clamp(viewer.x, far(image.clientWidth, stage.clientWidth));
  viewer.y = clamp(viewer.y, far(image.clientHeight, stage.clientHeight));
  image.style.transform = `translate(${viewer.x}px, ${viewer.y}px) scale(${scale})`;
  root.classList.toggle("zoomed", scale > 1);
  const percent = Math.round((scale / actualScale(viewer)) * 100);
  const level = root.querySelector(".level");
  level.textContent = scale === 1 ? "Fit" : `${percent} %`;
  level.setAttribute("aria-label", scale === 1 ? "Fits; show in actual size" : `At ${percent} percent; fit again`);
  root.querySelector(".out").disabled = scale <= 1;
  root.querySelector(".in").disabled = scale >= MOST;
}

function wheeled(viewer, event) {
  event.preventDefault();
  zoom(viewer, Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400)), event);
}

function pressed(viewer, event) {
  if (event.button !== 0) return;
  viewer.root.focus({ preventScroll: true });
  viewer.fingers.set(event.pointerId, event);
  event.currentTarget.setPointerCapture(event.pointerId);
}

function moved(viewer, event) {
  const was = viewer.fingers.get(event.pointerId);
  if (!was) return;
  const others = [...viewer.fingers.values()].filter((one) => one.pointerId !== event.pointerId);
  viewer.fingers.set(event.pointerId, event);
  if (others.length) {
    const apart = (one) => Math.hypot(one.clientX - others[0].clientX, one.clientY - others[0].clientY);
    const middle = {
      clientX: (event.clientX + others[0].clientX) / 2,
      clientY: (event.clientY + others[0].clientY) / 2,
    };
    zoom(viewer, apart(event) / Math.max(1, apart(was)), middle);
    return;
  }
  viewer.x += event.clientX - was.clientX;
  viewer.y += event.clientY - was.clientY;
  place(viewer);
}

// -- the whole screen, and what is known -----------------------------------------------

function wholeScreen(viewer) {
  if (isWhole(viewer)) document.exitFullscreen();
  else viewer.root.requestFullscreen?.().catch(() => {}); // the browser says why
}

function isWhole(viewer) {
  return viewer.root.matches(":fullscreen");
}

function screenChanged(viewer) {
  const whole = viewer.root.querySelector(".whole");
  whole.setAttribute("aria-pressed", String(isWhole(viewer)));
  viewer.root.querySelector(".panel").hidden = true;
  fit(viewer);
}

function toggleInfo(viewer) {
  const panel = viewer.root.querySelector(".panel");
  if (isWhole(viewer)) panel.hidden = !panel.hidden;
  else viewer.toggle();
}

function fill(panel, lines) {
  panel.replaceChildren(
    ...lines.map((line) => {
      const paragraph = document.createElement("p");
      paragraph.textContent = line;
      return paragraph;
    }),
  );
}

// -- the picture -----------------------------------------------------------------------

function showPicture(viewer) {
  const { root, data } = viewer;
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
  root.setAttribute("aria-busy", "true");
  const mine = () => viewer.id === data.id;
  const full = new Image();
  full.onload = () => {
    if (!mine()) return;
    image.src = data.large;
    image.hidden = false;
    root.setAttribute("aria-busy", "false");
    place(viewer);
  };
  full.onerror = () => {
    if (!mine()) return;
    root.setAttribute("aria-busy", "false");
    say(note, data.missing);
  };
  full.src = data.large;
}

function say(note, text) {
  note.textContent = text;
  note.hidden = false;
}
