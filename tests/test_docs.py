"""What is written is true: docstrings are complete and the README's commands exist."""

from __future__ import annotations

import importlib
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from numpydoc.validate import validate

from stylemix.cli import COMMANDS, make_app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "stylemix").rglob("*.py")
    if path.name != "__main__.py"
)
RULES = {
    "GL03": "two blank lines",
    "GL05": "tabs",
    "GL06": "unknown section",
    "GL07": "sections out of order",
    "GL08": "no docstring",
    "SS01": "no summary",
    "SS02": "summary begins without a capital",
    "SS03": "summary ends without a full stop",
    "SS06": "summary longer than a line",
    "PR01": "parameter not documented",
    "PR02": "documented, but no parameter",
    "PR03": "parameters out of order",
    "PR04": "parameter without type",
    "PR07": "parameter without description",
    "PR10": "space before colon",
    "RT01": "no Returns",
    "RT03": "result without description",
    "YD01": "no Yields",
}


def public_things(module: Any) -> Iterator[tuple[str, Any]]:
    """Functions, classes and methods that a module defines for others, with their full names."""
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(inspect.unwrap(thing)) or inspect.isclass(thing):
            yield f"{module.__name__}.{name}", thing
        if inspect.isclass(thing):
            for key, member in vars(thing).items():
                inner = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
                if not key.startswith("_") and inspect.isfunction(inner):
                    yield f"{module.__name__}.{name}.{key}", member


def complaints(full_name: str) -> list[str]:
    """What the docs lint says about one function or class."""
    errors = validate(full_name)["errors"]
    return [f"{full_name}: {code} {text}" for code, text in errors if code in RULES]


# A command's help is its docstring (tests/test_cli.py); the keys of a recipe are explained in base.toml.
SPOKEN_FOR = {f"{command.__module__}.{command.__qualname__}" for command in COMMANDS.values()} | {
    f"stylemix.recipe.{section}" for section in ("Sound", "Vqt", "FeatureKeys", "Model", "Training", "Hybrid")
}
# A protocol is never called itself; its methods are documented.
SPOKEN_FOR |= {"stylemix.transforms.coefficients.Transform", "stylemix.phase.lattice.Wanted"}


@pytest.mark.parametrize("name", MODULES)
def test_every_public_thing_is_documented(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} has no docstring"
    names = [full_name for full_name, _ in public_things(module) if full_name not in SPOKEN_FOR]
    assert [line for full_name in names for line in complaints(full_name)] == []


def test_the_lint_sees_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import stylemix.errors

    def undocumented(rate: int) -> int:
        """does it"""
        return rate

    undocumented.__module__ = "stylemix.errors"
    monkeypatch.setattr(stylemix.errors, "undocumented", undocumented, raising=False)
    assert "stylemix.errors.undocumented" in dict(public_things(stylemix.errors))
    codes = {line.split()[1] for line in complaints("stylemix.errors.undocumented")}
    assert codes >= {"PR01", "RT01", "SS02", "SS03"}


def readme_lines(word: str) -> list[list[str]]:
    """The README's commands that begin with a word, in words."""
    blocks = re.findall(r"```\w*\n(.*?)```", README, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    split = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    return [words for words in split if words[:1] == [word]]


def test_the_commands_in_the_readme_exist_with_their_options() -> None:
    commands: dict[str, Any] = typer.main.get_command(make_app()).commands  # type: ignore[attr-defined]
    lines = readme_lines("stylemix")
    assert len(lines) >= len(COMMANDS)
    for _, name, *rest in lines:
        if name.startswith("-"):
            continue
        assert name in COMMANDS, f"README: stylemix {name}"
        known = {option for parameter in commands[name].params for option in parameter.opts}
        used = {word.split("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
        assert used <= known | {"--help", "-h"}, f"README: stylemix {name} {rest}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme(name: str) -> None:
    assert any(words[1:2] == [name] for words in readme_lines("stylemix"))


def test_the_make_targets_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert {"demo", "test", "check", "bench"} <= targets
    used = {words[1] for words in readme_lines("make")}
    assert used
    assert used <= targets


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_what_the_readme_imports_is_there(block: str) -> None:
    imports = [line for line in block.splitlines() if line.startswith(("import ", "from "))]
    assert imports
    exec("\n".join(imports), {})
