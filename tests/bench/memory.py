"""Peak memory and speed of what must not grow with its input: a training on hours of sound, and a stream of sound.

python tests/bench/memory.py FILE FILE... --hours 5
    A training on sound made of given files, shifted and scaled.
python tests/bench/memory.py --stream 10 120 --quality draft
    Sound of magnitudes that arrive block by block, of a stretch of 10 minutes and of one of 120.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from stylemix.phase import SoundStream
from stylemix.transforms import VQT, Coefficients, Stream
from tests import killing

RATE = 8000
STREAM_RATE = 22050


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


def endless(seconds: float) -> Iterator[torch.Tensor]:
    """Notes of three partials that decay, five a second, over soft noise; a second at a time."""
    generator = torch.Generator().manual_seed(0)
    t = torch.arange(STREAM_RATE // 5) / STREAM_RATE
    for _ in range(round(seconds)):
        x = 1e-3 * torch.randn(5, len(t), generator=generator)
        hz = 110 * 2 ** (torch.randint(0, 36, (5, 1), generator=generator) / 12)
        x += sum(torch.sin(2 * torch.pi * n * hz * t) / n for n in (1, 2, 3)) * torch.exp(-6 * t)
        yield 0.3 * x.flatten()


def stream(minutes: float, quality: str) -> None:
    """Make sound of magnitudes, and print what that took of memory and time."""
    torch.set_num_threads(1)
    vqt = VQT(STREAM_RATE)
    analysis = Stream(vqt, block_s=4.0).forward(endless(60 * minutes))
    told = (Coefficients(b.magnitudes(), b.hops, b.n_samples) for b in analysis)
    started, n = time.monotonic(), 0
    for sound in SoundStream(vqt, quality=quality, block_s=4.0).forward(told):
        n += sound.shape[-1]
    taken = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{quality}, {n / STREAM_RATE / 60:g} minutes: peak memory {peak:.0f} MiB, {taken:.0f} s with the analysis "
        f"({n / STREAM_RATE / taken:.0f} x real time)",
        flush=True,
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--stream", nargs="+", type=float, metavar="MINUTES")
    parser.add_argument("--quality", default="draft")
    parser.add_argument("--hours", type=float, default=5.0)
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--recipe", default="base")
    asked = parser.parse_args()
    if not asked.stream and not asked.files:
        parser.error("give files to train on, or --stream MINUTES")
    for minutes in asked.stream or ():
        # A process of its own for each: the peak of a process only rises.
        process = multiprocessing.get_context("spawn").Process(target=stream, args=(minutes, asked.quality))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit("the stream failed")
    if not asked.stream:
        train(asked)


def train(asked: argparse.Namespace) -> None:
    """Print the figures of a training."""
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
