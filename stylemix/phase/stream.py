"""Sound of magnitudes that arrive in blocks: in bounded memory, with a bounded delay, as if they were one sound."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.phase.heap_stream import HeapStream
from stylemix.phase.lattice import Groups, Magnitudes, lattice_shapes, to_sound
from stylemix.phase.projections import Walk
from stylemix.phase.recover import Quality, find_quality, take_steps
from stylemix.transforms import VQT, Coefficients, Fourier, Stream

# Frames (of the largest hop) that phases look ahead. Integration takes one more, for the slope at their end.
_LOOK_AHEAD = 4
# A piece goes over into the next within so many samples behind their border.
_FADE = 1024


class SoundStream:
    """Sound of magnitudes that arrive in blocks.

    Phases are integrated from block to block (`HeapStream`), and sound is made piece by piece: of a block, and of a
    guard on either side that is heard and not kept. Projections, where the quality has some, begin each piece as the
    one before has it, so that what comes after fits what is out already; within 1024 samples behind the border one
    goes over into the other.

    Blocks are cut anew: how the caller cuts them changes nothing, and memory depends on `block_s` alone.

    Parameters
    ----------
    transform : VQT or Fourier
        Where the magnitudes are from.
    quality : {"draft", "good", "best"}
        As for `recover`.
    block_s : float
        Seconds of sound that come out at a time, at least; no less than twice the guard.
    guard : int, optional
        That of the `Stream` the magnitudes are from, by default the same as there. Less makes the delay shorter.
    seed : int
        For the phases of what is too soft to be integrated.

    Raises
    ------
    BadInput
        If a parameter is out of range or the quality is unknown.

    Examples
    --------
    >>> fourier = Fourier(8000, n_fft=512, hop_length=128)
    >>> tone = torch.cos(0.3 * torch.arange(16000.0))
    >>> blocks = Stream(fourier, block_s=0.5).forward(tone.split(1000))
    >>> magnitudes = (Coefficients(b.magnitudes(), b.hops, b.n_samples) for b in blocks)
    >>> y = torch.cat(list(SoundStream(fourier, block_s=0.5).forward(magnitudes)))
    >>> y.shape, bool((y[1000:15000].square().mean() - 0.5).abs() < 0.01)
    (torch.Size([16000]), True)
    """

    def __init__(
        self,
        transform: VQT | Fourier,
        *,
        quality: str = "good",
        block_s: float = 4.0,
        guard: int | None = None,
        seed: int = 0,
    ) -> None:
        if not isinstance(transform, VQT | Fourier):
            raise BadInput(f"SoundStream: the transform must be a VQT or a Fourier, got {type(transform).__name__}")
        self._dial = find_quality(quality)
        cut = Stream(transform, block_s=block_s, guard=guard)
        self.transform, self.quality, self.seed = transform, quality, seed
        self.guard, self.lead = cut.guard, cut.lead
        self._ahead = (_LOOK_AHEAD + 1) * cut.align
        # Phases come in turns of what is looked ahead and of the rest of a block, which must be there, too.
        self.block = max(cut.block, 2 * self._ahead)

    @property
    def latency(self) -> int:
        """Samples that sound is late at most, counted from the end of the magnitudes that have arrived."""
        return self.block + self.guard + self._ahead

    def forward(self, blocks: Iterable[Coefficients]) -> Iterator[torch.Tensor]:
        """Make sound as magnitudes arrive.

        Parameters
        ----------
        blocks : iterable of Coefficients
            Consecutive in time, as from `Stream.forward`, their groups replaced by the magnitudes; only the last may
            have a length that is no multiple of all hops.

        Yields
        ------
        torch.Tensor, shape (..., t)
            Consecutive pieces of the sound. Its sign is arbitrary.

        Raises
        ------
        BadInput
            If there are no blocks, or one holds what are no magnitudes of the transform, or is unlike the first.
        """
        cut = recut(check_blocks(blocks, self.transform), self._sizes())
        yield from self._synthesise(self._with_phases(cut), None)

    def _sizes(self) -> Iterator[int]:
        """Lengths in which phases are asked for: they are there up to a guard behind the end of each block."""
        yield self.block + self.guard
        while True:
            yield self._ahead
            yield self.block - self._ahead

    def _with_phases(self, blocks: Iterable[Coefficients]) -> Iterator[Coefficients]:
        waiting: deque[Coefficients] = deque()

        def magnitudes() -> Iterator[Groups]:
            for block in blocks:
                waiting.append(block)
                yield block.groups

        heap = HeapStream(self.transform, look_ahead=_LOOK_AHEAD, trailing=self._dial.trailing, seed=self.seed)
        for phases in heap.forward(magnitudes()):
            block = waiting.popleft()
            groups = tuple(torch.polar(m, p.to(m.dtype)) for m, p in zip(block.groups, phases, strict=True))
            yield Coefficients(groups, block.hops, block.n_samples)

    def _synthesise(self, blocks: Iterable[Coefficients], known: torch.Tensor | None) -> Iterator[torch.Tensor]:
        pieces = _Pieces(self.transform, self._dial, self.guard)
        seconds = self.block / self.transform.sample_rate
        yield from Stream(pieces, block_s=seconds, guard=self.guard).inverse(blocks)


@dataclass
class _Pieces:
    """The transform of a `Stream` whose inverse finds the sound of a piece, given where the one before ends."""

    transform: VQT | Fourier
    dial: Quality
    guard: int
    tail: torch.Tensor | None = field(default=None, init=False)

    @property
    def sample_rate(self) -> int:
        return self.transform.sample_rate

    @property
    def margin(self) -> int:
        return self.transform.margin

    @property
    def ringing(self) -> int:
        return getattr(self.transform, "ringing", 0)

    def meta(self) -> dict[str, np.ndarray]:
        return self.transform.meta()

    def forward(self, x: torch.Tensor) -> Coefficients:
        return self.transform.forward(x)

    def inverse(self, piece: Coefficients) -> torch.Tensor:
        frames = [n for _, n in lattice_shapes(self.transform, piece.n_samples)]
        # What the windows ring behind the piece is silent as far as anyone knows; the guard keeps that from the block.
        whole = tuple(
            torch.nn.functional.pad(c, (0, n - c.shape[-1])) for c, n in zip(piece.groups, frames, strict=True)
        )
        wanted = Magnitudes(self.transform, piece.n_samples, tuple(c.abs() for c in whole))
        known = None if self.tail is None else self.tail[..., : self.guard + _FADE]
        if self.dial.n_admm + self.dial.n_griffin_lim:
            sound = take_steps(Walk(wanted, known, whole), self.dial, None).sound()
        else:
            sound = to_sound(whole, wanted)
        # The next piece begins a guard before the border, and this one ends a guard behind it.
        self.tail = sound[..., max(0, sound.shape[-1] - 2 * self.guard) :]
        return sound


def check_blocks(blocks: Iterable[Coefficients], transform: VQT | Fourier) -> Iterator[Coefficients]:
    """Refuse blocks that are no consecutive magnitudes of a transform, as they arrive.

    Parameters
    ----------
    blocks : iterable of Coefficients
        What a user gave.
    transform : VQT or Fourier
        Whose magnitudes they should be.

    Yields
    ------
    Coefficients
        The same, but for empty ones.

    Raises
    ------
    BadInput
        If one is not what it should be.
    """
    rows = [k for k, _ in lattice_shapes(transform, max(transform.hops))]
    like: tuple[object, ...] | None = None
    is_whole = True
    for number, block in enumerate(blocks):
        if not isinstance(block, Coefficients):
            raise BadInput(
                f"SoundStream: block {number} must be Coefficients whose groups are magnitudes, got "
                f"{type(block).__name__}"
            )
        _check_block(block, f"SoundStream: block {number}", transform, rows)
        if not block.n_samples:
            continue
        if not is_whole:
            raise BadInput(
                f"SoundStream: block {number - 1} ends between two frames, and another follows; make all but the last "
                f"of a multiple of {max(transform.hops)} samples"
            )
        is_whole = block.n_samples % max(transform.hops) == 0
        one = block.groups[0]
        kind = (tuple(one.shape[:-2]), one.dtype, one.device)
        if like is not None and kind != like:
            raise BadInput(f"SoundStream: all blocks must be like the first, {like}, got {kind} in block {number}")
        like = kind
        yield block


def _check_block(block: Coefficients, name: str, transform: VQT | Fourier, rows: list[int]) -> None:
    wanted = [(k, -(-block.n_samples // hop)) for k, hop in zip(rows, transform.hops, strict=True)]
    found = [tuple(m.shape[-2:]) for m in block.groups]
    if block.hops != transform.hops or found != wanted:
        raise BadInput(
            f"{name} of {block.n_samples} samples has groups {found} with hops {block.hops}, this "
            f"{type(transform).__name__}'s are {wanted} with hops {transform.hops}; give magnitudes of this very "
            "transform"
        )
    kinds = {(m.shape[:-2], m.dtype, m.device) for m in block.groups}
    if len(kinds) > 1 or not block.groups[0].is_floating_point():
        raise BadInput(
            f"{name}: groups must be real, of one type and leading shape, got "
            f"{', '.join(f'{m.dtype} {tuple(m.shape)}' for m in block.groups)}; give Coefficients.magnitudes()"
        )
    for m in block.groups:
        if not m.numel():
            continue
        least, largest = torch.aminmax(m)
        if not (float(least) >= 0 and float(largest) < float("inf")):
            raise BadInput(
                f"{name}: magnitudes must be at least 0 and finite, got {float(least):g} to {float(largest):g}"
            )


def recut(blocks: Iterable[Coefficients], sizes: Iterator[int]) -> Iterator[Coefficients]:
    """Cut blocks anew.

    Parameters
    ----------
    blocks : iterable of Coefficients
        Consecutive in time.
    sizes : iterator of int
        Samples of each block that comes out, multiples of all hops.

    Yields
    ------
    Coefficients
        Of these lengths, the last of what is left.

    Examples
    --------
    >>> blocks = (Coefficients((torch.ones(3, 2),), (4,), 8) for _ in range(3))
    >>> [block.n_samples for block in recut(blocks, iter([12, 4, 20]))]
    [12, 4, 8]
    """
    parts: list[Groups] = []
    hops: tuple[int, ...] = ()
    size, held = next(sizes), 0
    for block in blocks:
        parts.append(block.groups)
        hops, held = block.hops, held + block.n_samples
        while held >= size:
            whole = _joined(parts)
            counts = [size // hop for hop in hops]
            yield Coefficients(tuple(m[..., :n] for m, n in zip(whole, counts, strict=True)), hops, size)
            parts = [tuple(m[..., n:] for m, n in zip(whole, counts, strict=True))]
            size, held = next(sizes), held - size
    if held:
        yield Coefficients(_joined(parts), hops, held)


def _joined(parts: list[Groups]) -> Groups:
    return parts[0] if len(parts) == 1 else tuple(torch.cat(rows, dim=-1) for rows in zip(*parts, strict=True))
