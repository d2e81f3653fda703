"""Logarithms without the level, on made-up coefficients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stylemix.renormalise import FLOOR, Renormaliser
from stylemix.transforms import Coefficients

# Order 0, two bands, and what moves in the second, the second and the first.
META = {"order": np.array([0, 1, 1, 2, 2, 2]), "n": np.array([[np.nan, np.nan], [0, np.nan], [1, np.nan], [1, 3],
                                                               [1, 4], [0, 4]])}  # fmt: skip
SCATTERED = torch.tensor([9.0, 3.0, 1.0, 0.5, 0.25, 0.75])[None, :, None].repeat(1, 1, 4)


def logarithms(values: torch.Tensor) -> torch.Tensor:
    return Renormaliser.of(META).logarithms(Coefficients((values,), (64,), 256))


def test_each_order_is_relative_to_the_one_it_came_from() -> None:
    found = logarithms(SCATTERED)[:, 0].exp()
    # The mean over the bands is 2.
    expected = torch.tensor([1.5, 0.5, 0.5, 0.25, 0.25])
    torch.testing.assert_close(found, expected, rtol=2 * FLOOR, atol=FLOOR)


@pytest.mark.parametrize("gain", [1e-4, 1e3])
def test_a_gain_changes_nothing_and_a_gain_on_a_band_only_its_level(gain: float) -> None:
    torch.testing.assert_close(logarithms(gain * SCATTERED), logarithms(SCATTERED))
    band = torch.tensor([1.0, 1.0, 3.0, 3.0, 3.0, 1.0])[:, None]
    torch.testing.assert_close(logarithms(band * SCATTERED)[2:], logarithms(SCATTERED)[2:], rtol=0, atol=5e-3)


def test_what_is_not_heard_moves_as_usual() -> None:
    rows = Renormaliser.of(META)
    silent = torch.tensor([1.0, 1.0, 1e-9, 1e-9, 0.0, 0.5])[None, :, None]
    found = rows.logarithms(Coefficients((silent,), (64,), 64))[:, 0]
    torch.testing.assert_close(found[2:4], torch.full((2,), float(np.log(rows.usual))), rtol=1e-3, atol=0)


def test_channels_are_averaged_in_power() -> None:
    both = torch.cat([SCATTERED, 7 * SCATTERED])
    torch.testing.assert_close(logarithms(both), logarithms(SCATTERED))


def test_the_level_is_that_of_the_moment() -> None:
    swelling = SCATTERED * torch.tensor([1.0, 2.0, 3.0, 4.0])
    torch.testing.assert_close(logarithms(swelling), logarithms(SCATTERED))
