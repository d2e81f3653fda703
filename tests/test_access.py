"""Random access agrees with reading from the beginning, in every format that can be written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.audio import AudioReader


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "opus", "mp3", "aiff"])
def test_many_short_stretches_are_those_of_the_whole(
    tmp_path: Path, rng: np.random.Generator, ending: str
) -> None:
    rate = 24000
    t = np.arange(20 * rate) / rate
    # A chirp in noise: no two moments are alike, and the pages of a compressed file differ in length.
    sound = 0.3 * np.sin(2 * np.pi * (100 * t + 100 * t**2)) + 0.1 * rng.standard_normal(len(t)) * np.sin(t)
    path = Wave(sound, rate).save(tmp_path / f"s.{ending}")
    with AudioReader(path) as reader:
        whole = reader.read(0, reader.n_samples)
    with AudioReader(path) as reader:
        starts = np.concatenate(
            [rng.integers(0, reader.n_samples - 3000, 200), reader.n_samples - np.arange(1, 9000, 700)]
        )
        wrong = []
        for start in starts.tolist():
            stop = start + int(rng.integers(1, 3000))
            expected = whole[:, start:stop]
            found = reader.read(start, stop)[:, : expected.shape[1]]
            if np.abs(found - expected).max() > 1e-3:
                wrong.append(start)
    assert wrong == []
