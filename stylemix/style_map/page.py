"""The map page: one file that opens offline, shows every segment and plays it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.errors import BadInput
from stylemix.files import check_output, write_text
from stylemix.pages.document import base64_text, build_page, data_block, fill, json_for_html, read_template
from stylemix.pages.sprites import STRIP_S
from stylemix.style_map.columns import (
    counted_infos,
    info_facts,
    isolated,
    layout_facts,
    map_columns,
    pack_columns,
)
from stylemix.style_map.data import ClusterInfo, GridHybrid, Layout, MapData, Values
from stylemix.style_map.packing import GRID_SHARE, pack_hybrids, pack_segments, silent_strips, sound_notice

MAX_BYTES = 24_000_000

__all__ = [
    "MAP_SCRIPTS", "MAP_STYLES", "MAX_BYTES", "ClusterInfo", "GridHybrid", "Layout", "MapData", "MapParts", "Values",
    "map_document", "map_parts", "write_map",
]  # fmt: skip


@dataclass(frozen=True)
class MapParts:
    """A map as the pieces of a page, for the map's own page and for pages that hold one.

    Parameters
    ----------
    section : str
        HTML of the component.
    data : str
        Data blocks of the points: they come before the page's scripts.
    sound : str
        Data blocks of the sound: behind the scripts, so that the map is drawn while a browser still reads them.
    summary : dict
        What was put in, for reports.
    """

    section: str
    data: str
    sound: str
    summary: dict[str, Any]


MAP_STYLES = ("style_map/map.css", "style_map/map_side.css", "style_map/map_tables.css")
MAP_SCRIPTS = tuple(
    f"style_map/{name}.js"
    for name in (
        "map_shapes", "map_space", "map_webgl", "map_plain", "map_colours", "map_overlay", "map_view", "map_sound",
        "map_legend", "map_layouts", "map_export", "map_selection", "map_grid", "map_list", "map_hands", "map_link",
        "map", "map_start",
    )
)  # fmt: skip


def _subtitle(points: MapData) -> str:
    placed = np.asarray(points.placed, dtype=bool)
    # New files are guests: neither their segments nor the corpus they form are counted with the run's own.
    own = ~placed if not placed.all() else placed
    names = isolated([points.corpus_names[k] for k in np.unique(points.corpus[own])], points.corpus_names)
    corpora = " and ".join(names) if len(names) < 3 else f"{len(names)} corpora"
    new = len(np.unique(points.shown_files()[0][~own]))
    guests = f", and {_counted(new, 'new file')}" if new else ""
    of = f"{_counted(int(own.sum()), 'segment')} of {corpora}{guests}"
    return f"{of}. What sounds alike to the model lies close together."


def _counted(n: int, thing: str) -> str:
    return f"{n:,} {thing}" + ("" if n == 1 else "s")


def _facts(points: MapData, n_files: int, n_bytes: int, budget: int | None) -> list[list[str]]:
    facts = {"Segments": f"{points.n_segments:,} in {_counted(n_files, 'file')}", **points.facts}
    if budget:
        facts["Size of this page"] = f"{n_bytes / 1e6:.1f} MB of at most {budget / 1e6:.3g} MB"
    return [[name, str(value)] for name, value in facts.items()]


def _words(points: MapData, files: list[str]) -> dict[str, Any]:
    return {
        "title": points.title,
        "subtitle": _subtitle(points),
        "run": points.run,
        "corpora": list(points.corpus_names),
        "clusters": isolated([name.replace(" %", "\u00a0%") for name in points.cluster_names], points.corpus_names),
        "files": files,
        "tags": list(points.tags) or [""] * len(files),
        "layouts": [layout_facts(layout) for layout in points.layouts],
        "values": [
            {"name": name, "label": one.label, "unit": one.unit, "scale": one.scale}
            for name, one in points.values.items()
        ],
        "infos": [info_facts(info, points.corpus_names) for info in points.infos or counted_infos(points)],
    }


def _bare_bytes(points: MapData, value: dict[str, Any], max_bytes: int) -> int:
    n = points.n_segments
    bare = len(pack_columns(map_columns(points, silent_strips(n)))[1]) + len(json_for_html(value).encode()) + 2000
    # The element around a strip; a file has one a minute and one for the rest.
    bare += round(80 * (len(value["files"]) + points.duration_s.sum() / STRIP_S))
    if bare > max_bytes:
        raise BadInput(
            f"map: {n} segments take {bare / 1e6:.1f} MB without any sound, the limit is "
            f"{max_bytes / 1e6:.1f} MB; use longer segments or raise the limit"
        )
    return bare


def map_parts(
    points: MapData, *, max_bytes: int = MAX_BYTES, panel: str = "", budget: int | None = None
) -> MapParts:
    """Turn a map into the section and the data blocks of a page.

    Parameters
    ----------
    points : MapData
        The segments.
    max_bytes : int
        Limit for data and sound; sound is shortened, then thinned out, to fit.
    panel : str
        Trusted HTML for a panel of further controls beside the map.
    budget : int, optional
        Limit of the whole page, for its facts; they say nothing of a size without it.

    Returns
    -------
    MapParts
        The section, its data and a summary.

    Raises
    ------
    BadInput
        If a clip holds NaN, or the points alone are larger than the limit.
    """
    files = points.shown_files()[1]
    value = _words(points, files)
    value["facts"] = _facts(points, len(files), 0, budget)
    bare = _bare_bytes(points, value, max_bytes)
    hybrids, hybrid_blocks, n_left_out = pack_hybrids(points, round(GRID_SHARE * (max_bytes - bare)))
    value["hybrids"] = hybrids
    taken = bare + sum(map(len, hybrid_blocks)) + len(json_for_html(hybrids).encode())
    strips = pack_segments(points, max_bytes - taken)
    value["facts"] = _facts(points, len(files), (budget or 0) - max_bytes + taken + strips.n_bytes, budget)
    value["notice"] = sound_notice(points, strips, n_left_out)
    value["columns"], columns = pack_columns(map_columns(points, strips))
    sound = [
        data_block(f"map-strip-{i}", base64_text(strip.data), kind=f"{strip.mime};base64")
        for i, strip in enumerate(strips.strips)
    ]
    summary = {
        "segments": points.n_segments, "files": len(files), "clusters": len(points.cluster_names),
        "with_sound": int((strips.strip >= 0).sum()), "longest_clip_s": round(float(strips.clip_s.max()), 3),
        "hybrids": len(hybrids), "notice": value["notice"],
    }  # fmt: skip
    return MapParts(
        fill(read_template("style_map/map.html"), {"panel": panel}),
        data_block("map-data", json_for_html(value)) + data_block("map-columns", columns, kind="text/plain"),
        "\n".join(hybrid_blocks + sound),
        summary,
    )


def write_map(
    out: str | Path,
    points: MapData,
    *,
    force: bool = False,
    inputs: Iterable[str | Path] = (),
    max_bytes: int = MAX_BYTES,
) -> dict[str, Any]:
    """Write the map as one HTML file that opens offline.

    Parameters
    ----------
    out : str or Path
        The page.
    points : MapData
        The segments, with a way to their sound.
    force : bool
        Allow an existing file to be replaced.
    inputs : iterable of paths
        Files that must never be written over.
    max_bytes : int
        Limit for the whole page; sound is shortened, then thinned out, to fit, and the page says so.

    Returns
    -------
    dict
        path, bytes, segments, files, clusters, with_sound, longest_clip_s, hybrids and notice.

    Raises
    ------
    BadInput
        If the page exists without `force`, is an input, or the segments do not fit the limit.
    StylemixError
        If the file cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> points = MapData(np.zeros((1, 2)), np.array([0]), np.array([0]), ["a.wav"], np.zeros(1), np.ones(1),
    ...                  ["cage"], ["1: all cage"])
    >>> write_map(getfixture("tmp_path") / "map.html", points)["segments"]
    1
    """
    path = check_output(out, force=force, inputs=inputs)
    page, summary = _page(points, max_bytes=max_bytes)
    write_text(path, page)
    return {"path": str(path), "bytes": len(page.encode("utf-8")), **summary}


def map_document(
    points: MapData,
    *,
    max_bytes: int = MAX_BYTES,
    panel: str = "",
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
    data: str = "",
    served: bool = False,
) -> str:
    """Return the map's page as text, for a server that puts a panel of its own beside the map.

    Parameters
    ----------
    points : MapData
        The segments, with a way to their sound.
    max_bytes : int
        Limit for the whole page; sound is shortened, then thinned out, to fit, and the page says so.
    panel : str
        Trusted HTML for the panel.
    styles, scripts : sequence of str
        Names of templates behind the map's own. Scripts find the map ready: see the top of ``map.js``.
    data : str
        Further data blocks, from `stylemix.pages.document.data_block`.
    served : bool
        Whether the page may speak with the server it came from.

    Returns
    -------
    str
        The whole page.

    Raises
    ------
    BadInput
        If a clip holds NaN, or the segments do not fit the limit.

    Examples
    --------
    >>> import numpy as np
    >>> points = MapData(np.zeros((1, 2)), np.array([0]), np.array([0]), ["a.wav"], np.zeros(1), np.ones(1),
    ...                  ["cage"], ["1: all cage"])
    >>> "connect-src 'self'" in map_document(points, served=True)
    True
    """
    return _page(
        points, max_bytes=max_bytes, panel=panel, styles=styles, scripts=scripts, data=data, served=served
    )[0]


def _page(
    points: MapData,
    *,
    max_bytes: int,
    panel: str = "",
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
    data: str = "",
    served: bool = False,
) -> tuple[str, dict[str, Any]]:
    def build(section: str, blocks: str, sound: str) -> str:
        return build_page(
            "style_map/map_page.html",
            title=points.title,
            styles=[*MAP_STYLES, *styles],
            scripts=[*MAP_SCRIPTS, "style_map/map_page.js", *scripts],
            parts={"map": section, "data": blocks, "late": sound},
            served=served,
        )

    frame = len(build(read_template("style_map/map.html") + panel, data, "").encode("utf-8")) + 1000
    parts = map_parts(points, max_bytes=max_bytes - frame, panel=panel, budget=max_bytes)
    return build(parts.section, "\n".join([parts.data, data]), parts.sound), parts.summary
