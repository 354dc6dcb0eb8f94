from __future__ import annotations

import json

import pytest

from llmops.audit.base import Answer
from llmops.audit.remembered import Remembered, decode, encode
from tests import keyring
from tests.audit.logs import ROOT, Maker, looked_at, told


def seen(answer: Answer) -> Remembered:
    assert answer.log is not None
    return decode(encode(Remembered(answer.trust_root, answer.log)))


def grown(*names: str) -> Maker:
    made = Maker()
    for name in names:
        made.run(name)
    return made


def test_what_was_remembered_is_an_anchor_and_a_longer_log_goes_on() -> None:
    before = seen(looked_at(grown("a", "b").held()))
    answer = looked_at(grown("a", "b", "c").held(), root=None, before=before)
    assert answer.verified
    assert answer.anchor == "remembered from the last time"
    assert looked_at(grown("a", "b").held(), root=None, before=before).verified


def test_an_older_log_is_a_rollback_that_names_both_roots() -> None:
    newer, older = looked_at(grown("a", "b").held()), looked_at(grown("a").held())
    answer = looked_at(grown("a").held(), before=seen(newer))
    assert told(answer) == [("fork", None)]
    assert "rolled back" in answer.flaws[0].what
    for one in (newer, older):
        assert one.log is not None
        assert one.log.root in answer.flaws[0].what


@pytest.mark.parametrize("names", [("x", "b"), ("a", "x"), ("b", "a"), ("x", "b", "c", "d")])
def test_a_rewritten_log_is_a_fork_that_names_both_roots(names: tuple[str, ...]) -> None:
    before = looked_at(grown("a", "b").held())
    answer = looked_at(grown(*names).held(), before=seen(before))
    assert told(answer) == [("fork", None)]
    assert before.log is not None
    assert before.log.root in answer.flaws[0].what


def test_another_log_is_not_the_one_that_was_seen() -> None:
    before = seen(looked_at(grown("a").held()))
    other = Remembered(before.trust_root, before.log.__class__("llmops.dev/other", 2, "0" * 64))
    assert told(looked_at(grown("a").held(), before=other)) == [("fork", None)]


def test_another_trust_root_than_the_one_remembered_is_told() -> None:
    before = seen(looked_at(grown("a").held()))
    stranger = keyring.root_of(keyring.person("mallory"))
    answer = looked_at(grown("a").held(), root=None, before=Remembered(stranger.digest, before.log))
    assert told(answer) == [("key", None)]


@pytest.mark.parametrize(
    "change",
    [
        {"size": -1}, {"size": "3"}, {"size": True}, {"root": "x"}, {"trust_root": "sha256:1"},
        {"origin": 3}, {"format_version": 2}, {"more": 1},
    ],
)  # fmt: skip
def test_a_file_that_verify_did_not_write_is_refused(change: dict[str, object]) -> None:
    whole = json.loads(encode(seen(looked_at(grown("a").held()))))
    with pytest.raises(ValueError, match=r"."):
        decode(json.dumps({**whole, **change}).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_no_text_is_taken_for_what_was_remembered(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(data)


def test_the_newest_root_is_remembered() -> None:
    second = keyring.after(ROOT)
    gate = keyring.person("gate")
    made = Maker(keyring.signed(ROOT, gate), keyring.signed(second, gate))
    assert seen(looked_at(made.held())).trust_root == second.digest
