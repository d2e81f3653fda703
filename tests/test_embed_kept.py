"""Maps in the run folder: the same again to the last digit, followed otherwise, and never trusted."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest
import torch

from stylemix.embedding import kept
from stylemix.embedding.embed import embed
from stylemix.embedding.kept import Kept, embed_again, keep_map, map_path, read_map
from stylemix.embedding.stability import Previous, Provenance
from stylemix.errors import BadInput
from stylemix.model.artefact import PARTS
from stylemix.model.tensors import save_tensors


def of_run(n_files: int = 3, each: int = 15) -> tuple[np.ndarray, Provenance]:
    rng = np.random.default_rng(0)
    file = np.repeat(np.arange(n_files), each)
    rows = 5 * rng.normal(size=(n_files, 6))[file] + rng.normal(size=(len(file), 6))
    hashes = [f"{i:02x}" * 32 for i in range(n_files)]
    return rows, Provenance(hashes, file, np.tile(np.arange(each) * 2.0, n_files), file % 2)


@pytest.fixture
def stored(tmp_path):
    """A map in a folder, and where it lies."""
    rows, provenance = of_run()
    points = np.random.default_rng(1).normal(size=(len(rows), 2))
    path = map_path(tmp_path, "both", "umap", 2)
    assert keep_map(path, Kept(Previous(provenance, points, 3, "umap"), "hash")) == ""
    return path


def test_a_map_is_read_as_it_was_written(stored):
    found, notice = read_map(stored)
    rows, provenance = of_run()
    assert notice == ""
    assert (found.previous.seed, found.previous.method, found.asked_of) == (3, "umap", "hash")
    assert list(found.previous.provenance.sha256) == provenance.sha256
    np.testing.assert_array_equal(found.previous.provenance.file, provenance.file)
    np.testing.assert_array_equal(found.previous.provenance.start_s, provenance.start_s)
    np.testing.assert_array_equal(found.previous.points, np.random.default_rng(1).normal(size=(len(rows), 2)))


def test_where_there_is_no_map_there_is_nothing_to_say(tmp_path):
    assert read_map(map_path(tmp_path, "both", "umap", 2)) == (None, "")


def test_the_same_again_is_not_placed_again(tmp_path, monkeypatch):
    rows, provenance = of_run()
    first, notice = embed_again(tmp_path, "both", rows, provenance, method="tsne")
    assert notice == ""
    monkeypatch.setattr(kept, "embed", lambda *given, **more: pytest.fail("placed anew"))
    again, notice = embed_again(tmp_path, "both", rows, provenance, method="tsne")
    assert notice == ""
    np.testing.assert_array_equal(again.points, first.points)
    assert (again.method, again.asked, again.scores) == (first.method, first.asked, first.scores)
    assert again.scores.same_corpus_by_chance > 0


def test_another_question_is_placed_anew_and_follows_the_last(tmp_path, monkeypatch):
    rows, provenance = of_run()
    first, _ = embed_again(tmp_path, "both", rows, provenance, method="tsne")
    asked = []
    monkeypatch.setattr(kept, "embed", lambda *given, **more: asked.append(more) or embed(*given, **more))
    embed_again(tmp_path, "both", rows + 1e-3, provenance, method="tsne")
    np.testing.assert_array_equal(asked[-1]["previous"].points, first.points)
    embed_again(tmp_path, "both", rows + 1e-3, provenance, method="tsne", seed=1)
    embed_again(tmp_path, "both", rows + 1e-3, provenance, method="tsne", seed=1, dims=3)
    embed_again(tmp_path, "latents", rows, provenance, method="tsne")
    assert len(asked) == 4
    # Other dimensions and spaces have maps of their own.
    assert [one["previous"] is None for one in asked] == [False, False, True, True]
    assert sorted(path.name for path in (tmp_path / "maps").iterdir()) == [
        "both-tsne-2d.safetensors", "both-tsne-3d.safetensors", "latents-tsne-2d.safetensors",
    ]  # fmt: skip


def test_of_pca_what_it_explains_is_always_known(tmp_path):
    rows, provenance = of_run()
    told = [embed_again(tmp_path, "both", rows, provenance, method="pca")[0] for _ in range(2)]
    assert told[0].explained == told[1].explained != ()
    np.testing.assert_array_equal(told[0].points, told[1].points)


def cut(path):
    path.write_bytes(path.read_bytes()[:-8])


def flip(path):
    data = bytearray(path.read_bytes())
    data[-5] ^= 0xFF
    path.write_bytes(data)


def huge(path):
    with path.open("r+b") as handle:
        handle.truncate(1 << 27)


def folder(path):
    path.unlink()
    path.mkdir()


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def rewrite(path, **changes):
    rows, _ = of_run()
    parts = {
        "points": torch.randn(len(rows), 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)),
        "start_s": torch.zeros(len(rows), dtype=torch.float64),
        "file": torch.zeros(len(rows), dtype=torch.int32),
        "sha256": torch.zeros(3, 32, dtype=torch.uint8),
    }
    facts = {"format": kept.FORMAT, "version": "1", "method": "umap", "seed": "0", "asked_of": "x"}
    parts.update({name: part for name, part in changes.items() if name in parts})
    facts.update({name: fact for name, fact in changes.items() if name in facts})
    save_tensors(path, parts, **facts)


@pytest.mark.parametrize(
    "damage",
    [
        cut, flip, huge, folder, pipe,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("<html>"),
        lambda path: rewrite(path, version="2"),
        lambda path: rewrite(path, format="stylemix run"),
        lambda path: rewrite(path, seed="one"),
        lambda path: rewrite(path, points=torch.zeros(45, 4, dtype=torch.float64)),
        lambda path: rewrite(path, points=torch.zeros(7, 2, dtype=torch.float64)),
        lambda path: rewrite(path, points=torch.full((45, 2), torch.nan, dtype=torch.float64)),
        lambda path: rewrite(path, points=torch.zeros(45, 2)),
        lambda path: rewrite(path, file=torch.full((45,), 3, dtype=torch.int32)),
        lambda path: rewrite(path, file=torch.full((45,), -1, dtype=torch.int32)),
        lambda path: rewrite(path, sha256=torch.zeros(3, 31, dtype=torch.uint8)),
        lambda path: rewrite(path, points=torch.eye(45, 2, dtype=torch.float64) * 1e300),
        lambda path: rewrite(path, points=torch.eye(45, 2, dtype=torch.float64) * -1.1e6),
        lambda path: rewrite(path, points=torch.eye(45, 2, dtype=torch.float64) * 1e-150),
        lambda path: rewrite(path, points=torch.ones(45, 2, dtype=torch.float64)),
        lambda path: rewrite(path, method="pca", points=torch.eye(45, 2, dtype=torch.float64) * 1e-150),
        lambda path: rewrite(path, method="lle"),
        lambda path: rewrite(path, method="<script>"),
        lambda path: rewrite(path, start_s=torch.full((45,), 1e300, dtype=torch.float64)),
        lambda path: rewrite(path, start_s=torch.full((45,), -1.0, dtype=torch.float64)),
    ],
)  # fmt: skip
def test_a_damaged_or_foreign_map_is_told_in_one_line_and_replaced(stored, damage):
    rewrite(stored)
    assert read_map(stored)[1] == ""
    damage(stored)
    found, notice = read_map(stored)
    assert found is None
    assert notice.startswith("the map before is not followed, since both-umap-2d.safetensors is damaged or foreign (")
    assert notice.endswith("); it is made anew")
    assert len(notice) < 200
    assert "\n" not in notice


def test_equal_segments_are_one_place_on_a_map_that_is_whole(stored):
    rewrite(stored, method="pca", points=torch.ones(45, 2, dtype=torch.float64))
    assert read_map(stored)[1] == ""


@pytest.mark.parametrize(
    ("lie", "asked"),
    [
        ({"points": torch.ones(45, 3, dtype=torch.float64).cumsum(0)}, "tsne"),
        ({"method": "umap"}, "tsne"),
        ({"method": "tsne"}, "pca"),
        (
            {
                "points": torch.ones(7, 2, dtype=torch.float64).cumsum(0),
                "start_s": torch.zeros(7, dtype=torch.float64),
                "file": torch.zeros(7, dtype=torch.int32),
            },
            "tsne",
        ),
    ],
)
def test_a_map_that_claims_to_answer_and_does_not_is_placed_anew(tmp_path, lie, asked):
    rows, provenance = of_run()
    path = map_path(tmp_path, "both", asked, 2)
    embed_again(tmp_path, "both", rows, provenance, method=asked)
    rewrite(path, **{"method": asked, "asked_of": read_map(path)[0].asked_of} | lie)
    made, _ = embed_again(tmp_path, "both", rows, provenance, method=asked)
    assert (made.method, made.points.shape) == (asked, (45, 2))


def test_a_folder_of_maps_that_may_not_be_looked_into_is_told(stored, monkeypatch):
    def locked(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", locked)
    assert "it is made anew" in read_map(stored)[1]


def test_what_was_damaged_is_whole_again_after_the_next_map(tmp_path):
    rows, provenance = of_run()
    path = map_path(tmp_path, "both", "isomap", 2)
    path.parent.mkdir()
    path.write_text("nonsense")
    _, notice = embed_again(tmp_path, "both", rows, provenance, method="isomap")
    assert "damaged or foreign" in notice
    assert read_map(path)[1] == ""
    assert [left.name for left in path.parent.iterdir()] == [path.name]


def test_a_run_that_cannot_be_written_still_has_maps(tmp_path):
    rows, provenance = of_run()
    made, notice = embed_again(tmp_path / "gone", "both", rows, provenance, method="pca")
    assert made.points.shape == (45, 2)
    assert notice.startswith("the map is not kept, and the next may look otherwise: ")
    os.chmod(tmp_path, stat.S_IRUSR | stat.S_IXUSR)
    try:
        made, notice = embed_again(tmp_path, "both", rows, provenance, method="pca")
    finally:
        os.chmod(tmp_path, stat.S_IRWXU)
    assert made.points.shape == (45, 2)
    # The superuser may write everywhere.
    assert bool(notice) == (os.geteuid() != 0)


def test_no_map_is_written_through_a_link_or_of_files_without_a_hash(tmp_path):
    rows, provenance = of_run()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run.mix").mkdir()
    (tmp_path / "run.mix" / "maps").symlink_to(tmp_path / "elsewhere")
    _, notice = embed_again(tmp_path / "run.mix", "both", rows, provenance, method="pca")
    assert notice.startswith("the map is not kept: ")
    assert list((tmp_path / "elsewhere").iterdir()) == []
    nameless = Provenance(["../x", "y", "z"], provenance.file, provenance.start_s)
    assert "by their content" in embed_again(tmp_path, "both", rows, nameless, method="pca")[1]


def test_maps_are_a_part_of_a_run_which_training_anew_may_replace():
    assert map_path(Path("run"), "both", "umap", 2).parts[1] in PARTS


def test_an_unknown_method_makes_no_file(tmp_path):
    rows, provenance = of_run()
    with pytest.raises(BadInput, match=r"got '\.\./x'"):
        embed_again(tmp_path, "both", rows, provenance, method="../x")
    assert list(tmp_path.iterdir()) == []
