"""One block: both ends exact, one envelope and loudness for all, partials mixed by power, phases and images kept."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.hybrid.blend import CUT_DB, DB, LIFT_DB, Blender, added, arrived, common_gains
from stylemix.hybrid.dials import PHASES, Dials
from stylemix.hybrid.layers import Layers, Weights, colour_of, norm, weights_at
from stylemix.hybrid.modes import resolve
from stylemix.hybrid.transport import Statistics, gaussian_transport, latent_statistics
from stylemix.hybrid.voice import Voice, hear
from tests.fake_run import FRAMES, RATE, FakeRun, music

N = 24 * 1024
K = 20


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FakeRun:
    path = tmp_path_factory.mktemp("corpora") / "low.wav"
    return FakeRun({"low": [Wave(music(np.random.default_rng(0), RATE, [110.0, 220.0]), RATE).save(path)]})


def blender(run: FakeRun, shares: tuple[float, ...] = (1.0,), **dials: object) -> Blender:
    return Blender(run.vqt, FRAMES, resolve(Dials(**dials)), shares)  # type: ignore[arg-type]


def blend(b: Blender, s: np.ndarray, t: np.ndarray | list[np.ndarray], alpha: float) -> np.ndarray:
    return b.blend(s, t if isinstance(t, list) else [t], lambda at: np.full(len(at), alpha))


def db(found: np.ndarray, wanted: np.ndarray) -> float:
    inner = slice(2048, -2048)
    found, wanted = found[..., inner], wanted[..., inner]
    return 20 * float(np.log10(np.linalg.norm(found - wanted) / np.linalg.norm(wanted) + 1e-15))


def level_db(x: np.ndarray) -> float:
    return 10 * float(np.log10(np.square(x[..., 2048:-2048]).mean() + 1e-20))


def seen(run: FakeRun, x: np.ndarray) -> Layers:
    return blender(run)._layers(hear(run.vqt, x))


def rich(rng: np.random.Generator, slope: float, rate_hz: float) -> np.ndarray:
    """Noise with a spectrum that rises or falls, swelling and fading by 12 dB."""
    spectrum = np.fft.rfft(rng.standard_normal(N))
    hz = np.maximum(np.fft.rfftfreq(N, 1 / RATE), 60.0)
    x = np.fft.irfft(spectrum * (hz / 700) ** slope, N)
    x *= 10 ** (0.3 * np.sin(2 * np.pi * rate_hz * np.arange(N) / RATE))
    return (0.1 * x / x.std())[None].astype(np.float32)


def some(generator: torch.Generator, n: int = 8) -> Layers:
    spectrum, envelope, detail = (0.3 * torch.randn(K, n, generator=generator) for _ in range(3))
    return Layers(norm(spectrum), envelope, colour_of(envelope), detail, spectrum)


def weights(loudness: float, envelope: float, detail: float, pitch: float, n: int = 8) -> Weights:
    return Weights(*(np.full(n, float(w)) for w in (loudness, envelope, envelope, detail, pitch)))


@pytest.fixture
def pair(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return music(rng, N, [110.0, 220.0], 2), music(rng, N, [880.0, 1760.0], 2)


def test_the_ends_are_the_parents(run: FakeRun, pair: tuple[np.ndarray, np.ndarray]) -> None:
    for phase in ("auto", "parents"):
        np.testing.assert_array_equal(blend(blender(run, phase=phase), *pair, 0.0), pair[0])
        np.testing.assert_array_equal(blend(blender(run, phase=phase), *pair, 1.0), pair[1])
    np.testing.assert_array_equal(blend(blender(run, phase="source"), *pair, 0.0), pair[0])


def test_the_ends_are_approached_without_a_step(run: FakeRun, pair: tuple[np.ndarray, np.ndarray]) -> None:
    # Not the short cut of the exact ends: the whole calculation.
    assert db(blend(blender(run), *pair, 1e-6), pair[0]) < -80
    # A millionth of the way before the end the source's power is twice that.
    assert db(blend(blender(run), *pair, 1 - 1e-6), pair[1]) < -55
    assert db(blend(blender(run), *pair, 0.001), pair[0]) < -20


def test_at_the_turn_the_source_has_the_target_s_loudness_and_envelope(run: FakeRun, rng: np.random.Generator) -> None:
    s, t = rich(rng, -1.0, 1.1), rich(rng, 0.5, 0.7)
    found, wanted, before = (seen(run, x) for x in (blend(blender(run), s, t, 0.5), t, s))
    inner = slice(10, -10)
    for name, tolerance in (("loudness", 1.0), ("envelope", 1.5)):
        off = (getattr(found, name) - getattr(wanted, name))[..., inner].abs() / DB
        moved = (getattr(before, name) - getattr(wanted, name))[..., inner].abs() / DB
        assert float(off.mean()) < tolerance
        assert float(off.mean()) < 0.25 * float(moved.mean())
    # Half of that way, in decibels, the envelope is half-way, but for the power that a mean of decibels lacks.
    half = seen(run, blend(blender(run), s, t, 0.25)).envelope
    off = half - 0.5 * (before.envelope + wanted.envelope)
    off = off - off.mean(dim=0)
    assert float(off[..., inner].abs().mean()) / DB < 1.5


def test_with_the_envelope_alone_a_tone_keeps_its_phase_and_its_pitch(run: FakeRun, rng: np.random.Generator) -> None:
    turn = 2 * np.pi * 441.7 * np.arange(N) / RATE + 0.4
    s = (0.2 * np.sin(turn))[None].astype(np.float32)
    found = blend(blender(run, pitch=0.0), s, rich(rng, -1.0, 1.1), 1.0)
    analytic = np.fft.ifft(np.fft.fft(found[0])[: N // 2], N)
    error = np.angle(analytic * np.exp(-1j * (turn - np.pi / 2)))[2048:-2048]
    assert float(np.abs(error).max()) < 0.1
    # Zero crossings are where they were.
    inner = slice(2048, -2048)
    crossings = [np.flatnonzero(np.diff(np.signbit(x[0, inner]))) for x in (s, found)]
    assert len(crossings[0]) == len(crossings[1])
    assert int(np.abs(crossings[0] - crossings[1]).max()) <= 1
    assert abs(level_db(found) - level_db(s)) > 1


def test_past_the_turn_the_partials_pass_by_power(run: FakeRun, pair: tuple[np.ndarray, np.ndarray]) -> None:
    def power(x: np.ndarray, hz: float) -> float:
        spectrum = np.square(np.abs(np.fft.rfft(x * np.hanning(N)))).sum(axis=0)
        at = round(hz / RATE * N)
        return float(spectrum[at - 20 : at + 21].sum())

    parts = {a: power(blend(blender(run), *pair, a), 880.0) for a in (0.25, 0.5, 0.75, 0.9, 1.0)}
    # At three quarters half the power, at nine tenths four fifths of it; until the turn next to nothing.
    assert parts[0.75] / parts[1.0] == pytest.approx(0.5, abs=0.05)
    assert parts[0.9] / parts[1.0] == pytest.approx(0.8, abs=0.05)
    assert max(parts[0.25], parts[0.5]) < 0.1 * parts[1.0]


def test_unlike_parents_keep_the_loudness_all_the_way(run: FakeRun, rng: np.random.Generator) -> None:
    s, t = rich(rng, -0.5, 1.1), rich(rng, 0.5, 0.7)
    levels = [level_db(blend(blender(run), s, t, a)) for a in (0, 0.1, 0.25, 0.5, 0.6, 0.75, 0.9, 1, 1.3)]
    assert max(levels) - min(levels) < 1.5
    # Two targets share the level of one.
    several = blend(blender(run, (0.5, 0.5)), s, [t, rich(rng, 0.5, 0.7)], 1.0)
    assert level_db(several) == pytest.approx(level_db(t), abs=1)


@pytest.mark.parametrize("phase", PHASES)
def test_every_phase_has_the_same_loudness(run: FakeRun, rng: np.random.Generator, phase: str) -> None:
    s, t = rich(rng, -0.5, 1.1), rich(rng, 0.5, 0.7)
    usual, found = (blend(blender(run, phase=p), s, t, 0.7) for p in ("auto", phase))
    assert level_db(found) == pytest.approx(level_db(usual), abs=2)


def test_gains_are_zero_for_who_has_what_is_wanted() -> None:
    generator = torch.Generator().manual_seed(3)
    s, t, u = (some(generator) for _ in range(3))
    zero = torch.zeros(K, 8)
    torch.testing.assert_close(common_gains([s, t], weights(0, 0, 0, 0), [1.0])[0], zero)
    torch.testing.assert_close(common_gains([s, t], weights(1, 1, 0, 1), [1.0])[1], zero)
    torch.testing.assert_close(common_gains([s, t, u], weights(1, 1, 1, 1), [0.0, 1.0])[2], zero)
    for gain in common_gains([s, s, s], weights(0.3, 1.4, 0.7, 0.2), [0.4, 0.6]):
        torch.testing.assert_close(gain, zero, atol=1e-5, rtol=0)


def test_gains_bring_all_to_one_loudness_and_envelope() -> None:
    generator = torch.Generator().manual_seed(3)
    voices = [some(generator) for _ in range(3)]
    gains = common_gains(voices, weights(0.4, 0.8, 0.0, 0.5), [0.25, 0.75])
    loudness, envelope = (
        (1 - w) * getattr(voices[0], name) + w * (0.25 * getattr(voices[1], name) + 0.75 * getattr(voices[2], name))
        for name, w in (("loudness", 0.4), ("envelope", 0.8))
    )
    for voice, gain in zip(voices, gains, strict=True):
        # The shape is the common envelope's, the level what makes the spectrum as loud as all are to be.
        shape = voice.envelope + gain - envelope
        torch.testing.assert_close(shape, shape.mean(dim=0).expand_as(shape), atol=1e-5, rtol=0)
        torch.testing.assert_close(norm(voice.spectrum + gain), loudness, atol=1e-5, rtol=0)


def test_what_moves_may_go_ahead_of_the_colour() -> None:
    generator = torch.Generator().manual_seed(3)
    s, t = some(generator), some(generator)
    far = Weights(*(np.full(8, w) for w in (0.0, 1.0, 0.25, 0.0, 0.0)))
    moved = s.envelope + common_gains([s, t], far, [1.0])[0]
    wanted = s.colour + 0.25 * (t.colour - s.colour) + t.envelope - t.colour
    shape = moved - wanted
    torch.testing.assert_close(shape, shape.mean(dim=0).expand_as(shape), atol=1e-5, rtol=0)


def test_only_the_source_takes_on_details() -> None:
    generator = torch.Generator().manual_seed(3)
    s = some(generator)
    t = replace(s, detail=torch.randn(K, 8, generator=generator))
    gains = common_gains([s, t], weights(0, 0, 0.5, 0), [1.0])
    moved = gains[0] - 0.5 * (t.detail - s.detail)
    torch.testing.assert_close(moved, moved.mean(dim=0).expand_as(moved))
    torch.testing.assert_close(norm(s.spectrum + gains[0]), s.loudness, atol=1e-5, rtol=0)
    torch.testing.assert_close(gains[1], torch.zeros(K, 8))


def test_gains_are_held_within_what_stays_unheard() -> None:
    def flat(level_db: float) -> Layers:
        spectrum = torch.full((K, 8), level_db * DB) - 0.5 * math.log(K)
        return Layers(norm(spectrum), *(torch.zeros(K, 8) for _ in range(3)), spectrum)

    for level_db, lift_db in ((-38.0, LIFT_DB), (-50.0, LIFT_DB / 2), (-70.0, 0.0)):
        up = common_gains([flat(level_db), flat(0.0)], weights(1, 1, 0, 1), [1.0])[0]
        torch.testing.assert_close(up, torch.full((K, 8), lift_db * DB), atol=1e-4, rtol=0)
    down = common_gains([flat(0.0), flat(-300.0)], weights(1, 1, 0, 1), [1.0])[0]
    torch.testing.assert_close(down, torch.full((K, 8), -CUT_DB * DB))


def test_voices_that_are_alike_become_no_louder(run: FakeRun, rng: np.random.Generator) -> None:
    s = music(rng, N, [220.0, 330.0])
    for alpha in (0.25, 0.6, 0.75, 0.9):
        assert db(blend(blender(run), s, s.copy(), alpha), s) < -50
    # Of unlike ones the powers add up: hardly anything is taken away.
    one, two = (torch.from_numpy(rng.standard_normal((1, N))) for _ in range(2))
    assert level_db(added([one, two], 1600).numpy()) == pytest.approx(10 * math.log10(2), abs=0.3)


def test_pauses_of_the_source_are_not_filled_with_its_noise(run: FakeRun, rng: np.random.Generator) -> None:
    s, t = music(rng, N, [220.0]), music(rng, N, [330.0])
    s[:, N // 3 : 2 * N // 3] = 10 ** (-70 / 20) * rng.standard_normal((1, 2 * N // 3 - N // 3))
    pause = slice(N // 3 + 1024, 2 * N // 3 - 1024)
    found = blend(blender(run), s, t, 0.5)
    assert 20 * np.log10(found[:, pause].std() / s[:, pause].std()) < 3


@pytest.mark.parametrize("mode", ["match", "fade"])
@pytest.mark.parametrize("alpha", [0.3, 0.8, 1.0])
def test_targets_may_be_swapped_with_their_shares(
    run: FakeRun, rng: np.random.Generator, mode: str, alpha: float
) -> None:
    s, t, u = music(rng, N, [220.0]), music(rng, N, [880.0]), music(rng, N, [1318.5])
    one = blend(blender(run, (0.3, 0.7), mode=mode), s, [t, u], alpha)
    other = blend(blender(run, (0.7, 0.3), mode=mode), s, [u, t], alpha)
    assert db(one, other) < -90
    # The same target twice is one target, where like partials do not meet: by envelope, and in a plain mixture.
    if alpha < 0.5 or mode == "fade":
        assert (
            db(
                blend(blender(run, (0.3, 0.7), mode=mode), s, [t, t], alpha),
                blend(blender(run, mode=mode), s, t, alpha),
            )
            < -60
        )


def test_more_of_one_share_is_more_of_its_partials(run: FakeRun, rng: np.random.Generator) -> None:
    s, t, u = music(rng, N, [220.0]), music(rng, N, [880.0]), music(rng, N, [1318.5])

    def share(first: float) -> float:
        power = np.square(np.abs(np.fft.rfft(blend(blender(run, (first, 1 - first)), s, [t, u], 0.95)[0])))
        low, high = (power[round(hz / RATE * N) - 30 : round(hz / RATE * N) + 31].sum() for hz in (880.0, 1318.5))
        return float(low / (low + high))

    found = [share(x) for x in (0.1, 0.5, 0.9)]
    assert found[0] < 0.3 < found[1] - 0.1 < found[2] - 0.2


def test_a_fade_is_a_line_between_the_parents(run: FakeRun, pair: tuple[np.ndarray, np.ndarray]) -> None:
    for phase in PHASES:
        found = blender(run, mode="fade", phase=phase).blend(pair[0], [pair[1]], lambda at: at / N)
        ramp = np.arange(N) / N
        np.testing.assert_allclose(found, (1 - ramp) * pair[0] + ramp * pair[1], atol=1e-6)
        assert found.dtype == np.float32


def styled(run: FakeRun, shift: torch.Tensor, **dials: object) -> Blender:
    def given(voice: Voice, samples: np.ndarray) -> torch.Tensor:
        return shift.expand_as(voice.pooled)

    return Blender(run.vqt, FRAMES, resolve(Dials(mode="style", **dials)), (1.0,), given)  # type: ignore[arg-type]


def test_style_moves_the_envelope_by_the_shift_and_keeps_the_loudness(run: FakeRun, rng: np.random.Generator) -> None:
    s = rich(rng, 0.0, 1.1)
    tilt = torch.linspace(-6, 6, run.vqt.n_bands)[:, None] * DB
    before = seen(run, s)
    for alpha in (0.5, 1.0):
        after = seen(run, blend(styled(run, tilt, rhythm="source"), s, [], alpha))
        moved = (after.envelope - before.envelope)[:, 10:-10].mean(dim=1)
        # Up to a constant, which is the loudness that stays.
        off = (moved - moved.mean()) - alpha * tilt[:, 0]
        assert float(off[5:-5].abs().max()) < 0.7 * DB
        assert float((after.loudness - before.loudness)[10:-10].abs().mean()) < 0.5 * DB
    assert db(blend(styled(run, tilt), s, [], 1e-6), s) < -80
    np.testing.assert_array_equal(blend(styled(run, tilt), s, [], 0.0), s)


def test_style_is_louder_only_where_the_rhythm_goes_along(run: FakeRun, rng: np.random.Generator) -> None:
    s, louder = rich(rng, 0.0, 1.1), torch.tensor([[6.0 * DB]])
    assert db(blend(styled(run, louder, rhythm="source"), s, [], 1.0), s) < -60
    assert level_db(blend(styled(run, louder, rhythm="both"), s, [], 1.0)) == pytest.approx(level_db(s) + 6, abs=0.2)


def test_the_image_of_the_source_survives_the_exchange(run: FakeRun, rng: np.random.Generator) -> None:
    s = music(rng, N, [220.0])
    left, t = np.concatenate([s, 0.1 * s]), np.repeat(music(rng, N, [880.0]), 2, axis=0)
    for alpha in (0.2, 0.5):
        power = np.square(blend(blender(run), left, t, alpha)).sum(axis=1)
        assert 10 * np.log10(power[0] / power[1]) == pytest.approx(20, abs=0.1)


def test_silence_is_not_filled(run: FakeRun, rng: np.random.Generator) -> None:
    silent = np.zeros((1, N), dtype=np.float32)
    assert np.abs(blend(blender(run), silent, silent, 0.4)).max() < 1e-4
    # Where both parents have nothing above 2 kHz, the hybrid has nothing either.
    s, t = (music(rng, N, [p]) for p in (220.0, 330.0))
    spectrum = np.abs(np.fft.rfft(blend(blender(run), s, t, 0.5)[0]))
    above = spectrum[round(2000 / RATE * N) :]
    parents = max(np.abs(np.fft.rfft(x[0]))[round(2000 / RATE * N) :].max() for x in (s, t))
    assert above.max() < 5 * parents


@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.75, 0.999])
@pytest.mark.parametrize("whose", ["source", "target", "both"])
def test_digital_silence_in_the_middle_stays_finite_and_quiet(
    run: FakeRun, rng: np.random.Generator, whose: str, alpha: float
) -> None:
    s, t = rich(rng, -0.5, 1.1), rich(rng, 0.5, 0.7)
    gap = slice(N // 3, 2 * N // 3)
    for x in {"source": [s], "target": [t], "both": [s, t]}[whose]:
        x[:, gap] = 0
    found = blend(blender(run, detail=0.5), s, t, alpha)
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 2
    inner = found[:, N // 3 + 2048 : 2 * N // 3 - 2048]
    if whose == "both" or (whose == "source" and alpha <= 0.5):
        assert np.abs(inner).max() < 1e-3


def test_an_estimate_has_the_magnitudes_without_the_phase(run: FakeRun, pair: tuple[np.ndarray, ...]) -> None:
    found = blend(blender(run, phase="estimate"), *pair, 0.0)
    assert db(found, pair[0]) > -20
    assert db(magnitudes(run, found), magnitudes(run, pair[0])) < -12


def magnitudes(run: FakeRun, x: np.ndarray) -> np.ndarray:
    return np.concatenate([m.numpy().ravel() for m in run.vqt.forward(torch.from_numpy(x)).magnitudes()])


def test_an_estimate_keeps_the_source_s_phase_between_the_channels(run: FakeRun, rng: np.random.Generator) -> None:
    # A quarter of a turn between the channels, which their magnitudes do not tell.
    t = np.arange(N) / RATE
    s = sum(0.1 * np.cos(2 * np.pi * hz * t + turn) for hz in (220.3, 554.4) for turn in [np.array([[0], [np.pi / 2]])])
    s = (s * np.hanning(N)).astype(np.float32)  # type: ignore[operator]
    for alpha, quality in ((0.0, "draft"), (0.0, "good"), (0.3, "good")):
        found = blend(blender(run, phase="estimate", quality=quality), s, music(rng, N, [880.0], 2), alpha)
        analytic = np.fft.ifft(np.fft.fft(found)[:, : N // 2], N)
        turn = np.angle((analytic[1] * analytic[0].conj()).sum())
        assert turn == pytest.approx(np.pi / 2, abs=0.1)


def test_a_better_quality_is_nearer_to_the_magnitudes(run: FakeRun, pair: tuple[np.ndarray, ...]) -> None:
    errors = []
    for quality in ("draft", "good", "best"):
        found = blend(blender(run, phase="estimate", quality=quality), *pair, 0.0)
        errors.append(db(magnitudes(run, found), magnitudes(run, pair[0])))
    assert errors[0] > errors[1] + 2 > errors[2] + 3


def test_a_curve_that_leaves_the_source_leaves_it_as_it_is_before(run: FakeRun, pair: tuple[np.ndarray, ...]) -> None:
    found = blender(run).blend(pair[0], [pair[1]], lambda at: np.clip((at - N // 2) / N, 0, 1))
    quiet = slice(2048, N // 2 - 4096)
    error = np.linalg.norm(found[:, quiet] - pair[0][:, quiet]) / np.linalg.norm(pair[0][:, quiet])
    assert 20 * np.log10(error) < -60


def test_a_hybrid_has_arrived_only_at_its_target_itself() -> None:
    for dials, alpha, wanted in (
        (Dials(), 1.0, True), (Dials(), 0.99, False), (Dials(), 1.3, False), (Dials(pitch=0.5), 1.0, False),
        (Dials(envelope=0.5), 1.0, False), (Dials(rhythm="source"), 1.0, False), (Dials(rhythm="target"), 1.0, True),
    ):  # fmt: skip
        assert arrived(weights_at(np.full(3, alpha), resolve(dials))) == wanted


def test_the_transport_gives_the_other_mean_and_covariance(rng: np.random.Generator) -> None:
    a, b = (rng.standard_normal((6, 6)) @ rng.standard_normal((6, 4000)) + 3 * i for i in range(2))
    move = gaussian_transport(latent_statistics([a]), latent_statistics([b]), shrinkage=0.0)
    moved = move(a)
    np.testing.assert_allclose(moved.mean(axis=1), b.mean(axis=1), atol=1e-4)
    np.testing.assert_allclose(np.cov(moved), np.cov(b), rtol=0.01, atol=0.01)
    # The least motion of all such maps: the gradient of a convex function.
    np.testing.assert_allclose(move.matrix, move.matrix.T, atol=1e-8)
    assert np.linalg.eigvalsh(move.matrix).min() > 0


def test_the_transport_to_itself_moves_nothing(rng: np.random.Generator) -> None:
    stats = latent_statistics([rng.standard_normal((5, 5)) @ rng.standard_normal((5, 500))])
    np.testing.assert_allclose(gaussian_transport(stats, stats).matrix, np.eye(5), atol=1e-6)


def test_fewer_steps_than_dimensions_still_give_a_transport(rng: np.random.Generator) -> None:
    few = [latent_statistics([rng.standard_normal((20, 3))]) for _ in range(2)]
    assert np.isfinite(gaussian_transport(few[0], few[1])(rng.standard_normal((20, 9)))).all()


def test_statistics_of_pieces_are_those_of_the_whole(rng: np.random.Generator) -> None:
    z = rng.standard_normal((4, 100)) + 5
    whole, pieces = latent_statistics([z]), latent_statistics([z[:, :30], z[:, 30:]])
    np.testing.assert_allclose(pieces.covariance, whole.covariance)
    np.testing.assert_allclose(whole.covariance, np.cov(z, bias=True), atol=1e-10)
    assert isinstance(whole, Statistics)
    with pytest.raises(BadInput, match="without any latent step"):
        latent_statistics([])
