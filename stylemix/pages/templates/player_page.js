// What a page with players does besides: it says its title, levels and keeps positions, and hears keys.

class PlayerPage {
  constructor(data) {
    document.querySelector("h1").textContent = data.title;
    data.players.forEach((player, index) => { player.index = index; });
    fillFacts(document.getElementById("facts"), data.facts);
    document.getElementById("facts").hidden = !data.facts.length;
    document.getElementById("level").addEventListener("change", () => {
      if (jukebox.current && jukebox.current.what.player) this.deck.start(jukebox.current.what.player);
    });
  }

  keep() {
    return document.getElementById("keep").checked;
  }

  gain(player) {
    return document.getElementById("level").checked ? player.gain : 1;
  }

  say(text) {
    document.getElementById("said").textContent = text;
  }

  // Stepping keeps a tenth of a second before the end: at the end itself a player would begin anew.
  step(player, playing, seconds) {
    const at = Math.min(player.seconds - 0.1, Math.max(0, this.deck.position + seconds));
    if (playing) this.deck.start(player, at);
    else this.deck.move(at);
  }
}

// Decks below each other, one for each group of players.
class DeckPage extends PlayerPage {
  constructor(data) {
    super(data);
    const root = document.getElementById("decks");
    this.decks = [...new Set(data.players.map((player) => player.group))].map((group) => {
      const deck = new Deck(group, data.players.filter((player) => player.group === group), data.range, this);
      if (group) root.append(el("h3", "sub", group));
      root.append(deck.root);
      return deck;
    });
    this.deck = this.decks[0] || null;
    document.getElementById("listen").hidden = !this.decks.length;
    document.getElementById("blind").addEventListener("change", (event) => {
      jukebox.stop();
      for (const deck of this.decks) deck.setBlind(event.target.checked);
    });
    document.addEventListener("keydown", (event) => { if (this.deck && this.press(event)) event.preventDefault(); });
  }

  press(event) {
    const { key, target } = event;
    const elsewhere = target.closest("#map, input:not([type=checkbox])") || (key === " " && target.closest("button, input"));
    if (elsewhere || event.ctrlKey || event.metaKey || event.altKey) return false;
    const current = jukebox.current && jukebox.current.what.player;
    const latest = current || this.deck.last || this.deck.players[this.deck.order[0]];
    const seconds = { ArrowLeft: -2, ArrowRight: 2 }[key];
    const chosen = /^[1-9]$/.test(key) ? this.deck.order[Number(key) - 1] : undefined;
    if (key === " ") current ? jukebox.stop() : this.deck.start(latest);
    else if (seconds) this.step(latest, current, seconds);
    else if (chosen !== undefined) this.deck.start(this.deck.players[chosen]);
    else return false;
    return true;
  }
}
