// The map's controls: pointer, keys, legend, search, sound.

class SegmentMap {
  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.points = { ...data.points, thread: this.threads(), medoids: this.medoids() };
    this.canvas = root.querySelector("canvas");
    this.tip = root.querySelector(".map-tip");
    this.status = root.querySelector(".map-status");
    this.hidden = { corpus: new Set(), cluster: new Set() };
    this.view = new MapView(this.canvas, this.points);
    this.wheelNeedsFocus = document.querySelectorAll("main > section").length > 1;
    this.addLegend();
    this.addSearch();
    this.addPointer();
    this.addKeys();
    this.addButtons();
    this.addSurroundings();
  }

  threads() {
    const { file, start } = this.data.points;
    const threads = this.data.files.map(() => []);
    file.forEach((f, i) => threads[f].push(i));
    for (const thread of threads) thread.sort((a, b) => start[a] - start[b]);
    return threads;
  }

  // A cluster's number stands on the member nearest to its members' mean.
  medoids() {
    const { x, y, cluster } = this.data.points;
    return this.data.clusters.map((_, k) => {
      const members = cluster.flatMap((c, i) => (c === k ? [i] : []));
      const mean = (values) => members.reduce((sum, i) => sum + values[i], 0) / members.length;
      const mx = mean(x), my = mean(y);
      let best = -1, least = Infinity;
      for (const i of members) {
        const distance = (x[i] - mx) ** 2 + (y[i] - my) ** 2;
        if (distance < least) [best, least] = [i, distance];
      }
      return best;
    });
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      this.drawNow();
      if (this.view.playing) this.redraw();
    });
  }

  drawNow() {
    this.follow();
    this.view.draw();
    this.placeTip();
  }

  // ---- words

  span(i) {
    const { start, duration } = this.points;
    return `${clock(start[i])}–${clock(start[i] + duration[i])}`;
  }

  describe(i) {
    const { file, corpus, cluster } = this.points;
    return [this.data.files[file[i]], this.span(i), this.data.corpora[corpus[i]], this.data.clusters[cluster[i]]];
  }

  say(text) {
    this.status.textContent = text;
  }

  placeTip() {
    const i = this.view.hovered;
    this.tip.hidden = i < 0;
    if (i < 0) return;
    const [name, span, corpus, cluster] = this.describe(i);
    const lines = [name, span, corpus, `Cluster ${cluster}`];
    [...this.tip.children].forEach((line, row) => { line.textContent = lines[row]; });
    const [x, y] = this.view.place(i);
    const box = this.tip.getBoundingClientRect();
    const left = Math.min(this.view.width - box.width - 8, Math.max(8, x - box.width / 2));
    const above = y - box.height - 18;
    this.tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(above > 8 ? above : y + 18)}px)`;
  }

  // ---- sound

  async play(i) {
    this.view.chosen = i;
    const { strip, offset, clip, start } = this.points;
    const [name, span] = this.describe(i);
    const where = `${name}, ${span}`;
    if (!(clip[i] > 0)) {
      jukebox.stop();
      this.say(`${where}: no sound kept in this page`);
      this.redraw();
      return;
    }
    const stopped = () => {
      if (this.playingPoint !== i) return;
      this.playingPoint = -1;
      this.view.playing = null;
      delete this.root.dataset.playing;
      this.say(`${where}: stopped`);
      this.redraw();
    };
    const sound = { id: `map-strip-${strip[i]}`, offset: offset[i], duration: clip[i], onstop: stopped };
    try {
      if (!(await jukebox.play(sound))) return;
    } catch (error) {
      this.say(`${where}: ${error.message}`);
      return;
    }
    this.playingPoint = i;
    this.root.dataset.playing = i;
    this.say(`Playing ${where}`);
    this.view.playing = { point: i, share: 0, level: 0 };
    this.redraw();
  }

  follow() {
    const playing = this.view.playing;
    if (!playing || !jukebox.current) return;
    const { offset, duration } = jukebox.current;
    playing.share = (jukebox.position() - offset) / duration;
    playing.level = this.still ? 0 : jukebox.level();
  }

  // ---- what is visible

  applyFilters() {
    const { corpus, cluster } = this.points;
    const { view, hidden } = this;
    for (let i = 0; i < view.n; i++) view.shown[i] = !hidden.corpus.has(corpus[i]) && !hidden.cluster.has(cluster[i]);
    if (view.hovered >= 0 && !view.shown[view.hovered]) view.hovered = -1;
    this.redraw();
  }

  addLegend() {
    const by = this.view.colourBy;
    const names = by === "corpus" ? this.data.corpora : this.data.clusters;
    const counts = names.map(() => 0);
    this.points[by].forEach((index) => counts[index]++);
    const items = names.map((name, index) => {
      const item = el("li");
      const button = el("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(!this.hidden[by].has(index)));
      button.append(this.swatch(by, index), el("span", "name", name), el("span", "count", counts[index].toLocaleString("en")));
      button.addEventListener("click", () => {
        const isHidden = this.hidden[by].delete(index);
        if (!isHidden) this.hidden[by].add(index);
        button.setAttribute("aria-pressed", String(isHidden));
        this.applyFilters();
      });
      item.append(button);
      return item;
    });
    this.root.querySelector(".map-legend").replaceChildren(...items);
  }

  swatch(by, index) {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "-1.5 -1.5 3 3");
    svg.setAttribute("aria-hidden", "true");
    const outline = by === "corpus" ? OUTLINES[shapeName(index)] : OUTLINES.square;
    const shape = document.createElementNS(space, outline ? "polygon" : "circle");
    if (outline) shape.setAttribute("points", outline.map((point) => point.join(",")).join(" "));
    else shape.setAttribute("r", "1.2");
    shape.setAttribute("fill", `var(--c${index % N_COLOURS})`);
    svg.append(shape);
    return svg;
  }

  addSearch() {
    const input = this.root.querySelector(".map-search input");
    const output = this.root.querySelector(".map-search output");
    const { file, start } = this.points;
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      const hits = this.data.files.map((name) => name.toLowerCase().includes(wanted));
      this.view.found = wanted ? file.map((f) => hits[f]) : null;
      const n = wanted ? this.view.found.filter(Boolean).length : 0;
      const nFiles = hits.filter(Boolean).length;
      output.textContent = !wanted ? "" : n ? `${n} ${n === 1 ? "segment" : "segments"} in ${nFiles} ${nFiles === 1 ? "file" : "files"}` : "No file has that in its name";
      this.redraw();
    });
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !this.view.found) return;
      const first = file.findIndex((_, i) => this.view.found[i] && this.view.shown[i]);
      if (first < 0) return;
      this.canvas.focus();
      this.view.reveal(first);
      this.play(first);
    });
  }

  // ---- hands

  addPointer() {
    const { canvas, view } = this;
    const down = new Map();
    let moved = 0;
    const spot = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const hover = (i) => {
      if (i === view.hovered) return;
      view.hovered = i;
      canvas.classList.toggle("on-point", i >= 0);
      this.redraw();
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      if (!down.size) moved = 0;
      down.set(event.pointerId, spot(event));
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = spot(event);
      const before = down.get(event.pointerId);
      if (!before) return hover(view.at(x, y, 14));
      down.set(event.pointerId, [x, y]);
      moved += Math.hypot(x - before[0], y - before[1]);
      if (down.size === 2) this.pinch(before, [x, y], [...down].find(([id]) => id !== event.pointerId)[1]);
      else if (moved > 5) this.drag(x - before[0], y - before[1]);
    });
    const up = (event) => {
      if (!down.delete(event.pointerId)) return;
      canvas.classList.remove("dragging");
      if (event.type === "pointercancel" || moved > 5 || down.size) return;
      const hit = view.at(...spot(event), event.pointerType === "touch" ? 26 : 14);
      hover(hit);
      if (hit >= 0) this.play(hit);
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("pointerleave", () => { if (!down.size) hover(-1); });
    canvas.addEventListener("wheel", (event) => {
      if (this.wheelNeedsFocus && !event.ctrlKey && document.activeElement !== canvas) return;
      event.preventDefault();
      view.zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : event.ctrlKey ? 0.01 : 0.0018)), ...spot(event));
      this.redraw();
    }, { passive: false });
  }

  drag(dx, dy) {
    this.canvas.classList.add("dragging");
    this.view.hovered = -1;
    this.view.shift[0] += dx;
    this.view.shift[1] += dy;
    this.redraw();
  }

  pinch(before, now, other) {
    const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
    this.view.zoomAt(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    this.redraw();
  }

  addKeys() {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    this.canvas.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (arrows[event.key]) this.walk(...arrows[event.key]);
      else if (event.key === " " || event.key === "Enter") this.toggle();
      else if (event.key === "Escape") jukebox.stop();
      else if (event.key === "+" || event.key === "=") this.view.zoomAt(1.4);
      else if (event.key === "-") this.view.zoomAt(1 / 1.4);
      else if (event.key === "0") this.view.showAll();
      else return;
      event.preventDefault();
      this.redraw();
    });
  }

  walk(dx, dy) {
    const { view } = this;
    const from = view.chosen >= 0 && view.shown[view.chosen] ? view.chosen : -1;
    const to = from < 0 ? view.at(view.width / 2, view.height / 2, Infinity) : view.neighbour(from, dx, dy);
    if (to < 0) return this.say("No segment further that way");
    view.hovered = to;
    view.reveal(to);
    this.play(to);
  }

  toggle() {
    if (this.view.playing) jukebox.stop();
    else if (this.view.chosen >= 0) this.play(this.view.chosen);
    else this.walk(1, 0);
  }

  addButtons() {
    const zooms = { in: () => this.view.zoomAt(1.5), out: () => this.view.zoomAt(1 / 1.5), all: () => this.view.showAll() };
    for (const button of this.root.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => { zooms[button.dataset.zoom](); this.redraw(); });
    }
    const colours = this.root.querySelectorAll("[data-colour]");
    for (const button of colours) {
      button.addEventListener("click", () => {
        this.view.colourBy = button.dataset.colour;
        for (const one of colours) one.setAttribute("aria-pressed", String(one === button));
        this.addLegend();
        this.redraw();
      });
    }
  }

  addSurroundings() {
    const notice = this.root.querySelector(".map-notice");
    notice.textContent = this.data.notice;
    notice.hidden = !this.data.notice;
    fillFacts(this.root.querySelector(".map-facts"), this.data.facts);
    // A new size empties the canvas: waiting for the next frame would show it empty.
    new ResizeObserver(() => { this.view.resize(); this.drawNow(); }).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.view.readTheme(); this.redraw(); });
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.view.resize();
    this.drawNow();
  }
}

{
  const root = document.getElementById("map");
  if (root) root.segmentMap = new SegmentMap(root, readData("map-data"));
}
