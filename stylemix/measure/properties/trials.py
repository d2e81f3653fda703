"""What deformations do to a representation, against what different sounds do to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from stylemix.measure.properties.material import KINDS, Deformation, Material
from stylemix.measure.properties.representations import Representation, over_time, vector

# Over this decade the growth of the distance with the warp is fitted.
_GROWTH = (0.001, 0.01)


def relative_distance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Measure how far two representations are apart, in units of the first one's norm.

    Parameters
    ----------
    a, b : torch.Tensor, shape (..., D)
        Vectors.

    Returns
    -------
    torch.Tensor, shape (...)
        ``||a - b|| / ||a||``.

    Examples
    --------
    >>> relative_distance(torch.tensor([3.0, 4.0]), torch.tensor([3.0, 9.0])).item()
    1.0
    """
    return (a - b).norm(dim=-1) / a.norm(dim=-1).clamp_min(1e-30)


def analysed(
    representation: Representation, sounds: np.ndarray, *, report: Callable[[int], None] | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Analyse sounds.

    Parameters
    ----------
    representation : Representation
        One of `representations`.
    sounds : np.ndarray, shape (S, T)
        At `SAMPLE_RATE`.
    report : callable, optional
        Told how many sounds more are done.

    Returns
    -------
    vectors : torch.Tensor, shape (S, D)
        All coefficients.
    means : torch.Tensor, shape (S, P)
        Integrals over time.
    """
    vectors, means = [], []
    # One by one: the larger transforms are no faster in batches, and need less memory so.
    for sound in torch.as_tensor(np.ascontiguousarray(sounds), dtype=torch.float32):
        with torch.no_grad():
            coefficients = representation.analyse(sound)
        vectors.append(vector(coefficients))
        means.append(over_time(coefficients))
        if report is not None:
            report(1)
    return torch.stack(vectors), torch.stack(means)


def measure(
    representation: Representation, material: Material, *, report: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Measure what leaves a representation as it was and what does not.

    Distances are relative: divided by the norm of the undeformed sound's representation. Under transposition they are
    taken between integrals over time, multiplied by the factor by which the sound became shorter, so that the change
    of tempo is not what is measured.

    Parameters
    ----------
    representation : Representation
        One of `representations`.
    material : Material
        Sounds and their deformations.
    report : callable, optional
        Told how many sounds more are done.

    Returns
    -------
    dict
        ``between`` and ``between_means``: median distance of sounds of different files, of all coefficients and of
        their integrals over time. ``shift``, ``warp``, ``transposition``: a list by amount, each with ``distance``
        (median over sounds), ``largest``, ``share`` (the median over that of different sounds) and ``found`` (share of
        the sounds whose nearest undeformed sound is their own). ``lipschitz``: largest distance over depth;
        ``growth``: exponent with which the distance grows from a warp of 0.1 % to 1 %. ``reversal``: the distance of
        the integrals over time from those of the sound played backwards. ``same_file``: share of the sounds whose
        nearest other one, by direction of the integrals over time, is of the same file, and ``chance`` of that; None
        where there is one file, or no file with two sounds. ``numbers_per_sample``.
    """
    vectors, means = analysed(representation, material.sounds, report=report)
    chosen = torch.as_tensor(material.chosen)
    apart = _between(material.files)
    result: dict[str, Any] = {
        "between": _median_of_pairs(vectors, apart),
        "between_means": _median_of_pairs(means, apart),
        **{kind: [] for kind in KINDS},
        "numbers_per_sample": vectors.shape[1] / material.sounds.shape[1],
    }
    for how, sounds in material.deformed.items():
        moved, moved_means = analysed(representation, sounds, report=report)
        if how.kind == "transposition":
            pair, scale = (means, moved_means * 2 ** (how.amount / 1200)), result["between_means"]
        else:
            pair, scale = (vectors, moved), result["between"]
        result[how.kind].append(_row(how, pair, chosen, scale))
    result["lipschitz"] = max((r["largest"] / r["amount"] for r in result["warp"] if r["amount"]), default=None)
    result["growth"] = _growth(result["warp"])
    backwards = analysed(representation, material.sounds[material.chosen, ::-1], report=report)[1]
    result["reversal"] = float(relative_distance(means[chosen], backwards).median())
    return {**result, **_same_file(means, material.files)}


def _between(files: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of sounds of different files; of different places where there is but one file."""
    pairs = [(i, j) for i in range(len(files)) for j in range(len(files)) if i != j]
    return [pair for pair in pairs if files[pair[0]] != files[pair[1]]] or pairs


def _median_of_pairs(vectors: torch.Tensor, pairs: list[tuple[int, int]]) -> float:
    return float(np.median([float(relative_distance(vectors[i], vectors[j])) for i, j in pairs]))


def _row(
    how: Deformation, pair: tuple[torch.Tensor, torch.Tensor], chosen: torch.Tensor, scale: float
) -> dict[str, float]:
    still, moved = pair
    distances = relative_distance(still[chosen], moved)
    nearest = torch.stack([(still - one).norm(dim=1).argmin() for one in moved])
    median = float(np.median(distances.numpy()))
    return {
        "amount": how.amount, "distance": median, "largest": float(distances.max()), "share": median / scale,
        "found": float((nearest == chosen).double().mean()),
    }  # fmt: skip


def _growth(rows: list[dict[str, float]]) -> float | None:
    inside = [(row["amount"], row["distance"]) for row in rows if _GROWTH[0] <= row["amount"] <= _GROWTH[1]]
    if len(inside) < 2 or min(distance for _, distance in inside) <= 0:
        return None
    amounts, distances = np.log(np.array(inside)).T
    return float(np.polyfit(amounts, distances, 1)[0])


def _same_file(means: torch.Tensor, files: np.ndarray) -> dict[str, float | None]:
    counts = np.array([np.sum(files == file) for file in files])
    asked = np.flatnonzero(counts > 1)
    if len(set(files)) < 2 or len(asked) == 0:
        return {"same_file": None, "chance": None}
    unit = means / means.norm(dim=1, keepdim=True)
    distances = torch.stack([(unit - one).norm(dim=1) for one in unit]).fill_diagonal_(torch.inf)
    right = files[distances.argmin(dim=1).numpy()] == files
    return {"same_file": float(right[asked].mean()), "chance": float(np.mean((counts[asked] - 1) / (len(files) - 1)))}
