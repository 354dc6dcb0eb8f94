from __future__ import annotations

import pytest

from llmops.audit import words
from llmops.log.base import APPROVAL, RUN_STARTED
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO
from tests import keyring
from tests.audit.logs import GATE, ROOT, Maker, looked_at, told

OTHER = keyring.person("mallory")


def whole() -> Maker:
    made = Maker()
    made.run("a", start=made.start("a"))
    made.count()
    made.count()
    return made


def test_a_log_that_holds_is_verified_by_a_root_that_is_known() -> None:
    answer = looked_at(whole().held())
    assert answer.verified, answer.flaws
    assert (answer.counts["entries"], answer.counts["blobs"], answer.counts["rows"]) == (5, 1, 1)
    assert answer.anchor == "--root"


def test_without_an_anchor_nothing_is_verified() -> None:
    answer = looked_at(whole().held(), root=None)
    assert told(answer) == [("unanchored", None)]
    assert not answer.verified
    text = words.text(answer)
    assert "consistent, not verified" in text
    assert ROOT.digest in text
    assert "--root sha256:" in text


def test_another_root_than_the_one_that_is_known_is_named() -> None:
    answer = looked_at(whole().held(), root=keyring.root_of(OTHER))
    assert told(answer) == [("key", None)]
    assert keyring.root_of(OTHER).digest in answer.flaws[0].what


def test_any_version_of_the_chain_is_an_anchor() -> None:
    second = keyring.after(ROOT)
    made = Maker(keyring.signed(ROOT, GATE), keyring.signed(second, GATE))
    made.run()
    for known in (ROOT, second):
        assert looked_at(made.held(), root=known).verified


def test_an_entry_that_was_taken_from_the_end_is_missed() -> None:
    held = whole().held()
    from dataclasses import replace

    assert ("incomplete", 4) in told(looked_at(replace(held, listed=held.listed[:-1])))


def test_an_entry_that_nobody_sealed_is_named() -> None:
    made = whole()
    held = made.held()
    made.count()
    answer = looked_at(made.held(note=held.note))
    assert told(answer) == [("tampered", 5)]


@pytest.mark.parametrize("at", range(5))
def test_an_entry_that_is_another_is_told(at: int) -> None:
    made = whole()
    note = made.held().note
    made.entries[at] = made.entries[at].replace(b'"payload":"e', b'"payload":"f', 1)
    answer = looked_at(made.held(note=note))
    assert ("tampered", at) in told(answer) or ("key", at) in told(answer)
    assert any("Merkle root" in flaw.what for flaw in answer.flaws)


def test_two_entries_that_changed_places_are_told() -> None:
    made = whole()
    note = made.held().note
    made.entries[3], made.entries[4] = made.entries[4], made.entries[3]
    answer = looked_at(made.held(note=note))
    assert {"tampered", "attempts"} <= {flaw.reason for flaw in answer.flaws}


def test_a_log_that_was_sealed_again_after_an_edit_is_told_by_its_signatures() -> None:
    made = whole()
    envelope = dsse.decode(made.entries[2])
    edited = dsse.decode(made.entries[2]).payload.replace(b'"value":1', b'"value":0')
    forged = dsse.encode(type(envelope)(IN_TOTO, edited, envelope.signatures))
    assert edited != envelope.payload
    made.entries[2] = forged
    assert told(looked_at(made.held()))[0] == ("tampered", 2)


def test_a_checkpoint_by_a_key_without_the_role_is_none() -> None:
    answer = looked_at(whole().held(by=OTHER))
    assert told(answer) == [("key", None)]
    assert answer.flaws[0].file == "checkpoint"


@pytest.mark.parametrize("note", [b"", b"x", b"a\n1\nAA==\n\nx\n", "é\n".encode("latin-1")])
def test_a_checkpoint_that_is_none_is_told(note: bytes) -> None:
    answer = looked_at(whole().held(note=note))
    assert ("tampered", None) in told(answer)
    assert answer.log is None
    assert not answer.verified


def test_without_a_checkpoint_nothing_is_verified() -> None:
    answer = looked_at(whole().held(note=None))
    assert told(answer) == [("incomplete", None)]


def test_an_empty_log_has_no_root() -> None:
    made = Maker()
    made.entries.clear()
    answer = looked_at(made.held())
    assert told(answer) == [("key", 0)]


def test_what_stands_before_any_root_is_nobody_s_word() -> None:
    made = whole()
    made.entries.append(made.entries.pop(0))
    assert ("key", 0) in told(looked_at(made.held()))


def test_a_key_without_the_role_says_nothing() -> None:
    runner = keyring.person("runner")
    from llmops.signing.root import Grant, Root, draft

    keys = {one.key: keyring.named(one) for one in (GATE, runner)}
    all_of = {role: Grant((GATE.key,)) for role in ("root", "gate", "log")}
    root = draft(Root(1, "", keys, {**all_of, "runner": Grant((runner.key,))}, {}))  # type: ignore[dict-item]
    made = Maker(keyring.signed(root, GATE))
    made.run(by=runner)
    assert looked_at(made.held(), root=root).verified
    made.say(APPROVAL, {"seen_at": "2026-11-22T08:00:00Z"}, by=runner)
    answer = looked_at(made.held(), root=root)
    assert told(answer) == [("key", 2)]
    assert "gate" in answer.flaws[0].what


def test_a_key_of_nobody_says_nothing() -> None:
    made = whole()
    made.run("b", by=OTHER)
    answer = looked_at(made.held())
    assert told(answer)[0] == ("key", 5)
    assert OTHER.key in answer.flaws[0].what


def test_a_revoked_key_signed_nothing_since_then() -> None:
    second = keyring.after(
        ROOT, keys={**ROOT.keys, OTHER.key: keyring.named(OTHER, "bob")},
        roles={r: type(g)(tuple(sorted((*g.keys, OTHER.key)))) for r, g in ROOT.roles.items()},
    )  # fmt: skip
    from llmops.signing.root import Revoked

    gone = {OTHER.key: Revoked("2026-11-22T08:30:00Z", "laptop lost")}
    owners = type(ROOT.roles["root"])((GATE.key,))
    third = keyring.after(second, revoked=gone, roles={**second.roles, "root": owners})
    made = Maker(keyring.signed(ROOT, GATE), keyring.signed(second, GATE, OTHER))
    made.run("a", "2026-11-22T08:10:00Z", by=OTHER)
    made.run("b", "2026-11-22T08:40:00Z", by=OTHER)
    assert looked_at(made.held()).verified
    made.entries.append(keyring.signed(third, GATE))
    answer = looked_at(made.held())
    assert told(answer) == [("key", 3)]
    assert "laptop lost" in answer.flaws[0].what


def test_the_clock_of_the_log_only_goes_forward() -> None:
    end = keyring.after(ROOT, keys={GATE.key: keyring.named(GATE, until="2026-11-22T08:30:00Z")})
    made = Maker(keyring.signed(end.__class__(**_first(end)), GATE))
    root = end.__class__(**_first(end))
    made.run("a", "2026-11-22T08:10:00Z")
    made.run("b", "2026-11-22T08:40:00Z")
    made.run("c", "2026-11-22T08:15:00Z")
    answer = looked_at(made.held(by=GATE), root=root)
    assert {entry for reason, entry in told(answer) if reason == "key"} >= {2, 3}


def _first(root: object) -> dict[str, object]:
    from dataclasses import fields

    found = {f.name: getattr(root, f.name) for f in fields(root) if f.name != "envelope"}  # type: ignore[arg-type]
    return {**found, "version": 1, "previous": ""}


def test_an_entry_from_tomorrow_is_told() -> None:
    made = whole()
    made.run("b", "2026-12-02T00:00:00Z")
    answer = looked_at(made.held())
    assert told(answer)[0] == ("order", 5)
    assert "2026-12-02T00:00:00Z" in answer.flaws[0].what


def test_a_time_that_is_none_is_told() -> None:
    made = Maker()
    made.say(RUN_STARTED, {"startedAt": "yesterday"})
    assert told(looked_at(made.held())) == [("tampered", 1)]


def test_a_kind_of_statement_that_nobody_knows_is_told_and_never_verified() -> None:
    made = whole()
    made.say("https://llmops.dev/blessing/v9", {"at": "2026-11-22T08:00:00Z"})
    answer = looked_at(made.held())
    assert told(answer) == [("unreadable", 5)]
    assert "https://llmops.dev/blessing/v9" in answer.flaws[0].what


def test_a_payload_of_another_type_is_told() -> None:
    made = whole()
    made.entries.append(dsse.encode(dsse.sign("text/plain", b"hello", [GATE])))
    assert told(looked_at(made.held())) == [("unreadable", 5)]


def test_what_was_said_once_is_not_said_again() -> None:
    made = whole()
    made.entries.append(made.entries[2])
    answer = looked_at(made.held())
    assert told(answer) == [("order", 5)]
    assert "entry 2" in answer.flaws[0].what


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"{", b"[]", b"null", b'{"_type":1}', b"\xff", b"[" * 100_000,
        b'{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":7,"subject":[]}',
        b'{"_type":"https://in-toto.io/Statement/v1","predicate":[],"predicateType":"x","subject":[]}',
        b'{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":"x","subject":{}}',
        b'{"_type": "x","predicate":{},"predicateType":"x","subject":[]}',
    ],
)  # fmt: skip
def test_a_signed_payload_that_is_no_statement_is_told(payload: bytes) -> None:
    made = Maker()
    made.put(payload)
    assert told(looked_at(made.held())) == [("tampered", 1)]
