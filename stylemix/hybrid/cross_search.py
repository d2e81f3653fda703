"""Which frames of the target may take part in a block of a mosaic: short runs that resemble it, or parts of it."""

from __future__ import annotations

import numpy as np

from stylemix.hybrid.cross_frames import description

# Every other frame of the source looks for candidates: it finds runs, which reach further.
SOURCE_STRIDE = 2
# Resemblance counts along so many steps of the stride to either side: runs are wanted, not frames.
SMOOTHING = 1
# Of neighbouring frames of the target one is as good as all.
CELL = 4
# What is left when the best candidate is taken away looks for candidates of its own, so often in all.
ROUNDS = 2
CANDIDATES = 4
# Frames that come with a candidate on both sides, or as many as the continuity reaches.
COMPANY = 4


def choose_frames(
    bands: np.ndarray, points: np.ndarray, stretch: np.ndarray, *, most: int, reach: int
) -> tuple[np.ndarray, np.ndarray]:
    """Choose a dictionary for a block of a source.

    Parameters
    ----------
    bands : np.ndarray, shape (K, N)
        Magnitudes of the source in the bands of the search.
    points : np.ndarray, shape (P, K)
        Descriptions of the target's frames, 0 in silence.
    stretch : np.ndarray, shape (P,), int
        Frames with the same number are consecutive.
    most : int
        Frames to choose at most.
    reach : int
        Frames wanted on both sides of a candidate.

    Returns
    -------
    frames : np.ndarray, shape (D,), int
        Ascending.
    run : np.ndarray, shape (D,), int
        The same number where frames are consecutive.
    """
    chosen = np.zeros(len(points), dtype=bool)
    n_chosen, reach = 0, max(reach, COMPANY)
    # The best candidate of every frame first, then all seconds.
    for centre in candidates(bands[:, ::SOURCE_STRIDE], points).T.ravel():
        if centre < 0:
            continue
        first, last = max(0, centre - reach), min(len(points), centre + reach + 1)
        some = np.arange(first, last)[stretch[first:last] == stretch[centre]]
        n_new = int(np.count_nonzero(~chosen[some]))
        if n_chosen + n_new > most:
            break
        chosen[some] = True
        n_chosen += n_new
    frames = np.flatnonzero(chosen)
    breaks = (np.diff(frames) != 1) | (np.diff(stretch[frames]) != 0)
    return frames, np.cumsum(np.concatenate([[False], breaks]))[: len(frames)]


def candidates(bands: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Find the frames of the target that resemble those of a source, or what is left of them.

    Parameters
    ----------
    bands : np.ndarray, shape (K, N)
        Magnitudes of the source, at every `SOURCE_STRIDE`-th frame.
    points : np.ndarray, shape (P, K)
        Descriptions of the target's frames.

    Returns
    -------
    np.ndarray, shape (N, Q), int
        Numbers of frames, the rounds taking turns, the best of each first; -1 for none.
    """
    left, found = bands, []
    for _ in range(ROUNDS):
        best = _nearest(description(left), points)
        found.append(best)
        # The share of the best candidate is taken away: what it lacks is looked for next.
        shape = np.square(points[np.maximum(best[:, 0], 0)].T)
        amount = (left * shape).sum(axis=0) / np.maximum(np.square(shape).sum(axis=0), 1e-12)
        left = np.maximum(left - amount * shape, 0)
    return np.stack(found, axis=2).reshape(len(found[0]), -1)


def _nearest(asked: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Numbers of the most alike frames, (N, Q), at most one in a cell; -1 where nothing is alike."""
    alike = asked @ points.T
    # Room for a whole number of cells; what is added there is like nothing.
    n_cells = -(-len(points) // CELL)
    smooth = np.zeros((len(alike), n_cells * CELL), dtype=alike.dtype)
    smooth[:, : len(points)] = alike
    for i in range(1, SMOOTHING + 1):
        lag = i * SOURCE_STRIDE
        if i < len(alike) and lag < len(points):
            smooth[i:, lag : len(points)] += alike[:-i, :-lag]
            smooth[:-i, : len(points) - lag] += alike[i:, lag:]
    height = smooth[:, ::CELL].copy()
    for i in range(1, CELL):
        np.maximum(height, smooth[:, i::CELL], out=height)
    n_found = min(CANDIDATES, n_cells)
    top = np.argpartition(height, n_cells - n_found, axis=1)[:, n_cells - n_found :]
    score = np.take_along_axis(height, top, axis=1)
    order = np.argsort(-score, axis=1, kind="stable")
    top, score = np.take_along_axis(top, order, axis=1), np.take_along_axis(score, order, axis=1)
    inside = smooth.reshape(len(asked), n_cells, CELL)[np.arange(len(asked))[:, None], top].argmax(axis=2)
    return np.where(score > 0, top * CELL + inside, -1)
