"""The tables of the report: every number that was measured, in words that say what it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# Columns of a mode's table: key in a row (that of the second judge after a dot), heading, digits.
COLUMNS = (
    ("position", "Position", 2),
    ("p_b", "P({target})", 2),
    ("off_line", "Off alpha", 2),
    ("second.p_b", "P, second judge", 2),
    ("kad_source", "Distance to {source}", 0),
    ("kad_target", "to {target}", 0),
    ("kad_union", "to both", 0),
    ("second.kad_union", "to both, second judge", 0),
    ("explained", "Explained by a fade", 2),
    ("explained_source", "by the source", 2),
    ("explained_target", "by the target", 2),
    ("explained_magnitudes", "by magnitudes", 2),
    ("chroma", "Harmony kept", 2),
    ("onsets", "Rhythm kept", 2),
)

# Of the tables of all modes.
MODES_CAPTION = (
    "Position: where on the mode's path alpha is, once calibrated. "
    "Distances: unbiased kernel distance of style features to the training files, in thousandths, with the interval "
    "of 95 % of 400 resamples (of recordings, all segments of each together, where there are three or more, else of "
    "segments, which overlap by half). Explained: by the parents behind any equaliser, with their beats; by one of "
    "them alone; by gains times their magnitudes. Kept: correlation with the source."
)


def mode_table(name: str, mode: dict[str, Any], source: str, target: str) -> dict[str, Any]:
    """Show what was measured of a mode at every alpha.

    Parameters
    ----------
    name : str
        Of the mode.
    mode : dict
        From `stylemix.measure.trials.measure_mode`.
    source, target : str
        Names of the corpora at alpha 0 and 1.

    Returns
    -------
    dict
        title, columns, rows, caption.
    """
    columns = ["Alpha", *(title.format(source=source, target=target) for _, title, _ in COLUMNS)]
    cells = [
        [f"{row['alpha']:g}", *(_cell(row, key, digits) for key, _, digits in COLUMNS)] for row in mode["by_alpha"]
    ]
    return {"title": name + (" (control)" if mode["control"] else ""), "columns": columns, "rows": cells,
            "caption": ""}  # fmt: skip


def back_table(back: dict[str, Any], source: str, target: str) -> dict[str, Any]:
    """Show the other direction, half-way.

    Parameters
    ----------
    back : dict
        sources and modes.
    source, target : str
        Names of the corpora at alpha 0 and 1 of that direction.

    Returns
    -------
    dict
        title, columns, rows, caption.
    """
    columns = ["Mode", "Alpha", *(title.format(source=source, target=target) for _, title, _ in COLUMNS)]
    cells = [
        [name, f"{row['alpha']:g}", *(_cell(row, key, digits) for key, _, digits in COLUMNS)]
        for name, mode in back["modes"].items()
        for row in mode["by_alpha"]
    ]
    files = ", ".join(one["file"] for one in back["sources"])
    return {"title": f"From {source} to {target}", "columns": columns, "rows": cells, "caption": f"Sources: {files}."}


def timbre_table(modes: dict[str, Any]) -> dict[str, Any]:
    """Show how evenly timbre moves.

    Parameters
    ----------
    modes : dict
        With timbre and path.

    Returns
    -------
    dict
        columns, rows, caption.
    """
    known = {name: mode["timbre"] for name, mode in modes.items() if mode["timbre"] is not None}
    keys = ("non_linearity", "non_smoothness")
    cells = [
        [descriptor, *(written(timbre["descriptors"][descriptor][key], 2) for timbre in known.values() for key in keys)]
        for descriptor in next(iter(known.values()), {"descriptors": {}})["descriptors"]
    ]
    cells.append(["All descriptors, mean", *(written(timbre[key], 2) for timbre in known.values() for key in keys)])
    cells.append(["Style features", *(written(modes[name]["path"][key], 2) for name in known for key in keys)])
    columns = [""] + [f"{name}, {word}" for name in known for word in ("off the line", "roughness")]
    caption = (
        "Off the line: root mean square distance from the straight line between the ends of alpha (non-linearity); "
        "roughness: root mean square of second differences over steps of 0.25 (non-smoothness); of descriptors in "
        "units of their spread over both corpora, of style features in units of the distance between the ends. 0 is a "
        "straight line in equal steps."
    )
    return {"columns": columns, "rows": cells, "caption": caption}


def judge_table(result: dict[str, Any], source: str, target: str) -> dict[str, Any]:
    """Show how good the judges are and what they say of recordings and of noise.

    Parameters
    ----------
    result : dict
        With judges and anchors.
    source, target : str
        Names of the corpora.

    Returns
    -------
    dict
        columns, rows, caption.
    """
    titles = {"source": source, "target": target, "recordings": "Both together", "noise": "White noise"}
    keys = ("p_b", "kad_source", "kad_target", "kad_union", "second.p_b", "second.kad_union")
    cells = [
        [titles[name], *(_cell(row, key, 2 if key.endswith("p_b") else 0) for key in keys)]
        for name, row in result["anchors"].items()
    ]
    heard = []
    for name, facts in result["judges"].items():
        right = "an unknown share" if facts["accuracy"] is None else f"{100 * facts['accuracy']:.0f} %"
        segments, recordings = (" and ".join(map(str, facts[key])) for key in ("segments", "recordings"))
        heard.append(
            f"The judge by {name} names the corpus of {right} of the segments of recordings that it has not heard "
            f"({segments} segments of {recordings} recordings)."
        )
    columns = ["Unheard recordings", f"P({target})", f"Distance to {source}", f"to {target}", "to both"]
    return {
        "columns": [*columns, "P, second judge", "to both, second judge"],
        "rows": cells,
        "caption": " ".join(heard),
    }


def rebuild_table(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Show how well the model knows a file.

    Parameters
    ----------
    rows : sequence of dict
        From `stylemix.measure.rebuilding.measure_rebuilding`.

    Returns
    -------
    dict
        columns, rows, caption.
    """
    words = {"estimate": "estimated", "source": "the file's own"}
    cells = [
        [
            row["file"],
            "held out" if row["held_out"] else "trained on",
            words[phase],
            *(written(row[phase][key], 1) for key in ("sc2048_db", "best_sc2048_db", "loss_db")),
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


def model_table(training: dict[str, Any]) -> dict[str, Any]:
    """Show the autoencoder beside PCA.

    Parameters
    ----------
    training : dict
        From `stylemix.measure.rebuilding.training_figures`.

    Returns
    -------
    dict
        columns, rows, caption.
    """
    names = {
        "error": "This autoencoder",
        "pca_error": "PCA, as many numbers a step",
        "pca_long_error": "PCA over four steps at once",
    }
    cells = [[name, written(training[key], 4)] for key, name in names.items() if key in training]
    judged = "held-out sound" if training.get("held_out") else "the training sound (nothing was held out)"
    caption = f"Squared error of log-magnitudes over their variance, on {judged}; lower is better."
    return {"columns": ["", "Error"], "rows": cells, "caption": caption}


def latent_table(latents: dict[str, Any]) -> dict[str, Any]:
    """Show what the latents are used for.

    Parameters
    ----------
    latents : dict
        From `stylemix.measure.latent_use.measure_latents`.

    Returns
    -------
    dict
        columns, rows, caption.
    """
    cells = [
        ["Dimensions", str(latents["dimensions"])],
        ["of them active", f"{100 * latents['active']:.0f} %"],
        ["Effective dimensions", written(latents["effective"], 1)],
    ]
    for key, what in (("corpus_near_codes", "latents"), ("corpus_near_content", "content")):
        if latents[key] is not None:
            cells.append([f"Neighbours of the own corpus, by {what}", f"{100 * latents[key]:.0f} %"])
    caption = (
        f"Of {latents['steps']} latent steps. Active: a hundredth of the mean variance or more. Effective: the "
        "participation ratio of the covariance. Neighbours: of the nearest to a step of unheard sound, as many of each "
        f"corpus looked among; {100 * latents['chance']:.0f} % is chance, and means that they tell what happens and "
        "not in whose sound, 100 % that corpora lie apart."
    )
    return {"columns": ["", "Latents"], "rows": cells, "caption": caption}


def written(value: float | None, digits: int) -> str:
    """Write a number, a dash for none, and no minus before a zero.

    Parameters
    ----------
    value : float or None
        Any.
    digits : int
        After the point.

    Returns
    -------
    str
        For people.

    Examples
    --------
    >>> written(-0.001, 2), written(None, 2)
    ('0.00', '–')
    """
    return "–" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def _cell(row: dict[str, Any], key: str, digits: int) -> str:
    outer, _, inner = key.rpartition(".")
    value = row[outer][inner] if outer else row[inner]
    if isinstance(value, dict):
        return (
            f"{written(value['value'], digits)} ({written(value['low'], digits)} to {written(value['high'], digits)})"
        )
    return written(value, digits)
