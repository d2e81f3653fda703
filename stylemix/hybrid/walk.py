"""Walks over the map: from which time on which segment is the source, which the target, and how much of it is heard."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.hybrid.curve import Curve

# A walk drawn for an hour, a step a second, is longer than anybody listens; and a list is read as a whole.
MOST_STEPS = 5000
FIELDS = ("time_s", "source", "target", "alpha")
_WAY_OUT = (
    "write steps such as 0:117-530:0.25,2:118-533:0.5 (seconds:source segment-target segment:alpha), or the name of a "
    "CSV file with the columns seconds, source, target, alpha"
)


@dataclass(frozen=True)
class WalkStep:
    """Where a walk is from some time on.

    Parameters
    ----------
    time_s : float
        From when (seconds).
    source, target : int
        Numbers of segments of the run, from 1, as on the map.
    alpha : float
        How much of the target at that time; straight lines lead from step to step.
    """

    time_s: float
    source: int
    target: int
    alpha: float


@dataclass(frozen=True)
class Walk:
    """A way over the map in time.

    Which moments of the two tracks meet is for the mode to say. A morph, the default, warps the target's track by its
    events; tracks of unrelated music have none in common, so that the warp stays near the diagonal and they are
    heard nearly side by side. ``match`` looks for the moments of each stretch that are alike instead.

    Parameters
    ----------
    steps : tuple of WalkStep
        The first at 0 s, each later than the one before.
    path : Path, optional
        The file it was read from, which no output may replace.

    Raises
    ------
    BadInput
        If there is no step or too many, or the times do not begin at 0 and increase.
    """

    steps: tuple[WalkStep, ...]
    path: Path | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.steps) <= MOST_STEPS:
            raise BadInput(f"walk: must have 1 to {MOST_STEPS} steps, got {len(self.steps)}; {_WAY_OUT}")
        times = [step.time_s for step in self.steps]
        for number, step in enumerate(self.steps, 1):
            if not math.isfinite(step.time_s):
                raise BadInput(f"walk: times must be finite seconds, got {step.time_s:g} in step {number}")
            if min(step.source, step.target) < 1:
                raise BadInput(
                    f"walk: segments count from 1, got {min(step.source, step.target)} in step {number}; "
                    "the map shows the number of each"
                )
        if times[0] != 0:
            raise BadInput(f"walk: the first step must be at 0 s, got {times[0]:g} s; give one for the beginning")
        for before, after in zip(times, times[1:], strict=False):
            if after <= before:
                raise BadInput(f"walk: times must increase, got {after:g} s after {before:g} s")

    def curve(self, duration_s: float, *, extrapolate: bool = False) -> Curve:
        """Return alpha over time.

        Parameters
        ----------
        duration_s : float
            Where the walk ends (seconds); steps from there on are left out.
        extrapolate : bool
            Allow values from -1 to 2.

        Returns
        -------
        Curve
            A breakpoint a step, and one at the end of what is cut short.

        Raises
        ------
        BadInput
            If a value is out of range.

        Examples
        --------
        >>> parse_walk("0:1-5:0,4:2-5:1").curve(2.0).told()
        [[0.0, 0.0], [2.0, 0.5]]
        """
        times = np.array([step.time_s for step in self.steps])
        whole = Curve(times, np.array([step.alpha for step in self.steps]), extrapolate, self.path)
        inside = times < duration_s
        if inside.all():
            return whole
        end = np.array([duration_s])
        return Curve(
            np.append(times[inside], end), np.append(whole.values[inside], whole.at(end)), extrapolate, self.path
        )

    def told(self) -> str:
        """Write the walk as the command line takes it.

        Returns
        -------
        str
            Reads as the same walk, digit by digit.

        Examples
        --------
        >>> parse_walk([(0, 117, 530, 0.25), (2.5, 118, 533, 1)]).told()
        '0:117-530:0.25,2.5:118-533:1'
        """
        return ",".join(f"{_number(s.time_s)}:{s.source}-{s.target}:{_number(s.alpha)}" for s in self.steps)


AnyWalk: TypeAlias = "str | Path | Walk | Iterable[WalkStep | Mapping[str, Any] | tuple[float, int, int, float]]"


def parse_walk(value: AnyWalk) -> Walk:
    """Read a walk as the command line or a script gives it.

    Parameters
    ----------
    value : str, Path, Walk or iterable
        Steps ``seconds:source-target:alpha,...``; the name of a CSV file with the columns seconds, source, target and
        alpha (separated by commas, semicolons or tabs; one line of headings is allowed); or steps one by one, each a
        `WalkStep`, a mapping with its fields, or four numbers.

    Returns
    -------
    Walk
        Checked, but for what the run decides.

    Raises
    ------
    BadInput
        If it cannot be read, or is no walk.

    Examples
    --------
    >>> walk = parse_walk("0:117-530:0.25,2:118-533:0.5")
    >>> walk.steps[1]
    WalkStep(time_s=2.0, source=118, target=533, alpha=0.5)
    """
    if isinstance(value, Walk):
        return value
    if isinstance(value, Path) or (isinstance(value, str) and _is_file(value)):
        return Walk(tuple(_rows(Path(value))), Path(value))
    if isinstance(value, str):
        return Walk(tuple(_of_item(item, value) for item in value.split(",")))
    if not isinstance(value, Iterable):
        raise BadInput(f"walk: {_WAY_OUT}; got {_shown(value)}")
    return Walk(tuple(_of_object(one, number) for number, one in enumerate(value, 1)))


def _is_file(text: str) -> bool:
    # A name in which there are two colons and a hyphen may be a step: then it has to be there.
    return Path(text.strip()).suffix.lower() == ".csv" or os.path.isfile(text)


def _of_item(item: str, text: str) -> WalkStep:
    parts = item.split(":")
    pair = parts[1].split("-") if len(parts) == 3 else []
    if len(pair) != 2:
        shown = text if len(text) <= 60 else text[:57] + "..."
        raise BadInput(f"walk: {_WAY_OUT}; got {item.strip()[:60] or 'nothing'!r} in {shown!r}")
    return _step(parts[0], pair[0], pair[1], parts[2], where=f"{item.strip()[:60]!r}")


def _of_object(one: object, number: int) -> WalkStep:
    if isinstance(one, WalkStep):
        one = (one.time_s, one.source, one.target, one.alpha)
    if isinstance(one, Mapping):
        if set(one) != set(FIELDS):
            got = ", ".join(map(_shown, list(one)[: len(FIELDS) + 1])) or "nothing"
            raise BadInput(f"walk: step {number} must have {', '.join(FIELDS)}, got {got}")
        one = [one[name] for name in FIELDS]
    if not isinstance(one, list | tuple) or len(one) != len(FIELDS):
        raise BadInput(f"walk: step {number} must be {', '.join(FIELDS)}, got {_shown(one)}")
    return _step(*one, where=f"step {number}")


def _step(time: object, source: object, target: object, alpha: object, *, where: str) -> WalkStep:
    return WalkStep(
        _finite(time, "the time", where), _whole(source, where), _whole(target, where), _finite(alpha, "alpha", where)
    )


def _finite(value: object, name: str, where: str) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"walk: {name} must be a number, got {_shown(value)} in {where}") from None


def _whole(value: object, where: str) -> int:
    number = _finite(value, "a segment", where)
    if not number.is_integer():
        raise BadInput(f"walk: a segment must be a whole number, got {_shown(value)} in {where}")
    return int(number)


def _rows(path: Path) -> Iterable[WalkStep]:
    """Read the lines of a file; the first may be headings."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadInput(f"walk: there is no file {shown_name(path)}; {_WAY_OUT}") from None
    except (OSError, ValueError) as error:
        # No text is a ValueError, and so is a name that no file can have.
        raise BadInput(
            f"walk: {shown_name(path)} cannot be read as text ({error.__class__.__name__}); {_WAY_OUT}"
        ) from None
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    for i, (number, line) in enumerate(lines):
        separator = next((mark for mark in ";\t" if mark in line), ",")
        where = f"line {number} of {shown_name(path)}"
        try:
            cells = [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
        except csv.Error:
            raise BadInput(f"walk: {where} is no line of a table, got {line[:60]!r}; {_WAY_OUT}") from None
        if i == 0 and not any(_is_number(cell) for cell in cells):
            continue
        if len(cells) != len(FIELDS):
            raise BadInput(f"walk: {where} must hold seconds, source, target and alpha, got {line[:60]!r}")
        yield _step(*cells, where=where)


def _shown(value: object) -> str:
    """Tell what was given in a few words; whole numbers of thousands of digits cannot be told at all."""
    try:
        text = repr(value)
    except ValueError:
        text = f"one of type {type(value).__name__}, too long to tell"
    return text if len(text) <= 60 else text[:57] + "..."


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(value: float) -> str:
    return f"{value:g}" if float(f"{value:g}") == value else repr(float(value))
