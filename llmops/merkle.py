"""Merkle trees of RFC 6962 (2.1): root, inclusion and consistency. Dry.

In: leaf hashes (32 bytes each). Out: roots, and proofs that anybody can check with SHA-256 alone.
Leaf = SHA256(0x00 || data), node = SHA256(0x01 || left || right), the empty tree = SHA256("").
Checking follows RFC 9162, 2.1.3.2 and 2.1.4.2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence


def leaf(data: bytes) -> bytes:
    """The hash of one entry."""
    return hashlib.sha256(b"\0" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Growing:
    """A tree that leaves are put to, one after another, with O(log n) memory."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[tuple[int, bytes]] = []  # (height, hash) of full subtrees, left to right

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Put leaf hashes after those that are there."""
        for one in leaves:
            height = 0
            while self._peaks and self._peaks[-1][0] == height:
                one = node(self._peaks.pop()[1], one)
                height += 1
            self._peaks.append((height, one))
            self.size += 1

    @property
    def root(self) -> bytes:
        """The root over all that are there."""
        if not self._peaks:
            return hashlib.sha256().digest()
        *before, (_, found) = self._peaks
        for _, left in reversed(before):
            found = node(left, found)
        return found


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes, in one pass and with O(log n) memory."""
    growing = Growing()
    growing.extend(leaves)
    return growing.root


def inclusion(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The proof that leaf `index` is in the tree over all `leaves`. Raises IndexError."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} in a tree of {len(leaves)}")
    if len(leaves) == 1:
        return ()
    cut = _cut(len(leaves))
    if index < cut:
        return (*inclusion(leaves[:cut], index), root(leaves[cut:]))
    return (*inclusion(leaves[cut:], index - cut), root(leaves[:cut]))


def consistency(leaves: Sequence[bytes], before: int) -> tuple[bytes, ...]:
    """The proof that the tree over the first `before` leaves begins the tree over all of them."""
    if not 0 < before <= len(leaves):
        raise IndexError(f"no tree of {before} in a tree of {len(leaves)}")
    return _sub_proof(before, leaves, True)


def included(entry: bytes, index: int, size: int, proof: Sequence[bytes], top: bytes) -> bool:
    """Whether a proof shows that leaf hash `entry` stands at `index` of `size` under root `top`."""
    if not 0 <= index < size:
        return False
    first, last, found = index, size - 1, entry
    for step in proof:
        if last == 0:
            return False
        if first & 1 or first == last:
            found = node(step, found)
            while not first & 1 and first:
                first >>= 1
                last >>= 1
        else:
            found = node(found, step)
        first >>= 1
        last >>= 1
    return last == 0 and found == top


def consistent(
    before: int, first: bytes, after: int, second: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether a proof shows that the tree of `after` entries begins with that of `before`."""
    if before == after:
        return not proof and first == second
    if not 0 < before < after or not proof:
        return False
    path = list(proof) if before & (before - 1) else [first, *proof]
    fn, sn = before - 1, after - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    old = new = path[0]
    for step in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old, new = node(step, old), node(step, new)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            new = node(new, step)
        fn >>= 1
        sn >>= 1
    return sn == 0 and old == first and new == second


def _sub_proof(before: int, leaves: Sequence[bytes], whole: bool) -> tuple[bytes, ...]:
    if before == len(leaves):
        return () if whole else (root(leaves),)
    cut = _cut(len(leaves))
    if before <= cut:
        return (*_sub_proof(before, leaves[:cut], whole), root(leaves[cut:]))
    return (*_sub_proof(before - cut, leaves[cut:], False), root(leaves[:cut]))


def _cut(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
