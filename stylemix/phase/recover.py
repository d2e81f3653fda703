"""Sound of magnitudes, told one by one or pooled, short or long."""

from __future__ import annotations

import torch

from stylemix.errors import BadInput
from stylemix.phase.check_given import check_known, check_start
from stylemix.phase.check_numbers import whole
from stylemix.phase.dial import find_quality, take_steps
from stylemix.phase.lattice import Groups, Magnitudes, PooledMagnitudes, Wanted
from stylemix.phase.projections import Walk
from stylemix.transforms import VQT, Fourier

# Longer sound (s) is made piece by piece, and needs the memory of a piece besides what goes in and comes out.
LONG_S = 60.0
# Seconds of such a piece.
_PIECE_S = 20.0


@torch.no_grad()
def recover(
    magnitudes: Groups,
    transform: VQT | Fourier,
    n_samples: int,
    *,
    quality: str = "good",
    start: Groups | None = None,
    known: torch.Tensor | None = None,
    seed: int = 0,
) -> torch.Tensor:
    """Make sound of magnitudes.

    The phase gradient is integrated from the loudest coefficients outwards (`heap_phase`); from there projections lead
    to a sound that agrees with the magnitudes (`admm`). No gradient flows through it.

    Parameters
    ----------
    magnitudes : tuple of torch.Tensor, each (..., K_g, N_g)
        On the lattice of `transform`: absolute values of ``transform.forward``. Any device, any leading dimensions.
    transform : VQT or Fourier
        The transform. A `VQT` whose windows overlap by 1 band leaves much undetermined; take 2.
    n_samples : int
        Length of the sound.
    quality : {"draft", "good", "best"}
        Integration alone; 6 projections, 8 of pooled magnitudes; 100.
    start : tuple of torch.Tensor, each (..., K_g, N_g), optional
        Phases to start from instead (radians).
    known : torch.Tensor, shape (..., T'), optional
        The beginning of the sound, where it is known already; kept as it is.
    seed : int
        For the phases of what is too soft to be integrated.

    Returns
    -------
    torch.Tensor, shape (..., T)
        The sound. Its sign is arbitrary: the phase of a magnitude is known up to a turn of all.

    Raises
    ------
    BadInput
        If the magnitudes are negative, not finite or not the transform's, what else is given does not fit them, or the
        quality is unknown.

    Examples
    --------
    >>> fourier = Fourier(8000, n_fft=512, hop_length=128)
    >>> x = torch.cos(0.3 * torch.arange(8000.0)) * torch.hann_window(8000)
    >>> y = recover(fourier.forward(x).magnitudes(), fourier, 8000)
    >>> bool((y.abs().max() - 1).abs() < 0.05)
    True
    """
    wanted = Magnitudes(transform, n_samples, magnitudes)
    return recover_wanted(wanted, quality=quality, start=start, known=known, seed=seed)


@torch.no_grad()
def recover_pooled(
    log_magnitude: torch.Tensor,
    vqt: VQT,
    n_samples: int,
    *,
    quality: str = "good",
    start: Groups | None = None,
    known: torch.Tensor | None = None,
    seed: int = 0,
) -> torch.Tensor:
    """Make sound of magnitudes that are known at the frames of `hop_length` only, as a model tells them.

    They are interpolated first, as a start; the last projections ask for the mean power around each frame alone, and
    leave to the sound how it moves between them. No gradient flows through it.

    Parameters
    ----------
    log_magnitude : torch.Tensor, shape (..., K, N)
        From ``vqt.pool``: natural logarithms.
    vqt : VQT
        The transform.
    n_samples : int
        Length of the sound.
    quality : {"draft", "good", "best"}
        As for `recover`.
    start : tuple of torch.Tensor, each (..., K_g, N_g), optional
        Phases to start from instead (radians).
    known : torch.Tensor, shape (..., T'), optional
        The beginning of the sound, where it is known already; kept as it is.
    seed : int
        For the phases of what is too soft to be integrated.

    Returns
    -------
    torch.Tensor, shape (..., T)
        The sound.

    Raises
    ------
    BadInput
        If the magnitudes are not finite or not the transform's, what else is given does not fit them, or the quality is
        unknown.

    Examples
    --------
    >>> vqt = VQT(8000)
    >>> x = torch.cos(0.3 * torch.arange(8000.0)) * torch.hann_window(8000)
    >>> y = recover_pooled(vqt.pool(vqt.forward(x).magnitudes(), 8000), vqt, 8000)
    >>> bool((y.abs().max() - 1).abs() < 0.05)
    True
    """
    wanted = PooledMagnitudes(vqt, n_samples, log_magnitude)
    return recover_wanted(wanted, quality=quality, start=start, known=known, seed=seed)


@torch.no_grad()
def recover_wanted(
    wanted: Wanted,
    *,
    quality: str = "good",
    start: Groups | None = None,
    known: torch.Tensor | None = None,
    seed: int = 0,
) -> torch.Tensor:
    """Make the sound that is wanted; no gradient flows through it.

    Parameters
    ----------
    wanted : Wanted
        Magnitudes, or pooled ones.
    quality : {"draft", "good", "best"}
        As for `recover`.
    start : tuple of torch.Tensor, each (..., K_g, N_g), optional
        Phases to start from (radians).
    known : torch.Tensor, shape (..., T'), optional
        The beginning of the sound.
    seed : int
        For the phases of what is too soft to be integrated.

    Returns
    -------
    torch.Tensor, shape (..., T)
        The sound.

    Raises
    ------
    BadInput
        If the quality is unknown, or what is given does not fit the magnitudes.
    """
    dial = find_quality(quality)
    if not hasattr(wanted, "restore"):
        raise BadInput(f"wanted: must be Magnitudes or PooledMagnitudes, got {type(wanted).__name__}; make them first")
    whole(seed, "seed:", 0)
    # Pooled magnitudes are not interpolated for that: of a long sound they never are as a whole.
    like = wanted.log_magnitude if isinstance(wanted, PooledMagnitudes) else wanted.magnitudes[0]
    check_known(known, like)
    check_start(start, like, wanted.transform, wanted.n_samples)
    if wanted.n_samples > LONG_S * wanted.transform.sample_rate and isinstance(wanted, Magnitudes | PooledMagnitudes):
        from stylemix.phase.stream import SoundStream

        stream = SoundStream(wanted.transform, quality=quality, block_s=_PIECE_S, seed=seed)
        return stream.whole(wanted, start, known)
    told = Magnitudes(wanted.transform, wanted.n_samples, wanted.magnitudes)
    walk = Walk(told, known).begin(start, trailing=dial.trailing, seed=seed)
    return take_steps(walk, dial, wanted if isinstance(wanted, PooledMagnitudes) else None).sound()
