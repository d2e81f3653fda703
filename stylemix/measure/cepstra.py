"""A second description of style, of another kind than scattering: mel-frequency cepstra and how they move."""

from __future__ import annotations

import numpy as np

from stylemix.arrays import Wave
from stylemix.measure.spectra import stft

RATE_HZ = 22050
N_FFT = 1024
N_MELS = 40
N_CEPSTRA = 20
FMIN_HZ = 40.0
# Below the loudest band of the segment.
FLOOR_DB = -80.0


def mel_cepstra(wave: Wave) -> np.ndarray:
    """Compute mel-frequency cepstral coefficients.

    The cosine transform of the decibels in 40 mel bands from 40 Hz up, relative to the loudest [1]_.

    Parameters
    ----------
    wave : Wave
        Channels are averaged; resampled to 22050 Hz.

    Returns
    -------
    np.ndarray, shape (20, N)
        A frame every 256 samples; the same for any gain.

    References
    ----------
    .. [1] S. Davis, P. Mermelstein, "Comparison of parametric representations for monosyllabic word recognition in
       continuously spoken sentences", IEEE Trans. ASSP 28(4), 1980.

    Examples
    --------
    >>> mel_cepstra(Wave(np.ones(22050), 22050)).shape
    (20, 84)
    """
    import librosa
    import soxr
    from scipy.fft import dct

    mono = wave.mono().samples[0].astype(np.float64)
    if wave.sample_rate != RATE_HZ:
        mono = soxr.resample(mono, wave.sample_rate, RATE_HZ)
    power = np.square(np.abs(stft(mono, N_FFT)))
    mel = librosa.filters.mel(sr=RATE_HZ, n_fft=N_FFT, n_mels=N_MELS, fmin=FMIN_HZ) @ power
    level = 10 * np.log10(np.maximum(mel / max(float(mel.max()), 1e-20), 10 ** (FLOOR_DB / 10)))
    return np.asarray(dct(level, axis=0, norm="ortho")[:N_CEPSTRA])


def cepstral_features(wave: Wave) -> np.ndarray:
    """Describe a segment by its mean cepstrum, by how much the cepstrum varies, and by how fast it changes.

    Nothing here knows of wavelets, of scattering or of the model, so that what pleases the scattering features alone is
    found out.

    Parameters
    ----------
    wave : Wave
        About 3 s.

    Returns
    -------
    np.ndarray, shape (59,)
        Means of the coefficients 1 to 19 (coefficient 0 is the level), standard deviations of 0 to 19, and mean
        absolute differences between neighbouring frames of 0 to 19.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal(66150)
    >>> bool(np.allclose(cepstral_features(Wave(x, 22050)), cepstral_features(Wave(0.1 * x, 22050)), atol=1e-3))
    True
    """
    cepstra = mel_cepstra(wave)
    steps = np.abs(np.diff(cepstra, axis=1)).mean(axis=1) if cepstra.shape[1] > 1 else np.zeros(N_CEPSTRA)
    return np.concatenate([cepstra[1:].mean(axis=1), cepstra.std(axis=1), steps])
