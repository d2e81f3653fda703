"""What every transform gives: coefficients on a ragged lattice, rows of one rate together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from stylemix.errors import BadInput


@dataclass(frozen=True)
class Coefficients:
    """Coefficients of a transform: rows that share a hop travel in one tensor.

    Parameters
    ----------
    groups : tuple of torch.Tensor, each of shape (..., P_g, N_g)
        Complex or real; the rows of all groups, one after the other, are the rows of the transform's ``meta()``.
    hops : tuple of int
        Samples between the coefficients of each group.
    n_samples : int
        Length of the sound they came from.
    """

    groups: tuple[torch.Tensor, ...]
    hops: tuple[int, ...]
    n_samples: int

    def magnitudes(self) -> tuple[torch.Tensor, ...]:
        """Return the absolute values.

        Returns
        -------
        tuple of torch.Tensor
            Shapes as `groups`, real.
        """
        return tuple(c.abs() for c in self.groups)

    @property
    def array(self) -> torch.Tensor:
        """The one tensor of a transform whose rows all have the same rate, shape (..., P, N).

        Raises
        ------
        BadInput
            If the rows have several rates.
        """
        if len(self.groups) != 1:
            raise BadInput(
                f"Coefficients: rows at {len(self.groups)} rates (hops {self.hops}) are no array; take their groups"
            )
        return self.groups[0]


class Transform(Protocol):
    """What all transforms have in common: sound goes in, named coefficients come out."""

    sample_rate: int

    @property
    def margin(self) -> int:
        """Samples beyond which a coefficient no longer depends on the sound, to -80 dB or better."""

    def forward(self, x: torch.Tensor) -> Coefficients:
        """Analyse sound.

        Parameters
        ----------
        x : torch.Tensor, shape (..., T), float32 or float64
            Sound.

        Returns
        -------
        Coefficients
            Differentiable.
        """

    def meta(self) -> dict[str, np.ndarray]:
        """Name the coefficients, in the order of the rows.

        Returns
        -------
        dict of str to np.ndarray
            ``frequency_hz``, ``bandwidth_hz``, ``hop`` and what else the transform knows of its P rows: shape (P,), or
            (P, 2) where a row has two wavelets.
        """


def check_sound(x: Any, name: str) -> torch.Tensor:
    """Refuse what no transform can analyse.

    Parameters
    ----------
    x : object
        What a user gave as sound.
    name : str
        The transform, for the message.

    Returns
    -------
    torch.Tensor, shape (..., T), float32 or float64
        `x` itself.

    Raises
    ------
    BadInput
        If it is no real floating-point tensor of single or double precision, is empty, or holds NaN or Inf.

    Examples
    --------
    >>> check_sound(torch.zeros(0), "VQT")
    Traceback (most recent call last):
        ...
    stylemix.errors.BadInput: VQT: x is empty, shape (0,); give at least one sample
    """
    if not isinstance(x, torch.Tensor):
        raise BadInput(f"{name}: x must be a torch.Tensor, got {type(x).__name__}; use torch.as_tensor")
    if x.dtype not in (torch.float32, torch.float64):
        raise BadInput(f"{name}: x must be float32 or float64, got {x.dtype}; convert it with x.float()")
    if x.ndim < 1 or x.numel() == 0:
        raise BadInput(f"{name}: x is empty, shape {tuple(x.shape)}; give at least one sample")
    # One NaN or Inf makes the sum one, too; that it overflows without one is so rare that looking closer then is cheap.
    if not bool(torch.isfinite(x.sum())) and not bool(torch.isfinite(x).all()):
        raise BadInput(f"{name}: x holds NaN or Inf; replace them, for example with torch.nan_to_num")
    return x


def pick(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Look up a property of each row, of which some have none.

    Parameters
    ----------
    values : np.ndarray, shape (M,)
        The property of M filters.
    index : np.ndarray, shape (P,)
        Which filter each row has; NaN for none.

    Returns
    -------
    np.ndarray, shape (P,)
        NaN where there is no filter.

    Examples
    --------
    >>> pick(np.array([5, 7]), np.array([1.0, np.nan, 0.0])).tolist()
    [7.0, nan, 5.0]
    """
    known = ~np.isnan(index)
    found = np.full(index.shape, np.nan)
    found[known] = values[index[known].astype(int)]
    return found
