"""A folder of recordings to a checked, ordered list of files that can be used, and of those that cannot."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from stylemix.audio import UnreadableAudio, shown_name
from stylemix.audio.decode import FFMPEG_SUFFIXES, looks_like_sound
from stylemix.audio.examine import Examination, examine
from stylemix.errors import BadInput
from stylemix.files import sha256_file

SOUND_SUFFIXES = frozenset((
    ".wav", ".wave", ".bwf", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".mpga",
    ".aiff", ".aif", ".aifc", ".au", ".snd", ".caf", ".voc", ".sph", ".nist", ".ircam", ".sf", ".paf", ".svx",
    ".8svx", ".iff", ".avr", ".sds", ".sd2", ".wve", ".htk", ".xi", ".pvf"))
REASONS = ("unreadable", "truncated", "not audio", "needs ffmpeg", "silent", "too short", "NaN or Inf",
           "out of range", "no permission", "duplicate", "empty")
MIN_SECONDS = 0.5
MIN_SOUNDING_S = 0.25
CLIPPED_SHARE = 1e-4


@dataclass(frozen=True)
class AudioFile:
    """A usable file of a corpus.

    Parameters
    ----------
    path : Path
        The file.
    sha256 : str
        Hash of its bytes.
    sample_rate, n_channels : int
        As in the file (Hz, channels).
    seconds : float
        What can be decoded.
    usable_s : float
        Of that, how much sounds: within 45 dB of the file's loud parts and above -70 dBFS.
    peak : float
        Largest absolute sample; full scale is 1.
    rms_db : float
        Level of the sounding parts (dBFS).
    flags : tuple of str
        ``"clipped"`` and ``"truncated"``.
    clipped_share : float
        Share of the samples at full scale, two or more in a row.
    format : str
        Such as ``"WAV PCM_16"``.
    """

    path: Path
    sha256: str
    sample_rate: int
    n_channels: int
    seconds: float
    usable_s: float
    peak: float
    rms_db: float
    flags: tuple[str, ...] = ()
    clipped_share: float = 0.0
    format: str = ""


@dataclass(frozen=True)
class Skipped:
    """A file that is left out.

    Parameters
    ----------
    path : Path
        The file.
    reason : str
        One of `REASONS`.
    detail : str
        One line for people.
    """

    path: Path
    reason: str
    detail: str


@dataclass(frozen=True)
class Corpus:
    """What a folder holds.

    Parameters
    ----------
    name : str
        For people; the folder's name by default.
    folder : Path
        Where it is.
    files : tuple of AudioFile
        In the order of their paths.
    skipped : tuple of Skipped
        In the order of their paths.
    n_other : int
        Files that do not look like sound at all, such as pictures and hidden files.
    """

    name: str
    folder: Path
    files: tuple[AudioFile, ...]
    skipped: tuple[Skipped, ...]
    n_other: int = 0

    @property
    def usable_s(self) -> float:
        """Seconds that sound, over all files."""
        return sum(file.usable_s for file in self.files)


def scan(folder: str | Path, *, name: str | None = None, on_file: Callable[[], None] | None = None) -> Corpus:
    """Look through a folder and everything below it; a bad file is named and skipped, and stops nothing.

    Symbolic links are followed, each folder once. Hidden files and files that do not look like sound are
    counted and passed over; ``.mix`` folders are runs, with previews of their own, and are left alone.

    Parameters
    ----------
    folder : str or Path
        The folder.
    name : str, optional
        What to call the corpus.
    on_file : callable, optional
        Called after each file, for a progress bar.

    Returns
    -------
    Corpus
        Usable files and skipped ones.

    Raises
    ------
    BadInput
        If the folder is missing, is a file, or cannot be listed.
    """
    root = _checked_folder(folder)
    candidates: list[Path] = []
    unlisted: list[Skipped] = []
    n_other = 0
    for path in _walk(root, unlisted):
        if _may_be_sound(path):
            candidates.append(path)
        else:
            n_other += 1

    def look(path: Path) -> AudioFile | Skipped:
        result = _examine_file(path)
        if on_file is not None:
            on_file()
        return result

    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        results = _without_duplicates(list(pool.map(look, candidates)))
    return Corpus(name if name is not None else root.resolve().name, root,
                  tuple(result for result in results if isinstance(result, AudioFile)),
                  (*unlisted, *(result for result in results if isinstance(result, Skipped))), n_other)


def check_folders(folders: Sequence[str | Path], *, at_least: int = 1) -> list[Path]:
    """Check the folders of a piece of work against each other, before anything is read.

    Parameters
    ----------
    folders : sequence of paths
        One for each corpus.
    at_least : int
        How many there must be.

    Returns
    -------
    list of Path
        The same folders.

    Raises
    ------
    BadInput
        If there are too few, one is missing or a file, two are the same, or one lies inside another.
    """
    paths = [_checked_folder(folder) for folder in folders]
    if len(paths) < at_least:
        raise BadInput(f"at least {at_least} folders are needed, one for each style, got {len(paths)}")
    for i, first in enumerate(paths):
        for second in paths[i + 1:]:
            real_first, real_second = first.resolve(), second.resolve()
            names = f"{shown_name(first)} and {shown_name(second)}"
            if real_first == real_second:
                raise BadInput(f"{names}: the same folder twice; give a different folder for each style")
            if real_first in real_second.parents or real_second in real_first.parents:
                raise BadInput(f"{names}: one lies inside the other; give folders that share no files")
    return paths


def corpus_names(folders: Sequence[str | Path]) -> list[str]:
    """Name corpora after their folders, with as many parents as it takes to tell them apart.

    Parameters
    ----------
    folders : sequence of paths
        Different folders.

    Returns
    -------
    list of str
        All different.

    Examples
    --------
    >>> corpus_names(["/music/cage/wav", "/music/beach-boys/wav"])
    ['cage/wav', 'beach-boys/wav']
    """
    parts = [Path(folder).resolve().parts for folder in folders]
    depth = 1
    while len({part[-depth:] for part in parts}) < len(set(parts)):
        depth += 1
    return ["/".join(part[-depth:]) for part in parts]


def _checked_folder(folder: str | Path) -> Path:
    path, name = Path(folder), shown_name(folder)
    try:
        if not path.exists():
            raise BadInput(f"{name}: no such folder; check the name")
        if not path.is_dir():
            raise BadInput(f"{name}: is a file; give the folder that holds the recordings")
        with os.scandir(path):
            return path
    except OSError as error:
        raise BadInput(f"{name}: cannot be listed ({error.strerror}); check its permissions") from None


def _walk(root: Path, unlisted: list[Skipped]) -> Iterator[Path]:
    """Yield files in the order of their names; a folder that two links reach is walked once."""
    seen: set[tuple[int, int]] = set()

    def inside(folder: Path) -> Iterator[Path]:
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in seen:
                return
            seen.add((status.st_dev, status.st_ino))
            entries = sorted(folder.iterdir())
        except OSError as error:
            detail = f"{shown_name(folder)}: cannot be listed ({error.strerror})"
            unlisted.append(Skipped(folder, _reason_of(error), detail))
            return
        for entry in entries:
            if entry.is_dir() and not entry.name.startswith(".") and entry.suffix != ".mix":
                yield from inside(entry)
            elif not entry.is_dir():
                yield entry

    return inside(root)


def _may_be_sound(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    return path.suffix.lower() in SOUND_SUFFIXES | FFMPEG_SUFFIXES or looks_like_sound(path)


def _examine_file(path: Path) -> AudioFile | Skipped:
    try:
        found = examine(path)
        if refusal := _why_not(found):
            return Skipped(path, refusal[0], f"{shown_name(path)}: {refusal[1]}")
        flags = ("clipped",) * (found.clipped_share >= CLIPPED_SHARE) + ("truncated",) * found.truncated
        return AudioFile(path, sha256_file(path), found.sample_rate, found.n_channels, found.seconds,
                         found.seconds * found.sounding_share, found.peak, found.rms_db, flags,
                         found.clipped_share, found.format)
    except UnreadableAudio as error:
        return Skipped(path, error.reason, str(error))
    except (OSError, RuntimeError, ValueError) as error:
        return Skipped(path, _reason_of(error), shown_name(f"{path}: cannot be read ({error})"))


def _reason_of(error: Exception) -> str:
    return "no permission" if isinstance(error, PermissionError) else "unreadable"


def _why_not(found: Examination) -> tuple[str, str] | None:
    if found.seconds < MIN_SECONDS:
        reason = "truncated" if found.truncated else "too short"
        return reason, f"lasts {found.seconds:.3g} s; {MIN_SECONDS} s is the least that can be used"
    if found.seconds * found.sounding_share < MIN_SOUNDING_S:
        return "silent", f"less than {MIN_SOUNDING_S} s of it sounds"
    return None


def _without_duplicates(results: list[AudioFile | Skipped]) -> list[AudioFile | Skipped]:
    first: dict[str, Path] = {}
    kept: list[AudioFile | Skipped] = []
    for result in results:
        if isinstance(result, AudioFile) and result.sha256 in first:
            other = first[result.sha256]
            detail = f"{shown_name(result.path)}: the same bytes as {shown_name(other)}"
            kept.append(Skipped(result.path, "duplicate", detail))
            continue
        if isinstance(result, AudioFile):
            first[result.sha256] = result.path
        kept.append(result)
    return kept
