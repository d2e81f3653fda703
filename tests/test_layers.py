"""Loudness, envelope, detail and partials come apart by their definition; the path moves them in their order."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stylemix.hybrid.dials import MODES as NAMES
from stylemix.hybrid.dials import Dials
from stylemix.hybrid.layers import LEAD, Layers, colour_of, envelope_bands, split, weights_at
from stylemix.hybrid.modes import MODES, plain, resolve

K, N = 60, 40
DB = math.log(10) / 20


def layers(x: torch.Tensor) -> Layers:
    return split(x, half_bands=3, frames_per_step=4)


def tilt() -> torch.Tensor:
    """A filter that changes slowly over the bands, in logarithms, 40 dB in all."""
    return (20 * DB * torch.cos(math.pi * torch.arange(K, dtype=torch.float32) / K))[:, None]


NAMES_OF_LAYERS = ("loudness", "movement", "colour", "detail", "pitch")


def at(dials: Dials, *alphas: float) -> dict[str, list[float]]:
    found = weights_at(np.array(alphas), resolve(dials))
    return {name: np.round(getattr(found, name), 9).tolist() for name in NAMES_OF_LAYERS}


def test_a_flat_spectrum_is_loudness_alone() -> None:
    found = layers(torch.full((K, N), -3.0))
    # K equal bands: the norm is the square root of K times theirs, and each holds one of K parts of the power.
    torch.testing.assert_close(found.loudness, torch.full((N,), -3 + 0.5 * math.log(K)))
    torch.testing.assert_close(found.envelope, torch.full((K, N), -0.5 * math.log(K)))
    torch.testing.assert_close(found.detail, torch.zeros(K, N), atol=1e-6, rtol=0)


def test_a_gain_moves_only_the_loudness() -> None:
    x = torch.randn(K, N, generator=torch.Generator().manual_seed(1))
    # The second lies where powers underflow in single precision.
    for gain_db in (40, 500):
        one, other = layers(x), layers(x - gain_db * DB)
        torch.testing.assert_close(one.loudness - other.loudness, torch.full((N,), gain_db * DB), atol=1e-4, rtol=0)
        torch.testing.assert_close(one.envelope, other.envelope, atol=1e-4, rtol=0)
        torch.testing.assert_close(one.detail, other.detail, atol=1e-4, rtol=0)


def test_a_swell_moves_the_loudness_and_leaves_the_envelope() -> None:
    swell = torch.linspace(-2, 2, N)
    x = torch.randn(K, 1, generator=torch.Generator().manual_seed(1)).expand(K, N)
    one, other = layers(x), layers(x + swell)
    # The window over frames takes the mean of powers: 0.1 per frame is nearly straight within it.
    torch.testing.assert_close((other.loudness - one.loudness)[4:-4], swell[4:-4], atol=0.02, rtol=0)
    torch.testing.assert_close(one.envelope[:, 4:-4], other.envelope[:, 4:-4], atol=1e-4, rtol=0)


def test_an_equaliser_moves_the_envelope_and_leaves_the_detail() -> None:
    x = torch.randn(K, N, generator=torch.Generator().manual_seed(1))
    one, other = layers(x), layers(x + tilt())
    assert float((other.detail - one.detail).abs().max()) < 1e-4
    # What the envelope and the loudness take up together is the equaliser, but for the width of the window.
    moved = other.envelope + other.loudness - one.envelope - one.loudness
    torch.testing.assert_close(moved[5:-5], tilt().expand(K, N)[5:-5], atol=0.35, rtol=0)


def test_partials_and_what_is_quick_are_no_envelope() -> None:
    partials = torch.full((K, N), -8.0)
    partials[::4] = 0.0
    still = layers(partials)
    # Raised cosines of period 8, four apart, add up to a constant: a comb of 70 dB has an envelope without a ripple.
    assert float(still.envelope[3:-4].max() - still.envelope[3:-4].min()) < 0.01 * DB
    torch.testing.assert_close(still.detail, torch.zeros(K, N), atol=1e-5, rtol=0)
    trembling = layers(partials + 0.5 * (-1.0) ** torch.arange(N))
    assert float(trembling.detail.diff(dim=1)[:, 4:-4].abs().min()) > 0.9
    assert float(trembling.loudness[4:-4].diff().abs().max()) < 0.1


def test_silence_and_one_frame_have_layers_too() -> None:
    for x in (torch.full((K, 1), -69.0), torch.full((K, N), -69.0), torch.full((K, N), -1e4)):
        found = layers(x)
        assert all(bool(torch.isfinite(part).all()) for part in (found.loudness, found.envelope, found.detail))
    half = torch.full((K, N), 0.0)
    half[:, N // 2 :] = -300.0
    found = layers(half)
    assert all(bool(torch.isfinite(part).all()) for part in (found.loudness, found.envelope, found.detail))
    assert float(found.loudness[-1] - found.loudness[0]) < -30


@pytest.mark.parametrize(("bins", "bands"), [(12, 3), (24, 6), (36, 9), (2, 1)])
def test_the_envelope_s_window_is_a_quarter_octave_whatever_the_bank(bins: int, bands: int) -> None:
    assert envelope_bands(110 * 2 ** (np.arange(8 * bins) / bins)) == bands


@pytest.mark.parametrize("mode", ["match", "morph", "cross"])
def test_the_sound_goes_first_and_the_notes_follow(mode: str) -> None:
    found = at(Dials(mode=mode), 0, 0.25, 0.5, 0.75, 1)
    assert found["colour"] == [0, 0.5, 1, 1, 1]
    assert found["pitch"] == [0, 0, 0, 0.5, 1]
    # What moves is ahead of the colour.
    assert found["loudness"] == found["movement"] == pytest.approx([0, 1 - 0.5**LEAD, 1, 1, 1])
    assert found["detail"] == [0] * 5


def test_style_has_the_whole_path_for_the_sound() -> None:
    found = at(Dials(mode="style", rhythm="source"), 0, 0.25, 1, 1.5)
    assert found["colour"] == [0, 0.25, 1, 1.5]
    assert found["movement"] == pytest.approx([0, 1 - 0.75**LEAD, 1, 1.5])
    assert found["loudness"] == found["detail"] == found["pitch"] == [0] * 4


def test_a_layer_that_is_turned_off_stays_and_the_other_has_the_whole_path() -> None:
    notes = at(Dials(envelope=0.0), 0, 0.25, 1)
    assert (notes["pitch"], notes["colour"], notes["loudness"]) == ([0, 0.25, 1], [0] * 3, [0] * 3)
    assert notes["movement"] == [0] * 3
    sound = at(Dials(pitch=0.0), 0, 0.25, 1)
    assert (sound["pitch"], sound["colour"]) == ([0] * 3, [0, 0.25, 1])
    half = at(Dials(envelope=0.5, pitch=0.5, detail=0.5), 0, 0.5, 1)
    assert (half["colour"], half["pitch"], half["detail"]) == ([0, 0.5, 0.5], [0, 0, 0.5], [0, 0.5, 0.5])


def test_the_rhythm_is_of_one_side_from_the_start_or_goes_along() -> None:
    assert at(Dials(rhythm="source"), 0, 0.5, 1)["loudness"] == [0, 0, 0]
    # Within an eighth of the path: at alpha 0 it is the source all the same.
    assert at(Dials(rhythm="target"), 0, 1 / 16, 1 / 8, 1)["loudness"] == [0, 0.5, 1, 1]
    assert at(Dials(rhythm="both", envelope=0.5), 0, 0.5, 1)["loudness"] == [0, 0.5, 0.5]


def test_beyond_the_ends_only_the_envelopes_are_exaggerated() -> None:
    found = at(Dials(detail=0.5), -0.5, 1.3)
    wanted = {"colour": [-1, 1.3], "movement": [-1, 1.3], "pitch": [0, 1], "loudness": [0, 1], "detail": [0, 0.5]}
    assert found == wanted


@settings(max_examples=50, deadline=None)
@given(
    mode=st.sampled_from(NAMES),
    rhythm=st.sampled_from(["both", "source", "target", None]),
    shares=st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=3, max_size=3),
)
def test_no_layer_ever_turns_back_or_jumps(mode: str, rhythm: str | None, shares: list[float | None]) -> None:
    envelope, pitch, detail = shares
    dials = Dials(mode=mode, rhythm=rhythm, envelope=envelope, pitch=pitch, detail=detail)
    found = weights_at(np.linspace(0, 1, 401), resolve(dials))
    for name in NAMES_OF_LAYERS:
        steps = np.diff(getattr(found, name))
        # The steepest is what moves, eight times as fast as alpha.
        assert steps.min() >= 0
        assert steps.max() <= 8 / 400 + 1e-9
        assert getattr(found, name)[0] == 0


def test_every_mode_is_described_and_resolved() -> None:
    assert tuple(MODES) == NAMES
    for name, mode in MODES.items():
        dials = resolve(Dials(mode=name))
        usual = (mode.envelope, mode.pitch, mode.detail, mode.rhythm)
        assert (dials.envelope, dials.pitch, dials.detail, dials.rhythm) == usual
        assert mode.target in ("searched", "warped", "mosaic", "none")
        assert len(mode.why) > 20
        assert resolve(dials) == dials
        assert plain(Dials(mode=name))
        assert plain(dials)
        assert not plain(Dials(mode=name, rhythm="target"))
        assert not plain(Dials(mode=name, detail=0.5))
    assert resolve(Dials(pitch=0.25)).pitch == 0.25
    # How moments are found, and whose phases they have, does not move the layers.
    assert plain(Dials(align="nearest", phase="source", continuity=3))


def test_the_colour_is_what_stays_for_half_a_second(rng: np.random.Generator) -> None:
    frames = torch.arange(600.0)
    slow, quick = (0.5 * torch.sin(2 * torch.pi * frames / period) for period in (3000.0, 12.0))
    steady = torch.from_numpy(rng.standard_normal((K, 1))).float()
    found = colour_of(steady + slow + quick)
    inner = slice(100, 500)
    torch.testing.assert_close(found[:, inner], (steady + slow)[:, inner], atol=0.01, rtol=0)
