"""Singing voices: a glottal pulse, formants that glide between syllables, and the small errors of people.

Letters: T samples; P control points (one every `HOP` samples).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from stylemix.starter.tract import HOP, ONSETS, SAMPLE_RATE, formant_filter, formant_table, glottal_spectrum


@dataclass(frozen=True)
class Note:
    """One sung or played note.

    Parameters
    ----------
    start_s, duration_s : float
        When (seconds).
    midi : float
        Pitch; 69 is A4.
    syllable : str
        A vowel of `FORMANTS_HZ`, with a consonant of `ONSETS` before it if wished, as in "b-ah".
    velocity : float
        Loudness, 0 to 1.
    """

    start_s: float
    duration_s: float
    midi: float
    syllable: str = "ah"
    velocity: float = 0.8


@dataclass(frozen=True)
class Singer:
    """What makes a voice this voice.

    Parameters
    ----------
    tract : float
        Formant frequencies against those of the table (a shorter tract is above 1).
    rd : float
        Shape of the glottal pulse: 0.6 pressed, 1 usual, 2.4 breathy falsetto.
    breath : float
        Loudness of the noise of breath against the pulse.
    vibrato_cents, vibrato_hz : float
        Depth and rate of the vibrato, reached a third of a second into a note.
    detune_cents : float
        How far from the pitch this singer sings.
    lag_s : float
        How late this singer comes in.
    """

    tract: float = 1.0
    rd: float = 1.0
    breath: float = 0.05
    vibrato_cents: float = 18.0
    vibrato_hz: float = 5.4
    detune_cents: float = 0.0
    lag_s: float = 0.0


def _table(rd: float, highest_hz: float) -> np.ndarray:
    """Sum the harmonics that stay below the Nyquist frequency into a period of 4096 samples and one more."""
    n_harmonics = int(np.clip(0.45 * SAMPLE_RATE / highest_hz, 4, 200))
    spectrum = np.zeros(2049, dtype=complex)
    spectrum[: n_harmonics + 1] = glottal_spectrum(rd)[: n_harmonics + 1] * 4096.0
    period = np.fft.irfft(spectrum)
    return np.append(period, period[0])


def pitch_track(notes: list[Note], n_points: int, singer: Singer, rng: np.random.Generator) -> np.ndarray:
    """Draw the pitch of a line: portamento between notes, vibrato that grows in each, drift and jitter.

    Parameters
    ----------
    notes : list of Note
        In the order of time.
    n_points : int
        Length, in steps of `HOP` samples.
    singer : Singer
        Whose pitch.
    rng : np.random.Generator
        For drift and jitter.

    Returns
    -------
    np.ndarray, shape (P,)
        MIDI pitch.
    """
    rate = SAMPLE_RATE / HOP
    target, depth = np.full(n_points, float(notes[0].midi)), np.zeros(n_points)
    for note in notes:
        first = max(0, int((note.start_s + singer.lag_s) * rate))
        stop = min(n_points, int((note.start_s + note.duration_s + singer.lag_s) * rate))
        target[first:] = note.midi
        depth[first:stop] = np.clip((np.arange(max(stop - first, 0)) / rate - 0.22) / 0.25, 0.0, 1.0)
    # A voice reaches a new pitch in some 60 ms, from a little below or above it.
    glide = gaussian_filter1d(target, 0.02 * rate)
    phase = 2.0 * np.pi * np.cumsum(singer.vibrato_hz * (1.0 + 0.05 * _slow(rng, n_points, 0.4))) / rate
    cents = singer.detune_cents + gaussian_filter1d(depth, 0.04 * rate) * singer.vibrato_cents * np.sin(phase)
    cents += 3.5 * _slow(rng, n_points, 0.25) + 2.5 * _slow(rng, n_points, 0.02)
    return glide + cents / 100.0


def _slow(rng: np.random.Generator, n_points: int, smooth_s: float) -> np.ndarray:
    """Make noise of unit variance that changes over about `smooth_s` seconds, shape (P,)."""
    width = smooth_s * SAMPLE_RATE / HOP
    return gaussian_filter1d(rng.standard_normal(n_points), width) * np.sqrt(2.0 * np.sqrt(np.pi) * width)


def _mouth(notes: list[Note], n_points: int, singer: Singer) -> tuple[np.ndarray, np.ndarray]:
    """Draw formants (5, P) and loudness (P,) of a line: closures, loci and glides of its syllables."""
    rate = SAMPLE_RATE / HOP
    formants = np.repeat(formant_table(notes[0].syllable)[:, None], n_points, axis=1)
    loudness = np.zeros(n_points)
    for note in notes:
        first = max(0, int((note.start_s + singer.lag_s) * rate))
        stop = min(n_points, int((note.start_s + note.duration_s + singer.lag_s) * rate))
        vowel, onset = formant_table(note.syllable), ONSETS.get(note.syllable.split("-")[0])
        formants[:, first:] = vowel[:, None]
        loudness[first:stop] = note.velocity
        if onset is not None:
            locus, closure_s, glide_s = onset
            there = np.clip((np.arange(max(stop - first, 0)) / rate - closure_s) / glide_s, 0.0, 1.0)
            formants[:3, first:stop] = np.array(locus)[:, None] * (1.0 - there) + vowel[:3, None] * there
            loudness[first : min(stop, first + int(closure_s * rate))] *= 0.04
    smooth = gaussian_filter1d(formants, 0.012 * rate, axis=1) * singer.tract
    return smooth, gaussian_filter1d(loudness, 0.011 * rate)


def sing(notes: list[Note], n_samples: int, singer: Singer, rng: np.random.Generator) -> np.ndarray:
    """Sing a line.

    Parameters
    ----------
    notes : list of Note
        In the order of time, not overlapping.
    n_samples : int
        Length of the sound.
    singer : Singer
        Who sings.
    rng : np.random.Generator
        For jitter, shimmer and breath.

    Returns
    -------
    np.ndarray, shape (T,)
        One voice; a steady loud vowel has a root mean square near 0.2.

    References
    ----------
    Klatt, D. H. (1980). Software for a cascade/parallel formant synthesizer. JASA 67(3).
    Sundberg, J. (1987). The Science of the Singing Voice: F1 is opened when the pitch passes it.
    """
    if not notes:
        return np.zeros(n_samples)
    n_points = -(-n_samples // HOP) + 1
    hertz = 440.0 * 2.0 ** ((pitch_track(notes, n_points, singer, rng) - 69.0) / 12.0)
    formants, loudness = _mouth(notes, n_points, singer)
    formants[0] = np.maximum(formants[0], 1.03 * hertz)
    formants[1] = np.maximum(formants[1], formants[0] + 180.0)
    at = np.arange(n_samples) / HOP
    points = np.arange(n_points)
    phase = np.cumsum(np.interp(at, points, hertz)) / SAMPLE_RATE % 1.0
    flow = np.interp(phase * 4096.0, np.arange(4097), _table(singer.rd, float(hertz.max())))
    # Air rushes most while the folds are open, in the first part of the period; its rumble does not radiate.
    air = np.diff(rng.standard_normal(n_samples + 1)) * (
        0.35 + np.maximum(0.0, 4.0 * phase * (1.0 - 2.0 * phase))
    )
    source = (flow + singer.breath * air) * np.interp(
        at, points, loudness * (1.0 + 0.04 * _slow(rng, n_points, 0.03))
    )
    voice = formant_filter(source, formants)
    return _even_out(voice, loudness)


def _even_out(voice: np.ndarray, loudness: np.ndarray) -> np.ndarray:
    """Bring vowels and pitches of unequal power to the loudness (P,) that was asked for, within 100 ms."""
    n_points = loudness.size
    padded = np.zeros(n_points * HOP)
    padded[: voice.size] = voice
    width = 0.05 * SAMPLE_RATE / HOP
    power = gaussian_filter1d((padded.reshape(n_points, HOP) ** 2).mean(axis=1), width)
    asked = gaussian_filter1d(loudness**2, width)
    gain = 0.25 * np.sqrt(asked / np.maximum(power, 1e-12 + 1e-4 * float(power.max())))
    return voice * np.interp(np.arange(voice.size) / HOP, np.arange(n_points), gain)
