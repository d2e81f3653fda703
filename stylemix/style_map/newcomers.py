"""Files that the run has never heard, cut and described like its own, to be set on its map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylemix.clusters.segments import segments_from_latents
from stylemix.clusters.spaces import Segments, scattering_of_segments
from stylemix.embedding.placing import Placed, place
from stylemix.errors import BadInput
from stylemix.files import sha256_file
from stylemix.hybrid.run_files import find_file
from stylemix.hybrid.scan import scan
from stylemix.hybrid.source import SourceReader

if TYPE_CHECKING:
    from stylemix.clusters.groups import Grouping
    from stylemix.model.run import Run

@dataclass(frozen=True)
class Newcomers:
    """Segments of files that are not of the run.

    Parameters
    ----------
    paths : tuple of Path
        The files.
    hashes : tuple of str
        Hash of the content of each.
    segments : Segments
        M of them; their files count `paths`.
    features : np.ndarray, shape (M, F)
        In the space of the map.
    labels : np.ndarray, shape (M,), int
        Cluster of each, by most of its nearest neighbours.
    out : np.ndarray, shape (M,)
        How far each is from all that is on the map; above 1 it is like nothing there (see `place`).
    """

    paths: tuple[Path, ...]
    hashes: tuple[str, ...]
    segments: Segments
    features: np.ndarray
    labels: np.ndarray
    out: np.ndarray


def read_newcomers(run: Run, files: Sequence[str | Path], grouping: Grouping) -> Newcomers:
    """Cut and describe files as the run's own were.

    The encoder asks of which corpus a sound is, and a newcomer is of none: it is heard as each in turn, and kept as the
    one among whose segments it then lies nearest.

    Parameters
    ----------
    run : Run
        The trained model.
    files : sequence of str or Path
        Sound files.
    grouping : Grouping
        Of the run's own segments.

    Returns
    -------
    Newcomers
        Their segments, as long as those of the map.

    Raises
    ------
    BadInput
        If there is no file, one cannot be read, is shorter than a latent step, or is on the map already.
    """
    if not files:
        raise BadInput("map: there is no file to add; give sound files")
    paths = tuple(Path(file) for file in files)
    known = [path for path in paths if find_file(run, path) is not None]
    if known:
        raise BadInput(f"map: {known[0]} is of the run and on its map already; leave it out")
    hashes = tuple(sha256_file(path) for path in paths)
    parts, rows = [], []
    for index, (path, sha256) in enumerate(zip(paths, hashes, strict=True)):
        segments, features = _nearest_hearing(run, path, sha256, grouping)
        parts.append(replace(segments, file=np.full(len(segments.start_s), index)))
        rows.append(features)
    features = np.concatenate(rows)
    among = _among(features, grouping)
    return Newcomers(paths, hashes, _joined(parts), features, _labels(among, grouping), among.out)


def _nearest_hearing(run: Run, path: Path, sha256: str, grouping: Grouping) -> tuple[Segments, np.ndarray]:
    heard = []
    for corpus in range(len(run.corpora)):
        with SourceReader(path, model_rate=run.vqt.sample_rate) as reader:
            latents = scan(run, reader, np.eye(len(run.corpora))[corpus]).latents
        length_s = grouping.segments.length_s
        means, start_s, duration_s = segments_from_latents(latents.codes, latents.step_rate_hz, segment_s=length_s)
        n_steps = np.round(duration_s * latents.step_rate_hz).astype(int)
        segments = Segments(means, np.zeros(len(means), int), start_s, duration_s, length_s, n_steps)
        features = _features(grouping.space, segments, path, sha256)
        heard.append((float(np.median(_among(features, grouping).out)), segments, features))
        if grouping.space == "scattering":
            break
    _, segments, features = min(heard, key=lambda one: one[0])
    return segments, features


def _features(space: str, segments: Segments, path: Path, sha256: str) -> np.ndarray:
    if space == "latents":
        return segments.latents
    scattering = scattering_of_segments(path, sha256, segments.start_s, segments.duration_s)
    return scattering if space == "scattering" else np.concatenate([segments.latents, scattering], axis=1)


def _among(features: np.ndarray, grouping: Grouping) -> Placed:
    return place(features, grouping.features, grouping.points, file=grouping.segments.file)


def _labels(among: Placed, grouping: Grouping) -> np.ndarray:
    near = grouping.clusters.labels[among.nearest]
    # Of equally many the nearest decides: its label comes first.
    return np.array([max(dict.fromkeys(row.tolist()), key=row.tolist().count) for row in near])


def _joined(parts: Sequence[Segments]) -> Segments:
    latents, file, start_s, duration_s, n_steps = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("latents", "file", "start_s", "duration_s", "n_steps")
    )
    return Segments(latents, file, start_s, duration_s, parts[0].length_s, n_steps)
