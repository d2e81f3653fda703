"""The spacing of alpha: a monotone map, stored in the run, found by mode and corpora, damaged in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stylemix.errors import BadInput
from stylemix.hybrid.alpha_map import AlphaMap, find_map, map_warnings, save_maps
from stylemix.hybrid.asked import Asked
from stylemix.hybrid.curve import parse_alpha
from stylemix.hybrid.dials import Dials
from stylemix.hybrid.order import Order
from stylemix.measure.calibrate import POSITIONS, STEPS, spaced
from stylemix.model.artefact import ALPHA

NAMES = ("low", "high", "odd")
IDENTITY = AlphaMap((0.0, 1.0), (0.0, 1.0))
LATE = AlphaMap((0.0, 0.5, 1.0), (0.0, 0.8, 1.0))
EARLY = AlphaMap((0.0, 0.25, 1.0), (0.0, 0.1, 1.0))


def test_the_identity_changes_nothing_and_no_map_reaches_beyond_the_ends() -> None:
    alpha = np.linspace(-1, 2, 61)
    np.testing.assert_allclose(IDENTITY(alpha), alpha)
    beyond = np.array([-1, -0.01, 0, 1, 1.01, 2])
    np.testing.assert_array_equal(LATE(beyond), beyond)
    assert LATE(np.array(0.25)) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("alphas", "positions"),
    [
        ((0.0, 1.0), (0.0, 0.5, 1.0)),
        ((0.0,), (0.0,)),
        ((0.0, 0.5, 0.5, 1.0), (0.0, 0.2, 0.3, 1.0)),
        ((0.0, 0.5, 1.0), (0.0, 1.1, 1.0)),
        ((0.0, 0.5, 1.0), (0.1, 0.5, 1.0)),
        ((0.0, 0.5, 0.9), (0.0, 0.5, 1.0)),
        ((0.0, float("nan"), 1.0), (0.0, 0.5, 1.0)),
        ((0.0, 0.5, 1.0), (0.0, float("nan"), 1.0)),
        (tuple(np.linspace(0, 1, 1002)), tuple(np.linspace(0, 1, 1002))),
    ],
)
def test_what_does_not_rise_from_0_to_1_is_no_map(alphas: tuple[float, ...], positions: tuple[float, ...]) -> None:
    with pytest.raises(BadInput, match="alpha map: must rise from 0 to 1"):
        AlphaMap(alphas, positions)


def test_maps_are_found_by_mode_and_corpora(tmp_path: Path) -> None:
    assert find_map(tmp_path, "match", NAMES, 0, [1], [1.0]) is None
    save_maps(
        tmp_path, {("match", "low", "high"): (LATE, {"measured": [[0, 0.1]]}), ("style", "high", "low"): (EARLY, {})}
    )
    assert find_map(tmp_path, "match", NAMES, 0, [1], [1.0]) == LATE
    assert find_map(tmp_path, "style", NAMES, 1, [0], [1.0]) == EARLY
    for mode, own, other in (("match", 1, 0), ("style", 0, 1), ("fade", 0, 1), ("match", 0, 2), ("match", 0, 0)):
        assert find_map(tmp_path, mode, NAMES, own, [other], [1.0]) is None
    assert json.loads((tmp_path / ALPHA).read_text())["maps"][0]["measured"] == [[0, 0.1]]


def test_a_map_knows_how_far_its_path_goes_and_a_file_of_old_says_nothing(tmp_path: Path) -> None:
    found = spaced(POSITIONS, [0.05 + 0.3 * p for p in POSITIONS])
    assert found.reach == pytest.approx(0.35)
    assert spaced(POSITIONS, [0.1] * 9).reach == pytest.approx(0.1)
    save_maps(tmp_path, {("style", "low", "high"): (found, {}), ("style", "low", "odd"): (IDENTITY, {})})
    again = find_map(tmp_path, "style", NAMES, 0, [1], [1.0])
    assert again == found
    both = find_map(tmp_path, "style", NAMES, 0, [1, 2], [0.5, 0.5])
    assert both is not None
    assert both.reach == pytest.approx((0.35 + 1) / 2)
    (tmp_path / ALPHA).write_text(row(mode='"match"', source='"low"', target='"high"'))
    old = find_map(tmp_path, "match", NAMES, 0, [1], [1.0])
    assert old == IDENTITY
    with pytest.raises(BadInput, match=r"reach must be 0 to 1, got 1\.5"):
        AlphaMap((0.0, 1.0), (0.0, 1.0), 1.5)


def test_what_a_map_cannot_do_is_said_in_a_line(tmp_path: Path) -> None:
    ends = AlphaMap((0.0, 1.0), (0.0, 1.0), 0.5), AlphaMap((0.0, 1.0), (0.0, 1.0), 0.49)
    told = [map_warnings(tmp_path, one, "style", NAMES, 0, [1]) for one in ends]
    line = "style cannot get to half-way of low to high here: alpha 0.5 is half of what it can do"
    assert told == [(), (line,)]
    # A run that was never calibrated takes alpha as it is, in every mode and between all.
    assert map_warnings(tmp_path, None, "match", NAMES, 0, [2]) == ()
    save_maps(tmp_path, {("match", "low", "high"): (LATE, {})})
    raw = "match was not calibrated from low to odd: alpha is the raw position on its path"
    assert map_warnings(tmp_path, None, "match", NAMES, 0, [2]) == (raw,)
    assert map_warnings(tmp_path, None, "fade", NAMES, 0, [2]) == ()
    assert map_warnings(tmp_path, None, "match", NAMES, 0, [0]) == ()


@pytest.mark.parametrize(("target", "calibrated", "said"), [(1, True, "cannot get to half-way"), (2, False, "raw")])
def test_an_order_says_what_its_map_cannot_do(tmp_path: Path, target: int, calibrated: bool, said: str) -> None:
    save_maps(tmp_path, {("style", "low", "high"): (AlphaMap((0.0, 1.0), (0.0, 1.0), 0.3), {})})
    run: Any = SimpleNamespace(path=tmp_path, corpora=NAMES)
    roles: Any = SimpleNamespace(own=0, others=(target,), shares=(1.0,))
    order = Order(run, Asked(dials=Dials(mode="style")), parse_alpha(0.5), roles, 0.0, None)
    _, found, warnings = order.positions(2.0)
    assert found == calibrated
    assert [said in line for line in warnings] == [True]
    raw = replace(order, asked=replace(order.asked, raw_alpha=True))
    assert raw.positions(2.0)[1:] == (False, ())


def test_between_several_targets_the_maps_are_averaged_by_their_shares(tmp_path: Path) -> None:
    save_maps(tmp_path, {("match", "low", "high"): (LATE, {}), ("match", "low", "odd"): (EARLY, {})})
    found = find_map(tmp_path, "match", NAMES, 0, [1, 2], [0.25, 0.75])
    assert found is not None
    alpha = np.linspace(0, 1, 41)
    np.testing.assert_allclose(found(alpha), 0.25 * LATE(alpha) + 0.75 * EARLY(alpha), atol=1e-12)
    save_maps(tmp_path, {("match", "low", "high"): (LATE, {})})
    assert find_map(tmp_path, "match", NAMES, 0, [1, 2], [0.25, 0.75]) is None


HUGE = "1" + 400 * "0"


def row(**parts: str) -> str:
    """A file of one map, some parts of it as given."""
    usual = {"mode": '"m"', "source": '"a"', "target": '"b"', "alphas": "[0, 1]", "positions": "[0, 1]"}
    return '{"maps": [{' + ", ".join(f'"{key}": {value}' for key, value in (usual | parts).items()) + "}]}"


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", '{"maps": 3}', '{"maps": ["x"]}', '{"maps": [{"mode": "match"}]}', "[" * 100_000, row(mode="[]"),
        row(positions="[0, 2]"), row(alphas="[0, null]"), row(alphas=f"[0, {HUGE}]"), row(alphas="[0, NaN]"),
        row(reach="2"), row(reach="null"), row(reach="NaN"), '{"maps": [[]]}',
    ],
    ids=range(16),
)  # fmt: skip
def test_a_damaged_file_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / ALPHA).write_text(text)
    with pytest.raises(BadInput, match="alpha") as error:
        find_map(tmp_path, "match", NAMES, 0, [1], [1.0])
    assert "\n" not in str(error.value)
    assert "is damaged" in str(error.value)
    assert "delete that file and run train --resume to measure it again, or give --raw-alpha" in str(error.value)
    assert len(str(error.value)) < 400


def test_bytes_that_are_no_text_and_a_folder_are_one_line_too(tmp_path: Path) -> None:
    (tmp_path / ALPHA).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="damaged"):
        find_map(tmp_path, "match", NAMES, 0, [1], [1.0])
    (tmp_path / ALPHA).unlink()
    (tmp_path / ALPHA).mkdir()
    with pytest.raises(BadInput, match="damaged"):
        find_map(tmp_path, "match", NAMES, 0, [1], [1.0])


def test_a_curve_is_mapped_between_its_breakpoints_too() -> None:
    curve = parse_alpha("0:0,10:1,12:1.5", extrapolate=True).mapped(LATE)
    at = np.linspace(0, 10, 101)
    np.testing.assert_allclose(curve.at(at), LATE(at / 10), atol=0.01)
    assert curve.at(np.array([12.0])) == 1.5


def test_an_even_posterior_is_spaced_as_it_is() -> None:
    # Half of it 0.5 at the middle: alpha is the position, whatever the ends are.
    for low, high in ((0.0, 1.0), (0.2, 0.8)):
        found = spaced(POSITIONS, [low + (high - low) * p for p in POSITIONS])
        np.testing.assert_allclose(found.positions, found.alphas, atol=1e-9)


def test_the_spacing_undoes_what_was_measured() -> None:
    at = np.linspace(0, 1, 201)
    curve = 0.05 + 0.9 * at**2
    positions = spaced(at.tolist(), curve.tolist())(np.linspace(0, 1, 9))
    heard = np.interp(positions, at, curve)
    # What is asked for is what is heard between 1/4 and 3/4, in even steps to the ends from there; a tenth of a
    # straight line is mixed in.
    np.testing.assert_allclose(heard, [0.05, 0.15, 0.25, 0.375, 0.5, 0.625, 0.75, 0.85, 0.95], atol=0.03)
    assert heard[4] == pytest.approx(0.5, abs=0.03)


def test_half_is_where_the_posterior_is_half_also_between_uneven_ends() -> None:
    at = np.linspace(0, 1, 201)
    curve = 0.3 + 0.7 * at
    middle = float(spaced(at.tolist(), curve.tolist())(np.array(0.5)))
    assert 0.3 + 0.7 * middle == pytest.approx(0.5, abs=1e-6)
    # Where it never gets to a half, it is half of what there is.
    low = spaced(at.tolist(), (0.05 + 0.3 * at).tolist())
    assert float(low(np.array(0.5))) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize("posteriors", [[0.5] * 9, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1], [0.4] * 8 + [0.55]])
def test_where_nothing_rises_alpha_is_the_position(posteriors: list[float]) -> None:
    found = spaced(POSITIONS, posteriors)
    assert (found.alphas, found.positions) == (IDENTITY.alphas, IDENTITY.positions)


def test_a_posterior_that_saturates_or_stands_still_does_not_make_alpha_jump() -> None:
    for posteriors in ([0.02, 0.4, 0.97, 1, 1, 1, 1, 1, 1], [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.95]):
        found = np.array(spaced(POSITIONS, posteriors).positions)
        # A tenth of a straight line, in either half at most twice as fast.
        assert np.diff(found).max() < 20 / STEPS
        assert np.diff(found).min() > 0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=9, max_size=9))
def test_any_measurement_makes_a_map(posteriors: list[float]) -> None:
    found = spaced(POSITIONS, posteriors)
    assert (found.positions[0], found.positions[-1]) == (0, 1)
    assert np.diff(found.positions).min() >= 0
