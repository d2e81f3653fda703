"""The clusters of a run with how good they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from stylemix.clusters.groups import RunClusters
from stylemix.clusters.quality import measure_quality


def judge(
    found: RunClusters,
    *,
    seed: int = 0,
    seeds: bool = True,
    update: Callable[..., None] = lambda done, note="": None,
) -> RunClusters:
    """Add to the clusters of a run how good they are.

    Parameters
    ----------
    found : RunClusters
        From `stylemix.clusters.groups.clusters_of`.
    seed : int
        With which they were found.
    seeds : bool
        Measure how far other seeds agree, too; maps do not tell it.
    update : callable
        ``update(done, note=...)`` hears how far it is, 0 to 1.

    Returns
    -------
    RunClusters
        The same with `quality`, and each cluster with its `silhouette` and `stability`.
    """
    grouping = found.grouping
    quality = measure_quality(
        grouping.points, grouping.clusters.labels, grouping.corpus, grouping.segments.file, grouping.clusters.choice,
        seed=seed, seeds=seeds, report=lambda share: update(share, note="finding clusters again"),
    )  # fmt: skip
    judged = [
        replace(one, silhouette=silhouette, stability=stability)
        for one, silhouette, stability in zip(found.clusters, quality.silhouettes, quality.recovered, strict=True)
    ]
    return replace(found, clusters=tuple(judged), quality=quality)
