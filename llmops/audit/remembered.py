"""What an auditor saw the last time: a small file that makes a rewritten history a fork. Dry.

In: the file of `--checkpoint`, the log as it is now. Out: nothing, or the flaw that names both
roots; and the file's next text. It remembers the digest of the trust root too, so that whoever
pinned it once need not do so again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmops import merkle
from llmops.audit.base import Flaw, Seen
from llmops.diagnostics import printable
from llmops.digest import PATTERN

FORMAT_VERSION = 1
_KEYS = {"format_version", "trust_root", "origin", "size", "root"}
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Remembered:
    """The trust root that was known (`sha256:…`), and the log that was verified."""

    trust_root: str
    log: Seen


def encode(found: Remembered) -> bytes:
    """The file's text: for programs and people alike."""
    said = {
        "format_version": FORMAT_VERSION,
        "trust_root": found.trust_root,
        "origin": found.log.origin,
        "size": found.log.size,
        "root": found.log.root,
    }
    return (json.dumps(said, ensure_ascii=False, indent=2) + "\n").encode()


def decode(data: bytes) -> Remembered:
    """What a file remembers. Raises ValueError naming what is not as `encode` writes it."""
    try:
        said: Any = json.loads(data)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if type(said) is not dict or said.keys() != _KEYS:
        raise ValueError(f"it has not exactly the keys {', '.join(sorted(_KEYS))}")
    version, origin, size = said["format_version"], said["origin"], said["size"]
    if type(version) is not int or version != FORMAT_VERSION:
        raise ValueError(f"its format_version is {version!r}, this llmops reads {FORMAT_VERSION}")
    if type(origin) is not str or type(size) is not int or not 0 <= size < 2**53:
        raise ValueError("its origin or its size is none")
    for name, pattern in (("trust_root", PATTERN), ("root", _HEX)):
        if type(said[name]) is not str or not pattern.fullmatch(said[name]):
            raise ValueError(f'its "{name}" is no digest')
    return Remembered(said["trust_root"], Seen(origin, size, said["root"]))


def check(before: Remembered, now: Seen, leaves: Sequence[bytes]) -> tuple[Flaw, ...]:
    """Whether the log that was seen is the beginning of this one; the fork, where it is not."""
    seen = before.log
    if seen.origin != now.origin:
        what = (
            f"this is the log {printable(now.origin, 200)}, "
            f"and the one seen before is {printable(seen.origin, 200)}"
        )
        return (Flaw("fork", what),)
    if now.size < seen.size:
        what = (
            f"the log was rolled back: it had {seen.size:,} entries with root {seen.root} when it "
            f"was seen before, and has {now.size:,} with root {now.root} now"
        )
        return (Flaw("fork", what, _HINT),)
    found = merkle.root(leaves[: seen.size]).hex()
    if found == seen.root:
        return ()
    what = (
        f"the log was rewritten: its first {seen.size:,} entries had root {seen.root} when they "
        f"were seen before, and have root {found} now"
    )
    return (Flaw("fork", what, _HINT),)


_HINT = "keep both: together they prove that somebody with the log's key signed two histories"
