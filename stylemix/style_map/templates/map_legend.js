// The legend: what each colour and shape means, how often it occurs, and a filter.

class MapLegend {
  constructor(map) {
    this.map = map;
    this.list = map.root.querySelector(".map-legend");
    this.scaleBox = map.root.querySelector(".map-scale");
    this.hidden = { corpus: new Set(), cluster: new Set(), file: new Set(), placed: new Set() };
    this.ranges = {};
    this.newCorpus = this.corpusOfNew();
    this.addModes();
    map.root.querySelector(".map-reset").addEventListener("click", () => this.reset());
  }

  reset() {
    for (const by in this.hidden) this.hidden[by].clear();
    this.ranges = {};
    this.map.applyFilters();
    this.show();
  }

  addModes() {
    const box = this.map.root.querySelector(".map-colours");
    this.buttons = this.map.colours.modes().map(([name, label]) => {
      // What stands in brackets is said by the legend; here it would make a line of every button.
      const button = el("button", "", label.replace(/\s*\(.*\)$/, "") || label);
      [button.type, button.title] = ["button", label];
      button.dataset.colour = name;
      button.addEventListener("click", () => this.map.colourBy(name));
      return button;
    });
    box.replaceChildren(...this.buttons);
  }

  show() {
    const { by, scales } = this.map.colours;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.colour === by));
    const isScale = scales.has(by);
    this.scaleBox.hidden = !isScale;
    // Shapes stay when colours tell something else: then the legend has both.
    const items = isScale || by === "cluster" ? [] : this.items(by);
    if (isScale) this.showScale(scales.get(by));
    if (by === "cluster") items.push(...this.items("cluster"));
    if (by !== "corpus" && by !== "file") items.push(...this.items("corpus", true));
    if (this.map.points.placed.some(Boolean) && (by === "file" || this.newCorpus < 0)) items.push(this.newFiles());
    this.list.replaceChildren(...items);
    this.list.classList.toggle("long", items.length > 12);
  }

  items(by, plain = false) {
    const { data, points } = this.map;
    const names = { corpus: data.corpora, cluster: data.clusters, file: data.files }[by];
    const counts = new Map();
    for (const index of points[by]) counts.set(index, (counts.get(index) || 0) + 1);
    const entries = names.map((name, index) => [index, name]);
    if (by === "cluster" && counts.has(-1)) entries.push([-1, "In no cluster"]);
    return entries.map(([index, name]) => {
      const corpus = by === "corpus" ? index : by === "file" ? points.corpus[this.map.threads[index][0]] : null;
      const colour = plain ? "var(--soft)" : index < 0 ? "var(--none)" : categoryCss(index);
      return this.item(by, index, name, counts.get(index) || 0, shapeSwatch(corpus, colour, plain, corpus === this.newCorpus));
    });
  }

  // Where all new files are one corpus and it is all of them, its entry says it already.
  corpusOfNew() {
    const { corpus, placed } = this.map.points, own = placed.length ? corpus[placed.indexOf(1)] : undefined;
    return own !== undefined && corpus.every((one, i) => (one === own) === (placed[i] > 0)) ? own : -1;
  }

  newFiles() {
    const count = this.map.points.placed.reduce((sum, flag) => sum + (flag ? 1 : 0), 0);
    return this.item("placed", 1, "New files, set on this map", count, shapeSwatch(0, "var(--ink)", true));
  }

  item(by, index, name, count, swatch) {
    const item = el("li");
    const button = el("button");
    button.type = "button";
    button.setAttribute("aria-pressed", String(!this.hidden[by].has(index)));
    button.append(swatch, el("span", "name", name), el("span", "count", count.toLocaleString("en")));
    button.addEventListener("click", (event) => {
      if (event.altKey || event.shiftKey) this.only(by, index);
      else this.toggle(by, index);
      button.setAttribute("aria-pressed", String(!this.hidden[by].has(index)));
    });
    for (const [enter, leave] of [["pointerenter", "pointerleave"], ["focus", "blur"]]) {
      button.addEventListener(enter, () => this.point(by, index));
      button.addEventListener(leave, () => this.point(by, null));
    }
    item.append(button);
    return item;
  }

  toggle(by, index) {
    if (!this.hidden[by].delete(index)) this.hidden[by].add(index);
    this.map.applyFilters();
  }

  // With Shift: this one alone, and all again.
  only(by, index) {
    const all = new Set(this.map.points[by]);
    all.delete(index);
    const isOnly = this.hidden[by].size === all.size && !this.hidden[by].has(index);
    this.hidden[by] = isOnly ? new Set() : all;
    this.map.applyFilters();
    this.show();
  }

  point(by, index) {
    const values = this.map.points[by];
    const useful = index !== null && !this.hidden[by].has(index);
    this.map.state.focus = useful ? Uint8Array.from(values, (value) => (value === index ? 1 : 0)) : null;
    this.map.recolour();
  }

  showScale(scale) {
    const range = this.ranges[scale.name];
    const words = el("p", "map-scale-name", scale.label + (scale.unit ? ` (${scale.unit})` : "") + (scale.log ? ", logarithmic" : ""));
    words.title = words.textContent;
    const ends = el("div", "map-ends");
    ends.append(
      el("span", "", (scale.least < scale.low ? "≤ " : "") + scale.text(scale.low)),
      el("span", "", scale.text(scale.valueAt(0.5))),
      el("span", "", (scale.most > scale.high ? "≥ " : "") + scale.text(scale.high)),
    );
    const sliders = el("div", "map-range");
    const inputs = [0, 1].map((end) => this.slider(scale, end, range ? range[end] : end));
    const heard = el("output", "", "");
    const tell = () => {
      const [low, high] = inputs.map((input) => Number(input.value) / 100);
      heard.textContent = low <= 0 && high >= 1 ? "" : `${scale.text(scale.valueAt(low))} to ${scale.text(scale.valueAt(high))}`;
    };
    for (const input of inputs) {
      input.addEventListener("input", () => {
        const ends = inputs.map((one) => Number(one.value) / 100);
        if (ends[0] > ends[1]) input.value = String(100 * (input === inputs[0] ? ends[1] : ends[0]));
        this.setRange(scale, inputs.map((one) => Number(one.value) / 100));
        tell();
      });
    }
    sliders.append(...inputs);
    tell();
    const none = this.map.n - scale.n;
    const grey = el("p", "map-none", none ? `Grey: ${none.toLocaleString("en")} without one` : "");
    grey.hidden = !none;
    this.scaleBox.replaceChildren(words, this.histogram(scale), sliders, ends, heard, grey);
  }

  slider(scale, end, value) {
    const input = el("input");
    input.type = "range";
    input.min = "0";
    input.max = "100";
    input.step = "any";
    input.value = String(100 * value);
    input.setAttribute("aria-label", `${end ? "Highest" : "Lowest"} ${scale.label} shown`);
    return input;
  }

  setRange(scale, [low, high]) {
    if (low <= 0 && high >= 1) delete this.ranges[scale.name];
    else this.ranges[scale.name] = [low, high];
    this.map.applyFilters();
  }

  // How many segments have which value, in the colours of the map: scale and distribution in one.
  histogram(scale) {
    const canvas = el("canvas", "map-bars");
    canvas.setAttribute("aria-hidden", "true");
    const bars = new Uint32Array(N_STEPS / 2);
    for (const value of scale.values) {
      if (!Number.isNaN(value)) bars[Math.min(bars.length - 1, Math.floor(scale.share(value) * bars.length))]++;
    }
    const most = Math.max(1, ...bars);
    canvas.width = 576;
    canvas.height = 108;
    const pen = canvas.getContext("2d");
    const step = canvas.width / bars.length;
    bars.forEach((count, i) => {
      const high = count ? 12 + 92 * (count / most) : 8;
      pen.fillStyle = `rgb(${this.map.colours.ramp[Math.round(((i + 0.5) / bars.length) * (N_STEPS - 1))].join(" ")})`;
      pen.fillRect(i * step, canvas.height - high, step - 2, high);
    });
    return canvas;
  }

  // Both ends at their stops let everything through, values beyond the scale and missing ones included.
  shows(i) {
    const { points, colours } = this.map;
    for (const by in this.hidden) if (this.hidden[by].has(points[by][i])) return false;
    for (const name in this.ranges) {
      const scale = colours.scales.get(name);
      const [low, high] = this.ranges[name];
      const value = scale.values[i];
      if (Number.isNaN(value) || scale.share(value) < low || scale.share(value) > high) return false;
    }
    return true;
  }
}
