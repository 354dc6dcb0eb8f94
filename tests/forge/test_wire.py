from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

from llmops.forge.auth import Fixed
from llmops.forge.base import ForgeError, GaveUp, Refused, Unsure
from llmops.forge.clock import SystemClock, read
from llmops.forge.limits import Patience
from llmops.forge.wire import MOST_BYTES, Pace, Wire
from tests.forge.scripted import SECRET, Answer, Ticking, github

OK = Answer(200, {"ok": True})
RESET = requests.ConnectionError(
    urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError(104, "reset"))
)
NEVER = requests.ConnectionError(
    urllib3.exceptions.MaxRetryError(
        None,  # type: ignore[arg-type]
        "/",
        urllib3.exceptions.NewConnectionError(None, "refused"),  # type: ignore[arg-type]
    )
)
SECONDARY = {"message": "You have exceeded a secondary rate limit."}
TROUBLES = [
    Answer(500),
    Answer(502, b"<html>"),
    Answer(503),
    Answer(504),
    Answer(200, {"a": "long text"}, cut=5),
    Answer(200, b'{"a": 1', headers={}),
    Answer(200, b"<html>welcome to the hotel</html>"),
    Answer(200, {"a": "slow"}, slow=30.0),
    RESET,
    NEVER,
    requests.ReadTimeout("read timed out"),
    requests.ConnectTimeout("no connection"),
    requests.exceptions.ChunkedEncodingError("broke off"),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: repr(one)[:40])
def test_a_read_is_tried_again_after_trouble_of_every_kind(trouble: Any) -> None:
    forge, script = github(trouble, trouble, OK)
    assert forge.get("x") == {"ok": True}
    assert len(script.sent) == 3


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: repr(one)[:40])
def test_eight_tries_and_then_it_gives_up_and_says_when_to_come_back(trouble: Any) -> None:
    forge, script = github(*[trouble] * 9)
    with pytest.raises(GaveUp) as caught:
        forge.get("x")
    assert len(script.sent) == 8
    resume = read(caught.value.resume_at)
    assert resume is not None
    assert 0 < (resume - script.clock.now()).total_seconds() <= 32
    assert "GET /x" in caught.value.message


def test_pauses_double_from_a_second_and_are_spread_by_chance() -> None:
    forge, script = github(*[Answer(502)] * 7, OK, chance=lambda: 0.999_999)
    forge.get("x")
    assert [round(gap) for gap in script.clock.slept] == [1, 2, 4, 8, 16, 30, 30]
    forge, script = github(*[Answer(502)] * 7, OK, chance=lambda: 0.0)
    forge.get("x")
    assert [round(gap, 1) for gap in script.clock.slept] == [0.5, 1, 2, 4, 8, 15, 15]


@pytest.mark.parametrize("status", [403, 429])
def test_nothing_is_sent_before_retry_after_has_passed(status: int) -> None:
    limited = Answer(status, SECONDARY, {"Retry-After": "73"})
    forge, script = github(limited, OK)
    forge.get("x")
    assert script.times()[1] - script.times()[0] >= 73


@pytest.mark.parametrize("status", [403, 429])
def test_a_limit_without_a_time_waits_a_minute_then_two_then_four(status: int) -> None:
    forge, script = github(*[Answer(status, SECONDARY)] * 3, OK, chance=lambda: 0.0)
    forge.get("x")
    gaps = [b - a for a, b in zip(script.times(), script.times()[1:], strict=False)]
    assert gaps == [60, 120, 240]


@pytest.mark.parametrize("skew", [0.0, 86_400.0, -86_400.0, 3_600.0, -17.0])
def test_a_reset_is_read_by_the_servers_clock_and_not_by_ours(skew: float) -> None:
    clock = Ticking(skew)
    reset = int(clock.true_now().timestamp()) + 200
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    forge, script = github(Answer(403, {}, headers), OK, clock=clock)
    forge.get("x")
    assert 200 <= script.times()[1] <= 202


def test_a_limit_that_an_answer_just_used_up_holds_the_next_request() -> None:
    clock = Ticking()
    reset = int(clock.true_now().timestamp()) + 30
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    forge, script = github(Answer(200, {}, headers), OK, clock=clock)
    forge.get("x")
    forge.get("x")
    assert script.times()[1] >= 30


def test_a_limit_beyond_patience_gives_up_at_once_and_names_the_time() -> None:
    forge, script = github(Answer(429, {}, {"Retry-After": "3000"}), OK)
    with pytest.raises(GaveUp) as caught:
        forge.get("x")
    resume = read(caught.value.resume_at)
    assert resume is not None
    assert (resume - script.clock.now()).total_seconds() >= 3000
    with pytest.raises(GaveUp):
        forge.get("x")
    assert len(script.sent) == 1
    script.clock.sleep(3002)
    assert forge.get("x") == {"ok": True}


@pytest.mark.parametrize("header", ["-5", "nan", "1e99", "soon", "", "inf"])
def test_a_retry_after_that_is_no_time_waits_a_minute_or_a_second(header: str) -> None:
    forge, script = github(Answer(429, SECONDARY, {"Retry-After": header}), OK)
    forge.get("x")
    assert script.times()[1] >= (1 if header == "-5" else 60)


def test_retry_after_may_be_a_date_by_the_servers_clock() -> None:
    clock = Ticking(skew=-86_400)
    at = "Thu, 26 Nov 2026 08:01:30 GMT"
    forge, script = github(Answer(429, {}, {"Retry-After": at}), OK, clock=clock)
    forge.get("x")
    assert 90 <= script.times()[1] <= 92


def test_a_refusal_without_sign_of_a_limit_is_final() -> None:
    forge, script = github(Answer(403, {"message": "Resource not accessible by integration"}))
    with pytest.raises(Refused):
        forge.get("x")
    assert len(script.sent) == 1


def test_writes_end_at_least_a_second_before_the_next() -> None:
    forge, script = github(*[OK] * 4)
    for _ in range(3):
        forge.send("PATCH", "x", {})
    forge.get("x")
    gaps = [b - a for a, b in zip(script.times(), script.times()[1:], strict=False)]
    assert gaps[:2] == [1.0, 1.0]
    assert gaps[2] == 0.0


@pytest.mark.parametrize("trouble", [Answer(500), Answer(502), RESET, Answer(201, b'{"id"')])
def test_a_post_whose_answer_was_lost_is_not_sent_again(trouble: Any) -> None:
    forge, script = github(trouble)
    with pytest.raises(Unsure):
        forge.send("POST", "x", {})
    assert len(script.sent) == 1


@pytest.mark.parametrize(
    "trouble",
    [NEVER, requests.ConnectTimeout("no"), Answer(429, SECONDARY, {"Retry-After": "5"})],
)
def test_a_post_that_cannot_have_happened_is_sent_again(trouble: Any) -> None:
    forge, script = github(trouble, OK)
    assert forge.send("POST", "x", {}) == {"ok": True}
    assert len(script.sent) == 2


@pytest.mark.parametrize(
    "away",
    [
        "https://storage.example/blob?sig=SIGNATURE",
        "http://api.github.com/x",
        "https://api.github.com:444/x",
        "https://api.github.com.evil.io/x",
        "https://api.github.com@evil.io/x",
    ],
)
def test_json_is_taken_from_the_api_alone(away: str) -> None:
    for answer in (
        Answer(302, None, {"Location": away}),
        Answer(200, [], {"Link": f'<{away}>; rel="next"'}),
    ):
        forge, script = github(answer, OK)
        with pytest.raises(ForgeError, match="leads to another host") as caught:
            list(forge.every("x"))
        assert len(script.sent) == 1
        assert "SIGNATURE" not in str(caught.value)


def test_credentials_of_a_netrc_or_a_cookie_do_not_leave_for_another_host() -> None:
    forge, script = github(OK)
    planted = {"Authorization": "Basic of-a-netrc", "Cookie": "session=1", "Accept": "*/*"}
    request = requests.Request("GET", "https://storage.example/zip", headers=planted).prepare()
    forge.wire.answer(request, b"".join)
    ((_, sent),) = script.sent
    assert set(sent.headers) == {"Accept"}


def test_the_token_goes_to_the_api_as_a_bearer() -> None:
    forge, script = github(OK)
    forge.get("x", page=2)
    ((_, sent),) = script.sent
    assert sent.headers["Authorization"] == f"Bearer {SECRET}"
    assert sent.headers["Accept"] == "application/vnd.github+json"
    assert sent.headers["X-GitHub-Api-Version"] == "2022-11-28"
    assert sent.path_url == "/x?page=2"


def test_what_is_given_back_does_not_bear_the_token() -> None:
    forge, script = github(OK)
    answer = forge._session.get("https://api.github.com/x")
    assert SECRET in repr(vars(script.sent[0][1]))
    assert SECRET not in repr(vars(answer.request))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_write_that_is_sent_elsewhere_is_not_followed(status: int) -> None:
    forge, script = github(Answer(status, None, {"Location": "https://elsewhere.example/x"}), OK)
    with pytest.raises(ForgeError):
        forge.send("POST", "x", {"secret": "body"})
    assert len(script.sent) == 1


def test_no_error_no_repr_and_no_log_shows_the_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for trouble in (*TROUBLES, Answer(401, {"message": SECRET[:4]}), Answer(403), Answer(422)):
        forge, _ = github(*[trouble] * 8)
        with pytest.raises(ForgeError) as caught:
            forge.get("x", q="1")
        seen = [str(caught.value), caught.value.hint, repr(caught.value), repr(forge)]
        seen += [repr(forge.wire), repr(forge.wire.token), repr(vars(forge._session))]
        assert SECRET not in "".join(seen)
        cause: BaseException | None = caught.value
        while cause is not None:
            assert SECRET not in repr(getattr(cause, "request", None) and vars(cause.request))
            cause = cause.__cause__ or cause.__context__
    assert SECRET not in caplog.text


def test_an_answer_without_end_is_not_read() -> None:
    forge, _ = github(Answer(200, b'"' + b"x" * (MOST_BYTES + 1) + b'"'))
    with pytest.raises(ForgeError, match="has more than"):
        forge.get("x")


def test_requests_of_several_threads_go_one_after_the_other() -> None:
    forge, script = github(*[OK] * 8)
    under_way, most = 0, 0
    send = script.send

    def watched(request: requests.PreparedRequest, **how: Any) -> requests.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        time.sleep(0.002)
        under_way -= 1
        return send(request, **how)

    script.send = watched  # type: ignore[assignment,method-assign]
    threads = [threading.Thread(target=forge.send, args=("PATCH", "x", {})) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert script.times() == [float(n) for n in range(8)]


def test_a_create_that_may_have_happened_is_not_followed_before_the_time_it_names() -> None:
    forge, script = github(Answer(503, None, {"Retry-After": "40"}), OK)
    with pytest.raises(Unsure):
        forge.send("POST", "x", {})
    forge.get("x")
    assert script.times()[1] >= 40


def test_a_body_that_trickles_is_not_waited_for() -> None:
    """A real socket: each byte comes in time, the whole never does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_trickle, args=(server, 2))
        thread.start()
        home = f"http://127.0.0.1:{server.getsockname()[1]}"
        pace = Pace(SystemClock(), Patience(tries=2, first_seconds=0.01, body_seconds=0.2))
        wire = Wire(HTTPAdapter(max_retries=0), home, Fixed(SECRET), pace)
        begun = time.monotonic()
        with pytest.raises(GaveUp, match="the answer comes too slowly, 2 times"):
            wire.send(requests.Request("GET", f"{home}/x").prepare())
        assert time.monotonic() - begun < 5
        thread.join()


def _trickle(server: socket.socket, times: int) -> None:
    for _ in range(times):
        peer, _ = server.accept()
        with peer:
            peer.recv(65_536)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n")
            with contextlib.suppress(OSError):
                for _ in range(400):
                    peer.sendall(b" ")
                    time.sleep(0.02)


def test_a_limit_holds_even_where_the_rest_of_its_answer_did_not_arrive() -> None:
    limited = Answer(403, SECONDARY, {"Retry-After": "73"}, cut=4)
    forge, script = github(limited, OK)
    forge.send("POST", "x", {})
    assert script.times()[1] >= 73


def test_a_certificate_that_is_not_trusted_is_told_at_once() -> None:
    forge, script = github(requests.exceptions.SSLError("certificate verify failed"))
    with pytest.raises(ForgeError, match=r"certificate of api\.github\.com is not trusted"):
        forge.get("x")
    assert len(script.sent) == 1


def test_a_port_that_nobody_listens_on_is_no_traceback() -> None:
    """The real adapter: how requests and urllib3 tell that nothing was sent."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    home = f"http://127.0.0.1:{port}"
    pace = Pace(Ticking(), Patience(tries=3))
    wire = Wire(HTTPAdapter(max_retries=0), home, Fixed(SECRET), pace)
    request = requests.Request("POST", f"{home}/x", json={}).prepare()
    with pytest.raises(GaveUp, match="POST /x: no connection, 3 times"):
        wire.answer(request, b"".join)
