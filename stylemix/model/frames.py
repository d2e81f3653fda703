"""What the network sees of a log-spectrum: its shape, with the loudness set apart and a soft floor."""

from __future__ import annotations

import math

import torch

# Frames softer than this share no shape worth learning: -100 dB.
_SOFTEST = math.log(1e-5)


def set_loudness_apart(log_magnitude: torch.Tensor, *, floor_db: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Split log-spectra into shapes of loudness one and the loudness of every frame.

    Parameters
    ----------
    log_magnitude : torch.Tensor, shape (..., K, N)
        Natural logarithm of the band magnitudes.
    floor_db : float
        Where a shape bends into its floor, relative to the frame's mean power (dB). Below it lie codec
        cut-offs and dither, which are no style.

    Returns
    -------
    shape : torch.Tensor, shape (..., K, N)
        ``0.5 log(exp(2 (y - l)) + floor^2)``.
    loudness : torch.Tensor, shape (..., N)
        ``l = 0.5 log(mean_k exp(2 y))``, at least the logarithm of 1e-5.

    Examples
    --------
    >>> y = torch.full((3, 2), -1.0)
    >>> shape, loudness = set_loudness_apart(y, floor_db=-60)
    >>> [round(v, 3) for v in loudness.tolist()], abs(shape).max().item() < 1e-5
    ([-1.0, -1.0], True)
    """
    n_bands = log_magnitude.shape[-2]
    loudness = 0.5 * (torch.logsumexp(2 * log_magnitude, dim=-2) - math.log(n_bands))
    loudness = loudness.clamp_min(_SOFTEST)
    floor = math.log(10) * floor_db / 20
    shape = log_magnitude - loudness.unsqueeze(-2)
    shape = 0.5 * torch.logaddexp(2 * shape, torch.full_like(shape, 2 * floor))
    return shape, loudness


def with_loudness(shape: torch.Tensor, loudness: torch.Tensor) -> torch.Tensor:
    """Put shape and loudness together again.

    Parameters
    ----------
    shape : torch.Tensor, shape (..., K, N)
        From the decoder: its own mean power need not be exactly one.
    loudness : torch.Tensor, shape (..., N)
        Natural logarithm.

    Returns
    -------
    torch.Tensor, shape (..., K, N)
        Log-magnitudes whose mean power is the loudness.
    """
    own = 0.5 * (torch.logsumexp(2 * shape, dim=-2, keepdim=True) - math.log(shape.shape[-2]))
    return shape - own + loudness.unsqueeze(-2)


def audible(loudness: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
    """Weigh frames by whether they sound: 1 down to 50 dB below the corpus' level, 0 from 60 dB.

    Parameters
    ----------
    loudness : torch.Tensor, shape (..., N)
        Natural logarithm.
    level : torch.Tensor
        The corpus' level (natural logarithm), broadcast against `loudness`.

    Returns
    -------
    torch.Tensor, shape (..., N)
        From 0 to 1. Silence has a shape too, but it should neither steer nor flatter the model.
    """
    below_db = (level - loudness) * (20 / math.log(10))
    return ((60 - below_db) / 10).clamp(0, 1)
