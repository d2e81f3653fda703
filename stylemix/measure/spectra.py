"""Short-time spectra for measuring: as they are, in bands, and as pitch classes."""

from __future__ import annotations

import numpy as np

from stylemix.arrays import Wave
from stylemix.errors import BadInput

# Pitch classes are counted between these.
PITCH_RANGE_HZ = (80.0, 4000.0)
_CHROMA_N_FFT = 8192


def stft(samples: np.ndarray, n_fft: int) -> np.ndarray:
    """Transform sound frame by frame: Hann, a hop of a quarter window, no padding but for the end.

    Parameters
    ----------
    samples : np.ndarray, shape (..., T)
        Sound.
    n_fft : int
        Window (samples), a multiple of 4.

    Returns
    -------
    np.ndarray, shape (..., n_fft // 2 + 1, N), complex
        Spectra; one frame at least.

    Raises
    ------
    BadInput
        If the window is no positive multiple of 4.

    Examples
    --------
    >>> stft(np.zeros((2, 4096)), 2048).shape
    (2, 1025, 5)
    """
    from scipy.signal.windows import hann

    if n_fft < 4 or n_fft % 4:
        raise BadInput(f"n_fft must be a positive multiple of 4 samples, got {n_fft}")
    hop, n = n_fft // 4, samples.shape[-1]
    rest = max(n_fft - n, -(n - n_fft) % hop)
    padded = np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(0, rest)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft, axis=-1)[..., ::hop, :]
    return np.fft.rfft(frames * hann(n_fft, sym=False)).swapaxes(-1, -2)


def band_edges(sample_rate: int, *, n_fft: int, bands_per_octave: int, fmin_hz: float) -> np.ndarray:
    """Group the bins of a Fourier transform into bands of equal width in octaves, or of one bin where wider.

    Parameters
    ----------
    sample_rate : int
        Hz.
    n_fft : int
        Window (samples).
    bands_per_octave : int
        How narrow.
    fmin_hz : float
        Where the lowest band begins.

    Returns
    -------
    np.ndarray, int, shape (K + 1,)
        First bin of every band, and the bin after the last.

    Examples
    --------
    >>> band_edges(22050, n_fft=2048, bands_per_octave=12, fmin_hz=40.0)[:3].tolist()
    [4, 5, 6]
    """
    top = n_fft // 2 + 1
    octaves = np.log2(sample_rate / 2 / fmin_hz)
    wanted = fmin_hz * 2 ** (np.arange(int(octaves * bands_per_octave) + 1) / bands_per_octave)
    edges = np.unique(np.round(wanted * n_fft / sample_rate).astype(int))
    return np.append(edges[(edges > 0) & (edges < top)], top)


def chroma(wave: Wave) -> np.ndarray:
    """Measure how much of each pitch class sounds, over time.

    Parameters
    ----------
    wave : Wave
        Channels are averaged.

    Returns
    -------
    np.ndarray, shape (12, N)
        Shares of the magnitude of the spectral peaks from 80 to 4000 Hz, adding up to 1 in every frame
        (to 0 in silence); row 0 is A.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    >>> int(chroma(Wave(tone, 22050)).mean(axis=1).argmax())
    0
    """
    magnitude = np.abs(stft(wave.mono().samples[0], _CHROMA_N_FFT))
    hz = np.fft.rfftfreq(_CHROMA_N_FFT, 1 / wave.sample_rate)
    peaks = np.zeros_like(magnitude)
    inner = magnitude[1:-1]
    top = (inner > magnitude[:-2]) & (inner >= magnitude[2:])
    peaks[1:-1] = np.where(top, inner, 0)
    pitched = (hz >= PITCH_RANGE_HZ[0]) & (hz <= PITCH_RANGE_HZ[1])
    classes = np.round(12 * np.log2(hz[pitched] / 440)).astype(int) % 12
    found = np.eye(12)[classes].T @ peaks[pitched]
    total = found.sum(axis=0)
    return found / np.where(total > 1e-6 * max(float(total.max()), 1e-12), total, np.inf)


def chroma_correlation(wave: Wave, other: Wave) -> float:
    """Measure how much of the harmony of one sound is kept in another.

    Parameters
    ----------
    wave, other : Wave
        Of one length and rate.

    Returns
    -------
    float
        Pearson's correlation of their pitch class shares over classes and frames: 1 for the same harmony at
        the same time, near 0 for unrelated ones; 0 where one has none.

    Raises
    ------
    BadInput
        If length or rate differ.

    Examples
    --------
    >>> t = np.arange(44100) / 22050
    >>> a, b = (Wave(np.sin(2 * np.pi * hz * t), 22050) for hz in (440, 622))
    >>> round(chroma_correlation(a, a), 3), chroma_correlation(a, b) < 0
    (1.0, True)
    """
    if (wave.n_samples, wave.sample_rate) != (other.n_samples, other.sample_rate):
        raise BadInput(
            f"chroma_correlation: needs two sounds of one length and rate, got {wave.n_samples} samples at "
            f"{wave.sample_rate} Hz and {other.n_samples} at {other.sample_rate} Hz"
        )
    x, y = chroma(wave).ravel(), chroma(other).ravel()
    x, y = x - x.mean(), y - y.mean()
    size = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y) / size if size > 1e-12 else 0.0
