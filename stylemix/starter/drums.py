"""A drum kit: membranes as modes, metal as clouds of partials, wires and sticks as noise."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import signal

from stylemix.errors import BadInput
from stylemix.starter.strings import modes_to_wave

SAMPLE_RATE = 44100
# Zeros of the Bessel functions over the first one: the modes of an ideal round membrane.
MEMBRANE = np.array([1.0, 1.594, 2.136, 2.296, 2.653, 2.918, 3.156, 3.501, 3.6, 4.06])


def _noise(
    rng: np.random.Generator, n_samples: int, low_hz: float, high_hz: float, decay_s: float
) -> np.ndarray:
    """Make a burst of noise in a band, dying by 60 dB in `decay_s`, shape (T,), unit peak envelope."""
    band = signal.butter(2, [low_hz, high_hz], "bandpass", fs=SAMPLE_RATE, output="sos")
    burst = signal.sosfilt(band, rng.standard_normal(n_samples))
    shaped: np.ndarray = (
        burst / burst.std() * 0.33 * np.exp(-6.91 * np.arange(n_samples) / (decay_s * SAMPLE_RATE))
    )
    return shaped


def _drum_head(
    f0_hz: float, decay_s: float, n_samples: int, rng: np.random.Generator, *, drop: float
) -> np.ndarray:
    """Strike a membrane whose pitch falls by the factor 1 + `drop` as its tension relaxes."""
    frequency = f0_hz * MEMBRANE * rng.uniform(0.995, 1.005, MEMBRANE.size)
    decay = 6.91 / decay_s * MEMBRANE**1.3
    amplitude = rng.uniform(0.6, 1.0, MEMBRANE.size) / MEMBRANE**1.4
    amplitude[0] = 1.0
    straight = modes_to_wave(frequency, decay, amplitude, int(n_samples * (1.0 + drop)) + 2)
    time = np.arange(n_samples)
    # Reading the sound faster at first bends every mode down together.
    warped = time + drop * 0.03 * SAMPLE_RATE * (1.0 - np.exp(-time / (0.03 * SAMPLE_RATE)))
    return np.interp(warped, np.arange(straight.size), straight)


def kick(rng: np.random.Generator) -> np.ndarray:
    """Play a bass drum with a felt beater and a blanket inside.

    Parameters
    ----------
    rng : np.random.Generator
        No two strokes are the same.

    Returns
    -------
    np.ndarray, shape (T,)
        Peak near 1.
    """
    n_samples = int(0.42 * SAMPLE_RATE)
    head = _drum_head(52.0, 0.38, n_samples, rng, drop=1.6)
    click = _noise(rng, n_samples, 900.0, 4200.0, 0.03)
    return 0.9 * head / np.abs(head).max() + 0.35 * click


def snare(rng: np.random.Generator) -> np.ndarray:
    """Play a snare drum, wires on, with a rim in it.

    Parameters
    ----------
    rng : np.random.Generator
        No two strokes are the same.

    Returns
    -------
    np.ndarray, shape (T,)
        Peak near 1.
    """
    n_samples = int(0.4 * SAMPLE_RATE)
    head = _drum_head(186.0 * rng.uniform(0.99, 1.01), 0.22, n_samples, rng, drop=0.25)
    wires = _noise(rng, n_samples, 1500.0, 9500.0, 0.24) + 0.5 * _noise(rng, n_samples, 500.0, 2200.0, 0.13)
    stick = _noise(rng, n_samples, 2500.0, 12000.0, 0.02)
    return 0.55 * head / np.abs(head).max() + 0.6 * wires + 0.4 * stick


def tom(rng: np.random.Generator, f0_hz: float = 120.0) -> np.ndarray:
    """Play a tom-tom.

    Parameters
    ----------
    rng : np.random.Generator
        No two strokes are the same.
    f0_hz : float
        Pitch of the head (Hz).

    Returns
    -------
    np.ndarray, shape (T,)
        Peak near 1.
    """
    n_samples = int(0.7 * SAMPLE_RATE)
    head = _drum_head(f0_hz, 0.6, n_samples, rng, drop=0.35)
    return 0.85 * head / np.abs(head).max() + 0.25 * _noise(rng, n_samples, 800.0, 5000.0, 0.04)


def cymbal(rng: np.random.Generator, ring_s: float) -> np.ndarray:
    """Play metal: a tenth of a second is a closed hat, one a ride, two a crash.

    Parameters
    ----------
    rng : np.random.Generator
        No two strokes are the same.
    ring_s : float
        Time to fall by 60 dB (seconds).

    Returns
    -------
    np.ndarray, shape (T,)
        Peak near 1.
    """
    n_samples = int((ring_s + 0.02) * SAMPLE_RATE)
    # A plate's modes are evenly dense: 160 partials between 300 Hz and 14 kHz, the high ones dying first.
    frequency = np.sort(rng.uniform(300.0, 14000.0, 160))
    decay = 6.91 / ring_s * (0.6 + frequency / 7000.0)
    amplitude = rng.standard_normal(160) * np.clip(frequency / 5000.0, 0.1, 1.0)
    plate = modes_to_wave(frequency, decay, amplitude, n_samples)
    hiss = _noise(rng, n_samples, 5500.0, 15000.0, 0.8 * ring_s)
    ending = np.clip((n_samples - np.arange(n_samples)) / (0.01 * SAMPLE_RATE), 0.0, 1.0)
    return (0.5 * plate / np.abs(plate).max() + 0.6 * hiss) * ending


def tambourine(rng: np.random.Generator) -> np.ndarray:
    """Shake a tambourine: a dozen small discs hit one another within 30 ms.

    Parameters
    ----------
    rng : np.random.Generator
        No two strokes are the same.

    Returns
    -------
    np.ndarray, shape (T,)
        Peak near 1.
    """
    n_samples = int(0.22 * SAMPLE_RATE)
    shake = np.zeros(n_samples)
    for _ in range(12):
        start = int(rng.uniform(0.0, 0.03) * SAMPLE_RATE)
        modes = modes_to_wave(
            rng.uniform(5200.0, 12500.0, 4),
            rng.uniform(25.0, 60.0, 4),
            rng.uniform(0.3, 1.0, 4),
            n_samples - start,
        )
        shake[start:] += modes
    return 0.8 * shake / np.abs(shake).max()


@lru_cache(maxsize=8)
def kit(seed: int) -> dict[str, tuple[np.ndarray, ...]]:
    """Record a kit: a few strokes of each instrument, to be taken in turn.

    Parameters
    ----------
    seed : int
        Which kit.

    Returns
    -------
    dict
        Strokes of "kick", "snare", "hat", "ride", "crash", "high tom", "low tom", "tambourine",
        each of shape (T,).

    Raises
    ------
    BadInput
        If the seed is negative.
    """
    if seed < 0:
        raise BadInput(f"seed: must not be negative, got {seed}")
    rng = np.random.default_rng([seed, 0xD2])
    return {
        "kick": tuple(kick(rng) for _ in range(3)),
        "snare": tuple(snare(rng) for _ in range(6)),
        "hat": tuple(cymbal(rng, 0.11) for _ in range(5)),
        "ride": tuple(cymbal(rng, 0.9) for _ in range(3)),
        "crash": (cymbal(rng, 2.2),),
        "high tom": tuple(tom(rng, 148.0) for _ in range(3)),
        "low tom": tuple(tom(rng, 96.0) for _ in range(3)),
        "tambourine": tuple(tambourine(rng) for _ in range(3)),
    }
