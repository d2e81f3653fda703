"""Training from folders to a finished run."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stylemix.errors import BadInput, StylemixError
from stylemix.files import readable_os_errors, write_json, write_text
from stylemix.model.autoencoder import Autoencoder
from stylemix.model.card import model_card
from stylemix.model.checkpoint import Progress
from stylemix.model.device import choose_device, has_bfloat16
from stylemix.model.evaluation import between_error, held_out_error, model_decoder, pca_errors
from stylemix.model.learning import Learner, learn
from stylemix.model.pca import fit_pca
from stylemix.model.preparation import Prepared, prepare
from stylemix.model.preview import write_previews
from stylemix.model.run import Run, load_run, read_corpora, read_recipe, save_tensors, write_corpora
from stylemix.recipe import Recipe, load_recipe


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
        Go on with a run that was interrupted, or train a finished one further with more `minutes`.
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
    folder = _run_folder(folders, out)
    chosen = _choose_recipe(folder, recipe, minutes=minutes, steps=steps, seed=seed, resume=resume)
    on = choose_device(device)
    _check_folder(folder, folders, resume=resume, force=force)
    prepared = prepare(folders, chosen, show_progress=show_progress)
    with readable_os_errors(folder):
        _open_folder(folder, prepared, chosen, resume=resume)
        return _train_in(folder, prepared, chosen, on, resume=resume, show=show_progress)


def _train_in(folder: Path, prepared: Prepared, recipe: Recipe, device: torch.device, *, resume: bool,
              show: bool) -> Run:
    write_text(folder / "recipe.toml", recipe.to_toml())
    names = prepared.material.names
    write_corpora(folder, names=names, folders=tuple(str(c.folder.absolute()) for c in prepared.report.corpora),
                  files=prepared.files, levels=prepared.material.levels.numpy())
    pca = pca_errors(prepared.material, recipe)
    write_json(folder / "metrics.json", {"finished": False, "pca_error": pca["pca"]})
    model = _new_model(prepared, recipe)
    learner = Learner(model.to(device), prepared.material, recipe, folder, device)
    if resume:
        learner.resume()

    def preview(model: Autoencoder, step: int) -> None:
        # A preview that fails must not cost the training.
        with contextlib.suppress(StylemixError):
            write_previews(model, prepared, recipe, folder / "previews", step)

    with _tensorboard(folder, recipe, pca["pca"]) as log:
        why = learn(learner, show_progress=show, on_preview=preview, on_measure=log)
    return _finish(folder, prepared, recipe, learner, why=why, pca=pca)


def _new_model(prepared: Prepared, recipe: Recipe) -> Autoencoder:
    material = prepared.material
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.training.seed)
        model = Autoencoder(material.n_bands, len(material.names), recipe.model)
    pca = fit_pca(material, latent_dim=recipe.model.latent_dim, frames_per_step=recipe.model.frames_per_step,
                  match_spectrum=recipe.features.match_spectrum)
    model.start_as_pca(pca.means, pca.components, pca.deviations)
    return model


def _finish(folder: Path, prepared: Prepared, recipe: Recipe, learner: Learner, *, why: str,
            pca: dict[str, float]) -> Run:
    run = load_run(folder)
    material, p = prepared.material, learner.progress
    error = held_out_error(model_decoder(run.model, len(run.corpora)), material, run.model.means)
    precision = recipe.training.precision
    if precision == "auto":
        precision = "bfloat16" if has_bfloat16(learner.device) else "float32"
    run.metrics = {
        "finished": True, "error": error, "pca_error": pca["pca"], "pca_long_error": pca["pca_long"],
        "error_over_pca": error / pca["pca"], "between_error": between_error(run.model, material, recipe),
        "held_out": any(piece.held_out for piece in material.pieces), "steps": p.step, "best_step": p.best_step,
        "seconds": round(p.seconds, 1), "ended_by": why, "device": learner.device.type, "precision": precision,
        "curve": [[float(v) for v in row] for row in p.curve],
    }
    _store_latents(run, prepared.frames)
    write_previews(run.model, prepared, recipe, folder / "previews", p.best_step)
    write_text(folder / "card.md", model_card(run, verdict=prepared.report.lines()))
    # Last, so that what says that it is finished is finished.
    write_json(folder / "metrics.json", run.metrics)
    return load_run(folder)


def _store_latents(run: Run, frames: Sequence[np.ndarray]) -> None:
    tensors = {}
    for index, (file, y) in enumerate(zip(run.files, frames, strict=True)):
        latents = run.encode(y.T, run.one_hot(file.corpus))
        tensors[f"codes.{index}"] = torch.from_numpy(latents.codes).half()
        tensors[f"loudness.{index}"] = torch.from_numpy(latents.loudness).half()
    save_tensors(run.path / "latents.safetensors", tensors)


def _run_folder(folders: Sequence[str | Path], out: str | Path | None) -> Path:
    if out is None:
        return Path("-".join(Path(f).absolute().name or "corpus" for f in folders)[:100] + ".mix")
    path = Path(out)
    if any(path.absolute() == Path(f).absolute() for f in folders):
        raise BadInput(f"{path}: the run must not be one of the folders it learns from; choose another --out")
    return path


def _choose_recipe(folder: Path, recipe: str | Path | Recipe, *, resume: bool, **changes: Any) -> Recipe:
    if resume and (folder / "recipe.toml").is_file():
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


def _check_folder(folder: Path, folders: Sequence[str | Path], *, resume: bool, force: bool) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise BadInput(f"{folder}: is there already and is no folder; choose another --out")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    corpora = read_corpora(folder)
    if not (resume or force):
        raise BadInput(f"{folder}: exists already; add --resume to go on with it or --force to replace it")
    before = [Path(f).name for f in corpora["folders"]]
    now = [Path(f).absolute().name for f in folders]
    if resume and before != now:
        raise BadInput(f"{folder}: was begun with {', '.join(before)}, not {', '.join(now)}; give the same folders")


def _open_folder(folder: Path, prepared: Prepared, recipe: Recipe, *, resume: bool) -> None:
    there = folder.is_dir() and any(folder.iterdir())
    if there and resume:
        before = {file["sha256"] for file in read_corpora(folder)["files"]}
        if before != {file.sha256 for file in prepared.files}:
            raise BadInput(f"{folder}: its corpora have changed since; train anew with --force or another --out")
    elif there:
        # Only a run is ever removed: `read_corpora` has found one here.
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def _tensorboard(folder: Path, recipe: Recipe, pca_error: float) -> Iterator[Any]:
    if not recipe.training.tensorboard:
        yield None
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise StylemixError(
            "training.tensorboard needs the package tensorboard: pip install 'stylemix[tensorboard]'"
        ) from None
    with SummaryWriter(str(folder / "tensorboard")) as writer:

        def log(p: Progress, loss: float) -> None:
            writer.add_scalar("error/training", loss, p.step)
            writer.add_scalar("error/held_out", p.curve[-1][3], p.step)
            writer.add_scalar("error/held_out_over_pca", p.curve[-1][3] / pca_error, p.step)

        yield log
