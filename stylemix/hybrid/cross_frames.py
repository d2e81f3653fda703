"""Frames of the target: what each sounds like, which resemble the source, and their sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np

from stylemix.errors import BadInput
from stylemix.hybrid.splice import fit_channels
from stylemix.hybrid.track import Sound
from stylemix.hybrid.track_reader import open_reader

# 2048 samples at 22,050 Hz, or the power of two that lasts about as long. Frames twice as long take on more of the
# target's style (probability 0.72 instead of 0.64) but keep less of the rhythm (correlation of onsets 0.18, not 0.29).
FRAME_S = 0.093
# Frames that sound at once; four instead of two keep a little more of harmony and rhythm and less of the style, at
# four times the work.
OVERLAP = 2
FMIN_HZ = 40.0
# Semitones tell chords apart, and 100 numbers a frame are quick to search.
SEARCH_BANDS_PER_OCTAVE = 12
# More material than this is sampled: an hour is 78,000 frames, whose descriptions take 26 MB, and whose sound
# takes 160 MB for each channel.
POOL_S = 3600.0
STRETCH_S = 10.0
# A frame this far below the loudest of the target is silence: amplified it would be noise.
SILENT_DB = -60.0
# An amplitude of -140 dB: below it there is no sound in 24 bits.
SILENCE = 1e-7


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
        """Samples between two frames."""
        return self.n_fft // OVERLAP

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
            All frames that fit, under Hann windows that add up to one.
        """
        from scipy.signal.windows import hann

        if samples.shape[-1] < self.n_fft:
            return np.zeros((len(samples), 0, self.n_fft), dtype=np.float32)
        view = np.lib.stride_tricks.sliding_window_view(samples, self.n_fft, axis=-1)[:, :: self.hop_length]
        return (view * (2 / OVERLAP * hann(self.n_fft, sym=False))).astype(np.float32)


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
    """All frames of the target files, or a sample of them, described and at hand.

    Files are read once, in order: a block of a mosaic asks for a hundred short runs from anywhere, and seeking in
    compressed files would take longer than everything else.

    Parameters
    ----------
    files : sequence of paths or tracks
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
        If no file holds a frame, or all are silent.
    """

    def __init__(
        self,
        files: Sequence[Sound],
        lattice: Lattice,
        *,
        n_channels: int,
        seed: int = 0,
        report: Callable[[float], None] | None = None,
    ) -> None:
        self.lattice, self.n_channels = lattice, n_channels
        self._sounds: list[_Kept] = []
        edges = lattice.edges(SEARCH_BANDS_PER_OCTAVE)
        described, done_s = [], 0.0
        for sound in self._stretches(files, np.random.default_rng(seed)):
            self._sounds.append(_Kept.of(sound))
            described.append(banded(grain_magnitudes(lattice.grains(sound)), edges))
            done_s += described[-1].shape[1] * lattice.hop_length / lattice.sample_rate
            if report is not None:
                report(done_s)
        counts = [bands.shape[1] for bands in described]
        self.stretch = np.repeat(np.arange(len(counts)), counts)
        self._first = np.concatenate([[0], np.cumsum(counts)])
        self.points = _audible(np.concatenate(described, axis=1), lattice)

    @property
    def n_frames(self) -> int:
        """Frames that can be chosen."""
        return len(self.stretch)

    def grains(self, frames: np.ndarray) -> np.ndarray:
        """Return the sound of some frames.

        Parameters
        ----------
        frames : np.ndarray, shape (D,), int
            Ascending numbers of frames.

        Returns
        -------
        np.ndarray, shape (C, D, n_fft), float32
            Windowed frames.
        """
        hop = self.lattice.hop_length
        out = np.zeros((self.n_channels, len(frames), self.lattice.n_fft), dtype=np.float32)
        breaks = np.flatnonzero((np.diff(frames) != 1) | (np.diff(self.stretch[frames]) != 0)) + 1
        done = 0
        for some in np.split(frames, breaks) if len(frames) else []:
            index = int(self.stretch[some[0]])
            first = int(some[0] - self._first[index])
            sound = self._sounds[index].read(first * hop, (first + len(some) + OVERLAP - 1) * hop)
            out[:, done : done + len(some)] = self.lattice.grains(fit_channels(sound, self.n_channels))
            done += len(some)
        return out

    def _stretches(self, files: Sequence[Sound], rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Sound of all files, (C, T) at a time, or of as many random stretches as there may be."""
        hop, rate = self.lattice.hop_length, self.lattice.sample_rate
        length = round(STRETCH_S * rate / hop)
        where = []
        for file in files:
            with open_reader(file, sample_rate=rate) as reader:
                count = reader.n_samples // hop - OVERLAP + 1
            where += [(file, first, min(length, count - first)) for first in range(0, count, length)]
        if not where:
            raise BadInput(
                f"target: no file lasts as long as one frame ({self.lattice.n_fft / rate:.3f} s); give a longer one"
            )
        most = int(POOL_S / STRETCH_S)
        if len(where) > most:
            where = [where[i] for i in np.sort(rng.choice(len(where), most, replace=False))]
        for file, some in groupby(where, key=itemgetter(0)):
            with open_reader(file, sample_rate=rate) as reader:
                for _, first, n_frames in some:
                    sound = reader.read(first * hop, (first + n_frames + OVERLAP - 1) * hop)
                    yield fit_channels(sound, min(len(sound), self.n_channels))


@dataclass(frozen=True)
class _Kept:
    """Sound in 16 bits below its own peak: half the memory, and 90 dB of quiet."""

    numbers: np.ndarray
    scale: np.float32

    @classmethod
    def of(cls, sound: np.ndarray) -> _Kept:
        # Where all is 0 any scale will do.
        scale = np.float32((float(np.abs(sound).max()) or 1.0) / 32767)
        return cls(np.round(sound / scale).astype(np.int16), scale)

    def read(self, start: int, stop: int) -> np.ndarray:
        return self.numbers[:, start:stop] * self.scale


def _audible(bands: np.ndarray, lattice: Lattice) -> np.ndarray:
    """Describe frames; those far below the loudest as nothing."""
    level = bands.sum(axis=0)
    # Magnitudes of a frame add up to about n_fft times its amplitude.
    if level.max() < SILENCE * lattice.n_fft:
        raise BadInput("target: all of it is silent; give other files to build the mosaic from")
    points = description(bands)
    points[level < 10 ** (SILENT_DB / 20) * level.max()] = 0
    return points
