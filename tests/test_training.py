"""Training on tiny corpora: exact, never worse than PCA, limited, interrupted, resumed, refused."""

from __future__ import annotations

import json
import math
import shutil
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from stylemix import features
from stylemix.errors import BadInput, StylemixError
from stylemix.model import learning, training, workplace
from stylemix.model.artefact import read_metrics, read_recipe
from stylemix.model.learning import Learner
from stylemix.model.run import Run, load_run
from tests import sounds
from tests.tiny_training import RATE, tiny_corpora, tiny_recipe, tiny_run


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return tiny_corpora(tmp_path_factory.mktemp("corpora"))


@pytest.fixture(scope="module")
def finished(folders: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Run:
    return tiny_run(folders, tmp_path_factory.mktemp("finished") / "a.mix")


@pytest.fixture
def copy(finished: Run, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished.path, tmp_path / "copy.mix"))


def weights(run: Run) -> list[torch.Tensor]:
    return list(run.model.state_dict().values())


def same(one: Run, other: Run) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def history(run: Run) -> list[list[float]]:
    """The curve without its seconds."""
    return [row[1:] for row in run.metrics["curve"]]


def interrupt_at(step: int, monkeypatch: pytest.MonkeyPatch, error: type[BaseException] = KeyboardInterrupt) -> None:
    """Let the training be interrupted when it is about to take a step."""
    take = Learner.step

    def step_or_stop(learner: Learner) -> None:
        if learner.progress.step == step:
            raise error
        take(learner)

    monkeypatch.setattr(Learner, "step", step_or_stop)


def test_the_same_seed_gives_the_same_weights_bit_for_bit(
    finished: Run, folders: list[Path], tmp_path: Path
) -> None:
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


def test_a_run_folder_is_complete_and_finite(finished: Run) -> None:
    parts = {p.name for p in finished.path.iterdir()}
    assert parts == {"card.md", "corpora.json", "latents.safetensors", "metrics.json", "model.safetensors", "previews",
                     "recipe.toml", "training"}

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
        "original-0-held.wav", "original-1-plucked.wav", "step-000040-0-held.wav", "step-000040-1-plucked.wav"]
    for original, rebuilt in zip(previews[:2], previews[2:], strict=True):
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


def test_previews_come_while_it_learns(folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", iter(np.arange(0, 1e4, 0.5)).__next__)
    run = tiny_run(folders, tmp_path / "a.mix", recipe=tiny_recipe(preview_s=4.0, steps=20))
    steps = {p.name[5:11] for p in (run.path / "previews").glob("step-*")}
    assert len(steps) >= 3


def test_the_second_training_computes_no_features(
    finished: Run, folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise AssertionError("features were computed again")

    monkeypatch.setattr(features, "feature_blocks", refuse)
    assert same(tiny_run(folders, tmp_path / "b.mix"), finished)


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


def test_minutes_are_kept(folders: list[Path], tmp_path: Path) -> None:
    started = time.monotonic()
    run = tiny_run(folders, tmp_path / "a.mix", recipe=tiny_recipe(steps=0, patience=10**6), minutes=0.02)
    took = time.monotonic() - started
    assert run.metrics["ended_by"] == "time"
    # A step and a measurement may be under way when the time is up.
    assert 1.2 <= run.metrics["seconds"] < 1.2 + 2
    assert took < 30
    assert "the time was used up" in run.card()


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


# Refusals: everything in the way is told before anything is computed.


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


# Interruptions.


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


# Finished runs.


@pytest.mark.usefixtures("no_work")
def test_a_finished_run_is_returned_as_it_is(
    copy: Path, folders: list[Path], finished: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in ({}, {"steps": 40}, {"steps": 30}, {"minutes": 5.0}):
        run = tiny_run(folders, copy, resume=True, show_progress=True, **arguments)
        assert same(run, finished)
        assert capsys.readouterr().err == f"{copy} is finished: the steps were done; more --steps go on\n"


def test_a_finished_run_goes_on_with_more(copy: Path, folders: list[Path], tmp_path: Path) -> None:
    longer = tiny_run(folders, copy, resume=True, steps=60)
    at_once = tiny_run(folders, tmp_path / "b.mix", steps=60)
    assert longer.metrics["steps"] == 60
    assert same(longer, at_once)
    assert history(longer) == history(at_once)
    assert read_recipe(copy).training.steps == 60


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
