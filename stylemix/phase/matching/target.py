"""Coefficients that a sound shall have, and what its transform says of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.transforms.cascade import modulus
from stylemix.transforms.coefficients import Coefficients, Transform


@dataclass(frozen=True)
class Target:
    """Coefficients that a sound shall have.

    Parameters
    ----------
    transform : Transform or callable
        What gives a sound's coefficients: anything with ``forward(x) -> Coefficients``, or a differentiable function
        of sound (..., T) that returns a tensor (..., P, N).
    wanted : Coefficients or torch.Tensor
        What they shall be. Real ones wanted of a complex transform are magnitudes; complex ones keep their phase.
    weight : float
        How much this target counts beside others.
    name : str
        In messages and in the names of errors; by default the transform's class or the function's name.

    Raises
    ------
    BadInput
        If the coefficients are not finite or the weight is not positive.

    Examples
    --------
    >>> from stylemix.transforms import VQT
    >>> vqt = VQT(8000)
    >>> c = vqt.forward(torch.ones(1000))
    >>> Target(vqt, Coefficients(c.magnitudes(), c.hops, 1000)).name
    'VQT'
    """

    transform: Transform | Callable[[torch.Tensor], Any]
    wanted: Coefficients | torch.Tensor
    weight: float = 1.0
    name: str = ""

    def __post_init__(self) -> None:
        known = getattr(self.transform, "__name__", type(self.transform).__name__)
        object.__setattr__(self, "name", self.name or known)
        if not 0 < self.weight < float("inf"):
            raise BadInput(f"{self.name}: the weight of a target must be above 0, got {self.weight}")
        for group in self.groups:
            if not isinstance(group, torch.Tensor) or group.ndim < 1 or not group.numel():
                raise BadInput(f"{self.name}: the wanted coefficients must be tensors (..., P, N), not empty")
            if group.dtype not in (torch.float32, torch.float64, torch.complex64, torch.complex128):
                raise BadInput(f"{self.name}: the wanted coefficients must be float or complex, got {group.dtype}")
            if not bool(torch.isfinite(group).all()):
                raise BadInput(f"{self.name}: the wanted coefficients hold NaN or Inf; nothing can match them")

    @property
    def groups(self) -> tuple[torch.Tensor, ...]:
        """The wanted coefficients, one tensor for each rate."""
        return self.wanted.groups if isinstance(self.wanted, Coefficients) else (self.wanted,)

    @cached_property
    def meta(self) -> dict[str, np.ndarray]:
        """What the transform says of its rows; of a function nothing is known."""
        return self.transform.meta() if hasattr(self.transform, "meta") else {}

    @property
    def silent(self) -> bool:
        """Whether all that is wanted is zero."""
        return not any(bool(g.any()) for g in self.groups)

    @cached_property
    def orders(self) -> list[dict[str, list[int] | None]]:
        """Of each group the rows of each order of scattering; "" and all rows, where there are no orders."""
        orders = self.meta.get("order")
        if orders is None:
            return [{"": None} for _ in self.groups]
        parts = np.split(np.asarray(orders), np.cumsum([g.shape[-2] for g in self.groups])[:-1])
        return [{f"order {k}": np.flatnonzero(part == k).tolist() for k in np.unique(part)} for part in parts]

    def analyse(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Take a sound's coefficients, as magnitudes where magnitudes are wanted.

        Parameters
        ----------
        x : torch.Tensor, shape (..., T)
            Sound.

        Returns
        -------
        tuple of torch.Tensor
            One tensor for each rate. Differentiable.
        """
        transform: Any = self.transform
        found = transform.forward(x) if hasattr(transform, "forward") else transform(x)
        groups = found.groups if isinstance(found, Coefficients) else (found,)
        return tuple(
            modulus(g) if g.is_complex() and not w.is_complex() else g for g, w in zip(groups, self.groups, strict=True)
        )

    def check(self, n_samples: int) -> None:
        """Refuse coefficients that no sound of this length has.

        Parameters
        ----------
        n_samples : int
            Length of the sound.

        Raises
        ------
        BadInput
            If they are another transform's or another length's, or magnitudes or scattering coefficients below zero.
        """
        transform: Any = self.transform
        silence = self.silence(n_samples)
        found = transform.forward(silence) if hasattr(transform, "forward") else transform(silence)
        groups = found.groups if isinstance(found, Coefficients) else (found,)
        shapes = [[tuple(g.shape) for g in each] for each in (self.groups, groups)]
        if shapes[0] != shapes[1]:
            raise BadInput(
                f"{self.name}: wanted are coefficients of shape {_shown(shapes[0])}, and of {n_samples} samples the "
                f"transform gives {_shown(shapes[1])}; take them from the transform that is to match them"
            )
        for group, now, orders in zip(self.groups, groups, self.orders, strict=True):
            if group.is_complex() or getattr(transform, "log", False):
                continue
            bare = (
                [group]
                if now.is_complex()
                else [group[..., rows, :] for label, rows in orders.items() if label > "order 0"]
            )
            # A low-pass of something positive may dip below zero by a rounding error.
            for part in bare:
                if float(part.min()) < -1e-3 * float(part.abs().max()):
                    raise BadInput(
                        f"{self.name}: a modulus of {float(part.min()):.3g} is wanted, and none is below 0; "
                        "clamp the wanted coefficients"
                    )

    def silence(self, n_samples: int) -> torch.Tensor:
        """Make a silent sound of the precision, on the device and with the leading dimensions of what is wanted.

        Parameters
        ----------
        n_samples : int
            Length of the sound.

        Returns
        -------
        torch.Tensor, shape (..., n_samples)
            Zeros.
        """
        first = self.groups[0]
        real = torch.zeros((), dtype=first.dtype).abs().dtype
        return torch.zeros(*first.shape[:-2], n_samples, dtype=real, device=first.device)


def _shown(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join(str(shape) for shape in shapes[:3]) + (f" and {len(shapes) - 3} more" if shapes[3:] else "")
