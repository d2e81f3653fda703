"""Hybrids as files: block by block, from the source's timeline to sound at the source's rate."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.arrays import Wave
from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.hybrid.asked import find_asked
from stylemix.hybrid.curve import Curve
from stylemix.hybrid.folders import render_each
from stylemix.hybrid.order import check_asked, read_order
from stylemix.hybrid.pieces import pieces as pieces
from stylemix.hybrid.rebuild import rebuild_file as rebuild_file
from stylemix.hybrid.rendering import order_outputs, prepare_ways, render_order
from stylemix.hybrid.writing import check_format, check_outputs, no_empty_folders
from stylemix.model.run import Run
from stylemix.progress import progress


def hybrid_file(
    run: Run,
    *,
    alpha: float | str | Path | Curve | None = None,
    out: str | Path,
    stems: str | Path | None = None,
    bits: str | None = None,
    sample_rate: int | None = None,
    force: bool = False,
    show_progress: bool = True,
    **asked: Any,
) -> dict[str, Any]:
    """Render a hybrid to a file, in memory that does not grow with its length.

    Parameters
    ----------
    run : Run
        The trained model.
    alpha : float, str, Path or Curve, optional
        How much of the target: 0 is the source, 1 the target; a number or a curve over time, counted from
        where the hybrid begins (see `parse_alpha`). Not with ``weights`` or ``walk``, which say it too.
    out : str or Path
        The file to write; its ending chooses the format. Never one of the inputs.
    stems : str or Path, optional
        Folder for source.wav, target.wav, hybrid.wav and crossfade.wav, a plain crossfade of the first two.
    bits : {"16", "24", "32f"}, optional
        Sample format.
    sample_rate : int, optional
        Of the output (Hz); by default the source's.
    force : bool
        Allow existing files to be replaced.
    show_progress : bool
        Show bars on stderr.
    **asked
        What is blended, see `stylemix.hybrid.asked.Asked` (source, target, to, from_corpus, weights, source_cluster,
        target_cluster, clusters, space, walk, start_s, duration_s, target_start_s, target_duration_s, seed, raw_alpha,
        extrapolate, variation), and how, see `stylemix.hybrid.dials.Dials` (mode, align, continuity, randomness,
        loudness, chroma, timbre, envelope, pitch, detail, rhythm, phase, quality).

    Returns
    -------
    dict
        JSON-safe: out, stems, source, target, from, to, mode, dials, phase, quality (None where nothing is estimated),
        alpha, calibrated, seconds, sample_rate, channels, real_time_factor, peak, gain, warnings and facts about the
        alignment.

    Raises
    ------
    BadInput
        If an input is wrong or the output exists.
    StylemixError
        If the file cannot be written.
    """
    began = time.perf_counter()
    order = read_order(run, alpha=alpha, **asked)
    with no_empty_folders(out, stems), order.open() as reader:
        check_outputs(out, stems, force=force, inputs=order.inputs())
        # Before the work, which takes minutes for an hour of sound: a format that cannot be written.
        with order_outputs(order, reader, out, stems, bits, sample_rate, force) as sinks:
            prepared = prepare_ways(order, reader, order.asked.variation, show_progress)[-1]
            told = render_order(order, prepared, reader, sinks, show_progress)
        taken = time.perf_counter() - began
        return {**sinks.result(), **told, "real_time_factor": reader.duration_s / max(taken, 1e-9)}


def hybrid(
    run: Run,
    *,
    alpha: float | str | Path | Curve | None = None,
    show_progress: bool = False,
    **asked: Any,
) -> Wave:
    """Render a hybrid into memory.

    Parameters
    ----------
    run : Run
        The trained model.
    alpha : float, str, Path or Curve, optional
        How much of the target; a number or a curve over time (see `parse_alpha`).
    show_progress : bool
        Show bars on stderr.
    **asked
        What is blended and how, as for `hybrid_file`.

    Returns
    -------
    Wave
        At the source's rate, with the source's channels; not limited to full scale (`Wave.save` sees to
        that).

    Raises
    ------
    BadInput
        If an input is wrong.
    """
    return hybrid_told(run, alpha=alpha, show_progress=show_progress, **asked)[0]


def hybrid_told(
    run: Run,
    *,
    alpha: float | str | Path | Curve | None = None,
    show_progress: bool = False,
    **asked: Any,
) -> tuple[Wave, tuple[str, ...]]:
    """Render a hybrid into memory, with what is to be said about it.

    Parameters
    ----------
    run : Run
        The trained model.
    alpha : float, str, Path or Curve, optional
        As for `hybrid`.
    show_progress : bool
        Show bars on stderr.
    **asked
        As for `hybrid`.

    Returns
    -------
    wave : Wave
        As of `hybrid`.
    warnings : tuple of str
        Those that `hybrid_file` has among its results.

    Raises
    ------
    BadInput
        If an input is wrong.
    """
    order = read_order(run, alpha=alpha, **asked)
    with order.open() as reader:
        curve, _, warnings = order.positions(reader.duration_s)
        prepared = prepare_ways(order, reader, order.asked.variation, show_progress)[-1]
        with progress("rendering", reader.duration_s, show=show_progress) as report:
            parts = []
            for piece in pieces(prepared, reader, curve):
                parts.append(piece.hybrid)
                report(piece.seconds_done)
        return Wave(np.concatenate(parts, axis=1), reader.sample_rate), (*prepared.warnings, *warnings)


def hybrid_folder(run: Run, *, source: str | Path, out: str | Path, **options: Any) -> dict[str, Any]:
    """Render a hybrid of every sound file in a folder; a bad one is named and left out.

    Parameters
    ----------
    run : Run
        The trained model.
    source : str or Path
        Folder of sound files.
    out : str or Path
        Folder for the hybrids, another one than `source`; they get the names of their sources and end in
        .wav.
    **options
        As for `hybrid_file`.

    Returns
    -------
    dict
        JSON-safe: out, done (one result for each file), skipped (file and reason), warnings.

    Raises
    ------
    BadInput
        If the folders are the same, there is no file, or not one could be rendered.
    """
    if not Path(source).is_dir():
        way_out = "give a folder of sound files, or --source FILE --out FILE"
        raise BadInput(f"{shown_name(source)}: is not a folder; {way_out}")
    # What is wrong whatever the file is one mistake, not one for each file.
    elsewhere = ("bits", "sample_rate", "force", "show_progress", "stems")
    asked = {key: value for key, value in options.items() if key not in elsewhere}
    checked = check_asked(run, find_asked({**asked, "source": source}))
    check_format(options.get("bits"), options.get("sample_rate"))
    if checked.curve is not None:
        options["alpha"] = checked.curve
    stems = options.pop("stems", None)

    def render(path: Path, to: Path) -> dict[str, Any]:
        # Every hybrid has stems of the same names: each gets a folder of its own.
        folder = None if stems is None else Path(stems) / to.stem
        return hybrid_file(run, source=path, out=to, stems=folder, **options)

    return render_each(Path(source), Path(out), render)
