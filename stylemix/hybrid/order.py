"""What a user asks for, read and checked as a whole before any work is done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.errors import BadInput
from stylemix.hybrid.alpha_map import find_map, map_warnings
from stylemix.hybrid.asked import Asked, find_asked
from stylemix.hybrid.cluster_roles import check_stretch
from stylemix.hybrid.curve import Curve, parse_alpha
from stylemix.hybrid.dials import Dials
from stylemix.hybrid.mixture import check_weights
from stylemix.hybrid.modes import plain
from stylemix.hybrid.prepare import check_answers
from stylemix.hybrid.roles import Roles, assign_roles
from stylemix.hybrid.source import SourceReader
from stylemix.hybrid.target_stretch import check_target_stretch
from stylemix.hybrid.track import Track, files_of
from stylemix.hybrid.walk import Walk
from stylemix.hybrid.walk_roles import walk_roles
from stylemix.hybrid.wishes import Wishes, read_wishes
from stylemix.model.run import Run, inputs_of

# A page of more is no longer listened to.
MOST_VARIATIONS = 50
# What a walk brings itself; how long it lasts is all that may be said beside it.
WALK_SAYS = (
    "alpha", "source", "target", "to", "from_corpus", "weights", "source_cluster", "target_cluster", "clusters",
    "space", "cluster_seed", "start_s", "target_start_s", "target_duration_s",
)  # fmt: skip


@dataclass(frozen=True)
class Order:
    """A hybrid that was asked for.

    Parameters
    ----------
    run : Run
        The trained model.
    asked : Asked
        What the user says.
    curve : Curve
        Alpha over time, as the user gave it.
    roles : Roles
        Who is who.
    start_s : float
        Where the source begins (seconds).
    duration_s : float or None
        How much of it.
    """

    run: Run
    asked: Asked
    curve: Curve
    roles: Roles
    start_s: float
    duration_s: float | None

    @property
    def dials(self) -> Dials:
        """What the user turned."""
        return self.asked.dials

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
        return [*files_of([self.roles.source, *self.roles.targets.values()]), *inputs_of(self.run), *curves]

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
        if self.asked.raw_alpha or not plain(self.dials):
            return curve, False, warnings
        roles, run, mode = self.roles, self.run, self.dials.mode
        found = find_map(run.path, mode, run.corpora, roles.own, roles.others, roles.shares)
        warnings = (*warnings, *map_warnings(run.path, found, mode, run.corpora, roles.own, roles.others))
        return (curve, False, warnings) if found is None else (curve.mapped(found), True, warnings)


def read_order(run: Run, **given: Any) -> Order:
    """Read what a user asks for.

    Parameters
    ----------
    run : Run
        The trained model.
    **given
        Any of the names of `stylemix.hybrid.asked.Asked` and of `stylemix.hybrid.dials.Dials`.

    Returns
    -------
    Order
        Checked, but for what the source's length decides.

    Raises
    ------
    BadInput
        If anything is wrong.
    """
    asked = find_asked(given)
    checked = check_asked(run, asked)
    if asked.walk is not None:
        return _walked(run, asked, asked.walk)
    roles = assign_roles(run, asked, checked.wishes)
    roles = replace(roles, target_stretch_s=checked.target_stretch_s)
    curve = checked.curve or parse_alpha(roles.alpha, extrapolate=asked.extrapolate)  # type: ignore[arg-type]
    start_s, duration_s = asked.start_s, asked.duration_s
    if roles.stretch_s is not None:
        start_s, longest_s = roles.stretch_s
        duration_s = longest_s if duration_s is None else min(duration_s, longest_s)
    return Order(run, asked, curve, roles, start_s, duration_s)


def _walked(run: Run, asked: Asked, walk: Walk) -> Order:
    roles = walk_roles(run, walk, mode=asked.mode, duration_s=asked.duration_s)
    # Its end is the track's: what is not rendered is not laid.
    end_s = roles.source.duration_s if isinstance(roles.source, Track) else np.inf
    return Order(run, asked, walk.curve(end_s, extrapolate=asked.extrapolate), roles, 0.0, None)


@dataclass(frozen=True)
class Checked:
    """What can be said of an order whatever its source is.

    Parameters
    ----------
    curve : Curve or None
        Alpha over time; None where a walk says it, or weights, for which the source's corpus counts.
    target_stretch_s : tuple of float or None
        Start and duration (seconds) of what is used of a target file.
    wishes : Wishes
        Of the parents.
    """

    curve: Curve | None
    target_stretch_s: tuple[float, float] | None
    wishes: Wishes


def check_asked(run: Run, asked: Asked) -> Checked:
    """Check all of an order that does not depend on what the source is, which may be a folder.

    Parameters
    ----------
    run : Run
        The trained model.
    asked : Asked
        What a user says.

    Returns
    -------
    Checked
        What was read.

    Raises
    ------
    BadInput
        If anything is wrong.
    """
    if not 1 <= asked.variation <= MOST_VARIATIONS:
        raise BadInput(f"variation: must be 1 to {MOST_VARIATIONS}, got {asked.variation}")
    check_answers(asked.mode, asked.variation)
    check_stretch(asked.source_cluster, asked.start_s, asked.duration_s)
    if asked.walk is not None:
        check_walk(asked)
        # Before the recordings are looked up: an alpha out of range.
        asked.walk.curve(np.inf, extrapolate=asked.extrapolate)
        return Checked(None, None, Wishes(None, None, None, None, None))
    if asked.weights is not None:
        check_weights(alpha=asked.alpha, target=asked.target, to=asked.to, mode=asked.mode)
    wishes = read_wishes(run, asked)
    stretch_s = check_target_stretch(asked.target, asked.target_start_s, asked.target_duration_s, mode=asked.mode)
    if asked.weights is None and asked.alpha is None:
        raise BadInput("hybrid: alpha is missing; give one, 0 (the source) to 1 (the target), or weights")
    curve = None if asked.alpha is None else parse_alpha(asked.alpha, extrapolate=asked.extrapolate)
    return Checked(curve, stretch_s, wishes)


def check_walk(asked: Asked) -> None:
    """Refuse what says again, or otherwise, what a walk says.

    Parameters
    ----------
    asked : Asked
        With a walk.

    Raises
    ------
    BadInput
        If there is anything of the kind.

    Examples
    --------
    >>> check_walk(find_asked({"walk": "0:1-2:0.5", "alpha": 0.5}))
    Traceback (most recent call last):
    ...
    stylemix.errors.BadInput: walk: says source, target and alpha itself, got --alpha too; leave one out
    """
    usual = Asked()
    for name in WALK_SAYS:
        if getattr(asked, name) != getattr(usual, name):
            option = {"from_corpus": "from"}.get(name, name.removesuffix("_s")).replace("_", "-")
            raise BadInput(f"walk: says source, target and alpha itself, got --{option} too; leave one out")
