"""Places on the map: neighbourhoods, never coordinates; tiny and duplicate data must work."""

import warnings

import numpy as np
import pytest

from stylemix.embedding.embed import embed, principal_scores
from stylemix.embedding.scores import score_map
from stylemix.errors import BadInput


def two_groups(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(0, 1, (n, 20)), rng.normal(6, 1, (n, 20))])


@pytest.mark.parametrize("n", [1, 2, 3, 5, 29])
def test_few_segments_are_placed_by_pca(n):
    placed = embed(np.random.default_rng(n).normal(size=(n, 7)))
    assert placed.method == "pca"
    assert placed.points.shape == (n, 2)
    assert np.isfinite(placed.points).all()


@pytest.mark.parametrize("n", [1, 2, 40, 400])
def test_equal_segments_share_one_place(n):
    placed = embed(np.full((n, 5), 0.1))
    assert placed.method == "pca"
    assert np.ptp(placed.points, axis=0).max() == 0


def test_pca_of_few_points_keeps_their_distances():
    # Two features of equal spread and no correlation: standardised axes are a scaled copy of the input.
    square = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 0.0], [2.0, 2.0]])
    points = embed(square).points
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    expected = np.linalg.norm(square[:, None] - square[None], axis=-1)
    np.testing.assert_allclose(distances, expected, atol=1e-9)


def test_scores_are_those_of_scikit_learn_up_to_sign():
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    rows = np.random.default_rng(0).normal(size=(50, 9)) @ np.random.default_rng(1).normal(size=(9, 9))
    expected = PCA(4, svd_solver="full").fit_transform(StandardScaler().fit_transform(rows))
    np.testing.assert_allclose(np.abs(principal_scores(rows, 4)), np.abs(expected), atol=1e-8)


def test_a_constant_feature_counts_for_nothing():
    rows = np.random.default_rng(0).normal(size=(43, 3))
    # The same number computed in two ways: the spread is tiny, but not zero.
    constant = np.resize([0.3, 0.1 + 0.2], (43, 1))
    with_constant = np.concatenate([rows, constant], axis=1)
    np.testing.assert_allclose(principal_scores(with_constant, 8), principal_scores(rows, 8), atol=1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_are_refused_with_their_place(bad):
    rows = np.zeros((4, 3))
    rows[2, 1] = bad
    with pytest.raises(BadInput, match=r"1 of 4 segments hold NaN or infinity .*segment 2"):
        embed(rows)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (5,)])
def test_wrong_shapes_are_refused(shape):
    with pytest.raises(BadInput, match="must have shape"):
        embed(np.zeros(shape))


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("method", ["pca", "isomap", "tsne"])
def test_each_method_keeps_groups_apart_in_the_plane_and_in_space(method, dims):
    rows = two_groups(40)
    placed = embed(rows, method=method, dims=dims, seed=5)
    assert (placed.method, placed.asked, placed.points.shape) == (method, method, (80, dims))
    assert_groups_apart(placed.points, 0.98)
    np.testing.assert_array_equal(placed.points, embed(rows, method=method, dims=dims, seed=5).points)


def assert_groups_apart(points: np.ndarray, share: float) -> None:
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argsort(axis=1)[:, :5]
    group = np.arange(len(points)) >= len(points) // 2
    assert (group[nearest] == group[:, None]).mean() > share


@pytest.mark.parametrize("method", ["isomap", "tsne", "umap"])
@pytest.mark.parametrize("n", [1, 2, 29])
def test_too_few_different_segments_are_placed_by_pca_and_it_says_so(method, n):
    rows = np.random.default_rng(n).normal(size=(n, 7))
    placed = embed(np.concatenate([rows, np.repeat(rows[:1], 50, axis=0)]), method=method, dims=3)
    assert (placed.method, placed.asked) == ("pca", method)
    assert placed.points.shape == (n + 50, 3)
    assert np.isfinite(placed.points).all()


@pytest.mark.parametrize("method", ["isomap", "tsne"])
def test_equal_segments_share_one_place_with_every_method(method):
    distinct = two_groups(20)
    placed = embed(np.concatenate([distinct, np.repeat(distinct[:1], 100, axis=0)]), method=method)
    assert placed.method == method
    assert np.ptp(placed.points[np.r_[0, 40:140]], axis=0).max() == 0
    assert np.ptp(placed.points[:40], axis=0).min() > 0


def test_isomap_unrolls_what_pca_folds():
    rng = np.random.default_rng(0)
    along, across = rng.uniform(4.5, 11, 600), rng.uniform(0, 5, 600)
    roll = np.stack([along * np.cos(along), across, along * np.sin(along)], axis=1)
    # The length of a spiral of radius t is about t^2 / 2.
    order = {
        method: abs(np.corrcoef(embed(roll, method=method, neighbours=8).points[:, 0], along**2)[0, 1])
        for method in ("pca", "isomap")
    }
    assert order["isomap"] > 0.97
    assert order["pca"] < 0.8


def test_isomap_joins_worlds_without_a_way_between_them_quietly():
    rng = np.random.default_rng(0)
    worlds = np.concatenate([rng.normal(100 * i, 1, (40, 3)) for i in range(3)])
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        placed = embed(worlds, method="isomap", neighbours=5)
    assert [str(w.message) for w in seen] == []
    middles = placed.points.reshape(3, 40, 2).mean(axis=1)
    spread = np.linalg.norm(placed.points.reshape(3, 40, 2) - middles[:, None], axis=-1).max()
    assert np.linalg.norm(middles[0] - middles[1]) > 2 * spread


def test_isomap_unrolls_with_a_subset_that_is_dense_enough_and_not_otherwise(monkeypatch):
    rng = np.random.default_rng(0)
    along, across = rng.uniform(4.5, 11, 1500), rng.uniform(0, 5, 1500)
    roll = np.stack([along * np.cos(along), across, along * np.sin(along)], axis=1)
    found = []
    for n in (500, 60):
        monkeypatch.setattr("stylemix.embedding.methods.MOST_FITTED", n)
        points = embed(roll, method="isomap", neighbours=8).points
        found.append(abs(np.corrcoef(points[:, 0], along**2)[0, 1]))
    # Ways lead through the subset: a neighbourhood among few bridges the fold.
    assert found[0] > 0.97
    assert found[1] < 0.9


def test_isomap_places_the_rest_by_a_subset(monkeypatch):
    rows = two_groups(60)
    whole = embed(rows, method="isomap").points
    monkeypatch.setattr("stylemix.embedding.methods.MOST_FITTED", 50)
    some = embed(rows, method="isomap").points
    assert np.abs(np.corrcoef(whole[:, 0], some[:, 0])[0, 1]) > 0.98
    assert_groups_apart(some, 0.98)


def test_pca_tells_how_much_it_explains_and_the_others_do_not():
    rows = np.random.default_rng(0).normal(size=(60, 5)) @ np.diag([5.0, 3, 1, 1, 1])
    placed = embed(np.concatenate([rows, rows[:, :1] * 2], axis=1), method="pca", dims=3)
    # Of six standardised features two are the same: one component holds a third.
    assert placed.explained[0] == pytest.approx(1 / 3, abs=0.06)
    assert sum(placed.explained) < 1
    assert embed(rows, method="isomap").explained == ()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"method": "lle"}, "must be one of pca, isomap, tsne, umap, got 'lle'"),
        ({"dims": 4}, "must have 2 or 3 dimensions, got 4"),
        ({"neighbours": 1}, "at least 2 segments, got 1"),
    ],
)
def test_an_impossible_map_is_refused(asked, words):
    with pytest.raises(BadInput, match=words):
        embed(two_groups(20), **asked)


def test_scores_are_the_map_s_own():
    rows = two_groups(40)
    placed = embed(rows, method="pca")
    assert placed.scores.shown() == score_map(rows, placed.points).shown()
    assert placed.scores.trustworthiness > 0.7


@pytest.mark.slow
def test_umap_keeps_groups_apart_and_is_quiet_and_repeatable():
    rows = two_groups(60)
    filters = list(warnings.filters)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        first, second = embed(rows, seed=3), embed(rows, seed=3)
    assert warnings.filters == filters
    assert first.method == "umap"
    assert not [w for w in seen if "umap" in str(w.filename) or "n_jobs" in str(w.message)]
    np.testing.assert_array_equal(first.points, second.points)
    assert_groups_apart(first.points, 0.98)
    assert_groups_apart(embed(rows, dims=3).points, 0.98)


@pytest.mark.slow
def test_umap_survives_many_duplicates_and_puts_them_together():
    distinct = two_groups(20)
    rows = np.concatenate([distinct, np.repeat(distinct[:1], 200, axis=0)])
    placed = embed(rows)
    assert placed.method == "umap"
    assert np.isfinite(placed.points).all()
    assert np.ptp(placed.points[np.r_[0, 40:240]], axis=0).max() == 0


@pytest.mark.slow
def test_umap_works_at_the_least_number_of_points():
    placed = embed(np.random.default_rng(0).normal(size=(30, 4)))
    assert placed.method == "umap"
    assert np.isfinite(placed.points).all()
