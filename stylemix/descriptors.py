"""What an ear asks first of a moment, read from its spectrum: which pitch classes sound, and in what colour."""

from __future__ import annotations

import numpy as np

# Above, a partial says little about the note. Correlation with the chroma of librosa's constant-Q transform on an
# organ, a piano, an orchestra and two electronic pieces: 0.96, 0.95, 0.86, 0.82 and 0.56 from 60 Hz on; 0.96, 0.94,
# 0.83, 0.60 and 0.46 from 100 Hz on, where the bass is missing.
CHROMA_RANGE_HZ = (60.0, 4000.0)
N_CLASSES = 12
# The 12th cosine over the bands has a period of about an octave: broader than partials, finer than the tilt.
N_CEPSTRAL = 12
# A spectrum bends into a floor this far below its loudest band (natural logarithm, 60 dB): what lies deeper is
# codec and dither.
FLOOR = 6.9
# At a time: 512 steps of 8 frames of 216 bands take 7 MB in double precision.
CHUNK_STEPS = 512


def step_descriptors(
    log_magnitude: np.ndarray, frequencies_hz: np.ndarray, frames_per_step: int
) -> tuple[np.ndarray, np.ndarray]:
    """Describe every latent step by its pitch classes and its timbre, whatever its loudness.

    Parameters
    ----------
    log_magnitude : np.ndarray, shape (K, N)
        Natural logarithm of the band magnitudes.
    frequencies_hz : np.ndarray, shape (K,)
        Centre frequencies of the bands, rising.
    frames_per_step : int
        Frames of a latent step; the last step may have fewer.

    Returns
    -------
    chroma : np.ndarray, shape (12, M), float32
        Share of each pitch class, each column of length one; row 0 is A. Silence and noise are flat.
    timbre : np.ndarray, shape (Q, M), float32
        Cepstral coefficients 1 to Q of the step's spectrum (natural logarithm).

    Examples
    --------
    >>> hz = 55 * 2 ** (np.arange(288) / 36)
    >>> tone = np.repeat(np.exp(-((np.arange(288) - 108.0) ** 2))[:, None], 8, axis=1)
    >>> chroma, timbre = step_descriptors(10 * tone, hz, 4)
    >>> chroma.shape, int(chroma[:, 0].argmax()), timbre.shape
    ((12, 2), 0, (12, 2))
    """
    chunk = CHUNK_STEPS * frames_per_step
    described = []
    for start in range(0, log_magnitude.shape[1], chunk):
        spectra = _step_spectra(log_magnitude[:, start : start + chunk], frames_per_step)
        described.append((chroma_of(spectra, frequencies_hz), timbre_of(spectra)))
    chroma, timbre = (np.concatenate(parts, axis=1) for parts in zip(*described, strict=True))
    return chroma, timbre


def chroma_of(spectra: np.ndarray, frequencies_hz: np.ndarray) -> np.ndarray:
    """Fold the peaks of spectra into twelve pitch classes.

    Parameters
    ----------
    spectra : np.ndarray, shape (K, M)
        Natural logarithm of the band magnitudes, floored.
    frequencies_hz : np.ndarray, shape (K,)
        Centre frequencies of the bands, rising.

    Returns
    -------
    np.ndarray, shape (12, M), float32
        Each column of length one; flat where there is no peak. Row 0 is A at 440 Hz.
    """
    low, mid, high = spectra[:-2], spectra[1:-1], spectra[2:]
    inside = (frequencies_hz[1:-1] >= CHROMA_RANGE_HZ[0]) & (frequencies_hz[1:-1] <= CHROMA_RANGE_HZ[1])
    band, step = np.nonzero((mid > low) & (mid >= high) & inside[:, None])
    a, b, c = low[band, step], mid[band, step], high[band, step]
    # The top of the parabola through three log-magnitudes lies (a - c) / 2 (a - 2 b + c) bands beside the middle.
    at = band + 1 + 0.5 * (a - c) / np.minimum(a - 2 * b + c, -1e-6)
    semitones = 12 * np.log2(np.interp(at, np.arange(len(frequencies_hz)), frequencies_hz) / 440)
    # Above the floor, in amplitude: it is 0 where there is only the floor.
    weight = np.exp(b) - np.exp(spectra.min(axis=0))[step]
    lower = np.floor(semitones)
    share = semitones - lower
    chroma = np.zeros((N_CLASSES, spectra.shape[1]))
    # A peak between two classes counts for both.
    np.add.at(chroma, (lower.astype(int) % 12, step), weight * (1 - share))
    np.add.at(chroma, ((lower.astype(int) + 1) % 12, step), weight * share)
    # A little of everything, so that what has hardly any peak is flat and not the class of chance.
    chroma += 1e-3 * np.exp(spectra.max(axis=0))
    return (chroma / np.linalg.norm(chroma, axis=0)).astype(np.float32)


def timbre_of(spectra: np.ndarray, n_coefficients: int = N_CEPSTRAL) -> np.ndarray:
    """Describe the envelope of spectra by their lowest cosines, without the level.

    Parameters
    ----------
    spectra : np.ndarray, shape (K, M)
        Natural logarithm of the band magnitudes, floored.
    n_coefficients : int
        Q; at most K - 1 can differ from 0.

    Returns
    -------
    np.ndarray, shape (Q, M), float32
        Coefficients 1 to Q of the orthonormal cosine transform over the bands, divided by the root of K: their
        squares add up to the variance over the bands that they explain.

    Examples
    --------
    >>> float(abs(timbre_of(np.full((40, 2), 3.0))).max()) < 1e-6
    True
    """
    k = len(spectra)
    at = np.pi * (np.arange(k) + 0.5) / k
    basis = np.sqrt(2.0) / k * np.cos(np.arange(1, n_coefficients + 1)[:, None] * at)
    return (basis @ spectra).astype(np.float32)


def _step_spectra(log_magnitude: np.ndarray, frames_per_step: int) -> np.ndarray:
    """Mean power of the frames of each step, logarithmic, relative to its loudest band and floored."""
    n = log_magnitude.shape[1]
    starts = np.arange(0, n, frames_per_step)
    counts = np.diff(np.append(starts, n))
    power = np.add.reduceat(np.exp(2 * log_magnitude.astype(np.float64)), starts, axis=1) / counts
    # Digital silence has one level in all bands: relative to -100 dB it is flat.
    loudest = np.maximum(power.max(axis=0), 1e-10)
    return 0.5 * np.log(power / loudest + np.exp(-2 * FLOOR))
