"""The clusters of a run, numbered as on its map: what is in each, and where in the files it sounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from stylemix.audio import shown_name
from stylemix.clusters.choice import ClusterChoice
from stylemix.clusters.cluster import N_DIMS, Clusters, cluster
from stylemix.clusters.describe import Described, describe_segments
from stylemix.clusters.members import Cluster, Stretch, stretch_between
from stylemix.clusters.names import name_clusters
from stylemix.clusters.neighbours import nearest_of_others
from stylemix.clusters.quality import Quality
from stylemix.clusters.segments import segments_of, unchanged_paths
from stylemix.clusters.spaces import Segments, check_space, choose_space, features_in
from stylemix.embedding.embed import principal_scores
from stylemix.errors import BadInput
from stylemix.model.run import Run


@dataclass(frozen=True)
class Grouping:
    """The segments of a run and their clusters.

    Parameters
    ----------
    segments : Segments
        M of them.
    corpus : np.ndarray, shape (M,), int
        Of each.
    space : str
        In what they are alike.
    features : np.ndarray, shape (M, F)
        What describes each there.
    paths : sequence of Path or None
        The recordings; None for one that has moved or changed.
    clusters : Clusters
        Labels from 0, names from 1.
    described : Described, optional
        What the segments are like to the ear, of which the names are made.
    """

    segments: Segments
    corpus: np.ndarray
    space: str
    features: np.ndarray
    paths: Sequence[Path | None]
    clusters: Clusters
    described: Described | None = None

    @cached_property
    def points(self) -> np.ndarray:
        """Where clusters were sought: the leading principal components, shape (M, D)."""
        # Decomposing 20,000 segments takes seconds, and medoids, distances and silhouettes all ask for it.
        return principal_scores(self.features, N_DIMS)


@dataclass(frozen=True)
class RunClusters:
    """The clusters of a run.

    Parameters
    ----------
    clusters : tuple of Cluster
        By their numbers.
    grouping : Grouping
        Of the segments.
    steps : tuple of np.ndarray, shape (N,), int
        For each file of the run, the number of the cluster at each latent step; 0 for none.
    quality : Quality, optional
        Where it was measured, which takes seconds (see `stylemix.clusters.judging.judge`).
    """

    clusters: tuple[Cluster, ...]
    grouping: Grouping
    steps: tuple[np.ndarray, ...]
    quality: Quality | None = None

    def find(self, number: int) -> Cluster:
        """Return a cluster by its number.

        Parameters
        ----------
        number : int
            As on the map.

        Returns
        -------
        Cluster
            The one.

        Raises
        ------
        BadInput
            If there is none of that number.
        """
        if number == 0:
            raise BadInput("cluster: 0 is no cluster but what is in none; choose another, see stylemix map")
        numbers = [one.number for one in self.clusters]
        if number not in numbers:
            there = "is only cluster 1" if len(numbers) == 1 else f"are 1 to {len(numbers)}"
            raise BadInput(f"cluster: there is no cluster {number} in this run; there {there}, see stylemix map")
        return self.clusters[numbers.index(number)]

    def mask(self, number: int, file: int) -> np.ndarray:
        """Tell where in a file a cluster sounds.

        Parameters
        ----------
        number : int
            The cluster.
        file : int
            Its place among the run's files.

        Returns
        -------
        np.ndarray, shape (N,), bool
            One entry a latent step.
        """
        return self.steps[file] == self.find(number).number

    def numbers_in(self, files: Sequence[int]) -> list[int]:
        """List the clusters that sound in some files.

        Parameters
        ----------
        files : sequence of int
            Places among the run's files.

        Returns
        -------
        list of int
            Their numbers, increasing; what is in no cluster does not count.
        """
        there = np.unique(np.concatenate([np.zeros(0, int), *(self.steps[i] for i in files)]))
        return there[there > 0].tolist()

    def stretch(self, number: int, *, outside: int | None = None) -> Stretch:
        """Find the stretch of a file that stands for a cluster.

        Parameters
        ----------
        number : int
            The cluster.
        outside : int, optional
            A corpus that the file must not belong to.

        Returns
        -------
        Stretch
            The medoid of the cluster's segments outside of that corpus, with all segments of the cluster that
            follow one another around it.

        Raises
        ------
        BadInput
            If the cluster does not exist, or has no segment outside of that corpus.
        """
        label, grouping = self.find(number).number - 1, self.grouping
        mine = grouping.clusters.labels == label
        allowed = mine if outside is None else mine & (grouping.corpus != outside)
        if not allowed.any():
            others = np.unique(grouping.clusters.labels[grouping.corpus != outside]) + 1
            there = ", ".join(map(str, others[others > 0].tolist()))
            raise BadInput(
                f"cluster: {number} holds nothing but the target's corpus and cannot be the source; "
                + (f"choose one of {there}" if there else "no cluster holds another, choose other --clusters")
            )
        first = last = _medoid(grouping.points, allowed)
        segments = grouping.segments
        while first > 0 and mine[first - 1] and segments.file[first - 1] == segments.file[first]:
            first -= 1
        while last + 1 < len(mine) and mine[last + 1] and segments.file[last + 1] == segments.file[last]:
            last += 1
        return stretch_between(segments, first, last)


def group_run(
    run: Run,
    *,
    space: str | None = None,
    choice: ClusterChoice | None = None,
    seed: int = 0,
    update: Callable[..., None] = lambda done, note="": None,
) -> Grouping:
    """Cut a run into segments and group them.

    Parameters
    ----------
    run : Run
        A finished run.
    space : {"latents", "scattering", "both"}, optional
        In what segments are alike; by default both, or the latents alone where a recording has moved or changed.
    choice : ClusterChoice, optional
        By which method and into how many clusters; by default those that hybrids count (see `ClusterChoice`).
    seed : int
        Of the clusters.
    update : callable
        ``update(done, note=...)`` hears how far it is, up to 0.4.

    Returns
    -------
    Grouping
        What the map shows, and hybrids take as sources and targets.

    Raises
    ------
    BadInput
        If the space is unknown, or needs recordings that are gone.
    StylemixError
        If the training did not finish.
    """
    check_space(space)
    segments, paths = segments_of(run, update), unchanged_paths(run)
    corpus = np.array([file.corpus for file in run.files])[segments.file]
    space = choose_space(space, paths)
    hashes = [file.sha256 for file in run.files]
    features = features_in(space, segments, paths, hashes, lambda share: update(0.1 + 0.2 * share, note="scattering"))
    update(0.3, note="clusters")
    names = [shown_name(name) for name in run.corpora]
    points = principal_scores(features, N_DIMS)
    clusters = cluster(features, corpus, names, points=points, choice=choice, seed=seed)
    described = describe_segments(paths, hashes, segments, lambda share: update(0.35 + 0.05 * share, note="describing"))
    clusters = replace(clusters, names=name_clusters(clusters.labels, clusters.shares, names, described))
    grouping = Grouping(segments, corpus, space, features, paths, clusters, described)
    # Where a cached property keeps its value: they need not be computed again.
    vars(grouping)["points"] = points
    return grouping


def clusters_of(
    run: Run,
    *,
    space: str | None = None,
    choice: ClusterChoice | None = None,
    seed: int = 0,
    update: Callable[..., None] = lambda done, note="": None,
) -> RunClusters:
    """Find the clusters of a run, numbered as on the map that `stylemix map` writes with the same options.

    Parameters
    ----------
    run : Run
        A finished run.
    space : {"latents", "scattering", "both"}, optional
        In what segments are alike; as for `group_run`. The latents need no recordings.
    choice : ClusterChoice, optional
        By which method and into how many; as for `group_run`.
    seed : int
        Of the clusters.
    update : callable
        ``update(done, note=...)`` hears how far it is, up to 0.4.

    Returns
    -------
    RunClusters
        Clusters by number, and where each sounds.

    Raises
    ------
    BadInput
        If the space is unknown or needs recordings that are gone, or there are fewer segments than clusters.
    StylemixError
        If the training did not finish.
    """
    grouping = group_run(run, space=space, choice=choice, seed=seed, update=update)
    labels, segments = grouping.clusters.labels, grouping.segments
    sizes = np.bincount(labels[labels >= 0], minlength=grouping.clusters.k).tolist()
    middles = [_medoid(grouping.points, labels == label) for label in range(grouping.clusters.k)]
    nearest = nearest_of_others(grouping.points, labels, grouping.clusters.shares)
    found = [
        Cluster(label + 1, sizes[label], tuple(shares), stretch_between(segments, middle, middle), nearest[label])
        for label, (middle, shares) in enumerate(zip(middles, grouping.clusters.shares.tolist(), strict=True))
    ]
    files = [segments.file == index for index in range(len(run.files))]
    steps = [np.repeat(labels[mine] + 1, segments.n_steps[mine]) for mine in files]
    return RunClusters(tuple(found), grouping, tuple(steps))


def _medoid(points: np.ndarray, among: np.ndarray) -> int:
    """Index of the segment with the least sum of squared distances to the others among which it is sought."""
    # The sum over all y of |x - y|^2 is n |x - mean|^2 plus what does not depend on x: nearest the mean is least.
    away = np.square(points - points[among].mean(axis=0)).sum(axis=1)
    return int(np.where(among, away, np.inf).argmin())
