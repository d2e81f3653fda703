"""From magnitudes to sound: seconds, spectra and the moments before onsets, beside other libraries in the same run.

python tests/bench/bench_phase.py [--music DIR] [--pieces 5] [--only music_22050] [--methods "pooled|librosa"] [--json]
python tests/bench/bench_phase.py --protocol      what the papers on heap integration report, on this music
python tests/bench/bench_phase.py --learned RUN   magnitudes that a trained model decodes from held-out files

Recordings come from --music, from STYLEMIX_MUSIC or from shared/corpora beside the checkout; without them only
synthetic sound is heard. Methods take turns on every piece, in an order that moves on, so the median over the pieces
is one over alternated runs. SC512 is independent of every method, SC2048 of all but those on frames of 2048 samples
every 512, whose own coefficients it measures. Other packages are optional, and the table says which are missing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # Read once, when the libraries load.
    _THREADS = sys.argv[sys.argv.index("--threads") + 1] if "--threads" in sys.argv else "2"
    for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[_variable] = _THREADS

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.phase_learned import learned
from tests.bench.phase_measures import convergence_db, onsets, pre_echo_db, sound_convergence_db, spectral_distance_db
from tests.bench.phase_methods import Method, Missing, fourier_at, from_pooled, librosas, on_lattice, sparse, vqt_at
from tests.bench.phase_peers import peers
from tests.bench.phase_protocol import protocol
from tests.bench.phase_sounds import Piece, music_folder, recordings, synthetic
from tests.bench.timing import processor, table
from tests.bench.transform_jobs import versions

# What the others are compared with: seconds and SC2048 of these two.
YARDSTICKS = {"cqt": "librosa.griffinlim_cqt(32), 252 bins", "stft": "librosa.griffinlim(100), STFT 2048/512"}
MEASURES = ("own_db", "sc512_db", "sc2048_db", "distance_db", "pre_echo_db")
TITLES = {
    "own_db": "SC own dB",
    "sc512_db": "SC512 dB",
    "sc2048_db": "SC2048 dB",
    "distance_db": "log-spectral dB",
    "pre_echo_db": "pre-echo dB",
}


def methods(piece: Piece) -> Iterator[Method]:
    """Every way from this piece's magnitudes to sound."""
    x, rate = piece.samples, piece.sample_rate
    lattices = [on_lattice(f"STFT 2048/{hop}", fourier_at(rate, hop), x) for hop in (512, 256)]
    vqt = vqt_at(rate)
    mine = (on_lattice("VQT", vqt, x), from_pooled(vqt, x), sparse(vqt_at(rate, 1), x), *lattices)
    return chain(*mine, librosas(x, rate), peers(x))


def measured(found: np.ndarray, method: Method, piece: Piece) -> dict[str, float | None]:
    """The figures of one sound."""
    y, x = found[: len(piece.samples)], piece.samples
    at = onsets(x, piece.sample_rate) if piece.onsets is None else piece.onsets
    return {
        "own_db": convergence_db(method.own(y), method.own(x)),
        "sc512_db": sound_convergence_db(y, x, 512),
        "sc2048_db": sound_convergence_db(y, x, 2048),
        "distance_db": spectral_distance_db(y, x),
        "pre_echo_db": pre_echo_db(y, x, piece.sample_rate, at),
    }


class Runs:
    """All figures of one table, by method and piece."""

    def __init__(self, wanted: str, rounds: int) -> None:
        self.wanted, self.rounds = re.compile(wanted), rounds
        self.missing: dict[str, str] = {}
        self.rows: list[dict[str, Any]] = []

    def attempt(self, method: Method) -> np.ndarray | None:
        """Run a method; note why when it cannot be."""
        try:
            return method.run()
        except Missing as missing:
            self.missing[method.name] = str(missing)
        except Exception as error:  # another package may fail in any way, and the rest of the table stands
            self.missing[method.name] = f"{type(error).__name__}: {str(error).splitlines()[0][:120]}"
        return None

    def chosen(self, piece: Piece) -> list[Method]:
        """The methods asked for that can be run."""
        return [m for m in methods(piece) if self.wanted.search(m.name) and m.name not in self.missing]

    def warm(self, piece: Piece) -> None:
        """Have everything compiled, on a second of sound."""
        short = Piece(piece.name, piece.kind, piece.samples[: piece.sample_rate], piece.sample_rate)
        with warnings.catch_warnings():
            # Librosa says that a second is short.
            warnings.simplefilter("ignore")
            for method in self.chosen(short):
                self.attempt(method)

    def add(self, piece: Piece, turn: int) -> None:
        """Hear one piece by all methods, the first of them another one every time."""
        print(f"{piece.kind} at {piece.sample_rate} Hz: {piece.name}", file=sys.stderr, flush=True)
        for again in range(self.rounds):
            chosen = self.chosen(piece)
            first = (5 * turn + 7 * again) % max(1, len(chosen))
            for method in chosen[first:] + chosen[:first]:
                began = time.perf_counter()
                found = self.attempt(method)
                seconds = time.perf_counter() - began
                if found is not None:
                    row = {"method": method.name, "piece": piece.name, "seconds": seconds}
                    self.rows.append(row if again else {**row, **measured(found, method, piece)})

    def summary(self, seconds: float) -> list[dict[str, Any]]:
        """A row for each method: median seconds, mean and worst figures, and what they are beside the yardsticks."""
        names = list(dict.fromkeys(row["method"] for row in self.rows))
        rows = [self._summed(name, seconds) for name in sorted(names, key=self._place)]
        known = {row["method"]: row for row in rows}
        for short, name in YARDSTICKS.items():
            for row in rows if name in known else []:
                row[f"times_as_fast_as_{short}"] = known[name]["seconds"] / row["seconds"]
                row[f"db_better_than_{short}"] = known[name]["sc2048_db"] - row["sc2048_db"]
        return rows

    def _place(self, name: str) -> tuple[int, str]:
        order = ("VQT:", "pooled", "VQT of", "STFT 2048/512", "STFT 2048/256", "librosa")
        return next((i for i, start in enumerate(order) if name.startswith(start)), len(order)), ""

    def _summed(self, name: str, seconds: float) -> dict[str, Any]:
        mine = [row for row in self.rows if row["method"] == name]
        took = statistics.median(row["seconds"] for row in mine)
        out: dict[str, Any] = {"method": name, "seconds": took, "times_real_time": seconds / took}
        for key in MEASURES:
            values = [row[key] for row in mine if row.get(key) is not None]
            out[key] = statistics.mean(values) if values else None
            out[f"worst_{key}"] = max(values) if values else None
        return out


def shown(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The summary with mean and worst in one cell."""
    out = []
    for row in rows:
        cells = {k: row[k] for k in ("method", "seconds", "times_real_time")}
        for key, title in TITLES.items():
            pair = row[key], row[f"worst_{key}"]
            cells[title] = None if pair[0] is None else f"{pair[0]:.1f} ({pair[1]:.1f})"
        for short in YARDSTICKS:
            if f"times_as_fast_as_{short}" in row:
                ratio, better = row[f"times_as_fast_as_{short}"], row[f"db_better_than_{short}"]
                cells[f"beside {short}"] = f"{ratio:.2g}x, {better:+.1f} dB"
        out.append(cells)
    return out


def heard(pieces: Callable[[], list[Piece]], options: argparse.Namespace) -> dict[str, Any]:
    """One table."""
    runs, found = Runs(options.methods, options.rounds), pieces()
    with torch.inference_mode():
        for turn, piece in enumerate(found):
            if not turn:
                runs.warm(piece)
            runs.add(piece, turn)
    seconds = len(found[0].samples) / found[0].sample_rate if found else 0.0
    rows = runs.summary(seconds)
    return {
        "rows": rows,
        "missing": runs.missing,
        "pieces": [p.name for p in found],
        "each": runs.rows,
        "load_after": os.getloadavg()[0],
    }


def sections(options: argparse.Namespace) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Name and measurement of each table."""
    folder = music_folder(options.music)
    seconds, count = options.seconds, options.pieces
    if options.protocol:
        yield "protocol", partial(protocol, folder, count)
    if options.learned:
        yield "learned", partial(learned, options.learned, count)
    if options.protocol or options.learned:
        return
    for rate in options.rates:
        if folder:
            pieces = partial(recordings, folder, rate, seconds=seconds, count=count)
            yield f"music_{rate}", partial(heard, lambda pieces=pieces: list(pieces()), options)  # type: ignore[misc]
        yield f"synthetic_{rate}", partial(heard, partial(synthetic, rate, seconds=seconds), options)


def about() -> dict[str, Any]:
    """The machine and the versions."""
    return {
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **versions("torch", "numpy", "scipy", "librosa"),
    }


def show(key: str, result: dict[str, Any], each: bool) -> None:
    """Print a table in Markdown."""
    pieces = "; ".join(result["pieces"])
    rows = result["rows"] if key in ("protocol", "learned") else shown(result["rows"])
    table(f"{key}, mean (worst) over {len(result['pieces'])}: {pieces}", rows)
    if "load_after" in result:
        # Of two threads that wait for each other on busy processors, one may wait a hundred times as long.
        print(
            f"\nload average after it {result['load_after']:.1f}: more than the threads means that times are too long"
        )
    for why in dict.fromkeys(result["missing"].values()):
        print(f"\nleft out, {why}: " + "; ".join(name for name, said in result["missing"].items() if said == why))
    if each:
        table(f"{key}, one by one", result["each"])


def main() -> None:
    """Print the tables, or with --json one object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--music", help="folder of recordings; one folder in it for each style")
    parser.add_argument("--pieces", type=int, default=5, help="recordings; five folders give one each")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each piece")
    parser.add_argument("--rates", type=int, nargs="+", default=[22050, 44100], help="Hz")
    parser.add_argument("--rounds", type=int, default=1, help="timings of each piece")
    parser.add_argument("--methods", default="", help="regular expression of those to run")
    parser.add_argument("--only", default="", help="tables by the start of their name: music_22050, synthetic")
    parser.add_argument("--protocol", action="store_true", help="the papers' protocol instead")
    parser.add_argument("--learned", metavar="RUN", help="a trained run's held-out files instead")
    parser.add_argument("--each", action="store_true", help="print every piece too")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    result: dict[str, Any] = {"about": about()}
    if not options.json:
        print("; ".join(f"{key} {value}" for key, value in result["about"].items()))
    for key, make in sections(options):
        if key.startswith(options.only):
            result[key] = make()
            if not options.json:
                show(key, result[key], options.each)
    if options.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
