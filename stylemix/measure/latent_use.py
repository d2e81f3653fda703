"""What the latents are used for: how many of their dimensions move, and whether each corpus keeps to itself in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from stylemix.model.run import Run

# A dimension that varies less than this share of the mean variance carries nothing.
ACTIVE = 0.01
# Enough for a covariance of some hundred dimensions, and for neighbours in a second.
MOST_STEPS = 4000


def effective_dimensions(covariance: np.ndarray) -> float:
    """Count the dimensions that a covariance really spans: its participation ratio [1]_.

    ``(sum of the eigenvalues)^2 / sum of their squares``, that is ``trace(C)^2 / trace(C C)``.

    Parameters
    ----------
    covariance : np.ndarray, shape (D, D)
        Symmetric.

    Returns
    -------
    float
        1 when all lies on a line, D when it is the same in all directions; 0 when nothing moves.

    References
    ----------
    .. [1] P. Gao et al., "A theory of multineuronal dimensionality, dynamics and measurement", bioRxiv 214262, 2017.

    Examples
    --------
    >>> effective_dimensions(np.eye(5)), effective_dimensions(np.diag([3.0, 0.0]))
    (5.0, 1.0)
    """
    squares = float(np.square(covariance).sum())
    return float(np.trace(covariance) ** 2 / squares) if squares > 0 else 0.0


def measure_latents(run: Run, *, seed: int = 0) -> dict[str, Any]:
    """Measure how a run's latents are used.

    A linear classifier of the corpus would be blind here: the mean of each corpus is taken out of sound and content, so
    that corpora may lie apart and have one centre. Nearest neighbours are what a match goes by.

    Parameters
    ----------
    run : Run
        The trained model; its stored latents are read.
    seed : int
        Of the steps that are looked at.

    Returns
    -------
    dict
        JSON-safe: dimensions, steps (how many were looked at), active (share of the dimensions whose variance is at
        least a hundredth of the mean one), effective (`effective_dimensions`); corpus_near_codes and
        corpus_near_content: which share of the nearest neighbours of a step of unheard sound are of its own corpus, by
        latents and by content, every corpus counted alike and looked for among as many of each; chance, what that is
        where nothing tells the corpora apart: one over their number. Measured by the training; of latents else here,
        between recordings. None where there are too few of them, or a run has no content.
    """
    rng = np.random.default_rng(seed)
    share = max(2, MOST_STEPS // len(run.files))
    codes, labels, recordings = [], [], []
    for i, file in enumerate(run.files):
        found = run.latents(i).codes.T
        chosen = np.sort(rng.permutation(len(found))[:share])
        codes.append(found[chosen].astype(np.float64))
        labels += [file.corpus] * len(chosen)
        recordings += [i] * len(chosen)
    rows = np.concatenate(codes)
    variance = rows.var(axis=0)
    trained = run.metrics.get("translation") or {}
    near = trained.get("corpus_near_codes")
    return {
        "dimensions": int(rows.shape[1]),
        "steps": len(rows),
        "active": float((variance >= ACTIVE * max(float(variance.mean()), 1e-12)).mean()),
        "effective": effective_dimensions(np.atleast_2d(np.cov(rows.T))),
        "corpus_near_codes": near if near is not None else own_neighbours(rows, np.array(labels), np.array(recordings)),
        "corpus_near_content": trained.get("corpus_near_content"),
        "chance": 1 / len(set(labels)),
    }


def own_neighbours(codes: np.ndarray, labels: np.ndarray, recordings: np.ndarray) -> float | None:
    """Measure how many of the nearest neighbours of a step, in other recordings, are of its own corpus.

    Parameters
    ----------
    codes : np.ndarray, shape (S, D)
        Latent steps.
    labels : np.ndarray of int, shape (S,)
        Their corpora.
    recordings : np.ndarray of int, shape (S,)
        Their recordings: every second one of a corpus is asked, the others are searched.

    Returns
    -------
    float or None
        Averaged over the corpora, one over their number where they lie among each other; None if a corpus has fewer
        than two recordings, or there is one corpus.

    Examples
    --------
    >>> codes = np.repeat([[0.0, 1.0], [1.0, 0.0]], 20, axis=0) + 0.01 * np.arange(40)[:, None]
    >>> own_neighbours(codes, np.repeat([0, 1], 20), np.arange(40) // 5)
    1.0
    """
    import torch

    from stylemix.model.translation_fit import neighbour_accuracy

    numbers = [np.unique(recordings[labels == c]) for c in np.unique(labels)]
    if len(numbers) < 2 or min(map(len, numbers)) < 2:
        return None
    asked = np.isin(recordings, np.concatenate([mine[1::2] for mine in numbers]))
    x, side = torch.from_numpy(np.ascontiguousarray(codes)), torch.from_numpy(labels)
    return neighbour_accuracy(x[~asked], side[~asked], x[asked], side[asked])
