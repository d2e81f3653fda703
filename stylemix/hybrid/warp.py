"""Two given sounds aligned in time: dynamic time warping of their latents, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stylemix.arrays import Latents
from stylemix.hybrid.alignment.check import check
from stylemix.hybrid.alignment.path import Path
from stylemix.hybrid.alignment.space import Weights, compare
from stylemix.hybrid.dials import Dials

# The coarse alignment compares at most so many steps a side; the fine one looks this many coarse steps
# around it.
MOST_STEPS = 4000
BAND_STEPS = 3
# Cost of a step that is not diagonal, in median distances.
SLANT_COST = 0.3
DEFAULT = Dials()


def warp(source: Latents, target: Latents, *, dials: Dials = DEFAULT, pins: Sequence[int] = ()) -> Path:
    """Align the target to the source's timeline: first coarsely as a whole, then finely along that.

    Parameters
    ----------
    source, target : Latents
        Codes of shape (D, M) and (D, P).
    dials : Dials
        Its weights of loudness, chroma and timbre count.
    pins : sequence of int
        Rising steps at which both sides are at the same step, whatever would fit better.

    Returns
    -------
    Path
        M steps of file 0, never falling, from the target's beginning to its end.

    Raises
    ------
    BadInput
        If a side is empty, the target is silent, or the two do not belong together.
    """
    check(source, [target])
    weights = Weights(dials.loudness, dials.chroma, dials.timbre)
    points, pool = compare(source, [target], [np.arange(target.n_steps)], weights)
    slant = SLANT_COST * _typical_distance(points, pool)
    inner = [pin for pin in pins if 0 < pin < min(len(points), len(pool))]
    sides = [(0, 0), *zip(inner, inner, strict=True), (len(points), len(pool))]
    steps = [b + _warped(points[a:m], pool[b:p], slant) for (a, b), (m, p) in zip(sides, sides[1:], strict=False)]
    return Path(np.zeros(len(points), int), np.concatenate(steps))


def _warped(points: np.ndarray, pool: np.ndarray, slant: float) -> np.ndarray:
    coarse, factor_a, factor_b = _coarse(points, pool, slant)
    if factor_a == factor_b == 1:
        return coarse
    at = (np.arange(len(points)) - (factor_a - 1) / 2) / factor_a
    middle = np.interp(at, np.arange(len(coarse)), coarse * factor_b + (factor_b - 1) / 2)
    reach = BAND_STEPS * max(factor_a, factor_b)
    return _along(points, pool, middle, reach, slant)


def _coarse(points: np.ndarray, pool: np.ndarray, slant: float) -> tuple[np.ndarray, int, int]:
    factor_a, factor_b = (max(1, -(-len(x) // MOST_STEPS)) for x in (points, pool))
    a, b = _decimated(points, factor_a), _decimated(pool, factor_b)
    middle = np.linspace(0, len(b) - 1, len(a)) if len(a) > 1 else np.zeros(1)
    return _along(a, b, middle, len(b), slant), factor_a, factor_b


def _along(a: np.ndarray, b: np.ndarray, middle: np.ndarray, reach: int, slant: float) -> np.ndarray:
    """Warp within `reach` steps of a line; a b that is much the longer is thinned out first."""
    from stylemix.hybrid._kernels import banded_warp

    # At most three steps of b pass in one of a: a much longer b is thinned out to twice the length first.
    thin = max(1, -(-len(b) // max(1, 2 * len(a))))
    b = _decimated(b, thin)
    middle = middle / thin
    low = np.clip(np.floor(middle - reach), 0, len(b) - 1).astype(np.int64)
    high = np.clip(np.ceil(middle + reach) + 1, 1, len(b)).astype(np.int64)
    path = banded_warp(a, b, low, high, slant)
    return path * thin + (thin - 1) // 2


def _decimated(x: np.ndarray, factor: int) -> np.ndarray:
    if factor == 1:
        return x
    edges = np.arange(0, len(x), factor)
    sums = np.add.reduceat(x, edges, axis=0)
    return (sums / np.diff(np.append(edges, len(x)))[:, None]).astype(np.float32)


def _typical_distance(points: np.ndarray, pool: np.ndarray) -> float:
    rng = np.random.default_rng(0)
    a = points[rng.integers(len(points), size=512)]
    b = pool[rng.integers(len(pool), size=512)]
    return float(np.median(np.linalg.norm(a - b, axis=1)))
