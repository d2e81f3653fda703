"""What the model itself is worth: files encoded and decoded, a crossfade sent through it, figures of the training."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylemix.audio import shown_name
from stylemix.measure.evidence import Stretch
from stylemix.measure.metrics import fade_r2
from stylemix.measure.rendering import Rendered

if TYPE_CHECKING:
    from stylemix.model.run import Run

TRAINING_KEYS = (
    "error",
    "pca_error",
    "pca_long_error",
    "error_over_pca",
    "between_error",
    "held_out",
    "steps",
    "seconds",
)


def measure_rebuilding(
    run: Run, stretches: Sequence[Stretch], *, report: Callable[[float], None] = lambda done: None
) -> list[dict[str, Any]]:
    """Encode and decode stretches, and compare with what the same phase makes of their true magnitudes.

    Parameters
    ----------
    run : Run
        The trained model.
    stretches : sequence of Stretch
        What to rebuild.
    report : callable
        ``report(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    list of dict
        For each: file, corpus, held_out, and for the phases ``estimate`` (none but the magnitudes are known)
        and ``source`` (the file's own): sc2048_db and log_spectral_distance_db of the model's and of the true
        magnitudes (``best_…``), and loss_db, how much of the convergence the model costs.
    """
    from stylemix.hybrid.rebuild import rebuild_file

    out = []
    phases = ("estimate", "source")
    with tempfile.TemporaryDirectory() as folder:
        for n, stretch in enumerate(stretches):
            name, corpus = shown_name(stretch.path.name), shown_name(run.corpora[stretch.corpus])
            row: dict[str, Any] = {"file": name, "corpus": corpus, "held_out": stretch.held_out}
            for m, phase in enumerate(phases):
                found = rebuild_file(
                    run,
                    stretch.path,
                    out=Path(folder) / "rebuilt.wav",
                    phase=phase,
                    start_s=stretch.start_s,
                    duration_s=stretch.duration_s,
                    force=True,
                    show_progress=False,
                )
                row[phase] = {key: value for key, value in found.items() if key.endswith("_db")}
                row[phase]["loss_db"] = found["sc2048_db"] - found["best_sc2048_db"]
                report((n + (m + 1) / len(phases)) / len(stretches))
            out.append(row)
    return out


def measure_damage(run: Run, one: Rendered, *, alpha: float = 0.5) -> float:
    """Measure how much of a crossfade is still explained as one after it has gone through the model.

    What the model gets wrong counts as new to `fade_r2`; this tells how much of it there is.

    Parameters
    ----------
    run : Run
        The trained model.
    one : Rendered
        The parents.
    alpha : float
        How much of the target.

    Returns
    -------
    float
        1 for a model without a fault.
    """
    from stylemix.audio import read_wave
    from stylemix.hybrid.rebuild import rebuild_file

    with tempfile.TemporaryDirectory() as folder:
        fade, again = Path(folder) / "fade.wav", Path(folder) / "again.wav"
        one.crossfade(alpha).save(fade, bits="32f")
        rebuild_file(run, fade, out=again, bits="32f", show_progress=False)
        return max(0.0, fade_r2(read_wave(again), one.source, one.target))


def training_figures(run: Run) -> dict[str, Any]:
    """Collect what the training measured about the autoencoder.

    Parameters
    ----------
    run : Run
        The trained model.

    Returns
    -------
    dict
        JSON-safe: error, pca_error, pca_long_error, error_over_pca, between_error, held_out, steps, seconds
        and curve (seconds and held-out error of each measurement); what a run does not tell is missing.
    """
    found = {key: run.metrics[key] for key in TRAINING_KEYS if key in run.metrics}
    curve = run.metrics.get("curve", [])
    return {**found, "curve": [[row[0], row[-1]] for row in curve]}
