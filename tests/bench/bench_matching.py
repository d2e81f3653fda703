"""Sound from scattering: error, iterations and seconds, from a start made of the target and from others.

STYLEMIX_MUSIC=recordings/ python tests/bench/bench_matching.py [--quick] [--json]

Without STYLEMIX_MUSIC the pieces are those of the starter corpora. An iteration is one computation of the coefficients
and of the gradient. The last columns are of a sound's own spectrogram, which descent never saw.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from stylemix.audio import read_wave
from stylemix.phase.matching import Matched, Target, match
from stylemix.transforms import TimeScattering

RATE = 22050
STARTS = {
    "phase": "estimated phase",
    "random": "random phase",
    "noise": "white noise",
}


def pieces(seconds: float, count: int) -> list[tuple[str, torch.Tensor]]:
    """Stretches from within recordings, spread over the folders there are."""
    folder = os.environ.get("STYLEMIX_MUSIC")
    if folder:
        return cut(sorted(Path(folder).glob("*/*/*.*")), seconds, count)
    from stylemix.starter import make_starter

    with tempfile.TemporaryDirectory() as temporary:
        return cut(sorted(path for one in make_starter(Path(temporary)) for path in one.glob("*.*")), seconds, count)


def cut(paths: list[Path], seconds: float, count: int) -> list[tuple[str, torch.Tensor]]:
    """Some of the sound files, from the tenth second on."""
    paths = [path for path in paths if path.suffix in (".flac", ".ogg", ".wav")]
    chosen = [paths[round(i)] for i in np.linspace(0, len(paths) - 1, count)]
    waves = [read_wave(path, start_s=10.0, duration_s=seconds, sample_rate=RATE, mono=True) for path in chosen]
    return [(path.stem, torch.from_numpy(wave.samples[0])) for path, wave in zip(chosen, waves, strict=True)]


def spectral_convergence_db(sound: torch.Tensor, original: torch.Tensor) -> float:
    """Distance of two spectrograms (dB)."""
    window = torch.hann_window(2048)
    a, b = (torch.stft(x, 2048, 512, window=window, return_complex=True).abs() for x in (sound, original))
    return float(20 * torch.log10((a - b).norm() / b.norm()))


def reached(found: Matched, error: float) -> int | None:
    """The iteration at which the error of all coefficients together was first this small."""
    return next((i for i, e in enumerate(found.history, 1) if e <= error), None)


def row(name: str, x: torch.Tensor, start: Any, options: argparse.Namespace) -> dict[str, Any]:
    """One descent."""
    scattering = TimeScattering(RATE, J=options.J, Q=(8, 1), T=options.T)
    target = Target(scattering, scattering.forward(x))
    found = match(target, start=start, until=options.until, n_iter=options.iterations, seed=0)
    percent = {f"{key} %": 100 * value for key, value in found.errors.orders.items()}
    began = [100 * found.start.orders[f"order {k}"] for k in (1, 2)]
    return {
        "piece": name, "start": STARTS[start],
        "error at the start %": 100 * found.start.whole, "of order 1": began[0], "of order 2": began[1],
        "all to 5 % at": reached(found, 0.05), "iterations": found.n_iter, "seconds": found.seconds,
        "error %": 100 * found.errors.whole, **percent, "ended": found.ended_by,
        "SC2048 dB": spectral_convergence_db(found.samples, x),
    }  # fmt: skip


def shown(value: Any) -> str:
    """A cell."""
    if isinstance(value, float):
        return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return "–" if value is None else str(value)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--pieces", type=int, default=6)
    parser.add_argument("--J", type=int, default=10)
    parser.add_argument("--T", type=int, default=4096, help="length of the average (samples at 22050 Hz)")
    parser.add_argument("--until", type=float, default=0.05, help="relative error of every order to stop at")
    parser.add_argument("--iterations", type=int, default=150)
    parser.add_argument("--quick", action="store_true", help="two pieces, two starts")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    starts, count = (list(STARTS)[:2], 2) if options.quick else (list(STARTS), options.pieces)
    rows = [row(name, x, start, options) for start in starts for name, x in pieces(options.seconds, count)]
    conditions = {"threads": torch.get_num_threads(), "load": os.getloadavg()[0], "torch": torch.__version__}
    if options.json:
        print(json.dumps({"rows": rows, "options": vars(options), **conditions}))
        return
    print(f"{options.seconds:g} s each, J={options.J}, Q=(8, 1), T={options.T} samples, until every order is within "
          f"{100 * options.until:g} %; {conditions}\n")
    print("| " + " | ".join(rows[0]) + " |\n|" + "---|" * len(rows[0]))
    for one in rows:
        print("| " + " | ".join(shown(value) for value in one.values()) + " |")
    for start in starts:
        mine = [one for one in rows if one["start"] == STARTS[start]]
        middle = {key: median(one[key] for one in mine) for key in ("iterations", "seconds", "error %", "SC2048 dB")}
        worst = max(one["error %"] for one in mine)
        print(f"\n{STARTS[start]}: median of " + ", ".join(f"{k} {shown(float(v))}" for k, v in middle.items())
              + f"; largest error {worst:.2f} %")


if __name__ == "__main__":
    main()
