"""From one corpus' latent statistics to the other's: optimal transport between two Gaussians."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from stylemix.errors import BadInput


@dataclass(frozen=True)
class Statistics:
    """Mean and covariance of latent codes.

    Parameters
    ----------
    mean : np.ndarray, shape (D,)
        Mean.
    covariance : np.ndarray, shape (D, D)
        Covariance.
    n_steps : int
        From how many steps.
    """

    mean: np.ndarray
    covariance: np.ndarray
    n_steps: int


def latent_statistics(codes: Iterable[np.ndarray]) -> Statistics:
    """Collect mean and covariance over pieces, one in memory at a time.

    Parameters
    ----------
    codes : iterable of np.ndarray, each (D, M)
        Latent codes.

    Returns
    -------
    Statistics
        Over all of them.

    Raises
    ------
    BadInput
        If there is not a single step.

    Examples
    --------
    >>> latent_statistics([np.array([[0.0, 2.0]]), np.array([[4.0]])]).mean.tolist()
    [2.0]
    """
    count, total, products = 0, np.zeros(0), np.zeros((0, 0))
    for z in codes:
        z = np.asarray(z, dtype=np.float64)
        if not count:
            total, products = np.zeros(len(z)), np.zeros((len(z), len(z)))
        count += z.shape[1]
        total, products = total + z.sum(axis=1), products + z @ z.T
    if not count:
        raise BadInput("hybrid: a corpus without any latent step has no statistics; train on longer files")
    mean = total / count
    return Statistics(mean, products / count - np.outer(mean, mean), count)


@dataclass(frozen=True)
class Transport:
    """The affine map ``z -> matrix (z - source_mean) + target_mean``.

    Parameters
    ----------
    matrix : np.ndarray, shape (D, D)
        Symmetric, positive semi-definite.
    source_mean, target_mean : np.ndarray, shape (D,)
        Means of the two sides.
    """

    matrix: np.ndarray
    source_mean: np.ndarray
    target_mean: np.ndarray

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Map codes.

        Parameters
        ----------
        codes : np.ndarray, shape (D, M)
            Of the source.

        Returns
        -------
        np.ndarray, shape (D, M), float32
            With the target's mean and covariance if the source's codes have the source's.
        """
        centred = codes - self.source_mean[:, None]
        return (self.matrix @ centred + self.target_mean[:, None]).astype(np.float32)


def gaussian_transport(source: Statistics, target: Statistics, *, shrinkage: float = 0.05) -> Transport:
    r"""Give the map between two Gaussians that moves every point as little as possible.

    .. math:: A = S^{-1/2} (S^{1/2} T S^{1/2})^{1/2} S^{-1/2}

    Parameters
    ----------
    source, target : Statistics
        Covariances S and T.
    shrinkage : float
        Share of its own diagonal in each covariance, 0 to 1: few data say little about correlations.

    Returns
    -------
    Transport
        The map.

    References
    ----------
    .. [1] D. C. Dowson, B. V. Landau, "The Frechet distance between multivariate normal distributions", J.
       Multivariate Analysis 12, 1982.

    Examples
    --------
    >>> narrow, wide = Statistics(np.zeros(1), np.eye(1), 9), Statistics(np.ones(1), 4 * np.eye(1), 9)
    >>> move = gaussian_transport(narrow, wide)
    >>> move(np.array([[1.0]])).round(3).tolist()
    [[3.0]]
    """
    s, t = (_shrunk(x.covariance, shrinkage) for x in (source, target))
    root, inverse_root = _power(s, 0.5), _power(s, -0.5)
    return Transport(inverse_root @ _power(root @ t @ root, 0.5) @ inverse_root, source.mean, target.mean)


def _shrunk(covariance: np.ndarray, shrinkage: float) -> np.ndarray:
    diagonal = np.diag(np.diag(covariance))
    floor = 1e-6 * max(float(np.trace(covariance)) / len(covariance), 1e-12)
    return (1 - shrinkage) * covariance + shrinkage * diagonal + floor * np.eye(len(covariance))


def _power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    # Rounding may leave an eigenvalue a little below zero.
    values = np.maximum(values, 1e-12 * max(values[-1], 1e-30))
    return (vectors * values**exponent) @ vectors.T
