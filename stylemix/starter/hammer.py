"""The hammer of a piano key, the damper, and the small noises of the action and of loose objects."""

from __future__ import annotations

import numpy as np
from scipy import signal

from stylemix.starter.strings import SAMPLE_RATE, Modes, Preparation, modes_to_wave


def key_loudness(modes: Modes) -> float:
    """Estimate how loud a key is in its first third of a second, to even out a keyboard of unequal objects.

    Parameters
    ----------
    modes : Modes
        Of the key.

    Returns
    -------
    float
        Root mean square for a hammer without a lowpass of its own, falling by 6 dB an octave above 500 Hz.
    """
    heard = (
        modes.struck
        * modes.bridge
        * modes.frequency_hz[0]
        / modes.frequency_hz
        / (1.0 + modes.frequency_hz / 500.0)
    )
    third_s = 1.0 / 3.0
    # The mean of exp(-2 d t) over that time.
    kept = -np.expm1(-2.0 * modes.decay * third_s) / (2.0 * modes.decay * third_s)
    return float(np.sqrt(0.5 * (heard**2 * kept).sum()))


def strike(
    modes: Modes,
    preparation: Preparation,
    *,
    midi: float,
    velocity: float,
    duration_s: float,
    rng: np.random.Generator,
    sample_rate: int = SAMPLE_RATE,
) -> np.ndarray:
    """Strike a key and let its damper fall.

    Parameters
    ----------
    modes : Modes
        Of the key, from `key_modes`.
    preparation : Preparation
        The same as for the modes.
    midi : float
        The key.
    velocity : float
        0 (barely) to 1 (as hard as one can); a harder hammer is also a shorter, brighter push.
    duration_s : float
        Until the damper falls (seconds).
    rng : np.random.Generator
        For the noise of the action and of loose parts.
    sample_rate : int
        Hz.

    Returns
    -------
    np.ndarray, shape (T,)
        Force on the bridge and noises, ending in silence.
    """
    ring_s = min(duration_s + 0.45, 6.91 / float(np.min(modes.decay)), 9.0)
    n_samples = int(ring_s * sample_rate)
    contact_s = np.interp(midi, [21, 60, 108], [3.6e-3, 1.8e-3, 0.5e-3]) * (1.5 - 0.9 * velocity)
    omega = 2.0 * np.pi * modes.frequency_hz
    # A half-sine push falls to a half near 0.8 / contact; felt that hardens under pressure loses less than
    # 12 dB an octave.
    push = velocity**1.6 / (1.0 + (omega * contact_s / 5.0) ** 2) ** 0.7
    displacement = push * modes.struck * omega[0] / omega
    wave = modes_to_wave(modes.frequency_hz, modes.decay, displacement * modes.bridge, n_samples)
    if preparation.rattle > 0.0:
        moved = modes_to_wave(modes.frequency_hz, modes.decay, displacement * modes.touched, n_samples)
        wave += preparation.rattle * _rattle(moved, rng, sample_rate)
    wave += _knock(midi, velocity, n_samples, rng, sample_rate)
    time_s = np.arange(n_samples) / sample_rate
    damper = np.exp(-np.maximum(time_s - duration_s, 0.0) / np.interp(midi, [21, 90], [0.11, 0.05]))
    ending = np.clip((ring_s - time_s) / 0.02, 0.0, 1.0)
    return wave * damper * ending


def _rattle(moved: np.ndarray, rng: np.random.Generator, sample_rate: int) -> np.ndarray:
    """Let a loose nut hit the string wherever it moves beyond a gap, and ring in its own modes."""
    gap = 0.12
    contact = np.maximum(moved - gap, 0.0)
    hits = np.maximum(np.diff(contact, prepend=0.0), 0.0) * sample_rate / 4000.0
    # A nut that was just thrown is in the air: each contact is met with another part of it, or missed.
    hits *= 0.35 + rng.random(hits.size) * np.repeat(rng.random(hits.size // 200 + 1), 200)[: hits.size]
    ringing = np.zeros_like(hits)
    for frequency, decay_s in zip(rng.uniform(1700.0, 8200.0, 7), rng.uniform(0.004, 0.022, 7), strict=True):
        radius = np.exp(-1.0 / (decay_s * sample_rate))
        angle = 2.0 * np.pi * frequency / sample_rate
        ringing += signal.lfilter([np.sin(angle)], [1.0, -2.0 * radius * np.cos(angle), radius**2], hits)
    return ringing


def _knock(
    midi: float, velocity: float, n_samples: int, rng: np.random.Generator, sample_rate: int
) -> np.ndarray:
    """Make the thump of hammer and key bed: a few wooden modes and a breath of felt noise."""
    frequency = rng.uniform(0.92, 1.08, 6) * np.array([74.0, 131.0, 212.0, 348.0, 560.0, 910.0])
    decay = rng.uniform(28.0, 60.0, 6) * np.linspace(0.7, 2.2, 6)
    amount = (
        0.3
        * velocity**1.3
        * np.array([0.25, 0.5, 0.7, 0.6, 0.45, 0.3])
        * np.interp(midi, [21, 108], [0.8, 1.3])
    )
    length = min(n_samples, int(0.25 * sample_rate))
    felt = (
        rng.standard_normal(length)
        * np.exp(-np.arange(length) / (0.004 * sample_rate))
        * 0.05
        * velocity**1.5
    )
    knock = np.zeros(n_samples)
    knock[:length] = modes_to_wave(frequency, decay, amount, length) + felt
    return knock
