"""What a training refuses, before anything is computed, and what it does with a run that is finished."""

from __future__ import annotations

import math
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from stylemix.errors import BadInput, StylemixError
from stylemix.model import learning, training, workplace
from stylemix.model.artefact import read_recipe
from stylemix.model.run import Run, load_run
from tests import sounds
from tests.tiny_training import RATE, history, interrupt_at, same, tiny_corpora, tiny_recipe, tiny_run

# Each of them trains or renders: seconds that the fast tests of every change need not wait for.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return tiny_corpora(tmp_path_factory.mktemp("corpora"))


@pytest.fixture(scope="module")
def finished(folders: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Run:
    return tiny_run(folders, tmp_path_factory.mktemp("finished") / "a.mix")


@pytest.fixture
def copy(finished: Run, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished.path, tmp_path / "copy.mix"))


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "prepare", lambda *a, **k: pytest.fail("work was done"))


@pytest.mark.usefixtures("no_work")
def test_an_existing_run_is_neither_resumed_nor_replaced_unasked(copy: Path, folders: list[Path]) -> None:
    with pytest.raises(BadInput, match=r"copy\.mix: exists already; add --resume .* or --force"):
        tiny_run(folders, copy)


@pytest.mark.usefixtures("no_work")
def test_what_is_no_run_is_never_touched(folders: list[Path], tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("x")
    (tmp_path / "file.mix").write_text("x")
    (tmp_path / "link.mix").symlink_to(tmp_path / "letters")
    for arguments in ({}, {"resume": True}, {"force": True}):
        with pytest.raises(BadInput, match="letters: is not a stylemix run and not empty; choose another --out"):
            tiny_run(folders, tmp_path / "letters", **arguments)
        for name in ("file.mix", "link.mix"):
            with pytest.raises(BadInput, match="is there already and is no folder"):
                tiny_run(folders, tmp_path / name, **arguments)
    assert (tmp_path / "letters" / "dear.txt").read_text() == "x"


@pytest.mark.usefixtures("no_work")
def test_a_run_that_holds_more_is_not_replaced(copy: Path, folders: list[Path]) -> None:
    (copy / "hybrid.wav").write_text("dear to somebody")
    with pytest.raises(BadInput, match=r"holds hybrid\.wav, which is no part of a run and would be lost"):
        tiny_run(folders, copy, force=True)


@pytest.mark.usefixtures("no_work")
def test_the_run_must_not_be_a_corpus(folders: list[Path], tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folders[0])
    for out in (folders[0], folders[1] / ".." / "held", tmp_path / "link", folders[0].parent):
        with pytest.raises(BadInput, match="must not be one of the folders it learns from, nor hold one"):
            tiny_run(folders, out, force=True)
    with pytest.raises(BadInput, match="lies in a folder it learns from"):
        tiny_run(folders, folders[0] / "run")
    # Folders that end in .mix are no part of a corpus.
    assert workplace.choose_folder(folders, folders[0] / "run.mix") == folders[0] / "run.mix"


@pytest.mark.usefixtures("no_work")
def test_bad_limits(folders: list[Path], tmp_path: Path) -> None:
    for arguments in ({"minutes": -1.0}, {"minutes": math.nan}, {"steps": -1}, {"seed": -1}):
        with pytest.raises(BadInput, match="must be finite and not negative"):
            tiny_run(folders, tmp_path / "a.mix", **arguments)
    with pytest.raises(BadInput, match="device must be auto, cpu, cuda or mps, got 'tpu'"):
        tiny_run(folders, tmp_path / "a.mix", device="tpu")


@pytest.mark.usefixtures("no_work")
def test_tensorboard_that_is_missing(folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(StylemixError, match=r"needs the package tensorboard: pip install 'stylemix\[tensorboard\]'"):
        tiny_run(folders, tmp_path / "a.mix", recipe=tiny_recipe(tensorboard=True))


@pytest.mark.slow
def test_tensorboard_writes_events(folders: list[Path], tmp_path: Path) -> None:
    pytest.importorskip("torch.utils.tensorboard")
    run = tiny_run(folders, tmp_path / "a.mix", recipe=tiny_recipe(tensorboard=True))
    assert list((run.path / "tensorboard").glob("events*"))


def test_nothing_usable_says_why(folders: list[Path], tmp_path: Path) -> None:
    sounds.write(tmp_path / "bad" / "silent.wav", np.zeros(3 * RATE), rate=RATE)
    (tmp_path / "bad" / "noise.wav").write_bytes(b"x" * 100)
    with pytest.raises(StylemixError, match=r"bad.*1 silent") as error:
        tiny_run([folders[0], tmp_path / "bad"], tmp_path / "a.mix")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "a.mix").exists()


@pytest.mark.slow
def test_a_diverged_training_is_told_and_leaves_the_best(
    folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose = learning.reconstruction_loss

    def explode(decoded: torch.Tensor, *rest: torch.Tensor) -> torch.Tensor:
        return lose(decoded * math.inf, *rest)

    with monkeypatch.context() as patch:
        interrupt_at(15, patch)
        with pytest.raises(KeyboardInterrupt):
            tiny_run(folders, tmp_path / "a.mix")
    with monkeypatch.context() as patch:
        patch.setattr(learning, "reconstruction_loss", explode)
        with pytest.raises(StylemixError, match=r"diverged at step 15; .* lower training.learning_rate than 0.001"):
            tiny_run(folders, tmp_path / "a.mix", resume=True)
    # The state before it is still good.
    assert tiny_run(folders, tmp_path / "a.mix", resume=True).metrics["steps"] == 40


@pytest.mark.usefixtures("no_work")
def test_a_finished_run_is_returned_as_it_is(
    copy: Path, folders: list[Path], finished: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in ({}, {"steps": 40}, {"steps": 30}, {"minutes": 5.0}):
        run = tiny_run(folders, copy, resume=True, show_progress=True, **arguments)
        assert same(run, finished)
        assert capsys.readouterr().err == f"{copy} is finished: the steps were done; more --steps go on\n"


@pytest.mark.slow
def test_a_finished_run_goes_on_with_more(copy: Path, folders: list[Path], tmp_path: Path) -> None:
    longer = tiny_run(folders, copy, resume=True, steps=60)
    at_once = tiny_run(folders, tmp_path / "b.mix", steps=60)
    assert longer.metrics["steps"] == 60
    assert same(longer, at_once)
    assert history(longer) == history(at_once)
    assert read_recipe(copy).training.steps == 60


def test_latents_of_other_weights_are_gone_while_it_goes_on(
    copy: Path, folders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_at(50, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        tiny_run(folders, copy, resume=True, steps=60)
    with pytest.raises(StylemixError, match="the training did not finish"):
        load_run(copy).latents(0)
    assert load_run(copy).card() == ""


@pytest.mark.slow
def test_time_that_is_used_up_can_be_extended(folders: list[Path], tmp_path: Path) -> None:
    recipe = tiny_recipe(steps=0, patience=10**6)
    run = tiny_run(folders, tmp_path / "a.mix", recipe=recipe, minutes=0.005)
    assert tiny_run(folders, tmp_path / "a.mix", resume=True, minutes=0.005).metrics == run.metrics
    more = tiny_run(folders, tmp_path / "a.mix", resume=True, minutes=0.01)
    assert more.metrics["steps"] > run.metrics["steps"]
    assert more.metrics["seconds"] >= 0.6
    assert more.metrics["curve"][: len(run.metrics["curve"]) - 1] == run.metrics["curve"][:-1]


def test_a_finished_run_without_its_state_cannot_go_on(copy: Path, folders: list[Path]) -> None:
    shutil.rmtree(copy / "training")
    with pytest.raises(BadInput, match=r"was deleted \(training/\); train anew with --force"):
        tiny_run(folders, copy, resume=True, steps=60)
    # And it is as good as before.
    assert load_run(copy).metrics["finished"]
    assert load_run(copy).latents(0).n_steps > 0


def test_another_seed_cannot_be_resumed_with(copy: Path, folders: list[Path]) -> None:
    with pytest.raises(BadInput, match="was begun with seed 0; resume without --seed"):
        tiny_run(folders, copy, resume=True, seed=3)


def test_other_folders_cannot_be_resumed_with(copy: Path, folders: list[Path]) -> None:
    with pytest.raises(BadInput, match="was begun with held, plucked, not plucked, held; give the same folders"):
        tiny_run(folders[::-1], copy, resume=True)


def test_corpora_that_have_changed(tmp_path: Path) -> None:
    corpora = tiny_corpora(tmp_path)
    tiny_run(corpora, tmp_path / "a.mix", steps=1)
    sounds.write(corpora[0] / "new.wav", sounds.melody(3, rate=RATE, seed=77), rate=RATE)
    (corpora[1] / "0.wav").unlink()
    with pytest.raises(BadInput, match=r"corpora have changed since \(1 new files, 1 gone\); train anew with --force"):
        tiny_run(corpora, tmp_path / "a.mix", resume=True, steps=5)
    assert load_run(tmp_path / "a.mix").metrics["finished"]


def test_moved_corpora_can_be_resumed_from(tmp_path: Path) -> None:
    corpora = tiny_corpora(tmp_path / "here")
    tiny_run(corpora, tmp_path / "a.mix", steps=1)
    moved = [Path(shutil.move(c, tmp_path / c.name)) for c in corpora]
    run = tiny_run(moved, tmp_path / "a.mix", resume=True, steps=2)
    assert run.folders == tuple(str(c) for c in moved)
    assert run.file_path(0).is_file()


def test_names_that_are_no_text_are_trained_on(tmp_path: Path) -> None:
    corpora = tiny_corpora(tmp_path)
    strange = corpora[0] / "caf\udce9\n<b>.wav"
    (corpora[0] / "0.wav").rename(strange)
    odd = corpora[1].rename(tmp_path / "plu|cked\udce9")
    run = tiny_run([corpora[0], odd], tmp_path / "a.mix", steps=1)
    assert strange in {run.file_path(i) for i in range(8)}
    assert "plu\\|cked" in run.card()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no cuda device")
@pytest.mark.slow
def test_cuda_learns_the_same_to_rounding(folders: list[Path], tmp_path: Path, finished: Run) -> None:
    run = tiny_run(folders, tmp_path / "a.mix", device="cuda")
    assert run.metrics["device"] == "cuda"
    assert run.metrics["error"] == pytest.approx(finished.metrics["error"], rel=1e-2)
