"""The latents of a run's files on the disk: written at the end of a training, read one file at a time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from stylemix.arrays import Latents
from stylemix.model.artefact import LATENTS, damaged
from stylemix.model.tensors import TensorFile, save_tensors

# What is kept of every file besides its codes and its loudness.
DESCRIPTORS = ("chroma", "timbre")
# The largest number that half precision holds is 65504.
_LARGEST_HALF = 6e4


def store_latents(folder: Path, files: Iterable[Latents]) -> None:
    """Write the latents of all files of a run.

    Parameters
    ----------
    folder : Path
        The run.
    files : iterable of Latents
        In the order of the run's files.
    """
    tensors = {}
    for index, latents in enumerate(files):
        codes = torch.from_numpy(latents.codes)
        tensors[f"codes.{index}"] = codes.half() if codes.abs().max() < _LARGEST_HALF else codes
        for name in ("loudness", *DESCRIPTORS):
            if (values := getattr(latents, name)) is not None:
                tensors[f"{name}.{index}"] = torch.from_numpy(values).half()
    save_tensors(folder / LATENTS, tensors)


def read_latents(
    stored: TensorFile, folder: Path, index: int, *, latent_dim: int, frames_per_step: int
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray] | None]:
    """Read the latents of one file.

    Parameters
    ----------
    stored : TensorFile
        From `store_latents`.
    folder : Path
        The run, for the message.
    index : int
        Of the file.
    latent_dim, frames_per_step : int
        What the shapes must agree with.

    Returns
    -------
    codes : np.ndarray, shape (D, M)
        In single precision.
    loudness : np.ndarray, shape (N,)
        Of every frame.
    described : tuple of np.ndarray, or None
        Chroma and timbre; None in a run made before they were stored.

    Raises
    ------
    BadInput
        If a part is missing or has another shape.
    """
    names, shapes = [f"codes.{index}", f"loudness.{index}"], stored.shapes
    names += [name for name in (f"{kind}.{index}" for kind in DESCRIPTORS) if name in shapes]
    try:
        steps = -(-shapes[names[1]][-1] // frames_per_step)
        wanted = [(latent_dim, steps), (shapes[names[1]][-1],)]
        wanted += [(shapes[name][0], steps) for name in names[2:]]
        for name, shape in zip(names, wanted, strict=True):
            if shapes[name] != shape:
                raise damaged(folder, LATENTS, f"{name} has a wrong shape")
        read = [tensor.float().numpy() for tensor in stored.read(*names).values()]
    except (KeyError, IndexError):
        raise damaged(folder, LATENTS, f"the latents of file {index} are missing") from None
    return read[0], read[1], (read[2], read[3]) if len(read) == 4 else None
