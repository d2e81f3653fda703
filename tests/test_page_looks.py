"""The map's page in a real browser: pictures, colours, painters, paper, and what is heard."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from stylemix.style_map.page import map_document, write_map
from tests.browser import chromium, console_errors, open_page
from tests.page_driving import MAP, ask, click, point_at, press, rich_points, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.html"
    write_map(path, rich_points())
    return path


def picture(driver):
    """Return the pixels of the points' canvas."""
    data = ask(driver, "(map.drawNow(), map.view.painter.canvas.toDataURL())")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("RGB")).astype(float)


def test_another_picture_is_gone_to_step_by_step(browser):
    start, goal = ask(browser, "map.place(0)"), ask(browser, "map.place(3)")
    choice = browser.find_element("id", "map-layout")
    assert [option.text for option in choice.find_elements("tag name", "option")] == [
        "Flat, flat", "Space, in space", "Mirrored, flat",
    ]  # fmt: skip
    browser.execute_script(f"{MAP} window.seen = []; const draw = map.drawNow; "
                           "map.drawNow = function () { draw.call(this); seen.push(this.place(0)[0]); };")  # fmt: skip
    choice.send_keys("Mirrored")
    wait_for(browser, "seen.length > 3 && document.getElementById('map').segmentMap.view.space.moving === null")
    assert ask(browser, "map.place(0)") == pytest.approx(goal, abs=1)
    assert ask(browser, "map.place(3)") == pytest.approx(start, abs=1)
    between = [x for x in browser.execute_script("return seen") if start[0] + 5 < x < goal[0] - 5]
    assert between
    assert not browser.find_element("css selector", ".map-scores").is_displayed()


def test_who_wants_no_motion_gets_none(browser):
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    wait_for(browser, "document.getElementById('map').segmentMap.still")
    browser.execute_script(f"{MAP} map.showLayout(2, true);")
    assert ask(browser, "map.view.space.moving") is None
    features = [{"name": "prefers-color-scheme", "value": "light"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def test_scores_and_a_word_of_caution_stand_beside_the_picture(browser):
    assert browser.find_element("css selector", ".map-scores").text == "Trustworthiness\n0.93"
    assert browser.find_element("css selector", ".map-note").text.startswith("Made by hand. A picture of many")


def test_values_colour_and_filter(browser):
    click(browser, "[data-colour=pitch]")
    assert "Pitch (Hz), logarithmic" in browser.find_element("css selector", ".map-scale").text
    assert "Grey: 1 without one" in browser.find_element("css selector", ".map-scale").text
    inks = np.array(ask(browser, "(map.drawNow(), [...map.colours.inks])")).reshape(-1, 4)[:, :3]
    # Even in lightness: the higher, the darker on white; grey for the one without.
    light = inks @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light[1:]) < 0).all()
    assert np.ptp(inks[0]) < 12
    low, high = browser.find_elements("css selector", ".map-range input")
    browser.execute_script("arguments[0].value = 52; arguments[0].dispatchEvent(new Event('input'))", low)
    assert ask(browser, "[...map.view.shown]") == [0] * 7 + [1] * 5
    browser.execute_script("arguments[0].value = 0; arguments[0].dispatchEvent(new Event('input'))", low)
    assert ask(browser, "[...map.view.shown]") == [1] * 12
    point_at(browser, 4)
    assert "Pitch: 200 Hz" in browser.find_element("css selector", ".map-tip").text
    assert high.get_attribute("aria-label") == "Highest Pitch shown"


def test_every_colouring_has_a_legend(browser):
    for by in ("corpus", "cluster", "file", "loudness", "pitch", "time"):
        click(browser, f"[data-colour={by}]")
        assert browser.find_elements("css selector", f"[data-colour={by}][aria-pressed=true]")
        assert browser.find_elements("css selector", ".map-legend button")
        is_scale = by in ("loudness", "pitch", "time")
        assert browser.find_element("css selector", ".map-scale").is_displayed() == is_scale


def test_the_legend_points_out_and_shows_one_alone(browser):
    click(browser, "[data-colour=cluster]")
    names = [item.text.split("\n")[0] for item in browser.find_elements("css selector", ".map-legend button")]
    assert names == ["1: low", "2: high", "In no cluster", "cage", "beach-boys", "New files, set on this map"]
    shifted = "dispatchEvent(new MouseEvent('click', {shiftKey: true}))"
    alone = f"document.querySelectorAll('.map-legend button')[2].{shifted}"
    browser.execute_script(alone)
    assert ask(browser, "[...map.view.shown]") == [0] * 11 + [1]
    browser.execute_script(alone)
    assert ask(browser, "[...map.view.shown]") == [1] * 12
    browser.execute_script("document.querySelectorAll('.map-legend button')[1].focus()")
    alphas = np.array(ask(browser, "(map.drawNow(), [...map.colours.inks])")).reshape(-1, 4)[:, 3]
    assert (alphas[1:10:2] > 4 * alphas[0:10:2]).all()


@pytest.mark.parametrize("layout", [0, 1])
def test_both_painters_draw_the_same(browser, layout):
    browser.execute_script(f"{MAP} map.showLayout({layout}, false); map.view.repaint('canvas');")
    assert ask(browser, "map.root.dataset.painter") == "canvas"
    by_hand = picture(browser)
    browser.execute_script(f"{MAP} map.view.repaint('webgl');")
    if ask(browser, "map.root.dataset.painter") != "webgl":
        pytest.skip("this browser has no WebGL2")
    by_gl = picture(browser)
    assert by_hand.shape == by_gl.shape
    assert (by_hand < 250).any(axis=2).sum() > 1000
    # Edges differ, since one of them rounds places to whole pixels; bodies do not.
    assert (np.abs(by_hand - by_gl).max(axis=2) > 96).sum() < 0.2 * (by_hand < 250).any(axis=2).sum()


def test_a_lost_context_leaves_a_picture(browser):
    browser.execute_script(f"{MAP} map.view.repaint('webgl');")
    if ask(browser, "map.root.dataset.painter") != "webgl":
        pytest.skip("this browser has no WebGL2")
    browser.execute_script(f"{MAP} map.view.painter.gl.getExtension('WEBGL_lose_context').loseContext();")
    wait_for(browser, "document.getElementById('map').dataset.painter === 'canvas'")
    assert (picture(browser) < 250).any(axis=2).sum() > 1000


def test_the_button_and_paper_change_the_colours_of_the_points(browser):
    ground = picture(browser)[0, 0].mean()
    click(browser, ".theme")
    assert picture(browser)[0, 0].mean() < 60 < 200 < ground
    browser.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert picture(browser)[0, 0].mean() > 200
    browser.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert picture(browser)[0, 0].mean() < 60
    click(browser, ".theme")


def test_clusters_are_a_table_for_everybody(browser):
    rows = browser.find_elements("css selector", ".map-clusters tbody tr")
    assert [[cell.text for cell in row.find_elements("tag name", "td")] for row in rows] == [
        ["", "1: low", "6", "cage 100 %", "0.40", "0.90", "2: high"],
        ["", "2: high", "5", "beach-boys 100 %", "–", "–", "1: low"],
    ]
    rows[0].find_element("css selector", ".name button").click()
    assert ask(browser, "map.selection.list") == [0, 2, 4, 6, 8, 10]
    rows[1].find_element("css selector", ".act button").click()
    wait_for(browser, "document.getElementById('map').dataset.playing === '5'")


def test_hybrids_play_from_the_grid_and_from_the_map(browser):
    buttons = browser.find_elements("css selector", ".map-grid .map-play")
    assert len(buttons) == 2
    buttons[1].click()
    wait_for(browser, "document.getElementById('map').dataset.hybrid === '1'")
    assert browser.execute_script("return jukebox.current.duration") == pytest.approx(1.0, abs=0.01)
    assert browser.find_element("css selector", ".map-command code").text == "stylemix hybrid run.mix --alpha 0.75"
    wait_for(browser, "jukebox.level() > 0.1")
    wait_for(browser, "!('hybrid' in document.getElementById('map').dataset)")
    # The dot lies a quarter of the way from the medoid of the one to that of the other.
    spot = ask(browser, "map.view.overlay.between(2, 5, 0.25)")
    browser.execute_script(f"{MAP} map.hands.look({spot[0]}, {spot[1]});")
    assert browser.find_element("css selector", ".map-hint").text == "Hybrid: 1 with 2, alpha 0.25"
    browser.execute_script(f"{MAP} map.hands.click({spot[0]}, {spot[1]}, 10, {{}});")
    wait_for(browser, "document.getElementById('map').dataset.hybrid === '0'")


def test_a_file_goes_on_without_a_seam_and_its_path_follows(browser):
    click(browser, ".map-go-on input")
    point_at(browser, 0, click=True)
    wait_for(browser, "document.getElementById('map').dataset.playing === '0'")
    # All six segments of the file are one sound.
    assert browser.execute_script("return jukebox.current.duration") == pytest.approx(12.0, abs=0.1)
    wait_for(browser, "document.getElementById('map').dataset.playing === '2'")
    assert "Playing a.wav, 0:02–0:04" in browser.find_element("css selector", ".map-status").text
    assert ask(browser, "map.view.playing.trail") == [0]
    wait_for(browser, "document.getElementById('map').segmentMap.view.playing.share > 0.7")
    # Past the middle of segment 2 the head is on its way from there to segment 4.
    head, here, there = ask(browser, "[map.view.overlay.head, map.place(2), map.place(4)]")
    assert abs(head[0] - here[0]) > 2
    assert min(here[0], there[0]) - 1 <= head[0] <= max(here[0], there[0]) + 1
    press(browser, " ")
    wait_for(browser, "jukebox.current === null")
    assert not browser.execute_script("return 'playing' in document.getElementById('map').dataset")


def test_a_selection_plays_in_its_order(browser):
    browser.execute_script(f"{MAP} map.select([9, 2]);")
    click(browser, "[data-do=play]")
    wait_for(browser, "document.getElementById('map').dataset.playing === '9'")
    wait_for(browser, "document.getElementById('map').dataset.playing === '2'")
    wait_for(browser, "jukebox.current === null")


def test_sound_that_is_still_being_read_is_waited_for(tmp_path, shared_browser):
    # As while a browser still reads: the page ends before its sound, which comes later.
    text = map_document(rich_points())
    cut = text.index('<script type="audio/')
    path = tmp_path / "map.html"
    path.write_text(text[:cut] + "</body></html>", encoding="utf-8")
    strip = re.search(r'<script type="audio/[^"]*" id="map-strip-1">([^<]*)<', text).group(1)
    open_page(shared_browser, path)
    shared_browser.execute_script("Object.defineProperty(document, 'readyState', { get: () => 'loading' });")
    point_at(shared_browser, 3, click=True)
    wait_for(shared_browser, "jukebox.decoded.size === 1")
    assert shared_browser.execute_script("return jukebox.current") is None
    shared_browser.execute_script(
        """const late = document.createElement('script');
        [late.type, late.id, late.textContent] = ['audio/mpeg;base64', 'map-strip-1', arguments[0]];
        document.body.append(late);
        document.dispatchEvent(new Event('DOMContentLoaded'));""",
        strip,
    )
    wait_for(shared_browser, "document.getElementById('map').dataset.playing === '3'")
    wait_for(shared_browser, "jukebox.level() > 0.1")
    assert console_errors(shared_browser) == []


def test_everything_fits_a_phone(page):
    with chromium(width=380, height=800) as driver:
        open_page(driver, page)
        driver.execute_script(f"{MAP} map.select([0, 1, 2]); map.selection.command(); map.colourBy('pitch');")
        assert driver.execute_script("return document.documentElement.scrollWidth") <= 380
        assert console_errors(driver) == []


def test_paper_holds_picture_and_clusters(browser):
    pdf = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert pdf[:5] == b"%PDF-"
    # A canvas is printed as an image of its own size.
    assert b"/Subtype /Image" in pdf
