"""The state between two steps: exact, whole, and refused in one line when it is not."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from stylemix.errors import BadInput
from stylemix.model.autoencoder import Autoencoder
from stylemix.model.checkpoint import Progress, load_checkpoint, save_checkpoint
from stylemix.model.tensors import TensorFile, save_tensors
from stylemix.recipe import Model

State = tuple[Autoencoder, Autoencoder, torch.optim.AdamW]


def new_state(*, width: int = 6, seed: int = 0) -> State:
    torch.manual_seed(seed)
    size = Model(latent_dim=3, frames_per_step=2, width=width, depth=1, dropout=0.0)
    model, average = Autoencoder(4, 2, size), Autoencoder(4, 2, size)
    return model, average, torch.optim.AdamW(model.parameters(), lr=1e-2)


def take_steps(state: State, n: int, *, seed: int = 0) -> None:
    model, average, optimizer = state
    generator = torch.Generator().manual_seed(seed)
    for _ in range(n):
        x = torch.randn(2, 4, 8, generator=generator)
        optimizer.zero_grad()
        (model.encode(x, torch.eye(2)) - 1).square().mean().backward()
        optimizer.step()
        with torch.no_grad():
            for a, b in zip(average.parameters(), model.parameters(), strict=True):
                a.lerp_(b, 0.1)


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, State, Progress]:
    state = new_state()
    take_steps(state, 3)
    progress = Progress(
        step=3,
        seconds=1.25,
        best_error=0.5,
        best_step=2,
        waited=1,
        rate=0.3,
        last_loss=0.7,
        curve=[[0.0, 0, 1.0, 1.0], [1.0, 2, 0.9, 0.5]],
    )
    save_checkpoint(tmp_path / "state.safetensors", progress, *state)
    return tmp_path / "state.safetensors", state, progress


def test_a_state_goes_on_exactly_as_it_would_have(saved: tuple[Path, State, Progress]) -> None:
    path, state, progress = saved
    resumed = new_state(seed=9)
    assert load_checkpoint(path, *resumed) == progress
    for one in (state, resumed):
        take_steps(one, 5, seed=1)
    for a, b in zip(state[:2], resumed[:2], strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_a_state_before_the_first_measurement(tmp_path: Path) -> None:
    path, state = tmp_path / "s.safetensors", new_state()
    save_checkpoint(path, Progress(), *state)
    loaded = load_checkpoint(path, *new_state(seed=1))
    assert loaded.best_error == math.inf
    assert loaded == Progress()


def test_a_state_of_another_recipe(saved: tuple[Path, State, Progress]) -> None:
    with pytest.raises(BadInput, match=r"state\.safetensors: cannot be resumed from .*; train anew with --force"):
        load_checkpoint(saved[0], *new_state(width=7))


def rewrite(path: Path, progress: dict[str, Any] | str | None = None, **tensors: torch.Tensor | None) -> None:
    file = TensorFile(path)
    stored = {**file.read(), **tensors}
    text = file.metadata["progress"] if progress is None else json.dumps(progress)
    save_tensors(path, {k: v for k, v in stored.items() if v is not None}, progress=text)


def test_moments_of_another_shape(saved: tuple[Path, State, Progress]) -> None:
    # The optimiser itself would take them, and fail at the next step.
    rewrite(saved[0], **{"optimizer.1.exp_avg": torch.zeros(99)})
    with pytest.raises(BadInput, match="moments of parameter 1 have another shape"):
        load_checkpoint(saved[0], *new_state())
    rewrite(saved[0], **{"optimizer.1.exp_avg": None, "optimizer.77.exp_avg": torch.zeros(1)})
    with pytest.raises(BadInput, match="moments of parameter 77 have another shape"):
        load_checkpoint(saved[0], *new_state())


@pytest.mark.parametrize(
    "progress",
    [
        {"step": "3"},
        {"unknown": 1},
        {"curve": 3},
        {"curve": [[1, 2]]},
        {"curve": [["a"] * 4]},
        {"waited": 0.5},
        [],
        "x",
        {"rate": None},
        {"seconds": True},
    ],
)
def test_progress_that_is_none(saved: tuple[Path, State, Progress], progress: Any) -> None:
    rewrite(saved[0], progress)
    with pytest.raises(BadInput, match="cannot be resumed from"):
        load_checkpoint(saved[0], *new_state())


def test_a_missing_weight(saved: tuple[Path, State, Progress]) -> None:
    rewrite(saved[0], **{"average.means": None})
    with pytest.raises(BadInput, match=r"cannot be resumed from .*means"):
        load_checkpoint(saved[0], *new_state())


@pytest.mark.parametrize("share", [0.0, 0.2, 0.99])
def test_a_truncated_state(saved: tuple[Path, State, Progress], share: float) -> None:
    path = saved[0]
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(BadInput, match="damaged or foreign"):
        load_checkpoint(path, *new_state())


def test_a_damaged_state_names_the_way_out(saved: tuple[Path, State, Progress]) -> None:
    path = saved[0]
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadInput, match="--force"):
        load_checkpoint(path, *new_state())
