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

# One value for each bin in each of the 2 r segments of the windows, each of shape (E,).
Segments = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class _Run:
    """Neighbouring bands of one rate that are worked on together.

    Segment j of their windows covers the bins ``segments[j]``. `fold` says for every point of their lattices which of
    all these bins it takes (the last index: none), ``at[j]`` at which point each bin of a segment lies.
    """

    group: int
    rows: slice
    segments: tuple[slice, ...]
    fold: torch.Tensor  # (R * N,), into the bins of all segments, and one zero
    at: tuple[torch.Tensor, ...]  # into R * N points


class Folding:
    r"""The windows of a filter bank on the bins of a transform of one length.

    The window of a band, :math:`\cos^2(\pi d / 2r)` at the warped distance d from its centre, reaches r bands to
    either side: it has 2 r segments, each from one band's centre to the next. Of neighbouring bands, the segments of
    one kind lie beside each other, and cover the bins once. A band is one contiguous stretch of bins. A coefficient is
    a sample of the analytic band signal: on N points in time, bin b is found at position b modulo N, and as N is at
    least the number of bins no two meet ("painless"). The frame operator is diagonal over the bins, and the dual
    windows are the windows divided by it.

    The bins go on below zero and above the Nyquist frequency, as far as a window reaches: a real sound's spectrum is
    its own mirror image there, conjugated. Bin i of that extended spectrum is bin ``i - below`` of the spectrum.

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
        self.length, self._reach = length, bank.overlap
        # The first bin of each interval between two centres, from r before the first band to r behind the last one. A
        # rounding error must not move a bin across the edge of a window that is as wide as its lattice.
        bins = np.ceil(bank.edges_hz * (length / bank.sample_rate) - 1e-6).astype(int)
        self._below, self._above = -int(bins[0]), int(bins[-1]) - (length // 2 + 1)
        self._starts = [int(b) + self._below for b in bins]
        self._groups = [(length // int(hop), len(list(rows))) for hop, rows in groupby(bank.hops)]
        self._runs = self._make_runs(device)
        self._windows, self._duals = self._make_windows(bank, dtype, device)

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

    def fold(self, spectrum: torch.Tensor, windows: Segments) -> tuple[torch.Tensor, ...]:
        """Apply windows and transform each band to its lattice.

        Parameters
        ----------
        spectrum : torch.Tensor, shape (B, L // 2 + 1), complex
            Frequencies from zero to Nyquist.
        windows : tuple of torch.Tensor
            The windows, segment by segment.

        Returns
        -------
        tuple of torch.Tensor, each (B, K_g, N_g)
            Coefficients.
        """
        batch, extended = spectrum.shape[0], self._extended(spectrum)
        out: dict[int, torch.Tensor] = {}
        for run in self._runs:
            n, rows = self._groups[run.group]
            sizes = [s.stop - s.start for s in run.segments]
            bins = spectrum.new_zeros(batch, sum(sizes) + 1)
            for segment, window, part in zip(run.segments, windows, bins[:, :-1].split(sizes, dim=-1), strict=True):
                torch.mul(extended[:, segment], window[segment], out=part)
            found = torch.fft.ifft(_take(bins, run.fold).view(batch, -1, n), norm="forward")
            if found.shape[1] == rows:
                out[run.group] = found
            else:
                if run.rows.start == 0:
                    out[run.group] = found.new_empty(batch, rows, n)
                out[run.group][:, run.rows] = found
        return tuple(out[group] for group in range(len(self._groups)))

    def unfold(self, groups: tuple[torch.Tensor, ...], windows: Segments) -> torch.Tensor:
        """Transform each band back, apply windows and add up: the adjoint of `fold`.

        Parameters
        ----------
        groups : tuple of torch.Tensor, each (B, K_g, N_g)
            Coefficients.
        windows : tuple of torch.Tensor
            The windows, segment by segment.

        Returns
        -------
        torch.Tensor, shape (B, L // 2 + 1)
            Frequencies from zero to Nyquist.
        """
        below, size = self._below, self.length // 2 + 1
        extended = groups[0].new_zeros(groups[0].shape[0], below + size + self._above)
        for run in self._runs:
            points = torch.fft.fft(groups[run.group][:, run.rows]).flatten(-2)
            for segment, window, at in zip(run.segments, windows, run.at, strict=True):
                extended[:, segment] += _take(points, at) * window[segment]
        spectrum = extended[:, below : below + size]
        spectrum[:, 1 : below + 1] += extended[:, :below].flip(-1).conj()
        spectrum[:, size - 1 - self._above : -1] += extended[:, below + size :].flip(-1).conj()
        return spectrum

    def _extended(self, spectrum: torch.Tensor) -> torch.Tensor:
        below, above = spectrum[:, 1 : self._below + 1], spectrum[:, -1 - self._above : -1]
        return torch.cat([below.flip(-1).conj(), spectrum, above.flip(-1).conj()], dim=-1)

    def _make_windows(self, bank: FilterBank, dtype: torch.dtype, device: torch.device) -> tuple[Segments, Segments]:
        """Windows, and dual windows; interval by interval, as they are long."""
        r, b, last, below, half = self._reach, self._starts, bank.n_bands - 1, self._below, self.length // 2
        made = [torch.zeros(below + half + 1 + self._above, dtype=dtype) for _ in range(2 * r)]
        # The frame operator; a bin below zero or above Nyquist is also the one that it mirrors.
        diagonal = torch.zeros(half + 1, dtype=torch.float64)
        for i in range(-r, last + r):
            start, stop = b[i + r], b[i + r + 1]
            share = self._share(bank, i, start, stop)
            mirror = slice(below - stop + 1, below - start + 1) if i < 0 else slice(start - below, stop - below)
            if i >= last:
                mirror = slice(self.length + below - stop + 1, self.length + below - start + 1)
            for j in range(-r, r):
                if not 0 <= i - j <= last:
                    continue
                # Twice, so that a magnitude is an amplitude; the two bands at the ends hold both halves of a pair.
                scale = 1 if i - j in (0, last) else 2
                window = torch.cos((share + j) * (np.pi / (2 * r))).square_().mul_(scale)
                made[j + r][start:stop] = window
                # The Nyquist frequency opens an interval of mirror images, and is none itself.
                diagonal[mirror] += (window.flip(-1) if i < 0 or i >= last else window).square_()
        duals = [w.clone() for w in made]
        for dual in duals:
            dual[below : below + half + 1] /= diagonal
            dual[:below] /= diagonal[1 : below + 1].flip(-1)
            dual[below + half + 1 :] /= diagonal[half - self._above : half].flip(-1)
        windows = tuple(w.div_(self.length).to(device) for w in made)
        return windows, tuple(d.to(device) for d in duals)

    def _share(self, bank: FilterBank, interval: int, start: int, stop: int) -> torch.Tensor:
        """How far the bins of an interval lie between the centres at its ends, 0 to 1, on the warped axis; float64."""
        bins = torch.arange(start - self._below, stop - self._below, dtype=torch.float64)
        last = bank.n_bands - 1
        # Below zero and above Nyquist the axis is its own mirror image.
        if interval < 0:
            return 1 - self._within(bank, -interval - 1, -bins)
        if interval >= last:
            return 1 - self._within(bank, 2 * last - interval - 1, self.length - bins)
        return self._within(bank, interval, bins)

    def _within(self, bank: FilterBank, k: int, bins: torch.Tensor) -> torch.Tensor:
        growth = float(bank.growth[k])
        f, width = bank.frequencies_hz[k], bank.frequencies_hz[k + 1] - bank.frequencies_hz[k]
        if k == 0 and bank.fmin_hz > 0:
            return bins.mul(bank.sample_rate / self.length / width).clamp_(0, 1).pow_(bank.bend)
        grown = bins.mul(bank.sample_rate / self.length).sub_(f).clamp_(min=0).mul_(growth / width)
        return grown.log1p_().div_(np.log1p(growth)).clamp_(max=1)

    def _make_runs(self, device: torch.device) -> list[_Run]:
        runs, first = [], 0
        for group, (n, rows) in enumerate(self._groups):
            together = max(1, _TOGETHER // n) if device.type == "cpu" else rows
            for row in range(0, rows, together):
                runs.append(self._make_run(group, first, slice(row, min(row + together, rows)), device))
            first += rows
        return runs

    def _make_run(self, group: int, first: int, rows: slice, device: torch.device) -> _Run:
        b, r, n = self._starts, self._reach, self._groups[group][0]
        bands = range(first + rows.start, first + rows.stop)
        segments = tuple(slice(b[bands[0] + j], b[bands[-1] + j + 1]) for j in range(2 * r))
        offsets = np.cumsum([0, *(s.stop - s.start for s in segments)])
        count = np.arange(max(s.stop - s.start for s in segments), dtype=np.int32)
        at = np.empty(offsets[-1], dtype=np.int32)
        fold = np.full(len(bands) * n, offsets[-1], dtype=np.int32)
        for row, k in enumerate(bands):
            for j, (segment, offset) in enumerate(zip(segments, offsets[:-1], strict=True)):
                start, stop = b[k + j], b[k + j + 1]
                # A stretch of bins, cut where it goes round: where each is found, and what is found there.
                cut = min(stop, start + n - (start - self._below) % n)
                for first_bin, end in ((start, cut), (cut, stop)):
                    place, bin_ = row * n + (first_bin - self._below) % n, offset + first_bin - segment.start
                    at[bin_ : bin_ + end - first_bin] = count[: end - first_bin] + place
                    fold[place : place + end - first_bin] = count[: end - first_bin] + bin_
        pieces = tuple(torch.from_numpy(at[a:z]).to(device) for a, z in pairwise(offsets.tolist()))
        return _Run(group, rows, segments, torch.from_numpy(fold).to(device), pieces)


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
    def forward(spectrum: torch.Tensor, folding: Folding, windows: Segments) -> tuple[torch.Tensor, ...]:
        return folding.fold(spectrum, windows)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        _, ctx.folding, ctx.windows = inputs

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        return _Synthesis.apply(ctx.folding, ctx.windows, *grads), None, None


class _Synthesis(torch.autograd.Function):
    """`Folding.unfold`, whose gradient is its adjoint."""

    @staticmethod
    def forward(folding: Folding, windows: Segments, *groups: torch.Tensor) -> torch.Tensor:
        return folding.unfold(groups, windows)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.folding, ctx.windows, *_ = inputs

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        return None, None, *_Analysis.apply(grads[0], ctx.folding, ctx.windows)
