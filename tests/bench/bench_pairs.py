"""How long hybrids between clusters and along walks take, and how crossfades of walks sound.

    python tests/bench/bench_pairs.py one.mix two.mix

Times are those of a clock after one trial that is not counted; walks have four steps, two seconds each.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from stylemix.clusters.groups import clusters_of
from stylemix.clusters.segments import segments_of
from stylemix.hybrid.render import hybrid
from stylemix.hybrid.splice import fade_weights
from stylemix.hybrid.track import Cut, Track
from stylemix.hybrid.track_reader import FADE_S, TrackReader
from stylemix.model.run import Run, load_run
from stylemix.style_map.pair_grid import render_pairs

WALK_MODES = ("morph", "match", "style", "cross", "fade")
N_FADES = 150
T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds that something takes, and what it gives."""
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def walks(run: Run, n: int, seed: int = 0) -> list[str]:
    """Walks from segments of the first corpus to segments of the second."""
    segments, rng = segments_of(run), np.random.default_rng(seed)
    corpus = np.array([file.corpus for file in run.files])[segments.file]
    sides = [np.flatnonzero(corpus == side) + 1 for side in (0, 1)]
    return [
        ",".join(f"{2 * i}:{rng.choice(sides[0])}-{rng.choice(sides[1])}:{0.25 * (i + 1):g}" for i in range(4))
        for _ in range(n)
    ]


def fades_db(run: Run, n: int = N_FADES) -> np.ndarray:
    """Power of crossfades between random segments, over what both sides have there if nothing cancels (dB)."""
    segments, rng, found = segments_of(run), np.random.default_rng(0), []
    rate = run.vqt.sample_rate
    half = round(FADE_S * rate / 2)
    rise = fade_weights(0, 2 * half, [(half, half, True, lambda: 0.0)]) ** 2
    for _ in range(n):
        (a, file_a, from_a), (b, file_b, from_b) = (
            (run.file_path(int(segments.file[row])), int(segments.file[row]), float(segments.start_s[row]))
            for row in rng.integers(len(segments.file), size=2)
        )
        first, second = Cut(a, file_a, from_a, 0.0, 1.0), Cut(b, file_b, from_b, 1.0, 2.0)
        alone = Cut(a, file_a, from_a, 0.0, 2.0), Cut(b, file_b, from_b - 1, 0.0, 2.0)
        heard = []
        for cuts in ((first, second), alone[:1], alone[1:]):
            with TrackReader(Track(cuts, rate, 1)) as reader:
                heard.append(np.square(reader.read(rate - half, rate + half)))
        wanted = float(np.mean(heard[1] * (1 - rise) + heard[2] * rise))
        # Silence has no ratio.
        if wanted > 1e-7:
            found.append(10 * np.log10(float(heard[0].mean()) / wanted))
    return np.array(found)


def report(run: Run, name: str, trials: int) -> None:
    """Print the figures of a run."""
    hybrid(run, walk=walks(run, 1, seed=1)[0], mode="match")
    print(f"{name}: {len(segments_of(run).file)} segments")
    grouping_s, clusters = timed(lambda: clusters_of(run))
    grid_s, made = timed(lambda: render_pairs(run, clusters))
    sound_s = sum(one.seconds for one in made)
    print(f"  clusters in {grouping_s:.1f} s; {len(made)} hybrids of pairs, {sound_s:.0f} s in all, in {grid_s:.1f} s")
    for mode in WALK_MODES:
        taken = [timed(partial(hybrid, run, walk=way, mode=mode))[0] for way in walks(run, trials)]
        print(f"  walk of 8 s, {mode}: median {np.median(taken):.2f} s, longest {max(taken):.2f} s")
    fades = fades_db(run)
    low, high = np.percentile(fades, [5, 95])
    print(f"  crossfades: median {np.median(fades):+.2f} dB, 5 to 95 % {low:+.2f} to {high:+.2f} dB")


def main() -> None:
    """Print a table for each run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--trials", type=int, default=5)
    given = parser.parse_args()
    for path in given.runs:
        report(load_run(path), path.name, given.trials)


if __name__ == "__main__":
    main()
