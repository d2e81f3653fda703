"""How the encoder's context is centred and reduced: principal components of the training material's."""

from __future__ import annotations

import torch

from stylemix.errors import BadInput
from stylemix.model.autoencoder import to_patches
from stylemix.model.material import Material, Piece

_CHUNK_STEPS = 2048
# Half-precision rounding of the logarithms, at most 2e-3, must not be raised to a whole deviation.
_LEAST_VARIANCE = 1e-5


def fit_context(material: Material, *, size: int, match_spectrum: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Fit how a context is centred and reduced, every corpus with its sampling weight, silence left out.

    Parameters
    ----------
    material : Material
        Its training pieces count; they must have a context.
    size : int
        C, numbers to reduce it to.
    match_spectrum : bool
        Remove each corpus' own mean, not the common one.

    Returns
    -------
    means : torch.Tensor, shape (n_corpora, R)
        Mean context of each corpus, or of all.
    basis : torch.Tensor, shape (C, R)
        Whitens: principal directions over the standard deviation along each; zero where the data has fewer.
    """
    means, scatters = [], []
    for corpus in range(len(material.shares)):
        moments = [_moments(material, piece) for piece in material.training(corpus)]
        count, total, squares = (torch.stack(parts).sum(0) for parts in zip(*moments, strict=True))
        means.append(total / count.clamp_min(1e-9))
        scatters.append(squares / count.clamp_min(1e-9) - torch.outer(means[-1], means[-1]))
    shares, centre = material.shares.double(), torch.stack(means)
    scatter = torch.einsum("c,cij->ij", shares, torch.stack(scatters))
    if not match_spectrum:
        common = shares @ centre
        apart = centre - common
        scatter = scatter + torch.einsum("c,ci,cj->ij", shares, apart, apart)
        centre = common.expand_as(centre)
    variances, directions = torch.linalg.eigh(scatter)
    variances, directions = variances.flip(0)[:size], directions.flip(1)[:, :size]
    real = variances > _LEAST_VARIANCE
    basis = torch.zeros(size, len(scatter), dtype=scatter.dtype)
    basis[: len(variances)] = (directions / variances.clamp_min(_LEAST_VARIANCE).sqrt() * real).T
    return centre.float().contiguous(), basis.float()


def _moments(material: Material, piece: Piece) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the weight of a piece's steps, and the weighted sums of their contexts and of the outer products."""
    f = material.frames_per_step
    count, total, squares = (torch.zeros((), dtype=torch.float64) for _ in range(3))
    for start in range(piece.start, piece.stop, _CHUNK_STEPS * f):
        stop = min(start + _CHUNK_STEPS * f, piece.stop)
        context = material.context(piece, start, stop)
        if context is None:
            raise BadInput("fit_context: the pieces have no context; prepare them with a recipe that wants one")
        weight = to_patches(material.shapes(piece, start, stop)[1][None], f).mean(0).double()
        x = context.double()
        count, total, squares = count + weight.sum(), total + x @ weight, squares + (x * weight) @ x.T
    return count, total, squares
