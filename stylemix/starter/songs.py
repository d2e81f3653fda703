"""The surf songs on paper: keys, tempi, forms and progressions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Section:
    """Some bars of a song and who does what in them.

    Parameters
    ----------
    chords : str
        Roman numerals, one a bar.
    voices : str
        What the four parts sing: "ooh", "aah", "wah", "ba", "dip" or "none".
    lead : bool
        Whether there is a lead singer.
    guitar, bass, drums : str
        Manners of `surf_band`.
    lift : int
        Semitones above the song's key.
    """

    chords: str
    voices: str = "ooh"
    lead: bool = False
    guitar: str = "chop"
    bass: str = "drive"
    drums: str = "surf"
    lift: int = 0


@dataclass(frozen=True)
class Song:
    """A song.

    Parameters
    ----------
    title : str
        Name of the song; with the seed it decides all that is left open.
    tempo : float
        Quarter notes a minute.
    key : int
        Pitch class of the tonic, 0 for C.
    sections : tuple of Section
        In order.
    swing : float
        Where the off-beat falls within a beat: 0.5 straight, 0.667 triplets.
    minor : bool
        Whether tunes move in the minor scale.
    fade_out_s : float
        Length of the fade at the end (seconds).
    """

    title: str
    tempo: float
    key: int
    sections: tuple[Section, ...]
    swing: float = 0.5
    minor: bool = False
    fade_out_s: float = 1.2

    @property
    def n_bars(self) -> int:
        """Bars of all sections."""
        return sum(len(s.chords.split()) for s in self.sections)

    @property
    def duration_s(self) -> float:
        """Length in seconds: the bars and the last chord's ring."""
        return self.clock(4.0 * self.n_bars) + 2.5

    def clock(self, beat: float) -> float:
        """Convert beats to seconds, with the song's swing.

        Parameters
        ----------
        beat : float
            Quarter notes from the start.

        Returns
        -------
        float
            Seconds.

        Examples
        --------
        >>> Song("x", 120.0, 0, ()).clock(3.5)
        1.75
        """
        whole = float(np.floor(beat))
        part = beat - whole
        bent = part * self.swing / 0.5 if part < 0.5 else self.swing + (part - 0.5) * (1.0 - self.swing) / 0.5
        return (whole + bent) * 60.0 / self.tempo


TURN = "I vi ii V7"
SONGS: tuple[Song, ...] = (
    Song(
        "pier-at-noon",
        148.0,
        3,
        (
            Section(TURN, voices="ba", guitar="chop"),
            Section("I vi ii V7 I vi ii V7", voices="ooh", lead=True),
            Section("IV iv iii VI7", voices="aah", lead=True, guitar="arpeggio", drums="rock"),
            Section("I vi ii V7 I I6", voices="ba", lead=True, lift=2),
        ),
    ),
    Song(
        "wax-and-chrome",
        160.0,
        4,
        (
            Section("i i", voices="none", guitar="tremolo", drums="surf"),
            Section("i bVII bVI V7 i bVII bVI V7", voices="none", guitar="tremolo"),
            Section("iv i iv V7", voices="aah", guitar="chop", drums="rock"),
            Section("i bVI iv V7 i bVI V7 i", voices="wah", guitar="tremolo", lift=2),
        ),
        minor=True,
    ),
    Song(
        "seven-miles-of-foam",
        138.0,
        9,
        (
            Section("I vi IV V7", voices="dip", guitar="none", drums="shuffle", bass="walk"),
            Section(
                "I vi IV V7 I vi IV V7",
                voices="ooh",
                lead=True,
                guitar="arpeggio",
                bass="walk",
                drums="shuffle",
            ),
            Section("vi iii IV V7", voices="wah", lead=True, guitar="chop", bass="walk", drums="shuffle"),
            Section(
                "I vi IV V7 I6",
                voices="dip",
                lead=True,
                guitar="arpeggio",
                bass="walk",
                drums="shuffle",
                lift=1,
            ),
        ),
        swing=0.64,
    ),
    Song(
        "lanterns-on-the-jetty",
        120.0,
        5,
        (
            Section("Imaj7 vi7 ii7 V7", voices="aah", guitar="none", bass="none", drums="none"),
            Section(
                "Imaj7 vi7 ii7 V7", voices="ooh", lead=True, guitar="arpeggio", bass="halves", drums="soft"
            ),
            Section(
                "bVImaj7 bVII iii7 vi7",
                voices="wah",
                lead=True,
                guitar="arpeggio",
                bass="halves",
                drums="soft",
            ),
            Section(
                "ii7 V7 Imaj7 IV iv Imaj7",
                voices="aah",
                lead=False,
                guitar="arpeggio",
                bass="halves",
                drums="soft",
            ),
        ),
        fade_out_s=2.5,
    ),
    Song(
        "sunburn-sunday",
        152.0,
        7,
        (
            Section("I IV ii V7", voices="wah", guitar="twang", drums="rock"),
            Section("I vi IV V7 I vi ii V7", voices="ba", lead=True, drums="surf"),
            Section("bVII IV I I", voices="aah", guitar="twang", drums="rock"),
            Section("I vi ii V7 I IV", voices="ba", lead=True, drums="surf", lift=2),
        ),
        fade_out_s=5.0,
    ),
)
