"""An entry of the ledger as canonical JSON, and back. Dry.

In: `Attempt`, `Decided`, `Granted` or `Judged`, its number, the digest of the entry before. Out:
the one text of it; reading is strict, and what would not be written so is no entry of ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmops.digest import PATTERN, canonical, of_bytes
from llmops.jobs.attempts import Attempt, Decided, Entry, Granted, Judged
from llmops.jobs.base import FORMAT_VERSION
from llmops.jobs.wire import entry_from_json, to_json

KINDS: Mapping[str, type[Entry]] = {
    "attempt": Attempt,
    "decided": Decided,
    "granted": Granted,
    "verdict": Judged,
}
_KEYS = {"format_version", "number", "previous", "kind", "entry"}
_LEVEL = re.compile(r"0\.\d+|\d(?:\.\d+)?e-\d+")


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry where it stands: `digest` is that of its file, `previous` that of the one before."""

    number: int
    previous: str | None
    digest: str
    entry: Entry


def encode(number: int, previous: str | None, entry: Entry) -> bytes:
    """The canonical bytes of an entry."""
    kind = next(name for name, made in KINDS.items() if isinstance(entry, made))
    return canonical(
        {
            "format_version": FORMAT_VERSION,
            "number": number,
            "previous": previous,
            "kind": kind,
            "entry": to_json(entry),
        }
    )


def parse(data: Any, raw: bytes) -> Kept:
    """The entry that `data`, read from `raw`, holds. Raises ValueError naming what is not ours."""
    if type(data) is not dict or data.keys() != _KEYS:
        raise ValueError(f"it has not exactly the keys {', '.join(sorted(_KEYS))}")
    if data["format_version"] != FORMAT_VERSION:
        raise ValueError(f"its format_version is not {FORMAT_VERSION}")
    number, previous, kind = data["number"], data["previous"], data["kind"]
    if type(number) is not int:
        raise ValueError("its number is none")
    if previous is not None and not (type(previous) is str and PATTERN.fullmatch(previous)):
        raise ValueError("what it names as the entry before is no digest")
    if type(kind) is not str or kind not in KINDS:
        raise ValueError(f"it is of no known kind: {kind!r}")
    entry = entry_from_json(KINDS[kind], data["entry"])
    if isinstance(entry, Attempt):
        _check(entry)
    if encode(number, previous, entry) != raw:
        raise ValueError("it is not written as canonical JSON")
    return Kept(number, previous, of_bytes(raw), entry)


def _check(entry: Attempt) -> None:
    """What types cannot say of an attempt."""
    if not entry.closures:
        raise ValueError("it names no closure")
    if entry.attempt < 1 or entry.attempts < 1:
        raise ValueError("attempts are counted from 1")
    if not _LEVEL.fullmatch(entry.level):
        raise ValueError(f'"{entry.level}" is no error rate')
