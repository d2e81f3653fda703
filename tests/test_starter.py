"""The starter corpora: closed forms of each instrument, the notes on paper, the files on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stylemix import starter
from stylemix.errors import BadInput
from stylemix.starter import (
    chance,
    drums,
    hammer,
    harmony,
    pluck,
    room,
    songs,
    strings,
    surf_harmony,
    tract,
    voice,
)
from stylemix.starter.prepared_piano import render_piece, soundboard_response

RATE = 44100


def peak_hz(wave: np.ndarray, low_hz: float, high_hz: float) -> float:
    """Find the highest spectral peak of a band, zero-padded to a twentieth of a hertz."""
    n_fft = 1 << 20
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(wave.size), n_fft))
    frequency = np.fft.rfftfreq(n_fft, 1.0 / RATE)
    band = (frequency > low_hz) & (frequency < high_hz)
    return float(frequency[band][spectrum[band].argmax()])


def cents(a_hz: float, b_hz: float) -> float:
    """Interval from b to a."""
    return 1200.0 * np.log2(a_hz / b_hz)


def test_modal_sum_equals_the_damped_sines_it_stands_for() -> None:
    frequency, decay, amplitude = np.array([220.0, 3001.5]), np.array([3.0, 40.0]), np.array([1.0, -0.4])
    time_s = np.arange(2000)[:, None] / RATE
    expected = (amplitude * np.exp(-decay * time_s) * np.sin(2.0 * np.pi * frequency * time_s)).sum(axis=1)
    np.testing.assert_allclose(strings.modes_to_wave(frequency, decay, amplitude, 2000), expected, atol=1e-10)


def test_struck_string_has_the_partials_of_the_stiffness_formula() -> None:
    midi, plain = 40, strings.Preparation()
    rng = np.random.default_rng(0)
    sound = hammer.strike(
        strings.key_modes(midi, plain), plain, midi=midi, velocity=0.9, duration_s=4.0, rng=rng
    )
    stiffness = strings.inharmonicity(midi)
    expected = strings.stiff_partials_hz(strings.midi_to_hz(midi), stiffness, 20)
    for n in (1, 2, 5, 10, 20):
        found = peak_hz(sound, expected[n - 1] - 30.0, expected[n - 1] + 30.0)
        # Three strings within 1.2 cents of each other: the peak lies among them.
        assert abs(cents(found, expected[n - 1])) < 1.5
    # Without stiffness the twentieth partial would be 60 cents and more below.
    assert cents(expected[19], 20.0 * strings.midi_to_hz(midi)) > 40.0


def test_a_very_heavy_bolt_is_a_node_and_splits_the_string() -> None:
    bolt = strings.Preparation("anvil", position=1.0 / 3.0, mass=1e6)
    modes = strings.key_modes(40, bolt)
    f0_hz = strings.midi_to_hz(40)
    ratio = modes.frequency_hz / f0_hz
    # Two thirds of the string sound a fifth above it; only the free string keeps its octave.
    assert ((ratio > 1.49) & (ratio < 1.52)).sum() == 2
    assert ((ratio > 1.98) & (ratio < 2.02)).sum() == 1


def test_a_bolt_lowers_modes_and_rubber_shortens_them() -> None:
    plain = strings.key_modes(48, strings.Preparation())
    loaded = strings.key_modes(48, strings.Preparation(position=0.3, mass=1.0))
    muted = strings.key_modes(48, strings.Preparation(position=0.17, damping=60.0))
    assert np.sort(loaded.frequency_hz)[0] < 0.9 * plain.frequency_hz.min()
    assert np.median(muted.decay) > 3.0 * np.median(plain.decay)


def test_a_nut_rattles_only_when_the_string_moves_far() -> None:
    loose = chance.OBJECTS["loose washers"]
    modes = strings.key_modes(45, loose)

    def high_share(velocity: float) -> float:
        sound = hammer.strike(
            modes, loose, midi=45, velocity=velocity, duration_s=1.0, rng=np.random.default_rng(1)
        )
        power = np.abs(np.fft.rfft(sound)) ** 2
        return float(power[np.fft.rfftfreq(sound.size, 1.0 / RATE) > 4000.0].sum() / power.sum())

    assert high_share(0.9) > 20.0 * high_share(0.1)


def test_key_outside_the_keyboard_is_refused() -> None:
    with pytest.raises(BadInput, match="between 21 and 108, got 12"):
        strings.key_modes(12, strings.Preparation())


def test_soundboard_keeps_the_channels_in_phase() -> None:
    left, right = soundboard_response(np.random.default_rng(3))
    assert np.corrcoef(left, right)[0, 1] > 0.3


def test_coins_reach_all_hexagrams_evenly() -> None:
    rng = np.random.default_rng(0)
    counts = np.bincount([chance.toss(rng) for _ in range(6400)], minlength=64)
    assert counts.size == 64
    assert counts.min() > 60
    assert counts.max() < 145


@pytest.mark.parametrize("piece", chance.PIECES, ids=lambda p: p.title)
def test_strikes_stay_on_the_gamut_and_in_the_piece(piece: chance.Piece) -> None:
    rng = np.random.default_rng(5)
    table = chance.prepare(piece, rng)
    strikes = chance.compose(piece, list(table), rng)
    assert len(strikes) > 20
    assert {s.midi for s in strikes} <= set(table)
    assert all(0.0 <= s.start_s < piece.duration_s and 0.0 < s.velocity <= 1.0 for s in strikes)


@pytest.mark.parametrize("sound", [pluck.STEEL, pluck.FLATWOUND], ids=["steel", "flatwound"])
@pytest.mark.parametrize("f0_hz", [41.2, 196.0, 659.26, 1318.5])
def test_plucked_string_is_in_tune_within_a_cent(f0_hz: float, sound: pluck.StringSound) -> None:
    wave = pluck.pluck(f0_hz, 1.5, sound, np.random.default_rng(0))
    assert abs(cents(peak_hz(wave, 0.9 * f0_hz, 1.1 * f0_hz), f0_hz)) < 1.0


def test_plucked_string_rings_as_long_as_asked() -> None:
    wave = pluck.pluck(220.0, 2.0, pluck.StringSound(ring_s=1.2), np.random.default_rng(0))
    levels = room.frame_levels_db(wave[None])
    # 60 dB in 1.2 s are 25 dB in half a second; the partials above the first die sooner, so start late.
    assert levels[10] - levels[20] == pytest.approx(25.0, abs=3.0)


def test_pitch_too_high_for_the_loop_is_refused() -> None:
    with pytest.raises(BadInput, match="f0_hz: must lie between 20"):
        pluck.pluck(9000.0, 0.1, pluck.STEEL, np.random.default_rng(0))


def test_glottal_pulse_has_no_mean_and_softens_with_rd() -> None:
    pressed, breathy = (np.abs(tract.glottal_spectrum(rd)) for rd in (0.7, 2.3))
    assert pressed[0] == 0.0
    # Fant 1995: the first harmonic stands out more the larger Rd is.
    assert 20.0 * np.log10(pressed[2] / pressed[1]) > 20.0 * np.log10(breathy[2] / breathy[1]) + 10.0


@pytest.mark.parametrize("vowel", ["ee", "ah", "oo"])
def test_formants_of_a_vowel_are_where_the_table_says(vowel: str) -> None:
    formants = tract.formant_table(vowel)
    impulse = np.zeros(RATE // 4)
    impulse[0] = 1.0
    response = tract.formant_filter(
        impulse, np.repeat(formants[:, None], impulse.size // tract.HOP + 1, axis=1)
    )
    for formant in formants[:3]:
        assert peak_hz(response, formant - 120.0, formant + 120.0) == pytest.approx(formant, abs=25.0)


def test_unknown_vowel_is_refused() -> None:
    with pytest.raises(BadInput, match="vowel must be one of"):
        tract.formant_table("b-xx")


@pytest.mark.parametrize("midi", [43, 57, 69])
def test_singer_sings_the_written_pitch(midi: int) -> None:
    straight = voice.Singer(vibrato_cents=0.0)
    wave = voice.sing([voice.Note(0.0, 1.0, midi)], RATE, straight, np.random.default_rng(0))[
        RATE // 5 : -RATE // 5
    ]
    f0_hz = strings.midi_to_hz(midi)
    # Drift and jitter are a few cents wide.
    assert abs(cents(peak_hz(wave, 0.9 * f0_hz, 1.1 * f0_hz), f0_hz)) < 12.0


def test_vibrato_waits_and_then_has_its_depth() -> None:
    singer = voice.Singer(vibrato_cents=40.0)
    track = voice.pitch_track([voice.Note(0.0, 3.0, 60)], 2000, singer, np.random.default_rng(0))
    swing = 100.0 * (track - 60.0)
    rate = tract.SAMPLE_RATE / tract.HOP
    assert np.abs(swing[: int(0.15 * rate)]).max() < 22.0
    assert np.abs(swing[int(rate) :]).max() == pytest.approx(40.0, abs=16.0)


def test_silence_is_sung_without_notes() -> None:
    assert not voice.sing([], 100, voice.Singer(), np.random.default_rng(0)).any()


@pytest.mark.parametrize("song", songs.SONGS, ids=lambda s: s.title)
def test_voices_sing_chord_tones_in_range_without_crossing(song: songs.Song) -> None:
    chords = [c for section in song.sections for c in surf_harmony.section_chords(song, section)]
    voicing = harmony.lead_voices(chords)
    for chord, pitches in zip(chords, voicing, strict=True):
        assert {int(p) % 12 for p in pitches} <= set(chord.tones)
        assert pitches[0] % 12 == chord.root
        assert chord.tones[1] in {int(p) % 12 for p in pitches}
        assert (np.diff(pitches) > 0).all()
    assert np.abs(np.diff(voicing[:, 1:], axis=0)).mean() < 3.0


def test_tune_ends_on_the_tonic_and_stays_in_range() -> None:
    chords = [harmony.parse_chord(c, 7) for c in ("I", "vi", "IV", "I")]
    tune = harmony.write_tune(
        chords, tuple((7 + s) % 12 for s in harmony.MAJOR), (57, 72), np.random.default_rng(2)
    )
    assert tune[-1].midi % 12 == 7
    assert all(57 <= note.midi <= 72 for note in tune)
    assert tune[-1].beat + tune[-1].beats == 16.0


@pytest.mark.parametrize("numeral", ["H", "iVx", "viii", ""])
def test_bad_numerals_are_refused(numeral: str) -> None:
    with pytest.raises(BadInput, match="roman numeral"):
        harmony.parse_chord(numeral, 0)


def test_sung_chord_sounds_at_its_tones() -> None:
    song = songs.Song(
        "one-bar", 120.0, 0, (songs.Section("I", voices="aah", drums="none", guitar="none", bass="none"),)
    )
    wave = surf_harmony.render_song(song, seed=3).mean(axis=0)[RATE // 2 : 2 * RATE]
    for midi in harmony.lead_voices([harmony.parse_chord("I", 0)])[0]:
        f0_hz = strings.midi_to_hz(int(midi))
        # Two singers, vibrato and detune: within a third of a semitone.
        assert abs(cents(peak_hz(wave, f0_hz * 0.94, f0_hz * 1.06), f0_hz)) < 34.0


def test_spring_chirps_upwards() -> None:
    response = room.spring_response(np.random.default_rng(0))[0]
    arrivals = []
    for low_hz, high_hz in ((400.0, 800.0), (3200.0, 3700.0)):
        spectrum = np.fft.rfft(response[: int(0.14 * RATE)])
        frequency = np.fft.rfftfreq(int(0.14 * RATE), 1.0 / RATE)
        spectrum[(frequency < low_hz) | (frequency > high_hz)] = 0.0
        power = np.fft.irfft(spectrum) ** 2
        arrivals.append(float((np.arange(power.size) * power).sum() / power.sum() / RATE))
    assert arrivals[1] > arrivals[0] + 0.01


def test_room_dies_by_sixty_decibels_in_its_time() -> None:
    response = room.room_response(np.random.default_rng(0), rt60_s=1.0, brightness=0.9)
    levels = room.frame_levels_db(response)
    # From 0.1 to 0.6 s: 30 dB at 500 Hz, a little more in the highs.
    assert levels[2] - levels[12] == pytest.approx(33.0, abs=5.0)


def test_master_removes_dc_holds_the_level_and_never_clips() -> None:
    rng = np.random.default_rng(0)
    loud = rng.standard_normal((2, RATE)) * np.exp(-np.arange(RATE) / 4000.0) + 0.3
    done = room.master(loud)
    assert np.abs(done).max() <= 0.891
    assert abs(float(done.mean())) < 1e-3
    assert done[0, 0] == 0.0
    assert done[0, -1] == 0.0


def test_snare_is_noise_and_kick_is_low() -> None:
    strokes = drums.kit(0)

    def centroid_hz(wave: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(wave)) ** 2
        return float((np.fft.rfftfreq(wave.size, 1.0 / RATE) * power).sum() / power.sum())

    assert centroid_hz(strokes["kick"][0]) < 400.0 < 1000.0 < centroid_hz(strokes["snare"][0])
    assert centroid_hz(strokes["hat"][0]) > 5000.0


SHORT_PIECE = chance.Piece("short", (1, 1), 0.6, ("bolt", "rubber", "screw and nut"), n_keys=6)
SHORT_SONG = songs.Song("short", 150.0, 2, (songs.Section("I", voices="ba", lead=True, guitar="arpeggio"),))


@pytest.mark.parametrize(
    ("render", "work"),
    [(render_piece, SHORT_PIECE), (surf_harmony.render_song, SHORT_SONG)],
    ids=["piano", "surf"],
)
def test_same_seed_same_samples_other_seed_other_samples(render, work) -> None:  # type: ignore[no-untyped-def]
    first = render(work, seed=4)
    np.testing.assert_array_equal(first, render(work, seed=4))
    assert np.abs(first - render(work, seed=5)).max() > 0.01
    assert first.shape == (2, round(work.duration_s * RATE))


@pytest.fixture
def tiny_starter(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the ten pieces by two of a tenth of a second; the list names what was rendered."""
    rendered: list[str] = []

    def render(name: str) -> np.ndarray:
        rendered.append(name)
        return np.full((2, RATE // 10), 0.25, dtype=np.float32)

    def pieces(*, seed: int = 0):  # type: ignore[no-untyped-def]
        return {
            "prepared-piano": {"one": (RATE // 10, lambda: render("one"))},
            "surf-harmony": {"two": (RATE // 10, lambda: render("two"))},
        }

    monkeypatch.setattr(starter, "starter_pieces", pieces)
    return rendered


def test_finished_files_are_kept_and_a_partial_one_is_made_again(
    tmp_path: Path, tiny_starter: list[str]
) -> None:
    piano, surf = starter.make_starter(tmp_path, show_progress=False)
    assert (piano.name, surf.name) == ("prepared-piano", "surf-harmony")
    starter.make_starter(tmp_path, show_progress=False)
    assert tiny_starter == ["one", "two"]
    whole = (surf / "two.flac").read_bytes()
    (surf / "two.flac").write_bytes(whole[: len(whole) // 2])
    starter.make_starter(tmp_path, show_progress=False)
    assert tiny_starter == ["one", "two", "two"]
    assert (surf / "two.flac").read_bytes() == whole
    starter.make_starter(tmp_path, force=True, show_progress=False)
    assert tiny_starter == ["one", "two", "two", "one", "two"]
    assert sorted(p.name for p in tmp_path.rglob("*.*")) == ["one.flac", "two.flac"]


@pytest.mark.usefixtures("tiny_starter")
def test_a_whole_file_of_another_seed_is_not_overwritten(tmp_path: Path) -> None:
    starter.make_starter(tmp_path, show_progress=False)
    with pytest.raises(BadInput, match="not the piece of seed 1"):
        starter.make_starter(tmp_path, seed=1, show_progress=False)


def test_negative_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="must not be negative, got -1"):
        starter.make_starter(tmp_path, seed=-1)


@pytest.mark.slow
def test_the_corpora_are_long_clean_and_equally_loud(tmp_path: Path) -> None:
    import soundfile

    loudness = {}
    for folder in starter.make_starter(tmp_path, show_progress=False):
        files = sorted(folder.glob("*.flac"))
        assert len(files) == 5
        total_s, levels_db = 0.0, []
        for path in files:
            samples, rate = soundfile.read(path, always_2d=True)
            total_s += len(samples) / rate
            assert samples.shape[1] == 2
            assert np.abs(samples).max() < 0.95
            assert np.abs(samples.mean(axis=0)).max() < 1e-3
            assert np.abs(samples[[0, -1]]).max() < 1e-3
            assert np.corrcoef(samples.T)[0, 1] > -0.3
            assert (room.frame_levels_db(samples.T) < room.SILENCE_DB).mean() < 0.35
            levels_db.append(room.sounding_rms_db(samples.T))
        assert total_s >= 170.0
        loudness[folder.name] = float(np.mean(levels_db))
    assert abs(loudness["prepared-piano"] - loudness["surf-harmony"]) < 3.0
