"""Which phase has the magnitudes that a hybrid asks for: the parents', an estimate, or both.

python tests/bench/hybrid_phase.py both.mix
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

import stylemix.hybrid.blend as blend
from stylemix.hybrid.render import hybrid
from stylemix.model.run import Run, load_run
from stylemix.phase import Magnitudes

# A parent counts as alone where the other is so far below it (dB).
LOCKS_DB = (6, 12, 20, 30, 40)
ALPHAS = (0.25, 0.5, 0.75)


def consistency_db(run: Run, source: str, alpha: float, mode: str, phase: str) -> float:
    """Distance of the first block's magnitudes from those that it was asked for."""
    asked: list[tuple[Magnitudes, np.ndarray]] = []

    class Listening(blend.Blender):
        def sound(self, wanted: Any, *rest: Any) -> np.ndarray:
            asked.append((wanted, super().sound(wanted, *rest)))
            return asked[-1][1]

        def estimated(self, wanted: Any, *rest: Any) -> np.ndarray:
            asked.append((wanted, super().estimated(wanted, *rest)))
            return asked[-1][1]

    import stylemix.hybrid.prepare as prepare

    original, prepare.Blender = prepare.Blender, Listening  # type: ignore[misc]
    try:
        hybrid(run, alpha=alpha, source=source, mode=mode, phase=phase, start_s=20.0, duration_s=8.0)
    finally:
        prepare.Blender = original  # type: ignore[misc]
    wanted, sound = asked[0]
    return 20 * float(np.log10(wanted.error(run.vqt.forward(torch.from_numpy(sound)).groups)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--mode", default="match")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    run = load_run(arguments.run)
    held_out = [file.path for file in run.files if file.split != "train"]
    sources = list(dict.fromkeys([held_out[0], held_out[-1]]))
    ways: list[tuple[str, str, float]] = [(phase, phase, blend.ALONE) for phase in ("parents", "source", "estimate")]
    ways += [(f"auto, locked at {db} dB", "auto", 10 ** (db / 20)) for db in LOCKS_DB]
    print("| phase | " + " | ".join(f"alpha {alpha}" for alpha in ALPHAS) + " |")
    print("|---" * (len(ALPHAS) + 1) + "|")
    for label, phase, alone in ways:
        blend.ALONE = alone
        found = [[consistency_db(run, s, alpha, arguments.mode, phase) for s in sources] for alpha in ALPHAS]
        print(f"| {label} | " + " | ".join(" / ".join(f"{db:.1f}" for db in one) for one in found) + " |")


if __name__ == "__main__":
    main()
