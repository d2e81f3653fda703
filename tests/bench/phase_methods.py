"""The ways from magnitudes to sound that the phase benchmark compares, on one piece: this package's and others'."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch

from stylemix.phase import griffin_lim, heap_phase, instantaneous_phase, recover, recover_pooled
from stylemix.recipe import Recipe
from stylemix.transforms import VQT, Coefficients, Fourier
from tests.bench.phase_measures import spectrogram

QUALITIES = ("draft", "good", "best")
Magnitudes = tuple[torch.Tensor, ...]
Own = Callable[[np.ndarray], tuple[np.ndarray, ...]]


class Missing(Exception):
    """A method that cannot be run here, and why."""


@dataclass(frozen=True)
class Method:
    """From magnitudes that are there already to sound, and what it worked on: a sound's magnitudes."""

    name: str
    run: Callable[[], np.ndarray]
    own: Own


@lru_cache(maxsize=4)
def vqt_at(sample_rate: int, overlap: int | None = None) -> VQT:
    """The models' transform at a rate, with 86 pooled frames a second at 22.05 kHz and at 44.1 kHz."""
    settings = Recipe().vqt
    return VQT(
        sample_rate,
        bins_per_octave=settings.bins_per_octave,
        gamma_hz=settings.gamma_hz,
        hop_length=256 if sample_rate < 32000 else 512,
        overlap=settings.overlap if overlap is None else overlap,
    )


@lru_cache(maxsize=8)
def fourier_at(sample_rate: int, hop_length: int, window: Any = "hann") -> Fourier:
    """The short-time Fourier transform of 2048 samples."""
    return Fourier(sample_rate, n_fft=2048, hop_length=hop_length, window=window)


def magnitudes_of(transform: VQT | Fourier, x: np.ndarray) -> Magnitudes:
    """What a sound has on the transform's lattice."""
    return transform.forward(torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32))).magnitudes()


def as_arrays(transform: VQT | Fourier, x: np.ndarray) -> tuple[np.ndarray, ...]:
    """The same in NumPy."""
    return tuple(m.numpy() for m in magnitudes_of(transform, x))


def turned(transform: VQT | Fourier, magnitudes: Magnitudes, phases: Magnitudes, n_samples: int) -> np.ndarray:
    """Sound of magnitudes and phases, once through the inverse."""
    groups = tuple(torch.polar(m, p.to(m.dtype)) for m, p in zip(magnitudes, phases, strict=True))
    return transform.inverse(Coefficients(groups, transform.hops, n_samples)).numpy()


def random_phase(magnitudes: Magnitudes, seed: int = 0) -> Magnitudes:
    """Uniform phases."""
    g = torch.Generator().manual_seed(seed)
    return tuple(2 * torch.pi * torch.rand(m.shape, generator=g) for m in magnitudes)


def recovered(transform: VQT | Fourier, magnitudes: Magnitudes, n_samples: int, quality: str) -> np.ndarray:
    """This package's own way."""
    return recover(magnitudes, transform, n_samples, quality=quality).numpy()


def heap_alone(transform: VQT | Fourier, magnitudes: Magnitudes, n_samples: int) -> np.ndarray:
    """Phase gradient heap integration and nothing after it."""
    return turned(transform, magnitudes, heap_phase(magnitudes, transform), n_samples)


def projected(
    transform: VQT | Fourier, magnitudes: Magnitudes, n_samples: int, n_iter: int, start: str, momentum: float = 0.99
) -> np.ndarray:
    """Griffin-Lim from a random phase, from heap integration or from the slope of the magnitudes."""
    begin = {
        "random": random_phase,
        "heap": lambda m: heap_phase(m, transform),
        "slope": lambda m: instantaneous_phase(m, transform),  # type: ignore[arg-type]
    }[start](magnitudes)
    return griffin_lim(magnitudes, transform, n_samples, n_iter=n_iter, start=begin, momentum=momentum).numpy()


def on_lattice(name: str, transform: VQT | Fourier, x: np.ndarray) -> Iterator[Method]:
    """This package's methods on true magnitudes of a transform."""
    m, n = magnitudes_of(transform, x), len(x)
    own = partial(as_arrays, transform)
    for quality in QUALITIES:
        yield Method(f"{name}: ours, {quality}", partial(recovered, transform, m, n, quality), own)
    yield Method(f"{name}: heap integration alone", partial(heap_alone, transform, m, n), own)
    if isinstance(transform, VQT):
        slope = partial(turned, transform, m)
        yield Method(f"{name}: slope start alone", lambda: slope(instantaneous_phase(m, transform), n), own)
        yield Method(f"{name}: slope start + 16 GLA", partial(projected, transform, m, n, 16, "slope"), own)
    yield Method(f"{name}: random + 32 GLA", partial(projected, transform, m, n, 32, "random"), own)


def from_pooled(vqt: VQT, x: np.ndarray) -> Iterator[Method]:
    """This package's methods on magnitudes of 86 frames a second, and what could be had with the true phase."""
    c, n = vqt.forward(torch.from_numpy(x)), len(x)
    pooled = vqt.pool(c.magnitudes(), n)
    own = partial(as_arrays, vqt)

    def spread() -> Magnitudes:
        return tuple(m.exp() for m in vqt.spread(pooled, n))

    def pooled_way(quality: str) -> np.ndarray:
        return recover_pooled(pooled, vqt, n, quality=quality).numpy()

    for quality in QUALITIES:
        yield Method(f"pooled: ours, {quality}", partial(pooled_way, quality), own)
    yield Method("pooled: interpolated, heap alone", lambda: heap_alone(vqt, spread(), n), own)
    yield Method("pooled: interpolated, slope start + 16 GLA", lambda: projected(vqt, spread(), n, 16, "slope"), own)
    true = tuple(g.angle() for g in c.groups)
    yield Method("pooled: interpolated, true phase (ceiling)", lambda: turned(vqt, spread(), true, n), own)


def sparse(vqt: VQT, x: np.ndarray) -> Iterator[Method]:
    """On windows that reach to the next band alone: what they leave undetermined, and the plain way of old."""
    name = f"VQT of overlap {vqt.bank.overlap}"
    m, n = magnitudes_of(vqt, x), len(x)
    own = partial(as_arrays, vqt)
    yield Method(f"{name}: ours, good", partial(recovered, vqt, m, n, "good"), own)
    yield Method(f"{name}: slope start + 16 GLA", partial(projected, vqt, m, n, 16, "slope"), own)

    def old() -> np.ndarray:
        interpolated = tuple(v.exp() for v in vqt.spread(vqt.pool(m, n), n))
        return projected(vqt, interpolated, n, 16, "slope")

    yield Method(f"{name}, pooled: interpolated, slope start + 16 GLA", old, own)


def librosas(x: np.ndarray, sample_rate: int) -> Iterator[Method]:
    """Griffin-Lim of librosa, on its short-time Fourier and constant-Q transforms."""
    import librosa

    def stft(y: np.ndarray) -> tuple[np.ndarray, ...]:
        return (spectrogram(y, 2048),)

    m = spectrogram(x, 2048)
    for n_iter in (32, 100):
        run = partial(librosa.griffinlim, m, n_iter=n_iter, n_fft=2048, length=len(x), random_state=0)
        yield Method(f"librosa.griffinlim({n_iter}), STFT 2048/512", run, stft)
    whole = 36 * int(np.log2(sample_rate / 2 / (1.02 * librosa.note_to_hz("C1"))))
    for n_bins in sorted({252, whole}):
        settings = {"sr": sample_rate, "bins_per_octave": 36}

        def cqt(y: np.ndarray, n_bins: int = n_bins, settings: dict[str, Any] = settings) -> tuple[np.ndarray, ...]:
            return (np.abs(librosa.cqt(y.astype(np.float32), n_bins=n_bins, **settings)),)

        run = partial(librosa.griffinlim_cqt, cqt(x)[0], n_iter=32, length=len(x), random_state=0, **settings)
        yield Method(f"librosa.griffinlim_cqt(32), {n_bins} bins", run, cqt)
