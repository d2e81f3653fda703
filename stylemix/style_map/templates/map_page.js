{
  const data = readData("map-data");
  document.querySelector("h1").textContent = data.title;
  document.getElementById("subtitle").textContent = data.subtitle;
  // Alone on its page the map takes the keys that nothing else has taken.
  const canvas = document.querySelector(".map-over");
  document.addEventListener("keydown", (event) => {
    if (event.target !== document.body) return;
    canvas.dispatchEvent(new KeyboardEvent("keydown", { key: event.key, ctrlKey: event.ctrlKey, altKey: event.altKey, metaKey: event.metaKey }));
    if (event.key === " " || event.key.startsWith("Arrow")) event.preventDefault();
  });
}
