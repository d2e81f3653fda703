// What colours say: a category (corpus, cluster, file) or a measured value on a scale that grows evenly in lightness, so
// that colour-blind people and grey prints keep its order.

const CATEGORIES = { corpus: "Corpus", cluster: "Cluster", file: "File" };
const N_STEPS = 64;
const MOST_UNIT = 6;
const SHOWN = 222, ASIDE = 60, DIM = 28;

function mixed(a, b, share) {
  return a.map((part, i) => Math.round(part + (b[i] - part) * share));
}

class Scale {
  constructor({ name, label, unit, scale }, values) {
    Object.assign(this, { name, label, unit, values, log: scale === "log" });
    const known = Array.from(values.filter((value) => !Number.isNaN(value))).sort((a, b) => a - b);
    this.n = known.length;
    [this.least, this.most] = [known[0] ?? 0, known[known.length - 1] ?? 1];
    // One stray value must not take the whole scale: the ends are the 1st and the 99th percentile, and say so.
    this.low = known[Math.floor(0.01 * (known.length - 1))] ?? 0;
    this.high = known[Math.ceil(0.99 * (known.length - 1))] ?? 1;
  }

  share(value) {
    const at = this.log ? Math.log : (x) => x;
    const [low, high] = [at(this.low), at(this.high)];
    return high > low ? Math.min(1, Math.max(0, (at(value) - low) / (high - low))) : 0.5;
  }

  valueAt(share) {
    return this.log ? this.low * (this.high / this.low) ** share : this.low + (this.high - this.low) * share;
  }

  // A unit of many letters stands once, in the label.
  text(value, whole = false) {
    if (Number.isNaN(value)) return "none";
    if (this.name === "time") return clock(value);
    const span = this.log ? Math.abs(value) : Math.max(Math.abs(this.high - this.low), Math.abs(value) * 1e-3);
    const digits = span >= 20 ? 0 : span >= 2 ? 1 : span >= 0.2 ? 2 : 3;
    return `${value.toLocaleString("en", { maximumFractionDigits: digits })}${this.unit && (whole || this.unit.length <= MOST_UNIT) ? `\u00a0${this.unit}` : ""}`;
  }
}

class MapColours {
  constructor(root, data, points) {
    this.root = root;
    this.points = points;
    this.n = points.corpus.length;
    this.by = "corpus";
    this.scales = new Map();
    for (const [index, one] of data.values.entries()) this.scales.set(one.name, new Scale(one, points[`value${index}`]));
    this.scales.set("time", new Scale({ name: "time", label: "Time in the file", unit: "", scale: "linear" }, points.start));
    this.inks = new Uint8Array(4 * this.n);
    this.kinds = new Uint8Array(2 * this.n);
    this.version = 0;
    this.readTheme();
  }

  // The browser resolves whatever way of writing colours the styles use.
  readTheme() {
    const probe = el("span");
    this.root.append(probe);
    const read = (name) => {
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
    };
    const stops = Array.from({ length: 8 }, (_, i) => read(`--r${i}`));
    this.ramp = Array.from({ length: N_STEPS }, (_, i) => {
      const place = (i / (N_STEPS - 1)) * (stops.length - 1);
      const stop = Math.min(stops.length - 2, Math.floor(place));
      return mixed(stops[stop], stops[stop + 1], place - stop);
    });
    [this.ink, this.card, this.soft, this.none] = ["--ink", "--card", "--soft", "--none"].map(read);
    const own = Array.from({ length: N_COLOURS }, (_, i) => read(`--c${i}`)), others = { "--ink": this.ink, "--card": this.card };
    // The same sums as in categoryCss.
    this.palette = ROUNDS.flatMap(([share, other]) => own.map((colour) => mixed(others[other], colour, share)));
    probe.remove();
  }

  modes() {
    const scales = [...this.scales.values()].map((scale) => [scale.name, scale.name === "time" ? "Time" : scale.label]);
    return [...Object.entries(CATEGORIES), ...scales];
  }

  rgb(i) {
    const { by, points } = this;
    if (by in CATEGORIES) return points[by][i] < 0 ? this.none : this.palette[points[by][i] % this.palette.length];
    const scale = this.scales.get(by);
    const value = scale.values[i];
    return Number.isNaN(value) ? this.none : this.ramp[Math.round(scale.share(value) * (N_STEPS - 1))];
  }

  css(i, alpha = 1) {
    return `rgb(${this.rgb(i).join(" ")} / ${alpha})`;
  }

  // shown: filters; found: the search; focus: what the legend points at; selected: the rest steps back.
  paint({ shown, found, focus, selected }) {
    const { points, inks, kinds, n } = this;
    const anySelected = selected.some(Boolean);
    for (let i = 0; i < n; i++) {
      const [r, g, b] = this.rgb(i);
      const dim = (found && !found[i]) || (focus && !focus[i]);
      inks[4 * i] = r;
      inks[4 * i + 1] = g;
      inks[4 * i + 2] = b;
      inks[4 * i + 3] = !shown[i] ? 0 : dim ? DIM : anySelected && !selected[i] ? ASIDE : SHOWN;
      kinds[2 * i] = points.corpus[i] % SHAPES.length;
      kinds[2 * i + 1] = (points.clip[i] > 0 ? 0 : 1) + (points.placed[i] ? 2 : 0);
    }
    this.version++;
  }
}
