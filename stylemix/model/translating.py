"""Frames of any length to their content, and to what makes them sound like another corpus."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.model.autoencoder import Autoencoder
from stylemix.model.coding import checked_shape
from stylemix.model.frames import set_loudness_apart
from stylemix.model.translator import Translator, contour_of

# Steps translated at a time.
CHUNK_STEPS = 512


def frames_to_content(
    model: Autoencoder, log_magnitude: np.ndarray, condition: np.ndarray, *, floor_db: float
) -> np.ndarray:
    """Tell what happens in a sound, in numbers that all corpora share.

    Parameters
    ----------
    model : Autoencoder
        In evaluation mode, on the cpu.
    log_magnitude : np.ndarray, shape (K, N)
        Natural logarithm of the band magnitudes.
    condition : np.ndarray, shape (n_corpora,)
        Weights of the corpora that it is from: content is centred on them.
    floor_db : float
        See `set_loudness_apart`.

    Returns
    -------
    np.ndarray, shape (Dc, M), float32
        Whitened content, M = ceil(N / F).

    Raises
    ------
    BadInput
        If a shape is another, or the model was trained without content.
    """
    translator = _translator(model)
    checked_shape(condition, (translator.n_corpora,), "condition (corpora,)")
    weights = torch.as_tensor(np.asarray(condition), dtype=torch.float32)[None]
    parts = []
    with torch.inference_mode():
        for content, start, stop, first, _ in _contents(translator, log_magnitude, floor_db):
            parts.append(translator.whiten(content, weights)[0, :, start - first : stop - first].numpy())
    return np.concatenate(parts, axis=1)


def frames_to_shift(
    model: Autoencoder, log_magnitude: np.ndarray, before: np.ndarray, after: np.ndarray, *, floor_db: float
) -> np.ndarray:
    """Tell what has to be added to a sound's log-magnitudes for it to sound like other corpora doing the same.

    Parameters
    ----------
    model : Autoencoder
        In evaluation mode, on the cpu.
    log_magnitude : np.ndarray, shape (K, N)
        Natural logarithm of the band magnitudes.
    before, after : np.ndarray, shape (n_corpora,) or (n_corpora, M)
        Weights of the corpora that it sounds like and that it should sound like, adding up to 1.
    floor_db : float
        See `set_loudness_apart`.

    Returns
    -------
    np.ndarray, shape (K, N), float32
        Nepers; 0 where the weights do not change, half of it for half the change.

    Raises
    ------
    BadInput
        If a shape is another, or the model was trained without content.
    """
    translator = _translator(model)
    k, f = translator.means.shape[1], translator.frames_per_step
    n = checked_shape(log_magnitude, (k, None), "log_magnitude (bands, frames)")
    sides = [_weights(translator, side, -(-n // f)) for side in (before, after)]
    parts = []
    with torch.inference_mode():
        for content, start, stop, first, x in _contents(translator, log_magnitude, floor_db):
            here = slice((start - first) * f, min((stop - first) * f, x.shape[-1]))
            x, rendered = x[..., here], translator.render(content)[..., here]
            weights = (torch.from_numpy(s[:, start:stop]).repeat_interleave(f, dim=-1)[None] for s in sides)
            shift = translator.change(rendered, x, *(w[..., : x.shape[-1]] for w in weights))
            parts.append((translator.strength * shift)[0].numpy())
    return np.concatenate(parts, axis=1)


def _translator(model: Autoencoder) -> Translator:
    if model.translator is None:
        raise BadInput(
            "content: this model was trained without it (model.content_dim = 0, or an older version); "
            "train again with model.content_dim above 0"
        )
    return model.translator


def _weights(translator: Translator, condition: np.ndarray, n_steps: int) -> np.ndarray:
    weights = np.asarray(condition, dtype=np.float32)
    weights = np.repeat(weights[:, None], n_steps, axis=1) if weights.ndim == 1 else weights
    checked_shape(weights, (translator.n_corpora, n_steps), "condition (corpora, steps)")
    return weights


def _contents(
    translator: Translator, log_magnitude: np.ndarray, floor_db: float
) -> Iterator[tuple[torch.Tensor, int, int, int, torch.Tensor]]:
    """Encode chunk by chunk, each with what it depends on: content, its steps that count, its first, its spectra."""
    f, reach = translator.frames_per_step, translator.reach
    n = checked_shape(log_magnitude, (translator.means.shape[1], None), "log_magnitude (bands, frames)")
    m = -(-n // f)
    for start in range(0, m, CHUNK_STEPS):
        stop = min(start + CHUNK_STEPS, m)
        first, last = max(0, start - reach), min(m, stop + reach)
        y = np.ascontiguousarray(log_magnitude[:, first * f : min(last * f, n)], dtype=np.float32)
        shape, loudness = set_loudness_apart(torch.from_numpy(y)[None], floor_db=floor_db)
        contour = contour_of(loudness, translator.contour_frames)
        yield translator.encode(shape, contour), start, stop, first, shape + contour.unsqueeze(-2)
