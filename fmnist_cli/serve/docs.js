"use strict";
// Lists the operations of openapi.json.

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

function table(rows) {
  const made = element("dl", "", "facts");
  for (const [term, text] of rows) made.append(element("dt", term), element("dd", text));
  return made;
}

function type(schema) {
  const range = [["minimum", "at least"], ["maximum", "at most"]].filter(([key]) => key in schema);
  return [
    schema.enum ? schema.enum.join(" | ") : schema.type,
    ...range.map(([key, words]) => `${words} ${schema[key]}`),
    ...("default" in schema ? [`default ${schema.default}`] : []),
  ].join(", ");
}

function operation(path, method, { description, parameters = [], requestBody, responses }) {
  const section = element("section", "", "operation");
  section.append(element("h2", `${method.toUpperCase()} ${path}`), element("p", description));
  if (requestBody) {
    section.append(element("h3", "Body"), element("p", requestBody.description));
    section.append(element("p", Object.keys(requestBody.content).join(", "), "muted"));
  }
  if (parameters.length) {
    const rows = parameters.map((one) => [one.name, `${one.description} (${type(one.schema)})`]);
    section.append(element("h3", "Query"), table(rows));
  }
  const rows = Object.entries(responses).map(([status, { description: text }]) => [status, text]);
  section.append(element("h3", "Status"), table(rows));
  return section;
}

async function list() {
  const { paths } = await (await fetch("openapi.json")).json();
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, described] of Object.entries(operations)) {
      document.querySelector("#operations").append(operation(path, method, described));
    }
  }
}

list();
