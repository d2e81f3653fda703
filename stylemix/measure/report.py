"""Evaluate a run: measure whether its hybrids are hybrids, say so in words, and show it on a page."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.files import check_output
from stylemix.hybrid.roles import check_words
from stylemix.measure.evidence import Rendered, choose_stretches, corpus_style, render_alphas
from stylemix.measure.trials import measure_damage, measure_hybrids, measure_rebuilding, training_figures
from stylemix.measure.verdict import checks, report_lines, verdict
from stylemix.model.run import Run, inputs_of
from stylemix.progress import progress

if TYPE_CHECKING:
    from stylemix.style_probe import StyleProbe

ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)
N_SOURCES = 2
SOURCE_S = 15.0
STRETCH_KEYS = ("start_s", "duration_s", "held_out")
# Seconds that the parts take, roughly, for a bar that moves evenly.
_COSTS = {"style": 5.0, "hybrids": 16.0, "measuring": 6.0, "rebuilding": 24.0}


def evaluate(
    run: Run,
    *,
    out: str | Path | None = None,
    phase: str = "auto",
    force: bool = False,
    seed: int = 0,
    show_progress: bool = True,
) -> dict[str, Any]:
    """Measure whether the hybrids of a run are hybrids, beside the crossfades that they must not be.

    Up to two stretches of 15 s of the first corpus, held out of the training where any is, are rendered at
    five alphas towards the second corpus, and mixed with their matched targets at the same alphas as the
    control.

    Parameters
    ----------
    run : Run
        A finished run.
    out : str or Path, optional
        Write a page too: one HTML file that opens offline.
    phase : {"auto", "parents", "source", "estimate"}
        Of the hybrids, as for `stylemix.hybrid`.
    force : bool
        Allow an existing page to be replaced.
    seed : int
        Of the classifier and of the choice of the material that is searched.
    show_progress : bool
        Show a bar on stderr.

    Returns
    -------
    dict
        JSON-safe: summary (sentences), lines (for a terminal), checks (what is promised, what was measured),
        phase, corpora, sources, held_out, by_alpha, path, alpha0_sc2048_db (see `measure_hybrids`),
        unexplained_damage (see `measure_damage`), classifier, rebuild (see `measure_rebuilding`), autoencoder
        (see `training_figures`), seconds, and page (path, bytes) with `out`.

    Raises
    ------
    BadInput
        If the run has one corpus, its files are gone, the phase is unknown, or the page may not be written.
    StylemixError
        If the training did not finish, or a file cannot be read or written.
    """
    began = time.perf_counter()
    check_words("match", phase, "good")
    inputs = inputs_of(run)
    if out is not None:
        check_output(out, force=force, inputs=inputs)
    if len(run.corpora) < 2:
        raise BadInput(f"{shown_name(run.path)}: has one corpus; hybrids need two, train on two folders")
    with progress("evaluating", sum(_COSTS.values()), show=show_progress) as update:
        rendered, result = _measure(run, seed, phase, update)
        result["summary"], result["checks"] = verdict(result), checks(result)
        result["lines"] = report_lines(result)
        result["seconds"] = round(time.perf_counter() - began, 1)
        if out is not None:
            from stylemix.measure.page import write_page

            update(sum(_COSTS.values()), note="page")
            result["page"] = write_page(out, result, rendered, force=force, inputs=inputs)
    return {"summary": result.pop("summary"), **result}


def _measure(
    run: Run, seed: int, phase: str, update: Callable[..., None]
) -> tuple[list[Rendered], dict[str, Any]]:
    def part(name: str, n: int = 1, of: int = 1) -> Callable[[float], None]:
        before = sum(list(_COSTS.values())[: list(_COSTS).index(name)])
        return lambda share: update(before + _COSTS[name] * (n - 1 + share) / of, note=name)

    styles, probe = _styles(run, seed, lambda n: part("style", n, 2))
    sources = choose_stretches(run, 0, n_wanted=N_SOURCES, seconds=SOURCE_S)
    rendered = [
        render_alphas(run, stretch, ALPHAS, other=1, phase=phase, seed=seed, report=part("hybrids", n, len(sources)))
        for n, stretch in enumerate(sources, 1)
    ]
    hybrids = measure_hybrids(rendered, styles, probe, report=part("measuring"))
    others = choose_stretches(run, 1, n_wanted=1, seconds=SOURCE_S)
    rebuilt = measure_rebuilding(run, [*sources[:1], *others], report=part("rebuilding"))
    damaged = float(np.mean([measure_damage(run, one) for one in rendered]))
    return rendered, {
        "run": shown_name(run.path.name),
        "phase": phase,
        "corpora": [shown_name(name) for name in run.corpora],
        "sources": [
            {"file": shown_name(s.path.name), **{key: getattr(s, key) for key in STRETCH_KEYS}} for s in sources
        ],
        "held_out": all(s.held_out for s in sources),
        **hybrids,
        "unexplained_damage": 1 - damaged,
        "classifier": {"accuracy": probe.accuracy, "segments": [len(rows) for rows in styles]},
        "rebuild": rebuilt,
        "autoencoder": training_figures(run),
    }


def _styles(
    run: Run,
    seed: int,
    report: Callable[[int], Callable[[float], None]],
) -> tuple[list[np.ndarray], StyleProbe]:
    from stylemix.style_probe import fit_probe

    (a, a_files), (b, b_files) = (corpus_style(run, corpus, report=report(corpus + 1)) for corpus in (0, 1))
    for name, rows in zip(run.corpora, (a, b), strict=False):
        if not len(rows):
            raise BadInput(f"{shown_name(name)}: holds no sound; choose other recordings and train again")
    labels = np.repeat([0, 1], [len(a), len(b)])
    probe = fit_probe(np.concatenate([a, b]), labels, np.concatenate([a_files, b_files]), seed=seed)
    return [a, b], probe
