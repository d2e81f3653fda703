"""How far a map can be trusted: what it keeps of the neighbourhoods that it pictures, in numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from stylemix.embedding.principal import fit_standard
from stylemix.embedding.stability import Provenance

NEIGHBOURS = 10
MOST_RANKED = 2000
"""Ranking all pairs takes time and memory that grow with the square of their number: 0.1 s for so many."""
# Rows of distances held at once: 40 MB of 20,000 segments.
_CHUNK = 256


@dataclass(frozen=True)
class Scores:
    """What a map keeps; NaN where there is too little to tell.

    Parameters
    ----------
    trustworthiness : float
        1 where all neighbours on the map are neighbours in the space; about 0.5 for points thrown at random.
    continuity : float
        1 where all neighbours in the space are neighbours on the map: nothing was torn apart.
    kept : float
        Part of the nearest neighbours in the space that are among the nearest on the map, 0 to 1.
    same_corpus : float
        Part of the nearest neighbours on the map, of those from other files, that are of the same corpus.
    same_corpus_by_chance : float
        What that would be if points were thrown at random.
    neighbours : int
        How many are the nearest.
    n_ranked : int
        How many segments were looked at, evenly spread over all; trustworthiness and continuity are of these alone.
    """

    trustworthiness: float = np.nan
    continuity: float = np.nan
    kept: float = np.nan
    same_corpus: float = np.nan
    same_corpus_by_chance: float = np.nan
    neighbours: int = 0
    n_ranked: int = 0

    def shown(self) -> dict[str, float]:
        """Return what is known, for people and JSON.

        Returns
        -------
        dict of str to float
            Without what could not be told.

        Examples
        --------
        >>> Scores(trustworthiness=0.9, neighbours=10, n_ranked=400).shown()
        {'trustworthiness': 0.9, 'neighbours': 10, 'n_ranked': 400}
        """
        return {name: value for name, value in asdict(self).items() if np.isfinite(value)}


def score_map(
    features: np.ndarray, points: np.ndarray, *, provenance: Provenance | None = None, neighbours: int = NEIGHBOURS
) -> Scores:
    """Measure what a map keeps of the neighbourhoods in the space of the features.

    Parameters
    ----------
    features : np.ndarray, shape (N, F)
        One row a segment; standardised before they are compared, and not reduced: what the reduction to principal
        components loses is counted against the map.
    points : np.ndarray, shape (N, dims)
        Where each lies.
    provenance : Provenance, optional
        Tells their files and corpora, without which nothing is said of corpora.
    neighbours : int
        How many are near, at most; fewer among few segments.

    Returns
    -------
    Scores
        Of up to 2000 segments, evenly spread; those that equal an earlier one of these are left out.

    References
    ----------
    J. Venna, S. Kaski: Neighborhood preservation in nonlinear projection methods: an experimental study. ICANN 2001.
    J. A. Lee, M. Verleysen: Quality assessment of dimensionality reduction: rank-based criteria. Neurocomputing 72,
    2009.

    Examples
    --------
    >>> line = np.arange(50.0)[:, None]
    >>> score_map(line, -3 * line).kept
    1.0
    """
    scaled = fit_standard(features).scale(features)
    asked = np.unique(np.linspace(0, len(scaled) - 1, min(MOST_RANKED, len(scaled))).round().astype(int))
    # The neighbours of equal segments are in no order: all ranks among them would be chance.
    asked = asked[np.sort(np.unique(scaled[asked].round(9), axis=0, return_index=True)[1])]
    k = min(neighbours, (len(asked) - 1) // 2)
    if k < 1:
        return Scores(n_ranked=len(asked))
    trust, continuity = _ranked(scaled[asked], points[asked], k)
    kept, same, chance = _near(scaled, points, asked, k, provenance)
    return Scores(trust, continuity, kept, same, chance, k, len(asked))


def _ranked(scaled: np.ndarray, points: np.ndarray, k: int) -> tuple[float, float]:
    from sklearn.manifold import trustworthiness

    trust = float(trustworthiness(scaled, points, n_neighbors=k))
    # Continuity asks of the map what trustworthiness asks of the space.
    return trust, float(trustworthiness(points, scaled, n_neighbors=k))


def _near(
    scaled: np.ndarray, points: np.ndarray, asked: np.ndarray, k: int, provenance: Provenance | None
) -> tuple[float, float, float]:
    """Look at the nearest neighbours of some segments among all: kept, same corpus, same corpus by chance."""
    from sklearn.metrics import pairwise_distances

    kept, same, chance = [], [], []
    corpus = None if provenance is None else provenance.corpus
    for rows in np.array_split(asked, -(-len(asked) // _CHUNK)):
        in_space, on_map = pairwise_distances(scaled[rows], scaled), pairwise_distances(points[rows], points)
        for distances in (in_space, on_map):
            distances[np.arange(len(rows)), rows] = np.inf
        limit = np.partition(in_space, k - 1, axis=1)[:, k - 1]
        nearest = np.argpartition(on_map, k - 1, axis=1)[:, :k]
        # One as near as the last of the nearest counts as one of them: which of equal ones were taken is chance.
        there = np.take_along_axis(in_space, nearest, axis=1)
        kept.append((there <= limit[:, None] * (1 + 1e-9)).mean(axis=1))
        if provenance is not None and corpus is not None:
            foreign = provenance.file[rows][:, None] != provenance.file
            alike = corpus[rows][:, None] == corpus
            # A corpus of one file has no neighbours of its own in other files, near or far.
            told = (foreign & alike).any(axis=1)
            foreign, alike, away = foreign[told], alike[told], np.where(foreign, on_map, np.inf)[told]
            chance.append((foreign & alike).sum(axis=1) / np.maximum(foreign.sum(axis=1), 1))
            same.append(_share_of_nearest(away, alike, k))
    return tuple(_mean(parts) for parts in (kept, same, chance))  # type: ignore[return-value]


def _share_of_nearest(distances: np.ndarray, alike: np.ndarray, k: int) -> np.ndarray:
    nearest = np.argsort(distances, axis=1)[:, :k]
    found = np.cumsum(np.take_along_axis(alike & np.isfinite(distances), nearest, axis=1), axis=1)
    # No more neighbours than there are of the same corpus in other files: 1 can be reached in a small one too.
    asked = np.clip((alike & np.isfinite(distances)).sum(axis=1), 1, nearest.shape[1])
    return np.take_along_axis(found, asked[:, None] - 1, axis=1)[:, 0] / asked


def _mean(parts: list[np.ndarray]) -> float:
    values = np.concatenate(parts) if parts else np.zeros(0)
    return float(values.mean()) if len(values) else float("nan")
