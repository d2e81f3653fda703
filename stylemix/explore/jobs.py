"""What was asked for and what became of it: a queue that is fair between clients, and a history with the sound."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from stylemix.errors import BadInput
from stylemix.explore.job import Job
from stylemix.explore.orders import Wish

SOUND_BYTES = 256 << 20
"""An hour of mono at 24 bits, or half an hour of stereo; what is older is made again when it is asked for."""
MOST_WAITING = 16
MOST_KEPT = 200
_TELLING = 0.05


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
        # The version at which jobs of a client were last forgotten.
        self._forgot: dict[str, int] = {}
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
        job = self._jobs[self._number] = Job(self._number, client, wish, born=self.version + 1)
        old = [one for one in self._of(client) if one.over]
        for one in old[: max(0, len(old) - MOST_KEPT)]:
            del self._jobs[one.number]
            self._forgot[client] = self.version + 1
        self._tell_all(job)
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
            self._tell_all(job)

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
        self._tell_all(job)
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
        self.tell(job)

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
        self._tell_all(job)

    def finish(self, job: Job, facts: dict[str, Any], sound: bytes) -> None:
        """Keep what a job has made, and drop the oldest sound where the memory is full.

        Parameters
        ----------
        job : Job
            Rendering.
        facts : dict
            seconds, sample_rate, channels, warnings.
        sound : bytes
            A .wav file.
        """
        job.state, job.facts, job.sound = "done", facts, sound
        job.took_s = time.monotonic() - job.begun_s
        self.n_made += 1
        self._pace[job.wish.pace] = job.took_s / max(facts["seconds"], 0.1)
        kept = [one for one in self._jobs.values() if one.sound is not None]
        total = sum(len(one.sound or b"") for one in kept)
        changed = [job]
        # The newest stays, however large: its client is about to play it.
        for one in sorted(kept, key=lambda one: one.begun_s)[:-1]:
            if total <= self._sound_bytes:
                break
            total -= len(one.sound or b"")
            one.sound = None
            changed.append(one)
        self._tell_all(*changed)

    def told(self, client: str, since: int | None = None) -> dict[str, Any]:
        """Say what a client may know of its own jobs.

        Parameters
        ----------
        client : str
            Who asks.
        since : int, optional
            The version that it knows; None for nothing.

        Returns
        -------
        dict
            JSON-safe: jobs, those that changed, the oldest first, each with what was asked for when it is new to the
            client; numbers, of all that there are, where it knows nothing or some were forgotten.
        """
        known = -1 if since is None or since > self.version else since
        # The time left of the one that is made changes without an event.
        jobs = [job for job in self._of(client) if job.version > known or job.state == "rendering"]
        told: dict[str, Any] = {
            "jobs": [{**self._told(job), **(job.wish.told if job.born > known else {})} for job in jobs]
        }
        if self._forgot.get(client, 0) > known:
            told["numbers"] = [job.number for job in self._of(client)]
        return told

    def tell(self, *changed: Job) -> None:
        """Wake everybody who waits for news.

        Parameters
        ----------
        *changed : Job
            Which are sent to pages that know an older version.
        """
        self.version += 1
        for job in changed:
            job.version = self.version
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

    def _tell_all(self, *changed: Job) -> None:
        # How many are ahead of those that wait, and how long they take, may have changed with it.
        self.tell(*changed, *(job for job in self._jobs.values() if job.state == "waiting"))

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
            "has_sound": job.sound is not None,
        }  # fmt: skip
