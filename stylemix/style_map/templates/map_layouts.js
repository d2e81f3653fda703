// Which picture is shown, and how far to trust it.

function readColumns(index, id) {
  const text = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const kinds = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, i16: Int16Array, i32: Int32Array, f32: Float32Array };
  const entries = Object.entries(index).map(([name, [kind, from, n]]) => [name, new kinds[kind](bytes.buffer, from, n)]);
  return Object.fromEntries(entries);
}

class MapLayouts {
  constructor(map) {
    this.map = map;
    this.choice = map.root.querySelector("#map-layout");
    const { layouts } = map.data;
    const both = layouts.some((one) => one.dims === 3) && layouts.some((one) => one.dims === 2);
    this.choice.replaceChildren(...layouts.map(({ label, dims }, index) => {
      const told = !both || /\b[23]-?D\b/i.test(label);
      const option = el("option", "", told ? label : `${label}, ${dims === 3 ? "in space" : "flat"}`);
      option.value = String(index);
      return option;
    }));
    const alone = layouts.length < 2;
    this.choice.hidden = map.root.querySelector("[for=map-layout]").hidden = alone;
    this.choice.addEventListener("change", () => map.showLayout(Number(this.choice.value), true));
  }

  show(index) {
    const { label, scores, note } = this.map.data.layouts[index];
    // A list to choose from says nothing on paper.
    const named = this.map.root.querySelector(".map-named");
    named.textContent = named.title = label;
    this.choice.value = String(index);
    const list = this.map.root.querySelector(".map-scores");
    list.replaceChildren(...scores.map(([name, value]) => {
      const item = el("div"), bar = el("i"), level = el("b");
      level.style.width = `${100 * Math.min(1, Math.max(0, value))}%`;
      bar.append(level);
      const shown = el("dd", "", value.toFixed(2));
      const told = el("dt", "", name);
      told.title = name;
      item.append(told, bar, shown);
      return item;
    }));
    list.hidden = !scores.length;
    this.map.root.querySelector(".map-note").textContent = note;
  }
}
