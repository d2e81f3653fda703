"""Clusters as sources and targets of hybrids: what may be asked of them, and where in the files they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.hybrid.asked import Asked

if TYPE_CHECKING:
    from stylemix.clusters.groups import RunClusters
    from stylemix.model.run import Run


def find_clusters(run: Run, asked: Asked, target_index: int | None) -> RunClusters | None:
    """Group a run where a cluster is asked for, after a look at whether the question makes sense.

    Parameters
    ----------
    run : Run
        The trained model.
    asked : Asked
        What the user says.
    target_index : int or None
        The target's place among the run's files, if it is one of them.

    Returns
    -------
    RunClusters or None
        None where no cluster is asked for: grouping takes seconds.

    Raises
    ------
    BadInput
        If a source was given twice, the target is no file of the run, a cluster does not exist or is none, or it is
        said how clusters are made and none is asked for.
    """
    source, target, numbers = asked.source, asked.target, (asked.source_cluster, asked.target_cluster)
    if numbers == (None, None):
        _check_unasked(asked)
        return None
    if 0 in numbers:
        # On a map, cluster 0 is what a method found alike to nothing.
        raise BadInput("cluster: 0 is what lies in no cluster, and nothing can be made of it; choose one from 1")
    if asked.source_cluster is not None and source is not None:
        raise BadInput("hybrid: --source-cluster chooses a source of its own, got --source too; leave one out")
    if asked.target_cluster is not None and target is not None and target_index is None:
        raise BadInput(
            f"hybrid: --target-cluster needs files of the run, {shown_name(target)} is none of them; leave one out"
        )
    clusters = clusters_asked(run, asked)
    for number in numbers:
        if number is not None:
            clusters.find(number)
    return clusters


def _check_unasked(asked: Asked) -> None:
    """Refuse to be told how clusters are made where none is asked for: it would change nothing."""
    usual = Asked()
    for name in ("clusters", "space", "cluster_seed"):
        if getattr(asked, name) != getattr(usual, name):
            raise BadInput(
                f"hybrid: --{name.replace('_', '-')} says how clusters are made; add --source-cluster or "
                "--target-cluster, or leave it out"
            )


def clusters_asked(run: Run, asked: Asked) -> RunClusters:
    """Make the clusters by which numbers are meant, or take those that are at hand.

    Parameters
    ----------
    run : Run
        The trained model.
    asked : Asked
        Its clusters, space and cluster_seed count.

    Returns
    -------
    RunClusters
        May be asked for again in place of how they are made: making them takes seconds.

    Raises
    ------
    BadInput
        If there is no such way, or it needs recordings that are gone.
    """
    from stylemix.clusters.choice import parse_choice
    from stylemix.clusters.groups import RunClusters, clusters_of

    if isinstance(asked.clusters, RunClusters):
        return asked.clusters
    choice = parse_choice(asked.clusters) if isinstance(asked.clusters, str) else asked.clusters
    return clusters_of(run, space=asked.space, choice=choice, seed=asked.cluster_seed)


def check_stretch(source_cluster: int | None, start_s: float, duration_s: float | None) -> None:
    """Refuse a stretch that is none, or beside a cluster that brings its own.

    Parameters
    ----------
    source_cluster : int, optional
        As the user gave it.
    start_s : float
        As the user gave it; 0 says nothing.
    duration_s : float, optional
        As the user gave it. It may shorten the stretch of the cluster.

    Raises
    ------
    BadInput
        If both say where to begin, or the stretch is none.
    """
    if not (math.isfinite(start_s) and start_s >= 0):
        raise BadInput(f"start must be 0 or more seconds, got {start_s:g}")
    if duration_s is not None and not (math.isfinite(duration_s) and duration_s > 0):
        raise BadInput(f"duration must be more than 0 seconds, got {duration_s:g}")
    if source_cluster is not None and start_s:
        raise BadInput(f"hybrid: --source-cluster chooses where to begin, got --start {start_s:g} too; leave one out")


def masks_of(clusters: RunClusters, number: int, files: Sequence[int], name: str) -> dict[int, np.ndarray]:
    """Find the steps of some files that belong to a cluster.

    Parameters
    ----------
    clusters : RunClusters
        Of the run.
    number : int
        As on the map.
    files : sequence of int
        Places among the run's files.
    name : str
        Of the corpus or file that they are, for messages.

    Returns
    -------
    dict of int to np.ndarray, shape (N,), bool
        For the files in which there are any.

    Raises
    ------
    BadInput
        If there is no such step.
    """
    masks = {index: clusters.mask(number, index) for index in files}
    masks = {index: mask for index, mask in masks.items() if mask.any()}
    if not masks:
        there = clusters.numbers_in(files)
        raise BadInput(
            f"hybrid: there is nothing of {shown_name(name)} in cluster {number} to be the target; "
            f"choose one of {', '.join(map(str, there))}, see stylemix map"
        )
    return masks
