"""Training in a second or two: a tiny recipe, tiny corpora, a run of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from stylemix.model.learning import Learner
from stylemix.model.run import Run
from stylemix.model.training import train
from stylemix.recipe import Recipe, load_recipe
from tests import sounds

RATE = 8000


def tiny_recipe(**training: Any) -> Recipe:
    """The recipe `tiny` at a third of the rate, with 28 bands and 40 steps."""
    small = {"sound": {"sample_rate": RATE}, "vqt": {"bins_per_octave": 6, "gamma_hz": 20.0}}
    shape = {"model": {"latent_dim": 4, "frames_per_step": 4, "width": 16}}
    numbers = {
        "minutes": 0.0,
        "steps": 40,
        "batch_size": 8,
        "crop_steps": 8,
        "evaluate_every": 10,
        "preview_s": 0.0,
        "precision": "float32",
    }
    return load_recipe("tiny", {**small, **shape, "training": {**numbers, **training}})


def tiny_corpora(folder: Path, *, n_files: int = 4, seconds: float = 7.0) -> list[Path]:
    """Two folders: held tones and plucked noise."""
    for name, plucked in (("held", False), ("plucked", True)):
        for i in range(n_files):
            samples = sounds.melody(seconds, rate=RATE, seed=i + 100 * plucked, plucked=plucked)
            sounds.write(folder / name / f"{i}.wav", samples, rate=RATE)
    return [folder / "held", folder / "plucked"]


def tiny_run(folders: list[Path], out: Path, **arguments: Any) -> Run:
    """Train on the cpu, without a bar."""
    # Two threads that share a core with other tests wait for each other most of the time.
    torch.set_num_threads(1)
    arguments = {"recipe": tiny_recipe(), "device": "cpu", "show_progress": False, **arguments}
    return train(folders, out=out, **arguments)


def weights(run: Run) -> list[torch.Tensor]:
    return list(run.model.state_dict().values())


def same(one: Run, other: Run) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def history(run: Run) -> list[list[float]]:
    """The curve without its seconds."""
    return [row[1:] for row in run.metrics["curve"]]


def interrupt_at(step: int, monkeypatch: pytest.MonkeyPatch, error: type[BaseException] = KeyboardInterrupt) -> None:
    """Let the training be interrupted when it is about to take a step."""
    take = Learner.step

    def step_or_stop(learner: Learner) -> None:
        if learner.progress.step == step:
            raise error
        take(learner)

    monkeypatch.setattr(Learner, "step", step_or_stop)
