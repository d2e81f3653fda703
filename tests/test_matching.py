"""Sound from coefficients: what is reached, what is refused, and that nothing ends worse than it began."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylemix.errors import BadInput
from stylemix.phase.matching import Matched, Objective, Target, first_guess, match
from stylemix.transforms import VQT, Coefficients, Fourier, JointScattering, TimeScattering

# Each of them trains or renders: seconds that the fast tests of every change need not wait for.
pytestmark = pytest.mark.slow

RATE = 8000


def melody(seconds: float = 1.0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Decaying notes."""
    t = torch.arange(int(seconds * RATE), dtype=torch.float64) / RATE
    notes = [torch.exp(-8 * (t - s).clamp_min(0)) * (t >= s) * torch.sin(2 * np.pi * f * t)
             for s, f in ((0.05, 330.0), (0.35, 554.4), (0.6, 880.0))]
    return (0.2 * sum(notes, torch.zeros_like(t))).to(dtype)


@pytest.fixture(scope="module")
def scattering() -> TimeScattering:
    return TimeScattering(RATE, J=8, Q=(8, 1), T=1024)


@pytest.fixture(scope="module")
def matched(scattering: TimeScattering) -> Matched:
    return match(Target(scattering, scattering.forward(melody())), until=0.05, n_iter=120)


def test_all_orders_come_within_five_per_cent(matched: Matched, scattering: TimeScattering) -> None:
    assert matched.ended_by == "reached"
    assert max(matched.errors.orders.values()) < 0.2
    # What it says of the sound is what the sound has.
    wanted, found = scattering.forward(melody()).array, scattering.forward(matched.samples).array
    assert float((found - wanted).norm() / wanted.norm()) == pytest.approx(matched.errors.whole, rel=0.01)
    assert matched.errors.whole < 0.05
    assert len(matched.history) == matched.n_iter
    assert matched.wave.sample_rate == RATE


def test_the_start_is_made_of_the_target_and_better_than_noise(scattering: TimeScattering, matched: Matched) -> None:
    target = Target(scattering, scattering.forward(melody()))
    noise = match(target, start="noise", n_iter=1)
    assert matched.start.whole < 0.5 * noise.start.whole
    guess = first_guess(target, RATE)
    assert guess is not None
    wanted = scattering.forward(melody()).array
    assert float((scattering.forward(guess).array - wanted).norm()) < 0.3 * float(wanted.norm())


def test_the_end_is_never_worse_than_the_start(scattering: TimeScattering) -> None:
    target = Target(scattering, scattering.forward(melody()))
    for n_iter in (1, 3):
        found = match(target, start="random", n_iter=n_iter, until=0.0)
        assert found.n_iter <= n_iter
        assert found.errors.loss <= found.start.loss
        assert found.ended_by == "n_iter"


def test_a_sound_goes_on_from_where_it_was(scattering: TimeScattering) -> None:
    target = Target(scattering, scattering.forward(melody()))
    first = match(target, n_iter=5, until=0.0)
    second = match(target, start=first.samples, n_iter=5, until=0.0)
    assert second.start.whole == pytest.approx(first.errors.whole, rel=1e-3)
    assert second.errors.whole < first.errors.whole


def test_the_same_seed_gives_the_same_sound(scattering: TimeScattering) -> None:
    target = Target(scattering, scattering.forward(melody()))
    a, b, c = (match(target, start="random", n_iter=2, seed=seed).samples for seed in (1, 1, 2))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_silence_gives_silence(scattering: TimeScattering) -> None:
    found = match(Target(scattering, scattering.forward(torch.zeros(RATE))))
    assert float(found.samples.abs().max()) == 0
    assert found.ended_by == "reached"
    vqt = VQT(RATE)
    c = vqt.forward(torch.zeros(2, 4000))
    guess = first_guess(Target(vqt, Coefficients(c.magnitudes(), c.hops, 4000)), 4000)
    assert guess is not None
    assert guess.shape == (2, 4000)
    assert not guess.any()


def test_silence_within_stays_near_silence(scattering: TimeScattering) -> None:
    x = melody(2.0)
    x[:RATE] = 0
    guess = first_guess(Target(scattering, scattering.forward(x)), len(x))
    assert guess is not None
    assert guess.isfinite().all()
    assert float(guess[: RATE // 2].norm()) < 1e-3 * float(x.norm())


def test_the_start_has_order_zero(scattering: TimeScattering) -> None:
    x = melody() + 0.1 * torch.cos(2 * np.pi * 0.7 * torch.arange(RATE) / RATE)
    found = match(Target(scattering, scattering.forward(x)), n_iter=1)
    assert found.start.orders["order 0"] < 0.05


def test_noise_has_the_loudness_of_the_target(scattering: TimeScattering) -> None:
    for level in (0.01, 1.0):
        found = match(Target(scattering, scattering.forward(level * melody())), start="noise", n_iter=1)
        assert 0.1 < float(found.samples.norm() / melody().norm()) / level < 10
    # Of logarithms the mean is what noise can meet: the quiet bands count as much as the loud ones.
    bent = TimeScattering(RATE, J=6, log=True)
    wanted = bent.forward(melody())
    found = match(Target(bent, wanted), start="noise", n_iter=1)
    assert float((bent.forward(found.samples).array - wanted.array).mean().abs()) < 1


def test_complex_coefficients_give_the_sound_itself() -> None:
    vqt, x = VQT(RATE), melody(0.5)
    found = match(Target(vqt, vqt.forward(x)), until=1e-3)
    assert float((found.samples - x).norm()) < 1e-3 * float(x.norm())


def test_magnitudes_of_a_tone_give_a_tone_back() -> None:
    vqt, t = VQT(RATE), torch.arange(2 * RATE, dtype=torch.float64) / RATE
    c = vqt.forward(0.3 * torch.cos(2 * np.pi * 441.3 * t + 1))
    target = Target(vqt, Coefficients(c.magnitudes(), c.hops, c.n_samples))
    found = match(target, until=0.005, n_iter=20)
    assert found.ended_by == "reached"
    # Magnitudes know no phase: any cosine of this frequency and amplitude has them, if its phase drifts slowly.
    ends = range(RATE // 2, 3 * RATE // 2, RATE // 10)
    for here in (slice(start, start + RATE // 10) for start in ends):
        quadrature = torch.stack([torch.cos(2 * np.pi * 441.3 * t), torch.sin(2 * np.pi * 441.3 * t)], dim=-1)[here]
        weights = torch.linalg.lstsq(quadrature, found.samples[here, None]).solution
        assert float(weights.norm()) == pytest.approx(0.3, rel=0.01)
        rest = found.samples[here, None] - quadrature @ weights
        assert float(rest.norm()) < 0.02 * float(found.samples[here].norm())


@pytest.mark.parametrize("transform", [VQT(RATE), VQT(RATE, overlap=1), Fourier(RATE, n_fft=512, hop_length=128)])
def test_magnitudes_come_closer(transform: Any) -> None:
    c = transform.forward(melody(0.5))
    found = match(Target(transform, Coefficients(c.magnitudes(), c.hops, c.n_samples)), n_iter=30, until=0)
    assert found.errors.whole < 0.6 * found.start.whole
    assert found.errors.whole < 0.1


def test_any_function_of_sound_can_be_matched_and_several_at_once(scattering: TimeScattering) -> None:
    def energies(x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.avg_pool1d(x.square()[None, None], 512, 256)[0]

    x = melody()
    found = match([Target(scattering, scattering.forward(x)), Target(energies, energies(x), weight=0.5)], n_iter=25)
    assert found.errors.whole < 0.5 * found.start.whole
    assert float((energies(found.samples) - energies(x)).norm()) < 0.2 * float(energies(x).norm())


def test_channels_are_matched_each() -> None:
    joint = JointScattering(RATE, J=7, Q=6, F="global")
    x = torch.stack([melody(0.5), melody(0.5).flip(0)])
    found = match(Target(joint, joint.forward(x)), n_iter=12)
    assert found.samples.shape == x.shape
    assert found.errors.whole < found.start.whole


def test_blocks_have_the_error_and_the_gradient_of_the_whole() -> None:
    scattering = TimeScattering(RATE, J=6, Q=(4, 1))
    x = melody(3.0)
    sound = 0.1 * torch.randn(len(x), generator=torch.Generator().manual_seed(0))
    target = Target(scattering, scattering.forward(x))
    objectives = [Objective((target,), len(x), block_s=block_s) for block_s in (30.0, 0.5)]
    (whole, _, slope), (parts, _, slopes) = (objective.evaluate(sound) for objective in objectives)
    assert parts.whole == pytest.approx(whole.whole, rel=1e-4)
    assert float((slopes - slope).norm()) < 1e-2 * float(slope.norm())


def test_an_interruption_keeps_the_best(scattering: TimeScattering, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, evaluate = [0], Objective.evaluate

    def interrupted(self: Objective, *args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == 6:
            raise KeyboardInterrupt
        return evaluate(self, *args, **kwargs)

    monkeypatch.setattr(Objective, "evaluate", interrupted)
    found = match(Target(scattering, scattering.forward(melody())), until=0.0)
    assert found.ended_by == "interrupted"
    assert found.n_iter == 5
    assert found.errors.loss <= found.start.loss


def test_the_gradient_is_the_slope_of_the_loss() -> None:
    scattering, vqt, x = TimeScattering(RATE, J=6, Q=(4, 1)), VQT(RATE), melody(0.5, torch.float64)
    targets = (Target(scattering, scattering.forward(x)), Target(vqt, vqt.forward(x), weight=3.0))
    objective = Objective(targets, len(x))
    generator = torch.Generator().manual_seed(0)
    sound, way = (torch.randn(2, len(x), generator=generator, dtype=torch.float64)) * 0.1
    errors, loss, gradient = objective.evaluate(sound)
    assert loss == pytest.approx(errors.loss)
    above, below = (objective.evaluate(sound + h * way)[0].loss for h in (1e-6, -1e-6))
    assert (above - below) / 2e-6 == pytest.approx(float(gradient @ way), rel=1e-5)


def test_the_errors_are_those_of_each_order() -> None:
    scattering, x = TimeScattering(RATE, J=6, Q=(4, 1)), melody(0.5)
    wanted, found = scattering.forward(x).array, scattering.forward(0.5 * x.flip(0)).array
    errors = Objective([Target(scattering, scattering.forward(x))], len(x)).evaluate(0.5 * x.flip(0))[0]
    for order in (0, 1, 2):
        rows = torch.from_numpy(scattering.meta()["order"] == order)
        share = float((found - wanted)[rows].norm() / wanted[rows].norm())
        assert errors.orders[f"order {order}"] == pytest.approx(share, rel=1e-4)
    assert errors.whole == pytest.approx(float((found - wanted).norm() / wanted.norm()), rel=1e-4)
    assert errors.worst == pytest.approx(max(errors.orders[f"order {k}"] for k in (1, 2)), rel=0.5)


def test_a_weight_says_which_target_counts() -> None:
    vqt, x = VQT(RATE), melody(0.25)
    full, half = Target(vqt, vqt.forward(x), weight=3.0), Target(vqt, vqt.forward(0.5 * x), name="half")
    found = match([full, half], until=0, n_iter=15)
    # Relative errors of gain g are g - 1 and (g - 0.5) / 0.5: 3 (g - 1)^2 + 4 (g - 0.5)^2 is least at 5 / 7.
    assert float(found.samples @ x / (x @ x)) == pytest.approx(5 / 7, abs=0.01)
    assert found.errors.orders == pytest.approx({"VQT": 2 / 7, "half": 3 / 7}, abs=0.01)


def test_a_schedule_follows_order_one_alone_before(
    scattering: TimeScattering, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Target(scattering, scattering.forward(melody()))
    objective, sound = Objective([target], RATE), 0.1 * torch.ones(RATE)
    every, first = objective.evaluate(sound), objective.evaluate(sound, max_order=1)
    assert first[0] == every[0]
    assert first[1] < every[1]
    followed, evaluate = [], Objective.evaluate

    def noting(self: Objective, sound: torch.Tensor, *, max_order: int | None = None) -> Any:
        followed.append(max_order)
        return evaluate(self, sound, max_order=max_order)

    monkeypatch.setattr(Objective, "evaluate", noting)
    found = match(target, start="random", schedule=[(4, 1)], n_iter=9, until=0)
    assert found.n_iter == 9
    assert followed == [1] * 4 + [None] * 5
    assert found.errors.loss <= found.start.loss


def test_time_ends_it(scattering: TimeScattering) -> None:
    found = match(Target(scattering, scattering.forward(melody())), start="noise", seconds=1e-3, until=0)
    assert (found.ended_by, found.n_iter) == ("seconds", 1)


def test_adam_goes_down_too_and_keeps_its_best(
    scattering: TimeScattering, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Target(scattering, scattering.forward(melody()))
    found = match(target, start="random", optimizer="adam", n_iter=15, until=0)
    assert found.errors.loss < 0.7 * found.start.loss
    monkeypatch.setattr("stylemix.phase.matching.descent._ADAM", 100.0)
    wild = match(target, start="random", optimizer="adam", n_iter=5, until=0)
    assert min(wild.history[1:]) > wild.start.whole
    assert wild.errors == wild.start


def test_loudness_changes_nothing(scattering: TimeScattering) -> None:
    s = scattering.forward(melody())
    soft, loud = (
        match(Target(scattering, Coefficients((level * s.array,), s.hops, RATE)), n_iter=4, until=0)
        for level in (2.0**-12, 1.0)
    )
    torch.testing.assert_close(soft.samples * 2**12, loud.samples, rtol=0.01, atol=1e-3)


@pytest.mark.parametrize(
    "options", [{"log": True, "renormalize": True}, {"renormalize": True}, {"T": "global"}, {"T": 0}]
)
def test_a_start_is_made_of_coefficients_however_they_are_bent(options: dict[str, Any]) -> None:
    bent = TimeScattering(RATE, J=6, Q=(8, 1), **options)
    plain = TimeScattering(RATE, J=6, Q=(8, 1))
    x = melody()
    guess = first_guess(Target(bent, bent.forward(x)), RATE)
    assert guess is not None
    first = plain.meta()["order"] == 1
    spectra = [plain.forward(sound).array[first].mean(-1) for sound in (guess, x)]
    assert float((spectra[0] - spectra[1]).norm() / spectra[1].norm()) < 0.3


def test_progress_says_the_error(scattering: TimeScattering, capsys: pytest.CaptureFixture[str]) -> None:
    match(Target(scattering, scattering.forward(melody())), n_iter=2, until=0, show=True)
    shown = capsys.readouterr()
    assert "matching" in shown.err
    assert "error" in shown.err
    assert not shown.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"until": -1.0}, "until must be a relative error"),
        ({"n_iter": 0}, "n_iter must be a whole number of at least 1"),
        ({"seconds": 0.0}, "seconds must be above 0"),
        ({"optimizer": "sgd"}, "'lbfgs' or 'adam', got 'sgd'"),
        ({"start": "zeros"}, "start must be a sound, 'phase'"),
        ({"start": torch.zeros(RATE)}, "start is silent"),
        ({"start": torch.ones(100)}, "must tell one length"),
        ({"n_samples": 17}, "must tell one length"),
    ],
)
def test_options_that_cannot_be_are_refused(
    scattering: TimeScattering, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        match(Target(scattering, scattering.forward(melody())), **options)


def test_targets_that_cannot_be_are_refused(scattering: TimeScattering) -> None:
    s = scattering.forward(melody())
    with pytest.raises(BadInput, match="NaN or Inf"):
        Target(scattering, Coefficients((s.array * torch.nan,), s.hops, s.n_samples))
    with pytest.raises(BadInput, match="weight of a target must be above 0"):
        Target(scattering, s, weight=0.0)
    with pytest.raises(BadInput, match="at least one target"):
        match([])
    with pytest.raises(BadInput, match=r"one sample rate, got \[8000, 16000\] Hz"):
        match([Target(scattering, s), Target(VQT(2 * RATE), VQT(2 * RATE).forward(melody()))])
    other = TimeScattering(RATE, J=7, Q=(4, 1), T=1024)
    with pytest.raises(BadInput, match="take them from the transform that is to match them"):
        match(Target(other, s))
    vqt = VQT(RATE)
    c = vqt.forward(melody())
    with pytest.raises(BadInput, match="none is below 0"):
        match(Target(vqt, Coefficients(tuple(-m for m in c.magnitudes()), c.hops, c.n_samples)))


@pytest.mark.slow
def test_five_seconds_of_music_come_within_five_per_cent(real_music: Path) -> None:
    from stylemix.audio import read_wave

    path = next(path for path in sorted(real_music.rglob("*")) if path.suffix in (".flac", ".ogg", ".wav"))
    wave = read_wave(path, start_s=10, duration_s=5, sample_rate=22050, mono=True)
    scattering = TimeScattering(22050, J=10, T=4096)
    wanted = scattering.forward(torch.from_numpy(wave.samples[0]))
    found = match(Target(scattering, wanted), until=0.05, n_iter=60)
    assert found.ended_by == "reached"
    assert max(found.errors.orders[f"order {k}"] for k in (1, 2)) <= 0.05
    random = match(Target(scattering, wanted), start="random", until=0.05, n_iter=found.n_iter)
    assert random.errors.loss > found.errors.loss
