"""Files split into those that are learned from and those that judge."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def split_files(hashes: Sequence[str], seconds: Sequence[float], *, held_out: float, seed: int) -> list[str]:
    """Decide for every file of a corpus whether it is learned from or judged on.

    Whole files are held out, in an order drawn from their content and the seed, until their share of the time
    is nearest to what was asked. If every choice would take more than half (one file, or one that dwarfs the
    rest), the longest file is divided: its end is held out.

    Parameters
    ----------
    hashes : sequence of str
        One a file; its name and place do not matter.
    seconds : sequence of float
        Their lengths.
    held_out : float
        Share of the time to hold out; 0 for none.
    seed : int
        Another seed is another split.

    Returns
    -------
    list of str
        ``"train"``, ``"held-out"`` or ``"divided"``, one a file.

    Examples
    --------
    >>> sorted(split_files(["a", "b", "c", "d"], [60, 60, 60, 60], held_out=0.25, seed=0))
    ['held-out', 'train', 'train', 'train']
    >>> split_files(["a"], [60], held_out=0.25, seed=0)
    ['divided']
    """
    sides = ["train"] * len(hashes)
    if held_out <= 0 or not hashes:
        return sides
    total, taken = sum(seconds), 0.0
    order = sorted(range(len(hashes)), key=lambda i: hashlib.sha256(f"{seed}:{hashes[i]}".encode()).hexdigest())
    for i in order:
        nearer = abs(taken + seconds[i] - held_out * total) < abs(taken - held_out * total)
        if (nearer or not taken) and taken + seconds[i] <= total / 2 + 1e-9:
            sides[i] = "held-out"
            taken += seconds[i]
        if taken >= held_out * total:
            break
    if not taken:
        sides[max(range(len(seconds)), key=lambda i: seconds[i])] = "divided"
    return sides


def divide(n_frames: int, side: str, *, held_out: float, gap: int) -> list[tuple[int, int, bool]]:
    """Cut a file into its learned and its held-out stretch.

    Parameters
    ----------
    n_frames : int
        Frames of the file.
    side : str
        From `split_files`.
    held_out : float
        Share of a divided file to hold out.
    gap : int
        Frames between the two stretches of a divided file that belong to neither, so that no window sees
        both.

    Returns
    -------
    list of (start, stop, held_out)
        Stretches (frames). A file so short that the gap would take most of what is learned from stays whole,
        and is learned from.

    Examples
    --------
    >>> divide(100, "divided", held_out=0.2, gap=5)
    [(0, 75, False), (80, 100, True)]
    """
    if side != "divided":
        return [(0, n_frames, side == "held-out")]
    cut = min(round(n_frames * (1 - held_out)), n_frames - 1)
    if cut - gap < max(1, cut / 2):
        return [(0, n_frames, False)]
    return [(0, cut - gap, False), (cut, n_frames, True)]


def parts_s(
    seconds: float, side: str, *, held_out: float
) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Say which seconds of a file are learned from and which are held out.

    Parameters
    ----------
    seconds : float
        Length of the file.
    side : str
        From `split_files`.
    held_out : float
        Share of a divided file that is held out.

    Returns
    -------
    trained, held_out : tuple of float or None
        Start and stop (seconds); None where there is nothing of the kind. The gap that `divide` leaves before the
        held-out end counts as trained: nothing that is judged as unheard comes from it.

    Examples
    --------
    >>> parts_s(60.0, "divided", held_out=0.25)
    ((0.0, 45.0), (45.0, 60.0))
    >>> parts_s(60.0, "held-out", held_out=0.25)
    (None, (0.0, 60.0))
    """
    if side != "divided":
        return (None, (0.0, seconds)) if side == "held-out" else ((0.0, seconds), None)
    cut = seconds * (1 - held_out)
    return (0.0, cut), (cut, seconds)
