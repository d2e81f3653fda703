"""The first pass over a sound: its latents, a block at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stylemix.arrays import Latents
from stylemix.audio import shown_name
from stylemix.descriptors import step_descriptors
from stylemix.errors import BadInput
from stylemix.hybrid.overlap import BLOCK_S
from stylemix.hybrid.source import SourceReader
from stylemix.transforms import block_plan

if TYPE_CHECKING:
    from stylemix.model.run import Run


@dataclass(frozen=True)
class Scan:
    """What one pass over a sound found.

    Parameters
    ----------
    latents : Latents
        Of the whole sound.
    log_peak : float
        Logarithm of its largest pooled magnitude.
    """

    latents: Latents
    log_peak: float


def step_samples(run: Run) -> int:
    """Return the samples of a latent step at the model's rate.

    Parameters
    ----------
    run : Run
        The trained model.

    Returns
    -------
    int
        Frames a step times the hop.
    """
    return int(run.recipe.model.frames_per_step) * run.vqt.hop_length


def block_features(run: Run, samples: np.ndarray) -> np.ndarray:
    """Return what the model sees of a block.

    Parameters
    ----------
    run : Run
        The trained model.
    samples : np.ndarray, shape (C, T)
        Sound at the model's rate.

    Returns
    -------
    np.ndarray, shape (K, N)
        Pooled log-magnitudes of the power averaged over the channels.
    """
    import torch

    with torch.inference_mode():
        coefficients = run.vqt.forward(torch.from_numpy(np.ascontiguousarray(samples)))
        power = tuple(m.square().mean(dim=0).sqrt() for m in coefficients.magnitudes())
        return run.vqt.pool(power, samples.shape[-1]).numpy()


def scan(
    run: Run, source: SourceReader, condition: np.ndarray, *, report: Callable[[float], None] | None = None
) -> Scan:
    """Encode a sound of any length in bounded memory.

    Parameters
    ----------
    run : Run
        The trained model.
    source : SourceReader
        The sound.
    condition : np.ndarray, shape (n_corpora,)
        The corpus as which it is encoded.
    report : callable, optional
        Called with the seconds done.

    Returns
    -------
    Scan
        Latents of the whole sound, as one would get from all of it at once.

    Raises
    ------
    BadInput
        If the sound is shorter than a latent step.
    """
    step, hop = step_samples(run), run.vqt.hop_length
    check_length(source, step)
    codes, loudness, described, log_peak = [], [], [], -np.inf
    plan = block_plan(
        source.n_model_samples,
        block=round(BLOCK_S * run.vqt.sample_rate),
        fade=0,
        margin=run.margin,
        align=step,
    )
    for block in plan:
        samples = source.read_model(block.read_start, block.read_stop)
        features = block_features(run, samples)
        latents = run.encode(features, condition, run.context(samples, start=block.read_start))
        first = (block.start - block.read_start) // step
        n_steps = -(-(block.stop - block.start) // step)
        n_frames = run.vqt.n_frames(block.stop - block.start)
        first_frame = first * step // hop
        codes.append(latents.codes[:, first : first + n_steps])
        loudness.append(latents.loudness[first_frame : first_frame + n_frames])
        features = features[:, first_frame : first_frame + n_frames]
        described.append(step_descriptors(features, run.vqt.frequencies_hz, step // hop))
        log_peak = max(log_peak, float(features.max()))
        if report is not None:
            report(block.stop / run.vqt.sample_rate)
    chroma, timbre = (np.concatenate(parts, axis=1) for parts in zip(*described, strict=True))
    latents = Latents(
        np.concatenate(codes, axis=1), np.concatenate(loudness), run.vqt.sample_rate, step, chroma, timbre
    )
    return Scan(latents, log_peak)


def check_length(source: SourceReader, step: int) -> None:
    """Refuse a sound in which there is no whole latent step.

    Parameters
    ----------
    source : SourceReader
        The sound.
    step : int
        Samples in a latent step at the model's rate.

    Raises
    ------
    BadInput
        If it is shorter.
    """
    if source.n_model_samples < step:
        raise BadInput(
            f"{shown_name(source.path)}: lasts {1000 * source.duration_s:.3g} ms, which is shorter than one latent "
            f"step of {1000 * step / source.model_rate:.0f} ms; give a longer sound"
        )
