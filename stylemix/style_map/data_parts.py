"""Parts of what a map shows: ways to place the segments and values to colour them by, with what each has to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from stylemix.errors import BadInput

SCALES = ("linear", "log")


@dataclass(frozen=True)
class Layout:
    """One way to place the segments, flat or in space.

    Parameters
    ----------
    name : str
        Short and unlike the other layouts' names; links name it, as in ``latents-umap-2d``.
    label : str
        As shown in the list, as in ``UMAP of the latents``.
    points : np.ndarray, shape (N, 2) or (N, 3)
        A place for each segment; only their proportions count.
    scores : mapping of str to float
        How far to trust it, as in ``{"trustworthiness": 0.93}``; shown beside the picture.
    note : str
        What to beware of when reading it; a general word of caution by default.

    Examples
    --------
    >>> Layout("pca-3d", "PCA", np.zeros((4, 3))).dims
    3
    """

    name: str
    label: str
    points: np.ndarray
    scores: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def dims(self) -> int:
        """2 or 3."""
        return int(np.asarray(self.points).shape[-1])


@dataclass(frozen=True)
class Values:
    """Something measured of every segment, to colour and filter by.

    Parameters
    ----------
    label : str
        As shown, as in ``Loudness``.
    unit : str
        Shown behind the numbers; empty for a share or a number.
    array : np.ndarray, shape (N,)
        The values; NaN where there is none, which is drawn grey.
    scale : {"linear", "log"}
        How values turn into colours; of a logarithmic one the values at or below zero count as none.

    Examples
    --------
    >>> Values("Pitch", "Hz", np.array([220.0, np.nan]), "log").unit
    'Hz'
    """

    label: str
    unit: str
    array: np.ndarray
    scale: str = "linear"


def check_layouts(layouts: Sequence[Layout], n: int) -> None:
    """Refuse layouts that a page cannot show.

    Parameters
    ----------
    layouts : sequence of Layout
        Of a map.
    n : int
        How many segments it has.

    Raises
    ------
    BadInput
        If two have the same name, or the points of one are not a finite (n, 2) or (n, 3) array.
    """
    names = [layout.name for layout in layouts]
    if len(set(names)) < len(names):
        raise BadInput(f"map: every layout must have a name of its own, got {', '.join(names)}")
    for layout in layouts:
        points = np.asarray(layout.points)
        if points.shape not in ((n, 2), (n, 3)):
            raise BadInput(f"map: layout {layout.name} must have shape ({n}, 2) or ({n}, 3), got {points.shape}")
        if not np.isfinite(points).all():
            raise BadInput(f"map: layout {layout.name} must be finite, got NaN or infinity; embed finite features")


def check_values(values: Mapping[str, Values], n: int) -> None:
    """Refuse values that cannot colour the segments of a map.

    Parameters
    ----------
    values : mapping of str to Values
        Of a map.
    n : int
        How many segments it has.

    Raises
    ------
    BadInput
        If there is not one for every segment (NaN where there is none), or the scale is unknown.
    """
    for name, one in values.items():
        if np.shape(one.array) != (n,):
            raise BadInput(f"map: the values {name} must have shape ({n},), got {np.shape(one.array)}")
        if one.scale not in SCALES:
            raise BadInput(f"map: the scale of {name} must be one of {', '.join(SCALES)}, got {one.scale}")
