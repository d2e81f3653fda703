"""The space in which moments of source and target are compared: latents beside loudness, chroma and timbre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stylemix.arrays import Latents

# Softer by more than this than the loudest step (natural logarithm, 60 dB), silence is silence.
SILENCE = 7.0
# A dimension that hardly moves says nothing; it is not blown up beyond this.
LEAST_VARIANCE = 1e-6
# Whitened latents are shortened to this power of their length: steps near the mean of all, the blandest, would
# otherwise be the nearest to everything. Two held-out pieces of each of four corpora, the nearest step of each, without
# chroma: at powers of 1, 0.5 and 0 the 1 % of steps used most take 66, 43 and 31 % of the matches, at a distance of
# 1.14, 1.16 and 1.25 (random steps: 1.45); envelopes correlate with the source's by 0.19, 0.25 and 0.24, pitch
# classes by 0.19, 0.20 and 0.24.
LENGTH_POWER = 0.5


@dataclass(frozen=True)
class Weights:
    """How much each descriptor of a moment weighs beside its latents.

    Parameters
    ----------
    loudness, chroma, timbre : float
        With 1, the variance of the descriptor counts as much as that of the whole latent vector.
    """

    loudness: float = 0.5
    chroma: float = 0.0
    timbre: float = 0.0


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


def compare(
    source: Latents, targets: Sequence[Latents], chosen: Sequence[np.ndarray], weights: Weights
) -> tuple[np.ndarray, np.ndarray]:
    """Place the steps of both sides where their distances say how unlike they are.

    The squared distance is that of the latents, every dimension divided by its spread within the two sides and by
    the root of their number, and their length then taken to the power `LENGTH_POWER`, plus that of each descriptor,
    divided by its spread and multiplied by its weight. Two steps drawn at random are about 2 apart, in squares, by
    their latents and by each descriptor of weight 1.

    Loudness and timbre are compared relative to the mean of their side, since the corpora differ in both and what is
    soft in the one shall meet what is soft in the other. Chroma is not: a pitch is a pitch in both.

    Parameters
    ----------
    source : Latents
        Codes of shape (D, M).
    targets : sequence of Latents
        Same D.
    chosen : sequence of np.ndarray, int
        The steps that are taken of each target.
    weights : Weights
        Of the descriptors. Chroma and timbre are left out where any of the latents has none.

    Returns
    -------
    points : np.ndarray, shape (M, E), float32
        The source.
    pool : np.ndarray, shape (P, E), float32
        The chosen steps, one target after the other.
    """
    names = ["codes", "loudness"] if weights.loudness > 0 else ["codes"]
    for name in ("chroma", "timbre"):
        if getattr(weights, name) > 0 and all(getattr(x, name) is not None for x in (source, *targets)):
            names.append(name)
    points = np.concatenate([_rows(source, name, None) for name in names], axis=1)
    # Filled file by file: a pool of hours is never in memory twice.
    pool = np.empty((sum(len(steps) for steps in chosen), points.shape[1]), np.float32)
    at = 0
    for latents, steps in zip(targets, chosen, strict=True):
        pool[at : at + len(steps)] = np.concatenate([_rows(latents, name, steps) for name in names], axis=1)
        at += len(steps)
    start = 0
    for name in names:
        size = _rows(source, name, np.zeros(1, int)).shape[1]
        here = slice(start, start + size)
        _scale(points[:, here], pool[:, here], name, 1.0 if name == "codes" else getattr(weights, name))
        start += size
    return points, pool


def _rows(latents: Latents, name: str, steps: np.ndarray | None) -> np.ndarray:
    """What is compared, a row a step."""
    if name == "loudness":
        loudness = step_loudness(latents)
        values = np.maximum(loudness, loudness.max(initial=-np.inf) - SILENCE)[None]
    else:
        values = getattr(latents, name)
    return (values if steps is None else values[:, steps]).T.astype(np.float32)


def _scale(points: np.ndarray, pool: np.ndarray, name: str, weight: float) -> None:
    """Centre and scale the two sides of one part, in place."""
    # In double precision, though of single numbers: the mean of hours of them is exact enough for a variance.
    variance = 0.5 * (points.var(axis=0, dtype=np.float64) + _variance(pool))
    if name in ("loudness", "timbre"):
        points -= points.mean(axis=0)
        pool -= pool.mean(axis=0, dtype=np.float64).astype(np.float32)
    if name != "codes":
        # A descriptor keeps its shape: one number for all of its dimensions.
        variance = np.full_like(variance, variance.sum())
    else:
        variance = np.maximum(variance, LEAST_VARIANCE * variance.max(initial=0.0)) * len(variance)
    scale = (weight / np.sqrt(np.maximum(variance, 1e-12))).astype(np.float32)
    points *= scale
    pool *= scale
    if name == "codes":
        middle = 0.5 * (points.mean(axis=0) + pool.mean(axis=0, dtype=np.float64)).astype(np.float32)
        for side in (points, pool):
            _shorten(side, middle)


def _shorten(codes: np.ndarray, middle: np.ndarray, rows: int = 16384) -> None:
    """Take lengths to a power, about the middle of both sides, in place. Whitened codes have a mean square of 1."""
    for start in range(0, len(codes), rows):
        some = codes[start : start + rows]
        some -= middle
        some *= np.maximum(np.linalg.norm(some, axis=1, keepdims=True), 1e-6) ** (LENGTH_POWER - 1)


def _variance(pool: np.ndarray, rows: int = 16384) -> np.ndarray:
    """Variance of the columns, without a copy of all of them."""
    mean = pool.mean(axis=0, dtype=np.float64)
    total = np.zeros(pool.shape[1])
    for start in range(0, len(pool), rows):
        total += np.square(pool[start : start + rows] - mean).sum(axis=0)
    return total / max(1, len(pool))
