"""Heap integration in real time: block by block, with a bounded look-ahead, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.phase.batches import flat, join_batch, split_batch
from stylemix.phase.check_numbers import check_settings, is_count
from stylemix.phase.checks import check_tensors, check_transform, check_values, lattice_shapes
from stylemix.phase.heap import integrate
from stylemix.transforms import VQT, Fourier

# Frames (of the largest hop) whose phase is kept to go on from.
_KEPT = 2


class HeapStream:
    """Phases of magnitudes that arrive in blocks, as if they were one sound.

    Each block is integrated together with the last frames of the one before, whose phases are known and go on, and
    with the frames that follow as far as the look-ahead reaches, so that what is soft before an onset can take its
    phase from it [1]_. Random phases depend on the seed and on the place alone, not on the blocks.

    Parameters
    ----------
    transform : VQT or Fourier
        Where the magnitudes are from.
    look_ahead : int
        Frames (of the largest hop) beyond a block that must be there before its phases come out; at least 1, which the
        slope over time needs.
    tolerance : float
        Coefficients below this share of the loudest so far get a random phase.
    trailing : float
        Coefficients below this share of the loudest near them follow their row; see `heap_phase`.
    seed : int
        Of the random phases.

    Raises
    ------
    BadInput
        If a parameter is out of range.

    References
    ----------
    .. [1] Z. Prusa, P. L. Soendergaard, "Real-time spectrogram inversion using phase gradient heap integration",
       DAFx 2016.

    Examples
    --------
    >>> fourier = Fourier(8000, n_fft=512, hop_length=128)
    >>> tone = torch.cos(0.3 * torch.arange(8000.0))
    >>> (m,) = fourier.forward(tone).magnitudes()
    >>> blocks = HeapStream(fourier).forward((part,) for part in m.split(7, dim=-1))
    >>> phase = torch.cat([block[0] for block in blocks], dim=-1)
    >>> bool((phase[24, 40] - phase[24, 39] - 0.3 * 128).sin().abs() < 0.01)
    True
    """

    def __init__(
        self,
        transform: VQT | Fourier,
        *,
        look_ahead: int = 4,
        tolerance: float = 1e-6,
        trailing: float = 1e-3,
        seed: int = 0,
    ) -> None:
        check_transform(transform)
        if not is_count(look_ahead) or look_ahead < 1:
            raise BadInput(f"HeapStream: look_ahead must be at least 1 frame, got {look_ahead!r}; give a whole number")
        self.seed = check_settings(tolerance, trailing, seed, "HeapStream")
        self.transform, self.look_ahead = transform, int(look_ahead)
        self.tolerance, self.trailing = tolerance, trailing
        hops = transform.hops
        # Frames of each group in one frame of the largest hop.
        self._ratios = tuple(max(hops) // hop for hop in hops)
        self._largest = max(hops)
        self._rows = [k for k, _ in lattice_shapes(transform, 1)]

    def forward(self, blocks: Iterable[tuple[torch.Tensor, ...]]) -> Iterator[tuple[torch.Tensor, ...]]:
        """Integrate blocks as they arrive.

        Parameters
        ----------
        blocks : iterable of tuple of torch.Tensor, each (..., K_g, N_g)
            Consecutive magnitudes, such as those of ``Stream.forward``; only the last may end between two frames of
            the largest hop.

        Yields
        ------
        tuple of torch.Tensor, each (..., K_g, N_g)
            Phases (radians) of each block, when the look-ahead beyond it has arrived.

        Raises
        ------
        BadInput
            If a block but the last ends between two frames, is unlike the first, or holds what are no magnitudes of
            the transform.
        """
        waiting: list[tuple[torch.Tensor, ...]] = []
        past: _Past | None = None
        like: object = None
        for block in blocks:
            like = self._check(block, like)
            if waiting:
                self._check_whole(waiting[-1])
            waiting.append(block)
            past = past or self._begin(block)
            while sum(map(self._frames, waiting[1:])) > self.look_ahead:
                yield self._settle(waiting, past)
        while waiting and past is not None:
            yield self._settle(waiting, past)

    def _settle(self, waiting: list[tuple[torch.Tensor, ...]], past: _Past) -> tuple[torch.Tensor, ...]:
        """Take the first block out, with its phases; what lies behind the last is silence."""
        block = waiting.pop(0)
        frames = self._frames(block)
        parts = [past.magnitudes, self._filled(block, frames), *(self._filled(b, self._frames(b)) for b in waiting)]
        parts.append(self._silence(block, self.look_ahead + 1))
        total = _KEPT + frames + self.look_ahead + 1
        piece = tuple(
            torch.cat(groups, dim=-1)[..., : total * ratio]
            for groups, ratio in zip(zip(*parts, strict=True), self._ratios, strict=True)
        )
        turns = join_batch(self._integrate(piece, past), piece)
        phases = tuple(t.angle().to(m.dtype) for t, m in zip(turns, piece, strict=True))
        kept = [slice(frames * r, (frames + _KEPT) * r) for r in self._ratios]
        past.magnitudes = tuple(m[..., at] for m, at in zip(piece, kept, strict=True))
        past.phases = tuple(p[..., at] for p, at in zip(phases, kept, strict=True))
        past.first_frame += frames
        return tuple(
            p[..., _KEPT * r : _KEPT * r + m.shape[-1]] for p, m, r in zip(phases, block, self._ratios, strict=True)
        )

    def _integrate(self, piece: tuple[torch.Tensor, ...], past: _Past) -> list[tuple[torch.Tensor, ...]]:
        phases = split_batch(
            tuple(
                torch.nn.functional.pad(p, (0, m.shape[-1] - p.shape[-1]))
                for p, m in zip(past.phases, piece, strict=True)
            )
        )
        out = []
        for b, one in enumerate(split_batch(piece)):
            past.peaks[b] = max(past.peaks[b], *(float(m.max()) for m in one))
            # What was too soft to have a phase of its own is no place to go on from.
            where = [
                (m > self.tolerance * past.peaks[b]) & (torch.arange(m.shape[-1], device=m.device) < _KEPT * r)
                for m, r in zip(one, self._ratios, strict=True)
            ]
            out.append(
                integrate(
                    one,
                    self.transform,
                    peak=past.peaks[b],
                    tolerance=self.tolerance,
                    trailing=self.trailing,
                    known=(flat(tuple(where)), flat(phases[b])),
                    seed=self.seed,
                    first_sample=past.first_frame * self._largest,
                )
            )
        return out

    def _begin(self, block: tuple[torch.Tensor, ...]) -> _Past:
        silence = self._silence(block, _KEPT)
        return _Past(silence, silence, [0.0] * int(np.prod(block[0].shape[:-2])))

    def _check(self, block: tuple[torch.Tensor, ...], like: object) -> object:
        """Refuse a block that holds what are no magnitudes, or is unlike the first; give what all must be like."""
        check_tensors(block, "HeapStream: a block", "give Coefficients.magnitudes()")
        if len(block) != len(self._ratios):
            raise BadInput(
                f"HeapStream: a block must have the transform's {len(self._ratios)} groups, got {len(block)}"
            )
        found = [tuple(m.shape[-2:]) for m in block]
        if [shape[0] for shape in found if len(shape) == 2] != self._rows:
            raise BadInput(
                f"HeapStream: a block's groups of shapes {found} must have the transform's rows, {self._rows}; give "
                "magnitudes of this very transform"
            )
        check_values([m for m in block if m.numel()], "HeapStream: a block")
        kinds = {(tuple(m.shape[:-2]), m.dtype, m.device) for m in block}
        if len(kinds) > 1 or like not in (None, kinds):
            raise BadInput(
                f"HeapStream: all blocks and groups must be like the first, {like or kinds}, got {kinds}; give blocks "
                "of one leading shape, type and device"
            )
        # A sound has ceil(n / hop) frames: that many in all groups for some n.
        if max((n - 1) * self._largest // r for (_, n), r in zip(found, self._ratios, strict=True)) >= min(
            n * self._largest // r for (_, n), r in zip(found, self._ratios, strict=True)
        ) and any(n for _, n in found):
            self._check_whole(block)
        return kinds

    def _check_whole(self, block: tuple[torch.Tensor, ...]) -> None:
        counts, frames = tuple(m.shape[-1] for m in block), self._frames(block)
        if counts != tuple(frames * r for r in self._ratios):
            raise BadInput(
                f"HeapStream: blocks but the last must be whole frames of {self._largest} samples, got one of "
                f"{counts} frames by groups; make blocks of a multiple of {self._largest} samples"
            )

    def _frames(self, block: tuple[torch.Tensor, ...]) -> int:
        return max(-(-m.shape[-1] // r) for m, r in zip(block, self._ratios, strict=True))

    def _filled(self, block: tuple[torch.Tensor, ...], frames: int) -> tuple[torch.Tensor, ...]:
        return tuple(
            torch.nn.functional.pad(m, (0, frames * r - m.shape[-1])) for m, r in zip(block, self._ratios, strict=True)
        )

    def _silence(self, like: tuple[torch.Tensor, ...], frames: int) -> tuple[torch.Tensor, ...]:
        return tuple(m.new_zeros(*m.shape[:-1], frames * r) for m, r in zip(like, self._ratios, strict=True))


@dataclass
class _Past:
    """The last frames that are settled, the loudest so far of each sound, and where the frames begin."""

    magnitudes: tuple[torch.Tensor, ...]
    phases: tuple[torch.Tensor, ...]
    peaks: list[float]
    first_frame: int = -_KEPT
