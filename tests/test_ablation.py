"""What latents are worth: stand-ins that do what they say, no win that may be chance, bad news in words."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylemix.measure import ablation, report
from stylemix.measure.ablation import compare, measure_ablation
from stylemix.measure.ablation_words import POINTER, ablation_lines, ablation_table, ablation_words
from stylemix.measure.evidence import choose_stretches
from stylemix.measure.report import evaluate
from stylemix.measure.variants import KINDS, Pca, Spectra, variant
from stylemix.model.run import Run
from tests.tiny_training import tiny_corpora, tiny_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("ablated")
    return tiny_run(tiny_corpora(folder), folder / "a.mix")


def row(
    latents: str, value: float, each: tuple[float, ...], *, mode: str = "match", half: float = 10.0
) -> dict[str, Any]:
    """What was measured of a kind of latents."""
    kad = {"value": value, "low": value - half, "high": value + half}
    return {
        "mode": mode, "latents": latents, "alignment": "transport", "p_b": 0.5, "p_b_second": 0.4, "kad": kad,
        "kad_second": kad, "kad_ratio": value / 100, "kad_ratio_second": value / 100, "explained": float(np.mean(each)),
        "explained_each": list(each), "chroma": 0.9, "onsets": 0.5,
    }  # fmt: skip


def told(full: dict[str, Any], pca: dict[str, Any]) -> dict[str, Any]:
    rows = [row("full", 100.0, (1.0, 1.0), mode="fade"), pca, full]
    return {"rows": rows, "left_out": [], "against": compare(rows)}


@pytest.mark.parametrize(
    ("value", "each", "nearer", "newer", "outcome"),
    [
        (85.0, (0.5, 0.5), 1, 0, "wins against"),
        (115.0, (0.5, 0.5), -1, 0, "loses against"),
        # 14 is less than the root of 10 squared and 10 squared.
        (86.0, (0.5, 0.5), 0, 0, "does not win against"),
        (100.0, (0.4, 0.4), 0, 1, "wins against"),
        (100.0, (0.6, 0.6), 0, -1, "loses against"),
        (100.0, (0.2, 0.51), 0, 0, "does not win against"),
        (100.0, (0.46, 0.46), 0, 0, "does not win against"),
        (85.0, (0.6, 0.6), 1, -1, "wins in one thing and loses in another against"),
    ],
)
def test_a_win_is_more_than_chance(
    value: float, each: tuple[float, ...], nearer: int, newer: int, outcome: str
) -> None:
    found = told(row("full", value, each), row("PCA", 100.0, (0.5, 0.5)))
    assert found["against"] == [{"mode": "match", "rival": "PCA", "nearer": [nearer, nearer], "newer": newer}]
    assert ablation_words(found)[0].startswith(f"In match the network {outcome} PCA latents: its hybrids are ")


def test_numbers_stand_beside_the_words_and_each_judge_is_told() -> None:
    full, pca = row("full", 60.0, (0.4, 0.4)), row("PCA", 100.0, (0.5, 0.5))
    pca["kad_second"] = None
    assert ablation_words(told(full, pca)) == [
        "In match the network wins against PCA latents: its hybrids are nearer to the first judge and not measured to "
        "the second (0.60 and 0.60 times the fade's distance from the recordings of both, against 1.00 and 1.00), and "
        "newer (a fade explains 40 %, against 50 %)."
    ]
    full["kad_ratio"] = None
    # Of a fade whose distance is not above 0 nothing can be a multiple.
    assert (
        "(kernel distance 60 and 60 from the recordings of both, against 100 and –)"
        in ablation_words(told(full, pca))[0]
    )
    assert ablation_words({**told(full, pca), "left_out": ["PCA: gone"]})[-1].endswith(": PCA: gone")
    pca["kad"] = None
    assert "its hybrids are too short for a distance, and newer" in ablation_words(told(full, pca))[0]
    assert ablation_words(None) == []


def test_the_table_and_the_lines_hold_every_row_and_a_line_points_to_them() -> None:
    found = told(row("full", 60.0, (0.4, 0.4)), row("PCA", 100.0, (0.5, 0.5)))
    table = ablation_table(found, "beach")
    assert table["rows"][1] == ["match", "PCA", "transport", "0.50", "0.40", "1.00", "1.00", "0.50", "0.90", "0.50"]
    assert table["columns"][3] == "P(beach)"
    assert "0.05" in table["caption"]
    lines = ablation_lines(found, "beach")
    assert [line.split()[:2] for line in lines[2:]] == [["fade", "full"], ["match", "PCA"], ["match", "full"]]
    assert len({len(line) for line in lines[1:]}) == 1
    assert ablation_lines(None, "beach") == [POINTER]


def test_pca_with_all_components_loses_nothing_and_fewer_lose_what_is_left_out(run: Run) -> None:
    frames = run.latents(0).codes.shape[1]
    whole = copy.copy(run)
    rng = np.random.default_rng(0)
    n = run.recipe.model.frames_per_step * min(frames, 6)
    log_magnitude = rng.standard_normal((run.vqt.n_bands, n)).astype(np.float32)
    condition = np.array([0.25, 0.75], dtype=np.float32)
    errors = []
    for dims in (4, 10_000):
        whole.recipe = replace(run.recipe, model=replace(run.recipe.model, latent_dim=dims))
        pca = Pca(whole)
        shape, loudness = pca._apart(log_magnitude)
        latents = pca.encode(log_magnitude, condition)
        again = pca.decode(latents.codes, condition, loudness)
        over_time = np.tile(condition[:, None], latents.codes.shape[1])
        np.testing.assert_allclose(again, pca.decode(latents.codes, over_time, loudness), atol=1e-5)
        errors.append(float(np.abs(again - shape - loudness).max()))
    # Whitening by the floor of the variance keeps some digits of float32.
    assert errors[1] < 1e-2 < errors[0]


def test_components_of_what_pca_was_made_of_are_white(run: Run) -> None:
    pca = Pca(run)
    codes = [np.concatenate([pca.latents(i).codes for i, f in enumerate(run.files)
                             if f.corpus == corpus and f.split == "train"], axis=1) for corpus in (0, 1)]  # fmt: skip
    np.testing.assert_allclose(np.mean([c @ c.T / c.shape[1] for c in codes], axis=0), np.eye(4), atol=0.1)


def test_no_latents_are_the_mean_spectrum_of_each_step(run: Run) -> None:
    spectra = Spectra(run)
    step = run.recipe.model.frames_per_step
    held = np.repeat(np.random.default_rng(0).standard_normal((run.vqt.n_bands, 3)), step, axis=1).astype(np.float32)
    shape, loudness = spectra._apart(held)
    latents = spectra.encode(held, np.array([1.0, 0.0]))
    assert latents.codes.shape == (run.vqt.n_bands, 3)
    np.testing.assert_allclose(spectra.decode(latents.codes, np.zeros(2), loudness), shape + loudness, atol=1e-5)


def test_without_condition_every_corpus_is_the_same_and_the_full_model_is_the_run(run: Run) -> None:
    told_nothing = variant(run, "without condition")
    codes, loudness = run.latents(0).codes[:, :4], np.zeros(16, dtype=np.float32)
    one, other = (told_nothing.decode(codes, np.eye(2, dtype=np.float32)[k], loudness) for k in (0, 1))
    np.testing.assert_array_equal(one, other)
    assert np.abs(run.decode(codes, np.eye(2, dtype=np.float32)[0], loudness) - one).max() > 1e-3
    assert variant(run, "full") is run


class Deaf:
    """A judge to whom all is alike."""

    def judge(self, found: Any) -> dict[str, Any]:
        return {"p_b": 0.5, "kad_union": {"value": 50.0, "low": 40.0, "high": 60.0}}


def test_every_kind_is_measured_and_what_fails_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablation, "describe_waves", lambda waves: None)
    stretches = choose_stretches(run, 0, n_wanted=1, seconds=2.0)
    seen: list[float] = []
    judges: list[Any] = [Deaf(), Deaf()]
    found = measure_ablation(run, stretches, judges, alignments=("nearest",), report=seen.append)
    names = [(one["mode"], one["latents"], one["alignment"]) for one in found["rows"]]
    assert names == [
        ("fade", "full", "nearest"),
        *((mode, kind, how) for kind in KINDS for mode, how in (("match", "nearest"), ("style", "–"))),
    ]
    assert found["rows"][0]["explained"] > 0.99
    assert len({one["explained"] for one in found["rows"]}) > 5
    assert all(one["kad_ratio"] == 1 for one in found["rows"])
    assert seen == sorted(seen)
    assert seen[-1] == 1
    # The files of PCA are gone while it is made, those of the others are not read again.
    monkeypatch.setitem(variant.__globals__, "Pca", failing)
    found = measure_ablation(run, stretches, judges, alignments=("nearest",))
    assert found["left_out"] == ["PCA: gone"]
    assert {one["rival"] for one in found["against"]} == {"none"}


def failing(run: Run) -> None:
    from stylemix.errors import StylemixError

    raise StylemixError("gone")


@pytest.mark.slow
def test_evaluate_compares_latents_when_asked(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "SOURCE_S", 5.0)
    page = tmp_path / "r.html"
    result = evaluate(run, out=page, modes=("match",), controls=("fade",), ablation=True, show_progress=False)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    rows = result["ablation"]["rows"]
    assert len(rows) == 1 + 2 * len(KINDS)
    assert all(one["kad"] is not None and 0 <= one["explained"] <= 1 + 1e-9 for one in rows)
    said = [line for line in result["summary"] if " the network " in line]
    assert [line.split(" the ")[0] for line in said] == ["In match", "In style"]
    assert set(said) <= set(result["lines"])
    assert POINTER not in result["lines"]
    data = json.loads(page.read_text(encoding="utf-8").split('id="report-data">')[1].split("</script>")[0])
    assert data["summary"] == result["summary"]
    assert data["ablation"] == ablation_table(result["ablation"], run.corpora[1])
