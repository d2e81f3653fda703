"""Clusters: the number is found, one cluster is a possible answer, names tell the share."""

import numpy as np
import pytest

from stylemix.clusters.choice import ClusterChoice
from stylemix.clusters.cluster import cluster
from stylemix.errors import BadInput

NAMES = ["cage", "beach-boys"]


def groups(k: int, n: int = 80, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(k, 16)) * 5
    truth = np.repeat(np.arange(k), n)
    return centres[truth] + rng.normal(size=(k * n, 16)), truth


@pytest.mark.slow
@pytest.mark.parametrize("k", [1, 2, 4])
def test_the_number_of_groups_is_found(k):
    rows, truth = groups(k)
    found = cluster(rows, truth % 2, NAMES)
    assert found.k == k
    assert found.k == min(found.scores, key=found.scores.__getitem__)
    for group in range(k):
        assert len(set(found.labels[truth == group])) == 1


def test_shares_and_names_count_the_corpora():
    rows, truth = groups(2, n=50)
    corpus = truth.copy()
    corpus[:4] = 1
    found = cluster(rows, corpus, NAMES)
    of_first = found.labels[0]
    np.testing.assert_allclose(found.shares[of_first], [0.92, 0.08])
    assert "mostly cage (92 %)" in found.names[of_first]
    assert found.names[found.labels[-1]].endswith("all beach-boys")
    assert len(set(found.names)) == found.k


def test_the_largest_cluster_comes_first():
    rows, truth = groups(3)
    kept = np.concatenate([np.nonzero(truth == g)[0][:n] for g, n in ((0, 20), (1, 80), (2, 40))])
    found = cluster(rows[kept], np.zeros(len(kept), dtype=int), ["a"])
    assert np.bincount(found.labels).tolist() == [80, 40, 20]


@pytest.mark.slow
def test_several_that_a_criterion_chose_come_with_a_caution():
    rows, truth = groups(2)
    corpus = np.zeros_like(truth)
    found = cluster(rows, corpus, ["a"])
    assert found.in_words().endswith(", of 1 to 12; recordings alone can make several")
    for choice in (ClusterChoice("gmm", 2), ClusterChoice("kmeans", 1)):
        assert cluster(rows, corpus, ["a"], choice=choice).caution == ""
    assert cluster(rows[truth == 0], corpus[truth == 0], ["a"]).caution == ""


@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_few_segments_make_one_cluster(n):
    found = cluster(np.random.default_rng(0).normal(size=(n, 5)), np.zeros(n, dtype=int), NAMES)
    assert (found.k, set(found.labels.tolist()), found.names) == (1, {0}, ("1: all cage",))


def test_duplicates_make_no_clusters_of_their_own():
    assert cluster(np.ones((200, 5)), np.zeros(200, dtype=int), NAMES).k == 1
    two = np.repeat(np.eye(2), 100, axis=0)
    assert cluster(two, np.zeros(200, dtype=int), NAMES).k == 1


def test_max_clusters_is_kept():
    rows, truth = groups(5, n=40)
    assert cluster(rows, truth % 2, NAMES, max_clusters=2).k == 2


@pytest.mark.parametrize(
    ("corpora", "rule"),
    [
        (np.array([0, 1]), "one entry a segment"),
        (np.array([0, 1, 2]), "integers from 0 to 1"),
        (np.array([0, -1, 0]), "integers from 0 to 1"),
        (np.array([0.0, 1.0, 0.5]), "integers from 0 to 1"),
    ],
)
def test_corpora_that_do_not_fit_are_refused(corpora, rule):
    with pytest.raises(BadInput, match=rule):
        cluster(np.zeros((3, 2)), corpora, NAMES)


def test_nan_is_refused():
    with pytest.raises(BadInput, match="NaN"):
        cluster(np.full((3, 2), np.nan), np.zeros(3, dtype=int), NAMES)
