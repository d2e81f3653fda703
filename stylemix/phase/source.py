"""The phase of a sound that is already there: of one parent, or of whichever parent dominates."""

from __future__ import annotations

import torch


def parents_phase(
    source: tuple[torch.Tensor, ...],
    target: tuple[torch.Tensor, ...] | None,
    alpha: tuple[torch.Tensor, ...],
) -> tuple[torch.Tensor, ...]:
    """Take the phase from the sum of the parents, each weighted by its share.

    At alpha 0 it is the source's, at alpha 1 the target's; between, that of whichever is louder in the
    coefficient.

    Parameters
    ----------
    source : tuple of torch.Tensor, each (..., K_g, N_g), complex
        Coefficients of the source.
    target : tuple of torch.Tensor, each (..., K_g, N_g), complex, or None
        Coefficients of the target; without them the phase is the source's throughout.
    alpha : tuple of torch.Tensor, each broadcasting to (..., K_g, N_g)
        Share of the target, 0 to 1.

    Returns
    -------
    tuple of torch.Tensor, each (..., K_g, N_g), complex
        Numbers of magnitude 1 (1 where there is no sound at all).

    Examples
    --------
    >>> s, t = (torch.tensor([[2j]]),), (torch.tensor([[5 + 0j]]),)
    >>> [complex(parents_phase(s, t, (torch.tensor([[a]]),))[0]) for a in (0.0, 1.0)]
    [1j, (1+0j)]
    """
    if target is None:
        return tuple(unit(s) for s in source)
    return tuple(unit((1 - a) * s + a * t) for s, t, a in zip(source, target, alpha, strict=True))


def unit(c: torch.Tensor) -> torch.Tensor:
    """Scale complex numbers to magnitude 1.

    Parameters
    ----------
    c : torch.Tensor, complex
        Any numbers.

    Returns
    -------
    torch.Tensor, complex
        ``c / |c|``, and 1 where c is 0 or too small to be divided by.

    Examples
    --------
    >>> unit(torch.tensor([3j, 0j])).tolist()
    [1j, (1+0j)]
    """
    magnitude = c.abs()
    silent = magnitude < torch.finfo(magnitude.dtype).tiny
    return torch.where(silent, torch.ones_like(c), c / torch.where(silent, torch.ones_like(magnitude), magnitude))
