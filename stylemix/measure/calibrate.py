"""Space a run's alpha by what is heard: half-way is where the style is, not where the numbers are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.hybrid.alpha_map import AlphaMap, save_maps
from stylemix.hybrid.dials import Dials
from stylemix.measure.evidence import (
    Described,
    Stretch,
    describe_corpus,
    describe_waves,
    parts_of,
    stretch_within,
)
from stylemix.measure.judges import JUDGES
from stylemix.measure.rendering import render_alphas
from stylemix.model.device import threads
from stylemix.progress import progress
from stylemix.style_probe import StyleProbe, fit_probe

if TYPE_CHECKING:
    from stylemix.model.run import Run

MODES = ("match", "style")
# Close where the sound changes quickly: the envelope is exchanged in the first half of the path.
POSITIONS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0)
N_STRETCHES = 5
STRETCH_S = 6.0
# Of more corpora than this, only neighbours in their order are calibrated: pairs grow with the square.
MOST_CORPORA = 4
# What is less than twice this apart does not change style; half as far beyond it a posterior must be passed to be asked
# for.
CLEAR = 0.1
KNOTS = (0.25, 0.5, 0.75)
# Share of a straight line in the measured posterior, so that where it stands still alpha does not jump.
STRAIGHT = 0.1
STEPS = 32


def calibrate(run: Run, *, modes: Sequence[str] = MODES, seed: int = 0, show_progress: bool = True) -> dict[str, Any]:
    """Measure how style moves along the path of each mode, and store the spacing that makes its steps equal.

    Stretches of training files are rendered at positions along the path; linear classifiers of two kinds of style
    features, fitted to the same files, say how probable the other corpus is; their mean, made monotone, is inverted:
    alpha is where that probability is alpha, wherever the path passes it, and equal steps are equal steps of it [1]_.

    Parameters
    ----------
    run : Run
        A finished run.
    modes : sequence of str
        Modes to calibrate.
    seed : int
        Of the classifiers and the alignment.
    show_progress : bool
        Show a bar on stderr.

    Returns
    -------
    dict
        JSON-safe: maps, a list with mode, source, target, measured (positions and posteriors), half, the position at
        alpha 0.5, and reach, the posterior at the end; uncalibrated, the pairs of corpora (source, target) that were
        left out, where alpha stays the position on the path.

    Raises
    ------
    BadInput
        If the run has one corpus.
    StylemixError
        If the recordings are gone.

    References
    ----------
    .. [1] X. Niu, J. Zhang, C. P. Martin, "SoundMorpher: perceptually-uniform sound morphing with diffusion model",
       arXiv:2410.02144: the aim; here equal steps are steps of a posterior, not of a spectral distance.
    """
    n = len(run.corpora)
    if n < 2:
        raise BadInput(f"{run.path}: has one corpus; there is nothing between one, train on two folders")
    every = list(permutations(range(n), 2))
    pairs = [(a, b) for a, b in every if n <= MOST_CORPORA or abs(a - b) == 1]
    raw = [[run.corpora[a], run.corpora[b]] for a, b in every if (a, b) not in pairs]
    label = "calibrating alpha" + (f" ({len(raw)} of {len(every)} pairs stay raw)" if raw else "")
    maps: dict[tuple[str, str, str], tuple[AlphaMap, dict[str, Any]]] = {}
    # Segments are short: threads that wait for each other cost more than they add.
    with threads(1), progress(label, n + len(pairs) * len(modes), show=show_progress) as update:
        described = []
        for corpus in range(n):
            told = lambda share, c=corpus: update(c + share)  # noqa: E731
            described.append(describe_corpus(run, corpus, names=JUDGES, report=told))
        for k, (own, other) in enumerate(pairs):
            probes = _probes(described[own], described[other], seed)
            for m, mode in enumerate(modes):
                done = n + k * len(modes) + m
                posteriors = _posteriors(run, own, other, mode, probes, seed, lambda s, d=done: update(d + s))  # type: ignore[misc]
                facts = {"measured": np.stack([POSITIONS, posteriors], axis=1).round(4).tolist()}
                maps[mode, run.corpora[own], run.corpora[other]] = spaced(POSITIONS, posteriors.tolist()), facts
    # One file morphs into another along the path of a match.
    for (mode, own_name, other_name), found in list(maps.items()):
        if mode == "match":
            maps["morph", own_name, other_name] = found
    save_maps(run.path, maps)
    rows = [
        {"mode": mode, "source": a, "target": b, **facts, "half": float(one(np.array(0.5))), "reach": one.reach}
        for (mode, a, b), (one, facts) in maps.items()
    ]
    return {"maps": rows, "uncalibrated": raw}


def spaced(positions: Sequence[float], posteriors: Sequence[float]) -> AlphaMap:
    """Invert a measured posterior.

    Parameters
    ----------
    positions : sequence of float
        Increasing from 0 to 1.
    posteriors : sequence of float
        Of the other corpus, at each of them.

    Returns
    -------
    AlphaMap
        The identity where the posterior does not rise. Its reach is the posterior at the end.

    Examples
    --------
    >>> steep = spaced((0.0, 0.25, 0.5, 1.0), (0.1, 0.5, 0.8, 0.9))
    >>> bool(0.2 < steep(np.array(0.5)) < 0.3)
    True
    """
    from sklearn.isotonic import IsotonicRegression

    at = np.asarray(positions, dtype=np.float64)
    rising = IsotonicRegression().fit_transform(at, np.asarray(posteriors, dtype=np.float64))
    first, last = rising[0], rising[-1]
    reach = float(np.clip(last, 0, 1))
    if last - first < 2 * CLEAR:
        return AlphaMap((0.0, 1.0), (0.0, 1.0), reach)
    rising = (1 - STRAIGHT) * rising + STRAIGHT * (first + (last - first) * at)
    # Where the path passes a posterior of alpha itself, that is what alpha asks for; the ends are what they are.
    passed = [x for x in KNOTS if first + CLEAR / 2 < x < last - CLEAR / 2]
    # A path that never gets to a half has its half-way where half of its own way is done.
    passed = passed if 0.5 in passed else []
    alphas = np.linspace(0, 1, STEPS + 1)
    wanted = np.interp(alphas, [0.0, *passed, 1.0], [first, *passed, last])
    found = np.interp(wanted, rising, at)
    return AlphaMap(tuple(alphas.tolist()), (0.0, *found[1:-1].tolist(), 1.0), reach)


def _probes(own: Described, other: Described, seed: int) -> dict[str, StyleProbe]:
    labels = np.repeat([0, 1], [len(own), len(other)])
    recordings = np.concatenate([own.recordings, other.recordings])
    return {
        name: fit_probe(np.concatenate([own.rows[name], other.rows[name]]), labels, recordings, seed=seed)
        for name in JUDGES
    }


def _posteriors(
    run: Run,
    own: int,
    other: int,
    mode: str,
    probes: dict[str, StyleProbe],
    seed: int,
    report: Callable[[float], None],
) -> np.ndarray:
    """Mean posterior of the other corpus at each position, over stretches and judges."""
    waves: list[list[Wave]] = [[] for _ in POSITIONS]
    stretches = training_stretches(run, own)
    for n, stretch in enumerate(stretches):
        rendered = render_alphas(
            run, stretch, POSITIONS, dials=Dials(mode=mode), other=other, seed=seed, raw_alpha=True,
            report=lambda share, n=n: report((n + share) / len(stretches)),  # type: ignore[misc]
        )  # fmt: skip
        for place, position in zip(waves, POSITIONS, strict=True):
            place.append(rendered.hybrids[position])
    heard = [describe_waves(place, names=JUDGES) for place in waves]
    if not all(len(one) for one in heard):
        return np.array(POSITIONS)
    return np.array(
        [
            np.mean([probe.predict_proba(one.rows[name])[:, -1].mean() for name, probe in probes.items()])
            for one in heard
        ]
    )


def training_stretches(run: Run, corpus: int) -> list[Stretch]:
    """Choose stretches that no measurement on held-out sound will meet.

    Parameters
    ----------
    run : Run
        The trained model.
    corpus : int
        Which corpus.

    Returns
    -------
    list of Stretch
        Spread over the corpus' training files, at most five.
    """
    parts = parts_of(run, corpus, held_out=False) or parts_of(run, corpus, held_out=True)
    mine = list(parts)
    chosen = [mine[k] for k in np.unique(np.linspace(0, len(mine) - 1, N_STRETCHES).round().astype(int))]
    each = -(-N_STRETCHES // len(chosen))
    found = [
        Stretch(i, run.file_path(i), corpus, *stretch_within(parts[i], (k + 1) / (each + 1), STRETCH_S), False)
        for i in chosen
        for k in range(each)
    ]
    return found[:N_STRETCHES]
