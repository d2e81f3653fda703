"""Sounds and sound files for tests: small, seeded, made in a moment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile


def tone(seconds: float, *, rate: int = 22050, hz: float = 440.0, level: float = 0.3) -> np.ndarray:
    """A sine, shape (T,)."""
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def noise(
    seconds: float, *, rate: int = 22050, level: float = 0.1, seed: int = 0, channels: int = 1
) -> np.ndarray:
    """White noise, shape (T, C) or (T,)."""
    samples = np.random.default_rng(seed).standard_normal((round(seconds * rate), channels)) * level
    return samples.astype(np.float32).clip(-0.99, 0.99).squeeze()


def melody(seconds: float, *, rate: int = 22050, seed: int = 0, plucked: bool = False) -> np.ndarray:
    """Random notes, held with harmonics or plucked and noisy: two styles that are easy to tell apart."""
    rng = np.random.default_rng(seed)
    samples = np.zeros(round(seconds * rate), dtype=np.float32)
    note_s = 0.15 if plucked else 0.6
    time_s = np.arange(round(note_s * rate)) / rate
    for start in range(0, len(samples), len(time_s)):
        hz = 220 * 2 ** (rng.integers(0, 24) / 12)
        overtones = sum(np.sin(2 * np.pi * hz * k * time_s) / k for k in (1, 2, 3))
        if plucked:
            overtones = (np.sign(overtones) + rng.standard_normal(len(time_s))) * np.exp(-20 * time_s)
        samples[start : start + len(time_s)] = 0.1 * overtones[: len(samples) - start]
    return samples


def write(path: Path, samples: np.ndarray, *, rate: int = 22050, subtype: str | None = None) -> Path:
    """A sound file, its folder made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def truncate(path: Path, share: float) -> Path:
    """Cut a file off after a share of its bytes."""
    data = path.read_bytes()
    path.write_bytes(data[: round(share * len(data))])
    return path


def corpus(folder: Path, *, n_files: int = 4, seconds: float = 8.0, plucked: bool = False) -> Path:
    """A folder of different melodies in one style."""
    for i in range(n_files):
        write(folder / f"{i}.wav", melody(seconds, seed=i + 100 * plucked, plucked=plucked))
    return folder
