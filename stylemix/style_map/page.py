"""The map page: one file that opens offline, shows every segment and plays it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.errors import BadInput
from stylemix.files import check_output, write_text
from stylemix.pages.document import base64_text, build_page, data_block, fill, json_for_html, read_template
from stylemix.pages.sprites import Strips, pack_clips
from stylemix.style_map.data import ClusterInfo, GridHybrid, Layout, MapData, Values

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
        Data blocks, with the sound.
    summary : dict
        What was put in, for reports.
    """

    section: str
    data: str
    summary: dict[str, Any]


MAP_STYLES = ("style_map/map.css",)
MAP_SCRIPTS = ("style_map/map_view.js", "style_map/map.js")


def _silent(n_segments: int) -> Strips:
    return Strips((), np.full(n_segments, -1), np.zeros(n_segments), np.zeros(n_segments))


def _sound(points: MapData, max_bytes: int) -> Strips:
    audible = np.flatnonzero(np.asarray(points.audible)).tolist()
    clip = points.clip
    strips = _silent(points.n_segments)
    if clip is None or not len(audible):
        return strips
    groups = [f"{points.corpus[i]:06d}/{points.files[i]}" for i in audible]
    packed = pack_clips(
        lambda i: clip(audible[i]), groups, points.duration_s[audible], max_bytes=max_bytes
    )
    for column in ("strip", "offset_s", "clip_s"):
        getattr(strips, column)[audible] = getattr(packed, column)
    return replace(strips, strips=packed.strips)


def _notice(points: MapData, strips: Strips) -> str:
    kept = strips.strip >= 0
    if points.clip is None or not np.any(points.audible):
        return "This map was written without sound."
    words = []
    shortened = strips.clip_s[kept] < points.duration_s[kept] - 0.02
    if shortened.any():
        longest = strips.clip_s.max()
        words.append(f"To keep this page small, segments play their first {longest:.1f} seconds.")
    if not kept.all():
        words.append(f"{kept.sum():,} of {len(kept):,} segments carry sound; the hollow ones are silent.")
    return " ".join(words)


def _columns(points: MapData, strips: Strips) -> tuple[dict[str, Any], list[str]]:
    # The same name in two corpora is two files.
    known: dict[tuple[int, str], int] = {}
    file = [
        known.setdefault((int(c), name), len(known))
        for c, name in zip(points.corpus, points.files, strict=True)
    ]
    span = float(np.ptp(points.xy, axis=0).max()) or 1.0
    place = (points.xy - points.xy.mean(axis=0)) / span
    columns = {
        "x": place[:, 0].round(5).tolist(),
        "y": place[:, 1].round(5).tolist(),
        "corpus": points.corpus.tolist(),
        "cluster": points.cluster.tolist(),
        "file": file,
        "start": points.start_s.round(3).tolist(),
        "duration": points.duration_s.round(3).tolist(),
        "strip": strips.strip.tolist(),
        "offset": strips.offset_s.round(5).tolist(),
        "clip": strips.clip_s.round(4).tolist(),
    }
    return columns, [name for _, name in known]


def _subtitle(points: MapData) -> str:
    n, names = points.n_segments, points.corpus_names
    corpora = " and ".join(names) if len(names) < 3 else f"{len(names)} corpora"
    segments = "segment" if n == 1 else "segments"
    return f"{n:,} {segments} of {corpora}. What sounds alike to the model lies close together."


def map_parts(points: MapData, *, max_bytes: int = MAX_BYTES, panel: str = "") -> MapParts:
    """Turn a map into the section and the data blocks of a page.

    Parameters
    ----------
    points : MapData
        The segments.
    max_bytes : int
        Limit for data and sound; sound is shortened, then thinned out, to fit.
    panel : str
        Trusted HTML for a panel of further controls beside the map.

    Returns
    -------
    MapParts
        The section, its data and a summary.

    Raises
    ------
    BadInput
        If a clip holds NaN, or the points alone are larger than the limit.
    """
    n = points.n_segments
    bare = len(json_for_html(_columns(points, _silent(n))[0]).encode()) + 24 * n + 20_000
    bare += sum(len(name.encode("utf-8", "replace")) + 8 for name in set(points.files))
    if bare > max_bytes:
        raise BadInput(
            f"map: {n} segments take {bare / 1e6:.1f} MB without any sound, the limit is "
            f"{max_bytes / 1e6:.1f} MB; use longer segments or raise the limit"
        )
    strips = _sound(points, max_bytes - bare)
    columns, files = _columns(points, strips)
    facts = {"Segments": f"{n:,} in {len(files):,} {'file' if len(files) == 1 else 'files'}", **points.facts}
    value = {
        "title": points.title,
        "subtitle": _subtitle(points),
        "corpora": list(points.corpus_names),
        "clusters": [name.replace(" %", "\u00a0%") for name in points.cluster_names],
        "files": files,
        "points": columns,
        "notice": _notice(points, strips),
        "facts": [[k, str(v)] for k, v in facts.items()],
    }
    blocks = [data_block("map-data", json_for_html(value))]
    blocks += [
        data_block(f"map-strip-{i}", base64_text(strip.data), kind=f"{strip.mime};base64")
        for i, strip in enumerate(strips.strips)
    ]
    summary = {
        "segments": n, "files": len(files), "clusters": len(points.cluster_names),
        "with_sound": int((strips.strip >= 0).sum()), "longest_clip_s": round(float(strips.clip_s.max()), 3),
        "notice": value["notice"],
    }  # fmt: skip
    return MapParts(fill(read_template("style_map/map.html"), {"panel": panel}), "\n".join(blocks), summary)


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
        path, bytes, segments, files, clusters, with_sound, longest_clip_s and notice.

    Raises
    ------
    BadInput
        If the page exists without `force`, is an input, or the segments do not fit the limit.
    StylemixError
        If the file cannot be written.

    Examples
    --------
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
    def build(section: str, blocks: str) -> str:
        return build_page(
            "style_map/map_page.html",
            title=points.title,
            styles=[*MAP_STYLES, *styles],
            scripts=[*MAP_SCRIPTS, "style_map/map_page.js", *scripts],
            parts={"map": section, "data": blocks},
            served=served,
        )

    frame = len(build(panel, data).encode("utf-8")) + 8000
    parts = map_parts(points, max_bytes=max_bytes - frame, panel=panel)
    return build(parts.section, "\n".join([parts.data, data])), parts.summary
