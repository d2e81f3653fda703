"""Files on disk: written to a temporary name and renamed, never over an input, hashed by content."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from stylemix.errors import BadInput, StylemixError


def sha256_file(path: str | Path) -> str:
    """Hash a file's content, a megabyte at a time.

    Parameters
    ----------
    path : str or Path
        A readable file.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_output(path: str | Path, *, force: bool = False, inputs: Iterable[str | Path] = ()) -> Path:
    """Refuse an output that is one of the inputs, that exists, or whose folder cannot be made.

    Parameters
    ----------
    path : str or Path
        Where something is going to be written.
    force : bool
        Allow an existing file to be replaced (an input is refused all the same).
    inputs : iterable of paths
        Files that are read in the same piece of work.

    Returns
    -------
    Path
        The path, its folder made.

    Raises
    ------
    BadInput
        If the output is an input, exists without `force`, or its folder cannot be made.
    """
    out = Path(path)
    for source in inputs:
        if out.exists() and Path(source).exists() and os.path.samefile(out, source):
            raise BadInput(f"{out}: the output must not be one of the inputs; choose another name for --out")
    if out.exists() and not force:
        raise BadInput(f"{out}: exists already; choose another name or add --force to replace it")
    with readable_os_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    return out


@contextlib.contextmanager
def readable_os_errors(path: str | Path) -> Iterator[None]:
    """Turn the operating system's refusals while writing into one line that says what to do.

    Parameters
    ----------
    path : str or Path
        What is being written, for the message.

    Yields
    ------
    None
        While the block runs.

    Raises
    ------
    StylemixError
        For a full disk, missing permission, or any other refusal.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StylemixError(f"{path}: the disk is full; free some space and run it again") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise StylemixError(f"{path}: no permission to write there; choose another place") from error
        reason = error.strerror or error
        raise StylemixError(f"{path}: cannot be written ({reason}); choose another place") from error


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it when the block ends well, remove it otherwise.

    Parameters
    ----------
    path : str or Path
        The final name.

    Yields
    ------
    Path
        A temporary path with the same ending, in the same folder.

    Raises
    ------
    StylemixError
        If the operating system refuses the writing (disk full, no permission).
    """
    final = Path(path)
    with readable_os_errors(final):
        handle, name = tempfile.mkstemp(dir=final.parent, prefix=".tmp-", suffix=final.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            # mkstemp makes private files; a finished file has the permissions any other new file would have.
            mask = os.umask(0)
            os.umask(mask)
            temporary.chmod(0o666 & ~mask)
            os.replace(temporary, final)
        finally:
            temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file whole or not at all.

    Parameters
    ----------
    path : str or Path
        The file.
    text : str
        Its content, written as UTF-8.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write a JSON file whole or not at all.

    Parameters
    ----------
    path : str or Path
        The file.
    value : object
        Anything the json module can write.
    """
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
