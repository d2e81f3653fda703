"""Samples to sound files: streamed, scaled instead of clipped, whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import io
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from stylemix.errors import BadInput, StylemixError
from stylemix.files import atomic_path, check_output, readable_os_errors

# libsndfile's Vorbis encoder overflows its stack on long blocks.
BLOCK_SAMPLES = 1 << 15
# Below this a stream stays in memory.
SPOOL_BYTES = 1 << 26
# WAV and AIFF count bytes in 32 bits.
LONG_BYTES = (1 << 32) - (1 << 20)
LOUDEST = 0.999

_FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".opus": "OGG", ".mp3": "MP3", ".aiff": "AIFF",
            ".aif": "AIFF"}
_LOSSY = {".ogg": "VORBIS", ".opus": "OPUS", ".mp3": "MPEG_LAYER_III"}
_SUBTYPES = {"16": "PCM_16", "24": "PCM_24", "32f": "FLOAT"}
_RATES = {".opus": (8000, 12000, 16000, 24000, 48000),
          ".mp3": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)}
_MOST_CHANNELS = {".mp3": 2, ".flac": 8, ".opus": 255, ".ogg": 255}


class WaveWriter:
    """Write a sound file of any length in constant memory; use it in a ``with`` block.

    The samples go to a nameless temporary file first. At the end they are scaled as a whole if they are
    louder than full scale, converted, and renamed into place; on an exception nothing is left behind.

    Parameters
    ----------
    path : str or Path
        The ending chooses the format: .wav .flac .ogg .opus .mp3 .aiff. A .wav over 4 GB is written as RF64.
    sample_rate : int
        Of the samples (Hz). Opus and mp3 know few rates: the file gets the next higher one, `file_rate`.
    n_channels : int
        Number of channels.
    bits : {"16", "24", "32f"}, optional
        Sample format; by default 24 bits where the format has them. 16 bits are dithered (triangular, seeded)
        unless the samples are on the 16-bit grid already.
    force : bool
        Allow an existing file to be replaced.
    inputs : iterable of paths
        Files that must not be written over, even with `force`.

    Raises
    ------
    BadInput
        If the format cannot hold what is asked, the file exists without `force`, or is an input.

    Examples
    --------
    >>> folder = getfixture("tmp_path")
    >>> with WaveWriter(folder / "loud.wav", sample_rate=8000, n_channels=1) as writer:
    ...     writer.write(np.full((1, 800), 2.0))
    >>> writer.peak, round(writer.gain, 4)
    (2.0, 0.4995)
    """

    def __init__(self, path: str | Path, *, sample_rate: int, n_channels: int, bits: str | None = None,
                 force: bool = False, inputs: Iterable[str | Path] = ()) -> None:
        self.path = Path(path)
        self.sample_rate, self.n_channels = int(sample_rate), int(n_channels)
        self._format, self._subtype = _choose_format(self.path, bits, self.sample_rate, self.n_channels)
        self.file_rate = _choose_rate(self.path, self.sample_rate)
        self._force, self._inputs = force, tuple(inputs)
        check_output(self.path, force=force, inputs=self._inputs)
        self.peak, self.gain, self.n_samples = 0.0, 1.0, 0
        with readable_os_errors(self.path):
            self._spool = tempfile.SpooledTemporaryFile(SPOOL_BYTES, dir=str(self.path.parent))  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self._spool.close()

    def write(self, samples: np.ndarray) -> None:
        """Add samples at the end.

        Parameters
        ----------
        samples : np.ndarray, shape (C, T) or (T,)
            Full scale is 1.

        Raises
        ------
        BadInput
            If the channels do not fit or there is a NaN or an Inf.
        StylemixError
            If the disk is full.
        """
        samples = np.atleast_2d(np.asarray(samples, dtype=np.float32))
        if samples.ndim != 2 or samples.shape[0] != self.n_channels:
            raise BadInput(f"{self.path}: samples need the shape ({self.n_channels}, T), got {samples.shape}")
        if samples.size == 0:
            return
        peak = float(np.abs(samples).max())
        if not np.isfinite(peak):
            raise BadInput(f"{self.path}: samples must be finite, got NaN or Inf")
        self.peak = max(self.peak, peak)
        self.n_samples += samples.shape[1]
        with readable_os_errors(self.path):
            self._spool.write(np.ascontiguousarray(samples.T).tobytes())

    def close(self) -> None:
        """Convert, and give the file its name.

        Raises
        ------
        BadInput
            If nothing was written.
        StylemixError
            If the disk is full.
        """
        if self._spool.closed:
            return
        with self._spool:
            if self.n_samples == 0:
                raise BadInput(f"{self.path}: there are no samples to write")
            check_output(self.path, force=self._force, inputs=self._inputs)
            if self.peak > 1.0:
                self.gain = LOUDEST / self.peak
            with atomic_path(self.path) as temporary:
                self._convert(temporary)

    def _convert(self, temporary: Path) -> None:
        import soundfile

        n_bytes = self.n_samples * self.n_channels * {"PCM_16": 2, "PCM_24": 3}.get(self._subtype, 4)
        if self._subtype not in _LOSSY.values() and self._format != "FLAC":
            _check_space(temporary, n_bytes)
        kind = "RF64" if self._format == "WAV" and n_bytes > LONG_BYTES else self._format
        if kind == "AIFF" and n_bytes > LONG_BYTES:
            raise BadInput(f"{self.path}: AIFF holds no more than 4 GB; choose .wav or .flac")
        try:
            with soundfile.SoundFile(str(temporary), "w", samplerate=self.file_rate, channels=self.n_channels,
                                     format=kind, subtype=self._subtype) as sound:
                for block in self._blocks():
                    sound.write(block)
            written = soundfile.info(str(temporary)).frames
        except (soundfile.SoundFileError, AssertionError) as error:
            # libsndfile keeps the system's error number to itself: the disk is asked again.
            _check_space(temporary, 1 << 20)
            raise StylemixError(f"{self.path}: cannot be written ({error}); choose another place") from error
        expected = round(self.n_samples * self.file_rate / self.sample_rate)
        if abs(written - expected) > 0.1 * self.file_rate:
            raise OSError(errno.ENOSPC, "fewer samples in the file than were written")

    def _blocks(self) -> Iterable[np.ndarray]:
        """Yield (T, C) blocks at the file's rate, in the numbers the format keeps."""
        import soxr

        rng = np.random.default_rng(0)
        resampler = None
        if self.file_rate != self.sample_rate:
            rates = self.sample_rate, self.file_rate
            resampler = soxr.ResampleStream(*rates, self.n_channels, dtype="float32")
        self._spool.seek(0)
        left = self.n_samples
        while left:
            n_block = min(left, BLOCK_SAMPLES)
            left -= n_block
            raw = self._spool.read(n_block * self.n_channels * 4)
            block = np.frombuffer(raw, dtype=np.float32).reshape(-1, self.n_channels)
            if self.gain != 1.0:
                block = block * np.float32(self.gain)
            if resampler is not None:
                block = resampler.resample_chunk(block, last=left == 0)
            if len(block):
                yield _quantised(block, self._subtype, rng)


def wav_bytes(samples: np.ndarray, sample_rate: int) -> bytes:
    """Make a sound file in memory: the bytes that `WaveWriter` would put into a .wav of 24 bits.

    Parameters
    ----------
    samples : np.ndarray, shape (C, T)
        Full scale is 1; what is louder is scaled as a whole. At most 4 GB.
    sample_rate : int
        Of the samples (Hz).

    Returns
    -------
    bytes
        The file.

    Raises
    ------
    BadInput
        If there is no sample, or one is NaN or infinite.

    Examples
    --------
    >>> wav_bytes(np.zeros((1, 8)), 8000)[:4]
    b'RIFF'
    """
    import soundfile

    sound = np.atleast_2d(np.asarray(samples, dtype=np.float32))
    if sound.size == 0 or not np.isfinite(sound).all():
        raise BadInput(f"sound: must hold at least one sample and no NaN or Inf, got shape {sound.shape}")
    peak = float(np.abs(sound).max())
    if peak > 1.0:
        sound = sound * np.float32(LOUDEST / peak)
    memory = io.BytesIO()
    kind = {"samplerate": int(sample_rate), "channels": len(sound), "format": "WAV", "subtype": "PCM_24"}
    with soundfile.SoundFile(memory, "w", **kind) as file:
        # 24 bits are not dithered: no generator is drawn from.
        file.write(_quantised(sound.T, "PCM_24", np.random.default_rng(0)))
    return memory.getvalue()


def _quantised(block: np.ndarray, subtype: str, rng: np.random.Generator) -> np.ndarray:
    """Round to the integers of a PCM format, dithering 16 bits."""
    if subtype not in ("PCM_16", "PCM_24"):
        return block
    full_scale = 2.0 ** (15 if subtype == "PCM_16" else 23)
    scaled = block * np.float64(full_scale)
    # What came from 16 bits goes back to the same 16 bits; noise would only be added to it.
    if subtype == "PCM_16" and np.any(scaled != np.rint(scaled)):
        scaled += rng.random(scaled.shape) - rng.random(scaled.shape)
    integers = np.clip(np.rint(scaled), -full_scale, full_scale - 1).astype(np.int32)
    return integers.astype(np.int16) if subtype == "PCM_16" else integers << 8


def _choose_format(path: Path, bits: str | None, sample_rate: int, n_channels: int) -> tuple[str, str]:
    suffix = path.suffix.lower()
    if suffix not in _FORMATS:
        raise BadInput(f"{path}: the ending must be one of {' '.join(_FORMATS)}, got {suffix or 'none'!r}")
    if bits is not None and bits not in _SUBTYPES:
        raise BadInput(f"{path}: bits must be 16, 24 or 32f, got {bits!r}")
    if sample_rate <= 0 or n_channels <= 0:
        got = f"{sample_rate} and {n_channels}"
        raise BadInput(f"{path}: sample rate and number of channels must be positive, got {got}")
    most = _MOST_CHANNELS.get(suffix, 1024)
    if n_channels > most:
        raise BadInput(f"{path}: {suffix} holds at most {most} channels, got {n_channels}; choose .wav")
    if suffix in _LOSSY:
        if bits is not None:
            raise BadInput(f"{path}: {suffix} has no bit depth; leave bits out or choose .wav or .flac")
        return _FORMATS[suffix], _LOSSY[suffix]
    if suffix == ".flac" and bits == "32f":
        raise BadInput(f"{path}: FLAC has no 32-bit float; choose 16 or 24 bits, or .wav")
    return _FORMATS[suffix], _SUBTYPES[bits or "24"]


def _choose_rate(path: Path, sample_rate: int) -> int:
    rates = _RATES.get(path.suffix.lower(), (sample_rate,))
    return min((rate for rate in rates if rate >= sample_rate), default=max(rates))


def _check_space(path: Path, n_bytes: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        if shutil.disk_usage(path.parent).free < n_bytes:
            raise OSError(errno.ENOSPC, "No space left on device")
