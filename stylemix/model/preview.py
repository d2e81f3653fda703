"""Something to listen to while a model learns: a few seconds it never heard, through the model and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from stylemix.arrays import Wave
from stylemix.audio import AudioReader
from stylemix.context import make_context
from stylemix.features import make_vqt, wave_features
from stylemix.model.autoencoder import Autoencoder
from stylemix.model.frames import set_loudness_apart, with_loudness
from stylemix.model.preparation import Prepared
from stylemix.phase import PooledMagnitudes, recover_wanted
from stylemix.recipe import Recipe
from stylemix.transforms import Coefficients

PREVIEW_S = 5.0


def write_previews(model: Autoencoder, prepared: Prepared, recipe: Recipe, folder: Path, step: int) -> list[Path]:
    """Write, for each corpus, an excerpt as the model rebuilds it in two ways, and once the excerpt itself.

    Parameters
    ----------
    model : Autoencoder
        In evaluation mode.
    prepared : Prepared
        Where the held-out files are.
    recipe : Recipe
        The transform.
    folder : Path
        Made if needed.
    step : int
        Goes into the names: ``step-000400-1-beach-boys.wav`` for the model's magnitudes on the excerpt's own phase,
        ``step-000400-estimated-1-beach-boys.wav`` for what the model says alone.

    Returns
    -------
    list of Path
        What was written.
    """
    folder.mkdir(exist_ok=True)
    written = []
    for corpus in range(len(prepared.material.names)):
        samples = _excerpt(prepared, recipe, corpus)
        label = f"{corpus}-{_plain(prepared.material.names[corpus])}.wav"
        original = folder / f"original-{label}"
        if not original.exists():
            written.append(Wave(samples, recipe.sound.sample_rate).save(original, bits="16"))
        waves = rebuild_waves(samples, model, recipe, corpus=corpus, n_corpora=len(prepared.material.names))
        for rebuilt, name in zip(waves, (label, f"estimated-{label}"), strict=True):
            wave = Wave(rebuilt, recipe.sound.sample_rate)
            written.append(wave.save(folder / f"step-{step:06d}-{name}", bits="16", force=True))
    return written


def rebuild_waves(
    samples: np.ndarray, model: Autoencoder, recipe: Recipe, *, corpus: int, n_corpora: int
) -> tuple[np.ndarray, np.ndarray]:
    """Send a short sound through the model and back, on its own phase and on one that the magnitudes tell.

    Parameters
    ----------
    samples : np.ndarray, shape (1, T)
        At the recipe's rate.
    model : Autoencoder
        In evaluation mode.
    recipe : Recipe
        The transform.
    corpus, n_corpora : int
        The condition.

    Returns
    -------
    own : np.ndarray, shape (1, T)
        The model's magnitudes on the sound's phase.
    estimated : np.ndarray, shape (1, T)
        The same on a phase that is estimated as a draft, at some fifty times real time.
    """
    vqt = make_vqt(recipe)
    device = model.means.device
    with torch.inference_mode():
        y = torch.from_numpy(wave_features(samples, vqt).log_magnitude)
        shape, loudness = set_loudness_apart(y, floor_db=recipe.features.floor_db)
        condition = torch.eye(n_corpora, device=device)[corpus][None]
        context = make_context(recipe)
        heard = None if context is None else torch.from_numpy(context.of_wave(samples))[None].to(device)
        codes = model.encode(shape[None].to(device), condition, heard)
        decoded = model.decode(codes, condition.unsqueeze(-1).expand(-1, -1, codes.shape[-1]))[0].cpu()
        log_magnitude = with_loudness(decoded[:, : y.shape[1]], loudness)
        own = vqt.forward(torch.from_numpy(samples[0]))
        wanted = PooledMagnitudes(vqt, samples.shape[1], log_magnitude)
        groups = tuple(torch.polar(m, c.angle()) for m, c in zip(wanted.magnitudes, own.groups, strict=True))
        kept = vqt.inverse(Coefficients(groups, own.hops, own.n_samples))
        return kept.numpy()[None], recover_wanted(wanted, quality="draft").numpy()[None]


def _excerpt(prepared: Prepared, recipe: Recipe, corpus: int) -> np.ndarray:
    """Take the loudest seconds of a held-out file (of a learned one where none is held out)."""
    candidates = [p for p in prepared.material.judging() if p.corpus == corpus] or prepared.material.training(corpus)
    piece = candidates[0]
    index = next(i for i, y in enumerate(prepared.frames) if y is piece.frames)
    hop, rate = recipe.sound.hop_length, recipe.sound.sample_rate
    n = int(PREVIEW_S * rate / hop)
    loudness = np.asarray(piece.frames[piece.start : piece.stop], dtype=np.float32).max(axis=1)
    power = np.concatenate([[0.0], np.cumsum(np.exp(2 * loudness))])
    reach = min(n, len(loudness))
    best = piece.start + int(np.argmax(power[reach:] - power[: len(power) - reach]))
    with AudioReader(prepared.files[index].path, sample_rate=rate) as reader:
        samples = reader.read(best * hop, max(min((best + n) * hop, reader.n_samples), best * hop + hop))
    mixed = samples.mean(axis=0)
    # Channels of opposite phase cancel: then the louder one alone is heard.
    loudest = samples[np.argmax(np.square(samples).sum(axis=1))]
    return (mixed if np.square(mixed).sum() > 0.05 * np.square(loudest).sum() else loudest)[None]


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in name)[:40] or "corpus"
