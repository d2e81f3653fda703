// Tables and the scales of drawings, for the pages that measure.

// Numbers with a unit of at most three letters, an interval behind them, or a dash for none.
const NUMBER = /^([-−+]?[\d.,]+(\s?\S{1,3})?( \(.*\))?|–|)$/;

function tableRow(cells, tag, classes = []) {
  const row = el("tr");
  row.append(...cells.map((cell, n) => el(tag, classes[n] || "", cell)));
  if (tag === "th") for (const cell of row.children) cell.scope = "col";
  return row;
}

function drawTable({ title, columns, rows, caption }) {
  const table = el("table"), head = el("thead"), body = el("tbody"), frame = el("div", "scroll");
  table.setAttribute("aria-label", caption || title);
  const number = columns.map((_, c) => (rows.length && rows.every((row) => NUMBER.test(row[c])) ? "number" : ""));
  head.append(tableRow(columns, "th", number));
  body.append(...rows.map((row) => tableRow(row, "td", number)));
  table.append(head, body);
  frame.append(table);
  return caption ? [frame, el("p", "caption", caption)] : [frame];
}

// Round numbers that cover a range, with their words: the step is 1, 2 or 5 times a power of ten.
function roundNumbers(low, high, about = 4) {
  const raw = (high - low || Math.abs(high) || 1) / about;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= raw * 0.999);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  // Adding 0 turns a negative zero into the plain one.
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n++) found.push([n * step, (n * step + 0).toFixed(digits)]);
  return found;
}

function fillSummary(data) {
  document.querySelector("h1").textContent = data.title;
  document.getElementById("summary").append(...data.summary.map((text, n) => el("p", n ? "soft" : "", text)));
}
