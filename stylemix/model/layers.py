"""What the networks are made of: patches of frames, and one residual layer."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


def to_patches(frames: torch.Tensor, frames_per_step: int) -> torch.Tensor:
    """Stack every F frames into one vector; the last patch is filled up with its last frame.

    Parameters
    ----------
    frames : torch.Tensor, shape (..., K, N)
        Frames.
    frames_per_step : int
        F.

    Returns
    -------
    torch.Tensor, shape (..., F * K, M)
        M = ceil(N / F).

    Examples
    --------
    >>> to_patches(torch.arange(6.0).reshape(1, 6), 4).T.tolist()
    [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 5.0, 5.0]]
    """
    *lead, k, n = frames.shape
    m = -(-n // frames_per_step)
    if short := m * frames_per_step - n:
        frames = torch.cat([frames, frames[..., -1:].expand(*lead, k, short)], dim=-1)
    return frames.reshape(*lead, k, m, frames_per_step).movedim(-1, -3).reshape(*lead, frames_per_step * k, m)


def from_patches(patches: torch.Tensor, frames_per_step: int) -> torch.Tensor:
    """Undo `to_patches`.

    Parameters
    ----------
    patches : torch.Tensor, shape (..., F * K, M)
        Patches.
    frames_per_step : int
        F.

    Returns
    -------
    torch.Tensor, shape (..., K, F * M)
        Frames.

    Examples
    --------
    >>> x = torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(0))
    >>> torch.equal(from_patches(to_patches(x, 4), 4), x)
    True
    """
    *lead, fk, m = patches.shape
    k = fk // frames_per_step
    return patches.reshape(*lead, frames_per_step, k, m).movedim(-3, -1).reshape(*lead, k, m * frames_per_step)


class ResidualLayer(nn.Module):
    """One step of refinement over time: normalise, convolve, be told the corpus, bend, add.

    Parameters
    ----------
    width : int
        Channels.
    n_corpora : int
        Length of the condition; 0 for none.
    dropout : float
        Share of the hidden channels dropped while training.
    """

    def __init__(self, width: int, n_corpora: int, dropout: float) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width, 1))
        self.over_time = nn.Conv1d(width, width, 3, padding=1)
        self.mix = nn.Conv1d(width, width, 1)
        self.dropout = nn.Dropout(dropout)
        # Feature-wise modulation (Perez et al. 2018): the corpus scales and shifts every channel; at first it
        # does not.
        self.modulate = nn.Conv1d(n_corpora, 2 * width, 1, bias=False) if n_corpora else None
        if self.modulate is not None:
            nn.init.zeros_(self.modulate.weight)

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Refine.

        Parameters
        ----------
        x : torch.Tensor, shape (B, width, M)
            Hidden state.
        condition : torch.Tensor, shape (B, n_corpora, M), optional
            Weights of the corpora.

        Returns
        -------
        torch.Tensor, shape (B, width, M)
            The state, refined.
        """
        # Normalised at every step by itself, so that a long sound and a short crop of it agree.
        h = x * self.gain * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-5)
        h = self.over_time(h)
        if self.modulate is not None and condition is not None:
            scale, shift = self.modulate(condition).chunk(2, dim=1)
            h = h * (1 + scale) + shift
        return x + 0.5 * self.mix(self.dropout(functional.gelu(h)))
