"""Alignment: known answers found again, and the shape of a path whatever the material."""

from __future__ import annotations

import numpy as np
import pytest

from stylemix.arrays import Latents
from stylemix.errors import BadInput
from stylemix.hybrid.align import Path, match, step_loudness
from stylemix.hybrid.warp import MOST_STEPS, warp


def latents(codes: np.ndarray, *, rate: int = 8000) -> Latents:
    return Latents(codes.astype(np.float32), np.zeros(4 * codes.shape[1], np.float32), rate, 1024)


@pytest.fixture
def walk(rng: np.random.Generator) -> np.ndarray:
    """A random walk in eight dimensions: neighbours in time are neighbours in space."""
    return np.cumsum(rng.standard_normal((8, 600)), axis=1)


def test_matching_finds_where_the_source_was_cut_from(walk: np.ndarray) -> None:
    path = match(latents(walk[:, 100:200]), [latents(walk[:, 300:]), latents(walk[:, :300])])
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
