"""The map as a still picture for papers: a title, named axes, a legend or a colour bar with units, a caption."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stylemix.errors import BadInput
from stylemix.files import atomic_path, check_output
from stylemix.style_map.data import Layout, MapData
from stylemix.style_map.figure_words import (
    CAPTION_PT,
    LEGEND_PT,
    TITLE_PT,
    caption_of,
    label_of,
    legend_height_mm,
    legend_labels,
    one_line,
    text_height_mm,
    wrapped,
)
from stylemix.style_map.inking import DEFAULTS, Inking, draw_numbers, draw_points, ink_of, legend_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = (".png", ".svg", ".pdf")
WIDTHS_MM = (60.0, 500.0)
RESOLUTIONS_DPI = (50, 1200)
# Papers have columns of about 85 mm and pages of about 175 mm: a legend stands beside the map on a page only.
_BESIDE_FROM_MM = 130.0
_SIDE_MM = 48.0
_EDGE_MM = 3.0
_BAR_MM = 9.0
_FLATTEST, _TALLEST = 0.5, 0.88
_AXES = {"pca": "PC", "isomap": "Isomap", "tsne": "t-SNE", "t-sne": "t-SNE", "umap": "UMAP"}


def draw_map(
    points: MapData,
    out: str | Path,
    *,
    colour: str = "corpus",
    layout: int = 0,
    title: str | None = None,
    dpi: int = 200,
    width_mm: float = 175.0,
    force: bool = False,
    inputs: Iterable[str | Path] = (),
) -> dict[str, Any]:
    """Draw a map as a picture that can be printed.

    Shapes tell the corpora and colours what was asked for, in colours that colour-blind people tell apart. The same
    map gives the same file, byte by byte: no date is written. Names are text and nothing else. In SVG and PDF, text
    stays text; more than 5000 points become one picture in them, which any viewer opens.

    Parameters
    ----------
    points : MapData
        The segments.
    out : str or Path
        The picture; its ending chooses PNG, SVG or PDF.
    colour : str
        ``"corpus"``, ``"cluster"``, ``"time"`` or the name of one of the map's values.
    layout : int
        Which of the map's layouts, from 0.
    title : str, optional
        Heading; by default the map's.
    dpi : int
        Resolution of a PNG, and of the points of an SVG or PDF that has many.
    width_mm : float
        Width on paper (millimetres); 85 suits a column, 175 a page.
    force : bool
        Allow an existing file to be replaced.
    inputs : iterable of paths
        Files that must never be written over.

    Returns
    -------
    dict
        path, bytes, width_mm, height_mm, colour and layout (its label).

    Raises
    ------
    BadInput
        If the ending, colour, layout, resolution or width is no good, or the file may not be written.
    StylemixError
        If the file cannot be written.

    Examples
    --------
    >>> points = MapData(np.eye(2), np.array([0, 1]), np.array([0, 0]), ["a.wav", "b.wav"], np.zeros(2), np.ones(2),
    ...                  ["cage", "bach"], ["1: both"])
    >>> draw_map(points, getfixture("tmp_path") / "map.svg")["colour"]
    'corpus'
    """
    path = Path(out)
    _check(path, dpi, width_mm)
    ink = ink_of(points, colour, layout)
    path = check_output(path, force=force, inputs=inputs)
    heading = one_line(points.title if title is None else title)
    import matplotlib.style

    # What a user's own matplotlibrc asks for (TeX, other fonts) must not change or break the picture. Settings of
    # matplotlib are global: they are set back before this returns.
    with matplotlib.style.context(["default", DEFAULTS]), warnings.catch_warnings():
        # Letters that its font lacks are drawn as boxes in a PNG; in SVG they are text, for a viewer's own fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure, height_mm = _draw(points, ink, heading, width_mm)
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=dpi, metadata=_metadata(path, heading))
    return {
        "path": str(path), "bytes": path.stat().st_size, "width_mm": float(width_mm),
        "height_mm": round(height_mm, 1), "colour": colour, "layout": ink.layout.label,
    }  # fmt: skip


def _check(path: Path, dpi: int, width_mm: float) -> None:
    if path.suffix.lower() not in KINDS:
        raise BadInput(f"figure: the file must end in {', '.join(KINDS)}, got {one_line(path.name)!r}; rename it")
    if not RESOLUTIONS_DPI[0] <= dpi <= RESOLUTIONS_DPI[1]:
        raise BadInput(f"figure: dpi must be {RESOLUTIONS_DPI[0]} to {RESOLUTIONS_DPI[1]}, got {dpi}; 200 suits most")
    if not WIDTHS_MM[0] <= width_mm <= WIDTHS_MM[1]:
        raise BadInput(
            f"figure: width_mm must be {WIDTHS_MM[0]:g} to {WIDTHS_MM[1]:g}, got {width_mm:g}; "
            "85 is a column of a paper, 175 its page"
        )


def _metadata(path: Path, heading: str) -> dict[str, str | None]:
    # None takes out what would differ from day to day and from version to version.
    if path.suffix.lower() == ".pdf":
        return {"Title": heading, "CreationDate": None, "Producer": None, "Creator": None}
    if path.suffix.lower() == ".svg":
        return {"Title": heading, "Date": None, "Creator": None}
    return {"Title": heading.encode("latin-1", "replace").decode("latin-1"), "Software": None}


def _draw(points: MapData, ink: Inking, heading: str, width_mm: float) -> tuple[Figure, float]:
    """Lay out from the top: title, map with its legend beside or below it, caption."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    inner_mm = width_mm - 2 * _EDGE_MM
    beside = width_mm >= _BESIDE_FROM_MM
    side_mm = _SIDE_MM if beside else inner_mm
    # The name of the second axis stands to the left of a flat map.
    left_mm = _EDGE_MM + (4 if ink.layout.dims == 2 else 0)
    plot_mm = inner_mm + _EDGE_MM - left_mm - (_SIDE_MM + _EDGE_MM if beside else 0)
    names = wrapped(heading, inner_mm, TITLE_PT, bold=True)
    caption = wrapped(caption_of(points, ink), inner_mm, CAPTION_PT)
    title_mm = text_height_mm(len(names), TITLE_PT) + 2 if heading else 0.0
    unit = wrapped(label_of(ink.values), side_mm - 5, LEGEND_PT) if ink.values is not None else []
    bar_mm = _BAR_MM + text_height_mm(len(unit), LEGEND_PT) if unit else 0.0
    entries = legend_labels(points, ink, side_mm, _TALLEST * plot_mm - bar_mm if beside else 0.0)
    legend_mm = sum(legend_height_mm(label) for label, *_ in entries) + 2
    map_mm = max(plot_mm * _proportion(ink.layout), legend_mm + bar_mm if beside else 0.0)
    below_mm = 0.0 if beside else legend_mm + bar_mm + _EDGE_MM
    # Under the map the first axis is named, in 4 mm.
    caption_top = _EDGE_MM + title_mm + map_mm + 4 + 2 + below_mm
    height_mm = caption_top + text_height_mm(len(caption), CAPTION_PT) + _EDGE_MM

    figure = Figure(figsize=(width_mm / 25.4, height_mm / 25.4))
    # A canvas of its own, not pyplot's: nothing to close, no display, safe beside others.
    FigureCanvasAgg(figure)
    page = _Page(figure, width_mm, height_mm)
    page.text(_EDGE_MM, _EDGE_MM, names, TITLE_PT, weight="bold")
    top = _EDGE_MM + title_mm
    axes = page.axes(left_mm, top, plot_mm, map_mm, flat=ink.layout.dims == 2)
    _draw_map(axes, points, ink)
    side_at = (left_mm + plot_mm + _EDGE_MM, top) if beside else (_EDGE_MM, top + map_mm + 5)
    page.legend(*side_at, entries)
    if unit:
        _draw_bar(page.axes(side_at[0] + 1, side_at[1] + legend_mm, min(side_mm - 4, 60.0), 2.6), ink, unit)
    page.text(_EDGE_MM, caption_top, caption, CAPTION_PT, color="#45433e")
    return figure, height_mm


def _proportion(layout: Layout) -> float:
    """Height of a map over its width: that of its points, within limits, since both axes have one scale."""
    if layout.dims == 3:
        return _TALLEST
    wide, tall = np.ptp(np.asarray(layout.points, dtype=float), axis=0)
    return float(np.clip(tall / wide + 0.05, _FLATTEST, _TALLEST)) if wide > 0 else _TALLEST


class _Page:
    """A figure measured in millimetres from its upper left corner, as one lays out a page."""

    def __init__(self, figure: Figure, width_mm: float, height_mm: float) -> None:
        self._figure, self._width, self._height = figure, width_mm, height_mm

    def axes(self, left: float, top: float, width: float, height: float, *, flat: bool = True) -> Axes:
        box = (left / self._width, 1 - (top + height) / self._height, width / self._width, height / self._height)
        return self._figure.add_axes(box, projection=None if flat else "3d")

    def text(self, left: float, top: float, lines: list[str], size_pt: float, **style: Any) -> None:
        # Without parse_math a dollar sign in a name is a dollar sign, not a formula that fails.
        self._figure.text(
            left / self._width, 1 - top / self._height, "\n".join(lines), va="top", size=size_pt, linespacing=1.25,
            parse_math=False, **style,
        )  # fmt: skip

    def legend(self, left: float, top: float, entries: list[tuple[str, str, Any, Any]]) -> None:
        from matplotlib.lines import Line2D

        handles = [
            Line2D([], [], ls="", marker=marker, mfc=face, mec=edge, mew=0.6, ms=legend_size(marker))
            for _, marker, face, edge in entries
        ]
        legend = self._figure.legend(
            handles, [label for label, *_ in entries], loc="upper left", frameon=False, fontsize=LEGEND_PT,
            bbox_to_anchor=(left / self._width, 1 - top / self._height), borderaxespad=0, borderpad=0,
            labelspacing=0.45, handletextpad=0.4, handlelength=1.2,
        )  # fmt: skip
        for text in legend.get_texts():
            text.set_parse_math(False)


def _draw_map(axes: Any, points: MapData, ink: Inking) -> None:
    if ink.layout.dims == 3:
        # Else matplotlib sorts by depth and puts points over the numbers.
        axes.computed_zorder = False
    draw_points(axes, points, ink)
    draw_numbers(axes, points, ink)
    dims = ink.layout.dims
    told = f"{ink.layout.name} {ink.layout.label} {points.facts.get('Placed by', '')}".lower()
    name = next((title for method, title in _AXES.items() if method in told), "Dimension")
    # Embeddings have no units; numbers on their axes would say that they had.
    for axis, letter in enumerate("xyz"[:dims], 1):
        getattr(axes, f"set_{letter}ticks")([])
        getattr(axes, f"set_{letter}label")(
            f"{name} {axis}", size=LEGEND_PT, color="#6b6860", parse_math=False, labelpad=3 if dims == 2 else -12
        )
    if dims == 2:
        axes.set_aspect("equal", adjustable="datalim")
        for spine in axes.spines.values():
            spine.set(color="#d0ccc2", linewidth=0.6)
        return
    axes.set_aspect("equal")
    axes.view_init(elev=20, azim=-60)
    axes.set_box_aspect(None, zoom=1.2)
    for pane in (axes.xaxis, axes.yaxis, axes.zaxis):
        pane.set_pane_color("#faf9f6")
        pane.line.set_color("#d0ccc2")


def _draw_bar(axes: Axes, ink: Inking, unit: list[str]) -> None:
    from matplotlib.cm import ScalarMappable

    bar = axes.figure.colorbar(
        ScalarMappable(ink.norm, ink.palette), cax=axes, orientation="horizontal", extend=ink.beyond, ticks=ink.ticks
    )
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.4g}".replace("-", "\u2212"))
    bar.minorticks_off()
    axes.tick_params(labelsize=LEGEND_PT - 0.5, length=2, width=0.5)
    bar.outline.set_linewidth(0.4)
    # From the left, like the legend: in the middle a long unit would run out of the picture.
    axes.set_xlabel("\n".join(unit), size=LEGEND_PT, parse_math=False, loc="left", linespacing=1.25)
