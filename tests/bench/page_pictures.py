"""The README's pictures of the map, taken in a real browser from the page of a demo.

make demo && python tests/bench/page_pictures.py demo/map.html docs
"""

from __future__ import annotations

import argparse
import base64
import io
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from PIL import Image

from tests.browser import chromium

# Flat in the light; in space, coloured by brightness and turned a little, in the dark.
VIEWS = {"map-light.png": (False, ""), "map-dark.png": (True, "#l=umap-3d&c=brightness&t=0.5_0.35")}
WIDTH, HEIGHT = 1280, 860


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    given.out.mkdir(exist_ok=True)
    for name, (dark, link) in VIEWS.items():
        with chromium(width=WIDTH, height=HEIGHT, dark=dark) as driver:
            driver.get(given.page.resolve().as_uri() + link)
            # Points that move to their layout come to rest.
            time.sleep(2)
            clip = {"x": 0, "y": 0, "width": WIDTH - 10, "height": HEIGHT, "scale": 1}
            taken = driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip})["data"]
        # 128 colours are all that a page of text and points has.
        picture = Image.open(io.BytesIO(base64.b64decode(taken))).convert("RGB").quantize(128)
        picture.save(given.out / name, optimize=True)
        print(f"{given.out / name}: {picture.width} x {picture.height}, {(given.out / name).stat().st_size} bytes")


if __name__ == "__main__":
    main()
