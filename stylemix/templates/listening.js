// The page around the players: words, tables, the training curve.

class ListeningPage extends DeckPage {
  constructor(data) {
    super(data);
    document.getElementById("intro").append(...data.intro.map((text) => el("p", "soft", text)));
    document.getElementById("tables").append(...data.tables.flatMap(drawTable));
    document.getElementById("measured").hidden = !data.tables.length;
    if (data.curve) this.addCurve(data.curve);
  }

  addCurve(curve) {
    const best = Math.min(...curve.error);
    const against = curve.pca === null ? "" : `, against ${curve.pca.toPrecision(3)} for PCA with as many dimensions`;
    document.getElementById("training-words").textContent = `Lowest held-out error ${best.toPrecision(3)}${against}. Lower is better.`;
    document.getElementById("curve").append(drawCurve(curve));
    document.getElementById("training").hidden = false;
  }
}

function drawCurve({ x, error, pca, xLabel, yLabel }) {
  const narrow = innerWidth < 720;
  const [width, height, left, right, top, bottom] = narrow ? [700, 460, 78, 20, 44, 74] : [860, 340, 62, 92, 34, 54];
  const all = pca === null ? error : [...error, pca];
  const yMost = Math.max(...all), yLeast = Math.min(...all);
  const pad = 0.12 * (yMost - yLeast || yMost || 1);
  const [y0, y1] = [Math.max(0, yLeast - pad), yMost + pad];
  const [x0, x1] = [Math.min(0, ...x), Math.max(...x) || 1];
  const px = (v) => left + ((v - x0) / (x1 - x0)) * (width - left - right);
  const py = (v) => height - bottom - ((v - y0) / (y1 - y0)) * (height - top - bottom);
  const svg = svgNode("svg", { class: "curve", viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.append(svgNode("title", {}, `${yLabel} against ${xLabel}`));
  for (const [v, text] of roundNumbers(y0, y1, 5)) {
    svg.append(svgNode("line", { class: "grid", x1: left, x2: width - right, y1: py(v), y2: py(v) }));
    svg.append(svgNode("text", { x: left - 10, y: py(v) + 4.5, "text-anchor": "end" }, text));
  }
  for (const [v, text] of roundNumbers(x0, x1, narrow ? 4 : 7)) {
    svg.append(svgNode("text", { x: px(v), y: height - bottom + (narrow ? 28 : 22), "text-anchor": "middle" }, text));
  }
  svg.append(svgNode("text", { x: left, y: top - 18 }, yLabel));
  svg.append(svgNode("text", { x: (left + width - right) / 2, y: height - 8, "text-anchor": "middle" }, xLabel));
  const label = (name, value, dy) => narrow
    ? svgNode("text", { class: `${name}-name`, x: width - right - 6, y: py(value) + dy, "text-anchor": "end" }, name === "net" ? "stylemix" : "PCA")
    : svgNode("text", { class: `${name}-name`, x: width - right + 10, y: py(value) + 4.5 }, name === "net" ? "stylemix" : "PCA");
  if (pca !== null) {
    svg.append(svgNode("line", { class: "bar", x1: left, x2: width - right, y1: py(pca), y2: py(pca) }));
    svg.append(label("bar", pca, -10));
  }
  svg.append(svgNode("polyline", { class: "net", points: x.map((v, i) => `${px(v)},${py(error[i])}`).join(" ") }));
  x.forEach((v, i) => svg.append(svgNode("circle", { class: "dot", cx: px(v), cy: py(error[i]), r: x.length > 60 ? 0 : 3.2 })));
  const last = error[error.length - 1];
  // Two names at one height would cover each other.
  const clash = pca !== null && Math.abs(py(last) - py(pca)) < 18;
  svg.append(label("net", last, clash || narrow ? 28 : 0));
  if (clash && !narrow) svg.lastChild.setAttribute("y", py(pca) + (py(last) > py(pca) ? 22 : -13));
  return svg;
}

document.getElementById("listen").listeningPage = new ListeningPage(readData("listening-data"));
