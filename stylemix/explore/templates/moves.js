// From places on the map to what is asked for: two segments and how far between them, once or along a path.

// The segment nearest to a place on the screen, among those that are shown and still have a recording.
function nearestTo(map, place, allowed) {
  return map.nearest(...map.toMap(...place), allowed);
}

function apart([ax, ay], [bx, by]) {
  return Math.hypot(ax - bx, ay - by);
}

// Distances on the screen, not in the layout: what looks half way is half way, in space too.
function shareBetween(map, place, source, target) {
  const toSource = apart(place, map.place(source)), toTarget = apart(place, map.place(target));
  return toSource + toTarget ? toSource / (toSource + toTarget) : 0.5;
}

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

function moveAt(map, place, [from, to], gone) {
  const { corpus } = map.points;
  const [source, target] = [from, to].map((c) => nearestTo(map, place, (i) => corpus[i] === c && !gone.has(i)));
  const [x, y] = map.toMap(...place);
  return { source, target, alpha: shareBetween(map, place, source, target), x, y };
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
