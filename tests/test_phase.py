"""Phase: closed forms for tones, chirps and clicks, and estimates that agree with their magnitudes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stylemix.errors import BadInput
from stylemix.phase import (
    griffin_lim,
    inconsistency,
    instantaneous_frequency,
    instantaneous_phase,
    parents_phase,
    unit,
)
from stylemix.phase.instantaneous import locate_band
from stylemix.transforms import VQT, Coefficients

RATE = 8000


@pytest.fixture(scope="module")
def vqt() -> VQT:
    return VQT(RATE, bins_per_octave=24)


@pytest.fixture(scope="module")
def chord() -> torch.Tensor:
    """Three decaying notes in turn, two seconds."""
    t = torch.arange(2 * RATE, dtype=torch.float64) / RATE
    notes = [
        torch.exp(-3 * (t - s).clamp_min(0)) * (t >= s) * torch.sin(2 * np.pi * f * t)
        for s, f in ((0.1, 220.0), (0.6, 554.4), (1.1, 1318.5))
    ]
    return sum(notes, torch.zeros_like(t))


def db(ratio: float) -> float:
    return 20 * float(np.log10(max(ratio, 1e-15)))


def loudest(frequency: tuple[torch.Tensor, ...], magnitudes: tuple[torch.Tensor, ...], vqt: VQT, hz: float):  # type: ignore[no-untyped-def]
    group, row = locate_band(vqt, int(np.abs(vqt.frequencies_hz - hz).argmin()))
    return frequency[group][row], vqt.hops[group]


@pytest.mark.parametrize("hz", [35.0, 441.3, 1234.5, 3100.0])
def test_a_tone_s_frequency_is_read_off_exactly(vqt: VQT, hz: float) -> None:
    x = torch.cos(2 * np.pi * hz / RATE * torch.arange(2 * RATE, dtype=torch.float64))
    m = vqt.forward(x).magnitudes()
    found, hop = loudest(instantaneous_frequency(m, vqt), m, vqt, hz)
    middle = found[RATE // 2 // hop : 3 * RATE // 2 // hop]
    assert (middle - hz).abs().max() < 2e-3 * hz


@pytest.mark.parametrize("hz", [441.3, 1234.5])
def test_a_tone_s_frequency_is_read_off_a_constant_q_bank(hz: float) -> None:
    constant_q = VQT(RATE, bins_per_octave=24, gamma_hz=0)
    x = torch.cos(2 * np.pi * hz / RATE * torch.arange(8 * RATE, dtype=torch.float64))
    m = constant_q.forward(x).magnitudes()
    found, hop = loudest(instantaneous_frequency(m, constant_q), m, constant_q, hz)
    middle = found[3 * RATE // hop : 5 * RATE // hop]
    assert (middle - hz).abs().max() < 2e-3 * hz


def test_a_chirp_s_frequency_is_followed(vqt: VQT) -> None:
    t = torch.arange(4 * RATE, dtype=torch.float64) / RATE
    x = torch.cos(2 * np.pi * (500 * t + 50 * t**2))  # 500 + 100 t Hz
    m = vqt.forward(x).magnitudes()
    frequency = instantaneous_frequency(m, vqt)
    for time in (1.0, 2.0, 3.0):
        hz = 500 + 100 * time
        found, hop = loudest(frequency, m, vqt, hz)
        assert float(found[round(time * RATE / hop)]) == pytest.approx(hz, rel=0.01)


def test_in_a_click_every_band_has_its_own_frequency(vqt: VQT) -> None:
    x = torch.zeros(RATE, dtype=torch.float64)
    x[4096] = 1
    frequency = instantaneous_frequency(vqt.forward(x).magnitudes(), vqt)
    for hz in (500.0, 1500.0, 3000.0):
        band = int(np.abs(vqt.frequencies_hz - hz).argmin())
        group, row = locate_band(vqt, band)
        spacing = vqt.bank.bandwidths_hz[band] / 2
        found = float(frequency[group][row, 4096 // vqt.hops[group]])
        assert abs(found - vqt.frequencies_hz[band]) < 0.05 * spacing


def test_silence_has_a_frequency_that_is_a_number(vqt: VQT) -> None:
    m = vqt.forward(torch.zeros(4000)).magnitudes()
    assert all(f.isfinite().all() for f in instantaneous_frequency(m, vqt))
    assert not griffin_lim(m, vqt, 4000, n_iter=3).any()


def test_a_tone_comes_back_from_its_magnitudes_without_any_iteration(vqt: VQT) -> None:
    # A convention error in the phase (sign, factor two, conjugate) costs 30 dB here.
    x = torch.cos(2 * np.pi * 700.0 / RATE * torch.arange(2 * RATE, dtype=torch.float64))
    c = vqt.forward(x)
    anchor = 4096
    phase = instantaneous_phase(c.magnitudes(), vqt, anchor=c.groups, anchor_sample=anchor)
    groups = tuple(torch.polar(m, p) for m, p in zip(c.magnitudes(), phase, strict=True))
    y = vqt.inverse(Coefficients(groups, c.hops, len(x)))
    inner = slice(3000, -3000)
    assert db(float((y[inner] - x[inner]).norm() / x[inner].norm())) < -30


def test_the_phase_is_the_anchor_s_at_the_anchor(vqt: VQT, chord: torch.Tensor) -> None:
    c = vqt.forward(chord)
    phase = instantaneous_phase(c.magnitudes(), vqt, anchor=c.groups, anchor_sample=5000)
    for p, group, hop in zip(phase, c.groups, c.hops, strict=True):
        torch.testing.assert_close(torch.polar(torch.ones_like(p), p)[..., 5000 // hop], unit(group)[..., 5000 // hop])


def test_each_iteration_helps_and_the_start_is_worth_many(vqt: VQT, chord: torch.Tensor) -> None:
    m = vqt.forward(chord).magnitudes()

    def error(n_iter: int, start: tuple[torch.Tensor, ...] | None = None) -> float:
        return db(
            inconsistency(vqt.forward(griffin_lim(m, vqt, len(chord), n_iter=n_iter, start=start)).magnitudes(), m)
        )

    generator = torch.Generator().manual_seed(0)
    noise = tuple(2 * np.pi * torch.rand(x.shape, dtype=x.dtype, generator=generator) for x in m)
    assert error(16) < error(4) < error(0)
    assert error(4) < error(16, noise)
    assert error(16) < -25


def test_momentum_is_worth_its_name(vqt: VQT, chord: torch.Tensor) -> None:
    m = vqt.forward(chord).magnitudes()
    start = instantaneous_phase(m, vqt)
    sounds = [griffin_lim(m, vqt, len(chord), n_iter=16, momentum=k, start=start) for k in (0.0, 0.99)]
    errors = [inconsistency(vqt.forward(y).magnitudes(), m) for y in sounds]
    assert db(errors[1]) < db(errors[0]) - 2


def test_the_true_phase_stays(vqt: VQT, chord: torch.Tensor) -> None:
    c = vqt.forward(chord)
    start = tuple(torch.angle(g) for g in c.groups)
    y = griffin_lim(c.magnitudes(), vqt, len(chord), n_iter=5, start=start)
    assert db(float((y - chord).norm() / chord.norm())) < -200


def test_fast_griffin_lim_is_griffin_lim_without_momentum(vqt: VQT, chord: torch.Tensor) -> None:
    m = vqt.forward(chord).magnitudes()
    start = instantaneous_phase(m, vqt)
    groups = tuple(torch.polar(a, p) for a, p in zip(m, start, strict=True))
    for _ in range(3):
        projected = vqt.forward(vqt.inverse(Coefficients(groups, vqt.hops, len(chord)))).groups
        groups = tuple(a * unit(p) for a, p in zip(m, projected, strict=True))
    by_hand = vqt.inverse(Coefficients(groups, vqt.hops, len(chord)))
    torch.testing.assert_close(griffin_lim(m, vqt, len(chord), n_iter=3, momentum=0.0, start=start), by_hand)


def test_batches_are_estimated_one_by_one(vqt: VQT, chord: torch.Tensor) -> None:
    two = torch.stack([chord, chord.flip(0)])
    together = griffin_lim(vqt.forward(two).magnitudes(), vqt, len(chord), n_iter=2)
    alone = griffin_lim(vqt.forward(two[1]).magnitudes(), vqt, len(chord), n_iter=2)
    torch.testing.assert_close(together[1], alone)


def test_a_known_beginning_is_kept(vqt: VQT, chord: torch.Tensor) -> None:
    m = vqt.forward(chord).magnitudes()
    y = griffin_lim(m, vqt, len(chord), n_iter=4, known=chord[:6000])
    torch.testing.assert_close(y[:4900], chord[:4900])


def test_bad_numbers_are_refused(vqt: VQT) -> None:
    m = vqt.forward(torch.zeros(100)).magnitudes()
    with pytest.raises(BadInput, match=r"got -1 and 0\.99"):
        griffin_lim(m, vqt, 100, n_iter=-1)
    with pytest.raises(BadInput, match=r"got 1 and 1\.5"):
        griffin_lim(m, vqt, 100, n_iter=1, momentum=1.5)


def test_the_louder_parent_gives_the_phase() -> None:
    s, t = (torch.tensor([[10j, 1j]]),), (torch.tensor([[1 + 0j, 10 + 0j]]),)
    half = (torch.tensor([0.5]),)
    found = parents_phase(s, t, half)[0]
    assert abs(torch.angle(found[0, 0]).item() - np.pi / 2) < 0.11
    assert abs(torch.angle(found[0, 1]).item()) < 0.11
    torch.testing.assert_close(parents_phase(s, None, half)[0], torch.tensor([[1j, 1j]]))
