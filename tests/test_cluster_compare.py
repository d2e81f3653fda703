"""The comparison of spaces, clusters and maps; and the clusters of a run with how good they are."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.clusters import cluster, compare, groups, stability
from stylemix.clusters.choice import ClusterChoice
from stylemix.clusters.compare import compare_map, comparison_lines
from stylemix.clusters.groups import clusters_of
from stylemix.clusters.judging import judge
from stylemix.clusters.quality import measure_quality
from stylemix.embedding.embed import EMBEDDINGS, principal_scores
from stylemix.errors import BadInput
from tests.fake_run import RATE, FakeRun, music

CHOICES = (ClusterChoice("kmeans", 2), ClusterChoice("hdbscan"))


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch):
    monkeypatch.setattr(stability, "N_BOOTSTRAPS", 3)
    monkeypatch.setattr(stability, "N_SEEDS", 2)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    rng = np.random.default_rng(1)
    folder = tmp_path_factory.mktemp("corpora")
    files = {}
    for name, pitches in (("low", [110.0, 164.8]), ("high", [880.0, 1318.5])):
        (folder / name).mkdir()
        files[name] = [
            Wave(music(rng, 12 * RATE, pitches), RATE).save(folder / name / f"{i}.wav") for i in range(2)
        ]
    return FakeRun(files)


@pytest.fixture(scope="module")
def compared(run):
    return compare_map(run, spaces=["latents", "scattering"], choices=CHOICES, embeddings=("pca", "umap"))


def test_every_pair_has_a_row(compared):
    for rows, methods in ((compared["clusters"], ["kmeans:2", "hdbscan"]), (compared["maps"], ["pca", "umap"])):
        wanted = [(space, method) for space in ("latents", "scattering") for method in methods]
        assert [(row["space"], row["method"]) for row in rows] == wanted
    assert json.loads(json.dumps(compared)) == compared
    assert (compared["segments"], compared["files"], compared["corpora"]) == (24, 4, ["low", "high"])
    assert [row["purity_by_chance"] for row in compared["clusters"][::2]] == [0.5, 0.5]
    # Two recordings a corpus are too few to draw from.
    assert compared["resampled"] == "segments"


def test_rows_say_what_the_measures_say(run, compared):
    row = compared["clusters"][2]
    found = clusters_of(run, space="scattering", choice=CHOICES[0])
    grouping = found.grouping
    quality = measure_quality(
        grouping.points, grouping.clusters.labels, grouping.corpus, grouping.segments.file, CHOICES[0]
    )
    assert (row["k"], row["purity"], row["ami"]) == (2, 1, 1)
    assert row["silhouette"] == pytest.approx(quality.silhouette, abs=1e-4)
    # Too few segments for a neighbourhood: a plane is drawn, and it is said.
    assert [row["used"] for row in compared["maps"]] == ["pca"] * 4
    assert all(0.5 < row["trustworthiness"] <= 1 for row in compared["maps"])
    # Six segments of the other file of the corpus are all the neighbours that there can be.
    assert compared["maps"][2]["same_corpus"] == 1
    assert compared["maps"][2]["same_corpus_by_chance"] == pytest.approx(6 / 18, abs=1e-4)


def test_lines_are_tables_with_even_columns(compared):
    lines = comparison_lines(compared)
    assert lines[0] == "24 segments of 4 files of low and high, seed 0"
    heads = [i for i, line in enumerate(lines) if line.startswith("space ")]
    assert len(heads) == 2
    for head in heads:
        assert len({len(line) for line in lines[head : head + 5]}) == 1
    assert " - " in lines[heads[0] + 2]
    assert "recovered" in lines[heads[0]]
    assert any("bootstrap samples of the segments, below 0.6" in line for line in lines)
    assert "trust" in lines[heads[1]]


def test_without_recordings_the_latents_alone_are_compared(run, tmp_path, monkeypatch):
    moved = copy.copy(run)
    moved.files = tuple(replace(file, path=tmp_path / "gone.wav") for file in run.files)
    monkeypatch.setattr(compare, "_clustered", lambda *_: {})
    monkeypatch.setattr(compare, "_drawn", lambda *_: {})
    told = compare_map(moved)
    assert {row["space"] for row in told["clusters"] + told["maps"]} == {"latents"}
    assert [row["method"] for row in told["maps"]] == list(EMBEDDINGS)
    with pytest.raises(BadInput, match="space both is computed from the recordings"):
        compare_map(moved, spaces=["both"])


def test_what_cannot_be_compared_is_refused_before_the_work(run, monkeypatch):
    monkeypatch.setattr(compare, "segments_of", lambda *_: pytest.fail("worked first"))
    with pytest.raises(BadInput, match="the space must be one of"):
        compare_map(run, spaces=["sound"])
    with pytest.raises(BadInput, match="embedding must be one of"):
        compare_map(run, embeddings=["lle"])


def test_progress_is_told_to_the_end(run, monkeypatch):
    monkeypatch.setattr(compare, "_clustered", lambda *_: {})
    monkeypatch.setattr(compare, "_drawn", lambda *_: {})
    heard = []
    compare_map(run, spaces=["latents"], update=lambda done, note="": heard.append((done, note)))
    shares = [done for done, _ in heard]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert np.diff([0, *shares]).max() < 0.2
    assert "latents, hdbscan" in [note for _, note in heard]


def test_a_run_is_judged_cluster_by_cluster(run):
    found = clusters_of(run, space="scattering", choice=CHOICES[0])
    assert found.quality is None
    assert all(one.silhouette is one.stability is None for one in found.clusters)
    judged = judge(found)
    assert judged.quality is not None
    assert tuple(one.silhouette for one in judged.clusters) == judged.quality.silhouettes
    assert tuple(one.stability for one in judged.clusters) == judged.quality.recovered
    assert [one.number for one in judged.clusters] == [one.number for one in found.clusters]
    assert judged.quality.purity == 1
    assert judged.quality.seeds == 1


def test_the_agreement_of_seeds_is_measured_where_it_is_told(run, monkeypatch):
    found = clusters_of(run, space="scattering", choice=ClusterChoice("gmm", 2))
    seeds = []
    again = stability.partition

    def counted(points, choice, *, seed):
        seeds.append(seed)
        return again(points, choice, seed=seed)

    monkeypatch.setattr(stability, "partition", counted)
    assert judge(found, seeds=False).quality.seeds is None
    assert seeds == [0, 1, 2]
    seeds.clear()
    # What the first seed found is known.
    assert judge(found).quality.seeds == 1
    assert seeds == [1, 0, 1, 2]


def test_the_components_are_computed_once_a_space(run, monkeypatch):
    computed = []

    def counted(features, n_dims):
        computed.append(features.shape)
        return principal_scores(features, n_dims)

    for module in (compare, groups, cluster):
        monkeypatch.setattr(module, "principal_scores", counted)
    compare_map(run, spaces=["latents"], choices=CHOICES, embeddings=())
    assert len(computed) == 1
    found = clusters_of(run, space="latents", choice=CHOICES[0])
    assert len(computed) == 2
    np.testing.assert_array_equal(found.grouping.points, principal_scores(found.grouping.features, 8))
    assert judge(found, seeds=False).grouping.points is found.grouping.points
    assert len(computed) == 2


def test_each_cluster_knows_its_nearest_of_the_other_corpus(run):
    one, two = clusters_of(run, space="scattering", choice=CHOICES[0]).clusters
    assert list(one.nearest) == [1 - int(np.argmax(one.shares))]
    assert one.nearest[int(np.argmax(two.shares))] == (2, pytest.approx(two.nearest[int(np.argmax(one.shares))][1]))
    assert one.nearest[int(np.argmax(two.shares))][1] > 0.5
