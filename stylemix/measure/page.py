"""The report as one page that opens offline: the verdict, the aims, plots over alpha, the frontier, and the sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from stylemix.files import check_output, write_text
from stylemix.measure.ablation_words import POINTER, ablation_table
from stylemix.measure.aims import HYBRID, MOST_DISTANCE, at_alpha
from stylemix.measure.caveats import calibrated_modes
from stylemix.measure.page_tables import (
    MODES_CAPTION,
    back_table,
    judge_table,
    latent_table,
    mode_table,
    model_table,
    rebuild_table,
    timbre_table,
    written,
)
from stylemix.measure.rendering import MATCHED, Rendered
from stylemix.pages.document import (
    PLOT_SCRIPTS,
    PLOT_STYLES,
    build_page,
    data_block,
    json_for_html,
    read_template,
)
from stylemix.pages.pictures import FMAX_HZ, FMIN_HZ
from stylemix.pages.players import LISTEN, PLAYER_SCRIPTS, PLAYER_STYLES, Player, player_parts

# The players' sound and pictures; a page larger than this is no longer easy to send.
MAX_BYTES = 24_000_000
# More than these are not made, to be thrown away again.
MOST_DECKS = 4
HEARD = (0.25, 0.5, 0.75)
PLOTS = (
    ("p_b", "Probability of {target}", "A classifier's, by scattering features. Dotted: what alpha promises."),
    ("second.p_b", "Probability of {target}, second judge", "The same by mel cepstra, a description of another kind."),
    ("hybridness", "Not explained by a fade", "Share of the sound. A fade has none of it, whatever its gains."),
    (
        "kad_union",
        "Kernel distance to both corpora",
        "Lower is nearer to recordings; dotted: unheard recordings. Bars: 95 % of resamples.",
    ),
    (
        "second.kad_union",
        "Kernel distance to both, second judge",
        "By mel cepstra: what pleases one description alone is found out by the other.",
    ),
    ("chroma", "Harmony kept from the source", "Correlation of pitch classes over time."),
    ("onsets", "Rhythm kept from the source", "Correlation of onset strengths over time."),
)


def write_page(
    out: str | Path,
    result: dict[str, Any],
    rendered: Sequence[dict[str, Rendered]],
    *,
    force: bool = False,
    inputs: Iterable[str | Path] = (),
    max_bytes: int = MAX_BYTES,
) -> dict[str, Any]:
    """Write the report.

    Parameters
    ----------
    out : str or Path
        The page.
    result : dict
        From `stylemix.measure.report.evaluate`.
    rendered : sequence of dict of str to Rendered
        What was measured, by mode, for each source; to be heard.
    force : bool
        Allow an existing page to be replaced.
    inputs : iterable of paths
        Files that must never be written over.
    max_bytes : int
        Players are left out, the last source first, until the page fits.

    Returns
    -------
    dict
        path, bytes and players.

    Raises
    ------
    BadInput
        If the page may not be written.
    StylemixError
        If it cannot be written.
    """
    path = check_output(out, force=force, inputs=inputs)
    controls = [name for name, mode in result["modes"].items() if mode["control"]]
    players, blocks = _players([_deck(one, controls) for one in rendered[:MOST_DECKS]], max_bytes)
    blocks.append(data_block("report-data", json_for_html(_page_value(result, players))))
    page = build_page(
        "measure/report.html",
        title=f"{result['run']}: hybrids or crossfades?",
        styles=[*PLAYER_STYLES, *PLOT_STYLES, "measure/report.css"],
        scripts=[*PLAYER_SCRIPTS, *PLOT_SCRIPTS, "measure/curves.js", "measure/report.js"],
        parts={"listen": read_template(LISTEN), "data": "\n".join(blocks)},
    )
    write_text(path, page)
    return {"path": str(path), "bytes": len(page.encode("utf-8")), "players": len(players)}


def _players(decks: list[list[Player]], max_bytes: int) -> tuple[list[dict[str, Any]], list[str]]:
    while decks:
        players, blocks = player_parts([player for deck in decks for player in deck])
        if sum(map(len, blocks)) + sum(len(player["picture"]) for player in players) <= max_bytes:
            return players, blocks
        decks = decks[:-1]
    return [], []


def _deck(modes: dict[str, Rendered], controls: Sequence[str]) -> list[Player]:
    """Put what came of one source on one time line: its parents, each mode at three alphas, each control half-way."""
    first = next(iter(modes.values()))
    name = first.stretch.path.name.encode("utf-8", "replace").decode("utf-8")
    # All in one: going from mode to mode at one moment is how they are told apart.
    players = [Player("Source", "parent", first.source, alpha=0.0, group=name)]
    for mode, one in modes.items():
        kind = "crossfade" if mode in controls else "hybrid"
        heard = HEARD[1:2] if mode in controls else HEARD if mode in MATCHED else (*HEARD, 1.0)
        players += [
            Player(f"{mode} {a:g}", kind, one.hybrids[a], alpha=a, group=name) for a in heard if a in one.hybrids
        ]
    return [
        *players,
        Player("Matched target", "parent", first.target, alpha=1.0, group=name, note="in the source's time"),
    ]


def _page_value(result: dict[str, Any], players: list[dict[str, Any]]) -> dict[str, Any]:
    source, target = result["corpora"][:2]
    modes = result["modes"]
    tables = [mode_table(name, mode, source, target) for name, mode in modes.items()]
    tables[-1]["caption"] = MODES_CAPTION
    if result["back"]:
        tables.append(back_table(result["back"], target, source))
    return {
        "title": f"{source} and {target}: hybrids or crossfades?",
        "summary": result["summary"],
        "checks": result["checks"],
        "modes": [{"name": name, "control": mode["control"]} for name, mode in modes.items()],
        "plots": [_plot(result, *words) for words in PLOTS],
        "frontier": _frontier(result),
        "timbre": _timbre_plots(modes),
        "tables": tables,
        "evenness": timbre_table(modes),
        "judging": judge_table(result, source, target),
        "rebuilding": rebuild_table(result["rebuild"]),
        "autoencoder": [model_table(result["autoencoder"]), latent_table(result["latents"])],
        "ablation": _ablation(result),
        "players": players,
        "range": [FMIN_HZ, FMAX_HZ],
        "facts": _facts(result),
    }


def _ablation(result: dict[str, Any]) -> dict[str, Any]:
    if result["ablation"] is None:
        return {"note": POINTER}
    return ablation_table(result["ablation"], result["corpora"][1])


def _plot(result: dict[str, Any], key: str, title: str, note: str) -> dict[str, Any]:
    outer, _, inner = key.rpartition(".")
    lines = []
    # A key with a dot is the second judge's.
    for name, mode in result["modes"].items():
        rows = [(row["alpha"], row[outer][inner] if outer else row[inner]) for row in mode["by_alpha"]]
        lines.append({"name": name, "control": mode["control"], "points": [_point(alpha, v) for alpha, v in rows]})
    guides = []
    if inner == "p_b":
        guides.append([[0, 0], [1, 1]])
    recordings = result["anchors"]["recordings"]
    anchor = (recordings[outer] if outer else recordings)["kad_union"]
    if inner == "kad_union" and anchor is not None:
        guides.append([[0, anchor["value"]], [1, anchor["value"]]])
    if inner == "p_b" and (named := calibrated_modes(result)):
        note += f" The alpha of {named} was spaced by this judge and the other one, on training files."
    return {
        "title": title.format(target=result["corpora"][1]), "note": note, "lines": lines, "guides": guides,
        "x": result["alphas"], "xTitle": "alpha",
    }  # fmt: skip


def _point(x: float, y: float | dict[str, float] | None) -> list[float | None]:
    if isinstance(y, dict):
        return [x, y["value"], y["low"], y["high"]]
    return [x, y]


def _frontier(result: dict[str, Any]) -> dict[str, Any]:
    """Draw how natural each mode is against how little of it a fade explains: the frontier, wanted region included."""
    lines = [
        {
            "name": name,
            "control": mode["control"],
            "points": [_point(row["hybridness"], row["kad_union"]) for row in mode["by_alpha"]],
            "named": result["alphas"].index(0.5),
        }
        for name, mode in result["modes"].items()
    ]
    region = None
    if "fade" in result["modes"]:
        fade = at_alpha(result["modes"]["fade"], 0.5)["kad_union"]
        region = [1 - HYBRID, MOST_DISTANCE * fade["value"]] if fade and fade["value"] > 0 else None
    return {
        "title": "How new against how natural",
        "note": "Each line goes from alpha 0 to 1; the name stands at 0.5. Right is new, low is natural"
        + (f"; shaded: at most {HYBRID:g} explained and {MOST_DISTANCE:g} times the fade's distance at 0.5." if region
           else "."),
        "lines": lines, "guides": [], "region": region, "x": [0, 0.25, 0.5, 0.75, 1],
        "xTitle": "share not explained by a fade",
    }  # fmt: skip


def _timbre_plots(modes: dict[str, Any]) -> list[dict[str, Any]]:
    known = {name: mode for name, mode in modes.items() if mode["timbre"] is not None}
    if not known:
        return []
    first = next(iter(known.values()))["timbre"]["descriptors"]
    return [
        {
            "title": descriptor[0].upper() + descriptor[1:],
            "note": "",
            "lines": [
                {
                    "name": name,
                    "control": mode["control"],
                    "points": [
                        [row["alpha"], v]
                        for row, v in zip(
                            mode["by_alpha"], mode["timbre"]["descriptors"][descriptor]["values"], strict=True
                        )
                    ],
                }
                for name, mode in known.items()
            ],
            "guides": [],
            "x": [0, 0.25, 0.5, 0.75, 1],
            "xTitle": "alpha",
            "free": True,
        }
        for descriptor in first
    ]


def _facts(result: dict[str, Any]) -> list[list[str]]:
    training = result["autoencoder"]
    heard = [f"{s['file']} from {s['start_s']:.0f} s, {s['duration_s']:.0f} s" for s in result["sources"]]
    facts = {
        "Run": result["run"],
        "Sources": "; ".join(heard) + (" (held out)" if result["held_out"] else " (trained on)"),
        "Phase": result["phase"],
        "Alpha": "; ".join(
            f"{name} {'calibrated' if mode['calibrated'] else 'raw'}" for name, mode in result["modes"].items()
        ),
        "Crossfade through the model": f"{written(100 * result['unexplained_damage'], 0)} % not explained by a fade",
        "Evaluated in": f"{result['seconds']:.0f} s",
    }
    if {"steps", "seconds"} <= training.keys():
        facts["Training"] = f"{training['steps']} steps in {training['seconds'] / 60:.1f} min"
    return [[key, value] for key, value in facts.items()]
