"""The band behind the voices: guitars through a spring, bass, and a drummer who knows the surf beat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stylemix.starter.drums import kit
from stylemix.starter.harmony import Chord, Tune
from stylemix.starter.pluck import FLATWOUND, MUTED, STEEL, StringSound, guitar_amp, pluck
from stylemix.starter.room import SAMPLE_RATE, place, reverberate, spring_response
from stylemix.starter.strings import midi_to_hz

Clock = Callable[[float], float]

# (beat, instrument, loudness): one bar each.
BEATS: dict[str, tuple[tuple[float, str, float], ...]] = {
    "none": (),
    "surf": (
        *((i / 2.0, "ride", 0.34 if i % 2 else 0.5) for i in range(8)),
        (0.0, "kick", 1.0),
        (1.0, "snare", 0.8),
        (1.5, "snare", 0.62),
        (2.0, "kick", 0.8),
        (2.5, "kick", 0.85),
        (3.0, "snare", 0.95),
    ),
    "rock": (
        *((i / 2.0, "hat", 0.35 if i % 2 else 0.6) for i in range(8)),
        (0.0, "kick", 1.0),
        (1.0, "snare", 0.85),
        (1.0, "tambourine", 0.5),
        (2.0, "kick", 0.9),
        (2.5, "kick", 0.6),
        (3.0, "snare", 0.95),
        (3.0, "tambourine", 0.6),
    ),
    "shuffle": (
        *((i / 2.0, "hat", 0.38 if i % 2 else 0.62) for i in range(8)),
        (0.0, "kick", 1.0),
        (1.0, "snare", 0.8),
        (2.0, "kick", 0.9),
        (2.5, "kick", 0.5),
        (3.0, "snare", 0.9),
    ),
    "soft": (
        *((float(i), "hat", 0.4) for i in range(4)),
        (0.0, "kick", 0.75),
        (2.0, "snare", 0.5),
        (2.0, "tambourine", 0.6),
        (3.5, "kick", 0.4),
    ),
}
FILL: tuple[tuple[float, str, float], ...] = (
    (2.0, "snare", 0.7),
    (2.25, "snare", 0.6),
    (2.5, "snare", 0.8),
    (2.75, "high tom", 0.8),
    (3.0, "high tom", 0.9),
    (3.25, "low tom", 0.8),
    (3.5, "low tom", 1.0),
    (3.75, "low tom", 0.9),
    (2.0, "kick", 0.7),
    (3.0, "kick", 0.7),
)
STAGE = {
    "kick": 0.0,
    "snare": 0.05,
    "hat": 0.35,
    "ride": -0.4,
    "crash": 0.5,
    "high tom": 0.3,
    "low tom": -0.35,
    "tambourine": -0.6,
}
GAINS = {
    "kick": 1.0,
    "snare": 0.75,
    "hat": 0.22,
    "ride": 0.2,
    "crash": 0.4,
    "high tom": 0.85,
    "low tom": 0.95,
    "tambourine": 0.25,
}


def play_drums(
    bus: np.ndarray,
    beat_name: str,
    first_bar: int,
    n_bars: int,
    clock: Clock,
    rng: np.random.Generator,
    *,
    seed: int,
) -> None:
    """Play a section on the drums: a crash to open, the beat, and a fill to lead on.

    Parameters
    ----------
    bus : np.ndarray, shape (2, T)
        Added to, in place.
    beat_name : str
        A key of `BEATS`.
    first_bar, n_bars : int
        The section.
    clock : callable
        Beats to seconds.
    rng : np.random.Generator
        For a drummer's hands.
    seed : int
        Which kit.
    """
    if beat_name == "none":
        return
    strokes = kit(seed)
    hits: list[tuple[float, str, float]] = [(4.0 * first_bar, "crash", 0.7)]
    for bar in range(first_bar, first_bar + n_bars):
        fill = bar == first_bar + n_bars - 1 and beat_name != "soft"
        pattern = [h for h in BEATS[beat_name] if h[0] < 2.0] + list(FILL) if fill else list(BEATS[beat_name])
        hits += [(4.0 * bar + beat, name, loud) for beat, name, loud in pattern]
    for beat, name, loud in hits:
        stroke = strokes[name][int(rng.integers(len(strokes[name])))]
        start = int((clock(beat) + rng.normal(0.0, 0.0025)) * SAMPLE_RATE)
        place(bus, stroke, start, gain=GAINS[name] * loud * rng.uniform(0.88, 1.05), position=STAGE[name])


def play_bass(
    bus: np.ndarray, manner: str, chords: list[Chord], first_bar: int, clock: Clock, rng: np.random.Generator
) -> None:
    """Play the bass under a section.

    Parameters
    ----------
    bus : np.ndarray, shape (2, T)
        Added to, in place.
    manner : str
        "drive" (eighths), "walk" (quarters to the next root), "halves" or "none".
    chords : list of Chord
        One a bar.
    first_bar : int
        Where the section begins.
    clock : callable
        Beats to seconds.
    rng : np.random.Generator
        For the fingers.
    """
    for bar, chord in enumerate(chords):
        root = 28 + (chord.root - 28) % 12
        fifth, sixth = root + 7, root + 9
        third = root + (chord.tones[1] - chord.root) % 12
        line = {
            "drive": [root, root, fifth, root, root, root, fifth, sixth if third - root == 4 else fifth],
            "walk": [root, third, fifth, sixth if third - root == 4 else fifth],
            "halves": [root, fifth],
            "none": [],
        }[manner]
        for i, midi in enumerate(line):
            beats = 4.0 / len(line)
            start_s = clock(4.0 * (first_bar + bar) + i * beats)
            length_s = clock(4.0 * (first_bar + bar) + (i + 0.92) * beats) - start_s
            note = pluck(midi_to_hz(midi), length_s, FLATWOUND, rng, velocity=0.95 if i % 2 == 0 else 0.75)
            place(bus, note, int(start_s * SAMPLE_RATE))


def play_guitar(
    bus: np.ndarray,
    manner: str,
    chords: list[Chord],
    tune: list[Tune],
    first_bar: int,
    clock: Clock,
    rng: np.random.Generator,
) -> None:
    """Play a guitar through a section.

    Parameters
    ----------
    bus : np.ndarray, shape (2, T)
        Added to, in place, dry.
    manner : str
        "chop" (muted eighths with open chords on 2 and 4), "arpeggio", "tremolo" (the
        tune, its long notes in sixteenths), "twang" (the tune, plain) or "none".
    chords : list of Chord
        One a bar.
    tune : list of Tune
        For the two manners that play it; beats from the section's start.
    first_bar : int
        Where the section begins.
    clock : callable
        Beats to seconds.
    rng : np.random.Generator
        For the fingers.
    """
    if manner in ("tremolo", "twang"):
        sixteenths_hz = 4.0 / (clock(1.0) - clock(0.0)) if manner == "tremolo" else 0.0
        for note in tune:
            start_s = clock(4.0 * first_bar + note.beat)
            length_s = 0.96 * (clock(4.0 * first_bar + note.beat + note.beats) - start_s)
            rate_hz = sixteenths_hz if note.beats >= 1.0 else 0.0
            sound = pluck(midi_to_hz(note.midi), length_s, STEEL, rng, velocity=0.95, repeats_hz=rate_hz)
            place(bus, sound, int(start_s * SAMPLE_RATE), position=0.25)
        return
    for bar, chord in enumerate(chords):
        shape = sorted(52 + (tone - 52) % 12 for tone in chord.tones)
        shape = [*shape, shape[0] + 12]
        for eighth in range(8):
            start_s = clock(4.0 * (first_bar + bar) + eighth / 2.0)
            if manner == "arpeggio":
                order = [*shape, *shape[-2:0:-1]]
                _strum(bus, [order[eighth % len(order)]], start_s, 0.7, 0.6, STEEL, rng)
            elif manner == "chop" and eighth in (2, 3, 6):
                _strum(bus, shape, start_s, 0.2, 0.75, STEEL, rng)
            elif manner == "chop":
                _strum(bus, shape, start_s, 0.09, 0.5, MUTED, rng)


def _strum(
    bus: np.ndarray,
    shape: list[int],
    start_s: float,
    length_s: float,
    velocity: float,
    sound: StringSound,
    rng: np.random.Generator,
) -> None:
    """Draw the plectrum over some strings, 7 ms from one to the next."""
    for string, midi in enumerate(shape):
        note = pluck(midi_to_hz(midi), length_s, sound, rng, velocity=velocity)
        place(bus, note, int((start_s + 0.007 * string) * SAMPLE_RATE), position=-0.35)


def play_ending(
    guitars: np.ndarray,
    bass: np.ndarray,
    drums: np.ndarray,
    chord: Chord,
    start_s: float,
    rng: np.random.Generator,
    *,
    seed: int,
) -> None:
    """Strike the last chord together and let it ring.

    Parameters
    ----------
    guitars, bass, drums : np.ndarray, shape (2, T)
        Added to, in place.
    chord : Chord
        The chord.
    start_s : float
        When (seconds).
    rng : np.random.Generator
        For the fingers.
    seed : int
        Which kit.
    """
    start = int(start_s * SAMPLE_RATE)
    for string, tone in enumerate((*chord.tones[:3], chord.tones[0])):
        midi = 45 + (tone - 45) % 12 + (12 if string else 0)
        place(
            guitars,
            pluck(midi_to_hz(midi), 2.0, STEEL, rng, velocity=0.9),
            start + 900 * string,
            position=-0.2,
        )
    place(bass, pluck(midi_to_hz(28 + (chord.root - 28) % 12), 1.9, FLATWOUND, rng, velocity=0.95), start)
    for name in ("kick", "crash"):
        place(drums, kit(seed)[name][0], start, gain=GAINS[name], position=STAGE[name])


def amplify(bus: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Send the guitars through amplifier and spring tank.

    Parameters
    ----------
    bus : np.ndarray, shape (2, T)
        Dry strings.
    rng : np.random.Generator
        Makes the springs.

    Returns
    -------
    np.ndarray, shape (2, T)
        With the drip that surf guitars have.
    """
    return reverberate(guitar_amp(bus), spring_response(rng), wet=0.6) if bus.any() else bus
