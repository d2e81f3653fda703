"""Clusters of segments: how many is chosen by a criterion, and their names say whose sound they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stylemix.clusters.choice import DEFAULT_CHOICE, ClusterChoice
from stylemix.clusters.methods import MAX_CLUSTERS, partition
from stylemix.clusters.names import name_clusters
from stylemix.embedding.embed import principal_scores
from stylemix.errors import BadInput

N_DIMS = 8
"""Principal components in which clusters are sought."""


@dataclass(frozen=True)
class Clusters:
    """Groups of segments that sound alike.

    Parameters
    ----------
    labels : np.ndarray, shape (N,), int
        Cluster of each segment, 0 for the largest; -1 for a segment that is in none, which only HDBSCAN knows.
    k : int
        Number of clusters, at least one.
    scores : dict of int to float
        The criterion for each k that was tried. Empty where the number was asked for or is no matter of trying.
    names : tuple of str
        One a cluster, numbered from 1, with its corpus share.
    shares : np.ndarray, shape (k, n_corpora)
        Part of each cluster's segments that comes from each corpus; rows sum to 1.
    criterion : str
        What the scores are.
    choice : ClusterChoice
        What was asked for.
    """

    labels: np.ndarray
    k: int
    scores: dict[int, float]
    names: tuple[str, ...]
    shares: np.ndarray
    criterion: str = "asked for"
    choice: ClusterChoice = DEFAULT_CHOICE

    @property
    def n_outside(self) -> int:
        """Segments that are in no cluster."""
        return int((self.labels < 0).sum())

    @property
    def caution(self) -> str:
        """What every criterion is blind to, for people; nothing where none has chosen several."""
        # None of them knows which segments are of one recording (see `stylemix.clusters.methods.partition`).
        return "; recordings alone can make several" if self.choice.k is None and self.k > 1 else ""

    def in_words(self) -> str:
        """Say how many clusters there are, and what told so.

        Returns
        -------
        str
            For people.

        Examples
        --------
        >>> Clusters(np.array([0, -1]), 1, {1: 3.0, 2: 4.0}, ("1",), np.ones((1, 1)), "lowest BIC").in_words()
        '1, by the lowest BIC, of 1 to 2; 1 segment in none'
        """
        if self.choice.k is not None:
            told = f"{self.k} of {self.choice.method}, as asked for"
        else:
            told = f"{self.k}, by the {self.criterion}"
            told += (f", of 1 to {max(self.scores)}" if len(self.scores) > 1 else "") + self.caution
        plural = "s" if self.n_outside != 1 else ""
        return told + (f"; {self.n_outside} segment{plural} in none" if self.n_outside else "")


def _largest_first(labels: np.ndarray) -> tuple[np.ndarray, int]:
    found, counts = np.unique(labels[labels >= 0], return_counts=True)
    # One place more than there are labels: -1, for what is in no cluster, stays itself.
    rank = np.full(found.max() + 2, -1)
    rank[found[np.argsort(-counts, kind="stable")]] = np.arange(len(found))
    return rank[labels], len(found)


def cluster(
    features: np.ndarray,
    corpus_index: np.ndarray,
    corpus_names: Sequence[str],
    *,
    points: np.ndarray | None = None,
    choice: ClusterChoice | None = None,
    seed: int = 0,
    max_clusters: int = MAX_CLUSTERS,
) -> Clusters:
    """Group segments and name each group by its share of the corpora.

    The features are standardised and reduced to 8 principal components, in which clusters are sought by the method that
    is chosen; without a choice, by mixtures of Gaussians. Their number is told by the method's own criterion, which
    knows the answer "one cluster" (see `stylemix.clusters.methods.partition`).

    Parameters
    ----------
    features : np.ndarray, shape (N, F)
        One row a segment, N >= 1.
    corpus_index : np.ndarray, shape (N,), int
        Which corpus each segment comes from.
    corpus_names : sequence of str
        Names of the corpora.
    points : np.ndarray, shape (N, D), optional
        The principal components of the features where they are known; to decompose 20,000 segments takes seconds.
    choice : ClusterChoice, optional
        By which method and into how many; by default a criterion chooses the number.
    seed : int
        Of first guesses, and of what is compared with chance.
    max_clusters : int
        The most clusters tried; at least ten distinct segments are asked for each.

    Returns
    -------
    Clusters
        Labels, largest cluster first, with names, shares and the criterion's values.

    Raises
    ------
    BadInput
        If the features are not finite, the corpus indices do not fit them, there are fewer segments than clusters, or
        HDBSCAN does not find the number that is asked for.

    Examples
    --------
    >>> cluster(np.zeros((3, 4)), np.array([0, 0, 0]), ["cage"]).names
    ('1: all cage',)
    """
    scores = principal_scores(features, N_DIMS) if points is None else points
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
    choice = choice or DEFAULT_CHOICE
    found = partition(scores, choice, seed=seed, max_clusters=max_clusters)
    labels, k = _largest_first(found.labels)
    counts = np.zeros((k, len(corpus_names)))
    np.add.at(counts, (labels[labels >= 0], corpora[labels >= 0]), 1)
    shares = counts / counts.sum(axis=1, keepdims=True)
    names = name_clusters(labels, shares, corpus_names)
    return Clusters(labels, k, found.tried, names, shares, found.criterion, choice)
