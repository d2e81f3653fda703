"""Scattering coefficients as logarithms without the level: each order relative to the one it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from stylemix.transforms import Coefficients

# A band so far below the mean of all is not heard, and neither is how it moves: -60 dB.
FLOOR = 1e-3
# What is not heard counts as moving as much as bands of music usually do, so that it is nothing special: measured on
# a piano, for time scattering and for joint scattering, whose rows each hold a part of the movement.
USUAL_SHARE = {"time": 0.1, "joint": 0.03}
# A mean over bands softer than this is no sound: -140 dB of full scale.
_SOFTEST = 1e-7


@dataclass(frozen=True)
class Renormaliser:
    r"""Logarithms of scattering coefficients without the level.

    .. math:: \log \frac{S_1(\lambda) + f m}{m}, \quad \log \frac{S_2(\lambda, \mu) + u f m}{S_1(\lambda) + f m}

    with `m` the mean of the first order over its bands, `f` a floor of -60 dB and `u` a usual share. What a gain does
    to the sound is gone from all rows, and what a filter does to one band from the rows of the second order [1]_.

    Parameters
    ----------
    first : np.ndarray, shape (P1,), int
        Rows of the first order.
    deeper : np.ndarray, shape (P2,), int
        Rows of higher order.
    parent : np.ndarray, shape (P2,), int
        For each of these, the place in `first` of the band it came from.
    usual : float
        `u`.

    References
    ----------
    .. [1] J. Anden, S. Mallat, "Deep scattering spectrum", IEEE Trans. Signal Processing 62(16), 2014.
    """

    first: np.ndarray
    deeper: np.ndarray
    parent: np.ndarray
    usual: float

    @classmethod
    def of(cls, meta: Mapping[str, np.ndarray]) -> Renormaliser:
        """Read from a transform's names what came from what.

        Parameters
        ----------
        meta : mapping of str to np.ndarray
            From `TimeScattering.meta` or, with an average over bands of a local length, `JointScattering.meta`.

        Returns
        -------
        Renormaliser
            For its coefficients.
        """
        plain = meta["order"] == 1
        joint = "n_fr" in meta
        if joint:
            # Of the first order of joint scattering only the low-pass along log-frequency is a plain band.
            plain &= meta["n_fr"] == 0
        first, deeper = np.flatnonzero(plain), np.flatnonzero((meta["order"] > 0) & ~plain)
        n1 = meta["n"][:, 0]
        place = {int(n1[row]): i for i, row in enumerate(first)}
        parent = np.array([place[int(n1[row])] for row in deeper], dtype=int)
        return cls(first, deeper, parent, USUAL_SHARE["joint" if joint else "time"])

    def logarithms(self, coefficients: Coefficients) -> torch.Tensor:
        """Take the logarithms.

        Parameters
        ----------
        coefficients : Coefficients
            Real, of one rate, shape (..., C, P, N): the power is averaged over the channels C.

        Returns
        -------
        torch.Tensor, shape (..., P1 + P2, N)
            First order, then the others.
        """
        power = coefficients.array.square().mean(-3).sqrt()
        first, deeper = power[..., self.first, :], power[..., self.deeper, :]
        level = first.mean(-2, keepdim=True)
        floor = FLOOR * level.clamp_min(_SOFTEST)
        carrier = first + floor
        share = (deeper + self.usual * floor) / carrier[..., self.parent, :]
        return torch.cat([carrier.log() - level.clamp_min(_SOFTEST).log(), share.log()], dim=-2)
