"""What a map keeps: closed cases, what is invariant, and honest answers where there is nothing to tell."""

import numpy as np
import pytest

from stylemix.embedding.scores import Scores, score_map
from stylemix.embedding.stability import Provenance


def cloud(n: int = 120, dims: int = 5) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, dims))


def of_files(n_files: int, each: int, corpora: list[int]) -> Provenance:
    file = np.repeat(np.arange(n_files), each)
    start_s = np.tile(np.arange(each) * 2.0, n_files)
    return Provenance([f"{i:064x}" for i in range(n_files)], file, start_s, np.array(corpora)[file])


def test_a_map_that_is_the_space_keeps_all():
    # Two standardised features, turned, mirrored and enlarged.
    rows = cloud(dims=2)
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    turn = np.array([[0.6, 0.8], [0.8, -0.6]])
    scores = score_map(rows, 7 * rows @ turn + 3)
    assert (scores.trustworthiness, scores.continuity, scores.kept) == (1, 1, 1)


def test_points_thrown_at_random_keep_nothing():
    scores = score_map(cloud(400), np.random.default_rng(1).normal(size=(400, 2)))
    assert scores.trustworthiness == pytest.approx(0.5, abs=0.03)
    assert scores.continuity == pytest.approx(0.5, abs=0.03)
    assert scores.kept == pytest.approx(10 / 399, abs=0.02)


def test_folding_costs_trust_and_tearing_costs_continuity():
    along = np.linspace(0, 1, 200)[:, None]
    # Half the line laid on the other half; and a line whose first half is carried behind the second.
    folded = score_map(along, np.abs(along - 0.501))
    torn = score_map(along, np.where(along < 0.5, along + 5, along))
    assert folded.trustworthiness < 0.7 < 0.97 < folded.continuity
    # At the tear alone, which is 10 segments long.
    assert torn.continuity < torn.trustworthiness


def test_trustworthiness_is_scikit_learn_s_of_standardised_features():
    from sklearn.manifold import trustworthiness
    from sklearn.preprocessing import StandardScaler

    rows = cloud() * [1, 10, 100, 1, 1]
    points, scaled = rows[:, :2] / [1, 10], StandardScaler().fit_transform(rows)
    scores = score_map(rows, points)
    assert scores.trustworthiness == pytest.approx(trustworthiness(scaled, points, n_neighbors=10))
    assert scores.continuity == pytest.approx(trustworthiness(points, scaled, n_neighbors=10))


def test_neighbours_of_the_own_file_say_nothing_of_the_corpus():
    # Each file is a place of its own; files of the same corpus lie no nearer to each other than others.
    provenance = of_files(8, 12, [0, 1] * 4)
    places = np.random.default_rng(0).normal(size=(8, 2)) * 100
    points = places[provenance.file] + np.random.default_rng(1).normal(size=(96, 2))
    scores = score_map(points, points, provenance=provenance)
    assert scores.same_corpus < 0.8
    # 3 of the 7 other files are of the same corpus.
    assert scores.same_corpus_by_chance == pytest.approx(3 / 7)
    apart = points + np.array([[0, 5000]]) * np.asarray(provenance.corpus)[:, None]
    assert score_map(apart, apart, provenance=provenance).same_corpus == 1


def test_of_a_corpus_of_one_file_nothing_is_told():
    provenance = of_files(2, 20, [0, 1])
    scores = score_map(cloud(40), cloud(40)[:, :2], provenance=provenance)
    assert np.isnan(scores.same_corpus)
    assert "same_corpus" not in scores.shown()
    # The other corpus, of two files, is told of alone.
    three = score_map(cloud(60), cloud(60)[:, :2], provenance=of_files(3, 20, [0, 1, 1]))
    assert three.same_corpus_by_chance == pytest.approx(0.5)


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_few_segments_are_told_of_as_far_as_they_go(n):
    scores = score_map(cloud(n), cloud(n)[:, :2])
    assert scores.neighbours == (n - 1) // 2
    assert set(scores.shown()) >= ({"kept"} if n > 2 else {"n_ranked"})
    assert np.isnan(scores.kept) == (n < 3)


def test_equal_segments_are_asked_once():
    rows = np.repeat(cloud(40), 5, axis=0)
    scores = score_map(rows, rows[:, :2])
    assert scores.n_ranked == 40
    assert score_map(np.full((30, 4), 2.0), np.zeros((30, 2))).shown() == Scores(n_ranked=1).shown()


def test_of_many_segments_an_even_part_is_looked_at(monkeypatch):
    rows = cloud(600)
    whole = score_map(rows, rows[:, :2])
    monkeypatch.setattr("stylemix.embedding.scores.MOST_RANKED", 200)
    part = score_map(rows, rows[:, :2])
    assert (whole.n_ranked, part.n_ranked) == (600, 200)
    # Neighbours are still sought among all: this score is an estimate of the same number.
    assert part.kept == pytest.approx(whole.kept, abs=0.03)


def test_a_corpus_with_few_segments_in_other_files_can_have_all_its_neighbours():
    # Two files of three segments and one of forty, of another corpus, far away: three neighbours are all there can be.
    file = np.repeat([0, 1, 2, 3], [3, 3, 20, 20])
    corpus = (file > 1).astype(int)
    points = np.random.default_rng(0).normal(size=(46, 2)) + 100 * corpus[:, None]
    provenance = Provenance([c * 64 for c in "abcd"], file, np.arange(46.0), corpus)
    assert score_map(points, points, provenance=provenance).same_corpus == 1
