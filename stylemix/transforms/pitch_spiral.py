"""Wavelets on the pitch spiral: along log-frequency and across octaves, multiplied.

Rolled up so that one turn is an octave, the bands of a constant-Q bank have two kinds of neighbours: the next band
along the spiral, and the same pitch class one turn further out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor, log2
from typing import Literal

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.transforms.cascade import largest_hop
from stylemix.transforms.log_frequency import LogFrequency
from stylemix.transforms.morlet import LOWPASS_WIDTH, Wavelet, decay, gauss_response
from stylemix.transforms.quefrency import QuefrencyBank, filter_matrix, quefrency_bank

# Fewer turns are no spiral: a wavelet across octaves needs a peak and a trough.
MIN_OCTAVES = 3
# Where the longest low-passes have fallen to this share, the zeros after the last band may end.
_WRAP = 1e-6


@dataclass(frozen=True)
class SpiralBank:
    r"""All products of a filter along log-frequency and a filter across octaves.

    Bands are numbered as the first-order wavelets are, from the highest frequency down: band
    :math:`n = q + Q o` has chroma q and octave o. A filter h along log-frequency followed by a filter g across
    octaves is

    .. math:: W(q + Q o) = \sum_k g(k) \sum_m h(m) \, Y(q + Q (o - k) - m)

    so folding the axis, filtering across the octaves and unfolding it again is one convolution on the unfolded axis,
    with `h` and with `g` spread out to every Q-th band. Spreading repeats a spectrum:
    :math:`\hat W(f) = \hat h(f) \, \hat g(Q f) \, \hat Y(f)`, with f in cycles per band and Qf in cycles per octave.
    Two tight banks therefore make a tight one: the sum over all products is
    :math:`\sum |\hat h(f)|^2 \sum |\hat g(Qf)|^2 = 1`.

    Parameters
    ----------
    per_octave : int
        Q: bands to a turn.
    chroma : QuefrencyBank
        Along log-frequency (cycles per band).
    octave : QuefrencyBank
        Across octaves (cycles per octave).
    product : QuefrencyBank
        The products, one of every two that are each other's conjugates; its filter k is the product of the pair
        ``pairs[k]``.
    pairs : tuple of (int, int)
        Filter of `chroma` and filter of `octave` of each product: the two low-passes, then K pairs, then the K
        pairs of both opposite spins.
    """

    per_octave: int
    chroma: QuefrencyBank
    octave: QuefrencyBank
    product: QuefrencyBank
    pairs: tuple[tuple[int, int], ...]


def spiral_bank(n_bands: int, per_octave: int, *, J_fr: int | None, Q_fr: int, J_oct: int, tight: bool) -> SpiralBank:
    r"""Design the wavelets of a spiral.

    Parameters
    ----------
    n_bands : int
        Number of bands of constant Q.
    per_octave : int
        Q of them to an octave.
    J_fr : int, optional
        The longest wavelet along log-frequency reaches over about ``2**J_fr`` bands. By default the largest for which
        the slowest wavelet, of :math:`0.35 \, Q \, 2^{-J_{fr}}` cycles per octave, still turns once within an octave:
        whatever varies more slowly than that does so across octaves, below half a cycle per octave, and belongs to
        their wavelets.
    Q_fr : int
        Wavelets along log-frequency to an octave of quefrency.
    J_oct : int
        The longest wavelet across octaves has a period of :math:`2^{J_{oct}} / 0.35` octaves.
    tight : bool
        Whether the products together keep the energy of every signal along the spiral.

    Returns
    -------
    SpiralBank
        The products of all filters with all filters.

    Raises
    ------
    BadInput
        If there are fewer than three whole octaves, or wavelets longer than the axis.

    References
    ----------
    .. [1] V. Lostanlen, S. Mallat, "Wavelet scattering on the pitch spiral", DAFx 2015.

    Examples
    --------
    >>> bank = spiral_bank(100, 12, J_fr=None, Q_fr=1, J_oct=1, tight=True)
    >>> (bank.chroma.xi * 12).round(2).tolist()
    [0.0, 4.2, 2.1, 1.05, -4.2, -2.1, -1.05]
    >>> bank.octave.xi.round(3).tolist(), len(bank.pairs)
    ([0.0, 0.35, 0.175, -0.35, -0.175], 35)
    """
    n_octaves = n_bands // per_octave
    if n_octaves < MIN_OCTAVES:
        raise BadInput(
            f"SpiralScattering: {n_bands} bands of constant Q at Q={per_octave} are {n_octaves} whole octaves, and "
            f"wavelets across octaves need at least {MIN_OCTAVES}; raise J or lower Q"
        )
    if J_oct < 1 or int(J_oct) != J_oct or 2**J_oct > n_octaves:
        raise BadInput(
            f"SpiralScattering: J_oct must be a whole number from 1 to {floor(log2(n_octaves))}, for its longest "
            f"wavelet reaches over 2**J_oct of the {n_octaves} whole octaves, got {J_oct}; lower J_oct or raise J"
        )
    if J_fr is None:
        J_fr = max(1, floor(log2(0.35 * per_octave)))
    reach = decay(LOWPASS_WIDTH / 2**J_fr, _WRAP) / per_octave + decay(LOWPASS_WIDTH / 2**J_oct, _WRAP)
    padded = ceil(n_bands / per_octave) + ceil(reach)
    chroma = quefrency_bank(n_bands, scale=J_fr, per_octave=Q_fr, n_padded=padded * per_octave, tight=tight)
    octave = quefrency_bank(n_bands, scale=J_oct, per_octave=1, n_padded=padded, tight=tight)
    return SpiralBank(per_octave, chroma, octave, *_products(chroma, octave, per_octave))


def _products(
    chroma: QuefrencyBank, octave: QuefrencyBank, per_octave: int
) -> tuple[QuefrencyBank, tuple[tuple[int, int], ...]]:
    up = range(1, len(chroma.wavelets) + 1)
    half = [
        (0, 0),
        *((b, g) for b in up for g in range(len(octave.xi))),
        *((0, g) for g in range(1, len(octave.wavelets) + 1)),
    ]
    responses = np.stack([_gain(chroma, b) * np.tile(_gain(octave, g), per_octave) for b, g in half])
    # Each product is sampled along log-frequency as its filter there may be; octaves are too few to leave any out.
    widths = [Wavelet(float(chroma.xi[b]), float(chroma.sigma[b])) for b, _ in half[1:]]
    # The longest low-pass is the one across octaves.
    product = QuefrencyBank(tuple(widths), octave.low_sigma / per_octave, chroma.low_j, chroma.n_padded, responses)
    return product, (*half, *((_opposite(chroma, b), _opposite(octave, g)) for b, g in half[1:]))


def _gain(bank: QuefrencyBank, index: int) -> np.ndarray:
    """Gains of any filter of a bank, also of the mirrored ones."""
    n = len(bank.wavelets)
    return bank.responses[index] if index <= n else np.roll(bank.responses[index - n][::-1], 1)


def _opposite(bank: QuefrencyBank, index: int) -> int:
    """Filter of opposite spin; the low-pass is its own."""
    n = len(bank.wavelets)
    return 0 if index == 0 else index + n if index <= n else index - n


class PitchSpiral:
    r"""Applies a `SpiralBank` to bands, and averages over neighbouring bands what comes out.

    Parameters
    ----------
    bank : SpiralBank
        The filters.
    n_bands : int
        Number of bands there are.
    F : float or "global"
        Length of the average along log-frequency (bands); 0: none; "global": over all bands.
    oversampling : float
        At least 1: how much denser than critical the outputs are sampled along log-frequency.

    Raises
    ------
    BadInput
        If the average is longer than there are bands, or shorter than one.
    """

    def __init__(self, bank: SpiralBank, n_bands: int, *, F: float | Literal["global"], oversampling: float) -> None:
        if F != "global" and not (isinstance(F, (int, float)) and (F == 0 or 1 <= F <= n_bands)):
            raise BadInput(
                f"SpiralScattering: F must be 0 (no average), from 1 to {n_bands} bands or 'global', got {F!r}; "
                "for more than all bands take F='global'"
            )
        self.bank, self.n_bands, self.F, self.oversampling = bank, n_bands, F, oversampling
        self._filters = LogFrequency(bank.product, n_bands, F=0, oversampling=oversampling)
        self._weights = lru_cache(maxsize=None)(self._make_weights)

    def step(self, k: int) -> int:
        """Bands between the outputs of a filter.

        Parameters
        ----------
        k : int
            Index of the product.

        Returns
        -------
        int
            A power of two; the number of bands for a global average.
        """
        if self.F == "global":
            return self.n_bands
        own = self._filters.step(k)
        return max(own, largest_hop(self.oversampling / float(self.F))) if self.F else own

    def positions(self, k: int, n_in: int) -> range:
        """Say where the outputs of a filter lie.

        Parameters
        ----------
        k : int
            Index of the product.
        n_in : int
            Number of input bands.

        Returns
        -------
        range
            Indices of bands; of a global average the one number 0.
        """
        return range(0, n_in, self.step(k))

    def moduli(self, bands: torch.Tensor) -> torch.Tensor:
        """Filter complex bands along the spiral and take moduli.

        Parameters
        ----------
        bands : torch.Tensor, shape (B, n_in, N), complex
            The first bands of the spiral, of falling frequency.

        Returns
        -------
        torch.Tensor, shape (B, R, N)
            Of all products of filters, one after the other.
        """
        return self._filters.spin_moduli(bands)

    def average(self, moduli: torch.Tensor, n_in: int) -> torch.Tensor:
        """Average moduli over the bands around, as far as there are any.

        Parameters
        ----------
        moduli : torch.Tensor, shape (B, R, N)
            From `moduli`, as they are or averaged in time.
        n_in : int
            Number of bands that they came from.

        Returns
        -------
        torch.Tensor, shape (B, R', N)
            At the `positions` of each product.
        """
        if not self.F:
            return moduli
        parts = moduli.split([len(self._filters.positions(k, n_in)) for k in range(len(self.bank.pairs))], dim=-2)
        return torch.cat([self._weights(k, n_in, m.dtype, m.device) @ m for k, m in enumerate(parts)], dim=-2)

    def around(self, envelopes: torch.Tensor) -> torch.Tensor:
        """Average all bands over the octaves that the longest filter reaches.

        Parameters
        ----------
        envelopes : torch.Tensor, shape (..., n_bands, N)
            All bands.

        Returns
        -------
        torch.Tensor, shape (..., n_bands, N), or (..., 1, N) for a global average
            The averages.
        """
        return envelopes.mean(-2, keepdim=True) if self.F == "global" else self._filters.smooth(envelopes)

    def _make_weights(self, k: int, n_in: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        """Matrix from the moduli of a filter to their averages."""
        inner, step = self._filters.positions(k, n_in), self._filters.step(k)
        if self.F == "global":
            matrix = np.full((1, len(inner)), 1 / len(inner))
        else:
            gains = gauss_response(np.fft.fftfreq(self.bank.product.n_padded), LOWPASS_WIDTH / float(self.F))
            matrix = step * filter_matrix(np.fft.ifft(gains).real, np.array(self.positions(k, n_in)), inner)
        return torch.as_tensor(matrix, dtype=dtype, device=device)
