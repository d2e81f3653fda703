"""Which cluster of the other corpus lies nearest: the natural place to make a hybrid."""

from __future__ import annotations

import numpy as np

MAJORITY = 0.5
"""A cluster is mostly of a corpus that has more than this share of it."""


def nearest_of_others(
    points: np.ndarray, labels: np.ndarray, shares: np.ndarray
) -> list[dict[int, tuple[int, float]]]:
    """Find for each cluster the nearest one that is mostly of each other corpus.

    Parameters
    ----------
    points : np.ndarray, shape (N, D)
        Where clusters were sought.
    labels : np.ndarray, shape (N,), int
        Cluster of each from 0; -1 for none.
    shares : np.ndarray, shape (k, n_corpora)
        Part of each cluster from each corpus.

    Returns
    -------
    list of dict of int to (int, float)
        One a cluster. For each corpus that it is not mostly of: the number (from 1) of the nearest other cluster that
        is, and the distance between their means, where 1 is that of any two points (the root of its mean square). A
        corpus without such a cluster is left out.

    Examples
    --------
    >>> points, labels = np.array([[0.0], [1.0], [4.0]]), np.array([0, 1, 2])
    >>> near = nearest_of_others(points, labels, np.array([[1.0, 0.0], [0.2, 0.8], [0.0, 1.0]]))
    >>> [{corpus: number for corpus, (number, _) in one.items()} for one in near]
    [{1: 2}, {0: 1}, {0: 1}]
    """
    # The mean over all pairs of |x - y|^2 is twice the variance of x, summed over the axes.
    usual = float(np.sqrt(2 * points.var(axis=0).sum())) or 1.0
    means = np.stack([points[labels == label].mean(axis=0) for label in range(len(shares))])
    away = np.linalg.norm(means[:, None] - means[None], axis=-1) / usual
    found: list[dict[int, tuple[int, float]]] = []
    for label, own in enumerate(shares):
        near = {}
        for corpus in np.flatnonzero(own <= MAJORITY).tolist():
            others = [other for other in np.flatnonzero(shares[:, corpus] > MAJORITY).tolist() if other != label]
            if others:
                best = min(others, key=lambda other: float(away[label, other]))
                near[corpus] = (best + 1, float(away[label, best]))
        found.append(near)
    return found
