"""Which steps of the target files a search goes through, and what cannot be searched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stylemix.arrays import Latents
from stylemix.errors import BadInput
from stylemix.hybrid.alignment.check import check
from stylemix.hybrid.alignment.path import Path

# Where not all can be searched, pieces as long as this are.
PIECE_S = 10.0


@dataclass(frozen=True)
class Pool:
    """The steps of the targets that are searched, in the order of their files.

    Parameters
    ----------
    file, step : np.ndarray, shape (P,), int32
        Where each is from.
    stretch : np.ndarray, shape (P,), int32
        Number of the stretch in which one step follows the other without a gap.
    """

    file: np.ndarray
    step: np.ndarray
    stretch: np.ndarray

    @property
    def n_steps(self) -> int:
        """P."""
        return len(self.step)

    def path(self, found: np.ndarray) -> Path:
        """Turn indices into the pool into a path.

        Parameters
        ----------
        found : np.ndarray, shape (M,), int
            One for each step of the source.

        Returns
        -------
        Path
            Their files and steps.
        """
        return Path(self.file[found].astype(int), self.step[found].astype(int))

    def places(self, span: int) -> np.ndarray:
        """Number the places of the pool.

        Parameters
        ----------
        span : int
            Steps in a place; none goes over the end of a stretch.

        Returns
        -------
        np.ndarray, shape (P,), int32
            From 0, rising.
        """
        starts = np.flatnonzero(np.diff(self.stretch, prepend=-1))
        begin = np.zeros(self.n_steps, bool)
        since = np.arange(self.n_steps) - np.repeat(starts, np.diff(np.append(starts, self.n_steps)))
        begin[since % span == 0] = True
        return (np.cumsum(begin) - 1).astype(np.int32)


def choose(
    source: Latents,
    targets: Sequence[Latents],
    *,
    exclude: int | None,
    pool_s: float,
    seed: int,
    allowed: Sequence[np.ndarray] | None,
) -> Pool:
    """Choose the steps to search: all that are allowed, or the same share of each file in pieces of ten seconds.

    Parameters
    ----------
    source : Latents
        Codes of shape (D, M).
    targets : sequence of Latents
        One for each target file.
    exclude : int or None
        Index of a target file to leave out.
    pool_s : float
        At most so many seconds are searched.
    seed : int
        Chooses the pieces where not all is searched.
    allowed : sequence of np.ndarray, or None
        For each target file a boolean for every latent step: only the steps that are true are used.

    Returns
    -------
    Pool
        At least one step.

    Raises
    ------
    BadInput
        If there is nothing to search, or it cannot be compared.
    """
    check(source, targets, exclude=exclude, allowed=allowed)
    lengths = [0 if i == exclude else t.n_steps for i, t in enumerate(targets)]
    share = min(1.0, pool_s * source.step_rate_hz / max(1, sum(lengths)))
    rng = np.random.default_rng(seed)
    piece = max(1, round(PIECE_S * source.step_rate_hz))
    files, steps = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    for i, length in enumerate(lengths):
        kept = np.ones(length, bool) if allowed is None or i == exclude else np.asarray(allowed[i]).copy()
        if share < 1:
            n_pieces = -(-length // piece)
            left = rng.permutation(n_pieces)[max(1, round(share * n_pieces)) :]
            kept &= ~np.isin(np.arange(length) // piece, left)
        steps.append(np.flatnonzero(kept).astype(np.int32))
        files.append(np.full(len(steps[-1]), i, np.int32))
    file, step = np.concatenate(files), np.concatenate(steps)
    if not len(step):
        raise BadInput("allowed: none of the target's steps may be used; choose a cluster that the target files reach")
    gaps = (np.diff(file) != 0) | (np.diff(step) != 1)
    return Pool(file, step, np.concatenate([[0], np.cumsum(gaps)]).astype(np.int32))
