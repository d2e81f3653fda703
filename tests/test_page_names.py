"""The map's page on paper, with very many of everything, and with names and addresses that mean it ill."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.clusters.tables import csv_text
from stylemix.style_map.data import ClusterInfo, GridHybrid, Layout, MapData, Values
from stylemix.style_map.page import map_parts, write_map
from tests.browser import chromium, open_page
from tests.page_driving import ask, click, mouse, point_at, rich_points, tone, wait_for
from tests.test_page_data import value_of

TURNED = "ab\u202edc"
LONG = "Brightness of " + 29 * "what-is-heard"


def told(points: MapData) -> str:
    return value_of(map_parts(points))["subtitle"].split(". ")[0]


def there_and_back() -> list[GridHybrid]:
    wave = Wave(0.4 * tone(3)[0][:, :4410], 22050)
    return [
        GridHybrid(source, 3 - source, alpha, "match", wave, 0.2, f"stylemix hybrid run.mix --alpha {alpha}")
        for source in (1, 2)
        for alpha in (0.25, 0.5, 0.75)
    ]


def crowd(n_files: int) -> MapData:
    """Return two segments a file, all of one corpus."""
    file = np.arange(2 * n_files) // 2
    places = np.stack([file % 6, file // 6 + 0.3 * (np.arange(2 * n_files) % 2)], axis=1).astype(float)
    return MapData(
        places, 0 * file, 0 * file, [f"{f:02d}.wav" for f in file], np.arange(2 * n_files) % 2 * 2.0,
        np.full(2 * n_files, 2.0), ["cage"], ["1: all"],
    )  # fmt: skip


def guests(corpora: int = 3) -> MapData:
    """Return a map whose last two segments are new files and, of three corpora, one of their own."""
    corpus = np.arange(12) % 2
    corpus[10:] = corpora - 1
    return replace(
        rich_points(), corpus=corpus, corpus_names=["cage", "beach-boys", "new files"][:corpora],
        placed=np.arange(12) >= 10,
        files=[("a.wav", "b.wav")[i % 2] for i in range(10)] + ["c.wav", "d.wav"], tags=(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("names") / "map.html"
    points = replace(
        rich_points(), corpus_names=[TURNED, "beach-boys"], hybrids=there_and_back(),
        files=[(f"{TURNED}.wav", "b.wav")[i % 2] for i in range(12)],
        infos=[ClusterInfo(1, "1: low", 6, {TURNED: 0.92, "beach-boys": 0.08}, 2, {"beach-boys": (2, 0.5)}, 0.4, 0.9),
               ClusterInfo(2, "2: high", 5, {"beach-boys": 1.0}, 5, {TURNED: (1, 0.5)}, 0.4, 0.9)],
        layouts=[Layout("flat", "Flat", np.stack([np.arange(12) % 4, np.arange(12) // 4], axis=1).astype(float),
                        {LONG: 0.9})],
        values={"a": Values(LONG, "", np.arange(12.0)), "b": Values("Noisiness", "of white noise", np.arange(12.0))},
    )  # fmt: skip
    write_map(path, points)
    return path


# ---- without a browser


def test_new_files_are_not_counted_among_the_corpora():
    assert told(rich_points()) == "11 segments of cage and beach-boys, and 1 new file"
    assert told(guests()) == "10 segments of cage and beach-boys, and 2 new files"
    assert told(rich_points(placed=None)) == "12 segments of cage and beach-boys"
    assert told(rich_points(placed=np.ones(12, bool))) == "12 segments of cage and beach-boys"


def test_a_name_that_turns_the_line_around_is_shut_in():
    points = replace(rich_points(), corpus_names=[TURNED, "b"])
    assert told(points).startswith(f"11 segments of \u2068{TURNED}\u2069 and b,")
    named = replace(points, cluster_names=[f"1: all {TURNED} (92 %)", "2: b"], infos=())
    value = value_of(map_parts(named))
    assert value["infos"][0]["name"] == f"1: all \u2068{TURNED}\u2069 (92 %)"
    assert value["clusters"] == [f"1: all \u2068{TURNED}\u2069 (92\xa0%)", "2: b"]


# ---- in a real browser

EDGES = """const rows = [...arguments[0].querySelectorAll('tr')].map((row) =>
  [...row.children].filter((cell) => getComputedStyle(cell).display !== 'none').map((cell) => {
    const box = cell.getBoundingClientRect(); return [Math.round(box.left), Math.round(box.right)]; }));
return rows;"""


@pytest.mark.slow
def test_on_paper_heads_stand_above_their_columns_and_nothing_scrolls(page):
    with chromium(width=794, height=1123) as driver:
        open_page(driver, page)
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        for table in driver.find_elements("css selector", ".map-scroll table"):
            head, *rows = driver.execute_script(EDGES, table)
            assert rows
            assert all(row == head for row in rows)
        scrolling = [*driver.find_elements("css selector", ".map-scroll"),
                     driver.find_element("css selector", ".map-legend")]  # fmt: skip
        for box in scrolling:
            assert box.value_of_css_property("overflow-x") == "visible"
            assert box.value_of_css_property("overflow-y") == "visible"
        assert driver.execute_script("return document.documentElement.scrollWidth") <= 794
        # In this window a scrollbar may take some of the 794; paper has none, but its edge is that of the page's text.
        ends = [driver.execute_script("return arguments[0].getBoundingClientRect().right", box) for box in scrolling]
        assert max(ends) <= driver.execute_script("return document.querySelector('main').getBoundingClientRect().right")
        cells = driver.find_elements("css selector", ".map-grid tbody td")
        assert all(cell.text for cell in cells if cell.is_displayed())


@pytest.mark.slow
def test_every_hybrid_has_a_dot_of_its_own(browser):
    one = "map.view.overlay.onBridge(bridge, dot.alpha)"
    places = ask(browser, f"map.view.bridges.flatMap((bridge) => bridge.dots.map((dot) => {one}))")
    apart = np.linalg.norm(np.array(places)[:, None] - np.array(places)[None], axis=2)
    assert (apart + 99 * np.eye(6)).min() > 14
    found = [ask(browser, f"map.data.hybrids.indexOf(map.view.bridgeAt({x}, {y}, 8))") for x, y in places]
    assert found == [0, 1, 2, 3, 4, 5]
    left, top = ask(browser, "[map.canvas.getBoundingClientRect().left, map.canvas.getBoundingClientRect().top]")
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        mouse(browser, kind, left + places[5][0], top + places[5][1])
    wait_for(browser, "document.getElementById('map').dataset.hybrid === '5'")


@pytest.mark.slow
def test_an_address_that_repeats_itself_is_read_at_once(browser):
    script = """const start = performance.now(), list = unpackList(Array(160000).fill("1-451").join("."), 0, 20000);
      return [list.length, performance.now() - start];"""
    length, taken_ms = browser.execute_script(script)
    assert length == 451
    assert taken_ms < 200
    # Whatever a selection of 20,000 in any order is, it comes back.
    order = np.random.default_rng(0).permutation(20000).tolist()
    assert browser.execute_script("return unpackList(packList(arguments[0]), 0, 20000)", order) == order
    browser.execute_script("location.hash = `s=${Array(200000).fill('1-4').join('.')}`")
    wait_for(browser, "document.getElementById('map').segmentMap.selection.list.length === 4")


@pytest.mark.slow
def test_cells_are_written_as_in_other_tables(browser):
    texts = [
        "=1+1", "+1", "-1", "@a", "＝1", "＋1", "－1", "＠a", "  =1", "\t=1", "\u3000=1",
        "\u202e=1", "\x1b[0m", "a\r\nb",
        "\u2028=", "\xa0+", "\ue000", "\U000e0001=", "plain é 日本", 'a "b", c', "a\\b", "", "a-b", "\ufeff=1",
    ]  # fmt: skip
    cells = browser.execute_script("return arguments[0].map(csvCell)", texts)
    here = [row[0] for row in csv.reader(io.StringIO("".join(f"{cell},1\r\n" for cell in cells), newline=""))]
    there = list(csv.reader(io.StringIO(csv_text(["a", "b"], [[text, 1] for text in texts]), newline="")))[1:]
    assert here == [row[0] for row in there]


@pytest.mark.slow
def test_names_do_not_turn_what_stands_beside_them(browser):
    shares = browser.find_element("css selector", ".map-clusters .shares span")
    assert shares.get_attribute("textContent") == f"{TURNED} 92\xa0%, beach-boys 8\xa0%"
    # The percentage stands to the right of the name and its digits run to the right.
    ends = browser.execute_script(
        """const at = (from, to) => { const range = document.createRange(), node = arguments[0].childNodes[1];
             range.setStart(node, from); range.setEnd(node, to); return range.getBoundingClientRect().left; };
           return [arguments[0].children[0].getBoundingClientRect().left, at(1, 2), at(2, 3)];""", shares)  # fmt: skip
    assert ends == sorted(ends)
    point_at(browser, 2, click=True)
    wait_for(browser, "document.getElementById('map').dataset.playing === '2'")
    assert browser.find_element("css selector", ".map-status bdi").text == f"{TURNED}.wav"
    titles = [node.get_attribute("title") for node in browser.find_elements("css selector", ".near .link")]
    assert f"\u2068{TURNED}\u2069:" in titles[1]


@pytest.mark.slow
def test_long_names_are_cut_and_whole_in_their_titles(browser):
    chip = browser.find_element("css selector", "[data-colour=a]")
    assert chip.rect["height"] < 40
    assert chip.get_attribute("title") == LONG
    name, bar = (browser.find_element("css selector", f".map-scores {tag}") for tag in ("dt", "i"))
    assert name.rect["x"] + browser.execute_script("return arguments[0].scrollWidth", name) <= bar.rect["x"]
    assert name.rect["height"] < 60
    assert name.get_attribute("title") == LONG
    click(browser, "[data-colour=a]")
    assert browser.find_element("css selector", ".map-scale-name").rect["height"] < 70


@pytest.mark.slow
def test_a_long_unit_stands_in_the_label_alone(browser):
    click(browser, "[data-colour=b]")
    assert browser.find_element("css selector", ".map-scale-name").text == "Noisiness (of white noise)"
    assert browser.find_element("css selector", ".map-ends").text.split() == ["0", "5.5", "11"]
    point_at(browser, 3)
    assert "Noisiness: 3 of white noise" in browser.find_element("css selector", ".map-tip").text.replace("\xa0", " ")


@pytest.mark.slow
def test_the_words_promise_no_place_to_a_hybrid(browser):
    words = browser.find_element("css selector", ".map-grid p").text
    assert "stand for the hybrids" in words
    assert "stylemix map RUN --add FILE" in words
    assert "rest of this run" in browser.find_element("css selector", ".map-clusters p").text


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_sixteen_files_have_sixteen_colours(tmp_path, dark):
    write_map(tmp_path / "map.html", crowd(24))
    with chromium(dark=dark) as driver:
        open_page(driver, tmp_path / "map.html")
        click(driver, "[data-colour=file]")
        drawn = np.array(ask(driver, "(map.drawNow(), [...map.colours.inks])")).reshape(-1, 4)[::2, :3]
        legend = driver.execute_script("""return [...document.querySelectorAll('.map-legend svg *')].map((node) => {
          const pen = document.createElement('canvas').getContext('2d');
          pen.fillStyle = getComputedStyle(node).fill; pen.fillRect(0, 0, 1, 1);
          return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3); })""")
        np.testing.assert_allclose(drawn, np.array(legend), atol=1.01)
        apart = np.abs(drawn[:, None] - drawn[None]).max(axis=2) + 999 * np.eye(24)
        assert apart[:16, :16].min() > 20
        assert apart.min() > 12


@pytest.mark.slow
@pytest.mark.parametrize(("corpora", "entry"), [(3, "new files"), (2, "New files, set on this map")])
def test_new_files_are_in_the_legend_once(tmp_path, shared_browser, corpora, entry):
    write_map(tmp_path / "map.html", guests(corpora))
    open_page(shared_browser, tmp_path / "map.html")
    names = [node.text for node in shared_browser.find_elements("css selector", ".map-legend .name")]
    assert names == ["cage", "beach-boys", entry]
    click(shared_browser, "[data-colour=file]")
    names = [node.text for node in shared_browser.find_elements("css selector", ".map-legend .name")]
    assert names == ["a.wav", "b.wav", "c.wav", "d.wav", "New files, set on this map"]
