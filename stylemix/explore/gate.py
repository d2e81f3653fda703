"""Who may speak with the server: the browser that was let in by the token, on this machine, from the page itself."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY_BYTES = 64 * 1024
"""A path of 400 points takes 30 kB."""
MOST_CLIENTS = 64
_METHODS = ("GET", "HEAD", "POST")
_ENTER = "open the address that the terminal shows, with its token"
# The page's own policy stands in it; this holds for all answers, and what a policy in a page cannot say.
HEADERS = {
    "content-security-policy": "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}


class Refused(Exception):
    """A request that goes no further.

    Parameters
    ----------
    status : int
        Of HTTP.
    line : str
        Why.
    """

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status, self.line = status, line


class Gate:
    """Check every request before the application sees it, and give every answer the same headers.

    Parameters
    ----------
    app : ASGI application
        Behind the gate. It finds the client in ``scope["client_id"]``.
    port : int
        On which the server listens.
    token : str
        Of the address that the terminal shows.
    ticket : str, optional
        Another one that lets in once: other users of the machine can read it where a browser is started with it.
    """

    def __init__(self, app: ASGIApp, *, port: int, token: str, ticket: str | None = None) -> None:
        self._app, self._token, self._ticket = app, token, ticket
        # Cookies are shared by all ports of a host: two servers must not take each other's.
        self._cookie = f"stylemix-{port}"
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self._clients: dict[str, None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Parameters
        ----------
        scope, receive, send : ASGI
            The request.
        """
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        try:
            headers = _headers(scope)
            self._check_origin(headers, scope)
            if scope["path"] == "/" and (given := _token(scope)) is not None:
                await self._enter(given, headers, scope, receive, send)
                return
            if (client := self._client(headers)) is None:
                raise Refused(403, _ENTER)
            scope["client_id"] = client
            _check_body(headers, scope)
            await self._app(scope, _counted(receive), _with_headers(send))
        except Refused as refused:
            await _answer(refused.status, refused.line, scope, receive, send)

    def _check_origin(self, headers: dict[str, list[str]], scope: Scope) -> None:
        hosts = headers.get("host", [])
        # A name that an attacker lets point to this machine has another Host, whatever address it resolves to.
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            raise Refused(421, "this server answers to 127.0.0.1 and localhost only")
        if any(origin != f"http://{hosts[0].lower()}" for origin in headers.get("origin", [])):
            raise Refused(403, "this server answers its own page only")
        allowed = ("same-origin", "none") if scope["method"] != "POST" else ("same-origin",)
        if any(site not in allowed for site in headers.get("sec-fetch-site", [])):
            raise Refused(403, f"a link on another page leads nowhere here; {_ENTER}")
        if scope["method"] not in _METHODS:
            raise Refused(405, "only GET, HEAD and POST are understood")

    async def _enter(
        self, given: str, headers: dict[str, list[str]], scope: Scope, receive: Receive, send: Send
    ) -> None:
        from starlette.responses import RedirectResponse

        if scope["method"] != "GET" or not self._lets_in(given):
            raise Refused(403, f"the token is wrong; {_ENTER}")
        client = self._client(headers)
        if client is None:
            client = secrets.token_urlsafe(24)
            self._clients[client] = None
            if len(self._clients) > MOST_CLIENTS:
                del self._clients[next(iter(self._clients))]
        # To the address without the token, which then stands neither in the history nor in a bookmark.
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(self._cookie, client, path="/", httponly=True, samesite="strict")
        await response(scope, receive, _with_headers(send))

    def _lets_in(self, given: str) -> bool:
        if self._ticket is not None and hmac.compare_digest(given.encode(), self._ticket.encode()):
            self._ticket = None
            return True
        return hmac.compare_digest(given.encode(), self._token.encode())

    def _client(self, headers: dict[str, list[str]]) -> str | None:
        """Find the client by its cookie; another server of this host may have set one of the same name."""
        found = None
        for value in _cookies(headers, self._cookie):
            for client in self._clients:
                # All are compared, each in the time that all bytes take.
                found = client if hmac.compare_digest(value, client.encode()) else found
        return found


def new_token() -> str:
    """Draw a token.

    Returns
    -------
    str
        256 bits, for an address.

    Examples
    --------
    >>> len(new_token()), new_token() == new_token()
    (43, False)
    """
    return secrets.token_urlsafe(32)


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _token(scope: Scope) -> str | None:
    try:
        given = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=8).get("token")
    except ValueError:
        return None
    return None if given is None else given[0]


def _cookies(headers: dict[str, list[str]], name: str) -> list[bytes]:
    """Return all values of a cookie.

    Cookies of all ports of a host come together, and not all are written as RFC 6265 has it: the library's parser drops
    everything after the first such one, ours among it.
    """
    pairs = (pair.partition("=") for line in headers.get("cookie", []) for pair in line.split(";"))
    return [value.strip().encode("latin-1") for key, _, value in pairs if key.strip() == name]


def _check_body(headers: dict[str, list[str]], scope: Scope) -> None:
    lengths = headers.get("content-length", [])
    if "transfer-encoding" in headers or (scope["method"] == "POST" and len(lengths) != 1):
        raise Refused(411, "say how long the body is")
    n_bytes = int(lengths[0]) if lengths and lengths[0].isascii() and lengths[0].isdigit() else 0
    if n_bytes > (MOST_BODY_BYTES if scope["method"] == "POST" else 0):
        raise Refused(413, f"the body must be at most {MOST_BODY_BYTES} bytes")
    if scope["method"] == "POST" and headers.get("content-type") != ["application/json"]:
        # A form of another page can send other types without asking; this one it cannot.
        raise Refused(415, "the body must be application/json")


def _counted(receive: Receive) -> Receive:
    """Let no more through than was allowed, whatever the header said."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST_BODY_BYTES:
            raise Refused(413, f"the body must be at most {MOST_BODY_BYTES} bytes")
        return message

    return counted


def _with_headers(send: Send) -> Send:
    async def told(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            more = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in given]
            message["headers"] = [*message["headers"], *more]
        await send(message)

    return told


async def _answer(status: int, line: str, scope: Scope, receive: Receive, send: Send) -> None:
    from starlette.responses import PlainTextResponse

    # The body, if any, is not read: the connection closes instead.
    response = PlainTextResponse(f"stylemix: {line}\n", status_code=status, headers={"connection": "close"})
    await response(scope, receive, _with_headers(send))
