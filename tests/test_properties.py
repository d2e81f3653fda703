"""The properties of representations: deformations exact, distances by closed form, and what scattering is for."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from stylemix.cli import run_command
from stylemix.errors import BadInput
from stylemix.measure.properties import reconstruction, report
from stylemix.measure.properties.deformations import BAND, prepared, sampled_at, shifted, transposed, warped
from stylemix.measure.properties.excerpts import (
    EXCERPT_S,
    SILENCE_S,
    Excerpt,
    choose_files,
    read_excerpts,
    sound_files,
    starter_excerpts,
)
from stylemix.measure.properties.material import KINDS, Deformation, all_deformations, make_material
from stylemix.measure.properties.page import write_page
from stylemix.measure.properties.pairs import (
    CHIRP_HZ,
    CHIRP_S,
    chirps,
    hard_pairs,
    measure_pairs,
    measure_tones,
    tremolo,
)
from stylemix.measure.properties.reconstruction import n_iterations, rebuilt
from stylemix.measure.properties.report import measure_properties
from stylemix.measure.properties.representations import (
    MFCC_HOP,
    MFCC_WINDOW,
    N_MELS,
    N_MFCC,
    SAMPLE_RATE,
    Representation,
    first_order,
    fourier_modulus,
    mfcc,
    representations,
)
from stylemix.measure.properties.trials import analysed, measure, relative_distance
from stylemix.measure.properties.verdict import PROPERTIES, judged, report_lines, sentence, shown, summary
from stylemix.transforms.coefficients import Coefficients
from tests.browser import chromium, console_errors, open_page
from tests.sounds import corpus, melody, noise, tone, write

# Seconds of sound or of training in each: the fast tests of every change need not wait for them.
pytestmark = pytest.mark.slow

FOURIER = Representation("fourier", "Fourier modulus", "", fourier_modulus)
SOUND = Representation("sound", "The sound itself", "", lambda x: Coefficients((x[..., None, :],), (1,), x.shape[-1]))
BY_KEY = {r.key: r for r in representations()}


def faded(f: np.ndarray) -> np.ndarray:
    """A sound under a bell."""
    return f * np.hanning(len(f))


def excerpt(seed: int, file: int = 0, *, seconds: float = 1.0) -> Excerpt:
    sound = prepared(melody(seconds, seed=seed), fade=1000, silence=2000)
    return Excerpt(f"{file}.wav", file, 0.0, sound)


# Deformations.


def test_a_shift_by_whole_samples_is_a_roll_and_two_halves_are_one(rng: np.random.Generator) -> None:
    x = prepared(rng.standard_normal(3000), fade=100, silence=200)
    assert np.abs(shifted(x, 7) - np.roll(x, 7)).max() < 1e-12
    # The fades leave a little at the Nyquist frequency, which has no half shift.
    assert np.abs(shifted(shifted(x, 0.5), 0.5) - np.roll(x, 1)).max() < 1e-6
    assert np.abs(shifted(x, 0.5) - x).max() > 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_done_leaves_the_sound(kind: str, rng: np.random.Generator) -> None:
    x = prepared(rng.standard_normal(4000), fade=100, silence=500)
    assert np.abs(Deformation(kind, 0.0)(x, phase=1.0) - x).max() < 1e-5


@pytest.mark.parametrize("share", [0.01, 0.5, BAND, 0.95])
def test_a_sinusoid_is_read_between_its_samples_to_110_db(share: float) -> None:
    def wave(t: np.ndarray) -> np.ndarray:
        return np.exp(-0.5 * ((t - 2000) / 300) ** 2) * np.cos(np.pi * share * t + 0.3)

    t = np.arange(4000.0)
    positions = t + 20 * np.sin(t / 300) + 0.123
    error = sampled_at(wave(t), positions) - wave(positions)
    assert 20 * np.log10(np.abs(error).max()) < -110


def test_outside_a_sound_there_is_silence() -> None:
    assert sampled_at(np.ones(100), np.array([-50.0, -1e9, 100.5, 1e9])).tolist() == [0, 0, 0, 0]


def test_at_its_own_samples_a_sound_is_itself_up_to_the_nyquist_frequency(rng: np.random.Generator) -> None:
    x = faded(np.cos(np.pi * np.arange(4000)) + rng.standard_normal(4000))
    assert np.abs(sampled_at(x, np.arange(4000.0)) - x).max() < 1e-5


def test_a_warp_is_its_formula_and_its_slope_is_its_depth() -> None:
    t = np.arange(8000.0)
    depth, period, phase = 0.03, 2000.0, 0.7
    tau = depth * period / (2 * np.pi) * np.sin(2 * np.pi * t / period + phase)
    assert np.abs(np.gradient(tau)).max() == pytest.approx(depth, rel=1e-4)
    bell = np.exp(-0.5 * ((t - 4000) / 700) ** 2)
    moved = np.exp(-0.5 * ((t - tau - 4000) / 700) ** 2) * np.cos(1.1 * (t - tau))
    assert np.abs(warped(bell * np.cos(1.1 * t), depth, period=period, phase=phase) - moved).max() < 1e-5


@pytest.mark.parametrize("cents", [-100.0, 50.0, 200.0])
def test_a_tone_is_transposed_by_as_many_cents(cents: float) -> None:
    x = faded(np.sin(0.4 * np.arange(1 << 15)))

    def hz(sound: np.ndarray) -> float:
        spectrum = np.abs(np.fft.rfft(sound)) ** 2
        return float((spectrum * np.arange(len(spectrum))).sum() / spectrum.sum())

    assert 1200 * np.log2(hz(transposed(x, cents)) / hz(x)) == pytest.approx(cents, abs=0.05)


def test_transposing_up_folds_nothing_back(rng: np.random.Generator) -> None:
    x = prepared(rng.standard_normal(20000), fade=500, silence=2000)
    # Two tones above the band would fold to between; a band-limited noise ends at the Nyquist frequency.
    up = np.abs(np.fft.rfft(transposed(x, 200.0)))
    assert up[: len(up) // 2].max() > 50
    energy = np.square(transposed(x, 200.0)).sum() / np.square(x).sum()
    assert energy == pytest.approx(2 ** (-200 / 1200), rel=1e-3)


def test_a_prepared_sound_has_its_band_its_level_and_silence_around(rng: np.random.Generator) -> None:
    x = prepared(rng.standard_normal(8000), fade=400, silence=1000)
    assert np.abs(x[:1000]).max() == np.abs(x[-1000:]).max() == 0
    assert np.mean(x[1000:-1000] ** 2) == pytest.approx(1)
    power = np.abs(np.fft.rfft(x)) ** 2
    assert power[int(0.9 * len(power)) :].sum() < 1e-6 * power.sum()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: prepared(np.zeros(100), fade=10, silence=5), "finite and not silent"),
        (lambda: prepared(np.full(100, np.nan), fade=10, silence=5), "finite and not silent"),
        (lambda: prepared(np.ones(19), fade=10, silence=5), "at least 20 samples"),
        (lambda: warped(np.ones(10), 1.0, period=5), "depth must be below 1"),
        (lambda: warped(np.ones(10), 0.1, period=0), "period positive"),
    ],
)
def test_what_cannot_be_deformed_is_refused(call: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        call()


# Excerpts.


def test_excerpts_are_spread_and_avoid_silence(tmp_path: Path) -> None:
    sound = np.concatenate([noise(8), np.zeros(SAMPLE_RATE * 8, dtype=np.float32), noise(8, seed=1)])
    path = write(tmp_path / "a.wav", sound)
    found = read_excerpts([path], sample_rate=SAMPLE_RATE, most=4)
    assert len(found) == 4
    starts = [e.start_s for e in found]
    assert starts == sorted(starts)
    assert starts[0] < 6 < 16 - EXCERPT_S < starts[-1]
    assert all(not 8 < start < 16 - EXCERPT_S for start in starts)
    assert {len(e.sound) for e in found} == {round((EXCERPT_S + 2 * SILENCE_S) * SAMPLE_RATE)}


def test_a_short_file_gives_what_it_has_and_files_share(tmp_path: Path) -> None:
    long, short = write(tmp_path / "a.wav", melody(20)), write(tmp_path / "b.wav", melody(2.5))
    found = read_excerpts([long, short], sample_rate=SAMPLE_RATE, most=6)
    assert [e.file for e in found] == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("sound", "message"),
    [(tone(1.5), "must last at least 2 s, got 1.50 s"), (np.zeros(SAMPLE_RATE * 5), "silent where it was listened to")],
)
def test_a_short_or_silent_file_is_refused(sound: np.ndarray, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=message):
        read_excerpts([write(tmp_path / "a.wav", sound)], sample_rate=SAMPLE_RATE)


def test_folders_are_looked_through_and_many_files_thinned(tmp_path: Path) -> None:
    folder = corpus(tmp_path / "music", n_files=3, seconds=3)
    write(folder / "short.wav", melody(1.0))
    alone = write(tmp_path / "x.wav", tone(3))
    assert [p.name for p in sound_files([alone, folder, alone])] == ["x.wav", "0.wav", "1.wav", "2.wav"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="holds no file with 2 s of sound"):
        sound_files([tmp_path / "empty"])
    many = [Path(str(i)) for i in range(100)]
    assert len(choose_files(many)) == 12
    assert choose_files(many)[0] == many[0]
    assert choose_files(many)[-1] == many[-1]


@pytest.mark.slow
def test_without_files_sounds_are_composed() -> None:
    found = starter_excerpts(sample_rate=SAMPLE_RATE, pieces=1, most=4)
    assert [e.file for e in found] == [0, 0, 1, 1]
    assert found[0].name == "coins-for-a-small-piano"


# Representations.


def test_the_fourier_modulus_does_not_see_a_circular_shift(rng: np.random.Generator) -> None:
    x = torch.as_tensor(rng.standard_normal(1000))
    assert torch.allclose(fourier_modulus(x).array, fourier_modulus(x.roll(123)).array, atol=1e-11)


def test_mfcc_are_librosas_but_for_a_constant(rng: np.random.Generator) -> None:
    import librosa

    x = rng.standard_normal(SAMPLE_RATE)
    ours = mfcc(torch.as_tensor(x)).array.numpy()
    theirs = librosa.feature.mfcc(
        y=x, sr=SAMPLE_RATE, n_mfcc=N_MFCC, n_fft=MFCC_WINDOW, hop_length=MFCC_HOP, n_mels=N_MELS
    )
    # Noise lies 60 dB above the floor: its levels move by 10 log10(1 + 1e-6) and a little more where it is weak.
    assert np.abs(ours[1:] - theirs[1:]).max() < 0.01
    assert np.ptp(ours[0] - theirs[0]) < 0.01


@pytest.mark.parametrize("key", BY_KEY)
def test_each_representation_is_real_and_zero_for_silence(key: str) -> None:
    x = torch.zeros(2, 40000)
    x[1, 15000:25000] = torch.sin(torch.arange(10000.0))
    coefficients = BY_KEY[key].analyse(x)
    silence, sound = torch.cat([g.flatten(1) for g in coefficients.groups], dim=1)
    assert not sound.is_complex()
    assert silence.abs().max() < 1e-6 * sound.abs().max()


# Trials.


def test_a_shifted_tone_is_as_far_as_its_phase_says() -> None:
    x = prepared(faded(np.sin(2 * np.pi * 500 / SAMPLE_RATE * np.arange(8000))), fade=10, silence=2000)
    shift = 0.2e-3
    other = Excerpt("b", 1, 0.0, np.roll(x, 3000))
    material = make_material([Excerpt("a", 0, 0.0, x), other], [Deformation("shift", shift)], most=1)
    found = measure(SOUND, material)["shift"][0]
    # |1 - exp(2 pi i f s)| for a sound at the frequency f.
    assert found["distance"] == pytest.approx(2 * np.sin(np.pi * 500 * shift), rel=1e-3)
    assert found["share"] == pytest.approx(found["distance"] / measure(SOUND, material)["between"])


def test_nothing_done_is_no_distance_and_each_sound_finds_itself() -> None:
    material = make_material([excerpt(i, i) for i in range(3)], [Deformation(kind, 0.0) for kind in KINDS])
    found = measure(BY_KEY["vqt"], material)
    for kind in KINDS:
        assert found[kind][0]["distance"] < 1e-5
        assert found[kind][0]["found"] == 1
    assert found["between"] > 0.5


def test_the_fourier_modulus_is_invariant_and_saturates() -> None:
    deformations = [Deformation("shift", 0.01234), *(Deformation("warp", depth) for depth in (0.001, 0.01))]
    found = measure(FOURIER, make_material([excerpt(i, i) for i in range(3)], deformations))
    assert found["shift"][0]["largest"] < 1e-5
    assert found["growth"] < 0.8
    assert found["lipschitz"] > 50
    assert found["reversal"] < 1e-5


def test_a_sound_that_has_become_another_is_not_found() -> None:
    one, other = excerpt(1, 0), excerpt(2, 1)
    material = make_material([one, other], [Deformation("shift", 0.0)])
    material.deformed[Deformation("shift", 0.0)][0] = other.sound
    row = measure(FOURIER, material)["shift"][0]
    assert row["found"] == 0.5
    assert row["largest"] == pytest.approx(float(relative_distance(*analysed(FOURIER, material.sounds)[0])), rel=1e-4)


def test_the_nearest_of_the_same_file_is_counted_against_chance() -> None:
    high, low = (prepared(tone(0.5, hz=hz), fade=100, silence=500) for hz in (2000.0, 200.0))
    # Loudness is no kinship: at a tenth, both are nearer to each other than to the loud one.
    near = [Excerpt("a", 0, 0.0, high), Excerpt("a", 0, 1.0, 0.1 * high), Excerpt("b", 1, 0.0, 0.1 * low)]
    found = measure(FOURIER, make_material(near, []))
    assert (found["same_file"], found["chance"]) == (1.0, 0.5)
    mixed = [Excerpt(name, file, 0.0, sound) for name, file in (("a", 0), ("b", 1)) for sound in (high, low)]
    assert measure(FOURIER, make_material(mixed, []))["same_file"] == 0
    assert measure(FOURIER, make_material(mixed[:2], []))["same_file"] is None


def test_different_sounds_are_those_of_different_files() -> None:
    high, low = (prepared(tone(0.5, hz=hz), fade=100, silence=500) for hz in (2000.0, 200.0))
    alike = [Excerpt("a", 0, 0.0, gain * high) for gain in (1, 1.01, 1.01, 1.01)]
    sounds = [*alike, Excerpt("b", 1, 0.0, low)]
    assert measure(FOURIER, make_material(sounds, []))["between"] == pytest.approx(np.sqrt(2), rel=0.02)
    assert measure(FOURIER, make_material(sounds[:2], []))["between"] == pytest.approx(0.01, rel=0.02)


def test_a_change_of_tempo_is_not_counted_as_transposition() -> None:
    loudness = Representation("", "", "", lambda x: Coefficients((x.abs()[..., None, :],), (1,), x.shape[-1]))
    material = make_material([excerpt(0, 0), excerpt(1, 1)], [Deformation("transposition", 200.0)])
    assert measure(loudness, material)["transposition"][0]["largest"] < 1e-3


def test_played_backwards_is_heard_by_what_knows_the_direction_of_time() -> None:
    def rising(x: torch.Tensor) -> Coefficients:
        return Coefficients((x.diff().clamp_min(0)[..., None, :] ** 2, x.square()[..., None, :]), (1, 1), x.shape[-1])

    fall = np.exp(-np.arange(2000) / 300) - np.exp(-np.arange(2000) / 5)
    sounds = [Excerpt("a", 0, 0.0, np.pad(fall, 99)), excerpt(1, 1, seconds=0.1)]
    sounds[1] = Excerpt("b", 1, 0.0, np.roll(sounds[0].sound, 50))
    found = measure(Representation("", "", "", rising), make_material(sounds, []))
    there, back = (float(np.square(np.diff(x).clip(min=0)).sum()) for x in (sounds[0].sound, sounds[0].sound[::-1]))
    assert found["reversal"] == pytest.approx(abs(there - back) / np.hypot(there, np.square(fall).sum()), rel=1e-3)


def test_growth_is_the_exponent() -> None:
    def cubic(x: torch.Tensor) -> Coefficients:
        return Coefficients((x[..., :1, None] ** 3,), (1,), 1)

    material = make_material([excerpt(0, 0), excerpt(1, 1)], [])
    still = np.ones_like(material.sounds)
    still[1] = 2
    moved = {Deformation("warp", d): still[:1] * (1 + d) for d in (0.001, 0.003, 0.01)}
    material = type(material)(still, material.files, material.chosen[:1], moved)
    found = measure(Representation("cubic", "", "", cubic), material)
    assert found["growth"] == pytest.approx(1, abs=0.01)
    assert found["lipschitz"] == pytest.approx(3, rel=0.02)


def test_one_of_each_file_is_deformed_before_a_second() -> None:
    sounds = [excerpt(i, file, seconds=0.2) for i, file in enumerate([0, 0, 0, 1, 1, 2])]
    assert make_material(sounds, [], most=3).chosen.tolist() == [0, 3, 5]
    assert make_material(sounds, [], most=4).chosen.tolist() == [0, 1, 3, 5]
    assert [d.kind for d in all_deformations()] == sorted((d.kind for d in all_deformations()), key=KINDS.index)


# Pairs.


def test_the_pairs_have_equal_energy_and_opposite_time() -> None:
    for pair in hard_pairs():
        assert np.square(pair.first).mean() == pytest.approx(1)
        assert np.square(pair.second).mean() == pytest.approx(1)
    assert np.array_equal(hard_pairs()[1].second[::-1], chirps())
    assert not np.allclose(tremolo(16), tremolo(32))


def test_a_chirp_begins_and_ends_where_it_should() -> None:
    one = chirps()[round(0.5 * SAMPLE_RATE) :][: round(CHIRP_S * SAMPLE_RATE)]
    turns = np.flatnonzero(np.diff(np.signbit(one)))
    hz = SAMPLE_RATE / (2 * np.diff(turns))
    middle = len(one) // 2
    assert np.mean(hz[:4]) == pytest.approx(CHIRP_HZ[0], rel=0.15)
    assert np.mean(hz[-8:]) == pytest.approx(CHIRP_HZ[1], rel=0.1)
    assert hz[np.searchsorted(turns, middle)] == pytest.approx(np.sqrt(np.prod(CHIRP_HZ)), rel=0.1)


def test_the_second_layer_hears_what_the_averaged_first_does_not() -> None:
    first, both = (measure_pairs(BY_KEY[key], hard_pairs()) for key in ("wavelets", "time"))
    assert first["tremolo"] < 0.03
    assert both["tremolo"] > 0.3
    assert both["chirp"] < 0.02


@pytest.mark.slow
def test_joint_and_spiral_scattering_hear_what_time_scattering_does_not() -> None:
    assert measure_pairs(BY_KEY["joint"], hard_pairs())["chirp"] > 0.5
    assert measure_pairs(BY_KEY["spiral"], hard_pairs())["chirp"] > 0.3


def test_the_constant_of_fourier_grows_with_frequency_and_that_of_wavelets_does_not() -> None:
    fourier, wavelets = (measure_tones(BY_KEY[key]) for key in ("fourier", "wavelets"))
    assert list(fourier) == ["250", "1000", "4000"]
    # A vibrato of index b moves a line by sqrt(2 (1 - J0(b)))-ish: b / sqrt(2) while it is small.
    assert fourier["250"] == pytest.approx(250 * 0.5 / np.sqrt(2), rel=0.1)
    assert fourier["4000"] > 10 * fourier["250"]
    assert wavelets["4000"] == pytest.approx(wavelets["250"], rel=0.1)


# Verdicts.


def all_properties() -> dict[str, Any]:
    """A representation that has all properties, made up."""
    rows = {
        "shift": [(0.01, 0.01), (0.0232, 0.02), (0.1, 0.3)],
        "warp": [(0.001, 0.005), (0.01, 0.05), (0.05, 0.2)],
        "transposition": [(10.0, 0.03), (50.0, 0.11), (200.0, 0.4)],
    }
    return {
        **{
            kind: [{"amount": a, "distance": s, "largest": s, "share": s, "found": 1.0} for a, s in points]
            for kind, points in rows.items()
        },
        "between": 1.0, "between_means": 0.5, "pairs": {"tremolo": 0.2, "chirp": 0.2}, "lipschitz": 5.0, "growth": 1.0,
        "tones": {"250": 4.0, "1000": 4.0, "4000": 4.0}, "reversal": 0.1, "same_file": None, "chance": None,
        "numbers_per_sample": 0.1, "seconds": 1.0,
        "rebuilt": {
            "coefficients": 0.03, "bands_db": -21.0, "inverse_db": None, "iterations": 9, "seconds": 1.0,
        },
    }  # fmt: skip


@pytest.fixture
def measured() -> dict[str, Any]:
    return all_properties()



def test_all_is_well(measured: dict[str, Any]) -> None:
    found = judged(measured)
    assert {key: value["holds"] for key, value in found.items()} == dict.fromkeys(PROPERTIES, "yes")
    assert found["separation"]["value"] == pytest.approx(1 / 0.06)
    assert found["chirp"]["value"] == pytest.approx(0.4)
    assert sentence("Wavelets", found) == (
        "Wavelets: invariant to shifts (0.02), stable under warps (0.05), invariant to transposition (0.11); averaged "
        "over time it hears how fast a tremolo is and where chirps go."
    )


@pytest.mark.parametrize(("share", "holds"), [(0.125, "yes"), (0.13, "partly"), (0.25, "partly"), (0.26, "no")])
def test_a_property_holds_up_to_an_eighth_and_in_part_up_to_a_quarter(
    measured: dict[str, Any], share: float, holds: str
) -> None:
    measured["transposition"][1]["share"] = share
    assert judged(measured)["transposition"]["holds"] == holds
    measured["pairs"]["chirp"] = share * measured["between_means"]
    assert judged(measured)["chirp"]["holds"] == {"no": "yes", "partly": "partly", "yes": "no"}[holds]


@pytest.mark.parametrize(
    ("share", "highest", "holds"), [(0.1, 4.0, "yes"), (0.1, 64.0, "partly"), (0.4, 4.0, "partly"), (0.4, 64.0, "no")]
)
def test_stable_is_little_and_as_little_at_high_frequencies(
    measured: dict[str, Any], share: float, highest: float, holds: str
) -> None:
    measured["warp"][1]["share"], measured["tones"]["4000"] = share, highest
    assert judged(measured)["warp"]["holds"] == holds


def test_bad_news_in_words(measured: dict[str, Any]) -> None:
    for kind in KINDS:
        measured[kind][1]["share"] = 0.9
    measured |= {"pairs": {"tremolo": 0.0, "chirp": 0.0}, "tones": {"250": 1.0, "4000": 16.0}}
    measured["rebuilt"]["bands_db"] = -3.0
    found = judged(measured)
    assert {value["holds"] for value in found.values()} == {"no"}
    assert "not invariant to shifts (0.90), unstable under warps (0.90), not inv" in sentence("X", found)
    assert sentence("X", found).endswith("it does not hear how fast a tremolo is nor where chirps go.")
    measured["pairs"]["chirp"] = 1.0
    assert "does not hear how fast a tremolo is and hears where chirps go." in sentence("X", judged(measured))
    rows = [{"key": "x", "title": "X", "properties": found, "verdict": "bad"}]
    said = "None of these representations are both invariant to small shifts and stable under small warps."
    assert summary(rows) == [said]
    assert report_lines(["said"], rows)[:3] == ["said", "", "bad"]
    assert report_lines(["said"], rows)[-1].split() == (
        ["X", "-", "0.90", "-", "0.90", "-", "0.90", "-", "1.1", "x", "-", "0.00", "-", "0.00", "-", "-3.0", "dB"]
    )


def test_the_summary_compares_the_layers(measured: dict[str, Any]) -> None:
    found = judged(measured)
    titles = {"mfcc": "MFCC", "wavelets": "Wavelets", "time": "Time scattering", "joint": "MFCC of"}
    rows = [{"key": key, "title": title, "properties": found} for key, title in titles.items()]
    said = summary(rows)
    assert said[0].startswith("MFCC, wavelets, time scattering and MFCC of are both invariant")
    assert "0.40 apart in the first layer of wavelets and 0.40 with the second" in said[1]
    assert "0.40 apart in time scattering and 0.40 in joint" in said[2]
    assert shown("separation", 1e9) == "9999 x"


# The whole.


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two representations that take no time, and few deformations."""
    monkeypatch.setattr(report, "representations", lambda: [FOURIER, BY_KEY["wavelets"]])
    for name, fewer in (("MOST_DEFORMED", 1), ("FEWER_EXCERPTS", 3), ("FEWER_DEFORMED", 1)):
        monkeypatch.setattr(report, name, fewer)
    monkeypatch.setattr(report.sounds, "MOST_EXCERPTS", 3)
    few = [("shift", 0.0232), ("warp", 0.001), ("warp", 0.01), ("transposition", 50.0)]
    monkeypatch.setattr(report, "all_deformations", lambda: [Deformation(*how) for how in few])


def test_the_report_is_json_and_the_page_escapes(
    fast: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = write(tmp_path / "<img src=x>'&.wav", melody(5, seed=1))
    other = write(tmp_path / "b.wav", melody(5, seed=2, plucked=True))
    page = tmp_path / "page.html"
    command = ["properties", str(named), str(other), "--out", str(page), "--quick", "--json", "-q"]
    assert run_command(command) == 0
    shown_ = capsys.readouterr()
    result = json.loads(shown_.out)
    assert shown_.err == ""
    assert [row["key"] for row in result["representations"]] == ["fourier", "wavelets"]
    fourier, wavelets = (row["properties"]["shift"] for row in result["representations"])
    assert fourier["holds"] == "yes" != wavelets["holds"]
    assert {"shift", "warp", "transposition", "pairs", "tones", "verdict"} <= result["representations"][0].keys()
    assert result["n_files"] == 2
    assert result["page"]["bytes"] == page.stat().st_size
    text = page.read_text(encoding="utf-8")
    assert "<img" not in text
    assert text.count("</script>") == text.count("<script")
    assert run_command(command) == 1
    assert "exists already" in capsys.readouterr().err
    assert run_command([*command[:4], str(other), "--force"]) == 1
    assert "must not be one of the inputs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sounds", "message"),
    [({}, "no such file"), ({"a.wav": np.zeros(99999)}, "silent"), ({"a.wav": tone(1)}, "must last at least"),
     ({"a.wav": tone(3)}, "give a second file"), ({"a.wav": tone(3), "b.wav": tone(3)}, "two different sounds")],
)  # fmt: skip
def test_bad_sounds_are_one_line(
    fast: None, sounds: dict[str, np.ndarray], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(write(tmp_path / name, sound)) for name, sound in sounds.items()] or [str(tmp_path / "a.wav")]
    assert run_command(["properties", *files, "-q"]) == 1
    shown_ = capsys.readouterr()
    assert message in shown_.err
    assert shown_.err.count("\n") == 1
    assert shown_.out == ""


def test_the_bar_reaches_its_end_and_never_goes_back(
    fast: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import contextlib

    seen: list[float] = []
    totals: list[float] = []

    @contextlib.contextmanager
    def bar(label: str, total: float, *, show: bool) -> Any:
        totals.append(total)
        yield lambda done, note="": seen.append(done)

    monkeypatch.setattr(report, "progress", bar)
    measure_properties([write(tmp_path / "a.wav", melody(30))], quick=True, show_progress=False)
    assert seen == sorted(seen)
    assert seen[-1] == totals[0]
    assert seen[-2] == pytest.approx(totals[0], rel=1e-6)


def made_up_result() -> dict[str, Any]:
    """What a page is made from, some of its numbers missing."""
    measured = all_properties()
    properties = judged(measured)
    row = {"key": "x", "title": "X", "settings": "s", **measured, "properties": properties, "verdict": "v"}
    row["growth"] = None
    return {
        "summary": ["said"], "representations": [row, {**row, "rebuilt": None, "properties": {
            key: value for key, value in properties.items() if key != "rebuilt"}}],
        "sounds": [{"file": "caf\udce9", "start_s": 0.0, "deformed": True}], "n_files": 1, "n_files_given": 99,
        "sample_rate": 22050, "averaging_s": 0.186, "excerpt_s": 2.0, "seconds": 1.0,
    }  # fmt: skip


def test_a_page_without_some_numbers_is_written(tmp_path: Path) -> None:
    write_page(tmp_path / "p.html", made_up_result())
    assert "1 of 99 files" in (tmp_path / "p.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_a_browser_shows_the_page_without_complaint(fast: None, dark: bool, tmp_path: Path) -> None:
    result = measure_properties(
        [write(tmp_path / "a.wav", melody(9))], out=tmp_path / "p.html", reconstruct=False, show_progress=False
    )
    with chromium(dark=dark) as driver:
        open_page(driver, tmp_path / "p.html")
        assert console_errors(driver) == []
        assert driver.find_element("css selector", "#summary p").text == result["summary"][0]
        assert len(driver.find_elements("css selector", "#properties .verdict")) == 2 * 6
        assert len(driver.find_elements("css selector", "#plots svg polyline")) == 3 * 2
        assert driver.find_element("css selector", "#properties .verdict.yes").text == "✓0.00"


@pytest.mark.slow
def test_on_music_scattering_alone_is_invariant_and_stable(real_music: Path) -> None:
    sounds = [path for path in sorted(real_music.rglob("*")) if path.suffix in (".flac", ".ogg", ".wav")]
    by_folder = {path.parent: path for path in sounds}
    files = list(by_folder.values())[:4]
    result = measure_properties(files, quick=True, show_progress=False)
    holds = {
        row["key"]: {key: value["holds"] for key, value in row["properties"].items()}
        for row in result["representations"]
    }
    assert (holds["fourier"]["shift"], holds["fourier"]["warp"]) == ("yes", "no")
    assert (holds["wavelets"]["shift"], holds["wavelets"]["warp"]) == ("no", "yes")
    assert holds["vqt"]["shift"] != "yes"
    for key in ("time", "joint", "spiral"):
        assert (holds[key]["shift"], holds[key]["warp"]) == ("yes", "yes")
    assert (holds["time"]["chirp"], holds["joint"]["chirp"], holds["spiral"]["chirp"]) == ("no", "yes", "yes")
    assert (holds["wavelets"]["tremolo"], holds["time"]["tremolo"]) == ("no", "yes")
    moved = {row["key"]: row["properties"]["transposition"]["value"] for row in result["representations"]}
    assert moved["joint"] < 0.6 * moved["time"] < 0.6 * moved["vqt"] < 0.6 * moved["fourier"]


# Sound from representations.


@pytest.mark.slow
def test_the_fourier_modulus_gives_another_sound_with_the_same_modulus() -> None:
    found = rebuilt(FOURIER, excerpt(1).sound)
    assert found["coefficients"] < 0.02
    assert found["bands_db"] > -10


def test_wavelets_give_the_sound_back_and_the_inverse_exactly() -> None:
    found = rebuilt(BY_KEY["vqt"], excerpt(1).sound)
    assert found["coefficients"] < 0.03
    assert found["bands_db"] < -15
    assert found["inverse_db"] < -100
    assert found["iterations"] <= n_iterations(BY_KEY["vqt"])


@pytest.mark.slow
def test_the_second_order_holds_what_the_first_has_lost() -> None:
    sound = excerpt(1).sound
    alone, both = rebuilt(first_order(), sound, judge=BY_KEY["time"]), rebuilt(BY_KEY["time"], sound)
    assert both["coefficients"] < 0.08
    assert alone["coefficients"] > 2 * both["coefficients"]


def test_an_interrupted_search_interrupts_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconstruction, "match", lambda *args, **options: SimpleNamespace(ended_by="interrupted"))
    with pytest.raises(KeyboardInterrupt):
        rebuilt(FOURIER, excerpt(1).sound)


def test_dearer_representations_get_fewer_iterations() -> None:
    counts = [n_iterations(r) for r in representations()]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 150
    assert min(counts) >= 16


@pytest.mark.slow
def test_sounds_are_made_where_they_are_wanted(
    fast: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[tuple[str, str | None]] = []

    def record(representation: Representation, sound: np.ndarray, *, seed: int, judge: Any = None) -> dict[str, Any]:
        seen.append((representation.key, judge and judge.key))
        error = 0.1 if judge else 0.01
        return {"coefficients": error, "bands_db": -12.0, "inverse_db": None, "iterations": 3, "seconds": 1.0}

    monkeypatch.setattr(report, "rebuilt", record)
    time = Representation("time", "Time scattering", "", fourier_modulus)
    monkeypatch.setattr(report, "representations", lambda: [FOURIER, time])
    file = write(tmp_path / "a.wav", melody(30))
    result = measure_properties([file], out=tmp_path / "p.html", show_progress=False)
    assert seen == [("fourier", None), ("time", None), ("first", "time")]
    assert "misses 10 % of the time scattering, one made from both orders 1 %" in " ".join(result["summary"])
    assert result["representations"][0]["properties"]["rebuilt"] == {"value": -12.0, "holds": "partly"}
    assert "order 1 alone" in (tmp_path / "p.html").read_text(encoding="utf-8")
    measure_properties([file], reconstruct=False, show_progress=False)
    assert len(seen) == 3
