"""How fast and how exact the transforms are, beside those of other libraries, in the same run and on the same sound.

python tests/bench/bench_transforms.py [--quick] [--only NAME] [--json] [--threads 2]

Other libraries are an extra, pip install 'stylemix[peers]'; their rows are left out where they are not installed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # Read once, when the libraries load.
    _THREADS = sys.argv[sys.argv.index("--threads") + 1] if "--threads" in sys.argv else "2"
    for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[_variable] = _THREADS

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from stylemix.transforms.stream import Stream
from tests.bench.timing import alternated, decibels, peak_mb, processor, table, with_speed
from tests.bench.transform_jobs import RATE, J, Job, deeper, invertible, ours, scatterings, sound, versions

ROUNDS = 5
# The longest sound of each table (s); --quick stops at 10 s.
LENGTHS = (10, 60, 600)
HOUR = (10, 60, 600, 3600)


def analysis(seconds: float, rounds: int) -> list[dict[str, Any]]:
    """Forward and inverse of the transforms that have both."""
    x, _ = sound(seconds)
    jobs = invertible(x)
    coefficients = {job.name: job.forward() for job in jobs}
    actions: dict[str, Callable[[], Any]] = {f"{job.name}/forward": job.forward for job in jobs}
    for job in jobs:
        if job.inverse is not None:
            actions[f"{job.name}/inverse"] = lambda job=job: job.inverse(coefficients[job.name])  # type: ignore[misc]
    took = alternated(actions, rounds)
    rows = []
    for job in jobs:
        row: dict[str, Any] = {"transform": job.name, "rows": job.rows, "sound_s": round(len(x) / RATE, 1)}
        row["forward_s"] = took[f"{job.name}/forward"]
        row["inverse_s"] = took.get(f"{job.name}/inverse")
        row["error_db"] = job.inverse and decibels(job.inverse(coefficients[job.name]), x)
        rows.append(row)
    return rows


def scattering(seconds: float, rounds: int, Q: tuple[int, int]) -> list[dict[str, Any]]:
    """Time scattering against kymatio: seconds, and the relative difference of the coefficients."""
    x, _ = sound(seconds)
    jobs = scatterings(x, Q)
    took = alternated({job.name: job.forward for job in jobs}, rounds)
    rows = [
        {
            "transform": job.name,
            "rows": job.rows,
            "sound_s": round(len(x) / RATE, 1),
            "forward_s": took[job.name],
            **(differences(jobs[0], job, Q) if job is not jobs[0] else {}),
        }
        for job in jobs
    ]
    if len(jobs) == 1 and versions("kymatio")["kymatio"][0].isdigit():
        rows.append({"transform": "kymatio: left out, its filters would fill half of the memory"})
    return rows


def differences(mine: Job, theirs: Job, Q: tuple[int, int]) -> dict[str, float]:
    """Relative difference of the coefficients of each order."""
    order = ours("TimeScattering", J=J, Q=Q).meta()["order"]
    a, b = (job.forward().double().numpy() for job in (mine, theirs))
    return {
        f"difference_order_{k}": float(np.linalg.norm((a - b)[order == k]) / np.linalg.norm(b[order == k]))
        for k in (1, 2)
    }


def depth(seconds: float, rounds: int) -> list[dict[str, Any]]:
    """What joint and spiral scattering cost beside time scattering."""
    x, _ = sound(seconds)
    jobs = deeper(x)
    took = alternated({job.name: job.forward for job in jobs}, rounds)
    return [
        {"transform": j.name, "rows": j.rows, "sound_s": round(len(x) / RATE, 1), "forward_s": took[j.name]}
        for j in jobs
    ]


def one_length(what: str, file: str) -> None:
    """In a process of its own: print seconds and peak memory of one transform of a stored sound, as JSON."""
    name, _, way = what.partition(", ")
    transform, before = ours(name), peak_mb()
    wave = torch.from_numpy(np.load(file))
    stream = Stream(transform)

    def whole(x: torch.Tensor) -> int:
        return sum(n.numel() * n.element_size() for n in transform.forward(x).groups)

    def streamed(x: torch.Tensor) -> int:
        for _ in stream.forward(x.split(10 * RATE)):
            pass
        return 0

    run = streamed if way else whole
    # Gains and the tables of the Fourier transforms are made once, whatever the length.
    run(wave[: 60 * RATE])
    began, used = time.perf_counter(), time.process_time()
    kept = run(wave)
    took, used = time.perf_counter() - began, time.process_time() - used
    held = (kept + wave.numel() * wave.element_size()) / 2**20
    working = max(0.0, peak_mb() - before - held)
    print(json.dumps({"seconds": took, "processor_seconds": used, "held_mb": held, "working_mb": working}))


def scale(lengths: tuple[int, ...], threads: str) -> list[dict[str, Any]]:
    """Cost of a second of sound, and memory, by the length of the sound."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for seconds in lengths:
            x, _ = sound(seconds)
            file = Path(folder, f"{seconds}.npy")
            np.save(file, x)
            for what in ("VQT", "VQT, streamed", "TimeScattering", "TimeScattering, streamed"):
                command = [sys.executable, __file__, "--threads", threads, "--one", what, str(file)]
                made = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                rows.append(
                    {
                        "transform": what,
                        "sound_s": round(len(x) / RATE, 1),
                        "ms_per_second_of_sound": 1000 * made["seconds"] / (len(x) / RATE),
                        "processor_ms": 1000 * made["processor_seconds"] / (len(x) / RATE),
                        "sound_and_coefficients_mb": made["held_mb"],
                        "working_mb": made["working_mb"],
                    }
                )
    return sorted(rows, key=lambda row: row["transform"])


def gpu(rounds: int) -> list[dict[str, Any]]:
    """On a GPU: milliseconds for a minute, and how many times what moving input and output alone would take."""
    device = torch.device("cuda")
    x = torch.from_numpy(sound(60)[0]).to(device)

    def timed(action: Callable[[], Any]) -> float:
        def whole() -> None:
            action()
            torch.cuda.synchronize()

        return alternated({"": whole}, rounds)[""]

    # A copy reads and writes every byte: 2 GiB in all.
    bytes_per_s = 2**31 / timed(torch.empty(2**28, device=device).clone)
    rows = []
    for what in ("Fourier", "VQT", "TimeScattering", "JointScattering", "SpiralScattering"):
        transform = ours(what)
        torch.cuda.reset_peak_memory_stats()
        took = timed(lambda t=transform: t.forward(x))  # type: ignore[misc]
        moved = x.numel() * 4 + sum(g.numel() * g.element_size() for g in transform.forward(x).groups)
        rows.append(
            {
                "transform": what,
                "ms_per_minute": 1000 * took * 60 / (len(x) / RATE),
                "times_the_bandwidth_floor": took / (moved / bytes_per_s),
                "peak_mb": torch.cuda.max_memory_allocated() / 2**20,
            }
        )
    return rows


def about(threads: str) -> dict[str, Any]:
    """The machine, the versions and the sound."""
    return {
        "processor": processor(),
        "threads": int(threads),
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **versions("torch", "numpy", "scipy", "librosa", "nnAudio", "kymatio"),
        "sound": sound(1)[1],
    }


def main() -> None:
    """Print the tables, or with --json one object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="10 s of sound, three rounds")
    parser.add_argument("--only", default="", help="tables by the start of their name: analysis, scattering_60, scale")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--one", nargs=2, metavar=("TRANSFORM", "FILE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    torch.set_num_threads(int(asked.threads))
    if asked.one:
        return one_length(*asked.one)
    result: dict[str, Any] = {"about": about(asked.threads)}
    show = (lambda *_: None) if asked.json else table
    if not asked.json:
        print("; ".join(f"{key} {value}" for key, value in result["about"].items()))
    with torch.no_grad():
        for key, title, make in sections(asked.quick, asked.threads):
            if not key.startswith(asked.only):
                continue
            result[key] = with_speed(make())
            show(title, result[key])
    if asked.json:
        print(json.dumps(result))
    return None


def sections(quick: bool, threads: str) -> Iterator[tuple[str, str, Callable[[], list[dict[str, Any]]]]]:
    """Name, title and measurement of each table."""
    rounds = 3 if quick else ROUNDS
    lengths = LENGTHS[:1] if quick else LENGTHS
    for s in lengths:
        title = f"Analysis and synthesis of {s} s, median of {rounds} alternated runs; error of the round trip"
        yield f"analysis_{s}", title, partial(analysis, s, rounds)
    for Q in ((8, 1), (8, 2)):
        for s in lengths:
            title = f"Time scattering of {s} s, J={J}, Q={Q}: equal rows and frames; relative difference from kymatio"
            yield f"scattering_{s}_Q{Q[0]}{Q[1]}", title, partial(scattering, s, rounds, Q)
    yield "deeper", "Scattering of 10 s, J=10, Q=8", partial(depth, 10, rounds)
    title = "Cost of a second of sound, and memory besides that of sound and coefficients"
    yield "scale", title, partial(scale, HOUR[:2] if quick else HOUR, threads)
    if torch.cuda.is_available():
        yield "gpu", f"On {torch.cuda.get_device_name()}: a minute of sound", partial(gpu, rounds)


if __name__ == "__main__":
    main()
