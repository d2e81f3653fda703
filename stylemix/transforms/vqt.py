"""The variable-Q transform: a painless nonstationary Gabor frame with its exact dual, in torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from stylemix.transforms.coefficients import Coefficients, check_sound
from stylemix.transforms.filterbank import FilterBank, variable_q

# Smallest magnitude whose logarithm is taken: -200 dB, below any 24-bit sound.
_TINY = 1e-10


@dataclass(frozen=True)
class _Group:
    """The bands of one hop for one padded length: where each coefficient's bin lies, and the window there."""

    hop: int
    bands: slice
    index: torch.Tensor  # (K_g, N_g) bin of the one-sided spectrum that each position of the folded band holds
    mirrored: torch.Tensor | None  # (K_g, N_g) where that bin is a negative frequency's mirror image
    analysis: torch.Tensor  # (K_g, N_g)
    synthesis: torch.Tensor  # (K_g, N_g)


class VQT:
    """Variable-Q transform of real sound with perfect reconstruction.

    Every band is a window on the spectrum, even on a warped frequency axis and sampled at least as densely as it is
    wide ("painless" [1]_), so the frame operator is diagonal over the bins of the spectrum and the dual windows are
    the windows divided by that diagonal. A coefficient is a sample of the analytic band signal: a stationary sinusoid
    of amplitude A in the middle of a band has magnitude A there, and its phase is the sinusoid's own phase.

    Parameters
    ----------
    sample_rate : int
        Hz.
    bins_per_octave : int
        Bands in an octave at high frequencies.
    gamma_hz : float
        Distance of the bands at 0 Hz.
    hop_length : int
        Samples between the frames of the pooled view, and the largest hop of a band; a power of two.
    oversampling : float
        How much denser than critical the bands are sampled.

    References
    ----------
    .. [1] P. Balazs, M. Doerfler, F. Jaillet, N. Holighaus, G. Velasco, "Theory, implementation and applications of
       nonstationary Gabor frames", J. Comput. Appl. Math. 236, 2011.

    Examples
    --------
    >>> vqt = VQT(22050)
    >>> x = torch.randn(2, 30000, generator=torch.Generator().manual_seed(0))
    >>> bool((vqt.inverse(vqt.forward(x)) - x).abs().max() < 1e-5)
    True
    """

    def __init__(
        self,
        sample_rate: int,
        *,
        bins_per_octave: int = 36,
        gamma_hz: float = 10.0,
        hop_length: int = 256,
        oversampling: float = 1.0,
    ) -> None:
        self.bank: FilterBank = variable_q(
            sample_rate,
            bins_per_octave=bins_per_octave,
            gamma_hz=gamma_hz,
            max_hop=hop_length,
            oversampling=oversampling,
        )
        self.sample_rate = sample_rate
        self.hop_length = hop_length
        # Blocks of a long sound share one length, so a few plans are all that is ever needed at once.
        self._plan = lru_cache(maxsize=6)(self._make_plan)

    @property
    def n_bands(self) -> int:
        """Number of bands K."""
        return self.bank.n_bands

    @property
    def frequencies_hz(self) -> np.ndarray:
        """Centre frequencies of the bands, shape (K,)."""
        return self.bank.frequencies_hz

    @property
    def margin(self) -> int:
        """Samples after which the longest window has decayed below -80 dB, a multiple of `hop_length`.

        A Hann bell of half-width h on the frequency axis is the pulse sinc(2ht) / (1 - (2ht)^2): its tail falls as
        1 / (pi u^3) with u = 2ht, which is 1e-4 at u = 14.7.
        """
        seconds = 14.7 / self.bank.bandwidths_hz.min()
        return int(np.ceil(seconds * self.sample_rate / self.hop_length)) * self.hop_length

    def padded_length(self, n_samples: int) -> int:
        """Length of the transform for a sound: a multiple of the hop with room for the windows to ring out.

        Parameters
        ----------
        n_samples : int
            Length of the sound.

        Returns
        -------
        int
            At least ``n_samples + margin``; `hop_length` times a number whose prime factors are small.
        """
        from scipy.fft import next_fast_len

        return self.hop_length * int(next_fast_len(-(-(n_samples + self.margin) // self.hop_length)))

    def forward(self, x: torch.Tensor) -> Coefficients:
        """Analyse sound.

        Parameters
        ----------
        x : torch.Tensor, shape (..., T), float32 or float64
            Sound; T at least 1.

        Returns
        -------
        Coefficients
            On the ragged lattice. Differentiable.

        Raises
        ------
        BadInput
            If `x` is no float32 or float64 tensor, is empty, or holds NaN or Inf.
        """
        check_sound(x, "VQT")
        length = self.padded_length(x.shape[-1])
        spectrum = torch.fft.rfft(x, n=length)
        groups = []
        for group in self._plan(length, x.dtype, x.device):
            folded = spectrum[..., group.index]
            if group.mirrored is not None:
                folded = torch.where(group.mirrored, folded.conj(), folded)
            groups.append(torch.fft.ifft(folded * group.analysis))
        return Coefficients(tuple(groups), self.hops, x.shape[-1])

    def inverse(self, coefficients: Coefficients) -> torch.Tensor:
        """Synthesise sound with the dual windows.

        Parameters
        ----------
        coefficients : Coefficients
            From `forward`, or of the same shape. Of inconsistent ones the nearest sound is made: the dual of a
            painless frame is its pseudo-inverse.

        Returns
        -------
        torch.Tensor, shape (..., T)
            Sound. Differentiable.
        """
        first = coefficients.groups[0]
        length = self.padded_length(coefficients.n_samples)
        real = first.real.dtype
        shape = (*first.shape[:-2], length // 2 + 1, 2)
        # index_add on the real view: not every device adds complex numbers at an index.
        spectrum = torch.zeros(shape, dtype=real, device=first.device)
        for group, c in zip(self._plan(length, real, first.device), coefficients.groups, strict=True):
            folded = torch.fft.fft(c) * group.synthesis
            if group.mirrored is not None:
                folded = torch.where(group.mirrored, folded.conj(), folded)
            values = torch.view_as_real(folded).flatten(-3, -2)
            spectrum = spectrum.index_add(-2, group.index.flatten(), values)
        return torch.fft.irfft(torch.view_as_complex(spectrum), n=length)[..., : coefficients.n_samples]

    def n_frames(self, n_samples: int) -> int:
        """Number of frames of the pooled view.

        Parameters
        ----------
        n_samples : int
            Length of the sound.

        Returns
        -------
        int
            ``ceil(n_samples / hop_length)``, at least 1.
        """
        return max(1, -(-n_samples // self.hop_length))

    def pool(self, magnitudes: tuple[torch.Tensor, ...], n_samples: int) -> torch.Tensor:
        """Bring magnitudes to one common frame rate: the mean power around each frame.

        Parameters
        ----------
        magnitudes : tuple of torch.Tensor, each (..., K_g, N_g)
            On the ragged lattice.
        n_samples : int
            Length of the sound.

        Returns
        -------
        torch.Tensor, shape (..., K, N)
            Natural logarithm of the pooled magnitudes. Frame n is centred on sample ``n * hop_length``.
        """
        rows = []
        for m, hop in zip(magnitudes, self.hops, strict=True):
            power = m.square()
            ratio = self.hop_length // hop
            if ratio > 1:
                flat = power.reshape(-1, 1, power.shape[-1])
                flat = torch.nn.functional.pad(flat, (ratio - 1, ratio - 1), mode="circular")
                kernel = _triangle(ratio, power.dtype, power.device)
                power = torch.nn.functional.conv1d(flat, kernel, stride=ratio).reshape(*power.shape[:-1], -1)
            rows.append(power)
        pooled = torch.cat(rows, dim=-2)[..., : self.n_frames(n_samples)]
        return 0.5 * torch.log(pooled.clamp_min(_TINY**2))

    def spread(self, log_magnitude: torch.Tensor, n_samples: int) -> tuple[torch.Tensor, ...]:
        """Bring something at the common frame rate to the ragged lattice by linear interpolation over time.

        Parameters
        ----------
        log_magnitude : torch.Tensor, shape (..., K, N)
            For example log-magnitudes from `pool`, or a log-gain.
        n_samples : int
            Length of the sound.

        Returns
        -------
        tuple of torch.Tensor, each (..., K_g, N_g)
            The last frame is held beyond the end.
        """
        n_total = self.padded_length(n_samples) // self.hop_length
        held = torch.nn.functional.pad(
            log_magnitude.reshape(-1, 1, log_magnitude.shape[-1]),
            (0, n_total + 1 - log_magnitude.shape[-1]),
            mode="replicate",
        ).reshape(*log_magnitude.shape[:-1], n_total + 1)
        out = []
        for group, hop in zip(self._band_slices(), self.hops, strict=True):
            rows, ratio = held[..., group, :], self.hop_length // hop
            fraction = torch.arange(ratio, dtype=rows.dtype, device=rows.device) / ratio
            left, right = rows[..., :-1, None], rows[..., 1:, None]
            out.append((left + (right - left) * fraction).flatten(-2))
        return tuple(out)

    @property
    def hops(self) -> tuple[int, ...]:
        """Hop of each group of bands, in order of rising frequency."""
        return tuple(int(self.bank.hops[s.start]) for s in self._band_slices())

    def _band_slices(self) -> list[slice]:
        changes = np.flatnonzero(np.diff(self.bank.hops)) + 1
        edges = [0, *changes.tolist(), self.n_bands]
        return [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]

    def _make_plan(self, length: int, dtype: torch.dtype, device: torch.device) -> list[_Group]:
        raw = [self._fold(length, bands) for bands in self._band_slices()]
        # Analysis windows hold the scale 2 (1 for the two real bands), so that a magnitude is an amplitude.
        diagonal = np.zeros(length // 2 + 1)
        for _, index, _, window in raw:
            np.add.at(diagonal, index.ravel(), np.square(window).ravel())
        plan = []
        for bands, index, mirrored, window in raw:
            hop = length // index.shape[1]
            dual = window / diagonal[index]

            def to(a: np.ndarray) -> torch.Tensor:
                return torch.as_tensor(a, dtype=dtype, device=device)

            plan.append(
                _Group(
                    hop=hop,
                    bands=bands,
                    index=torch.as_tensor(index, device=device),
                    mirrored=torch.as_tensor(mirrored, device=device) if mirrored.any() else None,
                    analysis=to(window / hop),
                    synthesis=to(dual * hop),
                )
            )
        return plan

    def _fold(self, length: int, bands: slice) -> tuple[slice, np.ndarray, np.ndarray, np.ndarray]:
        """Lay each band's window over its N_g positions, every bin at its own index modulo N_g."""
        bank = self.bank
        n = length // int(bank.hops[bands.start])
        width_hz = self.sample_rate / length
        index = np.zeros((bands.stop - bands.start, n), dtype=np.int64)
        window = np.zeros(index.shape)
        positions = np.arange(n)
        for row, band in enumerate(range(bands.start, bands.stop)):
            first = int(round(bank.frequencies_hz[band] / width_hz)) - n // 2
            bins = first + (positions - first) % n
            index[row] = bins
            scale = 1.0 if band in (0, self.n_bands - 1) else 2.0
            window[row] = scale * bank.window(band, bins * width_hz)
        mirrored = (index < 0) | (index > length // 2)
        index = np.abs(index)
        index = np.where(index > length // 2, length - index, index)
        return bands, index.clip(0, length // 2), mirrored & (window > 0), window


@lru_cache(maxsize=16)
def _triangle(ratio: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Weights of the mean over a frame: 2 * ratio - 1 samples, adding up to one."""
    ramp = 1 - torch.arange(-(ratio - 1), ratio, dtype=dtype, device=device).abs() / ratio
    return (ramp / ramp.sum()).reshape(1, 1, -1)
