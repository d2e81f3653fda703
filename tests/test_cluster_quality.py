"""Whether clusters are good: against closed forms, and against clusters that are known to be there or not."""

import numpy as np
import pytest
from scipy.stats import hypergeom
from sklearn.metrics import silhouette_samples

from stylemix.clusters import quality as quality_module
from stylemix.clusters import stability
from stylemix.clusters.choice import METHODS, ClusterChoice
from stylemix.clusters.methods import Partition, partition
from stylemix.clusters.neighbours import nearest_of_others
from stylemix.clusters.quality import measure_quality
from stylemix.clusters.stability import Origin, agreement_of_seeds, recovered_clusters

PLACES = np.array([[0.0, 0.0], [15.0, 0.0], [0.0, 15.0]])
THREE = ClusterChoice("kmeans", 3)
ONE = Origin(np.zeros(90, int), np.zeros(90, int))


def three(n: int = 30) -> tuple[np.ndarray, np.ndarray]:
    truth = np.repeat(np.arange(3), n)
    return PLACES[truth] + np.random.default_rng(0).normal(size=(3 * n, 2)), truth


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch):
    monkeypatch.setattr(stability, "N_BOOTSTRAPS", 6)
    monkeypatch.setattr(stability, "N_SEEDS", 3)


def test_purity_and_agreement_are_counted_by_hand():
    points, labels = three(10)
    # Ten of corpus 0; seven and three; two and eight.
    corpus = np.repeat([0, 0, 1, 0, 1], [10, 7, 3, 2, 8])
    found = measure_quality(points, labels, corpus, np.arange(30) % 5, THREE)
    assert found.purity == pytest.approx(25 / 30)
    assert found.purity_by_chance == pytest.approx(19 / 30)
    # Pairs in one cluster and in one corpus: 45 + 21 + 3 + 1 + 28 = 98; in one cluster 3 * 45 = 135, in one corpus
    # C(19, 2) + C(11, 2) = 226, of 435. By chance 135 * 226 / 435 would be in both, at most the mean of the two.
    by_chance = 135 * 226 / 435
    assert found.ari == pytest.approx((98 - by_chance) / ((135 + 226) / 2 - by_chance))
    entropy = [-sum(p * np.log(p) for p in sizes) for sizes in ([1 / 3] * 3, [19 / 30, 11 / 30])]
    shared = sum(n / 30 * np.log(n * 30 / (10 * of)) for n, of in ((10, 19), (7, 19), (3, 11), (2, 19), (8, 11)))
    expected = _expected_information([10] * 3, [19, 11])
    assert found.ami == pytest.approx((shared - expected) / (sum(entropy) / 2 - expected))
    # Every recording has two segments in every cluster: they tell nothing of each other, less than by chance.
    expected = _expected_information([10] * 3, [6] * 5)
    assert found.ami_files == pytest.approx(-expected / ((np.log(3) + np.log(5)) / 2 - expected))
    assert found.outside == 0


def _expected_information(rows: list[int], columns: list[int]) -> float:
    """Mutual information that two partitions of these sizes have by chance (Vinh, Epps, Bailey 2010)."""
    n, expected = sum(rows), 0.0
    for a in rows:
        for b in columns:
            overlap = np.arange(1, min(a, b) + 1)
            likely = hypergeom(n, a, b).pmf(overlap)
            expected += float(likely @ (overlap / n * np.log(n * overlap / (a * b))))
    return expected


def test_clusters_that_are_recordings_are_known_as_such():
    points, labels = three()
    # A corpus of two recordings and one of one; the clusters are the recordings.
    found = measure_quality(points, labels, np.minimum(labels, 1), labels, THREE)
    assert found.purity == 1
    assert found.ami_files == pytest.approx(1)
    assert found.ami < 0.9


def test_silhouettes_are_those_of_the_reference(monkeypatch):
    points, labels = three()
    found = measure_quality(points, labels, labels, labels, THREE)
    each = silhouette_samples(points, labels)
    assert found.silhouette == pytest.approx(each.mean())
    np.testing.assert_allclose(found.silhouettes, [each[labels == i].mean() for i in range(3)])
    monkeypatch.setattr(quality_module, "LARGEST_SAMPLE", 30)
    assert measure_quality(points, labels, labels, labels, THREE).silhouette == pytest.approx(each.mean(), abs=0.05)


def test_one_cluster_has_nothing_to_be_compared_with():
    points, labels = three()
    found = measure_quality(points, 0 * labels, labels, labels, ClusterChoice("gmm", 1))
    assert (found.silhouette, found.silhouettes, found.seeds, found.recovered) == (None, (None,), None, (None,))
    assert (found.purity, found.ari, found.stability) == (pytest.approx(1 / 3), 0, None)
    # That every seed says "one" is an answer where the number is sought.
    cloud = np.random.default_rng(0).normal(size=(40, 2))
    assert agreement_of_seeds(cloud, ClusterChoice("kmeans"), labels=np.zeros(40, int)) == 1


def test_what_is_in_no_cluster_is_left_out_of_purity_and_counted():
    points, labels = three()
    corpus, labels = labels.copy(), labels.copy()
    labels[::5] = -1
    corpus[::5] = (corpus[::5] + 1) % 3
    found = measure_quality(points, labels, corpus, corpus, ClusterChoice("hdbscan"))
    assert found.purity == 1
    assert found.ari < 0.9
    assert found.outside == pytest.approx(0.2)
    assert found.seeds is None


def test_chance_is_of_the_same_segments_as_purity():
    points, labels = three(20)
    # All of corpus 0 that is left out is not to be had by chance either: 20 and 20 remain of 40 and 20.
    corpus, labels = np.array([0, 0, 1])[labels], np.where(labels == 0, -1, labels - 1)
    found = measure_quality(points, labels, corpus, corpus, ClusterChoice("hdbscan"))
    assert (found.purity, found.purity_by_chance) == (1, 0.5)


@pytest.mark.parametrize("method", METHODS)
def test_clusters_that_are_there_are_recovered(method):
    points, _ = three()
    choice = ClusterChoice(method, None if method == "hdbscan" else 3)
    labels = partition(points, choice).labels
    for file in (np.arange(90) % 9, np.arange(90) % 3):
        assert recovered_clusters(points, labels, choice, Origin(file, 0 * file)).min() > 0.9


def test_a_cluster_that_is_not_there_is_not_recovered_but_the_others_are():
    points, truth = three()
    # Two halves of one place, the widest, cut where nothing is.
    points[truth == 0] *= 3
    labels = np.where((truth == 0) & (points[:, 1] > points[truth == 0, 1].mean()), 3, truth)
    rates = recovered_clusters(points, labels, ClusterChoice("kmeans"), ONE)
    assert rates[[1, 2]].min() > 0.9
    assert min(rates[0], rates[3]) < 0.75


def test_a_cluster_of_which_nothing_was_drawn_is_not_judged(monkeypatch):
    points, labels = three()
    labels[0] = 3
    monkeypatch.setattr(stability, "N_BOOTSTRAPS", 1)
    seed = next(s for s in range(50) if 0 not in np.random.default_rng(s).choice(np.arange(90), size=90))
    rates = recovered_clusters(points, labels, THREE, ONE, seed=seed)
    assert np.isnan(rates[3])
    assert np.isfinite(rates[:3]).all()


def test_a_cluster_of_one_recording_is_not_found_in_others(monkeypatch):
    monkeypatch.setattr(stability, "N_BOOTSTRAPS", 40)
    points, labels = three()
    # Two corpora of five recordings; the third place is all that the last recording has.
    file = np.where(labels == 2, 9, np.arange(90) % 9)
    origin = Origin(file, (file > 4).astype(int))
    rates = recovered_clusters(points, labels, THREE, origin)
    assert rates[:2].min() > 0.75
    # It is there in as many draws as hold the recording: 1 - (4 / 5)^5 = 0.67, give or take 0.07.
    assert rates[2] == pytest.approx(0.67, abs=0.15)
    # Its segments are drawn each time: they know nothing of it.
    monkeypatch.setattr(stability, "LEAST_FILES", 6)
    assert recovered_clusters(points, labels, THREE, origin).min() == 1


def test_whole_recordings_of_every_corpus_are_drawn_where_there_are_enough(monkeypatch):
    drawn: list[np.ndarray] = []

    def kept(points, choice, **options):
        drawn.append(points[:, 0].astype(int))
        return partition(points, choice, **options)

    monkeypatch.setattr(stability, "partition", kept)
    # Segments that are their own number; five recordings of two segments of corpus 0, five of eight of corpus 1.
    file = np.repeat(np.arange(10), [2] * 5 + [8] * 5)
    origin = Origin(file, (file > 4).astype(int))
    points = np.arange(50.0)[:, None]
    recovered_clusters(points, np.arange(50) % 2, ClusterChoice("kmeans"), origin)
    assert origin.unit() == "recordings"
    for segments in drawn:
        assert set(np.bincount(file[segments], minlength=10) / np.bincount(file)) == {0, 1}
        assert len(set(origin.corpus[segments])) == 2
    assert len({segments.tobytes() for segments in drawn}) > 1
    drawn.clear()
    few = Origin(np.maximum(file, 1), origin.corpus)
    recovered_clusters(points, np.arange(50) % 2, ClusterChoice("kmeans"), few)
    assert few.unit() == "segments"
    assert not all(set(np.bincount(file[one], minlength=10) / np.bincount(file)) == {0, 1} for one in drawn)


def test_what_is_in_no_cluster_is_no_cluster_that_was_found(monkeypatch):
    points, labels = three()

    def lost(points, choice, **options):
        return Partition(np.where(points[:, 0] > 8, -1, 0))

    monkeypatch.setattr(stability, "partition", lost)
    rates = recovered_clusters(points, labels, ClusterChoice("hdbscan"), ONE)
    # The second place is all that is in none: of the one cluster that there is, nothing overlaps it.
    assert rates[1] == 0
    assert 0.3 < rates[0] < 0.7
    monkeypatch.setattr(stability, "partition", lambda points, *_, **__: Partition(np.full(len(points), -1)))
    assert recovered_clusters(points, labels, ClusterChoice("hdbscan"), ONE).tolist() == [0, 0, 0]


def test_seeds_agree_on_what_is_there_and_not_on_a_cloud():
    cloud = np.random.default_rng(0).normal(size=(90, 4))
    assert agreement_of_seeds(three()[0], THREE) == 1
    assert agreement_of_seeds(cloud, ClusterChoice("gmm", 6)) < 0.9
    for without_chance in (ClusterChoice("hdbscan"), ClusterChoice("agglomerative", 3)):
        assert agreement_of_seeds(cloud, without_chance) is None


def test_of_many_segments_some_are_clustered_again(monkeypatch):
    sizes = []

    def counted(points, choice, **options):
        sizes.append(len(points))
        return partition(points, choice, **options)

    monkeypatch.setattr(stability, "partition", counted)
    monkeypatch.setattr(stability, "LARGEST_SAMPLE", 45)
    points, labels = three()
    shares: list[float] = []
    found = measure_quality(points, labels, labels, labels, THREE, report=shares.append)
    assert max(sizes) == 45
    assert found.stability == 1
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_the_nearest_is_mostly_of_the_other_corpus():
    points = np.array([[0.0], [1.0], [2.0], [5.0], [9.0]])
    shares = np.array([[1, 0], [0.5, 0.5], [0.9, 0.1], [0.2, 0.8], [0, 1.0]])
    near = nearest_of_others(points, np.arange(5), shares)
    assert [{corpus: number for corpus, (number, _) in one.items()} for one in near] == [
        {1: 4}, {0: 1, 1: 4}, {1: 4}, {0: 3}, {0: 3}
    ]  # fmt: skip
    # 1 is as far as any two segments are from each other: the root of the mean square over all pairs.
    usual = np.sqrt(np.square(points - points.T).mean())
    assert near[0][1][1] == pytest.approx(5 / usual)
    assert nearest_of_others(points, np.zeros(5, int), np.array([[1.0, 0.0]])) == [{}]
    # Of equal segments all are as near as can be.
    assert nearest_of_others(np.zeros((2, 1)), np.arange(2), np.eye(2)) == [{1: (2, 0.0)}, {0: (1, 0.0)}]
