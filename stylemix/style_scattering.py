"""Scattering statistics of a few seconds of sound: what its bands hold, how each moves, how they move together.

All is computed in one pass over the sound: the envelopes of its bands (order 1), the wavelets of their movement
(order 2), and the wavelets of that movement along log-frequency (joint), with a direction: rising or falling.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from stylemix.transforms.cascade import modulus
from stylemix.transforms.framing import Framing, stretch_of
from stylemix.transforms.log_frequency import LogFrequency
from stylemix.transforms.orders import Moduli, Orders
from stylemix.transforms.quefrency import quefrency_bank

RATE_HZ = 22050
# The longest wavelets last 0.2 s, and so do the frames over which the bands' spread is measured.
SCALE = 12
BANDS_PER_OCTAVE = 8
# Along log-frequency from a third of an octave to six octaves.
QUEFRENCY_SCALE = 4
HEARD_HZ = (40.0, 9000.0)
# Movement from phrases to roughness; what is faster differs little between styles and costs most of the time.
RATES_HZ = (1.0, 130.0)
# Beyond its ends a segment is mirrored for so many samples, and then its other end follows: the slowest wavelets
# reach as far, and still hear nothing that is not in it.
_MARGIN = 2 ** (SCALE + 1)


@dataclass(frozen=True)
class StyleStatistics:
    """What `StyleScattering` finds, averaged over time unless said otherwise.

    Parameters
    ----------
    frequencies_hz : np.ndarray, shape (R,)
        Centres of the bands, falling.
    rates_hz : np.ndarray, shape (M,)
        Centres of the wavelets of movement, falling.
    quefrencies : np.ndarray, shape (W,)
        Centres of the wavelets along log-frequency (cycles per octave), falling.
    bands : np.ndarray, shape (R, N)
        Magnitudes over time.
    movement : np.ndarray, shape (M, R)
        How much of each band's envelope moves at each rate; NaN where it cannot.
    ripple : np.ndarray, shape (W + 1,)
        The spectrum smoothed, then how uneven it is at each quefrency: mean over the bands.
    together : np.ndarray, shape (M, 2 W + 1)
        Movement of all bands together, evenly, then rising and then falling at each quefrency: mean over the bands.
    """

    frequencies_hz: np.ndarray
    rates_hz: np.ndarray
    quefrencies: np.ndarray
    bands: np.ndarray
    movement: np.ndarray
    ripple: np.ndarray
    together: np.ndarray


class StyleScattering:
    """The transform behind the style features, at `RATE_HZ`.

    References
    ----------
    .. [1] J. Anden, S. Mallat, "Deep scattering spectrum", IEEE Trans. Signal Processing 62(16), 2014.
    .. [2] J. Anden, V. Lostanlen, S. Mallat, "Joint time-frequency scattering", IEEE Trans. Signal Processing 67(14),
       2019.

    Examples
    --------
    >>> found = StyleScattering().statistics(np.zeros(66150, dtype=np.float32))
    >>> found.bands.shape, found.movement.shape, found.together.shape
    ((63, 16), (7, 63), (7, 11))
    """

    def __init__(self) -> None:
        self.orders = Orders(SCALE, (BANDS_PER_OCTAVE, 1), tight=False, oversampling=1.0, max_hop=None)
        hz = np.array([w.xi for w in self.orders.banks[0].wavelets]) * RATE_HZ
        # Bands follow each other downwards: from the first that is heard to the last.
        self.heard = np.flatnonzero((hz >= HEARD_HZ[0]) & (hz <= HEARD_HZ[1]))
        self.frequencies_hz = hz[self.heard]
        rates = np.array([w.xi for w in self.orders.banks[1].wavelets]) * RATE_HZ
        self.rates = np.flatnonzero((rates >= RATES_HZ[0]) & (rates <= RATES_HZ[1]))
        self.rates_hz = rates[self.rates]
        # All bands, or where they are cut off would ring in every filter.
        n_bands = len(hz)
        step = 2**QUEFRENCY_SCALE
        bank = quefrency_bank(
            n_bands, scale=QUEFRENCY_SCALE, per_octave=1, n_padded=(n_bands // step + 9) * step, tight=False
        )
        self.log_frequency = LogFrequency(bank, n_bands, F=BANDS_PER_OCTAVE)
        self.quefrencies = np.array([w.xi for w in bank.wavelets]) * BANDS_PER_OCTAVE
        self._framing = Framing(_MARGIN, 2 * self.orders.largest_hop)

    def statistics(self, mono: np.ndarray) -> StyleStatistics:
        """Analyse a segment.

        Parameters
        ----------
        mono : np.ndarray, shape (T,), float32
            At `RATE_HZ`, at least one sample.

        Returns
        -------
        StyleStatistics
            Of the segment alone; nothing in it depends on what is beyond its ends.
        """
        margin, n_samples = self._framing.aligned_margin, len(mono)
        length = self._framing.padded_length(n_samples)
        inside = _Inside(margin, n_samples)
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(mono, dtype=np.float32))[None]
            first = self.orders.first_order(stretch_of(x, -margin, length - margin, "reflect"))
            bands = self._bands(first, inside)
            images = [image.mean(-1)[0] for image in self.log_frequency.moduli(bands)]
            ripple = torch.stack([self._over_bands(image) for image in images])
            movement, together = [], []
            for n2 in self.rates:
                envelopes = inside.of(self.orders.second_bands(first, int(n2), length), self.orders.hops[1][n2])
                movement.append(self._of_all_bands(modulus(envelopes).mean(-1)[0]))
                n_filters = self.log_frequency.n_filters
                image = self.log_frequency.spin_moduli(envelopes).mean(-1)[0].reshape(n_filters, -1)
                together.append(self._over_bands(image))
        return StyleStatistics(
            self.frequencies_hz, self.rates_hz, self.quefrencies, bands[0, self.heard].numpy(),
            torch.stack(movement).numpy(), ripple.numpy(), torch.stack(together).numpy(),
        )  # fmt: skip

    def _bands(self, first: list[Moduli], inside: _Inside) -> torch.Tensor:
        """Average the envelopes over frames, (1, R, N)."""
        frames = max(1, inside.n_samples >> SCALE)
        parts = [torch.nn.functional.adaptive_avg_pool1d(inside.of(m.values, m.hop), frames) for m in first]
        order = np.argsort([n1 for m in first for n1 in m.rows])
        return torch.cat(parts, dim=1)[:, order]

    def _over_bands(self, image: torch.Tensor) -> torch.Tensor:
        """Average an image along log-frequency (..., R) over the octaves that are heard."""
        at = self.log_frequency.positions(0, len(self.orders.banks[0].wavelets))[: image.shape[-1]]
        return image[..., (at >= self.heard[0]) & (at <= self.heard[-1])].mean(-1)

    def _of_all_bands(self, values: torch.Tensor) -> torch.Tensor:
        values = values[self.heard[0] : self.heard[-1] + 1]
        return torch.nn.functional.pad(values, (0, len(self.heard) - len(values)), value=float("nan"))


@dataclass(frozen=True)
class _Inside:
    """Where a padded sound is the sound itself."""

    margin: int
    n_samples: int

    def of(self, x: torch.Tensor, hop: int) -> torch.Tensor:
        first = self.margin // hop
        return x[..., first : first + -(-self.n_samples // hop)]


@lru_cache(maxsize=1)
def style_scattering() -> StyleScattering:
    """Return the one transform; it keeps its filters.

    Returns
    -------
    StyleScattering
        Always the same.

    Examples
    --------
    >>> style_scattering() is style_scattering()
    True
    """
    return StyleScattering()
