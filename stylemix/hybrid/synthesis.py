"""From wanted magnitudes and phases to one block of sound."""

from __future__ import annotations

import numpy as np
import torch

from stylemix.hybrid.overlap import CROSSFADE_S
from stylemix.phase import recover_channels
from stylemix.phase.lattice import Wanted
from stylemix.transforms import VQT, Coefficients


def with_phases(vqt: VQT, wanted: Wanted, turns: tuple[torch.Tensor, ...]) -> np.ndarray:
    """Synthesise magnitudes with given phases.

    Parameters
    ----------
    vqt : VQT
        The run's transform.
    wanted : Magnitudes or PooledMagnitudes
        Of C channels.
    turns : tuple of torch.Tensor, each (C, K_g, N_g), complex
        Phases, as numbers of magnitude 1.

    Returns
    -------
    np.ndarray, shape (C, T), float32
        Sound.
    """
    groups = tuple(m * t for m, t in zip(wanted.magnitudes, turns, strict=True))
    return vqt.inverse(Coefficients(groups, vqt.hops, wanted.n_samples)).numpy()


def with_estimate(
    vqt: VQT, wanted: Wanted, turns: tuple[torch.Tensor, ...], known: np.ndarray | None, quality: str
) -> np.ndarray:
    """Synthesise magnitudes with phases that are estimated from them.

    Parameters
    ----------
    vqt : VQT
        The run's transform.
    wanted : Magnitudes or PooledMagnitudes
        Of C channels.
    turns : tuple of torch.Tensor, each (C, K_g, N_g), complex
        Phases of a parent, for the differences between the channels.
    known : np.ndarray, shape (C, T'), optional
        The beginning as rendered with the block before.
    quality : {"draft", "good", "best"}
        How much work the estimate is worth.

    Returns
    -------
    np.ndarray, shape (C, T), float32
        Sound.
    """
    head = None if known is None else torch.from_numpy(np.ascontiguousarray(known))
    # Where the blocks are crossfaded this one may already do what it asks for itself.
    n_kept = 0 if known is None else max(0, known.shape[-1] - round(CROSSFADE_S * vqt.sample_rate))
    return recover_channels(wanted, quality=quality, between=turns, known=head, n_kept=n_kept).numpy()
