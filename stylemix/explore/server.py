"""What the server answers: the page, orders, news of them, and their sound; nothing else, and no file by its name."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from stylemix.errors import BadInput
from stylemix.explore.answers import answer, client_of, disposition, refusal, whole_or_none
from stylemix.explore.gate import MOST_BODY_BYTES, Gate
from stylemix.explore.job import Job
from stylemix.explore.jobs import Board
from stylemix.explore.orders import Places, read_order
from stylemix.explore.renderer import Cancelled, Renderer, RendererFailed

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

PATIENCE_S = 20.0
"""How long a page waits for news before it asks again; a connection that long is cut by nothing on one machine."""
_BODY_S = 5.0


class Desk:
    """The answers to a page's requests.

    Parameters
    ----------
    page : str
        The whole document.
    places : Places
        What orders may name.
    board : Board
        Where jobs are.
    renderer : Renderer
        Who makes them.
    """

    def __init__(self, page: str, places: Places, board: Board, renderer: Renderer) -> None:
        # A lone surrogate stands for an undecodable byte of a file name; UTF-8 cannot write it.
        self._page = page.encode("utf-8", "replace")
        self._places, self._board, self._renderer = places, board, renderer
        # Pages show whether a job would begin at once, and a process that ended is begun anew by who waits for news.
        renderer.listen(board.tell)

    async def page(self, request: Request) -> Response:
        """Send the page.

        Parameters
        ----------
        request : Request
            GET.

        Returns
        -------
        Response
            HTML.
        """
        from starlette.responses import Response

        return Response(self._page, media_type="text/html")

    async def order(self, request: Request) -> Response:
        """Take an order.

        Parameters
        ----------
        request : Request
            POST of JSON; see `stylemix.explore.orders.read_order`.

        Returns
        -------
        Response
            The job's number, or why there is none.
        """
        try:
            async with asyncio.timeout(_BODY_S):
                body = await request.body()
        except TimeoutError:
            return refusal(408, "the order did not arrive")
        try:
            job = self._board.add(client_of(request), read_order(body[:MOST_BODY_BYTES], self._places))
        except BadInput as error:
            return refusal(400, str(error))
        return answer({"number": job.number}, 202)

    async def jobs(self, request: Request) -> Response:
        """Tell a client what became of its orders, as soon as that is something new.

        Parameters
        ----------
        request : Request
            GET with ``since``, the version that the page knows.

        Returns
        -------
        Response
            version, ready (whether a job would begin at once) and what `Board.told` says.
        """
        since = whole_or_none(request.query_params.get("since", ""))
        if since is not None:
            await self._board.wait(since, PATIENCE_S)
        told = {"version": self._board.version, "ready": self._renderer.ready, "closed": self._board.closed}
        return answer({**told, **self._board.told(client_of(request), since)})

    async def cancel(self, request: Request) -> Response:
        """Give a job up.

        Parameters
        ----------
        request : Request
            POST; the path names the job.

        Returns
        -------
        Response
            Nothing; 404 for a job of somebody else too.
        """
        return self._change(request, self._give_up)

    async def again(self, request: Request) -> Response:
        """Make a job once more whose sound is not there.

        Parameters
        ----------
        request : Request
            POST; the path names the job.

        Returns
        -------
        Response
            Nothing; 404 for a job of somebody else too.
        """
        return self._change(request, self._board.again)

    async def sound(self, request: Request) -> Response:
        """Send what a job has made.

        Parameters
        ----------
        request : Request
            GET, with ``download`` to be saved under a name of its own.

        Returns
        -------
        Response
            A .wav file.
        """
        from starlette.responses import Response

        job = self._find(request)
        if job is None or job.sound is None:
            return refusal(404, "there is no such sound; it may have made room for newer ones")
        headers = {}
        if "download" in request.query_params:
            headers["content-disposition"] = disposition(job.wish.told["name"])
        return Response(job.sound, media_type="audio/wav", headers=headers)

    async def cook(self) -> None:
        """Make one job after the other, until the board closes."""
        while not self._board.closed:
            known, broken = self._board.version, ""
            try:
                # Before a job is taken: while the run is loaded all wait, and can be cancelled at once.
                await self._renderer.wait_ready()
            except RendererFailed as error:
                broken = str(error)
            except Exception as error:
                broken = await self._begin_anew(error)
            job = self._board.next()
            if job is None:
                await self._board.wait(known, PATIENCE_S)
            elif broken:
                self._board.end(job, "failed", line=broken)
            else:
                await self._make(job)

    async def _make(self, job: Job) -> None:
        try:
            facts, sound = await self._renderer.render(
                job.number, job.wish.asked, lambda stage, share: self._board.hear(job, stage, share)
            )
        except Cancelled:
            self._board.end(job, "cancelled")
        except RendererFailed as error:
            self._board.end(job, "failed", line=str(error))
        except Exception as error:
            # Whatever it was, it costs one job: the orders after it would wait for ever.
            self._board.end(job, "failed", line=await self._begin_anew(error))
        else:
            self._board.finish(job, facts, sound)

    async def _begin_anew(self, error: Exception) -> str:
        """End a process with which the server may be out of step, and say why in one line."""
        await self._renderer.close()
        return " ".join(f"unexpected {type(error).__name__}: {error}".split())

    def _give_up(self, job: Job) -> None:
        if job.state == "waiting":
            self._board.end(job, "cancelled")
        elif job.state == "rendering":
            self._renderer.cancel(job.number)

    def _change(self, request: Request, change: Callable[[Job], None]) -> Response:
        job = self._find(request)
        if job is None:
            return refusal(404, "there is no such job")
        try:
            change(job)
        except BadInput as error:
            return refusal(400, str(error))
        return answer({})

    def _find(self, request: Request) -> Job | None:
        number = whole_or_none(request.path_params["number"])
        return None if number is None else self._board.find(client_of(request), number)


def make_app(desk: Desk, renderer: Renderer, *, port: int, token: str, ticket: str | None = None) -> ASGIApp:
    """Put the application together.

    Parameters
    ----------
    desk : Desk
        Who answers.
    renderer : Renderer
        Begun and ended with the application.
    port : int
        On which it is served.
    token : str
        That lets a browser in.
    ticket : str, optional
        That lets one in once.

    Returns
    -------
    ASGI application
        Behind its gate.
    """
    from starlette.applications import Starlette
    from starlette.routing import Route

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        cooking = asyncio.create_task(desk.cook())
        try:
            yield
        finally:
            cooking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await cooking
            await renderer.close()

    # Jobs go by number: no part of any path is ever the name of a file.
    routes = [
        Route("/", desk.page, methods=["GET"]),
        Route("/orders", desk.order, methods=["POST"]),
        Route("/jobs", desk.jobs, methods=["GET"]),
        Route("/jobs/{number}/cancel", desk.cancel, methods=["POST"]),
        Route("/jobs/{number}/again", desk.again, methods=["POST"]),
        Route("/jobs/{number}/sound", desk.sound, methods=["GET"]),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    # An address is right or wrong: no answer is built of what a client wrote.
    app.router.redirect_slashes = False
    return Gate(app, port=port, token=token, ticket=ticket)
