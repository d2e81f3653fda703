"""Features: blocks against the whole, channels, rates, lengths, the cache."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from stylemix import features
from stylemix.audio import read_wave
from stylemix.cache import ArrayCache
from stylemix.errors import BadInput
from stylemix.features import feature_blocks, file_features, make_vqt, wave_features
from stylemix.recipe import load_recipe
from stylemix.transforms import VQT
from tests.sounds import melody, noise, tone, write

RATE = 8000
# Margins are cut where the longest window has decayed to -80 dB: 1e-4 of what is loud nearby.
BLOCK_TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def vqt() -> VQT:
    return VQT(RATE, bins_per_octave=12)


def whole(path: Path, vqt: VQT) -> np.ndarray:
    return wave_features(read_wave(path, sample_rate=vqt.sample_rate).samples, vqt).log_magnitude


def test_blocks_agree_with_the_whole(tmp_path: Path, vqt: VQT, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_BLOCK_S", 2.0)
    # 7.3 s: a rest at the end, and no multiple of the hop.
    path = write(tmp_path / "a.wav", melody(7.3003, rate=RATE), rate=RATE)
    blocks = list(feature_blocks(path, vqt))
    together, at_once = np.concatenate(blocks, axis=1), whole(path, vqt)
    assert len(blocks) == 4
    assert together.shape == at_once.shape == (vqt.n_bands, -(-round(7.3003 * RATE) // vqt.hop_length))
    assert np.abs(np.exp(together) - np.exp(at_once)).max() < BLOCK_TOLERANCE * np.exp(at_once).max()
    near = at_once > at_once.max() - np.log(1e3)
    # A factor of 10 above the tolerance itself: at -60 dB an error of -80 dB is a tenth.
    assert np.abs(together - at_once)[near].max() < 0.1
    assert np.median(np.abs(together - at_once)[near]) < 1e-4


def test_a_stretch_is_the_same_frames_as_the_whole(tmp_path: Path, vqt: VQT) -> None:
    path = write(tmp_path / "a.wav", noise(4.0, rate=RATE), rate=RATE)
    at_once = whole(path, vqt)
    part = np.concatenate(list(feature_blocks(path, vqt, start=10 * 256 + 100, stop=40 * 256)), axis=1)
    assert part.shape[1] == 30
    inside = slice(2, -2)
    np.testing.assert_allclose(part[:, inside], at_once[:, 10:40][:, inside], atol=0.02)


def test_a_stretch_may_reach_past_the_end(tmp_path: Path, vqt: VQT) -> None:
    path = write(tmp_path / "a.wav", noise(1.0, rate=RATE), rate=RATE)
    frames = np.concatenate(list(feature_blocks(path, vqt, start=16 * 256, stop=10**9)), axis=1)
    assert frames.shape[1] == -(-RATE // 256) - 16


def test_channels_add_as_power(vqt: VQT) -> None:
    left, right = noise(1.0, rate=RATE, seed=1), noise(1.0, rate=RATE, seed=2)
    both = wave_features(np.stack([left, right]), vqt).log_magnitude
    singles = [np.exp(2 * wave_features(x, vqt).log_magnitude) for x in (left, right)]
    # The transform's own magnitudes are averaged before they are pooled; pooling is linear in power.
    np.testing.assert_allclose(both, 0.5 * np.log(np.mean(singles, axis=0)), atol=1e-4)


def test_opposite_channels_do_not_cancel(vqt: VQT) -> None:
    x = tone(1.0, rate=RATE)
    both, one = (np.exp(wave_features(s, vqt).log_magnitude) for s in (np.stack([x, -x]), x))
    np.testing.assert_allclose(both, one, atol=1e-6)


def test_a_tone_has_its_amplitude_in_its_band(vqt: VQT) -> None:
    band = 30
    x = tone(2.0, rate=RATE, hz=vqt.frequencies_hz[band], level=0.25)
    frames = wave_features(x, vqt).log_magnitude[:, 20:-20]
    assert set(frames.argmax(axis=0)) == {band}
    np.testing.assert_allclose(np.exp(frames[band]), 0.25, rtol=1e-3)


def test_two_rates_give_the_same_picture(tmp_path: Path, vqt: VQT) -> None:
    # The same sound in files of 8 and of 44.1 kHz.
    low = write(tmp_path / "low.wav", tone(3.0, rate=8000, hz=440), rate=8000, subtype="FLOAT")
    high = write(tmp_path / "high.wav", tone(3.0, rate=44100, hz=440), rate=44100, subtype="FLOAT")
    a, b = (np.concatenate(list(feature_blocks(p, vqt)), axis=1) for p in (low, high))
    assert a.shape == b.shape
    band = np.abs(vqt.frequencies_hz - 440).argmin()
    np.testing.assert_allclose(a[band, 10:-10], b[band, 10:-10], atol=1e-3)


@pytest.mark.parametrize("n_samples", [1, 2, 255, 256, 257, 1000])
def test_very_short_sounds_have_frames(tmp_path: Path, vqt: VQT, n_samples: int) -> None:
    path = write(tmp_path / "a.wav", noise(1.0, rate=RATE)[:n_samples], rate=RATE)
    frames = np.concatenate(list(feature_blocks(path, vqt)), axis=1)
    assert frames.shape == (vqt.n_bands, -(-n_samples // 256))
    assert np.isfinite(frames).all()


def test_the_cache_spares_the_second_computation(tmp_path: Path, vqt: VQT, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.wav", melody(3.0, rate=RATE), rate=RATE)
    cache, calls, seconds = ArrayCache(tmp_path / "cache"), [], []
    compute = features.wave_features
    monkeypatch.setattr(features, "wave_features", lambda *a: calls.append(1) or compute(*a))
    first = file_features(path, vqt, cache=cache, on_seconds=seconds.append)
    assert len(calls) == 1
    second = file_features(path, vqt, cache=cache, on_seconds=seconds.append)
    assert len(calls) == 1
    np.testing.assert_array_equal(first.log_magnitude, second.log_magnitude)
    assert seconds[0] == pytest.approx(3.0, abs=0.05)
    assert seconds[0] == seconds[1]
    # Another setting, another content: another entry.
    file_features(path, VQT(RATE, bins_per_octave=24), cache=cache)
    file_features(write(tmp_path / "b.wav", noise(3.0, rate=RATE), rate=RATE), vqt, cache=cache)
    assert len(calls) == 3


def test_the_same_content_under_another_name_is_a_hit(
    tmp_path: Path, vqt: VQT, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.wav", tone(1.0, rate=RATE), rate=RATE)
    cache = ArrayCache(tmp_path / "cache")
    file_features(path, vqt, cache=cache)
    monkeypatch.setattr(features, "wave_features", None)
    assert file_features(path.rename(tmp_path / "b.wav"), vqt, cache=cache).n_frames == 32


def test_kept_features_are_the_computed_ones_to_half_precision(tmp_path: Path, vqt: VQT) -> None:
    path = write(tmp_path / "a.wav", melody(3.0, rate=RATE), rate=RATE)
    kept = file_features(path, vqt, cache=ArrayCache(tmp_path / "cache")).log_magnitude
    assert kept.dtype == np.float16
    assert isinstance(kept.base, np.memmap) or isinstance(kept, np.memmap)
    # Half precision has steps of 2^-6 from 16 to 32 nepers, which is where -140 dB lies, and finer ones above.
    computed = np.concatenate(list(feature_blocks(path, vqt)), axis=1)
    np.testing.assert_allclose(kept, computed, atol=2**-7 + 1e-6)


def test_nothing_is_left_in_the_cache_when_a_file_breaks_in_the_middle(
    tmp_path: Path, vqt: VQT, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "_BLOCK_S", 1.0)
    samples = noise(4.0, rate=RATE)
    samples[3 * RATE] = np.nan
    path = write(tmp_path / "a.wav", samples, rate=RATE, subtype="FLOAT")
    cache = ArrayCache(tmp_path / "cache")
    with pytest.raises(BadInput, match=r"a\.wav"):
        file_features(path, vqt, cache=cache)
    assert list(cache.folder.iterdir()) == []


def test_memory_does_not_grow_with_the_length(tmp_path: Path, vqt: VQT, monkeypatch: pytest.MonkeyPatch) -> None:
    # 30 s and 120 s; the frames of the difference alone would take 0.5 MB in half precision.
    monkeypatch.setattr(features, "_BLOCK_S", 5.0)
    peaks = []
    for seconds in (30, 120):
        path = write(tmp_path / f"{seconds}.wav", noise(seconds, rate=RATE), rate=RATE)
        list(feature_blocks(path, vqt, stop=10 * RATE))
        tracemalloc.start()
        file_features(path, vqt, sha256=str(seconds), cache=ArrayCache(tmp_path / f"cache-{seconds}"))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2e5


def test_windows_of_minutes_are_refused() -> None:
    with pytest.raises(BadInput, match=r"vqt\.gamma_hz 0\.001 .* raise vqt\.gamma_hz"):
        make_vqt(load_recipe("base", {"vqt.gamma_hz": 0.001}))
