"""How much of the second corpus to hear at each moment: a number, breakpoints, or a CSV file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stylemix.errors import BadInput

_WAY_OUT = (
    "write a number such as 0.5, breakpoints such as 0:0,10:1 (seconds:alpha), or the name of a CSV file"
)


@dataclass(frozen=True)
class Curve:
    """Alpha over time: straight lines between breakpoints, held before the first and after the last.

    Parameters
    ----------
    times_s : np.ndarray, shape (P,)
        Strictly increasing (seconds).
    values : np.ndarray, shape (P,)
        Alpha at each of them, 0 (the source) to 1 (the target).

    Raises
    ------
    BadInput
        If there is no breakpoint, a time is not after the one before it, or a value lies outside 0 to 1.

    Examples
    --------
    >>> Curve(np.array([0.0, 10.0]), np.array([0.0, 1.0])).at(np.array([-1.0, 5.0, 20.0])).tolist()
    [0.0, 0.5, 1.0]
    """

    times_s: np.ndarray
    values: np.ndarray

    def __post_init__(self) -> None:
        times = np.atleast_1d(np.asarray(self.times_s, dtype=np.float64))
        values = np.atleast_1d(np.asarray(self.values, dtype=np.float64))
        if times.ndim != 1 or times.shape != values.shape or not times.size:
            raise BadInput(
                f"alpha: a curve needs one value for each time, got {times.size} and {values.size}"
            )
        for i, (time, value) in enumerate(zip(times.tolist(), values.tolist(), strict=True)):
            if not math.isfinite(time):
                raise BadInput(f"alpha: times must be finite seconds, got {time:g}")
            if not 0 <= value <= 1:
                raise BadInput(f"alpha: must lie between 0 (the source) and 1 (the target), got {value:g}")
            if i and time <= times[i - 1]:
                raise BadInput(f"alpha: times must increase, got {time:g} s after {times[i - 1]:g} s")
        object.__setattr__(self, "times_s", times)
        object.__setattr__(self, "values", values)

    def at(self, times_s: np.ndarray) -> np.ndarray:
        """Evaluate the curve.

        Parameters
        ----------
        times_s : np.ndarray, any shape
            Seconds.

        Returns
        -------
        np.ndarray, same shape
            Alpha, 0 to 1.
        """
        return np.interp(times_s, self.times_s, self.values)


def parse_alpha(value: str | float | Curve) -> Curve:
    """Read an alpha as the command line or a script gives it.

    Parameters
    ----------
    value : float, str or Curve
        A number; breakpoints ``seconds:alpha,seconds:alpha``; or the name of a CSV file with two columns
        (seconds and alpha, separated by commas, semicolons or tabs; one line of headings is allowed).

    Returns
    -------
    Curve
        A constant is a curve with one breakpoint.

    Raises
    ------
    BadInput
        If it cannot be read, a value lies outside 0 to 1, or the times do not increase.

    Examples
    --------
    >>> parse_alpha("0:0,10:1").at(np.array([2.5])).tolist()
    [0.25]
    """
    if isinstance(value, Curve):
        return value
    if not isinstance(value, str | Path):
        return _constant(value)
    text = str(value).strip()
    try:
        number = float(text)
    except ValueError:
        if Path(text).suffix.lower() == ".csv" or Path(text).is_file():
            return _read_csv(Path(text))
        return _breakpoints(text)
    return _constant(number)


def _constant(value: float) -> Curve:
    try:
        return Curve(np.zeros(1), np.array([float(value)]))
    except (TypeError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"alpha: {_WAY_OUT}; got {value!r}") from None


def _breakpoints(text: str) -> Curve:
    pairs = []
    for item in text.split(","):
        parts = item.split(":")
        try:
            time, alpha = (float(p) for p in parts)
        except ValueError:
            raise BadInput(f"alpha: {_WAY_OUT}; got {item.strip() or 'nothing'!r} in {text!r}") from None
        pairs.append((time, alpha))
    return _curve(pairs)


def _read_csv(path: Path) -> Curve:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise BadInput(f"alpha: there is no file {path}; {_WAY_OUT}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"alpha: {path} cannot be read as text ({error.__class__.__name__}); {_WAY_OUT}"
        ) from None
    rows = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    pairs = []
    for i, (number, line) in enumerate(rows):
        pair = _row(line)
        if pair is not None:
            pairs.append(pair)
        elif i:
            raise BadInput(
                f"alpha: line {number} of {path} must hold two numbers, seconds and alpha; got {line!r}"
            )
    if not pairs:
        raise BadInput(
            f"alpha: {path} holds no breakpoint; write lines such as 0,0 and 10,1 (seconds, alpha)"
        )
    return _curve(pairs)


def _row(line: str) -> tuple[float, float] | None:
    for separator in (";", "\t", ","):
        if separator not in line:
            continue
        cells = [cell.strip() for cell in line.split(separator)]
        if separator == ";":
            # Where semicolons separate the columns, commas are decimal points.
            cells = [cell.replace(",", ".") for cell in cells]
        try:
            time, alpha = (float(cell) for cell in cells)
        except ValueError:
            return None
        return time, alpha
    return None


def _curve(pairs: list[tuple[float, float]]) -> Curve:
    times, values = zip(*pairs, strict=True)
    return Curve(np.array(times), np.array(values))
