"""Which moment of which target file belongs to each moment of the source."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stylemix.arrays import Latents
from stylemix.errors import BadInput
from stylemix.hybrid.alignment.neighbours import Surcharge, nearest
from stylemix.hybrid.alignment.path import Path as Path
from stylemix.hybrid.alignment.plan import prices
from stylemix.hybrid.alignment.pool import Pool, choose
from stylemix.hybrid.alignment.space import Weights, compare
from stylemix.hybrid.alignment.space import step_loudness as step_loudness
from stylemix.hybrid.dials import Dials

# What a jump costs, as the seconds of going on at the median distance (of a step to its nearest candidate) that it
# is worth. Measured on two held-out pieces of each of four corpora, steps of 93 ms: 0.023, 0.033 and 0.046 s give runs
# of 0.39, 0.67 and 1.16 s on average, 17, 4 and 0 % of the time in runs under 0.25 s, and a distance 0.24, 0.29 and
# 0.35 of the way from the nearest to a random step.
JUMP_S = 0.04
STRETCH_S = 0.016
# States that the search keeps at each step.
WIDTH = 32
UNIT_STEPS = 256
# Noise, and what a later variation pays, is drawn by stretches of the source and places of the target as long as a
# phrase's beginning: noise on every step alone would cut the runs up instead of leading them elsewhere.
PLACE_S = 2.0
# What a place costs each time that an earlier variation was there, in median distances of a match.
VARIATION_COST = 0.2
# A pool of ten hours in steps of 93 ms takes 240 MB.
POOL_S = 36_000.0
DEFAULT = Dials()


def match(
    source: Latents,
    targets: Sequence[Latents],
    *,
    dials: Dials = DEFAULT,
    n_candidates: int = 24,
    seed: int = 0,
    exclude: int | None = None,
    pool_s: float = POOL_S,
    allowed: Sequence[np.ndarray] | None = None,
) -> Path:
    """Match every step of the source with a step of the targets.

    What two steps cost together is their distance in the space of `compare`: whitened latents beside loudness,
    chroma and timbre. By ``dials.align`` the path is

    - ``viterbi``: the cheapest in which going on in a file is free, staying or leaving out a step costs a little and
      jumping to one of the nearest steps costs more, by ``dials.continuity``;
    - ``transport``: the same, on distances from which the potentials of a transport plan are taken away, so that all
      of the target is used alike;
    - ``nearest``: the nearest step, whatever was before;
    - ``off``: the targets as they are, one after the other, from the beginning again after the last.

    Parameters
    ----------
    source : Latents
        Codes of shape (D, M).
    targets : sequence of Latents
        One for each target file, same D.
    dials : Dials
        Its alignment, continuity, randomness and weights count.
    n_candidates : int
        Nearest steps considered for a jump.
    seed : int
        Draws the noise of ``dials.randomness``, the sample of a transport plan, and the stretches that are searched
        when there are more than `pool_s`.
    exclude : int, optional
        Index of a target file to leave out (the source itself).
    pool_s : float
        At most so many seconds of target are searched, taken from all files alike.
    allowed : sequence of np.ndarray, optional
        For each target file a boolean for every latent step: only the steps that are true are used.

    Returns
    -------
    Path
        M steps.

    Raises
    ------
    BadInput
        If the source is shorter than a step, there is no target material, all of it is silent, or the latents of
        the two sides or the shapes in `allowed` do not belong together.

    Examples
    --------
    >>> codes = np.random.default_rng(0).standard_normal((4, 60)).astype(np.float32)
    >>> target = Latents(codes, np.zeros(60, np.float32), 8000, 1024)
    >>> source = Latents(codes[:, 20:25], np.zeros(5, np.float32), 8000, 1024)
    >>> match(source, [target]).step.tolist()
    [20, 21, 22, 23, 24]
    """
    pool = choose(source, targets, exclude=exclude, pool_s=pool_s, seed=seed, allowed=allowed)
    if dials.align == "off":
        return pool.path(np.arange(source.n_steps) % pool.n_steps)
    search = _prepare(source, targets, pool, dials, n_candidates, seed)
    return pool.path(search.find(search.surcharge))


def variations(
    source: Latents,
    targets: Sequence[Latents],
    n: int,
    *,
    dials: Dials = DEFAULT,
    n_candidates: int = 24,
    seed: int = 0,
    exclude: int | None = None,
    pool_s: float = POOL_S,
    allowed: Sequence[np.ndarray] | None = None,
) -> list[Path]:
    """Match in several ways that differ: each pays for being where an earlier one was at the same time.

    Parameters
    ----------
    source, targets, dials, n_candidates, seed, exclude, pool_s, allowed
        See `match`.
    n : int
        How many.

    Returns
    -------
    list of Path
        The first is what `match` gives. With ``dials.align`` ``off`` each begins elsewhere in the target.

    Raises
    ------
    BadInput
        As `match`, and if `n` is less than 1.

    Examples
    --------
    >>> codes = np.random.default_rng(0).standard_normal((4, 200)).astype(np.float32)
    >>> target = Latents(codes, np.zeros(200, np.float32), 8000, 1024)
    >>> source = Latents(codes[:, ::7].copy(), np.zeros(29, np.float32), 8000, 1024)
    >>> one, two = variations(source, [target], 2)
    >>> one.apart(two, slack=4) > 0
    True
    """
    if n < 1:
        raise BadInput(f"variations: must be 1 or more, got {n}")
    pool = choose(source, targets, exclude=exclude, pool_s=pool_s, seed=seed, allowed=allowed)
    if dials.align == "off":
        return [pool.path((np.arange(source.n_steps) + i * pool.n_steps // n) % pool.n_steps) for i in range(n)]
    search = _prepare(source, targets, pool, dials, n_candidates, seed)
    surcharge, paths = search.surcharge, []
    for _ in range(n):
        found = search.find(surcharge)
        paths.append(pool.path(found))
        surcharge = surcharge.plus(VARIATION_COST * search.unit * search.visited(found))
    return paths


@dataclass(frozen=True)
class _Search:
    """What all variations of a match have in common.

    Parameters
    ----------
    points : np.ndarray, shape (M, E)
        The source.
    rows : np.ndarray, shape (P, E)
        The pool.
    pool : Pool
        Where its steps are from.
    surcharge : Surcharge
        Of noise and of a transport plan.
    unit : float
        Median distance of a match.
    dials : Dials
        Alignment and continuity.
    n_candidates : int
        For a jump.
    rate_hz : float
        Steps per second.
    """

    points: np.ndarray
    rows: np.ndarray
    pool: Pool
    surcharge: Surcharge
    unit: float
    dials: Dials
    n_candidates: int
    rate_hz: float

    def find(self, surcharge: Surcharge) -> np.ndarray:
        """Find a way through the pool, shape (M,)."""
        from stylemix.hybrid._kernels import beam_search

        # Where a jump is free, every step goes where it is cheapest.
        if self.dials.align == "nearest" or self.dials.continuity == 0:
            return nearest(self.points, self.rows, 1, surcharge)[0][:, 0]
        fresh, _ = nearest(self.points, self.rows, min(self.n_candidates, len(self.rows)), surcharge)
        price = self.dials.continuity * self.rate_hz * self.unit
        path, _ = beam_search(
            self.points, self.rows, self.pool.stretch, fresh,
            surcharge.by_step, surcharge.by_place, surcharge.span, surcharge.place,
            JUMP_S * price, STRETCH_S * price, WIDTH,
        )  # fmt: skip
        return path

    def visited(self, found: np.ndarray) -> np.ndarray:
        """Mark the places that a path was in, and half of it their neighbours, shape (S, Q)."""
        marks = np.zeros(self.surcharge.by_place.shape, np.float32)
        row, place = np.arange(len(found)) // self.surcharge.span, self.surcharge.place[found]
        for beside in (-1, 1):
            np.maximum.at(marks, (row, np.clip(place + beside, 0, marks.shape[1] - 1)), 0.5)
        marks[row, place] = 1.0
        return marks


def _prepare(
    source: Latents, targets: Sequence[Latents], pool: Pool, dials: Dials, n_candidates: int, seed: int
) -> _Search:
    weights = Weights(dials.loudness, dials.chroma, dials.timbre)
    chosen = [pool.step[pool.file == i] for i in range(len(targets))]
    points, rows = compare(source, targets, chosen, weights)
    plain = Surcharge.none(len(rows))
    # A median needs no more steps than this, wherever in the source.
    _, distances = nearest(points[:: -(-len(points) // UNIT_STEPS)], rows, 1, plain)
    unit = max(float(np.median(distances)), 1e-6)
    by_step = prices(points, rows, unit, seed) if dials.align == "transport" else plain.by_step
    span = max(1, round(PLACE_S * source.step_rate_hz))
    place = pool.places(span)
    shape = (math.ceil(source.n_steps / span), int(place[-1]) + 1)
    noise = np.random.default_rng(seed).standard_normal(shape, np.float32) if dials.randomness else np.zeros(shape)
    by_place = (dials.randomness * unit * noise).astype(np.float32)
    surcharge = Surcharge(by_step, by_place, span, place)
    return _Search(points, rows, pool, surcharge, unit, dials, n_candidates, source.step_rate_hz)
