"""The inner loop of heap integration, compiled: phases spread from the loudest coefficients over a ragged lattice."""

from __future__ import annotations

import numpy as np

from stylemix.compiled import compiled

WAITING, QUEUED, FREE, TRAILING, SETTLED, KNOWN = range(6)
# All that is asked of a coefficient lies in half a line of the cache, and all of an edge in a quarter: the queue jumps
# about, and waiting for memory is most of the work.
_POINT = np.dtype(
    [
        ("unit", "c8"),
        ("along", "c8"),
        ("magnitude", "f4"),
        ("following", "i4"),
        ("slot", "u4"),
        ("row", "u2"),
        ("level", "u1"),
        ("state", "u1"),
    ],
    align=True,
)
_EDGE = np.dtype([("step", "c8"), ("weight", "f4")], align=True)


@compiled
def pack(
    magnitude: np.ndarray,
    level: np.ndarray,
    start: np.ndarray,
    hop: np.ndarray,
    slot_samples: int,
    goes_round: bool,
    along: np.ndarray,
    across: np.ndarray,
    across_weight: np.ndarray,
    unit: np.ndarray,
    state: np.ndarray,
    trailing: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Lay the coefficients out for `spread`, and sort them by time and loudness.

    Parameters
    ----------
    magnitude : np.ndarray, shape (M,)
        Of all coefficients, row after row.
    level : np.ndarray, shape (M,), uint8
        Loudness in steps, larger for louder.
    start : np.ndarray, shape (K + 1,), int64
        Where each row begins.
    hop : np.ndarray, shape (K,), int64
        Samples between the coefficients of a row.
    slot_samples : int
        Length of a slot of time.
    goes_round : bool
        Whether time does: slots are then counted from the quietest one on.
    along : np.ndarray, shape (M,), complex
        Factor, of magnitude 1, from each coefficient to the next of its row.
    across : np.ndarray, complex
        Factor from each row to the one above, at the times that both have.
    across_weight : np.ndarray, shape as `across`
        Weight of a neighbour in another row, against one in the same.
    unit : np.ndarray, shape (M,), complex
        exp(i phase) where it is known or free.
    state : np.ndarray, shape (M,), uint8
        WAITING, KNOWN or FREE (left alone).
    trailing : float
        Share of the loudest of its slot below which a coefficient follows its row instead of waiting.

    Returns
    -------
    points, edges : np.ndarray of records
        Coefficients, and steps between rows.
    order : np.ndarray, int32
        Those that wait or are known, slot after slot, in each the loudest first.
    first : np.ndarray, shape (number of slots + 1,), int64
        Where each slot begins in `order`.
    """
    peak = _peaks(magnitude, start, hop, slot_samples)
    n_slots = len(peak)
    quietest = np.argmin(peak) if goes_round else 0
    points, edges = np.empty(len(magnitude), _POINT), np.empty(len(across), _EDGE)
    for k in range(len(hop)):
        for i in range(start[k], start[k + 1]):
            slot = (i - start[k]) * hop[k] // slot_samples
            points[i].unit, points[i].along, points[i].magnitude = unit[i], along[i], magnitude[i]
            points[i].following, points[i].slot, points[i].row = -1, (slot - quietest) % n_slots, k
            points[i].level, points[i].state = level[i], state[i]
            if state[i] == WAITING and magnitude[i] < trailing * peak[slot]:
                points[i].state = TRAILING
    for i in range(len(edges)):
        edges[i].step, edges[i].weight = across[i], across_weight[i]
    order, first = _loudest_first(points, n_slots)
    return points, edges, order, first


@compiled
def _peaks(magnitude, start, hop, slot_samples):  # type: ignore[no-untyped-def]
    """Loudest of each slot of time."""
    n_slots = 1
    for k in range(len(hop)):
        n_slots = max(n_slots, ((start[k + 1] - start[k]) * hop[k] - 1) // slot_samples + 1)
    peak = np.zeros(n_slots, np.float32)
    for k in range(len(hop)):
        for i in range(start[k], start[k + 1]):
            slot = (i - start[k]) * hop[k] // slot_samples
            peak[slot] = max(peak[slot], magnitude[i])
    return peak


@compiled
def _loudest_first(points, n_slots):  # type: ignore[no-untyped-def]
    """Sort by slot and loudness, by counting."""
    n_levels = 256
    position = np.zeros(n_slots * n_levels + 1, np.int64)
    for i in range(len(points)):
        if points[i].state != FREE and points[i].state != TRAILING:
            position[points[i].slot * n_levels + n_levels - points[i].level] += 1
    for at in range(len(position) - 1):
        position[at + 1] += position[at]
    first = position[::n_levels].copy()
    order = np.empty(position[-1], np.int32)
    for i in range(len(points)):
        if points[i].state != FREE and points[i].state != TRAILING:
            at = points[i].slot * n_levels + n_levels - 1 - points[i].level
            order[position[at]] = i
            position[at] += 1
    return order, first


@compiled
def spread(
    points: np.ndarray,
    edges: np.ndarray,
    order: np.ndarray,
    first: np.ndarray,
    start: np.ndarray,
    shift: np.ndarray,
    wraps: bool,
    real: np.ndarray,
    across_start: np.ndarray,
    origin: np.ndarray,
    window: tuple[int, int, int, int],
) -> None:
    """Settle the phase of every coefficient in a window of time that is not free, the loudest first.

    Coefficients wait in a queue with one bucket for each level, which takes constant time where a binary heap takes
    the logarithm of its size. One that is taken out gets the phase that its settled neighbours agree on, weighted by
    their magnitudes, and its other neighbours enter. When the queue is empty, the loudest that has not been
    reached starts anew.

    Parameters
    ----------
    points, edges, order, first : np.ndarray
        From `pack`. Settled coefficients in the slots beside the window are what it starts from.
    start : np.ndarray, shape (K + 1,), int64
        Where each row begins.
    shift : np.ndarray, shape (K,), int64
        Logarithm to base 2 of each row's hop over that of the row above; 0 for the last one.
    wraps : bool
        Whether the last coefficient of a row is the first one's neighbour.
    real : np.ndarray, shape (K,), bool
        Rows whose phases are 0 or pi.
    across_start : np.ndarray, shape (K,), int64
        Where each row begins among the edges.
    origin : np.ndarray, shape (M,)
        Phase (turns) with which a coefficient that nothing reaches begins.
    window : tuple of int
        First slot that is looked at, first that is kept, the ones after the last that is kept and looked at. What is
        only looked at is forgotten again.
    """
    low, keep_low, keep_high, high = window
    head = np.full(256, -1, np.int32)
    top = -1
    for at in range(first[max(low - 1, 0)], first[min(high + 1, len(first) - 1)]):
        if points[order[at]].state >= SETTLED:
            top = _push(points, np.int64(order[at]), head, top)
    begun = first[low:high].copy()
    beside, step, weight = np.empty(4, np.int64), np.empty(4, np.complex64), np.empty(4, np.float32)
    while True:
        while top >= 0 and head[top] < 0:
            top -= 1
        if top >= 0:
            i = np.int64(head[top])
            head[top] = points[i].following
        else:
            i = _loudest(points, order, first, low, begun)
            if i < 0:
                break
        n = _neighbours(i, points[i].row, start, shift, wraps, points, edges, across_start, beside, step, weight)
        if points[i].state < SETTLED:
            _settle(points, i, n, beside, step, weight, real[points[i].row], origin[i])
        for a in range(n):
            j = beside[a]
            if points[j].state == WAITING and low <= points[j].slot < high:
                points[j].state = QUEUED
                top = _push(points, j, head, top)
    for at in range(first[low], first[high]):
        j = order[at]
        if points[j].state == SETTLED and not keep_low <= points[j].slot < keep_high:
            points[j].state = WAITING


@compiled
def _settle(points, i, n, beside, step, weight, is_real, origin):  # type: ignore[no-untyped-def]
    """Give a coefficient the phase that its settled neighbours agree on; one that nothing reached begins anew."""
    if points[i].state == QUEUED:
        found = _agreed(n, points, beside, step, weight)
    else:
        found = np.complex64(np.exp(2j * np.pi * origin))
    if is_real:
        found = np.complex64(1.0 if found.real >= 0 else -1.0)
    points[i].unit, points[i].state = found, SETTLED


@compiled
def follow(points: np.ndarray, start: np.ndarray, real: np.ndarray, origin: np.ndarray) -> None:
    """Settle what is too soft to wait in the queue: it goes on from the nearest settled coefficient of its row.

    Parameters
    ----------
    points : np.ndarray of records
        From `pack`, after `spread`.
    start : np.ndarray, shape (K + 1,), int64
        Where each row begins.
    real : np.ndarray, shape (K,), bool
        Rows whose phases are 0 or pi.
    origin : np.ndarray, shape (M,)
        Phase (turns) with which a row begins that has none.
    """
    for k in range(len(start) - 1):
        begin, end = start[k], start[k + 1]
        last = begin - 1
        for i in range(begin, end + 1):
            if i == end or points[i].state >= SETTLED:
                _bridge(points, begin, last, i, end, origin)
                last = i
        if real[k]:
            for i in range(start[k], start[k + 1]):
                if points[i].state == TRAILING:
                    points[i].unit = np.complex64(1.0 if points[i].unit.real >= 0 else -1.0)


@compiled
def _bridge(points, begin, left, right, end, origin):  # type: ignore[no-untyped-def]
    """Go on from a settled coefficient to the right and from the next one to the left, until half-way."""
    middle = (left + right) // 2
    if left < begin:
        middle = left
    if right == end:
        middle = right - 1
    for j in range(left + 1, middle + 1):
        if points[j].state == TRAILING:
            if j == begin:
                points[j].unit = np.complex64(np.exp(2j * np.pi * origin[j]))
            else:
                points[j].unit = points[j - 1].unit * points[j - 1].along
    for j in range(right - 1, middle, -1):
        if points[j].state == TRAILING:
            points[j].unit = points[j + 1].unit * np.conj(points[j].along)


@compiled
def _loudest(points, order, first, low, begun):  # type: ignore[no-untyped-def]
    """Find the loudest coefficient of a window that still waits; -1 if there is none."""
    best, level = np.int64(-1), np.int64(-1)
    for s in range(len(begun)):
        while begun[s] < first[low + s + 1] and points[order[begun[s]]].state != WAITING:
            begun[s] += 1
        if begun[s] < first[low + s + 1] and np.int64(points[order[begun[s]]].level) > level:
            best = np.int64(order[begun[s]])
            level = np.int64(points[best].level)
    return best


@compiled
def _push(points, i, head, top):  # type: ignore[no-untyped-def]
    at = np.int64(points[i].level)
    points[i].following = head[at]
    head[at] = i
    return max(top, at)


@compiled
def _neighbours(i, k, start, shift, wraps, points, edges, across_start, beside, step, weight):  # type: ignore[no-untyped-def]
    """List a coefficient's neighbours, and the phase from it to each."""
    n, at, first, stop = 0, i - start[k], start[k], start[k + 1]
    after, before = i + 1, i - 1
    if wraps:
        after = first if after == stop else after
        before = stop - 1 if before < first else before
    # Where the two ends of the count of slots meet, nothing is asked of the other side.
    slot = np.int64(points[i].slot)
    if after < stop and abs(np.int64(points[after].slot) - slot) <= 1:
        beside[n], step[n], weight[n] = after, points[i].along, 1.0
        n += 1
    if before >= first and abs(np.int64(points[before].slot) - slot) <= 1:
        beside[n], step[n], weight[n] = before, np.conj(points[before].along), 1.0
        n += 1
    # A row of twice the hop has a coefficient beside every other one only; what two rows share is counted by the
    # larger hop.
    if k + 1 < len(shift):
        there, shared = _across(at, shift[k])
        if there >= 0 and start[k + 1] + there < start[k + 2]:
            edge = across_start[k] + shared
            beside[n], step[n], weight[n] = start[k + 1] + there, edges[edge].step, edges[edge].weight
            n += 1
    if k > 0:
        there, shared = _across(at, -shift[k - 1])
        if there >= 0 and start[k - 1] + there < first:
            edge = across_start[k - 1] + shared
            beside[n], step[n], weight[n] = start[k - 1] + there, np.conj(edges[edge].step), edges[edge].weight
            n += 1
    return n


@compiled
def _across(at, shift):  # type: ignore[no-untyped-def]
    """Place in a row whose hop is smaller by `shift` octaves, -1 if there is none, and among what both share."""
    if shift >= 0:
        return at << shift, at
    there = at >> -shift
    if there << -shift != at:
        return -1, 0
    return there, there


@compiled
def _agreed(n, points, beside, step, weight):  # type: ignore[no-untyped-def]
    """Direction of the sum of what the settled neighbours say."""
    real, imaginary = 0.0, 0.0
    for a in range(n):
        j = beside[a]
        if points[j].state >= SETTLED:
            share = weight[a] * points[j].magnitude
            u, s = points[j].unit, step[a]
            real += share * (u.real * s.real + u.imag * s.imag)
            imaginary += share * (u.imag * s.real - u.real * s.imag)
    size = np.sqrt(real * real + imaginary * imaginary)
    return np.complex64(complex(real / size, imaginary / size)) if size > 0 else np.complex64(1)
