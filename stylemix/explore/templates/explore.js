// The panel beside a served map: between two segments or along a path, with alpha, mode, variation and seconds.

class ExplorePanel {
  constructor(form, map) {
    this.form = form;
    this.map = map;
    this.settings = readData("explore-data");
    this.gone = new Set(this.settings.gone);
    this.trails = new Map();
    this.plan = null;
    this.addDials();
    this.addButtons();
    this.addTools();
    this.history = new ExploreHistory(this, form.querySelector(".explore-history ol"));
    map.root.addEventListener("map:layout", () => this.forgetPlaces());
    this.show();
  }

  // ---- what can be turned

  get dials() {
    return this.form.elements;
  }

  addDials() {
    const { mode, material, seconds, alpha } = this.dials;
    const words = { around: `${this.settings.around_s} s around the segment`, file: "its whole file", cluster: "its cluster", corpus: "its whole corpus" };
    for (const { name } of this.settings.modes) mode.append(new Option(name, name));
    for (const name of this.settings.materials) material.append(new Option(words[name], name));
    [seconds.min, seconds.max] = this.settings.seconds;
    mode.addEventListener("change", () => { this.modeChosen = true; this.show(); });
    seconds.addEventListener("change", () => { this.secondsChosen = true; this.show(); });
    alpha.addEventListener("input", () => {
      if (this.plan && this.plan.kind === "between") Object.assign(this.plan, { alpha: Number(alpha.value), x: undefined });
      this.show();
    });
  }

  addButtons() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.render();
    });
    this.form.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const { end, use } = button.dataset;
      if (end) this.map.play(this.plan[end]);
      if (use) this.use(use);
      if (button.dataset.do) this[button.dataset.do]();
    });
  }

  addTools() {
    this.map.addTool({
      name: "between", label: "Between", key: "h", hint: "Click between the styles, or on two points: the place chooses who meets, and how far",
      click: (at) => (at.hit >= 0 ? this.pick(at.hit) : this.between([at.px, at.py])),
      stroke: (list) => this.path(list),
    });
    this.map.addTool({
      name: "path", label: "Path", key: "p", hint: "Draw a path, or click its points and press Render",
      click: (at) => this.pathPoint(at), stroke: (list) => this.path(list),
    });
  }

  // ---- what is asked for

  between(place) {
    const move = this.movesAt([place])[0];
    if (!move) return undefined;
    this.plan = { kind: "between", ...move };
    if (!this.secondsChosen) this.dials.seconds.value = this.dials.seconds.defaultValue;
    this.dials.alpha.value = this.plan.alpha;
    this.plan.alpha = Number(this.dials.alpha.value);
    this.show();
    return this.render();
  }

  // Who meets at places on the map; places far from everything are left out.
  movesAt(places) {
    const corpora = corporaAt(this.map, places, this.gone);
    if (corpora.length < 2) {
      this.map.say("Two corpora must be shown for something to lie between them");
      return [];
    }
    const lines = linesOf(this.map, corpora, this.gone, this.settings.partners);
    const moves = places.map((place) => moveAt(this.map, place, lines)).filter(Boolean);
    if (!moves.length) this.map.say("Nothing is near this place: go nearer to a point, or between the styles");
    return moves;
  }

  // Two clicks on points: from the first to the second, as far as alpha says.
  pick(i) {
    if (this.gone.has(i)) return this.map.say("The recording of this segment has moved or is gone");
    const half = this.plan && this.plan.kind === "between" && this.plan.target === undefined;
    if (!half) {
      this.plan = { kind: "between", source: i };
      this.map.say(`From segment ${i + 1}; now choose the second`);
      return this.show();
    }
    this.use("target", i);
    return this.render();
  }

  use(end, i = this.map.view.chosen) {
    if (i < 0) return this.map.say("Choose a segment on the map first");
    if (this.gone.has(i)) return this.map.say("The recording of this segment has moved or is gone");
    const { source, target } = this.plan && this.plan.kind === "between" ? this.plan : {};
    this.plan = { kind: "between", source, target, [end]: i, alpha: Number(this.dials.alpha.value) };
    return this.show();
  }

  path(list) {
    const places = spread(list.map(({ px, py }) => [px, py]), 200);
    const moves = this.movesAt(places);
    if (!moves.length) return undefined;
    this.plan = { kind: "walk", moves };
    this.usualForPaths();
    this.show();
    return this.render();
  }

  // Two tracks drawn beside one another are meant to meet moment by moment, and a way takes longer than a place.
  usualForPaths() {
    if (!this.modeChosen) this.dials.mode.value = "morph";
    if (!this.secondsChosen) this.dials.seconds.value = Math.max(this.dials.seconds.value, 12);
  }

  // By clicks or keys: a point at a time.
  pathPoint(at) {
    const move = this.movesAt([[at.px, at.py]])[0];
    if (!move) return undefined;
    const before = this.plan && this.plan.kind === "walk" && this.plan.clicked ? this.plan.moves : [];
    this.plan = { kind: "walk", clicked: true, moves: [...before, move] };
    this.usualForPaths();
    this.map.say(`${this.plan.moves.length} points of a path; Render makes it`);
    return this.show();
  }

  swap() {
    if (!this.plan) return;
    const turned = ({ source, target, alpha, x, y }) => ({ source: target, target: source, alpha: 1 - alpha, x, y });
    if (this.plan.kind === "walk") this.plan = { ...this.plan, moves: this.plan.moves.map(turned) };
    else this.plan = { kind: "between", ...turned(this.plan) };
    if (this.plan.kind === "between") this.dials.alpha.value = this.plan.alpha;
    this.show();
  }

  clear() {
    this.plan = null;
    this.show();
  }

  get complete() {
    if (!this.plan) return false;
    return this.plan.kind === "walk" ? this.plan.moves.length > 0 : this.plan.source !== undefined && this.plan.target !== undefined;
  }

  order() {
    const { mode, material, seconds, variation, seed, alpha } = this.dials;
    const common = { kind: this.plan.kind, mode: mode.value, seconds: Number(seconds.value), seed: Number(seed.value) };
    if (this.plan.kind === "walk") {
      return { ...common, steps: stepsOf(this.plan.moves, common.seconds, this.settings.step_s, this.settings.most_steps) };
    }
    const { source, target } = this.plan;
    return { ...common, source: source + 1, target: target + 1, alpha: Number(alpha.value), material: material.value, variation: Number(variation.value) };
  }

  async render() {
    if (!this.complete) return this.map.say("Choose what to go between first");
    if (!this.form.reportValidity()) return undefined;
    const { plan } = this;
    const made = await this.post("orders", this.order());
    if (!made) return undefined;
    this.history.wanted = made.number;
    this.trails.set(made.number, plan);
    return this.map.say(`Hybrid ${made.number} is on its way`);
  }

  async post(where, value) {
    try {
      const answer = await fetch(where, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) });
      const told = await answer.json();
      if (answer.ok) return told;
      this.map.say(told.error);
    } catch {
      this.map.say("The server does not answer: is it still running in the terminal?");
    }
    return null;
  }

  load({ number, order }) {
    const { mode, material, seconds, variation, seed, alpha } = this.dials;
    const known = this.trails.get(number);
    const move = ({ source, target, alpha: share }) => ({ source: source - 1, target: target - 1, alpha: share });
    if (order.kind === "walk") this.plan = known || { kind: "walk", moves: order.steps.map(move) };
    else {
      this.plan = { kind: "between", ...move(order) };
      [alpha.value, material.value, variation.value] = [order.alpha, order.material || "around", order.variation || 1];
    }
    [mode.value, seconds.value, seed.value] = [order.mode, order.seconds, order.seed || 0];
    this.show();
  }

  // The same question, answered with other material.
  another(job) {
    this.load(job);
    this.dials.variation.value = Math.min(this.dials.variation.max, Number(this.dials.variation.value) + 1);
    return this.render();
  }

  // ---- what is shown

  state(words) {
    const line = this.form.querySelector(".explore-state");
    if (line.textContent !== words) line.textContent = words;
  }

  show() {
    const { plan, form } = this, isPath = Boolean(plan) && plan.kind === "walk";
    form.querySelector(".explore-ends").hidden = isPath;
    form.querySelector(".explore-alpha").hidden = isPath;
    for (const button of form.querySelectorAll("[data-end]")) {
      const i = plan ? plan[button.dataset.end] : undefined;
      button.disabled = i === undefined;
      button.textContent = i === undefined ? "–" : `${i + 1}: ${this.map.describe(i)[0]}`;
      button.title = i === undefined ? "" : `Play segment ${i + 1}`;
    }
    const trail = form.querySelector(".explore-trail");
    trail.hidden = !isPath;
    if (isPath) trail.textContent = `A path, in ${this.order().steps.length} steps`;
    form.querySelector(".explore-alpha output").textContent = Number(this.dials.alpha.value).toFixed(2);
    form.querySelector(".explore-why").textContent = `${this.dials.mode.value}: ${this.settings.modes.find(({ name }) => name === this.dials.mode.value).why}`;
    for (const name of ["material", "variation"]) this.dials[name].disabled = isPath;
    form.querySelector("[type=submit]").disabled = !this.complete;
    this.showMarks();
  }

  marksOf(plan) {
    if (!plan) return [];
    if (plan.kind === "walk") return [{ kind: plan.moves.length > 1 ? "path" : "dot", points: plan.moves.map((move) => placeOf(this.map, move)), label: "" }];
    const marks = [];
    if (plan.source !== undefined) marks.push({ kind: "dot", points: [plan.source], label: "from" });
    if (plan.target === undefined) return marks;
    marks.push({ kind: "dot", points: [plan.target], label: "to" });
    if (plan.source === undefined) return marks;
    const alpha = Number(this.dials.alpha.value);
    const middle = placeOf(this.map, { ...plan, alpha });
    return [{ kind: "line", points: [plan.source, middle, plan.target], label: "" }, ...marks, { kind: "dot", points: [middle], label: alpha.toFixed(2) }];
  }

  // In another layout a hybrid lies between the same segments, and these lie elsewhere.
  forgetPlaces() {
    for (const plan of [this.plan, ...this.trails.values()]) {
      if (plan) for (const move of plan.moves || [plan]) move.x = undefined;
    }
    this.showMarks();
  }

  showMarks(extra = []) {
    this.map.marks = [...this.marksOf(this.plan), ...extra];
    this.map.redraw();
  }

  // While the sound of a path plays, a head moves along it.
  follow(job) {
    const plan = this.trails.get(job.number);
    if (!plan || plan.kind !== "walk") return;
    const step = () => {
      if (!this.history.playing || this.history.playing.job.number !== job.number || !jukebox.current) return;
      const k = Math.round((plan.moves.length - 1) * Math.min(1, jukebox.position() / job.seconds));
      this.showMarks([{ kind: "dot", points: [placeOf(this.map, plan.moves[k])], label: clock(jukebox.position(), 1) }]);
      requestAnimationFrame(step);
    };
    step();
  }
}

{
  const form = document.getElementById("explore");
  form.explorePanel = new ExplorePanel(form, document.getElementById("map").segmentMap);
}
