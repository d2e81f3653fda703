"""What a page asks for, checked: numbers of segments become files of the run, and a command that makes the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.explore.given import number, one_of, read_json, shown, whole
from stylemix.hybrid.command import hybrid_command

if TYPE_CHECKING:
    from stylemix.model.run import Run

MODES = ("match", "morph", "style", "cross", "fade")
WALK_MODES = ("morph", "match", "style", "cross", "fade")
MATERIALS = ("around", "file", "cluster", "corpus")
AROUND_S = 12.0
"""How much of a file around a segment is its neighbourhood: six segments, enough for a search to have a choice."""
SHORTEST_S, LONGEST_S = 0.5, 120.0
MOST_STEPS = 400
_MOST_VARIATIONS, _MOST_SEED, _LONGEST_NAME = 50, 2**31 - 1, 60
_BETWEEN = ("kind", "source", "target", "alpha", "mode", "material", "seconds", "variation", "seed")
_WALK = ("kind", "steps", "mode", "seconds", "seed")


@dataclass(frozen=True)
class Places:
    """The segments of a run: all that a page may name.

    Parameters
    ----------
    run : Path
        The run's folder, absolute.
    corpora : sequence of str
        Names.
    paths : sequence of Path or None
        The recordings; None for one that is gone.
    file_corpus : sequence of int
        Corpus of each.
    file : np.ndarray, shape (N,), int
        File of each segment.
    start_s, duration_s : np.ndarray, shape (N,)
        Where in it (seconds).
    cluster : np.ndarray or None, shape (N,), int
        Number of each segment's cluster as the command `hybrid` counts them, 0 for none; None where the map counts
        in another way.
    grouping : mapping
        What says how those clusters were made, as for the command: space, clusters; nothing by default.
    """

    run: Path
    corpora: Sequence[str]
    paths: Sequence[Path | None]
    file_corpus: Sequence[int]
    file: np.ndarray
    start_s: np.ndarray
    duration_s: np.ndarray
    cluster: np.ndarray | None = None
    grouping: Mapping[str, Any] = field(default_factory=dict)

    def segment(self, name: str, value: Any) -> int:
        """Find a segment and see that its recording is there.

        Parameters
        ----------
        name : str
            What it is to be, for messages.
        value : object
            Its number, from 1.

        Returns
        -------
        int
            Its row.

        Raises
        ------
        BadInput
            If there is none of that number, or its file is gone.
        """
        row = whole(name, value, 1, len(self.file)) - 1
        if self.paths[self.file[row]] is None:
            raise BadInput(f"{name}: the recording of segment {value} has moved or is gone; choose another segment")
        return row

    def path(self, row: int) -> Path:
        """Return the recording of a segment that was found.

        Parameters
        ----------
        row : int
            Of the segment.

        Returns
        -------
        Path
            Absolute.
        """
        path = self.paths[self.file[row]]
        if path is None:
            raise BadInput(f"segment {row + 1}: its recording is gone; choose another segment")
        return path


@dataclass(frozen=True)
class Wish:
    """A hybrid that a page asked for, checked.

    Parameters
    ----------
    asked : dict
        As for `stylemix.hybrid.render.hybrid`; JSON-safe.
    seconds : float
        How long it will be (seconds), at most.
    pace : str
        Wishes of the same take about as long for a second of sound.
    told : dict
        JSON-safe, for the page: order, label, name (of the file) and command.
    """

    asked: dict[str, Any]
    seconds: float
    pace: str
    told: dict[str, Any]


def places_of(run: Run, cluster: np.ndarray | None = None, grouping: Mapping[str, Any] | None = None) -> Places:
    """Find out what a page of a run may name.

    Parameters
    ----------
    run : Run
        A finished run.
    cluster : np.ndarray, shape (N,), int, optional
        See `Places`.
    grouping : mapping, optional
        See `Places`.

    Returns
    -------
    Places
        Its segments and recordings.
    """
    from stylemix.clusters.segments import segments_of

    segments = segments_of(run)
    paths: list[Path | None] = []
    for index in range(len(run.files)):
        try:
            paths.append(run.file_path(index).absolute())
        except BadInput:
            paths.append(None)
    return Places(
        run.path.absolute(), run.corpora, paths, [file.corpus for file in run.files], segments.file,
        segments.start_s, segments.duration_s, cluster, grouping or {},
    )  # fmt: skip


def read_order(body: bytes, places: Places) -> Wish:
    """Read what a page sent.

    Parameters
    ----------
    body : bytes
        JSON: an object with ``kind`` "between" or "walk".
    places : Places
        What it may name.

    Returns
    -------
    Wish
        Checked but for what only the renderer can say.

    Raises
    ------
    BadInput
        If it is no order.

    Examples
    --------
    >>> places = Places(Path("/a.mix"), ["cage"], [Path("/a.wav")], [0], np.array([0]), np.zeros(1), np.ones(1))
    >>> order = b'{"kind": "between", "source": 1, "target": 1, "alpha": 0.5, "seconds": 2}'
    >>> read_order(order, places).told["label"]
    'a 1 → a 1, alpha 0.5, match'
    """
    order = read_json(body)
    if not isinstance(order, dict) or order.get("kind") not in ("between", "walk"):
        raise BadInput("order: must be an object of the kind between or walk; reload the page")
    known = _BETWEEN if order["kind"] == "between" else _WALK
    if strange := [key for key in order if key not in known]:
        raise BadInput(f"order: {shown(strange[0])} is not known; there are {', '.join(known)}")
    return _between(order, places) if order["kind"] == "between" else _walk(order, places)


def _between(order: dict[str, Any], places: Places) -> Wish:
    source, target = places.segment("source", order.get("source")), places.segment("target", order.get("target"))
    alpha = round(number("alpha", order.get("alpha"), 0.0, 1.0), 3)
    mode = one_of("mode", order.get("mode", "match"), MODES)
    material = one_of("material", order.get("material", "around"), MATERIALS)
    seconds = round(number("seconds", order.get("seconds"), SHORTEST_S, LONGEST_S), 3)
    variation = whole("variation", order.get("variation", 1), 1, _MOST_VARIATIONS)
    asked = {
        "source": str(places.path(source)), "start_s": _start(places, source, seconds), "duration_s": seconds,
        **_material(places, target, mode, material, seconds), "alpha": alpha, "mode": mode,
        "variation": variation, "seed": _seed(order),
    }  # fmt: skip
    stems = [shown_name(places.path(row).stem) for row in (source, target)]
    ends = " → ".join(f"{stem} {row + 1}" for stem, row in zip(stems, (source, target), strict=True))
    label = f"{ends}, alpha {alpha:g}, {mode}" + f", variation {variation}" * (variation > 1)
    return _wish(order, places, asked, seconds, mode, label, f"{stems[0]} {stems[1]} {alpha:g}")


def _material(places: Places, row: int, mode: str, material: str, seconds: float) -> dict[str, Any]:
    """Choose what of the target is used, as far as the mode lets one choose."""
    name = places.corpora[places.file_corpus[places.file[row]]]
    if mode == "style" or (material == "corpus" and mode != "morph"):
        return {"to": name}
    if material == "cluster" and mode != "morph":
        if places.cluster is None:
            raise BadInput("material: this map counts clusters of its own; choose around, file or corpus")
        if places.cluster[row] < 1:
            raise BadInput(f"material: segment {row + 1} is in no cluster; choose around, file or corpus")
        return {"to": name, "target_cluster": int(places.cluster[row]), **places.grouping}
    given: dict[str, Any] = {"target": str(places.path(row)), "to": name}
    if material == "file" or mode == "cross":
        return given
    if mode == "morph":
        # One stretch as long as the other keeps the target's tempo.
        return {**given, "target_start_s": _start(places, row, seconds), "target_duration_s": seconds}
    middle = places.start_s[row] + places.duration_s[row] / 2
    start = round(max(0.0, float(middle) - AROUND_S / 2), 3)
    return {**given, "target_start_s": start, "target_duration_s": AROUND_S}


def _walk(order: dict[str, Any], places: Places) -> Wish:
    steps = order.get("steps")
    if not isinstance(steps, list) or not 1 <= len(steps) <= MOST_STEPS:
        raise BadInput(f"steps: must be a list of 1 to {MOST_STEPS}; draw a shorter path")
    mode = one_of("mode", order.get("mode", "morph"), WALK_MODES)
    seconds = round(number("seconds", order.get("seconds"), SHORTEST_S, LONGEST_S), 3)
    words: list[str] = []
    last_s = -1.0
    for step in steps:
        if not isinstance(step, dict) or set(step) != {"time_s", "source", "target", "alpha"}:
            raise BadInput("steps: each must have time_s, source, target and alpha; reload the page")
        time_s = round(number("time_s", step["time_s"], 0.0, seconds), 3)
        if not last_s < time_s < seconds or (not words and time_s != 0):
            raise BadInput(f"steps: times must begin at 0 and grow up to {seconds:g} s, got {time_s:g} s")
        source, target = (places.segment(name, step[name]) + 1 for name in ("source", "target"))
        words.append(f"{time_s:g}:{source}-{target}:{round(number('alpha', step['alpha'], 0.0, 1.0), 3):g}")
        last_s = time_s
    asked = {"walk": ",".join(words), "duration_s": seconds, "mode": mode, "seed": _seed(order)}
    label = f"path of {len(steps)} points, {seconds:g} s, {mode}"
    return _wish(order, places, asked, seconds, f"walk {mode}", label, f"path {seconds:g} s {mode}")


def _wish(
    order: dict[str, Any], places: Places, asked: dict[str, Any], seconds: float, pace: str, label: str, name: str
) -> Wish:
    out = f"{file_name(name)}.wav"
    command = hybrid_command(places.run, asked, out=out)
    return Wish(asked, seconds, pace, {"order": order, "label": label, "name": out, "command": command})


def file_name(text: str) -> str:
    """Make a name that every system takes for a file of the folder it is saved in.

    Parameters
    ----------
    text : str
        Made of names of files.

    Returns
    -------
    str
        Letters, digits and a few signs of any script; at most 60, and at least one.

    Examples
    --------
    >>> file_name("../a <b> \u202e c.0.5"), file_name("...")
    ('a-b-c.0.5', 'hybrid')
    """
    kept = "".join(c if c.isalnum() or c in "._" else " " for c in text)
    return "-".join(kept.split())[:_LONGEST_NAME].strip(".-") or "hybrid"


def _start(places: Places, row: int, seconds: float) -> float:
    # At the end of a recording there is less than was asked for: it begins that much earlier.
    ends_s = (places.start_s + places.duration_s)[places.file == places.file[row]]
    return round(max(0.0, min(float(places.start_s[row]), float(ends_s.max()) - seconds)), 3)


def _seed(order: Mapping[str, Any]) -> int:
    return whole("seed", order.get("seed", 0), 0, _MOST_SEED)
