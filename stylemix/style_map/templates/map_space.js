// Where points are: layouts flat or in space, what of them the screen shows, and the way back from the screen.
// All of it is done here, on the processor: 20,000 points take half a millisecond, and both painters, the pointer and the
// lines on top then agree on every place.

const NEAR = 0.28;
const MOVE_MS = 700;

class MapSpace {
  constructor(layouts, n) {
    this.layouts = layouts;
    this.n = n;
    this.places = Array.from({ length: 3 }, () => new Float32Array(n));
    this.screen = new Float32Array(3 * n);
    this.order = this.shuffled();
    this.width = this.height = 1;
    this.zoom = 1;
    this.shift = [0, 0];
    this.turned = [0.5, 0.35];
    this.moving = null;
    this.index = -1;
    this.show(0, false);
  }

  // Drawn in a random order no corpus hides another; the same order each time, since nothing is random about the data.
  shuffled() {
    const order = Uint32Array.from({ length: this.n }, (_, i) => i);
    let state = 12345;
    for (let i = this.n - 1; i > 0; i--) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const j = state % (i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  get dims() {
    return this.layouts[this.index].dims;
  }

  show(index, animate) {
    const { dims, steps } = this.layouts[index];
    const target = Array.from({ length: 3 }, () => new Float32Array(this.n));
    for (let axis = 0; axis < dims; axis++) {
      let most = 0;
      for (let i = axis; i < steps.length; i += dims) most = Math.max(most, steps[i]);
      for (let i = 0; i < this.n; i++) target[axis][i] = (steps[i * dims + axis] - most / 2) / 65535;
    }
    const fit = this.fitOf(target, dims);
    const turn = dims === 3 ? [...this.turned] : [0, 0];
    if (animate) {
      const from = { places: this.places, fit: this.fit, turn: this.turn };
      this.moving = { from, to: { places: target, fit, turn }, begun: null };
      this.places = target.map(() => new Float32Array(this.n));
    } else {
      [this.places, this.fit, this.turn, this.moving] = [target, fit, turn, null];
    }
    this.index = index;
    this.stale = true;
  }

  // Half of what must be seen to both sides; in space a ball, so that turning takes nothing out of sight, and a little
  // less than all of it: its far corners hold few points and there is a margin.
  fitOf([x, y, z], dims) {
    let wide = 0, high = 0, far = 0;
    for (let i = 0; i < this.n; i++) {
      wide = Math.max(wide, Math.abs(x[i]));
      high = Math.max(high, Math.abs(y[i]));
      far = Math.max(far, Math.hypot(x[i], y[i], z[i]));
    }
    return dims === 3 ? [0.86 * far, 0.86 * far, far] : [wide, high, 0];
  }

  // One frame of the way to another layout; tells whether there is more to come.
  tick(now) {
    if (!this.moving) return false;
    const { from, to } = this.moving;
    this.moving.begun ??= now;
    const t = Math.min(1, (now - this.moving.begun) / MOVE_MS);
    const s = t * t * (3 - 2 * t);
    const mix = (a, b) => a + (b - a) * s;
    this.places.forEach((values, axis) => {
      const a = from.places[axis], b = to.places[axis];
      for (let i = 0; i < this.n; i++) values[i] = a[i] + (b[i] - a[i]) * s;
    });
    this.fit = from.fit.map((value, axis) => mix(value, to.fit[axis]));
    this.turn = from.turn.map((value, axis) => mix(value, to.turn[axis]));
    this.stale = true;
    if (t === 1) this.moving = null;
    return t < 1;
  }

  resize(width, height) {
    // Shifts are in pixels: what was in the middle stays there.
    const scale = this.width > 1 ? Math.min(width / this.width, height / this.height) : 1;
    this.shift = this.shift.map((p) => p * scale);
    [this.width, this.height, this.stale] = [width, height, true];
  }

  unit() {
    const margin = Math.min(56, this.width * 0.1);
    const sides = [(this.width / 2 - margin) / (this.fit[0] || 1e-9), (this.height / 2 - margin) / (this.fit[1] || 1e-9)];
    return Math.min(...sides, 1e9) * this.zoom;
  }

  project() {
    if (!this.stale) return;
    this.stale = false;
    const [x, y, z] = this.places, { screen, n } = this;
    const unit = this.unit(), middleX = this.width / 2 + this.shift[0], middleY = this.height / 2 + this.shift[1];
    const [yaw, pitch] = this.turn, ball = this.fit[2];
    const ca = Math.cos(yaw), sa = Math.sin(yaw), cb = Math.cos(pitch), sb = Math.sin(pitch);
    // Perspective: what lies a radius in front of the middle is drawn 1 / (1 - NEAR) as large.
    const depth = ball ? NEAR / ball : 0;
    for (let i = 0; i < n; i++) {
      const right = ca * x[i] + sa * z[i], away = ca * z[i] - sa * x[i];
      const up = cb * y[i] - sb * away, front = cb * away + sb * y[i];
      const scale = 1 / (1 - depth * front);
      screen[3 * i] = middleX + right * unit * scale;
      screen[3 * i + 1] = middleY - up * unit * scale;
      screen[3 * i + 2] = scale;
    }
    if (ball) this.sortByDepth();
  }

  // Far points first, in 256 bins: finer is not seen, and counting takes one pass where sorting takes fifteen.
  sortByDepth() {
    const { screen, n } = this;
    const low = 1 / (1 + NEAR), bins = 256 / (1 / (1 - NEAR) - low);
    const ends = new Uint32Array(257);
    const bin = (i) => Math.max(0, Math.min(255, (screen[3 * i + 2] - low) * bins | 0));
    for (let i = 0; i < n; i++) ends[bin(i) + 1]++;
    for (let b = 0; b < 256; b++) ends[b + 1] += ends[b];
    this.sorted ??= new Uint32Array(n);
    for (let i = 0; i < n; i++) this.sorted[ends[bin(i)]++] = i;
  }

  drawOrder() {
    return this.fit[2] ? this.sorted : this.order;
  }

  place(i) {
    this.project();
    return [this.screen[3 * i], this.screen[3 * i + 1]];
  }

  // Layout units: the widest side is 1 long, the middle is 0, y grows upwards; in space, those of the picture's plane.
  toMap(px, py) {
    const unit = this.unit();
    return [(px - this.width / 2 - this.shift[0]) / unit, (this.height / 2 + this.shift[1] - py) / unit];
  }

  toScreen(x, y) {
    const unit = this.unit();
    return [this.width / 2 + this.shift[0] + x * unit, this.height / 2 + this.shift[1] - y * unit];
  }

  zoomAt(factor, x = this.width / 2, y = this.height / 2) {
    const zoom = Math.min(60, Math.max(0.5, this.zoom * factor));
    const real = zoom / this.zoom;
    this.shift = [x - this.width / 2, y - this.height / 2].map((p, axis) => p - (p - this.shift[axis]) * real);
    this.zoom = zoom;
    this.stale = true;
  }

  pan(dx, dy) {
    this.shift = [this.shift[0] + dx, this.shift[1] + dy];
    this.stale = true;
  }

  turnBy(dx, dy) {
    if (this.dims < 3 || this.moving) return;
    // A drag across the picture is half a turn; upside down nobody finds the way.
    const yaw = this.turn[0] + (dx * Math.PI) / Math.max(300, this.width);
    const pitch = Math.min(1.5, Math.max(-1.5, this.turn[1] + (dy * Math.PI) / Math.max(300, this.height)));
    this.turned = this.turn = [yaw % (2 * Math.PI), pitch];
    this.stale = true;
  }

  showAll() {
    [this.zoom, this.shift, this.stale] = [1, [0, 0], true];
  }

  // As close as some points may be looked at all at once.
  frame(list) {
    const places = list.map((i) => this.place(i));
    if (!places.length) return;
    const edge = (axis, end) => places.reduce((found, place) => end(found, place[axis]), places[0][axis]);
    const edges = [0, 1].map((axis) => [edge(axis, Math.min), edge(axis, Math.max)]);
    const [x, y] = edges.map(([low, high]) => (low + high) / 2);
    const room = [this.width - 120, this.height - 120];
    this.pan(this.width / 2 - x, this.height / 2 - y);
    this.zoomAt(Math.min(...edges.map(([low, high], axis) => Math.max(80, room[axis]) / Math.max(24, high - low))));
  }

  reveal(i) {
    const [x, y] = this.place(i);
    const edge = 48;
    const wanted = [[x, this.width], [y, this.height]];
    this.pan(...wanted.map(([p, size]) => Math.max(0, edge - p) - Math.max(0, p - size + edge)));
  }
}
