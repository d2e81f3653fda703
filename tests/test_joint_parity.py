"""Joint scattering gives the numbers of kymatio, row for row, from a golden file that says how it was made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylemix.transforms.joint import JointScattering
from tests.golden.make_joint import CASES, N_SAMPLES, sound

GOLDEN = np.load(Path(__file__).parent / "golden" / "joint.npz")
WAYS = [(case, which) for case, (_, sounds) in CASES.items() for which in sounds]


def transform(case: str, **more: Any) -> JointScattering:
    parameters = {key: tuple(v) if isinstance(v, list) else v for key, v in CASES[case][0].items()}
    return JointScattering(N_SAMPLES, **(parameters | more))  # type: ignore[arg-type]


def rows_of(joint: JointScattering, case: str) -> np.ndarray:
    """Our row for each of kymatio's; -1 for what only kymatio has."""
    meta = joint.meta()
    table = np.nan_to_num(np.column_stack([meta["n"], meta["n_fr"]]), nan=-1).astype(int)
    ours = {tuple(path): row for row, path in enumerate(table.tolist())}
    keys = GOLDEN[f"{case}/key"].astype(int)
    if joint.F == "global":
        # kymatio gives the mean over all bands the name of the first band, and takes none for the low-pass.
        low = (keys[:, 2] == 0) & (keys[:, 0] >= 0)
        keys[:, 0] = -1
        keys[low] = -2
    return np.array([ours.get(tuple(key), -1) for key in keys.tolist()])


def test_the_file_is_of_these_cases() -> None:
    assert json.loads(GOLDEN["cases"].tobytes()) == json.loads(json.dumps(CASES))


@pytest.mark.parametrize("case", CASES)
def test_rows_have_the_names_that_kymatio_gives_them(case: str) -> None:
    joint = transform(case)
    meta, rows = joint.meta(), rows_of(joint, case)
    known = rows >= 0
    assert sorted(rows[known]) == sorted(set(range(len(meta["order"]))) - set(rows_without_reference(joint)))
    for key in ("xi", "sigma", "j", "xi_fr", "sigma_fr", "j_fr"):
        wanted = GOLDEN[f"{case}/{key}"].astype(float)
        if joint.F == "global" and wanted.ndim == 2:
            wanted[:, 0] = np.nan
        np.testing.assert_allclose(meta[key][rows[known]], wanted[known], rtol=1e-12)


def rows_without_reference(joint: JointScattering) -> np.ndarray:
    meta = joint.meta()
    return np.flatnonzero(meta["n_fr"] == 0) if joint.F == "global" else np.array([], dtype=int)


@pytest.mark.parametrize(("case", "which"), WAYS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_coefficients_are_those_of_kymatio(case: str, which: str, dtype: torch.dtype) -> None:
    joint = transform(case)
    meta, rows = joint.meta(), rows_of(joint, case)
    found = joint.forward(torch.as_tensor(sound(which), dtype=dtype)).array.double().numpy()
    wanted = GOLDEN[f"{case}/{which}"].astype(float)
    if joint.F == "global":
        # A sum over every 2**j_fr-th band there, the mean over the bands here.
        share = 2.0 ** meta["j_fr"] / meta["step"]
        wanted = wanted * np.nan_to_num(share, nan=1.0)[rows][:, None]
    order = meta["order"][rows]
    for each in range(3):
        here = (rows >= 0) & (order == each)
        error = np.linalg.norm(found[rows[here]] - wanted[here]) / np.linalg.norm(wanted[here])
        # Critically sampled moduli alias a little: see the next test.
        assert error < (2e-3 if joint.F == "global" else 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["default", "every_band", "two_an_octave"])
def test_denser_sampling_comes_closer(case: str) -> None:
    joint = transform(case)
    dense = transform(case, oversampling=4)
    every = {tuple(path): row for row, path in enumerate(named(dense))}
    rows = np.array([every[tuple(path)] for path in named(joint)])
    which = CASES[case][1][0]
    x = torch.as_tensor(sound(which))
    wanted = GOLDEN[f"{case}/{which}"].astype(float)
    second = joint.meta()["order"][rows_of(joint, case)] == 2
    errors = []
    for found in (joint.forward(x).array, dense.forward(x).array[rows][:, ::4]):
        here = found.numpy()[rows_of(joint, case)]
        errors.append(np.linalg.norm((here - wanted)[second]) / np.linalg.norm(wanted[second]))
    assert errors[1] < min(0.7 * errors[0], 2e-4)


def named(joint: JointScattering) -> list[list[float]]:
    meta = joint.meta()
    return np.nan_to_num(np.column_stack([meta["n"], meta["n_fr"]]), nan=-1).tolist()
