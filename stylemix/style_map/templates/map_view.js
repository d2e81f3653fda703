// The scatter: where points are on the screen, how they look, which one is under the pointer.

const SHAPES = ["circle", "diamond", "triangle", "square", "cross", "down", "hexagon", "star"];
const N_COLOURS = 12;

function polygon(sides, radius, turn, inner = 1) {
  return Array.from({ length: sides }, (_, i) => {
    const angle = turn + (2 * Math.PI * i) / sides;
    const r = i % 2 ? radius * inner : radius;
    return [r * Math.sin(angle), -r * Math.cos(angle)];
  });
}

// Areas are about equal, so that no corpus looks heavier than another.
const OUTLINES = {
  diamond: polygon(4, 1.28, 0), square: polygon(4, 1.25, Math.PI / 4), triangle: polygon(3, 1.42, 0),
  down: polygon(3, 1.42, Math.PI), hexagon: polygon(6, 1.1, 0), star: polygon(10, 1.5, 0, 0.45),
  cross: [[-0.4, -1.25], [0.4, -1.25], [0.4, -0.4], [1.25, -0.4], [1.25, 0.4], [0.4, 0.4], [0.4, 1.25], [-0.4, 1.25],
    [-0.4, 0.4], [-1.25, 0.4], [-1.25, -0.4], [-0.4, -0.4]],
};

function shapeName(corpus) {
  return SHAPES[corpus % SHAPES.length];
}

function shapePath(context, corpus, x, y, radius) {
  const outline = OUTLINES[shapeName(corpus)];
  context.beginPath();
  if (!outline) {
    context.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  outline.forEach(([u, v], i) => context[i ? "lineTo" : "moveTo"](x + radius * u, y + radius * v));
  context.closePath();
}

class MapView {
  constructor(canvas, points) {
    this.canvas = canvas;
    this.points = points;
    this.n = points.x.length;
    this.zoom = 1;
    this.shift = [0, 0];
    this.colourBy = "corpus";
    this.shown = new Uint8Array(this.n).fill(1);
    this.found = null;
    this.hovered = -1;
    this.chosen = -1;
    this.playing = null;
    const range = (values) => [Math.min(...sample(values)), Math.max(...sample(values))];
    this.rangeX = range(points.x);
    this.rangeY = range(points.y);
    this.readTheme();
  }

  readTheme() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    this.colours = Array.from({ length: N_COLOURS }, (_, i) => read(`--c${i}`));
    this.ink = read("--ink");
    this.card = read("--card");
    this.soft = read("--soft");
  }

  resize() {
    const box = this.canvas.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    this.width = box.width;
    this.height = box.height;
    this.canvas.width = Math.max(1, Math.round(box.width * ratio));
    this.canvas.height = Math.max(1, Math.round(box.height * ratio));
    this.ratio = ratio;
  }

  unit() {
    const spanX = this.rangeX[1] - this.rangeX[0], spanY = this.rangeY[1] - this.rangeY[0];
    const margin = Math.min(64, this.width * 0.12);
    const fit = Math.min((this.width - 2 * margin) / (spanX || 1e-9), (this.height - 2 * margin) / (spanY || 1e-9));
    return Math.min(fit, 1e9) * this.zoom;
  }

  place(i) {
    const unit = this.unit();
    const x = (this.points.x[i] - (this.rangeX[0] + this.rangeX[1]) / 2) * unit;
    const y = (this.points.y[i] - (this.rangeY[0] + this.rangeY[1]) / 2) * unit;
    return [this.width / 2 + this.shift[0] + x, this.height / 2 + this.shift[1] - y];
  }

  zoomAt(factor, x = this.width / 2, y = this.height / 2) {
    const zoom = Math.min(60, Math.max(0.5, this.zoom * factor));
    const real = zoom / this.zoom;
    this.shift = [x - this.width / 2, y - this.height / 2].map((p, axis) => p - (p - this.shift[axis]) * real);
    this.zoom = zoom;
  }

  showAll() {
    this.zoom = 1;
    this.shift = [0, 0];
  }

  reveal(i) {
    const [x, y] = this.place(i);
    const edge = 48;
    this.shift[0] += Math.max(0, edge - x) - Math.max(0, x - this.width + edge);
    this.shift[1] += Math.max(0, edge - y) - Math.max(0, y - this.height + edge);
  }

  at(x, y, reach) {
    let best = -1, least = reach * reach;
    for (let i = 0; i < this.n; i++) {
      if (!this.shown[i]) continue;
      const [px, py] = this.place(i);
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance <= least) [best, least] = [i, distance];
    }
    return best;
  }

  // The nearest visible point within 60 degrees of a direction; what lies off the axis counts as farther.
  neighbour(from, dx, dy) {
    const [x, y] = this.place(from);
    let best = -1, least = Infinity;
    for (let i = 0; i < this.n; i++) {
      if (i === from || !this.shown[i]) continue;
      const [px, py] = this.place(i);
      const along = (px - x) * dx + (py - y) * dy;
      const aside = Math.abs((px - x) * dy - (py - y) * dx);
      if (along <= 0 || aside > 1.74 * along) continue;
      const cost = along + 2 * aside;
      if (cost < least) [best, least] = [i, cost];
    }
    return best;
  }

  colour(i) {
    return this.colours[this.points[this.colourBy][i] % N_COLOURS];
  }

  radius() {
    const crowd = this.n > 3000 ? 3 : this.n > 800 ? 3.8 : this.n > 200 ? 4.8 : 6;
    return crowd * Math.min(2, this.zoom ** 0.3) * (this.width < 500 ? 0.75 : 1);
  }

  draw() {
    const pen = this.canvas.getContext("2d");
    pen.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    this.drawThread(pen);
    const radius = this.radius();
    for (let i = 0; i < this.n; i++) {
      if (!this.shown[i]) continue;
      const [x, y] = this.place(i);
      if (x < -20 || y < -20 || x > this.width + 20 || y > this.height + 20) continue;
      this.drawPoint(pen, i, x, y, radius);
    }
    if (this.colourBy === "cluster") this.drawNumbers(pen);
    for (const i of new Set([this.chosen, this.hovered])) if (i >= 0 && this.shown[i]) this.drawRing(pen, i, radius);
    if (this.playing) this.drawPlaying(pen, radius);
  }

  drawPoint(pen, i, x, y, radius) {
    const dim = this.found && !this.found[i];
    pen.globalAlpha = dim ? 0.13 : 0.86;
    shapePath(pen, this.points.corpus[i], x, y, radius);
    // A point without sound is hollow.
    if (this.points.clip[i] > 0) {
      pen.fillStyle = this.colour(i);
      pen.fill();
      pen.strokeStyle = this.card;
      pen.lineWidth = 1;
    } else {
      pen.strokeStyle = this.colour(i);
      pen.lineWidth = 1.5;
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }

  // The way of one file through the map, in the order of time.
  drawThread(pen) {
    const i = this.hovered >= 0 ? this.hovered : this.playing ? this.playing.point : -1;
    if (i < 0) return;
    pen.beginPath();
    let begun = false;
    for (const j of this.points.thread[this.points.file[i]]) {
      if (!this.shown[j]) continue;
      const [x, y] = this.place(j);
      pen[begun ? "lineTo" : "moveTo"](x, y);
      begun = true;
    }
    pen.strokeStyle = this.colour(i);
    pen.globalAlpha = 0.32;
    pen.lineWidth = 1;
    pen.lineJoin = "round";
    pen.stroke();
    pen.globalAlpha = 1;
  }

  drawNumbers(pen) {
    pen.font = "600 13px " + getComputedStyle(document.body).fontFamily;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    this.points.medoids.forEach((i, number) => {
      if (i < 0 || !this.shown[i]) return;
      const [x, y] = this.place(i);
      pen.beginPath();
      pen.arc(x, y, 12, 0, 2 * Math.PI);
      pen.fillStyle = this.card;
      pen.fill();
      pen.strokeStyle = this.colour(i);
      pen.lineWidth = 1.5;
      pen.stroke();
      pen.fillStyle = this.ink;
      pen.fillText(String(number + 1), x, y + 0.5);
    });
  }

  drawRing(pen, i, radius) {
    const [x, y] = this.place(i);
    shapePath(pen, this.points.corpus[i], x, y, radius + 1);
    pen.fillStyle = this.colour(i);
    pen.fill();
    pen.beginPath();
    pen.arc(x, y, radius + 5, 0, 2 * Math.PI);
    pen.strokeStyle = this.ink;
    pen.lineWidth = 1.5;
    pen.stroke();
  }

  drawPlaying(pen, radius) {
    const { point, share, level } = this.playing;
    const [x, y] = this.place(point);
    pen.beginPath();
    pen.arc(x, y, radius + 9 + 26 * Math.min(0.6, level), 0, 2 * Math.PI);
    pen.fillStyle = this.colour(point);
    pen.globalAlpha = 0.2;
    pen.fill();
    pen.globalAlpha = 1;
    pen.beginPath();
    pen.arc(x, y, radius + 9, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.max(0.01, share));
    pen.strokeStyle = this.ink;
    pen.lineWidth = 3;
    pen.stroke();
  }
}

// Math.min takes its arguments from the stack, which ends at some ten thousand: chunks keep it safe.
function sample(values) {
  const ends = [];
  for (let i = 0; i < values.length; i += 8192) {
    const chunk = values.slice(i, i + 8192);
    ends.push(Math.min(...chunk), Math.max(...chunk));
  }
  return ends;
}
