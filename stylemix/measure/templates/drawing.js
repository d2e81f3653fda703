// Rows of tables and nodes of drawings, for the pages that measure.

function tableRow(cells, tag, classes = []) {
  const row = el("tr");
  row.append(...cells.map((cell, n) => el(tag, classes[n] || "", cell)));
  if (tag === "th") for (const cell of row.children) cell.scope = "col";
  return row;
}

function drawTable({ columns, rows, caption }) {
  const table = el("table"), head = el("thead"), body = el("tbody"), frame = el("div", "scroll");
  table.setAttribute("aria-label", caption);
  const number = columns.map((_, c) => (rows.every((row) => /^([-−]?[\d.]+( %)?|–)$/.test(row[c])) ? "number" : ""));
  head.append(tableRow(columns, "th", number));
  const kinds = { hybrid: "kind", crossfade: "kind control" };
  body.append(...rows.map((row) => tableRow(row, "td", row.map((cell, c) => kinds[cell] || number[c]))));
  table.append(head, body);
  frame.append(table);
  return [frame, el("p", "caption", caption)];
}

function svgNode(tag, attributes, text = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = text;
  return node;
}
