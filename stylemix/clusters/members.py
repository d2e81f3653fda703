"""What a cluster of a run is, and where in the run's files it sounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stylemix.clusters.spaces import Segments


@dataclass(frozen=True)
class Stretch:
    """A part of a file of a run.

    Parameters
    ----------
    file : int
        Its place among the run's files.
    start_s, duration_s : float
        Where in it (seconds).
    """

    file: int
    start_s: float
    duration_s: float


@dataclass(frozen=True)
class Cluster:
    """Segments that sound alike.

    Parameters
    ----------
    number : int
        From 1 for the largest, as on the map.
    size : int
        Segments in it.
    shares : tuple of float
        Part of them from each corpus; they sum to 1.
    medoid : Stretch
        The segment that is the most like all others.
    nearest : mapping of int to (int, float)
        For each corpus that this cluster is not mostly of: the number of the nearest cluster that is mostly of it, and
        how far its middle lies away (1: as far as two segments of the run do on average). A corpus that no other
        cluster is mostly of is left out.
    silhouette, stability : float, optional
        Where they were measured: how much nearer its segments are to each other than to the next cluster, -1 to 1, and
        how well it is found again in bootstrap samples, 0 to 1; a single cluster has neither (see
        `stylemix.clusters.judging.judge`).
    """

    number: int
    size: int
    shares: tuple[float, ...]
    medoid: Stretch
    nearest: Mapping[int, tuple[int, float]] = field(default_factory=dict)
    silhouette: float | None = None
    stability: float | None = None


def stretch_between(segments: Segments, first: int, last: int) -> Stretch:
    """Join segments that follow one another.

    Parameters
    ----------
    segments : Segments
        Of a run.
    first, last : int
        Two of one file, the first no later than the last.

    Returns
    -------
    Stretch
        From the beginning of the first to the end of the last.
    """
    start_s = float(segments.start_s[first])
    end_s = float(segments.start_s[last] + segments.duration_s[last])
    return Stretch(int(segments.file[first]), start_s, end_s - start_s)
