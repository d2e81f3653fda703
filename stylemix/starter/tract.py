"""Folds, throat and mouth: the glottal pulse and the formants of vowels and consonants.

Letters: T samples; P control points (one every `HOP` samples); F formants.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import optimize, signal

from stylemix.errors import BadInput

SAMPLE_RATE = 44100
HOP = 64

# First three formants of men (Hz); the fourth and fifth hardly move.
FORMANTS_HZ: dict[str, tuple[float, float, float]] = {
    "ee": (270.0, 2290.0, 3010.0),
    "eh": (530.0, 1840.0, 2480.0),
    "ah": (730.0, 1090.0, 2440.0),
    "aw": (570.0, 840.0, 2410.0),
    "oh": (450.0, 880.0, 2350.0),
    "oo": (300.0, 870.0, 2240.0),
    "uh": (640.0, 1190.0, 2390.0),
}
# Where a consonant begins before the vowel: formant loci (Hz), closure (s), glide (s).
ONSETS: dict[str, tuple[tuple[float, float, float], float, float]] = {
    "b": ((220.0, 800.0, 2200.0), 0.035, 0.03),
    "d": ((230.0, 1700.0, 2650.0), 0.03, 0.035),
    "w": ((290.0, 610.0, 2150.0), 0.0, 0.09),
    "l": ((340.0, 1100.0, 2700.0), 0.0, 0.05),
}
UPPER_FORMANTS_HZ = (3350.0, 4100.0)
BANDWIDTHS_HZ = (75.0, 95.0, 130.0, 190.0, 260.0)


def formant_table(syllable: str) -> np.ndarray:
    """Look up the five formants of the vowel of a syllable.

    Parameters
    ----------
    syllable : str
        Such as "oo" or "b-ah".

    Returns
    -------
    np.ndarray, shape (5,)
        Hz.

    Raises
    ------
    BadInput
        If the vowel is unknown.

    References
    ----------
    Peterson, G. E. & Barney, H. L. (1952). Control methods used in a study of the vowels. JASA 24(2).

    Examples
    --------
    >>> formant_table("b-ah").tolist()
    [730.0, 1090.0, 2440.0, 3350.0, 4100.0]
    """
    vowel = syllable.split("-")[-1]
    if vowel not in FORMANTS_HZ:
        raise BadInput(f"syllable: the vowel must be one of {', '.join(FORMANTS_HZ)}, got {syllable!r}")
    return np.array([*FORMANTS_HZ[vowel], *UPPER_FORMANTS_HZ])


@lru_cache(maxsize=16)
def glottal_spectrum(rd: float, n_harmonics: int = 200) -> np.ndarray:
    """Compute the harmonics of one period of the Liljencrants-Fant glottal flow derivative.

    Parameters
    ----------
    rd : float
        The one-parameter shape of Fant (1995), 0.5 to 2.6.
    n_harmonics : int
        How many.

    Returns
    -------
    np.ndarray, shape (n_harmonics + 1,), complex
        Fourier coefficients, the mean first (zero).

    References
    ----------
    Fant, G., Liljencrants, J. & Lin, Q. (1985). A four-parameter model of glottal flow. STL-QPSR 4/1985.
    Fant, G. (1995). The LF-model revisited. STL-QPSR 2-3/1995.
    """
    return_time = (-1.0 + 4.8 * rd) / 100.0
    skew = (22.4 + 11.8 * rd) / 100.0
    rise = 0.25 * skew / (0.11 * rd / (0.5 + 1.2 * skew) - return_time)
    closing = (1.0 + skew) / (2.0 * rise)
    omega = 2.0 * np.pi * rise
    rest = 1.0 - closing
    epsilon = optimize.brentq(
        lambda e: e * return_time - 1.0 + np.exp(-e * rest), 1e-3 + 0.5 / return_time, 2.0 / return_time
    )
    time = np.arange(8192) / 8192.0
    after = -(np.exp(-epsilon * (time - closing)) - np.exp(-epsilon * rest)) / (epsilon * return_time)

    def _pulse(alpha: float) -> np.ndarray:
        opening = -np.exp(alpha * (time - closing)) * np.sin(omega * time) / np.sin(omega * closing)
        return np.where(time < closing, opening, after)

    # The growth rate is the one for which the flow comes back to zero: the derivative has no mean.
    alpha = optimize.brentq(lambda a: float(_pulse(a).mean()), -20.0, 60.0)
    spectrum = np.fft.rfft(_pulse(alpha))[: n_harmonics + 1] / 8192.0
    spectrum[0] = 0.0
    return spectrum


def formant_filter(source: np.ndarray, formants_hz: np.ndarray) -> np.ndarray:
    """Filter a glottal source by five resonators in cascade that move every `HOP` samples.

    Parameters
    ----------
    source : np.ndarray, shape (T,)
        Derivative of the glottal flow.
    formants_hz : np.ndarray, shape (F, P)
        Centre frequencies (Hz), F <= 5.

    Returns
    -------
    np.ndarray, shape (T,)
        The voice.
    """
    bandwidths = np.array(BANDWIDTHS_HZ)[: formants_hz.shape[0], None]
    radius = np.exp(-np.pi * bandwidths / SAMPLE_RATE)
    first = 2.0 * radius * np.cos(2.0 * np.pi * formants_hz / SAMPLE_RATE)
    second = np.broadcast_to(-(radius**2), first.shape)
    voice: np.ndarray = _cascade()(source, np.ascontiguousarray(first.T), np.ascontiguousarray(second.T), HOP)
    return voice


def higher_poles(voices: np.ndarray) -> np.ndarray:
    """Add what a tract has above its fifth formant: a resonance a kilohertz, and a microphone's presence.

    Parameters
    ----------
    voices : np.ndarray, shape (T,) or (C, T)
        Sung through `formant_filter`; a whole choir may go through at once.

    Returns
    -------
    np.ndarray, the same shape
        With the highs that five poles alone take away.
    """
    centre = np.arange(5100.0, 19000.0, 1050.0)
    radius = np.exp(-np.pi * (300.0 + 0.04 * centre) / SAMPLE_RATE)
    middle = -2.0 * radius * np.cos(2.0 * np.pi * centre / SAMPLE_RATE)
    zero = np.zeros_like(centre)
    sections = np.stack([1.0 + middle + radius**2, zero, zero, zero + 1.0, middle, radius**2], axis=1)
    # The microphone's presence: a shelf that rises by 9 dB from 2.8 to 8 kHz.
    shelf = signal.bilinear(
        [1.0 / (2.0 * np.pi * 2800.0), 1.0], [1.0 / (2.0 * np.pi * 8000.0), 1.0], fs=SAMPLE_RATE
    )
    return signal.sosfilt(np.concatenate([sections, signal.tf2sos(*shelf)]), voices)


@lru_cache(maxsize=1)
def _cascade() -> Callable[..., np.ndarray]:
    """Compile the moving cascade when the first voice sings."""
    from numba import njit

    @njit
    def _run(source: np.ndarray, first: np.ndarray, second: np.ndarray, hop: int) -> np.ndarray:
        n_formants = first.shape[1]
        state = np.zeros((n_formants, 2))
        out = np.empty_like(source)
        for t in range(source.size):
            point = t // hop
            value = source[t]
            for k in range(n_formants):
                b, c = first[point, k], second[point, k]
                value = (1.0 - b - c) * value + b * state[k, 0] + c * state[k, 1]
                state[k, 1] = state[k, 0]
                state[k, 0] = value
            out[t] = value
        return out

    return _run
