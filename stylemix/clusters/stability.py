"""Whether clusters would be found again: from other first guesses, and in other segments of the same music."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np

from stylemix.clusters.choice import ClusterChoice
from stylemix.clusters.methods import partition
from stylemix.clusters.number import even_subset

N_SEEDS = 5
N_BOOTSTRAPS = 20
# Clusters are found a hundred times over; of 20,000 segments that would take an hour.
LARGEST_SAMPLE = 2000
Report = Callable[[float], None]


def agreement_of_seeds(
    points: np.ndarray, choice: ClusterChoice, *, seed: int = 0, report: Report = lambda share: None
) -> float | None:
    """Measure how alike clusters are that were found with different seeds, the choice of their number included.

    Parameters
    ----------
    points : np.ndarray, shape (N, D)
        Where clusters are sought; of many, even ones are taken.
    choice : ClusterChoice
        How.
    seed : int
        The first of five that follow one another.
    report : callable
        ``report(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    float or None
        Mean adjusted Rand index [1]_ over all pairs: 1 where all agree, 0 where they agree by chance. None where no
        chance is involved: HDBSCAN, and Ward's tree cut into as many as are asked for.

    References
    ----------
    .. [1] L. Hubert, P. Arabie: Comparing partitions. Journal of Classification 2, 1985.

    Examples
    --------
    >>> agreement_of_seeds(np.repeat([[0.0], [9.0]], 20, axis=0), ClusterChoice("kmeans", 2))
    1.0
    """
    from sklearn.metrics import adjusted_rand_score

    if choice.method == "hdbscan" or (choice.method == "agglomerative" and choice.k is not None):
        return None
    sample, found = points[even_subset(len(points), LARGEST_SAMPLE)], []
    for turn in range(N_SEEDS):
        found.append(partition(sample, choice, seed=seed + turn).labels)
        report((turn + 1) / N_SEEDS)
    return float(np.mean([adjusted_rand_score(one, other) for one, other in combinations(found, 2)]))


def recovered_clusters(
    points: np.ndarray,
    labels: np.ndarray,
    choice: ClusterChoice,
    *,
    seed: int = 0,
    report: Report = lambda share: None,
) -> np.ndarray:
    """Measure how well each cluster is found again in bootstrap samples of the segments.

    Each time as many segments are drawn as there are, with replacement, and those drawn are put into clusters once
    each; a cluster is recovered as well as the most similar one of these overlaps what was drawn of it (Jaccard). As a
    rule, above 0.75 a cluster is there, and below 0.6 it should not be trusted [1]_. Segments that follow one another
    are alike, so that other recordings would agree less than this says.

    Parameters
    ----------
    points : np.ndarray, shape (N, D)
        Where clusters were sought; of many, even ones are taken.
    labels : np.ndarray, shape (N,), int
        The clusters, from 0; -1 for none.
    choice : ClusterChoice
        How they were found. As many are sought again, but for HDBSCAN, which cannot be told.
    seed : int
        Of the draws.
    report : callable
        ``report(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    np.ndarray, shape (k,)
        Mean Jaccard index of each cluster over the draws; NaN for one of which nothing was drawn.

    References
    ----------
    .. [1] C. Hennig: Cluster-wise assessment of cluster stability. Computational Statistics and Data Analysis 52, 2007.

    Examples
    --------
    >>> points, labels = np.repeat([[0.0], [9.0]], 20, axis=0), np.repeat([0, 1], 20)
    >>> recovered_clusters(points + np.arange(40)[:, None] / 99, labels, ClusterChoice("kmeans")).tolist()
    [1.0, 1.0]
    """
    sample, k = even_subset(len(points), LARGEST_SAMPLE), int(labels.max()) + 1
    rng, overlaps = np.random.default_rng(seed), np.full((N_BOOTSTRAPS, k), np.nan)
    for turn in range(N_BOOTSTRAPS):
        # Each once: doubles would be peaks of density to HDBSCAN, and of no width to a Gaussian.
        drawn = np.unique(rng.choice(sample, size=len(sample)))
        before = labels[drawn]
        wanted = None if choice.method == "hdbscan" else min(k, len(np.unique(points[drawn].round(9), axis=0)))
        after = partition(points[drawn], replace(choice, k=wanted), seed=seed + turn).labels
        for label in np.unique(before[before >= 0]):
            overlaps[turn, label] = max(_jaccard(before == label, after == other) for other in np.unique(after))
        report((turn + 1) / N_BOOTSTRAPS)
    there = np.isfinite(overlaps)
    return np.where(there, overlaps, 0).sum(axis=0) / np.where(there.any(axis=0), there.sum(axis=0), np.nan)


def _jaccard(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())
