"""How fast hybrids are rendered, and in how much memory: every mode, half an hour of target, a stand-in model.

python tests/bench/bench_render.py [--minutes 30]
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from stylemix.arrays import Wave
from stylemix.audio import WaveWriter
from stylemix.hybrid.modes import MODES
from stylemix.hybrid.render import hybrid_file
from tests.fake_run import FakeRun, music


def peak_mb() -> float:
    """Largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1 << (20 if sys.platform == "darwin" else 10)
    )


def long_file(path: Path, seconds: int) -> Path:
    """A stereo file at 44.1 kHz."""
    piece = music(np.random.default_rng(5), 10 * 44100, [600.0, 900.0, 1200.0], 2)
    with WaveWriter(path, sample_rate=44100, n_channels=2) as writer:
        for _ in range(seconds // 10):
            writer.write(piece)
    return path


def corpora(folder: Path, minutes: int) -> dict[str, list[Path]]:
    """A short corpus for sources and a long one for targets, in files of a minute."""
    rng, found = np.random.default_rng(0), {}
    for name, n_files, pitches in (("low", 2, [300.0, 450.0]), ("high", minutes, [2400.0, 3600.0])):
        # To make half an hour note by note takes longer than to measure on it: seconds of one minute, shuffled.
        seconds = music(rng, 22050 * 60, pitches).reshape(1, 60, 22050)
        found[name] = [
            Wave(seconds[:, rng.permutation(60)].reshape(1, -1), 22050).save(folder / f"{name}{i:02d}.wav")
            for i in range(n_files)
        ]
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=int, default=30, help="of target")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = corpora(folder, arguments.minutes)
        run = FakeRun(made, dims=64, sample_rate=22050, bins_per_octave=48)
        print(f"| mode, {arguments.minutes} min of target | seconds | times real time | on one processor | peak MB |")
        print("|---|---|---|---|---|")
        mono, stereo = made["low"][0], {s: long_file(folder / f"{s}.wav", s) for s in (120, 600)}
        jobs: list[tuple[str, Path, dict[str, object]]] = [
            (mode, mono, {"mode": mode}) for mode in MODES if mode != "morph"
        ]
        jobs += [
            ("morph", mono, {"mode": "morph", "target": made["high"][0]}),
            ("match, estimated phase", mono, {"phase": "estimate"}),
            *((f"match, stereo 44.1 kHz, {s} s", path, {}) for s, path in stereo.items()),
        ]
        for label, source, asked in jobs:
            began, used = time.perf_counter(), time.process_time()
            result = hybrid_file(
                run, alpha=0.6, source=source, out=folder / "h.wav", force=True, show_progress=False, **asked,  # type: ignore[arg-type]
            )  # fmt: skip
            wall, used = time.perf_counter() - began, time.process_time() - used
            s = result["seconds"]
            print(f"| {label} | {s:.0f} | {s / wall:.1f} | {s / used:.1f} | {peak_mb():.0f} |", flush=True)


if __name__ == "__main__":
    main()
