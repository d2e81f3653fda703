"""The sound of one piece after another, each beginning as the one before ends."""

from __future__ import annotations

import numpy as np
import torch

from stylemix.phase.checks import lattice_shapes
from stylemix.phase.dial import Quality, take_steps
from stylemix.phase.lattice import Groups, Magnitudes, PooledMagnitudes
from stylemix.phase.projections import Walk, keep
from stylemix.transforms import VQT, Coefficients, Fourier

# A piece goes over into the next within so many samples behind their border.
_FADE = 1024


class Pieces:
    """The transform of a `Stream` whose inverse finds the sound of a piece, given where the one before ends.

    Parameters
    ----------
    transform : VQT or Fourier
        The transform of the whole.
    dial : Quality
        What is done to each piece.
    guard : int
        Samples at both ends of a piece that two pieces have.
    lead : int
        Samples before and behind the sound that the stream has: there it is silent, and only windows ring.
    known : torch.Tensor, shape (..., T'), optional
        The beginning of the sound, where it is told.
    """

    def __init__(
        self, transform: VQT | Fourier, dial: Quality, *, guard: int, lead: int, known: torch.Tensor | None = None
    ) -> None:
        self.transform, self.dial, self.guard, self.lead, self.known = transform, dial, guard, lead, known
        self.sample_rate, self.margin = transform.sample_rate, transform.margin
        self.ringing = getattr(transform, "ringing", 0)
        # Set by who knows that the next piece is the last.
        self.is_last = False
        self._at = -lead
        self._tail: torch.Tensor | None = None

    def meta(self) -> dict[str, np.ndarray]:
        """Name the rows.

        Returns
        -------
        dict of str to np.ndarray, each of shape (K,)
            Those of the transform.
        """
        return self.transform.meta()

    def forward(self, x: torch.Tensor) -> Coefficients:
        """Analyse sound.

        Parameters
        ----------
        x : torch.Tensor, shape (..., T)
            Sound.

        Returns
        -------
        Coefficients
            Those of the transform.
        """
        return self.transform.forward(x)

    def inverse(self, piece: Coefficients) -> torch.Tensor:
        """Find the sound of the next piece.

        Parameters
        ----------
        piece : Coefficients
            Complex, with the phases to start from; one group more, where magnitudes are pooled, of their logarithms.

        Returns
        -------
        torch.Tensor, shape (..., T)
            Sound.
        """
        before = self.lead if self._at < 0 else 0
        behind = self.lead if self.is_last else 0
        n_samples = piece.n_samples - before - behind
        start = self._lattice(piece, n_samples, before)
        known = self._beginning(n_samples, before)
        if self.dial.n_admm + self.dial.n_griffin_lim + self.dial.n_pooled:
            wanted = Magnitudes(self.transform, n_samples, tuple(c.abs() for c in start))
            sound = take_steps(Walk(wanted, known, start), self.dial, self._pooled(piece, n_samples, before)).sound()
        else:
            sound = keep(self.transform.inverse(Coefficients(start, self.transform.hops, n_samples)), known)
        sound = torch.nn.functional.pad(sound, (before, behind))
        # The next piece begins a guard before the border, and this one ends a guard behind it.
        self._at += piece.n_samples - 2 * self.guard
        self._tail = sound[..., max(0, piece.n_samples - 2 * self.guard) :].detach()
        return sound

    def _lattice(self, piece: Coefficients, n_samples: int, before: int) -> Groups:
        """Lay a piece on the lattice of its sound; what rings before the whole goes to the end of one that goes round.

        What the windows ring behind a piece within is silent as far as anyone knows; its guard keeps that from what
        is kept of it.
        """
        shapes = lattice_shapes(self.transform, n_samples)
        groups = []
        for c, hop, (_, n) in zip(piece.groups, self.transform.hops, shapes, strict=False):
            laid = c[..., before // hop :][..., :n]
            laid = torch.nn.functional.pad(laid, (0, n - laid.shape[-1]))
            ringing = min(before // hop, n - -(-n_samples // hop))
            if ringing:
                laid[..., n - ringing :] += c[..., before // hop - ringing : before // hop]
            groups.append(laid)
        return tuple(groups)

    def _pooled(self, piece: Coefficients, n_samples: int, before: int) -> PooledMagnitudes | None:
        if not isinstance(self.transform, VQT) or len(piece.groups) == len(self.transform.hops):
            return None
        first = before // self.transform.hop_length
        log_magnitude = piece.groups[-1][..., first : first + self.transform.n_frames(n_samples)]
        return PooledMagnitudes(self.transform, n_samples, log_magnitude)

    def _beginning(self, n_samples: int, before: int) -> torch.Tensor | None:
        """Give what is known of the next piece: what the one before has up to a little behind the border, or more."""
        tail: torch.Tensor | None = None
        if self._tail is not None and self.dial.n_admm:
            tail = self._tail[..., : self.guard + min(_FADE, self.guard // 2)]
        if self.known is None:
            return tail
        told = self.known[..., self._at + before : self._at + before + n_samples]
        return told if tail is None or told.shape[-1] > tail.shape[-1] else tail
