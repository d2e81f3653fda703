"""What is measured: stretches of recordings, and the corpora described segment by segment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylemix.arrays import Wave
from stylemix.errors import StylemixError
from stylemix.measure.cepstra import cepstral_features
from stylemix.measure.timbre import timbre_descriptors
from stylemix.model.split import parts_s
from stylemix.style import style_features

if TYPE_CHECKING:
    from stylemix.model.run import Run

SEGMENT_S = 3.0
# Of a corpus; evenly spread over its files, so that hours of material take no longer than minutes.
MOST_SEGMENTS = 240
# A segment this far below the loudest is silent.
SILENT_DB = -50.0
# Two ways to judge style, of different kinds, and the descriptors of timbre.
DESCRIPTIONS: dict[str, Callable[[Wave], np.ndarray]] = {
    "scattering": style_features,
    "cepstra": cepstral_features,
    "timbre": timbre_descriptors,
}


@dataclass(frozen=True)
class Stretch:
    """Some seconds of a file of the run.

    Parameters
    ----------
    index : int
        Its place among the run's files.
    path : Path
        The file.
    corpus : int
        Which corpus it belongs to.
    start_s, duration_s : float
        Which part (seconds).
    held_out : bool
        Whether the model never heard it.
    """

    index: int
    path: Path
    corpus: int
    start_s: float
    duration_s: float
    held_out: bool


def parts_of(run: Run, corpus: int, *, held_out: bool) -> dict[int, tuple[float, float]]:
    """Say which seconds of a corpus' files the model has heard, or has not.

    Parameters
    ----------
    run : Run
        The trained model.
    corpus : int
        Which corpus.
    held_out : bool
        What it has not heard: whole files, and the end of a divided one; else what it was trained on.

    Returns
    -------
    dict of int to (float, float)
        Start and stop (seconds) by the file's place in the run; files with nothing of the kind are missing.
    """
    share = run.recipe.training.held_out
    found = {}
    for i, file in enumerate(run.files):
        if file.corpus == corpus:
            part = parts_s(file.seconds, file.split, held_out=share)[held_out]
            if part is not None:
                found[i] = part
    return found


def choose_stretches(run: Run, corpus: int, *, n_wanted: int, seconds: float) -> list[Stretch]:
    """Choose what to measure on: the middles of what is held out of files, of training files where nothing is.

    Parameters
    ----------
    run : Run
        The trained model.
    corpus : int
        Which corpus.
    n_wanted : int
        Stretches; there are fewer when there are fewer files. A single long file gives them all.
    seconds : float
        Length of each at most.

    Returns
    -------
    list of Stretch
        The same for the same run.

    Raises
    ------
    StylemixError
        If none of the corpus' files is there any more.
    """
    held_out = parts_of(run, corpus, held_out=True)
    parts = held_out or parts_of(run, corpus, held_out=False)
    there = _there(run, list(parts))[:n_wanted]
    places = [(file, 0.5) for file in there]
    if len(there) == 1:
        start, stop = parts[there[0][0]]
        if stop - start >= 2 * n_wanted * seconds:
            places = [(there[0], (k + 1) / (n_wanted + 1)) for k in range(n_wanted)]
    return [
        Stretch(i, path, corpus, *stretch_within(parts[i], place, seconds), bool(held_out))
        for (i, path), place in places
    ]


def stretch_within(part: tuple[float, float], place: float, seconds: float) -> tuple[float, float]:
    """Place a stretch in a part of a file.

    Parameters
    ----------
    part : (float, float)
        Start and stop (seconds).
    place : float
        Of the stretch's middle, 0 to 1 of the part.
    seconds : float
        Its length at most.

    Returns
    -------
    start_s, duration_s : float
        Never beyond the part.

    Examples
    --------
    >>> stretch_within((40.0, 60.0), 0.5, 8.0), stretch_within((40.0, 60.0), 0.9, 30.0)
    ((46.0, 8.0), (40.0, 20.0))
    """
    start, stop = part
    seconds = min(seconds, stop - start)
    return min(max(start, start + place * (stop - start) - seconds / 2), stop - seconds), seconds


@dataclass(frozen=True)
class Described:
    """Segments of sounds, described in every way.

    Parameters
    ----------
    rows : dict of str to np.ndarray, shape (S, F)
        By the names in `DESCRIPTIONS`.
    recordings : np.ndarray, shape (S,), int
        The recording of each segment.
    """

    rows: dict[str, np.ndarray]
    recordings: np.ndarray

    def __len__(self) -> int:
        return len(self.recordings)


def describe_corpus(
    run: Run,
    corpus: int,
    *,
    names: Sequence[str] = tuple(DESCRIPTIONS),
    report: Callable[[float], None] = lambda done: None,
) -> Described:
    """Describe a corpus by what was trained on: whole files, and what is not the held-out end of a divided one.

    Parameters
    ----------
    run : Run
        The trained model.
    corpus : int
        Which corpus.
    names : sequence of str
        Which of `DESCRIPTIONS`.
    report : callable
        ``report(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    Described
        Segments of three seconds; recordings by their place among the run's files.

    Raises
    ------
    StylemixError
        If none of the files is there any more.
    """
    from stylemix.audio import AudioReader

    parts = parts_of(run, corpus, held_out=False) or parts_of(run, corpus, held_out=True)
    paths = _there(run, list(parts))
    paths = [paths[k] for k in np.unique(np.linspace(0, len(paths) - 1, MOST_SEGMENTS).round().astype(int))]
    segments: list[Wave] = []
    files: list[int] = []
    for done, (i, path) in enumerate(paths):
        with AudioReader(path) as reader:
            length = round(SEGMENT_S * reader.sample_rate)
            first, end = (min(round(s * reader.sample_rate), reader.n_samples) for s in parts[i])
            starts = _starts(first, end, length, most=max(1, MOST_SEGMENTS // len(paths)))
            found = [Wave(reader.read(start, min(start + length, end)), reader.sample_rate) for start in starts]
        heard = _heard(found)
        segments += heard
        files += [i] * len(heard)
        report((done + 1) / len(paths) / 2)
    return _describe(segments, np.array(files, dtype=int), names, lambda share: report(0.5 + share / 2))


def describe_waves(waves: Sequence[Wave], *, names: Sequence[str] = tuple(DESCRIPTIONS)) -> Described:
    """Describe sounds, by segments that overlap by half so that a short one has several.

    Parameters
    ----------
    waves : sequence of Wave
        Any lengths; one shorter than a segment counts as one.
    names : sequence of str
        Which of `DESCRIPTIONS`.

    Returns
    -------
    Described
        Recordings by their place in `waves`; silence has no segment.
    """
    segments: list[Wave] = []
    places: list[int] = []
    for place, wave in enumerate(waves):
        mono = wave.mono()
        length = min(mono.n_samples, max(1, round(SEGMENT_S * wave.sample_rate)))
        starts = range(0, mono.n_samples - length + 1, max(1, length // 2)) if length else ()
        heard = _heard([Wave(mono.samples[:, start : start + length], wave.sample_rate) for start in starts])
        segments += heard
        places += [place] * len(heard)
    return _describe(segments, np.array(places, dtype=int), names, lambda share: None)


def _describe(
    segments: list[Wave], recordings: np.ndarray, names: Sequence[str], report: Callable[[float], None]
) -> Described:
    rows: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for n, segment in enumerate(segments):
        for name in names:
            rows[name].append(DESCRIPTIONS[name](segment))
        report((n + 1) / len(segments))
    return Described({name: np.array(found) for name, found in rows.items()}, recordings)


def _heard(segments: list[Wave]) -> list[Wave]:
    power = [float(np.mean(np.square(one.samples.mean(axis=0), dtype=np.float64))) for one in segments]
    least = 10 ** (SILENT_DB / 10) * max(power, default=0.0)
    return [one for one, p in zip(segments, power, strict=True) if p > least]


def _there(run: Run, wanted: list[int]) -> list[tuple[int, Path]]:
    """Keep the files that are still where they were, by their place in the run."""
    found, problem = [], None
    for i in wanted:
        try:
            found.append((i, run.file_path(i)))
        except StylemixError as error:
            problem = error
    if not found and problem is not None:
        raise problem
    return found


def _starts(first: int, end: int, length: int, *, most: int) -> list[int]:
    n = min(most, max(1, (end - first) // length))
    return np.linspace(first, max(first, end - length), n).round().astype(int).tolist()
