"""Progress with time left, on stderr, so that stdout stays clean for results."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

# Of the work that goes on in this context: who shows progress by other means than a bar hears it from here, without
# every function on the way handing a listener down.
_LISTENER: ContextVar[Callable[[str, float], None] | None] = ContextVar("listener", default=None)


@contextlib.contextmanager
def heard_by(listener: Callable[[str, float], None]) -> Iterator[None]:
    """Let somebody hear the progress of the block in place of a bar.

    Parameters
    ----------
    listener : callable
        ``listener(label, share)`` hears what is going on and how much of it is done, 0 to 1.

    Yields
    ------
    None
        While the block runs.

    Examples
    --------
    >>> with heard_by(lambda label, share: print(label, share)), progress("counting", 4) as update:
    ...     update(3)
    counting 0.75
    """
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


@contextlib.contextmanager
def progress(label: str, total: float, *, show: bool = True) -> Iterator[Callable[..., None]]:
    """Show a bar with the time left while the block runs.

    Parameters
    ----------
    label : str
        What is going on, in a word or two.
    total : float
        What counts as done, in the unit of the updates.
    show : bool
        Nothing is shown when False.

    Yields
    ------
    callable
        ``update(done, note="")`` sets how much of `total` is done and an optional note.

    Examples
    --------
    >>> with progress("counting", 3, show=False) as update:
    ...     update(1, "one of three")
    """
    listener = _LISTENER.get()
    if listener is not None:
        yield lambda done, note="": listener(label, min(1.0, done / total) if total > 0 else 1.0)
        return
    if not show:
        yield lambda done, note="": None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"),
               TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
               TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=Console(stderr=True), transient=False) as bar:
        task = bar.add_task(label, total=total, note="")
        yield lambda done, note="": bar.update(task, completed=done, note=note)
