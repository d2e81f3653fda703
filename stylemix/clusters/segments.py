"""A run cut into segments: what the map shows as points, and of what clusters are made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from stylemix.clusters.spaces import Segments
from stylemix.errors import BadInput
from stylemix.files import sha256_file
from stylemix.model.run import Run

SEGMENT_S = 2.0
MOST_SEGMENTS = 20_000
"""More points than this cover each other; segments grow instead. Of so many UMAP takes 10 s of a processor, t-SNE 37 s
in the plane and 85 s in space (tests/bench/bench_embed.py)."""


def segments_from_latents(
    codes: np.ndarray, step_rate_hz: float, *, segment_s: float = SEGMENT_S
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut latents into equal segments and describe each by the mean and spread of its latents.

    Every step belongs to exactly one segment: the number of segments is the length over `segment_s`, rounded,
    at least one, so their length is near `segment_s` and no short rest is left over.

    Parameters
    ----------
    codes : np.ndarray, shape (D, N)
        Latents of one file, N >= 1.
    step_rate_hz : float
        Latent steps a second.
    segment_s : float
        Wanted length of a segment (seconds).

    Returns
    -------
    features : np.ndarray, shape (M, 2 D)
        Mean, then standard deviation, of each latent over the segment.
    start_s : np.ndarray, shape (M,)
        Where each segment starts (seconds).
    duration_s : np.ndarray, shape (M,)
        How long it is (seconds).

    Raises
    ------
    BadInput
        If there is no latent step, or a rate or length is not positive.

    Examples
    --------
    >>> features, start_s, duration_s = segments_from_latents(np.ones((3, 40)), 10.0)
    >>> features.shape, start_s.tolist(), duration_s.tolist()
    ((2, 6), [0.0, 2.0], [2.0, 2.0])
    """
    steps = np.asarray(codes, dtype=np.float64)
    if steps.ndim != 2 or steps.shape[1] < 1:
        raise BadInput(f"codes: must have shape (D, N) with at least one step, got {steps.shape}")
    if not step_rate_hz > 0 or not segment_s > 0:
        raise BadInput(f"step_rate_hz and segment_s: must be positive, got {step_rate_hz} Hz and {segment_s} s")
    n_steps = steps.shape[1]
    n_segments = int(np.clip(round(n_steps / step_rate_hz / segment_s), 1, n_steps))
    edges = np.round(np.linspace(0, n_steps, n_segments + 1)).astype(int)
    pieces = [steps[:, a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)]
    features = np.stack([np.concatenate([piece.mean(axis=1), piece.std(axis=1)]) for piece in pieces])
    return features, edges[:-1] / step_rate_hz, np.diff(edges) / step_rate_hz


def segments_of(run: Run, update: Callable[..., None] = lambda done, note="": None) -> Segments:
    """Cut every file of a run.

    Parameters
    ----------
    run : Run
        A finished run.
    update : callable
        ``update(done, note=...)`` hears how far it is, up to 0.1.

    Returns
    -------
    Segments
        File after file; about 2 seconds each, and longer where there would be more than `MOST_SEGMENTS`.

    Raises
    ------
    StylemixError
        If the training did not finish.
    """
    total_s = sum(file.seconds for file in run.files)
    length_s = max(SEGMENT_S, total_s / MOST_SEGMENTS)
    cut, n_steps = [], []
    for index in range(len(run.files)):
        latents = run.latents(index)
        cut.append(segments_from_latents(latents.codes, latents.step_rate_hz, segment_s=length_s))
        n_steps.append(np.round(cut[-1][2] * latents.step_rate_hz).astype(int))
        update(0.1 * (index + 1) / len(run.files), note="latents")
    features, start_s, duration_s = (np.concatenate(parts) for parts in zip(*cut, strict=True))
    file = np.repeat(np.arange(len(cut)), [len(part[1]) for part in cut])
    return Segments(features, file, start_s, duration_s, length_s, np.concatenate(n_steps))


def unchanged_paths(run: Run) -> list[Path | None]:
    """Find the recordings of a run that still are what the latents were taken from.

    Parameters
    ----------
    run : Run
        Any run.

    Returns
    -------
    list of Path or None
        One a file; None for one that has moved or changed.
    """
    # A file that has moved or changed would play something else than its point.
    paths: list[Path | None] = []
    for index, file in enumerate(run.files):
        try:
            path = run.file_path(index)
            paths.append(path if sha256_file(path) == file.sha256 else None)
        except (BadInput, OSError):
            paths.append(None)
    return paths
