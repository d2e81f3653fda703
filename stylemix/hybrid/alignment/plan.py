"""An entropic transport plan between source and target, and the price of each step of the target that it sets."""

from __future__ import annotations

import numpy as np

# The plan is made between so many steps of each side, drawn evenly: 16 MB of costs.
MOST_STEPS = 2048
# Entropy, in median distances of a match.
EPSILON = 0.05
MOST_ROUNDS = 200
TOLERANCE = 0.02
CHUNK_STEPS = 16384


def prices(points: np.ndarray, pool: np.ndarray, unit: float, seed: int) -> np.ndarray:
    """Price every step of the target so that all of the target is used alike.

    Between samples of the two sides, each of mass one, Sinkhorn's iteration finds the potentials f and g whose plan
    ``exp((f_m + g_p - d_mp) / epsilon)`` takes the same mass from every step of both. A step that is near to many, a
    hub, gets a low g; subtracted from its distances, g makes it dear. To the steps that were not drawn the potential
    is extended as the plan itself defines it, ``g(q) = -epsilon log mean_m exp((f_m - d(m, q)) / epsilon)``.

    Parameters
    ----------
    points : np.ndarray, shape (M, E), float32
        The source.
    pool : np.ndarray, shape (P, E), float32
        The target.
    unit : float
        Median distance of a match.
    seed : int
        Draws the samples.

    Returns
    -------
    np.ndarray, shape (P,), float32
        Minus the potential, its mean 0: what to add to the distances to each step.

    References
    ----------
    M. Cuturi, "Sinkhorn distances: lightspeed computation of optimal transport", NIPS 2013; the extension: A.-A.
    Pooladian, J. Niles-Weed, "Entropic estimation of optimal transport maps", arXiv:2109.12004.
    """
    import torch

    rng = np.random.default_rng(seed)
    x, y = (torch.from_numpy(side[_drawn(len(side), rng)]) for side in (points, pool))
    epsilon = EPSILON * unit
    cost = torch.cdist(x, y) / epsilon
    f, g = torch.zeros(len(x)), torch.zeros(len(y))
    log_m, log_p = np.log(len(x)), np.log(len(y))
    for _ in range(MOST_ROUNDS):
        f = log_p - torch.logsumexp(g - cost, dim=1)
        new = log_m - torch.logsumexp(f[:, None] - cost, dim=0)
        # How far the mass taken from the target's steps was from even, before this round put it right.
        off = float((torch.exp(g - new) - 1).abs().mean())
        g = new
        if off < TOLERANCE:
            break
    out = np.empty(len(pool), np.float32)
    for start in range(0, len(pool), CHUNK_STEPS):
        distances = torch.cdist(torch.from_numpy(pool[start : start + CHUNK_STEPS]), x) / epsilon
        out[start : start + CHUNK_STEPS] = (epsilon * (torch.logsumexp(f - distances, dim=1) - log_m)).numpy()
    return out - out.mean()


def _drawn(n: int, rng: np.random.Generator) -> np.ndarray:
    return np.arange(n) if n <= MOST_STEPS else np.sort(rng.choice(n, MOST_STEPS, replace=False))
