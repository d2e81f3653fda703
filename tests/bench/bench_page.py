"""How quick the map's page is with 20,000 segments: first paint, frames while panning, turning and zooming, size.

    OMP_NUM_THREADS=1 python tests/bench/bench_page.py [--segments 20000] [--seconds 3] [--sound]

Drives Chromium without a graphics card, once with the plain painter, which the page then chooses, and once with WebGL,
which is then drawn by the processor too. Frames are those in which the browser calls `requestAnimationFrame`, 60 a
second at most; the work in a frame is the page's own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from stylemix.style_map.page import MAX_BYTES, Layout, MapData, Values, write_map
from tests.browser import chromium, open_page

PAN = """const [seconds, kind, done] = arguments, map = document.getElementById('map').segmentMap;
const times = [], work = [];
const step = { pan: (t) => map.hands.drag(3 * Math.cos(t / 300), 3 * Math.sin(t / 300)),
  zoom: (t) => { map.view.space.zoomAt((1.5 + 0.5 * Math.sin(t / 300)) / map.view.zoom); map.view.hurry(); } }[kind];
const frame = (now) => { times.push(now); const begun = performance.now(); step(now); map.drawNow();
  work.push(performance.now() - begun);
  if (now - times[0] < 1000 * seconds) requestAnimationFrame(frame);
  else done([1000 * (times.length - 1) / (now - times[0]), Math.max(...times.slice(1).map((t, i) => t - times[i])),
    work.sort((a, b) => a - b)[work.length >> 1]]); };
requestAnimationFrame(frame);"""
PAINTED = """const at = (name) => performance.getEntriesByName(name)[0].startTime;
return [at('first-contentful-paint'), at('map-drawn'),
  performance.getEntriesByType('navigation')[0].loadEventEnd]"""


def noise(index: int) -> tuple[np.ndarray, int]:
    """Return a second that no codec makes small."""
    return np.random.default_rng(index).normal(scale=0.1, size=(1, 24000)).astype(np.float32), 24000


def example(n: int, *, sound: bool) -> MapData:
    """Return a map of clouds, flat and in space, with six measured values."""
    rng = np.random.default_rng(0)
    cloud = rng.integers(0, 8, n)
    places = rng.normal(size=(8, 3))[cloud] * 2 + rng.normal(size=(n, 3))
    corpus = cloud % 2
    files = [f"corpus {c}, file {i // 400}.wav" for i, c in enumerate(corpus)]
    return MapData(
        places[:, :2], corpus, cloud, files, 2.0 * np.arange(n), np.full(n, 1.0), ["one", "two"],
        [f"{k + 1}: a cloud" for k in range(8)], clip=noise if sound else None,
        layouts=[Layout("flat", "Flat", places[:, :2]), Layout("space", "Space", places)],
        values={f"value{k}": Values(f"Value {k}", "Hz", np.abs(places[:, k % 3])) for k in range(6)},
    )  # fmt: skip


def measure(driver: Any, path: Path, seconds: float, painter: str) -> dict[str, list[float]]:
    """Open the page and return its times (ms), and for each motion frames a second, longest gap and work (ms)."""
    open_page(driver, path)
    time.sleep(1.0)
    driver.execute_script(f"document.getElementById('map').segmentMap.view.repaint('{painter}')")
    figures = {"painted": driver.execute_script(PAINTED)}
    for layout in (0, 1):
        driver.execute_script(f"document.getElementById('map').segmentMap.showLayout({layout}, false)")
        for kind in ("pan", "zoom"):
            name = {"pan0": "pan", "pan1": "turn", "zoom0": "zoom", "zoom1": "zoom in space"}[f"{kind}{layout}"]
            figures[name] = driver.execute_async_script(PAN, seconds, kind)
    return figures


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--segments", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--sound", action="store_true", help="fill the page with sound up to its budget")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.html"
        begun = time.perf_counter()
        facts = write_map(path, example(asked.segments, sound=asked.sound))
        print(
            f"{asked.segments:,} segments: {facts['bytes'] / 1e6:.2f} MB of {MAX_BYTES / 1e6:.0f} MB, "
            f"{facts['with_sound']:,} with sound, written in {time.perf_counter() - begun:.1f} s"
        )
        heads = f"{'painter':8} {'first paint':>12} {'map drawn':>10} {'loaded':>8}   "
        print(heads + "motion: frames/s (longest gap, work in a frame)")
        for name in ("canvas", "webgl"):
            with chromium() as driver:
                figures = measure(driver, path, asked.seconds, name)
            first, drawn, loaded = figures.pop("painted")
            motions = "; ".join(
                f"{kind} {fps:.0f} ({gap:.0f} ms, {work:.1f} ms)" for kind, (fps, gap, work) in figures.items()
            )
            print(f"{name:8} {first:9.0f} ms {drawn:7.0f} ms {loaded:5.0f} ms   {motions}")


if __name__ == "__main__":
    main()
