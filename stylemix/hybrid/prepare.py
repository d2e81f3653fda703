"""Everything a hybrid needs before its first block: roles, latents, the path through the target, levels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stylemix.errors import BadInput
from stylemix.hybrid.assemble import TargetAssembler
from stylemix.hybrid.blend import Blender
from stylemix.hybrid.cross import MosaicAssembler
from stylemix.hybrid.dials import Dials
from stylemix.hybrid.modes import MODES, resolve
from stylemix.hybrid.roles import Roles
from stylemix.hybrid.scan import check_length, scan, step_samples
from stylemix.hybrid.source import SourceReader
from stylemix.hybrid.style import style_shift
from stylemix.hybrid.target_stretch import target_s, tempo_warning
from stylemix.hybrid.targets import Facts, matched, nepers
from stylemix.progress import progress

if TYPE_CHECKING:
    from stylemix.model.run import Run

SILENCE_DB = -90.0

Target = TargetAssembler | MosaicAssembler


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
    check_answers(dials.mode, n)
    blender = Blender(run.vqt, run.recipe.model.frames_per_step, resolve(dials), roles.shares)
    if kind == "none":
        shift = style_shift(run, roles.own, roles.others, roles.shares)
        return [Prepared(run, replace(blender, shift=shift), (), roles.warnings, {})]
    if kind == "mosaic":
        return [_mosaics(run, roles, source, blender, seed + i) for i in range(n)]
    conditions = roles.conditions(len(run.corpora))
    with progress("listening", source.duration_s, show=show_progress) as report:
        scanned = scan(run, source, conditions[0], report=report)
    silent = scanned.log_peak < nepers(SILENCE_DB)
    warnings = (*roles.warnings, *(["the source is silent"] if silent else []))
    if kind == "warped":
        warnings += tempo_warning(target_s(roles), source.duration_s)
    if silent:
        # There is no moment to be found for silence: any will do.
        dials = replace(dials, align="off")
    sides = [
        matched(run, roles, source, scanned, corpus, n, dials=dials, seed=seed, level=not silent)
        for corpus in roles.others
    ]
    return [
        Prepared(run, blender, tuple(side[i][0] for side in sides), warnings, _together([side[i][1] for side in sides]))
        for i in range(n)
    ]


def check_answers(mode: str, n: int) -> None:
    """Refuse several answers of a mode without a choice of material.

    Parameters
    ----------
    mode : str
        What is going to be done.
    n : int
        How many are asked for.

    Raises
    ------
    BadInput
        If there is but one.
    """
    if n > 1 and MODES[mode].target in ("none", "warped"):
        raise BadInput(f"variations: the mode {mode} has one answer; choose match, cross or fade for {n} of them")


def _mosaics(run: Run, roles: Roles, source: SourceReader, blender: Blender, seed: int) -> Prepared:
    targets = tuple(
        MosaicAssembler(source, list(roles.targets_of(corpus).values()), seed=seed) for corpus in roles.others
    )
    return Prepared(run, blender, targets, roles.warnings, {})


def _together(facts: list[Facts]) -> Facts:
    """Sum up what was found in several corpora: runs add up, the rest is averaged."""
    means: Facts = {key: float(np.mean([one[key] for one in facts])) for key in facts[0]}
    return {**means, "runs": sum(int(one["runs"]) for one in facts)}
