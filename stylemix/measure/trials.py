"""The measurements of a mode, as numbers: how its hybrids sound, what explains them, what they keep, how they move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from stylemix.arrays import Wave
from stylemix.measure.evidence import Described, Stretch, describe_waves
from stylemix.measure.fade import fade_shares
from stylemix.measure.judges import JUDGES, Judge
from stylemix.measure.metrics import chroma_correlation, path_evenness, spectral_convergence_db, standardised
from stylemix.measure.onsets import onset_correlation
from stylemix.measure.rendering import Rendered
from stylemix.measure.timbre import TIMBRE, path_errors

# What the names of the shares are in `FadeShares`.
EXPLAINED = {
    "explained": "both",
    "explained_source": "source",
    "explained_target": "target",
    "explained_magnitudes": "magnitudes",
}
RATE_HZ = 22050


def measure_mode(
    rendered: Sequence[Rendered],
    judges: Sequence[Judge],
    corpora: Sequence[Described],
    *,
    report: Callable[[float], None] = lambda done: None,
) -> dict[str, Any]:
    """Measure the hybrids of one mode at every alpha.

    Parameters
    ----------
    rendered : sequence of Rendered
        All at the same alphas, from 0 to 1 in equal steps.
    judges : sequence of Judge
        From `appoint_judges`; the first one's findings stand in each row, the second one's under ``second``.
    corpora : sequence of two Described
        At alpha 0 and at alpha 1: what is usual.
    report : callable
        ``report(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    dict
        JSON-safe. by_alpha: for each alpha position (what it became on the mode's path), p_b, off_line (p_b minus
        alpha), bend (p_b minus the straight line between its own ends), kad_source, kad_target, kad_union (value, low,
        high), explained (by a fade of source and target: `fade_r2`), explained_source and explained_target (by one
        alone), explained_magnitudes, hybridness (1 - explained), chroma and onsets (correlations with the source) and
        second (p_b, kad_… of the other judge). A value is None where it cannot be measured. calibrated: whether the
        run's own spacing gave the positions. warnings: what alpha does not mean. path: non_linearity and non_smoothness
        of the style features. timbre: see `measure_timbre`. alpha0_sc2048_db: the worst of the stretches against their
        sources.
    """
    alphas = list(rendered[0].hybrids)
    found, rows = [], []
    for n, alpha in enumerate(alphas):
        described = describe_waves([one.hybrids[alpha] for one in rendered])
        found.append(described)
        position = rendered[0].positions.get(alpha, alpha)
        rows.append({"alpha": alpha, "position": position, **_judged(described, judges), **_content(rendered, alpha)})
        report((n + 1) / len(alphas))
    first = [spectral_convergence_db(one.source.samples, one.hybrids[alphas[0]].samples) for one in rendered]
    return {
        "by_alpha": _against_the_line(rows),
        "calibrated": rendered[0].calibrated,
        "warnings": list(rendered[0].warnings),
        "path": _evenness(found, corpora),
        "timbre": measure_timbre(found, corpora),
        "alpha0_sc2048_db": max(first),
    }


def measure_timbre(found: Sequence[Described], corpora: Sequence[Described]) -> dict[str, Any] | None:
    """Measure how evenly descriptors of timbre move along alpha.

    Parameters
    ----------
    found : sequence of Described
        At each alpha, of the same stretches.
    corpora : sequence of Described
        Their common spread is the unit.

    Returns
    -------
    dict or None
        JSON-safe: descriptors (for each name: values, its mean at each alpha in its own unit, and non_linearity and
        non_smoothness in units of the corpora's spread, averaged over the stretches), and non_linearity and
        non_smoothness averaged over the descriptors. None if a stretch is silent at some alpha.
    """
    usual = np.concatenate([one.rows["timbre"] for one in corpora])
    stretches = np.unique(found[0].recordings)
    if any(not np.array_equal(np.unique(one.recordings), stretches) for one in found) or not len(stretches):
        return None
    # (n_stretches, n_alphas, F): a mean over stretches would hide what strays in opposite directions.
    paths = np.array([[one.rows["timbre"][one.recordings == k].mean(axis=0) for one in found] for k in stretches])
    errors = np.array([path_errors(standardised(path, usual)) for path in paths]).mean(axis=0)
    values = paths.mean(axis=0)
    descriptors = {
        name: {
            "values": [float(v) for v in values[:, k]],
            "non_linearity": float(errors[0, k]),
            "non_smoothness": float(errors[1, k]),
        }
        for k, name in enumerate(TIMBRE)
    }
    return {
        "non_linearity": float(errors[0].mean()),
        "non_smoothness": float(errors[1].mean()),
        "descriptors": descriptors,
    }


def measure_anchors(
    stretches: Sequence[Sequence[Stretch]], judges: Sequence[Judge], *, seed: int = 0
) -> dict[str, Any]:
    """Judge what no hybrid is: unheard recordings of both corpora, and white noise.

    They tell what the numbers of hybrids mean: recordings are as near as anything gets, noise belongs nowhere.

    Parameters
    ----------
    stretches : sequence of two sequences of Stretch
        Of the corpus at alpha 0 and at alpha 1.
    judges : sequence of Judge
        From `appoint_judges`.
    seed : int
        Of the noise.

    Returns
    -------
    dict
        JSON-safe: source, target, recordings (both) and noise, each with p_b, kad_source, kad_target, kad_union and
        second, as in a row of `measure_mode`.
    """
    from stylemix.audio import AudioReader

    waves: list[list[Wave]] = []
    for group in stretches:
        waves.append([])
        for one in group:
            with AudioReader(one.path) as reader:
                start = round(one.start_s * reader.sample_rate)
                stop = start + round(one.duration_s * reader.sample_rate)
                waves[-1].append(Wave(reader.read(start, stop), reader.sample_rate))
    seconds = max(one.duration_s for group in stretches for one in group)
    noise = Wave(0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ)), RATE_HZ)
    sets = {"source": waves[0], "target": waves[1], "recordings": [*waves[0], *waves[1]], "noise": [noise]}
    out = {}
    for name, sounds in sets.items():
        found = describe_waves(sounds)
        # Where both corpora are in a set, none of its resamples is to be of one of them alone.
        of_target = found.recordings >= len(waves[0]) if name == "recordings" else None
        out[name] = _judged(found, judges, of_target)
    return out


def _judged(described: Described, judges: Sequence[Judge], strata: np.ndarray | None = None) -> dict[str, Any]:
    found = {judge.name: judge.judge(described, strata) for judge in judges}
    return {**found[JUDGES[0]], "second": found[JUDGES[1]]}


def _content(rendered: Sequence[Rendered], alpha: float) -> dict[str, float]:
    shares = [fade_shares(one.hybrids[alpha], one.source, one.target) for one in rendered]
    means = {
        key: max(0.0, float(np.mean([getattr(share, name) for share in shares]))) for key, name in EXPLAINED.items()
    }
    return {
        **means,
        # Clipped above: a hybrid that its parents explain less than its own mean does is no newer for that.
        "hybridness": 1 - means["explained"],
        "chroma": float(np.mean([chroma_correlation(one.hybrids[alpha], one.source) for one in rendered])),
        "onsets": float(np.mean([onset_correlation(one.hybrids[alpha], one.source) for one in rendered])),
    }


def _against_the_line(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # Two lines: that of alpha itself is what is promised; that between the ends tells a late start from a bend.
    ends = rows[0]["p_b"], rows[-1]["p_b"]
    for row in rows:
        known = None not in (row["p_b"], *ends)
        row["off_line"] = row["p_b"] - row["alpha"] if row["p_b"] is not None else None
        row["bend"] = row["p_b"] - ((1 - row["alpha"]) * ends[0] + row["alpha"] * ends[1]) if known else None
    return rows


def _evenness(found: Sequence[Described], corpora: Sequence[Described]) -> dict[str, float | None]:
    name = JUDGES[0]
    none: dict[str, float | None] = {"non_linearity": None, "non_smoothness": None}
    if not all(len(one) for one in found):
        return none
    usual = np.concatenate([one.rows[name] for one in corpora])
    path = np.array([standardised(one.rows[name], usual).mean(axis=0) for one in found])
    if not np.any(path[0] != path[-1]):
        return none
    return dict(zip(none, path_evenness(path), strict=True))
