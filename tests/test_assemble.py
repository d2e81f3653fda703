"""The matched target as sound: the same samples however it is read, and no click where runs meet."""

from __future__ import annotations

from pathlib import Path as FilePath

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.hybrid.align import Path
from stylemix.hybrid.assemble import TargetAssembler
from stylemix.hybrid.splice import best_shift, crossfade_gain, fit_channels

RATE, STEP = 8000, 512


def assembler(path: Path, files: list[FilePath], n_channels: int = 1, gain: float = 1.0) -> TargetAssembler:
    return TargetAssembler(path, files, step_samples=STEP, sample_rate=RATE, n_channels=n_channels, gain=gain)


@pytest.fixture
def tones(tmp_path: FilePath) -> list[FilePath]:
    """Two stereo files of four seconds: 200 Hz and 310 Hz, the right channel half as loud."""
    t = np.arange(4 * RATE) / RATE
    return [
        Wave(np.stack([0.5 * np.sin(2 * np.pi * f * t), 0.25 * np.sin(2 * np.pi * f * t)]), RATE).save(
            tmp_path / f"{f}.wav", bits="32f"
        )
        for f in (200, 310)
    ]


def jumps(rng: np.random.Generator, n_runs: int) -> Path:
    lengths = rng.integers(1, 9, n_runs)
    starts = rng.integers(0, 50, n_runs)
    file = np.repeat(rng.integers(0, 2, n_runs), lengths)
    step = np.concatenate([s + np.arange(n) for s, n in zip(starts, lengths, strict=True)])
    return Path(file, step)


def test_one_run_is_the_file_itself(tones: list[FilePath]) -> None:
    path = Path(np.zeros(20, int), np.arange(5, 25))
    t = np.arange(5 * STEP, 25 * STEP) / RATE
    with assembler(path, tones, gain=2.0) as target:
        found = target.read(0, 20 * STEP)
    assert found.shape == (1, 20 * STEP)
    # Stereo becomes mono as the mean of 0.5 and 0.25; the gain doubles it.
    np.testing.assert_allclose(found[0], 0.75 * np.sin(2 * np.pi * 200 * t), atol=1e-6)


def test_it_reads_the_same_in_any_pieces(tones: list[FilePath], rng: np.random.Generator) -> None:
    path = jumps(rng, 30)
    n = path.n_steps * STEP
    with assembler(path, tones, 2) as target:
        whole = target.read(-100, n + 100)
    cuts = [-100, *np.sort(rng.integers(0, n, 25)).tolist(), n + 100]
    with assembler(path, tones, 2) as target:
        pieces = [target.read(a, b) for a, b in zip(cuts[:-1], cuts[1:], strict=True)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)
    assert not whole[:, :100].any()
    assert not whole[:, -100:].any()


def test_splices_of_a_tone_are_smooth_and_keep_its_level(tones: list[FilePath]) -> None:
    # Jumps inside one stationary tone: found in phase, the sound must go on as if nothing had happened.
    step = np.array([0, 1, 2, 9, 10, 20, 21, 22, 5, 6, 7, 33])
    with assembler(Path(np.zeros(12, int), step), tones) as target:
        found = target.read(0, 12 * STEP)[0]
    middle = found[STEP:-STEP]
    # A sinusoid of amplitude A bends by at most A w^2 a sample; a click bends by A.
    bend = np.abs(np.diff(middle, 2)).max()
    assert bend < 1.3 * 0.375 * (2 * np.pi * 200 / RATE) ** 2
    envelope = np.sqrt(np.convolve(middle**2, np.ones(40) / 40, mode="valid"))  # a whole period
    assert np.ptp(20 * np.log10(envelope)) < 1.0


def test_splices_between_noises_keep_the_power(tmp_path: FilePath, rng: np.random.Generator) -> None:
    noise = [
        Wave(0.1 * rng.standard_normal(8 * RATE), RATE).save(tmp_path / f"{i}.wav", bits="32f") for i in "ab"
    ]
    path = Path(np.tile([0, 1], 60), np.arange(120))
    with assembler(path, noise) as target:
        found = target.read(0, 120 * STEP)
    # Equal power where the sounds are unlike; a plain crossfade would lose power in the middle.
    assert 20 * np.log10(found.std() / 0.1) == pytest.approx(0, abs=0.5)


def test_the_gains_of_a_crossfade_keep_the_power_of_like_and_unlike_sounds() -> None:
    p = np.linspace(0.01, 0.99, 99)
    for likeness in (0.0, 0.4, 1.0):
        rise, fall = crossfade_gain(p, likeness), crossfade_gain(1 - p, likeness)
        np.testing.assert_allclose(rise**2 + fall**2 + 2 * likeness * rise * fall, 1)


def test_the_best_shift_is_where_the_stretch_was_cut_from(rng: np.random.Generator) -> None:
    x = rng.standard_normal(500)
    assert best_shift(3 * x[37:437], x) == (37, pytest.approx(1.0))
    assert best_shift(np.zeros(400), x) == (50, 0.0)


@pytest.mark.parametrize("have", [1, 2, 3, 8])
@pytest.mark.parametrize("want", [1, 2, 8])
def test_channels_are_averaged_or_repeated_to_fit(have: int, want: int) -> None:
    fitted = fit_channels(np.ones((have, 5)), want)
    assert fitted.shape == (want, 5)
    np.testing.assert_allclose(fitted, 1)
