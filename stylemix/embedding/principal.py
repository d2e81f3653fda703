"""Features made comparable and reduced to their principal components: where every map and every clustering begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stylemix.errors import BadInput


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


@dataclass(frozen=True)
class Standard:
    """How features are made comparable: each with mean 0 and spread 1 over the segments it was fitted to.

    Parameters
    ----------
    mean : np.ndarray, shape (F,)
        Of each feature.
    spread : np.ndarray, shape (F,)
        Standard deviation of each; 0 for a feature that never changes, which counts for nothing.
    """

    mean: np.ndarray
    spread: np.ndarray

    def scale(self, features: np.ndarray) -> np.ndarray:
        """Make features comparable.

        Parameters
        ----------
        features : np.ndarray, shape (M, F)
            Of the segments that it was fitted to, or of others.

        Returns
        -------
        np.ndarray, shape (M, F)
            Without unit.

        Raises
        ------
        BadInput
            If they are not a finite (M, F) array, or describe segments by other features.
        """
        rows = check_features(features)
        if rows.shape[1] != len(self.mean):
            raise BadInput(f"features: must be {len(self.mean)} a segment, as those of the map, got {rows.shape[1]}")
        real = self.spread > 0
        return np.where(real, (rows - self.mean) / np.where(real, self.spread, 1.0), 0.0)


def fit_standard(features: np.ndarray) -> Standard:
    """Measure the mean and the spread of every feature.

    Parameters
    ----------
    features : np.ndarray, shape (N, F)
        One row a segment.

    Returns
    -------
    Standard
        To scale these features or others.

    Raises
    ------
    BadInput
        If the features are not a finite (N, F) array.

    Examples
    --------
    >>> fit_standard(np.array([[0.0, 5.0], [2.0, 5.0]])).scale(np.array([[4.0, 9.0]])).tolist()
    [[3.0, 0.0]]
    """
    rows = check_features(features)
    spread = rows.std(axis=0)
    # Rounding leaves a constant column a tiny spread; scaled to one it would be as loud as a real feature.
    return Standard(rows.mean(axis=0), np.where(spread > 1e-9 * (1 + np.abs(rows).max(axis=0)), spread, 0.0))


@dataclass(frozen=True)
class Principal:
    """The leading principal components of standardised features.

    Parameters
    ----------
    scores : np.ndarray, shape (N, D)
        Largest variance first.
    explained : np.ndarray, shape (D,)
        Part of the variance of all features that each accounts for, 0 to 1.
    axes : np.ndarray, shape (D, F)
        Directions of unit length in the space of the standardised features.
    standard : Standard
        How the features were standardised.
    """

    scores: np.ndarray
    explained: np.ndarray
    axes: np.ndarray
    standard: Standard

    def of_others(self, features: np.ndarray) -> np.ndarray:
        """Project other segments onto the same components.

        Parameters
        ----------
        features : np.ndarray, shape (M, F)
            One row a segment.

        Returns
        -------
        np.ndarray, shape (M, D)
            Scores of the same meaning.

        Raises
        ------
        BadInput
            If they are not a finite (M, F) array, or describe segments by other features.
        """
        return self.standard.scale(features) @ self.axes.T


def principal_components(features: np.ndarray, n_dims: int) -> Principal:
    """Standardise every feature and keep the leading principal components with what they explain.

    Parameters
    ----------
    features : np.ndarray, shape (N, F)
        One row a segment; a feature that never changes counts for nothing.
    n_dims : int
        Components to keep, at most; the rank N - 1 or F limits them too.

    Returns
    -------
    Principal
        1 <= D <= n_dims components.

    Raises
    ------
    BadInput
        If the features are not a finite (N, F) array.

    Examples
    --------
    >>> principal_components(np.array([[0.0, 5.0], [2.0, 5.0]]), 2).explained.round(6).tolist()
    [1.0]
    """
    standard = fit_standard(features)
    scaled = standard.scale(features)
    # Their mean is 0 but for rounding, which would be the only component of segments that are all equal.
    vectors, values, axes = np.linalg.svd(scaled - scaled.mean(axis=0), full_matrices=False)
    rank = int((values > 1e-9 * max(values[0], 1e-9)).sum())
    n_kept = max(1, min(n_dims, rank, len(scaled) - 1))
    # The sign of a component is arbitrary; fixing it keeps two runs' maps the same way up.
    signs = np.sign(axes[np.arange(n_kept), np.abs(axes[:n_kept]).argmax(axis=1)])
    signs = np.where(signs == 0, 1.0, signs)
    explained = values[:n_kept] ** 2 / max(float((values**2).sum()), 1e-300)
    scores = vectors[:, :n_kept] * values[:n_kept] * signs
    return Principal(scores, explained, axes[:n_kept] * signs[:, None], standard)


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
    return principal_components(features, n_dims).scores
