"""What training minimises."""

from __future__ import annotations

import torch

from stylemix.model.autoencoder import Autoencoder


def reconstruction_loss(decoded: torch.Tensor, shape: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Mean squared error of log-magnitudes over the frames that sound.

    Parameters
    ----------
    decoded, shape : torch.Tensor, shape (B, K, N)
        What came out and what went in.
    weight : torch.Tensor, shape (B, N)
        From `audible`.

    Returns
    -------
    torch.Tensor
        A scalar, in squared nepers.
    """
    error = (decoded - shape).square().mean(1)
    return (error * weight).sum() / weight.sum().clamp_min(1e-6)


def between_loss(
    model: Autoencoder,
    codes: torch.Tensor,
    condition: torch.Tensor,
    generator: torch.Generator,
    context: torch.Tensor | None = None,
) -> torch.Tensor:
    """Cost of points between the corpora that the decoder and the encoder read differently.

    Two crops of the batch are mixed at a random point between them, latents and condition alike, decoded, and
    encoded again: a point whose sound is read as another point is a hole in the space, and what is heard
    there is nobody's intention. PCA has no holes (its decoder is inverted by its encoder), so this holds the
    residual layers to it.

    Parameters
    ----------
    model : Autoencoder
        The model.
    codes : torch.Tensor, shape (B, D, M)
        Latents of a batch.
    condition : torch.Tensor, shape (B, n_corpora)
        Their corpora.
    generator : torch.Generator
        For the partners and the mixing points.
    context : torch.Tensor, shape (B, R, M), optional
        Of a model that hears one. A point between two sounds is no sound whose scattering could be computed: the
        mean of the parents' logarithms stands for it.

    Returns
    -------
    torch.Tensor
        Mean squared distance in latent units (the latents have about unit variance).

    References
    ----------
    .. [1] D. Berthelot, C. Raffel, A. Roy, I. Goodfellow, "Understanding and improving interpolation in
       autoencoders via an adversarial regularizer", arXiv:1807.07543: the aim; this is its critic-free, cyclic form.
    """
    mixed, mixture, around = mix_between(codes, condition, generator, context)
    decoded = model.decode(mixed, mixture.unsqueeze(-1).expand(-1, -1, mixed.shape[-1]))
    return (model.encode(decoded, mixture, around) - mixed).square().mean()


def mix_between(
    codes: torch.Tensor,
    condition: torch.Tensor,
    generator: torch.Generator,
    context: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """Mix every crop of a batch with a random partner at a random point.

    Parameters
    ----------
    codes : torch.Tensor, shape (B, D, M)
        Latents.
    condition : torch.Tensor, shape (B, n_corpora)
        Their corpora.
    generator : torch.Generator
        On the cpu, so that every device draws the same numbers.
    context : torch.Tensor, shape (B, R, M), optional
        What the encoder heard besides.

    Returns
    -------
    codes : torch.Tensor, shape (B, D, M)
        Mixed latents.
    condition : torch.Tensor, shape (B, n_corpora)
        Mixed conditions.
    context : torch.Tensor, shape (B, R, M), or None
        Mixed contexts.
    """
    batch = codes.shape[0]
    partner = torch.randperm(batch, generator=generator).to(codes.device)
    at = torch.rand(batch, 1, generator=generator).to(condition)
    mixed = torch.lerp(codes.to(at.dtype), codes[partner].to(at.dtype), at.unsqueeze(-1))
    around = None if context is None else torch.lerp(context, context[partner], at.unsqueeze(-1).to(context))
    return mixed, torch.lerp(condition, condition[partner], at), around
