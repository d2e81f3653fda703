"""A track put together of stretches of recordings: read like a file, and never written as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from stylemix.audio import shown_name


@dataclass(frozen=True)
class Cut:
    """A stretch of a recording, laid on a track.

    Parameters
    ----------
    path : Path
        The recording.
    file : int
        Its place among the run's files.
    start_s : float
        Where in the recording the stretch begins (seconds).
    at_s, end_s : float
        From when to when it sounds on the track (seconds).
    """

    path: Path
    file: int
    start_s: float
    at_s: float
    end_s: float


@dataclass(frozen=True)
class Track:
    """Stretches of recordings that follow one another without a gap.

    Parameters
    ----------
    cuts : tuple of Cut
        The first at 0 s, each where the one before ends.
    sample_rate : int
        At which the track is read as a source (Hz).
    n_channels : int
        Of all of it; recordings with others are averaged or repeated to fit.
    """

    cuts: tuple[Cut, ...]
    sample_rate: int
    n_channels: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.cuts[-1].end_s

    @property
    def paths(self) -> list[Path]:
        """The recordings, each once, in the order in which they are heard."""
        return list(dict.fromkeys(cut.path for cut in self.cuts))

    @property
    def name(self) -> str:
        """What people know it by."""
        names = [shown_name(path.name) for path in self.paths]
        return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

    def __str__(self) -> str:
        return f"walk through {self.name}"

    def borders_s(self) -> np.ndarray:
        """Return where one stretch gives way to the next.

        Returns
        -------
        np.ndarray, shape (R - 1,)
            Seconds on the track.
        """
        return np.array([cut.at_s for cut in self.cuts[1:]])

    def places(self, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Say what is heard when.

        Parameters
        ----------
        times_s : np.ndarray, shape (N,)
            Seconds on the track.

        Returns
        -------
        file : np.ndarray, shape (N,), int
            Place of the recording among the run's files.
        at_s : np.ndarray, shape (N,)
            Seconds in it.

        Examples
        --------
        >>> cuts = (Cut(Path("a.wav"), 3, 10.0, 0.0, 2.0), Cut(Path("b.wav"), 5, 0.0, 2.0, 4.0))
        >>> file, at_s = Track(cuts, 8000, 1).places(np.array([0.5, 2.5]))
        >>> file.tolist(), at_s.tolist()
        ([3, 5], [10.5, 0.5])
        """
        index = np.searchsorted(self.borders_s(), times_s, side="right")
        at_s, start_s, file = (np.array([getattr(c, name) for c in self.cuts]) for name in ("at_s", "start_s", "file"))
        return file[index], times_s - at_s[index] + start_s[index]


Sound: TypeAlias = str | Path | Track


def files_of(sounds: Sequence[Sound]) -> list[str | Path]:
    """List the files that sounds are read from.

    Parameters
    ----------
    sounds : sequence of str, Path or Track
        Any of them.

    Returns
    -------
    list of str or Path
        A track's recordings in its place.
    """
    return [path for sound in sounds for path in (sound.paths if isinstance(sound, Track) else [sound])]
