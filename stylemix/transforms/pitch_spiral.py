"""Wavelets on the pitch spiral: along log-frequency and across octaves, multiplied.

Rolled up so that one turn is an octave, the bands of a constant-Q bank have two kinds of neighbours: the next band
along the spiral, and the same pitch class one turn further out.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log2

import numpy as np

from stylemix.errors import BadInput
from stylemix.transforms.morlet import LOWPASS_WIDTH, Wavelet, decay
from stylemix.transforms.quefrency import QuefrencyBank, quefrency_bank

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


def spiral_bank(
    n_bands: int, per_octave: int, *, J_fr: int | None, Q_fr: int, J_oct: int, tight: bool
) -> SpiralBank:
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
    half = [(0, 0), *((b, g) for b in up for g in range(len(octave.xi))),
            *((0, g) for g in range(1, len(octave.wavelets) + 1))]
    responses = np.stack([_gain(chroma, b) * np.tile(_gain(octave, g), per_octave) for b, g in half])
    # Each product is sampled along log-frequency as its filter there may be; octaves are too few to leave any out.
    widths = [Wavelet(float(chroma.xi[b]), float(chroma.sigma[b])) for b, _ in half[1:]]
    # The longest low-pass is the one across octaves.
    product = QuefrencyBank(
        tuple(widths), octave.low_sigma / per_octave, chroma.low_j, chroma.n_padded, responses
    )
    return product, (*half, *((_opposite(chroma, b), _opposite(octave, g)) for b, g in half[1:]))


def _gain(bank: QuefrencyBank, index: int) -> np.ndarray:
    """Gains of any filter of a bank, also of the mirrored ones."""
    n = len(bank.wavelets)
    return bank.responses[index] if index <= n else np.roll(bank.responses[index - n][::-1], 1)


def _opposite(bank: QuefrencyBank, index: int) -> int:
    """Filter of opposite spin; the low-pass is its own."""
    n = len(bank.wavelets)
    return 0 if index == 0 else index + n if index <= n else index - n
