"""A run with other latents than its own: spectra, principal components, or an autoencoder that is told no corpus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from stylemix.arrays import Latents
from stylemix.audio import read_wave
from stylemix.hybrid.scan import block_features, scan, step_samples
from stylemix.hybrid.source import SourceReader
from stylemix.measure.evidence import parts_of
from stylemix.measure.patches import to_frames, to_patches

if TYPE_CHECKING:
    from stylemix.model.run import Run

KINDS = ("none", "PCA", "without condition", "full")
# For PCA, of a file and of a corpus: a covariance of some hundred numbers has settled long before.
MOST_FILE_S = 120.0
MOST_CORPUS_S = 600.0
# A component that hardly varies is not blown up.
LEAST_VARIANCE = 1e-9


class Variant:
    """A run whose latents are made anew in another way; all else is the run's.

    Parameters
    ----------
    run : Run
        The trained model.
    """

    # The content of a run was learned from the latents that are taken away here.
    has_content = False

    def __init__(self, run: Run) -> None:
        self._run = run
        self._frames = int(run.recipe.model.frames_per_step)
        self._known: dict[int, Latents] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._run, name)

    def latents(self, index: int) -> Latents:
        """Return the latents of a file, scanned once.

        Parameters
        ----------
        index : int
            Its place among the run's files.

        Returns
        -------
        Latents
            Of the whole file, encoded as its own corpus.
        """
        if index not in self._known:
            condition = np.eye(len(self._run.corpora), dtype=np.float32)[self._run.files[index].corpus]
            with SourceReader(self._run.file_path(index), model_rate=self._run.vqt.sample_rate) as reader:
                self._known[index] = scan(self, reader, condition).latents  # type: ignore[arg-type]
        return self._known[index]

    def encode(self, log_magnitude: np.ndarray, condition: np.ndarray, context: np.ndarray | None = None) -> Latents:
        """Make latents of frames.

        Parameters
        ----------
        log_magnitude : np.ndarray, shape (K, N)
            Frames.
        condition : np.ndarray, shape (n_corpora,)
            Weights of the corpora.
        context : np.ndarray, optional
            As for the run.

        Returns
        -------
        Latents
            One column a step.
        """
        return self._encode(log_magnitude, condition, context)

    def decode(self, codes: np.ndarray, condition: np.ndarray, loudness: np.ndarray) -> np.ndarray:
        """Make frames of latents.

        Parameters
        ----------
        codes : np.ndarray, shape (D, M)
            From `encode`.
        condition : np.ndarray, shape (n_corpora,) or (n_corpora, M)
            Weights of the corpora.
        loudness : np.ndarray, shape (N,)
            Of every frame.

        Returns
        -------
        np.ndarray, shape (K, N)
            Log-magnitudes.
        """
        return self._decode(codes, condition, loudness)

    def _encode(self, log_magnitude: np.ndarray, condition: np.ndarray, context: np.ndarray | None) -> Latents:
        raise NotImplementedError

    def _decode(self, codes: np.ndarray, condition: np.ndarray, loudness: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _apart(self, log_magnitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        import torch

        from stylemix.model.frames import set_loudness_apart

        floor_db = self._run.recipe.features.floor_db
        shape, loudness = set_loudness_apart(torch.from_numpy(np.ascontiguousarray(log_magnitude)), floor_db=floor_db)
        return shape.numpy(), loudness.numpy()

    def _latents_of(self, codes: np.ndarray, loudness: np.ndarray) -> Latents:
        return Latents(codes.astype(np.float32), loudness, self._run.vqt.sample_rate, step_samples(self._run))


class Spectra(Variant):
    """No latents: the level-free log-spectrum of each step, averaged over its frames and repeated for each.

    Parameters
    ----------
    run : Run
        The trained model.
    """

    def _encode(self, log_magnitude: np.ndarray, condition: np.ndarray, context: np.ndarray | None) -> Latents:
        shape, loudness = self._apart(log_magnitude)
        patches = to_patches(shape, self._frames)
        return self._latents_of(patches.reshape(self._frames, len(shape), -1).mean(axis=0), loudness)

    def _decode(self, codes: np.ndarray, condition: np.ndarray, loudness: np.ndarray) -> np.ndarray:
        return np.repeat(codes, self._frames, axis=1)[:, : len(loudness)] + loudness


class Pca(Variant):
    """Whitened principal components of patches of frames, as many as the run has latents.

    Parameters
    ----------
    run : Run
        The trained model; its training files are read, ten minutes of each corpus at most.

    Raises
    ------
    StylemixError
        If none of the files of a corpus is there any more.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        means, covariances = [], []
        for corpus in range(len(run.corpora)):
            shapes = list(self._heard(corpus))
            mean = np.concatenate(shapes, axis=1).mean(axis=1)
            found = np.concatenate([to_patches(shape - mean[:, None], self._frames) for shape in shapes], axis=1)
            means.append(mean)
            covariances.append(found @ found.T / found.shape[1])
        # Each corpus counts alike, however much of it there is.
        values, vectors = np.linalg.eigh(np.mean(covariances, axis=0))
        dims = int(run.recipe.model.latent_dim)
        self._means = np.stack(means)
        self._deviations = np.sqrt(np.maximum(values[::-1][:dims], LEAST_VARIANCE))
        self._components = vectors[:, ::-1][:, :dims]

    def _heard(self, corpus: int) -> Iterator[np.ndarray]:
        run = self._run
        parts = parts_of(run, corpus, held_out=False) or parts_of(run, corpus, held_out=True)
        # From many files a few evenly spread ones: a minute of each says more than ten minutes of the first.
        most = max(1, round(MOST_CORPUS_S / MOST_FILE_S) * 2)
        chosen = np.unique(np.linspace(0, len(parts) - 1, most).round().astype(int))
        files = [list(parts)[k] for k in chosen]
        for i in files:
            start, stop = parts[i]
            seconds = min(stop - start, MOST_FILE_S, MOST_CORPUS_S / len(files))
            wave = read_wave(run.file_path(i), start_s=start, duration_s=seconds, sample_rate=run.vqt.sample_rate)
            yield self._apart(block_features(run, wave.samples))[0]

    def _encode(self, log_magnitude: np.ndarray, condition: np.ndarray, context: np.ndarray | None) -> Latents:
        shape, loudness = self._apart(log_magnitude)
        patches = to_patches(shape - self._mean(condition), self._frames)
        return self._latents_of(self._components.T @ patches / self._deviations[:, None], loudness)

    def _decode(self, codes: np.ndarray, condition: np.ndarray, loudness: np.ndarray) -> np.ndarray:
        n = len(loudness)
        mean = np.repeat(self._mean(condition), self._frames if np.ndim(condition) == 2 else 1, axis=1)[:, :n]
        frames = to_frames(self._components @ (codes * self._deviations[:, None]), self._frames)[:, :n]
        return np.asarray(frames + mean + loudness, dtype=np.float32)

    def _mean(self, condition: np.ndarray) -> np.ndarray:
        """Of the weighted corpora, shape (K, 1 or M)."""
        return self._means.T @ np.asarray(condition).reshape(len(self._means), -1)


class Unconditioned(Variant):
    """The trained autoencoder, told nothing of the corpus: its condition stays at the mean.

    Parameters
    ----------
    run : Run
        The trained model.
    """

    def _encode(self, log_magnitude: np.ndarray, condition: np.ndarray, context: np.ndarray | None) -> Latents:
        return self._run.encode(log_magnitude, np.full_like(condition, 1 / len(condition)), context)

    def _decode(self, codes: np.ndarray, condition: np.ndarray, loudness: np.ndarray) -> np.ndarray:
        return self._run.decode(codes, np.full_like(condition, 1 / len(condition)), loudness)


def variant(run: Run, kind: str) -> Any:
    """Return the run with latents of a kind.

    Parameters
    ----------
    run : Run
        The trained model.
    kind : str
        One of `KINDS`; ``full`` is the run itself.

    Returns
    -------
    Run
        Or what acts like one, for rendering.
    """
    kinds = {"none": Spectra, "PCA": Pca, "without condition": Unconditioned}
    return kinds[kind](run) if kind in kinds else run
