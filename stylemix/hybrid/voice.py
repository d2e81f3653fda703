"""One parent in one block: its coefficients, and what is seen of them at the common frame rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from stylemix.transforms import VQT, Coefficients


@dataclass(frozen=True)
class Voice:
    """One parent in one block.

    Parameters
    ----------
    coefficients : Coefficients
        Shape (C, K_g, N_g) in each group.
    pooled : torch.Tensor, shape (K, N)
        Logarithm of the magnitude whose square is the mean power over the channels and around each frame.
    """

    coefficients: Coefficients
    pooled: torch.Tensor


def hear(vqt: VQT, samples: np.ndarray) -> Voice:
    """Analyse one parent's block.

    Parameters
    ----------
    vqt : VQT
        The run's transform.
    samples : np.ndarray, shape (C, T)
        Sound at the model's rate.

    Returns
    -------
    Voice
        Coefficients and pooled log-magnitudes.
    """
    coefficients = vqt.forward(torch.from_numpy(np.ascontiguousarray(samples)))
    power = tuple(m.square().mean(dim=0).sqrt() for m in coefficients.magnitudes())
    return Voice(coefficients, vqt.pool(power, samples.shape[-1]))
