"""A sound to start from: made of the wanted coefficients alone, or noise at the right level."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import Literal

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.phase.instantaneous import instantaneous_phase
from stylemix.phase.matching.envelope import Bands, Spectrum, interpolate
from stylemix.phase.matching.target import Target
from stylemix.phase.projections import griffin_lim
from stylemix.transforms import VQT, Coefficients
from stylemix.transforms.coefficients import check_sound

# Rounds in which the transform itself corrects the spectrum. Order 1 of music is then met to 2 %, with much bass to 9.
_ROUNDS = 5
# Iterations of Griffin-Lim in each round. More make no better start.
_PHASE_STEPS = 4


def first_guess(
    target: Target, n_samples: int, *, phase: Literal["estimated", "random"] = "estimated", seed: int = 0
) -> torch.Tensor | None:
    """Make a sound that has about the wanted coefficients.

    Of complex coefficients it is what the transform's own inverse gives, of magnitudes of a `VQT` what `griffin_lim`
    gives. Otherwise the rows of order 1 (or all rows, of a transform without orders) are sharpened in time and in
    frequency by deconvolution, as [1]_ did in time; the spectrum goes to the bands of a variable-Q transform, which
    give it a phase; what the transform finds in the sound corrects the spectrum, a few times; and order 0 is added.

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
    >>> bool((scattering.forward(guess).array - wanted.array).norm() < 0.2 * wanted.array.norm())
    True
    """
    if target.silent:
        return target.silence(n_samples)
    wanted = target.wanted
    if isinstance(wanted, Coefficients) and wanted.groups[0].is_complex() and hasattr(target.transform, "inverse"):
        sound: torch.Tensor = target.transform.inverse(wanted)
        return sound
    if isinstance(target.transform, VQT):
        estimated = phase == "estimated"
        start = None if estimated else _random_phases(target.groups, seed)
        return griffin_lim(target.groups, target.transform, n_samples, n_iter=16 if estimated else 0, start=start)
    bands = Bands.of(target)
    return None if bands is None else _sound_of(bands, target, n_samples, None if phase == "estimated" else seed)


def begin(
    targets: Sequence[Target], n_samples: int, start: torch.Tensor | Literal["phase", "random", "noise"], seed: int
) -> torch.Tensor:
    """Take or make the sound to start with.

    Parameters
    ----------
    targets : sequence of Target
        What is wanted; a guess is made of the first that one can be made of.
    n_samples : int
        Length of the sound.
    start : torch.Tensor or {"phase", "random", "noise"}
        As for `match`.
    seed : int
        Of noise and random phases.

    Returns
    -------
    torch.Tensor, shape (..., n_samples)
        The sound.

    Raises
    ------
    BadInput
        If `start` is no sound of this shape, is silent where sound is wanted, or is none of the names.
    """
    silence, all_silent = targets[0].silence(n_samples), all(target.silent for target in targets)
    if isinstance(start, torch.Tensor):
        sound = check_sound(start, "match: start").detach().to(silence)
        if sound.shape != silence.shape:
            raise BadInput(f"match: start must have the shape {tuple(silence.shape)}, got {tuple(sound.shape)}")
        if not bool(sound.any()) and not all_silent:
            raise BadInput("match: start is silent, and silence has no gradient; give noise, or start='noise'")
        return sound
    if start not in ("phase", "random", "noise"):
        raise BadInput(f"match: start must be a sound, 'phase', 'random' or 'noise', got {start!r}")
    if all_silent:
        return silence
    for target in targets if start != "noise" else ():
        guess = first_guess(target, n_samples, phase="estimated" if start == "phase" else "random", seed=seed)
        if guess is not None and bool(guess.any()):
            return guess
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(silence.shape, generator=generator, dtype=silence.dtype).to(silence.device)
    levels = [10.0 ** (k / 2) for k in range(-9, 3)]
    return noise * min(levels, key=lambda level: _bias(targets, level * noise))


def _sound_of(bands: Bands, target: Target, n_samples: int, seed: int | None) -> torch.Tensor:
    # Narrow bands at low frequencies, where scattering has narrow ones too.
    vqt = VQT(bands.transform.sample_rate, gamma_hz=5.0, hop_length=512)
    spectrum = Spectrum(bands, bands.amplitudes(target.groups), vqt, n_samples)
    sound = _voice(spectrum.magnitudes(), vqt, n_samples, seed)
    for _ in range(_ROUNDS):
        spectrum.correct(bands.amplitudes(target.analyse(sound)))
        sound = _voice(spectrum.magnitudes(), vqt, n_samples, seed)
    return _with_order_zero(sound, target)


def _voice(magnitudes: tuple[torch.Tensor, ...], vqt: VQT, n_samples: int, seed: int | None) -> torch.Tensor:
    if seed is None:
        # Magnitudes that are guessed are no sound's, and what they say of onsets is not worth integrating.
        # At one level, so that what is too soft to tell a frequency does not depend on loudness.
        loudest = max(float(m.max()) for m in magnitudes) or 1.0
        phases = instantaneous_phase(tuple(m / loudest for m in magnitudes), vqt)
        return griffin_lim(magnitudes, vqt, n_samples, n_iter=_PHASE_STEPS, start=phases)
    phases = _random_phases(magnitudes, seed)
    groups = tuple(torch.polar(m, p) for m, p in zip(magnitudes, phases, strict=True))
    return vqt.inverse(Coefficients(groups, vqt.hops, n_samples))


def _random_phases(magnitudes: tuple[torch.Tensor, ...], seed: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(2 * pi * torch.rand(m.shape, generator=generator, dtype=m.dtype).to(m.device) for m in magnitudes)


def _with_order_zero(sound: torch.Tensor, target: Target) -> torch.Tensor:
    """Add what is missing in the low-passed sound; what a line between its frames leaves out, the next round adds."""
    bent = getattr(target.transform, "log", False) or getattr(target.transform, "renormalize", False)
    rows = np.flatnonzero(np.asarray(target.meta.get("order", [1])) == 0)
    if bent or len(rows) != 1:
        return sound
    frames = torch.arange(sound.shape[-1]) / target.meta["hop"][rows[0]]
    # Each round leaves about half of it.
    for _ in range(4):
        missing = target.groups[0][..., rows[0], :] - target.analyse(sound)[0][..., rows[0], :]
        sound = sound + interpolate(missing, frames)
    return sound


def _bias(targets: Sequence[Target], sound: torch.Tensor) -> float:
    """Say how far the size of the coefficients is off: at the right level little, whatever the phase is."""
    total = 0.0
    for target in targets:
        # Of what may be negative, logarithms above all, the sum tells the level; else the norm.
        signed = any(not w.is_complex() and bool(w.min() < 0) for w in target.groups)
        sizes = [
            sum(float(g.sum() if signed else g.abs().square().sum()) for g in groups)
            for groups in (target.analyse(sound), target.groups)
        ]
        found, wanted = sizes if signed else [size**0.5 for size in sizes]
        total += target.weight * abs(found - wanted) / max(abs(wanted), 1e-12)
    return total
