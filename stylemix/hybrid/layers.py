r"""Spectra in layers that can be exchanged one by one: loudness, envelope, partials, and what moves in a moment.

.. math:: \log |X| = L(n) + E(k, n) + D(k, n) + P(k, n)

with the loudness L of a frame, the spectral envelope E without it, the quick changes D within a latent step, and the
partials P, whatever is left. A hybrid takes each layer from either parent; since the layers are added in the
logarithm, a layer is exchanged by a gain on the parent's own coefficients, and phases and the image of the channels
stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from stylemix.hybrid.dials import Dials

# Half the length of the window over the bands: partials a quarter octave apart share an envelope. Narrower, the
# envelope takes partials along and the source's harmony is lost; wider, it is an equaliser: of hybrids with their
# source's partials a crossfade explains 0.82, 0.73, 0.59, 0.47 at 1, 1/2, 1/4 and 1/8 octave (chorales with ragtimes'
# envelopes), and the chroma agree by 0.98, 0.98, 0.94, 0.85.
ENVELOPE_OCTAVES = 0.25
# Envelopes and loudness are smoothed over as many frames to either side, 12 ms each.
ENVELOPE_FRAMES = 2
# The path from the source to the target: until here envelope and loudness move, from here on the partials.
TURN = 0.5
# What moves, the loudness and the quick part of the envelope, arrives ahead of the colour, the slow part: the colour
# says most about the style and is what a crossfade with an equaliser can do, the movement is what it cannot. At equal
# posteriors a crossfade's magnitudes explain 0.66 instead of 0.69 of hybrids of two pairs of corpora.
LEAD = 4.0
# The colour is the envelope over as many frames to either side, half a second: no further than a block knows of its
# neighbours, so that they agree.
COLOUR_FRAMES = 40


@dataclass(frozen=True)
class Layers:
    """The layers of one voice that are exchanged by gains; the partials are what stays.

    Parameters
    ----------
    loudness : torch.Tensor, shape (N,)
        Logarithm of the norm of each frame.
    envelope : torch.Tensor, shape (K, N)
        Logarithm of the smoothed spectrum over the frame's norm.
    colour : torch.Tensor, shape (K, N)
        The slow part of the envelope.
    detail : torch.Tensor, shape (K, N)
        Quick changes of the bands.
    spectrum : torch.Tensor, shape (K, N)
        Logarithm of the magnitudes as the loudness is taken from them.
    """

    loudness: torch.Tensor
    envelope: torch.Tensor
    colour: torch.Tensor
    detail: torch.Tensor
    spectrum: torch.Tensor


@dataclass(frozen=True)
class Weights:
    """How far each layer has gone from the source to the target, at each frame.

    Parameters
    ----------
    loudness, movement, colour, detail, pitch : np.ndarray, shape (N,)
        0 is the source's, 1 the target's; movement and colour, of the envelope, may lie beyond.
    """

    loudness: np.ndarray
    movement: np.ndarray
    colour: np.ndarray
    detail: np.ndarray
    pitch: np.ndarray


def envelope_bands(frequencies_hz: np.ndarray) -> int:
    """Return how many bands to either side share an envelope.

    Parameters
    ----------
    frequencies_hz : np.ndarray, shape (K,)
        Centres of the bands.

    Returns
    -------
    int
        At least 1. Counted where the bands are finest on an octave: below, a variable-Q bank has fewer of them.

    Examples
    --------
    >>> envelope_bands(110 * 2 ** (np.arange(96) / 24))
    6
    """
    high = frequencies_hz[len(frequencies_hz) // 2 :]
    return max(1, round(ENVELOPE_OCTAVES / float(np.median(np.diff(np.log2(high))))))


def split(pooled: torch.Tensor, *, half_bands: int, frames_per_step: int) -> Layers:
    """Take log-magnitudes apart.

    Parameters
    ----------
    pooled : torch.Tensor, shape (K, N)
        Logarithms of magnitudes.
    half_bands : int
        From `envelope_bands`.
    frames_per_step : int
        Frames in a latent step: changes that are quicker are detail.

    Returns
    -------
    Layers
        Loudness, envelope and detail.

    Examples
    --------
    >>> flat = split(torch.zeros(4, 9), half_bands=1, frames_per_step=2)
    >>> flat.loudness[0].exp().square().round().item(), flat.envelope[0, 0].exp().item()
    (4.0, 0.5)
    """
    slow = _smooth(pooled, ENVELOPE_FRAMES)
    loudness = norm(slow)
    envelope = _smooth(slow.T, half_bands).T - loudness
    detail = pooled - _smooth(pooled, max(1, frames_per_step // 2))
    return Layers(loudness, envelope, colour_of(envelope), detail, slow)


def colour_of(envelope: torch.Tensor) -> torch.Tensor:
    """Return the slow part of an envelope.

    Parameters
    ----------
    envelope : torch.Tensor, shape (K, N)
        Logarithms.

    Returns
    -------
    torch.Tensor, shape (K, N)
        Its mean around each frame, half a second to either side.

    Examples
    --------
    >>> colour_of(torch.ones(2, 5)).round(decimals=4).unique().tolist()
    [1.0]
    """
    window = torch.hann_window(2 * COLOUR_FRAMES + 3, periodic=False, dtype=envelope.dtype)[1:-1]
    padded = torch.nn.functional.pad(envelope[:, None], (COLOUR_FRAMES, COLOUR_FRAMES), mode="replicate")
    return torch.nn.functional.conv1d(padded, (window / window.sum())[None, None])[:, 0]


def norm(spectrum: torch.Tensor) -> torch.Tensor:
    """Return the norm of each frame.

    Parameters
    ----------
    spectrum : torch.Tensor, shape (K, N)
        Logarithms of magnitudes.

    Returns
    -------
    torch.Tensor, shape (N,)
        Logarithm of the root of the sum of squares.

    Examples
    --------
    >>> norm(torch.zeros(4, 1)).exp().round(decimals=4).tolist()
    [2.0]
    """
    return 0.5 * torch.logsumexp(2 * spectrum, dim=0)


def weights_at(alpha: np.ndarray, dials: Dials) -> Weights:
    """Say how far each layer has gone at a point of the path.

    Sound first, notes afterwards: up to the turn the source takes on the target's loudness and envelope, what moves of
    them ahead of the rest, and from there on its partials give way to the target's. Where one of the two is turned off
    the other has the whole path. Beyond its ends the path exaggerates the difference of the envelopes.

    Parameters
    ----------
    alpha : np.ndarray, shape (N,)
        Position on the path; 0 is the source, 1 the target.
    dials : Dials
        Resolved.

    Returns
    -------
    Weights
        Of the layers.

    Examples
    --------
    >>> from stylemix.hybrid.modes import resolve
    >>> w = weights_at(np.array([0.0, 0.25, 0.5, 0.75, 1.0]), resolve(Dials()))
    >>> w.colour.tolist(), w.pitch.tolist()
    ([0.0, 0.5, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.5, 1.0])
    >>> w.movement.tolist()
    [0.0, 0.9375, 1.0, 1.0, 1.0]
    """
    turn = TURN if dials.pitch else 1.0
    sound = np.minimum(alpha / turn, 1.0)
    notes = np.clip((alpha - TURN) / (1 - TURN), 0.0, 1.0)
    if not (dials.envelope or dials.detail):
        notes = np.clip(alpha, 0.0, 1.0)
    beyond = np.maximum(alpha - 1, 0.0)
    reach = dials.envelope or 0.0
    within = np.clip(sound, 0.0, 1.0)
    ahead = 1 - (1 - within) ** LEAD
    # Beyond the ends there is nothing to be ahead of.
    outside = sound - within + beyond
    loudness = {
        "source": np.zeros_like(ahead),
        "both": reach * ahead,
        # At once, but not in a step: alpha 0 is the source itself.
        "target": np.clip(8 * alpha, 0.0, 1.0),
    }[str(dials.rhythm)]
    return Weights(
        loudness,
        movement=reach * (ahead + outside),
        colour=reach * (within + outside),
        detail=(dials.detail or 0.0) * within,
        pitch=(dials.pitch or 0.0) * notes,
    )


def _smooth(x: torch.Tensor, half: int) -> torch.Tensor:
    """Smooth the power over the last axis with a raised cosine that reaches `half` to either side."""
    window = torch.hann_window(2 * half + 3, periodic=False, dtype=x.dtype)[1:-1]
    # The largest value is taken out first: powers of faint sounds must not underflow.
    peak = x.max()
    power = (2 * (x - peak)).exp()
    padded = torch.nn.functional.pad(power[:, None], (half, half), mode="replicate")
    smooth = torch.nn.functional.conv1d(padded, (window / window.sum())[None, None])[:, 0]
    return 0.5 * smooth.clamp_min(1e-30).log() + peak
