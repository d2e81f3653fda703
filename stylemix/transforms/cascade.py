"""What scattering transforms are made of: band-pass, modulus, low-pass, each at the lowest rate that carries it.

All of it happens on spectra of one padded length. A band is a stretch of the spectrum as wide as the wavelet reaches;
taking the inverse Fourier transform of that stretch alone gives the band at a low rate, turned to zero frequency,
which its modulus does not notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import floor, log2
from typing import Any

import numpy as np
import torch

from stylemix.transforms.morlet import (
    LOWPASS_WIDTH,
    Wavelet,
    gauss_response,
    littlewood_paley,
    morlet_response,
)

# Where a gain has fallen to this share of its largest (-80 dB), the band ends.
_EDGE = 1e-4


class Bank:
    """Wavelets and a low-pass with the rates at which their outputs are sampled.

    Parameters
    ----------
    wavelets : tuple of Wavelet
        From `morlet_bank`.
    scale : int
        J, of the bank's own low-pass.
    tight : bool
        Divide every gain by the root of the Littlewood-Paley sum, so that the bank keeps the energy of real signals.
    """

    def __init__(self, wavelets: tuple[Wavelet, ...], scale: int, *, tight: bool) -> None:
        self.wavelets = wavelets
        self.low_sigma = LOWPASS_WIDTH / 2**scale
        self.tight = tight
        self.edges = tuple(self._edges(i) for i in range(len(wavelets)))
        self._roots = lru_cache(maxsize=2)(self._make_roots)

    def response(self, i: int, frequency: np.ndarray) -> np.ndarray:
        """Evaluate the gain of wavelet `i`, or of the bank's own low-pass for -1.

        Parameters
        ----------
        i : int
            Index of the wavelet.
        frequency : np.ndarray
            Where (cycles per sample).

        Returns
        -------
        np.ndarray
            Real gains.
        """
        gain = gauss_response(frequency, self.low_sigma) if i < 0 else morlet_response(frequency, self.wavelets[i])
        if self.tight:
            gain = gain / np.sqrt(littlewood_paley(frequency, self.wavelets, self.low_sigma))
        return gain

    def gains(self, i: int, bins: np.ndarray, length: int) -> np.ndarray:
        """Evaluate the gain of wavelet `i` at bins of a Fourier transform; as `response`, and faster when tight.

        Parameters
        ----------
        i : int
            Index of the wavelet.
        bins : np.ndarray of int
            Of either sign, at most `length` / 2 from zero.
        length : int
            Of the Fourier transform.

        Returns
        -------
        np.ndarray
            Real gains.
        """
        gain = morlet_response(bins / length, self.wavelets[i])
        return gain / self._roots(length)[np.abs(bins)] if self.tight else gain

    def hops(self, oversampling: float) -> tuple[int, ...]:
        """Choose the hop of each wavelet's output: the largest power of two that holds the band's modulus.

        Parameters
        ----------
        oversampling : float
            At least 1: how much denser than that.

        Returns
        -------
        tuple of int
            One for each wavelet.
        """
        return tuple(largest_hop((high - low) * oversampling) for low, high in self.edges)

    def _make_roots(self, length: int) -> np.ndarray:
        return np.sqrt(littlewood_paley(np.arange(length // 2 + 1) / length, self.wavelets, self.low_sigma))

    def _edges(self, i: int) -> tuple[float, float]:
        """Find where the gain ends on both sides, on a grid finer than the bell."""
        wavelet = self.wavelets[i]
        f = wavelet.xi + wavelet.sigma * np.linspace(-12, 12, 481)
        gain = np.abs(self.response(i, f)) * (np.abs(f - wavelet.xi) < 0.5)
        inside = f[gain > _EDGE * gain.max()]
        return float(inside[0]), float(inside[-1])


def largest_hop(width: float) -> int:
    """Find the largest power of two at which a band of a width can be sampled.

    Parameters
    ----------
    width : float
        Cycles per sample.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> largest_hop(0.2), largest_hop(3.0)
    (4, 1)
    """
    return 2 ** max(0, floor(-log2(width)))


class _Modulus(torch.autograd.Function):
    """The absolute value of complex numbers, whose gradient at zero is zero; three times as fast as `abs`."""

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor) -> torch.Tensor:
        square = torch.view_as_real(z).square()
        modulus = (square[..., 0] + square[..., 1]).sqrt_()
        ctx.save_for_backward(z, modulus)
        return modulus

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        z, modulus = ctx.saved_tensors
        scale = torch.where(modulus > 0, gradients[0] / modulus, torch.zeros_like(modulus))
        return torch.view_as_complex(torch.view_as_real(z) * scale.unsqueeze(-1))


def modulus(z: torch.Tensor) -> torch.Tensor:
    """Take absolute values, differentiable everywhere in practice: at zero the gradient is taken as zero.

    Parameters
    ----------
    z : torch.Tensor, complex
        Any shape.

    Returns
    -------
    torch.Tensor, real
        Same shape.

    Examples
    --------
    >>> modulus(torch.tensor([3 + 4j, 0j])).tolist()
    [5.0, 0.0]
    """
    return _Modulus.apply(z)


@dataclass(frozen=True)
class _Stretch:
    """For some wavelets of equal output rate: where their stretches of the spectrum begin, and the gains there."""

    starts: tuple[int, ...]
    length: int
    gains: torch.Tensor  # (R, 2 * length), each gain twice: for the real and for the imaginary part


class Cascade:
    """Applies banks to signals of one padded length.

    Parameters
    ----------
    length : int
        Padded length of the sound (samples), divisible by twice every hop.
    dtype : torch.dtype
        Of the sound.
    device : torch.device
        Of the sound.
    """

    def __init__(self, length: int, dtype: torch.dtype, device: torch.device) -> None:
        self.length, self.dtype, self.device = length, dtype, device
        self._stretch = lru_cache(maxsize=None)(self._make_stretch)
        self._low = lru_cache(maxsize=None)(self._make_low)

    def band_pass(
        self, spectrum: torch.Tensor, hop_in: int, bank: Bank, which: tuple[int, ...], hop: int
    ) -> torch.Tensor:
        """Filter real signals with wavelets; every row with all of them.

        Parameters
        ----------
        spectrum : torch.Tensor, shape (B, R, n // 2 + 1), complex
            Spectra of real signals.
        hop_in : int
            Their hop: n is `length` / `hop_in`.
        bank : Bank
            The wavelets.
        which : tuple of int
            Which of them.
        hop : int
            Hop of the outputs.

        Returns
        -------
        torch.Tensor, shape (B, R, len(which), length // hop), complex
            Bands, all of one stretch turned down by the same frequency; a modulus does not notice.
        """
        stretch = self._stretch(bank, which, hop_in, hop)
        low = min(0, *stretch.starts)
        high = max(s + stretch.length for s in stretch.starts)
        whole = _unfold(spectrum, self.length // hop_in, low, high)
        parts = torch.stack([whole[..., s - low : s - low + stretch.length] for s in stretch.starts], dim=-2)
        # As real numbers: a product of a complex and a real tensor would make the real one complex first.
        bands = (torch.view_as_real(parts).flatten(-2) * stretch.gains).unflatten(-1, (-1, 2))
        return torch.fft.ifft(torch.view_as_complex(bands))

    def low_pass(self, spectrum: torch.Tensor, hop_in: int, sigma: float, hop: int) -> torch.Tensor:
        """Average real signals with a Gauss window.

        Parameters
        ----------
        spectrum : torch.Tensor, shape (..., n // 2 + 1), complex
            Spectra of real signals.
        hop_in : int
            Their hop.
        sigma : float
            Standard deviation of the gain (cycles per sample).
        hop : int
            Hop of the output, at least `hop_in`.

        Returns
        -------
        torch.Tensor, shape (..., length // hop)
            The averages.
        """
        gains = self._low(sigma, hop_in, hop)
        n = self.length // hop
        kept = spectrum[..., : n // 2 + 1]
        return torch.fft.irfft(kept * gains, n=n)

    def _make_stretch(self, bank: Bank, which: tuple[int, ...], hop_in: int, hop: int) -> _Stretch:
        n, period = self.length // hop, self.length // hop_in
        starts, gains = [], []
        for i in which:
            start = round(sum(bank.edges[i]) / 2 * self.length) - n // 2
            # A sampled signal's spectrum repeats: what lies beyond half its rate is a negative frequency.
            bins = (np.arange(start, start + n) + period // 2) % period - period // 2
            starts.append(start)
            gains.append(bank.gains(i, bins, self.length) * (hop_in / hop))
        table = torch.as_tensor(np.stack(gains).repeat(2, axis=-1), dtype=self.dtype, device=self.device)
        return _Stretch(tuple(starts), n, table)

    def _make_low(self, sigma: float, hop_in: int, hop: int) -> torch.Tensor:
        bins = np.arange(self.length // hop // 2 + 1)
        gains = gauss_response(bins / self.length, sigma) * (hop_in / hop)
        return torch.as_tensor(gains, dtype=self.dtype, device=self.device)


def _unfold(spectrum: torch.Tensor, n: int, low: int, high: int) -> torch.Tensor:
    """Bins `low` to `high` of the spectrum of real signals, from its non-negative half."""
    parts = []
    if low < 0:
        parts.append(spectrum[..., 1 : 1 - low].flip(-1).conj())
    parts.append(spectrum[..., :high])
    if (beyond := high - (n // 2 + 1)) > 0:
        # Bin n/2 + m is the mirror image of bin n/2 - m.
        parts.append(spectrum[..., n // 2 - beyond : n // 2].flip(-1).conj())
    return torch.cat(parts, dim=-1) if len(parts) > 1 else parts[0]
