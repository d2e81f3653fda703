"""Joint scattering hears directions: rising and falling, moved in pitch, turned in time."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch

from stylemix.transforms import TimeScattering
from stylemix.transforms.joint import JointScattering

RATE = 8000


def chirp(octaves_per_s: float, n: int = 2**13 + 1) -> torch.Tensor:
    """A tone whose pitch rises evenly, faded in and out, through 566 Hz in the middle."""
    t = (torch.arange(n, dtype=torch.float64) - n // 2) / RATE
    growth = octaves_per_s * log(2)
    return torch.cos(2 * torch.pi * 566 / growth * torch.exp(growth * t)) * torch.exp(-0.5 * (t / 0.15) ** 2)


def difference(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).norm() / a.norm())


@pytest.mark.parametrize("octaves_per_s", [2.0, 4.0, 8.0])
def test_rising_and_falling_part(octaves_per_s: float) -> None:
    joint = JointScattering(RATE, J=10, Q=8, J_fr=3, F="global", pad="zero")
    meta = joint.meta()
    s = joint.forward(chirp(octaves_per_s)).array.square().sum(-1)
    rising, falling = (float(s[meta["spin"] == spin].sum()) for spin in (1, -1))
    assert rising > 40 * falling
    # A wave over time and log-frequency moves by its rate over its quefrency: (cycles / s) / (cycles / octave).
    loudest = int((s * torch.from_numpy(meta["spin"] == 1)).argmax())
    assert meta["frequency_hz"][loudest, 1] / meta["quefrency"][loudest] == pytest.approx(octaves_per_s, rel=0.05)


def test_time_reversal_swaps_the_spins_and_time_scattering_does_not_notice() -> None:
    """A real sound backwards has the same envelopes backwards, and their bands' conjugates, so
    ``|conj(Y) * psi| = |Y * conj(psi)|``: rising and falling change places, and nothing else changes.
    """
    x, options = chirp(4.0), {"J": 10, "Q": 8, "T": "global", "pad": "zero"}
    time = TimeScattering(RATE, **options)  # type: ignore[arg-type]
    joint = JointScattering(RATE, **options)  # type: ignore[arg-type]
    assert difference(time.forward(x).array, time.forward(x.flip(-1)).array) < 1e-12
    there, back = (joint.images(joint.forward(v)) for v in (x, x.flip(-1)))
    half = len(joint.frequency.bank.wavelets)
    for (n2, n_fr), image in there.items():
        mirror = n_fr if n2 < 0 or n_fr == 0 else (n_fr + half - 1) % (2 * half) + 1
        assert torch.allclose(back[n2, mirror], image, rtol=1e-9, atol=1e-15)
    second = joint.meta()["order"] == 2
    assert difference(joint.forward(x).array[second], joint.forward(x.flip(-1)).array[second]) > 1


def two_beats(step: int, bands: np.ndarray) -> torch.Tensor:
    """Two tones in bands `step` above the 12th and the 17th, beating 5 times a second a quarter cycle apart."""
    t = torch.arange(16000, dtype=torch.float64) / RATE
    tones = []
    for k, band in enumerate((12, 17)):
        beat = 1 + 0.8 * torch.cos(2 * torch.pi * 5 * t + k * torch.pi / 2)
        tones.append(beat * torch.cos(2 * torch.pi * float(bands[band - step]) * t))
    return tones[0] + tones[1]


def test_a_transposition_moves_the_rows() -> None:
    joint = JointScattering(RATE, J=9, Q=8, J_fr=3, F=0)
    bands = np.array([w.xi for w in joint.orders.banks[0].wavelets]) * RATE
    low, high = (joint.images(joint.forward(two_beats(step, bands))) for step in (0, 4))
    # The wavelet in time at 5.5 Hz.
    for n_fr in range(9):
        step = joint.frequency.step(n_fr)
        a, b = low[7, n_fr][..., 14], high[7, n_fr][..., 14]
        if step > 4:
            continue
        assert float((a[4 // step :] - b[: len(b) - 4 // step]).norm()) < 0.01 * float(a.norm())
        assert difference(a, b) > 0.15


def test_the_mean_over_the_bands_does_not_change_with_a_transposition() -> None:
    changes = []
    for F in (0, 8, "global"):
        joint = JointScattering(RATE, J=9, Q=8, J_fr=3, F=F)  # type: ignore[arg-type]
        bands = np.array([w.xi for w in joint.orders.banks[0].wavelets]) * RATE
        low, high = (joint.images(joint.forward(two_beats(step, bands))) for step in (0, 3))
        together = [torch.cat([found[7, n_fr][..., 14] for n_fr in range(9)]) for found in (low, high)]
        changes.append(difference(*together))
    assert changes[0] > 0.3
    assert changes[0] > 2 * changes[1] > 4 * changes[2]
    assert changes[2] < 0.01
