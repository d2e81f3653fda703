// The selection: what is in it, played in order, taken away as text.

const MOST_ROWS = 200;
const MOST_STEPS = 60;

class MapSelection {
  constructor(map) {
    this.map = map;
    this.root = map.root.querySelector(".map-selection");
    this.list = [];
    this.flags = new Uint8Array(map.n);
    this.field = this.root.querySelector("textarea");
    for (const button of this.root.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => this[button.dataset.do]());
    }
    this.root.querySelector(".map-rows").addEventListener("click", (event) => this.onRow(event));
  }

  set(list) {
    this.flags.fill(0);
    for (const i of list) this.flags[i] = 1;
    // In the order given, each once: an ordered list is what play-all and a walk need.
    this.list = [...new Set(list)].filter((i) => i >= 0 && i < this.map.n);
    this.show();
  }

  show() {
    const n = this.list.length;
    this.root.hidden = !n;
    this.root.querySelector("h2").textContent = `${n.toLocaleString("en")} selected`;
    this.root.querySelector(".map-export").hidden = true;
    this.root.querySelector(".map-rows").replaceChildren(...this.list.slice(0, MOST_ROWS).map((i) => this.row(i)));
    const more = this.root.querySelector(".map-more");
    more.hidden = n <= MOST_ROWS;
    more.textContent = `and ${(n - MOST_ROWS).toLocaleString("en")} more; all of them are in the CSV`;
  }

  row(i) {
    const { map } = this;
    const item = el("li");
    item.dataset.segment = i;
    const play = el("button", "map-row");
    play.type = "button";
    const name = el("bdi", "name", map.data.files[map.points.file[i]]);
    play.append(shapeSwatch(map.points.corpus[i], map.colours.css(i)), el("span", "number", String(i + 1)), name, el("span", "count", map.span(i)));
    const drop = el("button", "drop", "×");
    drop.type = "button";
    drop.setAttribute("aria-label", `Leave out segment ${i + 1}`);
    item.append(play, drop);
    return item;
  }

  onRow(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const i = Number(button.parentNode.dataset.segment);
    if (button.classList.contains("drop")) return this.map.toggleSelected(i);
    this.map.view.space.reveal(i);
    this.map.play(i);
  }

  play() {
    this.map.sound.playList(this.list);
  }

  tell(words, text) {
    this.root.querySelector(".map-export").hidden = false;
    this.root.querySelector(".map-export p").textContent = words;
    this.field.value = text;
    this.field.scrollTop = 0;
  }

  csv() {
    this.tell("Times are in seconds. Segments and clusters count from 1; cluster 0 is none.", selectionCsv(this.map, this.list));
  }

  save() {
    const url = URL.createObjectURL(new Blob(["\ufeff", selectionCsv(this.map, this.list)], { type: "text/csv" }));
    const link = el("a");
    [link.href, link.download] = [url, "segments.csv"];
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  command() {
    const used = this.list.slice(0, MOST_STEPS);
    const text = selectionCommand(this.map, used);
    const cut = this.list.length > MOST_STEPS ? ` Only the first ${MOST_STEPS} segments are in it.` : "";
    if (text) this.tell(`A hybrid that walks through these segments, each half way to a segment of another corpus.${cut}`, text);
    else this.tell("There is no other corpus to go to.", "");
  }

  async copy() {
    const done = await copyText(this.field.value, this.field);
    this.map.say(done ? "Copied" : "Press Ctrl+C to copy what is marked");
  }

  zoom() {
    this.map.view.space.frame(this.list);
    this.map.moved();
  }

  clear() {
    this.map.select([]);
    this.map.view.canvas.focus();
  }
}
