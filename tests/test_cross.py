"""The mosaic: planted frames come back, constraints hold, blocks leave no seams."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.hybrid.cross import MosaicAssembler, _beginning
from stylemix.hybrid.cross_frames import Lattice, TargetFrames, banded, description, grain_magnitudes
from stylemix.hybrid.cross_search import candidates, choose_frames
from stylemix.hybrid.cross_updates import Constraints, activations, constrained
from stylemix.hybrid.source import SourceReader

RATE = 22050
HOP = 1024
PAPER = {"repetition": 3, "polyphony": 10, "continuity": 3}


def divergence(v: np.ndarray, w: np.ndarray, h: np.ndarray) -> float:
    guess = w @ h
    return float((v * np.log(v / guess) - v + guess).sum())


def tones(hz: list[float], seconds: float, *, level: float = 0.2) -> np.ndarray:
    """One tone after another, each with two overtones."""
    t = np.arange(int(seconds * RATE)) / RATE
    return level * np.concatenate([sum(np.sin(2 * np.pi * f * k * t) / k for k in (1, 2, 3)) for f in hz])


def saved(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    Wave(samples, rate).save(path)
    return path


def mosaic(source: Path, *targets: Path, **options: object) -> np.ndarray:
    with SourceReader(source, model_rate=RATE) as reader, MosaicAssembler(reader, targets, **options) as found:
        return found.read(0, reader.n_model_samples)


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples.astype(float))) + 1e-20))


@pytest.fixture
def scale(tmp_path: Path) -> Path:
    """A target of twenty tones, a semitone apart."""
    return saved(tmp_path / "scale.wav", tones([220 * 2 ** (i / 12) for i in range(20)], 0.8))


# The updates


def test_a_sum_of_two_frames_gets_exactly_these(rng: np.random.Generator) -> None:
    w, planted = rng.random((40, 6)), np.zeros((6, 3))
    planted[1], planted[4] = [1.0, 0.5, 2.0], [0.3, 2.0, 0.0]
    many = Constraints(repetition=0, polyphony=0, continuity=0, iterations=4000)
    h = activations(w @ planted, w, np.arange(6), beginning=np.ones((6, 3)), constraints=many)
    np.testing.assert_allclose(h, planted, atol=2e-3)


@pytest.mark.slow  # importing the reference takes longer than the test
def test_unconstrained_updates_agree_with_scikit_learn(rng: np.random.Generator) -> None:
    from sklearn.decomposition import non_negative_factorization

    v, w = rng.random((30, 12)) + 0.1, rng.random((30, 8))
    steps = Constraints(repetition=0, polyphony=0, continuity=0, iterations=50)
    # Theirs begins with one number everywhere.
    beginning = np.full((8, 12), np.sqrt(v.mean() / 8))
    ours = activations(v, w, np.arange(8), beginning=beginning, constraints=steps)
    # Their fixed factor is the second one, so all is transposed; no tolerance, so that all steps are taken.
    theirs, _, n_steps = non_negative_factorization(
        v.T, None, w.T, update_H=False, n_components=8, solver="mu", beta_loss="kullback-leibler", max_iter=50, tol=0
    )
    assert n_steps == 50
    np.testing.assert_allclose(ours, theirs.T, rtol=1e-5, atol=1e-7)


def test_the_divergence_never_rises(rng: np.random.Generator) -> None:
    v, w, h = rng.random((30, 12)) + 0.1, rng.random((30, 8)), rng.random((8, 12)) + 0.5
    costs = []
    for _ in range(30):
        costs.append(divergence(v, w, h))
        one = Constraints(repetition=0, polyphony=0, continuity=0, iterations=1)
        h = activations(v, w, np.arange(8), beginning=h, constraints=one)
    assert (np.diff(costs) <= 1e-9).all()
    assert costs[-1] < 0.5 * costs[0]


def test_magnitudes_add_up_to_the_sources_whatever_the_constraints(rng: np.random.Generator) -> None:
    v, w = rng.random((30, 40)), rng.random((30, 25)) + 0.01
    h = activations(v, w, np.arange(25) // 5, beginning=np.ones((25, 40)), constraints=Constraints(**PAPER))
    np.testing.assert_allclose((w @ h).sum(axis=0), v.sum(axis=0), rtol=1e-9)


def test_a_silent_frame_has_no_activations(rng: np.random.Generator) -> None:
    v, w = rng.random((30, 9)), rng.random((30, 25))
    v[:, 4] = 0
    w[:, 7] = 0
    h = activations(v, w, np.zeros(25, dtype=int), beginning=np.ones((25, 9)), constraints=Constraints(**PAPER))
    assert np.isfinite(h).all()
    assert not h[:, 4].any()
    assert not h[7].any()
    assert h[:, 3].any()


def test_no_more_seeds_than_the_polyphony(rng: np.random.Generator) -> None:
    only = Constraints(repetition=0, polyphony=4, continuity=0)
    h = rng.random((50, 20))
    bent = constrained(h, np.zeros(50, dtype=int), 1.0, only)
    assert (np.count_nonzero(bent, axis=0) == 4).all()
    assert bent.sum(axis=0) == pytest.approx(np.sort(h, axis=0)[-4:].sum(axis=0))
    half = constrained(h, np.zeros(50, dtype=int), 0.5, only)
    np.testing.assert_allclose(half, np.where(bent > 0, h, h / 2))


def test_a_frame_is_not_repeated_within_reach(rng: np.random.Generator) -> None:
    bent = constrained(rng.random((5, 60)), np.zeros(5, dtype=int), 1.0, Constraints(3, 0, 0))
    gaps = [np.diff(np.flatnonzero(row)).min() for row in bent]
    assert min(gaps) > 3


def test_continuity_goes_along_the_diagonal_and_stops_at_the_end_of_a_run() -> None:
    h = np.zeros((6, 5))
    h[2, 2] = 1
    bent = constrained(h, np.array([0, 0, 0, 0, 1, 1]), 1.0, Constraints(0, 0, 2))
    assert sorted(zip(*np.nonzero(bent), strict=True)) == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert (bent[bent > 0] == 1).all()


@pytest.mark.parametrize("name", ["repetition", "polyphony", "continuity", "iterations"])
def test_constraints_below_zero_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match=f"cross: {name} must be . or more, got -1"):
        Constraints(**{name: -1})


# The search


def test_the_frame_itself_is_found(rng: np.random.Generator) -> None:
    points = description(rng.random((80, 4000)) ** 4)
    asked = np.square(points[1000:1040:2]).T
    found = candidates(asked, points)
    # Cells of four: the best of a cell is the frame itself.
    assert (found[2:-2, 0] == np.arange(1000, 1040, 2)[2:-2]).all()


def test_both_parts_of_a_sum_are_candidates() -> None:
    # More frames are like the louder part alone than there are candidates in a round.
    points = description(np.eye(30).repeat(40, axis=1))
    asked = np.zeros((30, 9))
    asked[3], asked[20] = 1.0, 0.6
    found = candidates(asked, points)
    assert all({3, 20} <= set((row[row >= 0] // 40).tolist()) for row in found)


def test_a_dictionary_keeps_its_size_and_stays_inside_stretches(rng: np.random.Generator) -> None:
    points, stretch = description(rng.random((80, 3000))), np.arange(3000) // 50
    frames, run = choose_frames(rng.random((80, 60)), points, stretch, most=300, reach=6)
    assert 250 < len(frames) <= 300
    assert (np.diff(frames) > 0).all()
    for number in np.unique(run):
        some = frames[run == number]
        assert (np.diff(some) == 1).all()
        assert len(np.unique(stretch[some])) == 1


def test_what_comes_with_a_candidate_is_from_its_own_stretch() -> None:
    points = description(np.eye(30).repeat(40, axis=1))
    asked = np.zeros((30, 9))
    asked[3] = 1.0
    frames, _ = choose_frames(asked, points, np.arange(1200) // 40, most=200, reach=30)
    assert set((frames // 40).tolist()) == {3}


def test_silence_has_no_candidates(rng: np.random.Generator) -> None:
    points = description(rng.random((80, 100)))
    frames, run = choose_frames(np.zeros((80, 20)), points, np.zeros(100, dtype=int), most=50, reach=2)
    assert len(frames) == len(run) == 0


def test_silent_frames_of_the_target_are_never_chosen(tmp_path: Path, rng: np.random.Generator) -> None:
    sound = 0.1 * rng.standard_normal(3 * RATE)
    sound[RATE : 2 * RATE] *= 1e-5
    target = TargetFrames([saved(tmp_path / "t.wav", sound)], Lattice(RATE), n_channels=1)
    found = candidates(rng.random((target.points.shape[1], 40)), target.points)
    seconds = (found[found >= 0] + 1) * HOP / RATE
    assert not ((seconds > 1.1) & (seconds < 1.9)).any()


# Frames of the target


def test_frames_come_from_where_they_were_described(tmp_path: Path, rng: np.random.Generator) -> None:
    files = [saved(tmp_path / f"{i}.wav", 0.1 * rng.standard_normal((2, 12 * RATE))) for i in range(2)]
    lattice = Lattice(RATE)
    target = TargetFrames(files, lattice, n_channels=2)
    frames = np.array([3, 4, 5, 210, 211, 300, 301, 400])
    again = description(banded(grain_magnitudes(target.grains(frames)), lattice.edges(12)))
    np.testing.assert_allclose(again, target.points[frames], atol=1e-3)


def test_mono_files_serve_stereo_and_the_other_way_round(tmp_path: Path, rng: np.random.Generator) -> None:
    sound = 0.1 * rng.standard_normal((2, RATE))
    files = [saved(tmp_path / "one.wav", sound[:1]), saved(tmp_path / "two.wav", sound)]
    for n_channels in (1, 2):
        target = TargetFrames(files, Lattice(RATE), n_channels=n_channels)
        assert target.grains(np.array([0, 30])).shape == (n_channels, 2, 2048)


def test_more_target_than_is_searched_is_sampled_by_the_seed(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stylemix.hybrid import cross_frames

    monkeypatch.setattr(cross_frames, "POOL_S", 20.0)
    file = saved(tmp_path / "t.wav", 0.1 * rng.standard_normal(60 * RATE))
    lattice = Lattice(RATE)
    one, same, other = (TargetFrames([file], lattice, n_channels=1, seed=s) for s in (0, 0, 1))
    assert one.n_frames < 22 * RATE / HOP
    assert np.array_equal(one.points, same.points)
    assert not np.array_equal(one.points, other.points)


# The mosaic


def test_a_source_cut_from_the_target_sounds_like_itself(tmp_path: Path, scale: Path) -> None:
    """Frames that overlap out of phase cost some of the magnitudes; another melody has none in common."""
    melody = tones([220 * 2 ** (i / 12) for i in (4, 9, 2)], 0.8)
    other = tones([220 * 2 ** (i / 12) for i in (5, 2, 9)], 0.8)
    found = mosaic(saved(tmp_path / "s.wav", melody), scale)
    x, y, z = (grain_magnitudes(Lattice(RATE).grains(v)) for v in (melody[None], found, other[None]))
    assert np.linalg.norm(x - y) < 0.5 * np.linalg.norm(x)
    assert np.linalg.norm(z - y) > np.linalg.norm(z)


def test_the_pitch_classes_of_the_source_come_from_the_target(tmp_path: Path, scale: Path) -> None:
    """Not the octaves: frames of one tone that overlap out of phase can leave an overtone the strongest."""
    t = np.arange(int(0.8 * RATE)) / RATE
    semitones = [14, 3, 8]
    wave = [0.2 * np.sin(2 * np.pi * 220 * 2 ** (i / 12) * t) for i in semitones]
    found = mosaic(saved(tmp_path / "s.wav", np.concatenate(wave)), scale)[0]
    for i, semitone in enumerate(semitones):
        middle = found[int((0.8 * i + 0.25) * RATE) :][: RATE // 4]
        spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
        octaves = np.log2(np.fft.rfftfreq(len(middle), 1 / RATE)[spectrum.argmax()] / 220) - semitone / 12
        assert octaves == pytest.approx(round(octaves), abs=0.02)


def test_loudness_follows_the_source_and_silence_is_silence(tmp_path: Path, scale: Path) -> None:
    loud = tones([330.0], 1.0, level=0.2)
    source = saved(tmp_path / "s.wav", np.concatenate([loud, 0.05 * loud, 0 * loud, loud]))
    with SourceReader(source, model_rate=RATE) as reader, MosaicAssembler(reader, [scale]) as found:
        y = found.read(0, reader.n_model_samples)[0]
    second = [y[int((i + 0.2) * RATE) : int((i + 0.8) * RATE)] for i in range(4)]
    for i, gain in ((0, 1.0), (1, 0.05), (3, 1.0)):
        assert level_db(second[i]) == pytest.approx(level_db(gain * loud), abs=2)
    assert not second[2].any()


def test_a_silent_source_gives_silence(tmp_path: Path, scale: Path) -> None:
    assert not mosaic(saved(tmp_path / "s.wav", np.zeros(RATE)), scale).any()


def test_reads_may_be_cut_anywhere(tmp_path: Path, scale: Path, rng: np.random.Generator) -> None:
    source = saved(tmp_path / "s.wav", tones([220.0, 262.0, 311.0], 4.2) + 0.01 * rng.standard_normal(3 * 92610))
    with SourceReader(source, model_rate=RATE) as reader:
        n = reader.n_model_samples
        with MosaicAssembler(reader, [scale]) as found:
            whole = found.read(-500, n + 700)
        with MosaicAssembler(reader, [scale]) as found:
            cuts = [n + 700, 270_000, 216_000, 111_111, 110_000, 5, -500]
            parts = [found.read(a, b) for b, a in zip(cuts, cuts[1:], strict=False)]
    np.testing.assert_array_equal(np.concatenate(parts[::-1], axis=1), whole)
    assert not whole[:, :500].any()
    assert not whole[:, -700:].any()
    assert whole[:, 600:-800].any()


def test_no_seam_where_blocks_meet(tmp_path: Path, scale: Path) -> None:
    """A held tone of the target stays as level at the borders of blocks as between them."""
    source = saved(tmp_path / "s.wav", tones([220 * 2 ** (7 / 12)], 16.0))
    y = mosaic(source, scale)[0][RATE : 15 * RATE]
    levels = 10 * np.log10(np.square(y[: len(y) // 2205 * 2205]).reshape(-1, 2205).mean(axis=1))
    starts = RATE + np.arange(len(levels)) * 2205
    length = round(5 * RATE / HOP) * HOP
    near = np.abs((starts + 1102 + length // 2) % length - length // 2) < 4410
    assert near.sum() >= 6
    assert levels[near].min() > levels[~near].min() - 1
    assert levels[near].max() < levels[~near].max() + 1


def test_two_blocks_begin_alike_where_they_share_frames_and_times() -> None:
    one = _beginning(np.array([3, 50, 51]), np.arange(-4, 6), seed=2)
    other = _beginning(np.array([50, 51, 90]), np.arange(2, 12), seed=2)
    np.testing.assert_array_equal(one[1:, 6:], other[:2, :4])
    assert len(np.unique(one)) == one.size
    assert one.min() >= 0.5
    assert one.max() < 1.5


def test_crossfades_of_blocks_that_agree_add_up_to_one(
    tmp_path: Path, scale: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MosaicAssembler, "_render", lambda self, block: np.ones((1, 300_000), dtype=np.float32))
    found = mosaic(saved(tmp_path / "s.wav", tones([220.0], 12.0)), scale)
    np.testing.assert_allclose(found, 1, atol=1e-6)


def test_channels_in_opposite_phase_are_not_silent(tmp_path: Path, scale: Path) -> None:
    tone = tones([330.0], 1.0)
    y = mosaic(saved(tmp_path / "s.wav", np.stack([tone, -tone])), scale)
    assert y.shape == (2, RATE)
    assert level_db(y) == pytest.approx(level_db(tone), abs=2)


def test_another_seed_is_another_mosaic(tmp_path: Path, rng: np.random.Generator) -> None:
    target = saved(tmp_path / "t.wav", 0.1 * rng.standard_normal(8 * RATE))
    source = saved(tmp_path / "s.wav", 0.1 * rng.standard_normal(2 * RATE))
    one, same, other = (mosaic(source, target, seed=s) for s in (0, 0, 5))
    assert np.array_equal(one, same)
    assert np.linalg.norm(one - other) > 0.1 * np.linalg.norm(one)


def test_bad_material_is_named(tmp_path: Path, scale: Path) -> None:
    short, silent = saved(tmp_path / "short.wav", np.ones(2000) / 2), saved(tmp_path / "silent.wav", np.zeros(RATE))
    for source, target, message in (
        (short, scale, r"source: lasts 0\.091 s, but a mosaic needs one frame \(0\.093 s\)"),
        (scale, short, r"target: no file lasts as long as one frame \(0\.093 s\)"),
        (scale, silent, r"target: all of it is silent"),
    ):
        with pytest.raises(BadInput, match=message):
            mosaic(source, target)


def test_a_short_or_silent_file_among_others_does_no_harm(tmp_path: Path, scale: Path) -> None:
    short, silent = saved(tmp_path / "short.wav", np.ones(2000) / 2), saved(tmp_path / "silent.wav", np.zeros(RATE))
    source = saved(tmp_path / "s.wav", tones([330.0], 1.0))
    assert level_db(mosaic(source, short, silent, scale)) == pytest.approx(level_db(tones([330.0], 1.0)), abs=2)


@pytest.mark.slow
def test_real_music_keeps_its_harmony_and_takes_on_the_other_sound(real_music: Path) -> None:
    """Chroma near what was measured when the constraints were chosen, and hardly any of the source left."""
    from stylemix.measure.fade import fade_r2
    from stylemix.measure.spectra import chroma_correlation

    pair = real_music / "chorale-vs-ragtime"
    targets = sorted((pair / "bach-organ-chorales").glob("*.flac"))
    rag = pair / "joplin-rags" / "entertainer_01.flac"
    with (
        SourceReader(rag, model_rate=RATE, duration_s=12) as reader,
        MosaicAssembler(reader, targets) as found,
    ):
        n = reader.n_model_samples
        y, x = Wave(found.read(0, n), RATE), Wave(reader.read_model(0, n), RATE)
    assert chroma_correlation(y, x) > 0.7
    assert fade_r2(y, x, x) < 0.4
    assert level_db(y.samples) == pytest.approx(level_db(x.samples), abs=2)
