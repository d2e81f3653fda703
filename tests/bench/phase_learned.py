"""Magnitudes that a trained model decodes from held-out files: how near the sound comes to them, and to the file."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stylemix.arrays import Latents
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


def encoded(run: Run, index: int) -> tuple[np.ndarray, Latents, np.ndarray]:
    """Ten seconds of a file (T,), what the model makes of them, and the condition of its corpus."""
    file, rate = run.files[index], run.vqt.sample_rate
    start_s = max(0.0, (file.seconds - SECONDS) / 2)
    wave = read_wave(run.file_path(index), start_s=start_s, duration_s=SECONDS, sample_rate=rate, mono=True)
    # Whole latent steps, as when a file is rebuilt.
    x = wave.samples[0, : wave.samples.shape[-1] // run.step_length * run.step_length]
    pooled = run.vqt.pool(magnitudes_of(run.vqt, x), len(x))
    condition = run.one_hot(file.corpus)
    return x, run.encode(pooled.numpy(), condition, run.context(x[None])), condition


def targets(run: Run, count: int) -> Iterator[tuple[str, str, np.ndarray, torch.Tensor]]:
    """Kind, name, sound and log-magnitudes (K, N): files rebuilt, and pairs of two corpora decoded half-way."""
    heard = [(Path(run.files[i].path).stem, *encoded(run, i)) for i in held_out(run, count)]
    for name, x, z, condition in heard:
        yield "rebuilt", name, x, torch.from_numpy(run.decode(z.codes, condition, z.loudness))
    for (name, x, z, a), (other, _, w, b) in zip(heard[::2], heard[1::2], strict=False):
        if z.codes.shape == w.codes.shape:
            half = run.decode(0.5 * (z.codes + w.codes), 0.5 * (a + b), 0.5 * (z.loudness + w.loudness))
            yield "half-way", f"{name} to {other}", x, torch.from_numpy(half)


def ways(log_magnitude: torch.Tensor, vqt: VQT, x: np.ndarray) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    """From the model's magnitudes to sound; the last one takes the phase of a file, the source's half-way."""
    n = len(x)

    def spread() -> Magnitudes:
        return tuple(m.exp() for m in vqt.spread(log_magnitude, n))

    for quality in QUALITIES:
        yield (
            f"ours, {quality}",
            lambda quality=quality: recover_pooled(log_magnitude, vqt, n, quality=quality).numpy(),  # type: ignore[misc]
        )
    # What a bottleneck blurs, sharpened: more contrast against the bands around.
    weights = torch.hann_window(7, periodic=False)[1:-1]
    padded = torch.nn.functional.pad(log_magnitude.T[:, None], (2, 2), mode="replicate")
    around = torch.nn.functional.conv1d(padded, (weights / weights.sum())[None, None])[:, 0].T
    for share in (0.1, 0.4):
        sharp = log_magnitude + share * (log_magnitude - around)
        yield f"{share:.0%} more contrast, good", lambda sharp=sharp: recover_pooled(sharp, vqt, n).numpy()  # type: ignore[misc]
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
    with torch.inference_mode():
        for kind, piece, x, log_magnitude in targets(run, count):
            names.append(piece)
            for name, go in ways(log_magnitude, run.vqt, x):
                began = time.perf_counter()
                y = go()
                taken = time.perf_counter() - began
                found = figures(y, x, log_magnitude, run.vqt)
                # Half-way there is no file to come near to.
                found = {k: v if kind == "rebuilt" or k.startswith("target") else None for k, v in found.items()}
                each.append({"magnitudes": kind, "method": name, "piece": piece, "seconds": taken, **found})
    rows = [summed(each, *key) for key in dict.fromkeys((row["magnitudes"], row["method"]) for row in each)]
    return {"rows": rows, "missing": {}, "pieces": names, "each": each}


def summed(each: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    """Median seconds, and the mean and the worst of every figure."""
    mine = [row for row in each if (row["magnitudes"], row["method"]) == (kind, name)]
    seconds = statistics.median(row["seconds"] for row in mine)
    out: dict[str, Any] = {"magnitudes": kind, "method": name, "seconds": seconds}
    for key in (k for k in mine[0] if k.endswith("_db")):
        values = [row[key] for row in mine if row[key] is not None]
        out[key] = f"{statistics.mean(values):.1f} ({max(values):.1f})" if values else None
    return out
