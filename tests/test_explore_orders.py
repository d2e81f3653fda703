"""What a page may ask for: numbers within ranges, segments by number, a command that says the same."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylemix.errors import BadInput
from stylemix.explore.orders import Places, file_name, read_order

BETWEEN = {"kind": "between", "source": 2, "target": 5, "alpha": 0.25, "seconds": 3}
WALK = {
    "kind": "walk",
    "seconds": 4,
    "steps": [
        {"time_s": 0, "source": 1, "target": 4, "alpha": 0},
        {"time_s": 2.5, "source": 2, "target": 5, "alpha": 0.7506},
    ],
}


@pytest.fixture
def places() -> Places:
    """Two files of three segments, one of each corpus, and a third file that is gone."""
    return Places(
        Path("/runs/both.mix"),
        ["cage", "beach boys"],
        [Path("/music/one song.wav"), Path("/music/-two.wav"), None],
        [0, 1, 1],
        np.array([0, 0, 0, 1, 1, 1, 2]),
        np.array([0, 2, 4, 0, 2.00004, 4, 0]),
        np.full(7, 2.0),
        np.array([1, 1, 1, 2, 2, 0, 2]),
    )


def read(order: Any, places: Places) -> Any:
    return read_order(json.dumps(order).encode(), places)


def test_between_two_segments_is_a_stretch_of_one_and_the_surroundings_of_the_other(places: Places) -> None:
    wish = read(BETWEEN, places)
    assert wish.asked == {
        "source": "/music/one song.wav",
        "start_s": 2.0,
        "duration_s": 3.0,
        "target": "/music/-two.wav",
        "to": "beach boys",
        "target_start_s": 0.0,
        "target_duration_s": 12.0,
        "alpha": 0.25,
        "mode": "match",
        "variation": 1,
        "seed": 0,
    }
    assert wish.seconds == 3.0
    assert wish.told["order"] == BETWEEN
    assert wish.told["name"] == "one-song-two-0.25.wav"


def test_the_command_says_each_thing_once_and_survives_a_shell(places: Places) -> None:
    words = shlex.split(read({**BETWEEN, "variation": 2, "seed": 7}, places).told["command"])
    assert words[:5] == ["stylemix", "hybrid", "/runs/both.mix", "--source", "/music/one song.wav"]
    assert words[words.index("--to") + 1] == "beach boys"
    assert words[words.index("--target-duration") + 1] == "12.0"
    assert words[words.index("--variation") + 1] == "2"
    assert words[words.index("--seed") + 1] == "7"
    assert words[-2:] == ["--out", "one-song-two-0.25.wav"]


def test_a_corpus_whose_name_begins_with_a_dash_is_no_option(places: Places) -> None:
    wish = read({**BETWEEN, "mode": "style"}, replace(places, corpora=["cage", "-x"]))
    assert "--to=-x" in shlex.split(wish.told["command"])


@pytest.mark.parametrize(
    ("mode", "material", "given"),
    [
        ("match", "file", {"target", "to"}),
        ("match", "cluster", {"target_cluster", "to"}),
        ("match", "corpus", {"to"}),
        ("morph", "around", {"target", "to", "target_start_s", "target_duration_s"}),
        ("morph", "corpus", {"target", "to", "target_start_s", "target_duration_s"}),
        ("style", "around", {"to"}),
        ("cross", "around", {"target", "to"}),
    ],
)
def test_each_mode_gets_the_material_that_it_can_use(
    places: Places, mode: str, material: str, given: set[str]
) -> None:
    asked = read({**BETWEEN, "mode": mode, "material": material}, places).asked
    assert {key for key in asked if key == "to" or key.startswith("target")} == given


def test_morph_takes_as_much_of_the_target_as_of_the_source(places: Places) -> None:
    asked = read({**BETWEEN, "mode": "morph"}, places).asked
    assert (asked["target_start_s"], asked["target_duration_s"]) == (2.0, 3.0)


def test_at_the_end_of_a_recording_an_order_begins_earlier(places: Places) -> None:
    row = int(np.flatnonzero(places.file == places.file[0])[-1])
    end_s = float(places.start_s[row] + places.duration_s[row])
    asked = read({**BETWEEN, "source": row + 1, "seconds": 3}, places).asked
    assert (asked["start_s"], asked["duration_s"]) == (pytest.approx(end_s - 3, abs=1e-3), 3)
    assert read({**BETWEEN, "source": row + 1, "seconds": 100}, places).asked["start_s"] == 0


def test_clusters_go_by_the_maps_grouping_or_not_at_all(places: Places) -> None:
    order = {**BETWEEN, "material": "cluster"}
    assert read(order, replace(places, grouping={"clusters": "kmeans:3"})).asked["clusters"] == "kmeans:3"
    with pytest.raises(BadInput, match="counts clusters of its own"):
        read(order, replace(places, cluster=None))
    with pytest.raises(BadInput, match="segment 6 is in no cluster"):
        read({**order, "target": 6}, places)


def test_a_walk_is_written_as_the_command_reads_it(places: Places) -> None:
    wish = read(WALK, places)
    assert wish.asked == {"walk": "0:1-4:0,2.5:2-5:0.751", "duration_s": 4.0, "mode": "morph", "seed": 0}
    assert "--walk 0:1-4:0,2.5:2-5:0.751 --duration 4.0" in wish.told["command"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "delete"}, "kind between or walk"),
        ({"out": "/etc/passwd"}, "'out' is not known"),
        ({"source": "../../etc/passwd"}, "source: must be a whole number from 1 to 7"),
        ({"source": 0}, "from 1 to 7, got 0"),
        ({"source": 8}, "from 1 to 7, got 8"),
        ({"source": True}, "got True"),
        ({"target": 2.0}, "target: must be a whole number"),
        ({"target": 7}, "the recording of segment 7 has moved"),
        ({"alpha": 1.5}, "alpha: must be 0 to 1, got 1.5"),
        ({"alpha": None}, "alpha: must be 0 to 1, got None"),
        ({"alpha": "0:0,10:1"}, "alpha: must be 0 to 1"),
        ({"seconds": 1e9}, "seconds: must be 0.5 to 120"),
        ({"seconds": 10**400}, "seconds: must be 0.5 to 120"),
        ({"mode": "rm -rf"}, "mode: must be one of match, morph, style, cross, fade"),
        ({"mode": ["match"]}, "mode: must be one of"),
        ({"variation": 51}, "variation: must be a whole number from 1 to 50"),
        ({"seed": -1}, "seed: must be a whole number from 0"),
        ({"material": "everything"}, "material: must be one of"),
    ],
)
def test_what_is_no_order_is_refused_in_one_line(places: Places, change: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message) as refusal:
        read({**BETWEEN, **change}, places)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "list of 1 to 400"),
        ("0:1-4:0", "list of 1 to 400"),
        ([WALK["steps"][1]], "must begin at 0"),  # type: ignore[index]
        ([WALK["steps"][0]] * 2, "must begin at 0 and grow"),  # type: ignore[index]
        ([{**WALK["steps"][0], "time_s": 4.0}], "must begin at 0 and grow up to 4 s"),  # type: ignore[index]
        ([{"time_s": 0}], "each must have"),
        ([{**WALK["steps"][0], "source": 9}], "source: must be a whole number"),  # type: ignore[index]
        ([WALK["steps"][0]] * 401, "list of 1 to 400"),  # type: ignore[index]
    ],
)
def test_what_is_no_path_is_refused(places: Places, steps: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read({**WALK, "steps": steps}, places)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 60_000, b'{"kind": "between", "alpha": NaN}', b"[]", b"7", b"null"]
)
def test_what_is_no_json_is_refused(places: Places, body: bytes) -> None:
    with pytest.raises(BadInput, match="order: must be"):
        read_order(body, places)


def test_names_of_files_hold_nothing_that_leads_elsewhere() -> None:
    assert file_name("/etc/passwd\x00\n") == "etc-passwd"
    assert file_name("..\\..\\x") == "x"
    assert len(file_name("ü" * 300)) == 60
    assert file_name("<img src=x onerror=alert(1)>") == "img-src-x-onerror-alert-1"
