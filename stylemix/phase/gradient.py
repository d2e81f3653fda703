"""The gradient of the phase, read off the magnitudes: frequency along time, time of the energy across the bands."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch

from stylemix.phase.checks import check_rows
from stylemix.phase.instantaneous import read_frequency
from stylemix.transforms import VQT, Fourier

# Points of a tabulated inverse; between them it is straight, and for a Hann bell's spectrum everywhere.
_POINTS = 1024
# How much denser than the window's own length its spectrum is tabulated.
_FINEST = 64


def phase_gradient(
    magnitudes: tuple[torch.Tensor, ...], transform: VQT | Fourier
) -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]:
    r"""Read both derivatives of the phase off the magnitudes.

    The phase of a coefficient is the sinusoid's own at the time t of the coefficient, so its derivative along time is
    :math:`2 \pi f` at the instantaneous frequency f, and that along frequency is :math:`2 \pi (t - \hat t)`, with
    :math:`\hat t` the time at which the energy lies [1]_: an impulse at :math:`\hat t` has the phase :math:`2 \pi f (t
    - \hat t)`. Where a lone sinusoid or a lone impulse is heard, the ratio of two neighbours' magnitudes is that of
    two values of the window, which falls all along its main lobe: its inverse gives f from two bands, and
    :math:`\hat t` from two frames, exactly. The neighbours on either side give one value each; they are weighted by
    their magnitudes, so that the one that hears more counts, and both count alike at a maximum.

    Parameters
    ----------
    magnitudes : tuple of torch.Tensor, each (..., K_g, N_g)
        On the lattice of `transform`.
    transform : VQT or Fourier
        Where they are from.

    Returns
    -------
    frequency_hz : tuple of torch.Tensor, each (..., K_g, N_g)
        Instantaneous frequency.
    elapsed_s : tuple of torch.Tensor, each (..., K_g, N_g)
        Seconds since the energy's time, negative before it.

    Raises
    ------
    BadInput
        If the transform is neither a `VQT` nor a `Fourier`, or the magnitudes are not its.

    References
    ----------
    .. [1] Z. Prusa, P. Balazs, P. L. Soendergaard, "A noniterative method for reconstruction of phase from STFT
       magnitude", IEEE/ACM TASLP 25(5), 2017.

    Examples
    --------
    >>> fourier = Fourier(8000, n_fft=512, hop_length=128)
    >>> click = torch.zeros(4000)
    >>> click[2000] = 1
    >>> _, (elapsed_s,) = phase_gradient(fourier.forward(click).magnitudes(), fourier)
    >>> round(2048 - 8000 * float(elapsed_s[70, 16]))
    2000
    """
    check_rows(magnitudes, transform)
    return read_gradient(magnitudes, transform)


def read_gradient(
    magnitudes: tuple[torch.Tensor, ...], transform: VQT | Fourier
) -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]:
    """Do what `phase_gradient` does, with magnitudes that are known to be the transform's.

    Parameters
    ----------
    magnitudes : tuple of torch.Tensor, each (..., K_g, N_g)
        On the lattice of `transform`, or a piece of it.
    transform : VQT or Fourier
        Where they are from.

    Returns
    -------
    frequency_hz, elapsed_s : tuple of torch.Tensor, each (..., K_g, N_g)
        As of `phase_gradient`.
    """
    if isinstance(transform, VQT):
        return read_frequency(magnitudes, transform), _elapsed_vqt(magnitudes, transform)
    return _gradient_fourier(magnitudes[0], transform)


def pulse(u: np.ndarray) -> np.ndarray:
    r"""Evaluate the pulse whose spectrum is a Hann bell from -1 / 2 to 1 / 2: :math:`\mathrm{sinc}(u) / (1 - u^2)`.

    Parameters
    ----------
    u : np.ndarray
        Time, in units of one over the width of the bell.

    Returns
    -------
    np.ndarray
        1 at 0, 1 / 2 at 1, and 0 at 2, where the main lobe ends.

    Examples
    --------
    >>> pulse(np.array([0.0, 0.5, 1.0])).round(3).tolist()
    [1.0, 0.849, 0.5]
    """
    # 1 - u^2 and sin(pi u) vanish together at 1: sinc(u) / (1 - u) is sinc(u - 1) / u.
    u = np.abs(u)
    near = np.abs(u - 1) < 0.5
    safe = np.where(near, 1.0, u)
    return np.where(
        near, np.sinc(u - 1) / np.where(near, u * (1 + u), 1.0), np.sinc(u) / np.where(near, 1, 1 - safe**2)
    )


def _elapsed_vqt(magnitudes: tuple[torch.Tensor, ...], vqt: VQT) -> tuple[torch.Tensor, ...]:
    """Time since the energy, from each frame and the two beside it; the lattice goes round."""
    out, first = [], 0
    for m, hop in zip(magnitudes, vqt.hops, strict=True):
        widths_hz = vqt.bank.bandwidths_hz[first : first + m.shape[-2]]
        tables = [_pulse_inverse(float(width * hop / vqt.sample_rate)) / width for width in widths_hz]
        here = _rows(m)
        elapsed = _read(here, np.roll(here, -1, -1), np.roll(here, 1, -1), tables, 1)
        out.append(torch.from_numpy(elapsed.reshape(m.shape)).to(m.device))
        first += m.shape[-2]
    return tuple(out)


def _gradient_fourier(
    magnitudes: torch.Tensor, fourier: Fourier
) -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]:
    here, n_rows = _rows(magnitudes), magnitudes.shape[-2]
    # At zero and Nyquist the two halves of a pair are one row; beyond, the spectrum is its own mirror image.
    even = here.copy()
    even[:, [0, -1]] *= 2
    mirrored = np.concatenate([even[:, 1:2], even, even[:, -2:-1]], axis=1)
    line, edge = _spectral_line(fourier.window)
    offset = _read(even, mirrored[:, 2:], mirrored[:, :-2], [_inverse(line, edge, 1.0)] * n_rows, 1)
    # What lies above a row is seen on the lower flank of its window.
    position = np.clip(np.arange(n_rows)[:, None] - offset, 0, n_rows - 1)
    samples = np.arange(fourier.n_fft) - fourier.n_fft // 2

    def bell(t: np.ndarray) -> np.ndarray:
        return np.interp(t, samples, np.abs(fourier.window), right=0.0)

    silent = np.pad(here, ((0, 0), (0, 0), (1, 1)))
    table = _inverse(bell, fourier.n_fft / 2, float(fourier.hop_length)) / fourier.sample_rate
    elapsed = _read(here, silent[..., 2:], silent[..., :-2], [table] * n_rows, 0)
    frequency_hz = position * (fourier.sample_rate / fourier.n_fft)
    made = (torch.from_numpy(x.reshape(magnitudes.shape)).to(magnitudes.device) for x in (frequency_hz, elapsed))
    return (next(made),), (next(made),)


def _spectral_line(window: np.ndarray) -> tuple[Callable[[np.ndarray], np.ndarray], float]:
    """Spectrum of a window over its main lobe (in rows), and where the lobe ends."""
    padded = np.abs(np.fft.rfft(window, len(window) * _FINEST))
    rising = np.flatnonzero(np.diff(padded) > 0)
    end = max(int(rising[0]) if len(rising) else len(padded) - 1, _FINEST // 2 + 1)
    grid = np.arange(end + 1) / _FINEST
    return lambda u: np.interp(np.abs(u), grid, padded[: end + 1]), end / _FINEST


@lru_cache(maxsize=2048)
def _pulse_inverse(step: float) -> np.ndarray:
    return _inverse(pulse, 2.0, step)


def _inverse(window: Callable[[np.ndarray], np.ndarray], edge: float, step: float) -> np.ndarray:
    """Tabulate where on a window a value lies, by the share that the value a step on has in their sum."""
    # Within both edges, where both are in the main lobe.
    u = np.linspace(-edge, edge - step, 4 * _POINTS + 1)
    here, ahead = (np.abs(window(x)) for x in (u, u + step))
    share = ahead / np.maximum(here + ahead, 1e-300)
    # The share falls along the lobe; np.interp wants it to rise.
    return np.interp(np.linspace(0, 1, _POINTS + 1), np.maximum.accumulate(share[::-1]), u[::-1])


def _read(here: np.ndarray, ahead: np.ndarray, behind: np.ndarray, tables: list[np.ndarray], power: int) -> np.ndarray:
    from stylemix.phase._gradient_kernels import read_offsets

    out = np.empty(here.shape)
    for b in range(here.shape[0]):
        for row, table in enumerate(tables):
            read_offsets(here[b, row], ahead[b, row], behind[b, row], table, power, out[b, row])
    return out


def _rows(m: torch.Tensor) -> np.ndarray:
    return np.ascontiguousarray(m.detach().cpu().reshape(-1, *m.shape[-2:]).numpy())
