"""How fast hybrids are rendered and matched, and in how much memory: a small stand-in model, seeded sound."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from stylemix.arrays import Latents, Wave
from stylemix.audio import WaveWriter
from stylemix.hybrid.align import match
from stylemix.hybrid.render import hybrid_file
from tests.fake_run import FakeRun, music


def peak_mb() -> float:
    """Largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1 << (20 if sys.platform == "darwin" else 10)
    )


def walk(n_steps: int, seed: int) -> Latents:
    """Latents that drift as music does."""
    from scipy.signal import lfilter

    noise = np.random.default_rng(seed).standard_normal((64, n_steps)).astype(np.float32)
    codes = lfilter([0.44], [1, -0.9], noise, axis=1).astype(np.float32)
    return Latents(codes, np.zeros(4 * n_steps, np.float32), 22050, 1024)


def long_file(path: Path, seconds: int) -> Path:
    """A stereo file at 44.1 kHz."""
    piece = music(np.random.default_rng(5), 10 * 44100, [600.0, 900.0, 1200.0], 2)
    with WaveWriter(path, sample_rate=44100, n_channels=2) as writer:
        for _ in range(seconds // 10):
            writer.write(piece)
    return path


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpora = {
            c: [Wave(music(rng, 22050 * 30, p), 22050).save(folder / f"{c}{i}.wav") for i in range(2)]
            for c, p in (("low", [300.0, 450.0]), ("high", [2400.0, 3600.0]))
        }
        run = FakeRun(corpora, dims=64, sample_rate=22050, bins_per_octave=36)
        print("| what | seconds of sound | times real time (wall) | times real time (processor) | peak MB |")
        print("|------|------------------|------------------------|-----------------------------|---------|")
        stereo = {s: long_file(folder / f"{s}.wav", s) for s in (120, 600)}
        jobs = [
            ("mono 22.05 kHz", corpora["low"][0], m, p)
            for m, p in (("match", "auto"), ("match", "parents"), ("style", "auto"))
        ]
        jobs += [(f"stereo 44.1 kHz, {s} s", path, "match", "auto") for s, path in stereo.items()]
        for label, source, mode, phase in jobs:
            began, used = time.perf_counter(), time.process_time()
            result = hybrid_file(
                run,
                alpha=0.5,
                source=source,
                mode=mode,
                phase=phase,
                out=folder / "h.wav",  # type: ignore[arg-type]
                force=True,
                show_progress=False,
            )
            wall, used = time.perf_counter() - began, time.process_time() - used
            s = result["seconds"]
            print(
                f"| {label}, {mode}, {phase} | {s:.0f} | {s / wall:.1f} | {s / used:.1f} | {peak_mb():.0f} |"
            )
        began = time.perf_counter()
        match(walk(77000, 0), [walk(39000, i) for i in range(1, 11)])
        taken = time.perf_counter() - began
        print(f"| matching 1 h with 5 h: {taken:.0f} s | 3600 | {3600 / taken:.0f} | | {peak_mb():.0f} |")


if __name__ == "__main__":
    main()
