"""What scattering transforms can be asked for, and what is too small to be told from nothing."""

from __future__ import annotations

from math import floor, log2

from stylemix.errors import BadInput

# Added to what divides, and to what a logarithm is taken of: -120 dB of full scale.
FLOOR = 1e-6


def both_orders(Q: int | tuple[int, ...]) -> tuple[int, int]:
    """Complete the numbers of wavelets an octave.

    Parameters
    ----------
    Q : int or tuple of int
        Of the first order, or of both.

    Returns
    -------
    tuple of two int
        Of the first and the second order; 1 for the second, if it was not given.

    Raises
    ------
    BadInput
        If there are more than two.

    Examples
    --------
    >>> both_orders(8), both_orders((8, 2))
    ((8, 1), (8, 2))
    """
    each = (Q,) if isinstance(Q, (int, float)) else tuple(Q)
    if len(each) not in (1, 2):
        raise BadInput(f"scattering: Q must be one number or two, of wavelets an octave, got {Q!r}")
    return each[0], each[-1] if len(each) == 2 else 1


def check_options(sample_rate: int, J: int, T: float | str | None, oversampling: float, scaling: str, pad: str) -> None:
    """Refuse options that no scattering transform can have.

    Parameters
    ----------
    sample_rate : int
        Hz.
    J : int
        Largest scale.
    T : None, float or "global"
        Length of the average (samples).
    oversampling : float
        How much denser than critical.
    scaling : str
        "l1" or "tight".
    pad : str
        "reflect" or "zero".

    Raises
    ------
    BadInput
        If one is out of range.
    """
    if sample_rate <= 0:
        raise BadInput(f"scattering: sample_rate must be positive (Hz), got {sample_rate}")
    if J > 24:
        raise BadInput(f"scattering: J must be at most 24 (wavelets of 2**24 samples), got {J}; lower it")
    if T not in (None, 0, "global") and not (isinstance(T, (int, float)) and 1 <= T < float("inf")):
        raise BadInput(f"scattering: T must be at least 1 sample, 0 (no average) or 'global', got {T!r}")
    if not 1 <= oversampling <= 2**J:
        raise BadInput(f"scattering: oversampling must lie between 1 and 2**J, got {oversampling}")
    if scaling not in ("l1", "tight"):
        raise BadInput(f"scattering: scaling must be 'l1' or 'tight', got {scaling!r}")
    if pad not in ("reflect", "zero"):
        raise BadInput(f"scattering: pad must be 'reflect' or 'zero', got {pad!r}")


def check_length(n_samples: int, J: int, average: float, name: str) -> None:
    """Refuse sound that is shorter than the wavelets or the average.

    Parameters
    ----------
    n_samples : int
        Length of the sound.
    J : int
        Largest scale.
    average : float
        Length of the average (samples).
    name : str
        The transform, for the message.

    Raises
    ------
    BadInput
        If it is too short.
    """
    if n_samples < 2**J:
        fits = f"take J <= {floor(log2(n_samples))} or " if n_samples > 1 else ""
        raise BadInput(f"{name}: J={J} needs at least {2**J} samples, got {n_samples}; {fits}pad the sound")
    if n_samples < average:
        raise BadInput(
            f"{name}: an average over T={average:g} samples needs as many, got {n_samples}; lower T or take T='global'"
        )
