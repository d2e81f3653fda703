"""How near a sound whose phase was found anew is to the original: spectra, levels, and the 20 ms before onsets."""

from __future__ import annotations

import numpy as np

# No figure is better than this: what is below is rounding.
BEST_DB = -200.0
# A level further below the loudest bin counts as being so far below.
FLOOR_DB = -80.0
# Windows on both sides of an onset (s).
BESIDE_S = 0.020
# What lies further below the onset counts as being so far below: music in good recordings ends about there.
QUIET_DB = -60.0
# An onset is a rise by so much, no further than this below the loudest 20 ms, alone within so many seconds.
RISE_DB, LOUD_DB, ALONE_S = 10.0, -40.0, 0.050
# The rise before a click wavers with the energy of the 441 samples of noise there, whose deviation is 0.3 dB.
WAVER_DB = 2.0


def decibels(ratio: float) -> float:
    """20 log10 of a ratio of amplitudes, not below `BEST_DB`."""
    return 20 * float(np.log10(max(ratio, 10 ** (BEST_DB / 20))))


def convergence_db(found: tuple[np.ndarray, ...], wanted: tuple[np.ndarray, ...]) -> float:
    """Norm of the difference of magnitudes relative to the wanted ones; 0 dB for silence, or if silence is wanted."""
    difference = sum(float(np.square(f.astype(np.float64) - w).sum()) for f, w in zip(found, wanted, strict=True))
    total = sum(float(np.square(w.astype(np.float64)).sum()) for w in wanted)
    if total == 0:
        return BEST_DB if difference == 0 else 0.0
    return decibels((difference / total) ** 0.5)


def spectrogram(x: np.ndarray, n_fft: int) -> np.ndarray:
    """Magnitudes of a Hann-windowed transform with a quarter of a frame as hop, shape (K, N); silence outside."""
    import librosa

    return np.abs(librosa.stft(x.astype(np.float32), n_fft=n_fft, hop_length=n_fft // 4, pad_mode="constant"))


def sound_convergence_db(found: np.ndarray, wanted: np.ndarray, n_fft: int) -> float:
    """Spectral convergence on a short-time Fourier transform that no method under test knows of."""
    return convergence_db((spectrogram(found, n_fft),), (spectrogram(wanted, n_fft),))


def spectral_distance_db(found: np.ndarray, wanted: np.ndarray) -> float:
    """Mean over frames of 2048 samples of the root mean square difference of levels (dB); see `FLOOR_DB`."""
    a, b = (spectrogram(x, 2048) for x in (found, wanted))
    floor = max(float(b.max()), 1e-9) * 10 ** (FLOOR_DB / 20)
    levels = [20 * np.log10(np.maximum(m, floor)) for m in (a, b)]
    return float(np.sqrt(np.square(levels[0] - levels[1]).mean(axis=0)).mean())


def energies_beside(x: np.ndarray, sample_rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Energy of the 20 ms before every sample, and of the 20 ms from it on; silence outside. Each of shape (T,)."""
    n = round(BESIDE_S * sample_rate)
    # Cumulative sums of squares; float64 keeps -150 dB of the whole.
    total = np.concatenate([[0.0], np.cumsum(np.square(x.astype(np.float64)))])
    at = np.arange(len(x))
    before = total[at] - total[np.maximum(at - n, 0)]
    after = total[np.minimum(at + n, len(x))] - total[at]
    return before, after


def onsets(x: np.ndarray, sample_rate: int) -> np.ndarray:
    """Samples at which a sound sets in, by a rule that needs nothing but the sound.

    At every sample the energy of the 20 ms from it on is divided by that of the 20 ms before. An onset is where this
    rise is greatest within 50 ms on both sides, at least 10 dB, and the 20 ms after hold at least -40 dB of what the
    loudest 20 ms do. Ahead of a click the rise is as great for 20 ms, up to its very sample, which is taken: the last
    one whose rise is within 2 dB of the greatest. Both windows lie within the sound.
    """
    from scipy.ndimage import maximum_filter1d

    before, after = energies_beside(x, sample_rate)
    loudest = float(after.max(initial=0.0))
    if loudest == 0:
        return np.zeros(0, dtype=np.int64)
    rise = 10 * np.log10(np.maximum(after, loudest * 1e-12) / np.maximum(before, loudest * 1e-9))
    n, reach = round(BESIDE_S * sample_rate), round(ALONE_S * sample_rate)
    rise[:n], rise[max(0, len(x) - n + 1) :] = 0, 0
    greatest = maximum_filter1d(rise, 2 * reach + 1, mode="nearest")
    peaks = np.flatnonzero((rise >= greatest) & (rise >= RISE_DB) & (after >= loudest * 10 ** (LOUD_DB / 10)))
    # Rises of equal height are many ahead of one click: all of them lead to its sample.
    found = np.unique([p + np.flatnonzero(rise[p : p + n] >= rise[p] - WAVER_DB)[-1] for p in peaks]).astype(np.int64)
    # One at the very end may be the beginning of a later one.
    return found[(np.diff(found, append=len(x) + reach) > reach) & (found < len(x) - n)]


def before_db(x: np.ndarray, sample_rate: int, at: np.ndarray) -> np.ndarray:
    """Energy of the 20 ms before each onset relative to that of the 20 ms after (dB), not below `QUIET_DB`."""
    before, after = energies_beside(x, sample_rate)
    ratio = before[at] / np.maximum(after[at], 1e-30)
    return 10 * np.log10(np.maximum(ratio, 10 ** (QUIET_DB / 10)))


def pre_echo_db(found: np.ndarray, wanted: np.ndarray, sample_rate: int, at: np.ndarray | None = None) -> float | None:
    """Mean over the onsets of what `before_db` has more than the original's; None without onsets."""
    at = onsets(wanted, sample_rate) if at is None else at
    if not len(at):
        return None
    return float((before_db(found, sample_rate, at) - before_db(wanted, sample_rate, at)).mean())
