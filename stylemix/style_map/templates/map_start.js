// The controls around the picture, and what may change without them: size, theme, paper.

Object.assign(SegmentMap.prototype, {
  addControls() {
    const { view, root } = this, { space } = view;
    const zooms = { in: () => space.zoomAt(1.5), out: () => space.zoomAt(1 / 1.5), all: () => space.showAll() };
    for (const button of root.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => { zooms[button.dataset.zoom](); this.moved(); });
    }
    this.search.addEventListener("input", () => this.find(this.search.value));
    this.search.addEventListener("keydown", (event) => {
      const [first] = event.key === "Enter" ? this.foundNow() : [];
      if (first === undefined) return;
      this.canvas.focus();
      this.goTo(first);
    });
    root.querySelector(".map-search button").addEventListener("click", () => this.select(this.foundNow()));
    root.querySelector(".map-go-on input").addEventListener("change", (event) => {
      this.sound.setGoOn(event.target.checked);
      this.moved();
    });
  },

  addSurroundings() {
    const { root, view } = this;
    const notice = root.querySelector(".map-notice");
    notice.textContent = this.data.notice;
    notice.hidden = !this.data.notice;
    fillFacts(root.querySelector(".map-facts"), this.data.facts);
    // A new size empties the canvas: waiting for the next frame would show it empty.
    new ResizeObserver(() => { view.resize(); this.drawNow(); }).observe(this.canvas);
    const motion = matchMedia("(prefers-reduced-motion: reduce)");
    motion.addEventListener("change", () => { this.still = motion.matches; });
    document.addEventListener("theme", () => this.retheme());
    // Paper is white whatever the screen is.
    let chosen = null;
    const paper = (theme) => {
      pageTheme.chosen = theme;
      pageTheme.show();
      this.drawNow();
    };
    window.addEventListener("beforeprint", () => { chosen = pageTheme.chosen; paper("light"); });
    window.addEventListener("afterprint", () => paper(chosen));
  },

  retheme() {
    this.view.readTheme();
    this.legend.show();
    this.recolour();
  },
});

{
  const root = document.getElementById("map");
  if (root) root.segmentMap = new SegmentMap(root, readData("map-data"));
}
