"""What a run was made from, in numbers for people and scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stylemix.model.artefact import RunFile


def corpus_facts(names: Sequence[str], folders: Sequence[str], files: Sequence[RunFile]) -> list[dict[str, Any]]:
    """Sum the corpora of a run up.

    Parameters
    ----------
    names, folders : sequence of str
        One a corpus.
    files : sequence of RunFile
        Of all corpora.

    Returns
    -------
    list of dict
        JSON-safe, for each: name, folder, files, minutes, held_out_files.

    Examples
    --------
    >>> corpus_facts(["a"], ["/a"], [RunFile("/a/1.wav", "ff", 90.0, 0, "train")])[0]["minutes"]
    1.5
    """
    return [
        {
            "name": name,
            "folder": folders[i],
            "files": sum(f.corpus == i for f in files),
            "minutes": round(sum(f.seconds for f in files if f.corpus == i) / 60, 2),
            "held_out_files": sum(f.corpus == i and f.split != "train" for f in files),
        }
        for i, name in enumerate(names)
    ]
