"""The arrays that travel between the stages; sample rate and hop travel with the numbers.

Letters: B batch, C channels, K bands, N frames, T samples, D latent dims. Time is the last axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stylemix.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Wave:
    """Sound as samples.

    Parameters
    ----------
    samples : np.ndarray, shape (C, T), float32
        A one-dimensional array is taken as one channel.
    sample_rate : int
        Samples per second (Hz).

    Raises
    ------
    BadInput
        If the array is not one- or two-dimensional or the rate is not positive.

    Examples
    --------
    >>> wave = Wave(np.zeros(22050, dtype=np.float32), 22050)
    >>> wave.n_channels, wave.duration_s
    (1, 1.0)
    """

    samples: np.ndarray
    sample_rate: int

    def __post_init__(self) -> None:
        samples = np.atleast_2d(np.asarray(self.samples, dtype=np.float32))
        if samples.ndim != 2:
            raise BadInput(f"Wave: samples must have shape (C, T) or (T,), got {samples.shape}")
        if self.sample_rate <= 0:
            raise BadInput(f"Wave: sample_rate must be positive (Hz), got {self.sample_rate}")
        object.__setattr__(self, "samples", samples)

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return self.samples.shape[0]

    @property
    def n_samples(self) -> int:
        """Number of samples in each channel."""
        return self.samples.shape[1]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate

    def mono(self) -> Wave:
        """Return the mean of the channels.

        Returns
        -------
        Wave
            One channel, shape (1, T).

        Examples
        --------
        >>> Wave(np.array([[1.0, 0.0], [0.0, 0.0]]), 8000).mono().samples.tolist()
        [[0.5, 0.0]]
        """
        return Wave(self.samples.mean(axis=0, keepdims=True), self.sample_rate)

    def save(self, path: str | Path, *, bits: str | None = None, force: bool = False) -> Path:
        """Write to a sound file, to a temporary name first; louder than full scale is scaled, not clipped.

        Parameters
        ----------
        path : str or Path
            The ending chooses the format (.wav, .flac, .ogg, .opus, .mp3, .aiff).
        bits : {"16", "24", "32f"}, optional
            Sample format; by default 24 bits where the format has them.
        force : bool
            Allow an existing file to be replaced.

        Returns
        -------
        Path
            Where the file is.

        Raises
        ------
        BadInput
            If the file exists and `force` is not given, or the format is unknown.
        """
        from stylemix.audio import WaveWriter

        rate, channels = self.sample_rate, self.n_channels
        with WaveWriter(path, sample_rate=rate, n_channels=channels, bits=bits, force=force) as writer:
            writer.write(self.samples)
        return writer.path


@dataclass(frozen=True)
class Features:
    """What the model sees of a sound: log-magnitudes of the transform at a common frame rate.

    Parameters
    ----------
    log_magnitude : np.ndarray, shape (K, N)
        Natural logarithm of the band magnitudes, floored.
    sample_rate : int
        Of the sound they were taken from (Hz).
    hop_length : int
        Samples between frames.
    frequencies_hz : np.ndarray, shape (K,)
        Centre frequencies of the bands.
    """

    log_magnitude: np.ndarray
    sample_rate: int
    hop_length: int
    frequencies_hz: np.ndarray

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.log_magnitude.shape[-1]

    @property
    def frame_rate_hz(self) -> float:
        """Frames per second."""
        return self.sample_rate / self.hop_length


@dataclass(frozen=True)
class Latents:
    """Points of the learned space over time, with the loudness that was set apart.

    Parameters
    ----------
    codes : np.ndarray, shape (D, N)
        One latent vector a step.
    loudness : np.ndarray, shape (M,)
        Log-loudness of every feature frame (natural logarithm), M = N * frames a step, at most.
    sample_rate : int
        Of the sound (Hz).
    hop_length : int
        Samples between latent steps.
    chroma : np.ndarray, shape (12, N), optional
        Share of each pitch class at every step, from `stylemix.descriptors`.
    timbre : np.ndarray, shape (Q, N), optional
        Lowest cepstral coefficients of every step, from `stylemix.descriptors`.
    """

    codes: np.ndarray
    loudness: np.ndarray
    sample_rate: int
    hop_length: int
    chroma: np.ndarray | None = None
    timbre: np.ndarray | None = None

    @property
    def n_steps(self) -> int:
        """Number of latent steps."""
        return self.codes.shape[-1]

    @property
    def step_rate_hz(self) -> float:
        """Latent steps per second."""
        return self.sample_rate / self.hop_length
