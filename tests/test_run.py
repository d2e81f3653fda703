"""A run: what is read back, where its files are, what is missing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from stylemix.errors import BadInput, StylemixError
from stylemix.features import file_features
from stylemix.model.artefact import is_run, read_origin, write_origin
from stylemix.model.frames import set_loudness_apart
from stylemix.model.run import Run, RunFile, load_run
from stylemix.model.tensors import save_tensors
from tests.tiny_training import tiny_corpora, tiny_run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("made")
    return tiny_run(tiny_corpora(folder), folder / "held-plucked.mix")


@pytest.fixture
def folder(made: Run, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(made.path, tmp_path / "spoilt.mix"))


def one_line(function: Callable[[], object]) -> str:
    """The message of a BadInput, checked to be one printable line; empty if there is none."""
    try:
        function()
    except BadInput as error:
        message = str(error)
        assert message.isprintable(), message
        assert 10 < len(message) < 1000
        return message
    return ""


def change(path: Path, **values: Any) -> None:
    """Put other values into a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def read_everything(folder: Path) -> None:
    """Whatever a later stage may ask of a run."""
    run = load_run(folder)
    for i in range(len(run.files)):
        run.latents(i)
        run.file_path(i)
    assert run.describe()
    assert isinstance(run.card(), str)


def test_a_run_reads_back(made: Run) -> None:
    run = load_run(made.path)
    assert run.corpora == ("held", "plucked")
    assert [Path(f).name for f in run.folders] == ["held", "plucked"]
    assert run.files == made.files
    assert isinstance(run.files[0], RunFile)
    assert len(run.files) == 8
    assert {f.split for f in run.files} == {"train", "held-out"}
    assert run.recipe == made.recipe
    np.testing.assert_allclose(run.levels, made.levels)
    assert not run.model.training
    described = json.loads(json.dumps(run.describe(), allow_nan=False))
    assert described["corpora"][0]["minutes"] == pytest.approx(4 * 7 / 60, abs=0.01)
    assert described["latent_rate_hz"] == pytest.approx(8000 / 1024, abs=1e-3)
    assert described["bands"] == run.vqt.n_bands
    assert "held" in run.card()


def test_stored_latents_are_the_encoded_files(made: Run) -> None:
    for i in (0, len(made.files) - 1):
        features = file_features(made.file_path(i), made.vqt)
        latents = made.encode(features.log_magnitude, made.one_hot(made.files[i].corpus))
        stored = made.latents(i)
        # Half precision has 11 bits.
        np.testing.assert_allclose(stored.codes, latents.codes, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(stored.loudness, latents.loudness, rtol=1e-3)
        assert (stored.sample_rate, stored.hop_length) == (8000, 4 * 256)


def test_a_run_decodes_what_it_encodes(made: Run) -> None:
    y = file_features(made.file_path(0), made.vqt).log_magnitude.astype(np.float32)
    latents = made.encode(y, made.one_hot(0))
    out = made.decode(latents.codes, made.one_hot(0), latents.loudness)
    assert out.shape == y.shape

    def likeness(z: np.ndarray) -> float:
        return float(np.corrcoef(z.ravel(), y.ravel())[0, 1])

    # It follows the notes, and not only the mean spectrum.
    assert likeness(out) > likeness(np.roll(out, 40, axis=1)) + 0.1
    loudness = set_loudness_apart(torch.from_numpy(out), floor_db=-60)[1]
    np.testing.assert_allclose(loudness, latents.loudness, atol=1e-4)


def test_there_is_no_file_before_the_first_or_after_the_last(made: Run) -> None:
    for index in (-1, 8):
        with pytest.raises(BadInput, match=f"no file {index}, only 0 to 7"):
            made.latents(index)
        with pytest.raises(BadInput, match=f"no file {index}, only 0 to 7"):
            made.file_path(index)


def test_corpora_beside_the_run_are_found(made: Run, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(made.path, moved / "x.mix")
    shutil.copytree(made.folders[0], moved / "held")
    origin = read_origin(moved / "x.mix")
    files = tuple(
        RunFile(f.path.replace(made.folders[0], "/gone/held"), f.sha256, f.seconds, f.corpus, f.split)
        for f in origin.files
    )
    write_origin(moved / "x.mix", type(origin)(origin.names, ("/gone/held", "/gone/plucked"), origin.levels, files))
    run = load_run(moved / "x.mix")
    assert run.file_path(0) == moved / "held" / "0.wav"
    shutil.rmtree(moved / "held")
    with pytest.raises(BadInput, match=r"0\.wav: the run needs this file of held .* beside the run as .*held"):
        run.file_path(0)


def test_no_folder_and_no_run(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such run; make one with"):
        load_run(tmp_path / "missing.mix")
    (tmp_path / "song.wav").touch()
    with pytest.raises(BadInput, match="is not a stylemix run"):
        load_run(tmp_path)
    (tmp_path / "corpora.json").write_text('{"names": ["a"]}')
    with pytest.raises(BadInput, match="is not a stylemix run"):
        load_run(tmp_path)
    assert not is_run(tmp_path)


def test_a_newer_run_is_refused(folder: Path) -> None:
    change(folder / "corpora.json", version=2)
    with pytest.raises(BadInput, match=r"run format 2 is newer than this stylemix reads \(1\); update stylemix"):
        load_run(folder)


@pytest.mark.parametrize(
    ("part", "word"),
    [
        ("recipe.toml", r"recipe\.toml: missing"),
        ("metrics.json", r"metrics\.json: missing"),
        ("model.safetensors", "has no model yet; finish the training with train --resume"),
        ("corpora.json", "is not a stylemix run"),
    ],
)
def test_a_missing_part_is_named(folder: Path, part: str, word: str) -> None:
    (folder / part).unlink()
    with pytest.raises(BadInput, match=word):
        load_run(folder)


def test_missing_latents_mean_an_unfinished_training(folder: Path) -> None:
    (folder / "latents.safetensors").unlink()
    with pytest.raises(StylemixError, match="did not finish; finish it with train --resume"):
        load_run(folder).latents(0)
    stored = load_file(folder.parent / "spoilt.mix" / "model.safetensors")
    save_tensors(folder / "latents.safetensors", stored)
    with pytest.raises(BadInput, match="the latents of file 0 are missing"):
        load_run(folder).latents(0)


def test_latents_of_another_shape_are_refused(folder: Path) -> None:
    save_tensors(folder / "latents.safetensors", {"codes.0": torch.zeros(4, 9), "loudness.0": torch.zeros(99)})
    with pytest.raises(BadInput, match=r"codes\.0 has a wrong shape"):
        load_run(folder).latents(0)


def test_chroma_and_timbre_are_stored_and_decoded_for_runs_that_have_none(made: Run, folder: Path) -> None:
    stored = load_file(folder / "latents.safetensors")
    new = load_run(folder).latents(3)
    for name in ("chroma", "timbre"):
        assert getattr(new, name).shape == (12, new.n_steps)
        np.testing.assert_allclose(getattr(new, name), stored[f"{name}.3"].float().numpy())
    kept = {key: tensor for key, tensor in stored.items() if key.startswith(("codes", "loudness"))}
    save_tensors(folder / "latents.safetensors", kept)
    old = load_run(folder).latents(3)
    np.testing.assert_array_equal(old.codes, new.codes)
    for name in ("chroma", "timbre"):
        # Four dimensions decode little of a melody; runs of real music give 0.85 to 0.997 and 0.996 to 0.9996.
        agreement = np.corrcoef(getattr(old, name).ravel(), getattr(new, name).ravel())[0, 1]
        assert agreement > 0.4, name


def test_chroma_of_another_length_is_refused(folder: Path) -> None:
    stored = load_file(folder / "latents.safetensors")
    save_tensors(folder / "latents.safetensors", {**stored, "chroma.0": stored["chroma.0"][:, 1:].contiguous()})
    with pytest.raises(BadInput, match=r"chroma\.0 has a wrong shape"):
        load_run(folder).latents(0)
