"""The weights of a run, read back into its model."""

from __future__ import annotations

from pathlib import Path

import torch

from stylemix.context import context_size
from stylemix.features import make_vqt
from stylemix.model.autoencoder import Autoencoder
from stylemix.model.tensors import TensorFile
from stylemix.recipe import Recipe


def load_model(path: Path, recipe: Recipe, n_corpora: int) -> Autoencoder:
    """Read the weights of a run.

    Parameters
    ----------
    path : Path
        A .safetensors file.
    recipe : Recipe
        As it was trained.
    n_corpora : int
        Of how many corpora.

    Returns
    -------
    Autoencoder
        In evaluation mode, on the cpu.

    Raises
    ------
    BadInput
        If the file is damaged or belongs to another recipe.
    """
    stored = TensorFile(path)
    # A recipe may ask for more than the machine has: on the meta device a model has shapes and no memory.
    with torch.device("meta"):
        model = Autoencoder(make_vqt(recipe).n_bands, n_corpora, recipe.model, context_size(recipe))
    stored.check_shapes({name: tuple(tensor.shape) for name, tensor in model.state_dict().items()})
    model.load_state_dict({name: tensor.float() for name, tensor in stored.read().items()}, assign=True)
    return model.eval()
