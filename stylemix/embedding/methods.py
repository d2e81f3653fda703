"""The methods that place segments by their neighbours: Isomap, t-SNE and UMAP, each kept to memory and time."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_FITTED = 2000
"""Isomap keeps all distances between so many segments, 32 MB, and finds its axes among them in a second or two."""
# Ways lead through the subset alone, so that they have to be dense enough for a neighbourhood of them not to bridge
# a fold: of 8000 points on a Swiss roll, the first axis has a correlation with the length of the roll of 0.08 with 500
# of them, 0.85 with 1000 and 1.000 with 2000 (bench_embed.py --roll).
# Of 20,000 windows over latents, 1000 iterations of t-SNE take 72 s and 500 take 38 s; the trustworthiness is 0.910 and
# 0.906.
_MANY, _ROUNDS, _ROUNDS_OF_MANY = 8000, 1000, 500
# scikit-learn steps by at least 50, which throws few segments about in space: in three dimensions, the Kullback-Leibler
# divergence of two groups of 40 ends at 1.6, and of 451 segments of two corpora at 0.58; with N / 48 and at least 10 at
# 0.17 and 0.49. In the plane there is no difference.
_LEAST_RATE = 10.0
# From a map before, few iterations in small steps, and without t-SNE's early exaggeration. With 1 or 4 of 16 files gone
# or new, known segments of two pairs of corpora then move by 0.03 to 0.13 of the map's radius (median; t-SNE 0.01 to
# 0.10) and otherwise by 0.17 to 0.49 (t-SNE 0.05 to 0.26), at the same trustworthiness within 0.007 (bench_embed.py).
_FEW_ROUNDS, _GENTLY = 250, 0.1


@dataclass(frozen=True)
class Wanted:
    """What map is asked for.

    Parameters
    ----------
    dims : int
        2 or 3.
    seed : int
        Of all chance.
    neighbours : int
        How many segments a neighbourhood has.
    start : np.ndarray, shape (N, dims), or None
        Where to start from: the map before.
    """

    dims: int
    seed: int
    neighbours: int
    start: np.ndarray | None = None


def first_axes(scores: np.ndarray, dims: int) -> np.ndarray:
    """Take the leading principal components as a map.

    Parameters
    ----------
    scores : np.ndarray, shape (N, D)
        Largest variance first.
    dims : int
        Wanted; those that there are not are zero.

    Returns
    -------
    np.ndarray, shape (N, dims)
        The map.

    Examples
    --------
    >>> first_axes(np.array([[1.0], [-1.0]]), 2).tolist()
    [[1.0, 0.0], [-1.0, 0.0]]
    """
    plane = np.zeros((len(scores), dims))
    plane[:, : min(dims, scores.shape[1])] = scores[:, :dims]
    return plane


def place_by_isomap(scores: np.ndarray, wanted: Wanted) -> np.ndarray:
    """Place segments by the lengths of the ways through their neighbourhoods.

    Parameters
    ----------
    scores : np.ndarray, shape (N, D)
        Distinct segments.
    wanted : Wanted
        What is asked for.

    Returns
    -------
    np.ndarray, shape (N, dims)
        The map. Of more than 2000 segments, it is the Isomap of 2000 of them, evenly spread, in which the others are
        placed by their ways to those. Parts without any neighbours in common are joined where they are nearest.

    Notes
    -----
    A way leads from a segment to its nearest ones among the 2000 and on through these alone, while landmark Isomap
    lets it lead through all segments. So much music that 2000 segments do not cover it closely gets short cuts: what
    is rolled up is then not unrolled.

    References
    ----------
    J. B. Tenenbaum, V. de Silva, J. C. Langford: A global geometric framework for nonlinear dimensionality reduction.
    Science 290, 2000.
    Y. Bengio, J.-F. Paiement, P. Vincent, O. Delalleau, N. Le Roux, M. Ouimet: Out-of-sample extensions for LLE,
    Isomap, MDS, eigenmaps, and spectral clustering. NIPS 2003 (the others).
    """
    from sklearn.manifold import Isomap

    subset = np.unique(np.linspace(0, len(scores) - 1, min(MOST_FITTED, len(scores))).round().astype(int))
    # The iterative solver begins at random, and not by a seed; ways between 2000 segments allow the exact one.
    model = Isomap(n_neighbors=wanted.neighbours, n_components=wanted.dims, eigen_solver="dense")
    with _quiet():
        points = model.fit_transform(scores[subset])
        if len(subset) < len(scores):
            pieces = np.array_split(scores, -(-len(scores) // MOST_FITTED))
            points = np.concatenate([model.transform(piece) for piece in pieces])
    # Mirrored so that it lies like the principal components do.
    return points * np.where((points * first_axes(scores, wanted.dims)).sum(axis=0) < 0, -1.0, 1.0)


def place_by_tsne(scores: np.ndarray, wanted: Wanted) -> np.ndarray:
    """Place segments so that the chances of meeting a neighbour are those in the space.

    Parameters
    ----------
    scores : np.ndarray, shape (N, D)
        Distinct segments.
    wanted : Wanted
        The perplexity is twice the neighbours.

    Returns
    -------
    np.ndarray, shape (N, dims)
        The map.

    References
    ----------
    L. van der Maaten, G. Hinton: Visualizing data using t-SNE. Journal of Machine Learning Research 9, 2008.
    D. Kobak, P. Berens: The art of using t-SNE for single-cell transcriptomics. Nature Communications 10, 2019 (a
    start of spread 0.0001, from principal components).
    """
    from sklearn.manifold import TSNE

    if wanted.start is None:
        axes = first_axes(scores, wanted.dims)
        start, exaggeration = (axes - axes.mean(axis=0)) / float(axes[:, 0].std()) * 1e-4, 12.0
        rounds = _ROUNDS if len(scores) <= _MANY else _ROUNDS_OF_MANY
    else:
        start, exaggeration, rounds = wanted.start - wanted.start.mean(axis=0), 1.0, _FEW_ROUNDS
    model = TSNE(
        wanted.dims, perplexity=min(2 * wanted.neighbours, (len(scores) - 1) / 3), init=start.astype(np.float32),
        early_exaggeration=exaggeration, max_iter=rounds, random_state=wanted.seed, n_jobs=1,
        learning_rate=max(_LEAST_RATE, len(scores) / 48),
    )  # fmt: skip
    with _quiet():
        return np.asarray(model.fit_transform(scores), dtype=np.float64)


def place_by_umap(scores: np.ndarray, wanted: Wanted) -> np.ndarray:
    """Place segments so that the graph of their neighbourhoods keeps its shape.

    Parameters
    ----------
    scores : np.ndarray, shape (N, D)
        Distinct segments.
    wanted : Wanted
        What is asked for.

    Returns
    -------
    np.ndarray, shape (N, dims)
        The map.

    References
    ----------
    L. McInnes, J. Healy, J. Melville: UMAP: Uniform Manifold Approximation and Projection for Dimension
    Reduction. arXiv:1802.03426, 2018.
    D. Kobak, G. C. Linderman: Initialization is critical for preserving global data structure in both t-SNE and UMAP.
    Nature Biotechnology 39, 2021 (a start from principal components).
    """
    from sklearn.neighbors import NearestNeighbors

    with _quiet():
        from umap import UMAP

        # Exact neighbours: of 20,000 segments in 1.3 s, while the approximate ones compile for longer than that.
        near = NearestNeighbors(n_neighbors=wanted.neighbours, algorithm="brute").fit(scores)
        distances, indices = near.kneighbors(scores)
        start, kept = _go_on(wanted) if wanted.start is not None else (first_axes(scores, wanted.dims), {})
        # UMAP divides by the width of each axis, which must not be 0, and pulls equal places apart in its own way.
        noise = np.random.default_rng(wanted.seed).normal(size=start.shape)
        model = UMAP(
            n_components=wanted.dims, n_neighbors=wanted.neighbours, random_state=wanted.seed, n_jobs=1,
            init=(start + 1e-4 * start.std() * noise).astype(np.float32), precomputed_knn=(indices, distances), **kept,
        )  # fmt: skip
        return np.asarray(model.fit_transform(scores), dtype=np.float64)


def _go_on(wanted: Wanted) -> tuple[np.ndarray, dict[str, Any]]:
    """Turn the map before so that UMAP leaves its shape alone, and say how to go on from it in small steps."""
    from scipy.stats import special_ortho_group
    from umap.umap_ import find_ab_params

    # Whatever UMAP starts from, it stretches to a width of 10 along each axis. A map turned so that it is equally wide
    # along all of them only changes its size, by s. Two points attract each other by 1 / (1 + a d^(2 b)), which of s d
    # is the same with a s^(-2 b), and gradients there are 1 / s of what they were: steps of s^2 as much move as far.
    start = np.asarray(wanted.start)
    turns = special_ortho_group(wanted.dims, seed=0).rvs(300)
    widths = np.ptp(start @ turns, axis=1)
    start = start @ turns[np.argmin(widths.max(axis=1) / np.maximum(widths.min(axis=1), 1e-300))]
    scale = 10 / max(float(np.ptp(start, axis=0).mean()), 1e-300)
    a, b = find_ab_params(1.0, 0.1)
    kept = {"a": a * scale ** (-2 * b), "b": b, "learning_rate": _GENTLY * scale**2, "n_epochs": _FEW_ROUNDS}
    return start, kept


METHODS: dict[str, Callable[[np.ndarray, Wanted], np.ndarray]] = {
    "isomap": place_by_isomap,
    "tsne": place_by_tsne,
    "umap": place_by_umap,
}


@contextmanager
def _quiet() -> Iterator[None]:
    # A fixed seed costs UMAP its threads, Isomap joins parts that have no way between them, and each says so every
    # time; all of it is wanted here.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(umap|sklearn|numba|pynndescent|scipy)\b.*")
        warnings.filterwarnings("ignore", message=".*n_jobs.*|.*[Ss]pectral.*|.*n_neighbors.*|.*precomputed_knn.*")
        yield
