"""Alpha as people write it: what is understood, and what each mistake is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stylemix.errors import BadInput
from stylemix.hybrid.curve import Curve, parse_alpha


def at(value: str | float, *times_s: float) -> list[float]:
    return parse_alpha(value).at(np.array(times_s)).tolist()


@pytest.mark.parametrize("value", [0.3, "0.3", " .3 ", "3e-1"])
def test_a_number_holds_for_ever(value: str | float) -> None:
    assert at(value, -5, 0, 1e6) == [0.3, 0.3, 0.3]


def test_breakpoints_are_joined_by_straight_lines_and_held_at_the_ends() -> None:
    assert at("1:0.2,3:1", 0, 1, 2, 3, 9) == pytest.approx([0.2, 0.2, 0.6, 1, 1])


def test_a_curve_is_passed_through() -> None:
    curve = Curve(np.array([0.0]), np.array([0.5]))
    assert parse_alpha(curve) is curve


@pytest.mark.parametrize(
    "text",
    [
        "0,0\n10,1\n",
        "seconds,alpha\n0,0\n10,1\n",
        "0;0\n10;1",
        "t;a\r\n0,0;0,0\r\n10,0;1,0\r\n",
        "\n0\t0\n\n10\t1\n",
    ],
)
def test_a_csv_file_may_have_headings_and_either_separator(tmp_path: Path, text: str) -> None:
    path = tmp_path / "curve.csv"
    path.write_text(text, encoding="utf-8")
    assert at(str(path), 5) == [0.5]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("1.5", "between 0 .* and 1 .*1.5"),
        (-0.1, "between 0 .* and 1 .*-0.1"),
        ("nan", "between 0 .* and 1"),
        ("", "nothing"),
        ("half", "half"),
        ("0:0,10", "'10'"),
        ("0:0,5:0.5,5:1", "must increase, got 5 s after 5 s"),
        ("5:0,0:1", "must increase, got 0 s after 5 s"),
        ("0:0,inf:1", "finite seconds, got inf"),
        ("nan:0", "finite seconds, got nan"),
        ("0:0,10:2", "between 0 .* and 1 .*got 2"),
        ("0:0,,10:1", "nothing"),
        ("gone.csv", "no file gone.csv"),
        (None, "got None"),
    ],
)
def test_each_mistake_is_one_line(value: str, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        parse_alpha(value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no breakpoint"),
        ("seconds,alpha\n", "no breakpoint"),
        ("0,0\nlater,1\n", "line 2"),
        ("0,0\n1,0,1\n", "line 2"),
        ("0,0\n0,1\n", "must increase"),
        ("0,7\n", "between 0"),
    ],
)
def test_a_broken_csv_file_is_told_by_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "curve.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        parse_alpha(str(path))


def test_a_binary_file_is_no_curve(tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(BadInput, match="cannot be read as text"):
        parse_alpha(str(path))


def test_a_curve_needs_as_many_times_as_values() -> None:
    with pytest.raises(BadInput, match="2 and 1"):
        Curve(np.array([0.0, 1.0]), np.array([0.0]))
