"""From a run to its map: latents cut into segments, placed, grouped, and given their sound."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.audio import AudioReader, shown_name
from stylemix.clusters.groups import Grouping, group_run
from stylemix.clusters.spaces import Segments, check_space, choose_space, in_words
from stylemix.embedding.embed import Embedding, embed
from stylemix.errors import BadInput
from stylemix.files import check_output
from stylemix.model.run import Run, inputs_of
from stylemix.progress import progress
from stylemix.style_map.page import MapData, write_map


class _FileClips:
    """Reads segments; the file read last stays open, since clips are asked for file by file."""

    def __init__(self, paths: Sequence[Path | None], segments: Segments) -> None:
        self._paths, self._segments = paths, segments
        self._reader: AudioReader | None = None
        self._index = -1

    def __call__(self, i: int) -> tuple[np.ndarray, int]:
        index = int(self._segments.file[i])
        path = self._paths[index]
        if path is None:
            raise BadInput(f"map: segment {i} has no sound, since its file is gone")
        if self._reader is None or index != self._index:
            self.close()
            self._reader, self._index = AudioReader(path), index
        rate = self._reader.sample_rate
        start = round(float(self._segments.start_s[i]) * rate)
        return self._reader.read(start, start + round(float(self._segments.duration_s[i]) * rate)), rate

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()


def _shown_files(run: Run) -> list[str]:
    # Below the folder that a corpus' files share: short, and still unlike each other.
    names = [""] * len(run.files)
    for corpus in range(len(run.corpora)):
        members = [i for i, file in enumerate(run.files) if file.corpus == corpus]
        folder = os.path.commonpath([Path(run.files[i].path).parent for i in members]) if members else ""
        for i in members:
            names[i] = shown_name(os.path.relpath(run.files[i].path, folder))
    return names


def _facts(run: Run, grouped: Grouping, placed: Embedding, seed: int) -> dict[str, str]:
    segments, groups = grouped.segments, grouped.clusters
    described = in_words(grouped.space, segments, grouped.features)
    n_gone = sum(path is None for path in grouped.paths)
    facts = {
        "Length of a segment": f"about {segments.length_s:.3g} s",
        "Placed by": f"{placed.method.upper()} of {described}",
        "Clusters": f"{groups.k}, by the {groups.criterion}, of 1 to {max(groups.scores, default=1)}",
        "Seed": str(seed),
        "Run": shown_name(run.path.name),
    }
    # Hybrids number the clusters of the default seed and space: only then are those of this page the same.
    if seed == 0 and grouped.space == choose_space(None, grouped.paths):
        facts["Numbers of clusters"] = "those of hybrid --source-cluster and --target-cluster"
    metrics = getattr(run, "metrics", {})
    if "error" in metrics and "pca_error" in metrics:
        facts["Held-out error"] = f"{metrics['error']:.3g} (PCA {metrics['pca_error']:.3g})"
    if n_gone:
        facts["Silent files"] = f"{n_gone} of {len(run.files)} have moved or changed since the training"
    return facts


def map_data(
    run: Run,
    *,
    space: str | None = None,
    seed: int = 0,
    update: Callable[..., None] = lambda done, note="": None,
) -> MapData:
    """Cut a run's files into segments, place and group them, and find their sound.

    Parameters
    ----------
    run : Run
        A finished run.
    space : {"latents", "scattering", "both"}, optional
        In what segments are alike: what the model learned of them, the statistics of their scattering, or both. By
        default both, or the latents alone where a recording has moved or changed since the training.
    seed : int
        Of the embedding and the clusters.
    update : callable
        ``update(done, note=...)`` hears how far it is, up to 0.6.

    Returns
    -------
    MapData
        For `write_map` or a page that holds a map; files that moved or changed since the training are silent.

    Raises
    ------
    BadInput
        If the space is unknown, or needs recordings that are gone.
    StylemixError
        If the run is damaged or its training did not finish.
    """
    grouped = group_run(run, space=space, seed=seed, update=update)
    segments, groups = grouped.segments, grouped.clusters
    update(0.4, note="placing")
    placed = embed(grouped.features, seed=seed)
    update(0.6, note="sound")
    shown, names = _shown_files(run), [shown_name(name) for name in run.corpora]
    there = np.array([path is not None for path in grouped.paths])
    return MapData(
        placed.points, grouped.corpus, groups.labels, [shown[i] for i in segments.file], segments.start_s,
        segments.duration_s, names, groups.names,
        clip=_FileClips(grouped.paths, segments), audible=there[segments.file], title=" and ".join(names),
        facts=_facts(run, grouped, placed, seed),
    )  # fmt: skip


def map_run(
    run: Run,
    out: str | Path,
    *,
    space: str | None = None,
    force: bool = False,
    seed: int = 0,
    show_progress: bool = True,
) -> dict[str, Any]:
    """Write the map of a run: one page that opens offline and plays every segment.

    Parameters
    ----------
    run : Run
        A finished run.
    out : str or Path
        The page.
    space : {"latents", "scattering", "both"}, optional
        In what segments are alike; see `map_data`.
    force : bool
        Allow an existing file to be replaced.
    seed : int
        Of the embedding and the clusters.
    show_progress : bool
        Show a bar on stderr.

    Returns
    -------
    dict
        path, bytes, segments, files, clusters, with_sound, longest_clip_s and notice.

    Raises
    ------
    BadInput
        If the page exists without `force` or is one of the run's files, or the space is no good.
    StylemixError
        If the run is damaged or the page cannot be written.
    """
    check_space(space)
    inputs = inputs_of(run)
    check_output(out, force=force, inputs=inputs)
    with progress("map", 1.0, show=show_progress) as update:
        points = map_data(run, space=space, seed=seed, update=update)
        facts = write_map(out, points, force=force, inputs=inputs)
        update(1.0)
    return facts
