"""What the phase benchmark is heard on: stretches of recordings of every style, and seeded sounds with known onsets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

SUFFIXES = (".aiff", ".flac", ".mp3", ".ogg", ".wav")


@dataclass(frozen=True)
class Piece:
    """A sound of the benchmark, (T,), with its onsets where they are known."""

    name: str
    kind: str
    samples: np.ndarray
    sample_rate: int
    onsets: np.ndarray | None = None


def recordings(
    folder: str | Path | None, sample_rate: int, *, seconds: float, count: int, start_s: float = 10.0
) -> Iterator[Piece]:
    """Stretches of recordings, one folder after the other, so that any number is spread over the styles.

    From the tenth second on (`start_s`), or as late as there are `seconds` left. Those with the higher rate come
    first; sound of a lower rate than asked for is resampled and says so in its name.
    """
    import soundfile

    if not folder:
        return
    folders: dict[Path, list[tuple[int, str, Path, float]]] = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.suffix.lower() in SUFFIXES:
            info = soundfile.info(path)
            if info.duration >= seconds - 1e-3:
                rank = -min(info.samplerate, sample_rate)
                folders.setdefault(path.parent, []).append((rank, path.name, path, info.duration))
    order = [one for row in zip_longest(*(sorted(files) for files in folders.values())) for one in row if one]
    for rank, _, path, duration in order[:count]:
        yield stretch(path, sample_rate, min(start_s, duration - seconds), seconds, -rank)


def stretch(path: Path, sample_rate: int, start_s: float, seconds: float, own_rate: int) -> Piece:
    """A part of a file as one channel at a rate."""
    from stylemix.audio import read_wave

    wave = read_wave(path, start_s=max(0.0, start_s), duration_s=seconds, sample_rate=sample_rate, mono=True)
    name = path.stem if own_rate >= sample_rate else f"{path.stem} (from {own_rate} Hz)"
    return Piece(name, "music", wave.samples[0].astype(np.float32), sample_rate)


def music_folder(given: str | None) -> Path | None:
    """The folder asked for, that of STYLEMIX_MUSIC, the one beside the checkout, or none."""
    beside = Path(__file__).parents[3] / "shared" / "corpora"
    found = given or os.environ.get("STYLEMIX_MUSIC") or (beside if beside.is_dir() else None)
    return Path(found) if found else None


def synthetic(sample_rate: int, *, seconds: float) -> list[Piece]:
    """Librosa's tone, chirp and clicks, and seeded clicks, drums and plucked chords."""
    import librosa

    times = np.arange(0.5, seconds - 0.2, 0.37)
    beats = librosa.clicks(times=times, sr=sample_rate, length=round(seconds * sample_rate))
    plain = {
        "librosa.tone 440 Hz": librosa.tone(440.0, sr=sample_rate, duration=seconds),
        "librosa.chirp 110-8000 Hz": librosa.chirp(fmin=110.0, fmax=8000.0, sr=sample_rate, duration=seconds),
    }
    pieces = [Piece(name, "synthetic", 0.5 * x.astype(np.float32), sample_rate) for name, x in plain.items()]
    at = np.round(times * sample_rate).astype(np.int64)
    pieces.append(Piece("librosa.clicks", "synthetic", 0.5 * beats.astype(np.float32), sample_rate, at))
    pieces.append(clicks(sample_rate, seconds))
    pieces.append(drums(sample_rate, seconds))
    pieces.append(plucked(sample_rate, seconds))
    return pieces


def clicks(sample_rate: int, seconds: float, *, seed: int = 0) -> Piece:
    """Single samples of either sign, about four a second, over noise at -80 dB of the loudest."""
    rng = np.random.default_rng(seed)
    at = onset_times(rng, sample_rate, seconds, 0.25)
    x = 1e-4 * rng.standard_normal(round(seconds * sample_rate))
    x[at] += rng.choice([-1, 1], len(at)) * rng.uniform(0.3, 0.9, len(at))
    return Piece("clicks", "synthetic", x.astype(np.float32), sample_rate, at)


def drums(sample_rate: int, seconds: float, *, seed: int = 0) -> Piece:
    """Falling tones, bursts of noise and short hisses in turn: what a bass drum, a snare and a cymbal are made of."""
    rng = np.random.default_rng(seed)
    at = onset_times(rng, sample_rate, seconds, 0.25)
    x = np.zeros(round(seconds * sample_rate))
    age = np.arange(round(0.25 * sample_rate)) / sample_rate
    # The frequency falls from 200 to 50 Hz: 50 + 150 exp(-30 t), whose integral is the phase.
    fall = 2 * np.pi * (50 * age + 5 * (1 - np.exp(-30 * age)))
    for turn, start in enumerate(at):
        noise = rng.standard_normal(len(age))
        hit = (
            np.exp(-12 * age) * np.cos(fall),
            0.5 * np.exp(-25 * age) * noise + 0.4 * np.exp(-30 * age) * np.cos(2 * np.pi * 190 * age),
            0.3 * np.exp(-80 * age) * np.diff(noise, prepend=0.0),
        )[turn % 3]
        part = x[start : start + len(age)]
        part += hit[: len(part)] * rng.uniform(0.5, 1.0)
    return Piece("drums", "synthetic", (0.5 * x / np.abs(x).max()).astype(np.float32), sample_rate, at)


def plucked(sample_rate: int, seconds: float, *, seed: int = 0) -> Piece:
    """Decaying chords over a burst of noise on every beat, one ringing into the next."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    x = np.zeros_like(t)
    at = np.round(np.arange(0, seconds, 0.5) * sample_rate).astype(np.int64)
    for start in at:
        age = t[: len(t) - start]
        for hz in 110 * 2 ** (rng.integers(0, 36, 3) / 12):
            for k in range(1, 9):
                x[start:] += np.exp(-(2 + k) * age) * np.sin(2 * np.pi * k * hz * age + 6.28 * rng.random()) / k
        x[start:] += 0.5 * np.exp(-60 * age) * rng.standard_normal(len(age))
    return Piece("plucked chords", "synthetic", (0.3 * x / np.abs(x).max()).astype(np.float32), sample_rate, at[1:])


def onset_times(rng: np.random.Generator, sample_rate: int, seconds: float, every_s: float) -> np.ndarray:
    """Samples, one in the middle half of every stretch of `every_s`, so that no two are near."""
    starts = np.arange(0.25, seconds - 0.25, every_s)
    return np.round((starts + every_s * rng.uniform(0.25, 0.75, len(starts))) * sample_rate).astype(np.int64)
