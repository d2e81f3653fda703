"""A stand-in for the process that renders: what it does is said by the seed of the order."""

from __future__ import annotations

import os
import sys
import threading
import time
from queue import SimpleQueue

from stylemix.explore.pipe import pack, read

SLOW, DEAF, DIES, FAILS, LATE, WARNS, ODD = 1, 2, 3, 4, 5, 6, 7


def tell(header: dict[str, object], body: bytes = b"") -> None:
    sys.stdout.buffer.write(pack(header, body))
    sys.stdout.buffer.flush()


def listen(orders: SimpleQueue[dict[str, object]], cancelled: set[object]) -> None:
    while (message := read(sys.stdin.buffer)) is not None:
        if message[0]["kind"] == "cancel":
            cancelled.add(message[0]["job"])
        else:
            orders.put(message[0])
    os._exit(0)


def finish(job: object, *warnings: str) -> None:
    facts = {"seconds": 1.0, "sample_rate": 8000, "channels": 1, "warnings": warnings}
    tell({"kind": "done", "job": job, **facts}, b"RIFF" + bytes(996))


def render(job: object, seed: int, cancelled: set[object]) -> None:
    if seed == DIES:
        os._exit(3)
    if seed == FAILS:
        return tell({"kind": "failed", "job": job, "line": "<b>no</b> such sound"})
    if seed == ODD:
        return tell({"kind": "done", "job": job})
    if seed == LATE and not cancelled:
        # The sound is there at the moment when it is no longer wanted.
        while job not in cancelled:
            time.sleep(0.01)
        return finish(job)
    for i in range(600 if seed in (SLOW, DEAF) else 2):
        tell({"kind": "progress", "job": job, "stage": "rendering", "share": i / 600})
        time.sleep(0.05)
        if job in cancelled and seed != DEAF:
            return tell({"kind": "cancelled", "job": job})
    return finish(job, *(["it is <b>odd</b>"] if seed == WARNS else []))


def main() -> None:
    orders: SimpleQueue[dict[str, object]] = SimpleQueue()
    cancelled: set[object] = set()
    threading.Thread(target=listen, args=(orders, cancelled), daemon=True).start()
    tell({"kind": "ready"})
    while True:
        order = orders.get()
        asked = order["asked"]
        assert isinstance(asked, dict)
        render(order["job"], asked.get("seed", 0), cancelled)


if __name__ == "__main__":
    main()
