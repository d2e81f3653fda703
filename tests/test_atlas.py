"""Segments of latents: every step in exactly one, statistics in closed form."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.audio import read_wave
from stylemix.cache import ArrayCache
from stylemix.clusters.segments import segments_from_latents
from stylemix.clusters.spaces import SPACES, scattering_of_segments
from stylemix.errors import BadInput
from stylemix.style import style_features
from stylemix.style_map.atlas import map_data, map_run
from tests.fake_run import RATE, FakeRun, music


def test_mean_and_spread_come_from_the_segment_alone():
    codes = np.stack([np.r_[np.zeros(20), np.ones(20)], np.tile([1.0, 3.0], 20)])
    features, start_s, duration_s = segments_from_latents(codes, 10.0)
    np.testing.assert_allclose(features, [[0, 2, 0, 1], [1, 2, 0, 1]])
    np.testing.assert_allclose(start_s, [0, 2])
    np.testing.assert_allclose(duration_s, [2, 2])


@pytest.mark.parametrize("n_steps", [1, 7, 21, 43, 1000])
def test_segments_cover_the_file_without_gap_or_short_rest(n_steps):
    rate = 21.533
    features, start_s, duration_s = segments_from_latents(np.ones((3, n_steps)), rate)
    assert len(features) == len(start_s) == len(duration_s)
    np.testing.assert_allclose(start_s[1:], (start_s + duration_s)[:-1])
    assert start_s[0] == 0
    np.testing.assert_allclose((start_s + duration_s)[-1], n_steps / rate)
    assert duration_s.max() <= 3.05
    assert len(features) == 1 or duration_s.min() > 1.3


@pytest.mark.parametrize(
    ("codes", "rate", "length"),
    [
        (np.ones((3, 0)), 10.0, 2.0),
        (np.ones(3), 10.0, 2.0),
        (np.ones((3, 4)), 0.0, 2.0),
        (np.ones((3, 4)), 10.0, -1.0),
    ],
)
def test_impossible_input_is_refused(codes, rate, length):
    with pytest.raises(BadInput, match="must"):
        segments_from_latents(codes, rate, segment_s=length)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    rng = np.random.default_rng(1)
    folder = tmp_path_factory.mktemp("corpora")
    notes = {"low": [110.0, 164.8, 220.0], "high": [880.0, 1318.5, 1760.0]}
    return FakeRun(
        {
            name: [Wave(music(rng, 6 * RATE, p), RATE).save(folder / name / f"part{i}.wav") for i in range(2)]
            for name, p in notes.items()
            if (folder / name).mkdir() is None
        }
    )


def test_a_run_becomes_a_map_of_all_its_files(run, tmp_path):
    facts = map_run(run, tmp_path / "map.html", show_progress=False)
    assert (facts["segments"], facts["files"], facts["with_sound"]) == (12, 4, 12)
    text = (tmp_path / "map.html").read_text("utf-8")
    assert "PCA of mean and spread of 32 latents and 180 scattering statistics" in text
    assert '"files":["part0.wav","part1.wav","part0.wav","part1.wav"]' in text


def test_a_point_plays_its_own_stretch_of_its_own_file(run):
    points = map_data(run)
    for i in (0, 4, 11):
        samples, rate = points.clip(i)
        index = i // 3
        whole = read_wave(run.files[index].path).samples
        start = round(points.start_s[i] * rate)
        stretch = whole[:, start : start + samples.shape[1]]
        # The last step of a file may reach beyond its end.
        np.testing.assert_allclose(samples[:, : stretch.shape[1]], stretch, atol=1e-6)
        assert points.corpus[i] == run.files[index].corpus


def test_files_that_moved_or_changed_are_silent_and_counted(run, tmp_path):
    moved = FakeRun.__new__(FakeRun)
    moved.__dict__.update(run.__dict__)
    other = tmp_path / "gone.wav"
    changed = Wave(np.zeros(6 * RATE), RATE).save(tmp_path / "changed.wav")
    moved.files = (replace(run.files[0], path=other), replace(run.files[1], path=changed), *run.files[2:])
    points = map_data(moved)
    assert points.audible.tolist() == [False] * 6 + [True] * 6
    assert points.facts["Silent files"].startswith("2 of 4")
    # Of what is gone the run still knows the latents.
    assert "recordings are gone: segments are compared by their latents alone" in points.facts["Notes"]
    assert points.facts["Placed by"] == "PCA of mean and spread of 32 latents"
    for space in ("scattering", "both"):
        with pytest.raises(BadInput, match=f"the space {space} is computed from the recordings, and 2 of 4 have moved"):
            map_data(moved, space=space)
    assert map_run(moved, tmp_path / "map.html", show_progress=False)["with_sound"] == 6


def test_a_map_is_never_written_over_a_recording(run, tmp_path):
    path = run.files[0].path
    with pytest.raises(BadInput, match="one of the inputs"):
        map_run(run, path, force=True, show_progress=False)
    assert read_wave(path).n_samples == 6 * RATE


def test_a_map_is_never_written_over_the_run(run, tmp_path):
    moved = copy.copy(run)
    moved.path = tmp_path
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    with pytest.raises(BadInput, match="one of the inputs"):
        map_run(moved, tmp_path / "model.safetensors", force=True, show_progress=False)
    assert (tmp_path / "model.safetensors").read_bytes() == b"weights"


def test_long_corpora_get_longer_segments(run, monkeypatch):
    monkeypatch.setattr("stylemix.clusters.segments.MOST_SEGMENTS", 6)
    points = map_data(run)
    assert points.n_segments <= 8
    assert points.duration_s.max() >= 3


def test_each_space_describes_segments_in_its_own_way(run):
    placed = {space: map_data(run, space=space) for space in SPACES}
    assert {space: points.facts["Placed by"] for space, points in placed.items()} == {
        "latents": "PCA of mean and spread of 32 latents",
        "scattering": "PCA of 180 scattering statistics",
        "both": "PCA of mean and spread of 32 latents and 180 scattering statistics",
    }
    np.testing.assert_array_equal(placed["both"].xy, map_data(run).xy)
    # The same segments at other places.
    for space in SPACES[:2]:
        np.testing.assert_array_equal(placed[space].start_s, placed["both"].start_s)
        assert not np.allclose(placed[space].xy, placed["both"].xy)


def test_an_unknown_space_is_refused_before_any_work(run, tmp_path):
    with pytest.raises(BadInput, match="must be one of latents, scattering, both, got 'latent'"):
        map_run(run, tmp_path / "map.html", space="latent")


def test_a_segment_is_described_by_its_own_sound_once(run, tmp_path, monkeypatch):
    cache, start_s, duration_s = ArrayCache(tmp_path), np.array([0.0, 2.0, 4.0]), np.full(3, 2.0)
    path = run.files[0].path
    found = scattering_of_segments(path, "hash", start_s, duration_s, cache=cache)
    wave = read_wave(path, start_s=2.0, duration_s=2.0, sample_rate=22050)
    # Resampled as a part and as a whole.
    np.testing.assert_allclose(found[1], style_features(wave), atol=0.05)
    assert not np.allclose(found[0], found[1], atol=0.5)
    monkeypatch.setattr("stylemix.style.style_features", None)
    np.testing.assert_array_equal(scattering_of_segments(path, "hash", start_s, duration_s, cache=cache), found)
    with pytest.raises(TypeError):
        scattering_of_segments(path, "hash", start_s + 0.1, duration_s, cache=cache)


@pytest.fixture
def own(run, tmp_path):
    """The same run in a folder of its own, where it can keep its maps."""
    mine = copy.copy(run)
    mine.path = tmp_path / "own.mix"
    mine.path.mkdir()
    return mine


def test_every_segment_is_measured_and_every_cluster_told(own):
    points = map_data(own, clusters="kmeans:2")
    assert list(points.values) == ["loudness", "pitch", "brightness", "noisiness", "density"]
    # What is played high is measured high.
    pitch = points.values["pitch"].array
    assert np.nanmedian(pitch[points.corpus == 1]) > 4 * np.nanmedian(pitch[points.corpus == 0])
    assert [(one.number, one.size) for one in points.infos] == [(1, 6), (2, 6)]
    for one in points.infos:
        assert points.cluster[one.medoid] == one.number - 1
        (other,) = one.nearest
        assert one.shares[other] == 0
        assert one.silhouette > 0.25
    assert points.facts["Numbers of clusters"].endswith("--clusters kmeans:2")
    assert points.facts["Purity of the clusters"] == "1.00; one cluster would have 0.50"


def test_layouts_are_those_asked_for_and_look_the_same_again(own):
    points = map_data(own, layouts="pca, pca:3")
    assert [(one.name, one.points.shape) for one in points.layouts] == [("pca-2d", (12, 2)), ("pca-3d", (12, 3))]
    np.testing.assert_array_equal(points.xy, points.layouts[0].points)
    assert 0.5 < points.layouts[0].scores["Trustworthiness"] <= 1
    assert "of what sets segments apart" in points.layouts[0].note
    assert sorted(path.name for path in (own.path / "maps").iterdir()) == [
        "both-pca-2d.safetensors", "both-pca-3d.safetensors",
    ]  # fmt: skip
    np.testing.assert_array_equal(map_data(own, layouts="pca").xy, points.xy)
    # UMAP needs neighbourhoods: of twelve segments there are none, and the page says so.
    few = map_data(own, layouts="umap,tsne,pca")
    (only,) = few.layouts
    assert (only.name, only.label) == ("pca-2d", "PCA")
    assert "Too few different segments for UMAP" in only.note
    assert few.facts["Notes"] == (
        "too few different segments for UMAP, PCA is shown; too few different segments for t-SNE, PCA is shown"
    )


@pytest.mark.parametrize("wrong", ["", "umap:4", "mds", "pca:"])
def test_an_unknown_layout_is_refused_before_any_work(run, wrong):
    with pytest.raises(BadInput, match=r"^layouts: "):
        map_data(run, layouts=wrong)


def test_a_run_that_cannot_keep_its_maps_says_so(run):
    assert "the map is not kept" in map_data(run, layouts="pca").facts["Notes"]
    assert not run.path.exists()


def test_new_files_are_set_on_the_map_and_leave_it_as_it_is(own, tmp_path):
    before = map_data(own, layouts="pca")
    rng = np.random.default_rng(7)
    low = Wave(music(rng, 6 * RATE, [110.0, 164.8, 220.0]), RATE).save(tmp_path / "low.wav")
    noise = Wave(rng.standard_normal(4 * RATE) / 5, RATE).save(tmp_path / "noise.wav")
    points = map_data(own, layouts="pca", add=[low, noise])
    assert points.placed.tolist() == [False] * 12 + [True] * 5
    np.testing.assert_array_equal(points.xy[:12], before.xy)
    assert points.corpus_names[-1] == "new files"
    assert points.corpus[12:].tolist() == [2] * 5
    assert list(dict.fromkeys(points.files))[-2:] == ["low.wav", "noise.wav"]
    # Notes like those of a corpus lie among it; noise is like nothing there, and is said to be.
    assert set(points.cluster[12:15]) <= set(points.cluster[:6])
    away = np.linalg.norm(points.xy - points.xy[:6].mean(axis=0), axis=1)
    assert away[12:15].max() < away[6:12].min()
    assert points.facts["New files"].endswith("of their 5 segments are like nothing on the map")
    assert int(points.facts["New files"].split()[0]) >= 2
    samples, rate = points.clip(15)
    np.testing.assert_allclose(samples, read_wave(noise).samples[:, : round(points.duration_s[15] * rate)], atol=1e-6)


def test_a_file_of_the_run_is_not_added_again(run, tmp_path):
    with pytest.raises(BadInput, match="is of the run and on its map already"):
        map_data(run, layouts="pca", add=[run.files[0].path])
    with pytest.raises(BadInput, match=r"no\.wav"):
        map_data(run, layouts="pca", add=[tmp_path / "no.wav"])


def test_pictures_without_a_page(own, tmp_path):
    facts = map_run(own, pictures=[tmp_path / "m.png", tmp_path / "m.svg"], layouts="pca", colour="pitch",
                    show_progress=False)  # fmt: skip
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")
    assert "Hz" in (tmp_path / "m.svg").read_text("utf-8")
    assert "path" not in facts
    assert facts["lines"][-1].endswith("m.svg: a picture")
    with pytest.raises(BadInput, match="nothing is to be written"):
        map_run(own)
    with pytest.raises(BadInput, match="exists already"):
        map_run(own, tmp_path / "m.html", pictures=[tmp_path / "m.png"], show_progress=False)
    assert not (tmp_path / "m.html").exists()


@pytest.mark.slow
def test_hybrids_between_the_clusters_are_on_the_map(own, tmp_path):
    facts = map_run(own, tmp_path / "map.html", layouts="pca", clusters="kmeans:2", hybrids=True, show_progress=False)
    assert facts["hybrids"] == 6
    made = map_data(own, layouts="pca", clusters="kmeans:2", hybrids=True).hybrids
    assert {(one.source_cluster, one.target_cluster) for one in made} == {(1, 2), (2, 1)}
    assert all("--clusters kmeans:2" in one.command for one in made)
