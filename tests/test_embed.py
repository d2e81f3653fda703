"""Places on the map: neighbourhoods, never coordinates; tiny and duplicate data must work."""

import warnings

import numpy as np
import pytest

from stylemix.embedding.embed import embed, principal_scores
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
    distances = np.linalg.norm(first.points[:, None] - first.points[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argsort(axis=1)[:, :5]
    group = np.arange(120) >= 60
    assert (group[nearest] == group[:, None]).mean() > 0.98


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
