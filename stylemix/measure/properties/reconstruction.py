"""What sound can be made from a representation: its inverse where it has one, else a sound with the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from stylemix.measure.metrics import spectral_convergence_db
from stylemix.measure.properties.deformations import prepared
from stylemix.measure.properties.representations import SAMPLE_RATE, Representation, vector
from stylemix.measure.spectra import stft
from stylemix.phase.matching import Target, match
from stylemix.transforms.coefficients import Coefficients

PIECE_S, SILENCE_S = 0.9, 0.1
# Iterations of the search: as many as a core does in this time, roughly, between these limits.
SECONDS, FEWEST, MOST = 12.0, 16, 150
# On the piece a gradient takes about so many times what an excerpt's analysis takes.
_GRADIENT = 2.3
_N_FFT, _BANDS = 2048, 40


def n_iterations(representation: Representation) -> int:
    """Choose how long to look for a sound; by the representation alone, so that results do not depend on the machine.

    Parameters
    ----------
    representation : Representation
        One of `representations`.

    Returns
    -------
    int
        Iterations: evaluations of the distance and its gradient.

    Examples
    --------
    >>> n_iterations(Representation("a", "A", "", vector, cost=0.1))
    52
    """
    return int(np.clip(SECONDS / (_GRADIENT * representation.cost), FEWEST, MOST))


def seconds_needed(representation: Representation) -> float:
    """Estimate how long `rebuilt` takes on a quiet machine.

    Parameters
    ----------
    representation : Representation
        One of `representations`.

    Returns
    -------
    float
        Seconds.
    """
    return n_iterations(representation) * _GRADIENT * representation.cost


def middle_piece(sound: np.ndarray) -> np.ndarray:
    """Cut a short piece out of an excerpt.

    Parameters
    ----------
    sound : np.ndarray, shape (T,)
        Excerpt at `SAMPLE_RATE`.

    Returns
    -------
    np.ndarray
        `PIECE_S` from its middle, faded, with silence around.
    """
    n = round(PIECE_S * SAMPLE_RATE)
    first = max(0, (len(sound) - n) // 2)
    fade, silence = round(0.05 * SAMPLE_RATE), round(SILENCE_S * SAMPLE_RATE)
    return prepared(sound[first : first + n], fade=fade, silence=silence)


def band_convergence_db(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Measure the error of the magnitudes in mel bands: a spectrogram about as fine as an ear's, at 93 ms.

    ``20 log10(|| A - B || / || A ||)`` with the roots of the powers that librosa's mel filters gather.

    Parameters
    ----------
    reference, estimate : np.ndarray, shape (T,)
        Sounds at `SAMPLE_RATE`.

    Returns
    -------
    float
        Decibels; lower is better, 0 is what silence has.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal(22050)
    >>> round(band_convergence_db(x, 0.9 * x), 6)
    -20.0
    """
    import librosa

    bank = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=_N_FFT, n_mels=_BANDS, dtype=np.float64)
    a, b = (np.sqrt(bank @ np.square(np.abs(stft(sound, _N_FFT)))) for sound in (reference, estimate))
    return float(10 * np.log10(max(np.square(a - b).sum() / max(np.square(a).sum(), 1e-30), 1e-20)))


def rebuilt(
    representation: Representation, sound: np.ndarray, *, seed: int = 0, judge: Representation | None = None
) -> dict[str, Any]:
    """Make a sound from a representation and measure how near it came.

    Parameters
    ----------
    representation : Representation
        One of `representations`.
    sound : np.ndarray, shape (T,)
        Excerpt at `SAMPLE_RATE`; a piece of its middle is used.
    seed : int
        Of the noise or the phases that the search begins with.
    judge : Representation, optional
        Whose coefficients are compared; by default the representation's own.

    Returns
    -------
    dict
        ``coefficients``: relative distance of the two sounds' coefficients; ``bands_db``: see `band_convergence_db`;
        ``inverse_db``: spectral convergence of the inverse with all phases, see
        `stylemix.measure.metrics.spectral_convergence_db`, None where there is none; ``iterations`` and ``seconds``.

    Raises
    ------
    KeyboardInterrupt
        If the search was interrupted: nobody waits for its result.
    """
    piece = middle_piece(sound)
    x = torch.as_tensor(piece, dtype=torch.float32)
    with torch.no_grad():
        if representation.transform is None:
            target = Target(representation.analyse, representation.analyse(x))
        else:
            # Magnitudes: the phases are what the representation does not keep.
            wanted = representation.transform.forward(x)
            real = wanted.magnitudes() if wanted.groups[0].is_complex() else wanted.groups
            target = Target(representation.transform, Coefficients(real, wanted.hops, wanted.n_samples))
    found = match(target, n_iter=n_iterations(representation), seed=seed)
    if found.ended_by == "interrupted":
        raise KeyboardInterrupt
    judge = judge or representation
    with torch.no_grad():
        here, there = (vector(judge.analyse(one)) for one in (x, found.samples))
        inverse = None if representation.inverse is None else representation.inverse(x)
    return {
        "coefficients": float((there - here).norm() / here.norm()),
        "bands_db": band_convergence_db(piece, found.samples.double().numpy()),
        "inverse_db": None if inverse is None else spectral_convergence_db(piece, inverse.double().numpy()),
        "iterations": found.n_iter,
        "seconds": round(found.seconds, 2),
    }
