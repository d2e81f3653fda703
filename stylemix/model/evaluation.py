"""How well a model, or PCA in its place, knows what it never heard."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch

from stylemix.model.autoencoder import Autoencoder, from_patches, to_patches
from stylemix.model.losses import mix_between
from stylemix.model.material import Material, Piece
from stylemix.model.pca import LARGEST_PATCH, fit_pca
from stylemix.recipe import Recipe

# While training, as many frames of every held-out stretch are measured; at the end, all of them.
QUICK_FRAMES = 3000
# Of hours of music fewer of each, or measuring would take longer than learning.
_QUICK_IN_ALL = 32000
_QUICK_LEAST = 256
# Crops between which `between_error` mixes, and how many are decoded at once: memory is theirs.
_MOST_CROPS = 512
_BATCH = 32
_CHUNK_FRAMES = 8192

Decoder = Callable[[torch.Tensor, int, torch.Tensor | None], torch.Tensor]


def held_out_error(
    rebuild: Decoder, material: Material, means: torch.Tensor, *, most_frames: int | None = None
) -> float:
    """Measure the reconstruction error on the held-out stretches.

    Parameters
    ----------
    rebuild : callable
        ``rebuild(shape (1, K, N), corpus, context (1, R, M) or None)`` returns what comes out, shaped as `shape`.
    material : Material
        Where the stretches are.
    means : torch.Tensor, shape (n_corpora, K)
        Mean log-spectra: their error is 1.
    most_frames : int, optional
        Frames of each stretch to measure, fewer where there are many; all by default.

    Returns
    -------
    float
        Squared error over the variance around the means, both summed over bands and sounding frames.
    """
    error, variance = 0.0, 0.0
    with torch.inference_mode():
        for piece, start, stop in _stretches(material, most_frames):
            shape, weight = material.shapes(piece, start, stop)
            out = rebuild(shape[None], piece.corpus, _one(material.context(piece, start, stop)))[0]
            error += float(((out - shape).square().mean(0) * weight).sum())
            variance += float(((shape - means[piece.corpus].unsqueeze(-1)).square().mean(0) * weight).sum())
    return error / max(variance, 1e-12)


def model_decoder(model: Autoencoder, n_corpora: int) -> Decoder:
    """Make of a model what `held_out_error` asks for.

    Parameters
    ----------
    model : Autoencoder
        In evaluation mode.
    n_corpora : int
        Length of its condition.

    Returns
    -------
    callable
        Encodes and decodes as the corpus it is told.
    """

    def rebuild(shape: torch.Tensor, corpus: int, context: torch.Tensor | None) -> torch.Tensor:
        device = model.means.device
        condition = torch.eye(n_corpora, device=device)[corpus][None]
        codes = model.encode(shape.to(device), condition, None if context is None else context.to(device))
        out = model.decode(codes, condition.unsqueeze(-1).expand(-1, -1, codes.shape[-1]))
        return out[..., : shape.shape[-1]].cpu()

    return rebuild


def pca_error(material: Material, recipe: Recipe, *, times: int = 1) -> float | None:
    """Measure PCA at the model's rate of numbers a second.

    Parameters
    ----------
    material : Material
        Fitted on its training stretches, measured on the held-out ones.
    recipe : Recipe
        Its latent dimensions and frames a step count.
    times : int
        Of 1, the same numbers a step as the model, which is where the model starts. Of 4, four times the
        frames and four times the dimensions, so as many numbers a second but a quarter of the model's time
        resolution: what knowing the past and the future is worth.

    Returns
    -------
    float or None
        As `held_out_error`; None if the patches would be too large to compare with.
    """
    frames = recipe.model.frames_per_step * times
    if frames * material.n_bands > LARGEST_PATCH:
        return None
    pca = fit_pca(
        material,
        latent_dim=recipe.model.latent_dim * times,
        frames_per_step=frames,
        match_spectrum=recipe.features.match_spectrum,
    )

    def rebuild(shape: torch.Tensor, corpus: int, context: torch.Tensor | None) -> torch.Tensor:
        mean = pca.means[corpus].unsqueeze(-1)
        x = to_patches(shape - mean, frames)
        out = from_patches(pca.components @ (pca.components.T @ x), frames)
        return out[..., : shape.shape[-1]] + mean

    return held_out_error(rebuild, material, pca.means)


def between_error(model: Autoencoder, material: Material, recipe: Recipe, *, seed: int = 0) -> float:
    """Measure how differently encoder and decoder read points between the corpora.

    Parameters
    ----------
    model : Autoencoder
        In evaluation mode.
    material : Material
        Held-out stretches are mixed where there are any.
    recipe : Recipe
        For the length of a crop.
    seed : int
        For the pairs and the points.

    Returns
    -------
    float
        Squared distance between a mixed code and the code of its own sound, over the codes' variance: 0
        without holes.
    """
    model = copy.deepcopy(model).cpu()
    with torch.inference_mode():
        crops = _sounding_crops(material, recipe.training.crop_steps * recipe.model.frames_per_step)
        if len(crops) < 2:
            return 0.0
        # Evenly spread over all of them.
        crops = crops[:: -(-len(crops) // _MOST_CROPS)]
        c = torch.eye(len(material.names))[[piece.corpus for piece, _, _ in crops]]
        contexts = [_one(material.context(*crop)) for crop in crops]
        z = torch.cat([
            model.encode(material.shapes(*crop)[0][None], one[None], context)
            for crop, one, context in zip(crops, c, contexts, strict=True)
        ])
        heard = [context for context in contexts if context is not None]
        generator = torch.Generator().manual_seed(seed)
        mixed, mixture, around = mix_between(z, c, generator, torch.cat(heard) if heard else None)
        distance = 0.0
        for part in torch.arange(len(mixed)).split(_BATCH):
            codes, condition = mixed[part], mixture[part]
            decoded = model.decode(codes, condition.unsqueeze(-1).expand(-1, -1, codes.shape[-1]))
            again = model.encode(decoded, condition, None if around is None else around[part])
            distance += float((again - codes).square().sum())
        return distance / mixed.numel() / max(float(z.var()), 1e-12)


def _one(context: torch.Tensor | None) -> torch.Tensor | None:
    return None if context is None else context[None]


def _sounding_crops(material: Material, n_frames: int) -> list[tuple[Piece, int, int]]:
    found = []
    for piece, start, stop in _stretches(material, None):
        weight = material.shapes(piece, start, stop)[1]
        found += [
            (piece, start + a, start + a + n_frames)
            for a in range(0, stop - start - n_frames + 1, n_frames)
            if float(weight[a : a + n_frames].mean()) > 0.5
        ]
    return found


def _stretches(material: Material, most_frames: int | None) -> list[tuple[Piece, int, int]]:
    found, pieces = [], material.judging()
    if most_frames is not None:
        most_frames = min(most_frames, max(_QUICK_LEAST, _QUICK_IN_ALL // len(pieces)))
    for piece in pieces:
        length = piece.stop - piece.start
        count = length if most_frames is None else min(length, most_frames)
        first = piece.start + (length - count) // 2
        found += [(piece, a, min(a + _CHUNK_FRAMES, first + count)) for a in range(first, first + count, _CHUNK_FRAMES)]
    return found
