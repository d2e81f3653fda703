r"""Fourier transforms of real signals too long for the processor's cache: by short ones, a slice at a time.

With n = AB, a transform is B transforms of length A, a multiplication, and A transforms of length B [1]_:

.. math:: X_{a + A b} = \sum_q e^{-2 \pi i b q / B} \, e^{-2 \pi i a q / n} \sum_p e^{-2 \pi i a p / A} x_{Bp + q}

The input being real, a runs from 0 to A / 2 only, and the other residues are the conjugates of these. Slices of both
steps pass through the cache, and only their common result and the spectrum need memory.

References
----------
.. [1] D. H. Bailey, "FFTs in external or hierarchical memory", J. Supercomputing 4, 1990.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt, pi

import torch

# Values in a slice.
_SLICE = 2**17


def sides(n: int) -> tuple[int, int] | None:
    """Take a length apart into two factors near its root.

    Parameters
    ----------
    n : int
        The length.

    Returns
    -------
    tuple of two int, or None
        Their product is `n`; None if there are none that help.

    Examples
    --------
    >>> sides(1_344_000), sides(1_000_003)
    ((1120, 1200), None)
    """
    a = next(d for d in range(isqrt(n), 0, -1) if n % d == 0)
    return (a, n // a) if a >= 64 else None


def rfft_by_slices(x: torch.Tensor, a: int, b: int) -> torch.Tensor:
    """Transform one real signal to the frequencies from zero to Nyquist.

    Parameters
    ----------
    x : torch.Tensor, shape (T,), real
        Signal, T at most ``a * b``; zeros are put behind it.
    a, b : int
        The two lengths.

    Returns
    -------
    torch.Tensor, shape (a * b // 2 + 1,), complex
        The spectrum. Not differentiable.
    """
    n, half, full = a * b, a // 2 + 1, len(x) // b
    rows = x[: full * b].view(full, b)
    rest = torch.nn.functional.pad(x[full * b :], (0, b - len(x) + full * b))
    found = torch.empty(b, half, dtype=x.dtype.to_complex(), device=x.device)
    for columns, roots in _columns(a, b, found):
        part = torch.cat([rows[:, columns], rest[None, columns]])[:a].T.contiguous()
        found[columns] = torch.fft.rfft(part, n=a).mul_(roots)
    # Row r of the spectrum holds a r to a r + a - 1; what lies above half of a is X_k = conj X_{n - k}.
    height = n // 2 // a + 1
    spectrum = found.new_empty(height, a)
    for first, last in _steps(half, b):
        part = torch.fft.fft(found[:, first:last].T.contiguous()).T
        spectrum[:, first:last] = part[:height]
        start, stop = max(first, 1), min(last, (a + 1) // 2)
        if start < stop:
            spectrum[:, a - stop + 1 : a - start + 1] = (
                part[b - height :, start - first : stop - first].flip(-1, -2).conj()
            )
    return spectrum.flatten()[: n // 2 + 1]


def irfft_by_slices(spectrum: torch.Tensor, a: int, b: int) -> torch.Tensor:
    """Transform the frequencies from zero to Nyquist back to a real signal.

    Parameters
    ----------
    spectrum : torch.Tensor, shape (a * b // 2 + 1,), complex
        What is imaginary at zero and at Nyquist does not count.
    a, b : int
        The two lengths; one of them even.

    Returns
    -------
    torch.Tensor, shape (a * b,), real
        The signal. Not differentiable.
    """
    half = a // 2 + 1
    # Rows of residues 0 to a / 2, those above Nyquist by X_k = conj X_{n - k}: the steps from above backwards.
    top = spectrum.unfold(-1, half, a)
    bottom = spectrum[a - half + 1 :].unfold(-1, half, a)[: b - len(top)]
    found = spectrum.new_empty(b, half)
    for first, last in _steps(half, b):
        mirrored = bottom[:, half - last : half - first].flip(-1, -2).conj()
        part = torch.cat([top[:, first:last], mirrored]).T.contiguous()
        found[:, first:last] = torch.fft.ifft(part).T
    x = torch.empty(a, b, dtype=spectrum.real.dtype, device=spectrum.device)
    for columns, roots in _columns(a, b, found):
        x[:, columns] = torch.fft.irfft(found[columns] * roots.conj(), n=a).T
    return x.flatten()


def _steps(size: int, other: int) -> Iterator[tuple[int, int]]:
    """First and last of the slices of one side, each with all of the other."""
    step = max(1, _SLICE // other)
    for first in range(0, size, step):
        yield first, min(first + step, size)


def _columns(a: int, b: int, like: torch.Tensor) -> Iterator[tuple[slice, torch.Tensor]]:
    """Slices of the b columns, and the roots of unity e^(-2 pi i k q / n) for k = 0 to a / 2 in each column q."""
    k = torch.arange(a // 2 + 1, dtype=torch.float64, device=like.device) * (-2 * pi / (a * b))
    within: torch.Tensor | None = None
    for first, last in _steps(b, a):
        if within is None:
            within = _turn(torch.arange(last, device=like.device)[:, None] * k).to(like.dtype)
        yield slice(first, last), within[: last - first] * _turn(first * k).to(like.dtype)


def _turn(angle: torch.Tensor) -> torch.Tensor:
    return torch.polar(torch.ones_like(angle), angle)
