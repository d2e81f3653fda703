"""Fast Griffin-Lim on the variable-Q transform: from magnitudes to the sound that agrees with them best."""

from __future__ import annotations

import torch

from stylemix.errors import BadInput
from stylemix.phase.instantaneous import instantaneous_phase
from stylemix.transforms import VQT, Coefficients

# The iteration ends early when the error falls by less than this share in a step.
STALL = 1e-3


def griffin_lim(
    magnitudes: tuple[torch.Tensor, ...],
    vqt: VQT,
    n_samples: int,
    *,
    n_iter: int = 16,
    momentum: float = 0.99,
    start: tuple[torch.Tensor, ...] | None = None,
    known: torch.Tensor | None = None,
) -> torch.Tensor:
    """Find a sound with given magnitudes.

    Each iteration goes to the nearest coefficients that some sound has, takes a step on in the same
    direction, and restores the magnitudes [1]_.

    Parameters
    ----------
    magnitudes : tuple of torch.Tensor, each (..., K_g, N_g)
        On the ragged lattice of `vqt`, for a sound of `n_samples`; any device, any leading dimensions.
    vqt : VQT
        The transform.
    n_samples : int
        Length of the sound.
    n_iter : int
        At most so many iterations; fewer when they no longer help.
    momentum : float
        Length of the step on; 0 is the classic algorithm.
    start : tuple of torch.Tensor, each (..., K_g, N_g), optional
        Phases to start from (radians); by default from `instantaneous_phase`.
    known : torch.Tensor, shape (..., T'), optional
        The beginning of the sound, where it is known already; kept as it is.

    Returns
    -------
    torch.Tensor, shape (..., T)
        The sound.

    Raises
    ------
    BadInput
        If `n_iter` is negative or `momentum` outside 0 to 1.

    References
    ----------
    .. [1] N. Perraudin, P. Balazs, P. L. Soendergaard, "A fast Griffin-Lim algorithm", WASPAA 2013.

    Examples
    --------
    >>> vqt = VQT(8000)
    >>> x = torch.cos(0.3 * torch.arange(8000.0))
    >>> y = griffin_lim(vqt.forward(x).magnitudes(), vqt, 8000, n_iter=4)
    >>> error = inconsistency(vqt.forward(y).magnitudes(), vqt.forward(x).magnitudes())
    >>> bool(error < 0.1)
    True
    """
    if n_iter < 0 or not 0 <= momentum <= 1:
        raise BadInput(f"griffin_lim: n_iter must be >= 0 and momentum 0 to 1, got {n_iter} and {momentum}")
    phases = instantaneous_phase(magnitudes, vqt) if start is None else start
    coefficients = tuple(torch.polar(m, p.to(m.dtype)) for m, p in zip(magnitudes, phases, strict=True))
    before: tuple[torch.Tensor, ...] | None = None
    best = float("inf")
    for _ in range(n_iter):
        sound = _keep(vqt.inverse(Coefficients(coefficients, vqt.hops, n_samples)), known)
        projected = vqt.forward(sound).groups
        error = inconsistency(tuple(p.abs() for p in projected), magnitudes)
        pushed = (
            projected
            if before is None
            else tuple(p + momentum * (p - b) for p, b in zip(projected, before, strict=True))
        )
        coefficients = tuple(_with_phase_of(m, c) for m, c in zip(magnitudes, pushed, strict=True))
        before = projected
        # The error of fast Griffin-Lim wiggles at first: only a whole step without gain ends it.
        if abs(best - error) < STALL * error:
            break
        best = min(best, error)
    return _keep(vqt.inverse(Coefficients(coefficients, vqt.hops, n_samples)), known)


def inconsistency(found: tuple[torch.Tensor, ...], wanted: tuple[torch.Tensor, ...]) -> float:
    """Distance of two sets of magnitudes relative to the second: spectral convergence on the lattice.

    Parameters
    ----------
    found, wanted : tuple of torch.Tensor, each (..., K_g, N_g)
        Magnitudes.

    Returns
    -------
    float
        0 when they agree; 20 log10 of it is the figure in dB.
    """
    difference = sum(float((f - w).square().sum()) for f, w in zip(found, wanted, strict=True))
    total = sum(float(w.square().sum()) for w in wanted)
    return (difference / max(total, 1e-30)) ** 0.5


def _with_phase_of(magnitude: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    return c * (magnitude / c.abs().clamp_min(torch.finfo(magnitude.dtype).tiny ** 0.5))


def _keep(sound: torch.Tensor, known: torch.Tensor | None) -> torch.Tensor:
    if known is None or not known.shape[-1]:
        return sound
    n = min(known.shape[-1], sound.shape[-1])
    # The last part is a crossfade, so that the join is no edge.
    fade = max(1, min(n // 4, 1024))
    weight = torch.ones(n, dtype=sound.dtype, device=sound.device)
    weight[n - fade :] = torch.linspace(1, 0, fade, dtype=sound.dtype, device=sound.device)
    head = known[..., :n] * weight + sound[..., :n] * (1 - weight)
    return torch.cat([head, sound[..., n:]], dim=-1)
