"""No secret leaves a worker, however it is spelt."""

from __future__ import annotations

import base64
import io
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from llmops.jobs.base import SECRET_PREFIX
from llmops.workers.contract import WorkerError
from llmops.workers.scrub import Scrubbed, Secrets, taken
from tests.openai_server import Raw
from tests.workers.judging import GOOD, judge

# Thirty keys as issuers write them, and odd ones.
KEYS = [f"sk-{i:02d}-Zq7/Xw+9=Lm{i * 7919:08d}" for i in range(24)] + [
    "пароль-секрет-9", "密钥密钥密钥密钥", "a b c d e f g h", "\\\"'<>&%$#@!~`", "x" * 200,
    "(.*)+[a-z]{9}",
]  # fmt: skip


def spellings(key: str) -> dict[str, str]:
    """Six ways in which a server, a log or a traceback may write it."""
    raw = key.encode()
    return {
        "plain": key,
        "reversed": key[::-1],
        "base64": base64.b64encode(f"Bearer {key}".encode()).decode(),
        "base64url": base64.urlsafe_b64encode(raw).decode(),
        "hex": raw.hex().upper(),
        "percent": quote(key, safe=""),
    }


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_found_in_six_spellings(key: str) -> None:
    secrets = Secrets({"KEY": key})
    for name, written in spellings(key).items():
        shown = secrets.scrub(f"before {written} after")
        assert "***" in shown, name
        assert key not in shown
        longest = max((part for part in shown.split("***")), key=len)
        assert len(longest) < len("before ") + 12, name


def test_a_json_value_is_clean_in_keys_and_texts() -> None:
    secrets = Secrets({"KEY": KEYS[0]})
    found = secrets.clean({KEYS[0]: [KEYS[0], {"a": KEYS[0][::-1]}], "n": 1, "t": True, "z": None})
    assert found == {"***": ["***", {"a": "***"}], "n": 1, "t": True, "z": None}


def test_ordinary_text_stays_as_it_is() -> None:
    secrets = Secrets({"KEY": KEYS[0]})
    text = "Der Zug fährt um 9. 卡丢了? sk-0"
    assert secrets.scrub(text) == text
    assert Secrets({}).scrub(text) == text


def test_what_is_shown_of_secrets_is_their_names() -> None:
    assert repr(Secrets({"KEY": "value-value"})) == "Secrets(KEY)"


def test_a_secret_leaves_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{SECRET_PREFIX}KEY", "value-value")
    assert taken(["KEY"])["KEY"] == "value-value"
    assert not [name for name in os.environ if name.startswith(SECRET_PREFIX)]


@pytest.mark.parametrize("value", ["", "  ", "short"])
def test_a_secret_that_is_none_is_refused_and_not_shown(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{SECRET_PREFIX}KEY", value)
    with pytest.raises(WorkerError, match='the secret "KEY"') as told:
        taken(["KEY"])
    assert "short" not in told.value.message


def test_a_stream_lets_no_secret_through_even_in_pieces() -> None:
    out = io.StringIO()
    stream = Scrubbed(out, Secrets({"KEY": KEYS[1]}))
    stream.write(f"key {KEYS[1][:9]}")
    stream.write(f"{KEYS[1][9:]} end\nrest {KEYS[1]}")
    stream.flush()
    assert out.getvalue() == "key *** end\nrest ***"


def test_planted_secrets_are_in_nothing_that_a_job_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that repeats the key it was sent, in every spelling, wherever it can."""
    cases = [{"question": f"q{i}", "answer": "a"} for i in range(12)]
    for key in (KEYS[3], KEYS[7]):
        ways = list(spellings(key).values())
        count = iter(range(1000))

        def replies(request: Mapping[str, Any], ways: Any = ways, count: Any = count) -> str | Raw:
            said = ways[(n := next(count)) % 6]
            print(f"the server says {said}", file=sys.stderr)
            if n < 6:
                return json.dumps({"reason": f"key {said}", "score": 8})
            return Raw(f"your key is {said}", 400) if n % 2 else f"no JSON but {said}"

        out = judge(
            tmp_path, replies, cases=cases, secrets={"JUDGE_KEY": key}, key="JUDGE_KEY",
            monkeypatch=monkeypatch,
        )  # fmt: skip
        assert out.server.headers[0]["authorization"] == f"Bearer {key}"
        written = out.written()
        assert [way for way in ways if way in written or json.dumps(way)[1:-1] in written] == []
        assert "***" in written
        sys.stderr.flush()
        log = capsys.readouterr()
        assert "the server says ***" in log.err
        assert [way for way in ways if way in log.out + log.err] == []


def test_an_error_of_the_job_holds_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = KEYS[5]
    cases = [{"question": f"q{i}", "answer": "a"} for i in range(9)]
    with pytest.raises(WorkerError) as told:
        judge(
            tmp_path, lambda _r: Raw(f"bad key {key}", 400), cases=cases,
            secrets={"JUDGE_KEY": key}, key="JUDGE_KEY", monkeypatch=monkeypatch,
        )  # fmt: skip
    assert key not in told.value.message + told.value.hint
    assert "***" in told.value.message


def test_an_address_that_is_a_secret_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WorkerError) as told:
        judge(
            tmp_path, lambda _r: GOOD, secrets={"JUDGE_URL": "https://hidden.example.com/v1"},
            endpoint={"base_url": {"secret": "JUDGE_URL"}}, monkeypatch=monkeypatch,
        )  # fmt: skip
    assert "hidden.example.com" not in told.value.message + told.value.hint
    assert "the address in JUDGE_URL" in told.value.message
