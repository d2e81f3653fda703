"""The protocol of the papers on phase gradient heap integration, on any music.

The first ten seconds of each file, one channel, peak at one; frames of 2048 samples every 256; from the magnitudes
alone to sound, whose magnitudes are compared with the given ones: spectral convergence in dB, mean and range over the
files. Windows: a Gaussian that has fallen to 1 % at the ends of the frame, and Hann's.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stylemix.transforms import Fourier
from tests.bench.phase_measures import convergence_db
from tests.bench.phase_methods import (
    Magnitudes,
    as_arrays,
    fourier_at,
    heap_alone,
    magnitudes_of,
    projected,
    recovered,
)
from tests.bench.phase_sounds import recordings, synthetic

SECONDS, RATE, M, HOP = 10.0, 22050, 2048, 256
WINDOWS: dict[str, Any] = {"Hann": "hann", "Gaussian": ("gaussian", M / np.sqrt(-8 * np.log(0.01)))}


def ways(m: Magnitudes, fourier: Fourier, n: int) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    """What the papers compare; GLA is the classic one, "fast" has a momentum of 0.99."""
    yield "heap integration alone", lambda: heap_alone(fourier, m, n)
    for n_iter in (100, 200):
        yield f"random + {n_iter} GLA", lambda n_iter=n_iter: projected(fourier, m, n, n_iter, "random", 0.0)
    yield "random + 100 fast GLA", lambda: projected(fourier, m, n, 100, "random")
    yield "heap + 100 GLA", lambda: projected(fourier, m, n, 100, "heap", 0.0)
    yield "heap + 100 fast GLA", lambda: projected(fourier, m, n, 100, "heap")
    for quality in ("draft", "good", "best"):
        yield f"ours, {quality}", lambda quality=quality: recovered(fourier, m, n, quality)


def librosa_ways(x: np.ndarray, window: Any) -> Iterator[tuple[str, Callable[[], np.ndarray]]]:
    """The reference for iteration alone."""
    import librosa

    same: dict[str, Any] = {"hop_length": HOP, "window": window, "n_fft": M}
    m = np.abs(librosa.stft(x, pad_mode="constant", **same))
    for name, n_iter, momentum in (("GLA", 100, 0.0), ("GLA", 200, 0.0), ("fast GLA", 100, 0.99)):
        yield (
            f"librosa, random + {n_iter} {name}",
            lambda n_iter=n_iter, momentum=momentum: librosa.griffinlim(  # type: ignore[misc]
                m, n_iter=n_iter, momentum=momentum, length=len(x), random_state=0, **same
            ),
        )


def protocol(folder: Path | None, count: int) -> dict[str, Any]:
    """The table."""
    # Classical, so that the numbers stand beside the papers': the first ten seconds, not those from the tenth on.
    found = list(recordings(folder, RATE, seconds=SECONDS, count=count, start_s=0.0))
    pieces = found or synthetic(RATE, seconds=SECONDS)
    each: list[dict[str, Any]] = []
    for piece in pieces:
        x = (piece.samples / np.abs(piece.samples).max()).astype(np.float32)
        for shape, window in WINDOWS.items():
            fourier = fourier_at(RATE, HOP, window)
            m = magnitudes_of(fourier, x)
            wanted = as_arrays(fourier, x)
            for name, run in (*ways(m, fourier, len(x)), *librosa_ways(x, window)):
                began = time.perf_counter()
                with torch.inference_mode():
                    y = run()
                row = {"method": name, "window": shape, "piece": piece.name, "seconds": time.perf_counter() - began}
                each.append({**row, "sc_db": convergence_db(as_arrays(fourier, y), wanted)})
    rows = [summed(each, name, shape) for name, shape in dict.fromkeys((r["method"], r["window"]) for r in each)]
    rows.sort(key=lambda row: row["window"])
    return {"rows": rows, "missing": {}, "pieces": [p.name for p in pieces], "each": each}


def summed(each: list[dict[str, Any]], name: str, shape: str) -> dict[str, Any]:
    """Mean and range over the files."""
    mine = [row for row in each if (row["method"], row["window"]) == (name, shape)]
    values = [row["sc_db"] for row in mine]
    return {
        "window": shape,
        "method": name,
        "seconds": statistics.median(row["seconds"] for row in mine),
        "SC dB, mean": statistics.mean(values),
        "best": min(values),
        "worst": max(values),
    }
