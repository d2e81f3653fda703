"""The modes of a hybrid and the reasons for them: where the target comes from, and what is exchanged by default."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.resources import files

from stylemix.errors import BadInput
from stylemix.hybrid.dials import Dials


@dataclass(frozen=True)
class Mode:
    """What a mode is.

    Parameters
    ----------
    target : {"searched", "warped", "mosaic", "none"}
        What the source meets: moments found in a corpus, one file warped in time, a mosaic made of the corpus'
        spectra, or nothing.
    linear : bool
        Whether the parents are merely mixed.
    envelope, pitch, detail : float
        How far each layer goes, where the user does not say (see `Dials`).
    rhythm : {"both", "source", "target"}
        Whose loudness, where the user does not say.
    why : str
        What it is good for, for people.
    """

    target: str
    linear: bool
    envelope: float
    pitch: float
    detail: float
    rhythm: str
    why: str


# Measured on two pairs of corpora, six stretches of nine seconds each, against two kinds of style features: the
# frame-wise geometric mean of both parents' magnitudes is 3 to 7 times as far from real recordings as a crossfade in
# mel statistics (kernel distance), on estimated phases more than on a parent's. Exchanging the spectral envelope alone,
# on the source's partials and phases, is as near as a crossfade or nearer, and a crossfade explains 0.45 to 0.6 of it.
MODES = {
    "match": Mode(
        "searched", False, 1.0, 1.0, 0.0, "both",
        "every moment of the source meets a moment of the other corpus that resembles it: first its sound, then its "
        "notes pass from one to the other",
    ),
    "style": Mode(
        "none", False, 1.0, 0.0, 0.0, "both",
        "the source's notes stay; the model tells how the other corpus would sound playing them",
    ),
    "morph": Mode(
        "warped", False, 1.0, 1.0, 0.0, "both",
        "two given files, the second warped in time so that their events meet: one piece becomes the other",
    ),
    "cross": Mode(
        "mosaic", False, 1.0, 1.0, 0.0, "both",
        "the source rebuilt from the target's own spectra, without a learned space: the baseline to beat",
    ),
    "fade": Mode(
        "searched", True, 0.0, 1.0, 0.0, "both",
        "the source and its match, mixed: the control that a hybrid must not be",
    ),
}  # fmt: skip


def mode_page(name: str) -> str:
    """Return the page about a mode: how it goes, why it is as it is, when to choose it.

    Parameters
    ----------
    name : str
        One of `MODES`.

    Returns
    -------
    str
        Plain text.

    Raises
    ------
    BadInput
        If there is no such mode.

    Examples
    --------
    >>> mode_page("fade").splitlines()[0]
    '# fade'
    """
    if name not in MODES:
        raise BadInput(f"mode: there is no {name!r}; there are {', '.join(MODES)}")
    return files("stylemix.hybrid").joinpath("pages", f"{name}.md").read_text(encoding="utf-8")


def resolve(dials: Dials) -> Dials:
    """Fill in what the user left to the mode.

    Parameters
    ----------
    dials : Dials
        As the user gave them.

    Returns
    -------
    Dials
        With a number for each layer and a rhythm.

    Examples
    --------
    >>> resolve(Dials(mode="style")).pitch
    0.0
    """
    mode = MODES[dials.mode]
    left = {name: getattr(mode, name) for name in ("envelope", "pitch", "detail", "rhythm")}
    return replace(dials, **{name: value for name, value in left.items() if getattr(dials, name) is None})


def plain(dials: Dials) -> bool:
    """Say whether the layers go as their mode has them, which is what alpha was calibrated on.

    Parameters
    ----------
    dials : Dials
        As the user gave them.

    Returns
    -------
    bool
        False if an envelope, pitch, detail or rhythm of the user's own is set.

    Examples
    --------
    >>> plain(Dials()), plain(Dials(envelope=0.5)), plain(Dials(envelope=1.0))
    (True, False, True)
    """
    usual = resolve(Dials(mode=dials.mode))
    mine = resolve(dials)
    return all(getattr(usual, name) == getattr(mine, name) for name in ("envelope", "pitch", "detail", "rhythm"))
