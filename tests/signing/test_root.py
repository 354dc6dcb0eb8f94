from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from llmops.digest import canonical, of_bytes
from llmops.signing import dsse
from llmops.signing.base import ROOT, Signature
from llmops.signing.grants import Grant, Revoked, moment
from llmops.signing.root import Root, chain, decode, draft, missing
from tests.keyring import NOW, after, named, person, root_of, signed, statement

ANN, BOB, EVE = person("ann"), person("bob"), person("eve")


def refused(*files: bytes) -> str:
    with pytest.raises(ValueError, match="trust root") as caught:
        chain(files)
    return str(caught.value)


def rotated(before: Root) -> Root:
    """Ann's key is replaced by Bob's: hers keeps what it signed."""
    keys = {ANN.key: named(ANN, until=NOW), BOB.key: named(BOB, "bob", NOW)}
    both = tuple(sorted(keys))
    roles = {role: Grant(both) for role in before.roles} | {"root": Grant((BOB.key,))}
    return after(before, keys=keys, roles=roles)


# --- one root


def test_a_root_is_read_as_it_was_written() -> None:
    root = root_of(ANN, BOB, threshold=2)
    data = signed(root, ANN, BOB)
    assert decode(data) == root
    assert dsse.encode(decode(data).envelope) == data
    assert decode(data).digest == of_bytes(dsse.decode(data).payload) == root.digest


def _edits() -> list[tuple[str, Callable[[dict[str, Any]], object], str]]:
    key, weak = ANN.key, "AQ" + "A" * 41 + "="
    return [
        ("another format", lambda s: s.update(format_version=2), "format 2, this llmops reads 1"),
        ("true for one", lambda s: s.update(format_version=True), "format True"),
        ("version nought", lambda s: s.update(version=0), "version 0 is no number from 1 on"),
        ("version as text", lambda s: s.update(version="1"), "version 1 is no number from 1 on"),
        ("no previous", lambda s: s.pop("previous"), "exactly the fields"),
        ("previous is text", lambda s: s.update(previous="no"), '"previous" is no digest'),
        ("one field more", lambda s: s.update(extra=1), "exactly the fields"),
        ("keys are a list", lambda s: s.update(keys=[]), '"keys" is no table'),
        ("no root role", lambda s: s["roles"].pop("root"), "nobody has the role root"),
        ("another role", lambda s: s["roles"].update(boss=s["roles"]["root"]), "no role \"boss\""),
        ("nobody in a role", lambda s: s["roles"]["gate"].update(keys=[]), "no list of keys"),
        ("a key twice", lambda s: s["roles"]["gate"].update(keys=[key, key]), "each there once"),
        ("nobody knows it", lambda s: s["keys"].clear(), "which is not under keys"),
        ("threshold nought", lambda s: s["roles"]["root"].update(threshold=0), "asks for 0 of 1"),
        ("threshold two", lambda s: s["roles"]["root"].update(threshold=2), "asks for 2 of 1"),
        ("threshold true", lambda s: s["roles"]["root"].update(threshold=True), "asks for True"),
        ("another id", lambda s: s["keys"].update({"a" * 64: s["keys"][key]}), "is not the id"),
        ("no base64", lambda s: s["keys"][key].update(public="%"), "that is no base64"),
        ("a number", lambda s: s["keys"][key].update(public=7), "that is no base64"),
        ("short", lambda s: s["keys"][key].update(public="AAAA"), "that is no Ed25519 key"),
        ("a weak point", lambda s: s["keys"][key].update(public=weak), "that is no Ed25519 key"),
        ("no owner", lambda s: s["keys"][key].update(owner=" "), "no text of 1 to 200"),
        ("a bell", lambda s: s["keys"][key].update(owner="a\x07"), "cannot be printed"),
        ("a surrogate", lambda s: s["keys"][key].update(owner="a\ud800"), "cannot be printed"),
        ("no time", lambda s: s["keys"][key].update({"from": "today"}), "is no time"),
        ("a zone", lambda s: s["keys"][key].update({"from": NOW[:-1] + "+00:00"}), "is no time"),
        ("day 32", lambda s: s["keys"][key].update({"from": "2026-01-32T00:00:00Z"}), "no time"),
        ("ends first", lambda s: s["keys"][key].update({"until": "2025-01-01T00:00:00Z"}), "ends"),
        (
            "an owner revoked",
            lambda s: s["revoked"].update({key: {"at": NOW, "reason": "lost"}}),
            "revoked and still has the role root",
        ),
        (
            "a stranger revoked",
            lambda s: s["revoked"].update({EVE.key: {"at": NOW, "reason": "lost"}}),
            "revoked and not under keys",
        ),
        (
            "no reason",
            lambda s: s["revoked"].update({key: {"at": NOW, "reason": ""}}),
            "no text of 1 to 200",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(("edit", "why"), [e[1:] for e in _edits()], ids=[e[0] for e in _edits()])
def test_a_payload_that_is_no_root_is_refused_by_name(
    edit: Callable[[dict[str, Any]], object], why: str
) -> None:
    said = json.loads(root_of(ANN).payload)
    edit(said)
    try:
        payload = canonical(said)
    except ValueError:  # what canonical JSON has not
        payload = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(ValueError, match=why):
        decode(dsse.encode(dsse.sign(ROOT, payload, [ANN])))


def test_machines_sign_alone() -> None:
    root = root_of(ANN, BOB)
    both = Grant(root.roles["gate"].keys, 2)
    with pytest.raises(ValueError, match="role gate has threshold 2: machines sign alone"):
        draft(
            replace(
                root,
                roles={**root.roles, "gate": both},
                envelope=replace(root.envelope, payload=b""),
            )
        )


def test_another_writing_of_the_same_root_is_refused() -> None:
    payload = root_of(ANN).payload
    for text in (payload + b"\n", b" " + payload, payload.replace(b",", b", ", 1)):
        with pytest.raises(ValueError, match="canonical JSON"):
            decode(dsse.encode(dsse.sign(ROOT, text, [ANN])))
    twice = payload.replace(b'{"format_version":1', b'{"format_version":1,"format_version":1', 1)
    twice = (
        twice
        if twice != payload
        else payload.replace(b'"version":1', b'"version":1,"version":1', 1)
    )
    with pytest.raises(ValueError, match="canonical JSON"):
        decode(dsse.encode(dsse.sign(ROOT, twice, [ANN])))


def test_what_is_no_root_is_refused() -> None:
    with pytest.raises(ValueError, match="it is no trust root but application"):
        decode(dsse.encode(statement(ANN)))
    with pytest.raises(ValueError, match="its payload is not JSON"):
        decode(dsse.encode(dsse.sign(ROOT, b"[" * 100_000, [ANN])))
    with pytest.raises(ValueError, match="more than 1,048,576"):
        decode(b"x" * (1 << 20 | 1))
    with pytest.raises(ValueError, match="it is not JSON"):
        decode(b"")


def test_every_flipped_bit_of_a_root_is_seen() -> None:
    data = signed(root_of(ANN), ANN)
    for place in range(len(data)):
        for bit in range(8):
            edited = bytearray(data)
            edited[place] ^= 1 << bit
            if place % 7 == bit % 7:  # a seventh here; all of them once, by hand
                refused(bytes(edited))


# --- one after another


def test_a_root_is_followed_by_one_that_both_owners_sign() -> None:
    first = root_of(ANN)
    second = rotated(first)
    found = chain([signed(first, ANN), signed(second, ANN, BOB)])
    assert found.newest == second
    assert found.pinned(first.digest) == first
    assert found.pinned("sha256:" + "0" * 64) is None


def test_no_root_is_no_chain() -> None:
    with pytest.raises(ValueError, match="there is no trust root"):
        chain([])


def test_a_root_that_only_one_side_signs_is_refused() -> None:
    first = root_of(ANN)
    second = rotated(first)
    new_only = refused(signed(first, ANN), signed(second, BOB))
    assert new_only == "trust root 2: signed by 0 of the 1 owners that trust root 1 asks for"
    old_only = refused(signed(first, ANN), signed(second, ANN))
    assert old_only == "trust root 2: signed by 0 of the 1 owners that trust root 2 asks for"


def test_two_of_three_owners_are_asked_for_and_one_is_not_enough() -> None:
    first = root_of(ANN, BOB, EVE, threshold=2)
    assert refused(signed(first, ANN)).endswith("1 of the 2 owners that trust root 1 asks for")
    assert chain([signed(first, ANN, EVE)]).newest == first
    assert missing(decode(signed(first, BOB)), None).startswith("signed by 1 of the 2")
    assert missing(decode(signed(first, BOB, ANN)), None) == ""


def test_a_root_that_is_left_out_is_named() -> None:
    first = root_of(ANN)
    second = rotated(first)
    third = after(second)
    files = [signed(first, ANN), signed(second, ANN, BOB), signed(third, BOB)]
    assert chain(files).newest.version == 3
    assert refused(files[0], files[2]) == (
        "trust root 2: it says version 3, not 2: one is left out"
    )
    assert refused(*files[1:]).startswith("trust root 1: it says version 2, not 1")


def test_a_root_over_another_history_is_refused() -> None:
    first, other = root_of(ANN), root_of(ANN, BOB)
    second = after(other)
    assert "does not name the digest of the version before it" in refused(
        signed(first, ANN), signed(second, ANN)
    )


def test_who_knows_a_later_root_is_not_told_an_earlier_one_by_others() -> None:
    """Eve writes a history of her own before a root that somebody pinned."""
    first = root_of(ANN)
    second = after(first)
    forged = root_of(EVE)
    grafted = dsse.encode(dsse.sign(ROOT, second.payload, [ANN, EVE]))
    assert refused(signed(forged, EVE), grafted)


def test_a_signature_of_nobody_that_matters_is_no_decoration() -> None:
    first = root_of(ANN)
    assert "signed it and is no owner's" in refused(signed(first, ANN, EVE))


def test_a_wrong_signature_beside_enough_right_ones_is_refused() -> None:
    first = root_of(ANN, BOB)
    good = dsse.sign(ROOT, first.payload, [ANN, BOB])
    bad = tuple(
        Signature(one.key, bytes(64)) if one.key == BOB.key else one for one in good.signatures
    )
    assert "(ann) is wrong" in refused(dsse.encode(replace(good, signatures=bad)))


def test_what_was_revoked_never_counts_again() -> None:
    first = root_of(ANN, BOB)
    roles = {**first.roles, "root": Grant((ANN.key,))}
    gone = {BOB.key: Revoked("2026-06-01T00:00:00Z", "laptop stolen")}
    second = after(first, roles=roles, revoked=gone)
    files = [signed(first, ANN), signed(second, ANN)]
    assert "and counts again" in refused(*files, signed(after(second, revoked={}), ANN))
    later = {BOB.key: Revoked("2026-07-01T00:00:00Z", "later, after all")}
    assert "and counts again" in refused(*files, signed(after(second, revoked=later), ANN))
    earlier = {BOB.key: Revoked("2026-05-01T00:00:00Z", "it was stolen earlier")}
    assert chain([*files, signed(after(second, revoked=earlier), ANN)]).newest.version == 3


# --- whose word counts (F22: expired, revoked, wrong role; the key is named)


def test_a_statement_by_a_key_of_the_role_is_allowed() -> None:
    root = root_of(ANN, roles=("root", "gate"))
    assert root.allows("gate", statement(ANN), NOW) == ""
    assert root.allows(("runner", "gate"), statement(ANN), NOW) == ""


def test_an_unknown_key_and_a_key_of_another_role_are_named() -> None:
    root = root_of(ANN, roles=("root", "gate"))
    assert root.allows("gate", statement(EVE), NOW) == f"key {EVE.key} is not in trust root 1"
    assert root.allows("runner", statement(ANN), NOW) == f"key {ANN.key} (ann) has no role runner"
    assert root.allows((), statement(ANN), NOW)


def test_a_key_counts_from_its_first_second_until_before_its_last() -> None:
    since, until = "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"
    root = replace(root_of(ANN), keys={ANN.key: named(ANN, "ann", since, until)})
    assert root.allows("gate", statement(ANN), since) == ""
    assert root.allows("gate", statement(ANN), "2026-02-28T23:59:59.999Z") == ""
    early = root.allows("gate", statement(ANN), "2026-01-31T23:59:59Z")
    assert early == f"key {ANN.key} (ann) is valid from {since} only, not at 2026-01-31T23:59:59Z"
    late = root.allows("gate", statement(ANN), until)
    assert late == f"key {ANN.key} (ann) is valid until {until} only, not at {until}"
    assert "is no time" in root.allows("gate", statement(ANN), "now")


def test_what_a_revoked_key_signed_before_stays_and_after_is_refused() -> None:
    first = root_of(ANN, BOB)
    roles = {**first.roles, "root": Grant((ANN.key,))}
    gone = Revoked("2026-06-01T00:00:00Z", "laptop stolen")
    root = draft(after(first, roles=roles, revoked={BOB.key: gone}))
    assert root.allows("gate", statement(BOB), "2026-05-31T23:59:59Z") == ""
    why = root.allows("gate", statement(BOB), gone.at)
    assert why == f"key {BOB.key} (ann) is revoked since {gone.at}: laptop stolen"
    assert [one.id for one in root.holders("gate", NOW)] == [ANN.key]


def test_an_edited_statement_and_one_unchecked_signature_are_refused() -> None:
    root = root_of(ANN)
    edited = replace(statement(ANN), payload=b"{}")
    assert root.allows("gate", edited, NOW) == f"the signature by key {ANN.key} (ann) is wrong"
    assert root.allows("gate", statement(ANN, EVE), NOW).endswith("is not in trust root 1")
    assert root.allows("gate", replace(statement(ANN), signatures=()), NOW) == (
        "not signed by enough keys of role gate"
    )


def test_a_release_may_need_several_people() -> None:
    root = root_of(ANN, BOB)
    root = replace(root, roles={**root.roles, "release": Grant(root.roles["release"].keys, 2)})
    assert (
        root.allows("release", statement(ANN), NOW) == "not signed by enough keys of role release"
    )
    assert root.allows("release", statement(ANN, BOB), NOW) == ""


def test_times_are_read_in_one_spelling() -> None:
    assert moment("2026-11-22T08:00:00.5Z") > moment("2026-11-22T08:00:00Z")
    for text in (
        "2026-11-22",
        "2026-11-22T08:00:00",
        "2026-11-22t08:00:00z",
        "2026-11-22T24:61:00Z",
    ):
        with pytest.raises(ValueError, match=re.escape(f'"{text}" is no time')):
            moment(text)


def test_whatever_is_made_of_a_root_is_read_or_refused_and_never_breaks() -> None:
    dice = random.Random(7)
    data = signed(root_of(ANN, BOB), ANN, BOB)
    for _ in range(1_500):
        edited = bytearray(data)
        for _ in range(dice.randint(1, 4)):
            place = dice.randrange(len(edited))
            match dice.randrange(3):
                case 0:
                    edited[place] = dice.randrange(256)
                case 1:
                    del edited[place : place + dice.randint(1, 9)]
                case _:
                    edited[place:place] = dice.choice([b"{}", b"[", b'"', b"\\u0000", b"1e999"])
        if bytes(edited) != data:
            refused(bytes(edited))
