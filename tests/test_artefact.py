"""Damaged and hostile run folders: read all the same, or told in one line; never trusted."""

from __future__ import annotations

import dataclasses
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from stylemix.errors import BadInput, StylemixError
from stylemix.features import _settings, make_vqt
from stylemix.files import readable_os_errors
from stylemix.model import tensors
from stylemix.model import weights as weights_module
from stylemix.model.artefact import read_origin, read_recipe, write_origin
from stylemix.model.autoencoder import Autoencoder
from stylemix.model.run import Run, RunFile, load_run
from stylemix.model.tensors import TensorFile, save_tensors
from stylemix.recipe import Vqt, recipe_from_toml
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


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.3, 0.999])
def test_truncated_weights(folder: Path, share: float) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert "model.safetensors: damaged" in one_line(lambda: load_run(folder))


def test_every_flipped_byte_of_the_weights_is_seen(folder: Path) -> None:
    path = folder / "model.safetensors"
    data = path.read_bytes()
    header = 8 + int.from_bytes(data[:8], "little")
    for at in [*np.random.default_rng(0).integers(header, len(data), 20), header, len(data) - 1]:
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert "is not what was written" in one_line(lambda: load_run(folder)), at


@pytest.mark.parametrize(
    "part", ["corpora.json", "recipe.toml", "metrics.json", "model.safetensors", "latents.safetensors", "card.md"]
)
def test_any_flipped_byte_is_read_or_told(folder: Path, part: str) -> None:
    path, rng = folder / part, np.random.default_rng(0)
    data, told = path.read_bytes(), 0
    for _ in range(60):
        # Half of them in the first bytes, where the headers are.
        at = int(rng.integers(min(len(data), 300 if rng.random() < 0.5 else 10**9)))
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << int(rng.integers(8))]) + data[at + 1 :])
        told += bool(one_line(lambda: read_everything(folder)))
    assert told >= (0 if part == "card.md" else 5)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(folder: Path, value: float) -> None:
    stored = load_file(folder / "model.safetensors")
    stored["linear_in"][1, 2] = value
    save_tensors(folder / "model.safetensors", stored, step="0")
    with pytest.raises(BadInput, match="'linear_in' has values that are no numbers"):
        load_run(folder)


def test_weights_of_another_shape_name_or_kind(folder: Path) -> None:
    good = load_file(folder / "model.safetensors")

    def refusal(stored: dict[str, torch.Tensor]) -> str:
        save_tensors(folder / "model.safetensors", stored)
        return one_line(lambda: load_run(folder))

    assert "'linear_in' is (4, 1), the recipe wants (4, " in refusal({**good, "linear_in": torch.zeros(4, 1)})
    assert "'means' is missing" in refusal({k: v for k, v in good.items() if k != "means"})
    assert "'more' is (1,), the recipe wants nothing" in refusal({**good, "more": torch.zeros(1)})
    assert "'means' holds I32" in refusal({**good, "means": good["means"].int()})
    assert refusal(good) == ""


def test_weights_without_a_checksum_are_foreign(folder: Path) -> None:
    save_file(load_file(folder / "model.safetensors"), folder / "model.safetensors")
    with pytest.raises(BadInput, match="damaged or foreign"):
        load_run(folder)


def absurd_header(path: Path) -> None:
    header = json.dumps({"means": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(64))


def long_header(path: Path) -> None:
    path.write_bytes(struct.pack("<Q", 1 << 50) + bytes(64))


def no_safetensors(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04" + bytes(1000))


@pytest.mark.parametrize("spoil", [absurd_header, long_header, no_safetensors])
@pytest.mark.parametrize("part", ["model.safetensors", "latents.safetensors"])
def test_hostile_tensor_files(folder: Path, spoil: Callable[[Path], None], part: str) -> None:
    spoil(folder / part)
    assert "damaged" in one_line(lambda: read_everything(folder))


def test_a_file_larger_than_any_run_is_not_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "_LARGEST_FILE", 1000)
    with pytest.raises(BadInput, match="bytes are more than a run can have"):
        load_run(folder)


def test_a_run_whose_recipe_knows_no_overlap_has_windows_that_end_at_the_neighbours(folder: Path) -> None:
    recipe = folder / "recipe.toml"
    lines = recipe.read_text().splitlines(keepends=True)
    older = [line for line in lines if not line.startswith("overlap = ")]
    assert len(older) == len(lines) - 1
    assert read_recipe(folder).vqt.overlap == Vqt().overlap == 2
    recipe.write_text("".join(older))
    run = load_run(folder)
    assert run.recipe.vqt.overlap == make_vqt(run.recipe).bank.overlap == 1
    assert "overlap" not in _settings(make_vqt(run.recipe))
    named = recipe_from_toml("".join(lines))
    assert run.recipe == dataclasses.replace(named, vqt=dataclasses.replace(named.vqt, overlap=1))
    # Where it is named, it is what it says.
    recipe.write_text("".join(older).replace("[vqt]\n", "[vqt]\noverlap = 3\n"))
    assert read_recipe(folder).vqt.overlap == 3


def test_a_recipe_that_asks_for_gigabytes_takes_none(folder: Path) -> None:
    recipe = folder / "recipe.toml"
    text = recipe.read_text().replace("width = 16", "width = 16384").replace("depth = 1", "depth = 64")
    assert text != recipe.read_text()
    recipe.write_text(text)
    # 64 layers of 16384 x 16384 x 4 weights, twice, would take 550 GB.
    with pytest.raises(BadInput, match=r"the recipe wants \("):
        load_run(folder)


def test_a_model_takes_no_memory_before_its_weights_are_known_to_fit(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = []

    class Watched(Autoencoder):
        def __init__(self, *arguments: Any) -> None:
            devices.append(torch.empty(0).device.type)
            super().__init__(*arguments)

    monkeypatch.setattr(weights_module, "Autoencoder", Watched)
    assert {p.device.type for p in load_run(folder).model.parameters()} == {"cpu"}
    assert devices == ["meta"]


HOSTILE: list[tuple[str, Any]] = [
    ("names", None),
    ("names", []),
    ("names", "held"),
    ("names", ["held", 3]),
    ("names", ["held", "held"]),
    ("names", ["held"] * 3),
    ("names", {"a": 1}),
    ("names", [["held"], ["plucked"]]),
    ("folders", ["/etc"]),
    ("folders", [1, 2]),
    ("folders", ["a\0b", "c"]),
    ("levels", [0.0]),
    ("levels", ["loud", "soft"]),
    ("levels", [float("nan"), 0.0]),
    ("levels", [1e300, 0.0]),
    ("levels", [True, False]),
    ("levels", [10**400, 0]),
    ("files", 7),
    ("files", [7]),
    ("files", [{}]),
    ("files", {"0": {}}),
    ("version", "1"),
    ("version", None),
    ("format", ["stylemix run"]),
]
HOSTILE_FILE = [
    ("path", 3),
    ("path", ""),
    ("path", "a\0b"),
    ("path", ["a"]),
    ("sha256", None),
    ("seconds", "long"),
    ("seconds", -1),
    ("seconds", float("inf")),
    ("corpus", 2),
    ("corpus", -1),
    ("corpus", 0.5),
    ("corpus", True),
    ("split", "test"),
    ("split", ["train"]),
    ("extra", 1),
    ("__class__", "os.system"),
]


@pytest.mark.parametrize(("key", "value"), HOSTILE)
def test_hostile_corpora(folder: Path, key: str, value: Any) -> None:
    change(folder / "corpora.json", **{key: value})
    assert one_line(lambda: load_run(folder))


@pytest.mark.parametrize(("key", "value"), HOSTILE_FILE)
def test_hostile_files(folder: Path, key: str, value: Any) -> None:
    files = json.loads((folder / "corpora.json").read_text())["files"]
    change(folder / "corpora.json", files=[{**files[0], key: value}, *files[1:]])
    assert "files must be objects with" in one_line(lambda: load_run(folder))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"a": ' * 5000, "[" * 10**5, "\ufeff{}", "1e999"])
@pytest.mark.parametrize("part", ["corpora.json", "metrics.json"])
def test_text_that_is_no_run(folder: Path, part: str, text: str) -> None:
    (folder / part).write_text(text, encoding="utf-8")
    assert one_line(lambda: load_run(folder))


@pytest.mark.parametrize("text", ["a = " + "[" * 10**5, "[model]\nwidth = 99999999", "\x00", "sound = 1"])
def test_recipes_that_are_none(folder: Path, text: str) -> None:
    (folder / "recipe.toml").write_text(text)
    assert "recipe.toml" in one_line(lambda: load_run(folder))


def test_text_in_another_encoding(folder: Path) -> None:
    for part in ("corpora.json", "recipe.toml", "metrics.json"):
        good = (folder / part).read_bytes()
        (folder / part).write_bytes(b"\xff\xfe" + good)
        assert part in one_line(lambda: load_run(folder))
        (folder / part).write_bytes(good)


def test_names_stay_on_one_line(folder: Path) -> None:
    change(folder / "corpora.json", names=["a\x1b[2J\nb", "c"])
    files = json.loads((folder / "corpora.json").read_text())["files"]
    change(folder / "corpora.json", files=[{**files[0], "path": "/gone/\x1b]0;x\x07\n.wav"}, *files[1:]])
    run = load_run(folder)
    message = one_line(lambda: run.file_path(0))
    assert r"\x1b" in message


def test_a_path_is_only_data(folder: Path) -> None:
    # Names that no file system takes, and bytes that are no text.
    files = json.loads((folder / "corpora.json").read_text())["files"]
    for path in ("x" * 5000, "caf\udce9.wav", "../../../../etc"):
        change(folder / "corpora.json", files=[{**files[0], "path": path}, *files[1:]])
        assert "is not there" in one_line(lambda: load_run(folder).file_path(0)), path


def test_undecodable_names_are_written_and_read(made: Run, tmp_path: Path) -> None:
    origin = read_origin(made.path)
    strange = RunFile("/music/caf\udce9.wav", "0" * 64, 1.0, 0, "train")
    write_origin(tmp_path, type(origin)(("a\udce9", "b"), origin.folders, origin.levels, (strange,)))
    assert read_origin(tmp_path).files == (strange,)


def test_saving_tensors_leaves_the_old_file_when_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    save_tensors(path, {"x": torch.ones(3)}, step="1")

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as handle:
            handle.write(data[:20])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StylemixError, match=r"a\.safetensors: the disk is full"), readable_os_errors(path):
        save_tensors(path, {"x": torch.zeros(3)}, step="2")
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]
    file = TensorFile(path)
    assert file.metadata["step"] == "1"
    assert file.read("x")["x"].tolist() == [1, 1, 1]
