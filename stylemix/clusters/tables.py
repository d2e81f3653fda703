"""Tables as CSV that a spreadsheet opens without running anything that stands in them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence

from stylemix.audio import shown_name

# What a spreadsheet takes for the beginning of a formula; some take the wide forms of East Asian type as well.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : iterable of sequence
        Numbers, texts, and None or NaN for an empty cell.

    Returns
    -------
    str
        Lines that end with a line feed. In text, what cannot be printed is escaped, since a carriage return within a
        cell begins a row for some readers, and what a spreadsheet would take for a formula begins with an apostrophe.

    Examples
    --------
    >>> print(csv_text(["number", "name"], [(1, "=cmd()"), (float("nan"), "a, b")]), end="")
    number,name
    1,'=cmd()
    ,"a, b"
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in (header, *rows):
        writer.writerow([_cell(value) for value in row])
    return text.getvalue()


def _cell(value: object) -> object:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    # NumPy's numbers would be written with their type.
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, str):
        return value
    shown = shown_name(value)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown
