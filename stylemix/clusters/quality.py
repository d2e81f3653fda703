"""How good clusters are: apart from each other, found again, and of one corpus, or only of one recording."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stylemix.clusters.choice import ClusterChoice
from stylemix.clusters.number import even_subset
from stylemix.clusters.stability import RECORDINGS, Origin, agreement_of_seeds, recovered_clusters

# The silhouette needs all distances between them: 128 MB, and a third of a second.
LARGEST_SAMPLE = 4000


@dataclass(frozen=True)
class Quality:
    """What is measured of clusters; None where there is nothing to compare.

    Parameters
    ----------
    purity : float
        Part of the segments in clusters that come from the corpus that most of their cluster comes from. It grows with
        the number of clusters.
    purity_by_chance : float
        What a single cluster of the same segments would have: the share of the largest corpus among those in clusters.
    ari, ami : float
        Adjusted Rand index and adjusted mutual information of clusters and corpora; 0 by chance. What is in no cluster
        counts as one more.
    ami_files : float
        Adjusted mutual information of clusters and recordings: where it is as high as that of the corpora or higher,
        clusters may tell recordings, not styles.
    silhouette : float or None
        Mean over the segments in clusters, -1 to 1: how much nearer each is to its own cluster than to the next.
    silhouettes : tuple of float or None
        Of each cluster.
    seeds : float or None
        Mean adjusted Rand index between seeds; None where no chance is involved, or it was not asked for.
    recovered : tuple of float or None
        For each cluster the mean Jaccard index with its like in bootstrap samples; below 0.6 it should not be trusted.
        None for a single cluster.
    outside : float
        Share of the segments that are in no cluster.
    resampled : {"recordings", "segments"}
        What the bootstrap samples are drawn of: whole recordings of each corpus, or, where a corpus has fewer than five
        of them, segments. These follow one another and are alike, so that clusters are recovered too well then.
    """

    purity: float
    purity_by_chance: float
    ari: float
    ami: float
    ami_files: float
    silhouette: float | None
    silhouettes: tuple[float | None, ...]
    seeds: float | None
    recovered: tuple[float | None, ...]
    outside: float
    resampled: str = RECORDINGS

    @property
    def stability(self) -> float | None:
        """Mean over the clusters of how well they are found again in bootstrap samples."""
        known = [one for one in self.recovered if one is not None]
        return float(np.mean(known)) if known else None


def measure_quality(
    points: np.ndarray,
    labels: np.ndarray,
    corpus: np.ndarray,
    file: np.ndarray,
    choice: ClusterChoice,
    *,
    seed: int = 0,
    seeds: bool = True,
    report: Callable[[float], None] = lambda share: None,
) -> Quality:
    """Measure clusters.

    Parameters
    ----------
    points : np.ndarray, shape (N, D)
        Where they were sought.
    labels : np.ndarray, shape (N,), int
        The clusters, from 0; -1 for none.
    corpus, file : np.ndarray, shape (N,), int
        Where each segment comes from.
    choice : ClusterChoice
        How they were found.
    seed : int
        With which they were found.
    seeds : bool
        Measure how far other seeds agree, which takes longer than all the rest.
    report : callable
        ``report(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    Quality
        Silhouettes of up to 4000 segments, stability of up to 2000, evenly spread.

    References
    ----------
    P. J. Rousseeuw: Silhouettes: a graphical aid to the interpretation and validation of cluster analysis. Journal of
    Computational and Applied Mathematics 20, 1987.
    N. X. Vinh, J. Epps, J. Bailey: Information theoretic measures for clusterings comparison. JMLR 11, 2010.

    Examples
    --------
    >>> points = np.repeat([[0.0], [9.0]], 20, axis=0) + np.arange(40)[:, None] / 99
    >>> half = np.repeat([0, 1], 20)
    >>> found = measure_quality(points, half, half, np.arange(40) % 4, ClusterChoice("kmeans", 2))
    >>> found.purity, round(found.ari, 3), found.stability
    (1.0, 1.0, 1.0)
    """
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    silhouette, silhouettes = _silhouettes(points, labels)
    origin, of_seeds = Origin(file, corpus), 0.7 if seeds else 0.0
    agreement = None
    if seeds:
        agreement = agreement_of_seeds(
            points, choice, labels=labels, seed=seed, report=lambda share: report(of_seeds * share)
        )
    again = recovered_clusters(
        points, labels, choice, origin, seed=seed, report=lambda share: report(of_seeds + (1 - of_seeds) * share)
    )
    return Quality(
        *_purities(labels, corpus),
        ari=float(adjusted_rand_score(corpus, labels)),
        ami=float(adjusted_mutual_info_score(corpus, labels)),
        ami_files=float(adjusted_mutual_info_score(file, labels)),
        silhouette=silhouette,
        silhouettes=silhouettes,
        seeds=agreement,
        recovered=tuple(_known(again)),
        outside=float((labels < 0).mean()),
        resampled=origin.unit(),
    )


def _purities(labels: np.ndarray, corpus: np.ndarray) -> tuple[float, float]:
    # Both of the segments in clusters: what HDBSCAN leaves out may be mostly of one corpus.
    inside = labels >= 0
    counts = np.zeros((int(labels.max()) + 1, int(corpus.max()) + 1))
    np.add.at(counts, (labels[inside], corpus[inside]), 1)
    return float(counts.max(axis=1).sum() / inside.sum()), float(counts.sum(axis=0).max() / inside.sum())


def _silhouettes(points: np.ndarray, labels: np.ndarray) -> tuple[float | None, tuple[float | None, ...]]:
    from sklearn.metrics import silhouette_samples

    k, inside = int(labels.max()) + 1, np.flatnonzero(labels >= 0)
    sample = inside[even_subset(len(inside), LARGEST_SAMPLE)]
    there = labels[sample]
    if not 1 < len(np.unique(there)) < len(sample):
        return None, (None,) * k
    each = silhouette_samples(points[sample], there)
    sums, counts = np.bincount(there, each, k), np.bincount(there, minlength=k)
    return float(each.mean()), tuple(_known(sums / np.where(counts, counts, np.nan)))


def _known(values: np.ndarray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
