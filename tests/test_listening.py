"""The listening page: players that keep the moment, one sound at a time, everything in one file."""

import json
import re

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.listening import ListeningData, Table, TrainingCurve, write_listening_page
from stylemix.pages.players import Player
from tests.browser import chromium, console_errors, open_page
from tests.test_page import HOSTILE, make_points, point_at, press, wait_for


def tone(hz: float, amplitude: float = 0.3, seconds: float = 6.0) -> Wave:
    t = np.arange(int(seconds * 22050)) / 22050
    return Wave(amplitude * np.sin(2 * np.pi * hz * t), 22050)


def make_listening(name: str = "Source", **more) -> ListeningData:
    players = [
        Player(name, "parent", tone(220), 0.0),
        Player("Half", "hybrid", tone(330, 0.1), 0.5, note="new"),
        Player("Target", "parent", tone(440), 1.0),
        Player("Fade", "crossfade", tone(550, seconds=4.0), 0.5),
    ]
    more.setdefault("title", "Two styles")
    return ListeningData(
        players=players,
        intro=["One paragraph."],
        facts={"Seed": "0"},
        curve=TrainingCurve([1, 60, 120], [0.12, 0.09, 0.07], 0.081),
        tables=[Table(["Rendering", "P(B)"], [["Half", 0.5], [name, 0.1]], "From evaluate.")],
        points=make_points(),
        **more,
    )


def value_of(path):
    return json.loads(
        re.search(r'id="listening-data">(.*?)</script>', path.read_text("utf-8"), re.DOTALL).group(1)
    )


def test_the_page_holds_everything_and_names_no_other_file(tmp_path):
    facts = write_listening_page(tmp_path / "listen.html", make_listening())
    text = (tmp_path / "listen.html").read_text("utf-8")
    assert facts["bytes"] == (tmp_path / "listen.html").stat().st_size
    assert (facts["players"], facts["map"]["segments"]) == (4, 12)
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!data:)", text)
    assert len(re.findall(r'id="player-\d"', text)) == 4
    assert "unsafe" not in text
    # The script elements that run are exactly one, and the policy names its hash.
    assert len(re.findall(r"<script>", text)) == 1


def test_a_hybrid_three_times_as_quiet_is_raised_to_the_others(tmp_path):
    write_listening_page(tmp_path / "listen.html", make_listening())
    gains = [player["gain"] for player in value_of(tmp_path / "listen.html")["players"]]
    np.testing.assert_allclose(gains, [1, 3, 1, 1], rtol=2e-3)


def test_equal_loudness_never_clips(tmp_path):
    click = np.zeros(22050)
    click[100] = 0.9
    players = [Player("click", "other", Wave(click, 22050)), Player("tone", "other", tone(220))]
    write_listening_page(tmp_path / "listen.html", ListeningData("x", players))
    gains = [player["gain"] for player in value_of(tmp_path / "listen.html")["players"]]
    assert gains[0] * 0.9 <= 1.001


def test_silence_and_a_page_of_nothing_can_be_written(tmp_path):
    silent = [Player("silence", "other", Wave(np.zeros(8000), 8000))]
    assert write_listening_page(tmp_path / "a.html", ListeningData("x", silent))["players"] == 1
    assert write_listening_page(tmp_path / "b.html", ListeningData("x", []))["map"] is None


def test_players_from_files_are_never_written_over(tmp_path):
    import soundfile

    source = tmp_path / "a.wav"
    soundfile.write(source, tone(220).samples.T, 22050)
    page = ListeningData("x", [Player("a", "parent", source)])
    with pytest.raises(BadInput, match="one of the inputs"):
        write_listening_page(source, page, force=True)
    assert write_listening_page(tmp_path / "a.html", page)["players"] == 1


def test_too_much_sound_is_refused_with_a_way_out(tmp_path):
    with pytest.raises(BadInput, match="render shorter hybrids"):
        write_listening_page(tmp_path / "listen.html", make_listening(), max_bytes=200_000)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: Player("a", "remix", tone(220)), "kind must be one of"),
        (lambda: TrainingCurve([1, 2], [0.1]), "as many times as errors"),
        (lambda: TrainingCurve([], []), "at least one"),
        (lambda: Table(["a", "b"], [["1"]]), "must have 2 cells"),
    ],
)
def test_data_that_do_not_fit_are_refused(make, rule):
    with pytest.raises(BadInput, match=rule):
        make()


# ---- in a real browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("listening") / "listen.html"
    write_listening_page(path, make_listening())
    return path


def playing(label: str) -> str:
    return f"jukebox.current && jukebox.current.what.player.label === '{label}'"


def button(driver, index: int):
    return driver.find_elements("css selector", ".play")[index]


@pytest.mark.slow
def test_switching_goes_on_from_the_same_moment(browser):
    button(browser, 0).click()
    wait_for(browser, playing("Source"))
    wait_for(browser, "jukebox.position() > 1.2")
    button(browser, 1).click()
    wait_for(browser, playing("Half"))
    assert browser.execute_script("return jukebox.current.offset") > 1.1
    assert len(browser.find_elements("css selector", ".player.on")) == 1
    wait_for(browser, "jukebox.level() > 0.1")
    browser.find_element("id", "keep").click()
    button(browser, 2).click()
    wait_for(browser, playing("Target"))
    assert browser.execute_script("return jukebox.current.offset") == 0


@pytest.mark.slow
def test_a_click_into_the_picture_plays_from_there(browser):
    strip = browser.find_elements("css selector", ".strip")[2]
    box = browser.execute_script(
        "arguments[0].scrollIntoView({block: 'center'});"
        "const b = arguments[0].getBoundingClientRect();"
        "return [b.left, b.top, b.width, b.height]",
        strip,
    )
    mouse = {"x": box[0] + box[2] / 2, "y": box[1] + box[3] / 2, "button": "left", "clickCount": 1}
    for kind in ("mousePressed", "mouseReleased"):
        browser.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": kind, **mouse})
    wait_for(browser, playing("Target"))
    assert browser.execute_script("return jukebox.current.offset") == pytest.approx(3.0, abs=0.05)


@pytest.mark.slow
def test_numbers_switch_and_space_stops(browser):
    press(browser, "2")
    wait_for(browser, playing("Half"))
    press(browser, "4")
    wait_for(browser, playing("Fade"))
    press(browser, " ")
    wait_for(browser, "jukebox.current === null")
    press(browser, " ")
    wait_for(browser, playing("Fade"))


@pytest.mark.slow
def test_the_map_and_the_players_stop_each_other(browser):
    button(browser, 0).click()
    wait_for(browser, playing("Source"))
    browser.execute_script("document.querySelector('.map canvas').scrollIntoView({block: 'center'})")
    point_at(browser, 3, click=True)
    wait_for(browser, "document.getElementById('map').dataset.playing === '3'")
    assert browser.find_elements("css selector", ".player.on") == []
    button(browser, 0).click()
    wait_for(browser, playing("Source"))
    assert browser.execute_script("return !('playing' in document.getElementById('map').dataset)")


@pytest.mark.slow
def test_blind_hides_what_would_tell(browser):
    browser.find_element("id", "blind").click()
    names = [label.text for label in browser.find_elements("css selector", ".player .label")]
    assert names == ["A", "B", "C", "D"]
    hidden = browser.execute_script(
        "return [...document.querySelectorAll("
        "'.strip img, .kind, .note, .alpha')].every((node) => getComputedStyle(node).visibility === 'hidden')"
    )
    assert hidden
    browser.find_element("id", "blind").click()
    names = [label.text for label in browser.find_elements("css selector", ".player .label")]
    assert names == ["Source", "Half", "Target", "Fade"]


@pytest.mark.slow
def test_curve_bar_and_table_are_shown(browser):
    words = browser.execute_script(
        "return [...document.querySelectorAll('.curve text')].map((n) => n.textContent)"
    )
    assert {"stylemix", "PCA", "Training time (s)", "Held-out error (share of variance)"} <= set(words)
    net = browser.execute_script(
        "return document.querySelector('.curve .net').getAttribute('points').split(' ')"
        ".map((p) => +p.split(',')[1])"
    )
    bar = browser.execute_script("return +document.querySelector('.curve .bar').getAttribute('y1')")
    assert net[1] < bar < net[2]
    assert browser.execute_script("return document.querySelector('table').innerText.split(/\\s+/)") == [
        "Rendering",
        "P(B)",
        "Half",
        "0.5",
        "Source",
        "0.1",
    ]


@pytest.mark.slow
def test_hostile_names_are_only_text_and_a_phone_is_wide_enough(tmp_path):
    path = tmp_path / "listen.html"
    write_listening_page(path, make_listening(HOSTILE, title=HOSTILE))
    with chromium(width=390, height=844, dark=True) as driver:
        open_page(driver, path)
        assert driver.execute_script("return document.querySelector('.player .label').textContent") == HOSTILE
        assert driver.execute_script("return window.pwned === undefined")
        assert driver.execute_script(
            "return [...document.images].every((i) => i.src.startsWith('data:') && i.width)"
        )
        assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
        assert console_errors(driver) == []
