"""The report of a tiny run: every number there, the words true to them, the page safe; bad news in words."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.cli import run_command
from stylemix.errors import BadInput
from stylemix.hybrid.render import hybrid
from stylemix.measure import evidence, report
from stylemix.measure.evidence import Rendered, Stretch, choose_stretches, corpus_style, render_alphas
from stylemix.measure.page import write_page
from stylemix.measure.report import ALPHAS, evaluate
from stylemix.measure.verdict import checks, rises, verdict
from stylemix.model.run import Run
from tests.browser import chromium, console_errors, open_page
from tests.tiny_training import tiny_corpora, tiny_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("evaluated")
    return tiny_run(tiny_corpora(folder), folder / "a.mix")


@pytest.fixture(scope="module")
def page(run: Run) -> Path:
    return run.path.parent / "report.html"


@pytest.fixture(scope="module")
def result(run: Run, page: Path) -> dict[str, Any]:
    return evaluate(run, out=page, show_progress=False)


@pytest.fixture
def numbers() -> dict[str, Any]:
    """A good result, made up."""
    rows = []
    for alpha, p_b, unexplained in zip(ALPHAS, (0.1, 0.3, 0.5, 0.7, 0.9), (0, 0.3, 0.47, 0.3, 0), strict=True):
        row: dict[str, Any] = {"alpha": alpha}
        for kind, share in (("hybrid", unexplained), ("crossfade", 0.03 if 0 < alpha < 1 else 0.0)):
            row[kind] = {"p_b": p_b, "unexplained": share, "kad_source": 10.0, "kad_target": 20.0,
                         "kad_union": 100.0, "chroma": 1 - alpha}  # fmt: skip
        rows.append(row)
    loss = {"sc2048_db": -12.0, "best_sc2048_db": -13.5, "loss_db": 1.5}
    return {
        "run": "a.mix", "corpora": ["cage", "beach"], "held_out": True, "by_alpha": rows, "alpha0_sc2048_db": -60.0,
        "unexplained_damage": 0.1, "seconds": 1.0,
        "sources": [{"file": "x.wav", "start_s": 0.0, "duration_s": 2.0, "held_out": True}],
        "path": {kind: {"non_linearity": 0.1, "non_smoothness": 0.2} for kind in ("hybrid", "crossfade")},
        "classifier": {"accuracy": 0.9, "segments": [4, 5]},
        "rebuild": [{"file": "x.wav", "corpus": "cage", "held_out": True, "estimate": loss, "source": loss}],
        "autoencoder": {"error": 0.09, "pca_error": 0.1, "held_out": True, "curve": []},
    }  # fmt: skip


@pytest.mark.slow
def test_every_number_is_there_finite_and_in_its_range(result: dict[str, Any]) -> None:
    again = json.loads(json.dumps(result, allow_nan=False))
    assert again == result
    assert [row["alpha"] for row in result["by_alpha"]] == list(ALPHAS)
    for row in result["by_alpha"]:
        for kind in ("hybrid", "crossfade"):
            assert 0 <= row[kind]["p_b"] <= 1
            assert 0 <= row[kind]["unexplained"] <= 1
            assert -1 <= row[kind]["chroma"] <= 1
            assert row[kind]["kad_union"] < 2000
    assert result["held_out"]
    assert [row["corpus"] for row in result["rebuild"]] == ["held", "plucked"]
    assert all(row["held_out"] and row["estimate"]["best_sc2048_db"] < 0 for row in result["rebuild"])
    assert {"error", "pca_error", "error_over_pca"} <= result["autoencoder"].keys()


@pytest.mark.slow
def test_the_ends_are_the_parents_and_the_control_is_a_crossfade(result: dict[str, Any]) -> None:
    first, *middle, last = result["by_alpha"]
    assert result["alpha0_sc2048_db"] <= -25
    for row in (first, last):
        assert row["hybrid"] == pytest.approx(row["crossfade"], rel=1e-3, abs=1e-3)
    assert all(row["crossfade"]["unexplained"] < 1e-3 for row in middle)
    assert all(row["hybrid"]["unexplained"] > 0.05 for row in middle)
    assert first["hybrid"]["chroma"] == pytest.approx(1)
    assert first["hybrid"]["p_b"] < 0.5 < last["hybrid"]["p_b"]
    assert first["hybrid"]["kad_source"] < first["hybrid"]["kad_target"]
    assert last["hybrid"]["kad_target"] < last["hybrid"]["kad_source"]


@pytest.mark.slow
def test_the_same_run_gives_the_same_numbers(run: Run, result: dict[str, Any]) -> None:
    again = evaluate(run, show_progress=False)
    assert "page" not in again
    for key in ("by_alpha", "path", "rebuild", "classifier", "sources"):
        assert again[key] == result[key]


@pytest.mark.slow
def test_the_page_shows_the_words_and_the_players_under_a_strict_policy(result: dict[str, Any], page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert result["page"] == {"path": str(page), "bytes": page.stat().st_size, "players": 6}
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)=\"https?:", text)
    data = json.loads(re.search(r'id="report-data">(.*?)</script>', text).group(1))  # type: ignore[union-attr]
    assert data["summary"] == result["summary"]
    assert data["plots"][0]["lines"]["hybrid"] == [row["hybrid"]["p_b"] for row in result["by_alpha"]]
    assert len(data["tables"][0]["rows"]) == 2 * len(ALPHAS)
    kinds = [player["kind"] for player in data["players"]]
    assert kinds == ["parent", "hybrid", "hybrid", "hybrid", "parent", "crossfade"]


@pytest.mark.slow
def test_the_page_is_never_written_over_and_never_over_an_input(run: Run, result: dict[str, Any], page: Path) -> None:
    with pytest.raises(BadInput, match=r"report\.html: exists already; .* --force"):
        evaluate(run, out=page, show_progress=False)
    with pytest.raises(BadInput, match="must not be one of the inputs"):
        evaluate(run, out=run.file_path(0), force=True, show_progress=False)
    with pytest.raises(BadInput, match="must not be one of the inputs"):
        evaluate(run, out=run.path / "metrics.json", force=True, show_progress=False)


@pytest.mark.slow
def test_an_unknown_phase_is_refused_before_any_work(run: Run) -> None:
    with pytest.raises(BadInput, match="phase must be one of auto, parents, source, estimate, got 'ok'"):
        evaluate(run, phase="ok", show_progress=False)


@pytest.mark.parametrize("phase", ["auto", "parents"])
def test_the_hybrids_measured_are_the_hybrids_rendered(run: Run, phase: str) -> None:
    stretch = choose_stretches(run, 0, n_wanted=1, seconds=3.0)[0]
    found = render_alphas(run, stretch, (0.0, 0.5), other=1, phase=phase)
    piece = {"source": stretch.path, "start_s": stretch.start_s, "duration_s": stretch.duration_s}
    wanted = hybrid(run, alpha=0.5, phase=phase, **piece)
    np.testing.assert_allclose(found.hybrids[0.5].samples, wanted.samples, atol=1e-6)
    assert found.source.samples.shape == found.target.samples.shape == wanted.samples.shape
    mixed = 0.75 * found.source.samples + 0.25 * found.target.samples
    np.testing.assert_allclose(found.crossfade(0.25).samples, mixed, atol=1e-6)


@pytest.mark.slow
def test_the_command_prints_the_verdict(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["evaluate", str(run.path), "-q"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert re.match(r"These are .*: a crossfade explains \d+ % of the sound at alpha 0.5", shown[0])
    assert sum(line.startswith(("met ", "missed ")) for line in shown) >= 5


def test_held_out_files_are_chosen_and_training_files_only_where_there_are_none(run: Run) -> None:
    for corpus in (0, 1):
        chosen = choose_stretches(run, corpus, n_wanted=2, seconds=4.0)
        assert [run.files[s.index].split for s in chosen] == ["held-out"]
        assert chosen[0].start_s == pytest.approx((run.files[chosen[0].index].seconds - 4) / 2)
    trained = copy.copy(run)
    trained.files = tuple(replace(file, split="train") for file in run.files)
    chosen = choose_stretches(trained, 0, n_wanted=2, seconds=100.0)
    assert [(s.held_out, s.start_s, s.corpus) for s in chosen] == [(False, 0.0, 0)] * 2
    assert chosen[0].duration_s == pytest.approx(run.files[0].seconds)


def test_one_long_file_gives_two_stretches(run: Run) -> None:
    chosen = choose_stretches(run, 0, n_wanted=2, seconds=1.5)
    assert len({s.index for s in chosen}) == 1
    assert chosen[0].start_s + chosen[0].duration_s <= chosen[1].start_s


def test_style_is_taken_from_training_files_and_not_from_more_than_wanted(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    features, files = corpus_style(run, 1)
    assert set(files) == {i for i, f in enumerate(run.files) if f.corpus == 1 and f.split == "train"}
    assert len(features) == len(files) == 2 * len(set(files))
    monkeypatch.setattr(evidence, "MOST_SEGMENTS", 2)
    assert len(corpus_style(run, 1)[0]) == 2


def test_a_run_that_has_lost_its_files_or_has_one_corpus_is_refused(run: Run) -> None:
    lost = copy.copy(run)
    lost.files = tuple(replace(file, path=f"{file.path}.gone") for file in run.files)
    with pytest.raises(BadInput, match="put the folder back"):
        evaluate(lost, show_progress=False)
    alone = copy.copy(run)
    alone.corpora = run.corpora[:1]
    with pytest.raises(BadInput, match="has one corpus; hybrids need two"):
        evaluate(alone, show_progress=False)


def test_good_news_in_words(numbers: dict[str, Any]) -> None:
    words = verdict(numbers)
    assert words[0].startswith(
        "These are hybrids: a crossfade explains 53 % of the sound at alpha 0.5, 97 % of the crossfade beside it, "
        "and 90 % of that crossfade after"
    )
    assert words[1].startswith("They move from cage to beach: the probability of beach rises from 0.10")
    assert "as near to the recordings of cage and beach together as crossfades are" in words[2]
    assert len(words) == 3
    assert all(row["passed"] for row in checks(numbers))
    assert len(checks(numbers)) == 5


def test_bad_news_in_words(numbers: dict[str, Any]) -> None:
    half = numbers["by_alpha"][2]
    half["hybrid"].update(unexplained=0.12, p_b=0.05, kad_union=300.0)
    numbers |= {"held_out": False, "alpha0_sc2048_db": -24.0, "classifier": {"accuracy": 0.55, "segments": [4, 5]}}
    numbers["rebuild"][0]["estimate"] = {"sc2048_db": -9.0, "best_sc2048_db": -13.0, "loss_db": 4.0}
    numbers["autoencoder"]["error"] = 0.11
    words = verdict(numbers)
    assert words[0].startswith("These are hardly more than crossfades: a crossfade explains 88 %")
    assert words[1].startswith("They do not move steadily from cage to beach: the probability of beach goes from")
    assert "farther from the recordings" in words[2]
    assert "Nothing was held out" in words[3]
    assert "hardly tells the corpora apart (right in 55 %" in words[4]
    assert not any(row["passed"] for row in checks(numbers))


@pytest.mark.parametrize(
    ("unexplained", "damage", "opening"),
    [(0.31, 0.0, "are hybrids"), (0.2, 0.0, "close to"), (0.04, 0.0, "hardly"), (0.4, 0.37, "hardly")],
)
def test_what_the_model_damages_is_not_called_a_hybrid(
    numbers: dict[str, Any], unexplained: float, damage: float, opening: str
) -> None:
    numbers["by_alpha"][2]["hybrid"]["unexplained"] = unexplained
    numbers["unexplained_damage"] = damage
    assert opening in verdict(numbers)[0].split(":")[0]
    assert checks(numbers)[0]["passed"] == (opening == "are hybrids")


def test_what_was_not_measured_is_not_said(numbers: dict[str, Any]) -> None:
    for row in numbers["by_alpha"]:
        for kind in ("hybrid", "crossfade"):
            row[kind].update(p_b=None, kad_source=None, kad_target=None, kad_union=None)
    numbers["autoencoder"] = {"curve": []}
    numbers["classifier"]["accuracy"] = None
    words = verdict(numbers)
    assert words[1] == "Their style could not be measured: there is hardly any sound in them."
    assert words[2].startswith("There are too few recordings")
    assert len(checks(numbers)) == 3


def test_a_rise_is_steady_and_large() -> None:
    assert rises([0.1, 0.09, 0.5, 0.9])
    assert not rises([0.1, 0.5, 0.4, 0.9])
    assert not rises([0.5, 0.55, 0.6])


@pytest.fixture
def rendered() -> list[Rendered]:
    tone = Wave(0.1 * np.sin(np.arange(8000)), 8000)
    stretch = Stretch(0, Path("</script><b>x.wav"), 0, 0.0, 1.0, True)
    return [Rendered(stretch, tone, tone, dict.fromkeys(ALPHAS, tone))] * 2


def test_names_cannot_break_the_page(numbers: dict[str, Any], rendered: list[Rendered], tmp_path: Path) -> None:
    numbers["corpora"] = ["<img src=x>", "</script>"]
    numbers |= {"summary": verdict(numbers), "checks": checks(numbers)}
    write_page(tmp_path / "r.html", numbers, rendered)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<img" not in text
    assert text.count("</script>") == text.count("<script")


@pytest.mark.slow
def test_a_page_that_would_be_too_large_leaves_players_out(
    numbers: dict[str, Any], rendered: list[Rendered], tmp_path: Path
) -> None:
    numbers |= {"summary": verdict(numbers), "checks": checks(numbers)}
    whole = write_page(tmp_path / "a.html", numbers, [rendered[0], replace(
        rendered[1], stretch=replace(rendered[1].stretch, path=Path("y.wav")))])  # fmt: skip
    assert whole["players"] == 12
    less = write_page(tmp_path / "b.html", numbers, rendered, max_bytes=whole["bytes"] * 2 // 3)
    none = write_page(tmp_path / "c.html", numbers, rendered, max_bytes=1000)
    assert (less["players"], none["players"]) == (6, 0)


def test_the_bar_reaches_its_end_and_never_goes_back(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []
    monkeypatch.setattr(report, "render_alphas", lambda *args, report, **options: report(0.5) or report(1.0))
    monkeypatch.setattr(report, "measure_hybrids", lambda *args, report: report(1.0) or {})
    monkeypatch.setattr(report, "measure_rebuilding", lambda *args, report: report(1.0) or [])
    monkeypatch.setattr(report, "measure_damage", lambda *args: 0.9)
    report._measure(run, 0, "auto", lambda done, note="": seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == sum(report._COSTS.values())


@pytest.mark.slow
def test_a_browser_shows_the_page_without_complaint(
    numbers: dict[str, Any], rendered: list[Rendered], tmp_path: Path
) -> None:
    numbers |= {"summary": verdict(numbers), "checks": checks(numbers)}
    write_page(tmp_path / "r.html", numbers, rendered[:1])
    with chromium() as driver:
        open_page(driver, tmp_path / "r.html")
        assert console_errors(driver) == []
        assert driver.find_element("css selector", "#summary p").text == numbers["summary"][0]
        assert len(driver.find_elements("css selector", "#checks .met")) == len(numbers["checks"])
        assert len(driver.find_elements("css selector", "svg polyline.hybrid")) == 4
        assert len(driver.find_elements("css selector", ".player")) == 6
