"""Chords, the four voices that sing them, and tunes over them: notes on paper, no sound.

Pitches are MIDI numbers; beats are quarter notes from the start of the song; V voicings of 4 voices each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product

import numpy as np

from stylemix.errors import BadInput

DEGREES = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}
EXTENSIONS = {"": (), "6": (9,), "7": (10,), "maj7": (11,), "9": (10, 14)}
MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
# Bass, baritone, tenor, falsetto.
RANGES = ((40, 54), (48, 61), (54, 67), (61, 76))


@dataclass(frozen=True)
class Chord:
    """A chord as pitch classes.

    Parameters
    ----------
    root : int
        0 (C) to 11.
    tones : tuple of int
        All pitch classes, the root first, then third, fifth and what is added.
    """

    root: int
    tones: tuple[int, ...]


@dataclass(frozen=True)
class Tune:
    """One note of a tune.

    Parameters
    ----------
    beat, beats : float
        When and how long (beats).
    midi : int
        Which pitch (MIDI).
    place : int
        Its place in the phrase.
    """

    beat: float
    beats: float
    midi: int
    place: int


def parse_chord(numeral: str, key: int) -> Chord:
    """Read a roman numeral: capitals are major, a flat sign is ``b``, and 6, 7, maj7 or 9 may follow.

    Parameters
    ----------
    numeral : str
        Such as "I", "vi7" or "bVII".
    key : int
        Pitch class of the tonic.

    Returns
    -------
    Chord
        In that key.

    Raises
    ------
    BadInput
        If it is no such numeral.

    Examples
    --------
    >>> parse_chord("vi", key=0).tones
    (9, 0, 4)
    """
    match = re.fullmatch(r"(b?)([ivIV]+)(|6|7|maj7|9)", numeral)
    if match is None or match[2].lower() not in DEGREES:
        raise BadInput(f"chord: must be a roman numeral such as 'I', 'vi7' or 'bVII', got {numeral!r}")
    root = (key + DEGREES[match[2].lower()] - len(match[1])) % 12
    third = 4 if match[2].isupper() else 3
    return Chord(root, tuple((root + i) % 12 for i in (0, third, 7, *EXTENSIONS[match[3]])))


def _voicings(chord: Chord) -> np.ndarray:
    """List all good voicings (V, 4): root below, all tones that matter, no holes between upper voices."""
    below = [p for p in range(RANGES[0][0], RANGES[0][1]) if p % 12 == chord.root]
    upper = [[p for p in range(low, high + 1) if p % 12 in chord.tones] for low, high in RANGES[1:]]
    # With four tones the fifth is the one that is not missed.
    needed = {chord.tones[0], chord.tones[1], chord.tones[2] if len(chord.tones) == 3 else chord.tones[3]}
    good = [
        v
        for v in product(below, *upper)
        if v[0] < v[1] < v[2] < v[3]
        and v[3] - v[2] <= 9
        and v[2] - v[1] <= 9
        and needed <= {p % 12 for p in v}
    ]
    return np.array(good)


def lead_voices(chords: list[Chord]) -> np.ndarray:
    """Find the four-part setting in which the voices move least, by dynamic programming.

    Parameters
    ----------
    chords : list of Chord
        One after the other.

    Returns
    -------
    np.ndarray, shape (len(chords), 4)
        MIDI pitches of bass, baritone, tenor and falsetto; all are tones of their chord.

    Examples
    --------
    >>> lead_voices([parse_chord(c, 0) for c in ("I", "IV")]).shape
    (2, 4)
    """
    options = [_voicings(chord) for chord in chords]
    centre = np.array([sum(r) / 2.0 for r in RANGES])
    best = 0.25 * np.abs(options[0] - centre).sum(axis=1)
    came_from: list[np.ndarray] = []
    for before, after in zip(options[:-1], options[1:], strict=True):
        step = after[None] - before[:, None]
        cost = np.abs(step[..., 1:]).sum(axis=-1) + 0.3 * np.abs(step[..., 0])
        cost += 2.0 * (np.abs(step[..., 3]) > 4)
        for low, high in ((0, 3), (0, 2), (1, 3)):
            # Fifths and octaves that stay fifths and octaves while both voices move.
            gap = (before[:, high] - before[:, low]) % 12
            same = (gap[:, None] == (after[:, high] - after[:, low])[None] % 12) & np.isin(gap, (0, 7))[
                :, None
            ]
            cost += 3.0 * (same & (step[..., low] != 0))
        total = best[:, None] + cost + 0.12 * np.abs(after - centre).sum(axis=1)[None]
        came_from.append(total.argmin(axis=0))
        best = total.min(axis=0)
    path = [int(best.argmin())]
    for back in reversed(came_from):
        path.append(int(back[path[-1]]))
    return np.array([options[i][j] for i, j in enumerate(reversed(path))])


# Rhythms of one bar: (beat, beats). A phrase takes two, and comes back to them.
RHYTHMS: tuple[tuple[tuple[float, float], ...], ...] = (
    ((0.0, 1.0), (1.0, 0.5), (1.5, 1.0), (2.5, 1.5)),
    ((0.0, 0.5), (0.5, 0.5), (1.0, 1.0), (2.0, 0.5), (2.5, 1.0)),
    ((0.5, 0.5), (1.0, 0.5), (1.5, 0.5), (2.0, 1.5)),
    ((0.0, 1.5), (1.5, 0.5), (2.0, 1.0), (3.0, 1.0)),
    ((0.0, 0.5), (0.5, 1.0), (1.5, 0.5), (2.0, 2.0)),
)


def write_tune(
    chords: list[Chord], scale: tuple[int, ...], pitch_range: tuple[int, int], rng: np.random.Generator
) -> list[Tune]:
    """Write a tune of two-bar phrases that return: rhythm and contour stay, the harmony bends them.

    Parameters
    ----------
    chords : list of Chord
        One a bar.
    scale : tuple of int
        Pitch classes the tune may pass through.
    pitch_range : tuple of int
        Lowest and highest pitch (MIDI).
    rng : np.random.Generator
        The invention.

    Returns
    -------
    list of Tune
        Beats count from the first bar; notes on beats 1 and 3 and the last note are chord tones.
    """
    first, second, other = (RHYTHMS[i] for i in rng.permutation(len(RHYTHMS))[:3])
    contours = {r: rng.choice([-2, -1, -1, 1, 1, 2], len(r)) for r in (first, second, other)}
    low, high = pitch_range
    pitch, notes = int(rng.integers(low + 5, high - 4)), []
    for bar, chord in enumerate(chords):
        # Phrases a b, a b, then something else for the third pair, and home.
        rhythm = (first, second, first, second, other, second, first, second)[bar % 8]
        for place, ((beat, beats), step) in enumerate(zip(rhythm, contours[rhythm], strict=True)):
            strong = beat in (0.0, 2.0, 2.5)
            allowed = {*chord.tones[:3]} if strong else {*scale}
            pitch = _nearest(
                pitch + int(step) * (1 if low + 3 < pitch + 2 * step < high - 3 else -1), allowed, low, high
            )
            notes.append(Tune(4.0 * bar + beat, beats, pitch, place + 8 * (bar % 2)))
    last = notes[-1]
    notes[-1] = Tune(
        last.beat,
        4.0 * len(chords) - last.beat,
        _nearest(last.midi, {chords[-1].root}, low, high),
        last.place,
    )
    return notes


def _nearest(pitch: int, classes: set[int], low: int, high: int) -> int:
    """Find the pitch nearest to `pitch` whose class is allowed, within the range."""
    options = [p for p in range(low, high + 1) if p % 12 in classes]
    return min(options, key=lambda p: (abs(p - pitch), p))
