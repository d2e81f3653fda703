"""Joint time-frequency scattering: how partials rise, fall and beat together, which time scattering cannot see."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log2
from typing import Literal

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.transforms.cascade import largest_hop
from stylemix.transforms.coefficients import Coefficients, check_sound, pick
from stylemix.transforms.framing import Framing, in_pieces
from stylemix.transforms.limits import FLOOR, both_orders, check_length, check_options
from stylemix.transforms.log_frequency import LogFrequency
from stylemix.transforms.morlet import LOWPASS_WIDTH
from stylemix.transforms.orders import Orders
from stylemix.transforms.quefrency import check_scale, quefrency_bank


@dataclass(frozen=True)
class _Image:
    """Rows that one pair of filters, in time and along log-frequency, gives: an image over log-frequency and time."""

    order: int
    n2: int  # -1 for the low-pass
    n_fr: int  # -1 in order 0
    positions: tuple[int, ...]  # index n1 of each row's band
    step: float  # bands that each row stands for; NaN in order 0


class JointScattering:
    r"""Joint scattering over time and log-frequency.

    .. math:: S_1 x(t, \lambda, \ell) = |X * \phi_T * \psi_\ell| * \phi_F, \quad
              S_2 x(t, \lambda, \mu, \ell, \pm) = |X * \psi_\mu * \psi_{\pm\ell}| * \phi_T * \phi_F

    with the envelopes :math:`X(t, \lambda) = |x * \psi_\lambda|`, wavelets :math:`\psi_\mu` in time and
    :math:`\psi_{\pm\ell}` along log-frequency [1]_ [2]_. The two-dimensional wavelets have a direction: spin 1
    answers to what rises in pitch, spin -1 to what falls.

    Wavelets, low-passes, paths and the axis of log-frequency (zeros beyond the bands, up to the largest multiple of
    ``2**J_fr`` within ``(J + 1) Q + 8 * 2**J_fr``) are those of kymatio's time-frequency scattering [3]_, whose
    numbers it gives to a relative 1e-3. It differs in these points:

    - rows of the low-pass along log-frequency have the step of the other rows and, where `F` is longer than
      ``2**J_fr``, the same average;
    - the axis makes room for `F` too, if that is longer;
    - ``F="global"`` is the mean over the bands where kymatio has the sum over samples every ``2**j_fr`` bands (and
      leaves the low-pass as it is): ``2**j_fr / n_bands`` of it;
    - in order 1, where the low-pass in time leaves no direction, the spin is 0;
    - what `TimeScattering` says of frames, ends and ``T="global"``.

    Parameters
    ----------
    sample_rate : int
        Hz.
    J : int
        The longest wavelets in time last about ``2**J`` samples.
    Q : int or tuple of two int
        Wavelets an octave in the first and in the second order (1, if only one number is given).
    T : None, float or "global"
        Length of the average in time (samples): by default ``2**J``; 0: none in order 2; "global": the whole sound.
    J_fr : int, optional
        The longest wavelets along log-frequency reach over about ``2**J_fr`` bands; by default two octaves, or as
        many bands as there are.
    Q_fr : int
        Wavelets an octave of quefrency.
    F : None, float or "global"
        Length of the average along log-frequency (bands): by default ``2**J_fr``; 0: none; "global": all bands.
    oversampling : float
        At least 1: how much denser than critical all is sampled, in time and along log-frequency.
    scaling : {"l1", "tight"}
        "l1": every filter's absolute values add up to one. "tight": each layer keeps the energy of its input; an
        order-2 row counts ``hop * step`` times, see `meta`.
    log : bool
        Return natural logarithms, of the coefficients plus 1e-6.
    renormalize : bool
        Divide by what the first order has there, averaged over time and neighbouring bands, and order 1 without a
        wavelet by the local mean of ``|x|``, so that loudness and spectrum do not count again.
    pad : {"reflect", "zero"}
        What lies beyond the ends of the sound.

    Raises
    ------
    BadInput
        If a parameter is out of range.

    References
    ----------
    .. [1] J. Anden, V. Lostanlen, S. Mallat, "Joint time-frequency scattering for audio classification", IEEE MLSP
       2015.
    .. [2] J. Anden, V. Lostanlen, S. Mallat, "Joint time-frequency scattering", IEEE Trans. Signal Processing 67(14),
       2019.
    .. [3] M. Andreux et al., "Kymatio: scattering transforms in Python", JMLR 21(60), 2020.

    Examples
    --------
    >>> joint = JointScattering(8000, J=9, Q=12, F="global")
    >>> t = torch.arange(8000.0) / 8000
    >>> rising = torch.cos(2 * torch.pi * 100 / np.log(2) / 4 * 2 ** (4 * t))  # 100 Hz, four octaves in a second
    >>> s, spin = joint.forward(rising).array.mean(-1), joint.meta()["spin"]
    >>> bool(s[spin == 1].sum() > 1.5 * s[spin == -1].sum())
    True
    """

    def __init__(
        self,
        sample_rate: int,
        *,
        J: int = 11,
        Q: int | tuple[int, int] = (8, 1),
        T: float | Literal["global"] | None = None,
        J_fr: int | None = None,
        Q_fr: int = 1,
        F: float | Literal["global"] | None = None,
        oversampling: float = 1.0,
        scaling: Literal["l1", "tight"] = "l1",
        log: bool = False,
        renormalize: bool = False,
        pad: Literal["reflect", "zero"] = "reflect",
    ) -> None:
        check_options(sample_rate, J, T, oversampling, scaling, pad)
        if T == 0 and (log or renormalize):
            raise BadInput("JointScattering: log and renormalize are of averages, and T=0 makes none; take a T above 0")
        self.sample_rate, self.pad, self.log, self.renormalize = sample_rate, pad, log, renormalize
        self.J, self.Q, self.T = J, both_orders(Q), T
        # Samples of the average in time. Order 1 has one even where order 2 has none: its wavelet in time is one.
        self.average = 2.0**J if T in (None, 0, "global") else float(T)
        self.hop_length = largest_hop(oversampling / self.average)
        tight = scaling == "tight"
        max_hop = None if T == 0 else self.hop_length
        self.orders = Orders(J, self.Q, tight=tight, oversampling=oversampling, max_hop=max_hop)
        n_bands = len(self.orders.banks[0].wavelets)
        self.J_fr = max(1, floor(log2(min(2 * self.Q[0], n_bands)))) if J_fr is None else J_fr
        check_scale(self.J_fr, n_bands)
        self.F = 2.0**self.J_fr if F is None else F
        self.frequency = LogFrequency(
            quefrency_bank(
                n_bands,
                scale=self.J_fr,
                per_octave=Q_fr,
                n_padded=_axis_length((J + 1) * self.Q[0], self.J_fr, self.F),
                tight=tight,
            ),
            n_bands,
            F=self.F,
            oversampling=oversampling,
            tight=tight,
        )
        self._groups = self._list_images()

    @property
    def margin(self) -> int:
        """Samples beyond which a coefficient no longer depends on the sound, to -80 dB or better."""
        return self.orders.margin(LOWPASS_WIDTH / self.average)

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
            of ``|x|``), order 1 by filter along log-frequency and band, order 2 by filter in time, along
            log-frequency and band, from high to low; ``N = ceil(T / hop_length)``, or 1 for a global average.
            Without, order 1 and then one group for each rate of order 2. Differentiable.

        Raises
        ------
        BadInput
            If `x` is no finite float32 or float64 sound, or shorter than the wavelets or the average.
        """
        check_sound(x, "JointScattering")
        n_samples = x.shape[-1]
        check_length(n_samples, self.J, self.average, "JointScattering")
        align = 2 * max(self.orders.largest_hop, self.hop_length)
        hops = self.hops + ((self.hop_length,) if self.renormalize else ())
        groups = in_pieces(x, Framing(self.margin, align, self.pad), hops, self._analyse)
        if self.T == 0:
            return Coefficients(groups, self.hops, n_samples)
        if self.T == "global":
            groups = tuple(g.mean(-1, keepdim=True) for g in groups)
        hop = n_samples if self.T == "global" else self.hop_length
        return Coefficients((self._bend(*groups),), (hop,), n_samples)

    def images(self, coefficients: Coefficients) -> dict[tuple[int, int], torch.Tensor]:
        """Part the rows into images over log-frequency and time.

        Parameters
        ----------
        coefficients : Coefficients
            From `forward`.

        Returns
        -------
        dict of (int, int) to torch.Tensor
            For the wavelet n2 in time (-1: the low-pass, order 1) and the filter n_fr along log-frequency, the image,
            shape (..., R, N): rows of falling frequency. With a local average along log-frequency, images of one n2
            have equally many rows.

        Examples
        --------
        >>> joint = JointScattering(8000, J=6, Q=8, F=0)
        >>> joint.images(joint.forward(torch.randn(2, 1000)))[4, 1].shape
        torch.Size([2, 18, 16])
        """
        found: dict[tuple[int, int], torch.Tensor] = {}
        for group, (_, images) in zip(coefficients.groups, self._groups, strict=True):
            parts = group.split([len(image.positions) for image in images], dim=-2)
            found |= {(image.n2, image.n_fr): part for image, part in zip(images, parts, strict=True) if image.order}
        return found

    def meta(self) -> dict[str, np.ndarray]:
        """Name the coefficients, in the order of the rows.

        Returns
        -------
        dict of str to np.ndarray
            As for `TimeScattering` ``order``, ``hop``, shape (P,), and ``n``, ``j``, ``xi``, ``sigma``,
            ``frequency_hz``, ``bandwidth_hz``, shape (P, 2): column 0 is the band (NaN in a global average), column 1
            the rate of modulation. Then of the filter along log-frequency, shape (P,), NaN in order 0: ``spin`` (1
            rising, -1 falling, 0 neither), ``n_fr`` (index), ``j_fr`` (scale), ``xi_fr`` and ``sigma_fr`` (cycles per
            band; negative for spin -1), ``quefrency`` (cycles per octave), ``step`` (bands between the rows).

        Examples
        --------
        >>> meta = JointScattering(22050, J=8, Q=8, F="global").meta()
        >>> [meta[key][-1].round(3).tolist() for key in ("frequency_hz", "spin", "quefrency")]
        [[nan, 30.146], -1.0, 0.175]
        """
        hops = [hop for hop, images in self._groups for image in images for _ in image.positions]
        rows = [(image, n1) for _, images in self._groups for image in images for n1 in image.positions]
        of_band = self.F != "global"
        n = np.array([(n1 if image.order and of_band else -1, image.n2) for image, n1 in rows], dtype=float)
        n[n < 0] = np.nan
        table = {"order": np.array([image.order for image, _ in rows]), "hop": np.array(hops), "n": n}
        table |= self.orders.name_wavelets(n, self.sample_rate)
        n_fr = np.array([image.n_fr if image.order else np.nan for image, _ in rows])
        bank = self.frequency.bank
        table |= {"spin": np.where(table["order"] == 1, 0, pick(bank.spins, n_fr)), "n_fr": n_fr}
        table |= {f"{key}_fr": pick(getattr(bank, key), n_fr) for key in ("j", "xi", "sigma")}
        step = np.array([image.step for image, _ in rows], dtype=float)
        return table | {"quefrency": np.abs(table["xi_fr"]) * self.Q[0], "step": step}

    def _list_images(self) -> list[tuple[int, list[_Image]]]:
        """List hop and images of each group."""
        n_filters = self.frequency.n_filters
        first = [self._image(1, -1, k, self.frequency.n_bands) for k in range(n_filters // 2 + 1)]
        second: dict[int, list[_Image]] = {}
        for n2, hop in enumerate(self.orders.hops[-1]):
            if n_in := len(self.orders.first_of(n2)):
                second.setdefault(hop, []).extend(self._image(2, n2, k, n_in) for k in range(n_filters))
        if self.T == 0:
            return [(self.hop_length, first), *sorted(second.items())]
        zero = _Image(0, -1, -1, (0,), np.nan)
        return [(self.hop_length, [zero, *first, *(image for hop in sorted(second) for image in second[hop])])]

    def _image(self, order: int, n2: int, n_fr: int, n_in: int) -> _Image:
        step = n_in if self.F == "global" else self.frequency.step(n_fr)
        return _Image(order, n2, n_fr, tuple(self.frequency.positions(n_fr, n_in)), step)

    def _analyse(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Padded sound (B, L) to the groups of `_list_images`, unbent; last the first order, if it is to divide."""
        first = self.orders.first_order(x)
        lows = [self._low_pass(m.spectrum, m.hop, x) for m in first]
        rows = np.argsort([n1 for m in first for n1 in m.rows])
        bands = torch.cat(lows, dim=-2)[:, rows]
        order_1 = self.frequency.moduli(bands)
        second: dict[int, list[torch.Tensor]] = {}
        for n2, hop in enumerate(self.orders.hops[-1]):
            if self.orders.first_of(n2):
                image = self.frequency.spin_moduli(self.orders.second_bands(first, n2, x.shape[-1]))
                if self.T != 0:
                    image = self._low_pass(torch.fft.rfft(image), hop, x)
                second.setdefault(hop, []).append(image)
        if self.T == 0:
            return (torch.cat(order_1, -2), *(torch.cat(second[hop], -2) for hop in sorted(second)))
        zero = self._low_pass(torch.fft.rfft(x.abs() if self.log or self.renormalize else x).unsqueeze(-2), 1, x)
        images = torch.cat([zero, *order_1, *(image for hop in sorted(second) for image in second[hop])], dim=-2)
        return (images, bands) if self.renormalize else (images,)

    def _low_pass(self, spectrum: torch.Tensor, hop: int, x: torch.Tensor) -> torch.Tensor:
        cascade = self.orders.cascade(x.shape[-1], x.dtype, x.device)
        return cascade.low_pass(spectrum, hop, LOWPASS_WIDTH / self.average, self.hop_length)

    def _bend(self, s: torch.Tensor, bands: torch.Tensor | None = None) -> torch.Tensor:
        """Renormalise by the averaged bands of the first order and take logarithms, as asked for."""
        if bands is not None:
            images = self._groups[0][1]
            at = [n1 for image in images[1:] for n1 in image.positions]
            below = self.frequency.smooth(bands)[..., at, :]
            plain = sum(len(image.positions) for image in images[1:] if image.order == 1 and image.n_fr == 0)
            below = torch.cat([s[..., :1, :].expand_as(below[..., :plain, :]), below[..., plain:, :]], dim=-2)
            s = torch.cat([s[..., :1, :], s[..., 1:, :] / (below + FLOOR)], dim=-2)
        # The low-pass of something positive may dip below zero by a rounding error.
        return torch.log(s.clamp_min(0) + FLOOR) if self.log else s


def _axis_length(n_bands: int, J_fr: int, F: float | str) -> int:
    """Bands and zeros beyond them: eight times the longest filter, to a multiple of all steps."""
    average = min(F, n_bands) if isinstance(F, (int, float)) else 0
    return int(n_bands + 8 * max(2**J_fr, average)) // 2**J_fr * 2**J_fr
