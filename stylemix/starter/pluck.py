"""Plucked strings: an extended Karplus-Strong loop with exact tuning, for an electric guitar and a bass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import signal

from stylemix.errors import BadInput

SAMPLE_RATE = 44100


@dataclass(frozen=True)
class StringSound:
    """How a plucked string sounds.

    Parameters
    ----------
    ring_s : float
        Time for the fundamental to fall by 60 dB (seconds).
    damping : float
        Weight of the older sample in the loop's lowpass, 0 (steel) to 0.5 (nylon, palm on the bridge).
    pick_at, pickup_at : float
        Places of the plectrum and of the pickup, as fractions of the string.
    bright : float
        Softness of the plectrum: 0 thumb to 1 hard.
    """

    ring_s: float = 3.0
    damping: float = 0.12
    pick_at: float = 0.13
    pickup_at: float = 0.21
    bright: float = 0.7


STEEL = StringSound()
MUTED = StringSound(ring_s=0.35, damping=0.35, pick_at=0.08, bright=0.6)
FLATWOUND = StringSound(ring_s=1.9, damping=0.34, pick_at=0.17, pickup_at=0.28, bright=0.35)


def pluck(
    f0_hz: float,
    duration_s: float,
    sound: StringSound,
    rng: np.random.Generator,
    *,
    velocity: float = 0.8,
    repeats_hz: float = 0.0,
    sample_rate: int = SAMPLE_RATE,
) -> np.ndarray:
    """Pluck a string once, or again and again while it still rings (tremolo picking).

    Parameters
    ----------
    f0_hz : float
        Pitch (Hz).
    duration_s : float
        Until the finger stops the string (seconds).
    sound : StringSound
        The string and the hand.
    rng : np.random.Generator
        For the noise of the plectrum.
    velocity : float
        0 to 1; harder is brighter.
    repeats_hz : float
        Strokes a second; 0 for a single one.
    sample_rate : int
        Hz.

    Returns
    -------
    np.ndarray, shape (T,)
        What the pickup hears, 80 ms longer than `duration_s`.

    Raises
    ------
    BadInput
        If the pitch is not below an eighth of the sample rate.

    References
    ----------
    Karplus, K. & Strong, A. (1983). Digital synthesis of plucked-string and drum timbres. CMJ 7(2).
    Jaffe, D. A. & Smith, J. O. (1983). Extensions of the Karplus-Strong plucked-string algorithm. CMJ 7(2).
    """
    if not 20.0 <= f0_hz <= sample_rate / 8.0:
        raise BadInput(f"f0_hz: must lie between 20 and {sample_rate / 8:.0f} Hz, got {f0_hz}")
    n_samples = int((duration_s + 0.08) * sample_rate)
    period = sample_rate / f0_hz
    stroke = _stroke(period, sound, rng, velocity, sample_rate)
    excitation = np.zeros(n_samples)
    strokes = np.arange(0.0, max(duration_s - 0.03, 1e-3), 1.0 / repeats_hz) if repeats_hz else np.zeros(1)
    for i, at_s in enumerate(strokes):
        start = int(max(0.0, at_s + (rng.normal(0.0, 0.003) if i else 0.0)) * sample_rate)
        stop = min(n_samples, start + stroke.size)
        # Up-strokes are weaker than down-strokes.
        excitation[start:stop] += stroke[: stop - start] * (1.0 if i % 2 == 0 else -0.8)
    delay, allpass, gain = loop_tuning(f0_hz, sound, sample_rate=sample_rate)
    wave: np.ndarray = _string_loop()(excitation, delay, allpass, gain, sound.damping)
    comb = max(1, int(round(sound.pickup_at * period)))
    wave = wave - np.concatenate([np.zeros(min(comb, n_samples)), wave[: n_samples - comb]])[:n_samples]
    time_s = np.arange(n_samples) / sample_rate
    return wave * np.exp(-np.maximum(time_s - duration_s, 0.0) / 0.012)


def loop_tuning(
    f0_hz: float, sound: StringSound, *, sample_rate: int = SAMPLE_RATE
) -> tuple[int, float, float]:
    """Choose delay, allpass and gain so that the loop is one period long at the pitch itself.

    Parameters
    ----------
    f0_hz : float
        Pitch (Hz).
    sound : StringSound
        Whose lowpass and ring.
    sample_rate : int
        Hz.

    Returns
    -------
    delay : int
        Samples of the delay line.
    allpass : float
        Coefficient of the allpass that makes the fraction of a sample.
    gain : float
        Of one trip around the loop.
    """
    omega = 2.0 * np.pi * f0_hz / sample_rate
    s = sound.damping
    lowpass_delay = np.arctan2(s * np.sin(omega), 1.0 - s + s * np.cos(omega)) / omega
    remaining = sample_rate / f0_hz - lowpass_delay
    # The fraction is kept between 0.3 and 1.3 samples, where the allpass is well behaved.
    delay = int(np.floor(remaining - 0.3))
    fraction = remaining - delay
    allpass = np.sin((1.0 - fraction) * omega / 2.0) / np.sin((1.0 + fraction) * omega / 2.0)
    lowpass_gain = np.hypot(1.0 - s + s * np.cos(omega), s * np.sin(omega))
    gain = min(10.0 ** (-3.0 / (f0_hz * sound.ring_s)) / lowpass_gain, 0.99999)
    return delay, float(allpass), float(gain)


def _stroke(
    period: float, sound: StringSound, rng: np.random.Generator, velocity: float, sample_rate: int
) -> np.ndarray:
    """Make the push of a plectrum: impulse and noise, softened, with the comb of its place."""
    length = int(np.ceil(period))
    push = 0.35 * rng.standard_normal(length) / np.sqrt(length)
    push[0] += 1.0
    push = np.concatenate([push, np.zeros(length)])
    comb = max(1, int(round(sound.pick_at * period)))
    push[comb:] -= push[:-comb].copy()
    # A pickup hears velocity: a plucked string's partials fall as 1/n there, and the plectrum's width
    # softens them again.
    for cutoff_hz in (1.5 * sample_rate / period, 700.0 * (1.0 + 14.0 * sound.bright * velocity)):
        pole = np.exp(-2.0 * np.pi * min(cutoff_hz / sample_rate, 0.4))
        push = signal.lfilter([1.0 - pole], [1.0, -pole], push)
    stroke: np.ndarray = velocity * 0.5 * push / np.sqrt((push**2).mean())
    return stroke


@lru_cache(maxsize=1)
def _string_loop() -> Callable[..., np.ndarray]:
    """Compile the loop when the first string is plucked."""
    from numba import njit

    @njit
    def _run(excitation: np.ndarray, delay: int, allpass: float, gain: float, damping: float) -> np.ndarray:
        line = np.zeros(delay)
        out = np.empty_like(excitation)
        at, last_delayed, last_low, last_all = 0, 0.0, 0.0, 0.0
        for t in range(excitation.size):
            delayed = line[at]
            low = gain * ((1.0 - damping) * delayed + damping * last_delayed)
            fractional = allpass * low + last_low - allpass * last_all
            last_delayed, last_low, last_all = delayed, low, fractional
            value = excitation[t] + fractional
            line[at] = value
            at = at + 1 if at + 1 < delay else 0
            out[t] = value
        return out

    return _run


def guitar_amp(dry: np.ndarray, *, drive: float = 1.5, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Send a guitar through pickup, valve and loudspeaker.

    Parameters
    ----------
    dry : np.ndarray, shape (T,) or (C, T)
        The strings.
    drive : float
        Level into the valve; 1 is clean.
    sample_rate : int
        Hz.

    Returns
    -------
    np.ndarray, the same shape
        The amplifier's sound, peaks below about 1.
    """
    omega = 2.0 * np.pi * 3600.0 / sample_rate
    radius = np.exp(-omega / 2.6)
    resonance = [1.0, -2.0 * radius * np.cos(omega), radius**2]
    picked = signal.lfilter([sum(resonance)], resonance, dry, axis=-1)
    level = np.percentile(np.abs(picked), 99.5) + 1e-9
    valve = np.tanh(drive * picked / level + 0.12) - np.tanh(0.12)
    speaker = signal.butter(2, [95.0, 6200.0], "bandpass", fs=sample_rate, output="sos")
    loud: np.ndarray = signal.sosfilt(speaker, valve, axis=-1)
    return loud
