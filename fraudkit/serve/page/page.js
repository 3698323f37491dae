// The start page: fills the form from examples, sends it, draws the reply. Text only ever enters as text.
"use strict";

const $ = (id) => document.getElementById(id);
const form = $("form");
// The default policy, drawn as marks: review begins earlier for new card holders, and where the score rests on less.
const REVIEW_ABOVE = { usual: 0.5, new_customer: 0.4, degraded: 0.2 }, DECLINE_ABOVE = 0.9;
const BEARING = ["feature_store", "network", "trees"]; // parts without which a score rests on less

const BASE = {
  merchant_id: "merchant-8", amount: 42.5, currency: "USD", merchant_category: "5411", country: "US",
  latitude: 40.71, longitude: -74.0, device_id: "device-3", device_type: "mobile", ip_address: "203.0.113.7",
  card_present: false, online_transaction: true,
};

// An example is a list of transactions of one new user, oldest first, each `minutes` ago; the last one is drawn.
const EXAMPLES = [
  { title: "Ordinary purchase", about: "Groceries for 42.50 dollars on the third day in a row.",
    steps: [{ minutes: 2880, amount: 38 }, { minutes: 1440, amount: 51 }, { minutes: 0 }] },
  { title: "Card testing burst", about: "22 payments of about a dollar within eleven minutes; the rule looks for more than 20 in an hour.",
    steps: Array.from({ length: 22 }, (_, i) => ({
      minutes: (21 - i) / 2, amount: 1 + i / 100, merchant_id: "merchant-" + (i % 4), merchant_category: "5815" })) },
  { title: "Impossible travel", about: "A terminal in New York, and thirty minutes later one in Tokyo.",
    steps: [{ minutes: 31, card_present: true, online_transaction: false, device_id: "", ip_address: "", device_type: "terminal" },
            { minutes: 1, country: "JP", latitude: 35.68, longitude: 139.69, currency: "JPY", amount: 18000, card_present: true,
              online_transaction: false, device_id: "", ip_address: "", device_type: "terminal" }] },
  { title: "New device, high-risk country", about: "After two purchases on a known phone, an unknown device pays from a country on the high-risk list.",
    steps: [{ minutes: 2880 }, { minutes: 1440 },
            { minutes: 0, amount: 260, country: "BR", currency: "BRL", latitude: "", longitude: "", device_id: "device-never-seen",
              device_type: "desktop", ip_address: "198.51.100.23", merchant_category: "5732" }] },
];

const newId = (prefix) => prefix + "-" + Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, "0")).join("");
const timeAgo = (minutes) => new Date(Date.now() - minutes * 60000).toISOString();

function fill(values) {
  for (const [name, value] of Object.entries(values)) {
    const input = form.elements[name];
    if (!input) continue;
    if (input.type === "checkbox") input.checked = value; else input.value = value;
  }
}

function number(text) { return text === "" ? undefined : Number(text); }

function body(values) {
  return {
    transaction_id: newId("page"), user_id: values.user_id, amount: number(String(values.amount)), merchant_id: values.merchant_id,
    merchant_category: values.merchant_category || undefined, currency: values.currency, timestamp: values.timestamp,
    location: { country: values.country, latitude: number(String(values.latitude)), longitude: number(String(values.longitude)) },
    device: { device_id: values.device_id || undefined, device_type: values.device_type, ip_address: values.ip_address || undefined },
    card_present: values.card_present, online_transaction: values.online_transaction,
  };
}

function formValues() {
  const values = Object.fromEntries(new FormData(form));
  values.card_present = form.elements.card_present.checked;
  values.online_transaction = form.elements.online_transaction.checked;
  return values;
}

async function send(path, content) {
  const headers = { "Content-Type": "application/json" };
  if (form.elements.api_key.value) headers["X-API-Key"] = form.elements.api_key.value;
  const reply = await fetch(path, { method: "POST", headers, body: JSON.stringify(content) });
  if (reply.status === 401) $("key-field").hidden = false;
  return { status: reply.status, content: await reply.json() };
}

async function run(work) {
  for (const button of document.querySelectorAll("button")) button.disabled = true;
  try {
    const { status, content } = await work();
    if (status === 200) showReply(content); else showProblems(content.detail);
  } catch (error) {
    showProblems([{ field: "service", problem: "did not answer", remedy: "see whether it is running" }]);
  } finally {
    for (const button of document.querySelectorAll("button")) button.disabled = false;
  }
}

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function showProblems(problems) {
  $("empty").hidden = true; $("reply").hidden = true;
  const list = element("ul");
  for (const p of problems) {
    list.append(element("li", `${p.field} ${p.problem}: ${p.remedy}.`));
    const input = form.elements[p.field.split(".").pop()];
    if (input && input.setAttribute) input.setAttribute("aria-invalid", "true");
  }
  $("problems").replaceChildren(list);
}

function showReply(reply) {
  $("empty").hidden = true; $("reply").hidden = false; $("problems").replaceChildren();
  for (const input of form.elements) input.removeAttribute("aria-invalid");
  $("decision").textContent = reply.decision; $("decision").className = reply.decision;
  $("reason").textContent = reply.reason || "";
  drawGauge(reply);
  drawDrivers(reply.explanation);
  drawRules(reply.rules);
  $("facts").textContent = `Scored in ${reply.latency_ms.toFixed(1)} ms by model ${reply.model_version}, policy ${reply.policy_digest}, rules ${reply.rules_digest}.`
    + (reply.degraded.length ? ` Without: ${reply.degraded.join(", ")}.` : "");
  $("json").textContent = JSON.stringify(reply, null, 2);
}

function svg(tag, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}

function reviewAbove(reply) {
  if (reply.degraded.some((part) => BEARING.includes(part))) return [REVIEW_ABOVE.degraded, " (parts are away)", "start"];
  return reply.new_customer ? [REVIEW_ABOVE.new_customer, " (new)", "middle"] : [REVIEW_ABOVE.usual, "", "middle"];
}

function drawGauge(reply) {
  const score = reply.fraud_score, probability = reply.fraud_probability, [review, why, side] = reviewAbove(reply);
  const x = (s) => 10 + 300 * s;
  const parts = [svg("rect", { x: 10, y: 18, width: 300, height: 12, rx: 6, fill: "currentColor", opacity: 0.2 })];
  if (score !== null) parts.push(svg("rect", { x: 10, y: 18, width: Math.max(300 * score, 2), height: 12, rx: 6, fill: "currentColor", class: $("decision").className }));
  for (const [at, name, anchor] of [[review, `review above ${review}${why}`, side], [DECLINE_ABOVE, `decline above ${DECLINE_ABOVE}`, "end"]]) {
    parts.push(svg("line", { x1: x(at), x2: x(at), y1: 12, y2: 36, stroke: "currentColor", "stroke-width": 2 }));
    parts.push(svg("text", { x: { start: 10, middle: x(at), end: 310 }[anchor], y: 50, "text-anchor": anchor }, name));
  }
  $("gauge").replaceChildren(...parts);
  $("gauge-text").textContent = score === null ? "No score"
    : `Fraud score ${score.toFixed(3)}` + (probability === null ? "" : `, calibrated probability of fraud ${(100 * probability).toFixed(1)} %`);
}

function drawDrivers(drivers) {
  if (!drivers.length) { $("drivers").replaceChildren(); return; }
  const largest = Math.max(...drivers.map((d) => Math.abs(d.log_odds)));
  $("drivers").replaceChildren(element("h3", "What drove the score"), ...drivers.map((d) => {
    const towards = d.log_odds > 0;
    const box = element("div", undefined, "driver");
    box.append(element("div", `${d.words} (${towards ? "+" : "−"}${Math.abs(d.log_odds).toFixed(2)} log-odds, ${towards ? "towards" : "away from"} fraud)`));
    const track = element("div", undefined, "track"), bar = element("div", undefined, "bar " + (towards ? "towards" : "away"));
    bar.style.width = `${100 * Math.abs(d.log_odds) / largest}%`;
    track.append(bar); box.append(track);
    return box;
  }));
}

function drawRules(rules) {
  if (!rules.length) { $("rules").replaceChildren(); return; }
  const list = element("ul");
  for (const r of rules) list.append(element("li", `${r.reason} (${r.rule_id}, confidence ${r.confidence.toFixed(2)})`));
  $("rules").replaceChildren(element("h3", "Rules that fired"), list);
}

async function runExample(example) {
  $("about").textContent = example.about;
  const user_id = newId("visitor");
  const steps = example.steps.map((step) => ({ ...BASE, ...step, user_id, timestamp: timeAgo(step.minutes) }));
  fill(steps[steps.length - 1]);
  await run(async () => {
    const reply = await send("/score_transactions", { transactions: steps.map(body) });
    if (reply.status !== 200) return reply;
    const last = reply.content.results[steps.length - 1];
    return { status: last.status, content: last.reply || last };
  });
}

for (const example of EXAMPLES) {
  const button = element("button", example.title);
  button.type = "button";
  button.addEventListener("click", () => runExample(example));
  $("examples").append(button);
}
fill({ user_id: newId("visitor"), timestamp: timeAgo(0) });
form.addEventListener("submit", (event) => {
  event.preventDefault();
  run(() => send("/score_transaction", body(formValues())));
});
