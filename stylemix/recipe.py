"""Recipes: every number of a run, as TOML differences from a base, checked key by key.

To add a key: a field with a default in its section below, and a commented line in recipes/base.toml.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from stylemix.errors import BadInput
from stylemix.recipe_keys import checked_value, choice, number, suggestion, toml_value


@dataclass(frozen=True)
class Sound:
    """The sound the model works on."""

    sample_rate: int = number(22050, low=4000, high=192000)
    hop_length: int = number(256, low=16, high=8192)


@dataclass(frozen=True)
class Vqt:
    """The variable-Q transform."""

    bins_per_octave: int = number(48, low=1, high=192)
    gamma_hz: float = number(7.5, low=0.0, high=1000.0)
    overlap: int = number(2, low=1, high=8)


@dataclass(frozen=True)
class FeatureKeys:
    """What the model sees of the transform."""

    kind: str = choice("vqt", "vqt", "vqt+scattering", "vqt+joint")
    context_dim: int = number(32, low=1, high=1024)
    floor_db: float = number(-60.0, low=-200.0, high=-10.0)
    match_level: bool = True
    match_spectrum: bool = True


@dataclass(frozen=True)
class Model:
    """The size of the network."""

    latent_dim: int = number(128, low=1, high=4096)
    frames_per_step: int = number(8, low=1, high=256)
    width: int = number(256, low=1, high=16384)
    depth: int = number(2, low=0, high=64)
    refiner_width: int = number(64, low=1, high=1024)
    refiner_depth: int = number(3, low=0, high=64)
    dropout: float = number(0.3, low=0.0, high=0.95)
    content_dim: int = number(48, low=0, high=4096)
    content_width: int = number(128, low=1, high=16384)


@dataclass(frozen=True)
class Training:
    """How long and how the network learns."""

    minutes: float = number(5.0, low=0.0)
    steps: int = number(0, low=0)
    batch_size: int = number(24, low=1)
    crop_steps: int = number(16, low=1)
    learning_rate: float = number(1e-3, low=1e-8, high=1.0)
    weight_decay: float = number(0.1, low=0.0)
    latent_noise: float = number(0.05, low=0.0)
    transpose_share: float = number(0.1, low=0.0, high=1.0)
    between_weight: float = number(0.1, low=0.0)
    style_crops: int = number(24, low=2)
    style_every: int = number(2, low=1)
    style_weight: float = number(0.3, low=0.0)
    agreement_weight: float = number(10.0, low=0.0)
    ema_decay: float = number(0.998, low=0.0, high=0.999999)
    held_out: float = number(0.2, low=0.0, high=0.9)
    evaluate_every: int = number(100, low=1)
    patience: int = number(20, low=1)
    checkpoint_s: float = number(10.0, low=0.0)
    preview_s: float = number(60.0, low=0.0)
    precision: str = choice("auto", "auto", "float32", "bfloat16")
    threads: int = number(0, low=0, high=1024)
    seed: int = number(0, low=0, high=2**63 - 1)
    tensorboard: bool = False
    weights: dict[str, float] = field(default_factory=dict, metadata={"low": 0.0})


@dataclass(frozen=True)
class Hybrid:
    """How two parents become one sound."""

    candidates: int = number(24, low=1)
    calibrate: bool = True


@dataclass(frozen=True)
class Recipe:
    """Every number of a run.

    Parameters
    ----------
    about : str
        One line for people.
    sound : Sound
        Sample rate and hop.
    vqt : Vqt
        The transform.
    features : FeatureKeys
        What the model sees.
    model : Model
        The size of the network.
    training : Training
        How it learns.
    hybrid : Hybrid
        How two parents become one sound.

    Examples
    --------
    >>> Recipe().sound.sample_rate
    22050
    """

    about: str = ""
    sound: Sound = Sound()
    vqt: Vqt = Vqt()
    features: FeatureKeys = FeatureKeys()
    model: Model = Model()
    training: Training = Training()
    hybrid: Hybrid = Hybrid()

    def to_dict(self) -> dict[str, Any]:
        """List every key as plain values, in the order of the file.

        Returns
        -------
        dict
            Section name to its keys.

        Examples
        --------
        >>> Recipe().to_dict()["sound"]
        {'sample_rate': 22050, 'hop_length': 256}
        """
        return dataclasses.asdict(self)

    def to_toml(self) -> str:
        """Write every key, in a fixed order, so that equal recipes are equal texts.

        Returns
        -------
        str
            TOML that `recipe_from_toml` reads back to an equal recipe.

        Examples
        --------
        >>> recipe_from_toml(Recipe().to_toml()) == Recipe()
        True
        """
        lines = [f"about = {toml_value(self.about)}"]
        for section, values in self.to_dict().items():
            if section != "about":
                lines += ["", f"[{section}]"]
                lines += [f"{key} = {toml_value(item)}" for key, item in values.items()]
        return "\n".join(lines) + "\n"


def recipe_from_toml(text: str, *, name: str = "text", base: Recipe | None = None) -> Recipe:
    """Read a recipe whose missing keys have their defaults.

    Parameters
    ----------
    text : str
        TOML.
    name : str
        What to call it in an error message.
    base : Recipe, optional
        What missing keys are taken from, instead of the defaults.

    Returns
    -------
    Recipe
        The checked recipe.

    Raises
    ------
    BadInput
        If the text is no TOML, or a key is unknown, of the wrong type or out of range.

    Examples
    --------
    >>> recipe_from_toml("[model]\\nlatent_dim = 8").model.latent_dim
    8
    """
    return _with_values(base or Recipe(), _parse(text, name), name)


def load_recipe(name_or_path: str | Path = "base", overrides: Mapping[str, Any] | None = None) -> Recipe:
    """Load a recipe that ships with stylemix or one of your own: its base plus its differences.

    Parameters
    ----------
    name_or_path : str or Path
        A name that `list_recipes` knows, or a TOML file. A file may say ``base = "quick"``.
    overrides : mapping, optional
        Values that win over the file: ``{"training.minutes": 1.0}`` or ``{"training": {"minutes": 1.0}}``.

    Returns
    -------
    Recipe
        The checked recipe.

    Raises
    ------
    BadInput
        If there is no such recipe, or a key is unknown, of the wrong type or out of range.

    Examples
    --------
    >>> load_recipe("base", {"model.latent_dim": 8}).model.latent_dim
    8
    """
    recipe = _load(_find(name_or_path), seen=())
    return _with_values(recipe, _nested(overrides or {}), "overrides")


def list_recipes() -> dict[str, str]:
    """Name the recipes that ship with stylemix.

    Returns
    -------
    dict of str to str
        Name to one line about it, sorted by name.

    Examples
    --------
    >>> "base" in list_recipes()
    True
    """
    return {path.stem: load_recipe(path).about for path in sorted(_folder().glob("*.toml"))}


def _folder() -> Path:
    # Installed from a wheel the recipes lie inside the package; in a checkout they lie beside it.
    inside = Path(__file__).parent / "recipes"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "recipes"


def _find(name_or_path: str | Path, *, beside: Path | None = None) -> Path:
    text = str(name_or_path)
    shipped = _folder() / f"{text}.toml"
    if Path(text).name == text and shipped.is_file():
        return shipped
    path = beside / text if beside else Path(text)
    if path.is_file():
        return path
    names = [known.stem for known in sorted(_folder().glob("*.toml"))]
    hint = suggestion(text, names) or f"; the recipes are {', '.join(names)}, or give a TOML file"
    raise BadInput(f"recipe {text}: no such recipe or file{hint}")


def _load(path: Path, *, seen: tuple[Path, ...]) -> Recipe:
    name = path.name
    if path.resolve() in seen:
        raise BadInput(f"recipe {name}: its base leads back to itself; give it another base")
    try:
        values = _parse(path.read_text(encoding="utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"recipe {name}: cannot be read as UTF-8 text ({error})") from None
    parent = values.pop("base", "base")
    if not isinstance(parent, str):
        raise BadInput(f"recipe {name}: base must be the name of a recipe or a file, got {parent!r}")
    if path.resolve() == (_folder() / "base.toml").resolve():
        return _with_values(Recipe(), values, name)
    base = _load(_find(parent, beside=path.parent), seen=(*seen, path.resolve()))
    return _with_values(dataclasses.replace(base, about=""), values, name)


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"recipe {name}: not valid TOML: {error}") from None


def _nested(overrides: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in overrides.items():
        section, dot, rest = key.partition(".")
        if not dot and not isinstance(value, Mapping):
            nested[key] = value
        else:
            nested.setdefault(section, {}).update({rest: value} if dot else value)
    return nested


def _sections() -> list[str]:
    return [section.name for section in fields(Recipe) if section.name != "about"]


def _place_of(word: str) -> str:
    # A key written outside its section is the likeliest mistake: then its full name helps most.
    keys = [f"{section}.{key.name}" for section in _sections() for key in fields(getattr(Recipe(), section))]
    homes = [key for key in keys if key.endswith(f".{word}")]
    return f"; did you mean '{homes[0]}'?" if homes else suggestion(word, _sections())


def _with_values(recipe: Recipe, values: Mapping[str, Any], name: str) -> Recipe:
    changes: dict[str, Any] = {}
    for section, table in values.items():
        if section == "about":
            if not isinstance(table, str):
                raise BadInput(f"recipe {name}: about must be a text, got {table!r}")
            changes[section] = table
            continue
        if section not in _sections():
            kind = "section" if isinstance(table, Mapping) else "key"
            raise BadInput(f"recipe {name}: unknown {kind} '{section}'{_place_of(section)}")
        if not isinstance(table, Mapping):
            raise BadInput(f"recipe {name}: '{section}' must be a section [{section}], got {table!r}")
        changes[section] = _section_with(getattr(recipe, section), section, table, name)
    return dataclasses.replace(recipe, **changes)


def _section_with(values: Any, section: str, table: Mapping[str, Any], name: str) -> Any:
    known = {key.name: key for key in fields(values)}
    checked = {}
    for key, value in table.items():
        if key not in known:
            hint = suggestion(f"{section}.{key}", [f"{section}.{other}" for other in known])
            raise BadInput(f"recipe {name}: unknown key '{section}.{key}'{hint}")
        checked[key] = checked_value(known[key], value, f"recipe {name}: {section}.{key}")
    return dataclasses.replace(values, **checked)
