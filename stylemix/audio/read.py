"""Sound files to samples, in blocks, so that memory does not grow with the length of a file."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylemix.arrays import Wave
from stylemix.errors import BadInput

if TYPE_CHECKING:
    import soundfile

# Small, because what libsndfile had decoded of a chunk is lost when the chunk holds the break of a damaged file.
CHUNK_SAMPLES = 8192
# Endings of sound that libsndfile does not decode and ffmpeg does.
FFMPEG_SUFFIXES = frozenset((".m4a", ".m4b", ".m4r", ".mp4", ".aac", ".wma", ".webm", ".mka", ".mkv", ".mov", ".ape",
                             ".wv", ".ac3", ".eac3", ".dts", ".amr", ".mpc", ".tta", ".dsf", ".dff", ".ra", ".alac"))
# What the first bytes of a sound file look like, whatever its name says.
_SOUND_MAGIC = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"FORM", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xfa", b".snd",
                b"caff", b"riff")


class UnreadableAudio(BadInput):
    """A file that cannot be used as sound.

    Parameters
    ----------
    message : str
        One line: the file, what is wrong with it, the way out.
    reason : str
        The word under which a report counts it, such as ``"truncated"``.
    """

    def __init__(self, message: str, reason: str = "unreadable") -> None:
        super().__init__(message)
        self.reason = reason


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


def shown_name(path: str | Path) -> str:
    r"""Write a path so that it stays on one line, whatever its name holds.

    Parameters
    ----------
    path : str or Path
        Any path, control characters and undecodable bytes included.

    Returns
    -------
    str
        The path with everything unprintable escaped.

    Examples
    --------
    >>> shown_name("two\nlines é.wav")
    'two\\nlines é.wav'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(path))


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
        return AudioInfo(Path(path), sound.format, sound.subtype, sound.samplerate, sound.channels, sound.frames)


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
    from stylemix.audio.access import AudioReader

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
                raise UnreadableAudio(f"{shown_name(path)}: breaks before the first sample; get a whole copy of it")
            n_read += len(block)
            check_finite(path, block)
            if mono and sound.channels > 1:
                block = block.mean(axis=1, keepdims=True)
            if resampler is not None:
                block = resampler.resample_chunk(block, last=at_end)
            if len(block):
                yield np.ascontiguousarray(block.T)


def open_sound(path: str | Path) -> soundfile.SoundFile:
    """Open a file for decoding, or say in one line why that cannot be done.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    soundfile.SoundFile
        Open for reading; close it.

    Raises
    ------
    BadInput
        If the file is missing or a folder; as UnreadableAudio, with its reason, for anything else.
    """
    import soundfile

    head = _first_bytes(path)
    if not head:
        raise UnreadableAudio(f"{shown_name(path)}: is empty (0 bytes); get a whole copy of it", "empty")
    try:
        # The bytes of the name: soundfile itself cannot encode names that are no valid text.
        with _mpg123_muted(head):
            return soundfile.SoundFile(os.fsencode(path))
    except (soundfile.SoundFileError, TypeError, RuntimeError):
        raise _undecodable(path, head) from None


def looks_like_sound(path: str | Path) -> bool:
    """Tell from its first bytes whether a file without a telling name is a sound file.

    Parameters
    ----------
    path : str or Path
        Any file.

    Returns
    -------
    bool
        False also when it cannot be read.
    """
    try:
        head = _first_bytes(path)
    except BadInput:
        return False
    if head[:4] in (b"RIFF", b"FORM"):
        return head[8:12] in (b"WAVE", b"AIFF", b"AIFC", b"8SVX")
    return head.startswith((b"RF64", b"fLaC", b"OggS", b"ID3", b".snd", b"caff"))


def decode(sound: soundfile.SoundFile, n_samples: int) -> tuple[np.ndarray, bool]:
    """Decode on from where the file stands, keeping what comes before a break.

    Parameters
    ----------
    sound : soundfile.SoundFile
        Open for reading.
    n_samples : int
        How many samples of each channel are wanted.

    Returns
    -------
    samples : np.ndarray, shape (T, C), float32
        Fewer than `n_samples` at the end of the file or at a break.
    broken : bool
        Whether the decoder gave up.
    """
    import soundfile

    samples = np.empty((n_samples, sound.channels), dtype=np.float32)
    filled = 0
    while filled < n_samples:
        wanted = min(CHUNK_SAMPLES, n_samples - filled)
        try:
            got = len(sound.read(wanted, dtype="float32", always_2d=True, out=samples[filled:filled + wanted]))
        except soundfile.SoundFileError:
            return samples[:filled], True
        filled += got
        if got < wanted:
            break
    return samples[:filled], False


def check_finite(path: str | Path, samples: np.ndarray) -> None:
    """Refuse samples that are not numbers.

    Parameters
    ----------
    path : str or Path
        Named in the message.
    samples : np.ndarray
        Any shape.

    Raises
    ------
    UnreadableAudio
        If there is a NaN or an Inf.
    """
    # One pass without a temporary: the sum is finite exactly when nothing in it is NaN or Inf (no overflow in float64).
    if samples.size and not np.isfinite(samples.sum(dtype=np.float64)):
        raise UnreadableAudio(f"{shown_name(path)}: holds NaN or Inf samples; export it again", "NaN or Inf")


def _first_bytes(path: str | Path) -> bytes:
    name = shown_name(path)
    try:
        with open(path, "rb") as handle:
            return handle.read(16)
    except FileNotFoundError:
        raise BadInput(f"{name}: no such file; check the name") from None
    except IsADirectoryError:
        raise BadInput(f"{name}: is a folder; give a sound file") from None
    except PermissionError:
        raise UnreadableAudio(f"{name}: no permission to read it; change its permissions", "no permission") from None
    except (OSError, ValueError) as error:
        detail = getattr(error, "strerror", None) or error
        raise UnreadableAudio(f"{name}: cannot be opened ({detail})") from None


def _undecodable(path: str | Path, head: bytes) -> UnreadableAudio:
    name, suffix = shown_name(path), Path(path).suffix.lower()
    if suffix in FFMPEG_SUFFIXES or head.startswith((b"OggS", b"\x1a\x45\xdf\xa3")) or head[4:8] == b"ftyp":
        # An absolute name can't be taken for an option, whatever it begins with.
        source = Path(path).absolute()
        command = shown_name(f"ffmpeg -i {shlex.quote(str(source))} {shlex.quote(str(source.with_suffix('.flac')))}")
        return UnreadableAudio(f"{name}: libsndfile cannot decode it; install ffmpeg and convert it: {command}",
                               "needs ffmpeg")
    if head.startswith(_SOUND_MAGIC) or suffix == ".mp3":
        return UnreadableAudio(f"{name}: a damaged sound file; get a whole copy of it", "unreadable")
    return UnreadableAudio(f"{name}: is not a sound file, whatever its name says", "not audio")


@contextlib.contextmanager
def _mpg123_muted(head: bytes) -> Iterator[None]:
    """Mute stderr while an mp3 is opened: its decoder warns about damage there, past every handler."""
    if not head.startswith((b"ID3", b"\xff")):
        yield
        return
    try:
        saved = os.dup(2)
    except OSError:
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
