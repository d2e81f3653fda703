"""Recipes: each of them loads, base.toml says what the code does, and a mistake is named with a way out."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stylemix.errors import BadInput
from stylemix.recipe import Recipe, list_recipes, load_recipe, recipe_from_toml

RECIPES = Path(__file__).parent.parent / "recipes"
SECTIONS = [section.name for section in dataclasses.fields(Recipe) if section.name != "about"]


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.toml")))
def test_every_recipe_loads_and_is_listed_with_a_line_about_it(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.about
    assert list_recipes()[name] == recipe.about
    for section in SECTIONS:
        said = tomllib.loads((RECIPES / f"{name}.toml").read_text()).get(section, {})
        resolved = dataclasses.asdict(recipe)[section]
        assert {key: resolved[key] for key in said} == said


def test_base_says_every_default_of_the_code_and_nothing_else() -> None:
    said = tomllib.loads((RECIPES / "base.toml").read_text())
    assert said == {**dataclasses.asdict(Recipe()), "about": said["about"]}


def test_base_documents_every_key_on_the_line_above() -> None:
    lines = (RECIPES / "base.toml").read_text().splitlines()
    undocumented = [
        line
        for above, line in zip(lines, lines[1:], strict=False)
        if " = " in line and not above.startswith("# ") and not line.startswith("#")
    ]
    assert undocumented == []
    assert sum(" = " in line and not line.startswith("#") for line in lines) > 30


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"training.minuts": 1}, r"unknown key 'training.minuts'; did you mean 'training.minutes'\?"),
        ({"trainig": {"minutes": 1}}, r"unknown section 'trainig'; did you mean 'training'\?"),
        ({"minutes": 1}, r"unknown key 'minutes'; did you mean 'training.minutes'\?"),
        ({"training": 3}, r"'training' must be a section \[training\], got 3"),
        ({"training.minutes": True}, "training.minutes must be a number, got True"),
        ({"training.minutes": -1}, "training.minutes must be at least 0.0 and finite, got -1"),
        ({"training.minutes": float("inf")}, "training.minutes must be .* finite, got inf"),
        ({"features.floor_db": float("nan")}, "features.floor_db must be from -200.0 to -10.0, got nan"),
        ({"model.latent_dim": 8.0}, "model.latent_dim must be a whole number, got 8.0"),
        ({"model.dropout": "0.1"}, "model.dropout must be a number, got '0.1'"),
        ({"features.match_level": 1}, "features.match_level must be true or false, got 1"),
        (
            {"training.precision": "bf16"},
            "one of auto, float32, bfloat16, got 'bf16'; did you mean 'bfloat16'",
        ),
        ({"training.weights": {"cage": -1}}, "training.weights.cage must be at least 0.0 and finite, got -1"),
        ({"training.weights": 2}, "training.weights must be a table of names and numbers, got 2"),
        ({"about": 5}, "about must be a text, got 5"),
    ],
)
def test_a_mistake_names_the_key_the_rule_the_value_and_the_way_out(overrides: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        load_recipe("base", overrides)


def test_overrides_win_dotted_or_nested_and_a_whole_number_may_stand_for_a_float() -> None:
    dotted = load_recipe(
        "quick", {"training.minutes": 2, "training.seed": 7, "training.weights": {"cage": 2}}
    )
    nested = load_recipe("quick", {"training": {"minutes": 2.0, "seed": 7, "weights": {"cage": 2.0}}})
    assert dotted == nested
    assert isinstance(dotted.training.minutes, float)
    assert dotted.model == load_recipe("quick").model


def test_a_file_may_name_its_base_by_name_or_by_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('base = "quick"\n[model]\nlatent_dim = 5\n')
    (tmp_path / "yours.toml").write_text('base = "mine.toml"\n[training]\nseed = 3\n')
    yours = load_recipe(tmp_path / "yours.toml")
    assert (yours.model.latent_dim, yours.training.seed) == (5, 3)
    assert yours.training.minutes == load_recipe("quick").training.minutes
    assert yours.about == ""


def test_a_file_is_named_in_its_errors(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("[training]\nminuts = 3\n")
    with pytest.raises(
        BadInput, match=r"^recipe x.toml: unknown key 'training.minuts'; did you mean 'training.m"
    ):
        load_recipe(tmp_path / "x.toml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[training\n", "recipe x.toml: not valid TOML: .*line 1"),
        (b"\xff\xfe", "recipe x.toml: cannot be read as UTF-8 text"),
        (b"base = 3", "base must be the name of a recipe or a file, got 3"),
        (b'base = "x.toml"', "its base leads back to itself"),
        (b'base = "quik"', r"recipe quik: no such recipe or file; did you mean 'quick'\?"),
    ],
)
def test_a_broken_file_is_one_clear_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.toml").write_bytes(content)
    with pytest.raises(BadInput, match=message) as error:
        load_recipe(tmp_path / "x.toml")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("quik", r"did you mean 'quick'\?"),
        ("zzz", "the recipes are base, .* or give a TOML file"),
        ("", "no such"),
    ],
)
def test_an_unknown_recipe_is_answered_with_the_known_ones(name: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        load_recipe(name)


@given(
    about=st.text(st.characters(codec="utf-8")),
    weights=st.dictionaries(st.text(st.characters(codec="utf-8")), st.floats(0, 1e9), max_size=3),
    rate=st.floats(1e-8, 1.0),
    steps=st.integers(0, 2**62),
)
def test_what_is_written_is_read_back_the_same_whatever_it_holds(
    about: str, weights: dict[str, float], rate: float, steps: int
) -> None:
    overrides = {"about": about, "training": {"weights": weights, "learning_rate": rate, "steps": steps}}
    recipe = load_recipe("base", overrides)
    text = recipe.to_toml()
    assert recipe_from_toml(text) == recipe
    assert recipe_from_toml(text).to_toml() == text


def test_a_run_of_an_older_version_gets_the_defaults_of_newer_keys() -> None:
    assert recipe_from_toml("[sound]\nsample_rate = 44100\n") == Recipe(
        sound=dataclasses.replace(Recipe().sound, sample_rate=44100)
    )


@pytest.mark.slow
def test_the_wheel_holds_every_file_and_finds_the_recipes_from_any_folder(tmp_path: Path) -> None:
    root = RECIPES.parent
    source, wheels, installed = (tmp_path / name for name in ("source", "wheels", "installed"))
    # Built from a copy: setuptools leaves build/ behind, and what lies there would go into the next wheel.
    source.mkdir()
    files = ["pyproject.toml", "README.md", "LICENSE", "stylemix", "recipes"]
    subprocess.run(["cp", "-r", *(root / name for name in files), source], check=True)
    options = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "-w", wheels, source], check=True)
    (wheel,) = wheels.glob("stylemix-*.whl")
    subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel, installed], check=True)
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r})\n"
        "import stylemix.recipe as recipe; print(recipe.__file__); print(*recipe.list_recipes())"
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=empty, check=True, capture_output=True, text=True
    )
    where, names = shown.stdout.splitlines()
    assert where.startswith(str(installed))
    assert names.split() == sorted(path.stem for path in RECIPES.glob("*.toml"))
    ours = [path.relative_to(source) for path in (source / "stylemix").rglob("*") if path.is_file()]
    missing = [path for path in ours if "__pycache__" not in path.parts and not (installed / path).is_file()]
    assert missing == []
