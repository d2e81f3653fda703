"""One block of a hybrid: what the model makes of both parents, and the parents' own details on top."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from stylemix.hybrid.overlap import CROSSFADE_S
from stylemix.hybrid.transport import Transport
from stylemix.phase import Magnitudes, parents_phase, recover_channels
from stylemix.phase.lattice import Wanted
from stylemix.transforms import VQT, Coefficients

if TYPE_CHECKING:
    from stylemix.model.run import Run

DB = float(np.log(10) / 20)
# Below this, relative to the source's peak, there is nothing to divide by.
FLOOR_DB = -120.0
# Half-way, a parent's detail may differ from what the model says by so much; without limit at its own end.
DETAIL_DB = 30.0
# The model may not put more than this above what the parents have in the neighbourhood: noise is not to be
# lifted.
HEADROOM_DB = 12.0
HEADROOM_BANDS = 3
# A parent is as good as alone where the other is 40 dB below it: the more of its phases are
# kept, the less of the hybrid's magnitudes is (tests/bench/hybrid_phase.py).
ALONE = 100.0


@dataclass(frozen=True)
class Voice:
    """One parent in one block: its coefficients and how the model sees it.

    Parameters
    ----------
    coefficients : Coefficients
        Shape (C, K_g, N_g) in each group.
    log_power : tuple of torch.Tensor, each (K_g, N_g)
        Logarithm of the magnitude whose square is the mean power over the channels.
    pooled : torch.Tensor, shape (K, N)
        The same at the common frame rate.
    codes : np.ndarray, shape (D, M)
        Latent codes.
    loudness : np.ndarray, shape (N,)
        Log-loudness.
    """

    coefficients: Coefficients
    log_power: tuple[torch.Tensor, ...]
    pooled: torch.Tensor
    codes: np.ndarray
    loudness: np.ndarray


@dataclass(frozen=True)
class Blender:
    """Everything that stays the same from block to block.

    Parameters
    ----------
    run : Run
        The trained model.
    conditions : np.ndarray, shape (2, n_corpora)
        Weights of the corpora at alpha 0 and at alpha 1.
    log_peak : float
        Logarithm of the source's largest magnitude.
    transport : Transport, optional
        In the mode ``style``: the map of the source's codes, instead of a target.
    phase : {"auto", "parents", "source", "estimate"}
        Where phases come from.
    quality : {"draft", "good", "best"}
        How much work an estimate of the phases is worth; see `stylemix.phase.recover`.
    """

    run: Run
    conditions: np.ndarray
    log_peak: float
    transport: Transport | None = None
    phase: str = "auto"
    quality: str = "good"

    @property
    def vqt(self) -> VQT:
        """The transform of the run."""
        return self.run.vqt

    def blend(
        self,
        source: np.ndarray,
        target: np.ndarray | None,
        alpha_at: Callable[[np.ndarray], np.ndarray],
        known: np.ndarray | None = None,
    ) -> np.ndarray:
        """Render one block.

        Parameters
        ----------
        source : np.ndarray, shape (C, T)
            The block of the source at the model's rate; T a multiple of the latent hop.
        target : np.ndarray, shape (C, T), optional
            What was matched with it; None in the mode ``style``.
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
        alphas = alpha_at(np.arange(0, n_samples, self.vqt.hop_length))
        if self.phase != "estimate" and not alphas.any():
            return source
        if self.phase in ("auto", "parents") and target is not None and (alphas == 1).all():
            return target
        with torch.inference_mode():
            a = self.voice(source, 0)
            b = self.voice(target, 1) if target is not None else None
            lattice = self._lattice(alpha_at, a.coefficients)
            log_magnitude = self._log_magnitude(a, b, alphas, lattice)
            other = b.coefficients.groups if b is not None and self.phase in ("auto", "parents") else None
            turns = parents_phase(a.coefficients.groups, other, lattice)
            wanted = Magnitudes(self.vqt, n_samples, tuple(m.exp() for m in log_magnitude))
            if self.phase not in ("auto", "estimate"):
                return self.sound(wanted, turns)
            locked = _locked(a, b, lattice) if self.phase == "auto" else None
            return self.estimated(wanted, turns, known, locked)

    def voice(self, samples: np.ndarray, side: int) -> Voice:
        """Analyse and encode one parent's block.

        Parameters
        ----------
        samples : np.ndarray, shape (C, T)
            Sound at the model's rate.
        side : int
            0 for the source, 1 for the target: which condition encodes it.

        Returns
        -------
        Voice
            Coefficients, features and codes.
        """
        coefficients = self.vqt.forward(torch.from_numpy(np.ascontiguousarray(samples)))
        power = tuple(m.square().mean(dim=0).sqrt() for m in coefficients.magnitudes())
        pooled = self.vqt.pool(power, samples.shape[-1])
        latents = self.run.encode(pooled.numpy(), self.conditions[side], self.run.context(samples))
        return Voice(coefficients, self._log(power), pooled, latents.codes, latents.loudness)

    def _log(self, magnitudes: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        floor = float(np.exp(max(self.log_peak + FLOOR_DB * DB, -70.0)))
        return tuple(m.clamp_min(floor).log() for m in magnitudes)

    def _lattice(
        self, alpha_at: Callable[[np.ndarray], np.ndarray], c: Coefficients
    ) -> tuple[torch.Tensor, ...]:
        return tuple(
            torch.from_numpy(alpha_at(np.arange(g.shape[-1]) * hop).astype(np.float32))
            for g, hop in zip(c.groups, c.hops, strict=True)
        )

    def _log_magnitude(
        self, a: Voice, b: Voice | None, alphas: np.ndarray, lattice: tuple[torch.Tensor, ...]
    ) -> tuple[torch.Tensor, ...]:
        """Decode the parents and what lies between them; give the model's answer the parents' details."""
        n_samples, n_steps = a.coefficients.n_samples, a.codes.shape[1]
        weights = alphas[:: -(-len(alphas) // n_steps)][:n_steps]
        end = b.codes if b is not None else self._moved(a.codes)
        codes = a.codes + weights * (end - a.codes)
        condition = np.outer(self.conditions[0], 1 - weights) + np.outer(self.conditions[1], weights)
        loudness = a.loudness if b is None else a.loudness + alphas * (b.loudness - a.loudness)
        between = self._decoded(codes, condition, loudness, n_samples)
        own = self._decoded(a.codes, self.conditions[0], a.loudness, n_samples)
        details = [(own, a, [torch.ones_like(w) if b is None else 1 - w for w in lattice])]
        if b is not None:
            details.append(
                (self._decoded(b.codes, self.conditions[1], b.loudness, n_samples), b, list(lattice))
            )
        out = list(between)
        for decoded, voice, shares in details:
            for g, share in enumerate(shares):
                # In the mode "style" the source's details stay, limited by how far it has moved.
                limit = detail_limit(share if b is not None else 1 - lattice[g])
                detail = voice.log_power[g] - decoded[g]
                out[g] = out[g] + share * torch.minimum(torch.maximum(detail, -limit), limit)
        image = self._image(a, b, lattice)
        return tuple(torch.minimum(o, c) + i for o, c, i in zip(out, self._cap(a, b), image, strict=True))

    def _moved(self, codes: np.ndarray) -> np.ndarray:
        return codes if self.transport is None else self.transport(codes)

    def _decoded(
        self,
        codes: np.ndarray,
        condition: np.ndarray,
        loudness: np.ndarray,
        n_samples: int,
    ) -> tuple[torch.Tensor, ...]:
        decoded = torch.from_numpy(self.run.decode(codes.astype(np.float32), condition, loudness))
        return self.vqt.spread(decoded, n_samples)

    def _cap(self, a: Voice, b: Voice | None) -> list[torch.Tensor]:
        """Return the most a magnitude may be: a little above the parents around it, or a parent itself."""
        parents = [a] if b is None else [a, b]
        pooled = torch.stack([p.pooled for p in parents]).amax(dim=0)
        width = 2 * HEADROOM_BANDS + 1
        around = torch.nn.functional.max_pool1d(pooled.T, width, stride=1, padding=HEADROOM_BANDS).T
        out = list(self.vqt.spread(around + HEADROOM_DB * DB, a.coefficients.n_samples))
        for parent in parents:
            out = [torch.maximum(o, p) for o, p in zip(out, parent.log_power, strict=True)]
        return out

    def _image(self, a: Voice, b: Voice | None, lattice: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
        """Return how much louder each channel is than the mean of the channels, (C, K_g, N_g)."""

        def image(voice: Voice) -> list[torch.Tensor]:
            channels = self._log(voice.coefficients.magnitudes())
            return [c - p for c, p in zip(channels, voice.log_power, strict=True)]

        if b is None:
            return image(a)
        return [s + w * (t - s) for s, t, w in zip(image(a), image(b), lattice, strict=True)]

    def sound(self, wanted: Wanted, turns: tuple[torch.Tensor, ...]) -> np.ndarray:
        """Synthesise magnitudes with given phases.

        Parameters
        ----------
        wanted : Magnitudes or PooledMagnitudes
            Of C channels.
        turns : tuple of torch.Tensor, each (C, K_g, N_g), complex
            Phases, as numbers of magnitude 1.

        Returns
        -------
        np.ndarray, shape (C, T), float32
            Sound.
        """
        groups = tuple(m * t for m, t in zip(wanted.magnitudes, turns, strict=True))
        return self.vqt.inverse(Coefficients(groups, self.vqt.hops, wanted.n_samples)).numpy()

    def estimated(
        self,
        wanted: Wanted,
        turns: tuple[torch.Tensor, ...],
        known: np.ndarray | None,
        locked: tuple[torch.Tensor, ...] | None = None,
    ) -> np.ndarray:
        """Synthesise magnitudes with phases that are estimated from them.

        Parameters
        ----------
        wanted : Magnitudes or PooledMagnitudes
            Of C channels.
        turns : tuple of torch.Tensor, each (C, K_g, N_g), complex
            Phases of the parents, for the differences between the channels.
        known : np.ndarray, shape (C, T'), optional
            The beginning as rendered before.
        locked : tuple of torch.Tensor, each broadcasting to (K_g, N_g), bool, optional
            Where the parents' phases are right themselves.

        Returns
        -------
        np.ndarray, shape (C, T), float32
            Sound.
        """
        head = None if known is None else torch.from_numpy(np.ascontiguousarray(known))
        # Where the blocks are crossfaded this one may already do what it asks for itself.
        n_kept = 0 if known is None else max(0, known.shape[-1] - round(CROSSFADE_S * self.vqt.sample_rate))
        return recover_channels(
            wanted, quality=self.quality, between=turns, locked=locked, known=head, n_kept=n_kept
        ).numpy()


def _locked(a: Voice, b: Voice | None, lattice: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """Say where one parent is as good as alone, (K_g, N_g): its phase needs no estimate, and others go on from it.

    Towards its end a hybrid becomes the parent itself without a step.
    """
    out = []
    for g, w in enumerate(lattice):
        if b is None:
            out.append((ALONE * w <= 1 - w).expand_as(a.log_power[g]))
            continue
        s, t = (1 - w) * a.log_power[g].exp(), w * b.log_power[g].exp()
        out.append((ALONE * t <= s) | (ALONE * s <= t))
    return tuple(out)


def detail_limit(share: torch.Tensor) -> torch.Tensor:
    """Say how far a parent's detail may go: `DETAIL_DB` at a small share, no limit where it is alone.

    Parameters
    ----------
    share : torch.Tensor
        The parent's share, 0 to 1.

    Returns
    -------
    torch.Tensor
        Natural logarithms, at least ``DETAIL_DB`` in them.

    Examples
    --------
    >>> detail_limit(torch.tensor([0.0, 1.0])).div(DB).round().tolist()
    [30.0, inf]
    """
    return DETAIL_DB * DB / (1 - share.clamp(0, 1) ** 4)
