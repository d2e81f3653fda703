"""How much of a hybrid a crossfade of its parents explains: the measure of whether it is a hybrid at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.measure.spectra import band_edges, stft

RATE_HZ = 22050
N_FFT = 2048
BANDS_PER_OCTAVE = 24
FMIN_HZ = 40.0
# Power this far below a band's mean counts as nothing, so that no rounding noise is fitted.
FLOOR_DB = -50.0
# A band this far below the loudest is not heard.
SILENT_DB = -80.0


@dataclass(frozen=True)
class FadeShares:
    """What share of a hybrid is explained, each at most 1; 0 or below is nothing.

    Parameters
    ----------
    both : float
        By the best crossfade of the parents, any equaliser included: `fade_r2`.
    source, target : float
        By one parent alone behind any equaliser.
    magnitudes : float
        By gains times the parents' magnitudes, ``gA |A| + gB |B|`` in each band, without the beats between them:
        the plainer measure that others use; a crossfade itself does not quite reach 1 there.
    """

    both: float
    source: float
    target: float
    magnitudes: float


def fade_r2(hybrid: Wave, source: Wave, target: Wave) -> float:
    """Measure what share of a hybrid the best crossfade of its parents explains, any equaliser included.

    In every band (a 24th of an octave wide, and never narrower than a bin) the power of a crossfade with
    the gains a, b is ``a^2 |A|^2 + b^2 |B|^2 + 2 a b Re(A conj B)``. So non-negative weights of ``|A|^2``
    and ``|B|^2`` and one of either sign of the cross term are fitted to ``|H|^2`` over the frames, by least
    squares in units of the magnitude (an error of the power is divided by the magnitude there, else a few
    loud moments would be all that counts). The result is one minus what is left over, relative to the
    variance, over all bands by their mean magnitude.

    The cross term is what makes this 1 for *any* crossfade, of noises too and at any resolution: without it
    beats between the parents would pass for something new. Its weight is free, so the measure errs against
    the hybrid.

    Parameters
    ----------
    hybrid, source, target : Wave
        Of one length and rate; the target in the source's time. Channels are averaged.

    Returns
    -------
    float
        1 for a crossfade whatever its gains, and for silence; 0 or below for what a crossfade says nothing
        about.

    Raises
    ------
    BadInput
        If lengths or rates differ, or there is no sample.

    Examples
    --------
    >>> a, b = np.random.default_rng(0).standard_normal((2, 44100))
    >>> round(fade_r2(*(Wave(x, 22050) for x in (0.3 * a + 0.7 * b, a, b))), 3)
    1.0
    """
    return fade_shares(hybrid, source, target).both


def fade_shares(hybrid: Wave, source: Wave, target: Wave) -> FadeShares:
    """Measure what share of a hybrid its parents explain, together and each alone.

    Parameters
    ----------
    hybrid, source, target : Wave
        Of one length and rate; the target in the source's time. Channels are averaged.

    Returns
    -------
    FadeShares
        See `fade_r2` for how both are fitted; a parent alone has its power and no cross term.

    Raises
    ------
    BadInput
        If lengths or rates differ, or there is no sample.

    Examples
    --------
    >>> a, b = np.random.default_rng(0).standard_normal((2, 44100))
    >>> found = fade_shares(*(Wave(x, 22050) for x in (a, a, b)))
    >>> round(found.source, 3), found.target < 0.1
    (1.0, True)
    """
    waves = (hybrid, source, target)
    if len({(w.n_samples, w.sample_rate) for w in waves}) > 1 or hybrid.n_samples == 0:
        got = ", ".join(f"{w.n_samples} samples at {w.sample_rate} Hz" for w in waves)
        raise BadInput(f"fade_r2: the three sounds must be there and of one length and rate, got {got}")
    power, own, other, cross = _bands(hybrid, source, target)
    mean = power.mean(axis=1)
    heard = np.flatnonzero(mean > max(10 ** (SILENT_DB / 10) * float(mean.max()), 1e-20))
    left, total = np.zeros(4), np.zeros(4)
    for k in heard:
        parents = np.stack([own[k], other[k], cross[k]])
        # Weights of a band are its magnitude; for magnitudes their squares add up as they are: by its power.
        one, all_ = _left_over(power[k], parents)
        plain, plain_all = _left_of_magnitudes(power[k], parents[:2])
        left += [*(np.sqrt(mean[k]) * one), mean[k] * plain]
        total += [*np.full(3, np.sqrt(mean[k]) * all_), mean[k] * plain_all]
    return FadeShares(*(float(1 - x / y) if y > 0 else 1.0 for x, y in zip(left, total, strict=True)))


def _bands(hybrid: Wave, source: Wave, target: Wave) -> list[np.ndarray]:
    """Power of the three sounds and the parents' cross term, each of shape (K, N)."""
    h, a, b = (stft(_mono_at_rate(w), N_FFT) for w in (hybrid, source, target))
    terms = [np.square(np.abs(h)), np.square(np.abs(a)), np.square(np.abs(b)), (a * b.conj()).real]
    edges = band_edges(RATE_HZ, n_fft=N_FFT, bands_per_octave=BANDS_PER_OCTAVE, fmin_hz=FMIN_HZ)
    # Up to the Nyquist frequency of what came in; above it there is only what resampling left.
    edges = edges[edges <= N_FFT * min(hybrid.sample_rate, RATE_HZ) / 2 / RATE_HZ]
    return [np.add.reduceat(x[: edges[-1]], edges[:-1], axis=0) for x in terms]


def _left_over(power: np.ndarray, parents: np.ndarray) -> tuple[np.ndarray, float]:
    """Left-over (of both parents, and of each alone) and total variance of a band, in units of its own mean power."""
    from scipy.optimize import nnls

    power = power / power.mean()
    own, other, cross = parents / max(float(parents[:2].mean()), 1e-30)
    # The same weights for one parent as for both: what one explains, both explain.
    weight = 1 / np.sqrt(power + own + other + 10 ** (FLOOR_DB / 10))
    rests = [
        nnls(np.stack(terms, axis=1) * weight[:, None], power * weight)[1]
        for terms in ([own, other, cross, -cross], [own], [other])
    ]
    mean = float((weight**2 * power).sum() / (weight**2).sum())
    return np.square(rests), float(np.square(weight * (power - mean)).sum())


def _left_of_magnitudes(power: np.ndarray, parents: np.ndarray) -> tuple[float, float]:
    from scipy.optimize import nnls

    magnitude = np.sqrt(power / power.mean())
    rest = nnls(np.sqrt(parents / max(float(parents.mean()), 1e-30)).T, magnitude)[1]
    return float(rest) ** 2, float(np.square(magnitude - magnitude.mean()).sum())


def _mono_at_rate(wave: Wave) -> np.ndarray:
    import soxr

    mono = wave.samples.astype(np.float64).mean(axis=0)
    return mono if wave.sample_rate == RATE_HZ else soxr.resample(mono, wave.sample_rate, RATE_HZ)
