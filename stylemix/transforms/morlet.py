"""Morlet wavelets in the frequency domain, and the banks of them that scattering transforms are made of.

Frequencies are in cycles per sample: 0.5 is the Nyquist frequency.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log, log2, pi, sqrt

import numpy as np

from stylemix.errors import BadInput

# Two neighbouring wavelets meet where each has this magnitude: at half of its power.
MEETING = sqrt(0.5)
# Standard deviation of a low-pass of scale T is this over T (cycles per sample).
LOWPASS_WIDTH = 0.1
# A wavelet counts as ended so many standard deviations from its centre, where it has fallen to 4e-6.
REACH = 5.0


@dataclass(frozen=True)
class Wavelet:
    """One Morlet wavelet: a Gauss bell around a frequency, corrected to have no mean.

    Parameters
    ----------
    xi : float
        Centre frequency (cycles per sample); negative for a wavelet that turns the other way.
    sigma : float
        Standard deviation of the bell (cycles per sample).
    """

    xi: float
    sigma: float

    @property
    def j(self) -> int:
        """Scale: ``2**j`` is the largest step between samples at which the wavelet's real part does not alias."""
        return floor(-log2(min(abs(self.xi) + REACH * self.sigma, 0.5))) - 1


def morlet_bank(scale: int, per_octave: int) -> tuple[Wavelet, ...]:
    r"""Choose the wavelets of a bank: falling frequencies down to a largest scale.

    From the highest frequency :math:`\max(1 / (1 + 2^{3/Q}), 0.35)` downwards there are `Q` wavelets to an octave,
    each as wide as its frequency is high, :math:`\sigma = \xi \frac{1 - 2^{-1/Q}}{1 + 2^{-1/Q}} / \sqrt{\ln 2}`, so
    that neighbours meet at half power. Where the width would fall below :math:`0.1 / 2^J` it stays there,
    and ``Q - 1`` further wavelets are spread evenly down to zero [1]_.

    Parameters
    ----------
    scale : int
        J: the longest wavelet lasts about ``2**J`` samples.
    per_octave : int
        Q.

    Returns
    -------
    tuple of Wavelet
        From the highest frequency to the lowest.

    Raises
    ------
    BadInput
        If J or Q is below 1.

    References
    ----------
    .. [1] J. Anden, S. Mallat, "Deep scattering spectrum", IEEE Trans. Signal Processing 62(16), 2014.

    Examples
    --------
    >>> [round(w.xi, 3) for w in morlet_bank(3, 1)]
    [0.35, 0.175, 0.087, 0.044]
    """
    if per_octave < 1 or int(per_octave) != per_octave:
        raise BadInput(f"Q must be a whole number of wavelets an octave, at least 1, got {per_octave}; raise it")
    if scale < 1 or int(scale) != scale:
        raise BadInput(f"J must be a whole number, at least 1 (the longest wavelet lasts 2**J samples), got {scale}")
    step = 2.0 ** (-1 / per_octave)
    xi = max(1 / (1 + 2.0 ** (3 / per_octave)), 0.35)
    sigma = xi * (1 - step) / (1 + step) / sqrt(2 * log(1 / MEETING))
    least = LOWPASS_WIDTH / 2**scale
    bank = []
    if sigma <= least:
        xi = sigma
    else:
        bank.append(Wavelet(xi, sigma))
        while sigma > least / step:
            xi, sigma = xi * step, sigma * step
            bank.append(Wavelet(xi, sigma))
    bank += [Wavelet(xi * (1 - k / per_octave), least) for k in range(1, per_octave)]
    return tuple(bank)


def gauss_response(frequency: np.ndarray, sigma: float) -> np.ndarray:
    """Evaluate a Gauss low-pass with unit gain at zero, sampled in time and so periodic in frequency.

    Parameters
    ----------
    frequency : np.ndarray
        Where (cycles per sample).
    sigma : float
        Standard deviation (cycles per sample).

    Returns
    -------
    np.ndarray
        Real gains, shape as `frequency`. In time the filter is positive, so its L1 norm is its gain at zero: one.

    Examples
    --------
    >>> gauss_response(np.array([0.0, 0.1]), 0.1).round(4).tolist()
    [1.0, 0.6065]
    """
    return _periodic_bell(frequency, 0.0, sigma) / _periodic_bell(np.zeros(1), 0.0, sigma)


def morlet_response(frequency: np.ndarray, wavelet: Wavelet) -> np.ndarray:
    r"""Evaluate a Morlet wavelet of unit L1 norm, sampled in time and so periodic in frequency.

    .. math:: \hat\psi(f) = c \, (g(f - \xi) - \kappa g(f)), \quad \hat\psi(0) = 0

    with a Gauss bell `g`, and `c` such that the wavelet's absolute values add up to one over time: no wavelet can
    make a bounded signal larger.

    Parameters
    ----------
    frequency : np.ndarray
        Where (cycles per sample), of either sign.
    wavelet : Wavelet
        Which.

    Returns
    -------
    np.ndarray
        Real gains, shape as `frequency`.

    Examples
    --------
    >>> morlet_response(np.array([0.0, 0.2]), Wavelet(0.2, 0.02)).round(3).tolist()
    [0.0, 1.0]
    """
    xi, sigma = wavelet.xi, wavelet.sigma
    zero = np.zeros(1)
    kappa = float((_periodic_bell(zero, xi, sigma) / _periodic_bell(zero, 0.0, sigma))[0])
    # In time the bell of width sigma is a bell of width 1 / (2 pi sigma), times exp(2 pi i xi t) - kappa.
    reach = max(1, ceil(8 / (2 * pi * sigma)))
    t = np.arange(-reach, reach + 1)
    envelope = sigma * sqrt(2 * pi) * np.exp(-0.5 * np.square(2 * pi * sigma * t))
    norm = float(np.sum(envelope * np.abs(np.exp(2j * pi * xi * t) - kappa)))
    bell = _periodic_bell(frequency, xi, sigma)
    return (bell - kappa * _periodic_bell(frequency, 0.0, sigma)) / norm


def _periodic_bell(frequency: np.ndarray, xi: float, sigma: float) -> np.ndarray:
    offset = np.asarray(frequency, dtype=np.float64) - xi
    offset = offset - np.round(offset)
    if sigma < 0.05:
        # Beyond nine standard deviations is less than 3e-18: most of a fine grid need not be evaluated.
        near = np.abs(offset) < 9 * sigma
        bell = np.zeros(offset.shape)
        bell[near] = np.exp(-0.5 * np.square(offset[near] / sigma))
        return bell
    periods = ceil(9 * sigma)
    return np.sum([np.exp(-0.5 * np.square((offset + p) / sigma)) for p in range(-periods, periods + 1)], axis=0)


def littlewood_paley(frequency: np.ndarray, wavelets: tuple[Wavelet, ...], low_sigma: float) -> np.ndarray:
    r"""Sum the power gains of a bank on real signals.

    .. math:: A(f) = \hat\phi(f)^2 + \frac{1}{2} \sum_\lambda \hat\psi_\lambda(f)^2 + \hat\psi_\lambda(-f)^2

    A bank with :math:`A = 1` keeps the energy of every signal.

    Parameters
    ----------
    frequency : np.ndarray
        Where (cycles per sample).
    wavelets : tuple of Wavelet
        The bank.
    low_sigma : float
        Standard deviation of the low-pass.

    Returns
    -------
    np.ndarray
        Shape as `frequency`.

    Examples
    --------
    >>> f = np.linspace(0.0, 0.5, 100)
    >>> bool(np.all(littlewood_paley(f, morlet_bank(6, 8), 0.1 / 2**6) <= 1.1))
    True
    """
    total = np.square(gauss_response(frequency, low_sigma))
    for wavelet in wavelets:
        total = total + 0.5 * np.square(morlet_response(frequency, wavelet))
        total = total + 0.5 * np.square(morlet_response(-frequency, wavelet))
    return total


def decay(sigma: float, level: float = 1e-4) -> float:
    """Half length of a bell of width `sigma` in time, up to where it has fallen to `level` (samples).

    Parameters
    ----------
    sigma : float
        Standard deviation in frequency (cycles per sample).
    level : float
        Share of its height.

    Returns
    -------
    float
        ``sqrt(2 ln(1 / level)) / (2 pi sigma)``.

    Examples
    --------
    >>> round(decay(0.1), 1)
    6.8
    """
    return sqrt(2 * log(1 / level)) / (2 * pi * sigma)
