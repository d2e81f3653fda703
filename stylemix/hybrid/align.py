"""Which moment of which target file belongs to each moment of the source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stylemix.arrays import Latents
from stylemix.errors import BadInput

# How much one standard deviation of loudness weighs against one of a whole latent vector.
LOUDNESS_WEIGHT = 0.5
# What a jump costs, as the seconds of going on at the median distance (of a step to its nearest candidate) that it
# is worth. Measured on two held-out pieces of each of four corpora, steps of 93 ms: 0.023, 0.033 and 0.046 s give runs
# of 0.39, 0.67 and 1.16 s on average, 17, 4 and 0 % of the time in runs under 0.25 s, and a distance 0.24, 0.29 and
# 0.35 of the way from the nearest to a random step.
JUMP_S = 0.03
STRETCH_S = 0.012
# A chunk of distances to an hour of target takes 512 * 78,000 * 4 bytes = 160 MB.
CHUNK_STEPS = 512


@dataclass(frozen=True)
class Path:
    """A way through the target files on the source's timeline.

    Parameters
    ----------
    file : np.ndarray, shape (M,), int
        Index of the target file at each latent step of the source.
    step : np.ndarray, shape (M,), int
        Latent step inside that file.
    """

    file: np.ndarray
    step: np.ndarray

    @property
    def n_steps(self) -> int:
        """Number of steps of the source."""
        return len(self.file)

    def runs(self) -> np.ndarray:
        """Cut the path where it does not simply go on.

        Returns
        -------
        np.ndarray, shape (R, 2), int
            First step and one past the last of each run, on the source's timeline.

        Examples
        --------
        >>> Path(np.array([0, 0, 1, 1]), np.array([4, 5, 6, 7])).runs().tolist()
        [[0, 2], [2, 4]]
        """
        breaks = np.flatnonzero((np.diff(self.file) != 0) | (np.diff(self.step) != 1)) + 1
        edges = np.concatenate([[0], breaks, [self.n_steps]])
        return np.stack([edges[:-1], edges[1:]], axis=1)

    def held(self, slack: int) -> Path:
        """Let runs go on until they are more than `slack` steps off: small changes of tempo splice rarely.

        Parameters
        ----------
        slack : int
            Steps.

        Returns
        -------
        Path
            Each step at most `slack` from where it was, in the same file.

        Examples
        --------
        >>> Path(np.zeros(6, int), np.array([0, 1, 3, 4, 6, 7])).held(1).step.tolist()
        [0, 1, 2, 3, 6, 7]
        """
        step = self.step.copy()
        for m in range(1, self.n_steps):
            going_on = step[m - 1] + 1
            if self.file[m] == self.file[m - 1] and abs(going_on - self.step[m]) <= slack:
                step[m] = going_on
        return Path(self.file, step)


def match(
    source: Latents,
    targets: list[Latents],
    *,
    pool_s: float = 3600.0,
    n_candidates: int = 24,
    seed: int = 0,
    exclude: int | None = None,
) -> Path:
    """Match every step of the source with a step of the targets, preferring to go on where it is.

    Candidates are the nearest steps in the latent space, whitened by the spread of both sides, with the
    loudness of each side relative to its own mean as one more dimension. The path through them is the
    cheapest in which going on in a file is free, staying or leaving out a step costs a little and jumping
    costs more.

    Parameters
    ----------
    source : Latents
        Codes of shape (D, M).
    targets : list of Latents
        One for each target file, same D.
    pool_s : float
        At most so many seconds of target are searched, taken from all files alike.
    n_candidates : int
        Nearest steps considered for a jump.
    seed : int
        Chooses the stretches when not all is searched.
    exclude : int, optional
        Index of a target file to leave out (the source itself).

    Returns
    -------
    Path
        M steps.

    Raises
    ------
    BadInput
        If there is no target material at all.
    """
    from stylemix.hybrid._kernels import beam_search

    file_of, step_of = _pool(targets, round(pool_s * source.step_rate_hz), seed, exclude)
    if not len(file_of):
        raise BadInput(
            "hybrid: there is no target material to match with; give --target or train on longer files"
        )
    pool = _gather(targets, file_of, step_of)
    points, pool = _whitened(_points(source), pool)
    fresh, jump = _nearest(points, pool, min(n_candidates, len(pool)))
    # A stretch of the pool ends where the file or the sampling ends.
    stretch = np.cumsum(np.concatenate([[0], (np.diff(file_of) != 0) | (np.diff(step_of) != 1)]))
    rate = source.step_rate_hz
    path, _ = beam_search(points, pool, stretch, fresh, JUMP_S * rate * jump, STRETCH_S * rate * jump, 32)
    return Path(file_of[path], step_of[path])


def _points(latents: Latents) -> np.ndarray:
    """Codes with the mean-free loudness as one more dimension, shape (M, D + 1)."""
    loudness = step_loudness(latents)
    loudness = np.maximum(loudness, loudness.max() - 7.0)  # -60 dB: below that, silence is silence
    return np.concatenate([latents.codes, (loudness - loudness.mean())[None]]).T.astype(np.float32)


def step_loudness(latents: Latents) -> np.ndarray:
    """Bring the loudness of the feature frames to the latent steps.

    Parameters
    ----------
    latents : Latents
        N frames of loudness, M steps.

    Returns
    -------
    np.ndarray, shape (M,)
        Mean log-loudness of the frames of each step.
    """
    n_frames, n_steps = len(latents.loudness), latents.n_steps
    edges = (np.arange(n_steps) * n_frames) // max(1, n_steps)
    if n_frames < n_steps:
        return np.full(n_steps, latents.loudness.mean() if n_frames else 0.0)
    return np.add.reduceat(latents.loudness, edges) / np.diff(np.append(edges, n_frames))


def _pool(
    targets: list[Latents], n_wanted: int, seed: int, exclude: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the stretches to search: everything, or the same share of each file in pieces of ten seconds."""
    lengths = [0 if i == exclude else t.n_steps for i, t in enumerate(targets)]
    share = min(1.0, n_wanted / max(1, sum(lengths)))
    rng = np.random.default_rng(seed)
    files, steps = [], []
    for i, (length, latents) in enumerate(zip(lengths, targets, strict=True)):
        piece = max(1, round(10 * latents.step_rate_hz))
        starts = np.arange(0, length, piece)
        if share < 1:
            starts = np.sort(rng.permutation(starts)[: max(1, round(share * len(starts)))])
        for start in starts:
            step = np.arange(int(start), min(int(start) + piece, length))
            files.append(np.full(len(step), i))
            steps.append(step)
    if not files:
        return np.zeros(0, int), np.zeros(0, int)
    return np.concatenate(files), np.concatenate(steps)


def _gather(targets: list[Latents], file_of: np.ndarray, step_of: np.ndarray) -> np.ndarray:
    return np.concatenate([_points(targets[i])[step_of[file_of == i]] for i in np.unique(file_of)])


def _whitened(points: np.ndarray, pool: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Divide by the spread within the two sides: a distance of 1 is one standard deviation of all."""
    variance = 0.5 * (points.var(axis=0) + pool.var(axis=0))
    n_dims = points.shape[1] - 1
    weights = np.full(n_dims + 1, 1 / np.sqrt(n_dims))
    weights[-1] = LOUDNESS_WEIGHT
    # A dimension that never moves says nothing; it is not blown up.
    scale = (weights / np.sqrt(np.maximum(variance, 1e-6 * max(variance.max(), 1e-12)))).astype(np.float32)
    return np.ascontiguousarray(points * scale), np.ascontiguousarray(pool * scale)


def _nearest(points: np.ndarray, pool: np.ndarray, k: int) -> tuple[np.ndarray, float]:
    """Return the k nearest pool points of each point, and the median distance to the nearest."""
    import torch

    tensor = torch.from_numpy(pool)
    half_norm = 0.5 * tensor.square().sum(dim=1)
    found, nearest = [], []
    for start in range(0, len(points), CHUNK_STEPS):
        chunk = torch.from_numpy(points[start : start + CHUNK_STEPS])
        # |p - q|^2 = |p|^2 + 2 (|q|^2 / 2 - p q): the nearest have the largest p q - |q|^2 / 2.
        values, index = torch.addmm(-half_norm, chunk, tensor.T).topk(k, dim=1)
        found.append(index.to(torch.int32).numpy())
        nearest.append((chunk.square().sum(dim=1) - 2 * values[:, 0]).clamp_min(0).sqrt().numpy())
    return np.concatenate(found), max(float(np.median(np.concatenate(nearest))), 1e-6)
