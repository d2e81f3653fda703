"""Phase gradient heap integration: phases from magnitudes alone, without iteration, on both lattices."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from stylemix.phase._heap_lattice import Lattice, hashed_phase, lattice_of, steps_across, steps_along, turn
from stylemix.phase.batches import flat, join_batch, split_batch
from stylemix.phase.check_given import check_located
from stylemix.phase.check_numbers import check_settings
from stylemix.phase.checks import check_rows
from stylemix.phase.gradient import read_gradient
from stylemix.transforms import VQT, Fourier

# Steps of loudness in which coefficients are ordered: half a decibel at the default tolerance. Finer ones gain nothing.
_LEVELS = 240
# Time is cut into slots of so many frames (of the largest hop), and so many slots are integrated at a time, with one
# more on either side to look at: what is worked on stays in the cache.
_SLOT, _SLOTS = 8, 8
# Where the phase is known (bool) and what it is there (radians), each by groups.
Known = tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]


@torch.no_grad()
def heap_phase(
    magnitudes: tuple[torch.Tensor, ...],
    transform: VQT | Fourier,
    *,
    tolerance: float = 1e-6,
    trailing: float = 1e-3,
    known: Known | None = None,
    seed: int = 0,
) -> tuple[torch.Tensor, ...]:
    """Integrate the gradient of the phase, from the loudest coefficients to the softest.

    The gradient is read off the magnitudes (`phase_gradient`) and integrated by the trapezoid rule, along time and
    across the bands, each coefficient from its louder neighbours [1]_. On a filter bank the steps are as long as the
    bands' hops and distances are [2]_; where bands of two hops meet, they are neighbours at the times both have.
    Where several neighbours are settled, the phase is that of the sum of what they say, each weighted by its
    magnitude. The time it takes grows linearly with the number of coefficients: long sounds are integrated three
    quarters of a second at a time, from the middle to both ends, which changes nothing that is measured. No gradient
    flows through it.

    Parameters
    ----------
    magnitudes : tuple of torch.Tensor, each (..., K_g, N_g)
        On the lattice of `transform`; any device, any leading dimensions, each of which is integrated by itself.
    transform : VQT or Fourier
        The transform.
    tolerance : float
        Coefficients below this share of the loudest get a random phase; above 0, below 1.
    trailing : float
        Coefficients below this share of the loudest near them in time (60 ms or so) do not wait their turn: their
        phase goes on from the nearest of their own row that has one. 0 for none, below 1. At -40 dB that saves half
        of the time and costs nothing in what is loud.
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
        If a setting is out of range, the transform is neither a `VQT` nor a `Fourier`, or the magnitudes or what is
        known are not its.

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
    >>> max(error) < 0.05 * float(m[1].norm())
    True
    """
    turns = heap_turns(magnitudes, transform, tolerance=tolerance, trailing=trailing, known=known, seed=seed)
    phases = tuple(t.angle().to(m.dtype) for t, m in zip(turns, magnitudes, strict=True))
    if known is None:
        return phases
    # Not by way of a turn and back: what is known is kept to the last bit.
    return tuple(torch.where(w, k.to(p), p) for w, k, p in zip(*known, phases, strict=True))


def heap_turns(
    magnitudes: tuple[torch.Tensor, ...],
    transform: VQT | Fourier,
    *,
    tolerance: float = 1e-6,
    trailing: float = 1e-3,
    known: Known | None = None,
    seed: int = 0,
) -> tuple[torch.Tensor, ...]:
    """Integrate the gradient of the phase as `heap_phase` does, and give numbers of magnitude 1 with these phases.

    Parameters
    ----------
    magnitudes : tuple of torch.Tensor, each (..., K_g, N_g)
        On the lattice of `transform`.
    transform : VQT or Fourier
        The transform.
    tolerance, trailing : float
        As for `heap_phase`.
    known : tuple of two tuples of torch.Tensor, each (..., K_g, N_g), optional
        As for `heap_phase`.
    seed : int
        Of the random phases.

    Returns
    -------
    tuple of torch.Tensor, each (..., K_g, N_g), complex64
        ``exp(i phase)``.

    Raises
    ------
    BadInput
        As for `heap_phase`.
    """
    seed = check_settings(tolerance, trailing, seed, "heap_phase")
    check_rows(magnitudes, transform)
    check_located(known, magnitudes)
    made = []
    for b, one in enumerate(split_batch(magnitudes)):
        given = None
        if known is not None:
            where, what = (
                split_batch(tuple(k.expand(m.shape) for k, m in zip(part, magnitudes, strict=True)))[b]
                for part in known
            )
            given = flat(where), flat(what)
        peak = max((float(m.max()) for m in one if m.numel()), default=0.0)
        made.append(
            integrate(one, transform, peak=peak, tolerance=tolerance, trailing=trailing, known=given, seed=seed)
        )
    return join_batch(made, magnitudes)


def integrate(
    magnitudes: tuple[torch.Tensor, ...],
    transform: VQT | Fourier,
    *,
    peak: float,
    tolerance: float,
    trailing: float,
    known: tuple[np.ndarray, np.ndarray] | None,
    seed: int,
    first_sample: int | None = None,
) -> tuple[torch.Tensor, ...]:
    """Integrate the gradient on one lattice, or on a piece of one.

    Parameters
    ----------
    magnitudes : tuple of torch.Tensor, each (K_g, N_g)
        On the lattice of `transform`.
    transform : VQT or Fourier
        The transform.
    peak : float
        Largest magnitude there is, to which `tolerance` is relative.
    tolerance : float
        Share of it below which phases are random.
    trailing : float
        Share of the loudest near them below which coefficients follow their row.
    known : tuple of two np.ndarray, each (M,), or None
        Where the phase of the coefficients, row after row, is known, and what it is.
    seed : int
        Of the random phases.
    first_sample : int, optional
        Where the piece begins; by default it is the whole, and that of a `VQT` goes round.

    Returns
    -------
    tuple of torch.Tensor, each (K_g, N_g), complex64
        Numbers of magnitude 1.
    """
    from stylemix.phase import _heap_kernels as kernels

    magnitude = flat(magnitudes)
    lattice = lattice_of(transform, tuple(m.shape[-1] for m in magnitudes))
    # The first row is at zero and the last at the Nyquist frequency, whatever the transform.
    real = np.zeros(len(lattice.hop), np.bool_)
    real[[0, -1]] = True
    is_free = magnitude <= tolerance * peak
    state = np.where(is_free, kernels.FREE, kernels.WAITING).astype(np.uint8)
    unit = _random_turns(is_free, lattice, real, seed, first_sample or 0)
    if known is not None:
        unit[known[0]] = turn(known[1][known[0]])
        state[known[0]] = kernels.KNOWN
    frequency_hz, elapsed_s = read_gradient(magnitudes, transform)
    across, weight, across_start = steps_across(frequency_hz, elapsed_s, lattice)
    # What nothing reaches begins as a click at the energy's time: that is right for an onset, and harmless for a tone.
    origin = flat(tuple((f * e) % 1 for f, e in zip(frequency_hz, elapsed_s, strict=True)))
    goes_round = lattice.goes_round and first_sample is None
    points, edges, order, first = kernels.pack(
        magnitude,
        _levels(magnitude, peak, tolerance),
        lattice.start,
        lattice.hop,
        _SLOT * int(lattice.hop.max()),
        goes_round,
        turn(steps_along(frequency_hz, lattice)),
        turn(across),
        weight,
        unit,
        state,
        trailing,
    )
    shift = np.rint(np.log2(lattice.hop / np.append(lattice.hop[1:], lattice.hop[-1]))).astype(np.int64)

    def settle(window: tuple[int, int, int, int]) -> None:
        kernels.spread(
            points, edges, order, first, lattice.start, shift, goes_round, real, across_start, origin, window
        )

    n_slots = len(first) - 1
    begin = n_slots // 2 if first_sample is None else 0
    if known is not None and known[0].any():
        # From where most is known: what is unknown goes on from there, and not from where it was guessed.
        begin = int(np.bincount(points["slot"][known[0]], weights=magnitude[known[0]]).argmax())
    _in_windows(settle, n_slots, begin)
    kernels.follow(points, lattice.start, real, origin)
    turns = np.ascontiguousarray(points["unit"])
    ends = np.cumsum([m.numel() for m in magnitudes])[:-1]
    return tuple(
        torch.from_numpy(t.reshape(tuple(m.shape))) for t, m in zip(np.split(turns, ends), magnitudes, strict=True)
    )


def _random_turns(is_free: np.ndarray, lattice: Lattice, real: np.ndarray, seed: int, first_sample: int) -> np.ndarray:
    """Turns that depend on the seed and the place, where coefficients are free, and 1 elsewhere."""
    unit = np.ones(len(is_free), np.complex64)
    free = np.flatnonzero(is_free)
    row = np.searchsorted(lattice.start, free, side="right") - 1
    unit[free] = turn(hashed_phase(seed, row, free - lattice.start[row] + first_sample // lattice.hop[row]))
    signed = free[real[row]]
    unit[signed] = np.where(unit[signed].real >= 0, 1, -1)
    return unit


def _in_windows(settle: Callable[[tuple[int, int, int, int]], None], n_slots: int, begin: int) -> None:
    """Settle slot after slot, from one to both ends; the result is the same in threads.

    A window keeps its own slots and forgets the one beyond, which is there so that what is soft before an onset can
    take its phase from it.
    """
    if n_slots <= _SLOTS + 2:
        return settle((0, 0, n_slots, n_slots))
    begin = min(max(begin - _SLOTS // 2, 0), n_slots - _SLOTS)
    end = begin + _SLOTS
    settle((max(begin - 1, 0), begin, end, min(end + 1, n_slots)))

    def to_the_right() -> None:
        for low in range(end, n_slots, _SLOTS):
            high = min(low + _SLOTS, n_slots)
            settle((low, low, high, min(high + 1, n_slots)))

    def to_the_left() -> None:
        for high in range(begin, 0, -_SLOTS):
            low = max(high - _SLOTS, 0)
            settle((max(low - 1, 0), low, high, high))

    if begin == 0 or end == n_slots or torch.get_num_threads() == 1:
        to_the_right()
        return to_the_left()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(to_the_left)
        to_the_right()
        other.result()
    return None


def _levels(magnitude: np.ndarray, peak: float, tolerance: float) -> np.ndarray:
    """Loudness in equal steps of a logarithm, from the tolerance to the loudest."""
    # A silent sound has no loudest coefficient: all are on the lowest level.
    floor = max(tolerance * peak, 1e-30)
    share = np.log(np.maximum(magnitude, floor) / max(peak, floor)) / math.log(tolerance)
    return np.clip(np.rint((_LEVELS - 1) * (1 - share)), 0, _LEVELS - 1).astype(np.uint8)
