// The picture: places from the space, points by a painter, lines above; what is under the pointer.

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

  addPainter(plain = false) {
    const canvas = this.root.querySelector(".map-points");
    if (plain) return this.plainPainter(canvas);
    try {
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

  fit(canvas) {
    canvas.width = Math.max(1, Math.round(this.width * this.ratio));
    canvas.height = Math.max(1, Math.round(this.height * this.ratio));
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
    for (const { from, to, dots } of this.bridges) {
      if (!this.shown[from] || !this.shown[to]) continue;
      for (const dot of dots) {
        const [px, py] = this.overlay.between(from, to, dot.alpha);
        if (Math.hypot(px - x, py - y) <= reach) return dot;
      }
    }
    return null;
  }

  radius() {
    const crowd = this.n > 3000 ? 2.6 : this.n > 800 ? 3.6 : this.n > 200 ? 4.6 : 6;
    const wanted = crowd * Math.min(2.2, this.zoom ** 0.35) * (this.width < 500 ? 0.8 : 1);
    // In quarters of a pixel, so that a zoom does not make new stamps every frame.
    return Math.round(4 * wanted) / 4;
  }

  draw() {
    const radius = this.radius();
    this.painter.paint({
      space: this.space, looks: this.colours, radius, ratio: this.ratio, card: this.colours.card, line: this.colours.ink,
    });
    this.overlay.draw(radius);
  }
}
