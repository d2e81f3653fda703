"""Partners: near, of the other corpus, and not a few for all."""

import numpy as np
import pytest

from stylemix.clusters.partners import MOST_MEETINGS, partners_of


def test_pairs_that_face_each_other_find_each_other(rng):
    mine = rng.normal(size=(50, 8))
    points = np.concatenate([mine, mine + 0.01])
    found = partners_of(points, np.repeat([0, 1], 50), 2)
    np.testing.assert_array_equal(found[1, :50], np.arange(50, 100))
    np.testing.assert_array_equal(found[0, 50:], np.arange(50))
    assert (found[0, :50] == -1).all()


def test_nobody_meets_more_than_three(rng):
    # One segment stands before all the others: it would be everybody's nearest.
    points = np.concatenate([rng.normal(size=(60, 8)), rng.normal(size=(59, 8)) + 6, np.full((1, 8), 2.0)])
    found = partners_of(points, np.repeat([0, 1], 60), 2)[1, :60]
    nearest = 60 + np.linalg.norm(points[:60, None] - points[None, 60:], axis=-1).argmin(axis=1)
    assert np.bincount(nearest).max() > 30
    assert np.bincount(found).max() == MOST_MEETINGS
    assert len(np.unique(found)) >= 20


def test_a_small_corpus_meets_more_often(rng):
    found = partners_of(rng.normal(size=(105, 4)), np.repeat([0, 1], [100, 5]), 2)
    assert np.bincount(found[1, :100])[100:].max() <= 60
    assert set(found[1, :100]) <= set(range(100, 105))
    assert (found[0, 100:] < 100).all()


def test_what_is_gone_is_nobodys_partner(rng):
    points, corpus = rng.normal(size=(12, 3)), np.tile([0, 1, 2], 4)
    there = np.arange(12) != 4
    found = partners_of(points, corpus, 4, allowed=there)
    assert 4 not in found
    assert (found[3] == -1).all()
    for own in range(3):
        assert (corpus[found[own][corpus != own]] == own).all()
    assert (partners_of(points, corpus, 3, allowed=corpus != 1)[1] == -1).all()


@pytest.mark.slow
def test_twenty_thousand_are_dealt_out(rng):
    points = rng.normal(size=(20000, 8))
    found = partners_of(points, np.arange(20000) % 2, 2)[1, ::2]
    assert (found % 2 == 1).all()
    assert np.bincount(found).max() <= MOST_MEETINGS
    near = np.linalg.norm(points[::2] - points[found], axis=1).mean()
    assert near < 0.75 * np.linalg.norm(points[:10000] - points[10000:], axis=1).mean()
