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
# is worth. Measured on two held-out pieces of each of four corpora, steps of 93 ms, with weights of 0.5, 0.75 and 0.25
# for loudness, chroma and timbre: 0.03, 0.04 and 0.06 s give runs of 0.31, 0.44 and 0.76 s on average, 19, 7 and 1 %
# of the time in runs under 0.25 s, a distance 0.26, 0.33 and 0.43 of the way from the nearest to a random step, and
# pitch classes that correlate with the source's by 0.74, 0.70 and 0.64 (0.80 without continuity). Longer runs sound
# more like recordings: of six stretches of two pairs of corpora, on a transport plan, the matched targets at 0.04, 0.1
# and 0.2 s, in runs of 0.6, 1.3 and 3.5 s, are at a kernel distance of 129, 97 and 97 from both corpora, and agree with
# the source's pitch classes by 0.62, 0.49 and 0.35. A step that is stayed on or left out is spliced like a jump, and
# stutters besides: it costs as much.
JUMP_S = 0.1
STRETCH_S = 0.1
# States that the search keeps at each step.
WIDTH = 32
UNIT_STEPS = 256
GOLDEN = (math.sqrt(5) - 1) / 2
# Noise, and what a later variation pays, goes by stretches of the source and places of the target as long as a
# phrase's beginning: noise on every step alone would cut the runs up instead of leading them elsewhere.
PLACE_S = 2.0
# Of a short target a place is less, so that there is somewhere else to go: of walks and of targets of 4 s, two pairs of
# corpora, the second to fourth variations are elsewhere than the first 30 % of the time with a single length, and
# 95 % with eight places.
LEAST_PLACES = 8
# Copies have one price in a transport plan: so much noise, in median distances of a match, spreads the path over them.
TIES = 0.01
# What a place costs each time that an earlier variation was there at the same time, in median distances of a match,
# and the share of it that it costs at any other time. Four variations of two held-out pieces of each of four corpora:
# with 0.05, 0.1 and 0.2 or more, two of them are more than a second apart 97, 99.7 and 99.9 % of the time; with 0,
# 0.02 and 0.05 at any other time, 51, 30 and 16 % of what one uses is used by another at some time, and the last is
# 3.7, 4.2 and 5.2 % dearer than the first.
VARIATION_COST = 0.5
ELSEWHERE = 0.04
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
    source : Latents
        See `match`, as for all but `n`.
    targets : sequence of Latents
        One for each target file.
    n : int
        How many.
    dials : Dials
        How each is aligned.
    n_candidates : int
        Nearest steps considered for a jump.
    seed : int
        Of what is drawn.
    exclude : int, optional
        Target file to leave out.
    pool_s : float
        Seconds of target that are searched at most.
    allowed : sequence of np.ndarray, optional
        Steps that may be used.

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
    >>> codes = np.random.default_rng(0).standard_normal((4, 400)).astype(np.float32)
    >>> target = Latents(codes, np.zeros(400, np.float32), 8000, 1024)
    >>> source = Latents(codes[::-1, :80].copy(), np.zeros(80, np.float32), 8000, 1024)
    >>> one, two = variations(source, [target], 2)
    >>> one.apart(two, slack=4) > 0.3
    True
    """
    if n < 1:
        raise BadInput(f"variations: must be 1 or more, got {n}")
    pool = choose(source, targets, exclude=exclude, pool_s=pool_s, seed=seed, allowed=allowed)
    if dials.align == "off":
        # Beginnings spread by the golden ratio are far apart however many there are, so that one does not depend on n.
        starts = [round(i * GOLDEN % 1 * pool.n_steps) for i in range(n)]
        return [pool.path((np.arange(source.n_steps) + start) % pool.n_steps) for start in starts]
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
        """Mark where a path was: a place at its time 1, those beside it 0.5, at other times less, shape (S, Q)."""
        last = int(self.surcharge.place.max())
        marks = np.zeros((len(self.surcharge.by_place), last + 1), np.float32)
        row, place = np.arange(len(found)) // self.surcharge.span, self.surcharge.place[found]
        for beside in (-1, 1):
            np.maximum.at(marks, (row, np.clip(place + beside, 0, last)), 0.5)
        marks[row, place] = 1.0
        return np.maximum(marks, ELSEWHERE * marks.max(axis=0))


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
    span = int(np.clip(pool.n_steps // LEAST_PLACES, 1, max(1, round(PLACE_S * source.step_rate_hz))))
    place = pool.places(span)
    shape = (math.ceil(source.n_steps / span), int(place.max()) + 1)
    randomness = max(dials.randomness, TIES if dials.align == "transport" else 0.0)
    by_place = np.zeros(shape, np.float32)
    if randomness:
        by_place = np.random.default_rng(seed).standard_normal(shape, np.float32)
        by_place *= randomness * unit
    surcharge = Surcharge(by_step, by_place, span, place)
    return _Search(points, rows, pool, surcharge, unit, dials, n_candidates, source.step_rate_hz)
