"""Fourier transforms of one long real signal, several times as fast as the library's own on a CPU."""

from __future__ import annotations

from functools import lru_cache
from math import pi

import torch

from stylemix.transforms.huge_fft import irfft_by_slices, rfft_by_slices, sides

# Below, one call of the library is as fast.
_SHORT = 2**13
# Longer signals are transformed by slices, or where gradients are wanted with tables that are not kept: this is
# 16 MB of them in single precision.
_KEPT = 2**22


def rfft(x: torch.Tensor, n: int) -> torch.Tensor:
    r"""Transform real signals to the frequencies from zero to Nyquist.

    The values are those of ``torch.fft.rfft(x, n)`` up to rounding. For a single row on a CPU that call is four times
    as slow as a complex transform of half the length, of which the row's even and odd samples are the real and the
    imaginary part. With Z the transform of these pairs and :math:`w_k = e^{-2 \pi i k / n}` [1]_,

    .. math:: X_k = \frac{Z_k + \bar Z_{n/2-k}}{2} + w_k \frac{Z_k - \bar Z_{n/2-k}}{2i}
                  = \bar Z_{n/2-k} + \frac{1 - i w_k}{2} (Z_k - \bar Z_{n/2-k}).

    Parameters
    ----------
    x : torch.Tensor, shape (..., T), real
        Signals, T at most `n`.
    n : int
        Length of the transform; zeros are put behind the signal.

    Returns
    -------
    torch.Tensor, shape (..., n // 2 + 1), complex
        The spectrum. Differentiable.

    References
    ----------
    .. [1] H. V. Sorensen, D. L. Jones, M. T. Heideman, C. S. Burrus, "Real-valued fast Fourier transform algorithms",
       IEEE Trans. ASSP 35(6), 1987.

    Examples
    --------
    >>> x = torch.randn(65536, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    >>> bool(torch.allclose(rfft(x, 65536), torch.fft.rfft(x)))
    True
    """
    if not _is_one_long_row(x, n):
        return torch.fft.rfft(x, n=n)
    if factors := _slices(x, n):
        return rfft_by_slices(x.flatten(), *factors).reshape(*x.shape[:-1], -1)
    if x.shape[-1] < n:
        x = torch.nn.functional.pad(x, (0, n - x.shape[-1]))
    pairs = torch.fft.fft(torch.view_as_complex(x.contiguous().unflatten(-1, (-1, 2))))
    # Z_{n/2} is Z_0.
    pairs = torch.cat([pairs, pairs[..., :1]], dim=-1)
    mirror = pairs.flip(-1).conj_physical_()
    # In place: memory that is new costs as much as the arithmetic.
    return (pairs - mirror).mul_(_halves(n, x.dtype, x.device)).add_(mirror)


def irfft(spectrum: torch.Tensor, n: int) -> torch.Tensor:
    """Transform the frequencies from zero to Nyquist back to real signals: the inverse of `rfft`.

    Parameters
    ----------
    spectrum : torch.Tensor, shape (..., n // 2 + 1), complex
        What is imaginary at zero and at Nyquist does not count.
    n : int
        Length of the signals.

    Returns
    -------
    torch.Tensor, shape (..., n), real
        The signals. Differentiable.

    Examples
    --------
    >>> x = torch.randn(65536, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    >>> bool(torch.allclose(irfft(rfft(x, 65536), 65536), x))
    True
    """
    if not _is_one_long_row(spectrum, n):
        return torch.fft.irfft(spectrum, n=n)
    if factors := _slices(spectrum, n):
        return irfft_by_slices(spectrum.flatten(), *factors).reshape(*spectrum.shape[:-1], -1)
    ends = [torch.complex(end.real, torch.zeros_like(end.real)) for end in (spectrum[..., :1], spectrum[..., -1:])]
    spectrum = torch.cat([ends[0], spectrum[..., 1:-1], ends[1]], dim=-1)
    # Solved for Z: the same step with the conjugate roots.
    mirror = spectrum.flip(-1).conj_physical_()
    roots = _halves(n, spectrum.real.dtype, spectrum.device).conj()
    pairs = (spectrum - mirror).mul_(roots).add_(mirror)[..., :-1]
    return torch.view_as_real(torch.fft.ifft(pairs)).flatten(-2)


def _is_one_long_row(x: torch.Tensor, n: int) -> bool:
    return x.device.type == "cpu" and n >= _SHORT and n % 2 == 0 and x.shape[:-1].numel() == 1


def _slices(x: torch.Tensor, n: int) -> tuple[int, int] | None:
    return None if n <= _KEPT or (x.requires_grad and torch.is_grad_enabled()) else sides(n)


def _halves(n: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Values of (1 - i w_k) / 2 for k = 0 to n / 2."""
    return (_kept_halves if n <= _KEPT else _make_halves)(n, dtype, device)


def _make_halves(n: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    # What is kept must not be a tensor of inference mode, which could not be used where there are gradients.
    with torch.inference_mode(False):
        angle = torch.arange(n // 2 + 1, dtype=torch.float64, device=device) * (2 * pi / n)
        # 1 - i w = 1 - sin - i cos.
        return torch.complex((0.5 - 0.5 * angle.sin()).to(dtype), (-0.5 * angle.cos()).to(dtype))


_kept_halves = lru_cache(maxsize=6)(_make_halves)
