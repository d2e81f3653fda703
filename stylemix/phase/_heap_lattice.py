"""The ragged lattice row by row, and the steps of the phase from each coefficient to its neighbours."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from stylemix.transforms import VQT, Fourier

# Weight of a neighbour in the next band against one in the same: a / (b + distance^2), where the distance is that of
# the frequencies that both read off, in bands. It follows the mean squared error of the step to it, measured on music;
# where windows only just meet (overlap 1), few sinusoids are heard by two bands and that step says little.
_ACROSS = (0.5, 0.3)
_ACROSS_NARROW = (0.006, 0.01)


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
    goes_round : bool
        Whether time does.
    across : tuple of float
        What the weights across the rows are made of.
    """

    hop: np.ndarray
    start: np.ndarray
    frequency_hz: np.ndarray
    sample_rate: int
    goes_round: bool
    across: tuple[float, float]


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
    narrow = isinstance(transform, VQT) and transform.bank.overlap == 1
    across = _ACROSS_NARROW if narrow else _ACROSS
    return Lattice(hop, start, meta["frequency_hz"], transform.sample_rate, isinstance(transform, VQT), across)


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
        # Whole turns are taken out here: the sum over a long sound stays exact.
        out.append((2 * math.pi * (turns - np.floor(turns))).ravel())
        first += hz.shape[0]
    return np.concatenate(out)


def steps_across(
    frequency_hz: tuple[torch.Tensor, ...], elapsed_s: tuple[torch.Tensor, ...], lattice: Lattice
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Integrate the time since the energy from each row to the one above, and weight what that says.

    Two bands that hear one sinusoid read the same frequency off it. The further apart their frequencies are, the less
    their phases have to do with each other.

    Parameters
    ----------
    frequency_hz, elapsed_s : tuple of torch.Tensor, each (K_g, N_g)
        The gradient.
    lattice : Lattice
        Where they lie.

    Returns
    -------
    steps : np.ndarray
        Radians, at the times that both rows have, row after row.
    weights : np.ndarray
        Of the same shape, against 1 for a step along time.
    start : np.ndarray, shape (K,), int64
        Where each row begins in them.
    """
    late, hz = ([row for g in part for row in g.detach().cpu().double().numpy()] for part in (elapsed_s, frequency_hz))
    a, b = lattice.across
    steps, weights, start = [np.zeros(0)], [np.zeros(0)], [0]
    for k, distance_hz in enumerate(np.diff(lattice.frequency_hz)):
        larger = max(lattice.hop[k], lattice.hop[k + 1])
        low, high = larger // lattice.hop[k], larger // lattice.hop[k + 1]
        n = min(len(late[k][::low]), len(late[k + 1][::high]))
        steps.append((late[k][::low][:n] + late[k + 1][::high][:n]) * (math.pi * distance_hz))
        weights.append(a / (b + ((hz[k + 1][::high][:n] - hz[k][::low][:n]) / distance_hz) ** 2))
        start.append(start[-1] + n)
    return np.concatenate(steps), np.concatenate(weights), np.asarray(start, np.int64)


def turn(radians: np.ndarray) -> np.ndarray:
    """Make factors of magnitude 1 of phases.

    Parameters
    ----------
    radians : np.ndarray
        Phases.

    Returns
    -------
    np.ndarray, complex64
        ``exp(i radians)``.

    Examples
    --------
    >>> turn(np.array([0.0])).tolist()
    [(1+0j)]
    """
    single = radians.astype(np.float32)
    out = np.empty(single.shape, np.complex64)
    np.cos(single, out=out.real)
    np.sin(single, out=out.imag)
    return out


def hashed_phase(seed: int, row: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Draw a random phase for each place of the lattice, the same in whatever pieces it is asked for.

    Parameters
    ----------
    seed : int
        Of the draw.
    row, frame : np.ndarray of int, one shape
        The places.

    Returns
    -------
    np.ndarray
        Radians, -pi to pi.

    References
    ----------
    The finaliser of SplitMix64: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators",
    OOPSLA 2014.

    Examples
    --------
    >>> whole = hashed_phase(1, np.array([5, 5, 5]), np.array([0, 1, 2]))
    >>> bool(whole[2] == hashed_phase(1, np.array([5]), np.array([2]))[0])
    True
    """
    place = row.astype(np.uint64) * np.uint64(0x1000003) + np.uint64(seed % 2**31) * np.uint64(1 << 32)
    z = (place ^ (frame.astype(np.uint64) << np.uint64(24))) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * (2 * math.pi / 2**53) - math.pi
