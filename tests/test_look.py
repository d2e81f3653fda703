"""One look for every page: tokens that follow the system or the reader, components that stand once."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from stylemix.contact_sheet import write_contact_sheet
from stylemix.listening import write_listening_page
from stylemix.measure import page as report
from stylemix.measure.properties import page as properties
from stylemix.pages.document import read_template
from stylemix.style_map.page import write_map
from tests.browser import chromium, console_errors, open_page
from tests.page_driving import rich_points
from tests.test_contact_sheet import make_cards
from tests.test_listening import make_listening
from tests.test_properties import made_up_result
from tests.test_report import good_numbers, with_words

PACKAGE = Path(__file__).parent.parent / "stylemix"


def tokens(text: str) -> list[set[str]]:
    """The names of the colours that each block of a style sheet sets, light first."""
    blocks = re.findall(r":root \{(.*?)\}", text, re.DOTALL)
    return [set(re.findall(r"(--[\w-]+):", block)) for block in blocks]


def test_every_colour_of_the_light_has_its_match_in_the_dark():
    light, dark, *_ = tokens(read_template("pages/base.css"))
    assert dark == {name for name in light if name not in ("--serif", "--sans")}


def test_no_page_has_colours_of_its_own():
    # What lies over a spectrogram is the picture's: it is dark in both.
    of_pictures = {"#000004", "#fff", "#000"}
    for path in PACKAGE.rglob("*.css"):
        if path.name != "base.css":
            assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)", path.read_text())) <= of_pictures, path


def test_no_rule_stands_in_two_style_sheets():
    seen: dict[str, Path] = {}
    for path in PACKAGE.rglob("*.css"):
        text = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", path.read_text())
        for rule in re.findall(r"[^{}]+\{[^{}]{60,}\}", text):
            body = re.sub(r"\s+", " ", rule).strip()
            assert seen.setdefault(body, path) == path, f"{body} stands in {seen[body]} and {path}"


# Every text with less contrast to what is behind it than the Web Content Accessibility Guidelines ask for (2.2, 1.4.3):
# 4.5 to 1, and 3 to 1 where it is large. Axes over a spectrogram have a shadow of their own.
FAINT = """
const rgb = (text) => {
  const numbers = text.match(/[\\d.]+/g).map(Number);
  return text.startsWith("color") ? numbers.map((n, i) => (i < 3 ? 255 * n : n)) : numbers;
};
const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const light = (colour) => colour.slice(0, 3).map((v) => linear(v / 255))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (node) => {
  for (; node; node = node.parentElement) {
    const colour = rgb(getComputedStyle(node).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  }
};
const faint = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const node = walk.currentNode.parentElement, style = getComputedStyle(node);
  const seen = walk.currentNode.data.trim() && node.getClientRects().length;
  if (!seen || node.closest("script, style, title, .strip, option")) continue;
  const ink = rgb(node.namespaceURI.endsWith("svg") ? style.fill : style.color);
  const [high, low] = [light(ink), light(behind(node))].sort((a, b) => b - a);
  const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  const ratio = (high + 0.05) / (low + 0.05);
  if (ratio < (large ? 3 : 4.5)) faint.push(`${ratio.toFixed(2)} ${node.outerHTML.slice(0, 80)}`);
}
return [...new Set(faint)];
"""


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_every_text_stands_out_from_what_is_behind_it(tmp_path: Path, dark: bool) -> None:
    write_contact_sheet(tmp_path / "sheet.html", make_cards(1, seconds=0.5), facts={"Run": "a.mix"})
    write_listening_page(tmp_path / "listening.html", make_listening())
    write_map(tmp_path / "map.html", rich_points())
    report.write_page(tmp_path / "report.html", with_words(good_numbers()), [])
    properties.write_page(tmp_path / "properties.html", made_up_result())
    with chromium(dark=dark) as driver:
        for path in sorted(tmp_path.glob("*.html")):
            open_page(driver, path)
            assert driver.execute_script(FAINT) == [], path.name


# Left and right edges of the spectrograms and of the ruler below them.
EDGES = """
return [".strip", ".ruler div"].map((kind) => {
  const box = document.querySelector(kind).getBoundingClientRect();
  return [box.left, box.right].map(Math.round);
});
"""


@pytest.mark.slow
def test_on_screen_and_paper_the_ruler_lies_under_the_pictures(tmp_path: Path) -> None:
    write_listening_page(tmp_path / "a.html", replace(make_listening(), points=None))
    with chromium(width=718) as driver:
        open_page(driver, tmp_path / "a.html")
        # The width of A4 between its margins: narrow on a screen, where pictures take the whole row.
        screen = driver.execute_script(EDGES)
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        paper_edges = driver.execute_script(EDGES)
        assert screen[0] == screen[1]
        assert paper_edges[0] == paper_edges[1]
        assert paper_edges[0][1] - paper_edges[0][0] > 400
        assert driver.execute_script("return getComputedStyle(document.querySelector('.play')).display") == "none"


def paper(driver) -> int:
    """How light the page is, 0 to 255."""
    return driver.execute_script("return parseInt(getComputedStyle(document.body).backgroundColor.slice(4))")


@pytest.mark.slow
def test_a_page_follows_the_system_until_the_reader_chooses_and_remembers_that(tmp_path):
    path = tmp_path / "sheet.html"
    write_contact_sheet(path, make_cards(1, seconds=0.5))
    with chromium(dark=True) as driver:
        open_page(driver, path)
        driver.execute_script("document.addEventListener('theme', () => { window.heard = (window.heard || 0) + 1; })")
        assert paper(driver) < 60
        button = driver.find_element("css selector", ".theme")
        assert button.get_attribute("aria-label") == "Light colours"
        button.click()
        assert paper(driver) > 230
        assert button.get_attribute("aria-label") == "Dark colours"
        assert driver.execute_script("return window.heard") == 1
        open_page(driver, path)
        assert paper(driver) > 230
        driver.find_element("css selector", ".theme").click()
        assert paper(driver) < 60
        # Paper is light whatever the screen is.
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        assert paper(driver) == 255
        assert driver.execute_script("return getComputedStyle(document.querySelector('.theme')).display") == "none"
        assert console_errors(driver) == []
