"""Jobs: in turn between clients, cancelled, killed, kept within a budget, made again, told with the time left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from stylemix.explore.answers import disposition
from stylemix.explore.jobs import MOST_KEPT, MOST_WAITING, Board
from stylemix.explore.orders import Wish
from stylemix.explore.renderer import Renderer, RendererFailed
from tests.fake_worker import DEAF, DIES, FAILS, LATE, ODD, SLOW, WARNS
from tests.served import Client, Served, alive, serving, until


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as server:
        yield server


def test_an_order_becomes_sound_and_a_download(served: Served) -> None:
    client = served.client()
    number = client.order()
    job = client.wait(number, "done")
    assert (job["seconds"], job["sample_rate"], job["channels"]) == (1.0, 8000, 1)
    assert job["has_sound"]
    assert job["label"] == "Ünë 1 → two 2, alpha 0.5, match"
    assert job["command"].startswith("stylemix hybrid /both.mix --source /music/Ünë.wav") or "'/music" in job["command"]
    status, headers, sound = client.ask("GET", f"/jobs/{number}/sound")
    assert (status, headers["content-type"], len(sound)) == (200, "audio/wav", 1000)
    assert "content-disposition" not in headers
    download = client.ask("GET", f"/jobs/{number}/sound?download=1")[1]["content-disposition"]
    assert download == disposition("Ünë-two-0.5.wav")
    assert "filename*=UTF-8''%C3%9Cn%C3%AB-two-0.5.wav" in download


def test_what_is_no_order_is_answered_with_one_line(served: Served) -> None:
    status, _, content = served.client().ask("POST", "/orders", {"kind": "between", "source": 9})
    assert status == 400
    assert json.loads(content) == {"error": "source: must be a whole number from 1 to 2, got 9"}


def test_a_failure_is_told_in_one_line_and_the_next_job_goes_on(served: Served) -> None:
    client = served.client()
    failed = client.wait(client.order(seed=FAILS), "failed")
    assert failed["line"] == "<b>no</b> such sound"
    client.wait(client.order(), "done")
    status, headers, content = client.ask("GET", "/jobs")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert b"<b>" not in content


def test_a_cancel_is_heeded_and_the_same_process_goes_on(served: Served) -> None:
    client = served.client()
    client.wait(client.order(), "done")
    begun = served.renderer.n_begun
    number = client.order(seed=SLOW)
    client.wait(number, "rendering")
    assert client.ask("POST", f"/jobs/{number}/cancel", {})[0] == 200
    client.wait(number, "cancelled", seconds=1)
    client.wait(client.order(), "done")
    assert served.renderer.n_begun == begun


@pytest.mark.slow
def test_a_cancel_that_is_not_heeded_kills_the_process_and_begins_it_anew(served: Served) -> None:
    client = served.client()
    client.wait(client.order(), "done")
    pid, begun = served.renderer.pid, served.renderer.n_begun
    number = client.order(seed=DEAF)
    client.wait(number, "rendering")
    asked = time.monotonic()
    client.ask("POST", f"/jobs/{number}/cancel", {})
    client.wait(number, "cancelled")
    # Half a second of patience here, two in earnest.
    assert 0.4 < time.monotonic() - asked < 2
    assert pid is not None
    assert not alive(pid)
    client.wait(client.order(), "done")
    assert served.renderer.n_begun == begun + 1


def test_a_waiting_job_is_cancelled_at_once(served: Served) -> None:
    client = served.client()
    first, second = client.order(seed=SLOW), client.order()
    client.wait(first, "rendering")
    client.ask("POST", f"/jobs/{second}/cancel", {})
    assert client.jobs()[second]["state"] == "cancelled"
    client.ask("POST", f"/jobs/{first}/cancel", {})
    client.wait(first, "cancelled")


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_process_that_dies_costs_one_job(served: Served, by_hand: bool) -> None:
    client = served.client()
    number = client.order(seed=SLOW if by_hand else DIES)
    if by_hand:
        client.wait(number, "rendering")
        until(lambda: served.renderer.ready)
        os.kill(served.renderer.pid or 0, signal.SIGKILL)
    line = client.wait(number, "failed")["line"]
    assert ("the signal 9" if by_hand else "the code 3") in line
    client.wait(client.order(), "done")


def test_a_process_that_dies_idle_costs_none(served: Served) -> None:
    client = served.client()
    client.wait(client.order(), "done")
    pid = served.renderer.pid or 0
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid))
    time.sleep(0.1)
    client.wait(client.order(), "done")


def test_a_process_that_dies_idle_is_told_and_begun_anew_before_the_next_order(served: Served) -> None:
    client = served.client()
    client.wait(client.order(), "done")
    until(lambda: served.renderer.ready)
    version, begun = client.news(0)["version"], served.renderer.n_begun
    os.kill(served.renderer.pid or 0, signal.SIGKILL)
    killed, heard = time.monotonic(), []
    while not heard or not heard[-1]["ready"] or len(heard) < 2:
        heard.append(client.news(version if not heard else heard[-1]["version"]))
    assert time.monotonic() - killed < 5
    assert not heard[0]["ready"]
    assert served.renderer.n_begun == begun + 1


@pytest.mark.slow
def test_pages_hear_when_the_run_is_loaded() -> None:
    slow = "import time; time.sleep(1); from tests.fake_worker import main; main()"
    with serving(command=[sys.executable, "-c", slow]) as server:
        client = server.client()
        first = json.loads(client.ask("GET", "/jobs")[2])
        asked = time.monotonic()
        told = client.news(first["version"])
    assert (first["ready"], told["ready"]) == (False, True)
    assert time.monotonic() - asked < 5


def test_again_after_a_cancel_that_came_too_late_is_made(served: Served) -> None:
    client = served.client()
    number = client.order(seed=LATE)
    client.wait(number, "rendering")
    until(lambda: served.renderer.ready)
    client.ask("POST", f"/jobs/{number}/cancel", {})
    client.wait(number, "cancelled")
    assert client.ask("POST", f"/jobs/{number}/again", {})[0] == 200
    assert client.wait(number, "done", "cancelled")["state"] == "done"


def test_an_answer_that_nobody_foresaw_costs_one_job(served: Served) -> None:
    client = served.client()
    assert client.wait(client.order(seed=ODD), "failed")["line"].startswith("unexpected KeyError: ")
    client.wait(client.order(), "done")


def test_warnings_come_with_the_sound(served: Served) -> None:
    client = served.client()
    assert client.wait(client.order(seed=WARNS), "done")["warnings"] == ["it is <b>odd</b>"]
    assert client.wait(client.order(), "done")["warnings"] == []


def test_news_are_of_what_changed_and_orders_are_sent_once() -> None:
    board = Board()
    wish = Wish({}, 10.0, "match", {"order": {"kind": "walk"}})
    first, second, third = (board.add("a", wish) for _ in range(3))
    known = board.version
    assert [job["order"] for job in board.told("a")["jobs"]] == [{"kind": "walk"}] * 3
    assert board.told("a", known) == {"jobs": []}
    board.next()
    # The two that wait have another number ahead of them.
    assert [job["ahead"] for job in board.told("a", known)["jobs"]] == [0, 1, 2]
    known = board.version
    board.hear(first, "rendering", 0.5)
    (job,) = board.told("a", known)["jobs"]
    assert (job["number"], job["share"], "order" in job) == (1, 0.5, False)
    known = board.version
    board.finish(first, {"seconds": 10.0}, b"")
    assert [job["state"] for job in board.told("a", known)["jobs"]] == ["done", "waiting", "waiting"]
    known = board.version
    board.end(third, "cancelled")
    assert [job["number"] for job in board.told("a", known)["jobs"]] == [second.number, third.number]
    # A page of a server that has gone knows nothing of this one.
    assert len(board.told("a", board.version + 9)["jobs"]) == 3


def test_jobs_that_were_forgotten_are_told() -> None:
    board = Board()
    wish = Wish({}, 10.0, "match", {})
    for _ in range(MOST_KEPT + 1):
        board.end(board.add("a", wish), "cancelled")
    known = board.version
    assert "numbers" not in board.told("a", known)
    board.add("b", wish)
    assert "numbers" not in board.told("a", known)
    board.add("a", wish)
    told = board.told("a", known)
    assert told["numbers"] == [*range(2, MOST_KEPT + 2), MOST_KEPT + 3]
    assert [job["number"] for job in told["jobs"]] == [MOST_KEPT + 3]


def test_sound_that_made_room_is_news() -> None:
    board = Board(sound_bytes=10)
    for _ in range(2):
        board.add("a", Wish({}, 1.0, "match", {}))
    for sound in (b"12345678", b"abcdefgh"):
        known = board.version
        job = board.next()
        assert job is not None
        board.finish(job, {"seconds": 1.0}, sound)
    assert [job["has_sound"] for job in board.told("a", known)["jobs"]] == [False, True]


def test_two_clients_are_served_in_turn(served: Served) -> None:
    greedy, modest = served.client(), served.client()
    blocker = greedy.order(seed=SLOW)
    greedy.wait(blocker, "rendering")
    many = [greedy.order() for _ in range(6)]
    one = modest.order()
    assert modest.jobs()[one]["ahead"] == 7
    greedy.ask("POST", f"/jobs/{blocker}/cancel", {})
    modest.wait(one, "done")
    # At most the one that was taken before it is done besides: the modest one did not wait for all six.
    assert sum(job["state"] == "done" for number, job in greedy.jobs().items() if number in many) <= 2
    for number in many:
        greedy.wait(number, "done")


def test_a_queue_ends_somewhere(served: Served) -> None:
    client = served.client()
    first = client.order(seed=SLOW)
    client.wait(first, "rendering")
    numbers = [client.order() for _ in range(MOST_WAITING)]
    status, _, content = client.ask(
        "POST", "/orders", {"kind": "between", "source": 1, "target": 2, "alpha": 0.5, "seconds": 1}
    )
    assert (status, b"16 hybrids are waiting already" in content) == (400, True)
    for number in [*numbers, first]:
        client.ask("POST", f"/jobs/{number}/cancel", {})
    client.wait(first, "cancelled")


def test_news_come_when_there_are_some(served: Served) -> None:
    client = served.client()
    number = client.order()
    client.wait(number, "done")
    version = json.loads(client.ask("GET", "/jobs")[2])["version"]
    heard: list[float] = []

    def listen() -> None:
        client.ask("GET", f"/jobs?since={version}")
        heard.append(time.monotonic())

    thread = threading.Thread(target=listen)
    thread.start()
    time.sleep(0.3)
    assert not heard
    asked = time.monotonic()
    served.client().order()
    thread.join(5)
    assert heard[0] - asked < 0.3


def test_a_waiting_page_does_not_keep_the_server_from_ending() -> None:
    with serving() as server:
        client = server.client()
        version = json.loads(client.ask("GET", "/jobs")[2])["version"]
        answers: list[int] = []
        thread = threading.Thread(target=lambda: answers.append(client.ask("GET", f"/jobs?since={version}")[0]))
        thread.start()
        until(lambda: server.renderer.ready)
        pid = server.renderer.pid
        began = time.monotonic()
    assert time.monotonic() - began < 3
    thread.join(5)
    assert answers == [200]
    assert pid is not None
    assert not alive(pid)


def test_the_oldest_sound_makes_room_and_is_made_again_when_asked_for() -> None:
    with serving(sound_bytes=2500) as server:
        client = server.client()
        numbers = [client.order() for _ in range(3)]
        for number in numbers:
            client.wait(number, "done")
        assert [client.jobs()[n]["has_sound"] for n in numbers] == [False, True, True]
        assert client.ask("GET", f"/jobs/{numbers[0]}/sound")[0] == 404
        assert client.ask("POST", f"/jobs/{numbers[0]}/again", {})[0] == 200
        until(lambda: client.jobs()[numbers[0]]["has_sound"])
        assert [client.jobs()[n]["has_sound"] for n in numbers] == [True, False, True]
        # What is there is not made once more.
        client.ask("POST", f"/jobs/{numbers[0]}/again", {})
        assert client.jobs()[numbers[0]]["state"] == "done"


def test_a_run_that_cannot_be_loaded_is_told_to_each_job() -> None:
    broken = ["-c", "from stylemix.explore.pipe import pack; import sys; "
              "sys.stdout.buffer.write(pack({'kind': 'broken', 'line': 'no such run'}))"]  # fmt: skip
    with serving(command=[sys.executable, *broken]) as server:
        client = server.client()
        assert client.wait(client.order(), "failed")["line"] == "no such run"
    with serving(command=["false"]) as server:
        client = server.client()
        assert "before it has loaded" in client.wait(client.order(), "failed")["line"]


def test_the_time_left_goes_by_what_the_last_one_took() -> None:
    board = Board()
    wish = Wish({}, 10.0, "match", {})
    first = board.add("a", wish)
    assert board.next() is first
    assert board.told("a")["jobs"][0]["left_s"] is None
    first.begun_s -= 2
    board.hear(first, "rendering", 0.5)
    assert board.told("a")["jobs"][0]["left_s"] == pytest.approx(2.0, abs=0.1)
    board.finish(first, {"seconds": 10.0, "sample_rate": 8000, "channels": 1}, b"")
    board.add("a", Wish({}, 20.0, "match", {}))
    assert board.told("a")["jobs"][1]["left_s"] == pytest.approx(4.0, abs=0.1)
    assert board.told("b") == {"jobs": [], "numbers": []}


def test_a_renderer_that_cannot_be_started_is_told() -> None:
    import asyncio

    async def begin() -> None:
        await Renderer(["/nonexistent/python"]).wait_ready()

    with pytest.raises(RendererFailed, match="cannot be started"):
        asyncio.run(begin())


def test_a_client_may_vanish_in_the_middle_of_a_request(served: Served) -> None:
    client = served.client()
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        connection.sendall(b"POST /orders HTTP/1.1\r\nHost: 127.0")
    assert client.ask("GET", "/")[0] == 200


def in_time(served: Served, *sent: bytes, pause_s: float = 0.1, limit_s: float = 5.0) -> tuple[bytes, float]:
    """Send bytes one after the other, then say nothing; return what came until the server closed, and when that was."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", served.port), timeout=limit_s) as connection:
        for part in sent:
            connection.sendall(part)
            time.sleep(pause_s)
        got = b""
        while part := connection.recv(65536):
            got += part
    return got, time.monotonic() - began


HEAD = b"GET /jobs HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nCookie: %s\r\n\r\n"


@pytest.mark.slow
@pytest.mark.parametrize("whole_first", [False, True])
@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_connection_that_asks_for_nothing_is_closed(
    monkeypatch: pytest.MonkeyPatch, begun: bytes, whole_first: bool
) -> None:
    monkeypatch.setattr("stylemix.explore.serving.REQUEST_S", 0.6)
    with serving() as server:
        first = [HEAD % (server.port, server.client().cookie.encode())] if whole_first and begun else []
        # A byte now and then is no request either.
        got, took = in_time(server, *first, *([begun[:-2], begun[-2:-1], begun[-1:]] if begun else []))
        assert (b" 200 " in got) == bool(first)
        # Not sooner; that it is not later than it takes to give up is what the reading above sees to.
        assert took > 0.5
        assert server.client().ask("GET", "/")[0] == 200


@pytest.mark.slow
def test_a_page_that_waits_for_news_is_not_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stylemix.explore.serving.REQUEST_S", 0.6)
    with serving() as server:
        client = server.client()
        until(lambda: server.renderer.ready)
        version = client.news(0)["version"]
        timer = threading.Timer(1.5, lambda: server.client().order() and client.order())
        timer.start()
        assert client.news(version)["version"] > version
        timer.join()


@pytest.mark.slow
def test_connections_that_ask_for_nothing_do_not_keep_others_out_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stylemix.explore.serving.REQUEST_S", 4.0)
    with serving() as server, contextlib.ExitStack() as stack:
        for _ in range(128):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        # On a slow machine the last of them comes long after the first, which must still be there.
        until(lambda: Client(server.port).ask("GET", "/")[0] == 503)
        until(lambda: Client(server.port).ask("GET", "/")[0] == 403)
