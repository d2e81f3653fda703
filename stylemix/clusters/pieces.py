"""Which stretches of the recordings a cluster is made of, and what their files are called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stylemix.clusters.groups import RunClusters

# Names in bytes: well below the 255 of file systems, and short enough that paths stay below the 260 of Windows.
_LONGEST_FOLDER, _LONGEST_STEM = 48, 40


@dataclass(frozen=True)
class Piece:
    """A stretch of a recording that becomes a file.

    Parameters
    ----------
    cluster : int
        Its number, from 1.
    first, last : int
        The segments in it, from 0; they follow one another in one recording.
    file : int
        The recording's place among the run's files.
    path : Path
        The recording.
    start_s, end_s : float
        Where in it (seconds).
    out : Path
        What is written, below the folder of the export.
    """

    cluster: int
    first: int
    last: int
    file: int
    path: Path
    start_s: float
    end_s: float
    out: Path

    @property
    def n_segments(self) -> int:
        """How many segments are in it."""
        return self.last - self.first + 1


def pieces_of(found: RunClusters, *, joined: bool = False) -> Iterator[Piece]:
    """Go through the segments that are in a cluster and have a recording.

    Parameters
    ----------
    found : RunClusters
        Of a run.
    joined : bool
        Take segments of a cluster that follow one another in a recording as one piece.

    Yields
    ------
    Piece
        In the order of the recordings.
    """
    grouping = found.grouping
    segments, labels = grouping.segments, grouping.clusters.labels
    # Segments lie file after file and in order of time, so that a stretch is a run of equal labels.
    folders, first = _folder_names(found), 0
    for i in range(len(labels)):
        goes_on = i + 1 < len(labels) and labels[i + 1] == labels[i] and segments.file[i + 1] == segments.file[i]
        if joined and goes_on:
            continue
        file, cluster, start_s = int(segments.file[i]), int(labels[i]) + 1, float(segments.start_s[first])
        path = grouping.paths[file]
        if cluster > 0 and path is not None:
            numbers = f"{first + 1:05}" if first == i else f"{first + 1:05}-{i + 1:05}"
            name = f"{numbers}-{safe_name(path.stem, _LONGEST_STEM)}-{start_s:.1f}s.wav"
            end_s = float(segments.start_s[i] + segments.duration_s[i])
            yield Piece(cluster, first, i, file, path, start_s, end_s, Path(folders[cluster]) / name)
        first = i + 1


def safe_name(text: str, most_bytes: int) -> str:
    """Make a name that every file system takes and no shell misreads.

    Parameters
    ----------
    text : str
        Any text.
    most_bytes : int
        The longest that it may be, in UTF-8.

    Returns
    -------
    str
        Letters and digits of any script, with ``-``, ``_`` and ``.`` within; never empty.

    Examples
    --------
    >>> safe_name("../low, dark; mostly cage (92 %)", 40), safe_name("?", 9)
    ('low-dark-mostly-cage-92', 'untitled')
    """
    kept = "".join(c if c.isalnum() or c in "_." else "-" for c in text)
    parts = (part.strip("._") for part in kept.split("-"))
    joined = "-".join(part for part in parts if part)
    # Bytes that were no text, which Python keeps as lone surrogates, are no letters and are gone by now.
    return joined.encode()[:most_bytes].decode(errors="ignore").strip("-._") or "untitled"


def _folder_names(found: RunClusters) -> dict[int, str]:
    names = found.grouping.clusters.names
    width = max(2, len(str(len(names))))
    # The number keeps them apart, in order, and unlike the words that Windows keeps for itself, such as CON.
    return {
        number: f"{number:0{width}}-{safe_name(name.partition(': ')[2], _LONGEST_FOLDER)}"
        for number, name in enumerate(names, 1)
    }
