"""Each entry of a log: its one canonical text, its statement, and whether its signers may say it.

In: the bytes of all entries in their order, the time now. Out: the leaf of each, the trust roots
that the log itself holds, and the history of what is what it must be. An entry is held against
the root that was the last one before it, and against what the newest root took back: a key that
was revoked from a time on never signed anything since. In one pass, so that memory is small.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from llmops import merkle
from llmops.audit.base import Entry, Flaw, History, Reason
from llmops.audit.times import START, in_utc, shown, stated
from llmops.diagnostics import printable
from llmops.digest import canonical
from llmops.errors import LogError
from llmops.log.base import ALLOWED
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO, ROOT, Envelope
from llmops.signing.root import Chain, Root, chain, moment

STATEMENT = "https://in-toto.io/Statement/v1"
_KEYS = {"_type", "subject", "predicateType", "predicate"}


@dataclass
class Read:
    """What one pass over a log found."""

    leaves: list[bytes] = field(default_factory=list)
    roots: list[bytes] = field(default_factory=list)  # envelopes of trust roots
    chain: Chain | None = None
    entries: list[Entry] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)
    signatures: int = 0
    clock: str = START
    _seen: dict[str, int] = field(default_factory=dict)

    @property
    def history(self) -> History:
        """The entries that are what they must be."""
        return History(tuple(self.entries))


def read(entries: Iterable[bytes], now: str) -> Read:
    """One pass over the entries of a log. `now`: after which no entry can have been made."""
    found = Read()
    try:
        for number, data in enumerate(entries):
            found.leaves.append(merkle.leaf(data))
            _try(found, number, data, now)
    except LogError as error:
        found.flaws.append(Flaw("incomplete", error.message, entry=len(found.leaves)))
    if found.chain is not None:
        found.flaws += _taken_back(found.entries, found.chain.newest)
    return found


def _try(found: Read, number: int, data: bytes, now: str) -> None:
    try:
        _take(found, number, data, now)
    except _Wrong as wrong:
        found.flaws.append(Flaw(wrong.reason, str(wrong), wrong.hint, entry=number))


class _Wrong(Exception):
    """An entry is not what it must be."""

    def __init__(self, reason: Reason, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.reason: Reason = reason
        self.hint = hint


def _take(found: Read, number: int, data: bytes, now: str) -> None:
    envelope = _envelope(data)
    digest = hashlib.sha256(envelope.payload).hexdigest()
    before = found._seen.setdefault(digest, number)
    if before != number:
        raise _Wrong("order", f"it says once more what entry {before} says")
    if envelope.payload_type == ROOT:
        _take_root(found, data, now)
        kind = ROOT
    elif envelope.payload_type == IN_TOTO:
        kind = _take_statement(found, envelope, now)
    else:
        raise _Wrong("unreadable", f"its payload is {printable(envelope.payload_type, 80)}", _NEWER)
    found.signatures += len(envelope.signatures)
    keys = tuple(one.key for one in envelope.signatures)
    found.entries.append(Entry.of(number, kind, digest, keys, found.clock, envelope.payload))


_NEWER = "a newer llmops may have written it; nothing is said of what it means"


def _envelope(data: bytes) -> Envelope:
    try:
        return dsse.decode(data)
    except ValueError as error:
        raise _Wrong("tampered", f"it is no signed envelope as it was written: {error}") from None


def _take_root(found: Read, data: bytes, now: str) -> None:
    """Its keys count from now on: what stands after it was signed after they were made."""
    try:
        found.chain = chain([*found.roots, data])
    except ValueError as error:
        why = printable(str(error), 400)
        raise _Wrong("key", f"it is no trust root that may follow: {why}") from None
    found.roots.append(data)
    since = (in_utc(key.since) for key in found.chain.newest.keys.values())
    found.clock = max(found.clock, *(at if at <= now else found.clock for at in since))


def _take_statement(found: Read, envelope: Envelope, now: str) -> str:
    """Its predicate type, once it may stand here."""
    statement = _statement(envelope)
    kind: str = statement["predicateType"]
    if kind not in ALLOWED:
        what = f"it is a statement of a kind that this llmops does not know: {printable(kind, 80)}"
        raise _Wrong("unreadable", what, _NEWER)
    _advance(found, kind, statement["predicate"], now)
    if found.chain is None:
        raise _Wrong("key", "it stands before any trust root, so nobody says whose keys count")
    roles = ALLOWED[kind]
    why = found.chain.newest.allows(roles, envelope, shown(found.clock))
    if why:
        reason: Reason = "tampered" if "is wrong" in why else "key"
        raise _Wrong(reason, f"{_short(kind)}: {printable(why, 400)}")
    return kind


def _statement(envelope: Envelope) -> Mapping[str, Any]:
    try:
        said = json.loads(envelope.payload)
        whole = type(said) is dict and said.keys() == _KEYS and canonical(said) == envelope.payload
    except (ValueError, RecursionError):
        raise _Wrong("tampered", "its payload is not JSON") from None
    if not whole or said["_type"] != STATEMENT:
        raise _Wrong("tampered", "its payload is no in-toto Statement v1 in canonical JSON")
    kinds = tuple(type(said[name]) for name in ("predicateType", "predicate", "subject"))
    if kinds != (str, dict, list):
        raise _Wrong("tampered", "its subject, its predicate, or the type of that, is none")
    return cast("Mapping[str, Any]", said)


def _advance(found: Read, kind: str, predicate: Mapping[str, Any], now: str) -> None:
    """Move the clock on to what the entry states, unless that has not come yet."""
    try:
        at = stated(kind, predicate)
    except ValueError as error:
        raise _Wrong("tampered", f"the time it states: {error}") from None
    if at > now:
        what = f"it says that it was made at {shown(at)}, and now it is {shown(now)}"
        raise _Wrong("order", what, "is this machine's clock right? else the signer's was not")
    found.clock = max(found.clock, at)


def _taken_back(entries: Iterable[Entry], newest: Root) -> Iterator[Flaw]:
    """Entries by keys that the newest root revoked, or ended, before they were made."""
    ended = {key for key, named in newest.keys.items() if named.until} | newest.revoked.keys()
    for entry in entries:
        for key in ended.intersection(entry.keys) if entry.kind != ROOT else ():
            why = _refused(newest, key, shown(entry.clock))
            if why:
                yield Flaw("key", f"{_short(entry.kind)}: {why}", entry=entry.number)


def _refused(newest: Root, key: str, at: str) -> str:
    """Why a key did not count at a time by what is known since, or ""."""
    gone, named = newest.revoked.get(key), newest.keys.get(key)
    owner = f" ({named.owner})" if named is not None else ""
    if gone is not None and moment(at) >= moment(gone.at):
        return f"key {key}{owner} is revoked since {gone.at}: {printable(gone.reason, 200)}"
    if named is not None and not named.holds(moment(at)):
        return f"key {key}{owner} is not valid at {at}"
    return ""


def _short(kind: str) -> str:
    """`run/v1` of a predicate type."""
    return "/".join(kind.rstrip("/").split("/")[-2:])
