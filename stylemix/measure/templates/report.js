// The report: words, aims, plots over alpha, tables, players.

class ReportPage extends DeckPage {
  constructor(data) {
    super(data);
    fillSummary(data);
    document.getElementById("checks").append(...checkRows(data.checks));
    this.addCurves("plots", [...data.plots, data.frontier], data.modes);
    this.addCurves("timbre", data.timbre, data.modes);
    for (const table of data.tables) document.getElementById("tables").append(el("h3", "sub", table.title), ...drawTable(table));
    for (const place of ["evenness", "judging", "rebuilding"]) document.getElementById(place).append(...drawTable(data[place]));
    for (const table of data.autoencoder) document.getElementById("autoencoder").append(...drawTable(table));
    const { note } = data.ablation;
    document.getElementById("ablation").append(...(note ? [el("p", "soft", note)] : drawTable(data.ablation)));
  }

  addCurves(place, plots, modes) {
    document.getElementById(place).append(...plots.map((plot) => new Curves(plot, modes).root));
  }
}

function checkRows(checks) {
  const head = el("thead"), body = el("tbody");
  head.append(tableRow(["", "Mode", "Aim", "Wanted", "Measured"], "th"));
  for (const { mode, what, wanted, measured, passed } of checks) {
    const [word, kind] = passed === null ? ["? not measured", "of"] : passed ? ["✓ met", "yes"] : ["✗ missed", "no"];
    const cells = [word, mode || "model", what, wanted, measured];
    body.append(tableRow(cells, "td", [kind, "of"]));
  }
  return [head, body];
}

document.getElementById("checks").reportPage = new ReportPage(readData("report-data"));
