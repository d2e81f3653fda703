"""Blocks of magnitudes on their way through a stream: looked at, cut anew, and made of what is there as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch

from stylemix.errors import BadInput
from stylemix.phase.checks import lattice_shapes
from stylemix.phase.lattice import Groups
from stylemix.transforms import VQT, Coefficients, Fourier

# Where nothing is told, logarithms of magnitudes end here: e^-80 is nothing, and finite.
_SILENT = -80.0


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
    taken: list[Groups] = []
    hops: tuple[int, ...] = ()
    size, held = next(sizes), 0
    for block in blocks:
        start, hops = 0, block.hops
        while block.n_samples - start >= size - held:
            stop = start + size - held
            # Only what is needed of a block is joined to what is there: a whole sound may be one block.
            yield Coefficients(_joined([*taken, _part(block, start, stop)]), hops, size)
            taken, held, start, size = [], 0, stop, next(sizes)
        if start < block.n_samples:
            taken.append(_part(block, start, block.n_samples))
            held += block.n_samples - start
    if held:
        yield Coefficients(_joined(taken), hops, held)


def _part(block: Coefficients, start: int, stop: int) -> Groups:
    return tuple(g[..., start // hop : -(-stop // hop)] for g, hop in zip(block.groups, block.hops, strict=True))


def _joined(parts: list[Groups]) -> Groups:
    return parts[0] if len(parts) == 1 else tuple(torch.cat(rows, dim=-1) for rows in zip(*parts, strict=True))


def spread_frames(blocks: Iterable[torch.Tensor], vqt: VQT, lead: int) -> Iterator[Coefficients]:
    """Interpolate pooled magnitudes as they arrive, and hold the first and the last before and behind them.

    Parameters
    ----------
    blocks : iterable of torch.Tensor, each (..., K, N)
        Consecutive frames, as from ``vqt.pool``: natural logarithms.
    vqt : VQT
        The transform.
    lead : int
        Samples before and behind the sound.

    Yields
    ------
    Coefficients
        Magnitudes by groups, and one group more, of the frames themselves.

    Raises
    ------
    BadInput
        If a block holds NaN or Inf, is not of that many bands, or unlike the first.
    """
    held: torch.Tensor | None = None
    around = lead // vqt.hop_length
    for number, block in enumerate(blocks):
        _check_frames(block, number, vqt, held)
        if not block.shape[-1]:
            continue
        frames = block.clamp_min(_SILENT)
        held = frames[..., :1].expand(*frames.shape[:-1], around) if held is None else held
        frames = torch.cat([held, frames], dim=-1)
        if frames.shape[-1] > 1:
            yield _spread(frames, vqt)
        held = frames[..., -1:]
    if held is not None:
        yield _spread(held.expand(*held.shape[:-1], around + 2), vqt)


def _spread(frames: torch.Tensor, vqt: VQT) -> Coefficients:
    """Interpolate from each frame to the next; the last one only ends."""
    n = frames.shape[-1] - 1
    groups = vqt.spread(frames, n * vqt.hop_length)
    told = tuple(m[..., : n * vqt.hop_length // hop].exp() for m, hop in zip(groups, vqt.hops, strict=True))
    return Coefficients((*told, frames[..., :-1]), (*vqt.hops, vqt.hop_length), n * vqt.hop_length)


def _check_frames(block: torch.Tensor, number: int, vqt: VQT, like: torch.Tensor | None) -> None:
    given: object = block
    if not isinstance(given, torch.Tensor) or not given.is_floating_point() or given.ndim < 2:
        raise BadInput(
            f"SoundStream: block {number} of pooled magnitudes must be a real tensor (..., bands, frames), got "
            f"{type(given).__name__}; give what VQT.pool gave"
        )
    if block.shape[-2] != vqt.n_bands:
        raise BadInput(
            f"SoundStream: block {number} of pooled magnitudes has {block.shape[-2]} bands, the transform "
            f"{vqt.n_bands}; give what VQT.pool of this very transform gave"
        )
    if bool(block.isnan().any()) or bool((block == float("inf")).any()):
        raise BadInput(f"SoundStream: block {number} of pooled magnitudes holds NaN or Inf; give natural logarithms")
    if like is not None:
        kinds = [(tuple(b.shape[:-2]), b.dtype, b.device) for b in (like, block)]
        if kinds[0] != kinds[1]:
            raise BadInput(f"SoundStream: all blocks must be like the first, {kinds[0]}, got {kinds[1]}")


def unrolled(
    groups: Groups, hops: tuple[int, ...], n_samples: int, *, length: int, lead: int, align: int
) -> Iterator[Coefficients]:
    """Lay a whole lattice out in time, without a copy.

    That of a `VQT` goes round: what its windows ring before the sound lies at the end. The gap behind the sound is
    shared in equal parts by what rings behind it and what rings before it.

    Parameters
    ----------
    groups : tuple of torch.Tensor, each (..., K_g, N_g)
        On the lattice.
    hops : tuple of int
        Of each.
    n_samples : int
        Length of the sound.
    length : int
        Samples after which the lattice goes round.
    lead : int
        Samples before and behind the sound that come out, too; silent where the lattice has none. 0 for a lattice
        that ends with the sound.
    align : int
        A multiple of all hops, of which `length` and `lead` are multiples.

    Yields
    ------
    Coefficients
        Consecutive blocks of ``n_samples + 2 * lead`` samples in all.

    Examples
    --------
    >>> blocks = unrolled((torch.arange(6.0)[None],), (2,), 8, length=12, lead=4, align=2)
    >>> torch.cat([b.groups[0] for b in blocks], dim=-1).tolist()
    [[0.0, 5.0, 0.0, 1.0, 2.0, 3.0, 4.0, 0.0]]
    """

    whole = Coefficients(groups, hops, length)

    def part(start: int, stop: int) -> Coefficients:
        return Coefficients(_part(whole, start, stop), hops, stop - start)

    def silence(n: int) -> Iterator[Coefficients]:
        if n:
            rows = (g.new_zeros(*g.shape[:-1], -(-n // hop)) for g, hop in zip(groups, hops, strict=True))
            yield Coefficients(tuple(rows), hops, n)

    if not lead:
        yield part(0, n_samples)
        return
    middle = (n_samples + length + align) // (2 * align) * align
    before, behind = min(length - middle, lead), min(middle, (n_samples + lead) // align * align)
    yield from silence(lead - before)
    if before:
        yield part(length - before, length)
    yield part(0, behind)
    yield from silence(n_samples + lead - behind)
