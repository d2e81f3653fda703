"""The material of the trials: sounds, and each of a few of them changed a little in many ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stylemix.measure.properties.deformations import shifted, transposed, warped
from stylemix.measure.properties.excerpts import Excerpt
from stylemix.measure.properties.representations import SAMPLE_RATE, WINDOW

KINDS = ("shift", "warp", "transposition")
# In shares of the averaging, in parts of the speed, in cents.
SHIFTS = (1 / 64, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
DEPTHS = (0.001, 0.003, 0.01, 0.02, 0.05)
CENTS = (10.0, 25.0, 50.0, 100.0, 200.0)
# So fast that a warp of 5 % moves nothing by more than 4 ms, 1/47 of the averaging.
WARP_PERIOD_S = 0.5


@dataclass(frozen=True)
class Deformation:
    """One way to change a sound a little.

    Parameters
    ----------
    kind : {"shift", "warp", "transposition"}
        Which.
    amount : float
        Seconds, the largest change of speed, or cents.
    """

    kind: str
    amount: float

    def __call__(self, x: np.ndarray, *, phase: float = 0.0) -> np.ndarray:
        """Deform a sound.

        Parameters
        ----------
        x : np.ndarray, shape (T,)
            Sound at `SAMPLE_RATE` with silence at its ends.
        phase : float
            Where a warp begins in its period (radians).

        Returns
        -------
        np.ndarray, shape (T,)
            The sound deformed; `x` itself, to rounding, for an amount of 0.

        Examples
        --------
        >>> Deformation("shift", 2 / SAMPLE_RATE)(np.eye(6)[1]).argmax().item()
        3
        """
        if self.kind == "shift":
            return shifted(x, self.amount * SAMPLE_RATE)
        if self.kind == "warp":
            return warped(x, self.amount, period=WARP_PERIOD_S * SAMPLE_RATE, phase=phase)
        return transposed(x, self.amount)


def all_deformations() -> list[Deformation]:
    """List what is done to each sound.

    Returns
    -------
    list of Deformation
        By kind, from the smallest to the largest.

    Examples
    --------
    >>> len(all_deformations())
    16
    """
    shifts = [Deformation("shift", share * WINDOW / SAMPLE_RATE) for share in SHIFTS]
    warps = [Deformation("warp", depth) for depth in DEPTHS]
    return [*shifts, *warps, *(Deformation("transposition", cents) for cents in CENTS)]


@dataclass(frozen=True)
class Material:
    """What all representations are measured on.

    Parameters
    ----------
    sounds : np.ndarray, shape (S, T)
        Excerpts at `SAMPLE_RATE`.
    files : np.ndarray, shape (S,), int
        The file each is from.
    chosen : np.ndarray, shape (C,), int
        Which of them are deformed.
    deformed : dict of Deformation to np.ndarray, shape (C, T)
        Those, deformed.
    """

    sounds: np.ndarray
    files: np.ndarray
    chosen: np.ndarray
    deformed: dict[Deformation, np.ndarray]

    @property
    def n_analyses(self) -> int:
        """Number of sounds a representation has to analyse: all, the deformed ones and the reversed ones."""
        return len(self.sounds) + len(self.chosen) * (len(self.deformed) + 1)


def make_material(
    excerpts: Sequence[Excerpt], deformations: Sequence[Deformation], *, most: int = 6, seed: int = 0
) -> Material:
    """Choose the sounds that are deformed, and deform them.

    Parameters
    ----------
    excerpts : sequence of Excerpt
        At least two.
    deformations : sequence of Deformation
        What is done to each.
    most : int
        How many sounds are deformed: one of each file, then a second of each, and so on.
    seed : int
        Decides where in its period each warp begins.

    Returns
    -------
    Material
        The same for all representations.
    """
    files = np.array([excerpt.file for excerpt in excerpts])
    turn = np.array([np.sum(files[:i] == file) for i, file in enumerate(files)])
    chosen = np.sort(np.lexsort((files, turn))[:most])
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(chosen))
    deformed = {
        how: np.stack([how(excerpts[i].sound, phase=phase) for i, phase in zip(chosen, phases, strict=True)])
        for how in deformations
    }
    sounds = np.stack([excerpt.sound for excerpt in excerpts])
    return Material(sounds, files, chosen, deformed)
