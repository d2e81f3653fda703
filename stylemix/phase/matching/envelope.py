"""How loud each frequency is at each time, as far as averaged coefficients tell: their blurs are undone.

Averages over time and over the width of a band are blurs with known kernels. The iteration of Richardson and Lucy,
which undoes the blur of a telescope, undoes them; it keeps positive what is positive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, pi
from typing import Any

import numpy as np
import torch

from stylemix.phase.matching.target import Target
from stylemix.transforms import VQT
from stylemix.transforms.limits import FLOOR
from stylemix.transforms.morlet import LOWPASS_WIDTH

# Frames of the sharpened envelope for each frame of the coefficients.
_FINER = 8
# Frequencies for each band of the variable-Q transform.
_PER_BAND = 3
# Steps of deconvolution. More make a lone sinusoid sharper, and no better start of music.
_SHARPEN = 200
# Rows of several rates are brought to this hop (samples).
_COMMON_HOP = 256
# Logarithm of an amplitude, against the largest, that counts as none.
_NOTHING = -18.0


@dataclass(frozen=True)
class Bands:
    """The rows of a transform that hold the loudness of bands of frequency.

    Parameters
    ----------
    transform : object
        The transform.
    rows : tuple of list of int
        Which rows, in each group of its coefficients.
    hops : tuple of int
        Hop of each group (samples).
    frequency_hz, bandwidth_hz : np.ndarray, shape (R,)
        Middle of each band, and distance between the points of half power, or to the next band if that is further.
    """

    transform: Any
    rows: tuple[list[int], ...]
    hops: tuple[int, ...]
    frequency_hz: np.ndarray
    bandwidth_hz: np.ndarray

    @classmethod
    def of(cls, target: Target) -> Bands | None:
        """Find them: order 1 of scattering without the wavelets along log-frequency, or all rows of other transforms.

        Parameters
        ----------
        target : Target
            What is wanted.

        Returns
        -------
        Bands or None
            None if fewer than two are named.
        """
        meta = target.meta
        if not {"frequency_hz", "bandwidth_hz", "hop"} <= meta.keys() or any(g.ndim < 2 for g in target.groups):
            return None
        n = len(meta["hop"])
        frequency, width = (
            np.nan_to_num(np.asarray(meta[key], dtype=float).reshape(n, -1)[:, 0])
            for key in ("frequency_hz", "bandwidth_hz")
        )
        keep = (np.asarray(meta.get("order", np.ones(n))) == 1) & (frequency > 0)
        # Wavelets along log-frequency have no mean: their rows hold the loudness of no band.
        keep &= np.nan_to_num(np.asarray(meta.get("xi_fr", np.zeros(n)), dtype=float)) == 0
        if keep.sum() < 2:
            return None
        # Rows that lie further apart than they are wide, after an average over bands, answer for those between.
        by_frequency = np.argsort(frequency[keep])
        gaps = np.empty(len(by_frequency))
        gaps[by_frequency] = np.gradient(frequency[keep][by_frequency])
        ends = np.cumsum([g.shape[-2] for g in target.groups])[:-1]
        return cls(
            target.transform,
            tuple(np.flatnonzero(part).tolist() for part in np.split(keep, ends)),
            tuple(int(part[0]) for part in np.split(np.asarray(meta["hop"]), ends)),
            frequency[keep],
            np.maximum(width[keep], gaps),
        )

    @property
    def hop(self) -> int:
        """Hop of the amplitudes (samples)."""
        return self.hops[0] if len(self.hops) == 1 else _COMMON_HOP

    @property
    def average(self) -> float:
        """Length of the scattering's average (samples); 0 where there is none to undo."""
        whole = getattr(self.transform, "T", None) == "global"
        return 0.0 if whole else float(getattr(self.transform, "average", 0.0))

    def amplitudes(self, groups: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Take the rows out, with the transform's logarithm and division undone.

        Parameters
        ----------
        groups : tuple of torch.Tensor, each (..., P_g, N_g)
            Coefficients.

        Returns
        -------
        torch.Tensor, shape (..., R, N)
            Amplitudes at one hop.
        """
        log, divided = (bool(getattr(self.transform, key, False)) for key in ("log", "renormalize"))
        found = []
        for group, rows, hop in zip(groups, self.rows, self.hops, strict=True):
            if rows:
                real = group.abs() if group.is_complex() else group
                real = torch.exp(real) - FLOOR if log else real
                values = real[..., rows, :] * real[..., :1, :] if divided else real[..., rows, :]
                found.append(_resample(values.clamp_min(0), hop, self.hop))
        n_frames = min(f.shape[-1] for f in found)
        return torch.cat([f[..., :n_frames] for f in found], dim=-2)


class Spectrum:
    """Power over frequency and time, whose averages over time and bands are what is wanted.

    Parameters
    ----------
    bands : Bands
        Where the bands lie and how wide they are.
    amplitudes : torch.Tensor, shape (..., R, N)
        What is wanted in them.
    vqt : VQT
        Gives the axis of frequency, and the lattice of `magnitudes`.
    n_samples : int
        Length of the sound.
    """

    def __init__(self, bands: Bands, amplitudes: torch.Tensor, vqt: VQT, n_samples: int) -> None:
        # All is done at one level, so that what counts as nothing does not depend on loudness.
        self.level = amplitudes.max().clamp_min(1e-30)
        self.vqt, self.n_samples, self.wanted = vqt, n_samples, amplitudes / self.level
        self._finer = _FINER if bands.average else 1
        self.hop = bands.hop / self._finer
        # A Gauss window whose gain has deviation w in frequency has deviation 1 / (2 pi w) in time.
        deviation = max(bands.average / (2 * pi * LOWPASS_WIDTH) / self.hop, 1e-3)
        t = torch.arange(-ceil(4 * deviation), ceil(4 * deviation) + 1, dtype=torch.float64)
        kernel = torch.exp(-0.5 * (t / deviation).square())
        self._in_time = (kernel / kernel.sum()).to(amplitudes)
        position = np.arange(1, _PER_BAND * (vqt.n_bands - 1) + 1) / _PER_BAND
        # The inverse of FilterBank.warp.
        frequency = vqt.bank.octave_width_hz * np.expm1(position * vqt.bank.step)
        spacing = np.interp(bands.frequency_hz, frequency, np.gradient(frequency))
        half = np.maximum(bands.bandwidth_hz, spacing)[:, None] / 2
        # Half of the power is left half a width away from the middle.
        gains = 2.0 ** -np.square((frequency - bands.frequency_hz[:, None]) / half)
        self._responses = torch.as_tensor(gains).to(amplitudes)
        bells = np.stack([np.square(vqt.bank.window(band, frequency)) for band in range(vqt.n_bands)])
        self._bells = torch.as_tensor(bells).to(amplitudes)
        self.power = self._over_frequency(self._over_time().square())

    def magnitudes(self) -> tuple[torch.Tensor, ...]:
        """Give the power to the bands of the variable-Q transform.

        Returns
        -------
        tuple of torch.Tensor, each (..., K_g, N_g)
            On its ragged lattice.
        """
        level = torch.log((self._bells @ self.power).clamp_min(1e-24)) / 2
        frames = torch.arange(self.vqt.n_frames(self.n_samples)) * (self.vqt.hop_length / self.hop)
        spread = self.vqt.spread(interpolate(level, frames), self.n_samples)
        inside = [
            torch.arange(m.shape[-1], device=m.device) * hop < self.n_samples
            for m, hop in zip(spread, self.vqt.hops, strict=True)
        ]
        return tuple(
            torch.where((m > _NOTHING) & i, m.exp() * self.level, 0.0) for m, i in zip(spread, inside, strict=True)
        )

    def correct(self, found: torch.Tensor) -> None:
        """Take a step of deconvolution with what the transform finds in a sound, in place of what was modelled.

        Where Richardson and Lucy average quotients, this takes the quotient of averages: a band that is silent by
        chance shall not count more than a loud one.

        Parameters
        ----------
        found : torch.Tensor, shape (..., R, N)
            Amplitudes of the sound that was made of `magnitudes`.
        """
        wanted, found = (self._responses.T @ self._adjoint(a).square() for a in (self.wanted, found / self.level))
        least = 1e-12
        self.power = self.power * ((wanted + least) / (found + least)).clamp(0.01, 100)

    def _over_time(self) -> torch.Tensor:
        """Undo the average over time: (..., R, N) to (..., R, N * finer)."""
        if self._finer == 1:
            return self.wanted
        first = interpolate(self.wanted, torch.arange(self.wanted.shape[-1] * self._finer) / self._finer)
        norm = self._adjoint(torch.ones_like(self.wanted))
        return _richardson_lucy(
            first, lambda u: u * self._adjoint(self.wanted / self._blurred(u).clamp_min(1e-9)) / norm
        )

    def _over_frequency(self, power: torch.Tensor) -> torch.Tensor:
        """Undo the width of the bands: (..., R, M) to (..., F, M)."""
        responses = self._responses
        norm = responses.sum(0)[:, None].clamp_min(1e-6)
        return _richardson_lucy(
            (responses.T @ power) / norm,
            lambda p: p * (responses.T @ (power / (responses @ p).clamp_min(1e-18))) / norm,
        )

    def _blurred(self, u: torch.Tensor) -> torch.Tensor:
        reach = len(self._in_time) // 2
        padded = torch.nn.functional.pad(u.reshape(-1, 1, u.shape[-1]), (reach, reach), mode="replicate")
        blurred = torch.nn.functional.conv1d(padded, self._in_time[None, None], stride=self._finer)
        return blurred.reshape(*u.shape[:-1], -1)

    def _adjoint(self, s: torch.Tensor) -> torch.Tensor:
        reach, length = len(self._in_time) // 2, s.shape[-1] * self._finer
        flat = s.reshape(-1, 1, s.shape[-1])
        spread = torch.nn.functional.conv_transpose1d(flat, self._in_time[None, None], stride=self._finer)
        return spread[..., reach : reach + length].reshape(*s.shape[:-1], length)


def interpolate(values: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
    """Interpolate linearly along the last axis.

    Parameters
    ----------
    values : torch.Tensor, shape (..., N)
        At 0, 1, ... N - 1.
    position : torch.Tensor, shape (M,)
        Where; beyond the last value it is held.

    Returns
    -------
    torch.Tensor, shape (..., M)
        The values there.

    Examples
    --------
    >>> interpolate(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.5, 7.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    position = position.to(values.device).clamp(max=values.shape[-1] - 1)
    left = position.floor().long()
    right = (left + 1).clamp(max=values.shape[-1] - 1)
    return torch.lerp(values[..., left], values[..., right], (position - left).to(values.dtype))


def _resample(values: torch.Tensor, hop: int, new: int) -> torch.Tensor:
    if hop >= new:
        return interpolate(values, torch.arange(ceil(values.shape[-1] * hop / new)) * (new / hop))
    flat = values.reshape(-1, 1, values.shape[-1])
    return torch.nn.functional.avg_pool1d(flat, new // hop, ceil_mode=True).reshape(*values.shape[:-1], -1)


def _richardson_lucy(first: torch.Tensor, step: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """Repeat a step that multiplies, with the momentum of Nesterov's method on the logarithms: ten times as sharp."""
    before = now = first
    for k in range(_SHARPEN):
        ahead = now * (now / before.clamp_min(1e-30)).clamp(0.1, 10) ** (k / (k + 3))
        before, now = now, step(ahead)
    return now
