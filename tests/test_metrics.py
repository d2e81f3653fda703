"""Measures against closed forms: known errors, known mixtures, known distances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import butter, istft, lfilter, sosfilt, stft

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.hybrid.quality import Comparison
from stylemix.measure import spectra
from stylemix.measure.metrics import (
    chroma_correlation,
    fade_r2,
    kernel_distance,
    log_spectral_distance_db,
    path_evenness,
    spectral_convergence_db,
    standardised,
)

RATE = 22050
N = 6 * RATE


def wave(samples: np.ndarray, rate: int = RATE) -> Wave:
    return Wave(samples, rate)


def pulses(rng: np.random.Generator, period_s: float, hz: list[float]) -> np.ndarray:
    """Decaying notes: sound that comes and goes in time and in frequency."""
    t = np.arange(N) / RATE
    out = np.zeros(N)
    for start in np.arange(0, 6, period_s):
        shape = np.exp(-6 * np.maximum(t - start, 0)) * (t >= start)
        out += shape * np.sin(2 * np.pi * rng.choice(hz) * t)
    return out + 1e-4 * rng.standard_normal(N)


@pytest.fixture
def parents(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return pulses(rng, 0.4, [220.0, 330.0, 440.0]), pulses(rng, 0.15, [261.6, 392.0, 523.3, 2000.0])


def test_convergence_of_a_scaled_sound_is_the_logarithm_of_the_missing_share(rng: np.random.Generator) -> None:
    x = rng.standard_normal((2, 20000))
    for share in (0.1, 0.5, 1.0):
        assert spectral_convergence_db(x, (1 - share) * x) == pytest.approx(20 * math.log10(share), abs=1e-9)
    assert spectral_convergence_db(x, -x) == -200.0


def test_convergence_looks_at_magnitudes_and_at_every_window(rng: np.random.Generator) -> None:
    x = rng.standard_normal(40000)
    late = x.copy()
    late[-50:] = 0
    assert spectral_convergence_db(x, late) > -200
    shifted = np.roll(x, 1)
    assert spectral_convergence_db(x, shifted) < -20 < 20 * math.log10(np.linalg.norm(x - shifted) / np.linalg.norm(x))
    assert spectral_convergence_db(x, shifted, n_fft=4096) != spectral_convergence_db(x, shifted)


def test_both_distances_agree_with_the_block_wise_ones(rng: np.random.Generator) -> None:
    x = rng.standard_normal((1, 20480)).astype(np.float32)
    y = x + 0.1 * rng.standard_normal(x.shape).astype(np.float32)
    blocks = Comparison(RATE)
    blocks.add(x, y)
    assert spectral_convergence_db(x, y) == pytest.approx(blocks.convergence_db(), abs=0.05)
    assert log_spectral_distance_db(x, y) == pytest.approx(blocks.distance_db(), abs=0.05)


def test_level_distance_of_a_gain_is_the_gain_and_stops_at_the_floor(rng: np.random.Generator) -> None:
    x = rng.standard_normal(20000)
    for db in (1.0, -6.0, 12.0):
        assert log_spectral_distance_db(x, x * 10 ** (db / 20)) == pytest.approx(abs(db), abs=1e-3)
    assert 55 < log_spectral_distance_db(x, 0 * x) <= 80


def test_sounds_of_other_shapes_are_refused() -> None:
    for measure in (spectral_convergence_db, log_spectral_distance_db):
        with pytest.raises(BadInput, match=r"of one shape, got \(1, 5\) and \(1, 6\)"):
            measure(np.zeros(5), np.zeros(6))
    with pytest.raises(BadInput, match="multiple of 4"):
        spectral_convergence_db(np.zeros(5), np.zeros(5), n_fft=6)


@pytest.mark.parametrize("gains", [(0.5, 0.5), (0.9, 0.1), (1.0, 0.0), (0.0, 1.0), (0.3, 3.0), (0.5, -0.5)])
def test_a_fade_explains_every_crossfade_of_noises_and_of_notes(
    rng: np.random.Generator, parents: tuple[np.ndarray, np.ndarray], gains: tuple[float, float]
) -> None:
    for a, b in (parents, rng.standard_normal((2, N))):
        assert fade_r2(wave(gains[0] * a + gains[1] * b), wave(a), wave(b)) == pytest.approx(1.0, abs=1e-4)


def test_a_fade_explains_an_equalised_and_resampled_crossfade(parents: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = parents
    bright = lfilter([1, -0.9], [1], 0.5 * a) + lfilter([0.2], [1, -0.8], b)
    assert fade_r2(wave(bright), wave(a), wave(b)) > 0.99
    stereo = np.stack([0.5 * a + 0.5 * b, 0.2 * a + 0.8 * b])
    high = [Wave(np.repeat(np.atleast_2d(x), 2, axis=1), 2 * RATE) for x in (stereo, a, b)]
    low = [sosfilt(butter(8, 9000, fs=2 * RATE, output="sos"), w.samples) for w in high]
    assert fade_r2(*(Wave(x, 2 * RATE) for x in low)) > 0.99


def test_a_fade_does_not_explain_a_product_of_magnitudes(parents: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = (stft(x, nperseg=2048, noverlap=1536)[2] for x in parents)
    product = istft(np.sqrt(np.abs(a * b)) * np.exp(1j * np.angle(a)), nperseg=2048, noverlap=1536)[1][:N]
    assert fade_r2(wave(product), *map(wave, parents)) < 0.7


def test_a_fade_does_not_explain_a_moving_fade_or_an_unrelated_sound(
    rng: np.random.Generator, parents: tuple[np.ndarray, np.ndarray]
) -> None:
    a, b = parents
    ramp = np.linspace(0, 1, N)
    assert fade_r2(wave((1 - ramp) * a + ramp * b), wave(a), wave(b)) < 0.8
    unrelated = pulses(rng, 0.23, [300.0, 700.0, 1100.0])
    assert fade_r2(wave(unrelated), wave(a), wave(b)) < 0.3


def test_neither_level_nor_silence_changes_what_is_explained(parents: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = parents
    other = np.roll(a, 3000)
    once = fade_r2(wave(other), wave(a), wave(b))
    assert fade_r2(wave(0.01 * other), wave(a), wave(5 * b)) == pytest.approx(once, abs=0.01)
    assert fade_r2(wave(0 * a), wave(a), wave(b)) == 1.0
    assert fade_r2(wave(a), wave(0 * a), wave(0 * a)) <= 0.0


def test_parents_of_another_length_or_rate_are_refused() -> None:
    with pytest.raises(BadInput, match=r"fade_r2: .* got 10 samples at 8000 Hz, 10 samples at 8000 Hz, 9 samples"):
        fade_r2(wave(np.ones(10), 8000), wave(np.ones(10), 8000), wave(np.ones(9), 8000))
    with pytest.raises(BadInput, match=r"chroma_correlation: .* 8000 Hz and 10 at 9000 Hz"):
        chroma_correlation(wave(np.ones(10), 8000), wave(np.ones(10), 9000))


def test_kernel_distance_is_what_the_definition_says() -> None:
    # Two features of which one does not vary: distances within the reference are 2 (of -1 and 1) in its own units.
    reference, x = np.array([[-3.0, 7.0], [3.0, 7.0]]), np.array([[0.0, 7.0], [3.0, 99.0]])
    within_y, within_x = math.exp(-4 / 8), math.exp(-1 / 8)
    between = (2 * math.exp(-1 / 8) + math.exp(-4 / 8) + 1) / 4
    assert kernel_distance(x, reference) == pytest.approx(1000 * (within_x + within_y - 2 * between))


def test_kernel_distance_is_unbiased_and_grows_with_the_distance(rng: np.random.Generator) -> None:
    reference = rng.normal(0, 1, (100, 5))
    same = [kernel_distance(rng.normal(0, 1, (12, 5)), reference) for _ in range(60)]
    assert abs(np.mean(same)) < 4 * np.std(same) / math.sqrt(len(same))
    assert min(same) < 0
    moved = [kernel_distance(rng.normal(m, 1, (50, 5)), reference) for m in (0.5, 1.0, 2.0, 50.0)]
    assert moved == sorted(moved)
    assert moved[-1] < 2000


def test_sets_too_small_for_a_distance_are_refused() -> None:
    with pytest.raises(BadInput, match=r"at least 2 rows .* got \(1, 3\) and \(4, 3\)"):
        kernel_distance(np.zeros((1, 3)), np.zeros((4, 3)))
    with pytest.raises(BadInput, match="same features"):
        kernel_distance(np.zeros((3, 2)), np.zeros((4, 3)))


def test_standardising_brings_the_reference_to_mean_0_and_spread_1(rng: np.random.Generator) -> None:
    reference = rng.normal(5, 3, (50, 4))
    own = standardised(reference, reference)
    np.testing.assert_allclose(own.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(own.std(axis=0), 1)


def test_an_even_path_has_no_error_and_a_jump_has_the_error_of_a_jump() -> None:
    even = np.outer(np.linspace(0, 1, 5), [3.0, -4.0])
    assert path_evenness(even) == pytest.approx((0, 0), abs=1e-12)
    jump = np.array([[0.0], [0.0], [0.0], [1.0], [1.0]])
    away = math.sqrt((0.25**2 + 0.5**2 + 0.25**2) / 3)
    assert path_evenness(jump) == pytest.approx((away, math.sqrt(2 / 3)))
    assert path_evenness(10 * jump + 7) == pytest.approx(path_evenness(jump))
    assert path_evenness(np.ones((3, 2))) == (math.inf, math.inf)
    with pytest.raises(BadInput, match="three alphas or more"):
        path_evenness(jump[:2])


def test_chroma_finds_the_pitch_class_whatever_octave() -> None:
    t = np.arange(RATE) / RATE
    for hz, expected in ((220.0, 0), (880.0, 0), (261.63, 3), (523.25, 3), (415.3, 11)):
        found = spectra.chroma(wave(np.sin(2 * np.pi * hz * t)))
        assert found.mean(axis=1).argmax() == expected
        np.testing.assert_allclose(found.sum(axis=0), 1)
    assert not spectra.chroma(wave(np.zeros(RATE))).any()


def test_harmony_is_kept_by_a_gain_and_lost_by_a_transposition(parents: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = map(wave, parents)
    assert chroma_correlation(a, wave(0.1 * parents[0])) == pytest.approx(1.0)
    assert chroma_correlation(a, b) < 0.5
    assert chroma_correlation(a, wave(np.zeros(N))) == 0.0


def test_bands_cover_the_bins_once_and_are_never_empty() -> None:
    edges = spectra.band_edges(RATE, n_fft=2048, bands_per_octave=24, fmin_hz=40.0)
    assert edges[-1] == 1025
    assert (np.diff(edges) > 0).all()
    widths = np.diff(edges[:-1]) / edges[:-2]
    assert widths[edges[:-2] > 200].max() < 1.3 * (2 ** (1 / 24) - 1)


def test_frames_reach_the_last_sample_and_short_sounds_have_one() -> None:
    late = np.zeros(5000)
    late[-1] = 1
    assert np.abs(spectra.stft(late, 2048)).max() > 0
    assert spectra.stft(np.ones(10), 2048).shape == (1025, 1)
