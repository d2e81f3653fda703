"""One hybrid for each file of a folder; a bad file is named and left out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stylemix.audio import shown_name
from stylemix.errors import BadInput, StylemixError


def render_each(source: Path, out: Path, render: Callable[[Path, Path], dict[str, Any]]) -> dict[str, Any]:
    """Render every sound file of a folder, naming those that fail.

    Parameters
    ----------
    source, out : Path
        Folders.
    render : callable
        Renders one file to another.

    Returns
    -------
    dict
        out, done, skipped, warnings.

    Raises
    ------
    BadInput
        If the folders are the same, there is no file, or not one could be rendered.
    """
    if out.exists() and os.path.samefile(source, out):
        raise BadInput(
            f"{shown_name(out)}: hybrids must not go into the folder of their sources; choose another --out"
        )
    if out.exists() and not out.is_dir():
        raise BadInput(f"{shown_name(out)}: is a file; a folder of sources needs a folder for --out")
    files = sorted(p for p in source.iterdir() if p.is_file() and not p.name.startswith("."))
    if not files:
        raise BadInput(f"{shown_name(source)}: holds no files; give a folder of sound files")
    done, skipped, taken = [], [], set()
    for path in files:
        name = path.stem if path.stem not in taken else path.name
        taken.add(name)
        try:
            done.append(render(path, out / f"{name}.wav"))
        except StylemixError as error:
            skipped.append({"file": str(path), "reason": str(error)})
    if not done:
        raise BadInput(
            f"{shown_name(source)}: none of its {len(files)} files could be used; "
            f"the first: {skipped[0]['reason']}"
        )
    warnings = [f"left out: {s['reason']}" for s in skipped]
    return {"out": str(out), "done": done, "skipped": skipped, "warnings": warnings}
