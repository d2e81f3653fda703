// Cards instead of rows; switching goes on from the same moment, as among the players of a listening page.

class Sheet extends Deck {
  row(player, index, range) {
    const card = el("article", "card");
    card.dataset.kind = player.kind;
    player.row = card;
    player.button = el("button", "play");
    player.button.type = "button";
    player.button.append(icon(ICONS.play));
    player.button.addEventListener("click", () => (this.isOn(player) ? jukebox.stop() : this.start(player)));
    player.name = el("span", "label", player.label);
    card.append(this.strip(player, range), this.head(player));
    if (player.facts.length) card.append(this.facts(player));
    card.append(this.foot(player));
    if (player.command) card.append(this.command(player));
    this.nameRow(player, player.label);
    return card;
  }

  head(player) {
    const head = el("div", "card-head");
    const who = el("div", "who");
    const kind = el("span", "kind");
    const words = [KIND_NAMES[player.kind], player.alpha === null ? "" : `alpha ${player.alpha}`, player.note];
    kind.append(el("i"), el("span", "", words.filter(Boolean).join(", ")));
    who.append(player.name, kind);
    head.append(player.button, who);
    if (player.key) head.append(el("kbd", "", player.key.toUpperCase()));
    return head;
  }

  facts(player) {
    const list = el("dl", "card-facts");
    fillFacts(list, player.facts);
    return list;
  }

  foot(player) {
    const foot = el("div", "card-foot");
    const time = el("span", "time");
    player.now = el("b", "", "0:00.0");
    time.append(player.now, el("span", "", clock(player.seconds, 1)));
    foot.append(el("span", "file", player.file), time);
    if (player.kind === "hybrid") {
      player.keep = el("button", "small-button keep", "Keep");
      player.keep.type = "button";
      player.keep.setAttribute("aria-pressed", "false");
      player.keep.setAttribute("aria-label", `Keep ${player.label}`);
      player.keep.addEventListener("click", () => this.page.toggleKept(player));
      foot.append(player.keep);
    }
    return foot;
  }

  command(player) {
    const details = el("details");
    const line = el("div", "command");
    // Words stay whole: a browser would break a line between the two hyphens of an option.
    const code = el("code");
    code.append(...player.command.split(" ").flatMap((word, i) => [...(i ? [" "] : []), el("span", "", word)]));
    const copy = el("button", "small-button copy", "Copy");
    copy.type = "button";
    copy.addEventListener("click", () => this.page.copy(code));
    line.append(code, copy);
    details.append(el("summary", "", "Make it again"), line);
    return details;
  }

  // Each card has its own picture: there is no ruler, only the share of the time line that each fills.
  ruler() {
    for (const player of this.players) player.share = player.seconds / this.seconds();
    return el("div");
  }
}

class SheetPage extends PlayerPage {
  constructor(data) {
    super(data);
    document.getElementById("intro").append(...data.intro.map((text) => el("p", "soft", text)));
    this.deck = new Sheet("", data.players, data.range, this);
    this.place(data.players);
    this.addNotice(data.notice);
    this.addKeys(data.players);
  }

  place(players) {
    for (const [id, wanted] of [["variations", true], ["others", false]]) {
      const cards = el("div", "cards");
      cards.append(...players.filter((player) => (player.kind === "hybrid") === wanted).map((player) => player.row));
      document.getElementById(id).append(cards);
      document.getElementById(id).hidden = !cards.children.length;
    }
  }

  addNotice(notice) {
    document.getElementById("notice").textContent = notice;
    document.getElementById("notice").hidden = !notice;
  }

  // Always from the same moment: that is what the sheet is for.
  keep() {
    return true;
  }

  addKeys(players) {
    const numbers = players.filter((player) => /^\d$/.test(player.key));
    const rest = players.filter((player) => player.key && !/^\d$/.test(player.key));
    const line = document.getElementById("keys");
    const tell = (keys, words) => {
      keys.forEach((key, i) => line.append(...(i ? ["–"] : [" "]), el("kbd", "", key)));
      line.append(` ${words} `);
    };
    if (numbers.length) tell([...new Set([numbers[0].key, numbers[numbers.length - 1].key])], "play a variation from the same moment");
    for (const player of rest) tell([player.key.toUpperCase()], player.label);
    tell(["Space"], "stop, play");
    if (numbers.length) tell(["K"], "keep");
    tell(["←"], "");
    tell(["→"], "two seconds");
    document.addEventListener("keydown", (event) => {
      const control = event.target.closest("button, summary, input");
      if (event.ctrlKey || event.metaKey || event.altKey || (control && [" ", "Enter"].includes(event.key))) return;
      if (this.press(event.key.toLowerCase(), players)) event.preventDefault();
    });
  }

  press(key, players) {
    const current = jukebox.current && jukebox.current.what.player;
    const latest = current || this.deck.last || players.find((player) => player.key) || players[0];
    const chosen = players.find((player) => player.key && player.key === key);
    const seconds = { arrowleft: -2, arrowright: 2 }[key];
    if (chosen) this.deck.start(chosen);
    else if (key === " ") current ? jukebox.stop() : this.deck.start(latest);
    else if (key === "k" && latest.keep) this.toggleKept(latest);
    else if (seconds) this.step(latest, current, seconds);
    else return false;
    return true;
  }

  toggleKept(player) {
    player.kept = !player.kept;
    player.row.classList.toggle("kept", player.kept);
    player.keep.setAttribute("aria-pressed", String(player.kept));
    player.keep.textContent = player.kept ? "Kept" : "Keep";
    const kept = this.deck.players.filter((one) => one.kept);
    const line = document.getElementById("kept");
    line.replaceChildren("Kept: ", ...kept.flatMap((one, i) => [...(i ? [", "] : []), el("span", "", one.file || one.label)]));
    line.hidden = !kept.length;
    this.say(`${player.label}: ${player.kept ? "kept" : "not kept"}`);
  }

  // Where the browser lets no page write to the clipboard, the command is at least selected.
  async copy(code) {
    getSelection().selectAllChildren(code);
    try {
      await navigator.clipboard.writeText(code.textContent);
      this.say("Command copied");
    } catch (error) {
      this.say("Command selected");
    }
  }
}

document.getElementById("variations").sheetPage = new SheetPage(readData("sheet-data"));
