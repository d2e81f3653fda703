"""The Python API: light to import, complete, and callable where a folder has a function's name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import stylemix as sm

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", sm.__all__)
def test_every_public_name_is_there(name: str) -> None:
    home = ROOT / sm._PUBLIC[name][0].replace(".", "/") if name in sm._PUBLIC else ROOT
    if not (home.is_dir() or home.with_suffix(".py").exists()):
        pytest.skip(f"{sm._PUBLIC[name][0]} is not built yet")
    thing = getattr(sm, name)
    assert name == "__version__" or callable(thing)
    assert name in dir(sm)


def test_the_tables_of_names_agree() -> None:
    assert set(sm.__all__) == {*sm._PUBLIC, "__version__"}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'stylemix' has no attribute 'hybird'"):
        _ = sm.hybird


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, stylemix; print(sorted({'numpy', 'torch', 'librosa', 'typer'} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert shown.stdout == "[]\n"


def test_hybrid_can_be_called_also_after_its_folder_was_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    import types

    import stylemix.hybrid as folder

    stand_in = types.ModuleType("stylemix.hybrid.render")
    stand_in.hybrid = lambda run, *, alpha: (run, alpha)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "stylemix.hybrid.render", stand_in)
    assert sm.hybrid is folder
    assert sm.hybrid("run", alpha=0.5) == ("run", 0.5)
