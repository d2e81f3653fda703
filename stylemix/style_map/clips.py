"""The sound of segments, read from the recordings when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stylemix.audio import AudioReader, shown_name
from stylemix.clusters.spaces import Segments
from stylemix.errors import BadInput


class FileClips:
    """Reads segments; the file read last stays open, since clips are asked for file by file.

    Parameters
    ----------
    paths : sequence of Path or None
        The recordings; None for one that is gone.
    segments : Segments
        Where in them.
    """

    def __init__(self, paths: Sequence[Path | None], segments: Segments) -> None:
        self._paths, self._segments = paths, segments
        self._reader: AudioReader | None = None
        self._index = -1

    def __call__(self, i: int) -> tuple[np.ndarray, int]:
        """Return the samples (C, T) of a segment, and their rate."""
        index = int(self._segments.file[i])
        path = self._paths[index]
        if path is None:
            raise BadInput(f"map: segment {i + 1} has no sound, since its file is gone")
        if self._reader is None or index != self._index:
            self.close()
            self._reader, self._index = AudioReader(path), index
        rate = self._reader.sample_rate
        start = round(float(self._segments.start_s[i]) * rate)
        return self._reader.read(start, start + round(float(self._segments.duration_s[i]) * rate)), rate

    def close(self) -> None:
        """Close the file that is open, if one is."""
        if self._reader is not None:
            self._reader.close()


def shown_files(paths: Sequence[Path], groups: Sequence[int]) -> list[str]:
    """Name files below the folder that the files of their group share: short, and still unlike each other.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    groups : sequence of int
        The corpus of each.

    Returns
    -------
    list of str
        A name for each, as shown.

    Examples
    --------
    >>> shown_files([Path("/m/a/x.wav"), Path("/m/a/b/x.wav"), Path("/n/x.wav")], [0, 0, 1])
    ['x.wav', 'b/x.wav', 'x.wav']
    """
    names = [""] * len(paths)
    for group in dict.fromkeys(groups):
        members = [i for i, one in enumerate(groups) if one == group]
        folder = os.path.commonpath([Path(paths[i]).parent for i in members])
        for i in members:
            names[i] = shown_name(os.path.relpath(paths[i], folder))
    return names
