"""What the latents are used for: how many of their dimensions move, and how much of the corpus they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stylemix.errors import StylemixError

if TYPE_CHECKING:
    from stylemix.model.run import Run

# A dimension that varies less than this share of the mean variance carries nothing.
ACTIVE = 0.01
# Enough for a covariance of some hundred dimensions, and for a classifier in a second.
MOST_STEPS = 4000
N_FOLDS = 4
# Of each file, for content, which is not stored with a run.
CONTENT_S = 15.0
# Weight of the penalty against the data, whose variances are 1: it matters only where there are hardly any data.
RIDGE = 0.01


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

    Parameters
    ----------
    run : Run
        The trained model; its stored latents are read.
    seed : int
        Of the classifier and of the steps that are looked at.

    Returns
    -------
    dict
        JSON-safe: dimensions, steps (how many were looked at), active (share of the dimensions whose variance is at
        least a hundredth of the mean one), effective (`effective_dimensions`), and corpus_accuracy: how often a linear
        classifier of a single step names the corpus of recordings that it has not heard, every corpus counted alike;
        0.5 of two corpora is chance and means that the latents hold nothing of the corpus. None if there are too few
        recordings. content_accuracy: the same of the run's content, which is meant to be shared by the corpora; None
        where a run has none.
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
    return {
        "dimensions": int(rows.shape[1]),
        "steps": len(rows),
        "active": float((variance >= ACTIVE * max(float(variance.mean()), 1e-12)).mean()),
        "effective": effective_dimensions(np.atleast_2d(np.cov(rows.T))),
        "corpus_accuracy": corpus_accuracy(rows, np.array(labels), np.array(recordings)),
        "content_accuracy": _content_accuracy(run) if getattr(run, "has_content", False) else None,
    }


def corpus_accuracy(codes: np.ndarray, labels: np.ndarray, recordings: np.ndarray) -> float | None:
    """Measure how often least squares on all dimensions name the corpus of recordings that were left out.

    Latents are nearly white, so that no dimension may be dropped before: the corpus may be in any of them.

    Parameters
    ----------
    codes : np.ndarray, shape (S, D)
        Latent steps.
    labels : np.ndarray of int, shape (S,)
        Their corpora.
    recordings : np.ndarray of int, shape (S,)
        Their recordings: none is on both sides of a test.

    Returns
    -------
    float or None
        Share of the steps that are named right, averaged over the corpora; None if a corpus has fewer than two
        recordings.

    Examples
    --------
    >>> codes = np.repeat([[0.0, 1.0], [1.0, 0.0]], 20, axis=0) + 0.01 * np.arange(40)[:, None]
    >>> corpus_accuracy(codes, np.repeat([0, 1], 20), np.arange(40) // 5)
    1.0
    """
    corpora = np.unique(labels)
    numbers = {c: np.unique(recordings[labels == c]) for c in corpora}
    n_folds = min(N_FOLDS, *(len(mine) for mine in numbers.values()))
    if n_folds < 2 or len(corpora) < 2:
        return None
    # Recordings of each corpus are dealt out to the folds in turn.
    fold_of = {recording: n % n_folds for mine in numbers.values() for n, recording in enumerate(mine)}
    fold = np.array([fold_of[recording] for recording in recordings])
    rows = np.column_stack([(codes - codes.mean(axis=0)) / np.maximum(codes.std(axis=0), 1e-9), np.ones(len(codes))])
    wanted = (labels[:, None] == corpora).astype(np.float64)
    # Every corpus counts alike, however much of it there is.
    weight = 1 / wanted.sum(axis=0)[np.searchsorted(corpora, labels)]
    named = np.empty(len(codes), dtype=int)
    for k in range(n_folds):
        known = fold != k
        weighted = rows[known] * weight[known, None]
        square = rows[known].T @ weighted + RIDGE * weight[known].sum() * np.eye(rows.shape[1])
        named[~known] = (rows[~known] @ np.linalg.solve(square, weighted.T @ wanted[known])).argmax(axis=1)
    return float(np.mean([(corpora[named[labels == c]] == c).mean() for c in corpora]))


def _content_accuracy(run: Run) -> float | None:
    """Measure how much of the corpus the content tells, on the middle of every file that is still there."""
    from stylemix.hybrid.scan import block_features
    from stylemix.hybrid.source import SourceReader

    codes, labels, recordings = [], [], []
    for i, file in enumerate(run.files):
        try:
            path = run.file_path(i)
        except StylemixError:
            continue
        start_s = max(0.0, (file.seconds - CONTENT_S) / 2)
        rate = run.vqt.sample_rate
        with SourceReader(path, model_rate=rate, start_s=start_s, duration_s=CONTENT_S) as reader:
            features = block_features(run, reader.read_model(0, reader.n_model_samples))
        codes.append(run.content(features, run.one_hot(file.corpus)).T.astype(np.float64))
        labels += [file.corpus] * len(codes[-1])
        recordings += [i] * len(codes[-1])
    if len(set(labels)) < len(run.corpora):
        return None
    return corpus_accuracy(np.concatenate(codes), np.array(labels), np.array(recordings))
