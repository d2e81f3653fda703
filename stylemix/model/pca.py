"""Principal components of patches of frames: the model's starting point and its yardstick."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from stylemix.errors import BadInput
from stylemix.model.autoencoder import to_patches
from stylemix.model.material import Material, Piece

# Longest vector whose covariance (half a gigabyte) is worth its memory.
LARGEST_PATCH = 8192
_CHUNK_FRAMES = 16384
# Patches that are multiplied at once.
_GATHERED = 2048
# From here on all eigenvectors take most of a minute, of which only the first are wanted.
_LARGE = 2048


@dataclass(frozen=True)
class Pca:
    """Means and principal directions.

    Parameters
    ----------
    means : torch.Tensor, shape (n_corpora, K)
        Mean log-spectrum of each corpus, or of all where spectra are not matched.
    components : torch.Tensor, shape (F * K, D)
        Orthonormal.
    deviations : torch.Tensor, shape (D,)
        Standard deviation along each.
    """

    means: torch.Tensor
    components: torch.Tensor
    deviations: torch.Tensor


def fit_pca(material: Material, *, latent_dim: int, frames_per_step: int, match_spectrum: bool) -> Pca:
    """Fit PCA to the training material, every corpus with its sampling weight, silence left out.

    Parameters
    ----------
    material : Material
        Its training pieces count.
    latent_dim : int
        D.
    frames_per_step : int
        F.
    match_spectrum : bool
        Remove each corpus' own mean spectrum, not the common one.

    Returns
    -------
    Pca
        The fit; where the data has fewer than D dimensions, the rest have tiny deviations.

    Raises
    ------
    BadInput
        If a patch is too long for a covariance matrix.
    """
    shares = material.shares
    means = _means(material)
    if not match_spectrum:
        means = (shares @ means).expand_as(means).contiguous()
    patch = frames_per_step * means.shape[1]
    if patch > LARGEST_PATCH:
        raise BadInput(
            f"model.frames_per_step times the bands of the transform must be at most {LARGEST_PATCH}, got "
            f"{frames_per_step} times {means.shape[1]}; lower model.frames_per_step or vqt.bins_per_octave"
        )
    # The large one need only be as good as the directions taken from it, and half a gigabyte is half a gigabyte.
    covariance = torch.zeros(patch, patch, dtype=torch.float64 if patch <= _LARGE else torch.float32)
    for corpus in range(len(shares)):
        total, count = torch.zeros_like(covariance), 0.0
        for x, w in _gathered(_patches(material, corpus, means[corpus], frames_per_step)):
            if total.dtype == x.dtype:
                total.addmm_(x * w, x.T)
            else:
                total += (x * w) @ x.T
            count += float(w.sum())
        covariance.add_(total, alpha=float(shares[corpus]) / max(count, 1e-9))
    variances, directions = _eigen(covariance, latent_dim)
    top = variances.flip(0)[:latent_dim].clamp_min(1e-6 * float(variances[-1].clamp_min(1e-12)))
    components = directions.flip(1)[:, :latent_dim]
    if (missing := latent_dim - components.shape[1]) > 0:
        components = torch.cat([components, torch.zeros(patch, missing, dtype=components.dtype)], dim=1)
        top = torch.cat([top, top[-1:].expand(missing)])
    return Pca(means, components.float(), top.sqrt().float())


def _eigen(covariance: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return at least the `count` largest eigenvalues, rising, and their vectors."""
    if len(covariance) <= _LARGE or count > len(covariance) // 4:
        return torch.linalg.eigh(covariance)
    # Subspace iteration: what lies below the wanted values fades by their ratio squared in each round; a
    # spectrum of music falls so fast that eight rounds agree with all eigenvectors to 1e-4 of the error that
    # PCA leaves.
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(len(covariance), count + count // 4 + 16, generator=generator, dtype=covariance.dtype)
    basis = torch.linalg.qr(start).Q
    for _ in range(8):
        basis = torch.linalg.qr(covariance @ basis).Q
    values, inside = torch.linalg.eigh(basis.T @ covariance @ basis)
    return values, basis @ inside


def _means(material: Material) -> torch.Tensor:
    means = []
    for corpus in range(len(material.names)):
        total, count = torch.zeros(material.n_bands, dtype=torch.float64), 0.0
        for piece in material.training(corpus):
            for shape, weight in _chunks(material, piece):
                total += (shape * weight).sum(1).double()
                count += float(weight.sum())
        means.append(total / max(count, 1e-9))
    return torch.stack(means).float()


def _patches(
    material: Material, corpus: int, mean: torch.Tensor, frames_per_step: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    for piece in material.training(corpus):
        for shape, weight in _chunks(material, piece):
            # Half a patch later is another view of the same sound: the grid must not matter.
            for offset in sorted({0, min(frames_per_step // 2, shape.shape[1] - 1)}):
                x = to_patches(shape[:, offset:] - mean.unsqueeze(-1), frames_per_step)
                yield x, to_patches(weight[None, offset:], frames_per_step).mean(0)


def _gathered(
    parts: Iterator[tuple[torch.Tensor, torch.Tensor]],
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Join the patches of many short files: adding to a large matrix takes longer than multiplying a few."""
    waiting: list[tuple[torch.Tensor, torch.Tensor]] = []
    for part in parts:
        waiting.append(part)
        if sum(len(w) for _, w in waiting) >= _GATHERED:
            yield torch.cat([x for x, _ in waiting], dim=1), torch.cat([w for _, w in waiting])
            waiting = []
    if waiting:
        yield torch.cat([x for x, _ in waiting], dim=1), torch.cat([w for _, w in waiting])


def _chunks(material: Material, piece: Piece) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    for start in range(piece.start, piece.stop, _CHUNK_FRAMES):
        yield material.shapes(piece, start, min(start + _CHUNK_FRAMES, piece.stop))
