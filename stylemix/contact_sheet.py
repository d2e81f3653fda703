"""The contact sheet: several answers to one question side by side, to choose from by ear."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stylemix.arrays import Wave
from stylemix.audio import probe, read_wave
from stylemix.errors import BadInput
from stylemix.files import check_output, write_text
from stylemix.pages.document import build_page, data_block, json_for_html
from stylemix.pages.pictures import FMAX_HZ, FMIN_HZ
from stylemix.pages.players import PLAYER_SCRIPTS, PLAYER_STYLES, Player, player_parts

MAX_BYTES = 24_000_000
# Keys beside the numbers of the variations.
_KEYS = {"parent": ("s", "t"), "crossfade": ("c",)}
# A second of a player: 128 kbit/s as base64, and a fiftieth for the frames at the ends. A picture with its words.
_BYTES_PER_S, _BYTES_EACH = 16_000 * 4 / 3 * 1.02, 150_000
_SHORTEST_S = 1.0


@dataclass(frozen=True)
class Card:
    """One sound of the sheet.

    Parameters
    ----------
    player : Player
        The sound; the variations are of the kind ``hybrid``. All share one time line.
    file : str
        Name of its file, as shown.
    command : str
        What makes it again.
    mean_run_s : float, optional
        How long the target goes on without a jump, on average (seconds).
    differs : float, optional
        Share of the time, 0 to 1, at which other material of the target sounds than in the first variation.
    distance : float, optional
        Mean distance between the source's moments and those of the target they were matched with.

    Raises
    ------
    BadInput
        If a number is not finite, or the share not within 0 to 1.

    Examples
    --------
    >>> Card(Player("Second", "hybrid", "2.wav"), mean_run_s=0.71, differs=0.6).facts()
    [['Mean run', '0.71 s'], ['Other material than 1', '60 %']]
    """

    player: Player
    file: str = ""
    command: str = ""
    mean_run_s: float | None = None
    differs: float | None = None
    distance: float | None = None

    def __post_init__(self) -> None:
        for name in ("mean_run_s", "differs", "distance"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise BadInput(f"card {self.player.label}: {name} must be 0 or more, got {value:g}")
        if self.differs is not None and self.differs > 1:
            raise BadInput(f"card {self.player.label}: differs must be a share, 0 to 1, got {self.differs:g}")

    def facts(self) -> list[list[str]]:
        """Say what is known of the alignment.

        Returns
        -------
        list of [str, str]
            Name and value, for those that are known.
        """
        facts = []
        if self.mean_run_s is not None:
            facts.append(["Mean run", f"{self.mean_run_s:.2f} s"])
        if self.differs is not None:
            facts.append(["Other material than 1", f"{100 * self.differs:.0f} %"])
        if self.distance is not None:
            facts.append(["Distance", f"{self.distance:.3g}"])
        return facts


def write_contact_sheet(
    out: str | Path,
    cards: Sequence[Card],
    *,
    title: str = "Variations",
    intro: Sequence[str] = (),
    facts: Mapping[str, str] | None = None,
    force: bool = False,
    inputs: Iterable[str | Path] = (),
    max_bytes: int = MAX_BYTES,
) -> dict[str, Any]:
    """Write a contact sheet as one HTML file that opens offline.

    Parameters
    ----------
    out : str or Path
        The page.
    cards : sequence of Card
        The source, the crossfade and the variations; keys 1 to 9 play the first nine variations.
    title : str
        Heading.
    intro : sequence of str
        Paragraphs under the heading.
    facts : mapping of str to str, optional
        What all of them share: run, mode, alpha.
    force : bool
        Allow an existing file to be replaced.
    inputs : iterable of paths
        Files that must never be written over; the players' own files always are such.
    max_bytes : int
        Limit for the page; sounds that are too long for it play from their beginnings only, and the page says so.

    Returns
    -------
    dict
        path, bytes, players, longest_s (how much of each is kept, at most) and notice.

    Raises
    ------
    BadInput
        If there is no card, the page exists without `force` or is an input, or the limit leaves no second each.
    StylemixError
        If a sound cannot be read or the page cannot be written.

    Examples
    --------
    >>> card = Card(Player("First", "hybrid", Wave([0.0] * 2000, 8000)))
    >>> write_contact_sheet(getfixture("tmp_path") / "sheet.html", [card])["players"]
    1
    """
    if not cards:
        raise BadInput("contact sheet: needs at least one sound, got none; ask for at least one variation")
    own = [card.player.wave for card in cards if not isinstance(card.player.wave, Wave)]
    path = check_output(out, force=force, inputs=[*inputs, *own])
    full_s = max(_seconds(card.player) for card in cards)
    longest_s = min(full_s, _room_s(len(cards), max_bytes))
    while True:
        text, notice = _page(cards, title, intro, facts or {}, longest_s, full_s)
        size = len(text.encode("utf-8"))
        if size <= max_bytes:
            break
        # A codec may take more than its nominal rate: again with what was seen.
        longest_s *= 0.97 * max_bytes / size
        _check_room(longest_s, len(cards), max_bytes)
    write_text(path, text)
    return {
        "path": str(path),
        "bytes": size,
        "players": len(cards),
        "longest_s": round(longest_s, 3),
        "notice": notice,
    }


def _room_s(n_cards: int, max_bytes: int) -> float:
    room = max_bytes / n_cards - _BYTES_EACH
    _check_room(room / _BYTES_PER_S, n_cards, max_bytes)
    return room / _BYTES_PER_S


def _check_room(seconds: float, n_cards: int, max_bytes: int) -> None:
    if seconds < _SHORTEST_S:
        raise BadInput(
            f"contact sheet: {n_cards} sounds of at least {_SHORTEST_S:g} s do not fit into {max_bytes / 1e6:.1f} MB; "
            "ask for fewer variations"
        )


def _seconds(player: Player) -> float:
    return player.wave.duration_s if isinstance(player.wave, Wave) else probe(player.wave).duration_s


def _beginning(player: Player, seconds: float) -> Player:
    """The player with no more of its sound in memory than is shown."""
    if isinstance(player.wave, Wave):
        wave = Wave(player.wave.samples[:, : max(1, round(seconds * player.wave.sample_rate))], player.wave.sample_rate)
    else:
        wave = read_wave(player.wave, duration_s=seconds)
    return replace(player, wave=wave, group="")


def _page(
    cards: Sequence[Card],
    title: str,
    intro: Sequence[str],
    facts: Mapping[str, str],
    longest_s: float,
    full_s: float,
) -> tuple[str, str]:
    players, blocks = player_parts([_beginning(card.player, longest_s) for card in cards])
    notice = ""
    if longest_s < full_s - 0.02:
        notice = f"To keep this page small, sounds play their first {longest_s:.1f} of {full_s:.1f} seconds."
    for card, player, key in zip(cards, players, _keys(cards), strict=True):
        player |= {"key": key, "file": card.file, "command": card.command, "facts": card.facts()}
    value = {
        "title": title, "intro": list(intro), "facts": [[name, str(text)] for name, text in facts.items()],
        "players": players, "range": [FMIN_HZ, FMAX_HZ], "notice": notice,
    }  # fmt: skip
    blocks.append(data_block("sheet-data", json_for_html(value)))

    text = build_page(
        "contact_sheet.html",
        title=title,
        styles=[*PLAYER_STYLES, "contact_sheet.css"],
        scripts=[*PLAYER_SCRIPTS, "contact_sheet.js"],
        parts={"data": "\n".join(blocks)},
    )
    return text, notice


def _keys(cards: Sequence[Card]) -> list[str]:
    """Key that plays each card; empty where they have run out."""
    left = {"hybrid": [str(n) for n in range(1, 10)], **{kind: list(keys) for kind, keys in _KEYS.items()}}
    return [left[card.player.kind].pop(0) if left.get(card.player.kind) else "" for card in cards]
