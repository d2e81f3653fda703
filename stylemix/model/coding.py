"""Frames of any length through a model and back, a chunk at a time, so that memory is bounded."""

from __future__ import annotations

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.model.autoencoder import Autoencoder
from stylemix.model.frames import set_loudness_apart, with_loudness

# Steps encoded or decoded at a time.
CHUNK_STEPS = 512


def frames_to_codes(
    model: Autoencoder,
    log_magnitude: np.ndarray,
    condition: np.ndarray,
    *,
    floor_db: float,
    context: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Encode frames.

    Parameters
    ----------
    model : Autoencoder
        In evaluation mode, on the cpu.
    log_magnitude : np.ndarray, shape (K, N)
        Natural logarithm of the band magnitudes.
    condition : np.ndarray, shape (n_corpora,)
        Weights of the corpora, adding up to 1.
    floor_db : float
        See `set_loudness_apart`.
    context : np.ndarray, shape (R, M), optional
        From `stylemix.context`, for a model that hears one.

    Returns
    -------
    codes : np.ndarray, shape (D, M)
        Latents, M = ceil(N / F).
    loudness : np.ndarray, shape (N,)
        Of every frame (natural logarithm).

    Raises
    ------
    BadInput
        If a shape is another, or a context is missing or not wanted.
    """
    f = model.frames_per_step
    n_corpora, n_bands = model.means.shape
    n = checked_shape(log_magnitude, (n_bands, None), "log_magnitude (bands, frames)")
    checked_shape(condition, (n_corpora,), "condition (corpora,)")
    if context is not None:
        checked_shape(context, (None, -(-n // f)), "context (rows, steps)")
    weights = torch.as_tensor(condition, dtype=torch.float32)[None]
    codes, loudness = [], []
    for start, stop, first, last in _chunks(-(-n // f), _reach(model)):
        y = np.ascontiguousarray(log_magnitude[:, first * f : min(last * f, n)], dtype=np.float32)
        with torch.inference_mode():
            shape, loud = set_loudness_apart(torch.from_numpy(y), floor_db=floor_db)
            z = model.encode(shape[None], weights, _part(context, first, last))[0]
        codes.append(z[:, start - first : stop - first].numpy())
        loudness.append(loud[(start - first) * f : (stop - first) * f].numpy())
    return np.concatenate(codes, axis=1), np.concatenate(loudness)


def codes_to_frames(model: Autoencoder, codes: np.ndarray, condition: np.ndarray, loudness: np.ndarray) -> np.ndarray:
    """Decode latents.

    Parameters
    ----------
    model : Autoencoder
        In evaluation mode, on the cpu.
    codes : np.ndarray, shape (D, M)
        Latents.
    condition : np.ndarray, shape (n_corpora,) or (n_corpora, M)
        Weights of the corpora, adding up to 1.
    loudness : np.ndarray, shape (N,)
        Of every frame (natural logarithm), N from 1 to M * F.

    Returns
    -------
    np.ndarray, shape (K, N)
        Log-magnitudes.

    Raises
    ------
    BadInput
        If a shape is another.
    """
    f = model.frames_per_step
    m = checked_shape(codes, (model.linear_in.shape[0], None), "codes (dims, steps)")
    if not 0 < (n := len(loudness)) <= m * f:
        raise BadInput(f"loudness must have 1 to {m * f} frames for {m} steps, got {n}")
    weights = np.asarray(condition, dtype=np.float32)
    weights = np.broadcast_to(weights[:, None], (len(weights), m)) if weights.ndim == 1 else weights
    checked_shape(weights, (len(model.means), m), "condition (corpora, steps)")
    out = []
    # Steps beyond the loudness are decoded too: the ones before them see them.
    for start, stop, first, last in _chunks(m, _reach(model)):
        z = torch.from_numpy(np.ascontiguousarray(codes[:, first:last], dtype=np.float32))[None]
        c = torch.tensor(weights[:, first:last])[None]
        with torch.inference_mode():
            shape = model.decode(z, c)[0, :, (start - first) * f : (stop - first) * f]
            loud = torch.from_numpy(np.asarray(loudness[start * f : stop * f], dtype=np.float32))
            out.append(with_loudness(shape[:, : len(loud)], loud).numpy())
    return np.concatenate(out, axis=1)[:, :n]


def _part(context: np.ndarray | None, first: int, last: int) -> torch.Tensor | None:
    if context is None:
        return None
    return torch.from_numpy(np.ascontiguousarray(context[:, first:last], dtype=np.float32))[None]


def _reach(model: Autoencoder) -> int:
    # Every residual layer looks one step to each side, and so does the refiner behind the decoder's.
    return len(model.encoder) + 1


def checked_shape(array: np.ndarray, shape: tuple[int | None, ...], what: str) -> int:
    """Refuse an array of another shape, or of nothing.

    Parameters
    ----------
    array : np.ndarray
        Any.
    shape : tuple of int or None
        What is wanted; None for any length but 0.
    what : str
        What to call it.

    Returns
    -------
    int
        Its last length.

    Raises
    ------
    BadInput
        If it is another.

    Examples
    --------
    >>> checked_shape(np.zeros((2, 5)), (2, None), "frames")
    5
    """
    got = np.shape(array)
    if len(got) != len(shape) or 0 in got or any(b not in (None, a) for a, b in zip(got, shape, strict=True)):
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise BadInput(f"{what} must have shape ({wanted}), got {got}")
    return got[-1]


def _chunks(n_steps: int, reach: int) -> list[tuple[int, int, int, int]]:
    """Cut steps into chunks: start and stop of each, and the same with its reach."""
    starts = range(0, n_steps, CHUNK_STEPS)
    stops = [min(start + CHUNK_STEPS, n_steps) for start in starts]
    return [(a, b, max(0, a - reach), min(n_steps, b + reach)) for a, b in zip(starts, stops, strict=True)]
