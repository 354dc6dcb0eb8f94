"""Whose checkpoints count: of all roots, those that have or had the role, but for the revoked."""

from __future__ import annotations

from llmops.log import holders
from llmops.signing.root import Chain, Grant, Revoked
from tests.keyring import NOW, after, named, person, root_of

ANN, BOB, EVE = person("ann"), person("bob"), person("eve")


def test_without_roots_nobody_counts() -> None:
    assert holders.publics(None) == holders.revoked(None) == ()


def test_a_key_without_the_role_does_not_count() -> None:
    root = root_of(ANN)
    other = after(root, roles={**root.roles, "log": Grant(())})
    assert holders.publics(Chain((other,))) == ()


def test_a_key_that_was_replaced_counts_still_and_one_that_was_revoked_no_more() -> None:
    first = root_of(ANN)
    keys = {**first.keys, BOB.key: named(BOB)}
    replaced = after(first, keys=keys, roles={**first.roles, "log": Grant((BOB.key,))})
    assert holders.publics(Chain((first, replaced))) == (ANN.public, BOB.public)
    gone = after(replaced, revoked={ANN.key: Revoked(NOW, "lost")})
    chain = Chain((first, replaced, gone))
    assert (holders.publics(chain), holders.revoked(chain)) == ((BOB.public,), (ANN.public,))


def test_a_stranger_is_neither() -> None:
    chain = Chain((root_of(ANN, BOB),))
    assert EVE.public not in (*holders.publics(chain), *holders.revoked(chain))
    assert set(holders.publics(chain)) == {ANN.public, BOB.public}
