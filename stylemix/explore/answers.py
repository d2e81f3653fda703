"""How the server answers: JSON, refusals, names of downloads; and how it reads numbers of addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_MOST_DIGITS = 15


def disposition(name: str) -> str:
    """Write the header that gives a download its name.

    Parameters
    ----------
    name : str
        Of the file, of any script.

    Returns
    -------
    str
        As RFC 6266 has it: a plain name for old clients, and the real one by RFC 5987.

    Examples
    --------
    >>> disposition("Lied ü.wav")
    'attachment; filename="Lied _.wav"; filename*=UTF-8\\'\\'Lied%20%C3%BC.wav'
    """
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " ._-") else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name.encode('utf-8', 'replace'), safe='')}"


def client_of(request: Request) -> str:
    """Say who asks.

    Parameters
    ----------
    request : Request
        That has passed the gate.

    Returns
    -------
    str
        The client's name.
    """
    return str(request.scope["client_id"])


def whole_or_none(text: str) -> int | None:
    """Read a whole number of an address.

    Parameters
    ----------
    text : str
        As it came.

    Returns
    -------
    int or None
        None for what is none, or has more than 15 digits.

    Examples
    --------
    >>> whole_or_none("17"), whole_or_none("-1"), whole_or_none("9" * 5000)
    (17, None, None)
    """
    # Python refuses to read numbers of thousands of digits, by an exception.
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def answer(value: object, status: int = 200) -> Response:
    """Answer in JSON.

    Parameters
    ----------
    value : object
        JSON-safe.
    status : int
        Of HTTP.

    Returns
    -------
    Response
        That can stand in HTML too.
    """
    from starlette.responses import Response

    from stylemix.pages.document import json_for_html

    # A file name may hold what UTF-8 cannot write.
    return Response(json_for_html(value), status_code=status, media_type="application/json")


def refusal(status: int, line: str) -> Response:
    """Answer why something is not done.

    Parameters
    ----------
    status : int
        Of HTTP.
    line : str
        For people.

    Returns
    -------
    Response
        JSON with ``error``.
    """
    return answer({"error": line}, status)
