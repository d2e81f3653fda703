"""What the translation between corpora is trained for: to know its corpora, to agree on content, to sound right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import one_hot

from stylemix.model.autoencoder import Autoencoder
from stylemix.model.device import arithmetic
from stylemix.model.losses import reconstruction_loss
from stylemix.model.material import Crops, Material
from stylemix.model.texture import RANGE, energy_distance, kernel_agreement, texture
from stylemix.model.translator import Translator, contour_of
from stylemix.recipe import Recipe

# Crops of each corpus, on average, that say how it sounds.
REFERENCES = 192
_BATCH = 24
_TRANSPOSE_SHARE = 0.3
# Noise on the fine structure and on the content (standard deviations; content has about unit variance).
_FINE_NOISE = 0.1
_CONTENT_NOISE = 0.05
_CYCLE_WEIGHT = 0.3
_UNIT_WEIGHT = 0.1
# Steps of each side that are compared for agreement: pairs grow with their square.
_COMPARED = 96


@dataclass(frozen=True)
class Sounds:
    """How the corpora sound: standardised textures of crops.

    Parameters
    ----------
    textures : tuple of torch.Tensor, each (S, Q)
        One a corpus; nothing of a corpus that is never drawn.
    weights : tuple of torch.Tensor, each (S,)
        How much of each crop is audible.
    mean, deviation : torch.Tensor, shape (Q,)
        What was standardised by.
    """

    textures: tuple[torch.Tensor, ...]
    weights: tuple[torch.Tensor, ...]
    mean: torch.Tensor
    deviation: torch.Tensor

    def to(self, device: torch.device) -> Sounds:
        """Copy to a device.

        Parameters
        ----------
        device : torch.device
            Where to.

        Returns
        -------
        Sounds
            The same there.
        """
        textures, weights = (tuple(x.to(device) for x in parts) for parts in (self.textures, self.weights))
        return Sounds(textures, weights, self.mean.to(device), self.deviation.to(device))

    def standardised(self, log_magnitude: torch.Tensor) -> torch.Tensor:
        """Describe crops in the same units.

        Parameters
        ----------
        log_magnitude : torch.Tensor, shape (B, K, N)
            Relative to the level around them.

        Returns
        -------
        torch.Tensor, shape (B, Q)
            Textures.
        """
        return (texture(log_magnitude) - self.mean) / self.deviation

    def distance(self, log_magnitude: torch.Tensor, weight: torch.Tensor, corpus: torch.Tensor) -> torch.Tensor:
        """Measure how far crops are from how corpora sound.

        Parameters
        ----------
        log_magnitude : torch.Tensor, shape (B, K, N)
            Relative to the level around them.
        weight : torch.Tensor, shape (B,)
            How much each counts.
        corpus : torch.Tensor, shape (B,), int
            The corpus that each should sound like.

        Returns
        -------
        torch.Tensor
            Energy distance, averaged over the corpora that are asked for.
        """
        found = self.standardised(log_magnitude)
        parts = []
        for c in corpus.unique().tolist():
            mine = corpus == c
            parts.append(energy_distance(found[mine], self.textures[c], weight[mine], self.weights[c]))
        return torch.stack(parts).mean()


def corpus_sounds(material: Material, n_frames: int, *, seed: int, frames: int) -> Sounds:
    """Collect how the corpora sound, from crops of what is learned from.

    Parameters
    ----------
    material : Material
        Where from.
    n_frames : int
        Length of a crop.
    seed : int
        The same seed gives the same crops.
    frames : int
        Over which a contour is relative.

    Returns
    -------
    Sounds
        Of all corpora.
    """
    rng = np.random.default_rng((seed, 1, 0))
    textures, weights, corpora = [], [], []
    with torch.no_grad():
        for _ in range(-(-REFERENCES * len(material.names) // _BATCH)):
            crops = material.draw(_BATCH, n_frames, rng)
            textures.append(texture(relative(crops, frames)))
            weights.append(crops.weight.mean(-1))
            corpora.append(crops.corpus)
    every, weight, corpus = torch.cat(textures), torch.cat(weights), torch.cat(corpora)
    # A statistic that hardly varies must not outshout the others.
    mean, deviation = every.mean(0), every.std(0) + 1e-3
    every = (every - mean) / deviation
    n = range(len(material.names))
    return Sounds(tuple(every[corpus == c] for c in n), tuple(weight[corpus == c] for c in n), mean, deviation)


def relative(crops: Crops, frames: int) -> torch.Tensor:
    """Return log-spectra relative to the level around them.

    Parameters
    ----------
    crops : Crops
        A batch.
    frames : int
        Over which a contour is relative.

    Returns
    -------
    torch.Tensor, shape (B, K, N)
        Shapes with their contours.
    """
    return crops.shape + contour_of(crops.loudness, frames).unsqueeze(-2)


class TranslationLoss:
    """The loss of a translator, on batches of its own.

    What is drawn depends on the seed and the step's number alone, and on nothing that the autoencoder draws.

    Parameters
    ----------
    material : Material
        What it learns from.
    recipe : Recipe
        The numbers.
    device : torch.device
        Where the steps are computed.
    """

    def __init__(self, material: Material, recipe: Recipe, device: torch.device) -> None:
        self.material, self.recipe, self.device = material, recipe, device
        self._sounds: Sounds | None = None

    def __call__(self, model: Autoencoder, step: int) -> torch.Tensor:
        """Compute the loss of one step.

        Parameters
        ----------
        model : Autoencoder
            One with a translator.
        step : int
            Number of the step.

        Returns
        -------
        torch.Tensor
            A scalar; only the translator's weights are in it, and at a step that is not its turn nothing is.
        """
        translator, training = model.translator, self.recipe.training
        if translator is None or step % training.style_every:
            return torch.zeros((), device=self.device)
        rng = np.random.default_rng((training.seed, 2, step))
        crops = self._draw(rng)
        torch.manual_seed(int(rng.integers(2**62)))
        log_magnitude = relative(crops, translator.contour_frames)
        other = self._others(crops.corpus, rng)
        with arithmetic(self.device, training.precision):
            noise = _FINE_NOISE * torch.randn_like(crops.shape)
            content = translator.encode(crops.shape, contour_of(crops.loudness, translator.contour_frames), noise)
            rendered = translator.render(content + _CONTENT_NOISE * torch.randn_like(content)).float()
        every = torch.arange(len(rendered), device=rendered.device)
        own = rendered[every, crops.corpus]
        n, n_frames = len(self.material.names), own.shape[-1]
        before, after = (one_hot(c, n).float()[..., None].expand(-1, -1, n_frames) for c in (crops.corpus, other))
        translated = log_magnitude + translator.change(rendered, log_magnitude, before, after)
        loss = reconstruction_loss(own, log_magnitude, crops.weight)
        loss = loss + training.style_weight * self.sounds.distance(translated, crops.weight.mean(-1), other)
        content = content.float()
        if training.agreement_weight:
            loss = loss + training.agreement_weight * _disagreement(content, crops.corpus, rng)
        again = self._read_again(translator, translated)
        loss = loss + _CYCLE_WEIGHT * (again - content.detach()).square().mean()
        return loss + _UNIT_WEIGHT * _from_unit(content)

    @property
    def sounds(self) -> Sounds:
        """How the corpora sound, collected when it is first asked for."""
        if self._sounds is None:
            size, training = self.recipe.model, self.recipe.training
            frames = Translator.contour_length(size.frames_per_step)
            n_frames = training.crop_steps * size.frames_per_step
            self._sounds = corpus_sounds(self.material, n_frames, seed=training.seed, frames=frames).to(self.device)
        return self._sounds

    def _draw(self, rng: np.random.Generator) -> Crops:
        training = self.recipe.training
        return self.material.draw(
            training.style_crops,
            training.crop_steps * self.recipe.model.frames_per_step,
            rng,
            shift_bands=self.recipe.vqt.bins_per_octave // 12,
            shift_share=_TRANSPOSE_SHARE,
        ).to(self.device)

    def _others(self, corpus: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Choose for each crop a corpus that it is not from; where only one is ever drawn, its own."""
        there = [c for c, found in enumerate(self.sounds.textures) if len(found)]
        chosen = [int(rng.choice([c for c in there if c != own] or [own])) for own in corpus.tolist()]
        return torch.tensor(chosen, device=corpus.device)

    def _read_again(self, translator: Translator, translated: torch.Tensor) -> torch.Tensor:
        """Read the content of what was translated: it should be what it was."""
        translated = translated.clamp(*RANGE)
        loudness = 0.5 * (2 * translated).exp().mean(1).log()
        with arithmetic(self.device, self.recipe.training.precision):
            contour = contour_of(loudness, translator.contour_frames)
            return translator.encode(translated - loudness.unsqueeze(1), contour).float()


def _disagreement(content: torch.Tensor, corpus: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Return how well each corpus' content is told from that of the others, (B, Dc, M) to a scalar."""
    parts = []
    present = corpus.unique().tolist()
    for c in present[: 1 if len(present) == 2 else None]:
        mine, rest = (content[side].movedim(1, 2).flatten(0, 1) for side in (corpus == c, corpus != c))
        few = [x[torch.from_numpy(rng.permutation(len(x))[:_COMPARED]).to(x.device)] for x in (mine, rest)]
        if min(len(x) for x in few) > 1:
            parts.append(kernel_agreement(*few))
    return torch.stack(parts).mean() if parts else content.new_zeros(())


def _from_unit(content: torch.Tensor) -> torch.Tensor:
    # Else agreement is reached by saying nothing.
    flat = content.movedim(1, 0).flatten(1)
    return (flat.var(1) - 1).square().mean() + flat.mean(1).square().mean()
