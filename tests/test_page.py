"""The map page: what is written, and what a real browser makes of it from the disk, offline."""

import json
import re
import time

import numpy as np
import pytest

from stylemix.errors import BadInput
from stylemix.pages.document import fill, json_for_html
from stylemix.style_map.page import MapData, write_map
from tests.browser import chromium, console_errors, open_page
from tests.page_driving import PLACE, point_at, press, tone, wait_for

HOSTILE = "</script><img src=x onerror=window.pwned=1>\u2028&amp;'\"<!--"


def make_points(n: int = 12, *, names: tuple[str, str] = ("a.wav", "b.wav"), clip=tone, **more) -> MapData:
    index = np.arange(n)
    corpus = index % 2
    more.setdefault("cluster_names", ["1: all cage", "2: all beach-boys"])
    # A grid, so that the tests know what lies where.
    return MapData(
        np.stack([index % 4, index // 4], axis=1).astype(float),
        corpus,
        corpus,
        [names[c] for c in corpus],
        2.0 * (index // 2),
        np.full(n, 2.0),
        more.pop("corpus_names", ["cage", "beach-boys"]),
        clip=clip,
        facts={"Method": "PCA", "Seed": "0"},
        **more,
    )


def data_of(path, identifier="map-data"):
    text = path.read_text(encoding="utf-8")
    return json.loads(re.search(rf'id="{identifier}">(.*?)</script>', text, re.DOTALL).group(1))


def test_the_page_is_one_file_that_names_no_other(tmp_path):
    facts = write_map(tmp_path / "map.html", make_points())
    text = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert facts["bytes"] == (tmp_path / "map.html").stat().st_size
    assert (facts["segments"], facts["files"], facts["with_sound"], facts["notice"]) == (12, 2, 12, "")
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!data:)", text)
    assert "{{" not in re.sub(r"<script>.*</script>", "", text, flags=re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text).group(1)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy


def test_names_cannot_end_the_data(tmp_path):
    points = make_points(names=(HOSTILE, HOSTILE + "2"), title=HOSTILE, corpus_names=[HOSTILE, "b"])
    write_map(tmp_path / "map.html", points)
    text = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert "<img" not in text
    assert "\u2028" not in re.search(r'id="map-data">(.*?)</script>', text, re.DOTALL).group(1)
    assert data_of(tmp_path / "map.html")["files"] == [HOSTILE, HOSTILE + "2"]


def test_json_survives_names_that_are_not_utf8():
    assert json.loads(json_for_html({"a": "x\udcff"})) == {"a": "x?"}
    with pytest.raises(BadInput, match="must be finite"):
        json_for_html([float("nan")])


def test_what_is_put_into_a_page_is_not_filled_again():
    assert fill("{{a}}|{{b}}", {"a": "{{b}}", "b": "x"}) == "{{b}}|x"


def test_the_same_name_in_two_corpora_is_two_files(tmp_path):
    facts = write_map(tmp_path / "map.html", make_points(names=("a.wav", "a.wav")))
    assert facts["files"] == 2


@pytest.mark.parametrize(("room", "all_sound"), [(120_000, True), (30_000, False)])
def test_the_size_limit_shortens_then_thins_and_says_so(tmp_path, room, all_sound):
    limit = write_map(tmp_path / "silent.html", make_points(clip=None))["bytes"] + room
    facts = write_map(tmp_path / "map.html", make_points(12), max_bytes=limit)
    assert facts["bytes"] <= limit
    assert facts["longest_clip_s"] < 2
    assert (facts["with_sound"] == 12) == all_sound
    assert "first" in facts["notice"]
    assert ("hollow" in facts["notice"]) != all_sound
    assert data_of(tmp_path / "map.html")["notice"] == facts["notice"]


def test_a_map_without_sound_says_so(tmp_path):
    assert "without sound" in write_map(tmp_path / "map.html", make_points(clip=None))["notice"]


def test_points_alone_over_the_limit_are_refused(tmp_path):
    with pytest.raises(BadInput, match="without any sound"):
        write_map(tmp_path / "map.html", make_points(), max_bytes=60_000)


def test_nothing_is_written_over(tmp_path):
    out = tmp_path / "map.html"
    out.write_text("mine")
    with pytest.raises(BadInput, match="exists already"):
        write_map(out, make_points(clip=None))
    with pytest.raises(BadInput, match="one of the inputs"):
        write_map(out, make_points(clip=None), force=True, inputs=[out])
    assert out.read_text() == "mine"
    write_map(out, make_points(clip=None), force=True)
    assert out.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"xy": np.full((12, 2), np.nan)}, "xy must be finite"),
        ({"xy": np.zeros((3, 2))}, "xy must have shape"),
        ({"corpus": np.full(12, 2)}, "corpus must index its 2 names"),
        ({"cluster": np.full(12, -2)}, "cluster must index"),
        ({"duration_s": np.zeros(12)}, "duration_s must be positive"),
        ({"files": []}, "at least one"),
    ],
)
def test_data_that_do_not_fit_are_refused(change, rule):
    from dataclasses import replace

    with pytest.raises(BadInput, match=rule):
        replace(make_points(), **change)


# ---- in a real browser

@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.html"
    write_map(path, make_points())
    return path


@pytest.mark.slow
def test_hover_tells_file_time_corpus_and_cluster(browser):
    point_at(browser, 5)
    tip = wait_for(browser, "document.querySelector('.map-tip:not([hidden])')?.innerText")
    assert tip.split("\n") == ["b.wav", "0:04–0:06", "beach-boys", "Cluster 2: all beach-boys"]


@pytest.mark.slow
def test_a_click_plays_the_very_segment(browser):
    point_at(browser, 3, click=True)
    wait_for(browser, "document.getElementById('map').dataset.playing === '3'")
    assert "Playing b.wav, 0:02–0:04" in browser.find_element("css selector", ".map-status").text
    assert browser.execute_script("return jukebox.context.state") == "running"
    before = browser.execute_script("return jukebox.position()")
    wait_for(browser, f"jukebox.position() > {before} + 0.2")
    wait_for(browser, "jukebox.level() > 0.2")
    # Which tone is heard: the segments differ by 40 Hz, the analyser is asked for finer bins.
    pitch = browser.execute_async_script("""const done = arguments[0]; jukebox.meter.fftSize = 16384;
      setTimeout(() => { const bins = new Float32Array(8192); jukebox.meter.getFloatFrequencyData(bins);
        done(bins.indexOf(Math.max(...bins)) * jukebox.context.sampleRate / 16384);
        jukebox.meter.fftSize = 1024; }, 600);""")
    assert pitch == pytest.approx(200 + 40 * 3, abs=6)
    wait_for(browser, "!('playing' in document.getElementById('map').dataset)")


@pytest.mark.slow
def test_the_next_click_and_space_stop_the_sound(browser):
    point_at(browser, 0, click=True)
    wait_for(browser, "document.getElementById('map').dataset.playing === '0'")
    point_at(browser, 7, click=True)
    wait_for(browser, "document.getElementById('map').dataset.playing === '7'")
    press(browser, " ")
    wait_for(browser, "jukebox.current === null")
    # Nothing sounds any more, the first tone of two seconds included.
    time.sleep(0.15)
    heard = browser.execute_script(
        "jukebox.meter.getFloatTimeDomainData(jukebox.heard); return Math.max(...jukebox.heard.map(Math.abs))"
    )
    assert heard < 0.001
    press(browser, " ")
    wait_for(browser, "document.getElementById('map').dataset.playing === '7'")


@pytest.mark.slow
def test_arrow_keys_walk_to_the_neighbours(browser):
    point_at(browser, 5, click=True)
    for key, expected in (("\ue014", 6), ("\ue013", 10), ("\ue012", 9), ("\ue015", 5)):
        press(browser, key)
        wait_for(browser, f"document.getElementById('map').dataset.playing === '{expected}'")


@pytest.mark.slow
def test_the_legend_filters_and_the_search_finds(browser):
    legend = browser.find_elements("css selector", ".map-legend button")
    assert [item.text.split("\n") for item in legend] == [["cage", "6"], ["beach-boys", "6"]]
    legend[0].click()
    assert browser.execute_script("return [...map.segmentMap.view.shown]") == [0, 1] * 6
    legend[0].click()
    browser.find_element("id", "map-search").send_keys("B.W")
    assert browser.find_element("css selector", ".map-search output").text == "6 segments in 1 file"
    browser.find_element("css selector", "[data-colour=cluster]").click()
    names = [item.text.split("\n")[0] for item in browser.find_elements("css selector", ".map-legend button")]
    # Shapes still tell the corpora, whatever the colours tell.
    assert names == ["1: all cage", "2: all beach-boys", "cage", "beach-boys"]


@pytest.mark.slow
def test_wheel_and_buttons_zoom_about_the_pointer(browser):
    before = browser.execute_script(PLACE, 5)
    browser.execute_cdp_cmd(
        "Input.dispatchMouseEvent",
        {"type": "mouseWheel", "x": before[0], "y": before[1], "deltaX": 0, "deltaY": -300},
    )
    wait_for(browser, "document.getElementById('map').segmentMap.view.zoom > 1.3")
    assert browser.execute_script(PLACE, 5) == pytest.approx(before, abs=1.5)
    browser.find_element("css selector", "[data-zoom=all]").click()
    assert browser.execute_script("return document.getElementById('map').segmentMap.view.zoom") == 1


@pytest.mark.slow
def test_hostile_names_are_only_text(tmp_path):
    path = tmp_path / "map.html"
    write_map(
        path,
        make_points(
            names=(HOSTILE, "b"), title=HOSTILE, corpus_names=[HOSTILE, "b"], cluster_names=[HOSTILE, "c"]
        ),
    )
    with chromium() as driver:
        open_page(driver, path)
        point_at(driver, 0)
        wait_for(driver, "!document.querySelector('.map-tip').hidden")
        assert driver.execute_script("return document.querySelector('.map-tip b').textContent") == HOSTILE
        assert driver.execute_script("return document.querySelector('h1').textContent") == HOSTILE
        assert driver.execute_script("return window.pwned === undefined && !document.querySelector('img')")
        assert console_errors(driver) == []


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), [(390, True), (390, False), (1280, True)])
def test_it_fits_a_phone_and_the_dark(page, width, dark):
    with chromium(width=width, height=844, dark=dark) as driver:
        open_page(driver, page)
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width
        light = driver.execute_script(
            "return parseInt(getComputedStyle(document.body).backgroundColor.slice(4))"
        )
        assert (light < 60) == dark
        assert console_errors(driver) == []


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 20000])
def test_one_segment_and_very_many_are_shown(tmp_path, n):
    rng = np.random.default_rng(0)
    places = np.zeros((1, 2)) if n == 1 else rng.normal(size=(n, 2))
    points = MapData(
        places,
        np.zeros(n, int),
        np.zeros(n, int),
        ["a.wav"] * n,
        np.arange(n) * 2.0,
        np.full(n, 2.0),
        ["cage"],
        ["1: all cage"],
    )
    write_map(tmp_path / "map.html", points)
    with chromium() as driver:
        open_page(driver, tmp_path / "map.html")
        point_at(driver, n - 1)
        wait_for(driver, "!document.querySelector('.map-tip').hidden")
        assert console_errors(driver) == []


INK = """(() => { const c = document.querySelector('.map canvas');
  const copy = document.createElement('canvas'), pen = copy.getContext('2d');
  [copy.width, copy.height] = [c.width, c.height];
  pen.drawImage(c, 0, 0);
  const data = pen.getImageData(0, 0, c.width, c.height).data, seen = new Set();
  for (let k = 0; k < data.length; k += 4) seen.add(data[k]);
  return seen.size > 3; })()"""


@pytest.mark.slow
def test_a_new_size_leaves_no_empty_canvas(browser):
    # No further frame comes: what is drawn must be drawn with the resizing.
    browser.execute_script(
        "window.requestAnimationFrame = () => 1; document.querySelector('.map-stage').style.height = '500px'"
    )
    wait_for(browser, "Math.abs(document.querySelector('.map canvas').height - 498 * devicePixelRatio) < 2")
    assert browser.execute_script(f"return {INK}")
