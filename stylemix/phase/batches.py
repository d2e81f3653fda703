"""Many sounds as one and one as many: leading dimensions taken apart, put together, laid flat."""

from __future__ import annotations

import numpy as np
import torch


def split_batch(groups: tuple[torch.Tensor, ...]) -> list[tuple[torch.Tensor, ...]]:
    """Take leading dimensions apart.

    Parameters
    ----------
    groups : tuple of torch.Tensor, each (..., K_g, N_g)
        Of one sound or many.

    Returns
    -------
    list of tuple of torch.Tensor, each (K_g, N_g)
        Of each.
    """
    rows = [g.detach().reshape(-1, *g.shape[-2:]) for g in groups]
    return list(zip(*rows, strict=True))


def join_batch(parts: list[tuple[torch.Tensor, ...]], like: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """Put leading dimensions together again: the inverse of `split_batch`.

    Parameters
    ----------
    parts : list of tuple of torch.Tensor, each (K_g, N_g)
        Of each sound.
    like : tuple of torch.Tensor, each (..., K_g, N_g)
        Whose shapes and devices the result has.

    Returns
    -------
    tuple of torch.Tensor, each (..., K_g, N_g)
        Of all.
    """
    if not parts:
        return tuple(torch.ones_like(m, dtype=torch.complex64) for m in like)
    return tuple(
        torch.stack(groups).reshape(m.shape).to(m.device)
        for groups, m in zip(zip(*parts, strict=True), like, strict=True)
    )


def flat(groups: tuple[torch.Tensor, ...]) -> np.ndarray:
    """Lay all coefficients in one array, row after row.

    Parameters
    ----------
    groups : tuple of torch.Tensor, each (K_g, N_g)
        Coefficients.

    Returns
    -------
    np.ndarray, shape (M,)
        Their values.
    """
    return np.concatenate([g.detach().cpu().numpy().ravel() for g in groups])
