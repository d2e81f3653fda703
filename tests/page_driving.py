"""Hands for tests that drive a map's page, and maps with everything on them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from stylemix.arrays import Wave
from stylemix.style_map.data import ClusterInfo, GridHybrid, Layout, MapData, Values

PLACE = """const m = document.getElementById('map').segmentMap, box = m.canvas.getBoundingClientRect();
const [x, y] = m.view.place(arguments[0]); return [box.left + x, box.top + y];"""
MAP = "const map = document.getElementById('map').segmentMap;"


def tone(index: int) -> tuple[np.ndarray, int]:
    """Return two seconds of a sine at 200 Hz plus 40 Hz a segment."""
    t = np.arange(44100) / 22050
    return (0.5 * np.sin(2 * np.pi * (200 + 40 * index) * t)).astype(np.float32)[None], 22050


def rich_points(n: int = 12, **more: Any) -> MapData:
    """Return a grid of segments, four a row, with layouts, values, tags, clusters, hybrids and new files."""
    index = np.arange(n)
    corpus = index % 2
    flat = np.stack([index % 4, index // 4], axis=1).astype(float)
    cluster = np.where(index == n - 1, -1, corpus)
    hybrid = {"mode": "match", "wave": Wave(0.4 * tone(3)[0][:, :22050], 22050), "seconds": 1.0}
    given = {
        "clip": tone, "title": "Both", "facts": {"Seed": "0"}, "run": "my run.mix",
        "layouts": [
            Layout("flat", "Flat", flat, {"trustworthiness": 0.93}, "Made by hand"),
            Layout("space", "Space", np.column_stack([flat, index % 3])),
            Layout("mirrored", "Mirrored", flat * [-1, 1]),
        ],
        "values": {
            "loudness": Values("Loudness", "dB", -30.0 + index),
            "pitch": Values("Pitch", "Hz", np.where(index == 0, np.nan, 100.0 * 2 ** (index / 4)), "log"),
        },
        "tags": ["=Ives", "Wilson"],
        "infos": [
            ClusterInfo(1, "1: low", 6, {"cage": 1.0}, 2, {"beach-boys": (2, 0.5)}, 0.4, 0.9),
            ClusterInfo(2, "2: high", 5, {"beach-boys": 1.0}, 5, {"cage": (1, 0.5)}),
        ],
        "hybrids": [
            GridHybrid(1, 2, alpha, command=f"stylemix hybrid run.mix --alpha {alpha}", **hybrid)
            for alpha in (0.25, 0.75)
        ],
        "placed": index == 4,
    }  # fmt: skip
    return MapData(
        flat, corpus, cluster, [("a.wav", "b.wav")[c] for c in corpus], 2.0 * (index // 2), np.full(n, 2.0),
        ["cage", "beach-boys"], ["1: low", "2: high"], **{**given, **more},
    )  # fmt: skip


def wait_for(driver: Any, script: str, *, seconds: float = 8.0) -> Any:
    """Return what a script says as soon as that is true."""
    end = time.monotonic() + seconds
    while not (value := driver.execute_script("return " + script)) and time.monotonic() < end:
        time.sleep(0.05)
    assert value, f"never became true: {script}"
    return value


def ask(driver: Any, expression: str) -> Any:
    """Return an expression about `map`."""
    return driver.execute_script(f"{MAP} return {expression};")


def mouse(driver: Any, kind: str, x: float, y: float, **more: Any) -> None:
    """Send one event of a mouse."""
    event = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1, **more}
    driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)


def point_at(driver: Any, index: int, *, click: bool = False, **more: Any) -> None:
    """Move the pointer to a segment, and click it if asked."""
    x, y = driver.execute_script(PLACE, index)
    mouse(driver, "mouseMoved", x, y, **{"button": "none", "clickCount": 0})
    for kind in ("mousePressed", "mouseReleased") if click else ():
        mouse(driver, kind, x, y, **more)


def drag(driver: Any, places: Iterable[tuple[float, float]], **more: Any) -> None:
    """Drag through places in the picture, told as shares of its width and height."""
    box = driver.execute_script(
        f"{MAP} const box = map.canvas.getBoundingClientRect(); return [box.left, box.top, box.width, box.height]"
    )
    path = [(box[0] + box[2] * x, box[1] + box[3] * y) for x, y in places]
    mouse(driver, "mousePressed", *path[0], **more)
    for place in path[1:]:
        mouse(driver, "mouseMoved", *place, **more)
    mouse(driver, "mouseReleased", *path[-1], **more)


def press(driver: Any, key: str) -> None:
    """Press a key."""
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(driver).send_keys(key).perform()


def click(driver: Any, selector: str) -> None:
    """Click the first element of a selector."""
    driver.find_element("css selector", selector).click()
