// The report: words, aims, plots over alpha, tables, players.

class ReportPage {
  constructor(data) {
    document.querySelector("h1").textContent = data.title;
    document.getElementById("summary").append(...data.summary.map((text, n) => el("p", n ? "soft" : "", text)));
    document.getElementById("checks").append(...checkRows(data.checks));
    this.addCurves("plots", [...data.plots, data.frontier], data.modes);
    this.addCurves("timbre", data.timbre, data.modes);
    for (const table of data.tables) document.getElementById("tables").append(el("h3", "deck-name", table.title), ...drawTable(table));
    for (const place of ["evenness", "judging", "rebuilding"]) document.getElementById(place).append(...drawTable(data[place]));
    for (const table of data.autoencoder) document.getElementById("autoencoder").append(...drawTable(table));
    const { note } = data.ablation;
    document.getElementById("ablation").append(...(note ? [el("p", "soft", note)] : drawTable(data.ablation)));
    fillFacts(document.getElementById("facts"), data.facts);
    this.addDecks(data);
  }

  addCurves(place, plots, modes) {
    document.getElementById(place).append(...plots.map((plot) => new Curves(plot, modes).root));
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
  head.append(tableRow(["", "Mode", "Aim", "Wanted", "Measured"], "th"));
  for (const { mode, what, wanted, measured, passed } of checks) {
    const [word, kind] = passed === null ? ["? not measured", "of"] : passed ? ["✓ met", "met"] : ["✗ missed", "missed"];
    const cells = [word, mode || "model", what, wanted, measured];
    body.append(tableRow(cells, "td", [kind, "of"]));
  }
  return [head, body];
}

document.getElementById("checks").reportPage = new ReportPage(readData("report-data"));
