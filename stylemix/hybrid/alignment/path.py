"""A way through the target files on the source's timeline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stylemix.errors import BadInput


@dataclass(frozen=True)
class Path:
    """A way through the target files on the source's timeline.

    Parameters
    ----------
    file : np.ndarray, shape (M,), int
        Index of the target file at each latent step of the source.
    step : np.ndarray, shape (M,), int
        Latent step inside that file.
    """

    file: np.ndarray
    step: np.ndarray

    @property
    def n_steps(self) -> int:
        """Number of steps of the source."""
        return len(self.file)

    def runs(self) -> np.ndarray:
        """Cut the path where it does not simply go on.

        Returns
        -------
        np.ndarray, shape (R, 2), int
            First step and one past the last of each run, on the source's timeline.

        Examples
        --------
        >>> Path(np.array([0, 0, 1, 1]), np.array([4, 5, 6, 7])).runs().tolist()
        [[0, 2], [2, 4]]
        """
        breaks = np.flatnonzero((np.diff(self.file) != 0) | (np.diff(self.step) != 1)) + 1
        edges = np.concatenate([[0], breaks, [self.n_steps]])
        return np.stack([edges[:-1], edges[1:]], axis=1)

    def held(self, slack: int) -> Path:
        """Let runs go on until they are more than `slack` steps off: small changes of tempo splice rarely.

        Parameters
        ----------
        slack : int
            Steps.

        Returns
        -------
        Path
            Each step at most `slack` from where it was, in the same file.

        Examples
        --------
        >>> Path(np.zeros(6, int), np.array([0, 1, 3, 4, 6, 7])).held(1).step.tolist()
        [0, 1, 2, 3, 6, 7]
        """
        step = self.step.copy()
        for m in range(1, self.n_steps):
            going_on = step[m - 1] + 1
            if self.file[m] == self.file[m - 1] and abs(going_on - self.step[m]) <= slack:
                step[m] = going_on
        return Path(self.file, step)

    def apart(self, other: Path, *, slack: int) -> float:
        """Measure how much of the time another path is somewhere else.

        Parameters
        ----------
        other : Path
            Of the same number of steps.
        slack : int
            Steps by which two places of one file may differ and still be the same.

        Returns
        -------
        float
            Share of the source's steps at which the two are in different files or farther apart: 0 for the
            same path, 1 for paths that never meet.

        Raises
        ------
        BadInput
            If the paths have different lengths.

        Examples
        --------
        >>> one, two = Path(np.zeros(4, int), np.arange(4)), Path(np.zeros(4, int), np.array([0, 1, 20, 30]))
        >>> one.apart(two, slack=10)
        0.5
        """
        if self.n_steps != other.n_steps:
            raise BadInput(f"apart: two paths of one source are compared, got {self.n_steps} and {other.n_steps} steps")
        return float(np.mean((self.file != other.file) | (np.abs(self.step - other.step) > slack)))
