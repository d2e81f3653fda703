"""What a map's page is given: layouts, values, clusters, hybrids; how it is packed."""

import base64
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from stylemix.arrays import Wave
from stylemix.errors import BadInput
from stylemix.pages.document import read_template
from stylemix.style_map.columns import CAUTION, pack_columns, place_steps
from stylemix.style_map.data import GridHybrid, Layout, Values
from stylemix.style_map.page import MAP_SCRIPTS, MAP_STYLES, map_document, map_parts, write_map
from tests.page_driving import rich_points

KINDS = {"u8": "u1", "u16": "<u2", "u32": "<u4", "i16": "<i2", "i32": "<i4", "f32": "<f4"}


def value_of(parts):
    return json.loads(re.search(r'id="map-data">(.*?)</script>', parts.data, re.DOTALL).group(1))


def column(parts, name):
    kind, offset, length = value_of(parts)["columns"][name]
    data = base64.b64decode(re.search(r'id="map-columns">(.*?)</script>', parts.data).group(1))
    return np.frombuffer(data, KINDS[kind], length, offset)


def test_columns_are_read_back_as_they_were():
    points = rich_points()
    parts = map_parts(points)
    np.testing.assert_array_equal(column(parts, "cluster"), points.cluster)
    np.testing.assert_array_equal(column(parts, "file"), np.arange(12) % 2)
    np.testing.assert_array_equal(column(parts, "placed"), np.arange(12) == 4)
    np.testing.assert_allclose(column(parts, "start"), points.start_s)
    np.testing.assert_allclose(column(parts, "value1"), points.values["pitch"].array, rtol=1e-6)
    steps = column(parts, "layout1").reshape(12, 3) / 65535 * 3
    np.testing.assert_allclose(steps, points.layouts[1].points, atol=1e-4)


def test_columns_start_where_a_typed_array_may():
    index, text = pack_columns({"a": np.zeros(3, np.uint8), "b": np.ones(2, np.float32), "c": np.ones(1, np.uint16)})
    assert [offset % 4 for _, offset, _ in index.values()] == [0, 0, 0]
    assert len(base64.b64decode(text)) == 4 + 8 + 4


def test_all_places_at_one_point_are_no_reason_to_fail():
    assert place_steps(np.ones((3, 2))).tolist() == [0] * 6


def test_of_a_logarithmic_value_what_is_not_above_zero_is_none():
    parts = map_parts(rich_points(values={"a": Values("A", "Hz", np.arange(12.0) - 1, "log"),
                                          "b": Values("B", "", np.full(12, np.inf))}))  # fmt: skip
    assert np.isnan(column(parts, "value0")).tolist() == [True] * 2 + [False] * 10
    assert np.isnan(column(parts, "value1")).all()


def test_words_about_layouts_clusters_and_hybrids():
    value = value_of(map_parts(rich_points()))
    assert value["layouts"][0]["scores"] == [["Trustworthiness", 0.93]]
    assert value["layouts"][0]["note"] == f"Made by hand. {CAUTION}"
    assert value["layouts"][2]["note"] == CAUTION
    assert [layout["dims"] for layout in value["layouts"]] == [2, 3, 2]
    assert (value["infos"][1]["silhouette"], value["infos"][0]["nearest"]) == (None, [["beach-boys", 2, 0.5]])
    assert value["hybrids"][1]["label"] == "1 with 2, alpha 0.75"
    assert value["tags"] == ["=Ives", "Wilson"]


def test_clusters_are_told_from_labels_where_nothing_else_does():
    infos = value_of(map_parts(rich_points(infos=())))["infos"]
    assert [(info["number"], info["size"]) for info in infos] == [(1, 6), (2, 5)]
    assert infos[0]["shares"] == [["cage", 1.0]]
    # Segments 0, 2, 4, ... lie at x of 0 and 2: 4 and 6 are nearest to the mean.
    assert infos[0]["medoid"] in (4, 6)


def test_hybrids_take_a_share_of_the_room_and_what_is_left_out_is_said(tmp_path):
    hiss = np.random.default_rng(0).normal(scale=0.1, size=(1, 44100 * 4)).astype(np.float32)
    many = [GridHybrid(1, 2, a, "match", Wave(hiss, 44100), 4.0, "") for a in np.linspace(0, 1, 8)]
    bare = write_map(tmp_path / "bare.html", rich_points(hybrids=(), clip=None))["bytes"]
    facts = write_map(tmp_path / "map.html", rich_points(hybrids=many), max_bytes=bare + 1_000_000)
    assert 0 < facts["hybrids"] < 8
    assert facts["bytes"] <= bare + 1_000_000
    assert f"{8 - facts['hybrids']} of 8 hybrids found no room" in facts["notice"]
    assert facts["with_sound"] == 12


@pytest.mark.slow
@pytest.mark.parametrize("n_files", [1, 300])
def test_the_whole_page_stays_within_its_budget(tmp_path, n_files):
    n = 300
    files = [f"{i * n_files // n}.wav" for i in range(n)]
    points = replace(
        rich_points(n), tags=(), files=files, hybrids=(), corpus=np.zeros(n, int),
        clip=lambda i: (np.random.default_rng(i).normal(scale=0.1, size=(1, 12000)), 12000),
    )  # fmt: skip
    facts = write_map(tmp_path / "map.html", points, max_bytes=700_000)
    assert 550_000 < facts["bytes"] <= 700_000
    text = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert "MB of at most 0.7 MB" in text


def test_sound_comes_behind_the_scripts():
    text = map_document(rich_points())
    assert text.index('id="map-columns"') < text.rindex("<script>") < text.index('id="map-strip-0"')
    assert text.index("<script>") < text.index('id="map-hybrid-0"')


def test_a_served_page_holds_panel_scripts_and_data_of_its_own():
    text = map_document(rich_points(), panel='<p id="mine">x</p>', data='<i id="also"></i>', served=True)
    assert '<p id="mine">x</p>' in text
    assert '<i id="also"></i>' in text
    assert "connect-src 'self'" in text
    assert "connect-src" not in map_document(rich_points())


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"layouts": [Layout("a", "A", np.zeros((12, 4)))]}, "layout a must have shape"),
        ({"layouts": [Layout("a", "A", np.full((12, 2), np.nan))]}, "layout a must be finite"),
        ({"layouts": [Layout("a", "A", np.zeros((12, 2)))] * 2}, "a name of its own"),
        ({"values": {"v": Values("V", "", np.zeros(3))}}, "values v must have shape"),
        ({"values": {"v": Values("V", "", np.zeros(12), "cubic")}}, "must be one of linear, log, got cubic"),
        ({"tags": ["one"]}, "one tag a file, got 1 for 2 files"),
        ({"placed": np.zeros(3, bool)}, "placed must have shape"),
        ({"hybrids": [GridHybrid(0, 1, 0.5, "match", Wave(np.zeros(8), 8000), 1, "")]}, "must be 1 to 2, got 0"),
    ],
)
def test_what_does_not_fit_is_refused(change, rule):
    with pytest.raises(BadInput, match=rule):
        rich_points(**change)


def test_every_template_is_named_once_and_short():
    assert len(set(MAP_SCRIPTS)) == len(MAP_SCRIPTS)
    for name in (*MAP_SCRIPTS, *MAP_STYLES, "style_map/map.html"):
        assert 0 < len(read_template(name).splitlines()) <= 300, name
