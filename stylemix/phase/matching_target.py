"""How far a sound is from coefficients it should have, and which way to go: errors and gradients, in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, lcm, sqrt
from typing import Any

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.transforms.cascade import modulus
from stylemix.transforms.coefficients import Coefficients, Transform

# In the loss an order counts by its relative error, but one that holds less than this share of the whole counts by the
# error relative to this share: order 0 of a sound is often a thousandth, and descent would see to nothing else. With a
# third of the share, 5 % take twice the iterations.
_LOSS_SHARE = 0.2
# The same for the worst order, which tells when to end.
_WORST_SHARE = 0.05


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

        Raises
        ------
        BadInput
            If there are others than the wanted ones: they are another transform's.
        """
        found = self.transform.forward(x) if hasattr(self.transform, "forward") else self.transform(x)
        groups = found.groups if isinstance(found, Coefficients) else (found,)
        if len(groups) != len(self.groups):
            raise BadInput(f"{self.name}: wanted are coefficients at {len(self.groups)} rates, and the transform gives "
                           f"{len(groups)}; take the target from the transform that is to match it")
        bare = [g.is_complex() and not w.is_complex() for g, w in zip(groups, self.groups, strict=True)]
        if any(bare) and self._least < 0:
            raise BadInput(f"{self.name}: wanted are real coefficients of a complex transform, so magnitudes, and the "
                           f"least is {self._least:.3g}; magnitudes are not negative")
        return tuple(modulus(g) if b else g for g, b in zip(groups, bare, strict=True))

    @cached_property
    def _least(self) -> float:
        return min((float(g.min()) for g in self.groups if not g.is_complex()), default=0.0)


class Objective:
    r"""The error of a sound against one or several targets.

    .. math:: L(x) = \sum_i w_i \sum_o \frac{\|S_{i,o} x - t_{i,o}\|^2}{\max(\|t_{i,o}\|, 0.2 \|t_i\|)^2}
              \Big/ \sum_i w_i

    over targets i and orders o of scattering: each order by its own relative error, since the second holds a tenth
    of what the first does. (Relative errors of single rows were tried too: they need three times the iterations for
    the same errors in the orders, and change little else.)

    Parameters
    ----------
    targets : sequence of Target
        What is wanted.
    n_samples : int
        Length of the sound.
    block_s : float
        Longer sound is looked at in blocks of so many seconds, in memory that does not grow with it.

    Raises
    ------
    BadInput
        If there is no target.
    """

    def __init__(self, targets: Sequence[Target], n_samples: int, *, block_s: float = 30.0) -> None:
        if not targets:
            raise BadInput("match: give at least one target")
        self.targets = tuple(targets)
        self.n_samples = n_samples
        self._blocks = [_blocks_of(target, n_samples, block_s) for target in targets]
        self._orders = [_orders_of(target) for target in targets]
        self._norms = [self._order_norms(i) for i in range(len(targets))]

    @property
    def names(self) -> tuple[str, ...]:
        """Of each order of each target, as in the errors."""
        several = len(self.targets) > 1
        return tuple(
            f"{target.name} {label}".strip() if several else label or target.name
            for target, norms in zip(self.targets, self._norms, strict=True)
            for label in norms
        )

    def evaluate(self, x: torch.Tensor, *, max_order: int | None = None) -> tuple[Errors, float, torch.Tensor]:
        """Measure the errors of a sound and the gradient of the loss.

        Parameters
        ----------
        x : torch.Tensor, shape (..., T)
            Sound.
        max_order : int, optional
            Let no higher order of scattering contribute to the gradient.

        Returns
        -------
        errors : Errors
            Of all targets.
        loss : float
            Of the orders that contribute.
        gradient : torch.Tensor, shape (..., T)
            Of that loss.
        """
        gradient, followed = torch.zeros_like(x), 0.0
        total = sum(target.weight for target in self.targets)
        squares = []
        for i, target in enumerate(self.targets):
            sums = dict.fromkeys(self._norms[i], 0.0)
            for block in self._blocks[i]:
                piece = x[..., block.read].detach().requires_grad_()
                parts = self._squares(i, target.analyse(piece), block)
                loss = x.new_zeros(())
                for label, square in parts.items():
                    sums[label] += float(square.detach())
                    if max_order is None or not label or int(label.split()[-1]) <= max_order:
                        loss = loss + square * (target.weight / total / self._scale(i, label) ** 2)
                followed += float(loss.detach())
                if loss.requires_grad:
                    gradient[..., block.read] += torch.autograd.grad(loss, piece)[0]
            squares.append(sums)
        return self._errors(squares), followed, gradient

    def _squares(self, i: int, groups: tuple[torch.Tensor, ...], block: _Block) -> dict[str, torch.Tensor]:
        """Sum the squared differences of a block, for each order."""
        sums: dict[str, torch.Tensor] = {}
        for g, (found, wanted) in enumerate(zip(groups, self.targets[i].groups, strict=True)):
            found, wanted = block.cut(g, found, wanted)
            if found.shape != wanted.shape:
                raise BadInput(
                    f"{self.targets[i].name}: wanted are coefficients of shape {tuple(wanted.shape)}, and of a sound "
                    f"of {self.n_samples} samples the transform gives {tuple(found.shape)}; take the target from the "
                    "transform that is to match it"
                )
            difference = found - wanted
            if difference.is_complex():
                difference = torch.view_as_real(difference).flatten(-2)
            for label, rows in self._orders[i][g].items():
                part = difference if rows is None else difference[..., rows, :]
                square = part.square().sum()
                sums[label] = sums[label] + square if label in sums else square
        return sums

    def _order_norms(self, i: int) -> dict[str, float]:
        sums: dict[str, float] = {}
        for g, group in enumerate(self.targets[i].groups):
            for block in self._blocks[i]:
                wanted = block.cut(g, None, group)[1].abs()
                for label, rows in self._orders[i][g].items():
                    part = wanted if rows is None else wanted[..., rows, :]
                    sums[label] = sums.get(label, 0.0) + float(part.square().sum())
        return {label: sqrt(sums[label]) for label in sorted(sums)}

    def _scale(self, i: int, label: str, share: float = _LOSS_SHARE) -> float:
        whole = sqrt(sum(norm**2 for norm in self._norms[i].values()))
        return max(self._norms[i][label], share * whole, 1e-12)

    def _errors(self, squares: list[dict[str, float]]) -> Errors:
        total = sum(target.weight for target in self.targets)
        loss = whole = worst = 0.0
        relative = []
        for i, sums in enumerate(squares):
            norms = self._norms[i]
            share = self.targets[i].weight / total
            whole += share * sum(sums.values()) / max(sum(n**2 for n in norms.values()), 1e-24)
            for label, square in sums.items():
                loss += share * square / self._scale(i, label) ** 2
                worst = max(worst, sqrt(square) / self._scale(i, label, _WORST_SHARE))
                relative.append(sqrt(square) / max(norms[label], 1e-12))
        return Errors(loss, sqrt(whole), worst, dict(zip(self.names, relative, strict=True)))


@dataclass(frozen=True)
class Errors:
    """How far a sound is from its targets.

    Parameters
    ----------
    loss : float
        What descent makes smaller.
    whole : float
        Relative Euclidean error of all coefficients together; of several targets the root of the weighted mean of
        their squares.
    worst : float
        The largest of the orders' relative errors; one that holds less than a twentieth counts as if it held one.
    orders : dict of str to float
        Relative error of each order of each target.
    """

    loss: float
    whole: float
    worst: float
    orders: dict[str, float]


@dataclass(frozen=True)
class _Block:
    """Part of the sound that is analysed at once, and which of its coefficients count."""

    read: slice  # samples
    found: tuple[slice, ...]  # frames of each group, of what the part gives
    wanted: tuple[slice, ...]  # and of what the whole should give

    def cut(self, g: int, found: torch.Tensor | None, wanted: torch.Tensor) -> tuple[Any, torch.Tensor]:
        """Take the frames that count."""
        if not self.found:
            return found, wanted
        return None if found is None else found[..., self.found[g]], wanted[..., self.wanted[g]]


def _blocks_of(target: Target, n_samples: int, block_s: float) -> list[_Block]:
    """Cut the sound; what is read overlaps by the transform's margins, what counts does not."""
    return list(_cut(target, n_samples, block_s)) or [_Block(slice(0, n_samples), (), ())]


def _cut(target: Target, n_samples: int, block_s: float) -> Iterator[_Block]:
    hops = target.wanted.hops if isinstance(target.wanted, Coefficients) else ()
    margin = getattr(target.transform, "margin", None)
    # A function's reach is not known, and the average over all of a sound has no part.
    if margin is None or not hops or max(hops) >= n_samples:
        return
    align = lcm(*hops)
    margin = ceil(margin / align) * align
    block = max(ceil(block_s * target.transform.sample_rate / align), 1) * align  # type: ignore[union-attr]
    if n_samples <= block + 2 * margin:
        return
    for start in range(0, n_samples, block):
        stop = min(start + block, n_samples)
        first, last = max(0, start - margin), min(n_samples, stop + margin)
        # Frame n belongs to sample n * hop.
        yield _Block(
            slice(first, last),
            tuple(slice((start - first) // hop, ceil((stop - first) / hop)) for hop in hops),
            tuple(slice(start // hop, ceil(stop / hop)) for hop in hops),
        )


def _orders_of(target: Target) -> list[dict[str, list[int] | None]]:
    """For each group the rows of each order; "" and all rows, where there are no orders."""
    orders = target.meta.get("order")
    rows = [g.shape[-2] if g.ndim > 1 else 1 for g in target.groups]
    if orders is None:
        return [{"": None} for _ in rows]
    if sum(rows) != len(orders):
        raise BadInput(f"{target.name}: wanted are coefficients in {sum(rows)} rows, and the transform gives "
                       f"{len(orders)}; take the target from the transform that is to match it")
    parts = np.split(np.asarray(orders), np.cumsum(rows)[:-1])
    return [{f"order {k}": np.flatnonzero(part == k).tolist() for k in np.unique(part)} for part in parts]
