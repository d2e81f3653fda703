"""Who is who in a hybrid: which file is the source, which corpus it belongs to, and what it is to become."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylemix.audio import probe, shown_name
from stylemix.errors import BadInput
from stylemix.hybrid.asked import Asked
from stylemix.hybrid.cluster_roles import masks_of
from stylemix.hybrid.run_files import existing_files
from stylemix.hybrid.run_files import find_file as find_file
from stylemix.hybrid.run_files import representative as representative
from stylemix.hybrid.track import Sound
from stylemix.hybrid.wishes import Wishes, nothing_to_do, read_wishes

if TYPE_CHECKING:
    from stylemix.clusters.groups import RunClusters
    from stylemix.model.run import Run


@dataclass(frozen=True)
class Roles:
    """The parents of a hybrid: a source, and one or more corpora of targets.

    Parameters
    ----------
    source : Path or Track
        The file whose timeline is kept, or the track of a walk.
    source_index : int or None
        Its place among the run's files, if it is one of them.
    own, other : int
        Corpus at alpha 0, and at alpha 1 the only one or that of the largest share.
    targets : dict of int to Path or Track
        What it is matched with, by their place in the run's files (or -1 for a file of the user's choice or a track);
        corpus after corpus in the order of `others`.
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
    target_cluster : int, optional
        Number of the cluster that `masks` are of.
    """

    source: Sound
    source_index: int | None
    own: int
    other: int
    targets: dict[int, Sound] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    others: tuple[int, ...] = ()
    shares: tuple[float, ...] = (1.0,)
    corpus_of: dict[int, int] = field(default_factory=dict)
    alpha: float | None = None
    stretch_s: tuple[float, float] | None = None
    masks: dict[int, np.ndarray] = field(default_factory=dict)
    target_stretch_s: tuple[float, float] | None = None
    target_cluster: int | None = None

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

    def targets_of(self, corpus: int) -> dict[int, Sound]:
        """Return the target files of one corpus.

        Parameters
        ----------
        corpus : int
            One of `others`.

        Returns
        -------
        dict of int to Path or Track
            A part of `targets`, in its order.

        Examples
        --------
        >>> roles = Roles(Path("a"), 0, 0, 1, {3: Path("b"), 7: Path("c")}, others=(1, 2), corpus_of={3: 1, 7: 2})
        >>> list(roles.targets_of(2))
        [7]
        """
        return {key: path for key, path in self.targets.items() if self.corpus_of.get(key, self.other) == corpus}


def assign_roles(run: Run, asked: Asked, wishes: Wishes | None = None) -> Roles:
    """Find out who is who.

    Parameters
    ----------
    run : Run
        The trained model.
    asked : Asked
        What the user says; its source is one file.
    wishes : Wishes, optional
        What `read_wishes` gives for the same, if it is known.

    Returns
    -------
    Roles
        Files and corpora.

    Raises
    ------
    BadInput
        If a file, a corpus or a cluster does not exist, the mode needs a target, the weights are no weights, a cluster
        has nothing of what is asked of it, two choices contradict each other, or nothing would be changed.
    """
    wishes = wishes or read_wishes(run, asked)
    mixture, place, clusters, number = wishes.mixture, wishes.place, wishes.clusters, asked.target_cluster
    target = None if asked.target is None else Path(asked.target)
    warnings: list[str] = []
    index, path, stretch = _source(run, asked, wishes, warnings)
    own = _own(run, index, path, wishes, warnings)
    if mixture is not None:
        others, shares = mixture.others(own)
    else:
        others, shares = (_other(run, own, wishes.goal, place, number, clusters),), (1.0,)
    if asked.mode == "style" and others == (own,):
        raise nothing_to_do(run, shown_name(path.name), own)
    files = _target_files(run, others, target, place)
    masks = {} if number is None or clusters is None else _masks(run, files, target, number, clusters)
    targets: dict[int, Sound] = {}
    for wanted in files.values():
        heard = [i for i in wanted if number is None or i in masks]
        targets |= existing_files(run, heard, asked.mode, warnings) if target is None else {heard[0]: target}
    return Roles(
        path, index, own, others[int(np.argmax(shares))], targets, tuple(warnings), others, shares,
        corpus_of={key: corpus for corpus, wanted in files.items() for key in wanted if key in targets},
        alpha=None if mixture is None else mixture.alpha(own), stretch_s=stretch,
        masks={key: masks[key] for key in targets if key in masks}, target_cluster=number,
    )  # fmt: skip


def _own(run: Run, index: int | None, path: Path, wishes: Wishes, warnings: list[str]) -> int:
    """Corpus of the source: what the run knows of it, what the user says, or a guess that is told."""
    if index is None:
        own = wishes.own_of_stranger(run)
        if wishes.origin is None:
            name = shown_name(run.corpora[own])
            # A guess is told: it decides which way the hybrid goes.
            warnings.append(
                f"{shown_name(path.name)} is no file of this run: taken as {name}; --from NAME says otherwise"
            )
        return own
    own = run.files[index].corpus
    if wishes.origin not in (None, own):
        raise BadInput(
            f"hybrid: {shown_name(path.name)} is of {shown_name(run.corpora[own])} in this run, got --from "
            f"{shown_name(run.corpora[wishes.origin])}; leave --from out"
        )
    return own


def _source(
    run: Run, asked: Asked, wishes: Wishes, warnings: list[str]
) -> tuple[int | None, Path, tuple[float, float] | None]:
    """Place among the run's files, path, and the stretch that is used where a cluster asks for one."""
    source, number = asked.source, asked.source_cluster
    if wishes.clusters is not None and number is not None:
        stretch = wishes.clusters.stretch(number, outside=wishes.goal)
        path = run.file_path(stretch.file)
        warnings.append(
            f"source: {shown_name(path.name)} from {stretch.start_s:.1f} s, {stretch.duration_s:.1f} s long, "
            f"the middle of cluster {number}"
        )
        return stretch.file, path, (stretch.start_s, stretch.duration_s)
    if source is not None:
        return find_file(run, source), Path(source), None
    corpus = wishes.own_of_stranger(run)
    index = representative(run, corpus)
    path = run.file_path(index)
    warnings.append(f"no source given: {shown_name(path.name)}, the file nearest the mean of {run.corpora[corpus]}")
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
    run: Run, others: tuple[int, ...], target: Path | None, place: int | None
) -> dict[int, list[int]]:
    """By corpus, the places among the run's files of what is matched with; -1 for a file outside of it."""
    if target is not None:
        probe(target)
        return {others[0]: [-1 if place is None else place]}
    return {corpus: [i for i, f in enumerate(run.files) if f.corpus == corpus] for corpus in others}


def _masks(
    run: Run, files: dict[int, list[int]], target: Path | None, number: int, clusters: RunClusters
) -> dict[int, np.ndarray]:
    masks: dict[int, np.ndarray] = {}
    for corpus, wanted in files.items():
        # Each corpus must have something of the cluster: a share of nothing cannot be heard.
        masks |= masks_of(clusters, number, wanted, run.corpora[corpus] if target is None else str(target))
    return masks
