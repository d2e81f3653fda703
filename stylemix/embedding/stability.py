"""Maps that stay the same way up: who a segment is, where it lay before, and how a new map is laid over that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stylemix.embedding.placing import amid_neighbours
from stylemix.errors import BadInput

# A majority of segments that were there before makes a layout that is worth going on from; of fewer, a start would
# press all the others between them. Chosen, not measured.
ENOUGH_KNOWN = 0.5


@dataclass(frozen=True)
class Provenance:
    """Where segments come from: by this they are known again in another run of the same files.

    Parameters
    ----------
    sha256 : sequence of str
        Hash of the content of each file.
    file : np.ndarray, shape (N,), int
        The file of each segment.
    start_s : np.ndarray, shape (N,)
        Where it starts in that file (seconds).
    corpus : np.ndarray, shape (N,), int, optional
        Its corpus.
    """

    sha256: Sequence[str]
    file: np.ndarray
    start_s: np.ndarray
    corpus: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.file)


@dataclass(frozen=True)
class Previous:
    """A map that was there before.

    Parameters
    ----------
    provenance : Provenance
        Of its segments.
    points : np.ndarray, shape (P, dims)
        Where they lay.
    seed : int
        With which it was made. Another seed asks for another map: it is then laid over this one, but does not start
        from it.
    method : str
        What placed them; only the same method can go on from there.
    """

    provenance: Provenance
    points: np.ndarray
    seed: int
    method: str


def known_again(before: Provenance, now: Provenance) -> np.ndarray:
    """Find segments among those of another map.

    Parameters
    ----------
    before, now : Provenance
        Of both maps. Segments of the same file are the same where their starts differ by less than half of the step
        from one to the next, so that a map with slightly longer segments can still be followed.

    Returns
    -------
    np.ndarray, shape (N,), int
        For each segment of now the index of that before, -1 for one that is new.

    Examples
    --------
    >>> before = Provenance(["ab"], np.array([0, 0]), np.array([0.0, 2.0]))
    >>> known_again(before, Provenance(["cd", "ab"], np.array([0, 1, 1]), np.array([0.0, 0.0, 2.1]))).tolist()
    [-1, 0, 1]
    """
    found = np.full(len(now), -1)
    # The same content twice in a run: its first file stands for it.
    index_of = {sha: index for index, sha in reversed(list(enumerate(before.sha256)))}
    for index, sha in enumerate(now.sha256):
        mine = np.flatnonzero(now.file == index)
        theirs = np.flatnonzero(before.file == index_of.get(sha, -1))
        if not len(mine) or not len(theirs):
            continue
        theirs = theirs[np.argsort(before.start_s[theirs], kind="stable")]
        starts = before.start_s[theirs]
        step_s = float(np.median(np.diff(starts))) if len(starts) > 1 else 1.0
        right = np.clip(np.searchsorted(starts, now.start_s[mine]), 0, len(starts) - 1)
        left = np.maximum(right - 1, 0)
        wanted = now.start_s[mine]
        nearest = np.where(np.abs(starts[left] - wanted) <= np.abs(starts[right] - wanted), left, right)
        near = np.abs(starts[nearest] - wanted) < step_s / 2
        found[mine[near]] = theirs[nearest[near]]
    return found


def starting_points(before: np.ndarray, known: np.ndarray, scores: np.ndarray) -> np.ndarray | None:
    """Say where a method that starts somewhere should start, to end where the map was before.

    Parameters
    ----------
    before : np.ndarray, shape (P, dims)
        Where the segments of the map before lay.
    known : np.ndarray, shape (N,), int
        From `known_again`.
    scores : np.ndarray, shape (N, D)
        The segments in the space.

    Returns
    -------
    np.ndarray, shape (N, dims), or None
        Known segments where they were, new ones amid those that they are like; None where less than half are known.

    Examples
    --------
    >>> starting_points(np.array([[5.0, 5.0]]), np.array([0, -1]), np.array([[0.0], [1.0]])).tolist()
    [[5.0, 5.0], [5.0, 5.0]]
    """
    there = known >= 0
    if there.mean() < ENOUGH_KNOWN:
        return None
    start = np.empty((len(known), before.shape[1]))
    start[there] = before[known[there]]
    if not there.all():
        start[~there] = amid_neighbours(scores[~there], scores[there], start[there])[0]
    return start


def lay_over(points: np.ndarray, onto: np.ndarray, known: np.ndarray, *, turn: bool = True) -> np.ndarray:
    """Turn, mirror, scale and shift a map so that it lies as near as possible to one before.

    Parameters
    ----------
    points : np.ndarray, shape (N, dims)
        The map.
    onto : np.ndarray, shape (P, dims)
        The map before.
    known : np.ndarray, shape (N,), int
        From `known_again`.
    turn : bool
        False mirrors each axis at most, for maps whose axes have a meaning.

    Returns
    -------
    np.ndarray, shape (N, dims)
        Distances have all changed by the same factor; the same map where too few segments are known to tell how it
        should be turned.

    Raises
    ------
    BadInput
        If the maps have different numbers of dimensions.

    References
    ----------
    P. H. Schönemann: A generalized solution of the orthogonal Procrustes problem. Psychometrika 31, 1966.

    Examples
    --------
    >>> corner = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    >>> mirrored = 3 * corner[:, ::-1] + 7
    >>> np.allclose(lay_over(mirrored, corner, np.arange(3)), corner)
    True
    """
    from scipy.linalg import orthogonal_procrustes

    if points.shape[1] != onto.shape[1]:
        raise BadInput(f"map: must have the {onto.shape[1]} dimensions of the map before, got {points.shape[1]}")
    there = known >= 0
    mine, theirs = points[there], onto[known[there]]
    if len(mine) <= points.shape[1]:
        return points
    middle, target = mine.mean(axis=0), theirs.mean(axis=0)
    mine, theirs = mine - middle, theirs - target
    if not np.square(mine).sum() > 0 or not np.square(theirs).sum() > 0:
        return points
    if not turn:
        return points * np.where((mine * theirs).sum(axis=0) < 0, -1.0, 1.0)
    rotation = orthogonal_procrustes(mine, theirs)[0]
    # The scale of least squares, trace(S) / |mine|^2, shrinks a map the more, the less it is like the one before: a
    # few maps later it would be a dot. Equal spread keeps its size.
    scale = float(np.sqrt(np.square(theirs).sum() / np.square(mine).sum()))
    return (points - middle) @ rotation * scale + target


def lay_wide(points: np.ndarray) -> np.ndarray:
    """Turn a map that follows no other so that it is widest along its first axis, its middle at 0.

    Screens and pages are wider than high, and which way up a method puts its map means nothing.

    Parameters
    ----------
    points : np.ndarray, shape (N, dims)
        A map.

    Returns
    -------
    np.ndarray, shape (N, dims)
        The same distances.

    Examples
    --------
    >>> lay_wide(np.array([[1.0, 0.0], [1.0, 2.0], [1.0, 7.0]])).round(6).tolist()
    [[-3.0, 0.0], [-1.0, 0.0], [4.0, 0.0]]
    """
    centred = points - points.mean(axis=0)
    turned = centred @ np.linalg.svd(centred, full_matrices=False)[2].T
    # Which end is which is open as well: the farthest point is on the positive side.
    farthest = turned[np.abs(turned).argmax(axis=0), np.arange(turned.shape[1])]
    return turned * np.where(farthest < 0, -1.0, 1.0) + 0.0


def check_provenance(provenance: Provenance | None, previous: Previous | None, n_segments: int) -> None:
    """Refuse a provenance that does not fit the segments, or a map before without one.

    Parameters
    ----------
    provenance : Provenance or None
        Of the segments.
    previous : Previous or None
        The map before.
    n_segments : int
        How many there are.

    Raises
    ------
    BadInput
        If a length is another, or segments cannot be known again.
    """
    if previous is not None and provenance is None:
        raise BadInput("previous: segments are known again by their provenance; give it too")
    given = [] if provenance is None else [("provenance", provenance, n_segments)]
    given += [] if previous is None else [("previous", previous.provenance, len(previous.points))]
    for name, of, wanted in given:
        lengths = {len(part) for part in (of.file, of.start_s, of.corpus) if part is not None}
        if lengths != {wanted}:
            raise BadInput(f"{name}: must have one entry a segment ({wanted}), got {sorted(lengths)}")
