"""From a click to sound: how long an order takes to come back, alone and with a second client; how soon a cancel ends.

    OMP_NUM_THREADS=2 python tests/bench/bench_explore.py RUN.mix [--orders 20] [--seconds 6]

The process that renders is the one of `stylemix explore`; the clients speak with its server over HTTP as a page does,
from the request of the order to the last byte of the sound. The browser's own part, decoding and starting, is measured
by the tests in Chromium: some tens of milliseconds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from stylemix.explore.orders import Places, places_of
from stylemix.explore.renderer import worker_command
from stylemix.model.run import load_run
from tests.served import Client, Served, serving, until

MODES = ("match", "morph", "style", "cross")


def click(client: Client, **order: Any) -> float:
    """Order a hybrid and fetch it; return the seconds that took."""
    began = time.perf_counter()
    number = client.order(**order)
    version = -1
    while True:
        # As the page does: a request that is answered when there is news.
        told = client.news(version)
        version = told["version"]
        # News of others come too, without what has not changed.
        job = next((job for job in told["jobs"] if job["number"] == number), {"state": ""})
        if job["state"] == "failed":
            raise RuntimeError(job["line"])
        if job["state"] == "done":
            break
    client.ask("GET", f"/jobs/{number}/sound")
    return time.perf_counter() - began


def pairs(places: Places, n: int) -> list[tuple[int, int]]:
    """Segments of both corpora, spread by a seed."""
    rng = np.random.default_rng(0)
    corpus = np.asarray(places.file_corpus)[places.file]
    here, there = (np.flatnonzero(corpus == c) + 1 for c in (0, 1))
    return [(int(rng.choice(here)), int(rng.choice(there))) for _ in range(n)]


def show(name: str, taken: list[float]) -> None:
    """Print a row of the table."""
    worst = max(taken)
    print(f"| {name} | {len(taken)} | {statistics.median(taken):.2f} | {min(taken):.2f} | {worst:.2f} |", flush=True)


def together(server: Served, chosen: list[tuple[int, int]], seconds: float) -> list[list[float]]:
    """Two clients at once, each asking again as soon as it has heard."""
    taken: list[list[float]] = [[], []]

    def ask(row: list[float]) -> None:
        client = server.client()
        for source, target in chosen:
            row.append(click(client, source=source, target=target, seconds=seconds))

    threads = [threading.Thread(target=ask, args=(row,)) for row in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def cancels(server: Served, places: Places, n: int) -> list[float]:
    """Seconds from a cancel to the word that the job is given up."""
    client, taken = server.client(), []
    for source, target in pairs(places, n):
        number = client.order(source=source, target=target, seconds=120, mode="cross", material="corpus")
        client.wait(number, "rendering", seconds=60)
        time.sleep(0.5)
        began = time.perf_counter()
        client.ask("POST", f"/jobs/{number}/cancel", {})
        if client.wait(number, "cancelled", "done", seconds=60)["state"] == "cancelled":
            taken.append(time.perf_counter() - began)
            until(lambda: server.renderer.ready, 60)
    return taken


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run")
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=6.0)
    given = parser.parse_args()
    places = places_of(load_run(given.run))
    chosen = pairs(places, given.orders)
    began = time.perf_counter()
    with serving(places=places, command=worker_command(str(places.run)), patience_s=2.0) as server:
        until(lambda: server.renderer.ready, 120)
        print(f"ready after {time.perf_counter() - began:.1f} s; {given.seconds:g} s of sound each\n")
        print("| What | Orders | Median (s) | Least (s) | Most (s) |\n|---|---|---|---|---|")
        client = server.client()
        for mode in MODES:
            show(mode, [click(client, source=a, target=b, seconds=given.seconds, mode=mode) for a, b in chosen])
        whole = [click(client, source=a, target=b, seconds=given.seconds, material="corpus") for a, b in chosen]
        show("match with the whole corpus", whole)
        for name, row in zip("AB", together(server, chosen, given.seconds), strict=True):
            show(f"match, client {name} of two at once", row)
        if taken := cancels(server, places, 5):
            show("cancel of 120 s, cross", taken)


if __name__ == "__main__":
    main()
