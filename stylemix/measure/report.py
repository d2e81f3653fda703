"""Evaluate a run: measure what every mode makes of unheard sound, say so in words, and show it on a page."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.files import check_output
from stylemix.hybrid.dials import Dials
from stylemix.measure.ablation import MODES as ABLATED
from stylemix.measure.ablation import measure_ablation
from stylemix.measure.aims import checks
from stylemix.measure.evidence import Described, Stretch, choose_stretches, describe_corpus
from stylemix.measure.judges import Judge, appoint_judges
from stylemix.measure.latent_use import measure_latents
from stylemix.measure.rebuilding import measure_damage, measure_rebuilding, training_figures
from stylemix.measure.rendering import Rendered, render_modes
from stylemix.measure.trials import measure_anchors, measure_mode
from stylemix.measure.variants import KINDS
from stylemix.measure.verdict import report_lines, verdict
from stylemix.model.device import threads
from stylemix.model.run import Run, inputs_of
from stylemix.progress import progress

ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)
DEFAULT_MODES = ("match", "style")
CONTROLS = ("fade", "cross")
N_SOURCES = 2
MOST_SOURCES = 20
SOURCE_S = 15.0
STRETCH_KEYS = ("start_s", "duration_s", "held_out")
# Seconds that the parts take, roughly, for a bar that moves evenly; hybrids and measuring for each source and mode.
_COSTS = {"style": 11.0, "recordings": 4.0, "hybrids": 8.0, "measuring": 4.0, "latents": 2.0, "rebuilding": 24.0,
          "ablation": 2.0}  # fmt: skip


def evaluate(
    run: Run,
    *,
    out: str | Path | None = None,
    modes: Sequence[str] = DEFAULT_MODES,
    controls: Sequence[str] = CONTROLS,
    phase: str = "auto",
    n_sources: int = N_SOURCES,
    both_directions: bool = False,
    raw_alpha: bool = False,
    ablation: bool = False,
    force: bool = False,
    seed: int = 0,
    show_progress: bool = True,
) -> dict[str, Any]:
    """Measure what the hybrids of a run are worth, beside the fades that they must not be.

    Stretches of 15 s of the first corpus, held out of the training where any is, are rendered at five alphas towards
    the second corpus in every mode, and judged by two judges of style that know the training files of both, by what the
    parents explain of them, by what they keep of the source and by how evenly they move.

    Parameters
    ----------
    run : Run
        A finished run.
    out : str or Path, optional
        Write a page too: one HTML file that opens offline.
    modes, controls : sequence of str
        What is measured, and what is measured beside it to compare with: any of `stylemix.hybrid.dials.MODES`. The
        target of the mode ``morph`` is as much as the source of the middle of the longest held-out file of the other
        corpus.
    phase : {"auto", "parents", "source", "estimate"}
        Of the hybrids, as for `stylemix.hybrid`.
    n_sources : int
        Stretches, 1 to 20; there are fewer when there are fewer files.
    both_directions : bool
        Measure sources of the second corpus on their way to the first, too; takes as long again.
    raw_alpha : bool
        Without the run's calibration of alpha.
    ablation : bool
        Compare the learned latents with PCA and with none (see `stylemix.measure.ablation.measure_ablation`); reads the
        material of the second corpus three times more.
    force : bool
        Allow an existing page to be replaced.
    seed : int
        Of the classifiers, the resamples, and the choice of the material that is searched.
    show_progress : bool
        Show a bar on stderr.

    Returns
    -------
    dict
        JSON-safe: summary (sentences), lines (for a terminal), checks (see `stylemix.measure.aims.checks`), phase,
        raw_alpha, alphas, corpora, sources, held_out, modes (for each: control and what `measure_mode` gives, with
        calibrated and the positions that each alpha became), back (sources and modes of the other direction, or None),
        anchors (see `measure_anchors`), judges (for each accuracy, segments and recordings), unexplained_damage (see
        `measure_damage`), latents (see `measure_latents`), rebuild (see `measure_rebuilding`), autoencoder (see
        `training_figures`), ablation (see `measure_ablation`, or None), seconds, and page (path, bytes) with `out`.

    Raises
    ------
    BadInput
        If the run has one corpus, its files are gone, a word is unknown, a mode cannot be rendered, or the page may not
        be written.
    StylemixError
        If the training did not finish, or a file cannot be read or written.
    """
    began = time.perf_counter()
    dials = _check(run, modes, controls, phase, n_sources)
    inputs = inputs_of(run)
    if out is not None:
        check_output(out, force=force, inputs=inputs)
    # A mode that is named twice is no control.
    kinds = {**dict.fromkeys(modes, False), **{name: True for name in controls if name not in modes}}
    work = _Work(run, dials, _Wanted(kinds, n_sources, both_directions, raw_alpha, ablation), seed)
    # Segments are short: threads that wait for each other cost more than they add.
    with threads(1), progress("evaluating", sum(work.costs.values()), show=show_progress) as update:
        rendered, result = work.measure(update)
        result["summary"], result["checks"] = verdict(result), checks(result)
        result["lines"] = report_lines(result)
        result["seconds"] = round(time.perf_counter() - began, 1)
        if out is not None:
            from stylemix.measure.page import write_page

            update(sum(work.costs.values()), note="page")
            result["page"] = write_page(out, result, rendered, force=force, inputs=inputs)
    return {"summary": result.pop("summary"), **result}


@dataclass(frozen=True)
class _Wanted:
    """What is measured: modes (and whether each is a control), on how many sources, which way, on which alpha."""

    modes: dict[str, bool]
    n_sources: int
    both_directions: bool
    raw_alpha: bool
    ablation: bool = False

    @property
    def directions(self) -> tuple[tuple[int, int], ...]:
        return ((0, 1), (1, 0)) if self.both_directions else ((0, 1),)


class _Work:
    """The measurements one after the other, with a bar that knows how long each takes."""

    def __init__(self, run: Run, dials: Dials, wanted: _Wanted, seed: int) -> None:
        self.run, self.dials, self.wanted, self.seed = run, dials, wanted, seed
        times = len(wanted.modes) * wanted.n_sources * len(wanted.directions)
        self.costs = {key: cost * (times if key in ("hybrids", "measuring") else 1) for key, cost in _COSTS.items()}
        # Of every source in two modes with every kind of latents.
        self.costs["ablation"] *= wanted.ablation * len(KINDS) * len(ABLATED) * wanted.n_sources
        self.update: Callable[..., None] = lambda done, note="": None

    def part(self, name: str, n: int = 1, of: int = 1) -> Callable[[float], None]:
        before = sum(list(self.costs.values())[: list(self.costs).index(name)])
        return lambda share: self.update(before + self.costs[name] * (n - 1 + share) / of, note=name)

    def measure(self, update: Callable[..., None]) -> tuple[list[dict[str, Rendered]], dict[str, Any]]:
        self.update = update
        run, seed, n_sources = self.run, self.seed, self.wanted.n_sources
        corpora = self._corpora()
        judges = appoint_judges(corpora, seed=seed)
        # Of both corpora, whichever way the hybrids go: unheard recordings are what all is compared with.
        stretches = [choose_stretches(run, corpus, n_wanted=n_sources, seconds=SOURCE_S) for corpus in (0, 1)]
        anchors = measure_anchors(stretches, judges, seed=seed)
        self.part("recordings")(1.0)
        # All is rendered before anything is measured: the bar goes through its parts once.
        ways = [self._render(stretches[own], way) for way, (own, _) in enumerate(self.wanted.directions)]
        # Seen from the other side the second corpus is the source.
        sides = [(judges, corpora), *([(appoint_judges(corpora[::-1], seed=seed), corpora[::-1])] * (len(ways) - 1))]
        modes = [self._modes(one, *side, way) for way, (one, side) in enumerate(zip(ways, sides, strict=True))]
        return ways[0], {
            "run": shown_name(run.path.name),
            "phase": self.dials.phase,
            "raw_alpha": self.wanted.raw_alpha,
            "alphas": list(ALPHAS),
            "corpora": [shown_name(name) for name in run.corpora],
            "sources": _told(stretches[0]),
            "held_out": all(s.held_out for s in stretches[0]),
            "modes": modes[0],
            "back": {"sources": _told(stretches[1]), "modes": modes[1]} if len(modes) > 1 else None,
            "anchors": anchors,
            "judges": {judge.name: judge.facts() for judge in judges},
            **self._model(ways[0], [*stretches[0][:1], *stretches[1][:1]]),
            "ablation": self._ablation(stretches[0], judges),
        }

    def _corpora(self) -> list[Described]:
        corpora = [describe_corpus(self.run, corpus, report=self.part("style", corpus + 1, 2)) for corpus in (0, 1)]
        for name, found in zip(self.run.corpora, corpora, strict=False):
            if not len(found):
                raise BadInput(f"{shown_name(name)}: holds no sound; choose other recordings and train again")
        return corpora

    def _render(self, stretches: list[Stretch], way: int) -> list[dict[str, Rendered]]:
        wanted = self.wanted
        n = len(stretches)
        return [
            render_modes(
                self.run, stretch, ALPHAS, modes=list(wanted.modes), dials=self.dials, seed=self.seed,
                other=wanted.directions[way][1], raw_alpha=wanted.raw_alpha,
                report=self.part("hybrids", way * n + k, n * len(wanted.directions)),
            )
            for k, stretch in enumerate(stretches, 1)
        ]  # fmt: skip

    def _modes(
        self, rendered: list[dict[str, Rendered]], judges: Sequence[Judge], corpora: Sequence[Described], way: int
    ) -> dict[str, dict[str, Any]]:
        modes = self.wanted.modes
        of = len(modes) * len(self.wanted.directions)
        found = {}
        for n, (mode, control) in enumerate(modes.items(), 1):
            report = self.part("measuring", way * len(modes) + n, of)
            measured = measure_mode([one[mode] for one in rendered], judges, corpora, report=report)
            found[mode] = {"control": control, **measured}
        return found

    def _model(self, rendered: list[dict[str, Rendered]], stretches: list[Stretch]) -> dict[str, Any]:
        latents = measure_latents(self.run, seed=self.seed)
        self.part("latents")(1.0)
        rebuilt = measure_rebuilding(self.run, stretches, report=self.part("rebuilding"))
        damaged = [measure_damage(self.run, next(iter(one.values()))) for one in rendered]
        return {
            "unexplained_damage": 1 - sum(damaged) / len(damaged),
            "latents": latents,
            "rebuild": rebuilt,
            "autoencoder": training_figures(self.run),
        }

    def _ablation(self, stretches: list[Stretch], judges: Sequence[Judge]) -> dict[str, Any] | None:
        if not self.wanted.ablation:
            return None
        return measure_ablation(
            self.run, stretches, judges, dials=self.dials, seed=self.seed, report=self.part("ablation")
        )


def _check(run: Run, modes: Sequence[str], controls: Sequence[str], phase: str, n_sources: int) -> Dials:
    for mode in (*modes, *controls):
        Dials(mode=mode)
    if not modes:
        raise BadInput("evaluate: modes must name one mode at least, got none")
    if not 1 <= n_sources <= MOST_SOURCES:
        raise BadInput(f"evaluate: sources must be 1 to {MOST_SOURCES}, got {n_sources}")
    dials = Dials(phase=phase)
    if len(run.corpora) < 2:
        raise BadInput(f"{shown_name(run.path)}: has one corpus; hybrids need two, train on two folders")
    return dials


def _told(stretches: Sequence[Stretch]) -> list[dict[str, Any]]:
    return [{"file": shown_name(s.path.name), **{key: getattr(s, key) for key in STRETCH_KEYS}} for s in stretches]
