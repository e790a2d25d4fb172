// Review: photos whose answers wait for a person. Decisions go to the app by themselves,
// one after the other; the next photo is shown at once, and its picture is there already.

const AHEAD = 3; // pictures fetched before they are shown
const FEW_LEFT = 12; // then more photos are asked for
const A_PAGE = 30;
const REST_MS = 3000; // before the app is asked again after it failed
const desks = new WeakMap();

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".review");
  let desk = desks.get(parentElement);
  if (!desk) {
    desk = createDesk(root);
    desks.set(parentElement, desk);
  }
  const question = JSON.stringify([data.q, data.folder_id, data.round]);
  desk.data = data;
  if (desk.question !== question) {
    desk.question = question;
    begin(desk);
  }
  const onKey = (event) => keyed(desk, event);
  window.addEventListener("keydown", onKey);
  return () => window.removeEventListener("keydown", onKey);
}

function createDesk(root) {
  const desk = { root, question: null, decided: [], sending: Promise.resolve(), ahead: new Map() };
  desk.element = (name) => root.querySelector(name);
  desk.element(".accept").onclick = () => accept(desk);
  desk.element(".correct").onclick = () => edit(desk);
  desk.element(".reject").onclick = () => decide(desk, "reject");
  desk.element(".before").onclick = () => step(desk, -1);
  desk.element(".after").onclick = () => step(desk, 1);
  desk.element(".undo").onclick = () => undo(desk);
  desk.element("textarea").onkeydown = (event) => typed(desk, event, () => accept(desk));
  desk.element("input").onkeydown = (event) => typed(desk, event, () => addTag(desk));
  return desk;
}

// -- which photos ----------------------------------------------------------------------

function begin(desk) {
  Object.assign(desk, { photos: [], at: 0, total: desk.data.total, next: 0, asking: false, decided: [] });
  desk.element(".undo").hidden = true;
  tell(desk, "");
  refuse(desk, "");
  more(desk);
}

async function more(desk) {
  const question = desk.question;
  if (desk.asking || desk.next === null || Date.now() < (desk.rests ?? 0)) return;
  desk.asking = true;
  desk.root.setAttribute("aria-busy", "true");
  const asked = new URLSearchParams({ q: desk.data.q, after: desk.next, limit: A_PAGE });
  if (desk.data.folder_id !== null) asked.set("folder_id", desk.data.folder_id);
  try {
    const page = await call(`${desk.data.url}?${asked}`);
    if (desk.question !== question) return;
    if (desk.next === 0) desk.total = page.total;
    // What the list still has, although it was decided a moment ago, counts no more.
    if (page.next === null && desk.next === 0) desk.total = page.photos.length;
    desk.next = page.next;
    desk.photos.push(...page.photos.map(withChoice));
  } catch (error) {
    desk.rests = Date.now() + REST_MS;
    setTimeout(() => more(desk), REST_MS + 10);
    refuse(desk, `The photos that wait cannot be listed: ${error.message}`);
  } finally {
    if (desk.question === question) desk.asking = false;
  }
  desk.root.setAttribute("aria-busy", "false");
  show(desk);
}

// With each photo, what the person has chosen so far: which tags, and another text.
function withChoice(photo) {
  const key = (tag) => tag.name.normalize("NFC").toLowerCase();
  const now = new Set(photo.now.tags.map(key));
  const then = new Set(photo.proposed.tags.map(key));
  const proposed = photo.proposed.tags.map((tag) => ({ ...tag, on: true, then: true, now: now.has(key(tag)) }));
  const leaving = photo.now.tags.filter((tag) => !then.has(key(tag)));
  const tags = [...proposed, ...leaving.map((tag) => ({ ...tag, on: false, then: false, now: true }))];
  return { ...photo, tags, text_given: null, key };
}

function current(desk) {
  return desk.photos[desk.at];
}

function step(desk, by) {
  const to = desk.at + by;
  if (to < 0 || to >= desk.photos.length) return;
  desk.at = to;
  show(desk);
}

// -- deciding --------------------------------------------------------------------------

function changesOf(photo) {
  const change = {
    add: photo.tags.filter((tag) => tag.on && !tag.then).map((tag) => tag.name),
    remove: photo.tags.filter((tag) => !tag.on && tag.then).map((tag) => tag.name),
  };
  const text = photo.text_given;
  if (text !== null && text !== (photo.proposed.description ?? "")) change.description = text;
  return change;
}

function isChanged(photo) {
  const { add, remove, description } = changesOf(photo);
  return add.length + remove.length > 0 || description !== undefined;
}

function accept(desk) {
  const photo = current(desk);
  if (!photo) return;
  takeText(desk);
  if (changesOf(photo).description === "") {
    refuse(desk, "A description cannot be empty: write one, or press Escape to keep the one proposed.");
    return;
  }
  decide(desk, isChanged(photo) ? "correct" : "accept");
}

function decide(desk, decision) {
  const photo = current(desk);
  if (!photo) return;
  const body = { image_id: photo.id, answer: photo.answer, decision, undo_within_s: desk.data.undo_within_s };
  if (decision === "correct") Object.assign(body, changesOf(photo));
  const made = { photo, at: desk.at, decision, question: desk.question };
  desk.photos.splice(desk.at, 1);
  desk.at = Math.max(0, Math.min(desk.at, desk.photos.length - 1));
  desk.total -= 1;
  desk.decided.push(made);
  refuse(desk, "");
  tell(desk, `${DONE[decision]} ${photo.name}`);
  show(desk);
  made.sent = desk.sending.then(() => send(desk, made, body));
  desk.sending = made.sent;
}

const DONE = { accept: "Accepted", correct: "Corrected", reject: "Rejected" };

async function send(desk, made, body) {
  try {
    const edit = await call(desk.data.url, body);
    made.edit = edit.edit_id;
  } catch (error) {
    desk.decided = desk.decided.filter((one) => one !== made);
    putBack(desk, made, { open: false });
    refuse(desk, `${made.photo.name} was not decided: ${error.message}`);
  }
}

async function undo(desk) {
  const made = desk.decided.pop();
  if (!made) return;
  await made.sent;
  if (made.edit === undefined) return; // it was refused, and is back already
  try {
    await call(`${desk.data.edits}/${made.edit}/undo`, {});
    putBack(desk, made, { open: true });
    refuse(desk, "");
    tell(desk, `${made.photo.name} waits again`);
  } catch (error) {
    refuse(desk, `${made.photo.name} cannot be taken back: ${error.message}`);
  }
  show(desk);
}

function putBack(desk, made, { open }) {
  if (made.question !== desk.question) return; // another list is shown by now
  const at = Math.min(made.at, desk.photos.length);
  desk.photos.splice(at, 0, made.photo);
  if (open) desk.at = at;
  else if (at <= desk.at && desk.photos.length > 1) desk.at += 1;
  desk.total += 1;
  show(desk);
}

async function call(url, body) {
  const options = { headers: { accept: "application/json" } };
  if (body) {
    options.method = "POST";
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
    options.keepalive = true; // a window that is closed now loses no decision
  }
  const answer = await fetch(url, options);
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.detail ?? answer.statusText);
  return said;
}

// -- correcting ------------------------------------------------------------------------

function edit(desk) {
  const photo = current(desk);
  if (!photo) return;
  desk.editing = photo.id;
  show(desk);
  const box = desk.element("textarea");
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
}

function takeText(desk) {
  const photo = current(desk);
  if (photo && desk.editing === photo.id) photo.text_given = desk.element("textarea").value.trim();
}

function typed(desk, event, does) {
  if (event.isComposing) return;
  if (event.key === "Escape") {
    event.preventDefault();
    desk.editing = null;
    current(desk).text_given = null;
    show(desk);
    desk.root.focus({ preventScroll: true });
  } else if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    does();
  }
}

function addTag(desk) {
  const photo = current(desk);
  const line = desk.element("input");
  const name = line.value.trim();
  if (!name) {
    accept(desk); // an empty line has nothing to take: it is the end of correcting
    return;
  }
  takeText(desk);
  const key = photo.key({ name });
  const known = photo.tags.find((tag) => photo.key(tag) === key);
  if (known) known.on = true;
  else photo.tags.push({ name, on: true, then: false, now: false });
  line.value = "";
  show(desk);
  line.focus();
}

// -- keys ------------------------------------------------------------------------------

function keyed(desk, event) {
  const at = event.composedPath()[0];
  const types = at.matches?.("input, textarea, select, [contenteditable='true']");
  if (types || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (at.closest?.("[role=dialog], [role=listbox], [role=tab], [role=slider], [role=combobox]")) return;
  const does = {
    1: () => accept(desk),
    2: () => edit(desk),
    3: () => decide(desk, "reject"),
    ArrowLeft: () => step(desk, -1),
    ArrowRight: () => step(desk, 1),
    z: () => undo(desk),
  }[event.key];
  if (!does || (event.repeat && !event.key.startsWith("Arrow"))) return; // a key held decides once
  event.preventDefault();
  does();
}

// -- showing ---------------------------------------------------------------------------

function show(desk) {
  const photo = current(desk);
  const isOver = !photo && !desk.asking && desk.next === null;
  desk.element(".desk").hidden = !photo;
  desk.element(".end").hidden = !isOver;
  desk.element(".undo").hidden = desk.decided.length === 0;
  put(desk.element(".count"), photo || isOver ? counted(desk.total) : "Looking for photos…");
  if (desk.photos.length - desk.at < FEW_LEFT) more(desk);
  if (!photo) return;
  if (desk.editing !== photo.id) desk.editing = null;
  showPicture(desk, photo);
  showWords(desk, photo);
  desk.element(".before").disabled = desk.at === 0;
  desk.element(".after").disabled = desk.at >= desk.photos.length - 1;
  ahead(desk);
}

function counted(total) {
  return `${Math.max(0, total).toLocaleString("en")} to review`;
}

function showPicture(desk, photo) {
  if (desk.shown === photo.id) return;
  desk.shown = photo.id;
  const image = desk.element("img");
  const full = fetched(desk, photo);
  image.alt = photo.proposed.description ?? photo.name;
  image.hidden = false;
  desk.element(".none").hidden = true;
  const ratio = photo.width_px && photo.height_px ? photo.width_px / photo.height_px : 1.5;
  desk.root.style.setProperty("--ratio", ratio);
  const here = () => desk.shown === photo.id;
  image.src = full.complete && full.naturalWidth ? full.src : (photo.thumbnail ?? full.src);
  full.onload = () => here() && (image.src = full.src);
  full.onerror = () => {
    if (!here() || photo.thumbnail) return; // the small picture stays
    image.hidden = true;
    desk.element(".none").hidden = false;
  };
}

// The pictures of the next photos, so that they are there when they are shown.
function ahead(desk) {
  const near = desk.photos.slice(Math.max(0, desk.at - 1), desk.at + 1 + AHEAD);
  near.forEach((photo) => fetched(desk, photo));
  const wanted = new Set(near.map((photo) => photo.id));
  for (const id of desk.ahead.keys()) if (!wanted.has(id)) desk.ahead.delete(id);
}

function fetched(desk, photo) {
  if (!desk.ahead.has(photo.id)) {
    const image = new Image();
    image.src = photo.picture;
    desk.ahead.set(photo.id, image);
  }
  return desk.ahead.get(photo.id);
}

function showWords(desk, photo) {
  const isEditing = desk.editing === photo.id;
  const text = photo.proposed.description ?? "";
  put(desk.element(".name"), photo.name);
  desk.element(".name").title = photo.path;
  put(desk.element(".by"), `Proposed by ${photo.model === desk.data.builtin ? "the built-in model" : photo.model}`);
  put(desk.element(".then"), text || "No description");
  // A person's own text stays; what the model said is shown beside it all the same.
  const isTheirs = ["file", "person"].includes(photo.proposed.description_source);
  const other = isTheirs ? photo.said : (photo.now.description ?? "");
  put(desk.element(".whose"), isTheirs ? "Stays, as a person wrote it" : "Proposed");
  put(desk.element(".other"), isTheirs ? "The model says" : "Now");
  put(desk.element(".now"), other);
  desk.element(".present").hidden = !other || other === text;
  desk.element(".then").hidden = isEditing;
  for (const one of desk.root.querySelectorAll(".editor")) one.hidden = !isEditing;
  const box = desk.element("textarea");
  if (isEditing && desk.filled !== photo.id) box.value = photo.text_given ?? text;
  desk.filled = isEditing ? photo.id : null;
  box.maxLength = desk.data.longest;
  desk.element("input").maxLength = desk.data.longest_tag;
  const seen = desk.element(".seen");
  seen.hidden = !photo.text;
  put(seen, photo.text ? `Text in the picture: ${photo.text}` : "");
  desk.element(".tags").replaceChildren(...photo.tags.map((tag) => chip(desk, photo, tag)));
  named(desk, photo);
}

function named(desk, photo) {
  const isMine = desk.editing === photo.id || isChanged(photo);
  put(desk.element(".does"), isMine ? "Accept as corrected" : "Accept");
}

function chip(desk, photo, tag) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "chip";
  button.setAttribute("aria-pressed", String(tag.on));
  button.textContent = tag.now ? tag.name : `+ ${tag.name}`;
  button.title = about(tag);
  button.onclick = () => {
    tag.on = !tag.on;
    button.setAttribute("aria-pressed", String(tag.on));
    named(desk, photo);
  };
  item.append(button);
  return item;
}

function about(tag) {
  if (tag.source === undefined) return "Added by you";
  if (!tag.then) return "In the photo now; not proposed any more";
  if (tag.source === "file" || tag.source === "person") return "A person's, in the photo already";
  return tag.now ? "In the photo already" : "Proposed";
}

function tell(desk, text) {
  put(desk.element(".said"), text);
}

function refuse(desk, text) {
  const news = desk.element(".news");
  put(news, text);
  news.hidden = !text;
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
