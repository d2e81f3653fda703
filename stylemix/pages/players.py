"""Players: sounds beside each other with their pictures, of equal loudness, on one time line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.pages.document import base64_text, data_block
from stylemix.pages.pictures import loudest_db, spectrogram_png
from stylemix.pages.sprites import compress

# A page with players needs these, after those of every page and before its own.
PLAYER_STYLES = ("pages/players.css",)
PLAYER_SCRIPTS = ("pages/players.js", "pages/player_page.js")
# The body of a page with decks has a place for this.
LISTEN = "pages/listen.html"
KINDS = ("parent", "hybrid", "crossfade", "other")
LOUDEST_BOOST = 4.0


@dataclass(frozen=True)
class Player:
    """One sound of the page.

    Parameters
    ----------
    label : str
        What it is, in a few words.
    kind : {"parent", "hybrid", "crossfade", "other"}
        Its part in the comparison.
    wave : Wave or path
        The sound, or a file with it.
    alpha : float, optional
        Place between the parents, 0 to 1.
    group : str
        Players of one group share a time line: switching keeps the position.
    note : str
        A short remark shown with the label.
    """

    label: str
    kind: str
    wave: Wave | str | Path
    alpha: float | None = None
    group: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"player {self.label}: kind must be one of {', '.join(KINDS)}, got {self.kind!r}")


def _load(player: Player) -> Wave:
    if isinstance(player.wave, Wave):
        return player.wave
    from stylemix.audio import read_wave

    return read_wave(player.wave)


def _equal_loudness(waves: Sequence[Wave]) -> list[float]:
    # Louder sounds better: each is brought to the median level, as far as its own peak allows.
    levels = [float(np.sqrt(np.mean(np.square(wave.samples, dtype=np.float64)))) for wave in waves]
    goal = float(np.median([level for level in levels if level > 0] or [1.0]))
    gains = []
    for wave, level in zip(waves, levels, strict=True):
        room = 1 / max(float(np.abs(wave.samples).max()), 1e-6)
        gains.append(round(min(goal / level if level > 0 else 1.0, room, LOUDEST_BOOST), 4))
    return gains


def player_parts(players: Sequence[Player]) -> tuple[list[dict[str, Any]], list[str]]:
    """Turn players into what players.js shows, and the data blocks with their sound.

    Parameters
    ----------
    players : sequence of Player
        In the order shown.

    Returns
    -------
    values : list of dict
        JSON-safe, one a player.
    blocks : list of str
        Data blocks of the page; the names in them count the players from 0.

    Raises
    ------
    BadInput
        If a sound cannot be read or holds NaN.
    """
    waves = [_load(player) for player in players]
    top_db = loudest_db(waves) if waves else 0.0
    gains = [0.0] * len(waves)
    for group in dict.fromkeys(player.group for player in players):
        members = [i for i, player in enumerate(players) if player.group == group]
        for i, gain in zip(members, _equal_loudness([waves[i] for i in members]), strict=True):
            gains[i] = gain
    values, blocks = [], []
    for i, (player, wave) in enumerate(zip(players, waves, strict=True)):
        sound = compress(wave.samples, wave.sample_rate, level=0.6)
        picture = spectrogram_png(wave, width_px=1000, height_px=112, top_db=top_db, axes=False)
        blocks.append(data_block(f"player-{i}", base64_text(sound.data), kind=f"{sound.mime};base64"))
        values.append(
            {
                "label": player.label,
                "kind": player.kind,
                "alpha": player.alpha,
                "group": player.group,
                "note": player.note,
                "seconds": round(wave.duration_s, 4),
                "lead": sound.lead_s,
                "gain": gains[i],
                "picture": base64_text(picture),
            }
        )
    return values, blocks
