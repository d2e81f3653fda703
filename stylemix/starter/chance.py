"""Prepared piano by chance: charts of 64 cells asked by coins, in square-root form.

The method is that of Music of Changes and of the Sonatas and Interludes: a piece has n units of n bars, the
proportions of the bars within a unit are those of the units within the piece, and what happens is asked of
charts of 64 cells. Notes on paper, no sound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stylemix.starter.strings import Preparation

# What lies on the piano's lid before a concert. Positions are fractions of the string from the bridge.
OBJECTS: dict[str, Preparation] = {
    "plain": Preparation(),
    "bolt": Preparation("bolt", position=0.29, mass=1.8, link=14.0, damping=4.0, free=0.35),
    "heavy bolt": Preparation(
        "heavy bolt", position=0.413, mass=4.5, link=30.0, damping=5.0, cents=-14.0, free=0.25
    ),
    "screw and nut": Preparation(
        "screw and nut", position=0.21, mass=0.9, link=8.0, damping=3.0, rattle=0.9, free=0.3
    ),
    "loose washers": Preparation(
        "loose washers", position=0.36, mass=1.3, link=5.0, damping=3.5, rattle=1.6, free=0.3
    ),
    "rubber": Preparation("rubber", position=0.17, mass=0.5, link=3.0, damping=60.0, cents=-6.0, free=0.06),
    "rubber and bolt": Preparation(
        "rubber and bolt", position=0.44, mass=2.6, link=18.0, damping=30.0, cents=9.0, free=0.1
    ),
    "weather strip": Preparation(
        "weather strip", position=0.09, mass=0.3, link=1.0, damping=160.0, free=0.04
    ),
    "pencil eraser": Preparation(
        "pencil eraser", position=0.5, mass=0.8, link=0.5, damping=7.0, cents=4.0, free=0.4
    ),
}


@dataclass(frozen=True)
class Piece:
    """What chance is allowed to do in one piece.

    Parameters
    ----------
    title : str
        Name of the piece; with the seed it decides all of its chance.
    proportions : tuple of int
        Square-root form: the sum n gives n units of n bars.
    bar_s : float
        Length of a bar (seconds).
    objects : tuple of str
        What may lie between the strings, drawn for each key (repeat one to make it likelier).
    n_keys : int
        How many keys the gamut has.
    key_range : tuple of int
        Lowest and highest key (MIDI).
    sounding : float
        Share of the 64 cells of the sound chart that are not silence.
    pulse : float
        Bars between the events of a ground figure that is repeated and varied; 0 for none.
    velocity_range : tuple of float
        Softest and loudest strike.
    longest_bars : float
        Longest duration on the duration chart.
    """

    title: str
    proportions: tuple[int, ...]
    bar_s: float
    objects: tuple[str, ...]
    n_keys: int = 16
    key_range: tuple[int, int] = (31, 96)
    sounding: float = 0.6
    pulse: float = 0.0
    velocity_range: tuple[float, float] = (0.2, 0.95)
    longest_bars: float = 3.0

    @property
    def duration_s(self) -> float:
        """Length in seconds: n units of n bars, and two bars to ring."""
        return (sum(self.proportions) ** 2 + 2) * self.bar_s


@dataclass(frozen=True)
class Strike:
    """One stroke of a hammer.

    Parameters
    ----------
    start_s : float
        When (seconds).
    midi : int
        Which key (MIDI).
    velocity : float
        How hard, 0 to 1.
    duration_s : float
        How long it rings (seconds).
    """

    start_s: float
    midi: int
    velocity: float
    duration_s: float


PIECES: tuple[Piece, ...] = (
    Piece(
        "coins-for-a-small-piano",
        (1, 2, 1, 1, 1),
        0.98,
        ("bolt", "bolt", "screw and nut", "plain", "rubber"),
        n_keys=22,
        sounding=0.66,
    ),
    Piece(
        "sonata-for-bolts",
        (2, 1, 2, 1),
        0.94,
        ("bolt", "heavy bolt", "screw and nut", "rubber and bolt"),
        n_keys=10,
        key_range=(43, 84),
        sounding=0.7,
        pulse=0.25,
        velocity_range=(0.3, 0.9),
        longest_bars=1.5,
    ),
    Piece(
        "rubber-interlude",
        (1, 1, 3, 1),
        0.98,
        ("rubber", "weather strip", "rubber and bolt", "bolt"),
        n_keys=9,
        key_range=(38, 79),
        sounding=0.78,
        pulse=0.125,
        velocity_range=(0.25, 0.85),
        longest_bars=0.75,
    ),
    Piece(
        "washers-at-dawn",
        (2, 1, 1, 2, 1),
        0.74,
        ("loose washers", "screw and nut", "heavy bolt", "pencil eraser"),
        n_keys=14,
        key_range=(33, 91),
        sounding=0.72,
        velocity_range=(0.45, 1.0),
        longest_bars=4.0,
    ),
    Piece(
        "a-room-with-four-windows",
        (2, 1, 1, 1),
        1.4,
        ("heavy bolt", "bolt", "plain", "pencil eraser"),
        n_keys=12,
        key_range=(27, 74),
        sounding=0.6,
        velocity_range=(0.2, 0.75),
        longest_bars=4.0,
    ),
)


def toss(rng: np.random.Generator) -> int:
    """Toss three coins six times, the way a hexagram is asked for.

    Parameters
    ----------
    rng : np.random.Generator
        The coins.

    Returns
    -------
    int
        Number of the hexagram, 0 to 63.
    """
    lines = rng.integers(2, 4, size=(6, 3)).sum(axis=1) % 2
    return int(lines @ (2 ** np.arange(6)))


def prepare(piece: Piece, rng: np.random.Generator) -> dict[int, Preparation]:
    """Choose the keys of the gamut and put an object between the strings of each.

    Parameters
    ----------
    piece : Piece
        What may be chosen.
    rng : np.random.Generator
        The choice.

    Returns
    -------
    dict
        Preparation of each key (MIDI), lowest first.
    """
    low, high = piece.key_range
    edges = np.linspace(low, high + 1, piece.n_keys + 1)
    keys = sorted(
        {
            int(rng.integers(int(a), max(int(a) + 1, int(b))))
            for a, b in zip(edges[:-1], edges[1:], strict=True)
        }
    )
    table = {}
    for key in keys:
        base = OBJECTS[piece.objects[int(rng.integers(len(piece.objects)))]]
        shift = float(np.clip(base.position + rng.uniform(-0.05, 0.05), 0.05, 0.55))
        table[key] = Preparation(
            base.name,
            shift,
            base.mass * rng.uniform(0.7, 1.4),
            base.link,
            base.damping,
            base.rattle,
            base.cents + rng.uniform(-8.0, 8.0),
            base.free,
        )
    return table


def _phrases(proportions: tuple[int, ...]) -> list[tuple[int, int]]:
    """List (first bar, bars) of all phrases: the proportions within each unit, unit after unit."""
    starts = np.concatenate([[0], np.cumsum(proportions * sum(proportions))])
    return [(int(a), int(b - a)) for a, b in zip(starts[:-1], starts[1:], strict=True)]


def compose(piece: Piece, keys: list[int], rng: np.random.Generator) -> list[Strike]:
    """Ask the charts for every phrase of the square-root form.

    Parameters
    ----------
    piece : Piece
        Form and limits.
    keys : list of int
        The gamut (MIDI).
    rng : np.random.Generator
        The coins.

    Returns
    -------
    list of Strike
        In the order of time.
    """
    # Each cell of the sound chart: silence, or one to four keys of the gamut played together, rolled or in
    # turn.
    sounds = [
        rng.choice(keys, size=int(rng.choice([1, 1, 1, 2, 2, 3, 4])))
        if rng.random() < piece.sounding
        else None
        for _ in range(64)
    ]
    durations = piece.longest_bars * 2.0 ** rng.uniform(-4.2, 0.0, 64)
    low, high = piece.velocity_range
    dynamics = low + (high - low) * rng.beta(1.3, 1.6, 64)
    strikes: list[Strike] = []
    ground = _ground(piece, keys, rng) if piece.pulse else []
    for first, n_bars in _phrases(piece.proportions):
        # As in the Sonatas, a hexagram decides how full a phrase is: one to three layers, one may be the
        # ground.
        n_layers = 1 + toss(rng) % 3
        if ground and toss(rng) < 40:
            strikes += _play_ground(piece, ground, first, n_bars, 0.75 + 0.25 * rng.random(), rng)
            n_layers -= 1
        for _ in range(n_layers):
            at = first + durations[toss(rng)] * 0.3
            while at < first + n_bars:
                cell, length, velocity = sounds[toss(rng)], durations[toss(rng)], dynamics[toss(rng)]
                if cell is not None:
                    strikes += _gesture(piece, cell, at, length, velocity, rng)
                at += max(length, 0.12)
    end_s = piece.duration_s - piece.bar_s
    return sorted((s for s in strikes if s.start_s < end_s), key=lambda s: s.start_s)


def _gesture(
    piece: Piece, cell: np.ndarray, at: float, length: float, velocity: float, rng: np.random.Generator
) -> list[Strike]:
    """Play the keys of a cell at once, rolled, or one by one over its duration (`at`, `length` in bars)."""
    manner = toss(rng) % 3
    spread = (0.0, 0.045 / piece.bar_s, length / (cell.size + 1.0))[manner]
    grid = piece.pulse / 2.0 if piece.pulse else 0.0
    strikes = []
    for i, key in enumerate(cell):
        place = at + i * spread
        start_s = (round(place / grid) * grid if grid else place) * piece.bar_s
        ring_s = max(length, 0.5 if not piece.pulse else 0.2) * piece.bar_s * rng.uniform(0.9, 1.6)
        strikes.append(
            Strike(
                start_s + rng.uniform(0.0, 0.006), int(key), float(velocity * rng.uniform(0.85, 1.0)), ring_s
            )
        )
    return strikes


def _ground(piece: Piece, keys: list[int], rng: np.random.Generator) -> list[tuple[float, int, float]]:
    """Draw a repeating figure of two bars, (bar, key, accent) on the pulse, with holes in it."""
    n_steps = int(round(2.0 / piece.pulse))
    few = rng.choice(keys, size=5)
    figure = [(i * piece.pulse, int(few[toss(rng) % 5]), 1.0 if i % 3 == 0 else 0.6) for i in range(n_steps)]
    return [event for event in figure if rng.random() < 0.72]


def _play_ground(
    piece: Piece,
    ground: list[tuple[float, int, float]],
    first: int,
    n_bars: int,
    velocity: float,
    rng: np.random.Generator,
) -> list[Strike]:
    """Repeat the ground figure over a phrase, leaving a stroke out now and then."""
    strikes = []
    turn = toss(rng) % len(ground)
    for bar in range(first, first + n_bars, 2):
        for i, (at, _, accent) in enumerate(ground):
            # The rhythm stays, the keys turn under it from phrase to phrase.
            key = ground[(i + turn) % len(ground)][1]
            if bar + at < first + n_bars and rng.random() < 0.9:
                strong = velocity * accent * piece.velocity_range[1] * rng.uniform(0.8, 1.0)
                strikes.append(
                    Strike((bar + at) * piece.bar_s, key, float(strong), piece.pulse * piece.bar_s * 1.5)
                )
    return strikes
