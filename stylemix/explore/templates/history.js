// What was asked for, the newest first: how far it is, its sound, its file, its command.

class ExploreHistory {
  constructor(panel, list) {
    this.panel = panel;
    this.list = list;
    this.rows = new Map();
    this.version = -1;
    this.wanted = 0;
    this.listen();
  }

  // A request that the server answers as soon as there is news, and after a while without any.
  async listen() {
    for (let failures = 0; ; ) {
      try {
        // A browser holds six connections to a server: tabs that nobody sees must not take them all.
        if (document.hidden && !this.busy) await new Promise((seen) => document.addEventListener("visibilitychange", seen, { once: true }));
        const answer = await fetch(`jobs?since=${this.version}`);
        if (answer.status === 403) return this.panel.state("Closed: open the address that the terminal shows");
        if (!answer.ok) throw new Error(String(answer.status));
        this.show(await answer.json());
        failures = 0;
        if (this.closed) return this.panel.state("The server has ended");
      } catch {
        this.panel.state("The server does not answer");
        failures++;
        await new Promise((done) => setTimeout(done, Math.min(5000, 250 * 2 ** failures)));
      }
    }
  }

  // Jobs that changed since the version that is known here, and the numbers of all where some were forgotten.
  show({ version, ready, closed, jobs, numbers }) {
    this.closed = closed;
    for (const job of jobs) this.showJob(job);
    if (numbers) this.keep(new Set(numbers));
    this.busy = [...this.rows.values()].filter((row) => row.job.state === "waiting" || row.job.state === "rendering").length;
    this.panel.state(this.busy ? `${this.busy} to render` : ready ? "Ready" : "Loading the model");
    this.version = version;
  }

  keep(numbers) {
    for (const [number, row] of this.rows) {
      if (numbers.has(number)) continue;
      row.root.remove();
      this.rows.delete(number);
    }
  }

  showJob(changed) {
    // What was asked for is sent once.
    const known = this.rows.get(changed.number), job = { ...(known && known.job), ...changed };
    let row = known;
    if (!row) {
      row = this.makeRow(job);
      this.rows.set(job.number, row);
      this.list.prepend(row.root);
    }
    const before = row.job;
    row.job = job;
    row.how.textContent = this.words(job);
    row.warnings.textContent = job.state === "done" ? job.warnings.join("; ") : "";
    row.bar.hidden = job.state !== "rendering";
    if (job.stage === "rendering") row.bar.value = job.share;
    else row.bar.removeAttribute("value");
    if (before && before.state === job.state && before.has_sound === job.has_sound) return;
    row.root.dataset.state = job.state;
    for (const [name, button] of Object.entries(row.does)) button.hidden = !this.offers(job)[name];
    const isNews = before && before.state !== job.state;
    if (isNews && job.state === "failed") this.panel.map.say(`Hybrid ${job.number} failed: ${job.line}`);
    if (job.state === "done" && this.wanted === job.number && job.has_sound) {
      this.wanted = 0;
      this.play(row);
    }
  }

  offers({ state, has_sound: sound, order }) {
    const busy = state === "waiting" || state === "rendering", done = state === "done";
    // Modes without a search have but one answer.
    const another = done && order.kind === "between" && ["match", "cross", "fade"].includes(order.mode);
    return { play: done, save: sound, command: done, again: !busy && !done, another, edit: true, cancel: busy };
  }

  words({ state, ahead, stage, left_s: left, seconds, took_s: took, line, has_sound: sound, channels }) {
    if (state === "waiting") return ahead ? `Waits for ${ahead} before it` : "Waits";
    if (state === "rendering") return `${stage[0].toUpperCase()}${stage.slice(1)}${left === null ? "" : `, about ${Math.max(1, Math.round(left))} s left`}`;
    if (state === "failed") return line;
    if (state === "cancelled") return "Cancelled";
    return `${seconds.toFixed(1)} s, ${channels === 1 ? "mono" : channels === 2 ? "stereo" : `${channels} channels`}, made in ${took.toFixed(1)} s${sound ? "" : "; made again when played"}`;
  }

  makeRow(job) {
    const root = el("li", "explore-job"), does = el("div", "does");
    const row = { root, job: null, how: el("p", "how"), warnings: el("p", "how warnings"), bar: el("progress"), does: {} };
    row.bar.max = 1;
    row.bar.setAttribute("aria-label", `Progress of hybrid ${job.number}`);
    const add = (name, label, node, act) => {
      node.textContent = label;
      node.setAttribute("aria-label", `${label}: hybrid ${job.number}, ${job.label}`);
      if (act) node.addEventListener("click", act);
      row.does[name] = node;
      does.append(node);
    };
    const button = () => Object.assign(el("button"), { type: "button" });
    const link = el("a");
    link.href = `jobs/${job.number}/sound?download=1`;
    link.download = job.name;
    add("play", "Play", button(), () => this.toggle(row));
    add("save", "Save", link);
    add("command", "Command", button(), () => this.command(row));
    add("another", "Another", button(), () => this.panel.another(row.job));
    add("edit", "Edit", button(), () => this.panel.load(row.job));
    add("again", "Again", button(), () => this.again(row));
    add("cancel", "Cancel", button(), () => this.panel.post(`jobs/${job.number}/cancel`, {}));
    const what = el("p", "what");
    what.append(el("bdi", "", `${job.number}. ${job.label}`));
    root.dataset.job = job.number;
    row.warnings.dir = "auto";
    root.append(what, row.how, row.warnings, row.bar, does);
    return row;
  }

  again(row) {
    this.wanted = row.job.number;
    return this.panel.post(`jobs/${row.job.number}/again`, {});
  }

  toggle(row) {
    if (this.playing === row) return jukebox.stop();
    return row.job.has_sound ? this.play(row) : this.again(row);
  }

  async sound({ number, took_s: took }) {
    const id = `job-${number}-${took}`;
    await jukebox.start();
    if (jukebox.decoded.has(id)) return id;
    const answer = await fetch(`jobs/${number}/sound`);
    if (!answer.ok) throw new Error("its sound has made room for newer ones; play it again");
    const buffer = await jukebox.context.decodeAudioData(await answer.arrayBuffer());
    const known = Promise.resolve(buffer);
    known.seconds = buffer.duration * buffer.numberOfChannels;
    jukebox.decoded.set(id, known);
    return id;
  }

  async play(row) {
    const { map } = this.panel;
    try {
      const id = await this.sound(row.job);
      if (!(await jukebox.play({ id, onstop: () => this.stopped(row) }))) return;
    } catch (error) {
      map.say(`Hybrid ${row.job.number}: ${error.message}`);
      return;
    }
    this.playing = row;
    row.root.classList.add("on");
    row.does.play.textContent = "Stop";
    map.root.dataset.hybrid = row.job.number;
    map.say(`Playing hybrid ${row.job.number}: ${row.job.label}`);
    this.panel.follow(row.job);
  }

  stopped(row) {
    if (this.playing === row) this.playing = null;
    row.root.classList.remove("on");
    row.does.play.textContent = "Play";
    delete this.panel.map.root.dataset.hybrid;
    this.panel.showMarks();
  }

  async command(row) {
    if (!row.field) {
      row.field = Object.assign(el("textarea"), { readOnly: true, rows: 4, spellcheck: false, value: row.job.command });
      row.field.setAttribute("aria-label", `Command that makes hybrid ${row.job.number}`);
      row.root.append(row.field);
    }
    const done = await copyText(row.field.value, row.field);
    this.panel.map.say(done ? "Command copied: it makes the same file" : "Press Ctrl+C to copy what is marked");
  }
}
