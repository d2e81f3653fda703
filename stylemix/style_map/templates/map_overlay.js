// What lies above the points: the path of a file, numbers of clusters, rings, hybrids, marks, and what a hand draws.

class MapOverlay {
  constructor(view) {
    this.view = view;
    this.canvas = view.canvas;
    this.pen = this.canvas.getContext("2d");
  }

  draw(radius) {
    const { pen, view } = this;
    const { ratio, width, height } = view;
    // Nothing above the points, as mostly while panning: then the browser need not lay the two pictures together anew.
    const empty = this.isEmpty();
    if (empty && this.wasEmpty) return;
    this.wasEmpty = empty;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.lineJoin = pen.lineCap = "round";
    this.font = getComputedStyle(document.body).fontFamily;
    this.drawAxes();
    this.drawPath();
    this.drawHybrids();
    if (view.colours.by === "cluster") this.drawNumbers();
    this.drawMarks();
    for (const i of new Set([view.chosen, view.hovered])) if (i >= 0 && view.shown[i]) this.drawRing(i, radius);
    if (view.playing) this.drawPlaying(radius);
    this.drawTrace();
  }

  isEmpty() {
    const { view } = this;
    if (view.space.fit[2]) return false;
    const pointed = view.hovered >= 0 || view.chosen >= 0 || view.playing || view.trace;
    return !pointed && !view.marks.length && !view.bridges.length && view.colours.by !== "cluster";
  }

  line(places, style, width, alpha = 1, dash = []) {
    const { pen } = this;
    pen.beginPath();
    places.forEach(([x, y], k) => pen[k ? "lineTo" : "moveTo"](x, y));
    [pen.strokeStyle, pen.lineWidth, pen.globalAlpha] = [style, width, alpha];
    pen.setLineDash(dash);
    pen.stroke();
    pen.setLineDash([]);
    pen.globalAlpha = 1;
  }

  disc(x, y, radius, fill, stroke, width = 1.5) {
    const { pen } = this;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    if (fill) {
      pen.fillStyle = fill;
      pen.fill();
    }
    if (stroke) {
      [pen.strokeStyle, pen.lineWidth] = [stroke, width];
      pen.stroke();
    }
  }

  text(words, x, y, { size = 13, align = "center", weight = 600 } = {}) {
    const { pen, view } = this;
    pen.font = `${weight} ${size}px ${this.font}`;
    [pen.textAlign, pen.textBaseline] = [align, "middle"];
    // A halo in the colour of the ground keeps words readable above points.
    [pen.strokeStyle, pen.lineWidth] = [view.css.card, 4];
    pen.strokeText(words, x, y);
    pen.fillStyle = view.css.ink;
    pen.fillText(words, x, y);
  }

  // The way of one file through the map in the order of time: all of it faintly, what was heard of it strongly.
  drawPath() {
    const { view } = this;
    const i = view.playing ? view.playing.point : view.hovered;
    if (i < 0) return;
    const thread = view.threads[view.points.file[i]].filter((j) => view.shown[j]);
    this.line(thread.map((j) => view.place(j)), view.css.soft, 1, 0.42);
    if (!view.playing) return;
    const { trail, point, share } = view.playing;
    const places = [...trail, point].map((j) => view.place(j));
    const after = thread[thread.indexOf(point) + 1];
    if (view.goOn && after !== undefined && share > 0.5) places.push(this.between(point, after, share - 0.5));
    this.line(places, view.colours.css(point), 2.5, 0.9);
    const [x, y] = this.head = places[places.length - 1];
    this.disc(x, y, 4.5, view.css.ink, view.css.card, 1.5);
  }

  // A segment's place stands for its middle, so that half a segment later the head is half way to the next.
  between(i, j, share) {
    const a = this.view.place(i), b = this.view.place(j);
    return a.map((from, axis) => from + (b[axis] - from) * share);
  }

  // A parabola from medoid to medoid. Its side is told from the one of the lower number, whichever it starts from; the dots
  // of two bridges that share both ends then lie at least 15 pixels apart.
  onBridge({ from, to, bend }, share) {
    const [x, y] = this.between(from, to, share);
    if (!bend) return [x, y];
    const [a, b] = [Math.min(from, to), Math.max(from, to)].map((i) => this.view.place(i));
    const [dx, dy] = [b[0] - a[0], b[1] - a[1]], length = Math.hypot(dx, dy) || 1;
    const aside = (bend * (10 + 0.12 * length) * 4 * share * (1 - share)) / length;
    return [x - aside * dy, y + aside * dx];
  }

  // Three short axes in a corner: without them nobody knows after a turn where they are.
  drawAxes() {
    const { view } = this;
    if (view.space.dims < 3) return;
    const [yaw, pitch] = view.space.turn, [x, y] = [view.width - 46, 50];
    const ends = [
      [Math.cos(yaw), Math.sin(pitch) * Math.sin(yaw)], [0, Math.cos(pitch)], [Math.sin(yaw), -Math.sin(pitch) * Math.cos(yaw)],
    ];
    ends.forEach(([right, up], axis) => {
      this.line([[x, y], [x + 22 * right, y - 22 * up]], view.css.soft, 1.5);
      this.text(String(axis + 1), x + 31 * right, y - 31 * up, { size: 11, weight: 400 });
    });
  }

  drawHybrids() {
    const { view } = this;
    for (const bridge of view.bridges) {
      if (!view.shown[bridge.from] || !view.shown[bridge.to]) continue;
      const way = Array.from({ length: 25 }, (_, k) => this.onBridge(bridge, k / 24));
      this.line(way, view.css.ink, 1, 0.4, [2, 5]);
      for (const dot of bridge.dots) {
        const [x, y] = this.onBridge(bridge, dot.alpha);
        this.disc(x, y, dot.on ? 8 : 5.5, dot.on ? view.css.ink : view.css.card, view.css.ink, 2);
      }
    }
  }

  drawNumbers() {
    const { pen, view } = this;
    view.medoids.forEach((i, k) => {
      if (i < 0 || !view.shown[i]) return;
      const [x, y] = view.place(i);
      this.disc(x, y, 12, view.css.card, view.colours.css(i));
      pen.font = `600 12.5px ${this.font}`;
      [pen.textAlign, pen.textBaseline, pen.fillStyle] = ["center", "middle", view.css.ink];
      pen.fillText(String(k + 1), x, y + 0.5);
    });
  }

  drawMarks() {
    const { view } = this;
    for (const { kind, points, label } of view.marks) {
      const places = points.map((point) => (typeof point === "number" ? view.place(point) : view.space.toScreen(...point)));
      if (!places.length) continue;
      if (kind !== "dot") {
        this.line(places, view.css.card, kind === "path" ? 7 : 5, 0.8);
        this.line(places, view.css.accent, kind === "path" ? 3.5 : 2);
      }
      const ends = kind === "dot" ? places : [places[0], places[places.length - 1]];
      for (const [x, y] of ends) this.disc(x, y, 6, view.css.accent, view.css.card, 2);
      const [x, y] = places[kind === "line" ? 0 : places.length - 1];
      if (label) this.text(label, x, y - 17);
    }
  }

  drawRing(i, radius) {
    const { pen, view } = this;
    const [x, y] = view.place(i);
    shapePath(pen, view.points.corpus[i], x, y, radius + 1.5);
    pen.fillStyle = view.colours.css(i);
    pen.fill();
    this.disc(x, y, radius + 5.5, null, view.css.ink);
  }

  drawPlaying(radius) {
    const { pen, view } = this;
    const { point, share, level } = view.playing;
    const [x, y] = view.place(point);
    this.disc(x, y, radius + 9 + 26 * Math.min(0.6, level), view.colours.css(point, 0.2));
    pen.beginPath();
    pen.arc(x, y, radius + 9, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.max(0.01, share));
    [pen.strokeStyle, pen.lineWidth] = [view.css.ink, 3];
    pen.stroke();
  }

  drawTrace() {
    const { pen, view } = this;
    if (!view.trace || view.trace.places.length < 2) return;
    const { shape, places } = view.trace;
    const corners = shape === "rectangle" ? rectangle(places) : places;
    if (shape !== "path") {
      pen.beginPath();
      corners.forEach(([x, y], k) => pen[k ? "lineTo" : "moveTo"](x, y));
      pen.closePath();
      [pen.fillStyle, pen.globalAlpha] = [view.css.accent, 0.12];
      pen.fill();
      pen.globalAlpha = 1;
    }
    this.line(shape === "path" ? corners : [...corners, corners[0]], view.css.accent, shape === "path" ? 3 : 1.5);
  }
}

function rectangle(places) {
  const [[ax, ay], [bx, by]] = [places[0], places[places.length - 1]];
  return [[ax, ay], [bx, ay], [bx, by], [ax, by]];
}
