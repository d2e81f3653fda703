"""One hybrid that was asked for: where it is, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from stylemix.explore.orders import Wish

OVER = ("done", "failed", "cancelled")


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
        seconds, sample_rate, channels of the sound, warnings.
    sound : bytes or None
        A .wav file; None before it is done, and again when the memory was needed for newer ones.
    born, version : int
        The board's version when it was added, and when it last changed.
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
    born: int = 0
    version: int = 0

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in OVER
