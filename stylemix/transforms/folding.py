"""From a spectrum to the coefficients of every band on its own lattice, and back: the inner loop of the VQT."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import torch

from stylemix.transforms.filterbank import FilterBank

# Coefficients that are worked on at once on a CPU: they stay in its cache, and need no fresh memory.
_TOGETHER = 2**17

# Rising and falling flanks over the bins, each of shape (L // 2 + 1,).
Flanks = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class _Run:
    """Neighbouring bands of one rate that are worked on together.

    Their rising flanks cover the bins `rise`, their falling ones the bins `fall`. `fold` says for every point of
    their lattices which of these bins it takes (the last but one index: none), `rise_at` and `fall_at` at which
    point each of the bins lies.
    """

    group: int
    rows: slice
    rise: slice
    fall: slice
    fold: torch.Tensor  # (R * N,), into the bins of `rise`, of `fall`, and one zero
    rise_at: torch.Tensor  # into R * N points
    fall_at: torch.Tensor
    is_first: bool
    is_last: bool


class Folding:
    r"""The windows of a filter bank on the bins of a transform of one length.

    Between the centres of two bands the upper one's window is :math:`u = \sin^2(\pi d / 2)` at the warped distance d
    from the lower one, whose own is :math:`1 - u`. A band is one contiguous stretch of bins. A coefficient is a sample
    of the analytic band signal: on N points in time, bin b is found at position b modulo N, and as N is at least the
    number of bins no two meet ("painless"). The frame operator is diagonal over the bins, and the dual windows are
    the windows divided by it.

    Parameters
    ----------
    bank : FilterBank
        The bands.
    length : int
        Length of the transform; even, and a multiple of every hop.
    dtype : torch.dtype
        float32 or float64.
    device : torch.device
        Where the windows lie.
    """

    def __init__(self, bank: FilterBank, length: int, dtype: torch.dtype, device: torch.device) -> None:
        self.length = length
        # The first bin of each band's falling flank. A rounding error must not move a bin across the edge of a window
        # that is as wide as its lattice.
        starts = np.ceil(bank.frequencies_hz * (length / bank.sample_rate) - 1e-6).astype(int)
        self._starts = [int(b) for b in starts[:-1]] + [length // 2]
        self._groups = [(length // int(hop), len(list(rows))) for hop, rows in groupby(bank.hops)]
        self._runs = self._make_runs(device)
        self._windows, self._duals = self._make_flanks(bank, dtype, device)

    def analyse(self, spectrum: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Take the coefficients of a spectrum.

        Parameters
        ----------
        spectrum : torch.Tensor, shape (..., L // 2 + 1), complex
            Frequencies from zero to Nyquist.

        Returns
        -------
        tuple of torch.Tensor, each (..., K_g, N_g), complex
            Of all bands, by groups of one rate. Differentiable.
        """
        groups = _Analysis.apply(spectrum.reshape(-1, spectrum.shape[-1]), self, self._windows)
        return tuple(g.reshape(*spectrum.shape[:-1], *g.shape[-2:]) for g in groups)

    def synthesise(self, groups: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Put a spectrum together with the dual windows.

        Parameters
        ----------
        groups : tuple of torch.Tensor, each (..., K_g, N_g), complex
            Coefficients.

        Returns
        -------
        torch.Tensor, shape (..., L // 2 + 1), complex
            The spectrum whose coefficients are nearest to these. Differentiable.
        """
        # Each band's forward transform has the length of its lattice, the one that made it the whole length.
        flat = [g.reshape(-1, *g.shape[-2:]) * (self.length // g.shape[-1]) for g in groups]
        spectrum = _Synthesis.apply(self, self._duals, *flat)
        return spectrum.reshape(*groups[0].shape[:-2], -1)

    def fold(self, spectrum: torch.Tensor, flanks: Flanks) -> tuple[torch.Tensor, ...]:
        """Apply windows and transform each band to its lattice.

        Parameters
        ----------
        spectrum : torch.Tensor, shape (B, L // 2 + 1), complex
            Frequencies from zero to Nyquist.
        flanks : tuple of torch.Tensor
            The windows.

        Returns
        -------
        tuple of torch.Tensor, each (B, K_g, N_g)
            Coefficients.
        """
        batch = spectrum.shape[0]
        out: dict[int, torch.Tensor] = {}
        for run in self._runs:
            n, n_rise = self._groups[run.group][0], run.rise.stop - run.rise.start
            bins = spectrum.new_zeros(batch, n_rise + run.fall.stop - run.fall.start + 1)
            rise, fall = bins[:, :n_rise], bins[:, n_rise:-1]
            torch.mul(spectrum[:, run.rise], flanks[0][run.rise], out=rise)
            torch.mul(spectrum[:, run.fall], flanks[1][run.fall], out=fall)
            folded = _take(bins, run.fold).view(batch, -1, n)
            # The bands at zero and at Nyquist go on as their own mirror images.
            if run.is_first:
                folded[:, 0, n - self._starts[1] + 1 :] = fall[:, 1 : self._starts[1]].flip(-1).conj()
            if run.is_last:
                beyond, size = self._beyond(n)
                folded[:, -1, beyond : beyond + size] = rise[:, -1 - size : -1].flip(-1).conj()
            found = torch.fft.ifft(folded, norm="forward")
            rows = self._groups[run.group][1]
            if found.shape[1] == rows:
                out[run.group] = found
            else:
                if run.rows.start == 0:
                    out[run.group] = found.new_empty(batch, rows, n)
                out[run.group][:, run.rows] = found
        return tuple(out[group] for group in range(len(self._groups)))

    def unfold(self, groups: tuple[torch.Tensor, ...], flanks: Flanks) -> torch.Tensor:
        """Transform each band back, apply windows and add up: the adjoint of `fold`.

        Parameters
        ----------
        groups : tuple of torch.Tensor, each (B, K_g, N_g)
            Coefficients.
        flanks : tuple of torch.Tensor
            The windows.

        Returns
        -------
        torch.Tensor, shape (B, L // 2 + 1)
            Frequencies from zero to Nyquist.
        """
        spectrum = groups[0].new_zeros(groups[0].shape[0], self.length // 2 + 1)
        for run in self._runs:
            n = self._groups[run.group][0]
            folded = torch.fft.fft(groups[run.group][:, run.rows])
            rise, fall = (_take(folded.flatten(-2), at) for at in (run.rise_at, run.fall_at))
            if run.is_first:
                fall[:, 1 : self._starts[1]] += folded[:, 0, n - self._starts[1] + 1 :].flip(-1).conj()
            if run.is_last:
                beyond, size = self._beyond(n)
                rise[:, -1 - size : -1] += folded[:, -1, beyond : beyond + size].flip(-1).conj()
            spectrum[:, run.rise] += rise * flanks[0][run.rise]
            spectrum[:, run.fall] += fall * flanks[1][run.fall]
        return spectrum

    def _beyond(self, n: int) -> tuple[int, int]:
        """Where the last band's mirror image begins on its lattice, and its size."""
        return self.length // 2 % n + 1, self._starts[-1] - self._starts[-2]

    def _make_flanks(self, bank: FilterBank, dtype: torch.dtype, device: torch.device) -> tuple[Flanks, Flanks]:
        """Windows, and dual windows; slice by slice, as they are long."""
        b, size = self._starts, self.length // 2 + 1
        u = self._shares(bank)
        made = [torch.empty(size, dtype=dtype) for _ in range(4)]
        for start, stop in pairwise([0, *range(b[1], b[-2], _TOGETHER), b[-2], size]):
            is_first, is_last = start == 0, stop == size
            # Twice, so that a magnitude is an amplitude; the two bands at the ends hold both halves of a pair anyway.
            rise, fall = u[start:stop] * (2 - is_last), (1 - u[start:stop]) * (2 - is_first)
            # The frame operator; what those hold in two places counts twice, but for zero and Nyquist themselves.
            diagonal = rise**2 * (1 + is_last) + fall**2 * (1 + is_first)
            if is_first:
                diagonal[0] /= 2
            if is_last:
                diagonal[-1] /= 2
            values = (rise / self.length, fall / self.length, rise / diagonal, fall / diagonal)
            for target, value in zip(made, values, strict=True):
                target[start:stop] = value
        rise, fall, dual_rise, dual_fall = (values.to(device) for values in made)
        return (rise, fall), (dual_rise, dual_fall)

    def _shares(self, bank: FilterBank) -> torch.Tensor:
        """Values of u over the bins, float64."""
        u = torch.empty(self.length // 2 + 1, dtype=torch.float64)
        ends = [*self._starts[1:-1], len(u)]
        intervals = zip(bank.frequencies_hz[:-1], np.diff(bank.frequencies_hz), bank.growth, strict=True)
        for (f, width, growth), start, stop in zip(intervals, self._starts[:-1], ends, strict=True):
            bins = torch.arange(start, stop, dtype=torch.float64)
            grown = bins.mul_(bank.sample_rate / self.length).sub_(f).clamp_(min=0).mul_(growth / width)
            angle = grown.log1p_().mul_(np.pi / np.log1p(growth)).clamp_(max=np.pi)
            u[start:stop] = angle.cos_().mul_(-0.5).add_(0.5)
        return u

    def _make_runs(self, device: torch.device) -> list[_Run]:
        runs, first = [], 0
        for group, (n, rows) in enumerate(self._groups):
            together = max(1, _TOGETHER // n) if device.type == "cpu" else rows
            for row in range(0, rows, together):
                runs.append(self._make_run(group, first, slice(row, min(row + together, rows)), device))
            first += rows
        return runs

    def _make_run(self, group: int, first: int, rows: slice, device: torch.device) -> _Run:
        b, last, n = self._starts, len(self._starts) - 1, self._groups[group][0]
        bands = range(first + rows.start, first + rows.stop)
        # The last band's rising flank has one bin more, its centre; its falling flank lies beyond.
        rise = slice(b[max(bands[0] - 1, 0)], b[bands[-1]] + (bands[-1] == last))
        fall = slice(b[bands[0]], b[min(bands[-1] + 1, last)])
        n_rise, n_fall = rise.stop - rise.start, fall.stop - fall.start
        count = np.arange(max(n_rise, n_fall), dtype=np.int32)
        at = np.empty(n_rise + n_fall, dtype=np.int32)
        fold = np.full(len(bands) * n, n_rise + n_fall, dtype=np.int32)
        for row, k in enumerate(bands):
            flanks = [(0, rise, b[max(k - 1, 0)], b[k] + (k == last)), (n_rise, fall, b[k], b[min(k + 1, last)])]
            for offset, bins, start, stop in flanks:
                # A stretch of bins, cut where it goes round: where each is found, and what is found there.
                cut = min(stop, start + n - start % n)
                for first, end in ((start, cut), (cut, stop)):
                    place, bin_ = row * n + first % n, offset + first - bins.start
                    at[bin_ : bin_ + end - first] = count[: end - first] + place
                    fold[place : place + end - first] = count[: end - first] + bin_

        fold_, at_ = (torch.from_numpy(a).to(device) for a in (fold, at))
        return _Run(group, rows, rise, fall, fold_, at_[:n_rise], at_[n_rise:], bands[0] == 0, bands[-1] == last)


def _take(values: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Take entries of the last axis of (B, M); row by row on a CPU, where that is four times as fast."""
    if values.device.type != "cpu":
        return values.index_select(-1, index)
    out = values.new_empty(values.shape[0], len(index))
    for row, target in zip(values, out, strict=True):
        torch.index_select(row, 0, index, out=target)
    return out


class _Analysis(torch.autograd.Function):
    """`Folding.fold`, whose gradient is its adjoint."""

    @staticmethod
    def forward(spectrum: torch.Tensor, folding: Folding, flanks: Flanks) -> tuple[torch.Tensor, ...]:
        return folding.fold(spectrum, flanks)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        _, ctx.folding, ctx.flanks = inputs

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        return _Synthesis.apply(ctx.folding, ctx.flanks, *grads), None, None


class _Synthesis(torch.autograd.Function):
    """`Folding.unfold`, whose gradient is its adjoint."""

    @staticmethod
    def forward(folding: Folding, flanks: Flanks, *groups: torch.Tensor) -> torch.Tensor:
        return folding.unfold(groups, flanks)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.folding, ctx.flanks, *_ = inputs

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        return None, None, *_Analysis.apply(grads[0], ctx.folding, ctx.flanks)
