"""What a user asks for, read and checked as a whole before any work is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stylemix.errors import BadInput
from stylemix.hybrid.alpha_map import find_map, map_warnings
from stylemix.hybrid.cluster_roles import check_stretch
from stylemix.hybrid.curve import Curve, parse_alpha
from stylemix.hybrid.dials import Dials, find_dials
from stylemix.hybrid.mixture import check_weights
from stylemix.hybrid.modes import plain
from stylemix.hybrid.prepare import check_answers
from stylemix.hybrid.roles import Roles, assign_roles
from stylemix.hybrid.source import SourceReader
from stylemix.hybrid.target_stretch import check_target_stretch
from stylemix.hybrid.wishes import Wishes, read_wishes
from stylemix.model.run import Run, inputs_of

# A page of more is no longer listened to.
MOST_VARIATIONS = 50


@dataclass(frozen=True)
class Order:
    """A hybrid that was asked for.

    Parameters
    ----------
    run : Run
        The trained model.
    curve : Curve
        Alpha over time, as the user gave it.
    dials : Dials
        What the user turned.
    roles : Roles
        Who is who.
    start_s : float
        Where the source begins (seconds).
    duration_s : float or None
        How much of it.
    seed : int
        Of all that is drawn.
    raw_alpha : bool
        Whether alpha is the position on the mode's path itself.
    variation : int
        Which of the answers, 1 for the best match.
    """

    run: Run
    curve: Curve
    dials: Dials
    roles: Roles
    start_s: float
    duration_s: float | None
    seed: int
    raw_alpha: bool
    variation: int = 1

    def open(self) -> SourceReader:
        """Open the source.

        Returns
        -------
        SourceReader
            The stretch that was asked for.
        """
        return SourceReader(
            self.roles.source,
            model_rate=self.run.vqt.sample_rate,
            start_s=self.start_s,
            duration_s=self.duration_s,
        )

    def inputs(self) -> list[str | Path]:
        """Return all files that no output may replace.

        Returns
        -------
        list of paths
            The source, the targets, what the run was made from, and a curve's file.
        """
        curves = [] if self.curve.path is None else [self.curve.path]
        return [self.roles.source, *self.roles.targets.values(), *inputs_of(self.run), *curves]

    def positions(self, duration_s: float) -> tuple[Curve, bool, tuple[str, ...]]:
        """Return where on the mode's path the hybrid is over time.

        Parameters
        ----------
        duration_s : float
            Length of the source (seconds).

        Returns
        -------
        curve : Curve
            Positions.
        calibrated : bool
            Whether the run's own spacing of alpha was used.
        warnings : tuple of str
            What the user should know.

        Raises
        ------
        BadInput
            If a breakpoint lies beyond the end of the sound.
        """
        curve, warnings = self.curve.check_span(duration_s)
        if self.raw_alpha or not plain(self.dials):
            return curve, False, warnings
        roles, run, mode = self.roles, self.run, self.dials.mode
        found = find_map(run.path, mode, run.corpora, roles.own, roles.others, roles.shares)
        warnings = (*warnings, *map_warnings(run.path, found, mode, run.corpora, roles.own, roles.others))
        return (curve, False, warnings) if found is None else (curve.mapped(found), True, warnings)


def read_order(
    run: Run,
    *,
    alpha: float | str | Path | Curve | None,
    source: str | Path | None = None,
    target: str | Path | None = None,
    to: str | None = None,
    from_corpus: str | None = None,
    weights: str | Mapping[str, float] | None = None,
    source_cluster: int | None = None,
    target_cluster: int | None = None,
    start_s: float = 0.0,
    duration_s: float | None = None,
    target_start_s: float = 0.0,
    target_duration_s: float | None = None,
    seed: int = 0,
    raw_alpha: bool = False,
    extrapolate: bool = False,
    variation: int = 1,
    **dials: Any,
) -> Order:
    """Read what a user asks for.

    Parameters
    ----------
    run : Run
        The trained model.
    alpha : float, str, Path, Curve or None
        How much of the target: 0 is the source, 1 the target; a number or a curve over time (see `parse_alpha`). None
        where `weights` say it.
    source : str or Path, optional
        Any sound file; by default a representative file of the first corpus.
    target : str or Path, optional
        Any sound file; by default all files of the other corpus.
    to : str, optional
        Corpus at alpha 1; by default the first one to which the source does not belong.
    from_corpus : str, optional
        Corpus of a source that is no file of the run; by default the first that is not at alpha 1.
    weights : str or mapping, optional
        Shares of several corpora, ``"cage=0.2,boys=0.5,organ=0.3"``, in place of alpha and `to`.
    source_cluster, target_cluster : int, optional
        Numbers of clusters as on the map: the middle of one as the source, the material of one as the target.
    start_s : float
        Where the source begins (seconds).
    duration_s : float, optional
        How much of it (seconds).
    target_start_s, target_duration_s : float, optional
        Which stretch of `target` is used (seconds); all of it by default.
    seed : int
        Of all that is drawn.
    raw_alpha : bool
        Take alpha as the position on the mode's path, without the run's calibration.
    extrapolate : bool
        Allow alpha from -1 to 2, beyond both parents.
    variation : int
        Which of several answers, 1 for the best match; each meets other material of the target than those before.
    **dials
        See `Dials`.

    Returns
    -------
    Order
        Checked, but for what the source's length decides.

    Raises
    ------
    BadInput
        If anything is wrong.
    """
    checked = check_asked(
        run, alpha=alpha, source=source, target=target, to=to, from_corpus=from_corpus, weights=weights,
        source_cluster=source_cluster, target_cluster=target_cluster, start_s=start_s, duration_s=duration_s,
        target_start_s=target_start_s, target_duration_s=target_duration_s, extrapolate=extrapolate,
        variation=variation, **dials,
    )  # fmt: skip
    roles = assign_roles(
        run, source=source, target=target, mode=checked.dials.mode, to=to, from_corpus=from_corpus, weights=weights,
        source_cluster=source_cluster, target_cluster=target_cluster, wishes=checked.wishes,
    )  # fmt: skip
    roles = replace(roles, target_stretch_s=checked.target_stretch_s)
    curve = checked.curve or parse_alpha(roles.alpha, extrapolate=extrapolate)  # type: ignore[arg-type]
    if roles.stretch_s is not None:
        start_s, longest_s = roles.stretch_s
        duration_s = longest_s if duration_s is None else min(duration_s, longest_s)
    return Order(run, curve, checked.dials, roles, start_s, duration_s, seed, raw_alpha, variation)


@dataclass(frozen=True)
class Checked:
    """What can be said of an order whatever its source is.

    Parameters
    ----------
    dials : Dials
        What the user turned.
    curve : Curve or None
        Alpha over time; None where weights say it, for which the source's corpus counts.
    target_stretch_s : tuple of float or None
        Start and duration (seconds) of what is used of a target file.
    wishes : Wishes
        Of the parents.
    """

    dials: Dials
    curve: Curve | None
    target_stretch_s: tuple[float, float] | None
    wishes: Wishes


def check_asked(
    run: Run,
    *,
    alpha: float | str | Path | Curve | None = None,
    source: str | Path | None = None,
    target: str | Path | None = None,
    to: str | None = None,
    from_corpus: str | None = None,
    weights: str | Mapping[str, float] | None = None,
    source_cluster: int | None = None,
    target_cluster: int | None = None,
    start_s: float = 0.0,
    duration_s: float | None = None,
    target_start_s: float = 0.0,
    target_duration_s: float | None = None,
    extrapolate: bool = False,
    variation: int = 1,
    **dials: Any,
) -> Checked:
    """Check all of an order that does not depend on what the source is.

    Parameters
    ----------
    run : Run
        The trained model.
    alpha, source, target, to, from_corpus, weights, source_cluster, target_cluster : object
        As for `read_order`; the source may be a folder.
    start_s, duration_s, target_start_s, target_duration_s, extrapolate, variation : object
        As for `read_order`.
    **dials
        See `Dials`.

    Returns
    -------
    Checked
        What was read.

    Raises
    ------
    BadInput
        If anything is wrong.
    """
    turned = find_dials(dials)
    if not 1 <= variation <= MOST_VARIATIONS:
        raise BadInput(f"variation: must be 1 to {MOST_VARIATIONS}, got {variation}")
    check_answers(turned.mode, variation)
    if weights is not None:
        check_weights(alpha=alpha, target=target, to=to, mode=turned.mode)
    check_stretch(source_cluster, start_s, duration_s)
    wishes = read_wishes(
        run, source=source, target=target, mode=turned.mode, to=to, from_corpus=from_corpus, weights=weights,
        source_cluster=source_cluster, target_cluster=target_cluster,
    )  # fmt: skip
    stretch_s = check_target_stretch(target, target_start_s, target_duration_s, mode=turned.mode)
    if weights is None and alpha is None:
        raise BadInput("hybrid: alpha is missing; give one, 0 (the source) to 1 (the target), or weights")
    curve = None if alpha is None else parse_alpha(alpha, extrapolate=extrapolate)
    return Checked(turned, curve, stretch_s, wishes)
