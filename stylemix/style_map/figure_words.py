"""The words of a still picture: caption, legend, and how they fit its width."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import numpy as np

from stylemix.audio import shown_name
from stylemix.style_map.columns import CAUTION
from stylemix.style_map.data import MapData, Values
from stylemix.style_map.inking import GREY, INK, MARKERS, Inking, page_colours

TITLE_PT = 11.0
CAPTION_PT = 7.5
LEGEND_PT = 7.5
MOST_NAME = 80
_MM_PER_PT = 25.4 / 72
# Of a map's facts, those that a reader of a paper needs to make the picture again.
_FACTS = ("Length of a segment", "Placed by", "Seed", "Run")


def one_line(text: str) -> str:
    r"""Write any text on one line of limited length, with nothing in it that only a computer sees.

    Parameters
    ----------
    text : str
        A name or a title.

    Returns
    -------
    str
        Control characters and marks that turn the direction of writing are escaped; the middle of what is longer
        than 80 characters is left out, since names differ at their ends.

    Examples
    --------
    >>> one_line("two\nlines \u202e")
    'two\\nlines \\u202e'
    >>> len(one_line("x" * 300))
    80
    """
    text = shown_name(text.strip())
    if len(text) <= MOST_NAME:
        return text
    half = (MOST_NAME - 1) // 2
    return f"{text[: MOST_NAME - 1 - half]}…{text[-half:]}"


@lru_cache(maxsize=4)
def _font(bold: bool) -> Any:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return get_font(findfont(FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")))


def _width_mm(text: str, size_pt: float, bold: bool) -> float:
    # Advances from the font itself: what it lacks (Chinese, emoji) counts as an em, the most that any takes.
    from matplotlib.ft2font import LoadFlags

    font = _font(bold)
    units = 0.0
    for character in text:
        glyph = font.get_char_index(ord(character))
        units += font.load_glyph(glyph, LoadFlags.NO_SCALE).horiAdvance if glyph else font.units_per_EM
    return units / font.units_per_EM * size_pt * _MM_PER_PT


def wrapped(text: str, width_mm: float, size_pt: float, *, bold: bool = False) -> list[str]:
    """Break a text into lines that fit a width.

    Parameters
    ----------
    text : str
        One paragraph.
    width_mm : float
        Room (millimetres).
    size_pt : float
        Size of the type (points).
    bold : bool
        Whether it is.

    Returns
    -------
    list of str
        Lines; a word longer than a line is broken, too.

    Examples
    --------
    >>> wrapped("one two", 10.0, 8.0)
    ['one', 'two']
    """
    lines = [""]
    for word in re.findall(r"\S+", text):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if _width_mm(joined, size_pt, bold) <= width_mm:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for character in word:
            if lines[-1] and _width_mm(lines[-1] + character, size_pt, bold) > width_mm:
                lines.append("")
            lines[-1] += character
    return lines


def text_height_mm(n_lines: int, size_pt: float) -> float:
    """Return the height of some lines.

    Parameters
    ----------
    n_lines : int
        How many.
    size_pt : float
        Size of the type (points).

    Returns
    -------
    float
        Millimetres, at the line spacing of the pictures.

    Examples
    --------
    >>> round(text_height_mm(2, 10.0), 1)
    8.5
    """
    # Measured: matplotlib sets lines of DejaVu Sans 1.17 em apart at a line spacing of 1.25.
    return n_lines * size_pt * 1.2 * _MM_PER_PT


def legend_height_mm(label: str) -> float:
    r"""Return the height of an entry of the legend.

    Parameters
    ----------
    label : str
        Its lines.

    Returns
    -------
    float
        Millimetres, the distance to the next one included.

    Examples
    --------
    >>> legend_height_mm("one\ntwo") < 2 * legend_height_mm("one")
    True
    """
    return (label.count("\n") + 1) * LEGEND_PT * 1.21 * _MM_PER_PT + 1.2


def legend_labels(points: MapData, ink: Inking, width_mm: float, height_mm: float) -> list[tuple[str, str, Any, Any]]:
    """List what a legend says, as much as fits.

    Parameters
    ----------
    points : MapData
        The segments.
    ink : Inking
        How they are coloured.
    width_mm, height_mm : float
        Room (millimetres); a height of 0 means any.

    Returns
    -------
    list of (label, marker, face, edge)
        Labels are wrapped; a last one may count those left out.
    """
    colours = page_colours()
    counts = np.bincount(points.corpus, minlength=len(points.corpus_names))
    entries = [
        (f"{one_line(name)} ({counts[i]:,})", MARKERS[i % len(MARKERS)],
         colours[i % len(colours)] if ink.by == "corpus" else "none",
         "white" if ink.by == "corpus" else INK)
        for i, name in enumerate(points.corpus_names) if counts[i]
    ]  # fmt: skip
    n_placed = int(np.asarray(points.placed, dtype=bool).sum())
    if n_placed:
        entries.append((f"placed afterwards ({n_placed:,})", "o", "none", INK))
    if ink.by == "cluster":
        entries += [
            (one_line(points.cluster_names[i]), "o", colours[i % len(colours)], "white")
            for i in np.unique(points.cluster[points.cluster >= 0])
        ]
        if (points.cluster < 0).any():
            entries.append((f"in no cluster ({int((points.cluster < 0).sum()):,})", "o", GREY, "white"))
    if ink.values is not None and not np.isfinite(np.asarray(ink.values.array, dtype=float)).all():
        entries.append(("not measured", "o", GREY, "white"))
    # The symbol and its distance to the text take 5 mm.
    told = [("\n".join(wrapped(label, width_mm - 6, LEGEND_PT)), *look) for label, *look in entries]
    return _as_many_as_fit(told, height_mm)


def _as_many_as_fit(entries: list[Any], height_mm: float) -> list[Any]:
    kept: list[Any] = []
    # One line is kept for the count of the others.
    used = legend_height_mm("")
    for entry in entries:
        used += legend_height_mm(entry[0])
        if height_mm and used > height_mm:
            return [*kept, (f"and {len(entries) - len(kept)} more", "o", "none", "none")]
        kept.append(entry)
    return kept


def caption_of(points: MapData, ink: Inking) -> str:
    """Write the caption: what is shown, how it was placed, how far it can be trusted.

    Parameters
    ----------
    points : MapData
        The segments.
    ink : Inking
        Layout and colours.

    Returns
    -------
    str
        One paragraph.
    """
    names = " and ".join(one_line(name) for name in points.corpus_names)
    n = points.n_segments
    said = [f"{n:,} {'segment' if n == 1 else 'segments'} of {names}; shapes tell the corpora."]
    if ink.by == "cluster":
        said.append(f"Colours and numbers: clusters{_fact(points, 'Clusters', ' (', ')')}.")
    elif ink.values is not None:
        label = label_of(ink.values)
        said.append(f"Colours: {label[0].lower()}{label[1:]}.")
    facts = {name: points.facts[name] for name in _FACTS if name in points.facts}
    # The fact names the method of the first layout and what all are made from.
    if len(points.layouts) > 1:
        _, of, space = facts.get("Placed by", "").partition(" of ")
        facts["Placed by"] = ink.layout.label if " of " in ink.layout.label else f"{ink.layout.label}{of}{space}"
    said += [f"{name}: {one_line(str(value))}." for name, value in facts.items()]
    if ink.layout.scores:
        told = [f"{one_line(name.replace('_', ' '))} {score:.2f}" for name, score in ink.layout.scores.items()]
        said.append(f"{', '.join(told).capitalize()}.")
    if ink.layout.note:
        said.append(shown_name(ink.layout.note))
    # PCA is a projection: its distances are those of the space, less what the other components hold.
    if "pca" not in f"{ink.layout.name} {points.facts.get('Placed by', '')}".lower():
        said.append(CAUTION)
    return " ".join(said)


def label_of(values: Values) -> str:
    """Name what is measured, with its unit.

    Parameters
    ----------
    values : Values
        Of every segment.

    Returns
    -------
    str
        On one line.

    Examples
    --------
    >>> label_of(Values("Pitch", "Hz", np.zeros(1)))
    'Pitch (Hz)'
    """
    return one_line(values.label) + (f" ({one_line(values.unit)})" if values.unit else "")


def _fact(points: MapData, name: str, before: str, after: str) -> str:
    return f"{before}{one_line(str(points.facts[name]))}{after}" if name in points.facts else ""
