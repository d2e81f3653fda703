"""A stretch of the target: nothing outside it is heard, and a piece that is pressed into another length is told of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stylemix.arrays import Latents, Wave
from stylemix.audio import read_wave
from stylemix.errors import BadInput
from stylemix.hybrid.align import step_loudness
from stylemix.hybrid.order import read_order
from stylemix.hybrid.render import hybrid_file
from stylemix.hybrid.rendering import prepare_ways
from stylemix.hybrid.target_stretch import check_target_stretch, cut, masked, steps_within, tempo_warning
from tests.fake_run import FRAMES, RATE, FakeRun, music


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> FakeRun:
    rng = np.random.default_rng(1)
    folder = tmp_path_factory.mktemp("corpora")
    notes = {"low": [110.0, 164.8, 220.0], "high": [880.0, 1318.5, 1760.0]}
    return FakeRun(
        {
            name: [Wave(music(rng, 8 * RATE, p), RATE).save(folder / f"{name}{i}.wav") for i in range(2)]
            for name, p in notes.items()
        }
    )


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of no corpus: low, high, low, four seconds each."""
    rng = np.random.default_rng(5)
    parts = [music(rng, 4 * RATE, [hz]) for hz in (330.0, 1500.0, 330.0)]
    return Wave(np.concatenate(parts, axis=1), RATE).save(tmp_path_factory.mktemp("target") / "long.wav", bits="32f")


def asked(run: FakeRun, target: Path | None, **more: object) -> dict[str, object]:
    return {"alpha": 1.0, "source": run.files[0].path, "target": target, "duration_s": 3.0} | more


@pytest.mark.parametrize("mode", ["match", "morph", "fade"])
@pytest.mark.parametrize("inside", [True, False])
def test_nothing_outside_the_stretch_is_used(run: FakeRun, long: Path, mode: str, inside: bool) -> None:
    target = run.files[3].path if inside else long
    order = read_order(run, **asked(run, target, mode=mode, target_start_s=5.0, target_duration_s=2.0))  # type: ignore[arg-type]
    with order.open() as reader:
        (target_sound,) = prepare_ways(order, reader, 1, False)[0].targets
    steps = target_sound.path.step  # type: ignore[union-attr]
    rate = RATE / (FRAMES * run.vqt.hop_length)
    slack = 0.1 * rate + 1
    assert 5.0 * rate - slack <= steps.min() <= steps.max() <= 7.0 * rate + slack
    if mode == "morph":
        # The whole stretch is gone through, in its order.
        assert steps[0] <= 5.2 * rate
        assert steps[-1] >= 6.8 * rate
        assert (np.diff(steps) >= -slack).all()


def test_the_stretch_is_what_sounds_and_what_is_told(run: FakeRun, long: Path, tmp_path: Path) -> None:
    given = asked(run, long, mode="morph", target_start_s=4.0, target_duration_s=4.0, raw_alpha=True)
    told = hybrid_file(run, out=tmp_path / "h.wav", stems=tmp_path / "st", show_progress=False, **given)  # type: ignore[arg-type]
    assert told["target"] == f"{long} from 4 s, 4 s long"
    assert told["warnings"] == []
    power = np.square(np.abs(np.fft.rfft(read_wave(told["stems"]["target"]).samples[0, RATE // 4 : -RATE // 4])))
    hz = np.arange(len(power)) * RATE / 2 / len(power)
    assert power[(hz > 1400) & (hz < 1600)].sum() > 100 * power[(hz > 230) & (hz < 430)].sum()


def test_a_piece_pressed_into_another_length_is_told_of(run: FakeRun, long: Path, tmp_path: Path) -> None:
    given = {"mode": "morph", "out": tmp_path / "h.wav", "force": True, "show_progress": False}
    told = hybrid_file(run, **asked(run, long), **given)  # type: ignore[arg-type]
    assert told["target"] == str(long)
    assert told["warnings"] == [
        "the target lasts 12 s, the source 3 s: it is squeezed 4 times; choose a stretch with --target-start and "
        "--target-duration"
    ]
    told = hybrid_file(run, **asked(run, long, target_start_s=11.0), **given)  # type: ignore[arg-type]
    assert told["target"] == f"{long} from 11 s, 1 s long"
    assert "it is stretched 3 times; choose a stretch with --start and --duration" in told["warnings"][0]
    matched = hybrid_file(run, **asked(run, long), **given | {"mode": "match"})  # type: ignore[arg-type]
    assert matched["warnings"] == []
    assert tempo_warning(20.0, 10.0) == tempo_warning(10.0, 20.0) == ()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"target": None, "target_start_s": 1.0}, "cut a target file; add --target FILE"),
        ({"target": None, "target_duration_s": 1.0}, "cut a target file; add --target FILE"),
        ({"mode": "cross", "target_start_s": 1.0}, "cannot go with the mode cross; leave them out, or choose match"),
        ({"target_start_s": -1.0}, "target-start: must be 0 or more seconds, got -1"),
        ({"target_start_s": float("nan")}, "target-start: must be 0 or more seconds, got nan"),
        ({"target_duration_s": 0.0}, "target-duration: must be more than 0 seconds, got 0"),
        ({"target_start_s": 12.0}, r"long\.wav: lasts 12\.000 s; there is nothing at 12 s, choose an earlier"),
    ],
)
def test_a_stretch_that_is_none_is_one_line(run: FakeRun, long: Path, more: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        read_order(run, **asked(run, long) | more)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_stretch_ends_where_the_file_does(long: Path) -> None:
    assert check_target_stretch(long, 10.0, 100.0, mode="match") == (10.0, 2.0)
    assert check_target_stretch(long, 10.0, None, mode="match") == (10.0, 2.0)
    assert check_target_stretch(long, 0.0, None, mode="match") is None


def test_steps_and_frames_are_cut_alike(rng: np.random.Generator) -> None:
    latents = Latents(
        rng.standard_normal((3, 20)), rng.standard_normal(78), 8000, 800, rng.random((12, 20)), rng.random((5, 20))
    )
    part = cut(latents, 5, 15)
    np.testing.assert_array_equal(part.codes, latents.codes[:, 5:15])
    np.testing.assert_array_equal(part.timbre, latents.timbre[:, 5:15])  # type: ignore[index, arg-type]
    np.testing.assert_array_equal(part.loudness, latents.loudness[20:60])
    assert len(step_loudness(part)) == part.n_steps
    assert cut(latents, 0, 20).loudness.shape == (78,)
    without = cut(replace(latents, chroma=None, timbre=None), 0, 1)
    assert without.chroma is without.timbre is None
    # Shorter than a step, and a container that says more than there is.
    assert steps_within(latents, (0.5, 0.001)) == (5, 6)
    assert steps_within(latents, (2.5, 1.0)) == (19, 20)


def test_a_stretch_and_a_cluster_hold_together() -> None:
    latents = Latents(np.zeros((1, 20)), np.zeros(20), 8000, 800)
    late = np.arange(20) >= 12
    assert np.flatnonzero(masked(latents, (1.0, 0.5), late)).tolist() == [12, 13, 14]
    assert np.flatnonzero(masked(latents, None, late)).tolist() == list(range(12, 20))
    with pytest.raises(BadInput, match="nothing of --target-cluster within --target-start"):
        masked(latents, (0.0, 0.5), late)
