"""The sounds that are measured: excerpts of files, spread over each, none of them silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stylemix.audio import AudioReader, shown_name
from stylemix.errors import BadInput
from stylemix.measure.properties.deformations import prepared

EXCERPT_S = 2.0
FADE_S = 0.1
# On each side: twice the scatterings' averaging, and room for the largest shift (0.19 s) and transposition (0.12 s).
SILENCE_S = 0.4
MOST_FILES = 12
MOST_EXCERPTS = 12
MOST_OF_A_FILE = 6
# An excerpt sounds if it is at most so far below the file's loudest one, and above the absolute level.
RANGE_DB = 40.0
QUIET_DB = -70.0


@dataclass(frozen=True)
class Excerpt:
    """A stretch of a file, ready to be deformed.

    Parameters
    ----------
    name : str
        Of the file, for people.
    file : int
        Which of the files.
    start_s : float
        Where in the file it begins.
    sound : np.ndarray, shape (T,)
        From `stylemix.measure.properties.deformations.prepared`.
    """

    name: str
    file: int
    start_s: float
    sound: np.ndarray


def sound_files(paths: Sequence[str | Path]) -> list[Path]:
    """List the files that are meant: each file itself, and of a folder everything in it that is long enough.

    Parameters
    ----------
    paths : sequence of paths
        Files and folders.

    Returns
    -------
    list of Path
        Each once, in order.

    Raises
    ------
    BadInput
        If a folder holds no sound that is long enough.
    """
    from stylemix.corpus import scan

    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if not path.is_dir():
            found[path] = None
            continue
        usable = [file.path for file in scan(path).files if file.usable_s >= EXCERPT_S]
        if not usable:
            raise BadInput(
                f"{shown_name(path)}: holds no file with {EXCERPT_S:g} s of sound; `stylemix inspect` says why"
            )
        found |= dict.fromkeys(usable)
    return list(found)


def choose_files(files: Sequence[Path], most: int = MOST_FILES) -> list[Path]:
    """Take so many of many files, evenly.

    Parameters
    ----------
    files : sequence of Path
        All.
    most : int
        How many can be measured in bounded time.

    Returns
    -------
    list of Path
        In order.

    Examples
    --------
    >>> choose_files([Path(c) for c in "abcdef"], 3)
    [PosixPath('a'), PosixPath('c'), PosixPath('f')]
    """
    if len(files) <= most:
        return list(files)
    return [files[round(i)] for i in np.linspace(0, len(files) - 1, most)]


def read_excerpts(
    files: Sequence[Path], *, sample_rate: int, most: int = MOST_EXCERPTS, report: Callable[[float], None] | None = None
) -> list[Excerpt]:
    """Read excerpts that sound, as many of each file and spread over it.

    Parameters
    ----------
    files : sequence of Path
        At least one.
    sample_rate : int
        Hz.
    most : int
        How many in all, at least one a file.
    report : callable, optional
        Told the share that is done.

    Returns
    -------
    list of Excerpt
        File by file.

    Raises
    ------
    BadInput
        If a file cannot be read, is shorter than an excerpt or is silent.
    """
    wanted = int(np.clip(most // len(files), 1, MOST_OF_A_FILE))
    found = []
    for index, path in enumerate(files):
        for start_s, samples in _of_file(path, wanted, sample_rate):
            found.append(Excerpt(shown_name(path.name), index, start_s, _prepare(samples, sample_rate)))
        if report is not None:
            report((index + 1) / len(files))
    return found


def starter_excerpts(
    *, sample_rate: int, pieces: int = 2, most: int = 8, report: Callable[[float], None] | None = None
) -> list[Excerpt]:
    """Compose and synthesise sounds where none were given: pieces of both starter corpora.

    Parameters
    ----------
    sample_rate : int
        Hz.
    pieces : int
        Of each corpus.
    most : int
        Excerpts in all.
    report : callable, optional
        Told the share that is done.

    Returns
    -------
    list of Excerpt
        Piece by piece.
    """
    import soxr

    from stylemix.starter import SAMPLE_RATE, starter_pieces

    chosen = [piece for corpus in starter_pieces().values() for piece in list(corpus.items())[:pieces]]
    found = []
    for index, (title, (_, render)) in enumerate(chosen):
        sound = soxr.resample(render().mean(axis=0).astype(np.float64), SAMPLE_RATE, sample_rate)

        def read(start: int, stop: int, sound: np.ndarray = sound) -> np.ndarray:
            return sound[start:stop]

        for start_s, samples in _spread(read, len(sound), most // len(chosen), sample_rate, title):
            found.append(Excerpt(title, index, start_s, _prepare(samples, sample_rate)))
        if report is not None:
            report((index + 1) / len(chosen))
    return found


def _prepare(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    return prepared(samples, fade=round(FADE_S * sample_rate), silence=round(SILENCE_S * sample_rate))


def _of_file(path: Path, wanted: int, sample_rate: int) -> Iterator[tuple[float, np.ndarray]]:
    with AudioReader(path, sample_rate=sample_rate) as reader:

        def read(start: int, stop: int) -> np.ndarray:
            return reader.read(start, stop).mean(axis=0)

        yield from _spread(read, reader.n_samples, wanted, sample_rate, shown_name(path))


def _spread(
    read: Callable[[int, int], np.ndarray], n_samples: int, wanted: int, sample_rate: int, name: str
) -> Iterator[tuple[float, np.ndarray]]:
    length = round(EXCERPT_S * sample_rate)
    if n_samples < length:
        raise BadInput(
            f"{name}: must last at least {EXCERPT_S:g} s, got {n_samples / sample_rate:.2f} s; give a longer sound"
        )
    # Three candidates for each that is wanted, none overlapping; of those that sound, an even choice.
    n = min(3 * wanted, n_samples // length)
    candidates = []
    for start in np.linspace(0, n_samples - length, n + 2)[1:-1].astype(int) if n > 1 else [(n_samples - length) // 2]:
        samples = read(int(start), int(start) + length)
        candidates.append((int(start) / sample_rate, samples, _level_db(samples)))
    loudest = max(level for _, _, level in candidates)
    if loudest < QUIET_DB:
        raise BadInput(f"{name}: is silent where it was listened to; give a sound above {QUIET_DB:g} dBFS")
    least = max(QUIET_DB, loudest - RANGE_DB)
    sounding = [(start_s, samples) for start_s, samples, level in candidates if level >= least]
    for i in np.unique(np.linspace(0, len(sounding) - 1, min(wanted, len(sounding))).round().astype(int)):
        yield sounding[i]


def _level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-20))
