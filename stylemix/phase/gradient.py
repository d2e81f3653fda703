"""The gradient of the phase, read off the magnitudes: frequency along time, time of the energy across the bands."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.phase.instantaneous import instantaneous_frequency
from stylemix.transforms import VQT, Fourier

# Points of a tabulated inverse: with linear interpolation the error is below 1e-6 of the window's width.
_POINTS = 2048
# Ratios are held to e^-60 ... e^60, so that silence beside sound is a number.
_STEEPEST = 60.0


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
    frequency_hz : tuple of torch.Tensor, each (..., K_g, N_g), float64
        Instantaneous frequency.
    elapsed_s : tuple of torch.Tensor, each (..., K_g, N_g), float64
        Seconds since the energy's time, negative before it.

    Raises
    ------
    BadInput
        If the transform is neither a `VQT` nor a `Fourier`.

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
    if isinstance(transform, VQT):
        frequency = instantaneous_frequency(tuple(m.double() for m in magnitudes), transform)
        return frequency, _elapsed_vqt(magnitudes, transform)
    if isinstance(transform, Fourier):
        return _gradient_fourier(magnitudes[0], transform)
    raise BadInput(f"phase_gradient: transform must be a VQT or a Fourier, got {type(transform).__name__}")


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
        level = _log(m)
        elapsed = np.empty_like(level)
        for row in range(level.shape[-2]):
            width = float(vqt.bank.bandwidths_hz[first + row])
            at = level[..., row, :]
            offset = _offset(
                np.roll(at, -1, -1) - at, np.roll(at, 1, -1) - at, pulse, 2.0, width * hop / vqt.sample_rate, 2.0
            )
            elapsed[..., row, :] = offset / width
        out.append(torch.from_numpy(elapsed).to(m.device))
        first += level.shape[-2]
    return tuple(out)


def _gradient_fourier(
    magnitudes: torch.Tensor, fourier: Fourier
) -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]:
    level = _log(magnitudes)
    # At zero and Nyquist the two halves of a pair are one row; beyond, the spectrum is its own mirror image.
    level[..., [0, -1], :] += math.log(2)
    mirrored = np.concatenate([level[..., 1:2, :], level, level[..., -2:-1, :]], axis=-2)
    up, down = mirrored[..., 2:, :] - level, mirrored[..., :-2, :] - level
    line, edge = _spectral_line(fourier.window)
    rows = np.arange(level.shape[-2])[:, None]
    # An energy above a row is seen at a negative distance from it.
    position = np.clip(rows - _offset(up, down, line, edge, 1.0, 1.0), 0, fourier.n_fft / 2)
    silent = np.pad(level, [(0, 0)] * (level.ndim - 1) + [(1, 1)], constant_values=level.min(initial=-_STEEPEST))
    samples = np.arange(fourier.n_fft) - fourier.n_fft // 2

    def bell(t: np.ndarray) -> np.ndarray:
        return np.interp(t, samples, np.abs(fourier.window), right=0.0)

    after, before = silent[..., 2:] - level, silent[..., :-2] - level
    elapsed = _offset(after, before, bell, fourier.n_fft / 2, float(fourier.hop_length), 0.0)
    frequency_hz = torch.from_numpy(position * (fourier.sample_rate / fourier.n_fft))
    return (frequency_hz.to(magnitudes.device),), (
        torch.from_numpy(elapsed / fourier.sample_rate).to(magnitudes.device),
    )


def _spectral_line(window: np.ndarray) -> tuple[Callable[[np.ndarray], np.ndarray], float]:
    """Spectrum of a window over its main lobe (in rows), and where the lobe ends."""
    finest = 64
    padded = np.abs(np.fft.rfft(window, len(window) * finest))
    rising = np.flatnonzero(np.diff(padded[: 16 * finest + 1]) > 0)
    end = int(rising[0]) if len(rising) else len(padded) - 1
    grid = np.arange(end + 1) / finest
    return lambda u: np.interp(np.abs(u), grid, padded[: end + 1]), max(end / finest, 1.0 + 1 / finest)


def _offset(
    forward: np.ndarray,
    backward: np.ndarray,
    window: Callable[[np.ndarray], np.ndarray],
    edge: float,
    step: float,
    power: float,
) -> np.ndarray:
    """Find where on the window a value lies, from the log-ratios of its neighbours to it."""
    # Inside both edges, where both values are in the main lobe.
    u = np.linspace(-edge, edge - step, _POINTS + 2)[1:-1]
    values = [np.log(np.abs(window(x)).clip(1e-30)) for x in (u, u + step)]
    ratio = np.minimum.accumulate(values[1] - values[0])[::-1]
    ahead = np.interp(forward, ratio, u[::-1])
    behind = -np.interp(backward, ratio, u[::-1])
    # The share of the neighbour ahead in the two neighbours' magnitudes, to the given power.
    share = 0.5 + 0.5 * np.tanh(0.5 * power * (forward - backward))
    return share * ahead + (1 - share) * behind


def _log(m: torch.Tensor) -> np.ndarray:
    level: np.ndarray = m.detach().cpu().double().numpy()
    peak = float(level.max(initial=0.0))
    return np.log(np.maximum(level, max(peak, 1e-200) * math.exp(-_STEEPEST)))
