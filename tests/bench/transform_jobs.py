"""What bench_transforms.py times: this library's transforms, and those of others where they are installed."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).parents[2]
RATE, HOP, BINS = 22050, 512, 36
LOWEST_HZ = 32.703195662574764
# Eight octaves from C1, the most whole ones below 11025 Hz: with a part of an octave more librosa.icqt diverges.
N_BINS = 8 * BINS
J = 11
# Frames of kymatio lie on ours where the length is a multiple of twice its stride.
ALIGN = 2 ** (J + 1)


@dataclass(frozen=True)
class Job:
    """One transform of one sound: to coefficients, and back where there is a way back."""

    name: str
    rows: int
    forward: Callable[[], Any]
    inverse: Callable[[Any], np.ndarray] | None = None


def sound(seconds: float) -> tuple[np.ndarray, str]:
    """Music of about so many seconds, and where it comes from: recordings beside the checkout, else a formula."""
    n = -(-round(seconds * RATE) // ALIGN) * ALIGN
    folder = Path(os.environ.get("STYLEMIX_MUSIC", ROOT.parent / "shared" / "corpora"))
    files = sorted(file for file in folder.glob("*/*/*") if file.suffix in (".flac", ".ogg", ".wav"))
    if files:
        return np.resize(np.concatenate(list(_read(files, n))), n).astype(np.float32), "recordings"
    sys.path.insert(0, str(ROOT))
    from tests.golden.make_scattering import music

    return np.resize(music(min(n, 60 * RATE)), n).astype(np.float32), "plucked chords over a drum, made by formula"


def _read(files: list[Path], n_samples: int) -> Iterator[np.ndarray]:
    import soundfile

    for file in files:
        x, rate = soundfile.read(file, dtype="float32", always_2d=True)
        if rate == RATE and n_samples > 0:
            n_samples -= len(x)
            yield x.mean(axis=1)


def versions(*names: str) -> dict[str, str]:
    """Versions of installed packages; "not installed" for the others."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def ours(name: str, **options: Any) -> Any:
    """One of this library's transforms."""
    from stylemix import transforms

    return getattr(transforms, name)(RATE, **options)


def invertible(x: np.ndarray) -> list[Job]:
    """Transforms with a way back, and nnAudio's, which has none."""
    import librosa

    wave, n = torch.from_numpy(x), len(x)
    window = torch.hann_window(2048)
    stft = {"n_fft": 2048, "hop_length": HOP, "window": window}
    jobs = [
        Job(
            "torch.stft / istft, 2048/512",
            1025,
            lambda: torch.stft(wave, return_complex=True, **stft),  # type: ignore[arg-type]
            lambda c: torch.istft(c, length=n, **stft).numpy(),  # type: ignore[arg-type]
        )
    ]
    own = (
        ("Fourier, 2048/512", ours("Fourier", n_fft=2048, hop_length=HOP)),
        ("VQT, 36 an octave, gamma 10 Hz", ours("VQT", bins_per_octave=BINS)),
        ("VQT, 36 an octave from C1, gamma 0", ours("VQT", bins_per_octave=BINS, gamma_hz=0.0, fmin_hz=LOWEST_HZ)),
    )
    for name, transform in own:
        jobs.append(
            Job(
                name,
                len(transform.meta()["hop"]),
                lambda t=transform: t.forward(wave),  # type: ignore[misc]
                lambda c, t=transform: t.inverse(c).numpy(),  # type: ignore[misc]
            )
        )
    cqt = {"sr": RATE, "bins_per_octave": BINS, "fmin": LOWEST_HZ, "hop_length": HOP}
    jobs.append(
        Job(
            "librosa.cqt / icqt",
            N_BINS,
            lambda: librosa.cqt(x, n_bins=N_BINS, **cqt),
            lambda c: librosa.icqt(c, length=n, **cqt),
        )
    )
    return jobs + list(_nnaudio(wave))


def _nnaudio(wave: torch.Tensor) -> Iterator[Job]:
    try:
        from nnAudio.features.cqt import CQT2010v2
    except Exception:  # an import error of its own where torch or SciPy is too new for it
        return
    layer = CQT2010v2(
        sr=RATE, hop_length=HOP, fmin=LOWEST_HZ, n_bins=N_BINS, bins_per_octave=BINS, verbose=False
    )
    yield Job("nnAudio CQT2010v2", N_BINS, lambda: layer(wave[None], output_format="Complex"))


def scatterings(x: np.ndarray, Q: tuple[int, int]) -> list[Job]:
    """Time scattering, ours and kymatio's; the same rows and frames."""
    wave = torch.from_numpy(x)
    transform = ours("TimeScattering", J=J, Q=Q)
    rows = len(transform.meta()["hop"])
    jobs = [Job(f"TimeScattering, J={J}, Q={Q}", rows, lambda: transform.forward(wave).array)]
    peer = kymatio(len(x), Q)
    if peer is not None:
        scattering, factors = peer
        scale = torch.as_tensor(factors, dtype=torch.float32)[:, None]
        jobs.append(Job(f"kymatio, J={J}, Q={Q}", len(factors), lambda: scattering(wave) * scale))
    return jobs


def kymatio(n_samples: int, Q: tuple[int, int]) -> tuple[Any, np.ndarray] | None:
    """kymatio's transform, and what to multiply its rows with; None where it is absent or would need too much memory.

    The module is imported from its depth, since the package's front door fails with SciPy 1.15 and newer. Release 0.3.0
    divides order 1 by ``2**min(j1, log2 T)`` and order 2 by ``2**(min(j1, log2 T) + min(j2, log2 T))``.
    """
    try:
        from kymatio.scattering1d.frontend.torch_frontend import ScatteringTorch1D
    except Exception:
        return None
    # Some 130 filters, with those at lower rates, of eight bytes, over a padded length of up to three times this.
    if 130 * 8 * 3 * n_samples > 0.5 * memory_bytes():
        return None
    scattering = ScatteringTorch1D(J=J, shape=n_samples, Q=Q)
    j = np.nan_to_num(np.asarray(scattering.meta()["j"]))
    return scattering, 2.0 ** np.minimum(j, J).sum(axis=1)


def memory_bytes() -> int:
    """Memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def deeper(x: np.ndarray) -> list[Job]:
    """Scattering over time, over time and log-frequency, and along the spiral of pitch."""
    wave = torch.from_numpy(x)
    jobs = []
    for name, options in (
        ("TimeScattering", {"J": 10, "Q": (8, 1)}),
        ("JointScattering", {"J": 10, "Q": (8, 1)}),
        ("SpiralScattering", {"J": 10}),
    ):
        transform = ours(name, **options)
        jobs.append(Job(name, len(transform.meta()["hop"]), lambda t=transform: t.forward(wave)))  # type: ignore[misc]
    return jobs
