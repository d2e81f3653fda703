"""Time scattering: what a cascade of wavelets and moduli knows of a sound, made invariant to small shifts."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.transforms.cascade import largest_hop, modulus
from stylemix.transforms.coefficients import Coefficients, check_sound
from stylemix.transforms.framing import Framing, in_pieces
from stylemix.transforms.limits import FLOOR, both_orders, check_length, check_options
from stylemix.transforms.morlet import LOWPASS_WIDTH
from stylemix.transforms.orders import Orders


class TimeScattering:
    r"""Scattering transform over time, of order 1 and 2.

    .. math:: S_0 x = x * \phi_T, \quad S_1 x(t, \lambda) = |x * \psi_\lambda| * \phi_T, \quad
              S_2 x(t, \lambda, \mu) = ||x * \psi_\lambda| * \psi_\mu| * \phi_T

    The first order is a spectrogram on a log-frequency axis, averaged over `T`; the second brings back what the
    averaging lost: how fast each band's envelope moves [1]_. The wavelets, the low-pass and the choice of paths are
    those of kymatio [2]_, whose numbers it gives to a relative 1e-3 (with ``oversampling=2`` to 1e-6), at a lower
    rate within. It differs in three points: frame n always
    belongs to sample ``n * hop_length``; beyond the ends of a sound shorter than the wavelets its mirror image is
    repeated; and a "global" average is the mean of the averages over ``2**J`` of the sound without its padding.

    Parameters
    ----------
    sample_rate : int
        Hz.
    J : int
        The longest wavelets last about ``2**J`` samples.
    Q : int or tuple of two int
        Wavelets an octave in the first and in the second order (1, if only one number is given).
    T : None, float or "global"
        Length of the averaging (samples): by default ``2**J``; 0: none, and the moduli are returned;
        "global": over the whole sound.
    max_order : {1, 2}
        How many moduli deep.
    oversampling : float
        At least 1: how much denser than critical all is sampled.
    scaling : {"l1", "tight"}
        "l1": every wavelet's absolute values add up to one, as in kymatio. "tight": the gains are divided by the root
        of their Littlewood-Paley sum, so that each layer keeps the energy of its input exactly.
    log : bool
        Return natural logarithms, of the coefficients plus 1e-6.
    renormalize : bool
        Divide the second order by the first and the first by the local mean of ``|x|``, so that loudness and spectrum
        do not count twice [1]_.
    pad : {"reflect", "zero"}
        What lies beyond the ends of the sound.

    Raises
    ------
    BadInput
        If a parameter is out of range.

    References
    ----------
    .. [1] J. Anden, S. Mallat, "Deep scattering spectrum", IEEE Trans. Signal Processing 62(16), 2014.
    .. [2] M. Andreux et al., "Kymatio: scattering transforms in Python", JMLR 21(60), 2020.

    Examples
    --------
    >>> scattering = TimeScattering(8000, J=8, Q=8)
    >>> tone = torch.cos(2 * torch.pi * 1000 / 8000 * torch.arange(8000.0))
    >>> s = scattering.forward(tone)
    >>> loudest = int(s.array[1:, 16].argmax()) + 1
    >>> s.array.shape[-1], round(float(scattering.meta()["frequency_hz"][loudest, 0]))
    (32, 1036)
    """

    def __init__(
        self,
        sample_rate: int,
        *,
        J: int = 11,
        Q: int | tuple[int, int] = (8, 1),
        T: float | Literal["global"] | None = None,
        max_order: int = 2,
        oversampling: float = 1.0,
        scaling: Literal["l1", "tight"] = "l1",
        log: bool = False,
        renormalize: bool = False,
        pad: Literal["reflect", "zero"] = "reflect",
    ) -> None:
        check_options(sample_rate, J, T, oversampling, scaling, pad)
        if max_order not in (1, 2):
            raise BadInput(f"TimeScattering: max_order must be 1 or 2, got {max_order}")
        if T == 0 and (log or renormalize):
            raise BadInput("TimeScattering: log and renormalize are of averages, and T=0 makes none; take a T above 0")
        self.sample_rate, self.pad, self.log, self.renormalize = sample_rate, pad, log, renormalize
        self.J, self.Q = J, both_orders(Q)
        self.T = T
        # Samples of the average; of the whole sound's the averages over 2**J are averaged once more.
        self.average = 2.0**J if T is None or T == "global" else float(T)
        self.hop_length = largest_hop(oversampling / self.average) if self.average else 1
        self.orders = Orders(
            J,
            self.Q[:max_order],
            tight=scaling == "tight",
            oversampling=oversampling,
            max_hop=self.hop_length if self.average else None,
        )
        self._groups = self._list_paths()

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
            Real. With an average, one group (..., P, N): order 0 (with `log` or `renormalize` the local mean of
            ``|x|``), order 1 from high to low, order 2 by first and second wavelet; ``N = ceil(T / hop_length)``, or
            1 for a global average. Without, one group for each order and rate, and no order 0, which would be the
            sound itself. Differentiable.

        Raises
        ------
        BadInput
            If `x` is no finite float32 or float64 sound, or shorter than the wavelets or the average.
        """
        check_sound(x, "TimeScattering")
        check_length(x.shape[-1], self.J, self.average, "TimeScattering")
        align = 2 * max(self.orders.largest_hop, self.hop_length)
        groups = in_pieces(x, Framing(self.margin, align, self.pad), self.hops, self._analyse)
        if not self.average:
            return Coefficients(groups, self.hops, x.shape[-1])
        if self.T == "global":
            return Coefficients((self._bend(groups[0].mean(-1, keepdim=True)),), (x.shape[-1],), x.shape[-1])
        return Coefficients((self._bend(groups[0]),), self.hops, x.shape[-1])

    def meta(self) -> dict[str, np.ndarray]:
        """Name the coefficients, in the order of the rows.

        Returns
        -------
        dict of str to np.ndarray
            ``order`` and ``hop`` (samples), shape (P,); and of shape (P, 2), NaN where there is none, for the first
            and second wavelet: ``n`` (index), ``j`` (scale), ``xi`` and ``sigma`` (cycles per sample),
            ``frequency_hz`` and ``bandwidth_hz`` (between the points of half power).

        Examples
        --------
        >>> meta = TimeScattering(22050, J=6, Q=8, max_order=1).meta()
        >>> meta["order"][:3].tolist(), meta["frequency_hz"][1, 0].round().tolist()
        ([0, 1, 1], 9600.0)
        """
        paths = [path for _, group in self._groups for path in group]
        n = np.full((len(paths), 2), np.nan)
        for row, path in enumerate(paths):
            n[row, : len(path)] = path
        table = {
            "order": np.array([len(path) for path in paths]),
            "hop": np.array([hop for hop, group in self._groups for _ in group]),
            "n": n,
        }
        return table | self.orders.name_wavelets(n, self.sample_rate)

    def _list_paths(self) -> list[tuple[int, list[tuple[int, ...]]]]:
        """List hop and paths of each group: (n1,) or (n1, n2), () for order 0."""
        first_hops, *second_hops = self.orders.hops
        first: list[tuple[int, ...]] = [(n1,) for n1 in range(len(first_hops))]
        second: list[tuple[int, ...]] = [
            (n1, n2) for n2 in range(len(second_hops[0]) if second_hops else 0) for n1 in self.orders.first_of(n2)
        ]
        if self.average:
            return [(self.hop_length, [(), *first, *sorted(second)])]
        groups: list[tuple[int, list[tuple[int, ...]]]] = []
        for hop in sorted(set(first_hops)):
            groups.append((hop, [path for path in first if first_hops[path[0]] == hop]))
        for hop in sorted({second_hops[0][n2] for _, n2 in second}):
            groups.append((hop, [path for path in second if second_hops[0][path[1]] == hop]))
        return groups

    def _analyse(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Padded sound (B, L) to the groups of `_list_paths`."""
        first = self.orders.first_order(x)
        second: dict[int, torch.Tensor] = {}
        for n2 in range(len(self.orders.hops[1]) if len(self.orders.hops) > 1 else 0):
            if self.orders.first_of(n2):
                bands = modulus(self.orders.second_bands(first, n2, x.shape[-1]))
                hop = self.orders.hops[1][n2]
                second[n2] = self._low_pass(torch.fft.rfft(bands), hop, x) if self.average else bands
        if not self.average:
            hops = {n2: self.orders.hops[1][n2] for n2 in second}
            return (
                *(m.values for m in first),
                *(
                    torch.cat([second[n2] for n2 in second if hops[n2] == hop], -2)
                    for hop in sorted(set(hops.values()))
                ),
            )
        zero = torch.fft.rfft(x.abs() if self.log or self.renormalize else x).unsqueeze(-2)
        lows = [self._low_pass(zero, 1, x), *(self._low_pass(m.spectrum, m.hop, x) for m in first), *second.values()]
        found = [
            (),
            *((n1,) for m in first for n1 in m.rows),
            *((n1, n2) for n2 in second for n1 in self.orders.first_of(n2)),
        ]
        rows = {path: row for row, path in enumerate(found)}
        return (torch.cat(lows, dim=-2)[:, [rows[path] for path in self._groups[0][1]]],)

    def _low_pass(self, spectrum: torch.Tensor, hop: int, x: torch.Tensor) -> torch.Tensor:
        cascade = self.orders.cascade(x.shape[-1], x.dtype, x.device)
        return cascade.low_pass(spectrum, hop, LOWPASS_WIDTH / self.average, self.hop_length)

    def _bend(self, s: torch.Tensor) -> torch.Tensor:
        """Renormalise and take logarithms, as asked for."""
        if self.renormalize:
            paths = self._groups[0][1]
            first: dict[tuple[int, ...], int] = {path: row for row, path in enumerate(paths) if len(path) == 1}
            below = [first[path[:1]] if len(path) > 1 else 0 for path in paths[1:]]
            s = torch.cat([s[..., :1, :], s[..., 1:, :] / (s[..., below, :] + FLOOR)], dim=-2)
        # The low-pass of something positive may dip below zero by a rounding error.
        return torch.log(s.clamp_min(0) + FLOOR) if self.log else s
