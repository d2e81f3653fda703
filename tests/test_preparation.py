"""What a training says about its folders before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from stylemix.model.preparation import prepare
from tests.sounds import melody, write
from tests.tiny_training import tiny_recipe


def folders(tmp_path: Path) -> list[Path]:
    for i, name in enumerate("ab"):
        for j in range(3):
            write(tmp_path / name / f"{j}.wav", melody(8.0, seed=10 * i + j))
    (tmp_path / "a" / "letter.wav").write_text("no sound")
    return [tmp_path / "a", tmp_path / "b"]


def test_what_is_skipped_is_named_before_the_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tiny_recipe()
    prepared = prepare(folders(tmp_path), recipe)
    out, err = capsys.readouterr()
    assert f"not audio: {tmp_path / 'a' / 'letter.wav'}: is not a sound file" in err
    assert prepared.report.lines(minutes=recipe.training.minutes)[-2] in err
    assert out == ""


def test_quiet_is_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare(folders(tmp_path), tiny_recipe(), show_progress=False)
    assert capsys.readouterr() == ("", "")
