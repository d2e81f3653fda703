"""A stand-in for a trained run: principal components of patches of four frames, quick to make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from stylemix.arrays import Latents
from stylemix.audio import probe, read_wave
from stylemix.descriptors import step_descriptors
from stylemix.errors import BadInput
from stylemix.files import sha256_file
from stylemix.transforms import VQT

FRAMES = 4
RATE = 8000


@dataclass(frozen=True)
class FakeFile:
    """What a run remembers of a file."""

    path: Path
    sha256: str
    seconds: float
    corpus: int
    split: str


class FakeRun:
    """Encodes by projection; a corpus' condition adds the corpus' mean, so that it matters."""

    def __init__(
        self,
        folders: dict[str, list[Path]],
        *,
        dims: int = 32,
        sample_rate: int = RATE,
        bins_per_octave: int = 12,
    ) -> None:
        self.path = Path("fake.mix")
        self.vqt = VQT(sample_rate, bins_per_octave=bins_per_octave)
        self.recipe = SimpleNamespace(
            model=SimpleNamespace(frames_per_step=FRAMES), hybrid=SimpleNamespace(candidates=24)
        )
        self.corpora = tuple(folders)
        self.files = tuple(
            FakeFile(path, sha256_file(path), probe(path).duration_s, i, "held-out" if j == 0 else "train")
            for i, paths in enumerate(folders.values())
            for j, path in enumerate(paths)
        )
        features = [self._features(f.path) for f in self.files]
        loudness = [self._loudness(x) for x in features]
        self.means = np.stack(
            [
                np.concatenate(
                    [x - y for x, y, f in zip(features, loudness, self.files, strict=True) if f.corpus == i],
                    axis=1,
                ).mean(axis=1)
                for i in range(len(folders))
            ]
        )
        patches = np.concatenate(
            [
                self._patches(x - y - self.means[f.corpus][:, None])
                for x, y, f in zip(features, loudness, self.files, strict=True)
            ],
            axis=1,
        )
        self.basis = np.linalg.svd(patches, full_matrices=False)[0][:, :dims]
        self._latents = [
            self.encode(x, np.eye(len(folders))[f.corpus]) for x, f in zip(features, self.files, strict=True)
        ]

    @property
    def margin(self) -> int:
        """The reach of the transform."""
        return self.vqt.margin

    def context(self, samples: np.ndarray, *, start: int = 0) -> None:
        """There is none: the features are the transform alone."""

    def encode(self, log_magnitude: np.ndarray, condition: np.ndarray, context: np.ndarray | None = None) -> Latents:
        """Project patches."""
        assert context is None
        loudness = self._loudness(log_magnitude)
        codes = self.basis.T @ self._patches(log_magnitude - loudness - (self.means.T @ condition)[:, None])
        return Latents(
            codes.astype(np.float32),
            loudness.astype(np.float32),
            self.vqt.sample_rate,
            FRAMES * self.vqt.hop_length,
            *step_descriptors(log_magnitude, self.vqt.frequencies_hz, FRAMES),
        )

    def decode(self, codes: np.ndarray, condition: np.ndarray, loudness: np.ndarray) -> np.ndarray:
        """Put patches side by side again."""
        patches = self.basis @ codes
        frames = (
            patches.reshape(self.vqt.n_bands, FRAMES, -1).transpose(0, 2, 1).reshape(self.vqt.n_bands, -1)
        )
        condition = np.asarray(condition)
        mean = self.means.T @ (condition if condition.ndim == 2 else condition[:, None])
        mean = np.repeat(mean, FRAMES, axis=1) if mean.shape[1] > 1 else mean
        n = len(loudness)
        return (frames[:, :n] + (mean[:, :n] if mean.shape[1] > 1 else mean) + loudness).astype(np.float32)

    def latents(self, index: int) -> Latents:
        """Return what was stored."""
        return self._latents[index]

    def file_path(self, index: int) -> Path:
        """Return a file that is still there."""
        path = self.files[index].path
        if not path.exists():
            raise BadInput(f"{path}: has moved")
        return path

    def _features(self, path: Path) -> np.ndarray:
        samples = torch.from_numpy(read_wave(path, sample_rate=self.vqt.sample_rate).samples)
        power = tuple(m.square().mean(dim=0).sqrt() for m in self.vqt.forward(samples).magnitudes())
        return self.vqt.pool(power, samples.shape[-1]).numpy()

    def _loudness(self, log_magnitude: np.ndarray) -> np.ndarray:
        return 0.5 * np.log(np.exp(2 * log_magnitude.astype(np.float64)).sum(axis=0))

    def _patches(self, x: np.ndarray) -> np.ndarray:
        n = -(-x.shape[1] // FRAMES)
        x = np.pad(x, ((0, 0), (0, n * FRAMES - x.shape[1])), mode="edge")
        return x.reshape(x.shape[0], n, FRAMES).transpose(0, 2, 1).reshape(-1, n)


def music(rng: np.random.Generator, n: int, pitches: list[float], channels: int = 1) -> np.ndarray:
    """Plucked notes with some hiss."""
    t = np.arange(n) / RATE
    x = 1e-4 * rng.standard_normal((channels, n))
    for start in np.arange(0, n / RATE, 0.25):
        pan = rng.random((channels, 1)) + 0.1
        hz = rng.choice(pitches)
        x += (
            0.3
            * pan
            * np.where(t >= start, np.exp(-6 * np.maximum(t - start, 0)), 0)
            * np.sin(2 * np.pi * hz * t)
        )
    return x.astype(np.float32)
