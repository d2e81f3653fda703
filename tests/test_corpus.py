"""Scanning folders: what counts, what is skipped and why, and that one bad file stops nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from stylemix.corpus import REASONS, check_folders, corpus_names, scan
from stylemix.errors import BadInput
from tests.sounds import melody, noise, tone, truncate, write


def reasons(folder: Path) -> dict[str, str]:
    """Name and reason of every skipped file."""
    return {skipped.path.name: skipped.reason for skipped in scan(folder).skipped}


def test_a_folder_is_walked_to_the_bottom_in_order(tmp_path: Path) -> None:
    for i, name in enumerate(("b.wav", "a/z.flac", "a/deep/er/x.ogg", "c.AIFF")):
        write(tmp_path / name, melody(1.0, seed=i))
    (tmp_path / "cover.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / ".hidden.wav").write_bytes(b"x")
    write(tmp_path / "old.mix" / "previews" / "p.wav", melody(1.0, seed=9))
    found = scan(tmp_path)
    names = [str(file.path.relative_to(tmp_path)) for file in found.files]
    assert names == ["a/deep/er/x.ogg", "a/z.flac", "b.wav", "c.AIFF"]
    assert (found.skipped, found.n_other, found.name) == ((), 2, tmp_path.name)
    assert found.usable_s == pytest.approx(4.0, abs=0.2)


def test_sound_without_a_telling_name_is_found(tmp_path: Path) -> None:
    shutil.copy(write(tmp_path / "a.wav", tone(1.0)), tmp_path / "take one")
    (tmp_path / "a.wav").unlink()
    assert [file.path.name for file in scan(tmp_path).files] == ["take one"]


def test_bad_files_are_named_counted_and_skipped(tmp_path: Path) -> None:
    write(tmp_path / "good.wav", melody(2.0))
    (tmp_path / "text.wav").write_text("a letter")
    (tmp_path / "zero.wav").write_bytes(b"")
    (tmp_path / "x.m4a").write_bytes(b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00")
    write(tmp_path / "one.wav", np.array([0.5]))
    write(tmp_path / "silent.wav", np.zeros(22050))
    write(tmp_path / "dc.wav", np.full(22050, 0.5))
    write(tmp_path / "dither.wav", np.random.default_rng(0).integers(-1, 2, 44100) / 2**15)
    write(tmp_path / "nan.wav", np.append(tone(1.0), np.nan), subtype="FLOAT")
    write(tmp_path / "inf.wav", np.append(tone(1.0), np.inf), subtype="FLOAT")
    write(tmp_path / "huge.wav", 1e30 * tone(1.0), subtype="FLOAT")
    os.mkfifo(tmp_path / "pipe.wav")
    os.mkfifo(tmp_path / "pipe")
    truncate(write(tmp_path / "stub.flac", noise(5.0)), 0.02)
    shutil.copy(tmp_path / "good.wav", tmp_path / "same.wav")
    expected = {
        "text.wav": "not audio",
        "zero.wav": "empty",
        "x.m4a": "needs ffmpeg",
        "one.wav": "too short",
        "silent.wav": "silent",
        "dc.wav": "silent",
        "dither.wav": "silent",
        "nan.wav": "NaN or Inf",
        "inf.wav": "NaN or Inf",
        "huge.wav": "out of range",
        "pipe.wav": "unreadable",
        "stub.flac": "unreadable",
        "same.wav": "duplicate",
    }
    found = scan(tmp_path)
    assert {skipped.path.name: skipped.reason for skipped in found.skipped} == expected
    assert set(expected.values()) <= set(REASONS)
    assert [file.path.name for file in found.files] == ["good.wav"]
    assert all(
        "\n" not in skipped.detail and str(skipped.path) in skipped.detail for skipped in found.skipped
    )


def test_nan_deep_in_a_long_file_is_found(tmp_path: Path) -> None:
    samples = np.tile(tone(1.0, rate=8000), 100)
    # Between two of the windows that are examined.
    samples[8000 * 13] = np.nan
    write(tmp_path / "a.wav", samples, rate=8000, subtype="FLOAT")
    assert reasons(tmp_path) == {"a.wav": "NaN or Inf"}


@pytest.mark.parametrize("suffix", ["mp3", "flac"])
def test_a_truncated_file_is_used_as_far_as_it_goes(tmp_path: Path, suffix: str) -> None:
    truncate(write(tmp_path / f"a.{suffix}", noise(10.0, rate=44100), rate=44100), 0.5)
    (file,) = scan(tmp_path).files
    assert "truncated" in file.flags
    assert 3.5 < file.seconds < 6.5


def test_integers_that_became_floats_are_used(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", 2.0**31 * tone(1.0), subtype="FLOAT")
    assert [file.path.name for file in scan(tmp_path).files] == ["a.wav"]


def test_clipping_is_flagged_and_a_peak_is_not(tmp_path: Path) -> None:
    write(tmp_path / "clipped.wav", tone(1.0, level=2.0).clip(-1, 1))
    peak = tone(1.0, level=0.5)
    peak[1000] = 1.0
    write(tmp_path / "peak.wav", peak)
    clipped, with_peak = scan(tmp_path).files
    assert clipped.flags == ("clipped",)
    # A sine of twice full scale is beyond it for two thirds of the time.
    assert clipped.clipped_share == pytest.approx(2 / 3, abs=0.02)
    assert with_peak.flags == ()


def test_usable_seconds_leave_out_silence(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", np.concatenate([tone(3.0), np.zeros(5 * 22050), tone(2.0, level=0.0005)]))
    (file,) = scan(tmp_path).files
    assert file.seconds == pytest.approx(10.0)
    # The quiet end is 56 dB below the beginning.
    assert file.usable_s == pytest.approx(3.0, abs=0.1)
    assert file.rms_db == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=0.2)
    assert file.peak == pytest.approx(0.3, abs=1e-3)


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (192000, 2), (44100, 8)])
def test_odd_rates_and_channels_are_usable(tmp_path: Path, rate: int, channels: int) -> None:
    write(tmp_path / "a.wav", np.tile(tone(1.0, rate=rate)[:, None], (1, channels)), rate=rate)
    (file,) = scan(tmp_path).files
    assert (file.sample_rate, file.n_channels, file.seconds) == (rate, channels, 1.0)


def test_loops_and_second_ways_to_a_folder_are_walked_once(tmp_path: Path) -> None:
    write(tmp_path / "a" / "x.wav", tone(1.0))
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "a")
    (tmp_path / "dangling.wav").symlink_to(tmp_path / "none.wav")
    (tmp_path / "itself.wav").symlink_to(tmp_path / "itself.wav")
    found = scan(tmp_path)
    assert [file.path.name for file in found.files] == ["x.wav"]
    assert {skipped.reason for skipped in found.skipped} == {"unreadable"}


def test_a_linked_file_counts(tmp_path: Path) -> None:
    target = write(tmp_path / "elsewhere" / "x.wav", tone(1.0))
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "y.wav").symlink_to(target)
    assert len(scan(tmp_path / "corpus").files) == 1


def test_no_permission_skips_a_file_and_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "good.wav", tone(1.0))
    write(tmp_path / "locked.wav", tone(1.0, hz=300))
    write(tmp_path / "vault" / "x.wav", tone(1.0, hz=500))
    real_open, real_iterdir = open, Path.iterdir

    def guarded_open(path: object, *args: object, **kwargs: object) -> object:
        if str(path).endswith("locked.wav"):
            raise PermissionError(13, "Permission denied")
        return real_open(path, *args, **kwargs)  # type: ignore[call-overload]

    def guarded_iterdir(path: Path) -> object:
        if path.name == "vault":
            raise PermissionError(13, "Permission denied")
        return real_iterdir(path)

    monkeypatch.setattr("builtins.open", guarded_open)
    monkeypatch.setattr(Path, "iterdir", guarded_iterdir)
    assert reasons(tmp_path) == {"locked.wav": "no permission", "vault": "no permission"}


@pytest.mark.parametrize(
    "name",
    [
        "café 音.wav",
        "a b.wav",
        'it\'s "q".wav',
        "-rf.wav",
        "two\nlines.wav",
        "<script>alert(1)<\u2215script>.wav",
    ],
)
def test_any_name_is_scanned_and_told_on_one_line(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, tone(1.0))
    (tmp_path / f"bad {name}").write_text("no sound")
    found = scan(tmp_path)
    assert [file.path.name for file in found.files] == [name]
    assert "\n" not in found.skipped[0].detail


def test_a_script_tag_may_be_a_path(tmp_path: Path) -> None:
    write(tmp_path / "<" / "script>.wav", tone(1.0))
    assert len(scan(tmp_path).files) == 1


def test_an_empty_folder_is_an_empty_corpus(tmp_path: Path) -> None:
    found = scan(tmp_path, name="nothing")
    assert (found.name, found.files, found.skipped, found.usable_s) == ("nothing", (), (), 0)


def test_each_file_is_told_for_a_progress_bar(tmp_path: Path) -> None:
    for i in range(3):
        write(tmp_path / f"{i}.wav", melody(1.0, seed=i))
    told: list[None] = []
    scan(tmp_path, on_file=lambda: told.append(None))
    assert len(told) == 3


# Folders against each other


def test_folders_that_cannot_be_corpora_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a" / "inside").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    file = write(tmp_path / "x.wav", tone(0.1))
    a, b = tmp_path / "a", tmp_path / "b"
    assert check_folders([a, b], at_least=2) == [a, b]
    for folders, words in (
        ([a, tmp_path / "none"], "no such folder"),
        ([a, file], "is a file"),
        ([a, a], "the same folder twice"),
        ([a, b, tmp_path / "b" / ".." / "a"], "the same folder twice"),
        ([a, tmp_path / "link"], "same folder twice"),
        ([a, a / "inside"], "one lies inside the other"),
        ([a / "inside", tmp_path], "one lies inside the other"),
        ([tmp_path / "link" / "inside", a], "one lies inside the other"),
        ([a], "at least 2 folders"),
    ):
        with pytest.raises(BadInput, match=words):
            check_folders(folders, at_least=2)


def test_a_link_to_itself_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(BadInput, match=r"loop: (no such folder|cannot be listed)"):
        scan(tmp_path / "loop")


def test_corpora_are_named_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert corpus_names([tmp_path / "cage", tmp_path / "boys"]) == ["cage", "boys"]
    assert corpus_names([tmp_path / "cage" / "wav", tmp_path / "boys" / "wav"]) == ["cage/wav", "boys/wav"]
    monkeypatch.chdir(tmp_path)
    assert corpus_names(["."]) == [tmp_path.name]
