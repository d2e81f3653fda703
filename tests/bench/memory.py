"""Peak memory and feature speed of a training on five hours of sound, made of given files shifted and scaled.

python tests/bench/memory.py FILE FILE... --hours 5
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import soxr

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests import killing

RATE = 8000


def make_corpora(files: list[Path], out: Path, hours: float) -> list[Path]:
    """Two folders that hold this many hours: copies of the files that are no copies byte for byte."""
    sounds = []
    for file in files:
        samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
        sounds.append(soxr.resample(samples.mean(axis=1), rate, RATE))
    rng, seconds, number = np.random.default_rng(0), 0.0, 0
    folders = [out / "first", out / "second"]
    for folder in folders:
        folder.mkdir(parents=True)
    while seconds < hours * 3600:
        samples = sounds[number // 2 % len(sounds)]
        samples = np.roll(samples, int(rng.integers(len(samples)))) * rng.uniform(0.3, 0.9)
        soundfile.write(folders[number % 2] / f"{number:05d}.flac", samples, RATE)
        seconds, number = seconds + len(samples) / RATE, number + 1
    return folders


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--hours", type=float, default=5.0)
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--recipe", default="base")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folders = make_corpora(asked.files, Path(temporary), asked.hours)
        options = ["--recipe", asked.recipe, "--minutes", str(asked.minutes)]
        cache = Path(temporary, "cache")
        started = time.monotonic()
        process = subprocess.Popen(
            killing.command(folders, Path(temporary, "m.mix"), *options), env=killing.environment(cache, threads=2)
        )
        first = last = None
        while process.poll() is None:
            time.sleep(0.2)
            n = len(list(cache.glob("??/*")))
            first = time.monotonic() if first is None and n else first
            if Path(temporary, "m.mix").exists() and last is None:
                last = time.monotonic()
        ended = time.monotonic()
        if process.returncode or first is None or last is None:
            sys.exit("the training failed")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
        print(f"{asked.hours:g} h of sound, {len(list(cache.glob('??/*')))} files, {asked.minutes:g} minutes of steps")
        print(f"peak memory {peak:.2f} GiB")
        print(
            f"checking {first - started:.0f} s, features {last - first:.0f} s "
            f"({asked.hours * 3600 / (last - first):.0f} x real time), the rest {ended - last:.0f} s"
        )


if __name__ == "__main__":
    main()
