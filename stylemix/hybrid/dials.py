"""What can be turned on a hybrid: how the parents meet, what is exchanged between them, where phases come from."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from stylemix.errors import BadInput
from stylemix.phase.dial import find_quality

MODES = ("match", "style", "morph", "cross", "fade")
ALIGNMENTS = ("transport", "viterbi", "nearest", "off")
RHYTHMS = ("both", "source", "target")
PHASES = ("auto", "parents", "source", "estimate")
# A dial that may be turned further says nothing more.
MOST = 100.0


@dataclass(frozen=True)
class Dials:
    """The settings of a hybrid; each mode works well with all of them left alone.

    Parameters
    ----------
    mode : {"match", "style", "morph", "cross", "fade"}
        ``match`` blends each moment of the source with a matching moment of the targets; ``style`` keeps what
        happens in the source and takes on how the other corpus sounds; ``morph`` aligns two given files in time;
        ``cross`` rebuilds the source from the target's spectra without a learned space; ``fade`` mixes the source
        and its match, the control that a hybrid must not be.
    align : {"transport", "viterbi", "nearest", "off"}
        How moments are matched: the cheapest path that prefers to go on where it is, on a transport plan, which uses
        all of the target's material alike; the same without the plan; the nearest moment, whatever was before; or no
        matching.
    continuity : float
        How dear a jump to another place of the target is, 0 to 100; 1 gives runs of a little more than a second.
    randomness : float
        Standard deviation of the noise on what a match costs, 0 to 100 times the median distance of a match.
    loudness, chroma, timbre : float
        How much the loudness, the pitch classes and the spectral envelope of a match must agree with the source's
        beside their latents, 0 to 100; at 1 each weighs as much as all latents together.
    envelope, pitch, detail : float or None
        How far each layer of the spectrum goes with alpha, 0 to 1 (None: as the mode finds best): the spectral
        envelope, the partials in it, and what changes within a latent step.
    rhythm : {"both", "source", "target"} or None
        Whose loudness over time is kept; ``both`` goes with alpha. None: as the mode finds best.
    phase : {"auto", "parents", "source", "estimate"}
        ``auto`` and ``parents``: each parent's partials on its own phases; ``source``: everything on the source's;
        ``estimate``: estimated from the hybrid's magnitudes.
    quality : {"draft", "good", "best"}
        How much work an estimate is worth; with any other phase it says nothing.

    Raises
    ------
    BadInput
        If a word is unknown or a number out of its range.

    Examples
    --------
    >>> Dials(mode="style").mode
    'style'
    >>> Dials(continuity=-1)
    Traceback (most recent call last):
    ...
    stylemix.errors.BadInput: continuity: must be 0 to 100, got -1
    """

    mode: str = "match"
    align: str = "transport"
    continuity: float = 1.0
    randomness: float = 0.0
    loudness: float = 0.5
    chroma: float = 0.75
    timbre: float = 0.25
    envelope: float | None = None
    pitch: float | None = None
    detail: float | None = None
    rhythm: str | None = None
    phase: str = "auto"
    quality: str = "good"

    def __post_init__(self) -> None:
        _word("mode", self.mode, MODES)
        _word("align", self.align, ALIGNMENTS)
        if self.rhythm is not None:
            _word("rhythm", self.rhythm, RHYTHMS)
        _word("phase", self.phase, PHASES)
        find_quality(self.quality)
        for name in ("continuity", "randomness", "loudness", "chroma", "timbre"):
            _number(name, getattr(self, name), MOST)
        for name in ("envelope", "pitch", "detail"):
            if getattr(self, name) is not None:
                _number(name, getattr(self, name), 1.0)

    @property
    def told_quality(self) -> str | None:
        """The quality at which phases are estimated; None where none is."""
        return self.quality if self.phase == "estimate" and self.mode != "fade" else None

    def as_dict(self) -> dict[str, Any]:
        """Return the settings by name.

        Returns
        -------
        dict
            JSON-safe.
        """
        return {field.name: getattr(self, field.name) for field in fields(self)}


def find_dials(given: dict[str, Any]) -> Dials:
    """Make dials of what a caller gives by name.

    Parameters
    ----------
    given : dict
        Any of the names of `Dials`.

    Returns
    -------
    Dials
        The rest as it is by default.

    Raises
    ------
    BadInput
        If there is no dial of a name, or its value is refused.

    Examples
    --------
    >>> find_dials({"mode": "fade"}).mode
    'fade'
    """
    known = [field.name for field in fields(Dials)]
    for name in given:
        if name not in known:
            raise BadInput(f"hybrid: there is no dial {name!r}; there are {', '.join(known)}")
    return Dials(**given)


def _word(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise BadInput(f"{name} must be one of {', '.join(known)}, got {value!r}")


def _number(name: str, value: object, most: float) -> None:
    if (
        not isinstance(value, (int, float))
        or isinstance(value, bool)
        or not math.isfinite(value)
        or not 0 <= value <= most
    ):
        raise BadInput(f"{name}: must be 0 to {most:g}, got {value!r}")
