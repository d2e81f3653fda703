"""Time scattering gives the numbers of kymatio, row for row, from golden files that say how they were made."""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch

from stylemix.transforms import TimeScattering
from tests.golden.make_scattering import CASES, RATE, RECORDING, Case, meta_name, music, noise, recording

GOLDEN = np.load(Path(__file__).parent / "golden" / "scattering.npz")
ABOUT = json.loads(str(GOLDEN["about"]))
BY_NAME = {case.name: case for case in CASES}
MADE = [case.name for case in CASES if case.sound != "recording" and case.name != "own 512"]
SOUNDS = {"noise": noise, "music": music}

# Relative errors. Critically sampled moduli alias, most of all into the rows that hold the least: those that are off by
# more than half a percent of themselves hold 0.2 % of the energy of their order. Without subsampling kymatio itself
# differs by up to 0.5 % in such a row (see make_scattering.py).
ALL_ROWS, WORST_ROW = 1e-3, 3e-2


def transform(case: Case) -> TimeScattering:
    return TimeScattering(RATE, J=case.J, Q=case.Q, T=case.T)  # type: ignore[arg-type]


def names(meta: dict[str, np.ndarray]) -> list[tuple[int, ...]]:
    """The path of every row: () for order 0, (n1,), (n1, n2)."""
    return [tuple(int(n) for n in row if not np.isnan(n)) for row in meta["n"]]


def wanted(case: Case) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """kymatio's coefficients (P, N) and its names of the rows; without averaging no order 0, the sound itself."""
    keys = ("order", "n", "j", "xi", "sigma")
    meta = {key: GOLDEN[f"{meta_name(case)}/{key}"].astype(float) for key in keys}
    values = GOLDEN[f"{case.name}/S"].astype(float)
    kept = slice(None) if case.T != 0 else meta["order"] > 0
    return values[kept], {key: value[kept] for key, value in meta.items()}


def found(case: Case, x: np.ndarray, dtype: torch.dtype = torch.float64) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Our coefficients at the frames of the golden file, and our names; rows without averaging in kymatio's order."""
    scattering = transform(case)
    coefficients = scattering.forward(torch.as_tensor(x, dtype=dtype))
    meta = scattering.meta()
    frames = GOLDEN[f"{case.name}/frames"]
    rows = []
    for group, hop in zip(coefficients.groups, coefficients.hops, strict=True):
        where = frames * case.hop // hop if case.T != "global" else frames
        rows.append(group[:, where].double().numpy())
    values = np.concatenate(rows)
    if case.T == 0:
        order = sorted(range(len(values)), key=lambda row: (meta["order"][row], names(meta)[row]))
        values, meta = values[order], {key: value[order] for key, value in meta.items()}
    return values, meta


def errors(values: np.ndarray, reference: np.ndarray, order: np.ndarray) -> dict[int, tuple[float, float]]:
    """For each order the relative error of all rows together, and of the worst."""
    out = {}
    for k in np.unique(order).astype(int):
        off, norm = (np.linalg.norm(a[order == k], axis=1) for a in (values - reference, reference))
        out[k] = (float(np.linalg.norm(off) / np.linalg.norm(norm)), float((off / norm).max()))
    return out


def check(case: Case, x: np.ndarray, dtype: torch.dtype = torch.float64, frames: slice = slice(None)) -> None:
    """Both errors, and that the rows are the same."""
    reference, meta = wanted(case)
    values, ours = found(case, x, dtype)
    assert values.shape == reference.shape
    for key in ("order", "n", "j"):
        np.testing.assert_array_equal(ours[key], meta[key], err_msg=key)
    for key in ("xi", "sigma"):
        np.testing.assert_allclose(ours[key], meta[key], rtol=1e-12, atol=1e-15, err_msg=key)
    for order, (error, worst) in errors(values[:, frames], reference[:, frames], meta["order"]).items():
        print(f"{case.name}, order {order}: {error:.1e}, worst row {worst:.1e}")
        assert error < ALL_ROWS, (order, error)
        assert worst < WORST_ROW, (order, worst)


def test_the_golden_file_is_of_these_cases() -> None:
    assert [asdict(case) for case in CASES] == [{**case, "Q": tuple(case["Q"])} for case in ABOUT["cases"]]


@pytest.mark.parametrize("name", MADE)
def test_coefficients_are_those_of_kymatio(name: str) -> None:
    case = BY_NAME[name]
    check(case, SOUNDS[case.sound](case.n_samples))


@pytest.mark.parametrize("name", ["8192, J=8, Q=(8,2)", "music, J=11, Q=8"])
def test_single_precision_is_enough(name: str) -> None:
    case = BY_NAME[name]
    check(case, SOUNDS[case.sound](case.n_samples), torch.float32)


def test_on_its_own_test_signal_kymatio_is_met_where_its_filters_do_not_wrap_round() -> None:
    # 256 samples of reflection on both sides, then the other end: the two middle frames are 4.5 standard deviations
    # of the averaging window from there. All frames are compared with more reflection in "own 512 reflected".
    case = BY_NAME["own 512"]
    check(case, noise(case.n_samples), frames=slice(3, 5))


@pytest.mark.parametrize("name", [case.name for case in CASES if case.sound == "recording"])
def test_coefficients_of_a_recording_are_those_of_kymatio(name: str, real_music: Path) -> None:
    case, file = BY_NAME[name], real_music / RECORDING
    if not file.is_file() or sha256(file.read_bytes()).hexdigest() != ABOUT["recording_sha256"]:
        pytest.skip(f"the recording of the golden file is not here: {RECORDING}")
    check(case, recording(real_music, case.n_samples))


def test_frequencies_in_hz_are_those_of_the_wavelets() -> None:
    case = BY_NAME["4096, J=6, Q=8"]
    ours, (_, meta) = transform(case).meta(), wanted(case)
    np.testing.assert_allclose(ours["frequency_hz"], meta["xi"] * RATE, rtol=1e-12)
    np.testing.assert_array_equal(ours["hop"], case.hop)


def test_the_first_order_alone_is_the_first_order_of_both() -> None:
    case = BY_NAME["8192, J=8, Q=(8,2)"]
    x = torch.as_tensor(noise(case.n_samples))
    alone = TimeScattering(RATE, J=case.J, Q=case.Q, max_order=1).forward(x).array.numpy()
    reference, meta = wanted(case)
    some = alone[:, GOLDEN[f"{case.name}/frames"]]
    for error, _ in errors(some, reference[meta["order"] < 2], meta["order"][meta["order"] < 2]).values():
        assert error < ALL_ROWS
