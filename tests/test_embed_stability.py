"""The next map looks like the last: segments are known again, the map is laid over, and methods go on gently."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from stylemix.embedding.embed import embed
from stylemix.embedding.stability import Previous, Provenance, known_again, lay_over, lay_wide, starting_points
from stylemix.errors import BadInput


def files(*names: str, each: int = 20, step_s: float = 2.0) -> Provenance:
    file = np.repeat(np.arange(len(names)), each)
    return Provenance([name * 64 for name in names], file, np.tile(np.arange(each) * step_s, len(names)))


def curve(provenance: Provenance, seed: int = 0) -> np.ndarray:
    """Features of each file near its own place on a closed curve; the same file is the same sound."""
    rows = []
    for index, sha in enumerate(provenance.sha256):
        rng = np.random.default_rng(ord(sha[0]))
        n = int((provenance.file == index).sum())
        angle = ord(sha[0]) * 1.3 + np.linspace(0, 2, n)
        waves = [wave(turns * angle) for turns in (1, 2, 3) for wave in (np.cos, np.sin)]
        rows.append(np.stack(waves, axis=1) + 0.05 * rng.normal(size=(n, 6)))
    return np.concatenate(rows)


def moved(now: np.ndarray, before: np.ndarray) -> float:
    """Median distance between points, in radii of the map."""
    radius = np.sqrt(np.square(before - before.mean(axis=0)).sum(axis=1).mean())
    return float(np.median(np.linalg.norm(now - before, axis=1)) / radius)


def test_segments_are_known_by_content_and_place_whatever_the_order_of_files():
    before, now = files("a", "b", "c"), files("d", "c", "a")
    known = known_again(before, now)
    np.testing.assert_array_equal(known, [*[-1] * 20, *range(40, 60), *range(20)])


def test_segments_that_have_grown_a_little_are_known_and_others_are_not():
    before = files("a")
    known = known_again(before, files("a", step_s=2.04))
    np.testing.assert_array_equal(known, np.arange(20))
    # Twice as many of half the length: every other one starts where there was none.
    halves = known_again(before, files("a", each=40, step_s=1.0))
    np.testing.assert_array_equal(halves[::2], np.arange(20))
    assert (halves[1::2] == -1).all()
    # Beyond the end of what there was is nothing.
    assert (known_again(before, files("a", each=40))[20:] == -1).all()


def test_the_same_content_twice_is_known_by_its_first_file():
    np.testing.assert_array_equal(known_again(files("a", "a"), files("a", "a")), np.tile(np.arange(20), 2))


@pytest.mark.parametrize("dims", [2, 3])
def test_laying_over_undoes_turns_mirrors_sizes_and_shifts(dims):
    rng = np.random.default_rng(0)
    before = rng.normal(size=(30, dims)) * np.arange(1, dims + 1)
    turn = np.linalg.qr(rng.normal(size=(dims, dims)))[0]
    for mirror in (1, -1):
        other = 5 * before @ turn * np.r_[mirror, np.ones(dims - 1)] + 11
        np.testing.assert_allclose(lay_over(other, before, np.arange(30)), before, atol=1e-9)


def test_laying_over_agrees_with_scipy_and_keeps_the_size():
    from scipy.spatial import procrustes

    rng = np.random.default_rng(0)
    before = rng.normal(size=(40, 2)) * [3, 1]
    other = before[:, ::-1] * 4 + rng.normal(size=(40, 2))
    laid = lay_over(other, before, np.arange(40))
    assert np.square(laid - laid.mean(axis=0)).sum() == pytest.approx(np.square(before - before.mean(axis=0)).sum())
    unit = procrustes(before, other)[1]
    # Up to the scale, which is equal spread here and least squares there.
    laid = laid - laid.mean(axis=0)
    np.testing.assert_allclose(laid / np.linalg.norm(laid), unit / np.linalg.norm(unit), atol=1e-9)


def test_a_map_laid_over_one_that_it_is_not_like_keeps_its_size():
    rng = np.random.default_rng(0)
    before, other = rng.normal(size=(2, 200, 2))
    laid = lay_over(other, before, np.arange(200))
    assert np.std(laid) == pytest.approx(np.std(before), rel=0.05)


@pytest.mark.parametrize("dims", [2, 3])
def test_a_map_that_follows_none_lies_wide_and_keeps_its_distances(dims):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, dims)) * np.arange(1, dims + 1) @ np.linalg.qr(rng.normal(size=(dims, dims)))[0] + 7
    wide = lay_wide(points)
    np.testing.assert_allclose(wide.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(np.cov(wide.T) - np.diag(wide.var(axis=0, ddof=1)), 0, atol=1e-9)
    assert (np.diff(wide.std(axis=0)) < 0).all()
    np.testing.assert_allclose(pdist(wide), pdist(points))
    np.testing.assert_allclose(lay_wide(-points), wide, atol=1e-9)


def test_what_cannot_be_laid_over_stays():
    points = np.random.default_rng(0).normal(size=(10, 2))
    few = np.r_[0, 1, np.full(8, -1)]
    assert lay_over(points, points * 2, few) is points
    assert lay_over(points, np.zeros((10, 2)), np.arange(10)) is points
    with pytest.raises(BadInput, match="must have the 3 dimensions of the map before, got 2"):
        lay_over(points, np.zeros((10, 3)), np.arange(10))


def test_principal_components_are_mirrored_but_not_turned():
    provenance = files("a", "b", "c")
    rows = curve(provenance)
    first = embed(rows, method="pca")
    turned = Previous(provenance, first.points[:, ::-1] * [1, -1], 0, "pca")
    again = embed(rows, method="pca", provenance=provenance, previous=turned).points
    np.testing.assert_allclose(np.abs(again), np.abs(first.points))
    mirrored = embed(
        rows, method="pca", provenance=provenance, previous=replace(turned, points=first.points * [-1, 1])
    )
    np.testing.assert_allclose(mirrored.points, first.points * [-1, 1])


def test_a_start_needs_most_segments():
    before, scores = np.zeros((4, 2)), np.zeros((4, 3))
    assert starting_points(before, np.array([0, -1, -1, -1]), scores) is None
    assert starting_points(before, np.array([0, 1, -1, -1]), scores) is not None


def test_tsne_goes_on_where_it_was_with_files_more_and_files_gone():
    before = files("a", "b", "c", "d", "e")
    first = embed(curve(before), method="tsne")
    previous = Previous(before, first.points, 0, "tsne")
    ways = []
    for now in (before, files("f", "a", "b", "c", "d", "e"), files("a", "b", "d", "e")):
        again = embed(curve(now), method="tsne", provenance=now, previous=previous)
        known = known_again(before, now)
        ways.append(moved(again.points[known >= 0], first.points[known[known >= 0]]))
        assert again.scores.trustworthiness > first.scores.trustworthiness - 0.02
    # Some 0.10, 0.10 and 0.16, whichever way up the first map lies; laid over the first one only, the last is 0.21.
    assert max(ways[:2]) < 0.15
    laid = embed(curve(now), method="tsne", provenance=now, previous=replace(previous, seed=1))
    assert ways[2] < 0.85 * moved(laid.points[known >= 0], first.points[known[known >= 0]])


def test_another_seed_or_method_does_not_start_from_the_map_but_lies_over_it(monkeypatch):
    provenance = files("a", "b", "c")
    rows = curve(provenance)
    asked = []
    monkeypatch.setattr("stylemix.embedding.embed.starting_points", lambda *given: asked.append(given))
    before = np.random.default_rng(0).normal(size=(60, 2)) * 9 + 50
    for seed, method, starts in ((0, "tsne", 1), (1, "tsne", 0), (0, "isomap", 0)):
        asked.clear()
        placed = embed(
            rows, method=method, provenance=provenance, previous=Previous(provenance, before, seed, "tsne")
        )
        assert len(asked) == starts
        np.testing.assert_allclose(placed.points.mean(axis=0), before.mean(axis=0))
    # A plane says nothing of a room.
    embed(rows, method="tsne", dims=3, provenance=provenance, previous=Previous(provenance, before, 0, "tsne"))
    assert not asked


def test_a_map_before_needs_to_know_the_segments():
    provenance = files("a", "b")
    rows, previous = curve(provenance), Previous(provenance, np.zeros((40, 2)), 0, "umap")
    with pytest.raises(BadInput, match="known again by their provenance; give it too"):
        embed(rows, previous=previous)
    with pytest.raises(BadInput, match=r"provenance: must have one entry a segment \(40\), got \[20\]"):
        embed(rows, provenance=files("a"))
    with pytest.raises(BadInput, match=r"previous: must have one entry a segment \(7\), got \[40\]"):
        embed(rows, provenance=provenance, previous=replace(previous, points=np.zeros((7, 2))))


@pytest.mark.slow
@pytest.mark.parametrize("dims", [2, 3])
def test_umap_goes_on_where_it_was_with_files_more_and_files_gone(dims):
    before = files(*"abcdefgh")
    first = embed(curve(before), dims=dims)
    previous = Previous(before, first.points, 0, "umap")
    for now in (before, files(*"abdefgh"), files(*"iabcdefgh")):
        again = embed(curve(now), dims=dims, provenance=now, previous=previous)
        known = known_again(before, now)
        # Between maps that have nothing to do with one another it would be more than 1.
        assert moved(again.points[known >= 0], first.points[known[known >= 0]]) < 0.25
        assert again.scores.trustworthiness > first.scores.trustworthiness - 0.02
