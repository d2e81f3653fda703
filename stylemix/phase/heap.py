"""Phase gradient heap integration: phases from magnitudes alone, without iteration, on both lattices."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.phase.gradient import phase_gradient
from stylemix.transforms import VQT, Fourier

# Steps of loudness in which coefficients are ordered: 0.1 dB at the default tolerance.
_LEVELS = 1200
# The step from band to band is ten times as uncertain as that along time (mean squared error on music).
ACROSS_WEIGHT = 0.1

# Where the phase is known (bool) and what it is there (radians), each by groups.
Known = tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]


@dataclass(frozen=True)
class Lattice:
    """The ragged lattice as rows, one after the other.

    Parameters
    ----------
    hop : np.ndarray, shape (K,), int64
        Samples between the coefficients of each row.
    start : np.ndarray, shape (K + 1,), int64
        Where each row begins among all coefficients.
    frequency_hz : np.ndarray, shape (K,)
        Centres of the rows.
    sample_rate : int
        Hz.
    wraps : bool
        Whether time goes round.
    """

    hop: np.ndarray
    start: np.ndarray
    frequency_hz: np.ndarray
    sample_rate: int
    wraps: bool


def heap_phase(
    magnitudes: tuple[torch.Tensor, ...],
    transform: VQT | Fourier,
    *,
    tolerance: float = 1e-6,
    known: Known | None = None,
    seed: int = 0,
) -> tuple[torch.Tensor, ...]:
    """Integrate the gradient of the phase, from the loudest coefficients to the softest.

    The gradient is read off the magnitudes (`phase_gradient`) and integrated by the trapezoid rule, along time and
    across the bands, each coefficient from its louder neighbours [1]_. On a filter bank the steps are as long as the
    bands' hops and distances are [2]_; where bands of two hops meet, they are neighbours at the times both have.
    Where several neighbours are settled, the phase is that of the sum of what they say, each weighted by its
    magnitude. The time it takes grows linearly with the number of coefficients.

    Parameters
    ----------
    magnitudes : tuple of torch.Tensor, each (..., K_g, N_g)
        On the lattice of `transform`; any device, any leading dimensions, each of which is integrated by itself.
    transform : VQT or Fourier
        The transform.
    tolerance : float
        Coefficients below this share of the loudest get a random phase; above 0, below 1.
    known : tuple of two tuples of torch.Tensor, each (..., K_g, N_g), optional
        Where the phase is known (bool), and what it is there (radians): kept, and continued.
    seed : int
        Of the random phases.

    Returns
    -------
    tuple of torch.Tensor, each (..., K_g, N_g)
        Phases (radians, -pi to pi).

    Raises
    ------
    BadInput
        If `tolerance` is out of range or the transform is neither a `VQT` nor a `Fourier`.

    References
    ----------
    .. [1] Z. Prusa, P. Balazs, P. L. Soendergaard, "A noniterative method for reconstruction of phase from STFT
       magnitude", IEEE/ACM TASLP 25(5), 2017.
    .. [2] Z. Prusa, N. Holighaus, "Non-iterative filter bank phase (re)construction", EUSIPCO 2017.

    Examples
    --------
    >>> from stylemix.transforms import Coefficients
    >>> vqt = VQT(8000)
    >>> x = torch.cos(0.3 * torch.arange(8000.0)) * torch.hann_window(8000)
    >>> m = vqt.forward(x).magnitudes()
    >>> phase = heap_phase(m, vqt)
    >>> y = vqt.inverse(Coefficients(tuple(map(torch.polar, m, phase)), vqt.hops, 8000))
    >>> error = [float((a - b).norm()) for a, b in zip(vqt.forward(y).magnitudes(), m)]
    >>> max(error) < 0.02 * float(m[1].norm())
    True
    """
    if not 0 < tolerance < 1:
        raise BadInput(f"heap_phase: tolerance must be above 0 and below 1, got {tolerance}")
    leading = magnitudes[0].shape[:-2]
    flat = [m.detach().reshape(-1, *m.shape[-2:]) for m in magnitudes]
    seeds = None if known is None else [[k.reshape(-1, *k.shape[-2:]) for k in part] for part in known]
    out = []
    for b in range(flat[0].shape[0]):
        one = tuple(m[b] for m in flat)
        given = None if seeds is None else [np.concatenate([_flat(k[b]) for k in part]) for part in seeds]
        out.append(_one(one, transform, tolerance, given, seed))
    return tuple(
        torch.from_numpy(np.stack([o[g] for o in out])).reshape(*leading, *m.shape[-2:]).to(m.device, m.dtype)
        if out
        else torch.zeros_like(m)
        for g, m in enumerate(magnitudes)
    )


def lattice_of(transform: VQT | Fourier, counts: tuple[int, ...]) -> Lattice:
    """Describe a transform's lattice row by row.

    Parameters
    ----------
    transform : VQT or Fourier
        The transform.
    counts : tuple of int
        Frames of each group.

    Returns
    -------
    Lattice
        Of that many frames.
    """
    meta = transform.meta()
    group = meta.get("group", np.zeros(len(meta["hop"]), np.int64))
    start = np.concatenate([[0], np.cumsum(np.asarray(counts, np.int64)[group])])
    hop = meta["hop"].astype(np.int64)
    return Lattice(hop, start, meta["frequency_hz"], transform.sample_rate, isinstance(transform, VQT))


def steps_along(frequency_hz: tuple[torch.Tensor, ...], lattice: Lattice) -> np.ndarray:
    """Integrate the frequency from each coefficient to the next of its row.

    Parameters
    ----------
    frequency_hz : tuple of torch.Tensor, each (K_g, N_g)
        Instantaneous frequency.
    lattice : Lattice
        Where they lie.

    Returns
    -------
    np.ndarray, shape (M,)
        Radians, less than a turn; from the last of a row to its first at its end.
    """
    out, first = [], 0
    for f in frequency_hz:
        hz = f.detach().cpu().double().numpy()
        turns = (hz + np.roll(hz, -1, -1)) * (0.5 * lattice.hop[first] / lattice.sample_rate)
        out.append((2 * math.pi * (turns % 1)).ravel())
        first += hz.shape[0]
    return np.concatenate(out)


def steps_across(elapsed_s: tuple[torch.Tensor, ...], lattice: Lattice) -> tuple[np.ndarray, np.ndarray]:
    """Integrate the time since the energy from each row to the one above.

    Parameters
    ----------
    elapsed_s : tuple of torch.Tensor, each (K_g, N_g)
        Seconds since the energy.
    lattice : Lattice
        Where they lie.

    Returns
    -------
    steps : np.ndarray
        Radians, at the times that both rows have, row after row.
    start : np.ndarray, shape (K,), int64
        Where each row begins in them.
    """
    rows = [row for g in elapsed_s for row in g.detach().cpu().double().numpy()]
    out, start = [], [0]
    for k in range(len(rows) - 1):
        larger = max(lattice.hop[k], lattice.hop[k + 1])
        lower, upper = rows[k][:: larger // lattice.hop[k]], rows[k + 1][:: larger // lattice.hop[k + 1]]
        n = min(len(lower), len(upper))
        out.append((lower[:n] + upper[:n]) * (math.pi * (lattice.frequency_hz[k + 1] - lattice.frequency_hz[k])))
        start.append(start[-1] + n)
    return np.concatenate([*out, np.zeros(0)]), np.asarray(start, np.int64)


def _one(
    magnitudes: tuple[torch.Tensor, ...],
    transform: VQT | Fourier,
    tolerance: float,
    known: list[np.ndarray] | None,
    seed: int,
) -> list[np.ndarray]:
    from stylemix.phase import _heap_kernels as kernels

    magnitude = np.concatenate([_flat(m) for m in magnitudes]).astype(np.float64)
    lattice = lattice_of(transform, tuple(m.shape[-1] for m in magnitudes))
    phase = np.random.default_rng(seed).uniform(-math.pi, math.pi, len(magnitude))
    peak = float(magnitude.max(initial=0.0))
    state = np.where(magnitude <= tolerance * peak, kernels.FREE, kernels.WAITING).astype(np.uint8)
    phase[state == kernels.WAITING] = 0.0
    if known is not None:
        phase[known[0]] = known[1][known[0]]
        state[known[0]] = kernels.SETTLED
    frequency_hz, elapsed_s = phase_gradient(magnitudes, transform)
    across, across_start = steps_across(elapsed_s, lattice)
    real = np.isin(lattice.frequency_hz, [0.0, lattice.sample_rate / 2])
    kernels.integrate(
        magnitude,
        _levels(magnitude, peak, tolerance),
        lattice.start,
        lattice.hop,
        lattice.wraps,
        real,
        steps_along(frequency_hz, lattice),
        across,
        across_start,
        ACROSS_WEIGHT,
        phase,
        state,
    )
    phase = (phase + math.pi) % (2 * math.pi) - math.pi
    ends = np.cumsum([m.numel() for m in magnitudes])[:-1]
    return [p.reshape(tuple(m.shape)) for p, m in zip(np.split(phase, ends), magnitudes, strict=True)]


def _levels(magnitude: np.ndarray, peak: float, tolerance: float) -> np.ndarray:
    """Loudness in equal steps of a logarithm, from the tolerance to the loudest."""
    share = np.log(np.maximum(magnitude, tolerance * peak + 1e-300) / (peak + 1e-300)) / math.log(tolerance)
    return np.clip(np.rint((_LEVELS - 1) * (1 - share)), 0, _LEVELS - 1).astype(np.uint16)


def _flat(x: torch.Tensor) -> np.ndarray:
    return np.asarray(x.detach().cpu().numpy()).ravel()
