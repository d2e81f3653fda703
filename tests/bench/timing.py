"""How benchmarks take turns, and how they print what they found."""

from __future__ import annotations

import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# A table that has taken so long (s) is content with three rounds.
PATIENCE_S = 60.0


def alternated(actions: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median seconds of each action; in every round all take their turn, in an order that moves on."""
    names = list(actions)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        actions[name]()
    started = time.perf_counter()
    for turn in range(rounds):
        if turn >= 3 and time.perf_counter() - started > PATIENCE_S:
            break
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            began = time.perf_counter()
            actions[name]()
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def decibels(found: np.ndarray, wanted: np.ndarray) -> float:
    """Error of all numbers together, relative to what was wanted."""
    return 20 * float(np.log10(np.linalg.norm(found - wanted) / np.linalg.norm(wanted)))


def peak_mb() -> float:
    """Largest memory of this process so far."""
    status = Path("/proc/self/status")
    if status.is_file():
        # What the other way tells would begin with the memory of the process that started this one.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))


def processor() -> str:
    """Its name."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def table(title: str, rows: list[dict[str, Any]]) -> None:
    """Print rows of equal keys in Markdown."""
    if not rows:
        return
    keys = list(dict.fromkeys(key for row in rows for key in row))
    print(f"\n{title}\n\n| " + " | ".join(key.replace("_", " ") for key in keys) + " |\n" + "|---" * len(keys) + "|")
    for row in rows:
        print("| " + " | ".join(shown(row.get(key)) for key in keys) + " |", flush=True)


def shown(value: Any) -> str:
    """A number with three digits, a dash for none."""
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) and abs(value) < 1000 else f"{value:.0f}" if isinstance(
        value, float
    ) else str(value)


def with_speed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add how many times faster than real time."""
    for row in rows:
        for way in ("forward", "inverse"):
            if row.get(f"{way}_s"):
                row[f"{way}_times_real_time"] = row["sound_s"] / row[f"{way}_s"]
    return rows
