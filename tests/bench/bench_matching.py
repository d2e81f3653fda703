"""Sound from scattering: error, iterations and seconds from the start made of the target, and from others.

STYLEMIX_MUSIC=recordings/ python tests/bench/bench_matching.py --seconds 5
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from stylemix.audio import read_wave
from stylemix.phase.matching import Target, match
from stylemix.starter import make_starter
from stylemix.transforms import TimeScattering

RATE = 22050
STARTS = ("phase", "random", "noise")


def pieces(seconds: float, count: int) -> list[tuple[str, torch.Tensor]]:
    """Stretches from the middle of recordings, spread over the folders there are."""
    folder = os.environ.get("STYLEMIX_MUSIC")
    found = sorted(Path(folder).glob("*/*/*.*")) if folder else []
    found = [path for path in found if path.suffix in (".flac", ".ogg", ".wav")]
    if not found:
        folders = make_starter(Path("/tmp") / "stylemix-bench-starter", force=True)
        found = sorted(path for one in folders for path in one.glob("*.flac"))
    chosen = [found[round(i)] for i in np.linspace(0, len(found) - 1, count)]
    waves = [read_wave(path, start_s=10.0, duration_s=seconds, sample_rate=RATE, mono=True) for path in chosen]
    return [(path.stem, torch.from_numpy(wave.samples[0])) for path, wave in zip(chosen, waves, strict=True)]


def independent(sound: torch.Tensor, wanted: torch.Tensor) -> float:
    """Distance of two spectrograms that descent never saw (dB)."""
    window = torch.hann_window(2048)
    a, b = (torch.stft(x, 2048, 512, window=window, return_complex=True).abs() for x in (sound, wanted))
    return float(20 * torch.log10((a - b).norm() / b.norm()))


def row(name: str, x: torch.Tensor, start: Any, options: argparse.Namespace) -> dict[str, Any]:
    """One descent."""
    scattering = TimeScattering(RATE, J=options.J, Q=(8, 1), T=options.T * RATE)
    target = Target(scattering, scattering.forward(x))
    found = match(target, start=start, until=options.until, n_iter=options.iterations)
    return {
        "piece": name, "start": start, "at start": found.start.whole, "error": found.errors.whole,
        **{f"{key}": value for key, value in found.errors.orders.items()},
        "iterations": found.n_iter, "seconds": found.seconds, "ended": found.ended_by,
        "SC2048 dB": independent(found.samples, x),
    }  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--pieces", type=int, default=6)
    parser.add_argument("--J", type=int, default=10)
    parser.add_argument("--T", type=float, default=0.2, help="length of the average (s)")
    parser.add_argument("--until", type=float, default=0.05, help="relative error of every order to stop at")
    parser.add_argument("--iterations", type=int, default=150)
    parser.add_argument("--quick", action="store_true", help="two pieces, two starts")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    starts, count = (STARTS[:2], 2) if options.quick else (STARTS, options.pieces)
    rows = [row(name, x, start, options) for name, x in pieces(options.seconds, count) for start in starts]
    if options.json:
        print(json.dumps({"rows": rows, "threads": torch.get_num_threads(), "load": os.getloadavg()[0]}))
        return
    print(f"{options.seconds:g} s, J={options.J}, T={options.T:g} s, until {100 * options.until:g} % in every order, "
          f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    keys = list(rows[0])
    print("| " + " | ".join(keys) + " |\n|" + "---|" * len(keys))
    for one in rows:
        cells = [f"{v:.3g}" if isinstance(v, float) else str(v) for v in (one.get(key, "") for key in keys)]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
