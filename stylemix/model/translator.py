"""What happens in a sound, apart from whose sound it is, and how each corpus would sound doing it."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import nn
from torch.nn import functional

from stylemix.model.layers import ResidualLayer, from_patches, to_patches
from stylemix.recipe import Model

# Bands of the smooth envelope's finest ripple: what is broader is timbre and is hidden from the content.
_ENVELOPE_BANDS = 9
# Fine structure is heard between these (nepers above the envelope): gaps between partials say nothing by their depth.
_FINE = (-1.5, 3.0)
# A contour is how loud a frame is beside so many latent steps around it, within these limits (nepers).
_CONTOUR_STEPS = 8
_CONTOUR = (-6.0, 4.0)
# Share of hidden channels dropped while training: content is few numbers already, so less than in the autoencoder.
_DROPOUT = 0.1
# Logit of the share of a sound's own envelope that is given up at first, a quarter; and how much faster than Adam's
# steps it moves: it has a few numbers only, each far from where it ends (near a half in 300 steps).
_FORGETTING = -0.1
_FORGETTING_RATE = 10.0
_SOFTEST = math.log(1e-5)


def contour_of(loudness: torch.Tensor, frames: int) -> torch.Tensor:
    """Tell how loud each frame is beside the mean power around it: attacks, decays and pauses, but no level.

    Parameters
    ----------
    loudness : torch.Tensor, shape (..., N)
        Natural logarithm.
    frames : int
        Odd number of frames in the mean; at the ends there are fewer.

    Returns
    -------
    torch.Tensor, shape (..., N)
        Natural logarithm, limited.

    Examples
    --------
    >>> contour_of(torch.full((5,), -3.0), 3).abs().max().item() < 1e-5
    True
    """
    # Relative to the loudest frame, so that no power is lost to single precision.
    peak = loudness.amax(-1, keepdim=True)
    power = (2 * (loudness - peak)).exp().reshape(-1, 1, loudness.shape[-1])
    mean = functional.avg_pool1d(power, frames, 1, frames // 2, count_include_pad=False).reshape(loudness.shape)
    around = (peak + 0.5 * mean.clamp_min(1e-12).log()).clamp_min(_SOFTEST)
    return (loudness - around).clamp(*_CONTOUR)


def fine_structure(shape: torch.Tensor) -> torch.Tensor:
    """Take the smooth spectral envelope off every frame: what is left is partials, and so pitch.

    The envelope is what the first cosines over the bands say, as in cepstral liftering; so no equaliser that is
    as smooth as they are changes the result.

    Parameters
    ----------
    shape : torch.Tensor, shape (..., K, N)
        From `set_loudness_apart`.

    Returns
    -------
    torch.Tensor, shape (..., K, N)
        Nepers above the envelope, limited.

    Examples
    --------
    >>> fine_structure(torch.full((1, 18, 2), 3.0)).abs().max().item() < 1e-5
    True
    """
    k = shape.shape[-2]
    basis = cosines(k, _envelope_size(k)).to(shape)
    return (shape - basis.T @ (basis @ shape)).clamp(*_FINE)


def _envelope_size(n_bands: int) -> int:
    return max(2, round(n_bands / _ENVELOPE_BANDS))


@lru_cache(maxsize=8)
def cosines(n_bands: int, count: int) -> torch.Tensor:
    """Return the first cosines over the bands, orthonormal.

    Parameters
    ----------
    n_bands : int
        K.
    count : int
        How many.

    Returns
    -------
    torch.Tensor, shape (count, K)
        Rows of the discrete cosine transform.

    Examples
    --------
    >>> rows = cosines(6, 3)
    >>> torch.allclose(rows @ rows.T, torch.eye(3), atol=1e-6)
    True
    """
    # What is kept must not be a tensor of inference mode, which could not be used where there are gradients.
    with torch.inference_mode(False):
        place = (torch.arange(n_bands) + 0.5) * (math.pi / n_bands)
        rows = torch.cos(torch.arange(count)[:, None] * place) * math.sqrt(2 / n_bands)
        rows[0] /= math.sqrt(2)
        return rows


class Translator(nn.Module):
    """Content of a sound, and the sound that each corpus gives to it.

    A content encoder hears fine structure, contour and onsets, no envelope. From its numbers one decoder predicts,
    for every corpus by a last layer of its own, log-spectra relative to the level around them. What goes from one
    corpus to another is the difference of two predictions for the same content, less a learned share of what the
    sound's own envelope has beside its corpus' prediction: else the most peculiar part of the old sound would stay.
    It can be added to the magnitudes of a source, whose fine details stay its own. No change of weights is no change
    of sound, and half of it is half of it in decibels.

    Parameters
    ----------
    n_bands : int
        K.
    n_corpora : int
        How many sounds it gives.
    size : stylemix.recipe.Model
        The recipe's numbers.
    """

    means: torch.Tensor
    content_means: torch.Tensor
    whitener: torch.Tensor
    strength: torch.Tensor

    def __init__(self, n_bands: int, n_corpora: int, size: Model) -> None:
        super().__init__()
        self.frames_per_step, self.n_corpora = size.frames_per_step, n_corpora
        dims, width, f = size.content_dim, size.content_width, size.frames_per_step
        self.register_buffer("means", torch.zeros(n_corpora, n_bands))
        self.register_buffer("content_means", torch.zeros(n_corpora, dims))
        self.register_buffer("whitener", torch.eye(dims))
        self.register_buffer("strength", torch.ones(1))
        self.encoder_in = nn.Conv1d(f * (n_bands + 2), width, 1)
        self.encoder = nn.ModuleList(ResidualLayer(width, 0, _DROPOUT) for _ in range(size.depth))
        self.encoder_out = nn.Conv1d(width, dims, 1)
        self.decoder_in = nn.Conv1d(dims, width, 1)
        self.decoder = nn.ModuleList(ResidualLayer(width, 0, _DROPOUT) for _ in range(size.depth))
        self.forgetting = nn.Parameter(torch.full((_envelope_size(n_bands),), _FORGETTING))
        self.sounds = nn.Conv1d(width, n_corpora * f * n_bands, 1)
        # So before the first step it is an equaliser that leads from one mean spectrum towards the other.
        nn.init.zeros_(self.sounds.weight)
        if self.sounds.bias is not None:
            nn.init.zeros_(self.sounds.bias)

    @staticmethod
    def contour_length(frames_per_step: int) -> int:
        """Give the frames over which a contour is relative.

        Parameters
        ----------
        frames_per_step : int
            F.

        Returns
        -------
        int
            An odd number.
        """
        return _CONTOUR_STEPS * frames_per_step + 1

    @property
    def contour_frames(self) -> int:
        """Frames over which a contour is relative."""
        return self.contour_length(self.frames_per_step)

    @property
    def reach(self) -> int:
        """Latent steps to either side that a step depends on."""
        return len(self.encoder) + len(self.decoder) + _CONTOUR_STEPS // 2 + 1

    def encode(self, shape: torch.Tensor, contour: torch.Tensor, noise: torch.Tensor | None = None) -> torch.Tensor:
        """Tell what happens.

        Parameters
        ----------
        shape : torch.Tensor, shape (B, K, N)
            From `set_loudness_apart`.
        contour : torch.Tensor, shape (B, N)
            From `contour_of`.
        noise : torch.Tensor, shape (B, K, N), optional
            Added to the fine structure while training.

        Returns
        -------
        torch.Tensor, shape (B, Dc, M)
            Content, M = ceil(N / F).
        """
        fine = fine_structure(shape)
        fine = fine if noise is None else fine + noise
        before = torch.cat([contour[..., :1], contour[..., :-1]], dim=-1)
        # Rises get a row of their own: onsets are what two styles have in common, decays are not. A rise within a
        # frame is small beside the contour, hence the factor.
        rows = torch.cat([fine, contour.unsqueeze(-2), 2 * (contour - before).relu().unsqueeze(-2)], dim=-2)
        h = self.encoder_in(to_patches(rows, self.frames_per_step))
        for layer in self.encoder:
            h = layer(h)
        out: torch.Tensor = self.encoder_out(h)
        return out

    def render(self, content: torch.Tensor) -> torch.Tensor:
        """Predict how every corpus sounds doing it.

        Parameters
        ----------
        content : torch.Tensor, shape (B, Dc, M)
            From `encode`.

        Returns
        -------
        torch.Tensor, shape (B, n_corpora, K, F * M)
            Log-spectra relative to the level around them.
        """
        h = self.decoder_in(content)
        for layer in self.decoder:
            h = layer(h)
        patches = self.sounds(functional.gelu(h)).unflatten(1, (self.n_corpora, -1))
        return from_patches(patches, self.frames_per_step) + self.means.unsqueeze(-1)

    def change(
        self, rendered: torch.Tensor, log_magnitude: torch.Tensor, before: torch.Tensor, after: torch.Tensor
    ) -> torch.Tensor:
        """Tell what to add to a sound to bring it from some corpora to others.

        Parameters
        ----------
        rendered : torch.Tensor, shape (B, n_corpora, K, N)
            From `render`, of its content.
        log_magnitude : torch.Tensor, shape (B, K, N)
            The sound, relative to the level around it.
        before, after : torch.Tensor, shape (B, n_corpora, N)
            Weights of the corpora, adding up to 1.

        Returns
        -------
        torch.Tensor, shape (B, K, N)
            Nepers.
        """
        own = log_magnitude - torch.einsum("bcn,bckn->bkn", before, rendered)
        basis = cosines(own.shape[1], len(self.forgetting)).to(own)
        given_up = basis.T @ (torch.sigmoid(_FORGETTING_RATE * self.forgetting)[:, None] * (basis @ own))
        # As far as the weights move from one corpus to another, 0 to 1.
        moved = 0.5 * (after - before).abs().sum(1, keepdim=True)
        return torch.einsum("bcn,bckn->bkn", after - before, rendered) - moved * given_up

    def whiten(self, content: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Centre content on its corpus and bring it to unit variance, for distances.

        Parameters
        ----------
        content : torch.Tensor, shape (B, Dc, M)
            From `encode`.
        condition : torch.Tensor, shape (B, n_corpora)
            Weights of the corpora.

        Returns
        -------
        torch.Tensor, shape (B, Dc, M)
            Whitened.
        """
        return self.whitener @ (content - (condition @ self.content_means).unsqueeze(-1))
