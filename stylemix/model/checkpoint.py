"""The state of a training between two steps, so that an interruption costs seconds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stylemix.errors import BadInput
from stylemix.model.tensors import TensorFile, save_tensors


@dataclass
class Progress:
    """Where a training stands.

    Parameters
    ----------
    step : int
        Optimiser steps done.
    seconds : float
        Time spent in training, over all sittings.
    best_error : float
        Lowest held-out error so far, relative to the variance.
    best_step : int
        When that was.
    waited : int
        Measurements since without a better one.
    rate : float
        Factor on the learning rate.
    last_loss : float
        Training error of the last step.
    curve : list of [seconds, step, training error, held-out error]
        What the training curve shows.
    """

    step: int = 0
    seconds: float = 0.0
    best_error: float = float("inf")
    best_step: int = 0
    waited: int = 0
    rate: float = 1.0
    last_loss: float = 0.0
    curve: list[list[float]] = field(default_factory=list)


def save_checkpoint(
    path: Path, progress: Progress, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    """Write the state whole or not at all.

    Parameters
    ----------
    path : Path
        A .safetensors file.
    progress : Progress
        Counters.
    model, average : torch.nn.Module
        The weights that learn, and their moving average.
    optimizer : torch.optim.Optimizer
        Its moments are part of the state.
    """
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in average.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{k}": torch.as_tensor(v) for k, v in moments.items()}
    save_tensors(path, tensors, progress=json.dumps(asdict(progress)))


def load_checkpoint(path: Path, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
    """Read a state back into a model, its average and its optimiser.

    Parameters
    ----------
    path : Path
        From `save_checkpoint`.
    model, average : torch.nn.Module
        Of the same recipe.
    optimizer : torch.optim.Optimizer
        Over the model's parameters.

    Returns
    -------
    Progress
        Counters.

    Raises
    ------
    BadInput
        If the file is damaged or belongs to another recipe.
    """
    file = TensorFile(path)
    try:
        progress = _checked_progress(json.loads(file.metadata["progress"]))
        tensors = file.read()
        model.load_state_dict(_under("model", tensors))
        average.load_state_dict(_under("average", tensors))
        moments: dict[int, dict[str, Any]] = {}
        for key, value in _under("optimizer", tensors).items():
            index, name = key.split(".", 1)
            moments.setdefault(int(index), {})[name] = value
        _check_moments(moments, optimizer)
        optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    except (RuntimeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        reason = " ".join(str(error).split())[:120]
        raise BadInput(f"{path}: cannot be resumed from ({reason}); train anew with --force") from None
    return progress


def _checked_progress(value: Any) -> Progress:
    if not isinstance(value, dict):
        raise ValueError("no progress")
    kinds = {"curve": list, "step": int, "best_step": int, "waited": int}
    for name, item in value.items():
        if not isinstance(item, kinds.get(name, (int, float))) or isinstance(item, bool):
            raise ValueError(f"{name} is {item!r}")
    progress = Progress(**value)
    if not all(len(row) == 4 and all(isinstance(v, (int, float)) for v in row) for row in progress.curve):
        raise ValueError("the curve is damaged")
    return progress


def _check_moments(moments: dict[int, dict[str, Any]], optimizer: torch.optim.Optimizer) -> None:
    # The optimiser itself takes whatever it is given.
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for index, named in moments.items():
        if index >= len(parameters) or any(
            name.startswith("exp_avg") and value.shape != parameters[index].shape for name, value in named.items()
        ):
            raise ValueError(f"moments of parameter {index} have another shape")


def _under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {key[len(prefix) + 1 :]: value for key, value in tensors.items() if key.startswith(prefix + ".")}
