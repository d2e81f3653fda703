"""New segments set on a map that is there, with how far they are from all that it was made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stylemix.embedding.principal import Principal, check_features, principal_components
from stylemix.errors import BadInput

_COMPONENTS = 32
# Files left out of the maps of two pairs of corpora and set on them again: of the ten segments that are nearest in the
# space, 0.37 and 0.42 (UMAP) and 0.41 and 0.47 (t-SNE) are then the nearest on the map, where segments that it was made
# of keep 0.53 to 0.72. At the mean of all ten, weighted by 1 / distance, it is 0.28 to 0.35: between two groups is the
# middle of nothing (bench_embed.py --placed).
NEIGHBOURS = 10
_REACH = 2.0
# Of the segments of the map, one in a hundred lies as far out. Of files left out of their corpus 1 to 5 % of the
# segments are then strange, of the other corpus of the pair 17 to 64 % (electronic pieces hold much of what an
# orchestra plays), of the other pair 83 and 58 % (bench_embed.py --placed). Distances alone find 19 to 34 % and 75 and
# 70 %; as multiples of the neighbours' own alone, 20 to 65 % and 94 and 15 %: a map has thin places, in which nothing
# would be strange.
_RARE = 0.99
_REFERENCE, _MOST = 2000, 1e6


@dataclass(frozen=True)
class Placed:
    """New segments on a map.

    Parameters
    ----------
    points : np.ndarray, shape (M, dims)
        Where they lie.
    out : np.ndarray, shape (M,)
        How far each is from its nearest neighbours in the space: as a multiple of how far those are from theirs, or of
        how far any segment of the map is from its own, whichever is stranger; over what 99 % of the map's own segments
        keep within. Above 1 it is like none of them, and its point says little. At most a million.
    nearest : np.ndarray, shape (M, k), int
        The map's segments nearest to each, the nearest first.
    """

    points: np.ndarray
    out: np.ndarray
    nearest: np.ndarray

    @property
    def strange(self) -> np.ndarray:
        """Which of them are like nothing on the map, shape (M,)."""
        return self.out > 1


def place(
    new_features: np.ndarray,
    features: np.ndarray,
    points: np.ndarray,
    *,
    k: int = NEIGHBOURS,
    file: np.ndarray | None = None,
) -> Placed:
    """Set new segments on a map, which stays as it is.

    Where the map is that of the principal components, turned or scaled or not, they are projected as its own were.
    Otherwise each lies amid its nearest neighbours in the space: amid those of them that lie together on the map,
    around the one that is the nearest to the others there.

    Parameters
    ----------
    new_features : np.ndarray, shape (M, F)
        One row a new segment; standardised by the map's own.
    features : np.ndarray, shape (N, F)
        Of the map's segments.
    points : np.ndarray, shape (N, dims)
        The map.
    k : int
        How many neighbours; fewer on a smaller map.
    file : np.ndarray, shape (N,), int, optional
        The file of each segment of the map: how far its own lie from one another is then asked of other files. A new
        file has none of its own there, and would otherwise seem strange four to ten times as often.

    Returns
    -------
    Placed
        Points, how far out each is (of a large map, from 2000 of its segments, evenly spread), and its neighbours.

    Raises
    ------
    BadInput
        If the shapes do not fit, the features are not finite, or `k` is less than 1.

    References
    ----------
    M. M. Breunig, H.-P. Kriegel, R. T. Ng, J. Sander: LOF: identifying density-based local outliers. SIGMOD 2000 (here
    with mean distances in place of reachability).

    Examples
    --------
    >>> line = np.arange(12.0)[:, None]
    >>> placed = place(np.array([[3.5], [40.0]]), line, np.concatenate([line, 2 * line], axis=1))
    >>> placed.points.round(6).tolist(), placed.strange.tolist()
    ([[3.5, 7.0], [40.0, 80.0]], [False, True])
    """
    principal, on_map = _checked(features, points, k)
    if file is not None and len(file) != len(on_map):
        raise BadInput(f"file: must have one entry a segment of the map ({len(on_map)}), got {len(file)}")
    where, nearest = _lay(principal, new_features, on_map, k)
    return Placed(where, _out(principal.standard.scale, new_features, check_features(features), k, file), nearest)


def place_points(
    new_features: np.ndarray, features: np.ndarray, points: np.ndarray, *, k: int = NEIGHBOURS
) -> np.ndarray:
    """Set new segments on a map as `place` does, without asking how far out they are.

    Parameters
    ----------
    new_features : np.ndarray, shape (M, F)
        One row a new segment; standardised by the map's own.
    features : np.ndarray, shape (N, F)
        Of the map's segments.
    points : np.ndarray, shape (N, dims)
        The map.
    k : int
        How many neighbours; fewer on a smaller map.

    Returns
    -------
    np.ndarray, shape (M, dims)
        Where they lie.

    Raises
    ------
    BadInput
        If the shapes do not fit, the features are not finite, or `k` is less than 1.

    Examples
    --------
    >>> line = np.arange(12.0)[:, None]
    >>> place_points(np.array([[3.5]]), line, np.concatenate([line, 2 * line], axis=1)).round(6).tolist()
    [[3.5, 7.0]]
    """
    principal, on_map = _checked(features, points, k)
    return _lay(principal, new_features, on_map, k)[0]


def _checked(features: np.ndarray, points: np.ndarray, k: int) -> tuple[Principal, np.ndarray]:
    rows, on_map = check_features(features), np.asarray(points, dtype=np.float64)
    if on_map.ndim != 2 or len(on_map) != len(rows):
        raise BadInput(f"points: must have one row a segment of the map ({len(rows)}), got {on_map.shape}")
    if k < 1:
        raise BadInput(f"k: must be at least 1 neighbour, got {k}")
    return principal_components(rows, _COMPONENTS), on_map


def _lay(
    principal: Principal, new_features: np.ndarray, points: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    fresh = principal.of_others(new_features)
    amid, nearest = amid_neighbours(fresh, principal.scores, points, k=k)
    exact = _as_principal(principal, fresh, points)
    return amid if exact is None else exact, nearest


def amid_neighbours(
    fresh: np.ndarray, known: np.ndarray, points: np.ndarray, *, k: int = NEIGHBOURS
) -> tuple[np.ndarray, np.ndarray]:
    """Set new segments amid those of their neighbours in the space that lie together on the map.

    Parameters
    ----------
    fresh : np.ndarray, shape (M, D)
        The new ones in the space.
    known : np.ndarray, shape (N, D)
        Those of the map.
    points : np.ndarray, shape (N, dims)
        The map.
    k : int
        How many neighbours.

    Returns
    -------
    placed : np.ndarray, shape (M, dims)
        Where the new ones lie.
    nearest : np.ndarray, shape (M, k), int
        Their neighbours, the nearest first.

    Examples
    --------
    >>> known = np.array([[0.0], [1.0], [9.0]])
    >>> amid_neighbours(np.array([[1.0]]), known, 2 * known, k=2)[0].tolist()
    [[2.0]]
    """
    distances, nearest = _neighbours(fresh, known, k)
    # A segment that the map holds already lies where it lies; its distance to itself is 0 but for rounding.
    same = distances <= 1e-6 * max(float(np.abs(known).max()), 1e-300)
    return _amid(points, distances, nearest, same, close=_close(points, k)), nearest


def _neighbours(fresh: np.ndarray, known: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.neighbors import NearestNeighbors

    finder = NearestNeighbors(n_neighbors=min(k, len(known)), algorithm="brute").fit(known)
    distances, nearest = finder.kneighbors(fresh)
    return distances, nearest


def _as_principal(principal: Principal, fresh: np.ndarray, points: np.ndarray) -> np.ndarray | None:
    """Project onto the axes of a map that is made of them, or return None."""
    axes = np.arange(min(points.shape[1], principal.scores.shape[1]))
    scores = np.concatenate([principal.scores[:, axes], np.ones((len(points), 1))], axis=1)
    back = np.linalg.lstsq(scores, points, rcond=None)[0]
    if np.abs(scores @ back - points).max() > 1e-6 * max(float(np.abs(points - points.mean(axis=0)).max()), 1e-300):
        return None
    # Of D + 1 segments or fewer every map is a linear one of D components, whatever placed them. That of principal
    # components has their angles and proportions too: back = s Q for an orthonormal Q, so that back back' = s^2 I.
    square = back[:-1] @ back[:-1].T
    if np.abs(square - np.eye(len(axes)) * square.trace() / len(axes)).max() > 1e-6 * max(square.trace(), 1e-300):
        return None
    return np.concatenate([fresh[:, axes], np.ones((len(fresh), 1))], axis=1) @ back


def _close(points: np.ndarray, k: int) -> float:
    """How far apart neighbours lie on the map, typically."""
    some = points[np.unique(np.linspace(0, len(points) - 1, min(2000, len(points))).round().astype(int))]
    # The nearest to each is itself.
    return _REACH * float(np.median(_neighbours(some, points, k + 1)[0][:, -1]))


def _amid(
    points: np.ndarray, distances: np.ndarray, nearest: np.ndarray, same: np.ndarray, *, close: float
) -> np.ndarray:
    there = points[nearest]
    # One that is as far beyond the nearest as the middle one of them weighs 1 / e.
    beyond = distances - distances[:, :1]
    weights = np.exp(-beyond / np.maximum(np.median(beyond, axis=1, keepdims=True), 1e-300))
    weights = np.where(same.any(axis=1, keepdims=True), same, weights)
    apart = np.linalg.norm(there[:, :, None] - there[:, None], axis=-1)
    middle = (apart * weights[:, None, :]).sum(axis=2).argmin(axis=1)
    weights = weights * (np.take_along_axis(apart, middle[:, None, None], axis=1)[:, 0] <= close)
    # The middle one itself may weigh nothing only if all of those around it do.
    weights[np.arange(len(weights)), middle] += 1e-300
    return (there * weights[:, :, None]).sum(axis=1) / weights.sum(axis=1, keepdims=True)


def _out(
    scale: Callable[[np.ndarray], np.ndarray], fresh: np.ndarray, known: np.ndarray, k: int, file: np.ndarray | None
) -> np.ndarray:
    """Compare how far new ones are from their neighbours with how far those, and all of the map, are from theirs."""
    from sklearn.metrics import pairwise_distances

    # In the whole space: along what the principal components leave out, a stranger differs the most.
    some = np.unique(np.linspace(0, len(known) - 1, min(_REFERENCE, len(known))).round().astype(int))
    known = scale(known[some])
    among = pairwise_distances(known)
    np.fill_diagonal(among, np.inf)
    if file is not None and len(np.unique(file[some])) > 1:
        among[file[some][:, None] == file[some]] = np.inf
    own, near = _mean_distances(among, k)
    # Among many equal segments, the next to them would be infinitely far.
    own = np.maximum(own, 1e-3 * float(np.median(own)))
    if not own.max() > 0:
        own = np.full(len(known), 1e-300)
    against = own / own[near].mean(axis=1)
    # One segment alone has no neighbours to be compared with.
    limits = [float(np.quantile(one, _RARE)) if len(known) > 1 else 1.0 for one in (against, own)]
    both = np.maximum(against / limits[0], own / limits[1])
    limit = float(np.quantile(both, _RARE)) if len(known) > 1 else 1.0
    parts = []
    for rows in np.array_split(scale(fresh), -(-len(fresh) // _REFERENCE)):
        mean, near = _mean_distances(pairwise_distances(rows, known), k)
        out = np.maximum(mean / own[near].mean(axis=1) / limits[0], mean / limits[1]) / limit
        parts.append(np.minimum(out, _MOST))
    return np.concatenate(parts)


def _mean_distances(distances: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean distance to the k nearest columns, and which they are; fewer where the others are infinitely far."""
    near = np.argsort(distances, axis=1)[:, : min(k, distances.shape[1])]
    there = np.take_along_axis(distances, near, axis=1)
    real = np.isfinite(there)
    # The nearest stands for those that are not there.
    near = np.where(real, near, near[:, :1])
    return np.where(real, there, 0).sum(axis=1) / np.maximum(real.sum(axis=1), 1), near
