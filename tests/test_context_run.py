"""A run whose encoder hears scattering: trained, stored, resumed, rebuilt and blended with its context."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from stylemix.context import Context, file_context
from stylemix.errors import BadInput
from stylemix.features import file_features
from stylemix.hybrid.render import hybrid, rebuild_file
from stylemix.hybrid.scan import scan
from stylemix.hybrid.source import SourceReader
from stylemix.model.run import Run, load_run
from stylemix.recipe import Recipe, load_recipe
from tests.tiny_training import history, interrupt_at, same, tiny_corpora, tiny_recipe, tiny_run

# Seconds of sound or of training in each: the fast tests of every change need not wait for them.
pytestmark = pytest.mark.slow


def hearing_recipe(kind: str = "vqt+scattering", **training: float) -> Recipe:
    plain = tiny_recipe(**training).to_dict()
    return load_recipe("base", {**plain, "features": {**plain["features"], "kind": kind, "context_dim": 6}})


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return tiny_corpora(tmp_path_factory.mktemp("corpora"), seconds=7.0)


@pytest.fixture(scope="module")
def made(folders: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Run:
    return tiny_run(folders, tmp_path_factory.mktemp("made") / "a.mix", recipe=hearing_recipe(transpose_share=0.2))


def test_it_starts_as_pca_and_learns_to_hear(made: Run) -> None:
    assert made.metrics["curve"][0][3] == pytest.approx(made.metrics["pca_error"], rel=1e-5)
    assert made.metrics["error"] < made.metrics["pca_error"]
    assert made.model.context_in is not None
    assert made.model.context_in.weight.abs().max() > 0
    assert made.describe()["features"] == "vqt+scattering"
    assert 0 <= made.metrics["between_error"] < 1
    assert "(vqt+scattering)" in made.card()


@pytest.mark.slow
def test_the_same_seed_and_a_resumed_training_give_the_same(
    made: Run, folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = hearing_recipe(transpose_share=0.2)
    with monkeypatch.context() as patch:
        interrupt_at(25, patch)
        with pytest.raises(KeyboardInterrupt):
            tiny_run(folders, tmp_path / "b.mix", recipe=recipe)
    again = tiny_run(folders, tmp_path / "b.mix", recipe=recipe, resume=True)
    assert same(made, again)
    assert history(made) == history(again)


@pytest.fixture
def keen(made: Run) -> Run:
    """A run on whose latents the context has more weight than forty steps can give it."""
    run = load_run(made.path)
    generator = torch.Generator().manual_seed(0)
    assert run.model.context_in is not None
    for layer in (run.model.context_in, run.model.encoder_out):
        layer.weight.data.add_(0.3 * torch.randn(layer.weight.shape, generator=generator))
    return run


def encoded(run: Run, index: int) -> np.ndarray:
    """The latents of a whole file."""
    context = Context("vqt+scattering", 8000, run.step_length)
    y = file_features(run.file_path(index), run.vqt).log_magnitude
    return run.encode(y, run.one_hot(run.files[index].corpus), file_context(run.file_path(index), context).T).codes


def test_stored_latents_are_the_files_encoded_with_their_context(made: Run) -> None:
    run = load_run(made.path)
    assert same(run, made)
    for index in (0, 7):
        np.testing.assert_allclose(run.latents(index).codes, encoded(run, index), rtol=2e-3, atol=2e-3)


def test_without_its_context_nothing_is_encoded(made: Run) -> None:
    y = file_features(made.file_path(0), made.vqt).log_magnitude
    with pytest.raises(BadInput, match=r"hears scattering coefficients of shape .*, got none"):
        made.encode(y, made.one_hot(0))


def test_a_scan_hears_what_the_whole_file_does(keen: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = encoded(keen, 4)
    y = file_features(keen.file_path(4), keen.vqt).log_magnitude
    other = keen.encode(y, keen.one_hot(1), keen.context(np.zeros((1, 7 * 8000)))).codes
    monkeypatch.setattr("stylemix.hybrid.scan.BLOCK_S", 1.5)
    with SourceReader(keen.file_path(4), model_rate=8000) as source:
        scanned = scan(keen, source, keen.one_hot(1)).latents
    found, stored = scanned.codes, keen.latents(4)
    assert found.shape == whole.shape
    # At its ends the encoder of a whole file sees nothing beyond, and that of a block sees silence.
    error = np.abs(found - whole)[:, 1:-2].max()
    assert error < 0.02 * np.abs(other - whole).max()
    # Stored in half precision, from features in half precision.
    np.testing.assert_allclose(scanned.chroma, stored.chroma, atol=0.02)
    np.testing.assert_allclose(scanned.timbre, stored.timbre, atol=0.02)


def test_it_rebuilds_and_blends(keen: Run, tmp_path: Path) -> None:
    path = keen.file_path(0)
    result = rebuild_file(keen, path, out=tmp_path / "again.wav", show_progress=False, duration_s=2.0)
    assert result["sc2048_db"] < 0
    wave = hybrid(keen, alpha=0.5, source=path, duration_s=2.0)
    assert np.isfinite(wave.samples).all()
    assert np.abs(wave.samples).max() > 0.01


@pytest.mark.slow
def test_joint_scattering_can_be_heard_too(folders: list[Path], tmp_path: Path) -> None:
    run = tiny_run(folders, tmp_path / "joint.mix", recipe=hearing_recipe("vqt+joint", steps=20))
    assert run.describe()["features"] == "vqt+joint"
    assert run.metrics["error"] <= run.metrics["pca_error"] * (1 + 1e-6)
    wave = hybrid(run, alpha=0.5, source=run.file_path(0), duration_s=1.0)
    assert np.isfinite(wave.samples).all()
