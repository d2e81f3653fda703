"""Kill a training at chosen moments, resume it after each, and compare with one that was left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Moment:
    """When to kill.

    Parameters
    ----------
    stage : str
        ``"start-up"``, ``"features"``, ``"training"`` or ``"finishing"``.
    delay_s : float
        Seconds after the stage is seen to have begun.
    """

    stage: str
    delay_s: float


@dataclass(frozen=True)
class Kill:
    """What a kill met.

    Parameters
    ----------
    moment : Moment
        As planned.
    after_s : float
        Seconds from the start of the process.
    landed : bool
        False when the process had ended before.
    step : int
        Of the last state on disk; -1 when there was none.
    """

    moment: Moment
    after_s: float
    landed: bool
    step: int


def plan(seed: int, *, features_s: float, training_s: float, finishing_s: float) -> list[Moment]:
    """Ten moments, spread by the seed over the stages; the lengths are about how long each lasts (seconds)."""
    rng = np.random.default_rng(seed)
    spread = [
        ("start-up", 2, 1.5),
        ("features", 2, features_s),
        ("training", 4, training_s),
        ("finishing", 2, finishing_s),
    ]
    return [Moment(stage, float(rng.random() * longest)) for stage, n, longest in spread for _ in range(n)]


def begun(moment: Moment, out: Path, cache: Path) -> Callable[[], bool]:
    """Tell when a stage has begun, from what is on disk."""
    state, latents = out / "training" / "state.safetensors", out / "latents.safetensors"

    def written(path: Path) -> int:
        return path.stat().st_mtime_ns if path.is_file() else 0

    # Of this process: not the ones that it resumes from.
    before = {path: written(path) for path in (state, latents)}
    n_cached = len(list(cache.glob("??/*"))) if cache.is_dir() else 0

    def entries() -> int:
        return len(list(cache.glob("??/*"))) + len(list(cache.glob(".tmp-*"))) if cache.is_dir() else 0

    return {
        "start-up": lambda: True,
        "features": lambda: entries() > n_cached,
        "training": lambda: written(state) > before[state],
        # The last state is followed by the latents, the previews and the card; the metrics end it.
        "finishing": lambda: written(latents) > before[latents],
    }[moment.stage]


def command(folders: Sequence[Path], out: Path, *options: str) -> list[str]:
    """The command line of a training on the cpu."""
    return [
        sys.executable,
        "-m",
        "stylemix",
        "train",
        *map(str, folders),
        "--out",
        str(out),
        "--device",
        "cpu",
        "--quiet",
        *options,
    ]


def environment(cache: Path, threads: int = 1) -> dict[str, str]:
    """One thread, so that sums are rounded alike; a cache of its own."""
    return {**os.environ, "STYLEMIX_CACHE": str(cache), "OMP_NUM_THREADS": str(threads)}


def run_and_kill(arguments: list[str], cache: Path, out: Path, moment: Moment) -> Kill:
    """Start a training and kill it at a moment, unless it ends before."""
    begins = begun(moment, out, cache)
    started = time.monotonic()
    process = subprocess.Popen(arguments, env=environment(cache), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while process.poll() is None and not begins():
            time.sleep(0.002)
        deadline = time.monotonic() + moment.delay_s
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
    finally:
        landed = process.poll() is None
        process.send_signal(signal.SIGKILL)
        _, errors = process.communicate()
    if process.returncode not in (0, -signal.SIGKILL):
        raise RuntimeError(errors.decode())
    return Kill(moment, time.monotonic() - started, landed, last_step(out))


def last_step(out: Path) -> int:
    """Step of the state on disk."""
    from stylemix.model.tensors import TensorFile

    state = out / "training" / "state.safetensors"
    return json.loads(TensorFile(state).metadata["progress"])["step"] if state.is_file() else -1


def metrics(out: Path) -> dict[str, Any]:
    """What a training measured, without what depends on the clock."""
    found = json.loads((out / "metrics.json").read_text())
    found["curve"] = [row[1:] for row in found["curve"]]
    return {key: value for key, value in found.items() if key != "seconds"}
