"""An entry of the ledger of attempts, as it stands: predicate `ledger/v1`. Dry.

The predicate is the entry's own file, so that its canonical bytes are that file and each entry
names the one before it by its digest.
"""

from __future__ import annotations

import json
from typing import Any

from llmops.attest.base import Statement
from llmops.attest.subject import TYPE, bare
from llmops.digest import canonical
from llmops.evidence.entry import Kept, encode
from llmops.log.base import LEDGER


def subject(kept: Kept) -> list[dict[str, Any]]:
    """What the statement is about: the entry's file."""
    name = f"ledger/{kept.number:08}.json"
    return [{"name": name, "digest": {"sha256": bare(kept.digest)}}]


def made(kept: Kept) -> Statement:
    """The statement about one entry."""
    predicate: dict[str, Any] = json.loads(encode(kept.number, kept.previous, kept.entry))
    value = {
        "_type": TYPE,
        "subject": subject(kept),
        "predicateType": LEDGER,
        "predicate": predicate,
    }
    return Statement(LEDGER, canonical(value))
