"""How well the model knows a file: encoded, decoded, and compared with what could be had at best."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.hybrid.bridge import RateBridge
from stylemix.hybrid.curve import Curve
from stylemix.hybrid.overlap import overlapped, render_plan
from stylemix.hybrid.quality import Comparison
from stylemix.hybrid.run_files import find_file
from stylemix.hybrid.scan import step_samples
from stylemix.hybrid.source import SourceReader
from stylemix.hybrid.synthesis import with_estimate, with_phases
from stylemix.hybrid.voice import Voice, hear
from stylemix.hybrid.writing import Outputs, check_outputs
from stylemix.model.run import Run, inputs_of
from stylemix.phase import PooledMagnitudes, unit
from stylemix.phase.dial import find_quality
from stylemix.progress import progress
from stylemix.transforms import Block

PHASES = ("auto", "source", "estimate")


def rebuild_file(
    run: Run,
    file: str | Path,
    *,
    out: str | Path,
    force: bool = False,
    bits: str | None = None,
    phase: str = "auto",
    quality: str = "good",
    start_s: float = 0.0,
    duration_s: float | None = None,
    show_progress: bool = True,
) -> dict[str, Any]:
    """Encode and decode one file: magnitudes as the model knows them, without the file's own details.

    Parameters
    ----------
    run : Run
        The trained model.
    file : str or Path
        Any sound file.
    out : str or Path
        The file to write.
    force : bool
        Allow an existing file to be replaced.
    bits : {"16", "24", "32f"}, optional
        Sample format.
    phase : {"auto", "source", "estimate"}
        The file's own phase (``auto`` and ``source``), or one estimated from the magnitudes.
    quality : {"draft", "good", "best"}
        How much work an estimate is worth; with any other phase it says nothing.
    start_s, duration_s : float, optional
        The stretch of the file that is used (seconds).
    show_progress : bool
        Show a bar on stderr.

    Returns
    -------
    dict
        JSON-safe: out, file, seconds, phase, quality (None where nothing is estimated), real_time_factor, and for the
        model and for the file's own magnitudes at the model's frame rate (the best that any model could do):
        ``sc2048_db`` and ``log_spectral_distance_db``, ``best_sc2048_db`` and ``best_log_spectral_distance_db``, all at
        the model's rate.

    Raises
    ------
    BadInput
        If the file cannot be read, the output may not be written, or a word is unknown.
    """
    began = time.perf_counter()
    if phase not in PHASES:
        raise BadInput(f"phase must be one of {', '.join(PHASES)}, got {phase!r}")
    find_quality(quality)
    phase = "source" if phase == "auto" else phase
    inputs = [file, *inputs_of(run)]
    check_outputs(out, None, force=force, inputs=inputs)
    index = find_file(run, file)
    own = 0 if index is None else run.files[index].corpus
    condition = np.eye(len(run.corpora), dtype=np.float32)[own]
    known, best = Comparison(run.vqt.sample_rate), Comparison(run.vqt.sample_rate)
    with SourceReader(file, model_rate=run.vqt.sample_rate, start_s=start_s, duration_s=duration_s) as reader:
        way = _Way(run, condition, phase, quality)
        bridge = RateBridge(reader)
        outputs = Outputs(
            out,
            None,
            n_channels=reader.n_channels,
            sample_rate=reader.sample_rate,
            out_rate=None,
            bits=bits,
            force=force,
            inputs=inputs,
        )
        with outputs, progress("rebuilding", reader.duration_s, show=show_progress) as report:
            for start, stop, (decoded, pooled) in _rebuilt(way, reader):
                original = reader.read_model(start, stop)
                known.add(original, decoded)
                best.add(original, pooled)
                sound, source = bridge.push(decoded, original, last=stop >= reader.n_model_samples)
                outputs.write(sound, source, source, Curve(np.zeros(1), np.zeros(1)))
                report(stop / run.vqt.sample_rate)
        taken = time.perf_counter() - began
        result = outputs.result()
        return {
            "out": result["out"],
            "file": str(file),
            "seconds": reader.duration_s,
            "phase": phase,
            "quality": quality if phase == "estimate" else None,
            "peak": result["peak"],
            "gain": result["gain"],
            "real_time_factor": reader.duration_s / max(taken, 1e-9),
            **_figures("", known),
            **_figures("best_", best),
        }


def _figures(prefix: str, comparison: Comparison) -> dict[str, float]:
    return {
        f"{prefix}sc2048_db": comparison.convergence_db(),
        f"{prefix}log_spectral_distance_db": comparison.distance_db(),
    }


@dataclass(frozen=True)
class _Way:
    """How a file is rebuilt."""

    run: Run
    condition: np.ndarray
    phase: str
    quality: str


def _rebuilt(way: _Way, reader: SourceReader) -> Iterator[tuple[int, int, np.ndarray]]:
    """Render both: from the model's magnitudes and from the pooled ones, stretches of shape (2, C, T)."""
    run = way.run

    def render(block: Block, known: np.ndarray | None) -> np.ndarray:
        with torch.inference_mode():
            samples = reader.read_model(block.read_start, block.read_stop)
            voice = hear(run.vqt, samples)
            latents = run.encode(voice.pooled.numpy(), way.condition, run.context(samples))
            decoded = torch.from_numpy(run.decode(latents.codes, way.condition, latents.loudness))
            heads = (None, None) if known is None else known
            return np.stack(
                [_synthesised(way, voice, x, head) for x, head in zip((decoded, voice.pooled), heads, strict=True)]
            )

    return overlapped(render_plan(run, reader.n_model_samples, align=step_samples(run)), render)


def _synthesised(way: _Way, voice: Voice, log_magnitude: torch.Tensor, known: np.ndarray | None) -> np.ndarray:
    """Sound of log-magnitudes at the common frame rate; the balance of the channels comes from the file."""
    vqt, parent = way.run.vqt, voice.coefficients
    balance = vqt.pool(parent.magnitudes(), parent.n_samples) - voice.pooled
    wanted = PooledMagnitudes(vqt, parent.n_samples, log_magnitude + balance)
    turns = tuple(unit(c) for c in parent.groups)
    if way.phase == "estimate":
        return with_estimate(vqt, wanted, turns, known, way.quality)
    return with_phases(vqt, wanted, turns)
