// The review queue's page: asks the service, keeps the selection, answers keys. Drawing is in review_draw.js.
"use strict";

const POLL_MS = 10000, PAGE = 50, MOST = 200;
const filters = $("filters");
let me = "nobody", cases = [], next = null, selected = null, opened = null, wanted = PAGE, last = Promise.resolve();

const stored = (place, name, otherwise) => { try { return place.getItem(name) ?? otherwise; } catch { return otherwise; } };
const store = (place, name, value) => { try { place.setItem(name, value); } catch { /* a browser that keeps nothing still works */ } };

async function ask(path, content) {
  const headers = {};
  if (content !== undefined) headers["Content-Type"] = "application/json";
  if (filters.elements.api_key.value) headers["X-API-Key"] = filters.elements.api_key.value;
  if (filters.elements.analyst.value) headers["X-Analyst"] = filters.elements.analyst.value;
  const method = content === undefined ? "GET" : "POST";
  const reply = await fetch("/v1/reviews" + path, { method, headers, body: content === undefined ? undefined : JSON.stringify(content) });
  if (reply.status === 401) { $("key-field").hidden = false; filters.elements.api_key.focus(); }
  return { status: reply.status, content: await reply.json() };
}

// Pieces of work follow each other, so that no key is lost; what goes wrong is told.
function work(what) {
  last = last.then(() => what()).catch(() => tell("The service did not answer: see whether it is running."));
  return last;
}

function tell(problem) {
  $("problem").textContent = problem;
}

const problemOf = (content) => content.detail.map((p) => `${p.field} ${p.problem}: ${p.remedy}.`).join(" ");

function say(words) {
  $("status").textContent = words;
  tell("");
}

function query(after) {
  const chosen = new URLSearchParams({ state: filters.elements.state.value, limit: after ? PAGE : wanted });
  if (filters.elements.min_loss.value) chosen.set("min_loss", filters.elements.min_loss.value);
  if (filters.elements.user_id.value) chosen.set("user_id", filters.elements.user_id.value.trim());
  if (after) chosen.set("after", after);
  return "?" + chosen;
}

async function load(after) {
  const { status, content } = await ask(query(after));
  if (status !== 200) { tell(problemOf(content)); return false; }
  tell("");
  me = content.analyst;
  next = content.next;
  cases = after ? [...cases, ...content.cases] : content.cases;
  wanted = Math.min(Math.max(cases.length, PAGE), MOST);
  const anonymous = ["nobody", "environment", filters.elements.analyst.value].includes(me);
  $("name-field").hidden = $("name-hint").hidden = !anonymous;
  $("count").textContent = `(${cases.length} shown, ${content.open} open)`;
  drawList();
  return true;
}

function drawList() {
  const focused = $("cases").contains(document.activeElement);
  if (!cases.some((c) => c.transaction_id === selected)) selected = cases.length ? cases[0].transaction_id : null;
  $("cases").replaceChildren(...cases.map((c) => drawOption(c, me)));
  $("empty").hidden = cases.length > 0;
  $("more").hidden = next === null;
  mark(focused);
}

function mark(focus) {
  for (const option of $("cases").children) {
    const chosen = option.dataset.id === selected;
    option.setAttribute("aria-selected", String(chosen));
    option.tabIndex = chosen ? 0 : -1;
    if (chosen && focus) { option.focus({ preventScroll: true }); option.scrollIntoView({ block: "nearest" }); }
  }
}

async function move(step) {
  const at = cases.findIndex((c) => c.transaction_id === selected);
  if (step > 0 && at === cases.length - 1 && next !== null) await load(next);
  const to = Math.min(Math.max(at + step, 0), cases.length - 1);
  if (to >= 0) { selected = cases[to].transaction_id; mark(true); }
}

async function open(id, focus) {
  const { status, content } = await ask("/" + encodeURIComponent(id));
  if (status !== 200) { tell(problemOf(content)); return; }
  if (opened === null || opened.transaction_id !== id) $("note").value = "";
  if (cases.some((c) => c.transaction_id === id)) selected = id;
  drawCase(content);
  $("case").hidden = false;
  history.replaceState(null, "", "#" + encodeURIComponent(id));
  hold(content.case);
  mark(false);
  if (focus) $("case-title").focus();
}

// The case as the service last told it: who has it decides what can be done.
function hold(one) {
  opened = one;
  $("case-state").textContent = stateWords(one, me);
  const isOpen = one.state === "open", mine = isOpen && one.claimed_by === me;
  $("claim").disabled = !isOpen || one.claimed_by !== null;
  $("fraud").disabled = $("legitimate").disabled = $("release").disabled = !mine;
  $("note").disabled = !isOpen;
  const at = cases.findIndex((c) => c.transaction_id === one.transaction_id);
  if (at >= 0) { cases[at] = one; drawList(); }
}

function close() {
  $("case").hidden = true;
  opened = null;
  history.replaceState(null, "", location.pathname);
  mark(true);
}

async function act(verb, content, words) {
  const { status, content: reply } = await ask(`/${encodeURIComponent(opened.transaction_id)}/${verb}`, content);
  if (reply.case) hold(reply.case);
  if (status !== 200) { tell(problemOf(reply)); return false; }
  if (words) say(words);
  return true;
}

async function claim() {
  if (opened === null) await open(selected, false);
  if (await act("claim", {}, `${opened.transaction_id} is yours.`)) await open(opened.transaction_id, true);
}

async function decide(isFraud) {
  const id = opened.transaction_id, at = cases.findIndex((c) => c.transaction_id === id);
  if (!await act("decide", { is_fraud: isFraud, note: $("note").value })) return;
  const words = `${id}: ${isFraud ? "fraud" : "legitimate"}, kept as feedback.`;
  const following = cases[at + 1] || cases[at - 1];
  await load();
  const still = following && cases.find((c) => c.transaction_id === following.transaction_id);
  if (still) await open(still.transaction_id, true); else close();
  say(still ? words : words + " Nothing more to show.");
}

const can = (id) => opened !== null && !$(id).disabled;
const KEYS = {
  j: () => move(1), k: () => move(-1),
  c: () => { if (opened === null ? selected !== null : can("claim")) return claim(); },
  f: () => { if (can("fraud")) return decide(true); },
  l: () => { if (can("legitimate")) return decide(false); },
  u: () => { if (can("release")) return act("release", {}, `${opened.transaction_id} is free again.`); },
};

const isWriting = (target) => target.matches("input, select, textarea");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  if (event.key === "Escape" && opened !== null) {
    event.preventDefault();
    if (isWriting(event.target)) $("case-title").focus(); else close();
    return;
  }
  if (isWriting(event.target)) return;
  const inList = $("cases").contains(event.target);
  const arrow = inList && { ArrowDown: "j", ArrowUp: "k" }[event.key];
  if (inList && event.key === "Enter") { event.preventDefault(); const id = event.target.dataset.id; work(() => open(id, true)); return; }
  if (!arrow && !$("shortcuts").checked) return;
  if (event.key === "?") { event.preventDefault(); $("help").showModal(); return; }
  const key = KEYS[arrow || event.key];
  if (key) { event.preventDefault(); work(key); }
});

// A case stays with whoever works on it; who only leaves the page open loses it.
let active = false;
for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, () => { active = true; }, true);

async function renew() {
  const mine = opened !== null && opened.state === "open" && opened.claimed_by === me;
  if (mine && active) await act("claim", {});
  active = false;
}

// What others did meanwhile: the list, and the open case where it is not in the list any more.
async function refresh() {
  if (!await load() || opened === null) return;
  const listed = cases.find((c) => c.transaction_id === opened.transaction_id);
  if (listed) hold(listed); else await open(opened.transaction_id, false);
}

setInterval(() => {
  if (document.visibilityState === "visible" && !$("help").open) work(refresh);
}, POLL_MS);
setInterval(() => work(renew), 60000);

$("cases").addEventListener("click", (event) => {
  const option = event.target.closest("li");
  if (option) work(() => open(option.dataset.id, true));
});
for (const id of ["claim", "fraud", "legitimate", "release"]) {
  $(id).addEventListener("click", () => work(KEYS[{ claim: "c", fraud: "f", legitimate: "l", release: "u" }[id]]));
}
$("more").addEventListener("click", () => work(() => load(next)));
$("help-button").addEventListener("click", () => $("help").showModal());
$("shortcuts").addEventListener("change", () => store(localStorage, "review-keys", String($("shortcuts").checked)));
filters.addEventListener("submit", (event) => {
  event.preventDefault();
  store(sessionStorage, "review-key", filters.elements.api_key.value);
  store(localStorage, "review-name", filters.elements.analyst.value);
  wanted = PAGE;
  work(async () => { say(""); await refresh(); mark(true); });
});

$("shortcuts").checked = stored(localStorage, "review-keys", "true") === "true";
filters.elements.api_key.value = stored(sessionStorage, "review-key", "");
filters.elements.analyst.value = stored(localStorage, "review-name", "");
work(async () => {
  if (!await load()) return;
  const asked = decodeURIComponent(location.hash.slice(1));
  if (asked) await open(asked, true); else mark(true);
});
