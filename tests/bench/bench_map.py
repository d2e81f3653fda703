"""Which space, clusters and map tell the styles of two pairs of corpora, what is found in one, and what many cost.

With runs as arguments, these are compared; without, two are trained on ../shared/corpora with the recipe quick.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from timing import peak_mb, processor

from stylemix.clusters.choice import METHODS, ClusterChoice
from stylemix.clusters.compare import compare_map, comparison_lines
from stylemix.clusters.methods import partition
from stylemix.learn import train
from stylemix.model.run import Run, load_run

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
PAIRS = ("chorale-vs-ragtime", "orchestral-vs-electronic")


def trained(folder: Path) -> Iterator[Run]:
    """Train a run on each pair with the quickest recipe that is meant for use."""
    for pair in PAIRS:
        corpora = sorted(path for path in (CORPORA / pair).iterdir() if path.is_dir())
        yield train(corpora, out=folder / f"{pair}.mix", recipe="quick", show_progress=False)


def clouds(n: int, dims: int = 8) -> np.ndarray:
    """Six overlapping clouds of music that moves slowly: what segments are like, in any number."""
    rng = np.random.default_rng(0)
    means = 2.5 * rng.standard_normal((6, dims))
    return means[np.arange(n) * 6 // n] + rng.standard_normal((n, dims)) * np.linspace(2, 0.5, dims)


def sizes(numbers: tuple[int, ...]) -> None:
    """Print what each method costs."""
    print(f"\n{processor()}, one thread; number of clusters chosen by each criterion\n")
    print("segments  method         clusters  in none  seconds  peak MB")
    for n in numbers:
        points = clouds(n)
        for method in METHODS:
            began = time.perf_counter()
            labels = partition(points, ClusterChoice(method)).labels
            seconds = time.perf_counter() - began
            told = f"{labels.max() + 1:8d}  {np.mean(labels < 0):7.2f}  {seconds:7.1f}  {peak_mb():7.0f}"
            print(f"{n:8d}  {method:13s}  {told}", flush=True)


def single(kind: str, seed: int, n_files: int = 16, n: int = 30, dims: int = 8) -> np.ndarray:
    """Draw recordings of segments without any clusters among them."""
    rng, file = np.random.default_rng(seed), np.repeat(np.arange(n_files), n)
    points = rng.standard_t(5, (len(file), dims)) if kind == "heavy tails" else rng.normal(size=(len(file), dims))
    if kind == "recordings differ":
        # By as much as the segments of each do.
        points += rng.normal(size=(n_files, dims))[file]
    if kind == "recordings move":
        for i in np.flatnonzero(np.arange(len(file)) % n):
            # Slowly, and as widely as before: 0.9^2 + 0.19 = 1.
            points[i] = 0.9 * points[i - 1] + np.sqrt(0.19) * points[i]
    return (points - points.mean(axis=0)) * np.linspace(2, 0.5, dims)


def singles(n_draws: int = 5) -> None:
    """Print how many clusters each method finds where there is one."""
    print(f"\nclusters found in one, {n_draws} draws of 16 recordings of 30 segments each\n")
    for kind in ("cloud", "heavy tails", "recordings differ", "recordings move"):
        for method in METHODS:
            found = [partition(single(kind, seed), ClusterChoice(method)).labels.max() + 1 for seed in range(n_draws)]
            print(f"{kind:17s}  {method:13s}  {' '.join(f'{k:2d}' for k in found)}", flush=True)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", type=Path, help="folders of runs")
    parser.add_argument("--segments", type=int, nargs="*", default=[2000, 20000])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for run in map(load_run, asked.runs) if asked.runs else trained(Path(folder)):
            began = time.perf_counter()
            print("\n".join(comparison_lines(compare_map(run))))
            print(f"\n{time.perf_counter() - began:.0f} s\n", flush=True)
    singles()
    sizes(tuple(asked.segments))


if __name__ == "__main__":
    main()
