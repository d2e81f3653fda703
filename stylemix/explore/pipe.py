"""Messages between the server and its worker: a header in JSON and a body of bytes, each told its length."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any, BinaryIO

_LENGTHS = struct.Struct(">II")
Message = tuple[dict[str, Any], bytes]


def pack(header: dict[str, Any], body: bytes = b"") -> bytes:
    """Put a message together.

    Parameters
    ----------
    header : dict
        JSON-safe.
    body : bytes
        Anything, less than 4 GB.

    Returns
    -------
    bytes
        What the other side reads as one message.

    Examples
    --------
    >>> import io
    >>> read(io.BytesIO(pack({"job": 1}, b"sound")))
    ({'job': 1}, b'sound')
    """
    text = json.dumps(header).encode("ascii")
    return _LENGTHS.pack(len(text), len(body)) + text + body


def read(stream: BinaryIO) -> Message | None:
    """Wait for a message.

    Parameters
    ----------
    stream : binary file
        A pipe.

    Returns
    -------
    tuple of dict and bytes, or None
        Header and body; None where the other side has gone, in the middle of a message too.

    Examples
    --------
    >>> import io
    >>> read(io.BytesIO(pack({"job": 1})[:-1])) is None
    True
    """
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    n_header, n_body = _LENGTHS.unpack(lengths)
    header, body = stream.read(n_header), stream.read(n_body)
    return (json.loads(header), body) if len(header) == n_header and len(body) == n_body else None


async def receive(stream: asyncio.StreamReader) -> Message | None:
    """Wait for a message without holding anybody up.

    Parameters
    ----------
    stream : asyncio.StreamReader
        A pipe.

    Returns
    -------
    tuple of dict and bytes, or None
        As for `read`.
    """
    try:
        n_header, n_body = _LENGTHS.unpack(await stream.readexactly(_LENGTHS.size))
        return json.loads(await stream.readexactly(n_header)), await stream.readexactly(n_body)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
