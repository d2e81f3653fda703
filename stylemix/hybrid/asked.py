"""What a user may ask of a hybrid, in one place: the parents, the stretch, how far to go, and the dials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stylemix.hybrid.curve import Curve
from stylemix.hybrid.dials import Dials, find_dials
from stylemix.hybrid.mixture import Mixture
from stylemix.hybrid.walk import Walk, parse_walk

if TYPE_CHECKING:
    from stylemix.clusters.choice import ClusterChoice
    from stylemix.clusters.groups import RunClusters

# Two tracks that were drawn beside one another are meant to meet moment by moment.
WALK_MODE = "morph"


@dataclass(frozen=True)
class Asked:
    """A hybrid as it was asked for, before anything is looked up.

    Parameters
    ----------
    alpha : float, str, Path or Curve, optional
        How much of the target: 0 is the source, 1 the target; a number or a curve over time (see
        `stylemix.hybrid.curve.parse_alpha`). None where `weights` or `walk` say it.
    source : str or Path, optional
        Any sound file, or a folder; by default a representative file of the corpus that `from_corpus` names, or of the
        first.
    target : str or Path, optional
        Any sound file; by default all files of the other corpus.
    to : str, optional
        Corpus at alpha 1; by default the first one to which the source does not belong.
    from_corpus : str, optional
        Corpus of a source that is no file of the run; by default the first that is not at alpha 1.
    weights : str, mapping or Mixture, optional
        Shares of several corpora, ``"cage=0.2,boys=0.5,organ=0.3"``, in place of alpha and `to`.
    source_cluster, target_cluster : int, optional
        Numbers of clusters as on the map: the middle of one as the source, the material of one as the target.
    clusters : str, ClusterChoice or RunClusters, optional
        How those clusters were made, ``METHOD`` or ``METHOD:K``, where the map was not made as it is by default; or the
        clusters themselves, where they are at hand.
    space : {"latents", "scattering", "both"}, optional
        In what its segments are alike, likewise.
    cluster_seed : int
        The seed of the map, likewise.
    walk : str, Path, Walk or iterable, optional
        A way over the map in place of source, target and alpha (see `stylemix.hybrid.walk.parse_walk`).
    start_s : float
        Where the source begins (seconds).
    duration_s : float, optional
        How much of it (seconds).
    target_start_s, target_duration_s : float, optional
        Which stretch of `target` is used (seconds); all of it by default.
    seed : int
        Of all that is drawn.
    raw_alpha : bool
        Take alpha as the position on the mode's path, without the run's calibration.
    extrapolate : bool
        Allow alpha from -1 to 2, beyond both parents.
    variation : int
        Which of several answers, 1 for the best match; each meets other material of the target than those before.
    dials : Dials
        How the parents meet, and what is exchanged between them.

    Examples
    --------
    >>> find_asked({"alpha": 0.5, "mode": "fade"}).dials.mode
    'fade'
    """

    alpha: float | str | Path | Curve | None = None
    source: str | Path | None = None
    target: str | Path | None = None
    to: str | None = None
    from_corpus: str | None = None
    weights: str | Mapping[str, float] | Mixture | None = None
    source_cluster: int | None = None
    target_cluster: int | None = None
    clusters: str | ClusterChoice | RunClusters | None = None
    space: str | None = None
    cluster_seed: int = 0
    walk: Walk | None = None
    start_s: float = 0.0
    duration_s: float | None = None
    target_start_s: float = 0.0
    target_duration_s: float | None = None
    seed: int = 0
    raw_alpha: bool = False
    extrapolate: bool = False
    variation: int = 1
    dials: Dials = field(default_factory=Dials)

    @property
    def mode(self) -> str:
        """How the parents meet."""
        return self.dials.mode


def find_asked(given: Mapping[str, Any]) -> Asked:
    """Sort what a caller gives by name into wishes and dials.

    Parameters
    ----------
    given : mapping
        Any of the names of `Asked` and of `Dials`; a mode of None is the default, ``morph`` for a walk and ``match``
        for all else.

    Returns
    -------
    Asked
        The rest as it is by default.

    Raises
    ------
    BadInput
        If there is no such name, or a dial's value or a walk is refused.

    Examples
    --------
    >>> find_asked({"walk": "0:1-2:0.5"}).mode
    'morph'
    """
    own = {one.name for one in fields(Asked)} - {"dials"}
    asked = {name: value for name, value in given.items() if name in own}
    dials = {name: value for name, value in given.items() if name not in own}
    if asked.get("walk") is not None:
        asked["walk"] = parse_walk(asked["walk"])
    if dials.get("mode", "") is None:
        del dials["mode"]
    if asked.get("walk") is not None:
        dials.setdefault("mode", WALK_MODE)
    return Asked(**asked, dials=find_dials(dials))
