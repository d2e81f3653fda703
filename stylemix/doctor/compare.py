"""How far corpora are apart in what is not style (level, spectrum), and how separable they are by what is."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from stylemix.audio import read_wave
from stylemix.audio.examine import window_starts
from stylemix.corpus import AudioFile, Corpus
from stylemix.errors import BadInput
from stylemix.style import RATE_HZ, style_features
from stylemix.style_probe import fit_probe

SEGMENT_S = 3.0
# Enough for a stable probe, and a second's work.
SEGMENTS_PER_CORPUS = 96
SEGMENTS_PER_FILE = 12
# With fewer recordings than this in a corpus, stretches of one recording have to stand in for recordings.
FEWEST_FILES = 3
STRETCHES = 3
# Exact centres of the third octaves from 50 Hz to 8 kHz (IEC 61260-1, base ten).
THIRD_OCTAVES_HZ = 10.0 ** (np.arange(17, 40) / 10)
# Bands this far below the whole count as empty.
EMPTY_DB = -60.0


@dataclass(frozen=True)
class CorpusSample:
    """What a few segments of every file tell.

    Parameters
    ----------
    features : np.ndarray, shape (S, F)
        Style features of the segments.
    groups : np.ndarray, shape (S,)
        The recording, or the stretch of it, that each segment is from.
    bands_db : np.ndarray, shape (R, K)
        Third-octave levels of R recordings, re their whole power.
    """

    features: np.ndarray
    groups: np.ndarray
    bands_db: np.ndarray


@dataclass(frozen=True)
class Difference:
    """How far two corpora are apart in level and spectrum.

    Parameters
    ----------
    first, second : str
        Their names.
    level_db : float
        Median level of the second's recordings, in the parts that sound, less the first's.
    spectrum_db : float
        Mean absolute difference of their long-term third-octave spectra, the level taken out.
    worst_hz, worst_db : float
        The third octave that differs most, and the second's level there less the first's.
    """

    first: str
    second: str
    level_db: float
    spectrum_db: float
    worst_hz: float
    worst_db: float


def sample_corpus(corpus: Corpus) -> CorpusSample:
    """Describe segments spread evenly over the files, of many files some spread evenly over the corpus.

    Parameters
    ----------
    corpus : Corpus
        As scanned.

    Returns
    -------
    CorpusSample
        Empty arrays when nothing could be read.
    """
    n_files = len(corpus.files)
    n_chosen = min(n_files, SEGMENTS_PER_CORPUS)
    chosen = [corpus.files[i * n_files // n_chosen] for i in range(n_chosen)]
    most = SEGMENTS_PER_FILE * (STRETCHES if n_files < FEWEST_FILES else 1)
    n_segments = min(most, max(1, SEGMENTS_PER_CORPUS // max(1, n_chosen)))
    n_stretches = STRETCHES if n_files < FEWEST_FILES else 1
    with ThreadPoolExecutor(max_workers=2) as pool:
        described = list(pool.map(lambda file: _describe_file(file, n_segments), chosen))
    rows, groups, bands = [], [], []
    for number, (features, power) in enumerate(described):
        if not features:
            continue
        rows += features
        groups += [number * STRETCHES + i * n_stretches // len(features) for i in range(len(features))]
        bands.append(_levels_db(np.sum(power, axis=0)))
    return CorpusSample(np.array(rows), np.array(groups, dtype=int), np.array(bands))


def difference(first: Corpus, second: Corpus,
               samples: tuple[CorpusSample, CorpusSample]) -> Difference | None:
    """Compare level and spectrum of two corpora.

    Parameters
    ----------
    first, second : Corpus
        As scanned.
    samples : pair of CorpusSample
        Of the two.

    Returns
    -------
    Difference or None
        None when one of them has nothing to compare.
    """
    if any(len(sample.bands_db) == 0 for sample in samples):
        return None
    level_db = _median_level(second) - _median_level(first)
    apart = samples[1].bands_db.mean(axis=0) - samples[0].bands_db.mean(axis=0)
    worst = int(np.abs(apart).argmax())
    return Difference(first.name, second.name, level_db, float(np.abs(apart).mean()),
                      float(THIRD_OCTAVES_HZ[worst]), float(apart[worst]))


def separability(samples: Sequence[CorpusSample]) -> float | None:
    """Measure how well a linear probe tells the corpora apart on recordings it has not heard.

    Parameters
    ----------
    samples : sequence of CorpusSample
        One for each corpus.

    Returns
    -------
    float or None
        Balanced accuracy: chance is one over the number of corpora. None when there is too little.
    """
    if len(samples) < 2 or any(len(np.unique(sample.groups)) < 2 for sample in samples):
        return None
    labels = np.repeat(np.arange(len(samples)), [len(sample.groups) for sample in samples])
    most = 1 + max(int(sample.groups.max()) for sample in samples)
    groups = np.concatenate([sample.groups + i * most for i, sample in enumerate(samples)])
    return fit_probe(np.concatenate([sample.features for sample in samples]), labels, groups).accuracy


def _describe_file(file: AudioFile, n_segments: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return style features and third-octave powers of the segments that sound."""
    features, powers = [], []
    for start_s in window_starts(file.seconds, window_s=SEGMENT_S, n_windows=n_segments):
        try:
            wave = read_wave(file.path, start_s=start_s, duration_s=SEGMENT_S, sample_rate=RATE_HZ, mono=True)
        except BadInput:
            # A break inside a file that the scan did not touch: the other windows speak for it.
            continue
        samples = wave.samples[0] - wave.samples[0].mean()
        if 10 * np.log10(np.mean(np.square(samples)) + 1e-20) < file.rms_db - 40:
            continue
        features.append(style_features(wave))
        powers.append(third_octave_power(samples, RATE_HZ))
    return features, powers


def third_octave_power(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return the power in third octaves, from the average of short spectra.

    Parameters
    ----------
    samples : np.ndarray, shape (T,)
        One channel.
    sample_rate : int
        In Hz.

    Returns
    -------
    np.ndarray, shape (K,)
        At `THIRD_OCTAVES_HZ`.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(22050) / 22050)
    >>> float(THIRD_OCTAVES_HZ[third_octave_power(tone, 22050).argmax()])
    1000.0
    """
    length = 4096
    padded = np.pad(samples, (0, max(0, length - samples.size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::length // 2]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(length)))).mean(axis=0)
    frequencies = np.fft.rfftfreq(length, 1 / sample_rate)
    edges = np.concatenate([THIRD_OCTAVES_HZ * 10 ** -0.05, [THIRD_OCTAVES_HZ[-1] * 10 ** 0.05]])
    running = np.concatenate([[0.0], np.cumsum(power)])
    return np.diff(running[np.searchsorted(frequencies, edges)])


def _levels_db(power: np.ndarray) -> np.ndarray:
    share = power / max(float(power.sum()), 1e-20)
    return np.maximum(10 * np.log10(share + 1e-20), EMPTY_DB)


def _median_level(corpus: Corpus) -> float:
    return float(np.median([file.rms_db for file in corpus.files]))
