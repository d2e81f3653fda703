"""What the source meets: recorded material of one corpus, found moment by moment and brought to the source's level."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from stylemix.arrays import Latents
from stylemix.hybrid.align import Path, variations
from stylemix.hybrid.assemble import TargetAssembler
from stylemix.hybrid.dials import Dials
from stylemix.hybrid.modes import MODES
from stylemix.hybrid.roles import Roles
from stylemix.hybrid.scan import Scan, scan, step_samples
from stylemix.hybrid.source import SourceReader
from stylemix.hybrid.target_stretch import cut, masked, steps_within
from stylemix.hybrid.track import Sound, Track
from stylemix.hybrid.walk_alignment import align_walk, track_latents

if TYPE_CHECKING:
    from stylemix.model.run import Run

# The target is brought to the source's level, by no more than this.
MOST_GAIN_DB = 24.0
# A path may drift by as much before it is spliced, or by one step where a step is longer.
SLACK_S = 0.1
# Within this, two places of the target sound like one.
APART_S = 0.5

Facts = dict[str, float | int]


def matched(
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
    """Match the source with recorded material of one corpus, in n ways.

    Parameters
    ----------
    run : Run
        The trained model.
    roles : Roles
        Who is who.
    source : SourceReader
        The source.
    scanned : Scan
        What a pass over it found.
    corpus : int
        One of those at alpha 1.
    n : int
        How many.
    dials : Dials
        How moments are matched.
    seed : int
        Of all that is drawn.
    level : bool
        Whether to bring the target to the source's level.

    Returns
    -------
    list of (TargetAssembler, dict)
        The target's sound on the source's timeline, and target_gain_db, runs, mean_run_s and apart (the share of the
        time at which it is elsewhere in the target than the first).
    """
    files = roles.targets_of(corpus)
    latents = target_latents(run, files, np.eye(len(run.corpora), dtype=np.float32)[corpus])
    paths = align(
        scanned, latents, n, dials=dials, n_candidates=run.recipe.hybrid.candidates, seed=seed,
        exclude=roles.source_index, masks=roles.masks, stretch_s=roles.target_stretch_s,
        track=next((file for file in files.values() if isinstance(file, Track)), None),
    )  # fmt: skip
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


def target_latents(run: Run, files: Mapping[int, Sound], condition: np.ndarray) -> dict[int, Latents]:
    """Return the latents of target files: the run's own, or of a file outside of it.

    Parameters
    ----------
    run : Run
        The trained model.
    files : dict of int to Path or Track
        By their place in the run's files; a negative key is a file outside, or a track.
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
        if isinstance(path, Track):
            out[index] = track_latents(run, path)
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
    stretch_s: tuple[float, float] | None = None,
    track: Track | None = None,
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
    stretch_s : tuple of float, optional
        Start and duration (seconds) of what may be used of each.
    track : Track, optional
        Where the target is that of a walk, its stretches.

    Returns
    -------
    list of Path
        Files by their position in `latents`.
    """
    keys, values = list(latents), list(latents.values())
    if track is not None:
        paths = align_walk(
            scanned.latents, values[0], track.borders_s(), n, dials=dials, n_candidates=n_candidates, seed=seed
        )
    elif MODES[dials.mode].target == "warped":
        from stylemix.hybrid.warp import warp

        first, stop = steps_within(values[0], stretch_s)
        warped = warp(scanned.latents, cut(values[0], first, stop), dials=dials)
        paths = [Path(warped.file, warped.step + first)]
    else:
        own = keys.index(exclude) if exclude in keys and len(keys) > 1 else None
        allowed = None
        if masks or stretch_s:
            allowed = [masked(latents[key], stretch_s, (masks or {}).get(key)) for key in keys]
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
    return float(np.exp(np.clip(difference, -nepers(MOST_GAIN_DB), nepers(MOST_GAIN_DB))))


def _level(loudness: np.ndarray) -> float:
    """Logarithm of the root of the mean power."""
    return 0.5 * float(np.log(np.mean(np.exp(2.0 * loudness.astype(np.float64))) + 1e-30))


def nepers(db: float) -> float:
    """Turn decibels into natural logarithms of an amplitude.

    Parameters
    ----------
    db : float
        Decibels.

    Returns
    -------
    float
        Nepers.

    Examples
    --------
    >>> round(nepers(20.0), 4)
    2.3026
    """
    return db * math.log(10) / 20
