"""Sound from any coefficients: gradient descent on the waveform until a transform gives what is wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

import torch

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.phase.matching.error import Errors, Objective
from stylemix.phase.matching.start import begin
from stylemix.phase.matching.target import Target
from stylemix.progress import progress
from stylemix.transforms.coefficients import Coefficients

# Descent ends when its best loss falls by less than this share over so many iterations.
_STALL, _PATIENCE = 0.01, 20
# Power of the start's spectrum by which directions are scaled: 0.25 to 0.5 halve the iterations, 1 stops the quiet
# bands. A spectrum is taken to be at least this share of its peak.
_COLOUR, _FLOOR = 1 / 3, 1e-2
# Steps of Adam, in units of the sound's root mean square.
_ADAM = 0.02
# Size of the first step of the quasi-Newton method, as a share of the sound.
_FIRST_STEP = 0.03
# Pairs of steps and gradients that the quasi-Newton method remembers, and numbers in all of them: long sound has fewer.
_MEMORY, _REMEMBERED = 50, 2**28
# Bins of a spectrum over which the lowest frequencies are averaged.
_BINS = 8


@dataclass(frozen=True)
class Matched:
    """A sound that was matched to targets.

    Parameters
    ----------
    samples : torch.Tensor, shape (..., T)
        The best sound found.
    sample_rate : int
        Hz; 0 where no target's transform has one.
    errors : Errors
        Of the sound.
    start : Errors
        Of the sound it began with.
    n_iter : int
        Iterations: how often coefficients and gradient were computed, the line search's among them.
    seconds : float
        Time it took, the start included.
    ended_by : {"reached", "n_iter", "seconds", "stalled", "interrupted"}
        Why it ended.
    history : tuple of float
        Relative error of all coefficients together at each iteration; single ones go up.
    """

    samples: torch.Tensor
    sample_rate: int
    errors: Errors
    start: Errors
    n_iter: int
    seconds: float
    ended_by: str
    history: tuple[float, ...]

    @property
    def wave(self) -> Wave:
        """The sound, channels first."""
        flat = self.samples.detach().cpu().float().reshape(-1, self.samples.shape[-1])
        return Wave(flat.numpy(), self.sample_rate)


def match(
    targets: Target | Sequence[Target],
    *,
    start: torch.Tensor | Literal["phase", "random", "noise"] = "phase",
    until: float = 0.02,
    n_iter: int = 200,
    seconds: float | None = None,
    optimizer: Literal["lbfgs", "adam"] = "lbfgs",
    schedule: Sequence[tuple[int, int]] = (),
    n_samples: int | None = None,
    block_s: float = 30.0,
    seed: int = 0,
    show: bool = False,
) -> Matched:
    """Find a sound whose coefficients are the wanted ones.

    The start is made of the wanted coefficients alone, see `first_guess`; from there the waveform follows the
    gradient of `Objective` [1]_ [2]_. The directions are scaled by the spectrum of the start, so that quiet high
    frequencies move as fast as loud low ones in proportion. Sound longer than a block is analysed in overlapping
    blocks whose gradients add up: the result is that of the whole, in memory that grows by 0.1 KB for each sample.

    What to expect, on 5 s of music, time scattering of J=10 and T=4096 at 22.05 kHz: order 1 within 2 % and order 2
    within 100 % at the start, after 1 s; all orders within 5 % after 20 to 30 iterations of 0.1 s each on one core,
    and within 2 % after 60. Starting with a random phase takes a third more, with noise ten times as long.

    Parameters
    ----------
    targets : Target or sequence of Target
        What is wanted.
    start : torch.Tensor or {"phase", "random", "noise"}
        Where to begin: a sound, such as the `samples` of an earlier result to go on; envelopes of the target with
        estimated or with random phase; or white noise. Of a transform that does not name frequencies only noise can be
        made.
    until : float
        End when the relative error of every order is at most this; an order that holds less than a twentieth of all
        is counted as if it held one.
    n_iter : int
        At most so many iterations.
    seconds : float, optional
        At most so long.
    optimizer : {"lbfgs", "adam"}
        Quasi-Newton descent with a line search, or Adam. The first needs a fifth of the iterations.
    schedule : sequence of (int, int)
        Iterations and the highest order of scattering whose error is followed in them, before all are followed: coarse
        to fine, as ``[(20, 1)]``. From the start made here it never helped, from noise neither.
    n_samples : int, optional
        Length of the sound, if neither a target's coefficients nor a start tell.
    block_s : float
        Seconds of sound that are analysed at a time.
    seed : int
        Of noise and random phases; the same seed gives the same sound on the same machine.
    show : bool
        Show progress, error and time left on stderr.

    Returns
    -------
    Matched
        The sound with the smallest loss met, which is never worse than the start; also after Ctrl-C.

    Raises
    ------
    BadInput
        If an option is out of range, the targets are of different sounds or of another transform than theirs, or
        negative magnitudes are wanted.

    References
    ----------
    .. [1] J. Bruna, S. Mallat, "Multiscale sparse microcanonical models", Math. Statistics and Learning 1, 2018.
    .. [2] V. Lostanlen, "On time-frequency scattering and computer music", 2019, arXiv:1810.04506.

    Examples
    --------
    >>> from stylemix.transforms import TimeScattering
    >>> scattering = TimeScattering(8000, J=8, T=1024)
    >>> tone = 0.1 * torch.cos(2 * torch.pi * 700 / 8000 * torch.arange(8000.0))
    >>> found = match(Target(scattering, scattering.forward(tone)), until=0.05)
    >>> found.ended_by, found.errors.whole < 0.05
    ('reached', True)
    """
    began = time.perf_counter()
    targets = (targets,) if isinstance(targets, Target) else tuple(targets)
    _check_options(until, n_iter, seconds, optimizer)
    length = _length(targets, n_samples, start)
    rate = _rate(targets)
    objective = Objective(targets, length, block_s=block_s)
    sound = begin(targets, length, start, seed)
    with progress("matching", n_iter, show=show) as update:
        limits = _Limits(until, n_iter, inf if seconds is None else began + seconds)
        descent = _Descent(objective, sound, limits, update)
        ended_by = descent.run(optimizer, [*schedule, (n_iter, None)])
    return Matched(
        samples=descent.best, sample_rate=rate, errors=descent.errors, start=descent.first,
        n_iter=len(descent.history), seconds=time.perf_counter() - began, ended_by=ended_by,
        history=tuple(descent.history),
    )  # fmt: skip


@dataclass(frozen=True)
class _Limits:
    """When to end."""

    until: float
    n_iter: int
    deadline: float


class _Ended(Exception):
    """Leaves an optimiser in the middle of its line search."""


class _Descent:
    """Goes down from a sound, and remembers the best one met."""

    def __init__(self, objective: Objective, sound: torch.Tensor, limits: _Limits, update: Callable[..., None]) -> None:
        self.objective, self.limits, self.update = objective, limits, update
        self.best = sound
        self.history: list[float] = []
        self.first = self.errors = Errors(inf, inf, inf, {})
        self._losses: list[float] = []

    def run(self, optimizer: str, stages: Sequence[tuple[int, int | None]]) -> str:
        """Go through the stages, and say why it ended."""
        reason = "n_iter"
        try:
            for n_iter, max_order in stages:
                reason = self._descend(optimizer, min(n_iter, self.limits.n_iter - len(self.history)), max_order)
                if reason in ("reached", "seconds"):
                    break
        except KeyboardInterrupt:
            if not self.history:
                raise
            reason = "interrupted"
        return reason

    def _descend(self, optimizer: str, n_iter: int, max_order: int | None) -> str:
        """Go on from the best sound so far, and say why it ended."""
        self._losses = []
        # The optimiser's first step adds up to one over all samples: in units in which that is a part of the sound, its
        # line search need not grow it first.
        unit = _FIRST_STEP * self.best.numel()
        to_sound, z = _coloured(self.best, unit)
        z.requires_grad_()
        exact = {"tolerance_grad": 0.0, "tolerance_change": 0.0, "max_iter": n_iter, "max_eval": n_iter}
        memory = int(min(max(_REMEMBERED // (2 * z.numel()), 5), _MEMORY))
        solver: torch.optim.Optimizer = (
            torch.optim.LBFGS([z], history_size=memory, line_search_fn="strong_wolfe", **exact)  # type: ignore[arg-type]
            if optimizer == "lbfgs"
            else torch.optim.Adam([z], lr=_ADAM / unit)
        )

        def closure() -> float:
            if len(self._losses) >= n_iter:
                raise _Ended("n_iter")
            sound = to_sound(z)
            loss, gradient = self._look(sound.detach(), max_order)
            z.grad = torch.autograd.grad(sound, z, gradient)[0]
            return loss

        try:
            while True:
                before = len(self._losses)
                solver.step(closure)
                if len(self._losses) == before or optimizer == "lbfgs":
                    # The line search found nothing better that float32 can tell apart.
                    return "n_iter" if len(self._losses) >= n_iter else "stalled"
        except _Ended as ended:
            return str(ended)

    def _look(self, sound: torch.Tensor, max_order: int | None) -> tuple[float, torch.Tensor]:
        """Evaluate a sound, keep it if it is the best, and end if it is time."""
        if not bool(torch.isfinite(sound).all()):
            raise _Ended("stalled")
        errors, loss, gradient = self.objective.evaluate(sound, max_order=max_order)
        if not self.history:
            self.first = errors
        if errors.loss < self.errors.loss:
            self.best, self.errors = sound.clone(), errors
        self.history.append(errors.whole)
        self._losses.append(min([loss, *self._losses[-1:]]))
        self.update(len(self.history), f"error {100 * self.errors.whole:.2f} %")
        if self.errors.worst <= self.limits.until:
            raise _Ended("reached")
        if time.perf_counter() > self.limits.deadline:
            raise _Ended("seconds")
        if len(self._losses) > _PATIENCE and self._losses[-1] > (1 - _STALL) * self._losses[-1 - _PATIENCE]:
            raise _Ended("stalled")
        return loss, gradient


def _coloured(sound: torch.Tensor, unit: float) -> tuple[Callable[[torch.Tensor], torch.Tensor], torch.Tensor]:
    """Change the variable: a linear map to sound that scales frequencies, and what it maps to this sound.

    In units of `unit` times its root mean square, so that the steps of an optimiser do not depend on loudness.
    """
    from scipy.fft import next_fast_len

    n_samples = sound.shape[-1]
    length = int(next_fast_len(n_samples, real=True))
    spectrum = torch.fft.rfft(sound, n=length)
    power = spectrum.abs().square().reshape(-1, spectrum.shape[-1]).mean(0)
    # Mean over a fifth of an octave, and some bins at low frequencies: from a running sum, without a loop.
    running = torch.nn.functional.pad(power.double().cumsum(0), (1, 0))
    bins = torch.arange(len(power), device=power.device)
    reach = (bins * 0.07).long() + _BINS * length // max(length, 8192)
    low, high = (bins - reach).clamp(min=0), (bins + reach + 1).clamp(max=len(power))
    level = ((running[high] - running[low]).clamp_min(0) / (high - low)).sqrt()
    gain = (level / level.max().clamp_min(1e-30)).clamp_min(_FLOOR).pow(_COLOUR).to(sound.dtype)
    z = torch.fft.irfft(spectrum / gain, n=length)
    scale = unit * z.square().mean().sqrt().clamp_min(1e-12)
    gain, z = gain * scale, z / scale
    return lambda z: torch.fft.irfft(torch.fft.rfft(z) * gain, n=length)[..., :n_samples], z


def _length(targets: Sequence[Target], n_samples: int | None, start: torch.Tensor | str) -> int:
    """Find out how long the sound is to be."""
    if not targets:
        raise BadInput("match: give at least one target")
    told = {target.wanted.n_samples for target in targets if isinstance(target.wanted, Coefficients)}
    told |= {n_samples} if n_samples is not None else set()
    told |= {start.shape[-1]} if isinstance(start, torch.Tensor) and start.ndim else set()
    if len(told) != 1:
        got = " and ".join(str(n) for n in sorted(told)) or "nothing"
        raise BadInput(f"match: targets, n_samples and start must tell one length of the sound, got {got}")
    length = told.pop()
    if length < 1:
        raise BadInput(f"match: the sound must have at least one sample, got n_samples {length}")
    return length


def _rate(targets: Sequence[Target]) -> int:
    rates = {target.transform.sample_rate for target in targets if hasattr(target.transform, "sample_rate")}
    if len(rates) > 1:
        raise BadInput(f"match: all targets must be of one sample rate, got {sorted(rates)} Hz")
    return rates.pop() if rates else 0


def _check_options(until: float, n_iter: int, seconds: float | None, optimizer: str) -> None:
    if not 0 <= until < inf:
        raise BadInput(f"match: until must be a relative error of at least 0, such as 0.02, got {until}")
    if n_iter < 1 or int(n_iter) != n_iter:
        raise BadInput(f"match: n_iter must be a whole number of at least 1, got {n_iter}")
    if seconds is not None and not seconds > 0:
        raise BadInput(f"match: seconds must be above 0, or None for no limit, got {seconds}")
    if optimizer not in ("lbfgs", "adam"):
        raise BadInput(f"match: optimizer must be 'lbfgs' or 'adam', got {optimizer!r}")
