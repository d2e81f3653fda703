// Light or dark: as the system has it, until the reader chooses; the choice is kept where a browser allows that.

class Theme {
  constructor() {
    this.wish = matchMedia("(prefers-color-scheme: dark)");
    this.wish.addEventListener("change", () => this.show());
    // What the style sheets say of the dark stands there once, for the system's wish; a choice rewrites its condition.
    this.rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules])
      .filter((rule) => rule.media && rule.media.mediaText.includes("prefers-color-scheme"));
    this.chosen = this.read();
    this.addButton();
    this.show();
  }

  read() {
    try {
      const known = localStorage.getItem("stylemix-theme");
      return ["light", "dark"].includes(known) ? known : null;
    } catch (error) {
      return null;
    }
  }

  now() {
    return this.chosen || (this.wish.matches ? "dark" : "light");
  }

  choose(theme) {
    this.chosen = theme;
    try {
      localStorage.setItem("stylemix-theme", theme);
    } catch (error) {
      // A page from the disk may have no storage: the choice then lasts as long as the page.
    }
    this.show();
  }

  // Drawings that take their colours from the tokens hear "theme" and read them anew. Paper stays light.
  show() {
    const theme = this.now(), root = document.documentElement;
    for (const { media } of this.rules) media.mediaText = theme === "dark" ? "screen" : "not all";
    root.style.colorScheme = root.dataset.theme = theme;
    if (this.button) this.button.setAttribute("aria-label", theme === "dark" ? "Light colours" : "Dark colours");
    document.dispatchEvent(new Event("theme"));
  }

  addButton() {
    const header = document.querySelector("main > header");
    if (!header) return;
    this.button = el("button", "theme");
    this.button.type = "button";
    this.button.append(icon("M8 1.5 A6.5 6.5 0 1 0 8 14.5 A6.5 6.5 0 1 0 8 1.5 Z M8 3 A5 5 0 0 1 8 13 Z", 16));
    this.button.addEventListener("click", () => this.choose(this.now() === "dark" ? "light" : "dark"));
    header.append(this.button);
  }
}

const pageTheme = new Theme();
