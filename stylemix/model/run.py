"""A run: a trained model with its recipe, its corpora and its latents, read from its folder."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from stylemix.arrays import Latents
from stylemix.context import Context, make_context
from stylemix.descriptors import step_descriptors
from stylemix.errors import BadInput, StylemixError
from stylemix.features import make_vqt
from stylemix.model.artefact import (
    CARD,
    LATENTS,
    MODEL,
    Origin,
    RunFile,
    read_metrics,
    read_origin,
    read_recipe,
)
from stylemix.model.autoencoder import Autoencoder
from stylemix.model.coding import codes_to_frames, frames_to_codes
from stylemix.model.facts import corpus_facts
from stylemix.model.recordings import find_recording, inputs_of
from stylemix.model.stored import read_latents
from stylemix.model.tensors import TensorFile
from stylemix.model.translating import frames_to_content, frames_to_shift
from stylemix.model.weights import load_model
from stylemix.recipe import Recipe
from stylemix.transforms import VQT

__all__ = ["Run", "RunFile", "inputs_of", "load_run"]


class Run:
    """A trained model with its recipe, its corpora and its latents.

    Parameters
    ----------
    path : Path
        The run folder.
    recipe : Recipe
        As it was trained.
    origin : Origin
        What it was made from.
    model : Autoencoder
        In evaluation mode, on the cpu.
    metrics : dict
        From the training.

    Attributes
    ----------
    corpora : tuple of str
        Names; the first is alpha 0.
    folders : tuple of str
        Where the corpora were.
    files : tuple of RunFile
        What it was made from.
    levels : np.ndarray, shape (n_corpora,)
        Loudness of each corpus (natural logarithm of the mean band magnitude).
    """

    def __init__(
        self, path: Path, *, recipe: Recipe, origin: Origin, model: Autoencoder, metrics: dict[str, Any]
    ) -> None:
        self.path = path
        self.recipe = recipe
        self.corpora = origin.names
        self.folders = origin.folders
        self.files = origin.files
        self.levels = origin.levels
        self.model = model
        self.metrics = metrics

    @cached_property
    def vqt(self) -> VQT:
        """The transform of the recipe."""
        return make_vqt(self.recipe)

    @property
    def step_length(self) -> int:
        """Samples in a latent step, at the model's rate."""
        return self.recipe.model.frames_per_step * self.recipe.sound.hop_length

    def one_hot(self, corpus: int) -> np.ndarray:
        """Return the condition that is one corpus.

        Parameters
        ----------
        corpus : int
            Its index.

        Returns
        -------
        np.ndarray, shape (n_corpora,)
            1 at that index.
        """
        return np.eye(len(self.corpora), dtype=np.float32)[corpus]

    @cached_property
    def _context(self) -> Context | None:
        return make_context(self.recipe)

    @property
    def margin(self) -> int:
        """Samples beyond a block that its latents depend on, at the model's rate."""
        return max(self.vqt.margin, 0 if self._context is None else self._context.margin)

    def context(self, samples: np.ndarray, *, start: int = 0) -> np.ndarray | None:
        """Compute what the encoder hears of a sound besides its features.

        Parameters
        ----------
        samples : np.ndarray, shape (C, T)
            At the model's rate; beyond it is silence.
        start : int
            Where the first sample lies in the sound that this is a part of.

        Returns
        -------
        np.ndarray, shape (R, M), or None
            A column a latent step, for `encode`; None for a run of the features ``vqt``.
        """
        return None if self._context is None else self._context.of_wave(samples, start=start)

    def encode(self, log_magnitude: np.ndarray, condition: np.ndarray, context: np.ndarray | None = None) -> Latents:
        """Frames to latents; memory beyond the result does not grow with the length.

        Parameters
        ----------
        log_magnitude : np.ndarray, shape (K, N)
            From `stylemix.features`.
        condition : np.ndarray, shape (n_corpora,)
            Weights of the corpora, adding up to 1.
        context : np.ndarray, shape (R, M), optional
            From `context`, where that gives one.

        Returns
        -------
        Latents
            ``ceil(N / frames_per_step)`` steps.

        Raises
        ------
        BadInput
            If a shape is another, or the context is missing.
        """
        floor_db = self.recipe.features.floor_db
        codes, loudness = frames_to_codes(self.model, log_magnitude, condition, floor_db=floor_db, context=context)
        return Latents(codes, loudness, self.recipe.sound.sample_rate, self.step_length)

    def decode(self, codes: np.ndarray, condition: np.ndarray, loudness: np.ndarray) -> np.ndarray:
        """Latents to frames; memory beyond the result does not grow with the length.

        Parameters
        ----------
        codes : np.ndarray, shape (D, M)
            Latents.
        condition : np.ndarray, shape (n_corpora,) or (n_corpora, M)
            Weights of the corpora, adding up to 1.
        loudness : np.ndarray, shape (N,)
            Of every frame (natural logarithm), N at most M * frames_per_step.

        Returns
        -------
        np.ndarray, shape (K, N)
            Log-magnitudes.

        Raises
        ------
        BadInput
            If a shape is another.
        """
        return codes_to_frames(self.model, codes, condition, loudness)

    @property
    def has_content(self) -> bool:
        """Whether it was trained to tell content from sound."""
        return self.model.translator is not None

    def content(self, log_magnitude: np.ndarray, condition: np.ndarray) -> np.ndarray:
        """Tell what happens in a sound, in numbers in which the corpora agree.

        Parameters
        ----------
        log_magnitude : np.ndarray, shape (K, N)
            From `stylemix.features`.
        condition : np.ndarray, shape (n_corpora,)
            Weights of the corpora that it is from, adding up to 1.

        Returns
        -------
        np.ndarray, shape (Dc, M), float32
            Whitened: Euclidean distances are fair.

        Raises
        ------
        BadInput
            If a shape is another, or the run has no content.
        """
        return frames_to_content(self.model, log_magnitude, condition, floor_db=self.recipe.features.floor_db)

    def style_shift(self, log_magnitude: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Tell what to add to log-magnitudes so that the same content sounds like other corpora.

        Parameters
        ----------
        log_magnitude : np.ndarray, shape (K, N)
            From `stylemix.features`.
        before, after : np.ndarray, shape (n_corpora,) or (n_corpora, M)
            Weights of the corpora that it sounds like and that it should sound like.

        Returns
        -------
        np.ndarray, shape (K, N), float32
            Nepers, linear in ``after - before``.

        Raises
        ------
        BadInput
            If a shape is another, or the run has no content.
        """
        return frames_to_shift(self.model, log_magnitude, before, after, floor_db=self.recipe.features.floor_db)

    def latents(self, index: int) -> Latents:
        """Return the latents of a file, as they were stored at the end of the training.

        Parameters
        ----------
        index : int
            Into `files`.

        Returns
        -------
        Latents
            In single precision; of a run made before chroma and timbre were stored, they are those of what it decodes.

        Raises
        ------
        BadInput
            If there is no such file, or the stored latents are damaged.
        StylemixError
            If the training did not finish.
        """
        file, model = self._file(index), self.recipe.model
        codes, loudness, described = read_latents(
            self._stored, self.path, index, latent_dim=model.latent_dim, frames_per_step=model.frames_per_step
        )
        if described is None:
            y = self.decode(codes, self.one_hot(file.corpus), loudness)
            described = step_descriptors(y, self.vqt.frequencies_hz, model.frames_per_step)
        return Latents(codes, loudness, self.recipe.sound.sample_rate, self.step_length, *described)

    def file_path(self, index: int) -> Path:
        """Find a file of the corpora, where it was or in its corpus' folder beside the run.

        Parameters
        ----------
        index : int
            Into `files`.

        Returns
        -------
        Path
            An existing file.

        Raises
        ------
        BadInput
            If it is in neither place.
        """
        file = self._file(index)
        folder = Path(self.folders[file.corpus])
        return find_recording(Path(file.path), folder, run=self.path, corpus=self.corpora[file.corpus])

    def describe(self) -> dict[str, Any]:
        """Sum the run up.

        Returns
        -------
        dict
            JSON-safe.
        """
        return {
            "path": str(self.path),
            "corpora": corpus_facts(self.corpora, self.folders, self.files),
            "latent_dim": self.recipe.model.latent_dim,
            "latent_rate_hz": round(self.recipe.sound.sample_rate / self.step_length, 3),
            "sample_rate": self.recipe.sound.sample_rate,
            "bands": self.vqt.n_bands,
            "features": self.recipe.features.kind,
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "metrics": self.metrics,
        }

    def card(self) -> str:
        """Return the model card.

        Returns
        -------
        str
            Markdown.
        """
        path = self.path / CARD
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

    def _file(self, index: int) -> RunFile:
        if not 0 <= index < len(self.files):
            raise BadInput(f"{self.path}: there is no file {index}, only 0 to {len(self.files) - 1}")
        return self.files[index]

    @cached_property
    def _stored(self) -> TensorFile:
        path = self.path / LATENTS
        if not path.is_file():
            raise StylemixError(f"{self.path}: the training did not finish; finish it with train --resume")
        return TensorFile(path)


def load_run(path: str | Path) -> Run:
    """Load a run folder.

    Parameters
    ----------
    path : str or Path
        NAME.mix.

    Returns
    -------
    Run
        The run; the model is ready to use.

    Raises
    ------
    BadInput
        If the folder is missing, is no run, is of a newer version, or is damaged.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such run; make one with: stylemix train FOLDER FOLDER --out {folder}")
    origin, recipe = read_origin(folder), read_recipe(folder)
    if not (folder / MODEL).is_file():
        raise BadInput(f"{folder}: has no model yet; finish the training with train --resume")
    model = load_model(folder / MODEL, recipe, len(origin.names))
    return Run(folder, recipe=recipe, origin=origin, model=model, metrics=read_metrics(folder))
