"""One look for every page: tokens that follow the system or the reader, components that stand once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stylemix.contact_sheet import write_contact_sheet
from stylemix.pages.document import read_template
from tests.browser import chromium, console_errors, open_page
from tests.test_contact_sheet import make_cards

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
