"""Four ways to cluster: what each finds, what it leaves out, and what it does with odd and with many points."""

import numpy as np
import pytest

from stylemix.clusters import methods
from stylemix.clusters.choice import METHODS, ClusterChoice
from stylemix.clusters.cluster import cluster
from stylemix.clusters.methods import partition
from stylemix.errors import BadInput

PLACES = np.array([[0.0, 0.0, 0.0], [12.0, 0.0, 0.0], [0.0, 12.0, 0.0]])


def three(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    truth = np.repeat(np.arange(3), n)
    return PLACES[truth] + np.random.default_rng(0).normal(size=(3 * n, 3)), truth


def same(labels: np.ndarray, truth: np.ndarray) -> bool:
    """Whether two partitions are one but for the names."""
    pairs = set(zip(labels.tolist(), truth.tolist(), strict=True))
    return len(pairs) == len(set(labels.tolist())) == len(set(truth.tolist()))


@pytest.mark.parametrize("method", METHODS)
def test_each_method_finds_what_lies_apart(method):
    points, truth = three()
    found = partition(points, ClusterChoice(method), max_clusters=5)
    assert same(found.labels[found.labels >= 0], truth[found.labels >= 0])
    assert (found.labels < 0).mean() < (0.1 if method == "hdbscan" else 1e-9)
    if method != "hdbscan":
        best = min if method == "gmm" else max
        assert best(found.tried, key=found.tried.__getitem__) == 3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_number_that_is_asked_for_is_made(method, k):
    points, _ = three()
    if method == "hdbscan" and k == 2:
        # Two small places near each other: one peak where clusters must be larger than either.
        points[:80] *= [0.4, 1, 1]
        points = np.concatenate([points, points[80:] + 0.1])
    found = partition(points, ClusterChoice(method, k))
    assert found.labels.max() + 1 == k
    assert (found.criterion, found.tried) == ("asked for", {})


@pytest.mark.parametrize("method", METHODS)
def test_more_clusters_than_distinct_points_are_refused(method):
    with pytest.raises(BadInput, match="k: must lie between 1 and the 3 segments that differ, got 4"):
        partition(np.repeat(PLACES, 30, axis=0), ClusterChoice(method, 4))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "points", [np.zeros((1, 2)), np.zeros((2, 2)), np.ones((200, 3)), np.repeat(PLACES, 30, axis=0)]
)
def test_few_and_equal_points_are_one_cluster(method, points):
    assert partition(points, ClusterChoice(method)).labels.tolist() == [0] * len(points)


@pytest.mark.parametrize("method", METHODS)
def test_silence_of_many_segments_does_no_harm(method):
    # Half of the segments equal: a peak of infinite density, and of no width.
    points, _ = three(20)
    points = np.concatenate([points, np.full((60, 3), 30.0)])
    labels = partition(points, ClusterChoice(method), max_clusters=6).labels
    assert len(np.unique(labels[60:])) == 1
    assert labels[60] not in labels[:60]


def test_what_is_in_no_cluster_is_counted_nowhere():
    points, truth = three(60)
    far = np.random.default_rng(1).uniform(-60, 60, size=(12, 3))
    found = cluster(
        np.concatenate([points, far]), np.concatenate([truth, np.full(12, 3)]), list("abcd"),
        choice=ClusterChoice("hdbscan"),
    )  # fmt: skip
    assert found.k == 3
    assert found.n_outside == (found.labels == -1).sum() >= 10
    np.testing.assert_allclose(found.shares[:, :3].sum(axis=1), 1, atol=0.05)
    assert found.names[0].startswith("1: ")
    assert f"; {found.n_outside} segments in none" in found.in_words()


def test_a_single_cloud_is_one_cluster_to_hdbscan_too():
    found = cluster(
        np.random.default_rng(0).normal(size=(200, 8)), np.zeros(200, int), ["a"], choice=ClusterChoice("hdbscan")
    )
    assert (found.k, found.n_outside, found.in_words()) == (1, 0, "1, by the peaks of density that HDBSCAN keeps")


def test_a_number_that_hdbscan_does_not_find_is_refused_with_those_it_does():
    points, _ = three()
    with pytest.raises(BadInput, match=r"hdbscan finds .*3.* clusters here, however small they may be, got 90"):
        partition(points, ClusterChoice("hdbscan", 90))


def test_a_tree_of_many_is_cut_on_some_and_the_others_join_the_nearest(monkeypatch):
    points, truth = three()
    whole = partition(points, ClusterChoice("agglomerative", 3)).labels
    monkeypatch.setattr(methods, "LARGEST_TREE", 30)
    part = partition(points, ClusterChoice("agglomerative", 3)).labels
    assert same(part, truth)
    assert same(part, whole)
    assert partition(points, ClusterChoice("agglomerative", 1)).labels.tolist() == [0] * len(points)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_finds_the_same(method):
    points = np.random.default_rng(0).normal(size=(60, 4))
    choice = ClusterChoice(method, None if method == "hdbscan" else 4)
    np.testing.assert_array_equal(*(partition(points, choice, seed=5).labels for _ in range(2)))


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_twenty_thousand_segments_are_put_into_clusters(method):
    truth = np.arange(20_000) * 3 // 20_000
    points = PLACES[truth] / 2 + np.random.default_rng(0).normal(size=(20_000, 3))
    found = partition(points, ClusterChoice(method), max_clusters=4)
    inside = found.labels >= 0
    assert found.labels.max() + 1 == 3
    assert np.bincount(3 * truth[inside] + found.labels[inside], minlength=9).max() > 0.9 * len(truth) / 3
    assert inside.mean() > 0.8
