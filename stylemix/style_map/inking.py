"""What a point of a still picture looks like: its shape, its colour, the scale of that colour."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from stylemix.errors import BadInput
from stylemix.pages.document import read_template
from stylemix.style_map.data import Layout, MapData, Values

# The page's shapes, in its order, as matplotlib calls them.
MARKERS = ("o", "D", "^", "s", "P", "v", "h", "*")
# Areas about as large as one another, so that no corpus looks heavier: marker sizes are those of bounding boxes.
_SIZES = {"o": 1.0, "D": 0.8, "^": 1.15, "s": 0.85, "P": 1.25, "v": 1.15, "h": 1.1, "*": 1.6}
GREY = "#b9b5ab"
INK = "#1c1b19"
# Vector points are sharp, but a viewer draws each by itself: some thousand are slow to open and to print.
MOST_VECTOR_POINTS = 5000
# Drawn in turns: one corpus after another would hide the first one under the last.
_TURNS = 24
# Viridis: even in lightness, so that it survives print in grey, and made for colour-blind eyes.
# High values are the dark ones, as on the page in the light.
_PALETTE = "viridis_r"
# Text stays text in SVG and can be searched in PDF; the salt makes the names of clip paths the same in every run.
DEFAULTS = {"svg.fonttype": "none", "pdf.fonttype": 42, "svg.hashsalt": "stylemix", "font.family": ["DejaVu Sans"]}


@dataclass(frozen=True)
class Inking:
    """How a map is coloured.

    Parameters
    ----------
    layout : Layout
        Where the points are.
    by : str
        ``"corpus"``, ``"cluster"`` or ``"value"``.
    faces : np.ndarray, shape (N, 4)
        Red, green, blue and opacity of every point, 0 to 1.
    values : Values, optional
        What the colours measure: label, unit, array, scale.
    norm, palette, ticks : object, optional
        Of the colour bar.
    beyond : {"neither", "min", "max", "both"}
        Where values lie outside the colour bar.
    """

    layout: Layout
    by: str
    faces: np.ndarray
    values: Values | None = None
    norm: Any = None
    palette: Any = None
    ticks: Any = None
    beyond: str = "neither"


def page_colours() -> list[str]:
    """Return the colours of the pages in light, so that a corpus has one colour everywhere.

    Returns
    -------
    list of str
        Twelve, as in ``#0072b2``.

    Examples
    --------
    >>> page_colours()[0]
    '#0072b2'
    """
    # The first of each name: the second one is for the dark.
    found = dict(reversed(re.findall(r"--c(\d+): (#[0-9a-f]{6})", read_template("pages/base.css"))))
    return [found[str(i)] for i in range(len(found))]


def ink_of(points: MapData, colour: str, layout: int) -> Inking:
    """Choose a layout of a map and colour its points.

    Parameters
    ----------
    points : MapData
        The segments.
    colour : str
        ``"corpus"``, ``"cluster"``, ``"time"`` or the name of one of the map's values.
    layout : int
        Which of the map's layouts, from 0.

    Returns
    -------
    Inking
        What to draw.

    Raises
    ------
    BadInput
        If there is no such colour or layout.
    """
    if not 0 <= layout < len(points.layouts):
        known = ", ".join(f"{i} {one.label}" for i, one in enumerate(points.layouts))
        raise BadInput(f"figure: there is no layout {layout}; choose one of {known}")
    place = points.layouts[layout]
    values = {"time": Values("Time in the file", "s", points.start_s), **points.values}
    if colour in ("corpus", "cluster"):
        return Inking(place, colour, _by_group(getattr(points, colour)))
    if colour not in values:
        known = ", ".join(["corpus", "cluster", *values])
        raise BadInput(f"figure: colour must be one of {known}, got {colour!r}")
    return _by_value(place, values[colour])


def _by_group(groups: np.ndarray) -> np.ndarray:
    from matplotlib.colors import to_rgba_array

    colours = to_rgba_array([*page_colours(), GREY])
    # What is in no cluster has the number -1: grey, the last.
    return colours[np.where(groups < 0, len(colours) - 1, groups % (len(colours) - 1))]


def _by_value(place: Layout, values: Values) -> Inking:
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm, Normalize, to_rgba

    array = np.asarray(values.array, dtype=np.float64)
    known = np.isfinite(array)
    log = values.scale == "log" and bool((array[known] > 0).any())
    if log:
        known &= array > 0
    # A single outlier would leave the rest one colour: the ends are the 1st and 99th percentile, and the bar says
    # with an arrow where values lie beyond.
    low, high = np.percentile(array[known], [1, 99]) if known.any() else (0.0, 1.0)
    if high <= low:
        low, high = (low / 1.1, high * 1.1) if log else (low - 0.5, high + 0.5)
    norm = (LogNorm if log else Normalize)(float(low), float(high), clip=True)
    palette = colormaps[_PALETTE]
    faces = np.tile(to_rgba(GREY), (len(array), 1))
    faces[known] = palette(np.asarray(norm(array[known])))
    below, above = bool((array[known] < low).any()), bool((array[known] > high).any())
    beyond = {(False, False): "neither", (True, False): "min", (False, True): "max"}.get((below, above), "both")
    return Inking(place, "value", faces, values, norm, palette, _log_ticks(low, high) if log else None, beyond)


def _log_ticks(low: float, high: float) -> list[float] | None:
    """Powers of ten times 1, 2 and 5: a log axis alone would name a single one between 200 and 900."""
    tens = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    found = [float(m * ten) for ten in tens for m in (1, 2, 5) if low <= m * ten <= high]
    kept: list[float] = []
    for tick in found:
        # A number of four digits takes a sixth of the bar.
        if not kept or np.log(tick / kept[-1]) > np.log(high / low) / 6:
            kept.append(tick)
    return kept if len(kept) > 1 else None


def legend_size(marker: str) -> float:
    """Return the size of a marker in a legend.

    Parameters
    ----------
    marker : str
        One of `MARKERS`.

    Returns
    -------
    float
        Points.
    """
    return 5.6 * _SIZES[marker] ** 0.5


def draw_points(axes: Any, points: MapData, ink: Inking) -> None:
    """Draw the points, in turns of all corpora.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Flat or in three dimensions.
    points : MapData
        The segments.
    ink : Inking
        Their places and colours.
    """
    n = points.n_segments
    size = float(np.clip(300 / np.sqrt(n), 2.2, 30.0))
    placed = np.asarray(points.placed, dtype=bool)
    deep = {"depthshade": False} if ink.layout.dims == 3 else {}
    # Not a question of chance that matters: only of what lies on top of what, the same in every run.
    order = np.random.default_rng(0).permutation(n)
    for turn in np.array_split(order, min(_TURNS, n)):
        for corpus in np.unique(points.corpus[turn]):
            some = turn[points.corpus[turn] == corpus]
            marker = MARKERS[corpus % len(MARKERS)]
            new = placed[some]
            axes.scatter(
                *ink.layout.points[some].T, s=size * _SIZES[marker] * np.where(new, 1.7, 1.0), marker=marker,
                c=ink.faces[some], edgecolors=[INK if one else "white" for one in new],
                linewidths=np.where(new, 0.9, 0.3 if n <= 2000 else 0.0), alpha=0.9,
                rasterized=n > MOST_VECTOR_POINTS, **deep,
            )  # fmt: skip


def draw_numbers(axes: Any, points: MapData, ink: Inking) -> None:
    """Write each cluster's number at its medoid, where clusters are what is shown.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Flat or in three dimensions.
    points : MapData
        The segments.
    ink : Inking
        Their places and colours.
    """
    if ink.by != "cluster":
        return
    for cluster in np.unique(points.cluster[points.cluster >= 0]):
        medoid = _medoid(points, int(cluster), np.asarray(ink.layout.points))
        look: dict[str, Any] = {
            "ha": "center", "va": "center", "size": 6.5, "weight": "bold", "color": INK, "zorder": 10,
            "bbox": {"boxstyle": "circle,pad=0.28", "fc": "white", "ec": ink.faces[medoid], "lw": 1.0},
        }  # fmt: skip
        if ink.layout.dims == 3:
            axes.text(*ink.layout.points[medoid], str(cluster + 1), **look)
            continue
        # Beside the medoid and joined to it: on it, the number of a small cluster would hide the cluster.
        axes.annotate(
            str(cluster + 1), ink.layout.points[medoid], (9.0, 9.0), textcoords="offset points",
            arrowprops={"arrowstyle": "-", "color": INK, "lw": 0.6, "shrinkA": 0, "shrinkB": 0}, **look,
        )  # fmt: skip


def _medoid(points: MapData, cluster: int, place: np.ndarray) -> int:
    for info in points.infos:
        if info.number == cluster + 1 and 0 <= info.medoid < points.n_segments:
            return info.medoid
    # Not told: the member nearest to the middle of the picture's own group.
    members = np.flatnonzero(points.cluster == cluster)
    return int(members[((place[members] - place[members].mean(axis=0)) ** 2).sum(axis=1).argmin()])
