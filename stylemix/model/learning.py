"""The training loop: one step after another until time, steps or improvement run out."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stylemix.errors import StylemixError
from stylemix.model.autoencoder import Autoencoder
from stylemix.model.checkpoint import Progress, load_checkpoint, save_checkpoint
from stylemix.model.device import arithmetic
from stylemix.model.evaluation import QUICK_FRAMES, held_out_error, model_decoder
from stylemix.model.interruption import deferred_interrupt
from stylemix.model.losses import between_loss, reconstruction_loss
from stylemix.model.material import Crops, Material
from stylemix.model.tensors import save_tensors
from stylemix.model.translation_loss import TranslationLoss
from stylemix.progress import progress as progress_bar
from stylemix.recipe import Recipe, Training

# A measurement counts as better when it is so by this share.
_BETTER = 1e-3
_WARM_UP_STEPS = 50
_CLIP_NORM = 1.0
# Learning rate of the linear path, as a share of the residual layers'.
_LINEAR_SHARE = 0.05
# The translator is small and sees noisy batches: faster, less decay, and an average over fewer steps.
_TRANSLATOR_SHARE = 2.0
_TRANSLATOR_DECAY = 0.02
_TRANSLATOR_AVERAGE = 0.99


@dataclass
class Learner:
    """A model that is being trained, with all that belongs to it.

    Parameters
    ----------
    model : Autoencoder
        The weights that learn, on the device.
    material : Material
        What it learns from.
    recipe : Recipe
        The numbers.
    folder : Path
        The run.
    device : torch.device
        Where the steps are computed.
    """

    model: Autoencoder
    material: Material
    recipe: Recipe
    folder: Path
    device: torch.device

    def __post_init__(self) -> None:
        # The moving average is the model that is kept: it stands in for lowering the learning rate to a
        # schedule, so that the weights after n steps do not depend on how many were planned.
        self.average = copy.deepcopy(self.model).eval()
        self.optimizer = torch.optim.AdamW(self._parameter_groups(), betas=(0.9, 0.99))
        self.progress = Progress()
        self.translation = TranslationLoss(self.material, self.recipe, self.device)
        self._between_steps = True

    def _parameter_groups(self) -> list[dict[str, Any]]:
        training = self.recipe.training
        linear = [self.model.linear_in, self.model.linear_out]
        own, translator = _parameters(self.model)
        rest = [p for p in own if not any(p is q for q in linear)]
        # Adam moves every weight by about the learning rate a step, whatever its size. PCA's weights are
        # small and right already: steps fit for the residual layers would shake them to pieces.
        groups = [
            {"params": rest, "weight_decay": training.weight_decay, "share": 1.0},
            {"params": linear, "weight_decay": 0.0, "share": _LINEAR_SHARE},
            {"params": translator, "weight_decay": _TRANSLATOR_DECAY, "share": _TRANSLATOR_SHARE},
        ]
        return [group for group in groups if group["params"]]

    @property
    def checkpoint(self) -> Path:
        """File of the state between two steps."""
        return self.folder / "training" / "state.safetensors"

    def resume(self) -> bool:
        """Read the last state back, if there is one.

        Returns
        -------
        bool
            Whether there was one.
        """
        if not self.checkpoint.is_file():
            return False
        self.progress = load_checkpoint(self.checkpoint, self.model, self.average, self.optimizer)
        return True

    def save(self) -> None:
        """Write the state whole or not at all; in the middle of a step there is none, and the last one stays."""
        if not self._between_steps:
            return
        self.checkpoint.parent.mkdir(exist_ok=True)
        save_checkpoint(self.checkpoint, self.progress, self.model, self.average, self.optimizer)

    def step(self) -> None:
        """Take one optimiser step. What is drawn depends on the seed and the step's number alone.

        Raises
        ------
        StylemixError
            If the numbers have left the range of floating point; no state holds them then.
        """
        training, size = self.recipe.training, self.recipe.model
        n_corpora = len(self.material.names)
        rng = np.random.default_rng((training.seed, self.progress.step))
        crops = self.material.draw(
            training.batch_size,
            training.crop_steps * size.frames_per_step,
            rng,
            shift_bands=self.recipe.vqt.bins_per_octave // 12,
            shift_share=training.transpose_share,
        ).to(self.device)
        condition = torch.nn.functional.one_hot(crops.corpus, n_corpora).float()
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            torch.manual_seed(int(rng.integers(2**62)))
            self.model.train()
            with arithmetic(self.device, training.precision):
                loss = self._loss(crops, condition, generator)
            # Last, for it draws anew: the autoencoder learns the same with and without it.
            self._descend(loss + self.translation(self.model, self.progress.step), training)
        self.progress.step += 1
        self._between_steps = True

    def _loss(self, crops: Crops, condition: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        training, context = self.recipe.training, crops.context
        codes = self.model.encode(crops.shape, condition, context)
        noisy = codes + training.latent_noise * torch.randn_like(codes)
        decoded = self.model.decode(noisy, condition.unsqueeze(-1).expand(-1, -1, codes.shape[-1]))
        loss = reconstruction_loss(decoded.float(), crops.shape, crops.weight)
        self.progress.last_loss = float(loss.detach())
        if training.between_weight:
            # A quarter of the batch tells as much about the space between for a quarter of the time; every
            # fourth crop, so that all corpora are in it.
            few = slice(None, None, 4)
            around = None if context is None else context[few]
            between = between_loss(self.model, codes[few], condition[few], generator, around)
            loss = loss + training.between_weight * between
        return loss

    def _descend(self, loss: torch.Tensor, training: Training) -> None:
        step = self.progress.step
        for group in self.optimizer.param_groups:
            warm = min(1.0, (step + 1) / _WARM_UP_STEPS)
            group["lr"] = group["share"] * training.learning_rate * self.progress.rate * warm
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        own, translator = _parameters(self.model)
        # Each by itself: a steep step of one must not slow the other.
        norm = sum(float(torch.nn.utils.clip_grad_norm_(part, _CLIP_NORM)) for part in (own, translator) if part)
        if not math.isfinite(norm):
            raise StylemixError(
                f"{self.folder}: the training diverged at step {step}; start anew with --force and a recipe with a "
                f"lower training.learning_rate than {training.learning_rate:g}"
            )
        self._between_steps = False
        self.optimizer.step()
        # Young averages forget faster, or they would keep the beginning.
        decay = min(training.ema_decay, (step + 1) / (step + 10))
        averages = zip(
            _parameters(self.average), (own, translator), (decay, min(decay, _TRANSLATOR_AVERAGE)), strict=True
        )
        with torch.no_grad():
            for kept, new, share in averages:
                if kept:
                    torch._foreach_lerp_(kept, new, 1 - share)

    def measure(self) -> bool:
        """Measure the average on held-out files; keep it if it is the best so far.

        Returns
        -------
        bool
            Whether it is.
        """
        p, means = self.progress, self.average.means.cpu()
        rebuild = model_decoder(self.average, len(self.material.names))
        error = held_out_error(rebuild, self.material, means, most_frames=QUICK_FRAMES)
        p.curve.append([round(p.seconds, 2), p.step, round(p.last_loss, 6) if p.step else error, error])
        if error < p.best_error * (1 - _BETTER):
            p.best_error, p.best_step, p.waited = error, p.step, 0
            save_tensors(self.folder / "model.safetensors", self.average.state_dict(), step=str(p.step))
            return True
        p.waited += 1
        if p.waited == max(1, self.recipe.training.patience // 2):
            # Before giving up, try smaller steps.
            p.rate *= 0.3
        return False


def _parameters(model: Autoencoder) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Return the autoencoder's own weights and its translator's."""
    translator: list[torch.Tensor] = [] if model.translator is None else [*model.translator.parameters()]
    return [p for name, p in model.named_parameters() if not name.startswith("translator.")], translator


def learn(
    learner: Learner,
    *,
    show_progress: bool = True,
    on_preview: Callable[[Autoencoder, int], None] | None = None,
    on_measure: Callable[[Progress, float], None] | None = None,
) -> str:
    """Train until the time or the steps are used up, or nothing gets better.

    Parameters
    ----------
    learner : Learner
        New or resumed.
    show_progress : bool
        Show a bar with the time left on stderr.
    on_preview : callable, optional
        ``on_preview(model, step)`` renders something to listen to; its time does not count.
    on_measure : callable, optional
        ``on_measure(progress, training error)`` is told every measurement.

    Returns
    -------
    str
        ``"time"``, ``"steps"`` or ``"plateau"``: why it ended.
    """
    training, p = learner.recipe.training, learner.progress
    # When there is no limit in time, the bar counts steps; without any limit it counts the patience.
    unit, total = (
        ("seconds", training.minutes * 60)
        if training.minutes
        else ("step", float(training.steps))
        if training.steps
        else ("waited", float(training.patience))
    )
    if not p.curve:
        learner.measure()
    due = _Due(p.seconds + training.checkpoint_s, p.seconds + training.preview_s / 4)
    with progress_bar("training", total, show=show_progress) as update, deferred_interrupt() as interrupted:
        try:
            while (why := _ended(p, training)) is None:
                measured = _timed_step(learner)
                if measured and on_measure:
                    on_measure(p, p.last_loss)
                update(getattr(p, unit), f"step {p.step}, held-out error {p.best_error:.4f}")
                if p.seconds >= due.save_s:
                    learner.save()
                    due.save_s = p.seconds + training.checkpoint_s
                if on_preview and training.preview_s and p.seconds >= due.preview_s:
                    on_preview(learner.average, p.step)
                    due.preview_s = p.seconds + training.preview_s
                if interrupted():
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            learner.save()
            raise
    if p.curve[-1][1] != p.step:
        # Off the grid: who trains on from here must not have less patience than who trained through.
        waited, rate = p.waited, p.rate
        if not learner.measure():
            p.waited, p.rate = waited, rate
    learner.save()
    return why


@dataclass
class _Due:
    """When something is done next (seconds of training)."""

    save_s: float
    preview_s: float


def _timed_step(learner: Learner) -> bool:
    started = time.monotonic()
    learner.step()
    measured = learner.progress.step % learner.recipe.training.evaluate_every == 0
    if measured:
        learner.measure()
    learner.progress.seconds += time.monotonic() - started
    return measured


def _ended(p: Progress, training: Training) -> str | None:
    if training.steps and p.step >= training.steps:
        return "steps"
    if training.minutes and p.seconds >= training.minutes * 60:
        return "time"
    return "plateau" if p.waited >= training.patience else None
