"""Computed arrays on disk: keyed by content and settings, memory-mapped, safe for two processes at once."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.errors import BadInput
from stylemix.files import readable_os_errors

DEFAULT_MAX_BYTES = 10 * 1000**3
# A temporary folder this old was left by a process that was killed.
STALE_S = 24 * 3600
_TEMPORARY = ".tmp-"
_SAFE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")


def cache_dir() -> Path:
    """Return the folder for computed things: ``$STYLEMIX_CACHE``, or the place the platform has for them.

    Returns
    -------
    Path
        It need not exist yet.

    Examples
    --------
    >>> getfixture("monkeypatch").setenv("STYLEMIX_CACHE", "/big/disk")
    >>> cache_dir().as_posix()
    '/big/disk'
    """
    if chosen := os.environ.get("STYLEMIX_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "stylemix"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "stylemix" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stylemix"


def cache_key(sha256: str, settings: Mapping[str, Any]) -> str:
    """Name what was computed from one content with one set of settings.

    Parameters
    ----------
    sha256 : str
        Hash of the content.
    settings : mapping
        Everything else the result depends on, a version of the computation included; JSON values only.

    Returns
    -------
    str
        64 hexadecimal digits, the same whatever the order of the settings.

    Examples
    --------
    >>> cache_key("ab", {"hop": 256, "bins": 36}) == cache_key("ab", {"bins": 36, "hop": 256})
    True
    """
    text = json.dumps([sha256, dict(settings)], sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class ArrayCache:
    """Named arrays under a key, one folder an entry.

    An entry is written into a temporary folder and renamed, so it is there whole or not at all; when two
    processes compute the same entry, the first one stays. A damaged entry is dropped and counts as absent.

    Parameters
    ----------
    folder : str or Path, optional
        Made when needed; `cache_dir` by default.

    Examples
    --------
    >>> cache = ArrayCache(getfixture("tmp_path"))
    >>> cache.put("k1", {"frames": np.arange(3)})
    >>> cache.get("k1")["frames"].tolist(), cache.get("k2")
    ([0, 1, 2], None)
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = Path(folder) if folder is not None else cache_dir()

    def get(self, key: str) -> dict[str, np.ndarray] | None:
        """Return the arrays of an entry, memory-mapped and read-only.

        Parameters
        ----------
        key : str
            As given to `put`.

        Returns
        -------
        dict of str to np.ndarray, or None
            None when there is no such entry, or it is damaged.
        """
        entry = self._entry(key)
        if not entry.is_dir():
            return None
        try:
            arrays = _load_entry(entry)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            shutil.rmtree(entry, ignore_errors=True)
            return None
        with contextlib.suppress(OSError):
            os.utime(entry)
        return arrays

    def put(self, key: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep arrays under a key; nothing happens when the entry is there already.

        Parameters
        ----------
        key : str
            Letters, digits, ``-`` and ``_``.
        arrays : mapping of str to np.ndarray
            Numbers only.

        Raises
        ------
        BadInput
            If a name or an array cannot be kept.
        StylemixError
            If the disk is full or the folder cannot be written.
        """
        entry = self._entry(key)
        for name, array in arrays.items():
            if not _SAFE_NAME.fullmatch(name) or np.asarray(array).dtype.hasobject:
                raise BadInput(f"cache: {name!r} must be a plain name with an array of numbers")
        with readable_os_errors(self.folder):
            entry.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=self.folder))
            try:
                _save_entry(temporary, arrays)
                _rename_unless_there(temporary, entry)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)

    def n_bytes(self) -> int:
        """Add up what the entries take on the disk.

        Returns
        -------
        int
            Bytes.
        """
        return sum(size for _, size, _ in self._entries())

    def prune(self, max_bytes: int = DEFAULT_MAX_BYTES) -> int:
        """Drop the entries used longest ago until the rest fits; sweep up after killed processes.

        Parameters
        ----------
        max_bytes : int
            What the cache may take.

        Returns
        -------
        int
            Bytes freed.
        """
        for left_over in self.folder.glob(f"{_TEMPORARY}*"):
            with contextlib.suppress(OSError):
                if time.time() - left_over.stat().st_mtime > STALE_S:
                    shutil.rmtree(left_over, ignore_errors=True)
        entries = sorted(self._entries())
        excess, freed = sum(size for _, size, _ in entries) - max_bytes, 0
        for _, size, entry in entries:
            if freed >= excess:
                break
            shutil.rmtree(entry, ignore_errors=True)
            freed += size
        return freed

    def _entry(self, key: str) -> Path:
        if not _SAFE_NAME.fullmatch(key):
            raise BadInput(f"cache: a key must be letters, digits, - and _, got {key!r}")
        return self.folder / key[:2] / key

    def _entries(self) -> list[tuple[float, int, Path]]:
        """List (time of last use, bytes, folder)."""
        found = []
        for entry in self.folder.glob("??/*"):
            with contextlib.suppress(OSError):
                size = sum(file.stat().st_size for file in entry.iterdir())
                found.append((entry.stat().st_mtime, size, entry))
        return found


def _save_entry(folder: Path, arrays: Mapping[str, np.ndarray]) -> None:
    described = {}
    for name, array in arrays.items():
        path = folder / f"{name}.npy"
        with path.open("wb") as handle:
            np.save(handle, np.ascontiguousarray(array), allow_pickle=False)
            handle.flush()
            # Without it a power cut can leave a renamed folder with empty files of the right size.
            os.fsync(handle.fileno())
        described[name] = {"shape": list(np.shape(array)), "bytes": path.stat().st_size}
    (folder / "entry.json").write_text(json.dumps(described), encoding="utf-8")


def _load_entry(entry: Path) -> dict[str, np.ndarray]:
    described = json.loads((entry / "entry.json").read_text(encoding="utf-8"))
    arrays = {}
    for name, expected in described.items():
        path = entry / f"{name}.npy"
        if path.stat().st_size != expected["bytes"]:
            raise ValueError(f"{path} has another size than was written")
        # An empty array cannot be mapped.
        arrays[name] = np.load(path, mmap_mode=None if 0 in expected["shape"] else "r", allow_pickle=False)
        if list(arrays[name].shape) != expected["shape"]:
            raise ValueError(f"{path} has another shape than was written")
    return arrays


def _rename_unless_there(temporary: Path, entry: Path) -> None:
    try:
        temporary.rename(entry)
    except OSError as error:
        # Another process was first: its entry holds the same numbers.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) and not entry.is_dir():
            raise
