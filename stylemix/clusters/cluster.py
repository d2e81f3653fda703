"""Clusters of segments: how many is chosen by a criterion, and their names say whose sound they hold."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stylemix.clusters.choice import ClusterChoice
from stylemix.embedding.embed import principal_scores
from stylemix.errors import BadInput

CRITERION = "lowest BIC of Gaussian mixtures"
MOSTLY = 0.75
"""From this share on a cluster is named after one corpus."""


@dataclass(frozen=True)
class Clusters:
    """Groups of segments that sound alike.

    Parameters
    ----------
    labels : np.ndarray, shape (N,), int
        Cluster of each segment, 0 for the largest.
    k : int
        Number of clusters.
    scores : dict of int to float
        The criterion for each k that was tried; the lowest won. Empty for a single segment.
    names : tuple of str
        One a cluster, numbered from 1, with its corpus share.
    shares : np.ndarray, shape (k, n_corpora)
        Part of each cluster's segments that comes from each corpus; rows sum to 1.
    criterion : str
        What the scores are.
    """

    labels: np.ndarray
    k: int
    scores: dict[int, float]
    names: tuple[str, ...]
    shares: np.ndarray
    criterion: str = CRITERION


def _percent(share: float) -> int:
    # 0 and 100 are promises: one odd segment out of a thousand must not round to "all".
    return int(np.clip(round(100 * share), 0 if share == 0 else 1, 100 if share == 1 else 99))


def name_cluster(number: int, shares: Sequence[float], corpus_names: Sequence[str]) -> str:
    """Name a cluster by whose sound it holds.

    Parameters
    ----------
    number : int
        Shown first, so that no two names are equal.
    shares : sequence of float
        Part of the cluster from each corpus.
    corpus_names : sequence of str
        In the same order.

    Returns
    -------
    str
        For example "1: mostly cage (92 %)".

    Examples
    --------
    >>> name_cluster(1, [0.92, 0.08], ["cage", "beach-boys"])
    '1: mostly cage (92 %)'
    >>> name_cluster(2, [0.55, 0.45], ["cage", "beach-boys"])
    '2: mixed (55 % cage, 45 % beach-boys)'
    """
    order = sorted(range(len(shares)), key=lambda index: -shares[index])
    top = order[0]
    if shares[top] == 1:
        return f"{number}: all {corpus_names[top]}"
    if shares[top] >= MOSTLY:
        return f"{number}: mostly {corpus_names[top]} ({_percent(shares[top])} %)"
    parts = ", ".join(f"{_percent(shares[i])} % {corpus_names[i]}" for i in order[:3] if shares[i] > 0)
    return f"{number}: mixed ({parts})"


def _choose(scores: np.ndarray, numbers: Sequence[int], seed: int) -> tuple[np.ndarray, dict[int, float]]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    if len(scores) < 2:
        return np.zeros(len(scores), dtype=int), {}
    best, labels, tried = np.inf, np.zeros(len(scores), dtype=int), {}
    for k in numbers:
        model = GaussianMixture(k, n_init=2, reg_covar=max(1e-3 * float(scores.var()), 1e-9), random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(scores)
        tried[k] = float(model.bic(scores))
        if tried[k] < best:
            best, labels = tried[k], model.predict(scores)
    return labels, tried


def _numbers(scores: np.ndarray, max_clusters: int, k: int | None) -> list[int]:
    n_distinct = len(np.unique(np.round(scores, 9), axis=0))
    if k is None:
        # Ten distinct segments a cluster, at least: fewer than that do not make a covariance.
        return list(range(1, max(1, min(max_clusters, n_distinct // 10)) + 1))
    if not 1 <= k <= n_distinct:
        raise BadInput(f"k: must lie between 1 and the {n_distinct} segments that differ, got {k}")
    return [k]


def _largest_first(labels: np.ndarray) -> tuple[np.ndarray, int]:
    found, counts = np.unique(labels, return_counts=True)
    rank = np.empty(found.max() + 1, dtype=int)
    rank[found[np.argsort(-counts, kind="stable")]] = np.arange(len(found))
    return rank[labels], len(found)


def cluster(
    features: np.ndarray,
    corpus_index: np.ndarray,
    corpus_names: Sequence[str],
    *,
    choice: ClusterChoice | None = None,
    seed: int = 0,
    max_clusters: int = 12,
) -> Clusters:
    """Group segments and name each group by its share of the corpora.

    The features are standardised, reduced to 8 principal components and described by mixtures of Gaussians
    with full covariances; the number of Gaussians with the lowest Bayesian information criterion is kept.
    This criterion knows the answer "one cluster"; a silhouette always finds at least two, in noise as well.

    Parameters
    ----------
    features : np.ndarray, shape (N, F)
        One row a segment, N >= 1.
    corpus_index : np.ndarray, shape (N,), int
        Which corpus each segment comes from.
    corpus_names : sequence of str
        Names of the corpora.
    choice : ClusterChoice, optional
        By which method and into how many; by default a criterion chooses the number.
    seed : int
        Of the mixtures' first guesses.
    max_clusters : int
        The most clusters tried; at least ten distinct segments are asked for each.

    Returns
    -------
    Clusters
        Labels, largest cluster first, with names, shares and the criterion's values.

    Raises
    ------
    BadInput
        If the features are not finite, the corpus indices do not fit them, or there are fewer segments than clusters.

    References
    ----------
    G. Schwarz: Estimating the dimension of a model. Annals of Statistics 6(2), 1978.

    Examples
    --------
    >>> cluster(np.zeros((3, 4)), np.array([0, 0, 0]), ["cage"]).names
    ('1: all cage',)
    """
    scores = principal_scores(features, 8)
    corpora = np.asarray(corpus_index)
    if corpora.shape != (len(scores),):
        raise BadInput(f"corpus_index: must have one entry a segment ({len(scores)}), got {corpora.shape}")
    if not np.issubdtype(corpora.dtype, np.integer) or corpora.min() < 0 or corpora.max() >= len(corpus_names):
        raise BadInput(
            f"corpus_index: must hold integers from 0 to {len(corpus_names) - 1}, "
            f"got values from {corpora.min()} to {corpora.max()}"
        )
    if max_clusters < 1:
        raise BadInput(f"max_clusters: must be at least 1, got {max_clusters}")
    choice = choice or ClusterChoice()
    raw, tried = _choose(scores, _numbers(scores, max_clusters, choice.k), seed)
    labels, n_found = _largest_first(raw)
    counts = np.zeros((n_found, len(corpus_names)))
    np.add.at(counts, (labels, corpora), 1)
    shares = counts / counts.sum(axis=1, keepdims=True)
    names = tuple(name_cluster(index + 1, shares[index].tolist(), corpus_names) for index in range(n_found))
    return Clusters(labels, n_found, tried, names, shares)
