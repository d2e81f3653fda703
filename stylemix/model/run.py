"""A run on disk: what was learned, from what, how well. No pickle; a version inside; damage is told in one line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from stylemix.arrays import Latents
from stylemix.errors import BadInput, StylemixError
from stylemix.features import make_vqt
from stylemix.files import atomic_path, write_json
from stylemix.model.autoencoder import Autoencoder
from stylemix.model.frames import set_loudness_apart, with_loudness
from stylemix.recipe import Recipe, recipe_from_toml
from stylemix.transforms import VQT

FORMAT = "stylemix run"
VERSION = 1
# Steps encoded or decoded at a time, and the steps around them that the residual layers can see.
_CHUNK_STEPS = 2048
_LARGEST_FILE = 1 << 32


@dataclass(frozen=True)
class RunFile:
    """A file that a run was made from.

    Parameters
    ----------
    path : str
        Where it was.
    sha256 : str
        Hash of its content.
    seconds : float
        Its length.
    corpus : int
        Index of its corpus.
    split : str
        ``"train"``, ``"held-out"`` or ``"divided"`` (its end is held out).
    """

    path: str
    sha256: str
    seconds: float
    corpus: int
    split: str


class Run:
    """A trained model with its recipe, its corpora and its latents.

    Parameters
    ----------
    path : Path
        The run folder.
    recipe : Recipe
        As it was trained.
    corpora : tuple of str
        Names; the first is alpha 0.
    folders : tuple of str
        Where the corpora were.
    files : tuple of RunFile
        What it was made from.
    levels : np.ndarray, shape (n_corpora,)
        Loudness of each corpus (natural logarithm of the mean band magnitude).
    model : Autoencoder
        In evaluation mode, on the cpu.
    metrics : dict
        From the training.
    """

    def __init__(
        self,
        path: Path,
        *,
        recipe: Recipe,
        corpora: tuple[str, ...],
        folders: tuple[str, ...],
        files: tuple[RunFile, ...],
        levels: np.ndarray,
        model: Autoencoder,
        metrics: dict[str, Any],
    ) -> None:
        self.path = path
        self.recipe = recipe
        self.corpora = corpora
        self.folders = folders
        self.files = files
        self.levels = levels
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

    def encode(self, log_magnitude: np.ndarray, condition: np.ndarray) -> Latents:
        """Frames to latents; memory beyond the result does not grow with the length.

        Parameters
        ----------
        log_magnitude : np.ndarray, shape (K, N)
            From `stylemix.features`.
        condition : np.ndarray, shape (n_corpora,)
            Weights of the corpora, adding up to 1.

        Returns
        -------
        Latents
            ``ceil(N / frames_per_step)`` steps.
        """
        f = self.recipe.model.frames_per_step
        n = log_magnitude.shape[1]
        weights = torch.as_tensor(condition, dtype=torch.float32)[None]
        codes, loudness = [], []
        for start, stop, first, last in _chunks(-(-n // f), self._context):
            y = np.ascontiguousarray(log_magnitude[:, first * f : min(last * f, n)], dtype=np.float32)
            with torch.inference_mode():
                shape, loud = set_loudness_apart(torch.from_numpy(y), floor_db=self.recipe.features.floor_db)
                z = self.model.encode(shape[None], weights)[0]
            codes.append(z[:, start - first : stop - first].numpy())
            loudness.append(loud[(start - first) * f : (stop - first) * f].numpy())
        return Latents(
            np.concatenate(codes, axis=1),
            np.concatenate(loudness),
            self.recipe.sound.sample_rate,
            self.step_length,
        )

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
        """
        f = self.recipe.model.frames_per_step
        m, n = codes.shape[1], len(loudness)
        weights = np.asarray(condition, dtype=np.float32)
        weights = np.broadcast_to(weights[:, None], (len(weights), m)) if weights.ndim == 1 else weights
        out = []
        for start, stop, first, last in _chunks(m, self._context):
            z = torch.from_numpy(np.ascontiguousarray(codes[:, first:last], dtype=np.float32))[None]
            c = torch.from_numpy(np.ascontiguousarray(weights[:, first:last]))[None]
            with torch.inference_mode():
                shape = self.model.decode(z, c)[0, :, (start - first) * f : (stop - first) * f]
                loud = torch.from_numpy(np.asarray(loudness[start * f : stop * f], dtype=np.float32))
                out.append(with_loudness(shape[:, : len(loud)], loud).numpy())
        return np.concatenate(out, axis=1)[:, :n]

    def latents(self, index: int) -> Latents:
        """Return the latents of a file, as they were stored at the end of the training.

        Parameters
        ----------
        index : int
            Into `files`.

        Returns
        -------
        Latents
            In single precision.

        Raises
        ------
        StylemixError
            If the training did not finish, or the stored latents are damaged.
        """
        try:
            codes = self._stored_latents[f"codes.{index}"].float().numpy()
            loudness = self._stored_latents[f"loudness.{index}"].float().numpy()
        except KeyError:
            raise StylemixError(
                f"{self.path}: latents of file {index} are missing: the run is damaged; train it again"
            ) from None
        return Latents(codes, loudness, self.recipe.sound.sample_rate, self.step_length)

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
        file = self.files[index]
        path, folder = Path(file.path), Path(self.folders[file.corpus])
        places = [path]
        if path.is_relative_to(folder):
            places += [root / folder.name / path.relative_to(folder) for root in (Path.cwd(), self.path.parent)]
        for place in places:
            if place.is_file():
                return place
        raise BadInput(
            f"{path}: the run needs this file of {self.corpora[file.corpus]} and it is not there; put the folder "
            f"back, or beside the run as {self.path.parent / folder.name}"
        )

    def describe(self) -> dict[str, Any]:
        """Sum the run up.

        Returns
        -------
        dict
            JSON-safe.
        """
        parameters = sum(p.numel() for p in self.model.parameters())
        corpora = [
            {
                "name": name,
                "folder": self.folders[i],
                "files": sum(f.corpus == i for f in self.files),
                "minutes": round(sum(f.seconds for f in self.files if f.corpus == i) / 60, 2),
                "held_out_files": sum(f.corpus == i and f.split != "train" for f in self.files),
            }
            for i, name in enumerate(self.corpora)
        ]
        return {
            "path": str(self.path),
            "corpora": corpora,
            "latent_dim": self.recipe.model.latent_dim,
            "latent_rate_hz": round(self.recipe.sound.sample_rate / self.step_length, 3),
            "sample_rate": self.recipe.sound.sample_rate,
            "bands": self.vqt.n_bands,
            "parameters": parameters,
            "metrics": self.metrics,
        }

    def card(self) -> str:
        """Return the model card.

        Returns
        -------
        str
            Markdown.
        """
        path = self.path / "card.md"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    @property
    def _context(self) -> int:
        # Every residual layer looks one step to each side.
        return self.recipe.model.depth

    @cached_property
    def _stored_latents(self) -> dict[str, torch.Tensor]:
        path = self.path / "latents.safetensors"
        if not path.is_file():
            raise StylemixError(f"{self.path}: the training did not finish; finish it with train --resume")
        return _tensors(path)


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
    corpora = read_corpora(folder)
    recipe = read_recipe(folder)
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise BadInput(f"{folder}: has no model yet; finish the training with train --resume")
    names = tuple(corpora["names"])
    model = Autoencoder(make_vqt(recipe).n_bands, len(names), recipe.model)
    try:
        model.load_state_dict(_tensors(weights))
        levels = np.asarray(corpora["levels"], dtype=np.float32)
        files = tuple(RunFile(**file) for file in corpora["files"])
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    except (RuntimeError, KeyError, TypeError, ValueError, OSError) as error:
        if isinstance(error, StylemixError):
            raise
        reason = " ".join(str(error).split())[:120]
        raise BadInput(f"{folder}: the run is damaged ({reason}); train it again") from None
    if not all(torch.isfinite(p).all() for p in model.state_dict().values()):
        raise BadInput(f"{folder}: the run is damaged (weights that are no numbers); train it again")
    return Run(folder, recipe=recipe, corpora=names, folders=tuple(corpora["folders"]), files=files, levels=levels,
               model=model.eval(), metrics=metrics)


def read_corpora(folder: Path) -> dict[str, Any]:
    """Read what a run was made from, and check that it is a run and not a newer one.

    Parameters
    ----------
    folder : Path
        The run.

    Returns
    -------
    dict
        Content of corpora.json.

    Raises
    ------
    BadInput
        If it is no run, damaged, or newer.
    """
    path = folder / "corpora.json"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{folder}: is not a stylemix run (no corpora.json); give the folder that train made") from None
    except (ValueError, OSError) as error:
        raise BadInput(f"{folder}: the run is damaged (corpora.json: {error}); train it again") from None
    if not isinstance(value, dict) or value.get("format") != FORMAT or not isinstance(value.get("version"), int):
        raise BadInput(f"{folder}: is not a stylemix run; give the folder that train made")
    if value["version"] > VERSION:
        raise BadInput(
            f"{folder}: run format {value['version']} is newer than this stylemix reads ({VERSION}); update stylemix"
        )
    if not {"names", "folders", "files"} <= value.keys():
        raise BadInput(f"{folder}: the run is damaged (corpora.json is incomplete); train it again")
    return value


def read_recipe(folder: Path) -> Recipe:
    """Read the resolved recipe of a run.

    Parameters
    ----------
    folder : Path
        The run.

    Returns
    -------
    Recipe
        The recipe.

    Raises
    ------
    BadInput
        If it is missing or damaged.
    """
    try:
        text = (folder / "recipe.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{folder}: the run is damaged (recipe.toml: {error}); train it again") from None
    return recipe_from_toml(text, name=str(folder / "recipe.toml"))


def write_corpora(
    folder: Path, *, names: tuple[str, ...], folders: tuple[str, ...], files: tuple[RunFile, ...], levels: np.ndarray
) -> None:
    """Write corpora.json.

    Parameters
    ----------
    folder : Path
        The run.
    names, folders : tuple of str
        Of the corpora.
    files : tuple of RunFile
        What it is made from.
    levels : np.ndarray, shape (n_corpora,)
        Loudness of each corpus.
    """
    from stylemix.version import __version__

    write_json(folder / "corpora.json", {
        "format": FORMAT, "version": VERSION, "stylemix": __version__, "names": list(names),
        "folders": list(folders), "levels": [float(v) for v in levels], "files": [asdict(file) for file in files],
    })


def save_tensors(path: Path, tensors: Mapping[str, torch.Tensor], **metadata: str) -> None:
    """Write tensors whole or not at all.

    Parameters
    ----------
    path : Path
        A .safetensors file.
    tensors : mapping of str to torch.Tensor
        On any device.
    **metadata : str
        Texts to keep with them.
    """
    with atomic_path(path) as temporary:
        save_file({k: v.detach().to("cpu").contiguous() for k, v in tensors.items()}, temporary, metadata or None)


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    if path.stat().st_size > _LARGEST_FILE:
        raise BadInput(f"{path}: {path.stat().st_size} bytes are more than a run can have; it is damaged or foreign")
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise BadInput(f"{path}: damaged ({' '.join(str(error).split())}); train the run again") from None


def _chunks(n_steps: int, context: int) -> list[tuple[int, int, int, int]]:
    """Cut steps into chunks: start and stop of each, and the same with its context."""
    starts = range(0, n_steps, _CHUNK_STEPS)
    stops = [min(start + _CHUNK_STEPS, n_steps) for start in starts]
    return [(a, b, max(0, a - context), min(n_steps, b + context)) for a, b in zip(starts, stops, strict=True)]
