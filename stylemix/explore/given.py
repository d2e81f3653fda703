"""Values that came from a page: taken as what they must be, or refused in one line."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from stylemix.audio import shown_name
from stylemix.errors import BadInput

_LONGEST_SHOWN = 40


def read_json(body: bytes) -> Any:
    """Read JSON, strictly.

    Parameters
    ----------
    body : bytes
        As it arrived.

    Returns
    -------
    object
        Of plain types; no number is NaN or infinite.

    Raises
    ------
    BadInput
        If it is no JSON, or nested deeper than the interpreter goes.

    Examples
    --------
    >>> read_json(b'{"alpha": 0.5}')
    {'alpha': 0.5}
    """
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise BadInput("order: must be JSON; reload the page") from None


def one_of(name: str, value: Any, known: Sequence[str]) -> str:
    """Take a word that is known.

    Parameters
    ----------
    name : str
        What it is, for the message.
    value : object
        What came.
    known : sequence of str
        What it may be.

    Returns
    -------
    str
        The word.

    Raises
    ------
    BadInput
        If it is another one, or none.

    Examples
    --------
    >>> one_of("mode", "match", ["match", "style"])
    'match'
    """
    if not isinstance(value, str) or value not in known:
        raise BadInput(f"{name}: must be one of {', '.join(known)}, got {shown(value)}")
    return value


def whole(name: str, value: Any, least: int, most: int) -> int:
    """Take a whole number within a range.

    Parameters
    ----------
    name : str
        What it is, for the message.
    value : object
        What came.
    least, most : int
        The range.

    Returns
    -------
    int
        The number.

    Raises
    ------
    BadInput
        If it is out of range, or no whole number; 2.0 and true are none.

    Examples
    --------
    >>> whole("seed", 7, 0, 9)
    7
    """
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadInput(f"{name}: must be a whole number from {least} to {most}, got {shown(value)}")
    return value


def number(name: str, value: Any, least: float, most: float) -> float:
    """Take a number within a range.

    Parameters
    ----------
    name : str
        What it is, for the message.
    value : object
        What came.
    least, most : float
        The range.

    Returns
    -------
    float
        The number.

    Raises
    ------
    BadInput
        If it is out of range or no number.

    Examples
    --------
    >>> number("alpha", 1, 0.0, 1.0)
    1.0
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # Compared before it is made a float: JSON knows whole numbers that no float can hold.
    if not is_number or not least <= value <= most or not math.isfinite(value):
        raise BadInput(f"{name}: must be {least:g} to {most:g}, got {shown(value)}")
    return float(value)


def shown(value: Any) -> str:
    r"""Write a value so that a message with it stays one short line.

    Parameters
    ----------
    value : object
        What came.

    Returns
    -------
    str
        At most 40 characters of it, and nothing that is not printable.

    Examples
    --------
    >>> shown("two\nlines")
    "'two\\nlines'"
    """
    return shown_name(repr(value)[:_LONGEST_SHOWN])


def _refuse(name: str) -> float:
    raise ValueError(name)
