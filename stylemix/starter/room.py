"""Rooms, springs and the mixing desk: everything that happens to a sound after its instrument.

Letters: C channels (2: left, right), T samples; time is the last axis.
"""

from __future__ import annotations

import numpy as np
from scipy import signal

from stylemix.errors import BadInput

SAMPLE_RATE = 44100
SILENCE_DB = -50.0


def pan_gains(position: float) -> np.ndarray:
    """Turn a place between the loudspeakers into the two gains of equal power.

    Parameters
    ----------
    position : float
        -1 left, 0 middle, 1 right.

    Returns
    -------
    np.ndarray, shape (2,)
        Left and right gain; their squares sum to one.

    Examples
    --------
    >>> pan_gains(-1.0).round(3).tolist()
    [1.0, 0.0]
    """
    angle = (np.clip(position, -1.0, 1.0) + 1.0) * np.pi / 4.0
    return np.array([np.cos(angle), np.sin(angle)])


def place(
    bus: np.ndarray, sound: np.ndarray, start: int, *, gain: float = 1.0, position: float = 0.0
) -> None:
    """Add a sound to a stereo bus, in place; what lies outside the bus is dropped.

    Parameters
    ----------
    bus : np.ndarray, shape (2, T)
        What is added to.
    sound : np.ndarray, shape (T,) or (2, T)
        One channel is panned to `position`; two are added as they are.
    start : int
        First sample of the sound in the bus (may be negative).
    gain : float
        Factor on the sound.
    position : float
        -1 left to 1 right, for a sound of one channel.
    """
    first = max(0, -start)
    stop = min(sound.shape[-1], bus.shape[-1] - start)
    if stop <= first:
        return
    part = sound[..., first:stop] * gain
    bus[:, start + first : start + stop] += part if part.ndim == 2 else np.outer(pan_gains(position), part)


def room_response(
    rng: np.random.Generator,
    *,
    rt60_s: float,
    size_s: float = 0.03,
    brightness: float = 0.5,
    sample_rate: int = SAMPLE_RATE,
) -> np.ndarray:
    """Make the wet part of a room: early echoes, then noise that dies octave by octave.

    Parameters
    ----------
    rng : np.random.Generator
        Where the echoes fall.
    rt60_s : float
        Time to fall by 60 dB at 500 Hz (seconds).
    size_s : float
        Mean delay of the early echoes (seconds).
    brightness : float
        Decay time per octave above 500 Hz relative to the one below, 0.3 (cloth) to 0.9 (tiles).
    sample_rate : int
        Hz.

    Returns
    -------
    np.ndarray, shape (2, T)
        Two uncorrelated impulse responses of unit energy, without the direct sound.

    References
    ----------
    Moorer, J. A. (1979). About this reverberation business. Computer Music Journal 3(2).
    """
    n_samples = int(1.3 * rt60_s * sample_rate)
    time_s = np.arange(n_samples) / sample_rate
    frequency = np.fft.rfftfreq(n_samples, 1.0 / sample_rate)
    noise = np.fft.rfft(rng.standard_normal((2, n_samples)))
    octave = np.clip(np.log2(np.maximum(frequency, 1.0) / 500.0), -2.0, 5.0)
    response = np.zeros((2, n_samples))
    for centre in range(-2, 6):
        weight = np.clip(1.0 - np.abs(octave - centre), 0.0, 1.0)
        # Low octaves last a little longer than 500 Hz, high ones lose `brightness` each.
        decay_s = rt60_s * (brightness ** max(centre - 1, 0) if centre > 0 else 1.0 + 0.1 * -centre)
        response += np.fft.irfft(noise * weight, n_samples) * np.exp(-6.91 * time_s / decay_s)
    onset = np.clip((time_s - size_s) / (2.0 * size_s), 0.0, 1.0)
    response *= onset * 0.7 / np.sqrt((response**2).sum(axis=1, keepdims=True))
    for channel in range(2):
        delays = np.sort(rng.uniform(0.3, 3.0, 9)) * size_s
        gains = 0.5 * size_s * rng.choice([-1.0, 1.0], 9) / (delays + size_s)
        response[channel, (delays * sample_rate).astype(int)] += gains
    response = signal.sosfilt(signal.butter(1, 9000.0, fs=sample_rate, output="sos"), response)
    return response / np.sqrt((response**2).sum(axis=1, keepdims=True))


def spring_response(
    rng: np.random.Generator,
    *,
    delay_s: float = 0.045,
    feedback: float = 0.72,
    n_allpass: int = 90,
    stretch: int = 5,
    sample_rate: int = SAMPLE_RATE,
) -> np.ndarray:
    """Make the chirping echoes of a spring tank, two springs for two channels.

    Each pass along a spring is a chain of stretched allpass filters (low frequencies early, those near the
    transition frequency late), a lowpass at that frequency and a delay; echoes are the geometric series of
    passes.

    Parameters
    ----------
    rng : np.random.Generator
        Makes the two springs a little unequal.
    delay_s : float
        Half the time of a round trip (seconds).
    feedback : float
        Gain of a round trip, below 1.
    n_allpass : int
        Length of the dispersive chain.
    stretch : int
        Unit delays in each allpass; the transition frequency is ``sample_rate / (2 * stretch)``.
    sample_rate : int
        Hz.

    Returns
    -------
    np.ndarray, shape (2, T)
        Impulse responses of unit energy.

    References
    ----------
    Valimaki, V., Parker, J. & Abel, J. (2010). Parametric spring reverberation effect. JAES 58(7/8).
    """
    # The series is summed in the frequency domain; 4 s is long enough that its wrapped end is below -90 dB.
    n_samples = 4 * sample_rate
    omega = 2.0 * np.pi * np.arange(n_samples // 2 + 1) / n_samples
    lowpass = 1.0 / (1.0 + (omega / (0.85 * np.pi / stretch)) ** 16)
    highpass = 1.0 / (1.0 + (2.0 * np.pi * 90.0 / sample_rate / np.maximum(omega, 1e-9)) ** 4)
    responses = []
    for _ in range(2):
        delay = delay_s * rng.uniform(0.9, 1.12) * sample_rate
        coefficient = 0.6 * rng.uniform(0.95, 1.05)
        unit = np.exp(-1j * omega * stretch)
        chain = ((coefficient + unit) / (1.0 + coefficient * unit)) ** n_allpass
        one_way = chain * lowpass * np.exp(-1j * omega * delay)
        round_trip = feedback * one_way * np.exp(-1j * omega * delay) * lowpass
        responses.append(np.fft.irfft(highpass * one_way / (1.0 + round_trip), n_samples))
    response = np.stack(responses)[:, : int(2.5 * sample_rate)]
    return response / np.sqrt((response**2).sum(axis=1, keepdims=True))


def reverberate(bus: np.ndarray, response: np.ndarray, *, wet: float) -> np.ndarray:
    """Add a room to a bus.

    Parameters
    ----------
    bus : np.ndarray, shape (2, T)
        The dry sound.
    response : np.ndarray, shape (2, T)
        Impulse response of the room for each channel.
    wet : float
        Gain of the room; 0 leaves the sound dry.

    Returns
    -------
    np.ndarray, shape (2, T)
        Dry and wet together, as long as the bus.
    """
    # Every source reaches both ends of a room: a third of the other channel is sent along.
    sent = 0.75 * bus + 0.25 * bus[::-1]
    wet_bus = signal.oaconvolve(sent, response, axes=1)[:, : bus.shape[1]]
    return bus + wet * wet_bus


def frame_levels_db(
    samples: np.ndarray, *, sample_rate: int = SAMPLE_RATE, frame_s: float = 0.05
) -> np.ndarray:
    """Measure the level of each short frame.

    Parameters
    ----------
    samples : np.ndarray, shape (C, T)
        Sound.
    sample_rate : int
        Hz.
    frame_s : float
        Length of a frame (seconds).

    Returns
    -------
    np.ndarray, shape (N,)
        Root mean square over the frame and the channels, in dB of full scale.

    Raises
    ------
    BadInput
        If the sound is shorter than a frame.
    """
    length = int(frame_s * sample_rate)
    n_frames = samples.shape[1] // length
    if n_frames == 0:
        raise BadInput(
            f"samples: must last at least one frame of {frame_s} s, got {samples.shape[1]} samples"
        )
    power = (samples[:, : n_frames * length].reshape(samples.shape[0], n_frames, length) ** 2).mean(
        axis=(0, 2)
    )
    return 10.0 * np.log10(power + 1e-12)


def sounding_rms_db(samples: np.ndarray, *, sample_rate: int = SAMPLE_RATE) -> float:
    """Measure the level of the parts that sound: silence does not count.

    Parameters
    ----------
    samples : np.ndarray, shape (C, T)
        Sound.
    sample_rate : int
        Hz.

    Returns
    -------
    float
        Root mean square of the frames above `SILENCE_DB`, in dB of full scale.

    Examples
    --------
    >>> tone = np.sin(np.arange(44100) / 10.0) * (np.arange(44100) < 22050)
    >>> round(sounding_rms_db(tone[None]), 1)
    -3.0
    """
    levels = frame_levels_db(samples, sample_rate=sample_rate)
    loud = levels[levels > SILENCE_DB]
    return float(10.0 * np.log10(np.mean(10.0 ** (loud / 10.0)))) if loud.size else -120.0


def master(
    samples: np.ndarray,
    *,
    rms_db: float = -20.0,
    ceiling: float = 0.89,
    fade_out_s: float = 0.5,
    sample_rate: int = SAMPLE_RATE,
) -> np.ndarray:
    """Finish a mix: no DC, a common level, peaks held under a ceiling, quiet ends.

    Parameters
    ----------
    samples : np.ndarray, shape (2, T)
        The mix at any level.
    rms_db : float
        Level of the sounding parts (dB of full scale).
    ceiling : float
        No sample is larger than this.
    fade_out_s : float
        Length of the fade at the end (seconds).
    sample_rate : int
        Hz.

    Returns
    -------
    np.ndarray, shape (2, T), float32
        The finished mix.
    """
    clean = signal.sosfilt(signal.butter(2, 25.0, "highpass", fs=sample_rate, output="sos"), samples)
    clean /= np.abs(clean).max() + 1e-12
    for _ in range(3):
        clean *= 10.0 ** ((rms_db - sounding_rms_db(clean, sample_rate=sample_rate)) / 20.0)
    # A look-ahead limiter: the gain each peak needs, held 8 ms to both sides and smoothed over as long.
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    hold = int(0.008 * sample_rate)
    needed = np.minimum(1.0, ceiling / np.maximum(np.abs(clean).max(axis=0), 1e-9))
    clean *= uniform_filter1d(minimum_filter1d(needed, 2 * hold + 1), hold)
    time = np.arange(clean.shape[1])
    fade_in = np.clip(time / (0.005 * sample_rate), 0.0, 1.0)
    fade_out = np.clip((clean.shape[1] - 1 - time) / (fade_out_s * sample_rate), 0.0, 1.0)
    return (clean * fade_in * np.sin(0.5 * np.pi * fade_out) ** 2).astype(np.float32)
