"""The contact sheet: cards that share a time line, keys that switch, and what differs in words."""

import json
import re

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.contact_sheet import Card, write_contact_sheet
from stylemix.errors import BadInput
from stylemix.pages.players import Player
from tests.browser import chromium, console_errors, open_page
from tests.test_listening import playing, tone
from tests.test_page import HOSTILE, press, wait_for


def make_cards(n: int = 3, *, seconds: float = 6.0, name: str = "Source") -> list[Card]:
    cards = [
        Card(Player(name, "parent", tone(220, seconds=seconds), 0.0), file=f"{name}.wav"),
        Card(Player("Matched crossfade", "crossfade", tone(330, seconds=seconds), 0.5), file="crossfade.wav"),
    ]
    for i in range(n):
        player = Player(f"Variation {i + 1}", "hybrid", tone(440 + 20 * i, 0.1, seconds=seconds), 0.5)
        command = f"stylemix hybrid both.mix --seed {i} --out '{name} {i + 1}.wav'"
        differs = min(1.0, 0.25 * i) if i else None
        cards.append(Card(player, f"half-{i + 1}.wav", command, mean_run_s=0.5 + i, differs=differs, distance=0.3))
    return cards


def data_of(path):
    text = path.read_text("utf-8")
    return json.loads(re.search(r'id="sheet-data">(.*?)</script>', text, re.DOTALL).group(1))


def test_the_page_holds_everything_and_names_no_other_file(tmp_path):
    told = write_contact_sheet(tmp_path / "sheet.html", make_cards(), title="T", facts={"Run": "a.mix"})
    text = (tmp_path / "sheet.html").read_text("utf-8")
    assert told["bytes"] == (tmp_path / "sheet.html").stat().st_size
    assert (told["players"], told["longest_s"], told["notice"]) == (5, 6.0, "")
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!data:)", text)
    assert len(re.findall(r'id="player-\d"', text)) == 5
    assert "unsafe" not in text
    assert len(re.findall(r"<script>", text)) == 1
    assert data_of(tmp_path / "sheet.html")["facts"] == [["Run", "a.mix"]]


def test_cards_say_what_differs_and_which_key_plays_them(tmp_path):
    write_contact_sheet(tmp_path / "sheet.html", make_cards(12))
    players = data_of(tmp_path / "sheet.html")["players"]
    assert [player["key"] for player in players] == ["s", "c", *"123456789", "", "", ""]
    assert players[0]["facts"] == []
    assert players[2]["facts"] == [["Mean run", "0.50 s"], ["Distance", "0.3"]]
    assert players[4]["facts"] == [["Mean run", "2.50 s"], ["Other material than 1", "50 %"], ["Distance", "0.3"]]
    assert players[3]["command"] == "stylemix hybrid both.mix --seed 1 --out 'Source 2.wav'"
    # Equally loud: the quiet variations are raised to the median, the parents lowered to it.
    assert [players[0]["gain"], players[2]["gain"]] == pytest.approx([1 / 3, 1], rel=2e-3)


def test_long_sounds_play_their_beginnings_and_the_page_says_so(tmp_path):
    told = write_contact_sheet(tmp_path / "sheet.html", make_cards(seconds=12.0), max_bytes=1_300_000)
    assert told["bytes"] <= 1_300_000
    assert 1 <= told["longest_s"] < 12
    assert f"first {told['longest_s']:.1f} of 12.0 seconds" in told["notice"]
    value = data_of(tmp_path / "sheet.html")
    assert value["notice"] == told["notice"]
    assert [p["seconds"] for p in value["players"]] == pytest.approx([told["longest_s"]] * 5, abs=0.01)


def test_a_codec_that_takes_more_than_it_should_shortens_them_again(tmp_path, monkeypatch):
    monkeypatch.setattr("stylemix.contact_sheet._BYTES_PER_S", 2_000)
    told = write_contact_sheet(tmp_path / "sheet.html", make_cards(1, seconds=40.0), max_bytes=700_000)
    assert told["bytes"] <= 700_000
    assert told["longest_s"] < 40


def test_too_many_sounds_are_refused_with_a_way_out(tmp_path):
    with pytest.raises(BadInput, match=r"5 sounds of at least 1 s do not fit into 0.5 MB; ask for fewer variations"):
        write_contact_sheet(tmp_path / "sheet.html", make_cards(), max_bytes=500_000)
    with pytest.raises(BadInput, match="at least one sound, got none"):
        write_contact_sheet(tmp_path / "sheet.html", [])
    assert list(tmp_path.iterdir()) == []


def test_files_are_read_and_never_written_over(tmp_path):
    path = tone(220).save(tmp_path / "a.wav")
    card = Card(Player("a", "hybrid", path))
    for inputs in ([], [tmp_path / "b.wav"]):
        with pytest.raises(BadInput, match="one of the inputs"):
            write_contact_sheet(path, [card], force=True, inputs=inputs)
    assert write_contact_sheet(tmp_path / "a.html", [card])["players"] == 1
    assert data_of(tmp_path / "a.html")["players"][0]["seconds"] == 6
    with pytest.raises(BadInput, match="exists already"):
        write_contact_sheet(tmp_path / "a.html", [card])


@pytest.mark.parametrize(
    ("numbers", "rule"),
    [
        ({"mean_run_s": float("nan")}, "mean_run_s must be 0 or more, got nan"),
        ({"distance": -1.0}, "distance must be 0 or more, got -1"),
        ({"differs": 1.5}, "differs must be a share, 0 to 1, got 1.5"),
    ],
)
def test_numbers_that_cannot_be_are_refused(numbers, rule):
    with pytest.raises(BadInput, match=rule):
        Card(Player("a", "hybrid", Wave(np.zeros(10), 8000)), **numbers)


# ---- in a real browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("sheet") / "sheet.html"
    write_contact_sheet(path, make_cards(), title="Three", intro=["One paragraph."], facts={"Run": "a.mix"})
    return path


@pytest.mark.slow
def test_keys_switch_at_the_same_moment(browser):
    press(browser, "1")
    wait_for(browser, playing("Variation 1"))
    wait_for(browser, "jukebox.position() > 1.1")
    for key, label in (("2", "Variation 2"), ("s", "Source"), ("c", "Matched crossfade"), ("3", "Variation 3")):
        before = browser.execute_script("return jukebox.position()")
        press(browser, key)
        wait_for(browser, playing(label))
        assert before <= browser.execute_script("return jukebox.current.offset") < before + 1
    assert len(browser.find_elements("css selector", ".card.on")) == 1
    # It is the sound of the card, not only its name.
    pitch = browser.execute_async_script("""const done = arguments[0]; jukebox.meter.fftSize = 16384;
      setTimeout(() => { const bins = new Float32Array(8192); jukebox.meter.getFloatFrequencyData(bins);
        done(bins.indexOf(Math.max(...bins)) * jukebox.context.sampleRate / 16384);
        jukebox.meter.fftSize = 1024; }, 600);""")
    assert pitch == pytest.approx(480, abs=6)
    press(browser, " ")
    wait_for(browser, "jukebox.current === null")
    press(browser, "4")
    assert browser.execute_script("return jukebox.current") is None
    press(browser, " ")
    wait_for(browser, playing("Variation 3"))


@pytest.mark.slow
def test_every_card_has_a_button_a_picture_and_its_words(browser):
    cards = browser.find_elements("css selector", "#variations .card")
    assert len(cards) == 3
    words = cards[1].text.split("\n")
    assert words[3:6] == ["Variation 2", "Hybrid, alpha 0.5", "2"]
    assert {"Mean run", "1.50 s", "Other material than 1", "25 %", "Distance", "half-2.wav"} <= set(words)
    assert len(browser.find_elements("css selector", "#others .card")) == 2
    assert browser.execute_script(
        "return [...document.images].every((i) => i.src.startsWith('data:') && i.naturalWidth)"
    )
    cards[1].find_element("css selector", ".play").click()
    wait_for(browser, playing("Variation 2"))
    cards[1].find_element("css selector", ".play").click()
    wait_for(browser, "jukebox.current === null")


@pytest.mark.slow
def test_the_command_is_shown_and_selected_to_be_copied(browser):
    card = browser.find_elements("css selector", "#variations .card")[0]
    card.find_element("css selector", "summary").click()
    assert card.find_element("css selector", "code").text == "stylemix hybrid both.mix --seed 0 --out 'Source 1.wav'"
    card.find_element("css selector", ".copy").click()
    wait_for(browser, "/Command (copied|selected)/.test(document.getElementById('said').textContent)")
    selected = browser.execute_script("return getSelection().toString()")
    assert selected == "stylemix hybrid both.mix --seed 0 --out 'Source 1.wav'"


@pytest.mark.slow
def test_the_kept_ones_are_listed(browser):
    press(browser, "2")
    wait_for(browser, playing("Variation 2"))
    press(browser, "k")
    browser.find_elements("css selector", ".keep")[2].click()
    kept = browser.find_element("id", "kept")
    assert kept.text == "Kept: half-2.wav, half-3.wav"
    press(browser, "k")
    assert kept.text == "Kept: half-3.wav"
    browser.find_elements("css selector", ".keep")[2].click()
    assert not kept.is_displayed()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), [(390, True), (1280, True), (390, False)])
def test_hostile_names_are_only_text_on_a_phone_and_in_the_dark(tmp_path, width, dark):
    path = tmp_path / "sheet.html"
    write_contact_sheet(path, make_cards(2, seconds=2.0, name=HOSTILE), title=HOSTILE, facts={HOSTILE: HOSTILE})
    assert "<img" not in path.read_text("utf-8")
    with chromium(width=width, height=844, dark=dark) as driver:
        open_page(driver, path)
        shown = driver.execute_script("return document.querySelector('#others .label').textContent")
        assert shown == HOSTILE
        assert driver.execute_script("return window.pwned === undefined")
        for summary in driver.find_elements("css selector", "summary"):
            summary.click()
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width
        light = driver.execute_script("return parseInt(getComputedStyle(document.body).backgroundColor.slice(4))")
        assert (light < 60) == dark
        assert console_errors(driver) == []
