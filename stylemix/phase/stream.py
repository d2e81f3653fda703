"""Sound of magnitudes that arrive in blocks: in bounded memory, with a bounded delay, as if they were one sound."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import torch

from stylemix.errors import BadInput
from stylemix.phase.checks import lattice_shapes
from stylemix.phase.dial import find_quality
from stylemix.phase.heap_stream import HeapStream
from stylemix.phase.lattice import Groups, Magnitudes, PooledMagnitudes
from stylemix.phase.stream_blocks import check_blocks, recut, spread_frames, unrolled
from stylemix.phase.stream_pieces import Pieces
from stylemix.transforms import VQT, Coefficients, Fourier, Stream

# Frames (of the largest hop) that phases look ahead. Integration takes one more, for the slope at their end.
_LOOK_AHEAD = 4


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
        Samples heard on both sides of a block. For a `VQT` that of the `Stream` the magnitudes are from, and by default
        the same as there; less, on both sides, makes the delay shorter. For a `Fourier` by default two frames.
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
        if guard is None and isinstance(transform, Fourier):
            # Each projection reaches a frame further: with half a frame as guard, results are 1 dB worse.
            guard = 2 * transform.n_fft
        cut = Stream(transform, block_s=block_s, guard=guard)
        self.transform, self.quality, self.seed = transform, quality, seed
        self.guard, self.lead = cut.guard, cut.lead
        self._ahead = (_LOOK_AHEAD + 1) * transform.hop_length
        # Phases come in turns of what is looked ahead and of the rest of a block. Pooled frames may lie further apart
        # than those of any band.
        self.block = max(-(-cut.block // transform.hop_length) * transform.hop_length, 2 * self._ahead)

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
        told = self._with_phases(recut(self._long_enough(check_blocks(blocks, self.transform)), self._sizes()))
        yield from self._synthesise(told)

    def forward_pooled(self, blocks: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        """Make sound as magnitudes arrive that are known at the frames of `hop_length` only.

        Parameters
        ----------
        blocks : iterable of torch.Tensor, each (..., K, N)
            Consecutive frames, as of ``VQT.pool``: natural logarithms, the first around sample 0 of the sound. There
            is no silence before them. One more frame than `latency` says must be there.

        Yields
        ------
        torch.Tensor, shape (..., t)
            Consecutive pieces of the sound, ``hop_length`` samples for each frame in all.

        Raises
        ------
        BadInput
            If there are no frames, or a block holds NaN or Inf or what are no bands of the transform.
        """
        if not isinstance(self.transform, VQT):
            raise BadInput("SoundStream: pooled magnitudes are those of a VQT, the transform is a Fourier")
        if self.guard % self.transform.hop_length:
            raise BadInput(
                f"SoundStream: guard must be a multiple of hop_length, {self.transform.hop_length}, for pooled "
                f"magnitudes, got {self.guard}"
            )
        told = self._with_phases(recut(spread_frames(blocks, self.transform, self.lead), self._sizes()))
        yield from self._synthesise(told)

    def whole(
        self, wanted: Magnitudes | PooledMagnitudes, start: Groups | None = None, known: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Make the sound of magnitudes that are there as a whole, with the memory of a block besides.

        Parameters
        ----------
        wanted : Wanted
            `Magnitudes`, or `PooledMagnitudes`, of this transform.
        start : tuple of torch.Tensor, each (..., K_g, N_g), optional
            Phases to start from instead (radians).
        known : torch.Tensor, shape (..., T'), optional
            The beginning of the sound; kept as it is.

        Returns
        -------
        torch.Tensor, shape (..., T)
            The sound.
        """
        sound: torch.Tensor | None = None
        end = 0
        for piece in self._synthesise(self._told(wanted, start), known):
            if sound is None:
                sound = piece.new_empty(*piece.shape[:-1], wanted.n_samples)
            stop = min(end + piece.shape[-1], wanted.n_samples)
            sound[..., end:stop] = piece[..., : stop - end]
            end = stop
        return torch.zeros(0) if sound is None else sound

    def _sizes(self) -> Iterator[int]:
        """Lengths in which phases are asked for: they are there up to a guard behind the end of each block."""
        yield self.block + self.guard
        while True:
            yield self._ahead
            yield self.block - self._ahead

    def _long_enough(self, blocks: Iterable[Coefficients]) -> Iterator[Coefficients]:
        total = 0
        for block in blocks:
            total += block.n_samples
            yield block
        if 0 < total <= 2 * self.lead:
            raise BadInput(
                f"SoundStream: blocks of {total} samples in all hold no sound between two guards of {self.lead}; give "
                "the Stream they are from the same guard"
            )

    def _told(self, wanted: Magnitudes | PooledMagnitudes, start: Groups | None) -> Iterator[Coefficients]:
        transform, n_samples = self.transform, wanted.n_samples
        if isinstance(wanted, PooledMagnitudes):
            n_samples = wanted.log_magnitude.shape[-1] * wanted.transform.hop_length
            some = wanted.log_magnitude.split(self.block // wanted.transform.hop_length, dim=-1)
            blocks = recut(spread_frames(some, wanted.transform, self.lead), self._sizes())
        else:
            blocks = recut(self._unrolled(wanted.magnitudes, n_samples), self._sizes())
        if start is None:
            return self._with_phases(blocks)
        found, shapes = [tuple(g.shape[-2:]) for g in start], lattice_shapes(transform, wanted.n_samples)
        if found != shapes:
            raise BadInput(f"start: phases of shapes {found} do not fit magnitudes of shapes {shapes}")
        given = recut(self._unrolled(start, n_samples), self._sizes())
        return (_turned(block, phases.groups) for block, phases in zip(blocks, given, strict=True))

    def _unrolled(self, groups: Groups, n_samples: int) -> Iterator[Coefficients]:
        hops = self.transform.hops
        length = groups[0].shape[-1] * hops[0]
        return unrolled(groups, hops, n_samples, length=length, lead=self.lead, align=max(hops))

    def _with_phases(self, blocks: Iterable[Coefficients]) -> Iterator[Coefficients]:
        waiting: deque[Coefficients] = deque()

        def magnitudes() -> Iterator[Groups]:
            for block in blocks:
                waiting.append(block)
                yield block.groups[: len(self.transform.hops)]

        heap = HeapStream(self.transform, look_ahead=_LOOK_AHEAD, trailing=self._dial.trailing, seed=self.seed)
        for phases in heap.forward(magnitudes()):
            yield _turned(waiting.popleft(), phases)

    def _synthesise(self, blocks: Iterable[Coefficients], known: torch.Tensor | None = None) -> Iterator[torch.Tensor]:
        pieces = Pieces(self.transform, self._dial, guard=self.guard, lead=self.lead, known=known)

        def announced() -> Iterator[Coefficients]:
            yield from blocks
            pieces.is_last = True

        # Half a sample less than the block, which is rounded up again: seconds hold no whole numbers.
        seconds = (self.block - 0.5) / self.transform.sample_rate
        yield from Stream(pieces, block_s=seconds, guard=self.guard).inverse(announced())


def _turned(block: Coefficients, phases: Groups) -> Coefficients:
    """Give the magnitudes of a block their phases, and leave what other groups it has."""
    groups = tuple(torch.polar(m, p.to(m.dtype)) for m, p in zip(block.groups, phases, strict=False))
    return Coefficients((*groups, *block.groups[len(phases) :]), block.hops, block.n_samples)
