"""A map as what its page reads: typed columns in one block of base64, and everything else as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any
from unicodedata import bidirectional

import numpy as np

from stylemix.pages.document import base64_text
from stylemix.pages.sprites import Strips
from stylemix.style_map.data import ClusterInfo, Layout, MapData

CAUTION = (
    "A picture of many dimensions bends distances: "
    "trust who is near whom, not the width of a gap or the size of a cloud."
)
_TURNING = ("R", "AL", "LRE", "LRO", "RLE", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
_CODES = {"uint8": "u8", "uint16": "u16", "uint32": "u32", "int16": "i16", "int32": "i32", "float32": "f32"}


def pack_columns(columns: Mapping[str, np.ndarray]) -> tuple[dict[str, list[Any]], str]:
    """Join arrays to one block of base64 and say where each lies in it.

    As text, 20,000 segments with ten layouts and six values take 9 MB and a second to parse; so they take 2 MB and
    a few milliseconds, since a browser reads typed arrays without looking at the numbers.

    Parameters
    ----------
    columns : mapping of str to np.ndarray
        One-dimensional arrays of 8, 16 or 32 bits.

    Returns
    -------
    index : dict of str to list
        Type, offset (bytes) and length (entries) of each.
    text : str
        All of them, little-endian, each starting at a multiple of four bytes.

    Examples
    --------
    >>> pack_columns({"a": np.array([1, 2], np.uint8), "b": np.array([0.5], np.float32)})
    ({'a': ['u8', 0, 2], 'b': ['f32', 4, 1]}, 'AQIAAAAAAD8=')
    """
    index: dict[str, list[Any]] = {}
    blocks = bytearray()
    for name, values in columns.items():
        index[name] = [_CODES[values.dtype.name], len(blocks), len(values)]
        blocks += np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
        blocks += bytes(-len(blocks) % 4)
    return index, base64_text(bytes(blocks))


def place_steps(points: np.ndarray) -> np.ndarray:
    """Round places to 65,536 steps along the widest side: below a pixel even at the closest zoom.

    Parameters
    ----------
    points : np.ndarray, shape (N, D)
        Places; one scale for all axes, so that the picture keeps its proportions.

    Returns
    -------
    np.ndarray, shape (N * D,), uint16
        Steps from the lower end of each axis.

    Examples
    --------
    >>> place_steps(np.array([[0.0, 1.0], [2.0, 2.0]])).tolist()
    [0, 0, 65535, 32768]
    """
    low = points.min(axis=0)
    span = float(np.ptp(points, axis=0).max()) or 1.0
    return np.round((points - low) / span * 65535).astype(np.uint16).ravel()


def map_columns(points: MapData, strips: Strips) -> dict[str, np.ndarray]:
    """Return the columns of a map, each as narrow as its values allow.

    Parameters
    ----------
    points : MapData
        The segments.
    strips : Strips
        Their sound.

    Returns
    -------
    dict of str to np.ndarray
        One entry a segment; places have one a segment and axis.
    """
    columns: dict[str, np.ndarray] = {
        "corpus": points.corpus.astype(np.uint16),
        "cluster": points.cluster.astype(np.int16),
        "file": points.shown_files()[0].astype(np.uint32),
        "start": points.start_s.astype(np.float32),
        "duration": points.duration_s.astype(np.float32),
        "strip": strips.strip.astype(np.int32),
        "offset": strips.offset_s.astype(np.float32),
        "clip": strips.clip_s.astype(np.float32),
        "placed": np.asarray(points.placed).astype(np.uint8),
    }
    for i, layout in enumerate(points.layouts):
        columns[f"layout{i}"] = place_steps(np.asarray(layout.points, dtype=float))
    for i, one in enumerate(points.values.values()):
        values = np.asarray(one.array, dtype=np.float32)
        usable = np.isfinite(values) & ((values > 0) | (one.scale == "linear"))
        columns[f"value{i}"] = np.where(usable, values, np.float32(np.nan))
    return columns


def _number(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None


def layout_facts(layout: Layout) -> dict[str, Any]:
    """Return what the page says of a layout; scores that are not finite are left out.

    Parameters
    ----------
    layout : Layout
        One way to place the segments.

    Returns
    -------
    dict
        name, label, dims, scores as pairs of words and numbers, note.

    Examples
    --------
    >>> layout_facts(Layout("a", "A", np.zeros((1, 2)), {"neighbours_kept": 0.5}))["scores"]
    [['Neighbours kept', 0.5]]
    """
    scores = [
        [name.replace("_", " ").strip().capitalize(), round(float(value), 4)]
        for name, value in layout.scores.items()
        if math.isfinite(value)
    ]
    note = f"{layout.note.rstrip('.')}. {CAUTION}" if layout.note else CAUTION
    return {"name": layout.name, "label": layout.label, "dims": layout.dims, "scores": scores, "note": note}


def counted_infos(points: MapData) -> list[ClusterInfo]:
    """Tell clusters from labels alone, for maps that come without `ClusterInfo`.

    Parameters
    ----------
    points : MapData
        The segments.

    Returns
    -------
    list of ClusterInfo
        One a cluster name, without scores; the medoid is the member nearest to the members' mean place.

    Examples
    --------
    >>> points = MapData(np.zeros((1, 2)), np.array([0]), np.array([0]), ["a.wav"], np.zeros(1), np.ones(1),
    ...                  ["cage"], ["1: all cage"])
    >>> counted_infos(points)[0].shares
    {'cage': 1.0}
    """
    infos = []
    places = np.asarray(points.layouts[0].points, dtype=float)
    for k, name in enumerate(points.cluster_names):
        members = np.flatnonzero(points.cluster == k)
        shares, medoid = {}, -1
        if len(members):
            counts = np.bincount(points.corpus[members], minlength=len(points.corpus_names)) / len(members)
            shares = {
                corpus: float(share) for corpus, share in zip(points.corpus_names, counts, strict=True) if share
            }
            away = ((places[members] - places[members].mean(axis=0)) ** 2).sum(axis=1)
            medoid = int(members[away.argmin()])
        infos.append(ClusterInfo(k + 1, name, len(members), shares, medoid))
    return infos


def isolated(texts: Sequence[str], names: Sequence[str]) -> list[str]:
    r"""Keep marks that turn the direction of writing to the names they stand in.

    Parameters
    ----------
    texts : sequence of str
        Words that may hold names.
    names : sequence of str
        Names from anywhere.

    Returns
    -------
    list of str
        The texts; around each name that turns its line there are the marks for "first strong isolate" and its end.

    References
    ----------
    Unicode Standard Annex 9, Unicode Bidirectional Algorithm, section 2.4.

    Examples
    --------
    >>> ascii(isolated(["a and \u202eb 50 %"], ["a", "\u202eb"]))
    "['a and \\u2068\\u202eb\\u2069 50 %']"
    """
    shown = list(texts)
    for name in names:
        if any(bidirectional(letter) in _TURNING for letter in name):
            shown = [text.replace(name, f"\u2068{name}\u2069") for text in shown]
    return shown


def info_facts(info: ClusterInfo, corpora: Sequence[str] = ()) -> dict[str, Any]:
    """Return what the page says of a cluster.

    Parameters
    ----------
    info : ClusterInfo
        One cluster.
    corpora : sequence of str
        Names that its own may hold.

    Returns
    -------
    dict
        Its fields as JSON has them: NaN becomes null, mappings become lists of pairs.

    Examples
    --------
    >>> info_facts(ClusterInfo(1, "low", 3, {"cage": 1.0}, 0, {"b": (2, 0.5)}))["nearest"]
    [['b', 2, 0.5]]
    """
    return {
        "number": int(info.number),
        "name": isolated([info.name], corpora)[0],
        "size": int(info.size),
        "shares": [[corpus, round(float(share), 4)] for corpus, share in info.shares.items()],
        "medoid": int(info.medoid),
        "nearest": [[corpus, int(number), _number(far)] for corpus, (number, far) in info.nearest.items()],
        "silhouette": _number(info.silhouette),
        "stability": _number(info.stability),
    }
