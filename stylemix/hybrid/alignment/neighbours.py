"""The nearest steps of the target to every step of the source: exact, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

# Exact, because nothing else is quicker for one search: in five hours of target an index of nearest-neighbour descent
# takes three quarters as long to build as all distances from five minutes of source, to find 9 % of the 24 nearest
# (57 % in half an hour); lists around k-means' centres take as long to build, and find 99 % more slowly still
# (tests/bench/bench_search.py, latents of 153 dimensions resampled from a run).
# Distances of so many steps of the source to so many of the target are in memory at a time: 32 MB.
CHUNK_STEPS = 256
BLOCK_STEPS = 32768


@dataclass(frozen=True)
class Surcharge:
    """What a step of the target costs beside its distance.

    Parameters
    ----------
    by_step : np.ndarray, shape (P,), float32
        Wherever in the source.
    by_place : np.ndarray, shape (S, Q), float32
        In each stretch of the source for each place of the target.
    span : int
        Steps in a stretch of the source.
    place : np.ndarray, shape (P,), int32
        Place of each step of the target.
    """

    by_step: np.ndarray
    by_place: np.ndarray
    span: int
    place: np.ndarray

    @classmethod
    def none(cls, n_pool: int) -> Surcharge:
        """Charge nothing.

        Parameters
        ----------
        n_pool : int
            P.

        Returns
        -------
        Surcharge
            Zeros.
        """
        return cls(np.zeros(n_pool, np.float32), np.zeros((1, 1), np.float32), 1 << 30, np.zeros(n_pool, np.int32))

    @property
    def is_none(self) -> bool:
        """Whether nothing is charged."""
        return not self.by_step.any() and not self.by_place.any()

    def plus(self, by_place: np.ndarray) -> Surcharge:
        """Charge more for places.

        Parameters
        ----------
        by_place : np.ndarray, shape (S, Q)
            In each stretch of the source for each place of the target.

        Returns
        -------
        Surcharge
            The sum.
        """
        return replace(self, by_place=(self.by_place + by_place).astype(np.float32))


def nearest(points: np.ndarray, pool: np.ndarray, k: int, surcharge: Surcharge) -> tuple[np.ndarray, np.ndarray]:
    """Find the cheapest steps of the pool for each step of the source.

    Parameters
    ----------
    points : np.ndarray, shape (M, E), float32
        The source.
    pool : np.ndarray, shape (P, E), float32
        The target.
    k : int
        How many, at most P.
    surcharge : Surcharge
        What is added to the Euclidean distances.

    Returns
    -------
    found : np.ndarray, shape (M, k), int32
        The cheapest first.
    cost : np.ndarray, shape (M, k), float32
        Distance plus surcharge.
    """
    import torch

    half_norms = 0.5 * np.einsum("pe,pe->p", pool, pool)
    free = surcharge.is_none
    found, costs = np.empty((len(points), k), np.int32), np.empty((len(points), k), np.float32)
    for start in range(0, len(points), CHUNK_STEPS):
        chunk = points[start : start + CHUNK_STEPS]
        best, index = torch.empty(len(chunk), 0), torch.empty(len(chunk), 0, dtype=torch.int64)
        for low in range(0, len(pool), BLOCK_STEPS):
            block = slice(low, low + BLOCK_STEPS)
            cost = _costs(chunk, pool[block], half_norms[block])
            if not free:
                rows = np.arange(start, start + len(chunk)) // surcharge.span
                by_place = surcharge.by_place[rows[0] : rows[-1] + 1][:, surcharge.place[block]]
                cost += torch.from_numpy(by_place + surcharge.by_step[block])[rows - rows[0]]
            some, at = cost.topk(min(k, cost.shape[1]), dim=1, largest=False)
            best, index = torch.cat([best, some], dim=1), torch.cat([index, at + low], dim=1)
            best, order = best.topk(min(k, best.shape[1]), dim=1, largest=False)
            index = index.gather(1, order)
        found[start : start + len(chunk)], costs[start : start + len(chunk)] = index.numpy(), best.numpy()
    return found, costs


def _costs(chunk: np.ndarray, block: np.ndarray, half_norms: np.ndarray):  # type: ignore[no-untyped-def]
    """Euclidean distances: |p - q|^2 = |p|^2 + 2 (|q|^2 / 2 - p q)."""
    import torch

    p = torch.from_numpy(chunk)
    squares = torch.addmm(torch.from_numpy(half_norms), p, torch.from_numpy(block).T, alpha=-1)
    return squares.mul_(2).add_(p.square().sum(dim=1, keepdim=True)).clamp_min_(0).sqrt_()
