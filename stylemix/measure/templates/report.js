// The report: words, promises, plots over alpha, tables, players.

class ReportPage {
  constructor(data) {
    document.querySelector("h1").textContent = data.title;
    document.getElementById("summary").append(...data.summary.map((text, n) => el("p", n ? "soft" : "", text)));
    document.getElementById("checks").append(...checkRows(data.checks));
    document.getElementById("plots").append(...data.plots.map(drawPlot));
    for (const table of data.tables) document.getElementById("tables").append(...drawTable(table));
    document.getElementById("rebuilding").append(...drawTable(data.rebuilding));
    document.getElementById("autoencoder").append(...drawTable(data.autoencoder));
    fillFacts(document.getElementById("facts"), data.facts);
    this.addDecks(data);
  }

  keep() {
    return document.getElementById("keep").checked;
  }

  gain(player) {
    return document.getElementById("level").checked ? player.gain : 1;
  }

  say(text) {
    document.getElementById("said").textContent = text;
  }

  addDecks(data) {
    data.players.forEach((player, index) => { player.index = index; });
    const groups = [...new Set(data.players.map((player) => player.group))];
    this.decks = groups.map((group) => {
      const deck = new Deck(group, data.players.filter((player) => player.group === group), data.range, this);
      document.getElementById("decks").append(el("h3", "deck-name", group), deck.root);
      return deck;
    });
    this.deck = this.decks[0] || null;
    document.getElementById("listen").hidden = !this.decks.length;
    document.getElementById("blind").addEventListener("change", (event) => {
      jukebox.stop();
      for (const deck of this.decks) deck.setBlind(event.target.checked);
    });
    document.getElementById("level").addEventListener("change", () => {
      const playing = jukebox.current && jukebox.current.what.player;
      if (playing) this.deck.start(playing);
    });
  }
}

function checkRows(checks) {
  const head = el("thead"), body = el("tbody");
  head.append(tableRow(["", "Promise", "Wanted", "Measured"], "th"));
  for (const { what, wanted, measured, passed } of checks) {
    body.append(tableRow([passed ? "✓ met" : "✗ missed", what, wanted, measured], "td", [passed ? "met" : "missed"]));
  }
  return [head, body];
}

// Round numbers that cover a range: the step is 1, 2 or 5 times a power of ten.
function roundNumbers(low, high) {
  const raw = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= raw * 0.999);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n++) found.push([n * step, (n * step + 0).toFixed(digits)]);
  return found;
}

function drawPlot({ title, note, x, lines }) {
  const [width, height, left, right, top, bottom] = [520, 270, 52, 96, 12, 44];
  const all = Object.values(lines).flat().filter((v) => v !== null);
  const low = Math.min(0, ...all), most = Math.max(...all, low);
  // A share is shown against the whole.
  const high = most <= 1 ? 1 : most * 1.08;
  const px = (v) => left + (v - x[0]) / (x[x.length - 1] - x[0]) * (width - left - right);
  const py = (v) => height - bottom - (v - low) / (high - low) * (height - top - bottom);
  const svg = svgNode("svg", { class: "curve", viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.append(svgNode("title", {}, `${title}, against alpha`));
  for (const [v, text] of roundNumbers(low, high)) {
    svg.append(svgNode("line", { class: "grid", x1: left, x2: width - right, y1: py(v), y2: py(v) }));
    svg.append(svgNode("text", { x: left - 9, y: py(v) + 4.5, "text-anchor": "end" }, text));
  }
  for (const v of x) svg.append(svgNode("text", { x: px(v), y: height - bottom + 20, "text-anchor": "middle" }, String(v)));
  svg.append(svgNode("text", { x: px((x[0] + x[x.length - 1]) / 2), y: height - 6, "text-anchor": "middle" }, "alpha"));
  for (const [kind, values] of Object.entries(lines)) {
    const points = values.map((v, n) => [x[n], v]).filter(([, v]) => v !== null);
    svg.append(svgNode("polyline", { class: kind, points: points.map(([a, v]) => `${px(a)},${py(v)}`).join(" ") }));
    for (const [a, v] of points) svg.append(svgNode("circle", { class: kind, cx: px(a), cy: py(v), r: 3.4 }));
  }
  svg.append(...names(lines, py, width - right + 10));
  const root = el("div", "plot");
  root.append(el("h3", "", title), el("p", "soft", note), svg);
  return root;
}

// The lines often end in one point: their names keep a distance, the one that was higher on the way on top.
function names(lines, py, x) {
  const mean = (values) => values.reduce((sum, v) => sum + (v ?? 0), 0) / values.length;
  const kinds = Object.keys(lines).sort((a, b) => mean(lines[b]) - mean(lines[a]));
  const ends = kinds.map((kind) => py(lines[kind].findLast((v) => v !== null) ?? 0));
  if (ends.length > 1 && ends[1] - ends[0] < 19) {
    const middle = (ends[0] + ends[1]) / 2;
    [ends[0], ends[1]] = [middle - 9.5, middle + 9.5];
  }
  return kinds.map((kind, n) => svgNode("text", { class: kind, x, y: ends[n] + 4.5 }, kind));
}

document.getElementById("checks").reportPage = new ReportPage(readData("report-data"));
