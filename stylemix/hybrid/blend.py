"""One block of a hybrid: every parent is brought to one envelope and one loudness, then their partials are mixed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from stylemix.hybrid.dials import Dials
from stylemix.hybrid.layers import Layers, Weights, colour_of, envelope_bands, norm, split, weights_at
from stylemix.hybrid.modes import MODES
from stylemix.hybrid.synthesis import with_estimate, with_phases
from stylemix.hybrid.voice import Voice, hear
from stylemix.phase import Magnitudes, unit
from stylemix.transforms import VQT, Coefficients

DB = float(np.log(10) / 20)
# A parent's band is lifted by no more than this, so that what it has instead of silence stays unheard, and lowered by
# no more than that.
LIFT_DB = 24.0
CUT_DB = 80.0
# Frames as soft as the first (their norm, against full scale) are pauses and not lifted at all, those as loud as the
# second in full.
PAUSE_DB = (-60.0, -40.0)
# (For single bands such a rule costs too much: what a piano has between its partials is what becomes an organ.)
# A learned shift may make the source softer, as decaying sounds are, but hardly louder than it is.
LOUDER_DB = 6.0
# Over this the powers of mixed voices are compared with the power of their sum.
LEVEL_S = 0.2

StyleShift = Callable[[Voice, np.ndarray], torch.Tensor]
"""Gives, of a voice and its samples, the change (K, N) of its log-magnitudes towards how another corpus sounds."""


@dataclass(frozen=True)
class Blender:
    """Everything that stays the same from block to block.

    Parameters
    ----------
    vqt : VQT
        The run's transform.
    frames_per_step : int
        Frames in a latent step.
    dials : Dials
        Resolved (see `stylemix.hybrid.modes.resolve`).
    shares : tuple of float
        Of each target in what alpha 1 stands for; they sum to 1.
    shift : callable, optional
        In the mode ``style``, instead of targets: see `StyleShift`.
    """

    vqt: VQT
    frames_per_step: int
    dials: Dials
    shares: tuple[float, ...] = (1.0,)
    shift: StyleShift | None = None

    def blend(
        self,
        source: np.ndarray,
        targets: Sequence[np.ndarray],
        alpha_at: Callable[[np.ndarray], np.ndarray],
        known: np.ndarray | None = None,
    ) -> np.ndarray:
        """Render one block.

        Parameters
        ----------
        source : np.ndarray, shape (C, T)
            The block of the source at the model's rate; T a multiple of the latent hop.
        targets : sequence of np.ndarray, each (C, T)
            What was matched with it, one for each share; none in the mode ``style``.
        alpha_at : callable
            Gives alpha at samples of the block (array to array of the same shape).
        known : np.ndarray, shape (C, T'), optional
            The block's beginning as rendered with the block before (for the estimated phase).

        Returns
        -------
        np.ndarray, shape (C, T), float32
            The hybrid.
        """
        n_samples = source.shape[-1]
        if MODES[self.dials.mode].linear:
            return self._faded(source, targets, alpha_at(np.arange(n_samples)))
        alphas = alpha_at(np.arange(0, n_samples, self.vqt.hop_length))
        own_phases = self.dials.phase in ("auto", "parents")
        if self.dials.phase != "estimate" and not alphas.any():
            return source
        if own_phases and len(targets) == 1 and arrived(weights_at(alphas, self.dials)):
            return targets[0]
        with torch.inference_mode():
            voices = [hear(self.vqt, samples) for samples in (source, *targets)]
            parts = self._levelled(voices, source, alphas)
            if own_phases:
                sounds = [self.vqt.inverse(Coefficients(part, self.vqt.hops, n_samples)) for part in parts]
                return added(sounds, round(LEVEL_S * self.vqt.sample_rate)).numpy()
            mixed = tuple(sum(groups) for groups in zip(*parts, strict=True))
            wanted = Magnitudes(self.vqt, n_samples, tuple(c.abs() for c in mixed))
            if self.dials.phase == "source":
                return with_phases(self.vqt, wanted, tuple(unit(c) for c in voices[0].coefficients.groups))
            return with_estimate(self.vqt, wanted, tuple(unit(c) for c in mixed), known, self.dials.quality)

    def _faded(self, source: np.ndarray, targets: Sequence[np.ndarray], alphas: np.ndarray) -> np.ndarray:
        # Beyond the ends a fade would turn a parent upside down.
        alphas = alphas.clip(0, 1)
        other = sum(share * target for share, target in zip(self.shares, targets, strict=True))
        return ((1 - alphas) * source + alphas * other).astype(np.float32)

    def _levelled(self, voices: list[Voice], source: np.ndarray, alphas: np.ndarray) -> list[tuple[torch.Tensor, ...]]:
        """Bring the voices to one envelope and to their shares: for each that is heard, (C, K_g, N_g) in each group."""
        weights = weights_at(alphas, self.dials)
        layers = [self._layers(voice) for voice in voices]
        if self.shift is not None:
            layers.append(self._shifted(layers[0], self.shift(voices[0], source)))
        gains = common_gains(layers, weights, (1.0,) if self.shift is not None else self.shares)
        parts = []
        for i, voice in enumerate(voices):
            # Partials of different parents are unlike each other: their powers add up.
            share = 1 - weights.pitch if i == 0 else weights.pitch * self.shares[i - 1]
            if not share.any():
                continue
            level = torch.from_numpy(0.5 * np.log(np.maximum(share, 1e-12))).to(gains[i])
            spread = self.vqt.spread(gains[i] + level, source.shape[-1])
            parts.append(tuple(c * g.exp() for c, g in zip(voice.coefficients.groups, spread, strict=True)))
        return parts

    def _layers(self, voice: Voice) -> Layers:
        half_bands = envelope_bands(self.vqt.frequencies_hz)
        return split(voice.pooled, half_bands=half_bands, frames_per_step=self.frames_per_step)

    def _shifted(self, own: Layers, shift: torch.Tensor) -> Layers:
        """Return what the source's layers become in the other style; it is louder or softer where the shift says."""
        louder = (norm(own.spectrum + shift) - own.loudness).clamp(max=LOUDER_DB * DB)
        envelope = own.envelope + shift
        return replace(own, loudness=own.loudness + louder, envelope=envelope, colour=colour_of(envelope))


def added(sounds: Sequence[torch.Tensor], n_around: int) -> torch.Tensor:
    """Add voices up so that voices that are alike do not become louder than their powers together.

    Parameters
    ----------
    sounds : sequence of torch.Tensor, each (C, T)
        One or more.
    n_around : int
        Samples over which powers are averaged.

    Returns
    -------
    torch.Tensor, shape (C, T)
        The sum, times ``sqrt(sum of the powers / power of the sum)`` where that is less than 1.

    Examples
    --------
    >>> x = torch.sin(torch.arange(4000.0))[None]
    >>> bool((added([0.5**0.5 * x, 0.5**0.5 * x], 400) - x).abs().max() < 1e-3)
    True
    """
    if len(sounds) == 1:
        return sounds[0]
    total = torch.stack(list(sounds)).sum(dim=0)
    apart = sum(_power(x, n_around) for x in sounds)
    ratio = apart / _power(total, n_around).clamp_min(1e-20)
    return total * ratio.clamp(max=1.0).sqrt().to(total)


def _power(x: torch.Tensor, n_around: int) -> torch.Tensor:
    """Mean power over the channels and around each sample, shape (T,)."""
    power = x.double().square().mean(dim=0)[None, None]
    half = n_around // 2
    padded = torch.nn.functional.pad(power, (half + 1, half), mode="replicate")[0, 0]
    # Differences of one running sum: a window of thousands of samples costs as little as a short one.
    total = padded.cumsum(dim=0)
    width = 2 * half + 1
    return ((total[width:] - total[:-width]) / width).clamp_min(0.0)


def arrived(weights: Weights) -> bool:
    """Say whether a hybrid is its target itself.

    Parameters
    ----------
    weights : Weights
        How far the layers have gone.

    Returns
    -------
    bool
        True if all that is heard of the target is where it was.

    Examples
    --------
    >>> ones = np.ones(3)
    >>> arrived(Weights(ones, ones, ones, 0 * ones, ones)), arrived(Weights(ones, ones, 1.3 * ones, 0 * ones, ones))
    (True, False)
    """
    return all(bool((x == 1).all()) for x in (weights.loudness, weights.movement, weights.colour, weights.pitch))


def common_gains(layers: Sequence[Layers], weights: Weights, shares: Sequence[float]) -> list[torch.Tensor]:
    """Give the gains that bring every voice to one loudness and one envelope, and the source to one detail.

    Parameters
    ----------
    layers : sequence of Layers
        Of the source, then of each target.
    weights : Weights
        How far they have gone.
    shares : sequence of float
        Of each target.

    Returns
    -------
    list of torch.Tensor, each (K, N)
        Logarithms; 0 where a voice has what is wanted.
    """
    source, targets = layers[0], layers[1:]

    def common(weight: np.ndarray, own: torch.Tensor, others: list[torch.Tensor]) -> torch.Tensor:
        far = torch.from_numpy(weight).to(own)
        return own + sum(far * share * (other - own) for share, other in zip(shares, others, strict=True))

    loudness = common(weights.loudness, source.loudness, [t.loudness for t in targets])
    detail = common(weights.detail, source.detail, [t.detail for t in targets])
    envelope = common(weights.colour, source.colour, [t.colour for t in targets]) + common(
        weights.movement, source.envelope - source.colour, [t.envelope - t.colour for t in targets]
    )
    gains = []
    for i, voice in enumerate(layers):
        gain = envelope - voice.envelope
        if i == 0:
            gain = gain + detail - source.detail
        # The envelope is a smooth picture of the spectrum: what a gain does to the loudness is told by the spectrum.
        gain = gain + loudness - norm(voice.spectrum + gain)
        gains.append(torch.minimum(gain.clamp_min(-CUT_DB * DB), most_lift(voice.loudness)))
    return gains


def most_lift(loudness: torch.Tensor) -> torch.Tensor:
    """Say how far a frame may be lifted: what a parent has instead of silence stays unheard.

    Parameters
    ----------
    loudness : torch.Tensor, shape (N,)
        Logarithms, against full scale.

    Returns
    -------
    torch.Tensor, shape (N,)
        Logarithms of gains, at most `LIFT_DB`.

    Examples
    --------
    >>> (most_lift(torch.tensor([-70.0, -50.0, -20.0]) * DB) / DB).round().tolist()
    [0.0, 12.0, 24.0]
    """
    low, high = PAUSE_DB
    return LIFT_DB * DB * ((loudness / DB - low) / (high - low)).clamp(0, 1)
