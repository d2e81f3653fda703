"""How a command ends: its answer on stdout, or one line on stderr and an exit code."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import typer

from stylemix.errors import StylemixError

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


@contextlib.contextmanager
def answer(
    as_json: bool, *, after_interrupt: str = "run the same command again"
) -> Iterator[Callable[..., None]]:
    """Run a command's work; print what it gives at the end, or the one line that says what went wrong.

    Parameters
    ----------
    as_json : bool
        Print one JSON object instead of lines for people.
    after_interrupt : str
        What to do after Ctrl-C.

    Yields
    ------
    callable
        ``give(data, lines)`` hands over the answer: `data` for --json, `lines` for people, which are
        by default the data, a line for each key.

    Raises
    ------
    typer.Exit
        With the exit code, after a failure has been told.

    Examples
    --------
    >>> with answer(as_json=True) as give:
    ...     give({"loss": float("nan")})
    {"loss": null}
    """
    given: list[tuple[Mapping[str, Any], Iterable[str] | None]] = []
    try:
        # A library that prints must not spoil an answer that a script reads.
        with contextlib.redirect_stdout(sys.stderr), _only_our_warnings():
            yield lambda data, lines=None: given.append((data, lines))
        for data, lines in given:
            print_answer(data, lines, as_json)
    except StylemixError as error:
        raise fail(str(error), as_json=as_json) from None
    except KeyboardInterrupt:
        raise fail(f"interrupted; {after_interrupt}", as_json=as_json, code=INTERRUPTED) from None
    except BrokenPipeError:
        # Whoever read stdout has gone (`| head`): nothing is wrong, but Python would complain on leaving.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(FAILED) from None
    except OSError as error:
        raise fail(_describe_os_error(error), as_json=as_json) from None
    except MemoryError:
        way_out = "try shorter files, or a recipe with a smaller training.batch_size"
        raise fail(f"not enough memory; {way_out}", as_json=as_json) from None
    except typer.Exit:
        raise
    except Exception as error:
        what = f"unexpected {type(error).__name__}: {error}"
        raise fail(f"{what}; STYLEMIX_DEBUG=1 shows where, for a bug report", as_json=as_json) from None


def fail(message: str, *, as_json: bool, code: int = FAILED) -> typer.Exit:
    """Tell a failure: one line on stderr, and with --json an object with the error on stdout.

    Parameters
    ----------
    message : str
        What, rule, value, way out.
    as_json : bool
        Whether the command was asked for JSON.
    code : int
        The exit code.

    Returns
    -------
    typer.Exit
        To be raised.

    Examples
    --------
    >>> fail("no such file", as_json=True).exit_code
    {"error": "no such file"}
    1
    """
    line = _printable(" ".join(part.strip() for part in message.splitlines()))
    if os.environ.get("STYLEMIX_DEBUG") and sys.exc_info()[0]:
        traceback.print_exc(file=sys.stderr)
    sys.stderr.write(f"stylemix: {line}\n")
    if as_json:
        print_answer({"error": line}, None, as_json)
    return typer.Exit(code)


def finite(value: Any) -> Any:
    """Make a value that JSON can say: no NaN or infinity, no arrays, no paths.

    Parameters
    ----------
    value : object
        Mappings, sequences, numbers (also of NumPy), texts, paths.

    Returns
    -------
    object
        The same in plain types; what is no finite number is None.

    Examples
    --------
    >>> finite({"a": (1.5, float("inf"))})
    {'a': [1.5, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [finite(item) for item in value]
    if hasattr(value, "tolist"):
        return finite(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def print_answer(data: Mapping[str, Any], lines: Iterable[str] | None, as_json: bool) -> None:
    """Print an answer on stdout.

    Parameters
    ----------
    data : mapping
        What --json prints.
    lines : iterable of str, optional
        What people read; by default the data, a line for each key.
    as_json : bool
        Which of the two.

    Examples
    --------
    >>> print_answer({"out": "h.wav", "steps": [1, 2]}, None, as_json=False)
    out: h.wav
    steps: [1, 2]
    """
    if as_json:
        # ASCII is UTF-8 whatever the terminal's encoding, also for file names that are no valid text.
        text = json.dumps(finite(data), allow_nan=False)
    else:
        told = [part for line in lines for part in line.split("\n")] if lines is not None else _as_lines(finite(data))
        text = "\n".join(map(_printable, told))
    # Not typer.echo: its answer would depend on whether a terminal reads it.
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _printable(line: str) -> str:
    # The name of a file may hold what moves a terminal's cursor, changes its colours or turns what follows around.
    from stylemix.audio import shown_name

    return shown_name(line)


def _as_lines(data: Mapping[str, Any]) -> list[str]:
    plain = (str, int, float, bool, type(None))
    return [f"{key}: {item if isinstance(item, plain) else json.dumps(item)}" for key, item in data.items()]


@contextlib.contextmanager
def _only_our_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        if not os.environ.get("STYLEMIX_DEBUG"):
            warnings.filterwarnings("ignore", module=r"(?!stylemix)")
        yield


def _describe_os_error(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{where}the disk is full; free some space and run the command again"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where}no permission; change it, or choose another place"
    return f"{where}{error.strerror or error}; check that it is there and can be read and written"
