"""Hybrids as files: block by block, from the source's timeline to sound at the source's rate."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.hybrid.curve import Curve, parse_alpha
from stylemix.hybrid.pieces import pieces as pieces
from stylemix.hybrid.prepare import prepare
from stylemix.hybrid.rebuild import rebuild_file as rebuild_file
from stylemix.hybrid.roles import Roles, assign_roles, check_words, told_quality
from stylemix.hybrid.source import SourceReader
from stylemix.hybrid.writing import Outputs, check_outputs
from stylemix.model.run import Run, inputs_of
from stylemix.progress import progress


def hybrid_file(
    run: Run,
    *,
    alpha: float | str | Curve,
    out: str | Path,
    source: str | Path | None = None,
    target: str | Path | None = None,
    mode: str = "match",
    phase: str = "auto",
    quality: str = "good",
    to: str | None = None,
    start_s: float = 0.0,
    duration_s: float | None = None,
    stems: str | Path | None = None,
    bits: str | None = None,
    sample_rate: int | None = None,
    seed: int = 0,
    force: bool = False,
    show_progress: bool = True,
) -> dict[str, Any]:
    """Render a hybrid to a file, in memory that does not grow with its length.

    Parameters
    ----------
    run : Run
        The trained model.
    alpha : float, str or Curve
        How much of the target: 0 is the source, 1 the target; a number or a curve over time, counted from
        where the hybrid begins (see `parse_alpha`).
    out : str or Path
        The file to write; its ending chooses the format. Never one of the inputs.
    source : str or Path, optional
        Any sound file; by default a representative file of the first corpus.
    target : str or Path, optional
        Any sound file; by default all files of the other corpus.
    mode : {"match", "style", "morph"}
        ``match`` blends each moment of the source with matching moments of the target; ``style`` moves the
        source to the target's latent statistics; ``morph`` aligns two given files in time.
    phase : {"auto", "parents", "source", "estimate"}
        ``auto``: that of a parent where alpha is at its end, and estimated from the hybrid's magnitudes between;
        ``parents``: that of whichever parent dominates; ``source``: the source's; ``estimate``: estimated everywhere.
    quality : {"draft", "good", "best"}
        How much work an estimate is worth; with any other phase it says nothing.
    to : str, optional
        Corpus at alpha 1; by default the first one to which the source does not belong.
    start_s, duration_s : float, optional
        The stretch of the source that is used (seconds).
    stems : str or Path, optional
        Folder for source.wav, target.wav, hybrid.wav and crossfade.wav, a plain crossfade of the first two.
    bits : {"16", "24", "32f"}, optional
        Sample format.
    sample_rate : int, optional
        Of the output (Hz); by default the source's.
    seed : int
        For the choice of the target material that is searched when there is more than an hour of it.
    force : bool
        Allow existing files to be replaced.
    show_progress : bool
        Show bars on stderr.

    Returns
    -------
    dict
        JSON-safe: out, stems, source, target, mode, phase, quality (None where nothing is estimated), alpha, seconds,
        sample_rate, channels, real_time_factor, peak, gain, warnings and facts about the alignment.

    Raises
    ------
    BadInput
        If an input is wrong or the output exists.
    StylemixError
        If the file cannot be written.
    """
    began = time.perf_counter()
    curve = parse_alpha(alpha)
    check_words(mode, phase, quality)
    roles = assign_roles(run, source=source, target=target, mode=mode, to=to)
    inputs = [roles.source, *roles.targets.values(), *inputs_of(run)]
    check_outputs(out, stems, force=force, inputs=inputs)
    with SourceReader(
        roles.source, model_rate=run.vqt.sample_rate, start_s=start_s, duration_s=duration_s
    ) as reader:
        # Before the work, which takes minutes for an hour of sound: a format that cannot be written.
        outputs = Outputs(
            out,
            stems,
            n_channels=reader.n_channels,
            sample_rate=reader.sample_rate,
            out_rate=sample_rate,
            bits=bits,
            force=force,
            inputs=inputs,
        )
        with outputs:
            prepared = prepare(
                run, roles, reader, mode=mode, phase=phase, seed=seed, show_progress=show_progress, quality=quality
            )
            with progress("rendering", reader.duration_s, show=show_progress) as report:
                for piece in pieces(prepared, reader, curve, want_target=stems is not None):
                    outputs.write(piece.hybrid, piece.source, piece.target, curve)
                    report(piece.seconds_done)
        taken = time.perf_counter() - began
        return {
            **outputs.result(),
            "source": str(roles.source),
            "target": _target_name(run, roles, target),
            "mode": mode,
            "phase": phase,
            "quality": told_quality(phase, quality),
            "alpha": _alpha_words(curve),
            "seconds": reader.duration_s,
            "channels": reader.n_channels,
            "real_time_factor": reader.duration_s / max(taken, 1e-9),
            **prepared.facts,
            "warnings": list(prepared.warnings),
        }


def hybrid(
    run: Run,
    *,
    alpha: float | str | Curve,
    source: str | Path | None = None,
    target: str | Path | None = None,
    mode: str = "match",
    phase: str = "auto",
    quality: str = "good",
    to: str | None = None,
    start_s: float = 0.0,
    duration_s: float | None = None,
    seed: int = 0,
    show_progress: bool = False,
) -> Wave:
    """Render a hybrid into memory.

    Parameters
    ----------
    run : Run
        The trained model.
    alpha : float, str or Curve
        How much of the target; this and all that follows as for `hybrid_file`.
    source, target : str or Path, optional
        Any sound files.
    mode : {"match", "style", "morph"}
        How the parents meet.
    phase : {"auto", "parents", "source", "estimate"}
        Where the phase comes from.
    quality : {"draft", "good", "best"}
        How much work an estimate of it is worth.
    to : str, optional
        Corpus at alpha 1.
    start_s, duration_s : float, optional
        The stretch of the source that is used (seconds).
    seed : int
        For the choice of the target material.
    show_progress : bool
        Show bars on stderr.

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
    curve = parse_alpha(alpha)
    check_words(mode, phase, quality)
    roles = assign_roles(run, source=source, target=target, mode=mode, to=to)
    with SourceReader(
        roles.source, model_rate=run.vqt.sample_rate, start_s=start_s, duration_s=duration_s
    ) as reader:
        prepared = prepare(
            run, roles, reader, mode=mode, phase=phase, seed=seed, show_progress=show_progress, quality=quality
        )
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
    from stylemix.hybrid.writing import render_each

    if not Path(source).is_dir():
        raise BadInput(
            f"{source}: is not a folder; give a folder of sound files, or --source FILE --out FILE"
        )
    # An alpha or a word that cannot be read is one mistake, not one for each file.
    options["alpha"] = parse_alpha(options.get("alpha", 0.5))
    check_words(options.get("mode", "match"), options.get("phase", "auto"), options.get("quality", "good"))
    stems = options.pop("stems", None)

    def render(path: Path, to: Path) -> dict[str, Any]:
        # Every hybrid has stems of the same names: each gets a folder of its own.
        folder = None if stems is None else Path(stems) / to.stem
        return hybrid_file(run, source=path, out=to, stems=folder, **options)

    return render_each(Path(source), Path(out), render)


def _alpha_words(curve: Curve) -> float | list[list[float]]:
    if len(curve.values) == 1:
        return float(curve.values[0])
    return np.stack([curve.times_s, curve.values], axis=1).tolist()


def _target_name(run: Run, roles: Roles, target: str | Path | None) -> str:
    return str(target) if target is not None else str(run.corpora[roles.other])
