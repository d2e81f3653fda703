"""Magnitudes on the lattice of a transform: what they must be, and what they ask of coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch

from stylemix.errors import BadInput
from stylemix.phase.check_numbers import whole
from stylemix.phase.checks import check_magnitudes, check_real, check_vqt
from stylemix.transforms import VQT, Coefficients, Fourier

# Coefficients and magnitudes come in groups of rows that share a hop, each (..., K_g, N_g).
Groups = tuple[torch.Tensor, ...]
# A gain of pooled magnitudes is at most e^6, 52 dB, in one go: where there is nothing yet, there is nothing to lift.
_LARGEST_GAIN = 6.0


class Wanted(Protocol):
    """What a sound is asked to have: magnitudes in some form, on the lattice of a transform."""

    @property
    def transform(self) -> VQT | Fourier:
        """Whose lattice it is."""

    @property
    def n_samples(self) -> int:
        """Length of the sound."""

    @property
    def magnitudes(self) -> Groups:
        """The magnitudes that are asked for, or the likeliest where they are not told one by one."""

    def restore(self, coefficients: Groups) -> Groups:
        """Change the magnitudes of coefficients to those that are asked for, and as little else as possible.

        Parameters
        ----------
        coefficients : tuple of torch.Tensor, each (..., K_g, N_g), complex
            Any.

        Returns
        -------
        tuple of torch.Tensor, each (..., K_g, N_g), complex
            Coefficients.
        """

    def error(self, coefficients: Groups) -> float:
        """Return the distance of the magnitudes of coefficients from those that are asked for, relative to these.

        Parameters
        ----------
        coefficients : tuple of torch.Tensor, each (..., K_g, N_g)
            Complex, or magnitudes.

        Returns
        -------
        float
            Spectral convergence.
        """


@dataclass(frozen=True)
class Magnitudes:
    """Every magnitude on the lattice is known.

    Parameters
    ----------
    transform : VQT or Fourier
        Whose lattice it is.
    n_samples : int
        Length of the sound.
    magnitudes : tuple of torch.Tensor, each (..., K_g, N_g)
        The absolute values of ``transform.forward`` of the sound that is looked for.

    Raises
    ------
    BadInput
        If they are negative, not real, not finite, or not on the lattice of a sound of that length.

    Examples
    --------
    >>> vqt = VQT(8000)
    >>> wanted = Magnitudes(vqt, 8000, vqt.forward(torch.ones(8000)).magnitudes())
    >>> wanted.error(tuple(0.5 * m for m in wanted.magnitudes))
    0.5
    """

    transform: VQT | Fourier
    n_samples: int
    magnitudes: Groups

    def __post_init__(self) -> None:
        check_magnitudes(self.magnitudes, self.transform, self.n_samples)
        object.__setattr__(self, "n_samples", whole(self.n_samples, "phase: n_samples", 1))

    def restore(self, coefficients: Groups) -> Groups:
        """Give coefficients the known magnitudes, and leave their phases.

        Parameters
        ----------
        coefficients : tuple of torch.Tensor, each (..., K_g, N_g), complex
            Any; one that is zero stays so.

        Returns
        -------
        tuple of torch.Tensor, each (..., K_g, N_g), complex
            Coefficients.
        """
        return tuple(_with_magnitude(c, m) for c, m in zip(coefficients, self.magnitudes, strict=True))

    def error(self, coefficients: Groups) -> float:
        """Return the spectral convergence.

        Parameters
        ----------
        coefficients : tuple of torch.Tensor, each (..., K_g, N_g)
            Complex, or magnitudes.

        Returns
        -------
        float
            Norm of the difference of the magnitudes over the norm of the known ones.
        """
        return inconsistency(tuple(c.abs() for c in coefficients), self.magnitudes)


@dataclass(frozen=True)
class PooledMagnitudes:
    """Only the mean power around each frame of `hop_length` is known, as models tell it.

    Between the frames, and within one where a band has many coefficients, nothing is asked: magnitudes that are
    interpolated there forbid the beats and onsets that the sound has. What the coefficients do there is left alone,
    and only their level is set.

    Parameters
    ----------
    transform : VQT
        Whose bands they are of.
    n_samples : int
        Length of the sound.
    log_magnitude : torch.Tensor, shape (..., K, N)
        From ``transform.pool``: natural logarithms, frame n around sample ``n * hop_length``.

    Raises
    ------
    BadInput
        If they are not real, not finite, or not of that many bands and frames, or the transform is no `VQT`.

    Examples
    --------
    >>> vqt = VQT(8000)
    >>> x = torch.ones(8000)
    >>> wanted = PooledMagnitudes(vqt, 8000, vqt.pool(vqt.forward(x).magnitudes(), 8000))
    >>> round(wanted.error(vqt.forward(x).groups), 6)
    0.0
    """

    transform: VQT
    n_samples: int
    log_magnitude: torch.Tensor

    def __post_init__(self) -> None:
        check_vqt(self.transform, "pooled magnitudes")
        object.__setattr__(self, "n_samples", whole(self.n_samples, "phase: n_samples", 1))
        given: object = self.log_magnitude
        if not isinstance(given, torch.Tensor):
            raise BadInput(
                f"pooled magnitudes: must be a torch.Tensor, got {type(given).__name__}; use torch.as_tensor"
            )
        check_real(given, "pooled magnitudes")
        wanted = (self.transform.n_bands, self.transform.n_frames(self.n_samples))
        found = tuple(self.log_magnitude.shape[-2:])
        if found != wanted:
            raise BadInput(
                f"pooled magnitudes: {found} bands and frames are not this transform's of {self.n_samples} samples, "
                f"{wanted}; give what VQT.pool gave"
            )
        if not given.numel():
            raise BadInput(f"pooled magnitudes: must hold at least one sound, got the shape {tuple(given.shape)}")
        if bool(self.log_magnitude.isnan().any()) or bool((self.log_magnitude == float("inf")).any()):
            raise BadInput("pooled magnitudes: hold NaN or Inf; give natural logarithms from VQT.pool")

    @cached_property
    def magnitudes(self) -> Groups:
        """The logarithms, interpolated between the frames."""
        return tuple(m.exp() for m in self.transform.spread(self.log_magnitude.clamp_min(-80), self.n_samples))

    def restore(self, coefficients: Groups) -> Groups:
        """Bring the mean power around each frame to the known one, by a gain that moves from frame to frame.

        Parameters
        ----------
        coefficients : tuple of torch.Tensor, each (..., K_g, N_g), complex
            Any.

        Returns
        -------
        tuple of torch.Tensor, each (..., K_g, N_g), complex
            Coefficients.
        """
        gain = self.log_magnitude - self._pooled(coefficients)
        gains = self.transform.spread(gain.clamp(-_LARGEST_GAIN, _LARGEST_GAIN), self.n_samples)
        return tuple(c * g.exp() for c, g in zip(coefficients, gains, strict=True))

    def error(self, coefficients: Groups) -> float:
        """Return the spectral convergence at the frames.

        Parameters
        ----------
        coefficients : tuple of torch.Tensor, each (..., K_g, N_g)
            Complex, or magnitudes.

        Returns
        -------
        float
            Norm of the difference of the pooled magnitudes over the norm of the known ones.
        """
        return inconsistency((self._pooled(coefficients).exp(),), (self.log_magnitude.exp(),))

    def _pooled(self, coefficients: Groups) -> torch.Tensor:
        return self.transform.pool(tuple(c.abs() for c in coefficients), self.n_samples)


def inconsistency(found: Groups, wanted: Groups) -> float:
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


def to_sound(coefficients: Groups, wanted: Wanted) -> torch.Tensor:
    """Make the sound whose coefficients are nearest to given ones.

    Parameters
    ----------
    coefficients : tuple of torch.Tensor, each (..., K_g, N_g), complex
        On the lattice.
    wanted : Wanted
        Says which lattice it is.

    Returns
    -------
    torch.Tensor, shape (..., T)
        Sound.
    """
    return wanted.transform.inverse(Coefficients(coefficients, wanted.transform.hops, wanted.n_samples))


def _with_magnitude(c: torch.Tensor, magnitude: torch.Tensor) -> torch.Tensor:
    return c * (magnitude / c.abs().clamp_min(torch.finfo(magnitude.dtype).tiny ** 0.5))
