"""The client of a judge: only where it may, as fast as it may, and never a step further."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmops.workers import endpoint
from llmops.workers.contract import WorkerError
from llmops.workers.endpoint import Clock, Endpoint, Limits, address_of, content, expect_allowed
from llmops.workers.judge import NoAnswer
from llmops.workers.scrub import Secrets
from tests.openai_server import Raw, Server, completion, serving
from tests.workers.judging import GOOD, MODEL, judge


class Time:
    """A clock whose sleeps cost nothing."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep)


def client(server: Server | str, *, time: Time | None = None, **limits: Any) -> Endpoint:
    url = server if isinstance(server, str) else server.base_url
    return Endpoint(
        "Model/served", address_of(url), {"model": MODEL, "temperature": 0.0, "max_tokens": 9},
        "json_schema", "", Limits(**limits), Secrets({}), (time or Time()).clock,
    )  # fmt: skip


def ask(one: Endpoint) -> str:
    return one.answer("judge this", {"title": "ReasonScore"}, 1)


def after(*replies: Raw | str) -> Any:
    """A server that says these one after the other, then GOOD."""
    left: Iterator[Raw | str] = iter(replies)
    return lambda _request: next(left, GOOD)


# ---- tries and limits ------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again_later_each_time(status: int) -> None:
    time = Time()
    with serving(after(*[Raw("", status)] * 3)) as server:
        assert ask(client(server, time=time, max_retries=3)) == GOOD
    assert len(server.requests) == 4
    first, second, third = time.slept
    assert 0.5 <= first <= 0.55 < 1.0 <= second <= 1.1 < 2.0 <= third <= 2.2


def test_after_its_tries_a_question_has_no_answer() -> None:
    with serving(lambda _r: Raw("", 503)) as server, pytest.raises(NoAnswer) as told:
        ask(client(server, max_retries=2))
    assert str(told.value) == "the judge answered 503 (3 tries)"
    assert len(server.requests) == 3


def test_nothing_is_asked_before_the_time_that_the_server_names() -> None:
    time = Time()
    with serving(after(Raw("", 429, {"Retry-After": "7"}))) as server:
        assert ask(client(server, time=time, max_retries=1)) == GOOD
    assert time.slept == [7.0]


def test_a_date_to_come_back_at_is_kept_too(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time()
    monkeypatch.setattr(endpoint.time, "time", lambda: 1_795_600_000.0)
    when = {"Retry-After": "Wed, 25 Nov 2026 09:47:00 GMT"}
    with serving(after(Raw("", 503, when))) as server:
        ask(client(server, time=time, max_retries=1))
    (waited,) = time.slept
    assert waited == pytest.approx(1_795_600_020 - 1_795_600_000, abs=60)


@pytest.mark.parametrize("said", ["soon", "-5", "1e9", "9" * 400, ""])
def test_an_odd_time_to_come_back_at_is_none_or_too_long(said: str) -> None:
    time = Time()
    with serving(after(Raw("", 503, {"Retry-After": said}))) as server:
        one = client(server, time=time, max_retries=1)
        if said.isdecimal():
            with pytest.raises(NoAnswer):
                ask(one)
        else:
            assert ask(one) == GOOD
    assert all(waited < 1 for waited in time.slept)


def test_a_server_that_asks_for_too_long_a_wait_is_not_waited_for() -> None:
    time = Time()
    with serving(after(Raw("", 429, {"Retry-After": "3600"}))) as server, pytest.raises(NoAnswer):
        ask(client(server, time=time, max_retries=5))
    assert time.slept == []
    assert len(server.requests) == 1


def test_requests_keep_to_their_number_a_minute_tries_too() -> None:
    time = Time()
    with serving(after(GOOD, Raw("", 500), GOOD)) as server:
        one = client(server, time=time, requests_per_minute=6, max_retries=1)
        for _ in range(3):
            ask(one)
    assert len(server.requests) == 4
    assert time.now - 100.0 >= 3 * 10.0


def test_a_slow_answer_is_cut_at_its_time_and_not_at_each_byte() -> None:
    body = json.dumps(completion(GOOD, MODEL))
    with serving(lambda _r: Raw(body, slow=0.05)) as server, pytest.raises(NoAnswer) as told:
        ask(client(server, max_retries=0, timeout_seconds=0.4))
    assert str(told.value) == "no answer within 0.4 s (1 try)"


def test_a_server_that_never_speaks_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        with pytest.raises(NoAnswer, match=r"no answer within 0\.3 s"):
            ask(client(url, max_retries=0, timeout_seconds=0.3))


def test_what_speaks_no_http_gives_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as odd:

        def speak() -> None:
            peer, _ = odd.accept()
            peer.recv(65536)
            peer.sendall(b"\x00\x01 hello\r\n\r\n")
            peer.close()

        thread = threading.Thread(target=speak)
        thread.start()
        with pytest.raises(NoAnswer, match="no connection"):
            ask(client(f"http://127.0.0.1:{odd.getsockname()[1]}", max_retries=0))
        thread.join()


# ---- nobody there ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "refuses the key"), (403, "forbids"), (404, "no such model"), (302, "a redirect"),
     (307, "a redirect"), (308, "a redirect")],
)  # fmt: skip
def test_what_cannot_get_better_ends_the_job_at_once(status: int, said: str) -> None:
    elsewhere = {"Location": "http://127.0.0.1:1/steal"}
    with serving(lambda _r: Raw("", status, elsewhere)) as server:
        with pytest.raises(WorkerError, match=said) as told:
            ask(client(server, max_retries=3))
        assert "Model/served at 127.0.0.1:" in told.value.message
    assert len(server.requests) == 1


def test_a_judge_that_answers_nobody_is_no_judge(tmp_path: Path) -> None:
    cases = [{"question": f"q{i}", "answer": "a"} for i in range(20)]
    with pytest.raises(WorkerError, match="has not answered 5 questions in a row"):
        judge(tmp_path, lambda _r: Raw("", 503), cases=cases)


def test_a_judge_that_refuses_every_question_from_the_start_is_none_either(tmp_path: Path) -> None:
    cases = [{"question": f"q{i}", "answer": "a"} for i in range(20)]
    with pytest.raises(WorkerError, match="400: unknown field response_format"):
        judge(tmp_path, lambda _r: Raw("unknown field response_format", 400), cases=cases)


def test_some_questions_without_a_reply_are_invalid_cells(tmp_path: Path) -> None:
    cases = [{"question": f"q{i}", "answer": "a"} for i in range(20)]
    count = iter(range(100))
    out = judge(tmp_path, lambda _r: Raw("", 503) if next(count) % 2 else GOOD, cases=cases)
    valid = [cell["valid"] for cell in out.cells().values()]
    assert sorted(valid) == [False] * 10 + [True] * 10


# ---- where it may go -------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["http://127.0.0.1:8/v1", "http://localhost:8", "http://[::1]/v1"])
def test_this_machine_may_be_asked_offline(url: str) -> None:
    expect_allowed("evaluate/kind", address_of(url), {"LLMOPS_OFFLINE": "1"})


@pytest.mark.parametrize(
    "url", ["https://api.example.com/v1", "http://10.1.2.3:8000", "https://127.0.0.1.evil.test"]
)
def test_elsewhere_is_asked_only_where_it_is_named(url: str) -> None:
    address = address_of(url)
    for environ, said in (
        ({"LLMOPS_OFFLINE": "1", "LLMOPS_ALLOW_HOSTS": address.host}, "but LLMOPS_OFFLINE=1"),
        ({}, "which nobody on this machine has named"),
        ({"LLMOPS_ALLOW_HOSTS": "other.example.com"}, "nobody on this machine has named"),
    ):
        with pytest.raises(WorkerError, match=said) as told:
            expect_allowed("evaluate/kind", address, environ)
        assert told.value.message.startswith("evaluate/kind asks the judge at")
    expect_allowed("evaluate/kind", address, {"LLMOPS_ALLOW_HOSTS": f"a.test, {address.host}"})


def test_a_public_host_is_asked_over_tls_only(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", ("93.184.216.34", 0))]
    monkeypatch.setattr(endpoint.socket, "getaddrinfo", lambda *_a, **_k: found)
    with pytest.raises(WorkerError, match="without TLS"):
        expect_allowed(
            "evaluate/kind", address_of("http://api.example.com"),
            {"LLMOPS_ALLOW_HOSTS": "api.example.com"},
        )  # fmt: skip


@pytest.mark.parametrize("ip", ["169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "240.0.0.1"])
def test_special_addresses_are_never_asked(ip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", (ip, 0))]
    monkeypatch.setattr(endpoint.socket, "getaddrinfo", lambda *_a, **_k: found)
    with pytest.raises(WorkerError, match="where no judge may be"):
        ask(client("https://api.example.com"))


def test_a_name_of_this_machine_that_leads_elsewhere_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [(2, 1, 6, "", ("10.0.0.1", 0))]
    monkeypatch.setattr(endpoint.socket, "getaddrinfo", lambda *_a, **_k: found)
    with pytest.raises(WorkerError, match="where no judge may be"):
        ask(client("http://judge.localhost"))


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(after()) as server:
        assert ask(client(server)) == GOOD


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://a/v1", "http://", "http://u:p@a/v1", "http://a/v1?key=1",
     "http://a/#x", "http://[::1", "http://a:99999/v1", "", "a.example.com/v1"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(WorkerError, match="no address"):
        address_of(url)


# ---- replies ---------------------------------------------------------------------------------


def test_the_text_of_a_completion_is_its_content() -> None:
    assert content(json.dumps(completion("hi", "m")).encode(), "m") == "hi"
    assert content(json.dumps({**completion("hi", "m"), "model": ""}).encode(), "m") == "hi"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no chat completion"), (b"<html>", "HTML"), (b"[]", "no chat completion"),
        (json.dumps(completion("hi", "other")).encode(), 'another model answered: "other"'),
        (json.dumps(completion(None, "m")).encode(), "no text"),
        (json.dumps(completion("hi", "m", finish_reason="length")).encode(), "cut: length"),
        (json.dumps(completion(None, "m", refusal="no")).encode(), "refused"),
    ],
)  # fmt: skip
def test_anything_else_is_no_answer(body: bytes, said: str) -> None:
    with pytest.raises(NoAnswer, match=said):
        content(body, "m")
