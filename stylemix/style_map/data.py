"""What a map shows: segments and their places, what is measured of them, clusters, hybrids made beforehand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.pages.sprites import Clip
from stylemix.style_map.data_parts import Layout, Values, check_layouts, check_values

__all__ = ["ClusterInfo", "GridHybrid", "Layout", "MapData", "Values"]


@dataclass(frozen=True)
class ClusterInfo:
    """A cluster as the list under the map tells it.

    Parameters
    ----------
    number : int
        From 1, the label in `MapData.cluster` plus one; 0 for the segments in no cluster.
    name : str
        As shown, number included or not.
    size : int
        Segments in it.
    shares : mapping of str to float
        Share of each corpus in it, 0 to 1.
    medoid : int
        Its most typical segment, counted from 0 (row in `MapData`); -1 for none.
    nearest : mapping of str to (int, float)
        For each other corpus the number of the nearest cluster that is mostly of it, and how far it is.
    silhouette : float
        Mean silhouette of its segments; NaN if not measured.
    stability : float
        How surely it comes back with other data, 0 to 1; NaN if not measured.

    Examples
    --------
    >>> ClusterInfo(1, "1: low", 3, {"cage": 1.0}, 0).silhouette
    nan
    """

    number: int
    name: str
    size: int
    shares: Mapping[str, float]
    medoid: int
    nearest: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    silhouette: float = math.nan
    stability: float = math.nan


@dataclass(frozen=True)
class GridHybrid:
    """A hybrid between two clusters, rendered beforehand.

    Parameters
    ----------
    source_cluster, target_cluster : int
        Numbers of the clusters, from 1.
    alpha : float
        0 is the source, 1 the target.
    mode : str
        How it was made.
    wave : Wave
        Its sound.
    seconds : float
        Its length.
    command : str
        What makes it again.
    label : str
        As shown; made of the clusters and alpha by default.

    Examples
    --------
    >>> GridHybrid(1, 2, 0.5, "match", Wave(np.zeros(8), 8000), 0.001, "stylemix hybrid run.mix").alpha
    0.5
    """

    source_cluster: int
    target_cluster: int
    alpha: float
    mode: str
    wave: Wave
    seconds: float
    command: str
    label: str = ""


@dataclass(frozen=True)
class MapData:
    """What a map shows; every sequence has one entry a segment unless said otherwise.

    Parameters
    ----------
    xy : np.ndarray, shape (N, 2)
        Places on the plane; what is shown first where there are no `layouts`.
    corpus, cluster : np.ndarray, shape (N,), int
        Indices into `corpus_names` and `cluster_names`; cluster -1 is a segment in no cluster.
    files : sequence of str
        Name of the file, as shown.
    start_s, duration_s : np.ndarray, shape (N,)
        Where in the file (seconds).
    corpus_names, cluster_names : sequence of str
        As shown in the legend.
    clip : callable, optional
        ``clip(i)`` returns the samples (C, T) of segment i and their sample rate; without it there is no
        sound.
    audible : np.ndarray, shape (N,), bool, optional
        Which segments have sound; all by default. The others are drawn hollow.
    title : str
        Heading of the page.
    facts : mapping of str to str
        Where it comes from: model, method, criterion, seed.
    layouts : sequence of Layout
        Ways to place the segments, the first one shown first; `xy` alone by default.
    values : mapping of str to Values
        What is measured, by a short name such as ``loudness``.
    tags : sequence of str
        What each file says of itself, for the search; one a file, in the order in which files first appear.
    infos : sequence of ClusterInfo
        The clusters; told from `cluster` and `cluster_names` by default.
    hybrids : sequence of GridHybrid
        Made beforehand, shown as a grid and as dots between medoids.
    placed : np.ndarray, shape (N,), bool, optional
        Segments of new files set on an existing map; they are drawn apart. None by default.
    run : str
        Name of the run folder, for the commands that the page offers.
    partners : np.ndarray, shape (n_corpora, N), int, optional
        For each segment the one of each corpus that suits it best, -1 for its own corpus and where there is none.

    Raises
    ------
    BadInput
        If there is no segment, lengths disagree, or an index names no corpus or cluster.
    """

    xy: np.ndarray
    corpus: np.ndarray
    cluster: np.ndarray
    files: Sequence[str]
    start_s: np.ndarray
    duration_s: np.ndarray
    corpus_names: Sequence[str]
    cluster_names: Sequence[str]
    clip: Clip | None = None
    audible: np.ndarray | None = None
    title: str = "Map"
    facts: Mapping[str, str] = field(default_factory=dict)
    layouts: Sequence[Layout] = ()
    values: Mapping[str, Values] = field(default_factory=dict)
    tags: Sequence[str] = ()
    infos: Sequence[ClusterInfo] = ()
    hybrids: Sequence[GridHybrid] = ()
    placed: np.ndarray | None = None
    run: str = ""
    partners: np.ndarray | None = None

    def __post_init__(self) -> None:
        n = len(self.files)
        if self.audible is None:
            object.__setattr__(self, "audible", np.full(n, self.clip is not None))
        if self.placed is None:
            object.__setattr__(self, "placed", np.zeros(n, dtype=bool))
        wanted = {"xy": (n, 2)} | dict.fromkeys(
            ("corpus", "cluster", "start_s", "duration_s", "audible", "placed"), (n,)
        )
        for name, shape in wanted.items():
            values = np.asarray(getattr(self, name))
            if values.shape != shape or n == 0:
                raise BadInput(f"map: {name} must have shape {shape}, at least one segment, got {values.shape}")
            if not np.isfinite(values).all():
                raise BadInput(f"map: {name} must be finite, got NaN or infinity; embed finite features")
            object.__setattr__(self, name, values)
        self._check_indices()
        if (self.duration_s <= 0).any():
            raise BadInput(f"map: duration_s must be positive (seconds), got {self.duration_s.min()}")
        check_layouts(self.layouts, n)
        check_values(self.values, n)
        if not self.layouts:
            object.__setattr__(self, "layouts", (Layout("map", "Map", self.xy),))

    def _check_indices(self) -> None:
        # Clusters alone may say -1: a corpus is what a file was given with, so that there is none without.
        for name, known, least in (("corpus", self.corpus_names, 0), ("cluster", self.cluster_names, -1)):
            index = getattr(self, name)
            if index.min() < least or index.max() >= len(known):
                raise BadInput(
                    f"map: {name} must index its {len(known)} names, got {index.min()} to {index.max()}"
                )
        if self.tags and len(self.tags) != len(self.shown_files()[1]):
            raise BadInput(
                f"map: there must be one tag a file, got {len(self.tags)} for {len(self.shown_files()[1])} files"
            )
        for hybrid in self.hybrids:
            for number in (hybrid.source_cluster, hybrid.target_cluster):
                if not 1 <= number <= len(self.cluster_names):
                    raise BadInput(
                        f"map: a hybrid's clusters must be 1 to {len(self.cluster_names)}, got {number}"
                    )

    @property
    def n_segments(self) -> int:
        """Number of segments."""
        return len(self.files)

    def shown_files(self) -> tuple[np.ndarray, list[str]]:
        """Tell the files apart: the same name in two corpora is two files.

        Returns
        -------
        index : np.ndarray, shape (N,), int
            The file of each segment.
        names : list of str
            Their names, in the order in which they first appear.
        """
        known: dict[tuple[int, str], int] = {}
        pairs = zip(self.corpus.tolist(), self.files, strict=True)
        index = [known.setdefault((int(corpus), name), len(known)) for corpus, name in pairs]
        return np.array(index), [name for _, name in known]
