"""The encoder's context: blocks against the whole, level, channels, time, transposition, the cache."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stylemix import context as module
from stylemix.audio import read_wave
from stylemix.cache import ArrayCache
from stylemix.context import Context, context_size, file_context, make_context
from stylemix.errors import BadInput
from stylemix.recipe import Recipe, load_recipe
from tests.sounds import melody, noise, tone, write

RATE = 8000
STEP = 1024
# Frames that lie between those of the steps: not a power of two.
ODD_STEP = 1200


KINDS = ("vqt+scattering", "vqt+joint")


@pytest.fixture(scope="module", params=KINDS)
def either(request: pytest.FixtureRequest) -> Context:
    return Context(request.param, RATE, STEP)


@pytest.fixture(scope="module")
def context() -> Context:
    return Context("vqt+scattering", RATE, STEP)


def rows(context: Context, order: int) -> slice:
    """The rows of one order."""
    first = int((context.transform.meta()["order"] == 1).sum())
    return slice(0, first) if order == 1 else slice(first, None)


@pytest.mark.parametrize(("kind", "step"), [(KINDS[0], STEP), (KINDS[0], ODD_STEP), (KINDS[1], STEP)])
def test_blocks_agree_with_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, step: int
) -> None:
    monkeypatch.setattr(module, "_BLOCK_S", 2.0)
    path = write(tmp_path / "a.wav", melody(7.3003, rate=RATE), rate=RATE)
    context = Context(kind, RATE, step)
    blocks = list(context.blocks(path))
    at_once = context.of_wave(read_wave(path).samples)
    assert len(blocks) == 4
    assert at_once.shape == (context.n_rows, -(-round(7.3003 * RATE) // step))
    # The margin ends where the wavelets have decayed to -80 dB; the floor, at -60 dB, shows a tenth of that.
    np.testing.assert_allclose(np.concatenate(blocks, axis=1), at_once, atol=0.02)


@pytest.mark.parametrize("step", [STEP, ODD_STEP])
def test_a_part_that_knows_its_place_is_a_part_of_the_whole(step: int) -> None:
    context, samples = Context("vqt+scattering", RATE, step), noise(6.0, rate=RATE)
    edge = -(-context.margin // step)
    first = 7 * step
    part = context.of_wave(samples[first:], start=first)
    np.testing.assert_allclose(part[:, edge:], context.of_wave(samples)[:, 7 + edge :], atol=0.01)


@pytest.mark.parametrize("gain", [1e-3, 20.0])
def test_level_does_not_matter(either: Context, gain: float) -> None:
    samples = melody(2.0, rate=RATE, plucked=True)
    np.testing.assert_allclose(either.of_wave(samples), either.of_wave(gain * samples), atol=2e-3)


def test_silence_is_flat_and_moves_as_usual(context: Context) -> None:
    found = context.of_wave(np.zeros((2, 3000)))
    # -60 dB, and a tenth.
    np.testing.assert_allclose(found[rows(context, 1)], np.log(1e-3), rtol=1e-5)
    np.testing.assert_allclose(found[rows(context, 2)], np.log(0.1), rtol=1e-5)


def test_channels_add_up_in_power(either: Context) -> None:
    samples = melody(2.0, rate=RATE)
    # A mean of the samples would be silent.
    np.testing.assert_allclose(either.of_wave(np.stack([samples, -samples])), either.of_wave(samples), atol=1e-4)


@pytest.mark.parametrize("step", [STEP, ODD_STEP])
def test_a_column_is_about_the_middle_of_its_step(step: int) -> None:
    context = Context("vqt+scattering", RATE, step)
    time_s = (np.arange(40 * step) - (20 * step + step // 2)) / RATE
    # A pitch that falls until the middle of step 20 and rises after it: the same in both directions.
    found = context.of_wave(np.cos(2 * np.pi * (400 * time_s + 400 * time_s * np.abs(time_s))))
    forwards, backwards = found[:, 20:26], found[:, 20:14:-1]
    beside = found[:, 19:13:-1]
    assert np.abs(forwards - backwards).mean() < 0.1 * np.abs(forwards - beside).mean()


@pytest.mark.parametrize("rate_hz", [16.0, 32.0, 64.0])
def test_a_beat_that_is_faster_than_the_steps_shows_in_its_row(context: Context, rate_hz: float) -> None:
    time_s = np.arange(4 * RATE) / RATE
    samples = tone(4.0, rate=RATE, hz=1000.0) * (1 + np.cos(2 * np.pi * rate_hz * time_s))
    found = context.of_wave(samples)[:, 16]
    meta, second = context.transform.meta(), rows(context, 2)
    # Row 0 of the transform is order 0, which has no place here.
    hz = meta["frequency_hz"][1:][second]
    near = np.abs(np.log2(hz[:, 0] / 1000)) < 1 / 16
    loudest = hz[near, 1][found[second][near].argmax()]
    assert abs(np.log2(loudest / rate_hz)) < 0.6


@pytest.mark.parametrize("semitones", [-2, -1, 1, 2])
def test_a_transposed_context_is_that_of_a_transposed_sound(either: Context, semitones: int) -> None:
    def chord(ratio: float) -> np.ndarray:
        time_s = np.arange(4 * RATE) / RATE
        swell = 1 + 0.8 * np.sin(2 * np.pi * 20 * time_s)
        return swell * sum(tone(4.0, rate=RATE, hz=hz * ratio) for hz in (500, 750, 1100, 1700))

    plain, moved = either.of_wave(chord(1.0)), either.of_wave(chord(2 ** (semitones / 12)))
    found = either.transposed(plain, semitones)
    middle = slice(8, -8)

    def apart(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.abs(x - y)[:, middle].mean())

    assert found.dtype == np.float32
    if either.kind == "vqt+scattering":
        # Bands lie 1.5 semitones apart; between them it is interpolated.
        assert apart(found, moved) < 0.35 * apart(plain, moved)
        # The pitch matters, not only how far it moves.
        assert apart(either.transposed(plain, -semitones), moved) > apart(plain, moved)
    else:
        # Averaged over an octave of bands it hardly notices, and no more with interpolation than without.
        assert apart(found, moved) < apart(plain, moved) < 0.1


def test_no_transposition_changes_nothing(either: Context) -> None:
    found = either.of_wave(melody(1.0, rate=RATE))
    np.testing.assert_allclose(either.transposed(found, 0), found, rtol=1e-6)


def test_joint_scattering_hears_what_rises_and_what_falls() -> None:
    context = Context("vqt+joint", RATE, STEP)
    time_s = np.arange(4 * RATE) / RATE
    # An octave and a half a second, to and fro every second.
    rising = np.cos(2 * np.pi * np.cumsum(400 * 2 ** (1.5 * (time_s % 1))) / RATE)
    up, down = (context.of_wave(x).mean(axis=1) for x in (rising, rising[::-1].copy()))
    meta = context.transform.meta()
    spin = np.concatenate([np.zeros(sum((meta["order"] == 1) & (meta["n_fr"] == 0))), meta["spin"][
        (meta["order"] > 0) & ~((meta["order"] == 1) & (meta["n_fr"] == 0))]])  # fmt: skip
    change = (up - down)[spin == 1].mean(), (up - down)[spin == -1].mean(), np.abs(up - down)[spin == 0].mean()
    assert change[0] > 0.1
    assert change[1] < -0.1
    assert change[2] < 0.05


def test_a_context_is_computed_once(tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, seconds = ArrayCache(tmp_path / "cache"), []
    path = write(tmp_path / "a.wav", melody(3.0, rate=RATE), rate=RATE)
    first = file_context(path, context, cache=cache, on_seconds=seconds.append)
    assert first.dtype == np.float16
    np.testing.assert_allclose(first.T, context.of_wave(read_wave(path).samples), atol=5e-3)
    calls: list[int] = []
    monkeypatch.setattr(Context, "_steps", lambda *a: calls.append(1))
    assert np.array_equal(file_context(path, context, cache=cache, on_seconds=seconds.append), first)
    assert not calls
    # Up to the end of the last step.
    assert seconds == pytest.approx([24 * STEP / RATE] * 2)


def test_the_cache_knows_the_settings() -> None:
    made = [Context(*args) for args in (("vqt+scattering", RATE, 1024), ("vqt+scattering", RATE, 1025),
                                        ("vqt+scattering", 16000, 1024), ("vqt+joint", RATE, 1024))]  # fmt: skip
    assert len({repr(c.settings()) for c in made}) == 4


def test_a_recipe_says_whether_there_is_one() -> None:
    assert make_context(Recipe()) is None
    assert context_size(Recipe()) is None
    recipe = load_recipe("base", {"features.kind": "vqt+scattering", "features.context_dim": 7})
    made = make_context(recipe)
    assert made is not None
    assert made.step_length == 8 * 256
    assert context_size(recipe) == (made.n_rows, 7)


@pytest.mark.parametrize(("frames", "hop"), [(1, 15), (64, 8192)])
def test_a_step_that_cannot_be_averaged_over_is_refused(frames: int, hop: int) -> None:
    with pytest.raises(BadInput, match=r"16 to 262143 samples, got \d+; change model.frames_per_step"):
        Context("vqt+scattering", RATE, frames * hop)
