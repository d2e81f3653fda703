// The picture: places from the space, points by a painter, lines above; what is under the pointer.

function hasGraphicsProcessor() {
  const gl = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  if (!gl) return false;
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

class MapView {
  constructor(root, points, layouts, colours) {
    this.root = root;
    this.canvas = root.querySelector(".map-over");
    this.points = points;
    this.colours = colours;
    this.n = points.corpus.length;
    this.space = new MapSpace(layouts, this.n);
    this.shown = new Uint8Array(this.n).fill(1);
    this.hovered = this.chosen = -1;
    this.playing = this.trace = null;
    this.marks = [];
    this.bridges = [];
    this.overlay = new MapOverlay(this);
    this.addPainter();
    this.readTheme();
  }

  get zoom() {
    return this.space.zoom;
  }

  // WebGL that a processor only imitates draws 20,000 points two to four times a second, the plain painter 36 to 54 times
  // (tests/bench/bench_page.py): without
  // a graphics processor it is the better one. The element's data-wanted overrules this, "webgl" or "canvas".
  addPainter() {
    const canvas = this.root.querySelector(".map-points"), { wanted } = this.root.dataset;
    try {
      if (wanted === "canvas" || (wanted !== "webgl" && !hasGraphicsProcessor())) throw new Error("no graphics processor");
      this.painter = new GlPainter(canvas);
      // A driver may take its context away at any time; the plain painter needs none.
      canvas.addEventListener("webglcontextlost", () => { this.plainPainter(canvas); this.draw(); });
    } catch {
      this.plainPainter(canvas);
    }
    this.root.dataset.painter = this.painter.name;
  }

  plainPainter(canvas) {
    // A canvas that once had another kind of context gives none of this kind.
    const fresh = canvas.cloneNode();
    canvas.replaceWith(fresh);
    this.painter = new PlainPainter(fresh);
    this.root.dataset.painter = this.painter.name;
    if (this.width) this.fit(fresh);
  }

  readTheme() {
    this.colours.readTheme();
    const css = (rgb) => `rgb(${rgb.join(" ")})`;
    const { ink, card, soft, palette } = this.colours;
    this.css = { ink: css(ink), card: css(card), soft: css(soft), accent: css(palette[3]) };
  }

  fit(canvas, ratio = this.ratio) {
    const size = [this.width, this.height].map((side) => Math.max(1, Math.round(side * ratio)));
    // Setting a size empties a canvas, even if it had that size before.
    if (canvas.width !== size[0]) canvas.width = size[0];
    if (canvas.height !== size[1]) canvas.height = size[1];
  }

  // What moves need not be drawn as finely as what rests: on a fine screen it halves the work of the plain painter.
  hurry() {
    clearTimeout(this.settling);
    this.hurried = true;
    this.settling = setTimeout(() => {
      this.hurried = false;
      this.draw();
    }, 180);
  }

  repaint(wanted) {
    this.root.dataset.wanted = wanted;
    const canvas = this.painter.canvas;
    canvas.replaceWith(canvas.cloneNode());
    this.addPainter();
    this.colours.version++;
  }

  resize() {
    const box = this.canvas.getBoundingClientRect();
    this.ratio = window.devicePixelRatio || 1;
    [this.width, this.height] = [box.width, box.height];
    this.fit(this.canvas);
    this.fit(this.painter.canvas);
    this.space.resize(box.width, box.height);
  }

  place(i) {
    return this.space.place(i);
  }

  at(x, y, reach, allowed = null) {
    this.space.project();
    const { screen } = this.space;
    let best = -1, least = reach * reach;
    for (let i = 0; i < this.n; i++) {
      if (!this.shown[i] || (allowed && !allowed(i))) continue;
      const distance = (screen[3 * i] - x) ** 2 + (screen[3 * i + 1] - y) ** 2;
      if (distance <= least) [best, least] = [i, distance];
    }
    return best;
  }

  // The nearest visible point within 60 degrees of a direction; what lies off the axis counts as farther.
  neighbour(from, dx, dy) {
    const [x, y] = this.place(from), { screen } = this.space;
    let best = -1, least = Infinity;
    for (let i = 0; i < this.n; i++) {
      if (i === from || !this.shown[i]) continue;
      const px = screen[3 * i] - x, py = screen[3 * i + 1] - y;
      const along = px * dx + py * dy;
      const aside = Math.abs(px * dy - py * dx);
      if (along <= 0 || aside > 1.74 * along) continue;
      const cost = along + 2 * aside;
      if (cost < least) [best, least] = [i, cost];
    }
    return best;
  }

  // Even-odd rule: a ray to the right crosses the outline an odd number of times from inside.
  inside(outline) {
    this.space.project();
    const { screen } = this.space, hits = [];
    for (let i = 0; i < this.n; i++) {
      if (!this.shown[i]) continue;
      const x = screen[3 * i], y = screen[3 * i + 1];
      let odd = false;
      for (let k = 0, before = outline.length - 1; k < outline.length; before = k++) {
        const [ax, ay] = outline[k], [bx, by] = outline[before];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
      }
      if (odd) hits.push(i);
    }
    return hits;
  }

  bridgeAt(x, y, reach) {
    let best = null, least = reach;
    for (const bridge of this.bridges) {
      if (!this.shown[bridge.from] || !this.shown[bridge.to]) continue;
      for (const dot of bridge.dots) {
        const [px, py] = this.overlay.onBridge(bridge, dot.alpha), away = Math.hypot(px - x, py - y);
        if (away <= least) [best, least] = [dot, away];
      }
    }
    return best;
  }

  // As large as the points may be to cover the ground they lie on once: tight clouds get small ones.
  usualRadius() {
    const { space } = this, state = [space.index, this.width, this.height].join();
    if (this.counted === state || space.moving) return this.usual ?? 4;
    const [x, y] = space.places, side = 10, scale = space.unit() / space.zoom / side;
    const cells = new Set();
    for (let i = 0; i < this.n; i++) cells.add(1e4 * Math.round(x[i] * scale) + Math.round(y[i] * scale));
    [this.counted, this.usual] = [state, Math.sqrt((cells.size * side ** 2) / this.n / Math.PI)];
    return this.usual;
  }

  radius() {
    // Smaller than 3 pixels a shape is not told from another, which is worth it only where there are very many.
    const wanted = Math.min(6, Math.max(this.n > 3000 ? 2.25 : 3, this.usualRadius())) * Math.min(2.4, this.zoom ** 0.4);
    // In quarters of a pixel, so that a zoom does not make new stamps every frame; larger than 7 says nothing more.
    return Math.min(7, Math.round(4 * wanted) / 4);
  }

  draw() {
    const radius = this.radius();
    const coarse = this.hurried && this.painter.name === "canvas" && this.n > 5000;
    const ratio = coarse ? Math.min(1, this.ratio) : this.ratio;
    this.fit(this.painter.canvas, ratio);
    const { card, ink } = this.colours;
    this.painter.paint({ space: this.space, looks: this.colours, radius, ratio, card, line: ink });
    this.overlay.draw(radius);
  }
}
