"""Alpha as people write it: what is understood, and what each mistake is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.hybrid import curve_files
from stylemix.hybrid.curve import Curve, parse_alpha


def at(value: str | float, *times_s: float) -> list[float]:
    return parse_alpha(value).at(np.array(times_s)).tolist()


@pytest.mark.parametrize("value", [0.3, "0.3", " .3 ", "3e-1"])
def test_a_number_holds_for_ever(value: str | float) -> None:
    assert at(value, -5, 0, 1e6) == [0.3, 0.3, 0.3]


def test_breakpoints_are_joined_by_straight_lines_and_held_at_the_ends() -> None:
    assert at("1:0.2,3:1", 0, 1, 2, 3, 9) == pytest.approx([0.2, 0.2, 0.6, 1, 1])


def test_a_curve_is_passed_through() -> None:
    curve = Curve(np.array([0.0]), np.array([0.5]))
    assert parse_alpha(curve) is curve


@pytest.mark.parametrize(
    "text",
    [
        "0,0\n10,1\n",
        "seconds,alpha\n0,0\n10,1\n",
        "0;0\n10;1",
        "t;a\r\n0,0;0,0\r\n10,0;1,0\r\n",
        "\n0\t0\n\n10\t1\n",
    ],
)
def test_a_csv_file_may_have_headings_and_either_separator(tmp_path: Path, text: str) -> None:
    path = tmp_path / "curve.csv"
    path.write_text(text, encoding="utf-8")
    assert at(str(path), 5) == [0.5]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("1.5", "between 0 .* and 1 .*1.5"),
        (-0.1, "between 0 .* and 1 .*-0.1"),
        ("nan", "between 0 .* and 1"),
        ("", "nothing"),
        ("half", "half"),
        ("0:0,10", "'10'"),
        ("0:0,5:0.5,5:1", "must increase, got 5 s after 5 s"),
        ("5:0,0:1", "must increase, got 0 s after 5 s"),
        ("0:0,inf:1", "finite seconds, got inf"),
        ("nan:0", "finite seconds, got nan"),
        ("0:0,10:2", "between 0 .* and 1 .*got 2"),
        ("0:0,,10:1", "nothing"),
        ("gone.csv", "no file gone.csv"),
        (None, "got None"),
    ],
)
def test_each_mistake_is_one_line(value: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        parse_alpha(value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no breakpoint"),
        ("seconds,alpha\n", "no breakpoint"),
        ("0,0\nlater,1\n", "line 2"),
        ("0,0\n1,0,1\n", "line 2"),
        ("0,0\n0,1\n", "must increase"),
        ("0,7\n", "between 0"),
    ],
)
def test_a_broken_csv_file_is_told_by_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "curve.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        parse_alpha(str(path))


def test_a_binary_file_is_no_curve(tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(BadInput, match="cannot be read as text"):
        parse_alpha(str(path))


def test_a_curve_needs_as_many_times_as_values() -> None:
    with pytest.raises(BadInput, match="2 and 1"):
        Curve(np.array([0.0, 1.0]), np.array([0.0]))


# ---- beyond the parents


def test_extrapolation_is_refused_with_its_way_out_and_allowed_when_asked_for() -> None:
    with pytest.raises(BadInput, match=r"got 1\.3; to go beyond them, -1 to 2, add --extrapolate"):
        parse_alpha(1.3)
    curve = parse_alpha("0:-1,10:2", extrapolate=True)
    assert curve.at(np.array([0.0, 5.0, 99.0])).tolist() == [-1.0, 0.5, 2.0]
    assert parse_alpha(curve) is curve


@pytest.mark.parametrize("value", [2.01, "-1.5", "0:0,1:3", "nan"])
def test_extrapolation_has_bounds_too(value: str | float) -> None:
    with pytest.raises(BadInput, match="between -1 and 2, got"):
        parse_alpha(value, extrapolate=True)


def test_a_csv_file_may_extrapolate_and_remembers_its_name(tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    path.write_text("0,1.5\n", encoding="utf-8")
    assert parse_alpha(path, extrapolate=True).path == path
    with pytest.raises(BadInput, match="--extrapolate"):
        parse_alpha(path)


def test_many_breakpoints_are_no_file_name() -> None:
    text = ",".join(f"{i}:{i / 2000}" for i in range(2000))
    assert at(text, 1000.0) == [0.5]


# ---- against the length of the sound


def test_breakpoints_beyond_the_end_are_refused_and_rounded_lengths_are_not(tmp_path: Path) -> None:
    curve = parse_alpha("0:0,10:1")
    assert curve.check_span(10.0) == (curve, ())
    assert curve.check_span(9.96) == (curve, ())
    with pytest.raises(BadInput, match=r"lasts 9.9 s, got one at 10 s; leave it out, or take a longer") as caught:
        curve.check_span(9.9)
    assert "\n" not in str(caught.value)
    path = tmp_path / "curve.csv"
    path.write_text("0,0\n10,1\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"got one at 10 s in .*curve.csv"):
        parse_alpha(path).check_span(3.0)


def test_a_number_fits_every_sound() -> None:
    assert parse_alpha(0.5).check_span(0.001)[1] == ()


# ---- passed through a map


def test_a_mapped_curve_bends_between_its_breakpoints() -> None:
    curve = parse_alpha("0:0,10:1,12:1,13:0.5")
    times = np.linspace(-1, 14, 3001)
    for function in (np.square, np.sqrt, lambda x: x):
        bent = curve.mapped(function)
        # A square leaves its chords by h^2 / 4 with h = 1/64; the root is steepest at 0, where a chord over h
        # is off by sqrt(h) / 4.
        bound = 0.25 / 8 + 1e-6 if function is np.sqrt else 0.25 / 64**2 + 1e-6
        assert np.abs(bent.at(times) - function(curve.at(times))).max() <= bound
        assert set(curve.times_s) <= set(bent.times_s)


def test_a_map_of_a_number_is_a_number_and_may_not_leave_the_bounds() -> None:
    assert parse_alpha(0.3).mapped(lambda x: 1 - x).values.tolist() == [0.7]
    assert parse_alpha(1).mapped(lambda x: x + 1e-12).values.tolist() == [1.0]
    with pytest.raises(BadInput, match=r"got 1\.2"):
        parse_alpha(1).mapped(lambda x: 1.2 * x)
    assert parse_alpha(1, extrapolate=True).mapped(lambda x: 1.2 * x).values.tolist() == [1.2]


def test_breakpoints_a_moment_apart_survive_a_map() -> None:
    curve = parse_alpha("0:0,5:0,5.000000000000001:1,9:1")
    assert curve.mapped(np.square).at(np.array([4.9, 5.1])).tolist() == [0.0, 1.0]


# ---- the loudness of a sound

RATE = 8000


def swell(folder: Path, level_db: np.ndarray, *, name: str = "voice.wav", channels: int = 1) -> Path:
    """A tone whose level goes through the values, one a second."""
    times = np.arange(len(level_db) * RATE) / RATE
    gain = 10 ** (np.interp(times, np.arange(len(level_db)), level_db) / 20)
    sound = gain * np.sin(2 * np.pi * 440 * times)
    return Wave(np.tile(sound, (channels, 1)), RATE).save(folder / name)


def test_the_curve_follows_the_level_in_decibels(tmp_path: Path) -> None:
    # A straight line in dB over 20 s, then held for one: the 5th and 95th percentile are at 1.05 and 19.95 s.
    path = swell(tmp_path, np.linspace(-50, -10, 21))
    curve = parse_alpha(str(path))
    assert curve.path == path
    assert curve.envelope
    np.testing.assert_allclose(curve.at(np.arange(2.0, 19)), (np.arange(2.0, 19) - 1.05) / 18.9, atol=0.025)
    np.testing.assert_allclose(curve.at(np.array([0.0, 20.9])), [0, 1], atol=1e-4)
    assert len(curve.values) < 12


def test_level_channels_and_gain_do_not_matter_and_flac_is_read_too(tmp_path: Path) -> None:
    level = np.array([-30, -12, -40, -6, -20, -20.0])
    curves = [
        parse_alpha(swell(tmp_path, level)),
        parse_alpha(swell(tmp_path, level - 30, name="soft.flac", channels=2)),
    ]
    times = np.linspace(0, 6, 100)
    np.testing.assert_allclose(curves[0].at(times), curves[1].at(times), atol=0.05)


def test_a_peak_comes_when_it_comes(tmp_path: Path) -> None:
    clicks = np.zeros(10 * 22050)
    for second in (2.0, 7.5):
        clicks[round(second * 22050) :][:2205] = 0.5
    path = Wave(clicks, 22050).save(tmp_path / "clicks.wav")
    values = parse_alpha(path).at(np.linspace(0, 10, 2001))
    peaks = [
        np.mean(np.flatnonzero(part == part.max())) + start
        for start, part in ((0, values[:1000]), (1000, values[1000:]))
    ]
    np.testing.assert_allclose(np.array(peaks) / 200, [2.05, 7.55], atol=0.03)
    assert values.min() == 0
    assert values.max() == 1


def test_a_sound_longer_than_the_source_is_cut_with_a_word(tmp_path: Path) -> None:
    curve = parse_alpha(swell(tmp_path, np.tile([-30.0, -10.0], 10)))
    assert curve.check_span(30.0) == (curve, ())
    cut, warnings = curve.check_span(7.3)
    assert [w for w in warnings if "voice.wav lasts longer" in w] == list(warnings) != []
    times = np.linspace(0, 7.3, 500)
    np.testing.assert_allclose(cut.at(times), curve.at(times), atol=1e-12)
    assert cut.times_s[-1] == 7.3
    assert cut.told() == {"loudness_of": str(curve.path), "breakpoints": len(cut.values)}


@pytest.mark.parametrize(
    ("level_db", "message"),
    [
        (np.full(4, -500.0), "is silent"),
        (np.full(4, -6.0), "must change by at least 1 dB to be a curve, got"),
    ],
)
def test_a_sound_without_a_shape_is_no_curve(tmp_path: Path, level_db: np.ndarray, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        parse_alpha(swell(tmp_path, level_db))
    assert str(caught.value).startswith("alpha: ")


def test_missing_and_broken_sounds_are_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^alpha: .*voice.wav"):
        parse_alpha("voice.wav")
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF1234")
    with pytest.raises(BadInput, match=r"^alpha: .*broken.wav") as caught:
        parse_alpha(broken)
    assert "\n" not in str(caught.value)


def test_a_sound_without_a_telling_name_is_heard_and_a_text_is_read(tmp_path: Path) -> None:
    swell(tmp_path, np.array([-40.0, -10.0, -30.0])).rename(tmp_path / "take 3")
    assert parse_alpha(tmp_path / "take 3").envelope
    (tmp_path / "curve.txt").write_text("0,0\n10,1\n", encoding="utf-8")
    assert at(str(tmp_path / "curve.txt"), 5) == [0.5]


def test_blocks_leave_no_trace_in_the_levels(tmp_path: Path) -> None:
    # A rate at which a hop is no whole number of samples, 200.2, and no edge falls half-way between two.
    rng = np.random.default_rng(0)
    sound = rng.standard_normal(170500) * np.interp(np.arange(170500), [0, 2e5], [0.001, 0.1])
    path = Wave(sound, 8008).save(tmp_path / "noise.wav", bits="32f")
    edges = np.append(np.round(np.arange(1, 852) * 0.025 * 8008).astype(int), len(sound))
    samples = np.float32(sound).astype(np.float64)
    expected = [np.mean(part**2) for part in np.split(samples, edges[:-1])]
    found = curve_files._hop_power(path)
    np.testing.assert_allclose(found, [e for e in expected if np.isfinite(e)], rtol=1e-9)


def test_breakpoints_stay_few_and_close(rng: np.random.Generator) -> None:
    values = np.cumsum(rng.standard_normal(20_000)) / 200
    kept = curve_files.decimate(values, 0.02)
    again = np.interp(np.arange(len(values)), kept, values[kept])
    assert np.abs(again - values).max() <= 0.02 + 1e-12
    assert len(kept) < 5000
    assert curve_files.decimate(np.ones(10_000), 0.1).tolist() == [0, 4096, 8192, 9999]
    assert curve_files.decimate(np.ones(1), 0.1).tolist() == [0]
