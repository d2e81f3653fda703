"""The keys of a recipe: the rule of each, the check of a value against it, and its writing as TOML."""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from stylemix.errors import BadInput


def number(default: float, *, low: float = -math.inf, high: float = math.inf) -> Any:
    """Declare a key that holds a number.

    Parameters
    ----------
    default : float
        Its value where a recipe says nothing.
    low, high : float
        The least and the greatest value allowed.

    Returns
    -------
    dataclasses.Field
        For the body of a dataclass.

    Examples
    --------
    >>> number(3, low=1).metadata["low"]
    1
    """
    return dataclasses.field(default=default, metadata={"low": low, "high": high})


def choice(default: str, *options: str) -> Any:
    """Declare a key that holds one of a few words.

    Parameters
    ----------
    default : str
        Its value where a recipe says nothing.
    *options : str
        Every word allowed.

    Returns
    -------
    dataclasses.Field
        For the body of a dataclass.

    Examples
    --------
    >>> choice("a", "a", "b").metadata["options"]
    ('a', 'b')
    """
    return dataclasses.field(default=default, metadata={"options": options})


def checked_value(key: dataclasses.Field[Any], value: Any, where: str) -> Any:
    """Check a value against its key's type and rule.

    Parameters
    ----------
    key : dataclasses.Field
        Of type bool, int, float, str or dict[str, float].
    value : object
        As TOML gives it.
    where : str
        What to call the key in an error message.

    Returns
    -------
    object
        The value, of the key's own type.

    Raises
    ------
    BadInput
        If the type is another or the value breaks the rule.
    """
    kind = str(key.type)
    if kind.startswith("dict"):
        if not isinstance(value, Mapping):
            raise BadInput(f"{where} must be a table of names and numbers, got {value!r}")
        return {name: _checked_number(key, float, item, f"{where}.{name}") for name, item in value.items()}
    if kind in ("int", "float"):
        return _checked_number(key, int if kind == "int" else float, value, where)
    options = key.metadata.get("options")
    if options and value not in options:
        rule = f"one of {', '.join(options)}"
        raise BadInput(f"{where} must be {rule}, got {value!r}{suggestion(value, options)}")
    if not isinstance(value, bool if kind == "bool" else str):
        rule = "true or false" if kind == "bool" else "a text"
        raise BadInput(f"{where} must be {rule}, got {value!r}")
    return value


def suggestion(text: object, known: Iterable[str]) -> str:
    """Write the end of an error message that names the closest known word, if one is close.

    Parameters
    ----------
    text : object
        What was written.
    known : iterable of str
        What could have been meant.

    Returns
    -------
    str
        Empty if nothing is close.

    Examples
    --------
    >>> suggestion("minuts", ["minutes", "steps"])
    "; did you mean 'minutes'?"
    """
    close = difflib.get_close_matches(str(text), list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def toml_value(value: Any) -> str:
    """Write a value of a recipe as TOML, the same text for the same value.

    Parameters
    ----------
    value : bool, int, float, str or dict
        The value.

    Returns
    -------
    str
        Its TOML.

    Examples
    --------
    >>> toml_value({"b": 0.5, "a": True})
    '{ "a" = true, "b" = 0.5 }'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # A JSON string is a TOML string but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        items = ", ".join(f"{toml_value(name)} = {toml_value(item)}" for name, item in sorted(value.items()))
        return f"{{ {items} }}" if items else "{}"
    return repr(value)


def _checked_number(key: dataclasses.Field[Any], kind: type, value: Any, where: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, int if kind is int else (int, float)):
        raise BadInput(f"{where} must be a {'whole ' if kind is int else ''}number, got {value!r}")
    low, high = key.metadata.get("low", -math.inf), key.metadata.get("high", math.inf)
    if not (math.isfinite(value) and low <= value <= high):
        limits = f"from {low} to {high}" if math.isfinite(high) else f"at least {low} and finite"
        raise BadInput(f"{where} must be {limits.replace('at least -inf and ', '')}, got {value!r}")
    return kind(value)
