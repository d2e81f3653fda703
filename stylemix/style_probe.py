"""How separable styles are by a linear look at their features, and where between them a sound lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stylemix.errors import BadInput

# The weight of all the data against a unit Gaussian prior. Small, whatever the number of segments, so that
# the probabilities rise gradually from one style to the other instead of jumping.
DATA_WEIGHT = 1.0
MOST_DIMENSIONS = 30
MOST_FOLDS = 5


@dataclass(frozen=True)
class StyleProbe:
    """A fitted linear classifier of style features, as plain arrays.

    Parameters
    ----------
    weights : np.ndarray, shape (L, F)
        For each label, of the raw features.
    bias : np.ndarray, shape (L,)
        For each label.
    labels : tuple of str
        In the order of the probabilities.
    accuracy : float or None
        Balanced accuracy on recordings it was not fitted to; None when there were too few to tell.
    """

    weights: np.ndarray
    bias: np.ndarray
    labels: tuple[str, ...]
    accuracy: float | None

    def predict_proba(self, features: np.ndarray) -> np.ndarray:
        """Return how much each segment sounds like each style.

        Parameters
        ----------
        features : np.ndarray, shape (S, F) or (F,)
            From `style_features`.

        Returns
        -------
        np.ndarray, shape (S, L)
            Probabilities; with two corpora the last column is P(B).
        """
        scores = np.atleast_2d(features) @ self.weights.T + self.bias
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)


def fit_probe(features: np.ndarray, labels: np.ndarray, groups: np.ndarray, *, seed: int = 0) -> StyleProbe:
    """Fit the probe, and measure it on recordings it has not heard.

    Parameters
    ----------
    features : np.ndarray, shape (S, F)
        One row a segment, from `style_features`.
    labels : array of S values
        The corpus of each segment; the probabilities follow their sorted order.
    groups : array of S values
        The recording of each segment: no recording is on both sides of a test.
    seed : int
        For the solver and the folds.

    Returns
    -------
    StyleProbe
        Fitted to everything; its accuracy is from the folds.

    Raises
    ------
    BadInput
        If the sizes do not agree or there are not two labels.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = np.concatenate([rng.normal(0, 1, (20, 4)), rng.normal(3, 1, (20, 4))])
    >>> probe = fit_probe(rows, np.repeat([0, 1], 20), np.repeat(np.arange(8), 5))
    >>> probe.accuracy > 0.9, probe.predict_proba(np.full(4, 3.0)).round(1).tolist()
    (True, [[0.3, 0.7]])
    """
    features = np.asarray(features, dtype=np.float64)
    labels, groups = np.asarray(labels), np.asarray(groups)
    if features.ndim != 2 or not len(features) == len(labels) == len(groups):
        raise BadInput(f"fit_probe: features, labels and groups must be of one length, got "
                       f"{features.shape}, {len(labels)} and {len(groups)}")
    names = np.unique(labels)
    if len(names) < 2:
        raise BadInput(f"fit_probe: two or more labels are needed, got {len(names)}")
    weights, bias = _fit_linear(features, labels, seed)
    accuracy = _held_out(features, labels, groups, seed)
    return StyleProbe(weights, bias, tuple(str(name) for name in names), accuracy)


def _fit_linear(features: np.ndarray, labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Standardise, reduce, classify; then fold the three linear steps into one."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    mean, scale = features.mean(axis=0), features.std(axis=0)
    # A feature that does not vary says nothing; dividing by its rounding noise would make it shout.
    scale[scale < 1e-6] = np.inf
    standard = (features - mean) / scale
    n_kept = max(1, min(MOST_DIMENSIONS, len(features) // 4, features.shape[1]))
    model = LogisticRegression(C=DATA_WEIGHT / len(labels), class_weight="balanced", random_state=seed)
    # On matrices this small, threads that wait for each other cost a hundred times the arithmetic.
    with threadpool_limits(1):
        basis = np.linalg.svd(standard, full_matrices=False)[2][:n_kept]
        model.fit(standard @ basis.T, labels)
    weights = model.coef_ @ basis / scale
    bias = model.intercept_ - weights @ mean
    if len(weights) == 1:
        return np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return weights, bias


def _held_out(features: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int) -> float | None:
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedGroupKFold

    fewest = min(len(np.unique(groups[labels == label])) for label in np.unique(labels))
    if fewest < 2:
        return None
    guessed = np.empty_like(labels)
    folds = StratifiedGroupKFold(min(MOST_FOLDS, fewest), shuffle=True, random_state=seed)
    for known, unheard in folds.split(features, labels, groups):
        if len(np.unique(labels[known])) < len(np.unique(labels)):
            return None
        weights, bias = _fit_linear(features[known], labels[known], seed)
        guessed[unheard] = np.unique(labels[known])[(features[unheard] @ weights.T + bias).argmax(axis=1)]
    return float(balanced_accuracy_score(labels, guessed))
