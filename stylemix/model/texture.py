"""How a second or two of music moves and is coloured, as numbers that a gradient can follow."""

from __future__ import annotations

import torch

from stylemix.model.translator import cosines

_BANDS = 24
_GROUPS = 8
_CEPSTRA = 12
# Frames and bands over which differences are taken: octaves, as the scales of a wavelet transform.
_TIME_LAGS = (1, 2, 4, 8, 16, 32)
_BAND_LAGS = (1, 2, 4, 8, 16)
_CEPSTRUM_LAGS = (2, 6)
# Log-magnitudes beyond these (nepers) are silence or a blow-up, and are not told apart from it.
RANGE = (-12.0, 6.0)


def texture(log_magnitude: torch.Tensor) -> torch.Tensor:
    """Describe crops by time-averaged statistics of their log-spectra.

    Means and spreads of the level in each band; how much the magnitudes move over 1 to 32 frames and how much of
    that is upwards (attacks against decays); how uneven neighbouring bands are, over 1 to 16 bands; how much the
    envelope's cepstrum moves. Such statistics are what tells textures apart for a listener [1]_.

    Parameters
    ----------
    log_magnitude : torch.Tensor, shape (B, K, N)
        Natural logarithms relative to the level around them.

    Returns
    -------
    torch.Tensor, shape (B, Q)
        Statistics.

    References
    ----------
    .. [1] J. H. McDermott, E. P. Simoncelli, "Sound texture perception via statistics of the auditory periphery",
       Neuron 71(5), 2011.

    Examples
    --------
    >>> texture(torch.zeros(2, 216, 128)).shape
    torch.Size([2, 241])
    """
    x = log_magnitude.clamp(*RANGE)
    k = x.shape[1]
    bands, groups = _pools(k, min(_BANDS, k)).to(x), _pools(min(_BANDS, k), min(_GROUPS, k)).to(x)
    levels = 0.5 * (bands @ (2 * x).exp() + 1e-5).log()
    found = [(bands @ x).mean(-1), levels.mean(-1), (_spread(levels) + 0.05).log()]
    found += _movements(bands @ x.exp(), groups)
    for lag in _BAND_LAGS:
        if lag < k // 2:
            uneven = (x[:, lag:] - x[:, :-lag]).abs().mean(-1)
            found.append((uneven @ _pools(k - lag, min(_GROUPS, k - lag)).to(x).T + 0.02).log())
    cepstrum = (cosines(levels.shape[1], min(_CEPSTRA, levels.shape[1])).to(x) @ levels)[:, 1:]
    found.append((_spread(cepstrum) + 0.1).log())
    for lag in _CEPSTRUM_LAGS:
        if lag < x.shape[-1]:
            found.append((_spread(cepstrum[..., lag:] - cepstrum[..., :-lag]) + 0.1).log())
    return torch.cat(found, dim=-1)


def _movements(magnitude: torch.Tensor, groups: torch.Tensor) -> list[torch.Tensor]:
    # The root brings loud moments nearer to the others.
    moving = magnitude.sqrt()
    level = moving.mean(-1) @ groups.T + 1e-2
    found = []
    for lag in _TIME_LAGS:
        if lag < moving.shape[-1]:
            change = moving[..., lag:] - moving[..., :-lag]
            found.append((change.abs().mean(-1) @ groups.T / level + 0.01).log())
            power = change.square().mean(-1) @ groups.T + 1e-4
            found.append(change.relu().square().mean(-1) @ groups.T / power)
    return found


def _spread(x: torch.Tensor) -> torch.Tensor:
    # The root of nothing has no gradient.
    return (x.var(-1, unbiased=False) + 1e-6).sqrt()


def _pools(n: int, count: int) -> torch.Tensor:
    """Means over neighbouring rows, as a matrix (count, n)."""
    place = torch.arange(n) * count // n
    rows = torch.nn.functional.one_hot(place, count).T.float()
    return rows / rows.sum(1, keepdim=True)


def energy_distance(
    x: torch.Tensor, y: torch.Tensor, x_weight: torch.Tensor, y_weight: torch.Tensor, *, within_y: bool = True
) -> torch.Tensor:
    r"""Measure how far two samples are from being of one distribution.

    .. math:: 2 E|X - Y| - E|X - X'| - E|Y - Y'|

    It has no width to choose, and a gradient however far apart they are.

    Parameters
    ----------
    x : torch.Tensor, shape (S, Q)
        One sample.
    y : torch.Tensor, shape (R, Q)
        The other.
    x_weight : torch.Tensor, shape (S,)
        How much each member counts.
    y_weight : torch.Tensor, shape (R,)
        Likewise.
    within_y : bool
        Without it the last term is left out, which is the same for any `x`.

    Returns
    -------
    torch.Tensor
        A scalar; near 0 for the same distribution.

    References
    ----------
    .. [1] G. J. Szekely, M. L. Rizzo, "Energy statistics: a class of statistics based on distances", J. Statistical
       Planning and Inference 143(8), 2013.

    Examples
    --------
    >>> x, w = torch.arange(4.0)[:, None], torch.ones(4)
    >>> bool(energy_distance(x, x + 9, w, w) > energy_distance(x, x + 1, w, w))
    True
    """
    total = 2 * _mean_distance(x, y, x_weight, y_weight) - _mean_distance(x, x, x_weight, x_weight, same=True)
    return total - _mean_distance(y, y, y_weight, y_weight, same=True) if within_y else total


def _mean_distance(
    x: torch.Tensor, y: torch.Tensor, u: torch.Tensor, v: torch.Tensor, *, same: bool = False
) -> torch.Tensor:
    squares = x.square().sum(-1)[:, None] + y.square().sum(-1)[None] - 2 * x @ y.T
    weights = u[:, None] * v[None]
    if same:
        # Nothing is far from itself: counting that would make small samples look alike.
        weights = weights * (1 - torch.eye(len(x), device=x.device))
    # What rounding makes of a distance of zero has no gradient worth following.
    return (weights * squares.clamp_min(1e-4).sqrt()).sum() / weights.sum().clamp_min(1e-6)


def kernel_agreement(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Measure the maximum mean discrepancy of two samples, with Gaussian kernels of several widths.

    Parameters
    ----------
    x : torch.Tensor, shape (S, D)
        One sample, at least 2.
    y : torch.Tensor, shape (R, D)
        The other, at least 2.

    Returns
    -------
    torch.Tensor
        The unbiased squared discrepancy: around 0 for one distribution, at most 2.

    References
    ----------
    .. [1] A. Gretton et al., "A kernel two-sample test", JMLR 13, 2012.
    .. [2] A. Bitton, P. Esling, A. Chemla-Romeu-Santos, "Modulated variational auto-encoders for many-to-many musical
       timbre transfer", arXiv:1810.00222: the same, between instruments.

    Examples
    --------
    >>> x = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
    >>> float(kernel_agreement(x[:30], x[30:])) < 0.1 < float(kernel_agreement(x[:30], x[30:] + 3))
    True
    """
    both = torch.cat([x, y])
    squares = both.square().sum(-1)
    apart = (squares[:, None] + squares[None] - 2 * both @ both.T).clamp_min(0)
    usual = apart.detach().median().clamp_min(1e-6)
    kernel = torch.stack([torch.exp(-apart / (usual * width)) for width in (0.25, 0.5, 1.0, 2.0, 4.0)]).mean(0)
    s, r = len(x), len(y)
    within_x = (kernel[:s, :s].sum() - s) / (s * (s - 1))
    within_y = (kernel[s:, s:].sum() - r) / (r * (r - 1))
    return within_x + within_y - 2 * kernel[:s, s:].mean()
