"""Scattering along log-frequency: bands that are neighbours in pitch, filtered together, up and down apart."""

from __future__ import annotations

from functools import lru_cache
from math import log, sqrt
from typing import Any, Literal

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.transforms.cascade import largest_hop, modulus
from stylemix.transforms.morlet import LOWPASS_WIDTH, gauss_response
from stylemix.transforms.quefrency import QuefrencyBank, filter_matrix

# Where an impulse response or a gain has fallen to this share of its largest value (-80 dB), it ends.
_END = 1e-4
# Frames that are worked on at once by a processor: what they need fits its cache.
_TOGETHER = 2048


class _SpinModuli(torch.autograd.Function):
    """From A = Re(W) Y and B = Im(W) Y for complex W to the moduli of W Y and conj(W) Y: both spins from one product.

    They are A + iB and A - iB. Input (..., 2R, 2, N): A above B, real and imaginary parts side by side, so that all
    arithmetic runs along contiguous time; output (..., 2, R, N). The gradient at zero is taken as zero.
    """

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor) -> torch.Tensor:
        a, b = z.chunk(2, dim=-3)
        (ar, ai), (br, bi) = a.unbind(-2), b.unbind(-2)
        up = (ar - bi).square_() + (ai + br).square_()
        down = (ar + bi).square_() + (ai - br).square_()
        moduli = torch.stack([up, down], dim=-3).sqrt_()
        ctx.save_for_backward(z, moduli)
        return moduli

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        z, moduli = ctx.saved_tensors
        a, b = z.chunk(2, dim=-3)
        scale = torch.where(moduli > 0, gradients[0] / moduli, torch.zeros_like(moduli)).unsqueeze(-2)
        up, down = scale.unbind(-4)
        turned = torch.stack([-b[..., 1, :], b[..., 0, :]], dim=-2)
        up, down = up * (a + turned), down * (a - turned)
        # B enters as iB, whose adjoint turns back by -i.
        difference = up - down
        return torch.cat([up + down, torch.stack([difference[..., 1, :], -difference[..., 0, :]], dim=-2)], dim=-3)


class LogFrequency:
    r"""Convolutions along log-frequency, moduli, and their average over neighbouring bands.

    For filters :math:`\psi` of a `QuefrencyBank` and bands :math:`Y(t, \lambda)`:
    :math:`|Y * \psi| * \phi_F` along :math:`\lambda`. Beyond the first and the last band there are zeros: no energy
    lies above the Nyquist frequency.

    Parameters
    ----------
    bank : QuefrencyBank
        The filters.
    n_bands : int
        Number of bands there are.
    F : float or "global"
        Length of the average (bands); 0: none; "global": over all bands.
    oversampling : float
        At least 1: how much denser than critical the moduli are sampled along log-frequency.
    tight : bool
        Whether the bank keeps energy; then real signals' wavelets, of which one spin says all, count twice.

    Raises
    ------
    BadInput
        If the average is longer than there are bands, or shorter than one.

    Examples
    --------
    >>> from stylemix.transforms.quefrency import quefrency_bank
    >>> bank = quefrency_bank(32, scale=3, per_octave=1, n_padded=96, tight=False)
    >>> waves = torch.exp(2j * torch.pi * 0.175 * torch.arange(32))[None, :, None]  # along the bands, in one moment
    >>> LogFrequency(bank, 32, F="global").spin_moduli(waves)[0, :, 0].argmax().item()  # the second filter of spin 1
    2
    """

    def __init__(
        self,
        bank: QuefrencyBank,
        n_bands: int,
        *,
        F: float | Literal["global"],
        oversampling: float = 1.0,
        tight: bool = False,
    ) -> None:
        if F != "global" and not (isinstance(F, (int, float)) and (F == 0 or 1 <= F <= n_bands)):
            raise BadInput(
                f"F must be 0 (no average), from 1 to {n_bands} (all bands) or 'global', got {F!r}; "
                "for more than all bands take F='global'"
            )
        self.bank, self.n_bands, self.F, self.tight = bank, n_bands, F, tight
        self.oversampling = oversampling
        self._weights = lru_cache(maxsize=None)(self._make_weights)
        self._average = lru_cache(maxsize=None)(self._make_average)

    @property
    def n_filters(self) -> int:
        """Number of filters: the low-pass and the wavelets of both spins."""
        return len(self.bank.j)

    def step(self, n_fr: int) -> int:
        """Bands between the outputs of a filter.

        Parameters
        ----------
        n_fr : int
            Index of the filter.

        Returns
        -------
        int
            A power of two, common to all filters with a local average; the number of bands for a global one.
        """
        if self.F == "global":
            return self.n_bands
        return largest_hop(self.oversampling / self.F) if self.F else self._inner_step(n_fr)

    def positions(self, n_fr: int, n_in: int) -> np.ndarray:
        """Say where the outputs of a filter lie.

        Parameters
        ----------
        n_fr : int
            Index of the filter.
        n_in : int
            Number of input bands.

        Returns
        -------
        np.ndarray of int
            Indices of bands; of a global average the one number 0.
        """
        return np.arange(0, n_in, max(n_in, 1) if self.F == "global" else self.step(n_fr))

    def spin_moduli(self, bands: torch.Tensor) -> torch.Tensor:
        """Scatter complex bands.

        Parameters
        ----------
        bands : torch.Tensor, shape (B, n_in, N), complex
            Neighbouring bands, of falling frequency.

        Returns
        -------
        torch.Tensor, shape (B, R, N)
            The averages of the moduli of all filters, one after the other.
        """
        together = max(64, _TOGETHER // len(bands)) if bands.device.type == "cpu" else bands.shape[-1]
        return torch.cat([self._spin_moduli(some) for some in bands.split(together, dim=-1)], dim=-1)

    def _spin_moduli(self, bands: torch.Tensor) -> torch.Tensor:
        n_in, n = bands.shape[-2:]
        pairs = torch.cat([bands.real, bands.imag], dim=-1)
        low, ups, downs = [], [], []
        for k in range(len(self.bank.wavelets) + 1):
            z = (self._weights(k, n_in, pairs.dtype, pairs.device) @ pairs).unflatten(-1, (2, n))
            average = self._average(k, n_in, pairs.dtype, pairs.device)
            moduli = modulus(torch.complex(*z.unbind(-2))) if k == 0 else _SpinModuli.apply(z)
            moduli = moduli if average is None else average @ moduli
            if k == 0:
                low.append(moduli)
            else:
                up, down = moduli.unbind(-3)
                ups.append(up)
                downs.append(down)
        return torch.cat(low + ups + downs, dim=-2)

    def moduli(self, bands: torch.Tensor) -> list[torch.Tensor]:
        """Scatter real bands, for which wavelets of opposite spin give the same.

        Parameters
        ----------
        bands : torch.Tensor, shape (B, n_in, N)
            Neighbouring bands, of falling frequency.

        Returns
        -------
        list of torch.Tensor, each (B, R, N)
            For the low-pass and the wavelets of spin 1, the averages of their moduli.
        """
        n_in, found = bands.shape[-2], []
        for k in range(len(self.bank.wavelets) + 1):
            z = self._weights(k, n_in, bands.dtype, bands.device) @ bands
            if k:
                z = modulus(torch.complex(*(sqrt(2) * z if self.tight else z).chunk(2, dim=-2)))
            average = self._average(k, n_in, bands.dtype, bands.device)
            found.append(z if average is None else average @ z)
        return found

    def smooth(self, bands: torch.Tensor) -> torch.Tensor:
        """Average bands over their neighbours, as far as any filter or average here reaches.

        Parameters
        ----------
        bands : torch.Tensor, shape (B, n_bands, N)
            All bands.

        Returns
        -------
        torch.Tensor, shape (B, n_bands, N), or (B, 1, N) for a global average
            Each weighted with the Gauss window of the longest filter or of the average, whichever is longer.
        """
        if self.F == "global":
            return bands.mean(-2, keepdim=True)
        sigma = min(self.bank.low_sigma, LOWPASS_WIDTH / self.F if self.F else 1.0)
        everywhere = np.arange(self.n_bands)
        matrix = filter_matrix(self._gauss(sigma), everywhere, everywhere)
        return torch.as_tensor(matrix, dtype=bands.dtype, device=bands.device) @ bands

    def _inner_step(self, k: int) -> int:
        """Bands between the moduli of a filter, before their average."""
        if self.F == 0:
            return largest_hop(self.oversampling / 2.0 ** int(self.bank.j[k]))
        # Of what is averaged only the modulus matters, which does not notice where the filter lies, but how wide it is.
        own = largest_hop(self.oversampling * 2 * sqrt(2 * log(1 / _END)) * self.bank.sigma[k])
        return own if self.F == "global" else min(own, self.step(k))

    def _smooth_enough(self, k: int) -> bool:
        """Whether a filter's moduli need no average: none is wanted, or the low-pass is one already."""
        return self.F == 0 or (k == 0 and self.F != "global" and 2.0**self.bank.low_j >= float(self.F))

    def _inner_positions(self, k: int, n_in: int) -> np.ndarray:
        """Where a filter's moduli are taken: for an average also beyond the bands, as far as the filter reaches."""
        if self._smooth_enough(k):
            return self.positions(k, n_in)
        step, size = self._inner_step(k), np.abs(self.bank.kernel(k))
        lags = np.abs(np.fft.fftfreq(len(size), 1 / len(size)))
        reach = int(lags[size > _END * size.max()].max())
        first, stop = -(reach // step) * step, n_in + reach
        # No further than once around the axis.
        return np.arange(first, min(stop, first + self.bank.n_padded), step)

    def _make_weights(self, k: int, n_in: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        """Matrix of a filter, (R, n_in); of a wavelet its real above its imaginary part, (2R, n_in)."""
        matrix = filter_matrix(self.bank.kernel(k), self._inner_positions(k, n_in), np.arange(n_in))
        parts = [matrix.real] if k == 0 else [matrix.real, matrix.imag]
        return torch.as_tensor(np.concatenate(parts), dtype=dtype, device=device)

    def _make_average(self, k: int, n_in: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor | None:
        """Matrix from a filter's moduli to their averages."""
        if self._smooth_enough(k):
            return None
        inner, step = self._inner_positions(k, n_in), self._inner_step(k)
        if self.F == "global":
            # The mean over the bands; what leaks beyond the ends counts too, so that transposition changes nothing.
            matrix = np.full((1, len(inner)), 1 / n_in)
        else:
            matrix = filter_matrix(self._gauss(LOWPASS_WIDTH / float(self.F)), self.positions(k, n_in), inner)
        return torch.as_tensor(step * matrix, dtype=dtype, device=device)

    def _gauss(self, sigma: float) -> np.ndarray:
        return np.fft.ifft(gauss_response(np.fft.fftfreq(self.bank.n_padded), sigma)).real
