"""Segments' features to points on a plane: UMAP where there are enough, PCA where there are not."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stylemix.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

UMAP_LEAST = 30
"""Fewer distinct segments than this have no neighbourhoods to preserve; their principal plane says more."""


@dataclass(frozen=True)
class Embedding:
    """Points on a plane and how they were found.

    Parameters
    ----------
    points : np.ndarray, shape (N, 2)
        One point a segment; distances have no unit.
    method : {"umap", "pca"}
        What placed them.
    """

    points: np.ndarray
    method: str


def check_features(features: np.ndarray) -> np.ndarray:
    """Return the features as a finite (N, F) array of float64.

    Parameters
    ----------
    features : np.ndarray, shape (N, F)
        One row a segment.

    Returns
    -------
    np.ndarray, shape (N, F), float64
        The same numbers.

    Raises
    ------
    BadInput
        If the array is not two-dimensional, is empty, or holds NaN or infinity.

    Examples
    --------
    >>> check_features(np.ones((3, 2), dtype=np.float32)).dtype
    dtype('float64')
    """
    rows = np.asarray(features, dtype=np.float64)
    if rows.ndim != 2 or 0 in rows.shape:
        raise BadInput(f"features: must have shape (N, F) with at least one segment, got {rows.shape}")
    bad = ~np.isfinite(rows).all(axis=1)
    if bad.any():
        raise BadInput(
            f"features: must be finite, but {bad.sum()} of {len(rows)} segments hold NaN or "
            f"infinity (the first is segment {int(np.argmax(bad))}); leave them out or train again"
        )
    return rows


def principal_scores(features: np.ndarray, n_dims: int) -> np.ndarray:
    """Standardise every feature and keep the leading principal components.

    Parameters
    ----------
    features : np.ndarray, shape (N, F)
        One row a segment; a feature that never changes counts for nothing.
    n_dims : int
        Components to keep, at most; the rank N - 1 or F limits them too.

    Returns
    -------
    np.ndarray, shape (N, D), 1 <= D <= n_dims
        Scores, largest variance first.

    Raises
    ------
    BadInput
        If the features are not a finite (N, F) array.

    Examples
    --------
    >>> principal_scores(np.array([[0.0, 5.0], [2.0, 5.0]]), 2).round(6).tolist()
    [[-1.0], [1.0]]
    """
    rows = check_features(features)
    centred = rows - rows.mean(axis=0)
    # Rounding leaves a constant column a tiny spread; scaled to one it would be as loud as a real feature.
    spread = centred.std(axis=0)
    real = spread > 1e-9 * (1 + np.abs(rows).max(axis=0))
    scaled = np.where(real, centred / np.where(real, spread, 1.0), 0.0)
    vectors, values, axes = np.linalg.svd(scaled, full_matrices=False)
    rank = int((values > 1e-9 * max(values[0], 1e-9)).sum())
    n_kept = max(1, min(n_dims, rank, len(rows) - 1))
    # The sign of a component is arbitrary; fixing it keeps two runs' maps the same way up.
    signs = np.sign(axes[np.arange(n_kept), np.abs(axes[:n_kept]).argmax(axis=1)])
    return vectors[:, :n_kept] * values[:n_kept] * np.where(signs == 0, 1.0, signs)


@contextmanager
def _quiet_umap() -> Iterator[None]:
    # A fixed seed costs UMAP its threads, and it says so each time; both are wanted here.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(umap|sklearn|numba|pynndescent)\b.*")
        warnings.filterwarnings("ignore", message=".*n_jobs.*|.*[Ss]pectral.*|.*n_neighbors.*")
        yield


def _umap_plane(scores: np.ndarray, seed: int) -> np.ndarray:
    with _quiet_umap():
        from umap import UMAP

        model = UMAP(n_components=2, n_neighbors=min(15, len(scores) - 1), random_state=seed, n_jobs=1)
        return np.asarray(model.fit_transform(scores), dtype=np.float64)


def embed(features: np.ndarray, *, seed: int = 0) -> Embedding:
    """Place segments on a plane so that what sounds alike lies together.

    Features are standardised and reduced to at most 32 principal components. Equal segments are one point
    for UMAP, which fails on many duplicates; fewer than 30 distinct ones are placed by PCA.

    Parameters
    ----------
    features : np.ndarray, shape (N, F)
        One row a segment, N >= 1.
    seed : int
        Of UMAP's random walk; the same seed and machine give the same map.

    Returns
    -------
    Embedding
        Points, shape (N, 2), and the method used.

    Raises
    ------
    BadInput
        If the features are not a finite (N, F) array.

    References
    ----------
    L. McInnes, J. Healy, J. Melville: UMAP: Uniform Manifold Approximation and Projection for Dimension
    Reduction. arXiv:1802.03426, 2018.

    Examples
    --------
    >>> placed = embed(np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]))
    >>> placed.method, placed.points.shape
    ('pca', (3, 2))
    """
    scores = principal_scores(features, 32)
    # Rows that differ only by rounding count as one.
    tick = 1e-9 * max(1.0, float(np.abs(scores).max()))
    distinct, place = np.unique(np.round(scores / tick), axis=0, return_inverse=True)
    if len(distinct) >= UMAP_LEAST:
        return Embedding(_umap_plane(distinct * tick, seed)[place.ravel()], "umap")
    plane = np.zeros((len(scores), 2))
    plane[:, : min(2, scores.shape[1])] = scores[:, :2]
    return Embedding(plane, "pca")
