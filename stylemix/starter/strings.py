"""Piano strings as sums of modes, and what bolts, screws and rubber between them do to those modes.

A string is described in the basis of its own stiff modes (total mass 1, shapes sqrt(2) sin(n pi x)). A
preparation adds a mass, a spring or a damper at one place, that is a rank-one term in that basis, and the
modes of the prepared string are the eigenvectors of the sum.

Letters: M basis modes, J modes of the prepared strings, T samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from stylemix.errors import BadInput

SAMPLE_RATE = 44100
HIGHEST_HZ = 13000.0


@dataclass(frozen=True)
class Preparation:
    """An object fixed between the second and third string of a key.

    Parameters
    ----------
    name : str
        What it is, for people.
    position : float
        Place along the string, 0 (bridge) to 1 (agraffe).
    mass : float
        Mass of the object over the mass of a string.
    link : float
        Stiffness of the object as a link between the two strings, in units of the string's own first-mode
        stiffness.
    damping : float
        Viscous damping at that place (1/s).
    rattle : float
        Loudness of loose parts (a nut, a washer) that are thrown up by a large swing; 0 for none.
    cents : float
        Detuning of the whole key.
    free : float
        Loudness of the first string, which the object does not reach, against the other two.
    """

    name: str = "plain"
    position: float = 0.5
    mass: float = 0.0
    link: float = 0.0
    damping: float = 0.0
    rattle: float = 0.0
    cents: float = 0.0
    free: float = 1.0


@dataclass(frozen=True)
class Modes:
    """The modes of the strings of one key.

    Parameters
    ----------
    frequency_hz : np.ndarray, shape (J,)
        Mode frequencies.
    decay : np.ndarray, shape (J,)
        Decay rates (1/s): the amplitude falls as exp(-decay * t).
    struck : np.ndarray, shape (J,)
        How much of each mode the hammer reaches.
    bridge : np.ndarray, shape (J,)
        Force of each mode on the bridge for unit displacement.
    touched : np.ndarray, shape (J,)
        Displacement of each mode where the preparation sits.
    """

    frequency_hz: np.ndarray
    decay: np.ndarray
    struck: np.ndarray
    bridge: np.ndarray
    touched: np.ndarray


def midi_to_hz(midi: float) -> float:
    """Convert a MIDI note number to a frequency in equal temperament.

    Parameters
    ----------
    midi : float
        69 is A4.

    Returns
    -------
    float
        Hz.

    Examples
    --------
    >>> midi_to_hz(57)
    220.0
    """
    return float(440.0 * 2.0 ** ((midi - 69.0) / 12.0))


def inharmonicity(midi: float) -> float:
    """Estimate the stiffness coefficient B of a grand piano's string.

    Parameters
    ----------
    midi : float
        The key.

    Returns
    -------
    float
        B, without unit.

    References
    ----------
    Rigaud, F., David, B. & Daudet, L. (2013). A parametric model and estimation techniques for the
    inharmonicity and tuning of the piano. JASA 133(5): two lines in the log domain, one for each bridge.
    """
    return float(np.exp(0.0926 * midi - 13.64) + np.exp(-0.0847 * midi - 5.82))


def stiff_partials_hz(f0_hz: float, stiffness: float, n_partials: int) -> np.ndarray:
    """Compute the partials of a stiff string, f_n = n f0 sqrt(1 + B n^2).

    Parameters
    ----------
    f0_hz : float
        Fundamental of the same string without stiffness (Hz).
    stiffness : float
        B.
    n_partials : int
        How many.

    Returns
    -------
    np.ndarray, shape (n_partials,)
        Hz, rising.

    References
    ----------
    Fletcher, N. H. & Rossing, T. D. (1998). The Physics of Musical Instruments, ch. 12.

    Examples
    --------
    >>> stiff_partials_hz(100.0, 0.0, 3).tolist()
    [100.0, 200.0, 300.0]
    """
    order = np.arange(1, n_partials + 1)
    return order * f0_hz * np.sqrt(1.0 + stiffness * order**2)


def key_modes(midi: float, preparation: Preparation) -> Modes:
    """Solve for the modes of a key: one free string, and two strings joined by the preparation.

    Parameters
    ----------
    midi : float
        The key, 21 to 108.
    preparation : Preparation
        What sits between the second and third string; one without mass, link or damping leaves three free
        strings.

    Returns
    -------
    Modes
        Of all three strings together.

    Raises
    ------
    BadInput
        If the key is not on the keyboard.

    References
    ----------
    Bilbao, S. & ffitch, J. (2006). Prepared piano sound synthesis. DAFx-06.
    Chaigne, A. & Askenfelt, A. (1994). Numerical simulations of piano strings. JASA 95(2): damping.
    """
    if not 21 <= midi <= 108:
        raise BadInput(f"midi: a key of the piano must lie between 21 and 108, got {midi}")
    f0_hz = midi_to_hz(midi + preparation.cents / 100.0)
    stiffness = inharmonicity(midi)
    n_basis = int(np.clip(np.searchsorted(stiff_partials_hz(f0_hz, stiffness, 64), HIGHEST_HZ), 4, 64))
    order = np.arange(1, n_basis + 1)
    # Unisons are never exact: +-0.5 cent around the free string gives the slow beats and the double decay.
    tuned = [
        stiff_partials_hz(f0_hz * 2.0 ** (cents / 1200.0), stiffness, n_basis) for cents in (0.0, 0.7, -0.5)
    ]
    own_decay = [0.22 * (f0_hz / 110.0) ** 0.75 + 6.0e-9 * (2.0 * np.pi * f) ** 2 for f in tuned]
    # The hammer is near the agraffe: what it does reaches the bridge only past the object.
    hammer_at = 1.0 - np.interp(midi, [21, 60, 108], [0.125, 0.115, 0.07])
    hammer, touch = (np.sqrt(2.0) * np.sin(np.pi * order * x) for x in (hammer_at, preparation.position))
    bridge = order
    zero = np.zeros(n_basis)
    frequency, vectors, decay = _joined_modes(tuned[1:], own_decay[1:], touch, preparation, f0_hz)
    return Modes(
        frequency_hz=np.concatenate([tuned[0], frequency]),
        decay=np.concatenate([own_decay[0], decay]),
        struck=np.concatenate([hammer, np.tile(hammer, 2) @ vectors]),
        bridge=np.concatenate([preparation.free * bridge, np.tile(bridge, 2) @ vectors]),
        touched=np.concatenate([zero, np.concatenate([touch, zero]) @ vectors]),
    )


def _joined_modes(
    tuned: list[np.ndarray],
    own_decay: list[np.ndarray],
    touch: np.ndarray,
    preparation: Preparation,
    f0_hz: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return frequencies (J,), shapes (M, J) and decay rates (J,) of two strings with an object between."""
    zero = np.zeros_like(touch)
    first, second = np.concatenate([touch, zero]), np.concatenate([zero, touch])
    own = (2.0 * np.pi * np.concatenate(tuned)) ** 2
    weight = np.outer(first, first) + np.outer(second, second)
    apart = np.outer(first - second, first - second)
    inertia = np.eye(own.size) + 0.5 * preparation.mass * weight
    spring = np.diag(own) + preparation.link * (2.0 * np.pi * f0_hz) ** 2 * apart
    squared, vectors = linalg.eigh(spring, inertia)
    friction = np.diag(np.concatenate(own_decay)) + 0.5 * preparation.damping * weight
    decay = np.einsum("mj,mk,kj->j", vectors, friction, vectors, optimize=True)
    return np.sqrt(squared) / (2.0 * np.pi), vectors, decay


def modes_to_wave(
    frequency_hz: np.ndarray,
    decay: np.ndarray,
    amplitude: np.ndarray,
    n_samples: int,
    *,
    sample_rate: int = SAMPLE_RATE,
) -> np.ndarray:
    """Sum damped sines, sum_j a_j exp(-d_j t) sin(2 pi f_j t), as one matrix product.

    With n = block * L + rest, exp(s n) = exp(s L block) exp(s rest): T x J exponentials become two tables.

    Parameters
    ----------
    frequency_hz, decay, amplitude : np.ndarray, shape (J,)
        Of each mode (Hz, 1/s, any unit); modes above the Nyquist frequency are left out.
    n_samples : int
        Length.
    sample_rate : int
        Hz.

    Returns
    -------
    np.ndarray, shape (T,)
        The sum.

    Examples
    --------
    >>> wave = modes_to_wave(np.array([1000.0]), np.array([0.0]), np.array([1.0]), 8, sample_rate=4000)
    >>> wave.round(6).tolist()
    [0.0, 1.0, 0.0, -1.0, -0.0, 1.0, 0.0, -1.0]
    """
    keep = frequency_hz < 0.48 * sample_rate
    pole = (-decay[keep] + 2j * np.pi * frequency_hz[keep]) / sample_rate
    length = 512
    blocks = np.exp(np.outer(np.arange(-(-n_samples // length)) * length, pole)) * amplitude[keep]
    rests = np.exp(np.outer(pole, np.arange(length)))
    wave = np.hstack([blocks.imag, blocks.real]) @ np.vstack([rests.real, rests.imag])
    return wave.ravel()[:n_samples]
