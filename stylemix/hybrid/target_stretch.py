"""A stretch of a target file in place of all of it: what may be asked for, and which latent steps it is."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from stylemix.arrays import Latents
from stylemix.audio import probe, shown_name
from stylemix.errors import BadInput
from stylemix.hybrid.modes import MODES
from stylemix.hybrid.roles import Roles
from stylemix.hybrid.track import Track

# From here on a piece that is warped in time is told apart from itself by its tempo.
FARTHEST_RATIO = 2.0


def check_target_stretch(
    target: str | Path | None, start_s: float, duration_s: float | None, *, mode: str
) -> tuple[float, float] | None:
    """Read which stretch of the target is asked for.

    Parameters
    ----------
    target : str or Path, optional
        The target's file, as the user gave it.
    start_s : float
        Where the stretch begins (seconds).
    duration_s : float, optional
        Its length (seconds); to the end of the file by default.
    mode : str
        What is going to be done.

    Returns
    -------
    tuple of float or None
        Start and duration (seconds), within the file; None where all of it is meant.

    Raises
    ------
    BadInput
        If there is no file to take a stretch of, the mode does not go through one in time, or the file is shorter.

    Examples
    --------
    >>> check_target_stretch(None, 0.0, 5.0, mode="match")
    Traceback (most recent call last):
    ...
    stylemix.errors.BadInput: hybrid: --target-start and --target-duration cut a target file; add --target FILE
    """
    if start_s == 0 and duration_s is None:
        return None
    if target is None:
        raise BadInput("hybrid: --target-start and --target-duration cut a target file; add --target FILE")
    if MODES[mode].target not in ("searched", "warped"):
        raise BadInput(
            f"hybrid: --target-start and --target-duration cannot go with the mode {mode}; leave them out, or choose "
            "match, morph or fade"
        )
    if not (math.isfinite(start_s) and start_s >= 0):
        raise BadInput(f"target-start: must be 0 or more seconds, got {start_s:g}")
    if duration_s is not None and not (math.isfinite(duration_s) and duration_s > 0):
        raise BadInput(f"target-duration: must be more than 0 seconds, got {duration_s:g}")
    lasts_s = probe(target).duration_s
    if start_s >= lasts_s:
        raise BadInput(
            f"{shown_name(target)}: lasts {lasts_s:.3f} s; there is nothing at {start_s:g} s, choose an earlier "
            "--target-start"
        )
    return start_s, min(duration_s or math.inf, lasts_s - start_s)


def steps_within(latents: Latents, stretch_s: tuple[float, float] | None) -> tuple[int, int]:
    """Return the latent steps that a stretch touches.

    Parameters
    ----------
    latents : Latents
        Of the whole file, M steps.
    stretch_s : tuple of float or None
        Start and duration (seconds); None for all of it.

    Returns
    -------
    first, stop : int
        At least one step, 0 <= first < stop <= M.

    Examples
    --------
    >>> latents = Latents(np.zeros((1, 20)), np.zeros(20), 8000, 800)
    >>> steps_within(latents, (0.5, 1.0)), steps_within(latents, None)
    ((5, 15), (0, 20))
    """
    if stretch_s is None:
        return 0, latents.n_steps
    start_s, duration_s = stretch_s
    # What a container says of its length may be a little more than what is in it.
    first = min(round(start_s * latents.step_rate_hz), latents.n_steps - 1)
    return first, min(max(first + 1, round((start_s + duration_s) * latents.step_rate_hz)), latents.n_steps)


def cut(latents: Latents, first: int, stop: int) -> Latents:
    """Take some steps out of latents.

    Parameters
    ----------
    latents : Latents
        M steps.
    first, stop : int
        The first step, and one past the last.

    Returns
    -------
    Latents
        Of ``stop - first`` steps.
    """
    frames = math.ceil(len(latents.loudness) / latents.n_steps)
    chroma, timbre = (None if part is None else part[:, first:stop] for part in (latents.chroma, latents.timbre))
    return replace(
        latents, codes=latents.codes[:, first:stop], loudness=latents.loudness[first * frames : stop * frames],
        chroma=chroma, timbre=timbre,
    )  # fmt: skip


def masked(latents: Latents, stretch_s: tuple[float, float] | None, mask: np.ndarray | None = None) -> np.ndarray:
    """Mark the steps that may be used.

    Parameters
    ----------
    latents : Latents
        Of the whole file, M steps.
    stretch_s : tuple of float or None
        Start and duration (seconds); None for all of it.
    mask : np.ndarray, shape (M,), bool, optional
        What else restricts them.

    Returns
    -------
    np.ndarray, shape (M,), bool
        True within both.

    Raises
    ------
    BadInput
        If there is no step within both.
    """
    first, stop = steps_within(latents, stretch_s)
    steps = np.arange(latents.n_steps)
    both = (steps >= first) & (steps < stop) & (True if mask is None else mask)
    if not both.any():
        raise BadInput(
            "hybrid: there is nothing of --target-cluster within --target-start and --target-duration; choose another "
            "stretch, or leave the cluster out"
        )
    return both


def target_s(roles: Roles) -> float:
    """Return how much there is of a target that is one file.

    Parameters
    ----------
    roles : Roles
        With one target file.

    Returns
    -------
    float
        Seconds of its stretch, or of all of it.
    """
    if roles.target_stretch_s is not None:
        return roles.target_stretch_s[1]
    target = next(iter(roles.targets.values()))
    return target.duration_s if isinstance(target, Track) else float(probe(target).duration_s)


def tempo_warning(lasts_s: float, source_s: float) -> tuple[str, ...]:
    """Warn where a whole target is brought to another length by much.

    Parameters
    ----------
    lasts_s, source_s : float
        How long the target and the source last (seconds).

    Returns
    -------
    tuple of str
        One line, or none.

    Examples
    --------
    >>> tempo_warning(60.0, 20.0)[0]
    'the target lasts 60 s, the source 20 s: it is squeezed 3 times; choose a stretch with --target-start and \
--target-duration'
    >>> tempo_warning(40.0, 20.0)
    ()
    """
    ratio = lasts_s / source_s
    if 1 / FARTHEST_RATIO <= ratio <= FARTHEST_RATIO:
        return ()
    # A target that is too short cannot be cut to fit: it is the source of which less must be taken.
    what, by, way_out = (
        ("squeezed", ratio, "--target-start and --target-duration") if ratio > 1 else
        ("stretched", 1 / ratio, "--start and --duration")
    )  # fmt: skip
    return (
        f"the target lasts {lasts_s:.3g} s, the source {source_s:.3g} s: it is {what} {by:.2g} times; choose a "
        f"stretch with {way_out}",
    )
