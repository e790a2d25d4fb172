// A strip of months at the edge of the window, newest at the top. Each has a bar as long
// as its share of photos; a year is written where there is room. One month takes part in
// tabbing, the arrows go from month to month and the page keys from year to year.

const LEAST_PX = 5;
const MOST_PX = 22;
const ROOM_FOR_YEAR_PX = 15;
const strips = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  let strip = strips.get(parentElement);
  if (!strip) {
    strip = createStrip(parentElement);
    strips.set(parentElement, strip);
  }
  strip.pick = (month) => setTriggerValue("picked", month);
  const known = JSON.stringify(data);
  if (known !== strip.known) {
    strip.known = known;
    strip.data = data;
    build(strip);
  }
  return () => {
    strip.resize.disconnect();
    strips.delete(parentElement);
  };
}

function createStrip(parentElement) {
  const root = parentElement.querySelector(".timeline");
  const hint = parentElement.querySelector(".hint");
  const strip = { root, hint, data: null, known: "", current: 0, pick: null };
  strip.resize = new ResizeObserver(() => place(strip));
  strip.resize.observe(root);
  root.onkeydown = (event) => onKey(strip, event);
  root.onmouseleave = () => hint.classList.remove("there");
  return strip;
}

function build(strip) {
  const { months, label, now } = strip.data;
  const hadFocus = strip.root.contains(strip.root.getRootNode().activeElement);
  const at = months.findIndex((one) => one.month === now);
  strip.current = at >= 0 ? at : Math.min(strip.current, months.length - 1);
  const most = Math.max(...months.map((one) => one.photos));
  strip.root.setAttribute("aria-label", label);
  strip.root.replaceChildren(
    ...months.map((one, index) => monthOf(strip, one, index, one.photos / most)),
  );
  place(strip);
  const button = strip.root.children[strip.current];
  if (hadFocus) button.focus();
  else if (at >= 0) button.scrollIntoView({ block: "nearest" });
}

function monthOf(strip, one, index, share) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "month";
  button.dataset.testid = "timeline-month";
  button.dataset.month = one.month;
  button.tabIndex = index === strip.current ? 0 : -1;
  button.setAttribute("aria-label", one.label);
  if (one.month === strip.data.now) button.setAttribute("aria-current", "true");
  button.onclick = () => {
    focus(strip, index);
    strip.pick(one.month);
  };
  button.onmouseenter = () => tell(strip, button, one.label);
  button.onfocus = () => {
    moveTabStop(strip, index);
    tell(strip, button, one.label);
  };
  button.onblur = () => strip.hint.classList.remove("there");
  const year = document.createElement("span");
  year.className = "year";
  const bar = document.createElement("span");
  bar.className = "bar";
  // The square root, or a month of few photos beside one of thousands would not be seen.
  bar.style.width = `${Math.max(3, Math.round(26 * Math.sqrt(share)))}px`;
  button.append(year, bar);
  return button;
}

// How high a month can be, and which years can be written.
function place(strip) {
  if (!strip.data) return;
  const { months } = strip.data;
  const height = strip.root.clientHeight;
  const each = Math.min(MOST_PX, Math.max(LEAST_PX, Math.floor(height / months.length)));
  strip.root.style.setProperty("--month", `${each}px`);
  let free = ROOM_FOR_YEAR_PX;
  months.forEach((one, index) => {
    const begins = index === 0 || months[index - 1].year !== one.year;
    const fits = begins && free >= ROOM_FOR_YEAR_PX;
    free = fits ? each : free + each;
    strip.root.children[index].firstChild.textContent = fits ? one.year : "";
  });
}

function tell(strip, button, label) {
  strip.hint.textContent = label;
  const box = button.getBoundingClientRect();
  strip.hint.style.top = `${Math.round(box.top + box.height / 2)}px`;
  strip.hint.classList.add("there");
}

function moveTabStop(strip, index) {
  strip.root.children[strip.current].tabIndex = -1;
  strip.current = index;
  strip.root.children[index].tabIndex = 0;
}

function focus(strip, index) {
  moveTabStop(strip, index);
  strip.root.children[index].focus();
}

function onKey(strip, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const index = targetOf(strip, event.key);
  if (index === null) return;
  event.preventDefault();
  event.stopPropagation();
  focus(strip, Math.min(Math.max(index, 0), strip.data.months.length - 1));
}

function targetOf(strip, key) {
  const { months } = strip.data;
  const year = months[strip.current].year;
  if (key === "ArrowDown") return strip.current + 1;
  if (key === "ArrowUp") return strip.current - 1;
  if (key === "Home") return 0;
  if (key === "End") return months.length - 1;
  if (key === "PageDown") {
    const next = months.findIndex((one, at) => at > strip.current && one.year !== year);
    return next < 0 ? months.length - 1 : next;
  }
  if (key === "PageUp") {
    const first = months.findIndex((one) => one.year === year);
    if (first < strip.current) return first;
    return Math.max(0, months.findIndex((one) => one.year === months[Math.max(0, first - 1)].year));
  }
  return null;
}
