"""The clusters of a run as data, as lines and as a table: what is in each, what it is like, what is near it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from stylemix.audio import read_tags, shown_name
from stylemix.clusters.choice import ClusterChoice
from stylemix.clusters.describe import DESCRIPTORS, Described, describe_segments
from stylemix.clusters.groups import RunClusters, clusters_of
from stylemix.clusters.members import Cluster
from stylemix.clusters.spaces import choose_space, in_words
from stylemix.model.run import Run

_Command: TypeAlias = Callable[[int, int, int], str | None]


def list_clusters(
    run: Run,
    *,
    space: str | None = None,
    choice: ClusterChoice | None = None,
    seed: int = 0,
    update: Callable[..., None] = lambda done, note="": None,
) -> dict[str, Any]:
    """List the clusters of a run.

    Parameters
    ----------
    run : Run
        A finished run.
    space : {"latents", "scattering", "both"}, optional
        In what segments are alike; as for `stylemix.clusters.groups.group_run`.
    choice : ClusterChoice, optional
        By which method and into how many.
    seed : int
        Of the clusters.
    update : callable
        ``update(done, note=...)`` hears how far it is, up to 1.

    Returns
    -------
    dict
        JSON-safe, as `listing_of` makes it.

    Raises
    ------
    BadInput
        If the space is unknown or needs recordings that are gone, or there are fewer segments than clusters.
    StylemixError
        If the training did not finish.
    """
    return listing_of(run, clusters_of(run, space=space, choice=choice, seed=seed), choice=choice, seed=seed)


def listing_of(
    run: Run, found: RunClusters, *, choice: ClusterChoice | None = None, seed: int = 0
) -> dict[str, Any]:
    """List clusters that were found before.

    Parameters
    ----------
    run : Run
        The run.
    found : RunClusters
        Its clusters.
    choice : ClusterChoice, optional
        As they were asked for.
    seed : int
        As they were asked for.

    Returns
    -------
    dict
        run, space, described_by, method, seed, criterion, scores (of each number of clusters that was tried), segments,
        segment_s, files, silent_files, in_no_cluster (segments, seconds), corpora (segments and seconds of each),
        descriptors (label and unit of each) and clusters: number, name, size, seconds, shares, medoid (segment, file,
        path, corpus, start_s, duration_s, tags), descriptors (median and quartiles), silhouette, stability, and nearest
        (for each other corpus number, distance and the command of a hybrid with it).
    """
    grouping = found.grouping
    segments, paths, labels = grouping.segments, grouping.paths, grouping.clusters.labels
    described = describe_segments(paths, [file.sha256 for file in run.files], segments)
    seconds, names = segments.duration_s, [shown_name(name) for name in run.corpora]
    command = _command_maker(run, found, choice, seed)
    return {
        "run": str(run.path),
        "space": grouping.space,
        "described_by": in_words(grouping.space, segments, grouping.features),
        "method": str(choice or ClusterChoice()),
        "seed": seed,
        "criterion": grouping.clusters.criterion,
        "scores": {str(k): float(score) for k, score in grouping.clusters.scores.items()},
        "segments": len(labels),
        "segment_s": round(float(segments.length_s), 3),
        "files": len(run.files),
        "silent_files": sum(path is None for path in paths),
        "in_no_cluster": {"segments": int((labels < 0).sum()), "seconds": _round(seconds[labels < 0].sum(), 2)},
        "corpora": {
            name: {
                "segments": int((grouping.corpus == index).sum()),
                "seconds": _round(seconds[grouping.corpus == index].sum(), 2),
            }
            for index, name in enumerate(names)
        },
        "descriptors": {name: {"label": one.label, "unit": one.unit} for name, one in DESCRIPTORS.items()},
        "clusters": [_listed(run, found, one, described, names, command) for one in found.clusters],
    }


def _listed(
    run: Run, found: RunClusters, one: Cluster, described: Described, names: list[str], command: _Command
) -> dict[str, Any]:
    grouping = found.grouping
    mine = grouping.clusters.labels == one.number - 1
    return {
        "number": one.number,
        "name": grouping.clusters.names[one.number - 1],
        "size": one.size,
        "seconds": _round(grouping.segments.duration_s[mine].sum(), 2),
        "shares": {name: round(share, 4) for name, share in zip(names, one.shares, strict=True)},
        "medoid": _medoid(run, found, one, names),
        "descriptors": {name: _spread(values[mine]) for name, values in described.columns().items()},
        "silhouette": _round(getattr(one, "silhouette", None), 4),
        "stability": _round(getattr(one, "stability", None), 4),
        "nearest": {
            names[corpus]: {
                "number": number,
                "distance": _round(distance, 4),
                "command": command(one.number, number, corpus),
            }
            for corpus, (number, distance) in one.nearest.items()
        },
    }


def _medoid(run: Run, found: RunClusters, one: Cluster, names: list[str]) -> dict[str, Any]:
    middle, segments = one.medoid, found.grouping.segments
    path = found.grouping.paths[middle.file]
    at = np.flatnonzero((segments.file == middle.file) & (segments.start_s <= middle.start_s + 1e-6))[-1]
    recorded = str(run.files[middle.file].path if path is None else path)
    return {
        "segment": int(at) + 1,
        "file": shown_name(recorded.replace("\\", "/").rsplit("/", 1)[-1]),
        "path": recorded,
        "corpus": names[run.files[middle.file].corpus],
        "start_s": _round(middle.start_s, 3),
        "duration_s": _round(middle.duration_s, 3),
        "tags": "" if path is None else str(read_tags(path)),
    }


def _spread(values: np.ndarray) -> dict[str, float | None]:
    measured = values[np.isfinite(values)]
    low, median, high = np.percentile(measured, (25, 50, 75)) if len(measured) else (None, None, None)
    return {"median": _round(median, 3), "low": _round(low, 3), "high": _round(high, 3)}


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), digits)


def _command_maker(run: Run, found: RunClusters, choice: ClusterChoice | None, seed: int) -> _Command:
    """Write the command of a hybrid whose cluster numbers are these; None where no option would make them so."""
    grouping = found.grouping
    words = [] if choice in (None, ClusterChoice()) else ["--clusters", str(choice)]
    # Said only where it is not what a hybrid takes by itself.
    words += [] if grouping.space == choose_space(None, grouping.paths) else ["--space", grouping.space]

    def command(source: int, target: int, corpus: int) -> str | None:
        if seed != 0:
            return None
        # A name that begins with a dash would be taken for an option.
        name = run.corpora[corpus]
        to = [f"--to={name}"] if name.startswith("-") else ["--to", name]
        numbers = ["--source-cluster", str(source), "--target-cluster", str(target)]
        out = f"cluster-{source}-with-{target}.wav"
        return shlex.join(
            ["stylemix", "hybrid", str(run.path), *numbers, *to, *words, "--alpha", "0.5", "--out", out]
        )

    return command
