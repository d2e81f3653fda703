// The page around the players: switches, keys, tables, the training curve.

class ListeningPage {
  constructor(data) {
    this.decks = [];
    this.deck = null;
    document.querySelector("h1").textContent = data.title;
    document.getElementById("intro").append(...data.intro.map((text) => el("p", "soft", text)));
    this.addDecks(data);
    this.addSwitches();
    this.addKeys();
    this.addTables(data.tables);
    if (data.curve) this.addCurve(data.curve);
    fillFacts(document.getElementById("facts"), data.facts);
    document.getElementById("facts").hidden = !data.facts.length;
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
    const root = document.getElementById("decks");
    for (const group of new Set(data.players.map((player) => player.group))) {
      const deck = new Deck(group, data.players.filter((player) => player.group === group), data.range, this);
      if (group) root.append(el("h3", "deck-name", group));
      root.append(deck.root);
      this.decks.push(deck);
    }
    this.deck = this.decks[0] || null;
    document.getElementById("listen").hidden = !this.decks.length;
  }

  addSwitches() {
    document.getElementById("blind").addEventListener("change", (event) => {
      jukebox.stop();
      for (const deck of this.decks) deck.setBlind(event.target.checked);
    });
    document.getElementById("level").addEventListener("change", () => {
      const playing = jukebox.current && jukebox.current.what.player;
      if (playing) this.deck.start(playing);
    });
  }

  addKeys() {
    document.addEventListener("keydown", (event) => {
      const busy = event.target.closest("#map, input:not([type=checkbox]), button") && event.key === " ";
      const elsewhere = event.target.closest("#map, input:not([type=checkbox])");
      if (!this.deck || busy || elsewhere || event.ctrlKey || event.metaKey || event.altKey) return;
      const current = jukebox.current && jukebox.current.what.player;
      const latest = current || this.deck.last || this.deck.players[this.deck.order[0]];
      const step = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
      const number = /^[1-9]$/.test(event.key) ? Number(event.key) - 1 : -1;
      if (event.key === " " && event.target.type !== "checkbox") current ? jukebox.stop() : this.deck.start(latest);
      else if (step) this.seek(latest, current, step);
      else if (number >= 0 && number < this.deck.order.length) this.deck.start(this.deck.players[this.deck.order[number]]);
      else return;
      event.preventDefault();
    });
  }

  seek(latest, playing, step) {
    const at = Math.min(latest.seconds - 0.1, Math.max(0, this.deck.position + step));
    if (playing) this.deck.start(latest, at);
    else this.deck.move(at);
  }

  addTables(tables) {
    for (const { columns, rows, caption } of tables) {
      const table = el("table");
      if (caption) table.setAttribute("aria-label", caption);
      const isNumber = columns.map((_, c) => rows.length > 0 && rows.every((row) => /^[-−+]?[\d.,]+(\s?\S{1,3})?$/.test(row[c]) || row[c] === ""));
      const line = (cells, tag) => {
        const row = el("tr");
        row.append(...cells.map((cell, c) => el(tag, isNumber[c] ? "number" : "", cell)));
        return row;
      };
      const head = el("thead"), body = el("tbody");
      head.append(line(columns, "th"));
      for (const cell of head.querySelectorAll("th")) cell.scope = "col";
      body.append(...rows.map((row) => line(row, "td")));
      table.append(head, body);
      const frame = el("div", "scroll");
      frame.append(table);
      document.getElementById("tables").append(frame);
      if (caption) document.getElementById("tables").append(el("p", "caption", caption));
    }
    document.getElementById("measured").hidden = !tables.length;
  }

  addCurve(curve) {
    const best = Math.min(...curve.error);
    const against = curve.pca === null ? "" : `, against ${curve.pca.toPrecision(3)} for PCA with as many dimensions`;
    document.getElementById("training-words").textContent = `Lowest held-out error ${best.toPrecision(3)}${against}. Lower is better.`;
    document.getElementById("curve").append(drawCurve(curve));
    document.getElementById("training").hidden = false;
  }
}

// Round numbers that cover a range: the step is 1, 2 or 5 times a power of ten.
function ticks(low, high, about) {
  const raw = (high - low || Math.abs(high) || 1) / about;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= raw * 0.999));
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let t = Math.ceil(low / step - 1e-9); t * step <= high + 1e-9 * step; t++) found.push([t * step, (t * step).toFixed(digits)]);
  return found;
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
  for (const [v, text] of ticks(y0, y1, 5)) {
    svg.append(svgNode("line", { class: "grid", x1: left, x2: width - right, y1: py(v), y2: py(v) }));
    svg.append(svgNode("text", { x: left - 10, y: py(v) + 4.5, "text-anchor": "end" }, text));
  }
  for (const [v, text] of ticks(x0, x1, narrow ? 4 : 7)) {
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
