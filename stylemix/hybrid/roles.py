"""Who is who in a hybrid: which file is the source, which corpus it belongs to, and what it is to become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylemix.audio import probe, shown_name
from stylemix.errors import BadInput
from stylemix.hybrid.cluster_roles import find_clusters, masks_of
from stylemix.hybrid.mixture import Mixture, check_weights, parse_weights
from stylemix.hybrid.run_files import existing_files, find_corpus
from stylemix.hybrid.run_files import find_file as find_file
from stylemix.hybrid.run_files import representative as representative

if TYPE_CHECKING:
    from stylemix.explore.groups import RunClusters
    from stylemix.model.run import Run



@dataclass(frozen=True)
class Roles:
    """The parents of a hybrid: a source, and one or more corpora of targets.

    Parameters
    ----------
    source : Path
        The file whose timeline is kept.
    source_index : int or None
        Its place among the run's files, if it is one of them.
    own, other : int
        Corpus at alpha 0, and at alpha 1 the only one or that of the largest share.
    targets : dict of int to Path
        Files to match with, by their place in the run's files (or -1 for a file of the user's choice); corpus
        after corpus in the order of `others`.
    warnings : tuple of str
        What the user should know.
    others : tuple of int
        Corpora at alpha 1; `other` alone by default.
    shares : tuple of float
        Of each of them, greater than 0; they sum to 1.
    corpus_of : dict of int to int
        Corpus of each target file; `other` for one that is not named.
    alpha : float or None
        Where weights were given, what they say: 1 minus the share of the source's own corpus.
    stretch_s : tuple of float, optional
        Where a cluster is the source, the start of the stretch that stands for it and its duration (seconds).
    masks : dict of int to np.ndarray, shape (N,), bool
        Where a cluster is the target, the latent steps of each target file that belong to it.
    target_stretch_s : tuple of float, optional
        Start and duration (seconds) of what is used of a target file, where it is not all of it.
    """

    source: Path
    source_index: int | None
    own: int
    other: int
    targets: dict[int, Path] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    others: tuple[int, ...] = ()
    shares: tuple[float, ...] = (1.0,)
    corpus_of: dict[int, int] = field(default_factory=dict)
    alpha: float | None = None
    stretch_s: tuple[float, float] | None = None
    masks: dict[int, np.ndarray] = field(default_factory=dict)
    target_stretch_s: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "others", self.others or (self.other,))

    def conditions(self, n_corpora: int) -> np.ndarray:
        """Return the weights of the corpora at alpha 0, and at alpha 1 for each corpus of targets.

        Parameters
        ----------
        n_corpora : int
            Number of corpora.

        Returns
        -------
        np.ndarray, shape (1 + n_targets, n_corpora), float32
            One-hot rows: the source's own corpus, then `others`.
        """
        return np.eye(n_corpora, dtype=np.float32)[[self.own, *self.others]]

    def targets_of(self, corpus: int) -> dict[int, Path]:
        """Return the target files of one corpus.

        Parameters
        ----------
        corpus : int
            One of `others`.

        Returns
        -------
        dict of int to Path
            A part of `targets`, in its order.

        Examples
        --------
        >>> roles = Roles(Path("a"), 0, 0, 1, {3: Path("b"), 7: Path("c")}, others=(1, 2), corpus_of={3: 1, 7: 2})
        >>> list(roles.targets_of(2))
        [7]
        """
        return {key: path for key, path in self.targets.items() if self.corpus_of.get(key, self.other) == corpus}


def assign_roles(
    run: Run,
    *,
    source: str | Path | None,
    target: str | Path | None,
    mode: str,
    to: str | None,
    weights: str | Mapping[str, float] | Mixture | None = None,
    source_cluster: int | None = None,
    target_cluster: int | None = None,
) -> Roles:
    """Find out who is who.

    Parameters
    ----------
    run : Run
        The trained model.
    source : str or Path, optional
        Any file; by default a representative one of the first corpus.
    target : str or Path, optional
        Any file; by default everything in the other corpus.
    mode : str
        What is going to be done.
    to : str, optional
        Name of the target's corpus.
    weights : str, mapping or Mixture, optional
        Shares of the corpora in place of alpha and `to` (see `stylemix.hybrid.mixture.parse_weights`).
    source_cluster : int, optional
        Number of a cluster, as on the map, whose middle is the source.
    target_cluster : int, optional
        Number of a cluster to which the targets are restricted.

    Returns
    -------
    Roles
        Files and corpora.

    Raises
    ------
    BadInput
        If a file, the corpus or a cluster does not exist, `mode` needs a target, the weights are no weights, a
        cluster has nothing of what is asked of it, or two choices contradict each other.
    """
    mixture = None
    if weights is not None:
        check_weights(target=target, to=to, mode=mode)
        mixture = parse_weights(weights, run.corpora)
    if mode == "morph" and target is None:
        raise BadInput("hybrid: the mode morph aligns two given files; add --target FILE")
    goal = None if to is None else find_corpus(run, to)
    place = None if target is None else find_file(run, target)
    if mode == "style" and target is not None and place is None:
        raise BadInput(
            f"hybrid: the mode style goes by what was learnt of a corpus, {shown_name(target)} is no file of the run; "
            "leave --target out, or choose another --mode"
        )
    clusters = find_clusters(run, source, target, place, source_cluster, target_cluster)
    warnings: list[str] = []
    index, path, stretch = _source(run, source, source_cluster, clusters, goal, warnings)
    own = 0 if index is None else run.files[index].corpus
    if mixture is not None:
        others, shares = mixture.others(own)
    else:
        others, shares = (_other(run, own, goal, place, target_cluster, clusters),), (1.0,)
    files = _target_files(run, others, target, place)
    masks = {} if target_cluster is None or clusters is None else _masks(run, files, target, target_cluster, clusters)
    targets: dict[int, Path] = {}
    for wanted in files.values():
        heard = [i for i in wanted if target_cluster is None or i in masks]
        targets |= existing_files(run, heard, mode, warnings) if target is None else {heard[0]: Path(target)}
    return Roles(
        path, index, own, others[int(np.argmax(shares))], targets, tuple(warnings), others, shares,
        corpus_of={key: corpus for corpus, wanted in files.items() for key in wanted if key in targets},
        alpha=None if mixture is None else mixture.alpha(own), stretch_s=stretch,
        masks={key: masks[key] for key in targets if key in masks},
    )  # fmt: skip


def _source(
    run: Run,
    source: str | Path | None,
    number: int | None,
    clusters: RunClusters | None,
    goal: int | None,
    warnings: list[str],
) -> tuple[int | None, Path, tuple[float, float] | None]:
    """Place among the run's files, path, and the stretch that is used where a cluster asks for one."""
    if clusters is not None and number is not None:
        stretch = clusters.stretch(number, outside=goal)
        path = run.file_path(stretch.file)
        warnings.append(
            f"source: {shown_name(path.name)} from {stretch.start_s:.1f} s, {stretch.duration_s:.1f} s long, "
            f"the middle of cluster {number}"
        )
        return stretch.file, path, (stretch.start_s, stretch.duration_s)
    if source is not None:
        return find_file(run, source), Path(source), None
    index = representative(run, 0)
    path = run.file_path(index)
    warnings.append(f"no source given: {shown_name(path.name)}, the file nearest the mean of {run.corpora[0]}")
    return index, path, None


def _other(
    run: Run, own: int, goal: int | None, place: int | None, number: int | None, clusters: RunClusters | None
) -> int:
    """Corpus at alpha 1: what was asked for, that of the target, the cluster's most frequent, or the next one."""
    if goal is not None:
        return goal
    if place is not None and run.files[place].corpus != own:
        return run.files[place].corpus
    candidates = [i for i in range(len(run.corpora)) if i != own] or [own]
    if clusters is None or number is None:
        return candidates[0]
    shares = clusters.find(number).shares
    return max(candidates, key=lambda i: shares[i])


def _target_files(
    run: Run, others: tuple[int, ...], target: str | Path | None, place: int | None
) -> dict[int, list[int]]:
    """By corpus, the places among the run's files of what is matched with; -1 for a file outside of it."""
    if target is not None:
        probe(target)
        return {others[0]: [-1 if place is None else place]}
    return {corpus: [i for i, f in enumerate(run.files) if f.corpus == corpus] for corpus in others}


def _masks(
    run: Run, files: dict[int, list[int]], target: str | Path | None, number: int, clusters: RunClusters
) -> dict[int, np.ndarray]:
    masks: dict[int, np.ndarray] = {}
    for corpus, wanted in files.items():
        # Each corpus must have something of the cluster: a share of nothing cannot be heard.
        masks |= masks_of(clusters, number, wanted, run.corpora[corpus] if target is None else str(target))
    return masks
