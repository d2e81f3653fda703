"""The house: a file imports only from the floors below it or from its own, and never in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "stylemix"

FLOORS = [
    {"errors", "version"},
    {"arrays", "compiled", "files", "progress", "recipe", "recipe_keys"},
    {"audio", "transforms"},
    {"cache", "context", "corpus", "descriptors", "doctor", "features", "pages", "phase", "renormalise", "starter",
     "style", "style_probe", "style_scattering"},
    {"model"},
    {"clusters", "embedding"},
    {"hybrid"},
    {"style_map"},
    {"explore"},
    {"contact_sheet", "listening", "measure"},
    {"__init__", "__main__", "cli", "demo", "learn", "ordering"},
]

# A call upwards that the API promises; each is inside a function, so that importing still points one way.
PROMISED = {("stylemix.arrays", "stylemix.audio"): "wave.save() writes a file"}


def modules(package: Path = PACKAGE) -> dict[str, Path]:
    """Every module's name and file."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = [package.name, *path.relative_to(package).with_suffix("").parts]
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports(path: Path, module: str, known: dict[str, Path]) -> Iterator[str]:
    """Every module of ours that a file imports, at the top, in functions and for types."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
                base = ".".join([*parents[: len(parents) - node.level + 1], *([base] if base else [])])
            names = [
                f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base for alias in node.names
            ]
        else:
            continue
        yield from (name for name in names if name in known and name != module)


def graph(package: Path = PACKAGE) -> dict[str, set[str]]:
    """What each module imports."""
    known = modules(package)
    return {module: set(imports(path, module, known)) for module, path in known.items()}


def room_of(module: str) -> str:
    """The name by which a module is on a floor."""
    return (module.split(".") + ["__init__"])[1]


def floor_of(module: str) -> int:
    """The floor a module is on, from 1."""
    return next(number for number, rooms in enumerate(FLOORS, 1) if room_of(module) in rooms)


def climbs(edges: dict[str, set[str]]) -> list[str]:
    """The imports that point to a higher floor."""
    return [
        f"{module} (floor {floor_of(module)}) imports {other} (floor {floor_of(other)})"
        for module, others in edges.items()
        for other in sorted(others)
        if floor_of(other) > floor_of(module) and (module, other) not in PROMISED
    ]


@pytest.fixture(scope="module")
def edges() -> dict[str, set[str]]:
    return graph()


def test_every_module_has_a_floor() -> None:
    rooms = set().union(*FLOORS)
    assert [module for module in modules() if room_of(module) not in rooms] == []


def test_imports_point_to_lower_floors(edges: dict[str, set[str]]) -> None:
    assert sum(len(others) for others in edges.values()) > 10
    assert climbs(edges) == []


def test_there_is_no_circle(edges: dict[str, set[str]]) -> None:
    below = {
        module: {other for other in others if (module, other) not in PROMISED}
        for module, others in edges.items()
    }
    order = list(TopologicalSorter(below).static_order())
    assert set(order) == set(edges)


def test_every_promised_exception_is_still_needed(edges: dict[str, set[str]]) -> None:
    assert [pair for pair in PROMISED if pair[1] not in edges[pair[0]]] == []


def test_a_climb_and_a_circle_would_be_seen(tmp_path: Path) -> None:
    package = tmp_path / "stylemix"
    (package / "audio").mkdir(parents=True)
    (package / "audio" / "__init__.py").write_text("from . import read\n")
    (package / "audio" / "read.py").write_text("def f():\n    from stylemix.model import run\n")
    (package / "model").mkdir()
    (package / "model" / "__init__.py").write_text("")
    (package / "model" / "run.py").write_text("import stylemix.audio\nfrom ..audio.read import f\n")
    seen = graph(package)
    assert seen["stylemix.audio"] == {"stylemix.audio.read"}
    assert seen["stylemix.model.run"] == {"stylemix.audio", "stylemix.audio.read"}
    assert climbs(seen) == ["stylemix.audio.read (floor 3) imports stylemix.model.run (floor 5)"]
    with pytest.raises(CycleError, match="cycle"):
        TopologicalSorter(seen).prepare()


def test_nothing_heavy_is_imported_at_the_top_of_what_the_command_line_loads() -> None:
    heavy = {"librosa", "matplotlib", "numba", "numpy", "scipy", "sklearn", "soundfile", "torch", "umap"}
    light = [
        PACKAGE / "__init__.py",
        PACKAGE / "recipe.py",
        PACKAGE / "recipe_keys.py",
        *(PACKAGE / "cli").glob("*.py"),
    ]
    found = [
        f"{path.name}: {name}"
        for path in light
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in [getattr(node, "module", None) or node.names[0].name]
        if name.split(".")[0] in heavy
    ]
    assert found == []
