"""The listening page: parents, hybrids and the crossfade control side by side, with what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.files import check_output, write_text
from stylemix.pages.document import (
    PLOT_SCRIPTS,
    PLOT_STYLES,
    build_page,
    data_block,
    fill,
    json_for_html,
    read_template,
)
from stylemix.pages.pictures import FMAX_HZ, FMIN_HZ
from stylemix.pages.players import LISTEN, PLAYER_SCRIPTS, PLAYER_STYLES, Player, player_parts
from stylemix.style_map.page import MAP_SCRIPTS, MAP_STYLES, MapData, MapParts, map_parts

MAX_BYTES = 48_000_000


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
    >>> tone = Player("Source", "parent", Wave([0.0] * 2000, 8000))
    >>> write_listening_page(getfixture("tmp_path") / "listen.html", ListeningData("Demo", [tone]))["players"]
    1
    """
    own = [player.wave for player in page.players if not isinstance(player.wave, Wave)]
    path = check_output(out, force=force, inputs=[*inputs, *own])
    players, blocks = player_parts(page.players)
    # Styles, scripts and sections take 150 kB.
    room = max_bytes - sum(map(len, blocks)) - sum(len(player["picture"]) for player in players) - 200_000
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
    parts = {"listen": read_template(LISTEN), "map": "", "data": "\n".join(blocks)}
    if map_pieces:
        parts["map"] = fill(read_template("listening_map.html"), {"map": map_pieces.section})
        parts["data"] += "\n" + map_pieces.data
        parts["late"] = map_pieces.sound
    return build_page(
        "listening.html",
        title=title,
        styles=[*MAP_STYLES, *PLAYER_STYLES, *PLOT_STYLES, "listening.css"],
        scripts=[*MAP_SCRIPTS, *PLAYER_SCRIPTS, *PLOT_SCRIPTS, "listening.js"],
        parts=parts,
    )
