"""Any stretch of a sound file at any rate, the same samples as reading the whole file would give."""

from __future__ import annotations

import math
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from stylemix.audio.decode import breaks_at_once, check_finite, decode, open_sound
from stylemix.errors import BadInput

# Either side of a stretch, counted at the lower of the two rates: soxr's HQ filter settles to 1e-6 in 256.
MARGIN_SAMPLES = 512


class AudioReader:
    """Random access to the samples of a file, resampled when asked.

    A stretch is resampled with a margin, from a point where both rates have a sample at the same instant, so
    that it agrees with the resampled whole file to rounding (1e-5 of full scale).

    Parameters
    ----------
    path : str or Path
        The file.
    sample_rate : int, optional
        The rate wanted (Hz); the file's own by default.

    Raises
    ------
    BadInput
        If the file cannot be read or the rate is not positive.
    """

    def __init__(self, path: str | Path, *, sample_rate: int | None = None) -> None:
        if sample_rate is not None and sample_rate <= 0:
            raise BadInput(f"AudioReader: sample_rate must be positive (Hz), got {sample_rate}")
        self.path = Path(path)
        self._sound = open_sound(path)
        self._n_source = self._decodable_samples()
        self.source_rate = int(self._sound.samplerate)
        self.sample_rate = int(sample_rate or self.source_rate)
        self.n_channels = int(self._sound.channels)
        # soxr rounds halves up.
        self.n_samples = (2 * self._n_source * self.sample_rate + self.source_rate) // (2 * self.source_rate)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._sound.close()

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return samples `start` to `stop`, counted at `sample_rate`.

        Parameters
        ----------
        start, stop : int
            May lie outside the file, where there is silence.

        Returns
        -------
        np.ndarray, shape (C, stop - start), float32
            The samples.

        Raises
        ------
        BadInput
            If `stop` is before `start` or the stretch holds NaN or Inf.
        """
        if stop < start:
            raise BadInput(f"AudioReader.read: stop must not be before start, got {start} and {stop}")
        samples = np.zeros((self.n_channels, stop - start), dtype=np.float32)
        first, last = max(start, 0), min(stop, self.n_samples)
        if first < last:
            inside = self._read_inside(first, last)
            samples[:, first - start:first - start + inside.shape[1]] = inside
        return samples

    def _read_inside(self, start: int, stop: int) -> np.ndarray:
        if self.sample_rate == self.source_rate:
            return self._decode(start, stop)
        import soxr

        common = math.gcd(self.source_rate, self.sample_rate)
        step_in, step_out = self.source_rate // common, self.sample_rate // common
        margin = math.ceil(MARGIN_SAMPLES * max(1.0, self.source_rate / self.sample_rate) / step_in)
        first_step = max(0, start // step_out - margin)
        last_step = -(-stop // step_out) + margin
        source = self._decode(first_step * step_in, min(last_step * step_in, self._n_source))
        resampled = soxr.resample(source.T, self.source_rate, self.sample_rate).T
        offset = first_step * step_out
        return resampled[:, start - offset:stop - offset]

    def _decode(self, start: int, stop: int) -> np.ndarray:
        self._sound.seek(start)
        samples, _ = decode(self._sound, stop - start)
        check_finite(self.path, samples)
        return samples.T

    def _decodable_samples(self) -> int:
        """Trust the header when the last sample can be had; count what decodes otherwise."""
        import soundfile

        claimed = int(self._sound.frames)
        if claimed == 0:
            return 0
        try:
            self._sound.seek(claimed - 1)
            if len(decode(self._sound, 1)[0]) == 1:
                return claimed
        except soundfile.SoundFileError:
            pass
        # A decoder that has failed once may go on failing: start afresh.
        self._sound.close()
        self._sound = open_sound(self.path)
        counted, at_end = 0, False
        while not at_end:
            block, _ = decode(self._sound, 1 << 18)
            counted, at_end = counted + len(block), len(block) < 1 << 18
        self._sound.close()
        self._sound = open_sound(self.path)
        if counted == 0:
            raise breaks_at_once(self.path)
        return counted
