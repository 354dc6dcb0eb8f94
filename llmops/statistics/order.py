"""Which cases of a split are taken, and in which order a test looks at them.

Order is dice for a betting test, so it depends on nothing that an author can turn: not on the
order of a file, a commit, a model or a prompt. The subset depends on dataset, split and case, so
that base and head answer the same cases; the betting order also on the gate's id.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from functools import lru_cache

_quoted = json.JSONEncoder(ensure_ascii=False).encode


def subset_key(dataset: str, split: str, case: str) -> str:
    """The hex digest by which the cases of a split are ranked; the first N are the subset.

    `case` is the digest of the case's content, `sha256:<hex>`.
    """
    return _key(dataset, split, case)


def betting_key(dataset: str, split: str, gate: str, case: str) -> str:
    """The hex digest by which the cases of one gate are ranked for its betting test."""
    return _key(dataset, split, gate, case)


def betting_order(dataset: str, split: str, gate: str) -> Callable[[str], bytes]:
    """`betting_key` of one gate as a function of the case, in bytes: the same order, for many."""
    start = _start(dataset, split, gate)

    def key(case: str) -> bytes:
        return hashlib.sha256(start + _end(case)).digest()

    return key


def ranking(dataset: str, split: str, gate: str, cases: tuple[str, ...]) -> list[int]:
    """The places of `cases` in the betting order of one gate; equal cases stay as they were."""
    start, sha256 = _start(dataset, split, gate), hashlib.sha256
    keys = [sha256(start + end).digest() for end in _ends(cases)]
    return sorted(range(len(keys)), key=keys.__getitem__)


def subset(cases: Iterable[str], dataset: str, split: str, rows: int | None) -> tuple[str, ...]:
    """The first `rows` cases by `subset_key`, in that order; all of them when `rows` is None.

    A larger number of rows only appends. Equal cases stay as many as they were.

    Raises ValueError when `rows` is negative.
    """
    if rows is not None and rows < 0:
        raise ValueError(f"rows must be at least 0, not {rows}")
    return tuple(sorted(cases, key=lambda case: subset_key(dataset, split, case))[:rows])


def _start(dataset: str, split: str, gate: str) -> bytes:
    """What all keys of a gate begin with: `_text` of all parts, up to the case."""
    return _text(dataset, split, gate)[:-1] + b","


def _end(case: str) -> bytes:
    """What the key of a case ends with, whatever the gate."""
    return _quoted(case).encode() + b"]"


@lru_cache(maxsize=4)
def _ends(cases: tuple[str, ...]) -> tuple[bytes, ...]:
    """Remembered for a few samples: all gates of a suite rank the same cases."""
    return tuple([_end(case) for case in cases])


def _key(*parts: str) -> str:
    """Sha256 of the parts as a canonical JSON array, whose quoting keeps them apart."""
    return hashlib.sha256(_text(*parts)).hexdigest()


def _text(*parts: str) -> bytes:
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()
