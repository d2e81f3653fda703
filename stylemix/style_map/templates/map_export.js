// A selection as text: a table for other programs, and a command for this one.

// A spreadsheet takes a cell that begins like this for a formula, some with blanks before it or in wide type.
const FORMULA = /^ *[=+\-@＝＋－＠]/;
const ESCAPES = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

// As stylemix writes its own tables: what cannot be printed stands there as its number, so that no mark turns the line
// around and no line end begins a row.
function printable(text) {
  return text.replace(/[^ \P{Z}]|\p{C}/gu, (letter) => {
    const code = letter.codePointAt(0), hex = (digits) => code.toString(16).padStart(digits, "0");
    return ESCAPES[letter] ?? (code < 0x100 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`);
  });
}

function csvCell(value) {
  if (typeof value === "number") return Number.isNaN(value) ? "" : String(Math.round(value * 1e6) / 1e6);
  const shown = printable(value), text = FORMULA.test(shown) ? `'${shown}` : shown;
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function selectionCsv(map, list) {
  const { data, points, colours } = map;
  const scales = [...colours.scales.values()].filter((scale) => scale.name !== "time");
  const heads = scales.map((scale) => (scale.unit ? `${scale.name}_${scale.unit}` : scale.name).toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "_"));
  const rows = [["segment", "file", "tags", "corpus", "cluster", "start_s", "duration_s", ...heads]];
  for (const i of list) {
    const file = points.file[i];
    rows.push([
      i + 1, data.files[file], data.tags[file], data.corpora[points.corpus[i]], points.cluster[i] + 1,
      points.start[i], points.duration[i], ...scales.map((scale) => scale.values[i]),
    ]);
  }
  return rows.map((row) => row.map(csvCell).join(",")).join("\r\n") + "\r\n";
}

function shellWord(text) {
  return /^[\w./-]+$/.test(text) && !text.startsWith("-") ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

// Sources from the corpus of the first segment, targets from the others in the order of the list; where all are of one
// corpus, each goes to what lies nearest to it in this picture of any other.
function selectionCommand(map, list) {
  const { points, data, view } = map;
  const own = points.corpus[list[0]];
  const sources = list.filter((i) => points.corpus[i] === own);
  const others = list.filter((i) => points.corpus[i] !== own);
  let at = 0;
  const steps = [];
  sources.forEach((i, k) => {
    const j = others.length ? others[k % others.length] : view.at(...view.place(i), Infinity, (one) => points.corpus[one] !== own);
    if (j < 0) return;
    steps.push(`${Math.round(at * 100) / 100}:${i + 1}-${j + 1}:0.5`);
    at += points.duration[i];
  });
  if (!steps.length) return "";
  return `stylemix hybrid ${shellWord(data.run || "RUN.mix")} --walk "${steps.join(",")}" --out walk.wav`;
}

async function copyText(text, field) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field.select();
    return document.execCommand("copy");
  }
}
