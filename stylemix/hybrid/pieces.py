"""The stream of a hybrid: block after block at the model's rate, stretch after stretch at the source's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stylemix.hybrid.bridge import RateBridge
from stylemix.hybrid.curve import Curve
from stylemix.hybrid.overlap import overlapped, render_plan
from stylemix.hybrid.prepare import Prepared
from stylemix.hybrid.scan import step_samples
from stylemix.hybrid.source import SourceReader
from stylemix.transforms import Block


@dataclass(frozen=True)
class Piece:
    """A stretch of the result, consecutive with the one before, at the source's rate.

    Parameters
    ----------
    hybrid, source, target : np.ndarray, shape (C, T)
        The hybrid and its parents; in the mode ``style`` the target is the hybrid at alpha 1.
    seconds_done : float
        Where it ends, on the source's timeline.
    """

    hybrid: np.ndarray
    source: np.ndarray
    target: np.ndarray
    seconds_done: float


def pieces(
    prepared: Prepared, source: SourceReader, curve: Curve, *, want_target: bool = False
) -> Iterator[Piece]:
    """Render block by block.

    Parameters
    ----------
    prepared : Prepared
        From `prepare`.
    source : SourceReader
        The source.
    curve : Curve
        Alpha over time.
    want_target : bool
        In the mode ``style``, render the hybrid at alpha 1 too; its target is silent otherwise.

    Yields
    ------
    Piece
        Consecutive stretches that add up to the whole.
    """
    bridge = RateBridge(source)
    curves = [curve]
    if want_target and not prepared.targets:
        curves.append(Curve(np.zeros(1), np.ones(1)))

    def render(block: Block, known: np.ndarray | None) -> np.ndarray:
        beginnings = [None] * len(curves) if known is None else list(known)
        return np.stack(
            [_block(prepared, source, block, c, k) for c, k in zip(curves, beginnings, strict=True)]
        )

    plan = render_plan(prepared.run, source.n_model_samples, align=step_samples(prepared.run))
    with contextlib.ExitStack() as opened:
        for target in prepared.targets:
            opened.enter_context(target)
        for start, stop, mixed in overlapped(plan, render):
            original = source.read_model(start, stop)
            full = mixed[1] if len(mixed) > 1 else np.zeros_like(mixed[0])
            if prepared.targets:
                shares = prepared.blender.shares
                heard = [t.read(start, stop) for t in prepared.targets]
                full = sum((share * x for share, x in zip(shares, heard, strict=True)), np.zeros_like(full))
            last = stop >= source.n_model_samples
            high, own, other = bridge.push(mixed[0], original, full, last=last)
            yield Piece(high, own, other, stop / source.model_rate)


def _block(
    prepared: Prepared, source: SourceReader, block: Block, curve: Curve, known: np.ndarray | None
) -> np.ndarray:
    def alpha_at(samples: np.ndarray) -> np.ndarray:
        return curve.at((block.read_start + samples) / source.model_rate)

    samples = source.read_model(block.read_start, block.read_stop)
    targets = [target.read(block.read_start, block.read_stop) for target in prepared.targets]
    return prepared.blender.blend(samples, targets, alpha_at, known)
