"""Which segment of another corpus suits a segment: the natural pairs to make hybrids of."""

from __future__ import annotations

import numpy as np

# In many dimensions a few points are near everything: nearest neighbours alone would give a whole corpus to those few.
# One meeting each pairs what is far apart, since the clouds face each other; a few let most stay near.
MOST_MEETINGS = 3
# Solving for all at once takes the cube of their number: more are dealt out into hands that are each spread over all.
_HAND = 600


def partners_of(
    points: np.ndarray, corpus: np.ndarray, n_corpora: int, *, allowed: np.ndarray | None = None
) -> np.ndarray:
    """Find for each segment its partner in every other corpus.

    All partners are chosen together, so that the distances sum to the least while no segment meets more than three (or
    three times as many as its corpus is smaller): an assignment problem [1]_.

    Parameters
    ----------
    points : np.ndarray, shape (N, D)
        The segments in the space of the map.
    corpus : np.ndarray, shape (N,), int
        Of each.
    n_corpora : int
        How many there are.
    allowed : np.ndarray, shape (N,), bool, optional
        Which segments may be partners; all by default.

    Returns
    -------
    np.ndarray, shape (n_corpora, N), int
        Index of the partner in each corpus; -1 in its own, and where a corpus has none.

    References
    ----------
    .. [1] D. F. Crouse: On implementing 2D rectangular assignment algorithms. IEEE Transactions on Aerospace and
       Electronic Systems 52(4), 2016.

    Examples
    --------
    >>> partners_of(np.array([[0.0], [1.0], [5.0], [6.0]]), np.array([0, 0, 1, 1]), 2).tolist()
    [[-1, -1, 1, 1], [2, 2, -1, -1]]
    """
    allowed = np.ones(len(points), dtype=bool) if allowed is None else allowed
    found = np.full((n_corpora, len(points)), -1)
    for one in range(n_corpora):
        mine = np.flatnonzero(corpus == one)
        for other in range(n_corpora):
            theirs = np.flatnonzero((corpus == other) & allowed)
            if other == one or not len(theirs):
                continue
            hands = max(1, min(-(-len(mine) // _HAND), len(theirs)))
            for hand in range(hands):
                dealt = mine[hand::hands]
                found[other, dealt] = _assigned(points, dealt, theirs[hand::hands])
    return found


def _assigned(points: np.ndarray, mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    places = MOST_MEETINGS * max(1, -(-len(mine) // len(theirs)))
    row, column = linear_sum_assignment(np.tile(cdist(points[mine], points[theirs]), (1, places)))
    return theirs[column[np.argsort(row)] % len(theirs)]
