"""Sound files to the frames that the model sees: pooled log-magnitudes, computed once and kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from stylemix.arrays import Features
from stylemix.audio import AudioReader
from stylemix.cache import ArrayCache, cache_key
from stylemix.errors import BadInput
from stylemix.files import readable_os_errors, sha256_file
from stylemix.recipe import Recipe
from stylemix.transforms import VQT, block_plan

# Version of the numbers: changed whenever the same file would give other features.
_VERSION = 1
_BLOCK_S = 20.0
_LONGEST_WINDOW_S = 30.0


def make_vqt(recipe: Recipe) -> VQT:
    """Build the transform that a recipe names; with a `gamma_hz` of 0 it is constant-Q from 32.7 Hz on.

    Parameters
    ----------
    recipe : Recipe
        Its `sound` and `vqt` sections count.

    Returns
    -------
    VQT
        The transform.

    Raises
    ------
    BadInput
        If its longest window would take more memory than sound is worth.

    Examples
    --------
    >>> make_vqt(Recipe()).n_bands
    216
    """
    vqt = VQT(
        recipe.sound.sample_rate,
        bins_per_octave=recipe.vqt.bins_per_octave,
        gamma_hz=recipe.vqt.gamma_hz,
        overlap=recipe.vqt.overlap,
        hop_length=recipe.sound.hop_length,
    )
    if vqt.margin > _LONGEST_WINDOW_S * vqt.sample_rate:
        raise BadInput(
            f"vqt.gamma_hz {recipe.vqt.gamma_hz:g} with {recipe.vqt.bins_per_octave} bins_per_octave makes windows of "
            f"{vqt.margin / vqt.sample_rate:.3g} s, at most {_LONGEST_WINDOW_S:g} s can be used; "
            "lower vqt.bins_per_octave or raise vqt.gamma_hz"
        )
    return vqt


def wave_features(samples: np.ndarray, vqt: VQT) -> Features:
    """Compute the features of a sound that is in memory.

    Parameters
    ----------
    samples : np.ndarray, shape (C, T) or (T,)
        At the transform's sample rate. Of several channels the mean power is taken.
    vqt : VQT
        The transform.

    Returns
    -------
    Features
        ``ceil(T / hop_length)`` frames.

    Examples
    --------
    >>> wave_features(np.zeros(2560, dtype=np.float32), make_vqt(Recipe())).log_magnitude.shape
    (216, 10)
    """
    import torch

    x = torch.from_numpy(np.atleast_2d(np.asarray(samples, dtype=np.float32)))
    with torch.inference_mode():
        magnitudes = vqt.forward(x).magnitudes()
        together = tuple(m.square().mean(0).sqrt() for m in magnitudes)
        pooled = vqt.pool(together, x.shape[-1]).numpy()
    return Features(pooled, vqt.sample_rate, vqt.hop_length, vqt.frequencies_hz)


def feature_blocks(path: str | Path, vqt: VQT, *, start: int = 0, stop: int | None = None) -> Iterator[np.ndarray]:
    """Compute the features of a file block by block; memory does not grow with its length.

    Parameters
    ----------
    path : str or Path
        A sound file of any rate and number of channels.
    vqt : VQT
        The transform.
    start, stop : int
        Part of the file, in samples at the transform's rate; `start` is taken down to a whole frame.

    Yields
    ------
    np.ndarray, shape (K, n), float32
        Consecutive frames of log-magnitudes.

    Raises
    ------
    BadInput
        If the file cannot be read.
    """
    hop = vqt.hop_length
    with AudioReader(path, sample_rate=vqt.sample_rate) as reader:
        first = start // hop * hop
        n_samples = (reader.n_samples if stop is None else min(stop, reader.n_samples)) - first
        block = int(_BLOCK_S * vqt.sample_rate)
        for piece in block_plan(max(n_samples, 1), block=block, fade=0, margin=vqt.margin, align=hop):
            samples = reader.read(first + piece.read_start, first + piece.read_stop)
            skip = (piece.start - piece.read_start) // hop
            count = -(-(piece.stop - piece.start) // hop)
            yield wave_features(samples, vqt).log_magnitude[:, skip : skip + count]


def file_features(
    path: str | Path,
    vqt: VQT,
    *,
    sha256: str | None = None,
    cache: ArrayCache | None = None,
    on_seconds: Callable[[float], None] | None = None,
) -> Features:
    """Take the features of a whole file from the cache, or compute them and put them there.

    Parameters
    ----------
    path : str or Path
        A sound file.
    vqt : VQT
        The transform.
    sha256 : str, optional
        Hash of the file's content, if it is known already.
    cache : ArrayCache, optional
        By default the user's own.
    on_seconds : callable, optional
        Called with the seconds of sound done since the last call.

    Returns
    -------
    Features
        Half-precision log-magnitudes (a step of at most 0.07 dB above -140 dB), mapped from the disk.

    Raises
    ------
    BadInput
        If the file cannot be read.
    """
    frames = cached_rows(
        lambda: feature_blocks(path, vqt),
        vqt.n_bands,
        cache=cache or ArrayCache(),
        key=cache_key(sha256 or sha256_file(path), _settings(vqt)),
        row_s=vqt.hop_length / vqt.sample_rate,
        on_seconds=on_seconds,
    )
    return Features(frames.T, vqt.sample_rate, vqt.hop_length, vqt.frequencies_hz)


def cached_rows(
    blocks: Callable[[], Iterator[np.ndarray]],
    n_rows: int,
    *,
    cache: ArrayCache,
    key: str,
    row_s: float,
    on_seconds: Callable[[float], None] | None = None,
) -> np.ndarray:
    """Take from the cache what is computed of a file block by block, or compute it and put it there.

    Parameters
    ----------
    blocks : callable
        Begins the computation: an iterator of arrays (K, n), consecutive in time.
    n_rows : int
        K.
    cache : ArrayCache
        Where to look and to keep.
    key : str
        From `cache_key`.
    row_s : float
        Seconds of sound in a column of a block.
    on_seconds : callable, optional
        Called with the seconds of sound done since the last call.

    Returns
    -------
    np.ndarray, shape (N, K), float16
        Mapped from the disk.
    """
    if found := cache.get(key):
        if on_seconds:
            on_seconds(len(found["frames"]) * row_s)
        return found["frames"]
    with readable_os_errors(cache.folder):
        cache.folder.mkdir(parents=True, exist_ok=True)
        # On the disk before they are put together: the features of a day of sound need not fit into memory.
        # The file has no name, so that nothing is left of it when this process is killed.
        scratch = tempfile.TemporaryFile(dir=cache.folder)  # noqa: SIM115 (closed by the next block)
    with scratch:
        for block in blocks():
            # Time comes first, so that a stretch of time is one stretch of the file.
            with readable_os_errors(cache.folder):
                scratch.write(np.ascontiguousarray(block.T, dtype=np.float16).data)
            if on_seconds:
                on_seconds(block.shape[1] * row_s)
        with readable_os_errors(cache.folder):
            scratch.flush()
        frames = np.memmap(scratch, dtype=np.float16, mode="r").reshape(-1, n_rows)
        cache.put(key, {"frames": frames})
        # Where another process has pruned the cache meanwhile, they are kept in memory.
        kept = cache.get(key)
        return kept["frames"] if kept else np.array(frames)


def _settings(vqt: VQT) -> dict[str, float]:
    return {
        "version": _VERSION,
        "sample_rate": vqt.sample_rate,
        "hop_length": vqt.hop_length,
        "octave_width_hz": float(vqt.bank.octave_width_hz),
        "gamma_hz": float(vqt.bank.gamma_hz),
        # Only where they are not the default: what has been kept under the other keys stays good.
        **({"fmin_hz": vqt.bank.fmin_hz, "bins_per_octave": vqt.bank.bins_per_octave} if vqt.bank.fmin_hz else {}),
        **({"oversampling": vqt.oversampling} if vqt.oversampling != 1 else {}),
        **({"overlap": vqt.bank.overlap} if vqt.bank.overlap != 1 else {}),
    }
