"""Inner loops that numba compiles, kept for the next start where a folder for that can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a function, without the interpreter and its lock, and keep what comes out if that is possible.

    Parameters
    ----------
    function : callable
        What numba understands. Divisions by zero give Inf or NaN.

    Returns
    -------
    callable
        The same, compiled when it is called first.

    Examples
    --------
    >>> @compiled
    ... def twice(x):
    ...     return 2 * x
    >>> twice(21)
    42
    """
    import numba

    try:
        return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:
        # A read-only installation without a home: compiled anew at every start.
        return cast(F, numba.njit(nogil=True, error_model="numpy")(function))
