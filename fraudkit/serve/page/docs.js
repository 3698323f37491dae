// The reference page: routes, fields and examples, drawn from /openapi.json.
"use strict";

function element(tag, text) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  return made;
}

const follow = (schema, whole) => schema.$ref ? whole.components.schemas[schema.$ref.split("/").pop()] : schema;

function typeOf(field, whole) {
  if (field.anyOf) return field.anyOf.map((f) => typeOf(f, whole)).join(" or ");
  const real = follow(field, whole);
  if (real.enum) return real.enum.join(" | ");
  if (real.const) return real.const;
  if (real.type === "array") return `array of ${typeOf(real.items, whole)}`;
  return field.$ref ? field.$ref.split("/").pop() : real.type;
}

function limits(field) {
  const parts = (field.anyOf || [field]).flatMap((f) => [
    f.minimum !== undefined && `from ${f.minimum}`, f.maximum !== undefined && `to ${f.maximum}`,
    f.maxLength && `at most ${f.maxLength} characters`, f.maxItems && `at most ${f.maxItems} items`, f.pattern && `form ${f.pattern}`,
  ]).filter(Boolean);
  if (field.default !== undefined && field.default !== null) parts.push(`default ${JSON.stringify(field.default)}`);
  return [field.description, ...parts].filter(Boolean).join("; ");
}

function rows(schema, whole, prefix, required) {
  return Object.entries(schema.properties || {}).flatMap(([name, field]) => {
    const row = element("tr");
    const needed = required && (schema.required || []).includes(name) ? "required" : "";
    row.append(element("td", prefix + name), element("td", typeOf(field, whole)), element("td", needed), element("td", limits(field)));
    const inner = follow(field.items || field, whole);
    return inner.properties ? [row, ...rows(inner, whole, `${prefix}${name}.`, required)] : [row];
  });
}

function table(schema, whole, required) {
  const made = element("table"), head = element("tr"), scroll = element("div");
  head.append(...["Field", "Type", required ? "Required" : "", "Meaning and limits"].map((text) => element("th", text)));
  made.append(head, ...rows(schema, whole, "", required));
  scroll.className = "scroll"; scroll.append(made);
  return scroll;
}

function example(title, schema) {
  if (!schema.examples) return [];
  const text = element("pre", JSON.stringify(schema.examples[0], null, 2));
  text.tabIndex = 0;
  return [element("h3", title), text];
}

const jsonSchema = (content) => content && content["application/json"] && content["application/json"].schema;

function route(path, method, operation, whole) {
  const box = element("article"), title = element("h2");
  title.append(element("code", `${method.toUpperCase()} ${path}`));
  box.append(title, element("p", operation.summary));
  const asked = operation.requestBody && jsonSchema(operation.requestBody.content);
  if (asked) {
    const schema = follow(asked, whole);
    box.append(element("h3", "Request"), table(schema, whole, true), ...example("Example request", schema));
  }
  const given = jsonSchema(operation.responses["200"] && operation.responses["200"].content);
  if (given && (given.$ref || given.properties)) {
    const schema = follow(given, whole);
    box.append(element("h3", "Reply"), table(schema, whole, false), ...example("Example reply", schema));
  }
  const list = element("ul");
  for (const [status, reply] of Object.entries(operation.responses)) if (status !== "200") list.append(element("li", `${status}: ${reply.description}`));
  if (list.children.length) box.append(element("h3", "Other statuses"), list);
  return box;
}

fetch("/openapi.json").then((reply) => reply.json()).then((whole) => {
  const routes = Object.entries(whole.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => route(path, method, operation, whole)));
  document.getElementById("routes").append(element("p", whole.info.description), ...routes);
});
