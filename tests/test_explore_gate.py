"""Who is let in, and what is refused: every way in which another page or program could speak with the server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from stylemix.explore.gate import HEADERS, MOST_BODY_BYTES
from tests.served import TICKET, TOKEN, Client, Served, serving


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as server:
        yield server


ORDER = {"kind": "between", "source": 1, "target": 2, "alpha": 0.5, "seconds": 1}


def test_the_token_is_exchanged_for_a_cookie_that_no_script_and_no_other_site_gets(served: Served) -> None:
    status, headers, _ = Client(served.port).ask("GET", f"/?token={TOKEN}")
    cookie = headers["set-cookie"]
    assert (status, headers["location"]) == (303, "/")
    assert cookie.startswith(f"stylemix-{served.port}=")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert TOKEN not in cookie
    assert served.client().ask("GET", "/")[0] == 200


def test_the_ticket_of_the_browser_that_is_opened_lets_in_once(served: Served) -> None:
    # It stands in the list of processes, which every user of the machine can read.
    assert [Client(served.port).ask("GET", f"/?token={TICKET}")[0] for _ in range(2)] == [303, 403]


def test_a_browser_that_comes_again_keeps_its_history(served: Served) -> None:
    client = served.client()
    number = client.order()
    before = client.cookie
    assert client.enter().cookie == before
    assert number in client.jobs()


@pytest.mark.parametrize("path", ["/", "/jobs", "/jobs/1/sound", "/?token=", "/?token=" + "x" * 43, "/?a=1&" * 20])
def test_without_the_token_there_is_nothing_to_see(served: Served, path: str) -> None:
    status, headers, content = Client(served.port).ask("GET", path)
    assert status == 403
    assert b"token" in content
    assert "set-cookie" not in headers


@pytest.mark.parametrize(
    "cookie",
    ["stylemix=x", "stylemix-{port}=", "stylemix-{port}=" + TOKEN, "a=b; c", '"\\', "x-stylemix-{port}=x",
     "stylemix-{port}"],
)  # fmt: skip
def test_a_wrong_cookie_is_none(served: Served, cookie: str) -> None:
    client = Client(served.port, cookie.format(port=served.port))
    assert client.ask("POST", "/orders", ORDER)[0] == 403


@pytest.mark.parametrize("other", ['prefs={"a":1}', "a=b c", "x", "=", '"', "stylemix-{port}=stale", "a=\\", "é=ü"])
def test_cookies_of_other_servers_of_the_machine_do_not_hide_ours(served: Served, other: str) -> None:
    client = served.client()
    other, ours = other.format(port=served.port) if "stylemix" in other else other, client.cookie
    for client.cookie in (f"{other}; {ours}", f"{ours}; {other}", f"{other};{ours} ;{other}"):
        assert client.ask("GET", "/jobs")[0] == 200
        # Come in again: still the same client.
        assert ours in client.ask("GET", f"/?token={TOKEN}")[1]["set-cookie"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}", "127.0.0.1:{port}.x"]
)
def test_a_foreign_host_is_refused_with_the_right_cookie_too(served: Served, host: str) -> None:
    client = served.client()
    for method, path, body in (("GET", "/", None), ("POST", "/orders", ORDER), ("GET", f"/?token={TOKEN}", None)):
        assert client.ask(method, path, body, Host=host.format(port=served.port))[0] == 421


def test_no_host_and_two_hosts_are_refused(served: Served) -> None:
    assert b" 400 " in served.raw(b"GET / HTTP/1.1\r\n\r\n").split(b"\r\n")[0]
    assert b" 421 " in served.raw(b"GET / HTTP/1.0\r\n\r\n").split(b"\r\n")[0]
    two = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nHost: evil.example\r\n\r\n"
    assert b" 400 " in served.raw(two.encode()).split(b"\r\n")[0]


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1", "http://localhost:{port}"]
)
def test_a_foreign_origin_is_refused(served: Served, origin: str) -> None:
    # The page at 127.0.0.1 has not the origin of the one at localhost.
    assert served.client().ask("POST", "/orders", ORDER, Origin=origin.format(port=served.port))[0] == 403


def test_the_pages_own_origin_is_not(served: Served) -> None:
    own = f"http://127.0.0.1:{served.port}"
    assert served.client().ask("POST", "/orders", ORDER, Origin=own, Sec_Fetch_Site="same-origin")[0] == 202


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_site_sends_is_refused(served: Served, site: str) -> None:
    assert served.client().ask("GET", "/jobs/1/sound", Sec_Fetch_Site=site)[0] == 403
    assert Client(served.port).ask("GET", f"/?token={TOKEN}", Sec_Fetch_Site=site)[0] == 403


def test_an_order_does_not_come_from_the_address_bar(served: Served) -> None:
    assert served.client().ask("POST", "/orders", ORDER, Sec_Fetch_Site="none")[0] == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"])
def test_other_methods_are_refused(served: Served, method: str) -> None:
    status, _, content = served.client().ask(method, "/jobs")
    # Before any application behind the gate is asked.
    assert (status, content) == (405, b"stylemix: only GET, HEAD and POST are understood\n")


def test_reading_does_not_order_and_ordering_does_not_read(served: Served) -> None:
    client = served.client()
    assert client.ask("GET", "/orders")[0] == 405
    assert client.ask("GET", "/jobs/1/cancel")[0] == 405
    assert client.ask("POST", "/jobs", ORDER)[0] == 405


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_of_a_kind_that_a_form_can_send_is_refused(served: Served, kind: str) -> None:
    assert served.client().ask("POST", "/orders", json.dumps(ORDER).encode(), Content_Type=kind)[0] == 415


def test_a_huge_body_is_refused_before_it_is_read(served: Served) -> None:
    head = (
        f"POST /orders HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nCookie: {served.client().cookie}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {MOST_BODY_BYTES + 1}\r\n\r\n"
    )
    # Not one byte of it was sent, and the answer is there.
    answer = served.raw(head.encode())
    assert b" 413 " in answer.split(b"\r\n")[0]
    assert b"connection: close" in answer


@pytest.mark.parametrize("lie", ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5", ""])
def test_a_body_that_does_not_say_how_long_it_is_is_refused(served: Served, lie: str) -> None:
    lines = [
        "POST /orders HTTP/1.1", f"Host: 127.0.0.1:{served.port}", f"Cookie: {served.client().cookie}",
        "Content-Type: application/json", *([lie] if lie else []), "", "",
    ]  # fmt: skip
    assert b" 411 " in served.raw("\r\n".join(lines).encode()).split(b"\r\n")[0]


def test_a_body_with_a_request_to_read_is_refused(served: Served) -> None:
    assert served.client().ask("GET", "/jobs", b"x" * 10)[0] == 413


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/jobs/../../x",
     "/jobs/..%2f1/sound", "/jobs/1.0/sound", "/jobs/-1/sound", "/jobs/0x1/sound", "/jobs/%00/sound", "/music/two.wav",
     "/static/", "/jobs/", "/jobs/1", "/favicon.ico", "/jobs/99999999999999999999/sound",
     "/jobs/" + "9" * 5000 + "/sound", "/jobs/٣/sound".encode().decode("latin-1"), "/\\..\\x"],
)  # fmt: skip
def test_no_path_leads_to_a_file(served: Served, path: str) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nCookie: {served.client().cookie}\r\n"
    answer = served.raw((head + "Connection: close\r\n\r\n").encode("latin-1"))
    assert answer.split(b"\r\n")[0].split()[1] in (b"400", b"404")
    assert b"root:" not in answer


def test_huge_headers_and_rubbish_do_not_keep_it_from_serving(served: Served) -> None:
    served.raw(b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n")
    served.raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    upgrade = f"GET /jobs HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    assert b" 101 " not in served.raw((upgrade + "Sec-WebSocket-Key: x\r\n\r\n").encode()).split(b"\r\n")[0]
    assert served.client().ask("GET", "/")[0] == 200


@pytest.mark.parametrize("path", ["/", "/jobs", "/nothing"])
def test_every_answer_has_the_headers_that_keep_it_to_itself(served: Served, path: str) -> None:
    for client in (served.client(), Client(served.port)):
        told = client.ask("GET", path)[1]
        assert HEADERS.items() <= told.items()
        assert "server" not in told
        assert not [name for name in told if name.startswith("access-control")]


def test_one_client_has_nothing_of_anothers(served: Served) -> None:
    one, other = served.client(), served.client()
    number = one.order()
    one.wait(number, "done")
    assert number not in other.jobs()
    assert other.ask("GET", f"/jobs/{number}/sound")[0] == 404
    assert other.ask("POST", f"/jobs/{number}/cancel", {})[0] == 404
    assert other.ask("POST", f"/jobs/{number}/again", {})[0] == 404
    assert one.ask("GET", f"/jobs/{number}/sound")[0] == 200


def test_only_this_machine_is_listened_to(served: Served) -> None:
    with open("/proc/net/tcp", encoding="ascii") as table:
        mine = [line.split()[1] for line in table if line.split()[1].endswith(f":{served.port:04X}")]
    assert mine
    assert {address.split(":")[0] for address in mine} == {"0100007F"}
