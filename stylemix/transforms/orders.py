"""The two layers of wavelets and moduli that time, joint and spiral scattering have in common."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log, sqrt

import numpy as np
import torch

from stylemix.transforms.cascade import Bank, Cascade, largest_hop, modulus
from stylemix.transforms.coefficients import pick
from stylemix.transforms.morlet import LOWPASS_WIDTH, decay, morlet_bank

# Wavelets of one or two an octave are far from even, and so are the spectra of their moduli: at the rate that their
# own reach asks for, what folds back is 1.3e-3 of the second order (white noise); at this much more, 6e-4.
_SECOND = 1.3


@dataclass(frozen=True)
class Moduli:
    """Envelopes of first-order bands that share a rate, and their spectra.

    Parameters
    ----------
    rows : tuple of int
        Index n1 of each band's wavelet, rising.
    hop : int
        Samples of the sound between their samples.
    values : torch.Tensor, shape (B, R, L // hop)
        The envelopes.
    spectrum : torch.Tensor, shape (B, R, L // hop // 2 + 1), complex
        Their Fourier transforms.
    """

    rows: tuple[int, ...]
    hop: int
    values: torch.Tensor
    spectrum: torch.Tensor


class Orders:
    """Two banks of wavelets, the rates of their outputs, and which of the second follow which of the first.

    Parameters
    ----------
    J : int
        Largest scale.
    Q : tuple of int
        Wavelets an octave of each bank; one bank alone gives the first order alone.
    tight : bool
        Whether each layer keeps the energy of its input.
    oversampling : float
        How much denser than critical the bands are sampled.
    max_hop : int, optional
        Largest hop of any band.
    """

    def __init__(self, J: int, Q: tuple[int, ...], *, tight: bool, oversampling: float, max_hop: int | None) -> None:
        self.banks: tuple[Bank, ...] = tuple(Bank(morlet_bank(J, q), J, tight=tight) for q in Q)
        self.J = J
        limit = max_hop or 2**J
        first = [min(bank_hop, limit) for bank_hop in self.banks[0].hops(oversampling)]
        if len(Q) > 1:
            # The fastest of the envelope's bands, with j2 = j1 + 1, ends below 1 / 2**(j1 + 2): twice that is enough.
            caps = [largest_hop(oversampling / 2 ** (w.j + 1)) for w in self.banks[0].wavelets]
            first = [min(hop, cap) for hop, cap in zip(first, caps, strict=True)]
        self.hops: tuple[tuple[int, ...], ...] = (tuple(first),)
        for bank in self.banks[1:]:
            hops = [min(hop, limit) for hop in bank.hops(_SECOND * oversampling)]
            # Of an envelope no more can be taken than it holds.
            self.hops += (tuple(max([hop, *(first[n1] for n1 in self.first_of(n2))]) for n2, hop in enumerate(hops)),)
        self.cascade = lru_cache(maxsize=4)(Cascade)

    @property
    def largest_hop(self) -> int:
        """Largest hop of a band (samples)."""
        return max(max(hops) for hops in self.hops)

    def margin(self, *low_pass_widths: float) -> int:
        """Samples after which all filters, one after the other, have fallen below -80 dB.

        Parameters
        ----------
        *low_pass_widths : float
            Standard deviations of low-passes that follow (cycles per sample).

        Returns
        -------
        int
            Of bells that follow one another the variances add up.
        """
        own = decay(LOWPASS_WIDTH / 2**self.J) * sqrt(len(self.banks))
        return ceil(float(np.hypot(own, sum(decay(w) for w in low_pass_widths))))

    def first_order(self, x: torch.Tensor) -> list[Moduli]:
        """Take the envelopes of the first-order bands.

        Parameters
        ----------
        x : torch.Tensor, shape (B, L)
            Padded sound; L is divisible by twice every hop.

        Returns
        -------
        list of Moduli
            By rising hop.
        """
        cascade = self.cascade(x.shape[-1], x.dtype, x.device)
        spectrum = torch.fft.rfft(x).unsqueeze(-2)
        found = []
        for hop in sorted(set(self.hops[0])):
            rows = tuple(i for i, h in enumerate(self.hops[0]) if h == hop)
            values = modulus(cascade.band_pass(spectrum, 1, self.banks[0], rows, hop)).squeeze(-3)
            found.append(Moduli(rows, hop, values, torch.fft.rfft(values)))
        return found

    def second_bands(self, first: list[Moduli], n2: int, length: int) -> torch.Tensor:
        """Filter the envelopes that one second-order wavelet is applied to.

        Parameters
        ----------
        first : list of Moduli
            From `first_order`.
        n2 : int
            Index of the second-order wavelet.
        length : int
            L of the padded sound.

        Returns
        -------
        torch.Tensor, shape (B, R, L // hop), complex
            The bands of the envelopes n1 in `first_of`, at the hop of the wavelet, all turned down by the same
            frequency.
        """
        wanted = set(self.first_of(n2))
        cascade = self.cascade(length, first[0].values.dtype, first[0].values.device)
        bands: dict[int, torch.Tensor] = {}
        for moduli in first:
            here = [k for k, n1 in enumerate(moduli.rows) if n1 in wanted]
            if here:
                some = moduli.spectrum[:, here[0] : here[-1] + 1]
                bands[moduli.rows[here[0]]] = cascade.band_pass(
                    some, moduli.hop, self.banks[1], (n2,), self.hops[1][n2]
                ).squeeze(-2)
        return torch.cat([bands[n1] for n1 in sorted(bands)], dim=-2)

    def first_of(self, n2: int) -> range:
        """Tell which envelopes a second-order wavelet is applied to: those of wavelets with j1 < j2.

        Parameters
        ----------
        n2 : int
            Index of the second-order wavelet.

        Returns
        -------
        range
            Indices n1.
        """
        j2 = self.banks[1].wavelets[n2].j
        return range(sum(wavelet.j < j2 for wavelet in self.banks[0].wavelets))

    def name_wavelets(self, n: np.ndarray, sample_rate: int) -> dict[str, np.ndarray]:
        """Look up what is known of the wavelets of each row.

        Parameters
        ----------
        n : np.ndarray, shape (P, 2)
            Index of the first and of the second wavelet; NaN for none.
        sample_rate : int
            Hz.

        Returns
        -------
        dict of str to np.ndarray, shape (P, 2)
            ``j`` (scale), ``xi`` and ``sigma`` (cycles per sample), ``frequency_hz`` and ``bandwidth_hz`` (between the
            points of half power).
        """
        table = {}
        for key in ("j", "xi", "sigma"):
            of_banks = [np.array([getattr(w, key) for w in bank.wavelets]) for bank in self.banks]
            columns = [pick(values, column) for values, column in zip(of_banks, n.T, strict=False)]
            table[key] = np.stack(columns + [np.full(len(n), np.nan)] * (2 - len(columns)), axis=-1)
        # A bell has half of its power where its gain is the root of a half: sqrt(ln 2) deviations from its middle.
        width = 2 * sqrt(log(2)) * sample_rate
        return table | {"frequency_hz": table["xi"] * sample_rate, "bandwidth_hz": table["sigma"] * width}
