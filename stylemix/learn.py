"""Train a run and space its alpha: what the command `train` and the Python API do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stylemix.model.run import Run


def train(
    folders: Sequence[str | Path], *, calibrated: bool = True, show_progress: bool = True, **options: Any
) -> Run:
    """Learn one latent space from two folders of recordings or more, and how its alpha is spaced.

    Parameters
    ----------
    folders : sequence of paths
        One for each style; the first is alpha 0.
    calibrated : bool
        Measure how alpha is spaced, after the training (see `stylemix.measure.calibrate.calibrate`).
    show_progress : bool
        Show bars on stderr.
    **options
        As for `stylemix.model.training.train`: out, recipe, minutes, steps, device, seed, resume, force.

    Returns
    -------
    Run
        The finished run.

    Raises
    ------
    BadInput
        If an input is wrong.
    StylemixError
        If the training cannot go on.
    """
    from stylemix.model.artefact import ALPHA
    from stylemix.model.training import train as train_model

    run = train_model(folders, show_progress=show_progress, **options)
    if calibrated and run.recipe.hybrid.calibrate and not (run.path / ALPHA).exists():
        from stylemix.measure.calibrate import calibrate

        calibrate(run, seed=run.recipe.training.seed, show_progress=show_progress)
    return run
