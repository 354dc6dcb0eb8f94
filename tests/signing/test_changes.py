from __future__ import annotations

import pytest

from llmops.signing.base import ROLES
from llmops.signing.changes import (
    Person,
    added,
    asking,
    differences,
    first,
    following,
    found,
    removed,
    replaced,
    revoked,
    roles_of,
)
from llmops.signing.root import Root, chain, draft
from tests.keyring import NOW, SINCE, person, signed, statement

ANN, BOB, EVE, CI = (person(name) for name in ("ann", "bob", "eve", "ci"))
WEEK = "2026-11-29T08:00:00Z"


def who(name: str) -> Person:
    return Person(name, person(name).public)


def alone() -> Root:
    return draft(first(who("ann"), [], 1, SINCE))


def three() -> Root:
    return draft(first(who("ann"), [who("bob"), who("eve")], 2, SINCE))


def test_one_key_is_enough_for_a_small_team() -> None:
    root = alone()
    assert roles_of(root, ANN.key) == ROLES
    assert chain([signed(root, ANN)]).newest == root


def test_several_owners_begin_together_and_only_the_maker_has_the_machines_roles() -> None:
    root = three()
    assert set(root.owners()) == {ANN.key, BOB.key, EVE.key}
    assert roles_of(root, BOB.key) == ("root",)
    assert root.roles["root"].threshold == 2


def test_a_replaced_key_counts_a_while_longer_and_is_no_owner() -> None:
    before = alone()
    root = draft(replaced(following(before), ANN.key, BOB.public, NOW, WEEK))
    assert chain([signed(before, ANN), signed(root, ANN, BOB)]).newest == root
    assert root.owners() == (BOB.key,)
    assert root.keys[BOB.key].owner == "ann"
    assert root.allows("gate", statement(ANN), SINCE) == ""
    assert root.allows("gate", statement(ANN), WEEK).endswith(f"until {WEEK} only, not at {WEEK}")
    assert root.allows("gate", statement(BOB), NOW) == ""
    assert "valid from" in root.allows("gate", statement(BOB), SINCE)


def test_who_leaves_is_no_owner_and_what_their_key_signed_stays() -> None:
    root = draft(removed(following(added(three(), who("bob"), ("gate",), SINCE)), BOB.key, NOW))
    assert BOB.key not in root.owners()
    assert root.allows("gate", statement(BOB), SINCE) == ""
    assert root.allows("gate", statement(BOB), NOW)


def test_an_owner_who_signed_nothing_else_leaves_no_trace() -> None:
    root = draft(removed(following(three()), EVE.key, NOW))
    assert EVE.key not in root.keys


def test_a_key_can_lose_one_role() -> None:
    root = draft(removed(following(alone()), ANN.key, NOW, ("runner",)))
    assert roles_of(root, ANN.key) == ("root", "gate", "log", "release")


def test_a_root_that_nobody_could_follow_is_not_made() -> None:
    with pytest.raises(ValueError, match="that leaves 0 of the 1 owners"):
        removed(following(alone()), ANN.key, NOW)
    with pytest.raises(ValueError, match="that leaves 0 of the 1 owners"):
        revoked(following(alone()), ANN.key, NOW, "lost")
    two = removed(following(three()), EVE.key, NOW)
    with pytest.raises(ValueError, match="that leaves 1 of the 2 owners"):
        removed(two, BOB.key, NOW)
    with pytest.raises(ValueError, match="4 of 3 owners cannot sign"):
        asking(three(), 4)


def test_a_revoked_key_stays_revoked() -> None:
    root = draft(revoked(following(three()), BOB.key, NOW, "laptop stolen"))
    assert root.allows("root", statement(BOB), NOW) == f"key {BOB.key} (bob) has no role root"
    with pytest.raises(ValueError, match="is revoked: laptop stolen"):
        added(root, who("bob"), ("gate",), NOW)


def test_a_key_is_added_once_and_has_one_owner() -> None:
    root = added(alone(), who("ci"), ("gate",), NOW)
    again = draft(added(root, who("ci"), ("log",), NOW))
    assert roles_of(again, CI.key) == ("gate", "log")
    with pytest.raises(ValueError, match="is ci's already"):
        added(again, Person("other", CI.public), ("gate",), NOW)
    with pytest.raises(ValueError, match="is no Ed25519 key"):
        added(again, Person("weak", b"\1" + bytes(31)), ("gate",), NOW)


def test_whoever_signs_reads_what_is_otherwise() -> None:
    before = three()
    root = added(following(before), who("ci"), ("gate", "log"), NOW, WEEK)
    root = asking(revoked(removed(root, ANN.key, NOW, ("runner",)), EVE.key, NOW, "lost"), 1)
    assert sorted(differences(draft(root), before)) == sorted(
        [
            f"- ann ({ANN.key[:16]}) loses runner",
            f"- eve ({EVE.key[:16]}) loses root",
            f"+ ci ({CI.key[:16]}) gate log, until {WEEK}",
            f"- eve ({EVE.key[:16]}) revoked since {NOW}: lost",
            "~ 1 of 2 owners sign the next root",
        ]
    )
    assert list(differences(before, before)) == []
    assert len(list(differences(before, None))) == 4


def test_a_key_is_found_by_its_beginning_or_its_owner() -> None:
    root = three()
    assert found(root, "bob") == BOB.key
    assert found(root, BOB.key[:8]) == BOB.key
    with pytest.raises(ValueError, match='begins with "carol"'):
        found(root, "carol")
    with pytest.raises(ValueError, match="begins with"):
        found(root, BOB.key[:7])
    two = added(root, Person("bob", CI.public), ("gate",), NOW)
    with pytest.raises(ValueError, match='"bob" has several keys'):
        found(two, "bob")
    ended = removed(two, CI.key, WEEK)
    assert found(ended, "bob") == BOB.key
