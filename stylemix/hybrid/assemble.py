"""The matched target as sound on the source's timeline: runs of the target files, spliced without clicks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from types import TracebackType

import numpy as np

from stylemix.hybrid.align import Path
from stylemix.hybrid.splice import best_shift, fade_weights, fit_channels
from stylemix.hybrid.track import Sound
from stylemix.hybrid.track_reader import OpenFiles

# A crossfade must end before the next can begin, one latent step later.
MOST_CROSSFADE_S = 0.04
SEARCH_S = 0.008


class TargetAssembler:
    """Read the target in the source's time, any stretch of it, always the same samples.

    Each run of the path is read from its file in one piece. Where two runs meet they are crossfaded; the
    second is first shifted by a few milliseconds to where it resembles the first most (as in WSOLA [1]_),
    and the crossfade is scaled by how alike they then are, so that neither cancelling nor uncorrelated
    sounds change the level.

    Parameters
    ----------
    path : Path
        File and latent step for every latent step of the source.
    files : sequence of paths or tracks
        What the path's file numbers mean.
    step_samples : int
        Samples in a latent step, at `sample_rate`.
    sample_rate : int
        Hz.
    n_channels : int
        Channels wanted: others are averaged or repeated to fit.
    gain : float
        Factor on the sound, to bring it to the source's level.

    References
    ----------
    .. [1] W. Verhelst, M. Roelands, "An overlap-add technique based on waveform similarity (WSOLA) for high
       quality time-scale modification of speech", ICASSP 1993.
    """

    def __init__(
        self,
        path: Path,
        files: Sequence[Sound],
        *,
        step_samples: int,
        sample_rate: int,
        n_channels: int,
        gain: float = 1.0,
    ) -> None:
        self.path, self.files = path, list(files)
        self.step_samples, self.sample_rate, self.n_channels, self.gain = (
            step_samples,
            sample_rate,
            n_channels,
            gain,
        )
        self._runs = path.runs()
        self._fade = 2 * (min(int(MOST_CROSSFADE_S * sample_rate), int(0.9 * step_samples)) // 2)
        self._search = min(int(SEARCH_S * sample_rate), step_samples // 4)
        # Splices found so far: the shift of each run, and the likeness at its beginning.
        self._shifts, self._likeness = [0], [1.0]
        self._open = OpenFiles(self.files, sample_rate=sample_rate)

    def __enter__(self) -> TargetAssembler:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the target files."""
        self._open.close()

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return samples of the assembled target.

        Parameters
        ----------
        start, stop : int
            Samples on the source's timeline at `sample_rate`; silence outside the path.

        Returns
        -------
        np.ndarray, shape (C, stop - start), float32
            The sound. It does not depend on how the timeline is cut into reads.
        """
        out = np.zeros((self.n_channels, max(0, stop - start)), dtype=np.float32)
        half = self._fade // 2
        borders = self._runs * self.step_samples
        first = int(np.searchsorted(borders[:, 1] + half, start, side="right"))
        last = int(np.searchsorted(borders[:, 0] - half, stop, side="left"))
        self._find_splices(min(last + 1, len(borders)))
        for run in range(first, min(last, len(borders))):
            a = max(start, int(borders[run, 0]) - (half if run else 0))
            b = min(stop, int(borders[run, 1]) + (half if run + 1 < len(borders) else 0))
            if a < b:
                out[:, a - start : b - start] += self._sound(run, a, b) * self._weights(run, a, b)
        return out * np.float32(self.gain)

    def splices(self) -> np.ndarray:
        """Return where the runs meet.

        Returns
        -------
        np.ndarray, shape (R - 1,), int
            Samples on the source's timeline.
        """
        return self._runs[1:, 0] * self.step_samples

    def _find_splices(self, n_runs: int) -> None:
        half, search = self._fade // 2, self._search
        for run in range(len(self._shifts), n_runs):
            border = int(self._runs[run, 0]) * self.step_samples
            tail = self._sound(run - 1, border - half, border + half).mean(axis=0)
            self._shifts.append(0)
            head = self._sound(run, border - half - search, border + half + search).mean(axis=0)
            shift, likeness = best_shift(tail, head)
            self._shifts[run] = shift - search
            self._likeness.append(likeness)

    def _weights(self, run: int, a: int, b: int) -> np.ndarray:
        half, likeness = self._fade // 2, self._likeness.__getitem__
        return fade_weights(a, b, [
            (int(self._runs[i, 0]) * self.step_samples, half, i == run, partial(likeness, i))
            for i in (run, run + 1) if 0 < i < len(self._runs)
        ])  # fmt: skip

    def _sound(self, run: int, a: int, b: int) -> np.ndarray:
        m, _ = self._runs[run]
        offset = int(self.path.step[m] - m) * self.step_samples + self._shifts[run]
        return fit_channels(self._open[int(self.path.file[m])].read(a + offset, b + offset), self.n_channels)
