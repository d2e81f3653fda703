"""Segments' features to points on a plane or in a room, with what the picture keeps of their neighbourhoods."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stylemix.embedding.methods import METHODS, Wanted, first_axes
from stylemix.embedding.principal import check_features, principal_components, principal_scores
from stylemix.embedding.scores import Scores, score_map
from stylemix.embedding.stability import (
    Previous,
    Provenance,
    check_provenance,
    known_again,
    lay_over,
    lay_wide,
    starting_points,
)
from stylemix.errors import BadInput

__all__ = ["EMBEDDINGS", "Embedding", "check_features", "embed", "principal_scores"]

EMBEDDINGS = ("pca", *METHODS)
LEAST = 30
"""Fewer distinct segments than this have no neighbourhoods to preserve; their principal plane says more."""
# Components in which neighbours are sought: more of them hold noise, of which all segments are equally far.
_COMPONENTS = 32


@dataclass(frozen=True)
class Embedding:
    """Points and how they were found.

    Parameters
    ----------
    points : np.ndarray, shape (N, dims)
        One point a segment; distances have no unit.
    method : {"pca", "isomap", "tsne", "umap"}
        What placed them.
    asked : str
        What was asked for; another than `method` where there were too few different segments for it.
    scores : Scores
        What the map keeps of the neighbourhoods.
    explained : tuple of float
        Of PCA alone, the part of the variance along each axis, 0 to 1.
    """

    points: np.ndarray
    method: str
    asked: str = "umap"
    scores: Scores = field(default_factory=Scores)
    explained: tuple[float, ...] = ()


def embed(
    features: np.ndarray,
    *,
    method: str = "umap",
    dims: int = 2,
    seed: int = 0,
    neighbours: int = 15,
    provenance: Provenance | None = None,
    previous: Previous | None = None,
) -> Embedding:
    """Place segments so that what sounds alike lies together.

    Features are standardised and reduced to at most 32 principal components. Equal segments are one point
    for the methods that look at neighbours; fewer than 30 distinct ones are placed by PCA.

    Parameters
    ----------
    features : np.ndarray, shape (N, F)
        One row a segment, N >= 1.
    method : {"pca", "isomap", "tsne", "umap"}
        PCA keeps the largest differences, Isomap long ways, t-SNE and UMAP neighbourhoods.
    dims : {2, 3}
        A plane or a room.
    seed : int
        Of t-SNE's and UMAP's random walk; the same seed and machine give the same map.
    neighbours : int
        How many segments a neighbourhood has (t-SNE's perplexity is twice that), at least 2.
    provenance : Provenance, optional
        Where the segments come from: needed to follow a previous map, and to tell which neighbours are of the same
        corpus.
    previous : Previous, optional
        The map before, which this one starts from (the same seed and most segments in common) and is laid over: turned,
        mirrored, scaled and shifted as a whole; of PCA, whose axes have a meaning, mirrored alone.

    Returns
    -------
    Embedding
        Points, shape (N, dims), the method used, and scores.

    Raises
    ------
    BadInput
        If the features are not a finite (N, F) array, or the method, dims or neighbours are not possible.

    Examples
    --------
    >>> placed = embed(np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]))
    >>> placed.method, placed.asked, placed.points.shape
    ('pca', 'umap', (3, 2))
    """
    check_asked(method, dims, neighbours)
    principal = principal_components(features, _COMPONENTS)
    check_provenance(provenance, previous, len(principal.scores))
    known, start = np.full(len(principal.scores), -1), None
    if previous is not None and provenance is not None and previous.points.shape[1] == dims:
        known = known_again(previous.provenance, provenance)
        if (previous.method, previous.seed) == (method, seed):
            start = starting_points(previous.points, known, principal.scores)
    used, points = _place(principal.scores, method, Wanted(dims, seed, neighbours, start))
    if previous is not None and (known >= 0).any():
        points = lay_over(points, previous.points, known, turn=used != "pca")
    elif used != "pca":
        points = lay_wide(points)
    explained = tuple(principal.explained[:dims].tolist()) if used == "pca" else ()
    return Embedding(points, used, method, score_map(features, points, provenance=provenance), explained)


def check_asked(method: str, dims: int, neighbours: int) -> None:
    """Refuse a map that cannot be made.

    Parameters
    ----------
    method : str
        Of `EMBEDDINGS`.
    dims : int
        2 or 3.
    neighbours : int
        At least 2.

    Raises
    ------
    BadInput
        If one is another.

    Examples
    --------
    >>> check_asked("pca", 2, 15)
    """
    if method not in EMBEDDINGS:
        raise BadInput(f"map: the embedding must be one of {', '.join(EMBEDDINGS)}, got {method!r}")
    if dims not in (2, 3):
        raise BadInput(f"map: an embedding must have 2 or 3 dimensions, got {dims}")
    if neighbours < 2:
        raise BadInput(f"map: a neighbourhood must have at least 2 segments, got {neighbours}")


def _place(scores: np.ndarray, method: str, wanted: Wanted) -> tuple[str, np.ndarray]:
    if method != "pca":
        # Rows that differ only by rounding count as one.
        tick = 1e-9 * max(1.0, float(np.abs(scores).max()))
        _, first, place = np.unique(np.round(scores / tick), axis=0, return_index=True, return_inverse=True)
        if len(first) >= LEAST:
            # In the order in which they sound: what is spread evenly over them is so over the music.
            order = np.argsort(first)
            first, rank = first[order], np.argsort(order)
            start = None if wanted.start is None else wanted.start[first]
            n_near = min(wanted.neighbours, len(first) - 1)
            points = METHODS[method](scores[first], Wanted(wanted.dims, wanted.seed, n_near, start))
            return method, points[rank[place.ravel()]]
    return "pca", first_axes(scores, wanted.dims)
