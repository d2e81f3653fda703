"""Reading tracks and recordings alike: any stretch, at any rate, always the same samples."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import TracebackType

import numpy as np

from stylemix.audio import AudioReader
from stylemix.hybrid.splice import fade_weights, fit_channels
from stylemix.hybrid.track import Sound, Track

# Two stretches are crossfaded over as much, or over half of the shorter one: as long as the splices of a matched
# target, long enough for the lowest notes not to click and short enough for an attack to stay one. Between 150 random
# pairs of segments of each of two pairs of corpora the power of a fade is within -0.5 and 0.2 dB of what its sides have
# there (5 to 95 %; tests/bench/bench_pairs.py).
FADE_S = 0.04
MOST_OPEN_FILES = 16


def open_reader(sound: Sound, *, sample_rate: int | None = None) -> AudioReader | TrackReader:
    """Open a recording or a track for reading any stretch of it.

    Parameters
    ----------
    sound : str, Path or Track
        Which.
    sample_rate : int, optional
        The rate wanted (Hz); its own by default.

    Returns
    -------
    AudioReader or TrackReader
        To be closed.

    Raises
    ------
    BadInput
        If a file cannot be read.
    """
    if isinstance(sound, Track):
        return TrackReader(sound, sample_rate=sample_rate)
    return AudioReader(sound, sample_rate=sample_rate)


class OpenFiles:
    """Readers of several sounds, opened when they are needed; at most `MOST_OPEN_FILES` at a time.

    Parameters
    ----------
    sounds : sequence of str, Path or Track
        What may be asked for, by its place.
    sample_rate : int
        The rate of all readers (Hz).
    """

    def __init__(self, sounds: Sequence[Sound], *, sample_rate: int) -> None:
        self._sounds, self._sample_rate = sounds, sample_rate
        self._open: OrderedDict[int, AudioReader | TrackReader] = OrderedDict()

    def __getitem__(self, index: int) -> AudioReader | TrackReader:
        if index not in self._open:
            if len(self._open) >= MOST_OPEN_FILES:
                self._open.popitem(last=False)[1].close()
            self._open[index] = open_reader(self._sounds[index], sample_rate=self._sample_rate)
        self._open.move_to_end(index)
        return self._open[index]

    def close(self) -> None:
        """Close them."""
        while self._open:
            self._open.popitem()[1].close()


class TrackReader:
    """Random access to the samples of a track, resampled recording by recording.

    Where two stretches meet, each goes on for 20 ms into the other; the crossfade is scaled by how alike the two are,
    so that uncorrelated sounds, the usual case, keep their power.

    Parameters
    ----------
    track : Track
        What is read.
    sample_rate : int, optional
        The rate wanted (Hz); the track's own by default.
    """

    def __init__(self, track: Track, *, sample_rate: int | None = None) -> None:
        self.path = Path(track.name)
        self.sample_rate, self.n_channels = int(sample_rate or track.sample_rate), track.n_channels
        self._cuts, paths = track.cuts, track.paths
        self._files = OpenFiles(paths, sample_rate=self.sample_rate)
        self._file = [paths.index(cut.path) for cut in self._cuts]
        self._first = [round(cut.start_s * self.sample_rate) for cut in self._cuts]
        self._edges = np.array([round(s * self.sample_rate) for s in (0.0, *(cut.end_s for cut in self._cuts))])
        self._half = _half_fades(np.diff(self._edges), round(FADE_S * self.sample_rate / 2))
        self._likeness: dict[int, float] = {}
        self.n_samples = int(self._edges[-1])

    def __enter__(self) -> TrackReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the recordings."""
        self._files.close()

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return samples `start` to `stop`.

        Parameters
        ----------
        start, stop : int
            Counted at `sample_rate`; silence outside the track.

        Returns
        -------
        np.ndarray, shape (C, stop - start), float32
            The samples; they do not depend on how the track is cut into reads.
        """
        out = np.zeros((self.n_channels, max(0, stop - start)), dtype=np.float32)
        first = np.searchsorted(self._edges[1:] + self._half[1:], start, side="right")
        last = np.searchsorted(self._edges[:-1] - self._half[:-1], stop, side="left")
        for index in range(int(first), int(last)):
            a = max(start, int(self._edges[index] - self._half[index]))
            b = min(stop, int(self._edges[index + 1] + self._half[index + 1]))
            if a < b:
                out[:, a - start : b - start] += self._sound(index, a, b) * self._weights(index, a, b)
        return out

    def _sound(self, index: int, a: int, b: int) -> np.ndarray:
        offset = self._first[index] - int(self._edges[index])
        return fit_channels(self._files[self._file[index]].read(a + offset, b + offset), self.n_channels)

    def _weights(self, index: int, a: int, b: int) -> np.ndarray:
        return fade_weights(a, b, [
            (int(self._edges[i]), int(self._half[i]), i == index, partial(self._likeness_at, i))
            for i in (index, index + 1)
        ])  # fmt: skip

    def _likeness_at(self, border: int) -> float:
        """Correlation of the two stretches around a border."""
        if border not in self._likeness:
            edge, half = int(self._edges[border]), int(self._half[border])
            tail, head = (self._sound(i, edge - half, edge + half).mean(axis=0) for i in (border - 1, border))
            norm = float(np.linalg.norm(tail) * np.linalg.norm(head))
            self._likeness[border] = float(tail @ head) / norm if norm > 1e-9 else 0.0
        return self._likeness[border]


def _half_fades(lengths: np.ndarray, most: int) -> np.ndarray:
    """Say how far crossfades reach to either side (samples): none at the ends, a quarter of a stretch at most."""
    inner = np.minimum(most, np.minimum(lengths[:-1], lengths[1:]) // 4)
    return np.concatenate([[0], inner, [0]]).astype(int)
