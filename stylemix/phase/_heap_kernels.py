"""The inner loop of heap integration, compiled: phases spread from the loudest coefficients over a ragged lattice."""

from __future__ import annotations

import numba
import numpy as np

WAITING, QUEUED, SETTLED, FREE = 0, 1, 2, 3


@numba.njit(cache=True)
def integrate(
    magnitude: np.ndarray,
    level: np.ndarray,
    start: np.ndarray,
    hop: np.ndarray,
    wraps: bool,
    real: np.ndarray,
    along: np.ndarray,
    across: np.ndarray,
    across_start: np.ndarray,
    across_weight: np.ndarray,
    unit: np.ndarray,
    state: np.ndarray,
) -> None:
    """Settle the phase of every coefficient that is not free, the loudest first.

    Coefficients wait in a queue with one bucket for each level, which takes constant time where a binary heap takes
    the logarithm of its size. One that is taken out gets the phase that its settled neighbours agree on, weighted by
    their magnitudes, and its other neighbours enter. When the queue is empty, the loudest that has not been
    reached starts anew.

    Parameters
    ----------
    magnitude : np.ndarray, shape (M,)
        Of all coefficients, row after row.
    level : np.ndarray, shape (M,), uint16
        Loudness in steps, larger for louder.
    start : np.ndarray, shape (K + 1,), int64
        Where each row begins.
    hop : np.ndarray, shape (K,), int64
        Samples between the coefficients of a row; of two neighbours one is a multiple of the other.
    wraps : bool
        Whether the last coefficient of a row is the first one's neighbour.
    real : np.ndarray, shape (K,), bool
        Rows whose phases are 0 or pi.
    along : np.ndarray, shape (M,), complex
        Factor, of magnitude 1, from each coefficient to the next of its row.
    across : np.ndarray, complex
        Factor from each row to the one above, at the times that both have.
    across_start : np.ndarray, shape (K,), int64
        Where each row begins in it.
    across_weight : np.ndarray, shape as `across`
        Weight of a neighbour in another row, against one in the same.
    unit : np.ndarray, shape (M,), complex
        exp(i phase): known on entry where settled or free, and 1 elsewhere; all on return.
    state : np.ndarray, shape (M,), uint8
        WAITING, SETTLED (known) or FREE (left alone) on entry.
    """
    n_all, n_levels = len(magnitude), 1
    for i in range(n_all):
        n_levels = max(n_levels, level[i] + 1)
    order = _loudest_first(level, state, n_levels)
    head = np.full(n_levels, -1, np.int32)
    following = np.full(n_all, -1, np.int32)
    row_of = np.empty(n_all, np.int32)
    for k in range(len(hop)):
        row_of[start[k] : start[k + 1]] = k
    top = -1
    for i in range(n_all):
        if state[i] == SETTLED:
            top = _push(i, level[i], head, following, top)
    beside = np.empty(4, np.int64)
    step, weight = np.empty(4, np.complex64), np.empty(4)
    begun = 0
    while True:
        while top >= 0 and head[top] < 0:
            top -= 1
        if top >= 0:
            i = head[top]
            head[top] = following[i]
        else:
            while begun < len(order) and state[order[begun]] != WAITING:
                begun += 1
            if begun == len(order):
                break
            i = order[begun]
        n = _neighbours(
            i, row_of[i], start, hop, wraps, along, across, across_start, across_weight, beside, step, weight
        )
        if state[i] == QUEUED:
            unit[i] = _agreed(n, beside, step, weight, magnitude, unit, state)
            if real[row_of[i]]:
                unit[i] = 1.0 if unit[i].real >= 0 else -1.0
        state[i] = SETTLED
        for a in range(n):
            if state[beside[a]] == WAITING:
                state[beside[a]] = QUEUED
                top = _push(beside[a], level[beside[a]], head, following, top)


@numba.njit(cache=True)
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


@numba.njit(cache=True)
def _push(i, at, head, following, top):  # type: ignore[no-untyped-def]
    following[i] = head[at]
    head[at] = i
    return max(top, np.int64(at))


@numba.njit(cache=True)
def _loudest_first(level, state, n_levels):  # type: ignore[no-untyped-def]
    """Sort the waiting coefficients by counting."""
    position = np.zeros(n_levels + 1, np.int64)
    for i in range(len(level)):
        if state[i] == WAITING:
            position[n_levels - level[i]] += 1
    for at in range(n_levels):
        position[at + 1] += position[at]
    order = np.empty(position[n_levels], np.int32)
    for i in range(len(level)):
        if state[i] == WAITING:
            at = n_levels - 1 - level[i]
            order[position[at]] = i
            position[at] += 1
    return order


@numba.njit(cache=True)
def _neighbours(i, k, start, hop, wraps, along, across, across_start, across_weight, beside, step, weight):  # type: ignore[no-untyped-def]
    """List a coefficient's neighbours, and the phase from it to each."""
    n, at = 0, i - start[k]
    count = start[k + 1] - start[k]
    for side in (1, -1):
        there = at + side
        if there < 0 or there >= count:
            if not wraps:
                continue
            there %= count
        beside[n] = start[k] + there
        step[n] = along[i] if side > 0 else np.conj(along[beside[n]])
        weight[n] = 1.0
        n += 1
    for side in (1, -1):
        row = k + side
        if row < 0 or row >= len(hop):
            continue
        there = shared = at
        if hop[k] != hop[row]:
            larger = max(hop[k], hop[row])
            if at * hop[k] % larger:
                continue
            there, shared = at * hop[k] // hop[row], at * hop[k] // larger
        beside[n] = start[row] + there
        if beside[n] >= start[row + 1]:
            continue
        edge = across_start[min(k, row)] + shared
        step[n] = across[edge] if side > 0 else np.conj(across[edge])
        weight[n] = across_weight[edge]
        n += 1
    return n


@numba.njit(cache=True)
def _agreed(n, beside, step, weight, magnitude, unit, state):  # type: ignore[no-untyped-def]
    """Direction of the sum of what the settled neighbours say."""
    total = np.complex128(0)
    for a in range(n):
        j = beside[a]
        if state[j] == SETTLED:
            total += weight[a] * magnitude[j] * (unit[j] * np.conj(step[a]))
    size = np.abs(total)
    return np.complex64(total / size) if size > 0 else np.complex64(1)
