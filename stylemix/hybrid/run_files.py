"""The files of a run: the one that stands for a corpus, and which of them a sound file is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stylemix.audio import probe
from stylemix.errors import BadInput, StylemixError
from stylemix.files import sha256_file

if TYPE_CHECKING:
    from stylemix.model.run import Run


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


def find_corpus(run: Run, name: str) -> int:
    """Return a corpus by its name.

    Parameters
    ----------
    run : Run
        The trained model.
    name : str
        As the user gave it.

    Returns
    -------
    int
        Its place among the run's corpora.

    Raises
    ------
    BadInput
        If there is none of that name.
    """
    names = list(run.corpora)
    if name not in names:
        raise BadInput(f"hybrid: there is no corpus {name!r} in this run; choose one of {', '.join(names)}")
    return names.index(name)


def existing_files(run: Run, wanted: Sequence[int], mode: str, warnings: list[str]) -> dict[int, Path]:
    """Keep the files that are still where they were.

    Parameters
    ----------
    run : Run
        The trained model.
    wanted : sequence of int
        Places among its files.
    mode : str
        The mode style needs none of them and keeps all.
    warnings : list of str
        Gets a line where some are missing.

    Returns
    -------
    dict of int to Path
        By their places.

    Raises
    ------
    BadInput
        If there are none left.
    """
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
