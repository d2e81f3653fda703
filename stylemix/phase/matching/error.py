"""How far a sound is from the coefficients it should have, and which way to go: errors and gradients, in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, lcm, sqrt
from typing import Any

import torch

from stylemix.phase.matching.target import Target
from stylemix.transforms.coefficients import Coefficients

# In the loss an order counts by its relative error, but one that holds less than this share of the whole counts by the
# error relative to this share: order 0 of a sound is often a thousandth, and descent would see to nothing else. With a
# third of the share, 5 % take twice the iterations.
_LOSS_SHARE = 0.2
# The same for the worst order, which tells when to end.
_WORST_SHARE = 0.05


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
        As `Target.check`.
    """

    def __init__(self, targets: Sequence[Target], n_samples: int, *, block_s: float = 30.0) -> None:
        for target in targets:
            target.check(n_samples)
        self.targets = tuple(targets)
        self.n_samples = n_samples
        self._blocks = [_blocks_of(target, n_samples, block_s) for target in targets]
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
            difference = found - wanted
            if difference.is_complex():
                difference = torch.view_as_real(difference).flatten(-2)
            for label, rows in self.targets[i].orders[g].items():
                part = difference if rows is None else difference[..., rows, :]
                square = part.square().sum()
                sums[label] = sums[label] + square if label in sums else square
        return sums

    def _order_norms(self, i: int) -> dict[str, float]:
        sums: dict[str, float] = {}
        for g, group in enumerate(self.targets[i].groups):
            for block in self._blocks[i]:
                wanted = block.cut(g, None, group)[1].abs()
                for label, rows in self.targets[i].orders[g].items():
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
