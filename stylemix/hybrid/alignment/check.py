"""What cannot be aligned, told in one line each."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stylemix.arrays import Latents
from stylemix.errors import BadInput

# Softer than -90 dB (natural logarithm) is silence.
SILENCE = -90 * math.log(10) / 20


def check(
    source: Latents,
    targets: Sequence[Latents],
    *,
    exclude: int | None = None,
    allowed: Sequence[np.ndarray] | None = None,
) -> None:
    """Refuse what cannot be aligned.

    Parameters
    ----------
    source : Latents
        Codes of shape (D, M).
    targets : sequence of Latents
        One for each target file.
    exclude : int, optional
        Index of a target file that is left out.
    allowed : sequence of np.ndarray, optional
        For each target file a boolean for every latent step.

    Raises
    ------
    BadInput
        If a side is empty, all of the target is silent, or the two sides do not belong together.
    """
    if not source.n_steps:
        raise BadInput("hybrid: the source is shorter than one latent step; give a longer one")
    heard = [t for i, t in enumerate(targets) if i != exclude and t.n_steps]
    if not heard:
        raise BadInput("hybrid: there is no target material to match with; give --target or train on longer files")
    for target in heard:
        _check_alike("latent dimensions", len(source.codes), len(target.codes))
        _check_alike("latent steps a second", source.step_rate_hz, target.step_rate_hz)
    if all(len(t.loudness) and t.loudness.max() < SILENCE for t in heard):
        raise BadInput("hybrid: the target is silent (below -90 dB throughout); give a target that sounds")
    if allowed is not None:
        _check_allowed(targets, allowed)


def _check_alike(name: str, source: float, target: float) -> None:
    if source != target:
        raise BadInput(
            f"match: source and target must have the same {name}, got {source:g} and {target:g}; "
            "encode both with one run"
        )


def _check_allowed(targets: Sequence[Latents], allowed: Sequence[np.ndarray]) -> None:
    if len(allowed) != len(targets):
        raise BadInput(f"allowed: must be one array for each of the {len(targets)} target files, got {len(allowed)}")
    for i, (target, given) in enumerate(zip(targets, allowed, strict=True)):
        if np.asarray(given).dtype != bool or np.shape(given) != (target.n_steps,):
            raise BadInput(
                f"allowed: must hold a boolean for each of the {target.n_steps} latent steps of target file {i}, got "
                f"{np.asarray(given).dtype} of shape {np.shape(given)}"
            )
