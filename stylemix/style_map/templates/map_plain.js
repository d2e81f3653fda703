// Points drawn without a graphics processor: stamps blended into the pixels by hand. Twenty thousand calls of drawImage
// take 140 ms on a processor, these loops 10 ms.

class PlainPainter {
  constructor(canvas) {
    this.name = "canvas";
    this.canvas = canvas;
    this.pen = canvas.getContext("2d", { alpha: false });
    this.stamps = new Map();
    this.known = new Map();
  }

  // Coverage of every shape as rows of numbers, at one size; a zoom comes by the same few sizes again and again.
  masksAt(radius, ratio) {
    const size = `${radius.toFixed(2)} ${ratio}`;
    if (!this.known.has(size)) {
      const { canvas, cell } = shapeMasks(radius, ratio);
      const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, cell).data;
      this.known.set(size, { data, cell, across: canvas.width });
    }
    return this.known.get(size);
  }

  // A stamp: where its pixels lie relative to the middle, how opaque they are, and their colour.
  stamp(shape, kind, r, g, b, alpha, level) {
    const { data, cell, across } = this.masks[level];
    const hollow = kind & 1, fresh = kind > 1;
    // As the other painter does: what lies behind pales.
    const haze = Math.min(0.5, Math.max(0, 2 * (1 - this.levels[level])));
    const rim = mixed(fresh ? this.line : this.card, this.card, haze);
    const body = mixed(hollow && fresh ? this.line : [r, g, b], this.card, haze);
    const where = [], cover = [], colour = [];
    for (let y = 0; y < cell; y++) {
      for (let x = 0; x < cell; x++) {
        const from = 4 * (y * across + shape * cell + x);
        const edge = hollow ? 0 : data[from + (fresh ? 2 : 1)];
        const full = hollow ? data[from + 2] : Math.max(data[from], edge);
        const strength = Math.round((full * alpha) / 255);
        if (!strength) continue;
        const [red, green, blue] = body.map((part, i) => part + ((rim[i] - part) * edge) / 255);
        where.push((y - cell / 2) * this.stride + x - cell / 2);
        cover.push(strength + (strength >> 7));
        colour.push((blue << 16) | (green << 8) | red);
      }
    }
    return { where: Int32Array.from(where), cover: Uint16Array.from(cover), colour: Uint32Array.from(colour) };
  }

  prepare({ radius, ratio, card, line, space }) {
    const levels = space.dims === 3 || space.fit[2] ? [0.8, 0.9, 1, 1.15, 1.35] : [1];
    const state = [radius, ratio, card, line, levels.length, this.canvas.width, this.canvas.height].join();
    if (state === this.state) return;
    [this.state, this.card, this.line, this.levels] = [state, card, line, levels];
    this.masks = levels.map((level) => this.masksAt(radius * level, ratio));
    // A margin as wide as a stamp, so that no pixel needs asking whether it is inside; in steps, to be made anew seldom.
    this.margin = 32 * Math.ceil(Math.max(...this.masks.map(({ cell }) => cell)) / 32);
    const size = [this.canvas.width + 2 * this.margin, this.canvas.height + 2 * this.margin];
    if (this.image?.width !== size[0] || this.image?.height !== size[1]) {
      this.image = new ImageData(...size);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    this.stride = size[0];
    this.stamps.clear();
  }

  paint(scene) {
    const { space, looks, ratio, card } = scene;
    space.project();
    this.prepare(scene);
    const { pixels, stride, margin, levels } = this, { screen } = space, { inks, kinds } = looks;
    const wide = this.canvas.width, high = this.canvas.height;
    pixels.fill((0xff000000 | (card[2] << 16) | (card[1] << 8) | card[0]) >>> 0);
    for (const i of space.drawOrder()) {
      const alpha = inks[4 * i + 3];
      const x = Math.round(screen[3 * i] * ratio), y = Math.round(screen[3 * i + 1] * ratio);
      if (!alpha || x < -margin / 2 || y < -margin / 2 || x > wide + margin / 2 || y > high + margin / 2) continue;
      let level = 0;
      while (level < levels.length - 1 && screen[3 * i + 2] > (levels[level] + levels[level + 1]) / 2) level++;
      const shape = kinds[2 * i], kind = kinds[2 * i + 1];
      const ink = (inks[4 * i] << 16) | (inks[4 * i + 1] << 8) | inks[4 * i + 2];
      // One number a stamp: 24 bits of colour, 8 of opacity, 8 shapes, 4 kinds, 5 sizes fit in 53.
      const key = (((ink * 256 + alpha) * 8 + shape) * 4 + kind) * 8 + level;
      let stamp = this.stamps.get(key);
      if (!stamp) {
        stamp = this.stamp(shape, kind, inks[4 * i], inks[4 * i + 1], inks[4 * i + 2], alpha, level);
        this.stamps.set(key, stamp);
      }
      this.press(stamp, (y + margin) * stride + x + margin);
    }
    this.pen.putImageData(this.image, -margin, -margin);
  }

  // Red and blue are blended in one multiplication, green in another: (1 - a) below + a above, with a of 256.
  press({ where, cover, colour }, middle) {
    const { pixels } = this;
    for (let k = 0; k < where.length; k++) {
      const at = middle + where[k], a = cover[k], above = colour[k], below = pixels[at];
      const red = below & 0xff00ff, green = below & 0xff00;
      const mixed = (red + ((((above & 0xff00ff) - red) * a) >> 8)) & 0xff00ff;
      pixels[at] = 0xff000000 | mixed | ((green + ((((above & 0xff00) - green) * a) >> 8)) & 0xff00);
    }
  }
}
