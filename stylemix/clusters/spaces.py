"""The spaces in which segments are compared: what the model learned, how the sound scatters, or both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stylemix.audio import AudioReader
from stylemix.cache import ArrayCache, cache_key
from stylemix.errors import BadInput

SPACES = ("latents", "scattering", "both")
# Of two pairs of corpora (organ and piano, orchestra and electronics; a run of 200 steps for each), the share of the
# ten nearest segments on the map, from other files, that are of the same corpus: 1.00 and 0.78 for the latents, 0.99
# and 0.95 for the scattering, 1.00 and 0.98 for both; clusters are of one corpus to 97 and 84, 99 and 100, 99 and
# 100 %.
SPACE = "both"
# Version of the numbers: changed whenever the same sound would give other statistics.
_VERSION = 1


@dataclass(frozen=True)
class Segments:
    """Where segments lie, and what the run knows of them.

    Parameters
    ----------
    latents : np.ndarray, shape (M, 2 D)
        Mean and spread of the latents of each.
    file : np.ndarray, shape (M,), int
        Its file.
    start_s, duration_s : np.ndarray, shape (M,)
        Where in the file (seconds).
    length_s : float
        About how long each is (seconds).
    n_steps : np.ndarray, shape (M,), int
        How many latent steps of its file each is; they follow one another from the first.
    """

    latents: np.ndarray
    file: np.ndarray
    start_s: np.ndarray
    duration_s: np.ndarray
    length_s: float
    n_steps: np.ndarray


def check_space(space: str | None) -> None:
    """Refuse an unknown space.

    Parameters
    ----------
    space : str or None
        As the user gave it; None for the default.

    Raises
    ------
    BadInput
        If it is unknown.

    Examples
    --------
    >>> check_space("both")
    """
    if space is not None and space not in SPACES:
        raise BadInput(f"map: the space must be one of {', '.join(SPACES)}, got {space!r}")


def choose_space(space: str | None, paths: Sequence[Path | None]) -> str:
    """Choose a space, of those that the recordings allow where the user has no wish.

    Parameters
    ----------
    space : str or None
        As the user gave it.
    paths : sequence of Path or None
        The recordings; None for one that has moved or changed.

    Returns
    -------
    str
        One of `SPACES`.

    Raises
    ------
    BadInput
        If the space is computed from recordings that are gone.

    Examples
    --------
    >>> choose_space(None, [Path("a.wav")]), choose_space(None, [None])
    ('both', 'latents')
    """
    gone = sum(path is None for path in paths)
    if space is None:
        return SPACE if not gone else "latents"
    if space != "latents" and gone:
        raise BadInput(
            f"map: the space {space} is computed from the recordings, and {gone} of {len(paths)} have moved or changed "
            "since the training; put them back, or take the space latents"
        )
    return space


def features_in(
    space: str,
    segments: Segments,
    paths: Sequence[Path | None],
    hashes: Sequence[str],
    report: Callable[[float], None] = lambda share: None,
) -> np.ndarray:
    """Describe segments in a space.

    Parameters
    ----------
    space : str
        From `choose_space`.
    segments : Segments
        With their latents.
    paths : sequence of Path
        The recordings.
    hashes : sequence of str
        Hash of the content of each.
    report : callable
        ``report(share)`` hears how far it is, 0 to 1.

    Returns
    -------
    np.ndarray, shape (M, F)
        One row a segment.
    """
    if space == "latents":
        return segments.latents
    rows = []
    for index, (path, sha256) in enumerate(zip(paths, hashes, strict=True)):
        mine = segments.file == index
        if path is not None:
            rows.append(scattering_of_segments(path, sha256, segments.start_s[mine], segments.duration_s[mine]))
        report((index + 1) / len(paths))
    scattering = np.concatenate(rows)
    return scattering if space == "scattering" else np.concatenate([segments.latents, scattering], axis=1)


def in_words(space: str, segments: Segments, features: np.ndarray) -> str:
    """Say what the segments are compared by.

    Parameters
    ----------
    space : str
        One of `SPACES`.
    segments : Segments
        With their latents.
    features : np.ndarray, shape (M, F)
        From `features_in`.

    Returns
    -------
    str
        For people.
    """
    of_latents = segments.latents.shape[1] if space != "scattering" else 0
    parts = [f"mean and spread of {of_latents // 2} latents"] if of_latents else []
    if of_scattering := features.shape[1] - of_latents:
        parts.append(f"{of_scattering} scattering statistics")
    return " and ".join(parts)


def scattering_of_segments(
    path: Path, sha256: str, start_s: np.ndarray, duration_s: np.ndarray, *, cache: ArrayCache | None = None
) -> np.ndarray:
    """Describe segments of a file by the statistics of their scattering, which are kept.

    Parameters
    ----------
    path : Path
        The file.
    sha256 : str
        Hash of its content.
    start_s, duration_s : np.ndarray, shape (M,)
        Where each lies (seconds).
    cache : ArrayCache, optional
        By default the user's own.

    Returns
    -------
    np.ndarray, shape (M, F)
        See `stylemix.style.style_features`.

    Raises
    ------
    BadInput
        If the file cannot be read.
    """
    from stylemix.style import RATE_HZ, style_features

    cache = cache or ArrayCache()
    starts, lengths = ([round(float(s) * RATE_HZ) for s in of] for of in (start_s, duration_s))
    key = cache_key(sha256, {"style": _VERSION, "start": starts, "length": lengths})
    if found := cache.get(key):
        return np.array(found["features"])
    rows = []
    with AudioReader(path, sample_rate=RATE_HZ) as reader:
        for start, length in zip(starts, lengths, strict=True):
            # Of a last step that reaches beyond the end of the file, what is there.
            stop = max(start + 1, min(start + length, reader.n_samples))
            rows.append(style_features(reader.read(start, stop), RATE_HZ))
    cache.put(key, {"features": np.array(rows)})
    return np.array(rows)
