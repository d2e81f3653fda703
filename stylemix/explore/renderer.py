"""The server's side of the process that renders: begun, asked, cancelled, and begun anew where it does not answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stylemix.errors import StylemixError
from stylemix.explore.pipe import pack, receive

PATIENCE_S = 2.0
"""How long a cancel may go unheeded: a matrix product or a search in compiled code cannot be interrupted."""
_NEVER_READY = 2
_ENV_DEBUG = "STYLEMIX_DEBUG"
# The worker's package is the server's, also where that was found by the folder in which Python was started; but nothing
# else is taken from there: a numpy.py among somebody's recordings must not run. (-P alone would not find the package.)
_BEGIN = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import stylemix; del sys.path[0]; "
    "from stylemix.explore.worker import main; main()"
)


class Cancelled(Exception):
    """The job was given up, as asked."""


class RendererFailed(StylemixError):
    """A job came to nothing; the message is one line for people."""


class Renderer:
    """One warm process that makes one hybrid at a time; nothing of it is left when it is killed.

    Parameters
    ----------
    command : sequence of str
        What starts it; see `worker_command`.
    patience_s : float
        How long a cancelled job may go on before the process is killed and begun anew (seconds).
    """

    def __init__(self, command: Sequence[str], *, patience_s: float = PATIENCE_S) -> None:
        self._command, self._patience_s = list(command), patience_s
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None
        self._tell: Callable[[], None] = lambda: None
        self._ready = False
        self._job: int | None = None
        self._attempt = 0
        self._cancelled = False
        self._kill: asyncio.TimerHandle | None = None
        self.n_begun = 0

    @property
    def pid(self) -> int | None:
        """The process' number; None where there is none."""
        return None if self._process is None else self._process.pid

    @property
    def ready(self) -> bool:
        """Whether the run is loaded and the next job begins at once."""
        return self._ready and self._process is not None and self._process.returncode is None

    def listen(self, tell: Callable[[], None]) -> None:
        """Say who hears when the process becomes ready, and when it no longer is.

        Parameters
        ----------
        tell : callable
            Called in the server's loop.
        """
        self._tell = tell

    async def begin(self) -> None:
        """Start the process, if there is none; it loads the run while the server does other things.

        Raises
        ------
        RendererFailed
            If the system lets no process begin.
        """
        if self._process is not None and self._process.returncode is None:
            return
        quiet = None if os.environ.get(_ENV_DEBUG) else subprocess.DEVNULL
        # Threads that wait by spinning take the cores from the browser, and it from them. Measured on two cores that
        # were five times overbooked, 6 s of match, median of ten: 3.8 s as usual, 0.5 s like this, the same bytes.
        environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
        # A session of its own: Ctrl-C in the terminal is for the server, which then ends this.
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=quiet, env=environment,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise RendererFailed(f"the renderer cannot be started ({error.strerror}); close other programs") from None
        self._set_ready(False)
        self.n_begun += 1
        # Asks for the end of an idle process too, which nobody reads from.
        self._watching = asyncio.create_task(self._watch(self._process))

    async def wait_ready(self) -> None:
        """Wait until the run is loaded.

        Raises
        ------
        RendererFailed
            If it cannot be loaded.
        """
        for _ in range(_NEVER_READY):
            await self.begin()
            if self.ready:
                return
            message = await self._receive()
            if message is None:
                await self._reap()
            elif message[0]["kind"] == "broken":
                raise RendererFailed(message[0]["line"])
            else:
                self._set_ready(True)
                return
        raise RendererFailed("the renderer ends before it has loaded the run; STYLEMIX_DEBUG=1 shows why")

    async def render(
        self, job: int, asked: dict[str, Any], hear: Callable[[str, float], None]
    ) -> tuple[dict[str, Any], bytes]:
        """Make a hybrid.

        Parameters
        ----------
        job : int
            Its number; the same one again where a job is made once more.
        asked : dict
            As for `stylemix.hybrid.render.hybrid`; JSON-safe.
        hear : callable
            ``hear(stage, share)`` hears how far it is.

        Returns
        -------
        facts : dict
            seconds, sample_rate, channels, warnings.
        sound : bytes
            A .wav file.

        Raises
        ------
        Cancelled
            If that was asked for.
        RendererFailed
            If it came to nothing.
        """
        self._job, self._cancelled = job, False
        # A cancel that arrives after the result must not be taken for one of the next time that this job is made.
        self._attempt += 1
        try:
            await self.wait_ready()
            if self._cancelled:
                raise Cancelled
            self._send({"kind": "render", "job": self._attempt, "asked": asked})
            while (message := await self._receive()) is not None:
                header, body = message
                if header.get("job") != self._attempt:
                    continue
                if header["kind"] == "progress":
                    hear(header["stage"], header["share"])
                    continue
                if header["kind"] == "cancelled" or self._cancelled:
                    raise Cancelled
                if header["kind"] == "failed":
                    raise RendererFailed(header["line"])
                return {key: header[key] for key in ("seconds", "sample_rate", "channels", "warnings")}, body
            raise await self._gone()
        finally:
            self._job = None
            self._forget_kill()

    def cancel(self, job: int) -> None:
        """Give a job up; the process is killed if it does not do so in time.

        Parameters
        ----------
        job : int
            Its number; nothing happens where it is not the one that is being made.
        """
        if job != self._job or self._cancelled:
            return
        self._cancelled = True
        if self.ready:
            self._send({"kind": "cancel", "job": self._attempt})
            self._kill = asyncio.get_running_loop().call_later(self._patience_s, self.kill)

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def close(self) -> None:
        """End the process and wait until it is gone."""
        self.kill()
        await self._reap()

    def _set_ready(self, ready: bool) -> None:
        # Told only where it changes: a process that never becomes ready is not begun anew for ever.
        if ready != self._ready:
            self._ready = ready
            self._tell()

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        if process is self._process:
            self._set_ready(False)

    async def _reap(self) -> int | None:
        process, self._process = self._process, None
        self._set_ready(False)
        return None if process is None else await process.wait()

    async def _gone(self) -> Exception:
        # Whether it was killed for a cancel or died by itself, the next job must not wait for a new one to load.
        code = await self._reap()
        await self.begin()
        if self._cancelled:
            return Cancelled()
        # Linux ends what takes too much memory by the signal 9.
        how = f"was ended by the signal {-code}" if code is not None and code < 0 else f"ended with the code {code}"
        return RendererFailed(f"the renderer {how}; it has been started again, ask for fewer seconds if that repeats")

    async def _receive(self) -> tuple[dict[str, Any], bytes] | None:
        if self._process is None or self._process.stdout is None:
            return None
        return await receive(self._process.stdout)

    def _send(self, header: dict[str, Any]) -> None:
        # To a process that has just died: the end of its answers says so.
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(ConnectionError, RuntimeError):
                self._process.stdin.write(pack(header))

    def _forget_kill(self) -> None:
        if self._kill is not None:
            self._kill.cancel()
            self._kill = None


def worker_command(run: str) -> list[str]:
    """Return what starts the process for a run.

    Parameters
    ----------
    run : str
        The run's folder.

    Returns
    -------
    list of str
        This Python with the worker's module, of the package that is running, from whatever folder.

    Examples
    --------
    >>> command = worker_command("both.mix")
    >>> command[1:3], command[-1]
    (['-P', '-c'], 'both.mix')
    """
    return [sys.executable, "-P", "-c", _BEGIN, str(Path(__file__).resolve().parents[2]), run]
