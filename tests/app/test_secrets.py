"""T14: a secret that a server repeats, in any spelling, is in no log, status, file or answer."""

from __future__ import annotations

import base64
import json
import logging
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops.app.crew import step
from llmops.app.journal import Handler, Journal, summary
from llmops.app.run import Service
from llmops.app.settings import Settings
from llmops.app.subjects import Subject
from llmops.errors import GitError, LlmopsError, UsageError
from llmops.forge.base import GaveUp, Refused
from tests.app.conftest import REPO, Clock, headers, pull_event

HOOK = "canary+webhook/secret=é".replace("é", "e")
OLD = "canary-old-webhook-secret"
LINE = "MIICanaryOfThePrivateKey0123456789abcdefABCDEF+/xyz0123456789AB"
KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{LINE}\n{LINE[::-1]}\n-----END RSA PRIVATE KEY-----\n"
TOKEN = "ghs_canaryOfAnInstallation0123456789"
JWT = f"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJjYW5hcnkifQ.{'canary' * 8}"

ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 of more": lambda text: base64.b64encode(f"x-access-token:{text}".encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "quoted": lambda text: urllib.parse.quote(text, safe=""),
    "reversed": lambda text: text[::-1],
    "json": json.dumps,
}
SECRETS = {"hook": HOOK, "old hook": OLD, "key line": LINE, "token": TOKEN}


def traces(secret: str) -> list[str]:
    """What of a secret must be nowhere: every spelling, and long pieces of it."""
    return [
        secret, secret[::-1], secret.encode().hex(), urllib.parse.quote(secret, safe=""),
        "".join(f"%{byte:02X}" for byte in secret.encode()),
        *(base64.b64encode(b"\0" * n + secret.encode()).decode()[8:-8] for n in range(3)),
    ]  # fmt: skip


def clean(text: str) -> bool:
    return not any(trace in text for secret in SECRETS.values() for trace in traces(secret))


def settings(folder: Path) -> Settings:
    return Settings(1, KEY, (HOOK, OLD), folder, (REPO,), "127.0.0.1", 0)


class Told:
    """A service whose work fails in somebody else's words."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self.error: Exception | None = None
        self.parts = Service(settings(folder), Clock(), self.lines.append, work=self.work)
        self.parts.journal.hide(TOKEN)

    def work(self, subject: Subject) -> str:
        if self.error is not None:
            raise self.error
        return "seen"

    def everything(self) -> str:
        """All that anybody can read."""
        kept = [p.read_text() for p in self.folder.rglob("*") if p.is_file()]
        return "\n".join([*self.lines, *kept, str(self.parts.status()), self.parts.ready()])


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_repeated_secret_is_said_and_kept_nowhere(
    told: Told, secret: str, encode: Callable[[str], str]
) -> None:
    repeated = f"server said: {encode(secret)}; bye"
    for error in (
        LlmopsError(repeated, hint=repeated), GitError(repeated), UsageError(repeated),
        Refused(repeated, status=403), GaveUp(repeated), KeyError(repeated),
    ):  # fmt: skip
        told.error = error
        told.parts.queue.put(Subject(REPO, "pull", 7))
        told.parts.clock.sleep(3600)
        assert step(told.parts.queue, told.work, told.parts.journal)
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "oops %s", (repeated,), None)
    Handler(told.parts.journal).emit(record)
    text = told.everything()
    assert "server said: " in text
    assert clean(text), text


def test_without_the_scrubber_this_test_would_see_it(told: Told) -> None:
    assert not clean(f"x {ENCODINGS['hex'](HOOK)}")
    assert not any(clean(encode(s)) for encode in ENCODINGS.values() for s in SECRETS.values())


def test_an_event_that_holds_secrets_leaves_none(told: Told) -> None:
    for encode in ENCODINGS.values():
        for secret in SECRETS.values():
            body = json.dumps(pull_event(7, title=encode(secret), ref=encode(secret))).encode()
            named = headers("pull_request", body, HOOK)
            told.parts.door.receive(named | {"x-github-delivery": encode(secret)}, body)
            told.parts.door.receive({"x-hub-signature-256": encode(secret)}, body)
            told.parts.door.receive(named | {"x-github-event": encode(secret)}, body)
    assert len(told.lines) > 20
    assert clean(told.everything())


LOOKS = [
    TOKEN, "ghp_0123456789abcdefXYZ", "github_pat_11AAAA0123456789_xyz", JWT,
    f"Authorization: Bearer {'q' * 40}", "token " + "z" * 40, KEY.replace("\n", " "),
]  # fmt: skip


@pytest.mark.parametrize("made", LOOKS, ids=lambda text: text[:12])
def test_what_looks_like_a_token_is_never_said_though_nobody_named_it(made: str) -> None:
    lines: list[str] = []
    Journal(lines.append, Clock()).say("failed", f"got {made}")
    secret = max(made.split(), key=len)
    assert secret not in lines[0]
    assert "***" in lines[0]


def test_a_line_stays_one_line_and_drives_no_terminal() -> None:
    lines: list[str] = []
    Journal(lines.append, Clock()).say("x", "a\nb\r\x1b[2J\u202e" + "y" * 5000)
    assert len(lines) == 1
    assert lines[0].isprintable()
    assert len(lines[0]) < 1100


def test_a_mistake_of_ours_is_named_by_its_place_alone() -> None:
    with pytest.raises(KeyError) as caught:
        raise KeyError(HOOK)
    assert summary(caught.value).startswith("KeyError in test_secrets.py:")


def test_nothing_shows_a_secret_in_its_repr(told: Told) -> None:
    parts = told.parts
    for one in (parts.settings, parts.journal, parts.door, parts, vars(parts)):
        assert clean(repr(one))
