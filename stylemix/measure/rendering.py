"""Hybrids of one stretch at several alphas, with their parents: what all measurements are made on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stylemix.arrays import Wave
from stylemix.hybrid.dials import Dials
from stylemix.measure.evidence import Stretch, parts_of, stretch_within

if TYPE_CHECKING:
    from stylemix.hybrid.pieces import Piece
    from stylemix.model.run import Run

PARENTS = ("source", "target")
# In these modes the target is recorded material in the source's time, or grains of it; in the others it is made of the
# hybrid itself.
MATCHED = ("match", "morph", "cross", "fade")
# This mode needs a given target.
TWO_FILES = "morph"


@dataclass(frozen=True)
class Rendered:
    """Hybrids of one stretch at several alphas, and their parents.

    Parameters
    ----------
    stretch : Stretch
        The source.
    source, target : Wave
        The parents; the target is what was matched, in the source's time.
    hybrids : dict of float to Wave
        By alpha.
    mode : str
        How they were made.
    positions : dict of float to float
        By alpha, where on the mode's path it is.
    calibrated : bool
        Whether the run's own spacing of alpha told that.
    warnings : tuple of str
        What alpha does not mean.
    """

    stretch: Stretch
    source: Wave
    target: Wave
    hybrids: dict[float, Wave]
    mode: str = "match"
    positions: dict[float, float] = field(default_factory=dict)
    calibrated: bool = False
    warnings: tuple[str, ...] = ()

    def crossfade(self, alpha: float) -> Wave:
        """Return the parents mixed.

        Parameters
        ----------
        alpha : float
            How much of the target.

        Returns
        -------
        Wave
            ``(1 - alpha) source + alpha target``.
        """
        mixed = (1 - alpha) * self.source.samples + alpha * self.target.samples
        return Wave(mixed, self.source.sample_rate)


def render_alphas(
    run: Run,
    stretch: Stretch,
    alphas: Sequence[float],
    *,
    dials: Dials,
    other: int,
    target: Stretch | None = None,
    seed: int = 0,
    raw_alpha: bool = False,
    report: Callable[[float], None] = lambda done: None,
) -> Rendered:
    """Render a stretch at several alphas; what is to be met in the other corpus is found once for all of them.

    Parameters
    ----------
    run : Run
        The trained model.
    stretch : Stretch
        The source.
    alphas : sequence of float
        How much of the target.
    dials : Dials
        The mode, and all else.
    other : int
        The corpus at alpha 1.
    target : Stretch, optional
        Of it, for the mode ``morph``.
    seed : int
        For the choice of the material that is searched.
    raw_alpha : bool
        Without the run's calibration of alpha.
    report : callable
        ``report(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    Rendered
        What `stylemix.hybrid` gives for each alpha, not limited to full scale. In a mode whose target is no recorded
        material it is the hybrid at alpha 1, or silence where 1 is not among the alphas.

    Raises
    ------
    BadInput
        If the mode cannot be rendered.
    """
    from stylemix.hybrid.curve import parse_alpha
    from stylemix.hybrid.order import read_order
    from stylemix.hybrid.pieces import pieces
    from stylemix.hybrid.prepare import prepare

    target = target if dials.mode == TWO_FILES else None
    order = read_order(
        run, alpha=0.0, source=stretch.path, to=None if target else run.corpora[other], **_target_of(target),
        start_s=stretch.start_s, duration_s=stretch.duration_s, seed=seed, raw_alpha=raw_alpha, **dials.as_dict(),
    )  # fmt: skip
    with order.open() as reader:
        prepared = prepare(run, order.roles, reader, dials=order.dials, seed=seed)
        hybrids: dict[float, Wave] = {}
        parents: list[Wave] = []
        positions: dict[float, float] = {}
        for n, alpha in enumerate(alphas):
            curve, calibrated, warnings = replace(order, curve=parse_alpha(alpha)).positions(reader.duration_s)
            positions[alpha] = float(curve.at(np.zeros(1))[0])
            parts = list(pieces(prepared, reader, curve))
            hybrids[alpha], *found = (_joined(parts, name, reader.sample_rate) for name in ("hybrid", *PARENTS))
            # They are the same at every alpha.
            parents = parents or found
            report((n + 1) / len(alphas))
    source, full = parents
    if dials.mode not in MATCHED and 1.0 in hybrids:
        full = hybrids[1.0]
    return Rendered(stretch, source, full, hybrids, dials.mode, positions, calibrated, warnings)


def render_modes(
    run: Run,
    stretch: Stretch,
    alphas: Sequence[float],
    *,
    modes: Sequence[str],
    dials: Dials,
    other: int,
    seed: int = 0,
    raw_alpha: bool = False,
    report: Callable[[float], None] = lambda done: None,
) -> dict[str, Rendered]:
    """Render a stretch in several modes.

    Parameters
    ----------
    run : Run
        The trained model.
    stretch : Stretch
        The source.
    alphas : sequence of float
        How much of the target.
    modes : sequence of str
        Which.
    dials : Dials
        All else.
    other : int
        The corpus at alpha 1.
    seed : int
        For the choice of the material that is searched.
    raw_alpha : bool
        Without the run's calibration of alpha.
    report : callable
        ``report(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    dict of str to Rendered
        By mode. Where a mode has no matched target, that of another mode stands in (of ``match`` if none of `modes`
        has one), so that what explains a hybrid is always recorded material of both corpora.

    Raises
    ------
    BadInput
        If a mode cannot be rendered.
    """
    partner = partner_stretch(run, other, seconds=stretch.duration_s) if TWO_FILES in modes else None
    found = {}
    for n, mode in enumerate(modes):
        found[mode] = render_alphas(
            run, stretch, alphas, dials=replace(dials, mode=mode), other=other, target=partner, seed=seed,
            raw_alpha=raw_alpha, report=lambda share, n=n: report((n + share) / len(modes)),  # type: ignore[misc]
        )  # fmt: skip
    matched = next((found[mode] for mode in ("match", "fade") if mode in found), None)
    if matched is None and set(modes) - set(MATCHED):
        matched = render_alphas(run, stretch, (0.0,), dials=replace(dials, mode="match"), other=other, seed=seed)
    return {
        mode: one if mode in MATCHED or matched is None else replace(one, target=matched.target)
        for mode, one in found.items()
    }


def partner_stretch(run: Run, corpus: int, *, seconds: float) -> Stretch:
    """Choose a partner for modes that take two files.

    Parameters
    ----------
    run : Run
        The trained model.
    corpus : int
        Of which.
    seconds : float
        As long as the source: a mode that goes through both from beginning to end would press a longer one together.

    Returns
    -------
    Stretch
        The middle of the longest of what is held out, or of what was trained on where nothing is.

    Raises
    ------
    BadInput
        If the file is gone.
    """
    held_out = parts_of(run, corpus, held_out=True)
    parts = held_out or parts_of(run, corpus, held_out=False)
    i = max(parts, key=lambda i: parts[i][1] - parts[i][0])
    return Stretch(i, run.file_path(i), corpus, *stretch_within(parts[i], 0.5, seconds), bool(held_out))


def _target_of(target: Stretch | None) -> dict[str, Any]:
    if target is None:
        return {}
    return {"target": target.path, "target_start_s": target.start_s, "target_duration_s": target.duration_s}


def _joined(parts: Sequence[Piece], name: str, sample_rate: int) -> Wave:
    return Wave(np.concatenate([getattr(part, name) for part in parts], axis=1), sample_rate)
