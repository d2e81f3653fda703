"""How fast the nearest steps are found in up to five hours of target, exactly and nearly, and in how much memory.

Seconds are those of the processor, all cores together.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from stylemix.arrays import Latents
from stylemix.hybrid.align import Path as Way
from stylemix.hybrid.align import match
from stylemix.hybrid.alignment.neighbours import Surcharge, nearest
from stylemix.hybrid.alignment.space import Weights, compare
from stylemix.hybrid.dials import Dials

RATE, STEP = 22050, 2048
TARGETS_MIN, SOURCES_S = (5, 30, 60, 300), (30, 300)
K = 24
Found = tuple[np.ndarray, float, float]


def peak_mb() -> float:
    """Largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))


def forget_peak() -> float:
    """Begin to count the peak anew where the system can, and return the memory of now (MB)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / (1 << 20)
    except OSError:
        return peak_mb()


def high_water_mb() -> float:
    """The peak since `forget_peak`, or since the start where the system keeps only that."""
    try:
        line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    except (OSError, StopIteration):
        return peak_mb()


def walk(seconds: float, seed: int) -> Latents:
    """Latents that drift as music does: half of a step is new, and most dimensions are shared by a few causes."""
    from scipy.signal import lfilter

    n, rng = round(seconds * RATE / STEP), np.random.default_rng(seed)
    slow = lfilter([0.6], [1, -0.8], rng.standard_normal((24, n)).astype(np.float32), axis=1)
    mixing = np.random.default_rng(7).standard_normal((128, 24)) / 5
    codes = (mixing @ slow + 0.7 * rng.standard_normal((128, n))).astype(np.float32)
    chroma = np.abs(mixing[:12] @ slow).astype(np.float32)
    chroma /= np.linalg.norm(chroma, axis=0)
    loudness = np.repeat(-3 + 0.5 * slow[0], 8).astype(np.float32)
    return Latents(codes, loudness, RATE, STEP, chroma, (mixing[20:32] @ slow).astype(np.float32))


def resampled(pieces: list[Latents], seconds: float, seed: int) -> Latents:
    """Stretches of two seconds of real latents in another order, with noise: no step comes twice."""
    rng, n = np.random.default_rng(seed), round(seconds * RATE / STEP)
    span = round(2 * RATE / STEP)
    longest = [p for p in pieces if p.n_steps > span]
    cuts = []
    for _ in range(-(-n // span)):
        p = longest[rng.integers(len(longest))]
        at = int(rng.integers(p.n_steps - span))
        cuts.append((p, slice(at, at + span)))

    def joined(name: str, noise: float) -> np.ndarray:
        x = np.concatenate([getattr(p, name)[:, cut] for p, cut in cuts], axis=1)[:, :n]
        return (x + noise * x.std(axis=1, keepdims=True) * rng.standard_normal(x.shape)).astype(np.float32)

    loud = np.concatenate([p.loudness[cut.start * 8 : cut.stop * 8] for p, cut in cuts])[: 8 * n]
    return Latents(joined("codes", 0.5), loud, RATE, STEP, joined("chroma", 0.0), joined("timbre", 0.2))


def exact(points: np.ndarray, pool: np.ndarray) -> Found:
    """What stylemix does."""
    began = time.process_time()
    found, _ = nearest(points, pool, K, Surcharge.none(len(pool)))
    return found, 0.0, time.process_time() - began


def descent(points: np.ndarray, pool: np.ndarray) -> Found:
    """Nearest-neighbour descent."""
    from pynndescent import NNDescent

    began = time.process_time()
    index = NNDescent(pool, n_neighbors=15, random_state=0, n_jobs=1, low_memory=True)
    index.prepare()
    built = time.process_time()
    found, _ = index.query(points, k=K, epsilon=0.1)
    return found, built - began, time.process_time() - built


def inverted(points: np.ndarray, pool: np.ndarray) -> Found:
    """Lists around k-means' centres, of which the nearest tenth are searched."""
    from sklearn.cluster import MiniBatchKMeans

    began = time.process_time()
    n = max(8, round(np.sqrt(len(pool))))
    means = MiniBatchKMeans(n, batch_size=4096, max_iter=5, n_init=1, random_state=0).fit(pool)
    lists = [np.flatnonzero(means.labels_ == i) for i in range(n)]
    built = time.process_time()
    centres = np.linalg.norm(points[:, None] - means.cluster_centers_[None], axis=2).argsort(axis=1)[
        :, : max(4, n // 10)
    ]
    found = np.zeros((len(points), K), int)
    for m, chosen in enumerate(centres):
        some = np.concatenate([lists[i] for i in chosen])
        d = np.linalg.norm(pool[some] - points[m], axis=1)
        best = some[np.argpartition(d, min(K, len(d)) - 1)[:K]]
        found[m, : len(best)] = best
    return found, built - began, time.process_time() - built


def recall(found: np.ndarray, true: np.ndarray) -> float:
    """Share of the true neighbours that were found."""
    return float(np.mean([len(set(a) & set(b)) / K for a, b in zip(found.tolist(), true.tolist(), strict=True)]))


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", help="a run whose latents are resampled; random walks without one")
    parser.add_argument("--no-peers", action="store_true", help="leave out the approximate searches")
    options = parser.parse_args()
    pieces: list[list[Latents]] = []
    if options.run:
        from stylemix.model.run import load_run

        run = load_run(options.run)
        pieces = [[run.latents(i) for i, f in enumerate(run.files) if f.corpus == c] for c in (0, 1)]

    def made(seconds: float, side: int) -> Latents:
        return resampled(pieces[side], seconds, side) if pieces else walk(seconds, side)

    dials = Dials(loudness=0.5, chroma=0.75, timbre=0.25)
    make: Callable[[float, int], Latents] = made
    match(make(5, 0), [make(30, 1)], dials=dials)  # compiles
    _print_searches(make, dials, peers=not options.no_peers)
    _print_matches(make, dials)


def _print_searches(make: Callable[[float, int], Latents], dials: Dials, *, peers: bool) -> None:
    print("| target | source | search | index s | query s | recall of the 24 nearest | MB beyond the latents |")
    print("|---|---|---|---|---|---|---|")
    weights = Weights(dials.loudness, dials.chroma, dials.timbre)
    if peers:
        # It compiles for minutes when it is called first.
        some = np.random.default_rng(0).standard_normal((2000, 153)).astype(np.float32)
        descent(some[:50], some)
    for minutes in TARGETS_MIN:
        target = make(60 * minutes, 1)
        for seconds in SOURCES_S:
            before = forget_peak()
            points, pool = compare(make(seconds, 0), [target], [np.arange(target.n_steps)], weights)
            true, *_ = exact(points, pool)
            for search in (exact, descent, inverted) if peers else (exact,):
                before = forget_peak() - pool.nbytes / (1 << 20)
                found, built, queried = search(points, pool)
                print(
                    f"| {minutes} min | {seconds} s | {search.__name__} | {built:.2f} | {queried:.2f} | "
                    f"{recall(found, true):.3f} | {high_water_mb() - before:.0f} |",
                    flush=True,
                )


def _print_matches(make: Callable[[float, int], Latents], dials: Dials) -> None:
    from dataclasses import replace

    print("\n| target | source | alignment | s | times real time | MB beyond the latents |\n|---|---|---|---|---|---|")
    for minutes in TARGETS_MIN:
        target = make(60 * minutes, 1)
        for seconds in SOURCES_S:
            source = make(seconds, 0)
            for align in ("viterbi", "transport"):
                before, began = forget_peak(), time.process_time()
                way: Way = match(source, [target], dials=replace(dials, align=align))
                taken = time.process_time() - began
                assert way.n_steps == source.n_steps
                print(
                    f"| {minutes} min | {seconds} s | {align} | {taken:.2f} | {seconds / taken:.0f} | "
                    f"{high_water_mb() - before:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
