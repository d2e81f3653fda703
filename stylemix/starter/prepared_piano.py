"""The pieces of `chance`, played on modal strings, a soundboard and a small hall."""

from __future__ import annotations

import numpy as np
from scipy import signal

from stylemix.starter.chance import Piece, compose, prepare
from stylemix.starter.hammer import key_loudness, strike
from stylemix.starter.room import SAMPLE_RATE, master, pan_gains, reverberate, room_response
from stylemix.starter.strings import Modes, key_modes, modes_to_wave


def soundboard_response(rng: np.random.Generator, *, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    """Make the answer of a soundboard to a push on the bridge: many broad wooden modes.

    Parameters
    ----------
    rng : np.random.Generator
        Where the modes lie and with which sign each channel hears them.
    sample_rate : int
        Hz.

    Returns
    -------
    np.ndarray, shape (2, T)
        Impulse responses of unit energy.

    References
    ----------
    Fletcher, N. H. & Rossing, T. D. (1998). The Physics of Musical Instruments, ch. 12.7: modes from 50 Hz,
    some 20 to a kilohertz, quality factors of 20 to 80.
    """
    n_samples = int(0.3 * sample_rate)
    frequency = 50.0 * 2.0 ** np.sort(rng.uniform(0.0, np.log2(5000.0 / 50.0), 110))
    decay = np.pi * frequency / rng.uniform(14.0, 40.0, frequency.size)
    # Both ears hear the same modes, most of them with the same sign: the sum of the channels must not cancel.
    heard = 0.8 * rng.standard_normal(frequency.size) + 0.6 * rng.standard_normal((2, frequency.size))
    size = heard * (frequency / 800.0) / (1.0 + frequency / 3000.0)
    responses = np.stack(
        [modes_to_wave(frequency, decay, a, n_samples, sample_rate=sample_rate) for a in size]
    )
    responses /= np.sqrt((responses**2).sum(axis=1, keepdims=True))
    responses[:, 0] += 0.55
    return responses


def render_piece(piece: Piece, *, seed: int = 0) -> np.ndarray:
    """Compose and play a piece.

    Parameters
    ----------
    piece : Piece
        One of `chance.PIECES`, or your own.
    seed : int
        Together with the title it decides everything.

    Returns
    -------
    np.ndarray, shape (2, T), float32
        Finished sound at `SAMPLE_RATE`.
    """
    rng = np.random.default_rng([seed, *piece.title.encode()])
    table = prepare(piece, rng)
    strikes = compose(piece, list(table), rng)
    modes: dict[int, Modes] = {key: key_modes(key, table[key]) for key in table}
    # A player balances a prepared keyboard: most of the difference in loudness between its keys is taken
    # back.
    touch = {key: key_loudness(modes[key]) ** -0.75 for key in table}
    n_samples = int(round(piece.duration_s * SAMPLE_RATE))
    bus = np.zeros((2, n_samples))
    for stroke in strikes:
        key = stroke.midi
        sound = strike(
            modes[key], table[key], midi=key, velocity=stroke.velocity, duration_s=stroke.duration_s, rng=rng
        )
        start = int(stroke.start_s * SAMPLE_RATE)
        stop = min(n_samples, start + sound.size)
        # Low strings lie on the player's left; the spread is that of a piano heard from the bench.
        gains = touch[key] * pan_gains(float(np.interp(key, [27, 96], [-0.6, 0.6])))
        bus[:, start:stop] += np.outer(gains, sound[: stop - start])
    body = signal.oaconvolve(bus, soundboard_response(rng), axes=1)[:, :n_samples]
    room = room_response(rng, rt60_s=1.3, size_s=0.02, brightness=0.72)
    return master(reverberate(body, room, wet=0.33), fade_out_s=1.2)
