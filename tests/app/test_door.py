from __future__ import annotations

import json

import pytest

from llmops.app.door import MOST_BYTES, Key
from llmops.app.subjects import Subject
from tests.app.conftest import HEAD, REPO, SECRET, headers, pull_event, service, signature

NEW = "another-webhook-secret"


def test_a_signed_event_is_kept_and_acknowledged(app) -> None:
    answer = app.deliver("pull_request", pull_event(7))
    assert (answer.status, answer.said) == (202, {"queued": 1, "known": 0})
    assert [e.subject for e in app.queue.entries()] == [Subject(REPO, "pull", 7)]
    assert len(app.disk.files) == 1


@pytest.mark.parametrize(
    "forged",
    ["", "sha256=", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "sha256=" + "g" * 64, "密" * 71,
     "sha256=" + "0" * 63, "sha256=" + "0" * 65, "\x00"],
)  # fmt: skip
def test_a_forged_signature_is_turned_away_before_anything_is_read(app, forged: str) -> None:
    body = b"this is no JSON"
    told = {**headers("pull_request", body), "x-hub-signature-256": forged}
    assert app.door.receive(told, body).status == 401
    assert app.disk.files == {}


def test_a_signature_of_another_body_does_not_fit(app) -> None:
    body = json.dumps(pull_event()).encode()
    assert app.door.receive(headers("pull_request", body), body + b" ").status == 401


def test_every_bit_of_a_signature_counts() -> None:
    key, body = Key([SECRET]), b"{}"
    good = signature(body)
    assert key.signed(body, good)
    for at in range(len("sha256="), len(good)):
        other = "0" if good[at] != "0" else "1"
        assert not key.signed(body, good[:at] + other + good[at + 1 :])


def test_two_secrets_fit_while_one_takes_the_others_place() -> None:
    both, after = service(secrets=(NEW, SECRET)), service(secrets=(NEW,))
    assert both.deliver("pull_request", pull_event(), SECRET).status == 202
    assert both.deliver("pull_request", pull_event(8), NEW).status == 202
    assert after.deliver("pull_request", pull_event(), SECRET).status == 401
    assert after.deliver("pull_request", pull_event(), NEW).status == 202


def test_every_secret_is_compared_to_its_end_whichever_fits(monkeypatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr("llmops.app.door.hmac.compare_digest", compare)
    key, body = Key([SECRET, NEW]), b"{}"
    for given in (signature(body), signature(body, NEW), "sha256=" + "0" * 64, "", "rubbish"):
        compared.clear()
        key.signed(body, given)
        assert [(len(one), len(other)) for one, other in compared] == [(64, 64)] * 2


def test_a_key_shows_nothing_of_itself() -> None:
    assert SECRET not in repr(Key([SECRET, NEW]))
    assert SECRET not in str(vars(Key([])))


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff\xfe", b'{"a": NaN}', b"1",
                                  b"[" * 100_000, b'{"repository": 1}', b'{"action":"opened"}'],
                         ids=lambda body: repr(body[:12]))  # fmt: skip
def test_a_malformed_body_is_told_as_such(app, body: bytes) -> None:
    assert app.door.receive(headers("pull_request", body), body).status == 400
    assert app.disk.files == {}


@pytest.mark.parametrize("name", ["", "Pull", "pull_request\n", "x" * 65, "../x"])
def test_an_event_without_a_proper_name_is_malformed(app, name: str) -> None:
    body = json.dumps(pull_event()).encode()
    told = {**headers("pull_request", body), "x-github-event": name}
    assert app.door.receive(told, body).status == 400


def test_an_event_of_a_repository_nobody_named_does_nothing(app) -> None:
    other = pull_event(repository={"full_name": "evil/bank"})
    answer = app.deliver("pull_request", other)
    assert answer.status == 202
    assert answer.said == {"queued": 0, "why": "this repository is not served here"}
    assert app.disk.files == {}


def test_a_repository_is_the_same_however_it_is_spelt(app) -> None:
    app.deliver("pull_request", pull_event(repository={"full_name": REPO.upper()}))
    app.deliver("pull_request", pull_event())
    assert [e.subject.repo for e in app.queue.entries()] == [REPO]


def test_an_event_nobody_waits_for_does_nothing(app) -> None:
    answer = app.deliver("star", pull_event())
    assert (answer.status, answer.said["queued"]) == (202, 0)
    assert app.deliver("ping", {"zen": "x"}).said["why"] == "pong"
    assert app.disk.files == {}


def test_an_event_of_the_whole_installation_sweeps_what_is_served(app) -> None:
    assert app.deliver("installation", {"action": "created"}).status == 202
    assert [e.subject for e in app.queue.entries()] == [Subject(REPO, "sweep")]


def test_what_cannot_be_kept_is_not_acknowledged(app) -> None:
    app.disk.full_after = 0
    assert app.deliver("pull_request", pull_event()).status == 503
    app.disk.full_after = 9
    assert app.deliver("pull_request", pull_event()).status == 202
    assert [e.subject.number for e in app.queue.entries()] == [7]


def test_a_body_too_big_is_refused_unread(app) -> None:
    body = b" " * (MOST_BYTES + 1)
    assert app.door.receive(headers("pull_request", body), body).status == 413


def test_an_answer_says_nothing_of_the_event(app) -> None:
    for name, payload in (
        ("pull_request", pull_event(title="canary-of-a-stranger")),
        ("pull_request", {"repository": {"full_name": "canary-of-a-stranger"}}),
        ("canary_of_a_stranger", {}),
    ):
        answer = app.deliver(name, payload)
        assert "canary" not in json.dumps(dict(answer.said))
        assert HEAD not in json.dumps(dict(answer.said))
