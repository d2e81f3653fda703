"""Where the bands of a variable-Q filter bank lie, how wide they are and how often each is sampled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stylemix.errors import BadInput


@dataclass(frozen=True)
class FilterBank:
    """A bank of windows on a warped frequency axis, described independently of any signal length.

    Parameters
    ----------
    sample_rate : int
        Hz.
    gamma_hz, octave_width_hz : float
        The warping: near zero the bands lie `gamma_hz` apart, far above it the distance grows as ``ln 2 / B`` times
        the frequency; `octave_width_hz` is ``gamma_hz / (ln 2 / B)``, where the two meet.
    step : float
        Distance of two neighbours on the warped axis.
    frequencies_hz : np.ndarray, shape (K,)
        Centre frequencies, from 0 to the Nyquist frequency.
    bandwidths_hz : np.ndarray, shape (K,)
        Width of each window's support.
    hops : np.ndarray, shape (K,), int
        Samples between the coefficients of each band: powers of two, at least critically sampled.
    """

    sample_rate: int
    gamma_hz: float
    octave_width_hz: float
    step: float
    frequencies_hz: np.ndarray
    bandwidths_hz: np.ndarray
    hops: np.ndarray

    @property
    def n_bands(self) -> int:
        """Number of bands, the one at zero and the one at the Nyquist frequency included."""
        return len(self.frequencies_hz)

    @property
    def redundancy(self) -> float:
        """Real numbers per sample of a real signal (a complex coefficient counts as two)."""
        return float(np.sum(2.0 / self.hops))

    def warp(self, frequency_hz: np.ndarray) -> np.ndarray:
        """Map frequencies to the axis on which the windows are even and equally spaced.

        Parameters
        ----------
        frequency_hz : np.ndarray
            Frequencies of either sign (Hz); the map is odd.

        Returns
        -------
        np.ndarray
            Positions in units of the band spacing: band k lies at k.

        Examples
        --------
        >>> bank = variable_q(22050)
        >>> bool(np.allclose(bank.warp(bank.frequencies_hz), np.arange(bank.n_bands)))
        True
        """
        f = np.asarray(frequency_hz, dtype=np.float64)
        # The spacing at f is step * (gamma + a|f|) with a = ln 2 / B; its reciprocal integrates to the logarithm below.
        return np.sign(f) * np.log1p(np.abs(f) / self.octave_width_hz) / self.step

    def window(self, band: int, frequency_hz: np.ndarray) -> np.ndarray:
        """Evaluate one band's window: a Hann bell on the warped axis, from one neighbour's centre to the other's.

        Parameters
        ----------
        band : int
            Index of the band, 0 to K - 1.
        frequency_hz : np.ndarray
            Where to evaluate it (Hz). Frequencies above Nyquist are taken as the mirror images they are.

        Returns
        -------
        np.ndarray
            Values from 0 to 1; 1 at the centre frequency.
        """
        nyquist = self.sample_rate / 2
        f = np.asarray(frequency_hz, dtype=np.float64)
        position = self.warp(np.minimum(f, nyquist))
        # Beyond the Nyquist frequency the axis goes on as its own mirror image, so the last band is even there too.
        position = np.where(f > nyquist, 2 * (self.n_bands - 1) - self.warp(2 * nyquist - f), position)
        distance = np.abs(position - band)
        return np.where(distance < 1, 0.5 + 0.5 * np.cos(np.pi * np.minimum(distance, 1)), 0.0)


def variable_q(
    sample_rate: int,
    *,
    bins_per_octave: int = 36,
    gamma_hz: float = 10.0,
    max_hop: int = 256,
    oversampling: float = 1.0,
) -> FilterBank:
    """Design a variable-Q filter bank from 0 Hz to the Nyquist frequency.

    The distance between neighbouring bands is ``ln 2 / bins_per_octave * f + gamma_hz`` (Hz): constant-Q far above
    ``gamma_hz``, equally spaced near zero. Each window reaches from one neighbour's centre to the other's.

    Parameters
    ----------
    sample_rate : int
        Hz.
    bins_per_octave : int
        Bands in an octave at high frequencies.
    gamma_hz : float
        Distance of the bands at 0 Hz; larger sharpens transients and blurs tones.
    max_hop : int
        Largest number of samples between two coefficients of a band; a power of two.
    oversampling : float
        At least 1: how much denser than critical each band is sampled.

    Returns
    -------
    FilterBank
        The description of the bank.

    Raises
    ------
    BadInput
        If a parameter is out of range.

    References
    ----------
    .. [1] N. Holighaus, M. Doerfler, G. Velasco, T. Grill, "A framework for invertible, real-time constant-Q
       transforms", IEEE TASLP 21(4), 2013.
    .. [2] C. Schoerkhuber, A. Klapuri, N. Holighaus, M. Doerfler, "A Matlab toolbox for efficient perfect
       reconstruction time-frequency transforms with log-frequency resolution", AES 53, 2014.

    Examples
    --------
    >>> variable_q(22050).n_bands
    162
    """
    if sample_rate < 1000:
        raise BadInput(f"sample_rate must be at least 1000 Hz, got {sample_rate}")
    if bins_per_octave < 1 or gamma_hz <= 0 or oversampling < 1:
        raise BadInput(
            "bins_per_octave must be at least 1, gamma_hz above 0 and oversampling at least 1, "
            f"got {bins_per_octave}, {gamma_hz} and {oversampling}"
        )
    if max_hop < 1 or max_hop & (max_hop - 1):
        raise BadInput(f"max_hop must be a power of two, got {max_hop}")
    nyquist = sample_rate / 2
    a = np.log(2.0) / bins_per_octave
    knee = gamma_hz / a
    length = np.log1p(nyquist / knee) / a
    n_steps = max(2, round(length))
    # Stretched a little, so that the last band lies exactly on the Nyquist frequency.
    step = float(np.log1p(nyquist / knee) / n_steps)
    edges = knee * np.expm1(step * np.arange(-1, n_steps + 2).clip(min=0))
    edges[0], edges[-1] = -edges[2], 2 * nyquist - edges[-3]
    bandwidths = edges[2:] - edges[:-2]
    hops = 2 ** np.floor(np.log2(sample_rate / (bandwidths * oversampling))).clip(min=0).astype(int)
    return FilterBank(
        sample_rate, gamma_hz, knee, step, edges[1:-1], bandwidths, np.minimum(hops, max_hop)
    )
