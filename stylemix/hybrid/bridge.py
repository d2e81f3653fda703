"""From the model's rate back to the source's, with the band above the model's reach carried along."""

from __future__ import annotations

from typing import Any

import numpy as np

from stylemix.hybrid.source import SourceReader

SMOOTHING_S = 0.03
# The band above the model may become louder by this factor at most.
MOST_GAIN = 2.0


class RateBridge:
    """Turn consecutive blocks at the model's rate into blocks at the source's own rate.

    What resampling the source to the model's rate and back loses (the band above the model's Nyquist
    frequency) is added again, scaled by the smoothed ratio of the hybrid's energy to the source's in the top
    octave of the model's band. Where the hybrid is the source, the result is the source, whatever the
    resampler does.

    Parameters
    ----------
    source : SourceReader
        The source.
    """

    def __init__(self, source: SourceReader) -> None:
        from scipy.signal import butter

        self._source = source
        self._position = 0
        self._resampler: Any = None
        self._octave = butter(4, 0.5, btype="highpass", output="sos")
        self._states: dict[int, np.ndarray] = {}
        self._pole = float(np.exp(-1 / (SMOOTHING_S * source.model_rate)))
        self._energies = np.zeros((2, 1))

    def push(
        self, hybrid: np.ndarray, original: np.ndarray, *others: np.ndarray, last: bool = False
    ) -> list[np.ndarray]:
        """Bring the next block to the source's rate.

        Parameters
        ----------
        hybrid, original : np.ndarray, shape (C, T)
            The hybrid and the source, at the model's rate.
        *others : np.ndarray, each (C, T)
            More sounds to be brought to the source's rate as they are, the same number of them in every
            block.
        last : bool
            This is the last block: everything still in the filters is flushed.

        Returns
        -------
        list of np.ndarray, each (C, T')
            Hybrid with the upper band, the source itself, and the others, at the source's rate.
        """
        n = hybrid.shape[0]
        if self._source.sample_rate == self._source.model_rate:
            # Nothing lies above the model's band, but the last block may reach beyond the source's end.
            end = min(self._position + hybrid.shape[1], self._source.n_samples)
            keep = end - self._position
            self._position = end
            return [x[:, :keep] for x in (hybrid, original, *others)]
        stacked = np.concatenate([hybrid, original, *others, self._gain_change(hybrid, original)])
        raised = self._resampled(stacked, last)
        own = self._source.read(self._position, self._position + raised.shape[1])
        self._position += raised.shape[1]
        high = own - raised[n : 2 * n]
        out = raised[:n] + (1 + raised[-1:]) * high
        return [out, own, *(raised[i : i + n] for i in range(2 * n, raised.shape[0] - 1, n))]

    def _resampled(self, stacked: np.ndarray, last: bool) -> np.ndarray:
        import soxr

        if self._resampler is None:
            self._resampler = soxr.ResampleStream(
                self._source.model_rate, self._source.sample_rate, len(stacked), dtype="float32"
            )
        raised = self._resampler.resample_chunk(np.ascontiguousarray(stacked.T), last=last).T
        left = self._source.n_samples - self._position
        if last and raised.shape[1] < left:
            raised = np.pad(raised, ((0, 0), (0, left - raised.shape[1])))
        return raised[:, :left]

    def _gain_change(self, hybrid: np.ndarray, original: np.ndarray) -> np.ndarray:
        """Return the gain of the upper band minus 1, shape (1, T): zero where the hybrid is the source."""
        from scipy.signal import lfilter, sosfilt

        energies = []
        for side, x in enumerate((hybrid, original)):
            state = self._states.get(side, np.zeros((len(self._octave), x.shape[0], 2)))
            octave, self._states[side] = sosfilt(self._octave, x.astype(np.float64), zi=state)
            power = np.square(octave).mean(axis=0)
            smooth, self._energies[side] = lfilter(
                [1 - self._pole], [1, -self._pole], power, zi=self._energies[side]
            )
            energies.append(smooth)
        # -100 dB of full scale: silence has no ratio.
        ratio = np.sqrt((energies[0] + 1e-10) / (energies[1] + 1e-10))
        return (np.minimum(ratio, MOST_GAIN) - 1)[None].astype(np.float32)
