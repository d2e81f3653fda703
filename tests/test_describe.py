"""Segments described: loudness, pitch, brightness, noisiness and density agree with what was synthesised."""

import numpy as np
import pytest

from stylemix.cache import ArrayCache
from stylemix.clusters import describe
from stylemix.clusters.acoustics import RATE_HZ, measure_segments
from stylemix.clusters.describe import DESCRIPTORS, Described, describe_segments
from stylemix.clusters.spaces import Segments
from stylemix.files import sha256_file
from tests import sounds

LOUDNESS, PITCH, BRIGHTNESS, NOISINESS, DENSITY = range(5)
MIDDLE = (RATE_HZ, 3 * RATE_HZ)
TIME_S = np.arange(4 * RATE_HZ) / RATE_HZ


def measured(samples: np.ndarray, edges: tuple[int, int] = MIDDLE) -> np.ndarray:
    return measure_segments(np.atleast_2d(samples), [edges])[0]


def harmonic(hz: float, tilt: float = 1.0) -> np.ndarray:
    partials = [np.sin(2 * np.pi * h * hz * TIME_S + h**2) / h**tilt for h in range(1, 16) if h * hz < 10000]
    return 0.1 * np.sum(partials, axis=0)


def cut(file: list[int], start_s: list[float], duration_s: list[float]) -> Segments:
    n = len(file)
    return Segments(np.zeros((n, 2)), np.array(file), np.array(start_s), np.array(duration_s), 1.0, np.ones(n, int))


def test_loudness_is_that_of_the_standard():
    # ITU-R BS.1770: a sine of 997 Hz at full scale in one channel reads -3.01 LUFS, in two channels 0.
    sine = np.sin(2 * np.pi * 997 * TIME_S)
    assert measured(sine)[LOUDNESS] == pytest.approx(-3.01, abs=0.02)
    assert measured(np.stack([sine, sine]))[LOUDNESS] == pytest.approx(0, abs=0.02)
    assert measured(0.1 * sine)[LOUDNESS] == pytest.approx(-23.01, abs=0.02)
    # What is 0.6 dB at 997 Hz is 4 dB at 8 kHz, and nothing at 20 Hz.
    assert measured(np.sin(2 * np.pi * 8000 * TIME_S))[LOUDNESS] == pytest.approx(0.3, abs=0.1)
    assert measured(np.sin(2 * np.pi * 20 * TIME_S))[LOUDNESS] < -13


def test_loudness_agrees_with_the_filters_of_the_standard_in_time(rng):
    from scipy.signal import bilinear, lfilter

    x = noise = 0.1 * rng.standard_normal(4 * RATE_HZ)
    # The shelf and the high-pass as analogue filters with the standard's corner frequencies and qualities.
    shelf = (1.58489, 1.258720 / 0.7071752, 1), 1681.97, 0.7071752
    for numerator, hz, q in (shelf, ((1, 0, 0), 38.1355, 0.5003270)):
        # Warped, so that the bilinear transform leaves the corner where it is.
        corner = 2 * RATE_HZ * np.tan(np.pi * hz / RATE_HZ)
        powers = corner ** -np.array([2.0, 1.0, 0.0])
        x = lfilter(*bilinear(np.array(numerator) * powers, np.array([1, 1 / q, 1]) * powers, fs=RATE_HZ), x)
    assert measured(noise)[LOUDNESS] == pytest.approx(-0.691 + 10 * np.log10(np.mean(x[slice(*MIDDLE)] ** 2)), abs=0.3)


@pytest.mark.parametrize("hz", [32.7, 55, 110, 261.6, 880, 2093, 3520])
@pytest.mark.parametrize("tilt", [0.5, 1.2, 3])
def test_the_pitch_is_the_fundamental(rng, hz, tilt):
    found = measured(harmonic(hz, tilt) + 1e-4 * rng.standard_normal(len(TIME_S)))[PITCH]
    assert abs(1200 * np.log2(found / hz)) < 8


@pytest.mark.parametrize("hz", [98, 220, 392])
def test_the_pitch_of_a_bassoon_is_not_its_strongest_partial(hz):
    partials = [0.25, 1, 0.9, 0.7, 0.5, 0.3, 0.2]
    x = 0.1 * np.sum([a * np.sin(2 * np.pi * h * hz * TIME_S) for h, a in enumerate(partials, 1)], axis=0)
    assert measured(x)[PITCH] == pytest.approx(hz, rel=5e-3)


@pytest.mark.parametrize("chord", [(261.6, 329.6, 392.0), (110.0, 277.2, 329.6), (440.0, 554.4, 659.3)])
def test_the_pitch_of_a_chord_is_one_that_is_played(chord):
    found = measured(np.sum([harmonic(hz) for hz in chord], axis=0))[PITCH]
    assert min(abs(1200 * np.log2(found / hz)) for hz in chord) < 12


def test_a_soft_tone_below_is_not_the_pitch_for_the_harmonics_that_it_shares():
    hum = 10 ** (-50 / 20) * 0.1 * np.sin(2 * np.pi * 50 * TIME_S)
    assert measured(harmonic(400) + hum)[PITCH] == pytest.approx(400, rel=3e-3)
    soft = 10 ** (-20 / 20) * harmonic(110)
    assert measured(harmonic(440, 0.5) + soft)[PITCH] == pytest.approx(440, rel=3e-3)


def test_noise_has_no_pitch_and_is_noise(rng):
    for _ in range(10):
        row = measured(0.1 * rng.standard_normal(4 * RATE_HZ))
        assert np.isnan(row[PITCH])
        assert row[NOISINESS] > 0.95
        # Half of the 11 kHz, since all bins are equal.
        assert row[BRIGHTNESS] == pytest.approx(RATE_HZ / 4, rel=0.01)
        assert row[DENSITY] < 1.1


def test_noisiness_grows_with_noise_and_not_with_the_level_or_the_colour(rng):
    noise = rng.standard_normal(4 * RATE_HZ)
    rows = [measured(harmonic(220) + level * noise)[NOISINESS] for level in (0, 1e-4, 1e-3, 1e-2, 0.1)]
    assert rows == sorted(rows)
    assert rows[0] < 0.05
    assert measured(0.01 * (harmonic(220) + 0.01 * noise))[NOISINESS] == pytest.approx(rows[3], abs=1e-3)
    brown = np.cumsum(noise - noise.mean())
    assert measured(0.1 * brown / brown.std())[NOISINESS] > 0.95


def test_brightness_is_the_centroid():
    two = np.sin(2 * np.pi * 500 * TIME_S) + np.sin(2 * np.pi * 1500 * TIME_S)
    assert measured(0.1 * two)[BRIGHTNESS] == pytest.approx(1000, rel=0.01)


@pytest.mark.parametrize("per_second", [1, 2, 5, 8])
def test_density_counts_onsets(rng, per_second):
    x = 1e-5 * rng.standard_normal(4 * RATE_HZ)
    notes = [harmonic(hz) * np.exp(-12 * TIME_S) for hz in (220, 330, 392)]
    for start in np.arange(0.05, 4, 1 / per_second):
        i = round(start * RATE_HZ)
        x[i:] += notes[rng.integers(3)][: len(x) - i]
    assert measured(x)[DENSITY] == per_second


def test_a_held_tone_has_no_onset():
    assert measured(harmonic(220))[DENSITY] == 0


def test_silence_is_only_soft():
    row = measured(np.zeros(4 * RATE_HZ))
    assert row[LOUDNESS] == -100
    assert row[DENSITY] == 0
    assert np.isnan(row[[PITCH, BRIGHTNESS, NOISINESS]]).all()


@pytest.fixture
def pair(tmp_path, rng):
    """A file of a second of 220 Hz, one of 880 Hz and two of silence, and one of noise."""
    notes = np.concatenate([sounds.tone(1, hz=220), sounds.tone(1, hz=880), np.zeros(44100, np.float32)])
    paths = [sounds.write(tmp_path / "notes.wav", notes), sounds.write(tmp_path / "noise.flac", sounds.noise(2))]
    return paths, [sha256_file(path) for path in paths]


def test_each_segment_is_described_by_its_own_sound(pair, tmp_path):
    paths, hashes = pair
    segments = cut([0, 0, 0, 1, 1], [0, 1, 3, 0, 1], [1, 1, 1, 1, 1])
    heard = []
    found = describe_segments(paths, hashes, segments, heard.append, cache=ArrayCache(tmp_path / "cache"))
    assert list(found.columns()) == list(DESCRIPTORS)
    np.testing.assert_allclose(found.pitch, [220, 880, np.nan, np.nan, np.nan], rtol=1e-3)
    assert found.loudness[2] < -60 < found.loudness[0]
    assert (found.noisiness[3:] > 0.9).all()
    assert heard == [0.5, 1.0]


def test_what_is_gone_is_nan_and_the_rest_is_there(pair, tmp_path):
    paths, hashes = pair
    segments = cut([0, 1, 1], [0, 0, 1], [1, 1, 1])
    cache = ArrayCache(tmp_path / "cache")
    moved = describe_segments([None, paths[1]], hashes, segments, cache=cache)
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    damaged = describe_segments([broken, paths[1]], hashes, segments, cache=cache)
    for found in (moved, damaged):
        assert all(np.isnan(column[0]) for column in found.columns().values())
        assert np.isfinite(found.loudness[1:]).all()


def test_the_second_time_nothing_is_decoded(pair, tmp_path, monkeypatch):
    paths, hashes = pair
    segments, cache = cut([0, 0, 1], [0, 1, 0], [1, 1, 2]), ArrayCache(tmp_path / "cache")
    first = describe_segments(paths, hashes, segments, cache=cache)

    def no_reading(path, edges):
        raise AssertionError("was decoded again")

    monkeypatch.setattr(describe, "_measure_file", no_reading)
    again = describe_segments(paths, hashes, segments, cache=cache)
    for name, column in first.columns().items():
        np.testing.assert_array_equal(column, again.columns()[name])
    with pytest.raises(AssertionError, match="decoded again"):
        describe_segments(paths, hashes, cut([0, 0, 1], [0, 1.5, 0], [1, 1, 2]), cache=cache)


def test_it_does_not_matter_where_the_blocks_end(pair, tmp_path, monkeypatch):
    paths, hashes = pair
    segments = cut([0, 0, 0, 1], [0, 1, 2, 0], [1, 1, 1, 2])
    whole = describe_segments(paths, hashes, segments, cache=ArrayCache(tmp_path / "a"))
    monkeypatch.setattr(describe, "_BLOCK_S", 1.0)
    apart = describe_segments(paths, hashes, segments, cache=ArrayCache(tmp_path / "b"))
    for name in ("loudness", "pitch", "brightness", "noisiness"):
        np.testing.assert_allclose(whole.columns()[name], apart.columns()[name], atol=1e-3, rtol=1e-3)


def test_a_step_beyond_the_end_and_a_very_short_segment(pair, tmp_path):
    paths, hashes = pair
    segments = cut([1, 1], [0, 1.95], [0.001, 0.5])
    found = describe_segments(paths, hashes, segments, cache=ArrayCache(tmp_path / "cache"))
    assert np.isfinite(found.loudness).all()
    assert abs(found.loudness[0] - found.loudness[1]) < 6
    beyond = describe_segments(paths, hashes, cut([1], [1], [1.6]), cache=ArrayCache(tmp_path / "cache"))
    inside = describe_segments(paths, hashes, cut([1], [1], [1.0]), cache=ArrayCache(tmp_path / "cache"))
    assert beyond.loudness[0] == inside.loudness[0]


def test_described_is_frozen():
    one = Described(*np.zeros((5, 2)))
    with pytest.raises(AttributeError, match="cannot assign"):
        one.pitch = np.ones(2)


@pytest.mark.slow
def test_an_organ_is_brighter_and_less_noisy_than_an_old_piano(real_music, tmp_path):
    folders = [real_music / "chorale-vs-ragtime" / name for name in ("bach-organ-chorales", "joplin-rags")]
    paths = [sorted(folder.glob("*.flac"))[0] for folder in folders]
    segments = cut([0] * 15 + [1] * 15, [2.0 * i for i in range(15)] * 2, [2.0] * 30)
    hashes = [sha256_file(path) for path in paths]
    found = describe_segments(paths, hashes, segments, cache=ArrayCache(tmp_path / "cache"))
    halves = (slice(15), slice(15, None))
    organ, piano = ({name: np.nanmedian(x[half]) for name, x in found.columns().items()} for half in halves)
    assert organ["brightness"] > 1.3 * piano["brightness"]
    assert organ["noisiness"] < piano["noisiness"]
    assert 1 < piano["density"] < 8
