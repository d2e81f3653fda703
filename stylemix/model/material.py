"""What a training draws from: pieces of files, some to learn from and some to be judged on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.model.frames import audible, set_loudness_apart

TransposeContext = Callable[[np.ndarray, int], np.ndarray]


@dataclass(frozen=True)
class Piece:
    """A stretch of one file that belongs to one side of the split.

    Parameters
    ----------
    frames : np.ndarray, shape (N, K)
        Log-magnitudes of the whole file, usually mapped from the disk.
    corpus : int
        Index of its corpus.
    start, stop : int
        The stretch (frames).
    held_out : bool
        Judged on, never learned from.
    context : np.ndarray, shape (M, R), optional
        Scattering of the whole file, a row a latent step.
    """

    frames: np.ndarray
    corpus: int
    start: int
    stop: int
    held_out: bool
    context: np.ndarray | None = None


class Crops(NamedTuple):
    """A batch that a training draws.

    Parameters
    ----------
    shape : torch.Tensor, shape (B, K, N)
        Shapes.
    weight : torch.Tensor, shape (B, N)
        From `audible`.
    corpus : torch.Tensor, shape (B,), int
        Where each is from.
    context : torch.Tensor, shape (B, R, M), or None
        What the encoder hears besides, where the material has it.
    loudness : torch.Tensor, shape (B, N)
        What was set apart (natural logarithm).
    """

    shape: torch.Tensor
    weight: torch.Tensor
    corpus: torch.Tensor
    context: torch.Tensor | None
    loudness: torch.Tensor

    def to(self, device: torch.device) -> Crops:
        """Copy to a device.

        Parameters
        ----------
        device : torch.device
            Where to.

        Returns
        -------
        Crops
            The same batch there.
        """
        context = None if self.context is None else self.context.to(device)
        shape, weight, corpus = self.shape.to(device), self.weight.to(device), self.corpus.to(device)
        return Crops(shape, weight, corpus, context, self.loudness.to(device))


class Material:
    """Pieces of two or more corpora, and how to draw from them.

    Parameters
    ----------
    names : sequence of str
        The corpora.
    pieces : sequence of Piece
        All stretches.
    weights : mapping of str to float
        Sampling weight by corpus; 1 where none is given.
    floor_db : float
        See `set_loudness_apart`.
    frames_per_step : int
        Frames of a latent step; needed where the pieces have a context.
    transpose_context : callable, optional
        ``transpose_context(context (..., R, M), semitones)``: the context of a sound that is transposed.

    Raises
    ------
    BadInput
        If some pieces have a context and some have none.
    """

    def __init__(
        self,
        names: Sequence[str],
        pieces: Sequence[Piece],
        *,
        weights: dict[str, float],
        floor_db: float,
        frames_per_step: int = 1,
        transpose_context: TransposeContext | None = None,
    ) -> None:
        self.names = tuple(names)
        self.pieces = tuple(pieces)
        self.floor_db = floor_db
        self.frames_per_step = frames_per_step
        self._transpose_context = transpose_context
        if len({piece.context is None for piece in pieces}) > 1:
            raise BadInput("Material: either all pieces must have a context or none, got some of each")
        w = torch.tensor([float(weights.get(name, 1.0)) for name in names])
        self.shares = w / w.sum()
        self.levels = torch.tensor([self._level(corpus) for corpus in range(len(names))])

    @property
    def n_bands(self) -> int:
        """Bands K."""
        return self.pieces[0].frames.shape[1]

    def training(self, corpus: int) -> list[Piece]:
        """Return the stretches that are learned from.

        Parameters
        ----------
        corpus : int
            Index of a corpus.

        Returns
        -------
        list of Piece
            In the order of the files.
        """
        return [p for p in self.pieces if p.corpus == corpus and not p.held_out]

    def judging(self) -> list[Piece]:
        """Return the held-out stretches; where there are none, the ones that are learned from.

        Returns
        -------
        list of Piece
            In the order of the files.
        """
        return [p for p in self.pieces if p.held_out] or list(self.pieces)

    def shapes(self, piece: Piece, start: int, stop: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Read a stretch, with its loudness set apart.

        Parameters
        ----------
        piece : Piece
            Whose file.
        start, stop : int
            Frames of the file.

        Returns
        -------
        shape : torch.Tensor, shape (K, stop - start)
            Shapes.
        weight : torch.Tensor, shape (stop - start,)
            From `audible`.
        """
        y = torch.from_numpy(np.ascontiguousarray(piece.frames[start:stop].T, dtype=np.float32))
        shape, loudness = set_loudness_apart(y, floor_db=self.floor_db)
        return shape, audible(loudness, self.levels[piece.corpus])

    def context(self, piece: Piece, start: int, stop: int) -> torch.Tensor | None:
        """Read what the encoder hears of a stretch besides its shapes.

        Parameters
        ----------
        piece : Piece
            Whose file.
        start, stop : int
            Frames of the file. Off the grid of the file's own steps, neighbours are interpolated.

        Returns
        -------
        torch.Tensor, shape (R, M), or None
            A column a step of the stretch, M = ceil((stop - start) / F); None where there is no context.
        """
        if piece.context is None:
            return None
        f = self.frames_per_step
        return torch.from_numpy(_between_steps(piece.context, start / f + np.arange(-(-(stop - start) // f))).T)

    def draw(
        self, n_crops: int, n_frames: int, rng: np.random.Generator, *, shift_bands: int = 0, shift_share: float = 0.0
    ) -> Crops:
        """Draw a batch of crops: a corpus by its share, a stretch by its length, a place at random.

        Parameters
        ----------
        n_crops, n_frames : int
            B and N. A stretch shorter than N is repeated.
        rng : np.random.Generator
            Decides everything.
        shift_bands : int
            Bands in a semitone: transposition moves a crop by whole semitones, at most two.
        shift_share : float
            Share of the crops that are transposed, and their context with them.

        Returns
        -------
        Crops
            The batch.
        """
        # The shares are kept by the batch and not only on average: a corpus too many in one batch is one too
        # few.
        places = (np.arange(n_crops) + rng.random()) / n_crops
        corpora = np.searchsorted(np.cumsum(self.shares.numpy())[:-1], places, side="right")
        found = [self._place(int(c), n_frames, rng) for c in corpora]
        crops = np.stack([_crop(piece, start, n_frames) for piece, start in found])
        contexts = [self._crop_context(piece, start, n_frames) for piece, start in found]
        if shift_bands:
            for i in np.flatnonzero(rng.random(n_crops) < shift_share):
                semitones = int(rng.choice((-2, -1, 1, 2)))
                crops[i] = _transposed(crops[i], semitones * shift_bands)
                contexts[i] = self._transposed_context(contexts[i], semitones)
        y = torch.from_numpy(crops.transpose(0, 2, 1).copy())
        shape, loudness = set_loudness_apart(y, floor_db=self.floor_db)
        index = torch.from_numpy(corpora.astype(np.int64))
        heard = [c for c in contexts if c is not None]
        context = torch.from_numpy(np.stack(heard)) if heard else None
        return Crops(shape, audible(loudness, self.levels[index].unsqueeze(-1)), index, context, loudness)

    def _place(self, corpus: int, n_frames: int, rng: np.random.Generator) -> tuple[Piece, int]:
        pieces = self.training(corpus)
        lengths = np.array([p.stop - p.start for p in pieces], dtype=np.float64)
        piece = pieces[int(rng.choice(len(pieces), p=lengths / lengths.sum()))]
        room = piece.stop - piece.start - n_frames
        return piece, piece.start + int(rng.integers(max(room, 0) + 1))

    def _crop_context(self, piece: Piece, start: int, n_frames: int) -> np.ndarray | None:
        if piece.context is None:
            return None
        f = self.frames_per_step
        # Where a stretch is repeated, so is what is heard of it: the first frame of every step counts.
        first = start + np.arange(0, n_frames, f) % (piece.stop - start)
        return np.ascontiguousarray(_between_steps(piece.context, first / f).T)

    def _transposed_context(self, context: np.ndarray | None, semitones: int) -> np.ndarray | None:
        if context is None:
            return None
        if self._transpose_context is None:
            raise BadInput("Material: crops with a context can only be transposed with a transpose_context")
        return self._transpose_context(context, semitones)

    def _level(self, corpus: int) -> float:
        """Power mean of the loudness of the training frames of a corpus (natural logarithm)."""
        power, count = 0.0, 0
        for piece in self.training(corpus):
            for start in range(piece.start, piece.stop, 16384):
                y = np.asarray(piece.frames[start : min(start + 16384, piece.stop)], dtype=np.float32)
                p = np.exp(2 * y).mean(1)
                # Pauses are no part of how loud the music is.
                loud = p[p > 1e-4 * p.max()]
                power += float(loud.sum())
                count += loud.size
        return 0.5 * math.log(max(power / max(count, 1), 1e-10))


def _crop(piece: Piece, start: int, n_frames: int) -> np.ndarray:
    crop = np.asarray(piece.frames[start : min(start + n_frames, piece.stop)], dtype=np.float32)
    return crop if len(crop) == n_frames else np.resize(crop, (n_frames, crop.shape[1]))


def _between_steps(context: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Read rows (M, R) at places between steps; beyond the ends the last one stands."""
    place = np.clip(place, 0, len(context) - 1)
    before = np.floor(place).astype(int)
    share = (place - before).astype(np.float32)[:, None]
    after = np.minimum(before + 1, len(context) - 1)
    return (1 - share) * context[before].astype(np.float32) + share * context[after].astype(np.float32)


def _transposed(crop: np.ndarray, bands: int) -> np.ndarray:
    """Move a crop (N, K) along the bands; what comes in at the edge repeats the last band."""
    moved = np.roll(crop, bands, axis=1)
    if bands > 0:
        moved[:, :bands] = crop[:, :1]
    else:
        moved[:, bands:] = crop[:, -1:]
    return moved
