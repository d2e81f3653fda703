"""The map's page in a real browser: tools, selections and what is made of them, links, what other scripts may do."""

import json
import time

import pytest

from stylemix.style_map.page import write_map
from tests.browser import console_errors
from tests.page_driving import MAP, ask, click, drag, mouse, point_at, press, rich_points, wait_for

pytestmark = pytest.mark.slow
STATUS = "document.querySelector('.map-status').textContent"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.html"
    write_map(path, rich_points())
    return path


def selected(driver):
    return sorted(ask(driver, "map.selection.list"))


def test_a_lasso_takes_what_it_encloses(browser):
    click(browser, "[data-tool=lasso]")
    # The grid fills the picture: a triangle around its upper left half, open at the end.
    places = ask(browser, "[8, 0, 11].map((i) => map.place(i).map((p, k) => p / [map.view.width, map.view.height][k]))")
    upper_left, lower_left, upper_right = places
    drag(browser, [(lower_left[0] - 0.03, lower_left[1] + 0.06), (upper_left[0] - 0.03, upper_left[1] - 0.06),
                   (upper_right[0] + 0.06, upper_right[1] - 0.04)])  # fmt: skip
    assert selected(browser) == [0, 4, 5, 8, 9, 10, 11]
    rows = browser.find_elements("css selector", ".map-rows li")
    assert len(rows) == 7
    assert browser.find_element("css selector", ".map-selection h2").text == "7 selected"


def test_a_box_and_a_key_for_it(browser):
    point_at(browser, 5, click=True)
    press(browser, "b")
    assert ask(browser, "map.root.dataset.tool") == "box"
    drag(browser, [(0.01, 0.02), (0.5, 0.5), (0.99, 0.3)])
    assert selected(browser) == [8, 9, 10, 11]


def test_keys_select_without_a_pointer(browser):
    point_at(browser, 5, click=True)
    press(browser, "s")
    press(browser, ".")
    press(browser, "s")
    assert ask(browser, "map.selection.list") == [5, 7]
    press(browser, "s")
    assert ask(browser, "map.selection.list") == [5]
    press(browser, "k")
    assert selected(browser) == [1, 3, 5, 7, 9]


def test_keys_that_nothing_has_taken_walk_the_map(browser):
    browser.execute_script("document.activeElement.blur()")
    assert browser.execute_script("return document.activeElement === document.body")
    press(browser, "\ue014")
    assert browser.execute_script(f"{MAP} return map.view.chosen") >= 0


def test_what_is_hidden_is_not_selected(browser):
    browser.find_elements("css selector", ".map-legend button")[0].click()
    click(browser, "[data-tool=box]")
    drag(browser, [(0.01, 0.01), (0.99, 0.99)])
    assert selected(browser) == [1, 3, 5, 7, 9, 11]


def test_a_selection_is_taken_away_as_a_table(browser):
    browser.execute_script(f"{MAP} map.select([0, 11]);")
    click(browser, "[data-do=csv]")
    lines = browser.find_element("css selector", ".map-export textarea").get_property("value").split("\n")
    assert lines[0] == "segment,file,tags,corpus,cluster,start_s,duration_s,loudness_db,pitch_hz"
    # A tag that a spreadsheet would take for a formula is made text; no pitch is an empty cell; no cluster is 0.
    assert lines[1] == "1,a.wav,'=Ives,cage,1,0,2,-30,"
    assert lines[2].startswith("12,b.wav,Wilson,beach-boys,0,10,2,-19,672.717")


def test_a_selection_is_taken_away_as_a_command(browser):
    browser.execute_script(f"{MAP} map.select([2, 4, 7]);")
    click(browser, "[data-do=command]")
    field = browser.find_element("css selector", ".map-export textarea")
    expected = """stylemix hybrid 'my run.mix' --walk "0:3-8:0.5,2:5-8:0.5" --out walk.wav"""
    assert field.get_property("value") == expected
    # Of one corpus alone: the other side is what lies nearest in the picture.
    browser.execute_script(f"{MAP} map.select([0]);")
    click(browser, "[data-do=command]")
    assert '--walk "0:1-2:0.5"' in field.get_property("value")


def test_leaving_one_out_and_clearing(browser):
    browser.execute_script(f"{MAP} map.select([0, 1, 2]);")
    click(browser, ".map-rows li:nth-child(2) .drop")
    assert ask(browser, "map.selection.list") == [0, 2]
    click(browser, "[data-do=clear]")
    assert not browser.find_element("css selector", ".map-selection").is_displayed()


def test_the_search_finds_tags_and_selects(browser):
    browser.find_element("id", "map-search").send_keys("wils")
    assert browser.find_element("css selector", ".map-search output").text == "6 segments in 1 file"
    click(browser, ".map-search button")
    assert selected(browser) == [1, 3, 5, 7, 9, 11]


def test_the_address_survives_a_reload(browser):
    browser.execute_script(
        f"{MAP} map.showLayout(1, false); map.colourBy('pitch'); map.view.space.turnBy(60, 20);"
        "map.legend.setRange(map.colours.scales.get('loudness'), [0.25, 1]); map.legend.toggle('file', 1);"
        "map.select([2, 4, 6, 8]); map.choose(6); map.find('ives'); map.view.space.zoomAt(2, 100, 100); map.moved();"
    )
    wait_for(browser, "location.hash.includes('p=7')")
    told = """[map.view.space.index, map.view.space.turn.map((a) => a.toFixed(3)), map.colours.by, map.selection.list,
      map.view.chosen, [...map.view.shown], map.search.value, map.place(3).map((p) => Math.round(p / 2))]"""
    before = ask(browser, told)
    browser.refresh()
    wait_for(browser, "!!document.getElementById('map')?.segmentMap")
    assert ask(browser, told) == before
    assert before[5] == [0, 0, 0, 0] + [1, 0] * 4


def test_an_address_only_looks_things_up(shared_browser, page):
    hostile = (
        "l=<img src=x onerror=window.pwned=1>&c=constructor&v=1e999_NaN_x&t=a_b&nc=0-99999999.x&p=-5.99999&s=9-4.2"
        "&r.__proto__=0_1&r.pitch=5_-3&q=<b onmouseover=alert(1)>&g=javascript:alert(1)"
    )
    shared_browser.get("about:blank")
    shared_browser.get(page.resolve().as_uri() + "#" + hostile.replace(" ", "%20"))
    state = ask(shared_browser, "[map.view.space.index, map.colours.by, map.zoom, map.view.zoom, map.view.chosen]")
    assert state == [0, "corpus", None, 1, -1]
    assert ask(shared_browser, "[...map.legend.hidden.corpus]") == []
    assert ask(shared_browser, "map.selection.list") == [1]
    assert ask(shared_browser, "map.search.value") == "<b onmouseover=alert(1)>"
    assert shared_browser.execute_script("return window.pwned === undefined && !document.querySelector('main img')")
    assert console_errors(shared_browser) == []


def test_a_tool_of_another_script_clicks_and_draws(browser):
    browser.execute_script(
        f"""{MAP} window.told = []; window.heard = [];
        for (const name of ["chosen", "selected", "layout"])
          map.root.addEventListener(`map:${{name}}`, (event) => heard.push([name, event.detail]));
        map.addTool({{ name: "between", label: "Between", key: "y", hint: "Click between points",
          click: (at) => told.push(["click", at]), stroke: (list) => told.push(["stroke", list]) }});"""
    )
    click(browser, "[data-tool=between]")
    assert browser.find_element("css selector", ".map-hint").text == "Click between points"
    point_at(browser, 6, click=True)
    drag(browser, [(0.2, 0.5), (0.4, 0.4), (0.6, 0.5)])
    told = browser.execute_script("return told")
    assert [kind for kind, _ in told] == ["click", "stroke"]
    assert told[0][1]["hit"] == 6
    place = ask(browser, "map.toMap(...map.place(6))")
    assert [told[0][1]["x"], told[0][1]["y"]] == pytest.approx(place, abs=0.01)
    assert len(told[1][1]) >= 3
    # By keys: Enter is a click on the current segment; nothing plays meanwhile.
    browser.execute_script(f"{MAP} map.choose(3); map.canvas.focus();")
    press(browser, "\ue007")
    assert browser.execute_script("return told[2][1].hit") == 3
    assert browser.execute_script("return jukebox.current") is None
    browser.execute_script(f"{MAP} map.select([1, 2]); map.showLayout(1, false);")
    heard = json.loads(browser.execute_script("return JSON.stringify(heard)"))
    assert heard == [
        ["chosen", {"segment": 3}],
        ["selected", {"segments": [1, 2]}],
        ["layout", {"name": "space", "dims": 3}],
    ]


def test_marks_and_places_for_other_scripts(browser):
    assert ask(browser, "map.nearest(...map.toMap(...map.place(6)))") == 6
    assert ask(browser, "map.nearest(...map.toMap(...map.place(6)), (i) => map.points.corpus[i] === 1)") in (5, 7)
    assert ask(browser, "map.toScreen(...map.toMap(123, 45))") == pytest.approx([123, 45])
    before = ask(browser, "map.canvas.toDataURL()")
    mark = "{ kind: 'path', points: [0, [0.1, 0.1], 5], label: 'way' }"
    browser.execute_script(f"{MAP} map.marks = [{mark}]; map.drawNow();")
    assert ask(browser, "map.canvas.toDataURL()") != before
    browser.execute_script(f"{MAP} map.marks = []; map.drawNow();")
    assert ask(browser, "map.canvas.toDataURL()") == before


def test_what_is_selected_is_looked_at_closer(browser):
    browser.execute_script(f"{MAP} map.select([0, 5]);")
    browser.execute_script(f"{MAP} map.canvas.focus();")
    press(browser, "f")
    (ax, ay), (bx, by) = ask(browser, "[map.place(0), map.place(5)]")
    wide, high = ask(browser, "[map.view.width, map.view.height]")
    assert ask(browser, "map.view.zoom") > 1.5
    assert (ax + bx) / 2 == pytest.approx(wide / 2, abs=1)
    assert (ay + by) / 2 == pytest.approx(high / 2, abs=1)
    assert 0 < min(ax, bx) < max(ax, bx) < wide


def test_click_with_a_modifier_adds_to_the_selection(browser):
    point_at(browser, 2, click=True, modifiers=2)
    point_at(browser, 3, click=True, modifiers=2)
    assert ask(browser, "map.selection.list") == [2, 3]
    assert browser.execute_script("return jukebox.current") is None


def test_two_fingers_pinch(browser):
    box = ask(browser, "[map.canvas.getBoundingClientRect().left + 300, map.canvas.getBoundingClientRect().top + 99]")
    for spread, kind in ((40, "touchStart"), (60, "touchMove"), (90, "touchMove"), (None, "touchEnd")):
        fingers = [{"x": box[0] + s, "y": box[1], "id": i} for i, s in enumerate((-spread, spread))] if spread else []
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    assert 1.8 < ask(browser, "map.view.zoom") < 2.6


def test_dragging_turns_what_is_in_space_and_moves_what_is_flat(browser):
    before = ask(browser, "map.place(5)")
    drag(browser, [(0.5, 0.05), (0.6, 0.05), (0.7, 0.1)])
    assert ask(browser, "map.place(5)") != before
    assert ask(browser, "map.view.space.shift[0]") > 50
    browser.execute_script(f"{MAP} map.showLayout(1, false);")
    turn = ask(browser, "map.view.space.turn")
    drag(browser, [(0.5, 0.05), (0.6, 0.05), (0.7, 0.1)])
    assert ask(browser, "map.view.space.turn[0]") > turn[0] + 0.2
    assert ask(browser, "map.view.space.shift") == [0, 0]
    drag(browser, [(0.5, 0.05), (0.6, 0.05)], modifiers=8)
    assert ask(browser, "map.view.space.shift[0]") > 20
    mouse(browser, "mouseMoved", 1, 1, button="none")


def test_the_table_is_saved_and_the_command_copied(browser, tmp_path):
    where = {"behavior": "allow", "downloadPath": str(tmp_path)}
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", where)
    browser.execute_script(f"{MAP} map.select([0, 1]);")
    click(browser, "[data-do=save]")
    end = time.monotonic() + 8
    while not (tmp_path / "segments.csv").exists() and time.monotonic() < end:
        time.sleep(0.05)
    text = (tmp_path / "segments.csv").read_text(encoding="utf-8-sig")
    assert text.startswith("segment,file,")
    assert text.count("\n") == 3
    click(browser, "[data-do=command]")
    click(browser, "[data-do=copy]")
    wait_for(browser, f"{STATUS} === 'Copied'")
