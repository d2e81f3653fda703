"""The clusters of a run as data, as lines and as a table: what is in each, what it is like, what is near it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from stylemix.audio import read_tags, shown_name
from stylemix.clusters.choice import DEFAULT_CHOICE, ClusterChoice
from stylemix.clusters.describe import DESCRIPTORS, Described, describe_segments
from stylemix.clusters.groups import RunClusters, clusters_of
from stylemix.clusters.judging import judge
from stylemix.clusters.members import Cluster
from stylemix.clusters.spaces import choose_space, in_words
from stylemix.model.run import Run

_Command: TypeAlias = Callable[[int, int, int], str]


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
    found = clusters_of(run, space=space, choice=choice, seed=seed, update=update)
    judged = judge(found, seed=seed, update=lambda done, note="": update(0.4 + 0.4 * done, note=note))
    return listing_of(run, judged, seed=seed, update=lambda share: update(0.8 + 0.2 * share, note="describing"))


def listing_of(
    run: Run, found: RunClusters, *, seed: int = 0, update: Callable[[float], None] = lambda share: None
) -> dict[str, Any]:
    """List clusters that were found before.

    Parameters
    ----------
    run : Run
        The run.
    found : RunClusters
        Its clusters; judged, where silhouette and stability are to be told.
    seed : int
        With which they were found.
    update : callable
        ``update(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    dict
        run, space, described_by, method, seed, number (how it was chosen, in words), criterion, scores (of each number
        of clusters that was tried), segments, segment_s, files, silent_files, in_no_cluster (segments, seconds),
        corpora (segments and seconds of each), descriptors (label and unit of each), quality (None where it was not
        measured; its `resampled` says whether stability is of draws of recordings or of segments) and clusters: number,
        name, size, seconds, shares, medoid (segment, file, path, corpus, start_s, duration_s, tags), descriptors
        (median and quartiles), silhouette, stability, and nearest (for each other corpus number, distance and the
        command of a hybrid with it).
    """
    grouping = found.grouping
    segments, paths, labels = grouping.segments, grouping.paths, grouping.clusters.labels
    described = grouping.described or describe_segments(
        paths, [file.sha256 for file in run.files], segments, update
    )
    seconds, names = segments.duration_s, [shown_name(name) for name in run.corpora]
    command, groups = _command_maker(run, found, seed), grouping.clusters
    return {
        "run": str(run.path),
        "space": grouping.space,
        "described_by": in_words(grouping.space, segments, grouping.features),
        "method": str(groups.choice),
        "seed": seed,
        "number": groups.in_words(),
        "criterion": groups.criterion,
        "scores": {str(k): float(score) for k, score in groups.scores.items()},
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
        "quality": _quality(found),
        "clusters": [_listed(run, found, one, described, names, command) for one in found.clusters],
    }


def _listed(
    run: Run, found: RunClusters, one: Cluster, described: Described, names: list[str], command: _Command
) -> dict[str, Any]:
    grouping = found.grouping
    # Labels count from 0 as rows do, numbers from 1 as people do.
    mine = grouping.clusters.labels == one.number - 1
    return {
        "number": one.number,
        "name": grouping.clusters.names[one.number - 1],
        "size": one.size,
        "seconds": _round(grouping.segments.duration_s[mine].sum(), 2),
        "shares": {name: round(share, 4) for name, share in zip(names, one.shares, strict=True)},
        "medoid": _medoid(run, found, one, names),
        "descriptors": {name: _spread(values[mine]) for name, values in described.columns().items()},
        "silhouette": _round(one.silhouette, 4),
        "stability": _round(one.stability, 4),
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
    # A start is a float that went through seconds: the last that is no later is the one, whatever it was rounded to.
    at = np.flatnonzero((segments.file == middle.file) & (segments.start_s <= middle.start_s + 1e-6))[-1]
    # The name of what is gone may come from a run that was trained on another system.
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
    # Quartiles and not the spread: one silent or odd segment must not move what is said of a cluster.
    measured = values[np.isfinite(values)]
    low, median, high = np.percentile(measured, (25, 50, 75)) if len(measured) else (None, None, None)
    return {"median": _round(median, 3), "low": _round(low, 3), "high": _round(high, 3)}


def _round(value: float | None, digits: int) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), digits)


def _quality(found: RunClusters) -> dict[str, float | str | None] | None:
    quality = found.quality
    if quality is None:
        return None
    names = ("purity", "purity_by_chance", "silhouette", "stability", "seeds", "ari", "ami", "ami_files")
    return {name: _round(getattr(quality, name), 4) for name in names} | {"resampled": quality.resampled}


def _command_maker(run: Run, found: RunClusters, seed: int) -> _Command:
    """Make what writes the command of a hybrid whose cluster numbers are these."""
    grouping = found.grouping
    choice = grouping.clusters.choice
    words = [] if choice == DEFAULT_CHOICE else ["--clusters", str(choice)]
    # Said only where it is not what a hybrid takes by itself.
    words += [] if grouping.space == choose_space(None, grouping.paths) else ["--space", grouping.space]
    words += [] if seed == 0 else ["--cluster-seed", str(seed)]

    def command(source: int, target: int, corpus: int) -> str:
        # A name that begins with a dash would be taken for an option.
        name = run.corpora[corpus]
        to = [f"--to={name}"] if name.startswith("-") else ["--to", name]
        numbers = ["--source-cluster", str(source), "--target-cluster", str(target)]
        out = f"cluster-{source}-with-{target}.wav"
        return shlex.join(
            ["stylemix", "hybrid", str(run.path), *numbers, *to, *words, "--alpha", "0.5", "--out", out]
        )

    return command
