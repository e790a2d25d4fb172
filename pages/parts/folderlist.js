// A table of folders. A path may be any text that a stranger put there: textContent only.

const COLUMNS = [
  ["name", "Folder"], ["photos", "Photos"], ["tagged", "Tagged"], ["failed", "Failed"],
  ["scanned", "Last scan"], ["state", "Changes"], ["words", "Words go"],
  ["servers", "Servers"], ["hours", "Hours"],
];
const NUMBERS = new Set(["photos", "tagged", "failed"]);
const tables = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".folders");
  const table = tables.get(parentElement) || { known: "" };
  tables.set(parentElement, table);
  table.open = (id) => setTriggerValue("opened", id);
  const known = JSON.stringify(data);
  if (known !== table.known) {
    const buttons = [...root.querySelectorAll("button")];
    const at = buttons.indexOf(root.getRootNode().activeElement);
    table.known = known;
    root.replaceChildren(whole(table, data.rows));
    if (at >= 0) root.querySelectorAll("button")[at]?.focus();
  }
  return () => tables.delete(parentElement);
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function whole(table, rows) {
  const all = make("table");
  const head = make("thead");
  const names = make("tr");
  COLUMNS.forEach(([kind, text]) => {
    const cell = make("th", NUMBERS.has(kind) ? `${kind} number` : kind, text);
    cell.scope = "col";
    names.append(cell);
  });
  head.append(names);
  const body = make("tbody");
  body.append(...rows.map((row) => line(table, row)));
  all.append(head, body);
  return all;
}

function line(table, row) {
  const all = make("tr", row.chosen ? "chosen" : "");
  all.dataset.testid = "folder-row";
  all.append(...COLUMNS.map(([kind]) => (kind === "name" ? named(table, row) : cell(kind, row))));
  return all;
}

function named(table, row) {
  const cell = make("th", "name");
  cell.scope = "row";
  cell.style.setProperty("--depth", Math.min(row.depth, 6));
  const button = make("button", "open", row.name);
  button.type = "button";
  button.dir = "ltr";
  button.title = row.path;
  button.setAttribute("aria-pressed", row.chosen);
  button.onclick = () => table.open(row.id);
  cell.append(button);
  return cell;
}

function cell(kind, row) {
  if (!NUMBERS.has(kind)) {
    const one = make("td", kind, row[kind]);
    if (kind === "state") one.title = row.why;
    return one;
  }
  const some = kind === "failed" && row.failed ? " some" : "";
  return make("td", `${kind} number${some}`, row[kind].toLocaleString("en"));
}
