"""The dial from fast to clean: which start, which projections and how many of them make sound of magnitudes."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from stylemix.errors import BadInput
from stylemix.phase.lattice import Groups, Magnitudes, PooledMagnitudes, Wanted
from stylemix.phase.projections import Walk
from stylemix.transforms import VQT, Fourier


@dataclass(frozen=True)
class Quality:
    """How much work is spent on phases.

    ADMM comes first, as it gets past where Griffin-Lim stands still, and Griffin-Lim last, as it ends nearer.

    Parameters
    ----------
    trailing : float
        Share of the loudest around it below which a coefficient's phase only follows its row; see `heap_phase`.
    n_admm : int
        Iterations of ADMM on all magnitudes.
    n_griffin_lim : int
        Iterations of fast Griffin-Lim on all magnitudes, where they are told one by one.
    n_pooled : int
        Of magnitudes that are pooled, iterations of fast Griffin-Lim on what is really known of them, instead.
    """

    trailing: float
    n_admm: int
    n_griffin_lim: int
    n_pooled: int


# Longer sound (s) is made piece by piece, and needs the memory of a piece besides what goes in and comes out.
LONG_S = 60.0
# Seconds of such a piece.
_PIECE_S = 20.0

QUALITIES = {"draft": Quality(3e-2, 0, 0, 0), "good": Quality(1e-2, 4, 2, 4), "best": Quality(1e-3, 60, 40, 40)}


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
    to a sound that agrees with the magnitudes (`admm`).

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
        If the magnitudes are negative, not finite or not the transform's, or the quality is unknown.

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
    leave to the sound how it moves between them.

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
        If the magnitudes are not finite or not the transform's, or the quality is unknown.

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


def recover_wanted(
    wanted: Wanted,
    *,
    quality: str = "good",
    start: Groups | None = None,
    known: torch.Tensor | None = None,
    seed: int = 0,
) -> torch.Tensor:
    """Make the sound that is wanted.

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
        If the quality is unknown.
    """
    dial = find_quality(quality)
    if wanted.n_samples > LONG_S * wanted.transform.sample_rate and isinstance(wanted, Magnitudes | PooledMagnitudes):
        from stylemix.phase.stream import SoundStream

        stream = SoundStream(wanted.transform, quality=quality, block_s=_PIECE_S, seed=seed)
        return stream.whole(wanted, start, known)
    told = Magnitudes(wanted.transform, wanted.n_samples, wanted.magnitudes)
    walk = Walk(told, known).begin(start, trailing=dial.trailing, seed=seed)
    return take_steps(walk, dial, wanted if isinstance(wanted, PooledMagnitudes) else None).sound()


def take_steps(walk: Walk, dial: Quality, pooled: Wanted | None) -> Walk:
    """Take the steps of a quality.

    Parameters
    ----------
    walk : Walk
        Where to start from, and the magnitudes told one by one.
    dial : Quality
        Which steps.
    pooled : Wanted, optional
        What is really known, where magnitudes told one by one are interpolated.

    Returns
    -------
    Walk
        The same, at its end.
    """
    walk.admm(dial.n_admm)
    if pooled is None:
        return walk.griffin_lim(dial.n_griffin_lim)
    walk.wanted = pooled
    return walk.griffin_lim(dial.n_pooled)


def find_quality(name: str) -> Quality:
    """Look a quality up.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    Quality
        What it means.

    Raises
    ------
    BadInput
        If there is none of that name.

    Examples
    --------
    >>> find_quality("ok")
    Traceback (most recent call last):
        ...
    stylemix.errors.BadInput: quality: must be draft, good or best, got 'ok'
    """
    if name not in QUALITIES:
        raise BadInput(f"quality: must be draft, good or best, got {name!r}")
    return QUALITIES[name]
