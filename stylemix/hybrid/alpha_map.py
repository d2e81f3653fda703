"""Alpha that means something: from what the user asks for to the place on the path that sounds like it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.files import write_json
from stylemix.model.artefact import ALPHA

# These are spaced by what is heard; in the others alpha is the position itself.
CALIBRATED = ("match", "style", "morph")
HALF = 0.5
# A map of more points than this was not made by a calibration.
_MOST_POINTS = 1000
_LARGEST_TEXT = 1 << 24


@dataclass(frozen=True)
class AlphaMap:
    """A monotone map from alpha to positions on a mode's path, both from 0 to 1.

    Parameters
    ----------
    alphas : tuple of float
        Strictly increasing from 0 to 1.
    positions : tuple of float
        Never falling, from 0 to 1.
    reach : float
        How probable the corpus at alpha 1 was at the end of the path, 0 to 1. Below 0.5 no alpha sounds half-way.

    Raises
    ------
    BadInput
        If they are anything else.

    Examples
    --------
    >>> AlphaMap((0.0, 0.5, 1.0), (0.0, 0.2, 1.0))(np.array([-0.1, 0.25, 0.5, 1.2])).tolist()
    [-0.1, 0.1, 0.2, 1.2]
    """

    alphas: tuple[float, ...]
    positions: tuple[float, ...]
    reach: float = 1.0

    def __post_init__(self) -> None:
        x, y = np.array(self.alphas, dtype=np.float64), np.array(self.positions, dtype=np.float64)
        ends = len(x) == len(y) and 2 <= len(x) <= _MOST_POINTS and (x[0], x[-1], y[0], y[-1]) == (0, 1, 0, 1)
        if not (ends and np.all(np.diff(x) > 0) and np.all(np.diff(y) >= 0)):
            raise BadInput("alpha map: must rise from 0 to 1 in alphas and positions alike")
        if not 0 <= self.reach <= 1:
            raise BadInput(f"alpha map: reach must be 0 to 1, got {self.reach:g}")

    def __call__(self, alpha: np.ndarray) -> np.ndarray:
        """Map alphas; beyond both ends they are what they are.

        Parameters
        ----------
        alpha : np.ndarray, any shape
            As the user asks.

        Returns
        -------
        np.ndarray, same shape
            Positions on the path.
        """
        alpha = np.asarray(alpha, dtype=np.float64)
        inside = np.interp(alpha, self.alphas, self.positions)
        return np.where((alpha < 0) | (alpha > 1), alpha, inside)


def save_maps(folder: Path, maps: Mapping[tuple[str, str, str], tuple[AlphaMap, Mapping[str, Any]]]) -> None:
    """Write the maps of a run.

    Parameters
    ----------
    folder : Path
        The run.
    maps : dict
        By mode, name of the source's corpus and name of the target's: the map, and what it was made from.
    """
    rows = [
        {"mode": mode, "source": own, "target": other, "alphas": one.alphas, "positions": one.positions,
         "reach": one.reach, **facts}
        for (mode, own, other), (one, facts) in maps.items()
    ]  # fmt: skip
    write_json(folder / ALPHA, {"maps": rows})


def find_map(
    folder: Path, mode: str, names: Sequence[str], own: int, others: Sequence[int], shares: Sequence[float]
) -> AlphaMap | None:
    """Find how a run calibrates a mode between corpora.

    Parameters
    ----------
    folder : Path
        The run.
    mode : str
        One of the modes.
    names : sequence of str
        Of the run's corpora.
    own : int
        The source's corpus.
    others : sequence of int
        The corpora at alpha 1.
    shares : sequence of float
        Of each of them; between several, the maps are averaged.

    Returns
    -------
    AlphaMap or None
        None where the run was never calibrated between these.

    Raises
    ------
    BadInput
        If the file is damaged.
    """
    there = _read_maps(folder)
    wanted = [there.get((mode, names[own], names[other])) for other in others]
    if not wanted or None in wanted:
        return None
    at = np.unique(np.concatenate([one.alphas for one in wanted if one is not None]))
    pairs = [(share, one) for share, one in zip(shares, wanted, strict=True) if one is not None]
    mean = sum(share * one(at) for share, one in pairs) / sum(shares)
    reach = min(1.0, sum(share * one.reach for share, one in pairs) / sum(shares))
    return AlphaMap(tuple(at.tolist()), (0.0, *np.clip(mean, 0, 1)[1:-1].tolist(), 1.0), reach)


def map_warnings(
    folder: Path, found: AlphaMap | None, mode: str, names: Sequence[str], own: int, others: Sequence[int]
) -> tuple[str, ...]:
    """Say what a map does not do.

    Parameters
    ----------
    folder : Path
        The run.
    found : AlphaMap or None
        From `find_map`.
    mode : str
        One of the modes.
    names : sequence of str
        Of the run's corpora.
    own : int
        The source's corpus.
    others : sequence of int
        The corpora at alpha 1.

    Returns
    -------
    tuple of str
        A line where the path ends before it is half-way, and where a run that is calibrated is not between these.

    Examples
    --------
    >>> short = AlphaMap((0.0, 1.0), (0.0, 1.0), reach=0.4)
    >>> map_warnings(Path(), short, "style", ["ragtime", "organ"], 0, [1])
    ('style cannot get to half-way of ragtime to organ here: alpha 0.5 is half of what it can do',)
    """
    way = f"{shown_name(names[own])} to {' and '.join(shown_name(names[other]) for other in others)}"
    if found is None:
        if mode in CALIBRATED and any(other != own for other in others) and (folder / ALPHA).exists():
            return (f"{mode} was not calibrated from {way}: alpha is the raw position on its path",)
        return ()
    if found.reach < HALF:
        return (f"{mode} cannot get to half-way of {way} here: alpha 0.5 is half of what it can do",)
    return ()


def _read_maps(folder: Path) -> dict[tuple[str, str, str], AlphaMap]:
    path = folder / ALPHA
    try:
        if path.stat().st_size > _LARGEST_TEXT:
            raise _damaged(folder, "larger than a run can have")
        rows = json.loads(path.read_text(encoding="utf-8"))["maps"]
        return {
            (row["mode"], row["source"], row["target"]): AlphaMap(
                tuple(map(float, row["alphas"])), tuple(map(float, row["positions"])), float(row.get("reach", 1.0))
            )
            for row in rows
        }
    except FileNotFoundError:
        return {}
    except BadInput as error:
        raise _damaged(folder, error) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise _damaged(folder, error) from None


def _damaged(folder: Path, reason: object) -> BadInput:
    # The model is whole: what was measured of it is all that has to be made again.
    words = shown_name(" ".join(str(reason).split())[:200])
    return BadInput(
        f"{shown_name(folder / ALPHA)}: is damaged ({words}); delete that file and run train --resume to measure it "
        "again, or give --raw-alpha"
    )
