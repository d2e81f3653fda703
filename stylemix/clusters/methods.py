"""Four ways to put points into clusters, each with its own way to tell how many there are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from stylemix.clusters.choice import ClusterChoice
from stylemix.clusters.number import CRITERION, even_subset, silhouettes_beyond_chance
from stylemix.errors import BadInput

MAX_CLUSTERS = 12
# Ten distinct segments a cluster, at least: fewer than that do not make a covariance.
LEAST_SIZE = 10
LARGEST_TREE = 5000
"""A tree of so many segments takes 100 MB and half a second; both grow with the square."""
# Within how many neighbours HDBSCAN measures density. With 2 it finds clusters in single clouds; with as many as the
# smallest cluster may have, which is its own default, it leaves most of the latents of real corpora in none (column
# "in none" of tests/bench/bench_map.py, with this number changed).
_NEIGHBOURS = 5
# Of first guesses for a mixture. With 2 of them, clusters of chorales and ragtime were recovered to 0.68 and 0.85 (both
# spaces, scattering), with 5 to 0.74 and 0.88, with 10, which take twice as long, to 0.75 and 0.89 (column "recovered"
# of tests/bench/bench_map.py, with this number changed).
_GUESSES = 5
# More segments than this get fewer, so that 20,000 take seconds.
_MANY, _GUESSES_OF_MANY = 5000, 2


@dataclass(frozen=True)
class Partition:
    """Points in clusters.

    Parameters
    ----------
    labels : np.ndarray, shape (N,), int
        Cluster of each, in no order; -1 for one that is in none.
    criterion : str
        What told the number.
    tried : dict of int to float
        The criterion for each number that was tried.
    """

    labels: np.ndarray
    criterion: str = "asked for"
    tried: dict[int, float] = field(default_factory=dict)


def partition(
    points: np.ndarray, choice: ClusterChoice, *, seed: int = 0, max_clusters: int = MAX_CLUSTERS
) -> Partition:
    """Put points into clusters by one of scikit-learn's methods.

    ``gmm``: mixtures of Gaussians [1]_ whose covariances are full, diagonal or shared; the number and the kind of
    covariance with the lowest Bayesian information criterion are kept [2]_. ``kmeans`` and ``agglomerative`` (Ward's
    tree [3]_): the number with the largest silhouette beyond chance (see `stylemix.clusters.number`). ``hdbscan``
    [4]_: as many as the densities have peaks of at least a fiftieth of the points; the others are in none.

    All of them take points for independent. Segments of one recording are not: 16 recordings that differ or move
    slowly, with no clusters among them, were put into up to 12 clusters by mixtures and Ward's tree, 3 to 11 by
    k-means, up to 3 by HDBSCAN (ten draws, tests/bench/bench_map.py). Whether other recordings have the same clusters
    is told by `stylemix.clusters.stability.recovered_clusters`.

    Parameters
    ----------
    points : np.ndarray, shape (N, D)
        With uncorrelated columns, such as principal components.
    choice : ClusterChoice
        The method, and the number where it is asked for.
    seed : int
        Of first guesses and of what is compared with chance.
    max_clusters : int
        The most that are tried where none is asked for; at least ten distinct points are wanted for each.

    Returns
    -------
    Partition
        Labels, at least one cluster among them.

    Raises
    ------
    BadInput
        If more clusters are asked for than there are distinct points, or HDBSCAN has no such number.

    References
    ----------
    .. [1] C. Fraley, A. E. Raftery: Model-based clustering, discriminant analysis, and density estimation. Journal of
       the American Statistical Association 97, 2002.
    .. [2] G. Schwarz: Estimating the dimension of a model. Annals of Statistics 6(2), 1978.
    .. [3] J. H. Ward: Hierarchical grouping to optimize an objective function. JASA 58, 1963.
    .. [4] R. J. G. B. Campello, D. Moulavi, J. Sander: Density-based clustering based on hierarchical density
       estimates. PAKDD 2013.

    Examples
    --------
    >>> points = np.repeat([[0.0, 0.0], [9.0, 0.0]], 20, axis=0) + np.random.default_rng(0).normal(size=(40, 2))
    >>> [len(set(partition(points, ClusterChoice(method)).labels)) for method in ("gmm", "kmeans", "agglomerative")]
    [2, 2, 2]
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # Rows that differ only by rounding count as one.
    n_distinct = len(np.unique(np.round(points, 9), axis=0))
    if choice.k is not None and choice.k > n_distinct:
        raise BadInput(f"k: must lie between 1 and the {n_distinct} segments that differ, got {choice.k}")
    most = choice.k or max(1, min(max_clusters, n_distinct // LEAST_SIZE))
    numbers = [choice.k] if choice.k else list(range(1, most + 1))
    # On a machine that does other things too, threads that wait for one another took minutes instead of a second.
    with threadpool_limits(1):
        if most == 1 or len(points) < 2:
            found = Partition(np.zeros(len(points), dtype=int), _CRITERIA[choice.method])
        elif choice.method == "gmm":
            found = _mixtures(points, numbers, seed)
        elif choice.method == "hdbscan":
            found = _densities(points, choice.k)
        else:
            found = _compact(points, choice.method, numbers, seed)
    return replace(found, criterion="asked for", tried={}) if choice.k else found


_CRITERIA = {
    "gmm": "lowest BIC of Gaussian mixtures",
    "kmeans": f"{CRITERION} of k-means",
    "agglomerative": f"{CRITERION} of Ward's tree",
    "hdbscan": "peaks of density that HDBSCAN keeps",
}


@contextmanager
def _unmoved() -> Iterator[None]:
    # Both are said of data with few distinct points, for which the answer is as good as any.
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"sklearn\b.*")
        yield


def _mixtures(points: np.ndarray, numbers: list[int], seed: int) -> Partition:
    from sklearn.mixture import GaussianMixture

    best, labels, tried = np.inf, np.zeros(len(points), dtype=int), dict.fromkeys(numbers, np.inf)
    # A floor under the variances: ten equal segments would have an infinite likelihood.
    floor = max(1e-3 * float(points.var()), 1e-9)
    guesses = _GUESSES if len(points) <= _MANY else _GUESSES_OF_MANY
    for k in numbers:
        # With one Gaussian, a shared covariance is a full one. Full ones have 44 numbers a cluster in 8 dimensions, for
        # which BIC asks so much that it joins clouds; diagonal and shared ones are tried as well.
        for kind in ("full", "diag", "tied") if k > 1 else ("full", "diag"):
            model = GaussianMixture(k, covariance_type=kind, n_init=guesses, reg_covar=floor, random_state=seed)
            with _unmoved():
                model.fit(points)
            score = float(model.bic(points))
            tried[k] = min(tried[k], score)
            if score < best:
                best, labels = score, model.predict(points)
    return Partition(labels, _CRITERIA["gmm"], tried)


def _compact(points: np.ndarray, method: str, numbers: list[int], seed: int) -> Partition:
    from sklearn.cluster import KMeans

    def k_means(rows: np.ndarray, k: int, n_init: int = 3) -> np.ndarray:
        with _unmoved():
            return KMeans(k, n_init=n_init, random_state=seed).fit_predict(rows)

    tree = method == "agglomerative"
    k, tried = numbers[0], dict[int, float]()
    if len(numbers) > 1:
        k, tried = silhouettes_beyond_chance(points, _ward if tree else k_means, numbers, seed=seed)
    return Partition(_ward(points, k) if tree else k_means(points, k, n_init=10), _CRITERIA[method], tried)


def _ward(points: np.ndarray, k: int) -> np.ndarray:
    from sklearn.cluster import AgglomerativeClustering

    sample = even_subset(len(points), LARGEST_TREE)
    labels = AgglomerativeClustering(k, linkage="ward").fit_predict(points[sample])
    if len(sample) == len(points) or k == 1:
        return np.resize(labels, len(points))
    from sklearn.neighbors import NearestCentroid

    # Ward's tree joins what adds least to the squares within clusters: so does the nearest middle for one more point.
    return NearestCentroid().fit(points[sample], labels).predict(points)


def _densities(points: np.ndarray, k: int | None) -> Partition:
    smallest = max(LEAST_SIZE, round(len(points) / 50))
    labels = _peaks(points, smallest)
    if k is not None and k != labels.max() + 1:
        labels = _so_many_peaks(points, k)
    # Nothing denser than the whole: HDBSCAN calls all of it noise where it may also be called one cluster.
    return Partition(labels if (labels >= 0).any() else np.zeros(len(points), dtype=int), _CRITERIA["hdbscan"])


def _peaks(points: np.ndarray, smallest: int) -> np.ndarray:
    from sklearn.cluster import HDBSCAN

    with _unmoved():
        return HDBSCAN(min_cluster_size=smallest, min_samples=_NEIGHBOURS, copy=True).fit_predict(points)


def _so_many_peaks(points: np.ndarray, k: int) -> np.ndarray:
    # HDBSCAN is told how small a cluster may be, not how many there are: sizes in steps of a quarter, and of those that
    # give the number, the one that leaves the fewest points out.
    largest = max(3, len(points) // k)
    sizes = np.unique(np.geomspace(3, largest, 1 + round(np.log(largest / 3) / np.log(1.25))).round().astype(int))
    found = [_peaks(points, int(size)) for size in sizes]
    right = [labels for labels in found if labels.max() + 1 == k]
    if not right:
        there = sorted({int(labels.max()) + 1 for labels in found} - {0})
        raise BadInput(
            f"clusters: hdbscan finds {', '.join(map(str, there)) or 'no'} clusters here, however small they may be, "
            f"got {k}; take one of these, or another method"
        )
    return min(right, key=lambda labels: int((labels < 0).sum()))
