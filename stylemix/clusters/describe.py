"""What every segment of a run is like to the ear, measured on the recordings and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stylemix.audio import AudioReader
from stylemix.cache import ArrayCache, cache_key
from stylemix.clusters.acoustics import HOP, MARGIN, RATE_HZ, measure_segments
from stylemix.clusters.spaces import Segments
from stylemix.errors import BadInput

# Version of the numbers: changed whenever the same sound would give others.
_VERSION = 1
# Read at a time: enough that the margins cost little, and 30 MB of spectra.
_BLOCK_S = 60.0


@dataclass(frozen=True)
class Descriptor:
    """How a descriptor is shown.

    Parameters
    ----------
    label : str
        Its name for people.
    unit : str
        Of its values.
    scale : {"linear", "log"}
        On which equal steps sound equal.
    """

    label: str
    unit: str
    scale: str


DESCRIPTORS: Mapping[str, Descriptor] = {
    "loudness": Descriptor("Loudness", "LUFS", "linear"),
    "pitch": Descriptor("Pitch (strongest fundamental)", "Hz", "log"),
    "brightness": Descriptor("Brightness (spectral centroid)", "Hz", "log"),
    "noisiness": Descriptor("Noisiness (spectral flatness: 0 tones, 1 noise)", "", "linear"),
    "density": Descriptor("Onsets", "per second", "linear"),
}


@dataclass(frozen=True)
class Described:
    """What segments are like to the ear; NaN where it cannot be said, or the recording is gone.

    Parameters
    ----------
    loudness : np.ndarray, shape (N,)
        Without gates, in LUFS (ITU-R BS.1770): decibels weighted as the ear does; -100 for silence.
    pitch : np.ndarray, shape (N,)
        The fundamental that is heard most (Hz); NaN for noise.
    brightness : np.ndarray, shape (N,)
        Centroid of the magnitude spectrum up to 11 kHz (Hz).
    noisiness : np.ndarray, shape (N,)
        Spectral flatness in thirds of an octave, 0 for tones and 1 for white noise.
    density : np.ndarray, shape (N,)
        Onsets a second.
    """

    loudness: np.ndarray
    pitch: np.ndarray
    brightness: np.ndarray
    noisiness: np.ndarray
    density: np.ndarray

    def columns(self) -> dict[str, np.ndarray]:
        """List the descriptors by the names of `DESCRIPTORS`.

        Returns
        -------
        dict of str to np.ndarray, shape (N,)
            In that order.
        """
        return {name: getattr(self, name) for name in DESCRIPTORS}


def describe_segments(
    paths: Sequence[Path | None],
    hashes: Sequence[str],
    segments: Segments,
    update: Callable[[float], None] = lambda share: None,
    *,
    cache: ArrayCache | None = None,
) -> Described:
    """Measure what the segments of a run are like to the ear.

    Parameters
    ----------
    paths : sequence of Path or None
        The recordings; None for one that has moved or changed.
    hashes : sequence of str
        Hash of the content of each.
    segments : Segments
        N of them.
    update : callable
        ``update(share)`` hears how far it is, 0 to 1.
    cache : ArrayCache, optional
        Where results are kept; by default the user's own.

    Returns
    -------
    Described
        NaN for segments of a file that is gone, or that cannot be decoded any more.
    """
    rows = np.full((len(segments.file), len(DESCRIPTORS)), np.nan)
    for index, (path, sha256) in enumerate(zip(paths, hashes, strict=True)):
        mine = segments.file == index
        if path is not None and mine.any():
            rows[mine] = _of_file(path, sha256, segments.start_s[mine], segments.duration_s[mine], cache)
        update((index + 1) / len(paths))
    return Described(*rows.T)


def _of_file(
    path: Path, sha256: str, start_s: np.ndarray, duration_s: np.ndarray, cache: ArrayCache | None
) -> np.ndarray:
    # In samples, not seconds: floats that differ in the last bit are the same segment.
    cache = cache or ArrayCache()
    starts, lengths = ([round(float(s) * RATE_HZ) for s in of] for of in (start_s, duration_s))
    key = cache_key(sha256, {"describe": _VERSION, "start": starts, "length": lengths})
    if found := cache.get(key):
        return np.array(found["rows"])
    try:
        rows = _measure_file(path, [(a, a + max(1, n)) for a, n in zip(starts, lengths, strict=True)])
    except BadInput:
        # Gone since it was looked for: the map goes without its colours, as it goes without its sound.
        return np.full((len(starts), len(DESCRIPTORS)), np.nan)
    cache.put(key, {"rows": rows})
    return rows


def _measure_file(path: Path, edges: Sequence[tuple[int, int]]) -> np.ndarray:
    rows = []
    with AudioReader(path, sample_rate=RATE_HZ) as reader:
        for block in _blocks(edges):
            # On one grid of frames for the whole file, so that no number depends on where a block begins.
            begin, end = (block[0][0] - MARGIN) // HOP * HOP, block[-1][1] + MARGIN
            samples = reader.read(begin, end)
            # A last step may reach beyond the end of the file: its silence is not the segment's.
            inside = [(a, max(a + 1, min(b, reader.n_samples))) for a, b in block]
            rows.append(measure_segments(samples, [(a - begin, b - begin) for a, b in inside]))
    return np.concatenate(rows)


def _blocks(edges: Sequence[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Gather segments that follow one another into blocks of about a minute."""
    block: list[tuple[int, int]] = []
    for first, last in edges:
        if block and (first < block[-1][0] or last - block[0][0] > _BLOCK_S * RATE_HZ):
            yield block
            block = []
        block.append((first, last))
    if block:
        yield block
