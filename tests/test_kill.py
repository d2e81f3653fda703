"""SIGKILL at ten moments of a training: resumed after each, it ends as if nothing had happened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from stylemix.model.run import load_run
from tests import killing
from tests.tiny_training import tiny_corpora, tiny_recipe

STEPS = 600


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_ten_kills_change_nothing(tmp_path: Path) -> None:
    folders = tiny_corpora(tmp_path, n_files=6)
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        tiny_recipe(steps=STEPS, evaluate_every=20, checkpoint_s=0.1, patience=10**6, preview_s=1.0).to_toml()
    )
    alone, killed = tmp_path / "alone.mix", tmp_path / "killed.mix"
    options = ["--recipe", str(recipe)]
    subprocess.run(
        killing.command(folders, alone, *options),
        env=killing.environment(tmp_path / "cache-alone"),
        check=True,
        capture_output=True,
        timeout=300,
    )
    arguments, cache = killing.command(folders, killed, *options, "--resume"), tmp_path / "cache"
    kills = [
        killing.run_and_kill(arguments, cache, killed, moment)
        for moment in killing.plan(0, features_s=0.3, training_s=0.6, finishing_s=0.03)
    ]
    # The kills met what they were meant to meet.
    assert [kill.landed for kill in kills] == [True] * 10, kills
    steps = [kill.step for kill in kills]
    assert steps[:3] == [-1] * 3
    assert steps == sorted(steps)
    assert len({step for step in steps if 0 < step < STEPS}) >= 3
    last = subprocess.run(arguments, env=killing.environment(cache), capture_output=True, text=True, timeout=300)
    assert last.returncode == 0, last.stderr
    assert killing.metrics(killed) == killing.metrics(alone)
    weights = [load_file(out / "model.safetensors") for out in (alone, killed)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert list(tmp_path.rglob("*.mix/**/.tmp-*")) == list(tmp_path.glob(".tmp-*")) == []
    run = load_run(killed)
    assert all(run.latents(i).n_steps > 0 for i in range(12))
