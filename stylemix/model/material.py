"""What a training draws from: pieces of files, split into those it learns from and those it is judged on."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from stylemix.model.frames import audible, set_loudness_apart


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
    """

    frames: np.ndarray
    corpus: int
    start: int
    stop: int
    held_out: bool


def split_files(hashes: Sequence[str], seconds: Sequence[float], *, held_out: float, seed: int) -> list[str]:
    """Decide for every file of a corpus whether it is learned from or judged on.

    Whole files are held out, in an order drawn from their content and the seed, until their share of the time
    is nearest to what was asked. If every choice would take more than half (one file, or one that dwarfs the
    rest), the longest file is divided: its end is held out.

    Parameters
    ----------
    hashes : sequence of str
        One a file; its name and place do not matter.
    seconds : sequence of float
        Their lengths.
    held_out : float
        Share of the time to hold out; 0 for none.
    seed : int
        Another seed is another split.

    Returns
    -------
    list of str
        ``"train"``, ``"held-out"`` or ``"divided"``, one a file.

    Examples
    --------
    >>> sorted(split_files(["a", "b", "c", "d"], [60, 60, 60, 60], held_out=0.25, seed=0))
    ['held-out', 'train', 'train', 'train']
    >>> split_files(["a"], [60], held_out=0.25, seed=0)
    ['divided']
    """
    sides = ["train"] * len(hashes)
    if held_out <= 0 or not hashes:
        return sides
    total, taken = sum(seconds), 0.0
    order = sorted(range(len(hashes)), key=lambda i: hashlib.sha256(f"{seed}:{hashes[i]}".encode()).hexdigest())
    for i in order:
        nearer = abs(taken + seconds[i] - held_out * total) < abs(taken - held_out * total)
        if (nearer or not taken) and taken + seconds[i] <= total / 2 + 1e-9:
            sides[i] = "held-out"
            taken += seconds[i]
        if taken >= held_out * total:
            break
    if not taken:
        sides[max(range(len(seconds)), key=lambda i: seconds[i])] = "divided"
    return sides


def divide(n_frames: int, side: str, *, held_out: float, gap: int) -> list[tuple[int, int, bool]]:
    """Cut a file into its learned and its held-out stretch.

    Parameters
    ----------
    n_frames : int
        Frames of the file.
    side : str
        From `split_files`.
    held_out : float
        Share of a divided file to hold out.
    gap : int
        Frames between the two stretches of a divided file that belong to neither, so that no window sees
        both.

    Returns
    -------
    list of (start, stop, held_out)
        Stretches (frames). A file so short that the gap would take most of what is learned from stays whole,
        and is learned from.

    Examples
    --------
    >>> divide(100, "divided", held_out=0.2, gap=5)
    [(0, 75, False), (80, 100, True)]
    """
    if side != "divided":
        return [(0, n_frames, side == "held-out")]
    cut = min(round(n_frames * (1 - held_out)), n_frames - 1)
    if cut - gap < max(1, cut / 2):
        return [(0, n_frames, False)]
    return [(0, cut - gap, False), (cut, n_frames, True)]


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
    """

    def __init__(
        self, names: Sequence[str], pieces: Sequence[Piece], *, weights: dict[str, float], floor_db: float
    ) -> None:
        self.names = tuple(names)
        self.pieces = tuple(pieces)
        self.floor_db = floor_db
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

    def draw(
        self, n_crops: int, n_frames: int, rng: np.random.Generator, *, shift_bands: int = 0, shift_share: float = 0.0
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
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
            Share of the crops that are transposed.

        Returns
        -------
        shape : torch.Tensor, shape (B, K, N)
            Shapes.
        weight : torch.Tensor, shape (B, N)
            From `audible`.
        corpus : torch.Tensor, shape (B,), int
            Where each is from.
        """
        # The shares are kept by the batch and not only on average: a corpus too many in one batch is one too
        # few.
        places = (np.arange(n_crops) + rng.random()) / n_crops
        corpora = np.searchsorted(np.cumsum(self.shares.numpy())[:-1], places, side="right")
        crops = np.stack([self._crop(int(c), n_frames, rng) for c in corpora])
        if shift_bands:
            for i in np.flatnonzero(rng.random(n_crops) < shift_share):
                crops[i] = _transposed(crops[i], int(rng.choice((-2, -1, 1, 2))) * shift_bands)
        y = torch.from_numpy(crops.transpose(0, 2, 1).copy())
        shape, loudness = set_loudness_apart(y, floor_db=self.floor_db)
        index = torch.from_numpy(corpora.astype(np.int64))
        return shape, audible(loudness, self.levels[index].unsqueeze(-1)), index

    def _crop(self, corpus: int, n_frames: int, rng: np.random.Generator) -> np.ndarray:
        pieces = self.training(corpus)
        lengths = np.array([p.stop - p.start for p in pieces], dtype=np.float64)
        piece = pieces[int(rng.choice(len(pieces), p=lengths / lengths.sum()))]
        room = piece.stop - piece.start - n_frames
        start = piece.start + int(rng.integers(max(room, 0) + 1))
        crop = np.asarray(piece.frames[start : min(start + n_frames, piece.stop)], dtype=np.float32)
        return crop if room >= 0 else np.resize(crop, (n_frames, crop.shape[1]))

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


def _transposed(crop: np.ndarray, bands: int) -> np.ndarray:
    """Move a crop (N, K) along the bands; what comes in at the edge repeats the last band."""
    moved = np.roll(crop, bands, axis=1)
    if bands > 0:
        moved[:, :bands] = crop[:, :1]
    else:
        moved[:, bands:] = crop[:, -1:]
    return moved
