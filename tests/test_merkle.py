"""Merkle trees against the text of RFC 6962, known roots, and every wrong proof that is near."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops import merkle

# Entries and roots that tests of Certificate Transparency's own code use (google/
# certificate-transparency, merkletree/merkle_tree_test.cc).
ENTRIES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                 "606162636465666768696a6b6c6d6e6f")
]  # fmt: skip
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


# ---- RFC 6962, 2.1 to 2.1.2, word for word, over entries and not over leaf hashes ----------------


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def half(n: int) -> int:
    """k, the largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(d: Sequence[bytes]) -> bytes:
    if not d:
        return sha()
    if len(d) == 1:
        return sha(b"\x00", d[0])
    k = half(len(d))
    return sha(b"\x01", mth(d[:k]), mth(d[k:]))


def path(m: int, d: Sequence[bytes]) -> list[bytes]:
    if len(d) == 1:
        return []
    k = half(len(d))
    if m < k:
        return [*path(m, d[:k]), mth(d[k:])]
    return [*path(m - k, d[k:]), mth(d[:k])]


def proof(m: int, d: Sequence[bytes]) -> list[bytes]:
    return subproof(m, d, True)


def subproof(m: int, d: Sequence[bytes], b: bool) -> list[bytes]:
    if m == len(d):
        return [] if b else [mth(d)]
    k = half(len(d))
    if m <= k:
        return [*subproof(m, d[:k], b), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


def entries(count: int) -> list[bytes]:
    return [b"entry %d" % at for at in range(count)]


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf(one) for one in entries(count)]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert merkle.root(map(merkle.leaf, ENTRIES[:size])).hex() == ROOTS[size]
    assert mth(ENTRIES[:size]).hex() == ROOTS[size]


def test_every_tree_and_proof_up_to_forty_is_that_of_the_rfc() -> None:
    for size in range(41):
        said, own = entries(size), leaves(size)
        assert merkle.root(own) == mth(said)
        for at in range(size):
            assert list(merkle.inclusion(own, at)) == path(at, said)
            assert list(merkle.consistency(own, at + 1)) == proof(at + 1, said)


def test_every_right_proof_up_to_forty_holds() -> None:
    for size in range(1, 41):
        own = leaves(size)
        top = merkle.root(own)
        for at in range(size):
            assert merkle.included(own[at], at, size, merkle.inclusion(own, at), top)
            first = merkle.root(own[: at + 1])
            assert merkle.consistent(at + 1, first, size, top, merkle.consistency(own, at + 1))


def test_no_proof_of_a_small_tree_shows_anything_else() -> None:
    """Every path of every tree up to 12, for every leaf, index and size up to 13 that is wrong."""
    own = leaves(13)
    roots = [merkle.root(own[:size]) for size in range(14)]
    held = 0
    for size in range(1, 13):
        for at in range(size):
            steps = merkle.inclusion(own[:size], at)
            for other in range(13):
                for index in range(13):
                    for many in range(14):
                        holds = merkle.included(own[other], index, many, steps, roots[many])
                        assert holds == ((other, index, many) == (at, at, size))
                        held += holds
    assert held == 12 * 13 // 2


def test_no_consistency_of_small_trees_shows_another() -> None:
    own = leaves(13)
    roots = [merkle.root(own[:size]) for size in range(14)]
    other = [merkle.root([merkle.leaf(b"x"), *own[1:size]]) for size in range(14)]
    for after in range(1, 13):
        for before in range(1, after + 1):
            steps = merkle.consistency(own[:after], before)
            for first in range(14):
                for second in range(14):
                    holds = merkle.consistent(first, roots[first], second, roots[second], steps)
                    same = first == second >= 0 and not steps
                    assert holds == ((first, second) == (before, after) or same)
            assert not merkle.consistent(before, other[before], after, roots[after], steps)
            assert not merkle.consistent(before, roots[before], after, other[after], steps)


SIZES = st.integers(1, 300)


@settings(max_examples=60, deadline=None)
@given(SIZES, st.data())
def test_an_inclusion_that_is_changed_in_any_way_shows_nothing(
    size: int, data: st.DataObject
) -> None:
    own = leaves(size)
    at = data.draw(st.integers(0, size - 1))
    steps, top = list(merkle.inclusion(own, at)), merkle.root(own)
    assert merkle.included(own[at], at, size, steps, top)
    wrong = changed(steps, data)
    assert not merkle.included(own[at], at, size, wrong, top)
    assert not merkle.included(flipped(own[at], data), at, size, steps, top)
    assert not merkle.included(own[at], at, size, steps, flipped(top, data))
    there = data.draw(st.integers(-2, size + 2).filter(lambda index: index != at))
    assert not merkle.included(own[at], there, size, steps, top)


@settings(max_examples=60, deadline=None)
@given(SIZES, st.data())
def test_a_consistency_that_is_changed_in_any_way_shows_nothing(
    size: int, data: st.DataObject
) -> None:
    own = leaves(size)
    before = data.draw(st.integers(1, size))
    steps = list(merkle.consistency(own, before))
    first, top = merkle.root(own[:before]), merkle.root(own)
    assert merkle.consistent(before, first, size, top, steps)
    assert not merkle.consistent(before, first, size, top, changed(steps, data))
    assert not merkle.consistent(before, flipped(first, data), size, top, steps)
    assert not merkle.consistent(before, first, size, flipped(top, data), steps)
    assert not merkle.consistent(size + 1, first, size, top, steps)


@settings(max_examples=40, deadline=None)
@given(SIZES, st.data())
def test_whoever_rewrites_what_was_seen_cannot_show_that_it_only_grew(
    size: int, data: st.DataObject
) -> None:
    before = data.draw(st.integers(1, size))
    at = data.draw(st.integers(0, before - 1))
    first, forged = merkle.root(leaves(before)), leaves(size)
    forged[at] = merkle.leaf(b"rewritten")
    steps = merkle.consistency(forged, before)
    assert not merkle.consistent(before, first, size, merkle.root(forged), steps)


def changed(steps: list[bytes], data: st.DataObject) -> list[bytes]:
    """A path that is not this one: a step more, less, twice, swapped or with a bit turned."""
    found = list(steps)
    how = data.draw(st.sampled_from(["more", "less", "swap", "flip"]))
    if how == "more" or not found:
        found.insert(data.draw(st.integers(0, len(found))), b"\0" * 32)
    elif how == "less":
        found.pop(data.draw(st.integers(0, len(found) - 1)))
    elif how == "swap" and len(found) > 1:
        at = data.draw(st.integers(0, len(found) - 2))
        found[at], found[at + 1] = found[at + 1], found[at]
    else:
        at = data.draw(st.integers(0, len(found) - 1))
        found[at] = flipped(found[at], data)
    return found


def flipped(value: bytes, data: st.DataObject) -> bytes:
    bit = data.draw(st.integers(0, len(value) * 8 - 1))
    found = bytearray(value)
    found[bit // 8] ^= 1 << bit % 8
    return bytes(found)


@pytest.mark.parametrize("index", [-1, 3, 4])
def test_there_is_no_proof_for_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(IndexError):
        merkle.inclusion(leaves(3), index)


@pytest.mark.parametrize("before", [-1, 0, 4])
def test_there_is_no_proof_for_a_tree_that_is_no_beginning(before: int) -> None:
    with pytest.raises(IndexError):
        merkle.consistency(leaves(3), before)


def test_a_tree_is_made_in_one_pass() -> None:
    assert merkle.root(iter(leaves(1000))) == mth(entries(1000))
