"""Numbers that a user sets, looked at once at every entrance: seeds, lengths, shares."""

from __future__ import annotations

import math
import operator
from numbers import Integral, Real

import torch

from stylemix.errors import BadInput


def whole(value: object, name: str, least: int, unit: str = "whole number") -> int:
    """Refuse what is no whole number, or too small a one.

    Parameters
    ----------
    value : object
        What a user gave; a NumPy integer is one, True is none.
    name : str
        What it is, for the message.
    least : int
        Smallest that is allowed.
    unit : str
        What it counts.

    Returns
    -------
    int
        The number.

    Raises
    ------
    BadInput
        If it is something else.

    Examples
    --------
    >>> whole(True, "seed:", 0)
    Traceback (most recent call last):
        ...
    stylemix.errors.BadInput: seed: must be a whole number of at least 0, got True
    """
    try:
        # A truth value and a tensor have an index, too; the first is a mistake, the second may be on another device.
        found = None if isinstance(value, bool | torch.Tensor) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        found = None
    if found is None or found < least:
        raise BadInput(f"{name} must be a {unit} of at least {least}, got {value!r}")
    return found


def is_between(value: object, low: float, high: float) -> bool:
    """Say whether something is a number within two others.

    Parameters
    ----------
    value : object
        Anything.
    low, high : float
        Both are within.

    Returns
    -------
    bool
        False for what is no real number, and for NaN.

    Examples
    --------
    >>> is_between(0.5, 0, 1), is_between("a", 0, 1), is_between(float("nan"), 0, 1)
    (True, False, False)
    """
    return not isinstance(value, bool) and isinstance(value, Real) and low <= float(value) <= high


def check_settings(tolerance: float, trailing: float, seed: int, name: str) -> int:
    """Refuse settings that no heap can be integrated with.

    Parameters
    ----------
    tolerance, trailing : float
        Shares of the loudest, see `heap_phase`.
    seed : int
        Of random phases.
    name : str
        Of who asks, for the message.

    Returns
    -------
    int
        The seed.

    Raises
    ------
    BadInput
        If one is out of range.
    """
    below_one = math.nextafter(1, 0)
    if not is_between(tolerance, math.nextafter(0, 1), below_one):
        raise BadInput(f"{name}: tolerance must be above 0 and below 1, got {tolerance}")
    if not is_between(trailing, 0, below_one):
        raise BadInput(f"{name}: trailing must be at least 0 and below 1, got {trailing}")
    return whole(seed, "seed:", 0)


def is_count(value: object) -> bool:
    """Say whether something counts.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    bool
        True for whole numbers of at least 0, NumPy's among them.

    Examples
    --------
    >>> is_count(0), is_count(2.0), is_count(True), is_count(-1)
    (True, False, False, False)
    """
    return not isinstance(value, bool) and isinstance(value, Integral) and int(value) >= 0
