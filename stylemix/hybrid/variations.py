"""Several answers to one question: hybrids of one source that meet different material."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.files import check_output
from stylemix.hybrid.curve import Curve
from stylemix.hybrid.order import MOST_VARIATIONS, read_order
from stylemix.hybrid.rendering import order_outputs, prepare_ways, render_order
from stylemix.hybrid.writing import check_outputs, no_empty_folders
from stylemix.model.run import Run


def hybrid_variations(
    run: Run,
    *,
    n: int,
    out: str | Path,
    alpha: float | str | Path | Curve | None = None,
    bits: str | None = None,
    sample_rate: int | None = None,
    force: bool = False,
    show_progress: bool = True,
    beside: Iterable[str] = (),
    **asked: Any,
) -> dict[str, Any]:
    """Render several answers to one question, which meet different material of the target.

    Parameters
    ----------
    run : Run
        The trained model.
    n : int
        How many, 2 to 50; the first is what `hybrid_file` renders.
    out : str or Path
        The folder for variation-01.wav and so on, and for the stems of the first in a folder parents.
    alpha : float, str, Path or Curve, optional
        How much of the target, as for `hybrid_file`.
    bits : {"16", "24", "32f"}, optional
        Sample format.
    sample_rate : int, optional
        Of the output (Hz); by default the source's.
    force : bool
        Allow existing files to be replaced.
    show_progress : bool
        Show bars on stderr.
    beside : iterable of str
        Names of files that the caller is going to write into the folder, to be refused before the work.
    **asked
        What is blended and how, as for `hybrid_file`.

    Returns
    -------
    dict
        JSON-safe: out, variations (one result for each, with ``apart``, the share of the time at which it is at
        another place of the target than the first), parents (files of source, target, hybrid and crossfade of the
        first), warnings.

    Raises
    ------
    BadInput
        If an input is wrong, an output exists, or the mode has but one answer.
    StylemixError
        If a file cannot be written; none is left behind then.
    """
    if not 2 <= n <= MOST_VARIATIONS:
        raise BadInput(f"variations: must be 2 to {MOST_VARIATIONS}, got {n}")
    order, folder = read_order(run, alpha=alpha, **asked), Path(out)
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{shown_name(folder)}: is a file; variations need a folder for --out")
    names = [folder / f"variation-{i + 1:02d}.wav" for i in range(n)]
    stems = [folder / "parents", *[None] * (n - 1)]
    taken = []
    with no_empty_folders(folder / "parents"), order.open() as reader:
        for name in (*names, *(folder / other for other in beside)):
            check_output(name, force=force, inputs=order.inputs())
        check_outputs(names[0], stems[0], force=force, inputs=order.inputs())
        # All files are closed together: a failure half-way leaves none, and none that was there is lost.
        with contextlib.ExitStack() as stack:
            sinks = [
                stack.enter_context(order_outputs(order, reader, name, stem, bits, sample_rate, force))
                for name, stem in zip(names, stems, strict=True)
            ]
            told = []
            for prepared, sink in zip(prepare_ways(order, reader, n, show_progress), sinks, strict=True):
                began = time.perf_counter()
                told.append(render_order(order, prepared, reader, sink, show_progress))
                taken.append(time.perf_counter() - began)
        speeds = [reader.duration_s / max(seconds, 1e-9) for seconds in taken]
    done = [
        {**sink.result(), **one, "real_time_factor": speed}
        for sink, one, speed in zip(sinks, told, speeds, strict=True)
    ]
    stems_of = [one.pop("stems") for one in done]
    return {"out": str(folder), "variations": done, "parents": stems_of[0], "warnings": told[0]["warnings"]}
