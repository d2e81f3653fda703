"""Activations of a fixed dictionary: multiplicative updates, bent towards few, long and unrepeated runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stylemix.errors import BadInput

# What stands for nothing in a division, relative to the largest magnitude.
SMALLEST = 1e-9


@dataclass(frozen=True)
class Constraints:
    """What activations are bent towards, more in every iteration; the letters are the paper's.

    Parameters
    ----------
    repetition : int
        r: frames to either side in which one target frame is heard once only; 0 allows every repetition.
    polyphony : int
        p: target frames that are the seeds of what sounds at one time; 0 allows any number.
    continuity : int
        c: frames before and after which are drawn in with a target frame; 0 lets every frame stand for itself.
    iterations : int
        L: how often the activations are updated.

    Raises
    ------
    BadInput
        If a number is below 0, or there is no iteration.

    References
    ----------
    J. Driedger, T. Prätzlich, M. Müller, "Let it Bee: towards NMF-inspired audio mosaicing", ISMIR 2015.

    Examples
    --------
    >>> Constraints(polyphony=-1)
    Traceback (most recent call last):
    ...
    stylemix.errors.BadInput: cross: polyphony must be 0 or more, got -1
    """

    # A run that c draws in lasts 2 c + 1 frames: where r is less it begins again before it has ended, and stutters.
    # Measured on two recordings of each of four corpora, with the other corpus of the pair as the target, as
    # correlation of chroma with the source / probability of the target's style: r, p, c = 3, 10, 3 (usual with this
    # method) gives 0.67 / 0.60; 3, 10, 2: 0.68 / 0.61; 6, 10, 2: 0.70 / 0.64; 6, 10, 1: 0.71 / 0.63; 6, 20, 2:
    # 0.71 / 0.64; 3, 10, 0: 0.76 / 0.51; no constraint: 0.70 / 0.43; L = 10, 20, 40: 0.70, 0.68, 0.68 / 0.60, 0.61,
    # 0.61. (The sources themselves have 0.10, the targets about 0.9.)
    repetition: int = 6
    polyphony: int = 10
    continuity: int = 2
    iterations: int = 20

    def __post_init__(self) -> None:
        for name in ("repetition", "polyphony", "continuity"):
            if getattr(self, name) < 0:
                raise BadInput(f"cross: {name} must be 0 or more, got {getattr(self, name)}")
        if self.iterations < 1:
            raise BadInput(f"cross: iterations must be 1 or more, got {self.iterations}")


FREE = Constraints(repetition=0, polyphony=0, continuity=0)


def activations(
    magnitude: np.ndarray,
    dictionary: np.ndarray,
    run: np.ndarray,
    *,
    beginning: np.ndarray,
    constraints: Constraints,
) -> np.ndarray:
    """Find how much of every dictionary frame sounds at every frame of a source.

    Each iteration bends the activations H with `constrained` and then takes one multiplicative step towards
    the smallest Kullback-Leibler divergence of the magnitudes V from W H (W fixed). Whatever went before, the
    step leaves ``sum_k H_kn sum_f W_fk = sum_f V_fn``: the magnitudes of each frame add up to the source's.

    Parameters
    ----------
    magnitude : np.ndarray, shape (K, N)
        V, the source.
    dictionary : np.ndarray, shape (K, D)
        W, frames of the target.
    run : np.ndarray, shape (D,), int
        Two neighbours in the dictionary are consecutive in time where their numbers are the same.
    beginning : np.ndarray, shape (D, N)
        Activations to begin with, above 0.
    constraints : Constraints
        What to bend them towards.

    Returns
    -------
    np.ndarray, shape (D, N)
        H, of the dtype of `beginning`.

    References
    ----------
    The step: D. D. Lee, H. S. Seung, "Algorithms for non-negative matrix factorization", NIPS 2000. The
    bending: see `Constraints`.

    Examples
    --------
    >>> w = np.array([[1.0, 0.0], [0.0, 2.0]])
    >>> activations(w @ [[3.0], [1.0]], w, np.arange(2), beginning=np.ones((2, 1)), constraints=FREE).tolist()
    [[3.0], [1.0]]
    """
    h = beginning
    total = dictionary.sum(axis=0)
    share_of = np.divide(1, total, out=np.zeros_like(total), where=total > 0)[:, None]
    peak = float(magnitude.max()) if magnitude.size else 0.0
    # In silence 0 / floor leaves the activations at 0, whatever the floor.
    floor = max(SMALLEST * peak, float(np.finfo(np.float32).tiny))
    for iteration in range(constraints.iterations):
        h = constrained(h, run, (iteration + 1) / constraints.iterations, constraints)
        ratio = magnitude / np.maximum(dictionary @ h, floor)
        h = h * (dictionary.T @ ratio) * share_of
    return h


def constrained(h: np.ndarray, run: np.ndarray, progress: float, constraints: Constraints) -> np.ndarray:
    """Bend activations towards what a mosaic needs.

    Parameters
    ----------
    h : np.ndarray, shape (D, N)
        Activations.
    run : np.ndarray, shape (D,), int
        See `activations`.
    progress : float
        Share by which what breaks a constraint is lowered, 0 to 1.
    constraints : Constraints
        Which.

    Returns
    -------
    np.ndarray, shape (D, N)
        Repeats lowered, then all but the largest of each column lowered, then each spread along its run.

    Examples
    --------
    >>> h = np.array([[4.0, 3.0, 1.0]])
    >>> only_once = Constraints(repetition=1, polyphony=0, continuity=0)
    >>> constrained(h, np.zeros(1, dtype=int), 1.0, only_once).tolist()
    [[4.0, 0.0, 0.0]]
    """
    if constraints.repetition:
        from scipy.ndimage import maximum_filter1d

        around = maximum_filter1d(h, 2 * constraints.repetition + 1, axis=1, mode="nearest")
        h = np.where(h >= around, h, h * h.dtype.type(1 - progress))
    if 0 < constraints.polyphony < len(h):
        place = len(h) - constraints.polyphony
        h = np.where(h >= np.partition(h, place, axis=0)[place], h, h * h.dtype.type(1 - progress))
    return _spread(h, run, constraints.continuity)


def _spread(h: np.ndarray, run: np.ndarray, reach: int) -> np.ndarray:
    """Add to every activation its neighbours before and after along the diagonal, inside its run."""
    out = h.copy()
    for i in range(1, min(reach + 1, *h.shape)):
        same = (run[i:] == run[:-i]).astype(h.dtype)[:, None]
        out[i:, i:] += h[:-i, :-i] * same
        out[:-i, :-i] += h[i:, i:] * same
    return out
