"""Patches of frames: what one latent step stands for, as one column."""

from __future__ import annotations

import numpy as np


def to_patches(frames: np.ndarray, n_frames: int) -> np.ndarray:
    """Put the frames of each latent step below one another.

    Parameters
    ----------
    frames : np.ndarray, shape (K, N)
        The last one is repeated until the last step is full.
    n_frames : int
        Of a step.

    Returns
    -------
    np.ndarray, shape (n_frames * K, M)
        One column a step.

    Examples
    --------
    >>> to_patches(np.array([[1, 2, 3]]), 2)
    array([[1, 3],
           [2, 3]])
    """
    n_bands, n = frames.shape
    frames = np.pad(frames, ((0, 0), (0, -n % n_frames)), mode="edge")
    return frames.reshape(n_bands, -1, n_frames).transpose(2, 0, 1).reshape(n_frames * n_bands, -1)


def to_frames(patches: np.ndarray, n_frames: int) -> np.ndarray:
    """Put the frames of patches side by side again.

    Parameters
    ----------
    patches : np.ndarray, shape (n_frames * K, M)
        From `to_patches`.
    n_frames : int
        Of a step.

    Returns
    -------
    np.ndarray, shape (K, n_frames * M)
        Frames.

    Examples
    --------
    >>> to_frames(to_patches(np.array([[1, 2, 3], [4, 5, 6]]), 2), 2)
    array([[1, 2, 3, 3],
           [4, 5, 6, 6]])
    """
    n_bands = len(patches) // n_frames
    return patches.reshape(n_frames, n_bands, -1).transpose(1, 2, 0).reshape(n_bands, -1)
