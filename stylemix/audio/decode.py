"""Opening and decoding sound files, and saying in one line why one cannot be used."""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylemix.errors import BadInput

if TYPE_CHECKING:
    import soundfile

# Small, because all of a chunk is lost when it holds the break of a damaged file.
CHUNK_SAMPLES = 8192
# Full scale is 1, and 2^31 in files whose integers became floats. Powers of more overflow single precision.
LARGEST_SAMPLE = 1e10
# Endings of sound that libsndfile does not decode and ffmpeg does.
FFMPEG_SUFFIXES = frozenset((
    ".m4a", ".m4b", ".m4r", ".mp4", ".aac", ".wma", ".webm", ".mka", ".mkv", ".mov", ".ape", ".wv", ".ac3",
    ".eac3", ".dts", ".amr", ".mpc", ".tta", ".dsf", ".dff", ".ra", ".alac"))
# What the first bytes of a sound file look like, whatever its name says.
_SOUND_MAGIC = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"FORM", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xfa",
                b".snd", b"caff", b"riff")


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
        with mpg123_muted(head.startswith((b"ID3", b"\xff"))):
            return _stream_type()(os.fsencode(path))
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
            got = len(sound.read(wanted, out=samples[filled:filled + wanted]))
        except soundfile.SoundFileError:
            return samples[:filled], True
        filled += got
        if got < wanted:
            break
    return samples[:filled], False


def breaks_at_once(path: str | Path) -> UnreadableAudio:
    """Make the error for a file whose header is fine and whose sound is not.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    UnreadableAudio
        To be raised.
    """
    return UnreadableAudio(f"{shown_name(path)}: breaks before the first sample; get a whole copy of it")


def check_finite(path: str | Path, samples: np.ndarray) -> None:
    """Refuse samples that are not numbers, or so large that no sound can be meant.

    Parameters
    ----------
    path : str or Path
        Named in the message.
    samples : np.ndarray
        Any shape.

    Raises
    ------
    UnreadableAudio
        If there is a NaN or an Inf, or a sample beyond `LARGEST_SAMPLE`.
    """
    if not samples.size:
        return
    # Two passes without a temporary; a NaN anywhere is the minimum and the maximum.
    largest = max(-float(samples.min()), float(samples.max()))
    if not np.isfinite(largest):
        raise UnreadableAudio(f"{shown_name(path)}: holds NaN or Inf samples; export it again", "NaN or Inf")
    if largest > LARGEST_SAMPLE:
        message = f"holds samples of {largest:.2g} times full scale; export it again"
        raise UnreadableAudio(f"{shown_name(path)}: {message}", "out of range")


@contextlib.contextmanager
def mpg123_muted(is_mp3: bool) -> Iterator[None]:
    """Mute stderr while an mp3 is opened or sought in: its decoder complains there, past every handler.

    Parameters
    ----------
    is_mp3 : bool
        Nothing is muted otherwise.

    Yields
    ------
    None
        While the block runs.
    """
    if not is_mp3:
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


@lru_cache(maxsize=1)
def _stream_type() -> type[soundfile.SoundFile]:
    import soundfile

    class Stream(soundfile.SoundFile):
        """A file that soundfile does not seek in after each read: a seek breaks an mp3's bit reservoir."""

        def seekable(self) -> bool:
            return False

    return Stream


def _first_bytes(path: str | Path) -> bytes:
    name = shown_name(path)
    try:
        # Opening a pipe waits for a writer, for ever; a folder says what it is when it is opened.
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            with open(path, "rb") as handle:
                return handle.read(16)
    except FileNotFoundError:
        raise BadInput(f"{name}: no such file; check the name") from None
    except IsADirectoryError:
        raise BadInput(f"{name}: is a folder; give a sound file") from None
    except PermissionError:
        message = f"{name}: no permission to read it; change its permissions"
        raise UnreadableAudio(message, "no permission") from None
    except (OSError, ValueError) as error:
        detail = getattr(error, "strerror", None) or error
        raise UnreadableAudio(f"{name}: cannot be opened ({detail})") from None
    raise UnreadableAudio(f"{name}: is a pipe or a device; give a sound file")


def _undecodable(path: str | Path, head: bytes) -> UnreadableAudio:
    name, suffix = shown_name(path), Path(path).suffix.lower()
    if suffix in FFMPEG_SUFFIXES or head.startswith((b"OggS", b"\x1a\x45\xdf\xa3")) or head[4:8] == b"ftyp":
        # An absolute name can't be taken for an option, whatever it begins with.
        source = Path(path).absolute()
        names = " ".join(shlex.quote(str(name)) for name in (source, source.with_suffix(".flac")))
        way_out = f"install ffmpeg and convert it: ffmpeg -i {shown_name(names)}"
        return UnreadableAudio(f"{name}: libsndfile cannot decode it; {way_out}", "needs ffmpeg")
    if head.startswith(_SOUND_MAGIC) or suffix == ".mp3":
        return UnreadableAudio(f"{name}: a damaged sound file; get a whole copy of it", "unreadable")
    return UnreadableAudio(f"{name}: is not a sound file, whatever its name says", "not audio")
