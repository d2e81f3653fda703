"""`stylemix explore` on a trained run: the sound is the command's, nothing is left behind, a browser can do it all."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from threadpoolctl import threadpool_limits

from stylemix.cli import run_command
from stylemix.errors import BadInput
from stylemix.explore.orders import Places, places_of
from stylemix.explore.panel import explore_page
from stylemix.explore.renderer import worker_command
from stylemix.explore.serving import listening
from stylemix.hybrid.render import hybrid_file, hybrid_told
from stylemix.model.run import Run
from tests.browser import chromium, console_errors
from tests.served import TOKEN, Client, Served, alive, serving, until
from tests.tiny_training import tiny_corpora, tiny_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("explore")
    return tiny_run(tiny_corpora(folder, n_files=3), folder / "tiny run.mix")


@pytest.fixture(scope="module")
def places(run: Run) -> Places:
    return places_of(run)


@pytest.fixture(scope="module")
def page(run: Run) -> str:
    return explore_page(run, show_progress=False, space="latents", layouts="pca")[0]


@pytest.fixture(scope="module")
def served(run: Run, places: Places, page: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    # Whatever a worker would leave behind would lie here.
    scratch = tmp_path_factory.mktemp("scratch")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(scratch))
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            patch.setenv(name, "1")
        with serving(page=page, places=places, command=worker_command(str(run.path)), patience_s=2.0) as server:
            server.scratch = scratch  # type: ignore[attr-defined]
            until(lambda: server.renderer.ready, 60)
            yield server


def of_corpus(places: Places, corpus: int) -> int:
    return next(i for i, f in enumerate(places.file) if places.file_corpus[f] == corpus) + 1


def files_in(*folders: Path) -> set[Path]:
    return {path for folder in folders for path in folder.rglob("*")}


ORDERS: list[dict[str, Any]] = [
    {"alpha": 0.5, "seconds": 1.5},
    {"alpha": 0.35, "seconds": 1, "mode": "match", "material": "corpus", "variation": 2, "seed": 3},
    {"alpha": 0.8, "seconds": 2, "mode": "morph"},
    {"alpha": 0.6, "seconds": 1, "mode": "cross"},
    {"alpha": 0.9, "seconds": 1, "mode": "style"},
    {"kind": "walk", "seconds": 4, "mode": "morph"},
    {"kind": "walk", "seconds": 4, "mode": "match", "seed": 1},
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: f"{order.get('kind', 'between')}-{order.get('mode')}")
def test_the_command_makes_the_same_file_byte_for_byte(
    served: Served, places: Places, order: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = served.client()
    source, target = of_corpus(places, 0), of_corpus(places, 1)
    if order.get("kind") == "walk":
        steps = [
            {"time_s": 0, "source": source, "target": target + 1, "alpha": 0.1},
            {"time_s": 1.7, "source": source + 1, "target": target + 2, "alpha": 0.9},
        ]
        given = json.dumps({**order, "steps": steps}).encode()
        number = json.loads(client.ask("POST", "/orders", given, Content_Type="application/json")[2])["number"]
    else:
        number = client.order(source=source, target=target, **order)
    job = client.wait(number, "done", "failed", seconds=60)
    assert job["state"] == "done", job["line"]
    sound = client.ask("GET", f"/jobs/{number}/sound")[2]
    assert soundfile.info(io.BytesIO(sound)).duration == pytest.approx(order["seconds"], abs=0.01)
    words = shlex.split(job["command"])
    assert words[:2] == ["stylemix", "hybrid"]
    monkeypatch.chdir(tmp_path)
    # As many threads as the worker was given: sums in another order differ in the last digit.
    with threadpool_limits(1, user_api="blas"):
        assert run_command([*words[1:], "--quiet"]) == 0
    assert Path(job["name"]).read_bytes() == sound


def test_rendering_cancelling_and_killing_leave_nothing_behind(served: Served, run: Run, places: Places) -> None:
    scratch: Path = served.scratch  # type: ignore[attr-defined]
    folders = [scratch, run.path, Path(os.environ["STYLEMIX_CACHE"])]
    before = files_in(*folders)
    client = served.client()
    source, target = of_corpus(places, 0), of_corpus(places, 1)
    client.wait(client.order(source=source, target=target), "done", seconds=60)
    long = {"kind": "walk", "seconds": 120, "mode": "match", "steps": [
        {"time_s": i, "source": source + i % 3, "target": target + i % 2, "alpha": 0.5} for i in range(120)
    ]}  # fmt: skip
    for kill in (False, True):
        status, _, content = client.ask("POST", "/orders", long)
        number = json.loads(content)["number"]
        assert status == 202
        client.wait(number, "rendering")
        began = time.monotonic()
        if kill:
            os.kill(served.renderer.pid or 0, signal.SIGKILL)
            client.wait(number, "failed")
        else:
            client.ask("POST", f"/jobs/{number}/cancel", {})
            client.wait(number, "cancelled")
            assert time.monotonic() - began < 3
    assert files_in(*folders) == before
    client.wait(client.order(source=source, target=target), "done", seconds=60)


def test_warnings_are_those_of_the_command(run: Run, tmp_path: Path) -> None:
    # Nothing is said about what is meant: the source is chosen, and that is told.
    asked: dict[str, Any] = {"alpha": 0.5, "duration_s": 1.0}
    warnings = hybrid_told(run, **asked)[1]
    assert warnings
    assert list(warnings) == hybrid_file(run, out=tmp_path / "h.wav", show_progress=False, **asked)["warnings"]


def start(*command: str) -> tuple[subprocess.Popen[str], str]:
    """Begin a process that serves; return it and the address that it shows."""
    process = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.stderr is not None
    address = process.stderr.readline().strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", address), address
    return process, address


def enter(address: str) -> Client:
    client = Client(int(address.split(":")[2].split("/")[0]))
    headers = client.ask("GET", "/" + address.split("/", 3)[3])[1]
    client.cookie = headers["set-cookie"].split(";")[0]
    return client


def workers_of(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if path.read_text(errors="replace").rsplit(")", 1)[1].split()[1] == str(pid):
                found.append(int(path.parent.name))
    return found


# Without the map, which takes a while and is not what ends.
PLAIN = """
import sys
from stylemix.explore.orders import places_of
from stylemix.explore.serving import listening, serve
from stylemix.model.run import load_run

with listening(0) as listener:
    announce = lambda address: print(address, file=sys.stderr, flush=True)
    run = load_run(sys.argv[1])
    serve(listener, run.path, lambda: ("map", places_of(run)), open_browser=False, announce=announce)
"""


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_worker_ends_with_its_server_however_that_ends(run: Run, places: Places, end: int) -> None:
    process, address = start("-c", PLAIN, str(run.path))
    try:
        client = enter(address)
        (worker,) = workers_of(process.pid)
        if end == signal.SIGKILL:
            client.wait(client.order(source=1, target=of_corpus(places, 1)), "rendering", "done", seconds=60)
        process.send_signal(end)
        process.communicate(timeout=20)
    finally:
        process.kill()
    until(lambda: not alive(worker), 10)


def test_ctrl_c_is_how_the_command_ends(run: Run, places: Places) -> None:
    process, address = start(
        "-m", "stylemix", "explore", str(run.path), "--no-browser", "--quiet", "--space", "latents",
        "--layouts", "pca", "--clusters", "kmeans:2",
    )  # fmt: skip
    try:
        client = enter(address)
        (worker,) = workers_of(process.pid)
        client.wait(client.order(source=1, target=of_corpus(places, 1)), "done", seconds=60)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, out) == (0, "1 hybrid made; closed\n")
    assert "Traceback" not in errors
    assert not alive(worker)


def test_ctrl_c_while_the_map_is_made_ends_the_worker_too(run: Run) -> None:
    slow = "lambda: (announce('http://127.0.0.1:1/?token=' + 'x' * 43), __import__('time').sleep(60))"
    process, _ = start("-c", PLAIN.replace('lambda: ("map", places_of(run))', slow), str(run.path))
    try:
        # The worker loads the run meanwhile.
        (worker,) = workers_of(process.pid)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    finally:
        process.kill()
    assert not alive(worker)


@pytest.mark.parametrize("name", ["numpy", "json", "stylemix"])
def test_no_module_of_the_folder_where_it_is_started_is_run(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.py").write_text("open('run', 'w').close()\n")
    command = worker_command(str(tmp_path / "no.mix"))
    # Its input stays open: it ends with its server, whatever it has imported by then.
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        assert b"no such run" in worker.stdout.read()
    assert not (tmp_path / "run").exists()


def test_a_port_in_use_is_said_in_one_line(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    with listening(0) as listener:
        port = listener.getsockname()[1]
        assert run_command(["explore", str(run.path), "--port", str(port), "--no-browser"]) == 1
        assert capfd.readouterr().err == f"stylemix: port {port} is in use; leave --port out for a free one\n"
        with pytest.raises(BadInput, match="port: must be 0"), listening(65536):
            pass


def test_a_run_that_is_none_is_said_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(["explore", str(tmp_path / "no.mix"), "--no-browser"]) == 1
    assert "no such run" in capfd.readouterr().err


# ---- in a browser


@pytest.fixture
def browser(served: Served) -> Iterator[Any]:
    with chromium() as driver:
        driver.get(f"http://127.0.0.1:{served.port}/?token={TOKEN}")
        yield driver
        assert console_errors(driver) == []


def tool(driver: Any, name: str) -> None:
    driver.find_element("css selector", f".map-tools [data-tool={name}]").click()


def heard(driver: Any, number: int) -> float:
    """Wait until a hybrid plays and return its duration in seconds."""
    script = (
        "const plays = document.getElementById('map').dataset.hybrid === arguments[0];"
        "return plays && jukebox.current ? jukebox.current.duration : 0"
    )
    return float(until(lambda: driver.execute_script(script, str(number)), 30))


def rows(driver: Any) -> list[str]:
    return driver.execute_script("return [...document.querySelectorAll('.explore-job')].map((row) => row.dataset.job)")


def newest(driver: Any) -> int:
    return int(until(lambda: rows(driver))[0])


def type_seconds(driver: Any, seconds: float) -> None:
    driver.execute_script(
        "const f = document.querySelector('.explore [name=seconds]'); f.value = arguments[0];"
        "f.dispatchEvent(new Event('change'))", seconds,
    )  # fmt: skip


def test_a_click_between_points_is_heard_and_can_be_had_again(browser: Any, served: Served) -> None:
    from selenium.webdriver import ActionChains

    assert "token" not in browser.current_url
    canvas = browser.find_element("css selector", ".map-over")
    type_seconds(browser, 1.5)
    tool(browser, "between")
    # An empty place, where no segment is within reach, but between the styles.
    x, y = browser.execute_script(
        "const m = document.getElementById('map').segmentMap, v = m.view;"
        "const somewhere = (x, y) => document.getElementById('explore').explorePanel.movesAt([[x, y]]).length;"
        "for (let x = 0.2; x < 0.8; x += 0.01) for (let y = 0.2; y < 0.8; y += 0.01)"
        " if (v.at(x * v.width, y * v.height, 20) < 0 && somewhere(x * v.width, y * v.height))"
        " return [(x - 0.5) * v.width, (y - 0.5) * v.height];"
    )
    ActionChains(browser).move_to_element_with_offset(canvas, x, y).click().perform()
    number = newest(browser)
    assert heard(browser, number) == pytest.approx(1.5, abs=0.02)
    plan = browser.execute_script("return document.getElementById('explore').explorePanel.order()")
    corpus = browser.execute_script("return Array.from(document.getElementById('map').segmentMap.points.corpus)")
    assert [corpus[plan[end] - 1] for end in ("source", "target")] == [0, 1]
    assert 0 <= plan["alpha"] <= 1
    assert browser.execute_script("return document.getElementById('map').segmentMap.marks.length") == 4
    # Another alpha, by the keyboard.
    slider = browser.find_element("css selector", ".explore [name=alpha]")
    slider.send_keys("\ue010")
    slider.submit()
    until(lambda: newest(browser) > number)
    assert heard(browser, newest(browser)) == pytest.approx(1.5, abs=0.02)
    assert ", alpha 1, match" in browser.find_element("css selector", ".explore-job .what").text
    # Played again, shown again, its command, its file.
    old = browser.find_element("css selector", f".explore-job[data-job='{number}']")
    old.find_element("xpath", ".//button[text()='Play']").click()
    assert heard(browser, number) == pytest.approx(1.5, abs=0.02)
    old.find_element("xpath", ".//button[text()='Edit']").click()
    assert browser.execute_script("return document.getElementById('explore').explorePanel.order()") == plan
    old.find_element("xpath", ".//button[text()='Command']").click()
    command = until(lambda: old.find_elements("tag name", "textarea"))[0].get_attribute("value")
    assert shlex.split(command)[:2] == ["stylemix", "hybrid"]
    size = browser.execute_async_script(
        "const done = arguments[1]; fetch(arguments[0].href).then((a) => a.blob()).then((b) => done(b.size))",
        old.find_element("tag name", "a"),
    )
    assert size > 1.5 * 8000 * 3


def test_two_points_and_a_drawn_path_by_hand_and_by_keys(browser: Any) -> None:
    from selenium.webdriver import ActionChains, Keys

    canvas = browser.find_element("css selector", ".map-over")
    type_seconds(browser, 3)
    tool(browser, "path")
    before = rows(browser)
    drag = ActionChains(browser).move_to_element_with_offset(canvas, -150, 60).click_and_hold()
    for _ in range(10):
        drag.move_by_offset(25, -12)
    drag.release().perform()
    until(lambda: len(rows(browser)) > len(before))
    assert heard(browser, newest(browser)) == pytest.approx(3, abs=0.02)
    order = browser.execute_script("return document.getElementById('explore').explorePanel.order()")
    assert (order["kind"], order["mode"], order["steps"][0]["time_s"]) == ("walk", "morph", 0)
    # Without a pointer: walk to a point, Enter takes it, walk on, Enter takes the other one.
    number = newest(browser)
    browser.execute_script("arguments[0].focus(); document.getElementById('map').segmentMap.choose(0)", canvas)
    canvas.send_keys("h", Keys.ENTER)
    last = browser.execute_script("const m = document.getElementById('map').segmentMap; m.choose(m.n - 1); return m.n")
    canvas.send_keys(Keys.ENTER)
    until(lambda: newest(browser) > number)
    heard(browser, newest(browser))
    order = browser.execute_script("return document.getElementById('explore').explorePanel.order()")
    assert (order["source"], order["target"]) == (1, last)
    assert browser.switch_to.active_element == canvas


def test_a_page_cancels_and_says_when_the_server_has_gone(page: str, places: Places) -> None:
    from tests.fake_worker import SLOW, WARNS

    with chromium() as driver:
        with serving(page=page, places=places) as server:
            driver.get(f"http://127.0.0.1:{server.port}/?token={TOKEN}")
            driver.execute_script("document.querySelector('.explore [name=seed]').value = arguments[0]", SLOW)
            driver.execute_script(
                "const p = document.getElementById('explore').explorePanel;"
                "p.use('source', 0); p.use('target', arguments[0]); p.render()", of_corpus(places, 1) - 1,
            )  # fmt: skip
            until(lambda: rows(driver))
            row = driver.find_element("css selector", ".explore-job")
            until(lambda: row.get_attribute("data-state") == "rendering")
            until(lambda: row.find_element("tag name", "progress").get_attribute("value"))
            row.find_element("xpath", ".//button[text()='Cancel']").click()
            until(lambda: row.get_attribute("data-state") == "cancelled")
            assert row.find_element("class name", "how").text == "Cancelled"
            # What changed is sent without the order, which the page keeps.
            row.find_element("xpath", ".//button[text()='Edit']").click()
            driver.execute_script("document.querySelector('.explore [name=seed]').value = arguments[0]", WARNS)
            driver.execute_script("document.getElementById('explore').explorePanel.render()")
            told = until(lambda: driver.find_element("css selector", ".explore-job .warnings").text)
            assert told == "it is <b>odd</b>"
            assert console_errors(driver) == []
        until(lambda: driver.find_element("class name", "explore-state").text == "The server has ended")
