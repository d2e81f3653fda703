"""One block: both ends exact, the middle between, images and floors kept; Gaussians transported."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.hybrid.blend import DB, Blender, detail_limit
from stylemix.hybrid.transport import Statistics, gaussian_transport, latent_statistics
from stylemix.phase import Magnitudes
from tests.fake_run import RATE, FakeRun, music

N = 24 * 1024


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FakeRun:
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("corpora")
    low, high = [110.0, 164.8, 220.0], [880.0, 1318.5, 1760.0]
    paths = {
        name: [Wave(music(rng, 5 * RATE, p), RATE).save(folder / f"{name}{i}.wav") for i in range(2)]
        for name, p in (("low", low), ("high", high))
    }
    return FakeRun(paths)


def blender(run: FakeRun, **options: object) -> Blender:
    return Blender(run, np.eye(2, dtype=np.float32), log_peak=-2.0, **options)  # type: ignore[arg-type]


def blend(b: Blender, s: np.ndarray, t: np.ndarray | None, alpha: float) -> np.ndarray:
    return b.blend(s, t, lambda at: np.full(len(at), alpha))


def db(found: np.ndarray, wanted: np.ndarray) -> float:
    inner = slice(2048, -2048)
    found, wanted = found[..., inner], wanted[..., inner]
    return 20 * float(np.log10(np.linalg.norm(found - wanted) / np.linalg.norm(wanted) + 1e-15))


@pytest.fixture
def pair(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return music(rng, N, [110.0, 220.0], 2), music(rng, N, [880.0, 1760.0], 2)


def test_the_ends_are_the_parents(run: FakeRun, pair: tuple[np.ndarray, np.ndarray]) -> None:
    np.testing.assert_array_equal(blend(blender(run), *pair, 0.0), pair[0])
    np.testing.assert_array_equal(blend(blender(run), *pair, 1.0), pair[1])


def test_the_ends_are_approached_without_a_step(run: FakeRun, pair: tuple[np.ndarray, np.ndarray]) -> None:
    # Not the short cut of the exact ends: the whole calculation.
    assert db(blend(blender(run), *pair, 1e-6), pair[0]) < -80
    assert db(blend(blender(run), *pair, 1 - 1e-6), pair[1]) < -80
    assert db(blend(blender(run), *pair, 0.01), pair[0]) < -20


def test_the_source_s_phase_and_the_target_s_magnitudes_at_alpha_1(
    run: FakeRun, pair: tuple[np.ndarray, ...]
) -> None:
    found = blend(blender(run, phase="source"), pair[0], pair[1], 1.0)
    assert db(found, pair[1]) > -20
    energies = [float(np.square(x).sum()) for x in (found, pair[1])]
    assert 10 * np.log10(energies[0] / energies[1]) == pytest.approx(0, abs=3)


def test_the_middle_has_something_of_both(run: FakeRun, pair: tuple[np.ndarray, np.ndarray]) -> None:
    def bands(x: np.ndarray) -> np.ndarray:
        return run.vqt.pool(run.vqt.forward(torch.from_numpy(x)).magnitudes(), N).mean(dim=(0, 2)).numpy()

    low, high = (np.abs(run.vqt.frequencies_hz - hz).argmin() for hz in (220.0, 1760.0))
    s, h, t = bands(pair[0]), bands(blend(blender(run), *pair, 0.5)), bands(pair[1])
    assert t[low] < h[low] < s[low]
    assert s[high] < h[high] < t[high]


def test_the_stereo_image_of_the_source_survives(run: FakeRun, rng: np.random.Generator) -> None:
    s = music(rng, N, [220.0])
    left = np.concatenate([s, 0.1 * s])
    t = np.repeat(music(rng, N, [880.0]), 2, axis=0)
    for alpha, wanted in ((0.2, 16.0), (0.5, 10.0)):
        hybrid = blend(blender(run), left, t, alpha)
        power = np.square(hybrid).sum(axis=1)
        assert 10 * np.log10(power[0] / power[1]) == pytest.approx(wanted, abs=2.5)


def test_silence_is_not_filled(run: FakeRun, rng: np.random.Generator) -> None:
    silent = np.zeros((1, N), dtype=np.float32)
    found = blend(blender(run), silent, silent, 0.5)
    assert np.abs(found).max() < 1e-4
    # Where both parents have nothing above 2 kHz, the hybrid has nothing either.
    s, t = (music(rng, N, [p]) - 1e-4 * 0 for p in (220.0, 330.0))
    spectrum = np.abs(np.fft.rfft(blend(blender(run), s, t, 0.5)[0]))
    above = spectrum[round(2000 / RATE * N) :]
    parents = max(np.abs(np.fft.rfft(x[0]))[round(2000 / RATE * N) :].max() for x in (s, t))
    assert above.max() < 5 * parents


def test_the_model_s_inventions_are_capped(
    run: FakeRun, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    s, t = (music(rng, N, [p]) for p in (220.0, 330.0))
    decode = run.decode

    def excited(codes: np.ndarray, condition: np.ndarray, loudness: np.ndarray) -> np.ndarray:
        # Between the corpora, and only there, the model claims 60 dB more than there is.
        return decode(codes, condition, loudness) + (7.0 if np.ndim(condition) == 2 else 0.0)

    monkeypatch.setattr(run, "decode", excited)
    # 12 dB above the parents in seven bands for each of theirs: 12 + 8.5 dB, and their own skirts.
    louder = np.square(blend(blender(run), s, t, 0.5)).sum() / np.square(s).sum()
    assert 10 * np.log10(louder) < 24


def test_style_moves_towards_the_other_corpus_and_starts_at_the_source(
    run: FakeRun, rng: np.random.Generator
) -> None:
    stats = [latent_statistics(run.latents(i).codes for i in pair) for pair in ((0, 1), (2, 3))]
    b = blender(run, transport=gaussian_transport(*stats))
    s = music(rng, N, [110.0, 220.0])
    assert db(blend(b, s, None, 1e-6), s) < -80

    def brightness(x: np.ndarray) -> float:
        power = np.square(np.abs(np.fft.rfft(x[0])))
        return float(np.log(power[round(600 / RATE * N) :].sum() / power.sum()))

    shades = [brightness(blend(b, s, None, a)) for a in (0.0, 0.5, 1.0)]
    assert shades[0] < shades[1] < shades[2]


def test_an_estimate_has_the_magnitudes_without_the_phase(run: FakeRun, pair: tuple[np.ndarray, ...]) -> None:
    found = blend(blender(run, phase="estimate"), pair[0], pair[1], 0.0)
    assert db(found, pair[0]) > -20
    magnitudes = [
        np.concatenate([m.numpy().ravel() for m in run.vqt.forward(torch.from_numpy(x)).magnitudes()])
        for x in (found, pair[0])
    ]
    assert db(magnitudes[0], magnitudes[1]) < -12


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
        found = blend(blender(run, phase="estimate", quality=quality), pair[0], pair[1], 0.0)
        magnitudes = [
            np.concatenate([m.numpy().ravel() for m in run.vqt.forward(torch.from_numpy(x)).magnitudes()])
            for x in (found, pair[0])
        ]
        errors.append(db(magnitudes[0], magnitudes[1]))
    assert errors[0] > errors[1] + 2 > errors[2] + 3


@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.75])
def test_between_the_parents_an_estimate_has_more_of_the_hybrid_s_magnitudes_than_a_parent_s_phase(
    run: FakeRun, pair: tuple[np.ndarray, ...], alpha: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Magnitudes] = []

    def caught(name: str) -> None:
        original = getattr(Blender, name)

        def method(self: Blender, wanted: Magnitudes, *rest: object) -> np.ndarray:
            asked.append(wanted)
            return original(self, wanted, *rest)

        monkeypatch.setattr(Blender, name, method)

    caught("sound")
    caught("estimated")
    errors = {}
    for phase in ("auto", "parents", "source"):
        found = blend(blender(run, phase=phase), *pair, alpha)
        errors[phase] = 20 * np.log10(asked[-1].error(run.vqt.forward(torch.from_numpy(found)).groups))
    assert errors["auto"] < errors["parents"] - 1
    assert errors["auto"] < errors["source"] - 1


def test_a_curve_that_leaves_the_source_leaves_it_as_it_is_before(
    run: FakeRun, pair: tuple[np.ndarray, np.ndarray]
) -> None:
    # Where alpha is 0 within a block, the source's own phase is kept, and what follows goes on from there.
    found = blender(run).blend(*pair, lambda at: np.clip((at - N // 2) / N, 0, 1))
    quiet = slice(2048, N // 2 - 4096)
    error = np.linalg.norm(found[:, quiet] - pair[0][:, quiet]) / np.linalg.norm(pair[0][:, quiet])
    assert 20 * np.log10(error) < -25


def test_an_unknown_quality_is_refused(run: FakeRun, pair: tuple[np.ndarray, ...]) -> None:
    with pytest.raises(BadInput, match="quality: must be draft, good or best, got 'ok'"):
        blend(blender(run, phase="estimate", quality="ok"), pair[0], pair[1], 0.5)


def test_details_are_limited_half_way_and_free_at_the_ends() -> None:
    limits = detail_limit(torch.tensor([0.0, 0.5, 0.99, 1.0])) / DB
    assert limits[0] == pytest.approx(30)
    assert limits[1] == pytest.approx(32, abs=0.1)
    assert limits[2] > 500
    assert torch.isinf(limits[3])


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
