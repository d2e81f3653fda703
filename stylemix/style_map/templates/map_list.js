// The clusters as a table: what the picture shows, for eyes, for screen readers, and as a way to select.

// For titles, which hold no elements: marks that turn the direction of writing end where the name ends.
function isolated(name) {
  return `\u2068${name}\u2069`;
}

class MapList {
  constructor(map) {
    this.map = map;
    this.root = map.root.querySelector(".map-clusters");
    const infos = map.data.infos;
    this.root.hidden = !infos.length;
    this.measured = ["silhouette", "stability"].filter((name) => infos.some((info) => info[name] !== null));
    this.hasNearest = infos.some((info) => info.nearest.length);
    const heads = ["", "Cluster", "Segments", "Corpora", ...this.measured.map((name) => name[0].toUpperCase() + name.slice(1))];
    if (this.hasNearest) heads.push("Nearest of the other corpus");
    const top = el("thead"), line = el("tr"), body = el("tbody");
    line.append(...heads.map((head, k) => el("th", !k ? "act" : k === 2 || (k > 3 && k < 4 + this.measured.length) ? "number" : "", head)));
    top.append(line);
    body.append(...infos.map((info) => this.row(info)));
    this.root.querySelector("table").replaceChildren(top, body);
  }

  row(info) {
    const { map } = this;
    const row = el("tr");
    const play = el("button", "map-play");
    play.type = "button";
    play.append(icon(PLAY));
    play.setAttribute("aria-label", `Play the most typical segment of cluster ${info.number}`);
    play.disabled = info.medoid < 0;
    play.addEventListener("click", () => { map.view.space.reveal(info.medoid); map.play(info.medoid); });
    const first = el("td", "act"), name = el("td", "name");
    first.append(play);
    const pick = el("button", "link");
    pick.type = "button";
    pick.title = "Select its segments";
    pick.append(shapeSwatch(null, info.number ? categoryCss(info.number - 1) : "var(--none)"), el("bdi", "", info.name));
    pick.addEventListener("click", () => map.selectClusterNumber(info.number - 1));
    name.append(pick);
    row.append(first, name, el("td", "number", info.size.toLocaleString("en")), this.shares(info));
    for (const score of this.measured) row.append(el("td", "number", info[score] === null ? "–" : info[score].toFixed(2).replace("-", "−")));
    if (this.hasNearest) row.append(this.nearest(info));
    return row;
  }

  // A bar says at a glance what the words beside it say exactly.
  shares(info) {
    const { data } = this.map;
    const cell = el("td", "shares");
    const bar = el("div", "bar");
    bar.setAttribute("aria-hidden", "true");
    const words = info.shares.filter(([, share]) => share > 0).flatMap(([corpus, share], k) => {
      const part = el("i");
      part.style.width = `${100 * share}%`;
      part.style.background = categoryCss(Math.max(0, data.corpora.indexOf(corpus)));
      bar.append(part);
      return [...(k ? [", "] : []), el("bdi", "", corpus), ` ${Math.round(100 * share)}\u00a0%`];
    });
    const told = el("span", "soft");
    told.append(...words);
    cell.append(bar, told);
    return cell;
  }

  nearest(info) {
    const cell = el("td", "near");
    for (const [corpus, number] of info.nearest) {
      const button = el("button", "link");
      button.type = "button";
      button.append(el("bdi", "", this.map.clusterName(number - 1)));
      button.title = `Nearest cluster that is mostly ${isolated(corpus)}: the two are where a hybrid comes easiest`;
      button.addEventListener("click", () => this.map.showCluster(number - 1));
      cell.append(button);
    }
    if (!info.nearest.length) cell.textContent = "–";
    return cell;
  }
}
