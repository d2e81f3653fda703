"""The page of the properties: verdicts in a table, distances in a plot, all numbers, in one file that opens offline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from stylemix.files import check_output, write_text
from stylemix.measure.properties.material import KINDS
from stylemix.measure.properties.verdict import (
    HOLDS,
    IN_PART,
    PROPERTIES,
    REBUILT_DB,
    REBUILT_IN_PART_DB,
    shown,
)
from stylemix.pages.document import PLOT_SCRIPTS, PLOT_STYLES, build_page, data_block, json_for_html

PLOTS = {
    "shift": ("Shifted in time", "By fractions of the averaging.", "milliseconds"),
    "warp": ("Warped", "A vibrato of time; nothing moves far, all changes speed.", "largest change of speed, %"),
    "transposition": ("Transposed", "By sample rate; after averaging over all time.", "cents"),
}
_UNITS = {"shift": 1000.0, "warp": 100.0, "transposition": 1.0}


def write_page(
    out: str | Path, result: dict[str, Any], *, force: bool = False, inputs: Iterable[str | Path] = ()
) -> dict[str, Any]:
    """Write the page.

    Parameters
    ----------
    out : str or Path
        The page.
    result : dict
        From `stylemix.measure.properties.report.measure_properties`.
    force : bool
        Allow an existing page to be replaced.
    inputs : iterable of paths
        Files that must never be written over.

    Returns
    -------
    dict
        path and bytes.

    Raises
    ------
    BadInput
        If the page may not be written.
    StylemixError
        If it cannot be written.
    """
    path = check_output(out, force=force, inputs=inputs)
    value = _page_value(result)
    page = build_page(
        "measure/properties.html",
        title=value["title"],
        styles=[*PLOT_STYLES, "measure/properties.css"],
        scripts=[*PLOT_SCRIPTS, "measure/properties.js"],
        parts={"data": data_block("properties-data", json_for_html(value))},
    )
    write_text(path, page)
    return {"path": str(path), "bytes": len(page.encode("utf-8"))}


def _page_value(result: dict[str, Any]) -> dict[str, Any]:
    rows = result["representations"]
    keys = [key for key in PROPERTIES if any(key in row["properties"] for row in rows)]
    return {
        "title": "What representations of sound keep, and what moves them",
        "summary": result["summary"],
        "measure": _measure_words(result),
        "marks": (
            f"✓ moves by at most {HOLDS:g} of the distance between different sounds, ≈ by at most {IN_PART:g}, "
            "✗ by more. Tremolos and chirps, which are averaged over all time, must be that far apart instead. Stable "
            "is what moves little and has a constant that does not grow with frequency; one of the two is ≈."
            + _rebuilt_words(rows)
        ),
        "columns": [PROPERTIES[key] for key in keys],
        "rows": [
            {
                "title": row["title"],
                "settings": row["settings"],
                "cells": [_cell(key, row["properties"].get(key)) for key in keys],
            }
            for row in rows
        ],
        "verdicts": [row["verdict"] for row in rows],
        "limits": [HOLDS, IN_PART],
        "plots": [_plot(kind, rows) for kind in KINDS],
        "tables": [*(_amounts_table(kind, rows) for kind in KINDS), _constants_table(rows), _others_table(rows)],
        "rebuilding": _rebuilding_table(rows),
        "facts": _facts(result),
    }


def _rebuilt_words(rows: Sequence[dict[str, Any]]) -> str:
    if not any(row.get("rebuilt") for row in rows):
        return ""
    return (
        f" Sound: the error of a new sound in bands of 93 ms, ✓ at most {REBUILT_DB:g} dB, ≈ at most "
        f"{REBUILT_IN_PART_DB:g} dB; what is averaged over longer leaves open when in that time things happen."
    )


def _cell(key: str, found: dict[str, Any] | None) -> dict[str, str] | None:
    return found and {"holds": found["holds"], "text": shown(key, found["value"])}


def _plot(kind: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    title, note, unit = PLOTS[kind]
    amounts = [row["amount"] * _UNITS[kind] for row in rows[0][kind]]
    return {
        "title": title,
        "note": note,
        "unit": unit,
        "x": [{"value": amount, "text": f"{amount:.3g}"} for amount in amounts],
        "lines": [[round(point["share"], 6) for point in row[kind]] for row in rows],
    }


def _amounts_table(kind: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    unit = {"shift": "ms", "warp": "%", "transposition": "cents"}[kind]
    columns = [f"{point['amount'] * _UNITS[kind]:.3g} {unit}" for point in rows[0][kind]]
    cells = [[row["title"], *(f"{point['distance']:.4f}" for point in row[kind])] for row in rows]
    if kind == "transposition":
        said = "Of integrals over time, times the factor by which the sound became shorter."
    else:
        said = "Of all coefficients."
    return {
        "title": PLOTS[kind][0],
        "columns": ["", *columns, "own sound found"],
        "rows": [
            [*cell, f"{100 * sum(p['found'] for p in row[kind]) / len(row[kind]):.0f} %"]
            for cell, row in zip(cells, rows, strict=True)
        ],
        "caption": f"Relative distance, ||F(x) - F(y)|| / ||F(x)||, the median over the deformed sounds. {said} Own "
        "sound found: the share of the deformed sounds whose nearest undeformed sound is their own.",
    }


def _constants_table(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    tones = list(rows[0]["tones"])
    cells = [
        [
            row["title"], f"{row['lipschitz']:.1f}", _number(row["growth"], 2),
            *(f"{row['tones'][hz]:.1f}" for hz in tones),
        ]
        for row in rows
    ]  # fmt: skip
    return {
        "title": "Constants of stability",
        "columns": ["", "largest distance / depth", "exponent", *(f"tone of {hz} Hz" for hz in tones)],
        "rows": cells,
        "caption": "How far a warp moves a representation, over the warp's depth: the largest over all recordings and "
        "depths, and for tones. Exponent: with which power of the depth the distance grows from 0.1 % to 1 %; 1 is in "
        "proportion, as stability asks for, and less means that it has already moved as far as it can.",
    }


def _others_table(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    cells = [
        [
            row["title"], f"{row['between']:.3f}", f"{row['between_means']:.3f}", f"{row['pairs']['tremolo']:.4f}",
            f"{row['pairs']['chirp']:.4f}", f"{row['reversal']:.4f}", _percent(row["same_file"]),
            f"{row['numbers_per_sample']:.2f}", f"{row['seconds']:.1f}",
        ]
        for row in rows
    ]  # fmt: skip
    columns = ["", "Different sounds", "over all time", "tremolos", "chirps", "played backwards", "same file nearest",
               "numbers a sample", "seconds"]  # fmt: skip
    chance = _percent(rows[0]["chance"])
    return {
        "title": "Apart",
        "columns": columns,
        "rows": cells,
        "caption": "Relative distances: of sounds of different files, of all coefficients and of their integrals over "
        "time; the others are of integrals over time. Same file nearest: the share of the excerpts whose nearest other "
        f"one is of the same file (by chance: {chance}).",
    }


def _rebuilding_table(rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    rebuilt = [
        (title, row[key])
        for row in rows
        for title, key in ((row["title"], "rebuilt"), ("of it, order 1 alone", "rebuilt_from_first"))
        if row.get(key)
    ]
    if not rebuilt:
        return None
    cells = [
        [title, f"{100 * found['coefficients']:.2g} %", f"{found['bands_db']:.1f}",
         _number(found["inverse_db"], 0), str(found["iterations"]), f"{found['seconds']:.1f}"]
        for title, found in rebuilt
    ]  # fmt: skip
    return {
        "columns": ["", "Coefficients", "Bands, dB", "With all phases, dB", "Iterations", "Seconds"],
        "rows": cells,
        "caption": "A sound was sought that has the same representation. Coefficients: how much of the "
        "representation it misses; of order 1 alone, how much of both orders. Bands: the error of the magnitudes in 40 "
        "mel bands, 93 ms at a time, which the search did not know; lower is better, 0 is nothing right. What is "
        "averaged over longer leaves open when in that time things happen. With all phases: the inverse of the "
        "transform, where it has one.",
    }


def _measure_words(result: dict[str, Any]) -> str:
    files = f"{result['n_files']} {'file' if result['n_files'] == 1 else 'files'}"
    return (
        f"Measured on {len(result['sounds'])} excerpts of {result['excerpt_s']:g} s from {files}. Each "
        "representation is measured by its own norm, and how far a change moves it is divided by how far apart it puts "
        "different sounds: 1 means as far as a different sound."
    )


def _facts(result: dict[str, Any]) -> list[list[str]]:
    names = list(dict.fromkeys(sound["file"] for sound in result["sounds"]))
    names = [name.encode("utf-8", "replace").decode("utf-8") for name in names]
    used = "" if result["n_files_given"] <= len(names) else f"; {len(names)} of {result['n_files_given']} files"
    return [
        ["Sounds", ", ".join(names) + (used if result["n_files_given"] else " (composed by stylemix)")],
        ["Deformed", f"{sum(sound['deformed'] for sound in result['sounds'])} of {len(result['sounds'])} excerpts"],
        ["Sample rate", f"{result['sample_rate']} Hz"],
        ["Averaging", f"{1000 * result['averaging_s']:.0f} ms"],
        ["Measured in", f"{result['seconds']:.0f} s"],
    ]


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"
