"""What the encoder hears of a sound besides its features: scattering around every latent step.

The pooled magnitudes say how loud each band is 86 times a second. How its envelope moves faster than that, by beats,
trills and roughness, is what scattering adds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.audio import AudioReader
from stylemix.cache import ArrayCache, cache_key
from stylemix.errors import BadInput
from stylemix.features import cached_rows
from stylemix.files import sha256_file
from stylemix.recipe import Recipe
from stylemix.renormalise import Renormaliser
from stylemix.transforms import block_plan
from stylemix.transforms.joint import JointScattering
from stylemix.transforms.scattering import TimeScattering

# Version of the numbers: changed whenever the same file would give another context.
_VERSION = 1
_BLOCK_S = 20.0
_PER_OCTAVE = (8, 1)
# Joint scattering averages over an octave of bands, and looks along log-frequency as far as two.
_QUEFRENCY, _OVER = 4, 8.0


class Context:
    """Scattering around every latent step of a sound, as logarithms without the level.

    Parameters
    ----------
    kind : {"vqt+scattering", "vqt+joint"}
        Which scattering.
    sample_rate : int
        Hz.
    step_length : int
        Samples of a latent step; the averages are about as long.

    Raises
    ------
    BadInput
        If a step is too short or too long to average over.

    Examples
    --------
    >>> context = Context("vqt+scattering", 22050, 2048)
    >>> context.of_wave(np.zeros((1, 22050), dtype=np.float32)).shape[1]
    11
    """

    def __init__(self, kind: str, sample_rate: int, step_length: int) -> None:
        scale = step_length.bit_length() - 1
        if not 4 <= scale <= 17:
            raise BadInput(
                f"features.kind {kind} averages over a latent step, which must have 16 to 262143 samples, got "
                f"{step_length}; change model.frames_per_step or sound.hop_length"
            )
        self.kind, self.sample_rate, self.step_length = kind, sample_rate, step_length
        self.transform: TimeScattering | JointScattering
        if kind == "vqt+joint":
            self.transform = JointScattering(sample_rate, J=scale, Q=_PER_OCTAVE, pad="zero", J_fr=_QUEFRENCY, F=_OVER)
        else:
            self.transform = TimeScattering(sample_rate, J=scale, Q=_PER_OCTAVE, pad="zero")
        self._renormaliser = Renormaliser.of(self.transform.meta())

    @property
    def n_rows(self) -> int:
        """Rows R."""
        return len(self._renormaliser.first) + len(self._renormaliser.deeper)

    @property
    def margin(self) -> int:
        """Samples beyond a step that its context depends on."""
        # Off the grid of the frames, the two around the middle of the step are read.
        return self.transform.margin + self.step_length + self.transform.hop_length

    def settings(self) -> dict[str, Any]:
        """Return all that its numbers depend on.

        Returns
        -------
        dict
            JSON-safe.
        """
        names = ("kind", "sample_rate", "step_length")
        numbers = [*_PER_OCTAVE, *((_QUEFRENCY, _OVER) if self.kind == "vqt+joint" else ())]
        return {"version": _VERSION, "numbers": numbers, **{name: getattr(self, name) for name in names}}

    def of_wave(self, samples: np.ndarray, *, start: int = 0) -> np.ndarray:
        """Compute the context of a sound that is in memory; beyond its ends is silence.

        Parameters
        ----------
        samples : np.ndarray, shape (C, T) or (T,)
            At the sample rate. Of several channels the mean power is taken.
        start : int
            Where the first sample lies in the sound that this is a part of, a multiple of the step.

        Returns
        -------
        np.ndarray, shape (R, M), float32
            M = ceil(T / step_length).
        """
        x = np.atleast_2d(np.asarray(samples, dtype=np.float32))
        steps = -(-x.shape[1] // self.step_length)
        before = -(-self.margin // self.step_length)
        x = np.pad(x, ((0, 0), (before * self.step_length, (before + steps) * self.step_length - x.shape[1])))
        return self._steps(x, start - before * self.step_length)[:, before : before + steps]

    def blocks(self, path: str | Path) -> Iterator[np.ndarray]:
        """Compute the context of a file block by block; memory does not grow with its length.

        Parameters
        ----------
        path : str or Path
            A sound file of any rate and number of channels.

        Yields
        ------
        np.ndarray, shape (R, m), float32
            Consecutive steps.

        Raises
        ------
        BadInput
            If the file cannot be read.
        """
        step, block = self.step_length, int(_BLOCK_S * self.sample_rate)
        with AudioReader(path, sample_rate=self.sample_rate) as reader:
            for piece in block_plan(max(reader.n_samples, 1), block=block, fade=0, margin=self.margin, align=step):
                samples = reader.read(piece.read_start, piece.read_stop)
                skip = (piece.start - piece.read_start) // step
                count = -(-(piece.stop - piece.start) // step)
                yield self._steps(samples, piece.read_start)[:, skip : skip + count]

    def transposed(self, context: np.ndarray, semitones: int) -> np.ndarray:
        """Return the context of a sound whose bands are moved along the log-frequency axis, its time untouched.

        Between the bands it is interpolated; what comes in at the edge repeats the last band.

        Parameters
        ----------
        context : np.ndarray, shape (R, M)
            Of the sound as it is.
        semitones : int
            Upwards if positive.

        Returns
        -------
        np.ndarray, shape (R, M), float32
            Of the sound transposed.
        """
        lower, upper, share = self._neighbours(semitones)
        return ((1 - share) * context[lower] + share * context[upper]).astype(np.float32)

    def _steps(self, samples: np.ndarray, start: int) -> np.ndarray:
        """Return a column for every step of sound that begins at sample `start` of a larger one."""
        import torch

        step, hop = self.step_length, self.transform.hop_length
        # Frames lie at step // 2 + n * hop of the larger sound, whatever part of it is given: for a step that is a
        # power of two, in the middle of every step.
        first = -(-start // hop)
        skip = step // 2 + first * hop - start
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(samples[:, skip:]))
            frames = self._renormaliser.logarithms(self.transform.forward(x)).numpy()
        place = (start + step * np.arange(-(-samples.shape[1] // step))) / hop - first
        place = np.clip(place, 0, frames.shape[1] - 1)
        before = np.floor(place).astype(int)
        share = (place - before).astype(np.float32)
        after = np.minimum(before + 1, frames.shape[1] - 1)
        return (1 - share) * frames[:, before] + share * frames[:, after]

    @cached_property
    def _octaves(self) -> tuple[np.ndarray, np.ndarray]:
        """Return of every row the height of its band (octaves), and which rows differ from it in that alone."""
        meta, rows = self.transform.meta(), self._renormaliser
        chosen = np.concatenate([rows.first, rows.deeper])
        others = [meta["n"][chosen, 1]] + ([meta["n_fr"][chosen]] if "n_fr" in meta else [])
        family = np.unique(np.nan_to_num(np.stack(others), nan=-1), axis=1, return_inverse=True)[1].ravel()
        return np.log2(meta["frequency_hz"][chosen, 0]), family

    def _neighbours(self, semitones: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For every row the two rows around where it came from, and the share of the upper one, (R, 1)."""
        octaves, family = self._octaves
        lower, upper = np.zeros(self.n_rows, dtype=int), np.zeros(self.n_rows, dtype=int)
        share = np.zeros((self.n_rows, 1))
        for one in np.unique(family):
            rows = np.flatnonzero(family == one)
            rows = rows[np.argsort(octaves[rows])]
            source = np.interp(octaves[rows] - semitones / 12, octaves[rows], np.arange(len(rows)))
            below = np.floor(source).astype(int)
            lower[rows], upper[rows] = rows[below], rows[np.minimum(below + 1, len(rows) - 1)]
            share[rows, 0] = source - below
        return lower, upper, share


def make_context(recipe: Recipe) -> Context | None:
    """Build what a recipe wants the encoder to hear besides its features.

    Parameters
    ----------
    recipe : Recipe
        Its `features.kind`, rate and latent step count.

    Returns
    -------
    Context or None
        None where the features are the transform alone.

    Examples
    --------
    >>> make_context(Recipe()) is None
    True
    """
    if recipe.features.kind == "vqt":
        return None
    step_length = recipe.model.frames_per_step * recipe.sound.hop_length
    return Context(recipe.features.kind, recipe.sound.sample_rate, step_length)


def context_size(recipe: Recipe) -> tuple[int, int] | None:
    """Return the rows of a recipe's context, and the numbers to which the encoder reduces them.

    Parameters
    ----------
    recipe : Recipe
        Any.

    Returns
    -------
    tuple of int, or None
        None where there is no context.

    Examples
    --------
    >>> context_size(Recipe()) is None
    True
    """
    context = make_context(recipe)
    return None if context is None else (context.n_rows, recipe.features.context_dim)


def file_context(
    path: str | Path,
    context: Context,
    *,
    sha256: str | None = None,
    cache: ArrayCache | None = None,
    on_seconds: Callable[[float], None] | None = None,
) -> np.ndarray:
    """Take the context of a whole file from the cache, or compute it and put it there.

    Parameters
    ----------
    path : str or Path
        A sound file.
    context : Context
        What to compute.
    sha256 : str, optional
        Hash of the file's content, if it is known already.
    cache : ArrayCache, optional
        By default the user's own.
    on_seconds : callable, optional
        Called with the seconds of sound done since the last call.

    Returns
    -------
    np.ndarray, shape (M, R), float16
        A row a latent step, mapped from the disk.

    Raises
    ------
    BadInput
        If the file cannot be read.
    """
    return cached_rows(
        lambda: context.blocks(path),
        context.n_rows,
        cache=cache or ArrayCache(),
        key=cache_key(sha256 or sha256_file(path), context.settings()),
        row_s=context.step_length / context.sample_rate,
        on_seconds=on_seconds,
    )
