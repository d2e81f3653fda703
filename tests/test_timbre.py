"""Onsets, timbre and cepstra against closed forms: clicks, tones and noises whose numbers are known."""

from __future__ import annotations

import math

import librosa
import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.measure.cepstra import N_CEPSTRA, cepstral_features, mel_cepstra
from stylemix.measure.onsets import onset_correlation, onset_strength, onset_times, onset_window
from stylemix.measure.timbre import TIMBRE, path_errors, timbre_descriptors

RATE = 22050
N = 4 * RATE


def notes(starts_s: list[float], *, hz: float = 440.0, rate: int = RATE, seconds: float = 4.0) -> Wave:
    """A decaying tone at each start."""
    t = np.arange(round(seconds * rate)) / rate
    return Wave(
        sum(np.exp(-8 * np.maximum(t - s, 0)) * (t >= s) * np.sin(2 * np.pi * hz * (t - s)) for s in starts_s), rate
    )


def tones(*hz: float, seconds: float = 3.0) -> Wave:
    t = np.arange(round(seconds * RATE)) / RATE
    return Wave(sum(np.sin(2 * np.pi * f * t) for f in hz), RATE)


def described(wave: Wave) -> dict[str, float]:
    return dict(zip((name.split(" ")[0] for name in TIMBRE), timbre_descriptors(wave), strict=True))


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
def test_onsets_are_found_where_notes_begin_at_any_rate(rate: int) -> None:
    starts = [0.5, 1.1, 1.35, 2.8]
    found = onset_times(notes(starts, rate=rate, hz=600.0))
    np.testing.assert_allclose(found, starts, atol=0.03)


def test_a_gain_changes_no_onset_and_silence_has_none() -> None:
    wave = notes([0.3, 1.7])
    np.testing.assert_allclose(onset_strength(Wave(0.01 * wave.samples, RATE)), onset_strength(wave), atol=1e-3)
    assert not onset_strength(Wave(np.zeros(N), RATE)).any()
    assert not len(onset_times(Wave(np.zeros(N), RATE)))
    assert onset_window(RATE) == 1024


def test_what_ends_is_no_onset() -> None:
    t = np.arange(N) / RATE
    # Over a fifth of a second: what stops at once is a click, and begins.
    level = 10 ** (-50 / 20 * np.clip((t - 2) / 0.2, 0, 1))
    ending = level * np.sin(2 * np.pi * 440 * t)
    falling, rising = (onset_strength(Wave(x, RATE)) for x in (ending, ending[::-1].copy()))
    assert falling.max() < 0.3 * rising.max()
    assert (falling >= 0).all()


def test_noises_that_begin_all_the_time_have_no_rhythm_in_common(rng: np.random.Generator) -> None:
    assert abs(onset_correlation(*(Wave(rng.standard_normal(N), RATE) for _ in range(2)))) < 0.2


def test_rhythm_is_kept_by_another_pitch_and_a_gain_and_lost_by_another_place() -> None:
    wave = notes([0.5, 1.0, 2.2, 3.1])
    assert onset_correlation(wave, wave) == pytest.approx(1.0)
    assert onset_correlation(wave, Wave(0.2 * wave.samples, RATE)) == pytest.approx(1.0)
    assert onset_correlation(wave, notes([0.5, 1.0, 2.2, 3.1], hz=1300.0)) > 0.9
    assert onset_correlation(wave, notes([0.75, 1.6, 2.7, 3.6])) < 0.05
    assert onset_correlation(wave, Wave(np.zeros(N), RATE)) == 0.0


def test_rhythm_of_sounds_of_other_lengths_is_refused() -> None:
    with pytest.raises(BadInput, match=r"onset_correlation: .* 10 samples at 8000 Hz and 9 at 8000 Hz"):
        onset_correlation(Wave(np.ones(10), 8000), Wave(np.ones(9), 8000))


def test_a_tone_has_its_own_frequency_and_no_width() -> None:
    for hz in (250.0, 1000.0, 3000.0):
        found = described(tones(hz))
        assert found["centroid"] == pytest.approx(math.log2(hz / 1000), abs=0.03)
        assert found["rolloff"] == pytest.approx(math.log2(hz / 1000), abs=0.06)
        assert found["spread"] < 0.08
        assert found["flatness"] < -40


def test_two_tones_two_octaves_apart_are_an_octave_from_their_middle() -> None:
    found = described(tones(1000.0, 4000.0))
    assert found["centroid"] == pytest.approx(1.0, abs=0.02)
    assert found["spread"] == pytest.approx(1.0, abs=0.02)
    assert found["rolloff"] == pytest.approx(2.0, abs=0.02)


def test_the_flatness_of_white_noise_is_that_of_exponential_power(rng: np.random.Generator) -> None:
    # The power of a bin of white noise is exponential: its mean logarithm lies Euler's constant below log of its mean.
    found = described(Wave(rng.standard_normal(3 * RATE), RATE))
    assert found["flatness"] == pytest.approx(-10 * np.euler_gamma / math.log(10), abs=0.05)


def test_dynamics_of_two_levels_are_half_their_difference() -> None:
    t = np.arange(N) / RATE
    level = np.where(t < 2, 1.0, 0.1)
    assert described(Wave(level * np.sin(2 * np.pi * 440 * t), RATE))["dynamics"] == pytest.approx(10.0, abs=0.2)


def test_onsets_are_counted_and_sharper_ones_are_stronger() -> None:
    found = described(notes([0.25, 1.0, 1.75, 2.5, 3.25, 3.75]))
    assert found["onsets"] == pytest.approx(6 / 4)
    t = np.arange(N) / RATE
    soft = Wave((0.5 - 0.5 * np.cos(2 * np.pi * t)) * np.sin(2 * np.pi * 440 * t), RATE)
    assert described(soft)["attack"] < 0.5 * found["attack"]


def test_timbre_does_not_depend_on_level_and_silence_is_zero(rng: np.random.Generator) -> None:
    wave = notes([0.3, 0.9, 2.0])
    np.testing.assert_allclose(timbre_descriptors(Wave(0.01 * wave.samples, RATE)), timbre_descriptors(wave), atol=0.02)
    assert not timbre_descriptors(Wave(np.zeros(N), RATE)).any()
    assert np.isfinite(timbre_descriptors(Wave(np.ones(100), RATE))).all()


def test_a_straight_walk_has_no_error_and_a_jump_has_that_of_a_jump() -> None:
    path = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 1.0], [4.0, 1.0]])
    away, bends = path_errors(path)
    assert away.tolist() == pytest.approx([0, math.sqrt((0.25**2 + 0.5**2 + 0.25**2) / 3)])
    assert bends.tolist() == pytest.approx([0, math.sqrt((0 + 1 + 1) / 3)])
    with pytest.raises(BadInput, match=r"three alphas or more, got shape \(2, 2\)"):
        path_errors(path[:2])


def test_cepstra_are_those_of_librosa(rng: np.random.Generator) -> None:
    x = rng.standard_normal(RATE) * np.linspace(0.1, 1, RATE)
    power = librosa.feature.melspectrogram(
        y=x, sr=RATE, n_fft=1024, hop_length=256, center=False, n_mels=40, fmin=40.0, window="hann"
    )
    wanted = librosa.feature.mfcc(S=librosa.power_to_db(power, ref=np.max, top_db=80.0), n_mfcc=N_CEPSTRA)
    found = mel_cepstra(Wave(x, RATE))
    np.testing.assert_allclose(found[:, : wanted.shape[1] - 1], wanted[:, :-1], atol=0.05)


def test_cepstral_features_hear_a_filter_and_no_gain(rng: np.random.Generator) -> None:
    x = rng.standard_normal(3 * RATE)
    plain, quiet = (cepstral_features(Wave(g * x, RATE)) for g in (1.0, 0.01))
    assert plain.shape == (3 * N_CEPSTRA - 1,)
    cepstra = mel_cepstra(Wave(x, RATE))
    np.testing.assert_allclose(plain[:20], [*cepstra[1:].mean(axis=1), cepstra[0].std()])
    np.testing.assert_allclose(quiet, plain, atol=1e-2)
    assert np.abs(cepstral_features(Wave(np.diff(x), RATE)) - plain).max() > 10
    assert np.isfinite(cepstral_features(Wave(np.zeros(100), RATE))).all()
