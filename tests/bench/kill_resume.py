"""Kill a training of real folders ten times, resume it each time, and compare with one left alone.

python tests/bench/kill_resume.py FOLDER FOLDER --minutes 1
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests import killing


def timed(arguments: list[str], cache: Path) -> float:
    """Run a training to its end; return the seconds it took."""
    started = time.monotonic()
    subprocess.run(arguments, env=killing.environment(cache, threads=THREADS), check=True)
    return time.monotonic() - started


THREADS = 2


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs=2, type=Path)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--recipe", default="base")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    options = ["--recipe", asked.recipe, "--minutes", str(asked.minutes)]
    with tempfile.TemporaryDirectory() as temporary:
        alone, killed = Path(temporary, "alone.mix"), Path(temporary, "killed.mix")
        took_s = timed(killing.command(asked.folders, alone, *options), Path(temporary, "cache-alone"))
        arguments, cache = killing.command(asked.folders, killed, *options, "--resume"), Path(temporary, "cache")
        rest_s = max(5.0, took_s - 60 * asked.minutes)
        # Four kills share the training, so that each meets it somewhere in its own fifth.
        moments = killing.plan(asked.seed, features_s=rest_s / 4, training_s=60 * asked.minutes / 5, finishing_s=1.0)
        print(f"{'killed in':<12}{'after':>8}{'step on disk':>14}{'landed':>8}")
        for moment in moments:
            kill = killing.run_and_kill(arguments, cache, killed, moment)
            print(f"{moment.stage:<12}{kill.after_s:>6.1f} s{kill.step:>14}{kill.landed!s:>8}", flush=True)
        timed(arguments, cache)
        for name, out in (("after ten kills", killed), ("left alone", alone)):
            m = killing.metrics(out)
            print(
                f"{name:<16} {m['steps']:>6} steps, held-out error {m['error']:.4f}, "
                f"of PCA's {m['error_over_pca']:.4f}, "
                f"ended by {m['ended_by']}"
            )


if __name__ == "__main__":
    main()
