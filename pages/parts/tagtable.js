// A table of tags. A tag, a file name or a model's name may be any text that a stranger
// put there: textContent only, and pictures from addresses the page itself made.

const SPARK = [96, 24];
const NAMED = "http://www.w3.org/2000/svg";
const tables = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".tags");
  const table = tables.get(parentElement) || { known: "" };
  tables.set(parentElement, table);
  table.open = (name) => setTriggerValue("opened", name);
  table.check = (marks) => setTriggerValue("checked", marks);
  const known = JSON.stringify(data);
  if (known !== table.known) {
    const at = focused(root);
    table.known = known;
    root.replaceChildren(whole(table, data));
    if (at !== null) root.querySelectorAll("input, button")[at]?.focus();
  }
  return () => tables.delete(parentElement);
}

// The same check mark keeps the keyboard when the table is made anew.
function focused(root) {
  const inside = [...root.querySelectorAll("input, button")];
  const at = inside.indexOf(root.getRootNode().activeElement);
  return at < 0 ? null : at;
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function whole(table, data) {
  const all = make("table");
  const head = make("thead");
  const names = make("tr");
  const years = data.years.length ? `Taken ${data.years[0]}–${data.years[1]}` : "Taken";
  [
    ["mark", "Choose"], ["name", "Tag"], ["count", "Photos"], ["trend", years],
    ["said", "Who says it"], ["photos", "Examples"],
  ].forEach(([kind, text]) => {
    if (kind === "mark" && !data.may_choose) return;
    const cell = make("th", kind);
    cell.scope = "col";
    cell.append(make("span", kind === "mark" ? "unseen" : "", text));
    names.append(cell);
  });
  head.append(names);
  const body = make("tbody");
  const marks = data.rows.map((row) => line(table, row, () => tell(table, data, marks)));
  if (!data.may_choose) marks.forEach((one) => one.mark.remove());
  body.append(...marks.map((one) => one.line));
  all.append(head, body);
  return all;
}

function tell(table, data, marks) {
  table.check(Object.fromEntries(data.rows.map((row, n) => [row.name, marks[n].box.checked])));
}

function line(table, row, changed) {
  const all = make("tr");
  all.dataset.testid = "tag-row";
  const box = make("input");
  box.type = "checkbox";
  box.checked = row.chosen;
  box.setAttribute("aria-label", `Choose ${row.name}`);
  box.onchange = changed;
  const mark = make("td", "mark");
  mark.append(box);
  all.append(
    mark, named(table, row), make("td", "count", row.count.toLocaleString("en")),
    trend(row), said(row), photos(row),
  );
  return { line: all, box, mark };
}

function named(table, row) {
  const cell = make("th", "name");
  cell.scope = "row";
  const button = make("button", "open", row.name);
  button.type = "button";
  button.dir = "auto";
  button.title = row.name.slice(0, 500);
  button.dataset.testid = "tag-open";
  button.onclick = () => table.open(row.name);
  cell.append(button);
  return cell;
}

function trend(row) {
  const cell = make("td", "trend");
  const most = Math.max(...row.trend, 0);
  if (!most) return cell;
  const [width, height] = SPARK;
  const chart = document.createElementNS(NAMED, "svg");
  chart.setAttribute("viewBox", `0 0 ${width} ${height}`);
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", `Photos by year: ${row.trend.join(", ")}`);
  const step = width / row.trend.length;
  row.trend.forEach((number, n) => {
    const bar = document.createElementNS(NAMED, "rect");
    const tall = number ? Math.max(1.5, (number / most) * height) : 0;
    bar.setAttribute("x", n * step);
    bar.setAttribute("y", height - tall);
    bar.setAttribute("width", Math.max(0.8, Math.min(step - 1, 12)));
    bar.setAttribute("height", tall);
    chart.append(bar);
  });
  cell.append(chart);
  return cell;
}

function said(row) {
  const cell = make("td", "said");
  row.sources.slice(0, 3).forEach(([name, share]) => {
    const one = make("span", "source");
    const who = make("bdi", "who", name);
    who.title = name.slice(0, 500);
    one.append(who, make("span", "share", share < 1 ? "<1%" : `${share}%`));
    cell.append(one);
  });
  return cell;
}

function photos(row) {
  const cell = make("td", "photos");
  row.photos.forEach((photo) => {
    if (!photo.src) return;
    const image = make("img");
    image.alt = photo.name;
    image.loading = "lazy";
    image.decoding = "async";
    image.src = photo.src;
    image.onerror = () => image.remove();
    cell.append(image);
  });
  return cell;
}
