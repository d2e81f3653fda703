"""What the learned space is worth: the same hybrids with PCA latents and with none, and whether the network wins."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stylemix.errors import StylemixError
from stylemix.hybrid.dials import Dials
from stylemix.measure.aims import HALF, LEAST_GAIN
from stylemix.measure.evidence import Stretch, describe_waves
from stylemix.measure.fade import fade_shares
from stylemix.measure.judges import Judge
from stylemix.measure.metrics import chroma_correlation
from stylemix.measure.onsets import onset_correlation
from stylemix.measure.rendering import Rendered, render_alphas
from stylemix.measure.variants import KINDS, variant

if TYPE_CHECKING:
    from stylemix.model.run import Run

MODES = ("match", "style")
FULL = "full"
# What the full model is held against.
RIVALS = ("PCA", "none")


@dataclass(frozen=True)
class _Work:
    """What every row is made and measured with."""

    stretches: Sequence[Stretch]
    judges: Sequence[Judge]
    other: int
    seed: int

    def render(self, run: Any, dials: Dials) -> list[Rendered]:
        return [
            render_alphas(run, stretch, (HALF,), dials=dials, other=self.other, seed=self.seed, raw_alpha=True)
            for stretch in self.stretches
        ]

    def row(self, names: Sequence[str], rendered: list[Rendered], targets: list[Rendered]) -> dict[str, Any]:
        described = describe_waves([one.hybrids[HALF] for one in rendered])
        first, second = (judge.judge(described) for judge in self.judges)
        shares = [
            max(0.0, fade_shares(one.hybrids[HALF], one.source, of.target).both)
            for one, of in zip(rendered, targets, strict=True)
        ]
        kept = {
            "chroma": [chroma_correlation(one.hybrids[HALF], one.source) for one in rendered],
            "onsets": [onset_correlation(one.hybrids[HALF], one.source) for one in rendered],
        }
        return {
            **dict(zip(("mode", "latents", "alignment"), names, strict=True)),
            "p_b": first["p_b"],
            "p_b_second": second["p_b"],
            "kad": first["kad_union"],
            "kad_second": second["kad_union"],
            "explained": float(np.mean(shares)),
            "explained_each": shares,
            **{key: float(np.mean(values)) for key, values in kept.items()},
        }


def measure_ablation(
    run: Run,
    stretches: Sequence[Stretch],
    judges: Sequence[Judge],
    *,
    dials: Dials | None = None,
    alignments: Sequence[str] | None = None,
    other: int = 1,
    seed: int = 0,
    report: Callable[[float], None] = lambda done: None,
) -> dict[str, Any]:
    """Measure half-way hybrids made with every kind of latents.

    Parameters
    ----------
    run : Run
        The trained model.
    stretches : sequence of Stretch
        The sources.
    judges : sequence of two Judge
        From `stylemix.measure.judges.appoint_judges`.
    dials : Dials, optional
        All but mode and alignment; else the usual.
    alignments : sequence of str
        How matches are found: some of `stylemix.hybrid.dials.ALIGNMENTS`; that of `dials` if not given.
    other : int
        The corpus at alpha 1.
    seed : int
        For the choice of the material that is searched.
    report : callable
        ``report(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    dict
        JSON-safe. rows: the fade of the full model's match, and for each of `KINDS` the modes match (once for each
        alignment) and style, with mode, latents, alignment, p_b, p_b_second (of the second judge), kad and kad_second
        (value, low, high, or None), kad_ratio and kad_ratio_second (over the fade's; None where that is not above 0),
        explained, explained_each (for each stretch), chroma, onsets. left_out: why a row is missing. against: see
        `compare`.

    Raises
    ------
    StylemixError
        If the full model's own match cannot be rendered.
    """
    dials = dials or Dials()
    work = _Work(stretches, judges, other, seed)
    first = replace(dials, mode="match", align=(alignments or (dials.align,))[0])
    matched = work.render(run, first)
    fades = [replace(one, hybrids={HALF: one.crossfade(HALF)}) for one in matched]
    rows, left_out = [work.row(("fade", FULL, first.align), fades, matched)], []
    wanted = [replace(first, align=align) for align in alignments or (dials.align,)] + [replace(dials, mode="style")]
    for n, kind in enumerate(KINDS):
        try:
            made = variant(run, kind)
            for k, asked in enumerate(wanted):
                rendered = matched if kind == FULL and asked == first else work.render(made, asked)
                # A style has no recorded target: what explains it is always what the full model meets.
                match = asked.mode == "match"
                names = (asked.mode, kind, asked.align if match else "–")
                rows.append(work.row(names, rendered, rendered if match else matched))
                report((n + (k + 1) / len(wanted)) / len(KINDS))
        except StylemixError as error:
            left_out.append(f"{kind}: {error}")
    report(1.0)
    _against_the_fade(rows)
    return {"rows": rows, "left_out": left_out, "against": compare(rows)}


def _against_the_fade(rows: Sequence[dict[str, Any]]) -> None:
    for key, ratio in (("kad", "kad_ratio"), ("kad_second", "kad_ratio_second")):
        fade = rows[0][key]
        for row in rows:
            known = row[key] is not None and fade is not None and fade["value"] > 0
            row[ratio] = row[key]["value"] / fade["value"] if known else None


def compare(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Hold the full model against PCA latents and no latents.

    Parameters
    ----------
    rows : sequence of dict
        From `measure_ablation`; of several alignments the first counts.

    Returns
    -------
    list of dict
        For each mode and rival mode, rival, nearer (by each judge: 1 if the full model is nearer to the recordings of
        both, -1 if farther, 0 where the difference may be chance, None if unknown) and newer (1 if a fade explains
        less of it, -1 if more, 0 where that may be chance).

    Notes
    -----
    The intervals of two distances [low, high] come from resamples of sources and references. Errors of a difference
    add up as ``h^2 = h_1^2 + h_2^2`` of the half intervals if they are independent; here both rows share sources and
    references, so that their errors go together and h is too large rather than too small: a win is not called lightly.
    """
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        first.setdefault((row["mode"], row["latents"]), row)
    found = []
    for mode in MODES:
        for rival in RIVALS:
            if (mode, FULL) in first and (mode, rival) in first:
                ours, theirs = first[mode, FULL], first[mode, rival]
                nearer = [_nearer(ours[key], theirs[key]) for key in ("kad", "kad_second")]
                newer = _newer(ours["explained_each"], theirs["explained_each"])
                found.append({"mode": mode, "rival": rival, "nearer": nearer, "newer": newer})
    return found


def _nearer(ours: dict[str, float] | None, theirs: dict[str, float] | None) -> int | None:
    if ours is None or theirs is None:
        return None
    difference = theirs["value"] - ours["value"]
    half = math.hypot(*((one["high"] - one["low"]) / 2 for one in (ours, theirs)))
    return 0 if abs(difference) <= half else int(math.copysign(1, difference))


def _newer(ours: Sequence[float], theirs: Sequence[float]) -> int:
    # Of two sources no interval can be had: a difference must be worth telling, and be one in every source.
    differences = np.subtract(theirs, ours)
    steady = np.all(differences > 0) or np.all(differences < 0)
    if not steady or abs(differences.mean()) <= LEAST_GAIN:
        return 0
    return int(np.sign(differences.mean()))
