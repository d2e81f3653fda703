"""Splices without clicks: where two sounds fit together, and how one gives way to the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np


def best_shift(tail: np.ndarray, head: np.ndarray) -> tuple[int, float]:
    """Find where a longer stretch resembles a shorter one most.

    Parameters
    ----------
    tail : np.ndarray, shape (T,)
        What is being left.
    head : np.ndarray, shape (T + S,)
        What is being entered, with room to shift.

    Returns
    -------
    shift : int
        Offset into `head`, 0 to S.
    likeness : float
        Correlation coefficient there, -1 to 1 (0 where either is silent).

    Examples
    --------
    >>> wave = np.sin(np.arange(60.0) ** 1.1)
    >>> best_shift(wave[7:47], wave)[0]
    7
    """
    from scipy.signal import correlate

    products = correlate(head.astype(np.float64), tail.astype(np.float64), mode="valid", method="auto")
    energy = np.cumsum(np.concatenate([[0.0], head.astype(np.float64) ** 2]))
    norms = np.sqrt(np.maximum(energy[len(tail) :] - energy[: -len(tail)], 0)) * np.linalg.norm(tail)
    likeness = np.where(norms > 1e-9, products / np.maximum(norms, 1e-9), 0.0)
    # Silence is alike everywhere: no shift then.
    shift = int(np.argmax(likeness)) if likeness.max() > 0 else (len(head) - len(tail)) // 2
    return shift, float(np.clip(likeness[shift], -1, 1))


def crossfade_gain(position: np.ndarray, likeness: float) -> np.ndarray:
    """Give the rising half of a crossfade that keeps the power of two sounds of equal power.

    Parameters
    ----------
    position : np.ndarray
        0 at the beginning of the crossfade, 1 at its end.
    likeness : float
        Correlation of the two sounds; below 0 counts as 0.

    Returns
    -------
    np.ndarray
        ``w(p) / sqrt(w(p)^2 + w(1 - p)^2 + 2 r w(p) w(1 - p))`` with a raised cosine w: equal gain at r = 1,
        equal power at r = 0.

    Examples
    --------
    >>> [round(float(crossfade_gain(np.array([0.5]), likeness)[0]), 3) for likeness in (1.0, 0.0)]
    [0.5, 0.707]
    """
    rise = 0.5 - 0.5 * np.cos(np.pi * position)
    fall = 1 - rise
    return rise / np.sqrt(rise**2 + fall**2 + 2 * max(likeness, 0.0) * rise * fall)


def fade_weights(a: int, b: int, borders: Iterable[tuple[int, int, bool, Callable[[], float]]]) -> np.ndarray:
    """Weigh samples of a stretch that is crossfaded at its borders.

    Parameters
    ----------
    a, b : int
        From which sample to which.
    borders : iterable of (int, int, bool, callable)
        Of each border its sample, how many samples the crossfade reaches to either side, whether the stretch rises
        there, and what tells how like its neighbour it is, which is only asked where the crossfade is touched.

    Returns
    -------
    np.ndarray, shape (b - a,), float32
        1 but in the crossfades.

    Examples
    --------
    >>> fade_weights(0, 6, [(2, 2, True, lambda: 1.0)]).astype(float).round(2).tolist()
    [0.04, 0.31, 0.69, 0.96, 1.0, 1.0]
    """
    weights = np.ones(b - a, dtype=np.float32)
    for edge, half, rising, likeness in borders:
        position = (np.arange(a, b) - edge + half + 0.5) / (2 * half) if half else np.ones(b - a)
        inside = (position > 0) & (position < 1)
        if inside.any():
            way = position[inside] if rising else 1 - position[inside]
            weights[inside] *= crossfade_gain(way, likeness()).astype(np.float32)
    return weights


def fit_channels(samples: np.ndarray, n_channels: int) -> np.ndarray:
    """Average or repeat channels until there are as many as wanted.

    Parameters
    ----------
    samples : np.ndarray, shape (C, T)
        Sound.
    n_channels : int
        Channels wanted.

    Returns
    -------
    np.ndarray, shape (n_channels, T)
        Channel c is the mean of the channels c, c + n, c + 2n, ... or, when there are fewer, channel c
        modulo C.

    Examples
    --------
    >>> fit_channels(np.array([[0.0, 2.0], [2.0, 4.0]]), 1).tolist()
    [[1.0, 3.0]]
    """
    have = samples.shape[0]
    if have == n_channels:
        return samples
    if have < n_channels:
        return samples[np.arange(n_channels) % have]
    return np.stack([samples[c::n_channels].mean(axis=0) for c in range(n_channels)])
