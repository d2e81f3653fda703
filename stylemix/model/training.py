"""Training from folders to a finished run."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stylemix.arrays import Latents
from stylemix.audio import shown_name
from stylemix.context import context_size
from stylemix.descriptors import step_descriptors
from stylemix.errors import BadInput, StylemixError
from stylemix.files import readable_os_errors, write_json, write_text
from stylemix.model.artefact import CARD, METRICS, MODEL, Origin, is_run, read_metrics, read_recipe
from stylemix.model.autoencoder import Autoencoder
from stylemix.model.card import model_card
from stylemix.model.checkpoint import Progress
from stylemix.model.context_fit import fit_context
from stylemix.model.device import choose_device, has_bfloat16, threads
from stylemix.model.evaluation import between_error, held_out_error, model_decoder, pca_error
from stylemix.model.learning import Learner, learn
from stylemix.model.material import Material
from stylemix.model.pca import fit_pca
from stylemix.model.preparation import Prepared, prepare
from stylemix.model.preview import write_previews
from stylemix.model.run import Run, load_run
from stylemix.model.stored import store_latents
from stylemix.model.tensors import TensorFile, save_tensors
from stylemix.model.translation_fit import fit_translation
from stylemix.model.workplace import (
    check_folder,
    choose_folder,
    make_folder,
    mark_unfinished,
    reopen_folder,
    sweep,
    why_finished,
)
from stylemix.recipe import Recipe, load_recipe

# Two ways of summing the same squares differ by less.
_ROUNDING = 1e-6


def train(
    folders: Sequence[str | Path],
    *,
    out: str | Path | None = None,
    recipe: str | Path | Recipe = "base",
    minutes: float | None = None,
    steps: int | None = None,
    device: str = "auto",
    seed: int | None = None,
    resume: bool = False,
    force: bool = False,
    show_progress: bool = True,
) -> Run:
    """Learn one latent space from two or more folders of recordings.

    Parameters
    ----------
    folders : sequence of paths
        One a corpus; the first is alpha 0.
    out : str or Path, optional
        The run folder, NAME.mix; by default the names of the corpora joined, in the working directory.
    recipe : str, Path or Recipe
        A name, a TOML file, or a recipe.
    minutes : float, optional
        Time for the training steps; computing features (once) comes before. The recipe's by default.
    steps : int, optional
        Optimiser steps at most.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to compute.
    seed : int, optional
        Of all randomness; the same seed and number of steps give the same weights on a cpu.
    resume : bool
        Go on with a run that was interrupted, however early, or train a finished one further with more
        `minutes` or `steps`; a finished one without more of either is returned as it is.
    force : bool
        Replace an existing run.
    show_progress : bool
        Show bars with the time left on stderr.

    Returns
    -------
    Run
        The finished run.

    Raises
    ------
    BadInput
        If an argument, a folder or the recipe is no good.
    StylemixError
        If there is nothing usable, or the disk is full.
    """
    folder = choose_folder(folders, out)
    check_folder(folder, folders, resume=resume, force=force)
    chosen = _choose_recipe(folder, recipe, resume=resume, minutes=minutes, steps=steps, seed=seed)
    on = choose_device(device)
    if resume and is_run(folder):
        sweep(folder)
        if why := why_finished(folder, read_recipe(folder).training, chosen.training):
            if show_progress:
                sys.stderr.write(f"{shown_name(folder)} {why}\n")
            return load_run(folder)
    if chosen.training.tensorboard:
        _summary_writer()
    with threads(chosen.training.threads), readable_os_errors(folder):
        prepared = prepare(folders, chosen, show_progress=show_progress)
        return _train_in(folder, prepared, chosen, on, resume=resume and is_run(folder), show=show_progress)


def _train_in(
    folder: Path, prepared: Prepared, recipe: Recipe, device: torch.device, *, resume: bool, show: bool
) -> Run:
    material = prepared.material
    corpora = prepared.report.corpora
    origin = Origin(
        material.names, tuple(str(c.folder.absolute()) for c in corpora), material.levels.numpy(), prepared.files
    )
    if resume:
        reopen_folder(folder, origin, recipe)
    else:
        make_folder(folder, origin, recipe)
    learner = Learner(_new_model(prepared, recipe).to(device), material, recipe, folder, device)
    if resume:
        _take_up(learner, finished=read_metrics(folder)["finished"])
    mark_unfinished(folder)

    def preview(model: Autoencoder, step: int) -> None:
        # A preview that fails must not cost the training.
        with contextlib.suppress(StylemixError):
            write_previews(model, prepared, recipe, folder / "previews", step)

    with _tensorboard(folder, recipe) as log:
        why = learn(learner, show_progress=show, on_preview=preview, on_measure=log)
    return _finish(folder, prepared, recipe, learner, why=why)


def _take_up(learner: Learner, *, finished: bool) -> None:
    there = learner.resume()
    if not finished:
        return
    if not there:
        raise BadInput(
            f"{shown_name(learner.folder)}: what is needed to train further was deleted (training/); "
            "train anew with --force or another --out"
        )
    if learner.progress.waited >= learner.recipe.training.patience:
        # It had given up, and is asked to go on: its patience begins anew.
        learner.progress.waited = 0
        learner.save()


def _new_model(prepared: Prepared, recipe: Recipe) -> Autoencoder:
    material = prepared.material
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.training.seed)
        model = Autoencoder(material.n_bands, len(material.names), recipe.model, context_size(recipe))
    pca = fit_pca(
        material,
        latent_dim=recipe.model.latent_dim,
        frames_per_step=recipe.model.frames_per_step,
        match_spectrum=recipe.features.match_spectrum,
    )
    model.start_as_pca(pca.means, pca.components, pca.deviations)
    if model.context_in is not None:
        size = recipe.features.context_dim
        model.standardise_context(*fit_context(material, size=size, match_spectrum=recipe.features.match_spectrum))
    return model


def _finish(folder: Path, prepared: Prepared, recipe: Recipe, learner: Learner, *, why: str) -> Run:
    material, p = prepared.material, learner.progress
    pca = pca_error(material, recipe) or 0.0
    run, error = _best(folder, material)
    if error > pca * (1 + _ROUNDING):
        # While it learned, only a part of what is held out was measured; on all of it PCA is better after all.
        save_tensors(folder / MODEL, _new_model(prepared, recipe).state_dict(), step="0")
        run, error = _best(folder, material)
    translation = _settle_translator(folder, run, learner)
    run = load_run(folder)
    # After a kill the best weights can be newer than the last state.
    best_step = int(TensorFile(folder / MODEL).metadata["step"])
    precision = recipe.training.precision
    if precision == "auto":
        precision = "bfloat16" if has_bfloat16(learner.device) else "float32"
    run.metrics = {
        "finished": True,
        "error": error,
        "pca_error": pca,
        "pca_long_error": pca_error(material, recipe, times=4),
        "error_over_pca": error / max(pca, 1e-9),
        "between_error": between_error(run.model, material, recipe),
        "translation": translation,
        "held_out": any(piece.held_out for piece in material.pieces),
        "steps": p.step,
        "best_step": best_step,
        "seconds": p.seconds,
        "ended_by": why,
        "device": learner.device.type,
        "precision": precision,
        "curve": [[float(v) for v in row] for row in p.curve],
    }
    _store_latents(run, prepared)
    write_previews(run.model, prepared, recipe, folder / "previews", best_step)
    write_text(folder / CARD, model_card(run, verdict=prepared.report.lines(minutes=recipe.training.minutes)))
    # Last, so that what says that it is finished is finished.
    write_json(folder / METRICS, run.metrics)
    return load_run(folder)


def _best(folder: Path, material: Material) -> tuple[Run, float]:
    run = load_run(folder)
    return run, held_out_error(model_decoder(run.model, len(run.corpora)), material, run.model.means)


def _settle_translator(folder: Path, run: Run, learner: Learner) -> dict[str, Any]:
    """Put the last translator, fitted, beside the best autoencoder: each is kept at its own time."""
    if run.model.translator is None or learner.average.translator is None:
        return {}
    run.model.translator.load_state_dict(learner.average.translator.state_dict())
    facts = fit_translation(run.model, learner.translation)
    save_tensors(folder / MODEL, run.model.state_dict(), step=TensorFile(folder / MODEL).metadata["step"])
    return facts


def _store_latents(run: Run, prepared: Prepared) -> None:
    def encoded() -> Iterator[Latents]:
        for file, y, context in zip(run.files, prepared.frames, prepared.contexts, strict=True):
            latents = run.encode(y.T, run.one_hot(file.corpus), None if context is None else context.T)
            chroma, timbre = step_descriptors(y.T, run.vqt.frequencies_hz, run.recipe.model.frames_per_step)
            yield replace(latents, chroma=chroma, timbre=timbre)

    store_latents(run.path, encoded())


def _choose_recipe(folder: Path, recipe: str | Path | Recipe, *, resume: bool, **changes: Any) -> Recipe:
    if resume and is_run(folder):
        # What was begun goes on as it was begun; only the limits may change.
        chosen = read_recipe(folder)
        if changes["seed"] not in (None, chosen.training.seed):
            raise BadInput(f"{folder}: was begun with seed {chosen.training.seed}; resume without --seed")
    else:
        chosen = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    given = {key: value for key, value in changes.items() if value is not None}
    if not all(np.isfinite(v) and v >= 0 for v in given.values()):
        raise BadInput(f"minutes, steps and seed must be finite and not negative, got {given}")
    return replace(chosen, training=replace(chosen.training, **given))


@contextlib.contextmanager
def _tensorboard(folder: Path, recipe: Recipe) -> Iterator[Any]:
    if not recipe.training.tensorboard:
        yield None
        return
    with _summary_writer()(str(folder / "tensorboard")) as writer:

        def log(p: Progress, loss: float) -> None:
            writer.add_scalar("error/training", loss, p.step)
            writer.add_scalar("error/held_out", p.curve[-1][3], p.step)
            # The model starts as PCA.
            writer.add_scalar("error/held_out_over_pca", p.curve[-1][3] / max(p.curve[0][3], 1e-9), p.step)

        yield log


def _summary_writer() -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise StylemixError(
            "training.tensorboard needs the package tensorboard: pip install 'stylemix[tensorboard]'"
        ) from None
    return SummaryWriter
