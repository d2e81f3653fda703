"""Sound packed for a page: right place, right pitch, under the limit."""

import io

import numpy as np
import pytest
import soundfile

from stylemix.errors import BadInput
from stylemix.pages.sprites import MAP_RATE_HZ, STRIP_S, compress, pack_clips, plan_clips


def decode(compressed):
    samples, rate = soundfile.read(io.BytesIO(compressed.data), always_2d=True)
    return samples.T, rate


def tone(index, seconds=1.0, rate=22050):
    t = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * 300 * (index + 1) * t)).astype(np.float32)[None], rate


def loudest_hz(samples, rate):
    return np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax() * rate / len(samples)


def test_every_clip_is_where_the_offsets_say():
    packed = pack_clips(tone, ["b", "a", "b", "a", "b"], np.ones(5), max_bytes=10**6)
    assert len(packed.strips) == 2
    for index in range(5):
        samples, rate = decode(packed.strips[packed.strip[index]])
        start = round(packed.offset_s[index] * rate)
        piece = samples[0, start : start + round(packed.clip_s[index] * rate)]
        assert loudest_hz(piece, rate) == pytest.approx(300 * (index + 1), abs=3)


@pytest.mark.parametrize("level", [0.8, 0.6, 0.3])
def test_the_codec_delay_is_known_to_the_sample(level):
    click = np.zeros((1, MAP_RATE_HZ), dtype=np.float32)
    click[0, 12000] = 0.9
    packed = compress(click, MAP_RATE_HZ, level=level)
    samples, rate = decode(packed)
    assert abs(np.abs(samples[0]).argmax() - packed.lead_s * rate - 12000) <= 2


def test_a_strip_is_one_file_and_at_most_a_minute():
    packed = pack_clips(lambda i: tone(0, 2.0), ["a"] * 70 + ["b"] * 2, np.full(72, 2.0), max_bytes=10**8)
    seconds = [decode(strip)[0].shape[1] / MAP_RATE_HZ for strip in packed.strips]
    assert max(seconds) <= STRIP_S + 0.2
    assert len(packed.strips) == 4
    assert set(packed.strip[:70]).isdisjoint(packed.strip[70:])


def test_clips_shorter_than_announced_keep_the_others_in_place():
    packed = pack_clips(lambda i: tone(i, 0.4 if i == 0 else 1.0), "aa", np.ones(2), max_bytes=10**6)
    assert packed.offset_s[1] - packed.offset_s[0] == pytest.approx(1.0)


@pytest.mark.parametrize("max_bytes", [60_000, 250_000])
def test_the_limit_is_kept(max_bytes):
    packed = pack_clips(
        lambda i: tone(i % 7, 2.0), [str(i // 5) for i in range(40)], np.full(40, 2.0), max_bytes=max_bytes
    )
    assert 0.5 * max_bytes < packed.n_bytes <= max_bytes


def test_no_room_means_no_sound():
    packed = pack_clips(tone, "ab", np.ones(2), max_bytes=100)
    assert packed.strips == ()
    assert packed.strip.tolist() == [-1, -1]


def test_long_clips_are_shortened_before_any_is_left_out():
    kept, clip_s = plan_clips(np.array([1.0, 4.0, 4.0]), 6.0)
    assert kept.tolist() == [0, 1, 2]
    np.testing.assert_allclose(clip_s, [1.0, 2.5, 2.5])
    kept, clip_s = plan_clips(np.full(100, 2.0), 15.0)
    np.testing.assert_allclose(clip_s, 0.75)
    assert len(kept) == 20
    assert np.diff(kept).max() <= 6
    assert plan_clips(np.array([2.0, 3.0]), 100.0)[1].tolist() == [2.0, 3.0]


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_channels_and_odd_rates(channels):
    samples, rate = decode(compress(np.repeat(tone(0, rate=37800)[0], channels, axis=0), 37800, level=0.6))
    assert len(samples) == min(channels, 2) if channels < 3 else len(samples) == 1
    assert rate == 44100
    assert loudest_hz(samples[0], rate) == pytest.approx(300, abs=3)


def test_too_loud_is_scaled_not_clipped():
    wave = 4 * tone(0)[0]
    samples, rate = decode(compress(wave, 22050, level=0.3))
    spectrum = np.abs(np.fft.rfft(samples[0][2000:18000] * np.hanning(16000)))
    third = int(900 * 16000 / rate)
    assert spectrum[third - 5 : third + 6].max() < 0.01 * spectrum.max()


@pytest.mark.parametrize(
    "clip", [np.full((1, 100), np.nan, dtype=np.float32), np.zeros((1, 0), dtype=np.float32)]
)
def test_nan_and_nothing_are_refused(clip):
    with pytest.raises(BadInput, match="at least one sample and no NaN"):
        compress(clip, 24000, level=0.5)
