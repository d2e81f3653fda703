"""How far a sound is from another: spectral convergence and log-spectral distance, in bounded memory."""

from __future__ import annotations

import numpy as np

WINDOW = 2048
HOP = 512
# Below this, relative to the loudest bin, a difference of levels is not counted.
FLOOR_DB = -80.0


class Comparison:
    """Compare two sounds block by block, on a short-time Fourier transform of 2048 samples.

    Parameters
    ----------
    sample_rate : int
        Hz; only for the reader's orientation.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((1, 8192)).astype(np.float32)
    >>> comparison = Comparison(22050)
    >>> comparison.add(x, 0.5 * x)
    >>> round(comparison.convergence_db(), 2), round(comparison.distance_db(), 2)
    (-6.02, 6.02)
    """

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._rest: np.ndarray | None = None
        self._difference = self._total = self._peak = 0.0
        self._distance, self._n_frames = 0.0, 0

    def add(self, reference: np.ndarray, found: np.ndarray) -> None:
        """Compare the next stretch.

        Parameters
        ----------
        reference, found : np.ndarray, shape (C, T)
            Consecutive sound.
        """
        pair = np.stack([reference, found])
        if self._rest is not None:
            pair = np.concatenate([self._rest, pair], axis=-1)
        n_frames = max(0, (pair.shape[-1] - WINDOW) // HOP + 1)
        self._rest = pair[..., n_frames * HOP :]
        if n_frames:
            self._count(pair[..., : (n_frames - 1) * HOP + WINDOW])

    def convergence_db(self) -> float:
        """Return the norm of the difference of the magnitudes, relative to the reference's.

        Returns
        -------
        float
            Decibels; -200 for equal sounds.
        """
        self._flush()
        return float(10 * np.log10(max(self._difference / max(self._total, 1e-30), 1e-20)))

    def distance_db(self) -> float:
        """Return the mean over the frames of the root mean square difference of the levels.

        Returns
        -------
        float
            Decibels. Levels more than 80 dB below the loudest bin so far count as 80 dB below.
        """
        self._flush()
        return float(self._distance / max(self._n_frames, 1))

    def _flush(self) -> None:
        if self._n_frames == 0 and self._rest is not None:
            pad = [(0, 0), (0, 0), (0, max(0, WINDOW - self._rest.shape[-1]))]
            self._count(np.pad(self._rest, pad))

    def _count(self, pair: np.ndarray) -> None:
        frames = np.lib.stride_tricks.sliding_window_view(pair, WINDOW, axis=-1)[..., ::HOP, :]
        magnitude = np.abs(np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32)))
        self._difference += float(np.square(magnitude[0] - magnitude[1]).sum())
        self._total += float(np.square(magnitude[0]).sum())
        self._peak = max(self._peak, float(magnitude[0].max()), 1e-9)
        level = 20 * np.log10(np.maximum(magnitude, self._peak * 10 ** (FLOOR_DB / 20)))
        per_frame = np.sqrt(np.square(level[0] - level[1]).mean(axis=-1))
        self._distance += float(per_frame.sum())
        self._n_frames += per_frame.size
