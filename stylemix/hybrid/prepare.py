"""Everything a hybrid needs before its first block: roles, latents, the path through the target, levels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

import numpy as np

from stylemix.arrays import Latents
from stylemix.errors import BadInput
from stylemix.hybrid.align import Path, variations
from stylemix.hybrid.assemble import TargetAssembler
from stylemix.hybrid.blend import Blender
from stylemix.hybrid.cross import MosaicAssembler
from stylemix.hybrid.dials import Dials
from stylemix.hybrid.modes import MODES, resolve
from stylemix.hybrid.roles import Roles
from stylemix.hybrid.scan import Scan, check_length, scan, step_samples
from stylemix.hybrid.source import SourceReader
from stylemix.hybrid.style import style_shift
from stylemix.progress import progress

if TYPE_CHECKING:
    from stylemix.model.run import Run

# The target is brought to the source's level, by no more than this.
MOST_GAIN_DB = 24.0
SILENCE_DB = -90.0
# A path may drift by as much before it is spliced, or by one step where a step is longer.
SLACK_S = 0.1
# Within this, two places of the target sound like one.
APART_S = 0.5

Target = TargetAssembler | MosaicAssembler
Facts = dict[str, float | int]


@dataclass(frozen=True)
class Prepared:
    """What stays the same over all blocks.

    Parameters
    ----------
    run : Run
        The trained model.
    blender : Blender
        Renders blocks.
    targets : tuple of TargetAssembler or MosaicAssembler
        What the source meets, one for each corpus at alpha 1; none in the mode ``style``.
    warnings : tuple of str
        What the user should know.
    facts : dict
        What goes into the result: the gain on the target and, where there is a path, its runs.
    """

    run: Run
    blender: Blender
    targets: tuple[Target, ...]
    warnings: tuple[str, ...]
    facts: Facts


def prepare(
    run: Run, roles: Roles, source: SourceReader, *, dials: Dials, seed: int = 0, show_progress: bool = False
) -> Prepared:
    """Scan the source, and find what each moment of it is going to meet.

    Parameters
    ----------
    run : Run
        The trained model.
    roles : Roles
        Who is who.
    source : SourceReader
        The source.
    dials : Dials
        What the user turned.
    seed : int
        Of all that is drawn.
    show_progress : bool
        Show a bar on stderr.

    Returns
    -------
    Prepared
        Ready to render.

    Raises
    ------
    BadInput
        If the source is shorter than a latent step, or there is nothing to match with.
    """
    return prepare_variations(run, roles, source, 1, dials=dials, seed=seed, show_progress=show_progress)[0]


def prepare_variations(
    run: Run, roles: Roles, source: SourceReader, n: int, *, dials: Dials, seed: int = 0, show_progress: bool = False
) -> list[Prepared]:
    """Prepare several answers to one question, which differ in what the source meets.

    Parameters
    ----------
    run : Run
        The trained model.
    roles : Roles
        Who is who.
    source : SourceReader
        The source.
    n : int
        How many.
    dials : Dials
        What the user turned.
    seed : int
        Of all that is drawn.
    show_progress : bool
        Show a bar on stderr.

    Returns
    -------
    list of Prepared
        The first is what `prepare` gives.

    Raises
    ------
    BadInput
        As `prepare`, and where there is but one answer: a mode without a choice of material.
    """
    check_length(source, step_samples(run))
    kind = MODES[dials.mode].target
    if n > 1 and kind in ("none", "warped"):
        raise BadInput(f"variations: the mode {dials.mode} has one answer; choose match, cross or fade for {n} of them")
    blender = Blender(run.vqt, run.recipe.model.frames_per_step, resolve(dials), roles.shares)
    if kind == "none":
        shift = style_shift(run, roles.own, roles.others, roles.shares)
        return [Prepared(run, replace(blender, shift=shift), (), roles.warnings, {})]
    if kind == "mosaic":
        return [_mosaics(run, roles, source, blender, seed + i) for i in range(n)]
    conditions = roles.conditions(len(run.corpora))
    with progress("listening", source.duration_s, show=show_progress) as report:
        scanned = scan(run, source, conditions[0], report=report)
    silent = scanned.log_peak < _log(SILENCE_DB)
    warnings = (*roles.warnings, *(["the source is silent"] if silent else []))
    if silent:
        # There is no moment to be found for silence: any will do.
        dials = replace(dials, align="off")
    sides = [
        _matched(run, roles, source, scanned, corpus, n, dials=dials, seed=seed, level=not silent)
        for corpus in roles.others
    ]
    return [
        Prepared(run, blender, tuple(side[i][0] for side in sides), warnings, _together([side[i][1] for side in sides]))
        for i in range(n)
    ]


def _mosaics(run: Run, roles: Roles, source: SourceReader, blender: Blender, seed: int) -> Prepared:
    targets = tuple(
        MosaicAssembler(source, list(roles.targets_of(corpus).values()), seed=seed) for corpus in roles.others
    )
    return Prepared(run, blender, targets, roles.warnings, {})


def _matched(
    run: Run,
    roles: Roles,
    source: SourceReader,
    scanned: Scan,
    corpus: int,
    n: int,
    *,
    dials: Dials,
    seed: int,
    level: bool,
) -> list[tuple[TargetAssembler, Facts]]:
    """Match the source with recorded material of one corpus, in n ways."""
    files = roles.targets_of(corpus)
    latents = target_latents(run, files, np.eye(len(run.corpora), dtype=np.float32)[corpus])
    paths = align(
        scanned,
        latents,
        n,
        dials=dials,
        n_candidates=run.recipe.hybrid.candidates,
        seed=seed,
        exclude=roles.source_index,
        masks=roles.masks,
    )
    found = []
    for path in paths:
        gain = level_gain(scanned.latents, list(latents.values()), path) if level else 1.0
        target = TargetAssembler(
            path,
            list(files.values()),
            step_samples=step_samples(run),
            sample_rate=run.vqt.sample_rate,
            n_channels=source.n_channels,
            gain=gain,
        )
        lengths = np.diff(path.runs(), axis=1)[:, 0] / scanned.latents.step_rate_hz
        facts: Facts = {"target_gain_db": 20 * math.log10(gain), "runs": len(lengths), "mean_run_s": lengths.mean()}
        facts["apart"] = path.apart(paths[0], slack=max(1, round(APART_S * scanned.latents.step_rate_hz)))
        found.append((target, {key: float(value) for key, value in facts.items()} | {"runs": len(lengths)}))
    return found


def _together(facts: list[Facts]) -> Facts:
    """Sum up what was found in several corpora: runs add up, the rest is averaged."""
    means: Facts = {key: float(np.mean([one[key] for one in facts])) for key in facts[0]}
    return {**means, "runs": sum(int(one["runs"]) for one in facts)}


def target_latents(run: Run, files: Mapping[int, FilePath], condition: np.ndarray) -> dict[int, Latents]:
    """Return the latents of target files: the run's own, or of a file outside of it.

    Parameters
    ----------
    run : Run
        The trained model.
    files : dict of int to Path
        By their place in the run's files; a negative key is a file outside.
    condition : np.ndarray, shape (n_corpora,)
        The corpus as which a file outside is encoded.

    Returns
    -------
    dict of int to Latents
        Keys and order as in `files`.
    """
    out = {}
    for index, path in files.items():
        if index >= 0:
            out[index] = run.latents(index)
            continue
        with SourceReader(path, model_rate=run.vqt.sample_rate) as reader:
            out[index] = scan(run, reader, condition).latents
    return out


def align(
    scanned: Scan,
    latents: dict[int, Latents],
    n: int = 1,
    *,
    dials: Dials,
    n_candidates: int,
    seed: int,
    exclude: int | None,
    masks: Mapping[int, np.ndarray] | None = None,
) -> list[Path]:
    """Find paths through the target.

    Parameters
    ----------
    scanned : Scan
        The source.
    latents : dict of int to Latents
        The targets.
    n : int
        How many.
    dials : Dials
        Whether to search everywhere or to keep the order of one file, and how.
    n_candidates : int
        Moments of the target considered as the match of one moment of the source.
    seed : int
        Of all that is drawn.
    exclude : int, optional
        Key of a target that is the source itself.
    masks : dict of int to np.ndarray, shape (M,), bool, optional
        By key, the latent steps that may be used.

    Returns
    -------
    list of Path
        Files by their position in `latents`.
    """
    keys, values = list(latents), list(latents.values())
    if MODES[dials.mode].target == "warped":
        from stylemix.hybrid.warp import warp

        paths = [warp(scanned.latents, values[0], dials=dials)]
    else:
        own = keys.index(exclude) if exclude in keys and len(keys) > 1 else None
        allowed = [masks[key] for key in keys] if masks else None
        paths = variations(
            scanned.latents,
            values,
            n,
            dials=dials,
            n_candidates=n_candidates,
            seed=seed,
            exclude=own,
            allowed=allowed,
        )
    return [path.held(max(1, round(SLACK_S * scanned.latents.step_rate_hz))) for path in paths]


def level_gain(source: Latents, targets: list[Latents], path: Path) -> float:
    """Return the factor that gives the matched target the source's mean power.

    Parameters
    ----------
    source : Latents
        The source.
    targets : list of Latents
        The targets.
    path : Path
        What is taken of them.

    Returns
    -------
    float
        At most `MOST_GAIN_DB` up or down.
    """
    from stylemix.hybrid.align import step_loudness

    loudness = np.empty(path.n_steps)
    for i in np.unique(path.file):
        here = path.file == i
        steps = step_loudness(targets[i])
        loudness[here] = steps[np.minimum(path.step[here], len(steps) - 1)]
    difference = _level(step_loudness(source)) - _level(loudness)
    return float(np.exp(np.clip(difference, -_log(MOST_GAIN_DB), _log(MOST_GAIN_DB))))


def _level(loudness: np.ndarray) -> float:
    """Logarithm of the root of the mean power."""
    return 0.5 * float(np.log(np.mean(np.exp(2.0 * loudness.astype(np.float64))) + 1e-30))


def _log(db: float) -> float:
    return db * math.log(10) / 20
