"""Progress with time left, on stderr, so that stdout stays clean for results."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator


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
