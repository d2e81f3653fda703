"""Frames of the target: what each sounds like, which resemble the source, and their sound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

import numpy as np

from stylemix.audio import AudioReader
from stylemix.errors import BadInput
from stylemix.hybrid.assemble import MOST_OPEN_FILES, fit_channels

# The frame of the paper, 2048 samples at 22,050 Hz, or the power of two that lasts about as long.
FRAME_S = 0.093
FMIN_HZ = 40.0
# Semitones tell chords apart, and 100 numbers a frame are quick to search.
SEARCH_BANDS_PER_OCTAVE = 12
# More material than this is sampled: an hour is 78,000 frames, whose descriptions take 30 MB.
POOL_S = 3600.0
STRETCH_S = 10.0
# A frame this far below the loudest of the target is silence: amplified it would be noise.
SILENT_DB = -60.0
NOTHING = 1e-7


@dataclass(frozen=True)
class Lattice:
    """Frames of one length, each half of the next, and how their spectra are described.

    Parameters
    ----------
    sample_rate : int
        Hz.

    Examples
    --------
    >>> lattice = Lattice(22050)
    >>> lattice.n_fft, lattice.hop_length
    (2048, 1024)
    """

    sample_rate: int

    @property
    def n_fft(self) -> int:
        """Samples in a frame."""
        return int(2 ** round(np.log2(FRAME_S * self.sample_rate)))

    @property
    def hop_length(self) -> int:
        """Samples between two frames: Hann windows then add up to one, without a second window."""
        return self.n_fft // 2

    def edges(self, bands_per_octave: int) -> np.ndarray:
        """Group the bins above `FMIN_HZ` into bands, none narrower than a bin.

        Parameters
        ----------
        bands_per_octave : int
            How many where they are wider than a bin.

        Returns
        -------
        np.ndarray, shape (K,), int
            First bin of each band; the last band reaches up to the Nyquist frequency.
        """
        octaves = np.log2(self.sample_rate / 2 / FMIN_HZ)
        hz = FMIN_HZ * 2 ** (np.arange(int(octaves * bands_per_octave)) / bands_per_octave)
        edges = np.unique(np.round(hz * self.n_fft / self.sample_rate).astype(int))
        return edges[(edges > 0) & (edges <= self.n_fft // 2)]

    def grains(self, samples: np.ndarray) -> np.ndarray:
        """Cut sound into windowed frames.

        Parameters
        ----------
        samples : np.ndarray, shape (C, T)
            Sound.

        Returns
        -------
        np.ndarray, shape (C, N, n_fft), float32
            All frames that fit, Hann-windowed.
        """
        from scipy.signal.windows import hann

        if samples.shape[-1] < self.n_fft:
            return np.zeros((len(samples), 0, self.n_fft), dtype=np.float32)
        view = np.lib.stride_tricks.sliding_window_view(samples, self.n_fft, axis=-1)[:, :: self.hop_length]
        return (view * hann(self.n_fft, sym=False)).astype(np.float32)


def grain_magnitudes(grains: np.ndarray) -> np.ndarray:
    """Transform windowed frames.

    Parameters
    ----------
    grains : np.ndarray, shape (C, N, n_fft)
        From `Lattice.grains`.

    Returns
    -------
    np.ndarray, shape (n_fft // 2 + 1, N), float32
        Root of the mean power over the channels, so that channels in opposite phase do not cancel.
    """
    from scipy.fft import rfft

    power = np.square(np.abs(rfft(grains, axis=-1))).mean(axis=0)
    return np.ascontiguousarray(np.sqrt(power).T)


def banded(magnitude: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Add up bins to bands.

    Parameters
    ----------
    magnitude : np.ndarray, shape (F, N)
        Magnitudes.
    edges : np.ndarray, shape (K,), int
        From `Lattice.edges`.

    Returns
    -------
    np.ndarray, shape (K, N)
        Sums of magnitudes.
    """
    return np.add.reduceat(magnitude, edges, axis=0)


def description(bands: np.ndarray) -> np.ndarray:
    """Describe spectra so that the product of two descriptions says how alike they are.

    Parameters
    ----------
    bands : np.ndarray, shape (K, N)
        Magnitudes, 0 or above.

    Returns
    -------
    np.ndarray, shape (N, K), float32
        Roots of the shares: the product of two is Bhattacharyya's coefficient, 1 for equal spectra and 0 for
        such that have no band in common. 0 in silence.

    Examples
    --------
    >>> x = description(np.array([[2.0, 4.0, 0.0], [0.0, 0.0, 1.0]]))
    >>> (x @ x.T).tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    total = bands.sum(axis=0)
    return np.sqrt(bands / np.where(total > 0, total, np.inf)).T.astype(np.float32)


class TargetFrames:
    """All frames of the target files, or a sample of them, described and within reach.

    Parameters
    ----------
    files : sequence of paths
        The target.
    lattice : Lattice
        How frames are cut.
    n_channels : int
        Channels wanted: others are averaged or repeated to fit.
    seed : int
        Chooses the stretches when the files last longer than `POOL_S` together.
    report : callable, optional
        Called with the seconds of target that are described.

    Raises
    ------
    BadInput
        If no file is there, none holds a frame, or all are silent.
    """

    def __init__(
        self,
        files: Sequence[str | FilePath],
        lattice: Lattice,
        *,
        n_channels: int,
        seed: int = 0,
        report: Callable[[float], None] | None = None,
    ) -> None:
        self.files, self.lattice, self.n_channels = list(files), lattice, n_channels
        self._open: OrderedDict[int, AudioReader] = OrderedDict()
        edges = lattice.edges(SEARCH_BANDS_PER_OCTAVE)
        # A stretch: file, its first frame, its number of frames.
        self.stretches = self._pool(np.random.default_rng(seed))
        described, done = [], 0.0
        for file, first, n_frames in self.stretches:
            magnitude = grain_magnitudes(lattice.grains(self._sound(file, first, n_frames)))
            described.append(banded(magnitude, edges))
            done += n_frames * lattice.hop_length / lattice.sample_rate
            if report is not None:
                report(done)
        self.stretch = np.repeat(np.arange(len(self.stretches)), [n for _, _, n in self.stretches])
        self._first = np.concatenate([[0], np.cumsum([n for _, _, n in self.stretches])])
        self.points = self._points(described)

    @property
    def n_frames(self) -> int:
        """Frames that can be chosen."""
        return len(self.stretch)

    def close(self) -> None:
        """Close the files."""
        while self._open:
            self._open.popitem()[1].close()

    def grains(self, frames: np.ndarray) -> np.ndarray:
        """Read the sound of some frames.

        Parameters
        ----------
        frames : np.ndarray, shape (D,), int
            Ascending numbers of frames.

        Returns
        -------
        np.ndarray, shape (C, D, n_fft), float32
            Windowed frames.
        """
        breaks = np.flatnonzero((np.diff(frames) != 1) | (np.diff(self.stretch[frames]) != 0)) + 1
        pieces = []
        for some in np.split(frames, breaks):
            index = int(self.stretch[some[0]])
            file, first, _ = self.stretches[index]
            inside = int(some[0] - self._first[index])
            pieces.append(self.lattice.grains(self._sound(file, first + inside, len(some))))
        return np.concatenate(pieces, axis=1)

    def _sound(self, file: int, first: int, n_frames: int) -> np.ndarray:
        hop = self.lattice.hop_length
        return fit_channels(self._reader(file).read(first * hop, (first + n_frames + 1) * hop), self.n_channels)

    def _pool(self, rng: np.random.Generator) -> list[tuple[int, int, int]]:
        hop = self.lattice.hop_length
        counts = [max(0, self._reader(i).n_samples // hop - 1) for i in range(len(self.files))]
        if not sum(counts):
            frame_s = self.lattice.n_fft / self.lattice.sample_rate
            raise BadInput(f"target: no file lasts as long as one frame ({frame_s:.3f} s); give a longer one")
        length = round(STRETCH_S * self.lattice.sample_rate / hop)
        stretches = [
            (file, first, min(length, count - first))
            for file, count in enumerate(counts)
            for first in range(0, count, length)
        ]
        most = int(POOL_S / STRETCH_S)
        if len(stretches) <= most:
            return stretches
        return [stretches[i] for i in np.sort(rng.choice(len(stretches), most, replace=False))]

    def _points(self, described: list[np.ndarray]) -> np.ndarray:
        bands = np.concatenate(described, axis=1)
        level = bands.sum(axis=0)
        # The frame's magnitudes add up to more than its samples: this is far below 24 bits.
        if level.max() < NOTHING * self.lattice.n_fft:
            raise BadInput("target: all of it is silent; give other files to build the mosaic from")
        points = description(bands)
        points[level < 10 ** (SILENT_DB / 20) * level.max()] = 0
        return points

    def _reader(self, index: int) -> AudioReader:
        if index in self._open:
            self._open.move_to_end(index)
            return self._open[index]
        if len(self._open) >= MOST_OPEN_FILES:
            self._open.popitem(last=False)[1].close()
        self._open[index] = AudioReader(self.files[index], sample_rate=self.lattice.sample_rate)
        return self._open[index]
