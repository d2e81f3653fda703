"""The short-time Fourier transform, with the interface of the other transforms and an exact inverse."""

from __future__ import annotations

import numpy as np
import torch

from stylemix.errors import BadInput
from stylemix.transforms.coefficients import Coefficients, check_sound

# Smallest value of the window, against its largest, that a sample may be left with: what it amplifies is rounding.
_LEAST = 1e-2


class Fourier:
    r"""Short-time Fourier transform of real sound, and its inverse.

    Analysis is projection. Over one frame the sinusoids :math:`e_k(t) = e^{i \omega_k t}` are an orthogonal basis, and
    the coefficients are the inner products of the sound with them; adding up coefficients times basis vectors gives
    the frame back. Frames that overlap make the windowed sinusoids a frame in the mathematical sense: more vectors
    than needed. Of all sounds, `inverse` gives the one whose coefficients are nearest to those given [1]_,

    .. math:: x(t) = \frac{\sum_n w(t - nH) \, y_n(t)}{\sum_n w(t - nH)^2}

    with frames :math:`y_n` transformed back, hop H and window w, which is the sound itself if they are a sound's. It
    exists where the sum below never vanishes; here every sample must be held well by a frame before it alone, so
    that it also holds at the end of the sound.

    Frame n is centred on sample ``n * hop_length``, and the sound is silent outside. As in `VQT`, a stationary
    sinusoid of amplitude A at a row's frequency has magnitude A there and its own phase at the frame's centre; at
    0 Hz and at the Nyquist frequency, rows hold a cosine's value itself. This is a layer over ``torch.stft``.

    Parameters
    ----------
    sample_rate : int
        Hz.
    n_fft : int
        Length of a frame (samples); even.
    hop_length : int
        Samples between frames.
    window : str
        A window that ``scipy.signal.get_window`` knows.

    Raises
    ------
    BadInput
        If a parameter is out of range, or the transform could not be inverted.

    References
    ----------
    .. [1] D. W. Griffin, J. S. Lim, "Signal estimation from modified short-time Fourier transform", IEEE Trans. ASSP
       32(2), 1984.

    Examples
    --------
    >>> fourier = Fourier(8000, n_fft=256, hop_length=64)
    >>> tone = 0.5 * torch.cos(2 * torch.pi * 1000 / 8000 * torch.arange(8000.0))
    >>> c = fourier.forward(tone)
    >>> row = int(c.array[:, 60].abs().argmax())
    >>> float(fourier.meta()["frequency_hz"][row]), round(float(c.array[row, 60].abs()), 3)
    (1000.0, 0.5)
    >>> bool(torch.allclose(fourier.inverse(c), tone, atol=1e-5))
    True
    """

    def __init__(self, sample_rate: int, *, n_fft: int = 2048, hop_length: int = 512, window: str = "hann") -> None:
        from scipy.signal import get_window

        if not 0 < sample_rate < float("inf"):
            raise BadInput(f"Fourier: sample_rate must be positive (Hz), got {sample_rate}")
        if n_fft < 2 or n_fft % 2:
            raise BadInput(f"Fourier: n_fft must be even and at least 2, got {n_fft}")
        try:
            self.window = np.asarray(get_window(window, n_fft), dtype=np.float64)
        except ValueError as error:
            raise BadInput(f"Fourier: window {window!r} is unknown to scipy.signal.get_window: {error}") from None
        self.sample_rate, self.n_fft, self.hop_length = sample_rate, n_fft, hop_length
        weak = np.flatnonzero(np.abs(self.window[n_fft // 2 :]) < _LEAST * np.abs(self.window).max())
        largest = int(weak[0]) if len(weak) else n_fft // 2
        if not 1 <= hop_length <= largest:
            raise BadInput(
                f"Fourier: with n_fft {n_fft} and window {window!r}, hop_length must be 1 to {largest}, so that every "
                f"sample can be got back; got {hop_length}"
            )

    @property
    def n_rows(self) -> int:
        """Number of frequencies K, from 0 Hz to the Nyquist frequency."""
        return self.n_fft // 2 + 1

    @property
    def hops(self) -> tuple[int, ...]:
        """The hop (samples) of its one group of rows."""
        return (self.hop_length,)

    @property
    def margin(self) -> int:
        """Samples beyond which a coefficient does not depend on the sound: half a frame."""
        return self.n_fft // 2

    def n_frames(self, n_samples: int) -> int:
        """Count the frames of a sound.

        Parameters
        ----------
        n_samples : int
            Length of the sound.

        Returns
        -------
        int
            ``ceil(n_samples / hop_length)``.
        """
        return -(-n_samples // self.hop_length)

    def forward(self, x: torch.Tensor) -> Coefficients:
        """Analyse sound.

        Parameters
        ----------
        x : torch.Tensor, shape (..., T), float32 or float64
            Sound; T at least 1.

        Returns
        -------
        Coefficients
            One complex group (..., K, N). Differentiable.

        Raises
        ------
        BadInput
            If `x` is no float32 or float64 tensor, is empty, or holds NaN or Inf.
        """
        check_sound(x, "Fourier")
        half, n_samples = self.n_fft // 2, x.shape[-1]
        after = half + (self.n_frames(n_samples) - 1) * self.hop_length - n_samples
        padded = torch.nn.functional.pad(x.reshape(-1, n_samples), (half, after))
        window = torch.as_tensor(self.window, dtype=x.dtype, device=x.device)
        frames = torch.stft(padded, self.n_fft, self.hop_length, window=window, center=False, return_complex=True)
        # In place: the frames are several times as large as the sound.
        group = frames.mul_(self._scale(x)).reshape(*x.shape[:-1], *frames.shape[-2:])
        return Coefficients((group,), (self.hop_length,), n_samples)

    def inverse(self, coefficients: Coefficients) -> torch.Tensor:
        """Synthesise sound.

        Parameters
        ----------
        coefficients : Coefficients
            From `forward`, or of the same shape.

        Returns
        -------
        torch.Tensor, shape (..., T)
            The sound whose coefficients are nearest. Differentiable.

        Raises
        ------
        BadInput
            If they are not this transform's.
        """
        c, n_samples = coefficients.array, coefficients.n_samples
        wanted = (self.n_rows, self.n_frames(n_samples))
        if coefficients.hops != (self.hop_length,) or tuple(c.shape[-2:]) != wanted:
            raise BadInput(
                f"Fourier: coefficients of shape {tuple(c.shape[-2:])} with hops {coefficients.hops} are not this "
                f"transform's of {n_samples} samples, {wanted} with hop {self.hop_length}; give what forward gave"
            )
        real = c.real
        window = torch.as_tensor(self.window, dtype=real.dtype, device=c.device)
        frames = (c / self._scale(real)).reshape(-1, *wanted)
        x = torch.istft(frames, self.n_fft, self.hop_length, window=window, length=n_samples)
        return x.reshape(*c.shape[:-2], n_samples)

    def amplitudes(self, magnitudes: np.ndarray | torch.Tensor, n_samples: int) -> torch.Tensor:
        """Bring magnitudes of the usual scale to this transform's: those of ``librosa.stft`` or ``torch.stft``.

        They are sums over the window of frames centred on ``n * hop_length``; here they are amplitudes. Of a sound
        whose length is a multiple of the hop they have one frame more, which is left out.

        Parameters
        ----------
        magnitudes : np.ndarray or torch.Tensor, shape (..., K, N)
            Absolute values, with this transform's frame, hop and window.
        n_samples : int
            Length of the sound.

        Returns
        -------
        torch.Tensor, shape (..., K, n_frames)
            What ``forward(sound).magnitudes()`` has, as `stylemix.phase.recover` wants it.

        Raises
        ------
        BadInput
            If they are complex, or have other rows, or fewer frames.

        Examples
        --------
        >>> fourier = Fourier(8000, n_fft=256, hop_length=64)
        >>> x = torch.cos(0.3 * torch.arange(8000.0))
        >>> window = torch.hann_window(256)
        >>> s = torch.stft(x, 256, 64, window=window, pad_mode="constant", return_complex=True).abs()
        >>> bool(torch.allclose(fourier.amplitudes(s, 8000), fourier.forward(x).array.abs(), atol=1e-6))
        True
        """
        m = torch.as_tensor(magnitudes)
        wanted = (self.n_rows, self.n_frames(n_samples))
        if m.is_complex() or not m.is_floating_point():
            raise BadInput(f"Fourier: magnitudes must be real floating-point numbers, got {m.dtype}; take their abs()")
        if m.ndim < 2 or m.shape[-2] != wanted[0] or not wanted[1] <= m.shape[-1] <= wanted[1] + 1:
            raise BadInput(
                f"Fourier: magnitudes of shape {tuple(m.shape)} are not of {n_samples} samples with n_fft {self.n_fft} "
                f"and hop_length {self.hop_length}, whose shape is {wanted}; make the Fourier with their settings"
            )
        return m[..., : wanted[1]] * self._scale(m).abs()

    def meta(self) -> dict[str, np.ndarray]:
        """Name the rows.

        Returns
        -------
        dict of str to np.ndarray, each of shape (K,)
            ``frequency_hz``, ``bandwidth_hz`` (of the rectangle that lets as much white noise through) and ``hop``
            (samples).

        Examples
        --------
        >>> meta = Fourier(48000).meta()
        >>> float(meta["frequency_hz"][1]), float(meta["bandwidth_hz"][1].round(2))
        (23.4375, 35.16)
        """
        noise = self.sample_rate * np.square(self.window).sum() / self.window.sum() ** 2
        return {
            "frequency_hz": np.arange(self.n_rows) * self.sample_rate / self.n_fft,
            "bandwidth_hz": np.full(self.n_rows, noise),
            "hop": np.full(self.n_rows, self.hop_length),
        }

    def _scale(self, like: torch.Tensor) -> torch.Tensor:
        """Amplitudes from sums over a frame, and phases from its centre instead of its start; shape (K, 1)."""
        scale = np.full(self.n_rows, 2 / self.window.sum())
        scale[[0, -1]] /= 2
        # Half a frame earlier is a phase of pi k.
        scale[1::2] *= -1
        return torch.as_tensor(scale[:, None], dtype=like.dtype, device=like.device)
