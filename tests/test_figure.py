"""Still pictures of the map: the right kind and size, everything said, the same twice, names only text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stylemix.errors import BadInput
from stylemix.pages.document import read_template
from stylemix.style_map.data import ClusterInfo, Layout, MapData, Values
from stylemix.style_map.figure import draw_map
from stylemix.style_map.figure_words import caption_of, legend_labels, one_line, wrapped
from stylemix.style_map.inking import GREY, draw_numbers, ink_of, page_colours

HOSTILE = r"</text><script>alert(1)</script> $\alpha_{$ & 'x' ="


def make_map(n: int = 60, *, seed: int = 0, **more) -> MapData:
    rng = np.random.default_rng(seed)
    index = np.arange(n)
    pitch = np.where(index % 5 == 0, np.nan, 100.0 * 2.0 ** (index % 6))
    given = {
        "title": "Two worlds",
        "facts": {"Length of a segment": "about 2 s", "Placed by": "UMAP of latents", "Clusters": "3, by the BIC",
                  "Seed": "7", "Run": "a.mix", "Silent files": "none"},
        "layouts": [
            Layout("latents-umap-2d", "UMAP of the latents", rng.standard_normal((n, 2)),
                   {"trustworthiness": 0.934, "neighbours_kept": 0.5}),
            Layout("latents-pca-3d", "PCA of the latents", rng.standard_normal((n, 3)), {}, "Two of three are flat."),
        ],
        "values": {"pitch": Values("Pitch", "Hz", pitch, "log"), "loudness": Values("Loudness", "dB", -1.0 * index)},
    }  # fmt: skip
    points = MapData(
        rng.standard_normal((n, 2)), index % 2, index % 3, [f"{i % 4}.wav" for i in index], 2.0 * (index // 4),
        np.full(n, 2.0), ["cage", "bach"], ["1: low", "2: high", "3: dense"], **given,
    )  # fmt: skip
    return replace(points, **more)


def words_of(path: Path) -> str:
    """All text of an SVG, in its order."""
    return " ".join("".join(node.itertext()) for node in ET.parse(path).iter("{http://www.w3.org/2000/svg}text"))


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_ending_chooses_the_kind_and_the_same_map_gives_the_same_file(tmp_path, ending):
    told = draw_map(make_map(), tmp_path / f"a.{ending}", colour="cluster")
    draw_map(make_map(), tmp_path / f"b.{ending}", colour="cluster")
    data = (tmp_path / f"a.{ending}").read_bytes()
    assert data[:5] in (b"\x89PNG\r", b"<?xml", b"%PDF-")
    assert data == (tmp_path / f"b.{ending}").read_bytes()
    assert told["bytes"] == len(data)
    assert told["layout"] == "UMAP of the latents"
    assert not re.search(rb"20\d\d-\d\d-\d\d|D:20\d\d", data)


def test_a_picture_is_as_wide_as_asked_at_its_resolution(tmp_path):
    told = draw_map(make_map(), tmp_path / "a.png", width_mm=85, dpi=254)
    size = Image.open(tmp_path / "a.png").size
    assert size[0] == pytest.approx(850, abs=1)
    assert size[1] == pytest.approx(10 * told["height_mm"], abs=2)


def test_title_legend_axes_and_caption_say_what_is_shown(tmp_path):
    draw_map(make_map(), tmp_path / "a.svg")
    words = words_of(tmp_path / "a.svg")
    for said in ("Two worlds", "cage (30)", "bach (30)", "UMAP 1", "UMAP 2", "60 segments of cage and bach"):
        assert said in words
    for said in ("trust who is near whom", "Seed: 7", "UMAP of the latents", "Trustworthiness 0.93, neighbours kept"):
        assert said in words
    assert "Silent files" not in words


def test_the_caption_names_the_method_shown_and_what_all_layouts_are_made_from():
    layouts = [Layout("umap-2d", "UMAP", np.eye(60)[:, :2]), Layout("pca-2d", "PCA", np.eye(60)[:, :2])]
    points = make_map(layouts=layouts, facts={"Placed by": "UMAP of 128 latents"})
    assert "Placed by: PCA of 128 latents." in caption_of(points, ink_of(points, "corpus", 1))
    assert "Placed by: UMAP of 128 latents." in caption_of(points, ink_of(points, "corpus", 0))


def test_a_long_unit_takes_lines_below_its_bar(tmp_path):
    unit = "0 for tones and 1 for noise, as flat as the spectrum is within each frame"
    points = make_map(values={"n": Values("Noisiness", unit, np.arange(60.0)), "m": Values("N", "", np.arange(60.0))})
    heights = [draw_map(points, tmp_path / f"{name}.svg", colour=name, width_mm=85)["height_mm"] for name in "nm"]
    assert heights[0] > heights[1] + 2.5
    assert f"Noisiness ({unit})" in words_of(tmp_path / "n.svg")


def test_values_have_a_bar_with_their_unit_and_grey_for_what_was_not_measured(tmp_path):
    draw_map(make_map(), tmp_path / "a.svg", colour="pitch")
    words = words_of(tmp_path / "a.svg")
    assert "Pitch (Hz)" in words
    assert "not measured" in words
    # Its range is 100 to 3200 Hz, and the ticks of a logarithmic bar are round numbers.
    assert {"100", "200", "500", "1000", "2000"} <= set(words.split())
    draw_map(make_map(), tmp_path / "b.svg", colour="loudness")
    assert "not measured" not in words_of(tmp_path / "b.svg")
    assert "\u221240" in words_of(tmp_path / "b.svg")


def test_colours_follow_the_values_and_the_pages():
    ink = ink_of(make_map(), "loudness", 0)
    # The map goes from quiet to loud, on paper as on the page in the light: to the dark end, where green is least.
    assert (np.diff(ink.faces[np.argsort(make_map().values["loudness"].array), 1]) <= 1e-9).all()
    assert page_colours()[:2] == ["#0072b2", "#d55e00"]
    assert len(page_colours()) == len(re.findall(r"--c\d+:", read_template("pages/base.css"))) / 2
    by_corpus = ink_of(make_map(), "corpus", 0).faces
    assert len(np.unique(by_corpus, axis=0)) == 2


def test_one_value_no_value_and_an_outlier_have_colours_too():
    for array in (np.full(60, 3.0), np.full(60, np.nan), np.zeros(60)):
        for scale in ("linear", "log"):
            points = make_map(values={"x": Values("X", "", array, scale)})
            assert np.isfinite(ink_of(points, "x", 0).faces).all()
    far = np.r_[np.linspace(0, 1, 999), 1e6]
    ink = ink_of(make_map(1000, values={"x": Values("X", "", far)}), "x", 0)
    assert ink.beyond in ("max", "both")
    assert np.ptp(ink.faces[:999, 1]) > 0.5


def test_segments_in_no_cluster_are_grey_and_have_no_number(tmp_path):
    points = make_map(12)
    points = replace(points, cluster=np.where(np.arange(12) < 3, -1, points.cluster))
    ink = ink_of(points, "cluster", 0)
    from matplotlib.colors import to_rgba

    np.testing.assert_allclose(ink.faces[:3], [to_rgba(GREY)] * 3)
    draw_map(points, tmp_path / "a.svg", colour="cluster")
    assert "in no cluster (3)" in words_of(tmp_path / "a.svg")
    assert not re.search(r"\b0\b", words_of(tmp_path / "a.svg").split("segments of")[0])


class Pen:
    """Axes that remember where text was written."""

    def __init__(self) -> None:
        self.at: dict[str, tuple[float, ...]] = {}

    def text(self, *place_and_words, **_) -> None:
        *place, words = place_and_words
        self.at[words] = tuple(place)

    def annotate(self, words, place, *_, **__) -> None:
        self.at[words] = tuple(place)


def test_a_number_stands_at_the_medoid_or_in_the_middle_of_its_cluster():
    points = make_map(30)
    place = points.layouts[0].points
    infos = [ClusterInfo(k + 1, name, 10, {}, 3 + k) for k, name in enumerate(points.cluster_names)]
    told, found = Pen(), Pen()
    draw_numbers(told, replace(points, infos=infos), ink_of(points, "cluster", 0))
    assert told.at == {"1": tuple(place[3]), "2": tuple(place[4]), "3": tuple(place[5])}
    draw_numbers(found, points, ink_of(points, "cluster", 0))
    members = place[points.cluster == 0]
    nearest = np.linalg.norm(members - members.mean(axis=0), axis=1).argmin()
    assert found.at["1"] == tuple(members[nearest])
    deep = Pen()
    draw_numbers(deep, replace(points, infos=infos), ink_of(points, "cluster", 1))
    assert deep.at["1"] == tuple(points.layouts[1].points[3])
    nothing = Pen()
    draw_numbers(nothing, points, ink_of(points, "corpus", 0))
    assert nothing.at == {}


def test_a_layout_in_space_has_three_axes_and_its_note(tmp_path):
    told = draw_map(make_map(), tmp_path / "a.svg", layout=1, colour="cluster")
    words = words_of(tmp_path / "a.svg")
    assert told["layout"] == "PCA of the latents"
    assert {"PC 1", "PC 2", "PC 3"} <= {" ".join(pair) for pair in zip(words.split(), words.split()[1:], strict=False)}
    assert "Two of three are flat." in words
    # The caution is for methods that bend the space.
    assert "near whom" not in words


def test_many_points_are_one_image_within_a_vector_file_and_text_stays_text(tmp_path):
    draw_map(make_map(6000), tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    assert text.count("<image") == 1
    assert text.count("<use") < 100
    assert "6,000 segments" in words_of(tmp_path / "a.svg")
    draw_map(make_map(60), tmp_path / "b.svg")
    assert "<image" not in (tmp_path / "b.svg").read_text()


def test_a_flat_map_is_a_flat_picture_and_both_axes_keep_one_scale(tmp_path):
    place = make_map().layouts[0].points
    heights = [
        draw_map(make_map(layouts=[Layout("a", "A", place * [1, y])]), tmp_path / f"{y}.png")["height_mm"]
        for y in (0.1, 1.0)
    ]
    assert heights[0] < heights[1] - 20


def coloured_mm(path: Path, dpi: int = 200) -> np.ndarray:
    """Where pixels of a full colour are left of the legend, (x, y) from the upper left corner (millimetres)."""
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)[:, : round(120 / 25.4 * dpi)]
    return np.argwhere(np.ptp(pixels, axis=2) > 60)[:, ::-1] * 25.4 / dpi


@pytest.mark.filterwarnings("error")
def test_one_segment_and_points_in_one_place_are_drawn(tmp_path):
    same = make_map(5, layouts=[Layout("a", "A", np.zeros((5, 2))), Layout("b", "B", np.zeros((5, 3)))])
    for points, layout in ((make_map(1), 0), (same, 0), (same, 1)):
        draw_map(points, tmp_path / "a.png", layout=layout, colour="cluster", force=True)
        found = coloured_mm(tmp_path / "a.png")
        assert len(found) > 20
        # One place, as large as a mark and its number, amid the map, which is 114 mm wide from 7 mm on
        # (in space, 118 from 3).
        assert np.ptp(found, axis=0).max() < 8
        assert found[:, 0].mean() == pytest.approx(64 if layout == 0 else 62, abs=3)


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_hostile_names_are_text(tmp_path):
    names = [HOSTILE, "\u202egnp.exe\nx" + "y" * 300]
    points = make_map(
        corpus_names=names, cluster_names=names + [HOSTILE], title=HOSTILE, facts={"Run": HOSTILE},
        values={"v": Values(HOSTILE, HOSTILE, np.arange(60.0))},
        layouts=[Layout(HOSTILE, HOSTILE, np.zeros((60, 2)), {HOSTILE: 0.5}, HOSTILE)],
    )  # fmt: skip
    for colour in ("corpus", "cluster", "v"):
        told = draw_map(points, tmp_path / f"{colour}.svg", colour=colour)
        root = ET.parse(tmp_path / f"{colour}.svg").getroot()
        assert [node.tag for node in root.iter() if "script" in node.tag] == []
        # A long name takes lines, not the page: nothing grows beyond twice its width.
        assert told["height_mm"] < 2 * told["width_mm"]
    words = words_of(tmp_path / "cluster.svg")
    assert HOSTILE in words
    assert "\u202e" not in words
    draw_map(points, tmp_path / "a.png")
    draw_map(points, tmp_path / "a.pdf")


@pytest.mark.filterwarnings("error")
def test_letters_that_the_font_lacks_are_no_fault(tmp_path):
    draw_map(make_map(corpus_names=["京都", "שלום"], title="🎻 京都"), tmp_path / "a.png", width_mm=85)
    draw_map(make_map(corpus_names=["京都", "שלום"], title="🎻 京都"), tmp_path / "a.svg")
    assert "京都 (30)" in words_of(tmp_path / "a.svg")


def test_a_user_s_own_settings_change_nothing_and_are_left_as_they_were(tmp_path):
    import matplotlib

    draw_map(make_map(), tmp_path / "a.svg")
    with matplotlib.rc_context({"font.size": 30, "text.usetex": True, "axes.facecolor": "red"}):
        draw_map(make_map(), tmp_path / "b.svg")
        assert matplotlib.rcParams["font.size"] == 30
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_lines_fit_their_width_and_break_what_is_longer():
    lines = wrapped("one two three " + "x" * 100, 20.0, 8.0)
    assert "".join(lines).replace(" ", "") == "onetwothree" + "x" * 100
    assert len(lines) > 6
    assert wrapped("WWWW", 8.0, 8.0) != wrapped("iiii", 8.0, 8.0)
    assert wrapped("iiii", 8.0, 8.0) == ["iiii"]
    assert one_line("a\u202eb") == "a\\u202eb"


def test_a_legend_that_is_too_long_counts_the_rest():
    points = make_map(120)
    points = replace(points, cluster=np.arange(120) % 40, cluster_names=[f"{i}: x" for i in range(1, 41)])
    told = legend_labels(points, ink_of(points, "cluster", 0), 48.0, 60.0)
    assert told[-1][0] == f"and {42 - len(told) + 1} more"
    assert len(legend_labels(points, ink_of(points, "cluster", 0), 48.0, 0.0)) == 42


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({"out": "a.gif"}, r"must end in .png, .svg, .pdf, got 'a.gif'"),
        ({"colour": "mood"}, "colour must be one of corpus, cluster, time, pitch, loudness, got 'mood'"),
        ({"layout": 2}, "there is no layout 2; choose one of 0 UMAP of the latents, 1 PCA"),
        ({"layout": -1}, "there is no layout -1"),
        ({"dpi": 20}, "dpi must be 50 to 1200, got 20"),
        ({"width_mm": float("nan")}, "width_mm must be 60 to 500, got nan"),
    ],
)
def test_what_cannot_be_drawn_is_refused(tmp_path, asked, rule):
    out = tmp_path / asked.pop("out", "a.png")
    with pytest.raises(BadInput, match=rule):
        draw_map(make_map(), out, **asked)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path):
    draw_map(make_map(), tmp_path / "a.png")
    with pytest.raises(BadInput, match="exists already"):
        draw_map(make_map(), tmp_path / "a.png")
    with pytest.raises(BadInput, match="one of the inputs"):
        draw_map(make_map(), tmp_path / "a.png", force=True, inputs=[tmp_path / "a.png"])
    draw_map(make_map(seed=1), tmp_path / "a.png", force=True)
