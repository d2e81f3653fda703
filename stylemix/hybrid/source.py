"""A stretch of a file as the source of a hybrid: at its own rate, and at the model's."""

from __future__ import annotations

import math
from types import TracebackType

import numpy as np

from stylemix.audio import shown_name
from stylemix.errors import BadInput
from stylemix.hybrid.track import Sound
from stylemix.hybrid.track_reader import open_reader

# Input samples either side of a resampled stretch: what the resampler's filter needs to settle.
MARGIN_SAMPLES = 512


class SourceReader:
    """Random access to a stretch of a file, at two rates whose first samples are the same instant.

    Parameters
    ----------
    path : str, Path or Track
        The file, or a track put together of several.
    model_rate : int
        The second rate (Hz).
    start_s : float
        Where the stretch begins (seconds).
    duration_s : float, optional
        Its length; to the end of the file by default.

    Raises
    ------
    BadInput
        If the file cannot be read, or the stretch does not lie in it.
    """

    def __init__(
        self, path: Sound, *, model_rate: int, start_s: float = 0.0, duration_s: float | None = None
    ) -> None:
        self.model_rate = model_rate
        if not (math.isfinite(start_s) and start_s >= 0):
            raise BadInput(f"start must be 0 or more seconds, got {start_s:g}")
        if duration_s is not None and not (math.isfinite(duration_s) and duration_s > 0):
            raise BadInput(f"duration must be more than 0 seconds, got {duration_s:g}")
        self._reader = open_reader(path)
        self.path = self._reader.path
        self.sample_rate, self.n_channels = self._reader.sample_rate, self._reader.n_channels
        self._first = round(start_s * self.sample_rate)
        left = self._reader.n_samples - self._first
        if left <= 0:
            self._reader.close()
            raise BadInput(
                f"{shown_name(self.path)}: lasts {self._reader.n_samples / self.sample_rate:.3f} s; there is "
                f"nothing at {start_s:g} s, choose an earlier start"
            )
        wanted = left if duration_s is None else max(1, round(duration_s * self.sample_rate))
        self.n_samples = min(left, wanted)
        self.n_model_samples = max(1, math.ceil(self.n_samples * model_rate / self.sample_rate))

    def __enter__(self) -> SourceReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.close()

    @property
    def duration_s(self) -> float:
        """Length of the stretch in seconds."""
        return self.n_samples / self.sample_rate

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return samples at the file's own rate.

        Parameters
        ----------
        start, stop : int
            Counted from the beginning of the stretch; silence outside it.

        Returns
        -------
        np.ndarray, shape (C, stop - start), float32
            The samples.
        """
        out = np.zeros((self.n_channels, max(0, stop - start)), dtype=np.float32)
        a, b = max(start, 0), min(stop, self.n_samples)
        if a < b:
            out[:, a - start : b - start] = self._reader.read(self._first + a, self._first + b)
        return out

    def read_model(self, start: int, stop: int) -> np.ndarray:
        """Return samples at the model's rate.

        Parameters
        ----------
        start, stop : int
            Counted from the beginning of the stretch; silence outside it.

        Returns
        -------
        np.ndarray, shape (C, stop - start), float32
            The samples; they do not depend on how the timeline is cut into reads.
        """
        if self.sample_rate == self.model_rate:
            return self.read(start, stop)
        import soxr

        common = math.gcd(self.sample_rate, self.model_rate)
        step_in, step_out = self.sample_rate // common, self.model_rate // common
        margin = math.ceil(MARGIN_SAMPLES * max(1.0, step_in / step_out) / step_in)
        # From an instant at which both rates have a sample, so that the two grids stay together.
        first, last = start // step_out - margin, -(-stop // step_out) + margin
        resampled = soxr.resample(
            self.read(first * step_in, last * step_in).T, self.sample_rate, self.model_rate
        ).T
        offset = start - first * step_out
        return np.ascontiguousarray(resampled[:, offset : offset + stop - start])
