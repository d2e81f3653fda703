"""How many clusters: none is invented in a single cloud, and overlapping ones are counted."""

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.decomposition import PCA

from stylemix.clusters.number import LARGEST_SAMPLE, even_subset, silhouettes_beyond_chance


def k_means(points: np.ndarray, k: int) -> np.ndarray:
    return KMeans(k, n_init=2, random_state=0).fit_predict(points)


def ward(points: np.ndarray, k: int) -> np.ndarray:
    return AgglomerativeClustering(k).fit_predict(points)


def clouds(k: int, apart: float, n: int = 60, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    # All as far from each other: of random places, two may be one to the eye.
    points = np.repeat(apart * np.eye(k, 8), n, axis=0) + rng.normal(size=(k * n, 8)) * np.linspace(0.5, 1.5, 8)
    return PCA().fit_transform(points)


@pytest.mark.parametrize("fit", [k_means, ward])
@pytest.mark.parametrize("kind", ["gaussian", "heavy", "even"])
def test_a_single_cloud_is_one(fit, kind):
    rng = np.random.default_rng(3)
    draw = {"gaussian": rng.normal, "heavy": lambda size: rng.standard_t(5, size), "even": rng.random}[kind]
    points = draw(size=(120, 6)) * np.linspace(2, 0.5, 6)
    k, tried = silhouettes_beyond_chance(points, fit, range(1, 7))
    assert k == 1
    # A silhouette by itself would have found more.
    assert sorted(tried) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("fit", [k_means, ward])
@pytest.mark.parametrize("k", [2, 3, 5])
def test_clouds_that_touch_are_counted(fit, k):
    found, tried = silhouettes_beyond_chance(clouds(k, 4, n=30), fit, range(1, 7))
    assert found == k == max(tried, key=tried.__getitem__)


def test_of_many_points_some_are_looked_at_and_they_are_spread():
    seen = []

    def fit(points: np.ndarray, k: int) -> np.ndarray:
        seen.append(len(points))
        return (points[:, 0] > 0).astype(int)

    points = np.sign(np.arange(5 * LARGEST_SAMPLE)[:, None] - 2.5 * LARGEST_SAMPLE) + clouds(1, 0, 5 * LARGEST_SAMPLE)
    silhouettes_beyond_chance(points, fit, [1, 2])
    assert set(seen) == {LARGEST_SAMPLE}
    assert even_subset(10, 4).tolist() == [0, 3, 6, 9]
    assert even_subset(3, 9).tolist() == [0, 1, 2]


@pytest.mark.parametrize("numbers", [[1], [1, 2]])
def test_too_few_points_are_one(numbers):
    assert silhouettes_beyond_chance(np.zeros((2, 3)), k_means, numbers) == (1, {1: 0.0})


def test_the_seed_decides_alone():
    points = clouds(3, 1.0)
    once, again, other = (silhouettes_beyond_chance(points, k_means, range(1, 4), seed=seed) for seed in (0, 0, 1))
    assert once == again
    assert once[1] != other[1]
