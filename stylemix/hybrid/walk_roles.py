"""The parents of a walk: two tracks of the run's own recordings, and the corpora they are taken as."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylemix.audio import probe, shown_name
from stylemix.errors import BadInput
from stylemix.hybrid.roles import Roles
from stylemix.hybrid.track import Cut, Track
from stylemix.hybrid.walk import Walk
from stylemix.hybrid.wishes import nothing_to_do

if TYPE_CHECKING:
    from stylemix.clusters.spaces import Segments
    from stylemix.model.run import Run

# A recording that ends so little before its turn does is not heard again for it, which would stutter: segments are a
# little longer or shorter than the steps of a walk in whole seconds.
LEAST_AGAIN_S = 0.25


def walk_roles(run: Run, walk: Walk, *, mode: str, duration_s: float | None = None) -> Roles:
    """Lay the recordings that a walk passes on two tracks.

    From the time of a step on, the file of its segment is heard from the segment's beginning. It simply goes on where
    the next step names the same segment, or one that the track is in or about to reach within a segment's length; so a
    walk along the segments of a file plays that file without a cut. A file that ends before the next step is heard
    again from the segment on; where it lacks less than a quarter of a second it begins that much earlier instead.

    Parameters
    ----------
    run : Run
        The trained model.
    walk : Walk
        Numbers of segments as on the map.
    mode : str
        What is going to be done.
    duration_s : float, optional
        When the walk ends (seconds); by default its last step is as long as the segment of its source.

    Returns
    -------
    Roles
        A track as the source, another as the only target. The corpora are those which most of each is of.

    Raises
    ------
    BadInput
        If there is no such segment, a recording is gone, or the mode would change nothing.
    StylemixError
        If the training did not finish.
    """
    from stylemix.clusters.segments import segments_of

    segments = segments_of(run)
    sides = {"source": [step.source - 1 for step in walk.steps], "target": [step.target - 1 for step in walk.steps]}
    for name, rows in sides.items():
        _check_rows(rows, len(segments.file), name)
    end_s = duration_s or walk.steps[-1].time_s + _lasts_s(run, segments, walk.steps[-1].source - 1)
    times = [step.time_s for step in walk.steps if step.time_s < end_s] + [end_s]
    warnings: list[str] = []
    tracks, corpora = [], []
    for name, rows in sides.items():
        tracks.append(_track(run, segments, rows[: len(times) - 1], times, name, warnings))
        corpora.append(_corpus(run, tracks[-1], name, warnings))
    own, other = corpora
    if mode == "style" and own == other:
        raise nothing_to_do(run, "the walk's source", own)
    source, target = tracks
    return Roles(source, None, own, other, {-1: target}, tuple(warnings), corpus_of={-1: other})


def _lasts_s(run: Run, segments: Segments, row: int) -> float:
    # The last latent step of a file reaches beyond its end.
    left_s = run.files[int(segments.file[row])].seconds - float(segments.start_s[row])
    return min(float(segments.duration_s[row]), left_s)


def _check_rows(rows: Sequence[int], n: int, side: str) -> None:
    for number, row in enumerate(rows, 1):
        if row >= n:
            raise BadInput(
                f"walk: the {side} of step {number} must be a segment from 1 to {n} of this run, got {row + 1}; the "
                "map shows the number of each"
            )


def _track(
    run: Run, segments: Segments, rows: Sequence[int], times: Sequence[float], side: str, warnings: list[str]
) -> Track:
    paths = {index: run.file_path(index) for index in dict.fromkeys(segments.file[list(rows)].tolist())}
    infos = [probe(path) for path in paths.values()]
    cuts: list[Cut] = []
    for i, row in enumerate(rows):
        begin, end = times[i], times[i + 1]
        if cuts and _goes_on(segments, cuts[-1], rows[i - 1], row, begin):
            # The stretch before is laid anew, as far as this step reaches.
            before = cuts.pop()
            begin, start_s = before.at_s, before.start_s
        else:
            start_s = float(segments.start_s[row])
        file = int(segments.file[row])
        within_s = (start_s, float(segments.start_s[row]), run.files[file].seconds)
        if _lay(cuts, paths[file], file, within_s, begin, end):
            name = shown_name(paths[file].name)
            warnings.append(f"walk: the {side} {name} ends before step {i + 2}; segment {row + 1} is heard again")
    return Track(tuple(cuts), max(info.sample_rate for info in infos), max(info.n_channels for info in infos))


def _goes_on(segments: Segments, before: Cut, row_before: int, row: int, time_s: float) -> bool:
    if row == row_before:
        return True
    if segments.file[row] != before.file:
        return False
    playhead_s = before.start_s + time_s - before.at_s
    # Steps drawn by hand come a little early or late: what is off by less than a segment is no wish for a cut.
    return abs(playhead_s - float(segments.start_s[row])) <= float(segments.duration_s[row])


def _lay(
    cuts: list[Cut], path: Path, file: int, within_s: tuple[float, float, float], begin: float, end: float
) -> bool:
    """Lay a recording from `begin` to `end`, from its first to its third second given, and again from the second."""
    start_s, again_s, ends_s = within_s
    repeated = False
    lacking_s = end - begin - (ends_s - start_s)
    if 0 < lacking_s <= LEAST_AGAIN_S and start_s == again_s:
        start_s = max(0.0, start_s - lacking_s)
    while end - begin - (ends_s - start_s) > LEAST_AGAIN_S:
        cuts.append(Cut(path, file, start_s, begin, begin + ends_s - start_s))
        begin += ends_s - start_s
        start_s, repeated = again_s, True
    cuts.append(Cut(path, file, start_s, begin, end))
    return repeated


def _corpus(run: Run, track: Track, side: str, warnings: list[str]) -> int:
    """The corpus of most of a track; told where there are others."""
    seconds = np.zeros(len(run.corpora))
    for cut in track.cuts:
        seconds[run.files[cut.file].corpus] += cut.end_s - cut.at_s
    most = int(seconds.argmax())
    if np.count_nonzero(seconds) > 1:
        warnings.append(f"walk: the {side} passes several corpora and is taken as {shown_name(run.corpora[most])}")
    return most
