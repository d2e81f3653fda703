"""Folders to material: checked, turned into features once, split into what is learned from and judged on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stylemix.audio import shown_name
from stylemix.context import Context, file_context, make_context
from stylemix.corpus import AudioFile
from stylemix.doctor import Report, check_usable, inspect_folders
from stylemix.errors import BadInput
from stylemix.features import file_features, make_vqt
from stylemix.model.artefact import RunFile
from stylemix.model.material import Material, Piece
from stylemix.model.split import divide, split_files
from stylemix.progress import progress
from stylemix.recipe import Recipe


@dataclass(frozen=True)
class Prepared:
    """Everything a training needs.

    Parameters
    ----------
    material : Material
        What to learn from and what to be judged on.
    files : tuple of RunFile
        For the run folder.
    frames : tuple of np.ndarray, each (N, K)
        Log-magnitudes of every file, mapped from the disk.
    contexts : tuple of np.ndarray, each (M, R), or None
        Scattering around the latent steps of every file, where the recipe wants it.
    report : Report
        What the doctor said.
    """

    material: Material
    files: tuple[RunFile, ...]
    frames: tuple[np.ndarray, ...]
    contexts: tuple[np.ndarray | None, ...]
    report: Report


def prepare(folders: Sequence[str | Path], recipe: Recipe, *, show_progress: bool = True) -> Prepared:
    """Check the folders, compute their features, split their files.

    Parameters
    ----------
    folders : sequence of paths
        One a corpus.
    recipe : Recipe
        Transform, split and weights.
    show_progress : bool
        Show on stderr what the doctor found, what is skipped above all, and a bar.

    Returns
    -------
    Prepared
        Features that were computed before come from the cache.

    Raises
    ------
    BadInput
        If a folder is missing, given twice, or a weight names no corpus.
    StylemixError
        If a corpus has nothing usable: the reasons are counted.
    """
    report = inspect_folders(folders)
    check_usable(report)
    if show_progress:
        sys.stderr.writelines(f"{line}\n" for line in report.lines(minutes=recipe.training.minutes))
    names = [corpus.name for corpus in report.corpora]
    _check_weights(recipe.training.weights, names)
    listed = [(i, file) for i, corpus in enumerate(report.corpora) for file in corpus.files]
    context = make_context(recipe)
    frames, contexts = _all_frames([file for _, file in listed], recipe, context, show_progress)
    sides: list[str] = []
    for corpus in report.corpora:
        sides += split_files(
            [f.sha256 for f in corpus.files],
            [f.seconds for f in corpus.files],
            held_out=recipe.training.held_out,
            seed=recipe.training.seed,
        )
    gap = 2 * recipe.model.frames_per_step * (recipe.model.depth + 2)
    gap += 0 if context is None else -(-2 * context.margin // recipe.sound.hop_length)
    pieces: list[Piece] = []
    for i, ((index, _), y, around) in enumerate(zip(listed, frames, contexts, strict=True)):
        stretches = divide(len(y), sides[i], held_out=recipe.training.held_out, gap=gap)
        sides[i] = sides[i] if len(stretches) > 1 or sides[i] == "held-out" else "train"
        pieces += [Piece(y, index, *stretch, around) for stretch in stretches]
    material = Material(
        names,
        pieces,
        weights=recipe.training.weights,
        floor_db=recipe.features.floor_db,
        frames_per_step=recipe.model.frames_per_step,
        transpose_context=None if context is None else context.transposed,
    )
    files = tuple(
        RunFile(str(file.path.absolute()), file.sha256, round(file.seconds, 3), corpus, side)
        for (corpus, file), side in zip(listed, sides, strict=True)
    )
    return Prepared(material, files, tuple(frames), tuple(contexts), report)


def _check_weights(weights: dict[str, float], names: list[str]) -> None:
    listed = ", ".join(shown_name(name) for name in names)
    if unknown := set(weights) - set(names):
        raise BadInput(f"training.weights names {sorted(unknown)[0]!r}, which is none of the corpora {listed}")
    if not any(weights.get(name, 1.0) for name in names):
        raise BadInput(f"training.weights are 0 for all of {listed}; one at least must be drawn from")


def _all_frames(
    files: Sequence[AudioFile], recipe: Recipe, context: Context | None, show: bool
) -> tuple[list[np.ndarray], list[np.ndarray | None]]:
    vqt = make_vqt(recipe)
    frames: list[np.ndarray] = []
    contexts: list[np.ndarray | None] = []
    done, passes = 0.0, 1 if context is None else 2
    with progress("features", sum(file.seconds for file in files) or 1, show=show) as update:

        def advance(seconds: float) -> None:
            nonlocal done
            done += seconds / passes
            update(done, f"{done / 60:.1f} min of sound")

        for file in files:
            found = file_features(file.path, vqt, sha256=file.sha256, on_seconds=advance)
            frames.append(found.log_magnitude.T)
            if context is None:
                contexts.append(None)
            else:
                contexts.append(file_context(file.path, context, sha256=file.sha256, on_seconds=advance))
    return frames, contexts
