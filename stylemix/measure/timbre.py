"""Timbre in a few numbers with names, and how evenly they move when alpha does."""

from __future__ import annotations

import numpy as np

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.measure.onsets import onset_strength, onset_times
from stylemix.measure.spectra import stft

TIMBRE = (
    "centroid (octaves)",
    "spread (octaves)",
    "flatness (dB)",
    "rolloff (octaves)",
    "attack (dB)",
    "onsets (per s)",
    "dynamics (dB)",
)
N_FFT = 2048
# Octaves are counted from here.
REFERENCE_HZ = 1000.0
RANGE_HZ = (40.0, 10000.0)
ROLLOFF = 0.85
# A frame this far below the loudest is not heard, and a bin this far below the mean of its frame is not, either.
SILENT_DB = -50.0
FLOOR_DB = -80.0


def timbre_descriptors(wave: Wave) -> np.ndarray:
    """Describe how a few seconds sound by common descriptors of timbre [1]_, whatever their level.

    Centroid, spread, flatness and rolloff are of the power spectrum from 40 to 10000 Hz, on a logarithmic frequency
    axis, averaged over frames with their energy's root as weight: mean and standard deviation of log-frequency, the
    ratio of the geometric to the arithmetic mean, and the frequency below which there is 85 % of the power. Attack is
    the mean strength of the onsets, onsets their number a second (`stylemix.measure.onsets`), and dynamics the standard
    deviation of the level over the frames that are heard.

    Parameters
    ----------
    wave : Wave
        Channels are averaged.

    Returns
    -------
    np.ndarray, shape (7,)
        In the order of `TIMBRE`; zeros for silence.

    References
    ----------
    .. [1] G. Peeters et al., "The Timbre Toolbox: extracting audio descriptors from musical signals", J. Acoust. Soc.
       Am. 130(5), 2011.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 4000 * np.arange(22050) / 22050)
    >>> timbre_descriptors(Wave(tone, 22050))[[0, 3]].round(2).tolist()
    [2.0, 2.0]
    """
    spectrum = np.square(np.abs(stft(wave.mono().samples[0].astype(np.float64), N_FFT)))
    hz = np.fft.rfftfreq(N_FFT, 1 / wave.sample_rate)
    inside = (hz >= RANGE_HZ[0]) & (hz <= RANGE_HZ[1])
    power, octaves = spectrum[inside], np.log2(hz[inside] / REFERENCE_HZ)
    energy = power.sum(axis=0)
    heard = energy > 10 ** (SILENT_DB / 10) * energy.max()
    if not inside.any() or energy.max() < 1e-20:
        return np.zeros(len(TIMBRE))
    power, energy = power[:, heard], energy[heard]
    # The root: a loud chord is heard more than its reverberation, but not a thousand times more.
    weight = np.sqrt(energy) / np.sqrt(energy).sum()
    share = power / energy
    centroid = octaves @ share
    spread = np.sqrt(np.maximum(np.square(octaves) @ share - np.square(centroid), 0))
    # Geometric over arithmetic mean: 0 dB for a flat spectrum, far below for a tone.
    relative = np.maximum(share * len(share), 10 ** (FLOOR_DB / 10))
    flatness = 10 * np.log10(relative).mean(axis=0)
    rolloff = octaves[(np.cumsum(share, axis=0) >= ROLLOFF).argmax(axis=0)]
    frames = np.stack([centroid, spread, flatness, rolloff]) @ weight
    return np.array([*frames, *_movement(wave), float((10 * np.log10(energy)).std())])


def path_errors(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measure how far each descriptor strays over equal steps of alpha, in its own units.

    Parameters
    ----------
    values : np.ndarray, shape (n_alphas, F)
        From end to end, at least 3 alphas; standardised by what is usual if descriptors are to be compared.

    Returns
    -------
    non_linearity, non_smoothness : np.ndarray, shape (F,)
        Root mean square distance to the straight line between the ends, and root mean square of the second
        differences, both over the alphas between [1]_.

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
    >>> [x.tolist() for x in path_errors(np.array([[0.0, 1.0], [0.0, 2.0], [2.0, 3.0]]))]
    [[1.0, 0.0], [2.0, 0.0]]
    """
    path = np.asarray(values, dtype=np.float64)
    if path.ndim != 2 or len(path) < 3:
        raise BadInput(f"path_errors: needs values at three alphas or more, got shape {path.shape}")
    share = np.linspace(0, 1, len(path))[1:-1, None]
    away = path[1:-1] - ((1 - share) * path[0] + share * path[-1])
    bends = path[2:] - 2 * path[1:-1] + path[:-2]
    return np.sqrt(np.square(away).mean(axis=0)), np.sqrt(np.square(bends).mean(axis=0))


def _movement(wave: Wave) -> tuple[float, float]:
    strength, times = onset_strength(wave), onset_times(wave)
    if not len(times):
        return 0.0, 0.0
    # As many of the strongest frames as there are onsets, without looking for the peaks once more.
    attack = np.sort(strength)[-len(times) :].mean()
    return float(attack), len(times) / wave.duration_s
