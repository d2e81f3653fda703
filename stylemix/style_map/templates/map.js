// The map as one thing. What other scripts of the page may use, from document.getElementById("map").segmentMap:
//   n, data, points         how many segments; names; typed columns (corpus, cluster, file, start, duration, clip, ...)
//   play(i)                 hear a segment; segments count from 0 here, from 1 where people see them
//   choose(i)               make it the current one without a sound
//   select(list)            make a selection, in this order
//   say(text, ...)          a line under the picture, read aloud by screen readers
//   toMap(px, py)           [x, y] in layout units of a place in the picture (CSS pixels from its upper left corner)
//   toScreen(x, y)          and back
//   place(i)                [px, py] of a segment
//   nearest(x, y, filter)   the visible segment nearest to a place in layout units for which filter(i) holds, or -1
//   marks                   list of {kind: "dot" | "line" | "path", points: [[x, y] or a segment's number, ...], label}
//   redraw()                after marks have changed
//   addTool({name, label, key, hint, click(at), stroke(list of at)}), useTool(name)
//                           a button above the picture; at is {x, y, px, py, hit} with hit a segment under it or -1. Enter
//                           is a click on the current segment.
// Events on the element: map:chosen {segment}, map:selected {segments}, map:layout {name, dims}, map:tool {name}.

class SegmentMap {
  constructor(root, data) {
    Object.assign(this, { root, data });
    this.points = readColumns(data.columns, "map-columns");
    this.n = this.points.corpus.length;
    this.threads = this.threadsOf();
    this.state = { focus: null, found: null };
    this.status = root.querySelector(".map-status");
    this.tip = root.querySelector(".map-tip");
    this.search = root.querySelector(".map-search input");
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const layouts = data.layouts.map((layout, i) => ({ ...layout, steps: this.points[`layout${i}`] }));
    this.colours = new MapColours(root, data, this.points);
    const view = this.view = new MapView(root, this.points, layouts, this.colours);
    view.threads = this.threads;
    view.medoids = data.clusters.map((_, k) => data.infos.find((info) => info.number === k + 1)?.medoid ?? -1);
    this.canvas = view.canvas;
    for (const [name, part] of [["sound", MapSound], ["legend", MapLegend], ["selection", MapSelection], ["grid", MapGrid],
      ["list", MapList], ["layouts", MapLayouts], ["hands", MapHands], ["link", MapLink]]) this[name] = new part(this);
    this.addControls();
    this.addSurroundings();
    view.resize();
    this.link.read();
    this.drawNow();
    performance.mark("map-drawn");
  }

  threadsOf() {
    const { file, start } = this.points;
    const threads = this.data.files.map(() => []);
    file.forEach((f, i) => threads[f].push(i));
    for (const thread of threads) thread.sort((a, b) => start[a] - start[b]);
    return threads;
  }

  redraw() {
    this.waiting ??= requestAnimationFrame((now) => {
      this.waiting = null;
      const moving = this.view.space.tick(now);
      if (moving) this.view.hurry();
      this.drawNow();
      if (moving || this.view.playing) this.redraw();
    });
  }

  drawNow() {
    this.sound.follow();
    if (this.colours.outdated) this.colours.paint({ ...this.state, shown: this.view.shown, selected: this.selection.flags });
    this.colours.outdated = false;
    this.view.draw();
    this.placeTip();
  }

  // Something that the address holds has changed.
  moved() {
    this.redraw();
    this.link.later();
  }

  recolour() {
    this.colours.outdated = true;
    this.moved();
  }

  tell(name, detail) {
    this.root.dispatchEvent(new CustomEvent(`map:${name}`, { detail }));
  }

  // ---- words

  span(i) {
    const { start, duration } = this.points;
    return `${clock(start[i])}–${clock(start[i] + duration[i])}`;
  }

  // Parts for say().
  where(i) {
    return [el("bdi", "", this.data.files[this.points.file[i]]), `, ${this.span(i)}`];
  }

  clusterName(k) {
    return k < 0 ? "In no cluster" : this.data.clusters[k];
  }

  // A name goes in as an element of its own: marks that turn the direction of writing end where it ends.
  say(...parts) {
    this.status.replaceChildren(...parts);
  }

  describe(i) {
    const { file, corpus, cluster } = this.points;
    const { by, scales } = this.colours;
    const scale = by === "time" ? null : scales.get(by);
    const name = cluster[i] < 0 ? "In no cluster" : `Cluster ${this.data.clusters[cluster[i]]}`;
    const value = scale ? `${scale.label}: ${scale.text(scale.values[i], true)}` : "";
    return [this.data.files[file[i]], this.span(i), this.data.corpora[corpus[i]], name, value];
  }

  placeTip() {
    const i = this.view.hovered;
    this.tip.hidden = i < 0;
    if (i < 0) return;
    const lines = this.describe(i);
    [...this.tip.children].forEach((line, row) => {
      line.textContent = lines[row];
      line.hidden = !lines[row];
    });
    const [x, y] = this.view.place(i);
    const box = this.tip.getBoundingClientRect();
    const left = Math.min(this.view.width - box.width - 8, Math.max(8, x - box.width / 2));
    const above = y - box.height - 18;
    this.tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(above > 8 ? above : y + 18)}px)`;
  }

  // ---- what is heard and chosen

  play(i) {
    return this.sound.play(i);
  }

  choose(i) {
    if (this.view.chosen === i) return;
    this.view.chosen = i;
    this.tell("chosen", { segment: i });
    this.moved();
  }

  toggle() {
    if (this.view.playing) jukebox.stop();
    else if (this.view.chosen >= 0) this.play(this.view.chosen);
    else this.walk(1, 0);
  }

  walk(dx, dy) {
    const { view } = this;
    const from = view.chosen >= 0 && view.shown[view.chosen] ? view.chosen : -1;
    const to = from < 0 ? view.at(view.width / 2, view.height / 2, Infinity) : view.neighbour(from, dx, dy);
    if (to < 0) return this.say("No segment further that way");
    return this.goTo(to);
  }

  // Before and after in the file.
  step(by) {
    const { chosen } = this.view;
    if (chosen < 0) return this.walk(1, 0);
    const thread = this.threads[this.points.file[chosen]];
    const to = thread[thread.indexOf(chosen) + by];
    return to === undefined ? this.say(by < 0 ? "The file begins here" : "The file ends here") : this.goTo(to);
  }

  goTo(i) {
    this.byKeys = true;
    this.view.hovered = i;
    this.view.space.reveal(i);
    return this.play(i);
  }

  // ---- what is selected

  select(list) {
    this.selection.set(list);
    this.recolour();
    this.tell("selected", { segments: [...this.selection.list] });
    if (list.length) this.say(`${this.selection.list.length.toLocaleString("en")} selected`);
  }

  toggleSelected(i) {
    if (i < 0) return this.say("Choose a segment first");
    const { list, flags } = this.selection;
    return this.select(flags[i] ? list.filter((one) => one !== i) : [...list, i]);
  }

  selectClusterNumber(k) {
    const members = [];
    this.points.cluster.forEach((own, i) => { if (own === k && this.view.shown[i]) members.push(i); });
    this.select(members);
  }

  selectCluster(i) {
    if (i < 0) this.say("Choose a segment first");
    else this.selectClusterNumber(this.points.cluster[i]);
  }

  showCluster(k) {
    this.colourBy("cluster");
    this.selectClusterNumber(k);
    if (this.view.medoids[k] >= 0) this.view.space.reveal(this.view.medoids[k]);
    this.canvas.scrollIntoView({ block: "nearest", behavior: this.still ? "auto" : "smooth" });
  }

  // ---- what is seen

  colourBy(name) {
    this.colours.by = name;
    this.state.focus = null;
    this.legend.show();
    this.recolour();
  }

  showLayout(index, animate) {
    const { space } = this.view;
    if (index !== space.index) {
      space.showAll();
      space.show(index, animate && !this.still);
    }
    const { name, dims } = space.layouts[index];
    this.layouts.show(index);
    this.hands.take(this.hands.tool.name);
    this.root.dataset.dims = dims;
    this.tell("layout", { name, dims });
    this.moved();
  }

  applyFilters() {
    const { view, legend } = this;
    let n = 0;
    for (let i = 0; i < this.n; i++) n += view.shown[i] = legend.shows(i) ? 1 : 0;
    const all = n === this.n;
    this.root.querySelector("#map-show").textContent = all ? "Show" : `Shown: ${n.toLocaleString("en")} of ${this.n.toLocaleString("en")}`;
    this.root.querySelector(".map-reset").hidden = all;
    if (view.hovered >= 0 && !view.shown[view.hovered]) view.hovered = -1;
    this.recolour();
  }

  find(text) {
    const wanted = text.trim().toLowerCase();
    if (this.search.value.trim() !== text.trim()) this.search.value = text.slice(0, 100);
    const { files, tags } = this.data;
    const hits = files.map((name, f) => name.toLowerCase().includes(wanted) || tags[f].toLowerCase().includes(wanted));
    this.state.found = wanted ? Uint8Array.from(this.points.file, (f) => (hits[f] ? 1 : 0)) : null;
    const n = wanted ? this.state.found.reduce((sum, hit) => sum + hit, 0) : 0;
    const nFiles = hits.filter(Boolean).length;
    const output = this.root.querySelector(".map-search output");
    output.textContent = !wanted ? "" : n ? `${n} ${n === 1 ? "segment" : "segments"} in ${nFiles} ${nFiles === 1 ? "file" : "files"}` : "No file has that in its name or tags";
    this.root.querySelector(".map-search button").hidden = !n;
    this.recolour();
  }

  foundNow() {
    const hits = [];
    this.state.found?.forEach((hit, i) => { if (hit && this.view.shown[i]) hits.push(i); });
    return hits;
  }

  // ---- for other scripts

  get marks() {
    return this.view.marks;
  }

  set marks(marks) {
    this.view.marks = marks;
    this.redraw();
  }

  toMap(px, py) {
    return this.view.space.toMap(px, py);
  }

  toScreen(x, y) {
    return this.view.space.toScreen(x, y);
  }

  place(i) {
    return this.view.place(i);
  }

  nearest(x, y, filter = null) {
    return this.view.at(...this.toScreen(x, y), Infinity, filter);
  }

  addTool(tool) {
    this.hands.add(tool);
  }

  useTool(name) {
    this.hands.take(name);
  }
}
