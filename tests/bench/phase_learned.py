"""Magnitudes that a trained model decodes from held-out files: how near the sound comes to them, and to the file."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stylemix.audio import read_wave
from stylemix.model.run import Run, load_run
from stylemix.phase import recover_pooled
from stylemix.transforms import VQT
from tests.bench.phase_measures import convergence_db, onsets, pre_echo_db, sound_convergence_db, spectral_distance_db
from tests.bench.phase_methods import QUALITIES, Magnitudes, heap_alone, magnitudes_of, projected, turned

SECONDS = 10.0


def held_out(run: Run, count: int) -> list[int]:
    """Held-out files, one corpus after the other; all files where none is held out."""
    there = [i for i, file in enumerate(run.files) if file.split == "held-out"] or list(range(len(run.files)))
    turns = {i: sum(run.files[j].corpus == run.files[i].corpus for j in there if j < i) for i in there}
    return sorted(there, key=lambda i: (turns[i], run.files[i].corpus))[:count]


def decoded(run: Run, index: int) -> tuple[np.ndarray, torch.Tensor]:
    """Ten seconds of a file (T,), and what the model makes of them: log-magnitudes (K, N) at its frame rate."""
    file, rate = run.files[index], run.vqt.sample_rate
    start_s = max(0.0, (file.seconds - SECONDS) / 2)
    wave = read_wave(run.file_path(index), start_s=start_s, duration_s=SECONDS, sample_rate=rate, mono=True)
    # Whole latent steps, as when a file is rebuilt.
    x = wave.samples[0, : wave.samples.shape[-1] // run.step_length * run.step_length]
    pooled = run.vqt.pool(magnitudes_of(run.vqt, x), len(x))
    condition = run.one_hot(file.corpus)
    latents = run.encode(pooled.numpy(), condition, run.context(x[None]))
    return x, torch.from_numpy(run.decode(latents.codes, condition, latents.loudness))


def ways(log_magnitude: torch.Tensor, vqt: VQT, x: np.ndarray) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    """From the model's magnitudes to sound; the last one knows the file's phase."""
    n = len(x)

    def spread() -> Magnitudes:
        return tuple(m.exp() for m in vqt.spread(log_magnitude, n))

    for quality in QUALITIES:
        yield (
            f"ours, {quality}",
            lambda quality=quality: recover_pooled(log_magnitude, vqt, n, quality=quality).numpy(),  # type: ignore[misc]
        )
    yield "interpolated, heap alone", lambda: heap_alone(vqt, spread(), n)
    yield "interpolated, heap + 16 GLA", lambda: projected(vqt, spread(), n, 16, "heap")
    yield "interpolated, slope start + 16 GLA", lambda: projected(vqt, spread(), n, 16, "slope")
    yield "interpolated, random + 32 GLA", lambda: projected(vqt, spread(), n, 32, "random")
    true = tuple(g.angle() for g in vqt.forward(torch.from_numpy(x)).groups)
    yield "interpolated, the file's phase", lambda: turned(vqt, spread(), true, n)


def figures(y: np.ndarray, x: np.ndarray, log_magnitude: torch.Tensor, vqt: VQT) -> dict[str, Any]:
    """Against the model's target on both its lattices, and against the file."""
    m = magnitudes_of(vqt, y)
    wanted = tuple(w.exp().numpy() for w in vqt.spread(log_magnitude, len(x)))
    pooled = vqt.pool(m, len(x)).exp().numpy()
    rate = vqt.sample_rate
    return {
        "target_db": convergence_db(tuple(v.numpy() for v in m), wanted),
        "target_pooled_db": convergence_db((pooled,), (log_magnitude.exp().numpy(),)),
        "file_sc2048_db": sound_convergence_db(y, x, 2048),
        "file_distance_db": spectral_distance_db(y, x),
        "file_pre_echo_db": pre_echo_db(y, x, rate, onsets(x, rate)),
    }


def learned(path: str | Path, count: int) -> dict[str, Any]:
    """The table over held-out files."""
    run = load_run(path)
    each: list[dict[str, Any]] = []
    names = []
    for index in held_out(run, count):
        names.append(f"{Path(run.files[index].path).stem} ({run.files[index].split})")
        with torch.inference_mode():
            x, log_magnitude = decoded(run, index)
            for name, go in ways(log_magnitude, run.vqt, x):
                began = time.perf_counter()
                y = go()
                taken = time.perf_counter() - began
                row = {"method": name, "piece": names[-1], "seconds": taken}
                each.append({**row, **figures(y, x, log_magnitude, run.vqt)})
    rows = [summed(each, name) for name in dict.fromkeys(row["method"] for row in each)]
    return {"rows": rows, "missing": {}, "pieces": names, "each": each}


def summed(each: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Median seconds, and the mean and the worst of every figure."""
    mine = [row for row in each if row["method"] == name]
    out: dict[str, Any] = {"method": name, "seconds": statistics.median(row["seconds"] for row in mine)}
    for key in list(mine[0])[3:]:
        values = [row[key] for row in mine if row[key] is not None]
        out[key] = f"{statistics.mean(values):.1f} ({max(values):.1f})" if values else None
    return out
