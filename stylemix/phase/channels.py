"""Sound of several channels: one phase for all of them, and between them the differences that a source has."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from stylemix.errors import BadInput
from stylemix.phase.check_given import check_known, check_locked
from stylemix.phase.check_numbers import whole
from stylemix.phase.checks import check_tensors, lattice_shapes
from stylemix.phase.dial import find_quality, take_steps
from stylemix.phase.heap import Known, heap_phase
from stylemix.phase.lattice import Groups, Magnitudes, PooledMagnitudes, Wanted
from stylemix.phase.projections import Walk
from stylemix.phase.recover import recover_wanted
from stylemix.phase.source import unit
from stylemix.transforms import VQT, Fourier


@torch.no_grad()
def recover_channels(
    wanted: Wanted,
    *,
    quality: str = "good",
    between: Groups | None = None,
    locked: Groups | None = None,
    known: torch.Tensor | None = None,
    n_kept: int | None = None,
    seed: int = 0,
) -> torch.Tensor:
    """Make the sound of several channels that is wanted, so that it stays one sound in one place.

    Phases that are found for each channel by itself differ between the channels at random, and the image falls apart.
    Here one phase is integrated for all of them, from the magnitudes of their sum. With a source its differences
    between the channels are added, and held while the projections go on; without one the channels start in phase,
    and each takes from there what its own magnitudes ask for. No gradient flows through it.

    Parameters
    ----------
    wanted : Wanted
        `Magnitudes` or `PooledMagnitudes` of C channels: (..., C, K_g, N_g), or (..., C, K, N).
    quality : {"draft", "good", "best"}
        As for `recover`.
    between : tuple of torch.Tensor, each (..., C, K_g, N_g), complex, optional
        Numbers of magnitude 1 with the phases of a source; only their differences between the channels count.
    locked : tuple of torch.Tensor, each broadcasting to (K_g, N_g), bool, optional
        Where the phases of `between` themselves are right: the others go on from there.
    known : torch.Tensor, shape (..., C, T'), optional
        The beginning of the sound, where it is known already: its phases go on.
    n_kept : int, optional
        So many samples of it are kept as they are, by default all. The rest may change, for a crossfade with it: where
        two sounds that differ meet at once, magnitudes are further from both.
    seed : int
        For the phases of what is too soft to be integrated.

    Returns
    -------
    torch.Tensor, shape (..., C, T)
        The sound.

    Raises
    ------
    BadInput
        If the quality is unknown, or what is given does not fit the magnitudes.

    Examples
    --------
    >>> vqt = VQT(8000, overlap=2)
    >>> x = torch.cos(0.3 * torch.arange(8000.0) + torch.tensor([[0.0], [1.0]]))
    >>> c = vqt.forward(x)
    >>> wanted = Magnitudes(vqt, 8000, c.magnitudes())
    >>> y = recover_channels(wanted, between=tuple(unit(g) for g in c.groups))
    >>> round(float(2 * (y[0] * y[1]).mean()), 2), round(float(torch.tensor(1.0).cos()), 2)
    (0.54, 0.54)
    """
    dial = find_quality(quality)
    if not hasattr(wanted, "restore"):
        raise BadInput(f"wanted: must be Magnitudes or PooledMagnitudes, got {type(wanted).__name__}; make them first")
    whole(seed, "seed:", 0)
    told = wanted.magnitudes
    _check(told, between, known, n_kept)
    check_locked(locked, [(*m.shape[:-3], *m.shape[-2:]) for m in told])
    start = _start(wanted, told, between, locked, known, dial.trailing, seed)
    known = known if known is None or n_kept is None else known[..., :n_kept]
    if between is None or told[0].shape[-3] == 1:
        return recover_wanted(wanted, quality=quality, start=start, known=known, seed=seed)
    every = Magnitudes(wanted.transform, wanted.n_samples, told)
    walk = Walk(_Linked(every, between), known).begin(start)
    pooled = _Linked(wanted, between) if isinstance(wanted, PooledMagnitudes) else None
    return take_steps(walk, dial, pooled).sound()


@dataclass(frozen=True)
class _Linked:
    """What is asked for, and phases whose differences between the channels are given.

    With magnitudes m_c and differences d_c, the phase u nearest to coefficients x_c makes the sum of
    ``|m_c d_c u - x_c|^2`` least: that of the sum of ``m_c conj(d_c) x_c``.
    """

    wanted: Wanted
    between: Groups

    @property
    def transform(self) -> VQT | Fourier:
        return self.wanted.transform

    @property
    def n_samples(self) -> int:
        return self.wanted.n_samples

    @property
    def magnitudes(self) -> Groups:
        return self.wanted.magnitudes

    def restore(self, coefficients: Groups) -> Groups:
        out = []
        for c, d in zip(self.wanted.restore(coefficients), self.between, strict=True):
            magnitude = c.abs()
            out.append(magnitude * d * unit((magnitude * d.conj() * c).sum(dim=-3, keepdim=True)))
        return tuple(out)

    def error(self, coefficients: Groups) -> float:
        return self.wanted.error(coefficients)


def _check(told: Groups, between: Groups | None, known: torch.Tensor | None, n_kept: int | None) -> None:
    if any(m.ndim < 3 for m in told):
        raise BadInput(
            f"channels: magnitudes must be (..., C, bands, frames), got {tuple(told[0].shape)}; give those of one "
            "channel to recover"
        )
    shapes = [tuple(m.shape) for m in told]
    if between is not None:
        check_tensors(between, "between", "give unit() of a source's coefficients")
        found = [tuple(d.shape) for d in between]
        if found != shapes or not all(d.is_complex() for d in between):
            raise BadInput(
                f"between: must be complex numbers of the magnitudes' shapes {shapes}, got {between[0].dtype} of "
                f"{found}; give unit() of a source's coefficients of this very length"
            )
        if not all(bool(d.isfinite().all()) for d in between):
            raise BadInput("between: holds NaN or Inf; give unit() of a source's coefficients")
    check_known(known, told[0])
    if n_kept is not None:
        whole(n_kept, "n_kept:", 0, "number of samples")


def _start(
    wanted: Wanted,
    told: Groups,
    between: Groups | None,
    locked: Groups | None,
    known: torch.Tensor | None,
    trailing: float,
    seed: int,
) -> Groups:
    """Integrate the phase of the channels' sum, and give it to each with its difference.

    The sum is a sound that a source with these differences has, and its magnitudes rise and fall like a sound's: from
    them the phase comes out better than from the mean power, which no sound has.
    """
    turns = tuple(torch.ones_like(m, dtype=_complex(m)) for m in told) if between is None else between
    sums = tuple(_sum_in_phase(m * d) for m, d in zip(told, turns, strict=True))
    where = tuple(torch.zeros_like(s, dtype=torch.bool) for s in sums)
    phases = tuple(s.angle() for s in sums)
    if locked is not None:
        where = tuple(w | at for w, at in zip(where, locked, strict=True))
    if known is not None and known.shape[-1]:
        n_samples = wanted.n_samples
        inside = _inside(wanted.transform, n_samples, known.shape[-1])
        padded = torch.nn.functional.pad(known, (0, max(0, n_samples - known.shape[-1])))[..., :n_samples]
        heads = wanted.transform.forward(padded).groups
        common = ((m * d.conj() * h).sum(dim=-3) for m, d, h in zip(told, turns, heads, strict=True))
        phases = tuple(
            torch.where(i, (c * unit(s)).angle(), p) for i, c, s, p in zip(inside, common, sums, phases, strict=True)
        )
        where = tuple(w | i for w, i in zip(where, inside, strict=True))
    given: Known | None = (where, phases) if any(bool(w.any()) for w in where) else None
    magnitudes = tuple(s.abs() for s in sums)
    found = heap_phase(magnitudes, wanted.transform, trailing=trailing, known=given, seed=seed)
    return tuple((p - s.angle()).unsqueeze(-3) + d.angle() for p, s, d in zip(found, sums, turns, strict=True))


def _sum_in_phase(x: torch.Tensor) -> torch.Tensor:
    """Add channels up, (..., C, K, N) to (..., K, N), each band's turned so that they do not cancel.

    They are turned by the phases of the principal axis of the band: opposite channels, whose sum is silent, become
    their difference.
    """
    if x.shape[-3] == 1:
        return x.squeeze(-3)
    channels_last = x.movedim(-3, -1)
    covariance = torch.einsum("...nc,...nd->...cd", channels_last, channels_last.conj())
    axis = torch.linalg.eigh(covariance)[1][..., -1]
    # The axis is known up to a turn: that of its largest entry is 0.
    largest = axis.gather(-1, axis.abs().argmax(dim=-1, keepdim=True))
    turned = unit(axis * largest.conj())
    return torch.einsum("...kc,...knc->...kn", turned.conj(), channels_last)


def _inside(transform: VQT | Fourier, n_samples: int, n_known: int) -> tuple[torch.Tensor, ...]:
    """Say which coefficients (K_g, N_g) see nothing but the known beginning.

    A window of bandwidth b Hz is a pulse whose main lobe ends 2 / b seconds from its middle.
    """
    if isinstance(transform, VQT):
        meta = transform.meta()
        reach = 2 * transform.sample_rate / torch.from_numpy(transform.bank.bandwidths_hz)
        reaches = [reach[torch.from_numpy(meta["group"] == g)] for g in range(len(transform.hops))]
    else:
        reaches = [torch.full((transform.n_rows,), transform.n_fft / 2)]
    return tuple(
        torch.arange(n)[None] * hop + r[:, None] <= n_known
        for r, hop, (_, n) in zip(reaches, transform.hops, lattice_shapes(transform, n_samples), strict=True)
    )


def _complex(m: torch.Tensor) -> torch.dtype:
    return torch.complex128 if m.dtype == torch.float64 else torch.complex64
