"""The calibration of alpha after a training: measured on training files, stored, used, and only once."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import stylemix.measure.calibrate as measure
from stylemix import learn
from stylemix.errors import BadInput
from stylemix.hybrid.alpha_map import find_map
from stylemix.hybrid.render import hybrid_file
from stylemix.measure.calibrate import POSITIONS, calibrate, training_stretches
from stylemix.model.artefact import ALPHA
from stylemix.model.run import load_run
from tests.tiny_training import tiny_corpora, tiny_recipe, tiny_run


def fake(*splits: str, seconds: float = 60.0, held_out: float = 0.25) -> Any:
    files = [SimpleNamespace(corpus=0, split=split, seconds=seconds) for split in splits]
    recipe = SimpleNamespace(training=SimpleNamespace(held_out=held_out))
    return SimpleNamespace(files=files, recipe=recipe, file_path=lambda i: Path(f"{i}.wav"))


def test_stretches_are_of_training_files_and_spread_over_them() -> None:
    found = training_stretches(fake("held-out", *["train"] * 9), 0)
    assert [s.index for s in found] == [1, 3, 5, 7, 9]
    assert {(s.start_s, s.duration_s, s.held_out) for s in found} == {(27.0, 6.0, False)}


def test_one_file_gives_all_stretches_without_its_held_out_end() -> None:
    found = training_stretches(fake("divided"), 0)
    assert len(found) == 5
    assert all(a.start_s + a.duration_s <= b.start_s for a, b in zip(found[:-1], found[1:], strict=True))
    assert max(s.start_s + s.duration_s for s in found) <= 45.0
    # Whatever share it is.
    half = training_stretches(fake("divided", held_out=0.5), 0)
    assert max(s.start_s + s.duration_s for s in half) <= 30.0
    # Shorter than what is wanted of it: all there is.
    short = training_stretches(fake("train", seconds=2.0), 0)
    assert {(s.start_s, s.duration_s) for s in short} == {(0.0, 2.0)}
    assert max(s.start_s + s.duration_s for s in training_stretches(fake("divided", seconds=8.0), 0)) <= 6.0
    assert [s.index for s in training_stretches(fake("held-out", "held-out"), 0)[:1]] == [0]


def test_a_run_of_one_corpus_has_nothing_between() -> None:
    with pytest.raises(BadInput, match=r"one\.mix: has one corpus; .* train on two folders"):
        calibrate(SimpleNamespace(corpora=("one",), path=Path("one.mix")), show_progress=False)  # type: ignore[arg-type]


def test_of_many_corpora_only_neighbours_are_calibrated_and_the_others_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "describe_corpus", lambda *args, **options: None)
    monkeypatch.setattr(measure, "_probes", lambda *args: {})
    monkeypatch.setattr(measure, "_posteriors", lambda *args: np.linspace(0, 0.4, len(POSITIONS)))
    for names, raw in (("abcd", 0), ("abcde", 12)):
        told = calibrate(SimpleNamespace(corpora=tuple(names), path=tmp_path), show_progress=False)  # type: ignore[arg-type]
        assert len(told["uncalibrated"]) == raw
        n = len(names)
        assert len(told["maps"]) == 3 * (n * (n - 1) - raw)
        assert {row["reach"] for row in told["maps"]} == {0.4}
    assert ["a", "c"] in told["uncalibrated"]
    assert ["a", "b"] not in told["uncalibrated"]


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("wanted", [False, True])
def test_a_training_is_calibrated_once_where_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool, asked: bool, wanted: bool
) -> None:
    recipe = SimpleNamespace(hybrid=SimpleNamespace(calibrate=wanted), training=SimpleNamespace(seed=7))
    run, calls = SimpleNamespace(path=tmp_path, recipe=recipe), []
    if there:
        (tmp_path / ALPHA).write_text("{}")
    monkeypatch.setattr("stylemix.model.training.train", lambda folders, **options: calls.append(options) or run)
    monkeypatch.setattr("stylemix.measure.calibrate.calibrate", lambda run, **options: calls.append(options))
    assert learn.train(["a", "b"], calibrated=asked, show_progress=False, steps=3) is run  # type: ignore[comparison-overlap]
    assert calls[0] == {"steps": 3, "show_progress": False}
    assert calls[1:] == ([{"seed": 7, "show_progress": False}] if wanted and asked and not there else [])


@pytest.mark.slow
@pytest.mark.parametrize("n_files", [1, 3])
def test_a_run_is_calibrated_and_its_hybrids_use_it(tmp_path: Path, n_files: int) -> None:
    folders = tiny_corpora(tmp_path, n_files=n_files, seconds=24.0 / n_files)
    run = tiny_run(folders, tmp_path / "a.mix", recipe=tiny_recipe(steps=20))
    assert not (run.path / ALPHA).exists()
    told = calibrate(run, show_progress=False)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    there = {(row["mode"], row["source"], row["target"]) for row in told["maps"]}
    both = [("held", "plucked"), ("plucked", "held")]
    assert there == {(mode, *pair) for mode in ("match", "style", "morph") for pair in both}
    for row in told["maps"]:
        measured = np.array(row["measured"])
        np.testing.assert_allclose(measured[:, 0], POSITIONS)
        assert 0 <= measured.min() <= measured.max() <= 1
        assert 0 < row["half"] < 1
    # Held and plucked tones are told apart at the ends of a match.
    match = np.array(next(row["measured"] for row in told["maps"] if row["mode"] == "match"))
    assert match[-1, 1] - match[0, 1] > 0.5
    again = load_run(run.path)
    found = find_map(again.path, "match", again.corpora, 0, [1], [1.0])
    assert found is not None
    assert float(found(np.array(0.5))) == told["maps"][0]["half"]
    usual, raw = (
        hybrid_file(again, alpha=0.5, raw_alpha=raw, out=tmp_path / f"{raw}.wav", show_progress=False)
        for raw in (False, True)
    )
    assert (usual["calibrated"], raw["calibrated"]) == (True, False)
