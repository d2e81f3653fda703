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


@pytest.mark.parametrize("gain", [1e-7, 1e-3, 0.1, 30.0])
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


def loudest(found: dict[str, float], start: str) -> str:
    """What follows `start` in the name of the largest feature that begins with it."""
    chosen = {name.removeprefix(start): value for name, value in found.items() if name.startswith(start)}
    return max(chosen, key=chosen.__getitem__)


@pytest.mark.parametrize(("hz", "low_hz"), [(150.0, "127"), (700.0, "640"), (3000.0, "2560")])
def test_a_tone_is_loudest_in_its_third_of_an_octave(hz: float, low_hz: str) -> None:
    assert loudest(named(tone(3.0, hz=hz)), "band_mean_") == low_hz


@pytest.mark.parametrize(("rate_hz", "row"), [(2.0, "1.9"), (4.0, "3.8"), (15.0, "15"), (60.0, "60"), (115.0, "121")])
def test_a_tremolo_shows_at_its_rate(rate_hz: float, row: str) -> None:
    time_s = np.arange(3 * 22050) / 22050
    found = named(tone(3.0, hz=3000.0) * (1 + 0.8 * np.sin(2 * np.pi * rate_hz * time_s)))
    assert loudest(found, "movement_2560_") == row


def test_the_spread_is_that_of_the_level() -> None:
    held, steps = tone(3.0, hz=1000.0), tone(3.0, hz=1000.0)
    # Half of the time 20 dB lower: the logarithms are 1.15 on both sides of their mean.
    steps[: len(steps) // 2] *= 0.1
    assert named(held)["band_spread_806"] < 0.2
    assert named(steps)["band_spread_806"] == pytest.approx(np.log(10) / 2, abs=0.1)


def glissandi(octaves_per_s: float) -> np.ndarray:
    """One after the other, of a third of a second each, with a harmonic at every octave."""
    time_s = np.arange(22050 // 3) / 22050
    hz = 200 * 2 ** (octaves_per_s * (time_s - 1 / 6))
    phase = 2 * np.pi * np.cumsum(hz) / 22050
    one = np.sin(np.pi * 3 * time_s) ** 2 * sum(np.sin(2**k * phase) for k in range(5))
    return np.tile(one, 9).astype(np.float32)


def test_what_rises_and_what_falls_are_told_apart_by_sign_alone() -> None:
    up, down = named(glissandi(3.0)), named(glissandi(-3.0))
    rises = [name for name in up if name.startswith("rise_7.5")]
    # Q crests to the octave that pass 7.5 times a second rise by 7.5 / Q octaves a second: 2.7 for Q = 2.8.
    assert up["rise_7.5_2.8"] > 0.5
    for name in rises:
        assert up[name] == pytest.approx(-down[name], abs=0.15)
        # The two directions together are the same.
        glide = name.replace("rise", "glide")
        assert up[glide] == pytest.approx(down[glide], abs=0.1)
    # Level, spread and movement of the bands are all but the same.
    others = [name for name in up if not name.startswith("rise")]
    assert np.median([abs(up[name] - down[name]) for name in others]) < 0.05


def test_combs_ripple_where_noise_is_smooth() -> None:
    octaves = sum(tone(3.0, hz=80 * 2**k) for k in range(7))
    assert loudest(named(octaves), "ripple_") == "1.4"
    assert named(octaves)["ripple_1.4"] > named(noise(3.0))["ripple_1.4"] + 1


def test_the_brightness_of_a_room_is_taken_out() -> None:
    samples = noise(3.0)
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / 22050)
    # 3 dB an octave.
    brighter = np.fft.irfft(spectrum * np.maximum(hz, 20) ** 0.5)
    plain, bright = named(samples), named(brighter)
    apart = {name: abs(plain[name] - bright[name]) for name in plain}
    # From end to end it is a factor of 15: 2.7 in nepers.
    assert max(value for name, value in apart.items() if name.startswith(("band", "movement"))) < 0.2
    assert np.median(list(apart.values())) < 0.05


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


@pytest.mark.slow
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


@pytest.mark.slow
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
