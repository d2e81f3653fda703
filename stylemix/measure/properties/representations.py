"""The representations that are measured, each at settings that are said, all as coefficients on a lattice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from stylemix.transforms.coefficients import Coefficients, Transform

SAMPLE_RATE = 22050
# Scale of the largest wavelet and of the averaging: 2**12 samples, 186 ms, for all scatterings and the spectrogram.
J = 12
WINDOW = 2**J
MFCC_WINDOW, MFCC_HOP, N_MELS, N_MFCC = 2048, 512, 128, 20
# Mel power added under the logarithm, 60 dB below that of white noise as loud as the sound (a mean square of 1):
# the Hann window has the energy 0.375 * 2048, a mel filter of unit area gathers 1 / (22050 / 2048) of it.
MEL_FLOOR = 1e-6 * 0.375 * MFCC_WINDOW / (SAMPLE_RATE / MFCC_WINDOW)


@dataclass(frozen=True)
class Representation:
    """A representation with its settings.

    Parameters
    ----------
    key : str
        Short name, for JSON.
    title : str
        Name for people.
    settings : str
        What was chosen, in a few words.
    analyse : callable
        Sound (..., T) to real coefficients; zero for silence.
    cost : float
        Seconds that a core needs for one excerpt, roughly, for a bar that moves evenly.
    transform : Transform, optional
        Whose coefficients, or their magnitudes, these are.
    inverse : callable, optional
        Sound to sound, through the coefficients with all their phases and back; where there is an inverse.
    """

    key: str
    title: str
    settings: str
    analyse: Callable[[torch.Tensor], Coefficients]
    cost: float = 0.01
    transform: Transform | None = None
    inverse: Callable[[torch.Tensor], torch.Tensor] | None = None


def representations() -> list[Representation]:
    """List the representations that are measured, from Fourier to spiral scattering.

    Returns
    -------
    list of Representation
        All for sound at `SAMPLE_RATE`.

    Examples
    --------
    >>> [r.key for r in representations()]
    ['fourier', 'spectrogram', 'mfcc', 'vqt', 'wavelets', 'time', 'joint', 'spiral']
    """
    ms = f"{1000 * WINDOW / SAMPLE_RATE:.0f} ms"
    return [*_plain(ms), *_scatterings(ms)]


def first_order() -> Representation:
    """Return the time scattering of order 1 alone: what is left to say without a second layer.

    Returns
    -------
    Representation
        With the settings of the time scattering among `representations`.

    Examples
    --------
    >>> len(first_order().analyse(torch.zeros(20000)).array)
    87
    """
    from stylemix.transforms.scattering import TimeScattering

    scattering = TimeScattering(SAMPLE_RATE, J=J, Q=(8, 1), max_order=1)
    return Representation("first", "Order 1 alone", "", scattering.forward, transform=scattering)


def vector(coefficients: Coefficients) -> torch.Tensor:
    """Lay out coefficients as one vector whose squared length approximates an integral over time.

    Parameters
    ----------
    coefficients : Coefficients
        Real, of any number of rates.

    Returns
    -------
    torch.Tensor, shape (..., D)
        Each coefficient times the square root of its hop, so that rows of all rates weigh alike.

    Examples
    --------
    >>> round(vector(Coefficients((torch.ones(1, 2), 3 * torch.ones(1, 1)), (4, 8), 8)).square().sum().item(), 3)
    80.0
    """
    parts = [g.flatten(-2) * hop**0.5 for g, hop in zip(coefficients.groups, coefficients.hops, strict=True)]
    return torch.cat(parts, dim=-1)


def over_time(coefficients: Coefficients) -> torch.Tensor:
    """Sum coefficients over time, row by row.

    Parameters
    ----------
    coefficients : Coefficients
        Real, of any number of rates.

    Returns
    -------
    torch.Tensor, shape (..., P)
        Sums times hops: approximations of integrals.

    Examples
    --------
    >>> over_time(Coefficients((torch.ones(1, 2), 3 * torch.ones(1, 1)), (4, 8), 8)).tolist()
    [8.0, 24.0]
    """
    return torch.cat([g.sum(-1) * hop for g, hop in zip(coefficients.groups, coefficients.hops, strict=True)], dim=-1)


def fourier_modulus(x: torch.Tensor) -> Coefficients:
    """Take the modulus of the Fourier transform of a whole sound.

    Parameters
    ----------
    x : torch.Tensor, shape (..., T)
        Sound, taken as one period.

    Returns
    -------
    Coefficients
        One group (..., T // 2 + 1, 1).

    Examples
    --------
    >>> x = torch.randn(64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    >>> a, b = (fourier_modulus(y).array for y in (x, x.roll(5)))
    >>> torch.allclose(a, b)
    True
    """
    n = x.shape[-1]
    return Coefficients((torch.fft.rfft(x).abs()[..., None],), (n,), n)


def mfcc(x: torch.Tensor) -> Coefficients:
    """Compute mel-frequency cepstral coefficients, zero for silence.

    The cosine transform of ``10 log10(1 + S / S0)``, S the power in librosa's mel bands and S0 the constant
    `MEL_FLOOR`: at levels far above it these are librosa's own coefficients, but for a constant.

    Parameters
    ----------
    x : torch.Tensor, shape (..., T)
        Sound of a mean square of about 1.

    Returns
    -------
    Coefficients
        One group (..., 20, N). Differentiable.

    References
    ----------
    .. [1] S. Davis, P. Mermelstein, "Comparison of parametric representations for monosyllabic word recognition in
       continuously spoken sentences", IEEE Trans. ASSP 28(4), 1980.
    """
    import librosa

    window = torch.hann_window(MFCC_WINDOW, dtype=x.dtype, device=x.device)
    flat = x.reshape(-1, x.shape[-1])
    frames = torch.stft(flat, MFCC_WINDOW, MFCC_HOP, window=window, pad_mode="constant", return_complex=True)
    power = frames.abs().square().reshape(*x.shape[:-1], *frames.shape[-2:])
    bank = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=MFCC_WINDOW, n_mels=N_MELS)
    levels = 10 / np.log(10) * torch.log1p(torch.as_tensor(bank, dtype=x.dtype) @ power / MEL_FLOOR)
    # The orthonormal DCT-II: row k is sqrt(2/n) cos(pi k (m + 1/2) / n), the first one divided by sqrt(2).
    k, m = np.arange(N_MFCC)[:, None], np.arange(N_MELS)
    cosines = np.sqrt(2 / N_MELS) * np.cos(np.pi * k * (m + 0.5) / N_MELS)
    cosines[0] /= np.sqrt(2)
    return Coefficients((torch.as_tensor(cosines, dtype=x.dtype) @ levels,), (MFCC_HOP,), x.shape[-1])


def _plain(ms: str) -> list[Representation]:
    from stylemix.transforms.fourier import Fourier
    from stylemix.transforms.vqt import VQT

    stft, vqt = Fourier(SAMPLE_RATE, n_fft=WINDOW, hop_length=WINDOW // 4), VQT(SAMPLE_RATE)
    return [
        Representation(
            "fourier", "Fourier modulus", "of the whole sound", fourier_modulus,
            inverse=lambda x: torch.fft.irfft(torch.fft.rfft(x), n=x.shape[-1]),
        ),
        Representation(
            "spectrogram", "Spectrogram", f"modulus, Hann window of {ms}", _modulus(stft), transform=stft,
            inverse=lambda x: stft.inverse(stft.forward(x)),
        ),
        Representation("mfcc", "MFCC", f"{N_MFCC} of {N_MELS} mel bands, windows of 93 ms", mfcc),
        Representation(
            "vqt", "VQT modulus", "36 wavelets an octave", _modulus(vqt), transform=vqt,
            inverse=lambda x: vqt.inverse(vqt.forward(x)),
        ),
    ]  # fmt: skip


def _scatterings(ms: str) -> list[Representation]:
    from stylemix.transforms.joint import JointScattering
    from stylemix.transforms.scattering import TimeScattering
    from stylemix.transforms.spiral import SpiralScattering

    # The first layer with nothing averaged shows what the average is for.
    wavelets = TimeScattering(SAMPLE_RATE, J=J, Q=(8, 1), T=0, max_order=1)
    time = TimeScattering(SAMPLE_RATE, J=J, Q=(8, 1))
    joint = JointScattering(SAMPLE_RATE, J=J, Q=(8, 1))
    spiral = SpiralScattering(SAMPLE_RATE, J=J, Q=(8, 1), F=16)
    return [
        Representation("wavelets", "Wavelet modulus", "8 wavelets an octave", wavelets.forward, transform=wavelets),
        Representation(
            "time", "Time scattering", f"orders 1 and 2, averaged over {ms}", time.forward, 0.05, transform=time
        ),
        Representation(
            "joint", "Joint scattering", f"averaged over {ms} and two octaves", _weighted(joint), 0.15, transform=joint
        ),
        Representation(
            "spiral", "Spiral scattering", f"averaged over {ms}, order 2 over two octaves", _weighted(spiral), 0.35,
            transform=spiral,
        ),
    ]  # fmt: skip


def _weighted(transform: Transform) -> Callable[[torch.Tensor], Coefficients]:
    """Let rows taken every few bands only stand for all of them, so that norms approximate integrals over bands too."""
    weights = torch.as_tensor(np.sqrt(np.nan_to_num(transform.meta()["step"], nan=1.0)))

    def analyse(x: torch.Tensor) -> Coefficients:
        found = transform.forward(x)
        return Coefficients((found.array * weights[:, None].to(x.dtype),), found.hops, found.n_samples)

    return analyse


def _modulus(transform: Transform) -> Callable[[torch.Tensor], Coefficients]:
    def analyse(x: torch.Tensor) -> Coefficients:
        found = transform.forward(x)
        return Coefficients(found.magnitudes(), found.hops, found.n_samples)

    return analyse
