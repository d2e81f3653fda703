"""Where the arithmetic happens, and in what precision."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import torch

from stylemix.errors import BadInput


def choose_device(name: str = "auto") -> torch.device:
    """Choose a device.

    Parameters
    ----------
    name : {"auto", "cpu", "cuda", "mps"}
        "auto" takes the first of cuda, mps and cpu that is there.

    Returns
    -------
    torch.device
        The device.

    Raises
    ------
    BadInput
        If the name is unknown or the device is not there.

    Examples
    --------
    >>> choose_device("cpu")
    device(type='cpu')
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, present in there.items() if present))
    if name not in there:
        raise BadInput(f"device must be auto, cpu, cuda or mps, got {name!r}")
    if not there[name]:
        raise BadInput(f"device {name}: not available on this machine; use --device auto")
    return torch.device(name)


def has_bfloat16(device: torch.device) -> bool:
    """Tell whether a device multiplies bfloat16 matrices in hardware.

    Parameters
    ----------
    device : torch.device
        The device.

    Returns
    -------
    bool
        True where half the bits are a gain and not a detour.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    if device.type == "cpu":
        probe = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
        return bool(probe and probe())
    return False


def arithmetic(device: torch.device, precision: str) -> contextlib.AbstractContextManager[object]:
    """Return the context in which training steps run.

    Parameters
    ----------
    device : torch.device
        The device.
    precision : {"auto", "float32", "bfloat16"}
        "auto" takes bfloat16 where the processor has it.

    Returns
    -------
    context manager
        Autocast or nothing.
    """
    if precision == "bfloat16" or (precision == "auto" and has_bfloat16(device)):
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()


def default_threads() -> int:
    """Return the number of threads for training: half of the cores this process may use, at least one.

    The steps are small, and at the end of every operation all threads wait for the slowest: where another program
    takes a core, two threads on two cores were measured at two to ten times the time of one. It is a rule and not a
    measurement, so that the same seed gives the same weights: sums depend on how they are divided.

    Returns
    -------
    int
        Threads.
    """
    available = getattr(os, "sched_getaffinity", None)
    cores = len(available(0)) if available else os.cpu_count() or 1
    return max(1, cores // 2)


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use so many threads while the block runs.

    Parameters
    ----------
    count : int
        Threads; 0 for `default_threads`.

    Yields
    ------
    None
        While the block runs.

    Examples
    --------
    >>> with threads(1):
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count or min(before, default_threads()))
    try:
        yield
    finally:
        torch.set_num_threads(before)
