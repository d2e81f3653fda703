"""Hybrids as files: block by block, from the source's timeline to sound at the source's rate."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.arrays import Wave
from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.hybrid.curve import Curve, parse_alpha
from stylemix.hybrid.dials import Dials, find_dials
from stylemix.hybrid.modes import resolve
from stylemix.hybrid.order import Order, read_order
from stylemix.hybrid.pieces import pieces as pieces
from stylemix.hybrid.prepare import Prepared, prepare, prepare_variations
from stylemix.hybrid.rebuild import rebuild_file as rebuild_file
from stylemix.hybrid.source import SourceReader
from stylemix.hybrid.writing import Outputs, check_outputs, render_each
from stylemix.model.run import Run
from stylemix.progress import progress

# A page of more is no longer listened to.
MOST_VARIATIONS = 50


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
        where the hybrid begins (see `parse_alpha`). Not with ``weights``, which say it too.
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
        What is blended, as for `stylemix.hybrid.order.read_order` (source, target, to, weights, source_cluster,
        target_cluster, start_s, duration_s, seed, raw_alpha, extrapolate), and how, as for
        `stylemix.hybrid.dials.Dials` (mode, align, continuity, randomness, loudness, chroma, timbre, envelope, pitch,
        detail, rhythm, phase, quality).

    Returns
    -------
    dict
        JSON-safe: out, stems, source, target, mode, dials, phase, quality (None where nothing is estimated), alpha,
        calibrated, seconds, sample_rate, channels, real_time_factor, peak, gain, warnings and facts about the
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
    check_outputs(out, stems, force=force, inputs=order.inputs())
    with order.open() as reader:
        # Before the work, which takes minutes for an hour of sound: a format that cannot be written.
        with _outputs(order, reader, out, stems, bits, sample_rate, force) as sinks:
            prepared = prepare(
                run, order.roles, reader, dials=order.dials, seed=order.seed, show_progress=show_progress
            )
            told = _render(order, prepared, reader, sinks, show_progress)
        taken = time.perf_counter() - began
        return {**sinks.result(), **told, "real_time_factor": reader.duration_s / max(taken, 1e-9)}


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
        ways = prepare_variations(
            run, order.roles, reader, n, dials=order.dials, seed=order.seed, show_progress=show_progress
        )
        for i, (name, prepared) in enumerate(zip(names, ways, strict=True)):
            began = time.perf_counter()
            with _outputs(order, reader, name, parents if i == 0 else None, bits, sample_rate, force) as sinks:
                told = _render(order, prepared, reader, sinks, show_progress)
            taken = time.perf_counter() - began
            done.append({**sinks.result(), **told, "real_time_factor": reader.duration_s / max(taken, 1e-9)})
    stems = done[0].pop("stems")
    return {
        "out": str(folder),
        "variations": done,
        "parents": stems,
        "warnings": done[0]["warnings"],
    }


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
    order = read_order(run, alpha=alpha, **asked)
    with order.open() as reader:
        curve, _, _ = order.positions(reader.duration_s)
        prepared = prepare(run, order.roles, reader, dials=order.dials, seed=order.seed, show_progress=show_progress)
        with progress("rendering", reader.duration_s, show=show_progress) as report:
            parts = []
            for piece in pieces(prepared, reader, curve):
                parts.append(piece.hybrid)
                report(piece.seconds_done)
        return Wave(np.concatenate(parts, axis=1), reader.sample_rate)


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
        raise BadInput(
            f"{source}: is not a folder; give a folder of sound files, or --source FILE --out FILE"
        )
    # An alpha or a word that cannot be read is one mistake, not one for each file.
    if options.get("alpha") is not None:
        options["alpha"] = parse_alpha(options["alpha"], extrapolate=options.get("extrapolate", False))
    find_dials({key: value for key, value in options.items() if key in Dials.__dataclass_fields__})
    stems = options.pop("stems", None)

    def render(path: Path, to: Path) -> dict[str, Any]:
        # Every hybrid has stems of the same names: each gets a folder of its own.
        folder = None if stems is None else Path(stems) / to.stem
        return hybrid_file(run, source=path, out=to, stems=folder, **options)

    return render_each(Path(source), Path(out), render)


def _outputs(
    order: Order,
    reader: SourceReader,
    out: str | Path,
    stems: str | Path | None,
    bits: str | None,
    sample_rate: int | None,
    force: bool,
) -> Outputs:
    return Outputs(
        out,
        stems,
        n_channels=reader.n_channels,
        sample_rate=reader.sample_rate,
        out_rate=sample_rate,
        bits=bits,
        force=force,
        inputs=order.inputs(),
    )


def _render(
    order: Order, prepared: Prepared, reader: SourceReader, sinks: Outputs, show_progress: bool
) -> dict[str, Any]:
    """Write one hybrid, and tell what it is."""
    curve, calibrated, warnings = order.positions(reader.duration_s)
    with progress("rendering", reader.duration_s, show=show_progress) as report:
        for piece in pieces(prepared, reader, curve, want_target=sinks.has_stems):
            sinks.write(piece.hybrid, piece.source, piece.target, order.curve)
            report(piece.seconds_done)
    roles, dials = order.roles, resolve(order.dials)
    given = {key for key in roles.targets if key < 0 or len(roles.targets) == 1}
    names = [str(roles.targets[key]) for key in given] or [order.run.corpora[i] for i in roles.others]
    return {
        "source": str(roles.source),
        "target": ", ".join(names),
        "mode": dials.mode,
        "dials": dials.as_dict(),
        "phase": dials.phase,
        "quality": dials.told_quality,
        "alpha": order.curve.told(),
        "calibrated": calibrated,
        "seconds": reader.duration_s,
        "channels": reader.n_channels,
        **prepared.facts,
        "warnings": [*prepared.warnings, *warnings],
    }
