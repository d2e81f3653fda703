"""The model card: what a run is, what it was made from, how good it is, what it is not for."""

from __future__ import annotations

from typing import Any

from stylemix.audio import shown_name
from stylemix.model.run import Run
from stylemix.model.workplace import ENDINGS

_HEARS = {
    "vqt": "Its features are the transform alone (vqt).",
    "vqt+scattering": "Its encoder also hears how each band moves: time scattering around every step (vqt+scattering).",
    "vqt+joint": "Its encoder also hears how the bands move together: joint scattering around every step (vqt+joint).",
}


def model_card(run: Run, *, verdict: list[str]) -> str:
    """Write the card of a finished run.

    Parameters
    ----------
    run : Run
        With its metrics.
    verdict : list of str
        What the corpus doctor said, a line each.

    Returns
    -------
    str
        Markdown for people; only numbers that were measured.
    """
    facts, m = run.describe(), run.metrics
    rows = [f"| {_cell(c['name'])} | {c['files']} | {c['minutes']} | {c['held_out_files']} |" for c in facts["corpora"]]
    lines = [
        f"# {_cell(run.path.name)}",
        "",
        f"A stylemix run: one latent space learned without labels from {len(rows)} corpora.",
        "",
        "| corpus | files | minutes | files held out |",
        "|---|---|---|---|",
        *rows,
        "",
        "## What it is",
        f"An autoencoder of {facts['parameters']:,} parameters over {facts['bands']} bands of a variable-Q transform "
        f"at {facts['sample_rate']} Hz: {facts['latent_dim']} numbers, {facts['latent_rate_hz']} times a second.",
        "It started as PCA and was told the corpus of every frame. Loudness is kept apart from it.",
        _HEARS[facts["features"]],
        "",
        "## How well it knows what it never heard",
        *_error_lines(m),
        "",
        *_translation_lines(m),
        "## How it was trained",
        f"{m['steps']} steps in {m['seconds'] / 60:.1f} minutes on {m['device']} ({m['precision']}), seed "
        f"{run.recipe.training.seed}; ended by: {ENDINGS[m['ended_by']]}. "
        f"The weights are those of step {m['best_step']}.",
        "",
        "## The corpora, as the doctor saw them",
        *[f"    {line}" for line in verdict],
        "",
        "## Good to know",
        "- The rights in the recordings are their owners'; a hybrid carries parts of both.",
        "- Music far from both corpora is described in their terms: listen to `stylemix rebuild` first.",
        "- `training/` is only needed to train further and may be deleted.",
        "",
    ]
    return "\n".join(lines)


def _error_lines(m: dict[str, Any]) -> list[str]:
    judged = "held-out sound" if m["held_out"] else "the training sound itself (nothing was held out)"
    long = []
    if m["pca_long_error"] is not None:
        share = m["pca_long_error"] / max(m["pca_error"], 1e-9)
        long = [f"| PCA, four steps at once | {m['pca_long_error']:.4f} | {share:.3f} |"]
    return [
        f"Squared error of log-magnitudes relative to their variance, on {judged}:",
        "",
        "| | error | of PCA's |",
        "|---|---|---|",
        f"| this model | {m['error']:.4f} | {m['error_over_pca']:.3f} |",
        f"| PCA, same numbers a step | {m['pca_error']:.4f} | 1 |",
        *long,
        "",
        "Between the corpora, a decoded point is read back as itself up to "
        f"{m['between_error']:.4f} of the variance of the latents.",
    ]


def _translation_lines(m: dict[str, Any]) -> list[str]:
    facts = m.get("translation") or {}
    if "texture_distance" not in facts:
        return []
    distance = facts["texture_distance"]
    return [
        "## How well it translates one corpus into another",
        f"Energy distance of the textures of held-out sound to the other corpora: {distance['none']:.2f} as it is, "
        f"{distance['equaliser']:.2f} after an equaliser from mean spectrum to mean spectrum, learned translation "
        f"{distance['learned']:.2f}.",
        f"Of a step's nearest neighbours {facts['corpus_near_content']:.0%} are of its own corpus by content, "
        f"{facts['corpus_near_codes']:.0%} by latents; where nothing tells them apart, of two corpora 50 %.",
        "",
    ]


def _cell(text: str) -> str:
    return " ".join(shown_name(text).replace("|", "\\|").split())
