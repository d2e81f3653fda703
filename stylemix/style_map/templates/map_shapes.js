// Shapes of points: one a corpus, so that colour is never the only thing that tells them apart.

const SHAPES = ["circle", "diamond", "triangle", "square", "cross", "down", "hexagon", "star"];
const N_COLOURS = 12;
// Files are more than there are colours: a second round is paler, a third one darker (lighter in the dark). Of the first
// 16 no two are closer than 14 in CIE Lab, as of the first 12 alone; of 24 than 9.
const ROUNDS = [[1, "--card"], [0.57, "--card"], [0.5, "--ink"]];

function categoryCss(index) {
  const [share, other] = ROUNDS[Math.floor(index / N_COLOURS) % ROUNDS.length];
  const own = `var(--c${index % N_COLOURS})`;
  return share === 1 ? own : `color-mix(in srgb, ${own} ${100 * share}%, var(${other}))`;
}

function polygon(sides, radius, turn, inner = 1) {
  return Array.from({ length: sides }, (_, i) => {
    const angle = turn + (2 * Math.PI * i) / sides;
    const r = i % 2 ? radius * inner : radius;
    return [r * Math.sin(angle), -r * Math.cos(angle)];
  });
}

// Areas are about equal, so that no corpus looks heavier than another.
const OUTLINES = {
  diamond: polygon(4, 1.28, 0), square: polygon(4, 1.25, Math.PI / 4), triangle: polygon(3, 1.42, 0),
  down: polygon(3, 1.42, Math.PI), hexagon: polygon(6, 1.1, 0), star: polygon(10, 1.5, 0, 0.45),
  cross: [[-0.4, -1.25], [0.4, -1.25], [0.4, -0.4], [1.25, -0.4], [1.25, 0.4], [0.4, 0.4], [0.4, 1.25], [-0.4, 1.25],
    [-0.4, 0.4], [-1.25, 0.4], [-1.25, -0.4], [-0.4, -0.4]],
};
const WIDEST = 1.5;

function shapeName(corpus) {
  return SHAPES[corpus % SHAPES.length];
}

function shapePath(context, corpus, x, y, radius) {
  const outline = OUTLINES[shapeName(corpus)];
  context.beginPath();
  if (!outline) {
    context.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  outline.forEach(([u, v], i) => context[i ? "lineTo" : "moveTo"](x + radius * u, y + radius * v));
  context.closePath();
}

function shapeSwatch(corpus, colour, hollow = false, rim = false) {
  const svg = svgNode("svg", { viewBox: "-1.6 -1.6 3.2 3.2", "aria-hidden": "true" });
  const outline = OUTLINES[corpus === null ? "square" : shapeName(corpus)];
  const body = outline ? { points: outline.map((point) => point.join(",")).join(" ") } : { r: 1.2 };
  const looks = hollow ? { fill: "none", stroke: colour } : { fill: colour, stroke: rim ? "var(--ink)" : "none" };
  svg.append(svgNode(outline ? "polygon" : "circle", { ...body, ...looks, "stroke-width": 0.35 }));
  return svg;
}

// Coverage of every shape as one picture, a column each: red is the body, green the rim of a full point, blue the line of
// a hollow one. WebGL takes it as a texture and the plain painter as stamps, so that both look the same.
function shapeMasks(radius, ratio) {
  const cell = 2 * Math.ceil((WIDEST * radius + 2) * ratio);
  const canvas = document.createElement("canvas");
  canvas.width = cell * SHAPES.length;
  canvas.height = cell;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, canvas.width, cell);
  pen.globalCompositeOperation = "lighter";
  pen.lineJoin = "round";
  SHAPES.forEach((_, shape) => {
    shapePath(pen, shape, (shape + 0.5) * cell, cell / 2, radius * ratio);
    pen.fillStyle = "#f00";
    pen.fill();
    pen.strokeStyle = "#0f0";
    pen.lineWidth = ratio;
    pen.stroke();
    pen.strokeStyle = "#00f";
    pen.lineWidth = 1.5 * ratio;
    pen.stroke();
  });
  return { canvas, cell };
}
