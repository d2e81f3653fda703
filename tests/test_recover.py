"""From magnitudes to sound: what is asked for, the projections towards it, and the dial from fast to clean."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from stylemix.errors import BadInput
from stylemix.phase import (
    Magnitudes,
    PooledMagnitudes,
    admm,
    griffin_lim,
    heap_phase,
    inconsistency,
    recover,
    recover_pooled,
    unit,
)
from stylemix.phase.projections import Walk
from stylemix.transforms import VQT, Coefficients, Fourier

RATE, N = 8000, 16000
TRANSFORMS: dict[str, Callable[[], VQT | Fourier]] = {
    "VQT": lambda: VQT(RATE, bins_per_octave=24),
    "Fourier": lambda: Fourier(RATE, n_fft=512, hop_length=128),
}


@pytest.fixture(params=TRANSFORMS, scope="module")
def transform(request: pytest.FixtureRequest) -> VQT | Fourier:
    return TRANSFORMS[request.param]()


@pytest.fixture(scope="module")
def vqt() -> VQT:
    return VQT(RATE, bins_per_octave=24)


def tone(hz: float, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return 0.5 * torch.cos(2 * torch.pi * hz / RATE * torch.arange(N, dtype=dtype))


def click(at: int) -> torch.Tensor:
    x = torch.zeros(N, dtype=torch.float64)
    x[at] = 1
    return x


def chirp() -> torch.Tensor:
    t = torch.arange(N, dtype=torch.float64) / RATE
    return 0.5 * torch.cos(2 * torch.pi * (300 * t + 400 * t**2))


def chord() -> torch.Tensor:
    """Three decaying notes in turn over a soft noise."""
    t = torch.arange(N, dtype=torch.float64) / RATE
    x = 1e-3 * torch.randn(N, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for start, hz in ((0.1, 220.0), (0.6, 554.4), (1.1, 1318.5)):
        x += torch.exp(-3 * (t - start).clamp_min(0)) * (t >= start) * torch.sin(2 * np.pi * hz * t)
    return x


SOUNDS = {
    "tone": lambda: tone(441.3),
    "click": lambda: click(7777),
    "chirp": chirp,
    "tone and click": lambda: tone(441.3) + click(7777),
    "chord": chord,
}


def db(ratio: float) -> float:
    return 20 * float(np.log10(max(ratio, 1e-15)))


def error_db(y: torch.Tensor, x: torch.Tensor, transform: VQT | Fourier) -> float:
    return db(inconsistency(transform.forward(y).magnitudes(), transform.forward(x).magnitudes()))


def random_phases(magnitudes: tuple[torch.Tensor, ...], seed: int = 0) -> tuple[torch.Tensor, ...]:
    g = torch.Generator().manual_seed(seed)
    return tuple(2 * torch.pi * torch.rand(m.shape, generator=g, dtype=m.dtype) for m in magnitudes)


# (draft, good) in dB. A window tells a lone component's place exactly, so what is left is made where it is not lone: at
# both ends of the sound, where a tone is cut off. On the STFT neighbouring frames agree less there than bands do. In a
# draft, what is 30 dB below the loudest around it only follows its row: of a decaying chord that is a part.
REACHED = {"VQT": (-35, -44), "Fourier": (-25, -38)}


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("kind", TRANSFORMS)
def test_known_sounds_come_back_from_their_magnitudes(kind: str, name: str) -> None:
    transform, x = TRANSFORMS[kind](), SOUNDS[name]()
    m = transform.forward(x).magnitudes()
    errors = [error_db(recover(m, transform, N, quality=q), x, transform) for q in ("draft", "good")]
    assert errors[0] < REACHED[kind][0]
    assert errors[1] < REACHED[kind][1]


def test_a_click_does_not_smear(transform: VQT | Fourier) -> None:
    x = click(7777) + 1e-4 * torch.randn(N, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = recover(transform.forward(x).magnitudes(), transform, N)
    before = y[7777 - 160 : 7777 - 2].square().sum() / y.square().sum()
    assert 10 * float(before.log10()) < -35


@pytest.mark.slow
def test_best_is_better_than_good_and_good_than_a_hundred_steps_from_nowhere(transform: VQT | Fourier) -> None:
    x = chord()
    m = transform.forward(x).magnitudes()
    good, best = (error_db(recover(m, transform, N, quality=q), x, transform) for q in ("good", "best"))
    nowhere = error_db(griffin_lim(m, transform, N, n_iter=100, start=random_phases(m)), x, transform)
    assert best < good - 2
    assert good < nowhere


def test_a_tone_s_waveform_comes_back_up_to_its_phase(transform: VQT | Fourier) -> None:
    # A conjugate, a factor of two in frequency or a sign that alternates wrongly leaves nothing of a tone's level.
    x = tone(700.0)
    y = recover(transform.forward(x).magnitudes(), transform, N)[2000:-2000]
    t = torch.arange(2000, N - 2000, dtype=torch.float64)
    turning = torch.polar(torch.ones_like(t), -2 * torch.pi * 700.0 / RATE * t)
    amplitude = 2 * float((y * turning).mean().abs())
    assert amplitude == pytest.approx(0.5, rel=0.01)


def test_a_wrong_convention_costs_thirty_decibels(transform: VQT | Fourier) -> None:
    x = chord()
    m = transform.forward(x).magnitudes()
    phase = heap_phase(m, transform)

    def error(turned: tuple[torch.Tensor, ...]) -> float:
        groups = tuple(map(torch.polar, m, turned))
        return error_db(transform.inverse(Coefficients(groups, transform.hops, N)), x, transform)

    right = error(phase)
    # Conjugated is the sound backwards in every coefficient; without a turn a hop is a turn by nothing.
    assert right < -18
    assert error(tuple(-p for p in phase)) > right + 12
    tones = tone(700.0)
    m = transform.forward(tones).magnitudes()
    phase = heap_phase(m, transform)
    right = error_db(recover(m, transform, N), tones, transform)
    wrong = tuple(map(torch.polar, m, tuple(-p for p in phase)))
    assert error_db(transform.inverse(Coefficients(wrong, transform.hops, N)), tones, transform) > right + 30


def test_silence_stays_silence(transform: VQT | Fourier) -> None:
    m = tuple(torch.zeros_like(g) for g in transform.forward(torch.zeros(N)).magnitudes())
    for quality in ("draft", "good"):
        assert not recover(m, transform, N, quality=quality).any()


def test_what_is_constant_and_what_alternates_come_back(transform: VQT | Fourier) -> None:
    alternating = 0.5 * (-1.0) ** torch.arange(N, dtype=torch.float64)
    for x in (torch.full((N,), 0.5, dtype=torch.float64), alternating):
        y = recover(transform.forward(x).magnitudes(), transform, N)[2000:-2000]
        inner = x[2000:-2000]
        # Up to the sign, which magnitudes do not tell.
        assert min(float((y - s * inner).abs().max()) for s in (1, -1)) < 0.01


def test_seeds_change_nothing_that_is_heard(transform: VQT | Fourier) -> None:
    x = chord()
    m = transform.forward(x).magnitudes()
    errors = [error_db(recover(m, transform, N, seed=seed), x, transform) for seed in range(4)]
    assert max(errors) - min(errors) < 1.0


def test_batches_are_what_they_are_alone(transform: VQT | Fourier) -> None:
    two = torch.stack([chord(), tone(300.0)])
    together = recover(transform.forward(two).magnitudes(), transform, N)
    for x, y in zip(two, together, strict=True):
        torch.testing.assert_close(y, recover(transform.forward(x).magnitudes(), transform, N), atol=1e-7, rtol=0)


def test_single_precision_is_enough(transform: VQT | Fourier) -> None:
    x = chord()
    sounds = [recover(transform.forward(s).magnitudes(), transform, N) for s in (x, x.float())]
    assert sounds[1].dtype == torch.float32
    errors = [error_db(y.double(), x, transform) for y in sounds]
    assert errors[1] == pytest.approx(errors[0], abs=0.5)


def test_admm_is_what_its_formulas_say(transform: VQT | Fourier) -> None:
    x = chord()
    m = transform.forward(x).magnitudes()
    start = random_phases(m)
    rho = 0.3

    def project(c: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return transform.forward(transform.inverse(Coefficients(c, transform.hops, N))).groups

    c = tuple(map(torch.polar, m, start))
    sums = tuple(torch.zeros_like(a) for a in c)
    for _ in range(3):
        y = tuple(a + u for a, u in zip(c, sums, strict=True))
        z = tuple((p + rho * a) / (1 + rho) for p, a in zip(project(y), y, strict=True))
        sums = tuple(u + a - b for u, a, b in zip(sums, c, z, strict=True))
        c = tuple(g * unit(a - u) for g, a, u in zip(m, z, sums, strict=True))
    by_hand = transform.inverse(Coefficients(c, transform.hops, N))
    torch.testing.assert_close(admm(m, transform, N, n_iter=3, rho=rho, start=start), by_hand)


def test_admm_goes_on_where_griffin_lim_stands_still(vqt: VQT) -> None:
    x = chord()
    m = vqt.forward(x).magnitudes()
    start = random_phases(m)
    errors = [error_db(f(m, vqt, N, n_iter=60, start=start), x, vqt) for f in (admm, griffin_lim)]
    assert errors[0] < errors[1]


def test_griffin_lim_stops_where_nothing_is_gained(vqt: VQT) -> None:
    calls = 0

    class Counting(Walk):
        def project(self, coefficients: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
            nonlocal calls
            calls += 1
            return super().project(coefficients)

    c = vqt.forward(chord())
    walk = Counting(Magnitudes(vqt, N, c.magnitudes())).begin(tuple(g.angle() for g in c.groups))
    walk.griffin_lim(50)
    assert calls <= 8


def test_a_known_beginning_is_kept(transform: VQT | Fourier) -> None:
    x = chord()
    y = recover(transform.forward(x).magnitudes(), transform, N, known=x[:6000])
    torch.testing.assert_close(y[:4900], x[:4900])


def test_pooled_magnitudes_are_restored_by_a_gain_alone(vqt: VQT) -> None:
    x = chord()
    c = vqt.forward(x)
    wanted = PooledMagnitudes(vqt, N, vqt.pool(c.magnitudes(), N))
    # The true coefficients at another level: what is known is their level, and what is not is kept.
    restored = wanted.restore(tuple(0.25 * g for g in c.groups))
    for found, group in zip(restored, c.groups, strict=True):
        loud = group.abs() > 1e-4 * group.abs().max()
        torch.testing.assert_close(found[loud], group[loud], rtol=1e-6, atol=0)
    assert wanted.error(c.groups) < 1e-9
    assert wanted.error(tuple(0.5 * g for g in c.groups)) == pytest.approx(0.5)


def test_pooled_magnitudes_lead_to_the_sound_and_their_last_steps_help(vqt: VQT) -> None:
    x = chord()
    pooled = vqt.pool(vqt.forward(x).magnitudes(), N)
    wanted = PooledMagnitudes(vqt, N, pooled)
    errors = {
        q: db(wanted.error(vqt.forward(recover_pooled(pooled, vqt, N, quality=q)).groups)) for q in ("draft", "good")
    }
    assert errors["good"] < -28
    assert errors["good"] < errors["draft"] - 6
    interpolated = recover(wanted.magnitudes, vqt, N, quality="good")
    assert errors["good"] < db(wanted.error(vqt.forward(interpolated).groups)) - 1


def test_a_good_phase_is_not_spoilt_by_steps_on_pooled_magnitudes(vqt: VQT) -> None:
    x = chord()
    c = vqt.forward(x)
    wanted = PooledMagnitudes(vqt, N, vqt.pool(c.magnitudes(), N))
    phases = tuple(g.angle() for g in c.groups)

    def error(n_iter: int, on: Magnitudes | PooledMagnitudes) -> float:
        walk = Walk(on).begin(phases)
        return db(float((walk.griffin_lim(n_iter, momentum=0.0).sound() - x).norm() / x.norm()))

    assert error(4, wanted) < error(0, wanted) - 3
    # Magnitudes that are interpolated are no sound's: to ask for each of them moves the phases away.
    assert error(4, Magnitudes(vqt, N, wanted.magnitudes)) > error(4, wanted) + 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: tuple(-a for a in m), r"must be at least 0 and finite, got -"),
        (lambda m: tuple(a * float("nan") for a in m), r"must be at least 0 and finite, got nan"),
        (lambda m: tuple(a / 0 for a in m), r"must be at least 0 and finite, got .*(inf|nan)"),
        (lambda m: tuple(a.to(torch.complex64) for a in m), r"real floating-point numbers, got torch\.complex64; take"),
        (lambda m: tuple(a.long() for a in m), r"real floating-point numbers, got torch\.int64"),
        (lambda m: tuple(a[..., :-1] for a in m), r"are not those of this .*give magnitudes of this very transform"),
        (lambda m: tuple(a[..., 1:, :] for a in m), r"are not those of this"),
        (lambda m: m[:-1], r"are not those of this"),
        (lambda m: (torch.stack([m[0], m[0]]), *m[1:], m[0]), r"are not those of this"),
        (lambda m: m[0], r"must be a tuple of tensors"),
        (lambda m: tuple(a.numpy() for a in m), r"must be a tuple of tensors"),
    ],
)
def test_what_are_no_magnitudes_is_refused(transform: VQT | Fourier, change: Callable, message: str) -> None:  # type: ignore[type-arg]
    m = transform.forward(tone(700.0, torch.float32) + 0.1).magnitudes()
    with pytest.raises(BadInput, match=message):
        recover(change(m), transform, N)


def test_magnitudes_of_another_transform_are_refused(vqt: VQT) -> None:
    fourier = TRANSFORMS["Fourier"]()
    x = tone(700.0)
    with pytest.raises(BadInput, match=r"are not those of this Fourier, hops \(128,\)"):
        recover(vqt.forward(x).magnitudes(), fourier, N)
    with pytest.raises(BadInput, match="not those of this VQT"):
        recover(VQT(RATE, bins_per_octave=12).forward(x).magnitudes(), vqt, N)
    with pytest.raises(BadInput, match="not those of this Fourier"):
        recover(Fourier(RATE, n_fft=512, hop_length=64).forward(x).magnitudes(), fourier, N)
    with pytest.raises(BadInput, match="must be a VQT or a Fourier, got str"):
        recover((), "stft", N)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"n_samples must be a whole number of at least 1, got 0"):
        recover((), fourier, 0)


def test_pooled_magnitudes_of_another_shape_or_not_finite_are_refused(vqt: VQT) -> None:
    pooled = vqt.pool(vqt.forward(chord()).magnitudes(), N)
    with pytest.raises(BadInput, match=r"bands and frames are not this transform's of 16000 samples"):
        recover_pooled(pooled[..., :-1], vqt, N)
    with pytest.raises(BadInput, match="hold NaN or Inf"):
        recover_pooled(pooled * float("nan"), vqt, N)
    # The logarithm of nothing is no mistake.
    assert not recover_pooled(torch.full_like(pooled, -float("inf")), vqt, N).abs().max() > 1e-6


def test_bad_numbers_are_refused(vqt: VQT) -> None:
    m = vqt.forward(torch.zeros(100)).magnitudes()
    with pytest.raises(BadInput, match="quality: must be draft, good or best, got 'fine'"):
        recover(m, vqt, 100, quality="fine")
    with pytest.raises(BadInput, match="rho above 0, got 1 and 0"):
        admm(m, vqt, 100, n_iter=1, rho=0)
    with pytest.raises(BadInput, match="start: phases of shapes"):
        admm(m, vqt, 100, n_iter=1, start=m[:-1])
