"""Pairs of sounds that are hard to tell apart once time is averaged out: what each layer adds shows on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from stylemix.measure.properties.material import Deformation
from stylemix.measure.properties.representations import SAMPLE_RATE, Representation
from stylemix.measure.properties.trials import analysed, relative_distance

SECONDS = 3.0
# Chirps of three octaves: shorter than the averaging, and slow enough for wavelets of an eighth of an octave to follow.
CHIRP_HZ = (400.0, 3200.0)
CHIRP_S = 0.15
CHIRP_EVERY_S = 0.5
# Both tremolos are too fast for an average over 186 ms, and slow enough for wavelets an eighth of an octave wide at
# the frequencies of the chord to follow.
TREMOLO_HZ = (16.0, 32.0)
CHORD_HZ = (2490.0, 3700.0, 5590.0)
TONES_HZ = (250.0, 1000.0, 4000.0)
TONE_DEPTH = 0.001


@dataclass(frozen=True)
class Pair:
    """Two sounds, and what tells them apart.

    Parameters
    ----------
    key : str
        Short name, for JSON.
    title : str
        For people.
    first, second : np.ndarray, shape (T,)
        Sounds of the same length and energy.
    """

    key: str
    title: str
    first: np.ndarray
    second: np.ndarray


def hard_pairs() -> list[Pair]:
    """Make the pairs.

    Returns
    -------
    list of Pair
        Tremolos of two speeds, and rising against falling chirps.

    Examples
    --------
    >>> [pair.key for pair in hard_pairs()]
    ['tremolo', 'chirp']
    """
    slow, fast = (tremolo(rate) for rate in TREMOLO_HZ)
    rising = chirps()
    return [
        Pair("tremolo", f"A chord in tremolo, {TREMOLO_HZ[0]:g} against {TREMOLO_HZ[1]:g} times a second", slow, fast),
        Pair("chirp", "Chirps of three octaves, rising against falling", rising, rising[::-1]),
    ]


def tremolo(rate_hz: float) -> np.ndarray:
    """Make a chord whose loudness goes up and down.

    Parameters
    ----------
    rate_hz : float
        How often.

    Returns
    -------
    np.ndarray, shape (T,)
        A mean square of 1 where it sounds; silence at the ends.
    """
    t = np.arange(round(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    chord = sum(np.sin(2 * np.pi * hz * t) for hz in CHORD_HZ)
    return _framed(chord * (1 + np.sin(2 * np.pi * rate_hz * t)))


def chirps() -> np.ndarray:
    """Make short rising chirps, one after the other: the second half mirrors nothing of the first.

    A chirp sweeps `CHIRP_HZ` in `CHIRP_S` at a constant number of octaves a second, under a Hann bell. Played
    backwards, all of them fall; wavelets are even, so all moduli are the same but for the order of time, and every
    average over all time is equal.

    Returns
    -------
    np.ndarray, shape (T,)
        A mean square of 1; silence at the ends.
    """
    low, high = CHIRP_HZ
    n = round(CHIRP_S * SAMPLE_RATE)
    t = np.arange(n) / SAMPLE_RATE
    octaves = np.log(high / low)
    # The integral of low * (high / low)**(t / d) over time.
    phase = 2 * np.pi * low * CHIRP_S / octaves * np.expm1(octaves * t / CHIRP_S)
    one = np.sin(phase) * np.hanning(n)
    sound = np.zeros(round(SECONDS * SAMPLE_RATE))
    for start in np.arange(0.5, SECONDS - 0.5 - CHIRP_S, CHIRP_EVERY_S):
        at = round(start * SAMPLE_RATE)
        sound[at : at + n] = one
    return sound / np.sqrt(np.mean(np.square(sound)))


def tone(hz: float) -> np.ndarray:
    """Make a tone.

    Parameters
    ----------
    hz : float
        Its frequency.

    Returns
    -------
    np.ndarray, shape (T,)
        A mean square of 1; silence at the ends.
    """
    return _framed(np.sin(2 * np.pi * hz * np.arange(round(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE))


def measure_tones(representation: Representation) -> dict[str, float]:
    """Measure how far small warps move tones: with their frequency, or as far at all frequencies.

    Parameters
    ----------
    representation : Representation
        One of `representations`.

    Returns
    -------
    dict
        Frequency in Hz, as text -> relative distance over depth, for a warp of `TONE_DEPTH`.
    """
    warp = Deformation("warp", TONE_DEPTH)
    found = {}
    for hz in TONES_HZ:
        vectors = analysed(representation, np.stack([tone(hz), warp(tone(hz))]))[0]
        found[f"{hz:g}"] = float(relative_distance(vectors[0], vectors[1])) / TONE_DEPTH
    return found


def measure_pairs(representation: Representation, pairs: list[Pair]) -> dict[str, Any]:
    """Measure how far apart the members of each pair are once averaged over all time.

    Parameters
    ----------
    representation : Representation
        One of `representations`.
    pairs : list of Pair
        From `hard_pairs`.

    Returns
    -------
    dict
        The pair's key -> relative distance of the integrals over time.
    """
    found = {}
    for pair in pairs:
        means = analysed(representation, np.stack([pair.first, pair.second]))[1]
        found[pair.key] = float(relative_distance(means[0], means[1]))
    return found


def _framed(sound: np.ndarray) -> np.ndarray:
    silence, fade = round(0.5 * SAMPLE_RATE), round(0.25 * SAMPLE_RATE)
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(fade) / fade)
    middle = np.ones(len(sound) - 2 * (silence + fade))
    sound = sound * np.pad(np.concatenate([ramp, middle, ramp[::-1]]), silence)
    return sound / np.sqrt(np.mean(np.square(sound)))
