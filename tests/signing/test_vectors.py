"""F22: chains of roots that hold or do not, read by us and by the second verifier alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from llmops.audit import second
from llmops.signing.changes import Person, added, following, replaced, revoked
from llmops.signing.root import Root, chain, decode, draft
from tests.keyring import NOW, after, person, root_of, signed, statement

ANN, BOB, EVE = person("ann"), person("bob"), person("eve")
ONE, TWO = root_of(ANN), root_of(ANN, BOB, EVE, threshold=2)
NEXT = draft(replaced(following(ONE), ANN.key, BOB.public, NOW, "2026-11-29T08:00:00Z"))
GONE = draft(revoked(following(TWO), BOB.key, NOW, "laptop stolen"))
MORE = draft(added(following(ONE), Person("eve", EVE.public), ("root",), NOW))
VECTORS: dict[str, tuple[Sequence[bytes], str]] = {
    "one key, all roles": ([signed(ONE, ANN)], ""),
    "two of three": ([signed(TWO, BOB, EVE)], ""),
    "three of three": ([signed(TWO, ANN, BOB, EVE)], ""),
    "rotated by both": ([signed(ONE, ANN), signed(NEXT, ANN, BOB)], ""),
    "an owner more": ([signed(ONE, ANN), signed(MORE, ANN)], ""),
    "revoked by two": ([signed(TWO, ANN, BOB), signed(GONE, ANN, EVE)], ""),
    "revoked by the revoked one": ([signed(TWO, ANN, BOB), signed(GONE, ANN, BOB, EVE)], ""),
    "one of three": ([signed(TWO, ANN)], "signed by 1 of the 2 owners"),
    "rotated by the new alone": ([signed(ONE, ANN), signed(NEXT, BOB)], "0 of the 1 owners"),
    "rotated by the old alone": ([signed(ONE, ANN), signed(NEXT, ANN)], "0 of the 1 owners"),
    "the new owners too few": ([signed(TWO, ANN, BOB), signed(GONE, ANN, BOB)], "1 of the 2"),
    "one left out": ([signed(ONE, ANN), signed(after(NEXT), BOB)], "one is left out"),
    "begins with the second": ([signed(NEXT, ANN, BOB)], "one is left out"),
    "the same twice": ([signed(ONE, ANN), signed(ONE, ANN)], "one is left out"),
    "of another history": (
        [signed(ONE, ANN), signed(draft(following(root_of(ANN, BOB))), ANN)],
        "does not name the digest",
    ),
    "by a stranger": ([signed(ONE, EVE)], "is no owner's"),
    "by a stranger too": ([signed(ONE, ANN, EVE)], "is no owner's"),
    "a revocation taken back": (
        [signed(TWO, ANN, BOB), signed(GONE, ANN, EVE), signed(after(GONE, revoked={}), ANN, EVE)],
        "counts again",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_both_verifiers_say_the_same_of_a_chain(name: str) -> None:
    files, why = VECTORS[name]
    if why:
        with pytest.raises(ValueError, match=why):
            chain(files)
    else:
        assert chain(files).roots
    assert _second(files) == (not why)


def _second(files: Sequence[bytes]) -> bool:
    pin = decode(files[-1]).digest.removeprefix("sha256:")
    try:
        second.follow(dict(enumerate(files)), pin, datetime(2027, 1, 1, tzinfo=UTC))
    except second.Wrong:
        return False
    return True


ROOTS: dict[str, Root] = {
    "rotated": NEXT,
    "revoked": GONE,
    "two roles": root_of(ANN, roles=("root", "gate")),
}
TIMES = ("2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-11-22T07:59:59Z", NOW,
         "2026-11-29T07:59:59Z", "2026-11-29T08:00:00Z")  # fmt: skip


@pytest.mark.parametrize("name", ROOTS)
def test_both_say_the_same_of_a_key_a_role_and_a_time(name: str) -> None:
    root, body = ROOTS[name], second.json.loads(ROOTS[name].payload)
    seen = set()
    for signer in (ANN, BOB, EVE, person("stranger")):
        for roles in (("gate",), ("gate", "runner"), ("log",)):
            for at in TIMES:
                ours = root.allows(roles, statement(signer), at) == ""
                try:
                    second.may([signer.key], roles, datetime.fromisoformat(at), body, "x")
                except second.Wrong:
                    theirs = False
                else:
                    theirs = True
                assert ours == theirs, (signer.key, roles, at)
                seen.add(ours)
    assert seen == {True, False}
