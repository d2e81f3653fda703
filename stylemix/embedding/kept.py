"""Maps kept in the run folder, so that the next one looks the same: read as if from a stranger, written whole."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stylemix.audio import shown_name
from stylemix.embedding.embed import EMBEDDINGS, Embedding, check_asked, embed
from stylemix.embedding.principal import check_features
from stylemix.embedding.scores import score_map
from stylemix.embedding.stability import Previous, Provenance
from stylemix.errors import BadInput, StylemixError

FORMAT, VERSION = "stylemix map", 1
# A million segments in three dimensions from 100,000 files take 40 MB.
_LARGEST = 1 << 26
# No map is as wide: principal components of 20,000 segments by 1000 features reach sqrt(2e7), and the others lie over
# them or are some 100 across. Squares of what is much wider or narrower leave the range of numbers.
_WIDEST, _NARROWEST = 1e6, 1e-6
# Recordings of 30 years.
_LATEST_S = 1e9


@dataclass(frozen=True)
class Kept:
    """A map as it was kept.

    Parameters
    ----------
    previous : Previous
        What the next map follows.
    asked_of : str
        Hash of all that it was made from: the same again gives the same map.
    """

    previous: Previous
    asked_of: str


def map_path(folder: Path, space: str, method: str, dims: int) -> Path:
    """Say where a map is kept.

    Parameters
    ----------
    folder : Path
        The run.
    space : str
        In what segments are alike.
    method : str
        Of the embedding that was asked for.
    dims : int
        2 or 3.

    Returns
    -------
    Path
        Inside the run.

    Examples
    --------
    >>> map_path(Path("a-b.mix"), "both", "umap", 2).as_posix()
    'a-b.mix/maps/both-umap-2d.safetensors'
    """
    return folder / "maps" / f"{space}-{method}-{dims}d.safetensors"


def embed_again(
    folder: Path,
    space: str,
    features: np.ndarray,
    provenance: Provenance,
    *,
    method: str = "umap",
    dims: int = 2,
    seed: int = 0,
) -> tuple[Embedding, str]:
    """Place the segments of a run so that they lie where they lay on its last map, and keep the new one.

    The same segments, method and seed again are not placed anew: the map is the one that was kept, to the last digit.

    Parameters
    ----------
    folder : Path
        The run; a folder that cannot be written keeps no map.
    space : str
        In what segments are alike.
    features : np.ndarray, shape (N, F)
        One row a segment.
    provenance : Provenance
        Where they come from.
    method : {"pca", "isomap", "tsne", "umap"}
        See `stylemix.embedding.embed.embed`.
    dims : {2, 3}
        A plane or a room.
    seed : int
        Of the random walk.

    Returns
    -------
    embedding : Embedding
        The map.
    notice : str
        One line where a kept map was no good or the new one could not be kept, otherwise nothing.

    Raises
    ------
    BadInput
        If the features are not finite, or the method or dims not possible.
    """
    check_asked(method, dims, 2)
    asked_of = _hash_of(check_features(features), provenance, method, dims, seed)
    path = map_path(folder, space, method, dims)
    kept, notice = read_map(path)
    if kept is not None and kept.asked_of == asked_of and _answers(kept.previous, method, (len(features), dims)):
        points = kept.previous.points
        return Embedding(points, kept.previous.method, method, score_map(features, points, provenance=provenance)), ""
    previous = None if kept is None else kept.previous
    made = embed(features, method=method, dims=dims, seed=seed, provenance=provenance, previous=previous)
    unkept = keep_map(path, Kept(Previous(provenance, made.points, seed, made.method), asked_of))
    return made, notice or unkept


def _answers(before: Previous, method: str, shape: tuple[int, int]) -> bool:
    # PCA is as quick to do again, and tells what its axes explain. The hash stands in the file and proves nothing.
    return before.method == method != "pca" and before.points.shape == shape


def _hash_of(features: np.ndarray, provenance: Provenance, method: str, dims: int, seed: int) -> str:
    asked = json.dumps([VERSION, features.shape, list(provenance.sha256), method, dims, seed])
    digest = hashlib.sha256(asked.encode())
    for part in (features, provenance.file.astype("<i8"), provenance.start_s.astype("<f8")):
        digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


def keep_map(path: Path, kept: Kept) -> str:
    """Write a map, whole or not at all.

    Parameters
    ----------
    path : Path
        From `map_path`.
    kept : Kept
        The map.

    Returns
    -------
    str
        Why it could not be kept, otherwise nothing: a run that cannot be written still has maps.
    """
    import torch

    from stylemix.model.tensors import save_tensors

    of = kept.previous.provenance
    if not all(re.fullmatch("[0-9a-f]{64}", sha) for sha in of.sha256):
        return "the map is not kept: the run does not know its files by their content"
    try:
        # Not through a link, which in a folder from elsewhere may lead anywhere.
        if path.parent.is_symlink():
            return f"the map is not kept: {shown_name(path.parent)} is a link"
        path.parent.mkdir(exist_ok=True)
        parts = {
            "points": np.asarray(kept.previous.points, dtype="<f8"),
            "start_s": np.asarray(of.start_s, dtype="<f8"),
            "file": np.asarray(of.file, dtype="<i4"),
            "sha256": np.array([list(bytes.fromhex(sha)) for sha in of.sha256], dtype=np.uint8),
        }
        save_tensors(
            path, {name: torch.from_numpy(part.copy()) for name, part in parts.items()},
            format=FORMAT, version=str(VERSION), method=kept.previous.method, seed=str(kept.previous.seed),
            asked_of=kept.asked_of,
        )  # fmt: skip
    except (OSError, StylemixError) as error:
        return f"the map is not kept, and the next may look otherwise: {error}"
    return ""


def read_map(path: Path) -> tuple[Kept | None, str]:
    """Read a map that was kept.

    Parameters
    ----------
    path : Path
        From `map_path`.

    Returns
    -------
    kept : Kept or None
        None where there is none, or none that is whole and of this version.
    notice : str
        One line where there is a file that is no good, otherwise nothing.
    """
    try:
        return (_checked_map(path), "") if path.exists() else (None, "")
    except _NoMapError as error:
        words = str(error)
    except (OSError, BadInput, ValueError, KeyError):
        # What is told of other files of a run, to train again, would be far too much for a map.
        words = "it is not what was written"
    return None, (
        f"the map before is not followed, since {shown_name(path.name)} is damaged or foreign ({words}); "
        "it is made anew"
    )


class _NoMapError(ValueError):
    """What a map cannot hold."""


def _checked_map(path: Path) -> Kept:
    # What is no plain file may never end.
    if not path.is_file() or path.stat().st_size > _LARGEST:
        raise _NoMapError("no file, or larger than a map can be")
    parts, facts = _parts(path)
    points, start_s, method = parts["points"], parts["start_s"], facts["method"]
    if method not in EMBEDDINGS:
        raise _NoMapError(f"placed by none of {', '.join(EMBEDDINGS)}")
    if np.abs(points).max() > _WIDEST:
        raise _NoMapError(f"points beyond {_WIDEST:g}")
    # Segments that are all equal are one place, and placed by their principal components.
    width = float(np.ptp(points, axis=0).max())
    if width < _NARROWEST and (method, width) != ("pca", 0):
        raise _NoMapError(f"all points within {_NARROWEST:g}")
    if start_s.min() < 0 or start_s.max() > _LATEST_S:
        raise _NoMapError("segments at no time")
    if parts["file"].min() < 0 or parts["file"].max() >= len(parts["sha256"]):
        raise _NoMapError("segments of files that it does not name")
    hashes = tuple(bytes(row).hex() for row in parts["sha256"])
    provenance = Provenance(hashes, parts["file"].astype(int), start_s)
    return Kept(Previous(provenance, points, int(facts["seed"]), method), facts["asked_of"])


def _parts(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read the arrays and texts of a file of the right kind and shapes."""
    from stylemix.model.tensors import TensorFile

    stored = TensorFile(path)
    facts, shapes = stored.metadata, stored.shapes
    if facts.get("format") != FORMAT or facts.get("version") != str(VERSION):
        raise _NoMapError(f"no {FORMAT} of version {VERSION}")
    (n, dims), (n_files, _) = shapes["points"], shapes["sha256"]
    wanted = {"points": (n, dims), "start_s": (n,), "file": (n,), "sha256": (n_files, 32)}
    types = {"points": "F64", "start_s": "F64", "file": "I32", "sha256": "U8"}
    if shapes != wanted or stored.dtypes != types or dims not in (2, 3) or n < 1:
        raise _NoMapError("other parts than a map has")
    return {name: tensor.numpy() for name, tensor in stored.read().items()}, facts
