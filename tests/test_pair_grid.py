"""Hybrids between neighbouring clusters: which pairs, what is rendered, and the command that makes each again."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.audio import read_wave
from stylemix.cli import run_command
from stylemix.clusters.choice import ClusterChoice
from stylemix.clusters.cluster import Clusters
from stylemix.clusters.groups import Cluster, RunClusters, Stretch, clusters_of
from stylemix.errors import BadInput
from stylemix.hybrid.render import hybrid
from stylemix.style_map.pair_grid import Pair, nearest_pairs, render_pairs
from tests.fake_run import RATE, FakeRun, music

GROUPED = {"clusters": "gmm:2", "space": "latents"}


def made(folder: Path) -> FakeRun:
    rng = np.random.default_rng(4)
    pitches = {"low": [110.0, 164.8], "high": [1318.5, 1760.0]}
    return FakeRun(
        {
            name: [Wave(music(rng, 6 * RATE, p), RATE).save(folder / f"{name}{i}.wav", bits="32f") for i in range(2)]
            for name, p in pitches.items()
        }
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FakeRun:
    return made(tmp_path_factory.mktemp("corpora"))


@pytest.fixture(autouse=True)
def _known_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each corpus be a cluster: what is found in so few segments says nothing of pairs."""

    def known(features: np.ndarray, corpus: np.ndarray, names: list[str], **options: object) -> Clusters:
        return Clusters(corpus, 2, {}, ("1", "2"), np.eye(2))

    monkeypatch.setattr("stylemix.clusters.groups.cluster", known)


@pytest.fixture
def found(run: FakeRun) -> RunClusters:
    return clusters_of(run, space="latents", choice=ClusterChoice("gmm", 2))  # type: ignore[arg-type]


def cluster(number: int, nearest: dict[int, tuple[int, float]]) -> Cluster:
    return Cluster(number, 3, (0.5, 0.5), Stretch(0, 0.0, 2.0), nearest)


def test_each_cluster_goes_to_the_nearest_of_another_corpus(found: RunClusters) -> None:
    clusters = (
        cluster(1, {1: (3, 2.0), 2: (4, 1.5)}),
        cluster(2, {1: (3, 0.5)}),
        cluster(3, {0: (2, 0.5), 2: (4, 9.0)}),
        cluster(4, {}),
    )
    some = replace(found, clusters=clusters)
    assert nearest_pairs(some) == [Pair(1, 4, 2, 1.5), Pair(2, 3, 1, 0.5), Pair(3, 2, 0, 0.5)]
    assert [pair.source for pair in nearest_pairs(some, most=2)] == [1, 2]
    assert nearest_pairs(replace(found, clusters=clusters[3:])) == []


def test_pairs_are_rendered_at_each_alpha_as_hybrid_renders_them(run: FakeRun, found: RunClusters) -> None:
    heard: list[float] = []
    made = render_pairs(
        run, found, alphas=(0.2, 0.7), seconds=1.5, seed=3, update=lambda done, note="": heard.append(done)  # type: ignore[arg-type]
    )
    assert [(one.source_cluster, one.target_cluster, one.alpha) for one in made] == [
        (1, 2, 0.2), (1, 2, 0.7), (2, 1, 0.2), (2, 1, 0.7)
    ]  # fmt: skip
    assert heard == [0.0, 0.5, 1.0]
    assert {(one.mode, one.seconds, one.wave.samples.shape) for one in made} == {("match", 1.5, (1, 12000))}
    assert made[1].label == "cluster 1 to 2, alpha 0.7"
    again = hybrid(
        run, alpha=0.7, source_cluster=1, target_cluster=2, to=run.corpora[1 - _corpus(run, found, 1)], clusters=found,
        duration_s=1.5, seed=3,
    )  # type: ignore[arg-type]  # fmt: skip
    np.testing.assert_array_equal(made[1].wave.samples, again.samples)


def _corpus(run: FakeRun, found: RunClusters, number: int) -> int:
    return int(np.argmax(found.find(number).shares))


def test_the_command_of_each_makes_it_again(
    run: FakeRun, found: RunClusters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = render_pairs(run, found, alphas=(0.25,), seconds=1.0, mode="fade", grouped=GROUPED)[1]  # type: ignore[arg-type]
    name = run.corpora[_corpus(run, found, 1)]
    assert one.command == (
        f"stylemix hybrid fake.mix --alpha 0.25 --source-cluster 2 --target-cluster 1 --to {name} --duration 1.0 "
        "--mode fade --clusters gmm:2 --space latents --out 2-1-025.wav"
    )
    monkeypatch.setattr("stylemix.model.run.load_run", lambda path: run)
    monkeypatch.chdir(tmp_path)
    assert run_command([*shlex.split(one.command)[1:], "--bits", "32f", "--quiet"]) == 0
    np.testing.assert_array_equal(read_wave(tmp_path / "2-1-025.wav").samples, one.wave.samples)


def test_a_pair_whose_recordings_are_gone_is_left_out_with_a_reason(found: RunClusters, tmp_path: Path) -> None:
    moved = made(tmp_path)
    source = found.stretch(1, outside=1 - int(np.argmax(found.find(1).shares)))
    moved.files[source.file].path.unlink()
    warnings: list[str] = []
    hybrids = render_pairs(moved, found, alphas=(0.5,), seconds=1.0, warnings=warnings)  # type: ignore[arg-type]
    # The other direction has one file of its target left.
    assert [(one.source_cluster, one.target_cluster) for one in hybrids] == [(2, 1)]
    (line,) = warnings
    assert line.startswith("hybrids of cluster 1 with 2 are left out: ")
    assert line.endswith("has moved")
    assert "\n" not in line
    for file in moved.files:
        file.path.unlink(missing_ok=True)
    assert render_pairs(moved, found, alphas=(0.5,), warnings=warnings) == []  # type: ignore[arg-type]
    assert len(warnings) == 3


def test_what_is_louder_than_full_scale_is_brought_down(
    run: FakeRun, found: RunClusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = render_pairs(run, found, alphas=(0.5,), seconds=1.0)[0].wave.samples  # type: ignore[arg-type]
    import stylemix.hybrid.pieces as module

    pieces = module.pieces

    def loud(*arguments: object, **options: object) -> object:
        for piece in pieces(*arguments, **options):  # type: ignore[arg-type]
            yield replace(piece, hybrid=piece.hybrid * 100)

    monkeypatch.setattr(module, "pieces", loud)
    found_loud = render_pairs(run, found, alphas=(0.5,), seconds=1.0)[0].wave.samples  # type: ignore[arg-type]
    assert np.abs(found_loud).max() == pytest.approx(1.0)
    np.testing.assert_allclose(found_loud, quiet / np.abs(quiet).max(), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "morph"}, "grid: the mode must be one of match, cross, fade, got 'morph'"),
        ({"alphas": ()}, "grid: needs an alpha at least, got none"),
        ({"alphas": (0.5, 1.5)}, r"alpha: must lie between 0 .* got 1\.5"),
        ({"seconds": 0}, "grid: the length must be more than 0 seconds, got 0"),
    ],
)
def test_a_wrong_grid_is_refused_in_one_line(
    run: FakeRun, found: RunClusters, options: dict[str, object], message: str
) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        render_pairs(run, found, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
