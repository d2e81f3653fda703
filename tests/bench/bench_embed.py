"""How long maps take, up to 20,000 segments, in how much memory, what they keep, and how well they stay in place.

    python tests/bench/bench_embed.py                      times, of segments made up (seconds of one processor core)
    python tests/bench/bench_embed.py A.mix B.mix          of runs: files gone, files new, files set on the map
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from stylemix.embedding.embed import EMBEDDINGS, embed
from stylemix.embedding.placing import place
from stylemix.embedding.stability import Previous, Provenance, known_again, lay_over
from tests.bench.timing import peak_mb, processor

NUMBERS, FEATURES = (500, 2000, 6000, 20000), 436
GONE = (1, 4)


def made_up(n: int) -> np.ndarray:
    """Walks through 12 dimensions, one a file of 100 segments, seen in as many features as a run has."""
    rng = np.random.default_rng(0)
    walks = [rng.normal(size=12) * 4 + np.cumsum(rng.normal(size=(100, 12)), axis=0) / 3 for _ in range(-(-n // 100))]
    inner = np.concatenate(walks)[:n]
    waves = np.tanh(inner @ rng.normal(size=(12, FEATURES)) / 4)
    return waves + 0.3 * rng.normal(size=waves.shape)


def timed(method: str, dims: int, n: int) -> tuple[float, float, float, float]:
    """Seconds of the processor, peak memory, trustworthiness, neighbours kept; in a process of its own."""
    warnings.simplefilter("ignore")
    rows = made_up(n)
    # What compiles at the first map, and what is imported, is no part of the time of the second.
    embed(rows[:60], method=method, dims=dims)
    began = time.process_time()
    made = embed(rows, method=method, dims=dims)
    return time.process_time() - began, peak_mb(), made.scores.trustworthiness, made.scores.kept


def print_times(numbers: tuple[int, ...]) -> None:
    """A table of methods and numbers."""
    print(f"processor: {processor()}; {FEATURES} features a segment\n")
    print(f"{'method':8} {'dims':4} {'segments':>8} {'cpu s':>7} {'MB':>6} {'trust':>6} {'kept':>6}")
    for method in EMBEDDINGS:
        for dims in (2, 3):
            for n in numbers:
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    seconds, memory, trust, kept = pool.apply(timed, (method, dims, n))
                print(f"{method:8} {dims:4} {n:8} {seconds:7.1f} {memory:6.0f} {trust:6.3f} {kept:6.3f}", flush=True)


def moved(now: np.ndarray, before: np.ndarray) -> float:
    """Median distance between points, in radii of the map."""
    radius = np.sqrt(np.square(before - before.mean(axis=0)).sum(axis=1).mean())
    return float(np.median(np.linalg.norm(now - before, axis=1)) / radius)


def without(provenance: Provenance, keep: np.ndarray) -> Provenance:
    """What is left."""
    return Provenance(provenance.sha256, provenance.file[keep], provenance.start_s[keep])


def print_run(path: str) -> None:
    """How far known segments move with files gone and new, and what placed ones keep."""
    from stylemix.clusters.groups import group_run
    from stylemix.model.run import load_run

    run = load_run(path)
    grouping = group_run(run, seed=0)
    rows, segments = grouping.features, grouping.segments
    all_of = Provenance([f.sha256 for f in run.files], segments.file, segments.start_s, grouping.corpus)
    print(f"\n{Path(path).name}: {len(rows)} segments of {len(run.files)} files, {grouping.space}")
    print("median way of known segments in radii of the map; laid over alone, and gone on from the map before")
    rng = np.random.default_rng(0)
    for method in EMBEDDINGS:
        full = embed(rows, method=method, provenance=all_of)
        words = [f"{method:8} same again {moved_again(rows, rows, all_of, all_of, method)[1]:.3f}"]
        for gone in GONE:
            keep = ~np.isin(segments.file, rng.choice(len(run.files), gone, replace=False))
            some = without(all_of, keep)
            less = moved_again(rows, rows[keep], all_of, some, method)
            more = moved_again(rows[keep], rows, some, all_of, method)
            words.append(f"-{gone} files {less[0]:.2f} {less[1]:.2f}, +{gone} {more[0]:.2f} {more[1]:.2f}")
        shown = full.scores.shown()
        words.append(", ".join(f"{name} {shown[name]:.3f}" for name in ("trustworthiness", "continuity", "kept")))
        print("; ".join(words), flush=True)
    print_strange(rows, segments.file)


def moved_again(
    rows: np.ndarray, now_rows: np.ndarray, before: Provenance, now: Provenance, method: str
) -> tuple[float, float]:
    """Way of known segments from one map to the next: laid over alone, and gone on from there."""
    first = embed(rows, method=method).points
    known = known_again(before, now)
    there = known >= 0
    alone = lay_over(embed(now_rows, method=method).points, first, known, turn=method != "pca")
    on = embed(now_rows, method=method, provenance=now, previous=Previous(before, first, 0, method)).points
    return moved(alone[there], first[known[there]]), moved(on[there], first[known[there]])


def print_strange(rows: np.ndarray, file: np.ndarray) -> None:
    """Share of the segments of files left out that are strange to the rest."""
    shares = []
    for left_out in np.unique(file):
        keep = file != left_out
        points = embed(rows[keep], method="pca").points
        shares.append(place(rows[~keep], rows[keep], points, file=file[keep]).strange.mean())
    print(f"strange to the rest of the map: {np.mean(shares):.3f} of the segments of a file left out (0.01 expected)")


def main() -> None:
    """Print one or the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--segments", type=int, nargs="+", default=NUMBERS)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    for path in asked.runs:
        print_run(path)
    if not asked.runs:
        print_times(tuple(asked.segments))


if __name__ == "__main__":
    main()
