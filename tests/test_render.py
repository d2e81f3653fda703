"""Hybrids as files: the source at alpha 0 whatever its format, every mode, every odd source."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.audio import probe, read_wave
from stylemix.errors import BadInput
from stylemix.hybrid.dials import PHASES
from stylemix.hybrid.overlap import overlapped, render_plan
from stylemix.hybrid.quality import Comparison
from stylemix.hybrid.render import hybrid, hybrid_file, hybrid_folder, rebuild_file
from stylemix.hybrid.roles import representative
from stylemix.hybrid.source import SourceReader
from tests.fake_run import FRAMES, RATE, FakeRun, music


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FakeRun:
    rng = np.random.default_rng(1)
    folder = tmp_path_factory.mktemp("corpora")
    notes = {"low": [110.0, 164.8, 220.0], "high": [880.0, 1318.5, 1760.0]}
    return FakeRun(
        {
            name: [Wave(music(rng, 6 * RATE, p), RATE).save(folder / f"{name}{i}.wav") for i in range(3)]
            for name, p in notes.items()
        }
    )


def make(path: Path, rate: int, channels: int, seconds: float, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    n = max(1, round(seconds * rate))
    t = np.arange(n) / rate
    tones = sum(0.1 * np.sin(2 * np.pi * hz * t * (1 + 0.01 * t)) for hz in (150, 450, 1200, 0.4 * rate))
    return Wave(tones + 0.01 * rng.standard_normal((channels, n)), rate).save(path, bits="32f")


def db(found: np.ndarray, wanted: np.ndarray) -> float:
    return 20 * float(np.log10(np.linalg.norm(found - wanted) / np.linalg.norm(wanted) + 1e-15))


@pytest.mark.parametrize(
    ("rate", "channels"),
    [(8000, 1), (8000, 2), (22050, 1), (44100, 2), (44101, 1), (5000, 1), (192000, 2), (11025, 8)],
)
def test_alpha_0_is_the_source_at_its_own_rate(run: FakeRun, tmp_path: Path, rate: int, channels: int) -> None:
    source = make(tmp_path / "s.wav", rate, channels, 2.0)
    result = hybrid_file(run, alpha=0, source=source, out=tmp_path / "h.wav", bits="32f", show_progress=False)
    found, wanted = read_wave(tmp_path / "h.wav"), read_wave(source)
    assert found.sample_rate == rate
    assert found.samples.shape == wanted.samples.shape
    assert db(found.samples, wanted.samples) < -60
    assert json.loads(json.dumps(result))["channels"] == channels


@pytest.mark.parametrize(
    ("mode", "phase"),
    [(mode, phase) for mode in ("match", "style", "morph") for phase in PHASES] + [("cross", "auto"), ("fade", "auto")],
)
def test_every_mode_with_every_phase_gives_sound(run: FakeRun, tmp_path: Path, mode: str, phase: str) -> None:
    source = make(tmp_path / "s.wav", 16000, 2, 1.5)
    result = hybrid_file(
        run,
        alpha="0:0.2,1:0.9",
        source=source,
        target=run.files[4].path if mode == "morph" else None,
        mode=mode,
        phase=phase,
        out=tmp_path / "h.wav",
        show_progress=False,
    )
    found = read_wave(tmp_path / "h.wav")
    assert found.samples.shape == (2, 24000)
    assert 0.01 < found.samples.std() < 0.5
    assert result["alpha"] == [[0.0, 0.2], [1.0, 0.9]]
    assert result["quality"] == ("good" if phase == "estimate" else None)


def test_a_little_alpha_is_near_the_source_over_many_blocks(run: FakeRun, tmp_path: Path) -> None:
    # Not the short cut of alpha 0: all blocks are calculated and joined.
    source = make(tmp_path / "s.wav", 12000, 1, 23.0)
    hybrid_file(run, alpha=1e-6, source=source, out=tmp_path / "h.wav", bits="32f", show_progress=False)
    assert db(read_wave(tmp_path / "h.wav").samples, read_wave(source).samples) < -60


def test_the_joins_of_estimated_blocks_are_as_good_as_their_middles(run: FakeRun, tmp_path: Path) -> None:
    t = np.arange(22 * RATE) / RATE
    source = Wave(0.3 * np.sin(2 * np.pi * 220.3 * t), RATE).save(tmp_path / "s.wav", bits="32f")
    wave = hybrid(run, alpha=0, source=source, phase="estimate").samples[0]
    envelope = np.abs(wave).reshape(-1, 400).max(axis=1)[4:-4]
    # Two blocks out of phase would cancel in the crossfade.
    assert envelope.min() > 0.85 * np.median(envelope)


def spectra(x: np.ndarray) -> np.ndarray:
    """Magnitudes (K, N) of 2048 samples every 512."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(x, 1024), 2048)[::512]
    return np.abs(np.fft.rfft(frames * np.hanning(2048))).T


def at_borders(run: FakeRun, n_samples: int) -> np.ndarray:
    """Frames of `spectra` in which one block gives way to the next, and the quarter of a second after."""
    rate, at = run.vqt.sample_rate, np.arange(n_samples // 512 + 1) * 512
    plan = render_plan(run, n_samples, align=FRAMES * run.vqt.hop_length)  # type: ignore[arg-type]
    assert len(plan) > 1
    return np.any([(at > b.stop - b.fade_out - 2048) & (at < b.stop + rate // 4) for b in plan[:-1]], axis=0)


@dataclass
class Joined:
    """A rendering in blocks, the same in one block, what both are of, and which frames lie at borders."""

    blocks: np.ndarray
    single: np.ndarray
    original: np.ndarray
    here: np.ndarray


def border_figures(joined: Sequence[Joined]) -> dict[str, float]:
    """Compare frames at borders with the same frames of one single block, and with all other frames.

    Estimated phases hang on inaudible noise in the sound: what one border costs moves by a decibel with a dither at
    -120 dB. The errors at the borders of several stretches are added up, which moves by a tenth.
    """
    frames = [tuple(map(spectra, (one.blocks, one.single, one.original))) for one in joined]
    here = np.concatenate([one.here for one in joined])
    a, b, x = (np.concatenate(parts, axis=1) for parts in zip(*frames, strict=True))
    loudest = x.max()

    def convergence_db(y: np.ndarray, at: np.ndarray) -> float:
        return db(y[:, at], x[:, at])

    def rise(y: np.ndarray) -> np.ndarray:
        levels = np.log(y + 1e-3 * loudest)
        return np.maximum(np.diff(levels, axis=1, prepend=levels[:, :1]), 0).mean(axis=0)

    flux_a, flux_b, flux_x = (np.concatenate([rise(y) for y in parts]) for parts in zip(*frames, strict=True))
    near, far = (flux_a[at].mean() / flux_x[at].mean() for at in (here, ~here))
    return {
        "sc_over_single_db": convergence_db(a, here) - convergence_db(b, here),
        "sc_over_elsewhere_db": convergence_db(a, here) - convergence_db(a, ~here),
        "flux_over_single": flux_a[here].mean() / flux_b[here].mean(),
        "flux_over_elsewhere": near / far,
    }


def in_one_block(monkeypatch: pytest.MonkeyPatch, render: Callable[[], np.ndarray]) -> np.ndarray:
    with monkeypatch.context() as patch:
        patch.setattr("stylemix.hybrid.overlap.BLOCK_S", 100.0)
        return render()


@pytest.mark.parametrize("quality", ["draft", pytest.param("good", marks=pytest.mark.slow)])
def test_borders_of_estimated_blocks_are_inaudible(
    run: FakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quality: str
) -> None:
    source = Wave(music(np.random.default_rng(3), 22 * RATE, [220.0, 330.0, 550.0, 880.0]), RATE).save(
        tmp_path / "s.wav", bits="32f"
    )

    def render() -> np.ndarray:
        return hybrid(run, alpha=0, source=source, phase="estimate", quality=quality).samples[0]  # type: ignore[arg-type]

    original = read_wave(source).samples[0]
    one = Joined(render(), in_one_block(monkeypatch, render), original, at_borders(run, len(original)))
    figures = border_figures([one])
    # Without the beginning's phases it is 17 to 22 dB; between two onsets, where there is none, one block errs little.
    assert figures["sc_over_single_db"] < 1
    assert figures["sc_over_elsewhere_db"] < 0
    assert figures["flux_over_single"] == pytest.approx(1, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("quality", ["draft", "good"])
@pytest.mark.parametrize("what", ["hybrid", "rebuilt"])
def test_borders_in_real_music_are_inaudible(
    real_music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, quality: str
) -> None:
    recording = real_music / "orchestral-vs-electronic" / "westlund-orchestral" / "journeys-end.ogg"
    options = {"phase": "estimate", "quality": quality, "show_progress": False}

    def joined(start_s: float) -> Joined:
        wave = read_wave(recording, sample_rate=22050, start_s=start_s, duration_s=40, mono=True).samples
        source = Wave(wave, 22050).save(tmp_path / f"s{start_s:g}.wav", bits="32f")
        run = FakeRun({"a": [source], "b": [source]}, sample_rate=22050, bins_per_octave=36)

        def render() -> np.ndarray:
            if what == "hybrid":
                return hybrid(run, alpha=0, source=source, **options).samples.mean(axis=0)  # type: ignore[arg-type]
            out = tmp_path / "r.wav"
            result = rebuild_file(run, source, out=out, force=True, bits="32f", **options)  # type: ignore[arg-type]
            return read_wave(out).samples.mean(axis=0) / result["gain"]

        original = wave.mean(axis=0)
        return Joined(render(), in_one_block(monkeypatch, render), original, at_borders(run, len(original)))

    # A dither moves hybrids by half a decibel and what is rebuilt by a thirtieth: one stretch of it is enough.
    stretches = (0.0, 20.0, 40.0) if what == "hybrid" else (0.0,)
    figures = border_figures([joined(start_s) for start_s in stretches])
    assert figures["sc_over_single_db"] < 0.5
    assert figures["sc_over_elsewhere_db"] < 1
    assert figures["flux_over_single"] == pytest.approx(1, abs=0.05)
    assert figures["flux_over_elsewhere"] == pytest.approx(1, abs=0.1)


def test_stems_and_the_crossfade(run: FakeRun, tmp_path: Path) -> None:
    source = make(tmp_path / "s.wav", 22050, 2, 1.5)
    hybrid_file(
        run,
        alpha="0:0,1.5:1",
        source=source,
        out=tmp_path / "h.wav",
        stems=tmp_path / "stems",
        bits="32f",
        show_progress=False,
    )
    stems = {p.stem: read_wave(p).samples for p in (tmp_path / "stems").iterdir()}
    assert set(stems) == {"source", "target", "hybrid", "crossfade"}
    alpha = np.minimum(np.arange(stems["source"].shape[1]) / 22050 / 1.5, 1)
    np.testing.assert_allclose(stems["crossfade"], (1 - alpha) * stems["source"] + alpha * stems["target"], atol=1e-5)
    np.testing.assert_array_equal(stems["source"], read_wave(source).samples)
    np.testing.assert_array_equal(stems["hybrid"], read_wave(tmp_path / "h.wav").samples)
    level = [20 * np.log10(stems[k].std()) for k in ("source", "target")]
    assert abs(level[0] - level[1]) < 6


def test_alpha_1_is_the_matched_target(run: FakeRun, tmp_path: Path) -> None:
    source = make(tmp_path / "s.wav", RATE, 1, 3.0)
    hybrid_file(
        run,
        alpha=1,
        source=source,
        out=tmp_path / "h.wav",
        stems=tmp_path / "t",
        bits="32f",
        show_progress=False,
    )
    np.testing.assert_array_equal(
        read_wave(tmp_path / "h.wav").samples, read_wave(tmp_path / "t" / "target.wav").samples
    )


@pytest.mark.parametrize("rate", [8000, 44100])
def test_the_shortest_sources_work_and_shorter_ones_are_refused(run: FakeRun, tmp_path: Path, rate: int) -> None:
    step = FRAMES * run.vqt.hop_length
    n = -(-step * rate // RATE)
    source = Wave(np.full((2, n), 0.1), rate).save(tmp_path / "s.wav")
    for mode in ("match", "style"):
        wave = hybrid(run, alpha=0.5, source=source, mode=mode)
        assert wave.samples.shape == (2, n)
        assert np.isfinite(wave.samples).all()
    for shorter in (1, n // 2):
        source = Wave(np.full((2, shorter), 0.1), rate).save(tmp_path / "s.wav", force=True)
        with pytest.raises(BadInput, match=r"s\.wav: lasts .* ms, which is shorter than one latent step of"):
            hybrid(run, alpha=0.5, source=source)


def test_a_silent_source_is_named_and_not_amplified(run: FakeRun, tmp_path: Path) -> None:
    source = Wave(np.zeros((1, RATE)), RATE).save(tmp_path / "s.wav")
    result = hybrid_file(run, alpha=0.5, source=source, out=tmp_path / "h.wav", show_progress=False)
    assert "the source is silent" in result["warnings"]
    assert result["target_gain_db"] == 0
    assert np.isfinite(read_wave(tmp_path / "h.wav").samples).all()


def test_the_default_source_is_a_held_out_file_of_the_first_corpus(run: FakeRun, tmp_path: Path) -> None:
    result = hybrid_file(run, alpha=0.5, out=tmp_path / "h.wav", duration_s=1.0, show_progress=False)
    assert result["source"] == str(run.files[0].path)
    assert "no source given" in result["warnings"][0]
    assert representative(run, 1) == 3  # type: ignore[arg-type]


def test_a_source_of_the_second_corpus_goes_to_the_first(run: FakeRun, tmp_path: Path) -> None:
    copy = tmp_path / "renamed.wav"
    copy.write_bytes(Path(run.files[4].path).read_bytes())
    options = {"alpha": 0.5, "source": copy, "duration_s": 0.5, "force": True, "show_progress": False}
    assert hybrid_file(run, out=tmp_path / "h.wav", **options)["target"] == "low"
    assert hybrid_file(run, out=tmp_path / "h.wav", to="high", **options)["target"] == "high"
    with pytest.raises(BadInput, match=r"no corpus 'middle'.*low, high"):
        hybrid_file(run, out=tmp_path / "h.wav", to="middle", **options)


def test_start_and_duration_choose_a_stretch(run: FakeRun, tmp_path: Path) -> None:
    source = make(tmp_path / "s.wav", 44100, 1, 3.0)
    found = hybrid(run, alpha=0, source=source, start_s=1.2345, duration_s=0.5).samples
    wanted = read_wave(source).samples[:, 54441 : 54441 + 22050]
    assert found.shape == wanted.shape
    assert db(found, wanted) < -60
    for options, message in (
        ({"start_s": 3.0}, "nothing at 3 s"),
        ({"start_s": -1.0}, "start must be 0 or more"),
        ({"duration_s": 0.0}, "duration must be more than 0"),
        ({"duration_s": float("nan")}, "duration must be more than 0"),
    ):
        with pytest.raises(BadInput, match=message):
            hybrid(run, alpha=0, source=source, **options)


def test_another_rate_and_word_length(run: FakeRun, tmp_path: Path) -> None:
    source = make(tmp_path / "s.wav", 44100, 1, 1.0)
    hybrid_file(run, alpha=0, source=source, out=tmp_path / "h.wav", sample_rate=48000, bits="16", show_progress=False)
    info = probe(tmp_path / "h.wav")
    assert (info.sample_rate, info.subtype, info.n_samples) == (48000, "PCM_16", 48000)
    found = read_wave(tmp_path / "h.wav").samples
    assert db(found[:, 500:-500], read_wave(source, sample_rate=48000).samples[:, 500 : 48000 - 500]) < -50


def test_peaks_are_scaled_and_said(run: FakeRun, tmp_path: Path) -> None:
    source = Wave(1.7 * np.sin(np.arange(RATE) * 0.1), RATE)
    path = source.save(tmp_path / "s.wav", bits="32f")
    loud = tmp_path / "loud.wav"
    import soundfile

    soundfile.write(loud, source.samples.T, RATE, subtype="FLOAT")
    result = hybrid_file(run, alpha=0, source=loud, out=tmp_path / "h.wav", show_progress=False)
    assert result["peak"] == pytest.approx(1.7, rel=1e-3)
    assert result["gain"] * result["peak"] == pytest.approx(0.999, rel=1e-3)
    assert path.exists()


def test_nothing_is_written_over_an_input(run: FakeRun, tmp_path: Path) -> None:
    source = make(tmp_path / "source.wav", RATE, 1, 0.5)
    before = hashlib.sha256(source.read_bytes()).hexdigest()
    options = {"alpha": 0.5, "source": source, "force": True, "show_progress": False}
    with pytest.raises(BadInput, match="must not be one of the inputs"):
        hybrid_file(run, out=source, **options)
    with pytest.raises(BadInput, match="must not be one of the inputs"):
        hybrid_file(run, out=tmp_path / "h.wav", stems=tmp_path, **options)
    with pytest.raises(BadInput, match="must not be one of the inputs"):
        hybrid_file(run, out=run.files[3].path, **options)
    for recording in run.files[:2]:
        # Also of the source's own corpus, which a hybrid of another file does not read.
        with pytest.raises(BadInput, match="must not be one of the inputs"):
            hybrid_file(run, out=recording.path, **options)
        with pytest.raises(BadInput, match="must not be one of the inputs"):
            rebuild_file(run, source, out=recording.path, force=True, show_progress=False)
    with pytest.raises(BadInput, match="name of a stem"):
        hybrid_file(run, out=tmp_path / "x" / "hybrid.wav", stems=tmp_path / "x", **options)
    assert hashlib.sha256(source.read_bytes()).hexdigest() == before
    (tmp_path / "h.wav").write_bytes(b"mine")
    with pytest.raises(BadInput, match="exists already"):
        hybrid_file(run, out=tmp_path / "h.wav", **{**options, "force": False})


@pytest.mark.parametrize("options", [{"out": "h.xyz"}, {"bits": "32f", "out": "h.flac"}, {"sample_rate": 0}])
def test_what_cannot_be_written_is_said_before_the_work(
    run: FakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, object]
) -> None:
    monkeypatch.setattr("stylemix.hybrid.rendering.prepare_variations", lambda *_, **__: pytest.fail("worked first"))
    source = make(tmp_path / "source.wav", RATE, 1, 0.5)
    given = {"alpha": 0.5, "source": source, "show_progress": False, **options}
    with pytest.raises(BadInput, match=r"ending|no 32-bit float|sample rate"):
        hybrid_file(run, **{**given, "out": tmp_path / str(options.get("out", "h.wav"))})  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["source.wav"]


def test_a_failure_leaves_no_file(run: FakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make(tmp_path / "s.wav", RATE, 1, 1.0)

    def fail(*_: object) -> None:
        raise BadInput("no more")

    monkeypatch.setattr("stylemix.hybrid.blend.hear", fail)
    with pytest.raises(BadInput, match="no more"):
        hybrid_file(run, alpha=0.5, source=source, out=tmp_path / "h.wav", stems=tmp_path / "st", show_progress=False)
    # Not even the folder that was made for the stems, but what was there before is.
    assert [path.name for path in tmp_path.iterdir()] == ["s.wav"]
    (tmp_path / "mine").mkdir()
    with pytest.raises(BadInput, match="no more"):
        hybrid_file(
            run, alpha=0.5, source=source, out=tmp_path / "h.wav", stems=tmp_path / "mine" / "st", show_progress=False
        )
    assert [path.name for path in (tmp_path / "mine").rglob("*")] == []
    assert (tmp_path / "mine").is_dir()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "blend"}, "mode must be one of match, style, morph"),
        ({"phase": "true"}, "phase must be one of auto, parents, source, estimate"),
        ({"quality": "fine"}, "quality: must be draft, good or best, got 'fine'"),
        ({"quality": None, "phase": "estimate"}, "quality: must be draft, good or best, got None"),
        ({"mode": "morph"}, "add --target"),
        ({"alpha": 2}, "between 0"),
        ({"source": "gone.wav"}, "gone.wav"),
        ({"target": "gone.wav"}, "gone.wav"),
        ({"sample_rate": 3}, "1000 to 768000"),
        ({"bits": "12"}, "16, 24 or 32f"),
    ],
)
def test_each_mistake_is_one_line(run: FakeRun, tmp_path: Path, options: dict[str, object], message: str) -> None:
    given = {"alpha": 0.5, "out": tmp_path / "h.wav", "show_progress": False} | options
    with pytest.raises(BadInput, match=message) as caught:
        hybrid_file(run, **given)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_folder_is_rendered_file_by_file_and_a_bad_one_is_named(run: FakeRun, tmp_path: Path) -> None:
    songs = tmp_path / "songs"
    songs.mkdir()
    for name in ("a", "b"):
        make(songs / f"{name}.wav", RATE, 1, 0.3)
    (songs / "notes.txt").write_text("no sound")
    result = hybrid_folder(
        run, source=songs, out=tmp_path / "out", alpha=0.5, stems=tmp_path / "st", show_progress=False
    )
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.wav", "b.wav"]
    assert (tmp_path / "st" / "b" / "crossfade.wav").exists()
    assert [Path(s["file"]).name for s in result["skipped"]] == ["notes.txt"]
    assert len(json.loads(json.dumps(result))["done"]) == 2
    with pytest.raises(BadInput, match="folder of their sources"):
        hybrid_folder(run, source=songs, out=songs, alpha=0.5)
    with pytest.raises(BadInput, match="quality: must be draft, good or best, got 'ok'"):
        hybrid_folder(run, source=songs, out=tmp_path / "none", alpha=0.5, quality="ok", show_progress=False)
    assert not (tmp_path / "none").exists()
    with pytest.raises(BadInput, match="none of its 3 files"):
        hybrid_folder(run, source=songs, out=tmp_path / "out", alpha=0.5, show_progress=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "hihg"}, "no corpus 'hihg' in this run"),
        ({"from_corpus": "hihg"}, "no corpus 'hihg' in this run"),
        ({"mode": "style", "from_corpus": "high", "to": "high"}, "the source is of high already"),
        ({"alpha": None, "weights": "low=0.5"}, "weights: must sum to 1"),
        ({"weights": "low=0.5,high=0.5"}, "got both; leave one out"),
        ({"alpha": None}, "alpha is missing"),
        ({"variation": 51}, "variation: must be 1 to 50, got 51"),
        ({"variation": 2, "mode": "style"}, "the mode style has one answer"),
        ({"source_cluster": 1}, "got --source too; leave one out"),
        ({"target_cluster": 9}, "there is no cluster 9"),
        ({"continuity": 101}, "continuity: must be 0 to 100"),
        ({"mode": "morph"}, "add --target FILE"),
        ({"target": "gone.wav"}, "gone.wav"),
        ({"target_start_s": 1.0}, "add --target FILE"),
        ({"start_s": -1.0}, "start must be 0 or more seconds, got -1"),
        ({"duration_s": 0.0}, "duration must be more than 0 seconds, got 0"),
        ({"bits": "12"}, "bits: must be 16, 24 or 32f, got '12'"),
        ({"sample_rate": 3}, "1000 to 768000 Hz, got 3"),
    ],
)
def test_a_mistake_that_no_file_makes_is_one_and_not_one_for_each(
    run: FakeRun, tmp_path: Path, options: dict[str, object], message: str
) -> None:
    songs = tmp_path / "songs"
    songs.mkdir()
    for name in ("a", "b"):
        (songs / f"{name}.wav").write_bytes(b"never opened")
    with pytest.raises(BadInput, match=message) as caught:
        hybrid_folder(run, source=songs, out=tmp_path / "out", **{"alpha": 0.5, "show_progress": False} | options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert "files could be used" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_rebuilding_reports_how_well_the_model_knows_a_file(run: FakeRun, tmp_path: Path) -> None:
    result = rebuild_file(run, run.files[1].path, out=tmp_path / "r.wav", show_progress=False)  # type: ignore[arg-type]
    found, original = read_wave(tmp_path / "r.wav"), read_wave(run.files[1].path)
    assert found.samples.shape == original.samples.shape
    comparison = Comparison(RATE)
    comparison.add(original.samples, found.samples / np.float32(result["gain"]))
    assert result["sc2048_db"] == pytest.approx(comparison.convergence_db(), abs=0.1)
    assert result["best_sc2048_db"] < result["sc2048_db"] < -3
    noise = Wave(0.1 * np.random.default_rng(0).standard_normal(RATE), RATE).save(tmp_path / "noise.wav")
    unknown = rebuild_file(run, noise, out=tmp_path / "n.wav", show_progress=False)  # type: ignore[arg-type]
    assert unknown["log_spectral_distance_db"] > result["log_spectral_distance_db"]


def test_blocks_join_without_a_seam(run: FakeRun) -> None:
    signal = np.random.default_rng(0).standard_normal(40 * RATE)
    plan = render_plan(run, len(signal), align=1024)

    def render(block, known):  # type: ignore[no-untyped-def]
        padded = np.pad(signal, 20000)
        return padded[None, block.read_start + 20000 : block.read_stop + 20000]

    parts = list(overlapped(plan, render))
    assert [a for a, _, _ in parts] == [0, *(b for _, b, _ in parts[:-1])]
    np.testing.assert_allclose(np.concatenate([p for _, _, p in parts], axis=1)[0], signal, atol=1e-6)


def test_the_source_at_the_model_s_rate_reads_the_same_in_any_pieces(tmp_path: Path) -> None:
    path = make(tmp_path / "s.wav", 44100, 1, 2.0)
    with SourceReader(path, model_rate=RATE, start_s=0.1) as source:
        whole = source.read_model(0, source.n_model_samples)
        cuts = [0, 1, 777, 5000, source.n_model_samples]
        pieces = [source.read_model(a, b) for a, b in zip(cuts[:-1], cuts[1:], strict=True)]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=1e-5)
