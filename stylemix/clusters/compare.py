"""All spaces, ways to cluster and ways to draw a map, side by side: which of them tells the styles of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.audio import shown_name
from stylemix.clusters.choice import METHODS, ClusterChoice
from stylemix.clusters.cluster import N_DIMS, cluster
from stylemix.clusters.quality import measure_quality
from stylemix.clusters.segments import segments_of, unchanged_paths
from stylemix.clusters.spaces import SPACES, Segments, check_space, choose_space, features_in
from stylemix.clusters.stability import Origin
from stylemix.embedding.embed import EMBEDDINGS, check_asked, embed
from stylemix.embedding.principal import principal_scores
from stylemix.embedding.stability import Provenance
from stylemix.model.run import Run

CHOICES = tuple(ClusterChoice(name) for name in METHODS)
"""Every method with the number that its criterion tells."""
Update = Callable[..., None]
_CLUSTER_COLUMNS = {
    "k": "k", "purity": "purity", "purity_by_chance": "by chance", "ari": "ARI", "ami": "AMI", "ami_files": "files",
    "silhouette": "silhouette", "seeds": "seeds", "stability": "recovered", "outside": "in none",
}  # fmt: skip
_MAP_COLUMNS = {
    "trustworthiness": "trust", "continuity": "continuity", "kept": "kept", "same_corpus": "corpus",
    "same_corpus_by_chance": "by chance",
}  # fmt: skip


@dataclass(frozen=True)
class _Music:
    """What every comparison looks at."""

    paths: Sequence[Path | None]
    segments: Segments
    corpus: np.ndarray
    names: list[str]
    hashes: list[str]
    seed: int

    def facts(self) -> dict[str, Any]:
        return {
            "segments": len(self.corpus),
            "files": len(self.hashes),
            "corpora": self.names,
            "seed": self.seed,
            "resampled": Origin(self.segments.file, self.corpus).unit(),
        }


def compare_map(
    run: Run,
    *,
    spaces: Sequence[str] | None = None,
    choices: Sequence[ClusterChoice] = CHOICES,
    embeddings: Sequence[str] = EMBEDDINGS,
    seed: int = 0,
    update: Update = lambda done, note="": None,
) -> dict[str, Any]:
    """Compare what a run's segments are alike by, how they are clustered and how they are drawn.

    Parameters
    ----------
    run : Run
        A finished run.
    spaces : sequence of {"latents", "scattering", "both"}, optional
        By default all, or the latents alone where a recording has moved or changed.
    choices : sequence of ClusterChoice
        Ways to cluster; by default every method.
    embeddings : sequence of str
        Ways to draw a map, in 2 dimensions; by default all.
    seed : int
        Of all of them.
    update : callable
        ``update(done, note=...)`` hears how far it is, 0 to 1.

    Returns
    -------
    dict
        JSON-safe. segments, files, corpora, seed, resampled (what bootstrap samples are drawn of); clusters: a row for
        each space and choice (space, method, criterion, and what `Quality` says of them, `stability` for how well they
        are recovered); maps: a row for each space and embedding (space, method, used, and what `Scores` says); None
        where nothing can be said.

    Raises
    ------
    BadInput
        If a space or an embedding is unknown, or a space needs recordings that are gone.
    StylemixError
        If the training did not finish.
    """
    for space in spaces or ():
        check_space(space)
    for method in embeddings:
        check_asked(method, 2, 15)
    music = _music_of(run, seed, update)
    if spaces is None:
        spaces = SPACES if all(path is not None for path in music.paths) else ("latents",)
    clusters, maps = list[dict[str, Any]](), list[dict[str, Any]]()
    n_jobs = len(spaces) * (len(choices) + len(embeddings))

    def told(space: str, way: object) -> dict[str, Any]:
        update(0.1 + 0.9 * (len(clusters) + len(maps)) / n_jobs, note=f"{space}, {way}")
        return {"space": space, "method": str(way)}

    for space in spaces:
        features = features_in(choose_space(space, music.paths), music.segments, music.paths, music.hashes)
        points = principal_scores(features, N_DIMS)
        for choice in choices:
            clusters.append(told(space, choice) | _clustered(features, points, choice, music))
        for method in embeddings:
            maps.append(told(space, method) | _drawn(features, method, music))
    update(1.0)
    return music.facts() | {"clusters": clusters, "maps": maps}


def _music_of(run: Run, seed: int, update: Update) -> _Music:
    segments = segments_of(run, update)
    corpus = np.array([file.corpus for file in run.files])[segments.file]
    hashes, names = [file.sha256 for file in run.files], [shown_name(name) for name in run.corpora]
    return _Music(unchanged_paths(run), segments, corpus, names, hashes, seed)


def _clustered(features: np.ndarray, points: np.ndarray, choice: ClusterChoice, music: _Music) -> dict[str, Any]:
    found = cluster(features, music.corpus, music.names, points=points, choice=choice, seed=music.seed)
    quality = measure_quality(points, found.labels, music.corpus, music.segments.file, choice, seed=music.seed)
    told: dict[str, Any] = {"k": found.k, "criterion": found.criterion}
    return told | {name: _rounded(getattr(quality, name)) for name in _CLUSTER_COLUMNS if name != "k"}


def _drawn(features: np.ndarray, method: str, music: _Music) -> dict[str, Any]:
    segments = music.segments
    provenance = Provenance(music.hashes, segments.file, segments.start_s, music.corpus)
    drawn = embed(features, method=method, seed=music.seed, provenance=provenance)
    told: dict[str, Any] = {"used": drawn.method}
    return told | {name: _rounded(getattr(drawn.scores, name)) for name in _MAP_COLUMNS}


def _rounded(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), 4)


def comparison_lines(compared: Mapping[str, Any]) -> list[str]:
    """Write a comparison as two tables, with what their columns are.

    Parameters
    ----------
    compared : mapping
        From `compare_map`.

    Returns
    -------
    list of str
        For a terminal.

    Examples
    --------
    >>> row = {"space": "both", "method": "pca", "used": "pca", "trustworthiness": 0.9}
    >>> compared = {"segments": 9, "files": 2, "corpora": ["a", "b"], "seed": 0, "resampled": "segments"}
    >>> comparison_lines(compared | {"clusters": [], "maps": [row]})[-1].split()
    ['both', 'pca', '0.90', '-', '-', '-', '-']
    """
    corpora = " and ".join(compared["corpora"])
    lines = [f"{compared['segments']} segments of {compared['files']} files of {corpora}, seed {compared['seed']}", ""]
    lines += _table(compared["clusters"], _CLUSTER_COLUMNS)
    lines += [
        "k: by each method's criterion, where it is not asked for; recordings alone can make several",
        "purity: share of the segments in clusters from the corpus that most of their cluster comes from; by chance: "
        "what one cluster of them would have",
        "ARI, AMI: agreement with the corpora, 0 by chance; files: AMI with the recordings instead",
        "seeds: ARI between five seeds; recovered: mean Jaccard index in bootstrap samples of the "
        f"{compared['resampled']}, below 0.6 is not to be trusted; in none: share that HDBSCAN leaves out",
        "",
    ]
    lines += [
        "trust, continuity: neighbours on the map that are so in the space, and the reverse; kept: share of the ten "
        "nearest",
        "corpus: neighbours on the map, from other files, of the same corpus, and by chance",
        "",
    ]
    return lines + _table(compared["maps"], _MAP_COLUMNS)


def _table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> list[str]:
    heads = ["space", "method", *columns.values()]
    cells = [[row["space"], row["method"], *(_cell(row.get(name)) for name in columns)] for row in rows]
    widths = [max(len(row[i]) for row in [heads, *cells]) for i in range(len(heads))]
    # Words to the left, numbers to the right.
    return [
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [heads, *cells]
    ]


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.2f}"
