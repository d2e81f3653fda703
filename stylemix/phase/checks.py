"""Magnitudes that phases are found from, looked at once at every entrance."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from stylemix.errors import BadInput
from stylemix.phase.check_numbers import whole
from stylemix.transforms import VQT, Fourier

_PRECISIONS = (torch.float32, torch.float64)


def check_transform(transform: object) -> None:
    """Refuse what is no transform with phases.

    Parameters
    ----------
    transform : object
        What a user gave.

    Raises
    ------
    BadInput
        If it is neither a `VQT` nor a `Fourier`.
    """
    if not isinstance(transform, VQT | Fourier):
        raise BadInput(f"phase: the transform must be a VQT or a Fourier, got {type(transform).__name__}")


def check_vqt(transform: object, name: str) -> None:
    """Refuse what is no `VQT`.

    Parameters
    ----------
    transform : object
        What a user gave.
    name : str
        Of who asks, for the message.

    Raises
    ------
    BadInput
        If it is none.
    """
    if not isinstance(transform, VQT):
        raise BadInput(f"{name}: the transform must be a VQT, got {type(transform).__name__}")


def check_magnitudes(magnitudes: Sequence[torch.Tensor], transform: VQT | Fourier, n_samples: int) -> None:
    """Refuse what are no magnitudes of a sound.

    Parameters
    ----------
    magnitudes : tuple of torch.Tensor, each (..., K_g, N_g)
        What a user gave.
    transform : VQT or Fourier
        Whose they should be.
    n_samples : int
        Length of the sound they should be of.

    Raises
    ------
    BadInput
        If they are negative, complex, not finite, or on another lattice.

    Examples
    --------
    >>> check_magnitudes((torch.ones(1025, 16),), Fourier(22050), 22050)
    Traceback (most recent call last):
        ...
    stylemix.errors.BadInput: magnitudes: shapes [(1025, 16)] are not those of this Fourier, hops (512,), for 22050 samples: [(1025, 44)]; give magnitudes of this very transform and length
    """  # noqa: E501
    check_transform(transform)
    n_samples = whole(n_samples, "phase: n_samples", 1)
    check_tensors(magnitudes, "magnitudes", "give Coefficients.magnitudes()")
    wanted = lattice_shapes(transform, n_samples)
    found = [tuple(m.shape[-2:]) for m in magnitudes]
    if found != wanted or len({m.shape[:-2] for m in magnitudes}) > 1:
        raise BadInput(
            f"magnitudes: shapes {found} are not those of this {type(transform).__name__}, hops {transform.hops}, for "
            f"{n_samples} samples: {wanted}; give magnitudes of this very transform and length"
        )
    check_values(magnitudes, "magnitudes")


def check_rows(magnitudes: Sequence[torch.Tensor], transform: VQT | Fourier) -> None:
    """Refuse what are no magnitudes of a transform, of however long a sound.

    Parameters
    ----------
    magnitudes : tuple of torch.Tensor, each (..., K_g, N_g)
        What a user gave.
    transform : VQT or Fourier
        Whose they should be.

    Raises
    ------
    BadInput
        If they are negative, complex, not finite, of other rows, or end at different times.

    Examples
    --------
    >>> check_rows((torch.ones(1000, 16),), Fourier(22050))
    Traceback (most recent call last):
        ...
    stylemix.errors.BadInput: magnitudes: shapes [(1000, 16)] must have the rows of this Fourier, [1025], and at least one frame each; give magnitudes of this very transform
    """  # noqa: E501
    check_transform(transform)
    check_tensors(magnitudes, "magnitudes", "give Coefficients.magnitudes()")
    rows = [k for k, _ in lattice_shapes(transform, 1)]
    found = [tuple(m.shape[-2:]) for m in magnitudes]
    if [s[0] if len(s) == 2 and s[1] else None for s in found] != rows:
        raise BadInput(
            f"magnitudes: shapes {found} must have the rows of this {type(transform).__name__}, {rows}, and at least "
            "one frame each; give magnitudes of this very transform"
        )
    if len({m.shape[:-2] for m in magnitudes}) > 1:
        leading = [tuple(m.shape[:-2]) for m in magnitudes]
        raise BadInput(f"magnitudes: all groups must be of the same sounds, got leading shapes {leading}")
    ends = [m.shape[-1] * hop for m, hop in zip(magnitudes, transform.hops, strict=True)]
    if len(set(ends)) > 1:
        raise BadInput(
            f"magnitudes: frames times hops {transform.hops} must be the same length in all groups, got {ends} "
            "samples; give magnitudes of one sound"
        )
    check_values(magnitudes, "magnitudes")


def check_tensors(given: object, name: str, way_out: str) -> None:
    """Refuse what is no tuple of tensors.

    Parameters
    ----------
    given : object
        What a user gave.
    name : str
        What it is, for the message.
    way_out : str
        What to give instead.

    Raises
    ------
    BadInput
        If it is none.
    """
    if isinstance(given, tuple | list):
        wrong = [type(g).__name__ for g in given if not isinstance(g, torch.Tensor)]
        if not wrong:
            return
        found = f"one that holds {wrong[0]}"
    else:
        found = type(given).__name__
    raise BadInput(f"{name}: must be a tuple of tensors, one for each hop, got {found}; {way_out}")


def check_values(magnitudes: Sequence[torch.Tensor], name: str) -> None:
    """Refuse numbers that no magnitudes can be.

    Parameters
    ----------
    magnitudes : sequence of torch.Tensor
        What a user gave.
    name : str
        What it is, for the message.

    Raises
    ------
    BadInput
        If they are none, not real, of other than single or double precision, negative or not finite.
    """
    for m in magnitudes:
        check_real(m, name)
        if not m.numel():
            raise BadInput(f"{name}: must hold at least one sound, got the shape {tuple(m.shape)}")
        # A NaN fails both comparisons; the least and the largest of all are found in one pass.
        least, largest = torch.aminmax(m.detach())
        if not (float(least) >= 0 and float(largest) < float("inf")):
            raise BadInput(
                f"{name}: must be at least 0 and finite, got {float(least):g} to {float(largest):g}; logarithms "
                "go through exp first, powers through sqrt"
            )
    kinds = sorted({f"{m.dtype} on {m.device}" for m in magnitudes})
    if len(kinds) > 1:
        raise BadInput(f"{name}: all groups must be of one type on one device, got {kinds}; convert them with to()")


def check_real(m: torch.Tensor, name: str) -> None:
    """Refuse numbers that are not real, or not precise enough.

    Parameters
    ----------
    m : torch.Tensor
        What a user gave.
    name : str
        What it is, for the message.

    Raises
    ------
    BadInput
        If they are neither float32 nor float64.
    """
    if not m.is_floating_point():
        way_out = "take their abs()" if m.is_complex() else "convert them with float()"
        raise BadInput(f"{name}: must be real floating-point numbers, got {m.dtype}; {way_out}")
    if m.dtype not in _PRECISIONS:
        raise BadInput(f"{name}: must be float32 or float64, got {m.dtype}; convert them with float()")


def lattice_shapes(transform: VQT | Fourier, n_samples: int) -> list[tuple[int, int]]:
    """Say how many rows and frames each group of a transform has.

    Parameters
    ----------
    transform : VQT or Fourier
        The transform.
    n_samples : int
        Length of a sound.

    Returns
    -------
    list of (int, int)
        Rows and frames, group by group.

    Examples
    --------
    >>> lattice_shapes(Fourier(22050), 22050)
    [(1025, 44)]
    """
    if isinstance(transform, Fourier):
        return [(transform.n_rows, transform.n_frames(n_samples))]
    length = transform.padded_length(n_samples)
    groups = torch.from_numpy(transform.meta()["group"]).bincount().tolist()
    return [(rows, length // hop) for rows, hop in zip(groups, transform.hops, strict=True)]
