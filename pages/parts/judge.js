// One photo after the other, with what each contender said of it. A choice shows at once
// and goes on to the next photo that has none. Every word comes from models and photo
// files: textContent only.

const TELL_AFTER_MS = 500; // a walk through photos with the arrows is told once
const judges = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".judge");
  let judge = judges.get(parentElement);
  if (!judge || judge.data?.comparison !== data.comparison) {
    judge = { root, at: first(data), mine: new Map() };
    judges.set(parentElement, judge);
  }
  if (judge.data && judge.data.blind !== data.blind) judge.mine.clear();
  judge.data = data;
  judge.tell = setTriggerValue;
  // What was just chosen here counts until the program has heard of it.
  for (const photo of data.photos) {
    if (judge.mine.get(photo.id) === photo.choice) judge.mine.delete(photo.id);
  }
  root.querySelector(".before").onclick = () => step(judge, -1);
  root.querySelector(".after").onclick = () => step(judge, 1);
  root.querySelector(".tie").onclick = () => choose(judge, "tie");
  root.querySelector(".neither").onclick = () => choose(judge, "neither");
  root.querySelector(".none").onclick = () => choose(judge, null);
  draw(judge);
  listen(judge);
  return () => document.removeEventListener("keydown", judge.onKey);
}

// Run again, it is not cleaned up first: one listener, however often.
function listen(judge) {
  document.removeEventListener("keydown", judge.onKey);
  judge.onKey = (event) => judge.root.isConnected && keyed(judge, event);
  document.addEventListener("keydown", judge.onKey);
}

function first(data) {
  const asked = data.photos.findIndex((photo) => photo.id === data.at);
  if (asked >= 0) return asked;
  return Math.max(0, data.photos.findIndex((photo) => photo.choice === null));
}

function chosen(judge, photo) {
  return judge.mine.has(photo.id) ? judge.mine.get(photo.id) : photo.choice;
}

function keyed(judge, event) {
  const at = event.composedPath()[0];
  const types = at.matches?.(
    "input:not([type='checkbox']), textarea, select, [contenteditable='true'], [role='grid']",
  );
  const holds = event.ctrlKey || event.metaKey || event.altKey || event.isComposing;
  if (event.defaultPrevented || types || holds) return;
  if (document.querySelector("[role='dialog']")) return;
  const does = {
    ArrowLeft: () => step(judge, -1),
    ArrowRight: () => step(judge, 1),
    t: () => choose(judge, "tie"),
    n: () => choose(judge, "neither"),
    u: () => choose(judge, null),
  }[event.key];
  const number = /^[1-9]$/.test(event.key) ? Number(event.key) : 0;
  const answer = judge.data.photos[judge.at].answers[number - 1];
  if (does) does();
  else if (answer && !answer.problem) choose(judge, answer.id);
  else return;
  event.preventDefault();
}

function choose(judge, choice) {
  const { data } = judge;
  const photo = data.photos[judge.at];
  if (chosen(judge, photo) === choice) return;
  judge.mine.set(photo.id, choice);
  // Of clicks in quick succession the program hears the last: each tells all of them.
  const { comparison, blind } = data;
  judge.tell("choice", { comparison, blind, choices: [...judge.mine] });
  if (choice !== null) goOn(judge);
  draw(judge);
}

function goOn(judge) {
  const { photos } = judge.data;
  for (let away = 1; away < photos.length; away += 1) {
    const at = (judge.at + away) % photos.length;
    if (chosen(judge, photos[at]) === null) {
      judge.at = at;
      return;
    }
  }
}

function step(judge, by) {
  const to = judge.at + by;
  if (to >= 0 && to < judge.data.photos.length) goTo(judge, to);
}

function goTo(judge, to) {
  judge.at = to;
  draw(judge);
  clearTimeout(judge.telling);
  judge.telling = setTimeout(
    () => judge.root.isConnected && judge.tell("at", judge.data.photos[judge.at].id),
    TELL_AFTER_MS,
  );
}

// -- drawing ---------------------------------------------------------------------------

function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function draw(judge) {
  const { root, data } = judge;
  judge.at = Math.min(judge.at, data.photos.length - 1);
  const photo = data.photos[judge.at];
  const done = data.photos.filter((one) => chosen(judge, one) !== null).length;
  const place = `Photo ${judge.at + 1} of ${data.photos.length}, ${done} judged`;
  const said = root.querySelector(".place");
  if (said.textContent !== place) said.textContent = place;
  root.querySelector(".before").disabled = judge.at === 0;
  root.querySelector(".after").disabled = judge.at === data.photos.length - 1;
  drawAll(judge);
  drawPhoto(root, photo);
  drawAnswers(judge, photo);
  const choice = chosen(judge, photo);
  for (const name of ["tie", "neither"]) {
    root.querySelector(`.${name}`).setAttribute("aria-pressed", String(choice === name));
  }
  root.querySelector(".none").disabled = choice === null;
}

function drawAll(judge) {
  const all = judge.root.querySelector(".all");
  const { photos } = judge.data;
  while (all.childElementCount > photos.length) all.lastElementChild.remove();
  while (all.childElementCount < photos.length) {
    const dot = make("button", "dot", String(all.childElementCount + 1));
    dot.type = "button";
    all.append(dot);
  }
  photos.forEach((photo, at) => {
    const dot = all.children[at];
    const judged = chosen(judge, photo) !== null;
    dot.classList.toggle("judged", judged);
    dot.setAttribute("aria-label", `Photo ${at + 1}${judged ? ", judged" : ""}`);
    if (at === judge.at) dot.setAttribute("aria-current", "true");
    else dot.removeAttribute("aria-current");
    dot.onclick = () => goTo(judge, at);
  });
}

function drawPhoto(root, photo) {
  const frame = root.querySelector(".frame");
  if (frame.dataset.id !== `${photo.id} ${photo.src}`) {
    frame.dataset.id = `${photo.id} ${photo.src}`;
    frame.replaceChildren(picture(photo));
  }
  root.querySelector(".name").textContent = photo.name;
  root.querySelector(".now").textContent = photo.now;
}

function picture(photo) {
  if (!photo.src) return make("span", "nopicture", "No thumbnail yet");
  const image = make("img", "picture");
  image.alt = photo.name;
  image.src = photo.src;
  image.onerror = () => image.replaceWith(make("span", "nopicture", "No thumbnail"));
  return image;
}

function drawAnswers(judge, photo) {
  const list = judge.root.querySelector(".answers");
  const drawn = JSON.stringify([photo.id, judge.data.blind, photo.answers]);
  if (list.dataset.drawn !== drawn) {
    list.dataset.drawn = drawn;
    list.replaceChildren(
      ...photo.answers.map((answer, at) => card(judge, answer, at + 1)),
    );
  }
  const choice = chosen(judge, photo);
  photo.answers.forEach((answer, at) => {
    const item = list.children[at];
    const picked = choice === answer.id;
    item.classList.toggle("picked", picked);
    item.querySelector(".pick").setAttribute("aria-pressed", String(picked));
  });
}

function card(judge, answer, number) {
  const item = make("li", "answer");
  item.dataset.testid = "judge-answer";
  const head = make("div", "head");
  head.append(make("h3", "who", answer.name));
  if (answer.note) head.append(make("p", "note", answer.note));
  item.append(head);
  if (answer.problem) {
    item.append(make("p", "problem", answer.problem));
    if (answer.reason) item.append(make("p", "reason", answer.reason));
  } else {
    item.append(make("p", "description", answer.description), tags(answer.tags));
    if (answer.text) item.append(make("p", "reads", `Reads: ${answer.text}`));
  }
  const pick = make("button", "pick", `This one is better (${number})`);
  pick.type = "button";
  pick.setAttribute("aria-keyshortcuts", String(number));
  pick.setAttribute("aria-label", `${answer.name} is better`);
  pick.disabled = Boolean(answer.problem);
  pick.onclick = () => choose(judge, answer.id);
  item.append(pick);
  return item;
}

function tags(listed) {
  const list = make("ul", "tags");
  list.append(
    ...listed.map(([name, known]) => {
      const tag = make("li", known ? "tag known" : "tag", name);
      if (known) tag.title = "The photo has this tag now";
      return tag;
    }),
  );
  return list;
}
