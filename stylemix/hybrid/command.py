"""The command line that makes a hybrid again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stylemix.hybrid.asked import Asked
from stylemix.hybrid.curve import Curve
from stylemix.hybrid.dials import Dials
from stylemix.hybrid.walk import Walk

_RENAMED = {"from_corpus": "from"}


def hybrid_command(run: str | Path, asked: Mapping[str, Any], *, out: str | Path) -> str:
    """Write down the command that asks for the same hybrid.

    Parameters
    ----------
    run : str or Path
        The run's folder.
    asked : mapping
        As for `stylemix.hybrid.render.hybrid_file`; what is as usual is left out.
    out : str or Path
        The file.

    Returns
    -------
    str
        For a shell.

    Examples
    --------
    >>> hybrid_command("a.mix", {"source": "my song.wav", "start_s": 1.5, "alpha": 0.5, "mode": "match"}, out="h.wav")
    "stylemix hybrid a.mix --source 'my song.wav' --start 1.5 --alpha 0.5 --out h.wav"
    """
    usual = {**Asked.__dataclass_fields__, **Dials.__dataclass_fields__}
    words = ["stylemix", "hybrid", str(run)]
    for name, value in asked.items():
        # A walk has a default mode of its own, which the command line knows as well: None.
        as_usual = name in usual and value == usual[name].default and (name != "mode" or asked.get("walk") is None)
        if value is None or as_usual:
            continue
        option = f"--{_RENAMED.get(name, name.removesuffix('_s')).replace('_', '-')}"
        if isinstance(value, bool):
            words += [option] if value else []
            continue
        text = _text(value)
        # What begins with a dash would be taken for an option.
        words += [f"{option}={text}"] if text.startswith("-") else [option, text]
    return shlex.join([*words, "--out", str(out)])


def _text(value: object) -> str:
    if isinstance(value, Walk):
        return value.told()
    if isinstance(value, Curve):
        if value.path is not None:
            return str(value.path)
        pairs = zip(value.times_s.tolist(), value.values.tolist(), strict=True)
        return str(value.values[0]) if len(value.values) == 1 else ",".join(f"{t!r}:{a!r}" for t, a in pairs)
    if isinstance(value, Mapping):
        return ",".join(f"{name}={share}" for name, share in value.items())
    return str(value)
