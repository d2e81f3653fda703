"""One HTML file with everything inside: templates filled once, data made harmless, a strict policy on top."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from stylemix.errors import BadInput

_PLACE = re.compile(r"\{\{(\w+)\}\}")
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def read_template(name: str, *, package: str = "stylemix.explore") -> str:
    """Read a template that came with the package.

    Parameters
    ----------
    name : str
        File name in the package's templates folder.
    package : str
        Which package.

    Returns
    -------
    str
        Its text.

    Examples
    --------
    >>> "canvas" in read_template("map.html")
    True
    """
    return resources.files(package).joinpath("templates", name).read_text(encoding="utf-8")


def json_for_html(value: Any) -> str:
    """Write JSON that can stand inside a script element: no name in it can end the element.

    Parameters
    ----------
    value : object
        Anything the json module can write; NaN and infinity are refused.

    Returns
    -------
    str
        JSON without a character that HTML gives a meaning.

    Raises
    ------
    BadInput
        If a number is NaN or infinite: a browser's JSON has no such numbers.

    Examples
    --------
    >>> json_for_html({"file": "</script>"})
    '{"file":"\\\\u003c/script\\\\u003e"}'
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        raise BadInput("page: every number shown must be finite, got NaN or infinity; leave it out") from None
    # A lone surrogate is how Python keeps an undecodable byte of a file name; UTF-8 cannot write it.
    text = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub("[<>&\u2028\u2029]", lambda found: _ESCAPES[found.group()], text)


def base64_text(data: bytes) -> str:
    """Return bytes as base64.

    Parameters
    ----------
    data : bytes
        Anything.

    Returns
    -------
    str
        Only letters, digits, plus, slash and equals signs.

    Examples
    --------
    >>> base64_text(b"abc")
    'YWJj'
    """
    return base64.b64encode(data).decode("ascii")


def data_block(identifier: str, content: str, *, kind: str = "application/json") -> str:
    """Wrap data that no browser executes into a script element.

    Parameters
    ----------
    identifier : str
        The element's id.
    content : str
        From `json_for_html` or `base64_text`.
    kind : str
        The element's type; anything but a script's.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> data_block("a", "1")
    '<script type="application/json" id="a">1</script>'
    """
    return f'<script type="{kind}" id="{identifier}">{content}</script>'


def _source_hash(text: str) -> str:
    return "'sha256-" + base64_text(hashlib.sha256(text.encode("utf-8")).digest()) + "'"


def build_page(
    shell: str, *, title: str, styles: Sequence[str], scripts: Sequence[str], parts: Mapping[str, str]
) -> str:
    """Put styles, scripts and parts into a page that may load nothing and run nothing else.

    Parameters
    ----------
    shell : str
        The page's template, with ``{{policy}}``, ``{{title}}``, ``{{style}}``, ``{{script}}`` and the parts.
    title : str
        Shown by the browser; escaped here.
    styles, scripts : sequence of str
        Sources, joined in order. Their hashes are the only ones the page's policy lets through.
    parts : mapping of str to str
        Trusted HTML for the other places.

    Returns
    -------
    str
        The whole page.

    Examples
    --------
    >>> build_page("<title>{{title}}</title>", title="a<b", styles=[], scripts=[], parts={})
    '<title>a&lt;b</title>'
    """
    style, script = "\n".join(styles), "\n".join(scripts)
    policy = (
        f"default-src 'none'; script-src {_source_hash(script)}; style-src {_source_hash(style)}; "
        "img-src data:; media-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    title = title.encode("utf-8", "replace").decode("utf-8")
    places = {"policy": policy, "title": html.escape(title), "style": style, "script": script, **parts}
    # One pass: what is put in is never looked at again, so no value can name another place.
    return _PLACE.sub(lambda found: places[found.group(1)], shell)
