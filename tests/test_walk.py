"""Walks over the map: read, laid on two tracks of recordings, aligned stretch by stretch, rendered without a file."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.audio import read_wave
from stylemix.cli import run_command
from stylemix.clusters.segments import segments_of
from stylemix.errors import BadInput
from stylemix.hybrid.alignment.check import SILENCE
from stylemix.hybrid.asked import find_asked
from stylemix.hybrid.command import hybrid_command
from stylemix.hybrid.order import read_order
from stylemix.hybrid.render import hybrid, hybrid_file
from stylemix.hybrid.track import Cut, Track
from stylemix.hybrid.track_reader import FADE_S, TrackReader
from stylemix.hybrid.walk import Walk, WalkStep, parse_walk
from stylemix.hybrid.walk_alignment import LEAST_SPAN_S, align_walk, track_latents
from stylemix.hybrid.walk_roles import walk_roles
from stylemix.hybrid.warp import warp
from tests.fake_run import FRAMES, RATE, FakeRun, music

STEPS = "0:1-9:0.25,2:2-12:0.5,4:6-13:1"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FakeRun:
    """Two corpora of two files of 8 s: segments 1 to 8 are of the first, 9 to 16 of the second."""
    rng = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("corpora")
    pitches = {"low": [110.0, 164.8], "high": [880.0, 1320.0]}
    return FakeRun(
        {
            name: [Wave(music(rng, 8 * RATE, p), RATE).save(folder / f"{name}{i}.wav", bits="32f") for i in range(2)]
            for name, p in pitches.items()
        }
    )


def tracks(run: FakeRun, steps: str, *, mode: str = "match", duration_s: float | None = None) -> tuple[Track, Track]:
    roles = walk_roles(run, parse_walk(steps), mode=mode, duration_s=duration_s)  # type: ignore[arg-type]
    assert isinstance(roles.source, Track)
    (target,) = roles.targets.values()
    assert isinstance(target, Track)
    return roles.source, target


def laid(track: Track) -> list[tuple[int, float, float, float]]:
    return [(cut.file, *(round(s, 2) for s in (cut.start_s, cut.at_s, cut.end_s))) for cut in track.cuts]


# ---- reading


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("0,1,9,0.25\n2,2,12,0.5\n4,6,13,1\n", "plain.csv"),
        ("seconds,source,target,alpha\n0,1,9,.25\n\n2.0,2,12,5e-1\n4,6,13,1", "headed.csv"),
        ("\ufeffseconds;source;target;alpha\r\n0;1;9;0.25\r\n2;2;12;0.5\r\n4;6;13;1\r\n", "sheet.csv"),
        ("0\t1\t9\t0.25\n2\t2\t12\t0.5\n4\t6\t13\t1\n", "walk.txt"),
    ],
)
def test_a_walk_is_read_from_a_file(tmp_path: Path, text: str, name: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert parse_walk(path).steps == parse_walk(str(path)).steps == parse_walk(STEPS).steps
    assert parse_walk(path).path == path


def test_a_walk_is_read_from_text_and_from_steps_of_any_kind() -> None:
    steps = (WalkStep(0, 1, 9, 0.25), WalkStep(2.0, 2, 12, 0.5))
    text = " 0 : 1-9 : 0.25 , 2:2-12:.5"
    named = {"time_s": 2, "source": 2, "target": 12.0, "alpha": 0.5}
    for value in (text, steps, Walk(steps), [(0, 1, 9, 0.25), named], [[0, 1, 9, 0.25], steps[1]]):
        assert parse_walk(value).steps == steps


def test_a_walk_is_told_so_that_it_is_read_again() -> None:
    walk = parse_walk([(0, 1, 2, 1 / 3), (0.1 + 0.2, 3, 4, -0.25), (1e-5 + 1, 5, 6, 1)])
    assert parse_walk(walk.told()) == walk
    assert parse_walk("0.0:01-2:0.50").told() == "0:1-2:0.5"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "write steps such as 0:117-530:0.25.* got 'nothing'"),
        ("0:1:0.5", r"seconds:source segment-target segment:alpha\).* got '0:1:0.5'"),
        ("0:1-2:0.5,", "got 'nothing' in '0:1-2:0.5,'"),
        ("0:1-2-3:0.5", "got '0:1-2-3:0.5'"),
        ("x:1-2:0.5", "the time must be a number, got 'x' in 'x:1-2:0.5'"),
        ("0:1-2:half", "alpha must be a number, got 'half'"),
        ("0:1.5-2:0.5", r"a segment must be a whole number, got '1\.5'"),
        ("0:one-2:0.5", "a segment must be a number, got 'one'"),
        ("0:1-nan:0.5", "a segment must be a whole number, got 'nan'"),
        ("0:0-2:0.5", "segments count from 1, got 0 in step 1"),
        ("1:1-2:0.5", "the first step must be at 0 s, got 1 s"),
        ("0:1-2:0,0:3-4:1", "times must increase, got 0 s after 0 s"),
        ("0:1-2:0,2:3-4:1,1:1-2:0", "times must increase, got 1 s after 2 s"),
        ("0:1-2:0,inf:3-4:1", "times must be finite seconds, got inf in step 2"),
        ([], "must have 1 to 5000 steps, got 0"),
        ([(i, 1, 2, 0) for i in range(5001)], "must have 1 to 5000 steps, got 5001"),
        (7, "write steps such as .* got 7"),
        ([(0, 1, 2)], r"step 1 must be time_s, source, target, alpha, got \(0, 1, 2\)"),
        ([{"time_s": 0, "source": 1}], "step 1 must have time_s, source, target, alpha, got 'time_s', 'source'"),
        ("nowhere.csv", "there is no file nowhere.csv; write steps"),
        ("a\0.csv", r"cannot be read as text \(ValueError\); write steps"),
        ([(0, 10**400, 5, 0)], r"a segment must be a number, got 10{56}\.\.\. in step 1"),
        ([(0, 1, 5, -(10**5000))], "alpha must be a number, got one of type int, too long to tell in step 1"),
        ([WalkStep(10**400, 1, 5, 0)], r"the time must be a number, got 10{56}\.\.\. in step 1"),
        ([WalkStep(0, "one", 5, 0)], "a segment must be a number, got 'one' in step 1"),  # type: ignore[arg-type]
        ([("x" * 9999,)], r"step 1 must be time_s, source, target, alpha, got \('x+\.\.\.$"),
        ([{"x" * 9999: 0}], r"step 1 must have time_s, source, target, alpha, got 'x+\.\.\.$"),
    ],
)
def test_what_is_no_walk_is_told_in_one_line(value: object, message: str) -> None:
    with pytest.raises(BadInput, match=f"^walk: .*{message}") as caught:
        parse_walk(value)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"0,1,2,0\n1,2,3\n", "line 2 of .*w.csv must hold seconds, source, target and alpha, got '1,2,3'"),
        (b"0,1,2,0\nlater,2,3,0\n", "the time must be a number, got 'later' in line 2 of .*w.csv"),
        (b"\xff\xfe\x00", r"w.csv cannot be read as text \(UnicodeDecodeError\)"),
        (b"seconds,source,target,alpha\n", "must have 1 to 5000 steps, got 0"),
        (b"0,1,2,0\n1,2,3," + b"9" * 200_000, "line 2 of .*w.csv is no line of a table, got '1,2,3,9+'; write steps"),
        (b"x" * 200_000, "line 1 of .*w.csv is no line of a table"),
    ],
)
def test_a_file_that_holds_no_walk_is_told_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "w.csv").write_bytes(content)
    with pytest.raises(BadInput, match=f"^walk: .*{message}") as caught:
        parse_walk(tmp_path / "w.csv")
    assert len(str(caught.value)) < 500 + len(str(tmp_path))


def test_alpha_goes_in_straight_lines_and_ends_where_the_walk_is_cut() -> None:
    walk = parse_walk(STEPS)
    np.testing.assert_allclose(walk.curve(10.0).at(np.array([0, 1, 2, 3, 4, 9])), [0.25, 0.375, 0.5, 0.75, 1, 1])
    assert walk.curve(3.0).told() == [[0.0, 0.25], [2.0, 0.5], [3.0, 0.75]]
    with pytest.raises(BadInput, match=r"alpha: must lie between 0 .* got 1\.5"):
        parse_walk("0:1-2:1.5").curve(1.0)
    assert parse_walk("0:1-2:1.5").curve(1.0, extrapolate=True).told() == 1.5


# ---- laying


def test_steps_are_laid_from_the_beginnings_of_their_segments(run: FakeRun) -> None:
    source, target = tracks(run, "0:6-9:0,2:1-16:0.5,3:3-10:1")
    found = segments_of(run)  # type: ignore[arg-type]
    start = {number: round(float(found.start_s[number - 1]), 2) for number in (3, 6, 9, 10, 16)}
    end_s = round(3 + float(found.duration_s[2]), 2)
    assert laid(source) == [(1, start[6], 0, 2), (0, 0, 2, 3), (0, start[3], 3, end_s)]
    assert laid(target) == [(2, 0, 0, 2), (3, start[16], 2, 3), (2, start[10], 3, end_s)]


@pytest.mark.parametrize(
    ("steps", "n_cuts"),
    [
        ("0:1-9:0,2:2-9:1", 1),  # one after the other
        ("0:1-9:0,1:2-9:1", 1),  # a little early
        ("0:1-9:0,2.9:2-9:1", 1),  # and late
        ("0:1-9:0,1:1-9:1,3:1-9:1", 1),  # the same again: it goes on
        ("0:1-9:0,1:3-9:1", 2),  # a segment is left out
        ("0:2-9:0,1:1-9:1", 2),  # backwards
        ("0:4-9:0,1:5-9:1", 2),  # the next number, but of another file
    ],
)
def test_a_recording_goes_on_where_the_walk_follows_it(run: FakeRun, steps: str, n_cuts: int) -> None:
    assert len(tracks(run, steps)[0].cuts) == n_cuts


def test_a_walk_along_a_file_is_the_file(run: FakeRun) -> None:
    source, _ = tracks(run, "0:1-9:0,2:2-9:0,4:3-9:0")
    with TrackReader(source) as reader:
        found = reader.read(0, reader.n_samples)
    np.testing.assert_array_equal(found, read_wave(run.files[0].path).samples[:, : found.shape[1]])
    assert 5.5 * RATE < found.shape[1] < 6.5 * RATE


def test_a_recording_that_ends_is_heard_again_from_the_segment_and_said(run: FakeRun) -> None:
    roles = walk_roles(run, parse_walk("0:4-9:0,5:1-9:1"), mode="match")  # type: ignore[arg-type]
    start_s = round(float(segments_of(run).start_s[3]), 2)  # type: ignore[arg-type]
    # Two whole turns of the last segment, and what is left of five seconds.
    assert isinstance(roles.source, Track)
    assert [cut.start_s for cut in roles.source.cuts] == pytest.approx([start_s] * 3 + [0], abs=0.01)
    lasts = 8 - start_s
    assert [cut.at_s for cut in roles.source.cuts] == pytest.approx([0, lasts, 2 * lasts, 5], abs=0.01)
    assert [w for w in roles.warnings if w == "walk: the source low0.wav ends before step 2; segment 4 is heard again"]


def test_a_recording_that_lacks_a_little_begins_earlier(run: FakeRun) -> None:
    last = 8 - float(segments_of(run).start_s[3])  # type: ignore[arg-type]
    assert tracks(run, "0:4-9:0")[0].duration_s == pytest.approx(last)
    fresh, _ = tracks(run, f"0:4-9:0,{last + 0.2}:1-9:1")
    assert len(fresh.cuts) == 2
    assert fresh.cuts[0].start_s == pytest.approx(8 - last - 0.2, abs=0.05)
    # One that goes on cannot: its end is silent for as long.
    ends_s = 8 - float(segments_of(run).start_s[2])  # type: ignore[arg-type]
    along, _ = tracks(run, f"0:3-9:0,2:4-9:0,{ends_s + 0.2}:1-9:1")
    assert (len(along.cuts), along.cuts[0].start_s) == (2, 8 - ends_s)
    with TrackReader(along) as reader:
        assert not reader.read(round((ends_s + 0.1) * RATE), round((ends_s + 0.15) * RATE)).any()


def test_a_walk_lasts_as_long_as_is_asked(run: FakeRun) -> None:
    assert tracks(run, STEPS, duration_s=3.0)[0].duration_s == 3.0
    assert laid(tracks(run, STEPS, duration_s=1.5)[1]) == [(2, 0, 0, 1.5)]
    long = read_order(run, walk=STEPS, duration_s=7.5)  # type: ignore[arg-type]
    with long.open() as reader:
        assert reader.duration_s == 7.5
    assert read_order(run, walk=STEPS, duration_s=3.0).curve.told() == [[0, 0.25], [2, 0.5], [3, 0.75]]  # type: ignore[arg-type]


def test_the_corpora_are_those_of_most_of_the_time(run: FakeRun) -> None:
    roles = walk_roles(run, parse_walk("0:1-9:0,1:9-10:0,3:10-2:0"), mode="match", duration_s=4.0)  # type: ignore[arg-type]
    assert (roles.own, roles.other) == (1, 1)
    assert roles.warnings == (
        "walk: the source passes several corpora and is taken as high",
        "walk: the target passes several corpora and is taken as high",
    )
    assert walk_roles(run, parse_walk(STEPS), mode="style").warnings == ()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"walk": "0:17-9:0"}, "walk: the source of step 1 must be a segment from 1 to 16 of this run, got 17"),
        ({"walk": "0:1-9:0,1:1-99:0"}, "walk: the target of step 2 must be a segment from 1 to 16 of this run, got 99"),
        ({"walk": "0:1-5:0", "mode": "style"}, "the walk's source is of low already, and the mode style would change"),
        ({"alpha": 0.5}, "walk: says source, target and alpha itself, got --alpha too; leave one out"),
        ({"source": "s.wav"}, "got --source too"),
        ({"from_corpus": "low"}, "got --from too"),
        ({"start_s": 1.0}, "got --start too"),
        ({"target_start_s": 1.0}, "got --target-start too"),
        ({"target_cluster": 1}, "got --target-cluster too"),
        ({"weights": "low=0.5,high=0.5"}, "got --weights too"),
        ({"walk": "0:1-9:2"}, "alpha: must lie between 0"),
        ({"duration_s": 0.0}, "duration must be more than 0 seconds, got 0"),
        ({"duration_s": 0.05}, "lasts 50 ms, which is shorter than one latent step"),
        ({"variation": 2}, "the mode morph has one answer"),
    ],
)
def test_what_a_walk_cannot_go_with_is_one_line(run: FakeRun, asked: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        hybrid(run, **({"walk": STEPS} | asked))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_recording_that_is_gone_is_told(run: FakeRun, tmp_path: Path) -> None:
    gone = FakeRun({"a": [Wave(np.ones((1, 2 * RATE)) * 0.1, RATE).save(tmp_path / "a.wav")]})
    gone.files[0].path.unlink()
    with pytest.raises(BadInput, match=r"a\.wav: has moved"):
        walk_roles(gone, parse_walk("0:1-1:0"), mode="match")  # type: ignore[arg-type]


# ---- the sound of a track


def noise(path: Path, seed: int, *, rate: int = RATE, channels: int = 1, seconds: float = 2.0) -> Path:
    samples = 0.1 * np.random.default_rng(seed).standard_normal((channels, round(seconds * rate)))
    return Wave(samples, rate).save(path, bits="32f", force=True)


def test_a_track_does_not_depend_on_how_it_is_read(tmp_path: Path) -> None:
    paths = [noise(tmp_path / f"{i}.wav", i) for i in range(3)]
    cuts = [Cut(path, i, 0.3, 0.5 * i, 0.5 * (i + 1)) for i, path in enumerate(paths)]
    with TrackReader(Track(tuple(cuts), RATE, 1)) as reader:
        whole = reader.read(-100, 13000)
        parts = [reader.read(a, min(a + 777, 13000)) for a in range(-100, 13000, 777)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    assert not whole[:, :100].any()
    assert not whole[:, 100 + 12000 :].any()


def test_uncorrelated_stretches_keep_their_power_and_equal_ones_their_shape(tmp_path: Path) -> None:
    powers, half = [], round(FADE_S * RATE / 2)
    for seed in range(40):
        a, b = (noise(tmp_path / f"{name}.wav", 2 * seed + i, seconds=1.0) for i, name in enumerate("ab"))
        cuts = (Cut(a, 0, 0.0, 0.0, 0.5), Cut(b, 1, 0.5, 0.5, 1.0))
        with TrackReader(Track(cuts, RATE, 1)) as reader:
            powers.append(np.square(reader.read(RATE // 2 - half, RATE // 2 + half)).mean())
    # Noise of a standard deviation of 0.1; 40 times 320 samples say its power to 1.3 %, one standard error.
    assert np.mean(powers) == pytest.approx(0.01, rel=0.05)
    same = (Cut(a, 0, 0.0, 0.0, 0.5), Cut(a, 0, 0.5, 0.5, 1.0))
    with TrackReader(Track(same, RATE, 1)) as reader:
        np.testing.assert_allclose(reader.read(0, RATE), read_wave(a).samples, atol=1e-6)


def test_crossfades_of_short_stretches_do_not_meet(tmp_path: Path) -> None:
    path = Wave(np.full((1, 2 * RATE), 0.5), RATE).save(tmp_path / "steady.wav", bits="32f")
    edges = np.cumsum([0.1, *[0.003, 0.01, 0.0005, 0.05] * 5])
    cuts = [Cut(path, 0, 0.5, a, b) for a, b in zip([0.0, *edges[:-1].tolist()], edges.tolist(), strict=True)]
    with TrackReader(Track(tuple(cuts), RATE, 1)) as reader:
        # What is alike is faded by gains that sum to 1; were two crossfades to meet, more or less than that.
        np.testing.assert_allclose(reader.read(0, reader.n_samples), 0.5, atol=1e-6)


def test_rates_and_channels_are_brought_together(tmp_path: Path) -> None:
    mono, stereo = noise(tmp_path / "m.wav", 0), noise(tmp_path / "s.wav", 1, rate=2 * RATE, channels=2)
    cuts = (Cut(mono, 0, 0.0, 0.0, 1.0), Cut(stereo, 1, 0.5, 1.0, 2.0))
    with TrackReader(Track(cuts, 2 * RATE, 2)) as reader:
        whole = reader.read(0, reader.n_samples)
    assert whole.shape == (2, 4 * RATE)
    late = slice(2 * RATE + 400, 4 * RATE)
    np.testing.assert_array_equal(whole[:, late], read_wave(stereo).samples[:, RATE + 400 : 3 * RATE])
    early = read_wave(mono, sample_rate=2 * RATE).samples[:, 2000:15000]
    np.testing.assert_allclose(whole[:, 2000:15000], np.repeat(early, 2, axis=0), atol=1e-5)


# ---- alignment


def test_the_latents_of_a_track_are_those_of_its_recordings(run: FakeRun) -> None:
    _, target = tracks(run, "0:1-9:0,2:1-10:0,4:1-14:0")
    found = track_latents(run, target)  # type: ignore[arg-type]
    stored, border = run.latents(2), round(4 * found.step_rate_hz)
    np.testing.assert_array_equal(found.codes[:, : border - 1], stored.codes[:, : border - 1])
    np.testing.assert_array_equal(found.chroma[:, : border - 1], stored.chroma[:, : border - 1])
    np.testing.assert_array_equal(found.loudness[: 4 * border - 4], stored.loudness[: 4 * border - 4])
    first = round(float(segments_of(run).start_s[13]) * found.step_rate_hz)  # type: ignore[arg-type]
    n = found.n_steps - border
    # The border lies within a step: from there on the nearest step is this one or the next.
    off = [np.abs(found.codes[:, border:] - run.latents(3).codes[:, first + d : first + d + n]).max() for d in (0, 1)]
    assert min(off) == 0


def test_a_warp_meets_at_its_pins(run: FakeRun) -> None:
    source, target = run.latents(0), run.latents(2)
    free, pinned = warp(source, target), warp(source, target, pins=[20, 40])
    assert np.all(np.diff(pinned.step) >= 0)
    for first, stop in ((0, 20), (20, 40), (40, source.n_steps)):
        assert pinned.step[first] >= first
        assert pinned.step[stop - 1] < stop
    assert not np.array_equal(free.step, pinned.step)
    np.testing.assert_array_equal(warp(source, target, pins=[0, 10_000]).step, free.step)
    borders = np.array([20, 40]) / source.step_rate_hz
    dials = find_asked({"mode": "morph"}).dials
    (found,) = align_walk(source, target, borders, 1, dials=dials, n_candidates=24, seed=0)
    np.testing.assert_array_equal(found.step, pinned.step)


@pytest.mark.parametrize("align", ["transport", "viterbi", "nearest", "off"])
def test_a_search_stays_with_the_stretch_whose_turn_it_is(run: FakeRun, align: str) -> None:
    dials = find_asked({"mode": "match", "align": align}).dials
    source, target = run.latents(0), run.latents(2)
    borders = np.array([2.0, 2.5, 5.0])
    one, two = align_walk(source, target, borders, 2, dials=dials, n_candidates=24, seed=0)
    assert one.n_steps == two.n_steps == source.n_steps
    # Half a second is too little to choose from, and goes with what follows.
    edges = [0, *(round(s * source.step_rate_hz) for s in (2.0, 5.0)), source.n_steps]
    assert min(np.diff(edges)) >= LEAST_SPAN_S * source.step_rate_hz
    for first, stop in zip(edges[:-1], edges[1:], strict=True):
        for path in (one, two):
            assert path.step[first:stop].min() >= first
            assert path.step[first:stop].max() < stop
    assert one.apart(two, slack=1) > 0.3


def test_a_silent_stretch_of_the_target_is_no_mistake(run: FakeRun) -> None:
    source, target = run.latents(0), run.latents(2)
    first, stop = 20, 40
    loudness = target.loudness.copy()
    loudness[first * FRAMES : stop * FRAMES] = SILENCE - 1
    borders = np.array([first, stop]) / source.step_rate_hz
    dials = find_asked({"mode": "match"}).dials
    hushed = replace(target, loudness=loudness)
    (found,) = align_walk(source, hushed, borders, 1, dials=dials, n_candidates=24, seed=0)
    np.testing.assert_array_equal(found.step[first:stop], np.arange(first, stop))
    assert not np.array_equal(found.step[:first], np.arange(first))
    # Where all of it is, there is nothing to be heard.
    silent = replace(target, loudness=np.full_like(loudness, SILENCE - 1))
    with pytest.raises(BadInput, match="the target is silent"):
        align_walk(source, silent, borders, 1, dials=dials, n_candidates=24, seed=0)


# ---- rendering


@pytest.mark.parametrize("mode", [None, "match", "style", "cross", "fade"])
def test_a_walk_is_rendered_in_every_mode(
    run: FakeRun, mode: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("mkstemp", "mkdtemp", "TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile"):
        monkeypatch.setattr(tempfile, name, lambda *_, **__: pytest.fail("wrote a temporary file"))
    found = hybrid(run, walk=STEPS, mode=mode, duration_s=5.0)  # type: ignore[arg-type]
    assert (found.samples.shape, found.sample_rate) == ((1, 5 * RATE), RATE)
    assert np.isfinite(found.samples).all()
    # Each second of it sounds.
    assert (np.square(found.samples.reshape(5, -1)).mean(axis=1) > 1e-6).all()
    again = hybrid(run, walk=STEPS, mode=mode, duration_s=5.0)  # type: ignore[arg-type]
    np.testing.assert_array_equal(again.samples, found.samples)


def test_at_alpha_0_a_walk_is_its_source_and_at_1_of_a_fade_its_target(run: FakeRun) -> None:
    steps = "0:1-9:{a},2:6-14:{a},4:3-9:{a}"
    source, target = tracks(run, steps.format(a=0))
    with TrackReader(source) as reader:
        own = reader.read(0, reader.n_samples)
    found = hybrid(run, walk=steps.format(a=0)).samples  # type: ignore[arg-type]
    np.testing.assert_allclose(found, own, atol=2e-3)
    other = hybrid(run, walk=steps.format(a=1), mode="fade", align="off").samples  # type: ignore[arg-type]
    with TrackReader(target) as reader:
        wanted = reader.read(0, reader.n_samples)
    for part in (slice(2000, 14000), slice(18000, 30000), slice(34000, 46000)):
        assert np.corrcoef(other[0, part], wanted[0, part])[0, 1] > 0.99


def test_stereo_at_another_rate_stays_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    files = [
        Wave(music(rng, 4 * RATE, [110.0]), RATE).save(tmp_path / "mono.wav"),
        noise(tmp_path / "stereo.wav", 1, rate=11025, channels=2, seconds=4.0),
        Wave(music(rng, 4 * RATE, [880.0], 2), RATE).save(tmp_path / "other.wav"),
    ]
    run = FakeRun({"a": files[:2], "b": files[2:]})
    found = hybrid(run, walk="0:1-5:0.5,1:3-6:0.5", duration_s=2.5)  # type: ignore[arg-type]
    assert (found.samples.shape, found.sample_rate) == ((2, round(2.5 * 11025)), 11025)
    late = found.samples[:, 15000:]
    assert np.abs(late[0] - late[1]).max() > 0.01


def test_a_file_of_a_walk_tells_what_it_is_and_spares_its_inputs(run: FakeRun, tmp_path: Path) -> None:
    path = tmp_path / "way.csv"
    path.write_text("0,1,9,0.25\n2,6,13,1\n")
    told = hybrid_file(run, walk=path, out=tmp_path / "h.wav", stems=tmp_path / "st", show_progress=False)  # type: ignore[arg-type]
    assert (told["source"], told["target"]) == ("walk through low0.wav, low1.wav", "walk through high0.wav, high1.wav")
    assert told["walk"] == "0:1-9:0.25,2:6-13:1"
    assert (told["mode"], told["from"], told["to"], told["alpha"]) == ("morph", "low", "high", [[0, 0.25], [2, 1]])
    assert sorted(p.name for p in (tmp_path / "st").iterdir()) == [
        "crossfade.wav", "hybrid.wav", "source.wav", "target.wav"
    ]  # fmt: skip
    for taken in (path, run.files[1].path):
        with pytest.raises(BadInput, match="must not be one of the inputs"):
            hybrid_file(run, walk=path, out=taken, force=True, show_progress=False)  # type: ignore[arg-type]
    assert path.read_text() == "0,1,9,0.25\n2,6,13,1\n"


def test_the_command_makes_the_same_walk(
    run: FakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"walk": parse_walk(STEPS), "duration_s": 3.0, "mode": "match", "seed": 4}
    command = hybrid_command("fake.mix", asked, out="h.wav")
    assert command == f"stylemix hybrid fake.mix --walk {STEPS} --duration 3.0 --mode match --seed 4 --out h.wav"
    monkeypatch.setattr("stylemix.model.run.load_run", lambda path: run)
    monkeypatch.chdir(tmp_path)
    assert run_command([*command.split()[1:], "--bits", "32f", "--quiet"]) == 0
    assert "source: walk through low0.wav" in capsys.readouterr().out
    wanted = hybrid(run, **asked).samples  # type: ignore[arg-type]
    np.testing.assert_array_equal(read_wave(tmp_path / "h.wav").samples, wanted)
    assert run_command(["hybrid", "fake.mix", "--walk", "0:1-9", "--out", "no.wav", "--quiet"]) == 1
    assert capsys.readouterr().err.startswith("stylemix: walk: write steps such as")
