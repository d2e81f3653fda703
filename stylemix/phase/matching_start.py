"""A sound to start from, made of the wanted coefficients alone: envelopes sharpened, phase estimated.

The rows of order 1 say how loud each band is on average. Averages over time and over the width of a band are blurs
with known kernels, so they are undone as one undoes the blur of a telescope, and the spectrum found is given a phase.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, pi
from typing import Literal

import numpy as np
import torch

from stylemix.phase.griffin_lim import griffin_lim
from stylemix.phase.matching_target import Target
from stylemix.transforms import VQT, Coefficients
from stylemix.transforms.limits import FLOOR
from stylemix.transforms.morlet import LOWPASS_WIDTH

# Frames of the sharpened envelope for each frame of the coefficients.
_FINER = 8
# Frequencies for each band of the variable-Q transform.
_PER_BAND = 3
# Steps of deconvolution. More make a lone sinusoid sharper, and no better start of music.
_SHARPEN = 200
# Rounds in which the transform itself corrects the spectrum: order 1 is then met to 2 %, in music with bass to 8 %.
_ROUNDS = 5
# Iterations of Griffin-Lim in each round. More make no better start.
_PHASE_STEPS = 4
# Rows of several rates are brought to this hop, if theirs is longer or shorter.
_COMMON_HOP = 256


def first_guess(
    target: Target, n_samples: int, *, phase: Literal["estimated", "random"] = "estimated", seed: int = 0
) -> torch.Tensor | None:
    """Make a sound that has about the wanted coefficients.

    Of magnitudes of a `VQT` it is what `griffin_lim` gives. Otherwise the rows of order 1 (or all rows, of a
    transform without orders) are sharpened in time and in frequency by the Richardson-Lucy iteration, as was done for
    the scattering's average in [1]_; the spectrum goes to the bands of a variable-Q transform, which give it a phase;
    and what the transform finds in the sound corrects the spectrum, with the same iteration, a few times. Order 0 is
    added at the end.

    Parameters
    ----------
    target : Target
        What is wanted.
    n_samples : int
        Length of the sound.
    phase : {"estimated", "random"}
        From the magnitudes, or from the generator.
    seed : int
        Of the random phase.

    Returns
    -------
    torch.Tensor, shape (..., n_samples), or None
        The sound; None where the transform does not name at least two frequencies.

    References
    ----------
    .. [1] J. Anden, S. Mallat, "Deep scattering spectrum", IEEE Trans. Signal Processing 62(16), 2014, section V.

    Examples
    --------
    >>> from stylemix.transforms import TimeScattering
    >>> scattering = TimeScattering(8000, J=8)
    >>> tone = 0.1 * torch.cos(2 * torch.pi * 700 / 8000 * torch.arange(8000.0))
    >>> wanted = scattering.forward(tone)
    >>> guess = first_guess(Target(scattering, wanted), 8000)
    >>> bool((scattering.forward(guess).array - wanted.array).norm() < 0.1 * wanted.array.norm())
    True
    """
    if target.silent:
        return torch.zeros(*_leading(target), n_samples, dtype=_real(target.groups[0]), device=target.groups[0].device)
    if target.groups[0].is_complex() and hasattr(target.transform, "inverse"):
        wanted = target.wanted if isinstance(target.wanted, Coefficients) else None
        return None if wanted is None else target.transform.inverse(wanted)
    if isinstance(target.transform, VQT) and not target.groups[0].is_complex():
        vqt = target.transform
        start = _random_phases(target.groups, seed) if phase == "random" else None
        return griffin_lim(target.groups, vqt, n_samples, n_iter=0 if phase == "random" else 16, start=start)
    rows = _Rows.of(target)
    if rows is None:
        return None
    # Narrow bands at low frequencies, where scattering has narrow ones too.
    vqt = VQT(target.transform.sample_rate, gamma_hz=5.0, hop_length=512)  # type: ignore[union-attr]
    spectrum = _Spectrum(rows, vqt, rows.amplitudes(target.groups), n_samples)
    sound = _voice(spectrum.magnitudes(), vqt, n_samples, phase, seed)
    for _ in range(_ROUNDS):
        spectrum.correct(rows.amplitudes(target.analyse(sound)))
        sound = _voice(spectrum.magnitudes(), vqt, n_samples, phase, seed)
    return _with_order_zero(sound, target)


class _Rows:
    """The rows that hold the loudness of bands: which they are, where the bands lie, how long they average."""

    def __init__(self, target: Target, keep: np.ndarray, frequency_hz: np.ndarray) -> None:
        meta, transform = target.meta, target.transform
        width = np.asarray(meta["bandwidth_hz"], dtype=float).reshape(len(keep), -1)[keep, 0]
        self.transform = transform
        sizes = [g.shape[-2] for g in target.groups]
        parts = np.split(keep, np.cumsum(sizes)[:-1])
        hops = np.asarray(meta["hop"])
        self.selected = [np.flatnonzero(part).tolist() for part in parts]
        self.hops = [int(h[0]) for h in np.split(hops, np.cumsum(sizes)[:-1])]
        self.hop = self.hops[0] if len(self.hops) == 1 else _COMMON_HOP
        self.frequency_hz = frequency_hz[keep]
        # Rows that lie further apart than they are wide, after an average over bands, answer for the bands between.
        order = np.argsort(self.frequency_hz)
        gaps = np.empty(len(order))
        gaps[order] = np.gradient(self.frequency_hz[order])
        self.bandwidth_hz = np.maximum(np.nan_to_num(width), np.abs(gaps))
        # Of the average of a whole sound nothing is to be sharpened.
        self.average = 0.0 if getattr(transform, "T", None) == "global" else float(getattr(transform, "average", 0.0))

    @classmethod
    def of(cls, target: Target) -> _Rows | None:
        """Find them; None if there are none."""
        meta = target.meta
        if not {"frequency_hz", "bandwidth_hz", "hop"} <= meta.keys():
            return None
        n = len(meta["hop"])
        frequency = np.asarray(meta["frequency_hz"], dtype=float).reshape(n, -1)[:, 0]
        keep = np.asarray(meta.get("order", np.ones(n))) == 1
        # Wavelets along log-frequency have no mean: their rows hold the loudness of no band.
        keep &= np.nan_to_num(np.asarray(meta.get("xi_fr", np.zeros(n)), dtype=float)) == 0
        keep &= np.nan_to_num(frequency) > 0
        return None if any(g.ndim < 2 for g in target.groups) or keep.sum() < 2 else cls(target, keep, frequency)

    def amplitudes(self, groups: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Take the rows out, (..., R, N) at one hop, with logarithms and divisions undone."""
        found = []
        for g, rows, hop in zip(groups, self.selected, self.hops, strict=True):
            if not rows:
                continue
            values = g[..., rows, :].abs() if g.is_complex() else g[..., rows, :]
            if getattr(self.transform, "log", False):
                values = torch.exp(values) - FLOOR
            if getattr(self.transform, "renormalize", False):
                zero = torch.exp(g[..., :1, :]) if getattr(self.transform, "log", False) else g[..., :1, :]
                values = values * zero
            found.append(values.clamp_min(0) if hop == self.hop else _resample(values.clamp_min(0), hop, self.hop))
        n = min(f.shape[-1] for f in found)
        return torch.cat([f[..., :n] for f in found], dim=-2)


class _Spectrum:
    """Power over frequency and time, found by deconvolution of amplitudes that bands have on average."""

    def __init__(self, rows: _Rows, vqt: VQT, amplitudes: torch.Tensor, n_samples: int) -> None:
        self.vqt, self.n_samples, self.wanted = vqt, n_samples, amplitudes
        self.finer = _FINER if rows.average else 1
        self.hop = rows.hop / self.finer
        # A Gauss window whose gain has deviation w in frequency has deviation 1 / (2 pi w) in time.
        deviation = rows.average / (2 * pi * LOWPASS_WIDTH) / self.hop
        t = torch.arange(-ceil(4 * deviation), ceil(4 * deviation) + 1, dtype=torch.float64)
        kernel = torch.exp(-0.5 * (t / max(deviation, 1e-3)).square())
        self.in_time = (kernel / kernel.sum()).to(amplitudes)
        bank = vqt.bank
        position = np.arange(1, _PER_BAND * (vqt.n_bands - 1) + 1) / _PER_BAND
        frequency = bank.octave_width_hz * np.expm1(position * bank.step)
        least = np.interp(rows.frequency_hz, frequency, np.gradient(frequency))
        width = np.maximum(rows.bandwidth_hz, least)[:, None]
        # Half of the power is left half a width away from the middle.
        response = 2.0 ** -np.square((frequency - rows.frequency_hz[:, None]) / (width / 2))
        self.in_frequency = torch.as_tensor(response).to(amplitudes)
        bells = np.stack([np.square(bank.window(band, frequency)) for band in range(vqt.n_bands)])
        self.to_bands = torch.as_tensor(bells).to(amplitudes)
        self.power = self._across(self._sharpened().square())

    def magnitudes(self) -> tuple[torch.Tensor, ...]:
        """Give the spectrum to the bands of the variable-Q transform, on its lattice."""
        level = (self.to_bands @ self.power).clamp_min(1e-20).sqrt()
        hop, lattice = self.vqt.hop_length, torch.log(level)
        n = self.vqt.n_frames(self.n_samples)
        spread = self.vqt.spread(_at(lattice, torch.arange(n) * (hop / self.hop)), self.n_samples)
        frames = [ceil(self.n_samples / h) for h in self.vqt.hops]
        # Beyond the end there is nothing, and what is rounded to nothing stays nothing.
        return tuple(torch.where((m > -20) & (torch.arange(m.shape[-1], device=m.device) < n), m.exp(), 0.0)
                     for m, n in zip(spread, frames, strict=True))

    def correct(self, found: torch.Tensor) -> None:
        """Take a step of deconvolution with what the transform finds in the sound, in place of what was modelled.

        Where Richardson and Lucy average quotients, this takes the quotient of averages: a band that is silent by
        chance shall not count more than a loud one.
        """
        wanted, found = (self.in_frequency.T @ self._adjoint(a).square() for a in (self.wanted, found))
        least = 1e-12 * float(wanted.max())
        self.power = self.power * ((wanted + least) / (found + least)).clamp(0.01, 100)

    def _sharpened(self) -> torch.Tensor:
        """Undo the average over time: (..., R, N) to (..., R, N * finer)."""
        if self.finer == 1:
            return self.wanted
        first = _at(self.wanted, torch.arange(self.wanted.shape[-1] * self.finer) / self.finer)
        norm = self._adjoint(torch.ones_like(self.wanted))
        least = 1e-9 * float(self.wanted.max())
        return _richardson_lucy(
            first, lambda u: u * self._adjoint(self.wanted / self._blurred(u).clamp_min(least)) / norm
        )

    def _across(self, power: torch.Tensor) -> torch.Tensor:
        """Undo the width of the bands: (..., R, M) to (..., F, M)."""
        response = self.in_frequency
        norm = response.sum(0)[:, None].clamp_min(1e-6)
        least = 1e-18 * float(power.max())
        first = (response.T @ power) / norm
        return _richardson_lucy(first, lambda p: p * (response.T @ (power / (response @ p).clamp_min(least))) / norm)

    def _blurred(self, u: torch.Tensor) -> torch.Tensor:
        reach = len(self.in_time) // 2
        padded = torch.nn.functional.pad(u.reshape(-1, 1, u.shape[-1]), (reach, reach), mode="replicate")
        blurred = torch.nn.functional.conv1d(padded, self.in_time[None, None], stride=self.finer)
        return blurred.reshape(*u.shape[:-1], -1)

    def _adjoint(self, s: torch.Tensor) -> torch.Tensor:
        reach, length = len(self.in_time) // 2, s.shape[-1] * self.finer
        flat = s.reshape(-1, 1, s.shape[-1])
        spread = torch.nn.functional.conv_transpose1d(flat, self.in_time[None, None], stride=self.finer)
        return spread[..., reach : reach + length].reshape(*s.shape[:-1], length)


def _richardson_lucy(first: torch.Tensor, step: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """Repeat a step that multiplies, with the momentum of Nesterov's method on the logarithms: ten times as sharp."""
    before = now = first
    for k in range(_SHARPEN):
        ahead = now * (now / before.clamp_min(1e-30)).clamp(0.1, 10) ** (k / (k + 3))
        before, now = now, step(ahead)
    return now


def _voice(
    magnitudes: tuple[torch.Tensor, ...], vqt: VQT, n_samples: int, phase: str, seed: int
) -> torch.Tensor:
    if phase == "estimated":
        return griffin_lim(magnitudes, vqt, n_samples, n_iter=_PHASE_STEPS)
    phases = _random_phases(magnitudes, seed)
    groups = tuple(torch.polar(m, p) for m, p in zip(magnitudes, phases, strict=True))
    return vqt.inverse(Coefficients(groups, vqt.hops, n_samples))


def _random_phases(magnitudes: tuple[torch.Tensor, ...], seed: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(2 * pi * torch.rand(m.shape, generator=generator, dtype=m.dtype).to(m.device) for m in magnitudes)


def _with_order_zero(sound: torch.Tensor, target: Target) -> torch.Tensor:
    """Add what is missing in the low-passed sound, which is linear: exact but for the low-pass itself."""
    bent = getattr(target.transform, "log", False) or getattr(target.transform, "renormalize", False)
    rows = np.flatnonzero(np.asarray(target.meta.get("order", [1])) == 0)
    if bent or len(rows) != 1:
        return sound
    at = torch.arange(sound.shape[-1]) / target.meta["hop"][rows[0]]
    for _ in range(3):
        missing = target.groups[0][..., rows, :] - target.analyse(sound)[0][..., rows, :]
        sound = sound + _at(missing, at)[..., 0, :]
    return sound


def _at(values: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
    """Interpolate along time; the last value is held."""
    position = position.to(values.device).clamp(max=values.shape[-1] - 1)
    left = position.floor().long()
    right = (left + 1).clamp(max=values.shape[-1] - 1)
    return torch.lerp(values[..., left], values[..., right], (position - left).to(values.dtype))


def _resample(values: torch.Tensor, hop: int, new: int) -> torch.Tensor:
    if hop > new:
        return _at(values, torch.arange(ceil(values.shape[-1] * hop / new)) * (new / hop))
    flat = values.reshape(-1, 1, values.shape[-1])
    return torch.nn.functional.avg_pool1d(flat, new // hop, ceil_mode=True).reshape(*values.shape[:-1], -1)


def _leading(target: Target) -> tuple[int, ...]:
    return tuple(target.groups[0].shape[:-2])


def _real(group: torch.Tensor) -> torch.dtype:
    return torch.zeros((), dtype=group.dtype).abs().dtype
