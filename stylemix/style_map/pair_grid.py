"""Hybrids rendered beforehand: each cluster with its nearest cluster of another corpus, at several alphas."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stylemix.arrays import Wave
from stylemix.audio import shown_name
from stylemix.errors import BadInput, StylemixError
from stylemix.style_map.data import GridHybrid

if TYPE_CHECKING:
    from stylemix.clusters.groups import RunClusters
    from stylemix.model.run import Run

ALPHAS = (0.25, 0.5, 0.75)
SECONDS = 4.0
MOST_PAIRS = 8
# Those that meet a cluster of a corpus: morph aligns two given files, and style hears no material.
MODES = ("match", "cross", "fade")


@dataclass(frozen=True)
class Pair:
    """Two clusters that lie near one another and are of different corpora.

    Parameters
    ----------
    source, target : int
        Their numbers, from 1.
    corpus : int
        That which the target is mostly of, and to which the hybrid goes.
    distance : float
        Between them.
    """

    source: int
    target: int
    corpus: int
    distance: float


def nearest_pairs(found: RunClusters, *, most: int = MOST_PAIRS) -> list[Pair]:
    """Pair each cluster with the nearest one that is mostly of another corpus.

    Parameters
    ----------
    found : RunClusters
        The clusters of a run.
    most : int
        At most so many pairs, those of the largest clusters.

    Returns
    -------
    list of Pair
        By the numbers of their sources: the largest first. None where all clusters are of one corpus.
    """
    pairs = []
    for one in found.clusters:
        if one.nearest:
            corpus, (number, distance) = min(one.nearest.items(), key=lambda item: item[1][1])
            pairs.append(Pair(one.number, number, corpus, distance))
    return sorted(pairs, key=lambda pair: pair.source)[:most]


def render_pairs(
    run: Run,
    found: RunClusters,
    *,
    alphas: Sequence[float] = ALPHAS,
    mode: str = "match",
    seconds: float = SECONDS,
    max_pairs: int = MOST_PAIRS,
    seed: int = 0,
    grouped: dict[str, Any] | None = None,
    warnings: list[str] | None = None,
    update: Callable[..., None] = lambda done, note="": None,
) -> list[GridHybrid]:
    """Render the natural hybrids of a run: of each cluster with its nearest one of another corpus.

    Parameters
    ----------
    run : Run
        A finished run.
    found : RunClusters
        Its clusters.
    alphas : sequence of float
        How much of the target.
    mode : {"match", "cross", "fade"}
        How the two meet.
    seconds : float
        Length of each hybrid; less where the source's stretch is shorter.
    max_pairs : int
        At most so many pairs.
    seed : int
        Of all that is drawn.
    grouped : dict, optional
        How the clusters were made, as options of `hybrid`: clusters, space, cluster_seed. The commands say it.
    warnings : list of str, optional
        Gets a line for each pair that is left out.
    update : callable
        ``update(done, note=...)`` hears how far it is, 0 to 1.

    Returns
    -------
    list of GridHybrid
        Pair after pair, alpha after alpha, each with the command that makes it again; within full scale.

    Raises
    ------
    BadInput
        If the mode has no use for a cluster, or an alpha or the length is out of range.

    References
    ----------
    .. [1] D. Schwarz, "Corpus-based concatenative synthesis", IEEE Signal Processing Magazine 24(2), 2007: sound found
       by its place among others.
    """
    _check(alphas, mode, seconds)
    pairs = nearest_pairs(found, most=max_pairs)
    hybrids: list[GridHybrid] = []
    for i, pair in enumerate(pairs):
        update(i / len(pairs), note=f"cluster {pair.source} to {pair.target}")
        wanted = {
            "source_cluster": pair.source, "target_cluster": pair.target, "to": run.corpora[pair.corpus],
            "duration_s": float(seconds), "mode": mode, "seed": seed,
        }  # fmt: skip
        try:
            hybrids += _render(run, found, wanted, alphas, grouped or {})
        except StylemixError as error:
            if warnings is not None:
                warnings.append(f"hybrids of cluster {pair.source} with {pair.target} are left out: {error}")
    update(1.0)
    return hybrids


def _check(alphas: Sequence[float], mode: str, seconds: float) -> None:
    """Refuse once what would otherwise leave out every pair."""
    from stylemix.hybrid.curve import parse_alpha

    if mode not in MODES:
        raise BadInput(f"grid: the mode must be one of {', '.join(MODES)}, got {mode!r}")
    if not alphas:
        raise BadInput("grid: needs an alpha at least, got none; give numbers from 0 to 1")
    if not (math.isfinite(seconds) and seconds > 0):
        raise BadInput(f"grid: the length must be more than 0 seconds, got {seconds:g}")
    for alpha in alphas:
        parse_alpha(alpha)


def _render(
    run: Run, found: RunClusters, wanted: dict[str, Any], alphas: Sequence[float], grouped: dict[str, Any]
) -> list[GridHybrid]:
    """Render a pair at each alpha; what the source meets is sought once."""
    from stylemix.hybrid.command import hybrid_command
    from stylemix.hybrid.curve import parse_alpha
    from stylemix.hybrid.order import read_order
    from stylemix.hybrid.pieces import pieces
    from stylemix.hybrid.prepare import prepare

    source, target, mode = wanted["source_cluster"], wanted["target_cluster"], wanted["mode"]
    order = read_order(run, alpha=0.0, clusters=found, **wanted)
    hybrids = []
    with order.open() as reader:
        prepared = prepare(run, order.roles, reader, dials=order.dials, seed=order.asked.seed)
        for alpha in alphas:
            curve, _, _ = replace(order, curve=parse_alpha(alpha)).positions(reader.duration_s)
            samples = np.concatenate([piece.hybrid for piece in pieces(prepared, reader, curve)], axis=1)
            # As a file would be written: a peak above full scale brings all of it down.
            samples = samples / max(1.0, float(np.abs(samples).max(initial=0.0)))
            out = f"{source}-{target}-{round(100 * alpha):03d}.wav"
            command = hybrid_command(shown_name(run.path), {"alpha": float(alpha), **wanted, **grouped}, out=out)
            wave = Wave(samples.astype(np.float32), reader.sample_rate)
            hybrids.append(
                GridHybrid(source, target, float(alpha), mode, wave, reader.duration_s, command,
                           f"cluster {source} to {target}, alpha {alpha:g}")
            )  # fmt: skip
    return hybrids
