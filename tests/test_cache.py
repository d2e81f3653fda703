"""Computed arrays on disk: whole or absent, mapped, safe for two processes."""

from __future__ import annotations

import errno
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import pytest

from stylemix.cache import ArrayCache, cache_dir, cache_key
from stylemix.errors import BadInput, StylemixError


def test_arrays_come_back_mapped_and_read_only(tmp_path: Path) -> None:
    cache = ArrayCache(tmp_path)
    frames = np.random.default_rng(0).standard_normal((5, 7)).astype(np.float16)
    cache.put("k", {"frames": frames, "empty": np.zeros((0, 3))})
    found = cache.get("k")
    assert found is not None
    assert isinstance(found["frames"], np.memmap)
    assert found["frames"].dtype == np.float16
    assert np.array_equal(found["frames"], frames)
    assert found["empty"].shape == (0, 3)
    with pytest.raises(ValueError, match="read-only"):
        found["frames"][0, 0] = 1


def test_the_first_entry_stays(tmp_path: Path) -> None:
    cache = ArrayCache(tmp_path)
    cache.put("k", {"a": np.array([1])})
    cache.put("k", {"a": np.array([2])})
    found = cache.get("k")
    assert found is not None
    assert found["a"].tolist() == [1]
    assert list(tmp_path.glob(".tmp-*")) == []


def test_a_key_depends_on_content_and_every_setting() -> None:
    keys = {
        cache_key("a", {"x": 1}),
        cache_key("b", {"x": 1}),
        cache_key("a", {"x": 2}),
        cache_key("a", {"y": 1}),
    }
    assert len(keys) == 4
    assert cache_key("a", {"x": 1, "y": 2}) == cache_key("a", {"y": 2, "x": 1})


@pytest.mark.parametrize("damage", ["shorter", "missing array", "no description", "bad description"])
def test_a_damaged_entry_is_dropped_and_can_be_written_again(tmp_path: Path, damage: str) -> None:
    cache = ArrayCache(tmp_path)
    cache.put("key", {"a": np.arange(100)})
    array, described = tmp_path / "ke" / "key" / "a.npy", tmp_path / "ke" / "key" / "entry.json"
    if damage == "shorter":
        os.truncate(array, 300)
    elif damage == "missing array":
        array.unlink()
    elif damage == "no description":
        described.unlink()
    else:
        described.write_text("{not json")
    assert cache.get("key") is None
    cache.put("key", {"a": np.arange(3)})
    found = cache.get("key")
    assert found is not None
    assert found["a"].tolist() == [0, 1, 2]


def test_names_that_leave_the_folder_are_refused(tmp_path: Path) -> None:
    cache = ArrayCache(tmp_path / "cache")
    with pytest.raises(BadInput, match="a key must be letters"):
        cache.put("../out", {"a": np.zeros(1)})
    with pytest.raises(BadInput, match="plain name"):
        cache.put("k", {"../a": np.zeros(1)})
    with pytest.raises(BadInput, match="array of numbers"):
        cache.put("k", {"a": np.array([object()])})
    assert not (tmp_path / "cache").exists()


def test_the_entries_used_longest_ago_go_first(tmp_path: Path) -> None:
    cache = ArrayCache(tmp_path)
    for i, key in enumerate(("old", "mid", "new")):
        cache.put(key, {"a": np.zeros(1000)})
        os.utime(tmp_path / key[:2] / key, (1000 + i, 1000 + i))
    assert cache.get("old") is not None
    each = cache.n_bytes() // 3
    assert cache.prune(2 * each) == each
    assert cache.get("mid") is None
    assert cache.get("old") is not None
    assert cache.prune() == 0


def test_what_a_killed_process_left_is_swept_up_after_a_day(tmp_path: Path) -> None:
    fresh, stale = tmp_path / ".tmp-fresh", tmp_path / ".tmp-stale"
    for folder in (fresh, stale):
        folder.mkdir()
    day_ago = time.time() - 100_000
    os.utime(stale, (day_ago, day_ago))
    ArrayCache(tmp_path).prune()
    assert fresh.exists()
    assert not stale.exists()


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("numpy.save", full)
    with pytest.raises(StylemixError, match="disk is full"):
        ArrayCache(tmp_path).put("key", {"a": np.zeros(10)})
    assert [path for path in tmp_path.rglob("*") if path.is_file() or path.name.startswith(".tmp")] == []
    monkeypatch.undo()
    assert ArrayCache(tmp_path).get("key") is None


def test_the_folder_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STYLEMIX_CACHE", str(tmp_path))
    assert ArrayCache().folder == tmp_path
    monkeypatch.delenv("STYLEMIX_CACHE")
    assert "stylemix" in cache_dir().parts


def _hammer(folder: str, seed: int) -> int:
    """Write and read the same twenty entries as another process does; count the wrong ones."""
    cache, wrong = ArrayCache(folder), 0
    rng = np.random.default_rng(seed)
    for i in rng.integers(0, 20, 150):
        found = cache.get(f"key{i}")
        if found is None:
            cache.put(f"key{i}", {"a": np.full(2000, i), "b": np.full(500, -i)})
        elif not (np.all(found["a"] == i) and np.all(found["b"] == -i)):
            wrong += 1
    return wrong


def test_two_processes_share_a_cache(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.starmap(_hammer, [(str(tmp_path), seed) for seed in (1, 2)]) == [0, 0]
    cache = ArrayCache(tmp_path)
    assert len(list(tmp_path.glob("??/*"))) == 20
    assert list(tmp_path.glob(".tmp-*")) == []
    for i in range(20):
        found = cache.get(f"key{i}")
        assert found is not None
        assert np.all(found["a"] == i)
