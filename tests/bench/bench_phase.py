"""Griffin-Lim on the variable-Q transform against librosa's, on the same ten seconds, in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from stylemix.phase import griffin_lim, inconsistency
from stylemix.transforms import VQT

RATE, SECONDS = 22050, 10


def music() -> np.ndarray:
    """Seeded plucked chords over a noise burst on every beat."""
    rng = np.random.default_rng(0)
    t = np.arange(SECONDS * RATE) / RATE
    x = np.zeros_like(t)
    for beat in np.arange(0, SECONDS, 0.5):
        age = np.maximum(t - beat, 0)
        for hz in 110 * 2 ** (rng.integers(0, 36, 3) / 12):
            for k in range(1, 9):
                x += (t >= beat) * np.exp(-(2 + k) * age) * np.sin(2 * np.pi * k * hz * t + rng.random()) / k
        x += 0.5 * (t >= beat) * np.exp(-60 * age) * rng.standard_normal(len(t))
    return (0.3 * x / np.abs(x).max()).astype(np.float32)


def convergence_db(found: np.ndarray, wanted: np.ndarray) -> float:
    """Spectral convergence on a short-time Fourier transform of 2048 samples."""
    import librosa

    n = min(len(found), len(wanted))
    a, b = (np.abs(librosa.stft(x[:n], n_fft=2048)) for x in (found, wanted))
    return 20 * float(np.log10(np.linalg.norm(a - b) / np.linalg.norm(b)))


def main() -> None:
    """Print the table."""
    import librosa

    x = music()
    rows: list[tuple[str, Callable[[], np.ndarray]]] = []
    for oversampling in (1.0, 2.0):
        vqt = VQT(RATE, oversampling=oversampling)
        m = vqt.forward(torch.from_numpy(x)).magnitudes()
        g = torch.Generator().manual_seed(0)
        noise = tuple(2 * torch.pi * torch.rand(v.shape, generator=g) for v in m)
        for name, start in (("slope start", None), ("random start", noise)):
            for n_iter in (0, 4, 16, 32):

                def run(vqt=vqt, m=m, start=start, n_iter=n_iter):  # type: ignore[no-untyped-def]
                    y = griffin_lim(m, vqt, len(x), n_iter=n_iter, start=start)
                    errors.append(20 * np.log10(inconsistency(vqt.forward(y).magnitudes(), m)))
                    return y.numpy()

                label = f"VQT, redundancy {vqt.bank.redundancy:.1f}, {name}, {n_iter} iterations"
                rows.append((label, run))
    spectrum = np.abs(librosa.stft(x, n_fft=2048))
    cqt = np.abs(librosa.cqt(x, sr=RATE, n_bins=252, bins_per_octave=36))
    rows += [
        (
            f"librosa.griffinlim, STFT 2048/512, {n} iterations",
            lambda n=n: librosa.griffinlim(spectrum, n_iter=n, n_fft=2048, random_state=0),
        )
        for n in (32, 100)
    ]
    rows.append(
        (
            "librosa.griffinlim_cqt, 252 bins, 32 iterations",
            lambda: librosa.griffinlim_cqt(cqt, sr=RATE, n_iter=32, bins_per_octave=36, random_state=0),
        )
    )
    print(f"| {'method':66} | seconds | SC2048 dB | SC of its coefficients dB |")
    print(f"|{'-' * 68}|---------|-----------|---------------------------|")
    for label, run in rows:
        errors: list[float] = []
        began = time.perf_counter()
        y = run()
        taken = time.perf_counter() - began
        own = f"{errors[0]:.1f}" if errors else ""
        print(f"| {label:66} | {taken:7.2f} | {convergence_db(y, x):9.1f} | {own:>25} |")


if __name__ == "__main__":
    main()
