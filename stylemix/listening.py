"""The listening page: parents, hybrids and the crossfade control side by side, with what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.explore.document import base64_text, build_page, data_block, json_for_html, read_template
from stylemix.explore.page import MAP_SCRIPTS, MAP_STYLES, MapData, MapParts, map_parts
from stylemix.explore.sprites import compress
from stylemix.files import check_output, write_text
from stylemix.pictures import FMAX_HZ, FMIN_HZ, loudest_db, spectrogram_png

KINDS = ("parent", "hybrid", "crossfade", "other")
MAX_BYTES = 48_000_000
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


@dataclass(frozen=True)
class TrainingCurve:
    """Held-out error while training, with the bar it has to pass.

    Parameters
    ----------
    x : sequence of float
        Seconds or steps.
    error : sequence of float
        Held-out error at each.
    pca : float, optional
        Held-out error of PCA with as many dimensions.
    x_label, y_label : str
        With units.
    """

    x: Sequence[float]
    error: Sequence[float]
    pca: float | None = None
    x_label: str = "Training time (s)"
    y_label: str = "Held-out error (share of variance)"

    def __post_init__(self) -> None:
        if len(self.x) != len(self.error) or not len(self.x):
            raise BadInput(
                f"training curve: needs as many times as errors, at least one, "
                f"got {len(self.x)} and {len(self.error)}"
            )


@dataclass(frozen=True)
class Table:
    """A table of figures.

    Parameters
    ----------
    columns : sequence of str
        Headings.
    rows : sequence of sequences
        Text or numbers, shown as they are; one a heading.
    caption : str
        What it says, and the command it came from.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str | float]]
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise BadInput(f"table: each row must have {len(self.columns)} cells, got {len(row)}")


@dataclass(frozen=True)
class ListeningData:
    """What a listening page shows.

    Parameters
    ----------
    title : str
        Heading.
    players : sequence of Player
        In the order shown.
    intro : sequence of str
        Paragraphs under the heading.
    facts : mapping of str to str
        Model, corpora, times.
    curve : TrainingCurve, optional
        How training went.
    tables : sequence of Table
        What was measured.
    points : MapData, optional
        The map of segments.
    """

    title: str
    players: Sequence[Player]
    intro: Sequence[str] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    curve: TrainingCurve | None = None
    tables: Sequence[Table] = ()
    points: MapData | None = None


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


def _curve_value(curve: TrainingCurve | None) -> dict[str, Any] | None:
    if curve is None:
        return None
    return {
        "x": [float(v) for v in curve.x],
        "error": [float(v) for v in curve.error],
        "pca": curve.pca,
        "xLabel": curve.x_label,
        "yLabel": curve.y_label,
    }


def write_listening_page(
    out: str | Path,
    page: ListeningData,
    *,
    force: bool = False,
    inputs: Iterable[str | Path] = (),
    max_bytes: int = MAX_BYTES,
) -> dict[str, Any]:
    """Write the listening page as one HTML file that opens offline.

    Parameters
    ----------
    out : str or Path
        The page.
    page : ListeningData
        Players, figures, training curve and map.
    force : bool
        Allow an existing file to be replaced.
    inputs : iterable of paths
        Files that must never be written over; the players' own files always are such.
    max_bytes : int
        Limit for the page. The map's sound takes at most half of what the players leave.

    Returns
    -------
    dict
        path, bytes, players, and the map's summary under map (None without one).

    Raises
    ------
    BadInput
        If the page exists without `force`, is an input, or the players alone are over the limit.
    StylemixError
        If a player's file cannot be read or the page cannot be written.

    Examples
    --------
    >>> tone = Player("Source", "parent", Wave(np.zeros(2000), 8000))
    >>> write_listening_page(getfixture("tmp_path") / "listen.html", ListeningData("Demo", [tone]))["players"]
    1
    """
    own = [player.wave for player in page.players if not isinstance(player.wave, Wave)]
    path = check_output(out, force=force, inputs=[*inputs, *own])
    players, blocks = player_parts(page.players)
    room = max_bytes - sum(map(len, blocks)) - sum(len(player["picture"]) for player in players) - 100_000
    if room < 0:
        raise BadInput(
            f"listening page: {len(players)} players take more than {max_bytes / 1e6:.0f} MB; "
            "render shorter hybrids or fewer of them"
        )
    map_pieces = map_parts(page.points, max_bytes=room // 2) if page.points else None
    blocks.append(data_block("listening-data", json_for_html(_page_value(page, players))))
    text = _fill(page.title, blocks, map_pieces)
    write_text(path, text)
    summary = map_pieces.summary if map_pieces else None
    return {"path": str(path), "bytes": len(text.encode("utf-8")), "players": len(players), "map": summary}


def _page_value(page: ListeningData, players: list[dict[str, Any]]) -> dict[str, Any]:
    tables = [
        {"columns": list(t.columns), "rows": [[str(c) for c in row] for row in t.rows], "caption": t.caption}
        for t in page.tables
    ]
    return {
        "title": page.title, "intro": list(page.intro), "facts": [[k, str(v)] for k, v in page.facts.items()],
        "players": players, "range": [FMIN_HZ, FMAX_HZ], "curve": _curve_value(page.curve), "tables": tables,
    }  # fmt: skip


def _fill(title: str, blocks: list[str], map_pieces: MapParts | None) -> str:
    def own(name: str) -> str:
        return read_template(name, package="stylemix")

    parts = {"map": "", "data": "\n".join(blocks)}
    if map_pieces:
        parts["map"] = own("listening_map.html").replace("{{map}}", map_pieces.section)
        parts["data"] += "\n" + map_pieces.data
    return build_page(
        own("listening.html"),
        title=title,
        styles=[*(read_template(name) for name in MAP_STYLES), own("listening.css")],
        scripts=[*(read_template(name) for name in MAP_SCRIPTS), own("players.js"), own("listening.js")],
        parts=parts,
    )
