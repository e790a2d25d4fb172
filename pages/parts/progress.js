// Asks the app how far the tagger is, while somebody can see the answer, and shows it in
// place. No page is run again for it: a page may hold a half-typed query. The switch
// beside it pauses the queue, or lets it go on.

const TICK_MS = 1500;
const lines = new WeakMap();

const STATES = {
  working: "Tagging",
  idle: "Up to date",
  waiting: "Waiting",
  paused: "Paused",
  stopped: "Not running",
};

export default function ({ data, parentElement, setTriggerValue }) {
  let line = lines.get(parentElement);
  if (!line) {
    line = start(parentElement);
    lines.set(parentElement, line);
  }
  line.url = data.url;
  line.queue = data.queue;
  line.shown = data.settled;
  line.may_steer = data.may_steer;
  line.element("switch").onclick = () => turn(line);
  line.element("refresh").onclick = () => setTriggerValue("refresh", line.settled);
  if (line.status) render(line);
  return () => {
    line.over = true;
    clearTimeout(line.timer);
    document.removeEventListener("visibilitychange", line.onVisible);
    lines.delete(parentElement);
  };
}

function start(parentElement) {
  const root = parentElement.querySelector(".progress");
  const line = {
    root,
    element: (name) => root.querySelector(`[data-testid="progress-${name}"]`),
    status: null,
    settled: null,
    timer: 0,
    over: false,
    busy: false,
  };
  line.onVisible = () => !document.hidden && ask(line);
  document.addEventListener("visibilitychange", line.onVisible);
  setTimeout(() => ask(line), 0);
  return line;
}

async function ask(line) {
  clearTimeout(line.timer);
  if (line.over || line.busy || document.hidden) return;
  line.busy = true;
  try {
    const answer = await fetch(line.url, { headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.statusText);
    line.status = await answer.json();
    render(line);
  } catch {
    renderAway(line);
  }
  line.busy = false;
  if (!line.over) line.timer = setTimeout(() => ask(line), TICK_MS);
}

async function turn(line) {
  const button = line.element("switch");
  const wanted = line.status?.paused_at ? "resume" : "pause";
  button.disabled = true;
  try {
    const answer = await fetch(`${line.queue}/${wanted}`, { method: "POST" });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    await ask(line);
  } catch (error) {
    put(line, "message", `The queue could not be ${wanted}d: ${error.message}`);
  }
  button.disabled = false;
}

function put(line, name, text) {
  const element = line.element(name);
  if (element.textContent !== text) element.textContent = text;
  element.hidden = !text;
}

function renderAway(line) {
  line.root.dataset.state = "away";
  put(line, "state", "No answer");
  put(line, "count", "");
  put(line, "rate", "");
  put(line, "message", "The app does not answer. It may be restarting.");
  put(line, "backend", "");
  line.element("bar").hidden = true;
  line.element("switch").hidden = true;
}

function render(line) {
  const status = line.status;
  const done = status.tagged + status.review + status.not_written + status.failed;
  const open = status.queued + status.working;
  line.settled = done;
  line.root.dataset.state = status.state;
  put(line, "state", STATES[status.state] ?? status.state);
  put(line, "count", counted(done, open));
  put(line, "rate", open && status.state === "working" ? speed(status) : "");
  line.element("rate").title = status.eta_basis ?? "";
  put(line, "message", sentence(status.message ?? ""));
  put(line, "backend", status.backend ?? "");
  renderBar(line, done, open);
  const can_turn = line.may_steer && (open || status.paused_at);
  put(line, "switch", can_turn ? (status.paused_at ? "Resume" : "Pause") : "");
  line.element("refresh").hidden = line.shown === null || line.shown === done;
}

function renderBar(line, done, open) {
  const bar = line.element("bar");
  const percent = done + open ? Math.floor((100 * done) / (done + open)) : 0;
  bar.hidden = !open;
  bar.setAttribute("aria-valuenow", percent);
  bar.setAttribute("aria-valuetext", counted(done, open));
  bar.firstElementChild.style.width = `${percent}%`;
}

function counted(done, open) {
  const all = done + open;
  if (!all) return "No photos yet";
  if (!open) return `${number(all)} ${all === 1 ? "photo" : "photos"}`;
  return `${number(done)} of ${number(all)} photos`;
}

function speed(status) {
  const parts = [];
  if (status.photos_a_minute) {
    parts.push(`${number(Math.max(1, Math.round(status.photos_a_minute)))} a minute`);
  }
  if (status.eta_s !== null && status.eta_s !== undefined) parts.push(`${span(status.eta_s)} left`);
  return parts.join(" · ");
}

function span(seconds) {
  if (seconds < 60) return "under a minute";
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `about ${Math.round(seconds / 3600)} h`;
  return `about ${Math.round(seconds / 86400)} days`;
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function number(value) {
  return value.toLocaleString("en");
}
