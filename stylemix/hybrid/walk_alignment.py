"""Aligning the two tracks of a walk: what was drawn for a moment is what the source meets in that moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stylemix.arrays import Latents
from stylemix.hybrid.align import Path, variations
from stylemix.hybrid.alignment.check import SILENCE, check
from stylemix.hybrid.dials import Dials
from stylemix.hybrid.modes import MODES
from stylemix.hybrid.target_stretch import cut
from stylemix.hybrid.track import Track
from stylemix.hybrid.warp import warp

if TYPE_CHECKING:
    from stylemix.model.run import Run

# A search needs some material to choose from: shorter stretches of the target are searched together with their
# neighbours. About a segment.
LEAST_SPAN_S = 2.0


def track_latents(run: Run, track: Track) -> Latents:
    """Put the latents of a track together from what the run has stored of its recordings.

    Parameters
    ----------
    run : Run
        The trained model.
    track : Track
        Of recordings of the run.

    Returns
    -------
    Latents
        Of each moment those of the step in which its recording is then, half a step off at most; nothing is encoded.
    """
    stored = {file: run.latents(file) for file in dict.fromkeys(cut.file for cut in track.cuts)}
    first = next(iter(stored.values()))
    per_step = max(1, round(len(first.loudness) / first.n_steps))
    n_steps = max(1, round(track.duration_s * first.step_rate_hz))
    steps = _taken(stored, track, (np.arange(n_steps) + 0.5) / first.step_rate_hz, 1)
    frames = _taken(stored, track, (np.arange(n_steps * per_step) + 0.5) / first.step_rate_hz / per_step, per_step)
    described = {
        name: np.stack([getattr(stored[f], name)[:, i] for f, i in steps], axis=1)
        for name in ("chroma", "timbre")
        if all(getattr(latents, name) is not None for latents in stored.values())
    }
    return Latents(
        np.stack([stored[f].codes[:, i] for f, i in steps], axis=1),
        np.array([stored[f].loudness[i] for f, i in frames]),
        first.sample_rate, first.hop_length, **described,
    )  # fmt: skip


def _taken(stored: dict[int, Latents], track: Track, times_s: np.ndarray, per_step: int) -> list[tuple[int, int]]:
    """File and index of the step, or the frame, at each time."""
    file, at_s = track.places(times_s)
    rate_hz = next(iter(stored.values())).step_rate_hz * per_step
    last = np.array([(len(stored[f].loudness) if per_step > 1 else stored[f].n_steps) - 1 for f in file.tolist()])
    return list(zip(file.tolist(), np.clip((at_s * rate_hz).astype(int), 0, last).tolist(), strict=True))


def align_walk(
    source: Latents, target: Latents, borders_s: np.ndarray, n: int, *, dials: Dials, n_candidates: int, seed: int
) -> list[Path]:
    """Find paths through the target's track that stay with the stretch that is its turn.

    A warp meets the source again at every border. A search goes through the stretches one by one, each at least
    `LEAST_SPAN_S` long.

    Parameters
    ----------
    source, target : Latents
        M steps each, or the target a few less or more.
    borders_s : np.ndarray, shape (R - 1,)
        Where the target's stretches meet (seconds).
    n : int
        How many paths.
    dials : Dials
        How moments are matched.
    n_candidates : int
        Nearest steps considered for a jump.
    seed : int
        Of all that is drawn.

    Returns
    -------
    list of Path
        M steps of file 0.

    Raises
    ------
    BadInput
        If the target is silent throughout, or the two do not belong together.
    """
    borders = np.round(borders_s * source.step_rate_hz).astype(int).tolist()
    if MODES[dials.mode].target == "warped":
        return [warp(source, target, dials=dials, pins=borders)]
    check(source, [target])
    edges = spans(borders, min(source.n_steps, target.n_steps), round(LEAST_SPAN_S * source.step_rate_hz))
    parts: list[list[np.ndarray]] = [[] for _ in range(n)]
    for i, (first, stop) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        # Either track may be a step longer: the last span takes what is left of both.
        ends = (source.n_steps, target.n_steps) if stop == edges[-1] else (stop, stop)
        mine, theirs = cut(source, first, ends[0]), cut(target, first, ends[1])
        # There is no moment to be found in silence: any will do.
        silent = float(theirs.loudness.max(initial=-np.inf)) < SILENCE
        for part, steps in zip(parts, _searched(mine, theirs, n, dials, n_candidates, seed + i, silent), strict=True):
            part.append(first + steps)
    return [Path(np.zeros(source.n_steps, int), np.concatenate(part)) for part in parts]


def _searched(
    mine: Latents, theirs: Latents, n: int, dials: Dials, n_candidates: int, seed: int, silent: bool
) -> list[np.ndarray]:
    if silent:
        return [np.arange(mine.n_steps) % theirs.n_steps] * n
    return [path.step for path in variations(mine, [theirs], n, dials=dials, n_candidates=n_candidates, seed=seed)]


def spans(borders: Sequence[int], n_steps: int, least: int) -> list[int]:
    """Leave out borders until all spans between them are long enough.

    Parameters
    ----------
    borders : sequence of int
        Rising.
    n_steps : int
        Where the last span ends.
    least : int
        How long each must be.

    Returns
    -------
    list of int
        From 0 to `n_steps`.

    Examples
    --------
    >>> spans([2, 10, 19], 20, 5)
    [0, 10, 20]
    """
    edges = [0]
    for border in borders:
        if border - edges[-1] >= least and n_steps - border >= least:
            edges.append(border)
    return [*edges, n_steps]
