"""Wavelets along log-frequency: how bands that follow each other in pitch rise and fall together.

The axis is the bands of a filter bank, one step a band; frequencies on it are quefrencies, in cycles per band.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stylemix.errors import BadInput
from stylemix.transforms.morlet import LOWPASS_WIDTH, Wavelet, gauss_response, morlet_bank, morlet_response


@dataclass(frozen=True)
class QuefrencyBank:
    """A low-pass and wavelets of both spins along log-frequency.

    Filter 0 is the low-pass; 1 to K are the wavelets with falling quefrency; K + 1 to 2K are their mirror images,
    which turn the other way.

    Parameters
    ----------
    wavelets : tuple of Wavelet
        The K wavelets of positive quefrency (cycles per band).
    low_sigma : float
        Standard deviation of the low-pass (cycles per band).
    low_j : int
        The low-pass may be sampled every ``2**low_j`` bands.
    n_padded : int
        Length of the axis, zeros after the last band included. Filters are circular on it.
    responses : np.ndarray, shape (K + 1, n_padded)
        Gains of the low-pass and of the wavelets at the quefrencies ``np.fft.fftfreq(n_padded)``.
    """

    wavelets: tuple[Wavelet, ...]
    low_sigma: float
    low_j: int
    n_padded: int
    responses: np.ndarray

    @property
    def spins(self) -> np.ndarray:
        """Direction of each filter, shape (2K + 1,): 0, then K times 1, then K times -1."""
        return np.repeat([0, 1, -1], [1, len(self.wavelets), len(self.wavelets)])

    @property
    def xi(self) -> np.ndarray:
        """Centre quefrency of each filter, shape (2K + 1,) (cycles per band; negative for spin -1)."""
        up = [w.xi for w in self.wavelets]
        return np.array([0.0, *up, *(-x for x in up)])

    @property
    def sigma(self) -> np.ndarray:
        """Standard deviation of each filter, shape (2K + 1,) (cycles per band)."""
        return np.array([self.low_sigma, *(w.sigma for w in self.wavelets * 2)])

    @property
    def j(self) -> np.ndarray:
        """Scale of each filter, shape (2K + 1,), int: ``2**j`` bands are its critical step."""
        return np.array([self.low_j, *(w.j for w in self.wavelets * 2)])

    def kernel(self, index: int) -> np.ndarray:
        """Give a filter's impulse response.

        Parameters
        ----------
        index : int
            0 for the low-pass, 1 to K for a wavelet of spin 1. One of spin -1 has the complex conjugate.

        Returns
        -------
        np.ndarray, shape (n_padded,)
            Complex; real for the low-pass. Index 0 is lag 0, negative lags wrap to the end.
        """
        return np.fft.ifft(self.responses[index])


def quefrency_bank(n_bands: int, *, scale: int, per_octave: int, n_padded: int, tight: bool) -> QuefrencyBank:
    r"""Design wavelets along log-frequency.

    Parameters
    ----------
    n_bands : int
        Number of bands there are.
    scale : int
        J_fr: the longest wavelet reaches over about ``2**scale`` bands.
    per_octave : int
        Wavelets to an octave of quefrency.
    n_padded : int
        Length of the axis with zeros appended.
    tight : bool
        False: filters of unit L1 norm. True: divided by the root of
        :math:`A(q) = \hat\phi(q)^2 + \sum_k \hat\psi_k(q)^2 + \hat\psi_k(-q)^2`, so that low-pass and wavelets of
        both spins together keep the energy of every complex signal. :math:`A` is even, so spins stay mirror images.

    Returns
    -------
    QuefrencyBank
        The filters.

    Raises
    ------
    BadInput
        If the longest wavelet reaches over more bands than there are, or there is less than one wavelet to an octave.

    References
    ----------
    .. [1] J. Anden, V. Lostanlen, S. Mallat, "Joint time-frequency scattering", IEEE Trans. Signal Processing 67(14),
       2019.

    Examples
    --------
    >>> bank = quefrency_bank(48, scale=3, per_octave=1, n_padded=112, tight=False)
    >>> bank.xi.round(3).tolist()
    [0.0, 0.35, 0.175, 0.088, 0.044, -0.35, -0.175, -0.088, -0.044]
    """
    if per_octave < 1 or int(per_octave) != per_octave:
        raise BadInput(
            f"Q_fr must be a whole number of wavelets an octave of quefrency, at least 1, got {per_octave}; raise it"
        )
    check_scale(scale, n_bands)
    wavelets = morlet_bank(scale, per_octave)
    low_sigma = LOWPASS_WIDTH / 2**scale
    q = np.fft.fftfreq(n_padded)
    responses = np.stack([gauss_response(q, low_sigma), *(morlet_response(q, w) for w in wavelets)])
    if tight:
        mirrored = np.roll(responses[1:, ::-1], 1, axis=1)
        power = np.square(responses[0]) + np.sum(np.square(responses[1:]) + np.square(mirrored), axis=0)
        responses = responses / np.sqrt(power)
    return QuefrencyBank(wavelets, low_sigma, scale, n_padded, responses)


def check_scale(scale: int, n_bands: int) -> None:
    """Refuse wavelets that are longer than the axis.

    Parameters
    ----------
    scale : int
        J_fr: the longest wavelet reaches over about ``2**scale`` bands.
    n_bands : int
        Number of bands there are.

    Raises
    ------
    BadInput
        If there are fewer bands than that, or it is no positive whole number.
    """
    if n_bands < 2:
        raise BadInput(f"wavelets along log-frequency need at least 2 bands, got {n_bands}; raise J or Q")
    # Compared as logarithms: 2**scale may be too large for a number.
    if scale < 1 or int(scale) != scale or scale > np.log2(n_bands):
        raise BadInput(
            f"J_fr must be a whole number from 1 to {int(np.log2(n_bands))}, for its longest wavelet reaches over "
            f"2**J_fr of the {n_bands} bands, got {scale}; lower J_fr, or raise J or Q for more bands"
        )


def filter_matrix(kernel: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Write a circular convolution along log-frequency as a matrix, only where it is wanted.

    There are about a hundred bands: a product with a small matrix computes the rows that are asked for and no others,
    needs no transposed copy, and is what processors do best.

    Parameters
    ----------
    kernel : np.ndarray, shape (n_padded,)
        Impulse response.
    rows, columns : np.ndarray of int, shapes (R,) and (C,)
        Positions of the outputs and of the inputs (bands).

    Returns
    -------
    np.ndarray, shape (R, C)
        ``kernel[(rows - columns) % n_padded]``.

    Examples
    --------
    >>> filter_matrix(np.array([1.0, 0.5, 0.0, 0.25]), np.array([0, 2]), np.arange(4)).tolist()
    [[1.0, 0.25, 0.0, 0.5], [0.0, 0.5, 1.0, 0.25]]
    """
    return kernel[(rows[:, None] - columns[None, :]) % len(kernel)]
