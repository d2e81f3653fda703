"""Endless sound: any transform block by block in bounded memory, as if it were one sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil, lcm
from typing import Any

import torch

from stylemix.errors import BadInput
from stylemix.transforms.coefficients import Coefficients, Transform, check_sound


class Stream:
    """A transform of sound that arrives in chunks, and for transforms that have one, its inverse.

    Sound is analysed in pieces: a block, and on either side a guard that is heard and not kept. Where the sound
    begins and ends, the transform itself sees the end and pads it as it would pad the whole, by silence or by
    reflection. What comes out is the transform of the whole sound but for what the filters take from beyond the guard
    of each piece: nothing for `Fourier`; for the others less than -90 dB of the loudest coefficient in every single
    one, where it is most: a steady tone that the guard cuts off. The way back, with the same guards, is exact to
    -110 dB in root mean square.

    The coefficients of a `VQT` also hold what its windows ring before the first sample and after the last, without
    which the sound could not be got back. The stream puts a guard of silence before and after the sound: frame n of
    a stream of a VQT lies at sample ``n * hop - lead``.

    Parameters
    ----------
    transform : Transform
        Any transform of this package.
    block_s : float
        Seconds of sound that come out at a time, at least; no less than twice the guard. Memory grows with it.
    guard : int, optional
        Samples heard on both sides of a block; by default the transform's margin, or where it has one, its `ringing`.

    Raises
    ------
    BadInput
        If a parameter is out of range.

    Examples
    --------
    >>> from stylemix.transforms import VQT
    >>> sound = torch.randn(3, 8000, generator=torch.Generator().manual_seed(0))
    >>> stream = Stream(VQT(8000, gamma_hz=100.0), block_s=0.5)
    >>> back = torch.cat(list(stream.inverse(stream.forward(sound.split(1000, dim=-1)))), dim=-1)
    >>> bool((back - sound).norm() < 1e-4 * sound.norm())
    True
    """

    def __init__(self, transform: Transform, *, block_s: float = 20.0, guard: int | None = None) -> None:
        if not 0 < block_s < float("inf"):
            raise BadInput(f"Stream: block_s must be above 0 seconds, got {block_s}")
        if guard is not None and guard < 0:
            raise BadInput(f"Stream: guard must be at least 0 samples, got {guard}")
        self.transform = transform
        self.align = lcm(*{int(hop) for hop in transform.meta()["hop"]})
        ringing = getattr(transform, "ringing", 0)
        self.guard = self._aligned(max(transform.margin, ringing) if guard is None else guard)
        self.lead = self.guard if ringing else 0
        self.block = self._aligned(max(block_s * transform.sample_rate, 2 * self.guard))

    def forward(self, chunks: Iterable[torch.Tensor]) -> Iterator[Coefficients]:
        """Analyse sound as it arrives.

        Parameters
        ----------
        chunks : iterable of torch.Tensor, each of shape (..., t)
            Consecutive pieces of one sound, of any length.

        Yields
        ------
        Coefficients
            Of one block after another, each when the guard behind it has arrived; its `n_samples` are those of the
            block. Put together along time (`join`) they are the transform of the whole.

        Raises
        ------
        BadInput
            If there is no sound, a chunk is none, or its other dimensions, type or device differ from the first's.
        """
        # What rings goes round in a piece: beyond the silence that is kept there must be as much to guard it.
        held = _Held(self.guard, beyond=self.lead)
        for chunk in self._with_silence(chunks):
            held.append([chunk])
            # A whole guard is always left over for the last block, so that no transform sees too short a sound.
            while held.end - held.start >= self.block + self.guard:
                yield self._analyse(held, self.block)
        yield self._analyse(held, None)

    def inverse(self, blocks: Iterable[Coefficients]) -> Iterator[torch.Tensor]:
        """Synthesise sound as coefficients arrive.

        Parameters
        ----------
        blocks : iterable of Coefficients
            Consecutive in time, from `forward`; only the last may have a length that is no multiple of all hops.

        Yields
        ------
        torch.Tensor, shape (..., t)
            Consecutive pieces of the sound.

        Raises
        ------
        BadInput
            If the transform has no inverse, or there are no blocks.
        """
        invert = getattr(self.transform, "inverse", None)
        if invert is None:
            raise BadInput(f"Stream: {type(self.transform).__name__} has no inverse; take a VQT or Fourier")
        held, skip = _Held(self.guard), self.lead
        for block in blocks:
            held.append(block.groups, block.hops, block.n_samples)
            while held.end - held.start >= self.block + self.guard:
                sound = self._synthesise(held, invert, self.block)
                yield sound[..., min(skip, sound.shape[-1]) :]
                skip = 0
        if not held.end:
            raise BadInput("Stream: there are no blocks to make sound of; give those of Stream.forward")
        # What is left is at least a guard, and holds all of the silence at the end.
        sound = self._synthesise(held, invert, None)
        yield sound[..., skip : sound.shape[-1] - self.lead]

    def join(self, blocks: Iterable[Coefficients]) -> Coefficients:
        """Put blocks together to the coefficients of the whole sound.

        Parameters
        ----------
        blocks : iterable of Coefficients
            All blocks of a sound, from `forward`.

        Returns
        -------
        Coefficients
            As ``transform.forward`` would give them, to the error of the stream. What rings before the sound lies,
            as there, at the end of the lattice.
        """
        held = list(blocks)
        if not held:
            raise BadInput("Stream: there are no blocks to join; give those of Stream.forward")
        groups = [torch.cat(rows, dim=-1) for rows in zip(*(block.groups for block in held), strict=True)]
        hops, n_samples = held[0].hops, sum(block.n_samples for block in held) - 2 * self.lead
        if self.lead:
            length = self.transform.padded_length(n_samples)  # type: ignore[attr-defined]
            groups = [_round(c, length // hop, self.lead // hop) for c, hop in zip(groups, hops, strict=True)]
        return Coefficients(tuple(groups), hops, n_samples)

    def _aligned(self, n: float) -> int:
        return ceil(n / self.align) * self.align

    def _with_silence(self, chunks: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        first: torch.Tensor | None = None
        for chunk in chunks:
            if isinstance(chunk, torch.Tensor) and chunk.ndim and not chunk.shape[-1]:
                continue
            check_sound(chunk, "Stream")
            if first is None:
                first = chunk[..., :1]
                yield first.new_zeros(*first.shape[:-1], 2 * self.lead)
            kinds = [(c.shape[:-1], c.dtype, c.device) for c in (first, chunk)]
            if kinds[0] != kinds[1]:
                raise BadInput(f"Stream: all chunks must be like the first, {kinds[0]}, got {kinds[1]}")
            yield chunk
        if first is None:
            raise BadInput("Stream: the chunks hold no sound; give at least one sample")
        yield first.new_zeros(*first.shape[:-1], 2 * self.lead)

    def _analyse(self, held: _Held, size: int | None) -> Coefficients:
        (piece,), before, size = held.take(size)
        c = self.transform.forward(piece)
        if any(self.align % hop for hop in c.hops):
            raise BadInput(
                f"Stream: hops {c.hops} depend on the length of the sound; take a transform of local averages"
            )
        groups = tuple(
            g[..., before // hop : -(-(before + size) // hop)] for g, hop in zip(c.groups, c.hops, strict=True)
        )
        return Coefficients(groups, c.hops, size)

    def _synthesise(self, held: _Held, invert: Any, size: int | None) -> torch.Tensor:
        pieces, before, size = held.take(size)
        sound = invert(Coefficients(tuple(pieces), held.hops, held.length))
        return sound[..., before : before + size]


class _Held:
    """What has arrived and is still needed: from `guard` samples before `start`, where the next block begins.

    The first and the last `beyond` samples are no block's.
    """

    def __init__(self, guard: int, beyond: int = 0) -> None:
        self.guard, self.beyond, self.start = guard, beyond, beyond
        self.first = self.end = self.length = 0
        self.hops: tuple[int, ...] = (1,)
        self._parts: list[tuple[torch.Tensor, ...]] = []

    def append(self, parts: Iterable[torch.Tensor], hops: tuple[int, ...] = (1,), n_samples: int | None = None) -> None:
        """Add what follows."""
        self._parts.append(tuple(parts))
        self.hops = hops
        self.end += self._parts[-1][0].shape[-1] if n_samples is None else n_samples

    def take(self, size: int | None) -> tuple[list[torch.Tensor], int, int]:
        """Give the next block with its guards, the samples before it, and its size; all that is left for None."""
        is_over = size is None
        size = self.end - self.beyond - self.start if size is None else size
        whole = [torch.cat(rows, dim=-1) for rows in zip(*self._parts, strict=True)]
        self.length = (self.end if is_over else self.start + size + self.guard) - self.first
        counts = [None if is_over else self.length // hop for hop in self.hops]
        pieces = [w[..., :count] for w, count in zip(whole, counts, strict=True)]
        before = self.start - self.first
        self.start += size
        dropped = max(0, self.start - self.guard) - self.first
        self._parts = [tuple(w[..., dropped // hop :] for w, hop in zip(whole, self.hops, strict=True))]
        self.first += dropped
        return pieces, before, size


def _round(c: torch.Tensor, n: int, lead: int) -> torch.Tensor:
    """Lay frames that begin `lead` frames before the sound on a lattice of n that goes round; overlaps add up."""
    turns = -(-c.shape[-1] // n)
    return torch.nn.functional.pad(c, (0, turns * n - c.shape[-1])).unflatten(-1, (turns, n)).sum(-2).roll(-lead, -1)
