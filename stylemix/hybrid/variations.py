"""Several answers to one question: hybrids of one source that meet different material."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.hybrid.curve import Curve
from stylemix.hybrid.order import MOST_VARIATIONS, read_order
from stylemix.hybrid.rendering import order_outputs, prepare_ways, render_order
from stylemix.hybrid.writing import check_outputs
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
        The folder for variation-01.wav and so on, and for source.wav and crossfade.wav beside them.
    alpha, bits, sample_rate, force, show_progress
        See `hybrid_file`.
    **asked
        What is blended and how, as for `hybrid_file`.

    Returns
    -------
    dict
        JSON-safe: out, variations (one result for each, with ``apart``, the share of the time at which it is at
        another place of the target than the first), source, crossfade, warnings.

    Raises
    ------
    BadInput
        If an input is wrong, an output exists, or the mode has but one answer.
    """
    if not 2 <= n <= MOST_VARIATIONS:
        raise BadInput(f"variations: must be 2 to {MOST_VARIATIONS}, got {n}")
    order, folder = read_order(run, alpha=alpha, **asked), Path(out)
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{shown_name(folder)}: is a file; variations need a folder for --out")
    names = [folder / f"variation-{i + 1:02d}.wav" for i in range(n)]
    parents = folder / "parents"
    for name in names:
        check_outputs(name, None, force=force, inputs=order.inputs())
    check_outputs(parents / "first.wav", parents, force=force, inputs=order.inputs())
    done = []
    with order.open() as reader:
        ways = prepare_ways(order, reader, n, show_progress)
        for i, (name, prepared) in enumerate(zip(names, ways, strict=True)):
            began = time.perf_counter()
            with order_outputs(order, reader, name, parents if i == 0 else None, bits, sample_rate, force) as sinks:
                told = render_order(order, prepared, reader, sinks, show_progress)
            taken = time.perf_counter() - began
            done.append({**sinks.result(), **told, "real_time_factor": reader.duration_s / max(taken, 1e-9)})
    stems = done[0].pop("stems")
    return {
        "out": str(folder),
        "variations": done,
        "parents": stems,
        "warnings": done[0]["warnings"],
    }
