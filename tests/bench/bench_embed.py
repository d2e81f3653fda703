"""How long maps take, up to 20,000 segments, in how much memory, what they keep, and how well they stay in place.

    python tests/bench/bench_embed.py                      times, of segments made up (seconds of one processor core)
    python tests/bench/bench_embed.py --roll               a Swiss roll, by Isomaps of ever more of its points
    python tests/bench/bench_embed.py A.mix B.mix          of runs: files gone, files new
    python tests/bench/bench_embed.py --placed A.mix B.mix of runs: files set on the map, which are strange
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

from stylemix.embedding import methods
from stylemix.embedding.embed import EMBEDDINGS, embed
from stylemix.embedding.placing import NEIGHBOURS, place
from stylemix.embedding.principal import fit_standard, principal_scores
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


def print_roll(n: int = 8000) -> None:
    """How well the Isomap of a part unrolls the whole."""
    from sklearn.datasets import make_swiss_roll

    rows, angle = make_swiss_roll(n, random_state=0)
    print(f"{n} points of a Swiss roll: correlation of the first axis with its length, trustworthiness")
    for fitted in (500, 1000, 2000):
        methods.MOST_FITTED = fitted
        made = embed(rows, method="isomap")
        along = abs(np.corrcoef(made.points[:, 0], angle**2)[0, 1])
        print(f"Isomap of {fitted}: {along:.3f} {made.scores.trustworthiness:.3f}", flush=True)


def nearest(rows: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances to the nearest of those known, and which they are."""
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=NEIGHBOURS + 1, algorithm="brute").fit(known).kneighbors(rows)


def kept(in_space: np.ndarray, on_map: np.ndarray) -> float:
    """Share of neighbours in the space that are neighbours on the map."""
    return float(np.mean([np.isin(a, b).mean() for a, b in zip(in_space, on_map, strict=True)]))


def print_kept(rows: np.ndarray, file: np.ndarray) -> None:
    """What files that are set on a map keep of their neighbourhoods, beside what its own segments keep."""
    scores = principal_scores(rows, 32)
    turn = np.random.default_rng(0).permutation(np.unique(file))
    for method in ("umap", "tsne"):
        found = []
        for gone in np.array_split(turn, 4):
            new = np.isin(file, gone)
            points = embed(rows[~new], method=method).points
            placed = place(rows[new], rows[~new], points)
            distances, near = nearest(scores[new], scores[~new])
            near, weights = near[:, :-1], 1 / distances[:, :-1]
            plain = (points[near] * weights[..., None]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
            # The nearest of the map's own is itself.
            own = kept(nearest(scores[~new], scores[~new])[1][:, 1:], nearest(points, points)[1][:, 1:])
            set_on = [kept(near, nearest(where, points)[1][:, :-1]) for where in (placed.points, plain)]
            found.append((*set_on, own))
        told = np.mean(found, axis=0)
        print(f"{method}: neighbours kept by segments set on the map {told[0]:.2f}, at the mean of all ten neighbours "
              f"weighted by 1 / distance {told[1]:.2f}, by the map's own {told[2]:.2f}", flush=True)  # fmt: skip


def shares_strange(fresh: np.ndarray, known: np.ndarray, file: np.ndarray) -> tuple[float, float]:
    """Share that is strange, as `place` says, and by distances that are not compared with those of the neighbours."""
    from sklearn.metrics import pairwise_distances

    standard = fit_standard(known)
    among = pairwise_distances(standard.scale(known))
    among[file[:, None] == file] = np.inf
    own, new = (
        np.sort(distances, axis=1)[:, :NEIGHBOURS].mean(axis=1)
        for distances in (among, pairwise_distances(standard.scale(fresh), standard.scale(known)))
    )
    strange = place(fresh, known, known[:, :2], file=file).strange.mean()
    return float(strange), float((new > np.quantile(own, 0.99)).mean())


def print_strange(path: str, others: list[str]) -> None:
    """Share of segments that are strange to a map: of files left out, of the other corpus, of other runs."""
    from stylemix.clusters.groups import group_run
    from stylemix.model.run import load_run
    from stylemix.style_map.newcomers import read_newcomers

    run = load_run(path)
    grouping = group_run(run, seed=0)
    rows, file, corpus = grouping.features, grouping.segments.file, grouping.corpus
    print(f"\n{Path(path).name}: {len(rows)} segments of {len(run.files)} files, {grouping.space}")
    print_kept(rows, file)
    print("strange segments, and such by distances not compared with those of the neighbours")
    for number, name in enumerate(run.corpora):
        mine = corpus == number
        out = [
            shares_strange(rows[file == one], rows[mine & (file != one)], file[mine & (file != one)])
            for one in np.unique(file[mine])
        ]
        beyond = shares_strange(rows[~mine], rows[mine], file[mine])
        left = np.mean(out, axis=0)
        print(f"{name}: files left out {left[0]:.2f} {left[1]:.2f}, the other corpus {beyond[0]:.2f} {beyond[1]:.2f}")
    for other in others:
        new = read_newcomers(run, [one.path for one in load_run(other).files], grouping)
        both = shares_strange(new.features, rows, file)
        print(f"{Path(other).name}: {both[0]:.2f} {both[1]:.2f}", flush=True)


def main() -> None:
    """Print one or the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--segments", type=int, nargs="+", default=NUMBERS)
    parser.add_argument("--roll", action="store_true")
    parser.add_argument("--placed", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    if asked.roll:
        print_roll()
        return
    for path in asked.runs:
        if asked.placed:
            print_strange(path, [other for other in asked.runs if other != path])
        else:
            print_run(path)
    if not asked.runs:
        print_times(tuple(asked.segments))


if __name__ == "__main__":
    main()
