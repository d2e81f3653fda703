"""A training that is interrupted, killed or out of disk goes on as if nothing had happened."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from stylemix.errors import BadInput, StylemixError
from stylemix.model import workplace
from stylemix.model.artefact import read_metrics
from stylemix.model.learning import Learner
from stylemix.model.run import Run, load_run
from tests.tiny_training import history, interrupt_at, same, tiny_corpora, tiny_recipe, tiny_run

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


def test_an_interrupted_training_goes_on_as_if_it_had_not_been(
    finished: Run, folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_at(17, patch)
        with pytest.raises(KeyboardInterrupt):
            tiny_run(folders, tmp_path / "a.mix")
    assert (tmp_path / "a.mix" / "training" / "state.safetensors").is_file()
    assert read_metrics(tmp_path / "a.mix") == {"finished": False}
    with pytest.raises(StylemixError, match="the training did not finish"):
        load_run(tmp_path / "a.mix").latents(0)
    resumed = tiny_run(folders, tmp_path / "a.mix", resume=True)
    assert same(resumed, finished)
    assert history(resumed) == history(finished)


@pytest.fixture(autouse=True)
def usual_interrupts() -> Iterator[None]:
    # Who starts the tests in the background of a shell starts them deaf to Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_waits_for_the_end_of_the_step(
    finished: Run, folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    descend = Learner._descend

    def descend_and_press(learner: Learner, *rest: Any) -> None:
        if learner.progress.step == 12:
            signal.raise_signal(signal.SIGINT)
        descend(learner, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "_descend", descend_and_press)
        with pytest.raises(KeyboardInterrupt):
            tiny_run(folders, tmp_path / "a.mix")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    taken = []
    with monkeypatch.context() as patch:
        take = Learner.step
        patch.setattr(Learner, "step", lambda learner: taken.append(learner.progress.step) or take(learner))
        assert same(tiny_run(folders, tmp_path / "a.mix", resume=True), finished)
    assert taken[0] == 13


@pytest.mark.slow
def test_an_interruption_inside_a_step_saves_no_half_of_it(
    finished: Run, folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adam = torch.optim.AdamW.step

    def half(optimizer: torch.optim.AdamW, *rest: Any) -> None:
        adam(optimizer, *rest)
        if next(iter(optimizer.state.values()))["step"] == 12:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", half)
        with pytest.raises(KeyboardInterrupt):
            tiny_run(folders, tmp_path / "a.mix", recipe=tiny_recipe(checkpoint_s=0.0))
    assert same(tiny_run(folders, tmp_path / "a.mix", resume=True), finished)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["state.safetensors", "model.safetensors", "latents.safetensors", "metrics.json"])
def test_a_full_disk_is_one_line_and_can_be_resumed_from(
    finished: Run, folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    recipe = tiny_recipe(checkpoint_s=0.0)
    written, write = [], Path.write_bytes
    texts = Path.write_text

    def until_full(path: Path, data: bytes | str, *rest: Any, **more: Any) -> int:
        written.append(part)
        # The second writing of this part finds the disk full, in the middle.
        if renamed[-1] == part and renamed.count(part) == (1 if part.startswith("latents") else 2):
            write(path, data[: len(data) // 2] if isinstance(data, bytes) else b"{")
            raise OSError(28, "No space left on device")
        return write(path, data) if isinstance(data, bytes) else texts(path, data, *rest, **more)

    renamed: list[str] = []
    from stylemix import files
    from stylemix.model import tensors

    atomic = files.atomic_path

    def named(path: str | Path) -> Any:
        renamed.append(Path(path).name)
        return atomic(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", until_full)
        patch.setattr(Path, "write_text", until_full)
        patch.setattr(tensors, "atomic_path", named)
        patch.setattr(files, "atomic_path", named)
        with pytest.raises(StylemixError, match=rf"{part}: the disk is full; free some space") as error:
            tiny_run(folders, tmp_path / "a.mix", recipe=recipe)
    assert "\n" not in str(error.value)
    assert list((tmp_path / "a.mix").rglob(".tmp-*")) == []
    resumed = tiny_run(folders, tmp_path / "a.mix", resume=True)
    assert same(resumed, finished)
    assert history(resumed) == history(finished)


def test_leftovers_of_a_kill_are_swept(copy: Path, folders: list[Path]) -> None:
    left = [copy / ".tmp-abc.json", copy / "training" / ".tmp-x.safetensors", copy / "previews" / ".tmp-y.wav"]
    for path in left:
        path.write_text("half")
    beside = copy.parent / ".tmp-copy.mix-abcd"
    (beside / "run").mkdir(parents=True)
    foreign = copy.parent / ".tmp-other.mix-abcd"
    foreign.mkdir()
    tiny_run(folders, copy, resume=True)
    assert not any(path.exists() for path in (*left, beside))
    assert foreign.exists()


@pytest.mark.slow
def test_a_kill_before_the_run_folder_leaves_nothing_to_resume(
    finished: Run, folders: list[Path], tmp_path: Path
) -> None:
    assert same(tiny_run(folders, tmp_path / "none.mix", resume=True), finished)
    (tmp_path / "empty.mix").mkdir()
    (tmp_path / "empty.mix" / ".DS_Store").touch()
    assert tiny_run(folders, tmp_path / "empty.mix", resume=True, steps=1).metrics["steps"] == 1


def test_the_folder_is_there_whole_or_not_at_all(
    folders: list[Path], copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    before = sorted(p.name for p in copy.iterdir())
    monkeypatch.setattr(workplace, "write_origin", fail)
    for out in (copy.parent / "new.mix", copy):
        with pytest.raises(StylemixError, match="the disk is full"):
            tiny_run(folders, out, force=True)
    assert [p.name for p in copy.parent.iterdir()] == ["copy.mix"]
    assert sorted(p.name for p in copy.iterdir()) == before


def test_force_replaces_also_a_damaged_run(copy: Path, folders: list[Path], finished: Run) -> None:
    text = (copy / "corpora.json").read_text()
    (copy / "corpora.json").write_text(text[: len(text) // 2])
    with pytest.raises(BadInput, match="the run is damaged"):
        tiny_run(folders, copy, resume=True)
    (copy / "previews" / "step-999999-0-held.wav").touch()
    assert same(tiny_run(folders, copy, force=True), finished)
    assert not (copy / "previews" / "step-999999-0-held.wav").exists()
