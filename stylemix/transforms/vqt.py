"""The variable-Q transform: a painless nonstationary Gabor frame with its exact dual, in torch."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Literal

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.transforms.coefficients import Coefficients, check_sound
from stylemix.transforms.filterbank import FilterBank, variable_q
from stylemix.transforms.folding import Folding
from stylemix.transforms.real_fft import irfft, rfft

# Smallest magnitude whose logarithm is taken: -200 dB, below any 24-bit sound.
_TINY = 1e-10
# Windows of longer transforms are kept for the last length only: they take 20 bytes a sample for each
# band of overlap.
_MANY_KEPT = 2**20
# Longest window (s): ten minutes of silence behind each sound are more than anyone means.
_LONGEST_WINDOW_S = 600.0


class VQT:
    """Constant-Q, variable-Q or ERB transform of real sound with perfect reconstruction.

    Every band is a window on the spectrum, even on a warped frequency axis and sampled at least as densely as it is
    wide ("painless" [1]_), so the frame operator is diagonal over the bins of the spectrum and the dual windows are
    the windows divided by that diagonal. A coefficient is a sample of the analytic band signal: a stationary sinusoid
    of amplitude A in the middle of a band has magnitude A there, and its phase is the sinusoid's own phase.

    The lattice is ragged: each band's hop is the largest power of two that is at least critical, at most
    `hop_length`, and bands of one hop form a group. Coefficient n of a group lies at sample ``n * hop``. Below, where
    `hop_length` is the limit, all bands have it; above, the groups are octaves. `pool` and `spread` go to the frames
    of `hop_length`, which every group's lattice contains, and back.

    Parameters
    ----------
    sample_rate : int
        Hz.
    bins_per_octave : int
        Bands in an octave at high frequencies.
    gamma_hz : float or "erb"
        Distance of the bands at 0 Hz: 0 is constant-Q, "erb" makes the bands as wide as the ear's; see `variable_q`.
    fmin_hz : float, optional
        Lowest regular band; by default 32.70 Hz where `gamma_hz` is 0, else 0.
    hop_length : int
        Samples between the frames of the pooled view, and the largest hop of a band; a power of two.
    oversampling : float
        How much denser than critical the bands are sampled.
    overlap : int
        How many bands away, on either side, a window ends. What two partials have in common is told by the bands
        that hear both: with 1 there are too few of them to find phases from magnitudes.

    Raises
    ------
    BadInput
        If a parameter is out of range or leaves no band.

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
        gamma_hz: float | Literal["erb"] = 10.0,
        fmin_hz: float | None = None,
        hop_length: int = 256,
        oversampling: float = 1.0,
        overlap: int = 2,
    ) -> None:
        self.bank: FilterBank = variable_q(
            sample_rate,
            bins_per_octave=bins_per_octave,
            gamma_hz=gamma_hz,
            fmin_hz=fmin_hz,
            max_hop=hop_length,
            oversampling=oversampling,
            overlap=overlap,
        )
        self.sample_rate = sample_rate
        self.hop_length = hop_length
        self.oversampling = oversampling
        # Blocks of a long sound share one length, so a few plans are all that is ever needed at once.
        self._folding = lru_cache(maxsize=6)(self._make_folding)
        self._long_folding = lru_cache(maxsize=1)(self._make_folding)

    @property
    def n_bands(self) -> int:
        """Number of bands K."""
        return self.bank.n_bands

    @property
    def frequencies_hz(self) -> np.ndarray:
        """Centre frequencies of the bands, shape (K,)."""
        return self.bank.frequencies_hz

    @cached_property
    def margin(self) -> int:
        """Samples after which the longest window has decayed below -80 dB, a multiple of `hop_length`.

        A Hann bell of width w on the frequency axis is the pulse sinc(wt) / (1 - (wt)^2): its tail falls as
        1 / (pi u^3) with u = wt, which is 1e-4 at u = 14.7. What falls so slowly comes from where the curvature jumps,
        at both ends, each by the square of the slope of the warped axis there. In an even window that is 2r / w; where
        it is steeper the tail is larger. Within a window the curvature of the axis jumps at 0 Hz and at the band where
        it bends, and its slope s where the spacing changes: of that there is a tail of at most pi s / 2r / (2 pi t)^2.
        """
        bank, r, width = self.bank, self.bank.overlap, self.bank.bandwidths_hz
        first, last = bank.slopes
        # Both axes are mirrored beyond the ends, as far as a window reaches.
        lower = np.concatenate([last[:r][::-1], first])[: bank.n_bands]
        upper = np.concatenate([last, first[::-1][:r]])[r - 1 :]
        squares = (lower**2 + upper**2) / 2
        if bank.bend > 1:
            squares[: r + 1] += r / np.pi * last[0] ** 2
        elif r > 1 and not bank.fmin_hz:
            squares[1:r] += r / np.pi * bank.step * first[0] ** 2
        # The peak of the pulse is the window's area: w / 2 where it is even.
        bell = np.cos(np.pi * np.arange(-r, r + 1) / (2 * r)) ** 2
        area = np.lib.stride_tricks.sliding_window_view(np.diff(bank.edges_hz), 2 * r) @ (bell[1:] + bell[:-1]) / 2
        curved = 14.7 * np.maximum(squares / (2 * r) ** 2 / (2 * area), 1 / width**3) ** (1 / 3)
        jumps = np.pad(np.pad(np.abs(first[1:] - last[:-1]), 1), r - 1, mode="reflect") * (r > 1)
        kinks = np.lib.stride_tricks.sliding_window_view(jumps, 2 * r - 1).sum(-1)
        bent = np.sqrt(kinks / (8 * np.pi * r * area * 1e-4))
        return int(np.ceil((curved + bent).max() * self.sample_rate / self.hop_length)) * self.hop_length

    @property
    def ringing(self) -> int:
        """Samples that the windows ring on before and after a sound; a `Stream` keeps as many.

        A tail that falls as 1 / u^3 adds up to one of 1 / u^2 for a steady tone that is cut off. At thrice the margin
        that is below -90 dB of it, and sound that goes up and down leaves far less.
        """
        return 3 * self.margin

    def padded_length(self, n_samples: int) -> int:
        """Length of the transform for a sound: a multiple of the hop with room for the windows to ring out.

        Parameters
        ----------
        n_samples : int
            Length of the sound.

        Returns
        -------
        int
            At least ``n_samples + margin``; even, and `hop_length` times a number whose prime factors are small.

        Raises
        ------
        BadInput
            If the windows last more than ten minutes.
        """
        from scipy.fft import next_fast_len

        if self.margin > _LONGEST_WINDOW_S * self.sample_rate:
            lower = "fmin_hz" if self.bank.fmin_hz else "gamma_hz"
            raise BadInput(
                f"VQT: gamma_hz {self.bank.gamma_hz:g}, fmin_hz {self.bank.fmin_hz:g} and {self.bank.bins_per_octave} "
                f"bins_per_octave make windows of {self.margin / self.sample_rate:.3g} s, at most "
                f"{_LONGEST_WINDOW_S:g} s can be used; raise {lower} or lower bins_per_octave"
            )
        unit = max(self.hop_length, 2)
        return unit * int(next_fast_len(-(-(n_samples + self.margin) // unit)))

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
        groups = self._plan(length, x.dtype, x.device).analyse(rfft(x, length))
        return Coefficients(groups, self.hops, x.shape[-1])

    def inverse(self, coefficients: Coefficients) -> torch.Tensor:
        """Synthesise sound with the dual windows.

        Parameters
        ----------
        coefficients : Coefficients
            From `forward`, or of the same shape; frames that are missing at the end count as silence. Of inconsistent
            ones the nearest sound is made: the dual of a painless frame is its pseudo-inverse.

        Returns
        -------
        torch.Tensor, shape (..., T)
            Sound. Differentiable.

        Raises
        ------
        BadInput
            If they are not this transform's.
        """
        length = self.padded_length(coefficients.n_samples)
        wanted = tuple(s.stop - s.start for s in self._band_slices())
        found = tuple(c.shape[-2] for c in coefficients.groups)
        missing = [length // hop - c.shape[-1] for hop, c in zip(self.hops, coefficients.groups, strict=False)]
        if coefficients.hops != self.hops or found != wanted or min(missing) < 0:
            raise BadInput(
                f"VQT: groups of {found} bands with hops {coefficients.hops} are not this transform's, whose groups "
                f"have {wanted} bands, hops {self.hops} and at most {length} samples; give what forward gave"
            )
        groups = [
            torch.nn.functional.pad(c, (0, n)) if n else c for n, c in zip(missing, coefficients.groups, strict=True)
        ]
        folding = self._plan(length, groups[0].real.dtype, groups[0].device)
        return irfft(folding.synthesise(tuple(groups)), length)[..., : coefficients.n_samples]

    def meta(self) -> dict[str, np.ndarray]:
        """Name the bands, in the order of the rows.

        Returns
        -------
        dict of str to np.ndarray, each of shape (K,)
            ``frequency_hz`` (centre), ``bandwidth_hz`` (width of the window's support; it is above one half over
            about half of that), ``hop`` (samples), ``q`` (centre over the width at one half) and ``group`` (index into
            ``Coefficients.groups``).

        Examples
        --------
        >>> meta = VQT(22050, bins_per_octave=12, gamma_hz=0).meta()
        >>> meta["frequency_hz"][47].round(1), meta["q"][47].round(1)
        (np.float64(440.0), np.float64(8.6))
        """
        sizes = [s.stop - s.start for s in self._band_slices()]
        return {
            "frequency_hz": self.bank.frequencies_hz.copy(),
            "bandwidth_hz": self.bank.bandwidths_hz.copy(),
            "hop": self.bank.hops.copy(),
            "q": 2 * self.bank.frequencies_hz / self.bank.bandwidths_hz,
            "group": np.repeat(np.arange(len(sizes)), sizes),
        }

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

    def _plan(self, length: int, dtype: torch.dtype, device: torch.device) -> Folding:
        return (self._folding if length <= _MANY_KEPT else self._long_folding)(length, dtype, device)

    def _make_folding(self, length: int, dtype: torch.dtype, device: torch.device) -> Folding:
        return Folding(self.bank, length, dtype, device)


@lru_cache(maxsize=16)
def _triangle(ratio: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Weights of the mean over a frame: 2 * ratio - 1 samples, adding up to one."""
    # What is kept must not be a tensor of inference mode, which could not be used where there are gradients.
    with torch.inference_mode(False):
        ramp = 1 - torch.arange(-(ratio - 1), ratio, dtype=dtype, device=device).abs() / ratio
        return (ramp / ramp.sum()).reshape(1, 1, -1)
