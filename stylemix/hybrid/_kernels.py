"""The inner loops of alignment, compiled: beam search for a path through a pool, and banded time warping."""

from __future__ import annotations

import numpy as np

from stylemix.compiled import compiled


@compiled
def beam_search(
    source: np.ndarray,
    pool: np.ndarray,
    file_of: np.ndarray,
    fresh: np.ndarray,
    by_step: np.ndarray,
    by_place: np.ndarray,
    span: int,
    place: np.ndarray,
    jump: float,
    stretch: float,
    width: int,
) -> tuple[np.ndarray, float]:
    """Find the cheapest path through the pool, keeping the best `width` states a step.

    Parameters
    ----------
    source : np.ndarray, shape (M, D)
        Points to be matched.
    pool : np.ndarray, shape (P, D)
        Points to match them with, in the order of their files.
    file_of : np.ndarray, shape (P,)
        Which file each belongs to.
    fresh : np.ndarray, shape (M, k)
        Pool indices to which the path may jump at each step.
    by_step : np.ndarray, shape (P,)
        What each point of the pool costs beside its distance.
    by_place : np.ndarray, shape (S, Q)
        What it costs further, in each stretch of the source for each place of the pool.
    span : int
        Points in a stretch of the source.
    place : np.ndarray, shape (P,), int
        Place of each point of the pool.
    jump, stretch : float
        Cost of a jump, and of staying a step or leaving one out.
    width : int
        States kept.

    Returns
    -------
    path : np.ndarray, shape (M,)
        Pool indices.
    cost : float
        Sum of the distances, the surcharges and the costs on the way.
    """
    n_steps, n_fresh = fresh.shape
    n_pool = pool.shape[0]
    most = n_fresh + 3 * width
    kept_index = np.zeros((n_steps, width), np.int32)
    kept_back = np.zeros((n_steps, width), np.int16)
    last_cost = np.zeros(width)
    n_kept = 0
    index, back, cost = np.zeros(most, np.int32), np.zeros(most, np.int16), np.zeros(most)
    seen = np.full(n_pool, -1, np.int32)
    for m in range(n_steps):
        n = 0
        best_before = 0
        for s in range(1, n_kept):
            if last_cost[s] < last_cost[best_before]:
                best_before = s
        for s in range(n_kept):
            here = kept_index[m - 1, s]
            for move in range(3):
                there = here + move
                if there >= n_pool or file_of[there] != file_of[here]:
                    continue
                price = last_cost[s] + (0.0 if move == 1 else stretch)
                n = _propose(there, s, price, index, back, cost, n, seen)
        base = last_cost[best_before] + jump if m else 0.0
        for i in range(n_fresh):
            n = _propose(fresh[m, i], best_before, base, index, back, cost, n, seen)
        for i in range(n):
            seen[index[i]] = -1
            total = 0.0
            for d in range(source.shape[1]):
                total += (source[m, d] - pool[index[i], d]) ** 2
            at = index[i]
            cost[i] += np.sqrt(total) + by_step[at] + by_place[m // span, place[at]]
        order = np.argsort(cost[:n])
        n_kept = min(width, n)
        for i in range(n_kept):
            kept_index[m, i] = index[order[i]]
            kept_back[m, i] = back[order[i]]
            last_cost[i] = cost[order[i]]
    path = np.zeros(n_steps, np.int32)
    state = 0
    for m in range(n_steps - 1, -1, -1):
        path[m] = kept_index[m, state]
        state = kept_back[m, state]
    return path, last_cost[0]


@compiled
def _propose(there, came_from, price, index, back, cost, n, seen):  # type: ignore[no-untyped-def]
    at = seen[there]
    if at >= 0:
        if price < cost[at]:
            cost[at] = price
            back[at] = came_from
        return n
    index[n], back[n], cost[n] = there, came_from, price
    seen[there] = n
    return n + 1


@compiled
def banded_warp(a: np.ndarray, b: np.ndarray, low: np.ndarray, high: np.ndarray, slant: float) -> np.ndarray:
    """Warp b onto the time of a inside a band, every step of a visited once.

    Parameters
    ----------
    a : np.ndarray, shape (M, D)
        Points whose timeline is kept.
    b : np.ndarray, shape (P, D)
        Points aligned to it.
    low, high : np.ndarray, shape (M,), int
        First and one past the last step of b that step m of a may meet; all bands equally wide or narrower
        than the widest.
    slant : float
        Cost of staying on a step of b, and of each step of b left out.

    Returns
    -------
    np.ndarray, shape (M,), int
        The step of b at each step of a, never falling; from 0 to P - 1 where the band allows.
    """
    n_steps, n_moves = a.shape[0], 4
    width = 0
    for m in range(n_steps):
        width = max(width, high[m] - low[m])
    moves = np.zeros((n_steps, width), np.uint8)
    before = np.full(width, np.inf)
    now = np.full(width, np.inf)
    for m in range(n_steps):
        now[:] = np.inf
        for j in range(low[m], high[m]):
            best, best_move = np.inf, 0
            if m == 0:
                best = slant * j
            else:
                for move in range(n_moves):
                    at = j - move - low[m - 1]
                    if at < 0 or at >= high[m - 1] - low[m - 1]:
                        continue
                    price = before[at] + slant * abs(move - 1)
                    if price < best:
                        best, best_move = price, move
            if best == np.inf:
                continue
            total = 0.0
            for d in range(a.shape[1]):
                total += (a[m, d] - b[j, d]) ** 2
            now[j - low[m]] = best + np.sqrt(total)
            moves[m, j - low[m]] = best_move
        before, now = now, before
    j, best = low[n_steps - 1], np.inf
    for i in range(high[n_steps - 1] - low[n_steps - 1]):
        price = before[i] + slant * (b.shape[0] - 1 - low[n_steps - 1] - i)
        if price < best:
            j, best = low[n_steps - 1] + i, price
    path = np.zeros(n_steps, np.int64)
    for m in range(n_steps - 1, -1, -1):
        path[m] = j
        if m:
            j -= moves[m, j - low[m]]
    return path
