"""How far a set of sounds is from a reference set, by a kernel, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stylemix.errors import BadInput

# MMD^2 lies between 0 and 2; in thousandths it reads without leading zeros.
KERNEL_SCALE = 1000.0
N_RESAMPLES = 400
LEVEL = 0.95
# Of fewer recordings than this a resample says little about other recordings; then segments are resampled.
LEAST_RECORDINGS = 3


@dataclass(frozen=True)
class Interval:
    """A number and how far chance may have moved it.

    Parameters
    ----------
    value : float
        As measured.
    low, high : float
        Where it lies in 95 % of the resamples.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class KernelReference:
    """A set of segments that others are compared with; what depends on it alone is computed once.

    Parameters
    ----------
    rows : np.ndarray, shape (R, F)
        Style features, at least 2 segments.
    recordings : np.ndarray, shape (R,)
        The recording of each segment.
    strata : np.ndarray, shape (R,), optional
        The corpus of each segment: its share stays the same in every resample.
    seed : int
        Of the resamples.

    Raises
    ------
    BadInput
        If there are fewer than two rows.
    """

    rows: np.ndarray
    recordings: np.ndarray
    strata: np.ndarray | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rows.ndim != 2 or len(self.rows) < 2:
            raise BadInput(f"kernel distance: needs a reference of at least 2 rows, got shape {self.rows.shape}")

    def distance(self, features: np.ndarray) -> float:
        """Measure the kernel audio distance of a set from the reference; see `kernel_distance`.

        Parameters
        ----------
        features : np.ndarray, shape (S, F)
            At least 2 segments.

        Returns
        -------
        float
            Thousandths.

        Raises
        ------
        BadInput
            If a set has fewer than two members, or the sets disagree on the features.
        """
        within, between = self._kernels(features)
        ones = np.ones(len(features))
        both = pairs_mean(within, ones) + pairs_mean(self._within, np.ones(len(self.rows)))
        return KERNEL_SCALE * float(both - 2 * between.mean())

    def interval(self, features: np.ndarray, recordings: np.ndarray, strata: np.ndarray | None = None) -> Interval:
        """Measure the distance, and its interval over resamples of both sets.

        Recordings are drawn with replacement, with all their segments, where a set has three or more, else
        segments. A pair of a segment with itself never counts, however often it is drawn, so that the estimate
        stays unbiased; drawing recordings still makes the likeness within a recording count more often, which moves
        all resamples together: the interval is taken around their mean and put around the value.

        Parameters
        ----------
        features : np.ndarray, shape (S, F)
            At least 2 segments.
        recordings : np.ndarray, shape (S,)
            The recording of each.
        strata : np.ndarray, shape (S,), optional
            The corpus of each, where they are of several.

        Returns
        -------
        Interval
            Thousandths. The reference's resamples are the same for every set that is compared with it.

        Raises
        ------
        BadInput
            If a set has fewer than two members, or the sets disagree on the features.
        """
        within, between = self._kernels(features)
        drawn = resample_weights(recordings, strata=strata, n_resamples=N_RESAMPLES, seed=self.seed + 1)
        # Kernels are computed once; a resample only changes how often each pair counts.
        mixed = np.einsum("bs,sr,br->b", drawn, between, self._drawn, optimize=True)
        mixed /= drawn.sum(axis=1) * self._drawn.sum(axis=1)
        found = KERNEL_SCALE * (pairs_mean(within, drawn) + self._drawn_within - 2 * mixed)
        value = self.distance(features)
        # Around the mean of the resamples: drawing whole recordings moves all of them together (see above).
        low, high = np.quantile(found - found.mean(), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Interval(value, value + float(low), value + float(high))

    def _kernels(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = np.asarray(features, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != self.rows.shape[1] or len(x) < 2:
            raise BadInput(
                "kernel_distance: needs two sets of at least 2 rows with the same features, "
                f"got {x.shape} and {self.rows.shape}"
            )
        x = standardised(x, self.rows)
        within, between = _squared_distances(x, x), _squared_distances(x, self._standard)
        return np.exp(-within / (2 * self._width)), np.exp(-between / (2 * self._width))

    @cached_property
    def _standard(self) -> np.ndarray:
        return standardised(np.asarray(self.rows, dtype=np.float64), self.rows)

    @cached_property
    def _squared(self) -> np.ndarray:
        return _squared_distances(self._standard, self._standard)

    @cached_property
    def _width(self) -> float:
        return float(np.median(self._squared[np.triu_indices(len(self.rows), 1)])) or 1.0

    @cached_property
    def _within(self) -> np.ndarray:
        return np.exp(-self._squared / (2 * self._width))

    @cached_property
    def _drawn(self) -> np.ndarray:
        return resample_weights(self.recordings, strata=self.strata, n_resamples=N_RESAMPLES, seed=self.seed)

    @cached_property
    def _drawn_within(self) -> np.ndarray:
        return pairs_mean(self._within, self._drawn)


def kernel_distance(features: np.ndarray, reference: np.ndarray) -> float:
    """Measure how far a set of sounds is from a reference set, by the kernel audio distance.

    The unbiased squared maximum mean discrepancy with the Gaussian kernel ``exp(-||x - y||^2 / (2 s^2))``,
    ``s`` the median distance within the reference [1]_, in thousandths. Both sets are first brought to the
    reference's mean and spread, feature by feature. The estimate of two samples of one source scatters
    around 0 and may be negative.

    Parameters
    ----------
    features : np.ndarray, shape (S, F)
        From `stylemix.style.segment_features`, at least 2.
    reference : np.ndarray, shape (R, F)
        Likewise.

    Returns
    -------
    float
        Lower is nearer; at most 2000.

    Raises
    ------
    BadInput
        If a set has fewer than two members, or the sets disagree on the features.

    References
    ----------
    .. [1] Y. Chung et al., "KAD: No more FAD! An effective and efficient evaluation metric for audio
       generation", ICML 2025, arXiv:2502.15602.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> near, far, here = rng.normal(0, 1, (200, 4)), rng.normal(3, 1, (200, 4)), rng.normal(0, 1, (200, 4))
    >>> kernel_distance(near, here) < 20 < 800 < kernel_distance(far, here)
    True
    """
    rows = np.asarray(reference, dtype=np.float64)
    return KernelReference(rows, np.zeros(len(rows))).distance(features)


def standardised(features: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Bring features to a reference's mean 0 and spread 1.

    Parameters
    ----------
    features : np.ndarray, shape (S, F)
        Any.
    reference : np.ndarray, shape (R, F)
        What counts as usual.

    Returns
    -------
    np.ndarray, shape (S, F)
        A feature that does not vary in the reference becomes 0.

    Examples
    --------
    >>> standardised(np.array([[3.0, 5.0]]), np.array([[0.0, 1.0], [2.0, 1.0]])).tolist()
    [[2.0, 0.0]]
    """
    spread = reference.std(axis=0)
    spread = np.where(spread < 1e-6, np.inf, spread)
    return (features - reference.mean(axis=0)) / spread


def pairs_mean(kernel: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average a kernel over pairs of different members: what makes the estimate unbiased.

    Parameters
    ----------
    kernel : np.ndarray, shape (S, S)
        Of each member with each.
    weights : np.ndarray, shape (..., S)
        How often each member was drawn.

    Returns
    -------
    np.ndarray, shape (...)
        The mean without pairs of a member with itself; 0 where only one member was drawn.

    Examples
    --------
    >>> float(pairs_mean(np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([3.0, 1.0])))
    0.5
    """
    alone = np.square(weights)
    pairs = np.square(weights.sum(axis=-1)) - alone.sum(axis=-1)
    total = ((weights @ kernel) * weights).sum(axis=-1) - alone @ np.diagonal(kernel)
    return np.where(pairs > 0, total / np.maximum(pairs, 1e-300), 0.0)


def resample_weights(
    recordings: np.ndarray, *, strata: np.ndarray | None = None, n_resamples: int, seed: int
) -> np.ndarray:
    """Draw with replacement: recordings with all their segments, or segments where there are too few recordings.

    Parameters
    ----------
    recordings : np.ndarray, shape (S,)
        The recording of each segment.
    strata : np.ndarray, shape (S,), optional
        Each stratum is drawn for itself.
    n_resamples : int
        How often.
    seed : int
        Of the draws.

    Returns
    -------
    np.ndarray, shape (n_resamples, S)
        How often each segment was drawn.

    Examples
    --------
    >>> resample_weights(np.array([0, 0, 1, 1, 2, 2]), n_resamples=1, seed=1).tolist()
    [[1.0, 1.0, 2.0, 2.0, 0.0, 0.0]]
    """
    rng = np.random.default_rng(seed)
    recordings = np.asarray(recordings)
    strata = np.zeros(len(recordings)) if strata is None else np.asarray(strata)
    out = np.zeros((n_resamples, len(recordings)))
    for stratum in np.unique(strata):
        mine = np.flatnonzero(strata == stratum)
        units = np.unique(recordings[mine], return_inverse=True)[1]
        if units.max() + 1 < LEAST_RECORDINGS:
            units = np.arange(len(mine))
        n = int(units.max()) + 1
        out[:, mine] = rng.multinomial(n, np.full(n, 1 / n), size=n_resamples)[:, units]
    return out


def _squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    squares = np.square(x).sum(axis=1)[:, None] + np.square(y).sum(axis=1)[None] - 2 * x @ y.T
    return np.maximum(squares, 0)
