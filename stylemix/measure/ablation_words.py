"""What the learned space is worth, in sentences, as a table, and as lines for a terminal; bad news included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stylemix.measure.ablation import FULL, MODES
from stylemix.measure.aims import LEAST_GAIN, percent
from stylemix.measure.page_tables import written

NAMES = {"PCA": "PCA latents", "none": "no latents at all"}
# Columns of the table: key in a row, heading.
COLUMNS = (
    ("mode", "Mode"),
    ("latents", "Latents"),
    ("alignment", "Alignment"),
    ("p_b", "P({target})"),
    ("p_b_second", "P, second judge"),
    ("kad_ratio", "Distance to both, over the fade's"),
    ("kad_ratio_second", "the same, second judge"),
    ("explained", "Explained by a fade"),
    ("chroma", "Harmony kept"),
    ("onsets", "Rhythm kept"),
)
CAPTION = (
    "Alpha 0.5 of each one's own path, for the run's spacing of alpha was made for the full model. None: spectra of "
    "latent steps; PCA: as many whitened components as the model has latents; without condition: the autoencoder told "
    "no corpus. Match differs by what is met, style by what is made. Lower distances are nearer to recordings; the "
    "less a fade explains, the newer. Where the sentences say as near, the distances differ by less than the root of "
    "the sum of their squared half intervals of 95 %; where they say as new, what a fade explains differs by less "
    f"than {LEAST_GAIN:g}, or not in the same direction in every source."
)
POINTER = "Not compared here: what the learned latents are worth against PCA and none (evaluate --ablation)."
# Of so little sound a difference may go unnoticed: what is not told apart is not called equal.
_NEAR = {1: "nearer", 0: "as near, as far as can be told,", -1: "farther", None: "not measured"}
_NEW = {1: "newer", 0: "as new, as far as can be told", -1: "less new"}


def ablation_words(ablation: dict[str, Any] | None) -> list[str]:
    """Say in sentences whether the full model is better than PCA latents and than none, bad news included.

    Parameters
    ----------
    ablation : dict or None
        From `measure_ablation`.

    Returns
    -------
    list of str
        For each mode; what could not be measured at the end. Empty without an ablation.
    """
    if ablation is None:
        return []
    rows = {(row["mode"], row["latents"]): row for row in reversed(ablation["rows"])}
    words = []
    for mode in MODES:
        told = [_against(one, rows) for one in ablation["against"] if one["mode"] == mode]
        if told:
            words.append(" ".join(told))
    return [*words, *(f"Left out of the comparison of latents: {reason}" for reason in ablation["left_out"])]


def _against(one: dict[str, Any], rows: dict[tuple[str, str], dict[str, Any]]) -> str:
    ours, theirs = rows[one["mode"], FULL], rows[one["mode"], one["rival"]]
    first, second = (_NEAR[sign] for sign in one["nearer"])
    if one["nearer"] == [None, None]:
        near = "too short for a distance"
    else:
        near = (
            f"{first} to both judges" if first == second else f"{first} to the first judge and {second} to the second"
        )
    return (
        f"In {one['mode']} the network {_outcome(one)} against {NAMES[one['rival']]}: its hybrids are {near}"
        f"{_distances(ours, theirs, one['nearer'])}, and "
        f"{_NEW[one['newer']]} (a fade explains {percent(ours['explained'])}, against {percent(theirs['explained'])})."
    )


def _distances(ours: dict[str, Any], theirs: dict[str, Any], signs: Sequence[int | None]) -> str:
    if signs.count(None) == len(signs):
        return ""
    pairs = [[row[key] for key in ("kad_ratio", "kad_ratio_second")] for row in (ours, theirs)]
    if None not in pairs[0]:
        told = [" and ".join(written(value, 2) for value in pair) for pair in pairs]
        return f" ({told[0]} times the fade's distance from the recordings of both, against {told[1]})"
    known = [[row[key] and row[key]["value"] for key in ("kad", "kad_second")] for row in (ours, theirs)]
    told = [" and ".join(written(value, 0) for value in pair) for pair in known]
    return f" (kernel distance {told[0]} from the recordings of both, against {told[1]})"


def _outcome(one: dict[str, Any]) -> str:
    signs = [sign for sign in (*one["nearer"], one["newer"]) if sign is not None]
    if min(signs) < 0 < max(signs):
        return "wins in one thing and loses in another"
    if max(signs) > 0:
        return "wins"
    return "loses" if min(signs) < 0 else "does not win"


def ablation_table(ablation: dict[str, Any], target: str) -> dict[str, Any]:
    """Show every row.

    Parameters
    ----------
    ablation : dict
        From `measure_ablation`.
    target : str
        Name of the corpus at alpha 1.

    Returns
    -------
    dict
        columns, rows, caption.
    """
    cells = [
        [row[key] if isinstance(row[key], str) else written(row[key], 2) for key, _ in COLUMNS]
        for row in ablation["rows"]
    ]
    return {"columns": [title.format(target=target) for _, title in COLUMNS], "rows": cells, "caption": CAPTION}


def ablation_lines(ablation: dict[str, Any] | None, target: str) -> list[str]:
    """Put the table into lines for a terminal, or say how to get it.

    Parameters
    ----------
    ablation : dict or None
        From `measure_ablation`.
    target : str
        Name of the corpus at alpha 1.

    Returns
    -------
    list of str
        Columns of equal width.
    """
    if ablation is None:
        return [POINTER]
    table = ablation_table(ablation, target)
    # The columns' headings are too long for a terminal; the last seven are numbers.
    heads = ["mode", "latents", "alignment", "P(B)", "P(B) 2", "KAD", "KAD 2", "explained", "harmony", "rhythm"]
    rows = [heads, *table["rows"]]
    widths = [max(len(row[k]) for row in rows) for k in range(len(heads))]
    cells = [
        "  ".join(one.ljust(w) if k < 3 else one.rjust(w) for k, (one, w) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]
    return [
        "What the learned space is worth, at alpha 0.5 (KAD: distance to both, over the fade's; 2: second judge):",
        *(line.rstrip() for line in cells),
    ]
