"""Deformations of sound that are exact to rounding or to a stated error: shifts, small warps, transpositions."""

from __future__ import annotations

import numpy as np

from stylemix.errors import BadInput

# Nothing of a prepared sound lies above this share of the Nyquist frequency, so that it can rise by two semitones
# (2^(2/12) = 1.12 < 1 / 0.89) without folding.
BAND = 0.89
# Share of the Nyquist frequency over which the low-pass falls from one to zero, below `BAND`.
_SLOPE = 0.05
# At twice the rate a sound ends at half of the Nyquist frequency and its first image begins at 1.5 times it: the
# window of the interpolating sinc may take a transition of width pi. Kaiser's formula gives its half-length for an
# attenuation A in dB as (A - 7.95) / (2 * 2.285 * pi) = 7.8 samples at A = 120, with beta = 0.1102 (A - 8.7).
_HALF = 8
_BETA = 12.27


def prepared(x: np.ndarray, *, fade: int, silence: int) -> np.ndarray:
    """Make a sound of finite length that may be deformed without anything entering or leaving at its ends.

    It is low-passed, faded in and out, scaled to a mean square of one and laid between two stretches of silence.

    Parameters
    ----------
    x : np.ndarray, shape (T,)
        A stretch of sound, not silent.
    fade : int
        Samples of the raised-cosine fades, inside the stretch.
    silence : int
        Samples of silence on each side.

    Returns
    -------
    np.ndarray, shape (T + 2 * silence,), float64
        The sound.

    Raises
    ------
    BadInput
        If the sound is silent, not finite, or shorter than its fades.

    Examples
    --------
    >>> x = prepared(np.random.default_rng(0).standard_normal(4000), fade=500, silence=1000)
    >>> len(x), bool(abs(x[:900]).max() == 0)
    (6000, True)
    """
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 1 or len(x) < 2 * fade or len(x) == 0:
        raise BadInput(f"prepared: x must be one channel of at least {max(1, 2 * fade)} samples, got shape {x.shape}")
    if not np.isfinite(x).all() or not np.any(x):
        raise BadInput("prepared: x must be finite and not silent; choose another stretch")
    sound = _low_passed(x)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / max(1, fade))
    sound[:fade] *= ramp
    sound[len(sound) - fade :] *= ramp[::-1]
    return np.pad(sound / np.sqrt(np.mean(np.square(sound))), silence)


def shifted(x: np.ndarray, samples: float) -> np.ndarray:
    """Delay a sound, by fractions of a sample too.

    The delay is circular, by a linear phase in the spectrum: exact for a sound with nothing at the Nyquist frequency.

    Parameters
    ----------
    x : np.ndarray, shape (T,)
        Sound with silence at its ends.
    samples : float
        How much later.

    Returns
    -------
    np.ndarray, shape (T,)
        ``x(t - samples)``.

    Examples
    --------
    >>> bool(np.allclose(shifted(np.array([0.0, 1.0, 0.0, 0.0]), 2), [0, 0, 0, 1]))
    True
    """
    n = len(x)
    spectrum = np.fft.rfft(x) * np.exp(-2j * np.pi * np.arange(n // 2 + 1) * (samples / n))
    return np.fft.irfft(spectrum, n=n)


def warped(x: np.ndarray, depth: float, *, period: float, phase: float = 0.0) -> np.ndarray:
    """Let time run faster and slower, as a vibrato does, without moving anything far.

    ``x(t - tau(t))`` with ``tau(t) = depth * period / (2 pi) * sin(2 pi t / period + phase)``, so that the largest
    ``|tau'|`` is `depth`, while no moment moves by more than ``depth * period / (2 pi)``: a representation that
    changes much was not moved, but deformed.

    Parameters
    ----------
    x : np.ndarray, shape (T,)
        Sound with silence at its ends.
    depth : float
        Largest change of speed; below 1.
    period : float
        Samples between two fastest moments.
    phase : float
        Where in its period the warp begins (radians).

    Returns
    -------
    np.ndarray, shape (T,)
        The deformed sound.

    Raises
    ------
    BadInput
        If time would stand still or run backwards.

    Examples
    --------
    >>> x = np.sin(0.5 * np.arange(2000)) * np.hanning(2000)
    >>> bool(np.allclose(warped(x, 0.0, period=500), x, atol=1e-5))
    True
    """
    if not (abs(depth) < 1 and period > 0):
        raise BadInput(f"warped: depth must be below 1 and period positive, got {depth} and {period}")
    t = np.arange(len(x), dtype=np.float64)
    return sampled_at(x, t - depth * period / (2 * np.pi) * np.sin(2 * np.pi * t / period + phase))


def transposed(x: np.ndarray, cents: float) -> np.ndarray:
    """Transpose by changing the sample rate: on a logarithmic axis every frequency moves by the same distance.

    ``x(c + a (t - c))`` about the middle c, ``a = 2 ** (cents / 1200)``. Time runs a times as fast, so the sound is
    also shorter by that factor.

    Parameters
    ----------
    x : np.ndarray, shape (T,)
        Sound with silence at its ends; nothing above `BAND` of the Nyquist frequency for 200 cents upwards.
    cents : float
        Hundredths of a semitone, upwards.

    Returns
    -------
    np.ndarray, shape (T,)
        The transposed sound.

    Examples
    --------
    >>> x = np.sin(0.2 * np.arange(4000)) * np.hanning(4000)
    >>> peak = [int(abs(np.fft.rfft(y)).argmax()) for y in (x, transposed(x, 1200))]
    >>> abs(peak[1] - 2 * peak[0]) <= 1
    True
    """
    middle = (len(x) - 1) / 2
    return sampled_at(x, middle + 2 ** (cents / 1200) * (np.arange(len(x)) - middle))


def sampled_at(x: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Read a sound between its samples.

    The rate is doubled in the spectrum, which is exact, and a sinc under a Kaiser window of 16 samples does the rest:
    a sinusoid up to 0.95 of the Nyquist frequency is read with an error below -110 dB.

    Parameters
    ----------
    x : np.ndarray, shape (T,)
        Sound with silence at its ends.
    positions : np.ndarray, shape (M,)
        In samples, fractional; outside the sound there is silence.

    Returns
    -------
    np.ndarray, shape (M,)
        Values.

    References
    ----------
    .. [1] J. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", ISCAS 1974.

    Examples
    --------
    >>> x = np.cos(0.3 * np.arange(-200, 200)) * np.hanning(400)
    >>> bool(abs(sampled_at(x, np.array([200.0])) - x[200]) < 1e-5)
    True
    """
    from scipy.special import i0

    n = len(x)
    spectrum = np.fft.rfft(x)
    if n % 2 == 0:
        # The bin at the Nyquist frequency stands for two; at the double rate it has a mirror image again.
        spectrum[-1] /= 2
    dense = np.pad(2 * np.fft.irfft(spectrum, n=2 * n), _HALF)
    at = np.clip(2 * np.asarray(positions, dtype=np.float64), -_HALF, 2 * n) + _HALF
    first = np.clip(np.floor(at).astype(np.int64) - _HALF + 1, 0, len(dense) - 2 * _HALF)
    out = np.zeros(at.shape)
    for tap in range(2 * _HALF):
        distance = at - (first + tap)
        inside = np.maximum(1 - np.square(distance / _HALF), 0)
        out += dense[first + tap] * np.sinc(distance) * i0(_BETA * np.sqrt(inside)) / i0(_BETA)
    return np.where((positions >= 0) & (positions <= n - 1), out, 0.0)


def _low_passed(x: np.ndarray) -> np.ndarray:
    spectrum = np.fft.rfft(x)
    share = np.linspace(0, 1, len(spectrum))
    slope = np.clip((BAND - share) / _SLOPE, 0, 1)
    return np.fft.irfft(spectrum * (0.5 - 0.5 * np.cos(np.pi * slope)), n=len(x))
