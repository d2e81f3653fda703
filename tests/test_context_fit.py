"""The context's centre and whitening: closed forms on made-up contexts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stylemix.errors import BadInput
from stylemix.model import context_fit
from stylemix.model.context_fit import fit_context
from stylemix.model.material import Material, Piece

F, R = 4, 5
MIX = np.random.default_rng(9).standard_normal((R, R))


def piece(corpus: int, n_steps: int, *, held_out: bool = False, quiet_from: int | None = None) -> Piece:
    rng = np.random.default_rng(corpus + 10 * n_steps + 100 * held_out)
    context = rng.standard_normal((n_steps, R)) @ MIX + 3 * corpus
    frames = np.zeros((n_steps * F, 6), dtype=np.float32)
    if quiet_from is not None:
        # -87 dB, and another context.
        frames[quiet_from * F :] = -10
        context[quiet_from:] += 50
    return Piece(frames, corpus, 0, n_steps * F, held_out, context.astype(np.float32))


def material(*pieces: Piece, weights: dict[str, float] | None = None) -> Material:
    return Material(["a", "b"], pieces, weights=weights or {}, floor_db=-60, frames_per_step=F)


def reduced(m: Material, one: Piece, means: torch.Tensor, basis: torch.Tensor) -> torch.Tensor:
    context = m.context(one, one.start, one.stop)
    assert context is not None
    return basis @ (context - means[one.corpus][:, None])


@pytest.mark.parametrize("match", [True, False])
def test_what_is_learned_from_becomes_white(match: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context_fit, "_CHUNK_STEPS", 100)
    m = material(piece(0, 3000), piece(1, 1000), piece(0, 500, held_out=True))
    means, basis = fit_context(m, size=R, match_spectrum=match)
    parts = [reduced(m, one, means, basis).double() for one in m.pieces[:2]]
    # Every corpus counts the same, whatever its length.
    covariance = sum(x @ x.T / x.shape[1] for x in parts) / 2
    torch.testing.assert_close(covariance, torch.eye(R, dtype=torch.float64), atol=2e-3, rtol=0)
    centres = torch.stack([x.mean(1) for x in parts])
    assert centres.sum(0).abs().max() < 1e-3
    assert (centres.abs().max() < 1e-3) == match


def test_the_largest_directions_are_kept() -> None:
    m = material(piece(0, 2000), piece(1, 2000))
    few = fit_context(m, size=2, match_spectrum=True)[1]
    torch.testing.assert_close(few, fit_context(m, size=R, match_spectrum=True)[1][:2])


def test_pauses_do_not_count() -> None:
    means = [
        fit_context(material(piece(0, 400, quiet_from=quiet), piece(1, 400)), size=R, match_spectrum=True)[0]
        for quiet in (300, None)
    ]
    assert (means[0][0] - means[1][0]).abs().max() < 0.3


def test_directions_that_do_not_vary_are_silent() -> None:
    still = Piece(np.zeros((40, 6), dtype=np.float32), 0, 0, 40, False, np.ones((10, R), dtype=np.float16))
    other = Piece(np.zeros((40, 6), dtype=np.float32), 1, 0, 40, False, np.ones((10, R), dtype=np.float16))
    means, basis = fit_context(material(still, other), size=R + 2, match_spectrum=True)
    assert basis.shape == (R + 2, R)
    assert not basis.any()
    torch.testing.assert_close(means, torch.ones(2, R))


def test_material_without_a_context_is_refused() -> None:
    bare = Piece(np.zeros((40, 6), dtype=np.float32), 0, 0, 40, False)
    with pytest.raises(BadInput, match="the pieces have no context"):
        fit_context(Material(["a"], [bare], weights={}, floor_db=-60, frames_per_step=F), size=2, match_spectrum=True)
