"""Any stretch of a sound file at any rate, the same samples as reading the whole file would give."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from stylemix.audio.decode import breaks_at_once, check_finite, decode, mpg123_muted, open_sound
from stylemix.errors import BadInput

# Either side of a stretch, counted at the lower of the two rates: soxr's HQ filter settles to 1e-6 in 256.
MARGIN_SAMPLES = 512
# A frame of an mp3 may lean on 511 bytes before it: half a second at 8 kbit/s, the lowest rate there is.
MP3_RUN_UP_S = 1.0
# libsndfile misses by up to a page of an Ogg file when it seeks on from where it is, and wherever it seeks
# in the last page: it is sent back to the start first, and what is this near to the end is reached by
# decoding.
OGG_END_SAMPLES = 1 << 17


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
        self._position = 0
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
        if start != self._position:
            self._go_to(start)
        samples, _ = decode(self._sound, stop - start)
        self._position = start + len(samples)
        check_finite(self.path, samples)
        return samples.T

    def _go_to(self, start: int) -> None:
        is_mp3, is_ogg = self._sound.format == "MP3", self._sound.format == "OGG"
        run_up = min(start, round(MP3_RUN_UP_S * self.source_rate)) if is_mp3 else 0
        if is_ogg:
            run_up = start - min(start, max(0, self._n_source - OGG_END_SAMPLES))
            self._sound.seek(0)
        with mpg123_muted(is_mp3):
            self._sound.seek(start - run_up)
            decode(self._sound, run_up)

    def _decodable_samples(self) -> int:
        """Trust the header when the last sample can be had; count what decodes otherwise."""
        import soundfile

        claimed, counted = int(self._sound.frames), 0
        if claimed == 0:
            return 0
        # A decoder that has failed once may go on failing: each trial has a handle of its own.
        with open_sound(self.path) as sound, mpg123_muted(sound.format == "MP3"), \
                contextlib.suppress(soundfile.SoundFileError):
            sound.seek(claimed - 1)
            if len(decode(sound, 1)[0]) == 1:
                return claimed
        with open_sound(self.path) as sound, mpg123_muted(sound.format == "MP3"):
            while block := len(decode(sound, 1 << 18)[0]):
                counted += block
        if counted == 0:
            raise breaks_at_once(self.path)
        return counted
