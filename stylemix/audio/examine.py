"""What the samples of a file say about it, from a few stretches if it is long: level, silence, clipping."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stylemix.audio.access import AudioReader
from stylemix.audio.read import AudioInfo, probe, read_blocks

# A longer file is examined in N_WINDOWS evenly spread windows of WINDOW_S.
WHOLE_S = 60.0
WINDOW_S = 5.0
N_WINDOWS = 8
FRAME_S = 0.05
# A frame sounds when it is within RELATIVE_DB of the file's loud parts (95th percentile) and above FLOOR_DB.
RELATIVE_DB = 45.0
FLOOR_DB = -70.0
FULL_SCALE = 0.999
_TINY = 1e-20
# An Ogg page is at most 65,307 bytes long.
_LAST_PAGE_BYTES = 1 << 16
_UNKNOWN_BYTES = 0x7FFFF000


@dataclass(frozen=True)
class Examination:
    """Findings about one file.

    Parameters
    ----------
    format : str
        Such as ``"WAV PCM_16"``.
    sample_rate, n_channels : int
        As in the file (Hz, channels).
    seconds : float
        What can be decoded.
    examined_s : float
        How much of it was looked at.
    sounding_share : float
        Share of it that sounds, all channels together and without their means.
    peak : float
        Largest absolute sample.
    rms_db : float
        Level of the sounding frames (dBFS); the floor when there are none.
    clipped_share : float
        Share of the samples at full scale, two or more in a row.
    truncated : bool
        Whether the file breaks off before the length in its header.
    """

    format: str
    sample_rate: int
    n_channels: int
    seconds: float
    examined_s: float
    sounding_share: float
    peak: float
    rms_db: float
    clipped_share: float
    truncated: bool


def window_starts(seconds: float, *, window_s: float, n_windows: int) -> list[float]:
    """Spread windows evenly over a length, each in the middle of its share.

    Parameters
    ----------
    seconds : float
        The length.
    window_s : float
        Length of a window, in seconds.
    n_windows : int
        How many at most; fewer where they would overlap.

    Returns
    -------
    list of float
        Where each window starts, in seconds.

    Examples
    --------
    >>> window_starts(100.0, window_s=10.0, n_windows=2)
    [20.0, 70.0]
    """
    n_windows = max(1, min(n_windows, int(seconds / window_s)))
    share = seconds / n_windows
    return [max(0.0, share * (i + 0.5) - window_s / 2) for i in range(n_windows)]


def examine(path: str | Path) -> Examination:
    """Look into a file: the whole of it up to a minute, evenly spread windows beyond.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Examination
        The findings.

    Raises
    ------
    BadInput
        If the file cannot be read or holds NaN or Inf.
    """
    info = probe(path)
    with AudioReader(path) as reader:
        n_samples, seconds = reader.n_samples, reader.n_samples / reader.sample_rate
        windows = [reader.read(start, stop) for start, stop in _stretches(n_samples, reader.sample_rate)]
    if seconds > WHOLE_S and info.subtype in ("FLOAT", "DOUBLE"):
        # Only these can hold NaN or Inf, anywhere, and they decode at the speed of the disk.
        for _ in read_blocks(path):
            pass
    samples = np.concatenate(windows, axis=1)
    peak = float(np.abs(samples).max(initial=0.0))
    share, rms_db = _sounding(samples, info.sample_rate)
    return Examination(f"{info.format} {info.subtype}", info.sample_rate, info.n_channels, seconds,
                       samples.shape[1] / info.sample_rate, share, peak, rms_db, _clipped_share(samples),
                       _breaks_off(path, info, n_samples))


def _stretches(n_samples: int, sample_rate: int) -> list[tuple[int, int]]:
    seconds = n_samples / sample_rate
    if seconds <= WHOLE_S:
        return [(0, n_samples)]
    starts = [round(start_s * sample_rate)
              for start_s in window_starts(seconds, window_s=WINDOW_S, n_windows=N_WINDOWS)]
    return [(start, start + round(WINDOW_S * sample_rate)) for start in starts]


def _sounding(samples: np.ndarray, sample_rate: int) -> tuple[float, float]:
    """Return the share of frames that sound, and their level."""
    power = _frame_power(samples, sample_rate)
    if not power.size:
        return 0.0, FLOOR_DB
    level_db = 10 * np.log10(power + _TINY)
    sounding = level_db > max(FLOOR_DB, float(np.percentile(level_db, 95)) - RELATIVE_DB)
    if not sounding.any():
        return 0.0, FLOOR_DB
    return float(sounding.mean()), float(10 * np.log10(power[sounding].mean() + _TINY))


def _frame_power(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    """Mean power of the channels in consecutive frames; a constant offset makes no sound and goes first."""
    n_channels, n_samples = samples.shape
    length = min(n_samples, max(1, round(FRAME_S * sample_rate)))
    if not length:
        return np.zeros(0)
    centred = samples - samples.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    frames = centred[:, :n_samples // length * length].reshape(n_channels, -1, length)
    return np.asarray(np.mean(np.square(frames), axis=(0, 2), dtype=np.float64))


def _clipped_share(samples: np.ndarray) -> float:
    """One sample at full scale is a peak; two in a row are a flat top."""
    full = np.abs(samples) >= FULL_SCALE
    if not full.any():
        return 0.0
    flat = np.zeros_like(full)
    pairs = full[:, 1:] & full[:, :-1]
    flat[:, 1:] |= pairs
    flat[:, :-1] |= pairs
    return float(flat.mean())


def _breaks_off(path: str | Path, info: AudioInfo, n_decodable: int) -> bool:
    """Tell a file that ends early: by its sample count, or where libsndfile hides that, by its container."""
    if n_decodable < info.n_samples:
        return True
    with open(path, "rb") as handle:
        head = handle.read(12)
        size = handle.seek(0, 2)
        handle.seek(max(0, size - _LAST_PAGE_BYTES))
        tail = handle.read()
    if head[:4] in (b"RIFF", b"FORM"):
        claimed = int.from_bytes(head[4:8], "little" if head[:4] == b"RIFF" else "big") + 8
        # One byte of padding is often left out; a program that streams writes the largest number it has.
        return size + 1 < claimed < _UNKNOWN_BYTES
    last_page = tail.rfind(b"OggS")
    # Bit 2 of a page's type marks the end of the stream (RFC 3533).
    return head[:4] == b"OggS" and last_page >= 0 and not tail[last_page + 5] & 4
