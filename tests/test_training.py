"""Training on tiny corpora: exact, never worse than PCA, kept to its limits, whole."""

from __future__ import annotations

import json
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from stylemix import features
from stylemix.errors import BadInput
from stylemix.model import learning
from stylemix.model.artefact import read_recipe
from stylemix.model.run import Run
from tests import sounds
from tests.tiny_training import RATE, history, same, tiny_corpora, tiny_recipe, tiny_run, weights


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return tiny_corpora(tmp_path_factory.mktemp("corpora"))


@pytest.fixture(scope="module")
def finished(folders: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Run:
    return tiny_run(folders, tmp_path_factory.mktemp("finished") / "a.mix")


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_bit_for_bit(finished: Run, folders: list[Path], tmp_path: Path) -> None:
    again = tiny_run(folders, tmp_path / "b.mix")
    other = tiny_run(folders, tmp_path / "c.mix", seed=1)
    assert same(finished, again)
    assert history(finished) == history(again)
    assert not same(finished, other)
    assert all(np.array_equal(finished.latents(i).codes, again.latents(i).codes) for i in range(8))


def test_it_starts_as_pca_and_ends_no_worse(finished: Run) -> None:
    m = finished.metrics
    assert m["curve"][0][3] == pytest.approx(m["pca_error"], rel=1e-5)
    assert m["error"] <= m["pca_error"] * (1 + 1e-6)
    assert m["error"] < 0.999 * m["pca_error"]
    assert m["best_step"] == min(m["curve"], key=lambda row: row[3])[1]


def test_steps_that_only_harm_leave_pca(folders: list[Path], tmp_path: Path) -> None:
    run = tiny_run(folders, tmp_path / "a.mix", recipe=tiny_recipe(learning_rate=0.5, ema_decay=0.0, steps=20))
    assert run.metrics["curve"][-1][3] > run.metrics["pca_error"]
    assert run.metrics["best_step"] == 0
    assert run.metrics["error"] == pytest.approx(run.metrics["pca_error"], rel=1e-5)


@pytest.mark.slow
def test_the_best_measurement_is_kept_and_not_the_last(
    finished: Run, folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = iter([0.5, 0.4, 0.3, 0.35, 0.2999])
    monkeypatch.setattr(learning, "held_out_error", lambda *a, **k: next(errors))
    run = tiny_run(folders, tmp_path / "a.mix")
    # What is better by less than a thousandth is no better.
    assert run.metrics["best_step"] == 20
    assert run.metrics["error"] < run.metrics["pca_error"]
    assert not same(run, finished)


def test_what_is_worse_than_pca_on_all_of_it_is_not_kept(
    folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The part that is measured while it learns says that harm is good.
    errors = iter(np.linspace(0.5, 0.4, 100))
    monkeypatch.setattr(learning, "held_out_error", lambda *a, **k: next(errors))
    harm = tiny_recipe(learning_rate=0.5, ema_decay=0.0, steps=20)
    run = tiny_run(folders, tmp_path / "a.mix", recipe=harm)
    assert [row[3] for row in run.metrics["curve"]] == sorted((row[3] for row in run.metrics["curve"]), reverse=True)
    assert run.metrics["best_step"] == 0
    assert run.metrics["error"] == pytest.approx(run.metrics["pca_error"], rel=1e-5)


def test_a_run_folder_is_complete_and_finite(finished: Run) -> None:
    parts = {p.name for p in finished.path.iterdir()}
    assert parts == {
        "card.md",
        "corpora.json",
        "latents.safetensors",
        "metrics.json",
        "model.safetensors",
        "previews",
        "recipe.toml",
        "training",
    }

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    metrics = json.loads((finished.path / "metrics.json").read_text(), parse_constant=refuse)
    assert metrics["finished"] is True
    assert metrics["steps"] == 40
    assert metrics["ended_by"] == "steps"
    assert 0 < metrics["pca_long_error"] < 1
    assert 0 <= metrics["between_error"] < 1
    assert [row[1] for row in metrics["curve"]] == [0, 10, 20, 30, 40]
    assert f"{metrics['error']:.4f}" in finished.card()
    assert read_recipe(finished.path).training.steps == 40


def test_previews_are_audible(finished: Run) -> None:
    previews = sorted((finished.path / "previews").iterdir())
    assert [p.name for p in previews] == [
        "original-0-held.wav",
        "original-1-plucked.wav",
        "step-000040-0-held.wav",
        "step-000040-1-plucked.wav",
        "step-000040-estimated-0-held.wav",
        "step-000040-estimated-1-plucked.wav",
    ]
    for original, rebuilt in zip(previews[:2] * 2, previews[2:], strict=True):
        samples = [soundfile.read(p)[0] for p in (original, rebuilt)]
        assert len(samples[0]) == len(samples[1]) > 4 * RATE
        loud = [np.sqrt(np.mean(np.square(s))) for s in samples]
        assert loud[0] > 0.01
        assert 0.3 < loud[1] / loud[0] < 3


def test_previews_of_opposite_channels_are_audible(tmp_path: Path) -> None:
    corpora = tiny_corpora(tmp_path, n_files=1, seconds=25)
    mono, _ = soundfile.read(corpora[0] / "0.wav")
    sounds.write(corpora[0] / "0.wav", np.stack([mono, -mono], axis=1), rate=RATE)
    run = tiny_run(corpora, tmp_path / "a.mix", recipe=tiny_recipe(steps=1))
    original, _ = soundfile.read(run.path / "previews" / "original-0-held.wav")
    assert np.abs(original).max() > 0.05


@pytest.mark.slow
def test_previews_come_while_it_learns(folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", iter(np.arange(0, 1e4, 0.5)).__next__)
    run = tiny_run(folders, tmp_path / "a.mix", recipe=tiny_recipe(preview_s=4.0, steps=20))
    steps = {p.name[5:11] for p in (run.path / "previews").glob("step-*")}
    assert len(steps) >= 3


@pytest.mark.slow
def test_the_second_training_computes_no_features(
    finished: Run, folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise AssertionError("features were computed again")

    monkeypatch.setattr(features, "feature_blocks", refuse)
    assert same(tiny_run(folders, tmp_path / "b.mix"), finished)


@pytest.mark.slow
def test_plateau(folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # No measurement ever counts as better than the first.
    monkeypatch.setattr(learning, "_BETTER", 1.0 - 1e-9)
    recipe = tiny_recipe(steps=0, patience=4, evaluate_every=2)
    run = tiny_run(folders, tmp_path / "a.mix", recipe=recipe)
    assert run.metrics["ended_by"] == "plateau"
    assert run.metrics["steps"] == 8
    assert "nothing got better any more" in run.card()
    resumed = tiny_run(folders, tmp_path / "a.mix", recipe=recipe, resume=True)
    assert resumed.metrics["steps"] == 8
    # Who asks for more than before knows; patience begins anew.
    more = tiny_run(folders, tmp_path / "a.mix", resume=True, steps=11)
    assert more.metrics["ended_by"] == "plateau"
    short = replace(recipe, training=replace(recipe.training, steps=5))
    tiny_run(folders, tmp_path / "b.mix", recipe=short)
    assert tiny_run(folders, tmp_path / "b.mix", resume=True, steps=7).metrics["steps"] == 7


@pytest.mark.slow
def test_minutes_are_kept(folders: list[Path], tmp_path: Path) -> None:
    started = time.monotonic()
    run = tiny_run(folders, tmp_path / "a.mix", recipe=tiny_recipe(steps=0, patience=10**6), minutes=0.02)
    took = time.monotonic() - started
    assert run.metrics["ended_by"] == "time"
    # A step and a measurement may be under way when the time is up.
    assert 1.2 <= run.metrics["seconds"] < 1.2 + 2
    assert took < 30
    assert "the time was used up" in run.card()


@pytest.mark.slow
def test_one_file_each(tmp_path: Path) -> None:
    run = tiny_run(tiny_corpora(tmp_path, n_files=1, seconds=25), tmp_path / "a.mix")
    assert [f.split for f in run.files] == ["divided", "divided"]
    assert run.metrics["held_out"] is True
    assert math.isfinite(run.metrics["error"])
    assert run.latents(0).n_steps == math.ceil(math.ceil(25 * RATE / 256) / 4)


def test_nothing_held_out(folders: list[Path], tmp_path: Path) -> None:
    run = tiny_run(folders, tmp_path / "a.mix", recipe=tiny_recipe(held_out=0.0, steps=10))
    assert run.metrics["held_out"] is False
    assert "the training sound itself" in run.card()


@pytest.mark.slow
def test_three_corpora_with_weights(folders: list[Path], tmp_path: Path) -> None:
    for i in range(4):
        sounds.write(tmp_path / "hiss" / f"{i}.wav", sounds.noise(7, rate=RATE, seed=i), rate=RATE)
    three = [*folders, tmp_path / "hiss"]
    recipe = tiny_recipe(weights={"hiss": 2.0, "plucked": 0.0})
    run = tiny_run(three, tmp_path / "a.mix", recipe=recipe)
    assert run.corpora == ("held", "plucked", "hiss")
    assert run.one_hot(2).tolist() == [0, 0, 1]
    assert run.metrics["error"] < 1
    with pytest.raises(BadInput, match=r"training\.weights names 'his', which is none of the corpora held, plucked"):
        tiny_run(three, tmp_path / "b.mix", recipe=tiny_recipe(weights={"his": 1.0}))
    zero = dict.fromkeys(run.corpora, 0.0)
    with pytest.raises(BadInput, match="weights are 0 for all of held, plucked, hiss"):
        tiny_run(three, tmp_path / "b.mix", recipe=tiny_recipe(weights=zero))
    assert not (tmp_path / "b.mix").exists()


@pytest.mark.slow
def test_match_spectrum(folders: list[Path], tmp_path: Path, finished: Run) -> None:
    recipe = tiny_recipe()
    unmatched = replace(recipe, features=replace(recipe.features, match_spectrum=False))
    run = tiny_run(folders, tmp_path / "a.mix", recipe=unmatched)
    assert torch.equal(run.model.means[0], run.model.means[1])
    assert (finished.model.means[0] - finished.model.means[1]).abs().max() > 0.5


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_both_precisions(folders: list[Path], tmp_path: Path, precision: str) -> None:
    run = tiny_run(folders, tmp_path / "a.mix", recipe=tiny_recipe(precision=precision, steps=20))
    assert run.metrics["precision"] == precision
    assert run.metrics["error"] <= run.metrics["pca_error"] * (1 + 1e-6)
    assert {w.dtype for w in weights(run)} == {torch.float32}
