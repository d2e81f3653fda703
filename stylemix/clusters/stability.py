"""Whether clusters would be found again: from other first guesses, and in other recordings of the same music."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from stylemix.clusters.choice import ClusterChoice
from stylemix.clusters.methods import partition
from stylemix.clusters.number import even_subset

N_SEEDS = 5
N_BOOTSTRAPS = 20
# Of 20,000 segments, finding clusters two dozen times would take many minutes.
LARGEST_SAMPLE = 2000
# Of fewer recordings of a corpus, one draw in a hundred would hold only one of them: 4 of 4^4, for 5 it is 5 of 5^5.
LEAST_FILES = 5
RECORDINGS, SEGMENTS = "recordings", "segments"
Report = Callable[[float], None]


@dataclass(frozen=True)
class Origin:
    """Where segments come from: what is alike because it is of one recording.

    Parameters
    ----------
    file, corpus : np.ndarray, shape (N,), int
        Of each segment.
    """

    file: np.ndarray
    corpus: np.ndarray

    def unit(self) -> str:
        """Say what a bootstrap draws.

        Returns
        -------
        {"recordings", "segments"}
            Segments where a corpus has fewer than five recordings.
        """
        few = min(len(np.unique(self.file[self.corpus == corpus])) for corpus in np.unique(self.corpus))
        return RECORDINGS if few >= LEAST_FILES else SEGMENTS


def agreement_of_seeds(
    points: np.ndarray,
    choice: ClusterChoice,
    *,
    labels: np.ndarray | None = None,
    seed: int = 0,
    report: Report = lambda share: None,
) -> float | None:
    """Measure how alike clusters are that were found with different seeds, the choice of their number included.

    Parameters
    ----------
    points : np.ndarray, shape (N, D)
        Where clusters are sought; of many, even ones are taken.
    choice : ClusterChoice
        How.
    labels : np.ndarray, shape (N,), int, optional
        What the first seed found, where that is known; it is found again only where some points are left out.
    seed : int
        The first of five that follow one another.
    report : callable
        ``report(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    float or None
        Mean adjusted Rand index [1]_ over all pairs: 1 where all agree, 0 where they agree by chance. None where no
        chance is involved: HDBSCAN, Ward's tree cut into as many as are asked for, and one cluster that is asked for.

    References
    ----------
    .. [1] L. Hubert, P. Arabie: Comparing partitions. Journal of Classification 2, 1985.

    Examples
    --------
    >>> agreement_of_seeds(np.repeat([[0.0], [9.0]], 20, axis=0), ClusterChoice("kmeans", 2))
    1.0
    """
    from sklearn.metrics import adjusted_rand_score

    without_chance = choice.method == "hdbscan" or (choice.method == "agglomerative" and choice.k is not None)
    if without_chance or choice.k == 1:
        return None
    sample = points[even_subset(len(points), LARGEST_SAMPLE)]
    found = [] if labels is None or len(sample) < len(points) else [labels]
    for turn in range(len(found), N_SEEDS):
        found.append(partition(sample, choice, seed=seed + turn).labels)
        report((turn + 1) / N_SEEDS)
    return float(np.mean([adjusted_rand_score(one, other) for one, other in combinations(found, 2)]))


def recovered_clusters(
    points: np.ndarray,
    labels: np.ndarray,
    choice: ClusterChoice,
    origin: Origin,
    *,
    seed: int = 0,
    report: Report = lambda share: None,
) -> np.ndarray:
    """Measure how well each cluster is found again in bootstrap samples of the recordings.

    Each time as many recordings of each corpus are drawn as it has, with replacement, and the segments of those drawn
    are put into clusters once each; a cluster is recovered as well as the most similar one of these overlaps what was
    drawn of it (Jaccard). As a rule, above 0.75 a cluster is there, and below 0.6 it should not be trusted [1]_.

    Segments of one recording are alike, and draws of single segments would find clusters again that other recordings
    do not have; so whole recordings are drawn [2]_. A cluster that sounds in none of those drawn counts as not found
    (0), so that one of a single recording is recovered to two thirds at most. Where a corpus has fewer than five
    recordings, segments are drawn, and clusters are recovered better than they should be.

    Parameters
    ----------
    points : np.ndarray, shape (N, D)
        Where clusters were sought; of many, even ones are taken.
    labels : np.ndarray, shape (N,), int
        The clusters, from 0; -1 for none.
    choice : ClusterChoice
        How they were found. As many are sought again, but for HDBSCAN, which cannot be told.
    origin : Origin
        Recording and corpus of each segment.
    seed : int
        Of the draws.
    report : callable
        ``report(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    np.ndarray, shape (k,)
        Mean Jaccard index of each cluster over the draws; NaN for a single cluster, which everything finds again, and,
        where segments are drawn, for one of which nothing was drawn.

    References
    ----------
    .. [1] C. Hennig: Cluster-wise assessment of cluster stability. Computational Statistics and Data Analysis 52, 2007.
    .. [2] A. C. Davison, D. V. Hinkley: Bootstrap methods and their application. Cambridge University Press, 1997,
       section 3.8.

    Examples
    --------
    >>> points, labels = np.repeat([[0.0], [9.0]], 20, axis=0), np.repeat([0, 1], 20)
    >>> origin = Origin(np.arange(40) % 10, np.arange(40) % 2)
    >>> origin.unit(), recovered_clusters(points + np.arange(40)[:, None] / 99, labels, ClusterChoice("kmeans"), origin)
    ('recordings', array([1., 1.]))
    """
    k, unit = int(labels.max()) + 1, origin.unit()
    if k < 2:
        return np.full(k, np.nan)
    sample = even_subset(len(points), LARGEST_SAMPLE)
    rng = np.random.default_rng(seed)
    overlaps = np.full((N_BOOTSTRAPS, k), 0.0 if unit == RECORDINGS else np.nan)
    for turn in range(N_BOOTSTRAPS):
        drawn = _drawn(sample, origin, unit, rng)
        before = labels[drawn]
        wanted = None if choice.method == "hdbscan" else min(k, len(np.unique(points[drawn].round(9), axis=0)))
        after = partition(points[drawn], replace(choice, k=wanted), seed=seed + turn).labels
        # What is in no cluster is none that could be found again.
        others = np.unique(after[after >= 0])
        for label in np.unique(before[before >= 0]):
            overlaps[turn, label] = max((_jaccard(before == label, after == other) for other in others), default=0.0)
        report((turn + 1) / N_BOOTSTRAPS)
    there = np.isfinite(overlaps)
    return np.where(there, overlaps, 0).sum(axis=0) / np.where(there.any(axis=0), there.sum(axis=0), np.nan)


def _drawn(sample: np.ndarray, origin: Origin, unit: str, rng: np.random.Generator) -> np.ndarray:
    """Draw with replacement; each once, for doubles would be peaks of density to HDBSCAN, of no width to a Gaussian."""
    if unit == SEGMENTS:
        return np.unique(rng.choice(sample, size=len(sample)))
    file, corpus = origin.file[sample], origin.corpus[sample]
    # Within each corpus, so that none vanishes: the clusters of one that is not there cannot be found.
    pools = [np.unique(file[corpus == one]) for one in np.unique(corpus)]
    files = np.concatenate([rng.choice(pool, size=len(pool)) for pool in pools])
    return sample[np.isin(file, files)]


def _jaccard(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())
