"""Sound files in and out: every format and rate, random access, safe writing, one line for what fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tracemalloc
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from stylemix.arrays import Wave
from stylemix.audio import (
    AudioReader,
    UnreadableAudio,
    WaveWriter,
    probe,
    read_blocks,
    read_wave,
    shown_name,
)
from stylemix.audio.examine import examine
from stylemix.errors import BadInput, StylemixError
from tests.sounds import noise, tone, truncate, write


def left_over(folder: Path) -> list[str]:
    """Temporary names in a folder."""
    return [path.name for path in folder.iterdir() if path.name.startswith(".tmp")]


# Reading


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "ogg", "opus", "mp3"])
def test_every_format_is_read(tmp_path: Path, suffix: str) -> None:
    path = Wave(tone(1.0, rate=48000), 48000).save(tmp_path / f"a.{suffix}")
    info = probe(path)
    assert (info.sample_rate, info.n_channels, info.n_samples) == (48000, 1, 48000)
    samples = read_wave(path).samples[0]
    # A lossy format keeps a tone to a few per cent.
    assert np.abs(samples[4800:-4800] - tone(1.0, rate=48000)[4800:-4800]).max() < 0.03


@pytest.mark.parametrize("rate", [8000, 11025, 96000, 192000])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_every_rate_and_number_of_channels_is_resampled(tmp_path: Path, rate: int, channels: int) -> None:
    path = write(tmp_path / "a.wav", np.tile(tone(1.0, rate=rate)[:, None], (1, channels)), rate=rate)
    wave = read_wave(path, sample_rate=22050)
    assert wave.samples.shape == (channels, 22050)
    assert np.abs(wave.samples[:, 2000:-2000] - tone(1.0)[2000:-2000]).max() < 1e-3
    assert read_wave(path, mono=True).n_channels == 1


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_bit_depth_is_full_scale_one(tmp_path: Path, subtype: str) -> None:
    path = write(tmp_path / "a.wav", tone(0.2, level=0.5), subtype=subtype)
    assert np.abs(read_wave(path).samples[0] - tone(0.2, level=0.5)).max() <= 2**-7


def test_blocks_join_to_the_whole_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", noise(2.3, channels=2), subtype="FLOAT")
    blocks = list(read_blocks(path, block_s=0.5))
    assert [block.shape for block in blocks] == [(2, 11025)] * 4 + [(2, 6615)]
    assert np.array_equal(np.concatenate(blocks, axis=1), read_wave(path).samples)


def test_resampled_blocks_join_without_a_seam(tmp_path: Path) -> None:
    samples = noise(2.0, rate=44100)
    path = write(tmp_path / "a.wav", samples, rate=44100, subtype="FLOAT")
    joined = np.concatenate(list(read_blocks(path, block_s=0.3, sample_rate=22050, mono=True)), axis=1)
    assert np.abs(joined[0] - soxr.resample(samples, 44100, 22050)).max() < 1e-6


@pytest.mark.parametrize(
    "rates", [(44100, 22050), (48000, 22050), (8000, 44100), (192000, 22050), (44101, 22050)]
)
def test_a_stretch_is_the_same_as_in_the_resampled_whole(tmp_path: Path, rates: tuple[int, int]) -> None:
    samples = noise(4.0, rate=rates[0])
    path = write(tmp_path / "a.wav", samples, rate=rates[0], subtype="FLOAT")
    whole = soxr.resample(samples, *rates)
    with AudioReader(path, sample_rate=rates[1]) as reader:
        assert reader.n_samples == len(whole)
        for start, stop in ((0, 100), (rates[1] * 2 + 7, rates[1] * 2 + 500), (len(whole) - 50, len(whole))):
            # Rounding in soxr's single precision; noise reaches 0.5.
            assert np.abs(reader.read(start, stop)[0] - whole[start:stop]).max() < 1e-5


@settings(max_examples=25, deadline=None)
@given(start=st.integers(-3000, 9000), length=st.integers(0, 9000))
def test_outside_the_file_is_silence(
    tmp_path_factory: pytest.TempPathFactory, start: int, length: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "outside.wav"
    samples = noise(0.25)
    if not path.exists():
        write(path, samples, subtype="FLOAT")
    with AudioReader(path) as reader:
        padded = np.pad(samples, (3000, 20000))
        assert np.array_equal(
            reader.read(start, start + length)[0], padded[start + 3000 : start + 3000 + length]
        )


@pytest.mark.parametrize(
    "name", ["love_theme_44k1_stereo_30s.mp3", "love_theme_44k1_stereo.ogg", "love_theme_48k_stereo_30s.opus"]
)
def test_seeking_in_a_lossy_file_is_exact(real_music: Path, name: str) -> None:
    path = real_music / "originals" / name
    whole = read_wave(path, duration_s=12.0).samples
    with AudioReader(path) as reader:
        assert np.abs(reader.read(400_000, 405_000) - whole[:, 400_000:405_000]).max() < 1e-6


@pytest.mark.parametrize("rate", [16000, 22050, 44100])
def test_seeking_in_an_mp3_that_leans_on_its_past_is_exact(
    tmp_path: Path, rate: int, capfd: pytest.CaptureFixture[str]
) -> None:
    # A tone costs few bits: its frames live on what earlier frames saved.
    path = Wave(tone(6.0, rate=rate), rate).save(tmp_path / "a.mp3")
    whole, _ = soundfile.read(path, dtype="float32")
    assert np.abs(np.concatenate(list(read_blocks(path, block_s=0.7)), axis=1)[0] - whole).max() < 1e-6
    with AudioReader(path) as reader:
        for start in (3 * rate, rate, 5 * rate + 17, 0, 4000):
            assert np.abs(reader.read(start, start + 4000)[0] - whole[start : start + 4000]).max() < 1e-6
    assert capfd.readouterr().err == ""


def test_a_start_beyond_the_end_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(1.0))
    with pytest.raises(BadInput, match=r"lasts 1.00 s, got 1.5 s"):
        read_wave(path, start_s=1.5)
    with pytest.raises(BadInput, match="0 or more seconds, got -1"):
        read_wave(path, start_s=-1)
    with pytest.raises(BadInput, match="more than 0 seconds, got nan"):
        read_wave(path, duration_s=float("nan"))
    assert read_wave(path, start_s=0.9, duration_s=5.0).n_samples == 2205


# Bad input


@pytest.mark.parametrize(
    ("name", "content", "reason", "words"),
    [
        ("text.wav", b"this is a letter, not a sound", "not audio", "is not a sound file"),
        ("zero.wav", b"", "empty", "is empty"),
        ("cut.flac", b"fLaC\x00\x00\x00\x22\x10", "unreadable", "damaged sound file"),
        ("film.m4a", b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00", "needs ffmpeg", "install ffmpeg"),
    ],
)
def test_a_bad_file_is_one_line_with_its_reason(
    tmp_path: Path, name: str, content: bytes, reason: str, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableAudio, match=words) as caught:
        probe(tmp_path / name)
    assert caught.value.reason == reason
    assert "\n" not in str(caught.value)


def test_the_way_out_for_m4a_survives_the_shell(tmp_path: Path) -> None:
    path = tmp_path / 'it\'s a "song".m4a'
    path.write_bytes(b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00")
    with pytest.raises(UnreadableAudio, match="ffmpeg -i") as caught:
        probe(path)
    command = str(caught.value).split("convert it: ")[1].replace("ffmpeg -i", "printf %s'\\n'")
    printed = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines() == [str(path), str(path.with_suffix(".flac"))]


def test_valid_files_that_libsndfile_cannot_open_name_ffmpeg(real_music: Path) -> None:
    files = sorted((real_music / "originals" / "not-libsndfile").iterdir())
    assert len(files) == 2
    for path in files:
        with pytest.raises(UnreadableAudio, match="install ffmpeg and convert it: ffmpeg -i"):
            probe(path)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(UnreadableAudio) as caught:
        probe(tmp_path / "a.wav")
    assert str(caught.value) == f"{tmp_path / 'a.wav'}: is a pipe or a device; give a sound file"


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        probe(tmp_path / "none.wav")
    with pytest.raises(BadInput, match="is a folder"):
        probe(tmp_path)


def test_no_permission_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.wav", tone(0.1))

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(UnreadableAudio, match="no permission to read it") as caught:
        probe(path)
    assert caught.value.reason == "no permission"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_inf_are_refused(tmp_path: Path, value: float) -> None:
    samples = tone(2.0)
    samples[30000] = value
    path = write(tmp_path / "a.wav", samples, subtype="FLOAT")
    with pytest.raises(UnreadableAudio, match="NaN or Inf") as caught:
        list(read_blocks(path, block_s=0.5))
    assert caught.value.reason == "NaN or Inf"
    with pytest.raises(UnreadableAudio, match="NaN or Inf"):
        read_wave(path)
    assert read_wave(path, duration_s=1.0).n_samples == 22050


@pytest.mark.parametrize("suffix", ["mp3", "flac", "wav", "aiff", "ogg"])
def test_a_truncated_file_is_read_as_far_as_it_goes(
    tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = truncate(write(tmp_path / f"a.{suffix}", noise(10.0, rate=44100), rate=44100), 0.5)
    with AudioReader(path) as reader:
        assert 3.5 < reader.n_samples / 44100 < 6.5
        assert np.abs(reader.read(reader.n_samples - 2000, reader.n_samples)).max() > 0.01
        assert sum(block.shape[1] for block in read_blocks(path)) == reader.n_samples
    assert examine(path).truncated
    # The mp3 decoder warns past every handler of Python's.
    assert capfd.readouterr().err == ""


def test_a_whole_file_is_not_called_truncated(tmp_path: Path) -> None:
    for suffix in ("mp3", "flac", "wav", "aiff", "ogg"):
        assert not examine(write(tmp_path / f"a.{suffix}", noise(2.0, rate=44100), rate=44100)).truncated


def test_a_file_that_breaks_at_once_is_refused(tmp_path: Path) -> None:
    path = truncate(write(tmp_path / "a.flac", noise(5.0)), 0.02)
    with pytest.raises(UnreadableAudio, match="breaks before the first sample"):
        list(read_blocks(path))
    with pytest.raises(UnreadableAudio, match="breaks before the first sample"):
        AudioReader(path)


def test_one_sample_can_be_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.array([0.5], dtype=np.float32), subtype="FLOAT")
    assert read_wave(path).samples.tolist() == [[0.5]]
    assert read_wave(path, sample_rate=48000).n_channels == 1


@pytest.mark.parametrize(
    "name",
    ["café 音.wav", "a b.wav", 'it\'s "q".wav', "</script>.wav", "-rf.wav", "two\nlines.wav", "a;b$(c).wav"],
)
def test_any_name_is_read_and_written(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = name.replace("/", "\u2215")
    Wave(tone(0.1), 22050).save(name)
    assert probe(name).n_samples == 2205
    assert shown_name(name).isprintable()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse names that are no valid text")
def test_a_name_that_is_no_valid_text_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(0.1))
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")
    shutil.copy(path, odd)
    assert probe(odd).n_samples == 2205
    assert shown_name(odd).endswith("caf\\udce9.wav")


# Writing


@pytest.mark.parametrize("suffix", ["wav", "aiff"])
def test_float_is_bit_identical(tmp_path: Path, suffix: str) -> None:
    samples = noise(3.0, channels=2).T
    path = Wave(samples, 22050).save(tmp_path / f"a.{suffix}", bits="32f")
    assert np.array_equal(read_wave(path).samples, samples)


@pytest.mark.parametrize(("bits", "full_scale"), [("16", 2**15), ("24", 2**23)])
@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff"])
def test_integers_survive_the_round_trip(tmp_path: Path, suffix: str, bits: str, full_scale: int) -> None:
    integers = np.random.default_rng(0).integers(-full_scale, full_scale, (2, 5000))
    samples = (integers / full_scale).astype(np.float32)
    path = Wave(samples, 22050).save(tmp_path / f"a.{suffix}", bits=bits)
    assert np.array_equal(read_wave(path).samples, samples)


def test_sixteen_bits_are_dithered_the_same_each_time(tmp_path: Path) -> None:
    quiet = tone(1.0, level=0.4 / 2**15)
    first = Wave(quiet, 22050).save(tmp_path / "a.wav", bits="16")
    second = Wave(quiet, 22050).save(tmp_path / "b.wav", bits="16")
    assert first.read_bytes() == second.read_bytes()
    # Rounding alone would have silenced a tone of less than half a step.
    assert np.corrcoef(read_wave(first).samples[0], quiet)[0, 1] > 0.2
    assert not read_wave(Wave(np.zeros(100), 22050).save(tmp_path / "c.wav", bits="16")).samples.any()


def test_too_loud_is_scaled_never_clipped(tmp_path: Path) -> None:
    with WaveWriter(tmp_path / "a.wav", sample_rate=22050, n_channels=1, bits="32f") as writer:
        writer.write(tone(1.0, level=0.1))
        writer.write(tone(1.0, level=2.0))
    peak = np.abs(tone(1.0, level=2.0)).max()
    assert writer.peak == pytest.approx(peak)
    assert writer.gain == pytest.approx(0.999 / peak)
    expected = np.concatenate([tone(1.0, level=0.1), tone(1.0, level=2.0)]) * writer.gain
    assert np.abs(read_wave(tmp_path / "a.wav").samples[0] - expected).max() < 1e-6


@pytest.mark.parametrize(
    ("suffix", "rate", "file_rate"),
    [
        ("opus", 22050, 24000),
        ("opus", 44100, 48000),
        ("mp3", 96000, 48000),
        ("mp3", 22050, 22050),
        ("ogg", 22050, 22050),
    ],
)
def test_formats_with_few_rates_are_resampled(tmp_path: Path, suffix: str, rate: int, file_rate: int) -> None:
    path = Wave(tone(2.0, rate=rate), rate).save(tmp_path / f"a.{suffix}")
    assert probe(path).sample_rate == file_rate
    samples = read_wave(path, sample_rate=22050).samples[0]
    # Opus at its automatic bit rate strays furthest.
    assert np.abs(samples[5000:39000] - tone(2.0)[5000:39000]).max() < 0.06


def test_a_long_wav_becomes_rf64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stylemix.audio.write.LONG_BYTES", 1000)
    assert probe(Wave(tone(1.0), 22050).save(tmp_path / "a.wav")).format == "RF64"
    with pytest.raises(BadInput, match="AIFF holds no more than 4 GB"):
        Wave(tone(1.0), 22050).save(tmp_path / "a.aiff")


@pytest.mark.parametrize(
    ("name", "bits", "channels", "words"),
    [
        ("a.xyz", None, 1, "ending must be one of"),
        ("a", None, 1, "ending must be one of"),
        ("a.wav", "20", 1, "bits must be 16, 24 or 32f, got '20'"),
        ("a.flac", "32f", 1, "no 32-bit float"),
        ("a.mp3", "16", 1, "no bit depth"),
        ("a.mp3", None, 3, "at most 2 channels, got 3"),
        ("a.wav", None, 0, "must be positive"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_before_work(
    tmp_path: Path, name: str, bits: str | None, channels: int, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        WaveWriter(tmp_path / name, sample_rate=22050, n_channels=channels, bits=bits)
    assert list(tmp_path.iterdir()) == []


def test_an_input_is_never_written_over(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(0.1))
    before = path.read_bytes()
    (tmp_path / "link.wav").symlink_to(path)
    for out in (path, tmp_path / "link.wav"):
        with pytest.raises(BadInput, match="must not be one of the inputs"):
            WaveWriter(out, sample_rate=22050, n_channels=1, force=True, inputs=[path])
    with pytest.raises(BadInput, match="exists already"):
        WaveWriter(path, sample_rate=22050, n_channels=1)
    assert path.read_bytes() == before


def test_an_exception_leaves_nothing_behind(tmp_path: Path) -> None:
    old = Wave(tone(0.1), 22050).save(tmp_path / "old.wav").read_bytes()
    for name in ("new.wav", "old.wav"):
        with (
            pytest.raises(BadInput, match="finite"),
            WaveWriter(tmp_path / name, sample_rate=22050, n_channels=1, force=True) as writer,
        ):
            writer.write(np.append(tone(1.0), np.nan))
    assert [path.name for path in tmp_path.iterdir()] == ["old.wav"]
    assert (tmp_path / "old.wav").read_bytes() == old


def test_bad_samples_are_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(BadInput, match="finite"),
        WaveWriter(tmp_path / "a.wav", sample_rate=8000, n_channels=1) as writer,
    ):
        writer.write(np.array([[0.0, np.nan]]))
    with (
        pytest.raises(BadInput, match=r"shape \(2, T\), got \(1, 5\)"),
        WaveWriter(tmp_path / "a.wav", sample_rate=8000, n_channels=2) as writer,
    ):
        writer.write(np.zeros(5))
    with (
        pytest.raises(BadInput, match="no samples to write"),
        WaveWriter(tmp_path / "a.wav", sample_rate=8000, n_channels=1),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10, 10, 0))
    with pytest.raises(StylemixError, match=r"a\.wav: the disk is full"):
        Wave(tone(1.0), 22050).save(tmp_path / "a.wav")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg"])
def test_a_write_that_the_system_refuses_leaves_nothing(tmp_path: Path, name: str) -> None:
    # A real refusal, in the middle of libsndfile: the process may not make files larger than 20 kB.
    script = (
        "import resource, sys, numpy as np\nfrom stylemix.arrays import Wave\n"
        "from stylemix.errors import StylemixError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "try: Wave(np.random.default_rng(0).uniform(-.5, .5, 441000), 44100).save(sys.argv[1])\n"
        "except StylemixError as error: print(error); sys.exit(3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / name)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_the_spool_on_disk_is_swept_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stylemix.audio.write.SPOOL_BYTES", 1000)
    with WaveWriter(tmp_path / "a.wav", sample_rate=22050, n_channels=1, bits="32f") as writer:
        for _ in range(5):
            writer.write(tone(1.0))
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
    assert np.array_equal(read_wave(tmp_path / "a.wav").samples[0], np.tile(tone(1.0), 5))


@pytest.mark.slow
def test_two_hours_stream_in_constant_memory(tmp_path: Path) -> None:
    second = tone(1.0, rate=8000)
    with soundfile.SoundFile(tmp_path / "long.flac", "w", samplerate=8000, channels=1) as sound:
        minute = np.tile(second, 60)
        for _ in range(120):
            sound.write(minute)
    tracemalloc.start()
    with WaveWriter(tmp_path / "out.wav", sample_rate=16000, n_channels=1, bits="16") as writer:
        for block in read_blocks(tmp_path / "long.flac", sample_rate=16000):
            writer.write(block)
    assert examine(tmp_path / "long.flac").seconds == 7200
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert probe(tmp_path / "out.wav").n_samples == 7200 * 16000
    # The whole would be 460 MB; the spool may hold 64 MB before it goes to the disk, and grows by doubling.
    assert peak < 200e6
