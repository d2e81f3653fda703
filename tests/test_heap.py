"""Heap integration: tones, clicks and chirps come back from their magnitudes, on both lattices."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylemix.errors import BadInput
from stylemix.phase.gradient import phase_gradient, pulse
from stylemix.phase.heap import heap_phase
from stylemix.transforms import VQT, Coefficients, Fourier

RATE = 8000
T = 2 * RATE
BANKS = {
    "critical": VQT(RATE, bins_per_octave=24),
    "narrow": VQT(RATE, bins_per_octave=24, overlap=1),
    "dense": VQT(RATE, bins_per_octave=24, oversampling=2.0),
    "fourier": Fourier(RATE, n_fft=1024, hop_length=128),
    "coarse": Fourier(RATE, n_fft=1024, hop_length=256),
}
t = torch.arange(T, dtype=torch.float64) / RATE
# Everything fades in and out: the ends of a tone would be clicks of their own.
FADE = (torch.minimum(t, T / RATE - t) / 0.3).clamp(0, 1).mul(math.pi / 2).sin().square()
TONE = FADE * torch.cos(2 * math.pi * 441.3 * t + 1)
CHIRP = FADE * torch.cos(2 * math.pi * (300 * t + 200 * t**2))
CLICK = torch.zeros(T, dtype=torch.float64)
CLICK[8005] = 1
MIXED = TONE + 20 * CLICK
ALL = MIXED + CHIRP


def back(c: Coefficients, phase: tuple[torch.Tensor, ...], transform: VQT | Fourier) -> torch.Tensor:
    groups = tuple(torch.polar(m, p) for m, p in zip(c.magnitudes(), phase, strict=True))
    return transform.inverse(Coefficients(groups, c.hops, c.n_samples))


def convergence_db(c: Coefficients, phase: tuple[torch.Tensor, ...], transform: VQT | Fourier) -> float:
    found = transform.forward(back(c, phase, transform)).magnitudes()
    error = sum(float((f - m).square().sum()) for f, m in zip(found, c.magnitudes(), strict=True))
    return 10 * math.log10(max(error, 1e-30) / sum(float(m.square().sum()) for m in c.magnitudes()))


@pytest.mark.parametrize("bank", BANKS)
@pytest.mark.parametrize(
    ("sound", "limit_db"),
    [(TONE, -40), (CHIRP, -28), (CLICK, -26), (MIXED, -30), (ALL, -22)],
    ids=["tone", "chirp", "click", "tone+click", "all"],
)
def test_a_known_sound_s_magnitudes_come_back(bank: str, sound: torch.Tensor, limit_db: float) -> None:
    # A lone tone and a lone click are read off exactly in the main lobe of the window. What is left of a click is in
    # the side lobes of the pulse, 1 / 1950 of its energy, whose sign the magnitudes do not tell: an error of twice
    # their amplitude is -26.9 dB (test_side_lobes). A chirp's and the sums' are measured, with 2 to 6 dB of room.
    transform = BANKS[bank]
    # Bands that only just meet say less about each other.
    c, room = transform.forward(sound), 7 if bank == "narrow" else 0
    assert convergence_db(c, heap_phase(c.magnitudes(), transform), transform) < limit_db + room


def test_side_lobes_of_the_pulse_set_the_error_of_a_click() -> None:
    u = np.linspace(0, 40, 400001)
    energy = pulse(u) ** 2
    assert 10 * math.log10(4 * energy[u > 2].sum() / energy.sum()) == pytest.approx(-26.9, abs=0.1)


@pytest.mark.parametrize("bank", BANKS)
def test_a_tone_s_own_phase_goes_on_from_one_that_is_known(bank: str) -> None:
    transform = BANKS[bank]
    c = transform.forward(TONE)
    loudest = max(range(len(c.groups)), key=lambda g: float(c.groups[g].abs().max()))
    known = [torch.zeros(g.shape, dtype=torch.bool) for g in c.groups]
    row = int(c.groups[loudest].abs().amax(-1).argmax())
    known[loudest][row, 8000 // c.hops[loudest]] = True
    angles = tuple(g.angle() for g in c.groups)
    phase = heap_phase(c.magnitudes(), transform, known=(tuple(known), angles))
    assert torch.equal(phase[loudest][known[loudest]], angles[loudest][known[loudest]])
    inner = slice(4000, 12000)
    error = (back(c, phase, transform) - TONE)[inner].norm() / TONE[inner].norm()
    assert 20 * math.log10(float(error)) < -30


@pytest.mark.parametrize(
    "wrong", [lambda p: -p, lambda p: 0.5 * p, lambda p: p + math.pi * (torch.arange(p.shape[-1]) % 2)]
)
@pytest.mark.parametrize("bank", ["critical", "fourier"])
def test_another_convention_of_the_phase_costs_thirty_db(bank: str, wrong) -> None:  # type: ignore[no-untyped-def]
    transform = BANKS[bank]
    c = transform.forward(TONE)
    phase = heap_phase(c.magnitudes(), transform)
    right = convergence_db(c, phase, transform)
    assert right < -40
    assert convergence_db(c, tuple(wrong(p) for p in phase), transform) > right + 30


@pytest.mark.parametrize("bank", ["critical", "fourier"])
def test_zero_and_nyquist_are_real_and_keep_their_sign(bank: str) -> None:
    transform = BANKS[bank]
    for sound in (torch.full((4000,), 0.5), 0.5 * (-1.0) ** torch.arange(4000)):
        c = transform.forward(sound)
        phase = heap_phase(c.magnitudes(), transform)
        for ends in (phase[0][0], phase[-1][-1]):
            loud = ends[len(ends) // 4 : len(ends) // 2]
            assert torch.minimum(loud.abs(), (loud.abs() - math.pi).abs()).max() < 1e-5
        y = back(c, phase, transform)[1500:2500]
        x = sound[1500:2500]
        assert min((y - x).norm(), (y + x).norm()) < 0.05 * x.norm()


@pytest.mark.parametrize("bank", BANKS)
def test_the_gradient_of_a_lone_click_and_of_a_lone_tone_is_exact(bank: str) -> None:
    transform = BANKS[bank]
    frequency_hz, elapsed_s = phase_gradient(transform.forward(TONE).magnitudes(), transform)
    loud = [m > 0.3 for m in transform.forward(TONE).magnitudes()]
    found = torch.cat([f[w] for f, w in zip(frequency_hz, loud, strict=True)])
    assert (found - 441.3).abs().max() < 1.5
    c = transform.forward(CLICK)
    frequency_hz, elapsed_s = phase_gradient(c.magnitudes(), transform)
    for m, e, hop in zip(c.magnitudes(), elapsed_s, c.hops, strict=True):
        for row in range(2, m.shape[0] - 3, 5):
            n = int(m[row].argmax())
            assert n * hop - RATE * float(e[row, n]) == pytest.approx(8005, abs=0.1 * hop)


@pytest.mark.parametrize("bank", BANKS)
def test_silence_stays_silence_and_sound_beside_it_is_finite(bank: str) -> None:
    transform = BANKS[bank]
    c = transform.forward(torch.zeros(3000))
    phase = heap_phase(c.magnitudes(), transform)
    assert all(p.isfinite().all() for p in phase)
    assert not back(c, phase, transform).any()


@pytest.mark.parametrize("bank", ["critical", "fourier"])
def test_the_seed_changes_only_what_is_below_the_tolerance(bank: str) -> None:
    transform = BANKS[bank]
    m = transform.forward(ALL).magnitudes()
    peak = max(float(x.max()) for x in m)
    one, two = (heap_phase(m, transform, seed=s, tolerance=1e-3) for s in (1, 2))
    for a, b, x in zip(one, two, m, strict=True):
        assert torch.equal(a[x > 1e-3 * peak], b[x > 1e-3 * peak])
        soft = x < 1e-3 * peak
        assert soft.sum() < 20 or not torch.equal(a[soft], b[soft])
    c = transform.forward(ALL)
    assert abs(convergence_db(c, one, transform) - convergence_db(c, two, transform)) < 0.1


@pytest.mark.parametrize("bank", ["critical", "fourier"])
def test_a_batch_is_its_sounds_one_by_one(bank: str) -> None:
    transform = BANKS[bank]
    batch = torch.stack([TONE, CLICK, ALL, CHIRP]).reshape(2, 2, T).float()
    m = transform.forward(batch).magnitudes()
    whole = heap_phase(m, transform)
    assert [w.shape for w in whole] == [x.shape for x in m]
    assert {w.dtype for w in whole} == {torch.float32}
    for i in range(2):
        for j in range(2):
            single = heap_phase(tuple(x[i, j] for x in m), transform)
            assert all(torch.equal(w[i, j], s) for w, s in zip(whole, single, strict=True))


def test_time_goes_round_on_the_lattice_of_a_vqt() -> None:
    # What rings before the first sample lies at the end of the lattice: turned as a whole, nothing changes but the
    # phase that each frequency has at the new time zero, which the coefficients' own phases share.
    vqt = BANKS["critical"]
    c = vqt.forward(TONE)
    frames = 20
    turned = tuple(m.roll(frames * vqt.hop_length // hop, -1) for m, hop in zip(c.magnitudes(), c.hops, strict=True))
    one, two = heap_phase(c.magnitudes(), vqt, tolerance=1e-2), heap_phase(turned, vqt, tolerance=1e-2)
    for a, b, m, hop in zip(one, two, turned, c.hops, strict=True):
        a = a.roll(frames * vqt.hop_length // hop, -1)
        assert torch.cos(a - b)[m > 0.01].sub(1).abs().max() < 1e-6 if (m > 0.01).any() else True


@settings(max_examples=12, deadline=None)
@given(n_samples=st.integers(1, 3000), bank=st.sampled_from(sorted(BANKS)), seed=st.integers(0, 99))
def test_any_length_gives_a_phase_for_every_coefficient(n_samples: int, bank: str, seed: int) -> None:
    transform = BANKS[bank]
    x = torch.randn(n_samples, generator=torch.Generator().manual_seed(seed))
    m = transform.forward(x).magnitudes()
    phase = heap_phase(m, transform, seed=seed)
    assert [p.shape for p in phase] == [a.shape for a in m]
    assert all(bool((p.abs() <= math.pi + 1e-6).all()) for p in phase)


def test_all_that_is_known_is_kept() -> None:
    vqt = BANKS["critical"]
    c = vqt.forward(ALL)
    angles = tuple(g.angle() for g in c.groups)
    everywhere = tuple(torch.ones(g.shape, dtype=torch.bool) for g in c.groups)
    assert all(map(torch.equal, heap_phase(c.magnitudes(), vqt, known=(everywhere, angles)), angles))


@pytest.mark.parametrize("tolerance", [0.0, 1.0, -1.0, math.nan])
def test_a_tolerance_out_of_range_is_refused(tolerance: float) -> None:
    with pytest.raises(BadInput, match="heap_phase: tolerance must be above 0 and below 1, got"):
        heap_phase((torch.ones(3, 3),), BANKS["fourier"], tolerance=tolerance)


def test_another_transform_is_refused() -> None:
    with pytest.raises(BadInput, match="must be a VQT or a Fourier, got str"):
        phase_gradient((torch.ones(3, 3),), "stft")  # type: ignore[arg-type]
