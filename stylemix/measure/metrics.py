"""How far two sounds are apart, how far two sets of sounds are, and how evenly a path leads between them."""

from __future__ import annotations

import numpy as np

from stylemix.errors import BadInput
from stylemix.measure.fade import fade_r2 as fade_r2
from stylemix.measure.fade import fade_shares as fade_shares
from stylemix.measure.kernel import kernel_distance as kernel_distance
from stylemix.measure.kernel import standardised as standardised
from stylemix.measure.onsets import onset_correlation as onset_correlation
from stylemix.measure.spectra import chroma_correlation as chroma_correlation
from stylemix.measure.spectra import stft

# Below this, relative to the loudest bin, a difference of levels is not counted.
FLOOR_DB = -80.0


def spectral_convergence_db(reference: np.ndarray, estimate: np.ndarray, *, n_fft: int = 2048) -> float:
    """Measure the error of an estimate's magnitudes, relative to the reference.

    ``20 log10(|| |X| - |Y| || / || |X| ||)`` with the magnitudes of a short-time Fourier transform (Hann,
    a hop of a quarter window) and Frobenius norms over channels, bins and frames.

    Parameters
    ----------
    reference, estimate : np.ndarray, shape (T,) or (C, T)
        Sounds of one length and sample rate.
    n_fft : int
        Window (samples).

    Returns
    -------
    float
        Decibels; lower is better, -200 for equal sounds.

    Raises
    ------
    BadInput
        If the shapes differ.

    References
    ----------
    .. [1] N. Sturmel, L. Daudet, "Signal reconstruction from STFT magnitude: a state of the art", DAFx 2011.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal(8192)
    >>> round(spectral_convergence_db(x, 0.9 * x), 6)
    -20.0
    """
    x, y = _magnitudes(reference, estimate, n_fft)
    ratio = np.square(x - y).sum() / max(float(np.square(x).sum()), 1e-30)
    return float(10 * np.log10(max(ratio, 1e-20)))


def log_spectral_distance_db(reference: np.ndarray, estimate: np.ndarray, *, n_fft: int = 2048) -> float:
    """Measure how far the levels of two sounds are apart.

    The root mean square over the bins of the difference in decibels, averaged over frames. Levels more than
    80 dB below the reference's loudest bin count as 80 dB below it.

    Parameters
    ----------
    reference, estimate : np.ndarray, shape (T,) or (C, T)
        Sounds of one length and sample rate.
    n_fft : int
        Window (samples).

    Returns
    -------
    float
        Decibels; lower is better, 0 for equal sounds.

    Raises
    ------
    BadInput
        If the shapes differ.

    References
    ----------
    .. [1] A. Gray, J. Markel, "Distance measures for speech processing", IEEE Trans. ASSP 24(5), 1976.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal(8192)
    >>> round(log_spectral_distance_db(x, 0.5 * x), 2)
    6.02
    """
    x, y = _magnitudes(reference, estimate, n_fft)
    floor = max(float(x.max()), 1e-9) * 10 ** (FLOOR_DB / 20)
    difference = 20 * np.log10(np.maximum(x, floor) / np.maximum(y, floor))
    return float(np.sqrt(np.square(difference).mean(axis=-2)).mean())


def path_evenness(features: np.ndarray) -> tuple[float, float]:
    """Measure how evenly sounds move from one end to the other, over equal steps of alpha.

    Non-linearity is the root mean square distance to the straight line between the ends; non-smoothness is
    that of the second differences [1]_. Both are divided by the distance of the ends, so that 0 is a steady
    walk, and a single jump in the middle of four steps has a non-linearity of 0.25 and more.

    Parameters
    ----------
    features : np.ndarray, shape (n_alphas, F)
        Mean features at each alpha, from end to end, standardised; at least 3 alphas.

    Returns
    -------
    non_linearity, non_smoothness : float
        In units of the distance of the ends; both infinite when the ends are the same.

    Raises
    ------
    BadInput
        If there are fewer than three alphas.

    References
    ----------
    .. [1] G. Le Vaillant, T. Dutoit, "Latent space interpolation of synthesizer parameters using timbre-
       regularized auto-encoders", IEEE/ACM TASLP 32, 2024.

    Examples
    --------
    >>> path_evenness(np.array([[0.0], [1.0], [2.0]]))
    (0.0, 0.0)
    >>> path_evenness(np.array([[0.0], [0.0], [2.0]]))
    (0.5, 1.0)
    """
    path = np.asarray(features, dtype=np.float64)
    if path.ndim != 2 or len(path) < 3:
        raise BadInput(f"path_evenness: needs features at three alphas or more, got shape {path.shape}")
    ends = float(np.linalg.norm(path[-1] - path[0]))
    if ends == 0:
        return float("inf"), float("inf")
    share = np.linspace(0, 1, len(path))[1:-1, None]
    away = path[1:-1] - ((1 - share) * path[0] + share * path[-1])
    bends = path[2:] - 2 * path[1:-1] + path[:-2]
    scale = ends * float(np.sqrt(len(away)))
    return float(np.linalg.norm(away)) / scale, float(np.linalg.norm(bends)) / scale


def _magnitudes(reference: np.ndarray, estimate: np.ndarray, n_fft: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.atleast_2d(reference), np.atleast_2d(estimate)
    if x.shape != y.shape or x.shape[-1] == 0:
        raise BadInput(f"the sounds to compare must be there and of one shape, got {x.shape} and {y.shape}")
    return np.abs(stft(x, n_fft)), np.abs(stft(y, n_fft))
