// Drawn nodes that more than one page has.

function svgNode(tag, attributes = {}, text = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = text;
  return node;
}

function icon(path, size = 15) {
  const svg = svgNode("svg", { viewBox: `0 0 ${size} ${size}`, "aria-hidden": "true" });
  svg.append(svgNode("path", { d: path }));
  return svg;
}
