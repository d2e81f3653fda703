"""The run folder during a training: made at once, resumed after any kill, replaced only when asked."""

from __future__ import annotations

import contextlib
import glob
import math
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.files import readable_os_errors, write_json, write_text
from stylemix.model.artefact import (
    ALPHA,
    CARD,
    LATENTS,
    METRICS,
    PARTS,
    RECIPE,
    Origin,
    is_run,
    read_metrics,
    read_origin,
    write_origin,
)
from stylemix.recipe import Recipe, Training

_TEMPORARY = ".tmp-"
# What a desktop puts into every folder.
_NOBODYS = frozenset((".DS_Store", "Thumbs.db", "desktop.ini"))
# How a training ended, in words.
ENDINGS = {
    "time": "the time was used up",
    "steps": "the steps were done",
    "plateau": "nothing got better any more",
}


def choose_folder(folders: Sequence[str | Path], out: str | Path | None) -> Path:
    """Choose where a run goes.

    Parameters
    ----------
    folders : sequence of paths
        The corpora.
    out : str or Path or None
        What the user says; by default the names of the corpora joined, in the working directory.

    Returns
    -------
    Path
        Where nothing of the corpora lies.

    Raises
    ------
    BadInput
        If it is a corpus, holds one, or would be taken for a part of one.
    """
    if out is None:
        return Path("-".join(Path(f).absolute().name or "corpus" for f in folders)[:100] + ".mix")
    path = Path(out)
    place = path.resolve()
    for folder in folders:
        corpus = Path(folder).resolve()
        if place == corpus or place in corpus.parents:
            raise BadInput(
                f"{shown_name(path)}: the run must not be one of the folders it learns from, nor hold one; "
                "choose another --out"
            )
        if corpus in place.parents and place.suffix != ".mix":
            raise BadInput(
                f"{shown_name(path)}: lies in a folder it learns from, and its previews would be taken for "
                "recordings; choose an --out outside it"
            )
    return path


def check_folder(folder: Path, folders: Sequence[str | Path], *, resume: bool, force: bool) -> None:
    """Refuse what is in the way, before anything is computed.

    Parameters
    ----------
    folder : Path
        Where the run goes.
    folders : sequence of paths
        The corpora.
    resume, force : bool
        What the user allows.

    Raises
    ------
    BadInput
        If something else is there, or a run that may be neither resumed nor replaced.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise BadInput(f"{shown_name(folder)}: is there already and is no folder; choose another --out")
    if not _contents(folder):
        return
    if not is_run(folder):
        raise BadInput(f"{shown_name(folder)}: is not a stylemix run and not empty; choose another --out")
    if resume:
        before = [Path(f).name for f in read_origin(folder).folders]
        now = [Path(f).absolute().name for f in folders]
        if before != now:
            begun, given = (shown_name(", ".join(names)) for names in (before, now))
            raise BadInput(f"{shown_name(folder)}: was begun with {begun}, not {given}; give the same folders")
    elif not force:
        raise BadInput(f"{shown_name(folder)}: exists already; add --resume to go on with it or --force to replace it")
    elif others := _contents(folder) - PARTS:
        raise BadInput(
            f"{shown_name(folder)}: holds {shown_name(sorted(others)[0])}, which is no part of a run and would "
            "be lost; move it away, or choose another --out"
        )


def make_folder(folder: Path, origin: Origin, recipe: Recipe) -> None:
    """Make a run folder, or replace one: it is there with all that says what it is, or not at all.

    Parameters
    ----------
    folder : Path
        Checked by `check_folder`.
    origin : Origin
        What the run is made from.
    recipe : Recipe
        Its resolved recipe.
    """
    parent = folder.absolute().parent
    with readable_os_errors(folder):
        parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f"{_TEMPORARY}{folder.name}-", dir=parent))
        try:
            # mkdtemp makes private folders; this one has the permissions any other new folder would have.
            made = fresh / "run"
            made.mkdir()
            write_text(made / RECIPE, recipe.to_toml())
            write_json(made / METRICS, {"finished": False})
            write_origin(made, origin)
            if folder.is_dir():
                folder.rename(fresh / "before")
            made.rename(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def reopen_folder(folder: Path, origin: Origin, recipe: Recipe) -> None:
    """Take up a run where it was left, with limits that may be new.

    Parameters
    ----------
    folder : Path
        Checked by `check_folder`.
    origin : Origin
        What the corpora are now.
    recipe : Recipe
        As it was begun, but for the limits.

    Raises
    ------
    BadInput
        If the corpora are not what they were.
    """
    before, now = ({(file.sha256, file.corpus) for file in o.files} for o in (read_origin(folder), origin))
    if before != now:
        raise BadInput(
            f"{shown_name(folder)}: its corpora have changed since ({len(now - before)} new files, "
            f"{len(before - now)} gone); train anew with --force or another --out"
        )
    with readable_os_errors(folder):
        write_text(folder / RECIPE, recipe.to_toml())
        write_origin(folder, origin)


def mark_unfinished(folder: Path) -> None:
    """Say that a run is being trained: what belonged to other weights goes.

    Parameters
    ----------
    folder : Path
        The run.
    """
    with readable_os_errors(folder):
        write_json(folder / METRICS, {"finished": False})
        for part in (LATENTS, CARD, ALPHA):
            (folder / part).unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what killed trainings left half-written in and beside a run.

    Parameters
    ----------
    folder : Path
        The run, which nobody else is training.
    """
    beside = folder.absolute().parent
    with contextlib.suppress(OSError):
        for left in [*folder.rglob(f"{_TEMPORARY}*"), *beside.glob(f"{_TEMPORARY}{glob.escape(folder.name)}-*")]:
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def why_finished(folder: Path, before: Training, now: Training) -> str | None:
    """Tell whether a run has nothing more to do under these limits.

    Parameters
    ----------
    folder : Path
        A run.
    before : Training
        Its limits.
    now : Training
        The limits it is resumed with.

    Returns
    -------
    str or None
        A line for people; None if it goes on.
    """
    metrics = read_metrics(folder)
    if not metrics["finished"]:
        return None
    done = _number(metrics, "steps"), _number(metrics, "seconds")
    if now.steps and done[0] >= now.steps:
        return f"is finished: {ENDINGS['steps']}; more --steps go on"
    if now.minutes and done[1] >= now.minutes * 60:
        return f"is finished: {ENDINGS['time']}; more --minutes go on"
    # Who allows more than before knows about the plateau and wants to go on all the same.
    if metrics.get("ended_by") == "plateau" and not _more(before, now):
        return f"is finished: {ENDINGS['plateau']}; more --minutes go on"
    return None


def _more(before: Training, now: Training) -> bool:
    limits = ((before.minutes, now.minutes), (before.steps, now.steps))
    return any((new or math.inf) > (old or math.inf) for old, new in limits)


def _number(metrics: dict[str, Any], key: str) -> float:
    value = metrics.get(key)
    return value if isinstance(value, (int, float)) else 0.0


def _contents(folder: Path) -> set[str]:
    if not folder.is_dir():
        return set()
    return {p.name for p in folder.iterdir() if p.name not in _NOBODYS and not p.name.startswith(_TEMPORARY)}
