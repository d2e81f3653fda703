"""From a run to a page in the browser: build it, listen on loopback, open it, and end cleanly on Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylemix.errors import BadInput
from stylemix.explore.gate import new_token
from stylemix.explore.jobs import Board
from stylemix.explore.patience import patient_protocol
from stylemix.explore.renderer import Renderer, RendererFailed, worker_command
from stylemix.explore.server import Desk, make_app

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from stylemix.explore.orders import Places
    from stylemix.model.run import Run

LOOPBACK = "127.0.0.1"
_MOST_CONNECTIONS = 128
_MOST_HEADER_BYTES = 16 * 1024
_LAST_ANSWERS_S = 1
_LOOK_S = 0.05
REQUEST_S = 10.0
"""How long a request may take to arrive; what does not come from this machine's own browser is cut off."""


def explore_run(
    run: Run,
    *,
    port: int = 0,
    open_browser: bool = True,
    announce: Callable[[str], None] = print,
    show_progress: bool = True,
    **wanted: Any,
) -> dict[str, Any]:
    """Serve a run's map on this machine until Ctrl-C: a click between its points renders a hybrid.

    Parameters
    ----------
    run : Run
        A finished run.
    port : int
        To listen on; 0 for a free one.
    open_browser : bool
        Open the page in the user's browser.
    announce : callable
        ``announce(address)`` hears where the page is, with its token, as soon as it is served.
    show_progress : bool
        Show a bar on stderr while the map is made.
    **wanted
        Of the map, as for `stylemix.style_map.atlas.map_data`: space, seed and so on.

    Returns
    -------
    dict
        JSON-safe: address (without the token) and hybrids, the number of those that were made.

    Raises
    ------
    BadInput
        If the port is in use, or the map cannot be made.
    StylemixError
        If the run is damaged or its training did not finish.
    """
    from stylemix.explore.panel import explore_page

    # First: a port that is in use is said before the map, which takes a while.
    with listening(port) as listener:
        def make() -> tuple[str, Places]:
            return explore_page(run, show_progress=show_progress, **wanted)

        return serve(listener, run.path, make, open_browser=open_browser, announce=announce)


@contextlib.contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """Take a port of this machine, which no other machine can reach.

    Parameters
    ----------
    port : int
        Which; 0 for a free one.

    Yields
    ------
    socket.socket
        Bound to the loopback address.

    Raises
    ------
    BadInput
        If there is no such port, or it cannot be had.

    Examples
    --------
    >>> with listening(0) as listener:
    ...     listener.getsockname()[0]
    '127.0.0.1'
    """
    if not 0 <= port <= 65535:
        raise BadInput(f"port: must be 0 (any free one) to 65535, got {port}")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
            # Here and not by the server: two that were bound to one port would both believe to have it.
            listener.listen(_MOST_CONNECTIONS)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                why = f"port {port} is in use; leave --port out for a free one"
            else:
                why = f"port {port} cannot be used ({error.strerror}); leave --port out for a free one"
            raise BadInput(why) from None
        yield listener
    finally:
        listener.close()


def serve(
    listener: socket.socket,
    run: Path,
    make: Callable[[], tuple[str, Places]],
    *,
    open_browser: bool,
    announce: Callable[[str], None],
) -> dict[str, Any]:
    """Make a page while the process that renders loads the run, and serve it until Ctrl-C.

    Parameters
    ----------
    listener : socket.socket
        From `listening`.
    run : Path
        The run's folder.
    make : callable
        Returns the whole document, and what its orders may name.
    open_browser : bool
        Open the page in the user's browser.
    announce : callable
        ``announce(address)`` hears where it is.

    Returns
    -------
    dict
        JSON-safe: address and hybrids.
    """
    port, token, ticket = listener.getsockname()[1], new_token(), new_token()
    address = f"http://{LOOPBACK}:{port}/"

    def begun() -> None:
        announce(f"{address}?token={token}")
        if open_browser:
            # Some browsers return only when they are closed.
            entrance = f"{address}?token={ticket}"
            threading.Thread(target=webbrowser.open, args=(entrance,), daemon=True).start()

    board, renderer = Board(), Renderer(worker_command(str(run.absolute())))
    with asyncio.Runner() as runner:
        try:
            # Where it cannot begin, each order will say so.
            with contextlib.suppress(RendererFailed):
                runner.run(renderer.begin())
            desk = Desk(*make(), board, renderer)
            server = make_server(make_app(desk, renderer, port=port, token=token, ticket=ticket))
            # Ctrl-C is how this ends, not a failure: the server raises it again when everything is closed.
            with contextlib.suppress(KeyboardInterrupt):
                runner.run(run_server(server, listener, board, begun))
        finally:
            runner.run(renderer.close())
    return {"address": address, "hybrids": board.n_made}


def make_server(app: ASGIApp) -> uvicorn.Server:
    """Set a server up that tells nobody what it is and believes no proxy.

    Parameters
    ----------
    app : ASGI application
        Behind its gate.

    Returns
    -------
    uvicorn.Server
        To be given its sockets.
    """
    import uvicorn

    # No header of a proxy is believed: there is none, and a page could set it.
    return uvicorn.Server(uvicorn.Config(
        app, http=patient_protocol(REQUEST_S), ws="none", lifespan="on",
        log_config=None, log_level=_log_level(), access_log=False,
        server_header=False, proxy_headers=False, limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_LAST_ANSWERS_S, h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
    ))  # fmt: skip


async def run_server(
    server: uvicorn.Server, listener: socket.socket, board: Board, begun: Callable[[], None]
) -> None:
    """Serve until the server is told to end.

    Parameters
    ----------
    server : uvicorn.Server
        From `make_server`.
    listener : socket.socket
        From `listening`.
    board : Board
        Closed at the end.
    begun : callable
        Called when the first request can come.
    """

    async def watch() -> None:
        while not server.started and not server.should_exit:
            await asyncio.sleep(_LOOK_S)
        begun()
        while not server.should_exit:
            await asyncio.sleep(_LOOK_S)
        # Pages that wait for news are let go, or the server would wait for them.
        board.close()

    watching = asyncio.create_task(watch())
    try:
        await server.serve(sockets=[listener])
    finally:
        watching.cancel()


def _log_level() -> str:
    # What a foreign program sends to the port is no news for the terminal.
    return "info" if os.environ.get("STYLEMIX_DEBUG") else "critical"
