"""The sound of a map's page: clips of segments and hybrids made beforehand, within one budget."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from stylemix.pages.document import base64_text, data_block
from stylemix.pages.sprites import Strips, base64_size, compress, pack_clips
from stylemix.style_map.data import GridHybrid, MapData

GRID_SHARE = 0.35
"""Most of the room for sound that hybrids may take: the map is first of all of the segments."""


def silent_strips(n_segments: int) -> Strips:
    """Return strips that hold nothing.

    Parameters
    ----------
    n_segments : int
        How many segments have no sound.

    Returns
    -------
    Strips
        Without a strip.

    Examples
    --------
    >>> silent_strips(2).strip.tolist()
    [-1, -1]
    """
    return Strips((), np.full(n_segments, -1), np.zeros(n_segments), np.zeros(n_segments))


def pack_segments(points: MapData, max_bytes: int) -> Strips:
    """Compress the segments' sound; it is shortened, then thinned out, to fit.

    Parameters
    ----------
    points : MapData
        The segments.
    max_bytes : int
        Limit for all strips as base64.

    Returns
    -------
    Strips
        The strips and where each segment is in them.

    Raises
    ------
    BadInput
        If a clip holds NaN.
    """
    audible = np.flatnonzero(np.asarray(points.audible)).tolist()
    clip = points.clip
    strips = silent_strips(points.n_segments)
    if clip is None or not len(audible):
        return strips
    groups = [f"{points.corpus[i]:06d}/{points.files[i]}" for i in audible]
    packed = pack_clips(lambda i: clip(audible[i]), groups, points.duration_s[audible], max_bytes=max_bytes)
    for column in ("strip", "offset_s", "clip_s"):
        getattr(strips, column)[audible] = getattr(packed, column)
    return replace(strips, strips=packed.strips)


def _hybrid_facts(index: int, hybrid: GridHybrid, lead_s: float) -> dict[str, Any]:
    label = hybrid.label or f"{hybrid.source_cluster} with {hybrid.target_cluster}, alpha {hybrid.alpha:g}"
    return {
        "id": f"map-hybrid-{index}", "lead": round(lead_s, 5), "source": int(hybrid.source_cluster),
        "target": int(hybrid.target_cluster), "alpha": float(hybrid.alpha), "mode": hybrid.mode,
        "seconds": round(float(hybrid.seconds), 3), "label": label, "command": hybrid.command,
    }  # fmt: skip


def pack_hybrids(points: MapData, max_bytes: int) -> tuple[list[dict[str, Any]], list[str], int]:
    """Compress hybrids made beforehand, in their order, as many as there is room for.

    Parameters
    ----------
    points : MapData
        A map with hybrids.
    max_bytes : int
        Limit for all of them as base64.

    Returns
    -------
    facts : list of dict
        What the page says of each that is kept.
    blocks : list of str
        Their data blocks.
    n_left_out : int
        How many found no room.

    Raises
    ------
    BadInput
        If a hybrid's sound is empty or holds NaN.
    """
    facts: list[dict[str, Any]] = []
    blocks: list[str] = []
    used = 0
    for hybrid in points.hybrids:
        # 44.1 kHz at 128 kbit/s: a hybrid is judged by its sound, a segment only recognised by it.
        sound = compress(hybrid.wave.samples, hybrid.wave.sample_rate, level=0.6)
        used += base64_size(len(sound.data)) + 120
        if used > max_bytes:
            break
        facts.append(_hybrid_facts(len(facts), hybrid, sound.lead_s))
        blocks.append(data_block(facts[-1]["id"], base64_text(sound.data), kind=f"{sound.mime};base64"))
    return facts, blocks, len(points.hybrids) - len(facts)


def sound_notice(points: MapData, strips: Strips, n_left_out: int = 0) -> str:
    """Say what had to be left out of the page's sound.

    Parameters
    ----------
    points : MapData
        The segments.
    strips : Strips
        What is kept of them.
    n_left_out : int
        Hybrids without room.

    Returns
    -------
    str
        Sentences; empty if everything is there.
    """
    kept = strips.strip >= 0
    words = []
    if points.clip is None or not np.any(points.audible):
        words.append("This map was written without sound.")
    else:
        shortened = strips.clip_s[kept] < points.duration_s[kept] - 0.02
        if shortened.any():
            longest = strips.clip_s.max()
            words.append(f"To keep this page small, segments play their first {longest:.1f} seconds.")
        if not kept.all():
            words.append(f"{kept.sum():,} of {len(kept):,} segments carry sound; the hollow ones are silent.")
    if n_left_out:
        words.append(f"{n_left_out} of {len(points.hybrids)} hybrids found no room in this page.")
    return " ".join(words)
