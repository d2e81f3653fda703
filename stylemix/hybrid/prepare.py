"""Everything a hybrid needs before its first block: roles, latents, the path through the target, levels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stylemix.arrays import Latents
from stylemix.hybrid.align import Path, match
from stylemix.hybrid.assemble import TargetAssembler
from stylemix.hybrid.blend import Blender
from stylemix.hybrid.roles import Roles
from stylemix.hybrid.scan import Scan, scan, step_samples
from stylemix.hybrid.source import SourceReader
from stylemix.hybrid.transport import gaussian_transport, latent_statistics
from stylemix.progress import progress

if TYPE_CHECKING:
    from stylemix.model.run import Run

# The target is brought to the source's level, by no more than this.
MOST_GAIN_DB = 24.0
SILENCE_DB = -90.0
# A path may drift by as much before it is spliced, or by one step where a step is longer.
SLACK_S = 0.1


@dataclass(frozen=True)
class Prepared:
    """What stays the same over all blocks.

    Parameters
    ----------
    blender : Blender
        Renders blocks.
    target : TargetAssembler or None
        The matched target; None in the mode ``style``.
    warnings : tuple of str
        What the user should know.
    facts : dict
        What goes into the result: the gain on the target and, where there is a path, its runs.
    """

    blender: Blender
    target: TargetAssembler | None
    warnings: tuple[str, ...]
    facts: dict[str, float | int]


def prepare(
    run: Run,
    roles: Roles,
    source: SourceReader,
    *,
    mode: str,
    phase: str,
    seed: int,
    show_progress: bool,
    quality: str = "good",
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
    mode, phase : str
        See `hybrid_file`.
    seed : int
        For the choice of the material that is searched.
    show_progress : bool
        Show a bar on stderr.
    quality : str
        See `hybrid_file`.

    Returns
    -------
    Prepared
        Ready to render.
    """
    conditions = roles.conditions(len(run.corpora))
    with progress("listening", source.duration_s, show=show_progress) as report:
        scanned = scan(run, source, conditions[0], report=report)
    warnings = list(roles.warnings)
    silent = scanned.log_peak < _log(SILENCE_DB)
    if silent:
        warnings.append("the source is silent")
    latents = target_latents(run, roles, conditions[1])
    blender = Blender(run, conditions, scanned.log_peak, phase=phase, quality=quality)
    if mode == "style":
        before = latent_statistics(_corpus_codes(run, roles.own))
        after = latent_statistics(x.codes for x in latents.values())
        transport = gaussian_transport(before, after)
        return Prepared(replace(blender, transport=transport), None, tuple(warnings), {})
    path, facts = align(
        scanned,
        latents,
        mode=mode,
        n_candidates=run.recipe.hybrid.candidates,
        seed=seed,
        exclude=roles.source_index,
    )
    gain = 1.0 if silent else level_gain(scanned.latents, list(latents.values()), path)
    target = TargetAssembler(
        path,
        list(roles.targets.values()),
        step_samples=step_samples(run),
        sample_rate=run.vqt.sample_rate,
        n_channels=source.n_channels,
        gain=gain,
    )
    return Prepared(blender, target, tuple(warnings), {"target_gain_db": 20 * math.log10(gain), **facts})


def target_latents(run: Run, roles: Roles, condition: np.ndarray) -> dict[int, Latents]:
    """Return the latents of every target file: the run's own, or of a file outside of it.

    Parameters
    ----------
    run : Run
        The trained model.
    roles : Roles
        Who is who.
    condition : np.ndarray, shape (n_corpora,)
        The corpus as which a file outside is encoded.

    Returns
    -------
    dict of int to Latents
        Keys and order as in ``roles.targets``.
    """
    out = {}
    for index, path in roles.targets.items():
        if index >= 0:
            out[index] = run.latents(index)
            continue
        with SourceReader(path, model_rate=run.vqt.sample_rate) as reader:
            out[index] = scan(run, reader, condition).latents
    return out


def align(
    scanned: Scan,
    latents: dict[int, Latents],
    *,
    mode: str,
    n_candidates: int,
    seed: int,
    exclude: int | None,
) -> tuple[Path, dict[str, float | int]]:
    """Find the path through the target.

    Parameters
    ----------
    scanned : Scan
        The source.
    latents : dict of int to Latents
        The targets.
    mode : {"match", "morph"}
        Search everywhere, or keep the order of one file.
    n_candidates : int
        Moments of the target considered as the match of one moment of the source.
    seed : int
        For the choice of the material that is searched.
    exclude : int, optional
        Key of a target that is the source itself.

    Returns
    -------
    path : Path
        Files by their position in `latents`.
    facts : dict
        Number of runs and their mean length in seconds.
    """
    keys, values = list(latents), list(latents.values())
    if mode == "morph":
        from stylemix.hybrid.warp import warp

        path = warp(scanned.latents, values[0])
    else:
        own = keys.index(exclude) if exclude in keys and len(keys) > 1 else None
        path = match(scanned.latents, values, n_candidates=n_candidates, seed=seed, exclude=own)
    path = path.held(max(1, round(SLACK_S * scanned.latents.step_rate_hz)))
    lengths = np.diff(path.runs(), axis=1)[:, 0] / scanned.latents.step_rate_hz
    return path, {"runs": len(lengths), "mean_run_s": float(lengths.mean())}


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


def _corpus_codes(run: Run, corpus: int) -> list[np.ndarray]:
    return [run.latents(i).codes for i, f in enumerate(run.files) if f.corpus == corpus]


def _level(loudness: np.ndarray) -> float:
    """Logarithm of the root of the mean power."""
    return 0.5 * float(np.log(np.mean(np.exp(2.0 * loudness.astype(np.float64))) + 1e-30))


def _log(db: float) -> float:
    return db * math.log(10) / 20
