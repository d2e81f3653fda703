// Players of one group share a time line: switching goes on from the same moment.

const ICONS = { play: "M3 1 L14 7.5 L3 14 Z", stop: "M2.5 2 H6 V13 H2.5 Z M9 2 H12.5 V13 H9 Z" };
const KIND_NAMES = { parent: "Parent", hybrid: "Hybrid", crossfade: "Control", other: "Other" };

class Deck {
  constructor(name, players, range, page) {
    this.page = page;
    this.players = players;
    this.position = 0;
    this.rows = el("div", "deck-rows");
    this.root = el("div", "deck");
    this.root.append(this.rows, this.ruler());
    players.forEach((player, index) => this.rows.append(this.row(player, index, range)));
    this.order = players.map((_, index) => index);
    this.name = name;
    this.showPosition();
  }

  row(player, index, range) {
    const row = el("div", "player");
    row.dataset.kind = player.kind;
    player.button = el("button", "play");
    player.button.type = "button";
    player.button.append(icon(ICONS.play));
    player.button.addEventListener("click", () => (this.isOn(player) ? jukebox.stop() : this.start(player)));
    const who = el("div", "who");
    player.name = el("span", "label", player.label);
    const kind = player.alpha === null ? KIND_NAMES[player.kind] : `${KIND_NAMES[player.kind]}, alpha ${player.alpha}`;
    const kindLine = el("span", "kind");
    kindLine.append(el("i"), el("span", "", kind));
    who.append(player.name, kindLine);
    if (player.note) who.append(el("div", "note", player.note));
    if (player.alpha !== null) who.append(this.alphaMark(player.alpha));
    player.now = el("b", "", "0:00.0");
    const time = el("div", "time");
    time.append(player.now, el("span", "", clock(player.seconds, 1)));
    row.append(player.button, who, this.strip(player, range), time);
    player.row = row;
    this.nameRow(player, player.label);
    return row;
  }

  nameRow(player, name) {
    player.shown = name;
    player.name.textContent = name;
    player.button.setAttribute("aria-label", `Play ${name}`);
    player.slider.setAttribute("aria-label", `Position in ${name}`);
  }

  alphaMark(alpha) {
    const line = el("div", "alpha");
    const mark = el("b");
    mark.style.left = `${100 * Math.min(1, Math.max(0, alpha))}%`;
    line.append(mark);
    return line;
  }

  strip(player, [low, high]) {
    const strip = el("div", "strip");
    const image = el("img");
    image.alt = "";
    image.src = `data:image/png;base64,${player.picture}`;
    player.head = el("div", "head");
    player.slider = strip;
    strip.append(image, player.head);
    for (const hz of [100, 1000, 5000]) {
      const mark = el("span", "hz", hz < 1000 ? `${hz} Hz` : `${hz / 1000} kHz`);
      mark.style.bottom = `${(100 * Math.log(hz / low)) / Math.log(high / low)}%`;
      strip.append(mark);
    }
    strip.tabIndex = 0;
    strip.setAttribute("role", "slider");
    strip.setAttribute("aria-valuemin", "0");
    strip.setAttribute("aria-valuemax", player.seconds.toFixed(1));
    const seek = (event) => {
      const box = strip.getBoundingClientRect();
      return this.seconds() * Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    };
    strip.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      strip.setPointerCapture(event.pointerId);
      this.dragging = true;
      jukebox.stop();
      this.move(seek(event));
    });
    strip.addEventListener("pointermove", (event) => { if (this.dragging) this.move(seek(event)); });
    strip.addEventListener("pointerup", (event) => {
      if (!this.dragging) return;
      this.dragging = false;
      this.start(player, seek(event));
    });
    strip.addEventListener("pointercancel", () => { this.dragging = false; });
    return strip;
  }

  // All pictures of a deck have one time axis, that of its longest member; a shorter picture ends earlier.
  seconds() {
    return Math.max(...this.players.map((player) => player.seconds));
  }

  ruler() {
    const ruler = el("div", "ruler");
    const line = el("div");
    const total = this.seconds();
    const step = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((s) => total / s <= 8) || 1200;
    for (let t = 0; t <= total - step * 0.4; t += step) {
      const mark = el("span", "", t === 0 ? "0 s" : step < 1 ? t.toFixed(1) : String(t));
      mark.style.left = `${(100 * t) / total}%`;
      line.append(mark);
    }
    const end = el("span", "", `${total.toFixed(1)} s`);
    end.style.left = "100%";
    line.append(end);
    for (const player of this.players) player.share = player.seconds / total;
    ruler.append(line);
    return ruler;
  }

  isOn(player) {
    return jukebox.current !== null && jukebox.current.what.player === player;
  }

  async start(player, at = null) {
    const mine = this.page.deck === this;
    const playing = jukebox.current && this.players.includes(jukebox.current.what.player);
    if (at === null && playing) this.position = jukebox.position();
    if (at === null && !this.page.keep() && this.last !== player) this.position = 0;
    if (at !== null) this.position = at;
    if (this.position >= player.seconds - 0.05) this.position = 0;
    this.last = player;
    if (!mine) this.page.deck = this;
    const what = {
      player, id: `player-${player.index}`, lead: player.lead, offset: this.position,
      duration: player.seconds - this.position, gain: this.page.gain(player), onstop: (ended) => this.stopped(player, ended),
    };
    try {
      if (!(await jukebox.play(what))) return;
    } catch (error) {
      this.page.say(`${player.shown}: ${error.message}`);
      return;
    }
    this.page.say(`Playing ${player.shown}`);
    player.row.classList.add("on");
    player.button.replaceChildren(icon(ICONS.stop));
    player.button.setAttribute("aria-label", `Stop ${player.shown}`);
    this.follow();
  }

  stopped(player, ended) {
    if (ended) this.position = 0;
    else if (!this.dragging) this.position = this.heard ?? this.position;
    player.row.classList.remove("on");
    player.button.replaceChildren(icon(ICONS.play));
    player.button.setAttribute("aria-label", `Play ${player.shown}`);
    this.showPosition();
  }

  follow() {
    if (!jukebox.current || !this.players.includes(jukebox.current.what.player)) return;
    this.position = this.heard = jukebox.position();
    this.showPosition();
    requestAnimationFrame(() => this.follow());
  }

  move(seconds) {
    this.position = this.heard = seconds;
    this.showPosition();
  }

  showPosition() {
    const total = this.seconds();
    for (const player of this.players) {
      player.head.style.left = `${(100 * this.position) / total}%`;
      player.slider.firstChild.style.width = `${100 * player.share}%`;
      const text = clock(Math.min(this.position, player.seconds), 1);
      player.now.textContent = text;
      player.slider.setAttribute("aria-valuenow", this.position.toFixed(1));
      player.slider.setAttribute("aria-valuetext", text);
    }
  }

  // Letters in a new order each time; the labels come back with the switch.
  setBlind(blind) {
    this.order = this.players.map((_, index) => index);
    if (blind) {
      for (let i = this.order.length - 1; i > 0; i--) {
        const j = Math.floor(Math.random() * (i + 1));
        [this.order[i], this.order[j]] = [this.order[j], this.order[i]];
      }
    }
    this.rows.classList.toggle("blind", blind);
    this.order.forEach((index, place) => {
      const player = this.players[index];
      player.row.classList.toggle("first", place === 0);
      this.rows.append(player.row);
      this.nameRow(player, blind ? String.fromCharCode(65 + place) : player.label);
    });
  }
}
