"""The texts of a run folder: what it was made from, its recipe, its metrics; read as if from a stranger."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.files import write_text
from stylemix.recipe import Model, Recipe, Vqt, recipe_from_toml

FORMAT = "stylemix run"
VERSION = 1
# A run names every key that there was when it was made. What it cannot name had these values.
_BEFORE = Recipe(vqt=Vqt(overlap=1), model=Model(content_dim=0))
CORPORA, RECIPE, METRICS = "corpora.json", "recipe.toml", "metrics.json"
MODEL, LATENTS, CARD = "model.safetensors", "latents.safetensors", "card.md"
# How alpha is spaced, once that was measured.
ALPHA = "alpha.json"
# Everything that a training puts into its folder, and the maps that are kept there.
PARTS = frozenset(
    (CORPORA, RECIPE, METRICS, MODEL, LATENTS, CARD, ALPHA, "training", "previews", "tensorboard", "maps")
)
SPLITS = ("train", "held-out", "divided")
# A hundred thousand recordings take 30 MB.
_LARGEST_TEXT = 1 << 26


@dataclass(frozen=True)
class RunFile:
    """A file that a run was made from.

    Parameters
    ----------
    path : str
        Where it was.
    sha256 : str
        Hash of its content.
    seconds : float
        Its length.
    corpus : int
        Index of its corpus.
    split : str
        ``"train"``, ``"held-out"`` or ``"divided"`` (its end is held out).
    """

    path: str
    sha256: str
    seconds: float
    corpus: int
    split: str


@dataclass(frozen=True)
class Origin:
    """What a run was made from.

    Parameters
    ----------
    names, folders : tuple of str
        Of the corpora; the first is alpha 0.
    levels : np.ndarray, shape (n_corpora,), float32
        Loudness of each corpus (natural logarithm of the mean band magnitude).
    files : tuple of RunFile
        All files of all corpora.
    """

    names: tuple[str, ...]
    folders: tuple[str, ...]
    levels: np.ndarray
    files: tuple[RunFile, ...]


def is_run(folder: Path) -> bool:
    """Tell whether a folder was made by a training, of this version or another.

    Parameters
    ----------
    folder : Path
        Any folder.

    Returns
    -------
    bool
        True also where the run is damaged, as long as it says what it is.

    Examples
    --------
    >>> is_run(getfixture("tmp_path"))
    False
    """
    try:
        # Also where the rest of the text is no JSON any more.
        with (folder / CORPORA).open("rb") as handle:
            return f'"format": "{FORMAT}"'.encode() in handle.read(200)
    except OSError:
        return False


def read_origin(folder: Path) -> Origin:
    """Read what a run was made from, and check that it is a run and not a newer one.

    Parameters
    ----------
    folder : Path
        The run.

    Returns
    -------
    Origin
        Content of corpora.json; its paths are where files were, and may be anything.

    Raises
    ------
    BadInput
        If it is no run, damaged, or newer.
    """
    if not (folder / CORPORA).exists():
        raise BadInput(f"{folder}: is not a stylemix run (no {CORPORA}); give the folder that train made")
    value = _read_object(folder, CORPORA)
    version = value.get("version")
    if value.get("format") != FORMAT or not isinstance(version, int):
        raise BadInput(f"{folder}: is not a stylemix run; give the folder that train made")
    if version > VERSION:
        raise BadInput(f"{folder}: run format {version} is newer than this stylemix reads ({VERSION}); update stylemix")
    return _checked_origin(folder, value)


def write_origin(folder: Path, origin: Origin) -> None:
    """Write corpora.json.

    Parameters
    ----------
    folder : Path
        The run.
    origin : Origin
        What it is made from.
    """
    from stylemix.version import __version__

    value = {
        "format": FORMAT,
        "version": VERSION,
        "stylemix": __version__,
        "names": list(origin.names),
        "folders": list(origin.folders),
        "levels": [float(v) for v in origin.levels],
        "files": [asdict(file) for file in origin.files],
    }
    # In ASCII, which can hold a file name whose bytes are no text.
    write_text(folder / CORPORA, json.dumps(value, indent=1) + "\n")


def read_recipe(folder: Path) -> Recipe:
    """Read the resolved recipe of a run.

    Parameters
    ----------
    folder : Path
        The run.

    Returns
    -------
    Recipe
        The recipe.

    Raises
    ------
    BadInput
        If it is missing or damaged.
    """
    text = _read_text(folder, RECIPE)
    try:
        return recipe_from_toml(text, name=str(folder / RECIPE), base=_BEFORE)
    except RecursionError as error:
        raise damaged(folder, RECIPE, error) from None


def read_metrics(folder: Path) -> dict[str, Any]:
    """Read how a training went.

    Parameters
    ----------
    folder : Path
        The run.

    Returns
    -------
    dict
        Content of metrics.json; ``"finished"`` is always there.

    Raises
    ------
    BadInput
        If it is missing or damaged.
    """
    metrics = _read_object(folder, METRICS)
    if not isinstance(metrics.get("finished"), bool):
        raise damaged(folder, METRICS, "it does not say whether the training finished")
    return metrics


def damaged(folder: Path, part: str, reason: object) -> BadInput:
    """Make the one line that says that a run is damaged.

    Parameters
    ----------
    folder : Path
        The run.
    part : str
        The file in it.
    reason : object
        What is wrong.

    Returns
    -------
    BadInput
        To be raised.
    """
    words = shown_name(" ".join(str(reason).split())[:200])
    return BadInput(f"{shown_name(folder)}: the run is damaged ({part}: {words}); train it again")


def _read_text(folder: Path, part: str) -> str:
    path = folder / part
    try:
        if path.stat().st_size > _LARGEST_TEXT:
            raise damaged(folder, part, "larger than a run can have")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise damaged(folder, part, "missing") from None
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(folder, part, error) from None


def _read_object(folder: Path, part: str) -> dict[str, Any]:
    text = _read_text(folder, part)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damaged(folder, part, error) from None
    if not isinstance(value, dict):
        raise damaged(folder, part, "no JSON object")
    return value


def _checked_origin(folder: Path, value: dict[str, Any]) -> Origin:
    def check(rule: bool, what: str) -> None:
        if not rule:
            raise damaged(folder, CORPORA, what)

    names, folders, levels, files = (value.get(key, []) for key in ("names", "folders", "levels", "files"))
    check(_is_list(names, _is_text) and len(set(names)) == len(names) >= 1, "names must be different texts")
    check(_is_list(folders, _is_text) and len(folders) == len(names), "folders must be a text for each name")
    check(_is_list(levels, _is_number) and len(levels) == len(names), "levels must be a number for each name")
    check(
        _is_list(files, lambda file: _is_file(file, len(names))),
        "files must be objects with path, sha256, seconds, corpus and split",
    )
    return Origin(
        tuple(names), tuple(folders), np.asarray(levels, dtype=np.float32), tuple(RunFile(**file) for file in files)
    )


def _is_file(value: object, n_corpora: int) -> bool:
    if not isinstance(value, dict) or value.keys() != {field.name for field in fields(RunFile)}:
        return False
    corpus = value["corpus"]
    return (
        _is_text(value["path"])
        and _is_text(value["sha256"])
        and value["split"] in SPLITS
        and _is_number(value["seconds"])
        and value["seconds"] >= 0
        and isinstance(corpus, int)
        and not isinstance(corpus, bool)
        and 0 <= corpus < n_corpora
    )


def _is_list(value: object, rule: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(rule(item) for item in value)


def _is_text(value: object) -> bool:
    # The operating system takes no path with a null byte, and answers with an error of another kind.
    return isinstance(value, str) and value != "" and "\0" not in value


def _is_number(value: object) -> bool:
    # A whole number of a thousand digits is none that a computer can take.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9
