"""The mosaic: a source played with short runs of the target, found without any training."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType

import numpy as np

from stylemix.errors import BadInput
from stylemix.hybrid.cross_frames import (
    OVERLAP,
    SEARCH_BANDS_PER_OCTAVE,
    Lattice,
    TargetFrames,
    banded,
    grain_magnitudes,
)
from stylemix.hybrid.cross_search import choose_frames
from stylemix.hybrid.cross_updates import Constraints, activations
from stylemix.hybrid.source import SourceReader
from stylemix.hybrid.splice import fade_weights
from stylemix.hybrid.track import Sound

# Activations are found for so much of the source at a time.
BLOCK_S = 5.0
# What a block hears of its neighbours on both sides, beyond what repetition and continuity reach.
MARGIN_FRAMES = 6
# Two blocks are crossfaded over so many frames around their border.
FADE_FRAMES = 4
DICTIONARY_FRAMES = 1200
# Bands in which the divergence is measured: a quarter tone, or a bin where it is wider.
BANDS_PER_OCTAVE = 48
# Frames that sound together cancel in part; at most this is made up for.
MOST_GAIN_DB = 12.0
# A stretch of 10 s and its margins, as hybrids are rendered, touches four.
KEPT_BLOCKS = 5


class MosaicAssembler:
    """Read a mosaic of the target on the source's timeline, any stretch of it, always the same samples.

    The magnitudes of the source are explained by frames of the target [1]_: activations are found by
    multiplicative updates that are bent towards few frames at a time, none of them twice in a row, and towards
    whole runs. The target's own frames, weighted by the activations, are then added up as sound. Where the
    paper takes every frame of a target of a minute, this takes for each block of the source those few seconds
    of hours of target that resemble the block or parts of it. Phases stay the target's own: making them agree
    where frames overlap (as the paper goes on to do) keeps a little more harmony and loses as much of the style.

    At any time it holds the target in 16 bits (an hour at most, at random from more: 160 MB for each channel at
    22,050 Hz) and its description (84 numbers a frame, 26 MB an hour), how a block resembles all of it (60 MB),
    a dictionary (1200 frames: 10 MB for each channel, and twice as much while they are transformed) and five
    blocks of sound: the same for a source of any length.

    Parameters
    ----------
    source : SourceReader
        The source; read at ``source.model_rate``.
    files : sequence of paths or tracks
        The target.
    n_channels : int, optional
        Channels wanted; the source's by default. Activations are found from the mean power over the channels.
    seed : int
        Another seed, another mosaic: where the activations begin, and which material is searched when there is
        more than an hour.
    constraints : Constraints, optional
        What the activations are bent towards.
    report : callable, optional
        Called with the seconds of target that are described.

    Raises
    ------
    BadInput
        If the source is shorter than a frame, or the target is silent or shorter than a frame.

    References
    ----------
    .. [1] J. Driedger, T. Prätzlich, M. Müller, "Let it Bee: towards NMF-inspired audio mosaicing", ISMIR 2015.
    """

    def __init__(
        self,
        source: SourceReader,
        files: Sequence[Sound],
        *,
        n_channels: int | None = None,
        seed: int = 0,
        constraints: Constraints | None = None,
        report: Callable[[float], None] | None = None,
    ) -> None:
        self.source, self.seed = source, seed
        self.constraints = constraints or Constraints()
        self.lattice = Lattice(source.model_rate)
        if source.n_model_samples < self.lattice.n_fft:
            raise BadInput(
                f"source: lasts {source.n_model_samples / source.model_rate:.3f} s, but a mosaic needs one frame "
                f"({self.lattice.n_fft / source.model_rate:.3f} s); give a longer one"
            )
        self.n_channels = n_channels or source.n_channels
        self.target = TargetFrames(files, self.lattice, n_channels=self.n_channels, seed=seed, report=report)
        self._margin = MARGIN_FRAMES + self.constraints.repetition + self.constraints.continuity
        self._n_block = round(BLOCK_S * source.model_rate / self.lattice.hop_length)
        self._n_blocks = -(-source.n_model_samples // (self._n_block * self.lattice.hop_length))
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()

    def __enter__(self) -> MosaicAssembler:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the rendered blocks go; the target's files are not open any more."""
        self._kept.clear()

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return samples of the mosaic.

        Parameters
        ----------
        start, stop : int
            Samples on the source's timeline at its model rate; silence outside it.

        Returns
        -------
        np.ndarray, shape (C, stop - start), float32
            The sound. It does not depend on how the timeline is cut into reads.
        """
        out = np.zeros((self.n_channels, max(0, stop - start)), dtype=np.float32)
        a, b = max(start, 0), min(stop, self.source.n_model_samples)
        length, half = self._n_block * self.lattice.hop_length, self._half_fade
        if a >= b:
            return out
        first, last = max(0, (a - half) // length), min(self._n_blocks - 1, (b - 1 + half) // length)
        for block in range(first, last + 1):
            x = max(a, block * length - half if block else 0)
            y = min(b, (block + 1) * length + half if block + 1 < self._n_blocks else b)
            if x < y:
                sound = self._block(block)[:, x - block * length + half : y - block * length + half]
                out[:, x - start : y - start] += sound * self._weights(block, x, y)
        return out

    @property
    def _half_fade(self) -> int:
        return FADE_FRAMES * self.lattice.hop_length // 2

    def _weights(self, block: int, a: int, b: int) -> np.ndarray:
        """Crossfades at both ends of a block, that keep the power whether the blocks agree or not."""
        length = self._n_block * self.lattice.hop_length
        return fade_weights(a, b, [
            (i * length, self._half_fade, i == block, partial(self._likeness, i))
            for i in (block, block + 1) if 0 < i < self._n_blocks
        ])  # fmt: skip

    def _likeness(self, border: int) -> float:
        n = 2 * self._half_fade
        before, after = self._block(border - 1)[:, -n:].ravel(), self._block(border)[:, :n].ravel()
        size = float(np.linalg.norm(before) * np.linalg.norm(after))
        return float(before @ after) / size if size > 0 else 1.0

    def _block(self, block: int) -> np.ndarray:
        """Sound of a block, half a crossfade more on both sides, (C, T)."""
        if block not in self._kept:
            if len(self._kept) >= KEPT_BLOCKS:
                self._kept.popitem(last=False)
            self._kept[block] = self._render(block)
        self._kept.move_to_end(block)
        return self._kept[block]

    def _render(self, block: int) -> np.ndarray:
        hop, half = self.lattice.hop_length, self._half_fade
        # Frame n is centred at n hops: frames and samples of the blocks lie on one lattice.
        first = block * self._n_block - self._margin
        n_frames = self._n_block + 2 * self._margin + 1
        begin = first - OVERLAP // 2
        stop = begin + n_frames + OVERLAP - 1
        grains = self.lattice.grains(self.source.read_model(begin * hop, stop * hop))
        weights, sounds = self.explain(grains, first)
        skipped = (self._margin + OVERLAP // 2) * hop - half
        length = self._n_block * hop + 2 * half
        mixed = np.matmul(weights.T, sounds)
        mixed *= _gain(grains, mixed)[:, None]
        out = np.zeros((self.n_channels, stop - begin, hop), dtype=np.float32)
        for i in range(OVERLAP):
            out[:, i : i + n_frames] += mixed[..., i * hop : (i + 1) * hop]
        return out.reshape(self.n_channels, -1)[:, skipped : skipped + length]

    def explain(self, grains: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
        """Choose a dictionary for some frames of the source, and find how much of it sounds when.

        Parameters
        ----------
        grains : np.ndarray, shape (C, N, n_fft)
            Windowed frames of the source.
        first : int
            Number of the first of them.

        Returns
        -------
        weights : np.ndarray, shape (D, N), float32
            Activations.
        sounds : np.ndarray, shape (C, D, n_fft), float32
            Windowed frames of the target.
        """
        magnitude = grain_magnitudes(grains)
        searched = banded(magnitude, self.lattice.edges(SEARCH_BANDS_PER_OCTAVE))
        frames, run = choose_frames(
            searched,
            self.target.points,
            self.target.stretch,
            most=DICTIONARY_FRAMES,
            reach=self.constraints.continuity,
        )
        sounds = self.target.grains(frames)
        fine = self.lattice.edges(BANDS_PER_OCTAVE)
        weights = activations(
            banded(magnitude, fine),
            banded(grain_magnitudes(sounds), fine),
            run,
            beginning=_beginning(frames, first + np.arange(grains.shape[1]), self.seed),
            constraints=self.constraints,
        )
        return weights, sounds


def _beginning(frames: np.ndarray, times: np.ndarray, seed: int) -> np.ndarray:
    """Numbers between 0.5 and 1.5 that depend on seed, target frame and source frame alone.

    Two blocks that share a frame and a time begin alike there, and so tend to agree where they meet.
    """
    mixed = (
        np.array([[seed & 0xFFFFFFFF]], dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        + frames[:, None].astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
        + times[None].astype(np.int64).view(np.uint64) * np.uint64(0x94D049BB133111EB)
    )
    # The finaliser of splitmix64 spreads every bit over all.
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)) + np.float32(0.5)


def _gain(source: np.ndarray, mosaic: np.ndarray) -> np.ndarray:
    """Factors, (N,), that give each frame the power of the source's."""
    power, own = (np.square(x).mean(axis=(0, 2)) for x in (source, mosaic))
    gain = np.sqrt(power / np.maximum(own, np.finfo(np.float32).tiny))
    most = 10 ** (MOST_GAIN_DB / 20)
    return np.clip(gain, 1 / most, most).astype(np.float32)
