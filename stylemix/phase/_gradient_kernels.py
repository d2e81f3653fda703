"""The inner loop of the phase gradient, compiled: where on a window a value lies, by what is beside it."""

from __future__ import annotations

import numpy as np

from stylemix.compiled import compiled


@compiled
def read_offsets(
    here: np.ndarray, ahead: np.ndarray, behind: np.ndarray, table: np.ndarray, power: int, out: np.ndarray
) -> None:
    """Find where on a window values lie, from their neighbours on both sides.

    Parameters
    ----------
    here, ahead, behind : np.ndarray, shape (N,)
        Magnitudes, and those one step ahead and behind.
    table : np.ndarray, shape (P + 1,)
        Place on the window at which the value ahead has the shares 0, 1 / P, ..., 1 in the sum of both.
    power : int
        Power of the neighbours' magnitudes by which the two places that they say are weighted.
    out : np.ndarray, shape (N,), float64
        Takes the places.
    """
    last = len(table) - 1
    for n in range(len(here)):
        sides = 0.0
        total = 0.0
        for sign, beside in ((1.0, ahead[n]), (-1.0, behind[n])):
            both = here[n] + beside
            share = last * (beside / both) if both > 0 else 0.5 * last
            at = min(int(share), last - 1)
            place = table[at] + (share - at) * (table[at + 1] - table[at])
            weight = np.float64(beside) ** power
            sides += sign * weight * place
            total += weight
        out[n] = sides / total if total > 0 else 0.0
