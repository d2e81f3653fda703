"""The report as one page that opens offline: the verdict, the promises, plots over alpha, and the sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from stylemix.explore.document import build_page, data_block, json_for_html, read_template
from stylemix.files import check_output, write_text
from stylemix.listening import Player, player_parts
from stylemix.measure.evidence import Rendered
from stylemix.pictures import FMAX_HZ, FMIN_HZ

# The players' sound and pictures; a page larger than this is no longer easy to send.
MAX_BYTES = 24_000_000
HEARD = (0.25, 0.5, 0.75)
PLOTS = (
    ("p_b", "Probability of {target}", "A classifier's, trained on style features of both corpora."),
    (
        "unexplained",
        "Not explained by a fade",
        "Share of the sound. A crossfade has none of it, whatever its gains.",
    ),
    (
        "kad_union",
        "Kernel distance to both corpora",
        "Of style features; lower is nearer to real recordings.",
    ),
    ("chroma", "Harmony kept from the source", "Correlation of pitch classes over time."),
)


def write_page(
    out: str | Path,
    result: dict[str, Any],
    rendered: Sequence[Rendered],
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
    rendered : sequence of Rendered
        What was measured, to be heard.
    force : bool
        Allow an existing page to be replaced.
    inputs : iterable of paths
        Files that must never be written over.
    max_bytes : int
        Players are left out, the last stretch first, until the page fits.

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
    players: list[dict[str, Any]] = []
    blocks: list[str] = []
    decks = [_deck(one) for one in rendered]
    while decks:
        players, blocks = player_parts([player for deck in decks for player in deck])
        if sum(map(len, blocks)) + sum(len(player["picture"]) for player in players) <= max_bytes:
            break
        decks, players, blocks = decks[:-1], [], []
    blocks.append(data_block("report-data", json_for_html(_page_value(result, players))))
    page = build_page(
        read_template("report.html", package="stylemix.measure"),
        title=f"{result['run']}: hybrids or crossfades?",
        styles=[
            read_template("base.css"),
            read_template("listening.css", package="stylemix"),
            read_template("report.css", package="stylemix.measure"),
        ],
        scripts=[
            read_template("sound.js"),
            read_template("players.js", package="stylemix"),
            read_template("drawing.js", package="stylemix.measure"),
            read_template("report.js", package="stylemix.measure"),
        ],
        parts={"data": "\n".join(blocks)},
    )
    write_text(path, page)
    return {"path": str(path), "bytes": len(page.encode("utf-8")), "players": len(players)}


def _deck(one: Rendered) -> list[Player]:
    name = one.stretch.path.name.encode("utf-8", "replace").decode("utf-8")
    middle = HEARD[len(HEARD) // 2]
    return [
        Player("Source", "parent", one.source, alpha=0.0, group=name),
        *(Player(f"Hybrid {a:g}", "hybrid", one.hybrids[a], alpha=a, group=name) for a in HEARD),
        Player("Matched target", "parent", one.target, alpha=1.0, group=name, note="in the source's time"),
        Player(f"Crossfade {middle:g}", "crossfade", one.crossfade(middle), alpha=middle, group=name),
    ]


def _page_value(result: dict[str, Any], players: list[dict[str, Any]]) -> dict[str, Any]:
    source, target = result["corpora"][:2]
    rows = result["by_alpha"]
    plots = [
        {
            "title": title.format(target=target),
            "note": note,
            "x": [row["alpha"] for row in rows],
            "lines": {kind: [row[kind][key] for row in rows] for kind in ("hybrid", "crossfade")},
        }
        for key, title, note in PLOTS
    ]
    return {
        "title": f"{source} and {target}: hybrids or crossfades?",
        "summary": result["summary"],
        "checks": result["checks"],
        "plots": plots,
        "tables": [_alpha_table(rows, source, target), _evenness_table(result["path"])],
        "rebuilding": _rebuild_table(result["rebuild"]),
        "autoencoder": _model_table(result["autoencoder"]),
        "players": players,
        "range": [FMIN_HZ, FMAX_HZ],
        "facts": _facts(result),
    }


def _alpha_table(rows: Sequence[dict[str, Any]], source: str, target: str) -> dict[str, Any]:
    columns = ["Alpha", "", f"P({target})", "Not explained by a fade", f"Distance to {source}"]
    columns += [f"to {target}", "to both", "Harmony kept"]
    keys = ("p_b", "unexplained", "kad_source", "kad_target", "kad_union", "chroma")
    digits = (2, 2, 0, 0, 0, 2)
    cells = [
        [f"{row['alpha']:g}", kind, *(_number(row[kind][k], d) for k, d in zip(keys, digits, strict=True))]
        for row in rows
        for kind in ("hybrid", "crossfade")
    ]
    caption = (
        "Crossfades are of the same source and the same matched target at the same alpha. Distances: kernel "
        "distance of style features to the training files, in thousandths. The matched target is cut from "
        f"recordings of {target}, which the classifier and the distances know."
    )
    return {"columns": columns, "rows": cells, "caption": caption}


def _evenness_table(path: dict[str, Any]) -> dict[str, Any]:
    keys = ("non_linearity", "non_smoothness")
    cells = [[kind, *(_number(path[kind][key], 2) for key in keys)] for kind in ("hybrid", "crossfade")]
    caption = (
        "How evenly style features move over alpha, in units of the distance between the ends; 0 is a "
        "straight line in equal steps."
    )
    return {"columns": ["", "Non-linearity", "Non-smoothness"], "rows": cells, "caption": caption}


def _rebuild_table(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    words = {"estimate": "estimated", "source": "the file's own"}
    cells = [
        [
            row["file"],
            "held out" if row["held_out"] else "trained on",
            words[phase],
            *(_number(row[phase][key], 1) for key in ("sc2048_db", "best_sc2048_db", "loss_db")),
        ]
        for row in rows
        for phase in words
    ]
    columns = ["File", "", "Phase", "Model, dB", "True magnitudes, dB", "Loss, dB"]
    caption = (
        "Spectral convergence (2048 samples; lower is better) of what the model makes of a file, and of the "
        "same phase stage on the file's true magnitudes at the model's frame rate."
    )
    return {"columns": columns, "rows": cells, "caption": caption}


def _model_table(training: dict[str, Any]) -> dict[str, Any]:
    names = {
        "error": "This autoencoder",
        "pca_error": "PCA, as many numbers a step",
        "pca_long_error": "PCA over four steps at once",
    }
    cells = [[name, _number(training[key], 4)] for key, name in names.items() if key in training]
    judged = "held-out sound" if training.get("held_out") else "the training sound (nothing was held out)"
    caption = f"Squared error of log-magnitudes over their variance, on {judged}; lower is better."
    return {"columns": ["", "Error"], "rows": cells, "caption": caption}


def _facts(result: dict[str, Any]) -> list[list[str]]:
    accuracy, training = result["classifier"]["accuracy"], result["autoencoder"]
    heard = [f"{s['file']} from {s['start_s']:.0f} s, {s['duration_s']:.0f} s" for s in result["sources"]]
    facts = {
        "Run": result["run"],
        "Sources": "; ".join(heard) + (" (held out)" if result["held_out"] else " (trained on)"),
        "Classifier": "right in "
        + ("an unknown share" if accuracy is None else f"{100 * accuracy:.0f} %")
        + f" of unheard segments; trained on {' and '.join(map(str, result['classifier']['segments']))}",
        "Crossfade through the model": f"{100 * result['unexplained_damage']:.0f} % not explained by a fade",
        "Evaluated in": f"{result['seconds']:.0f} s",
    }
    if {"steps", "seconds"} <= training.keys():
        facts["Training"] = f"{training['steps']} steps in {training['seconds'] / 60:.1f} min"
    return [[key, value] for key, value in facts.items()]


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"
