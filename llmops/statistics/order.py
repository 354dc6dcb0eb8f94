"""Which cases of a split are taken, and in which order a test looks at them.

Order is dice for a betting test, so it depends on nothing that an author can turn: not on the
order of a file, a commit, a model or a prompt. The subset depends on dataset, split and case, so
that base and head answer the same cases; the betting order also on the gate's id.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable

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
    start = _text(dataset, split, gate)[:-1] + b","

    def key(case: str) -> bytes:
        return hashlib.sha256(start + _quoted(case).encode() + b"]").digest()

    return key


def subset(cases: Iterable[str], dataset: str, split: str, rows: int | None) -> tuple[str, ...]:
    """The first `rows` cases by `subset_key`, in that order; all of them when `rows` is None.

    A larger number of rows only appends. Equal cases stay as many as they were.

    Raises ValueError when `rows` is negative.
    """
    if rows is not None and rows < 0:
        raise ValueError(f"rows must be at least 0, not {rows}")
    return tuple(sorted(cases, key=lambda case: subset_key(dataset, split, case))[:rows])


def _key(*parts: str) -> str:
    """Sha256 of the parts as a canonical JSON array, whose quoting keeps them apart."""
    return hashlib.sha256(_text(*parts)).hexdigest()


def _text(*parts: str) -> bytes:
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()
