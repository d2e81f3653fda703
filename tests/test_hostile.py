"""Names and tags that want to be more than text: in every page, in the picture, in every line of the command."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.audio import shown_name
from stylemix.cli import run_command
from stylemix.contact_sheet import Card, write_contact_sheet
from stylemix.listening import ListeningData, Table, TrainingCurve, write_listening_page
from stylemix.pages.players import Player
from stylemix.style_map.data import ClusterInfo, GridHybrid, Layout, MapData, Values
from stylemix.style_map.figure import draw_map
from stylemix.style_map.page import write_map
from tests import sounds
from tests.browser import chromium, console_errors, open_page
from tests.page_driving import point_at, wait_for
from tests.tiny_training import RATE, tiny_run

# The last name ends with marks that turn the direction of what follows: nothing must follow them.
NAMES = (
    "<img src=x onerror=\"window.pwned='img'\">",
    "</script><script>window.pwned='script'</script><!--",
    "x" * 300,
    "one\ntwo\r\n\tthree",
    r"$\alpha_{$ {{title}} & &amp; '\"`",
    "=cmd|'/c calc'!A0",
    "שלום עולם 12",
    "evil\u202egnp.exe\u2067",
)
RTL = NAMES[-1]


def beep(seconds: float = 0.4) -> Wave:
    return Wave(0.2 * np.sin(np.arange(int(seconds * 8000)) / 3).astype(np.float32), 8000)


def hostile_map() -> MapData:
    n = 3 * len(NAMES)
    index = np.arange(n)
    which = index % len(NAMES)
    # Corpora stand in sentences; a map is given them as they are shown on one line, all else as it comes.
    told = [shown_name(name) for name in NAMES]
    infos = [ClusterInfo(k + 1, f"{k + 1}: {name}", 3, {told[k]: 1.0}, k, {told[-1]: (1, 0.5)})
             for k, name in enumerate(NAMES)]  # fmt: skip
    return MapData(
        np.stack([index % 5, index // 5], axis=1).astype(float), which, which, [NAMES[i] for i in which],
        0.4 * (index // len(NAMES)), np.full(n, 0.4), told, [info.name for info in infos],
        clip=lambda i: (beep().samples, 8000), title=NAMES[0], facts=dict(zip(NAMES, NAMES, strict=True)),
        layouts=[Layout(name, name, np.stack([index, which], 1), {name: 0.5}, name) for name in NAMES],
        values={name: Values(name, name, index.astype(float)) for name in NAMES},
        tags=NAMES, infos=infos, run=NAMES[1],
        hybrids=[GridHybrid(1, 2, 0.5, name, beep(), 0.4, f"stylemix hybrid {name}", name) for name in NAMES],
    )  # fmt: skip


def write_the_map(path: Path) -> None:
    write_map(path, hostile_map())


def hostile_players() -> list[Player]:
    kinds = ["parent", "hybrid", "crossfade", "other"] * 2
    return [
        Player(name, kind, beep(), 0.5, group=NAMES[i // 4], note=name)
        for i, (name, kind) in enumerate(zip(NAMES, kinds, strict=True))
    ]


def write_the_listening_page(path: Path) -> None:
    facts = dict(zip(NAMES, NAMES, strict=True))
    curve = TrainingCurve([0, 1], [0.2, 0.1], 0.15, RTL, NAMES[0])
    tables = [Table(NAMES, [NAMES, NAMES], name) for name in NAMES]
    page = ListeningData(NAMES[0], hostile_players(), NAMES, facts, curve, tables, hostile_map())
    write_listening_page(path, page)


def write_the_contact_sheet(path: Path) -> None:
    cards = [Card(replace(player, kind="hybrid"), player.label, f"stylemix hybrid {player.label}", 0.5, 0.5, 0.5)
             for player in hostile_players()]  # fmt: skip
    cards.append(Card(hostile_players()[0], NAMES[0]))
    write_contact_sheet(path, cards, title=NAMES[0], intro=NAMES, facts=dict(zip(NAMES, NAMES, strict=True)))


def write_the_report(path: Path) -> None:
    from stylemix.measure.page import write_page
    from stylemix.measure.rendering import Rendered
    from tests.test_report import ALPHAS, Stretch, good_numbers, with_words

    numbers: dict[str, Any] = good_numbers()
    # Names stand in sentences, as `evaluate` writes them: escaped.
    told = [shown_name(name) for name in NAMES]
    numbers |= {"corpora": [told[0], told[-1]], "run": told[-1], "phase": NAMES[1]}
    numbers["sources"] = [{"file": name, "start_s": 0.0, "duration_s": 2.0, "held_out": True} for name in told]
    numbers["rebuild"] = [{**numbers["rebuild"][0], "file": name, "corpus": name} for name in told]
    one = [Rendered(Stretch(0, Path(name), 0, 0.0, 1.0, True), beep(), beep(), dict.fromkeys(ALPHAS, beep()))
           for name in (NAMES[0], RTL)]  # fmt: skip
    write_page(path, with_words(numbers), [dict.fromkeys(("match", "style", "fade"), each) for each in one])


def write_the_properties(path: Path) -> None:
    from stylemix.measure.properties.page import write_page
    from tests.test_properties import made_up_result

    result = made_up_result()
    result["sounds"] = [{"file": shown_name(name), "start_s": 0.0, "deformed": True} for name in NAMES]
    write_page(path, result)


PAGES = {
    "map": write_the_map,
    "listening": write_the_listening_page,
    "sheet": write_the_contact_sheet,
    "report": write_the_report,
    "properties": write_the_properties,
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every page, written when it is first asked for."""
    folder = tmp_path_factory.mktemp("hostile")

    class Written(dict[str, Path]):
        def __missing__(self, name: str) -> Path:
            PAGES[name](folder / f"{name}.html")
            return self.setdefault(name, folder / f"{name}.html")

    return Written()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium(width=380, height=800) as driver:
        yield driver


# Every text of the page, hidden ones too, with the element that it stands in.
TEXTS = """
const found = [];
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const { parentElement: element, data } = walk.currentNode;
  if (!element.closest("script, style, title") && data.trim()) found.push([data, getComputedStyle(element).unicodeBidi,
    getComputedStyle(element).display, element.outerHTML.slice(0, 90)]);
}
return found;
"""
# What hostile names would have made: elements with handlers, pictures and frames from elsewhere, more scripts.
MADE = """
const executed = [...document.scripts].filter((script) => !script.type);
const strange = [...document.querySelectorAll("*")].filter((node) => node.matches("iframe, object, embed, form")
  || [...node.attributes].some(({ name }) => name.startsWith("on")) || (node.src && !/^(data|blob):/.test(node.src)));
return [executed.length, strange.length, window.pwned || null, performance.getEntriesByType("resource").filter(
  ({ name }) => !/^(data|blob):/.test(name)).length];
"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [380, 1280])
@pytest.mark.parametrize("name", list(PAGES))
def test_names_are_text_and_break_no_page(browser: Any, pages: dict[str, Path], name: str, width: int) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    open_page(browser, pages[name])
    assert browser.execute_script(MADE) == [1, 0, None, 0]
    assert console_errors(browser) == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    texts = browser.execute_script(TEXTS)
    whole = "\n".join(text for text, *_ in texts)
    shown = [one for one in NAMES if one in whole or shown_name(one) in whole]
    # The report and the properties name fewer things; what they name is among the texts.
    assert len(shown) >= {"report": 2, "properties": len(NAMES)}.get(name, len(NAMES))
    turned = [one for one in texts if "\u202e" in one[0]]
    assert [text for text, *_ in turned if not text.rstrip().endswith(RTL)] == []
    assert [where for _, bidi, display, where in turned if bidi != "isolate" and display.startswith("inline")] == []


@pytest.mark.slow
def test_what_a_map_says_while_it_plays_and_finds_is_text(browser: Any, pages: dict[str, Path]) -> None:
    open_page(browser, pages["map"])
    browser.execute_script("document.querySelector('.map-over').scrollIntoView({block: 'center'})")
    for i in (5, 12, 18):
        point_at(browser, i, click=True)
        wait_for(browser, f"document.getElementById('map').segmentMap.view.chosen === {i}")
    said = browser.execute_script("return document.querySelector('.map-status').textContent")
    assert NAMES[2][:20] in said
    browser.find_element("css selector", "input[type=search]").send_keys(NAMES[0])
    assert browser.execute_script(MADE) == [1, 0, None, 0]
    width = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]
    assert console_errors(browser) == []


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("colour", ["corpus", "cluster", NAMES[0]])
def test_names_are_text_in_a_picture(tmp_path: Path, colour: str) -> None:
    for layout in range(0, len(NAMES), 3):
        told = draw_map(hostile_map(), tmp_path / "a.svg", colour=colour, layout=layout, force=True)
        assert told["height_mm"] < 3 * told["width_mm"]
    nodes = list(ET.parse(tmp_path / "a.svg").iter())
    assert not {node.tag.rpartition("}")[2] for node in nodes} & {"script", "img", "foreignObject", "a"}
    text = "".join("".join(node.itertext()) for node in nodes if node.tag.endswith("text"))
    assert r"$\alpha_{$" in text
    assert "\u202e" not in text


# ---- the command


@pytest.fixture(scope="module")
def hostile_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two corpora whose folders and files have such names, as far as a file system takes them."""
    folder = tmp_path_factory.mktemp("named")
    names = [name.replace("/", "\u2215")[:200] for name in NAMES]
    for corpus, plucked in ((names[0], False), (names[-1], True)):
        for i, name in enumerate(names[:4] if plucked else names[4:]):
            (folder / corpus).mkdir(exist_ok=True)
            file = sounds.write(folder / "x.wav", sounds.melody(7.0, rate=RATE, seed=i + 9 * plucked), rate=RATE)
            os.replace(file, folder / corpus / f"{name}.wav")
    return tiny_run([folder / names[0], folder / names[-1]], folder / f"{names[-1]}.mix").path


def told(capfd: Any, *words: str) -> str:
    """What a command prints, all of it."""
    run_command([*words])
    out = capfd.readouterr()
    return out.out + out.err


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["info", "RUN"], ["inspect", "CORPUS"], ["map", "CORPUS", "--out", "OUT"],
        ["clusters", "RUN"], ["hybrid", "RUN", "--source", "FILE", "--alpha", "0.5", "--out", "OUT.wav"],
        ["hybrid", "RUN", "--source", "MISSING", "--alpha", "0.5", "--out", "OUT.wav"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_every_line_of_the_command_is_printable(
    hostile_run: Path, tmp_path: Path, capfd: Any, words: list[str]
) -> None:
    corpus = next(path for path in sorted(hostile_run.parent.iterdir()) if path.is_dir() and path != hostile_run)
    places = {"RUN": hostile_run, "CORPUS": corpus, "FILE": next(iter(sorted(corpus.iterdir()))),
              "MISSING": tmp_path / RTL}  # fmt: skip
    given = [str(places.get(word, word)) for word in words]
    given = [word.replace("OUT", str(tmp_path / "evil\u202egnp")) for word in given]
    text = told(capfd, *given)
    assert text.strip()
    # A carriage return is how a progress bar begins anew; the command itself writes none.
    for line in text.replace("\r", "\n").splitlines():
        assert line.isprintable(), line
    plain = [line.strip() for line in text.splitlines()]
    # The file name with newlines in it must not have made lines of its own.
    assert not any(line in ("two", "three.wav") for line in plain)


@pytest.mark.slow
def test_the_json_of_the_command_says_the_names_as_they_are(hostile_run: Path, capfd: Any) -> None:
    run_command(["info", str(hostile_run), "--json"])
    data = json.loads(capfd.readouterr().out)
    assert data["path"] == str(hostile_run)
