"""How many clusters there are, by a silhouette that is held against chance; "one" is a possible answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

LARGEST_SAMPLE = 1000
"""Segments that the silhouette is computed of: all distances between them fit into 8 MB, and 20 draws take seconds."""
# With 10 draws, five seeds agreed on the k-means of orchestra and electronics to 0.68 (both spaces) and 0.69
# (scattering), with 20 to 0.91 and 1.
N_DRAWS = 20
CRITERION = "largest silhouette beyond chance"
# In standard deviations. Of ten single clouds, Gaussian or with heavy tails, k-means finds one cluster in all, and
# Ward's tree in nine (tests/bench/bench_map.py).
_BEYOND = 3.0

Fit = Callable[[np.ndarray, int], np.ndarray]


def even_subset(n: int, most: int) -> np.ndarray:
    """Choose evenly among things in a row.

    Parameters
    ----------
    n : int
        How many there are.
    most : int
        How many are wanted, at most.

    Returns
    -------
    np.ndarray, shape (min(n, most),), int
        Their places, increasing.

    Examples
    --------
    >>> even_subset(9, 3).tolist(), even_subset(2, 3).tolist()
    ([0, 4, 8], [0, 1])
    """
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int))


def _silhouettes(points: np.ndarray, fit: Fit, numbers: Sequence[int]) -> np.ndarray:
    from sklearn.metrics import pairwise_distances, silhouette_score

    # The distances are the dear part, and the same for every number.
    distances = pairwise_distances(points)
    found = []
    for k in numbers:
        labels = fit(points, k)
        possible = 1 < len(np.unique(labels)) < len(points)
        found.append(silhouette_score(distances, labels, metric="precomputed") if possible else -1.0)
    return np.array(found)


def silhouettes_beyond_chance(
    points: np.ndarray, fit: Fit, numbers: Sequence[int], *, seed: int = 0
) -> tuple[int, dict[int, float]]:
    """Choose the number of clusters whose silhouette is the furthest beyond that of a single cloud.

    A silhouette alone always finds at least two clusters, in noise as well, and favours some numbers: it is compared
    with its mean over clouds drawn from one Gaussian that is as wide as the points in every direction, put into as
    many clusters by the same method [1]_. Where the best number is no further beyond than the best one of a mere cloud
    may be, there is one cluster.

    The clouds' points are independent, and segments of one recording are not: recordings alone, without clusters among
    them, make silhouettes beyond chance (3 to 11 clusters by k-means and 1 to 12 by Ward's tree, of ten draws of 16
    recordings: tests/bench/bench_map.py). Clouds whose recordings differ and whose segments follow one another as those
    measured do would find one cluster there; but of 16 recordings of orchestra and electronics, too, by Ward's tree,
    and by k-means with one seed of two. So few recordings do not tell clusters from chance; what is found is to be
    held against how well it is recovered (see `stylemix.clusters.stability`).

    Parameters
    ----------
    points : np.ndarray, shape (N, D)
        With uncorrelated columns, such as principal components; of more than `LARGEST_SAMPLE`, even ones are taken.
    fit : callable
        ``fit(points, k)`` returns a label for each point.
    numbers : sequence of int
        To be tried; 1 counts as a silhouette of 0 beyond chance.
    seed : int
        Of the clouds.

    Returns
    -------
    k : int
        The number.
    tried : dict of int to float
        For each, the mean silhouette beyond that of a cloud.

    References
    ----------
    .. [1] C. Hennig, C.-J. Lin: Flexible parametric bootstrap for testing homogeneity against clustering and assessing
       the number of clusters. Statistics and Computing 25, 2015.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> points = np.repeat([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]], 20, axis=0)
    >>> points += np.random.default_rng(0).normal(size=points.shape)
    >>> fit = lambda x, k: KMeans(k, n_init=2, random_state=0).fit_predict(x)
    >>> silhouettes_beyond_chance(points, fit, [1, 2, 3, 4])[0]
    3
    """
    sample = points[even_subset(len(points), LARGEST_SAMPLE)]
    several = [k for k in numbers if k > 1]
    if not several or len(sample) < 3:
        return 1, {1: 0.0}
    rng, spread = np.random.default_rng(seed), sample.std(axis=0)
    clouds = [spread * rng.standard_normal(sample.shape) for _ in range(N_DRAWS)]
    chance = np.stack([_silhouettes(cloud, fit, several) for cloud in clouds])
    beyond = _silhouettes(sample, fit, several) - chance.mean(axis=0)
    # What the best number of a cloud reaches, held against the other clouds: x_b - mean of the others is
    # (x_b - mean of all) B / (B - 1).
    best_by_chance = ((chance - chance.mean(axis=0)) * N_DRAWS / (N_DRAWS - 1)).max(axis=1)
    tried = {1: 0.0} | dict(zip(several, beyond.tolist(), strict=True))
    if beyond.max() <= best_by_chance.mean() + _BEYOND * best_by_chance.std(ddof=1):
        return 1, tried
    return several[int(beyond.argmax())], tried
