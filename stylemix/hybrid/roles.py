"""Who is who in a hybrid: which file is the source, which corpus it belongs to, and what it is to become."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylemix.audio import probe, shown_name
from stylemix.errors import BadInput, StylemixError
from stylemix.files import sha256_file
from stylemix.phase.dial import find_quality

if TYPE_CHECKING:
    from stylemix.model.run import Run

MODES = ("match", "style", "morph")
PHASES = ("auto", "parents", "source", "estimate")


@dataclass(frozen=True)
class Roles:
    """The two parents of a hybrid.

    Parameters
    ----------
    source : Path
        The file whose timeline is kept.
    source_index : int or None
        Its place among the run's files, if it is one of them.
    own, other : int
        Corpus at alpha 0 and at alpha 1.
    targets : dict of int to Path
        Files to match with, by their place in the run's files (or -1 for a file of the user's choice).
    warnings : tuple of str
        What the user should know.
    """

    source: Path
    source_index: int | None
    own: int
    other: int
    targets: dict[int, Path] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def conditions(self, n_corpora: int) -> np.ndarray:
        """Return the weights of the corpora at alpha 0 and 1.

        Parameters
        ----------
        n_corpora : int
            Number of corpora.

        Returns
        -------
        np.ndarray, shape (2, n_corpora), float32
            Two one-hot rows.
        """
        return np.eye(n_corpora, dtype=np.float32)[[self.own, self.other]]


def check_words(mode: str, phase: str, quality: str, *, phases: tuple[str, ...] = PHASES) -> None:
    """Refuse unknown modes, phases and qualities.

    Parameters
    ----------
    mode, phase, quality : str
        As the user gave them.
    phases : tuple of str
        The phases there are.

    Raises
    ------
    BadInput
        If one is unknown.
    """
    if mode not in MODES:
        raise BadInput(f"mode must be one of {', '.join(MODES)}, got {mode!r}")
    if phase not in phases:
        raise BadInput(f"phase must be one of {', '.join(phases)}, got {phase!r}")
    find_quality(quality)


def told_quality(phase: str, quality: str) -> str | None:
    """Say at which quality phases were estimated.

    Parameters
    ----------
    phase, quality : str
        As the user gave them.

    Returns
    -------
    str or None
        None where no phase is estimated.

    Examples
    --------
    >>> told_quality("estimate", "best"), told_quality("source", "best")
    ('best', None)
    """
    return quality if phase in ("auto", "estimate") else None


def assign_roles(
    run: Run, *, source: str | Path | None, target: str | Path | None, mode: str, to: str | None
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
    mode : {"match", "style", "morph"}
        What is going to be done.
    to : str, optional
        Name of the target's corpus.

    Returns
    -------
    Roles
        Files and corpora.

    Raises
    ------
    BadInput
        If a file or the corpus does not exist, or `mode` needs a target.
    """
    warnings: list[str] = []
    index = representative(run, 0) if source is None else find_file(run, source)
    path = run.file_path(index) if source is None and index is not None else Path(str(source))
    own = 0 if index is None else run.files[index].corpus
    target_index = find_file(run, target) if target is not None else None
    other = _other_corpus(run, own, to, None if target_index is None else run.files[target_index].corpus)
    if mode == "morph" and target is None:
        raise BadInput("hybrid: the mode morph aligns two given files; add --target FILE")
    if source is None:
        warnings.append(
            f"no source given: {shown_name(path.name)}, the file nearest the mean of {run.corpora[0]}"
        )
    if target is not None:
        probe(target)
        key = -1 if target_index is None else target_index
        return Roles(path, index, own, other, {key: Path(target)}, tuple(warnings))
    wanted = [i for i, f in enumerate(run.files) if f.corpus == other]
    return Roles(path, index, own, other, _existing(run, wanted, mode, warnings), tuple(warnings))


def representative(run: Run, corpus: int) -> int:
    """Return the file, held out if there is one, whose mean latent is nearest its corpus' mean.

    Parameters
    ----------
    run : Run
        The trained model.
    corpus : int
        Which corpus.

    Returns
    -------
    int
        Its place among the run's files.
    """
    mine = [i for i, f in enumerate(run.files) if f.corpus == corpus]
    means = {i: run.latents(i).codes.mean(axis=1) for i in mine}
    centre = np.average([means[i] for i in mine], axis=0, weights=[run.files[i].seconds for i in mine])
    held_out = [i for i in mine if run.files[i].split == "held-out"] or mine
    return min(held_out, key=lambda i: float(np.linalg.norm(means[i] - centre)))


def find_file(run: Run, path: str | Path) -> int | None:
    """Return a file's place in the run, known by its path or its content.

    Parameters
    ----------
    run : Run
        The trained model.
    path : str or Path
        Any sound file.

    Returns
    -------
    int or None
        None if it is not in the corpora.

    Raises
    ------
    BadInput
        If it cannot be read.
    """
    info = probe(path)
    for i, f in enumerate(run.files):
        if Path(f.path).exists() and os.path.samefile(f.path, path):
            return i
    # The hash is only worth its time when a file of the run lasts as long.
    alike = [i for i, f in enumerate(run.files) if abs(f.seconds - info.duration_s) < 1.0]
    if not alike:
        return None
    digest = sha256_file(path)
    return next((i for i in alike if run.files[i].sha256 == digest), None)


def _other_corpus(run: Run, own: int, to: str | None, of_target: int | None) -> int:
    names = list(run.corpora)
    if to is not None:
        if to not in names:
            raise BadInput(f"hybrid: there is no corpus {to!r} in this run; choose one of {', '.join(names)}")
        return names.index(to)
    if of_target is not None and of_target != own:
        return of_target
    return next((i for i in range(len(names)) if i != own), own)


def _existing(run: Run, wanted: list[int], mode: str, warnings: list[str]) -> dict[int, Path]:
    """Keep the files that are still where they were; the mode style needs none of them."""
    if mode == "style":
        return {i: Path(run.files[i].path) for i in wanted}
    found, problem = {}, None
    for i in wanted:
        try:
            found[i] = run.file_path(i)
        except StylemixError as error:
            problem = error
    if problem is not None and not found:
        raise problem
    if problem is not None:
        warnings.append(f"{len(wanted) - len(found)} of {len(wanted)} target files are not used: {problem}")
    return found
