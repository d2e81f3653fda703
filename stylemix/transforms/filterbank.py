"""Constant-Q, variable-Q and ERB banks: where the bands lie, how wide they are and how often each is sampled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from stylemix.errors import BadInput

# C1, the lowest band of a constant-Q bank unless another is asked for (Hz).
LOWEST_HZ = 440 * 2 ** (-45 / 12)
# ERB(f) = 24.7 + 0.108 f = 0.108 (f + 228.7), in Hz (Glasberg & Moore 1990).
_ERB_KNEE_HZ = 24.7 / 0.108


@dataclass(frozen=True)
class FilterBank:
    """A bank of windows on a warped frequency axis, described independently of any signal length.

    Parameters
    ----------
    sample_rate : int
        Hz.
    bins_per_octave : int
        Bands in an octave at high frequencies.
    gamma_hz, octave_width_hz : float
        The warping: bands at f are ``gamma_hz + f ln 2 / bins_per_octave`` apart; `octave_width_hz` is ``gamma_hz /
        (ln 2 / bins_per_octave)``, where both terms are equal.
    fmin_hz : float
        The lowest band of which that is true; 0: of all.
    step : float
        Distance of two neighbours on the axis ``log(f + octave_width_hz)``.
    frequencies_hz : np.ndarray, shape (K,)
        Centre frequencies, from 0 to the Nyquist frequency.
    bandwidths_hz : np.ndarray, shape (K,)
        Width of each window's support.
    hops : np.ndarray, shape (K,), int
        Samples between the coefficients of each band: powers of two, at least critically sampled.
    overlap : int
        How many bands away, on either side, a window ends.
    """

    sample_rate: int
    bins_per_octave: int
    gamma_hz: float
    octave_width_hz: float
    fmin_hz: float
    step: float
    frequencies_hz: np.ndarray
    bandwidths_hz: np.ndarray
    hops: np.ndarray
    overlap: int

    @property
    def n_bands(self) -> int:
        """Number of bands, the one at zero and the one at the Nyquist frequency included."""
        return len(self.frequencies_hz)

    @property
    def edges_hz(self) -> np.ndarray:
        """Centres from `overlap` bands below the first to `overlap` bands above the last, mirrored at both ends.

        Shape (K + 2 overlap,): the window of band k reaches from entry k to entry ``k + 2 overlap``.
        """
        return _mirrored(self.frequencies_hz, self.sample_rate, self.overlap)

    @property
    def redundancy(self) -> float:
        """Real numbers per sample of a real signal (a complex coefficient counts as two)."""
        return float(np.sum(2.0 / self.hops))

    @property
    def growth(self) -> np.ndarray:
        """How much ``f + octave_width_hz`` grows from each band to the next, minus one; shape (K - 1,).

        Where a bank has a lowest band, `bend` says what the axis is between it and 0 Hz: the first is 1.
        """
        f = self.frequencies_hz
        growth = np.ones(len(f) - 1)
        first = int(self.fmin_hz > 0)
        growth[first:] = np.diff(f)[first:] / (f[first:-1] + self.octave_width_hz)
        return growth

    @property
    def bend(self) -> float:
        """Where a bank has a lowest band, the axis is ``(f / f_1) ** bend`` from 0 Hz to band 1.

        Straight for an `overlap` of 1, where no window goes on beyond band 1. The others do, and where the slope of
        the axis jumped theirs would too, and they would ring for long: this power has the slope with which the
        logarithm goes on above.
        """
        if self.overlap == 1 or self.fmin_hz == 0:
            return 1.0
        f = self.frequencies_hz[1]
        return float(f / ((f + self.octave_width_hz) * np.log1p(self.growth[1])))

    @property
    def slopes(self) -> tuple[np.ndarray, np.ndarray]:
        """Bands in a hertz of the warped axis, right above each band and right below the next one; each (K - 1,)."""
        above, first = np.log1p(self.growth), int(self.fmin_hz > 0)
        hz = (self.frequencies_hz + self.octave_width_hz)[first:]
        ends = [1 / (above[first:] * hz[:-1]), 1 / (above[first:] * hz[1:])]
        if first:
            # A power above 1 begins flat.
            top = self.bend / self.frequencies_hz[1]
            ends = [np.r_[top if self.bend == 1 else 0.0, ends[0]], np.r_[top, ends[1]]]
        return ends[0], ends[1]

    def warp(self, frequency_hz: np.ndarray) -> np.ndarray:
        """Map frequencies to the axis on which the windows are even and equally spaced.

        Parameters
        ----------
        frequency_hz : np.ndarray
            Frequencies of either sign (Hz), up to the Nyquist frequency; the map is odd.

        Returns
        -------
        np.ndarray
            Positions in units of the band spacing: band k lies at k. Between two bands it is the logarithm of ``f +
            octave_width_hz``, so that the spacing can be ``gamma_hz + f ln 2 / bins_per_octave``: the logarithm is
            the integral of its reciprocal. Below the lowest band it is a power of f, see `bend`.

        Examples
        --------
        >>> bank = variable_q(22050)
        >>> bool(np.allclose(bank.warp(bank.frequencies_hz), np.arange(bank.n_bands)))
        True
        """
        f = np.asarray(frequency_hz, dtype=np.float64)
        k = (np.searchsorted(self.frequencies_hz, np.abs(f), side="right") - 1).clip(0, self.n_bands - 2)
        share = (np.abs(f) - self.frequencies_hz[k]) / np.diff(self.frequencies_hz)[k]
        growth = self.growth
        position = k + np.log1p(growth[k] * share) / np.log1p(growth)[k]
        if self.fmin_hz > 0:
            position = np.where(k == 0, np.minimum(share, 1) ** self.bend, position)
        return np.sign(f) * position

    def unwarp(self, position: torch.Tensor) -> torch.Tensor:
        """Map positions on the warped axis to frequencies: the inverse of `warp`.

        Parameters
        ----------
        position : torch.Tensor, real
            0 to K - 1, in units of the band spacing.

        Returns
        -------
        torch.Tensor
            Frequencies (Hz), of the same shape. Differentiable.

        Examples
        --------
        >>> bank = variable_q(22050, bins_per_octave=12, gamma_hz=0)
        >>> round(float(bank.unwarp(torch.tensor(47.0))))
        440
        """
        k = position.detach().floor().long().clamp(0, self.n_bands - 2)
        f, width, growth = (
            torch.as_tensor(table, dtype=position.dtype, device=position.device)[k]
            for table in (self.frequencies_hz[:-1], np.diff(self.frequencies_hz), self.growth)
        )
        found = f + width * torch.expm1((position - k) * torch.log1p(growth)) / growth
        if self.fmin_hz > 0:
            # At 0 itself the slope of the root is infinite.
            root = position.clamp(torch.finfo(position.dtype).tiny, 1) ** (1 / self.bend)
            found = torch.where(position < 1, torch.where(position > 0, width * root, 0 * position), found)
        return found

    def window(self, band: int, frequency_hz: np.ndarray) -> np.ndarray:
        r"""Evaluate one band's window, a Hann bell on the warped axis: :math:`\cos^2(\pi d / 2r)` at the distance d.

        It ends r = `overlap` bands to either side.

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
        distance = np.abs(position - band) / self.overlap
        return np.where(distance < 1, 0.5 + 0.5 * np.cos(np.pi * np.minimum(distance, 1)), 0.0)


def variable_q(
    sample_rate: int,
    *,
    bins_per_octave: int = 36,
    gamma_hz: float | Literal["erb"] = 10.0,
    fmin_hz: float | None = None,
    max_hop: int = 256,
    oversampling: float = 1.0,
    overlap: int = 2,
) -> FilterBank:
    r"""Design a filter bank from 0 Hz to the Nyquist frequency: constant-Q, variable-Q, or ERB.

    The distance between neighbouring bands at the frequency f is

    .. math:: \Delta(f) = \frac{\ln 2}{B} f + \gamma

    for B `bins_per_octave` and :math:`\gamma` `gamma_hz`, and each window reaches over `overlap` such distances to
    either side. ``gamma_hz=0`` is **constant-Q**: :math:`f / \Delta` is the same for all bands. ``gamma_hz > 0`` is
    **variable-Q** [2]_: constant-Q far above :math:`\gamma`, equally spaced near zero. ``gamma_hz="erb"`` makes the
    distances proportional to the ear's equivalent rectangular bandwidths, 24.7 Hz + 0.108 f [3]_: :math:`\gamma =
    24.7 / 0.108 \ln 2 / B`, and with 6.4 bands an octave they are equal to them.

    Without a lowest frequency (0, the default for :math:`\gamma > 0`) that holds from 0 Hz on, and B is adjusted by
    a fraction of a band so that the last band is the Nyquist frequency. With one, `fmin_hz` and all bands above it
    are exactly :math:`\Delta` apart (a constant-Q bank's are :math:`f_{min} 2^{k/B}`), and three bands make the bank
    complete: one a step below `fmin_hz`, one at 0 Hz that covers what is below that, and one at the Nyquist
    frequency, half to one and a half steps above the last. Windows that reach below the lower of them run out towards
    0 Hz.

    Parameters
    ----------
    sample_rate : int
        Hz.
    bins_per_octave : int
        Bands in an octave at high frequencies.
    gamma_hz : float or "erb"
        Distance of the bands at 0 Hz; larger sharpens transients and blurs tones.
    fmin_hz : float, optional
        Lowest regular band. By default 32.70 Hz (C1) where `gamma_hz` is 0, and 0 where it is not.
    max_hop : int
        Largest number of samples between two coefficients of a band; a power of two.
    oversampling : float
        At least 1: how much denser than critical each band is sampled.
    overlap : int
        How many bands away, on either side, a window ends: a frequency is in twice as many windows. Windows that
        reach beyond 0 Hz or the Nyquist frequency also hear the mirror images there.

    Returns
    -------
    FilterBank
        The description of the bank.

    Raises
    ------
    BadInput
        If a parameter is out of range, or leaves no band between 0 Hz and the Nyquist frequency.

    References
    ----------
    .. [1] N. Holighaus, M. Doerfler, G. Velasco, T. Grill, "A framework for invertible, real-time constant-Q
       transforms", IEEE TASLP 21(4), 2013.
    .. [2] C. Schoerkhuber, A. Klapuri, N. Holighaus, M. Doerfler, "A Matlab toolbox for efficient perfect
       reconstruction time-frequency transforms with log-frequency resolution", AES 53, 2014.
    .. [3] B. R. Glasberg, B. C. J. Moore, "Derivation of auditory filter shapes from notched-noise data", Hearing
       Research 47, 1990.

    Examples
    --------
    >>> variable_q(22050).n_bands, variable_q(22050, gamma_hz="erb").n_bands
    (162, 203)
    >>> variable_q(22050, bins_per_octave=12, gamma_hz=0).frequencies_hz[[0, 2, 14, 26]].round(1).tolist()
    [0.0, 32.7, 65.4, 130.8]
    """
    a = np.log(2.0) / max(bins_per_octave, 1)
    gamma = _ERB_KNEE_HZ * a if gamma_hz == "erb" else float(gamma_hz)
    fmin = (LOWEST_HZ if gamma == 0 else 0.0) if fmin_hz is None else float(fmin_hz)
    _check(sample_rate, bins_per_octave, gamma, fmin, max_hop, oversampling)
    if not (overlap >= 1 and overlap % 1 == 0):
        raise BadInput(f"overlap must be a whole number of bands, at least 1, got {overlap}")
    overlap = int(overlap)
    nyquist, knee = sample_rate / 2, gamma / a
    if fmin > 0:
        step = float(a)
        # With wide steps the band below would be at a negative frequency, or as good as at zero. At two thirds `bend`
        # is at least 2, and the windows that go on below are smooth.
        lower = fmin * (1 / 2 if overlap == 1 else 2 / 3)
        frequencies = _from_lowest(nyquist, fmin, lower, knee, step)
    else:
        # Stretched a little, so that the last band lies exactly on the Nyquist frequency.
        n_steps = max(2, round(np.log1p(nyquist / knee) / a))
        step = float(np.log1p(nyquist / knee) / n_steps)
        frequencies = knee * np.expm1(step * np.arange(n_steps + 1))
    # Beyond either end the axis is mirrored once. With no more bands a window would reach round to itself.
    if len(frequencies) <= overlap:
        raise BadInput(
            f"overlap {overlap} needs more than {overlap} bands and there are {len(frequencies)}; "
            f"it must be at most {len(frequencies) - 1}"
        )
    edges = _mirrored(frequencies, sample_rate, overlap)
    bandwidths = edges[2 * overlap :] - edges[: -2 * overlap]
    hops = 2 ** np.floor(np.log2(sample_rate / (bandwidths * oversampling))).clip(min=0).astype(int)
    # Bands that reach beyond Nyquist may be narrower than those below them, but are no groups of their own.
    for k in range(len(hops) - overlap, len(hops)):
        hops[k] = min(hops[k - 1], hops[k])
    hops = np.minimum(hops, max_hop)
    return FilterBank(
        sample_rate, bins_per_octave, gamma, float(knee), fmin, step, frequencies, bandwidths, hops, overlap
    )


def _mirrored(frequencies: np.ndarray, sample_rate: int, n: int) -> np.ndarray:
    """Frequencies, and n more on either side, mirrored at 0 Hz and at the Nyquist frequency."""
    return np.concatenate([-frequencies[n:0:-1], frequencies, sample_rate - frequencies[-2 : -2 - n : -1]])


def _from_lowest(nyquist: float, fmin: float, lower: float, knee: float, a: float) -> np.ndarray:
    """Frequencies at exact steps from the lowest one, and the three that make the bank complete."""
    n_steps = max(1, round(np.log((nyquist + knee) / (fmin + knee)) / a))
    regular = (fmin + knee) * np.exp(a * np.arange(n_steps)) - knee
    below = max((fmin + knee) * np.exp(-a) - knee, lower)
    return np.concatenate([[0.0, below], regular, [nyquist]])


def _check(
    sample_rate: int, bins_per_octave: int, gamma: float, fmin: float, max_hop: int, oversampling: float
) -> None:
    if sample_rate < 1000:
        raise BadInput(f"sample_rate must be at least 1000 Hz, got {sample_rate}")
    if not (bins_per_octave >= 1 and 0 <= gamma < np.inf and 0 <= fmin < np.inf and 1 <= oversampling < np.inf):
        raise BadInput(
            "bins_per_octave must be at least 1, gamma_hz and fmin_hz at least 0 and oversampling at least 1, "
            f"got {bins_per_octave}, {gamma}, {fmin} and {oversampling}"
        )
    if max_hop < 1 or max_hop & (max_hop - 1):
        raise BadInput(f"max_hop must be a power of two, got {max_hop}")
    if gamma == 0 and fmin == 0:
        raise BadInput("a constant-Q bank (gamma_hz 0) needs a lowest frequency: fmin_hz must be above 0, got 0")
    a, nyquist = np.log(2.0) / bins_per_octave, sample_rate / 2
    # One step and a half must fit between 0 and Nyquist: ln(1 + a nyquist / gamma) >= 1.5 a; half a step above fmin.
    limit = a * nyquist / np.expm1(1.5 * a)
    if fmin == 0 and gamma > limit:
        raise BadInput(
            f"gamma_hz {gamma:g} leaves no band between 0 and {nyquist:g} Hz, half the sample rate; "
            f"it must be at most {np.floor(limit):g}"
        )
    limit = (nyquist + gamma / a) * np.exp(-a / 2) - gamma / a
    if fmin >= limit:
        raise BadInput(
            f"fmin_hz {fmin:g} leaves no band below {nyquist:g} Hz, half the sample rate; "
            f"it must be at most {np.floor(limit):g}"
        )
