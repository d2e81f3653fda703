"""The dial from fast to clean: which start, which projections and how many of them."""

from __future__ import annotations

from dataclasses import dataclass

from stylemix.errors import BadInput
from stylemix.phase.lattice import Wanted
from stylemix.phase.projections import Walk


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


QUALITIES = {"draft": Quality(3e-2, 0, 0, 0), "good": Quality(1e-2, 4, 2, 4), "best": Quality(1e-3, 60, 40, 40)}


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
    if not isinstance(name, str) or name not in QUALITIES:
        raise BadInput(f"quality: must be draft, good or best, got {name!r}")
    return QUALITIES[name]


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
