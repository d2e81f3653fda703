"""How long `stylemix --help` takes: median of 9 fresh processes, against the promise of 0.5 s."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

PROMISE_S = 0.5


def start_s() -> float:
    """Seconds that one fresh process takes."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-m", "stylemix", "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


if __name__ == "__main__":
    times = [start_s() for _ in range(9)]
    median = statistics.median(times)
    spread = f"{min(times):.3f} to {max(times):.3f}"
    print(f"stylemix --help: median {median:.3f} s ({spread}); promise {PROMISE_S} s")
    sys.exit(median > PROMISE_S)
