"""How much of the second corpus to hear at each moment: a number, breakpoints, a CSV file, or a sound's loudness."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stylemix.audio import probe, shown_name
from stylemix.corpus import SOUND_SUFFIXES
from stylemix.errors import BadInput
from stylemix.hybrid.curve_files import WAY_OUT, read_csv, read_envelope

# As far again as the parents are apart, on both sides: further out a decoder has seen nothing alike.
FURTHEST = (-1.0, 2.0)
# A length as people read it off a player, rounded to a tenth of a second, is not beyond the end.
END_SLACK_S = 0.05
# A curved map between two breakpoints becomes this many straight pieces for each unit of alpha: with a second
# derivative of 10, at alpha 0 of a map as bent as a cube root, they leave it by 10 / 8 / 64^2 = 0.0003.
PIECES_PER_UNIT = 64


@dataclass(frozen=True)
class Curve:
    """Alpha over time: straight lines between breakpoints, held before the first and after the last.

    Parameters
    ----------
    times_s : np.ndarray, shape (P,)
        Strictly increasing (seconds).
    values : np.ndarray, shape (P,)
        Alpha at each of them, 0 (the source) to 1 (the target).
    extrapolate : bool
        Allow values from -1 to 2, beyond both parents.
    path : Path, optional
        The file it was read from, which no output may replace.
    envelope : bool
        Whether that file is a sound, whose loudness this is.

    Raises
    ------
    BadInput
        If there is no breakpoint, a time is not after the one before it, or a value lies out of range.

    Examples
    --------
    >>> Curve(np.array([0.0, 10.0]), np.array([0.0, 1.0])).at(np.array([-1.0, 5.0, 20.0])).tolist()
    [0.0, 0.5, 1.0]
    """

    times_s: np.ndarray
    values: np.ndarray
    extrapolate: bool = False
    path: Path | None = None
    envelope: bool = False

    def __post_init__(self) -> None:
        times = np.atleast_1d(np.asarray(self.times_s, dtype=np.float64))
        values = np.atleast_1d(np.asarray(self.values, dtype=np.float64))
        if times.ndim != 1 or times.shape != values.shape or not times.size:
            raise BadInput(f"alpha: a curve needs one value for each time, got {times.size} and {values.size}")
        _check_values(values, self.extrapolate)
        for time in times[~np.isfinite(times)]:
            raise BadInput(f"alpha: times must be finite seconds, got {time:g}")
        for i in np.flatnonzero(np.diff(times) <= 0):
            raise BadInput(f"alpha: times must increase, got {times[i + 1]:g} s after {times[i]:g} s")
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
            Alpha, 0 to 1, or as far as the curve goes beyond.
        """
        return np.interp(times_s, self.times_s, self.values)

    def check_span(self, duration_s: float) -> tuple[Curve, tuple[str, ...]]:
        """Hold the curve against the length of the sound that it steers.

        Breakpoints that someone wrote beyond the end are a mistake; a sound whose loudness is the curve may well
        last longer, and its rest is cut off.

        Parameters
        ----------
        duration_s : float
            Of the stretch that is used; times count from its beginning.

        Returns
        -------
        curve : Curve
            The same between 0 and `duration_s`.
        warnings : tuple of str
            What the user should know of a cut.

        Raises
        ------
        BadInput
            If a breakpoint lies beyond the end.

        Examples
        --------
        >>> parse_alpha("0:0,10:1").check_span(3.0)
        Traceback (most recent call last):
        ...
        stylemix.errors.BadInput: alpha: breakpoints must lie within the sound, which lasts 3 s, got one at 10 s;
        leave it out, or take a longer source or --duration
        """
        last = float(self.times_s[-1])
        if last <= duration_s + END_SLACK_S:
            return self, ()
        if not self.envelope:
            where = "" if self.path is None else f" in {shown_name(self.path)}"
            raise BadInput(
                f"alpha: breakpoints must lie within the sound, which lasts {duration_s:.6g} s, got one at "
                f"{last:.6g} s{where}; leave it out, or take a longer source or --duration"
            )
        inside = self.times_s < duration_s
        times = np.append(self.times_s[inside], duration_s)
        cut = replace(self, times_s=times, values=np.append(self.values[inside], self.at(np.array(duration_s))))
        name = "the curve" if self.path is None else shown_name(self.path.name)
        return cut, (f"alpha: {name} lasts longer than the sound, {duration_s:.3f} s; its rest says nothing",)

    def mapped(self, function: Callable[[np.ndarray], np.ndarray]) -> Curve:
        """Pass the values through a map, the straight lines between the breakpoints included.

        Parameters
        ----------
        function : callable
            From alpha to alpha, element by element; monotone, and within the same bounds.

        Returns
        -------
        Curve
            With more breakpoints where the map bends the lines.

        Raises
        ------
        BadInput
            If the map leaves the bounds.

        Examples
        --------
        >>> parse_alpha("0:0,10:1").mapped(np.square).at(np.array([5.0])).round(3).tolist()
        [0.25]
        """
        rise = np.abs(np.diff(self.values))
        n_pieces = np.maximum(1, np.ceil(rise * PIECES_PER_UNIT)).astype(int)
        first = np.repeat(np.arange(len(rise)), n_pieces)
        begun = np.repeat(np.cumsum(n_pieces) - n_pieces, n_pieces)
        place = np.append(first + (np.arange(len(first)) - begun) / n_pieces[first], len(rise))
        index = np.arange(len(self.values))
        times = np.interp(place, index, self.times_s)
        # Between breakpoints too close to be divided, a new time may round to one of them, which then stays.
        place = place[(place == np.round(place)) | ~np.isin(times, self.times_s)]
        times, kept = np.unique(np.interp(place, index, self.times_s), return_index=True)
        values = np.asarray(function(np.interp(place, index, self.values)[kept]), dtype=np.float64)
        low, high = FURTHEST if self.extrapolate else (0.0, 1.0)
        # What a map adds by rounding is no value out of range.
        near = (values > low - 1e-9) & (values < high + 1e-9)
        return replace(self, times_s=times, values=np.where(near, np.clip(values, low, high), values))

    def told(self) -> float | list[list[float]] | dict[str, object]:
        """Say the curve for a report.

        Returns
        -------
        float, list or dict
            JSON-safe: the number; seconds and alpha of each breakpoint; or the sound whose loudness it is and the
            number of its breakpoints, of which there may be thousands.

        Examples
        --------
        >>> parse_alpha("0:0,10:1").told()
        [[0.0, 0.0], [10.0, 1.0]]
        """
        if self.envelope:
            return {"loudness_of": str(self.path), "breakpoints": len(self.values)}
        if len(self.values) == 1:
            return float(self.values[0])
        return np.stack([self.times_s, self.values], axis=1).tolist()


def parse_alpha(value: str | float | Path | Curve, *, extrapolate: bool = False) -> Curve:
    """Read an alpha as the command line or a script gives it.

    Parameters
    ----------
    value : float, str, Path or Curve
        A number; breakpoints ``seconds:alpha,seconds:alpha``; the name of a CSV file with two columns (seconds and
        alpha, separated by commas, semicolons or tabs; one line of headings is allowed); or the name of a sound
        file, whose loudness is the curve (see `stylemix.hybrid.curve_files.read_envelope`).
    extrapolate : bool
        Allow numbers from -1 to 2, beyond both parents.

    Returns
    -------
    Curve
        A constant is a curve with one breakpoint; a curve is passed through.

    Raises
    ------
    BadInput
        If it cannot be read, a value lies out of range, or the times do not increase.

    Examples
    --------
    >>> parse_alpha("0:0,10:1").at(np.array([2.5])).tolist()
    [0.25]
    >>> parse_alpha(1.3, extrapolate=True).values.tolist()
    [1.3]
    """
    if isinstance(value, Curve):
        return value
    if not isinstance(value, str | Path):
        return _constant(value, extrapolate)
    text = str(value).strip()
    try:
        number = float(text)
    except ValueError:
        return _of_text(text, extrapolate)
    return _constant(number, extrapolate)


def _check_values(values: np.ndarray, extrapolate: bool) -> None:
    low, high = FURTHEST if extrapolate else (0.0, 1.0)
    # Written so that NaN is out of range too.
    for value in values[~((values >= low) & (values <= high))]:
        if extrapolate:
            raise BadInput(
                f"alpha: must lie between {low:g} and {high:g}, got {value:g}; 0 is the source and 1 the target"
            )
        raise BadInput(
            f"alpha: must lie between 0 (the source) and 1 (the target), got {value:g}; to go beyond them, "
            f"{FURTHEST[0]:g} to {FURTHEST[1]:g}, add --extrapolate"
        )


def _of_text(text: str, extrapolate: bool) -> Curve:
    path = Path(text)
    suffix = path.suffix.lower()
    # Not Path.is_file, which raises for a name that is too long, as many breakpoints in one text are.
    if suffix == ".csv" or (os.path.isfile(text) and suffix not in SOUND_SUFFIXES and not _is_sound(path)):
        times_s, values = read_csv(path)
        return Curve(times_s, values, extrapolate, path)
    if suffix in SOUND_SUFFIXES or os.path.isfile(text):
        times_s, values = read_envelope(path)
        return Curve(times_s, values, extrapolate, path, envelope=True)
    return _breakpoints(text, extrapolate)


def _is_sound(path: Path) -> bool:
    try:
        probe(path)
    except BadInput:
        return False
    return True


def _constant(value: float, extrapolate: bool) -> Curve:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise BadInput(f"alpha: {WAY_OUT}; got {value!r}") from None
    return Curve(np.zeros(1), np.array([number]), extrapolate)


def _breakpoints(text: str, extrapolate: bool) -> Curve:
    pairs = []
    for item in text.split(","):
        try:
            time, alpha = (float(part) for part in item.split(":"))
        except ValueError:
            raise BadInput(f"alpha: {WAY_OUT}; got {item.strip() or 'nothing'!r} in {text!r}") from None
        pairs.append((time, alpha))
    times_s, values = np.array(pairs).T
    return Curve(times_s, values, extrapolate)
