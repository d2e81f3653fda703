// The properties of representations: a table of verdicts, a plot of how far each moves, all numbers.

const MARKS = { yes: "✓", partly: "≈", no: "✗" };
// Below this share a distance is drawn on the floor: a shift moves the Fourier modulus by rounding only.
const FLOOR = 0.001;
const TOP = 2;
const OUTLINES = [
  "M-4 -4H4V4H-4Z", "M0 -5.2L5 4H-5Z", "M0 5.2L5 -4H-5Z", "M0 -5.4L5.4 0L0 5.4L-5.4 0Z",
  "M-5 -1.5H-1.5V-5H1.5V-1.5H5V1.5H1.5V5H-1.5V1.5H-5Z", "M-4.4 0A4.4 4.4 0 1 0 4.4 0A4.4 4.4 0 1 0 -4.4 0Z",
  "M-4.6 -2.6L0 -5.3L4.6 -2.6V2.6L0 5.3L-4.6 2.6Z", "M0 -5.6L1.6 -1.8L5.4 -1.8L2.4 0.8L3.5 4.8L0 2.4L-3.5 4.8L-2.4 0.8L-5.4 -1.8L-1.6 -1.8Z",
];

class PropertiesPage {
  constructor(data) {
    fillSummary(data);
    document.getElementById("measure").textContent = data.measure;
    document.getElementById("marks").textContent = data.marks;
    document.getElementById("properties").append(...propertyRows(data.columns, data.rows));
    document.getElementById("legend").append(...data.rows.map(({ title }, n) => this.legendItem(title, n)));
    document.getElementById("plots").append(...data.plots.map((plot) => drawPlot(plot, data.limits)));
    document.getElementById("verdicts").append(...data.verdicts.map((text) => el("li", "", text)));
    for (const table of data.tables) document.getElementById("tables").append(el("h3", "sub", table.title), ...drawTable(table));
    if (data.rebuilding) {
      const section = document.getElementById("rebuilding");
      section.hidden = false;
      section.append(...drawTable(data.rebuilding));
    }
    fillFacts(document.getElementById("facts"), data.facts);
  }

  // Pointing at a name brings its lines out.
  legendItem(title, n) {
    const item = el("span");
    item.append(key(n), el("span", "", title));
    item.addEventListener("pointerenter", () => this.bringOut(n));
    item.addEventListener("pointerleave", () => this.bringOut(null));
    return item;
  }

  bringOut(n) {
    for (const group of document.querySelectorAll("#plots g[data-n]")) {
      group.classList.toggle("faded", n !== null && group.dataset.n !== String(n));
    }
  }
}

function key(n) {
  const svg = svgNode("svg", { class: "key", viewBox: "-8 -8 16 16", "aria-hidden": "true" });
  svg.append(svgNode("path", { class: `k${n}`, d: OUTLINES[n % OUTLINES.length] }));
  return svg;
}

function propertyRows(columns, rows) {
  const head = el("thead"), body = el("tbody");
  head.append(tableRow(["", ...columns], "th"));
  rows.forEach(({ title, settings, cells }, n) => {
    const row = el("tr"), first = el("td"), name = el("span", "name");
    name.append(key(n), el("span", "", title));
    first.append(name, el("span", "settings", settings));
    row.append(first, ...cells.map((cell) => {
      if (!cell) return el("td", "", "–");
      const shown = el("td", `verdict ${cell.holds}`);
      const mark = el("i", "", MARKS[cell.holds]);
      mark.title = { yes: "holds", partly: "in part", no: "does not hold" }[cell.holds];
      shown.append(mark, cell.text);
      return shown;
    }));
    body.append(row);
  });
  return [head, body];
}

// Both axes are logarithmic: a power law is a straight line, its exponent the slope.
function drawPlot({ title, note, unit, x, lines }, limits) {
  const [width, height, left, right, top, bottom] = [400, 330, 58, 14, 10, 42];
  const [first, last] = [Math.log(x[0].value), Math.log(x[x.length - 1].value)];
  const px = (v) => left + 8 + (Math.log(v) - first) / (last - first || 1) * (width - left - right - 16);
  const py = (v) => height - bottom - Math.log(Math.max(v, FLOOR) / FLOOR) / Math.log(TOP / FLOOR) * (height - top - bottom);
  const svg = svgNode("svg", { class: "curve", viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.append(svgNode("title", {}, title));
  for (const v of [0.001, 0.01, 0.1, 1]) {
    svg.append(svgNode("line", { class: "grid", x1: left, x2: width - right, y1: py(v), y2: py(v) }));
    svg.append(svgNode("text", { x: left - 8, y: py(v) + 4.5, "text-anchor": "end" }, v === FLOOR ? "≤0.001" : String(v)));
  }
  for (const v of limits) svg.append(svgNode("line", { class: "limit", x1: left, x2: width - right, y1: py(v), y2: py(v) }));
  for (const { value, text } of x) svg.append(svgNode("text", { x: px(value), y: height - bottom + 19, "text-anchor": "middle" }, text));
  svg.append(svgNode("text", { x: (left + width - right) / 2, y: height - 5, "text-anchor": "middle" }, unit));
  lines.forEach((values, n) => {
    const group = svgNode("g", { "data-n": n });
    const points = values.map((v, i) => [px(x[i].value), py(v)]);
    group.append(svgNode("polyline", { class: `k${n}`, points: points.map((p) => p.join(",")).join(" ") }));
    for (const [a, b] of points) group.append(svgNode("path", { class: `k${n}`, d: OUTLINES[n % OUTLINES.length], transform: `translate(${a} ${b}) scale(0.8)` }));
    svg.append(group);
  });
  const root = el("div", "plot");
  root.append(el("h3", "", title), el("p", "soft", note), svg);
  return root;
}

document.getElementById("properties").page = new PropertiesPage(readData("properties-data"));
