"""The measures of the phase benchmark in closed form, and the onsets of its sounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests import sounds
from tests.bench import phase_measures as measures
from tests.bench import phase_sounds
from tests.bench.bench_phase import YARDSTICKS, Runs, measured, shown
from tests.bench.phase_methods import Method, Missing, as_arrays, fourier_at, magnitudes_of, turned, vqt_at

RATE = 22050


def click_at(*places: int, seconds: float = 1.0, level: float = 0.5) -> np.ndarray:
    """Silence but for single samples."""
    x = np.zeros(round(seconds * RATE), dtype=np.float32)
    x[list(places)] = level
    return x


def noise_steps(*levels_db: float, seconds: float = 0.25) -> np.ndarray:
    """Plus and minus one at random, so that every stretch holds exactly the energy of its level."""
    n = round(seconds * RATE)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], n * len(levels_db))
    return (signs * np.repeat(10 ** (np.array(levels_db) / 20), n)).astype(np.float32)


def test_convergence_is_the_relative_error_of_all_groups_together() -> None:
    wanted = (np.full((2, 3), 3.0), np.full((4, 5), 2.0))
    found = (wanted[0] + 1, wanted[1])
    # Six errors of 1 in 6 * 9 + 20 * 4.
    assert measures.convergence_db(found, wanted) == pytest.approx(10 * np.log10(6 / 134))


@pytest.mark.parametrize("gain", [0.9, 1.5, 2.0])
@pytest.mark.parametrize("n_fft", [512, 2048])
def test_convergence_of_a_gain_is_its_distance_from_one(gain: float, n_fft: int) -> None:
    x = sounds.noise(0.5)
    found = measures.sound_convergence_db((gain * x).astype(np.float32), x, n_fft)
    assert found == pytest.approx(20 * np.log10(abs(gain - 1)), abs=1e-3)


def test_convergence_does_not_hear_a_sign_and_calls_silence_zero_db() -> None:
    x = sounds.noise(0.5)
    assert measures.sound_convergence_db(-x, x, 2048) == measures.BEST_DB
    assert measures.sound_convergence_db(np.zeros_like(x), x, 2048) == pytest.approx(0.0, abs=1e-6)
    assert measures.sound_convergence_db(x, np.zeros_like(x), 2048) == 0.0
    assert measures.sound_convergence_db(np.zeros_like(x), np.zeros_like(x), 2048) == measures.BEST_DB


def test_a_short_transform_hears_what_a_long_one_does_not() -> None:
    # A click moved by 300 samples is another one to frames of 512 and nearly the same to frames of 2048.
    short, long = (measures.sound_convergence_db(click_at(10300), click_at(10000), n) for n in (512, 2048))
    assert short > -6
    assert long < short - 6


@pytest.mark.parametrize("gain_db", [-6.0, 3.0])
def test_distance_of_a_gain_is_the_gain(gain_db: float) -> None:
    x = sounds.noise(0.5)
    found = measures.spectral_distance_db((10 ** (gain_db / 20) * x).astype(np.float32), x)
    assert found == pytest.approx(abs(gain_db), abs=1e-2)


def test_distance_does_not_count_what_is_80_db_below_the_loudest_bin() -> None:
    x = np.concatenate([sounds.noise(0.5, level=0.1), np.zeros(RATE, dtype=np.float32)])
    faint = x + np.concatenate([np.zeros(RATE // 2 + 4096), 1e-7 * sounds.noise(1.0)[: RATE - 4096]]).astype(np.float32)
    assert measures.spectral_distance_db(faint, x) == 0.0
    heard = x + 1e4 * (faint - x)
    assert measures.spectral_distance_db(heard, x) > 1.0


def test_a_click_sets_in_at_its_own_sample() -> None:
    assert measures.onsets(click_at(3000, 9000, 15001), RATE).tolist() == [3000, 9000, 15001]


def test_an_onset_is_a_rise_of_ten_db_and_no_less() -> None:
    n = round(0.25 * RATE)
    assert measures.onsets(noise_steps(-20, -10.5), RATE).size == 0
    # The rise is 2 dB less when 441 samples of 1e-4 with d of 1e-2 among them hold 1.58 times their energy: d < 2.6.
    assert measures.onsets(noise_steps(-40, -20), RATE).tolist() == [n + 2]


def test_what_is_40_db_below_the_loudest_sets_nothing_in() -> None:
    x = click_at(3000) + 0.012 * click_at(9000) + 0.008 * click_at(15000)
    assert measures.onsets(x, RATE).tolist() == [3000, 9000]


def test_clicks_within_50_ms_are_one_onset_and_the_ends_of_the_sound_are_none() -> None:
    # 1102 samples are 50 ms.
    assert measures.onsets(click_at(3000, 4050), RATE).tolist() == [4050]
    assert measures.onsets(click_at(3000, 4150), RATE).tolist() == [3000, 4150]
    assert measures.onsets(click_at(100, 9000, RATE - 100), RATE).tolist() == [9000]
    assert measures.onsets(np.zeros(RATE, dtype=np.float32), RATE).size == 0
    assert measures.onsets(np.zeros(0, dtype=np.float32), RATE).size == 0


@pytest.mark.parametrize("rate", [22050, 44100])
def test_energy_beside_a_sample_is_that_of_20_ms(rate: int) -> None:
    n = round(0.02 * rate)
    x = np.ones(10 * n)
    before, after = measures.energies_beside(x, rate)
    assert (before[5 * n], after[5 * n]) == (n, n)
    assert (before[0], after[0], before[3], after[-1]) == (0, n, 3, 1)


@pytest.mark.parametrize("copy_db", [-12.0, -30.0, -70.0])
def test_pre_echo_of_an_early_copy_is_its_level(copy_db: float) -> None:
    x = click_at(5000, 12000)
    ahead = 10 ** (copy_db / 20) * np.roll(x, -round(0.010 * RATE))
    # The original is silent before its clicks, which counts as -60 dB; a copy below that is not heard.
    assert measures.pre_echo_db(x + ahead, x, RATE) == pytest.approx(max(0.0, 60 + copy_db), abs=1e-3)


def test_pre_echo_is_an_excess_over_the_original() -> None:
    at = round(0.25 * RATE)
    x, smeared = noise_steps(-40, -20), noise_steps(-40, -20)
    smeared[at - round(0.02 * RATE) : at] *= 2
    here = np.array([at])
    assert measures.before_db(x, RATE, here) == pytest.approx([-20.0], abs=1e-3)
    assert measures.pre_echo_db(smeared, x, RATE, here) == pytest.approx(20 * np.log10(2), abs=1e-3)
    assert measures.pre_echo_db(x, x, RATE) == 0.0


def test_pre_echo_further_ahead_than_20_ms_is_another_matter() -> None:
    x = click_at(5000)
    assert measures.pre_echo_db(x + np.roll(x, -round(0.021 * RATE)), x, RATE, np.array([5000])) == 0.0


def test_pre_echo_of_a_sound_without_onsets_is_none() -> None:
    assert measures.pre_echo_db(sounds.noise(0.5), sounds.noise(0.5), RATE) is None


@pytest.mark.parametrize("rate", [22050, 44100])
@pytest.mark.parametrize("make", [phase_sounds.clicks, phase_sounds.drums])
def test_onsets_of_the_seeded_sounds_are_where_they_say(make: type, rate: int) -> None:
    piece = make(rate, 4.0)
    again = make(rate, 4.0)
    assert np.array_equal(piece.samples, again.samples)
    assert len(piece.onsets) >= 12
    assert np.abs(piece.samples).max() < 1
    found = measures.onsets(piece.samples, rate)
    nearest = np.abs(found[:, None] - piece.onsets).min(axis=0)
    if make is phase_sounds.clicks:
        assert nearest.max() == 0
    # Drums ring into one another, so a few onsets rise less than the rule asks; the rest are met within 2 ms.
    assert (nearest <= 0.002 * rate).mean() >= 0.8
    assert len(found) <= len(piece.onsets)


def test_synthetic_sounds_last_as_long_as_asked_and_say_their_onsets_inside() -> None:
    for piece in phase_sounds.synthetic(RATE, seconds=2.0):
        assert piece.samples.shape == (2 * RATE,), piece.name
        assert piece.samples.dtype == np.float32
        assert 0.1 < np.abs(piece.samples).max() < 1, piece.name
        if piece.onsets is not None:
            assert 0 < piece.onsets.min() < piece.onsets.max() < 2 * RATE - 441, piece.name


def test_recordings_are_taken_in_turn_from_every_folder(tmp_path: Path) -> None:
    for folder, rates in {"a": (8000, 16000, 16000), "b": (16000,), "c": (16000, 16000)}.items():
        for i, rate in enumerate(rates):
            sounds.write(tmp_path / folder / f"{folder}{i}.wav", sounds.noise(3.0, rate=rate, seed=i), rate=rate)
    sounds.write(tmp_path / "b" / "short.wav", sounds.noise(0.5, rate=16000), rate=16000)
    pieces = list(phase_sounds.recordings(tmp_path, 16000, seconds=2.0, count=99))
    assert [p.name for p in pieces] == ["a1", "b0", "c0", "a2", "c1", "a0 (from 8000 Hz)"]
    assert {p.samples.shape for p in pieces} == {(32000,)}
    # The last two of three seconds: the tenth second is beyond the end.
    wanted = sounds.noise(3.0, rate=16000, seed=1)[16000:]
    assert np.abs(pieces[0].samples - wanted).max() < 1e-4
    first = next(phase_sounds.recordings(tmp_path, 16000, seconds=2.0, count=1, start_s=0.0))
    assert np.abs(first.samples - sounds.noise(3.0, rate=16000, seed=1)[:32000]).max() < 1e-4
    assert list(phase_sounds.recordings(None, 16000, seconds=2.0, count=3)) == []


def test_the_table_says_how_many_times_faster_and_how_many_db_better() -> None:
    runs = Runs("", 1)
    figures = dict.fromkeys(("own_db", "sc512_db", "distance_db"), 1.0)
    for name, seconds, sc in ((YARDSTICKS["cqt"], (3.0, 6.0, 12.0), (-10.0, -13.0, -16.0)),
                              ("VQT: ours, good", (0.3, 0.2, 0.1), (-20.0, -22.0, -24.0))):  # fmt: skip
        for s, db in zip(seconds, sc, strict=True):
            runs.rows.append(
                {"method": name, "piece": "", "seconds": s, "sc2048_db": db, "pre_echo_db": None, **figures}
            )
    ours, theirs = runs.summary(10.0)
    assert ours["method"] == "VQT: ours, good"
    assert (ours["seconds"], ours["times_real_time"]) == (0.2, 50)
    assert (ours["sc2048_db"], ours["worst_sc2048_db"], ours["pre_echo_db"]) == (-22, -20, None)
    assert ours["times_as_fast_as_cqt"] == pytest.approx(30)
    assert ours["db_better_than_cqt"] == pytest.approx(9)
    assert (theirs["times_as_fast_as_cqt"], theirs["db_better_than_cqt"]) == (1, 0)
    assert shown([ours])[0]["beside cqt"] == "30x, +9.0 dB"


def test_a_method_that_cannot_be_run_leaves_a_reason_and_no_row() -> None:
    def absent() -> np.ndarray:
        raise Missing("it is not installed")

    runs = Runs("", 1)
    assert runs.attempt(Method("absent", absent, lambda y: ())) is None
    assert runs.attempt(Method("broken", lambda: np.zeros(1 // 0), lambda y: ())) is None
    assert runs.missing["absent"] == "it is not installed"
    assert runs.missing["broken"].startswith("ZeroDivisionError")
    assert runs.rows == []


@pytest.mark.parametrize(
    "transform", [vqt_at(RATE), vqt_at(RATE, 1), fourier_at(RATE, 512)], ids=["vqt", "sparse", "stft"]
)
def test_with_its_own_phase_a_sound_has_no_error_by_any_measure(transform: Any) -> None:
    piece = phase_sounds.drums(RATE, 1.0)
    phases = tuple(c.angle() for c in transform.forward(torch.from_numpy(piece.samples)).groups)
    y = turned(transform, magnitudes_of(transform, piece.samples), phases, RATE)
    figures = measured(y, Method("", lambda: y, lambda x: as_arrays(transform, x)), piece)
    # Single precision, and in silence nothing but its rounding.
    assert figures["own_db"] < -110
    assert figures["sc512_db"] < -100
    assert figures["sc2048_db"] < -100
    assert figures["distance_db"] < 0.01
    assert figures["pre_echo_db"] == pytest.approx(0, abs=0.01)
