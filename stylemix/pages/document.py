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

SHARED_STYLES = ("pages/base.css",)
SHARED_SCRIPTS = ("pages/sound.js", "pages/nodes.js", "pages/theme.js")
# What pages with tables and plots need besides, before their own.
PLOT_STYLES = ("pages/plots.css",)
PLOT_SCRIPTS = ("pages/drawing.js",)
_PLACE = re.compile(r"\{\{(\w+)\}\}")
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def read_template(name: str) -> str:
    """Read a template that came with the package.

    Parameters
    ----------
    name : str
        Room and file, as in ``pages/base.css``; the file lies in the room's folder `templates`. One without a room
        lies in that of the package itself.

    Returns
    -------
    str
        Its text.

    Examples
    --------
    >>> "canvas" in read_template("style_map/map.html")
    True
    """
    room, _, file = name.rpartition("/")
    return resources.files("stylemix").joinpath(*room.split("/"), "templates", file).read_text(encoding="utf-8")


def fill(template: str, places: Mapping[str, str]) -> str:
    """Put values into the places ``{{name}}`` of a template.

    Parameters
    ----------
    template : str
        Text with places.
    places : mapping of str to str
        A value for each.

    Returns
    -------
    str
        The text. What is put in is never looked at again, so no value can name another place.

    Examples
    --------
    >>> fill("{{a}}|{{b}}", {"a": "{{b}}", "b": "x"})
    '{{b}}|x'
    """
    return _PLACE.sub(lambda found: places[found.group(1)], template)


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
    body: str,
    *,
    title: str,
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
    parts: Mapping[str, str],
    served: bool = False,
) -> str:
    """Put a body, styles, scripts and data into a page that may load nothing and run nothing else.

    Parameters
    ----------
    body : str
        Name of the body's template, with places for the parts.
    title : str
        Shown by the browser; escaped here.
    styles, scripts : sequence of str
        Names of templates, joined in order after those of every page. Their hashes are the only ones that the page's
        policy lets through.
    parts : mapping of str to str
        Trusted HTML for the body's places, the data blocks as ``data``, and as ``late`` those that scripts need only
        when something is played: the page is seen before a browser has read them.
    served : bool
        Whether the page may speak with the server it came from; a page in a file speaks with nobody.

    Returns
    -------
    str
        The whole page.

    Examples
    --------
    >>> page = build_page("style_map/map_page.html", title="a<b", parts={"map": "", "data": ""})
    >>> "<title>a&lt;b</title>" in page
    True
    """
    style = "\n".join(read_template(name) for name in (*SHARED_STYLES, *styles))
    script = "\n".join(read_template(name) for name in (*SHARED_SCRIPTS, *scripts))
    policy = (
        f"default-src 'none'; script-src {_source_hash(script)}; style-src {_source_hash(style)}; "
        "img-src data:; media-src data: blob:; base-uri 'none'; form-action 'none'"
        + ("; connect-src 'self'" if served else "")
    )
    title = title.encode("utf-8", "replace").decode("utf-8")
    places = {"policy": policy, "title": html.escape(title), "style": style, "script": script, "data": parts["data"]}
    places["late"] = parts.get("late", "")
    return fill(read_template("pages/shell.html"), {**places, "body": fill(read_template(body), parts)})
