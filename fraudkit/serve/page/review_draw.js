// Draws the review queue: a case in the list, a case as a whole. Text only ever enters as text; nothing here asks the service.
"use strict";

const $ = (id) => document.getElementById(id);

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function svg(tag, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}

const money = (amount, currency) => amount === null ? "not kept" : `${amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })} ${currency}`;
const dollars = (amount) => amount.toLocaleString("en", { style: "currency", currency: "USD" });
const time = (text) => text === null ? "" : text.slice(0, 16).replace("T", " ") + " UTC";
const clock = (text) => new Date(text).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
const share = (number) => number === null ? "none" : number.toFixed(3);

function age(text) {
  const minutes = Math.max(0, Math.round((Date.now() - new Date(text)) / 60000));
  return minutes < 60 ? `${minutes} min` : minutes < 2880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}

function drawOption(one, me) {
  const made = element("li"), top = element("div", undefined, "top"), why = element("div", one.why, "why");
  made.setAttribute("role", "option");
  made.dataset.id = one.transaction_id;
  const loss = element("span", dollars(one.expected_loss));
  loss.title = "expected loss";
  top.append(loss, element("span", holderWords(one, me), "holder"));
  made.append(top, element("div", `${money(one.amount, one.currency)} · ${one.country || "?"} · ${one.action} · ${age(one.queued_at)}`, "quiet"), why);
  return made;
}

function holderWords(one, me) {
  if (one.state !== "open") return one.state;
  if (one.claimed_by === null) return "";
  return one.claimed_by === me ? "yours" : `with ${one.claimed_by}`;
}

function stateWords(one, me) {
  if (one.state !== "open") return `Closed as ${one.state}${one.closed_by ? " by " + one.closed_by : ""}, ${time(one.closed_at)}.`;
  if (one.claimed_by === null) return "Open, and nobody has it. Claim it to decide it.";
  return one.claimed_by === me ? `Yours until ${clock(one.claimed_until)}.` : `With ${one.claimed_by} until ${clock(one.claimed_until)}.`;
}

function drawCase(whole) {
  const one = whole.case, payment = whole.payment;
  $("case-title").textContent = `Case ${one.transaction_id}`;
  $("why").textContent = one.why;
  drawFacts([
    ["Expected loss", dollars(one.expected_loss)], ["Amount", money(one.amount, one.currency)],
    ["Decision", whole.reply.decision === one.action ? one.action : `${whole.reply.decision}, later ${one.action}`],
    ["Score", share(one.fraud_score)], ["Probability of fraud", share(one.fraud_probability)], ["Card holder", one.user_id],
    ["Paid", time(one.paid_at)], ["Merchant", `${one.merchant_id || "?"}, category ${one.merchant_category || "?"}`],
    ...(payment === null ? [] : [
      ["Place", `${payment.country} (${payment.latitude.toFixed(1)}, ${payment.longitude.toFixed(1)})`],
      ["Card", payment.card_present ? "present" : payment.online_transaction ? "online" : "not present"],
      ...(payment.card_ref ? [["Card reference", payment.card_ref]] : []),
      ["Device", `${payment.device_id || "none seen"}, ${payment.device_type}`], ["Address", payment.ip_address || "none"],
    ]),
    ["Model", whole.reply.model_version], ...(whole.reply.degraded.length ? [["Was missing", whole.reply.degraded.join(", ")]] : []),
  ]);
  drawReasons(whole.reply.explanation);
  drawRules(whole.reply.rules);
  drawHistory(whole.history, payment && payment.card_ref);
  drawSteps(whole);
}

function drawFacts(facts) {
  $("facts").replaceChildren(...facts.map(([name, value]) => {
    const box = element("div");
    box.append(element("dt", name), element("dd", value));
    return box;
  }));
}

// Bars to the right speak for fraud, bars to the left against it; each says so in words too.
function drawReasons(drivers) {
  const width = 440, largest = Math.max(...drivers.map((d) => Math.abs(d.log_odds)), 1e-9);
  const sentences = drivers.map((d) => `${d.words}: ${signed(d)}, ${d.log_odds > 0 ? "towards" : "away from"} fraud`);
  let y = 0;
  const parts = drivers.flatMap((d) => {
    const made = drawDriver(d, y, width / 2, (width / 2 - 50) * Math.abs(d.log_odds) / largest);
    y += made.height;
    return made.parts;
  });
  $("reasons").setAttribute("viewBox", `0 0 ${width} ${Math.max(y, 1)}`);
  $("reasons").setAttribute("aria-label", drivers.length ? `What drove the score. ${sentences.join(". ")}.` : "No explanation");
  $("reasons").replaceChildren(...parts);
  $("reasons-text").textContent = drivers.length ? "Log-odds of the trees' score: right of the line towards fraud, left of it away from fraud."
    : "No explanation was kept with this decision.";
}

const signed = (d) => `${d.log_odds > 0 ? "+" : "−"}${Math.abs(d.log_odds).toFixed(2)}`;

function drawDriver(d, y, middle, length) {
  const towards = d.log_odds > 0, end = towards ? middle + length : middle - length, lines = wrapped(d.words, 60);
  const bar = y + 4 + 16 * lines.length;
  const parts = [
    ...lines.map((line, n) => svg("text", { x: 0, y: y + 13 + 16 * n }, line)),
    svg("rect", { x: towards ? middle : end, y: bar, width: Math.max(length, 1), height: 14, class: towards ? "towards" : "away" }),
    svg("line", { x1: middle, x2: middle, y1: bar - 3, y2: bar + 17, class: "zero" }),
    svg("text", { x: towards ? end + 6 : end - 6, y: bar + 12, "text-anchor": towards ? "start" : "end" }, signed(d)),
  ];
  return { parts, height: 16 * lines.length + 30 };
}

// SVG does not break lines.
function wrapped(text, most) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trim();
    if (line.length <= most) lines[lines.length - 1] = line; else lines.push(word);
  }
  return lines;
}

function drawRules(rules) {
  const list = element("ul");
  for (const r of rules) list.append(element("li", `${r.reason} (${r.rule_id}, confidence ${r.confidence.toFixed(2)})`));
  $("rules").replaceChildren(...(rules.length ? [element("h3", "Rules that fired"), list] : []));
}

function sameCard(p, ref) {
  return ref && p.card_ref ? (p.card_ref === ref ? ", same card" : ", another card") : "";
}

function drawHistory(history, ref) {
  if (!history.length) { $("history").replaceChildren(element("caption", "No other payment was decided here.")); return; }
  const head = element("tr");
  for (const name of ["Paid (UTC)", "Amount", "Merchant", "Country", "Card", "Decision", "Score", "Known"]) {
    const cell = element("th", name);
    cell.scope = "col";
    head.append(cell);
  }
  $("history").replaceChildren(head, ...history.map((p) => {
    const row = element("tr");
    const known = p.is_fraud === null ? "" : p.is_fraud ? "fraud" : "legitimate";
    for (const text of [time(p.paid_at).replace(" UTC", ""), money(p.amount, p.currency), `${p.merchant_id} (${p.merchant_category})`, p.country,
      (p.card_present ? "present" : "not present") + sameCard(p, ref), p.action, share(p.fraud_score), known]) row.append(element("td", text));
    return row;
  }));
}

function drawSteps(whole) {
  const said = whole.feedback.filter((w) => w.source !== "manual_review")
    .map((w) => [w.received_at, `${w.source.replace("_", " ")} says ${w.is_fraud ? "fraud" : "legitimate"}`]);
  const done = whole.steps.map((s) => [s.at, `${s.event}${s.analyst ? " by " + s.analyst : ""}${s.note ? ": " + s.note : ""}`]);
  const lines = [[whole.case.queued_at, "entered the queue"], ...said, ...done].sort((a, b) => a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);
  $("steps").replaceChildren(...lines.map(([at, words]) => element("li", `${time(at)}: ${words}`)));
}
