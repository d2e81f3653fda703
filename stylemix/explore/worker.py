"""The process that renders: it holds the run, makes one hybrid at a time, and ends when its server does."""

from __future__ import annotations

import _thread
import contextlib
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, BinaryIO

from stylemix.errors import StylemixError
from stylemix.explore.pipe import pack, read

if TYPE_CHECKING:
    from stylemix.clusters.groups import RunClusters
    from stylemix.model.run import Run

# Twenty a second look smooth; each wakes every page that waits for news.
_NEWS_S = 0.05
_WARM_UP_S = 1.0


class Bench:
    """What the thread that listens and the thread that renders have in common.

    Parameters
    ----------
    orders : BinaryIO
        Where messages come from.
    answers : BinaryIO
        Where messages go.
    """

    def __init__(self, orders: BinaryIO, answers: BinaryIO) -> None:
        self._orders, self._answers = orders, answers
        self._waiting: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._current: int | None = None
        self._cancelled: int | None = None
        self._told_s = 0.0
        self._clusters: dict[tuple[Any, ...], RunClusters] = {}

    def listen(self) -> None:
        """Take messages until the server has gone, then end the process, whatever it is doing."""
        while (message := read(self._orders)) is not None:
            header, _ = message
            if header["kind"] == "render":
                self._waiting.put(header)
            elif header["kind"] == "cancel":
                self._cancelled = header["job"]
                # As Ctrl-C does: it is heeded at the renderer's next line of Python, in the middle of a file too.
                _thread.interrupt_main()
        # The pipe closes with the server, also when that was killed and could say nothing.
        os._exit(0)

    def interrupted(self, number: int, frame: FrameType | None) -> None:
        """Give up the hybrid that is being made, if it is the one that was cancelled.

        Parameters
        ----------
        number : int
            Of the signal.
        frame : frame, optional
            Where it came.

        Raises
        ------
        KeyboardInterrupt
            In the thread that renders.
        """
        # The signal may come late, when another job has begun or a result is half-way through the pipe.
        if self._current is not None and self._current == self._cancelled:
            # Once: raised again while the first is being told, it would end the process.
            self._cancelled = None
            raise KeyboardInterrupt

    def tell(self, header: dict[str, Any], body: bytes = b"") -> None:
        """Send a message.

        Parameters
        ----------
        header : dict
            JSON-safe.
        body : bytes
            Sound.
        """
        self._answers.write(pack(header, body))
        self._answers.flush()

    def hear(self, label: str, share: float) -> None:
        """Pass the progress of the current job on, not too often.

        Parameters
        ----------
        label : str
            What is going on.
        share : float
            How much of it is done, 0 to 1.
        """
        if time.monotonic() - self._told_s >= _NEWS_S:
            self._told_s = time.monotonic()
            # A cancel in the middle of a message would leave half of it in the pipe.
            job, self._current = self._current, None
            self.tell({"kind": "progress", "job": job, "stage": label, "share": share})
            self._current = job
            self.interrupted(0, None)

    def work(self, run: Run) -> None:
        """Render what is asked for, for ever.

        Parameters
        ----------
        run : Run
            The trained model.
        """
        while True:
            order = self._waiting.get()
            job = order["job"]
            try:
                self._current = job
                self.interrupted(0, None)
                header, body = self._render(run, order["asked"])
                self._current = None
            except KeyboardInterrupt:
                header, body = {"kind": "cancelled"}, b""
            self._current = None
            self.tell({**header, "job": job}, body)

    def _render(self, run: Run, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        from stylemix.audio.write import wav_bytes
        from stylemix.hybrid.render import hybrid_told
        from stylemix.progress import heard_by

        try:
            with heard_by(self.hear):
                wave, warnings = hybrid_told(run, **self._with_clusters(run, asked))
            facts = {"seconds": wave.duration_s, "sample_rate": wave.sample_rate, "channels": len(wave.samples)}
            return {"kind": "done", **facts, "warnings": list(warnings)}, wav_bytes(wave.samples, wave.sample_rate)
        except StylemixError as error:
            line = str(error)
        except MemoryError:
            line = "not enough memory; ask for fewer seconds"
        except Exception as error:
            line = f"unexpected {type(error).__name__}: {error}"
        return {"kind": "failed", "line": " ".join(line.split())}, b""

    def _with_clusters(self, run: Run, asked: dict[str, Any]) -> dict[str, Any]:
        """Hand over the clusters that an order names: making them takes seconds, and they stay as they are."""
        from stylemix.hybrid.asked import find_asked
        from stylemix.hybrid.cluster_roles import clusters_asked

        if asked.get("source_cluster") is None and asked.get("target_cluster") is None:
            return asked
        how = tuple(asked.get(name) for name in ("clusters", "space", "cluster_seed"))
        if how not in self._clusters:
            self._clusters[how] = clusters_asked(run, find_asked(asked))
        return {**asked, "clusters": self._clusters[how]}


def warm_up(run: Run) -> None:
    """Make a second of a hybrid, so that what is compiled and read on first use is there before the first click.

    Parameters
    ----------
    run : Run
        The trained model.
    """
    from stylemix.hybrid.render import hybrid

    there: dict[int, Path] = {}
    for index, file in enumerate(run.files):
        with contextlib.suppress(StylemixError):
            there.setdefault(file.corpus, run.file_path(index))
    paths = list(there.values())
    # Without a recording there is nothing to warm up with, and each order will say so.
    if not paths:
        return
    with contextlib.suppress(StylemixError):
        for mode in ("match", "morph", "cross"):
            hybrid(run, source=paths[0], target=paths[-1], alpha=0.5, mode=mode, duration_s=_WARM_UP_S)


def main() -> None:
    """Serve one run: its folder is the only argument, messages come and go by stdin and stdout."""
    # A library that prints must not end up among the messages.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    bench = Bench(sys.stdin.buffer, answers)
    signal.signal(signal.SIGINT, bench.interrupted)
    threading.Thread(target=bench.listen, daemon=True).start()
    from stylemix.model.run import load_run

    try:
        run = load_run(sys.argv[1])
        if run.files:
            run.latents(0)
    except StylemixError as error:
        bench.tell({"kind": "broken", "line": str(error)})
        return
    warm_up(run)
    bench.tell({"kind": "ready"})
    bench.work(run)


if __name__ == "__main__":
    main()
