"""Clusters of a run: numbered as on its map, and known by where they sound in its files."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.clusters.choice import ClusterChoice
from stylemix.clusters.cluster import Clusters
from stylemix.clusters.groups import Grouping, RunClusters, clusters_of
from stylemix.clusters.judging import judge
from stylemix.clusters.listing import listing_of
from stylemix.clusters.members import Cluster, Stretch
from stylemix.clusters.spaces import Segments
from stylemix.clusters.telling import listing_lines
from stylemix.errors import BadInput
from stylemix.style_map.atlas import map_data
from stylemix.style_map.data import Layout
from stylemix.style_map.facts import hybrid_options, map_facts
from tests.fake_run import RATE, FakeRun, music

LOW, HIGH = [110.0, 164.8, 220.0], [880.0, 1318.5, 1760.0]
# Fewer segments than a map needs for UMAP, which takes long to start.
PART_S = 8


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two files of low notes, one of high ones, and one of low, then high, then low ones again."""
    rng = np.random.default_rng(1)
    folder = tmp_path_factory.mktemp("corpora")
    parts = {"a": [[LOW], [LOW]], "b": [[HIGH], [LOW, HIGH, LOW]]}
    files = {}
    for name, of_corpus in parts.items():
        (folder / name).mkdir()
        files[name] = [
            Wave(np.concatenate([music(rng, PART_S * RATE, p) for p in pitches], axis=1), RATE).save(
                folder / name / f"part{i}.wav"
            )
            for i, pitches in enumerate(of_corpus)
        ]
    return FakeRun(files)


@pytest.fixture(scope="module")
def found(run):
    return clusters_of(run, space="latents", choice=ClusterChoice("gmm", 2))


def test_the_numbers_are_those_of_the_map(run):
    # A map by principal components, which takes no time.
    found, points = clusters_of(run), map_data(run, layouts="pca")
    assert [f"{one.number}:" for one in found.clusters] == [name.split(" ")[0] for name in points.cluster_names]
    assert [one.size for one in found.clusters] == np.bincount(points.cluster).tolist()
    # Step by step what the points are.
    for index in range(len(run.files)):
        mine = found.grouping.segments.file == index
        middles = (points.start_s[mine] + points.duration_s[mine] / 2) * run.latents(index).step_rate_hz
        np.testing.assert_array_equal(found.steps[index][middles.astype(int)] - 1, points.cluster[mine])
    assert points.facts["Numbers of clusters"].startswith("those of hybrid")
    assert points.facts["Numbers of clusters"].endswith("--target-cluster")
    assert points.facts["Clusters"].endswith(found.grouping.clusters.criterion + found.grouping.clusters.caution)
    # Other numbers, and the options with which a hybrid has them too.
    for asked, said in (({"seed": 1}, "--cluster-seed 1"), ({"space": "latents"}, "--space latents")):
        told = hybrid_options(asked.get("space"), None, asked.get("seed", 0))
        facts = map_facts(run, found, points.layouts, told, [], 0)
        assert facts["Numbers of clusters"].endswith(f"--target-cluster {said}")


def test_a_map_says_of_what_its_clusters_are_found_again(run, found):
    draw = Layout("pca", "Principal components", np.zeros((1, 2)))
    judged = judge(found, seeds=False)
    assert judged.quality.resampled == "segments"
    for unit in ("segments", "recordings"):
        one = replace(judged, quality=replace(judged.quality, resampled=unit, recovered=(0.5, 0.7)))
        facts = map_facts(run, one, [draw], {}, [], 0)
        assert facts[f"Clusters found again in resampled {unit}"].startswith("0.60 (Jaccard index")
        listing = listing_of(run, one)
        assert listing["quality"]["resampled"] == unit
        assert any(f"found again in bootstrap samples of the {unit} 0.60" in line for line in listing_lines(listing))


def test_every_step_is_in_one_cluster_and_every_cluster_where_it_sounds(run, found):
    for index in range(len(run.files)):
        assert found.steps[index].shape == (run.latents(index).n_steps,)
        assert (found.mask(1, index) ^ found.mask(2, index)).all()
    low, high = found.steps[0][0], found.steps[2][0]
    assert {low, high} == {1, 2}
    rate = run.latents(3).step_rate_hz
    mixed = found.steps[3]
    seconds = [mixed[round(t * rate)] for t in (1, 3, 5, 10.5, 12, 13.5, 18.5, 21, 23)]
    assert seconds == [low] * 3 + [high] * 3 + [low] * 3


def test_a_cluster_knows_its_size_and_whose_it_is(run, found):
    low = found.find(1)
    assert (low.number, low.size) == (1, 16)
    np.testing.assert_allclose(low.shares, [0.5, 0.5], atol=0.1)
    np.testing.assert_allclose(found.find(2).shares, [0, 1], atol=0.1)
    assert sum(one.size for one in found.clusters) == len(found.grouping.segments.file)


def test_the_medoid_has_the_least_sum_of_squared_distances(found):
    from stylemix.embedding.embed import principal_scores

    scores, segments = principal_scores(found.grouping.features, 8), found.grouping.segments
    for one in found.clusters:
        members = np.flatnonzero(found.grouping.clusters.labels == one.number - 1)
        sums = [np.square(scores[members] - scores[i]).sum() for i in members]
        best = members[int(np.argmin(sums))]
        assert one.medoid.file == segments.file[best]
        assert one.medoid.start_s == segments.start_s[best]


def test_a_stretch_is_the_whole_run_of_segments_around_the_medoid(run, found):
    for one in found.clusters:
        stretch = found.stretch(one.number)
        assert stretch.file == one.medoid.file
        assert stretch.start_s <= one.medoid.start_s
        rate = run.latents(stretch.file).step_rate_hz
        first, last = round(stretch.start_s * rate), round((stretch.start_s + stretch.duration_s) * rate)
        steps = found.steps[stretch.file]
        assert (steps[first:last] == one.number).all()
        assert first == 0 or steps[first - 1] != one.number
        assert last == len(steps) or steps[last] != one.number


@pytest.mark.parametrize(
    ("middle", "expected"),
    [(0, Stretch(0, 0, 4)), (1, Stretch(0, 0, 4)), (2, Stretch(1, 0, 2)), (4, Stretch(1, 4, 2)), (5, Stretch(2, 0, 2))],
)
def test_a_stretch_ends_with_its_file_and_where_another_cluster_begins(monkeypatch, middle, expected):
    labels, file = np.array([0, 0, 0, 1, 0, 0]), np.array([0, 0, 1, 1, 1, 2])
    segments = Segments(np.zeros((6, 2)), file, np.array([0, 2, 0, 2, 4, 0.0]), np.full(6, 2.0), 2.0, np.full(6, 20))
    clusters = Clusters(labels, 2, {}, ("1", "2"), np.ones((2, 1)))
    grouping = Grouping(segments, np.zeros(6, int), "latents", np.zeros((6, 2)), [None] * 3, clusters)
    monkeypatch.setattr("stylemix.clusters.groups._medoid", lambda features, among: middle)
    of_both = [Cluster(number, 1, (1.0,), Stretch(0, 0, 2)) for number in (1, 2)]
    assert RunClusters(tuple(of_both), grouping, ()).stretch(1) == expected


def test_a_stretch_outside_of_a_corpus_is_in_another_one(found):
    low, high = (found.steps[i][0] for i in (0, 2))
    assert found.stretch(low, outside=1).file in (0, 1)
    stretch = found.stretch(low, outside=0)
    assert stretch.file == 3
    assert stretch.duration_s == pytest.approx(PART_S, abs=2.1)
    with pytest.raises(BadInput, match=f"{high} holds nothing but the target's corpus .* choose one of {low}"):
        found.stretch(high, outside=1)


@pytest.mark.parametrize("number", [3, -1])
def test_a_cluster_that_is_not_there_is_told_with_those_that_are(found, number):
    with pytest.raises(BadInput, match=f"there is no cluster {number} in this run; there are 1 to 2, see stylemix map"):
        found.find(number)


def test_what_is_in_no_cluster_is_none(found):
    with pytest.raises(BadInput, match="0 is no cluster but what is in none; choose another, see stylemix map"):
        found.find(0)


def test_segments_in_no_cluster_are_0_step_by_step_and_of_no_file(run, found, monkeypatch):
    labels = found.grouping.clusters.labels.copy()
    mine = found.grouping.segments.file == 3
    labels[mine] = -1
    outside = replace(found.grouping.clusters, labels=labels)
    monkeypatch.setattr("stylemix.clusters.groups.cluster", lambda *_, **__: outside)
    again = clusters_of(run, space="latents")
    assert set(again.steps[3]) == {0}
    assert again.numbers_in([3]) == []
    assert again.numbers_in([0, 3]) == found.numbers_in([0])
    assert sum(one.size for one in again.clusters) == (~mine).sum()
    assert all((again.mask(one.number, 3) == 0).all() for one in again.clusters)


def test_clusters_are_found_as_they_are_asked_for(run):
    for choice in (ClusterChoice("kmeans", 2), ClusterChoice("agglomerative", 2)):
        found = clusters_of(run, space="latents", choice=choice)
        assert [one.number for one in found.clusters] == [1, 2]
        assert (found.grouping.clusters.criterion, found.grouping.clusters.choice) == ("asked for", choice)


def test_where_all_else_is_in_no_cluster_it_is_said(found):
    labels = np.where(found.grouping.corpus == 1, found.grouping.clusters.labels, -1)
    grouping = replace(found.grouping, clusters=replace(found.grouping.clusters, labels=labels))
    high = int(found.steps[2][0])
    with pytest.raises(BadInput, match="no cluster holds another, choose other --clusters"):
        replace(found, grouping=grouping).stretch(high, outside=1)


def test_clusters_in_files_are_listed(found):
    low, high = (found.steps[i][0] for i in (0, 2))
    assert found.numbers_in([0, 1]) == [low]
    assert found.numbers_in([2]) == [high]
    assert found.numbers_in([0, 2]) == [1, 2]
    assert found.numbers_in([]) == []


def test_without_recordings_the_latents_are_grouped_as_on_a_map_without_them(run, tmp_path):
    moved = copy.copy(run)
    moved.files = tuple(replace(file, path=tmp_path / "gone.wav") for file in run.files)
    found = clusters_of(moved)
    assert found.grouping.space == "latents"
    np.testing.assert_array_equal(found.grouping.clusters.labels, map_data(moved, layouts="pca").cluster)
    np.testing.assert_array_equal(
        found.grouping.clusters.labels, clusters_of(run, space="latents").grouping.clusters.labels
    )


@pytest.mark.parametrize("k", [33, 1000])
def test_an_impossible_number_of_clusters_is_refused(run, k):
    with pytest.raises(BadInput, match=f"k: must lie between 1 and the .* segments that differ, got {k}"):
        clusters_of(run, space="latents", choice=ClusterChoice("gmm", k))
