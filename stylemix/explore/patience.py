"""Connections that take up room and ask for nothing are closed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uvicorn.protocols.http.h11_impl import H11Protocol


def patient_protocol(seconds: float) -> type[H11Protocol]:
    """Make the server's side of connections that must bring each of their requests whole within a time.

    The server's own time-out begins with the first answer: a connection that never asks, or stops in the middle of a
    request, would stay, and the number of connections is limited.

    Parameters
    ----------
    seconds : float
        From the beginning of the connection, or the first byte of a further request, to the request's last byte.

    Returns
    -------
    type
        For uvicorn's option ``http``.
    """
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Patient(H11Protocol):
        _end: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._forget()

        def _watch(self) -> None:
            # Begun once for each request: who sends a byte now and then gains nothing.
            if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
                self._forget()
            elif self._end is None:
                self._end = self.loop.call_later(seconds, self.transport.close)

        def _forget(self) -> None:
            if self._end is not None:
                self._end.cancel()
                self._end = None

    return Patient
