"""The corpus doctor: what it says, what it refuses, and that everything in it can be printed and be JSON."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylemix.corpus import AudioFile, Corpus
from stylemix.doctor import Report, check_usable, expected_training, inspect_folders
from stylemix.doctor.compare import THIRD_OCTAVES_HZ, third_octave_power
from stylemix.doctor.report import overall_verdict
from stylemix.doctor.words import verdict
from stylemix.errors import BadInput, StylemixError
from tests.sounds import corpus, melody, noise, tone, write


def fake_corpus(name: str, minutes: float) -> Corpus:
    file = AudioFile(Path(f"{name}.wav"), name, 22050, 1, 60 * minutes, 60 * minutes, 0.5, -20.0)
    return Corpus(name, Path(name), (file,), ())


def fake_report(*corpora: Corpus, **more: Any) -> Report:
    values: dict[str, Any] = {
        "shared": (),
        "differences": (),
        "separability": None,
        "by_stretches": False,
        "speed": 100.0,
        "took_s": 1.0,
        **more,
    }
    return Report(corpora, **values)


def strict_json(report: Report) -> dict[str, Any]:
    """The report after a journey through JSON that knows no NaN, and UTF-8."""
    return json.loads(json.dumps(report.to_dict(), allow_nan=False, ensure_ascii=False).encode())


@pytest.fixture(scope="module")
def two_styles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("styles")
    return corpus(folder / "held"), corpus(folder / "plucked", plucked=True)


def test_two_styles_are_described_and_told_apart(two_styles: tuple[Path, Path]) -> None:
    report = inspect_folders(two_styles)
    found = strict_json(report)
    assert [(c["name"], c["n_files"], c["skipped"]) for c in found["corpora"]] == [
        ("held", 4, []),
        ("plucked", 4, []),
    ]
    assert found["corpora"][0]["usable_s"] == pytest.approx(32.0, abs=1.0)
    assert found["separability"] == 1.0
    assert found["verdict"].startswith("too little: 32 s of held; 2 min is the least")
    text = "\n".join(report.lines())
    for words in (
        "held: 4 usable files, 32 s sounding of 32 s",
        "4 x WAV PCM_16, 22.05 kHz, mono",
        "separability: 100 % of segments told apart (unheard recordings; clearly different)",
        "verdict: too little",
        "training: about 5",
        "inspected in",
    ):
        assert words in text
    check_usable(report)


def test_level_and_spectrum_are_measured_separately(tmp_path: Path) -> None:
    for i in range(3):
        write(tmp_path / "a" / f"{i}.wav", noise(10.0, level=0.1, seed=i))
        write(tmp_path / "b" / f"{i}.wav", noise(10.0, level=0.01, seed=10 + i))
        white = noise(10.0, level=0.1, seed=20 + i)
        bright = white - 0.9 * np.roll(white, 1)
        write(tmp_path / "c" / f"{i}.wav", bright)
    quieter, brighter, _ = inspect_folders([tmp_path / name for name in "abc"]).differences
    assert (quieter.first, quieter.second) == ("a", "b")
    assert quieter.level_db == pytest.approx(-20.0, abs=0.3)
    assert quieter.spectrum_db < 0.5
    # x[n] - 0.9 x[n-1] has the power 1.81 - 1.8 cos(w): 1.81 over all, 0.01 at the lowest frequencies.
    assert brighter.level_db == pytest.approx(10 * np.log10(1.81), abs=0.3)
    assert brighter.worst_hz <= 101
    assert brighter.worst_db == pytest.approx(10 * np.log10(0.01 / 1.81), abs=1.5)


def test_third_octaves_find_a_tone_and_keep_its_power() -> None:
    for hz in (63.1, 1000.0, 6310.0):
        power = third_octave_power(tone(3.0, hz=hz), 22050)
        assert THIRD_OCTAVES_HZ[power.argmax()] == pytest.approx(hz, rel=0.01)
        assert power.max() > 0.95 * power.sum()


def test_everything_wrong_is_named_and_counted(tmp_path: Path) -> None:
    a, b = corpus(tmp_path / "a", n_files=3), corpus(tmp_path / "b", n_files=3, plucked=True)
    (a / "letter.wav").write_text("not a sound")
    write(a / "silence.wav", np.zeros(22050))
    write(a / "hot.wav", melody(2.0, seed=7) * 20)
    (a / "cover.jpg").write_bytes(b"x")
    shutil.copy(b / "0.wav", a / "from-b.wav")
    report = inspect_folders([a, b])
    text = "\n".join(report.lines())
    assert "skipped 2 files: 1 not audio, 1 silent" in text
    assert f"not audio: {a / 'letter.wav'}: is not a sound file" in text
    assert "clipped: hot.wav (" in text
    assert "passed over 1 file" in text
    assert f"in both corpora: {a / 'from-b.wav'} and {b / '0.wav'}: the same bytes" in text
    assert strict_json(report)["shared"] == [[str(a / "from-b.wav"), str(b / "0.wav")]]


def test_single_recordings_are_told_apart_by_stretches(tmp_path: Path) -> None:
    a = corpus(tmp_path / "a", n_files=1, seconds=30.0)
    b = corpus(tmp_path / "b", n_files=1, seconds=30.0, plucked=True)
    report = inspect_folders([a, b])
    assert report.separability == 1.0
    assert report.by_stretches
    assert any("so optimistic" in line for line in report.lines())


def test_the_same_style_twice_is_hard_to_tell_apart(tmp_path: Path) -> None:
    for i in range(10):
        write(tmp_path / "ab"[i % 2] / f"{i}.wav", melody(12.0, seed=i))
    report = inspect_folders([tmp_path / "a", tmp_path / "b"])
    assert report.separability is not None
    assert report.separability < 0.7
    assert any("hard to tell apart" in line for line in report.lines())


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (10.0, "enough"),
        (9.9, "thin: 9.9 min of B; 10 min is comfortable"),
        (3, "thin: 3 min of B"),
        (1.9, "too little: 1.9 min of B; 2 min is the least"),
        (0.3, "unusable: 18 s of B; training needs at least 20 s"),
    ],
)
def test_the_verdict_is_in_words(minutes: float, words: str) -> None:
    assert verdict(fake_corpus("B", minutes)).startswith(words)
    alone = overall_verdict(fake_report(fake_corpus("A", 12), fake_corpus("B", minutes)))
    assert alone.startswith(words)


def test_an_imbalance_is_mentioned() -> None:
    report = fake_report(fake_corpus("A", 60), fake_corpus("B", 10))
    assert overall_verdict(report) == "uneven: 6 times as much of A as of B"


def test_the_time_told_is_the_time_that_will_be_taken(two_styles: tuple[Path, Path]) -> None:
    report = inspect_folders(two_styles)
    assert "then 5 min of learning (--minutes), then about 50 s to space alpha" in "\n".join(report.lines())
    assert "then 30 min of learning" in "\n".join(report.lines(minutes=30.0))


def test_expected_time_is_features_learning_and_spacing() -> None:
    report = fake_report(fake_corpus("A", 10), fake_corpus("B", 10))
    assert expected_training(report, minutes=2) == {
        "extraction_s": 12.0, "training_s": 120, "calibration_s": 50.0, "total_s": 182.0,
    }  # fmt: skip
    unlimited = expected_training(report, minutes=0)
    assert (unlimited["training_s"], unlimited["total_s"]) == (None, None)
    # In both directions between every two of up to four corpora, else between neighbours.
    for n, pairs in ((1, 0), (3, 6), (4, 12), (6, 10)):
        many = fake_report(*(fake_corpus(str(i), 10) for i in range(n)))
        assert expected_training(many)["calibration_s"] == 25.0 * pairs
    assert expected_training(report)["training_s"] == 300


def test_nothing_usable_is_said_by_reason(tmp_path: Path) -> None:
    good, bad, empty = corpus(tmp_path / "good"), tmp_path / "bad", tmp_path / "empty"
    for name in ("a.wav", "b.wav"):
        write(bad / name, np.zeros(22050 + len(name) * (name == "b.wav")))
    (bad / "c.wav").write_text("a letter")
    empty.mkdir()
    report = inspect_folders([good, bad, empty])
    with pytest.raises(StylemixError) as caught:
        check_usable(report)
    message = str(caught.value)
    assert "\n" not in message
    assert "bad: nothing usable in 3 sound files (2 silent, 1 not audio; first: " in message
    assert "empty: no sound files: the folder is empty" in message
    assert "good" not in message.replace(str(bad), "")
    assert any(line.startswith("verdict: ") and "unusable: 0.0 s of bad" in line for line in report.lines())
    assert strict_json(report)["separability"] is None


def test_too_little_is_refused_with_the_rule(tmp_path: Path) -> None:
    a, b = corpus(tmp_path / "a"), corpus(tmp_path / "b", n_files=1, plucked=True)
    with pytest.raises(
        StylemixError, match=r"b: only 8\.0 s usable in 1 sound file; each folder needs at least 20 s"
    ):
        check_usable(inspect_folders([a, b]))


@pytest.mark.parametrize("name", ["two\nlines.wav", "\x1b[31mred.wav", "</script>.wav", "café.wav"])
def test_names_cannot_break_the_lines(tmp_path: Path, name: str) -> None:
    write(tmp_path / name.replace("/", "\u2215"), np.zeros(22050))
    report = inspect_folders([tmp_path])
    assert all(line.isprintable() for line in report.lines())
    strict_json(report)


def test_a_flag_is_one_line_in_plain_figures(tmp_path: Path) -> None:
    write(tmp_path / "two\nlines.wav", np.sign(melody(2.0)))
    lines = inspect_folders([tmp_path]).lines()
    assert r"  clipped: two\nlines.wav (100 % of its samples)" in lines


def test_a_name_that_is_no_text_survives_json(tmp_path: Path) -> None:
    try:
        write(tmp_path / "a.wav", tone(2.0)).rename(tmp_path / "caf\udce9.wav")
    except OSError:
        pytest.skip("this system refuses names that are no valid text")
    found = strict_json(inspect_folders([tmp_path]))
    assert found["corpora"][0]["files"][0]["path"].endswith("caf\\udce9.wav")


def test_bad_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(BadInput, match="no such folder"):
        inspect_folders([tmp_path / "none"])
    with pytest.raises(BadInput, match="one lies inside the other"):
        inspect_folders([tmp_path / "a", tmp_path / "a" / "b"])


@pytest.mark.slow
def test_real_pairs_are_thin_and_separable(real_music: Path) -> None:
    for pair in ("chorale-vs-ragtime", "orchestral-vs-electronic"):
        report = inspect_folders(sorted((real_music / pair).iterdir()))
        assert [len(found.files) for found in report.corpora] == [8, 8]
        assert report.separability is not None
        assert report.separability > 0.85
        assert overall_verdict(report).startswith("thin: ")
        check_usable(report)
