"""The autoencoder: PCA on patches of frames, plus residual layers that start at zero."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from stylemix.errors import BadInput
from stylemix.model.layers import ResidualLayer
from stylemix.model.layers import from_patches as from_patches
from stylemix.model.layers import to_patches as to_patches
from stylemix.model.refiner import Refiner
from stylemix.model.translator import Translator
from stylemix.recipe import Model


class Autoencoder(nn.Module):
    """Shapes of spectra to latents and back, told which corpus it is.

    ``encode(x, s) = W (x - m) + e(x - m, s)`` and ``decode(z, c) = y + r(y, c) + m(c)`` with
    ``y = W' z + d(z, c)``: `W` and `W'` start as whitened PCA and its inverse, the last layers of the residual
    networks `e` and `d` and of the refiner `r` at zero, and ``m(c)`` is the mean log-spectrum of the corpora mixed
    by the condition `c`. So before the first step it *is* PCA. The context `s`, where the recipe has one, is heard
    by `e` alone: what is decoded does not hold it. Beside it, where the recipe has content, stands a `Translator`.

    Parameters
    ----------
    n_bands : int
        K.
    n_corpora : int
        Length of the condition.
    size : stylemix.recipe.Model
        The recipe's numbers.
    context : tuple of int, optional
        Rows R of the context and the C numbers to which they are reduced; by default there is none.
    """

    means: torch.Tensor
    context_means: torch.Tensor
    context_basis: torch.Tensor

    def __init__(self, n_bands: int, n_corpora: int, size: Model, context: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.frames_per_step = size.frames_per_step
        patch, dims, width = n_bands * size.frames_per_step, size.latent_dim, size.width
        self.register_buffer("means", torch.zeros(n_corpora, n_bands))
        self.linear_in = nn.Parameter(torch.zeros(dims, patch))
        self.linear_out = nn.Parameter(torch.zeros(patch, dims))
        self.encoder_in = nn.Conv1d(patch, width, 1)
        self.encoder = nn.ModuleList(ResidualLayer(width, 0, size.dropout) for _ in range(size.depth))
        self.encoder_out = nn.Conv1d(width, dims, 1)
        self.decoder_in = nn.Conv1d(dims, width, 1)
        self.decoder = nn.ModuleList(ResidualLayer(width, n_corpora, size.dropout) for _ in range(size.depth))
        self.decoder_out = nn.Conv1d(width, patch, 1)
        self.refiner = Refiner(size.frames_per_step, n_corpora, size.refiner_width, size.refiner_depth)
        for layer in (self.encoder_out, self.decoder_out):
            nn.init.zeros_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        # It shares no weight with the rest: what it learns costs the reconstruction nothing but time.
        self.translator = Translator(n_bands, n_corpora, size) if size.content_dim else None
        # Made last, so that the other layers begin with the same numbers with and without it.
        self.context_in: nn.Conv1d | None = None
        if context is not None:
            rows, reduced = context
            self.register_buffer("context_means", torch.zeros(n_corpora, rows))
            self.register_buffer("context_basis", torch.zeros(reduced, rows))
            self.context_in = nn.Conv1d(reduced, width, 1, bias=False)
            nn.init.zeros_(self.context_in.weight)

    @torch.no_grad()
    def start_as_pca(self, means: torch.Tensor, components: torch.Tensor, deviations: torch.Tensor) -> None:
        """Set the linear path.

        Parameters
        ----------
        means : torch.Tensor, shape (n_corpora, K)
            Mean log-spectrum of each corpus.
        components : torch.Tensor, shape (F * K, D)
            Orthonormal principal directions of the patches.
        deviations : torch.Tensor, shape (D,)
            Standard deviation along each: the latents are whitened.
        """
        self.means.copy_(means)
        if self.translator is not None:
            self.translator.means.copy_(means)
        self.linear_in.copy_((components / deviations).T)
        self.linear_out.copy_(components * deviations)

    @torch.no_grad()
    def standardise_context(self, means: torch.Tensor, basis: torch.Tensor) -> None:
        """Set how a context is centred and reduced.

        Parameters
        ----------
        means : torch.Tensor, shape (n_corpora, R)
            Mean context of each corpus.
        basis : torch.Tensor, shape (C, R)
            Whitens: principal directions over the standard deviation along each.
        """
        self.context_means.copy_(means)
        self.context_basis.copy_(basis)

    def encode(self, shape: torch.Tensor, condition: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        """Shapes of spectra to latents.

        Parameters
        ----------
        shape : torch.Tensor, shape (B, K, N)
            From `set_loudness_apart`.
        condition : torch.Tensor, shape (B, n_corpora)
            Weights of the corpora.
        context : torch.Tensor, shape (B, R, M), optional
            From `stylemix.context`; needed where the model was made with one, and refused where it was not.

        Returns
        -------
        torch.Tensor, shape (B, D, M)
            Latents, M = ceil(N / F).

        Raises
        ------
        BadInput
            If there is a context too many or too few, or it has another shape.
        """
        x = to_patches(shape - (condition @ self.means).unsqueeze(-1), self.frames_per_step)
        h = self.encoder_in(x)
        if (heard := self._heard(context, condition, (x.shape[0], x.shape[-1]))) is not None:
            h = h + heard
        for layer in self.encoder:
            h = layer(h)
        return self.linear_in @ x + self.encoder_out(h)

    def _heard(
        self, context: torch.Tensor | None, condition: torch.Tensor, size: tuple[int, int]
    ) -> torch.Tensor | None:
        """Return what the context adds to the hidden state, (B, width, M)."""
        if self.context_in is None:
            if context is not None:
                raise BadInput("context: this model was trained without one (features.kind = vqt); leave it out")
            return None
        wanted = (size[0], self.context_basis.shape[1], size[1])
        if context is None or tuple(context.shape) != wanted:
            got = "none" if context is None else tuple(context.shape)
            raise BadInput(
                f"context: this model hears scattering coefficients of shape {wanted}, got {got}; "
                "take them from Run.context or stylemix.context"
            )
        centred = context - (condition @ self.context_means).unsqueeze(-1)
        return cast(torch.Tensor, self.context_in(self.context_basis @ centred))

    def decode(self, codes: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Latents to shapes of spectra.

        Parameters
        ----------
        codes : torch.Tensor, shape (B, D, M)
            Latents.
        condition : torch.Tensor, shape (B, n_corpora, M)
            Weights of the corpora at every step.

        Returns
        -------
        torch.Tensor, shape (B, K, F * M)
            Shapes.
        """
        h = self.decoder_in(codes)
        for layer in self.decoder:
            h = layer(h, condition)
        patches = self.linear_out @ codes + self.decoder_out(h)
        patches = patches + self.refiner(patches, condition, self.means)
        shape = from_patches(patches, self.frames_per_step)
        mean = torch.einsum("bcm,ck->bkm", condition, self.means)
        return shape + mean.repeat_interleave(self.frames_per_step, dim=-1)
