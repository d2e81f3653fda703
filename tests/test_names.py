"""Names of clusters say what is measured, relative to the rest of the run, and whose it is; no two are alike."""

import numpy as np
import pytest

from stylemix.clusters.describe import Described
from stylemix.clusters.names import name_cluster, name_clusters, words_of_clusters

NAMES = ["cage", "beach-boys"]


def described(n: int, seed: int = 0, **columns: np.ndarray) -> Described:
    """Segments that are all alike, but for what is given."""
    rng = np.random.default_rng(seed)
    usual = {"loudness": -20.0, "pitch": 220.0, "brightness": 1500.0, "noisiness": 0.2, "density": 3.0}
    # A little of chance, which nobody would hear.
    return Described(**{name: columns.get(name, x * (1 + 1e-3 * rng.normal(size=n))) for name, x in usual.items()})


def halves(low: float, high: float, n: int = 40) -> np.ndarray:
    return np.repeat([low, high], n // 2) * (1 + 1e-3 * np.random.default_rng(1).normal(size=n))


@pytest.mark.parametrize(
    ("name", "low", "high", "words"),
    [
        ("pitch", 110, 330, ("low", "high")),
        ("brightness", 900, 2000, ("dark", "bright")),
        ("noisiness", 0.1, 0.5, ("tonal", "noisy")),
        ("density", 1, 5, ("sparse", "dense")),
    ],
)
def test_each_descriptor_has_its_words(name, low, high, words):
    labels = np.repeat([1, 0], 20)
    found = words_of_clusters(labels, 2, described(40, **{name: halves(low, high)}))
    assert found == [(words[1],), (words[0],)]


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("pitch", 220, 235), ("brightness", 1500, 1560), ("noisiness", 0.2, 0.23), ("density", 3, 3.3)],
)
def test_what_nobody_hears_is_not_said(name, low, high):
    labels = np.repeat([0, 1], 20)
    # The clusters do not overlap at all, and yet the difference is too small.
    assert words_of_clusters(labels, 2, described(40, **{name: halves(low, high)})) == [("average",), ("average",)]


def test_the_three_strongest_are_said_in_a_fixed_order(rng):
    labels = np.repeat([0, 1], 50)
    mixed = np.where(rng.random(100) < 0.3, 110.0, 330.0)
    mixed[50:] = np.where(rng.random(50) < 0.7, 110.0, 330.0)
    values = {"brightness": halves(900, 2000, 100), "noisiness": halves(0.1, 0.5, 100), "density": halves(1, 5, 100)}
    found = words_of_clusters(labels, 2, described(100, pitch=mixed, **values))
    assert found == [("dark", "tonal", "sparse"), ("bright", "noisy", "dense")]


def test_a_small_difference_is_rather_so(rng):
    labels = np.repeat([0, 1, 2], 40)
    hz = np.concatenate([np.full(40, 150.0), np.full(40, 400.0), rng.choice([140.0, 320.0], 40, p=[0.35, 0.65])])
    found = words_of_clusters(labels, 3, described(120, pitch=hz))
    assert found == [("low",), ("high",), ("rather low",)]


def test_the_rest_includes_what_is_in_no_cluster():
    labels = np.repeat([0, -1], 20)
    assert words_of_clusters(labels, 1, described(40, pitch=halves(110, 330))) == [("low",)]


def test_one_cluster_of_all_is_like_nothing():
    assert words_of_clusters(np.zeros(10, int), 1, described(10)) == [()]
    assert name_clusters(np.zeros(10, int), np.array([[1.0, 0]]), NAMES, described(10)) == ("1: all cage",)


def test_noise_is_unpitched():
    labels = np.repeat([0, 1], 20)
    pitch, noisiness = halves(np.nan, 220), halves(0.9, 0.1)
    found = words_of_clusters(labels, 2, described(40, pitch=pitch, noisiness=noisiness))
    assert found == [("unpitched", "noisy"), ("tonal",)]


def test_recordings_that_are_gone_are_not_spoken_of():
    gone = Described(*np.full((5, 40), np.nan))
    labels = np.repeat([0, 1], 20)
    assert words_of_clusters(labels, 2, gone) == [(), ()]
    # A quarter of a cluster is not the cluster.
    pitch = halves(110, 330)
    pitch[5:20] = np.nan
    part = Described(*(np.where(np.isnan(pitch), np.nan, x) for x in described(40, pitch=pitch).columns().values()))
    assert words_of_clusters(labels, 2, part)[0] == ()
    assert name_clusters(labels, np.eye(2), NAMES) == ("1: all cage", "2: all beach-boys")


def test_a_few_odd_segments_change_nothing(rng):
    pitch = halves(110, 330)
    pitch[:3], pitch[-3:] = 4000, 30
    found = words_of_clusters(np.repeat([0, 1], 20), 2, described(40, pitch=pitch))
    assert found == [("low",), ("high",)]


def test_clusters_with_the_same_words_are_told_apart():
    labels = np.repeat(range(5), 20)
    values = {
        "brightness": np.repeat([900.0, 1100.0, 4000.0, 4000.0, 4000.0], 20),
        "loudness": np.repeat([-20.0, -30.0, -20.0, -20.0, -20.0], 20),
    }
    of_one = np.tile([1.0, 0.0], (5, 1))
    found = words_of_clusters(labels, 5, described(100, **values), of_one)
    assert found[:3] == [("dark", "darker"), ("dark", "brighter"), ("bright",)]
    # Of two corpora they are apart already.
    of_two = of_one.copy()
    of_two[1] = [0, 1]
    assert words_of_clusters(labels, 5, described(100, **values), of_two)[:2] == [("dark",), ("dark",)]
    # Loudness is not a first choice, but it may tell two apart.
    values["brightness"][20:40] = 900
    found = words_of_clusters(labels, 5, described(100, **values), of_one)
    assert found[:2] == [("dark", "louder"), ("dark", "quieter")]


def test_of_three_with_the_same_words_two_are_on_one_side_of_the_widest_gap():
    hz = np.repeat([900.0, 940.0, 1300.0, 4000, 4000, 4000, 4000, 4000], 20)
    found = words_of_clusters(np.repeat(range(8), 20), 8, described(160, brightness=hz))
    assert found[:3] == [("dark", "darker"), ("dark", "darker"), ("dark", "brighter")]
    # Those two are compared once more, by something else.
    density = np.repeat([1.0, 4.0, 3, 3, 3, 3, 3, 3], 20)
    found = words_of_clusters(np.repeat(range(8), 20), 8, described(160, brightness=hz, loudness=-20 - 4 * density))
    assert found[:3] == [("dark", "darker", "louder"), ("dark", "darker", "quieter"), ("dark", "brighter")]


def test_no_two_names_are_equal_even_of_clusters_that_nothing_tells_apart():
    labels = np.arange(60) % 6
    names = name_clusters(labels, np.tile([0.5, 0.5], (6, 1)), NAMES, described(60))
    assert len(set(names)) == 6
    assert names[2] == "3: average; mixed (50 % cage, 50 % beach-boys)"


def test_names_tell_words_and_share():
    assert name_cluster(3, [0.92, 0.08], NAMES, ["low", "dark", "dense"]) == "3: low, dark, dense; mostly cage (92 %)"
    assert name_cluster(1, [0.74, 0.26], NAMES, ["high"]) == "1: high; mixed (74 % cage, 26 % beach-boys)"


def test_names_never_round_a_rest_away():
    assert name_cluster(3, [0.999, 0.001], NAMES) == "3: mostly cage (99 %)"
    assert name_cluster(1, [0.5, 0.499, 0.001], ["a", "b", "c"]) == "1: mixed (50 % a, 50 % b, 1 % c)"
    assert name_cluster(2, [0.0, 1.0], NAMES) == "2: all beach-boys"


def test_names_stay_short_whatever_the_corpora_are_called():
    name = name_cluster(12, [0.4, 0.3, 0.2, 0.1], ["x" * 300, "y" * 300, "z" * 300, "w"], ["low", "dark", "dense"])
    assert len(name) < 140
    assert "xxx… , " not in name
    assert name.count("…") == 3
