// Rows of tables and nodes of drawings, for the pages that measure.

function tableRow(cells, tag, classes = []) {
  const row = el("tr");
  row.append(...cells.map((cell, n) => el(tag, classes[n] || "", cell)));
  if (tag === "th") for (const cell of row.children) cell.scope = "col";
  return row;
}

function drawTable({ title, columns, rows, caption }) {
  const table = el("table"), head = el("thead"), body = el("tbody"), frame = el("div", "scroll");
  table.setAttribute("aria-label", caption || title);
  const number = columns.map((_, c) => (rows.every((row) => /^([-−]?[\d.]+( %)?( \(.*\))?|–)$/.test(row[c])) ? "number" : ""));
  head.append(tableRow(columns, "th", number));
  body.append(...rows.map((row) => tableRow(row, "td", number)));
  table.append(head, body);
  frame.append(table);
  return caption ? [frame, el("p", "caption", caption)] : [frame];
}
