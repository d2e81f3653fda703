"""Phase from magnitudes alone: the frequency that two neighbouring bands agree on, summed up over time."""

from __future__ import annotations

import math

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.phase.check_numbers import whole
from stylemix.phase.checks import check_rows, check_tensors, check_vqt
from stylemix.transforms import VQT


def instantaneous_frequency(magnitudes: tuple[torch.Tensor, ...], vqt: VQT) -> tuple[torch.Tensor, ...]:
    r"""Read the frequency in every band off the slope of the magnitudes across the bands.

    A stationary sinusoid at the warped position p gives band k the magnitude :math:`m_k = \cos^2(\varphi (p -
    k))` with :math:`\varphi = \pi / 2r`, for :math:`|p - k| < r`, where r is the bank's `overlap`. Its distance d
    from band k therefore follows from the two neighbours,

    .. math:: \tan(\varphi d) = \frac{\sqrt{m_{k+1}} - \sqrt{m_{k-1}}}{2 \sin(\varphi) \sqrt{m_k}}

    while :math:`|d| < r - 1`, so that both hear it. Beyond, one of the two is silent, and the other alone gives
    :math:`\tan(\varphi |d|) = (\sqrt{m_{k \pm 1} / m_k} - \cos\varphi) / \sin\varphi`. For r = 1 one is always
    silent beside a lone sinusoid: what the two give is added with their signs. In a click the neighbours cancel.

    Parameters
    ----------
    magnitudes : tuple of torch.Tensor, each (..., K_g, N_g)
        On the ragged lattice of `vqt`.
    vqt : VQT
        The transform.

    Returns
    -------
    tuple of torch.Tensor, each (..., K_g, N_g)
        Frequencies (Hz), 0 to the Nyquist frequency.

    Raises
    ------
    BadInput
        If the transform is no `VQT`, or the magnitudes are not its.

    Examples
    --------
    >>> vqt = VQT(22050)
    >>> x = torch.cos(2 * torch.pi * 1000 / 22050 * torch.arange(22050, dtype=torch.float64))
    >>> frequency = instantaneous_frequency(vqt.forward(x).magnitudes(), vqt)
    >>> band = int(abs(vqt.frequencies_hz - 1000).argmin())
    >>> group, row = locate_band(vqt, band)
    >>> round(float(frequency[group][row, 40]))
    1000
    """
    check_vqt(vqt, "instantaneous_frequency")
    check_rows(magnitudes, vqt)
    return read_frequency(magnitudes, vqt)


def read_frequency(magnitudes: tuple[torch.Tensor, ...], vqt: VQT) -> tuple[torch.Tensor, ...]:
    """Do what `instantaneous_frequency` does, with magnitudes that are known to be the transform's.

    Parameters
    ----------
    magnitudes : tuple of torch.Tensor, each (..., K_g, N_g)
        On the ragged lattice of `vqt`, or a piece of it.
    vqt : VQT
        The transform.

    Returns
    -------
    tuple of torch.Tensor, each (..., K_g, N_g)
        Frequencies (Hz).
    """
    scaled = _even_scale(magnitudes)
    out, first = [], 0
    for g, m in enumerate(scaled):
        below = _row_beside(scaled, vqt.hops, g, -1)
        above = _row_beside(scaled, vqt.hops, g, 1)
        rows = torch.cat([below, m, above], dim=-2)
        offset = _distance(rows.sqrt(), math.pi / (2 * vqt.bank.overlap))
        band = torch.arange(first, first + m.shape[-2], dtype=m.dtype, device=m.device)[:, None]
        position = (band + offset).clamp(0, vqt.n_bands - 1)
        out.append(vqt.bank.unwarp(position))
        first += m.shape[-2]
    return tuple(out)


def instantaneous_phase(
    magnitudes: tuple[torch.Tensor, ...],
    vqt: VQT,
    *,
    anchor: tuple[torch.Tensor, ...] | None = None,
    anchor_sample: int = 0,
) -> tuple[torch.Tensor, ...]:
    """Sum the instantaneous frequency up over time, by the trapezoid rule.

    Parameters
    ----------
    magnitudes : tuple of torch.Tensor, each (..., K_g, N_g)
        On the ragged lattice of `vqt`.
    vqt : VQT
        The transform.
    anchor : tuple of torch.Tensor, each (..., K_g, N_g), complex, optional
        Coefficients whose phase is known at `anchor_sample`, such as those of the end of the block before;
        the phase is continued from there in both directions. Zero phase at the anchor by default.
    anchor_sample : int
        Where the phase is fixed (samples), rounded down to the lattice.

    Returns
    -------
    tuple of torch.Tensor, each (..., K_g, N_g)
        Phases (radians), unwrapped.

    Raises
    ------
    BadInput
        If the transform is no `VQT`, or the magnitudes or the anchor are not its.
    """
    check_vqt(vqt, "instantaneous_phase")
    check_rows(magnitudes, vqt)
    anchor_sample = whole(anchor_sample, "instantaneous_phase: anchor_sample", 0)
    _check_anchor(anchor, magnitudes)
    out = []
    for g, (frequency, hop) in enumerate(zip(read_frequency(magnitudes, vqt), vqt.hops, strict=True)):
        advance = (frequency[..., 1:] + frequency[..., :-1]) * (math.pi * hop / vqt.sample_rate)
        # Whole turns are taken out step by step, or a long sound would lose the phase in float32.
        advance = advance.double() % (2 * math.pi)
        phase = torch.nn.functional.pad(torch.cumsum(advance, dim=-1), (1, 0))
        at = min(anchor_sample // hop, phase.shape[-1] - 1)
        phase = phase - phase[..., at : at + 1]
        if anchor is not None:
            phase = phase + torch.angle(anchor[g][..., at : at + 1]).double()
        out.append((phase % (2 * math.pi)).to(frequency.dtype))
    return tuple(out)


def locate_band(vqt: VQT, band: int) -> tuple[int, int]:
    """Say in which group of the ragged lattice a band lies, and in which row of it.

    Parameters
    ----------
    vqt : VQT
        The transform.
    band : int
        Index of the band, 0 to K - 1.

    Returns
    -------
    group, row : int
        Indices.
    """
    groups = vqt.meta()["group"]
    return int(groups[band]), band - int(np.searchsorted(groups, groups[band]))


def _check_anchor(anchor: tuple[torch.Tensor, ...] | None, magnitudes: tuple[torch.Tensor, ...]) -> None:
    if anchor is None:
        return
    check_tensors(anchor, "anchor", "give Coefficients.groups")
    shapes = [[tuple(g.shape) for g in groups] for groups in (anchor, magnitudes)]
    if shapes[0] != shapes[1] or not all(a.is_complex() for a in anchor):
        raise BadInput(
            f"anchor: must be complex coefficients of the magnitudes' shapes {shapes[1]}, got "
            f"{', '.join(f'{a.dtype} {tuple(a.shape)}' for a in anchor)}; give Coefficients.groups"
        )
    if not all(bool(a.isfinite().all()) for a in anchor):
        raise BadInput("anchor: holds NaN or Inf; give Coefficients.groups")


def _distance(roots: torch.Tensor, angle: float) -> torch.Tensor:
    """Distance of a lone sinusoid from every row but the first and the last, from square roots of magnitudes."""
    below, own, above = roots[..., :-2, :], roots[..., 1:-1, :], roots[..., 2:, :]
    cos, sin = math.cos(angle), math.sin(angle)
    if angle == math.pi / 2:
        return (torch.atan2(above, own) - torch.atan2(below, own)) / angle
    both = torch.atan2(above - below, 2 * sin * own) / angle
    louder = torch.maximum(above, below)
    alone = torch.atan2(louder - cos * own, sin * own) / angle
    reach = math.pi / (2 * angle) - 1
    return torch.where(both.abs() <= reach, both, torch.sign(above - below) * alone)


def _even_scale(magnitudes: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
    """Give the bands at zero and at Nyquist, which hold half a sinusoid's pair, the others' scale."""
    scaled = list(magnitudes)
    scaled[0] = torch.cat([2 * scaled[0][..., :1, :], scaled[0][..., 1:, :]], dim=-2)
    scaled[-1] = torch.cat([scaled[-1][..., :-1, :], 2 * scaled[-1][..., -1:, :]], dim=-2)
    return scaled


def _row_beside(groups: list[torch.Tensor], hops: tuple[int, ...], g: int, side: int) -> torch.Tensor:
    """Return the band just below (-1) or above (1) a group, on the group's own lattice in time."""
    n = groups[g].shape[-1]
    if not 0 <= g + side < len(groups):
        return torch.zeros_like(groups[g][..., :1, :])
    row = groups[g + side][..., -1:, :] if side < 0 else groups[g + side][..., :1, :]
    ratio = hops[g + side] / hops[g]
    if ratio < 1:
        return row[..., :: round(1 / ratio)][..., :n]
    following = torch.cat([row[..., 1:], row[..., -1:]], dim=-1)
    fraction = torch.arange(round(ratio), dtype=row.dtype, device=row.device) / ratio
    return (row[..., None] + (following - row)[..., None] * fraction).flatten(-2)[..., :n]
