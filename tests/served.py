"""A server on a thread, with a stand-in for the process that renders, and clients that speak with it."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.explore.jobs import Board
from stylemix.explore.orders import Places
from stylemix.explore.renderer import Renderer
from stylemix.explore.server import Desk, make_app
from stylemix.explore.serving import listening, make_server, run_server

FAKE = [sys.executable, "-m", "tests.fake_worker"]
TOKEN, TICKET = "t" * 43, "o" * 43


@dataclass
class Client:
    """A browser without a window: it keeps its cookie."""

    port: int
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request; underscores in names of headers are dashes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        given = {"Cookie": self.cookie, **({"Content-Type": "application/json"} if body is not None else {})}
        given |= {key.replace("_", "-"): value for key, value in headers.items()}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection.request(method, path, body=data, headers={k: v for k, v in given.items() if v})
        answer = connection.getresponse()
        told = {key.lower(): value for key, value in answer.getheaders()}
        content = answer.read()
        connection.close()
        return answer.status, told, content

    def enter(self) -> Client:
        """Come in by the token."""
        status, headers, _ = self.ask("GET", f"/?token={TOKEN}")
        assert status == 303
        self.cookie = headers["set-cookie"].split(";")[0]
        return self

    def order(self, **order: Any) -> int:
        """Ask for a hybrid and return its number."""
        usual = {"kind": "between", "source": 1, "target": 2, "alpha": 0.5, "seconds": 1}
        status, _, content = self.ask("POST", "/orders", {**usual, **order})
        assert status == 202, content
        return int(json.loads(content)["number"])

    def jobs(self) -> dict[int, dict[str, Any]]:
        """What became of this client's orders."""
        return {job["number"]: job for job in json.loads(self.ask("GET", "/jobs")[2])["jobs"]}

    def news(self, since: int) -> dict[str, Any]:
        """What a page hears when something is new since a version."""
        return dict(json.loads(self.ask("GET", f"/jobs?since={since}")[2]))

    def wait(self, number: int, *states: str, seconds: float = 20) -> dict[str, Any]:
        """Wait until a job is in one of some states."""
        return until(lambda: (job := self.jobs()[number])["state"] in states and job, seconds)


def until(look: Callable[[], Any], seconds: float = 20) -> Any:
    """Look until there is something to see."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.02)
    return seen


@dataclass
class Served:
    """What a test may look at."""

    port: int
    board: Board
    renderer: Renderer

    def client(self) -> Client:
        """A browser that was let in."""
        return Client(self.port).enter()

    def raw(self, text: bytes) -> bytes:
        """Send bytes as they are and return what comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(text)
            parts = []
            with contextlib.suppress(TimeoutError, ConnectionError):
                while part := connection.recv(65536):
                    parts.append(part)
            return b"".join(parts)


def alive(pid: int) -> bool:
    """Whether a process still runs; one that has ended and was not yet asked about does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def two_segments() -> Places:
    """Two files of a segment each."""
    paths = [Path("/music/Ünë.wav"), Path("/music/two.wav")]
    return Places(Path("/both.mix"), ["one", "two"], paths, [0, 1], np.arange(2), np.zeros(2), np.ones(2))


@contextlib.contextmanager
def serving(
    *, places: Places | None = None, page: str = "<!doctype html>map", command: list[str] | None = None, **limits: Any
) -> Iterator[Served]:
    """Serve for the length of a block."""
    patience_s = limits.pop("patience_s", 0.5)
    board, renderer = Board(**limits), Renderer(command or FAKE, patience_s=patience_s)
    ready = threading.Event()
    with listening(0) as listener:
        port = listener.getsockname()[1]
        desk = Desk(page, places or two_segments(), board, renderer)
        server = make_server(make_app(desk, renderer, port=port, token=TOKEN, ticket=TICKET))
        thread = threading.Thread(target=lambda: asyncio.run(run_server(server, listener, board, ready.set)))
        thread.start()
        try:
            assert ready.wait(20)
            yield Served(port, board, renderer)
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive(), "the server does not end"
