"""Where hybrids go: the control beside them is a plain crossfade, and stays one beyond its parents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stylemix.audio import read_wave
from stylemix.hybrid.curve import parse_alpha
from stylemix.hybrid.writing import Outputs

RATE = 8000


def crossfade(folder: Path, alpha: str | float) -> np.ndarray:
    """Of a source of 0.25 and a target of 0.75, in blocks of unequal length."""
    outputs = Outputs(
        folder / "out.wav", folder, n_channels=1, sample_rate=RATE, out_rate=None, bits=None, force=True, inputs=[]
    )
    curve = parse_alpha(alpha, extrapolate=True)
    with outputs:
        for n in (1000, 3000, 4000):
            outputs.write(np.zeros((1, n)), np.full((1, n), 0.25), np.full((1, n), 0.75), curve)
    return read_wave(folder / "crossfade.wav").samples[0]


def test_the_crossfade_follows_the_curve_across_blocks(tmp_path: Path) -> None:
    np.testing.assert_allclose(crossfade(tmp_path, "0:0,1:1"), 0.25 + 0.5 * np.arange(RATE) / RATE, atol=1e-6)


@pytest.mark.parametrize(("alpha", "level"), [(0.0, 0.25), (0.5, 0.5), (1.0, 0.75), (-0.5, 0.25), (1.6, 0.75)])
def test_beyond_its_parents_a_crossfade_stays_with_the_nearer_one(tmp_path: Path, alpha: float, level: float) -> None:
    np.testing.assert_allclose(crossfade(tmp_path, alpha), level, atol=1e-6)
