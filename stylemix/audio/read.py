"""Sound files to samples, in blocks, so that memory does not grow with the length of a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stylemix.arrays import Wave
from stylemix.audio.access import AudioReader
from stylemix.audio.decode import breaks_at_once, check_finite, decode, open_sound, shown_name
from stylemix.errors import BadInput


@dataclass(frozen=True)
class AudioInfo:
    """What the header of a sound file says.

    Parameters
    ----------
    path : Path
        The file.
    format, subtype : str
        Container and sample format in libsndfile's words, such as ``WAV`` and ``PCM_16``.
    sample_rate : int
        Samples per second (Hz).
    n_channels : int
        Number of channels.
    n_samples : int
        Samples in each channel, as the header has it: a truncated file may hold fewer.
    """

    path: Path
    format: str
    subtype: str
    sample_rate: int
    n_channels: int
    n_samples: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate


def probe(path: str | Path) -> AudioInfo:
    """Read the header of a sound file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    AudioInfo
        Format, rate, channels and length.

    Raises
    ------
    BadInput
        In one line, if the file is missing, empty, no sound, or needs another decoder.
    """
    with open_sound(path) as sound:
        return AudioInfo(Path(path), sound.format, sound.subtype, int(sound.samplerate), int(sound.channels),
                         int(sound.frames))


def read_wave(path: str | Path, *, start_s: float = 0.0, duration_s: float | None = None,
              sample_rate: int | None = None, mono: bool = False) -> Wave:
    """Read a file, or a stretch of it, into memory.

    Parameters
    ----------
    path : str or Path
        The file.
    start_s : float
        Where to begin, in seconds.
    duration_s : float, optional
        How much to read, in seconds; to the end by default, and never beyond it.
    sample_rate : int, optional
        Resample to this rate (Hz).
    mono : bool
        Average the channels.

    Returns
    -------
    Wave
        Samples of shape (C, T).

    Raises
    ------
    BadInput
        If the file cannot be read, holds NaN or Inf, or is shorter than `start_s`.
    """
    if not (np.isfinite(start_s) and start_s >= 0):
        raise BadInput(f"{shown_name(path)}: the start must be 0 or more seconds, got {start_s}")
    if duration_s is not None and not (np.isfinite(duration_s) and duration_s > 0):
        raise BadInput(f"{shown_name(path)}: the duration must be more than 0 seconds, got {duration_s}")
    with AudioReader(path, sample_rate=sample_rate) as reader:
        start = round(start_s * reader.sample_rate)
        if start > 0 and start >= reader.n_samples:
            raise BadInput(f"{shown_name(path)}: the start must lie inside the file, which lasts "
                           f"{reader.n_samples / reader.sample_rate:.2f} s, got {start_s} s")
        stop = reader.n_samples
        if duration_s is not None:
            stop = min(stop, start + max(1, round(duration_s * reader.sample_rate)))
        wave = Wave(reader.read(start, stop), reader.sample_rate)
    return wave.mono() if mono else wave


def read_blocks(path: str | Path, *, block_s: float = 10.0, sample_rate: int | None = None,
                mono: bool = False) -> Iterator[np.ndarray]:
    """Read a file from its beginning to its end, a block at a time.

    Parameters
    ----------
    path : str or Path
        The file. One that breaks off in the middle is read as far as it goes.
    block_s : float
        Length of the blocks, in seconds of the file.
    sample_rate : int, optional
        Resample to this rate (Hz), as one stream: the blocks join without a seam.
    mono : bool
        Average the channels.

    Yields
    ------
    np.ndarray, shape (C, T), float32
        Consecutive blocks, about `block_s` long; the last is shorter.

    Raises
    ------
    BadInput
        If the file cannot be read, holds NaN or Inf, or breaks before the first sample.
    """
    import soxr

    with open_sound(path) as sound:
        n_channels = 1 if mono else sound.channels
        resampler = None
        if sample_rate is not None and sample_rate != sound.samplerate:
            resampler = soxr.ResampleStream(sound.samplerate, sample_rate, n_channels, dtype="float32")
        block_samples = max(1, round(block_s * sound.samplerate))
        n_read, at_end = 0, False
        while not at_end:
            block, broken = decode(sound, block_samples)
            at_end = len(block) < block_samples
            if broken and n_read + len(block) == 0:
                raise breaks_at_once(path)
            n_read += len(block)
            check_finite(path, block)
            if mono and sound.channels > 1:
                block = block.mean(axis=1, keepdims=True)
            if resampler is not None:
                block = resampler.resample_chunk(block, last=at_end)
            if len(block):
                yield np.ascontiguousarray(block.T)
