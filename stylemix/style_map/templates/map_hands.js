// Pointer and keys: what a drag means depends on the tool in hand; a wheel always zooms, two fingers always pinch.

const CLICK_PX = 5;

class MapHands {
  constructor(map) {
    this.map = map;
    this.canvas = map.view.canvas;
    this.tools = [];
    this.box = map.root.querySelector(".map-tools");
    this.hint = map.root.querySelector(".map-hint");
    const area = (shape) => (list) => map.select(map.view.inside(shape === "rectangle" ? rectangle(pixels(list)) : pixels(list)));
    const pixels = (list) => list.map(({ px, py }) => [px, py]);
    this.add({ name: "move", label: "Move", key: "v", hint: "Click a point to hear it" });
    this.add({ name: "lasso", label: "Lasso", key: "l", hint: "Draw around points to select them", shape: "lasso", stroke: area("lasso") });
    this.add({ name: "box", label: "Box", key: "b", hint: "Drag a box around points to select them", shape: "rectangle", stroke: area("rectangle") });
    this.take("move");
    this.addPointer();
    this.addWheel();
    this.addKeys();
  }

  add(tool) {
    const button = el("button", "", tool.label);
    button.type = "button";
    button.dataset.tool = tool.name;
    if (tool.key) button.title = `${tool.label} (${tool.key.toUpperCase()})`;
    button.addEventListener("click", () => this.take(tool.name));
    this.box.append(button);
    this.tools.push({ shape: "path", ...tool, button });
  }

  take(name) {
    const tool = this.tools.find((one) => one.name === name);
    if (!tool) return;
    this.tool = tool;
    for (const one of this.tools) one.button.setAttribute("aria-pressed", String(one === tool));
    this.hint.textContent = this.words();
    this.canvas.classList.toggle("drawing", tool.name !== "move");
    if (this.map.root.dataset.tool === name) return;
    this.map.root.dataset.tool = name;
    this.map.tell("tool", { name });
  }

  spot(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  where(px, py, reach = 14) {
    const [x, y] = this.map.view.space.toMap(px, py);
    return { x, y, px, py, hit: this.map.view.at(px, py, reach) };
  }

  // A hybrid's dot lies above the points, and is asked for more closely.
  look(x, y) {
    const dot = this.tool.click ? null : this.map.view.bridgeAt(x, y, 8);
    this.hover(dot ? -1 : this.map.view.at(x, y, 14));
    if (dot) this.canvas.classList.add("on-point");
    else if (this.map.view.hovered < 0) this.canvas.classList.remove("on-point");
    this.hint.replaceChildren(...(dot ? ["Hybrid: ", el("bdi", "", dot.label)] : [this.words()]));
  }

  words() {
    if (this.tool.name === "move" && this.map.view.space.dims === 3) return "Drag to turn, with Shift to move";
    return this.tool.hint || "";
  }

  hover(i) {
    const { view } = this.map;
    this.map.byKeys = false;
    if (i === view.hovered) return;
    view.hovered = i;
    this.canvas.classList.toggle("on-point", i >= 0);
    this.map.redraw();
  }

  addPointer() {
    const { canvas } = this;
    this.down = new Map();
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.down.size) Object.assign(this, { moved: 0, stroke: null, pinched: false });
      this.down.set(event.pointerId, this.spot(event));
      this.panning = event.button > 0 || (event.shiftKey && this.tool.name === "move");
      canvas.setPointerCapture(event.pointerId);
      if (this.tool.name !== "move" && !this.panning && this.down.size === 1) this.stroke = [this.spot(event)];
    });
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", (event) => this.up(event));
    canvas.addEventListener("pointerleave", () => { if (!this.down.size) this.hover(-1); });
  }

  move(event) {
    const { view } = this.map;
    const [x, y] = this.spot(event);
    const before = this.down.get(event.pointerId);
    if (!before) return this.look(x, y);
    this.down.set(event.pointerId, [x, y]);
    const dx = x - before[0], dy = y - before[1];
    this.moved += Math.hypot(dx, dy);
    if (this.down.size === 2) {
      this.stroke = view.trace = null;
      this.pinched = true;
      return this.pinch(before, [x, y], [...this.down].find(([id]) => id !== event.pointerId)[1]);
    }
    if (this.moved <= CLICK_PX || this.pinched) return undefined;
    if (this.stroke) {
      this.stroke.push([x, y]);
      view.trace = { shape: this.tool.shape, places: this.stroke };
      return this.map.redraw();
    }
    return this.drag(dx, dy);
  }

  drag(dx, dy) {
    const { space } = this.map.view;
    this.canvas.classList.add("dragging");
    this.map.view.hovered = -1;
    if (space.dims === 3 && !this.panning) space.turnBy(dx, dy);
    else space.pan(dx, dy);
    this.map.view.hurry();
    this.map.moved();
  }

  pinch(before, now, other) {
    const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
    const { space } = this.map.view;
    space.zoomAt(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    space.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    this.map.view.hurry();
    this.map.moved();
  }

  up(event) {
    if (!this.down.delete(event.pointerId)) return;
    const { view } = this.map;
    this.canvas.classList.remove("dragging");
    const stroke = this.stroke;
    this.stroke = view.trace = null;
    if (event.type === "pointercancel" || this.down.size || this.pinched || event.button > 0) return this.map.redraw();
    const [px, py] = this.spot(event);
    if (this.moved > CLICK_PX) {
      if (stroke && this.tool.stroke) this.tool.stroke(stroke.map(([x, y]) => this.where(x, y)));
      return this.map.redraw();
    }
    return this.click(px, py, event.pointerType === "touch" ? 26 : 14, event);
  }

  click(px, py, reach, event) {
    const at = this.where(px, py, reach);
    this.hover(at.hit);
    if (this.tool.click) return this.tool.click(at);
    const dot = this.map.view.bridgeAt(px, py, 0.6 * reach);
    if (dot) return this.map.grid.play(dot);
    if (at.hit < 0) return undefined;
    return event.ctrlKey || event.metaKey || event.shiftKey ? this.map.toggleSelected(at.hit) : this.map.play(at.hit);
  }

  addWheel() {
    // In a page with more around it the wheel scrolls until the map has the focus.
    const needsFocus = document.querySelectorAll("main > section").length > 1;
    this.canvas.addEventListener("wheel", (event) => {
      if (needsFocus && !event.ctrlKey && document.activeElement !== this.canvas) return;
      event.preventDefault();
      const speed = event.deltaMode ? 0.05 : event.ctrlKey ? 0.01 : 0.0018;
      this.map.view.space.zoomAt(Math.exp(-event.deltaY * speed), ...this.spot(event));
      this.map.view.hurry();
      this.map.moved();
    }, { passive: false });
  }

  addKeys() {
    const { map } = this;
    const { space } = map.view;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const others = {
      " ": () => map.toggle(), Enter: () => this.enter(), Escape: () => { jukebox.stop(); this.take("move"); },
      "+": () => space.zoomAt(1.4), "=": () => space.zoomAt(1.4), "-": () => space.zoomAt(1 / 1.4), 0: () => space.showAll(),
      s: () => map.toggleSelected(map.view.chosen), k: () => map.selectCluster(map.view.chosen),
      f: () => map.selection.zoom(),
      ",": () => map.step(-1), ".": () => map.step(1),
    };
    this.canvas.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const tool = this.tools.find((one) => one.key === key);
      if (arrows[key] && event.shiftKey) space.turnBy(...arrows[key].map((step) => 24 * step));
      else if (arrows[key]) map.walk(...arrows[key]);
      else if (tool) this.take(tool.name);
      else if (others[key]) others[key]();
      else return;
      event.preventDefault();
      map.moved();
    });
  }

  // A tool that clicks is used by keys too: on the chosen point.
  enter() {
    const { view } = this.map;
    if (!this.tool.click || view.chosen < 0) return this.map.toggle();
    return this.tool.click({ ...this.where(...view.place(view.chosen)), hit: view.chosen });
  }
}
