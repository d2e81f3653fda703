"""Sound of any length to padded pieces of one length and back: how a transform sees the ends, and long sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch

# Samples of a piece of long sound, padding included: large Fourier transforms fall out of the processor's cache.
_PIECE = 2**17
# Samples of all rows of a batch that are worked on at once.
_TOGETHER = 2**19


@dataclass(frozen=True)
class Framing:
    """How sound is cut into pieces.

    Parameters
    ----------
    margin : int
        Samples on both sides of a piece that are read and not kept.
    align : int
        Every piece begins at a multiple of this, and its padded length is one: twice the largest hop will do.
    pad : {"reflect", "zero"}
        What lies beyond the ends of the sound.
    """

    margin: int
    align: int
    pad: str = "reflect"

    @property
    def aligned_margin(self) -> int:
        """The margin, rounded up to a multiple of `align`."""
        return ceil(self.margin / self.align) * self.align

    def piece(self, n_samples: int) -> int:
        """Samples of sound in a piece.

        Parameters
        ----------
        n_samples : int
            Length of the sound.

        Returns
        -------
        int
            All of a short sound; a multiple of `align` for a long one.
        """
        longest = max(_PIECE, 8 * self.aligned_margin) - 2 * self.aligned_margin
        return n_samples if n_samples <= longest else longest // self.align * self.align

    def padded_length(self, piece: int) -> int:
        """Length of a piece with its margins.

        Parameters
        ----------
        piece : int
            Samples of sound in it.

        Returns
        -------
        int
            A multiple of `align`, with small prime factors besides.
        """
        from scipy.fft import next_fast_len

        return self.align * int(next_fast_len(ceil((piece + 2 * self.aligned_margin) / self.align)))


def in_pieces(
    x: torch.Tensor,
    framing: Framing,
    hops: tuple[int, ...],
    analyse: Callable[[torch.Tensor], tuple[torch.Tensor, ...]],
) -> tuple[torch.Tensor, ...]:
    """Analyse sound piece by piece; working memory does not grow with its length.

    Parameters
    ----------
    x : torch.Tensor, shape (..., T)
        Sound.
    framing : Framing
        How to cut it.
    hops : tuple of int
        Samples between the outputs of each group.
    analyse : callable
        Takes padded pieces, shape (B, L), and returns for each group a tensor (B, P_g, L // hop_g) whose frame n
        belongs to sample ``n * hop_g`` of the piece.

    Returns
    -------
    tuple of torch.Tensor, each (..., P_g, ceil(T / hop_g))
        Frame n belongs to sample ``n * hop_g`` of the sound.
    """
    rows = x.reshape(-1, x.shape[-1])
    n_samples, margin = rows.shape[-1], framing.aligned_margin
    piece = framing.piece(n_samples)
    length = framing.padded_length(piece)
    together = max(1, _TOGETHER // length)
    done: list[list[torch.Tensor]] = []
    for some in rows.split(together):
        found = []
        for start in range(0, n_samples, piece):
            count = min(piece, n_samples - start)
            groups = analyse(stretch_of(some, start - margin, start - margin + length, framing.pad))
            found.append(
                [g[..., margin // hop : margin // hop + ceil(count / hop)] for g, hop in zip(groups, hops, strict=True)]
            )
        done.append([_join(parts, -1) for parts in zip(*found, strict=True)])
    return tuple(_join(parts, 0).reshape(*x.shape[:-1], *parts[0].shape[1:]) for parts in zip(*done, strict=True))


def stretch_of(x: torch.Tensor, start: int, stop: int, pad: str) -> torch.Tensor:
    """Take a stretch of sound that may reach beyond its ends.

    Parameters
    ----------
    x : torch.Tensor, shape (..., T)
        Sound.
    start, stop : int
        Samples; 0 to T are the sound itself.
    pad : {"reflect", "zero"}
        Beyond its ends lies its mirror image (the last sample not repeated, mirrored again as often as needed)
        or silence.

    Returns
    -------
    torch.Tensor, shape (..., stop - start)
        The stretch.

    Examples
    --------
    >>> stretch_of(torch.tensor([1.0, 2.0, 3.0]), -3, 5, "reflect").tolist()
    [2.0, 3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0]
    """
    n = x.shape[-1]
    if start >= 0 and stop <= n:
        return x[..., start:stop]
    inside = x[..., max(start, 0) : min(stop, n)]
    before, after = (max(0, -start), max(0, stop - n))
    if pad == "zero":
        return torch.nn.functional.pad(inside, (before, after))
    ends = np.concatenate([np.arange(start, start + before), np.arange(stop - after, stop)])
    # A triangle wave of period 2 (T - 1) runs through the samples to and fro.
    mirrored = np.abs((ends + n - 1) % max(1, 2 * (n - 1)) - (n - 1)) if n > 1 else np.zeros(len(ends), dtype=int)
    index = torch.as_tensor(mirrored, device=x.device)
    return torch.cat([x[..., index[:before]], inside, x[..., index[before:]]], dim=-1)


def _join(parts: list[torch.Tensor] | tuple[torch.Tensor, ...], dim: int) -> torch.Tensor:
    return torch.cat(list(parts), dim=dim) if len(parts) > 1 else parts[0]
