"""A listing of clusters for people: as lines of text, and as a table for a spreadsheet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from stylemix.audio import shown_name
from stylemix.clusters.names import percent
from stylemix.clusters.tables import csv_text

_NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def note_name(hz: float) -> str:
    """Name the nearest note of equal temperament at A4 = 440 Hz.

    Parameters
    ----------
    hz : float
        A frequency (Hz), positive.

    Returns
    -------
    str
        In scientific pitch notation: middle C is C4.

    Examples
    --------
    >>> note_name(440), note_name(261.6), note_name(32.7)
    ('A4', 'C4', 'C1')
    """
    # MIDI counts semitones from C-1, and A4 is 69.
    semitone = round(69 + 12 * math.log2(hz / 440))
    return f"{_NOTES[semitone % 12]}{semitone // 12 - 1}"


def clock(seconds: float) -> str:
    """Write a time as a player shows it.

    Parameters
    ----------
    seconds : float
        Not negative.

    Returns
    -------
    str
        Minutes and seconds, hours where there are any.

    Examples
    --------
    >>> clock(75.4), clock(3661)
    ('1:15', '1:01:01')
    """
    # Rounded first: 59.7 s is 1:00 and not 0:60.
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def listing_lines(listing: Mapping[str, Any]) -> list[str]:
    """Tell a listing.

    Parameters
    ----------
    listing : mapping
        From `stylemix.clusters.listing.list_clusters`.

    Returns
    -------
    list of str
        What was grouped and how, then a few lines for each cluster; safe for a terminal.
    """
    n = len(listing["clusters"])
    lines = [
        f"{n} cluster{'s' * (n != 1)} of {listing['segments']} segments of about {listing['segment_s']:.3g} s, found "
        f"in {listing['described_by']}",
        f"number: {listing['number']}",
    ]
    if listing["quality"] is not None:
        lines.append(", ".join(_quality(listing["quality"])))
    for one in listing["clusters"]:
        lines += ["", one["name"], *(f"   {line}" for line in _about(one))]
    nowhere = listing["in_no_cluster"]
    if nowhere["segments"]:
        lines += ["", f"in no cluster: {nowhere['segments']} segments, {clock(nowhere['seconds'])}"]
    if listing["silent_files"]:
        lines += ["", f"{listing['silent_files']} of {listing['files']} files have moved or changed: not described"]
    # Names of corpora and files come from elsewhere, and some terminals obey what they are shown.
    return [shown_name(line) for line in lines]


def _quality(quality: Mapping[str, Any]) -> list[str]:
    words = {
        "purity": "purity", "purity_by_chance": "by chance", "silhouette": "silhouette",
        "stability": f"found again in bootstrap samples of the {quality['resampled']}", "seeds": "agreement of seeds",
    }  # fmt: skip
    return [f"{word} {quality[name]:.2f}" for name, word in words.items() if quality[name] is not None]


def _about(one: Mapping[str, Any]) -> list[str]:
    middle = one["medoid"]
    lines = [", ".join([f"{one['size']} segments, {clock(one['seconds'])}", *_measured(one["descriptors"])])]
    tags = f" ({middle['tags']})" if middle["tags"] else ""
    lines.append(f"middle: segment {middle['segment']}, {middle['file']}{tags} at {clock(middle['start_s'])}")
    quality = [f"{name} {one[name]:.2f}" for name in ("silhouette", "stability") if one[name] is not None]
    if quality:
        lines.append(", ".join(quality))
    for corpus, near in one["nearest"].items():
        lines.append(f"nearest of {corpus}: cluster {near['number']}, {near['distance']:.2g} away")
        lines.append(f"  {near['command']}")
    return lines


def _measured(descriptors: Mapping[str, Mapping[str, float | None]]) -> list[str]:
    # What was not measured is left out: a line of dashes says no more.
    median = {name: one["median"] for name, one in descriptors.items()}
    told = []
    if median["loudness"] is not None:
        told.append(f"{median['loudness']:.1f} LUFS")
    if median["pitch"] is not None:
        told.append(f"{median['pitch']:.0f} Hz ({note_name(median['pitch'])})")
    if median["brightness"] is not None:
        told.append(f"brightness {median['brightness']:.0f} Hz")
    if median["noisiness"] is not None:
        told.append(f"noisiness {median['noisiness']:.2f}")
    if median["density"] is not None:
        told.append(f"{median['density']:.1f} onsets a second")
    return told


def listing_csv(listing: Mapping[str, Any]) -> str:
    """Write a listing as a table, a row a cluster.

    Parameters
    ----------
    listing : mapping
        From `stylemix.clusters.listing.list_clusters`.

    Returns
    -------
    str
        CSV: number, name, segments, seconds, the share of each corpus in percent, the middle segment, medians of what
        was measured with their units, quality, and for each corpus the nearest cluster with its distance and a command.
    """
    corpora = list(listing["corpora"])
    measured = [f"{name} ({one['unit']})" if one["unit"] else name for name, one in listing["descriptors"].items()]
    header = ["number", "name", "segments", "seconds", *(f"% of {name}" for name in corpora)]
    header += ["middle segment", "middle file", "middle start (s)", "middle duration (s)", *measured]
    header += ["silhouette", "stability"]
    for name in corpora:
        header += [f"nearest of {name}", f"distance to it of {name}", f"hybrid with {name}"]
    return csv_text(header, [_row(one, corpora) for one in listing["clusters"]])


def _row(one: Mapping[str, Any], corpora: list[str]) -> list[object]:
    middle = one["medoid"]
    row: list[object] = [one["number"], one["name"], one["size"], one["seconds"]]
    # The same columns for every cluster, empty where it has no neighbour: a table that can be sorted and joined.
    row += [percent(one["shares"][name]) for name in corpora]
    row += [middle["segment"], middle["path"], middle["start_s"], middle["duration_s"]]
    row += [spread["median"] for spread in one["descriptors"].values()]
    row += [one["silhouette"], one["stability"]]
    for name in corpora:
        near = one["nearest"].get(name, {})
        row += [near.get("number"), near.get("distance"), near.get("command")]
    return row
