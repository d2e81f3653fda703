"""When something begins: how much the spectrum rises from moment to moment, and how much of that two sounds share."""

from __future__ import annotations

import math

import numpy as np

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.measure.spectra import band_edges, stft

# Long enough to tell partials of a chord from those of the next, short beside the time between two notes.
WINDOW_S = 0.046
BANDS_PER_OCTAVE = 3
FMIN_HZ = 40.0
# Levels this far below the loudest band of the sound count as equal: what is not heard does not begin.
FLOOR_DB = -60.0
# An onset must rise by as much in the mean over the bands to be counted.
LEAST_RISE_DB = 1.5
# Two onsets closer than this are heard as one.
LEAST_DISTANCE_S = 0.05


def onset_window(sample_rate: int) -> int:
    """Return the window of `onset_strength`: the power of two nearest 46 ms.

    Parameters
    ----------
    sample_rate : int
        Hz.

    Returns
    -------
    int
        Samples; four frames to a window.

    Examples
    --------
    >>> onset_window(22050), onset_window(44100), onset_window(8000)
    (1024, 2048, 256)
    """
    return int(2 ** max(2, round(math.log2(WINDOW_S * sample_rate) - 0.25)))


def onset_strength(wave: Wave) -> np.ndarray:
    """Measure how much rises at each moment: the spectral flux of levels.

    The increase in decibels from each frame to the next, falls left out, averaged over bands of a third of an
    octave [1]_.

    Parameters
    ----------
    wave : Wave
        Channels are averaged.

    Returns
    -------
    np.ndarray, shape (N,)
        Decibels a frame, a frame every quarter of `onset_window`; the first is 0. All 0 for silence, and the same
        for any gain.

    References
    ----------
    .. [1] S. Dixon, "Onset detection revisited", DAFx 2006.

    Examples
    --------
    >>> x = np.zeros(22050)
    >>> x[11025:] = np.sin(2 * np.pi * 440 * np.arange(11025) / 22050)
    >>> abs(int(onset_strength(Wave(x, 22050)).argmax()) * 256 + 512 - 11025) < 512
    True
    """
    n_fft = onset_window(wave.sample_rate)
    power = np.square(np.abs(stft(wave.mono().samples[0].astype(np.float64), n_fft)))
    edges = band_edges(wave.sample_rate, n_fft=n_fft, bands_per_octave=BANDS_PER_OCTAVE, fmin_hz=FMIN_HZ)
    bands = np.add.reduceat(power[: edges[-1]], edges[:-1], axis=0)
    loudest = float(bands.max())
    if loudest < 1e-20:
        return np.zeros(power.shape[1])
    level = 10 * np.log10(np.maximum(bands / loudest, 10 ** (FLOOR_DB / 10)))
    # Levels, not magnitudes: a soft note begins as a loud one does.
    rise = np.maximum(np.diff(level, axis=1, prepend=level[:, :1]), 0)
    return np.asarray(rise.mean(axis=0))


def onset_times(wave: Wave) -> np.ndarray:
    """Find where something begins.

    Parameters
    ----------
    wave : Wave
        Any sound.

    Returns
    -------
    np.ndarray, shape (n_onsets,)
        Seconds: peaks of `onset_strength` above 1.5 dB, none within 50 ms of a stronger one.

    Examples
    --------
    >>> x = np.zeros(44100)
    >>> x[8820::8820] = 1.0
    >>> bool(np.abs(onset_times(Wave(x, 22050)) - [0.4, 0.8, 1.2, 1.6]).max() < 0.025)
    True
    """
    from scipy.signal import find_peaks

    strength = onset_strength(wave)
    n_fft = onset_window(wave.sample_rate)
    rate_hz = wave.sample_rate / (n_fft // 4)
    # Zeros around it: a peak in the first or the last frame is one, too.
    peaks = find_peaks(np.pad(strength, 1), height=LEAST_RISE_DB, distance=max(1, round(LEAST_DISTANCE_S * rate_hz)))[0]
    return np.asarray((peaks - 1) / rate_hz + n_fft / 2 / wave.sample_rate)


def onset_correlation(wave: Wave, other: Wave) -> float:
    """Measure how much of the rhythm of one sound is kept in another.

    Parameters
    ----------
    wave, other : Wave
        Of one length and rate.

    Returns
    -------
    float
        Pearson's correlation of their onset strengths, each smoothed over three frames (35 ms) so that an onset a
        frame later is still nearly the same: 1 for the same onsets, near 0 for unrelated ones; 0 where one sound has
        none.

    Raises
    ------
    BadInput
        If length or rate differ.

    Examples
    --------
    >>> x, y = np.zeros((2, 44100))
    >>> x[::11025], y[5512::11025] = 1.0, 1.0
    >>> a, b = Wave(x, 22050), Wave(y, 22050)
    >>> round(onset_correlation(a, a), 3), onset_correlation(a, b) < 0
    (1.0, True)
    """
    if (wave.n_samples, wave.sample_rate) != (other.n_samples, other.sample_rate):
        raise BadInput(
            f"onset_correlation: needs two sounds of one length and rate, got {wave.n_samples} samples at "
            f"{wave.sample_rate} Hz and {other.n_samples} at {other.sample_rate} Hz"
        )
    x, y = (np.convolve(onset_strength(w), [0.25, 0.5, 0.25], mode="same") for w in (wave, other))
    x, y = x - x.mean(), y - y.mean()
    size = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y) / size if size > 1e-12 else 0.0
