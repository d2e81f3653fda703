// Deep links: the address holds what is seen. Whatever comes from there is a number, or a name looked up among known ones.

const MOST_LINK = 3000;
const MOST_LETTERS = 120_000;
const HIDDEN_KEYS = { corpus: "nc", cluster: "nk", file: "nf", placed: "nn" };

// 0,1,2,7 becomes 1-3.8: counted from 1, as people see segments.
function packList(list) {
  const parts = [];
  for (let k = 0; k < list.length; k++) {
    let end = k;
    while (list[end + 1] === list[end] + 1) end++;
    parts.push(end > k ? `${list[k] + 1}-${list[end] + 1}` : `${list[k] + 1}`);
    k = end;
  }
  return parts.join(".");
}

// A list that packList wrote names each entry once; an address from elsewhere may say the same a million times. So no more
// entries are looked at than there are, and no more letters than 20,000 single numbers take.
function unpackList(text, least, end) {
  const list = new Set();
  let left = end - least;
  for (const part of (text || "").slice(0, MOST_LETTERS).split(".")) {
    if (left <= 0) break;
    const found = /^(-?\d{1,6})(?:-(\d{1,6}))?$/.exec(part);
    if (!found) continue;
    const from = Math.max(least, Number(found[1]) - 1), to = Math.min(end - 1, Number(found[2] ?? found[1]) - 1);
    for (let i = from; i <= to && left > 0; i++, left--) list.add(i);
  }
  return [...list];
}

function finite(text, low, high) {
  const value = text === null || text.trim() === "" ? NaN : Number(text);
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : null;
}

class MapLink {
  constructor(map) {
    this.map = map;
    this.waiting = 0;
    window.addEventListener("hashchange", () => { if (location.hash !== this.written) this.read(); });
  }

  // Not at every step: browsers refuse more than some hundred changes of the address in half a minute.
  later() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.write(), 400);
  }

  text() {
    const { map } = this, { view, legend, colours } = map, { space } = view;
    const parts = new URLSearchParams();
    const set = (key, value) => { if (value !== "" && value !== null) parts.set(key, value); };
    if (space.index) set("l", space.layouts[space.index].name);
    if (colours.by !== "corpus") set("c", colours.by);
    const moved = space.zoom !== 1 || space.shift.some(Boolean);
    if (moved) {
      const [x, y] = space.toMap(view.width / 2, view.height / 2);
      set("v", [space.zoom, x, y].map((value) => Number(value.toPrecision(5))).join("_"));
    }
    if (space.dims === 3) set("t", space.turn.map((angle) => angle.toFixed(3)).join("_"));
    for (const by in HIDDEN_KEYS) set(HIDDEN_KEYS[by], packList([...legend.hidden[by]].sort((a, b) => a - b)));
    for (const name in legend.ranges) set(`r.${name}`, legend.ranges[name].map((value) => Number(value.toFixed(4))).join("_"));
    if (view.chosen >= 0) set("p", view.chosen + 1);
    const selected = packList(map.selection.list);
    if (selected.length < MOST_LINK) set("s", selected);
    set("q", map.search.value.trim().slice(0, 100));
    if (map.sound.goOn) set("g", "1");
    return parts.toString();
  }

  write() {
    const text = this.text();
    this.written = text ? `#${text}` : "";
    if (this.written === location.hash) return;
    try {
      history.replaceState(null, "", this.written || location.pathname + location.search);
    } catch {
      // Some hosts of pages forbid it: then the address stays as it is.
      this.written = location.hash;
    }
  }

  read() {
    const { map } = this, { view, legend, colours } = map, { space } = view;
    const parts = new URLSearchParams(location.hash.slice(1));
    const index = space.layouts.findIndex((layout) => layout.name === parts.get("l"));
    map.showLayout(Math.max(0, index), false);
    const by = parts.get("c");
    if (map.colours.modes().some(([name]) => name === by)) colours.by = by;
    const counts = { corpus: map.data.corpora.length, cluster: map.data.clusters.length, file: map.data.files.length, placed: 2 };
    for (const key in HIDDEN_KEYS) {
      legend.hidden[key] = new Set(unpackList(parts.get(HIDDEN_KEYS[key]), key === "cluster" ? -1 : 0, counts[key]));
    }
    legend.ranges = {};
    for (const name of colours.scales.keys()) {
      const ends = (parts.get(`r.${name}`) || "").split("_").map((text) => finite(text, 0, 1));
      if (ends.length === 2 && ends.every((end) => end !== null)) legend.ranges[name] = ends;
    }
    this.readView(parts);
    const [chosen] = unpackList(parts.get("p"), 0, map.n);
    if (chosen !== undefined) map.choose(chosen);
    if (parts.get("g") === "1") map.sound.setGoOn(true);
    map.selection.set(unpackList(parts.get("s"), 0, map.n));
    map.find(parts.get("q") || "");
    map.applyFilters();
    legend.show();
  }

  readView(parts) {
    const { view } = this.map, { space } = view;
    const turn = (parts.get("t") || "").split("_").map((text) => finite(text, -7, 7));
    if (space.dims === 3 && turn.length === 2 && turn.every((angle) => angle !== null)) space.turned = space.turn = turn;
    const [zoom, x, y] = (parts.get("v") || "").split("_").map((text) => finite(text, -100, 100));
    space.showAll();
    if (![zoom, x, y].every((value) => value !== null && value !== undefined)) return;
    space.zoom = Math.min(60, Math.max(0.5, zoom));
    const [px, py] = space.toScreen(x, y);
    space.pan(view.width / 2 - px, view.height / 2 - py);
  }
}
