"""Iterated projections: between what some sound has and what is asked for, until both agree as well as they can."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import torch

from stylemix.errors import BadInput
from stylemix.phase.check_given import check_known, check_start
from stylemix.phase.check_numbers import is_between, is_count
from stylemix.phase.lattice import Groups, Magnitudes, Wanted, to_sound
from stylemix.transforms import VQT, Fourier

# The iteration ends early when the error falls by less than this share in a step.
STALL = 1e-3
# Nothing is left to gain: rounding of single precision.
_EXACT = 1e-7
# Every so many iterations the error is looked at, which costs a part of one.
_LOOK_EVERY = 4
# The known beginning of a sound ends in a crossfade of at most so many samples.
_LONGEST_FADE = 1024


@torch.no_grad()
def griffin_lim(
    magnitudes: Groups,
    transform: VQT | Fourier,
    n_samples: int,
    *,
    n_iter: int = 16,
    momentum: float = 0.99,
    start: Groups | None = None,
    known: torch.Tensor | None = None,
) -> torch.Tensor:
    """Find a sound with given magnitudes by the fast Griffin-Lim algorithm.

    Each iteration goes to the nearest coefficients that some sound has, takes a step on in the same direction, and
    restores the magnitudes [1]_. No gradient flows through it.

    Parameters
    ----------
    magnitudes : tuple of torch.Tensor, each (..., K_g, N_g)
        On the lattice of `transform`, for a sound of `n_samples`; any device, any leading dimensions.
    transform : VQT or Fourier
        The transform.
    n_samples : int
        Length of the sound.
    n_iter : int
        At most so many iterations; fewer when they no longer help.
    momentum : float
        Length of the step on; 0 is the classic algorithm.
    start : tuple of torch.Tensor, each (..., K_g, N_g), optional
        Phases to start from (radians); by default from `heap_phase`.
    known : torch.Tensor, shape (..., T'), optional
        The beginning of the sound, where it is known already; kept as it is.

    Returns
    -------
    torch.Tensor, shape (..., T)
        The sound.

    Raises
    ------
    BadInput
        If `n_iter` is negative, `momentum` outside 0 to 1, or what is given does not fit the transform.

    References
    ----------
    .. [1] N. Perraudin, P. Balazs, P. L. Soendergaard, "A fast Griffin-Lim algorithm", WASPAA 2013.

    Examples
    --------
    >>> from stylemix.phase import inconsistency
    >>> vqt = VQT(8000)
    >>> x = torch.cos(0.3 * torch.arange(8000.0))
    >>> y = griffin_lim(vqt.forward(x).magnitudes(), vqt, 8000, n_iter=4)
    >>> bool(inconsistency(vqt.forward(y).magnitudes(), vqt.forward(x).magnitudes()) < 0.1)
    True
    """
    if not is_count(n_iter) or not is_between(momentum, 0, 1):
        raise BadInput(f"griffin_lim: n_iter must be >= 0 and momentum 0 to 1, got {n_iter} and {momentum}")
    wanted = Magnitudes(transform, n_samples, magnitudes)
    check_known(known, magnitudes[0])
    walk = Walk(wanted, known).begin(start)
    return walk.griffin_lim(n_iter, momentum).sound()


@torch.no_grad()
def admm(
    magnitudes: Groups,
    transform: VQT | Fourier,
    n_samples: int,
    *,
    n_iter: int = 32,
    rho: float = 0.1,
    start: Groups | None = None,
    known: torch.Tensor | None = None,
) -> torch.Tensor:
    """Find a sound with given magnitudes by the alternating direction method of multipliers.

    A running sum of what separates the two sets from each other is kept, which carries the iteration past points where
    Griffin-Lim stands still [1]_. It ends lower, and falls more slowly at first. No gradient
    flows through it.

    Parameters
    ----------
    magnitudes : tuple of torch.Tensor, each (..., K_g, N_g)
        On the lattice of `transform`, for a sound of `n_samples`; any device, any leading dimensions.
    transform : VQT or Fourier
        The transform.
    n_samples : int
        Length of the sound.
    n_iter : int
        Iterations.
    rho : float
        Weight of staying where one is against being consistent; above 0.
    start : tuple of torch.Tensor, each (..., K_g, N_g), optional
        Phases to start from (radians); by default from `heap_phase`.
    known : torch.Tensor, shape (..., T'), optional
        The beginning of the sound, where it is known already; kept as it is.

    Returns
    -------
    torch.Tensor, shape (..., T)
        The sound.

    Raises
    ------
    BadInput
        If `n_iter` is negative, `rho` not above 0, or what is given does not fit the transform.

    References
    ----------
    .. [1] Y. Masuyama, K. Yatabe, Y. Oikawa, "Griffin-Lim like phase recovery via alternating direction method of
       multipliers", IEEE Signal Processing Letters 26(1), 2019.

    Examples
    --------
    >>> from stylemix.phase import inconsistency
    >>> fourier = Fourier(8000, n_fft=512, hop_length=128)
    >>> x = torch.cos(0.3 * torch.arange(8000.0))
    >>> y = admm(fourier.forward(x).magnitudes(), fourier, 8000, n_iter=8)
    >>> bool(inconsistency(fourier.forward(y).magnitudes(), fourier.forward(x).magnitudes()) < 0.1)
    True
    """
    if not is_count(n_iter) or not is_between(rho, math.ulp(0.0), sys.float_info.max):
        raise BadInput(f"admm: n_iter must be >= 0 and rho above 0, got {n_iter} and {rho}")
    wanted = Magnitudes(transform, n_samples, magnitudes)
    check_known(known, magnitudes[0])
    return Walk(wanted, known).begin(start).admm(n_iter, rho).sound()


@dataclass
class Walk:
    """Coefficients on their way to what is asked for.

    Parameters
    ----------
    wanted : Wanted
        What is asked for.
    known : torch.Tensor, shape (..., T'), optional
        The beginning of the sound, kept as it is.
    coefficients : tuple of torch.Tensor, each (..., K_g, N_g), complex
        Where it has come.
    """

    wanted: Wanted
    known: torch.Tensor | None = None
    coefficients: Groups = ()

    def begin(self, phases: Groups | None = None, *, trailing: float = 1e-3, seed: int = 0) -> Walk:
        """Start from phases, by default from those of `heap_phase`.

        Parameters
        ----------
        phases : tuple of torch.Tensor, each (..., K_g, N_g), optional
            Radians.
        trailing : float
            See `heap_phase`.
        seed : int
            For the phases of what is too soft to have one.

        Returns
        -------
        Walk
            Itself.

        Raises
        ------
        BadInput
            If the phases are not on the lattice, not of as many sounds, not real or not finite.
        """
        from stylemix.phase.heap import heap_turns

        magnitudes = self.wanted.magnitudes
        if phases is None:
            turns = heap_turns(magnitudes, self.wanted.transform, trailing=trailing, seed=seed)
            self.coefficients = tuple(m * t for m, t in zip(magnitudes, turns, strict=True))
            return self
        check_start(phases, magnitudes[0], self.wanted.transform, self.wanted.n_samples)
        self.coefficients = tuple(torch.polar(m, p.to(m.dtype)) for m, p in zip(magnitudes, phases, strict=True))
        return self

    def griffin_lim(self, n_iter: int, momentum: float = 0.99) -> Walk:
        """Take steps of fast Griffin-Lim; see `griffin_lim`.

        Parameters
        ----------
        n_iter : int
            At most so many.
        momentum : float
            Length of the step on.

        Returns
        -------
        Walk
            Itself.
        """
        before: Groups | None = None
        best = float("inf")
        for step in range(n_iter):
            found = self.project(self.coefficients)
            pushed = found
            if before is not None:
                pushed = tuple(torch.lerp(b, f, 1 + momentum) for b, f in zip(before, found, strict=True))
            self.coefficients, before = self.wanted.restore(pushed), found
            if step % _LOOK_EVERY == _LOOK_EVERY - 1:
                error = self.wanted.error(found)
                if error < _EXACT or abs(best - error) < STALL * _LOOK_EVERY * error:
                    break
                best = min(best, error)
        return self

    def admm(self, n_iter: int, rho: float = 0.1) -> Walk:
        """Take steps of the alternating direction method of multipliers; see `admm`.

        With x the coefficients that have the magnitudes, u the running sum and y = x + u, the consistent side is
        ``z = (P(y) + rho y) / (1 + rho)`` for the projection P, and the sum becomes ``u = y - z``. The next x has the
        magnitudes, and the phases of ``z - u``.

        Parameters
        ----------
        n_iter : int
            How many.
        rho : float
            Weight of staying where one is.

        Returns
        -------
        Walk
            Itself.
        """
        y = self.coefficients
        for _ in range(n_iter):
            found = self.project(y)
            sums = tuple((a - p).div_(1 + rho) for a, p in zip(y, found, strict=True))
            reflected = tuple(a.sub(u, alpha=2) for a, u in zip(y, sums, strict=True))
            self.coefficients = self.wanted.restore(reflected)
            y = tuple(x + u for x, u in zip(self.coefficients, sums, strict=True))
        return self

    def project(self, coefficients: Groups) -> Groups:
        """Go to the nearest coefficients that some sound has, of those that begin as is known.

        Parameters
        ----------
        coefficients : tuple of torch.Tensor, each (..., K_g, N_g)
            Any.

        Returns
        -------
        tuple of torch.Tensor, each (..., K_g, N_g)
            Of a sound.
        """
        return self.wanted.transform.forward(keep(to_sound(coefficients, self.wanted), self.known)).groups

    def sound(self) -> torch.Tensor:
        """Make sound of where it has come.

        Returns
        -------
        torch.Tensor, shape (..., T)
            Sound.
        """
        return keep(to_sound(self.coefficients, self.wanted), self.known)


def keep(sound: torch.Tensor, known: torch.Tensor | None) -> torch.Tensor:
    """Put the known beginning of a sound back.

    Parameters
    ----------
    sound : torch.Tensor, shape (..., T)
        Sound.
    known : torch.Tensor, shape (..., T'), or None
        Its beginning.

    Returns
    -------
    torch.Tensor, shape (..., T)
        The beginning, a short crossfade at its end, and the sound.

    Examples
    --------
    >>> keep(torch.zeros(4), torch.ones(2)).tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    if known is None or not known.shape[-1]:
        return sound
    n = min(known.shape[-1], sound.shape[-1])
    fade = max(1, min(n // 4, _LONGEST_FADE))
    weight = torch.ones(n, dtype=sound.dtype, device=sound.device)
    weight[n - fade :] = torch.linspace(1, 0, fade, dtype=sound.dtype, device=sound.device)
    head = torch.lerp(sound[..., :n], known[..., :n], weight)
    return torch.cat([head, sound[..., n:]], dim=-1)
