"""What a user may give besides the magnitudes, looked at once: the sound's beginning, and phases to start from."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from stylemix.errors import BadInput
from stylemix.phase.checks import check_tensors, lattice_shapes
from stylemix.transforms import VQT, Fourier


def check_known(known: torch.Tensor | None, like: torch.Tensor) -> None:
    """Refuse what is no beginning of a sound.

    Parameters
    ----------
    known : torch.Tensor, shape (..., T'), optional
        What a user gave.
    like : torch.Tensor, shape (..., K, N)
        Magnitudes of the sound.

    Raises
    ------
    BadInput
        If it is of other sounds, of another type, or not finite.

    Examples
    --------
    >>> check_known(torch.zeros(2, 100), torch.ones(257, 9))
    Traceback (most recent call last):
        ...
    stylemix.errors.BadInput: known: the beginning has the shape (2, 100), the magnitudes' leading shape is (); give (..., T') with that one
    """  # noqa: E501
    if known is None:
        return
    if not isinstance(known, torch.Tensor):
        raise BadInput(f"known: must be a torch.Tensor, got {type(known).__name__}; use torch.as_tensor")
    if known.ndim < 1 or known.shape[:-1] != like.shape[:-2]:
        raise BadInput(
            f"known: the beginning has the shape {tuple(known.shape)}, the magnitudes' leading shape is "
            f"{tuple(like.shape[:-2])}; give (..., T') with that one"
        )
    if known.dtype != like.dtype or known.device != like.device:
        raise BadInput(
            f"known: must be {like.dtype} on {like.device} as the magnitudes, got {known.dtype} on {known.device}; "
            "convert it with to()"
        )
    if not bool(known.isfinite().all()):
        raise BadInput("known: holds NaN or Inf; replace them, for example with torch.nan_to_num")


def check_start(
    start: Sequence[torch.Tensor] | None, like: torch.Tensor, transform: VQT | Fourier, n_samples: int
) -> None:
    """Refuse what are no phases to start from.

    Parameters
    ----------
    start : tuple of torch.Tensor, each (..., K_g, N_g), optional
        What a user gave.
    like : torch.Tensor, shape (..., K, N)
        Magnitudes of the sound, of any group.
    transform : VQT or Fourier
        Whose lattice they should be on.
    n_samples : int
        Length of the sound.

    Raises
    ------
    BadInput
        If they are not on the lattice, not of these sounds, not real, or not finite.
    """
    if start is None:
        return
    check_tensors(start, "start", "give phases (radians), such as Coefficients' angles")
    wanted = [(*like.shape[:-2], *shape) for shape in lattice_shapes(transform, n_samples)]
    found = [tuple(p.shape) for p in start]
    if found != wanted:
        raise BadInput(f"start: phases of shapes {found} do not fit magnitudes of shapes {wanted}; give the same")
    for p in start:
        check_phases(p, like, "start")


def check_located(known: object, magnitudes: Sequence[torch.Tensor]) -> None:
    """Refuse what does not say where phases are known, and what they are there.

    Parameters
    ----------
    known : tuple of two tuples of torch.Tensor, each (..., K_g, N_g), optional
        What a user gave: where (bool), and what (radians).
    magnitudes : sequence of torch.Tensor, each (..., K_g, N_g)
        Of these sounds.

    Raises
    ------
    BadInput
        If it is no pair, or its parts do not fit the magnitudes.
    """
    if known is None:
        return
    if not isinstance(known, tuple | list) or len(known) != 2:
        raise BadInput("known: must be a pair, where the phases are known and what they are; give (where, phases)")
    where, what = known
    for part, name in ((where, "known, where"), (what, "known, phases")):
        check_tensors(part, name, "give one for each group of magnitudes")
        if len(part) != len(magnitudes):
            raise BadInput(f"{name}: must be {len(magnitudes)} groups as the magnitudes, got {len(part)}")
        for p, m in zip(part, magnitudes, strict=True):
            _check_spreads(p, tuple(m.shape), name)
    for w, p, m in zip(where, what, magnitudes, strict=True):
        check_truth(w, "known, where")
        # What is told where nothing is known does not count, and may be anything.
        check_phases(torch.where(w, p, torch.zeros((), dtype=p.dtype, device=p.device)), m, "known, phases")


def check_locked(locked: Sequence[torch.Tensor] | None, shapes: Sequence[tuple[int, ...]]) -> None:
    """Refuse what does not say where phases are right.

    Parameters
    ----------
    locked : tuple of torch.Tensor, bool, optional
        What a user gave.
    shapes : sequence of tuple of int
        That each must broadcast to.

    Raises
    ------
    BadInput
        If it is not bool, or does not fit.
    """
    if locked is None:
        return
    check_tensors(locked, "locked", "give where the phases of `between` are right, one for each group")
    if len(locked) != len(shapes):
        raise BadInput(f"locked: must be {len(shapes)} groups as the magnitudes, got {len(locked)}")
    for at, shape in zip(locked, shapes, strict=True):
        check_truth(at, "locked")
        _check_spreads(at, shape, "locked")


def check_phases(p: torch.Tensor, like: torch.Tensor, name: str) -> None:
    """Refuse numbers that no phases can be.

    Parameters
    ----------
    p : torch.Tensor
        What a user gave.
    like : torch.Tensor
        Whose device they should be on.
    name : str
        What it is, for the message.

    Raises
    ------
    BadInput
        If they are not real, not finite, or elsewhere.
    """
    if not p.is_floating_point():
        way_out = "take their angle()" if p.is_complex() else "convert them with float()"
        raise BadInput(f"{name}: phases must be real floating-point numbers (radians), got {p.dtype}; {way_out}")
    if p.device != like.device:
        raise BadInput(f"{name}: must be on {like.device} as the magnitudes, got {p.device}; move it with to()")
    if not bool(p.isfinite().all()):
        raise BadInput(f"{name}: holds NaN or Inf; phases are finite radians, anything such as 0 where unknown")


def check_truth(where: torch.Tensor, name: str) -> None:
    """Refuse what is not true or false.

    Parameters
    ----------
    where : torch.Tensor
        What a user gave.
    name : str
        What it is, for the message.

    Raises
    ------
    BadInput
        If it is not bool.
    """
    if where.dtype != torch.bool:
        raise BadInput(f"{name}: must be bool, got {where.dtype}; compare it with something, or use bool()")


def _check_spreads(given: torch.Tensor, shape: tuple[int, ...], name: str) -> None:
    fits = given.ndim <= len(shape) and all(
        n in (1, wanted) for n, wanted in zip(reversed(given.shape), reversed(shape), strict=False)
    )
    if not fits:
        raise BadInput(f"{name}: the shape {tuple(given.shape)} does not fit the magnitudes' {shape}; give the same")
