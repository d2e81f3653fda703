"""Where the recordings of a run are now."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sized
from pathlib import Path
from typing import Protocol

from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.model.artefact import PARTS


class _HasRecordings(Protocol):
    """What a run shows of its recordings."""

    @property
    def path(self) -> Path:
        """Return its folder."""

    @property
    def files(self) -> Sized:
        """Return what it was made from."""

    def file_path(self, index: int) -> Path:
        """Find one of them, as `Run.file_path` does."""


def find_recording(path: Path, folder: Path, *, run: Path, corpus: str) -> Path:
    """Find a recording where it was, or in its corpus' folder in the working directory or beside the run.

    Parameters
    ----------
    path : Path
        Where it was.
    folder : Path
        Where its corpus was.
    run : Path
        The run folder.
    corpus : str
        Name of the corpus, for the message.

    Returns
    -------
    Path
        An existing file.

    Raises
    ------
    BadInput
        If it is in none of these places.
    """
    places = [path]
    if path.is_relative_to(folder):
        inside = folder.name / path.relative_to(folder)
        places += [Path.cwd() / inside, run.parent / inside]
    for place in places:
        # Not Path.is_file, which raises for a name that is too long.
        if os.path.isfile(place):
            return place
    raise BadInput(
        f"{shown_name(path)[-300:]}: the run needs this file of {shown_name(corpus)} "
        "and it is not there; put the folder back, or beside the run as "
        f"{shown_name(run.parent / folder.name)}"
    )


def inputs_of(run: _HasRecordings) -> list[Path]:
    """List what no output may replace: the recordings of a run, wherever they are now, and its own files.

    Parameters
    ----------
    run : Run
        Any run.

    Returns
    -------
    list of Path
        Existing files.
    """
    recordings = []
    for index in range(len(run.files)):
        with contextlib.suppress(BadInput):
            recordings.append(run.file_path(index))
    return [*recordings, *(path for path in (run.path / part for part in sorted(PARTS)) if path.is_file())]
