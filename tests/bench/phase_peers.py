"""Other packages that find phases, where they are installed: none of them is needed for anything else here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import torch

from tests.bench.phase_measures import spectrogram
from tests.bench.phase_methods import Method, Missing

N_FFT, HOP = 2048, 512


def installed(module: str, needs: str = "") -> Any:
    """A module of another package."""
    try:
        return import_module(module)
    except ImportError as error:
        # A package that is there but lacks one of its own is not run either.
        name = module.split(".", 1)[0]
        gone = getattr(error, "name", None) or name
        raise Missing(f"{name} is not installed" if gone == name else f"{name} needs {gone}") from None
    except OSError as error:
        raise Missing(f"{module} cannot be loaded: {str(error).splitlines()[0]}") from None


def stft(y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Hann-windowed magnitudes."""
    return (spectrogram(y, N_FFT),)


def gaussian(y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Magnitudes with the window of pghipy: a Gaussian that has fallen to 1 % at its ends."""
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import gaussian as bell

    window = bell(N_FFT, N_FFT / np.sqrt(-8 * np.log(0.01)), sym=False)
    transform = ShortTimeFFT(window, HOP, fs=1.0, scale_to=None)
    return (np.abs(transform.stft(y.astype(np.float64))),)


def fast(module: str, n_iter: int, x: np.ndarray) -> Callable[[], np.ndarray]:
    """Fast Griffin-Lim in torch."""
    found = installed(module)
    m = torch.from_numpy(spectrogram(x, N_FFT))
    if module == "torchaudio.functional":
        window = torch.hann_window(N_FFT)
        return lambda: found.griffinlim(m, window, N_FFT, HOP, N_FFT, 1.0, n_iter, 0.99, len(x), True).numpy()
    layer = found.Griffin_Lim(N_FFT, n_iter=n_iter)
    return lambda: padded(layer(m[None])[0].numpy(), len(x))


def specinv(algorithm: str, n_iter: int, x: np.ndarray) -> Callable[[], np.ndarray]:
    """An algorithm of torch_specinv."""
    found = getattr(installed("torch_specinv.methods"), algorithm)
    m = torch.from_numpy(spectrogram(x, N_FFT))
    settings = {"hop_length": HOP, "window": torch.hann_window(N_FFT)}
    return lambda: padded(found(m, maxiter=n_iter, verbose=0, **settings).numpy(), len(x))


def heap(x: np.ndarray) -> Callable[[], np.ndarray]:
    """Heap integration of pghipy."""
    found = installed("pghipy")
    m = np.abs(found.stft(x.astype(np.float64), win_length=N_FFT, hop_length=HOP))
    # Made of the window once, not of the magnitudes.
    synthesis = found.calculate_synthesis_window(N_FFT, HOP)

    def run() -> np.ndarray:
        phase = found.pghi(m, win_length=N_FFT, hop_length=HOP)
        c = m * np.exp(1j * phase)
        return found.istft(c, win_length=N_FFT, hop_length=HOP, synthesis_window=synthesis, length=len(x))

    return run


def tifresi(x: np.ndarray) -> Callable[[], np.ndarray]:
    """Heap integration of tifresi."""
    found = installed("tifresi.stft").GaussTruncTF(HOP, N_FFT)
    m = np.abs(found.dgt(x.astype(np.float64)))
    return lambda: padded(found.invert_spectrogram(m), len(x))


def lws(x: np.ndarray) -> Callable[[], np.ndarray]:
    """Local weighted sums."""
    found = installed("lws").lws(N_FFT, HOP, mode="music")
    m = np.abs(found.stft(x.astype(np.float64)))
    return lambda: padded(found.istft(found.run_lws(m)), len(x))


def padded(y: np.ndarray, n_samples: int) -> np.ndarray:
    """Cut or filled with silence."""
    return np.pad(y[:n_samples], (0, max(0, n_samples - len(y))))


def peers(x: np.ndarray) -> Iterator[Method]:
    """Those that can be run; calling another one's `run` says what it lacks."""
    known: dict[str, tuple[Callable[[np.ndarray], Callable[[], np.ndarray]], Any]] = {
        "torchaudio griffinlim(32), STFT 2048/512": (partial(fast, "torchaudio.functional", 32), stft),
        "nnAudio Griffin_Lim(32), STFT 2048/512": (partial(fast, "nnAudio.features.griffin_lim", 32), stft),
        "torch_specinv ADMM(100), STFT 2048/512": (partial(specinv, "ADMM", 100), stft),
        "pghipy heap integration, Gaussian 2048/512": (heap, gaussian),
        "tifresi heap integration, Gaussian 2048/512": (tifresi, gaussian),
        "lws, STFT 2048/512": (lws, stft),
    }
    for name, (prepare, own) in known.items():
        try:
            run = prepare(x)
        except Missing as missing:
            run = partial(refuse, str(missing))
        yield Method(name, run, own)


def refuse(why: str) -> np.ndarray:
    """Say why there is no sound."""
    raise Missing(why)
