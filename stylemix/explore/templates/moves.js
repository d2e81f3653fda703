// From places on the map to what is asked for: two segments and how far between them, once or along a path.

// The segment nearest to a place on the screen, among those that are shown and still have a recording.
function nearestTo(map, place, allowed) {
  return map.nearest(...map.toMap(...place), allowed);
}

function apart([ax, ay], [bx, by]) {
  return Math.hypot(ax - bx, ay - by);
}

// How far along the line between two places a third one is, 0 to 1, and how far beside it. On the screen, not in the
// layout: what looks half way is half way, in space too.
function along([ax, ay], [bx, by], [x, y]) {
  const dx = bx - ax, dy = by - ay, square = dx * dx + dy * dy;
  const share = square ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / square)) : 0.5;
  return [share, Math.hypot(x - ax - share * dx, y - ay - share * dy)];
}

// Farther than this from every point and every line between partners (pixels), a place is nowhere.
const NOWHERE = 90;
// What lies near an end of a line goes before what only lies near the line: amid a style its own segments decide.
const NEAR_END = 0.25;

// Which two corpora a set of places lies between: the two whose segments are nearest to them all together.
function corporaAt(map, places, gone) {
  const { corpus } = map.points;
  const distances = map.data.corpora.map((_, c) => {
    const allowed = (i) => corpus[i] === c && !gone.has(i);
    const near = places.map((place) => [place, nearestTo(map, place, allowed)]);
    return near.some(([, i]) => i < 0) ? Infinity : near.reduce((sum, [place, i]) => sum + apart(place, map.place(i)), 0);
  });
  const order = distances.map((_, c) => c).filter((c) => distances[c] < Infinity).sort((a, b) => distances[a] - distances[b]);
  // The first corpus is alpha 0 everywhere: of two, the one that was given first.
  return order.slice(0, 2).sort((a, b) => a - b);
}

// Every segment and its partner in the other style are a line on the map; the one nearest to the place tells who meets,
// and the place on it how far. Distances across the map say little: partners were chosen in the space, not in the picture.
function linesOf(map, [from, to], gone, partners) {
  const { corpus } = map.points, lines = [];
  for (let i = 0; i < corpus.length; i++) {
    const other = corpus[i] === from ? to : corpus[i] === to ? from : -1;
    const j = other < 0 ? -1 : partners[other][i] ?? -1;
    if (j < 0 || gone.has(i) || gone.has(j) || !map.view.shown[i] || !map.view.shown[j]) continue;
    const [source, target] = corpus[i] === from ? [i, j] : [j, i];
    lines.push({ source, target, from: map.place(source), to: map.place(target) });
  }
  return lines;
}

function moveAt(map, place, lines) {
  let best = null, least = Infinity;
  for (const line of lines) {
    const [alpha, beside] = along(line.from, line.to, place);
    const cost = beside + NEAR_END * Math.min(apart(place, line.from), apart(place, line.to));
    if (cost < least) [best, least] = [{ ...line, alpha, beside }, cost];
  }
  if (!best || best.beside > NOWHERE) return null;
  const [x, y] = map.toMap(...place);
  return { source: best.source, target: best.target, alpha: best.alpha, x, y };
}

// Places at equal distances along a stroke, however fast the hand was.
function spread(places, n) {
  const lengths = [0];
  for (let k = 1; k < places.length; k++) lengths.push(lengths[k - 1] + apart(places[k - 1], places[k]));
  const total = lengths[lengths.length - 1];
  let k = 1;
  return Array.from({ length: n }, (_, step) => {
    const wanted = (total * step) / Math.max(1, n - 1);
    while (k < places.length - 1 && lengths[k] < wanted) k++;
    if (places.length < 2) return places[0];
    const share = (wanted - lengths[k - 1]) / (lengths[k] - lengths[k - 1] || 1);
    return places[k - 1].map((from, axis) => from + (places[k][axis] - from) * Math.min(1, Math.max(0, share)));
  });
}

// As many of a path's moves as there are segments in its seconds; the last one lasts as long as the others.
function stepsOf(moves, seconds, stepS, most) {
  const n = Math.max(1, Math.min(most, moves.length, Math.round(seconds / stepS)));
  return Array.from({ length: n }, (_, k) => {
    const { source, target, alpha } = moves[n === 1 ? 0 : Math.round((k * (moves.length - 1)) / (n - 1))];
    return { time_s: Math.round((1000 * k * seconds) / n) / 1000, source: source + 1, target: target + 1, alpha: Math.round(1000 * alpha) / 1000 };
  });
}

// Where on the map a hybrid lies: on the line between its two segments.
function placeOf(map, { source, target, alpha, x, y }) {
  if (x !== undefined) return [x, y];
  const from = map.place(source), to = map.place(target);
  return map.toMap(...from.map((value, axis) => value + (to[axis] - value) * alpha));
}
