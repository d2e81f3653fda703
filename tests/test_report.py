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
from stylemix.audio import AudioReader
from stylemix.cli import run_command
from stylemix.errors import BadInput
from stylemix.hybrid.alpha_map import AlphaMap, save_maps
from stylemix.hybrid.dials import Dials
from stylemix.hybrid.render import hybrid
from stylemix.measure import evidence, rendering, report
from stylemix.measure.aims import at_alpha, checks
from stylemix.measure.evidence import Stretch, choose_stretches, describe_corpus
from stylemix.measure.page import write_page
from stylemix.measure.page_tables import latent_table
from stylemix.measure.rendering import Rendered, partner_stretch, render_alphas, render_modes
from stylemix.measure.report import ALPHAS, evaluate
from stylemix.measure.timbre import TIMBRE
from stylemix.measure.verdict import is_outside, report_lines, rises, verdict
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


def kad(value: float) -> dict[str, float]:
    return {"value": value, "low": 0.8 * value, "high": 1.2 * value}


def made_up(control: bool, p_b: tuple[float, ...], explained: tuple[float, ...], union: float) -> dict[str, Any]:
    """A mode's numbers."""
    rows = []
    for alpha, p, share in zip(ALPHAS, p_b, explained, strict=True):
        kads = {"kad_source": kad(10 + 900 * alpha), "kad_target": kad(910 - 900 * alpha), "kad_union": kad(union)}
        rows.append({
            "alpha": alpha, "position": alpha**2, "p_b": p, "off_line": p - alpha, "bend": 0.0, **kads,
            "second": {"p_b": p, **kads},
            "explained": share, "explained_source": 0.3, "explained_target": 0.2, "explained_magnitudes": 0.5,
            "hybridness": 1 - share, "chroma": 1 - 0.5 * alpha, "onsets": 1 - alpha,
        })  # fmt: skip
    errors = {"non_linearity": 0.1, "non_smoothness": 0.2}
    timbre = {**errors, "descriptors": {name: {"values": [0.0, 1.0, 2.0, 3.0, 4.0], **errors} for name in TIMBRE}}
    return {
        "control": control,
        "calibrated": False,
        "warnings": [],
        "by_alpha": rows,
        "path": errors,
        "timbre": timbre,
        "alpha0_sc2048_db": -60.0,
    }


def good_numbers() -> dict[str, Any]:
    """A good result, made up."""
    loss = {"sc2048_db": -12.0, "best_sc2048_db": -13.5, "loss_db": 1.5}
    anchor = {"p_b": 0.5, "kad_source": kad(1000.0), "kad_target": kad(1000.0), "kad_union": kad(20.0)}
    known = {"accuracy": 0.9, "segments": [4, 5], "recordings": [2, 2]}
    return {
        "run": "a.mix", "phase": "auto", "alphas": list(ALPHAS), "corpora": ["cage", "beach"], "held_out": True,
        "modes": {
            "match": made_up(False, (0.1, 0.3, 0.5, 0.7, 0.9), (1, 0.8, 0.53, 0.8, 1), 105.0),
            "style": made_up(False, (0.1, 0.3, 0.5, 0.7, 0.9), (1, 0.8, 0.43, 0.3, 0.2), 90.0),
            "fade": made_up(True, (0.1, 0.1, 0.2, 0.5, 0.9), (1, 1, 1, 1, 1), 100.0),
        },
        "back": None, "unexplained_damage": 0.1, "seconds": 1.0,
        "anchors": {name: {**anchor, "second": anchor} for name in ("source", "target", "recordings", "noise")},
        "sources": [{"file": "x.wav", "start_s": 0.0, "duration_s": 2.0, "held_out": True}],
        "judges": {name: dict(known) for name in ("scattering", "cepstra")},
        "latents": {"dimensions": 4, "steps": 9, "active": 1.0, "effective": 3.5, "corpus_near_codes": 0.9,
                    "corpus_near_content": 0.55, "chance": 0.5},
        "rebuild": [{"file": "x.wav", "corpus": "cage", "held_out": True, "estimate": loss, "source": loss}],
        "autoencoder": {"error": 0.09, "pca_error": 0.1, "held_out": True, "curve": []}, "ablation": None,
    }  # fmt: skip


@pytest.fixture
def numbers() -> dict[str, Any]:
    return good_numbers()


@pytest.mark.slow
def test_every_number_is_there_finite_and_in_its_range(result: dict[str, Any]) -> None:
    again = json.loads(json.dumps(result, allow_nan=False))
    assert again == result
    assert {name: mode["control"] for name, mode in result["modes"].items()} == {
        "match": False, "style": False, "fade": True, "cross": True,
    }  # fmt: skip
    for mode in result["modes"].values():
        assert [row["alpha"] for row in mode["by_alpha"]] == list(ALPHAS)
        assert set(mode["timbre"]["descriptors"]) == set(TIMBRE)
        for row in mode["by_alpha"]:
            assert 0 <= row["p_b"] <= 1
            assert 0 <= row["second"]["p_b"] <= 1
            assert 0 <= row["explained"] <= 1
            assert row["hybridness"] == 1 - row["explained"]
            assert max(row["explained_source"], row["explained_target"]) <= row["explained"] + 1e-9
            assert -1 <= row["onsets"] <= 1
            assert -1 <= row["chroma"] <= 1
            assert row["kad_union"]["low"] < row["kad_union"]["value"] < row["kad_union"]["high"] < 2000
    assert result["held_out"]
    assert [row["corpus"] for row in result["rebuild"]] == ["held", "plucked"]
    assert all(row["held_out"] and row["estimate"]["best_sc2048_db"] < 0 for row in result["rebuild"])
    assert {"error", "pca_error", "error_over_pca"} <= result["autoencoder"].keys()
    assert result["latents"]["dimensions"] == 4
    assert 1 <= result["latents"]["effective"] <= 4


@pytest.mark.slow
def test_the_ends_are_the_parents_and_the_control_is_a_fade(result: dict[str, Any]) -> None:
    modes = result["modes"]
    for mode in modes.values():
        first = mode["by_alpha"][0]
        assert mode["alpha0_sc2048_db"] <= -25
        assert first["chroma"] == pytest.approx(1)
        assert first["onsets"] == pytest.approx(1)
        assert first["p_b"] == pytest.approx(result["anchors"]["source"]["p_b"], abs=0.02)
    assert all(row["explained"] > 0.99 for row in modes["fade"]["by_alpha"])
    assert all(row["hybridness"] > 0.05 for row in modes["match"]["by_alpha"][1:-1])
    last = modes["fade"]["by_alpha"][-1]
    assert last["kad_target"]["value"] < last["kad_source"]["value"]


@pytest.mark.slow
def test_the_same_run_gives_the_same_numbers_and_the_way_back_is_measured_when_asked(
    run: Run, result: dict[str, Any]
) -> None:
    again = evaluate(run, modes=("match",), controls=("fade",), both_directions=True, show_progress=False)
    assert "page" not in again
    for name in ("match", "fade"):
        assert again["modes"][name] == result["modes"][name]
    for key in ("rebuild", "judges", "sources", "anchors", "latents"):
        assert again[key] == result[key]
    assert result["back"] is None
    back = again["back"]["modes"]["fade"]["by_alpha"]
    # The style posterior is always that of the corpus at alpha 1.
    assert back[0]["p_b"] < 0.5 < back[-1]["p_b"]
    assert [one["file"] for one in again["back"]["sources"]] == ["1.wav"] or again["back"]["sources"]


@pytest.mark.slow
def test_the_page_shows_the_words_and_the_players_under_a_strict_policy(result: dict[str, Any], page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    # For one source: its parents, three of match, four of style, one of each control.
    assert result["page"] == {"path": str(page), "bytes": page.stat().st_size, "players": 11}
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)=\"https?:", text)
    data = json.loads(re.search(r'id="report-data">(.*?)</script>', text).group(1))  # type: ignore[union-attr]
    assert data["summary"] == result["summary"]
    points = [[row["alpha"], row["p_b"]] for row in result["modes"]["match"]["by_alpha"]]
    assert data["plots"][0]["lines"][0]["points"] == points
    assert [len(table["rows"]) for table in data["tables"]] == [len(ALPHAS)] * 4
    kinds = [player["kind"] for player in data["players"]]
    assert kinds == ["parent", *["hybrid"] * 7, *["crossfade"] * 2, "parent"]


@pytest.mark.slow
def test_the_page_is_never_written_over_and_never_over_an_input(run: Run, result: dict[str, Any], page: Path) -> None:
    with pytest.raises(BadInput, match=r"report\.html: exists already; .* --force"):
        evaluate(run, out=page, show_progress=False)
    with pytest.raises(BadInput, match="must not be one of the inputs"):
        evaluate(run, out=run.file_path(0), force=True, show_progress=False)
    with pytest.raises(BadInput, match="must not be one of the inputs"):
        evaluate(run, out=run.path / "metrics.json", force=True, show_progress=False)


def test_unknown_words_are_refused_before_any_work(run: Run) -> None:
    with pytest.raises(BadInput, match="phase must be one of auto, parents, source, estimate, got 'ok'"):
        evaluate(run, phase="ok", show_progress=False)
    with pytest.raises(BadInput, match=r"mode must be one of match, style, .*, got 'mix'"):
        evaluate(run, modes=("match", "mix"), show_progress=False)
    with pytest.raises(BadInput, match="modes must name one mode at least"):
        evaluate(run, modes=(), show_progress=False)
    with pytest.raises(BadInput, match="sources must be 1 to 20, got 0"):
        evaluate(run, n_sources=0, show_progress=False)


@pytest.mark.parametrize("mode", ["match", "fade"])
def test_the_hybrids_measured_are_the_hybrids_rendered(run: Run, mode: str) -> None:
    stretch = choose_stretches(run, 0, n_wanted=1, seconds=3.0)[0]
    found = render_alphas(run, stretch, (0.0, 0.5), dials=Dials(mode=mode, phase="parents"), other=1)
    piece = {"source": stretch.path, "start_s": stretch.start_s, "duration_s": stretch.duration_s}
    wanted = hybrid(run, alpha=0.5, mode=mode, phase="parents", **piece)
    np.testing.assert_allclose(found.hybrids[0.5].samples, wanted.samples, atol=1e-6)
    assert found.source.samples.shape == found.target.samples.shape == wanted.samples.shape
    mixed = 0.75 * found.source.samples + 0.25 * found.target.samples
    np.testing.assert_allclose(found.crossfade(0.25).samples, mixed, atol=1e-6)


def test_what_has_no_matched_target_is_held_against_the_match(run: Run) -> None:
    stretch = choose_stretches(run, 0, n_wanted=1, seconds=2.0)[0]
    found = render_modes(run, stretch, (0.0, 1.0), modes=("style",), dials=Dials(phase="source"), other=1)["style"]
    match = render_alphas(run, stretch, (0.0,), dials=Dials(phase="source"), other=1)
    np.testing.assert_allclose(found.target.samples, match.target.samples, atol=1e-6)
    assert np.abs(found.target.samples - found.hybrids[1.0].samples).max() > 1e-3


def test_a_morph_gets_as_much_of_the_longest_held_out_file_of_the_other_corpus(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Any]] = []

    def note(*_: Any, dials: Dials, target: Stretch | None = None, **__: Any) -> Rendered:
        asked.append((dials.mode, target))
        wave = Wave(np.ones(8), 8000)
        return Rendered(Stretch(0, Path("x.wav"), 0, 0.0, 1.0, True), wave, wave, {0.0: wave}, dials.mode)

    monkeypatch.setattr(rendering, "render_alphas", note)
    stretch = choose_stretches(run, 0, n_wanted=1, seconds=2.0)[0]
    rendering.render_modes(run, stretch, (0.0,), modes=("match", "morph"), dials=Dials(), other=1)
    (i,) = (i for i, file in enumerate(run.files) if file.corpus == 1 and file.split == "held-out")
    wanted = Stretch(i, run.file_path(i), 1, run.files[i].seconds / 2 - 1, 2.0, True)
    assert asked == [("match", wanted), ("morph", wanted)]
    assert partner_stretch(run, 1, seconds=100.0).duration_s == pytest.approx(run.files[i].seconds)
    end = partner_stretch(divided(run, "divided"), 0, seconds=1.0)
    assert end.start_s == pytest.approx(0.75 * run.files[0].seconds - 0.5)


def test_a_morph_is_of_the_partner_s_stretch(run: Run) -> None:
    stretch = choose_stretches(run, 0, n_wanted=1, seconds=2.0)[0]
    found = render_modes(run, stretch, (0.5,), modes=("morph",), dials=Dials(phase="source"), other=1)["morph"]
    partner = partner_stretch(run, 1, seconds=2.0)
    wanted = hybrid(
        run, alpha=0.5, mode="morph", phase="source", source=stretch.path, start_s=stretch.start_s, duration_s=2.0,
        target=partner.path, target_start_s=partner.start_s, target_duration_s=2.0,
    )  # fmt: skip
    np.testing.assert_allclose(found.hybrids[0.5].samples, wanted.samples, atol=1e-6)


def test_where_alpha_went_is_reported(run: Run, tmp_path: Path) -> None:
    calibrated = copy.copy(run)
    calibrated.path = tmp_path
    late = AlphaMap((0.0, 0.5, 1.0), (0.0, 0.8, 1.0), reach=0.4)
    save_maps(tmp_path, {("match", run.corpora[0], run.corpora[1]): (late, {})})
    stretch = choose_stretches(run, 0, n_wanted=1, seconds=1.5)[0]
    dials = Dials(phase="source")
    found, raw = (
        render_alphas(calibrated, stretch, (0.0, 0.5), dials=dials, other=1, raw_alpha=how) for how in (False, True)
    )
    assert (found.positions, found.calibrated) == ({0.0: 0.0, 0.5: pytest.approx(0.8)}, True)
    assert (raw.positions, raw.calibrated, raw.warnings) == ({0.0: 0.0, 0.5: 0.5}, False, ())
    assert ["cannot get to half-way" in line for line in found.warnings] == [True]


@pytest.mark.slow
def test_the_command_prints_the_verdict(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["evaluate", str(run.path), "-q", "--modes", "match", "--controls", "fade"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert re.match(r"match: these are .*; a crossfade of the parents explains \d+ % of the sound", shown[1])
    assert sum(line.startswith(("met ", "missed ")) for line in shown) >= 5
    assert shown[-1].endswith("(evaluate --ablation).")


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
    found = describe_corpus(run, 1)
    files = set(found.recordings)
    assert files == {i for i, f in enumerate(run.files) if f.corpus == 1 and f.split == "train"}
    assert len(found) == 2 * len(files)
    assert all(len(rows) == len(found) for rows in found.rows.values())
    monkeypatch.setattr(evidence, "MOST_SEGMENTS", 2)
    assert len(describe_corpus(run, 1)) == 2


def divided(run: Run, *splits: str, share: float = 0.5) -> Run:
    """A run of which the first file of corpus 0 is held out at its end."""
    found = copy.copy(run)
    mine = [i for i, file in enumerate(run.files) if file.corpus == 0]
    sides = dict(zip(mine, splits, strict=False))
    found.files = tuple(
        replace(file, split=sides.get(i, file.split))
        for i, file in enumerate(run.files)
        if file.corpus == 1 or i in sides
    )
    found.recipe = replace(run.recipe, training=replace(run.recipe.training, held_out=share))
    return found


def test_of_a_divided_file_the_end_is_measured_on_and_the_rest_is_heard_by_the_judges(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = divided(run, "divided")
    whole = alone.files[0].seconds
    chosen = choose_stretches(alone, 0, n_wanted=1, seconds=2.0)
    assert [(s.held_out, s.duration_s) for s in chosen] == [(True, 2.0)]
    assert chosen[0].start_s == pytest.approx(0.75 * whole - 1)
    short = choose_stretches(alone, 0, n_wanted=1, seconds=100.0)[0]
    assert (short.start_s, short.duration_s) == (pytest.approx(whole / 2), pytest.approx(whole / 2))
    asked: list[tuple[int, int]] = []
    read = AudioReader.read
    monkeypatch.setattr(AudioReader, "read", lambda self, a, b: asked.append((a, b)) or read(self, a, b))
    monkeypatch.setattr(evidence, "SEGMENT_S", 1.0)
    described = describe_corpus(divided(run, "divided", "train"), 0, names=("timbre",))
    # The small whole file beside it is not all that is heard.
    assert set(described.recordings) == {0, 1}
    assert max(b for _, b in asked[: int((described.recordings == 0).sum())]) <= whole / 2 * 8000 + 1


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
    assert words[0] == "match and style reach all that is aimed at."
    assert words[1].startswith(
        "match: these are hybrids; a crossfade of the parents explains 53 % of the sound at alpha 0.5 (the source "
        "alone 30 %, the matched target 20 %), and 90 % of a crossfade after"
    )
    assert "They move from cage to beach: the probability of beach goes 0.10, 0.30, 0.50, 0.70, 0.90" in words[1]
    assert "as near to the recordings of both as fades are: kernel distance 105 (84 to 126) against 100" in words[1]
    assert "a correlation of 0.75 in harmony and of 0.50 in rhythm" in words[1]
    assert "disagrees" not in words[1]
    assert len(words) == 3
    assert all(row["passed"] for row in checks(numbers))
    assert [row["mode"] for row in checks(numbers)] == [*["match"] * 4, *["style"] * 5, "fade", "", ""]


def test_bad_news_in_words(numbers: dict[str, Any]) -> None:
    numbers["modes"] = {key: numbers["modes"][key] for key in ("match", "fade")}
    numbers["modes"]["match"]["alpha0_sc2048_db"] = -24.0
    half = at_alpha(numbers["modes"]["match"], 0.5)
    half.update(explained=0.88, p_b=0.05, off_line=-0.45, kad_union=kad(300.0))
    half["second"] = {"p_b": 0.6, "kad_union": kad(90.0)}
    numbers["judges"]["cepstra"] = {"accuracy": 0.55, "segments": [4, 5], "recordings": [2, 2]}
    numbers["held_out"] = False
    numbers["rebuild"][0]["estimate"] = {"sc2048_db": -9.0, "best_sc2048_db": -13.0, "loss_db": 4.0}
    numbers["autoencoder"]["error"] = 0.11
    words = verdict(numbers)
    assert words[0].startswith(
        "No mode reaches all that is aimed at: match reaches 0 of 4 aims (not: alpha is the share"
    )
    assert words[1].startswith("match: these are hardly more than crossfades; a crossfade of the parents explains 88 %")
    assert "They do not move steadily from cage to beach" in words[1]
    assert "at alpha 0.5 0.45 off alpha" in words[1]
    assert "farther from the recordings of both than fades are" in words[1]
    assert "The second judge disagrees: at 0.5 it hears beach with 0.60, the first with 0.05." in words[1]
    assert "Nothing was held out" in words[2]
    assert "The judge by cepstra hardly tells the corpora apart (right in 55 %" in words[3]
    failed = [row["mode"] for row in checks(numbers) if not row["passed"]]
    assert failed == [*["match"] * 4, "", ""]
    shown = report_lines({**numbers, "summary": words, "checks": checks(numbers)})
    assert (
        "missed  match: Half-way is as natural as a fade: 3.00 (distance to both: 1.3 times the fade's at most)"
        in shown
    )


def test_noise_is_out_of_both_corpora_in_words(numbers: dict[str, Any]) -> None:
    half = at_alpha(numbers["modes"]["match"], 0.5)
    half.update(explained=0.0, kad_source=kad(1400.0), kad_target=kad(999.0))
    assert not is_outside(half, numbers["anchors"])
    half["kad_target"] = kad(1400.0)
    assert is_outside(half, numbers["anchors"])
    assert verdict(numbers)[1].startswith("match: these are out of both corpora")


def test_what_pleases_one_judge_alone_is_found_out(numbers: dict[str, Any]) -> None:
    at_alpha(numbers["modes"]["match"], 0.5)["second"]["kad_union"] = kad(250.0)
    assert (
        "To the second judge they are 2.5 times as far from the recordings of both as fades are." in verdict(numbers)[1]
    )


@pytest.mark.parametrize(
    ("explained", "damage", "opening"),
    [(0.59, 0.0, "are hybrids"), (0.8, 0.0, "close to"), (0.96, 0.0, "hardly"), (0.59, 0.38, "hardly")],
)
def test_what_the_model_damages_is_not_called_a_hybrid(
    numbers: dict[str, Any], explained: float, damage: float, opening: str
) -> None:
    at_alpha(numbers["modes"]["match"], 0.5)["explained"] = explained
    numbers["unexplained_damage"] = damage
    assert opening in verdict(numbers)[1].split(";")[0]
    row = next(row for row in checks(numbers) if row["what"] == "Half-way is no fade of its parents")
    assert row["passed"] == (opening == "are hybrids")


def test_a_control_that_is_no_fade_is_noticed(numbers: dict[str, Any]) -> None:
    at_alpha(numbers["modes"]["fade"], 0.5)["explained"] = 0.9
    assert [row["what"] for row in checks(numbers) if not row["passed"]] == ["The control scores as a fade"]


def test_what_was_not_measured_is_not_said(numbers: dict[str, Any]) -> None:
    nothing = {"p_b": None, "kad_source": None, "kad_target": None, "kad_union": None}
    for mode in numbers["modes"].values():
        for row in mode["by_alpha"]:
            row.update(**nothing, off_line=None, second=nothing)
    numbers["autoencoder"] = {"curve": []}
    numbers["judges"]["scattering"]["accuracy"] = None
    words = verdict(numbers)
    assert "Their style could not be measured: there is hardly any sound in them." in words[1]
    assert "kernel distance" not in words[1]
    assert words[-1].startswith("There are too few recordings")
    rows = checks(numbers)
    assert [row["mode"] for row in rows] == [*["match"] * 4, *["style"] * 5, "fade", "", ""]
    open_ = [(row["mode"], row["what"], row["measured"]) for row in rows if row["passed"] is None]
    halves = ["Alpha is the share of beach", "Half-way is as natural as a fade"]
    unheard = "The autoencoder knows unheard sound better than PCA of the same size"
    assert open_ == [*((m, what, "not measured") for m in ("match", "style") for what in halves),
                     ("", unheard, "not measured")]  # fmt: skip
    assert words[0] == (
        "No mode reaches all that is aimed at: match reaches 2 of 4 aims (not measured: alpha is the share of beach, "
        "half-way is as natural as a fade); style reaches 3 of 5 aims (not measured: alpha is the share of beach, "
        "half-way is as natural as a fade)."
    )
    shown = report_lines({**numbers, "summary": words, "checks": rows})
    assert sum(line.startswith("?     ") for line in shown) == 5
    del numbers["modes"]["fade"]
    assert len(verdict(numbers)) == 4


@pytest.mark.parametrize("fade", [None, 0.0, -3.0])
def test_without_a_fade_that_can_be_compared_with_nothing_reaches_all(
    numbers: dict[str, Any], fade: float | None
) -> None:
    if fade is None:
        del numbers["modes"]["fade"]
    else:
        at_alpha(numbers["modes"]["fade"], 0.5)["kad_union"] = kad(fade)
    words = verdict(numbers)[0]
    assert "match reaches 3 of 4 aims (not measured: half-way is as natural as a fade)" in words
    assert words.startswith("No mode reaches all that is aimed at")
    missing = [row["what"] for row in checks(numbers) if row["passed"] is None and row["mode"] == "fade"]
    assert missing == ([] if fade is not None else ["The control scores as a fade"])


def test_one_mode_may_reach_all_while_another_is_told_what_it_lacks(numbers: dict[str, Any]) -> None:
    at_alpha(numbers["modes"]["match"], 0.5)["kad_union"] = kad(300.0)
    assert verdict(numbers)[0] == (
        "style reaches all that is aimed at; match reaches 3 of 4 aims (not: half-way is as natural as a fade)."
    )


def test_what_strays_before_or_after_half_way_is_named(numbers: dict[str, Any]) -> None:
    assert "farthest" not in " ".join(verdict(numbers))
    at_alpha(numbers["modes"]["match"], 0.25)["kad_union"] = kad(140.0)
    at_alpha(numbers["modes"]["match"], 0.75)["kad_union"] = kad(180.0)
    assert (
        "They are farthest from the recordings of both at 0.75: 1.8 times as far as the fade there."
        in verdict(numbers)[1]
    )
    assert verdict(numbers)[0] == "match and style reach all that is aimed at."


def test_content_that_holds_its_corpus_is_told(numbers: dict[str, Any]) -> None:
    assert not any("content" in line for line in verdict(numbers)[3:])
    numbers["latents"]["corpus_near_content"] = 0.87
    assert verdict(numbers)[-1].startswith(
        "The content still holds its corpus: 87 % of a step's nearest neighbours by content are of its own corpus "
        "(90 % by latents, 50 % is chance)."
    )
    rows = dict(latent_table(numbers["latents"])["rows"])
    assert rows["Neighbours of the own corpus, by content"] == "87 %"
    assert rows["Neighbours of the own corpus, by latents"] == "90 %"
    numbers["latents"].update(corpus_near_content=None, corpus_near_codes=None)
    assert len(verdict(numbers)) == 3
    assert len(latent_table(numbers["latents"])["rows"]) == 3


def test_who_calibrated_alpha_is_told_in_words_and_on_the_page(
    numbers: dict[str, Any], rendered: list[dict[str, Rendered]], tmp_path: Path
) -> None:
    assert not any("calibrated" in line for line in verdict(numbers))
    write_page(tmp_path / "raw.html", with_words(numbers), rendered[:1])
    assert "match raw; style raw; fade raw" in (tmp_path / "raw.html").read_text()
    numbers["modes"]["style"].update(calibrated=True, warnings=["style cannot get to half-way"])
    words = verdict(numbers)
    assert words[3].startswith(
        "The alpha of style was calibrated by the same two judges, fitted on the same training files, that its "
        "probabilities are reported with here"
    )
    assert "Held-out sound is never used for it." in words[3]
    assert words[3].endswith("Alpha 0.25, 0.50, 0.75 became the position 0.06, 0.25, 0.56 on the path of style.")
    assert "near alpha, that shows that it carries over to other sound" in words[3]
    assert "near alpha, that is what it was made for." in verdict({**numbers, "held_out": False})[3]
    assert words[4] == "Style cannot get to half-way."
    write_page(tmp_path / "r.html", with_words(numbers), rendered[:1])
    text = (tmp_path / "r.html").read_text()
    assert "match raw; style calibrated; fade raw" in text
    data = json.loads(re.search(r'id="report-data">(.*?)</script>', text).group(1))  # type: ignore[union-attr]
    said = ["The alpha of style was spaced by this judge" in plot["note"] for plot in data["plots"]]
    assert said == [True, True, *[False] * (len(said) - 2)]
    assert data["tables"][0]["columns"][1] == "Position"
    assert data["ablation"]["note"].endswith("(evaluate --ablation).")
    assert [row[1] for row in data["tables"][0]["rows"]] == ["0.00", "0.06", "0.25", "0.56", "1.00"]


def test_a_rise_is_steady_and_large() -> None:
    assert rises([0.1, 0.09, 0.5, 0.9])
    assert not rises([0.1, 0.5, 0.4, 0.9])
    assert not rises([0.5, 0.55, 0.6])


@pytest.fixture
def rendered() -> list[dict[str, Rendered]]:
    tone = Wave(0.1 * np.sin(np.arange(8000)), 8000)
    stretch = Stretch(0, Path("</script><b>x.wav"), 0, 0.0, 1.0, True)
    one = Rendered(stretch, tone, tone, dict.fromkeys(ALPHAS, tone))
    return [dict.fromkeys(("match", "style", "fade"), one)] * 2


def with_words(numbers: dict[str, Any]) -> dict[str, Any]:
    return {**numbers, "summary": verdict(numbers), "checks": checks(numbers)}


def test_names_cannot_break_the_page(
    numbers: dict[str, Any], rendered: list[dict[str, Rendered]], tmp_path: Path
) -> None:
    numbers["corpora"] = ["<img src=x>", "</script>"]
    write_page(tmp_path / "r.html", with_words(numbers), rendered[:1])
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<img" not in text
    assert text.count("</script>") == text.count("<script")


@pytest.mark.slow
def test_a_page_that_would_be_too_large_leaves_players_out(
    numbers: dict[str, Any], rendered: list[dict[str, Rendered]], tmp_path: Path
) -> None:
    numbers = with_words(numbers)
    whole = write_page(tmp_path / "a.html", numbers, rendered)
    assert whole["players"] == 2 * 10
    less = write_page(tmp_path / "b.html", numbers, rendered, max_bytes=whole["bytes"] * 2 // 3)
    none = write_page(tmp_path / "c.html", numbers, rendered, max_bytes=1000)
    assert (less["players"], none["players"]) == (10, 0)


def test_the_bar_reaches_its_end_and_never_goes_back(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []
    described = evidence.Described({}, np.arange(3))
    monkeypatch.setattr(report, "describe_corpus", lambda *args, report: report(1.0) or described)
    monkeypatch.setattr(report, "appoint_judges", lambda *args, **options: [])
    monkeypatch.setattr(report, "measure_anchors", lambda *args, **options: {})
    monkeypatch.setattr(
        report,
        "render_modes",
        lambda *args, report, modes, **options: report(0.5) or report(1.0) or dict.fromkeys(modes),
    )
    monkeypatch.setattr(report, "measure_mode", lambda *args, report: report(1.0) or {})
    monkeypatch.setattr(report, "measure_latents", lambda *args, **options: {})
    monkeypatch.setattr(report, "measure_rebuilding", lambda *args, report: report(1.0) or [])
    monkeypatch.setattr(report, "measure_damage", lambda *args: 0.9)
    work = report._Work(run, Dials(), report._Wanted({"match": False, "fade": True}, 1, True, False), 0)
    work.measure(lambda done, note="": seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == sum(work.costs.values())
    assert work.costs["ablation"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_a_browser_shows_the_page_without_complaint(
    numbers: dict[str, Any], rendered: list[dict[str, Rendered]], tmp_path: Path, dark: bool
) -> None:
    numbers["back"] = {"sources": numbers["sources"], "modes": numbers["modes"]}
    numbers = with_words(numbers)
    write_page(tmp_path / "r.html", numbers, rendered[:1])
    with chromium(dark=dark) as driver:
        open_page(driver, tmp_path / "r.html")
        assert console_errors(driver) == []

        def count(selector: str) -> int:
            return len(driver.find_elements("css selector", selector))

        assert driver.find_element("css selector", "#summary p").text == numbers["summary"][0]
        assert count("#checks .yes") == len(numbers["checks"])
        assert count("#plots svg g.m0 polyline") == 8
        assert count("#plots svg g.m2.control polyline") == 8
        assert count("#plots svg rect.region") == 1
        assert count("#timbre svg") == len(TIMBRE)
        assert count(".player") == 10
        assert count("#tables table") == 4
