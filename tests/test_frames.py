"""Shape and loudness: closed forms, and that putting them together undoes taking them apart."""

from __future__ import annotations

import math

import pytest
import torch

from stylemix.model.frames import audible, set_loudness_apart, with_loudness


@pytest.fixture
def spectra() -> torch.Tensor:
    return torch.randn(2, 20, 50, generator=torch.Generator().manual_seed(0)) * 1.5 - 4


def test_loudness_is_the_mean_power(spectra: torch.Tensor) -> None:
    loudness = set_loudness_apart(spectra, floor_db=-60)[1]
    torch.testing.assert_close((2 * loudness).exp(), (2 * spectra).exp().mean(dim=1))


def test_a_gain_changes_the_loudness_alone(spectra: torch.Tensor) -> None:
    shape, loudness = set_loudness_apart(spectra, floor_db=-60)
    louder, more = set_loudness_apart(spectra + math.log(3), floor_db=-60)
    torch.testing.assert_close(louder, shape, atol=1e-5, rtol=0)
    torch.testing.assert_close(more, loudness + math.log(3), atol=1e-5, rtol=0)


def test_the_floor_is_reached_softly() -> None:
    # A band far below the rest: its shape is the floor; one at the floor is 3 dB above it (twice the power).
    floor = math.log(10) * -60 / 20
    y = torch.zeros(1000, 1)
    y[0], y[1] = -50.0, floor
    shape, loudness = set_loudness_apart(y, floor_db=-60)
    below, at = (shape[:2, 0] + 0 * loudness).tolist()
    assert below == pytest.approx(floor, abs=1e-4)
    assert at == pytest.approx(floor + 0.5 * math.log(2), abs=2e-3)
    assert shape[2:].abs().max() < 2e-3


def test_together_again_they_are_the_spectrum_above_the_floor(spectra: torch.Tensor) -> None:
    again = with_loudness(*set_loudness_apart(spectra, floor_db=-200))
    torch.testing.assert_close(again, spectra, atol=1e-4, rtol=0)


def test_what_the_decoder_says_of_loudness_does_not_count(spectra: torch.Tensor) -> None:
    shape, loudness = set_loudness_apart(spectra, floor_db=-60)
    torch.testing.assert_close(with_loudness(shape + 2.5, loudness), with_loudness(shape, loudness), atol=1e-5, rtol=0)
    out = with_loudness(shape, loudness)
    torch.testing.assert_close((2 * out).exp().mean(dim=1), (2 * loudness).exp())


def test_silence_has_a_finite_shape_and_no_weight() -> None:
    shape, loudness = set_loudness_apart(torch.full((30, 4), -23.0), floor_db=-60)
    assert torch.isfinite(shape).all()
    assert loudness.tolist() == pytest.approx([math.log(1e-5)] * 4)
    assert audible(loudness, torch.tensor(-3.0)).tolist() == [0.0] * 4


@pytest.mark.parametrize(("below_db", "weight"), [(-20, 1.0), (50, 1.0), (52.5, 0.75), (55, 0.5), (60, 0.0), (99, 0.0)])
def test_weight_falls_from_50_to_60_db_below_the_level(below_db: float, weight: float) -> None:
    level = torch.tensor(-1.0)
    assert audible(level - below_db * math.log(10) / 20, level).item() == pytest.approx(weight, abs=1e-5)
