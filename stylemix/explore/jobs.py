"""What was asked for and what became of it: a queue that is fair between clients, and a history with the sound."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from stylemix.errors import BadInput
from stylemix.explore.orders import Wish

SOUND_BYTES = 256 << 20
"""An hour of mono at 24 bits, or half an hour of stereo; what is older is made again when it is asked for."""
MOST_WAITING = 16
MOST_KEPT = 200
_TELLING = 0.05
_OVER = ("done", "failed", "cancelled")


@dataclass
class Job:
    """One hybrid.

    Parameters
    ----------
    number : int
        From 1, of all clients.
    client : str
        Who asked for it.
    wish : Wish
        What was asked for.
    state : {"waiting", "rendering", "done", "failed", "cancelled"}
        Where it is.
    stage : str
        What is going on in it.
    share : float
        How much of that stage is done, 0 to 1.
    begun_s : float
        When the rendering began (seconds of the monotonic clock).
    took_s : float
        How long it took (seconds).
    line : str
        Why it failed.
    facts : dict
        seconds, sample_rate, channels of the sound.
    sound : bytes or None
        A .wav file; None before it is done, and again when the memory was needed for newer ones.
    """

    number: int
    client: str
    wish: Wish
    state: str = "waiting"
    stage: str = ""
    share: float = 0.0
    begun_s: float = 0.0
    took_s: float = 0.0
    line: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    sound: bytes | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in _OVER


class Board:
    """All jobs of all clients.

    Parameters
    ----------
    sound_bytes : int
        Memory for finished sound; beyond it the oldest is dropped and can be made again.
    """

    def __init__(self, *, sound_bytes: int = SOUND_BYTES) -> None:
        self._sound_bytes = sound_bytes
        self._jobs: dict[int, Job] = {}
        self._number = 0
        self._served: dict[str, int] = {}
        self._turn = 0
        # Seconds of work for a second of sound, by the kind of wish: what the time left is guessed from.
        self._pace: dict[str, float] = {}
        self.version = 0
        self.n_made = 0
        self._news = asyncio.Event()
        self.closed = False

    def add(self, client: str, wish: Wish) -> Job:
        """Put a wish at the end of a client's queue.

        Parameters
        ----------
        client : str
            Who asks.
        wish : Wish
            For what.

        Returns
        -------
        Job
            Waiting.

        Raises
        ------
        BadInput
            If too many of this client's are waiting.
        """
        self._check_room(client)
        self._number += 1
        job = self._jobs[self._number] = Job(self._number, client, wish)
        old = [one for one in self._of(client) if one.over]
        for one in old[: max(0, len(old) - MOST_KEPT)]:
            del self._jobs[one.number]
        self.tell()
        return job

    def find(self, client: str, number: int) -> Job | None:
        """Find a job among those of a client.

        Parameters
        ----------
        client : str
            Who asks.
        number : int
            The job's.

        Returns
        -------
        Job or None
            None where there is none; that of another client is none.
        """
        job = self._jobs.get(number)
        return job if job is not None and job.client == client else None

    def again(self, job: Job) -> None:
        """Let a job that is over be made once more.

        Parameters
        ----------
        job : Job
            Whose sound was dropped, or which failed or was cancelled.

        Raises
        ------
        BadInput
            If too many of this client's are waiting.
        """
        if job.over and job.sound is None:
            self._check_room(job.client)
            job.state, job.stage, job.share, job.line = "waiting", "", 0.0, ""
            self.tell()

    def next(self) -> Job | None:
        """Take the job that is to be made now: the oldest of the client that was served the longest time ago.

        Returns
        -------
        Job or None
            Rendering; None where nothing waits.
        """
        waiting = [job for job in self._jobs.values() if job.state == "waiting"]
        if not waiting:
            return None
        job = min(waiting, key=lambda one: (self._served.get(one.client, 0), one.number))
        self._turn += 1
        self._served[job.client] = self._turn
        job.state, job.stage, job.begun_s = "rendering", "loading", time.monotonic()
        self.tell()
        return job

    def hear(self, job: Job, stage: str, share: float) -> None:
        """Note how far a job is.

        Parameters
        ----------
        job : Job
            Rendering.
        stage : str
            What is going on.
        share : float
            How much of it is done, 0 to 1.
        """
        job.stage, job.share = stage, share
        self.tell()

    def end(self, job: Job, state: str, *, line: str = "") -> None:
        """Note that a job came to nothing.

        Parameters
        ----------
        job : Job
            Waiting or rendering.
        state : {"failed", "cancelled"}
            How.
        line : str
            Why.
        """
        job.state, job.line = state, line
        self.tell()

    def finish(self, job: Job, facts: dict[str, Any], sound: bytes) -> None:
        """Keep what a job has made, and drop the oldest sound where the memory is full.

        Parameters
        ----------
        job : Job
            Rendering.
        facts : dict
            seconds, sample_rate, channels.
        sound : bytes
            A .wav file.
        """
        job.state, job.facts, job.sound = "done", facts, sound
        job.took_s = time.monotonic() - job.begun_s
        self.n_made += 1
        self._pace[job.wish.pace] = job.took_s / max(facts["seconds"], 0.1)
        kept = [one for one in self._jobs.values() if one.sound is not None]
        total = sum(len(one.sound or b"") for one in kept)
        # The newest stays, however large: its client is about to play it.
        for one in sorted(kept, key=lambda one: one.begun_s)[:-1]:
            if total <= self._sound_bytes:
                break
            total -= len(one.sound or b"")
            one.sound = None
        self.tell()

    def told(self, client: str) -> list[dict[str, Any]]:
        """Say what a client may know: its own jobs, the oldest first.

        Parameters
        ----------
        client : str
            Who asks.

        Returns
        -------
        list of dict
            JSON-safe.
        """
        return [self._told(job) for job in self._of(client)]

    def tell(self) -> None:
        """Wake everybody who waits for news."""
        self.version += 1
        self._news.set()
        self._news = asyncio.Event()

    def close(self) -> None:
        """Wake everybody for the last time."""
        self.closed = True
        self.tell()

    async def wait(self, version: int, patience_s: float) -> None:
        """Wait for news.

        Parameters
        ----------
        version : int
            What is known already.
        patience_s : float
            How long at most (seconds).
        """
        if self.version == version and not self.closed:
            try:
                async with asyncio.timeout(patience_s):
                    await self._news.wait()
            except TimeoutError:
                return

    def _of(self, client: str) -> Iterator[Job]:
        return (job for job in list(self._jobs.values()) if job.client == client)

    def _check_room(self, client: str) -> None:
        if sum(job.state == "waiting" for job in self._of(client)) >= MOST_WAITING:
            raise BadInput(f"{MOST_WAITING} hybrids are waiting already; wait for one, or cancel some")

    def _left_s(self, job: Job) -> float | None:
        pace = self._pace.get(job.wish.pace)
        gone = time.monotonic() - job.begun_s if job.state == "rendering" else 0.0
        if pace is not None:
            return max(0.0, pace * job.wish.seconds - gone)
        # Of the first of its kind nothing is known but how far it is.
        return gone * (1 - job.share) / job.share if job.stage == "rendering" and job.share >= _TELLING else None

    def _told(self, job: Job) -> dict[str, Any]:
        ahead = [one for one in self._jobs.values() if one.state == "rendering" or one.state == "waiting"]
        before = sum(one.state == "rendering" or one.number < job.number for one in ahead)
        left = None if job.over else self._left_s(job)
        return {
            "number": job.number, "state": job.state, "stage": job.stage, "share": round(job.share, 3),
            "left_s": None if left is None else round(left, 1), "line": job.line,
            "ahead": before if job.state == "waiting" else 0, "took_s": round(job.took_s, 2), **job.facts,
            "has_sound": job.sound is not None, **job.wish.told,
        }  # fmt: skip
