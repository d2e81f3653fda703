"""Spiral scattering: how pitch classes glide and how spectral envelopes move through the octaves, told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.transforms.cascade import largest_hop
from stylemix.transforms.coefficients import Coefficients, check_sound, pick
from stylemix.transforms.framing import Framing, in_pieces
from stylemix.transforms.limits import FLOOR, check_length, check_options
from stylemix.transforms.morlet import LOWPASS_WIDTH
from stylemix.transforms.orders import Orders
from stylemix.transforms.pitch_spiral import PitchSpiral, spiral_bank


@dataclass(frozen=True)
class _Turns:
    """Rows that one filter gives: in order 2, what one triple of wavelets says at every place of the spiral."""

    order: int
    n2: int  # -1 where there is no second wavelet in time
    product: int  # index of the filter along the spiral; -1 where there is none
    bands: tuple[int, ...]  # index n1 of each row


class SpiralScattering:
    r"""Scattering on the pitch spiral: over time, along log-frequency and across octaves.

    .. math:: S_2 x(t, \lambda; \alpha, \beta, \gamma) =
              |X *^t \psi_\alpha *^{\log\lambda} \psi_\beta *^{oct} \psi_\gamma| *^t \phi_T

    with the envelopes :math:`X(t, \lambda) = |x * \psi_\lambda|` of the first order [1]_ [2]_. Orders 0 and 1 are
    those of `TimeScattering`. Joint scattering hears a partial glide. For an envelope that climbs over partials an
    octave apart it needs wavelets longer than an octave, and those blur the pitch classes. On the spiral the next
    octave of a pitch class is its neighbour, and both are heard at once.

    **Axes and signs.** Bands fall in frequency, as in kymatio: band :math:`n = q + Q o` has frequency
    :math:`f_0 2^{-n/Q}`, chroma q (steps of 1/Q octave below the highest band's pitch class) and octave o (turns below
    the highest). :math:`\beta` is in cycles per octave along log-frequency, :math:`\gamma` in cycles per octave
    across octaves, both along this axis; the rate :math:`\alpha` (Hz) is positive. Let harmonics glide with v octaves
    a second under an envelope that climbs with h: with u the octaves below the highest band, the envelopes look like
    :math:`p(u + vt) E(u + ht)`, p of period one and E smooth. A Fourier component of each,
    :math:`e^{2 \pi i \beta (u + vt)} e^{2 \pi i \gamma (u + ht)}`, varies in time at the rate

    .. math:: \alpha = \beta v + \gamma h

    so with :math:`\alpha > 0`, **positive signs rise**: at :math:`\gamma = 0` the pitch classes do, with
    :math:`v = \alpha / \beta` octaves a second, and at :math:`\beta = 0` the envelope, with
    :math:`h = \alpha / \gamma`. In the paper log-frequency rises along the axis, which turns both signs: there
    :math:`\alpha + \beta v + \gamma h = 0`.

    **Conventions.** Only the bands of constant Q take part in order 2; the ``Q - 1`` evenly spaced ones below them
    (see `morlet_bank`) lie on no spiral and are left to order 1. Before the first and after the last band there are
    zeros, and a rate :math:`\alpha` leaves only the envelopes that can hold it (j1 < j2, as in `TimeScattering`): the
    others are zeros too, so fast rates see few octaves. Wavelets on both axes of the spiral are Morlet's of both
    spins with a Gauss low-pass (:math:`\beta = 0`, :math:`\gamma = 0`), and all products of them are taken. Along
    log-frequency the axis is the unrolled spiral, not one closed circle: a wavelet goes on into the next octave. See
    `SpiralBank` for how both convolutions are one. scattering.m [3]_, the authors' MATLAB toolbox, differs: it has
    Gammatone wavelets in time, finite differences of unsigned :math:`\gamma` across octaves unless asked for Morlet's,
    rolls the axis up without centring, and pads both axes to powers of two.

    Parameters
    ----------
    sample_rate : int
        Hz.
    J : int
        The longest wavelets in time last about ``2**J`` samples.
    Q : int or tuple of two int
        Wavelets an octave in the first and in the second order (1, if only one number is given).
    T : None, float or "global"
        Length of the average in time (samples): by default ``2**J``; 0: none, and the moduli are returned;
        "global": the whole sound.
    J_fr : int, optional
        The longest wavelets along log-frequency reach over about ``2**J_fr`` bands; by default as long as they turn
        once within an octave, see `spiral_bank`.
    Q_fr : int
        Wavelets along log-frequency to an octave of quefrency.
    J_oct : int
        The longest wavelets across octaves have a period of ``2**J_oct / 0.35`` octaves.
    F : float or "global"
        Length of the average along log-frequency (bands): by default 0, none; "global": all bands.
    oversampling : float
        At least 1: how much denser than critical all is sampled, in time and along log-frequency.
    scaling : {"l1", "tight"}
        "l1": every filter's absolute values add up to one. "tight": each layer keeps the energy of its input; an
        order-2 row counts ``hop * step`` times, see `meta`.
    log : bool
        Return natural logarithms, of the coefficients plus 1e-6.
    renormalize : bool
        Divide order 1 by the local mean of ``|x|``, and order 2 by order 1 averaged over the octaves that the longest
        filter reaches, so that loudness and spectrum do not count again.
    pad : {"reflect", "zero"}
        What lies beyond the ends of the sound.

    Raises
    ------
    BadInput
        If a parameter is out of range, or the bands of constant Q are fewer than three octaves.

    References
    ----------
    .. [1] V. Lostanlen, S. Mallat, "Wavelet scattering on the pitch spiral", DAFx 2015, arXiv:1601.00287.
    .. [2] V. Lostanlen, "Convolutional operators in the time-frequency domain", PhD thesis, ENS Paris, 2017, ch. 5.
    .. [3] V. Lostanlen, scattering.m, https://github.com/lostanlen/scattering.m

    Examples
    --------
    >>> spiral = SpiralScattering(4000, J=10, Q=12, F="global", T="global")
    >>> t = torch.arange(8000.0) / 4000
    >>> octaves = torch.arange(8) + t[:, None] % 1  # eight sines that rise an octave each second, for ever
    >>> phase = 2 * torch.pi * torch.cumsum(8 * 2**octaves, 0) / 4000
    >>> x = (torch.exp(-0.5 * (octaves - 4) ** 2) * torch.sin(phase)).sum(-1)
    >>> s, meta = spiral.forward(x).array[:, 0], spiral.meta()
    >>> bool(s[meta["spin"] == 1].sum() > 1.5 * s[meta["spin"] == -1].sum())
    True
    """

    def __init__(
        self,
        sample_rate: int,
        *,
        J: int = 11,
        Q: int | tuple[int, int] = (12, 1),
        T: float | Literal["global"] | None = None,
        J_fr: int | None = None,
        Q_fr: int = 1,
        J_oct: int = 1,
        F: float | Literal["global"] = 0,
        oversampling: float = 1.0,
        scaling: Literal["l1", "tight"] = "l1",
        log: bool = False,
        renormalize: bool = False,
        pad: Literal["reflect", "zero"] = "reflect",
    ) -> None:
        check_options(sample_rate, J, T, oversampling, scaling, pad)
        if T == 0 and (log or renormalize):
            raise BadInput("SpiralScattering: log and renormalize are of averages, and T=0 makes none; raise T above 0")
        self.sample_rate, self.pad, self.log, self.renormalize = sample_rate, pad, log, renormalize
        self.J, self.Q, self.T, self.F = J, _two(Q), T, F
        self.average = 2.0**J if T in (None, "global") else float(T)
        self.hop_length = largest_hop(oversampling / self.average) if self.average else 1
        tight = scaling == "tight"
        self.orders = Orders(
            J, self.Q, tight=tight, oversampling=oversampling, max_hop=self.hop_length if self.average else None
        )
        # Below them come Q - 1 bands of constant width.
        self.n_bands = len(self.orders.banks[0].wavelets) - (self.Q[0] - 1)
        self.bank = spiral_bank(self.n_bands, self.Q[0], J_fr=J_fr, Q_fr=Q_fr, J_oct=J_oct, tight=tight)
        self.spiral = PitchSpiral(self.bank, self.n_bands, F=F, oversampling=oversampling)
        self._groups = self._list_turns()

    @property
    def margin(self) -> int:
        """Samples beyond which a coefficient no longer depends on the sound, to -80 dB or better."""
        return self.orders.margin(*([LOWPASS_WIDTH / self.average] if self.average else []))

    @property
    def hops(self) -> tuple[int, ...]:
        """Hop of each group (samples)."""
        return tuple(hop for hop, _ in self._groups)

    def forward(self, x: torch.Tensor) -> Coefficients:
        """Analyse sound.

        Parameters
        ----------
        x : torch.Tensor, shape (..., T), float32 or float64
            Sound.

        Returns
        -------
        Coefficients
            Real. With an average in time, one group (..., P, N): order 0 (with `log` or `renormalize` the local mean
            of ``|x|``), order 1 from high to low, order 2 by wavelet in time, filter along the spiral and band;
            ``N = ceil(T / hop_length)``, or 1 for a global average. Without, one group for each order and rate, and no
            order 0. Differentiable.

        Raises
        ------
        BadInput
            If `x` is no finite float32 or float64 sound, or shorter than the wavelets or the average.
        """
        check_sound(x, "SpiralScattering")
        n_samples = x.shape[-1]
        check_length(n_samples, self.J, self.average, "SpiralScattering")
        align = 2 * max(self.orders.largest_hop, self.hop_length)
        groups = in_pieces(x, Framing(self.margin, align, self.pad), self.hops, self._analyse)
        if not self.average:
            return Coefficients(groups, self.hops, n_samples)
        if self.T == "global":
            return Coefficients((self._bend(groups[0].mean(-1, keepdim=True)),), (n_samples,), n_samples)
        return Coefficients((self._bend(groups[0]),), self.hops, n_samples)

    def meta(self) -> dict[str, np.ndarray]:
        """Name the coefficients, in the order of the rows.

        Returns
        -------
        dict of str to np.ndarray
            As for `TimeScattering` ``order``, ``hop``, shape (P,), and ``n``, ``j``, ``xi``, ``sigma``,
            ``frequency_hz``, ``bandwidth_hz``, shape (P, 2): column 0 is the band (NaN in a global average), column 1
            the rate of modulation. Shape (P,), NaN where there is none: ``chroma`` and ``octave`` of the band;
            ``alpha_hz``, ``beta`` and ``gamma`` (cycles per octave, positive ones rise); of the filter along
            log-frequency ``spin`` (1 rising, -1 falling, 0 neither), ``n_fr``, ``j_fr``, ``xi_fr``, ``sigma_fr``
            (cycles per band), ``step`` (bands between the rows); of the one across octaves ``spin_oct``, ``n_oct``,
            ``j_oct``, ``xi_oct``, ``sigma_oct`` (cycles per octave).

        Examples
        --------
        >>> meta = SpiralScattering(22050, J=10, Q=12, F="global").meta()
        >>> [round(float(meta[key][-1]), 2) for key in ("alpha_hz", "beta", "gamma")]
        [7.54, 0.0, -0.17]
        """
        rows = [(hop, turns, n1) for hop, group in self._groups for turns in group for n1 in turns.bands]
        order = np.array([turns.order for _, turns, _ in rows])
        named = (order == 1) | ((order == 2) & (self.F != "global"))
        bands = np.where(named, [n1 for _, _, n1 in rows], np.nan)
        n = np.stack([bands, [turns.n2 if turns.order == 2 else np.nan for _, turns, _ in rows]], axis=-1)
        table = {"order": order, "hop": np.array([hop for hop, _, _ in rows]), "n": n}
        table |= self.orders.name_wavelets(n, self.sample_rate)
        on_spiral = np.where(bands < self.n_bands, bands, np.nan)
        table |= {"chroma": on_spiral % self.Q[0], "octave": on_spiral // self.Q[0]}
        return table | self._name_filters(np.array([t.product if t.order == 2 else np.nan for _, t, _ in rows]), table)

    def _name_filters(self, product: np.ndarray, table: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Say which filters along the spiral products are made of."""
        names = {"step": pick(np.array([self.spiral.step(k) for k in range(len(self.bank.pairs))]), product)}
        for end, bank, side in (("fr", self.bank.chroma, 0), ("oct", self.bank.octave, 1)):
            index = pick(np.array([pair[side] for pair in self.bank.pairs]), product)
            names["spin" if end == "fr" else "spin_oct"] = pick(bank.spins, index)
            names[f"n_{end}"] = index
            names |= {f"{key}_{end}": pick(getattr(bank, key), index) for key in ("j", "xi", "sigma")}
        return names | {
            "alpha_hz": table["frequency_hz"][:, 1],
            "beta": names["xi_fr"] * self.Q[0],
            "gamma": names["xi_oct"],
        }

    def _list_turns(self) -> list[tuple[int, list[_Turns]]]:
        """List hop and rows of each group."""
        first_hops, second_hops = self.orders.hops
        first: dict[int, list[int]] = {}
        for n1, hop in enumerate(first_hops):
            first.setdefault(hop, []).append(n1)
        second: dict[int, list[_Turns]] = {}
        for n2, hop in enumerate(second_hops):
            if n_in := self._n_in(n2):
                places = [tuple(self.spiral.positions(k, n_in)) for k in range(len(self.bank.pairs))]
                second.setdefault(hop, []).extend(_Turns(2, n2, k, bands) for k, bands in enumerate(places))
        if not self.average:
            return [
                *((hop, [_Turns(1, -1, -1, tuple(bands))]) for hop, bands in sorted(first.items())),
                *sorted(second.items()),
            ]
        all_of_them = _Turns(1, -1, -1, tuple(range(len(first_hops))))
        turns = sorted((t for group in second.values() for t in group), key=lambda t: t.n2)
        return [(self.hop_length, [_Turns(0, -1, -1, (0,)), all_of_them, *turns])]

    def _n_in(self, n2: int) -> int:
        """How many bands a second wavelet in time is applied to: those of constant Q with j1 < j2."""
        return min(len(self.orders.first_of(n2)), self.n_bands)

    def _analyse(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Padded sound (B, L) to the groups of `_list_turns`."""
        first = self.orders.first_order(x)
        second: dict[int, list[torch.Tensor]] = {}
        for n2, hop in enumerate(self.orders.hops[1]):
            if n_in := self._n_in(n2):
                bands = self.orders.second_bands(first, n2, x.shape[-1])[:, :n_in]
                found = self.spiral.moduli(bands)
                if self.average:
                    found = self._low_pass(torch.fft.rfft(found), hop, x)
                # After the average in time, with which this one commutes, there is little left to average.
                second.setdefault(n2 if self.average else hop, []).append(self.spiral.average(found, n_in))
        if not self.average:
            return (*(m.values for m in first), *(torch.cat(second[hop], -2) for hop in sorted(second)))
        zero = self._low_pass(torch.fft.rfft(x.abs() if self.log or self.renormalize else x).unsqueeze(-2), 1, x)
        rows = np.argsort([n1 for m in first for n1 in m.rows])
        envelopes = torch.cat([self._low_pass(m.spectrum, m.hop, x) for m in first], dim=-2)[:, rows]
        return (torch.cat([zero, envelopes, *(part for n2 in sorted(second) for part in second[n2])], dim=-2),)

    def _low_pass(self, spectrum: torch.Tensor, hop: int, x: torch.Tensor) -> torch.Tensor:
        cascade = self.orders.cascade(x.shape[-1], x.dtype, x.device)
        return cascade.low_pass(spectrum, hop, LOWPASS_WIDTH / self.average, self.hop_length)

    def _bend(self, s: torch.Tensor) -> torch.Tensor:
        """Renormalise and take logarithms, as asked for."""
        if self.renormalize:
            n_first = len(self.orders.hops[0])
            zero, first, second = s[..., :1, :], s[..., 1 : n_first + 1, :], s[..., n_first + 1 :, :]
            around = self.spiral.around(first[..., : self.n_bands, :])
            places = [n1 for turns in self._groups[0][1][2:] for n1 in turns.bands]
            s = torch.cat([zero, first / (zero + FLOOR), second / (around[..., places, :] + FLOOR)], dim=-2)
        # The low-pass of something positive may dip below zero by a rounding error.
        return torch.log(s.clamp_min(0) + FLOOR) if self.log else s


def _two(Q: int | tuple[int, int]) -> tuple[int, int]:
    """Wavelets an octave of both orders, whole numbers."""
    both = Q if isinstance(Q, tuple) else (Q, 1)
    if len(both) != 2 or not all(isinstance(q, int) and q >= 1 for q in both):
        raise BadInput(
            f"SpiralScattering: Q must be a whole number of wavelets an octave, at least 1, or two of them, got {Q!r}: "
            "a turn of the spiral is an octave; take 8, 12 or 16"
        )
    return both[0], both[1]
