"""A hand-made description of how a few seconds of music sound: timbre, movement, rhythm, harmony; not level.

It takes no training and knows nothing of the learned model, so it can judge what the model makes.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from stylemix.arrays import Wave
from stylemix.errors import BadInput

RATE_HZ = 22050
WINDOW_LENGTH = 2048
HOP_LENGTH = 512
FRAME_RATE_HZ = RATE_HZ / HOP_LENGTH
N_BANDS = 40
BAND_RANGE_HZ = (40.0, 10000.0)
# Octaves of modulation rate, from phrases and beats to roughness; the frame rate carries up to 21 Hz.
MODULATION_HZ = ((0.5, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 16.0))
BAND_GROUPS = {"low": slice(0, 10), "mid": slice(10, 20), "high": slice(20, 30), "top": slice(30, 40)}
PITCH_RANGE_HZ = (80.0, 4000.0)
# Below a segment's own loudest band by this much counts as nothing (8 decades of power).
DYNAMIC_RANGE = 1e-8


def style_feature_names() -> tuple[str, ...]:
    """Name the features, in the order of `style_features`.

    ``mel_mean_*`` and ``mel_std_*`` are the mean and the spread over time of 40 log-mel bands, the mean level
    removed; ``cepstrum_delta_*`` the spread of the frame-to-frame change of 12 cepstral coefficients;
    ``modulation_GROUP_LOW`` the log energy of a band group's envelope in the octave of modulation rate from
    LOW Hz; ``flatness``, ``centroid``, ``rolloff`` (octaves re 1 kHz) and ``flux`` the mean and spread of the
    usual spectral shapes; ``onset_*`` how often and how sharply sounds begin; ``chroma_*`` and ``pitch_*``
    how many pitch classes sound, how long they stay, and what share of the magnitude lies in spectral peaks.

    Returns
    -------
    tuple of str
        One name for each feature.

    Examples
    --------
    >>> len(style_feature_names()), style_feature_names()[0]
    (128, 'mel_mean_00')
    """
    return tuple(_describe(np.zeros(WINDOW_LENGTH, dtype=np.float32)))


def style_features(samples: np.ndarray | Wave, sample_rate: int | None = None) -> np.ndarray:
    """Describe a segment of a few seconds, whatever its level.

    Parameters
    ----------
    samples : np.ndarray, shape (T,) or (C, T), or Wave
        About 3 s of sound; channels are averaged.
    sample_rate : int, optional
        In Hz; a Wave brings its own.

    Returns
    -------
    np.ndarray, shape (F,), float64
        In the order of `style_feature_names`; finite for silence, too.

    Raises
    ------
    BadInput
        If there is no sample, no sample rate, or a NaN or an Inf.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(66150) / 22050)
    >>> bool(np.allclose(style_features(tone, 22050), style_features(0.1 * tone, 22050), atol=0.01))
    True
    """
    import soxr

    if isinstance(samples, Wave):
        return style_features(samples.samples, samples.sample_rate)
    if sample_rate is None or sample_rate <= 0:
        raise BadInput(f"style_features: sample_rate must be positive (Hz), got {sample_rate}")
    mono = np.atleast_2d(np.asarray(samples, dtype=np.float32)).mean(axis=0)
    if mono.size == 0 or not np.all(np.isfinite(mono)):
        raise BadInput("style_features: samples must be there and finite, got none, NaN or Inf")
    if sample_rate != RATE_HZ:
        mono = soxr.resample(mono, sample_rate, RATE_HZ)
    mono = mono - mono.mean() if mono.size else np.zeros(1, dtype=np.float32)
    rms = float(np.sqrt(np.mean(np.square(mono, dtype=np.float64))))
    return np.array(list(_describe(mono / max(rms, 1e-9)).values()))


def segment_features(wave: Wave, *, segment_s: float = 3.0, hop_s: float | None = None) -> np.ndarray:
    """Describe a sound segment by segment, leaving out the silent ones.

    Parameters
    ----------
    wave : Wave
        Any length; shorter than a segment counts as one.
    segment_s : float
        Length of a segment, in seconds.
    hop_s : float, optional
        From one segment to the next, in seconds; `segment_s` by default.

    Returns
    -------
    np.ndarray, shape (S, F)
        One row a segment; a segment 50 dB below the loudest is left out.
    """
    mono = wave.mono().samples[0]
    length = min(mono.size, max(1, round(segment_s * wave.sample_rate)))
    hop = max(1, round((hop_s or segment_s) * wave.sample_rate))
    segments = [mono[start:start + length] for start in range(0, mono.size - length + 1, hop)]
    power = [float(np.mean(np.square(segment, dtype=np.float64))) for segment in segments]
    rows = [style_features(segment, wave.sample_rate) for segment, p in zip(segments, power, strict=True)
            if p > 1e-5 * max(power)]
    return np.array(rows).reshape(len(rows), len(style_feature_names()))


def _describe(mono: np.ndarray) -> dict[str, float]:
    power = _power_frames(mono)
    bands = power @ _mel_weights().T
    log_bands = np.log(bands + DYNAMIC_RANGE * max(float(bands.max()), 1e-12))
    return {**_timbre(log_bands), **_movement(log_bands), **_rhythm(bands, log_bands), **_shapes(power),
            **_harmony(power)}


def _power_frames(mono: np.ndarray) -> np.ndarray:
    """Return the power spectra of overlapping frames, shape (N, F)."""
    if mono.size < WINDOW_LENGTH:
        mono = np.pad(mono, (0, WINDOW_LENGTH - mono.size))
    frames = np.lib.stride_tricks.sliding_window_view(mono, WINDOW_LENGTH)[::HOP_LENGTH]
    spectra = np.fft.rfft(frames * np.hanning(WINDOW_LENGTH).astype(np.float32))
    return np.square(spectra.real) + np.square(spectra.imag)


@lru_cache(maxsize=1)
def _bin_frequencies() -> np.ndarray:
    return np.fft.rfftfreq(WINDOW_LENGTH, 1 / RATE_HZ)


@lru_cache(maxsize=1)
def _mel_weights() -> np.ndarray:
    """Return triangles of unit height, evenly spaced on O'Shaughnessy's mel scale, shape (K, F)."""
    low, high = (2595 * np.log10(1 + f / 700) for f in BAND_RANGE_HZ)
    edges = 700 * (10 ** (np.linspace(low, high, N_BANDS + 2) / 2595) - 1)
    frequencies = _bin_frequencies()
    rising = (frequencies - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - frequencies) / (edges[2:] - edges[1:-1])[:, None]
    return np.clip(np.minimum(rising, falling), 0, None)


def _timbre(log_bands: np.ndarray) -> dict[str, float]:
    mean, spread = log_bands.mean(axis=0), log_bands.std(axis=0)
    mean = mean - mean.mean()
    return {**{f"mel_mean_{k:02d}": float(v) for k, v in enumerate(mean)},
            **{f"mel_std_{k:02d}": float(v) for k, v in enumerate(spread)}}


def _movement(log_bands: np.ndarray) -> dict[str, float]:
    from scipy.fft import dct

    cepstrum = dct(log_bands, axis=1, norm="ortho")[:, 1:13]
    change = np.diff(cepstrum, axis=0, prepend=cepstrum[:1])
    return {f"cepstrum_delta_{k:02d}": float(v) for k, v in enumerate(change.std(axis=0), start=1)}


def _rhythm(bands: np.ndarray, log_bands: np.ndarray) -> dict[str, float]:
    found: dict[str, float] = {}
    rates = np.fft.rfftfreq(len(bands), 1 / FRAME_RATE_HZ)
    # A group 60 dB below the whole is not heard, and neither is its movement.
    unheard = 1e-3 * float(np.sqrt(bands.sum(axis=1)).mean()) + 1e-12
    for name, group in BAND_GROUPS.items():
        envelope = np.sqrt(bands[:, group].sum(axis=1))
        level = float(envelope.mean())
        movement = (envelope - level) / (level + unheard) * np.hanning(len(envelope) + 2)[1:-1]
        energy = np.square(np.abs(np.fft.rfft(movement))) / len(envelope) ** 2
        for low, high in MODULATION_HZ:
            share = energy[(rates >= low) & (rates < high)].sum()
            found[f"modulation_{name}_{low:g}"] = float(np.log10(share + 1e-6))
    rise = np.clip(np.diff(log_bands, axis=0, prepend=log_bands[:1]), 0, None).mean(axis=1)
    found["flux_mean"], found["flux_std"] = float(rise.mean()), float(rise.std())
    inner = rise[1:-1]
    peaks = (inner > rise[:-2]) & (inner >= rise[2:]) & (inner > rise.mean() + rise.std())
    found["onset_rate_hz"] = float(peaks.sum() * FRAME_RATE_HZ / len(rise))
    found["onset_sharpness"] = float(rise.max() / (rise.mean() + 1e-3))
    return found


def _shapes(power: np.ndarray) -> dict[str, float]:
    frequencies = _bin_frequencies()
    total = power.sum(axis=1)
    sounding = total > 1e-5 * max(float(total.max()), 1e-12)
    names = ("flatness", "centroid", "rolloff")
    if not sounding.any() or total.max() <= 0:
        return {f"{name}_{kind}": 0.0 for name in names for kind in ("mean", "std")}
    share = power[sounding] / total[sounding, None]
    flatness = np.log10(np.exp(np.log(share + 1e-12).mean(axis=1)) / share.mean(axis=1))
    centroid = np.log2((share @ frequencies + 20) / 1000)
    below = (np.cumsum(share, axis=1) < 0.85).sum(axis=1).clip(max=len(frequencies) - 1)
    rolloff = np.log2((frequencies[below] + 20) / 1000)
    found = {}
    for name, track in zip(names, (flatness, centroid, rolloff), strict=True):
        found[f"{name}_mean"], found[f"{name}_std"] = float(track.mean()), float(track.std())
    return found


def _harmony(power: np.ndarray) -> dict[str, float]:
    frequencies = _bin_frequencies()
    pitched = (frequencies >= PITCH_RANGE_HZ[0]) & (frequencies <= PITCH_RANGE_HZ[1])
    inside = np.sqrt(power[:, pitched])
    peaks = np.zeros_like(inside)
    top = (inside[:, 1:-1] > inside[:, :-2]) & (inside[:, 1:-1] >= inside[:, 2:])
    peaks[:, 1:-1] = np.where(top, inside[:, 1:-1], 0)
    classes = np.round(12 * np.log2(frequencies[pitched] / 440)).astype(int) % 12
    chroma = peaks @ np.eye(12, dtype=np.float32)[classes]
    total = max(float(inside.sum()), 1e-12)
    share = chroma / (chroma.sum(axis=1, keepdims=True) + 1e-12)
    entropy = -(share * np.log2(share + 1e-12)).sum(axis=1)
    overall = chroma.sum(axis=0) / (chroma.sum() + 1e-12)
    unit = chroma / (np.linalg.norm(chroma, axis=1, keepdims=True) + 1e-12)
    lag = min(len(unit) - 1, round(0.25 * FRAME_RATE_HZ))
    spectra = peaks / (np.linalg.norm(peaks, axis=1, keepdims=True) + 1e-12)
    return {"chroma_entropy_mean": float(entropy.mean()), "chroma_entropy_std": float(entropy.std()),
            "chroma_entropy_overall": float(-(overall * np.log2(overall + 1e-12)).sum()),
            "chroma_stability": float((unit[lag:] * unit[:len(unit) - lag]).sum(axis=1).mean()),
            "pitch_stability": float((spectra[lag:] * spectra[:len(spectra) - lag]).sum(axis=1).mean()),
            "pitch_peak_share": float(peaks.sum() / total)}
