"""Measure the properties of representations on sounds: figures, verdicts in words, and a page."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.files import check_output
from stylemix.measure.properties import excerpts as sounds
from stylemix.measure.properties.material import Material, all_deformations, make_material
from stylemix.measure.properties.pairs import hard_pairs, measure_pairs, measure_tones
from stylemix.measure.properties.reconstruction import rebuilt, seconds_needed
from stylemix.measure.properties.representations import (
    SAMPLE_RATE,
    WINDOW,
    Representation,
    first_order,
    representations,
)
from stylemix.measure.properties.trials import measure
from stylemix.measure.properties.verdict import (
    HOLDS,
    IN_PART,
    PROPERTIES,
    SMALL,
    judged,
    report_lines,
    sentence,
    summary,
)
from stylemix.model.device import threads
from stylemix.progress import progress

MOST_DEFORMED = 4
FEWER_EXCERPTS, FEWER_DEFORMED = 4, 2
# Seconds of the other parts, roughly, for a bar that moves evenly: composing, and one deformation of one sound.
_COMPOSING_S, _DEFORMING_S = 10.0, 0.1


def measure_properties(
    files: Sequence[str | Path] = (),
    *,
    out: str | Path | None = None,
    force: bool = False,
    quick: bool = False,
    reconstruct: bool = True,
    seed: int = 0,
    show_progress: bool = True,
) -> dict[str, Any]:
    """Measure what different representations tell apart, what leaves them as they were, and whether sound comes back.

    Parameters
    ----------
    files : sequence of paths
        Sound files, and folders of them; without any, pieces of the starter corpora are composed. Of more than 12
        files, 12 are taken evenly; of each, excerpts of 2 s.
    out : str or Path, optional
        Write a page too: one HTML file that opens offline.
    force : bool
        Allow an existing page to be replaced.
    quick : bool
        Fewer sounds, and no reconstruction.
    reconstruct : bool
        Measure what sound can be made from each representation; the slowest part.
    seed : int
        Decides where warps begin.
    show_progress : bool
        Show a bar on stderr.

    Returns
    -------
    dict
        JSON-safe: summary (sentences), lines (for a terminal), representations (each with key, title, settings,
        what `stylemix.measure.properties.trials.measure` gives, pairs, tones, rebuilt (see
        `stylemix.measure.properties.reconstruction.rebuilt`), properties, verdict and seconds), the
        meaning of the properties, thresholds, sounds, settings, seconds, and page (path, bytes) with `out`.

    Raises
    ------
    BadInput
        If a file cannot be read, is silent or too short, or the page may not be written.
    StylemixError
        If a file cannot be written.
    """
    began = time.perf_counter()
    given = sounds.sound_files(files)
    if out is not None:
        check_output(out, force=force, inputs=given)
    listed = representations()
    n_excerpts, n_deformed = (FEWER_EXCERPTS, FEWER_DEFORMED) if quick else (sounds.MOST_EXCERPTS, MOST_DEFORMED)
    deformations = all_deformations()
    reconstruct = reconstruct and not quick
    # Besides the material each analyses two pairs, three tones and their warps.
    n_analyses = n_excerpts + n_deformed * (len(deformations) + 1) + 10
    total = _COMPOSING_S + n_deformed * len(deformations) * _DEFORMING_S + n_analyses * sum(r.cost for r in listed)
    if reconstruct:
        total += sum(seconds_needed(one) for one in [*listed, first_order()])
    with progress("measuring", total, show=show_progress) as update, threads(0):
        done = _Done(update)
        excerpts = _excerpts(given, n_excerpts, done)
        material = make_material(excerpts, deformations, most=n_deformed, seed=seed)
        done.add(n_deformed * len(deformations) * _DEFORMING_S)
        rows = [_measure_one(one, material, done) for one in listed]
        if reconstruct:
            _rebuild(rows, listed, material, seed, done)
        for row in rows:
            row["properties"] = judged(row)
            row["verdict"] = sentence(row["title"], row["properties"])
        result = _result(rows, excerpts, material, given)
        result["seconds"] = round(time.perf_counter() - began, 1)
        if out is not None:
            from stylemix.measure.properties.page import write_page

            result["page"] = write_page(out, result, force=force, inputs=given)
        update(total, note="")
    return result


class _Done:
    """How much of the work is done, in seconds of a quiet machine."""

    def __init__(self, update: Callable[..., None]) -> None:
        self.update, self.seconds, self.note = update, 0.0, ""

    def add(self, seconds: float) -> None:
        self.seconds += seconds
        self.update(self.seconds, note=self.note)


def _excerpts(files: Sequence[Path], most: int, done: _Done) -> list[sounds.Excerpt]:
    done.note = "sounds"
    if not files:
        excerpts = sounds.starter_excerpts(sample_rate=SAMPLE_RATE, most=most)
    else:
        excerpts = sounds.read_excerpts(sounds.choose_files(files), sample_rate=SAMPLE_RATE, most=most)
    first = {excerpt.sound.tobytes(): excerpt for excerpt in reversed(excerpts)}
    # A copy of a file is no other sound: at a distance of nothing, nothing could be measured against it.
    excerpts = [excerpt for excerpt in excerpts if first[excerpt.sound.tobytes()] is excerpt]
    if len(excerpts) < 2:
        raise BadInput(
            f"{shown_name(files[0].name)}: two different sounds are needed at least, got a single one; give a second "
            f"file, or one with {2 * sounds.EXCERPT_S:g} s of sound"
        )
    done.add(_COMPOSING_S)
    return excerpts


def _measure_one(representation: Representation, material: Material, done: _Done) -> dict[str, Any]:
    began = time.perf_counter()
    done.note = representation.title
    measured = measure(representation, material, report=lambda n: done.add(n * representation.cost))
    measured["pairs"] = measure_pairs(representation, hard_pairs())
    measured["tones"] = measure_tones(representation)
    done.add(10 * representation.cost)
    return {
        "key": representation.key,
        "title": representation.title,
        "settings": representation.settings,
        **measured,
        "seconds": round(time.perf_counter() - began, 2),
    }


def _rebuild(
    rows: list[dict[str, Any]], listed: Sequence[Representation], material: Material, seed: int, done: _Done
) -> None:
    """Make sound from each representation, and from the first order of time scattering alone."""
    sound = material.sounds[material.chosen[0]]

    def make(representation: Representation, judge: Representation | None = None) -> dict[str, Any]:
        done.note = f"sound from {representation.title}"
        done.add(0.0)
        found = rebuilt(representation, sound, seed=seed, judge=judge)
        done.add(seconds_needed(representation))
        return found

    for row, representation in zip(rows, listed, strict=True):
        row["rebuilt"] = make(representation)
        if representation.key == "time":
            row["rebuilt_from_first"] = make(first_order(), judge=representation)


def _result(
    rows: list[dict[str, Any]], excerpts: Sequence[sounds.Excerpt], material: Material, given: Sequence[Path]
) -> dict[str, Any]:
    said = summary(rows)
    heard = {e.file: e.name for e in excerpts}
    return {
        "summary": said,
        "lines": report_lines(said, rows),
        "representations": rows,
        "meaning": PROPERTIES,
        "thresholds": {"holds": HOLDS, "in_part": IN_PART, **SMALL},
        "sounds": [
            {"file": e.name, "start_s": round(e.start_s, 3), "deformed": bool(i in material.chosen)}
            for i, e in enumerate(excerpts)
        ],
        "n_files": len(heard),
        "n_files_given": len(given),
        "sample_rate": SAMPLE_RATE,
        "averaging_s": WINDOW / SAMPLE_RATE,
        "excerpt_s": sounds.EXCERPT_S,
        "seconds": 0.0,
    }
