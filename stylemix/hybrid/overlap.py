"""Blocks rendered one by one, joined into one stream of sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from stylemix.transforms import Block, block_plan, crossfade

if TYPE_CHECKING:
    from stylemix.model.run import Run

BLOCK_S = 10.0
CROSSFADE_S = 0.25


def render_plan(run: Run, n_samples: int, *, align: int) -> list[Block]:
    """Cut a sound into the blocks that are rendered one by one.

    Parameters
    ----------
    run : Run
        The trained model, whose reach is the margin on both sides.
    n_samples : int
        Length of the sound at the model's rate.
    align : int
        Samples in a latent step.

    Returns
    -------
    list of Block
        All of one reading length, so that the transform is planned once.
    """
    return block_plan(
        n_samples,
        block=round(BLOCK_S * run.vqt.sample_rate),
        fade=round(CROSSFADE_S * run.vqt.sample_rate),
        margin=run.margin,
        align=align,
    )


def overlapped(
    plan: list[Block], render: Callable[[Block, np.ndarray | None], np.ndarray]
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Render blocks and crossfade each into the next.

    Parameters
    ----------
    plan : list of Block
        From `render_plan`.
    render : callable
        Gives ``read_start:read_stop`` of a block, (..., T), from the block and its beginning as the block
        before has it (None for the first).

    Yields
    ------
    start, stop : int
        Consecutive stretches.
    samples : np.ndarray, shape (..., stop - start), float32
        Their sound.
    """
    tail: np.ndarray | None = None
    known: np.ndarray | None = None
    for block, following in zip(plan, [*plan[1:], None], strict=True):
        raw = render(block, known)
        if following is not None:
            known = raw[..., following.read_start - block.read_start : block.stop - block.read_start]
        weighted = raw[..., block.start - block.read_start : block.stop - block.read_start] * crossfade(block)
        if tail is not None:
            weighted[..., : block.fade_in] += tail
        stop = block.stop - block.fade_out
        tail = weighted[..., stop - block.start :] if block.fade_out else None
        yield block.start, stop, weighted[..., : stop - block.start].astype(np.float32)
