"""The evaluation is sane: a fade is a fade, a file is itself, noise belongs nowhere, swapped corpora mirror all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from stylemix.arrays import Latents, Wave
from stylemix.audio import AudioReader
from stylemix.errors import BadInput
from stylemix.measure import evidence
from stylemix.measure.evidence import Described, Stretch, describe_waves
from stylemix.measure.fade import fade_r2, fade_shares
from stylemix.measure.judges import Judge, appoint_judges
from stylemix.measure.kernel import KernelReference, kernel_distance, pairs_mean, resample_weights
from stylemix.measure.latent_use import effective_dimensions, measure_latents, own_neighbours
from stylemix.measure.rendering import Rendered
from stylemix.measure.trials import measure_anchors, measure_mode
from stylemix.measure.verdict import is_outside
from tests import sounds

# Each of them trains or renders: seconds that the fast tests of every change need not wait for.
pytestmark = pytest.mark.slow

RATE = 22050
ALPHAS = (0.0, 0.5, 1.0)


def melody(seed: int, *, plucked: bool, seconds: float = 6.0) -> Wave:
    return Wave(sounds.melody(seconds, rate=RATE, seed=seed, plucked=plucked), RATE)


def renumbered(found: Described, first: int) -> Described:
    """Recordings are counted through both corpora."""
    return replace(found, recordings=found.recordings + first)


def as_rendered(source: Wave, target: Wave, hybrids: dict[float, Wave]) -> Rendered:
    return Rendered(Stretch(0, Path("x.wav"), 0, 0.0, source.duration_s, True), source, target, hybrids)


@pytest.fixture(scope="module")
def corpora() -> list[Described]:
    """Held tones and plucked noise, three recordings each."""
    held, plucked = (
        describe_waves([melody(seed, plucked=p) for seed in range(3 + 10 * p, 6 + 10 * p)]) for p in (False, True)
    )
    return [held, renumbered(plucked, 3)]


@pytest.fixture(scope="module")
def judges(corpora: list[Described]) -> list[Judge]:
    return appoint_judges(corpora)


@pytest.fixture(scope="module")
def parents() -> tuple[Wave, Wave]:
    """One of each, which the judges have not heard."""
    return melody(50, plucked=False), melody(60, plucked=True)


@pytest.fixture(scope="module")
def fade(parents: tuple[Wave, Wave], judges: list[Judge], corpora: list[Described]) -> dict[str, Any]:
    one = as_rendered(*parents, {})
    return measure_mode([replace(one, hybrids={a: one.crossfade(a) for a in ALPHAS})], judges, corpora)


def test_a_fade_scores_as_a_fade(fade: dict[str, Any]) -> None:
    first, half, last = fade["by_alpha"]
    assert half["explained"] == pytest.approx(1, abs=1e-3)
    assert half["hybridness"] == pytest.approx(0, abs=1e-3)
    assert 0.05 < half["explained_source"] < 0.95
    assert 0.05 < half["explained_target"] < 0.95
    assert first["p_b"] < 0.3 < 0.7 < last["p_b"]
    assert first["off_line"] == pytest.approx(first["p_b"])
    assert last["bend"] == pytest.approx(0)


def test_a_sound_is_identical_with_itself(
    parents: tuple[Wave, Wave], judges: list[Judge], corpora: list[Described]
) -> None:
    source = parents[0]
    found = measure_mode([as_rendered(source, source, dict.fromkeys(ALPHAS, source))], judges, corpora)
    for row in found["by_alpha"]:
        for key in ("explained", "explained_source", "explained_magnitudes", "chroma", "onsets"):
            assert row[key] == pytest.approx(1)
    assert found["alpha0_sc2048_db"] == -200
    assert found["timbre"]["non_linearity"] == found["timbre"]["non_smoothness"] == 0


def test_one_style_is_as_near_to_itself_as_chance_allows(corpora: list[Described], judges: list[Judge]) -> None:
    again = describe_waves([melody(seed, plucked=False) for seed in (30, 31, 32)])
    distance = judges[0].judge(again)
    assert distance["kad_source"]["low"] < 0 < distance["kad_source"]["high"]
    assert distance["kad_target"]["low"] > 0


def test_white_noise_is_out_of_both(judges: list[Judge], tmp_path: Path) -> None:
    stretches: list[list[Stretch]] = []
    for plucked in (False, True):
        path = sounds.write(tmp_path / f"{plucked}.wav", melody(70 + plucked, plucked=plucked).samples[0], rate=RATE)
        stretches.append([Stretch(0, path, int(plucked), 0.0, 6.0, True)])
    anchors = measure_anchors(stretches, judges)
    assert is_outside(anchors["noise"], anchors)
    assert not is_outside(anchors["recordings"], anchors)
    assert anchors["noise"]["kad_union"]["low"] > 3 * anchors["recordings"]["kad_union"]["high"]
    assert anchors["source"]["p_b"] < 0.3 < 0.7 < anchors["target"]["p_b"]
    # The files hold 16 bits, which moves the numbers a little.
    both = describe_waves([melody(70, plucked=False), melody(71, plucked=True)])
    alike = judges[0].judge(both)["kad_source"]
    kept = anchors["recordings"]["kad_source"]
    assert kept["value"] == pytest.approx(alike["value"], rel=0.1)
    # Each corpus keeps its share in every resample, which leaves less to chance.
    assert kept["high"] - kept["low"] < 0.8 * (alike["high"] - alike["low"])
    # The style posterior cannot say "neither": only the distance finds noise out.
    assert 0 <= anchors["noise"]["p_b"] <= 1


def test_swapped_corpora_mirror_the_numbers(
    parents: tuple[Wave, Wave], corpora: list[Described], fade: dict[str, Any]
) -> None:
    back = appoint_judges(corpora[::-1])
    one = as_rendered(*parents[::-1], {})
    found = measure_mode([replace(one, hybrids={a: one.crossfade(a) for a in ALPHAS})], back, corpora[::-1])
    for row, mirrored in zip(fade["by_alpha"], found["by_alpha"][::-1], strict=True):
        assert_mirrored(row, mirrored)
        assert_mirrored(row["second"], mirrored["second"])
        assert row["explained_source"] == pytest.approx(mirrored["explained_target"], abs=1e-6)
        assert row["explained"] == pytest.approx(mirrored["explained"], abs=1e-6)
    assert fade["timbre"]["non_linearity"] == pytest.approx(found["timbre"]["non_linearity"])


def assert_mirrored(row: dict[str, Any], mirrored: dict[str, Any]) -> None:
    assert row["p_b"] == pytest.approx(1 - mirrored["p_b"], abs=2e-3)
    pairs = {"kad_source": "kad_target", "kad_target": "kad_source", "kad_union": "kad_union"}
    for key, other in pairs.items():
        assert row[key]["value"] == pytest.approx(mirrored[other]["value"], abs=1e-6)


def test_two_judges_of_different_kinds_are_asked(judges: list[Judge], fade: dict[str, Any]) -> None:
    assert [judge.name for judge in judges] == ["scattering", "cepstra"]
    assert all(judge.facts()["accuracy"] == 1.0 for judge in judges)
    assert judges[0].facts()["recordings"] == [3, 3]
    half = fade["by_alpha"][1]
    assert half["p_b"] != half["second"]["p_b"]
    assert half["kad_union"]["value"] != half["second"]["kad_union"]["value"]


def test_silence_is_not_judged(judges: list[Judge], corpora: list[Described], parents: tuple[Wave, Wave]) -> None:
    silence = Wave(np.zeros(6 * RATE), RATE)
    hybrids = {0.0: parents[0], 0.5: silence, 1.0: parents[1]}
    found = measure_mode([as_rendered(*parents, hybrids)], judges, corpora)
    half = found["by_alpha"][1]
    assert half["p_b"] is half["kad_union"] is half["second"]["p_b"] is found["timbre"] is None
    assert found["path"] == {"non_linearity": None, "non_smoothness": None}
    assert half["chroma"] == half["onsets"] == 0


def test_segments_overlap_and_silent_ones_are_left_out() -> None:
    loud = sounds.melody(6.0, rate=RATE)
    found = describe_waves([Wave(loud, RATE), Wave(np.concatenate([loud[: 3 * RATE], np.zeros(6 * RATE)]), RATE)])
    assert found.recordings.tolist() == [0, 0, 0, 1, 1]
    assert {key: rows.shape for key, rows in found.rows.items()} == {
        "scattering": (5, 180), "cepstra": (5, 59), "timbre": (5, 7),
    }  # fmt: skip
    assert len(describe_waves([Wave(np.zeros(10), RATE)])) == 0
    assert evidence.SEGMENT_S == 3.0


def test_each_parent_alone_explains_itself_and_no_more_than_both(parents: tuple[Wave, Wave]) -> None:
    source, target = parents
    found = fade_shares(source, source, target)
    assert (found.source, found.both) == (pytest.approx(1), pytest.approx(1))
    assert found.target < 0.2
    mixed = as_rendered(source, target, {}).crossfade(0.5)
    shares = fade_shares(mixed, source, target)
    assert max(shares.source, shares.target) < shares.both == pytest.approx(fade_r2(mixed, source, target))
    assert shares.magnitudes == pytest.approx(1, abs=0.1)
    other = melody(99, plucked=True)
    assert fade_shares(other, source, target).both < 0.5
    assert fade_shares(other, source, target).magnitudes < 0.8


def test_resamples_never_count_a_pair_of_a_segment_with_itself(rng: np.random.Generator) -> None:
    rows = rng.normal(0, 1, (30, 4))
    kernel = np.exp(-np.square(rows[:, None] - rows).sum(-1))
    drawn = resample_weights(np.zeros(30), n_resamples=4000, seed=0)
    # Segments drawn with replacement: the mean over the resamples is the estimate itself.
    assert pairs_mean(kernel, drawn).mean() == pytest.approx(float(pairs_mean(kernel, np.ones(30))), abs=2e-3)
    assert pairs_mean(np.ones((3, 3)), np.array([0.0, 4.0, 0.0])) == 0


def test_recordings_are_drawn_whole_where_there_are_three_and_corpora_keep_their_share() -> None:
    recordings, strata = np.repeat(np.arange(6), 2), np.repeat([0, 1], 6)
    drawn = resample_weights(recordings, strata=strata, n_resamples=50, seed=1)
    assert (drawn[:, ::2] == drawn[:, 1::2]).all()
    assert (drawn[:, :6].sum(axis=1) == 6).all()
    two = resample_weights(np.repeat([0, 1], 5), n_resamples=50, seed=1)
    assert (two.sum(axis=1) == 10).all()
    assert not (two[:, 0] == two[:, 1]).all()


def test_the_interval_covers_chance_about_as_often_as_it_says(rng: np.random.Generator) -> None:
    reference = KernelReference(rng.normal(0, 1, (80, 5)), np.arange(80))
    inside = 0
    for _ in range(60):
        found = reference.interval(rng.normal(0, 1, (20, 5)), np.arange(20))
        assert found.low < found.value < found.high
        inside += found.low < 0 < found.high
    assert inside >= 50
    moved = reference.interval(rng.normal(1.0, 1, (20, 5)), np.arange(20))
    assert moved.low > 0
    x = rng.normal(0, 1, (20, 5))
    assert reference.interval(x, np.arange(20)).value == pytest.approx(kernel_distance(x, reference.rows))


def test_a_reference_of_one_segment_is_refused() -> None:
    with pytest.raises(BadInput, match=r"a reference of at least 2 rows, got shape \(1, 3\)"):
        KernelReference(np.zeros((1, 3)), np.zeros(1))


def test_effective_dimensions_are_those_of_the_construction(rng: np.random.Generator) -> None:
    plane = rng.standard_normal((5000, 2)) @ np.linalg.qr(rng.standard_normal((10, 10)))[0][:2]
    assert effective_dimensions(np.cov(plane.T)) == pytest.approx(2, abs=0.02)
    assert effective_dimensions(np.zeros((3, 3))) == 0


def run_of(codes: list[np.ndarray], **metrics: Any) -> Any:
    return SimpleNamespace(
        files=[SimpleNamespace(corpus=i % 2) for i in range(len(codes))],
        latents=lambda i: Latents(codes[i].astype(np.float32), np.zeros(codes[i].shape[1], np.float32), RATE, 1024),
        metrics=metrics,
    )


@pytest.mark.parametrize(("wide", "least", "most"), [(1.0, 0.4, 0.6), (20.0, 0.9, 1.0)])
def test_corpora_that_lie_apart_around_one_centre_are_found_apart(
    rng: np.random.Generator, wide: float, least: float, most: float
) -> None:
    # The second corpus is on a shell around the first: no linear classifier tells them apart.
    codes = []
    for i in range(8):
        x = rng.normal(0, 1, (6, 200))
        codes.append(
            np.concatenate([wide * x / np.linalg.norm(x, axis=0) if i % 2 and wide > 1 else x, np.zeros((2, 200))])
        )
    found = measure_latents(run_of(codes))
    assert found["corpus_near_content"] is None
    assert (found["dimensions"], found["active"], found["chance"]) == (8, 6 / 8, 0.5)
    assert least <= found["corpus_near_codes"] <= most
    assert own_neighbours(codes[0].T, np.zeros(200, int), np.arange(200)) is None
    assert own_neighbours(codes[0].T, np.arange(200) % 2, np.arange(200) % 2) is None


def test_what_the_training_measured_of_unheard_files_is_told(rng: np.random.Generator) -> None:
    trained = {"corpus_near_codes": 0.94, "corpus_near_content": 0.87}
    found = measure_latents(run_of([rng.normal(0, 1, (4, 50)) for _ in range(4)], translation=trained))
    assert {key: found[key] for key in trained} == trained


def read(path: Path, start_s: float, seconds: float) -> Wave:
    with AudioReader(path) as reader:
        start, stop = (round(s * reader.sample_rate) for s in (start_s, start_s + seconds))
        return Wave(reader.read(start, stop).mean(axis=0), reader.sample_rate)


@pytest.mark.slow
@pytest.mark.parametrize("pair", ["chorale-vs-ragtime", "orchestral-vs-electronic"])
def test_the_evaluation_is_sane_on_real_music(real_music: Path, pair: str) -> None:
    folders = sorted(path for path in (real_music / pair).iterdir() if path.is_dir())
    files = [sorted(path for path in folder.iterdir() if path.suffix in (".flac", ".ogg"))[:7] for folder in folders]
    heard = [describe_waves([read(path, 5, 15) for path in mine[:6]]) for mine in files]
    corpora = [heard[0], renumbered(heard[1], 6)]
    source, target = (read(mine[6], 5, 15) for mine in files)
    n = min(source.n_samples, target.n_samples)
    if source.sample_rate != target.sample_rate:
        pytest.skip("the first files of the two corpora have different rates")
    one = as_rendered(*(Wave(w.samples[:, :n], w.sample_rate) for w in (source, target)), {})
    one = replace(one, hybrids={a: one.crossfade(a) for a in ALPHAS})
    judges = appoint_judges(corpora)
    found = measure_mode([one], judges, corpora)["by_alpha"]
    assert found[1]["explained"] > 0.99
    assert found[0]["p_b"] < 0.4 < 0.6 < found[2]["p_b"]
    _a_file_is_itself(one.source, judges, corpora)
    anchors = measure_anchors([[Stretch(0, mine[6], i, 5.0, 15.0, True)] for i, mine in enumerate(files)], judges)
    assert is_outside(anchors["noise"], anchors)
    assert anchors["noise"]["kad_union"]["value"] > 3 * anchors["recordings"]["kad_union"]["value"]
    back = as_rendered(one.target, one.source, {a: one.hybrids[1 - a] for a in ALPHAS})
    mirrored = measure_mode([back], appoint_judges(corpora[::-1]), corpora[::-1])["by_alpha"]
    for row, other in zip(found, mirrored[::-1], strict=True):
        assert_mirrored(row, other)


def _a_file_is_itself(source: Wave, judges: Sequence[Judge], corpora: Sequence[Described]) -> None:
    row = measure_mode([as_rendered(source, source, dict.fromkeys(ALPHAS, source))], judges, corpora)["by_alpha"][1]
    assert [row[key] for key in ("explained", "chroma", "onsets")] == pytest.approx([1, 1, 1])
    # Every other second of a file against the seconds between.
    rows = describe_waves([source]).rows["scattering"]
    near = KernelReference(rows[::2], np.arange(len(rows[::2]))).interval(rows[1::2], np.arange(len(rows[1::2])))
    assert near.low < 50
    assert near.value < 300
