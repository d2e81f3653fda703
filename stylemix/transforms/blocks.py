"""Long sound in blocks: overlapping pieces of equal length whose crossfades add up to one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Block:
    """One piece of a long sound: what to read, and which part of it counts.

    Parameters
    ----------
    read_start, read_stop : int
        Samples to read, margins included; may reach outside the sound, where there is silence.
    start, stop : int
        Samples for which the block is responsible, its crossfades included.
    fade_in, fade_out : int
        Length of the crossfades at the two ends of ``start:stop`` (samples).
    """

    read_start: int
    read_stop: int
    start: int
    stop: int
    fade_in: int
    fade_out: int


def block_plan(n_samples: int, *, block: int, fade: int, margin: int, align: int = 1) -> list[Block]:
    """Cut a long sound into blocks of equal reading length.

    Parameters
    ----------
    n_samples : int
        Length of the sound.
    block : int
        Distance between the starts of two blocks (samples), rounded up to a multiple of `align`.
    fade : int
        Length of the crossfade between two neighbours (samples).
    margin : int
        Samples read beyond the responsible part on both sides, so that a filter's reach lies inside the block;
        rounded up to a multiple of `align`.
    align : int
        Every `read_start` is a multiple of this.

    Returns
    -------
    list of Block
        In order; one block, without crossfades, when the sound is shorter than a block.

    Examples
    --------
    >>> [(b.start, b.stop) for b in block_plan(25, block=10, fade=2, margin=4)]
    [(0, 12), (10, 22), (20, 25)]
    """
    block, margin = (-(-x // align) * align for x in (block, margin))
    plan = []
    for start in range(0, max(1, n_samples), block):
        stop = min(start + block + fade, n_samples)
        plan.append(
            Block(
                read_start=start - margin,
                read_stop=start + block + fade + margin,
                start=start,
                stop=stop,
                # A short rest at the end shortens this crossfade on both of its sides alike.
                fade_in=min(fade, n_samples - start) if start else 0,
                fade_out=max(0, stop - (start + block)),
            )
        )
    return plan


def crossfade(block: Block) -> np.ndarray:
    """Weights of a block's responsible samples; at every sample the weights of all blocks add up to one.

    Parameters
    ----------
    block : Block
        From `block_plan`.

    Returns
    -------
    np.ndarray, shape (stop - start,)
        Raised-cosine ramps at the ends, ones between.

    Examples
    --------
    >>> first, second = block_plan(12, block=8, fade=2, margin=0)
    >>> bool(np.allclose(crossfade(first)[8:10] + crossfade(second)[:2], 1))
    True
    """
    weights = np.ones(block.stop - block.start)
    if block.fade_in:
        weights[: block.fade_in] = _ramp(block.fade_in)
    if block.fade_out:
        weights[-block.fade_out :] = 1 - _ramp(block.fade_out)
    return weights


def _ramp(length: int) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / length)
