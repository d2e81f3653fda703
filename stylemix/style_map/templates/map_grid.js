// Hybrids made beforehand: a row for each pair of clusters, a button for each alpha, and a dot on the map for each.

const PLAY = "M3 1 L14 7.5 L3 14 Z";

class MapGrid {
  constructor(map) {
    this.map = map;
    this.root = map.root.querySelector(".map-grid");
    this.hybrids = map.data.hybrids;
    this.root.hidden = !this.hybrids.length;
    this.now = null;
    if (this.hybrids.length) this.build();
  }

  pairs() {
    const pairs = new Map();
    for (const hybrid of this.hybrids) {
      const key = `${hybrid.source}-${hybrid.target}-${hybrid.mode}`;
      if (!pairs.has(key)) pairs.set(key, []);
      pairs.get(key).push(hybrid);
    }
    return [...pairs.values()];
  }

  build() {
    const { map } = this;
    const alphas = [...new Set(this.hybrids.map(({ alpha }) => alpha))].sort((a, b) => a - b);
    const head = el("tr");
    head.append(el("th", "", "From"), ...alphas.map((alpha) => el("th", "number", `α\u00a0${alpha}`)), el("th", "", "To"), el("th", "", "Mode"));
    const rows = this.pairs().map((pair) => this.row(pair, alphas));
    const top = el("thead"), body = el("tbody");
    top.append(head);
    body.append(...rows);
    this.root.querySelector("table").replaceChildren(top, body);
    map.view.bridges = this.pairs().flatMap((pair) => {
      const [from, to] = [pair[0].source, pair[0].target].map((number) => map.view.medoids[number - 1]);
      return from >= 0 && to >= 0 ? [{ from, to, dots: pair }] : [];
    });
    this.bend(map.view.bridges);
    this.root.querySelector(".map-command button").addEventListener("click", () => this.copy());
  }

  // There and back again are between the same two places: each goes its own way, so that no dot lies on another.
  bend(bridges) {
    const ways = new Map();
    for (const bridge of bridges) {
      const key = [bridge.from, bridge.to].sort((a, b) => a - b).join();
      ways.set(key, [...(ways.get(key) ?? []), bridge]);
    }
    for (const way of ways.values()) way.forEach((bridge, k) => { bridge.bend = 2 * k - (way.length - 1); });
  }

  row(pair, alphas) {
    const row = el("tr");
    row.append(this.end(pair[0].source));
    for (const alpha of alphas) {
      const cell = el("td", "number");
      const hybrid = pair.find((one) => one.alpha === alpha);
      if (hybrid) cell.append(this.button(hybrid));
      row.append(cell);
    }
    row.append(this.end(pair[0].target), el("td", "soft", pair[0].mode));
    return row;
  }

  end(number) {
    const cell = el("td", "end");
    const button = el("button", "link", this.map.clusterName(number - 1));
    button.type = "button";
    button.addEventListener("click", () => this.map.showCluster(number - 1));
    cell.append(button);
    return cell;
  }

  button(hybrid) {
    const button = el("button", "map-play", "");
    button.type = "button";
    button.setAttribute("aria-label", `Play ${hybrid.label}`);
    button.append(icon(PLAY), el("span", "", `${hybrid.seconds.toFixed(1)} s`));
    button.addEventListener("click", () => (hybrid.on ? jukebox.stop() : this.play(hybrid)));
    hybrid.button = button;
    return button;
  }

  async play(hybrid) {
    const stopped = () => {
      hybrid.on = false;
      hybrid.button.classList.remove("on");
      delete this.map.root.dataset.hybrid;
      this.map.say(el("bdi", "", hybrid.label), ": stopped");
      this.map.redraw();
    };
    const what = { id: hybrid.id, lead: hybrid.lead, offset: 0, duration: hybrid.seconds, onstop: stopped };
    try {
      if (!(await jukebox.play(what))) return;
    } catch (error) {
      this.map.say(el("bdi", "", hybrid.label), `: ${error.message}`);
      return;
    }
    hybrid.on = true;
    hybrid.button.classList.add("on");
    this.map.root.dataset.hybrid = this.hybrids.indexOf(hybrid);
    this.now = hybrid;
    this.root.querySelector(".map-command").hidden = !hybrid.command;
    this.root.querySelector(".map-command code").textContent = hybrid.command;
    this.map.say("Playing ", el("bdi", "", hybrid.label));
    this.map.redraw();
  }

  async copy() {
    const field = this.map.selection.field;
    field.value = this.now.command;
    this.map.say((await copyText(this.now.command, field)) ? "Copied" : "Mark the command to copy it");
  }
}
