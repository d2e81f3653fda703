"""From a run to its map: latents cut into segments, placed, grouped, and given their sound."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.audio import AudioReader, shown_name
from stylemix.errors import BadInput
from stylemix.explore.cluster import Clusters, cluster
from stylemix.explore.embed import Embedding, embed
from stylemix.explore.page import MapData, write_map
from stylemix.explore.spaces import Segments, check_space, choose_space, features_in, in_words
from stylemix.files import check_output, sha256_file
from stylemix.model.run import Run, inputs_of
from stylemix.progress import progress

SEGMENT_S = 2.0
MOST_SEGMENTS = 6000
"""More points than this cover each other and keep UMAP busy for minutes; segments grow instead."""


def segments_from_latents(
    codes: np.ndarray, step_rate_hz: float, *, segment_s: float = SEGMENT_S
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut latents into equal segments and describe each by the mean and spread of its latents.

    Every step belongs to exactly one segment: the number of segments is the length over `segment_s`, rounded,
    at least one, so their length is near `segment_s` and no short rest is left over.

    Parameters
    ----------
    codes : np.ndarray, shape (D, N)
        Latents of one file, N >= 1.
    step_rate_hz : float
        Latent steps a second.
    segment_s : float
        Wanted length of a segment (seconds).

    Returns
    -------
    features : np.ndarray, shape (M, 2 D)
        Mean, then standard deviation, of each latent over the segment.
    start_s : np.ndarray, shape (M,)
        Where each segment starts (seconds).
    duration_s : np.ndarray, shape (M,)
        How long it is (seconds).

    Raises
    ------
    BadInput
        If there is no latent step, or a rate or length is not positive.

    Examples
    --------
    >>> features, start_s, duration_s = segments_from_latents(np.ones((3, 40)), 10.0)
    >>> features.shape, start_s.tolist(), duration_s.tolist()
    ((2, 6), [0.0, 2.0], [2.0, 2.0])
    """
    steps = np.asarray(codes, dtype=np.float64)
    if steps.ndim != 2 or steps.shape[1] < 1:
        raise BadInput(f"codes: must have shape (D, N) with at least one step, got {steps.shape}")
    if not step_rate_hz > 0 or not segment_s > 0:
        raise BadInput(
            f"step_rate_hz and segment_s: must be positive, got {step_rate_hz} Hz and {segment_s} s"
        )
    n_steps = steps.shape[1]
    n_segments = int(np.clip(round(n_steps / step_rate_hz / segment_s), 1, n_steps))
    edges = np.round(np.linspace(0, n_steps, n_segments + 1)).astype(int)
    pieces = [steps[:, a:b] for a, b in zip(edges[:-1], edges[1:], strict=True)]
    features = np.stack([np.concatenate([piece.mean(axis=1), piece.std(axis=1)]) for piece in pieces])
    return features, edges[:-1] / step_rate_hz, np.diff(edges) / step_rate_hz


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


def _segments_of(run: Run, update: Callable[..., None]) -> Segments:
    total_s = sum(file.seconds for file in run.files)
    length_s = max(SEGMENT_S, total_s / MOST_SEGMENTS)
    cut = []
    for index in range(len(run.files)):
        latents = run.latents(index)
        cut.append(segments_from_latents(latents.codes, latents.step_rate_hz, segment_s=length_s))
        update(0.1 * (index + 1) / len(run.files), note="latents")
    features, start_s, duration_s = (np.concatenate(parts) for parts in zip(*cut, strict=True))
    file = np.repeat(np.arange(len(cut)), [len(part[1]) for part in cut])
    return Segments(features, file, start_s, duration_s, length_s)


def _shown_files(run: Run) -> list[str]:
    # Below the folder that a corpus' files share: short, and still unlike each other.
    names = [""] * len(run.files)
    for corpus in range(len(run.corpora)):
        members = [i for i, file in enumerate(run.files) if file.corpus == corpus]
        folder = os.path.commonpath([Path(run.files[i].path).parent for i in members]) if members else ""
        for i in members:
            names[i] = shown_name(os.path.relpath(run.files[i].path, folder))
    return names


def _unchanged_paths(run: Run) -> list[Path | None]:
    # A file that has moved or changed would play something else than its point.
    paths: list[Path | None] = []
    for index, file in enumerate(run.files):
        try:
            path = run.file_path(index)
            paths.append(path if sha256_file(path) == file.sha256 else None)
        except (BadInput, OSError):
            paths.append(None)
    return paths


def _facts(
    run: Run, segments: Segments, described: str, placed: Embedding, groups: Clusters, seed: int, n_gone: int
) -> dict[str, str]:
    facts = {
        "Length of a segment": f"about {segments.length_s:.3g} s",
        "Placed by": f"{placed.method.upper()} of {described}",
        "Clusters": f"{groups.k}, by the {groups.criterion}, of 1 to {max(groups.scores, default=1)}",
        "Seed": str(seed),
        "Run": shown_name(run.path.name),
    }
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
    check_space(space)
    segments = _segments_of(run, update)
    corpus = np.array([file.corpus for file in run.files])[segments.file]
    paths, shown = _unchanged_paths(run), _shown_files(run)
    space = choose_space(space, paths)
    hashes = [file.sha256 for file in run.files]
    features = features_in(space, segments, paths, hashes, lambda share: update(0.1 + 0.2 * share, note="scattering"))
    update(0.3, note="placing")
    placed = embed(features, seed=seed)
    update(0.5, note="clusters")
    names = [shown_name(name) for name in run.corpora]
    groups = cluster(features, corpus, names, seed=seed)
    update(0.6, note="sound")
    there = np.array([path is not None for path in paths])
    return MapData(
        placed.points, corpus, groups.labels, [shown[i] for i in segments.file], segments.start_s,
        segments.duration_s, names, groups.names,
        clip=_FileClips(paths, segments), audible=there[segments.file], title=" and ".join(names),
        facts=_facts(run, segments, in_words(space, segments, features), placed, groups, seed, int((~there).sum())),
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
