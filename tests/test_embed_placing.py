"""New segments on a map that stays: where they belong, and whether they belong at all."""

import numpy as np
import pytest

from stylemix.embedding.embed import embed
from stylemix.embedding.placing import amid_neighbours, place, place_points
from stylemix.errors import BadInput


def groups(n: int, seed: int = 0) -> np.ndarray:
    """Two groups in 20 dimensions."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(0, 1, (n, 20)), rng.normal(6, 1, (n, 20))])


@pytest.mark.parametrize("dims", [2, 3])
def test_on_principal_components_new_segments_are_projected_exactly(dims):
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    rows, fresh = groups(40), groups(5, seed=1)
    points = embed(rows, method="pca", dims=dims).points
    scaler = StandardScaler().fit(rows)
    model = PCA(dims, svd_solver="full").fit(scaler.transform(rows))
    wanted = model.transform(scaler.transform(fresh))
    signs = np.sign((points * model.transform(scaler.transform(rows))).sum(axis=0))
    np.testing.assert_allclose(place(fresh, rows, points).points, wanted * signs, atol=1e-8)
    # Turned, enlarged and shifted as a whole, the map is still one of principal components.
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(dims, dims)))[0]
    np.testing.assert_allclose(place(fresh, rows, 3 * points @ turn + 1).points, 3 * (wanted * signs) @ turn + 1)


@pytest.mark.parametrize(("n", "dims"), [(3, 2), (4, 3), (3, 3), (12, 2)])
def test_a_map_that_is_not_of_principal_components_does_not_pass_for_one(n, dims):
    rng = np.random.default_rng(n)
    rows, fresh = rng.normal(size=(n, 5)), 50 + rng.normal(size=(4, 5))
    exact = embed(rows, method="pca", dims=dims).points
    shear = np.eye(dims) + np.eye(dims, k=1)
    for other in (rng.normal(size=(n, dims)), exact @ shear, exact * np.r_[1.0, np.full(dims - 1, 2.0)]):
        points = place(fresh, rows, other).points
        # Amid neighbours: within the map, however far away the new segments are.
        assert (points >= other.min(axis=0) - 1e-9).all()
        assert (points <= other.max(axis=0) + 1e-9).all()
    assert np.abs(place(fresh, rows, exact).points).max() > 5 * np.abs(exact).max()


def test_points_alone_are_those_of_the_whole_answer_and_nothing_else_is_asked(monkeypatch):
    rows, fresh = groups(40), groups(5, seed=1)
    for points in (rows[:, :2] ** 3, embed(rows, method="pca").points):
        wanted = place(fresh, rows, points, k=7).points
        with monkeypatch.context() as patch:
            patch.setattr("stylemix.embedding.placing._out", lambda *given: pytest.fail("asked how far out they are"))
            np.testing.assert_array_equal(place_points(fresh, rows, points, k=7), wanted)
    with pytest.raises(BadInput, match=r"one row a segment of the map \(80\), got \(79, 2\)"):
        place_points(fresh, rows, points[1:])


def test_new_segments_lie_with_their_own_kind():
    rows, fresh = groups(60), groups(10, seed=1)
    points = embed(rows, method="tsne").points
    placed = place(fresh, rows, points)
    middles = points.reshape(2, 60, 2).mean(axis=1)
    nearest = np.linalg.norm(placed.points[:, None] - middles, axis=-1).argmin(axis=1)
    np.testing.assert_array_equal(nearest, np.repeat([0, 1], 10))
    np.testing.assert_array_equal(placed.nearest >= 60, np.repeat([[False], [True]], 10, axis=0).repeat(10, axis=1))


def test_a_segment_of_the_map_is_placed_where_it_lies():
    rows = groups(30)
    points = np.random.default_rng(2).normal(size=(60, 2))
    placed = place(rows[::7], rows, points)
    np.testing.assert_allclose(placed.points, points[::7])
    np.testing.assert_array_equal(placed.nearest[:, 0], np.arange(60)[::7])
    assert not placed.strange.any()


def test_between_two_places_one_is_chosen_and_not_the_middle_of_nothing():
    rng = np.random.default_rng(0)
    known = np.concatenate([rng.uniform(-2, -1, (30, 1)), rng.uniform(1, 2, (30, 1))])
    points = np.concatenate([rng.normal(0, 1, (30, 2)), rng.normal(0, 1, (30, 2)) + [50, 0]])
    placed, nearest = amid_neighbours(np.array([[0.0], [0.02]]), known, points, k=10)
    assert ((nearest < 30).any(axis=1) & (nearest >= 30).any(axis=1)).all()
    assert np.minimum(np.abs(placed[:, 0]), np.abs(placed[:, 0] - 50)).max() < 3


def test_strangers_are_told_and_citizens_are_not():
    rng = np.random.default_rng(0)
    rows, points = groups(150), groups(150)[:, :2]
    citizens = place(groups(150, seed=1), rows, points)
    assert citizens.strange.mean() < 0.06
    noise = place(rows.mean(axis=0) + 30 * rng.normal(size=(20, 20)), rows, points)
    assert noise.strange.all()
    assert noise.out.min() > 2 * np.median(citizens.out)


def test_beside_a_dense_group_a_segment_is_strange_that_amid_a_wide_one_is_not():
    rng = np.random.default_rng(0)
    wide, dense = rng.normal(0, 5, (200, 3)), rng.normal(60, 0.2, (200, 3))
    rows = np.concatenate([wide, dense])
    step = np.array([[4.0, 0, 0]])
    assert place(dense[:1] + step, rows, rows[:, :2]).strange.all()
    assert not place(wide[:1] + step, rows, rows[:, :2]).strange.any()


def test_beyond_where_the_map_thins_out_a_segment_is_strange_though_its_neighbours_are_lonely_too():
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(size=(300, 5)), 30 * rng.normal(size=(30, 5))])
    away = rng.normal(size=(8, 5))
    away *= 150 / np.linalg.norm(away, axis=1, keepdims=True)
    assert place(away, rows, rows[:, :2]).strange.all()
    assert not place(rng.normal(size=(20, 5)), rows, rows[:, :2]).strange.any()


def test_files_of_the_map_are_compared_with_other_files_as_a_new_file_is():
    # Each of 30 files is a tight place of its own, and so is the new one: it is no more of a stranger than they are.
    rng = np.random.default_rng(0)
    file = np.repeat(np.arange(30), 15)
    rows = rng.normal(size=(31, 4))[np.r_[file, np.full(15, 30)]] + 0.01 * rng.normal(size=(465, 4))
    known, fresh = rows[:450], rows[450:]
    assert place(fresh, known, known[:, :2]).strange.all()
    assert not place(fresh, known, known[:, :2], file=file).strange.any()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_tiny_and_equal_maps_take_new_segments(n):
    fresh = np.array([[0.5, 0.5], [40.0, 1.0]])
    for rows in (np.arange(2.0 * n).reshape(n, 2), np.zeros((n, 2))):
        placed = place(fresh, rows, rows)
        assert np.isfinite(placed.points).all()
        assert np.isfinite(placed.out).all()
        assert placed.nearest.shape == (2, n)
    # What differs in features that are always the same on the map cannot be told from it.
    np.testing.assert_array_equal(place(fresh, np.zeros((n, 2)), np.zeros((n, 2))).out, 0)


def test_large_maps_are_judged_by_an_even_part(monkeypatch):
    rows, fresh = groups(200), np.concatenate([groups(20, seed=1), groups(5) + 40])
    whole = place(fresh, rows, rows[:, :2])
    monkeypatch.setattr("stylemix.embedding.placing._REFERENCE", 100)
    part = place(fresh, rows, rows[:, :2])
    assert np.corrcoef(np.log(whole.out), np.log(part.out))[0, 1] > 0.95
    np.testing.assert_array_equal(part.strange[-10:], True)


def test_what_does_not_fit_the_map_is_refused():
    rows = groups(20)
    with pytest.raises(BadInput, match=r"one row a segment of the map \(40\), got \(39, 2\)"):
        place(rows, rows, np.zeros((39, 2)))
    with pytest.raises(BadInput, match="must be 20 a segment, as those of the map, got 19"):
        place(rows[:, 1:], rows, np.zeros((40, 2)))
    with pytest.raises(BadInput, match=r"file: must have one entry a segment of the map \(40\), got 39"):
        place(rows, rows, np.zeros((40, 2)), file=np.zeros(39, int))
    with pytest.raises(BadInput, match="at least 1 neighbour, got 0"):
        place(rows, rows, np.zeros((40, 2)), k=0)
    with pytest.raises(BadInput, match="1 of 1 segments hold NaN"):
        place(np.full((1, 20), np.nan), rows, np.zeros((40, 2)))
