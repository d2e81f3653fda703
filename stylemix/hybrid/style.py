"""How another corpus would sound playing the same: the shift of the spectrum that the mode `style` adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from stylemix.hybrid.blend import StyleShift
from stylemix.hybrid.transport import Statistics, Transport, gaussian_transport, latent_statistics
from stylemix.hybrid.voice import Voice

if TYPE_CHECKING:
    from stylemix.model.run import Run


def style_shift(run: Run, own: int, others: tuple[int, ...], shares: tuple[float, ...]) -> StyleShift:
    """Choose how a run moves sounds from one corpus to others.

    Parameters
    ----------
    run : Run
        The trained model.
    own : int
        The source's corpus.
    others : tuple of int
        The corpora at alpha 1.
    shares : tuple of float
        Of each of them.

    Returns
    -------
    callable
        See `stylemix.hybrid.blend.StyleShift`.
    """
    conditions = np.eye(len(run.corpora), dtype=np.float32)
    aim = sum(share * conditions[other] for share, other in zip(shares, others, strict=True))
    if getattr(run, "has_content", False):

        def learned(voice: Voice, samples: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(run.style_shift(voice.pooled.numpy(), conditions[own], aim))

        return learned
    before = _statistics(run, own)
    moves = [gaussian_transport(before, _statistics(run, other)) for other in others]

    def transported(voice: Voice, samples: np.ndarray) -> torch.Tensor:
        return _transported(run, voice, samples, moves, shares, conditions[own], aim)

    return transported


def _transported(
    run: Run,
    voice: Voice,
    samples: np.ndarray,
    moves: list[Transport],
    shares: tuple[float, ...],
    own: np.ndarray,
    aim: np.ndarray,
) -> torch.Tensor:
    """Move the latents of a run that knows no content to the other corpora's statistics."""
    latents = run.encode(voice.pooled.numpy(), own, run.context(samples))
    moved = sum(share * move(latents.codes) for share, move in zip(shares, moves, strict=True))
    here = run.decode(latents.codes, own, latents.loudness)
    there = run.decode(np.asarray(moved, dtype=np.float32), aim, latents.loudness)
    return torch.from_numpy(there - here)


def _statistics(run: Run, corpus: int) -> Statistics:
    return latent_statistics(run.latents(i).codes for i, file in enumerate(run.files) if file.corpus == corpus)
