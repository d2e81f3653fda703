"""The measurements of a run, as numbers: hybrids beside crossfades, rebuilt files beside the best."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stylemix.audio import shown_name
from stylemix.measure.evidence import Rendered, Stretch, style_of
from stylemix.measure.metrics import (
    chroma_correlation,
    fade_r2,
    kernel_distance,
    path_evenness,
    spectral_convergence_db,
    standardised,
)

if TYPE_CHECKING:
    from stylemix.model.run import Run
    from stylemix.style_probe import StyleProbe

KINDS = ("hybrid", "crossfade")
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


def measure_hybrids(
    rendered: Sequence[Rendered],
    styles: Sequence[np.ndarray],
    probe: StyleProbe,
    *,
    report: Callable[[float], None] = lambda done: None,
) -> dict[str, Any]:
    """Measure hybrids and the crossfades of the same parents, at every alpha.

    Parameters
    ----------
    rendered : sequence of Rendered
        All at the same alphas, from 0 to 1 in equal steps.
    styles : sequence of np.ndarray, shape (S, F)
        Style features of the corpus at alpha 0 and at alpha 1.
    probe : StyleProbe
        Its last label is the corpus at alpha 1.
    report : callable
        ``report(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    dict
        JSON-safe: by_alpha (for each: alpha, and for hybrid and crossfade p_b, unexplained, kad_source,
        kad_target, kad_union, chroma; a value is None where it cannot be measured), path (non_linearity and
        non_smoothness of both) and alpha0_sc2048_db, the worst of the stretches.
    """
    alphas = list(rendered[0].hybrids)
    rows: list[dict[str, Any]] = []
    paths: dict[str, list[np.ndarray]] = {kind: [] for kind in KINDS}
    pairs = [(alpha, kind) for alpha in alphas for kind in KINDS]
    for n, (alpha, kind) in enumerate(pairs):
        waves = [r.hybrids[alpha] if kind == "hybrid" else r.crossfade(alpha) for r in rendered]
        features = np.concatenate([style_of(wave) for wave in waves])
        explained = [fade_r2(w, r.source, r.target) for w, r in zip(waves, rendered, strict=True)]
        harmony = [chroma_correlation(w, r.source) for w, r in zip(waves, rendered, strict=True)]
        if kind == KINDS[0]:
            rows.append({"alpha": alpha})
        rows[-1][kind] = {
            **_by_style(features, styles, probe),
            "unexplained": 1 - max(0.0, float(np.mean(explained))),
            "chroma": float(np.mean(harmony)),
        }
        if len(features):
            paths[kind].append(standardised(features, np.concatenate(styles)).mean(axis=0))
        report((n + 1) / len(pairs))
    first = [spectral_convergence_db(r.source.samples, r.hybrids[alphas[0]].samples) for r in rendered]
    return {
        "by_alpha": rows,
        "path": {kind: _evenness(paths[kind], len(alphas)) for kind in KINDS},
        "alpha0_sc2048_db": max(first),
    }


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


def _by_style(features: np.ndarray, styles: Sequence[np.ndarray], probe: StyleProbe) -> dict[str, float | None]:
    if not len(features):
        return {"p_b": None, "kad_source": None, "kad_target": None, "kad_union": None}
    references = {"kad_source": styles[0], "kad_target": styles[1], "kad_union": np.concatenate(styles)}
    distances = {
        key: kernel_distance(features, reference) if min(len(features), len(reference)) > 1 else None
        for key, reference in references.items()
    }
    return {"p_b": float(probe.predict_proba(features)[:, -1].mean()), **distances}


def _evenness(path: Sequence[np.ndarray], n_alphas: int) -> dict[str, float | None]:
    found: tuple[float | None, float | None] = (None, None)
    if len(path) == n_alphas and np.any(path[0] != path[-1]):
        found = path_evenness(np.array(path))
    return {"non_linearity": found[0], "non_smoothness": found[1]}
