"""Surf songs: four-part harmony, a tune and a band with springs, written and sung from a seed."""

from __future__ import annotations

import numpy as np

from stylemix.starter.harmony import MAJOR, MINOR, Chord, Tune, lead_voices, parse_chord, write_tune
from stylemix.starter.room import SAMPLE_RATE, master, place, reverberate, room_response, sounding_rms_db
from stylemix.starter.songs import Section, Song
from stylemix.starter.surf_band import amplify, play_bass, play_drums, play_ending, play_guitar
from stylemix.starter.tract import higher_poles
from stylemix.starter.voice import Note, Singer, sing

# What the upper parts sing in a bar, (beat, beats, syllable), and what the bass voice sings.
SUNG: dict[str, tuple[tuple[float, float, str], ...]] = {
    "ooh": ((0.0, 3.9, "oo"),),
    "aah": ((0.0, 3.9, "ah"),),
    "wah": ((0.0, 1.9, "w-ah"), (2.0, 1.8, "w-oo")),
    "ba": (
        (0.0, 0.45, "b-ah"),
        (0.5, 0.9, "b-ah"),
        (1.5, 0.45, "b-ah"),
        (2.0, 0.9, "b-ah"),
        (3.0, 0.9, "d-aw"),
    ),
    "dip": ((0.0, 1.4, "oo"), (1.5, 0.4, "w-ah"), (2.0, 1.9, "oo")),
    "none": (),
}
BASS_SUNG: dict[str, tuple[tuple[float, float, str], ...]] = {
    **SUNG,
    "ba": (
        (0.0, 0.9, "b-oh"),
        (1.0, 0.4, "b-oh"),
        (1.5, 0.9, "b-oh"),
        (2.5, 0.4, "b-oh"),
        (3.0, 0.9, "b-oh"),
    ),
    "dip": (
        (0.0, 0.7, "d-oo"),
        (1.0, 0.7, "d-oo"),
        (2.0, 0.7, "d-oo"),
        (3.0, 0.4, "d-uh"),
        (3.5, 0.4, "d-oo"),
    ),
}
WORDS = ("l-ah", "d-eh", "oh", "w-ee", "d-ah", "l-oo", "b-eh", "ah")
# Singers of bass, baritone, tenor and falsetto, two each, and where they stand.
CHOIR: tuple[tuple[Singer, Singer, float], ...] = (
    (Singer(0.93, 0.7, 0.03, 8.0, 5.0, -3.0), Singer(0.96, 0.8, 0.04, 10.0, 5.3, 4.0, 0.012), -0.2),
    (Singer(0.98, 0.75, 0.04, 12.0, 5.3, 4.0, 0.006), Singer(1.01, 0.9, 0.05, 14.0, 5.6, -5.0, 0.018), 0.45),
    (Singer(1.03, 0.8, 0.05, 14.0, 5.5, -4.0), Singer(1.05, 0.95, 0.05, 12.0, 5.1, 5.0, 0.015), -0.55),
    (Singer(1.1, 1.15, 0.09, 20.0, 5.7, 3.0, 0.004), Singer(1.13, 1.3, 0.1, 22.0, 5.9, -5.0, 0.02), 0.25),
)
LEADS = (Singer(1.04, 0.65, 0.05, 20.0, 5.6, 2.0), Singer(1.05, 0.75, 0.06, 16.0, 5.3, -6.0, 0.022))


def write_parts(
    song: Song, rng: np.random.Generator
) -> tuple[list[list[Note]], list[Note], list[list[Tune]]]:
    """Write what everybody sings and the tunes.

    Parameters
    ----------
    song : Song
        The form.
    rng : np.random.Generator
        For the tunes and the words.

    Returns
    -------
    parts : list of 4 lists of Note
        Bass, baritone, tenor, falsetto.
    lead : list of Note
        The lead singer.
    tunes : list of lists of Tune
        One for each section, for a guitar to play.
    """
    chords = [c for section in song.sections for c in section_chords(song, section)]
    voicing = lead_voices(chords)
    parts: list[list[Note]] = [[], [], [], []]
    lead: list[Note] = []
    tunes: list[list[Tune]] = []
    bar = 0
    for section in song.sections:
        own = section_chords(song, section)
        scale = tuple((song.key + section.lift + s) % 12 for s in (MINOR if song.minor else MAJOR))
        tune = write_tune(own, scale, (57, 72), rng)
        tunes.append(
            [Tune(t.beat, t.beats, t.midi - (12 if section.guitar == "twang" else 0), t.place) for t in tune]
        )
        if section.lead:
            words = rng.permutation(WORDS)
            lead += [
                _note(song, 4.0 * bar + t.beat, t.beats * 0.94, t.midi, str(words[t.place % 8]), 0.9)
                for t in tune
            ]
        for offset in range(len(own)):
            for voice, part in enumerate(parts):
                midi = int(voicing[bar + offset, voice])
                for beat, beats, syllable in (BASS_SUNG if voice == 0 else SUNG)[section.voices]:
                    part.append(_note(song, 4.0 * (bar + offset) + beat, beats, midi, syllable, 0.8))
        bar += len(own)
    # The last chord is held over the bar line, on an open vowel.
    for part, midi in zip(parts, voicing[-1], strict=True):
        part.append(_note(song, 4.0 * bar, 2.5, int(midi), "ah", 0.75))
    return parts, lead, tunes


def _note(song: Song, beat: float, beats: float, midi: float, syllable: str, velocity: float) -> Note:
    """Turn beats into seconds."""
    start_s = song.clock(beat)
    return Note(start_s, song.clock(beat + beats) - start_s, midi, syllable, velocity)


def section_chords(song: Song, section: Section) -> list[Chord]:
    """Read the chords of a section in its key.

    Parameters
    ----------
    song : Song
        Whose key.
    section : Section
        Whose chords and lift.

    Returns
    -------
    list of Chord
        One a bar.
    """
    return [parse_chord(c, (song.key + section.lift) % 12) for c in section.chords.split()]


def _sing_all(
    parts: list[list[Note]], lead: list[Note], n_samples: int, rng: np.random.Generator
) -> np.ndarray:
    """Let the choir and the doubled lead sing into one room, shape (2, T)."""
    bus = np.zeros((2, n_samples))
    for notes, (first, second, position) in zip(parts, CHOIR, strict=True):
        place(bus, sing(notes, n_samples, first, rng), 0, gain=0.8, position=position)
        place(bus, sing(notes, n_samples, second, rng), 0, gain=0.8, position=-0.8 * position)
    for singer, position in zip(LEADS, (-0.12, 0.12), strict=True):
        place(bus, sing(lead, n_samples, singer, rng), 0, gain=1.15, position=position)
    return reverberate(
        higher_poles(bus), room_response(rng, rt60_s=1.7, size_s=0.025, brightness=0.8), wet=0.42
    )


def _at_level(bus: np.ndarray, level_db: float) -> np.ndarray:
    """Bring the sounding parts of a bus to a level; a silent bus stays silent."""
    peak = float(np.abs(bus).max())
    if peak == 0.0:
        return bus
    scaled = bus / peak
    return scaled * 10.0 ** ((level_db - sounding_rms_db(scaled)) / 20.0)


def render_song(song: Song, *, seed: int = 0) -> np.ndarray:
    """Write, sing and play a song.

    Parameters
    ----------
    song : Song
        One of `songs.SONGS`, or your own.
    seed : int
        Together with the title it decides everything.

    Returns
    -------
    np.ndarray, shape (2, T), float32
        Finished sound at `SAMPLE_RATE`.
    """
    rng = np.random.default_rng([seed, *song.title.encode()])
    n_samples = int(round(song.duration_s * SAMPLE_RATE))
    parts, lead, tunes = write_parts(song, rng)
    guitars, bass, drums = (np.zeros((2, n_samples)) for _ in range(3))
    bar = 0
    for section, tune in zip(song.sections, tunes, strict=True):
        chords = section_chords(song, section)
        play_guitar(guitars, section.guitar, chords, tune, bar, song.clock, rng)
        play_bass(bass, section.bass, chords, bar, song.clock, rng)
        play_drums(drums, section.drums, bar, len(chords), song.clock, rng, seed=seed)
        bar += len(chords)
    play_ending(
        guitars,
        bass,
        drums,
        section_chords(song, song.sections[-1])[-1],
        song.clock(4.0 * bar),
        rng,
        seed=seed,
    )
    drums = reverberate(drums, room_response(rng, rt60_s=0.5, size_s=0.01, brightness=0.7), wet=0.25)
    mix = _at_level(_sing_all(parts, lead, n_samples, rng), -19.0)
    mix += _at_level(amplify(guitars, rng), -25.0) + _at_level(bass, -24.0) + _at_level(drums, -23.0)
    # A console driven gently: a few tenths of a per cent of odd harmonics, and rounder drums.
    return master(np.tanh(1.3 * mix), fade_out_s=song.fade_out_s)
