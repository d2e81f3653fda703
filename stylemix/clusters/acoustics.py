"""What a segment is like to the ear: how loud, high, bright, noisy and dense, from two Fourier transforms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

RATE_HZ = 22050
# 186 ms tell a fourth apart at 32 Hz, the lowest that the register of an organ or a bass needs.
LONG = 4096
HOP = LONG // 4
# 46 ms, as where onsets are compared in evaluations: partials of a chord are apart, and so are two quick notes.
SHORT = 1024
# What reaches beyond a stretch at each side so that its first and last frames are whole.
MARGIN = LONG
# Nothing so soft counts for the loudness of a programme (ITU-R BS.1770): it has no colour and no pitch.
SILENT_LUFS = -70.0
# The register from the lowest to the highest key of a piano, and where its eighth harmonic may lie.
LOWEST_HZ, HIGHEST_HZ = 27.5, 4186.0
PER_OCTAVE = 48
HARMONICS = 8
# Each harmonic counts so much of the one below (Hermes 1988).
DECAY = 0.84
# A partial stands out of what surrounds it within an octave. In white, pink and brown noise, 60 segments each, the
# highest such peak was of 3.5 dB in 2 s, 4.7 dB in 1 s and 6.6 dB in half a second.
LEAST_PEAK_DB = 6.0
# What rises within 35 ms, in the mean over bands weighted by the root of their bins, since the level of a band of few
# bins moves by itself in noise. On plucked, organ and string tones of 1, 4 and 8 a second, noises and a chorus, this
# finds the onsets with an F-measure of 0.89. From one frame to the next, all bands alike, it was 0.64, and noise had 11
# onsets a second.
RISE_FRAMES = 3
LEAST_RISE_DB = 2.0
LEAST_DISTANCE_S = 0.05
# E[exp(mean of log of the power of white noise)] / E[power] is e^-gamma with Euler's gamma = 0.5772: what the flatness
# of noise tends to, and what is called 1 here.
FLATNESS_OF_NOISE = float(np.exp(-np.euler_gamma))


def measure_segments(samples: np.ndarray, edges: Sequence[tuple[int, int]]) -> np.ndarray:
    """Measure segments of a stretch of sound at 22,050 Hz.

    Parameters
    ----------
    samples : np.ndarray, shape (C, T)
        The stretch, with `MARGIN` samples more at each side.
    edges : sequence of (int, int)
        First sample and the one after the last of each segment, counted from the beginning of `samples`.

    Returns
    -------
    np.ndarray, shape (M, 5)
        Loudness (LUFS, without gates; at least -100), pitch (Hz), brightness (Hz), noisiness (0 to 1) and density
        (onsets a second). In silence all but loudness and density are NaN; the pitch is NaN where no tone stands out.

    References
    ----------
    Loudness: ITU-R BS.1770-4, 2015, every channel of weight 1. Pitch: D. J. Hermes, "Measurement of pitch by
    subharmonic summation", JASA 83, 1988. Noisiness: the spectral flatness of ISO/IEC 15938-4 (MPEG-7), in thirds of
    an octave, each weighted by its loudness (power to 0.3). Density: S. Dixon, "Onset detection revisited", DAFx 2006.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(4 * RATE_HZ) / RATE_HZ)[None]
    >>> row = measure_segments(tone, [(RATE_HZ, 3 * RATE_HZ)])[0]
    >>> row[:3].round().tolist(), bool(row[3] < 0.05), float(row[4])
    ([-4.0, 440.0, 440.0], True, 0.0)
    """
    power = np.stack([_power(channel, LONG, HOP) for channel in samples])
    total, hz = power.sum(axis=0), np.fft.rfftfreq(LONG, 1 / RATE_HZ)
    weighted = total @ _k_weight(hz)
    flat, heard = _flatness(total, hz)
    onsets = _onset_samples(samples)
    rows = []
    for first, last in edges:
        mine = _frames(first, last, len(total))
        loudness = max(-0.691 + 10 * np.log10(max(float(weighted[mine].mean()), 1e-12)), -100.0)
        density = np.count_nonzero((onsets >= first) & (onsets < last)) * RATE_HZ / (last - first)
        if loudness < SILENT_LUFS:
            rows.append([loudness, np.nan, np.nan, np.nan, density])
            continue
        magnitude = np.sqrt(total[mine]).mean(axis=0)
        audible = hz >= 20
        centroid = float(hz[audible] @ magnitude[audible] / max(magnitude[audible].sum(), 1e-12))
        noisiness = float(flat[mine] @ heard[mine] / max(heard[mine].sum(), 1e-12))
        rows.append([loudness, strongest_fundamental_hz(magnitude), centroid, min(noisiness, 1.0), density])
    return np.array(rows)


def strongest_fundamental_hz(magnitude: np.ndarray) -> float:
    """Find the fundamental that is heard most, by summing over the harmonics of every peak.

    A sum over harmonics alone finds a fundamental below every chord that nobody plays: only what stands out of the
    spectrum itself can be one here.

    Parameters
    ----------
    magnitude : np.ndarray, shape (2049,)
        Mean magnitude spectrum at 22,050 Hz.

    Returns
    -------
    float
        Hz; NaN where nothing stands out.
    """
    from scipy.ndimage import maximum_filter1d, median_filter

    n = int(PER_OCTAVE * np.log2(RATE_HZ / 2 / LOWEST_HZ))
    at = LOWEST_HZ * 2 ** (np.arange(n) / PER_OCTAVE)
    level = np.interp(at, np.fft.rfftfreq(LONG, 1 / RATE_HZ), 20 * np.log10(np.maximum(magnitude, 1e-9)))
    stands_out = level - median_filter(level, PER_OCTAVE + 1, mode="nearest")
    inner = level[1:-1]
    peaks = 1 + np.flatnonzero((inner > level[:-2]) & (inner >= level[2:]) & (stands_out[1:-1] >= LEAST_PEAK_DB))
    candidates = peaks[at[peaks] <= HIGHEST_HZ]
    if not len(candidates):
        return float("nan")
    # The square root of the amplitude, between what is heard (about its power to 0.3) and what is there.
    partials = np.where(stands_out >= LEAST_PEAK_DB / 2, 10 ** (level / 40), 0)
    # Within a step to either side: partials lie beside the grid, and strings are a little stretched.
    partials = np.append(maximum_filter1d(partials, 3), np.zeros(n))
    above = np.round(PER_OCTAVE * np.log2(np.arange(1, HARMONICS + 1))).astype(int)
    salience = partials[candidates[:, None] + above] @ DECAY ** np.arange(HARMONICS)
    return _refined_hz(magnitude, float(at[candidates[salience.argmax()]]))


def _refined_hz(magnitude: np.ndarray, near_hz: float) -> float:
    """Move to the top of the parabola through three levels: (a - c) / 2 (a - 2 b + c) bins beside the middle one."""
    k = round(near_hz * LONG / RATE_HZ)
    k += int(np.argmax(magnitude[k - 1 : k + 2])) - 1
    a, b, c = np.log(np.maximum(magnitude[k - 1 : k + 2], 1e-12))
    return float((k + np.clip(0.5 * (a - c) / min(a - 2 * b + c, -1e-9), -0.5, 0.5)) * RATE_HZ / LONG)


def _power(channel: np.ndarray, length: int, hop: int) -> np.ndarray:
    """Power in each bin and frame, (N, K), scaled so that it adds up to the mean square of the sound."""
    from scipy.fft import rfft

    window = np.hanning(length + 1)[:-1].astype(np.float32)
    padded = np.pad(channel.astype(np.float32), (0, max(0, length - len(channel))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]
    # Parseval, one side of the spectrum: sum |X|^2 * 2 / length is the sum of squares of the windowed frame.
    scale = 2 / (length * float(np.square(window).sum()))
    return np.square(np.abs(rfft(frames * window, axis=1))) * np.float32(scale)


def _frames(first: int, last: int, n_frames: int) -> slice:
    """Frames whose middle lies in a segment; at least one."""
    start = int(np.clip(-(-(first - LONG // 2) // HOP), 0, n_frames - 1))
    return slice(start, int(np.clip(-(-(last - LONG // 2) // HOP), start + 1, n_frames)))


def _k_weight(hz: np.ndarray) -> np.ndarray:
    """Power response of the two filters of ITU-R BS.1770: a head's shelf, and a high-pass at 38 Hz."""
    from scipy.signal import freqz

    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285], [1, -1.69065929318241, 0.73248077421585]
    high_pass = [1.0, -2.0, 1.0], [1, -1.99004745483398, 0.99007225036621]
    # The standard gives the filters at 48 kHz; their response is the same whatever the rate of the sound.
    return np.prod([np.abs(freqz(b, a, worN=hz, fs=48000)[1]) ** 2 for b, a in (shelf, high_pass)], axis=0)


def _bands(hz: np.ndarray, lowest_hz: float) -> np.ndarray:
    """First bins of bands of a third of an octave, and the one after the last."""
    limits = lowest_hz * 2 ** np.arange(0, np.log2(hz[-1] / lowest_hz), 1 / 3)
    return np.unique(np.searchsorted(hz, limits))


def _flatness(power: np.ndarray, hz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flatness of each frame relative to white noise, and how much is heard there."""
    # Below 250 Hz a third of an octave has fewer than ten bins, and a tone fills most of them.
    edges = _bands(hz, 250.0)
    inside, n = np.maximum(power[:, : edges[-1]], 1e-14), np.diff(edges)
    mean = np.add.reduceat(inside, edges[:-1], axis=1) / n
    geometric = np.exp(np.add.reduceat(np.log(inside), edges[:-1], axis=1) / n)
    loudness = (mean * n) ** 0.3
    heard = loudness.sum(axis=1)
    return (geometric / mean * loudness).sum(axis=1) / heard / FLATNESS_OF_NOISE, heard


def _onset_samples(samples: np.ndarray) -> np.ndarray:
    """Where something begins: peaks of the mean rise of the level in thirds of an octave."""
    from scipy.signal import find_peaks

    hop = SHORT // 4
    power = np.sum([_power(channel, SHORT, hop) for channel in samples], axis=0)
    edges = _bands(np.fft.rfftfreq(SHORT, 1 / RATE_HZ), 40.0)
    bands = np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1)
    # 60 dB below the loudest band counts as silence, in which nothing begins.
    level = 10 * np.log10(np.maximum(bands, max(1e-6 * float(bands.max()), 1e-12)))
    rise = np.zeros_like(level)
    rise[RISE_FRAMES:] = np.maximum(level[RISE_FRAMES:] - level[:-RISE_FRAMES], 0)
    strength = np.average(rise, axis=1, weights=np.sqrt(np.diff(edges)))
    distance = max(1, round(LEAST_DISTANCE_S * RATE_HZ / hop))
    peaks = find_peaks(np.pad(strength, 1), height=LEAST_RISE_DB, distance=distance)[0] - 1
    # The rise is between two frames: it begins half-way.
    return np.asarray(peaks * hop + SHORT // 2 - RISE_FRAMES * hop // 2)
