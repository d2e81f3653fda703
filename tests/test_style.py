"""Style features and the linear probe: blind to level, finite for anything, able to tell styles apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.audio import read_wave
from stylemix.errors import BadInput
from stylemix.style import segment_features, style_feature_names, style_features
from stylemix.style_probe import fit_probe
from tests.sounds import melody, noise, tone


def named(samples: np.ndarray, rate: int = 22050) -> dict[str, float]:
    """Features by name."""
    return dict(zip(style_feature_names(), style_features(samples, rate), strict=True))


def rows(*, plucked: bool, seeds: range) -> tuple[np.ndarray, np.ndarray]:
    """Features and recording of the segments of some melodies."""
    found = [segment_features(Wave(melody(9.0, seed=seed, plucked=plucked), 22050)) for seed in seeds]
    return np.concatenate(found), np.repeat(np.array(seeds), [len(rows) for rows in found])


def test_every_feature_has_a_name_of_its_own() -> None:
    names = style_feature_names()
    assert len(set(names)) == len(names) == len(style_features(tone(3.0), 22050))


@pytest.mark.parametrize("gain", [1e-3, 0.1, 30.0])
def test_level_does_not_matter(gain: float) -> None:
    samples = melody(3.0, plucked=True)
    # Single precision: the sums differ in their seventh digit, and logarithms of faint bands show it.
    assert np.abs(style_features(samples, 22050) - style_features(gain * samples, 22050)).max() < 0.02


@pytest.mark.parametrize(
    "samples",
    [np.zeros(66150), np.zeros(1), np.full(66150, 0.5), tone(0.01), noise(0.1), np.eye(1, 66150, 30000)[0]],
)
def test_features_are_finite_for_anything(samples: np.ndarray) -> None:
    assert np.all(np.isfinite(style_features(samples, 22050)))


def test_features_mean_what_their_names_say() -> None:
    low, high, hiss = named(tone(3.0, hz=200)), named(tone(3.0, hz=4000)), named(noise(3.0))
    # Octaves re 1 kHz.
    assert high["centroid_mean"] == pytest.approx(2.0, abs=0.1)
    assert low["centroid_mean"] == pytest.approx(np.log2(0.22), abs=0.1)
    # White noise: 85 % of the power lies below 85 % of the band.
    assert hiss["rolloff_mean"] == pytest.approx(np.log2(0.85 * 11.025 + 0.02), abs=0.1)
    # The flatness of white noise is exp(-0.577) of one.
    assert hiss["flatness_mean"] == pytest.approx(-0.25, abs=0.02)
    assert low["flatness_mean"] < -4
    assert low["pitch_stability"] == pytest.approx(1.0, abs=0.01)
    assert hiss["pitch_stability"] < 0.5
    assert low["chroma_entropy_mean"] < 0.5 < hiss["chroma_entropy_mean"]


@pytest.mark.parametrize("rate_hz", [1.5, 3.0, 6.0, 12.0])
def test_a_tremolo_shows_in_its_octave_of_modulation(rate_hz: float) -> None:
    time_s = np.arange(3 * 22050) / 22050
    found = named(noise(3.0) * (1 + 0.8 * np.sin(2 * np.pi * rate_hz * time_s)))
    octaves = {name: value for name, value in found.items() if name.startswith("modulation_mid")}
    assert max(octaves, key=octaves.__getitem__) == f"modulation_mid_{2.0 ** np.floor(np.log2(rate_hz)):g}"


@pytest.mark.parametrize("interval_s", [0.5, 0.25])
def test_onsets_are_counted(interval_s: float) -> None:
    samples = 1e-3 * noise(3.0)
    for start_s in np.arange(0.1, 2.9, interval_s):
        start = round(start_s * 22050)
        samples[start : start + 2000] += tone(2000 / 22050) * np.exp(-np.arange(2000) / 400)
    assert named(samples)["onset_rate_hz"] == pytest.approx(1 / interval_s, rel=0.2)


def test_any_rate_and_channels_describe_the_same_sound() -> None:
    samples = melody(3.0, rate=44100)
    stereo = Wave(np.stack([samples, samples]), 44100)
    at_half = melody(3.0, rate=22050)
    # The two differ near the Nyquist frequency of the lower rate: compare below it.
    bands = slice(0, 36)
    assert np.abs(style_features(stereo)[bands] - style_features(at_half, 22050)[bands]).max() < 0.5
    assert np.array_equal(style_features(stereo), style_features(samples, 44100))


def test_bad_samples_are_refused() -> None:
    with pytest.raises(BadInput, match="finite"):
        style_features(np.array([0.0, np.nan]), 22050)
    with pytest.raises(BadInput, match="finite"):
        style_features(np.zeros(0), 22050)
    with pytest.raises(BadInput, match="sample_rate must be positive"):
        style_features(np.zeros(10))


def test_silent_segments_are_left_out() -> None:
    wave = Wave(np.concatenate([melody(3.0), np.zeros(66150), melody(3.0, seed=1)]), 22050)
    assert segment_features(wave).shape == (2, len(style_feature_names()))
    assert segment_features(Wave(tone(1.0), 22050)).shape[0] == 1
    assert segment_features(wave, segment_s=3.0, hop_s=1.5).shape[0] == 4


def test_the_probe_tells_styles_apart_and_not_halves_of_one() -> None:
    held, from_held = rows(plucked=False, seeds=range(0, 4))
    plucked, from_plucked = rows(plucked=True, seeds=range(10, 14))
    features, groups = np.concatenate([held, plucked]), np.concatenate([from_held, from_plucked])
    probe = fit_probe(features, (groups >= 10).astype(int), groups)
    assert probe.labels == ("0", "1")
    assert probe.accuracy == 1.0
    same, from_same = rows(plucked=False, seeds=range(0, 8))
    accuracy = fit_probe(same, from_same % 2, from_same).accuracy
    assert accuracy is not None
    assert accuracy < 0.75


def test_p_rises_along_a_fade_and_saturates_at_neither_end() -> None:
    held, from_held = rows(plucked=False, seeds=range(0, 6))
    plucked, from_plucked = rows(plucked=True, seeds=range(10, 16))
    labels = np.repeat(["held", "plucked"], [len(held), len(plucked)])
    probe = fit_probe(np.concatenate([held, plucked]), labels, np.concatenate([from_held, from_plucked]))
    one, other = melody(9.0, seed=50), melody(9.0, seed=60, plucked=True)
    one, other = one / one.std(), other / other.std()
    curve = [
        probe.predict_proba(segment_features(Wave(np.cos(a) * one + np.sin(a) * other, 22050)))[:, 1].mean()
        for a in np.linspace(0, np.pi / 2, 7)
    ]
    assert np.all(np.diff(curve) > 0)
    assert 0.01 < curve[0] < 0.3 < 0.7 < curve[-1] < 0.99


def test_probabilities_of_three_styles_sum_to_one(rng: np.random.Generator) -> None:
    centres = np.repeat([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]], 30, axis=0)
    features = centres + rng.standard_normal((90, 2))
    probe = fit_probe(features, np.repeat(["a", "b", "c"], 30), np.arange(90) // 5)
    probabilities = probe.predict_proba(features)
    assert probabilities.shape == (90, 3)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert probe.accuracy is not None
    assert probe.accuracy > 0.9


def test_one_recording_of_a_style_is_not_measured(rng: np.random.Generator) -> None:
    probe = fit_probe(rng.standard_normal((20, 3)), np.repeat([0, 1], 10), np.repeat([0, 1], 10))
    assert probe.accuracy is None


def test_a_probe_needs_two_labels_of_one_length() -> None:
    with pytest.raises(BadInput, match="two or more labels"):
        fit_probe(np.zeros((4, 2)), np.zeros(4), np.arange(4))
    with pytest.raises(BadInput, match="of one length"):
        fit_probe(np.zeros((4, 2)), np.zeros(3), np.arange(4))


def test_real_corpora_are_separable(real_music: Path) -> None:
    features, labels, groups = [], [], []
    for label, folder in enumerate(sorted((real_music / "chorale-vs-ragtime").iterdir())):
        for number, path in enumerate(sorted(folder.iterdir())[:4]):
            found = segment_features(read_wave(path, duration_s=12.0))
            features.append(found)
            labels += [label] * len(found)
            groups += [10 * label + number] * len(found)
    probe = fit_probe(np.concatenate(features), np.array(labels), np.array(groups))
    assert probe.accuracy is not None
    assert probe.accuracy > 0.9
