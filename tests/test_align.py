"""Alignment: known answers found again, and the shape of a path whatever the material."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stylemix.arrays import Latents
from stylemix.errors import BadInput
from stylemix.hybrid.align import Path, match, step_loudness, variations
from stylemix.hybrid.alignment import neighbours
from stylemix.hybrid.alignment.neighbours import Surcharge, nearest
from stylemix.hybrid.alignment.plan import prices
from stylemix.hybrid.alignment.pool import choose
from stylemix.hybrid.alignment.space import Weights, compare
from stylemix.hybrid.dials import Dials
from stylemix.hybrid.warp import MOST_STEPS, warp

ALIGNED = ("viterbi", "transport", "nearest")


def latents(codes: np.ndarray, *, rate: int = 8000, loudness: float = 0.0) -> Latents:
    return Latents(codes.astype(np.float32), np.full(4 * codes.shape[1], loudness, np.float32), rate, 1024)


def with_chroma(given: Latents, classes: np.ndarray) -> Latents:
    return replace(given, chroma=np.eye(12, dtype=np.float32)[classes].T)


@pytest.fixture
def walk(rng: np.random.Generator) -> np.ndarray:
    """A random walk in eight dimensions: neighbours in time are neighbours in space."""
    return np.cumsum(rng.standard_normal((8, 600)), axis=1)


@pytest.mark.parametrize("align", ALIGNED)
def test_matching_finds_where_the_source_was_cut_from(walk: np.ndarray, align: str) -> None:
    targets = [latents(walk[:, 300:]), latents(walk[:, :300])]
    path = match(latents(walk[:, 100:200]), targets, dials=Dials(align=align))
    assert set(path.file) == {1}
    assert path.step.tolist() == list(range(100, 200))


def test_matching_leaves_out_the_source_itself(walk: np.ndarray) -> None:
    path = match(latents(walk), [latents(walk), latents(walk[:, ::-1])], exclude=0)
    assert set(path.file) == {1}


def test_a_run_goes_on_where_every_step_alone_would_jump(rng: np.random.Generator) -> None:
    source = np.cumsum(rng.standard_normal((8, 200)), axis=1)
    noisy = [source + 0.3 * rng.standard_normal(source.shape) for _ in range(5)]
    distances = np.stack([np.linalg.norm(source - n, axis=0) for n in noisy])
    alone = np.count_nonzero(np.diff(distances.argmin(axis=0))) + 1
    # Steps of 46 ms; where steps are longer, a jump is worth fewer of them.
    short, long = (
        len(match(latents(source, rate=rate), [latents(n, rate=rate) for n in noisy]).runs()) for rate in (22050, 8000)
    )
    assert short < alone / 4
    assert short < long < alone


def test_a_run_never_goes_on_over_the_end_of_a_file(rng: np.random.Generator) -> None:
    files = [latents(rng.standard_normal((4, n))) for n in (1, 3, 40)]
    path = match(latents(rng.standard_normal((4, 100))), files)
    lengths = np.array([f.n_steps for f in files])
    assert (path.step < lengths[path.file]).all()
    assert path.step.min() >= 0


def test_the_search_is_capped_seeded_and_spread_over_all_files(rng: np.random.Generator) -> None:
    # Steps of 0.128 s; the source is made of pieces of all four files.
    files = [latents(i * 20 + rng.standard_normal((4, 1000))) for i in range(4)]
    source = latents(np.concatenate([f.codes[:, :50] for f in files], axis=1))
    first, again = (match(source, files, pool_s=100.0, seed=1) for _ in range(2))
    other = match(source, files, pool_s=100.0, seed=2)
    assert first.step.tolist() == again.step.tolist()
    assert first.step.tolist() != other.step.tolist()
    assert set(first.file) == {0, 1, 2, 3}
    assert len(np.unique(np.stack([first.file, first.step]), axis=1).T) <= 100 / 0.128


def test_no_material_is_told(walk: np.ndarray) -> None:
    with pytest.raises(BadInput, match="no target material"):
        match(latents(walk), [])


@pytest.mark.parametrize("n", [1, 2, 7])
def test_the_shortest_sounds_are_matched_and_warped(n: int, rng: np.random.Generator) -> None:
    a, b = latents(rng.standard_normal((4, n))), latents(rng.standard_normal((4, 3)))
    assert match(a, [b]).n_steps == n
    assert warp(a, b).n_steps == n
    assert warp(b, a).n_steps == 3


def test_runs_are_cut_at_jumps_and_files() -> None:
    path = Path(np.array([0, 0, 0, 1, 1]), np.array([3, 4, 9, 10, 11]))
    assert path.runs().tolist() == [[0, 2], [2, 3], [3, 5]]


def test_holding_never_leaves_the_path_by_more_than_the_slack(rng: np.random.Generator) -> None:
    path = Path(np.zeros(400, int), np.cumsum(rng.integers(0, 3, 400)))
    held = path.held(2)
    assert np.abs(held.step - path.step).max() <= 2
    assert len(held.runs()) < len(path.runs()) / 2


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.6])
def test_warping_undoes_a_change_of_tempo(walk: np.ndarray, factor: float) -> None:
    # The source runs through the same walk with a tempo that is never constant.
    m = round(600 / factor)
    position = 599 * (np.linspace(0, 1, m) + 0.04 * np.sin(np.linspace(0, 2 * np.pi, m)))
    stretched = np.stack([np.interp(position, np.arange(600), row) for row in walk])
    path = warp(latents(stretched), latents(walk))
    assert (np.diff(path.step) >= 0).all()
    assert np.abs(path.step - position).mean() < 1.5


def test_where_nothing_is_alike_the_tempo_is_kept(rng: np.random.Generator) -> None:
    a, b = (latents(rng.standard_normal((32, 300))) for _ in range(2))
    assert np.count_nonzero(np.diff(warp(a, b).step) == 1) > 200


def test_warping_long_sounds_refines_a_coarse_alignment(rng: np.random.Generator) -> None:
    long = np.cumsum(rng.standard_normal((4, 3 * MOST_STEPS)), axis=1)
    position = np.linspace(0, long.shape[1] - 1, 2 * MOST_STEPS)
    source = np.stack([np.interp(position, np.arange(long.shape[1]), row) for row in long])
    path = warp(latents(source), latents(long))
    assert np.abs(path.step - position).max() < 10


def test_warping_reaches_the_end_of_a_much_longer_target(rng: np.random.Generator) -> None:
    ramp = np.linspace(0, 1, 500)[None] * np.ones((4, 1))
    path = warp(latents(ramp[:, ::20]), latents(ramp))
    assert path.step[0] < 25
    assert path.step[-1] > 475


def test_loudness_of_a_step_is_the_mean_of_its_frames() -> None:
    some = Latents(np.zeros((2, 2), np.float32), np.array([1.0, 3.0, 5.0, 7.0], np.float32), 8000, 1024)
    assert step_loudness(some).tolist() == [2.0, 6.0]


def test_without_continuity_every_step_is_the_nearest(rng: np.random.Generator) -> None:
    source, targets = latents(rng.standard_normal((4, 50))), [latents(rng.standard_normal((4, 90))) for _ in range(2)]
    points, pool = compare(source, targets, [np.arange(90)] * 2, Weights(1.0))
    brute = np.linalg.norm(points[:, None] - pool[None], axis=2).argmin(axis=1)
    for dials in (Dials(align="viterbi", continuity=0.0, loudness=1.0), Dials(align="nearest", loudness=1.0)):
        path = match(source, targets, dials=dials)
        assert (90 * path.file + path.step).tolist() == brute.tolist()
    # A price so small that it decides nothing: the search itself goes there too.
    path = match(source, targets, dials=Dials(align="viterbi", continuity=1e-9, loudness=1.0))
    assert (90 * path.file + path.step).tolist() == brute.tolist()


def test_more_continuity_makes_longer_runs(rng: np.random.Generator) -> None:
    source, target = latents(rng.standard_normal((4, 200))), latents(rng.standard_normal((4, 900)))
    n_runs = [len(match(source, [target], dials=Dials(continuity=c)).runs()) for c in (0.0, 1.0, 5.0, 100.0)]
    assert n_runs == sorted(n_runs, reverse=True)
    assert n_runs[-1] < 0.1 * n_runs[0]


def test_no_matching_plays_the_files_in_order_and_again(rng: np.random.Generator) -> None:
    files = [latents(rng.standard_normal((4, n))) for n in (3, 5, 2)]
    path = match(latents(rng.standard_normal((4, 12))), files, dials=Dials(align="off"), exclude=1)
    assert path.file.tolist() == [0, 0, 0, 2, 2] * 2 + [0, 0]
    assert path.step.tolist() == [0, 1, 2, 0, 1] * 2 + [0, 1]


def test_blocks_and_surcharges_give_the_cheapest_of_all(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "CHUNK_STEPS", 7)
    monkeypatch.setattr(neighbours, "BLOCK_STEPS", 11)
    points, pool = (rng.standard_normal((n, 5)).astype(np.float32) for n in (20, 60))
    surcharge = Surcharge(
        rng.random(60).astype(np.float32), rng.random((4, 6)).astype(np.float32), 5, np.arange(60, dtype=np.int32) // 10
    )
    found, cost = nearest(points, pool, 15, surcharge)
    brute = np.linalg.norm(points[:, None] - pool[None], axis=2) + surcharge.by_step
    brute += np.repeat(np.repeat(surcharge.by_place, 5, axis=0), 10, axis=1)
    np.testing.assert_allclose(cost, np.sort(brute, axis=1)[:, :15], atol=1e-4)
    np.testing.assert_allclose(np.take_along_axis(brute, found, axis=1), cost, atol=1e-4)


def test_a_transport_plan_makes_a_hub_dear_and_uses_the_rest(rng: np.random.Generator) -> None:
    # In many dimensions the middle is nearer to every point than any other point is.
    points, pool = (rng.standard_normal((400, 60)) / np.sqrt(60)).astype(np.float32), rng.standard_normal((400, 60))
    pool = (pool / np.sqrt(60)).astype(np.float32)
    pool[:20] *= 0.1
    price = prices(points, pool, 1.0, 0)
    assert price.mean() == pytest.approx(0, abs=1e-4)
    assert price[:20].min() > price[20:].max()
    plain = Surcharge.none(400)
    before, after = (nearest(points, pool, 1, s)[0][:, 0] for s in (plain, replace(plain, by_step=price)))
    assert np.mean(before < 20) > 0.98
    assert len(np.unique(after)) > 120


def test_a_transport_plan_spreads_over_copies(rng: np.random.Generator) -> None:
    one = rng.standard_normal((16, 300))
    source = latents(rng.standard_normal((16, 600)))
    path, other = (match(source, [latents(one)] * 2, dials=Dials(align="transport"), seed=s) for s in (0, 1))
    assert 0.3 < path.file.mean() < 0.7
    # Not by the chance of rounding, but drawn.
    assert path.file.tolist() != other.file.tolist()
    first, second = (prices(*compare(source, [latents(one)] * 2, [np.arange(300)] * 2, Weights()), 1.0, 0)[s]
                     for s in (slice(300), slice(300, None)))  # fmt: skip
    np.testing.assert_allclose(first, second, atol=1e-5)


@pytest.mark.parametrize("align", ALIGNED)
def test_noise_is_seeded(rng: np.random.Generator, align: str) -> None:
    source, target = latents(rng.standard_normal((8, 100))), latents(rng.standard_normal((8, 2000)))
    dials = Dials(align=align, randomness=0.5)
    first, again, other = (match(source, [target], dials=dials, seed=s) for s in (1, 1, 2))
    assert first.step.tolist() == again.step.tolist()
    assert first.apart(other, slack=8) > 0.5


def test_without_noise_the_seed_says_nothing(rng: np.random.Generator) -> None:
    source, target = latents(rng.standard_normal((8, 50))), latents(rng.standard_normal((8, 500)))
    one, two = (match(source, [target], dials=Dials(align="viterbi"), seed=seed) for seed in (1, 2))
    assert one.step.tolist() == two.step.tolist()


@pytest.mark.parametrize("align", [*ALIGNED, "off"])
def test_variations_differ_and_cost_alike(rng: np.random.Generator, align: str) -> None:
    source, target = latents(rng.standard_normal((64, 200))), latents(rng.standard_normal((64, 3000)))
    dials = Dials(align=align)
    paths = variations(source, [target], 4, dials=dials)
    assert paths[0].step.tolist() == match(source, [target], dials=dials).step.tolist()
    apart = [a.apart(b, slack=8) for i, a in enumerate(paths) for b in paths[:i]]
    assert min(apart) > 0.9
    points, pool = compare(source, [target], [np.arange(3000)], Weights(1.0))
    costs = [float(np.linalg.norm(points - pool[p.step], axis=1).mean()) for p in paths]
    assert max(costs) < 1.15 * min(costs)


def test_variations_are_asked_for_by_a_number() -> None:
    with pytest.raises(BadInput, match="variations: must be 1 or more, got 0"):
        variations(latents(np.ones((2, 3))), [latents(np.ones((2, 3)))], 0)


def test_paths_are_apart_where_they_are_in_other_files_or_places() -> None:
    one = Path(np.array([0, 0, 0, 1]), np.array([5, 6, 7, 8]))
    other = Path(np.array([0, 0, 1, 1]), np.array([5, 9, 7, 8]))
    assert one.apart(one, slack=0) == 0
    assert one.apart(other, slack=2) == 0.5
    assert one.apart(other, slack=3) == 0.25
    with pytest.raises(BadInput, match="apart: two paths of one source are compared, got 4 and 1 steps"):
        one.apart(Path(np.zeros(1, int), np.zeros(1, int)), slack=0)


def test_only_what_is_allowed_is_used(walk: np.ndarray) -> None:
    files = [latents(walk[:, :300]), latents(walk[:, 300:])]
    allowed = [np.arange(300) % 100 < 10, np.zeros(300, bool)]
    path = match(latents(walk[:, 100:200]), files, allowed=allowed)
    assert set(path.file) == {0}
    assert (path.step % 100 < 10).all()
    # A run does not go on over a gap between what is allowed.
    pool = choose(latents(walk), files, exclude=None, pool_s=1e9, seed=0, allowed=allowed)
    assert pool.stretch.tolist() == [0] * 10 + [1] * 10 + [2] * 10


def test_what_is_allowed_is_checked(walk: np.ndarray) -> None:
    source, files = latents(walk), [latents(walk)]
    for allowed, words in (
        ([np.zeros(600, bool)], "none of the target's steps may be used; choose a cluster"),
        ([np.ones(600)], r"boolean for each of the 600 latent steps of target file 0, got float64 of shape \(600,\)"),
        ([np.ones(9, bool)], r"target file 0, got bool of shape \(9,\)"),
        ([], "one array for each of the 1 target files, got 0"),
    ):
        with pytest.raises(BadInput, match=f"allowed: .*{words}"):
            match(source, files, allowed=allowed)


def test_what_cannot_be_aligned_is_told(walk: np.ndarray) -> None:
    good = latents(walk)
    for source, target, words in (
        (latents(walk[:, :0]), good, "source is shorter than one latent step"),
        (good, latents(walk[:, :0]), "no target material"),
        (good, latents(walk, loudness=-11.5), "target is silent .below -90 dB throughout"),
        (good, latents(walk[:4]), "same latent dimensions, got 8 and 4; encode both with one run"),
        (good, latents(walk, rate=44100), "same latent steps a second"),
    ):
        for align in (match, lambda s, t: warp(s, t[0])):
            with pytest.raises(BadInput, match=words):
                align(source, [target])
    with pytest.raises(BadInput, match="no target material"):
        match(good, [good], exclude=0)


@pytest.mark.parametrize("align", ALIGNED)
def test_chroma_chooses_among_what_is_alike(rng: np.random.Generator, align: str) -> None:
    classes = rng.integers(12, size=2000)
    source = with_chroma(latents(rng.standard_normal((16, 150))), classes[:150])
    target = with_chroma(latents(rng.standard_normal((16, 2000))), rng.permutation(classes))
    agreeing = []
    for weight in (0.0, 0.5, 2.0):
        path = match(source, [target], dials=Dials(align=align, chroma=weight, continuity=0.3))
        agreeing.append(float(np.mean(target.chroma.argmax(axis=0)[path.step] == classes[:150])))
    assert agreeing[0] < 0.25
    assert agreeing == sorted(agreeing)
    assert agreeing[-1] > 0.6
    # Latents of before are matched as before.
    plain, asked = (match(latents(source.codes), [target], dials=Dials(chroma=c)) for c in (0.0, 2.0))
    assert plain.step.tolist() == asked.step.tolist()


def test_a_weight_of_one_is_one_latent_vector(rng: np.random.Generator) -> None:
    def some(scale: float) -> Latents:
        codes, chroma, timbre = (rng.standard_normal((n, 4000)).astype(np.float32) for n in (32, 12, 6))
        loudness = np.repeat(rng.standard_normal(4000) + scale, 4)
        return Latents(scale * codes, loudness.astype(np.float32), 8000, 1024, 3 * chroma, scale * timbre + scale)

    points, pool = compare(some(1.0), [some(2.0)], [np.arange(4000)], Weights(0.5, 1.0, 2.0))
    parts = np.split(points - pool, [32, 33, 45], axis=1)
    # Between independent steps: twice the mean variance of the two sides.
    squares = [float(np.square(part).sum(axis=1).mean()) for part in parts]
    np.testing.assert_allclose(squares[1:], [0.5, 2.0, 8.0], rtol=0.05)
    assert 1.8 < squares[0] < 2.2


def test_loudness_and_timbre_are_relative_to_their_side_and_pitch_is_not(rng: np.random.Generator) -> None:
    base = latents(np.ones((2, 50)))
    loud = Latents(base.codes, np.repeat(rng.standard_normal(50), 4).astype(np.float32), 8000, 1024,
                   rng.random((12, 50)).astype(np.float32), rng.random((3, 50)).astype(np.float32))  # fmt: skip
    other = replace(loud, loudness=loud.loudness - 2, timbre=loud.timbre + 5, chroma=loud.chroma + 5)
    points, pool = compare(loud, [other], [np.arange(50)], Weights(1.0, 0.0, 1.0))
    np.testing.assert_allclose(points, pool, atol=1e-4)
    points, pool = compare(loud, [other], [np.arange(50)], Weights(1.0, 1.0, 1.0))
    assert np.linalg.norm(points - pool, axis=1).min() > 1
