// Curves of several modes in one plot: lines with names, intervals, guides, a region that is aimed at.

class Curves {
  constructor({ title, note, lines, guides, region, x, xTitle, free }, modes) {
    [this.width, this.height, this.left, this.right, this.top, this.bottom] = [520, 280, 52, 86, 12, 46];
    this.lines = lines.map((line) => ({ ...line, n: modes.findIndex(({ name }) => name === line.name) }));
    this.x = x;
    this.range(guides, free);
    this.svg = svgNode("svg", { class: "curve", viewBox: `0 0 ${this.width} ${this.height}`, role: "img" });
    this.svg.append(svgNode("title", {}, `${title}, against ${xTitle}`));
    if (region) this.drawRegion(region);
    this.drawAxes(xTitle);
    for (const guide of guides) this.svg.append(svgNode("polyline", { class: "guide", points: this.path(guide) }));
    for (const line of this.lines) this.drawLine(line);
    this.drawNames();
    this.root = el("div", "plot");
    this.root.append(el("h3", "", title));
    if (note) this.root.append(el("p", "soft", note));
    this.root.append(this.svg);
  }

  range(guides, free) {
    const all = this.lines.flatMap(({ points }) => points.flatMap((point) => point.slice(1)));
    all.push(...guides.flat().map(([, y]) => y));
    const known = all.filter((v) => v !== null && v !== undefined);
    const [least, most] = known.length ? [Math.min(...known), Math.max(...known)] : [0, 1];
    const room = 0.08 * (most - least || 1);
    // A share is shown against the whole; what has no zero of its own, between its ends.
    this.low = free ? least - room : Math.min(0, least);
    this.high = !free && most <= 1 ? 1 : most + room;
  }

  px(v) {
    const [first, last] = [this.x[0], this.x[this.x.length - 1]];
    return this.left + (v - first) / (last - first) * (this.width - this.left - this.right);
  }

  py(v) {
    return this.height - this.bottom - (v - this.low) / (this.high - this.low) * (this.height - this.top - this.bottom);
  }

  path(points) {
    return points.map(([a, b]) => `${this.px(a).toFixed(1)},${this.py(b).toFixed(1)}`).join(" ");
  }

  drawRegion([left, top]) {
    const y = this.py(Math.min(top, this.high));
    this.svg.append(svgNode("rect", {
      class: "region", x: this.px(left), y, width: this.width - this.right - this.px(left), height: this.height - this.bottom - y,
    }));
  }

  drawAxes(xTitle) {
    const { svg, width, height, left, right, bottom } = this;
    for (const [v, text] of roundNumbers(this.low, this.high)) {
      svg.append(svgNode("line", { class: "grid", x1: left, x2: width - right, y1: this.py(v), y2: this.py(v) }));
      svg.append(svgNode("text", { x: left - 9, y: this.py(v) + 4.5, "text-anchor": "end" }, text));
    }
    for (const v of this.x) svg.append(svgNode("text", { x: this.px(v), y: height - bottom + 20, "text-anchor": "middle" }, String(v)));
    const middle = (this.px(this.x[0]) + this.px(this.x[this.x.length - 1])) / 2;
    svg.append(svgNode("text", { x: middle, y: height - 6, "text-anchor": "middle" }, xTitle));
  }

  drawLine({ n, control, points }) {
    const group = svgNode("g", { class: `m${n}${control ? " control" : ""}` });
    const known = points.filter(([, v]) => v !== null);
    group.append(svgNode("polyline", { points: this.path(known) }));
    for (const [a, v, low, high] of known) {
      const x = this.px(a).toFixed(1);
      if (low !== undefined) group.append(svgNode("line", { class: "interval", x1: x, x2: x, y1: this.py(low), y2: this.py(high) }));
      group.append(svgNode("circle", { cx: x, cy: this.py(v).toFixed(1), r: 3.4 }));
    }
    this.svg.append(group);
  }

  // Lines often end in one point: names keep a distance and their order, and stay inside.
  drawNames() {
    const placed = [];
    for (const { n, control, name, points, named } of this.lines) {
      const known = points.filter(([, v]) => v !== null);
      if (!known.length) continue;
      const at = named === undefined ? known[known.length - 1] : points[named];
      if (at[1] === null) continue;
      const x = named === undefined ? this.width - this.right + 10 : this.px(at[0]) + 9;
      placed.push({ n, control, name, x, y: this.py(at[1]) + (named === undefined ? 0 : -9), beside: named === undefined });
    }
    const column = placed.filter(({ beside }) => beside).sort((a, b) => a.y - b.y);
    for (let k = 1; k < column.length; k++) column[k].y = Math.max(column[k].y, column[k - 1].y + 17);
    const limit = this.height - this.bottom + 2;
    for (let k = column.length - 1; k >= 0; k--) {
      column[k].y = Math.min(column[k].y, k === column.length - 1 ? limit : column[k + 1].y - 17);
    }
    for (const { n, control, name, x, y } of placed) {
      this.svg.append(svgNode("text", { class: `m${n}${control ? " control" : ""}`, x, y: y + 4.5 }, name));
    }
  }
}
