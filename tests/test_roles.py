"""Who is who in a hybrid: weights of several corpora, clusters as sources and targets, contradictions refused."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.clusters.choice import ClusterChoice
from stylemix.clusters.cluster import Clusters
from stylemix.errors import BadInput
from stylemix.hybrid.asked import find_asked
from stylemix.hybrid.cluster_roles import check_stretch
from stylemix.hybrid.mixture import Mixture, check_weights, parse_weights
from stylemix.hybrid.roles import Roles, assign_roles
from tests.fake_run import RATE, FakeRun, music

NAMES = ["cage", "boys", "organ"]
PITCHES = {"cage": [110.0, 164.8], "boys": [440.0, 660.0], "organ": [1318.5, 1760.0]}
# Numbers as on a map: organ is the largest.
ORGAN, CAGE, BOYS = 1, 2, 3


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FakeRun:
    """Three corpora of two files; the second file of boys is organ in its second half."""
    rng = np.random.default_rng(2)
    folder = tmp_path_factory.mktemp("corpora")
    files = {}
    for name, pitches in PITCHES.items():
        sounds = [music(rng, 12 * RATE, pitches), music(rng, 8 * RATE, pitches)]
        if name == "boys":
            sounds[1] = np.concatenate([sounds[1], music(rng, 8 * RATE, PITCHES["organ"])], axis=1)
        files[name] = [Wave(x, RATE).save(folder / name / f"{name}{i}.wav") for i, x in enumerate(sounds)]
    return FakeRun(files)


@pytest.fixture(autouse=True)
def _known_clusters(run: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put what is known to sound in each segment in the place of what mixtures of Gaussians find in so few."""

    def known(features: np.ndarray, corpus: np.ndarray, names: list[str], **options: object) -> Clusters:
        truth = np.array([CAGE, BOYS, ORGAN])[corpus] - 1
        # The last four of the eight segments of the second file of boys, which come before those of organ.
        truth[np.flatnonzero(corpus == 1)[-4:]] = ORGAN - 1
        shares = np.stack([np.bincount(corpus[truth == label], minlength=3) for label in range(3)]).astype(float)
        return Clusters(truth, 3, {}, ("1", "2", "3"), shares / shares.sum(axis=1, keepdims=True))

    monkeypatch.setattr("stylemix.clusters.groups.cluster", known)


def roles_of(run: FakeRun, **given: object) -> Roles:
    options: dict[str, object] = {"source": None, "target": None, "mode": "match", "to": None}
    return assign_roles(run, find_asked(options | given))  # type: ignore[arg-type]


# ---- weights


@pytest.mark.parametrize(
    "value",
    [
        "cage=0.2,boys=0.5,organ=0.3",
        " organ = .3 , cage=2e-1,boys=0.5",
        {"organ": 0.3, "boys": 0.5, "cage": 0.2},
        Mixture((0.2, 0.5, 0.3)),
    ],
)
def test_weights_are_read_by_name(value: object) -> None:
    assert parse_weights(value, NAMES).shares == pytest.approx((0.2, 0.5, 0.3))  # type: ignore[arg-type]


def test_rounded_weights_are_scaled_to_one_and_unnamed_corpora_have_none() -> None:
    for third in ("0.33", "0.333"):
        thirds = parse_weights(f"cage={third},boys={third},organ={third}", NAMES).shares
        assert thirds == pytest.approx((1 / 3,) * 3, abs=1e-15)
    assert parse_weights("boys=1", NAMES).shares == (0, 1, 0)
    assert parse_weights("a=b=0.4,c=0.6", ["a=b", "c"]).shares == (0.4, 0.6)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("cage=0.2,boys=0.5", r"must sum to 1, got 0.7; write shares such as a=0.2,b=0.8"),
        ("cage=0.2,boys=0.82", r"must sum to 1, got 1.02"),
        ("cage=0.3,boys=0.3,organ=0.3", r"must sum to 1, got 0.9;"),
        ({}, r"must sum to 1, got 0"),
        ("cage=1.5,boys=-0.5", r"share of boys must be 0 or more, got -0.5"),
        ("cage=nan,boys=1", r"share of cage must be 0 or more, got nan"),
        ("cage=inf", r"share of cage must be 0 or more, got inf"),
        ("cage=half,boys=0.5", r"share of cage must be a number, got 'half'"),
        ({"cage": None}, r"share of cage must be a number, got None"),
        ("cagge=0.2,boys=0.8", r"no corpus 'cagge' in this run; choose among cage, boys, organ"),
        ("cage=0.5,cage=0.5", r"named once, got cage twice"),
        ("0.2,0.8", r"a=0.2,b=0.8 that sum to 1; got '0.2' in '0.2,0.8'"),
        ("cage=1,", r"got nothing|got 'nothing'"),
        ("=1", r"got '=1'"),
        ("", r"got 'nothing'"),
        (Mixture((0.5, 0.5)), r"one share for each of 3 corpora, got 2"),
    ],
)
def test_weights_that_are_none_are_told_in_one_line(value: object, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        parse_weights(value, NAMES)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_one_corpus_has_nothing_to_weigh() -> None:
    with pytest.raises(BadInput, match="at least two corpora, got one with only cage"):
        parse_weights("cage=1", ["cage"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"alpha": 0.0}, "in place of --alpha, got both"),
        ({"target": "a.wav"}, "got --target FILE too"),
        ({"to": "boys"}, "got --to too"),
        ({"mode": "morph"}, "the mode morph, which aligns two files"),
    ],
)
def test_weights_go_with_nothing_that_says_the_same(given: dict[str, object], message: str) -> None:
    check_weights()
    with pytest.raises(BadInput, match=message):
        check_weights(**given)  # type: ignore[arg-type]


def test_weights_make_several_corpora_of_targets(run: FakeRun) -> None:
    roles = roles_of(run, weights="cage=0.2,boys=0.3,organ=0.5")
    assert (roles.own, roles.others, roles.other, roles.alpha) == (0, (1, 2), 2, 0.8)
    assert roles.shares == pytest.approx((0.375, 0.625))
    assert list(roles.targets) == [2, 3, 4, 5]
    assert list(roles.targets_of(1).values()) == [run.files[2].path, run.files[3].path]
    assert list(roles.targets_of(2)) == [4, 5]
    np.testing.assert_array_equal(roles.conditions(3), np.eye(3))


def test_the_share_of_the_source_is_that_of_its_own_corpus(run: FakeRun) -> None:
    roles = roles_of(run, weights="cage=0.25,boys=0.75", source=run.files[2].path)
    assert (roles.own, roles.others, roles.shares, roles.alpha) == (1, (0,), (1.0,), 0.25)
    alone = roles_of(run, weights="cage=1")
    assert (alone.own, alone.others, alone.shares, alone.alpha) == (0, (1,), (1.0,), 0.0)


def test_weights_contradict_a_target_also_when_roles_are_assigned(run: FakeRun) -> None:
    with pytest.raises(BadInput, match="got --target FILE too"):
        roles_of(run, weights="cage=1", target=run.files[2].path)


# ---- one corpus of targets, as before


def test_one_corpus_of_targets_is_its_own_others(run: FakeRun) -> None:
    roles = roles_of(run)
    assert (roles.own, roles.other, roles.others, roles.shares, roles.alpha) == (0, 1, (1,), (1.0,), None)
    assert roles.targets_of(1) == roles.targets == {2: run.files[2].path, 3: run.files[3].path}
    assert roles.masks == {}
    assert roles.stretch_s is None
    np.testing.assert_array_equal(roles.conditions(3), [[1, 0, 0], [0, 1, 0]])
    assert roles_of(run, to="organ").others == (2,)
    with pytest.raises(BadInput, match="no corpus 'organs' in this run; choose one of cage, boys, organ"):
        roles_of(run, to="organs")


def test_a_target_file_brings_its_corpus_and_a_strange_one_has_none(run: FakeRun, tmp_path: Path) -> None:
    roles = roles_of(run, target=run.files[5].path)
    assert (roles.other, roles.targets, roles.corpus_of) == (2, {5: run.files[5].path}, {5: 2})
    strange = Wave(music(np.random.default_rng(5), RATE, [300.0]), RATE).save(tmp_path / "strange.wav")
    roles = roles_of(run, target=strange, to="organ")
    assert (roles.other, roles.targets_of(2)) == (2, {-1: strange})
    with pytest.raises(BadInput, match="morph aligns two given files; add --target FILE"):
        roles_of(run, mode="morph")


def test_files_that_are_gone_are_left_out_with_a_word(run: FakeRun, tmp_path: Path) -> None:
    moved = copy.copy(run)
    moved.files = (*run.files[:2], replace(run.files[2], path=tmp_path / "gone.wav"), *run.files[3:])
    roles = roles_of(moved, weights="cage=0.5,boys=0.25,organ=0.25")
    assert list(roles.targets) == [3, 4, 5]
    assert [w for w in roles.warnings if w.startswith("1 of 2 target files are not used")]
    assert list(roles_of(moved, mode="style").targets) == [2, 3]


# ---- sources from elsewhere


@pytest.fixture
def strange(tmp_path: Path) -> Path:
    return Wave(music(np.random.default_rng(5), RATE, [300.0]), RATE).save(tmp_path / "strange.wav")


@pytest.mark.parametrize(
    ("asked", "own", "other"),
    [
        ({}, 0, 1),
        ({"to": "cage"}, 1, 0),
        ({"to": "organ"}, 0, 2),
        ({"to": "cage", "mode": "style"}, 1, 0),
        ({"weights": "cage=0.25,boys=0.75"}, 0, 1),
    ],
)
def test_a_source_from_elsewhere_is_never_taken_as_what_it_is_to_become(
    run: FakeRun, strange: Path, asked: dict[str, object], own: int, other: int
) -> None:
    roles = roles_of(run, source=strange, **asked)
    assert (roles.source_index, roles.own, roles.other) == (None, own, other)
    assert roles.warnings == (f"strange.wav is no file of this run: taken as {NAMES[own]}; --from NAME says otherwise",)


def test_a_target_file_says_what_a_source_from_elsewhere_is_not(run: FakeRun, strange: Path) -> None:
    roles = roles_of(run, source=strange, target=run.files[0].path)
    assert (roles.own, roles.other, list(roles.targets)) == (1, 0, [0])


def test_the_corpus_of_a_source_from_elsewhere_can_be_named(run: FakeRun, strange: Path) -> None:
    roles = roles_of(run, source=strange, from_corpus="organ")
    assert (roles.own, roles.other, roles.warnings) == (2, 0, ())
    assert roles_of(run, source=strange, from_corpus="organ", weights="cage=0.25,organ=0.75").alpha == 0.25
    # Without a source it is that of the file that stands for the corpus.
    assert roles_of(run, from_corpus="organ").source in {run.files[4].path, run.files[5].path}
    assert roles_of(run, to="cage").own == 1
    with pytest.raises(BadInput, match="no corpus 'organs' in this run; choose one of cage, boys, organ"):
        roles_of(run, source=strange, from_corpus="organs")


def test_what_the_run_knows_of_a_source_is_not_contradicted(run: FakeRun) -> None:
    boys = run.files[2].path
    assert roles_of(run, source=boys, from_corpus="boys").own == 1
    with pytest.raises(
        BadInput, match=r"boys0\.wav is of boys in this run, got --from cage; leave --from out"
    ) as caught:
        roles_of(run, source=boys, from_corpus="cage")
    assert "\n" not in str(caught.value)


def test_style_within_one_corpus_is_refused_and_a_match_is_not(run: FakeRun, strange: Path) -> None:
    boys = run.files[2].path
    for mode in ("match", "cross"):
        roles = roles_of(run, source=boys, to="boys", mode=mode)
        assert roles.own == roles.other == 1
    way_out = "of boys already, and the mode style would change nothing; name another corpus with --to, or choose"
    with pytest.raises(BadInput, match=rf"boys0\.wav is {way_out}") as caught:
        roles_of(run, source=boys, to="boys", mode="style")
    assert "\n" not in str(caught.value)
    with pytest.raises(BadInput, match=f"the source is {way_out}"):
        roles_of(run, source=strange, to="boys", from_corpus="boys", mode="style")


# ---- clusters


def test_a_cluster_as_the_source_is_a_stretch_of_a_file(run: FakeRun) -> None:
    roles = roles_of(run, source_cluster=BOYS)
    assert run.files[roles.source_index].corpus == roles.own == 1
    assert roles.source == run.files[roles.source_index].path
    start_s, duration_s = roles.stretch_s
    assert start_s == 0
    assert duration_s == pytest.approx(8 if roles.source_index == 3 else 12, abs=1.1)
    assert roles.other == 0
    assert [w for w in roles.warnings if f"the middle of cluster {BOYS}" in w]
    assert roles_of(run, source_cluster=ORGAN, to="organ").source_index == 3
    with pytest.raises(BadInput, match=f"cluster: {CAGE} holds nothing but the target's corpus"):
        roles_of(run, source_cluster=CAGE, to="cage")


def test_a_cluster_as_the_target_restricts_the_search_to_its_steps(run: FakeRun) -> None:
    roles = roles_of(run, target_cluster=ORGAN)
    # Most of it is of the third corpus, which is not the next one.
    assert (roles.other, list(roles.targets)) == (2, [4, 5])
    assert all(mask.all() for mask in roles.masks.values())
    roles = roles_of(run, target_cluster=ORGAN, to="boys")
    assert list(roles.targets) == list(roles.masks) == [3]
    n_steps = run.latents(3).n_steps
    assert roles.masks[3].shape == (n_steps,)
    assert not roles.masks[3][: round(0.4 * n_steps)].any()
    assert roles.masks[3][round(0.6 * n_steps) :].all()
    with pytest.raises(BadInput, match=f"nothing of organ in cluster {CAGE} to be the target; choose one of {ORGAN}, "):
        roles_of(run, target_cluster=CAGE, to="organ")


def test_clusters_and_weights_go_together_where_each_corpus_has_some(run: FakeRun) -> None:
    roles = roles_of(run, source_cluster=CAGE, target_cluster=ORGAN, weights="cage=0.5,boys=0.25,organ=0.25")
    assert (list(roles.targets_of(1)), list(roles.targets_of(2))) == ([3], [4, 5])
    with pytest.raises(BadInput, match=f"nothing of organ in cluster {BOYS}"):
        roles_of(run, target_cluster=BOYS, weights="cage=0.5,boys=0.25,organ=0.25")


def test_a_target_file_of_the_run_may_be_restricted_to_a_cluster(run: FakeRun, tmp_path: Path) -> None:
    assert list(roles_of(run, target=run.files[3].path, target_cluster=ORGAN).masks) == [3]
    with pytest.raises(BadInput, match=f"nothing of .*organ1.wav in cluster {BOYS} to be the target"):
        roles_of(run, target=run.files[5].path, target_cluster=BOYS)
    strange = Wave(music(np.random.default_rng(5), RATE, [300.0]), RATE).save(tmp_path / "strange.wav")
    with pytest.raises(BadInput, match=r"needs files of the run, .*strange.wav is none of them"):
        roles_of(run, target=strange, target_cluster=BOYS)


@pytest.mark.parametrize("side", ["source_cluster", "target_cluster"])
def test_clusters_that_do_not_exist_are_told_in_one_line(run: FakeRun, side: str) -> None:
    with pytest.raises(BadInput, match="there is no cluster 9 in this run; there are 1 to 3") as caught:
        roles_of(run, **{side: 9})
    assert "\n" not in str(caught.value)


def test_clusters_are_made_as_on_the_map_that_is_meant(run: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    from stylemix.clusters import groups

    asked: list[dict[str, object]] = []
    made = groups.clusters_of

    def recorded(run: FakeRun, **options: object) -> object:
        asked.append(options)
        return made(run)  # type: ignore[arg-type]

    monkeypatch.setattr(groups, "clusters_of", recorded)
    roles_of(run, target_cluster=ORGAN, clusters="KMeans:3", space="latents", cluster_seed=5)
    roles_of(run, target_cluster=ORGAN)
    assert asked == [
        {"space": "latents", "choice": ClusterChoice("kmeans", 3), "seed": 5},
        {"space": None, "choice": None, "seed": 0},
    ]
    # Clusters that are at hand are not made again.
    at_hand = roles_of(run, target_cluster=ORGAN, clusters=made(run))  # type: ignore[arg-type]
    assert (len(asked), list(at_hand.targets)) == (2, [4, 5])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"target_cluster": 0}, "cluster: 0 is what lies in no cluster, and nothing can be made of it; choose one"),
        ({"source_cluster": 0}, "cluster: 0 is what lies in no cluster"),
        ({"clusters": "kmeans"}, "--clusters says how clusters are made; add --source-cluster or --target-cluster, or"),
        ({"space": "latents"}, "--space says how clusters are made"),
        ({"cluster_seed": 1}, "--cluster-seed says how clusters are made"),
        ({"target_cluster": 1, "clusters": "dbscan"}, "clusters: must be METHOD or METHOD:K, .* got 'dbscan'"),
    ],
)
def test_clusters_that_make_no_sense_are_told_in_one_line(
    run: FakeRun, given: dict[str, object], message: str
) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        roles_of(run, **given)
    assert "\n" not in str(caught.value)


def test_a_cluster_and_a_source_or_a_start_contradict_each_other(run: FakeRun) -> None:
    with pytest.raises(BadInput, match="chooses a source of its own, got --source too"):
        roles_of(run, source=run.files[0].path, source_cluster=1)
    check_stretch(1, 0.0, 3.0)
    check_stretch(None, 2.0, None)
    with pytest.raises(BadInput, match="chooses where to begin, got --start 2 too"):
        check_stretch(1, 2.0, None)
